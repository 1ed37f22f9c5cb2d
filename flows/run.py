"""One run over a folder, a list or the quarantine: what is done with each file, and what is said about it at the end.

No Prefect here.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.inbox import InboxFile, Plan, find_files, listed_files, make_plan, original, printable, scan
from flows.limits import DEFAULT_LIMITS, Limits
from flows.screen import Screen
from flows.store import DUPLICATE, Store, StoreBusy, StoreError
from flows.workers import CRASHED, INTERRUPTED, Outcome
from flows.years import settle_years

# The reports ``r`` of the files that a run has seen.
OF_RUN = "FROM reports r JOIN files f ON f.path = r.path AND f.sha256 = r.sha256 AND f.last_run = :run"
# A report that a person should look at: a sum does not hold, or a cell could not be read. In SQL with what was found
# between years, for a record without.
IS_DOUBTFUL = (
    "(EXISTS (SELECT 1 FROM findings d WHERE d.report = r.id AND d.status = 'inconsistent')"
    " OR EXISTS (SELECT 1 FROM year_findings d WHERE d.report = r.id AND d.status = 'inconsistent')"
    " OR EXISTS (SELECT 1 FROM cells d WHERE d.report = r.id AND d.status = 'illegible'))"
)
# Below so many files a share of failures says nothing.
LEAST_TRIED = 10
# Prefect draws no run of more than 10,000 tasks, its pages scroll through a list of them, and every task costs its
# server some milliseconds and some kilobytes: above this, a task is so many reports that there are no more tasks.
MOST_TASKS = 5000
# Seconds between two looks whether another run has left the store.
_BUSY_S = 2.0
MOST_FAILURES = 50.0


def chunk_size(files: int) -> int:
    """How many reports one task reads, so that there are at most :data:`MOST_TASKS`."""
    return max(1, -(-files // MOST_TASKS))


def tasks_of(files: int) -> int:
    """How many tasks read so many files."""
    return -(-files // chunk_size(files))


def is_doubtful(record: Mapping[str, Any]) -> bool:
    """Whether a finding of a record does not hold, or a cell of it is illegible."""
    findings, cells = record["findings"], record["cells"]
    return any(f["status"] == "inconsistent" for f in findings) or any(c["status"] == "illegible" for c in cells)


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for.

    ``inbox`` is a folder or a list of files. ``retry`` tries files in quarantine again although nothing has changed;
    with ``codes`` those files are the inbox: those in quarantine with one of these codes, or all where there is none.
    ``most_failures`` is the share of the tried files, in per cent, above which the run counts as failed.
    """

    inbox: Path
    store: Path
    processes: int = os.cpu_count() or 1
    limits: Limits = DEFAULT_LIMITS
    retry: bool = False
    codes: tuple[str, ...] | None = None
    most_failures: float = MOST_FAILURES


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did, and what the folder's reports now hold.

    ``tried`` and ``read`` (those that gave a record) count this run's work; all other figures are of the whole
    folder. ``run`` is the run's id. ``doubtful`` counts reports that a person should look at. ``quarantine`` holds
    path, code and reason; ``findings`` maps a rule to the numbers of errors and warnings among its inconsistent
    findings.
    """

    store: Path
    run: int
    seconds: float
    files: int
    tried: int
    read: int
    reused: int
    doubtful: int
    duplicates: int
    revised: int
    quarantine: tuple[tuple[str, str, str], ...]
    cells: dict[str, int] = field(default_factory=dict)
    verdicts: dict[str, int] = field(default_factory=dict)
    findings: dict[str, tuple[int, int]] = field(default_factory=dict)
    problems: dict[str, int] = field(default_factory=dict)

    def failed_share(self) -> float:
        """Per cent of the tried files that gave no record; 0 where too few were tried to say so."""
        return 100 * (self.tried - self.read) / self.tried if self.tried >= LEAST_TRIED else 0.0


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
            except (ValueError, KeyError, TypeError, OverflowError, *self._store.refusal) as error:
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
        for file, known in self.plan.duplicates:
            reason = f"the same bytes as {known}"
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
        mine = OF_RUN
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
            run=self._id,
            seconds=time.monotonic() - self._started,
            files=len(self.plan.files),
            tried=self._settled,
            read=self._read,
            reused=len(self.plan.reused),
            doubtful=count(f"SELECT count(*) {mine} WHERE {IS_DOUBTFUL}", run=self._id)[0][0],
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
def open_run(options: Options, version: str, screen: Screen, patient: bool = False) -> Iterator[Run]:
    """A run over the inbox as it is now; the store is locked for its length.

    ``patient`` waits for another run that is writing to the store.

    Raises:
        NotADirectoryError: the inbox is neither a folder nor a list.
        flows.store.StoreError: the store cannot be used.
    """
    with _written(options, screen, patient) as store:
        yield Run(store, options, plan_inbox(store, options, version), version, screen)


@contextlib.contextmanager
def _written(options: Options, screen: Screen, patient: bool = False) -> Iterator[Store]:
    """The store, open for writing; a breakdown of it (a full disk, a lost one) ends the run and blames no file."""
    with _open_store(options.store, screen, patient) as store:
        try:
            yield store
        except store.breakdown as error:
            reason = f"{store.path} cannot be written: {error.orig}; what is in it stays, the same command goes on"
            raise StoreError(reason) from error


def _open_store(folder: Path, screen: Screen, patient: bool) -> Store:
    said = False
    while True:
        try:
            return Store(folder, writable=True)
        except StoreBusy as error:
            if not patient:
                raise
            if not said:
                screen.say(f"{error}; waiting for it to end")
            said = True
            time.sleep(_BUSY_S)


def plan_inbox(store: Store, options: Options, version: str) -> Plan:
    """What there is to do. Hashes every file."""
    held = set() if options.retry else store.held(version)
    return make_plan(scan(_find(store, options)), store.current(version), held)


def _find(store: Store, options: Options) -> Iterable[Path]:
    if options.codes is not None:
        return _quarantined(store, options.codes)
    listed = listed_files(options.inbox)
    return find_files(options.inbox, options.store) if listed is None else dict.fromkeys(listed)


def _quarantined(store: Store, codes: Sequence[str]) -> list[Path]:
    """The files in quarantine that still exist, of these codes or of all; duplicates need no reading."""
    entries = sorted(store.quarantined().items())
    wanted = [original(path) for path, (code, _) in entries if code != DUPLICATE and (not codes or code in codes)]
    return [path for path in wanted if path.exists()]


def run_inbox(options: Options, version: str, screen: Screen) -> Summary:
    """Reads what is new in the inbox, watched by Prefect; without Prefect where nothing is new.

    Raises:
        NotADirectoryError: the inbox is not a folder.
        flows.store.StoreError: the store cannot be used.
        flows.server.ServerError: Prefect's private server does not start.
    """
    with _written(options, screen) as store:
        plan = plan_inbox(store, options, version)
        if not plan.to_read:
            return Run(store, options, plan, version, screen).finish()
    screen.say(f"{len(plan.to_read)} of {len(plan.files)} files to read with {options.processes} processes")
    from flows.server import private_server

    with private_server(options.store, screen) as server:
        # Importing Prefect takes seconds; the server starts meanwhile.
        from flows.extract import watch

        return watch(options, server)
