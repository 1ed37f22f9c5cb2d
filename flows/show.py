"""One record as text: its tables as the form prints them, broken identities marked, what its prose states, findings."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from extractors.fields import DOUBTFUL, entity_fields
from extractors.forms import load_forms
from flows.layout import BLOCKS, Grid, Line, lay_out, report_tables

Record = Mapping[str, Any]

_LABEL_WIDTH = 44
# A record that names a part of its own part would nest for ever.
_DEEPEST = 6
_LEGEND = "  ! in a broken identity    / blank    ? illegible    · absent"
_MARKS = {"blank": "/", "illegible": "?", "absent": "·"}


def show_record(record: Record) -> Iterator[str]:
    """The lines of one record."""
    yield from _head(record)
    forms = load_forms()
    cells = {cell["key"]: cell for cell in record["cells"]}
    broken = {key for finding in _inconsistent(record) for key in finding["cells"]}
    tables = list(report_tables(record["report"]["blocks"], forms))
    for block, name in record["report"]["blocks"].items():
        if name not in forms:
            yield f"\n{BLOCKS.get(block, block)}: no table was read"
        for _, form, table in (one for one in tables if one[0] == block):
            yield from _table_lines(lay_out(table), form.name, cells, broken)
    if cells:
        yield f"\n{_LEGEND}"
    yield from _entities(record)
    yield from _claims(record)
    yield from _findings(record)
    yield from _problems(record)


def width(text: str) -> int:
    """Columns that ``text`` takes on a terminal: two for a Chinese character."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _head(record: Record) -> Iterator[str]:
    report, source = record["report"], record["source"]
    yield report["title"] or "(no title)"
    facts = [report["authority"] or "(no authority)", str(report["year"] or "(no year)"), f"form {report['form']}"]
    facts += [f"published {report['published']}"] if report["published"] else []
    facts += [report["coverage"]] if report["coverage"] else []
    yield " · ".join(facts)
    yield f"{source['path']}  {source['media_type']}  sha256 {source['sha256'][:16]}"


def _table_lines(grid: Grid, form: str, cells: Mapping[str, Any], broken: set[str]) -> Iterator[str]:
    yield f"\n{grid.title}  (form {form})"
    yield from _align([["", *grid.heads], *(_row(line, cells, broken) for line in grid.lines)])


def _row(line: Line, cells: Mapping[str, Any], broken: set[str]) -> list[str]:
    """The label, indented under its groups, and the values."""
    label = "  " * line.depth + line.label
    return [_shorten(label), *(_value(cells.get(key), key in broken) for key in line.keys)] if line.keys else [label]


def _value(cell: Any, is_broken: bool) -> str:
    if cell is None:
        return _MARKS["absent"]
    text = str(cell["value"]) if cell["status"] == "reported" else _MARKS[cell["status"]]
    return f"{text}!" if is_broken else text


def _align(grid: Sequence[Sequence[str]]) -> Iterator[str]:
    columns = max(len(row) for row in grid)
    widths = [max(width(row[place]) for row in grid if len(row) == columns) for place in range(columns)]
    for row in grid:
        if len(row) == 1:
            yield f"  {row[0]}"
            continue
        label = row[0] + " " * (widths[0] - width(row[0]))
        parts = (" " * (wide - width(part)) + part for part, wide in zip(row[1:], widths[1:], strict=True))
        yield "  ".join(("", label, *parts)).rstrip()


def _shorten(text: str) -> str:
    if width(text) <= _LABEL_WIDTH:
        return text
    while width(text) > _LABEL_WIDTH - 1:
        text = text[:-1]
    return f"{text}…"


def _inconsistent(record: Record) -> list[Any]:
    return [finding for finding in record["findings"] if finding["status"] == "inconsistent"]


def _entities(record: Record) -> Iterator[str]:
    for field in entity_fields():
        named: dict[str, int] = {}
        for entity in record["entities"]:
            if entity["field"] == field.name:
                said = entity["role"] or entity["kind"]
                text = " ".join(entity["text"].split())
                name = f"{text} ({said})" if said else text
                named[name] = named.get(name, 0) + 1
        if named:
            yield f"\n{field.term} {field.name}: " + ", ".join(
                name if times == 1 else f"{name} x{times}" for name, times in named.items()
            )


def _claims(record: Record) -> Iterator[str]:
    """The claims in the order of the prose, parts below their wholes by indentation."""
    if not record["claims"]:
        return
    yield f"\nClaims: {len(record['claims'])}"
    claims = {claim["id"]: claim for claim in record["claims"]}
    for claim in claims.values():
        depth, above = 0, claim
        while above["part_of"] in claims and depth < _DEEPEST:
            depth, above = depth + 1, claims[above["part_of"]]
        bound = {"exact": "", "about": "about ", "at_least": "at least "}[claim["bound"]]
        value = f"{bound}{claim['value']:,} {claim['unit'] or ''}".rstrip()
        words = " ".join(part for part in (claim["label"], claim["scope"] and f"[{claim['scope']}]") if part)
        doubt = "  ?" if claim["confidence"] < DOUBTFUL else ""
        yield f"  {'  ' * depth}{claim['field']}: {value}{f'  {words}' if words else ''}{doubt}"


def _findings(record: Record) -> Iterator[str]:
    counts = {name: 0 for name in ("consistent", "inconsistent", "unverifiable")}
    for finding in record["findings"]:
        counts[finding["status"]] += 1
    yield f"\nFindings: {', '.join(f'{number} {name}' for name, number in counts.items())}"
    for finding in _inconsistent(record):
        yield f"  {finding['severity']} {finding['rule']} (origin: {finding['origin']}): {finding['message']}"
        for change in finding["suggestion"] or ():
            yield f"    suggested: {change['key']} {change['reported']} -> {change['suggested']}"


def _problems(record: Record) -> Iterator[str]:
    if not record["problems"]:
        return
    yield f"\nProblems: {len(record['problems'])}"
    for problem in record["problems"]:
        place = problem["evidence"] or {}
        where = f" (page {place['page']})" if place.get("page") else ""
        yield f"  {problem['code']}{where}: {problem['message']}"
