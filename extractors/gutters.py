"""Columns of a table that rules do not draw: from its heads, its values and the labels before them.

What one page shows of the columns is carried to the next, where a table may go on with fewer values and no heads.
Geometry only, top-left origin, points.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from extractors.document import union
from extractors.glyphs import NO_GAP, Glyph, Piece, as_piece, group_lines, pieces_of
from extractors.report import Box

CUT_GAP = 0.25  # em; a piece that crosses a gutter is cut there where its glyphs are at least so far apart
_BESIDE = 0.9  # em; a label whose middle is so near to that of another stands beside it
_LABEL_COLUMNS = 3
_CLEAR = 0.4  # em; a value stands by so much nearer to its column than to any other
_NEAR = 1.2  # em; a value that touches no column stands so near to where its own has others
_ENOUGH = 0.8  # share of the values of a page that fit the columns of the page before, if its table goes on
_MANY_COLUMNS = 3
_MOST_PIECES = 4000  # of one table on one page; a page with more is a drawing
_FEW_MEMBERS = 3  # fewer values show no common edge
_WIDE = 6  # in a table of fewer columns a long number may stand in a merged cell
_LONG = 1.6  # times the usual width of a column's values
_LEAST_TWO = 2  # characters of two numbers that touch
_MOST_HEADS = 4  # words of a column's head, broken over lines
_MOST_VALUES = 600  # of the pages before; they are asked for their places only

Interval = tuple[float, float]


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


@dataclass(frozen=True, slots=True)
class Seen:
    """What a table showed of its columns so far: boxes of heads and values, gaps between labels side by side.

    ``reach`` is how far to the right its labels go; minus infinity as long as no row was seen.
    """

    heads: tuple[Box, ...] = ()
    values: tuple[Box, ...] = ()
    gaps: tuple[Interval, ...] = ()
    reach: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Layout:
    """The column edges of a table, and what it showed of them.

    ``items`` is the edge before the label of the single row, right of the labels of groups; None without such an
    edge. ``first`` is where the values begin. ``unplaced`` holds the identities of lines with a value that fits no
    column clearly. ``is_sure`` is false where neither heads nor a page before nor any full row tell the columns:
    one in which no row has a value would be missed, and all others taken for their neighbours.
    """

    edges: list[float]
    items: float | None
    first: float
    unplaced: frozenset[int]
    seen: Seen
    is_sure: bool


@dataclass(slots=True)
class _Column:
    """A column: its extent, the values seen in it, and how many words."""

    start: float
    end: float
    values: list[Box] = field(default_factory=list)
    words: int = 0

    @property
    def is_numeric(self) -> bool:
        """Whether it is for values: words are its head only. A column of units may have a dash here and there."""
        return self.words <= max(_MOST_HEADS, len(self.values))


def lines_of(glyphs: Sequence[Glyph]) -> list[Line]:
    """The lines of the glyphs that are written straight on, from top to bottom."""
    lines = []
    for line in group_lines(glyph for glyph in glyphs if glyph.turn == 0):
        pieces = pieces_of(line)
        if pieces:
            lines.append(Line(tuple(pieces), union([piece.box for piece in pieces])))
    return lines


def lay_out(lines: Sequence[Line], box: Box, starts: Sequence[float] = (), above: Seen | None = None) -> Layout | None:
    """The columns of the table that ``lines`` are, or go on with; None without a column of values.

    ``starts`` are xs at which rules say that a label column begins; ``above`` is the table's part on the page before.
    """
    if _is_drawing(lines):
        return None
    own = _seen(lines)
    continued = _continued(lines, own, above) if above is not None else None
    if continued is not None:
        seen, columns, unplaced = continued
    else:
        across = _across(lines)
        # The only value of a line that reaches over two columns stands in a merged cell.
        seen, unplaced = own, frozenset(id(line) for line in lines if line.values > 1 and _bridges(line, across))
        columns = [
            _Column(start, end)
            for start, end in _with_blank_columns(_merged(own.values), own.heads, own.reach)
            if own.values
        ]
    if not columns:
        return None
    edges = [(before.end + after.start) / 2 for before, after in pairwise(columns)]
    first = columns[0].start
    texts = [piece.box for line in lines for piece in line.pieces if piece.box[2] <= first + 1]
    label_edges: list[float] = []
    if texts:
        reach = max(text[2] for text in texts)
        label_edges = [start for start in starts if start < reach] or _label_edges(seen.gaps, first)
        edges = [*label_edges, (reach + first) / 2, *edges]
    items = label_edges[-1] if label_edges else None
    right = max(box[2], columns[-1].end) + 1
    is_sure = continued is not None or has_heads(lines) or not _has_gaps(lines, own)
    is_sure = is_sure and not _hides_column(columns, own.values, lines[0].size)
    return Layout([min(box[0], first) - 1, *edges, right], items, first, unplaced, seen, is_sure)


def heads_seen(lines: Sequence[Line]) -> Seen:
    """What heads alone show, where a page ends below them."""
    return Seen() if _is_drawing(lines) else _seen(lines)


def goes_on(lines: Sequence[Line], above: Seen) -> bool:
    """Whether ``lines`` are rows of the table that ``above`` is the upper part of."""
    if _is_drawing(lines):
        return False
    return _continued(lines, _seen(lines), above) is not None


def value_places(above: Seen, lines: Sequence[Line]) -> list[Interval]:
    """Where the values of the table stand that ``above`` is the upper part of; empty if it has no columns."""
    if _is_drawing(lines):
        return []
    columns = _carried_columns(above, _seen(lines))
    if above.values:
        return [(column.start, column.end) for column in columns if column.is_numeric]
    return [(columns[0].start, float("inf"))] if columns else []


def repeats(heads: Sequence[Line], above: Seen) -> bool:
    """Whether ``heads`` are those of the table that ``above`` is the upper part of, printed again."""
    parts = [part for line in heads for piece in line.pieces for part in _parts(piece)]
    same = sum(
        any(abs(part[0] - head[0]) <= 1 and abs(part[2] - head[2]) <= 1 for head in above.heads) for part in parts
    )
    return same >= _ENOUGH * len(parts)


def is_free(line: Line, places: Sequence[Interval]) -> bool:
    """Whether a line, of a label then, keeps clear of the places of values."""
    return not any(start < line.box[2] and line.box[0] < end for start, end in places)


def has_heads(lines: Sequence[Line]) -> bool:
    """Whether a line above the first values has several words in the place of values."""
    first = min((piece.box[0] for line in lines for piece in line.pieces if piece.is_value), default=float("inf"))
    for line in lines:
        if line.values:
            return False
        over = [piece for piece in line.pieces if piece.box[2] > first]
        if len(over) > 1 or (over and len(line.pieces) > 1):
            return True
    return False


def is_filled(rows: Sequence[Sequence[Line]], columns: int) -> bool:
    """Whether blank cells are printed as marks, so that a line with one text is a caption and no row of blanks."""
    counts = [sum(line.values for line in row) for row in rows]
    filled = [count for count in counts if count]
    return bool(filled) and (max(filled) == 1 or sum(2 * count >= columns for count in filled) >= 0.8 * len(filled))


def _is_drawing(lines: Sequence[Line]) -> bool:
    return sum(len(line.pieces) for line in lines) > _MOST_PIECES


def _hides_column(columns: Sequence[_Column], values: Sequence[Box], size: float) -> bool:
    """Whether a long number keeps no line with the others of its column: two numbers that touch, of two columns.

    Where no row shows the two apart, one column is missing, and all values would be given to its neighbours.
    """
    if len(columns) < _WIDE:
        return False
    for column in columns:
        members = [value for value in values if column.start - 1 <= value[0] and value[2] <= column.end + 1]
        usual = median(value[2] - value[0] for value in members) if members else 0.0
        others = [value for value in members if value[2] - value[0] < _LONG * usual]
        if len(others) < _FEW_MEMBERS or min(_spreads(others)) > 1:
            continue
        kept = _Column(column.start, column.end, others)
        if any(value not in others and _offset(value, kept) >= _CLEAR * size for value in members):
            return True
    return False


def _spreads(boxes: Sequence[Box]) -> list[float]:
    """How far the left edges, middles and right edges of boxes lie apart."""
    kept = zip(*((box[0], (box[0] + box[2]) / 2, box[2]) for box in boxes), strict=True)
    return [max(line) - min(line) for line in kept]


def _has_gaps(lines: Sequence[Line], own: Seen) -> bool:
    """Whether a table has several columns of values and rows that do not fill them."""
    columns = len(_merged(own.values))
    return columns >= _MANY_COLUMNS and any(0 < line.values < columns for line in lines)


# --- what a page shows -----------------------------------------------------------------------------------------


def part_values(lines: Sequence[Line]) -> list[Line]:
    """``lines`` with numbers of two columns that nearly touch parted, where a small gap between them shows it."""
    across = _across(lines)
    return [_parted(line, across) if _bridges(line, across) else line for line in lines]


def _across(lines: Sequence[Line]) -> list[Interval]:
    """The gaps between neighbouring values of a line: where each ends, and where the next of any such begins."""
    gaps = sorted(
        (left.box[2], right.box[0])
        for line in lines
        for left, right in pairwise(piece for piece in line.pieces if piece.is_value)
    )
    least = float("inf")
    for index in range(len(gaps) - 1, -1, -1):
        least = min(least, gaps[index][1])
        gaps[index] = (gaps[index][0], least)
    return gaps


def _bridges(line: Line, across: Sequence[Interval]) -> list[Piece]:
    """The values of a line that reach over a gap between two values of another one: two numbers that touch."""
    values = [piece for piece in line.pieces if piece.is_value and len(piece.text) >= _LEAST_TWO]
    found = []
    for piece in values:
        index = bisect.bisect_right(across, (piece.box[0] + 1, float("inf")))
        if index < len(across) and across[index][1] < piece.box[2] - 1:
            found.append(piece)
    return found


def _parted(line: Line, across: Sequence[Interval]) -> Line:
    bridges = {id(piece) for piece in _bridges(line, across)}
    pieces: list[Piece] = []
    for piece in line.pieces:
        groups: list[list[Glyph]] = [[piece.glyphs[0]]]
        for before, glyph in pairwise(piece.glyphs):
            if id(piece) in bridges and glyph.x0 - before.x1 > NO_GAP * glyph.size:
                groups.append([])
            groups[-1].append(glyph)
        # A number that is set with gaps between all its digits is none of two.
        pieces += [as_piece(group) for group in groups] if len(groups) == 2 else [piece]
    return Line(tuple(pieces), line.box)


def _seen(lines: Sequence[Line]) -> Seen:
    pieces = [piece for line in lines for piece in line.pieces]
    across = _across(lines)
    bridges = {id(piece) for line in lines for piece in _bridges(line, across)}
    values = tuple(piece.box for piece in pieces if piece.is_value and id(piece) not in bridges)
    heads = tuple(part for piece in pieces if not piece.is_value for part in _parts(piece))
    first = min((value[0] for value in values), default=float("inf"))
    return Seen(heads, values, tuple(_label_gaps(lines, first)), _label_reach(lines))


def _label_reach(lines: Sequence[Line]) -> float:
    """How far to the right the labels of lines with values reach."""
    reach = float("-inf")
    for line in lines:
        first = min((piece.box[0] for piece in line.pieces if piece.is_value), default=float("-inf"))
        reach = max([reach, *(piece.box[2] for piece in line.pieces if not piece.is_value and piece.box[2] <= first)])
    return reach


def _label_gaps(lines: Sequence[Line], first: float) -> list[Interval]:
    """The gaps between neighbouring labels left of ``first``; that of a group stands between two lines of items."""
    gaps = []
    for index, line in enumerate(lines):
        near = [
            piece.box
            for other in lines[max(0, index - 3) : index + 4]
            if abs(other.middle - line.middle) <= _BESIDE * line.size
            for piece in other.pieces
            if piece.box[2] <= first + 1
        ]
        starts = sorted(box[0] for box in near)
        for piece in line.pieces:
            after = bisect.bisect_left(starts, piece.box[2])
            if after < len(starts) and piece.box[2] <= first + 1:
                gaps.append((piece.box[2], starts[after]))
    return gaps


def _parts(piece: Piece) -> list[Box]:
    """The boxes of the words of a piece: heads of neighbouring columns may nearly touch."""
    groups: list[list[Glyph]] = [[piece.glyphs[0]]]
    for before, glyph in pairwise(piece.glyphs):
        if glyph.x0 - before.x1 >= CUT_GAP * glyph.size:
            groups.append([])
        groups[-1].append(glyph)
    return [union([glyph.box for glyph in group]) for group in groups]


# --- columns ---------------------------------------------------------------------------------------------------


def _continued(lines: Sequence[Line], own: Seen, above: Seen) -> tuple[Seen, list[_Column], frozenset[int]] | None:
    """The columns of the page before, as wide as this page's values need; None if these belong to another table."""
    if above.values and has_heads(lines):
        return None
    columns = _carried_columns(above, own)
    if len(columns) < 2:
        return None
    first = columns[0].start
    unplaced: set[int] = set()
    placed = total = 0
    found: list[tuple[_Column, Box]] = []
    for line in lines:
        for piece in (piece for piece in line.pieces if piece.is_value and piece.box[2] > first):
            total += 1
            column = _column_of(piece.box, columns, line.size)
            if column is None:
                unplaced.add(id(line))
            else:
                placed += 1
                found.append((column, piece.box))
    if not total or placed < _ENOUGH * total or _strange_words(lines, columns) > 1 - _ENOUGH:
        return None
    for column, box in (*found, *_words_in(lines, columns)):
        column.start, column.end = min(column.start, box[0]), max(column.end, box[2])
    seen = Seen(
        above.heads if above.values else (*above.heads, *own.heads),
        (*above.values, *(box for _, box in found))[-_MOST_VALUES:],
        (*above.gaps, *own.gaps),
        max(above.reach, own.reach),
    )
    return seen, columns, frozenset(unplaced)


def _words_in(lines: Sequence[Line], columns: Sequence[_Column]) -> list[tuple[_Column, Box]]:
    """The words in columns of words (labels behind a serial number, units): they may be longer than those before."""
    found = []
    for piece in (piece for line in lines for piece in line.pieces if not piece.is_value):
        met = [column for column in columns if piece.box[0] < column.end and column.start < piece.box[2]]
        if len(met) == 1 and not met[0].is_numeric:
            found.append((met[0], piece.box))
    return found


def _strange_words(lines: Sequence[Line], columns: Sequence[_Column]) -> float:
    """The share of the lines that have words where the columns have values, or across two columns."""
    strange = 0
    for line in lines:
        for piece in (piece for piece in line.pieces if not piece.is_value):
            met = [column for column in columns if piece.box[0] < column.end and column.start < piece.box[2]]
            if len(met) > 1 or (met and met[0].values and met[0].is_numeric):
                strange += 1
                break
    return strange / max(len(lines), 1)


def _carried_columns(above: Seen, own: Seen) -> list[_Column]:
    """The columns that ``above`` shows; heads alone show them as soon as it is known where labels end."""
    reach = above.reach
    heads = above.heads
    if not above.values:
        # The widest gap of labels and values of the new page tells the corner's text from the heads of columns.
        reach = own.reach
        heads = (*above.heads, *(head for head in own.heads if head[0] >= own.reach - 1))
    spans = _with_blank_columns(_merged(above.values), heads, reach)
    columns = [_Column(start, end) for start, end in spans]
    for value in above.values:
        for column in columns:
            if column.start - 1 <= value[0] and value[2] <= column.end + 1:
                column.values.append(value)
    for column in columns:
        column.words = sum(column.start - 1 <= head[0] and head[2] <= column.end + 1 for head in above.heads)
    if len(columns) < _MANY_COLUMNS and not above.values:
        return []
    return columns


def _column_of(box: Box, columns: Sequence[_Column], size: float) -> _Column | None:
    """The column to which a value belongs: the only one that it touches, or the one whose edge or middle it keeps."""
    touched = [column for column in columns if box[0] < column.end and column.start < box[2]]
    if sum(box[0] < column.end - 1 and column.start + 1 < box[2] for column in touched) > 1:
        return None
    if len(touched) == 1:
        return touched[0]
    pool = touched or list(columns)
    ranked = sorted(pool, key=lambda column: _offset(box, column))
    best = _offset(box, ranked[0])
    clear = len(ranked) < 2 or _offset(box, ranked[1]) - best >= _CLEAR * size
    return ranked[0] if clear and best <= _NEAR * size else None


def _offset(box: Box, column: _Column) -> float:
    """How far a value stands from the line that a column's values, or its head, keep: left, middle or right."""
    kept = [(value[0], (value[0] + value[2]) / 2, value[2]) for value in column.values]
    kept = kept or [(column.start, (column.start + column.end) / 2, column.end)]
    own = (box[0], (box[0] + box[2]) / 2, box[2])
    lines = list(zip(*kept, strict=True))
    spreads = [max(line) - min(line) for line in lines]
    least = min(spreads)
    offsets = [abs(position - sum(line) / len(line)) for position, line in zip(own, lines, strict=True)]
    return float(min(offset for offset, spread in zip(offsets, spreads, strict=True) if spread <= least + 0.5))


def _with_blank_columns(values: list[Interval], heads: Sequence[Box], labels: float) -> list[Interval]:
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


def _label_edges(found: Sequence[Interval], first: float) -> list[float]:
    """Edges between label columns: where the most rows with two labels or more leave a gap."""
    gaps = [gap for gap in found if gap[1] < first]
    edges: list[float] = []
    while len(gaps) >= 2 and len(edges) < _LABEL_COLUMNS:
        at = max((gap[1] for gap in gaps), key=lambda x: sum(start < x <= end for start, end in gaps))
        here = [gap for gap in gaps if gap[0] < at <= gap[1]]
        if len(here) < 2:
            break
        edges.append((max(start for start, _ in here) + min(end for _, end in here)) / 2)
        gaps = [gap for gap in gaps if gap not in here]
    return sorted(edges)


def _merged(boxes: Iterable[Box]) -> list[Interval]:
    """The x intervals that the boxes cover."""
    merged: list[Interval] = []
    for start, end in sorted((box[0], box[2]) for box in boxes):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
