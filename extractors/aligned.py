"""Tables that few or no rules draw: rows from baselines, columns from where the words of all rows leave room.

Geometry of one page, top-left origin, points. A caller gives what is known of the grid (the ys of horizontal
rules, the xs of vertical ones); the rest is inferred from the glyphs.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from extractors.document import union
from extractors.glyphs import Glyph, Piece, is_numbered
from extractors.grids import Grid, Lattice, Rule, assign, lattice_grid, left_over
from extractors.gutters import (
    CUT_GAP,
    Interval,
    Line,
    Seen,
    goes_on,
    has_heads,
    is_filled,
    is_free,
    lay_out,
    lines_of,
    part_values,
    repeats,
    value_places,
)
from extractors.report import Box

_REACH = 7.0  # em; lines with values that are farther apart belong to different tables
_STEP = 3.6  # em; the next row, or the next line of its label, is not farther below
_OVERLAP = 0.95  # em; lines nearer to each other stand side by side
_ROW_STEP = 0.8  # of the usual distance of two rows; what stands so far from any other row is one
_FOOT = 1  # lines at the foot of a page that belong to no table (a page number)
_HEAD_REACH = 3.2  # em; a head line stands no farther above the next line of the table
_SHORT = 24  # characters of a text in a row
_LABEL = 60  # characters of the first text in a row
_LEADING = 1.35  # em; the lines of one cell are not farther apart
_WRAPPED = 2.2  # em; lines of one wrapped text are never farther apart
_LARGER = 1.12  # a line of so much larger writing between two rows is a heading
_MOST_LINES = 400  # a page with more is a drawing
_INTERRUPTED = 5.0  # points; a rule that begins later than others by more is interrupted
_MIN_ROWS = 3
_MANY_HEADS = 4  # so many words side by side above a line of values are heads
_MANY_VALUES = 5  # so many values in one line, below heads, are a table of one row


def aligned_grid(
    lines: Sequence[Line],
    box: Box,
    rules: Sequence[Rule] = (),
    xs: Sequence[float] = (),
    above: Seen | None = None,
    upright: Mapping[float, list[Rule]] | None = None,
) -> Grid | None:
    """The grid of ``lines`` in ``box``; ``rules`` and ``xs`` are what is ruled. None without two columns and rows.

    ``upright`` holds the vertical rules at ``xs`` where these alone say which cells are merged.
    ``above`` is what the table showed of its columns on the page before. A row with a value whose column is not
    clear is one cell: whoever reads it sees that it holds several values; None where all columns are a guess.
    """
    lines = part_values(lines)
    layout = lay_out(lines, box, _interrupted(rules, box), above)
    if layout is not None and not layout.is_sure and not xs:
        return None
    inner = sorted({rule.at for rule in rules if box[1] + 1 < rule.at < box[3] - 1})
    bands = _bands(lines, [box[1], *inner, box[3]])
    items = _item_edge(xs, layout.first) if layout and xs else layout.items if layout else None
    rows = [row for band in bands for row in (_split_ruled(*band, items) if inner else _split_free(*band, items))]
    edges = list(xs) or (layout.edges if layout else [])
    if len(edges) < 3 or len(rows) < 2:
        return None
    unplaced = layout.unplaced if layout and not xs else frozenset()
    ys = [rows[0].top, *(row.bottom for row in rows)]
    horizontal = {y: [rule for rule in rules if rule.at == y] or [Rule(y, edges[0], edges[-1])] for y in ys[1:-1]}
    horizontal |= {y: [Rule(y, edges[0], edges[-1])] for y in (ys[0], ys[-1])}
    captions = not inner and is_filled([row.lines for row in rows], len(edges) - 2)
    whole = [any(id(line) in unplaced for line in row.lines) for row in rows]
    vertical = {
        x: [
            Rule(x, row.top, row.bottom)
            for row, is_one in zip(rows, whole, strict=True)
            if not is_one and not _is_crossed(row.lines, x, captions)
        ]
        for x in edges[1:-1]
    }
    vertical = dict(upright) if upright is not None else vertical
    vertical |= {x: [Rule(x, ys[0], ys[-1])] for x in (edges[0], edges[-1])}
    grid = lattice_grid(Lattice(edges, ys, horizontal, vertical), "aligned")
    assign([grid], [glyph for line in lines for piece in line.pieces for glyph in piece.glyphs])
    return replace(grid, seen=layout.seen) if layout else grid


def _item_edge(xs: Sequence[float], first: float) -> float | None:
    """The edge before the last label column, where the values begin at ``first``."""
    before = [x for x in xs if x < first]
    return before[-2] if len(before) > 2 else None


def borderless_grids(
    glyphs: Sequence[Glyph], above: Seen | None = None, limit: float = float("inf")
) -> tuple[list[Grid], list[Glyph]]:
    """Tables without any rule among ``glyphs``, and the glyphs that stand in none.

    ``above`` is what the page before showed of a table that may go on before ``limit``, where another one begins.
    """
    lines = lines_of(glyphs)
    if len(lines) > _MOST_LINES:
        return [], list(glyphs)
    grids: list[Grid] = []
    before = [line for line in lines if line.middle < limit]
    start, end = _continuation(before, above) if above is not None else (0, 0)
    regions = [(start, end, above)] if end else []
    regions += [(end + low, end + high, None) for low, high in _regions(lines[end:])]
    for low, high, seen in regions:
        members = lines[low:high]
        # A table that was cut in two has its heads above the first part.
        seen = seen or (grids[-1].seen if grids and not has_heads(members) else None)
        grid = aligned_grid(members, union([line.box for line in members]), above=seen)
        if grid is not None:
            grids.append(grid)
    return grids, left_over(grids, glyphs)


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


def _split_ruled(lines: list[Line], top: float, bottom: float, items: float | None) -> list[_Row]:
    """Rows of a band between two rules: one, or as many as it has lines with values."""
    most = max((line.values for line in lines), default=0)
    anchors = [line for line in lines if line.values and 2 * line.values >= most and len(line.pieces) > 1]
    if len(anchors) < 2:
        return [_Row(lines, top, bottom)]
    return _split_free(lines, top, bottom, items)


def _split_free(lines: list[Line], top: float, bottom: float, items: float | None) -> list[_Row]:
    """Rows of a table without horizontal rules: each around the label of its item, or around its values.

    The label of a group stands wherever the middle of its rows is: it makes no row and parts none.
    """
    loose = [line for line in lines if items is not None and line.box[2] <= items and not line.values]
    core = [line for line in lines if not any(line is other for other in loose)]
    alone = [line for line in loose if _stands_alone(line, core, items)]
    if alone:
        loose = [line for line in loose if not any(line is other for other in alone)]
        core = sorted([*core, *alone], key=lambda line: line.middle)
    if not core:
        return [_Row(lines, top, bottom)]
    reach = _pitch(core)
    chains = _chains(core, reach, items)
    is_gapped = len(chains) >= _MIN_ROWS and all(sum(line.values > 0 for line in chain) <= 1 for chain in chains)
    rows: list[list[Line]] = []
    for chain in chains:
        anchors = _anchors(chain)
        if (
            len(anchors) == 1
            and (is_gapped or _begins_item(chain[0], items))
            and any(line.values for line in anchors[0])
        ):
            rows.append(list(chain))
        else:
            rows += _around(anchors, chain, reach) if anchors else [chain]
    rows.sort(key=lambda row: median(line.middle for line in row))
    for line in loose:
        min(rows, key=lambda row: min(abs(other.middle - line.middle) for other in row)).append(line)
    return _with_extent(rows, top, bottom)


def _is_of_row(above: Line, line: Line, items: float | None) -> bool:
    """Whether a line is of the row above: the rest of its numbers, or its numbers beside the label of a group."""
    if _is_broken(above, line):
        return True
    beside = line.values > 0 and line.middle - above.middle < _OVERLAP * line.size
    return beside and items is not None and all(piece.is_value or piece.box[2] <= items for piece in line.pieces)


def _stands_alone(line: Line, core: Sequence[Line], items: float | None) -> bool:
    """Whether a numbered label in the place of group labels is that of a row: it stands as far from others as rows do.

    The label of a group stands beside its rows, or halfway between two of them.
    """
    starts = [other for other in core if _begins_item(other, items)]
    steps = sorted(below.middle - above.middle for above, below in pairwise(starts))
    if not steps or not is_numbered(line.pieces[0].text):
        return False
    return min(abs(other.middle - line.middle) for other in core) >= _ROW_STEP * steps[len(steps) // 4]


def _chains(lines: Sequence[Line], reach: float, items: float | None) -> list[list[Line]]:
    """Lines so near to each other that they may be one wrapped text; where a numbered label begins, a row does."""
    chains: list[list[Line]] = []
    for line in lines:
        near = chains and line.middle - chains[-1][-1].middle <= reach
        above = chains[-1][-1] if chains else None
        if above is not None and ((near and not _begins_item(line, items)) or _is_of_row(above, line, items)):
            chains[-1].append(line)
        else:
            chains.append([line])
    return chains


def _begins_item(line: Line, items: float | None) -> bool:
    """Whether the label of a row begins in ``line`` with a number, as those of numbered lists do."""
    labels = [piece for piece in line.pieces if not piece.is_value]
    # Behind the label there may be a unit, before it that of a group; a row that stands for a whole group has its
    # label where the others have that of their group.
    return bool(labels) and is_numbered(labels[0 if items is None else -1].text)


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
        if anchors and _belongs(line, anchors[-1][-1], chain):
            anchors[-1].append(line)
        else:
            anchors.append([line])
    return anchors


def _belongs(line: Line, above: Line, chain: Sequence[Line]) -> bool:
    """Whether a line is of one row with the line of heads or values above it."""
    are_heads = not line.values and not above.values and not _is_between(chain, above, line)
    return are_heads or _is_broken(above, line)


def _is_between(chain: Sequence[Line], above: Line, below: Line) -> bool:
    """Whether a label stands alone between two lines of heads: they are those of two tables."""
    return any(above.middle < line.middle < below.middle and line.box[2] <= below.pieces[1].box[0] for line in chain)


def _is_broken(above: Line, line: Line) -> bool:
    """Whether ``line`` holds the last digits of numbers that their narrow columns broke: below some, not all."""
    if line.middle - above.middle > _LEADING * line.size or line.values < len(line.pieces):
        return False
    over = [piece for piece in above.pieces if piece.is_value and len(piece.text) > 1 and piece.text.isdigit()]
    return len(line.pieces) < above.values and all(
        piece.text.isdigit() and any(_is_flush(piece.box, other.box) for other in over) for piece in line.pieces
    )


def _is_flush(box: Box, over: Box) -> bool:
    """Whether a box stands below a wider one, at its left or right edge or in its middle."""
    offsets = (box[0] - over[0], box[2] - over[2], (box[0] + box[2] - over[0] - over[2]) / 2)
    return over[0] - 1 <= box[0] and box[2] <= over[2] + 1 and min(abs(offset) for offset in offsets) < 1


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
        abs(other.middle - opposite) < 0.35 * line.size
        and len(other.pieces) == 1
        and not other.values
        and other.box[0] < line.box[2]
        and line.box[0] < other.box[2]
        for other in lines
    )


def _is_label_of(line: Line, row: Sequence[Line]) -> bool:
    """Whether ``line`` stands above or below a text of ``row``, or in the place of the label that it lacks."""
    texts = [piece.box for other in row for piece in other.pieces if not piece.is_value]
    if any(text[0] < line.box[2] and line.box[0] < text[2] for text in texts):
        return True
    return not any(piece.box[0] < line.box[2] and line.box[0] < piece.box[2] for other in row for piece in other.pieces)


def _with_extent(rows: list[list[Line]], top: float, bottom: float) -> list[_Row]:
    """Rows that meet in the middle between their lines."""
    edges = [top]
    for before, after in pairwise(rows):
        low, high = max(line.middle for line in before), min(line.middle for line in after)
        edges.append(max((low + high) / 2, edges[-1] + 0.1))
    edges.append(max(bottom, edges[-1] + 0.1))
    return [_Row(row, upper, lower) for row, (upper, lower) in zip(rows, pairwise(edges), strict=True)]


# --- columns ---------------------------------------------------------------------------------------------------


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


def _is_crossed(lines: Sequence[Line], x: float, captions: bool) -> bool:
    """Whether a cell spans the column edge ``x``: a piece stands there without a gap, or the row is a caption."""
    is_text = len(lines) == 1 and len(lines[0].pieces) == 1 and not lines[0].values
    if captions and is_text and not is_numbered(lines[0].pieces[0].text):
        return True
    for line in lines:
        for piece in line.pieces:
            if not piece.box[0] < x < piece.box[2]:
                continue
            centres = [(glyph.x0 + glyph.x1) / 2 for glyph in piece.glyphs]
            after = bisect.bisect_right(centres, x)
            if 0 < after < len(centres):
                gap = piece.glyphs[after].x0 - piece.glyphs[after - 1].x1
                if gap < CUT_GAP * piece.glyphs[after].size:
                    return True
    return False


# --- tables without rules --------------------------------------------------------------------------------------


def _regions(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """Stretches of lines that are likely a table (start, end)."""
    marked = [index for index, line in enumerate(lines) if _is_tabular(line)]
    groups: list[list[int]] = []
    for index in marked:
        if groups and _continues(lines, groups[-1], index):
            groups[-1].append(index)
        else:
            groups.append([index])
    stop = 0
    for group in groups:
        if not _is_likely([lines[index] for index in group]):
            continue
        start = _with_heads(lines, group[0], stop)
        stop = _with_labels(lines, group[-1], [(_first_value([lines[row] for row in group]), float("inf"))])
        yield start, stop


def _is_tabular(line: Line) -> bool:
    """Whether a line looks like a row: several values, or several short pieces apart."""
    if line.values >= 3:
        return True
    long = [piece for piece in line.pieces if len(piece.text) > _SHORT]
    if len(line.pieces) < 2 or any(len(piece.text) > _LABEL for piece in long):
        return False
    # The label comes first, or behind a serial number (序号).
    return not long or (len(long) == 1 and (long[0] is line.pieces[0] or line.pieces[0].is_value))


def _continuation(lines: Sequence[Line], above: Seen) -> tuple[int, int]:
    """The lines at the head of a page with which the table of the page before goes on; (0, 0) if there are none."""
    places = value_places(above, lines)
    start = next((index for index in range(len(lines)) if _is_row(lines, index)), None)
    if start is None or not places:
        return (0, 0)
    while start > 0 and _is_row_label(lines[start - 1], lines[start], places):
        start -= 1
    top = _with_heads(lines, start, 0)
    heads = [line for line in lines[top:start] if not line.values and not is_free(line, places)]
    if heads and not repeats(heads, above):
        return (0, 0)
    last, stop = start, start
    while stop < len(lines):
        line, before = lines[stop], lines[max(stop - 1, start)]
        if line.middle - before.middle > _STEP * before.size or line.size > _LARGER * before.size:
            break
        if not line.values and len(line.pieces) > 1 and not is_free(line, places):
            break
        if _is_row(lines, stop):
            last = stop
        stop += 1
    while last > start and not goes_on(lines[start : last + 1], above):
        last -= 1
    return (start, _with_labels(lines, last, places)) if goes_on(lines[start : last + 1], above) else (0, 0)


def _is_row(lines: Sequence[Line], index: int) -> bool:
    """Whether a line has a value and its label, or a value that a label broken in two stands around."""
    line = lines[index]
    if not line.values or len(line.pieces) > 1:
        return line.values > 0
    around = (*lines[max(index - 1, 0) : index], *lines[index + 1 : index + 2])
    return sum(not other.values and abs(other.middle - line.middle) <= line.size for other in around) == 2


def _is_row_label(line: Line, other: Line, places: Sequence[Interval]) -> bool:
    """Whether a line may be the label of a row without values, above or below another row."""
    near = abs(other.middle - line.middle) <= _STEP * other.size
    alike = abs(line.size - other.size) <= (_LARGER - 1) * other.size
    return near and alike and not line.values and is_free(line, places)


def _continues(lines: Sequence[Line], rows: Sequence[int], after: int) -> bool:
    """Whether a line is a row of the table that ``rows`` are of: near the last, with nothing but labels between."""
    before = rows[-1]
    between = lines[before + 1 : after]
    size = min(lines[before].size, lines[after].size)
    if any(line.size >= _LARGER * size for line in between):
        return False
    if lines[after].middle - lines[before].middle > _REACH * lines[after].size:
        first = _first_value([lines[row] for row in (*rows, after)])
        steps = [below.middle - line.middle for line, below in pairwise(lines[before : after + 1])]
        is_row = lines[after].values > 0 or lines[after].box[2] <= first
        are_labels = is_row and all(line.box[2] <= first for line in between)
        return are_labels and max(steps) <= _STEP * size
    width = max(lines[index].box[2] - lines[index].box[0] for index in (before, after))
    values = [piece.box for index in (before, after) for piece in lines[index].pieces if piece.is_value]
    return all(
        line.box[2] - line.box[0] < 0.6 * width
        or (len(values) > 1 and not any(box[0] < line.box[2] and line.box[0] < box[2] for box in values))
        for line in between
    )


def _is_likely(rows: Sequence[Line]) -> bool:
    """Whether rows make a table: three with values in common columns, or one long row of values below heads."""
    valued = [row for row in rows if row.values]
    if any(row.values >= _MANY_VALUES for row in valued) and len(rows) >= 2:
        return True
    if any(_is_under(row, rows[:index]) for index, row in enumerate(rows)):
        return True
    return len(rows) >= _MIN_ROWS and len(valued) >= 2 and _is_in_columns(valued)


def _is_under(row: Line, above: Sequence[Line]) -> bool:
    """Whether a line has a label and two values at least, or values only, and each stands below a head."""
    values = [piece for piece in row.pieces if piece.is_value]
    if len(values) < 2 or any(piece.box[0] > values[0].box[0] for piece in row.pieces if not piece.is_value):
        return False
    heads: list[Piece] = []
    low = row
    for line in reversed(above):
        if line.values or low.middle - line.middle > _HEAD_REACH * line.size:
            break
        heads += line.pieces
        low = line
    return len(heads) >= _MANY_HEADS and all(
        any(head.box[0] - row.size <= piece.box[0] and piece.box[2] <= head.box[2] + row.size for head in heads)
        for piece in values
    )


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


def _with_labels(lines: Sequence[Line], last: int, places: Sequence[Interval]) -> int:
    """The line after the table: short lines just below its last row are the rest of a wrapped label.

    Where nothing but labels, clear of the ``places`` of values, follows down to the end of the page or to a heading,
    they are rows without values.
    """
    stop = last + 1
    width = lines[last].box[2] - lines[last].box[0]
    while (
        stop < len(lines)
        and lines[stop].middle - lines[stop - 1].middle <= 1.5 * lines[stop].size
        and lines[stop].box[2] - lines[stop].box[0] < 0.4 * width
    ):
        stop += 1
    end = stop
    while end < len(lines) and _is_row_label(lines[end], lines[end - 1], places):
        end += 1
    is_end = end >= len(lines) - _FOOT or lines[end].size >= _LARGER * lines[last].size
    return end if is_end else stop


def _first_value(rows: Sequence[Line]) -> float:
    """Where the values of rows begin; minus infinity without values."""
    return min((piece.box[0] for row in rows for piece in row.pieces if piece.is_value), default=float("-inf"))
