"""Tables to cells: naming rows, picking columns, and staying honest where blanks are lost."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.align import align, block_lines
from extractors.cells import Tables, read_tables
from extractors.document import Document, PrintedCell, Table
from extractors.forms import load_forms
from extractors.reconcile import check_tables
from extractors.report import Evidence
from extractors.rows import make_row
from extractors.text import read_text

FORMS = load_forms()
APPLICANTS = ["自然人", "商业企业", "科研机构", "社会公益组织", "法律服务机构", "其他", "总计"]
LINES = block_lines(FORMS["2021"].block_tables("applications"))


def read(text: str) -> Tables:
    return read_tables(read_text(text.encode(), Path("report.txt")), FORMS)


def values(tables: Tables, prefix: str) -> list[object]:
    """Values of the cells under ``prefix`` in printed order; the status where there is no value."""
    cells = [cell for cell in tables.cells if cell.key.startswith(prefix)]
    return [cell.value if cell.status == "reported" else cell.status for cell in cells]


def grid(rows: list[list[str]]) -> Tables:
    """Read ``rows`` as one grid of cells without spans."""
    text, cells = "", []
    for number, row in enumerate(rows):
        for column, word in enumerate(row):
            cells.append(PrintedCell(word, number, column, 1, 1, Evidence(start=len(text), end=len(text) + len(word))))
            text += word + "\t"
    table = Table("markup", tuple(cells), len(rows), max(map(len, rows)), 0, len(text))
    return read_tables(Document("text/html", text, tables=(table,)), FORMS)


def application_rows(first: int = 0) -> list[list[str]]:
    """The rows of table three on form 2021, row ``i`` printing ``first + i`` for 自然人 and for 总计."""
    rows = [["", *APPLICANTS]]
    for number, line in enumerate(LINES):
        figure = str(first + number)
        rows.append([line.row.label, figure, "0", "0", "0", "0", "0", figure])
    return rows


def test_rows_are_read_in_the_order_of_the_form() -> None:
    found = grid(application_rows())
    assert [cell.value for cell in found.cells if cell.key.endswith("natural_person")] == list(range(25))
    assert found.blocks == {"disclosure": None, "applications": "2021", "disputes": None}


def test_dropped_labels_make_no_cell_absent() -> None:
    rows = [[("" if 3 <= index <= 24 else row[0]), *row[1:]] for index, row in enumerate(application_rows())]
    found = grid(rows)
    assert [cell.value for cell in found.cells if cell.key.endswith("natural_person")] == list(range(25))
    assert {problem.code for problem in found.problems} >= {"label.dropped"}


@pytest.mark.parametrize(("sure", "matches"), [(0.8, 6), (0.99, 5)])
def test_a_garbled_label_names_its_row_by_place_only_where_it_was_read_with_doubt(sure: float, matches: int) -> None:
    lines = block_lines(FORMS["2021"].block_tables("disclosure"))
    labels = ["概章", *(line.row.label for line in lines[1:])]
    rows = [
        make_row(
            tuple(
                PrintedCell(text, number, column, 1, 1, Evidence(), sure if text == "概章" else 1.0)
                for column, text in enumerate((label, *["1"] * lines[number].width))
            )
        )
        for number, label in enumerate(labels)
    ]
    assert len(align(rows, lines).matches) == matches


def test_a_group_label_before_dashes_is_no_heading_when_the_rows_lost_their_labels() -> None:
    rows = [["", "", *APPLICANTS]]
    for index, line in enumerate(LINES):
        group = "三、本年度办理结果" if index == 2 else line.row.label if index in (0, 1, 24) else ""
        rows.append([group, "", *(["-"] * 5), "9" if index == 10 else "-", "-"])
    found = grid(rows)
    assert {cell.key for cell in found.cells if cell.value == 9} == {"applications.denied.case_file.other"}
    assert "absent" not in {cell.status for cell in found.cells if cell.key.startswith("applications.")}


def test_a_row_that_the_form_lacks_shifts_nothing_and_is_told() -> None:
    rows = [
        ["信息内容", "本年新制作数量", "本年新公开数量", "对外公开总数量"],
        ["规章", "1", "2", "3"],
        ["规范性文件", "4", "5", "6"],
        ["其他主动公开文件(含以本单位名义签发的文件)", "70", "80", "90"],
        ["信息内容", "上一年项目数量", "本年增/减", "处理决定数量"],
        ["行政许可", "7", "增2", "9"],
        ["其他对外管理服务事项", "10", "减11", "12"],
    ]
    found = grid(rows)
    assert values(found, "disclosure.")[:12] == [1, 2, 3, 4, 5, 6, 7, 2, 9, 10, -11, 12]
    told = [problem for problem in found.problems if problem.code == "row.foreign"]
    assert len(told) == 1
    assert "70 80 90" in told[0].message


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 24), max_size=5), st.sets(st.integers(0, 24), max_size=5))
def test_missing_rows_and_labels_never_shift_the_others(missing: set[int], unlabelled: set[int]) -> None:
    """Rows that lost their label next to rows that are missing cannot be told apart; all others must stand."""
    printed = [index for index in range(25) if index not in missing]
    rows = []
    for index in printed:
        label = "" if index in unlabelled else LINES[index].row.label
        words = [label, *[str(100 + index)] * 7]
        rows.append(make_row(tuple(PrintedCell(word, index, at, 1, 1, Evidence()) for at, word in enumerate(words))))
    matches = {match.row: match.line for match in align(rows, LINES).matches}
    for row, index in enumerate(printed):
        if index not in unlabelled or not missing:
            assert matches[row] == index


def test_the_hybrid_is_decided_block_by_block() -> None:
    disclosure = [
        ["信息内容", "本年制发件数", "本年废止件数", "现行有效件数"],
        ["规章", "0", "0", "0"],
        ["行政规范性文件", "3", "0", "8"],
    ]
    lines = block_lines(FORMS["2019"].block_tables("applications"))
    applications = [["", *APPLICANTS], *[[line.row.label, *["0"] * 7] for line in lines]]
    found = grid(disclosure + applications)
    assert (found.blocks["disclosure"], found.blocks["applications"]) == ("2021", "2019")
    assert found.form == "2021"
    assert sum(cell.status == "reported" for cell in found.cells) == 6 + 161
    assert "applications.other.total" in {cell.key for cell in found.cells}


LABELLED = "\n".join(("申请人情况", *APPLICANTS))


def flat_rows(rows: dict[str, str]) -> str:
    """Table three as flattened text: label, then the row's printed text; rows not named print seven zeros."""
    text = [LABELLED]
    for line in LINES:
        text += [line.row.label, rows.get(line.row.key, "0 | 0 | 0 | 0 | 0 | 0 | 0 |")]
    return "\n".join(text)


def test_blanks_that_a_scrape_heaped_are_placed_by_the_sums_or_not_at_all() -> None:
    found = read(
        flat_rows({"new": "7 | 1 | 8 | ||||||", "granted": "7 | 1 | 8 | ||||||", "processed": "7 | 1 | 8 | ||||||"})
    )
    row = values(found, "applications.new.")
    assert row == ["illegible"] * 6 + [8]
    total = next(cell for cell in found.cells if cell.key == "applications.new.total")
    assert total.confidence < 0.9
    assert "row.blanks_lost" in {problem.code for problem in found.problems}


def test_sums_of_other_rows_fix_a_place() -> None:
    """With every other row printed in full, the balance of each column leaves one place for each number."""
    full = "7 | 0 | 1 | 0 | 0 | 0 | 8 |"
    found = read(flat_rows({"new": "7 | 1 | 8 | ||||||", "granted": full, "processed": full}))
    assert values(found, "applications.new.") == [7, "blank", 1, "blank", "blank", "blank", 8]


def test_blanks_that_were_kept_between_pipes_stand_where_they_are() -> None:
    found = read(
        flat_rows({"new": "7 | | | | 1 | | 8 |", "granted": "7 | | | | 1 | | 8 |", "processed": "7 | | | | 1 | | 8 |"})
    )
    assert values(found, "applications.new.") == [7, "blank", "blank", "blank", 1, "blank", 8]


def test_a_template_without_any_value_is_blank_not_absent() -> None:
    found = read("\n".join((LABELLED, *(line.row.label for line in LINES))))
    assert set(values(found, "applications.")) == {"blank"}


def test_a_run_of_values_whose_labels_are_lost_is_cut_by_the_form() -> None:
    labelled = {"new": 0, "carried_in": 1, "carried_out": 24}
    text = [LABELLED]
    for index, line in enumerate(LINES):
        text += [line.row.label] if line.row.key in labelled else ["三、本年度办理结果"] if index == 2 else []
        text += [str(index)] * 7
    found = read("\n".join(text))
    assert [cell.value for cell in found.cells if cell.key.endswith(".charity")] == list(range(25))


def lost_label_rows(opening: str, spare: bool) -> str:
    """Table three one cell a line between pipes, group 三 without labels; row ``i`` prints ``i`` for 自然人 and 总计.

    A row begins with ``opening``; groups and labels are cells, and ``spare`` says whether the columns that a label
    spans leave empty cells behind the row.
    """
    text = ["申请人情况 |", *(f"{name} |" for name in APPLICANTS)]
    for index, line in enumerate(LINES):
        first = f"{line.row.label} |" if line.row.key in ("new", "carried_in", "carried_out") else "|"
        label = ["三、本年度办理结果 |", "|"] if index == 2 else [first]
        above = LINES[index - 1].row.groups
        label += ["|"] * (index > 2 and any(group not in above for group in line.row.groups))
        last = f"{index} |" + (" " + "|" * (2 - len(line.row.groups)) if spare and len(line.row.groups) < 2 else "")
        text += [opening + label[0], *label[1:], f"{index} |", "|", "0 |", "|", "|", "0 |", last]
    return "\n".join(text)


@pytest.mark.parametrize("spare", [True, False])
@pytest.mark.parametrize("opening", ["| ", ""], ids=["opened by pipes", "not opened"])
def test_rows_without_labels_are_cut_where_the_form_has_them(opening: str, spare: bool) -> None:
    found = read(lost_label_rows(opening, spare))
    cells = {cell.key: cell for cell in found.cells}
    for index, line in enumerate(LINES):
        row = [cells[f"applications.{line.row.key}.{column.key}"] for column in line.table.columns]
        assert [cell.value for cell in row] == [index, None, 0, None, None, 0, index], line.row.label
        assert {cell.status for cell in row} == {"reported", "blank"}


def test_a_row_of_zeros_does_not_say_where_its_blanks_stood() -> None:
    """Three zeros and four blanks balance wherever they stand, and no other row keeps a blank between values."""
    found = read(flat_rows({"new": "0 | 0 | 0 | |||||", "granted": "0 | 0 | 0 | |||||"}))
    assert values(found, "applications.new.") == ["illegible"] * 7


def test_lines_of_values_without_labels_are_rows_of_their_own() -> None:
    """Upright labels leave a character at the head of some lines, which is neither a label nor, if 三, a value."""
    lines, upright = [LABELLED], iter("三本年度办理结果")
    for index, line in enumerate(LINES):
        known = line.row.key in ("new", "carried_in", "carried_out")
        head = line.row.label if known else next(upright, "") if index % 2 else ""
        lines.append(f"{head} {index} 0 0 0 0 0 {index}".strip())
    found = read("\n".join(lines))
    totals = [
        cell.value for cell in found.cells if cell.key.startswith("applications.") and cell.key.endswith(".total")
    ]
    assert totals == list(range(25))


def test_serial_numbers_on_lines_of_their_own_are_no_values() -> None:
    rows = [line.row.label for line in block_lines(FORMS["2014"].tables)]
    text = ["序号", "统计指标", "统计数"]
    for number, label in enumerate(rows, 1):
        text += [str(number), label, "/" if number % 3 else str(100 + number)]
    expected = ["blank" if number % 3 else 100 + number for number in range(1, len(rows) + 1)]
    assert values(read("\n".join(text)), "")[: len(rows)] == expected


def test_a_label_whose_rest_stands_apart_keeps_its_values() -> None:
    head = "第二十条第(五)项\n信息内容\n上一年项目数量\n本年增/减\n处理决定数量\n行政许可\n1\n2\n3\n"
    found = read(head + "其他对外管理服务 事项\n4\n5\n6\n")
    assert values(found, "disclosure.other_services") == [4, 5, 6]


@pytest.mark.parametrize(
    "text",
    [
        "规章 |\n3 |\n0 |\n6 |\n行政规范性文件 |\n|\n0 |\n2 |",
        "规章\n|\n3\n|\n0\n|\n6\n|\n行政规范性文件\n|\n|\n0\n|\n2\n|",
        "| 规章 |\n3 |\n0 |\n6 |\n| 行政规范性文件 |\n|\n0 |\n2 |",
        "规章 | 3 | 0 | 6 |\n行政规范性文件 |  | 0 | 2 |",
        "| 规章 | 3 | 0 | 6 |\n|---|---|---|---|\n| 行政规范性文件 | | 0 | 2 |",
        "规章\t3\t0\t6\n行政规范性文件\t\t0\t2",
        "规章 3 0 6\n行政规范性文件 — 0 2",
        "规章\n\n3\n\n0\n\n6\n\n- 5 -\n\n行政规范性文件\n\n/\n\n0\n\n2",
    ],
    ids=["pipes behind", "pipes alone", "pipes around", "one line", "markdown", "tabs", "spaces", "page number"],
)
def test_every_way_of_flattening_gives_the_same_cells(text: str) -> None:
    head = "第二十条第(一)项\n信息内容\n本年制发件数\n本年废止件数\n现行有效件数\n"
    if "\t" in text or "---" in text or text.startswith("规章 | 3"):
        head = "第二十条第(一)项\n"
    assert values(read(head + text), "disclosure.")[:6] == [3, 0, 6, "blank", 0, 2]


@pytest.mark.parametrize(
    ("header", "printed", "value", "confidence"),
    [
        ("采购总金额", "2876.4869万元", Decimal("2876.4869"), 0.9),
        ("采购总金额", "251000元", Decimal("25.1"), 0.9),
        ("采购总金额", "1.5亿元", 15000, 0.9),
        ("采购总金额（万元）", "12.5", Decimal("12.5"), 0.9),
        ("采购总金额(单位:元)", "1035000", Decimal("103.5"), 0.9),
        ("采购总金额", "1035000", 1035000, 0.0),
    ],
)
def test_amounts_take_the_printed_unit(header: str, printed: str, value: object, confidence: float) -> None:
    found = grid([["信息内容", "采购项目数量", header], ["政府集中采购", "3", printed]])
    amount = next(cell for cell in found.cells if cell.key == "disclosure.procurement.amount")
    assert amount.value == value
    assert amount.confidence >= confidence
    missing = [problem for problem in found.problems if problem.code == "amount.unit_missing"]
    assert bool(missing) == (confidence == 0.0) == (amount.confidence <= 0.5)


def test_the_unit_beside_the_same_figure_in_the_prose_counts() -> None:
    text = "采购总金额1035000元。\n信息内容\n采购项目数量\n采购总金额\n政府集中采购\n3\n1035000\n"
    amount = next(cell for cell in read(text).cells if cell.key == "disclosure.procurement.amount")
    assert amount.value == Decimal("103.5")


def test_words_in_the_place_of_a_value_are_illegible_and_told() -> None:
    rows = [
        ["信息内容", "本年制发件数", "本年废止件数", "现行有效件数"],
        ["规章", "详见附件", "0", "0"],
        ["行政规范性文件", "1", "0", "1"],
    ]
    found = grid(rows)
    cell = found.cells[0]
    assert (cell.status, cell.value, cell.raw) == ("illegible", None, "详见附件")
    assert "cell.not_a_number" in {problem.code for problem in found.problems}


OUTCOMES = ["结果维持", "结果纠正", "其他结果", "尚未审结", "总计"]


@pytest.mark.parametrize(
    "rows",
    [
        [["行政复议", "行政诉讼"], ["未经复议直接起诉", "复议后起诉"], OUTCOMES * 3, [str(n) for n in range(15)]],
        [
            ["行政复议"], OUTCOMES, [str(n) for n in range(5)],
            ["未经复议直接起诉"], OUTCOMES, [str(n) for n in range(5, 10)],
            ["复议后起诉"], OUTCOMES, [str(n) for n in range(10, 15)],
        ],
        [
            ["", *OUTCOMES],
            ["行政复议", *[str(n) for n in range(5)]],
            ["未经复议直接起诉", *[str(n) for n in range(5, 10)]],
            ["复议后起诉", *[str(n) for n in range(10, 15)]],
        ],
    ],
    ids=["one row", "three tables", "three rows"],
)  # fmt: skip
def test_the_fifteen_dispute_cells_in_every_layout(rows: list[list[str]]) -> None:
    assert values(grid(rows), "disputes.") == list(range(15))


def test_prose_with_the_words_of_the_form_makes_no_table() -> None:
    text = """一、总体情况
全年办理行政许可 120 件、行政处罚 5 件。
（一）予以公开
3 件申请予以公开。
（二）部分公开
1 件。
行政复议 0 件，行政诉讼 0 件。"""
    assert read(text).form is None


def test_a_row_that_ends_early_left_out_its_last_cells() -> None:
    """The cells stand under their headers; what the row leaves out at its end is blank, never shifted."""
    rows = [row[:3] if row[0] == "2.重复申请" else row for row in application_rows()]
    row = values(grid(rows), "applications.rejected.repeated.")
    assert row[1:] == [0, "blank", "blank", "blank", "blank", "blank"]


def test_a_column_that_the_table_lacks_is_not_filled_from_its_neighbour() -> None:
    rows = [row[:-1] for row in application_rows()]
    found = grid(rows)
    assert [cell.value for cell in found.cells if cell.key.endswith("natural_person")] == list(range(25))
    totals = {cell.status for cell in found.cells if re.fullmatch(r"applications\..*\.total", cell.key)}
    assert totals == {"illegible"}


def statistics_rows(*columns: int) -> list[list[str]]:
    rows = [["指标", "单位", *(f"第{column}列" for column in columns)]]
    lines = block_lines(FORMS["2014"].block_tables("statistics"))
    return rows + [[line.row.label, "件", *(str(column) for column in columns)] for line in lines]


def test_of_several_columns_of_figures_none_is_taken_for_the_one() -> None:
    assert {cell.status for cell in grid(statistics_rows(1, 2, 3)).cells} == {"illegible"}
    assert {cell.value for cell in grid(statistics_rows(1)).cells} == {1}


def test_the_column_whose_header_is_the_forms_is_taken_beside_others() -> None:
    rows = statistics_rows(7, 2)
    rows[0][2:] = ["代码", "统计数"]
    assert {cell.value for cell in grid(rows).cells} == {2}


def test_a_local_table_with_some_of_the_labels_is_not_the_form() -> None:
    labels = ["收到申请数", "当面申请数", "传真申请数", "网络申请数", "信函申请数", "同意公开答复数"]
    labels += ["提供服务类信息数", "网站专栏页面访问量", "电子邮件申请数", "全文电子化的主动公开信息数", "行政申诉数"]
    rows = [["指标名称", "计量单位", "数量"], *[[label, "条", str(number)] for number, label in enumerate(labels)]]
    assert grid(rows).form is None


def test_a_whole_table_on_one_line() -> None:
    rows = " ".join(f"{line.row.label} {number} 0 0 0 0 0 {number}" for number, line in enumerate(LINES))
    found = read(f"三、收到和处理政府信息公开申请情况\n申请人情况 {' '.join(APPLICANTS)} {rows}\n四、其他\n")
    assert [cell.value for cell in found.cells if cell.key.endswith("natural_person")] == list(range(25))


def test_a_first_value_glued_to_its_label() -> None:
    text = LABELLED + "\n" + "\n".join(f"{line.row.label}{number} 0 0 0 0 0 7" for number, line in enumerate(LINES))
    found = read(text)
    assert [cell.value for cell in found.cells if cell.key.endswith("natural_person")] == list(range(25))


def test_a_catalogue_with_rows_of_the_same_names_is_no_table_of_the_form() -> None:
    rows = [["序号", "公开事项", "数量"], ["1", "行政许可", "12"], ["2", "行政处罚", "7"], ["3", "财政预决算", "2"]]
    assert grid(rows).form is None


def doubt(rows: list[list[str]], row: int, column: int, *readings: tuple[str, float]) -> Tables:
    """Read ``rows`` as one grid in which a recogniser doubts one cell."""
    text, cells = "", []
    for number, words in enumerate(rows):
        for at, word in enumerate(words):
            doubted = readings if (number, at) == (row, column) else ()
            printed = doubted[0][0] if doubted else word
            place = Evidence(start=len(text), end=len(text) + len(printed))
            confidence = doubted[0][1] if doubted else 1.0
            cells.append(PrintedCell(printed, number, at, 1, 1, place, confidence, doubted))
            text += printed + "\t"
    table = Table("ruled", tuple(cells), len(rows), max(map(len, rows)), 0, len(text))
    return read_tables(Document("application/pdf", text, tables=(table,)), FORMS)


def balanced_rows() -> list[list[str]]:
    """Table three with 8 applications of natural persons, all granted."""
    rows = [["", *APPLICANTS]]
    for line in LINES:
        figure = "8" if line.row.key in ("new", "granted", "processed") else "0"
        rows.append([line.row.label, figure, "0", "0", "0", "0", "0", figure])
    return rows


def test_the_sums_single_out_a_reading_of_a_doubtful_cell() -> None:
    found = doubt(balanced_rows(), 1, 1, ("3", 0.5), ("8", 0.45))
    cell = next(cell for cell in found.cells if cell.key == "applications.new.natural_person")
    assert (cell.value, cell.status, cell.raw) == (8, "reported", "3")
    assert cell.confidence < 0.9
    assert "cell.assisted" in {problem.code for problem in found.problems}


def test_a_doubtful_cell_that_no_sum_decides_is_illegible_never_zero() -> None:
    found = doubt(balanced_rows(), 1, 1, ("3", 0.5), ("5", 0.45))
    cell = next(cell for cell in found.cells if cell.key == "applications.new.natural_person")
    assert (cell.value, cell.status) == (None, "illegible")
    assert "cell.illegible" in {problem.code for problem in found.problems}


def test_an_empty_cell_that_is_not_surely_empty_is_no_blank() -> None:
    rows = [[word if word != "0" else "" for word in row] for row in balanced_rows()]
    found = doubt(rows, 6, 2, ("", 0.87))
    cell = next(cell for cell in found.cells if cell.key == "applications.denied.law.business")
    assert cell.status == "illegible"


def test_a_clear_wrong_print_stays_wrong() -> None:
    rows = balanced_rows()
    rows[1][1] = "3"
    found = doubt(rows, 2, 2, ("0", 0.7), ("8", 0.2))
    cell = next(cell for cell in found.cells if cell.key == "applications.new.natural_person")
    assert (cell.value, cell.status) == (3, "reported")
    broken = {f.id: f.origin for f in check_tables(found, FORMS) if f.status == "inconsistent"}
    assert broken["form.applicants:applications.new"] == "report"


def test_another_reading_that_would_mend_the_sum_makes_it_the_readers_error() -> None:
    """The row's sum wants 8 and the column's 3: nothing is decided, and either finding may be the reader's."""
    rows = balanced_rows()
    processed = next(index for index, line in enumerate(LINES, 1) if line.row.key == "processed")
    rows[processed][1] = "3"
    found = doubt(rows, 1, 1, ("3", 0.87), ("8", 0.1))
    broken = {f.id: f.origin for f in check_tables(found, FORMS) if f.status == "inconsistent"}
    assert broken["form.applicants:applications.new"] == "reading"
    assert broken["form.applicants:applications.processed"] == "report"


def test_a_procedure_without_cases_printed_in_dashes() -> None:
    line = " ".join(OUTCOMES)
    heads = ("行政复议", "行政诉讼(未经复议直接起诉)", "行政诉讼(复议后起诉)")
    rows = ("- - 2 - 2", "- 2 - 2 4", "- - - - -")
    text = "\n".join(f"{head}\n{line}\n{row}" for head, row in zip(heads, rows, strict=True))
    blank = "blank"
    expected = [blank, blank, 2, blank, 2, blank, 2, blank, 2, 4, *[blank] * 5]
    assert values(read(text), "disputes.") == expected
