"""One file in, one record out; and what is refused, with the reason."""

import json
import pickle
import re
from pathlib import Path

import pytest

from extractors import errors
from extractors.extract import extract_report, read_document, sniff
from extractors.report import Cell, Claim, Entity, Finding, Metadata, Problem, Report, Source, to_dict, to_json
from tests.generator import bad

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "data/samples/html_2021_portal.html"

REFUSED = {
    "empty": (errors.EmptyFile, "empty"),
    "blank_text": (errors.EmptyFile, "no text"),
    "truncated_pdf": (errors.DamagedFile, "PDF"),
    "truncated_docx": (errors.DamagedFile, "Word"),
    "encrypted_pdf": (errors.EncryptedFile, "password"),
    "error_page": (errors.NotAReport, "error page"),
    "challenge_page": (errors.EmptyFile, "no text"),
    "unrelated_html": (errors.NotAReport, "信息公开"),
    "unrelated_docx": (errors.NotAReport, "信息公开"),
    "unrelated_pdf": (errors.NotAReport, "信息公开"),
    "long_pdf": (errors.LimitExceeded, "2000 pages"),
    "binary_file": (errors.UnsupportedFormat, "binary"),
    "picture_file": (errors.EmptyFile, "no writing"),
    "entity_page": (errors.NotAReport, "信息公开"),
}


def test_every_bad_file_of_the_generator_is_tested() -> None:
    assert {make.__name__ for make in bad.ALL} == set(REFUSED)


@pytest.mark.parametrize("make", bad.ALL, ids=lambda make: make.__name__)
def test_a_bad_file_is_refused_with_its_name_and_the_reason(tmp_path: Path, make: object) -> None:
    assert callable(make)
    path = make(tmp_path)
    kind, reason = REFUSED[make.__name__]
    with pytest.raises(kind, match=re.escape(reason)) as caught:
        extract_report(path)
    assert str(path) in str(caught.value)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (type(copy), str(copy), copy.exit_code) == (kind, str(caught.value), caught.value.exit_code)


def test_each_error_has_an_exit_code_of_its_own() -> None:
    kinds = [errors.ExtractionError, *errors.ExtractionError.__subclasses__()]
    assert len({kind.exit_code for kind in kinds}) == len({kind.code for kind in kinds}) == len(kinds)
    listed = re.findall(r"(\w+)\s+(\d+)  (\w+)", errors.__doc__ or "")
    assert {(kind.__name__, str(kind.exit_code), kind.code) for kind in kinds} == set(listed)


def test_the_bytes_decide_not_the_name(tmp_path: Path) -> None:
    assert extract_report(bad.wrong_extension(tmp_path)).report.form == "2021"


def test_a_missing_file_and_a_folder_are_unreadable(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.pdf", tmp_path):
        with pytest.raises(errors.UnreadableFile):
            extract_report(path)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.4", "pdf"),
        (b"\n\n%PDF-1.7", "pdf"),
        (b"PK\x03\x04....word/document.xml", "docx"),
        (b"PK\x03\x04....xl/workbook.xml", "a ZIP archive without a Word document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "doc"),
        (b"{\\rtf1\\ansi", "doc"),
        (b"<!DOCTYPE html><p>", "html"),
        (b"\xff\xfe<\0h\0t\0m\0l\0>\0", "html"),
        ("一、总体情况 BMW".encode(), "text"),
        ("一、总体情况".encode("gb18030"), "text"),
        (b"\xff\xd8\xff\xe0", "a JPEG image"),
    ],
)
def test_what_bytes_are(data: bytes, kind: str) -> None:
    assert sniff(data) == kind


def test_a_notice_that_mentions_disclosure_has_no_cells(tmp_path: Path) -> None:
    path = tmp_path / "notice.txt"
    path.write_text(
        "关于做好政府信息公开工作的通知\n" + "各乡镇要加强政府信息公开，及时更新目录。\n" * 5, encoding="utf-8"
    )
    report = extract_report(path)
    assert (report.cells, report.report.form, report.report.year) == ((), "narrative", None)


def test_the_record_has_the_keys_that_its_description_names() -> None:
    text = (ROOT / "docs/record.md").read_text(encoding="utf-8")
    parts = {"source": Source, "report": Metadata, "cells[]": Cell, "entities[]": Entity, "claims[]": Claim,
             "findings[]": Finding, "problems[]": Problem}  # fmt: skip
    for part, kind in parts.items():
        line = next(line for line in text.splitlines() if line.startswith(f"| `{part}`"))
        assert re.findall(r"`(\w+)`", line.split("|", 2)[2]) == list(kind.__slots__), part
    outline = re.search(r"^\{(.*)\}$", text, re.MULTILINE)
    assert outline
    record = to_dict(extract_report(SAMPLE))
    assert re.findall(r'"(\w+)"', outline[1]) == list(record)


def test_the_record_is_one_line_of_json_and_the_same_each_time() -> None:
    first, second = to_json(extract_report(SAMPLE)), to_json(extract_report(SAMPLE))
    assert first == second
    assert "\n" not in first
    record = json.loads(first)
    assert record["schema"] == "gongkai.report/1"
    assert len(record["cells"]) == 200
    assert all(set(cell["evidence"]) == {"start", "end"} for cell in record["cells"])
    assert all(cell["value"] is None for cell in record["cells"] if cell["status"] != "reported")


def test_every_problem_code_is_described() -> None:
    text = (ROOT / "docs/record.md").read_text(encoding="utf-8")
    used = {
        code
        for path in (ROOT / "extractors").glob("*.py")
        for code in re.findall(r'Problem\(\s*"([a-z_]+\.[a-z_]+)"', path.read_text(encoding="utf-8"))
    }
    assert used
    assert {code for code in used if f"`{code}`" not in text} == set()


def test_a_report_is_plain_data() -> None:
    report = extract_report(SAMPLE)
    assert pickle.loads(pickle.dumps(report)) == report
    assert isinstance(report, Report)
    assert read_document(SAMPLE).text
