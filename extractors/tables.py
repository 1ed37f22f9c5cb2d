"""The tables of one page, from ruling lines, filled areas and glyphs: geometry only, no form, no file format.

In order of trust: grids that rules close; grids of separate boxes or of cell backgrounds; horizontal rules with
columns from the words; no rules at all. Coordinates are PDF points, top-left origin.
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from extractors.aligned import aligned_grid, borderless_grids
from extractors.glyphs import Glyph
from extractors.grids import (
    Centres,
    Drawing,
    Grid,
    Lattice,
    Rule,
    assign,
    build_lattice,
    components,
    lattice_grid,
    left_over,
    longest,
    merge_rules,
    take_overprint,
)
from extractors.gutters import Line, Seen, goes_on, heads_seen, lines_of
from extractors.report import Box

_EXTENT = 5.0  # horizontal rules whose ends differ by less belong to one table
_BAND = 34.0  # a band of a partly ruled table without verticals of its own (a caption) is not higher
_SPACING = 12.0  # separate boxes that stand apart by less are neighbours
_MIN_BOXES = 4  # fewer boxes side by side are no table
_MOST_BOXES = 3000  # a page with more is a drawing
_PROSE_SHARE = 0.55  # a line with one piece over more than this share of the width is prose
_LEADING = 1.35  # em; what a line of a cell takes
_PROSE_LENGTH = 20  # and of at least so many characters
_HEADING = 1.2  # a line so much larger than the rows is a heading
_MANY_HEADS = 3  # a page that ends with so many words side by side, and no value, ends with heads
_HEAD_LENGTH = 45  # characters of a head; the corner of the table of requests explains its sums in 34
_HEAD_STEP = 3.2  # em; the next line of heads is not farther below
_FOOT_LENGTH = 12  # characters of a page number with what stands around it
_MOST_FEET = 2  # lines below a table that goes on
_STACKED = 3  # so many values below each other in one cell, in two cells of a row, are rows without rules


def find_grids(drawing: Drawing, glyphs: Sequence[Glyph], above: Seen | None = None) -> tuple[list[Grid], list[Glyph]]:
    """The grids of a page, from top to bottom, and the glyphs that stand in none of them.

    ``above`` is what the page before showed of the columns of its last table (:func:`columns_below`): where a table
    without column rules goes on, its heads are there.
    """
    centres = Centres(glyphs)
    horizontal = longest(merge_rules(drawing.horizontal))
    vertical = longest(merge_rules(drawing.vertical))
    vertical = merge_rules([*vertical, *_missing_sides(horizontal, vertical)])
    lattices: list[Lattice] = []
    boxes: list[Box] = []
    loose: list[Rule] = []
    upright: list[Rule] = []
    for rows, cols in components(horizontal, vertical):
        lattice = build_lattice(rows, cols, centres)
        if lattice is not None and len(lattice.xs) >= 3:
            lattices.append(lattice)
        elif lattice is not None and len(lattice.ys) == 2:
            boxes.append((lattice.xs[0], lattice.ys[0], lattice.xs[-1], lattice.ys[-1]))
        else:
            loose.extend(rows)
            upright.extend([] if rows else cols)
    grids = [lattice_grid(lattice) for lattice in lattices]
    rest = assign(grids, glyphs)
    rest += [glyph for grid in grids for glyph in take_overprint(grid)]
    grids = [_with_rows(grid, lattice) for grid, lattice in zip(grids, lattices, strict=True)]
    boxed = _box_grids(boxes, grids, centres)
    rest = assign(boxed, rest)
    columned, rest = _columned_grids(upright, rest)
    banded, rest = _banded_grids(loose, rest, above)
    grids += boxed + columned + banded
    filled = _box_grids(drawing.fills, grids, centres)
    left = assign(filled, rest)
    # Backgrounds of heads alone are part of a table that its words must draw.
    if all(_has_values(grid) for grid in filled):
        grids += filled
        rest = left
    bare, rest = borderless_grids(rest, above, min((grid.box[1] for grid in grids), default=float("inf")))
    grids += bare
    grids = [grid for grid in grids if any(cell.glyphs for cell in grid.cells)]
    return sorted(grids, key=lambda grid: (grid.box[1], grid.box[0])), rest


def columns_below(grids: Sequence[Grid], rest: Sequence[Glyph]) -> Seen | None:
    """What a page shows of the columns of a table that may go on, below its heads or rows, on the next page.

    ``grids`` and ``rest`` are what :func:`find_grids` gives. None where text stands below the last table.
    """
    lines = lines_of(rest)
    bottom = max((grid.box[3] for grid in grids), default=0.0)
    below = [line for line in lines if line.middle > bottom]
    start = len(below) - (1 if below and _is_foot(below[-1]) else 0)
    end = start
    while start > 0 and _is_above(below[start - 1], below[start:end]):
        start -= 1
    heads = below[start:end]
    if any(len(line.pieces) >= _MANY_HEADS for line in heads):
        return heads_seen(heads)
    if len(below) > _MOST_FEET or not grids:
        return None
    return max(grids, key=lambda grid: grid.box[3]).seen


def _is_foot(line: Line) -> bool:
    return len(line.pieces) == 1 and len(line.pieces[0].text) <= _FOOT_LENGTH


def _is_above(line: Line, heads: Sequence[Line]) -> bool:
    """Whether a line may be part of the heads of which ``heads`` is the lower part."""
    if line.values or any(len(piece.text) > _HEAD_LENGTH for piece in line.pieces):
        return False
    return not heads or heads[0].middle - line.middle <= _HEAD_STEP * line.size


# --- partly ruled tables ---------------------------------------------------------------------------------------


def _missing_sides(horizontal: Sequence[Rule], vertical: Sequence[Rule]) -> list[Rule]:
    """Outer verticals for tables that have inner ones only: where three or more horizontals begin and end alike."""
    sides = []
    for group in _same_extent(horizontal):
        bands = list(pairwise(group))
        inner = [_is_crossed(upper, lower, vertical) for upper, lower in bands]
        if len(group) < 3 or not any(inner):
            continue
        for (upper, lower), crossed in zip(bands, inner, strict=True):
            if crossed or lower.at - upper.at <= _BAND:
                sides += [Rule(x, upper.at, lower.at) for x in (upper.start, upper.end)]
    return sides


def _same_extent(horizontal: Sequence[Rule]) -> list[list[Rule]]:
    """Horizontal rules in groups that begin and end at the same x, each from top to bottom."""
    groups: list[list[Rule]] = []
    for rule in horizontal:
        for group in groups:
            if abs(group[0].start - rule.start) <= _EXTENT and abs(group[0].end - rule.end) <= _EXTENT:
                group.append(rule)
                break
        else:
            groups.append([rule])
    return groups


def _is_crossed(upper: Rule, lower: Rule, vertical: Sequence[Rule]) -> bool:
    """Whether a vertical rule divides the band between two horizontal ones."""
    low = bisect.bisect_right(vertical, upper.start + _EXTENT, key=lambda rule: rule.at)
    for rule in vertical[low:]:
        if rule.at >= upper.end - _EXTENT:
            return False
        if min(rule.end, lower.at) - max(rule.start, upper.at) >= 0.6 * (lower.at - upper.at):
            return True
    return False


def _columned_grids(rules: Sequence[Rule], glyphs: list[Glyph]) -> tuple[list[Grid], list[Glyph]]:
    """Tables with vertical rules only, which may lack an outer one, and the glyphs that stand in none."""
    grids: list[Grid] = []
    ordered = sorted(glyphs, key=_middle)
    for group in _same_height(rules):
        top, bottom = min(rule.start for rule in group), max(rule.end for rule in group)
        columns = sorted({rule.at for rule in group})
        lines = lines_of(_inside((0.0, top, float("inf"), bottom), ordered))
        if len(columns) < 3 or sum(line.values > 0 for line in lines) < 2:
            continue
        left, right = min(line.box[0] for line in lines), max(line.box[2] for line in lines)
        outer = [x for x, is_out in ((left - 2, left < columns[0] - 1), (right + 2, right > columns[-1] + 1)) if is_out]
        xs = sorted([*columns, *outer])
        upright = {x: [rule for rule in group if rule.at == x] for x in xs}
        grid = aligned_grid(lines, (xs[0], top, xs[-1], bottom), (), xs, upright=upright)
        if grid is not None:
            grids.append(grid)
    return grids, left_over(grids, glyphs)


def _same_height(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Vertical rules in groups that stand side by side."""
    groups: list[list[Rule]] = []
    end = float("-inf")
    for rule in sorted(rules, key=lambda rule: rule.start):
        if rule.start < end:
            groups[-1].append(rule)
        else:
            groups.append([rule])
        end = max(end, rule.end)
    return groups


def _banded_grids(rules: Sequence[Rule], glyphs: list[Glyph], above: Seen | None) -> tuple[list[Grid], list[Glyph]]:
    """Tables with horizontal rules only, and the glyphs that stand in none."""
    grids: list[Grid] = []
    ordered = sorted(glyphs, key=_middle)
    runs = sorted((run for group in _nested(rules) for run in _runs(group, ordered)), key=lambda run: run[0].at)
    for number, run in enumerate(runs):
        box = (min(rule.start for rule in run), run[0].at, max(rule.end for rule in run), run[-1].at)
        lines = lines_of(_inside(box, ordered))
        if above is not None and not number:
            box = _with_top(box, lines, above, ordered)
            lines = lines_of(_inside(box, ordered))
        grid = aligned_grid(lines, box, run, above=None if number else above)
        if grid is not None and any(len(cell.glyphs) for cell in grid.cells if cell.col):
            grids.append(grid)
    return grids, left_over(grids, glyphs)


def _with_top(box: Box, lines: Sequence[Line], above: Seen, glyphs: Sequence[Glyph]) -> Box:
    """``box`` with the row above its first rule, where a table goes on: a page break draws no rule."""
    over = lines_of(_inside((box[0], 0.0, box[2], box[1]), glyphs))
    start = len(over)
    edge = box[1]
    while start > 0 and edge - over[start - 1].box[3] <= over[start - 1].size:
        start -= 1
        edge = over[start].box[1]
    row = over[start:]
    if not row or not goes_on([*row, *lines], above):
        return box
    return (box[0], edge - 1, box[2], box[3])


def _nested(rules: Sequence[Rule]) -> list[list[Rule]]:
    """Rules in groups of one extent, each from top to bottom; a merged cell interrupts a rule, so some are shorter."""
    groups: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda rule: rule.start - rule.end):
        for group in groups:
            if group[0].start - _EXTENT <= rule.start and rule.end <= group[0].end + _EXTENT:
                group.append(rule)
                break
        else:
            groups.append([rule])
    return [sorted(group) for group in groups]


def _runs(group: list[Rule], glyphs: Sequence[Glyph]) -> list[list[Rule]]:
    """Rules of one extent in stretches without prose between them, of three rules at least."""
    if len(group) < 3:
        return []
    left, right = min(rule.start for rule in group), max(rule.end for rule in group)
    usual = median(lower.at - upper.at for upper, lower in pairwise(group))
    bands = [lines_of(_inside((left, upper.at, right, lower.at), glyphs)) for upper, lower in pairwise(group)]
    size = median([line.size for lines in bands for line in lines] or [0.0])
    runs = [[group[0]]]
    for (upper, lower), lines in zip(pairwise(group), bands, strict=True):
        height = lower.at - upper.at
        headings = [line for line in lines if _is_heading(line, left, size)]
        if headings:
            # The table below may begin with a row that has no rule above it.
            low = headings[-1].box[3] + 1
            runs.append([Rule(low, left, right)] if any(line.middle > low for line in lines) else [])
        elif _is_prose(lines, right - left, height, height > 1.7 * usual):
            runs.append([])
        runs[-1].append(lower)
    return [run for run in runs if len(run) >= 3]


def _is_heading(line: Line, left: float, size: float) -> bool:
    """Whether a line is a heading between two tables: larger than their rows, and at the left margin."""
    indent = line.box[0] - left
    return not line.values and len(line.pieces) == 1 and line.size >= _HEADING * size and indent < 3 * line.size


def _is_prose(lines: Sequence[Line], width: float, height: float, is_high: bool) -> bool:
    """Whether what stands between two rules is not a row of a table."""
    if not lines:
        return is_high
    free = height - sum(_LEADING * line.size for line in lines)
    is_high = is_high and free > 1.5 * lines[0].size  # a tall row is full of text, a heading stands in white space
    single = [line for line in lines if len(line.pieces) == 1 and not line.values]
    wide = any(
        line.box[2] - line.box[0] > _PROSE_SHARE * width and len(line.pieces[0].text) >= _PROSE_LENGTH
        for line in single
    )
    return wide or (is_high and len(single) == len(lines))


def _inside(box: Box, glyphs: Sequence[Glyph]) -> list[Glyph]:
    """The glyphs with their centre in the box; ``glyphs`` are ordered by the y of their middle."""
    x0, top, x1, bottom = box
    first, last = (bisect.bisect_left(glyphs, y, key=_middle) for y in (top, bottom))
    return [glyph for glyph in glyphs[first:last] if x0 - 2 <= (glyph.x0 + glyph.x1) / 2 <= x1 + 2]


def _middle(glyph: Glyph) -> float:
    return (glyph.top + glyph.bottom) / 2


# --- rows without rules ----------------------------------------------------------------------------------------


def _with_rows(grid: Grid, lattice: Lattice) -> Grid:
    """``grid`` as it is, or with rows from baselines where only its columns are ruled."""
    stacked: dict[int, int] = {}
    for cell in grid.cells:
        if cell.rowspan == 1 and len(cell.glyphs) >= _STACKED:
            lines = lines_of(cell.glyphs)
            if len(lines) >= _STACKED and all(line.values == len(line.pieces) for line in lines) and _is_loose(lines):
                stacked[cell.row] = stacked.get(cell.row, 0) + 1
    if not any(count >= 2 for count in stacked.values()):
        return grid
    lines = lines_of([glyph for cell in grid.cells for glyph in cell.glyphs])
    inner = [rule._replace(at=y) for y in lattice.ys[1:-1] for rule in lattice.horizontal[y]]
    return aligned_grid(lines, grid.box, inner, lattice.xs) or grid


def _is_loose(lines: Sequence[Line]) -> bool:
    """Whether lines stand apart by more than a broken number's do."""
    return min(lower.middle - upper.middle for upper, lower in pairwise(lines)) > 1.1 * lines[0].size


# --- boxes and cell backgrounds --------------------------------------------------------------------------------


def _box_grids(areas: Sequence[Box], grids: Sequence[Grid], centres: Centres) -> list[Grid]:
    """Grids of separate rectangles side by side, outside every grid found before."""
    if len(areas) > _MOST_BOXES:
        return []
    free = [area for area in areas if not any(_overlap(area, grid.box) for grid in grids)]
    free = _innermost(free)
    if len(free) < _MIN_BOXES:
        return []
    horizontal = longest(merge_rules([Rule(y, box[0], box[2]) for box in free for y in (box[1], box[3])]))
    vertical = longest(merge_rules([Rule(x, box[1], box[3]) for box in free for x in (box[0], box[2])]))
    found = []
    for rows, cols in components(horizontal, vertical, _SPACING):
        lattice = build_lattice(rows, cols, centres, _SPACING)
        if lattice is None or len(lattice.xs) < 3 or len(lattice.ys) < 3:
            continue
        grid = lattice_grid(lattice)
        if len(grid.cells) >= _MIN_BOXES and len(grid.cells) > 1.5 * grid.rows and _has_columns(grid):
            found.append(grid)
    return found


def _has_values(grid: Grid) -> bool:
    """Whether at least two cells hold a value."""
    return sum(all(line.values for line in lines_of(cell.glyphs)) for cell in grid.cells if cell.glyphs) >= 2


def _has_columns(grid: Grid) -> bool:
    """Whether each column edge is that of several rows: backgrounds of words in prose end anywhere."""
    needed = min(3.0, max(2.0, 0.3 * grid.rows)) if grid.rows > 1 else 1.0
    uses = [0] * (grid.cols + 1)
    for cell in grid.cells:
        uses[cell.col] += cell.rowspan
        uses[cell.col + cell.colspan] += cell.rowspan
    return all(count >= needed for count in uses)


def _innermost(areas: Sequence[Box]) -> list[Box]:
    """``areas`` without those that frame another one (a table's own border or background)."""
    centres = sorted(((area[1] + area[3]) / 2, (area[0] + area[2]) / 2, _size(area)) for area in areas)
    kept = []
    for area in areas:
        low = bisect.bisect_left(centres, (area[1], float("-inf"), 0.0))
        high = bisect.bisect_right(centres, (area[3], float("inf"), 0.0))
        size = _size(area)
        if not any(area[0] < x < area[2] and other < 0.8 * size for _, x, other in centres[low:high]):
            kept.append(area)
    return kept


def _size(area: Box) -> float:
    return (area[2] - area[0]) * (area[3] - area[1])


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] - 1 and other[0] < one[2] - 1 and one[1] < other[3] - 1 and other[1] < one[3] - 1
