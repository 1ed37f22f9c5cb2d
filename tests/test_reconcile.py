"""Identities and ranges: one test for each way they come out, and what the findings say."""

from dataclasses import replace

import pytest

from extractors.cells import Printing, Tables
from extractors.forms import load_forms
from extractors.reconcile import check_tables
from extractors.report import Cell, Evidence, Finding, Suggestion

FORMS = load_forms()
BLOCKS: dict[str, str | None] = {"disclosure": "2021", "applications": "2021", "disputes": "2021"}


def tables(form: str = "2021", **changed: object) -> Tables:
    """A report that prints 0 everywhere, save the cells named with ``__`` for dots; None is blank, a str a status."""
    cells = {
        key: Cell(key, 0, "0", spec.unit, "reported", 0.99, Evidence(start=0, end=1))
        for key, spec in FORMS[form].cells.items()
    }
    for name, value in changed.items():
        key = name.replace("__", ".")
        if isinstance(value, str):
            cells[key] = replace(cells[key], value=None, status=value)
        elif value is None:
            cells[key] = replace(cells[key], value=None, raw="", status="blank")
        else:
            cells[key] = replace(cells[key], value=value, raw=str(value))
    return Tables(form, dict.fromkeys(BLOCKS, form), tuple(cells.values()))


def found(report: Tables, status: str = "inconsistent") -> dict[str, Finding]:
    return {finding.id: finding for finding in check_tables(report, FORMS) if finding.status == status}


def test_a_report_that_adds_up_has_only_consistent_findings() -> None:
    findings = check_tables(tables(), FORMS)
    assert {finding.status for finding in findings} == {"consistent"}
    assert len({finding.id for finding in findings}) == len(findings) == 42 + 6 + 25 + 1


def test_one_wrong_cell_breaks_exactly_its_own_identities() -> None:
    broken = found(tables(applications__granted__business=3))
    assert set(broken) == {"form.outcomes:applications.business", "form.applicants:applications.granted"}
    row = broken["form.applicants:applications.granted"]
    assert (row.expected, row.reported, row.difference) == (3, 0, -3)
    assert (row.severity, row.origin) == ("error", "report")
    assert row.suggestion == (Suggestion("applications.granted.business", 3, 0),)
    assert "applications.granted.business" in row.cells


def test_the_message_names_row_and_column_as_printed_in_two_languages() -> None:
    report = tables(applications__granted__business=3)
    key = "applications.granted.business"
    report = replace(report, printed={key: Printing("(一)予以公开情况", "商业 企业")})
    message = found(report)["form.applicants:applications.granted"].message
    assert "“(一)予以公开情况”“商业 企业” 3" in message
    assert "勾稽关系不成立" in message
    assert "broken" in message


def test_blanks_are_tried_as_nil() -> None:
    blank = tables(applications__new__business=None)
    finding = found(blank, "consistent")["form.applicants:applications.new"]
    assert "空白按零计" in finding.message
    assert "商业企业" in finding.message


def test_a_sum_that_only_blanks_could_fill_is_a_warning() -> None:
    broken = found(tables(applications__new__business=None, applications__new__total=2))
    assert broken["form.applicants:applications.new"].severity == "warning"
    assert broken["form.balance:applications.total"].severity == "error"


@pytest.mark.parametrize("status", ["illegible", "absent"])
def test_what_is_not_there_leaves_a_rule_undecided(status: str) -> None:
    report = tables(applications__new__business=status, applications__new__natural_person=5)
    undecided = found(report, "unverifiable")
    assert set(undecided) >= {"form.applicants:applications.new", "form.balance:applications.business"}
    assert set(found(report)) == {"form.balance:applications.natural_person"}


def test_doubtful_readings_are_not_blamed_on_the_publisher() -> None:
    report = tables(disputes__review__total=3)
    doubtful = tuple(
        replace(cell, confidence=0.6) if cell.key.startswith("disputes") else cell for cell in report.cells
    )
    assert found(report)["form.disputes:disputes.review"].origin == "report"
    assert found(replace(report, cells=doubtful))["form.disputes:disputes.review"].origin == "unknown"


def test_ranges() -> None:
    broken = found(tables(disputes__review__upheld=-1, disputes__review__total=-1))
    assert set(broken) == {"form.range:disputes"}
    assert broken["form.range:disputes"].cells == ("disputes.review.upheld", "disputes.review.total")


def test_form_2019_lets_changes_fall_but_not_below_the_stock() -> None:
    assert not found(tables("2019", disclosure__licences__previous=8, disclosure__licences__change=-8))
    broken = found(tables("2019", disclosure__licences__previous=8, disclosure__licences__change=-9))
    assert set(broken) == {"form.range:disclosure.licences.sum"}


def test_form_2014_knows_strict_expected_and_bounding_parts() -> None:
    broken = found(
        tables(
            "2014",
            requests2014__received__fax=2,
            reviews2014__total=3,
            responses2014__interviews__by_head=1,
            disclosure2014__channels__website=50,
        )
    )
    assert {key: finding.severity for key, finding in broken.items()} == {
        "form.parts:received": "error",
        "form.parts:reviews": "warning",
        "form.parts:head_interviews": "error",
    }


def test_a_mixed_report_is_checked_by_the_form_of_each_block() -> None:
    old = {key: cell for key, cell in _by_key(tables("2019")).items() if key.startswith("applications.")}
    new = {key: cell for key, cell in _by_key(tables("2021")).items() if not key.startswith("applications.")}
    report = Tables("2021", {**BLOCKS, "applications": "2019"}, tuple({**new, **old}.values()))
    findings = check_tables(report, FORMS)
    assert {finding.status for finding in findings} == {"consistent"}
    outcomes = next(finding for finding in findings if finding.id == "form.outcomes:applications.total")
    assert "applications.other.total" in outcomes.cells


def _by_key(report: Tables) -> dict[str, Cell]:
    return {cell.key: cell for cell in report.cells}


def test_a_narrative_report_has_no_table_to_check() -> None:
    assert check_tables(Tables(None, dict.fromkeys(BLOCKS)), FORMS) == ()
