"""Wide tables without upright rules in a scan: columns from the places of their values, rows around their lines.

Labels stand higher and lower than the values of their row, so lines of writing say little about rows here. The
values say it all: they stand below each other in columns and beside each other in rows, and what stands left of the
first column is labels. Works in units of a tenth of the em.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from extractors.document import union
from extractors.glyphs import is_numbered
from extractors.grids import Rule
from extractors.report import Box

_LEVEL = 3.5  # units; the middles of neighbouring values of one row differ by less
_WIDE = 5  # columns; narrower tables leave little room for error and are found by their words
_FULL_ROWS = 3  # rows with a value in every column, or so many that no column is missed by chance
_ASIDE = 5.0  # units; so far beside the others of its column a value may stand
_LOWEST_ROW = 9.0  # units
_LONE_ROW = 16.0  # units; the height of a row without neighbours
_SINGLE = 10  # columns; so many values, evenly apart, are a row even alone
_INSIDE = 0.85  # share of the values that stand in the columns
_MOST_PITCH = 1.6  # of the usual distance of columns; a wider one may hide a column without values
_EVEN_PITCH = 1.3  # the same of a row alone, in which two values may have been taken for one
_EVEN_HEADS = 1.5  # the widest step from head to head is at most so many times the narrowest
_HEAD_WIDTH = 60.0  # units; wider ones stand above several columns
_HEAD_STEP = 25.0  # units; lines of heads are not farther apart
_STEP = 60.0  # units; rows of one table are not farther apart
_RULED = 0.4  # share of the width of the values that a broken rule between two rows still has
_SAME_RULE = 4.0  # units
_REMNANT = 4.0  # units; what is left of a rule is lower
_ON_RULE = 3.0  # units
_LEADING = 19.0  # units; lines of one label are not farther apart
_BESIDE = 9.0  # units; a label whose middle is so near to that of another stands beside it
_WORD_COLUMNS = 1.2  # columns; writing that is wider is no value
_SAME_START = 4.0  # units; labels of one column begin as near to each other
_CUT_NEAR = 30.0  # units; the number of a row stands so near to where its label begins
_NUMBERS = 3  # labels that begin with a number; fewer say nothing about those that do not
# What a reading of the labels costs, in em of distance between a label and its values.
_LOST_LABEL = 1.2  # a row of values without a label
_BLANK_ROW = 0.8  # a label without values
_UNNUMBERED = 0.5  # a row whose label has no number where others have
_NUMBER_WITHIN = 1.5  # a number within a label
_MOST_LINES = 6  # of one label
_MOST_PAIRS = 20_000  # lines of labels times rows of values; a page with more is no table of a form


@dataclass(frozen=True, slots=True)
class Written:
    """A piece of a line as read: its box, its text, and whether this is a value."""

    box: Box
    text: str
    is_value: bool

    @property
    def middle(self) -> float:
        """The y of its middle."""
        return (self.box[1] + self.box[3]) / 2


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A row: its extent, its label and that of the group beside it, each as pieces in reading order."""

    top: float
    bottom: float
    label: tuple[Written, ...]
    group: tuple[Written, ...]


@dataclass(frozen=True, slots=True)
class ColumnTable:
    """A table: ``edges`` are those of its columns of values; labels stand left of the first."""

    edges: tuple[float, ...]
    left: float
    rows: tuple[ColumnRow, ...]

    @property
    def box(self) -> Box:
        """Around labels and values."""
        return (self.left, self.rows[0].top, self.edges[-1], self.rows[-1].bottom)


def column_tables(pieces: Sequence[Written], rules: Sequence[Rule]) -> list[ColumnTable]:
    """The tables of which several rows show every column; ``rules`` are level ones, or what a scan left of them."""
    pieces = [piece for piece in pieces if not _is_of_rule(piece, rules)]
    rows = [_behind_words(row, pieces) for row in _value_rows(piece for piece in pieces if piece.is_value)]
    tables = []
    for group in _stretches([row for row in rows if len(row) >= _WIDE]):
        columns = _columns(group)
        if columns:
            table = _table(columns, group, pieces, rules)
            if table is not None:
                tables.append(table)
    rest = [row for row in rows if not any(table.box[1] < _middle(row) < table.box[3] for table in tables)]
    for group in _runs(rest):
        columns = _headed_columns(group, pieces)
        table = _table(columns, group, pieces, rules) if columns else None
        if table is not None:
            tables.append(table)
    return tables


# --- values ----------------------------------------------------------------------------------------------------


def _value_rows(values: Iterable[Written]) -> list[list[Written]]:
    """Values beside each other, from left to right: paper that is not flat lets a row climb or fall on its way."""
    rows: list[list[Written]] = []
    for value in sorted(values, key=lambda value: value.box[0]):
        ends = [(abs(row[-1].middle - value.middle), number) for number, row in enumerate(rows)]
        nearest = min(ends, default=(_LEVEL, 0))
        if nearest[0] < _LEVEL:
            rows[nearest[1]].append(value)
        else:
            rows.append([value])
    return sorted(rows, key=_middle)


def _is_of_rule(piece: Written, rules: Sequence[Rule]) -> bool:
    """Whether a low piece stands where a rule runs or would go on."""
    return piece.box[3] - piece.box[1] <= _REMNANT and any(abs(rule.at - piece.middle) <= _ON_RULE for rule in rules)


def _behind_words(row: list[Written], pieces: Sequence[Written]) -> list[Written]:
    """The values of a row behind its label: what stands before it is a serial number, a hole or dirt."""
    labels = [piece.box[0] for piece in pieces if not piece.is_value and abs(piece.middle - _middle(row)) <= 2 * _LEVEL]
    return [value for value in row if not any(value.box[2] <= label < row[-1].box[0] for label in labels)]


def _middle(row: Sequence[Written]) -> float:
    return median(value.middle for value in row)


def _stretches(rows: Sequence[list[Written]]) -> list[list[list[Written]]]:
    """Rows that follow each other and whose values stand in common columns."""
    groups: list[list[list[Written]]] = []
    for row in rows:
        if groups and _middle(row) - _middle(groups[-1][-1]) <= 2 * _STEP and _is_below(row, groups[-1]):
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _is_below(row: Sequence[Written], rows: Sequence[Sequence[Written]]) -> bool:
    """Whether most values of a row stand below one of the rows above."""
    boxes = [value.box for other in rows[-_FULL_ROWS:] for value in other]
    under = sum(any(box[0] < value.box[2] and value.box[0] < box[2] for box in boxes) for value in row)
    return under >= 0.6 * len(row)


def _columns(rows: Sequence[Sequence[Written]]) -> list[tuple[float, float]]:
    """The columns (from, to) in which the values stand; none where one may be missed, or two be one.

    They are those of the rows with the most values, if several rows show them: what a seal adds to a row or takes
    from it, others do not have.
    """
    for count in sorted({len(row) for row in rows if len(row) >= _WIDE}, reverse=True):
        full = _alike([row for row in rows if len(row) == count])
        if len(full) < _FULL_ROWS and not (len(rows) == 1 and count >= _SINGLE):
            continue
        columns = [
            (min(value.box[0] for value in values), max(value.box[2] for value in values))
            for values in zip(*full, strict=True)
        ]
        parted = all(before[1] < after[0] for before, after in pairwise(columns))
        steps = [(after[0] + after[1] - before[0] - before[1]) / 2 for before, after in pairwise(columns)]
        most = _MOST_PITCH if len(full) > 1 else _EVEN_PITCH
        if not parted or max(steps) > most * median(steps):
            return []
        inside = [sum(_is_within(value, columns) for value in row) for row in rows]
        return columns if sum(inside) >= _INSIDE * sum(map(len, rows)) else []
    return []


def _alike(rows: Sequence[Sequence[Written]]) -> list[Sequence[Written]]:
    """The rows of which each value stands below or above the one in the same place of a usual row."""
    if not rows:
        return []
    usual = [
        (median(value.box[0] for value in values), median(value.box[2] for value in values))
        for values in zip(*rows, strict=True)
    ]
    return [
        row
        for row in rows
        if all(value.box[0] < end and start < value.box[2] for value, (start, end) in zip(row, usual, strict=True))
    ]


def _is_within(value: Written, columns: Sequence[tuple[float, float]]) -> bool:
    return any(value.box[0] < end and start < value.box[2] for start, end in columns)


# --- columns that few values show ------------------------------------------------------------------------------


def _runs(rows: Sequence[list[Written]]) -> list[list[list[Written]]]:
    """Rows with any values that follow each other closely."""
    runs: list[list[list[Written]]] = []
    for row in rows:
        if runs and _middle(row) - _middle(runs[-1][-1]) <= _STEP:
            runs[-1].append(row)
        else:
            runs.append([row])
    return [run for run in runs if len(run) >= _FULL_ROWS]


def _headed_columns(rows: Sequence[Sequence[Written]], pieces: Sequence[Written]) -> list[tuple[float, float]]:
    """The columns that heads show above rows most of whose cells are empty; none unless each value has its head."""
    top, bottom = _middle(rows[0]), _middle(rows[-1])
    start = min(value.box[0] for row in rows for value in row)
    beside = [piece for piece in pieces if not piece.is_value and top - _LEVEL < piece.middle < bottom + _LEVEL]
    reach = max((piece.box[2] for piece in beside if piece.box[2] <= start), default=float("inf"))
    above = [piece for piece in pieces if not piece.is_value and piece.box[0] > reach and piece.middle < top]
    columns = _heads(above, top)
    steps = [(after[0] + after[1] - before[0] - before[1]) / 2 for before, after in pairwise(columns)]
    if len(columns) < _WIDE or max(steps) > _EVEN_HEADS * min(steps):
        return []
    placed = [[value for value in row if _is_within(value, [column])] for column in columns for row in rows]
    if sum(map(len, placed)) != sum(map(len, rows)) or any(len(found) > 1 for found in placed):
        return []
    return [
        (min([column[0], *(value.box[0] for value in own)]), max([column[1], *(value.box[2] for value in own)]))
        for column in columns
        for own in [[value for row in rows for value in row if _is_within(value, [column])]]
    ]


def _heads(above: Sequence[Written], top: float) -> list[tuple[float, float]]:
    """From where to where the heads of columns stand whose lines end at ``top``.

    Heads are narrow; what is wider stands above several of them, or is several of them that nearly touch.
    """
    columns: list[tuple[float, float]] = []
    narrow: list[Written] = []
    wide: list[Written] = []
    lowest = top
    for piece in sorted(above, key=lambda piece: -piece.box[3]):
        if lowest - piece.box[3] > _HEAD_STEP:
            break
        met = [column for column in columns if column[0] < piece.box[2] and piece.box[0] < column[1]]
        if len(met) > 1 or piece.box[2] - piece.box[0] > _HEAD_WIDTH:
            wide.append(piece)
            continue
        lowest = min(lowest, piece.box[1])
        narrow.append(piece)
        columns = [column for column in columns if column not in met]
        columns.append((min([piece.box[0], *(at for at, _ in met)]), max([piece.box[2], *(at for _, at in met)])))
    touching = [piece for piece in wide if any(abs(piece.middle - head.middle) <= _BESIDE for head in narrow)]
    return _with_touching(sorted(columns), touching)


def _with_touching(columns: Sequence[tuple[float, float]], wide: Sequence[Written]) -> list[tuple[float, float]]:
    """The columns of heads, with those of heads that were read as one piece: as many as fit where it stands."""
    middles = [(start + end) / 2 for start, end in columns]
    pitch = min((after - before for before, after in pairwise(middles)), default=0.0)
    found = [*columns[:1]]
    for (before, after), column in zip(pairwise(middles), columns[1:], strict=True):
        count = round((after - before) / pitch)
        step = (after - before) / count
        for number in range(1, count):
            middle = before + step * number
            if not any(piece.box[0] < middle < piece.box[2] for piece in wide):
                return list(columns)
            found.append((middle - step / 4, middle + step / 4))
        found.append(column)
    return found


# --- the table -------------------------------------------------------------------------------------------------


def _table(
    columns: Sequence[tuple[float, float]],
    full: Sequence[Sequence[Written]],
    pieces: Sequence[Written],
    rules: Sequence[Rule],
) -> ColumnTable | None:
    pitch = median((after[0] + after[1] - before[0] - before[1]) / 2 for before, after in pairwise(columns))
    inner = [(before[1] + after[0]) / 2 for before, after in pairwise(columns)]
    first, last = columns[0][0], columns[-1][1]
    labels = [piece for piece in pieces if not piece.is_value and piece.box[2] <= first + 2]
    # Numbers break out of a column to the left, and labels reach up to them.
    reach = max((piece.box[2] for piece in labels if piece.box[2] < first), default=first - 20)
    edges = (max((reach + first) / 2, first - pitch), *inner, last + min(5.0, pitch / 2))
    inside = [piece for piece in pieces if (piece.box[0] + piece.box[2]) / 2 > edges[0] and piece.box[0] < edges[-1]]
    words = [piece for piece in inside if not piece.is_value and piece.box[2] - piece.box[0] > _WORD_COLUMNS * pitch]
    top, bottom = _extent(full, [*words, *_across(pieces, edges)])
    values = _value_rows(piece for piece in inside if piece.is_value and top < piece.middle < bottom)
    values = _connected(_placed(values, columns), full)
    if not values:
        return None
    heads = [piece for piece in inside if not piece.is_value and _looks_like_words(piece)]
    top, bottom = _extent(values, [*words, *heads, *_across(pieces, edges)])
    lines = sorted(
        (piece for piece in labels if top < piece.middle < bottom), key=lambda piece: (piece.middle, piece.box[0])
    )
    parts = [(rule.at, rule.start, rule.end) for rule in rules if top < rule.at < bottom]
    separators = _separators(parts, (edges[0], edges[-1]))
    lines = _connected_labels(lines, values, separators)
    if (not lines and len(values) > 1) or len(lines) * len(values) > _MOST_PAIRS:
        return None
    item = _item_edge(lines)
    lines = [part for line in lines for part in _cut(line, item)]
    rows = _rows(lines, [_left_middle(row) for row in values], separators, item)
    left = min((piece.box[0] for piece in lines), default=edges[0]) - 2
    return ColumnTable(edges, left, tuple(rows))


def _placed(rows: Sequence[list[Written]], columns: Sequence[tuple[float, float]]) -> list[list[Written]]:
    """The rows with a value in a column; of two that are too near to each other the one with more."""
    wide = [(start - _ASIDE, end + _ASIDE) for start, end in columns]
    kept: list[list[Written]] = []
    for row in ([value for value in row if _is_within(value, wide)] for row in rows):
        if row and kept and _middle(row) - _middle(kept[-1]) < _LOWEST_ROW:
            kept[-1] = max(kept[-1], row, key=len)
        elif row:
            kept.append(row)
    return kept


def _looks_like_words(piece: Written) -> bool:
    return sum("\u4e00" <= char <= "\u9fff" for char in piece.text) > 1


def _across(pieces: Sequence[Written], edges: Sequence[float]) -> list[Written]:
    """Writing that runs from the labels into the values: prose."""
    return [piece for piece in pieces if piece.box[0] < edges[0] and piece.box[2] > (edges[0] + edges[1]) / 2]


def _extent(rows: Sequence[Sequence[Written]], words: Sequence[Written]) -> tuple[float, float]:
    """From where to where nothing but values stands in their columns."""
    first, last = _middle(rows[0]), _middle(rows[-1])
    top = max((piece.box[3] for piece in words if piece.middle < first), default=float("-inf"))
    bottom = min((piece.box[1] for piece in words if piece.middle > last), default=float("inf"))
    return top, bottom


def _connected(rows: list[list[Written]], full: Sequence[Sequence[Written]]) -> list[list[Written]]:
    """The rows that follow each other without a wide gap, those of ``full`` among them."""
    first, last = _middle(full[0]), _middle(full[-1])
    start = next((number for number, row in enumerate(rows) if _middle(row) >= first - _LEVEL), None)
    if start is None:
        return []
    end = start
    while end + 1 < len(rows) and (
        _middle(rows[end + 1]) <= last + _LEVEL or _middle(rows[end + 1]) - _middle(rows[end]) <= _STEP
    ):
        end += 1
    while start > 0 and _middle(rows[start]) - _middle(rows[start - 1]) <= _STEP:
        start -= 1
    return rows[start : end + 1]


def _left_middle(row: Sequence[Written]) -> float:
    """The y of a row where it begins."""
    return median(value.middle for value in row[:3])


def _separators(parts: Sequence[tuple[float, float, float]], span: tuple[float, float]) -> list[float]:
    """The ys of rules (at, start, end) between the rows, from what is left of them within ``span``."""
    groups: list[list[tuple[float, float, float]]] = []
    for at, start, end in sorted(parts):
        if min(end, span[1]) <= max(start, span[0]):
            continue
        if groups and at - groups[-1][-1][0] <= _SAME_RULE:
            groups[-1].append((at, start, end))
        else:
            groups.append([(at, start, end)])
    found = []
    for group in groups:
        length = sum(min(end, span[1]) - max(start, span[0]) for _, start, end in group)
        if length >= _RULED * (span[1] - span[0]):
            found.append(sum(at for at, _, _ in group) / len(group))
    return found


def _connected_labels(
    lines: Sequence[Written], values: Sequence[Sequence[Written]], separators: Sequence[float]
) -> list[Written]:
    """The labels beside and between the values, and those above and below them that no wide gap parts from them."""
    first, last = _middle(values[0]), _middle(values[-1])
    kept = [line for line in lines if first <= line.middle <= last]
    top = min([first, *(line.middle for line in kept)])
    bottom = max([last, *(line.middle for line in kept)])
    ruled = len(separators) >= len(values) / 2
    low = min(separators, default=first) if ruled else float("-inf")
    high = max(separators, default=last) if ruled else float("inf")
    for line in (line for line in lines if line.middle > last):
        if line.middle - bottom > _LEADING * (2 if ruled else 1) or line.middle > max(high, last + _BESIDE):
            break
        kept.append(line)
        bottom = line.middle
    for line in reversed([line for line in lines if line.middle < first]):
        if top - line.middle > _LEADING * (2 if ruled else 1) or line.middle < min(low, first - _BESIDE):
            break
        kept.append(line)
        top = line.middle
    return sorted(kept, key=lambda line: (line.middle, line.box[0]))


# --- labels ----------------------------------------------------------------------------------------------------


def _item_edge(lines: Sequence[Written]) -> float | None:
    """Where the labels of single rows begin, right of those of groups; None where none stand side by side."""
    starts = [line.box[0] for line in lines if line.text[:1].isdigit() and is_numbered(line.text)]
    common = [start for start in starts if abs(start - median(starts)) <= _SAME_START]
    if len(common) >= _NUMBERS:
        return min(common) - 0.5
    gaps = []
    for number, line in enumerate(lines):
        for other in lines[max(0, number - 6) : number + 7]:
            if abs(other.middle - line.middle) <= _BESIDE and line.box[2] <= other.box[0] + 1:
                gaps.append((min(line.box[2], other.box[0] - 0.1), other.box[0]))
    edge = None
    while len(gaps) >= 2:
        at = max((gap[1] for gap in gaps), key=lambda x: sum(start < x <= end for start, end in gaps))
        here = [gap for gap in gaps if gap[0] < at <= gap[1]]
        if len(here) < 2:
            break
        middle = (max(start for start, _ in here) + min(end for _, end in here)) / 2
        edge = middle if edge is None else max(edge, middle)
        gaps = [gap for gap in gaps if gap not in here]
    return edge


def _cut(line: Written, item: float | None) -> list[Written]:
    """The label of a group and that of a row that nearly touch and were read as one, parted at the row's number."""
    if item is None or not line.box[0] < item - 5 or not line.box[2] > item + 20:
        return [line]
    length = sum(1 if char.isascii() else 2 for char in line.text)
    place = line.box[0]
    for at, char in enumerate(line.text):
        if at and abs(place - item) <= _CUT_NEAR and char.isdigit() and is_numbered(line.text[at:]):
            left = (line.box[0], line.box[1], item, line.box[3])
            right = (item, line.box[1], line.box[2], line.box[3])
            return [Written(left, line.text[:at], False), Written(right, line.text[at:], False)]
        place += (line.box[2] - line.box[0]) * (1 if char.isascii() else 2) / length
    return [line]


@dataclass(frozen=True, slots=True)
class _Found:
    """A row before its extent is known: the y of its values, or of its label where it has none.

    ``top`` and ``bottom`` are those of rules; None where no rule parts it from its neighbour.
    """

    middle: float
    top: float | None
    bottom: float | None
    label: tuple[Written, ...]
    has_values: bool


def _rows(
    lines: Sequence[Written], values: Sequence[float], separators: Sequence[float], item: float | None
) -> list[ColumnRow]:
    """The rows: between each two rules those that labels and values say, without rules all of them."""
    groups = [line for line in lines if item is not None and line.box[2] <= item]
    items = [line for line in lines if not any(line is group for group in groups)]
    numbered = sum(is_numbered(line.text) for line in items) >= _NUMBERS
    found: list[_Found] = []
    for top, bottom in pairwise([None, *separators, None]):
        blocks = _blocks(_between(items, top, bottom), _inside(values, top, bottom), numbered, bool(top and bottom))
        for number, (middle, label, has_values) in enumerate(blocks):
            upper = None if number else top
            lower = None if number + 1 < len(blocks) else bottom
            found.append(_Found(middle, upper, lower, tuple(label), has_values))
    return _with_extent(*_with_groups(found, groups))


def _between(lines: Sequence[Written], top: float | None, bottom: float | None) -> list[Written]:
    middles = set(_inside([line.middle for line in lines], top, bottom))
    return [line for line in lines if line.middle in middles]


def _inside(middles: Sequence[float], top: float | None, bottom: float | None) -> list[float]:
    return [y for y in middles if (top is None or top < y) and (bottom is None or y < bottom)]


_Block = tuple[float, Sequence[Written], bool]
_State = tuple[int, int]  # lines and rows of values used


def _blocks(lines: Sequence[Written], values: Sequence[float], numbered: bool, is_ruled: bool) -> list[_Block]:
    """Rows of one band: y, lines of the label, whether there are values.

    The lines are parted so that each label stands around the middle of its values, at the least cost.
    """
    if is_ruled and len(values) <= 1:
        if not values and not lines:
            return []
        middle = values[0] if values else sum(line.middle for line in lines) / len(lines)
        return [(middle, lines, bool(values))]
    costs: dict[_State, float] = {(0, 0): 0.0}
    before: dict[_State, _State] = {}
    for used in range(len(lines) + 1):
        for row in range(len(values) + 1):
            for after, extra in _steps(lines, values, (used, row), numbered) if (used, row) in costs else ():
                cost = costs[used, row] + extra
                if cost < costs.get(after, float("inf")):
                    costs[after], before[after] = cost, (used, row)
    found: list[_Block] = []
    state = (len(lines), len(values))
    while state in before:
        used, row = before[state]
        block = lines[used : state[0]]
        has_values = state[1] > row
        middle = values[row] if has_values else sum(line.middle for line in block) / len(block)
        found.append((middle, block, has_values))
        state = (used, row)
    return found[::-1]


def _steps(
    lines: Sequence[Written], values: Sequence[float], state: _State, numbered: bool
) -> Iterator[tuple[_State, float]]:
    """What the next row may be, with its cost: values without a label, a label without values, or both."""
    used, row = state
    if row < len(values):
        yield (used, row + 1), _LOST_LABEL
    for end in range(used + 1, min(len(lines), used + _MOST_LINES) + 1):
        block = lines[used:end]
        if len(block) > 1 and block[-1].middle - block[-2].middle > _LEADING:
            return
        below = [line for line in block[1:] if line.middle - block[0].middle > _LEVEL]
        odd = _NUMBER_WITHIN * sum(is_numbered(line.text) for line in below)
        odd += _UNNUMBERED if numbered and not is_numbered(block[0].text) else 0.0
        yield (end, row), odd + _BLANK_ROW
        if row < len(values):
            yield (end, row + 1), odd + abs((block[0].middle + block[-1].middle) / 2 - values[row]) / 10


def _with_groups(rows: Sequence[_Found], groups: Sequence[Written]) -> tuple[list[_Found], list[list[Written]]]:
    """The rows with their labels, and the labels of groups beside them.

    A row with values and without a label of its own has its label where the others have that of their group.
    """
    named: list[_Found] = []
    left = list(groups)
    for row in rows:
        near = [line for line in left if abs(line.middle - row.middle) <= _LEADING / 2]
        if row.has_values and not row.label and near:
            start = max(line.box[0] for line in near)
            row = replace(row, label=tuple(line for line in near if line.box[2] > start))
            left = [line for line in left if not any(line is other for other in row.label)]
        named.append(row)
    stacks: list[list[Written]] = []
    for line in sorted(left, key=lambda line: (line.middle, line.box[0])):
        stack = next((stack for stack in stacks if _goes_on(stack[-1], line)), None)
        if stack is None:
            stacks.append([line])
        else:
            stack.append(line)
    beside: list[list[Written]] = [[] for _ in named]
    for stack in stacks:
        middle = (stack[0].middle + stack[-1].middle) / 2
        distances = [abs(row.middle - middle) for row in named]
        beside[distances.index(min(distances))] += stack
    return named, beside


def _goes_on(above: Written, line: Written) -> bool:
    """Whether a line continues the label of a group, which no other group begins in between."""
    is_below = 0 < line.middle - above.middle <= _LEADING and above.box[0] < line.box[2] and line.box[0] < above.box[2]
    return is_below and not is_numbered(line.text)


def _with_extent(found: Sequence[_Found], beside: Sequence[Sequence[Written]]) -> list[ColumnRow]:
    """Rows that meet at the rule between them, else halfway."""
    middles = [row.middle for row in found]
    half = median([after - before for before, after in pairwise(middles)] or [_LONE_ROW]) / 2
    halfway = [(before + after) / 2 for before, after in pairwise(middles)]
    tops = [middles[0] - half, *halfway]
    bottoms = [*halfway, middles[-1] + half]
    return [
        ColumnRow(
            top if row.top is None else row.top,
            bottom if row.bottom is None else row.bottom,
            row.label,
            tuple(group),
        )
        for row, group, top, bottom in zip(found, beside, tops, bottoms, strict=True)
    ]


def label_box(pieces: Sequence[Written]) -> Box:
    """The box around the pieces of a label."""
    return union([piece.box for piece in pieces])
