"""A table of one unlabelled row (行政复议、行政诉讼): fifteen values under headers, however they are laid out.

Publishers print it as one wide row, as three small tables, or with the three procedures as rows. In each of them
the values, read line by line behind the headers, come in the form's order.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from extractors.columns import header_spans
from extractors.document import PrintedCell
from extractors.forms import FormTable
from extractors.labels import label_key, similarity
from extractors.numbers import parse_printed
from extractors.report import Evidence
from extractors.rows import PrintedRow, is_label, is_number

# How many different labels of the table must stand before its values: fewer occur by chance in other tables.
MIN_LABELS = 3
# Rows without a label of the table that may stand between its header and its values.
MAX_GAP = 3
# Lines that headers printed one character a line can fill between the heading and the values.
STACKED = 24
# The share of the cells of a grid row without numbers that are pieces of headers, from which on it is a header.
MOST_PIECES = 0.6
# A row of fewer cells without any number is a gap, not a row of blanks: the narrowest layout has five outcomes.
MIN_BLANKS = 5


@dataclass(frozen=True, slots=True)
class SingleRow:
    """The value cells in the form's order, None where a value could not be told.

    ``loose`` holds the printed values of a row whose blanks were lost, in order.
    """

    cells: tuple[PrintedCell | None, ...]
    score: float
    confidence: float
    evidence: Evidence | None
    problem: str | None = None
    loose: tuple[PrintedCell, ...] = ()


def read_single_row(rows: list[PrintedRow], table: FormTable) -> SingleRow | None:
    """The values of ``table`` among ``rows``; None where its headers are not there."""
    labels = _label_groups(table)
    start = _find_header(rows, labels)
    if start is None:
        return _find_bare_run(rows, table)
    values, last = _collect(rows, start, labels, table)
    seen = {name for row in rows[start : last + 1] for name in _hits(row, labels)}
    where = _evidence(rows[start : last + 1])
    score = float(len(seen))
    chunk = [row for row in rows[start : last + 1] if row.chunk == rows[start].chunk]
    cells = _arrange(values, chunk, table)
    if cells is not None:
        return SingleRow(cells, score, 0.97 if rows[start].flat else 0.99, where)
    printed = " ".join(cell.text for cell in values if is_number(cell))
    problem = f"{len(values)} values stand under the headers of {table.id}, not {len(table.columns)}: {printed}"
    loose = tuple(cell for cell in values if cell.text) if rows[start].flat else ()
    return SingleRow((None,) * len(table.columns), score, 0.0, where, problem, loose)


def _label_groups(table: FormTable) -> dict[str, tuple[str, ...]]:
    """Labels that belong to this table, by name. A total heads columns elsewhere too and proves nothing."""
    groups = {column.label: column.spellings for column in table.columns if not column.key.endswith("total")}
    return groups | {text: (text,) for text in table.corner}


def _hits(row: PrintedRow, labels: dict[str, tuple[str, ...]]) -> set[str]:
    return {name for text in row.labels for name, group in labels.items() if similarity(text, group) >= 0.9}


def _find_header(rows: list[PrintedRow], labels: dict[str, tuple[str, ...]]) -> int | None:
    """The first row of the header: from there on enough of the labels stand close together."""
    hits = [_hits(row, labels) for row in rows]
    for index, found in enumerate(hits):
        near = set().union(*hits[index : index + MAX_GAP + 1])
        if found and len(near) >= MIN_LABELS:
            return index
    return None


def _collect(
    rows: list[PrintedRow], start: int, labels: dict[str, tuple[str, ...]], table: FormTable
) -> tuple[list[PrintedCell], int]:
    """Value cells behind the header in reading order, and the index of the last row that gave one."""
    width = len(table.columns)
    whole = "|".join(label_key(text) for column in table.columns for text in (*column.path, column.label))
    values: list[PrintedCell] = []
    last = gap = start
    headed, chunk = True, rows[start].chunk
    for index, row in enumerate(rows[start:], start):
        # Headers broken over lines (结果 结果 其他 / 维持 纠正 结果, or one character a line) belong to the header too.
        # A recogniser garbles some of them.
        held = sum(label_key(label) in whole for label in row.labels)
        pieces = held > 0 and held >= len(row.labels) * (1 if row.numbers or row.flat else MOST_PIECES)
        known = pieces or bool(_hits(row, labels))
        if known:
            gap, headed = index, True
        # In a grid whose header was met, words that are no label of it are garbled, and one cell is one value.
        inside = not row.flat and row.chunk == chunk
        if inside and len(row.cells) == width and row.numbers * 2 >= width:
            return list(row.cells), index
        known = known or (inside and not row.numbers)
        chunk = row.chunk if known else chunk
        strange = bool(row.labels) and not known and not _only_totals(row)
        if (strange and (values or not row.flat)) or index - gap > MAX_GAP:
            break
        found = _row_values(row)
        # Header cells that span columns leave empty cells behind, and an empty line between header and values is no
        # row of empty values.
        blanks = headed and len(found) >= MIN_BLANKS and (not row.labels or all(cell.text for cell in found))
        if blanks or any(is_number(cell) for cell in found):
            values.extend(found)
            last, headed = index, False
        if sum(map(is_number, values)) >= width or len(values) >= width:
            break
    return values, last


def _only_totals(row: PrintedRow) -> bool:
    return all(label_key(label) in ("总计", "合计", "数量", "案件数量", "件数") for label in row.labels)


def _row_values(row: PrintedRow) -> list[PrintedCell]:
    numbers = [index for index, cell in enumerate(row.cells) if is_number(cell)]
    before = row.cells[: numbers[0]] if numbers else row.cells
    start = max((index for index, cell in enumerate(before) if is_label(cell)), default=-1)
    return [cell for cell in row.cells[start + 1 :] if not is_label(cell)]


def _arrange(
    values: list[PrintedCell], chunk: list[PrintedRow], table: FormTable
) -> tuple[PrintedCell | None, ...] | None:
    width = len(table.columns)
    if chunk[0].flat and _is_heaped(values, chunk):
        return None
    if len(values) == width:
        return tuple(values)
    numbers = [cell for cell in values if is_number(cell)]
    if len(numbers) == width:
        return tuple(numbers)
    if not numbers and chunk[0].flat:
        # The headers are there and nothing behind them: empty cells leave no trace in flattened text.
        at = chunk[-1].cells[-1].evidence.end
        return (PrintedCell("", 0, 0, 1, 1, Evidence(start=at, end=at)),) * width
    bordered = _without_border(values, table) if chunk[0].flat else None
    if bordered is not None:
        return bordered
    kept = values[:width]
    if len(values) > width and len(numbers) == sum(map(is_number, kept)):
        return tuple(kept)
    spans = None if chunk[0].flat else header_spans(chunk, table)
    if spans is None:
        return None
    return tuple(
        next((cell for cell in values if span and cell.col < span[1] and cell.col + cell.colspan > span[0]), None)
        for span in spans
    )


def _without_border(values: list[PrintedCell], table: FormTable) -> tuple[PrintedCell, ...] | None:
    """The values behind one empty cell too many, which the border between header and values left; else None.

    The empty cell could also be one further on, so the totals must come out as printed.
    """
    if len(values) != len(table.columns) + 1 or values[0].text:
        return None
    parts = Decimal(0)
    for column, cell in zip(table.columns, values[1:], strict=True):
        value = parse_printed(cell.text).value or Decimal(0)
        if not column.key.endswith("total"):
            parts += value
        elif value != parts:
            return None
        else:
            parts = Decimal(0)
    return tuple(values[1:])


def _is_heaped(values: list[PrintedCell], rows: list[PrintedRow]) -> bool:
    """Whether the printed rows that have empty cells show first their values and then only empty cells."""
    taken = {id(cell) for cell in values}
    printed = [[bool(cell.text) for cell in row.cells if id(cell) in taken] for row in rows]
    partial = [row for row in printed if any(row) and not all(row)]
    return bool(partial) and all(row == sorted(row, reverse=True) for row in partial)


def _find_bare_run(rows: list[PrintedRow], table: FormTable) -> SingleRow | None:
    """As many values in a row as the table has, behind a label that names its subject (headers lost or stacked)."""
    width = len(table.columns)
    subject = label_key(table.corner[0]) if table.corner else ""
    for index, row in enumerate(rows):
        if row.numbers != width and (row.flat or len(row.cells) != width or row.labels or not row.numbers):
            continue
        labels = [label for other in rows[max(0, index - STACKED) : index + 1] for label in other.labels]
        if subject and any(subject in label_key(text) for text in labels):
            values = tuple(cell for cell in row.cells if not is_label(cell) and (not row.flat or is_number(cell)))
            return SingleRow(values[-width:], 1.0, 0.9, _evidence([row]))
    return None


def _evidence(rows: list[PrintedRow]) -> Evidence | None:
    cells = [cell.evidence for row in rows for cell in row.cells if cell.evidence.start is not None]
    if not cells:
        return None
    first, last = cells[0], cells[-1]
    return Evidence(page=first.page, box=first.box, start=first.start, end=last.end)
