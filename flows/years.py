"""What the years of one body say of each other, kept in the store: worked out where something has changed only.

After every run each body's current reports are summed up in a state; where that differs from the one that was last
compared, its years are compared anew, in one transaction a body. So it does not matter in which order reports arrive,
and what ends a run in between costs nothing but the bodies that are left.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from extractors.authorities import Body, compare, read_body
from extractors.extract import EXTRACTOR_VERSION
from extractors.forms import load_forms
from extractors.report import finding_to_dict
from extractors.years import check_years
from flows.store import Store

_CURRENT = """
SELECT b.name, r.id, r.year, r.coverage, r.extractor, r.run FROM reports r JOIN bodies b ON b.report = r.id
WHERE b.doubt IS NULL AND r.year IS NOT NULL AND NOT EXISTS (SELECT 1 FROM revisions WHERE revises = r.id)
ORDER BY b.name, r.year, r.id
"""
_NAMED = """
SELECT r.id, r.authority, r.region, r.year, r.coverage, b.name, b.doubt
FROM reports r JOIN bodies b ON b.report = r.id
WHERE r.year IS NOT NULL AND NOT EXISTS (SELECT 1 FROM revisions WHERE revises = r.id)
ORDER BY r.year, r.id
"""


@dataclass(frozen=True, slots=True)
class _Row:
    """A current report of a body that is certain."""

    report: int
    year: int
    coverage: str | None
    read: tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Named:
    """A current report and the body that it names."""

    report: int
    authority: str
    year: int
    coverage: str | None
    name: str
    doubt: str | None
    body: Body


def settle_years(store: Store) -> int:
    """Brings bodies, revisions and all that lies between years up to date; returns how many bodies were compared."""
    store.find_revisions()
    compared = _compare(store)
    store.save_year_problems(_find_problems(store))
    return compared


def _compare(store: Store) -> int:
    by_body: dict[str, list[_Row]] = defaultdict(list)
    for name, report, year, coverage, extractor, run in store.count(_CURRENT):
        by_body[name].append(_Row(report, year, coverage, (extractor, run)))
    known = store.compared()
    # Bodies that are gone come first: a report of theirs may now be one of another body.
    for name in known.keys() - by_body.keys():
        store.save_years(name, None)
    changed = 0
    for name, rows in by_body.items():
        state = _state(rows)
        if known.get(name) != state:
            changed += 1
            store.save_years(name, state, list(_findings(store, pair_years(rows))))
    return changed


def _state(rows: Sequence[_Row]) -> str:
    """What the findings of a body depend on."""
    return hashlib.sha256(repr((EXTRACTOR_VERSION, rows)).encode()).hexdigest()


def pair_years(rows: Sequence[_Row]) -> list[tuple[int, int]]:
    """The later and the earlier of every two reports to be held against each other: adjacent years, one coverage.

    Where the coverage of one is not told, the two are a pair if each is the only one of its year.
    """
    by_year: dict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        by_year[row.year].append(row)
    pairs: list[tuple[int, int]] = []
    for year, later_rows in by_year.items():
        earlier_rows = by_year.get(year - 1, [])
        for later in later_rows:
            same = [earlier for earlier in earlier_rows if earlier.coverage == later.coverage]
            alone = len(later_rows) == len(earlier_rows) == 1 and None in (later.coverage, earlier_rows[0].coverage)
            if same or alone:
                pairs.append((later.report, (same or earlier_rows)[0].report))
    return pairs


def _findings(store: Store, pairs: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int, Sequence[Mapping[str, Any]]]]:
    if not pairs:
        return
    records = store.load_records(sorted({report for pair in pairs for report in pair}))
    for later, earlier in pairs:
        found = check_years(records[earlier], records[later], load_forms())
        yield later, earlier, [finding_to_dict(finding) for finding in found]


# Problems


def _find_problems(store: Store) -> dict[int, list[dict[str, Any]]]:
    """Why reports of adjacent years that may belong together are not compared, by the later report."""
    named = [
        _Named(report, authority, year, coverage, name, doubt, read_body(authority, region))
        for report, authority, region, year, coverage, name, doubt in store.count(_NAMED)
    ]
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for report, other, code, message in (*_coverages(named), *_doubts(named), *_successions(named)):
        found[report].append({"other": other, "code": code, "message": message})
    return found


Problem = tuple[int, int, str, str]


def _coverages(named: Sequence[_Named]) -> Iterator[Problem]:
    """A body that reports for itself in one year and for its area in the other."""
    by_year = _by_year(named, lambda one: one.name)
    for (name, year), later in by_year.items():
        earlier = by_year.get((name, year - 1), [])
        for one in later:
            told = {other.coverage for other in earlier}
            if one.coverage is not None and told and None not in told and one.coverage not in told:
                message = f"coverage {one.coverage} in {year}, {earlier[0].coverage} in {year - 1}: not compared"
                yield one.report, earlier[0].report, "years.coverage", message


def _doubts(named: Sequence[_Named]) -> Iterator[Problem]:
    """Reports that bear one name, and may or may not be of one body."""
    by_year = _by_year(named, lambda one: one.body.key)
    for (key, year), later in by_year.items():
        others = by_year.get((key, year - 1), [])
        certain = {other.name for other in others if not other.doubt}
        for one in later:
            if one.name in certain and not one.doubt:
                continue
            other = next((other for other in others if compare(one.body, other.body) != "different"), None)
            if other is not None:
                reason = one.doubt or other.doubt or "the areas that the two reports name do not tell"
                message = f"“{one.authority}” ({year}) and “{other.authority}” ({year - 1}): {reason}; not compared"
                yield one.report, other.report, "authority.unclear", message


def _successions(named: Sequence[_Named]) -> Iterator[Problem]:
    """Bodies that begin to report where others of their kind and area end: renamed, merged, or another office."""
    years: dict[str, list[int]] = defaultdict(list)
    families: dict[str, dict[str, _Named]] = defaultdict(dict)
    for one in named:
        years[one.name].append(one.year)
        families[one.body.family].setdefault(one.name, one)
    last = {one.name: one for one in named}
    for members in families.values():
        for one in members.values():
            for other in members.values():
                follows = max(years[other.name]) == min(years[one.name]) - 1
                if one.name != other.name and follows and one.body.key != other.body.key and one.body.kind != "other":
                    message = (
                        f"“{one.authority}” reports from {one.year} on, “{other.authority}” to {one.year - 1}: "
                        "renamed, merged (机构改革) or another office; not compared"
                    )
                    yield one.report, last[other.name].report, "authority.renamed", message


def _by_year(named: Sequence[_Named], key: Any) -> dict[tuple[str, int], list[_Named]]:
    groups: dict[tuple[str, int], list[_Named]] = defaultdict(list)
    for one in named:
        groups[key(one), one.year].append(one)
    return groups
