"""Tables that few or no rules draw: rows from baselines, columns from where the words of all rows leave room.

Geometry of one page, top-left origin, points. A caller gives what is known of the grid (the ys of horizontal
rules, the xs of vertical ones); the rest is inferred from the glyphs.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from extractors.document import union
from extractors.glyphs import Glyph, Piece, group_lines, pieces_of
from extractors.grids import Grid, Lattice, Rule, assign, lattice_grid
from extractors.report import Box

_CUT_GAP = 0.25  # em; a piece that crosses a gutter is cut there where its glyphs are at least so far apart
_REACH = 7.0  # em; lines with values that are farther apart belong to different tables
_HEAD_REACH = 3.2  # em; a head line stands no farther above the next line of the table
_SHORT = 24  # characters of a text in a row
_LABEL = 60  # characters of the first text in a row
_WRAPPED = 2.2  # em; lines of one wrapped text are never farther apart
_LABEL_COLUMNS = 3
_LARGER = 1.12  # a line of so much larger writing between two rows is a heading
_MOST_LINES = 400  # a page with more is a drawing
_INTERRUPTED = 5.0  # points; a rule that begins later than others by more is interrupted
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


def aligned_grid(lines: Sequence[Line], box: Box, rules: Sequence[Rule] = (), xs: Sequence[float] = ()) -> Grid | None:
    """The grid of ``lines`` in ``box``; ``rules`` and ``xs`` are what is ruled. None without two columns and rows."""
    inner = sorted({rule.at for rule in rules if box[1] + 1 < rule.at < box[3] - 1})
    bands = _bands(lines, [box[1], *inner, box[3]])
    rows = [row for band in bands for row in (_split_ruled(*band) if inner else _split_free(*band))]
    edges = list(xs) or _column_edges([row.lines for row in rows], box, _interrupted(rules, box))
    if len(edges) < 3 or len(rows) < 2:
        return None
    ys = [rows[0].top, *(row.bottom for row in rows)]
    horizontal = {y: [rule for rule in rules if rule.at == y] or [Rule(y, edges[0], edges[-1])] for y in ys[1:-1]}
    horizontal |= {y: [Rule(y, edges[0], edges[-1])] for y in (ys[0], ys[-1])}
    captions = not inner and _is_filled([row.lines for row in rows], len(edges) - 2)
    vertical = {
        x: [Rule(x, row.top, row.bottom) for row in rows if not _is_crossed(row.lines, x, captions)]
        for x in edges[1:-1]
    }
    vertical |= {x: [Rule(x, ys[0], ys[-1])] for x in (edges[0], edges[-1])}
    lattice = Lattice(edges, ys, horizontal, vertical)
    grid = lattice_grid(lattice, "aligned")
    assign([grid], [glyph for line in lines for piece in line.pieces for glyph in piece.glyphs])
    return grid


def borderless_grids(glyphs: Sequence[Glyph]) -> tuple[list[Grid], list[Glyph]]:
    """Tables without any rule among ``glyphs``, and the glyphs that stand in none."""
    lines = lines_of(glyphs)
    if len(lines) > _MOST_LINES:
        return [], list(glyphs)
    grids: list[Grid] = []
    taken: set[int] = set()
    for start, end in _regions(lines):
        members = lines[start:end]
        grid = aligned_grid(members, union([line.box for line in members]))
        if grid is not None:
            grids.append(grid)
            taken.update(id(glyph) for cell in grid.cells for glyph in cell.glyphs)
    return grids, [glyph for glyph in glyphs if id(glyph) not in taken]


# --- rows ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    """The lines of one row and its extent."""

    lines: list[Line]
    top: float
    bottom: float


def _bands(lines: Sequence[Line], ys: list[float]) -> list[tuple[list[Line], float, float]]:
    """The lines between each two neighbouring rules."""
    bands: list[tuple[list[Line], float, float]] = [([], top, bottom) for top, bottom in pairwise(ys)]
    for line in lines:
        position = min(max(bisect.bisect_right(ys, line.middle) - 1, 0), len(bands) - 1)
        bands[position][0].append(line)
    return bands


def _split_ruled(lines: list[Line], top: float, bottom: float) -> list[_Row]:
    """Rows of a band between two rules: one, or as many as it has lines with values."""
    most = max((line.values for line in lines), default=0)
    anchors = [[line] for line in lines if line.values and 2 * line.values >= most and len(line.pieces) > 1]
    if len(anchors) < 2:
        return [_Row(lines, top, bottom)]
    return _with_extent(_around(anchors, lines), top, bottom)


def _split_free(lines: list[Line], top: float, bottom: float) -> list[_Row]:
    """Rows of a table without horizontal rules: lines with several pieces, wrapped labels with the nearest."""
    reach = _pitch(lines)
    chains: list[list[Line]] = []
    for line in lines:
        if chains and line.middle - chains[-1][-1].middle <= reach:
            chains[-1].append(line)
        else:
            chains.append([line])
    rows: list[list[Line]] = []
    for chain in chains:
        anchors = _anchors(chain)
        rows += _around(anchors, chain, reach) if anchors else [chain]
    return _with_extent(sorted(rows, key=lambda row: median(line.middle for line in row)), top, bottom)


def _pitch(lines: Sequence[Line]) -> float:
    """The distance up to which two lines may be one wrapped text: a little more than the closest lines have."""
    steps = sorted(
        lower.middle - upper.middle for upper, lower in pairwise(lines) if lower.middle - upper.middle >= upper.size
    )
    if not steps:
        return 0.0
    size = max(line.size for line in lines)
    return min(1.15 * steps[len(steps) // 5], _WRAPPED * size)


def _anchors(chain: Sequence[Line]) -> list[list[Line]]:
    """The lines that are rows of their own; neighbouring lines of heads are one wrapped head."""
    anchors: list[list[Line]] = []
    first = min((piece.box[0] for line in chain for piece in line.pieces if piece.is_value), default=float("-inf"))
    for line in chain:
        if not line.values and (len(line.pieces) < 2 or line.box[2] <= first):
            continue
        if anchors and not line.values and not anchors[-1][-1].values:
            anchors[-1].append(line)
        else:
            anchors.append([line])
    return anchors


def _around(anchors: list[list[Line]], lines: Sequence[Line], reach: float = float("inf")) -> list[list[Line]]:
    """Each line with the nearest anchor: a label that is broken stands above and below its numbers.

    A line that continues no label there, or is out of ``reach``, is a row of its own (a caption, the label of a group).
    """
    rows = [list(anchor) for anchor in anchors]
    owned = {id(line) for anchor in anchors for line in anchor}
    middles = [sum(line.middle for line in anchor) / len(anchor) for anchor in anchors]
    rest = [line for line in lines if id(line) not in owned]
    if reach < float("inf"):
        captions = [line for line in rest if _is_caption(line, lines, middles, reach)]
        rows += [[line] for line in captions]
        rest = [line for line in rest if not any(line is caption for caption in captions)]
    for line in sorted(rest, key=lambda line: min(abs(middle - line.middle) for middle in middles)):
        nearest = min(range(len(anchors)), key=lambda index: abs(middles[index] - line.middle))
        near = min(abs(other.middle - line.middle) for other in rows[nearest]) <= reach
        if reach == float("inf") or (near and _is_label_of(line, rows[nearest])):
            rows[nearest].append(line)
        else:
            rows.append([line])
    return rows


def _is_caption(line: Line, lines: Sequence[Line], middles: Sequence[float], reach: float) -> bool:
    """Whether a line stands as far from the rows around it as these from each other, with no line opposite.

    The first line of a label that is broken below its numbers has a counterpart above them, or is set closer.
    """
    steps = [after - before for before, after in pairwise(sorted(middles))]
    nearest = min(middles, key=lambda middle: abs(middle - line.middle))
    distance = abs(line.middle - nearest)
    usual = min((step for step in steps if step > line.size), default=reach)
    if distance < 0.9 * usual:
        return False
    opposite = 2 * nearest - line.middle
    return not any(
        abs(other.middle - opposite) < 0.35 * line.size and len(other.pieces) == 1 and not other.values
        for other in lines
    )


def _is_label_of(line: Line, row: Sequence[Line]) -> bool:
    """Whether ``line`` stands above or below a text of ``row``, or in the place of the label that it lacks."""
    texts = [piece.box for other in row for piece in other.pieces if not piece.is_value]
    if any(text[0] < line.box[2] and line.box[0] < text[2] for text in texts):
        return True
    return line.box[2] <= min(other.box[0] for other in row)


def _with_extent(rows: list[list[Line]], top: float, bottom: float) -> list[_Row]:
    """Rows that meet in the middle between their lines."""
    edges = [top]
    for before, after in pairwise(rows):
        low, high = max(line.middle for line in before), min(line.middle for line in after)
        edges.append(max((low + high) / 2, edges[-1] + 0.1))
    edges.append(max(bottom, edges[-1] + 0.1))
    return [_Row(row, upper, lower) for row, (upper, lower) in zip(rows, pairwise(edges), strict=True)]


# --- columns ---------------------------------------------------------------------------------------------------


def _column_edges(rows: Sequence[Sequence[Line]], box: Box, starts: Sequence[float]) -> list[float]:
    """Column edges: between the columns of values, and before them between the labels of one row."""
    pieces = [piece for row in rows for line in row for piece in line.pieces]
    values = _merged([piece.box for piece in pieces if piece.is_value])
    if not values:
        return []
    heads = [part for piece in pieces if not piece.is_value for part in _parts(piece)]
    columns = _with_blank_columns(values, heads, _label_reach(rows))
    edges = [(before[1] + after[0]) / 2 for before, after in pairwise(columns)]
    labels = [[text for text in _row_boxes(row) if text[2] <= columns[0][0] + 1] for row in rows]
    if any(labels):
        reach = max(text[2] for row in labels for text in row)
        edges = [
            *(([start for start in starts if start < reach]) or _label_edges(labels)),
            (reach + columns[0][0]) / 2,
            *edges,
        ]
    return [box[0] - 1, *edges, box[2] + 1]


def _interrupted(rules: Sequence[Rule], box: Box) -> list[float]:
    """Where two rules or more begin late: a merged label stands before them, so a column begins there."""
    starts = sorted(rule.start for rule in rules if rule.start > box[0] + _INTERRUPTED)
    groups: list[list[float]] = []
    for start in starts:
        if groups and start - groups[-1][0] <= _INTERRUPTED:
            groups[-1].append(start)
        else:
            groups.append([start])
    return [group[0] for group in groups if len(group) >= 2]


def _label_reach(rows: Sequence[Sequence[Line]]) -> float:
    """How far to the right the labels of rows with values reach."""
    reach = float("-inf")
    for row in rows:
        pieces = [piece for line in row for piece in line.pieces]
        first = min((piece.box[0] for piece in pieces if piece.is_value), default=float("-inf"))
        reach = max([reach, *(piece.box[2] for piece in pieces if not piece.is_value and piece.box[2] <= first)])
    return reach


def _with_blank_columns(
    values: list[tuple[float, float]], heads: Sequence[Box], labels: float
) -> list[tuple[float, float]]:
    """The columns of values, as wide as their heads, and those that have a head and no value.

    The narrowest heads come first; one that reaches into a second column stands above several.
    """
    columns = list(values)
    for head in sorted(heads, key=lambda head: head[2] - head[0]):
        met = [column for column in columns if column[0] < head[2] and head[0] < column[1]]
        if len(met) > 1 or head[0] < labels - 1:
            continue
        for column in met:
            columns.remove(column)
        columns.append((min([head[0], *(column[0] for column in met)]), max([head[2], *(column[1] for column in met)])))
        columns.sort()
    return columns


def _parts(piece: Piece) -> list[Box]:
    """The boxes of the words of a piece: heads of neighbouring columns may nearly touch."""
    groups: list[list[Glyph]] = [[piece.glyphs[0]]]
    for before, glyph in pairwise(piece.glyphs):
        if glyph.x0 - before.x1 >= _CUT_GAP * glyph.size:
            groups.append([])
        groups[-1].append(glyph)
    return [union([glyph.box for glyph in group]) for group in groups]


def _label_edges(rows: Sequence[Sequence[Box]]) -> list[float]:
    """Edges between label columns: where the most rows with two labels or more leave a gap."""
    gaps = [(left[1], right[0]) for row in rows for left, right in pairwise(_merged(row)) if right[0] - left[1] > 0]
    edges: list[float] = []
    while len(gaps) >= 2 and len(edges) < _LABEL_COLUMNS:
        at = max((gap[1] for gap in gaps), key=lambda x: sum(start < x <= end for start, end in gaps))
        here = [gap for gap in gaps if gap[0] < at <= gap[1]]
        if len(here) < 2:
            break
        edges.append((max(start for start, _ in here) + min(end for _, end in here)) / 2)
        gaps = [gap for gap in gaps if gap not in here]
    return sorted(edges)


def _row_boxes(row: Sequence[Line]) -> list[Box]:
    return [piece.box for line in row for piece in line.pieces]


def _merged(boxes: Sequence[Box]) -> list[tuple[float, float]]:
    """The x intervals that the boxes cover."""
    merged: list[tuple[float, float]] = []
    for start, end in sorted((box[0], box[2]) for box in boxes):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _is_filled(rows: Sequence[Sequence[Line]], columns: int) -> bool:
    """Whether blank cells are printed as marks, so that a line with one text is a caption and no row of blanks."""
    counts = [sum(line.values for line in row) for row in rows]
    filled = [count for count in counts if count]
    return bool(filled) and (max(filled) == 1 or sum(2 * count >= columns for count in filled) >= 0.8 * len(filled))


def _is_crossed(lines: Sequence[Line], x: float, captions: bool) -> bool:
    """Whether a cell spans the column edge ``x``: a piece stands there without a gap, or the row is a caption."""
    if captions and len(lines) == 1 and len(lines[0].pieces) == 1 and not lines[0].values:
        return True
    for line in lines:
        for piece in line.pieces:
            if not piece.box[0] < x < piece.box[2]:
                continue
            centres = [(glyph.x0 + glyph.x1) / 2 for glyph in piece.glyphs]
            after = bisect.bisect_right(centres, x)
            if 0 < after < len(centres):
                gap = piece.glyphs[after].x0 - piece.glyphs[after - 1].x1
                if gap < _CUT_GAP * piece.glyphs[after].size:
                    return True
    return False


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
    first, *others = line.pieces
    return bool(others) and len(first.text) <= _LABEL and all(len(piece.text) <= _SHORT for piece in others)


def _continues(lines: Sequence[Line], before: int, after: int) -> bool:
    """Whether two rows belong to one table: near each other, with nothing but wrapped labels between."""
    if lines[after].middle - lines[before].middle > _REACH * lines[after].size:
        return False
    width = max(lines[index].box[2] - lines[index].box[0] for index in (before, after))
    size = min(lines[before].size, lines[after].size)
    between = lines[before + 1 : after]
    return all(line.box[2] - line.box[0] < 0.6 * width and line.size < _LARGER * size for line in between)


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
