"""The findings of a whole store: chosen, counted, and listed with the worst first. Superseded reports are left out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from typing import Any

from extractors.authorities import read_body
from flows.decisions import Decision, reading_of, standing_in, state_of
from flows.export import neutralise
from flows.store import Store

FORMATS = ("text", "json", "csv")
GROUPS = ("rule", "authority", "year")
STATUSES = ("inconsistent", "unverifiable", "consistent", "all")
ORIGINS = ("report", "reading", "unknown")

_QUERY = """
SELECT r.authority, r.year, f.rule, f.status, f.severity, f.origin, f.message, f.expected, f.reported, f.difference,
       f.cells, f.claims, f.id, r.path, r.sha256, e.year AS earlier_year, e.path AS earlier_path,
       coalesce(b.name, '') AS body
FROM every_finding f JOIN reports r ON r.id = f.report
LEFT JOIN bodies b ON b.report = r.id LEFT JOIN reports e ON e.id = f.earlier
WHERE NOT EXISTS (SELECT 1 FROM revisions WHERE revises = r.id)
"""
_REVIEWS = {"publisher": "the publisher's error", "reader": "the reader's error", "unsure": "cannot be told"}
# What a reader should look at first: errors, then what is beyond doubt the publisher's.
_WORST = """
ORDER BY CASE f.status WHEN 'inconsistent' THEN 0 WHEN 'unverifiable' THEN 1 ELSE 2 END,
coalesce(f.severity, '') <> 'error', CASE f.origin WHEN 'report' THEN 0 WHEN 'unknown' THEN 1 ELSE 2 END,
abs(coalesce(f.difference, 0)) / max(abs(coalesce(f.expected, 0)), 1.0) DESC,
r.year DESC, r.authority, r.path, f.rule, f.n
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which findings are wanted; None takes all. A rule may be a family of rules (``years``)."""

    rule: str | None = None
    authority: str | None = None
    year: int | None = None
    status: str = "inconsistent"
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A finding with its report; ``earlier_year`` and ``earlier_path`` are of the report for the year before.

    ``review`` is what a reviewer decided of it, ``review_state`` whether it is still what that was decided on.
    """

    authority: str | None
    year: int | None
    rule: str
    status: str
    severity: str | None
    origin: str | None
    message: str
    expected: int | float | None
    reported: int | float | None
    difference: int | float | None
    cells: tuple[str, ...]
    claims: tuple[str, ...]
    id: str
    path: str
    sha256: str
    earlier_year: int | None
    earlier_path: str | None
    review: str | None = None
    review_state: str | None = None


def find_rows(store: Store, choice: Choice) -> Iterator[Row]:
    """The findings that are wanted, the worst first.

    Raises:
        StoreError: the store was made before years were compared.
    """
    store.require("every_finding")
    conditions, parameters = _conditions(choice)
    standing = standing_in(store.path.parent)
    for values in store.stream(f"{_QUERY} {conditions} {_WORST}", **parameters):
        body = values.pop("body")
        if choice.authority is None or names(choice.authority, values["authority"], body):
            lists = {name: tuple(json.loads(values[name] or "[]")) for name in ("cells", "claims")}
            yield Row(**values | lists | _review(standing.get(values["sha256"], {}), values))


def _review(standing: Mapping[tuple[str, str], Decision], values: Mapping[str, Any]) -> dict[str, str]:
    decision = standing.get(("finding", values["id"]))
    if decision is None:
        return {}
    return {"review": decision.verdict, "review_state": state_of(decision, reading_of("finding", values))}


def _conditions(choice: Choice) -> tuple[str, dict[str, Any]]:
    parts, parameters = [], {}
    if choice.rule is not None:
        parts.append("AND (f.rule = :rule OR substr(f.rule, 1, length(:rule) + 1) = :rule || '.')")
        parameters["rule"] = choice.rule
    for name, column in (("year", "r.year"), ("origin", "f.origin")):
        if getattr(choice, name) is not None:
            parts.append(f"AND {column} = :{name}")
            parameters[name] = getattr(choice, name)
    if choice.status != "all":
        parts.append("AND f.status = :status")
        parameters["status"] = choice.status
    return " ".join(parts), parameters


def names(wanted: str, authority: str | None, body: str) -> bool:
    """Whether ``wanted`` is a part of the printed name, or another spelling of the body."""
    if wanted in (authority or "") or wanted in body:
        return True
    return bool(body) and read_body(wanted, None).key == read_body(body, None).key


def count_rows(rows: Iterable[Row], group: str) -> list[dict[str, Any]]:
    """The numbers of findings by ``group`` (one of :data:`GROUPS`), the most errors first."""
    counts: dict[Any, dict[str, Any]] = {}
    for row in rows:
        name = getattr(row, group)
        entry = counts.setdefault(name, {group: name, "errors": 0, "warnings": 0, "findings": 0, "reports": set()})
        entry["errors"] += row.severity == "error"
        entry["warnings"] += row.severity == "warning"
        entry["findings"] += 1
        entry["reports"].add(row.path)
    counted = [entry | {"reports": len(entry["reports"])} for entry in counts.values()]
    return sorted(counted, key=lambda entry: (-entry["errors"], -entry["findings"], str(entry[group])))


def written(rows: Iterable[Row], how: str) -> Iterator[str]:
    """The findings as lines of text, of JSON (one a finding) or of CSV."""
    if how == "json":
        yield from (json.dumps(asdict(row), ensure_ascii=False) for row in rows)
    elif how == "csv":
        header = [column.name for column in fields(Row)]
        yield from csv_lines(header, ([_flat(value) for value in astuple(row)] for row in rows))
    else:
        yield from (line for row in rows for line in _text(row))


def written_counts(counts: Sequence[Mapping[str, Any]], how: str, group: str) -> Iterator[str]:
    """The counts as a table, JSON Lines or CSV."""
    header = [group, "errors", "warnings", "findings", "reports"]
    if how == "json":
        yield from (json.dumps(entry, ensure_ascii=False) for entry in counts)
    elif how == "csv":
        yield from csv_lines(header, ([entry[name] for name in header] for entry in counts))
    else:
        yield "errors warnings findings reports  " + group
        for entry in counts:
            numbers = (entry["errors"], entry["warnings"], entry["findings"], entry["reports"])
            yield "{:6d} {:8d} {:8d} {:7d}  ".format(*numbers) + plain(entry[group] or f"(no {group})")


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Lines of CSV with the mark that Excel needs; text that a spreadsheet would run gets a leading apostrophe."""
    yield "\ufeff" + _csv_line(header)
    for row in rows:
        yield _csv_line([neutralise(value) for value in row])


def _csv_line(row: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()


def plain(value: Any) -> str:
    """One line for a terminal: nothing in a document may move the cursor."""
    return "".join(char if char.isprintable() else " " for char in str(value))


def _flat(value: Any) -> Any:
    return " ".join(value) if isinstance(value, tuple) else value


def _text(row: Row) -> Iterator[str]:
    verdict = row.status if row.severity is None else f"{row.severity} ({row.origin})"
    between = f" against {row.earlier_year}" if row.earlier_year is not None else ""
    yield plain(f"{row.authority or '(no authority)'} · {row.year or '(no year)'}{between} · {row.rule} · {verdict}")
    yield f"    {plain(row.message)}"
    if row.review is not None:
        yield f"    reviewed: {_REVIEWS[row.review]}" + (" (stale)" if row.review_state == "stale" else "")
    yield f"    {plain(row.path)}" + (f"  <  {plain(row.earlier_path)}" if row.earlier_path else "")
