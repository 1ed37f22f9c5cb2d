"""The review application: every route, hostile text, who is let in, decisions and their undoing."""

from __future__ import annotations

import contextlib
import hashlib
import html
import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import make_file, make_record
from starlette.testclient import TestClient

from flows.decisions import Decision, open_decisions
from flows.findings import Choice, find_rows, written
from flows.review.app import MAX_BODY, make_app, visible
from flows.review.sources import SourceError, Sources
from flows.review.views import cut_text, strings
from flows.store import Store
from flows.tables import EVERYTHING, tables

TOTAL = "applications.new.total"
LOST = "applications.new.other"
EVIL = "“<script>alert(1)</script>”微信公众号"
# A rare character and an emoji before everything else: their UTF-16 offsets are two behind.
TEXT = f"𠮷山镇😀2022年主动公开政府信息126条，通过{EVIL}公开43条。\n二、依申请公开。未收到申请。\n"


class Shown(Sources):
    """Shows the text above without a process of its own."""

    def start(self) -> None:
        pass

    def text(self, source: Mapping[str, Any]) -> str:
        if source["path"] == "gone.txt":
            raise SourceError("the file is <gone>")
        return TEXT

    def sizes(self, source: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
        return ((595.0, 842.0),)

    def page(self, source: Mapping[str, Any], number: int) -> bytes:
        if number != 1:
            raise SourceError("there is no such page")
        return b"jpeg"


def span(words: str, **more: Any) -> dict[str, Any]:
    start = TEXT.index(words)
    return {"text": words, "evidence": {"start": start, "end": start + len(words)}, "confidence": 0.9, **more}


def claim(name: str, words: str, value: int, **more: Any) -> dict[str, Any]:
    plain = {"unit": "条", "bound": "exact", "label": None, "scope": None, "part_of": None, "partition": None}
    return {"id": name, **plain, "value": value, "sentence": TEXT.split("\n")[0], **span(words), **more}


def record_of(name: str, **wish: Any) -> str:
    values = {TOTAL: 31, "applications.new.natural_person": 37}
    read = json.loads(make_record(make_file(name, name), values=values, broken=(TOTAL,), raw="31", **wish))
    next(cell for cell in read["cells"] if cell["key"] == LOST).update(status="illegible", value=None)
    read["claims"] = [
        claim("c1", "126条", 126, field="disclosed_total"),
        claim("c2", "43条", 43, field="disclosed_part", part_of="c1", partition="p", confidence=0.4),
    ]
    read["entities"] = [span(EVIL, field="channel", role=None, kind="wechat")]
    doubtful = {"code": "claim.doubtful", "message": "m", "evidence": read["claims"][1]["evidence"]}
    read["problems"].append(doubtful)
    return json.dumps(read, ensure_ascii=False)


@dataclass
class Page:
    """The application, and what a person at it does."""

    client: TestClient
    folder: Path

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def token(self) -> str:
        app: Any = self.client.app
        return str(app.state.context.token)

    def post(self, path: str, **form: Any) -> Any:
        data = {"token": self.token(), **form}
        return self.client.post(path, data=data, follow_redirects=False)

    def decide(self, kind: str, target: str, verdict: str, report: int = 1, **form: Any) -> Any:
        sha = make_file("", {1: "a.txt", 2: "b.txt"}[report]).sha256
        return self.post("/decide", report=report, sha256=sha, kind=kind, target=target, verdict=verdict, **form)

    def standing(self, name: str = "a.txt") -> dict[tuple[str, str], Decision]:
        with open_decisions(self.folder) as decisions:
            return decisions.standing(str(make_file("", name).sha256))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two reports, made once."""
    folder = tmp_path_factory.mktemp("store")
    with Store(folder, writable=True) as store:
        store.start_run(Path("inbox"), "1")
        for name in ("a.txt", "b.txt"):
            store.add_report(1, "1", make_file(name, name), record_of(name, authority=f"<b>{name}", title=EVIL))
    return folder


@contextlib.contextmanager
def opened(made: Path, folder: Path) -> Iterator[Page]:
    shutil.copytree(made, folder, dirs_exist_ok=True)
    with TestClient(make_app(folder, "周岚", Shown()), base_url="http://127.0.0.1:8650") as client:
        client.headers["accept-language"] = "en"
        yield Page(client, folder)


@pytest.fixture
def page(made: Path, tmp_path: Path) -> Iterator[Page]:
    with opened(made, tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def shared(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One application for tests that change nothing."""
    with opened(made, tmp_path_factory.mktemp("shared")) as one:
        yield one


def place(words: str, field: str) -> str:
    start = TEXT.index(words)
    return f"{start}-{start + len(words)}/{field}"


# --- pages -----------------------------------------------------------------------------------------------------


def test_the_queue_names_what_is_doubtful_in_each_report(shared: Page) -> None:
    rows = re.findall(r'<td class="number">(\d*)</td>', shared.get("/"))
    columns = re.findall(r"<th>([^<]+)</th>", shared.get("/"))[3:]
    counts = dict(zip(columns, rows, strict=False))
    assert counts["broken sums"] == "1"
    assert counts["illegible cells"] == "1"
    assert counts["doubtful claims"] == "1"
    assert counts["unseen publishers"] == "1"


@pytest.mark.parametrize(
    ("query", "reports"),
    [
        ("", 2), ("?reason=identity", 2), ("?reason=prose", 0), ("?rule=form.balance", 2), ("?rule=form.range", 0),
        ("?authority=a.txt", 1), ("?year=2022", 2), ("?year=1999", 0), ("?after=1", 1), ("?reason=x'--&year=٣", 2),
    ],
)  # fmt: skip
def test_the_queue_is_filtered(shared: Page, query: str, reports: int) -> None:
    assert shared.get(f"/{query}").count('href="/report/') == reports


def test_the_queue_goes_on_behind_the_last_report_of_a_page(shared: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.review.queue.PAGE", 1)
    assert 'href="/?after=1" rel="next"' in shared.get("/")
    assert 'rel="next"' not in shared.get("/?after=1")


def test_a_report_that_a_later_version_replaces_does_not_wait(page: Page) -> None:
    with Store(page.folder, writable=True) as store:
        for name in ("old.txt", "new.txt"):
            file = make_file(name, name)
            published = {"old.txt": "2023-01-20", "new.txt": "2023-05-01"}[name]
            store.add_report(1, "1", file, record_of(name, authority="青石镇", published=published))
        store.find_revisions()
    assert re.findall(r'href="/report/(\d)', page.get("/?authority=青石镇")) == ["4"]
    assert "a later version" in page.get("/report/3")


def test_a_report_shows_its_tables_findings_and_paragraphs(shared: Page) -> None:
    shown = shared.get("/report/1")
    assert shown.count('data-kind="cell"') == 200
    assert 'class="item finding open' in shown
    assert "illegible open" in shown
    assert f'data-target="{place("43条", "disclosed_part")}"' in shown
    assert '<mark class="claim open">43条</mark>' in shown
    assert shared.client.get("/report/9").status_code == 404


def test_scraped_text_stays_text(shared: Page) -> None:
    for path in ("/", "/report/1", "/report/1?view=text", "/bulk", "/decisions"):
        shown = shared.get(path)
        assert "<script>alert" not in shown
        assert "<b>a.txt" not in shown
        assert re.findall(r"<script[^>]*>", shown) == ['<script src="/static/review.js" defer>']
        assert not re.search(r"\son\w+=|style=|javascript:|https?://", shown)
    assert html.escape(EVIL) in shared.get("/report/1")


def test_what_cannot_be_seen_is_replaced_code_point_for_code_point() -> None:
    text = "a\x00\u202eb\r\ud800\u2028😀\n\t字"
    assert visible(text) == "a\ufffd\ufffdb\ufffd\ufffd\ufffd😀\n\t字"
    assert len(visible(text)) == len(text)


def test_pages_of_the_file_are_served_and_others_are_not(shared: Page) -> None:
    answer = shared.client.get("/report/1/page/1.jpg")
    assert (answer.content, answer.headers["content-type"]) == (b"jpeg", "image/jpeg")
    assert shared.client.get("/report/1/page/2.jpg").status_code == 404
    assert shared.client.get("/static/../app.py").status_code == 404
    assert shared.client.get("/static/%2e%2e/app.py").status_code == 404


def test_both_languages_say_everything(page: Page) -> None:
    assert strings("zh").keys() == strings("en").keys()
    assert "Queue" in page.get("/")
    page.post("/language", lang="zh", back="/")
    assert "待复核" in page.get("/")


# --- who is let in ---------------------------------------------------------------------------------------------


def test_every_answer_has_its_headers(shared: Page) -> None:
    for path in ("/", "/report/1", "/static/review.css", "/nothing", "/report/1/page/1.jpg"):
        headers = shared.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "", "127.0.0.1@evil.example", "[::2]"])
def test_other_names_of_this_machine_are_not_served(shared: Page, host: str) -> None:
    assert shared.client.get("/", headers={"host": host}).status_code == 421
    assert shared.client.post("/undo", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:8650", "127.0.0.1", "[::1]:80", "LOCALHOST"])
def test_loopback_names_are_served(shared: Page, host: str) -> None:
    assert shared.client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", ["/decide", "/undo", "/bulk", "/language"])
def test_a_change_needs_the_token_and_comes_from_here(shared: Page, path: str) -> None:
    assert shared.client.post(path, data={"verdict": "right"}).status_code == 403
    assert shared.client.post(path, data={"token": "é"}).status_code == 403
    data = {"token": shared.token()}
    assert shared.client.post(path, data=data, headers={"origin": "http://evil.example"}).status_code == 403
    assert shared.client.post(path, data=data, headers={"origin": "null"}).status_code == 403
    assert shared.client.post(path, json=data).status_code == 415
    assert shared.client.get(path).status_code == (200 if path == "/bulk" else 405)
    assert shared.standing() == {}


def test_forms_are_bounded(shared: Page) -> None:
    assert shared.post("/undo", note="x" * (MAX_BODY + 1)).status_code == 413
    assert shared.post("/undo", **{f"f{n}": "" for n in range(60)}).status_code == 400


@pytest.mark.parametrize("back", ["http://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", ""])
def test_nobody_is_sent_elsewhere(shared: Page, back: str) -> None:
    location = shared.post("/undo", back=back).headers["location"]
    assert location == "/"


# --- decisions -------------------------------------------------------------------------------------------------


def test_a_cell_is_accepted_and_leaves_the_queue(page: Page) -> None:
    answer = page.decide("cell", LOST, "unsure", then="finding:form.balance:x", query="year=2022")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/report/1?year=2022&at=finding%3Aform.balance%3Ax"
    assert page.get("/?reason=illegible").count('href="/report/') == 1
    decision = page.standing()["cell", LOST]
    assert (decision.verdict, decision.reviewer, decision.raw) == ("unsure", "周岚", None)
    assert decision.about and decision.about["authority"] == "<b>a.txt"


def test_a_corrected_cell_stands_beside_the_reading(page: Page) -> None:
    page.decide("cell", TOTAL, "corrected", raw="37")
    shown = page.get("/report/1")
    assert re.search(r'data-target="applications.new.total"[^>]*>31<span class="review stands"[^>]*>→ 37', shown)
    decision = page.standing()["cell", TOTAL]
    assert decision.reading == {"status": "reported", "value": 31, "raw": "31"}
    assert decision.truth == {"status": "reported", "value": 37, "raw": "37"}
    with Store(page.folder) as store:
        assert list(store.records())[0] == record_of("a.txt", authority="<b>a.txt", title=EVIL)


def test_the_last_decision_is_taken_back(page: Page) -> None:
    page.decide("cell", TOTAL, "right")
    page.decide("finding", "form.balance:x", "publisher")
    answer = page.post("/undo", back="/report/1?at=x&view=text")
    assert answer.headers["location"] == "/report/1?at=finding%3Aform.balance%3Ax&view=text"
    assert list(page.standing()) == [("cell", TOTAL)]
    (number,) = re.findall(r'name="id" value="(\w+)"', page.get("/decisions"))
    page.post("/undo", id=number, back="/decisions")
    assert page.standing() == {}
    assert "taken back" in page.get("/decisions")


def test_a_stale_decision_says_so_and_waits_again(page: Page) -> None:
    page.decide("cell", TOTAL, "right")
    page.decide("claim", place("126条", "disclosed_total"), "right")
    assert "stale: " not in page.get("/report/1")
    assert page.get("/?reason=changed").count('href="/report/') == 0
    with Store(page.folder, writable=True) as store:
        changed = record_of("a.txt").replace('"value":31,"raw":"31"', '"value":5,"raw":"5"')
        changed = changed.replace('"value": 31, "raw": "31"', '"value": 5, "raw": "5"')
        store.add_report(1, "2", make_file("a.txt", "a.txt"), changed)
    assert "stale: the reading has changed" in page.get("/report/1")
    assert re.search(
        r'class="item[^"]* open" data-kind="cell" data-target="applications.new.total"', page.get("/report/1")
    )
    assert page.get("/decisions").count("stale: the reading has changed") == 1
    assert re.findall(r'href="/report/(\d)', page.get("/?reason=changed")) == ["1"]
    page.decide("cell", TOTAL, "right")
    assert page.get("/?reason=changed").count('href="/report/') == 0


def test_a_span_is_corrected_in_code_points(page: Page) -> None:
    start = TEXT.index("126条")
    target = place("126条", "disclosed_total")
    form = {"start": start, "end": start + 3, "field": "interpretations", "then": ""}
    assert page.decide("claim", target, "corrected", **form).status_code == 303
    truth = page.standing()["claim", target].truth
    assert truth == {
        "field": "interpretations", "text": "126", "start": start, "end": start + 3, "value": 126, "unit": None,
        "bound": "exact",
    }  # fmt: skip
    assert "→ interpretations 126" in page.get("/report/1")


def test_a_span_that_the_reader_missed_is_added(page: Page) -> None:
    start = TEXT.index("未收到")
    form = {"start": start, "end": start + 3, "field": "requests_received"}
    page.decide("claim", "", "corrected", **form)
    decision = page.standing()["claim", place("未收到", "requests_received")]
    assert decision.reading is None
    assert decision.truth and decision.truth["value"] == 0
    assert "added" in page.get("/report/1")
    page.decide("claim", decision.target, "unsure")
    assert page.standing()["claim", decision.target].verdict == "unsure"


def test_a_confirmed_paragraph_is_a_passage_as_it_was_corrected(page: Page) -> None:
    page.decide("claim", place("43条", "disclosed_part"), "unsure")
    end = len(TEXT.split("\n")[0])
    answer = page.decide("passage", f"0-{end}", "right")
    assert answer.status_code == 400
    assert "correct it first" in answer.text
    start = TEXT.index("43条")
    page.decide(
        "claim", place("43条", "disclosed_part"), "corrected", start=start, end=start + 3, field="responses", value="44"
    )
    page.decide("entity", place(EVIL, "channel"), "none")
    assert page.decide("passage", f"0-{end}", "right").status_code == 303
    gold = page.standing()["passage", f"0-{end}"].truth
    assert gold is not None
    assert gold["text"] == TEXT.split("\n")[0]
    assert gold["entities"] == []
    assert [(one["field"], one["value"], one["part_of"]) for one in gold["claims"]] == [
        ("disclosed_total", 126, None),
        ("responses", 44, "c1"),
    ]
    assert all(gold["text"][one["start"] : one["end"]] == one["text"] for one in gold["claims"])
    assert re.search(r'class="item confirm reviewed"[^>]*><span class="review stands"', page.get("/report/1"))


@pytest.mark.parametrize(
    ("kind", "target", "verdict", "form", "status"),
    [
        ("cell", "no.such.cell", "right", {}, 404),
        ("cell", "no.such.cell", "corrected", {"raw": "1"}, 404),
        ("cell", TOTAL, "corrected", {"raw": "<script>"}, 400),
        ("cell", TOTAL, "corrected", {"raw": "1" * 200}, 400),
        ("cell", TOTAL, "none", {}, 400),
        ("finding", "form.balance:x", "right", {}, 400),
        ("nonsense", TOTAL, "right", {}, 400),
        ("claim", "", "corrected", {"start": 0, "end": 10**8, "field": "responses"}, 400),
        ("claim", "", "corrected", {"start": 5, "end": 5, "field": "responses"}, 400),
        ("claim", "", "corrected", {"start": 0, "end": 2, "field": "leader"}, 400),
        ("claim", "", "corrected", {"start": 0, "end": 2, "field": "responses", "value": "nan"}, 400),
        ("claim", "", "right", {}, 404),
        ("passage", "0-1", "right", {}, 404),
        ("passage", "x", "right", {}, 404),
    ],
)
def test_what_is_not_there_cannot_be_decided(
    shared: Page, kind: str, target: str, verdict: str, form: dict[str, Any], status: int
) -> None:
    assert shared.decide(kind, target, verdict, **form).status_code == status
    assert shared.standing() == {}


def test_a_page_of_another_store_decides_nothing(shared: Page) -> None:
    answer = shared.post("/decide", report=2, sha256=make_file("", "a.txt").sha256, kind="cell", target=TOTAL)
    assert answer.status_code == 409


def test_findings_of_a_rule_and_a_publisher_are_decided_at_once(page: Page) -> None:
    shown = page.get("/bulk?authority=b.txt")
    assert html.escape("<b>b.txt") in shown
    page.post("/bulk", rule="form.balance", authority="<b>b.txt", verdict="publisher", back="/bulk")
    assert page.standing("b.txt")["finding", "form.balance:x"].verdict == "publisher"
    assert page.standing("a.txt") == {}
    assert html.escape("<b>b.txt") not in page.get("/bulk").partition("<tbody>")[2]
    page.post("/undo", back="/bulk")
    assert page.standing("b.txt") == {}
    assert page.post("/bulk", rule="form.balance", verdict="right").status_code == 400


def test_a_run_may_write_while_someone_decides(page: Page) -> None:
    """The run holds its lock and an open transaction; decisions lie in a file of their own."""
    with Store(page.folder, writable=True) as store, store.connection.begin():
        store.connection.exec_driver_sql("UPDATE reports SET title = 'x' WHERE id = 1")
        assert page.decide("cell", TOTAL, "right").status_code == 303
        assert page.client.get("/report/1").status_code == 200


def test_a_file_that_is_gone_leaves_tables_and_sentences(page: Page) -> None:
    with Store(page.folder, writable=True) as store:
        store.add_report(1, "1", make_file("gone.txt", "gone.txt"), record_of("gone.txt"))
    shown = page.get("/report/3")
    assert html.escape("the file is <gone>") in shown
    assert shown.count('data-kind="cell"') == 200
    assert html.escape(EVIL) in shown


def test_findings_between_years_wait_too_and_say_what_was_decided(page: Page) -> None:
    with Store(page.folder, writable=True) as store:
        columns = (
            "id, rule, status, severity, origin, message, expected, reported, difference, cells, claims, suggestion"
        )
        values = columns.replace("id, rule,", "'years.carry:x', 'years.carry',", 1)
        store.connection.exec_driver_sql(
            f"INSERT INTO year_findings (report, n, earlier, body, {columns}) "
            f"SELECT 1, 0, 2, 'b', {values} FROM findings WHERE report = 1 AND status = 'inconsistent'"
        )
        store.connection.commit()
    assert page.get("/?reason=years").count('href="/report/') == 1
    assert page.get("/?rule=years.carry").count('href="/report/') == 1
    assert 'data-target="years.carry:x"' in page.get("/report/1")
    page.post("/bulk", rule="years.carry", authority="<b>a.txt", verdict="reader", back="/bulk")
    assert page.standing()["finding", "years.carry:x"].verdict == "reader"
    assert page.get("/?reason=years").count('href="/report/') == 0
    with Store(page.folder) as store:
        rows = [row for row in find_rows(store, Choice()) if row.path == "a.txt"]
        assert [(row.rule, row.review, row.review_state) for row in rows] == [
            ("form.balance", None, None),
            ("years.carry", "reader", "stands"),
        ]
        assert "    reviewed: the reader's error" in written(rows, "text")
        findings = next(table for table in tables() if table.name == "findings")
        names = [column.name for column in findings.columns]
        shown = {row[names.index("id")]: row[names.index("review")] for row in findings.rows(store, EVERYTHING)}
        assert shown["years.carry:x"] == "reader"


def test_text_is_cut_where_stretches_overlap() -> None:
    pieces = cut_text("abcdef", [(1, 4, "x"), (2, 6, "y open"), (3, 99, "z")])
    assert [(one["text"], one["classes"]) for one in pieces] == [
        ("a", ""), ("b", "x"), ("cd", "x y open"), ("ef", "y open"),
    ]  # fmt: skip


# --- the process that opens files -----------------------------------------------------------------------------


def test_files_are_shown_by_a_process_that_may_fail(tmp_path: Path) -> None:
    path = Path("data/samples/pdf_narrative.pdf")
    source = {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    source |= {"media_type": "application/pdf", "pages": 1}
    sources = Sources()
    try:
        assert sources.page(source, 1).startswith(b"\xff\xd8")
        assert len(sources.sizes(source)) >= 1
        assert "信息公开" in sources.text(source)
        with pytest.raises(SourceError, match="changed"):
            sources.text({**source, "sha256": "0" * 64})
        with pytest.raises(SourceError, match="no page"):
            sources.page(source, 99)
        with pytest.raises(SourceError):
            sources.page({**source, "path": str(tmp_path / "none.pdf"), "sha256": "1"}, 1)
        with pytest.raises(SourceError, match="no answer"):
            sources._get(("hang",), _hang, (), 0.5)
        assert "信息公开" in sources.text({**source, "sha256": source["sha256"]})
    finally:
        sources.close()


def _hang() -> None:
    time.sleep(60)
