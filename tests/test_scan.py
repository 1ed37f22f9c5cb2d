"""Pictures of pages, drawn here, to lines and grids; what a scanner does to them; what is no page at all."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from extractors.pictures import compose_scan
from extractors.scan import ScannedGrid, ScannedLine, ScannedPage, load_image, read_image
from extractors.scan_cells import Pixels, Strip, cell_strips, equal_groups, separators
from extractors.scan_image import character_boxes, clean, find_skew, frame, ink_of, marks_of, without_rules
from extractors.scan_read import read_cells
from extractors.scan_rules import find_rules, ruled_grids

FONTS = [
    path
    for path in (
        Path("/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf"),
        Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
        Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc"),
        Path("/usr/share/fonts/truetype/liberation/LiberationSerif-Regular.ttf"),
    )
    if path.is_file()
]
needs_font = pytest.mark.skipif(not FONTS, reason="no Debian font (fonts-dejavu-core) on this machine")
FIGURES = [["12", "0", "7", ""], ["", "3", "8", "0"], ["105", "6", "", "1"], ["0", "0", "4", "29"]]
SIZE = (595.0, 842.0)  # points; A4


def font(size: int, number: int = 0) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS[number % len(FONTS)]), size)


def draw_page(figures: list[list[str]] = FIGURES, *, bottom: bool = True, gaps: int = 0) -> Pixels:
    """A4 at 150 dpi: a line of writing above a ruled table; its last rule may lack, its rules may have gaps."""
    image = Image.new("L", (1240, 1754), 255)
    draw = ImageDraw.Draw(image)
    draw.text((150, 150), "Report of the county on disclosure", font=font(34), fill=10)
    rows, cols = len(figures), len(figures[0])
    for row in range(rows + (1 if bottom else 0)):
        draw.line((150, 300 + 60 * row, 150 + 180 * cols, 300 + 60 * row), fill=20, width=2)
    for col in range(cols + 1):
        draw.line((150 + 180 * col, 300, 150 + 180 * col, 300 + 60 * rows), fill=20, width=2)
    for gap in range(gaps):
        x, y = 190 + 97 * gap % (180 * cols), 300 + 60 * (gap % (rows + 1))
        draw.rectangle((x, y - 3, x + 9, y + 3), fill=255)
        x, y = 150 + 180 * (gap % (cols + 1)), 312 + 51 * gap % (60 * rows - 20)
        draw.rectangle((x - 3, y, x + 3, y + 8), fill=255)
    for row, texts in enumerate(figures):
        for col, text in enumerate(texts):
            middle = (240 + 180 * col, 330 + 60 * row)
            draw.text(middle, text, font=font(26), fill=10, anchor="mm")
    return np.asarray(image)


def texts_of(grid: ScannedGrid) -> list[list[str]]:
    table = [["?"] * grid.cols for _ in range(grid.rows)]
    for cell in grid.cells:
        table[cell.row][cell.col] = cell.text
    return table


def only_grid(page: ScannedPage) -> ScannedGrid:
    assert len(page.grids) == 1, page
    return page.grids[0]


def turned(picture: Pixels, degrees: float) -> Pixels:
    """``picture`` turned about its middle so that its lines run down to the right by ``degrees``."""
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1.0)
    return np.asarray(cv2.warpAffine(picture, matrix, (width, height), borderValue=(255, 255, 255)), np.uint8)


# --- pages -----------------------------------------------------------------------------------------------------


@needs_font
def test_a_clean_page_is_read_whole() -> None:
    page = read_image(draw_page(), *SIZE)
    assert texts_of(only_grid(page)) == FIGURES
    assert "disclosure" in "".join(line.text for line in page.lines)
    assert page.problems == ()
    assert min(cell.confidence for cell in only_grid(page).cells) > 0.9


@needs_font
@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_turned_page_is_read_and_its_boxes_lie_on_the_page_as_given(quarter: int) -> None:
    picture = np.ascontiguousarray(np.rot90(draw_page(), quarter))
    size = SIZE if quarter == 2 else SIZE[::-1]
    page = read_image(picture, *size)
    assert page.rotation == 90 * quarter
    assert texts_of(only_grid(page)) == FIGURES
    first = only_grid(page).cells[0].box
    left, top, right, bottom = (150 * 0.48, 300 * 0.48, 330 * 0.48, 360 * 0.48)
    wide, high = SIZE
    expected = {
        1: (top, wide - right, bottom, wide - left),
        2: (wide - right, high - bottom, wide - left, high - top),
        3: (high - bottom, left, high - top, right),
    }[quarter]
    assert first == pytest.approx(expected, abs=2.0)


@needs_font
@pytest.mark.parametrize("quarter", [0, 1, 2, 3])
def test_a_turned_page_reads_from_its_own_top(quarter: int) -> None:
    page = read_image(np.ascontiguousarray(np.rot90(draw_page(), quarter)), *(SIZE if quarter % 2 == 0 else SIZE[::-1]))
    first, second = page.blocks
    assert isinstance(first, ScannedLine) and isinstance(second, ScannedGrid)
    assert compose_scan(page, 0, 1).text.startswith("Report")


@needs_font
@pytest.mark.parametrize("degrees", [-2.9, 1.3])
def test_a_skewed_page_is_read_and_its_boxes_are_skewed_back(degrees: float) -> None:
    page = read_image(turned(draw_page(), degrees), *SIZE)
    assert page.skew == pytest.approx(degrees, abs=0.1)
    grid = only_grid(page)
    assert texts_of(grid) == FIGURES
    last = next(cell for cell in grid.cells if (cell.row, cell.col) == (3, 3))
    angle = np.radians(degrees)
    x, y = (780 - 620) * 0.48, (510 - 877) * 0.48
    where = (x * np.cos(angle) - y * np.sin(angle) + 297.5, x * np.sin(angle) + y * np.cos(angle) + 421)
    assert ((last.box[0] + last.box[2]) / 2, (last.box[1] + last.box[3]) / 2) == pytest.approx(where, abs=2.5)


@needs_font
def test_rules_that_the_scan_broke_are_closed() -> None:
    assert texts_of(only_grid(read_image(draw_page(gaps=14), *SIZE))) == FIGURES


@needs_font
def test_a_last_row_without_its_rule_is_a_row() -> None:
    assert texts_of(only_grid(read_image(draw_page(bottom=False), *SIZE))) == FIGURES


@needs_font
def test_a_red_seal_on_figures_hides_none() -> None:
    picture = np.repeat(draw_page()[..., None], 3, axis=2)
    seal = picture.copy()
    cv2.circle(seal, (500, 420), 130, (215, 30, 40), 9)
    cv2.circle(seal, (500, 420), 40, (215, 30, 40), -1)
    page = read_image(np.minimum(picture, seal), *SIZE)
    assert texts_of(only_grid(page)) == FIGURES


@needs_font
@pytest.mark.parametrize("partner", [26, 12], ids=["as high", "half as high"])
def test_upright_strokes_of_print_in_low_rows_are_no_rules(partner: int) -> None:
    """Rows hardly higher than their print: strokes come near to the rules above and below, but do not reach them."""
    picture = np.full((800, 600), 255, np.uint8)
    for row in range(25):
        picture[30 + 30 * row : 32 + 30 * row, 50:412] = 20
    for x in (50, 230, 410):
        picture[30 : 30 + 30 * 24, x : x + 2] = 20
    for row in range(24):
        for x in range(62 + 9 * (row % 3), 200, 27):
            picture[33 + 30 * row : 59 + 30 * row, x : x + 3] = 20
            picture[33 + 30 * row : 33 + partner + 30 * row, x + 7 : x + 10] = 20
    marks = character_boxes(without_rules(ink_of(picture)))
    grids, _ = ruled_grids(find_rules(picture, 24.0), picture, marks, 24.0)
    assert [(grid.rows, grid.cols) for grid in grids] == [(24, 2)]


def test_a_rule_of_which_the_scan_lost_the_half_is_mended_between_two_that_it_parts_evenly() -> None:
    figures = [[str(10 * row + col) for col in range(4)] for row in range(4)]
    picture = draw_page(figures).copy()
    picture[306:420, 150 + 2 * 180 - 4 : 150 + 2 * 180 + 5] = 255
    assert texts_of(only_grid(read_image(picture, *SIZE))) == figures


def test_a_rule_that_drifts_on_warped_paper_is_one() -> None:
    picture = draw_page([[str(10 * row + col) for col in range(4)] for row in range(8)])
    rows, cols = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    bent = cv2.remap(picture, cols + 6 * np.sin(rows / 160), rows, cv2.INTER_LINEAR, borderValue=255)
    grid = only_grid(read_image(np.asarray(bent, np.uint8), *SIZE))
    assert texts_of(grid) == [[str(10 * row + col) for col in range(4)] for row in range(8)]


def test_the_lid_beside_the_paper_does_not_set_the_skew() -> None:
    page = draw_page()
    lid = np.full((page.shape[0] + 320, page.shape[1] + 320), 20, np.uint8)
    lid[160:-160, 160:-160] = page
    matrix = cv2.getRotationMatrix2D((lid.shape[1] / 2, lid.shape[0] / 2), -1.5, 1.0)
    askew = cv2.warpAffine(lid, matrix, (lid.shape[1], lid.shape[0]), borderValue=20)
    noise = np.random.default_rng(1).integers(-6, 7, askew.shape)
    picture = np.clip(askew.astype(int) + noise, 0, 255).astype(np.uint8)
    assert frame(clean(picture)[0], 1.0).skew == pytest.approx(1.5, abs=0.1)


def test_a_seal_leaves_the_paper_even_and_hides_no_figure() -> None:
    """On grey paper, a seal made whiter than the paper around it would be a mark itself."""
    colour = np.stack([np.minimum(draw_page(), level) for level in (205, 200, 188)], axis=-1)
    seal = np.zeros(colour.shape[:2], np.uint8)
    cv2.circle(seal, (420, 420), 130, 255, 14)
    cv2.circle(seal, (420, 420), 40, 255, -1)
    red = (colour * 0.45 + np.array((205, 60, 60)) * 0.55).astype(np.uint8)
    stamped = np.where((seal > 0)[..., None] & (colour[..., :1] > 120), red, colour)
    cleaned, _ = clean(stamped)
    paper = (seal > 0) & (draw_page() == 255)
    assert np.mean(cleaned[paper] < 200) < 0.01
    assert texts_of(only_grid(read_image(stamped, *SIZE))) == FIGURES


def test_what_is_left_of_a_worn_rule_in_a_cell_is_no_figure() -> None:
    cell = np.full((60, 120), 255, np.uint8)
    cell[2:16, 9:12] = 20  # a piece that begins at the rule above
    cell[26:34, 108:111] = 20  # specks above each other beside the right side
    cell[40:47, 108:111] = 20
    assert cell_strips(cell, (0.0, 0.0, 119.0, 59.0), 26.0) == []


def test_a_number_in_full_width_digits_is_one() -> None:
    picture = np.full((30, 150), 255, np.uint8)
    image = Image.fromarray(picture)
    for place, digit in enumerate("2714"):
        ImageDraw.Draw(image).text((8 + 34 * place, 2), digit, font=font(26), fill=10)
    strips = cell_strips(np.asarray(image), (0.0, 0.0, 149.0, 29.0), 26.0)
    reading = read_cells([strips], 26.0)[0]
    assert reading.text == "2714"
    assert reading.confidence > 0.9


def test_speckle_is_neither_ink_in_an_empty_cell_nor_a_point() -> None:
    picture = draw_page().copy()
    random = np.random.default_rng(5)
    picture[random.random(picture.shape) < 0.002] = 0
    assert texts_of(only_grid(read_image(picture, *SIZE))) == FIGURES


@needs_font
def test_a_table_without_rules_stands_in_columns() -> None:
    image = Image.new("L", (1240, 1754), 255)
    draw = ImageDraw.Draw(image)
    for row in range(6):
        draw.text((150, 300 + 60 * row), "Requests of kind " + "abcdef"[row], font=font(26), fill=10)
        for col in range(5):
            draw.text((620 + 110 * col, 300 + 60 * row), str((row * 7 + col * 3) % 10), font=font(26), fill=10)
    grid = only_grid(read_image(np.asarray(image), *SIZE))
    assert grid.source == "aligned"
    assert [row[-5:] for row in texts_of(grid)] == [[str((r * 7 + c * 3) % 10) for c in range(5)] for r in range(6)]


# --- equal cells -----------------------------------------------------------------------------------------------


def strip_of(text: str, size: int, number: int, noise: float, seed: int) -> Strip:
    """The strip of a cell that prints ``text``, moved by a part of a pixel, blurred and noisy."""
    random = np.random.default_rng(seed)
    image = Image.new("L", (800, 400), 255)
    ImageDraw.Draw(image).text((400, 200), text, font=font(4 * size, number), fill=15, anchor="mm")
    matrix = np.array([[0.25, 0.0, random.uniform(0, 1)], [0.0, 0.25, random.uniform(0, 1)]])
    small = cv2.warpAffine(cv2.GaussianBlur(np.asarray(image), (0, 0), 2), matrix, (200, 100), borderValue=255)
    noisy = np.clip(small + random.normal(0, noise, small.shape), 0, 255).astype(np.uint8)
    (strip,) = cell_strips(noisy, (0, 0, 199, 99), size)
    return strip


@needs_font
@pytest.mark.parametrize("pair", ["17", "38", "06", "56", "08", "69", "35", "68", "89", "14", "27", "09", "58"])
@pytest.mark.parametrize("size", [18, 25, 33])
def test_digits_that_look_alike_are_never_one(pair: str, size: int) -> None:
    for number in range(len(FONTS)):
        for prefix in ("", "1", "20"):
            for noise in (0.0, 6.0):
                strips = [strip_of(prefix + digit, size, number, noise, seed) for seed in (1, 2) for digit in pair]
                for group in equal_groups(strips, size):
                    assert len({index % 2 for index in group}) == 1, (pair, size, prefix, FONTS[number])


@needs_font
def test_equal_cells_are_one_in_spite_of_noise() -> None:
    strips = [strip_of(text, 26, 0, 4.0, seed) for seed in range(6) for text in ("0", "12")]
    assert len(equal_groups(strips, 26)) <= 4


@needs_font
@pytest.mark.parametrize(("text", "signs"), [("1,204", ","), ("12.50", "."), ("13,464.47", ",."), ("208", "")])
def test_commas_hang_below_the_digits_and_points_do_not(text: str, signs: str) -> None:
    assert separators(strip_of(text, 33, 0, 0.0, 3)) == signs


# --- pictures that are no pages ----------------------------------------------------------------------------------


def test_a_blank_page_is_blank_and_says_so() -> None:
    page = read_image(np.full((1754, 1240), 250, np.uint8), *SIZE)
    assert (page.lines, page.grids) == ((), ())
    assert page.problems


def test_scribble_yields_no_confident_cell() -> None:
    picture = np.full((1754, 1240), 255, np.uint8)
    random = np.random.default_rng(1)
    for line in range(12):
        points = np.column_stack((np.linspace(150, 1050, 60), 250 + 100 * line + random.normal(0, 16, 60)))
        cv2.polylines(picture, [points.astype(np.int32).reshape(-1, 1, 2)], False, 40, 2)
    page = read_image(picture, *SIZE)
    assert not [cell for grid in page.grids for cell in grid.cells if cell.text.isdigit() and cell.confidence > 0.9]


@pytest.mark.parametrize("shape", [(5, 900), (3, 3), (23, 23, 3)])
def test_a_picture_too_small_for_writing_says_so(shape: tuple[int, ...]) -> None:
    assert read_image(np.zeros(shape, np.uint8), *SIZE).problems


@pytest.mark.parametrize("array", [np.zeros((50, 50), np.float32), np.zeros((50, 50, 4), np.uint8)])
def test_an_array_that_is_no_picture_is_refused(array: Pixels) -> None:
    with pytest.raises(ValueError, match="not a grey or RGB picture"):
        read_image(array, *SIZE)


def test_noise_all_over_ends_soon_and_reads_no_figure_for_sure() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (1200, 900)).astype(np.uint8)
    page = read_image(picture, *SIZE)
    assert not [cell for grid in page.grids for cell in grid.cells if cell.text.isdigit() and cell.confidence > 0.9]


@pytest.mark.slow
def test_a_huge_picture_is_reduced_first() -> None:
    grey, factor = clean(np.full((20_000, 20_000), 255, np.uint8))
    assert grey.size < 10_000_000
    assert factor < 0.2


def test_skew_of_nothing_is_none() -> None:
    assert find_skew(np.zeros((500, 500), np.uint8)) == 0.0


def test_a_frame_leads_back_to_the_picture() -> None:
    picture = draw_page() if FONTS else np.full((1754, 1240), 255, np.uint8)
    straight = frame(clean(turned(picture, 2.0))[0], 1.0)
    middle = np.array([straight.grey.shape[1] / 2, straight.grey.shape[0] / 2])
    back = straight.to_picture[:, :2] @ middle + straight.to_picture[:, 2]
    assert back == pytest.approx([620, 877], abs=1.0)
    assert ink_of(straight.grey).dtype == np.uint8


# --- decoding ----------------------------------------------------------------------------------------------------


def encoded(image: Image.Image, kind: str, **options: str | int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("1", "PNG", {}),
        ("1", "TIFF", {"compression": "group4"}),
        ("1", "TIFF", {"compression": "group3"}),
        ("L", "PNG", {}),
        ("P", "GIF", {}),
        ("RGB", "JPEG", {"quality": 90}),
        ("CMYK", "JPEG", {"quality": 90}),
        ("CMYK", "TIFF", {}),
        ("I;16", "PNG", {}),
        ("RGBA", "PNG", {}),
        ("LA", "PNG", {}),
        ("RGB", "JPEG2000", {}),
        ("RGB", "WEBP", {}),
    ],
)
def test_every_kind_of_image_is_black_on_white(mode: str, kind: str, options: dict[str, str | int]) -> None:
    pixels = np.full((60, 80), 255, np.uint8)
    pixels[20:40, 30:50] = 0
    if mode == "I;16":
        image = Image.fromarray(pixels.astype(np.uint16) * 257)
    elif mode in ("RGBA", "LA"):
        image = Image.new(mode, (80, 60), (0,) * len(mode))
        image.paste((0,) * (len(mode) - 1) + (255,), (30, 20, 50, 40))
    else:
        image = Image.fromarray(pixels).convert(mode)
    decoded = load_image(encoded(image, kind, **options))
    assert decoded.dtype == np.uint8
    assert decoded.shape[:2] == (60, 80)
    assert decoded[5, 5].max() == decoded[5, 5].min() >= 250
    assert decoded[30, 40].max() <= 40


def test_a_photograph_lies_as_its_camera_says() -> None:
    image = Image.new("L", (80, 60), 255)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert load_image(encoded(image, "JPEG", exif=exif.tobytes())).shape == (80, 60)  # type: ignore[arg-type]


@pytest.mark.parametrize("cut", [30, 200])
def test_a_damaged_image_is_refused_with_a_reason(cut: int) -> None:
    whole = encoded(Image.effect_noise((200, 200), 60), "PNG")
    with pytest.raises(ValueError, match="image"):
        load_image(whole[:cut])


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match="not an image"):
        load_image(b"<html>404</html>")


@pytest.mark.parametrize("side", [12_000, 20_000])
def test_a_decompression_bomb_is_refused_unopened(side: int) -> None:
    header = encoded(Image.new("1", (8, 8)), "PNG")
    sized = bytearray(header)
    sized[16:24] = side.to_bytes(4, "big") * 2
    sized[29:33] = zlib.crc32(sized[12:29]).to_bytes(4, "big")
    with pytest.raises(ValueError, match="at most 100 million|more than 100 million"):
        load_image(bytes(sized))


def test_marks_are_counted_beyond_sixteen_bits() -> None:
    dots = np.zeros((600, 600), np.uint8)
    dots[::2, ::2] = 255
    found, expected = marks_of(dots), cv2.connectedComponentsWithStats(dots, connectivity=8)
    assert found[0] == expected[0] == 90_001
    assert all(np.array_equal(one, other) for one, other in zip(found[1:], expected[1:], strict=True))
