"""SQL views of the store, for whoever opens the file in a SQLite browser; made from the forms, so always theirs."""

from __future__ import annotations

import sqlalchemy as sa

from extractors.forms import Form, load_forms

_DUPLICATES = """
CREATE VIEW duplicates AS
SELECT files.sha256, reports.path AS original, files.path AS duplicate
FROM files JOIN reports ON reports.sha256 = files.sha256 WHERE files.path <> reports.path
"""

# A report's own findings and those between it and the report for the year before (``earlier``).
_EVERY_FINDING = """
CREATE VIEW every_finding AS
SELECT report, NULL AS earlier, n, id, rule, status, severity, origin, message, expected, reported, difference, cells,
       claims, suggestion FROM findings
UNION ALL
SELECT report, earlier, n, id, rule, status, severity, origin, message, expected, reported, difference, cells,
       claims, suggestion FROM year_findings
"""

_INCONSISTENCIES = """
CREATE VIEW inconsistencies AS
SELECT r.authority, r.year, f.rule, f.severity, f.origin, f.message, f.expected, f.reported, f.difference, f.cells,
       f.suggestion, r.path, f.report, f.id, f.earlier
FROM every_finding f JOIN reports r ON r.id = f.report WHERE f.status = 'inconsistent'
"""

# What the review page looks for in every report: few rows of many, which SQLite then finds without reading the others.
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS findings_broken ON findings (rule, report) WHERE status = 'inconsistent'",
    "CREATE INDEX IF NOT EXISTS findings_of_broken ON findings (report, rule) WHERE status = 'inconsistent'",
    "CREATE INDEX IF NOT EXISTS cells_illegible ON cells (report) WHERE status = 'illegible'",
    "CREATE INDEX IF NOT EXISTS problems_assisted ON problems (report) WHERE code = 'cell.assisted'",
    "CREATE INDEX IF NOT EXISTS problems_doubtful ON problems (report) WHERE code = 'claim.doubtful'",
)


def create_indexes(connection: sa.Connection) -> None:
    """Makes the indexes that a store of an older version lacks."""
    for statement in _INDEXES:
        connection.exec_driver_sql(statement)


def create_views(connection: sa.Connection) -> None:
    """Makes the views anew: ``wide_FORM`` for each form, ``duplicates``, ``every_finding`` and ``inconsistencies``."""
    views = {f"wide_{form.name}": wide_view(form) for form in load_forms().values()}
    views |= {"duplicates": _DUPLICATES, "every_finding": _EVERY_FINDING, "inconsistencies": _INCONSISTENCIES}
    for name, statement in views.items():
        known = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'view' AND name = ?", (name,))
        if known.scalar() != statement.strip():
            connection.exec_driver_sql(f'DROP VIEW IF EXISTS "{name}"')
            connection.exec_driver_sql(statement.strip())


def wide_view(form: Form) -> str:
    """One row per report any block of which is on ``form``; a column for each cell, dots replaced by ``_``.

    Every column is a look-up by primary key, so a query pays for the columns that it names only.
    """
    columns = ",\n".join(
        f"(SELECT value FROM cells WHERE report = r.id AND key = '{key}') AS \"{column_name(key)}\""
        for key in form.cells
    )
    return f"""
CREATE VIEW "wide_{form.name}" AS
SELECT r.id AS report, r.authority, r.year, r.coverage, r.published, r.form, r.path, r.sha256,
EXISTS (SELECT 1 FROM revisions WHERE revises = r.id) AS superseded,
{columns}
FROM reports r
WHERE '{form.name}' IN (r.form, r.disclosure_form, r.applications_form)
OR ('{form.name}' = r.disputes_form AND coalesce(r.disclosure_form, r.applications_form) IS NULL)
"""


def column_name(key: str) -> str:
    """The column of a cell in the wide views and tables."""
    return key.replace(".", "_")
