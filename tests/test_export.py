"""Exports: complete, readable by a spreadsheet, harmless in one."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from conftest import make_file, make_record
from pyarrow import parquet

from flows.export import export, neutralise
from flows.store import Store, StoreError
from flows.tables import Filter, long_table, tables


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store", writable=True) as opened:
        opened.start_run(Path("inbox"), "1")
        first, second = make_file("a.txt", "a"), make_file("b.txt", "b")
        values = {"applications.new.total": 12, "disclosure.fees.amount": Decimal("160.5964")}
        opened.add_report(1, "1", first, make_record(first, values=values, raw="=HYPERLINK(1)"))
        opened.add_report(1, "1", second, make_record(second, form="2019", authority="=cmd|'/c calc'!A1"))
        yield opened


def read_csv(data: bytes) -> list[dict[str, str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_long_has_a_row_for_every_cell(store: Store) -> None:
    stream = io.BytesIO()
    export(store, "csv-long", stream)
    lines = read_csv(stream.getvalue())
    assert len(lines) == 200 + 198
    assert list(lines[0]) == [column.name for column in long_table().columns]
    (line,) = (line for line in lines if line["key"] == "disclosure.fees.amount" and line["status"] == "reported")
    assert (line["value"], line["unit"], line["raw"]) == ("160.5964", "万元", "'=HYPERLINK(1)")
    assert line["box"] == "1.0 2.0 3.5 4.0"
    assert "行政事业性收费" in line["row"]


def test_wide_has_a_file_a_form_and_a_row_a_report(store: Store, tmp_path: Path) -> None:
    export(store, "csv-wide", tmp_path / "out")
    tables = {path.name: read_csv(path.read_bytes()) for path in (tmp_path / "out").iterdir()}
    assert {name: len(lines) for name, lines in tables.items()} == {
        "wide_2014.csv": 0,
        "wide_2019.csv": 1,
        "wide_2021.csv": 1,
    }
    assert tables["wide_2021.csv"][0]["applications_new_total"] == "12"
    assert tables["wide_2019.csv"][0]["authority"] == "'=cmd|'/c calc'!A1"


def test_one_form_goes_to_a_stream(store: Store) -> None:
    stream = io.BytesIO()
    export(store, "csv-wide", stream, Filter(form="2021"))
    assert [line["disclosure_fees_amount"] for line in read_csv(stream.getvalue())] == ["160.5964"]
    with pytest.raises(ValueError, match="--form"):
        export(store, "csv-wide", stream)
    with pytest.raises(ValueError, match="no form 1999"):
        export(store, "csv-wide", stream, Filter(form="1999"))


def test_json_lines_are_the_records(store: Store, tmp_path: Path) -> None:
    export(store, "jsonl", tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines == list(store.records())
    assert [json.loads(line)["source"]["path"] for line in lines] == ["a.txt", "b.txt"]


def test_a_file_appears_only_when_complete(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(*_: object) -> Iterator[str]:
        yield "{}"
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "records", break_off)
    (tmp_path / "out.jsonl").write_text("of yesterday")
    with pytest.raises(KeyboardInterrupt):
        export(store, "jsonl", tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == "of yesterday"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1+1", "－", "-", "+cmd"]
)
def test_formulas_are_neutralised(text: str) -> None:
    assert neutralise(text) == f"'{text}"


@pytest.mark.parametrize("value", ["-5", "+19", "-0.25", "青石镇", "1+1", "/", "", 5, -5, None])
def test_what_is_no_formula_stays(value: object) -> None:
    assert neutralise(value) == value


TABLES = ["reports", "wide_2014", "wide_2019", "wide_2021", "cells", "entities", "claims", "findings", "problems"]


def test_parquet_is_typed_and_described(store: Store, tmp_path: Path) -> None:
    export(store, "parquet", tmp_path / "out")
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == sorted([*TABLES, "dictionary"])
    cells = parquet.read_table(tmp_path / "out/cells.parquet")
    assert cells.num_rows == 200 + 198
    (amount,) = [
        row["value"]
        for row in cells.to_pylist()
        if row["key"] == "disclosure.fees.amount" and row["status"] == "reported"
    ]
    assert amount == 160.5964
    wide = parquet.read_table(tmp_path / "out/wide_2021.parquet")
    assert wide.column("applications_new_total").to_pylist() == [12.0]
    described = wide.schema.field("applications_new_total").metadata
    assert "新收政府信息公开申请数量" in described[b"label"].decode()
    assert str(parquet.read_table(tmp_path / "out/reports.parquet").schema.field("year").type) == "int64"


def test_a_workbook_has_a_sheet_a_table_and_runs_nothing(store: Store, tmp_path: Path) -> None:
    export(store, "xlsx", tmp_path / "out.xlsx")
    book = openpyxl.load_workbook(tmp_path / "out.xlsx")
    assert book.sheetnames == [*TABLES, "dictionary"]
    assert all(sheet.freeze_panes == "A2" for sheet in book)
    header, *lines = book["reports"].iter_rows()
    authorities = [line[0] for line in lines]
    assert [cell.value for cell in authorities] == ["青石镇", "=cmd|'/c calc'!A1"]
    assert [cell.data_type for cell in authorities] == ["s", "s"]
    assert isinstance(lines[0][[cell.value for cell in header].index("year")].value, int)
    assert not any(cell.data_type == "f" for sheet in book for row in sheet.iter_rows() for cell in row)


def test_a_table_longer_than_a_sheet_goes_on_in_another(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.export.SHEET_ROWS", 101)
    export(store, "xlsx", tmp_path / "out.xlsx")
    book = openpyxl.load_workbook(tmp_path / "out.xlsx", read_only=True)
    parts = [sheet for sheet in book.worksheets if sheet.title.split()[0] == "cells"]
    assert [sheet.title for sheet in parts] == ["cells", "cells 2", "cells 3", "cells 4"]
    assert sum(sum(1 for _ in sheet.iter_rows(min_row=2)) for sheet in parts) == 200 + 198


def test_the_dictionary_explains_every_column_and_key(store: Store, tmp_path: Path) -> None:
    export(store, "csv", tmp_path / "out")
    explained = {(row["table"], row["column"]): row for row in read_csv((tmp_path / "out/dictionary.csv").read_bytes())}
    for table in tables():
        header = (tmp_path / f"out/{table.name}.csv").read_text("utf-8-sig").splitlines()[0].split(",")
        assert all(explained[table.name, column]["about"] for column in header)
    keys = {row["key"] for row in read_csv((tmp_path / "out/cells.csv").read_bytes())}
    assert all(explained["cells", key]["label"] for key in keys)
    assert explained["cells", "disclosure.fees.amount"]["unit"] == "万元"


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        (Filter(), ["a.txt", "b.txt"]),
        (Filter(authority="青石"), ["a.txt"]),
        (Filter(authority="%"), []),
        (Filter(form="2019"), ["b.txt"]),
        (Filter(years=(1999,)), []),
        (Filter(authority="青石", form="2019"), []),
    ],
)
def test_only_the_reports_that_are_wanted(store: Store, tmp_path: Path, wanted: Filter, paths: list[str]) -> None:
    export(store, "csv", tmp_path / "out", wanted)
    for name in ("reports", "cells"):
        found = {row["path"] for row in read_csv((tmp_path / f"out/{name}.csv").read_bytes())}
        assert sorted(found) == paths
    export(store, "jsonl", tmp_path / "out.jsonl", wanted)
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["source"]["path"] for line in lines] == paths


def test_a_store_of_an_older_version_says_so(store: Store, tmp_path: Path) -> None:
    store.connection.exec_driver_sql("DROP VIEW inconsistencies")
    store.connection.exec_driver_sql("DROP VIEW every_finding")
    with pytest.raises(StoreError, match="older version"):
        export(store, "csv", tmp_path / "out")
