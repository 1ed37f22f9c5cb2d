"""The tables of the store; ``docs/store.md`` describes them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import UserDefinedType


class Numeric(UserDefinedType[Any]):
    """NUMERIC as SQLite means it: whole numbers are stored as integers, others as doubles."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "NUMERIC"


metadata = sa.MetaData()

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("started", sa.Text, nullable=False),
    sa.Column("finished", sa.Text),
    sa.Column("seconds", sa.Float),
    sa.Column("inbox", sa.Text, nullable=False),
    sa.Column("extractor", sa.Text, nullable=False),
    sa.Column("read", sa.Integer),
    sa.Column("reused", sa.Integer),
    sa.Column("duplicates", sa.Integer),
    sa.Column("revised", sa.Integer),
    sa.Column("quarantined", sa.Integer),
)

reports = sa.Table(
    "reports",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False, unique=True),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("extractor", sa.Text, nullable=False),
    sa.Column("run", sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("media_type", sa.Text),
    sa.Column("pages", sa.Integer),
    sa.Column("scanned", sa.Integer),
    sa.Column("title", sa.Text),
    sa.Column("authority", sa.Text),
    sa.Column("year", sa.Integer),
    sa.Column("form", sa.Text),
    sa.Column("disclosure_form", sa.Text),
    sa.Column("applications_form", sa.Text),
    sa.Column("disputes_form", sa.Text),
    sa.Column("coverage", sa.Text),
    sa.Column("published", sa.Text),
    sa.Column("region", sa.Text),
    sa.Column("record", sa.Text, nullable=False),
    sa.Index("reports_by_authority", "authority", "year"),
)


def _part(name: str, *columns: sa.Column[Any], keyed: bool = False) -> sa.Table:
    """A table of the parts of a report, in the order of the record."""
    place = sa.Column("key", sa.Text, primary_key=True) if keyed else sa.Column("n", sa.Integer, primary_key=True)
    owner: sa.Column[Any] = sa.Column("report", sa.ForeignKey("reports.id"), primary_key=True)
    return sa.Table(name, metadata, owner, place, *columns, sqlite_with_rowid=False)


def _place() -> tuple[sa.Column[Any], ...]:
    """Evidence: page and box ``[left, top, right, bottom]`` in points, or offsets, or both."""
    return (
        sa.Column("page", sa.Integer),
        sa.Column("box", sa.Text),
        sa.Column("start", sa.Integer),
        sa.Column("end", sa.Integer),
    )


cells = _part(
    "cells",
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("value", Numeric()),
    sa.Column("value_exact", sa.Text),
    sa.Column("raw", sa.Text),
    sa.Column("unit", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("confidence", sa.Float),
    *_place(),
    keyed=True,
)

entities = _part(
    "entities",
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("role", sa.Text),
    sa.Column("kind", sa.Text),
    sa.Column("confidence", sa.Float),
    *_place(),
)

claims = _part(
    "claims",
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("value", Numeric()),
    sa.Column("value_exact", sa.Text),
    sa.Column("unit", sa.Text),
    sa.Column("bound", sa.Text),
    sa.Column("text", sa.Text),
    sa.Column("sentence", sa.Text),
    sa.Column("label", sa.Text),
    sa.Column("scope", sa.Text),
    sa.Column("part_of", sa.Text),
    sa.Column("partition", sa.Text),
    sa.Column("confidence", sa.Float),
    *_place(),
)


def _finding() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("severity", sa.Text),
        sa.Column("origin", sa.Text),
        sa.Column("message", sa.Text),
        sa.Column("expected", Numeric()),
        sa.Column("reported", Numeric()),
        sa.Column("difference", Numeric()),
        sa.Column("cells", sa.Text),
        sa.Column("claims", sa.Text),
        sa.Column("suggestion", sa.Text),
    )


findings = _part("findings", *_finding())

problems = _part(
    "problems",
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("message", sa.Text),
    *_place(),
)

# Every name under which a file was ever seen, with what it held when it was last seen.
files = sa.Table(
    "files",
    metadata,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text),
    sa.Column("size", sa.Integer),
    sa.Column("first_run", sa.ForeignKey("runs.id"), nullable=False),
    sa.Column("last_run", sa.ForeignKey("runs.id"), nullable=False),
    sa.Index("files_by_content", "sha256"),
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("detail", sa.Text),
    sa.Column("extractor", sa.Text, nullable=False),
    sa.Column("run", sa.ForeignKey("runs.id"), nullable=False),
)

# Which body each report is of: ``name`` is one for all spellings; ``doubt`` says why it is not certain.
bodies = sa.Table(
    "bodies",
    metadata,
    sa.Column("report", sa.ForeignKey("reports.id"), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("doubt", sa.Text),
    sa.Index("bodies_by_name", "name"),
)

# Findings between a report and the one of the same body for the year before (``earlier``); see flows/years.py.
year_findings = _part(
    "year_findings",
    sa.Column("earlier", sa.ForeignKey("reports.id"), nullable=False, index=True),
    sa.Column("body", sa.Text, nullable=False, index=True),
    *_finding(),
)

# Why a report is not held against another one that it may belong to.
year_problems = _part(
    "year_problems",
    sa.Column("other", sa.ForeignKey("reports.id")),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
)

# What the years of each body were when they were last compared.
years_compared = sa.Table(
    "years_compared",
    metadata,
    sa.Column("body", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
)

# A report and the next version of it: same body, year and coverage, other bytes.
revisions = sa.Table(
    "revisions",
    metadata,
    sa.Column("report", sa.ForeignKey("reports.id"), primary_key=True),
    sa.Column("revises", sa.ForeignKey("reports.id"), nullable=False, unique=True),
    sa.Column("cells_changed", sa.Integer, nullable=False),
)
