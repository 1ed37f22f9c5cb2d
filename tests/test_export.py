"""Exports: complete, readable by a spreadsheet, harmless in one."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import make_file, make_record

from flows.export import LONG_COLUMNS, export, neutralise
from flows.store import Store


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
    assert tuple(lines[0]) == LONG_COLUMNS
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
    export(store, "csv-wide", stream, "2021")
    assert [line["disclosure_fees_amount"] for line in read_csv(stream.getvalue())] == ["160.5964"]
    with pytest.raises(ValueError, match="--form"):
        export(store, "csv-wide", stream)
    with pytest.raises(ValueError, match="no form 1999"):
        export(store, "csv-wide", stream, "1999")


def test_json_lines_are_the_records(store: Store, tmp_path: Path) -> None:
    export(store, "jsonl", tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert lines == list(store.records())
    assert [json.loads(line)["source"]["path"] for line in lines] == ["a.txt", "b.txt"]


def test_a_file_appears_only_when_complete(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(_: Store) -> Iterator[str]:
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
