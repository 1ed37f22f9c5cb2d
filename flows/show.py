"""One record as text: its tables as the form prints them, broken identities marked, what its prose states, findings."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from extractors.fields import DOUBTFUL, entity_fields
from extractors.forms import Form, FormTable, Row, load_forms

Record = Mapping[str, Any]

_LABEL_WIDTH = 44
# A record that names a part of its own part would nest for ever.
_DEEPEST = 6
_BLOCKS = {
    "disclosure": "主动公开政府信息情况",
    "applications": "收到和处理政府信息公开申请情况",
    "disputes": "政府信息公开行政复议、行政诉讼情况",
}
_LEGEND = "  ! in a broken identity    / blank    ? illegible    · absent"
_MARKS = {"blank": "/", "illegible": "?", "absent": "·"}


def show_record(record: Record) -> Iterator[str]:
    """The lines of one record."""
    yield from _head(record)
    forms = load_forms()
    cells = {cell["key"]: cell for cell in record["cells"]}
    broken = {key for finding in _inconsistent(record) for key in finding["cells"]}
    seen: set[str] = set()
    for block, name in record["report"]["blocks"].items():
        if name not in forms:
            yield f"\n{_BLOCKS.get(block, block)}: no table was read"
            continue
        for table in forms[name].tables:
            if block in table.covers and table.id not in seen:
                seen.add(table.id)
                yield from _table_lines(table, forms[name], cells, broken)
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


def _table_lines(table: FormTable, form: Form, cells: Mapping[str, Any], broken: set[str]) -> Iterator[str]:
    title = table.captions[0] if table.captions else _BLOCKS.get(table.block, table.block)
    yield f"\n{title}  (form {form.name})"
    yield from _align(_grid(table, cells, broken))


def _grid(table: FormTable, cells: Mapping[str, Any], broken: set[str]) -> list[list[str]]:
    """Header and value rows; the first column is the row's label, indented under its groups."""

    def show(row: Row, column: Any) -> str:
        key = table.cell_key(row, column)
        return _value(cells.get(key), key in broken)

    values = [row for row in table.rows if not row.heading]
    paths = list(dict.fromkeys(column.path for column in table.columns))
    if len(values) == 1 and len(paths) > 1 and all(paths):
        # One line of many columns under a few headings (复议、诉讼): a line for each heading is easier to read.
        columns = {path: [column for column in table.columns if column.path == path] for path in paths}
        header = ["", *(column.label for column in columns[paths[0]])]
        return [header, *(["·".join(path), *(show(values[0], one) for one in columns[path])] for path in paths)]
    grid = [["", *(column.label for column in table.columns)]]
    printed: tuple[str, ...] = ()
    for row in table.rows:
        common = sum(1 for old, new in zip(printed, row.groups, strict=False) if old == new)
        if not row.heading:
            grid += [[f"{'  ' * depth}{row.groups[depth]}"] for depth in range(common, len(row.groups))]
            printed = row.groups
            grid.append(
                [_shorten("  " * len(row.groups) + row.label), *(show(row, column) for column in table.columns)]
            )
        elif row.label not in printed:
            grid.append([f"{'  ' * len(row.groups)}{row.label}"])
            printed = (*row.groups, row.label)
    return grid


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
