"""A folder into the store: what is read, what is not, and what becomes of bad files."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import FAKE, NARRATIVE, fake_extract

from flows import settings
from flows.arrivals import Arrivals
from flows.cli import main
from flows.inbox import find_files, listed_files, make_plan, printable, scan
from flows.limits import Limits
from flows.run import Options, Run, Summary, chunk_size, open_run, plan_inbox, tasks_of
from flows.screen import Screen, summary_lines
from flows.store import Store, StoreError
from flows.workers import Outcome, Pool, read

ROOT = Path(__file__).parent.parent


def run_here(options: Options, version: str = "1") -> tuple[Summary, list[str]]:
    """A run without Prefect and in this process; the summary and the lines said."""
    stream = io.StringIO()
    with Store(options.store, writable=True) as store:
        run = Run(store, options, plan_inbox(store, options, version), version, Screen(stream))
        for file in run.plan.to_read:
            run.take(file, read(file.path, fake_extract))
        return run.finish(), stream.getvalue().splitlines()


class TestInbox:
    def test_finds_visible_files_in_order_and_leaves_the_store_out(self, tmp_path: Path) -> None:
        for name in ("b.txt", "a 报告.pdf", ".hidden", "sub/c.html", ".git/d.txt", "store/e.sqlite"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        found = [str(path.relative_to(tmp_path)) for path in find_files(tmp_path, tmp_path / "store")]
        assert found == ["a 报告.pdf", "b.txt", "sub/c.html"]

    def test_pictures_that_a_page_names_are_parts_of_it(self, tmp_path: Path) -> None:
        page = '<img src="表 1.png"><img src="page_files/%E8%A1%A82.png"><link href="page_files/x.css">'
        (tmp_path / "page.html").write_text(page, encoding="utf-8")
        (tmp_path / "page_files").mkdir()
        for name in ("表 1.png", "扫描.png", "page_files/表2.png", "page_files/x.css", "page_files/y.css"):
            (tmp_path / name).touch()
        found = [str(path.relative_to(tmp_path)) for path in find_files(tmp_path)]
        # What lies in the folder that browsers save beside a page is part of it, named there or not.
        assert found == ["page.html", "扫描.png"]

    def test_a_file_is_no_inbox(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        with pytest.raises(NotADirectoryError, match="is not a folder"):
            list(find_files(tmp_path / "a"))

    def test_what_cannot_be_opened_is_passed_on_with_its_reason(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "dangling").symlink_to("nowhere")
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "secret.pdf").write_bytes(b"x")
        (tmp_path / "fine.pdf").write_bytes(b"x")
        whole = Path.open

        def guarded(path: Path, *arguments: Any, **options: Any) -> Any:
            if path.name == "secret.pdf":
                raise PermissionError(13, "Permission denied", str(path))
            return whole(path, *arguments, **options)

        monkeypatch.setattr(Path, "open", guarded)
        found = {file.path.name: file for file in scan(find_files(tmp_path))}
        assert found["fine.pdf"].sha256 is not None
        assert found["fine.pdf"].error is None
        reasons = {name: str(file.error) for name, file in found.items() if file.error is not None}
        assert set(reasons) == {"dangling", "pipe", "secret.pdf"}
        assert "Permission denied" in reasons["secret.pdf"]
        assert "secret.pdf" in reasons["secret.pdf"]

    def test_names_that_are_no_text_survive(self, tmp_path: Path) -> None:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xb9\xab\xbf\xaa.txt")).write_bytes(b"x")
        (file,) = scan(find_files(tmp_path))
        assert file.sha256 is not None
        assert file.name.endswith("\\udcb9\\udcab\\udcbf\\udcaa.txt")
        assert json.loads(f'"{printable(file.path.name)}"') == file.path.name

    def test_plan_goes_by_content(self, tmp_path: Path) -> None:
        for name, content in (("a", "1"), ("b", "1"), ("c", "2"), ("d", "3"), ("e", "4")):
            (tmp_path / name).write_text(content)
        files = {file.path.name: file for file in scan(find_files(tmp_path))}
        known = {files["c"].sha256 or "": files["c"].name, files["d"].sha256 or "": str(tmp_path / "gone")}
        plan = make_plan(files.values(), known, {files["e"].sha256 or ""})
        assert [file.path.name for file in plan.to_read] == ["a"]
        assert [(file.path.name, original) for file, original in plan.duplicates] == [("b", files["a"].name)]
        assert [file.path.name for file in plan.reused] == ["c", "d"]
        assert [file.path.name for file in plan.held] == ["e"]


class TestRun:
    def test_a_second_run_does_nothing_and_says_so(self, inbox: Callable[..., Path], tmp_path: Path) -> None:
        inbox("a.json", values={"applications.new.total": 3})
        inbox("副本 of a.json", values={"applications.new.total": 3})
        inbox("b.json", authority="白水局", broken=["applications.new.total"])
        inbox("locked.json", fail="encrypted")
        options = Options(inbox(), tmp_path / "store")
        first, said = run_here(options)
        assert (first.read, first.reused, first.duplicates, len(first.quarantine)) == (2, 0, 1, 1)
        assert sum("locked.json: encrypted: needs a password" in line for line in said) == 1
        assert sum("副本 of a.json: duplicate: the same bytes as" in line for line in said) == 1
        assert first.findings == {"form.balance": (1, 0)}
        assert first.problems == {"image.unread": 2}
        second, said = run_here(options)
        assert (second.tried, second.read, second.reused, second.duplicates) == (0, 0, 2, 1)
        assert second.quarantine == first.quarantine
        assert second.findings == first.findings
        assert not any("副本" in line for line in said)
        assert next(summary_lines(second)) == "Nothing new: all 2 reports had been read before."

    def test_another_extractor_version_reads_again(self, inbox: Callable[..., Path], tmp_path: Path) -> None:
        inbox("a.json")
        inbox("locked.json", fail="encrypted")
        options = Options(inbox(), tmp_path / "store")
        run_here(options, "1")
        summary, _ = run_here(options, "2")
        assert (summary.tried, summary.read, summary.reused) == (2, 1, 0)

    def test_retry_tries_quarantined_files_again(self, inbox: Callable[..., Path], tmp_path: Path) -> None:
        inbox("locked.json", fail="encrypted")
        run_here(Options(inbox(), tmp_path / "store"))
        assert run_here(Options(inbox(), tmp_path / "store"))[0].tried == 0
        assert run_here(Options(inbox(), tmp_path / "store", retry=True))[0].tried == 1

    def test_quarantine_can_be_the_inbox(self, inbox: Callable[..., Path], tmp_path: Path) -> None:
        for name, wish in (("a", "encrypted"), ("b", "raise"), ("c", "encrypted"), ("d", "encrypted")):
            inbox(f"{name}.json", fail=wish, year=ord(name))
        run_here(Options(inbox(), tmp_path / "store"))
        (inbox() / "c.json").unlink()
        inbox("d.json", year=2021)
        again, _ = run_here(Options(Path(), tmp_path / "store", retry=True, codes=("encrypted",)))
        assert (again.files, again.tried, again.read) == (2, 2, 1)
        assert [Path(path).name for path, _, _ in again.quarantine] == ["a.json"]
        assert run_here(Options(Path(), tmp_path / "store", retry=True, codes=()))[0].tried == 2

    def test_a_list_of_files_is_an_inbox(self, inbox: Callable[..., Path], tmp_path: Path) -> None:
        inbox("a 报告.json")
        inbox("b.json", year=2021)
        inbox("unlisted.json", year=2020)
        listing = tmp_path / "list.txt"
        listing.write_text("\n".join(["inbox/a 报告.json", "", str(inbox() / "b.json"), "inbox/gone.json"]), "utf-8")
        summary, _ = run_here(Options(listing, tmp_path / "store"))
        assert (summary.files, summary.read) == (3, 2)
        assert [(Path(path).name, code) for path, code, _ in summary.quarantine] == [("gone.json", "unreadable")]
        assert listed_files(inbox() / "b.json") is None

    def test_a_full_disk_ends_the_run_and_blames_no_file(self, inbox: Callable[..., Path], tmp_path: Path) -> None:
        inbox("a.json")
        options = Options(inbox(), tmp_path / "store")
        full = pytest.raises(StoreError, match="database or disk is full; what is in it stays")
        with full, open_run(options, "1", Screen(io.StringIO())) as run:
            (pages,) = run._store.count("PRAGMA page_count")[0]
            run._store.count(f"PRAGMA max_page_count = {pages}")
            run.take(run.plan.to_read[0], read(run.plan.to_read[0].path, fake_extract))
        summary, _ = run_here(options)
        assert (summary.read, summary.quarantine) == (1, ())

    def test_failures_are_a_share_only_of_enough_files(self, inbox: Callable[..., Path], tmp_path: Path) -> None:
        for number in range(9):
            inbox(f"{number}.json", fail="encrypted", year=number)
        options = Options(inbox(), tmp_path / "store", retry=True)
        assert run_here(options)[0].failed_share() == 0
        inbox("fine.json")
        assert run_here(options)[0].failed_share() == 90

    def test_tasks_grow_where_there_are_too_many(self) -> None:
        assert [chunk_size(files) for files in (0, 1, 5000, 5001, 30_000)] == [1, 1, 1, 2, 6]
        assert [tasks_of(files) for files in (0, 1, 5000, 5001, 30_001)] == [0, 1, 5000, 2501, 4286]

    def test_versions_and_repaired_files(self, inbox: Callable[..., Path], tmp_path: Path) -> None:
        inbox("a.json", values={"applications.new.total": 3})
        inbox("b.json", fail="encrypted")
        options = Options(inbox(), tmp_path / "store")
        run_here(options)
        inbox("b.json", values={"applications.new.total": 4})
        summary, _ = run_here(options)
        assert (summary.read, summary.reused, summary.revised, summary.quarantine) == (1, 1, 1, ())

    def test_a_renamed_file_is_neither_new_nor_a_duplicate(self, inbox: Callable[..., Path], tmp_path: Path) -> None:
        inbox("a.json")
        options = Options(inbox(), tmp_path / "store")
        run_here(options)
        (inbox() / "a.json").rename(inbox() / "z.json")
        summary, _ = run_here(options)
        assert (summary.read, summary.reused, summary.duplicates) == (0, 1, 0)
        with Store(options.store) as store:
            assert store.count("SELECT path FROM reports") == [(str(inbox() / "z.json"),)]

    def test_a_record_that_cannot_be_stored_costs_that_file_only(
        self, inbox: Callable[..., Path], tmp_path: Path
    ) -> None:
        inbox("a.json")
        options = Options(inbox(), tmp_path / "store")
        with Store(options.store, writable=True) as store:
            run = Run(store, options, plan_inbox(store, options, "1"), "1", Screen(io.StringIO()))
            run.take(run.plan.to_read[0], Outcome(record="{}"))
            summary = run.finish()
        assert [code for _, code, _ in summary.quarantine] == ["crashed"]


class TestPool:
    def test_a_bad_file_costs_one_report(self, inbox: Callable[..., Path]) -> None:
        for name in ("kill", "raise", "hang", "encrypted"):
            inbox(f"{name}.json", fail=name)
        inbox("fine.json")
        with Pool(1, Limits(seconds=2), extractor=FAKE) as pool:
            outcomes = {
                name: pool.extract(inbox() / f"{name}.json")
                for name in ("kill", "fine", "raise", "hang", "encrypted", "fine")
            }
        assert outcomes["fine"].record is not None
        assert json.loads(outcomes["fine"].record)["schema"] == "gongkai.report/1"
        failures = {name: (outcome.code, outcome.reason) for name, outcome in outcomes.items() if outcome.code}
        assert failures["raise"] == ("crashed", "ValueError: a hostile file")
        assert failures["encrypted"] == ("encrypted", "needs a password")
        assert failures["hang"] == ("limit", "no result after 2 s")
        assert failures["kill"][0] == "crashed"
        assert "SIGKILL" in failures["kill"][1]
        assert "fake_extract" in (outcomes["raise"].detail or "")

    def test_limits_cost_one_report_and_say_which(self, inbox: Callable[..., Path]) -> None:
        for name in ("eat", "spin", "once"):
            inbox(f"{name}.json", fail=name)
        inbox("fine.json")
        (inbox() / "long.pdf").write_bytes(blank_pdf(3))
        with Pool(1, Limits(cpu_seconds=0.5, memory_mb=1000, pages=2), extractor=FAKE) as pool:
            outcomes = {
                name: pool.extract(inbox() / name)
                for name in ("eat.json", "fine.json", "spin.json", "long.pdf", "once.json")
            }
        said = {name: (outcome.code, outcome.reason) for name, outcome in outcomes.items() if outcome.code}
        assert said == {
            "eat.json": ("limit", "needs more than 1000 MB of memory"),
            "spin.json": ("limit", "no result after 0.5 s of processor time"),
            "long.pdf": ("limit", "3 pages; at most 2 are read"),
        }
        # What killed the process once, from outside perhaps, is tried again.
        assert outcomes["once.json"].record is not None

    def test_no_process_is_left(self, inbox: Callable[..., Path]) -> None:
        inbox("fine.json")
        before = children()
        with Pool(2, extractor=FAKE) as pool:
            pool.extract(inbox() / "fine.json")
            assert len(children() - before) >= 2
        # multiprocessing keeps one process of its own to track resources; it ends with us.
        assert len(children() - before) <= 1


def blank_pdf(pages: int) -> bytes:
    """A PDF file of empty pages."""
    import pypdfium2

    document = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        document.new_page(100, 100).close()
    written = io.BytesIO()
    document.save(written)
    document.close()
    return written.getvalue()


def children() -> set[str]:
    """The ids of this process's children."""
    threads = Path("/proc/self/task").glob("*/children")
    return {child for thread in threads for child in thread.read_text().split()}


class TestScreen:
    def test_a_log_gets_a_line_now_and_then(self) -> None:
        clock = iter((0.0, 1.0, 31.0, 32.0))
        stream = io.StringIO()
        screen = Screen(stream, lambda: next(clock))
        for done in (1, 50, 51):
            screen.progress(done, 100)
        assert stream.getvalue() == "50 of 100 read, 1.6 a second, about 31.0 s left\n"

    def test_a_terminal_keeps_lines_and_rewrites_progress(self) -> None:
        class Terminal(io.StringIO):
            encoding = "ascii"

            def isatty(self) -> bool:
                return True

        clock = iter((0.0, 1.0, 2.0))
        stream = Terminal()
        screen = Screen(stream, lambda: next(clock))
        screen.progress(1, 4)
        screen.say("a 公")
        screen.progress(2, 4)
        screen.end()
        assert stream.getvalue().count("\r\x1b[K") == 2
        assert "a \\u516c\n" in stream.getvalue()


class TestSettings:
    @pytest.fixture(autouse=True)
    def elsewhere(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))

    def test_nothing_is_configured(self) -> None:
        assert not settings.has_server({})

    def test_by_environment(self) -> None:
        assert settings.has_server({"PREFECT_API_URL": "http://127.0.0.1:4200/api"})

    def test_by_profile(self, tmp_path: Path) -> None:
        (tmp_path / ".prefect").mkdir()
        profiles = tmp_path / ".prefect" / "profiles.toml"
        profiles.write_text('active = "a"\n[profiles.a]\nPREFECT_API_URL = "http://h/api"\n[profiles.b]\n')
        assert settings.has_server({})
        assert not settings.has_server({"PREFECT_PROFILE": "b"})
        profiles.write_text("active = [not toml")
        assert not settings.has_server({})

    def test_by_folder(self, tmp_path: Path) -> None:
        (tmp_path / "prefect.toml").write_text('[api]\nurl = "http://h/api"\n')
        assert settings.has_server({})


class TestServing:
    def test_only_a_living_process_serves(self, tmp_path: Path) -> None:
        assert settings.read_serving(tmp_path) is None
        (tmp_path / settings.SERVE_FILE).write_text('{"url": "http://127.0.0.1:1", "pid": 7}')
        (tmp_path / settings.SERVE_LOCK).touch()
        # What a killed one has left behind.
        assert settings.read_serving(tmp_path) is None
        with (tmp_path / settings.SERVE_LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert settings.read_serving(tmp_path) == settings.Serving("http://127.0.0.1:1", 7)
            (tmp_path / settings.SERVE_FILE).write_text("{")
            assert settings.read_serving(tmp_path) is None

    def test_a_run_uses_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(os, "environ", {"HOME": str(tmp_path)})
        (tmp_path / settings.SERVE_FILE).write_text('{"url": "http://127.0.0.1:1", "pid": 7}')
        with (tmp_path / settings.SERVE_LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert not settings.prepare(tmp_path)
        assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:1/api"

    def test_a_second_one_says_where_the_first_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / settings.SERVE_FILE).write_text('{"url": "http://127.0.0.1:1", "pid": 7}')
        with (tmp_path / settings.SERVE_LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            assert main(["serve", "--store", str(tmp_path)]) == 2
        assert "is served already at http://127.0.0.1:1 (process 7)" in capsys.readouterr().err


class TestArrivals:
    def test_a_file_is_passed_on_when_it_has_stopped_growing(self, tmp_path: Path) -> None:
        now = 0.0
        arrivals = Arrivals(tmp_path, 5.0, clock=lambda: now)
        growing, still = tmp_path / "growing.pdf", tmp_path / "still.pdf"
        growing.write_text("1")
        still.write_text("1")
        assert arrivals.settled() == []
        now = 4.0
        growing.write_text("12")
        assert arrivals.settled() == []
        now = 6.0
        assert arrivals.settled() == [still]
        now = 9.0
        assert arrivals.settled() == [growing]
        now = 20.0
        assert arrivals.settled() == []
        still.write_text("another")
        assert arrivals.settled() == []
        now = 26.0
        assert arrivals.settled() == [still]


@pytest.mark.slow
def test_the_whole_run_under_prefect(tmp_path: Path) -> None:
    """No server at hand, no noise, nothing in the home, no process left; the bad file is one line."""
    inbox = tmp_path / "报告 inbox"
    inbox.mkdir()
    for number in range(3):
        (inbox / f"{number}.txt").write_text(NARRATIVE.replace("126", f"12{number}"), encoding="utf-8")
    (inbox / "empty.txt").touch()
    hidden = ("PREFECT", "HOME", "DO_NOT_TRACK")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    environment |= {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "flows.cli", "run", str(inbox), "--store", str(tmp_path / "store")]
    arguments: dict[str, Any] = {"capture_output": True, "text": True, "env": environment, "cwd": tmp_path}
    first = subprocess.run([*command, "--processes", "2"], check=False, timeout=300, **arguments)
    assert first.returncode == 3, first.stderr
    said = first.stderr.splitlines()
    assert said[0] == "4 of 4 files to read with 2 processes"
    assert len(said) == 3
    assert said[2].startswith(f"{inbox / 'empty.txt'}: empty: ")
    assert first.stdout.startswith("Read 3 reports of 4 files")
    with Store(tmp_path / "store") as store:
        assert store.count("SELECT read, reused, quarantined, finished IS NOT NULL FROM runs") == [(3, 0, 1, 1)]
    assert prefect_states(tmp_path / "store" / "prefect" / "prefect.db") == {"Completed": 3, "Quarantined": 1}
    assert prefect_names(tmp_path / "store" / "prefect" / "prefect.db") == {
        "青石镇人民政府 2017",
        str(inbox / "empty.txt"),
    }
    assert not (tmp_path / ".prefect").exists()
    assert not processes_of(tmp_path)

    started = time.monotonic()
    second = subprocess.run(command, check=False, timeout=300, **arguments)
    assert second.returncode == 3
    assert second.stdout.startswith("Nothing new: all 3 reports had been read before.")
    # Prefect is not started for nothing.
    assert time.monotonic() - started < 30
    assert not any("Traceback" in line for line in second.stderr.splitlines())


def prefect_states(database: Path) -> dict[str, int]:
    """Names of the final states of the task runs in Prefect's database."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute("SELECT state_name, count(*) FROM task_run GROUP BY 1").fetchall())


def prefect_names(database: Path) -> set[str]:
    """Names of the task runs in Prefect's database: a report's is that of its authority and year."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM task_run")}


def processes_of(folder: Path) -> list[str]:
    """Command lines of processes that still have ``folder`` in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in entry.read_bytes():
                found.append((entry.parent / "cmdline").read_text().replace("\0", " "))
    return found
