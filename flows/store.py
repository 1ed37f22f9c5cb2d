"""The store: one SQLite file, derived from the records alone; ``docs/store.md`` names its tables.

Written by one process at a time, one transaction a report: what has been read stays read, whatever ends the run.
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from extractors.authorities import Identity, identify, read_body
from flows.inbox import InboxFile, printable
from flows.schema import (
    Numeric,
    bodies,
    cells,
    claims,
    entities,
    files,
    findings,
    metadata,
    problems,
    quarantine,
    reports,
    revisions,
    runs,
    year_findings,
    year_problems,
    years_compared,
)
from flows.views import create_indexes, create_views

FILE_NAME = "gongkai.sqlite"
SCHEMA_VERSION = 1

# In quarantine beside the codes of extractors/errors.py: the same bytes under another name.
DUPLICATE = "duplicate"

_LARGEST = 2**63 - 1


class StoreError(RuntimeError):
    """The store cannot be used; the message says what to do."""


class StoreBusy(StoreError):
    """Another run is writing."""


_PARTS = (cells, entities, claims, findings, problems)

# In the order of publication where it is known of both; else in the order of arrival.
_FIND_REVISIONS = """
INSERT INTO revisions (report, revises, cells_changed)
SELECT id, earlier, (
    SELECT count(*) FROM cells a JOIN cells b ON b.report = earlier AND b.key = a.key
    WHERE a.report = pairs.id AND (a.status <> b.status OR a.value_exact IS NOT b.value_exact))
FROM (
    SELECT id, lag(id) OVER (
        PARTITION BY bodies.name, year, coalesce(coverage, '')
        ORDER BY coalesce(published, '9999'), run, path) AS earlier
    FROM reports JOIN bodies ON bodies.report = id WHERE bodies.doubt IS NULL AND year IS NOT NULL) AS pairs
WHERE earlier IS NOT NULL
"""


class Store:
    """An open store. ``writable`` takes the lock that keeps a second run out."""

    def __init__(self, folder: Path, writable: bool = False) -> None:
        self.path = folder / FILE_NAME
        self._lock = None
        if writable:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / "lock").open("w")
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._lock.close()
                raise StoreBusy(f"another run is writing to {folder}") from None
        elif not self.path.is_file():
            raise StoreError(f"there is no store at {folder}; 'gongkai run INBOX --store {folder}' makes one")
        self._engine = sa.create_engine(f"sqlite:///{self.path}")
        sa.event.listen(self._engine, "connect", _configure)
        try:
            self.connection = self._engine.connect()
            self._check_version()
            if writable:
                metadata.create_all(self.connection)
                create_indexes(self.connection)
                create_views(self.connection)
                self.connection.execute(sa.text(f"PRAGMA user_version = {SCHEMA_VERSION}"))
            self.connection.commit()
        except sa.exc.DatabaseError as error:
            self.close()
            raise StoreError(f"{self.path} cannot be used: {error.orig}") from error
        except StoreError:
            self.close()
            raise

    # What the database raises where it does not take a row, and where it can take none any more (a full disk).
    refusal = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.InterfaceError, sa.exc.ProgrammingError)
    breakdown = sa.exc.OperationalError

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file and gives the lock back."""
        if hasattr(self, "connection"):
            self.connection.close()
        self._engine.dispose()
        if self._lock is not None:
            self._lock.close()

    def start_run(self, inbox: Path, extractor: str) -> int:
        """A new row of ``runs``; returns its id."""
        row = {"started": _now(), "inbox": printable(str(inbox)), "extractor": extractor}
        with self.connection.begin():
            return int(self.connection.execute(runs.insert().returning(runs.c.id), row).scalar_one())

    def finish_run(self, run: int, counts: Mapping[str, int | float]) -> None:
        """Completes the row of ``runs``."""
        with self.connection.begin():
            self.connection.execute(runs.update().where(runs.c.id == run).values(finished=_now(), **counts))

    def current(self, extractor: str) -> dict[str, str]:
        """sha256 to path, of every report that this version of the extractor has read."""
        query = sa.select(reports.c.sha256, reports.c.path).where(reports.c.extractor == extractor)
        return {sha256: path for sha256, path in self._rows(query)}

    def held(self, extractor: str) -> set[str]:
        """sha256 of the quarantined files that this version of the extractor has tried."""
        query = sa.select(quarantine.c.sha256).where(
            quarantine.c.extractor == extractor,
            quarantine.c.sha256.is_not(None),
            quarantine.c.code != DUPLICATE,
        )
        return {sha256 for (sha256,) in self._rows(query)}

    def quarantined(self) -> dict[str, tuple[str, str]]:
        """Path to code and message, of all files in quarantine."""
        query = sa.select(quarantine.c.path, quarantine.c.code, quarantine.c.message)
        return {path: (code, message) for path, code, message in self._rows(query)}

    def note_files(self, run: int, found: Sequence[InboxFile]) -> None:
        """Records under which names which bytes were seen in this run."""
        if not found:
            return
        insert = sqlite.insert(files)
        statement = insert.on_conflict_do_update(
            index_elements=["path"],
            set_={"sha256": insert.excluded.sha256, "size": insert.excluded.size, "last_run": run},
        )
        rows = [
            {"path": file.name, "sha256": file.sha256, "size": file.size, "first_run": run, "last_run": run}
            for file in found
        ]
        with self.connection.begin():
            self.connection.execute(statement, rows)

    def add_report(self, run: int, extractor: str, file: InboxFile, record: str) -> None:
        """Stores a record in place of an earlier one of the same bytes; the file leaves quarantine."""
        parsed = json.loads(record, parse_float=Decimal)
        row = _report_row(parsed) | {
            "sha256": file.sha256,
            "path": file.name,
            "extractor": extractor,
            "run": run,
            "record": printable(record),
        }
        with self.connection.begin():
            known = self.connection.execute(
                sa.select(reports.c.id).where(reports.c.sha256 == file.sha256)
            ).scalar_one_or_none()
            if known is None:
                report = int(self.connection.execute(reports.insert().returning(reports.c.id), row).scalar_one())
            else:
                report = int(known)
                self.connection.execute(reports.update().where(reports.c.id == report), row)
                for table in _PARTS:
                    self.connection.execute(table.delete().where(table.c.report == report))
                # What was found between this report and others was found with what it said before.
                touched = sa.or_(year_findings.c.report == report, year_findings.c.earlier == report)
                self.connection.execute(year_findings.delete().where(touched))
            for table in _PARTS:
                rows = _part_rows(table, report, parsed[table.name])
                if rows:
                    self.connection.exec_driver_sql(_INSERTS[table.name], rows)
            self.connection.execute(quarantine.delete().where(quarantine.c.path == file.name))

    def rename_report(self, sha256: str, path: str) -> None:
        """The same bytes now lie under another name, and no longer under the one that was known."""
        with self.connection.begin():
            self.connection.execute(reports.update().where(reports.c.sha256 == sha256).values(path=path))

    def add_quarantine(
        self, run: int, extractor: str, file: InboxFile, code: str, message: str, detail: str | None = None
    ) -> None:
        """Stores why a file gave no report, in place of what was known of that name."""
        row = {
            "path": file.name,
            "sha256": file.sha256,
            "code": code,
            "message": printable(message),
            "detail": printable(detail) if detail else None,
            "extractor": extractor,
            "run": run,
        }
        with self.connection.begin():
            self.connection.execute(sqlite.insert(quarantine).prefix_with("OR REPLACE"), row)

    def release(self, paths: Sequence[str]) -> None:
        """Takes names out of quarantine."""
        with self.connection.begin():
            for path in paths:
                self.connection.execute(quarantine.delete().where(quarantine.c.path == path))

    def find_revisions(self) -> None:
        """Works out anew which reports are of one body, and which is a later version of which."""
        query = sa.select(reports.c.id, reports.c.authority, reports.c.region).where(reports.c.authority.is_not(None))
        found = identify({report: read_body(authority, region) for report, authority, region in self._rows(query)})
        known = {report: Identity(name, doubt) for report, name, doubt in self._rows(sa.select(bodies))}
        rows = [
            {"report": report, "name": body.name, "doubt": body.doubt}
            for report, body in found.items()
            if known.get(report) != body
        ]
        with self.connection.begin():
            for report in known.keys() - found.keys():
                self.connection.execute(bodies.delete().where(bodies.c.report == report))
            if rows:
                self.connection.execute(sqlite.insert(bodies).prefix_with("OR REPLACE"), rows)
            self.connection.execute(revisions.delete())
            self.connection.execute(sa.text(_FIND_REVISIONS))

    def compared(self) -> dict[str, str]:
        """Body to the state of its reports when its years were last compared."""
        return {body: state for body, state in self._rows(sa.select(years_compared))}

    def save_years(
        self, body: str, state: str | None, pairs: Sequence[tuple[int, int, Sequence[Mapping[str, Any]]]] = ()
    ) -> None:
        """Stores what was found between the years of a body in place of what was known of it.

        ``pairs``: the later report, the earlier one and the findings. Without ``state`` the body is forgotten.
        """
        rows = [
            row
            for later, earlier, found in pairs
            for row in _part_rows(
                year_findings, later, [{**finding, "earlier": earlier, "body": body} for finding in found]
            )
        ]
        reread = [later for later, _, _ in pairs]
        own = sa.or_(year_findings.c.body == body, year_findings.c.report.in_(reread))
        with self.connection.begin():
            self.connection.execute(year_findings.delete().where(own))
            self.connection.execute(years_compared.delete().where(years_compared.c.body == body))
            if rows:
                self.connection.exec_driver_sql(_INSERTS["year_findings"], rows)
            if state is not None:
                self.connection.execute(years_compared.insert(), {"body": body, "state": state})

    def save_year_problems(self, found: Mapping[int, Sequence[Mapping[str, Any]]]) -> None:
        """Stores the problems between reports in place of all that were known."""
        rows = [{"report": report, "n": n, **one} for report, listed in found.items() for n, one in enumerate(listed)]
        with self.connection.begin():
            self.connection.execute(year_problems.delete())
            if rows:
                self.connection.execute(year_problems.insert(), rows)

    def load_records(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """The records of some reports; numbers that are not whole as ``Decimal``."""
        query = sa.select(reports.c.id, reports.c.record).where(reports.c.id.in_(ids))
        return {report: json.loads(record, parse_float=Decimal) for report, record in self._rows(query)}

    def count(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query in SQL."""
        return [tuple(row) for row in self._rows(sa.text(query).bindparams(**parameters))]

    def holds(self, name: str) -> bool:
        """Whether the store has the table or view; one of an older version lacks some."""
        return bool(self.count("SELECT 1 FROM main.sqlite_master WHERE name = :name", name=name))

    def require(self, name: str) -> None:
        """Sees that the store has the table or view.

        Raises:
            StoreError: the store was made before there was such a thing.
        """
        if not self.holds(name):
            raise StoreError(f"{self.path} is of an older version; 'gongkai run' over its folder brings it up to date")

    def stream(self, query: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """The rows of a query in SQL, one at a time, values by the names of their columns."""
        statement = sa.text(query).bindparams(**parameters).execution_options(yield_per=500)
        for row in self.connection.execute(statement).mappings():
            yield dict(row)

    def records(self, condition: str = "1 = 1", values: Mapping[str, Any] = MappingProxyType({})) -> Iterator[str]:
        """Every record, one line of JSON each, in the order of the paths; of those reports ``r`` that are wanted.

        The findings between a report and that for the year before stand among its own.
        """
        query = f"SELECT r.id FROM reports r WHERE {condition} ORDER BY r.path, r.id"
        years = self.holds(year_findings.name)
        for (report,) in self._rows(sa.text(query).bindparams(**values)):
            for (record,) in self._rows(sa.select(reports.c.record).where(reports.c.id == report)):
                yield self._with_years(report, record) if years else record

    def _with_years(self, report: int, record: str) -> str:
        columns = [column for column in year_findings.c if column.name not in ("report", "n", "earlier", "body")]
        query = sa.select(*columns).where(year_findings.c.report == report).order_by(year_findings.c.n)
        rows = [dict(row) for row in self.connection.execute(query).mappings()]
        if not rows:
            return record
        for row in rows:
            row |= {name: json.loads(row[name]) if row[name] else None for name in ("cells", "claims", "suggestion")}
        parsed = json.loads(record)
        parsed["findings"] += rows
        return printable(json.dumps(parsed, ensure_ascii=False, separators=(",", ":")))

    def find_record(self, name: str) -> str:
        """The record of a report, with what was found between years.

        ``name`` is the beginning of its sha256 (at least 4 digits) or its path.

        Raises:
            StoreError: none, or more than one, has that name.
        """
        wanted = printable(name)
        by_path = sa.or_(reports.c.path == wanted, reports.c.path.endswith("/" + wanted, autoescape=True))
        by_content = reports.c.sha256.startswith(wanted.lower(), autoescape=True)
        condition = sa.or_(by_path, by_content) if len(wanted) >= 4 else by_path
        matches = self._rows(sa.select(reports.c.path, reports.c.record, reports.c.id).where(condition).limit(3))
        if not matches:
            raise StoreError(f"{wanted}: neither a file nor a report of {self.path.parent}")
        if len(matches) > 1:
            raise StoreError(f"{wanted}: names several reports, among them {matches[0][0]} and {matches[1][0]}")
        report, record = matches[0][2], str(matches[0][1])
        return self._with_years(report, record) if self.holds(year_findings.name) else record

    def _check_version(self) -> None:
        version = self.connection.execute(sa.text("PRAGMA user_version")).scalar_one()
        if version not in (0, SCHEMA_VERSION):
            raise StoreError(f"{self.path} was made by another version of gongkai; use another --store")

    def _rows(self, query: sa.Executable) -> list[Any]:
        rows = list(self.connection.execute(query).all())
        # Reading opens a transaction too; one that stays open would keep the log of the file from being folded in.
        self.connection.rollback()
        return rows


def exact(value: Any) -> str | None:
    """A number as decimal digits; None for none."""
    return None if value is None else format(value, "f") if isinstance(value, Decimal) else str(value)


def sql_number(value: Any) -> int | float | None:
    """A number as SQLite keeps it: an integer where it is whole and fits, else a double."""
    if value is None:
        return None
    if value == int(value) and abs(value) <= _LARGEST:
        return int(value)
    return float(value)


def _report_row(record: Mapping[str, Any]) -> dict[str, Any]:
    source, report = record["source"], record["report"]
    row = {name: source[name] for name in ("media_type", "pages", "scanned")}
    plain = ("title", "authority", "year", "form", "coverage", "published", "region")
    row |= {name: _plain(report[name]) for name in plain}
    blocks = report["blocks"]
    return row | {f"{block}_form": blocks.get(block) for block in ("disclosure", "applications", "disputes")}


def _insert(table: sa.Table) -> str:
    """The statement that adds rows to a table of parts.

    As text with its values in order: compiling and binding 250 rows of names a report took three times as long as
    SQLite itself.
    """
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join('?' * len(table.columns))})"


def _part_rows(table: sa.Table, report: int, parts: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """The rows of one table, values in the order of its columns."""
    names = [column.name for column in table.columns]
    numbers = frozenset(column.name for column in table.columns if isinstance(column.type, Numeric))
    rows = []
    for n, part in enumerate(parts):
        extra = {"report": report, "n": n} | _evidence(part.get("evidence"))
        if "value" in numbers:
            extra["value_exact"] = exact(part["value"])
        rows.append(
            tuple(
                sql_number(part[name]) if name in numbers else extra[name] if name in extra else _plain(part[name])
                for name in names
            )
        )
    return rows


def _evidence(evidence: Mapping[str, Any] | None) -> dict[str, Any]:
    if not evidence:
        return {"page": None, "box": None, "start": None, "end": None}
    return {
        "page": evidence.get("page"),
        "box": _plain(evidence.get("box")),
        "start": evidence.get("start"),
        "end": evidence.get("end"),
    }


def _plain(value: Any) -> Any:
    """What SQLite takes: lists as JSON, scores as doubles, text without lone surrogates."""
    if isinstance(value, str):
        return value if value.isascii() else printable(value)
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, default=float)
    return float(value) if isinstance(value, Decimal) else value


def _configure(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON", "busy_timeout = 30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


_INSERTS = {table.name: _insert(table) for table in (*_PARTS, year_findings)}
