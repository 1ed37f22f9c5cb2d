"""What exports hold: each table's columns with type and meaning, and the rows of the store that belong in it.

The data dictionary is made from the same definitions, so neither can say what the other does not.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from extractors.fields import claim_fields, entity_fields
from extractors.forms import Form, load_forms
from flows.decisions import standing_in
from flows.reviewed import NO_REVIEW, review_columns, row_target
from flows.store import Store
from flows.views import column_name

Kind = Literal["text", "integer", "number"]
Row = tuple[Any, ...]
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which reports are wanted; nothing means all.

    ``authority`` is part of a name; ``current`` leaves out versions that a later one replaces.
    """

    authority: str | None = None
    years: tuple[int, ...] = ()
    form: str | None = None
    current: bool = False

    def condition(self) -> tuple[str, dict[str, Any]]:
        """A condition on the table ``reports`` under the name ``r``, and its parameters."""
        parts, values = ["1 = 1"], dict[str, Any]()
        if self.authority:
            parts.append("instr(r.authority, :authority)")
            values["authority"] = self.authority
        if self.years:
            names = {f"year{number}": year for number, year in enumerate(self.years)}
            parts.append(f"r.year IN ({', '.join(f':{name}' for name in names)})")
            values |= names
        if self.form:
            parts.append(":form IN (r.form, r.disclosure_form, r.applications_form, r.disputes_form)")
            values["form"] = self.form
        if self.current:
            parts.append("NOT EXISTS (SELECT 1 FROM revisions v WHERE v.revises = r.id)")
        return " AND ".join(parts), values


EVERYTHING = Filter()


@dataclass(frozen=True, slots=True)
class Column:
    """A column: name, type, what it holds; ``label`` and ``unit`` as the form prints them. ``take`` makes its value."""

    name: str
    kind: Kind
    about: str
    label: str = ""
    unit: str = ""
    take: Callable[[Values], Any] | None = None

    def value(self, values: Values) -> Any:
        """Its value in a row of the store."""
        return self.take(values) if self.take else values[self.name]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of an export: of the store's table ``part``, or of reports; ``view`` is where its rows come from."""

    name: str
    columns: tuple[Column, ...]
    part: str | None = None
    view: str = "reports"

    def rows(self, store: Store, wanted: Filter) -> Iterator[Row]:
        """The rows one at a time, in the order of the paths and of the record.

        Raises:
            StoreError: the store is of an older version, which has no such table.
        """
        if self.part is not None:
            store.require(self.part)
        condition, values = wanted.condition()
        join = "reports r" if self.view == "reports" else f'"{self.view}" w JOIN reports r ON r.id = w.report'
        chosen = "r.*" if self.view == "reports" else "w.*"
        reports = store.stream(
            f"SELECT {chosen}, r.id AS id FROM {join} WHERE {condition} ORDER BY r.path, r.id", **values
        )
        is_reviewed = self.name in _REVIEWED
        decided = _decided(store) if is_reviewed else {}
        for report in reports:
            if self.part is None:
                yield tuple(column.value(report) for column in self.columns)
                continue
            heads = {f"report_{name}": value for name, value in report.items()}
            query = f"SELECT * FROM {self.part} WHERE report = :report ORDER BY n"
            reviewed = decided.get(report["sha256"], {})
            for row in store.stream(query, report=report["id"]):
                together = heads | row
                if is_reviewed:
                    together |= reviewed.get(row_target(self.name, row), NO_REVIEW)
                yield tuple(column.value(together) for column in self.columns)


def _decided(store: Store) -> dict[str, dict[tuple[str, str], dict[str, Any]]]:
    """By the report's sha256, what was decided of its parts; most reports have none."""
    found = {}
    for sha256, standing in standing_in(store.path.parent).items():
        for record in store.records("r.sha256 = :sha256", {"sha256": sha256}):
            found[sha256] = review_columns(json.loads(record), standing)
    return found


def tables() -> tuple[Table, ...]:
    """Every table of an export, the dictionary aside."""
    wide = tuple(_wide(form) for form in load_forms().values())
    return (
        Table("reports", _REPORT),
        *wide,
        *(Table(name, columns, _SOURCES.get(name, name)) for name, columns in _PARTS.items()),
    )


def dictionary() -> tuple[tuple[Column, ...], Iterator[Row]]:
    """The data dictionary: a row for each column of each table, each cell key and each field."""
    return _DICTIONARY, _dictionary_rows()


def long_table() -> Table:
    """A row a cell, with its labels as printed."""
    return next(table for table in tables() if table.name == "cells")


def wide_table(form: str) -> Table:
    """A row a report on ``form``, a column a cell.

    Raises:
        ValueError: there is no such form.
    """
    if form not in load_forms():
        raise ValueError(f"there is no form {form}; forms: {', '.join(load_forms())}")
    return _wide(load_forms()[form])


def _dictionary_rows() -> Iterator[Row]:
    for table in tables():
        for column in table.columns:
            form = table.name.removeprefix("wide_") if table.view != "reports" else ""
            yield table.name, column.name, column.label, column.unit, form, column.kind, column.about
    for name, spec in load_forms().items():
        for key, cell in spec.cells.items():
            label = " ".join((*cell.row.groups, cell.row_label, cell.column_label)).strip()
            yield "cells", key, label, cell.unit, name, "number", f"value of cells.key; {cell.type}"
    for name, fields in (("entities", entity_fields()), ("claims", claim_fields())):
        for field in fields:
            yield name, field.name, field.term, "", "", "text", f"value of {name}.field: {field.about}"


def _wide(form: Form) -> Table:
    cells = tuple(
        Column(
            column_name(key), "number", f"cell {key}; empty unless a number was printed and read",
            " ".join((*cell.row.groups, cell.row_label, cell.column_label)).strip(), cell.unit,
        )
        for key, cell in form.cells.items()
    )  # fmt: skip
    heads = ("authority", "year", "coverage", "published", "form", "path", "sha256")
    superseded = Column("superseded", "integer", "1 where a later version of the report exists")
    return Table(f"wide_{form.name}", (*(_KNOWN[name] for name in heads), superseded, *cells), view=f"wide_{form.name}")


@functools.cache
def _labels() -> dict[str, tuple[str, str]]:
    """Key to the printed labels of row and column; where forms share a key, in the words of the newest."""
    return {
        key: (" ".join((*cell.row.groups, cell.row_label)).strip(), cell.column_label)
        for form in load_forms().values()
        for key, cell in form.cells.items()
    }


def _of_report(name: str) -> Callable[[Values], Any]:
    return lambda values: values[f"report_{name}"]


def _row_label(values: Values) -> str:
    return _labels().get(values["key"], ("", ""))[0]


def _column_label(values: Values) -> str:
    return _labels().get(values["key"], ("", ""))[1]


def _box(values: Values) -> str | None:
    return " ".join(map(str, json.loads(values["box"]))) if values["box"] else None


_REPORT = (
    Column("authority", "text", "the body that reports, as printed", "机关名称"),
    Column("year", "integer", "the year that the report is for", "年度"),
    Column("form", "text", "the form by its printed labels: 2014, 2019, 2021 or narrative"),
    Column("disclosure_form", "text", "the form of the block on active disclosure"),
    Column("applications_form", "text", "the form of the block on applications"),
    Column("disputes_form", "text", "the form of the block on disputes"),
    Column("coverage", "text", "organ: the body alone; consolidated: with those below it; empty: not told"),
    Column("published", "text", "ISO date of publication, where printed"),
    Column("region", "text", "where the body is, where printed"),
    Column("title", "text", "the title as printed"),
    Column("media_type", "text", "what kind of file it is"),
    Column("pages", "integer", "pages of a paged file"),
    Column("scanned", "integer", "1 where any page was read by OCR"),
    Column("extractor", "text", "version that read it, with the model's id"),
    Column("path", "text", "the file"),
    Column("sha256", "text", "the file's content"),
)
_KNOWN = {column.name: column for column in _REPORT}
_HEAD, _SOURCE = (
    tuple(replace(_KNOWN[name], take=_of_report(name)) for name in names)
    for names in (("authority", "year", "form", "coverage", "published"), ("path", "sha256"))
)
_PLACE = (
    Column("page", "integer", "page, from 1"),
    Column("box", "text", "left, top, right, bottom in points from the page's top left", take=_box),
    Column("start", "integer", "offset into the document's text, in code points"),
    Column("end", "integer", "end of the stretch, exclusive"),
)
_REVIEWED = ("cells", "entities", "claims", "findings")
_REVIEW = (
    Column("review", "text", "a reviewer's decision: right, corrected, none, publisher, reader or unsure; or empty"),
    Column("review_state", "text", "stands; agrees: now read as decided; stale: the reading has changed since"),
    Column("reviewer", "text", "who decided"),
    Column("reviewed", "text", "when, UTC"),
)
_REVIEWED_VALUE = (
    Column("reviewed_value", "number", "the value as a reviewer corrected it; the reading stays in its own column"),
    Column("reviewed_text", "text", "what is printed, by the reviewer"),
)
_REVIEWED_FIELD = Column("reviewed_field", "text", "the field that a reviewer corrected it to")
_CONFIDENCE = Column("confidence", "number", "how sure the reading is, 0 to 1")
_PARTS: dict[str, tuple[Column, ...]] = {
    "cells": (
        *_HEAD,
        Column("key", "text", "which cell; its meaning stands in this dictionary"),
        Column("row", "text", "the row's label as the form prints it", take=_row_label),
        Column("column", "text", "the column's label as the form prints it", take=_column_label),
        Column("value", "number", "the number printed; empty unless status is reported"),
        Column("unit", "text", "its unit; amounts are in 万元"),
        Column("status", "text", "reported, blank, illegible or absent"),
        _CONFIDENCE,
        Column("raw", "text", "what is printed"),
        *_PLACE,
        *_REVIEW,
        *_REVIEWED_VALUE,
        Column("reviewed_status", "text", "reported or blank, by the reviewer"),
        *_SOURCE,
    ),
    "entities": (
        *_HEAD,
        Column("field", "text", "leader or channel"),
        Column("text", "text", "as printed"),
        Column("role", "text", "a leader's titles, joined with 、"),
        Column("kind", "text", "a channel's kind"),
        _CONFIDENCE,
        *_PLACE,
        *_REVIEW,
        _REVIEWED_FIELD,
        _REVIEWED_VALUE[1],
        *_SOURCE,
    ),
    "claims": (
        *_HEAD,
        Column("id", "text", "the claim within its report"),
        Column("field", "text", "what it states; its meaning stands in this dictionary"),
        Column("value", "number", "the figure stated; a stated nil is 0"),
        Column("unit", "text", "unit as printed"),
        Column("bound", "text", "exact, about or at_least"),
        Column("text", "text", "as printed"),
        Column("label", "text", "the words for what is counted"),
        Column("scope", "text", "the body that it is for, where not the authority"),
        Column("part_of", "text", "id of the claim of which it is a part"),
        Column("partition", "text", "which breakdown of that whole"),
        Column("sentence", "text", "the sentence around it"),
        _CONFIDENCE,
        *_PLACE,
        *_REVIEW,
        _REVIEWED_FIELD,
        *_REVIEWED_VALUE,
        *_SOURCE,
    ),
    "findings": (
        *_HEAD,
        Column("id", "text", "the same over repeated runs"),
        Column("rule", "text", "which rule"),
        Column("status", "text", "consistent, inconsistent or unverifiable"),
        Column("severity", "text", "error or warning, of an inconsistent one"),
        Column("origin", "text", "report: the publisher printed it; reading: a doubtful reading explains it; unknown"),
        Column("message", "text", "what was held against what"),
        Column("expected", "number", "what would hold"),
        Column("reported", "number", "what is printed"),
        Column("difference", "number", "reported less expected"),
        Column("cells", "text", "keys, a JSON list"),
        Column("claims", "text", "ids, a JSON list"),
        Column("suggestion", "text", "the smallest correction where there is exactly one, JSON"),
        *_REVIEW,
        Column("reviewed_status", "text", "whether it holds with the cells as reviewers corrected them"),
        *_SOURCE,
    ),
    "problems": (
        *_HEAD,
        Column("code", "text", "what kind"),
        Column("message", "text", "what could not be read"),
        *_PLACE,
        *_SOURCE,
    ),
}  # fmt: skip
# Findings between years stand in a table of their own.
_SOURCES = {"findings": "every_finding"}
_DICTIONARY = (
    Column("table", "text", "the table"),
    Column("column", "text", "its column, or a key or field that stands in it"),
    Column("label", "text", "as the form prints it, or the official term"),
    Column("unit", "text", "unit"),
    Column("form", "text", "the form"),
    Column("kind", "text", "type"),
    Column("about", "text", "what it holds"),
)
