"""Scans that are no good: blank, scribbled, huge, made to exhaust memory, odd, cut off. Each is built here.

A worker process reads them one after another, as ``gongkai run`` does, and says what each cost. Nothing may be
invented, no file may take the worker beyond its memory, and no page much time.
"""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pypdfium2
import pytest
from numpy.typing import NDArray
from PIL import Image

from flows.cli import main
from tests.generator.scan_pdf import ScannedPage, Strip, encode_file, write_image_pdf

Pixels = NDArray[np.uint8]

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "data/samples/青禾镇 年报（扫描）.pdf"
PEAK_MB = 1200
SECONDS = 12.0  # for a page; the machine may have other work
GREY = "/ColorSpace /DeviceGray /BitsPerComponent 8"
COLOUR = "/ColorSpace /DeviceRGB /BitsPerComponent 8"
BILEVEL = "/ColorSpace /DeviceGray /BitsPerComponent 1"
GOLD = json.loads((ROOT / "data/gold/samples/青禾镇 年报（扫描）.pdf.json").read_text(encoding="utf-8"))
# What the disclosure table on its first page prints.
PRINTED = {key: cell["value"] for key, cell in GOLD["cells"].items() if key.startswith("disclosure.")}

# Peaks are set back before each file where the system can (Linux); elsewhere they are those of all files so far. A
# peak of getrusage would also hold that of the process that started this one.
WORKER = """
import json, resource, sys, time
from pathlib import Path
from extractors.errors import ExtractionError
from extractors.extract import extract_report
from extractors.report import to_dict

def set_back():
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass

def peak_mb():
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)

for line in sys.stdin:
    set_back()
    start = time.perf_counter()
    try:
        result = {"record": to_dict(extract_report(Path(json.loads(line))))}
    except ExtractionError as error:
        result = {"error": type(error).__name__, "message": str(error)}
    result |= {"seconds": time.perf_counter() - start, "peak_mb": peak_mb()}
    print(json.dumps(result, default=float), flush=True)
"""


class Result:
    """What came of a file: an error and its message, or cells and problems of a record."""

    def __init__(self, answer: dict[str, Any]) -> None:
        record = answer.get("record", {"cells": [], "problems": []})
        self.error: str | None = answer.get("error")
        self.message: str = answer.get("message", "")
        self.cells = {cell["key"]: cell for cell in record["cells"]}
        self.reported = {key: cell["value"] for key, cell in self.cells.items() if cell["status"] == "reported"}
        self.problems = [f"{problem['code']}: {problem['message']}" for problem in record["problems"]]

    def has(self, code: str, words: str = "") -> bool:
        """Whether a problem of this code has these words and names a page."""
        return any(line.startswith(code) and ": page " in line and words in line for line in self.problems)


Read = Callable[..., Result]


@pytest.fixture(scope="module")
def read() -> Iterator[Read]:
    """Reads a file in the worker and checks what it cost."""
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert worker.stdin and worker.stdout
    answers = worker.stdout

    def ask(path: Path, pages: int = 1) -> Result:
        print(json.dumps(str(path)), file=worker.stdin, flush=True)
        line = answers.readline()
        assert line, f"the worker died of {path.name}"
        answer = json.loads(line)
        print(path.name, {name: answer.get(name) for name in ("seconds", "peak_mb", "error", "message")})
        assert answer["peak_mb"] < PEAK_MB
        assert answer["seconds"] < SECONDS * pages
        assert "\n" not in answer.get("message", "")
        assert str(path) in answer.get("message", str(path))
        return Result(answer)

    # Models are loaded before anything is measured.
    ask(ROOT / "data/samples/html_2019_tables_beside_disputes.png")
    yield ask
    worker.stdin.close()
    worker.stdout.close()
    worker.wait(10)


def sheet(number: int) -> Pixels:
    """A page of the scanned sample at 200 dpi, grey."""
    with pypdfium2.PdfDocument(SOURCE) as pdf:
        return np.asarray(pdf[number].render(scale=200 / 72, grayscale=True).to_pil().convert("L"))


@pytest.fixture(scope="module")
def page() -> Pixels:
    """A short page: the title, and the section with the disclosure table."""
    whole = sheet(0)
    short = np.full((1060, whole.shape[1]), 255, np.uint8)
    short[50:150] = whole[150:250]
    short[170:1020] = whole[730:1580]
    return short


@pytest.fixture(scope="module")
def last_page() -> Pixels:
    return sheet(2)


def is_read(result: Result) -> bool:
    """Whether nothing is reported that is not printed, and nearly all that is."""
    return result.reported.items() <= PRINTED.items() and len(result.reported) >= len(PRINTED) - 2


def flate(pixels: NDArray[Any], entries: str = GREY) -> Strip:
    return Strip(
        zlib.compress(pixels.tobytes(), 1), pixels.shape[1], pixels.shape[0], f"/Filter /FlateDecode {entries}"
    )


def g4(pixels: Pixels) -> bytes:
    """CCITT group 4 data in which paper, not ink, is one."""
    image = Image.fromarray(np.where(pixels < 215, 0, 255).astype(np.uint8)).convert("1")
    buffer = io.BytesIO()
    image.save(buffer, "TIFF", compression="group4", strip_size=-(-image.width // 8) * image.height)
    with Image.open(buffer) as tiff:
        start, size = tiff.tag_v2[273][0], tiff.tag_v2[279][0]  # type: ignore[attr-defined]
        assert tiff.tag_v2[262] == 1  # type: ignore[attr-defined]
    return buffer.getvalue()[start : start + size]


def fax_strip(pixels: Pixels) -> Strip:
    height, width = pixels.shape
    parameters = f"/DecodeParms << /K -1 /Columns {width} /Rows {height} /BlackIs1 true >>"
    return Strip(g4(pixels), width, height, f"/Filter /CCITTFaxDecode {parameters} {BILEVEL}")


def jbig2(width: int, height: int, mmr: bytes) -> bytes:
    """A page and a generic region coded as in a fax (ITU-T T.88, 7.4.6), as PDF embeds them."""
    region = struct.pack(">IIIIBB", width, height, 0, 0, 0, 1) + mmr
    about = struct.pack(">IIIIBH", width, height, 0, 0, 0, 0)
    first, second = struct.pack(">IBBBI", 0, 48, 0, 1, len(about)), struct.pack(">IBBBI", 1, 38, 0, 1, len(region))
    return first + about + second + region


def png(width: int, height: int, bits: int, colours: int, packed: bytes) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def packed_rows(rows: Iterator[bytes]) -> bytes:
    packer = zlib.compressobj(1)
    return b"".join([*map(packer.compress, rows), packer.flush()])


def nils(size: int) -> bytes:
    """A deflate stream of ``size`` nils, some two hundred times smaller."""
    return packed_rows(bytes(min(1 << 24, size - start)) for start in range(0, size, 1 << 24))


def write_pdf(folder: Path, strip: Strip, size: tuple[float, float] | None = None) -> Path:
    """A page of one image; its size in points, else as if scanned at 200 dpi."""
    width, height = size or (strip.width * 0.36, strip.height * 0.36)
    write_image_pdf([ScannedPage((strip,), width, height)], folder / "scan.pdf")
    return folder / "scan.pdf"


def write_file(folder: Path, data: bytes, suffix: str) -> Path:
    path = folder / f"scan.{suffix}"
    path.write_bytes(data)
    return path


def scribble(canvas: Pixels, left: int, top: int, right: int, bottom: int, seed: int) -> None:
    """Strokes of a hand that writes nothing, within a box."""
    random = np.random.default_rng(seed)
    count = max(6, (right - left) // 12)
    xs = np.linspace(left, right, count) + random.normal(0, 5, count)
    ys = np.clip((top + bottom) / 2 + random.normal(0, (bottom - top) / 3, count), top, bottom)
    stroke = np.column_stack((xs, ys)).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(canvas, [stroke], False, 40, 3, cv2.LINE_AA)


# --- nothing to read -------------------------------------------------------------------------------------------


def test_a_blank_page_has_no_cell_and_a_problem(read: Read, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    paper = np.clip(random.normal(246, 2, (2339, 1654)), 0, 255).astype(np.uint8)
    result = read(write_pdf(tmp_path, flate(paper)))
    assert not result.reported
    assert result.has("page.unclear", "blank")
    white = read(write_pdf(tmp_path, flate(np.full((2339, 1654), 255, np.uint8))))
    assert white.has("page.unclear", "white")
    picture = read(write_file(tmp_path, encode_file(Image.fromarray(paper), "PNG"), "png"))
    assert (picture.error, "no writing" in picture.message) == ("EmptyFile", True)


def test_handwriting_is_no_figure(read: Read, tmp_path: Path) -> None:
    canvas = np.full((2339, 1654), 255, np.uint8)
    for line in range(18):
        for word in range(7):
            scribble(canvas, 150 + 190 * word, 180 + 110 * line, 300 + 190 * word, 240 + 110 * line, 10 * line + word)
    result = read(write_pdf(tmp_path, flate(canvas)))
    assert not result.reported
    assert result.error == "NotAReport" or result.has("page.unclear")


def test_cells_filled_by_a_scrawl_are_not_reported(read: Read, tmp_path: Path, page: Pixels) -> None:
    scrawled = page.copy()
    for row, top in enumerate((352, 408)):
        for col, left in enumerate((630, 925, 1220)):
            scrawled[top : top + 38, left : left + 240] = 255
            scribble(scrawled, left + 60, top + 2, left + 180, top + 34, 5 * row + col)
    result = read(write_pdf(tmp_path, flate(scrawled)))
    scrawls = {key for key in PRINTED if "regulations" in key or "normative" in key}
    assert {key: result.cells[key]["status"] for key in scrawls} == dict.fromkeys(scrawls, "illegible")
    assert result.reported == {key: value for key, value in PRINTED.items() if key not in scrawls}
    assert any(line.startswith(("cell.illegible", "cell.not_a_number")) for line in result.problems)


def test_a_page_of_two_thousand_scrawled_cells_is_given_up_soon(read: Read, tmp_path: Path) -> None:
    canvas = np.full((2339, 1654), 255, np.uint8)
    canvas[::34] = canvas[1::34] = 0
    canvas[:, ::50] = canvas[:, 1::50] = 0
    for place in range(68 * 33):
        top, left = 34 * (place // 33), 50 * (place % 33)
        scribble(canvas, left + 8, top + 6, left + 42, top + 28, place)
    result = read(write_pdf(tmp_path, flate(canvas)))
    assert not result.reported
    assert result.error == "NotAReport" or result.has("page.unclear")


# --- too much --------------------------------------------------------------------------------------------------


def huge_rows(page: Pixels, bits: int, filter_byte: bytes) -> Iterator[bytes]:
    """The rows of a picture of 20,000 x 20,000 px that shows ``page`` twelve times as large."""
    for row in range(20_000):
        line = np.full(20_000, 255, np.uint8)
        if row // 12 < len(page):
            line[: 12 * page.shape[1]] = np.repeat(page[row // 12], 12)
        yield filter_byte + (np.packbits(line > 215).tobytes() if bits == 1 else line.tobytes())


def test_a_png_of_400_million_pixels_is_refused(read: Read, tmp_path: Path, page: Pixels) -> None:
    data = png(20_000, 20_000, 1, 0, packed_rows(huge_rows(page, 1, b"\0")))
    result = read(write_file(tmp_path, data, "png"))
    assert (result.error, "100 million" in result.message) == ("LimitExceeded", True)


@pytest.mark.parametrize("bits", [1, 8])
def test_a_huge_image_in_a_pdf_is_read_smaller(read: Read, tmp_path: Path, page: Pixels, bits: int) -> None:
    data = packed_rows(huge_rows(page, bits, b""))
    strip = Strip(data, 20_000, 20_000, f"/Filter /FlateDecode {BILEVEL if bits == 1 else GREY}")
    result = read(write_pdf(tmp_path, strip, (600.0, 600.0)))
    assert is_read(result)


@pytest.mark.parametrize(("bits", "colours", "octets"), [(8, 2, 3), (8, 6, 4), (16, 0, 2)])
def test_the_largest_png_that_is_unpacked_fits(
    read: Read, tmp_path: Path, bits: int, colours: int, octets: int
) -> None:
    data = png(9_990, 9_990, bits, colours, nils(9_990 * (9_990 * octets + 1)))
    assert len(data) < 4_000_000
    assert read(write_file(tmp_path, data, "png")).error == "EmptyFile"


@pytest.mark.parametrize("side", [10_100, 60_000])
def test_a_png_that_announces_more_is_not_unpacked(read: Read, tmp_path: Path, side: int) -> None:
    result = read(write_file(tmp_path, png(side, side, 8, 2, nils(1 << 20)), "png"))
    assert result.error == "LimitExceeded"
    assert "million" in result.message


def jpeg_2000(side: int) -> bytes:
    """A JPEG 2000 file that announces a picture of ``side`` x ``side`` px in both of its headers."""
    data = bytearray(encode_file(Image.new("L", (200, 200), 200), "JPEG2000"))
    size, head = data.find(b"\xff\x4f\xff\x51"), data.find(b"ihdr")
    data[size + 8 : size + 16] = data[head + 4 : head + 12] = struct.pack(">II", side, side)
    return bytes(data)


def progressive_jpeg(side: int) -> bytes:
    data = bytearray(encode_file(Image.new("L", (80, 80), 200), "JPEG", progressive=True))
    frame = data.find(b"\xff\xc2")
    data[frame + 5 : frame + 9] = struct.pack(">HH", side, side)
    return bytes(data)


def test_bombs_in_a_pdf_cost_little_and_are_named(read: Read, tmp_path: Path) -> None:
    zeros = nils(1 << 29)
    fax = "/Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 60000 /Rows 60000 >>"
    twice = "/Filter [/FlateDecode /FlateDecode]"
    bombs = {
        "deflate": (Strip(zeros, 30_000, 30_000, f"/Filter /FlateDecode {COLOUR}"), ""),
        "deflate twice": (Strip(zlib.compress(zeros, 9), 30_000, 30_000, f"{twice} {COLOUR}"), ""),
        "more than announced": (Strip(zeros, 1_000, 1_000, f"/Filter /FlateDecode {COLOUR}"), ""),
        "hardly any data": (Strip(zlib.compress(b"abc"), 100_000, 100_000, f"/Filter /FlateDecode {GREY}"), ""),
        "CCITT": (Strip(b"\xff" * 1000, 60_000, 60_000, f"{fax} {BILEVEL}"), ""),
        "JBIG2": (Strip(jbig2(60_000, 60_000, bytes(9)), 60_000, 60_000, f"/Filter /JBIG2Decode {BILEVEL}"), "MB"),
        "JPEG 2000": (Strip(jpeg_2000(60_000), 60_000, 60_000, f"/Filter /JPXDecode {GREY}"), "MB"),
        "JPEG 2000, size hidden": (Strip(jpeg_2000(60_000), 900, 900, f"/Filter /JPXDecode {GREY}"), "MB"),
        "JPEG, size hidden": (Strip(progressive_jpeg(65_500), 80, 80, f"/Filter /DCTDecode {GREY}"), "MB"),
    }
    for name, (strip, words) in bombs.items():
        print(name)
        result = read(write_pdf(tmp_path, strip, (595.0, 842.0)))
        assert result.error is None
        assert not result.reported
        assert result.has("page.unreadable", words) if words else result.has("page.unclear")


def test_a_mask_of_gigabytes_is_not_unpacked(read: Read, tmp_path: Path, page: Pixels) -> None:
    # The writer numbers the images of a page from 6.
    strip = flate(page, f"{GREY} /SMask 7 0 R")
    mask = Strip(nils(1 << 24), 30_000, 30_000, f"/Filter /FlateDecode {GREY}")
    write_image_pdf([ScannedPage((strip, mask), 595.0, 842.0)], tmp_path / "mask.pdf")
    assert b"7 0 obj\n<< /Type /XObject /Subtype /Image /Width 30000" in (tmp_path / "mask.pdf").read_bytes()
    assert read(tmp_path / "mask.pdf").has("page.unreadable", "900 MB")


def test_a_page_that_takes_for_ever_to_draw_is_given_up(read: Read, tmp_path: Path) -> None:
    path = write_pdf(tmp_path, Strip(nils(17_000**2 * 3), 17_000, 17_000, f"/Filter /FlateDecode {COLOUR}"))
    data = path.read_bytes()
    start = data.index(b"/Filter /FlateDecode /Length", data.index(b"endstream"))
    content = zlib.compress(b"q 595 0 0 842 0 0 cm /Im0 Do Q\n" * 200)
    drawn = b"/Filter /FlateDecode /Length %d >>\nstream\n%b\n" % (len(content), content)
    path.write_bytes(data[:start] + drawn + data[data.index(b"endstream", start) :])
    assert read(path).has("page.scan", "seconds to draw")


# --- odd -------------------------------------------------------------------------------------------------------


def odd_image(page: Pixels, kind: str) -> Strip:
    """The page in a way in which PDF keeps images."""
    height, width = page.shape
    image = Image.fromarray(page)
    if kind == "CMYK JPEG":
        colours = "/ColorSpace /DeviceCMYK /BitsPerComponent 8 /Decode [1 0 1 0 1 0 1 0]"
        return Strip(
            encode_file(image.convert("CMYK"), "JPEG", quality=95), width, height, f"/Filter /DCTDecode {colours}"
        )
    if kind == "1 bit":
        packed = zlib.compress(np.packbits(page > 215, axis=1).tobytes())
        return Strip(packed, width, height, f"/Filter /FlateDecode {BILEVEL}")
    if kind == "16 bits":
        return flate(page.astype(">u2") * np.uint16(257), "/ColorSpace /DeviceGray /BitsPerComponent 16")
    if kind == "negative":
        return flate(255 - page)
    if kind == "CCITT":
        return fax_strip(page)
    if kind == "JBIG2":
        # In JBIG2 ink is one.
        negative = np.where(page < 215, 255, 0).astype(np.uint8)
        return Strip(jbig2(width, height, g4(negative)), width, height, f"/Filter /JBIG2Decode {BILEVEL}")
    assert kind == "JPEG 2000"
    packed = encode_file(image, "JPEG2000", quality_mode="rates", quality_layers=[18])
    return Strip(packed, width, height, f"/Filter /JPXDecode {GREY}")


@pytest.mark.parametrize("kind", ["CMYK JPEG", "1 bit", "16 bits", "negative", "CCITT", "JBIG2", "JPEG 2000"])
def test_a_pdf_with_an_odd_image_is_read(read: Read, tmp_path: Path, page: Pixels, kind: str) -> None:
    result = read(write_pdf(tmp_path, odd_image(page, kind)))
    assert is_read(result)
    assert not result.has("page.")


def odd_file(page: Pixels, name: str) -> bytes:
    image = Image.fromarray(page)
    bilevel = Image.fromarray(np.where(page < 215, 0, 255).astype(np.uint8)).convert("1")
    if name == "CMYK.jpg":
        return encode_file(image.convert("CMYK"), "JPEG", quality=95)
    if name.startswith("1 bit"):
        return (
            encode_file(bilevel, "PNG") if name.endswith("png") else encode_file(bilevel, "TIFF", compression="group4")
        )
    if name == "16 bits.png":
        return encode_file(Image.fromarray(page.astype(np.uint16) * np.uint16(257)), "PNG")
    if name == "page.jp2":
        return encode_file(image, "JPEG2000", quality_mode="rates", quality_layers=[18])
    assert name == "page.webp"
    return encode_file(image, "WEBP", quality=80, method=0)


@pytest.mark.parametrize("name", ["CMYK.jpg", "1 bit.png", "1 bit.tif", "16 bits.png", "page.jp2", "page.webp"])
def test_an_odd_picture_file_is_read(read: Read, tmp_path: Path, page: Pixels, name: str) -> None:
    result = read(write_file(tmp_path, odd_file(page, name), name.rsplit(".", 1)[1]))
    assert is_read(result)


@pytest.mark.parametrize("level", [150, 215])
def test_a_fax_of_72_dpi_is_right_or_illegible(read: Read, tmp_path: Path, page: Pixels, level: int) -> None:
    small = cv2.resize(page, None, fx=0.36, fy=0.36, interpolation=cv2.INTER_AREA)
    strip = fax_strip(np.where(small < level, 0, 255).astype(np.uint8))
    result = read(write_pdf(tmp_path, strip, (page.shape[1] * 0.36, page.shape[0] * 0.36)))
    assert result.reported.items() <= PRINTED.items()
    assert result.has("page.unclear", "at 72 dots") or "at 72 dots" in result.message


def test_a_fax_whose_pixels_are_not_square_is_read(read: Read, tmp_path: Path, page: Pixels) -> None:
    flat = cv2.resize(page, None, fx=1.0, fy=0.5, interpolation=cv2.INTER_AREA)
    data = encode_file(Image.fromarray(flat), "TIFF", compression="tiff_lzw", dpi=(200, 100))
    result = read(write_file(tmp_path, data, "tif"))
    assert result.reported.items() <= PRINTED.items()
    assert len(result.reported) >= len(PRINTED) / 2


def test_every_page_of_a_tiff_is_read(read: Read, tmp_path: Path, page: Pixels, last_page: Pixels) -> None:
    pages = [Image.fromarray(last_page), Image.fromarray(page)]
    data = encode_file(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    result = read(write_file(tmp_path, data, "tif"), pages=2)
    assert result.reported.items() & PRINTED.items() >= {("disclosure.licences.decisions", 22)}
    assert {result.cells[key]["evidence"]["page"] for key in PRINTED} == {2}


def test_a_broken_page_of_a_tiff_costs_only_itself(read: Read, tmp_path: Path, page: Pixels, last_page: Pixels) -> None:
    pages = [Image.fromarray(page), Image.fromarray(last_page)]
    data = encode_file(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    with Image.open(io.BytesIO(data)) as tiff:
        tiff.seek(1)
        start = tiff.tag_v2[273][0]  # type: ignore[attr-defined]
    result = read(write_file(tmp_path, data[:start] + b"\xff" * 64 + data[start + 64 :], "tif"), pages=2)
    assert is_read(result)
    assert result.has("page.unreadable", "page 2")


# --- cut off ---------------------------------------------------------------------------------------------------


def test_a_jpeg_that_is_cut_off_is_refused(read: Read, tmp_path: Path, page: Pixels) -> None:
    whole = encode_file(Image.fromarray(page), "JPEG", quality=80)
    result = read(write_file(tmp_path, whole[: len(whole) * 6 // 10], "jpg"))
    assert (result.error, "truncated" in result.message) == ("DamagedFile", True)


@pytest.mark.parametrize("kind", ["JPEG", "progressive JPEG", "JPEG 2000", "deflate"])
def test_of_an_image_that_is_cut_off_in_a_pdf_nothing_is_invented(
    read: Read, tmp_path: Path, page: Pixels, kind: str
) -> None:
    image = Image.fromarray(page)
    data, entries = {
        "JPEG": lambda: (encode_file(image, "JPEG", quality=80), "/Filter /DCTDecode"),
        "progressive JPEG": lambda: (encode_file(image, "JPEG", progressive=True), "/Filter /DCTDecode"),
        "JPEG 2000": lambda: (encode_file(image, "JPEG2000"), "/Filter /JPXDecode"),
        "deflate": lambda: (zlib.compress(page.tobytes()), "/Filter /FlateDecode"),
    }[kind]()
    # Somewhere among these the cut goes through a line of figures.
    for share in (0.6, 0.8, 0.9):
        strip = Strip(data[: int(share * len(data))], page.shape[1], page.shape[0], f"{entries} {GREY}")
        result = read(write_pdf(tmp_path, strip))
        assert result.reported.items() <= PRINTED.items()
        assert result.has("page.", "data end early")


# --- the command -----------------------------------------------------------------------------------------------


def test_the_command_names_file_and_reason_in_one_line(
    tmp_path: Path, page: Pixels, capfd: pytest.CaptureFixture[str]
) -> None:
    jpeg = encode_file(Image.fromarray(page), "JPEG")
    paths = [
        write_file(tmp_path, png(60_000, 60_000, 8, 2, nils(1 << 16)), "png"),
        write_file(tmp_path, jpeg[: len(jpeg) // 2], "jpg"),
        write_pdf(tmp_path, Strip(jpeg_2000(60_000), 80, 80, f"/Filter /JPXDecode {GREY}"), (595.0, 842.0)),
    ]
    assert main(["extract", *map(str, paths)]) == 14
    out, err = capfd.readouterr()
    lines = err.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["limit", "damaged"]
    assert [str(path) in line for path, line in zip(paths, lines, strict=False)] == [True, True]
    (record,) = map(json.loads, out.splitlines())
    (problem,) = (problem for problem in record["problems"] if problem["code"] == "page.unreadable")
    assert problem["evidence"]["page"] == 1
