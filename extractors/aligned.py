"""Tables that few or no rules draw: rows from baselines, columns from where the words of all rows leave room.

Geometry of one page, top-left origin, points. A caller gives what is known of the grid (the ys of horizontal
rules, the xs of vertical ones); the rest is inferred from the glyphs.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from extractors.document import union
from extractors.glyphs import Glyph, Piece, as_piece, group_lines, pieces_of
from extractors.grids import Grid, GridCell
from extractors.report import Box

_CROSSING = 0.15  # share of the rows whose words may stand in a gutter: heads that span columns
_CUT_GAP = 0.25  # em; a piece that crosses a gutter is cut there where its glyphs are at least so far apart
_REACH = 7.0  # em; lines with values that are farther apart belong to different tables
_HEAD_REACH = 2.6  # em; a head line stands no farther above the next line of the table
_SHORT = 24  # characters of a label beside one number
_MIN_ROWS = 3
_MANY_VALUES = 5  # so many values in one line, below heads, are a table of one row


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line as pieces."""

    pieces: tuple[Piece, ...]
    box: Box

    @property
    def values(self) -> int:
        """How many pieces are numbers, or marks that stand for none."""
        return sum(piece.is_value for piece in self.pieces)

    @property
    def middle(self) -> float:
        """The y of its middle."""
        return (self.box[1] + self.box[3]) / 2

    @property
    def size(self) -> float:
        """Its em in points."""
        return self.pieces[0].glyphs[0].size


def lines_of(glyphs: Sequence[Glyph]) -> list[Line]:
    """The lines of the glyphs that are written straight on, from top to bottom."""
    lines = []
    for line in group_lines(glyph for glyph in glyphs if glyph.turn == 0):
        pieces = pieces_of(line)
        if pieces:
            lines.append(Line(tuple(pieces), union([piece.box for piece in pieces])))
    return lines


def aligned_grid(lines: Sequence[Line], box: Box, ys: Sequence[float] = (), xs: Sequence[float] = ()) -> Grid | None:
    """The grid of ``lines`` in ``box``; ``ys`` and ``xs`` are the rules that are there. None without two columns."""
    bands = _bands(lines, [box[1], *[y for y in ys if box[1] < y < box[3]], box[3]])
    rows = [(row, top, bottom) for band, top, bottom in bands for row, top, bottom in _split_band(band, top, bottom)]
    edges = list(xs) or _column_edges([row for row, _, _ in rows], box)
    if len(edges) < 3 or len(rows) < 2:
        return None
    cells = [
        cell for number, (row, top, bottom) in enumerate(rows) for cell in _row_cells(number, row, top, bottom, edges)
    ]
    return Grid("aligned", cells, len(rows), len(edges) - 1, (edges[0], rows[0][1], edges[-1], rows[-1][2]))


def borderless_grids(glyphs: Sequence[Glyph]) -> tuple[list[Grid], list[Glyph]]:
    """Tables without any rule among ``glyphs``, and the glyphs that stand in none."""
    lines = lines_of(glyphs)
    grids: list[Grid] = []
    taken: set[int] = set()
    for start, end in _regions(lines):
        members = lines[start:end]
        box = union([line.box for line in members])
        grid = aligned_grid(members, box)
        if grid is not None and grid.cols >= 2:
            grids.append(grid)
            taken.update(id(glyph) for cell in grid.cells for glyph in cell.glyphs)
    return grids, [glyph for glyph in glyphs if id(glyph) not in taken]


# --- rows ------------------------------------------------------------------------------------------------------


def _bands(lines: Sequence[Line], ys: list[float]) -> list[tuple[list[Line], float, float]]:
    """The lines between each two neighbouring rules."""
    bands: list[tuple[list[Line], float, float]] = [([], top, bottom) for top, bottom in pairwise(ys)]
    for line in lines:
        position = min(max(bisect.bisect_right(ys, line.middle) - 1, 0), len(bands) - 1)
        bands[position][0].append(line)
    return bands


def _split_band(lines: list[Line], top: float, bottom: float) -> Iterator[tuple[list[Line], float, float]]:
    """Rows of one band: as many as it has lines with values, heads apart; the whole band if it has only one."""
    most = max((line.values for line in lines), default=0)
    anchors = [line for line in lines if line.values and (2 * line.values >= most or line.values >= 2)]
    heads = _heads_above(lines, anchors)
    if len(anchors) + len(heads) < 2:
        yield lines, top, bottom
        return
    rest = lines[sum(len(head) for head in heads) :]
    rows = [*heads, *_around(anchors, rest)] if anchors else heads
    edges = [top]
    for before, after in pairwise(rows):
        edges.append((max(line.box[3] for line in before) + min(line.box[1] for line in after)) / 2)
    edges.append(bottom)
    for row, (upper, lower) in zip(rows, pairwise(edges), strict=True):
        yield row, upper, lower


def _heads_above(lines: list[Line], anchors: list[Line]) -> list[list[Line]]:
    """The lines above the first row of values, those of one wrapped head together."""
    first = anchors[0] if anchors else None
    above = [line for line in lines if first is None or line.middle < first.middle]
    # Lines just above the first values may be the upper lines of its wrapped label.
    while first is not None and above and len(above[-1].pieces) == 1 and _is_near(above[-1], first, 1.7):
        above.pop()
    heads: list[list[Line]] = []
    for line in above:
        if heads and _is_near(heads[-1][-1], line, 1.5):
            heads[-1].append(line)
        else:
            heads.append([line])
    return heads


def _around(anchors: list[Line], lines: list[Line]) -> list[list[Line]]:
    """Each line with the nearest line of values: a label that is broken stands above and below its numbers."""
    rows: list[list[Line]] = [[] for _ in anchors]
    middles = [anchor.middle for anchor in anchors]
    for line in lines:
        nearest = min(range(len(anchors)), key=lambda index: abs(middles[index] - line.middle))
        rows[nearest].append(line)
    return rows


def _is_near(line: Line, below: Line, ems: float) -> bool:
    return below.middle - line.middle <= ems * max(line.size, below.size)


# --- columns ---------------------------------------------------------------------------------------------------


def _column_edges(rows: Sequence[Sequence[Line]], box: Box) -> list[float]:
    """Column edges: the middles of the gutters that nearly no row writes into."""
    intervals = [_merged([piece.box for line in row for piece in line.pieces]) for row in rows]
    intervals = [row for row in intervals if len(row) >= 2]
    if not intervals:
        return []
    steps: list[tuple[float, int]] = []
    for row in intervals:
        for start, end in row:
            steps += [(start, 1), (end, -1)]
    allowed = int(_CROSSING * len(intervals))
    gutters: list[tuple[float, float]] = []
    depth, opened = 0, box[0]
    for at, step in sorted(steps):
        before, depth = depth, depth + step
        if before <= allowed < depth:
            gutters.append((opened, at))
        elif depth <= allowed < before:
            opened = at
    inner = [(start + end) / 2 for start, end in gutters[1:] if end - start >= 1.5]
    return [box[0] - 1, *inner, box[2] + 1]


def _merged(boxes: Sequence[Box]) -> list[tuple[float, float]]:
    """The x intervals that the boxes cover."""
    merged: list[tuple[float, float]] = []
    for start, end in sorted((box[0], box[2]) for box in boxes):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _row_cells(number: int, lines: Sequence[Line], top: float, bottom: float, edges: Sequence[float]) -> list[GridCell]:
    """The cells of one row, empty ones included; a piece that crosses a gutter makes a cell of several columns."""
    spans: list[tuple[int, int, list[Glyph]]] = []
    for line in lines:
        for piece in line.pieces:
            for part in _cut(piece, edges):
                spans.append((*_columns_of(part, edges), list(part.glyphs)))
    spans.sort(key=lambda span: (span[0], span[1]))
    merged: list[tuple[int, int, list[Glyph]]] = []
    for first, last, glyphs in spans:
        if merged and first <= merged[-1][1]:
            before = merged.pop()
            merged.append((before[0], max(before[1], last), before[2] + glyphs))
        else:
            merged.append((first, last, glyphs))
    cells = [
        GridCell(number, first, 1, last - first + 1, (edges[first], top, edges[last + 1], bottom), glyphs)
        for first, last, glyphs in merged
    ]
    covered = {col for first, last, _ in merged for col in range(first, last + 1)}
    for col in range(len(edges) - 1):
        if col not in covered:
            cells.append(GridCell(number, col, 1, 1, (edges[col], top, edges[col + 1], bottom)))
    return sorted(cells, key=lambda cell: cell.col)


def _cut(piece: Piece, edges: Sequence[float]) -> list[Piece]:
    """``piece`` cut where a column edge falls into a gap between its glyphs."""
    groups: list[list[Glyph]] = [[piece.glyphs[0]]]
    for before, glyph in pairwise(piece.glyphs):
        edge = bisect.bisect_left(edges, (before.x0 + before.x1) / 2)
        crosses = edge < len(edges) and edges[edge] <= (glyph.x0 + glyph.x1) / 2
        if crosses and glyph.x0 - before.x1 >= _CUT_GAP * glyph.size:
            groups.append([])
        groups[-1].append(glyph)
    return [as_piece(group) for group in groups] if len(groups) > 1 else [piece]


def _columns_of(piece: Piece, edges: Sequence[float]) -> tuple[int, int]:
    """First and last column that a piece stands in; what juts out by half an em does not count."""
    slack = min(piece.glyphs[0].size / 2, (piece.box[2] - piece.box[0]) / 2 - 0.01)
    first = bisect.bisect_right(edges, piece.box[0] + slack) - 1
    last = bisect.bisect_left(edges, piece.box[2] - slack) - 1
    first = min(max(first, 0), len(edges) - 2)
    return first, min(max(last, first), len(edges) - 2)


# --- tables without rules --------------------------------------------------------------------------------------


def _regions(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """Stretches of lines that are likely a table (start, end)."""
    marked = [index for index, line in enumerate(lines) if _is_tabular(line)]
    groups: list[list[int]] = []
    for index in marked:
        if groups and _continues(lines, groups[-1][-1], index):
            groups[-1].append(index)
        else:
            groups.append([index])
    stop = 0
    for group in groups:
        if not _is_likely([lines[index] for index in group]):
            continue
        start = _with_heads(lines, group[0], stop)
        stop = _with_labels(lines, group[-1])
        yield start, stop


def _is_tabular(line: Line) -> bool:
    """Whether a line looks like a row: several values, or several short pieces apart."""
    if line.values >= 3:
        return True
    return len(line.pieces) >= 2 and all(len(piece.text) <= _SHORT for piece in line.pieces)


def _continues(lines: Sequence[Line], before: int, after: int) -> bool:
    """Whether two rows belong to one table: near each other, with nothing but wrapped labels between."""
    if lines[after].middle - lines[before].middle > _REACH * lines[after].size:
        return False
    left, right = lines[before].box[0], lines[before].box[2]
    return all(line.box[2] - line.box[0] < 0.6 * (right - left) for line in lines[before + 1 : after])


def _is_likely(rows: Sequence[Line]) -> bool:
    """Whether rows make a table: three with values in common columns, or one long row of values below heads."""
    valued = [row for row in rows if row.values]
    if any(row.values >= _MANY_VALUES for row in valued) and len(rows) >= 2:
        return True
    return len(rows) >= _MIN_ROWS and len(valued) >= 2 and _is_in_columns(valued)


def _is_in_columns(rows: Sequence[Line]) -> bool:
    """Whether most values stand below or above a value (or over a head) of another row."""
    aligned = total = 0
    for row in rows:
        for piece in (piece for piece in row.pieces if piece.is_value):
            total += 1
            middle = (piece.box[0] + piece.box[2]) / 2
            aligned += any(
                other.is_value and other.box[0] - row.size <= middle <= other.box[2] + row.size
                for line in rows
                if line is not row
                for other in line.pieces
            )
    return aligned >= 0.7 * total


def _with_heads(lines: Sequence[Line], first: int, stop: int) -> int:
    """The first line of the table whose first tabular line is ``first``: with the lines of its heads."""
    start = first
    for index in range(first - 1, stop - 1, -1):
        near = lines[start].middle - lines[index].middle <= _HEAD_REACH * lines[start].size
        if not near or not _is_tabular(lines[index]):
            break
        start = index
    return start


def _with_labels(lines: Sequence[Line], last: int) -> int:
    """The line after the table: short lines just below its last row are the rest of a wrapped label."""
    stop = last + 1
    width = lines[last].box[2] - lines[last].box[0]
    while (
        stop < len(lines)
        and lines[stop].middle - lines[stop - 1].middle <= 1.5 * lines[stop].size
        and lines[stop].box[2] - lines[stop].box[0] < 0.4 * width
    ):
        stop += 1
    return stop
