"""What OCR reads of a picture, as text, words and tables of a document; pictures as files and inside other files."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

from extractors.document import Document, Image, Page, PrintedCell, Table, Word, fold
from extractors.errors import DamagedFile, EmptyFile, LimitExceeded
from extractors.report import Evidence, Problem
from extractors.scan import ScannedGrid, ScannedPage, load_image, read_image
from extractors.scan_image import TooLargeError, page_frames

# Points of a pixel where a picture has no page: as if it had been scanned at this resolution.
PICTURE_DPI = 200
# Pages of one file that are read by OCR, a second or two each; reports have at most some thirty pages.
MAX_SCANNED_PAGES = 60
# Pictures of one file that are read; a report has three tables.
MAX_PICTURES = 12
# Bytes of a picture beside a page that are loaded at most.
MAX_PICTURE_BYTES = 40_000_000


@dataclass(frozen=True, slots=True)
class ScannedText:
    """A picture's writing in reading order; offsets count from the place that it was composed for."""

    text: str
    words: tuple[Word, ...]
    tables: tuple[Table, ...]


def compose_scan(page: ScannedPage, offset: int, number: int | None) -> ScannedText:
    """Lines and grids from top to bottom as text; ``number`` is the page, None where the format has none."""
    composer = _Composer(offset, number)
    for block in page.blocks:
        if isinstance(block, ScannedGrid):
            composer.add_grid(block)
        else:
            composer.add(block.text, block.box)
            composer.add("\n")
    return ScannedText("".join(composer.parts), tuple(composer.words), tuple(composer.tables))


class _Composer:
    def __init__(self, offset: int, number: int | None) -> None:
        self.parts: list[str] = []
        self.words: list[Word] = []
        self.tables: list[Table] = []
        self._offset, self._number = offset, number

    def add(self, text: str, box: tuple[float, float, float, float] | None = None) -> Evidence:
        """Append ``text``; its evidence, which has a box only on a page."""
        start, self._offset = self._offset, self._offset + len(text)
        self.parts.append(fold(text))
        if self._number is None or box is None:
            return Evidence(start=start, end=self._offset)
        if text:
            self.words.append(Word(start, self._offset, self._number, box))
        return Evidence(self._number, box, start, self._offset)

    def add_grid(self, grid: ScannedGrid) -> None:
        """Append a grid: cells joined by tabs, rows by newlines."""
        start, cells = self._offset, []
        for _, row in itertools.groupby(grid.cells, key=lambda cell: cell.row):
            for position, cell in enumerate(row):
                if position:
                    self.add("\t")
                place = self.add(cell.text, cell.box)
                cells.append(
                    PrintedCell(
                        fold(cell.text), cell.row, cell.col, cell.rowspan, cell.colspan, place, cell.confidence,
                        cell.candidates,
                    )
                )  # fmt: skip
            self.add("\n")
        self.tables.append(Table(grid.source, tuple(cells), grid.rows, grid.cols, start, self._offset, self._number))


def read_picture(data: bytes, path: Path) -> Document:
    """The document in a picture of a page (a photograph, a scan saved as PNG, JPEG), or of all pages (TIFF).

    A page that cannot be decoded costs only itself where the file has others.

    Raises:
        DamagedFile: the picture cannot be decoded.
        LimitExceeded: it has too many pixels.
        EmptyFile: nothing is written on it.
    """
    try:
        frames = page_frames(data, MAX_SCANNED_PAGES + 1)
    except ValueError as error:
        raise _refusal(path, error) from error
    composed: list[ScannedText] = []
    pages: list[Page] = []
    problems: list[Problem] = []
    offset = 0
    for number, frame in enumerate(frames[:MAX_SCANNED_PAGES], start=1):
        width = height = 0.0
        try:
            picture = load_image(data, frame)
            height, width = (side * 72 / PICTURE_DPI for side in picture.shape[:2])
            page = read_image(picture, width, height)
        except ValueError as error:
            if len(frames) == 1:
                raise _refusal(path, error) from error
            problems.append(Problem("page.unreadable", f"page {number}: {error}", Evidence(page=number)))
            pages.append(Page(number, width, height, "blank", offset, offset))
            continue
        place = Evidence(page=number, box=(0.0, 0.0, width, height))
        problems += [Problem("page.unclear", f"page {number}: {message}", place) for message in page.problems]
        found = compose_scan(page, offset, number)
        composed.append(found)
        pages.append(Page(number, width, height, "scan", offset, offset + len(found.text)))
        offset += len(found.text)
    if len(frames) > MAX_SCANNED_PAGES:
        message = f"only the first {MAX_SCANNED_PAGES} pages of the file were read"
        problems.append(Problem("page.scan", message, Evidence(page=MAX_SCANNED_PAGES + 1)))
    text = "".join(found.text for found in composed)
    if not text.strip():
        if not composed:
            raise DamagedFile(path, problems[0].message)
        raise EmptyFile(path, f"no writing was found on the {'pictures' if len(frames) > 1 else 'picture'}")
    return Document(
        "image/" + path.suffix.lower().lstrip(".").replace("jpg", "jpeg"),
        text,
        pages=tuple(pages),
        words=tuple(itertools.chain.from_iterable(found.words for found in composed)),
        tables=tuple(itertools.chain.from_iterable(found.tables for found in composed)),
        problems=tuple(problems),
        scanned=True,
    )


def _refusal(path: Path, error: ValueError) -> DamagedFile | LimitExceeded:
    return (LimitExceeded if isinstance(error, TooLargeError) else DamagedFile)(path, str(error))


def add_pictures(document: Document, path: Path) -> Document:
    """The document with what its pictures say behind its text; pictures that cannot be read stay in ``images``."""
    left: list[Image] = []
    for number, image in enumerate(document.images):
        data = image.data or _beside(image, path)
        page = _read(data) if data and number < MAX_PICTURES else None
        if page is None or not (page.grids or page.lines):
            left.append(image)
            continue
        found = compose_scan(page, len(document.text) + 1, None)
        document = replace(
            document,
            text=f"{document.text}\n{found.text}",
            tables=(*document.tables, *found.tables),
            scanned=True,
        )
    return replace(document, images=tuple(left))


def _read(data: bytes) -> ScannedPage | None:
    try:
        picture = load_image(data)
        return read_image(picture, picture.shape[1] * 72 / PICTURE_DPI, picture.shape[0] * 72 / PICTURE_DPI)
    except ValueError:
        # It stays among the images, which the record reports as unread.
        return None


def _beside(image: Image, path: Path) -> bytes | None:
    """A picture file beside the page or in a folder that was saved with it; nothing is fetched from elsewhere."""
    places = [path.parent / image.reference, *path.parent.glob(f"{_escaped(path.stem)}*/{_escaped(image.reference)}")]
    for place in places:
        inside = place.resolve().is_relative_to(path.parent.resolve())
        if inside and place.is_file() and place.stat().st_size <= MAX_PICTURE_BYTES:
            return place.read_bytes()
    return None


def _escaped(name: str) -> str:
    """``name`` as a pattern that matches only itself."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in Path(name).name)
