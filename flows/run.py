"""One run over a folder: what is done with each file, and what is said about it at the end. No Prefect here."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from flows.inbox import InboxFile, Plan, find_files, make_plan, printable, scan
from flows.screen import Screen
from flows.store import DUPLICATE, Store
from flows.workers import CRASHED, EXTRACTOR, INTERRUPTED, TIME_LIMIT_S, Outcome
from flows.years import settle_years


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for. ``retry`` tries files in quarantine again although nothing has changed."""

    inbox: Path
    store: Path
    processes: int = os.cpu_count() or 1
    time_limit_s: float = TIME_LIMIT_S
    retry: bool = False
    extractor: str = EXTRACTOR


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did, and what the folder's reports now hold.

    ``tried`` and ``read`` (those that gave a record) count this run's work; all other figures are of the whole
    folder. ``quarantine`` holds path, code and reason; ``findings`` maps a rule to the numbers of errors and
    warnings among its inconsistent findings.
    """

    store: Path
    seconds: float
    files: int
    tried: int
    read: int
    reused: int
    duplicates: int
    revised: int
    quarantine: tuple[tuple[str, str, str], ...]
    cells: dict[str, int] = field(default_factory=dict)
    verdicts: dict[str, int] = field(default_factory=dict)
    findings: dict[str, tuple[int, int]] = field(default_factory=dict)
    problems: dict[str, int] = field(default_factory=dict)


class Run:
    """A run in the store: opened with its plan, told each outcome, closed with a summary."""

    def __init__(self, store: Store, options: Options, plan: Plan, version: str, screen: Screen) -> None:
        self.plan = plan
        self._store, self._options, self._version, self._screen = store, options, version, screen
        self._started = time.monotonic()
        self._read = 0
        self._settled = 0
        self._id = store.start_run(options.inbox, version)
        store.note_files(self._id, plan.files)
        self._settle_known()

    def take(self, file: InboxFile, outcome: Outcome) -> None:
        """Stores what became of one file; a record that the store refuses is a crash of that file."""
        if outcome.code == INTERRUPTED:
            return
        if outcome.record is not None:
            try:
                self._store.add_report(self._id, self._version, file, outcome.record)
                self._read += 1
            except (ValueError, KeyError, TypeError, OverflowError, self._store.refusal) as error:
                outcome = Outcome(code=CRASHED, reason=f"the record could not be stored: {error}".split("\n")[0])
        if outcome.code is not None:
            self._put_away(file, outcome)
        self._settled += 1
        self._screen.progress(self._settled, len(self.plan.to_read))

    def finish(self) -> Summary:
        """Works out revisions and what lies between years, completes the run's row and counts."""
        settle_years(self._store)
        summary = self._summarise()
        counts: dict[str, int | float] = {
            "seconds": summary.seconds,
            "read": summary.read,
            "reused": summary.reused,
            "duplicates": summary.duplicates,
            "revised": summary.revised,
            "quarantined": len(summary.quarantine),
        }
        self._store.finish_run(self._id, counts)
        return summary

    def _settle_known(self) -> None:
        """Everything that needs no reading: duplicates, unreadable files, renamed ones."""
        before = self._store.quarantined()
        for file, original in self.plan.duplicates:
            reason = f"the same bytes as {original}"
            if before.get(file.name) != (DUPLICATE, reason):
                self._put_away(file, Outcome(code=DUPLICATE, reason=reason))
        for file in self.plan.unreadable:
            assert file.error is not None
            self._put_away(file, Outcome(code=file.error.code, reason=file.error.reason))
        current = self._store.current(self._version)
        for file in self.plan.reused:
            if file.sha256 is not None and current[file.sha256] != file.name:
                self._store.rename_report(file.sha256, file.name)
        self._store.release([file.name for file in self.plan.reused if file.name in before])
        if self.plan.held:
            self._screen.say(f"{len(self.plan.held)} files still in quarantine were not tried again (--retry does)")

    def _put_away(self, file: InboxFile, outcome: Outcome) -> None:
        code, reason = outcome.code or CRASHED, printable(outcome.reason)
        self._store.add_quarantine(self._id, self._version, file, code, reason, outcome.detail)
        self._screen.say(f"{file.name}: {code}: {reason}")

    def _summarise(self) -> Summary:
        mine = "FROM reports r JOIN files f ON f.path = r.path AND f.sha256 = r.sha256 AND f.last_run = :run"
        count = self._store.count

        def tally(column: str, *parts: str) -> dict[str, int]:
            """The numbers of each value in all parts, the most frequent first; a view of them would have no index."""
            counts: Counter[str] = Counter()
            for part in parts:
                query = f"SELECT p.{column}, count(*) {mine} JOIN {part} p ON p.report = r.id GROUP BY 1"
                counts.update(dict(count(query, run=self._id)))
            return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))

        broken = [
            row
            for part in ("findings", "year_findings")
            for row in count(
                f"SELECT p.rule, sum(p.severity = 'error'), sum(p.severity <> 'error') {mine} "
                f"JOIN {part} p ON p.report = r.id WHERE p.status = 'inconsistent' GROUP BY 1 ORDER BY 1",
                run=self._id,
            )
        ]
        quarantined = count(
            "SELECT q.path, q.code, q.message FROM quarantine q JOIN files f ON f.path = q.path "
            "WHERE f.last_run = :run AND q.code <> :duplicate ORDER BY q.path",
            run=self._id,
            duplicate=DUPLICATE,
        )
        return Summary(
            store=self._store.path,
            seconds=time.monotonic() - self._started,
            files=len(self.plan.files),
            tried=self._settled,
            read=self._read,
            reused=len(self.plan.reused),
            duplicates=len(self.plan.duplicates),
            revised=count(f"SELECT count(*) {mine} JOIN revisions v ON v.report = r.id", run=self._id)[0][0],
            quarantine=tuple((path, code, reason) for path, code, reason in quarantined),
            cells=tally("status", "cells"),
            verdicts=tally("status", "findings", "year_findings"),
            findings=_added(broken),
            problems=tally("code", "problems"),
        )


def _added(broken: list[tuple[str, int, int]]) -> dict[str, tuple[int, int]]:
    """Errors and warnings by rule; a rule can have findings within a report and between years."""
    sums: dict[str, tuple[int, int]] = {}
    for rule, errors, warnings in broken:
        known = sums.get(rule, (0, 0))
        sums[rule] = (known[0] + errors, known[1] + warnings)
    return sums


@contextlib.contextmanager
def open_run(options: Options, version: str, screen: Screen) -> Iterator[Run]:
    """A run over the inbox as it is now; the store is locked for its length."""
    with Store(options.store, writable=True) as store:
        yield Run(store, options, plan_inbox(store, options, version), version, screen)


def plan_inbox(store: Store, options: Options, version: str) -> Plan:
    """What there is to do. Hashes every file."""
    held = set() if options.retry else store.held(version)
    return make_plan(scan(find_files(options.inbox, options.store)), store.current(version), held)


def run_inbox(options: Options, version: str, screen: Screen) -> Summary:
    """Reads what is new in the inbox, watched by Prefect; without Prefect where nothing is new.

    Raises:
        NotADirectoryError: the inbox is not a folder.
        flows.store.StoreError: the store cannot be used.
        flows.server.ServerError: Prefect's private server does not start.
    """
    with Store(options.store, writable=True) as store:
        plan = plan_inbox(store, options, version)
        if not plan.to_read:
            return Run(store, options, plan, version, screen).finish()
    screen.say(f"{len(plan.to_read)} of {len(plan.files)} files to read with {options.processes} processes")
    from flows.server import private_server

    with private_server(options.store, screen) as server:
        # Importing Prefect takes seconds; the server starts meanwhile.
        from flows.extract import watch

        return watch(options, server)
