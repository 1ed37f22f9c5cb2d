"""What is drawn over the pages of a report: pixels of each cell's outline where the page prints the cell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2  # type: ignore[import-untyped]
import pytest
from PIL import Image

import flows.draw
from extractors.errors import DamagedFile, LimitExceeded, UnreadableFile, UnsupportedFormat
from extractors.extract import extract_report
from extractors.render import Renderer
from extractors.report import Box, to_json
from flows.cli import main
from flows.draw import COLOURS, SEVERITIES, TargetError, draw_record
from flows.inbox import InboxFile
from flows.store import Store

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
# Findings of both severities lie in these; the second page holds whole tables.
BROKEN = SAMPLES / "pdf_2021_stacked.pdf"
BLANKS = SAMPLES / "pdf_2021_chromium.pdf"
TABLE = SAMPLES / "html_2019_tables_beside_applications.png"
Record = dict[str, Any]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def read(path: Path) -> Record:
    record: Record = json.loads(to_json(extract_report(path)))
    return record


@pytest.fixture(scope="module")
def table() -> dict[str, Box]:
    """The boxes of the cells of ``TABLE`` as it is."""
    return boxes(read(TABLE))


def one_page(source: Path, number: int, target: Path, rotate: int = 0, crop: Box | None = None) -> Path:
    """A PDF of one page of ``source``, with a /Rotate and a crop box (PDF points, from the bottom left) of its own."""
    with pypdfium2.PdfDocument(source) as whole, pypdfium2.PdfDocument.new() as single:
        single.import_pages(whole, [number - 1])
        page = single[0]
        page.set_rotation(rotate)
        if crop is not None:
            page.set_cropbox(*crop)
        page.close()
        single.save(target)
    return target


def boxes(record: Record, page: int = 1) -> dict[str, Box]:
    found = {cell["key"]: cell["evidence"] for cell in record["cells"] if cell["evidence"]}
    return {key: tuple(place["box"]) for key, place in found.items() if place["page"] == page}


def has_outline(pixels: Pixels, box: Box, scale: float, colour: tuple[int, int, int], reach: int = 3) -> bool:
    """Whether ``colour`` crosses the middle of each side of ``box`` (points), ``reach`` pixels in and out."""
    left, top, right, bottom = (edge * scale for edge in box)
    across, down = (left + right) / 2, (top + bottom) / 2
    for x, y in ((left, down), (right, down), (across, top), (across, bottom)):
        window = pixels[
            max(0, round(y) - reach) : round(y) + reach + 1, max(0, round(x) - reach) : round(x) + reach + 1
        ]
        if not np.any(np.all(window == colour, axis=2)):
            return False
    return True


def states(record: Record) -> dict[str, str]:
    assisted = [problem["evidence"] for problem in record["problems"] if problem["code"] == "cell.assisted"]
    return {cell["key"]: "assisted" if cell["evidence"] in assisted else cell["status"] for cell in record["cells"]}


def drawn(record: Record, target: Path) -> Pixels:
    draw_record(record, target)
    return np.asarray(Image.open(target).convert("RGB"))


def check_outlines(pixels: Pixels, record: Record, scale: float) -> None:
    """Every cell with a place is outlined there, in the colour of its state."""
    found, state = boxes(record), states(record)
    assert len(found) > 100
    wrong = [key for key, box in found.items() if not has_outline(pixels, box, scale, COLOURS[state[key]])]
    assert wrong == []


def turned(box: Box, degrees: int, size: tuple[float, float]) -> Box:
    """Where ``box`` of a page of ``size`` lies when the page is turned clockwise."""
    (left, top, right, bottom), (width, height) = box, size
    return {
        0: box,
        90: (height - bottom, left, height - top, right),
        180: (width - right, height - bottom, width - left, height - top),
        270: (top, width - right, bottom, width - left),
    }[degrees]


def inked(path: Path, record: Record) -> float:
    """The share of reported cells in whose box the bare page has ink."""
    with Renderer(path) as renderer:
        picture = renderer.picture(1, 144)
    reported = {cell["key"] for cell in record["cells"] if cell["status"] == "reported"}
    dark = []
    for left, top, right, bottom in (box for key, box in boxes(record).items() if key in reported):
        inside = picture[round(top * 2) + 3 : round(bottom * 2) - 2, round(left * 2) + 1 : round(right * 2) - 1]
        dark.append(bool(np.any(inside < 120)))
    return sum(dark) / len(dark)


# --- where marks lie -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_cells_are_outlined_where_a_page_with_rotate_shows_them(rotate: int, tmp_path: Path) -> None:
    upright = read(one_page(BLANKS, 2, tmp_path / "upright.pdf"))
    path = one_page(BLANKS, 2, tmp_path / "turned.pdf", rotate)
    record = read(path)
    with Renderer(tmp_path / "upright.pdf") as renderer:
        size = renderer.size(1)
    expected = {key: turned(box, rotate, size) for key, box in boxes(upright).items()}
    assert boxes(record).keys() == expected.keys()
    for key, box in boxes(record).items():
        assert box == pytest.approx(expected[key], abs=0.1), key
    pixels = drawn({**record, "findings": []}, tmp_path / "out.png")
    side = size[0] if rotate % 180 == 0 else size[1]
    assert pixels.shape[1] == pytest.approx(side * 2, abs=1)
    check_outlines(pixels, record, 2)
    assert inked(path, record) == 1


def test_cells_are_outlined_where_a_crop_box_shows_them(tmp_path: Path) -> None:
    path = one_page(BLANKS, 2, tmp_path / "a.pdf", 90, (20, 30, 590, 770))
    record = read(path)
    pixels = drawn({**record, "findings": []}, tmp_path / "out.png")
    assert pixels.shape[1] == 2 * 740
    check_outlines(pixels, record, 2)
    assert inked(path, record) == 1


@pytest.mark.slow
@pytest.mark.parametrize("turn", [0, 90, 180])
def test_cells_of_a_turned_scan_are_outlined_where_the_picture_shows_them(
    turn: int, table: dict[str, Box], tmp_path: Path
) -> None:
    path = tmp_path / "scan.png"
    with Image.open(TABLE) as picture:
        size = (picture.width * 72 / 200, picture.height * 72 / 200)
        picture.rotate(-turn, expand=True).save(path)
    record = read(path)
    found = boxes(record)
    assert len(found) == 161
    for key, box in found.items():
        assert box == pytest.approx(turned(table[key], turn, size), abs=2.0), key
    # As if sums had chosen among the readings of one of them.
    helped = {"code": "cell.assisted", "message": "", "evidence": record["cells"][-1]["evidence"]}
    record = {**record, "findings": [], "problems": [*record["problems"], helped]}
    check_outlines(drawn(record, tmp_path / "out.png"), record, 200 / 72)
    assert "assisted" in states(record).values()


@pytest.mark.slow
@pytest.mark.parametrize("rotate", [0, 90])
def test_cells_of_a_scanned_pdf_are_outlined_where_rotate_shows_them(
    rotate: int, table: dict[str, Box], tmp_path: Path
) -> None:
    with Image.open(TABLE) as picture:
        size = (picture.width * 72 / 200, picture.height * 72 / 200)
        picture.convert("L").save(tmp_path / "flat.pdf", resolution=200)
    path = one_page(tmp_path / "flat.pdf", 1, tmp_path / "scan.pdf", rotate)
    record = read(path)
    assert record["source"]["scanned"]
    for key, box in boxes(record).items():
        assert box == pytest.approx(turned(table[key], rotate, size), abs=2.0), key
    check_outlines(drawn({**record, "findings": []}, tmp_path / "out.png"), record, 2)


@pytest.mark.parametrize("source", [BLANKS, BROKEN])
def test_the_cells_of_a_broken_sum_are_marked_and_no_others(source: Path, tmp_path: Path) -> None:
    record = read(one_page(source, 2, tmp_path / "a.pdf"))
    broken = [finding for finding in record["findings"] if finding["status"] == "inconsistent"]
    severities: dict[str, set[str]] = {}
    for finding in broken:
        for key in finding["cells"]:
            severities.setdefault(key, set()).add(finding["severity"])
    pixels = drawn(record, tmp_path / "out.png")
    found = boxes(record)
    assert set(severities) & set(found)
    for key, box in found.items():
        marked = {name for name, colour in SEVERITIES.items() if has_outline(pixels, box, 2, colour, reach=6)}
        if key in severities:
            assert max(SEVERITIES, key=lambda name: (name in severities[key], name == "error")) in marked, key
        else:
            assert marked == set(), key
        assert has_outline(pixels, box, 2, COLOURS[states(record)[key]], reach=6), key


def test_an_illegible_row_is_marked_once_with_what_is_missing(tmp_path: Path) -> None:
    record = read(one_page(BLANKS, 2, tmp_path / "a.pdf"))
    row = [cell for cell in record["cells"] if cell["key"].startswith("applications.granted.")]
    place = {**row[0]["evidence"], "box": [60.0, 20.0, 560.0, 40.0]}
    for cell in row:
        cell.update(status="illegible", value=None, raw=None, evidence=place)
    pixels = drawn({**record, "findings": []}, tmp_path / "out.png")
    assert has_outline(pixels, (60, 20, 560, 40), 2, COLOURS["illegible"])
    # "7x?" stands inside, at the right.
    inside = pixels[44:76, 1040:1116]
    assert np.max(inside[..., 2].astype(int) - inside[..., 1]) > 100


# --- files -----------------------------------------------------------------------------------------------------


def test_a_pdf_has_a_page_for_each_page(tmp_path: Path) -> None:
    record = read(BROKEN)
    draw_record(record, tmp_path / "out.pdf")
    with Renderer(BROKEN) as renderer, pypdfium2.PdfDocument(tmp_path / "out.pdf") as out:
        assert len(out) == record["source"]["pages"]
        for number in range(1, len(out) + 1):
            width, height = renderer.size(number)
            assert out.get_page_size(number - 1)[0] == pytest.approx(width, abs=0.5)
            assert out.get_page_size(number - 1)[1] > height
            page = np.asarray(out[number - 1].render(scale=2).to_pil().convert("RGB")).astype(int)
            for box in boxes(record, number).values():
                x, y = round(box[0] * 2), round(box[1] + box[3])
                window = page[y - 2 : y + 3, x - 4 : x + 4]
                coloured = window.max(axis=2) - window.min(axis=2)
                assert coloured.max() > 60


def test_pages_of_a_png_stand_below_each_other(tmp_path: Path) -> None:
    record = {**read(BROKEN), "findings": []}
    pixels = drawn(record, tmp_path / "out.png")
    with Renderer(BROKEN) as renderer:
        bare = [renderer.picture(number, 144) for number in range(1, record["source"]["pages"] + 1)]
    assert pixels.shape[1] == pytest.approx(max(page.shape[1] for page in bare), abs=2)
    for number, page in enumerate(bare, start=1):
        # The margin above the print is on no other page at that place: pages are found by their whole picture.
        offsets = [
            top
            for top in range(pixels.shape[0] - page.shape[0] + 1)
            if np.mean(pixels[top : top + page.shape[0] : 40, : page.shape[1] : 7] == page[::40, ::7]) > 0.93
        ]
        assert offsets, number
        assert any(
            all(has_outline(pixels[top:], box, 2, COLOURS["reported"]) for box in boxes(record, number).values())
            for top in offsets
        )


def test_a_png_is_bounded_and_refused_where_it_would_be_illegible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = read(BROKEN)
    monkeypatch.setattr(flows.draw, "MAX_PNG_PIXELS", 2_000_000)
    pixels = drawn(record, tmp_path / "out.png")
    assert 1_800_000 < pixels.shape[0] * pixels.shape[1] < 2_050_000
    monkeypatch.setattr(flows.draw, "MAX_PNG_PIXELS", 500_000)
    with pytest.raises(LimitExceeded, match=r"3 pages .* draw to a \.pdf"):
        draw_record(record, tmp_path / "small.png")
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


# --- what cannot be drawn --------------------------------------------------------------------------------------


def test_a_format_without_pages_is_refused(tmp_path: Path) -> None:
    for name in ("html_2021_portal.html", "text_2021_markdown.txt", "docx_2021_merged.docx"):
        with pytest.raises(UnsupportedFormat, match=f"{name}.*no pages"):
            draw_record(read(SAMPLES / name), tmp_path / "out.png")
    assert list(tmp_path.iterdir()) == []


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def test_a_file_that_is_gone_or_another_is_refused(tmp_path: Path) -> None:
    path = one_page(BLANKS, 2, tmp_path / "a.pdf")
    record = read(path)
    change(path)
    with pytest.raises(UnreadableFile, match="changed"):
        draw_record(record, tmp_path / "out.png")
    path.unlink()
    with pytest.raises(UnreadableFile, match="No such file"):
        draw_record(record, tmp_path / "out.png")


def test_a_page_that_cannot_be_rendered_is_named(tmp_path: Path) -> None:
    path = one_page(BLANKS, 2, tmp_path / "a.pdf")
    record = read(path)
    record["source"]["pages"] = 2
    with pytest.raises(DamagedFile, match="cannot be rendered"):
        draw_record(record, tmp_path / "out.png")


def gif(folder: Path, report: Path) -> Path:
    return folder / "out.gif"


def nowhere(folder: Path, report: Path) -> Path:
    return folder / "none" / "out.png"


def taken(folder: Path, report: Path) -> Path:
    (folder / "folder.png").mkdir()
    return folder / "folder.png"


def itself(folder: Path, report: Path) -> Path:
    (folder / "link.pdf").symlink_to(report)
    return folder / "link.pdf"


@pytest.mark.parametrize("target_of", [gif, nowhere, taken, itself])
def test_a_target_that_cannot_be_written_is_one_line(
    target_of: Callable[[Path, Path], Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = one_page(BLANKS, 2, tmp_path / "report.pdf")
    before = report.read_bytes()
    target = target_of(tmp_path, report)
    assert main(["show", "--draw", str(report), str(target)]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"gongkai: {target}: ") and err.count("\n") == 1
    assert report.read_bytes() == before
    with pytest.raises(TargetError):
        draw_record(read(report), target)


def test_a_failing_disk_is_one_line_and_leaves_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = one_page(BLANKS, 2, tmp_path / "report.pdf")

    def full(path: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert main(["show", "--draw", str(report), str(tmp_path / "out.png")]) == 2
    assert capfd.readouterr().err == f"gongkai: {tmp_path / 'out.png'}: No space left on device\n"
    assert [path.name for path in tmp_path.iterdir()] == ["report.pdf"]


def test_the_command_draws_a_file_or_a_stored_report(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    report = one_page(BLANKS, 2, tmp_path / "report.pdf")
    assert main(["show", "--draw", str(report), str(tmp_path / "a.PNG")]) == 0
    record = read(report)
    file = InboxFile(report, record["source"]["sha256"], report.stat().st_size)
    with Store(tmp_path / "store", writable=True) as store:
        store.start_run(tmp_path, "1")
        store.add_report(1, "1", file, json.dumps(record, ensure_ascii=False))
    stored = ["show", "--store", str(tmp_path / "store"), "--draw", record["source"]["sha256"][:12]]
    assert main([*stored, str(tmp_path / "b.png")]) == 0
    assert (tmp_path / "a.PNG").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert capfd.readouterr() == ("", "")
    page = SAMPLES / "html_2021_portal.html"
    assert main(["show", "--draw", str(page), str(tmp_path / "c.png")]) == 13
    assert capfd.readouterr().err.startswith(f"{page}: unsupported: text/html has no pages")
    assert main(["show", "--draw", str(tmp_path / "none.pdf"), str(tmp_path / "c.png"), *stored[1:3]]) == 2
    for wrong in (["show"], ["show", "a", "--draw", "b", "c.png"]):
        with pytest.raises(SystemExit):
            main(wrong)
