"""Kills a run again and again and compares what it ends with: nothing lost, nothing twice, nothing half-written.

Run: ``python -m benchmarks.kills [--reports 60] [--kills 15] [--seed 1]``. The same command, ``gongkai run``, is
started until it ends by itself. Meanwhile SIGKILL goes, at random times, to one of its processes: the flow (the command
itself), Prefect's server, a process that reads, or to all of them at once, as when the machine goes down. A run that
was killed is started again. The same files are read once undisturbed. Then records and tables of both stores are
compared, without run ids and times. Among the files are bad ones (empty, no report), duplicates and
a changed copy of a report.

Exit code 1 where the two differ, or where not all kills hit.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.overhead import report_text
from flows.store import Store

ROOT = Path(__file__).parent.parent
VICTIMS = ("flow", "server", "worker", "all")
# Seconds from start or kill to the next kill: a start of Prefect takes some ten.
SHORTEST_S, LONGEST_S = 0.5, 12.0
DONE = (0, 3)

# Every table but ``runs``; a report is named by its bytes, since ids go by who came first.
QUERIES = {
    "reports": "SELECT sha256, path, extractor, media_type, pages, scanned, title, authority, year, form, coverage, "
    "published, region, record FROM reports",
    "files": "SELECT path, sha256, size FROM files",
    "quarantine": "SELECT path, sha256, code, message, extractor FROM quarantine",
    "revisions": "SELECT a.sha256, b.sha256, v.cells_changed FROM revisions v JOIN reports a ON a.id = v.report "
    "JOIN reports b ON b.id = v.revises",
    "year_findings": "SELECT r.sha256, e.sha256 AS before, f.id, f.rule, f.status, f.message FROM year_findings f "
    "JOIN reports r ON r.id = f.report JOIN reports e ON e.id = f.earlier",
} | {
    part: f"SELECT r.sha256, p.* FROM {part} p JOIN reports r ON r.id = p.report"
    for part in ("cells", "entities", "claims", "findings", "problems", "year_problems")
}


def write_inbox(inbox: Path, reports: int) -> None:
    """Generated reports, a tenth of them with a twin, and a few files that are none."""
    inbox.mkdir(parents=True)
    for number in range(reports):
        text = report_text(number)
        (inbox / f"{number:05}.txt").write_text(text, encoding="utf-8")
        if number % 10 == 0:
            (inbox / f"{number:05} copy.txt").write_text(text, encoding="utf-8")
    (inbox / "version.txt").write_text(report_text(0) + "更正\n", encoding="utf-8")
    (inbox / "empty.txt").touch()
    (inbox / "recipe.txt").write_text("A cake needs flour, eggs and sugar. " * 10, encoding="utf-8")
    (inbox / "broken.pdf").write_bytes(b"%PDF-1.4\n" + b"garbage " * 100)


def start(inbox: Path, store: Path, log: Path) -> subprocess.Popen[bytes]:
    """The command; in a group of its own, so that nothing of this process goes with it."""
    command = [sys.executable, "-m", "flows.cli", "run", str(inbox), "--store", str(store), "--processes", "2"]
    with log.open("ab") as output:
        return subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output, start_new_session=True)


def family(pid: int) -> list[tuple[int, str]]:
    """The processes that ``pid`` has started, at any remove, with their command lines."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in path.read_text().split():
                command = Path(f"/proc/{child}/cmdline").read_text(errors="replace").replace("\0", " ")
                found += [(int(child), command), *family(int(child))]
    return found


def victims(pid: int, kind: str) -> list[int]:
    """The processes to kill; none where there is none of that kind at this moment."""
    children = family(pid)
    if kind == "flow":
        return [pid]
    if kind == "all":
        return [pid, *(child for child, _ in children)]
    mark = "flows.server" if kind == "server" else "spawn_main"
    matching = [child for child, command in children if mark in command]
    return matching[:1] if kind == "server" else random.sample(matching, min(1, len(matching)))


def disturbed(inbox: Path, store: Path, log: Path, kills: int) -> tuple[Counter[str], int]:
    """Runs and kills until all kills have hit, then lets it end; what was killed how often, and the starts."""
    hits: Counter[str] = Counter()
    starts = 0
    while True:
        process = start(inbox, store, log)
        starts += 1
        while hits.total() < kills:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(random.uniform(SHORTEST_S, LONGEST_S))
            if process.poll() is not None:
                break
            kind = random.choice(VICTIMS)
            targets = victims(process.pid, kind)
            for target in targets:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(target, signal.SIGKILL)
            hits[kind] += bool(targets)
        code = process.wait()
        if code in DONE:
            return hits, starts
        if code != -signal.SIGKILL:
            print(f"start {starts} ended with code {code}; see {log}")
        time.sleep(random.uniform(0, 1))


def contents(store: Path) -> dict[str, Counter[tuple[Any, ...]]]:
    """Every row of the store with the number of times that it is there, without run ids, times and places."""
    with Store(store) as opened:
        return {name: Counter(_rows(opened, query)) for name, query in QUERIES.items()}


def _rows(store: Store, query: str) -> Iterator[tuple[Any, ...]]:
    for row in store.stream(query):
        for name in ("report", "other"):
            row.pop(name, None)
        yield tuple(row.values())


def sound(store: Path) -> str:
    """What SQLite itself says of the file, and of parts without their report."""
    with Store(store) as opened:
        check = opened.count("PRAGMA integrity_check")[0][0]
        orphans = opened.count("PRAGMA foreign_key_check")
    return check if not orphans else f"{check}, {len(orphans)} rows without their report"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=60)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for inbox, stores and logs; default: a temporary one")
    options = parser.parse_args()
    random.seed(options.seed)
    with contextlib.ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        inbox = folder / "inbox"
        write_inbox(inbox, options.reports)
        started = time.monotonic()
        code = start(inbox, folder / "calm", folder / "calm.log").wait()
        print(f"undisturbed: {time.monotonic() - started:.0f} s, exit code {code}", flush=True)
        started = time.monotonic()
        hits, starts = disturbed(inbox, folder / "killed", folder / "killed.log", options.kills)
        print(f"killed: {time.monotonic() - started:.0f} s, {starts} starts, kills: {dict(hits)}", flush=True)
        calm, killed = contents(folder / "calm"), contents(folder / "killed")
        for name, rows in calm.items():
            lost, added = (rows - killed[name]).total(), (killed[name] - rows).total()
            print(f"  {name:<12} {rows.total():>7} rows, {lost} lost, {added} added")
        state = sound(folder / "killed")
        good = calm == killed and state == "ok" and hits.total() == options.kills and code in DONE
        print(f"SQLite: {state}")
        print("identical" if good else "NOT identical, or not all kills hit")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
