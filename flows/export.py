"""The store as files: CSV, Parquet, an Excel workbook, and JSON Lines, the records with the findings between years.

All are written row by row, whatever the size of the store.
"""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from extractors.forms import load_forms
from flows.files import whole
from flows.store import Store
from flows.tables import EVERYTHING, Column, Filter, Kind, Row, dictionary, long_table, tables, wide_table

# What a spreadsheet takes for a formula, the full-width forms included; a plain number is none.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
# Rows of a Parquet row group, and what a sheet and a cell of it can hold.
_GROUP = 20_000
SHEET_ROWS = 1_048_576
_CELL_CHARS = 32_767


def export(store: Store, kind: str, target: BinaryIO | Path, wanted: Filter = EVERYTHING) -> None:
    """Writes the store, or the ``wanted`` of its reports, to a file, a folder or an open stream.

    Args:
        store: The store.
        kind: ``csv-long`` (a row a cell), ``csv-wide`` (a row a report), ``csv`` or ``parquet`` (a file a table),
            ``xlsx`` (a sheet a table) or ``jsonl`` (the records).
        target: A file or stream; a folder for ``csv`` and ``parquet``, and for ``csv-wide`` without a form.
        wanted: Which reports; its form is also the form of ``csv-wide``.

    Raises:
        ValueError: there is no such form, or the kind cannot be written to a stream.
        OSError: the file cannot be written.
    """
    if wanted.form is not None and wanted.form not in load_forms():
        raise ValueError(f"there is no form {wanted.form}; forms: {', '.join(load_forms())}")
    if kind == "jsonl":
        _write(target, lambda stream: _write_lines(stream, store.records(*wanted.condition())))
    elif kind == "csv-long":
        _write_table(target, long_table().columns, long_table().rows(store, wanted))
    elif kind == "csv-wide" and wanted.form is not None:
        table = wide_table(wanted.form)
        _write_table(target, table.columns, table.rows(store, wanted))
    elif not isinstance(target, Path):
        raise ValueError(f"{kind} cannot go to standard output{'; csv-wide with --form can' * (kind == 'csv-wide')}")
    elif kind == "csv-wide":
        target.mkdir(parents=True, exist_ok=True)
        for table in map(wide_table, load_forms()):
            _write_table(target / f"{table.name}.csv", table.columns, table.rows(store, wanted))
    elif kind == "xlsx":
        _write(target, lambda stream: _write_workbook(stream, store, wanted))
    else:
        target.mkdir(parents=True, exist_ok=True)
        fill = _write_table if kind == "csv" else _write_parquet
        for name, columns, rows in _all_tables(store, wanted):
            fill(target / f"{name}.{kind}", columns, rows)


def neutralise(value: Any) -> Any:
    """A text cell that a spreadsheet would run as a formula gets a leading apostrophe; all else is unchanged."""
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def _all_tables(store: Store, wanted: Filter) -> Iterator[tuple[str, Sequence[Column], Iterator[Row]]]:
    for table in tables():
        yield table.name, table.columns, table.rows(store, wanted)
    yield "dictionary", *dictionary()


def _write(target: BinaryIO | Path, fill: Callable[[BinaryIO], None]) -> None:
    """Fills a stream, or a file that appears under its name only when it is complete."""
    if not isinstance(target, Path):
        fill(target)
        return
    with whole(target) as part, part.open("wb") as stream:
        fill(stream)


def _write_lines(stream: BinaryIO, lines: Iterable[str]) -> None:
    for line in lines:
        stream.write(line.encode() + b"\n")


def _write_table(target: BinaryIO | Path, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    _write(target, lambda stream: _write_csv(stream, columns, rows))


def _write_csv(stream: BinaryIO, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    with _text_on(stream) as text:
        writer = csv.writer(text)
        writer.writerow([column.name for column in columns])
        for row in rows:
            writer.writerow([neutralise(value) for value in row])


@contextlib.contextmanager
def _text_on(stream: BinaryIO) -> Iterator[io.TextIOWrapper]:
    """Text in UTF-8 with the mark that Excel needs to read it as UTF-8; ``stream`` stays open."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        yield text
    finally:
        text.detach()


def _write_parquet(target: Path, columns: Sequence[Column], rows: Iterator[Row]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    types = {"text": pa.string(), "integer": pa.int64(), "number": pa.float64()}
    fields = [pa.field(column.name, types[column.kind], metadata=_described(column)) for column in columns]
    schema = pa.schema(fields)

    def fill(stream: BinaryIO) -> None:
        with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
            while group := list(itertools.islice(rows, _GROUP)):
                arrays = [
                    pa.array([_typed(row[place], column.kind) for row in group], types[column.kind])
                    for place, column in enumerate(columns)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))

    _write(target, fill)


def _described(column: Column) -> dict[str, str]:
    return {name: value for name in ("about", "label", "unit") if (value := getattr(column, name))}


def _typed(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    return float(value) if kind == "number" else int(value) if kind == "integer" else str(value)


def _write_workbook(stream: BinaryIO, store: Store, wanted: Filter) -> None:
    """A sheet a table, typed, the header frozen; text is written as text, whatever it looks like."""
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(stream, options) as book:
        bold = book.add_format({"bold": True})
        for name, columns, rows in _all_tables(store, wanted):
            # A table that is longer than a sheet goes on in another one.
            for number in itertools.count(1):
                part = list(itertools.islice(rows, 1))
                if number > 1 and not part:
                    break
                sheet = book.add_worksheet(name if number == 1 else f"{name} {number}")
                sheet.freeze_panes(1, 0)
                sheet.write_row(0, 0, [column.name for column in columns], bold)
                whole = itertools.chain(part, itertools.islice(rows, SHEET_ROWS - 2))
                for line, row in enumerate(whole, start=1):
                    _write_cells(sheet, line, row)


def _write_cells(sheet: Any, line: int, row: Row) -> None:
    for place, value in enumerate(row):
        if isinstance(value, str):
            sheet.write_string(line, place, value[:_CELL_CHARS])
        elif value is not None:
            sheet.write_number(line, place, value)
