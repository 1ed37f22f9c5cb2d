"""PDFs of page images: each page an image or strips of one, as scanners and fax servers write them."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
from PIL import Image

from tests.generator.scan_effects import PageScan

_STRIPS = 3
# PDFium writes the time, and identifiers drawn at random; both may be absent.
_OF_THE_MOMENT = re.compile(rb"/ID\s*\[\s*<[0-9A-Fa-f]*>\s*<[0-9A-Fa-f]*>\s*\]|/CreationDate\(D:[^)]*\)")


@dataclass(frozen=True, slots=True)
class Strip:
    """One encoded image. ``entries``: what its dictionary says of filter, colours and bits."""

    data: bytes
    width: int
    height: int
    entries: str


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """A page of the PDF: strips from top to bottom, its size in points, /Rotate, and a hidden text layer."""

    strips: tuple[Strip, ...]
    width: float
    height: float
    rotate: int = 0
    hidden: tuple[str, ...] = ()


def encode_page(pixels: Any, plan: PageScan, *, strips: bool = False, hidden: tuple[str, ...] = ()) -> ScannedPage:
    """The page image (uint8, grey or RGB) in the encoding of its plan."""
    image = Image.fromarray(pixels)
    across, down = plan.dpi, plan.dpi * (plan.squeeze or 1)
    if plan.turn in (90, 270):
        across, down = down, across
    count = _STRIPS if strips else 1
    step = -(-image.height // count)
    cut = [image.crop((0, top, image.width, min(top + step, image.height))) for top in range(0, image.height, step)]
    pieces = tuple(_encode(piece, plan) for piece in cut)
    return ScannedPage(pieces, image.width / across * 72, image.height / down * 72, plan.rotate, hidden)


def encode_file(image: Image.Image, name: str, **options: Any) -> bytes:
    """The image as a file of Pillow's format ``name``."""
    buffer = BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


def _encode(image: Image.Image, plan: PageScan) -> Strip:
    colours = "/ColorSpace /DeviceRGB" if image.mode == "RGB" else "/ColorSpace /DeviceGray"
    if plan.encoding == "g4":
        return _encode_g4(image)
    if plan.encoding == "jpx":
        data = encode_file(image, "JPEG2000", quality_mode="rates", quality_layers=[18])
        return Strip(data, image.width, image.height, f"/Filter /JPXDecode {colours} /BitsPerComponent 8")
    if plan.encoding == "flate":
        if plan.mode == "bilevel":
            data, bits = image.convert("1", dither=Image.Dither.NONE).tobytes(), 1
        else:
            data, bits = image.tobytes(), 8
        entries = f"/Filter /FlateDecode {colours} /BitsPerComponent {bits}"
        return Strip(zlib.compress(data, 6), image.width, image.height, entries)
    data = encode_file(image, "JPEG", quality=plan.quality)
    return Strip(data, image.width, image.height, f"/Filter /DCTDecode {colours} /BitsPerComponent 8")


def _encode_g4(image: Image.Image) -> Strip:
    """CCITT group 4, taken out of a TIFF of one strip."""
    packed = image.convert("1", dither=Image.Dither.NONE)
    buffer = BytesIO()
    packed.save(buffer, "TIFF", compression="group4", strip_size=-(-image.width // 8) * image.height)
    with Image.open(buffer) as tiff:
        tags: Any = tiff.tag_v2  # type: ignore[attr-defined]
        starts, sizes, is_min_black = tags[273], tags[279], tags[262] == 1
    if len(starts) != 1:
        raise ValueError(f"the TIFF has {len(starts)} strips; one is needed")
    data = buffer.getvalue()[starts[0] : starts[0] + sizes[0]]
    # Where the TIFF says that 0 is black, its encoder took the ones for ink: their runs are the white of the page.
    black = "true" if is_min_black else "false"
    entries = (
        f"/Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns {image.width} /Rows {image.height}"
        f" /BlackIs1 {black} >> /ColorSpace /DeviceGray /BitsPerComponent 1"
    )
    return Strip(data, image.width, image.height, entries)


def write_image_pdf(pages: list[ScannedPage], path: Path) -> None:
    """The pages as a PDF 1.5 file; the same pages give the same bytes."""
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", *_font_objects()]
    kids = []
    for page in pages:
        numbers = []
        for strip in page.strips:
            head = f"<< /Type /XObject /Subtype /Image /Width {strip.width} /Height {strip.height} {strip.entries}"
            objects.append(_stream(head, strip.data))
            numbers.append(len(objects))
        objects.append(_stream("<<", zlib.compress(_content(page))))
        objects[-1] = objects[-1].replace(b"<< /Length", b"<< /Filter /FlateDecode /Length", 1)
        names = " ".join(f"/Im{place} {number} 0 R" for place, number in enumerate(numbers))
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {page.width:.2f} {page.height:.2f}] /Rotate {page.rotate}"
            f" /Resources << /XObject << {names} >> /Font << /F1 3 0 R >> >>"
            f" /Contents {len(objects)} 0 R >>".encode()
        )
        kids.append(len(objects))
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] /Count {len(kids)} >>".encode()
    path.write_bytes(_file(objects))


def _content(page: ScannedPage) -> bytes:
    rows = sum(strip.height for strip in page.strips)
    lines, top = [], page.height
    for place, strip in enumerate(page.strips):
        height = page.height * strip.height / rows
        top -= height
        lines.append(f"q {page.width:.3f} 0 0 {height:.3f} 0 {top:.3f} cm /Im{place} Do Q")
    for place, text in enumerate(page.hidden):
        shown = text.encode("utf-16-be").hex()
        lines.append(f"BT 3 Tr /F1 9 Tf 60 {page.height - 70 - 16 * place:.1f} Td <{shown}> Tj ET")
    return "\n".join(lines).encode()


def _font_objects() -> list[bytes]:
    """The predefined font in which scanners' text layers are set; it is never drawn."""
    return [
        b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [4 0 R] >>",
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /FontDescriptor 5 0 R"
        b" /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 0 >> /DW 1000 >>",
        b"<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] /ItalicAngle 0"
        b" /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>",
    ]


def _stream(head: str, data: bytes) -> bytes:
    return f"{head} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def _file(objects: list[bytes]) -> bytes:
    body = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    start = len(body)
    body += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    body += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    body += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(body)


def write_hybrid_pdf(native: Path, scanned: dict[int, ScannedPage], path: Path) -> None:
    """The native PDF with some pages (by index) replaced by their scans."""
    places = sorted(scanned)
    images = path.with_suffix(".images.pdf")
    write_image_pdf([scanned[place] for place in places], images)
    joined = pypdfium2.PdfDocument.new()
    with pypdfium2.PdfDocument(native) as source, pypdfium2.PdfDocument(images) as pictures:
        for place in range(len(source)):
            if place in scanned:
                joined.import_pages(pictures, [places.index(place)])
            else:
                joined.import_pages(source, [place])
    buffer = BytesIO()
    joined.save(buffer)
    joined.close()
    images.unlink()
    path.write_bytes(_OF_THE_MOMENT.sub(lambda match: b" " * len(match[0]), buffer.getvalue()))
