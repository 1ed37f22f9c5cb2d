"""Printed rows against the rows of a form: which is which, by order and by label together.

The form fixes the order, so the alignment is monotone: a row whose label was dropped or garbled is named by its
place, a row that the form does not have shifts nothing, and a row that is missing leaves a gap. Skipping and
mismatching cost what :class:`Costs` says; the best sum wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process

from extractors.forms import FormTable, Row
from extractors.labels import ALIKE, RATIO_WEIGHT, UNLIKE, label_key, label_keys, plain_key, similarity
from extractors.numbers import is_unit
from extractors.rows import PrintedRow

# From here on a label without any value behind it is a row's whose blanks are lost.
CLOSE = 0.85
# Group labels of so many characters are told by their parts; shorter ones are too much like those of rows.
LONG_GROUP = 6
ALMOST = 0.8
# The longest label of the forms has 77 characters with its gloss; what is longer is prose.
MAX_LABEL = 120
# A label that a recogniser read with less confidence contradicts no line.
DOUBTED = 0.9

_HAN = re.compile("[\u4e00-\u9fff]")
# Groups are numbered with Chinese numerals, the rows in them with digits.
_GROUP_NUMBER = re.compile(r"\s*[(（]?[一二三四五六七八九十]{1,3}[)）、.．]")


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One row of the form that carries cells."""

    table: FormTable
    row: Row

    @property
    def width(self) -> int:
        """How many value cells the line has."""
        return len(self.table.columns)


@dataclass(frozen=True, slots=True)
class Costs:
    """Scores of the alignment. Chosen so that order alone names a row only between rows that labels name.

    ``label`` is scaled by the likeness of the labels. ``order`` is for a row without a label, ``clash`` for one
    whose label is another's, ``doubtful`` for one whose label may be. A printed row with numbers is dearer to skip
    than one without.
    """

    label: float = 2.0
    order: float = 0.4
    doubtful: float = -0.5
    clash: float = -1.8
    width: float = -2.0
    group: float = 0.15
    skip_numbers: float = -0.8
    skip_empty: float = 0.0
    skip_line: float = -0.6


COSTS = Costs()


@dataclass(frozen=True, slots=True)
class Match:
    """A printed row named. ``likeness`` is that of its label (1.0 equal), None where it has no label."""

    row: int
    line: int
    likeness: float | None


@dataclass(frozen=True, slots=True)
class Alignment:
    """The best reading of some printed rows as the lines of a block: its score, and the matches in order."""

    score: float
    matches: tuple[Match, ...]

    @property
    def anchors(self) -> int:
        """How many rows their own labels name beyond doubt."""
        return sum(match.likeness is not None and match.likeness >= ALIKE for match in self.matches)


@lru_cache(maxsize=64)
def block_lines(tables: tuple[FormTable, ...]) -> tuple[Line, ...]:
    """The lines of a block in printed order, headings left out."""
    return tuple(Line(table, row) for table in tables for row in table.rows if not row.heading)


def lost_labels(lines: tuple[Line, ...], number: int) -> int:
    """How many label cells open a line where none is printed twice: its own, and those of groups that begin with it."""
    above = lines[number - 1].row.groups if number else ()
    return 1 + sum(group not in above for group in lines[number].row.groups)


@lru_cache(maxsize=65536)
def _label_likeness(labels: tuple[str, ...], line: Line) -> float | None:
    if line.table.foreign and any(similarity(label, line.table.foreign) >= 0.9 for label in labels):
        return 0.0
    if all(_heads_group(label, line.row.groups) for label in labels):
        return None
    # Labels have two Chinese characters or more; what has fewer is a unit, or a remnant of a rule or of a stamp.
    labels = tuple(label for label in labels if len(_HAN.findall(label)) > 1)
    if not labels:
        return None
    spellings = line.row.spellings
    # (六)其他处理 heads three rows, one of which is also spelled so: beside another label it is the group.
    own = tuple(label for label in labels if similarity(label, line.row.groups) < 1.0) or labels
    best = max(similarity(label, spellings) for label in own)
    if best < ALIKE and len(labels) > 1:
        best = max(best, similarity("".join(labels[-2:]), spellings), similarity("".join(labels), spellings))
    if best < ALIKE and line.row.groups and all(_is_group(label, line.row.groups) for label in labels):
        return None
    return best


def _heads_group(label: str, groups: tuple[str, ...]) -> bool:
    """Whether a label is one of ``groups`` by its words and its number; (六)其他处理 is not the row 3.其他处理."""
    return bool(_GROUP_NUMBER.match(label)) and any(label_key(label) == label_key(group) for group in groups)


def _is_group(label: str, groups: tuple[str, ...]) -> bool:
    """Whether a label is one of ``groups``, or a piece of one that a page end cut (三、本年 | 度办理结果)."""
    key = plain_key(label)
    pieces = any(key in plain_key(group) for group in groups)
    return pieces or similarity(label, groups) >= ALIKE or any(_holds(key, label_key(group)) for group in groups)


def _holds(key: str, group: str) -> bool:
    """Whether a long group label stands in ``key``, garbled and among remnants of other print."""
    return len(group) >= LONG_GROUP and fuzz.partial_ratio(group, key) >= 100 * ALMOST


def likeness(row: PrintedRow, line: Line) -> float | None:
    """How well the labels of ``row`` name ``line``; None where it has none.

    The innermost label decides; a label broken over cells is tried joined. A group label alone (三、本年度办理结果
    before a row that lost its own) neither names the row nor contradicts it.
    """
    return _label_likeness(row.labels, line) if row.labels else None


@lru_cache(maxsize=64)
def _by_key(lines: tuple[Line, ...]) -> dict[str, tuple[int, ...]]:
    """Which lines a label names exactly, by the key of the label."""
    index: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        for key in {key for spelling in line.row.spellings for key in label_keys(spelling)}:
            index.setdefault(key, []).append(number)
    return {key: tuple(numbers) for key, numbers in index.items()}


def _named_exactly(labels: tuple[str, ...], lines: tuple[Line, ...]) -> set[int]:
    """The lines that the innermost label names which names any, by its whole text before parts of it.

    A group label beside another label names no line, though a line may be spelled like it.
    """
    index, groups = _by_key(lines), _group_keys(lines)
    for label in reversed(labels):
        beside = label is not labels[-1] and not is_unit(labels[-1])
        if label_key(label) in groups and (beside or _GROUP_NUMBER.match(label)):
            continue
        for key in label_keys(label):
            if key in index:
                return set(index[key])
    return set()


@lru_cache(maxsize=64)
def _group_keys(lines: tuple[Line, ...]) -> frozenset[str]:
    """Keys of group labels that are no row of the block; on form 2014 a row may head others."""
    groups = {label_key(group) for line in lines for group in line.row.groups}
    return frozenset(groups - {label_key(line.row.label) for line in lines})


def names_whole(label: str, lines: tuple[Line, ...]) -> bool:
    """Whether the whole of a label, not a part of it, is that of a line."""
    return label_key(label) in _by_key(lines)


def named_lines(label: str, lines: tuple[Line, ...]) -> set[int]:
    """The lines that a label names exactly, by number."""
    return _named_exactly((label,), lines)


@lru_cache(maxsize=64)
def _line_keys(lines: tuple[Line, ...]) -> tuple[str, ...]:
    return tuple({key for line in lines for spelling in line.row.spellings for key in label_keys(spelling)})


@lru_cache(maxsize=32768)
def _names_nearly(label: str, lines: tuple[Line, ...]) -> bool:
    keys = _line_keys(lines)
    return any(
        process.extractOne(key, keys, scorer=fuzz.ratio, score_cutoff=100 * ALIKE / RATIO_WEIGHT) is not None
        or (len(key) >= 3 and any(other.startswith(key) for other in keys))
        for key in label_keys(label)
    )


def names_line(row: PrintedRow, lines: tuple[Line, ...]) -> bool:
    """Whether a label of ``row`` names some line, exactly or nearly."""
    if _named_exactly(row.labels, lines):
        return True
    # Prose is longer than any label; comparing it with every label is what would cost.
    return any(len(label) <= MAX_LABEL and _names_nearly(label, lines) for label in row.labels)


def align(rows: list[PrintedRow], lines: tuple[Line, ...], costs: Costs = COSTS) -> Alignment:
    """The best monotone alignment; rows before the first and behind the last match cost nothing."""
    told = _tells_groups(rows, lines)
    scores = [_row_scores(row, lines, costs, told) for row in rows]
    skips = [costs.skip_numbers if row.numbers else costs.skip_empty for row in rows]
    best, start = _fill(scores, skips, len(lines), costs)
    matches = tuple(Match(r, t, likeness(rows[r], lines[t])) for r, t in _trace(best, scores, skips, start, costs))
    return Alignment(best[start][len(lines)], matches)


def _tells_groups(rows: list[PrintedRow], lines: tuple[Line, ...]) -> bool:
    """Whether rows of grids that lost their labels have empty cells for groups where groups begin, and only there."""
    width = lines[0].width
    leads = {len(row.cells) - width for row in rows if not row.flat and len(row.cells) > width and not row.labels}
    return len(leads) > 1


def _row_scores(row: PrintedRow, lines: tuple[Line, ...], costs: Costs, told: bool) -> list[float]:
    """The score of a row as each of the lines.

    A label that names lines exactly contradicts all others; words without any value behind them are a header or
    prose unless they do.
    """
    exact = _named_exactly(row.labels, lines)
    only_words = bool(row.labels) and len(row.labels) == len(row.cells)
    heading = not row.numbers and not exact and _is_heading(row, lines)
    if exact or heading or (only_words and not _names_closely(row, lines)):
        scores = [costs.clash] * len(lines)
        for number in exact:
            scores[number] = _match_score(row, lines[number], costs)
        return scores
    scores = [_match_score(row, line, costs) for line in lines]
    if told and not row.flat and likeness(row, lines[0]) is None:
        # A group that begins with a line has a cell before the line's own, even if both are empty.
        for number, line in enumerate(lines):
            begins = len(row.cells) - line.width == lost_labels(lines, number)
            scores[number] += costs.group if begins else -costs.group
    return scores


def _names_closely(row: PrintedRow, lines: tuple[Line, ...]) -> bool:
    """Whether words without values behind them are a garbled label: headings of prose are half like a label too."""
    return names_line(row, lines) and max(likeness(row, line) or 0.0 for line in lines) >= CLOSE


def _is_heading(row: PrintedRow, lines: tuple[Line, ...]) -> bool:
    """Whether all labels of the row are group labels or headings of the block (二、主动公开政府信息情况).

    A group label before as many cells as the block has columns stands in a row that lost its own label.
    """
    widest = max(line.width for line in lines)
    if widest > 1 and len(row.cells) - len(row.labels) >= widest:
        return False
    return bool(row.labels) and all(label_key(label) in _group_keys(lines) for label in row.labels)


def _match_score(row: PrintedRow, line: Line, costs: Costs) -> float:
    found = likeness(row, line)
    if found is None:
        score = costs.order
    elif found >= ALIKE:
        score = costs.label * found
        if line.row.groups and any(similarity(label, line.row.groups) >= ALIKE for label in row.labels):
            score += 0.3
    else:
        score = costs.doubtful if found >= UNLIKE or _is_doubted(row) else costs.clash
    return score + (0.0 if _fits(row, line.width) else costs.width)


def _is_doubted(row: PrintedRow) -> bool:
    """Whether the innermost label of a scanned row was read with doubt."""
    return next(cell.confidence for cell in reversed(row.cells) if cell.text == row.labels[-1]) < DOUBTED


def _fits(row: PrintedRow, width: int) -> bool:
    """Whether as many values could stand in the row: not fewer cells than asked, not many more numbers."""
    if row.flat:
        return row.numbers <= width + 1
    values = len(row.cells) - len(row.labels)
    return width <= values + 1 and row.numbers <= width + 1


def _fill(scores: list[list[float]], skips: list[float], width: int, costs: Costs) -> tuple[list[list[float]], int]:
    """The table of best scores, and the row at which the best whole alignment ends."""
    first = [t * costs.skip_line for t in range(width + 1)]
    best = [first]
    for r, row_scores in enumerate(scores):
        above, current = best[r], [0.0]
        skip = skips[r]
        for t in range(width):
            value = above[t] + row_scores[t]
            if above[t + 1] + skip > value:
                value = above[t + 1] + skip
            if current[t] + costs.skip_line > value:
                value = current[t] + costs.skip_line
            current.append(value)
        best.append(current)
    ends = [row[width] for row in best]
    return best, max(range(len(ends)), key=lambda r: ends[r])


def _trace(
    best: list[list[float]], scores: list[list[float]], skips: list[float], start: int, costs: Costs
) -> list[tuple[int, int]]:
    path, r, t = [], start, len(best[0]) - 1
    while r and t:
        here = best[r][t]
        if here == best[r - 1][t - 1] + scores[r - 1][t - 1]:
            r, t = r - 1, t - 1
            path.append((r, t))
        elif here == best[r - 1][t] + skips[r - 1]:
            r -= 1
        else:
            t -= 1
    return path[::-1]
