"""Every sample report against the truth that its generator knows: cells, metadata, broken identities, evidence."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.accuracy import judge, score_file
from extractors.document import Document
from extractors.extract import extract_report, read_document
from extractors.report import Evidence, to_dict
from models.reader import read_report

ROOT = Path(__file__).parents[1]
TRUTHS: list[dict[str, Any]] = [
    json.loads(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "data/gold/samples").glob("*.json"))
]


def test_every_sample_has_its_truth() -> None:
    samples = {path.name for path in (ROOT / "data/samples").iterdir() if path.suffix != ".png"}
    assert samples == {truth["file"] for truth in TRUTHS}


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth["file"])
def test_a_sample_is_read_as_it_was_written(truth: dict[str, Any]) -> None:
    score = score_file((ROOT / "data/samples" / truth["file"], truth))
    assert not score.failure
    assert score.wrong == []
    assert (score.missed, score.invented, score.misjudged) == ([], [], [])
    assert {name for name, right in score.metadata.items() if not right} == set()


PICTURED = [truth for truth in TRUTHS if any(cell["status"] == "image" for cell in truth["cells"].values())]


@pytest.mark.parametrize("truth", PICTURED, ids=lambda truth: truth["file"])
def test_pictures_of_tables_are_read(truth: dict[str, Any]) -> None:
    """Clean pictures are read, not only not misread: of light type a few cells may be doubtful."""
    report = to_dict(extract_report(ROOT / "data/samples" / truth["file"]))
    read = {cell["key"]: cell for cell in report["cells"]}
    expected = {key: cell for key, cell in truth["cells"].items() if cell["status"] == "image"}
    assert expected
    wrong = {
        key: (found["status"], found["value"])
        for key, found in read.items()
        if key in expected and judge({**expected[key], "status": expected[key]["printed"]}, found)
    }
    assert {status for status, _ in wrong.values()} <= {"illegible"}
    assert len(wrong) <= 0.03 * len(expected)


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth["file"])
def test_every_value_stands_where_its_evidence_says(truth: dict[str, Any]) -> None:
    path = ROOT / "data/samples" / truth["file"]
    document = read_document(path)
    report = read_report(path)
    for cell in report.cells:
        if cell.status in ("reported", "blank"):
            assert cell.evidence is not None
            _check_place(document, cell.evidence, cell.raw or "")
    for stated in (*report.entities, *report.claims):
        _check_place(document, stated.evidence, stated.text)


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: truth["file"])
def test_no_figure_of_a_table_is_a_claim(truth: dict[str, Any]) -> None:
    report = read_report(ROOT / "data/samples" / truth["file"])
    cells = [(cell.evidence.start, cell.evidence.end) for cell in report.cells if cell.evidence and cell.raw]
    for claim in report.claims:
        start, end = claim.evidence.start, claim.evidence.end
        assert start is not None and end is not None
        assert not any(low < end and start < high for low, high in cells if low is not None and high is not None)


def _check_place(document: Document, evidence: Evidence, text: str) -> None:
    start, end = evidence.start, evidence.end
    assert start is not None
    assert end is not None
    assert document.text[start:end] == text
    if document.pages:
        assert evidence.page is not None
        assert evidence.box is not None
        page = document.pages[evidence.page - 1]
        left, top, right, bottom = evidence.box
        assert 0 <= left <= right <= page.width + 1
        assert 0 <= top <= bottom <= page.height + 1
        assert page.start <= start <= end <= page.end
