"""Ruling lines of one page to grids of cells.

The chain: rules are snapped and joined, rules that touch make a component, a component becomes a lattice of the
unique rule positions, open ends of the lattice are closed, and slots between which no rule stands are one cell.
Coordinates are PDF points, top-left origin.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

from extractors.glyphs import NO_GAP, Glyph, is_double, turn_box
from extractors.gutters import Seen
from extractors.report import Box

_SNAP = 3.0  # rules nearer than this are one rule (double borders, borders drawn cell by cell)
_JOIN = 4.0  # gaps in a rule up to this are none (dashes, cell spacing)
_TOUCH = 4.0  # a rule that ends this near to another touches it
_SHORTEST = 5.0  # joined rules shorter than this are ornaments
_THIN = 5.0  # rows and columns thinner than this, and without a glyph, are the space between two borders
_COVERED = 0.6  # share of a slot's side that a rule must cover to close it
_CROWDED = 0.75  # em; two lines of one cell are not so near to each other
_NEIGHBOURHOOD = 4.0  # points; no two glyphs of one text stand in a square of this side, unless one doubles the other
_LONGEST_RULES = 800  # per direction and page; a page with more is a drawing, of which the longest are looked at


GridSource = Literal["ruled", "aligned"]


class Rule(NamedTuple):
    """A straight rule: its position across, and its extent. ``at`` is y for a horizontal one, x for a vertical."""

    at: float
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a page draws besides glyphs: rules of visible colour, and filled areas that are no rules."""

    horizontal: list[Rule] = field(default_factory=list)
    vertical: list[Rule] = field(default_factory=list)
    fills: list[Box] = field(default_factory=list)


@dataclass(slots=True)
class GridCell:
    """A cell: its place in the grid, its box and the glyphs that it holds."""

    row: int
    col: int
    rowspan: int
    colspan: int
    box: Box
    glyphs: list[Glyph] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of one page; ``cells`` ordered by row and column. ``seen``: its columns, where words drew them."""

    source: GridSource
    cells: list[GridCell]
    rows: int
    cols: int
    box: Box
    seen: Seen | None = None


# --- rules -----------------------------------------------------------------------------------------------------


def merge_rules(rules: Sequence[Rule]) -> list[Rule]:
    """Rules at nearly one position snapped to it, and those that nearly meet joined; ornaments dropped."""
    merged: list[Rule] = []
    for cluster in _clusters(sorted(rules)):
        at = sum(rule.at for rule in cluster) / len(cluster)
        cluster.sort(key=lambda rule: rule.start)
        start, end = cluster[0].start, cluster[0].end
        for rule in cluster[1:]:
            if rule.start - end <= _JOIN:
                end = max(end, rule.end)
                continue
            merged.append(Rule(at, start, end))
            start, end = rule.start, rule.end
        merged.append(Rule(at, start, end))
    return [rule for rule in merged if rule.end - rule.start >= _SHORTEST]


def components(
    horizontal: Sequence[Rule], vertical: Sequence[Rule], touch: float = _TOUCH
) -> list[tuple[list[Rule], list[Rule]]]:
    """Rules that touch each other, directly or through others: (horizontal, vertical) per component."""
    parents = list(range(len(horizontal) + len(vertical)))
    for column, rule in enumerate(vertical, start=len(horizontal)):
        low = bisect.bisect_left(horizontal, rule.start - touch, key=lambda other: other.at)
        for row in range(low, len(horizontal)):
            other = horizontal[row]
            if other.at > rule.end + touch:
                break
            if other.start - touch <= rule.at <= other.end + touch:
                parents[_root(parents, column)] = _root(parents, row)
    members: dict[int, tuple[list[Rule], list[Rule]]] = defaultdict(lambda: ([], []))
    for index, rule in enumerate([*horizontal, *vertical]):
        members[_root(parents, index)][index >= len(horizontal)].append(rule)
    return list(members.values())


def _clusters(rules: list[Rule]) -> list[list[Rule]]:
    """``rules``, sorted by position, in groups no wider than the snapping distance."""
    clusters: list[list[Rule]] = []
    for rule in rules:
        if clusters and rule.at - clusters[-1][0].at <= _SNAP:
            clusters[-1].append(rule)
        else:
            clusters.append([rule])
    return clusters


def longest(rules: list[Rule]) -> list[Rule]:
    """``rules``, or the longest of them where they are too many."""
    if len(rules) <= _LONGEST_RULES:
        return rules
    return sorted(sorted(rules, key=lambda rule: rule.start - rule.end)[:_LONGEST_RULES])


def _root(parents: list[int], node: int) -> int:
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


# --- lattice ---------------------------------------------------------------------------------------------------


class Centres:
    """The centres of a page's glyphs, for asking whether a band of the page holds any."""

    def __init__(self, glyphs: Sequence[Glyph]) -> None:
        visible = [glyph for glyph in glyphs if not glyph.text.isspace()]
        self._by_x = sorted(((g.x0 + g.x1) / 2, (g.top + g.bottom) / 2) for g in visible)
        self._by_y = sorted(((g.top + g.bottom) / 2, (g.x0 + g.x1) / 2) for g in visible)

    def in_columns(self, x0: float, x1: float, top: float, bottom: float) -> bool:
        """Whether a glyph stands in the box; quick where ``x0`` to ``x1`` is narrow."""
        return _any_between(self._by_x, x0, x1, top, bottom)

    def in_rows(self, x0: float, x1: float, top: float, bottom: float) -> bool:
        """Whether a glyph stands in the box; quick where ``top`` to ``bottom`` is narrow."""
        return _any_between(self._by_y, top, bottom, x0, x1)


@dataclass(frozen=True, slots=True)
class Lattice:
    """Unique rule positions, and the rules that stand on them."""

    xs: list[float]
    ys: list[float]
    horizontal: dict[float, list[Rule]]
    vertical: dict[float, list[Rule]]


def build_lattice(
    rows: Sequence[Rule], cols: Sequence[Rule], centres: Centres, thin: float = _THIN, together: float = _TOUCH
) -> Lattice | None:
    """The lattice of one component, its open ends closed and its double rules made one; None without a slot.

    ``together``: ends of horizontal rules so near to each other may have a missing outer rule in common.
    """
    if not rows or (not cols and len(rows) < 3):
        return None
    horizontal, vertical = _close_ends(list(rows), list(cols), centres)
    horizontal, vertical = _close_sides(horizontal, vertical, together)
    if len(horizontal) < 2 or len(vertical) < 2:
        return None
    left, right = min(rule.start for rule in horizontal), max(rule.end for rule in horizontal)
    top, bottom = min(rule.start for rule in vertical), max(rule.end for rule in vertical)
    xs = _positions(vertical, lambda x0, x1: centres.in_columns(x0, x1, top, bottom), thin)
    ys = _positions(horizontal, lambda y0, y1: centres.in_rows(left, right, y0, y1), thin)
    if len(xs) < 2 or len(ys) < 2:
        return None
    return Lattice(
        sorted(set(xs.values())), sorted(set(ys.values())), _by_position(horizontal, ys), _by_position(vertical, xs)
    )


def lattice_grid(lattice: Lattice, source: GridSource = "ruled") -> Grid:
    """The cells of a lattice: slots between which no rule stands are one.

    A region that is open on one side of the lattice is a cell whose outer rule is missing; one that is open on
    two sides or more lies outside the table.
    """
    owner, open_sides = _flood(lattice)
    rows, cols = len(lattice.ys) - 1, len(lattice.xs) - 1
    regions: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in range(rows):
        for col in range(cols):
            regions[owner[row * cols + col]].append((row, col))
    cells = [
        GridCell(row, col, bottom - row, right - col, _slot_box(lattice, row, col, bottom, right))
        for root, slots in regions.items()
        if len(open_sides[root]) <= 1
        for row, col, bottom, right in _rectangles(slots)
    ]
    cells.sort(key=lambda cell: (cell.row, cell.col))
    box = (lattice.xs[0], lattice.ys[0], lattice.xs[-1], lattice.ys[-1])
    return Grid(source, cells, rows, cols, box)


def _slot_box(lattice: Lattice, row: int, col: int, bottom: int, right: int) -> Box:
    return (lattice.xs[col], lattice.ys[row], lattice.xs[right], lattice.ys[bottom])


def _close_ends(rows: list[Rule], cols: list[Rule], centres: Centres) -> tuple[list[Rule], list[Rule]]:
    """A rule where two or more verticals run on beyond the last (or first) horizontal one and end together."""
    first, last = min(rule.at for rule in rows), max(rule.at for rule in rows)
    for ends, edge, sign in (([rule.end for rule in cols], last, 1), ([rule.start for rule in cols], first, -1)):
        beyond = [end for end in ends if (end - edge) * sign > _TOUCH]
        if len(beyond) < 2:
            continue
        far = max(beyond, key=lambda end: end * sign)
        together = [rule for rule, end in zip(cols, ends, strict=True) if abs(end - far) <= _SNAP]
        if len(together) < 2:
            continue
        left, right = min(rule.at for rule in together), max(rule.at for rule in together)
        if centres.in_rows(left, right, *sorted((edge, far))):
            rows.append(Rule(far, left, right))
    return sorted(rows), cols


def _close_sides(rows: list[Rule], cols: list[Rule], near: float) -> tuple[list[Rule], list[Rule]]:
    """A rule where three or more horizontals run on beyond the outer vertical and end at one x."""
    first = min((rule.at for rule in cols), default=float("inf"))
    last = max((rule.at for rule in cols), default=float("-inf"))
    for ends, edge, sign in (([rule.start for rule in rows], first, -1), ([rule.end for rule in rows], last, 1)):
        beyond = [end for end in ends if (end - edge) * sign > _TOUCH]
        if not beyond:
            continue
        far = max(beyond, key=lambda end: end * sign)
        together = [rule for rule, end in zip(rows, ends, strict=True) if abs(end - far) <= near]
        if len(together) >= 3 or (len(together) == 2 and len(rows) == 2 and len(cols) >= 2):
            cols.append(Rule(far, min(rule.at for rule in together), max(rule.at for rule in together)))
    return rows, sorted(cols)


def _positions(rules: Sequence[Rule], holds_glyph: Callable[[float, float], bool], thin: float) -> dict[float, float]:
    """The lattice position of each rule position: neighbours with nothing between them are one."""
    positions: dict[float, float] = {}
    kept = float("-inf")
    for at in sorted({rule.at for rule in rules}):
        if at - kept > thin or (at - kept > _SNAP and holds_glyph(kept, at)):
            kept = at
        positions[at] = kept
    return positions


def _by_position(rules: Sequence[Rule], positions: dict[float, float]) -> dict[float, list[Rule]]:
    grouped: dict[float, list[Rule]] = defaultdict(list)
    for rule in rules:
        grouped[positions[rule.at]].append(rule)
    return grouped


def _flood(lattice: Lattice) -> tuple[list[int], dict[int, set[str]]]:
    """The owner of each slot (row by row), one per region, and the sides of the lattice to which each is open."""
    rows, cols = len(lattice.ys) - 1, len(lattice.xs) - 1
    parents = list(range(rows * cols))
    openings: list[tuple[int, str]] = []
    for col, (left, right) in enumerate(pairwise(lattice.xs)):
        for line, y in enumerate(lattice.ys):
            if _covers(lattice.horizontal[y], left, right):
                continue
            if 0 < line < rows:
                parents[_root(parents, (line - 1) * cols + col)] = _root(parents, line * cols + col)
            else:
                openings.append((max(line - 1, 0) * cols + col, "bottom" if line else "top"))
    for row, (top, bottom) in enumerate(pairwise(lattice.ys)):
        for line, x in enumerate(lattice.xs):
            if _covers(lattice.vertical[x], top, bottom):
                continue
            if 0 < line < cols:
                parents[_root(parents, row * cols + line - 1)] = _root(parents, row * cols + line)
            else:
                openings.append((row * cols + max(line - 1, 0), "right" if line else "left"))
    sides: dict[int, set[str]] = defaultdict(set)
    for slot, side in openings:
        sides[_root(parents, slot)].add(side)
    return [_root(parents, node) for node in range(rows * cols)], sides


def _covers(rules: Sequence[Rule], start: float, end: float) -> bool:
    covered = sum(max(0.0, min(rule.end, end) - max(rule.start, start)) for rule in rules)
    return covered >= _COVERED * (end - start)


def _rectangles(slots: list[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """``slots`` of one region as (row, col, bottom, right) rectangles, as few as reading order gives."""
    free = set(slots)
    rectangles = []
    for row, col in sorted(slots):
        if (row, col) not in free:
            continue
        right = col
        while (row, right) in free:
            right += 1
        bottom = row + 1
        while all((bottom, column) in free for column in range(col, right)):
            bottom += 1
        free -= {(line, column) for line in range(row, bottom) for column in range(col, right)}
        rectangles.append((row, col, bottom, right))
    return rectangles


def _any_between(points: list[tuple[float, float]], low: float, high: float, start: float, end: float) -> bool:
    first = bisect.bisect_left(points, (low, float("-inf")))
    for position, across in points[first:]:
        if position > high:
            return False
        if start <= across <= end:
            return True
    return False


def turn_drawing(drawing: Drawing, turn: int) -> Drawing:
    """``drawing`` in the frame in which writing with ``turn`` runs from left to right."""
    turned = Drawing(fills=[turn_box(fill, turn) for fill in drawing.fills])
    boxes = [(rule.start, rule.at, rule.end, rule.at) for rule in drawing.horizontal]
    boxes += [(rule.at, rule.start, rule.at, rule.end) for rule in drawing.vertical]
    for box in boxes:
        x0, top, x1, bottom = turn_box(box, turn)
        if bottom - top <= x1 - x0:
            turned.horizontal.append(Rule(top, x0, x1))
        else:
            turned.vertical.append(Rule(x0, top, bottom))
    return turned


# --- glyphs to cells -------------------------------------------------------------------------------------------


def assign(grids: Sequence[Grid], glyphs: Sequence[Glyph]) -> list[Glyph]:
    """Put each glyph into the cell that holds its centre; the rest is returned.

    A number that is wider than its cell goes as a whole where its middle stands.
    """
    locators = [_Locator(grid) for grid in grids]
    rest: list[Glyph] = []
    if not locators:
        return list(glyphs)
    for run in _number_runs(glyphs):
        places = [_place(locators, glyph) for glyph in run]
        if len(run) > 1 and any(place is not places[0] for place in places):
            middle = run[0]._replace(x1=run[-1].x1)
            places = [_place(locators, middle)] * len(run)
        for glyph, place in zip(run, places, strict=True):
            (rest if place is None else place.glyphs).append(glyph)
    return rest


def take_overprint(grid: Grid) -> list[Glyph]:
    """Take a line of text that is printed across the rows of a grid (a running head) out of its cells.

    It betrays itself where it stands too near to the line of a cell to be the next one, and runs on over a column
    rule without a gap.
    """
    crowded: set[tuple[float, float]] = set()
    for cell in grid.cells:
        lines = sorted({_line_of(glyph) for glyph in cell.glyphs if not glyph.text.isspace() and glyph.turn == 0})
        for upper, lower in pairwise(lines):
            if NO_GAP * upper[1] < lower[0] - upper[0] < _CROWDED * min(upper[1], lower[1]):
                crowded |= {upper, lower}
    across = {line for line in crowded if _runs_across(grid, line)}
    taken: list[Glyph] = []
    for cell in grid.cells if across else ():
        taken += [glyph for glyph in cell.glyphs if _line_of(glyph) in across]
        cell.glyphs = [glyph for glyph in cell.glyphs if _line_of(glyph) not in across]
    return taken


def _line_of(glyph: Glyph) -> tuple[float, float]:
    """Where a glyph's line stands, and its size."""
    return (round(glyph.bottom, 1), round(glyph.size, 1))


def _runs_across(grid: Grid, line: tuple[float, float]) -> bool:
    """Whether the glyphs of a line follow each other over two column rules at least."""
    members = [
        (glyph.x0, glyph.x1, cell.col) for cell in grid.cells for glyph in cell.glyphs if _line_of(glyph) == line
    ]
    members.sort()
    steps = [after[2] != before[2] and after[0] - before[1] < 0.3 * line[1] for before, after in pairwise(members)]
    return sum(steps) >= 2


def left_over(grids: Sequence[Grid], glyphs: Sequence[Glyph]) -> list[Glyph]:
    """The glyphs that no cell holds, without those that only double one of a cell to look bold."""
    taken = [glyph for grid in grids for cell in grid.cells for glyph in cell.glyphs]
    if not taken:
        return list(glyphs)
    identities = {id(glyph) for glyph in taken}
    places: dict[tuple[str, int, int], Glyph] = {_place_of(glyph): glyph for glyph in taken}
    return [glyph for glyph in glyphs if id(glyph) not in identities and not _is_doubled(glyph, places)]


def _place_of(glyph: Glyph) -> tuple[str, int, int]:
    return (glyph.text, int(glyph.x0 // _NEIGHBOURHOOD), int(glyph.top // _NEIGHBOURHOOD))


def _is_doubled(glyph: Glyph, places: dict[tuple[str, int, int], Glyph]) -> bool:
    text, column, row = _place_of(glyph)
    around = ((text, column + right, row + down) for right in (-1, 0, 1) for down in (-1, 0, 1))
    return any(is_double(glyph, places[place]) for place in around if place in places)


def _number_runs(glyphs: Sequence[Glyph]) -> Iterator[list[Glyph]]:
    """Digits drawn one after the other without any gap together, all other glyphs alone."""
    run: list[Glyph] = []
    for glyph in glyphs:
        if run and not (
            glyph.text.isdigit()
            and run[-1].text.isdigit()
            and abs(glyph.x0 - run[-1].x1) <= NO_GAP * glyph.size
            and glyph.bottom == run[-1].bottom
        ):
            yield run
            run = []
        run.append(glyph)
    if run:
        yield run


def _place(locators: Sequence[_Locator], glyph: Glyph) -> GridCell | None:
    if glyph.turn < 0:
        return None
    x, y = (glyph.x0 + glyph.x1) / 2, (glyph.top + glyph.bottom) / 2
    for locator in locators:
        cell = locator.find(x, y)
        if cell is not None:
            return cell
    return None


class _Locator:
    """Finds the cell of a grid at a point in logarithmic time."""

    def __init__(self, grid: Grid) -> None:
        self._box = grid.box
        self._xs = sorted({edge for cell in grid.cells for edge in (cell.box[0], cell.box[2])})
        self._ys = sorted({edge for cell in grid.cells for edge in (cell.box[1], cell.box[3])})
        self._slots: dict[tuple[int, int], GridCell] = {}
        for cell in grid.cells:
            left, right = (bisect.bisect_left(self._xs, edge) for edge in (cell.box[0], cell.box[2]))
            top, bottom = (bisect.bisect_left(self._ys, edge) for edge in (cell.box[1], cell.box[3]))
            for row in range(top, bottom):
                for col in range(left, right):
                    self._slots[row, col] = cell

    def find(self, x: float, y: float) -> GridCell | None:
        left, top, right, bottom = self._box
        if not (left <= x <= right and top <= y <= bottom):
            return None
        return self._slots.get((bisect.bisect_right(self._ys, y) - 1, bisect.bisect_right(self._xs, x) - 1))
