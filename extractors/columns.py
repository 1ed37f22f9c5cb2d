"""Which cells of a named row are its values, column by column.

A grid says it by its header; where spans were lost or fillers were added it is said by counting, the same way for
all rows of a table: the values are the last cells of the row, or the first behind its label. In flattened text the
numbers are counted; what the counting leaves open is left open here (None) and said to be so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from extractors.document import PrintedCell
from extractors.forms import FormTable
from extractors.labels import similarity
from extractors.numbers import parse_printed
from extractors.rows import PrintedRow, is_label, is_number

Picks = tuple[PrintedCell | None, ...]
Span = tuple[int, int]
# The share of a table's columns whose headers must be found: of six applicants and a total, one may be missing.
MIN_HEADERS = 0.8
Flaw = Literal["extra_numbers", "lost_blanks", "too_many"]


@dataclass(frozen=True, slots=True)
class Picked:
    """The value cells of a row, one per column; ``flaw`` says why some could not be told.

    With ``lost_blanks`` the printed numbers are in ``loose``, in order, and their columns are unknown.
    """

    cells: Picks
    flaw: Flaw | None = None
    loose: tuple[PrintedCell, ...] = ()


def pick_grid(rows: list[PrintedRow], chunk: list[PrintedRow], table: FormTable) -> list[Picked]:
    """The value cells of rows of one grid. ``chunk`` is every row of that grid, headers included."""
    width = len(table.columns)
    spans = header_spans(chunk, table)
    ways = [[way(row, width) for row in rows] for way in (_last, _behind_label, _printed)]
    if spans:
        ways.insert(0, [_under_header(row, spans) for row in rows])
    best = min(ways, key=lambda way: sum(_damage(row, cells) for row, cells in zip(rows, way, strict=True)))
    crowded = [_lost_numbers(row, cells) for row, cells in zip(rows, best, strict=True) if row.numbers]
    if width == 1 and not spans and sum(map(bool, crowded)) * 2 > len(crowded) > 1:
        # Several columns of figures and one asked for (本级、部门、乡镇): none of them is it beyond doubt.
        return [Picked((None,), "extra_numbers") for _ in rows]
    names = tuple(text for row in table.rows for text in row.spellings)
    return [_checked(row, cells, names) for row, cells in zip(rows, best, strict=True)]


def _checked(row: PrintedRow, cells: Picks, names: tuple[str, ...]) -> Picked:
    """The picked cells of a row; none of them where its own label is among them, for then all stand beside their place.

    A number that stands in two columns, because the rule between them was lost, is neither's.
    """
    if any(cell is not None and is_label(cell) and similarity(cell.text, names) >= 0.9 for cell in cells):
        return Picked((None,) * len(cells), "lost_blanks", tuple(cell for cell in row.cells if is_number(cell)))
    twice = {id(cell) for at, cell in enumerate(cells) if cell is not None and is_number(cell) and cell in cells[:at]}
    sure = tuple(None if id(cell) in twice else cell for cell in cells)
    return Picked(sure, "extra_numbers" if _lost_numbers(row, cells) else None)


def header_spans(chunk: list[PrintedRow], table: FormTable) -> list[Span | None] | None:
    """Grid columns (first, behind the last) under each header of ``table``; None where the header is not clear.

    A label that heads several columns (结果维持 thrice, a cut 本年新 twice) is given out from left to right. A column
    whose header is not printed while most others are has no span: the table does not have it.
    """
    found: list[Span | None] = []
    used: set[int] = set()
    cells = [cell for row in chunk if not row.numbers for cell in row.cells if is_label(cell)]
    for column in table.columns:
        match = next(
            (cell for cell in cells if id(cell) not in used and similarity(cell.text, column.spellings) >= 0.9), None
        )
        if match is not None:
            used.add(id(match))
        found.append((match.col, match.col + match.colspan) if match else None)
    spans = [span for span in found if span is not None]
    ordered = all(left[1] <= right[0] for left, right in zip(spans, spans[1:], strict=False))
    return found if ordered and len(spans) >= max(1, MIN_HEADERS * len(found)) else None


def _under_header(row: PrintedRow, spans: list[Span | None]) -> Picks:
    picks = tuple(
        next((cell for cell in row.cells if cell.col < span[1] and cell.col + cell.colspan > span[0]), None)
        if span
        else None
        for span in spans
    )
    end = max((cell.col + cell.colspan for cell in row.cells), default=0)
    # A row that ends early has left out its last cells: nothing is printed in them.
    return tuple(
        _left_out(row) if cell is None and span and span[0] >= end else cell
        for cell, span in zip(picks, spans, strict=True)
    )


def _left_out(row: PrintedRow) -> PrintedCell:
    last = row.cells[-1].evidence
    return PrintedCell("", 0, 0, 1, 1, replace(last, start=last.end))


def _last(row: PrintedRow, width: int) -> Picks:
    cells = row.cells[-width:]
    return (*([None] * (width - len(cells))), *cells)


def _behind_label(row: PrintedRow, width: int) -> Picks:
    labels = [index for index, cell in enumerate(row.cells) if is_label(cell)]
    cells = row.cells[labels[-1] + 1 if labels else 0 :][:width]
    return (*cells, *([None] * (width - len(cells))))


def _printed(row: PrintedRow, width: int) -> Picks:
    """The cells behind the label that print something, if they are as many as there are columns.

    A grid that was guessed from the places of words has columns that no row of this table uses.
    """
    labels = [index for index, cell in enumerate(row.cells) if is_label(cell)]
    cells = [cell for cell in row.cells[labels[-1] + 1 if labels else 0 :] if cell.text]
    return tuple(cells) if len(cells) == width else (None,) * width


def _damage(row: PrintedRow, cells: Picks) -> int:
    """What a way of picking would cost: numbers left out, words taken for values, columns without a cell."""
    words = sum(cell is not None and is_label(cell) for cell in cells)
    twice = len(cells) - len({id(cell) for cell in cells})
    return 4 * _lost_numbers(row, cells) + 4 * words + 4 * sum(cell is None for cell in cells) + twice


def _lost_numbers(row: PrintedRow, cells: Picks) -> int:
    """Numbers behind the row's first label that are not among ``cells``; a serial number before it is no value."""
    labels = [index for index, cell in enumerate(row.cells) if is_label(cell)]
    picked = {id(cell) for cell in cells}
    behind = row.cells[labels[0] if labels else 0 :]
    return sum(is_number(cell) and id(cell) not in picked for cell in behind)


def keeps_blanks(rows: list[PrintedRow]) -> bool:
    """Whether some row of flattened text has an empty cell before a value, so that none were moved to its end."""
    return any(row.flat and _has_inner_blank(_values(row)) for row in rows)


def pick_flat(rows: list[PrintedRow], leads: list[int], width: int, totals: bool, kept: bool) -> list[Picked]:
    """The value cells of rows of flattened text, decided for all rows of a block alike.

    ``leads``: how many empty cells a row has before its values where its labels are lost. ``totals``: the last
    column is the sum of the others. Empty cells between pipes count only if the text shows that it ``kept`` them, or
    if no row has its numbers heaped before its blanks against its own sum.
    """
    values = [_values(row) for row in rows]
    kept = kept or _keeps_blanks(values, width, totals)
    # Rows of one length have a cell for every column of the grid, whatever spans it: the values are their last.
    even = len({len(row.cells) for row in rows}) == 1
    return [_pick_counted(cells, width, kept, 0 if even else lead) for cells, lead in zip(values, leads, strict=True)]


def _values(row: PrintedRow) -> tuple[PrintedCell, ...]:
    """The cells behind the last label that precedes a number; a label's wrapped rest behind the values is cut."""
    labels = [index for index, cell in enumerate(row.cells) if is_label(cell)]
    first = next(
        (index for index, cell in enumerate(row.cells) if is_number(cell) and not (labels and index < labels[0])), None
    )
    start = max((index for index in labels if first is None or index < first), default=-1)
    return tuple(cell for cell in row.cells[start + 1 :] if not is_label(cell))


def _pick_counted(cells: tuple[PrintedCell, ...], width: int, kept: bool, lead: int) -> Picked:
    printed = tuple(cell for cell in cells if cell.text)
    numbers = tuple(cell for cell in cells if is_number(cell))
    if len(printed) == width:
        return Picked(printed)
    if len(numbers) == width:
        return Picked(numbers)
    if len(numbers) > width:
        return Picked(numbers[:width], "too_many", numbers)
    if kept and len(cells) >= width:
        for window in (cells[lead:][:width], cells[-width:], cells[:width]):
            if len(window) == width and sum(bool(cell.text) for cell in window) == len(printed):
                return Picked(window)
    return Picked((None,) * width, "lost_blanks", printed[:width])


def _keeps_blanks(rows: list[tuple[PrintedCell, ...]], width: int, totals: bool) -> bool:
    """Whether empty cells between pipes stand where they were printed."""
    partial = [cells for cells in rows if 0 < sum(bool(cell.text) for cell in cells) < width <= len(cells)]
    if not any(len(cells) >= width for cells in rows):
        return False
    # Rows that print nothing but zeros and dashes balance wherever their blanks stand.
    telling = [cells for cells in partial if any(parse_printed(cell.text).value for cell in cells)]
    if not partial:
        return True
    # Columns that are left out are empty in each of them.
    even = len({sum(bool(cell.text) for cell in cells) for cells in partial}) == 1
    return totals and even and bool(telling) and not any(_heap_breaks_sum(cells, width) for cells in telling)


def _has_inner_blank(cells: tuple[PrintedCell, ...]) -> bool:
    at = [index for index, cell in enumerate(cells) if cell.text]
    return bool(at) and at[-1] >= len(at)


def _heap_breaks_sum(cells: tuple[PrintedCell, ...], width: int) -> bool:
    """``7 | 1 | 8 | ||||||``: the numbers first, the last of them their sum, and then only blanks."""
    if cells[width - 1].text:
        return False
    *parts, total = [parse_printed(cell.text).value or Decimal(0) for cell in cells if cell.text]
    return total > 0 and sum(parts) in (0, total)
