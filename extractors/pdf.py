"""A PDF file to a Document: opens it, reads each page, says which pages only OCR can read.

pdfplumber opens the file. Its pages are interpreted by the engine under it (pdfminer) with the device of
``extractors.canvas``, which keeps glyphs, rules and images and nothing else: the same reading as that of
``pdfplumber.Page.objects`` at about half the cost, and the number of objects is bounded while they come.
"""

from __future__ import annotations

import itertools
import logging
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pdfplumber
from numpy.typing import NDArray
from pdfminer.ascii85 import ascii85decode, asciihexdecode
from pdfminer.pdfdocument import PDFEncryptionError, PDFPasswordIncorrect, PDFXRefFallback
from pdfminer.pdfinterp import PDFPageInterpreter
from pdfminer.pdfpage import PDFPage
from pdfminer.pdftypes import PDFStream, dict_value, int_value, stream_value
from pdfplumber.pdf import PDF
from pdfplumber.utils.exceptions import PdfminerException

from extractors.canvas import Canvas, Sheet, TooManyObjectsError
from extractors.document import Document, Image, Page, PageKind, PrintedCell, Table, Word, fold
from extractors.errors import DamagedFile, EmptyFile, EncryptedFile, LimitExceeded, UnreadableFile
from extractors.glyphs import Glyph, Run, cell_text, group_lines, line_text, mark_raised, turn_box, turn_glyph
from extractors.grids import Grid, turn_drawing
from extractors.gutters import Seen
from extractors.legibility import is_garbage
from extractors.pdf_images import MAX_HELD_BYTES, dots, held_bytes, is_cut, is_layered
from extractors.pictures import MAX_SCANNED_PAGES, compose_scan
from extractors.render import Renderer
from extractors.report import Box, Evidence, Problem
from extractors.scan import coarse, read_image, without_end
from extractors.tables import columns_below, find_grids

MEDIA_TYPE = "application/pdf"
MAX_BYTES = 200 * 1024 * 1024
MAX_PAGES = 500
MAX_OBJECTS = 3_000_000  # of all pages together; a report of ten pages has 30,000
MAX_CONTENT_BYTES = 32 * 1024 * 1024  # of the drawing instructions of one page, unpacked

_COVERING = 0.5  # share of the page that the images of a scanned page cover at least
_FEW_GLYPHS = 20  # visible characters that a scanned page may carry (a page number, the name of a scanning program)
_FEW_GLYPHS_FULL = 60  # the same where images cover nearly the whole page
_FULL = 0.85
_NOTABLE_PT = (100.0, 40.0)  # an image at least so wide and high may show a table
_LEAST_DPI = 90  # in black and white; digits of 9 points are 7 pixels high at 72
_UNIFORM = 12  # of 255; a row of pixels that differ by less shows nothing
_OUTLINES = 200  # paths on a page without text: its text was turned into outlines

_PLAIN_FILTERS = {
    "ASCII85Decode": ascii85decode,
    "A85": ascii85decode,
    "ASCIIHexDecode": asciihexdecode,
    "AHx": asciihexdecode,
}

logger = logging.getLogger(__name__)

# What pdfminer says of odd fonts and colours is of no use to the user, and without a handler it would reach stderr.
logging.getLogger("pdfminer").setLevel(logging.CRITICAL)
logging.getLogger("pdfplumber").setLevel(logging.CRITICAL)


_UNREADABLE = {
    "scan": ("page.scan", "an image of a page without text; only OCR can read it"),
    "garbage": ("page.garbage", "its characters are not those printed; only OCR can read it"),
}


def read_pdf(path: Path) -> Document:
    """The text, tables and images of a PDF file.

    Pages that only OCR can read are in ``pages`` with kind ``scan`` or ``garbage`` and have a problem; a page that
    cannot be read at all costs only itself.

    Raises:
        UnreadableFile: The file cannot be opened.
        EmptyFile: No bytes, no page, or nothing on any page.
        LimitExceeded: More than 200 MB, 500 pages, or an absurd number of objects.
        EncryptedFile: The file asks for a password.
        DamagedFile: The file is truncated, broken, or not a PDF.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise LimitExceeded(path, f"the file has {size} bytes; at most {MAX_BYTES} are read")
        if size == 0:
            raise EmptyFile(path, "the file has no bytes")
        with path.open("rb") as stream:
            return _read_stream(path, stream)
    except OSError as error:
        raise UnreadableFile(path, error.strerror or str(error)) from error


def _read_stream(path: Path, stream: BinaryIO) -> Document:
    pdf = _open(path, stream)
    pages = _pages(path, pdf)
    _check_whole(path, pdf, stream, len(pages))
    with Renderer(path) as renderer:
        builder = _Builder(renderer)
        for number, page in enumerate(pages, start=1):
            builder.add(_draw(pdf, page, number))
            if builder.objects > MAX_OBJECTS:
                raise LimitExceeded(path, f"more than {MAX_OBJECTS} characters and lines", number)
    document = builder.document(_hints(pdf))
    if not document.text.strip() and not document.images and all(page.kind == "blank" for page in document.pages):
        if document.problems:
            raise DamagedFile(path, document.problems[0].message)
        raise EmptyFile(path, "neither text nor an image on any page")
    return document


# --- the file --------------------------------------------------------------------------------------------------


def _open(path: Path, stream: BinaryIO) -> PDF:
    try:
        return pdfplumber.open(stream, raise_unicode_errors=False)  # type: ignore[arg-type]
    except PdfminerException as error:
        cause = error.args[0] if error.args else error
        if isinstance(cause, PDFPasswordIncorrect):
            raise EncryptedFile(path, "the file asks for a password; save it without one") from error
        if isinstance(cause, PDFEncryptionError):
            raise EncryptedFile(path, f"unknown encryption: {cause}") from error
        raise DamagedFile(path, f"not a readable PDF: {cause or type(cause).__name__}") from error
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, zlib.error) as error:
        raise DamagedFile(path, f"not a readable PDF: {error!r}") from error


def _pages(path: Path, pdf: PDF) -> list[PDFPage]:
    """The pages, counted before they are walked."""
    try:
        announced = int_value(dict_value(pdf.doc.catalog["Pages"]).get("Count", 0)) if "Pages" in pdf.doc.catalog else 0
        if announced > MAX_PAGES:
            raise LimitExceeded(path, f"{announced} pages; at most {MAX_PAGES} are read")
        pages = list(itertools.islice(PDFPage.create_pages(pdf.doc), MAX_PAGES + 1))
    except LimitExceeded:
        raise
    except Exception as error:
        # pdfminer meets broken objects with whatever the broken value provokes; the list has no end.
        raise DamagedFile(path, f"the list of pages is broken: {error!r}") from error
    if len(pages) > MAX_PAGES:
        raise LimitExceeded(path, f"more than {MAX_PAGES} pages")
    if not pages:
        raise DamagedFile(path, "no page was found in the file")
    return pages


def _check_whole(path: Path, pdf: PDF, stream: BinaryIO, found: int) -> None:
    """Refuse a file whose end is missing: pdfminer would read what is left of it without a word.

    Raises:
        DamagedFile: The cross-reference table is lost, and the file's end or a page with it.
    """
    if not any(isinstance(xref, PDFXRefFallback) for xref in pdf.doc.xrefs):
        return
    stream.seek(0, 2)
    stream.seek(max(0, stream.tell() - 4096))
    announced = dict_value(pdf.doc.catalog["Pages"]).get("Count") if "Pages" in pdf.doc.catalog else None
    if b"%%EOF" not in stream.read():
        raise DamagedFile(path, "truncated: the end of the file is missing")
    if isinstance(announced, int) and announced != found:
        raise DamagedFile(path, f"{found} of {announced} pages are left")


def _hints(pdf: PDF) -> dict[str, str]:
    names = {"Title": "title", "ModDate": "modified"}
    found = {names[name]: value for name, value in pdf.metadata.items() if name in names}
    return {name: fold(value) for name, value in found.items() if isinstance(value, str) and value.strip()}


def _draw(pdf: PDF, page: PDFPage, number: int) -> Sheet:
    """What is drawn on a page; ``failure`` says why it is not all."""
    canvas = Canvas(pdf.rsrcmgr, number)
    try:
        if _content_bytes(page) > MAX_CONTENT_BYTES:
            return canvas.sheet(failure=f"its drawing instructions exceed {MAX_CONTENT_BYTES} bytes")
        PDFPageInterpreter(pdf.rsrcmgr, canvas).process_page(page)
    except TooManyObjectsError as error:
        return canvas.sheet(failure=str(error))
    except Exception as error:
        # As above: one broken page must not cost the others, and it is reported as a problem.
        return canvas.sheet(failure=f"{type(error).__name__}: {error}")
    return canvas.sheet()


def _content_bytes(page: PDFPage) -> int:
    """Size of the unpacked drawing instructions, counted no further than the bound."""
    total = 0
    for content in page.contents:
        stream = stream_value(content)
        packed = stream.rawdata or b""
        if len(packed) * 1032 + total <= MAX_CONTENT_BYTES:  # deflate packs no better than 1 : 1032
            continue
        total += _unpacked(stream, packed)
    return total


def _unpacked(stream: PDFStream, data: bytes) -> int:
    """Size of a stream's content, at most one byte beyond the bound; other filters than deflate hardly expand."""
    if stream.decipher is not None:
        return len(data)
    try:
        for name in (getattr(entry[0], "name", "") for entry in stream.get_filters()):
            if name in ("FlateDecode", "Fl"):
                return len(zlib.decompressobj().decompress(data, MAX_CONTENT_BYTES + 1))
            data = _PLAIN_FILTERS[name](data)
    except (zlib.error, ValueError, KeyError):
        logger.debug("content stream that cannot be measured; the interpreter will say why")
    return len(data)


# --- pages -----------------------------------------------------------------------------------------------------


def _kind(sheet: Sheet) -> PageKind:
    """What a page is, from what is drawn on it."""
    covered = sum(_area(box) for box in sheet.images) / max(sheet.width * sheet.height, 1.0)
    visible = sum(not glyph.text.isspace() for glyph in sheet.glyphs)
    if covered >= _COVERING and (visible < _FEW_GLYPHS or sheet.hidden > visible / 2):
        return "scan"
    if covered >= _FULL and visible < _FEW_GLYPHS_FULL:
        return "scan"
    if visible == 0:
        if sheet.paths >= _OUTLINES:
            return "scan"
        return "blank"
    return "garbage" if is_garbage(sheet.texts) else "text"


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _page_turn(glyphs: Sequence[Glyph]) -> int:
    """The direction in which most of a page is written: a landscape page may be drawn sideways."""
    turns = Counter(glyph.turn for glyph in glyphs if glyph.turn >= 0)
    return turns.most_common(1)[0][0] if turns else 0


@dataclass(slots=True)
class _Builder:
    """A document in the making: the text so far, and what stands in it."""

    renderer: Renderer
    parts: list[str] = field(default_factory=list)
    offset: int = 0
    objects: int = 0
    pages: list[Page] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    above: Seen | None = None
    scanned: int = 0

    def document(self, hints: dict[str, str]) -> Document:
        """The finished document."""
        return Document(
            media_type=MEDIA_TYPE,
            text="".join(self.parts),
            pages=tuple(self.pages),
            words=tuple(self.words),
            tables=tuple(self.tables),
            images=tuple(self.images),
            hints=hints,
            problems=tuple(self.problems),
            scanned=self.scanned > 0,
        )

    def add(self, sheet: Sheet) -> None:
        """Append a page."""
        start = self.offset
        self.objects += sheet.objects
        kind: PageKind = "blank" if sheet.failure else _kind(sheet)
        if sheet.failure:
            self._problem(sheet, "page.unreadable", f"cannot be read: {sheet.failure}")
        elif kind in ("scan", "garbage"):
            self._add_scan(sheet, kind)
        elif kind == "text":
            self._add_text(sheet)
        for box in sheet.images:
            notable = box[2] - box[0] >= _NOTABLE_PT[0] and box[3] - box[1] >= _NOTABLE_PT[1]
            if self.offset == start or (kind == "text" and notable):
                self._add_image(sheet.number, box)
        self.pages.append(Page(sheet.number, sheet.width, sheet.height, kind, start, self.offset))

    def _problem(self, sheet: Sheet, code: str, message: str) -> None:
        evidence = Evidence(page=sheet.number, box=(0.0, 0.0, sheet.width, sheet.height))
        self.problems.append(Problem(code, f"page {sheet.number}: {message}", evidence))

    def _add_image(self, page: int, box: Box) -> None:
        width, height = box[2] - box[0], box[3] - box[1]
        self.images.append(Image(self.offset, "embedded", page, box, width, height))

    def _add_text(self, sheet: Sheet) -> None:
        turn = _page_turn(sheet.glyphs)
        glyphs, drawing = mark_raised(sheet.glyphs), sheet.drawing
        if turn:
            glyphs = [turn_glyph(glyph, turn) for glyph in glyphs]
            drawing = turn_drawing(drawing, turn)
        grids, rest = find_grids(drawing, glyphs, self.above)
        self.above = columns_below(grids, rest)
        back = (360 - turn) % 360
        # Stamps and watermarks across the page come last: between two lines of a paragraph they would cut it.
        blocks: list[tuple[float, Grid | list[Glyph]]] = [(grid.box[1], grid) for grid in grids]
        blocks += [
            (min(glyph.top for glyph in line) if line[0].turn == 0 else float("inf"), line) for line in _lines(rest)
        ]
        for _, block in sorted(blocks, key=lambda block: block[0]):
            if isinstance(block, Grid):
                self._add_table(sheet.number, block, back)
            else:
                self._add_line(sheet.number, block, back)

    def _add_scan(self, sheet: Sheet, kind: PageKind) -> None:
        """Append what OCR reads of a page; a problem says so where it cannot be asked or reads nothing."""
        code, reason = _UNREADABLE[kind]
        if self.scanned >= MAX_SCANNED_PAGES:
            self._problem(sheet, code, f"{reason}; {MAX_SCANNED_PAGES} pages of the file have been read so already")
            return
        self.scanned += 1
        self.above = None
        held = max(map(held_bytes, sheet.streams), default=0)
        if held > MAX_HELD_BYTES:
            size, most = held // 10**6, MAX_HELD_BYTES // 10**6
            message = f"cannot be read: an image on it takes {size:,} MB to unpack; at most {most} MB are taken"
            self._problem(sheet, "page.unreadable", message)
            return
        cut = [image for image in sheet.streams if is_cut(image)]
        if any(map(is_layered, cut)):
            self._problem(sheet, "page.unreadable", "cannot be read: an image on it is damaged, its data end early")
            return
        if cut:
            self._problem(
                sheet, "page.unclear", "an image on it is damaged, its data end early; its last line is not read"
            )
        try:
            picture = self.renderer.picture(sheet.number)
            if picture.min() == 255:
                # What cannot be decoded is left out of the drawing without a word.
                self._problem(sheet, "page.unclear", "nothing is seen on it: its image is white or cannot be decoded")
                return
            page = read_image(picture, sheet.width, sheet.height)
            if cut:
                page = without_end(page, _end(picture) * sheet.height)
            dpi = _coarse_dpi(sheet)
            if dpi is not None:
                self._problem(sheet, "page.unclear", f"in black and white at {dpi:.0f} dots an inch no figure is sure")
                page = coarse(page)
        except ValueError as error:
            self._problem(sheet, code, f"{reason}, and {error}")
            return
        for message in page.problems:
            self._problem(sheet, "page.unclear", message)
        found = compose_scan(page, self.offset, sheet.number)
        self.parts.append(found.text)
        self.offset += len(found.text)
        self.words.extend(found.words)
        self.tables.extend(found.tables)

    def _add_line(self, page: int, line: list[Glyph], back: int) -> None:
        text, runs = line_text(line)
        if text:
            self._add_words(page, runs, back)
            self._append(text + "\n")

    def _add_table(self, page: int, grid: Grid, back: int) -> None:
        start = self.offset
        cells = []
        for _, row in itertools.groupby(grid.cells, key=lambda cell: cell.row):
            for position, cell in enumerate(row):
                if position:
                    self._append("\t")
                text, runs = cell_text(cell.glyphs, cell.box[2] - cell.box[0])
                box = self._add_words(page, runs, back) or turn_box(cell.box, back)
                evidence = Evidence(page, box, self.offset, self.offset + len(text))
                text = self._append(text)
                cells.append(PrintedCell(text, cell.row, cell.col, cell.rowspan, cell.colspan, evidence))
            self._append("\n")
        self.tables.append(Table(grid.source, tuple(cells), grid.rows, grid.cols, start, self.offset, page))

    def _add_words(self, page: int, runs: list[Run], back: int) -> Box | None:
        """Words for the runs of the text that is appended next; the box around them."""
        around: Box | None = None
        for run in runs:
            box = turn_box(run.box, back) if back else run.box
            self.words.append(Word(self.offset + run.start, self.offset + run.end, page, box))
            around = _around(around, box)
        return around

    def _append(self, text: str) -> str:
        folded = fold(text)
        self.parts.append(folded)
        self.offset += len(folded)
        return folded


def _lines(glyphs: list[Glyph]) -> Iterator[list[Glyph]]:
    """Lines of the page's own direction, then what is written across it (stamps, watermarks)."""
    yield from group_lines(glyph for glyph in glyphs if glyph.turn == 0)
    for turn in sorted({glyph.turn for glyph in glyphs} - {0}):
        slanted = [glyph for glyph in glyphs if glyph.turn == turn]
        if turn < 0:
            yield slanted
            continue
        for line in group_lines(turn_glyph(glyph, turn) for glyph in slanted):
            yield [turn_glyph(glyph, (360 - turn) % 360) for glyph in line]


def _coarse_dpi(sheet: Sheet) -> float | None:
    """Dots an inch of a page scanned in black and white, where they are too few to tell digits apart."""
    images = [dots(image) for image in sheet.streams]
    if not images or not all(is_bilevel for _, _, is_bilevel in images):
        return None
    # An image may be a strip of the page: one of its sides is the page's.
    dpi = 72 * max(max(across / sheet.width, down / sheet.height) for across, down, _ in images)
    return dpi if dpi < _LEAST_DPI else None


def _end(picture: NDArray[np.uint8]) -> float:
    """The share of a picture's height above the rows of one colour at its foot: all that is left of a cut image."""
    shown = np.flatnonzero(np.ptp(picture[:, :, 1], axis=1) > _UNIFORM)
    return float((shown[-1] + 1) / len(picture)) if len(shown) else 0.0


def _around(one: Box | None, other: Box) -> Box:
    if one is None:
        return other
    return (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))
