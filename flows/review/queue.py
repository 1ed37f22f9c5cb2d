"""What waits for a decision: reports with their open doubts by reason, a page at a time, and doubts alike in bulk.

A page is found from the last report of the page before (keyset), never by counting off rows, and a report is asked for
its doubts through partial indexes: so a page costs the same in a store of 300 reports and of 30,000.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from extractors.fields import DOUBTFUL
from flows.decisions import FILE_NAME
from flows.store import Store

PAGE = 50
# Decisions made at once: more would be no person's look at them.
BULK = 500

# Reason to the doubts of report ``r`` that have it; {open}: those that no standing decision settles.
_OPEN = (
    "NOT EXISTS (SELECT 1 FROM review.standing s WHERE s.sha256 = r.sha256 AND s.kind = '{kind}' "
    "AND s.target = {target})"
)
_FINDINGS = "SELECT 1 FROM {table} f WHERE f.report = r.id AND f.status = 'inconsistent' AND f.rule {rules} AND {open}"
_CLAIM = "c.start || '-' || c.\"end\" || '/' || c.field"
_AT = 'c.page IS p.page AND c.box IS p.box AND c.start IS p.start AND c."end" IS p."end"'


def _open(kind: str, target: str) -> str:
    return _OPEN.format(kind=kind, target=target)


def _findings(table: str, family: str) -> str:
    # A range, which an index serves, for what begins with the family's name.
    rules = f">= '{family}.' AND f.rule < '{family}/'"
    return _FINDINGS.format(table=table, rules=rules, open=_open("finding", "f.id"))


def _problems(code: str, table: str, kind: str, target: str) -> str:
    return (
        f"SELECT 1 FROM problems p JOIN {table} c ON c.report = p.report AND {_AT} "
        f"WHERE p.report = r.id AND p.code = '{code}' AND {_open(kind, target)}"
    )


# Decisions whose reading is another by now, and not what was decided either; as flows/decisions.py has it, in SQL.
_CHANGED = """
SELECT 1 FROM review.standing s JOIN review.decisions d ON d.id = s.id
LEFT JOIN main.cells c ON s.kind = 'cell' AND c.report = r.id AND c.key = s.target
LEFT JOIN main.findings f ON s.kind = 'finding' AND f.report = r.id AND f.id = s.target
WHERE s.sha256 = r.sha256 AND CASE s.kind
WHEN 'cell' THEN (c.status, c.value, c.raw)
        IS NOT (json_extract(d.reading, '$.status'),
            json_extract(d.reading, '$.value'), json_extract(d.reading, '$.raw'))
    AND (c.status, c.value)
        IS NOT (json_extract(d.truth, '$.status'), json_extract(d.truth, '$.value'))
WHEN 'finding' THEN f.id IS NOT NULL AND (f.status, f.expected, f.reported)
    IS NOT (json_extract(d.reading, '$.status'),
        json_extract(d.reading, '$.expected'), json_extract(d.reading, '$.reported'))
WHEN 'claim' THEN d.reading IS NOT NULL AND d.verdict <> 'none' AND NOT EXISTS (
    SELECT 1 FROM main.claims m WHERE m.report = r.id AND ((m.field, m.value, m.text)
        IS (json_extract(d.reading, '$.field'), json_extract(d.reading, '$.value'), json_extract(d.reading, '$.text'))
        OR (m.field, m.value, m.text)
        IS (json_extract(d.truth, '$.field'), json_extract(d.truth, '$.value'), json_extract(d.truth, '$.text'))))
ELSE 0 END
"""
REASONS: dict[str, str] = {
    "identity": _findings("findings", "form"),
    "prose": _findings("findings", "prose"),
    "years": _findings("year_findings", "years"),
    "illegible": f"SELECT 1 FROM cells c WHERE c.report = r.id AND c.status = 'illegible' AND {_open('cell', 'c.key')}",
    "assisted": _problems("cell.assisted", "cells", "cell", "c.key"),
    "doubtful": _problems("claim.doubtful", "claims", "claim", _CLAIM) + f" AND c.confidence < {DOUBTFUL}",
    "changed": _CHANGED,
    # A body that nobody has looked at yet: what its reports are like is not known.
    "unseen": "SELECT 1 WHERE r.authority IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM review.reviewed_bodies b WHERE b.authority = r.authority)",
}
# What makes a report wait of itself; that nobody has looked at a body is said beside it.
_WAITING = ("identity", "prose", "years", "illegible", "assisted", "doubtful", "changed")


@dataclass(frozen=True, slots=True)
class Wish:
    """Which reports are wanted: with a doubt of ``reason`` or of ``rule``, of bodies named so, of a year."""

    reason: str = ""
    rule: str = ""
    authority: str = ""
    year: int | None = None

    @property
    def query(self) -> dict[str, str]:
        """The same, as it stands in an address."""
        values = {"reason": self.reason, "rule": self.rule, "authority": self.authority, "year": self.year}
        return {name: str(value) for name, value in values.items() if value}


def attach(store: Store) -> None:
    """Lets queries of the store see the decisions beside it, under the name ``review``."""
    store.connection.exec_driver_sql("ATTACH DATABASE ? AS review", (str(store.path.with_name(FILE_NAME)),))
    store.connection.rollback()


def reasons(store: Store) -> dict[str, str]:
    """The reasons that this store knows, each with its query."""
    years = has_years(store)
    return {name: query for name, query in REASONS.items() if name != "years" or years}


def has_years(store: Store) -> bool:
    """Whether the store holds findings between the reports of different years."""
    return store.holds("year_findings")


def _every(store: Store) -> str:
    """All findings of the store as a table."""
    columns = "report, n, id, rule, status, expected, reported, message"
    tables = ("findings", "year_findings") if has_years(store) else ("findings",)
    return "(" + " UNION ALL ".join(f"SELECT {columns} FROM {table}" for table in tables) + ")"


def waiting(store: Store, wish: Wish, after: int = 0, count: int = PAGE) -> list[dict[str, Any]]:
    """Reports that wait, with the number of open doubts by reason, from the one behind id ``after`` on."""
    known = reasons(store)
    condition, values = _condition(wish, known)
    counts = ", ".join(f'(SELECT count(*) FROM ({query})) AS "{name}"' for name, query in known.items())
    query = (
        f"SELECT r.id, r.authority, r.year, r.form, r.title, r.path, r.scanned, {counts} FROM reports r "
        f"WHERE r.id > :after AND {condition} ORDER BY r.id LIMIT :count"
    )
    rows = [dict(row) for row in store.stream(query, after=after, count=count, **values)]
    store.connection.rollback()
    return rows


def groups(store: Store, wish: Wish, count: int = PAGE) -> list[dict[str, Any]]:
    """Open broken findings by rule and publisher, the most first: what can be decided at once."""
    condition, values = _narrowed(wish)
    query = (
        f"SELECT f.rule, r.authority, count(*) AS findings, count(DISTINCT r.id) AS reports FROM {_every(store)} f "
        f"JOIN reports r ON r.id = f.report WHERE f.status = 'inconsistent' AND {condition} "
        f"AND {_open('finding', 'f.id')} GROUP BY f.rule, r.authority ORDER BY findings DESC, 1, 2 LIMIT :count"
    )
    rows = [dict(row) for row in store.stream(query, count=count, **values)]
    store.connection.rollback()
    return rows


def members(store: Store, rule: str, authority: str | None) -> Iterator[Mapping[str, Any]]:
    """The open broken findings of one rule and publisher, at most :data:`BULK`, each with its report."""
    query = (
        "SELECT r.sha256, r.authority, r.year, r.path, r.extractor, f.id, f.rule, f.status, f.expected, f.reported, "
        f"f.message FROM reports r JOIN {_every(store)} f ON f.report = r.id "
        "WHERE r.authority IS :authority AND f.status = 'inconsistent' AND f.rule = :rule "
        f"AND {_open('finding', 'f.id')} ORDER BY r.id, f.n LIMIT {BULK}"
    )
    yield from list(store.stream(query, rule=rule, authority=authority))
    store.connection.rollback()


def _condition(wish: Wish, known: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    condition, values = _narrowed(wish, rule=False)
    if wish.rule:
        values["rule"] = wish.rule
        tables = ["findings", *(["year_findings"] if "years" in known else [])]
        of_rule = (_FINDINGS.format(table=table, rules="= :rule", open=_open("finding", "f.id")) for table in tables)
        condition += " AND (" + " OR ".join(f"EXISTS ({query})" for query in of_rule) + ")"
    if wish.reason in known:
        return f"{condition} AND EXISTS ({known[wish.reason]})", values
    any_of = " OR ".join(f"EXISTS ({known[name]})" for name in _WAITING if name in known)
    return f"{condition} AND ({any_of})", values


def _narrowed(wish: Wish, rule: bool = True) -> tuple[str, dict[str, Any]]:
    # What a later version replaces is nobody's concern any more.
    parts, values = ["NOT EXISTS (SELECT 1 FROM revisions v WHERE v.revises = r.id)"], dict[str, Any]()
    if wish.authority:
        parts.append("instr(r.authority, :authority)")
        values["authority"] = wish.authority
    if wish.year is not None:
        parts.append("r.year = :year")
        values["year"] = wish.year
    if rule and wish.rule:
        parts.append("f.rule = :rule")
        values["rule"] = wish.rule
    return " AND ".join(parts), values
