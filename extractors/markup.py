"""What HTML and Word have in common: blocks in reading order, tables as grids, and the document made of them.

A reader of a markup format turns its file into a list of blocks. Here a table that only serves the layout of a
page is told from a table of data, grids lose their phantom rows and columns, and the blocks become one text with
offsets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from extractors.document import Document, Image, PrintedCell, Table, fold
from extractors.report import Evidence, Problem

MAX_ROWS = 5_000
MAX_COLS = 200

# A cell longer than this (characters) is looked at: the longest labels seen, with their local explanations in
# brackets, have about 150.
LONG_CELL = 200
PROSE_CELL = 400

# Characters that no reader of the page sees: zero-width and directional marks, soft hyphen, variation selectors,
# the place-holder of an object.
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffc]")
_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff01-\uffee\U00020000-\U0003ffff"
# A line break of the source between two wide characters is not shown (CSS Text 3, segment break transformation).
_SEGMENT_BREAK = re.compile(rf"(?<=[{_WIDE}])[ \t\r]*\n[ \t\r\n]*(?=[{_WIDE}])")
_NUMERIC = re.compile(r"[-+−]?[\d,，.．]+\s*(?:件|项|条|个|万元|元)?")
_DIGITS = "零一二三四五六七八九"


@dataclass(slots=True)
class Picture:
    """An image at its place; width and height in the unit of the format, None where not stated."""

    reference: str
    width: float | None = None
    height: float | None = None
    data: bytes | None = None


@dataclass(slots=True)
class Notice:
    """Something met at this place that the reader could not follow; becomes a Problem."""

    code: str
    message: str


@dataclass(slots=True)
class Line:
    """A line of running text, tidied; ``linked`` counts those of its characters that stand in links.

    ``attached`` is what stands within the line without being text.
    """

    text: str
    linked: int = 0
    attached: list[Picture | Notice] = field(default_factory=list)


@dataclass(slots=True)
class GridCell:
    """A cell on its way to the grid. ``parts`` are its blocks, where it holds more than one short line."""

    text: str
    row: int = 0
    col: int = 0
    rowspan: int = 1
    colspan: int = 1
    parts: list[Block] = field(default_factory=list)
    linked: int = 0


@dataclass(slots=True)
class Grid:
    """A table of data; cells ordered by row and column."""

    cells: list[GridCell]


Block = Line | Picture | Notice | Grid


_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def raise_digits(text: str) -> str:
    """``text`` with superscript digits: the mark of a note is no digit of the figure before it."""
    return text.translate(_RAISED)


def tidy(raw: str) -> str:
    """``raw`` as a browser shows it on one line: no invisible characters, each run of blanks one space."""
    if not raw.isascii():
        raw = _INVISIBLE.sub("", raw)
        if "\n" in raw:
            raw = _SEGMENT_BREAK.sub("", raw)
    return " ".join(raw.split())


def join_lines(lines: Iterable[str]) -> str:
    """The lines of one cell in a row: a space only where two narrow characters would meet (``1`` and ``2``)."""
    text = ""
    for line in lines:
        if text and line and text[-1] < "\u2e80" and line[0] < "\u2e80":
            text += " "
        text += line
    return text


def chinese_numeral(number: int) -> str:
    """1 to 99 in Chinese (一, 十, 二十一); other numbers in digits."""
    if not 0 < number < 100:
        return str(number)
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else "十" if tens == 1 else _DIGITS[tens] + "十"
    return head + (_DIGITS[ones] if ones else "")


def place_cells(groups: Sequence[Sequence[Sequence[GridCell]]]) -> list[GridCell]:
    """Give each cell its row and column as a browser does, row group by row group (thead, tbody, tfoot).

    A rowspan ends with its group; a colspan ends where it would run into a cell from above or past MAX_COLS.
    ``rowspan`` 0 means to the end of the group.
    """
    placed: list[GridCell] = []
    offset = 0
    for rows in groups:
        busy: list[int] = []  # per column, the first row at which it is free again
        for index, row in enumerate(rows):
            col = 0
            for cell in row:
                while col < len(busy) and busy[col] > index:
                    col += 1
                left = len(rows) - index
                cell.rowspan = min(cell.rowspan, left) if cell.rowspan > 0 else left
                width = _free_width(busy, index, col, min(cell.colspan, MAX_COLS))
                busy.extend([0] * (col + width - len(busy)))
                busy[col : col + width] = [index + cell.rowspan] * width
                cell.row, cell.col, cell.colspan = offset + index, col, width
                placed.append(cell)
                col += width
        offset += len(rows)
    return placed


def _free_width(busy: list[int], row: int, col: int, wanted: int) -> int:
    """How many columns from ``col`` on, of those wanted, no cell from above covers."""
    for width in range(1, min(wanted, len(busy) - col)):
        if busy[col + width] > row:
            return width
    return wanted


def lay_out(cells: list[GridCell]) -> list[Block]:
    """The blocks of one table of the source, whose cells have their rows and columns.

    A row that holds a table or prose in a cell is layout: its cells follow each other as text, and the rows
    before and after are tables of their own. What is left with one column is text as well.
    """
    if not any(_is_prose(cell) for cell in cells):
        return _finish(cells)
    blocks: list[Block] = []
    segment: list[GridCell] = []
    for _, group in groupby(cells, key=lambda cell: cell.row):
        row = list(group)
        prose = [cell for cell in row if _is_prose(cell)]
        if not prose or _is_data_row(row, prose):
            segment += row
            continue
        blocks += _finish(segment)
        segment = []
        if any(cell.rowspan > 1 for cell in prose) and len(row) > len(prose):
            # A tall cell of prose beside rows of data: it goes before them, its place in the grid is empty.
            for cell in prose:
                blocks += _flow(cell)
                cell.text, cell.parts = "", []
            segment = row
        else:
            for cell in row:
                blocks += _flow(cell)
    return blocks + _finish(segment)


def _is_prose(cell: GridCell) -> bool:
    length = len(cell.text)
    if length > LONG_CELL and (length > PROSE_CELL or cell.text.count("。") > 1):
        return True
    return any(isinstance(part, Grid) for part in cell.parts)


def _is_data_row(row: list[GridCell], prose: list[GridCell]) -> bool:
    """Whether a row with a long cell is data all the same: figures stand beside the long label."""
    if any(isinstance(part, Grid) for cell in prose for part in cell.parts):
        return False
    return any(_NUMERIC.fullmatch(cell.text) for cell in row)


def _flow(cell: GridCell) -> list[Block]:
    """A cell as running text."""
    if any(not isinstance(part, Picture | Notice) for part in cell.parts):
        return cell.parts
    lines: list[Block] = [Line(cell.text, cell.linked)] if cell.text else []
    return lines + cell.parts


def _finish(cells: list[GridCell]) -> list[Block]:
    """A grid, or lines where the cells that hold anything stand in a single column."""
    if len({cell.col for cell in cells if cell.text}) > 1:
        _compress(cells)
        return [Grid(cells)]
    return [block for cell in cells for block in _flow(cell)]


def _compress(cells: list[GridCell]) -> None:
    """Take out the rows and columns in which no cell begins, and cut spans that run past the last row."""
    rows = {row: index for index, row in enumerate(sorted({cell.row for cell in cells}))}
    cols = {col: index for index, col in enumerate(sorted({cell.col for cell in cells}))}
    height = max(cell.row + cell.rowspan for cell in cells)
    if len(rows) == height and len(cols) == max(cell.col + cell.colspan for cell in cells):
        return
    for cell in cells:
        below = sum(1 for row in rows if cell.row <= row < cell.row + cell.rowspan) if cell.rowspan > 1 else 1
        across = sum(1 for col in cols if cell.col <= col < cell.col + cell.colspan) if cell.colspan > 1 else 1
        cell.row, cell.col, cell.rowspan, cell.colspan = rows[cell.row], cols[cell.col], below, across


def compose(media_type: str, blocks: Iterable[Block], hints: dict[str, str]) -> Document:
    """The document of the blocks: lines end with a line break, cells are parted by tabs, rows by line breaks."""
    pieces: list[str] = []
    position = 0
    met: list[tuple[int, Picture | Notice]] = []
    grids: list[tuple[int, int, list[tuple[GridCell, int]]]] = []
    for block in blocks:
        if isinstance(block, Line):
            pieces.append(block.text + "\n")
            met += [(position, part) for part in block.attached]
            position += len(block.text) + 1
        elif isinstance(block, Grid):
            starts, text = _write_grid(block, position)
            pieces.append(text)
            grids.append((position, position + len(text) - 1, starts))
            position += len(text)
            met += [(at, part) for cell, at in starts for part in _attached(cell)]
        else:
            met.append((position, block))
    folded = fold("".join(pieces))
    return Document(
        media_type,
        folded,
        tables=tuple(_table(folded, *grid) for grid in grids),
        images=tuple(
            Image(at, part.reference, width=part.width, height=part.height, data=part.data)
            for at, part in met
            if isinstance(part, Picture)
        ),
        hints=hints,
        problems=tuple(
            Problem(part.code, part.message, Evidence(start=at, end=at)) for at, part in met if isinstance(part, Notice)
        ),
    )


def _attached(cell: GridCell) -> list[Picture | Notice]:
    """The images and notices of a cell that stays a cell."""
    found: list[Picture | Notice] = []
    for part in cell.parts:
        if isinstance(part, Picture | Notice):
            found.append(part)
        elif isinstance(part, Line):
            found += part.attached
    return found


def _write_grid(grid: Grid, position: int) -> tuple[list[tuple[GridCell, int]], str]:
    starts: list[tuple[GridCell, int]] = []
    pieces: list[str] = []
    row = grid.cells[0].row
    for cell in grid.cells:
        if starts:
            pieces.append("\t" if cell.row == row else "\n")
            position += 1
        row = cell.row
        starts.append((cell, position))
        pieces.append(cell.text)
        position += len(cell.text)
    pieces.append("\n")
    return starts, "".join(pieces)


def _table(text: str, start: int, end: int, starts: list[tuple[GridCell, int]]) -> Table:
    cells = tuple(
        PrintedCell(
            text[at : at + len(cell.text)],
            cell.row,
            cell.col,
            cell.rowspan,
            cell.colspan,
            Evidence(start=at, end=at + len(cell.text)),
        )
        for cell, at in starts
    )
    rows = max(cell.row + cell.rowspan for cell in cells)
    cols = max(cell.col + cell.colspan for cell in cells)
    return Table("markup", cells, rows, cols, start, end)
