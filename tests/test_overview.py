"""What Prefect shows of a run and of a report: true, bounded, and harmless whatever a report says."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import fake_extract, make_file, make_record
from PIL import Image

from flows import overview, pages
from flows.limits import Limits
from flows.run import Options, Run, Summary, plan_inbox
from flows.screen import Screen
from flows.store import Store
from flows.workers import Outcome, read

EVIL = "<script>alert(1)</script> [x](javascript:alert) ![](http://evil.example/a.png) | `x` \n# big \u202etxt"


@pytest.fixture
def summary(inbox: Callable[..., Path], tmp_path: Path) -> Summary:
    """A run over two bodies, one of them hostile and broken, and a file without a report."""
    inbox("a.json", year=2021)
    inbox("b.json", year=2022)
    inbox("c.json", year=2022, authority=EVIL, broken=["applications.new.total"])
    inbox("locked.json", fail="encrypted")
    options = Options(inbox(), tmp_path / "store")
    with Store(options.store, writable=True) as store:
        run = Run(store, options, plan_inbox(store, options, "1"), "1+m", Screen(io.StringIO()))
        for file in run.plan.to_read:
            run.take(file, read(file.path, fake_extract))
        return run.finish()


def test_tables_of_a_run(summary: Summary) -> None:
    with Store(summary.store.parent) as store:
        words, rows = overview.coverage(store, summary.run)
        assert words.startswith("2 bodies, 2 years")
        assert rows[0]["2022"] == "1 ?"
        assert rows[1] == {"authority": "青石镇", "2021": "1", "2022": "1"}
        words, rows = overview.worst_findings(store, summary.run)
        assert words == "1 findings that do not hold, the worst first"
        assert (rows[0]["rule"], rows[0]["difference"]) == ("form.balance", 1)
        assert "\n" not in rows[0]["authority"] and "\u202e" not in rows[0]["authority"]
        (worst,) = overview.worst_reports(store, summary.run, 5)
        assert json.loads(store.find_record(worst))["report"]["authority"] == EVIL
    assert summary.doubtful == 1
    words, rows = overview.quarantine(summary)
    assert rows[0]["code"] == "encrypted" and rows[0]["file"].endswith("locked.json")


def test_tables_are_bounded_and_say_so(summary: Summary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "MOST_AUTHORITIES", 1)
    with Store(summary.store.parent) as store:
        words, rows = overview.coverage(store, summary.run)
    assert len(rows) == 1 and words.endswith("1 of 2 are shown, all are in the store")


def test_the_summary_names_versions_and_counts(summary: Summary) -> None:
    text = overview.summary_markdown(summary, "0.3.0+abc")
    assert r"| done \(read in this run\) | 3 |" in text
    assert r"| extractor | 0\.3\.0 |" in text and "| model | abc |" in text


def test_markdown_of_a_hostile_report_is_text(tmp_path: Path) -> None:
    file = make_file("in/a.txt")
    record = json.loads(make_record(file, authority=EVIL, title=EVIL, broken=("applications.new.total",), raw=EVIL))
    page = pages.report_page(record, Limits())
    for line in page.splitlines():
        if not line.startswith("    "):
            assert not re.search(r"(?<!\\)[<\[`!]", line), line
            assert not line.startswith("# big")
    assert r"\<script\>" in page
    assert len(page) < pages.MOST_TEXT + 20_000


def test_a_drawn_page_is_made_small(tmp_path: Path) -> None:
    path = tmp_path / "noise.png"
    Image.effect_noise((1600, 4000), 90).save(path)
    small = pages._small(path)
    assert len(small) <= pages.MOST_PICTURE_BYTES
    with Image.open(io.BytesIO(small)) as picture:
        assert picture.format == "JPEG" and picture.width >= 400


def test_a_report_that_cannot_be_drawn_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = json.loads(make_record(make_file(str(tmp_path / "gone.pdf"))))
    record["source"]["pages"] = 1
    seen: list[Path] = []

    class OneHere:
        def __init__(self, *_: object) -> None: ...
        def __enter__(self) -> OneHere:
            return self

        def __exit__(self, *_: object) -> None: ...
        def extract(self, path: Path) -> Outcome:
            seen.append(path)
            return read(path, pages.draw_small)

    monkeypatch.setattr(pages, "Pool", OneHere)
    assert "No picture: No such file or directory" in pages.report_page(record, Limits())
    assert not seen[0].exists()
