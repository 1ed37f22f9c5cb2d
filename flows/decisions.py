"""What reviewers decided: a file of its own beside the store, to which rows are only ever added.

A decision names what it is about by content: the sha256 of the report's bytes, what was read there (a cell by its key,
a finding by its id, a stretch of text by its offsets), and what the reading was. So it outlives a store made anew, a
newer extractor and another model; where the reading has changed since, it is shown as stale. An undo is a decision too.
``docs/reviewing.md`` describes the lines of an export.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, get_args

SCHEMA = "gongkai.decision/1"
FILE_NAME = "decisions.sqlite"

Kind = Literal["cell", "claim", "entity", "finding", "passage"]
# right: the reading is what is printed. corrected: it is not, ``truth`` is. none: nothing is stated there.
# publisher: read rightly, the publisher's error. reader: the reader's error, what is right is not said.
# unsure: it cannot be told. undone: takes back the decision that ``undoes`` names.
Verdict = Literal["right", "corrected", "none", "publisher", "reader", "unsure", "undone"]
State = Literal["stands", "agrees", "stale"]
KINDS: tuple[str, ...] = get_args(Kind)
VERDICTS: tuple[str, ...] = get_args(Verdict)

# A line of an import beyond it is no decision.
MAX_LINE = 200_000
MAX_NOTE = 2_000
_HEX = frozenset("0123456789abcdef")
# What of a reading a person decides on; confidence, evidence and words around it may change freely.
_DECIDED = {
    "cell": ("status", "value", "raw"),
    "claim": ("field", "value", "unit", "bound", "text"),
    "entity": ("field", "text", "role", "kind"),
    "finding": ("status", "expected", "reported"),
}
_TRUE = {
    "cell": ("status", "value"),
    "claim": ("field", "value", "unit", "bound", "text"),
    "entity": ("field", "text", "role", "kind"),
}

_TABLES = """
CREATE TABLE IF NOT EXISTS decisions (
    n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, made TEXT NOT NULL, reviewer TEXT NOT NULL,
    sha256 TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, verdict TEXT NOT NULL, raw TEXT, reading TEXT,
    truth TEXT, undoes TEXT, note TEXT, about TEXT NOT NULL, extractor TEXT NOT NULL, batch TEXT);
CREATE INDEX IF NOT EXISTS decisions_by_target ON decisions (sha256, kind, target);
CREATE INDEX IF NOT EXISTS decisions_by_batch ON decisions (batch) WHERE batch IS NOT NULL;
CREATE TRIGGER IF NOT EXISTS never_changed BEFORE UPDATE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are never changed'); END;
CREATE TRIGGER IF NOT EXISTS never_removed BEFORE DELETE ON decisions
    BEGIN SELECT RAISE(ABORT, 'decisions are never removed'); END;
CREATE TABLE IF NOT EXISTS standing (
    sha256 TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (sha256, kind, target)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reviewed_bodies (authority TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_COLUMNS = (
    "id", "made", "reviewer", "sha256", "kind", "target", "verdict", "raw", "reading", "truth", "undoes", "note",
    "about", "extractor", "batch",
)  # fmt: skip
_JSON = ("reading", "truth", "about")
_ROW = f"SELECT {', '.join(f'd.{name}' for name in _COLUMNS)} FROM decisions d"
# The last that was not taken back: by time, for decisions of several machines; then by arrival.
_LAST = """
SELECT id FROM decisions d WHERE sha256 = ? AND kind = ? AND target = ? AND verdict <> 'undone'
AND NOT EXISTS (SELECT 1 FROM decisions u WHERE u.sha256 = d.sha256 AND u.kind = d.kind AND u.target = d.target
                AND u.undoes = d.id)
ORDER BY made DESC, n DESC LIMIT 1
"""


class DecisionError(ValueError):
    """A decision that cannot be taken in; the message says why."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. ``reading`` is what was read when it was made, None where nothing was; ``truth`` what is right.

    ``about`` names report and place for people; nothing depends on it. Decisions made together share a ``batch``.
    """

    sha256: str
    kind: str
    target: str
    verdict: str
    reviewer: str
    made: str
    extractor: str
    raw: str | None = None
    reading: Mapping[str, Any] | None = None
    truth: Mapping[str, Any] | None = None
    undoes: str | None = None
    note: str | None = None
    about: Mapping[str, Any] | None = None
    batch: str | None = None

    @property
    def id(self) -> str:
        """A digest of all it says."""
        line = json.dumps(_stated(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(line.encode()).hexdigest()[:32]


def now() -> str:
    """The time as decisions state it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def span_target(start: int, end: int, field: str = "") -> str:
    """What a decision on a stretch of text names: its offsets and, since one nil may deny several, its field."""
    return f"{start}-{end}/{field}" if field else f"{start}-{end}"


def span_of(target: str) -> tuple[int, int]:
    """The offsets of :func:`span_target`."""
    start, _, end = target.partition("/")[0].partition("-")
    return int(start), int(end)


# --- the file --------------------------------------------------------------------------------------------------


class Decisions:
    """The file of decisions of a store. Any number of processes may read and add at a time, a run among them."""

    def __init__(self, folder: Path) -> None:
        """Opens the file in ``folder``, which must exist; makes it where there is none."""
        self.path = folder / FILE_NAME
        # autocommit; every change below begins its own transaction.
        self._connection = sqlite3.connect(self.path, timeout=30.0, isolation_level=None, check_same_thread=False)
        # FULL: a decision is a person's work, and there are few.
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 30000"):
            self._connection.execute(f"PRAGMA {pragma}").close()
        self._connection.executescript(_TABLES)
        # Threads share the connection, and with it its transaction.
        self._lock = threading.Lock()

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def add(self, decisions: Iterable[Decision]) -> int:
        """Adds decisions that are not there yet, all or none; the number of those added."""
        added = 0
        with self._transaction():
            touched: dict[tuple[str, str, str], None] = {}
            for decision in decisions:
                marks = ", ".join("?" * len(_COLUMNS))
                row = self._connection.execute(
                    f"INSERT INTO decisions ({', '.join(_COLUMNS)}) VALUES ({marks}) ON CONFLICT (id) DO NOTHING",
                    _row(decision),
                )
                added += row.rowcount
                touched[decision.sha256, decision.kind, decision.target] = None
                self._note_body(decision)
            for target in touched:
                self._settle(target)
        return added

    def undo(self, wanted: str, reviewer: str) -> int:
        """Takes back the decision, or all of the batch, that ``wanted`` names; the number of those taken back."""
        query = f"{_ROW} JOIN standing s ON s.id = d.id WHERE d.id = ? OR d.batch = ?"
        found = [_decision(row) for row in self._connection.execute(query, (wanted, wanted))]
        return self.add(_undoing(decision, reviewer) for decision in found)

    def standing(self, sha256: str) -> dict[tuple[str, str], Decision]:
        """The decisions on one report that stand, by kind and target."""
        query = f"{_ROW} JOIN standing s ON s.id = d.id WHERE s.sha256 = ?"
        rows = map(_decision, self._connection.execute(query, (sha256,)))
        return {(decision.kind, decision.target): decision for decision in rows}

    def last(self, reviewer: str) -> Decision | None:
        """The latest decision of a reviewer that stands."""
        query = f"{_ROW} JOIN standing s ON s.id = d.id WHERE d.reviewer = ? ORDER BY d.made DESC, d.n DESC LIMIT 1"
        row = self._connection.execute(query, (reviewer,)).fetchone()
        return _decision(row) if row else None

    def history(self, before: int | None = None, count: int = 100) -> list[tuple[int, Decision, bool]]:
        """Decisions, the latest first, with their number and whether they stand; those before number ``before``."""
        query = (
            f"SELECT d.n, EXISTS (SELECT 1 FROM standing s WHERE s.id = d.id), {_ROW.removeprefix('SELECT ')} "
            "WHERE d.n < ? ORDER BY d.n DESC LIMIT ?"
        )
        rows = self._connection.execute(query, (before or 2**62, count))
        return [(n, _decision(rest), bool(stands)) for n, stands, *rest in rows]

    def every(self) -> Iterator[Decision]:
        """All decisions in the order in which they came, undone ones and undoings included."""
        yield from map(_decision, self._connection.execute(f"{_ROW} ORDER BY d.n"))

    def all_standing(self) -> Iterator[Decision]:
        """The decisions that stand, in the order in which they came."""
        query = f"{_ROW} JOIN standing s ON s.id = d.id ORDER BY d.n"
        yield from map(_decision, self._connection.execute(query))

    def _note_body(self, decision: Decision) -> None:
        if decision.about and isinstance(body := decision.about.get("authority"), str):
            self._connection.execute("INSERT OR IGNORE INTO reviewed_bodies VALUES (?)", (body,))

    def _settle(self, target: tuple[str, str, str]) -> None:
        """Works out which decision on ``target`` stands."""
        last = self._connection.execute(_LAST, target).fetchone()
        if last is None:
            statement = "DELETE FROM standing WHERE sha256 = ? AND kind = ? AND target = ?"
            self._connection.execute(statement, target)
        else:
            self._connection.execute("INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?)", (*target, *last))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            # The lock of the file at once: a transaction that begins by reading could not wait for another writer.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


@contextmanager
def open_decisions(folder: Path) -> Iterator[Decisions]:
    """The decisions of a store, closed at the end.

    Raises:
        DecisionError: there is no such folder.
    """
    if not folder.is_dir():
        raise DecisionError(f"there is no folder {folder}")
    with closing(Decisions(folder)) as decisions:
        yield decisions


def standing_in(folder: Path) -> dict[str, dict[tuple[str, str], Decision]]:
    """The standing decisions of a store by report; none where nobody has decided anything."""
    if not (folder / FILE_NAME).is_file():
        return {}
    found: dict[str, dict[tuple[str, str], Decision]] = {}
    with open_decisions(folder) as decisions:
        for decision in decisions.all_standing():
            found.setdefault(decision.sha256, {})[decision.kind, decision.target] = decision
    return found


def _undoing(decision: Decision, reviewer: str) -> Decision:
    return replace(
        decision, verdict="undone", undoes=decision.id, truth=None, note=None, reviewer=reviewer, made=now(), batch=None
    )


# --- what was read, and whether it still is --------------------------------------------------------------------


def readings(record: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """What a record reads, by kind and target; of each what a person can decide on."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for cell in record["cells"]:
        found["cell", cell["key"]] = reading_of("cell", cell)
    for finding in record["findings"]:
        found["finding", finding["id"]] = reading_of("finding", finding)
    for kind, part in (("claim", "claims"), ("entity", "entities")):
        for span in record[part]:
            place = span["evidence"]
            found[kind, span_target(place["start"], place["end"], span["field"])] = reading_of(kind, span)
    return found


def reading_of(kind: str, part: Mapping[str, Any]) -> dict[str, Any]:
    """Of a part of the record, what is decided on."""
    return {name: part[name] for name in _DECIDED[kind]}


def state_of(decision: Decision, now_read: Mapping[str, Any] | None) -> State:
    """Whether the reading is what it was when the decision was made, or is now what was decided, or is another."""
    if decision.kind == "passage" or _same(now_read, decision.reading):
        return "stands"
    if decision.verdict == "none" and now_read is None:
        return "agrees"
    truth = decision.truth
    if truth is not None and now_read is not None:
        names = _TRUE.get(decision.kind, ())
        if all(_same(now_read.get(name), truth.get(name)) for name in names):
            return "agrees"
    return "stale"


def look_up(decision: Decision, now_read: Mapping[tuple[str, str], Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """What is read now where the decision was made.

    A stretch of text whose offsets moved is found by its words, where they stand once in that field, or once in the
    field that was decided.
    """
    exact = now_read.get((decision.kind, decision.target))
    if exact is not None or decision.kind not in ("claim", "entity"):
        return exact
    wanted = decision.reading or decision.truth or {}
    truth = decision.truth or {}
    start, end = span_of(decision.target)
    there = now_read.get((decision.kind, span_target(start, end, str(truth.get("field", "")))))
    if there is not None:
        return there
    alike = [
        part
        for (kind, _), part in now_read.items()
        if kind == decision.kind and part["text"] == decision.raw and part["field"] == wanted.get("field")
    ]
    return alike[0] if len(alike) == 1 else None


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, int | float | Decimal) and isinstance(other, int | float | Decimal):
        return Decimal(str(one)) == Decimal(str(other))
    return bool(one == other)


# --- JSON Lines ------------------------------------------------------------------------------------------------


def to_line(decision: Decision) -> str:
    """One line of JSON; the same decision always gives the same line."""
    line = {"schema": SCHEMA, "id": decision.id} | _stated(decision)
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"))


def from_line(line: str) -> Decision:
    """The decision that a line states.

    Raises:
        DecisionError: it states none, or has been changed since it was written.
    """
    if len(line) > MAX_LINE:
        raise DecisionError(f"longer than {MAX_LINE:,} characters")
    try:
        data = json.loads(line)
        if not isinstance(data, dict) or data.pop("schema", None) != SCHEMA:
            raise DecisionError(f"no {SCHEMA}")
        stated = data.pop("id", None)
        decision = Decision(**data)
        _check(decision)
        if decision.id != stated:
            raise DecisionError("its id is not that of what it says; it has been changed")
    except (TypeError, ValueError, RecursionError) as error:
        raise DecisionError(str(error)) from error
    return decision


def _check(decision: Decision) -> None:
    if decision.kind not in KINDS or decision.verdict not in VERDICTS:
        raise DecisionError(f"no kind and verdict: {decision.kind!r}, {decision.verdict!r}")
    if len(decision.sha256) != 64 or not set(decision.sha256) <= _HEX:
        raise DecisionError("sha256 is no digest")
    # Times are compared as text, so all must be written alike.
    if datetime.fromisoformat(decision.made).isoformat(timespec="microseconds") != decision.made:
        raise DecisionError("made is not written as a time in UTC with microseconds")
    if not decision.made.endswith("+00:00"):
        raise DecisionError("made is not in UTC")
    texts = (decision.target, decision.reviewer, decision.extractor)
    optional = (decision.raw, decision.undoes, decision.note, decision.batch)
    parts = (decision.reading, decision.truth, decision.about)
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(text, str | None) for text in optional):
        raise DecisionError("a text is none")
    if not all(part is None or isinstance(part, dict) for part in parts):
        raise DecisionError("reading, truth and about are objects")
    if (decision.verdict == "undone") != (decision.undoes is not None):
        raise DecisionError("an undoing names what it undoes, and nothing else does")
    if decision.kind in ("claim", "entity", "passage"):
        span_of(decision.target)


def _stated(decision: Decision) -> dict[str, Any]:
    """What it says, keys in order; what it does not say is left out."""
    return {name: value for name, value in asdict(decision).items() if value is not None}


def _row(decision: Decision) -> tuple[Any, ...]:
    values = {"id": decision.id} | asdict(decision)
    for name in _JSON:
        values[name] = None if values[name] is None else json.dumps(values[name], ensure_ascii=False)
    values["about"] = values["about"] or "{}"
    return tuple(values[name] for name in _COLUMNS)


def _decision(row: Sequence[Any]) -> Decision:
    values = dict(zip(_COLUMNS, row, strict=True))
    del values["id"]
    for name in _JSON:
        values[name] = None if values[name] is None else json.loads(values[name])
    values["about"] = values["about"] or None
    return Decision(**values)
