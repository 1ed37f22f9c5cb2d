"""The tables of a report as lines: what ``gongkai show`` and the page of ``gongkai check`` lay out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from extractors.forms import Form, FormTable

BLOCKS = {
    "disclosure": "主动公开政府信息情况",
    "applications": "收到和处理政府信息公开申请情况",
    "disputes": "政府信息公开行政复议、行政诉讼情况",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: its label, how deep it stands under group labels, its cells; none for a heading."""

    depth: int
    label: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grid:
    """One table: its caption, the labels of its columns, those that stand above them (empty where none), its lines."""

    title: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    above: tuple[str, ...] = ()


def report_tables(blocks: Mapping[str, str | None], forms: Mapping[str, Form]) -> Iterator[tuple[str, Form, FormTable]]:
    """Each table that the blocks of a report have, once, with its block and form; blocks without a form have none."""
    seen: set[str] = set()
    for block, name in blocks.items():
        if name is None or name not in forms:
            continue
        for table in forms[name].tables:
            if block in table.covers and table.id not in seen:
                seen.add(table.id)
                yield block, forms[name], table


def lay_out(table: FormTable) -> Grid:
    """The lines of a table, rows under their group labels."""
    title = table.captions[0] if table.captions else BLOCKS.get(table.block, table.block)
    values = [row for row in table.rows if not row.heading]
    paths = list(dict.fromkeys(column.path for column in table.columns))
    if len(values) == 1 and len(paths) > 1 and all(paths):
        # One line of many columns under a few headings (复议、诉讼): a line for each heading is easier to read.
        columns = {path: [column for column in table.columns if column.path == path] for path in paths}
        lines = tuple(
            Line(0, "·".join(path), tuple(table.cell_key(values[0], one) for one in columns[path])) for path in paths
        )
        return Grid(title, tuple(column.label for column in columns[paths[0]]), lines)
    above = tuple("·".join(column.path) for column in table.columns)
    return Grid(title, tuple(column.label for column in table.columns), tuple(_lines(table)), above)


def _lines(table: FormTable) -> Iterator[Line]:
    printed: tuple[str, ...] = ()
    for row in table.rows:
        common = sum(1 for old, new in zip(printed, row.groups, strict=False) if old == new)
        if not row.heading:
            yield from (Line(depth, row.groups[depth]) for depth in range(common, len(row.groups)))
            printed = row.groups
            yield Line(len(row.groups), row.label, tuple(table.cell_key(row, column) for column in table.columns))
        elif row.label not in printed:
            yield Line(len(row.groups), row.label)
            printed = (*row.groups, row.label)
