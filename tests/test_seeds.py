"""Five real scraped reports, tested where they lie; they are no part of the repository."""

from pathlib import Path

import pytest

from extractors.extract import extract_report, read_document
from extractors.report import Report

SEEDS = Path(__file__).parents[2] / "shared" / "seeds"
pytestmark = pytest.mark.skipif(
    not SEEDS.is_dir(), reason=f"THE REAL REPORTS ARE NOT HERE: {SEEDS.name}/ beside the checkout holds them"
)

# Checked by eye against the files: cells that print something other than 0.
NOT_ZERO = {
    "000": {},
    "001": {
        "disclosure.normative_documents.made": 2,
        "disclosure.normative_documents.disclosed": 2,
        "disclosure.normative_documents.total": 17,
        "disclosure.licences.previous": 260,
        "disclosure.licences.change": 2,
        "disclosure.licences.decisions": 4682,
        "disclosure.other_services.previous": 1021,
        "disclosure.other_services.change": 18,
        "disclosure.other_services.decisions": 11564,
        "disclosure.penalties.previous": 4377,
        "disclosure.penalties.change": -11,
        "disclosure.penalties.decisions": 614,
        "disclosure.compulsion.previous": 181,
        "disclosure.compulsion.change": -11,
        "disclosure.compulsion.decisions": 75,
        "disclosure.fees.previous": 40,
        "disclosure.fees.change": -30,
        "disclosure.procurement.items": 73,
        "disclosure.procurement.amount": 2876.4869,
        "applications.new.natural_person": 1,
        "applications.new.business": 7,
        "applications.new.total": 8,
        "applications.granted.natural_person": 1,
        "applications.granted.total": 1,
        "applications.denied.internal.business": 1,
        "applications.denied.internal.total": 1,
        "applications.unavailable.not_held.business": 6,
        "applications.unavailable.not_held.total": 6,
        "applications.processed.natural_person": 1,
        "applications.processed.business": 7,
        "applications.processed.total": 8,
    },
    "002": {f"disclosure.normative_documents.{column}": 2 for column in ("made", "disclosed", "total")},
}


def read(number: str) -> tuple[Path, Report]:
    path = next(SEEDS.glob(f"{number}_*.txt"))
    return path, extract_report(path)


@pytest.mark.parametrize("number", sorted(NOT_ZERO))
def test_all_198_cells_are_right_in_value_status_and_place(number: str) -> None:
    path, report = read(number)
    assert {cell.status for cell in report.cells} == {"reported"}
    assert len(report.cells) == 198
    expected = NOT_ZERO[number]
    assert {cell.key: float(cell.value) for cell in report.cells if cell.value} == expected
    text = read_document(path).text
    assert all(text[cell.evidence.start : cell.evidence.end] == cell.raw for cell in report.cells if cell.evidence)
    assert all(cell.evidence is not None for cell in report.cells)
    assert {finding.status for finding in report.findings} == {"consistent"}


@pytest.mark.parametrize(
    ("number", "codes"), [("003", {"form.narrative", "image.lost", "section.empty"}), ("004", {"form.narrative"})]
)
def test_reports_without_tables_carry_no_cells_and_say_why(number: str, codes: set[str]) -> None:
    _, report = read(number)
    assert (report.cells, report.findings, report.report.form) == ((), (), "narrative")
    assert {problem.code for problem in report.problems} == codes


@pytest.mark.parametrize(
    ("number", "title", "authority", "year", "form", "published"),
    [
        ("000", "阿尔乡镇政府2020年信息公开工作年度报告", "阿尔乡镇政府", 2020, "2019", "2021-02-10"),
        (
            "001",
            "遂宁市安居区人民政府2020年政府信息公开工作年度报告",
            "遂宁市安居区人民政府",
            2020,
            "2019",
            "2021-02-10",
        ),
        ("002", None, "龙桥乡", 2019, "2019", None),
        (
            "003",
            "张家川县张棉驿乡2019年度政府信息公开工作报告",
            "张家川县张棉驿乡人民政府",
            2019,
            "narrative",
            "2020-01-15",
        ),
        ("004", "昌吉市滨湖镇2016年政府信息公开工作年度报告", "昌吉市滨湖镇", 2016, "narrative", "2017-02-27"),
    ],
)
def test_metadata(number: str, title: str | None, authority: str, year: int, form: str, published: str | None) -> None:
    about = read(number)[1].report
    assert (about.title, about.authority, about.year, about.form) == (title, authority, year, form)
    assert about.published == published
