"""One report in four formats gives one record; one printed digit changed changes exactly its own findings."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from extractors.extract import extract_report
from extractors.report import Report
from tests.generator.content import SampleReport, make_report
from tests.generator.docx_writer import write_docx
from tests.generator.grid import Grid
from tests.generator.html_writer import write_html
from tests.generator.identities import violations
from tests.generator.mutate import breakable, change_digit
from tests.generator.numbers import nil_aware
from tests.generator.pdf_writer import write_pdf
from tests.generator.text_writer import write_text

WRITERS = {
    "pdf": write_pdf,
    "html": write_html,
    "docx": write_docx,
    "text": lambda report, path: write_text(report, path, style="tabs"),
}


def cells(report: Report) -> dict[str, tuple[str, object]]:
    return {cell.key: (cell.status, cell.value) for cell in report.cells}


def broken(report: Report) -> set[tuple[str, frozenset[str]]]:
    return {(f.rule, frozenset(f.cells)) for f in report.findings if f.status == "inconsistent"}


@pytest.mark.parametrize("form", ["2019", "2021", "2014", "hybrid"])
@pytest.mark.parametrize("seed", [7001, 7002, 7003])
def test_the_format_makes_no_difference(tmp_path: Path, form: str, seed: int) -> None:
    report = make_report(seed, form, breaks=seed % 3)
    read = {}
    for name, write in WRITERS.items():
        path = tmp_path / f"report.{name}"
        write(report, path)
        read[name] = extract_report(path)
    first = read.pop("pdf")
    for name, other in read.items():
        assert cells(other) == cells(first), name
        assert broken(other) == broken(first), name
        assert other.report.year == first.report.year, name
        assert other.report.form == first.report.form, name


@pytest.mark.parametrize("form", ["2019", "2021", "2014"])
@pytest.mark.parametrize("seed", range(7100, 7108))
def test_one_digit_changed_is_found_where_it_stands_and_nowhere_else(tmp_path: Path, form: str, seed: int) -> None:
    rng = random.Random(seed)
    clean = make_report(seed, form, volume="many")
    assert not violations(clean.cells)
    wrong, key = _misprint(clean, rng)
    path = tmp_path / "report.html"
    write_html(wrong, path)
    report = extract_report(path)
    expected = {(violation.rule, frozenset(violation.cells)) for violation in violations(wrong.cells)}
    assert broken(report) == expected
    assert all(key in finding.cells for finding in report.findings if finding.status == "inconsistent")
    meant = int(nil_aware(clean.cells[key]))
    suggested = {(change.key, change.suggested) for finding in report.findings for change in finding.suggestion or ()}
    assert suggested <= {(key, meant)}
    assert suggested or not key.startswith("applications.")
    assert all(finding.origin == "report" for finding in report.findings if finding.status == "inconsistent")


def _misprint(report: SampleReport, rng: random.Random) -> tuple[SampleReport, str]:
    """The report with one digit of one cell printed wrong, and the key of that cell."""
    keys = [key for key in breakable(report.cells) if nil_aware(report.cells[key]) and not key.endswith(".change")]
    key = rng.choice(keys)
    changed = change_digit(report.cells[key], int(nil_aware(report.cells[key])), rng)
    parts = tuple(
        replace(part, cells=tuple(replace(cell, text=changed.raw) if cell.key == key else cell for cell in part.cells))
        if isinstance(part, Grid)
        else part
        for part in report.parts
    )
    return replace(report, cells=dict(report.cells) | {key: changed}, parts=parts), key
