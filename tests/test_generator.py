"""The generator is the yardstick: its figures balance, its files show what its truth says, its truth is exact."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pdfplumber
import pytest
from docx import Document
from lxml import html
from pdfplumber.utils.exceptions import PdfminerException

from benchmarks.accuracy import judge, score_file
from tests.generator import bad
from tests.generator.content import FORMS, SampleReport, make_report
from tests.generator.corpus import write_corpus, write_report
from tests.generator.docx_writer import Letter, write_docx
from tests.generator.html_writer import Page, write_html
from tests.generator.identities import Violation, undecided, violations
from tests.generator.mutate import change_digit, value_keys
from tests.generator.numbers import Printed, Style, blank, print_amount, print_signed, reported
from tests.generator.pdf_writer import RULES, Sheet, write_pdf
from tests.generator.samples import samples, write_samples
from tests.generator.text_writer import LOSSY, STYLES, write_text
from tests.generator.truth import Written, to_json

ROOT = Path(__file__).parents[1]
SAMPLES, GOLD = ROOT / "data" / "samples", ROOT / "data" / "gold" / "samples"
PLAIN = Style(amount="header")


def raw_values(report: SampleReport) -> list[str]:
    """The printed values in reading order."""
    return [cell.text for grid in report.grids for row in grid.by_row() for cell in row if cell.key]


@pytest.mark.parametrize(
    ("form", "count"), [("2019", 198), ("2021", 200), ("2014", 58), ("hybrid", 186), ("narrative", 0)]
)
def test_a_report_has_the_cells_that_the_contract_counts(form: str, count: int) -> None:
    report = make_report(3, form)
    assert len(report.cells) == count
    assert sorted(cell.key or "" for grid in report.grids for cell in grid.cells if cell.key) == sorted(report.cells)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(8))
def test_figures_balance_unless_broken_on_purpose(form: str, seed: int) -> None:
    report = make_report(seed, form, style=PLAIN)
    assert violations(report.cells) == []
    if report.cells:
        assert violations(make_report(seed, form, style=PLAIN, breaks=2).cells)


@pytest.mark.parametrize("form", FORMS)
def test_no_two_cells_of_a_table_overlap_and_none_is_missing(form: str) -> None:
    for seed in range(6):
        for grid in make_report(seed, form).grids:
            slots = [
                (row, col)
                for cell in grid.cells
                for row in range(cell.row, cell.row + cell.rowspan)
                for col in range(cell.col, cell.col + cell.colspan)
            ]
            assert sorted(slots) == [(row, col) for row in range(grid.rows) for col in range(grid.cols)]


def test_violations_are_found_cell_by_cell() -> None:
    """Checked by hand: one wrong leaf breaks its row and its column; a wrong 总计 its row only."""
    cells = dict(make_report(1, "2021", volume="zero", style=PLAIN).cells)
    cells["disputes.review.other"] = reported("3", 3)
    assert violations(cells) == [
        Violation("form.disputes", tuple(sorted(f"disputes.review.{name}" for name in
                  ("upheld", "corrected", "other", "pending", "total"))), "error")
    ]  # fmt: skip
    cells["disputes.review.other"] = reported("0", 0)
    cells["applications.granted.business"] = reported("1", 1)
    assert [broken.rule for broken in violations(cells)] == ["form.outcomes", "form.applicants"]
    cells["applications.granted.charity"] = blank("/")
    assert [broken.severity for broken in violations(cells)] == ["error", "warning"]


@pytest.mark.parametrize(
    ("key", "printed", "severity"),
    [
        ("applications.new.research", reported("-2", -2), "error"),
        ("disclosure.licences.change", reported("-9", -9), "error"),
        ("disclosure.penalties.previous", reported("1.5", 1.5), "error"),  # type: ignore[arg-type]
    ],
)
def test_range_violations(key: str, printed: Printed, severity: str) -> None:
    cells = dict(make_report(1, "2019", volume="zero", style=PLAIN).cells)
    cells[key] = printed
    assert [(broken.rule, broken.severity) for broken in violations(cells) if broken.rule == "form.range"] == [
        ("form.range", severity)
    ]


def test_signs_and_amounts_are_printed_as_publishers_do() -> None:
    assert [print_signed(-8, sign) for sign in ("minus", "words", "double", "full")] == ["-8", "减8", "--8", "－8"]
    assert print_signed(3, "plus") == "+3"
    rng = random.Random(0)
    value = print_amount(make_decimal("25.1"), Style(amount="cell_yuan"), rng)
    assert (value.raw, value.value) == ("251000元", make_decimal("25.1"))
    assert print_amount(make_decimal("12000"), Style(amount="cell_yi"), rng).raw == "1.2亿元"


def make_decimal(text: str) -> Any:
    from decimal import Decimal

    return Decimal(text)


@pytest.mark.parametrize("kind", ["pdf", "html", "docx", "text"])
def test_the_same_seed_gives_the_same_bytes(kind: str, tmp_path: Path) -> None:
    first = write_report(make_report(77, "2021"), kind, tmp_path / "a")
    second = write_report(make_report(77, "2021"), kind, tmp_path / "b")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert write_report(make_report(78, "2021"), kind, tmp_path / "c").path.read_bytes() != first.path.read_bytes()


@pytest.mark.parametrize(
    "page",
    [
        Page(),
        Page(template="word", cut=True),
        Page(spans="lost", nested=True),
        Page(template="old", charset="gb18030"),
        Page(header_cells=True, breaks=True),
    ],
)
@pytest.mark.parametrize("form", ["2019", "2021", "2014"])
def test_a_web_page_shows_every_value_in_order(page: Page, form: str, tmp_path: Path) -> None:
    report = make_report(5, form, traits=(), volume="many", style=PLAIN)
    path = write_html(report, tmp_path / "page.html", page).path
    text = path.read_bytes().decode("gb18030" if page.charset == "gb18030" else "utf-8")
    cells = ["".join(map(str, node.itertext())).strip() for node in html.document_fromstring(text).iter("td", "th")]
    wanted = iter(cells)
    assert all(value in wanted for value in raw_values(report))


@pytest.mark.parametrize(
    "letter",
    [Letter(), Letter(runs=True, headings=True), Letter(nested=True), Letter(unmerged=True), Letter(tracked=True)],
)
def test_a_word_file_shows_every_value_in_order(letter: Letter, tmp_path: Path) -> None:
    report = make_report(6, "2019", volume="many", style=PLAIN)
    document = Document(str(write_docx(report, tmp_path / "report.docx", letter).path))
    cells = iter("".join(run.text or "" for run in node.iter("{*}t")) for node in document.element.body.iter("{*}tc"))
    assert all(value in cells for value in raw_values(report))


@pytest.mark.parametrize("rules", RULES)
def test_a_pdf_shows_every_value(rules: str, tmp_path: Path) -> None:
    report = make_report(7, "2021", traits=(), volume="many", style=PLAIN)
    path = write_pdf(report, tmp_path / "report.pdf", Sheet(rules=rules)).path
    with pdfplumber.open(path) as document:
        words = [word["text"] for page in document.pages for word in page.extract_words()]
    for value in set(raw_values(report)):
        assert words.count(value) >= raw_values(report).count(value)


@pytest.mark.parametrize("style", STYLES)
def test_a_flattened_row_without_its_blanks_is_lost(style: str, tmp_path: Path) -> None:
    report = make_report(8, "2021", traits=(), volume="few", style=Style(nil="", amount="header"))
    done = write_text(report, tmp_path / "report.txt", style=style)
    lost = [key for key, printed in done.report.cells.items() if printed.status == "lost"]
    if style in LOSSY:
        assert "applications.rejected.publication.total" in lost
        assert undecided(done.report.cells)
    else:
        assert lost == []
    assert violations(done.report.cells) == []


@pytest.mark.parametrize("write", [write_html, write_docx, write_pdf, write_text])
def test_truth_does_not_depend_on_the_format(write: Callable[..., Written], tmp_path: Path) -> None:
    report = make_report(9, "2019", style=PLAIN, breaks=1)
    truth = to_json(write(report, tmp_path / "report"))
    assert truth["cells"] == to_json(write_pdf(report, tmp_path / "other"))["cells"]
    assert len(truth["inconsistent"]) == len(violations(report.cells)) > 0


def test_one_digit_changes() -> None:
    report = make_report(10, "2021", volume="many", style=PLAIN)
    rng = random.Random(1)
    for key in rng.sample(value_keys(report.cells), 30):
        old, new = report.cells[key].raw, change_digit(report.cells[key], int(report.cells[key].raw), rng).raw
        assert len(old) == len(new)
        assert sum(one != other for one, other in zip(old, new, strict=True)) == 1


def test_a_corpus_has_truth_for_every_file(tmp_path: Path) -> None:
    assert write_corpus(tmp_path, 31_000, 12) == 12
    truths = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    assert sorted(truth["file"] for truth in truths) == sorted(
        path.name for path in tmp_path.iterdir() if path.name != "truth.jsonl"
    )


def test_samples_are_enough_and_their_truth_is_theirs() -> None:
    truths = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(GOLD.glob("*.json"))]
    assert {truth["file"] for truth in truths} == {sample.name for sample in samples()}
    assert len(truths) >= 36
    assert 3 * sum(bool(truth["inconsistent"]) for truth in truths) >= len(truths)
    assert {truth["form"] for truth in truths} == {"2014", "2019", "2021", "narrative"}
    assert {Path(truth["file"]).suffix for truth in truths} == {".pdf", ".html", ".docx", ".txt"}
    for truth in truths:
        assert hashlib.sha256((SAMPLES / truth["file"]).read_bytes()).hexdigest() == truth["sha256"], truth["file"]
    assert sum(path.stat().st_size for path in SAMPLES.iterdir()) < 8_000_000


def test_samples_can_be_written_anew(tmp_path: Path) -> None:
    """Whatever needs no program of the machine comes out with the committed truth."""
    own = [sample for sample in samples() if not sample.outside]
    list(write_samples(tmp_path, outside=False))
    for sample in own:
        name = f"{sample.name}.json"
        new = json.loads((tmp_path / "data" / "gold" / "samples" / name).read_text(encoding="utf-8"))
        old = json.loads((GOLD / name).read_text(encoding="utf-8"))
        assert {**new, "sha256": ""} == {**old, "sha256": ""}, name


@pytest.mark.parametrize(
    ("expected", "cell", "kind"),
    [
        ({"value": 3, "status": "reported"}, {"value": 3, "status": "reported"}, ""),
        ({"value": 3, "status": "reported"}, {"value": 8, "status": "reported"}, "wrong_value"),
        ({"value": 3, "status": "reported"}, {"value": None, "status": "illegible"}, "illegible_for_reported"),
        ({"value": None, "status": "blank"}, {"value": 0, "status": "reported"}, "number_for_blank"),
        ({"value": None, "status": "blank"}, {"value": None, "status": "blank"}, ""),
        ({"value": 3, "status": "lost", "printed": "reported"}, {"value": None, "status": "illegible"}, ""),
        ({"value": 3, "status": "lost", "printed": "reported"}, {"value": 1, "status": "reported"}, "wrong_value"),
        ({"value": None, "status": "lost", "printed": "blank"}, {"value": 1, "status": "reported"}, "number_for_blank"),
        ({"value": 3, "status": "image", "printed": "reported"}, {"value": None, "status": "absent"}, ""),
    ],
)
def test_judging_a_cell(expected: dict[str, Any], cell: dict[str, Any], kind: str) -> None:
    assert judge(expected, cell) == kind


def test_a_reader_that_fails_is_scored_as_all_wrong(tmp_path: Path) -> None:
    truth = to_json(write_pdf(make_report(11, "2021", breaks=1), tmp_path / "report.pdf"))
    score = score_file((tmp_path / "missing.pdf", truth))
    assert score.failure
    assert (score.right, score.cells, score.found) == (0, 200, 0)
    assert not any(score.metadata.values())


@pytest.mark.parametrize("write", bad.ALL, ids=lambda write: write.__name__)
def test_bad_files_can_be_written(write: Callable[[Path], Path], tmp_path: Path) -> None:
    path = write(tmp_path)
    assert path.parent == tmp_path
    assert path.exists()


def test_the_encrypted_file_is_locked(tmp_path: Path) -> None:
    with pytest.raises(PdfminerException):
        pdfplumber.open(bad.encrypted_pdf(tmp_path))
