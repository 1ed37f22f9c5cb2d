"""The prose of a document: what stands outside its tables, in paragraphs, each character with its place.

PDF text ends a line wherever the page did, and scrapers leave line ends in mid-phrase; a page number may stand
between two halves of a sentence. Such line ends are taken out, all others end a paragraph.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from extractors.document import Document, Table
from extractors.report import Evidence
from extractors.text import FURNITURE

# A cell of a layout table with this many characters and a full stop in it is a paragraph, not a value.
MIN_PARAGRAPH = 40
# A wrapped line is nearly as wide as the widest lines around it, in full-width characters.
FULL = 0.85
# Below this width a line without a stop is a heading, not the beginning of a sentence.
MIN_WRAPPED = 16
# A header of a table that stands apart from its rows has at most so many characters.
MAX_HEADER = 24

_STOPS = "。!?;:！？；："
_OPEN = re.compile(r"[,、(（“《〈—-]$|(?<=\d)$")
# What begins a paragraph: numbered heads, list marks, brackets of a heading.
_HEAD = re.compile(
    r"^\s*(?:[一二三四五六七八九十]{1,3}[、.．]|第[一二三四五六七八九十]{1,3}[章部节条]|[(（][一二三四五六七八九十\d]{1,3}[)）]|"
    r"\d{1,2}[、.．](?!\d)|[●■◆▲★○◎·•※*►➢]|【|附件?[:：\d]|表\d)"
)
_TOP_HEAD = re.compile(r"^\s*[一二三四五六七八九]、")
_SENTENCE_MARK = re.compile(r"[。;；,，]")


@dataclass(frozen=True, slots=True)
class Prose:
    """``text`` in paragraphs, one a line; its character i stands at ``origin[i]`` in the document's text."""

    text: str
    origin: tuple[int, ...]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The document's offsets of a stretch of at least one character."""
        return self.origin[start], self.origin[end - 1] + 1


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    text: str
    page: int | None
    blank_above: bool


def find_prose(document: Document, stretches: Iterable[tuple[int, int]] = ()) -> Prose:
    """The prose of ``document`` without the tables at ``stretches`` and without other tables of short cells."""
    taken = _table_stretches(document.tables, sorted(stretches))
    return _paragraphs(_lines(document, taken), paged=bool(document.pages))


def join_lines(text: str) -> Prose:
    """The prose of a passage that stands alone, its line ends in mid-phrase taken out."""
    return find_prose(Document("text/plain", text))


def _table_stretches(tables: Sequence[Table], found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    taken = list(found)
    for table in tables:
        is_form = any(start < table.end and table.start < end for start, end in found)
        if is_form or not any(_is_paragraph(cell.text) for cell in table.cells):
            taken.append((table.start, table.end))
    taken.sort()
    merged: list[tuple[int, int]] = []
    for start, end in taken:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _is_paragraph(text: str) -> bool:
    return len(text) >= MIN_PARAGRAPH and bool(_SENTENCE_MARK.search(text))


def _lines(document: Document, taken: list[tuple[int, int]]) -> list[_Line]:
    """The lines outside tables, without blank lines, page numbers and headers of tables that stand apart."""
    lines: list[_Line] = []
    starts = [start for start, _ in taken]
    page_starts = [page.start for page in document.pages]
    at, blank = 0, True
    for raw in document.text.splitlines(keepends=True):
        start, at = at, at + len(raw)
        text = raw.strip()
        begin = start + (len(raw) - len(raw.lstrip()))
        table = bisect_right(starts, begin) - 1
        inside = table >= 0 and begin < taken[table][1]
        if inside or (table + 1 < len(starts) and starts[table + 1] < begin + len(text)):
            while lines and _is_header(lines[-1]):
                lines.pop()
            blank = True
        elif text and not FURNITURE.match(text):
            page = bisect_right(page_starts, begin) or None
            lines.append(_Line(begin, begin + len(text), text, page, blank))
            blank = False
        elif not text:
            blank = True
    return lines


def _is_header(line: _Line) -> bool:
    short = len(line.text) <= MAX_HEADER and not _SENTENCE_MARK.search(line.text)
    return short and not _TOP_HEAD.match(line.text)


def _paragraphs(lines: list[_Line], paged: bool) -> Prose:
    chars: list[str] = []
    origin: list[int] = []
    for number, line in enumerate(lines):
        if number and not _continues(lines, number, paged):
            chars.append("\n")
            origin.append(lines[number - 1].end)
        chars += line.text
        origin += range(line.start, line.end)
    return Prose("".join(chars), tuple(origin))


def _continues(lines: list[_Line], number: int, paged: bool) -> bool:
    """Whether the line goes on with the sentence of the line above it."""
    above, line = lines[number - 1], lines[number]
    if above.text[-1] in _STOPS or _HEAD.match(line.text):
        return False
    new_page = above.page != line.page
    if line.blank_above and not new_page:
        return False
    if _OPEN.search(above.text):
        return not _HEAD.match(above.text) or len(above.text) >= MIN_WRAPPED
    around = lines[max(0, number - 6) : number + 6]
    full = max(_width(other.text) for other in around)
    return _width(above.text) >= max(MIN_WRAPPED, FULL * full) and (paged or full <= 60)


def _width(text: str) -> float:
    """Width in full-width characters."""
    return sum(1.0 if char > "\u2e7f" else 0.5 for char in text)


def evidence(document: Document, prose: Prose, start: int, end: int) -> Evidence:
    """Evidence for a stretch of the prose."""
    return document.evidence(*prose.place(start, end))
