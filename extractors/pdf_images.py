"""What the images of a PDF page will cost to unpack, and whether they are whole, told before they are.

PDFium unpacks most kinds row by row; those that it has to hold as a whole are counted here. A header inside the data
may say another size than the PDF: the decoder goes by that one.
"""

from __future__ import annotations

import struct
import zlib

from pdfminer.pdftypes import PDFStream, int_value, resolve1

# Bytes that PDFium may take to hold one image; A4 at 600 dpi in colour takes some 500 MB as JPEG 2000, else far less.
MAX_HELD_BYTES = 600_000_000

_MOST_CHECKED = 100_000_000  # bytes of an unpacked stream that are counted to tell whether it ends early
_CHUNK = 1 << 16
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})  # SOF of JPEG
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_JPX_SIZE, _JPX_HELD = b"\xff\x4f\xff\x51", 5  # SOC and SIZ; bytes that a sample takes while it is decoded
_SCAN, _END = b"\xff\xda", b"\xff\xd9"  # SOS and EOI of JPEG; the latter is EOC of JPEG 2000 too


def held_bytes(image: PDFStream) -> int:
    """Bytes that PDFium takes to hold ``image`` and its masks, beyond a few rows."""
    total = _held(image)
    for name in ("SMask", "Mask"):
        mask = resolve1(image.attrs.get(name))
        if isinstance(mask, PDFStream):
            width, height = _declared(mask)
            total += max(width * height, _held(mask))
    return total


def _held(image: PDFStream) -> int:
    kind, data, (width, height) = _filter(image), image.rawdata or b"", _declared(image)
    if kind == "JPXDecode":
        at = data.find(_JPX_SIZE)
        if at >= 0 and len(data) >= at + 42:
            right, bottom, left, top = struct.unpack_from(">4I", data, at + 8)
            (components,) = struct.unpack_from(">H", data, at + 40)
            return int(max(0, right - left) * max(0, bottom - top) * max(1, components) * _JPX_HELD)
        return width * height * _JPX_HELD
    if kind in ("DCTDecode", "DCT"):
        marker, wide, high, components = _jpeg_frame(data)
        # A progressive picture is held as coefficients of 16 bits.
        return 2 * wide * high * components if marker in _PROGRESSIVE else 0
    if kind == "JBIG2Decode":
        return width * height // 4
    return 0


def is_cut(image: PDFStream) -> bool:
    """Whether the data of ``image`` end before its picture does, as far as its kind lets that be told."""
    kind, data = _filter(image), image.rawdata or b""
    if image.decipher is not None:
        return False
    if kind in ("DCTDecode", "DCT", "JPXDecode"):
        # Neither marker occurs in packed pixels.
        start = _SCAN if kind != "JPXDecode" else _JPX_SIZE
        return start in data and data.rfind(_END) < data.rfind(start)
    if kind in ("FlateDecode", "Fl") and len(image.get_filters()) == 1:
        return _ends_early(data)
    return False


def dots(image: PDFStream) -> tuple[int, int, bool]:
    """Width and height of ``image`` in pixels, and whether they are black or white only."""
    is_bilevel = _filter(image) in ("CCITTFaxDecode", "CCF", "JBIG2Decode")
    bits = resolve1(image.get_any(("BPC", "BitsPerComponent"), 8))
    return *_declared(image), is_bilevel or bits == 1


def is_layered(image: PDFStream) -> bool:
    """Whether every part of the data adds to the whole picture, so that a cut blurs all of it."""
    kind = _filter(image)
    return kind == "JPXDecode" or (
        kind in ("DCTDecode", "DCT") and _jpeg_frame(image.rawdata or b"")[0] in _PROGRESSIVE
    )


def _ends_early(data: bytes) -> bool:
    """Whether a deflate stream breaks off; one that is longer than is counted passes as whole."""
    unpack, total, rest = zlib.decompressobj(), 0, data
    try:
        while not unpack.eof and total < _MOST_CHECKED:
            if not rest:
                return True
            total += len(unpack.decompress(rest, _CHUNK))
            rest = unpack.unconsumed_tail
    except zlib.error:
        return True
    return False


def _filter(image: PDFStream) -> str:
    """The last filter, which is that of the picture."""
    filters = image.get_filters()
    return str(getattr(filters[-1][0], "name", "")) if filters else ""


def _declared(image: PDFStream) -> tuple[int, int]:
    width, height = (int_value(image.get_any(names, 0)) for names in (("W", "Width"), ("H", "Height")))
    return max(0, width), max(0, height)


def _jpeg_frame(data: bytes) -> tuple[int, int, int, int]:
    """Marker, width, height and components of a JPEG; nils where there is no header."""
    at = 2
    while at + 10 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return marker, width, height, data[at + 9]
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0, 0, 0, 0
