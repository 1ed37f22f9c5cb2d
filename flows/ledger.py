"""The ledger: which body's report for which year is there, missing, there twice, revised or unreadable."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from extractors.encoding import encode
from flows.findings import csv_lines, names, plain
from flows.show import width
from flows.store import DUPLICATE, Store

STATUSES = ("received", "missing", "duplicate", "revised", "unreadable")
COLUMNS = (
    "authority",
    "body",
    "year",
    "status",
    "reports",
    "duplicates",
    "revisions",
    "unreadable",
    "coverage",
    "path",
    "note",
)

_MARKS = {"received": "✓", "missing": "-", "duplicate": "D", "revised": "R", "unreadable": "?"}
_BEFORE = "before its first report here"
_LEGEND = "✓ received   R revised   D duplicate   ? unreadable   - missing   · missing, before its first report"
_YEAR = re.compile(r"(?<!\d)(20[0-3]\d)(?!\d)")
_YEAR_OF = re.compile(r"(?<!\d)(20[0-3]\d)\s*年度?(?!\s*\d{1,2}\s*月)")
_NO_NAME = re.compile(r"[^\u4e00-\u9fff·]|20\d\d年度?|年度?")
_LONGEST_NAME = 40

_REPORTS = """
SELECT coalesce(b.name, r.authority), b.doubt, r.authority, r.year, r.coverage, r.path,
       EXISTS (SELECT 1 FROM revisions WHERE revises = r.id),
       (SELECT count(*) FROM files f WHERE f.sha256 = r.sha256 AND f.path <> r.path)
FROM reports r LEFT JOIN bodies b ON b.report = r.id ORDER BY r.year, r.id
"""


@dataclass(slots=True)
class Entry:
    """What is known of one body and year; ``duplicates`` and ``revisions`` are further files, by their numbers."""

    authority: str
    body: str
    year: int
    reports: int = 0
    duplicates: int = 0
    revisions: int = 0
    unreadable: int = 0
    coverage: str | None = None
    path: str | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def statuses(self) -> tuple[str, ...]:
        """All that is true of it, the most telling first."""
        found = [name for name, is_so in (("revised", self.revisions), ("duplicate", self.duplicates)) if is_so]
        if self.unreadable:
            found.append("unreadable")
        if self.reports:
            found.append("received")
        return tuple(found) or ("missing",)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Entries by body and year; ``apart`` are files (path, what is wrong) that belong to no body or to no year."""

    years: tuple[int, ...]
    bodies: Mapping[str, Mapping[int, Entry]]
    apart: tuple[tuple[str, str], ...]


def read_ledger(store: Store) -> Ledger:
    """The ledger of a store.

    Raises:
        StoreError: the store was made before bodies were told apart.
    """
    store.require("bodies")
    bodies: dict[str, dict[int, Entry]] = defaultdict(dict)
    printed: dict[str, str] = {}
    spellings: dict[str, set[str]] = defaultdict(set)
    apart: list[tuple[str, str]] = []
    for body, doubt, authority, year, coverage, path, superseded, duplicates in store.count(_REPORTS):
        if body is None or year is None:
            missing = " and ".join(name for name, value in (("authority", body), ("year", year)) if value is None)
            apart.append((path, f"read, but it states no {missing}"))
            continue
        printed[body] = authority
        spellings[_bare(authority)].add(body)
        spellings[_bare(body)].add(body)
        entry = bodies[body].setdefault(year, Entry(authority, body, year))
        entry.revisions += superseded
        entry.duplicates += duplicates
        if not superseded:
            entry.reports += 1
            entry.coverage, entry.path = coverage, path
        if doubt is not None and doubt not in entry.notes:
            entry.notes.append(doubt)
    _add_quarantine(store, bodies, printed, spellings, apart)
    _add_problems(store, bodies)
    years = tuple(sorted({year for entries in bodies.values() for year in entries}))
    for body, entries in bodies.items():
        _add_missing(printed[body], body, entries, years)
    _name_apart(bodies, printed)
    ordered = {body: bodies[body] for body in sorted(bodies, key=lambda body: (printed[body], body))}
    return Ledger(years, ordered, tuple(sorted(apart)))


def _name_apart(bodies: Mapping[str, Mapping[int, Entry]], printed: Mapping[str, str]) -> None:
    """Each body by its newest printed name; with the areas around it where others print the same."""
    bearers = Counter(printed.values())
    for body, entries in bodies.items():
        for entry in entries.values():
            entry.authority = printed[body] if bearers[printed[body]] == 1 else body


def _add_missing(authority: str, body: str, entries: dict[int, Entry], years: Sequence[int]) -> None:
    """Years for which there is nothing: from the body's first report to the newest year of the store.

    Years before its first report count where the store holds a report of some body for them.
    """
    first = min(entries)
    expected = {*range(first, years[-1] + 1), *(year for year in years if year < first)}
    for year in sorted(expected - entries.keys()):
        note = [_BEFORE] if year < first else []
        entries[year] = Entry(authority, body, year, notes=note)


def _add_problems(store: Store, bodies: Mapping[str, Mapping[int, Entry]]) -> None:
    query = (
        "SELECT b.name, r.year, p.message FROM year_problems p JOIN reports r ON r.id = p.report "
        "JOIN bodies b ON b.report = r.id ORDER BY p.report, p.n"
    )
    for body, year, message in store.count(query):
        bodies[body][year].notes.append(message)


def _add_quarantine(
    store: Store,
    bodies: Mapping[str, dict[int, Entry]],
    printed: Mapping[str, str],
    spellings: Mapping[str, set[str]],
    apart: list[tuple[str, str]],
) -> None:
    """Files that gave no report, in the place that their name and folders tell."""
    for path, (code, message) in sorted(store.quarantined().items()):
        if code == DUPLICATE:
            continue
        body, year = find_body(path, spellings), find_year(path)
        if body is None or year is None:
            apart.append((path, f"{code}: {message}"))
            continue
        entry = bodies[body].setdefault(year, Entry(printed[body], body, year))
        entry.unreadable += 1
        entry.path = entry.path or path
        entry.notes.append(f"{code}: {message}" + ("" if entry.path == path else f" ({path})"))


def find_year(path: str) -> int | None:
    """The year that a path tells: the last part that names one only, 2023年 before a bare 2023."""
    for part in reversed(path.split("/")):
        for pattern in (_YEAR_OF, _YEAR):
            years = set(pattern.findall(part))
            if len(years) == 1:
                return int(years.pop())
            if years:
                return None
    return None


def find_body(path: str, spellings: Mapping[str, set[str]]) -> str | None:
    """The body that the characters of a path name: the longest name in it, if it is that of one body."""
    text = _bare(path)
    for length in range(min(_LONGEST_NAME, len(text)), 2, -1):
        found = {
            body for start in range(len(text) - length + 1) for body in spellings.get(text[start : start + length], ())
        }
        if found:
            return found.pop() if len(found) == 1 else None
    return None


def _bare(text: str) -> str:
    """The Chinese characters of a name, without what says the year: folders and names run on."""
    return _NO_NAME.sub("", encode(text).chars)


def chosen(ledger: Ledger, authority: str | None, year: int | None, status: str | None) -> list[Entry]:
    """The entries of some bodies, of one year, of one status; None takes all."""
    return [
        entry
        for body, entries in ledger.bodies.items()
        if authority is None or names(authority, next(iter(entries.values())).authority, body)
        for _, entry in sorted(entries.items())
        if (year is None or entry.year == year) and (status is None or status in entry.statuses)
    ]


def written(ledger: Ledger, entries: Sequence[Entry], how: str) -> Iterator[str]:
    """The entries as a table of marks, as JSON Lines or as CSV; what stands apart comes last."""
    apart = [Entry("", "", 0, unreadable=1, path=path, notes=[reason]) for path, reason in ledger.apart]
    if how == "text":
        yield from _table(entries)
        yield from _apart(ledger)
        return
    rows = [_row(entry) for entry in entries] + [
        dict.fromkeys(COLUMNS) | {"status": "apart", "path": entry.path, "note": entry.notes[0]} for entry in apart
    ]
    if how == "json":
        yield from (json.dumps(row, ensure_ascii=False) for row in rows)
    else:
        yield from csv_lines(COLUMNS, ([row[name] for name in COLUMNS] for row in rows))


def _row(entry: Entry) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in COLUMNS if name not in ("status", "note")}
    return row | {"status": " ".join(entry.statuses), "note": "; ".join(entry.notes) or None}


def _table(entries: Sequence[Entry]) -> Iterator[str]:
    years = sorted({entry.year for entry in entries})
    rows: dict[str, dict[int, Entry]] = defaultdict(dict)
    for entry in entries:
        rows[entry.body][entry.year] = entry
    shown = {body: plain(next(iter(own.values())).authority) for body, own in rows.items()}
    widest = max(map(width, shown.values()), default=0)
    yield " " * widest + "".join(f"  {year}" for year in years)
    for body, own in rows.items():
        marks = "".join(f"  {_mark(own.get(year)):4s}" for year in years)
        yield shown[body] + " " * (widest - width(shown[body])) + marks.rstrip()
    counts = Counter(entry.statuses[0] for entry in entries)
    yield ""
    yield _LEGEND
    yield "   ".join(f"{status} {counts[status]}" for status in STATUSES if counts[status])
    noted = [entry for entry in entries if entry.notes and entry.notes != [_BEFORE]]
    yield from (plain(f"{entry.authority} {entry.year}: {note}") for entry in noted for note in entry.notes)


def _mark(entry: Entry | None) -> str:
    if entry is None:
        return ""
    if entry.notes == [_BEFORE]:
        return "·"
    return "".join(_MARKS[status] for status in entry.statuses if status != "received") or _MARKS["received"]


def _apart(ledger: Ledger) -> Iterable[str]:
    if ledger.apart:
        yield ""
        yield "files that tell no authority or no year:"
        yield from (plain(f"  {path}: {reason}") for path, reason in ledger.apart)
