"""One record drawn over pictures of its pages: every cell where it was read, broken sums marked on their cells."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2
from PIL import Image, ImageDraw, ImageFont

from extractors.errors import DamagedFile, LimitExceeded, UnreadableFile, UnsupportedFormat
from extractors.pictures import PICTURE_DPI
from extractors.render import MAX_PIXELS, Renderer
from extractors.report import Box
from extractors.scan import load_image
from flows.files import whole

Record = Mapping[str, Any]
Colour = tuple[int, int, int]
Line = tuple[str, Colour]
Pixels = tuple[int, int, int, int]  # left, top, right, bottom
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

ENDINGS = (".pdf", ".png")
# By state of a cell; one box that several cells share (a row whose values lost their places) has the last of theirs.
COLOURS: dict[str, Colour] = {
    "reported": (0, 140, 60),
    "blank": (40, 100, 230),
    "assisted": (240, 140, 0),
    "illegible": (150, 0, 200),
}
SEVERITIES: dict[str, Colour] = {"warning": (200, 110, 110), "error": (225, 0, 0)}

# Digits of nine points can be told from each other; more makes files large.
_DPI = 144.0
# Below it the printed figures of a page cannot be told from each other, which is what the picture is for.
_LEAST_DPI = 60.0
MAX_PNG_PIXELS = 40_000_000
# Browsers and viewers show no picture that is longer.
MAX_SIDE = 32_000
_JPEG_QUALITY = 85
# The marks of flows/show.py. Pillow's own font has neither dashes nor Chinese.
_MARKS = {"blank": "/", "illegible": "?"}
_INK: Colour = (60, 60, 60)
_LISTED = 25  # findings named below one page
_LINE = 1.4  # of the size of the writing


class TargetError(Exception):
    """The picture cannot be written where it was asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """A place on a page (points) and what was read there, by one cell or by several that share it."""

    box: Box
    text: str
    state: str
    findings: tuple[int, ...]
    severity: str | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class _Page:
    """A page: its size as shown (points), what is marked on it, the lines below it and their size (points)."""

    number: int
    width: float
    height: float
    marks: tuple[_Mark, ...]
    lines: tuple[Line, ...]
    size: float

    @property
    def below(self) -> float:
        """Points that the lines below the page take."""
        return (len(self.lines) + 1) * self.size * _LINE


@dataclass(frozen=True, slots=True)
class _Pictures:
    """The pictures of a file's pages: sizes in points, the resolution they have to give, one page at a resolution."""

    sizes: tuple[tuple[float, float], ...]
    dpi: float
    page: Callable[[int, float], Image.Image]


def check_target(target: Path) -> None:
    """Refuses at once what could not be written after a long reading.

    Raises:
        TargetError: the ending is neither .png nor .pdf, or there is no such folder.
    """
    if target.suffix.lower() not in ENDINGS:
        raise TargetError(f"{target}: the name must end in .png or .pdf")
    if not target.parent.is_dir():
        raise TargetError(f"{target}: there is no folder {target.parent}")
    if target.is_dir():
        raise TargetError(f"{target}: is a folder")


def draw_record(record: Record, target: Path) -> None:
    """Writes the pages of the record's file with their cells to ``target``, which appears only when it is complete.

    A PDF has one page for each of the report; in a PNG they stand below each other. Under each page stand the counts
    of its cells and its findings.

    Raises:
        UnsupportedFormat: the file's format has no pages.
        UnreadableFile: the file is gone, or is another than the one that was read.
        DamagedFile: a page cannot be rendered.
        LimitExceeded: more pages than one PNG can show legibly.
        TargetError: ``target`` has another ending, its folder is missing, or it is the report itself.
        OSError: ``target`` cannot be written.
    """
    check_target(target)
    source = record["source"]
    path = Path(source["path"])
    data = _load_pages(path, source)
    if target.exists() and target.samefile(path):
        raise TargetError(f"{target}: is the report itself, which would be overwritten")
    with _open_pictures(path, data, source) as pictures:
        pages = _pages(record, pictures.sizes)
        draw = _pdf if target.suffix.lower() == ".pdf" else _png
        drawn = draw(path, pages, pictures)
    with whole(target) as part:
        part.write_bytes(drawn)


def draw_pages(record: Record, width_px: int, most: int) -> Iterator[bytes]:
    """Each of the first ``most`` pages of the record's file with its cells, as a JPEG of at most ``width_px``.

    Raises:
        UnsupportedFormat: the file's format has no pages.
        UnreadableFile: the file is gone, or is another than the one that was read.
        DamagedFile: a page cannot be rendered.
    """
    path = Path(record["source"]["path"])
    data = _load_pages(path, record["source"])
    with _open_pictures(path, data, record["source"]) as pictures:
        for page in _pages(record, pictures.sizes)[:most]:
            dpi = min(width_px * 72 / max(page.width, 1.0), pictures.dpi, _fitting([page], MAX_PIXELS))
            yield _jpeg(_drawn(page, pictures, dpi)).getvalue()


def page_sizes(source: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    """Width and height (points) of each page of a record's ``source``.

    Raises:
        UnsupportedFormat: the file's format has no pages.
        UnreadableFile: the file is gone, or is another than the one that was read.
        DamagedFile: it cannot be opened.
    """
    path = Path(source["path"])
    with _open_pictures(path, _load_pages(path, source), source) as pictures:
        return pictures.sizes


def plain_page(source: Mapping[str, Any], number: int, width_px: int) -> bytes:
    """Page ``number`` (1-based) of a record's ``source``, nothing drawn on it, as a JPEG at most ``width_px`` wide.

    Raises:
        UnsupportedFormat: the file's format has no pages.
        UnreadableFile: the file is gone, or is another than the one that was read.
        DamagedFile: the page cannot be rendered, or there is none.
    """
    path = Path(source["path"])
    with _open_pictures(path, _load_pages(path, source), source) as pictures:
        if not 1 <= number <= len(pictures.sizes):
            raise DamagedFile(path, f"there is no page {number}", number)
        width, height = pictures.sizes[number - 1]
        dpi = min(width_px * 72 / max(width, 1.0), MAX_SIDE * 72 / max(height, 1.0), PICTURE_DPI)
        return _jpeg(pictures.page(number, dpi)).getvalue()


def crop(source: Mapping[str, Any], number: int, box: Box, dpi: float) -> bytes:
    """The stretch ``box`` (points) of page ``number`` (1-based) of a record's ``source``, as a PNG.

    Raises:
        UnsupportedFormat: the file's format has no pages.
        UnreadableFile: the file is gone, or is another than the one that was read.
        DamagedFile: the page cannot be rendered.
    """
    path = Path(source["path"])
    with _open_pictures(path, _load_pages(path, source), source) as pictures:
        picture = pictures.page(number, min(dpi, PICTURE_DPI))
        width, height = pictures.sizes[number - 1]
        scale = (picture.width / width, picture.height / height)
        edges = [edge * scale[place % 2] for place, edge in enumerate(box)]
        limits = (picture.width, picture.height) * 2
        pixels = [min(max(0, round(edge)), limit) for edge, limit in zip(edges, limits, strict=True)]
        encoded = io.BytesIO()
        picture.crop((pixels[0], pixels[1], pixels[2], pixels[3])).save(encoded, "PNG")
        return encoded.getvalue()


def _load_pages(path: Path, source: Mapping[str, Any]) -> bytes:
    if source["pages"] is None:
        raise UnsupportedFormat(path, f"{source['media_type']} has no pages to draw on; PDF files and pictures have")
    return _load(path, source["sha256"])


def _load(path: Path, sha256: str) -> bytes:
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise UnreadableFile(path, getattr(error, "strerror", None) or str(error)) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UnreadableFile(path, "the file has changed since it was read; its boxes would be those of another")
    return data


# --- pictures --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _open_pictures(path: Path, data: bytes, source: Mapping[str, Any]) -> Iterator[_Pictures]:
    if str(source["media_type"]).startswith("image/"):
        try:
            picture = Image.fromarray(load_image(data)).convert("RGB")
        except ValueError as error:
            raise DamagedFile(path, str(error)) from error
        size = (picture.width * 72 / PICTURE_DPI, picture.height * 72 / PICTURE_DPI)
        yield _Pictures((size,), PICTURE_DPI, lambda number, dpi: _resized(picture, dpi / PICTURE_DPI))
        return
    with Renderer(path) as renderer:

        def render(number: int, dpi: float) -> Image.Image:
            try:
                return Image.fromarray(renderer.picture(number, dpi))
            except ValueError as error:
                raise DamagedFile(path, str(error), number) from error

        try:
            sizes = tuple(renderer.size(number) for number in range(1, source["pages"] + 1))
        except ValueError as error:
            raise DamagedFile(path, f"a page of it: {error}") from error
        yield _Pictures(sizes, _DPI, render)


def _resized(picture: Image.Image, scale: float) -> Image.Image:
    if scale >= 1:
        return picture.copy()
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


# --- what stands where -----------------------------------------------------------------------------------------


def _pages(record: Record, sizes: Sequence[tuple[float, float]]) -> list[_Page]:
    """What is drawn on each page and below it. Findings are numbered through the report."""
    broken = [finding for finding in record["findings"] if finding["status"] == "inconsistent"]
    named: dict[str, list[int]] = {}
    for number, finding in enumerate(broken, start=1):
        for key in finding["cells"]:
            named.setdefault(key, []).append(number)
    assisted = [problem["evidence"] for problem in record["problems"] if problem["code"] == "cell.assisted"]
    pages, listed = [], set()
    for number, (width, height) in enumerate(sizes, start=1):
        cells = [cell for cell in record["cells"] if _is_on(cell, number)]
        states = Counter(_state(cell, assisted) for cell in cells)
        here = sorted({finding for cell in cells for finding in named.get(cell["key"], ())})
        listed.update(here)
        if number == len(sizes):
            here += sorted(set(range(1, len(broken) + 1)) - listed)
        # Writing of nine points on a sheet of A4, and as large to the eye on a picture of any size.
        size = min(width, height) / 66
        marks = tuple(_marks(cells, assisted, named, broken))
        lines = (*_legend(number, len(sizes), states), *_listing(here, broken))
        pages.append(_Page(number, width, height, marks, lines, size))
    return pages


def _is_on(cell: Mapping[str, Any], page: int) -> bool:
    place = cell["evidence"]
    return bool(place) and place.get("page") == page and "box" in place


def _state(cell: Mapping[str, Any], assisted: Sequence[Any]) -> str:
    return "assisted" if cell["evidence"] in assisted else str(cell["status"])


def _marks(
    cells: Sequence[Mapping[str, Any]],
    assisted: Sequence[Any],
    named: Mapping[str, Sequence[int]],
    broken: Sequence[Mapping[str, Any]],
) -> Iterator[_Mark]:
    """One mark a place; the gravest last, so that nothing lies over it."""
    order = list(COLOURS)
    groups: dict[Box, list[Mapping[str, Any]]] = {}
    for cell in cells:
        left, top, right, bottom = cell["evidence"]["box"]
        groups.setdefault((left, top, right, bottom), []).append(cell)
    marks = []
    for box, sharing in groups.items():
        findings = tuple(sorted({number for cell in sharing for number in named.get(cell["key"], ())}))
        grave = {broken[number - 1]["severity"] for number in findings}
        severity = next((name for name in reversed(SEVERITIES) if name in grave), None)
        state = max((_state(cell, assisted) for cell in sharing), key=order.index)
        is_whole = _is_whole(box, [cell["raw"] or "" for cell in sharing], groups)
        marks.append(_Mark(box, _label(sharing), state, findings, severity, is_whole))
    yield from sorted(marks, key=lambda mark: (bool(mark.findings), order.index(mark.state)))


def _label(cells: Sequence[Mapping[str, Any]]) -> str:
    """The values read at one place, equal ones counted."""
    texts = Counter(_MARKS.get(cell["status"]) or str(cell["value"]) for cell in cells)
    return " ".join(text if count == 1 else f"{count}x{text}" for text, count in texts.items())


def _is_whole(box: Box, raws: Sequence[str], others: Iterable[Box]) -> bool:
    """Whether a box is that of a printed cell, as blanks and scans have it, not that of the words in one."""
    longest = max(map(len, raws))
    roomy = box[2] - box[0] > 1.5 * (longest + 1) * (box[3] - box[1])
    return not longest or roomy or any(_touch(box, other) for other in others)


def _touch(one: Box, other: Box) -> bool:
    """Whether two boxes share a side, as the cells of a grid do and the words in them do not."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return one != other and ((abs(across) < 0.5 and down > 2) or (abs(down) < 0.5 and across > 2))


def _legend(number: int, count: int, states: Mapping[str, int]) -> Iterator[Line]:
    yield f"page {number} of {count}", _INK
    for state, colour in COLOURS.items():
        if states.get(state):
            mark = f"  {_MARKS[state]}" if state in _MARKS else ""
            yield f"{states[state]} {state}{mark}", colour


def _listing(numbers: Sequence[int], broken: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    for number in numbers[:_LISTED]:
        finding = broken[number - 1]
        text = f"#{number} {finding['severity']} {finding['id']}"
        if finding["expected"] is not None:
            text += f": expected {finding['expected']}, reported {finding['reported']}"
        yield text.encode("ascii", "replace").decode("ascii"), SEVERITIES[finding["severity"]]
    if len(numbers) > _LISTED:
        yield f"and {len(numbers) - _LISTED} more findings", _INK


# --- drawing ---------------------------------------------------------------------------------------------------


def _pdf(path: Path, pages: Sequence[_Page], pictures: _Pictures) -> bytes:
    document = pypdfium2.PdfDocument.new()
    try:
        for page in pages:
            drawn = _drawn(page, pictures, min(pictures.dpi, _fitting([page], MAX_PIXELS)))
            width, height = page.width, page.width * drawn.height / drawn.width
            sheet = document.new_page(width, height)
            image = pypdfium2.PdfImage.new(document)
            image.load_jpeg(_jpeg(drawn), inline=True)
            image.set_matrix(pypdfium2.PdfMatrix().scale(width, height))
            sheet.insert_obj(image)
            sheet.gen_content()
            sheet.close()
        written = io.BytesIO()
        document.save(written)
    finally:
        document.close()
    return written.getvalue()


def _jpeg(drawn: Image.Image) -> io.BytesIO:
    encoded = io.BytesIO()
    # Without subsampling, which would blur thin lines of colour.
    drawn.save(encoded, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return encoded


def _png(path: Path, pages: Sequence[_Page], pictures: _Pictures) -> bytes:
    dpi = min(pictures.dpi, _fitting(pages, MAX_PNG_PIXELS))
    if len(pages) > 1 and dpi < _LEAST_DPI:
        raise LimitExceeded(path, f"{len(pages)} pages are too many for one legible PNG; draw to a .pdf")
    drawn: Image.Image | None = None
    top = 0
    for page in pages:
        sheet = _drawn(page, pictures, dpi)
        if len(pages) == 1:
            drawn = sheet
            break
        if drawn is None:
            width, height = (_pixels(side, dpi) for side in _stack(pages))
            # One pixel a page for what rounding adds.
            drawn = Image.new("RGB", (width + 1, height + len(pages)), "white")
        drawn.paste(sheet, (0, top))
        top += sheet.height
    assert drawn is not None
    encoded = io.BytesIO()
    drawn.save(encoded, "PNG")
    return encoded.getvalue()


def _stack(pages: Sequence[_Page]) -> tuple[float, float]:
    """Width and height in points of all pages below each other."""
    return max(page.width for page in pages), sum(page.height + page.below for page in pages)


def _fitting(pages: Sequence[_Page], pixels: int) -> float:
    """The resolution at which the pages, below each other, keep to ``pixels`` and to the longest side."""
    width, height = _stack(pages)
    area = max(width * height, 1.0)
    return float(72 * min((pixels / area) ** 0.5, MAX_SIDE / max(width, height, 1.0)))


def _pixels(points: float, dpi: float) -> int:
    return max(1, round(points * dpi / 72))


def _drawn(page: _Page, pictures: _Pictures, dpi: float) -> Image.Image:
    """A page with its marks, the top left corner where the page has it, and its lines below."""
    picture = pictures.page(page.number, dpi)
    sheet = Image.new("RGB", (picture.width, picture.height + _pixels(page.below, dpi)), "white")
    sheet.paste(picture)
    # Renderers round up to whole pixels, and a huge page is coarser than it was asked for.
    scale = (picture.width / page.width, picture.height / page.height)
    draw = ImageDraw.Draw(sheet)
    pen = max(1, round(scale[0] * page.size / 9))
    taken = [_outlines(draw, mark, scale, pen) for mark in page.marks]
    for mark, around in zip(page.marks, taken, strict=True):
        _labels(draw, mark, around, taken, pen, 0.7 * page.size * scale[0])
    font = _font(page.size * scale[0])
    draw.line((0, picture.height, sheet.width, picture.height), fill=_INK)
    for place, (text, colour) in enumerate(page.lines):
        top = picture.height + (place + 0.5) * page.size * scale[1] * _LINE
        draw.text((page.size * scale[0], top), text, fill=colour, font=font)
    return sheet


def _outlines(draw: ImageDraw.ImageDraw, mark: _Mark, scale: tuple[float, float], pen: int) -> Pixels:
    """Outlines a place, and once more where a finding names it; returns what is taken by that.

    A box around words is outlined outside, to leave them legible; a whole cell inside of its rules, where no other
    outline lies.
    """
    box = [edge * scale[place % 2] for place, edge in enumerate(mark.box)]
    taken = _outline(draw, box, pen if mark.is_whole else -pen, pen, COLOURS[mark.state])
    if mark.severity is not None:
        more = _outline(draw, box, 2 * pen if mark.is_whole else -3 * pen, 2 * pen, SEVERITIES[mark.severity])
        taken = taken if mark.is_whole else more
    return taken


def _labels(
    draw: ImageDraw.ImageDraw, mark: _Mark, around: Pixels, taken: Sequence[Pixels], pen: int, size: float
) -> None:
    """Writes what was read at a place, and the numbers of the findings that name it: beside words, inside of a cell."""
    left, top, right, bottom = around
    numbers = " ".join(f"#{number}" for number in mark.findings)
    if mark.is_whole:
        font, gap = _font(min(size, 0.45 * (bottom - top))), 4 * pen
        _write(draw, (right - gap, bottom - gap), "rs", mark.text, COLOURS[mark.state], font)
        if mark.severity is not None:
            _write(draw, (left + gap, top + gap), "lt", numbers, SEVERITIES[mark.severity], font)
        return
    font = _font(size)
    middle = (top + bottom) / 2
    beside = (((right + pen, middle), "lm"), ((right, bottom + pen), "rt"), ((left - pen, middle), "rm"))
    for where, anchor in beside:
        if not _is_taken(draw.textbbox(where, mark.text, font, anchor), taken):
            break
    else:
        where, anchor = beside[0]
    _write(draw, where, anchor, mark.text, COLOURS[mark.state], font)
    if mark.severity is not None:
        _write(draw, (left, top), "lb", numbers, SEVERITIES[mark.severity], font)


def _is_taken(wanted: Sequence[float], taken: Sequence[Pixels]) -> bool:
    left, top, right, bottom = wanted
    return any(left < box[2] and right > box[0] and top < box[3] and bottom > box[1] for box in taken)


def _write(
    draw: ImageDraw.ImageDraw, where: tuple[float, float], anchor: str, text: str, colour: Colour, font: Font
) -> None:
    """Writes with a thin white rim, which parts it from rules and print below it."""
    draw.text(where, text, fill=colour, font=font, anchor=anchor, stroke_width=1, stroke_fill="white")


def _outline(draw: ImageDraw.ImageDraw, box: Sequence[float], inset: int, width: int, colour: Colour) -> Pixels:
    """Draws an outline whose outer edge lies ``inset`` pixels inside ``box``; a box too narrow for that gets a dot."""
    left, top, right, bottom = (
        round(box[0]) + inset,
        round(box[1]) + inset,
        round(box[2]) - inset,
        round(box[3]) - inset,
    )
    right, bottom = max(left, right), max(top, bottom)
    draw.rectangle((left, top, right, bottom), outline=colour, width=width)
    return left, top, right, bottom


def _font(size: float) -> Font:
    """Pillow's own font (ASCII), at least 6 pixels high."""
    return ImageFont.load_default(max(6.0, size))
