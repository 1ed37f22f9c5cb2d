"""The printed rows of a document, from grids or from flattened text, in one shape.

A row is what stands between two row ends: label texts and value cells. Rows of all tables follow each other in
reading order, because a table may break over pages, be cut into several or be glued to its neighbour.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

from extractors.document import Document, PrintedCell, Table
from extractors.numbers import is_unit, parse_printed
from extractors.text import FURNITURE, flat_cell, split_cells


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """One printed row: every cell of it from left to right, and which of them are labels.

    ``labels`` are the texts that are no values, left to right; ``numbers`` counts the cells that print a number.
    ``chunk`` numbers the table that the row comes from; ``flat`` says that cells without text left no trace, so
    that positions within the row mean nothing.
    """

    cells: tuple[PrintedCell, ...]
    labels: tuple[str, ...]
    numbers: int
    chunk: int
    page: int | None = None
    flat: bool = False


def make_row(cells: tuple[PrintedCell, ...], chunk: int = 0, page: int | None = None, flat: bool = False) -> PrintedRow:
    """The row of ``cells``, its labels and numbers told apart."""
    kinds = [parse_printed(cell.text).kind for cell in cells]
    labels = tuple(cell.text for cell, kind in zip(cells, kinds, strict=True) if kind == "text")
    return PrintedRow(cells, labels, kinds.count("number"), chunk, page, flat)


def is_label(cell: PrintedCell) -> bool:
    """Whether the cell holds words, not a value and not nothing."""
    return parse_printed(cell.text).kind == "text"


def is_number(cell: PrintedCell) -> bool:
    """Whether the cell prints a number."""
    return parse_printed(cell.text).kind == "number"


def table_rows(tables: tuple[Table, ...]) -> list[PrintedRow]:
    """The rows of all tables in order; a cell that spans rows belongs to the first of them.

    Where pipes or tabs made the table, a scraper may have moved its empty cells: unless some stand between others,
    its rows count as flattened.
    """
    rows = []
    for chunk, table in enumerate(tables):
        flat = table.source == "delimited" and not has_inner_blanks(table)
        for _, cells in groupby(table.cells, key=lambda cell: cell.row):
            rows.append(make_row(tuple(cells), chunk, table.page, flat=flat))
    return rows


def has_inner_blanks(table: Table) -> bool:
    """Whether empty cells stand between printed ones: a table whose blanks were moved has them at row ends only."""
    for _, cells in groupby(table.cells, key=lambda cell: cell.row):
        printed = [bool(cell.text) for cell in cells]
        if True in printed and False in printed[printed.index(True) : len(printed) - printed[::-1].index(True)]:
            return True
    return False


# The longest header of a column has ten characters; a line of short pieces is a row of headers.
MAX_HEADER = 14
# No printed row has more pieces: three labels, each broken twice, and fifteen values.
MAX_PIECES = 24
# Values that, alone on a line, are a row.
MIN_VALUES = 3
# A label and its value with too little room between them (行政许可1,163).
_GLUED = re.compile(
    r"^\s*(\S.{1,80}?[\u4e00-\u9fff)）”])[:：]?"
    r"([-+]?\d[\d,]*(?:\.\d+)?(?:万元|亿元|元|件次|人次|条次|件|条|次|篇|个|人|项)?|[—-]{1,2}|/)[;；。,，]?\s*$"
)
_TIGHT = re.compile(r"^(.*[\u4e00-\u9fff)）”])([-+]?\d[\d,]*)$")
# A pipe, then a cell, be it empty; the bare pipes of columns that a header spans have no room between them.
_OPENING = re.compile(r"^\s*\|\s*(?:[^|\s]|\s\|)")
_OPENED_WORDS = re.compile(r"^\s*\|\s*[\u4e00-\u9fff]")
# Rows that open with a pipe and words, from which on "| |" is the beginning of a row whose label is lost.
MIN_OPENED = 3
# How many times as many lines hold one cell as hold several where each cell has its line.
MANY_LINES = 5
# A column of serial numbers has at least so many.
MIN_SERIALS = 8
_RULE = re.compile(r"^[\s|:+=-]*-{3,}[\s|:+=-]*$")


def text_rows(document: Document) -> list[PrintedRow]:
    """Rows of flattened text: each label with the values that follow it, before the next label.

    A line is one cell, or several cells set apart by pipes or tabs, or a label followed by values set apart by
    spaces. Cells between pipes may be empty; elsewhere empty cells left no trace.
    """
    rows: list[list[PrintedCell]] = []
    above = ""
    lines = _lines(document)
    pipes_open_rows = _pipes_open_rows([document.text[start:end] for start, end in lines])
    for start, end in lines:
        line = document.text[start:end]
        if pipes_open_rows and _OPENING.match(line):
            rows.append([])
            # The pipe that opens the row ends no cell.
            start, line = start + line.index("|") + 1, line[line.index("|") + 1 :]
        # A pipe on a line of its own ends the cell above it; behind another pipe it ends an empty cell.
        lone = line.strip() == "|" and "|" not in above
        above = line if line.strip() and not FURNITURE.match(line.strip()) else above
        tokens = [] if lone else _line_cells(line, start)
        # A line of nothing but values below one of as many is a row that lost its label.
        if rows and _is_bare_row(tokens) and _is_bare_row(rows[-1][-len(tokens) :]):
            rows.append([])
        for token in tokens:
            if not rows or (is_label(token) and not is_unit(token.text)):
                rows.append([])
            rows[-1].append(token)
    return [_flat_row(cells) for cells in _without_serials(rows) if cells]


def _without_serials(rows: list[list[PrintedCell]]) -> list[list[PrintedCell]]:
    """Rows without the serial number (序号) of the next row: on a line of its own it looks like their last value.

    Serial numbers rise from 1, one a row; the first of them stands behind a header, where no value stands.
    """
    last = [row[-1].text if row else "" for row in rows]
    serials: set[int] = set()
    for first, text in enumerate(last):
        end = first
        while end < len(rows) and last[end] == str(end - first + 1):
            end += 1
        header = text == "1" and all(is_label(cell) for cell in rows[first][:-1])
        if header and end - first >= MIN_SERIALS:
            serials.update(range(first, end))
    return [row[:-1] if number in serials else row for number, row in enumerate(rows)]


def cells_on_lines(document: Document) -> bool:
    """Whether pipes end cells on lines of their own: then an empty cell has its line where it was printed."""
    lines = [document.text[start:end] for start, end in _lines(document)]
    held = [sum(bool(part.strip()) for part in line.split("|")) for line in lines if "|" in line]
    return held.count(1) > MANY_LINES * sum(count > 1 for count in held)


def _pipes_open_rows(lines: list[str]) -> bool:
    """Whether a pipe before the first cell of a line opens a row: it stands before words, but before few values."""
    values = [line.lstrip() for line in lines if "|" in line and parse_printed(line.strip(" |")).kind == "number"]
    opened = sum(line.startswith("|") for line in values)
    words = sum(bool(_OPENED_WORDS.match(line)) for line in lines)
    return words >= MIN_OPENED and opened * 2 < len(values)


def _is_bare_row(cells: list[PrintedCell]) -> bool:
    return sum(bool(cell.text) for cell in cells) >= MIN_VALUES and not any(is_label(cell) for cell in cells)


def _flat_row(cells: list[PrintedCell]) -> PrintedRow:
    return make_row(tuple(cells), page=cells[0].evidence.page, flat=True)


def _lines(document: Document) -> list[tuple[int, int]]:
    """Offsets of the lines outside tables that a grid already holds."""
    taken = [(table.start, table.end) for table in document.tables]
    lines, start = [], 0
    for line in document.text.splitlines(keepends=True):
        end = start + len(line.rstrip())
        if not any(low <= start < high for low, high in taken):
            lines.append((start, end))
        start += len(line)
    return lines


def _line_cells(line: str, start: int) -> list[PrintedCell]:
    if not line.strip() or FURNITURE.match(line.strip()) or (_RULE.match(line)):
        return []
    cells = _delimited(line, start) if "|" in line or "\t" in line else _spaced(line, start)
    # A serial number (序号) before a label is no value of the row above, nor is the 三 of an upright label a value.
    serial = len(cells) > 1 and is_number(cells[0]) and is_label(cells[1])
    upright = len(cells) > MIN_VALUES and len(cells[0].text) == 1 and cells[0].text in "一二三四五六七八九十"
    return cells[1:] if serial or upright else cells


def _delimited(line: str, start: int) -> list[PrintedCell]:
    """Cells that pipes or tabs end; a line of nothing but pipes ends as many empty cells."""
    if line.strip(" |\t"):
        return split_cells(line, start)
    return [flat_cell("", start + match.start()) for match in re.finditer(r"\|", line)]


def _spaced(line: str, start: int) -> list[PrintedCell]:
    """A line as one cell, or as its pieces where it holds values or nothing but short labels.

    A label may be wrapped around its values (2.没有现成信息需要另行制 26 0 … 作): what follows them is a cell too.
    """
    pieces = [(match.start(), match.group()) for match in re.finditer(r"\S+", line)]
    values = [parse_printed(piece).kind != "text" for _, piece in pieces]
    glued = _GLUED.match(line) if len(pieces) == 1 and not values[0] else None
    if glued:
        return [flat_cell(glued[1], start), flat_cell(glued[2], start + glued.start(2))]
    # A row of headers; or a whole table on one line, whose labels are put together again where they are compared.
    if len(pieces) > MAX_PIECES or (all(len(piece) <= MAX_HEADER for _, piece in pieces) and not any(values)):
        return [flat_cell(piece, start + at) for at, piece in pieces]
    # One value counts only at the end of a short line (指标 条 24): prose has figures in it too.
    if sum(values) < 2 and not (len(pieces) <= 4 and values[-1] and not values[0]):
        return [flat_cell(line, start)]
    # The first value may be glued to its label ((一)予以公开5 0 0 …).
    first = values.index(True)
    tight = _TIGHT.match(pieces[first - 1][1]) if first else None
    if tight:
        at, _ = pieces[first - 1]
        pieces[first - 1 : first] = [(at, tight[1]), (at + tight.start(2), tight[2])]
        values.insert(first, True)
    cells, run = [], 0
    for index, is_value in enumerate([*values, True]):
        if is_value and index > run:
            low, high = pieces[run][0], pieces[index - 1][0] + len(pieces[index - 1][1])
            cells.append(flat_cell(line[low:high], start + low))
        if is_value and index < len(pieces):
            cells.append(flat_cell(pieces[index][1], start + pieces[index][0]))
        run = index + 1 if is_value else run
    return cells
