"""Tables of PDF files that are not fully ruled and whose zeros are blank: each test draws one way to misread them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics

from extractors.document import Table
from extractors.pdf import read_pdf
from tests.test_pdf import FONT, make

COLUMNS = (250.0, 310.0, 370.0, 430.0, 490.0)
HEADS = ("自然人", "企业", "科研", "公益", "总计")
FULL = [("一、新收", "11", "12", "13", "14", "50"), ("二、结转", "1", "2", "3", "4", "10")]


def rows(canvas: Any, top: float, lines: Sequence[Sequence[str]], step: float = 20, centred: bool = True) -> None:
    """Rows of a label at 60 and values in COLUMNS, the first baseline ``top`` points below the upper edge."""
    for number, (label, *values) in enumerate(lines):
        y = A4[1] - top - step * number
        canvas.drawString(60, y, label)
        for x, value in zip(COLUMNS, values, strict=False):
            (canvas.drawCentredString if centred else canvas.drawString)(x, y, value)


def texts(table: Table) -> list[list[str]]:
    """The cells' texts, row by row."""
    return [[cell.text for cell in table.cells if cell.row == row] for row in range(table.rows)]


def read_tables(path: Path) -> list[list[list[str]]]:
    """The tables of a file as texts."""
    return [texts(table) for table in read_pdf(path).tables]


SPARSE = [("1.本机关不掌握", "", "", "7", "", "7"), ("2.没有现成信息", "", "", "", "", ""), ("3.补正后不明确", "8")]
SPARSE_TEXTS = [
    ["1.本机关不掌握", "", "", "7", "", "7"],
    ["2.没有现成信息", *[""] * 5],
    ["3.补正后不明确", "8", *[""] * 4],
]


def test_columns_of_a_borderless_table_go_on_on_the_next_page(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.pdf",
        lambda canvas: rows(canvas, 600, [("项目", *HEADS), *FULL]),
        lambda canvas: rows(canvas, 60, SPARSE),
    )
    assert read_tables(path)[1] == SPARSE_TEXTS


def test_a_value_wider_than_those_above_stays_in_its_left_aligned_column(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.pdf",
        lambda canvas: rows(canvas, 600, [("项目", "甲", "乙", "丙", "丁", "总"), *FULL], centred=False),
        lambda canvas: rows(
            canvas, 60, [("1.许可", "", "1234567890", "", "", "1234567890"), *SPARSE[1:]], centred=False
        ),
    )
    assert read_tables(path)[1][0] == ["1.许可", "", "1234567890", "", "", "1234567890"]


def test_heads_alone_at_the_end_of_a_page_give_the_columns_of_the_next(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.pdf",
        lambda canvas: rows(canvas, 700, [("项目与其关系", *HEADS)]),
        lambda canvas: rows(canvas, 60, [("一、新收", "11", "", "13", "", "24"), *SPARSE]),
    )
    (table,) = read_tables(path)
    assert table == [["一、新收", "11", "", "13", "", "24"], *SPARSE_TEXTS]


def test_heads_printed_again_leave_the_columns_as_they_were(tmp_path: Path) -> None:
    path = make(
        tmp_path / "a.pdf",
        lambda canvas: rows(canvas, 600, [("项目", *HEADS), *FULL]),
        lambda canvas: rows(canvas, 60, [("项目", *HEADS), *SPARSE]),
    )
    assert read_tables(path)[1][-3:] == SPARSE_TEXTS


def test_another_table_does_not_take_the_columns_of_the_page_before(tmp_path: Path) -> None:
    def disputes(canvas: Any) -> None:
        for index, head in enumerate(("维持", "纠正", "其他", "未结", "总计", "维持", "纠正", "其他")):
            canvas.drawCentredString(80 + 60 * index, A4[1] - 60, head)
        for index, value in ((0, "1"), (2, "3"), (4, "4"), (7, "9")):
            canvas.drawCentredString(80 + 60 * index, A4[1] - 80, value)

    path = make(tmp_path / "a.pdf", lambda canvas: rows(canvas, 600, [("项目", *HEADS), *FULL]), disputes)
    assert read_tables(path)[1][-1] == ["1", "", "3", "", "4", "", "", "9"]


def test_horizontal_rules_go_on_without_one_above_the_first_row(tmp_path: Path) -> None:
    def ruled(canvas: Any, top: float, lines: Sequence[Sequence[str]], first: int) -> None:
        rows(canvas, top, lines)
        for number in range(first, len(lines) + 1):
            canvas.line(50, A4[1] - top + 14 - 20 * number, 520, A4[1] - top + 14 - 20 * number)

    path = make(
        tmp_path / "a.pdf",
        lambda canvas: ruled(canvas, 600, [("项目", *HEADS), *FULL], 0),
        lambda canvas: ruled(canvas, 60, [*SPARSE, ("（七）总计", "8", "", "7", "", "15")], 1),
    )
    assert read_tables(path)[1] == [*SPARSE_TEXTS, ["(七)总计", "8", "", "7", "", "15"]]


def test_a_heading_between_two_tables_with_horizontal_rules_parts_them(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        rows(canvas, 100, [("项目", *HEADS), *FULL])
        for number in range(4):
            canvas.line(50, A4[1] - 86 - 20 * number, 520, A4[1] - 86 - 20 * number)
        canvas.setFont(FONT, 14)
        canvas.drawString(50, A4[1] - 170, "四、行政复议")
        canvas.setFont(FONT, 10)
        for index, (head, value) in enumerate((("维持", "1"), ("纠正", "0"), ("其他", "2"), ("未结", "0"))):
            canvas.drawCentredString(90 + 120 * index, A4[1] - 200, head)
            canvas.drawCentredString(90 + 120 * index, A4[1] - 220, value)
        for y in (206, 226):
            canvas.line(50, A4[1] - y, 520, A4[1] - y)

    document = read_pdf(make(tmp_path / "a.pdf", draw))
    first, second = (texts(table) for table in document.tables)
    assert first == [["项目", *HEADS], *([label, *values] for label, *values in FULL)]
    assert second[-1] == ["1", "0", "2", "0"]
    assert "四、行政复议\n" in document.text


def test_rules_on_the_left_of_cells_alone_draw_the_columns(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        rows(canvas, 60, SPARSE)
        for x in (50, *(column - 30 for column in COLUMNS)):
            canvas.line(x, A4[1] - 46, x, A4[1] - 106)

    assert read_tables(make(tmp_path / "a.pdf", draw)) == [SPARSE_TEXTS]


def test_rows_without_values_do_not_end_a_table(tmp_path: Path) -> None:
    blank = [(f"{number}.某项情形", "") for number in range(1, 8)]
    path = make(tmp_path / "a.pdf", lambda canvas: rows(canvas, 60, [("项目", *HEADS), *FULL, *blank, *SPARSE]))
    (table,) = read_tables(path)
    assert [row[0] for row in table[3:10]] == [label for label, _ in blank]
    assert table[-1] == ["3.补正后不明确", "8", "", "", "", ""]


def test_a_numbered_label_begins_a_row_where_lines_are_equally_far_apart(tmp_path: Path) -> None:
    lines = [("1.申请人无正当理由逾期", "9"), ("不补正", ""), ("2.重复申请", ""), ("3.其他", "", "4")]
    path = make(tmp_path / "a.pdf", lambda canvas: rows(canvas, 60, [("项目", *HEADS), *FULL, *lines], step=14))
    (table,) = read_tables(path)
    assert [row[:3] for row in table[3:]] == [
        ["1.申请人无正当理由逾期不补正", "9", ""],
        ["2.重复申请", "", ""],
        ["3.其他", "", "4"],
    ]


def test_words_for_nil_inside_a_wrapped_label_are_cells(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        rows(canvas, 60, [("项目", *HEADS), *FULL])
        canvas.drawString(60, A4[1] - 114, "2.没有现成信息需要")
        rows(canvas, 120, [("", *["零"] * 5)])
        canvas.drawString(60, A4[1] - 126, "另行制作")
        rows(canvas, 146, [("3.补正后不明确", *["无"] * 5)])

    assert read_tables(make(tmp_path / "a.pdf", draw))[0][3:] == [
        ["2.没有现成信息需要另行制作", *["零"] * 5],
        ["3.补正后不明确", *["无"] * 5],
    ]


def test_a_label_around_its_value_at_the_head_of_a_page_belongs_to_the_table(tmp_path: Path) -> None:
    def row(canvas: Any, top: float, serial: str, label: str, unit: str, value: str) -> None:
        for x, text in ((60, serial), (300, unit), (450, value)):
            canvas.drawString(x, A4[1] - top, text)
        first, _, last = label.partition("|")
        canvas.drawString(100, A4[1] - top + (6 if last else 0), first)
        canvas.drawString(100, A4[1] - top - 6, last)

    def upper(canvas: Any) -> None:
        row(canvas, 600, "序号", "统计指标", "单位", "统计数")
        for number in range(1, 6):
            row(canvas, 600 + 20 * number, str(number), f"（{'一二三四五'[number - 1]}）公开情况", "件", "3")

    def lower(canvas: Any) -> None:
        row(canvas, 60, "6", "（六）召开政府信息公开工作会议或者|专题会议数", "次", "26")
        row(canvas, 84, "7", "（七）举办培训班数", "次", "25")

    tables = read_tables(make(tmp_path / "a.pdf", upper, lower))
    assert tables[1] == [
        ["6", "(六)召开政府信息公开工作会议或者专题会议数", "次", "26"],
        ["7", "(七)举办培训班数", "次", "25"],
    ]


def test_a_value_between_two_columns_is_not_given_to_one(tmp_path: Path) -> None:
    def lower(canvas: Any) -> None:
        rows(canvas, 60, [*FULL, *FULL, ("3.补正后不明确", "8")])
        canvas.drawCentredString((COLUMNS[2] + COLUMNS[3]) / 2, A4[1] - 140, "77")

    tables = read_tables(make(tmp_path / "a.pdf", lambda canvas: rows(canvas, 600, [("项目", *HEADS), *FULL]), lower))
    assert tables[1][:4] == [[label, *values] for label, *values in (*FULL, *FULL)]
    (cell,) = tables[1][4]
    assert "8" in cell and "77" in cell


def test_a_number_broken_by_its_narrow_column_is_one(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        for index, (head, value) in enumerate((("维", "3"), ("纠", "74"), ("其", "1"), ("未", "1"), ("总", "75"))):
            canvas.drawString(60 + 24 * index, A4[1] - 60, head)
            canvas.drawString(60 + 24 * index, A4[1] - 80, value)
        canvas.drawString(84, A4[1] - 92, "6")
        canvas.drawString(156, A4[1] - 92, "1")

    assert read_tables(make(tmp_path / "a.pdf", draw))[0][-1] == ["3", "746", "1", "1", "751"]


def test_the_raised_mark_of_a_note_is_no_digit_of_its_figure(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        for x in (50, 150, 250):
            canvas.line(x, 700, x, 660)
        for y in (700, 680, 660):
            canvas.line(50, y, 250, y)
        for x, y, text in ((60, 686, "新收"), (160, 686, "50"), (60, 666, "结转"), (160, 666, "7")):
            canvas.drawString(x, y, text)
        canvas.setFont(FONT, 6)
        canvas.drawString(160 + pdfmetrics.stringWidth("50", FONT, 10), 690, "1")

    assert read_tables(make(tmp_path / "a.pdf", draw)) == [[["新收", "50¹"], ["结转", "7"]]]


def test_a_running_head_across_a_ruled_table_is_no_text_of_its_cells(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        for x in range(50, 251, 40):
            canvas.line(x, 700, x, 660)
        for y in (700, 680, 660):
            canvas.line(50, y, 250, y)
        for index in range(5):
            canvas.drawString(55 + 40 * index, 686, str(index))
            canvas.drawString(55 + 40 * index, 666, str(index + 5))
        canvas.setFont(FONT, 8)
        canvas.drawString(80, 689, "临江县某局2023年报第7版")

    document = read_pdf(make(tmp_path / "a.pdf", draw))
    assert [texts(table) for table in document.tables] == [[["0", "1", "2", "3", "4"], ["5", "6", "7", "8", "9"]]]
    assert "临江县某局2023年报第7版" in document.text


def test_columns_that_nothing_tells_are_not_guessed(tmp_path: Path) -> None:
    lines = [("1.公开", "3", "", "", "1", "4"), ("2.不公开", "2", "", "", "", "2"), ("3.其他", "", "", "", "5", "5")]
    document = read_pdf(make(tmp_path / "a.pdf", lambda canvas: rows(canvas, 60, lines)))
    assert document.tables == ()
    assert "1.公开 3 1 4\n2.不公开 2 2\n3.其他 5 5\n" in document.text


def test_a_full_row_tells_the_columns_without_heads(tmp_path: Path) -> None:
    lines = [
        ("1.公开", "3", "0", "0", "1", "4"),
        ("2.不公开", "2", "0", "0", "0", "2"),
        ("3.其他", "0", "0", "0", "5", "5"),
    ]
    path = make(tmp_path / "a.pdf", lambda canvas: rows(canvas, 60, lines))
    assert read_tables(path) == [[list(line) for line in lines]]


TIGHT = (300.0, 320.0, 340.0, 360.0, 380.0, 400.0)


def tight(canvas: Any, lines: Sequence[Sequence[str]]) -> None:
    """Rows whose columns are 20 points wide and left aligned: four digits fill one."""
    for number, (label, *values) in enumerate(lines):
        canvas.drawString(60, A4[1] - 60 - 20 * number, label)
        for x, value in zip(TIGHT, values, strict=False):
            canvas.drawString(x, A4[1] - 60 - 20 * number, value)


def test_numbers_of_two_columns_that_touch_are_not_one(tmp_path: Path) -> None:
    heads = ("项目", *"甲乙丙丁戊总")
    lines = [heads, ("1.公开", "12", "34", "5", "6", "7", "8"), ("2.不公开", "1", "4444", "5555", "6", "7", "8")]
    (table,) = read_tables(make(tmp_path / "a.pdf", lambda canvas: tight(canvas, lines)))
    assert table[1] == ["1.公开", "12", "34", "5", "6", "7", "8"]
    assert "5555" not in table[2] and "44445555" not in table[2]


def test_a_column_that_only_touching_numbers_show_makes_no_table(tmp_path: Path) -> None:
    rows_ = [(f"{number}.情形", "1", "2", "3", "4", "5", "6", "", "777") for number in range(1, 5)]

    def draw(canvas: Any) -> None:
        columns = (200.0, 240.0, 280.0, 320.0, 360.0, 400.0, 440.0, 460.0)
        for number, (label, *values) in enumerate([*rows_, ("5.情形", "1", "2", "3", "4", "5", "6", "8888", "9999")]):
            canvas.drawString(60, A4[1] - 60 - 20 * number, label)
            for x, value in zip(columns, values, strict=True):
                canvas.drawString(x, A4[1] - 60 - 20 * number, value)

    document = read_pdf(make(tmp_path / "a.pdf", draw))
    assert document.tables == ()


def test_a_blank_row_whose_label_stands_where_groups_have_theirs_is_a_row(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(60, A4[1] - 60, "项目")
        for x, head in zip(COLUMNS, HEADS, strict=True):
            canvas.drawCentredString(x, A4[1] - 60, head)
        labels = [("（一）甲", "1.子"), ("（二）乙", "1.丑"), ("", "2.寅"), ("（三）丙", ""), ("（四）丁", "")]
        for number, (group, item) in enumerate(labels, start=1):
            y = A4[1] - 60 - 20 * number
            canvas.drawString(60, y, group)
            canvas.drawString(130, y, item)
            if number != 4:
                for x in COLUMNS:
                    canvas.drawCentredString(x, y, str(number))

    (table,) = read_tables(make(tmp_path / "a.pdf", draw))
    assert [row[-5:] for row in table[4:]] == [[""] * 5, ["5"] * 5]
    assert table[4][0] == "(三)丙" and table[5][0] == "(四)丁"
