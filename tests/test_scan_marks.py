"""What is on a scan besides print: rules of which a piece is lost, grey stamps, marks beside figures."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from extractors.ocr import LineReading, ValueReading, _is_spaced
from extractors.scan import read_image
from extractors.scan_cells import Pixels, Strip, cell_strips, separators
from extractors.scan_image import _without_speckle, without_stamps
from extractors.scan_read import CellReading, _by_exemplars, _by_separators, _joined, _settled
from extractors.scan_rules import find_rules, ruled_grids
from tests.test_scan import FIGURES, SIZE, draw_page, needs_font, only_grid, strip_of, texts_of


def without(picture: Pixels, box: tuple[int, int, int, int]) -> Pixels:
    """``picture`` with paper in the box (left, top, right, bottom)."""
    left, top, right, bottom = box
    changed = picture.copy()
    changed[top:bottom, left:right] = 255
    return changed


# --- rules -----------------------------------------------------------------------------------------------------


@needs_font
def test_a_side_of_two_cells_that_the_scan_lost_wholly_parts_them_again() -> None:
    page = without(draw_page(), (322, 302, 338, 358))  # of the first row, between the 12 and the 0
    page = without(page, (682, 362, 698, 418))  # of the second row, between the 8 and the 0
    assert texts_of(only_grid(read_image(page, *SIZE))) == FIGURES


@needs_font
def test_a_rest_of_a_lost_side_is_no_figure() -> None:
    page = without(draw_page(), (322, 362, 338, 398))  # left of the 3, which would be a 13 with what is left
    assert texts_of(only_grid(read_image(page, *SIZE))) == FIGURES


@needs_font
def test_a_cell_that_is_merged_stays_one() -> None:
    page = without(
        draw_page([FIGURES[0], ["", *FIGURES[1][1:]], ["", *FIGURES[2][1:]], FIGURES[3]]), (152, 416, 328, 424)
    )
    cv2.putText(page, "3456", (200, 430), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 10, 2)
    cells = only_grid(read_image(page, *SIZE)).cells
    assert [cell.rowspan for cell in cells if cell.row == 1] == [2, 1, 1, 1]


def band(pieces: list[tuple[int, int]], x: int = 160, level: tuple[int, ...] = (20, 80, 120)) -> list[tuple[int, ...]]:
    """Where the cells of the lowest row of a table with rules at ``level`` and a rule in ``pieces`` at ``x`` begin."""
    grey = np.full((160, 420), 255, np.uint8)
    for y in level:
        grey[y : y + 2, 20:400] = 0
    for left in (20, 100, 300, 398):
        grey[level[0] : level[-1] + 2, left : left + 2] = 0
    for top, bottom in pieces:
        grey[top:bottom, x : x + 2] = 0
    grids, _ = ruled_grids(find_rules(grey, 20.0), grey, np.zeros((0, 5), np.int32), 20.0)
    assert len(grids) == 1
    last = max(cell.row for cell in grids[0].cells)
    return [(round(2 * cell.box[0]), round(2 * cell.box[2])) for cell in grids[0].cells if cell.row == last]


PARTED, WHOLE = [(21, 101), (101, 161), (161, 301), (301, 399)], [(21, 101), (101, 301), (301, 399)]


def test_a_broken_rule_that_goes_on_beyond_a_rule_across_parts_the_cells_behind_it() -> None:
    assert band([(22, 122)]) == PARTED
    # Half of it is gone in the row of heads, and all of it is there in the row of values.
    assert band([(22, 48), (66, 122)]) == PARTED
    # The gap lies over the rule across; it begins and ends at no other.
    assert band([(22, 66), (92, 122)]) == PARTED


def test_a_rule_that_ends_at_a_rule_across_parts_nothing_behind_it() -> None:
    assert band([(22, 80)]) == WHOLE


def test_the_ring_of_a_seal_is_no_rule() -> None:
    grey = np.full((400, 400), 255, np.uint8)
    cv2.circle(grey, (260, 200), 165, 120, 7)
    cv2.line(grey, (40, 20), (40, 380), 0, 2)
    assert [round(2 * rule.at) for rule in find_rules(grey, 20.0).vertical] == [40]


# --- dirt beside print -----------------------------------------------------------------------------------------


def cell_of(*marks: tuple[int, int, int, int], shade: int = 20) -> Pixels:
    """A cell of 60 x 140 px within its rules: a figure of 16 px in the middle, and ``marks`` (x, y, width, height)."""
    grey = np.full((64, 144), 255, np.uint8)
    grey[:2] = grey[-2:] = grey[:, :2] = grey[:, -2:] = 0
    cv2.ellipse(grey, (70, 32), (5, 8), 0, 0, 360, 20, 2)
    for x, y, width, height in marks:
        grey[y : y + height, x : x + width] = shade
    return grey


def ink_of(grey: Pixels) -> tuple[int, int]:
    """From where to where (px) the print of a cell reaches."""
    (strip,) = cell_strips(grey, (0.0, 0.0, 143.0, 63.0), 24.0)
    return strip.box[0], strip.box[2]


@pytest.mark.parametrize(
    "mark",
    [
        pytest.param((81, 30, 3, 3), id="a speck beside it"),
        pytest.param((56, 36, 3, 3), id="a speck before it"),
        pytest.param((137, 20, 3, 9), id="a piece of the rule at its right"),
        pytest.param((80, 57, 14, 3), id="a piece of the rule below"),
    ],
)
def test_dirt_and_pieces_of_rules_are_not_of_the_print(mark: tuple[int, int, int, int]) -> None:
    assert ink_of(cell_of(mark)) == ink_of(cell_of())


def test_a_pale_sign_and_a_second_figure_are_of_the_print() -> None:
    start, end = ink_of(cell_of())
    assert ink_of(cell_of((44, 31, 14, 2), shade=180)) == (44, end)
    assert ink_of(cell_of((56, 34, 5, 2))) == (56, end)  # a hyphen
    assert ink_of(cell_of((80, 24, 3, 17))) == (start, 83)


def test_a_pale_stroke_is_no_speckle() -> None:
    grey = np.full((120, 120), 255, np.uint8)
    grey[60, 10:110] = 180
    grey[60, 10:110:2] = 160  # the dark dots of a pale dash
    grey[15:55:10, 20:100:10] = 0  # pepper
    cleaned = _without_speckle(grey)
    assert (cleaned[60, 12:108] == grey[60, 12:108]).all()
    assert cleaned[15, 20] == 255


# --- stamps ----------------------------------------------------------------------------------------------------


def stamped(picture: Pixels, grey: int) -> Pixels:
    """``picture`` with a round stamp of one grey over its cells; print under it stays as dark as it was."""
    stamp = np.full(picture.shape, 255, np.uint8)
    cv2.circle(stamp, (500, 420), 150, grey, 8)
    cv2.circle(stamp, (500, 420), 40, grey, -1)
    for angle in range(0, 360, 30):
        x, y = (round(float(way)) for way in 110 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))]))
        cv2.line(stamp, (500 + x, 412 + y), (500 + x, 428 + y), grey, 4)
    return np.minimum(picture, stamp)


@needs_font
def test_a_grey_stamp_over_cells_is_no_figure_and_hides_none() -> None:
    assert texts_of(only_grid(read_image(stamped(draw_page(), 165), *SIZE))) == FIGURES


@needs_font
def test_pale_print_is_no_stamp() -> None:
    page = draw_page()
    pale = np.where(page < 255, 150, 255).astype(np.uint8)
    assert np.array_equal(without_stamps(pale, 26.0), pale)


@needs_font
def test_print_as_pale_as_a_stamp_is_left_alone_beside_dark_rules() -> None:
    page = draw_page()
    bare = draw_page([[""] * 4] * 4)
    pale = np.where(page < bare, 165, bare).astype(np.uint8)
    assert np.array_equal(without_stamps(pale, 26.0), pale)


@needs_font
def test_a_figure_much_paler_than_the_others_is_doubted() -> None:
    page = draw_page().copy()
    cv2.putText(page, "1", (770, 345), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 150, 2)
    cell = next(cell for cell in only_grid(read_image(page, *SIZE)).cells if (cell.row, cell.col) == (0, 3))
    assert cell.text == "" or cell.confidence <= 0.5


# --- marks in cells --------------------------------------------------------------------------------------------


def strip(width: int, height: int) -> Strip:
    return Strip(np.full((40, 60), 255, np.uint8), (0, 0, width, height))


def reading(*values: tuple[str, float]) -> ValueReading:
    return ValueReading(LineReading(values[0][0], values[0][1], ()), values)


def test_a_stroke_wider_than_any_one_is_none_for_sure() -> None:
    assert _settled(reading(("1", 0.98), ("/", 0.015)), strip(14, 20)).confidence <= 0.5
    assert _settled(reading(("1", 0.98), ("/", 0.015)), strip(9, 20)).confidence > 0.9
    assert _settled(reading(("1", 0.999)), strip(14, 20)).confidence > 0.9


def test_a_comma_of_full_width_may_stand_in_the_middle() -> None:
    picture = np.full((40, 90), 255, np.uint8)
    for left in (10, 40, 54, 68):
        cv2.rectangle(picture, (left, 10), (left + 9, 26), 0, 2)
    cv2.rectangle(picture, (29, 14), (32, 22), 0, -1)
    assert separators(Strip(picture, (10, 10, 78, 26))) == ","


@pytest.mark.parametrize("text", ["0,483", "19339,755", "0.483"])
def test_a_mark_that_cannot_part_thousands_is_a_point(text: str) -> None:
    found = _by_separators(((text, 0.99),), strip(60, 16))
    assert found.text == text.replace(",", ".")
    assert found.confidence > 0.9


@pytest.mark.parametrize(
    ("text", "spaced"),
    [("- 151", True), ("8255 件", True), ("减少 46", True), ("0 0", False), ("12", False), ("1 件 2 3", False)],
)
def test_a_space_parts_a_number_from_its_sign_or_unit_only(text: str, spaced: bool) -> None:
    assert _is_spaced(text) is spaced


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("一(七)总计", "(七)总计"),
        ("一一、本年", "一、本年"),
        ("一、本年", "一、本年"),
        ("-2.其他", "2.其他"),
        ("一般", "一般"),
    ],
)
def test_a_rest_of_a_rule_before_the_number_of_a_label_is_dropped(text: str, label: str) -> None:
    assert _joined([LineReading(text, 0.9, ())]) == CellReading(label, 0.9 * len(text) / len(label))


# --- prints of the same page -----------------------------------------------------------------------------------


def exemplars(text: str, doubted: str, count: int = 8) -> list[str]:
    """What is read where ``count`` sure prints of ``text`` and one doubtful print of ``doubted`` share a page."""
    strips = [strip_of(text, 26, 0, 6.0, seed) for seed in range(count)] + [strip_of(doubted, 26, 0, 20.0, 99)]
    readings = [CellReading(text, 0.99)] * count + [CellReading("a", 0.8)]
    raw = {number: reading((text, 0.99)) for number in range(count)} | {count: reading((text, 0.2), ("家", 0.1))}
    return [found.text for found in _by_exemplars(readings, raw, strips)]


@needs_font
def test_a_doubtful_print_is_what_looks_like_it_on_the_page() -> None:
    assert exemplars("0", "0")[-1] == "0"


@needs_font
@pytest.mark.parametrize("other", ["8", "6", "9", "3", "4", "1"])
def test_a_doubtful_print_that_looks_like_none_of_the_page_stays_doubtful(other: str) -> None:
    assert exemplars("0", other)[-1] == "a"


@needs_font
def test_few_prints_show_nothing() -> None:
    assert exemplars("0", "0", count=4)[-1] == "a"
