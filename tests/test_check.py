"""``gongkai check``: what it prints and writes, how it ends, and that nothing of a hostile report gets through."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import lxml.html
import pytest
from conftest import NARRATIVE, make_report
from PIL import Image
from taggers import LookUp

from extractors.extract import extract_with_text
from extractors.forms import load_forms
from extractors.report import Claim, Evidence, Finding, Problem, Report
from flows.check import Format, Options, TargetError, check_files
from flows.check_json import check_json
from flows.check_lines import check_lines
from flows.check_page import render_page
from flows.checked import check_report
from flows.cli import main
from flows.sarif import file_results, sarif_log
from flows.workers import Outcome

SAMPLES = Path(__file__).parent.parent / "data/samples"
# A sample whose applications table has one planted error, which is taken out here.
CLEAN = (SAMPLES / "text_2021_markdown.txt").read_text(encoding="utf-8").replace(
    "3.危及“三安全一稳定” |  |  | 1 |", "3.危及“三安全一稳定” |  |  |  |"
)  # fmt: skip
TAGGER = LookUp({"20件": "requests_received", "21件": "requests_received", "24件": "requests_received"})
HOSTILE = "<script>alert('x')</script><img src=http://evil.example/a.png onerror=alert(1)>\u202e&\x1b[31m"


def extract(path: Path) -> tuple[Report, str]:
    return extract_with_text(path, TAGGER)


def checked_text(text: str, tmp_path: Path) -> Any:
    path = tmp_path / "report.txt"
    path.write_text(text, encoding="utf-8")
    return check_report(*extract(path))


def run(
    *files: Path, form: Format = "text", html: Path | None = None, strict: bool = False
) -> tuple[int, str, list[Any]]:
    output, complaints = io.BytesIO(), []
    options = Options(files, form, html, strict)
    code = check_files(options, extract, output, lambda path, outcome: complaints.append((path, outcome)))
    return code, output.getvalue().decode(), complaints


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str, name: str = "report.txt") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


# How it ends


def test_a_report_that_agrees_with_itself(write: Callable[..., Path]) -> None:
    code, output, complaints = run(write(CLEAN))
    assert (code, complaints) == (0, [])
    assert output.splitlines()[0].endswith("report.txt: 未见不一致 / nothing inconsistent")


def test_each_cause_is_printed_once_with_place_print_and_correction(write: Callable[..., Path]) -> None:
    text = CLEAN.replace(
        "| 一、本年新收政府信息公开申请数量 |  |  | 17 |", "| 一、本年新收政府信息公开申请数量 |  |  | 71 |"
    )
    code, output, _ = run(write(text.replace("申请20件", "申请24件")))
    assert code == 1
    blocks = output.split("\n\n")
    (prose,) = (block for block in blocks if block.startswith("  [1] 错误 / error: 正文与表格"))
    (sums,) = (block for block in blocks if block.startswith("  [2] 提示 / warning: 收办平衡"))
    assert "全年收到政府信息公开申请【24件】" in prose and "(第6行 / line 6)" in prose
    assert "“一、本年新收政府信息公开申请数量”“自然人” 71 → 17 — 相邻两位数字颠倒 / adjacent digits swapped" in sums
    line = text[: text.index("| 71 |")].count("\n") + 1
    assert f"(第{line}行 / line {line})" in sums
    assert sums.count("\n      - ") == 2


def test_warnings_end_with_1_only_where_they_are_asked_to(write: Callable[..., Path]) -> None:
    path = write(CLEAN.replace("| 71 |", "").replace("| 17 |  |  |  |  | 3 | 20 |", "| 18 |  |  |  |  | 3 | 20 |"))
    code, output, _ = run(path)
    assert code == 0
    assert "有可疑之处 / to be looked at" in output
    assert run(path, strict=True)[0] == 1


def test_a_file_that_cannot_be_read_ends_with_2_and_the_others_are_checked(write: Callable[..., Path]) -> None:
    bad, good = write(CLEAN.replace("申请20件", "申请21件"), "bad.txt"), write(CLEAN, "good.txt")
    empty = write("", "empty.txt")
    code, output, complaints = run(bad, empty, good)
    assert code == 2
    assert [(path.name, outcome.code) for path, outcome in complaints] == [("empty.txt", "empty")]
    assert [line.split(":")[0].rpartition("/")[2] for line in output.splitlines() if line[:1] not in " "] == [
        "bad.txt",
        "good.txt",
    ]


def test_whatever_fails_in_checking_is_no_verdict(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("flows.check.check_lines", broken)
    code, output, complaints = run(write(CLEAN))
    assert (code, output) == (2, "")
    assert complaints[0][1].reason == "ValueError: a bug"


def test_a_narrative_report_has_nothing_or_little_to_check(write: Callable[..., Path]) -> None:
    path = write(NARRATIVE)
    code, output, _ = run(path, html=path.with_suffix(".html"))
    assert code == 0
    assert "没有可以核对的内容 / nothing to check" in output
    assert output.count("未见表格 no table was read") == 3
    page = lxml.html.parse(str(path.with_suffix(".html")))
    assert page.xpath("string(//p[contains(@class,'verdict')])").startswith("没有可以核对的内容")
    assert not page.xpath("//td[contains(@class,'value')]")


def test_the_command_reads_with_the_model(write: Callable[..., Path], capfd: pytest.CaptureFixture[str]) -> None:
    path = write(CLEAN.replace("申请20件", "申请21件"))
    assert main(["check", str(path), "--html", str(path.parent / "out.html")]) == 1
    assert "全年收到政府信息公开申请【21件】" in capfd.readouterr().out
    assert (path.parent / "out.html").is_file()
    assert main(["check", str(path.parent / "none.txt")]) == 2
    assert "none.txt: unreadable" in capfd.readouterr().err
    assert main(["check", str(path), "--html", str(path)]) == 2
    assert "is a report itself" in capfd.readouterr().err


# Pages


def test_pages_of_several_reports_go_into_a_folder(write: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, other = write(CLEAN), write(CLEAN, "other/report.txt")
    run(one, other, html=tmp_path / "new" / "pages")
    assert sorted(path.name for path in (tmp_path / "new/pages").iterdir()) == [
        "report.txt.2.check.html",
        "report.txt.check.html",
    ]
    run(one, html=tmp_path / "other")
    assert (tmp_path / "other/report.txt.check.html").is_file()


def test_a_page_never_takes_the_place_of_a_report_or_of_a_folder(write: Callable[..., Path], tmp_path: Path) -> None:
    one, other = write(CLEAN), write(CLEAN, "other.txt")
    for files, html, says in (
        ((one,), one, "is a report itself"),
        ((one, other), other, "not a folder"),
        ((one,), tmp_path / "no" / "page.html", "there is no folder"),
    ):
        with pytest.raises(TargetError, match=says):
            run(*files, html=html)
    assert one.read_text(encoding="utf-8") == CLEAN


def page_of(report: Report, text: str) -> Any:
    return lxml.html.fromstring(render_page(check_report(report, text)))


@pytest.mark.parametrize("form", sorted(load_forms()))
def test_every_cell_stands_once_on_the_page_as_printed(form: str) -> None:
    specs = load_forms()[form].cells
    report = make_report(Path("a.txt"), "0" * 64, form=form, values={key: 1 for key in list(specs)[1:]})
    cells = tuple(replace(cell, raw=f"增{70000 + n}" if n else "") for n, cell in enumerate(report.cells))
    page = page_of(replace(report, cells=cells), "")
    values = [cell.text_content() for cell in page.xpath("//td[contains(@class,'value reported')]")]
    assert sorted(values) == sorted(f"增{70000 + n}" for n in range(1, len(specs)))
    assert [cell.text for cell in page.xpath("//td[contains(@class,'blank')]")] == ["/"]


def test_broken_sums_are_marked_in_the_table_by_number_frame_and_colour(tmp_path: Path) -> None:
    checked = checked_text(CLEAN.replace("| 17 |  |  |  |  | 3 | 20 |", "| 71 |  |  |  |  | 3 | 20 |"), tmp_path)
    page = lxml.html.fromstring(render_page(checked))
    (one,) = checked.contradictions
    marked = page.xpath("//td[contains(@class,'sum') or contains(@class,'suspect')]")
    assert len(marked) == len({key for finding in one.findings for key in finding.cells})
    assert all(cell.xpath("a/text()") == ["1"] and "k0" in cell.get("class") for cell in marked)
    (suspect,) = page.xpath("//td[contains(@class,'suspect')]")
    assert suspect.text == "71" and suspect.xpath("string(span[@class='to'])") == "→ 17"
    assert page.xpath("//section[@id='cause-1']")


def test_each_claim_stands_beside_its_cell_with_its_words_lit(tmp_path: Path) -> None:
    page = lxml.html.fromstring(render_page(checked_text(CLEAN.replace("申请20件", "申请21件"), tmp_path)))
    (row,) = page.xpath("//tr[td[@class='status']]")
    assert row.xpath("string(td[1])").startswith("✗ 不符 contradicts")
    assert row.xpath(".//mark/text()") == ["21件"]
    assert "“一、本年新收政府信息公开申请数量”“总计” 20" in row.xpath("string(td[3])")


def hostile_report() -> tuple[Report, str]:
    """Whatever a report can put onto the page, hostile."""
    plain = make_report(Path(f"{HOSTILE}.txt"), "0" * 64, title=HOSTILE, authority=HOSTILE, raw=HOSTILE,
                        values={"applications.new.total": 3})  # fmt: skip
    where = Evidence(start=0, end=len(HOSTILE))
    claim = Claim(
        "c1", "requests_received", 5, HOSTILE, "exact", HOSTILE, HOSTILE * 2, HOSTILE, HOSTILE, None, None, 0.9, where
    )
    findings = tuple(
        Finding(f"prose.table:{status}{HOSTILE}", "prose.table", status, severity, None, HOSTILE, 3, 5, 2,
                ("applications.new.total",), ("c1",))
        for status, severity in (("inconsistent", "error"), ("consistent", None), ("unverifiable", None))
    )  # fmt: skip
    problems = (Problem("row.foreign", HOSTILE, where), Problem(HOSTILE, HOSTILE, None))
    return replace(plain, claims=(claim,), findings=findings, problems=problems), HOSTILE


def test_nothing_of_a_hostile_report_becomes_part_of_the_page() -> None:
    page = render_page(check_report(*hostile_report()))
    tree = lxml.html.fromstring(page)
    assert not tree.xpath("//script | //img | //link | //iframe | //object | //embed | //form | //base | //svg")
    attributes = {(name, value) for element in tree.iter() for name, value in element.items()}
    assert not [name for name, _ in attributes if name.startswith("on") or name in ("src", "style", "srcset")]
    assert all(value.startswith("#cause-") for name, value in attributes if name == "href")
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f]", page)
    assert "alert(&#39;x&#39;)" in page


def test_the_page_allows_its_own_style_and_nothing_else() -> None:
    page = render_page(check_report(*hostile_report()))
    style = page[page.index("<style>") + 7 : page.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy.replace("&#39;", "'") == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style and "@import" not in style
    assert "://" not in re.sub(r"&lt;.*?&gt;", "", page)


def test_nothing_of_a_hostile_report_controls_the_terminal() -> None:
    lines = "\n".join(check_lines(check_report(*hostile_report())))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e]", lines)
    assert "<script>" in lines


def scanned_report(path: Path) -> Report:
    """A record of one picture of a page, with a broken sum on it."""
    Image.new("RGB", (400, 300), "white").save(path)
    values = {"applications.new.total": 3}
    plain = make_report(path, hashlib.sha256(path.read_bytes()).hexdigest(), values=values, broken=tuple(values))
    return replace(plain, source=replace(plain.source, media_type="image/png", pages=1, scanned=True))


def test_the_pages_of_a_scan_are_drawn_into_the_page(tmp_path: Path) -> None:
    page = page_of(scanned_report(tmp_path / "scan.png"), "")
    (source,) = page.xpath("//figure/img/@src")
    head, _, data = source.partition(",")
    assert head == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).width > 300


def test_pages_that_cannot_be_drawn_are_told(tmp_path: Path) -> None:
    report = scanned_report(tmp_path / "scan.png")
    (tmp_path / "scan.png").write_bytes(b"another")
    page = page_of(report, "")
    assert not page.xpath("//img")
    assert "the pages could not be drawn: the file has changed" in page.text_content()


# JSON and SARIF


def test_json_is_one_line_a_file_and_holds_every_contradiction(write: Callable[..., Path]) -> None:
    bad, good = write(CLEAN.replace("申请20件", "申请21件"), "bad.txt"), write(CLEAN, "good.txt")
    code, output, _ = run(bad, good, form="json")
    assert code == 1
    first, second = (json.loads(line) for line in output.splitlines())
    assert (first["verdict"], second["verdict"]) == ("inconsistent", "consistent")
    assert second["contradictions"] == []
    (one,) = first["contradictions"]
    assert one["options"][0]["changes"] == [
        {"kind": "claim", "name": "c1", "reported": 21, "suggested": 20, "slip": "digit_changed"}
    ]
    assert one["findings"][0]["zh"].endswith("正文比表格多 1")
    assert one["claims"][0]["text"] == "21件"


TEXT = {
    "type": "object",
    "required": ["text"],
    "properties": {"text": {"type": "string", "minLength": 1}},
    "additionalProperties": False,
}
LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "properties": {
        "id": {"type": "integer", "minimum": 0},
        "message": TEXT,
        "properties": {"type": "object"},
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "additionalProperties": False,
            "properties": {
                "artifactLocation": {
                    "type": "object",
                    "required": ["uri"],
                    "additionalProperties": False,
                    "properties": {"uri": {"type": "string", "pattern": r"^[!#-\[\]_a-z~]+$"}},
                },
                "region": {
                    "type": "object",
                    "required": ["charOffset", "charLength"],
                    "additionalProperties": False,
                    "properties": {
                        "charOffset": {"type": "integer", "minimum": 0},
                        "charLength": {"type": "integer", "minimum": 0},
                    },
                },
            },
        },
    },
    "additionalProperties": False,
}
LEVEL = {"enum": ["error", "warning", "note"]}
# What the schema of SARIF 2.1.0 says of the objects that are used, and no others.
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "additionalProperties": False,
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "rules": {
                                        "type": "array",
                                        "uniqueItems": True,
                                        "items": {
                                            "type": "object",
                                            "required": ["id", "shortDescription", "help"],
                                            "additionalProperties": False,
                                            "properties": {
                                                "id": {"type": "string"},
                                                "name": {"type": "string"},
                                                "shortDescription": TEXT,
                                                "fullDescription": TEXT,
                                                "help": TEXT,
                                                "defaultConfiguration": {
                                                    "type": "object",
                                                    "properties": {"level": LEVEL},
                                                    "additionalProperties": False,
                                                },
                                            },
                                        },
                                    },
                                },
                            }
                        },
                    },
                    "invocations": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["executionSuccessful"],
                            "additionalProperties": False,
                            "properties": {
                                "executionSuccessful": {"type": "boolean"},
                                "toolExecutionNotifications": {
                                    "type": "array",
                                    "items": {
                                        "type": "object",
                                        "required": ["message"],
                                        "additionalProperties": False,
                                        "properties": {
                                            "level": LEVEL,
                                            "message": TEXT,
                                            "locations": {"type": "array", "items": LOCATION},
                                        },
                                    },
                                },
                            },
                        },
                    },
                    "artifacts": {
                        "type": "array",
                        "uniqueItems": True,
                        "items": {
                            "type": "object",
                            "required": ["location"],
                            "additionalProperties": False,
                            "properties": {
                                "location": {"type": "object", "required": ["uri"]},
                                "mimeType": {"type": "string", "pattern": "^[^/]+/.+$"},
                                "hashes": {"type": "object", "additionalProperties": {"type": "string"}},
                            },
                        },
                    },
                    "results": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "ruleId", "level", "locations"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "level": LEVEL,
                                "message": TEXT,
                                "locations": {"type": "array", "minItems": 1, "items": LOCATION},
                                "relatedLocations": {"type": "array", "items": LOCATION},
                                "partialFingerprints": {
                                    "type": "object",
                                    "additionalProperties": {"type": "string"},
                                },
                                "properties": {"type": "object"},
                            },
                        },
                    },
                },
            },
        },
    },
}


def test_sarif_keeps_to_its_schema_and_names_what_it_found(write: Callable[..., Path], tmp_path: Path) -> None:
    bad = write(CLEAN.replace("申请20件", "申请21件").replace("| 1 |  | 1 | 4 |", "| 1 |  | 1 | 5 |"), "坏 bad.txt")
    empty = write("", "empty.txt")
    code, output, _ = run(bad, empty, bad, form="sarif")
    assert code == 2
    log = json.loads(output)
    jsonschema.validate(log, SARIF)
    (sarif,) = log["runs"]
    rules = {rule["id"] for rule in sarif["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in sarif["results"]} <= rules
    assert [result["level"] for result in sarif["results"]][:2] == ["error", "warning"]
    physical = sarif["results"][0]["locations"][0]["physicalLocation"]
    start, length = physical["region"]["charOffset"], physical["region"]["charLength"]
    assert extract(bad)[1][start : start + length] == "21件"
    assert physical["artifactLocation"]["uri"].endswith("/%E5%9D%8F%20bad.txt")
    assert sarif["invocations"][0]["executionSuccessful"] is False
    assert sarif["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].startswith("empty:")


def test_sarif_of_a_pdf_has_pages_and_boxes() -> None:
    path = SAMPLES / "pdf_2021_stacked.pdf"
    log = sarif_log([file_results(path, check_report(*extract(path)))])
    jsonschema.validate(log, SARIF)
    (result,) = (result for result in log["runs"][0]["results"] if result["level"] == "error")
    for location in (*result["locations"], *result["relatedLocations"]):
        assert "region" not in location["physicalLocation"]
        assert location["properties"]["page"] >= 1 and len(location["properties"]["box"]) == 4


def test_sarif_of_a_hostile_report_keeps_to_its_schema() -> None:
    report, text = hostile_report()
    jsonschema.validate(sarif_log([file_results(Path(report.source.path), check_report(report, text))]), SARIF)


@pytest.mark.parametrize(
    "name",
    [
        "2016年 narrative 青山.txt", "docx_2014_runs.docx", "html_2019_no_totals.html", "html_2019_totals_only.html",
        "html_2021_bureau_gb2312.html", "text_2021_heaped_pipes.txt", "text_hybrid_wrapped_labels.txt",
        "pdf_hybrid_backgrounds.pdf",
    ],
)  # fmt: skip
def test_every_inconsistent_finding_of_a_sample_is_in_all_that_is_written(name: str) -> None:
    checked = check_report(*extract(SAMPLES / name))
    broken = {finding.id for finding in checked.report.findings if finding.status == "inconsistent"}
    plain = json.loads(check_json(checked))
    assert {finding["id"] for one in plain["contradictions"] for finding in one["findings"]} == broken
    results = file_results(Path(name), checked).results
    assert {
        one for result in results if result["level"] != "note" for one in result["properties"]["findings"]
    } == broken
    page = lxml.html.fromstring(render_page(checked))
    numbers = [str(one.number) for one in checked.contradictions]
    assert [section.get("id") for section in page.xpath("//section")] == [f"cause-{number}" for number in numbers]
    lines = "\n".join(check_lines(checked))
    assert re.findall(r"^  \[(\d+)\]", lines, re.MULTILINE) == numbers


def test_failures_are_outcomes_not_exceptions(tmp_path: Path) -> None:
    code, _, complaints = run(tmp_path)
    assert code == 2
    assert isinstance(complaints[0][1], Outcome)
