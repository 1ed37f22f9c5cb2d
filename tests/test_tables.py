"""Grids from rules, boxes and words: each test draws one trait that real reports show."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from extractors.glyphs import DESCENT, Glyph, cell_text, group_lines, line_text, pieces_of, turn_box, turn_glyph
from extractors.grids import Drawing, Grid, Rule, merge_rules, turn_drawing
from extractors.tables import find_grids

SIZE = 10.0


def write(text: str, x: float, baseline: float, size: float = SIZE, gap: float = 0.0) -> list[Glyph]:
    """Glyphs of a string: Han characters one em wide, others half."""
    glyphs = []
    for char in text:
        width = size if ord(char) > 0x2E80 else size / 2
        glyphs.append(Glyph(char, x, baseline - (1 - DESCENT) * size, x + width, baseline + DESCENT * size, size))
        x += width + gap
    return glyphs


def page(rows: Sequence[Sequence[str]], xs: Sequence[float], ys: Sequence[float]) -> list[Glyph]:
    """Glyphs of a table: each text in the left of its slot, an empty text nowhere."""
    return [
        glyph
        for row, y in zip(rows, ys, strict=False)
        for text, x in zip(row, xs, strict=False)
        for glyph in write(text, x + 3, y + 13)
    ]


def ruled(xs: Sequence[float], ys: Sequence[float]) -> Drawing:
    """The rules of a full lattice."""
    return Drawing(
        [Rule(y, xs[0], xs[-1]) for y in ys],
        [Rule(x, ys[0], ys[-1]) for x in xs],
    )


def texts(grid: Grid) -> list[list[str]]:
    """The cells' texts, row by row."""
    rows: list[list[str]] = [[] for _ in range(grid.rows)]
    for cell in grid.cells:
        rows[cell.row].append(cell_text(cell.glyphs, cell.box[2] - cell.box[0])[0])
    return rows


XS = (50.0, 150.0, 250.0, 350.0)
YS = (100.0, 120.0, 140.0, 160.0)
ROWS = [["信息内容", "制发", "废止"], ["规章", "1", "0"], ["文件", "23", "4"]]


def test_full_grid() -> None:
    grids, rest = find_grids(ruled(XS, YS), [*page(ROWS, XS, YS), *write("页脚", 60, 400)])
    assert [texts(grid) for grid in grids] == [ROWS]
    assert grids[0].source == "ruled"
    assert "".join(glyph.text for glyph in rest) == "页脚"


def test_empty_cells_have_boxes() -> None:
    rows = [["规章", "", "0"], ["文件", "", ""]]
    (grid,), _ = find_grids(ruled(XS, YS[:3]), page(rows, XS, YS))
    assert texts(grid) == rows
    assert grid.cells[1].box == (150.0, 100.0, 250.0, 120.0)


def test_merged_cells_appear_once_with_spans() -> None:
    drawing = Drawing(
        [Rule(100, 50, 350), Rule(120, 150, 350), Rule(140, 50, 350)],
        [Rule(50, 100, 140), Rule(150, 100, 140), Rule(250, 120, 140), Rule(350, 100, 140)],
    )
    (grid,), _ = find_grids(drawing, page([["甲", "乙"], ["", "1", "2"]], XS, YS))
    assert [(cell.row, cell.col, cell.rowspan, cell.colspan) for cell in grid.cells] == [
        (0, 0, 2, 1), (0, 1, 1, 2), (1, 1, 1, 1), (1, 2, 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("at_top", [False, True])
def test_open_row_is_closed_where_verticals_end(at_top: bool) -> None:
    rules = [Rule(y, XS[0], XS[-1]) for y in (YS[1:] if at_top else YS[:-1])]
    drawing = Drawing(rules, [Rule(x, YS[0], YS[-1]) for x in XS])
    (grid,), _ = find_grids(drawing, page(ROWS, XS, YS))
    assert texts(grid) == ROWS


def test_verticals_that_jut_out_without_text_make_no_row() -> None:
    drawing = Drawing([Rule(y, XS[0], XS[-1]) for y in YS], [Rule(x, YS[0], YS[-1] + 9) for x in XS])
    (grid,), _ = find_grids(drawing, page(ROWS, XS, YS))
    assert grid.rows == 3


def test_missing_outer_verticals() -> None:
    drawing = Drawing([Rule(y, XS[0], XS[-1]) for y in YS], [Rule(x, YS[0], YS[-1]) for x in XS[1:-1]])
    (grid,), _ = find_grids(drawing, page(ROWS, XS, YS))
    assert texts(grid) == ROWS


def test_caption_between_rows_of_a_table_without_outer_verticals() -> None:
    ys = (100.0, 120.0, 140.0, 160.0, 180.0)
    rows = [["规章", "1", "0"], ["第五项"], ["许可", "7", "8"], ["处罚", "2", "3"]]
    inner = [Rule(x, *span) for x in XS[1:-1] for span in ((100, 120), (140, 180))]
    drawing = Drawing([Rule(y, XS[0], XS[-1]) for y in ys], inner)
    (grid,), _ = find_grids(drawing, page(rows, XS, ys))
    assert texts(grid) == rows


def test_double_rules_are_one() -> None:
    drawing = Drawing(
        [Rule(y + d, XS[0], XS[-1]) for y in YS for d in (-2.0, 2.0)],
        [Rule(x + d, YS[0], YS[-1]) for x in XS for d in (-2.0, 2.0)],
    )
    (grid,), _ = find_grids(drawing, page(ROWS, XS, YS))
    assert (grid.rows, grid.cols) == (3, 3)
    assert texts(grid) == ROWS


def test_short_segments_join_to_rules() -> None:
    dashes = [Rule(100, x, x + 3) for x in range(50, 350, 5)]
    assert merge_rules(dashes) == [Rule(100, 50, 348)]
    assert merge_rules([Rule(100, 50, 53)]) == []


def test_separate_boxes_side_by_side_are_one_grid() -> None:
    drawing = Drawing()
    for top, bottom in zip(YS, YS[1:], strict=False):
        for left, right in zip(XS, XS[1:], strict=False):
            drawing.horizontal.extend([Rule(top + 4, left + 4, right - 4), Rule(bottom - 4, left + 4, right - 4)])
            drawing.vertical.extend([Rule(left + 4, top + 4, bottom - 4), Rule(right - 4, top + 4, bottom - 4)])
    (grid,), _ = find_grids(drawing, page(ROWS, [x + 3 for x in XS], YS))
    assert texts(grid) == ROWS


def test_cell_backgrounds_draw_a_grid_where_nothing_else_does() -> None:
    fills = [
        (left + 1, top + 1, right - 1, bottom - 1)
        for top, bottom in zip(YS, YS[1:], strict=False)
        for left, right in zip(XS, XS[1:], strict=False)
    ]
    (grid,), _ = find_grids(Drawing(fills=fills), page(ROWS, XS, YS))
    assert grid.source == "ruled"
    assert texts(grid) == ROWS


def test_fills_behind_paragraphs_are_no_table() -> None:
    lines = ["本年度主动公开政府信息", "收到申请五件均已答复", "没有发生复议和诉讼", "下一年继续改进"]
    glyphs = [glyph for number, line in enumerate(lines) for glyph in write(line, 60, 113 + 20 * number)]
    fills = [(50.0, 100.0 + 20 * number, 500.0, 120.0 + 20 * number) for number in range(4)]
    assert find_grids(Drawing(fills=fills), glyphs)[0] == []


def test_fills_of_prose_that_end_anywhere_are_no_table() -> None:
    glyphs, fills = [], []
    for number in range(6):
        y = 100.0 + 20 * number
        cut = 150.0 + 37 * number
        glyphs += write("本年度主动公开政府信息若干条并答复申请", 60, y + 13)
        fills += [(50.0, y, cut, y + 20), (cut, y, 500.0, y + 20)]
    assert find_grids(Drawing(fills=fills), glyphs)[0] == []


def test_fills_inside_a_ruled_grid_change_nothing() -> None:
    drawing = ruled(XS, YS)
    drawing.fills.extend((50.0, top, 350.0, top + 10) for top in (100.0, 110.0, 120.0, 130.0))
    (grid,), _ = find_grids(drawing, page(ROWS, XS, YS))
    assert texts(grid) == ROWS


def test_frame_and_underline_are_no_table() -> None:
    drawing = Drawing(
        [Rule(100, 50, 500), Rule(300, 50, 500), Rule(150, 100, 200)], [Rule(50, 100, 300), Rule(500, 100, 300)]
    )
    assert find_grids(drawing, write("一段文字", 100, 148))[0] == []


def test_horizontal_rules_only() -> None:
    drawing = Drawing([Rule(y, XS[0], XS[-1]) for y in YS])
    (grid,), _ = find_grids(drawing, page(ROWS, XS, YS))
    assert grid.source == "aligned"
    assert texts(grid) == ROWS


def test_continuation_of_a_table_without_column_rules_keeps_its_columns() -> None:
    drawing = Drawing([Rule(y, XS[0], XS[-1]) for y in YS])
    (above,), _ = find_grids(drawing, page(ROWS, XS, YS))
    rows = [["许可", "", "7"], ["处罚", "", ""], ["强制", "", "12"]]
    (grid,), _ = find_grids(drawing, page(rows, XS, YS), above.seen)
    assert texts(grid) == rows


def test_three_line_table() -> None:
    drawing = Drawing([Rule(y, XS[0], XS[-1]) for y in (100.0, 120.0, 160.0)])
    (grid,), _ = find_grids(drawing, page(ROWS, XS, YS))
    assert texts(grid) == ROWS


def test_column_rules_only() -> None:
    rows = [["规章", "1", "0"], ["文件", "23", "4"], ["许可", "5", "6"]]
    drawing = Drawing([Rule(100, 50, 350), Rule(160, 50, 350)], [Rule(x, 100, 160) for x in XS])
    (grid,), _ = find_grids(drawing, page(rows, XS, YS))
    assert texts(grid) == rows


def test_borderless_table() -> None:
    rows = [["项目", "上年", "本年", "总计"], ["规章", "1", "0", "1"], ["文件", "2", "", "2"], ["许可", "5", "6", "11"]]
    xs, ys = (50.0, 150.0, 250.0, 350.0), (100.0, 125.0, 150.0, 175.0)
    (grid,), _ = find_grids(Drawing(), page(rows, xs, ys))
    assert grid.source == "aligned"
    assert texts(grid) == rows


def test_wrapped_label_of_a_borderless_row_stays_with_its_values() -> None:
    glyphs = page([["规章", "1", "0"], ["", "7", "8"], ["许可", "2", "3"]], XS, (100.0, 136.0, 172.0))
    glyphs += write("行政规范性", 53, 142.5) + write("文件", 53, 155.5)
    (grid,), _ = find_grids(Drawing(), glyphs)
    assert texts(grid) == [["规章", "1", "0"], ["行政规范性文件", "7", "8"], ["许可", "2", "3"]]


def test_prose_with_numbers_is_no_table() -> None:
    lines = [
        "全年公开信息123条，其中规章1件",
        "收到申请45件，答复44件，结转1件",
        "举办培训3次，参加60人次",
        "网站发布89条信息",
    ]
    glyphs = [glyph for number, line in enumerate(lines) for glyph in write(line, 60, 113 + 18 * number)]
    assert find_grids(Drawing(), glyphs)[0] == []


def test_sign_off_with_wide_gaps_is_no_table() -> None:
    glyphs = (
        write("联系人", 60, 113)
        + write("电话", 200, 113)
        + write("临江县人民政府", 300, 140)
        + write("二月三日", 310, 160)
    )
    assert find_grids(Drawing(), glyphs)[0] == []


def test_digits_drawn_apart_are_one_number() -> None:
    assert cell_text(write("136", 0, 20, gap=2.5), 100)[0] == "136"
    assert cell_text(write("136", 0, 20, gap=8.0), 100)[0] == "136"


def test_two_numbers_in_a_cell_keep_a_space() -> None:
    assert cell_text(write("12", 0, 20) + write("34", 30, 20), 100)[0] == "12 34"
    assert cell_text(write("12", 0, 20) + write("34", 0, 35), 100)[0] == "12 34"


def test_number_broken_by_a_narrow_cell_is_joined() -> None:
    assert cell_text(write("123", 5, 20) + write("4", 5, 35), 25)[0] == "1234"


def test_number_wider_than_its_cell_stays_whole() -> None:
    xs = (50.0, 68.0, 86.0, 104.0)
    glyphs = write("甲", 54, 113) + write("123456", 62, 113) + write("0", 96, 113)
    (grid,), _ = find_grids(ruled(xs, (100.0, 120.0)), glyphs)
    assert texts(grid) == [["甲", "123456", "0"]]


def test_caption_below_a_row_of_a_borderless_table_is_a_row_of_its_own() -> None:
    rows = [["规章", "1", "0"], ["第五项"], ["许可", "7", "8"], ["处罚", "2", "3"]]
    (grid,), _ = find_grids(Drawing(), page(rows, XS, (100.0, 116.0, 132.0, 148.0)))
    assert texts(grid) == rows


def test_stacked_label_is_joined() -> None:
    glyphs = [glyph for number, char in enumerate("三、本年度办理结果") for glyph in write(char, 0, 20 + 12 * number)]
    text, runs = cell_text(glyphs, 20)
    assert text == "三、本年度办理结果"
    assert [text[run.start : run.end] for run in runs] == list(text)


def test_blanks_between_han_characters_of_a_cell_are_dropped() -> None:
    assert cell_text(write("总 计", 0, 20), 100)[0] == "总计"


@pytest.mark.parametrize("offset", [0.28, 0.9])
def test_characters_printed_twice_count_once(offset: float) -> None:
    glyphs = write("共11件", 0, 20) + write("共11件", offset, 20)
    assert cell_text(glyphs, 100)[0] == "共11件"


def test_turned_label_in_a_cell() -> None:
    upright = write("其他", 0, 20)
    turned = [turn_glyph(glyph, 270)._replace(turn=90) for glyph in upright]
    text, runs = cell_text(turned, 30)
    assert text == "其他"
    assert runs[0].box[3] - runs[0].box[1] == pytest.approx(20)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turning_back_gives_the_box_again(turn: int) -> None:
    box = (10.0, 20.0, 40.0, 90.0)
    assert turn_box(turn_box(box, turn), (360 - turn) % 360) == box
    drawing = turn_drawing(turn_drawing(ruled(XS, YS), turn), (360 - turn) % 360)
    assert sorted(drawing.horizontal) == sorted(ruled(XS, YS).horizontal)


def test_line_text_has_a_run_per_number_and_per_han_character() -> None:
    text, runs = line_text(write("收到109件", 0, 20))
    assert [text[run.start : run.end] for run in runs] == ["收", "到", "109", "件"]
    assert runs[2].box[0] == pytest.approx(20)
    assert runs[2].box[2] == pytest.approx(35)


def test_line_keeps_printed_spaces_and_wide_gaps() -> None:
    line = write("甲 乙", 0, 20) + write("丙", 60, 20)
    assert line_text(group_lines(line)[0])[0] == "甲 乙 丙"
    assert [piece.text for piece in pieces_of(line)] == ["甲乙", "丙"]


def test_many_rules_stay_bounded() -> None:
    drawing = Drawing(
        [Rule(float(y), 0.0, 500.0 + y / 1000) for y in range(0, 20000, 5)],
        [Rule(float(x), 0.0, 20000.0) for x in range(0, 20000, 5)],
    )
    grids, _ = find_grids(drawing, write("文字", 10, 50))
    assert len(grids) <= 1
