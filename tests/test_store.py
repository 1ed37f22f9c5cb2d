"""The store: what goes in comes out exactly, and is stored once."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import make_file, make_record

from extractors.forms import load_forms
from flows.store import Store, StoreError
from flows.views import column_name

NEW_TOTAL = "applications.new.total"
FEES = "disclosure.fees.amount"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store", writable=True) as opened:
        opened.start_run(Path("inbox"), "1")
        yield opened


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    return store.count(query)


def test_numbers_are_exact_and_sum(store: Store) -> None:
    for n, (count, amount) in enumerate([(7, Decimal("160.5964")), (10**20, Decimal("0.1")), (-3, Decimal("12.50"))]):
        file = make_file(f"{n}.txt", str(n))
        store.add_report(1, "1", file, make_record(file, values={NEW_TOTAL: count, FEES: amount}))
    counts = rows(
        store, f"SELECT value, value_exact, typeof(value) FROM cells WHERE key = '{NEW_TOTAL}' ORDER BY report"
    )
    assert counts == [(7, "7", "integer"), (1e20, str(10**20), "real"), (-3, "-3", "integer")]
    amounts = rows(store, f"SELECT value_exact FROM cells WHERE key = '{FEES}' ORDER BY report")
    assert amounts == [("160.5964",), ("0.1",), ("12.5",)]
    (total,) = rows(store, f"SELECT sum(value) FROM cells WHERE key = '{FEES}'")[0]
    assert total == pytest.approx(173.1964)


def test_blank_cells_are_null_and_keep_their_status(store: Store) -> None:
    file = make_file("a.txt")
    store.add_report(1, "1", file, make_record(file, values={NEW_TOTAL: 0}))
    assert rows(store, "SELECT status, count(*), count(value) FROM cells GROUP BY 1") == [
        ("blank", 199, 0),
        ("reported", 1, 1),
    ]


def test_records_come_back_byte_for_byte(store: Store) -> None:
    file = make_file("a.txt")
    record = make_record(file, title="“龘”𠮷 report", values={FEES: Decimal("1.10")})
    store.add_report(1, "1", file, record)
    assert list(store.records()) == [record]


def test_a_newer_extraction_replaces_the_older_one(store: Store) -> None:
    file = make_file("a.txt")
    store.add_report(1, "1", file, make_record(file, values={NEW_TOTAL: 1}, broken=(NEW_TOTAL,)))
    store.add_report(1, "2", file, make_record(file, values={NEW_TOTAL: 2}))
    assert rows(store, "SELECT id, extractor FROM reports") == [(1, "2")]
    assert rows(store, f"SELECT value FROM cells WHERE key = '{NEW_TOTAL}'") == [(2,)]
    assert rows(store, "SELECT id FROM findings") == [("form.balance:y",)]
    assert store.current("1") == {}
    assert store.current("2") == {file.sha256: "a.txt"}


@pytest.mark.parametrize("form", sorted(load_forms()))
def test_wide_view_has_a_column_for_every_cell_of_the_form(store: Store, form: str) -> None:
    file = make_file("a.txt")
    keys = list(load_forms()[form].cells)
    store.add_report(1, "1", file, make_record(file, form=form, values={key: n for n, key in enumerate(keys)}))
    row = next(store.stream(f'SELECT * FROM "wide_{form}"'))
    assert [row[column_name(key)] for key in keys] == list(range(len(keys)))
    assert row["authority"] == "青石镇"


def test_a_mixed_report_stands_in_the_wide_views_of_both_forms(store: Store) -> None:
    file = make_file("a.txt")
    blocks: dict[str, str | None] = {"disclosure": "2021", "applications": "2019", "disputes": "2019"}
    store.add_report(1, "1", file, make_record(file, blocks=blocks))
    found = [rows(store, f'SELECT count(*) FROM "wide_{form}"')[0][0] for form in ("2014", "2019", "2021")]
    assert found == [0, 1, 1]


def test_versions_of_a_report_are_found_by_authority_and_year(store: Store) -> None:
    for name, published, count in (("late.txt", "2023-05-01", 5), ("early.txt", "2023-01-20", 4)):
        file = make_file(name, name)
        store.add_report(1, "1", file, make_record(file, published=published, values={NEW_TOTAL: count}))
    other = make_file("other.txt", "other")
    store.add_report(1, "1", other, make_record(other, year=2021))
    nameless = make_file("nameless.txt", "nameless")
    store.add_report(1, "1", nameless, make_record(nameless, authority=None))
    store.find_revisions()
    found = rows(
        store,
        "SELECT a.path, b.path, cells_changed FROM revisions v "
        "JOIN reports a ON a.id = v.report JOIN reports b ON b.id = v.revises",
    )
    assert found == [("late.txt", "early.txt", 1)]
    assert rows(store, "SELECT path FROM wide_2021 WHERE superseded") == [("early.txt",)]


def test_a_file_that_is_fine_now_leaves_quarantine(store: Store) -> None:
    file = make_file("a.txt")
    store.add_quarantine(1, "1", file, "damaged", "cut off")
    assert store.held("1") == {file.sha256}
    assert store.held("2") == set()
    store.add_report(1, "1", file, make_record(file))
    assert store.quarantined() == {}


def test_a_record_that_the_database_refuses_leaves_no_trace(store: Store) -> None:
    file = make_file("a.txt")
    record = json.loads(make_record(file))
    record["cells"].append(record["cells"][0])
    with pytest.raises(store.refusal):
        store.add_report(1, "1", file, json.dumps(record))
    assert rows(store, "SELECT count(*) FROM reports") == [(0,)]
    store.add_report(1, "1", file, make_record(file))


def test_undecodable_names_are_stored_as_json_writes_them(store: Store) -> None:
    file = make_file("报告\udcff.txt")
    store.add_report(1, "1", file, make_record(file))
    assert store.current("1") == {file.sha256: "报告\\udcff.txt"}
    (record,) = store.records()
    assert json.loads(record)["source"]["path"] == "报告\udcff.txt"


def test_what_was_stored_survives_a_killed_process(tmp_path: Path) -> None:
    script = """
import os, sys
from pathlib import Path
from conftest import make_file, make_record
from flows.store import Store
store = Store(Path(sys.argv[1]), writable=True)
run = store.start_run(Path("inbox"), "1")
file = make_file("a.txt")
store.add_report(run, "1", file, make_record(file))
store.connection.begin()
store.connection.exec_driver_sql("DELETE FROM cells")
os.kill(os.getpid(), 9)
"""
    paths = f"{Path(__file__).parent}:{Path(__file__).parent.parent}"
    folder = tmp_path / "store"
    done = subprocess.run([sys.executable, "-c", script, folder], env={"PYTHONPATH": paths}, check=False)
    assert done.returncode == -9
    with Store(folder) as store:
        assert rows(store, "SELECT count(*) FROM cells") == [(200,)]


def test_a_second_writer_is_kept_out_and_readers_are_not(store: Store) -> None:
    with pytest.raises(StoreError, match="another run"):
        Store(store.path.parent, writable=True)
    with Store(store.path.parent) as reader:
        assert rows(reader, "SELECT count(*) FROM runs") == [(1,)]


def test_a_folder_without_a_store_or_with_another_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        Store(tmp_path)
    (tmp_path / "gongkai.sqlite").write_text("this is no database, but a long enough text file to look at" * 20)
    with pytest.raises(StoreError, match="cannot be used"):
        Store(tmp_path, writable=True)


def test_a_store_of_another_version_is_refused(store: Store) -> None:
    with sqlite3.connect(store.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="another version"):
        Store(store.path.parent)


def test_find_record_by_path_name_or_digits(store: Store) -> None:
    for name in ("in/a.txt", "in/b.txt"):
        file = make_file(name, name)
        store.add_report(1, "1", file, make_record(file))
    sha256 = make_file("in/b.txt", "in/b.txt").sha256 or ""
    for name in ("in/b.txt", "b.txt", sha256[:8], sha256.upper()):
        assert json.loads(store.find_record(name))["source"]["path"] == "in/b.txt"
    with pytest.raises(StoreError, match="neither"):
        store.find_record("c.txt")
    with pytest.raises(StoreError, match="neither"):
        store.find_record("%")
