"""The statutory forms as data: what each table asks, in printed order, and what must add up.

A form is one TOML file in ``data/forms``; ``docs/new-form.md`` explains its fields. Loading checks the file: a
duplicate key, an identity that names no cell or an unknown field raises :class:`FormError`.
"""

from __future__ import annotations

import fnmatch
import functools
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

SCHEMA = "gongkai.form/1"

CellType = Literal["count", "signed", "amount"]
Relation = Literal["equal", "expected", "at_most"]
_CELL_TYPES = ("count", "signed", "amount")
_RELATIONS = ("equal", "expected", "at_most")


# Labels, rows, columns and tables are loaded once and compared by identity: they are keys of look-ups made for
# every printed row, and hashing their texts each time would cost more than reading the report.


class FormError(ValueError):
    """A form file that contradicts itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Label:
    """A printed label, the other spellings that were met for it, and its part of the contract's key."""

    label: str
    also: tuple[str, ...] = ()
    key: str = ""
    spellings: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Join the form's own spelling and the others, once: comparisons ask for them for every printed row."""
        object.__setattr__(self, "spellings", (self.label, *self.also))


@dataclass(frozen=True, slots=True, eq=False)
class Column(Label):
    """A value column. ``path`` holds the header labels above it, outermost first."""

    type: CellType = "count"
    unit: str = ""
    path: tuple[str, ...] = ()
    unit_printed: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Row(Label):
    """A line of a table. ``groups`` holds the group labels it stands under; a heading has no cells."""

    groups: tuple[str, ...] = ()
    type: CellType | None = None
    unit: str | None = None
    heading: bool = False


@dataclass(frozen=True, slots=True)
class CellSpec:
    """One cell that the form asks for."""

    key: str
    table: str
    row: Row
    column: Column
    type: CellType
    unit: str

    @property
    def row_label(self) -> str:
        """The row's label as the form prints it; empty where the table has one unlabelled row."""
        return self.row.label

    @property
    def column_label(self) -> str:
        """The column's label with the header labels above it."""
        return "·".join((*self.column.path, self.column.label))


@dataclass(frozen=True, slots=True, eq=False)
class FormTable:
    """A printed table. Tables of one ``block`` are recognised together; ``covers`` names the contract's blocks."""

    id: str
    block: str
    covers: tuple[str, ...]
    prefix: str
    captions: tuple[str, ...]
    corner: tuple[str, ...]
    foreign: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def cell_key(self, row: Row, column: Column) -> str:
        """The contract's key: prefix, row and column joined by dots, empty parts left out."""
        return ".".join(part for part in (self.prefix, row.key, column.key) if part)


@dataclass(frozen=True, slots=True)
class Identity:
    """One instance of a rule (勾稽关系): the cells of ``plus`` against the cells of ``minus``.

    ``equal`` and ``expected``: the sums agree, ``expected`` being a warning only; ``at_most``: the sum of plus
    does not exceed that of minus.
    """

    id: str
    rule: str
    relation: Relation
    plus: tuple[str, ...]
    minus: tuple[str, ...]
    wording: str


@dataclass(frozen=True, slots=True)
class Section:
    """A numbered section of the report, with the wordings met for its heading."""

    number: int
    heading: str
    kind: str
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """One statutory form. ``cells`` is keyed by the contract's key, in printed order."""

    name: str
    title: str
    document: str
    years: tuple[int, int]
    tables: tuple[FormTable, ...]
    cells: dict[str, CellSpec]
    identities: tuple[Identity, ...]
    sections: tuple[Section, ...]

    @property
    def blocks(self) -> tuple[str, ...]:
        """The names of the groups of tables that are recognised together, in printed order."""
        return tuple(dict.fromkeys(table.block for table in self.tables))

    def block_tables(self, block: str) -> tuple[FormTable, ...]:
        """The tables of one block, in printed order."""
        return tuple(table for table in self.tables if table.block == block)

    def has_totals(self, table: FormTable) -> bool:
        """Whether the last column of ``table`` is, by an identity of the form, the sum of those before it."""
        keys = [table.cell_key(table.rows[-1], column) for column in table.columns]
        return any(list(rule.plus) == keys[:-1] and list(rule.minus) == keys[-1:] for rule in self.identities)


def data_directory() -> Path:
    """Where the shipped data lies: beside the package in a wheel, at the top of the tree in a checkout."""
    installed = Path(__file__).parent / "_data"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "data"


@functools.cache
def load_forms(directory: Path | None = None) -> dict[str, Form]:
    """Every form of ``directory`` (default: the shipped ones) by name, oldest first.

    Raises:
        FormError: a file is not a form, or contradicts itself.
    """
    folder = directory or data_directory() / "forms"
    forms = [load_form(path) for path in sorted(folder.glob("*.toml"))]
    return {form.name: form for form in sorted(forms, key=lambda form: form.years)}


def load_form(path: Path) -> Form:
    """The form in one TOML file.

    Raises:
        FormError: the file is not a form, or contradicts itself.
    """
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    if data.get("schema") != SCHEMA:
        raise FormError(f"{path.name}: schema is {data.get('schema')!r}, not {SCHEMA!r}")
    try:
        tables = tuple(_table(entry) for entry in data["table"])
        form = Form(
            name=data["form"],
            title=data["title"],
            document=data["document"],
            years=(data["years"][0], data["years"][1]),
            tables=tables,
            cells=_cells(tables),
            identities=tuple(identity for entry in data.get("identity", ()) for identity in _identities(entry, tables)),
            sections=tuple(_section(entry) for entry in data.get("section", ())),
        )
        _check_identities(form)
    except (KeyError, TypeError, FormError) as error:
        raise FormError(f"{path.name}: {error}") from error
    return form


def _section(entry: dict[str, Any]) -> Section:
    return Section(entry["number"], entry["heading"], entry["kind"], tuple(entry.get("also", ())))


def _table(entry: dict[str, Any]) -> FormTable:
    return FormTable(
        id=entry["id"],
        block=entry["block"],
        covers=tuple(entry["covers"]),
        prefix=entry["prefix"],
        captions=tuple(entry.get("captions", ())),
        corner=tuple(entry.get("corner", ())),
        foreign=tuple(entry.get("foreign", ())),
        columns=tuple(_column(column) for column in entry["columns"]),
        rows=tuple(_row(row, entry) for row in entry["rows"]),
    )


def _column(entry: dict[str, Any]) -> Column:
    if entry["type"] not in _CELL_TYPES:
        raise FormError(f"unknown type {entry['type']!r} of column {entry['label']}")
    fields = dict(entry, also=tuple(entry.get("also", ())), path=tuple(entry.get("path", ())))
    return Column(**fields)


def _row(entry: dict[str, Any], table: dict[str, Any]) -> Row:
    # A row that could not be told from a heading would lose its cells silently: a heading is a row whose key is
    # empty although its table has other rows.
    heading = not entry["key"] and len(table["rows"]) > 1
    fields = dict(entry, also=tuple(entry.get("also", ())), groups=tuple(entry.get("groups", ())))
    return Row(**fields, heading=heading)


def _cells(tables: tuple[FormTable, ...]) -> dict[str, CellSpec]:
    cells: dict[str, CellSpec] = {}
    for table in tables:
        for row in table.rows:
            for column in () if row.heading else table.columns:
                key = table.cell_key(row, column)
                if key in cells:
                    raise FormError(f"the key {key} stands twice")
                cells[key] = CellSpec(key, table.id, row, column, row.type or column.type, row.unit or column.unit)
    return cells


def _identities(entry: dict[str, Any], tables: tuple[FormTable, ...]) -> list[Identity]:
    table = next((table for table in tables if table.id == entry["table"]), None)
    if table is None:
        raise FormError(f"identity {entry['rule']} names the unknown table {entry['table']}")
    relation = entry.get("relation", "equal")
    if relation not in _RELATIONS:
        raise FormError(f"identity {entry['rule']} has the unknown relation {relation!r}")
    rows = [row for row in table.rows if not row.heading]
    lines: list[tuple[Label, dict[str, str]]] = (
        [(column, {row.key: table.cell_key(row, column) for row in rows}) for column in table.columns]
        if entry["for_each"] == "column"
        else [(row, {column.key: table.cell_key(row, column) for column in table.columns}) for row in rows]
    )
    instances = []
    for line, keys in lines:
        plus, minus = (
            tuple(key for pattern in entry[side] for name, key in keys.items() if fnmatch.fnmatchcase(name, pattern))
            for side in ("plus", "minus")
        )
        name = ".".join(part for part in (table.prefix, line.key, entry.get("name", "")) if part)
        instances.append(
            Identity(f"{entry['rule']}:{name}", entry["rule"], relation, plus, minus, entry.get("wording", ""))
        )
    return instances


def _check_identities(form: Form) -> None:
    seen: set[str] = set()
    for identity in form.identities:
        if not identity.minus or (not identity.plus and identity.relation != "at_most"):
            raise FormError(f"identity {identity.id} names no cell")
        unknown = [key for key in (*identity.plus, *identity.minus) if key not in form.cells]
        if unknown:
            raise FormError(f"identity {identity.id} names the unknown cells {unknown}")
        if identity.id in seen:
            raise FormError(f"identity {identity.id} stands twice")
        seen.add(identity.id)
