"""Plain text, as scrapers leave it, to a document."""

from __future__ import annotations

import re
from pathlib import Path

from extractors.charset import decode_page
from extractors.document import Document, PrintedCell, Table, fold
from extractors.errors import DamagedFile, EmptyFile, LimitExceeded
from extractors.report import Evidence

# A long report is some 100 kB; what is a hundred times that is no report.
MAX_BYTES = 10_000_000

_SEPARATOR = re.compile(r"[|\t]")
# Page numbers are the standard intruder between the rows of flattened text; a bare number cannot be told from a
# value, these can.
FURNITURE = re.compile(r"^(?:[-—–]{1,2}\s*\d{1,3}\s*[-—–]{1,2}|第\s*\d{1,3}\s*页.*|\d{1,3}\s*/\s*\d{1,3}|-{3,}.*)$")
_RULE = re.compile(r"^[\s|:+=-]*-{3,}[\s|:+=-]*$")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read_text(data: bytes, path: Path) -> Document:
    """The document in a plain text file; rows that stand whole on a line between pipes or tabs are tables.

    Raises:
        EmptyFile: there is nothing but white space.
        DamagedFile: the bytes are no text in UTF-8, UTF-16, GB18030 or Big5.
        LimitExceeded: the file is larger than :data:`MAX_BYTES`.
    """
    if len(data) > MAX_BYTES:
        raise LimitExceeded(path, f"{len(data):,} bytes of text; at most {MAX_BYTES:,} are read")
    text = fold(decode(data, path)).replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    if not text.strip():
        raise EmptyFile(path, "no text")
    return Document("text/plain", text, tables=tuple(_tables(text)))


def decode(data: bytes, path: Path) -> str:
    """The characters of ``data``, whatever encoding a Chinese site or editor has written; control characters as spaces.

    Raises:
        DamagedFile: more than one character in fifty is none.
    """
    text = decode_page(data)
    if text.count("\ufffd") + len(_CONTROL.findall(text)) > len(text) // 50:
        raise DamagedFile(path, "the bytes are no text in UTF-8, UTF-16, GB18030 or Big5")
    return _CONTROL.sub(" ", text)


def _tables(text: str) -> list[Table]:
    """Runs of lines that each hold a row of three cells or more between pipes or tabs."""
    tables: list[Table] = []
    run: list[tuple[int, str]] = []
    start = 0
    for line in [*text.splitlines(keepends=True), "end"]:
        body = line.rstrip("\n")
        if _is_row(body):
            run.append((start, body))
        elif body.strip() and not FURNITURE.match(body.strip()):
            if _is_table(run):
                tables.append(_table(run))
            run = []
        start += len(line)
    return tables


def _is_row(line: str) -> bool:
    return bool(_SEPARATOR.search(line)) or bool(line.strip() and _RULE.match(line))


def _is_table(run: list[tuple[int, str]]) -> bool:
    # A scraper that puts one cell on a line also leaves pipes, one or two a line: that is flattened text.
    whole = sum(_holds_row(line) for _, line in run)
    return len(run) >= 2 and whole * 2 > len(run)


def _holds_row(line: str) -> bool:
    parts = _SEPARATOR.split(line)
    return sum(bool(part.strip()) for part in parts) >= 2 or len(parts) >= 6


def _table(run: list[tuple[int, str]]) -> Table:
    rows = [split_cells(line, start, number) for number, (start, line) in enumerate(run) if not _RULE.match(line)]
    cells = tuple(cell for row in rows for cell in row)
    start, end = run[0][0], run[-1][0] + len(run[-1][1])
    return Table("delimited", cells, len(run), max((len(row) for row in rows), default=0), start, end)


def split_cells(line: str, start: int, row: int = 0) -> list[PrintedCell]:
    """The cells of a line that pipes or tabs divide, with their offsets (``start`` is that of the line).

    A pipe before the first cell opens the row and nothing follows the last pipe; tabs stand between cells.
    """
    ends = [*(match.start() for match in _SEPARATOR.finditer(line)), len(line)]
    parts = [(low, line[low:high]) for low, high in zip([0, *(end + 1 for end in ends[:-1])], ends, strict=True)]
    if "|" in line and not parts[0][1].strip():
        parts = parts[1:]
    if "|" in line and parts and not parts[-1][1].strip():
        parts = parts[:-1]
    return [flat_cell(part, start + at, row, col) for col, (at, part) in enumerate(parts)]


def flat_cell(part: str, at: int, row: int = 0, col: int = 0) -> PrintedCell:
    """A cell that holds ``part``, which stands at offset ``at``, without the white space around it."""
    text = part.strip()
    first = at + (len(part) - len(part.lstrip()) if text else 0)
    return PrintedCell(text, row, col, 1, 1, Evidence(start=first, end=first + len(text)))
