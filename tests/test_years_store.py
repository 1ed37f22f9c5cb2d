"""Years in the store: compared when something changed, in whatever order it came; findings and ledger over it."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import make_file, make_record

from flows import years
from flows.cli import main
from flows.export import export
from flows.findings import Choice, count_rows, find_rows
from flows.ledger import chosen, find_body, find_year, read_ledger
from flows.ledger import written as ledger_lines
from flows.store import Store, StoreError
from flows.years import settle_years

OUT, IN = "applications.carried_out.total", "applications.carried_in.total"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store", writable=True) as opened:
        opened.start_run(Path("inbox"), "1")
        yield opened


def add(store: Store, year: int, name: str = "", run: int = 1, extractor: str = "1", **wish: Any) -> None:
    """A report that carries in and out what ``carried`` says, 0 where it says nothing."""
    carried = wish.pop("carried", (0, 0))
    file = make_file(name or f"{wish.get('authority', '')}{year}.txt", f"{name}{year}{wish.get('authority')}")
    store.add_report(
        run, extractor, file, make_record(file, year=year, values={IN: carried[0], OUT: carried[1]}, **wish)
    )


def broken(store: Store) -> list[tuple[int, int, int]]:
    """Year, expected and reported of the carries that do not hold."""
    return [
        (int(year), int(expected), int(reported))
        for year, expected, reported in store.count(
            "SELECT r.year, f.expected, f.reported FROM year_findings f JOIN reports r ON r.id = f.report "
            "WHERE f.status = 'inconsistent' ORDER BY 1"
        )
    ]


def everything(store: Store) -> list[Any]:
    """All that is known between years, by what does not depend on the order of arrival."""
    return store.count(
        "SELECT r.path, e.path, f.id, f.status, f.message FROM year_findings f JOIN reports r ON r.id = f.report "
        "JOIN reports e ON e.id = f.earlier ORDER BY 1, 3"
    )


CHAIN = {2020: (0, 5), 2021: (5, 7), 2022: (8, 2), 2023: (2, 0)}


@pytest.mark.parametrize("order", [(2020, 2021, 2022, 2023), (2023, 2022, 2021, 2020), (2021, 2023, 2020, 2022)])
def test_the_order_of_arrival_makes_no_difference(store: Store, order: tuple[int, ...]) -> None:
    for year in order:
        add(store, year, carried=CHAIN[year])
        settle_years(store)
    assert broken(store) == [(2022, 7, 8)]
    found = everything(store)
    with Store(store.path.parent.parent / "whole", writable=True) as whole:
        whole.start_run(Path("inbox"), "1")
        for year in sorted(CHAIN):
            add(whole, year, carried=CHAIN[year])
        settle_years(whole)
        assert everything(whole) == found
    assert {path for path, *_ in found} == {"2021.txt", "2022.txt", "2023.txt"}


def test_only_what_changed_is_compared_again(store: Store) -> None:
    for authority in ("白石县水利局", "白石县财政局"):
        for year in (2021, 2022):
            add(store, year, authority=authority)
    assert settle_years(store) == 2
    assert settle_years(store) == 0
    add(store, 2023, authority="澄川市白石县财政局")
    assert settle_years(store) == 1
    assert len({report for (report,) in store.count("SELECT report FROM year_findings")}) == 3


def test_spellings_of_a_body_are_one_body(store: Store) -> None:
    add(store, 2021, authority="某县人民政府办公室", carried=(0, 3))
    add(store, 2022, authority="某县政府办", carried=(4, 0))
    settle_years(store)
    assert broken(store) == [(2022, 3, 4)]


def test_a_revision_takes_the_place_of_what_it_revises(store: Store) -> None:
    add(store, 2021, carried=(0, 3), published="2022-01-10")
    add(store, 2022, carried=(4, 0), published="2023-01-10")
    settle_years(store)
    assert broken(store) == [(2022, 3, 4)]
    add(store, 2022, "again.txt", carried=(3, 0), published="2023-03-01")
    settle_years(store)
    assert broken(store) == []
    assert {path for path, *_ in everything(store)} == {"again.txt"}
    # An older version that turns up late is not compared.
    add(store, 2022, "older.txt", carried=(9, 0), published="2023-01-05")
    settle_years(store)
    assert {path for path, *_ in everything(store)} == {"again.txt"}


def test_a_report_that_is_read_again_is_compared_again(store: Store) -> None:
    add(store, 2021, carried=(0, 3))
    add(store, 2022, carried=(4, 0))
    settle_years(store)
    store.start_run(Path("inbox"), "2")
    add(store, 2021, carried=(0, 4), run=2, extractor="2")
    # What was found with the first reading is gone at once, not only when the run ends.
    assert everything(store) == []
    settle_years(store)
    assert broken(store) == []
    assert everything(store)


def test_a_report_that_turns_out_to_be_of_another_body_leaves_the_first(store: Store) -> None:
    add(store, 2021, "a", authority="白石县水利局", carried=(0, 3))
    add(store, 2022, "b", authority="白石县水利局", carried=(4, 0))
    settle_years(store)
    store.start_run(Path("inbox"), "2")
    file = make_file("b", "b2022白石县水利局")
    store.add_report(2, "2", file, make_record(file, year=2022, authority="白石县财政局"))
    settle_years(store)
    assert everything(store) == []
    assert store.compared().keys() == {"白石县水利局", "白石县财政局"}


def test_one_coverage_is_never_held_against_another(store: Store) -> None:
    for year, coverage, carried in ((2021, "organ", (0, 3)), (2022, "consolidated", (40, 0))):
        file = make_file(f"{year}", f"{year}")
        record = json.loads(
            make_record(file, year=year, authority="白石县人民政府", values={IN: carried[0], OUT: carried[1]})
        )
        record["report"]["coverage"] = coverage
        store.add_report(1, "1", file, json.dumps(record))
    settle_years(store)
    assert everything(store) == []
    assert store.count("SELECT code FROM year_problems") == [("years.coverage",)]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("城关镇", "城关镇", "authority.unclear"),
        ("白石县国土资源局", "白石县自然资源局", "authority.renamed"),
        ("白石县水利局", "白石县水务局", "authority.renamed"),
        ("白石县人民政府", "白石县人民政府办公室", "authority.renamed"),
        ("白石县水利局", "白石县财政局", None),
    ],
)
def test_what_may_belong_together_is_a_problem_and_not_an_error(
    store: Store, first: str, second: str, code: str | None
) -> None:
    add(store, 2021, "a", authority=first, carried=(0, 3))
    add(store, 2022, "b", authority=second, carried=(4, 0))
    settle_years(store)
    assert everything(store) == []
    assert [row[0] for row in store.count("SELECT code FROM year_problems")] == ([code] if code else [])


def test_reports_of_unknown_bodies_or_years_are_left_alone(store: Store) -> None:
    add(store, 2021, "a", authority=None, carried=(0, 3))
    add(store, 2022, "b", authority=None, carried=(4, 0))
    file = make_file("c", "c")
    store.add_report(1, "1", file, make_record(file, year=None))
    assert settle_years(store) == 0
    assert everything(store) == []


_KILLED = """
import os, sys
from pathlib import Path
import flows.years
from flows.store import Store
store = Store(Path(sys.argv[1]), writable=True)
plain, done = Store.save_years, []
def save(self, *arguments):
    plain(self, *arguments)
    done.append(1)
    if len(done) == 2:
        os.kill(os.getpid(), 9)
Store.save_years = save
flows.years.settle_years(store)
"""


def test_a_run_that_is_killed_in_between_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    with Store(folder, writable=True) as store:
        store.start_run(Path("inbox"), "1")
        for body in "甲乙丙丁":
            add(store, 2021, authority=f"{body}县水利局", carried=(0, 3))
            add(store, 2022, authority=f"{body}县水利局", carried=(4, 0))
    path = f"{Path(__file__).parent}:{Path(__file__).parent.parent}"
    done = subprocess.run([sys.executable, "-c", _KILLED, folder], env={"PYTHONPATH": path}, check=False)
    assert done.returncode == -9
    with Store(folder, writable=True) as store:
        assert len(broken(store)) == 2
        assert settle_years(store) == 2
        assert len(broken(store)) == 4


def test_a_store_of_the_version_before_is_brought_up_to_date(store: Store) -> None:
    add(store, 2021, carried=(0, 3))
    add(store, 2022, carried=(4, 0))
    folder = store.path.parent
    store.close()
    with sqlite3.connect(folder / "gongkai.sqlite") as connection:
        for view in ("inconsistencies", "every_finding"):
            connection.execute(f"DROP VIEW {view}")
        for table in ("year_findings", "year_problems", "years_compared", "bodies"):
            connection.execute(f"DROP TABLE {table}")
    connection.close()
    with Store(folder) as old:
        assert len(list(old.records())) == 2
        with pytest.raises(StoreError, match="older version"):
            list(find_rows(old, Choice()))
        with pytest.raises(StoreError, match="older version"):
            read_ledger(old)
    with Store(folder, writable=True) as new:
        settle_years(new)
        assert broken(new) == [(2022, 3, 4)]


def test_exports_show_them_beside_the_reports_own(store: Store) -> None:
    add(store, 2021, carried=(0, 3))
    add(store, 2022, carried=(4, 0))
    settle_years(store)
    stream = io.BytesIO()
    export(store, "jsonl", stream)
    first, second = stream.getvalue().decode().splitlines()
    assert first == next(store.records())
    found = [finding for finding in json.loads(second)["findings"] if finding["rule"].startswith("years.")]
    assert [finding["id"] for finding in found if finding["status"] == "inconsistent"] == [
        f"years.carry:{IN}:2021-2022"
    ]
    assert list(found[0]) == list(json.loads(first)["findings"][0])
    assert "years.carry" in store.find_record("2022.txt")
    assert store.count("SELECT rule FROM inconsistencies WHERE earlier IS NOT NULL") == [("years.carry",)]


# Findings


@pytest.fixture
def full(store: Store) -> Store:
    add(store, 2021, authority="白石县水利局", carried=(0, 3))
    add(store, 2022, authority="白石县水利局", carried=(4, 0), broken=(IN,))
    add(store, 2022, authority="=白石县财政局", broken=(OUT,))
    settle_years(store)
    return store


def test_findings_are_chosen_and_the_worst_come_first(full: Store) -> None:
    rows = list(find_rows(full, Choice()))
    assert [(row.rule, row.year) for row in rows] == [
        ("form.balance", 2022),
        ("form.balance", 2022),
        ("years.carry", 2022),
    ]
    (carry,) = find_rows(full, Choice(rule="years"))
    assert (carry.earlier_year, carry.cells, carry.difference) == (2021, (IN,), 1)
    assert not list(find_rows(full, Choice(rule="year")))
    assert {row.authority for row in find_rows(full, Choice(authority="县水利局"))} == {"白石县水利局"}
    assert {row.authority for row in find_rows(full, Choice(authority="澄川市白石县水利局"))} == {"白石县水利局"}
    assert not list(find_rows(full, Choice(year=2021)))
    assert not list(find_rows(full, Choice(origin="reading")))
    assert {row.status for row in find_rows(full, Choice(status="all"))} == {
        "consistent",
        "inconsistent",
        "unverifiable",
    }


def test_findings_are_counted(full: Store) -> None:
    counted = count_rows(find_rows(full, Choice()), "rule")
    assert [(entry["rule"], entry["findings"], entry["reports"]) for entry in counted] == [
        ("form.balance", 2, 2),
        ("years.carry", 1, 1),
    ]


def run(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str) -> tuple[int, str]:
    code = main(arguments)
    return code, capfdbinary.readouterr().out.decode()


def test_the_command_lists_counts_and_writes_for_machines(
    full: Store, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    where = ("--store", str(full.path.parent))
    code, text = run(capfdbinary, "findings", *where)
    assert code == 0
    assert "白石县水利局 · 2022 against 2021 · years.carry · error (report)" in text
    code, text = run(capfdbinary, "findings", "--by", "authority", *where)
    assert "=白石县财政局" in text
    code, text = run(capfdbinary, "findings", "--format", "json", "--rule", "years.carry", *where)
    assert json.loads(text)["earlier_year"] == 2021
    code, text = run(capfdbinary, "findings", "--format", "csv", *where)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 3
    assert {row["authority"] for row in rows} == {"白石县水利局", "'=白石县财政局"}
    code, text = run(capfdbinary, "findings", "--by", "year", "--format", "csv", *where)
    assert text.splitlines()[1].startswith("2022,3,0,3,2")


def test_nothing_in_a_report_moves_the_cursor(store: Store, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    add(store, 2022, "\u001b[2Jx.txt", authority="\u001b[31m白石县水利局", broken=(IN,))
    settle_years(store)
    for command in ("findings", "ledger"):
        _, text = run(capfdbinary, command, "--store", str(store.path.parent))
        assert "白石县水利局" in text
        assert "\u001b" not in text


@pytest.mark.parametrize("command", ["findings", "ledger"])
def test_without_a_store_it_says_so(command: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main((command, "--store", str(tmp_path))) == 2
    assert b"there is no store" in capfdbinary.readouterr().err


# The ledger


def test_the_ledger_says_what_is_there_and_what_is_not(store: Store) -> None:
    add(store, 2020, authority="白石县水利局")
    add(store, 2022, authority="白石县水利局", published="2023-01-10")
    add(store, 2022, "again.txt", authority="白石县水利局", published="2023-03-10")
    add(store, 2022, authority="白石县财政局")
    store.note_files(
        1, [make_file("copy.txt", "2022白石县财政局"), make_file("白石县财政局2022.txt", "2022白石县财政局")]
    )
    add(store, 2021, "nameless.txt", authority=None)
    for path in ("白石县/2023年/财政局年报.pdf", "2023年白石县水利局.pdf", "什么.pdf"):
        store.add_quarantine(1, "1", make_file(path, path), "damaged", "cut off")
    store.add_quarantine(1, "1", make_file("copy.txt", "b"), "duplicate", "the same bytes")
    settle_years(store)
    ledger = read_ledger(store)
    found = {(entry.authority, entry.year): entry.statuses for entry in chosen(ledger, None, None, None)}
    assert found == {
        ("白石县水利局", 2020): ("received",),
        ("白石县水利局", 2021): ("missing",),
        ("白石县水利局", 2022): ("revised", "received"),
        ("白石县水利局", 2023): ("unreadable",),
        ("白石县财政局", 2020): ("missing",),
        ("白石县财政局", 2022): ("duplicate", "received"),
        ("白石县财政局", 2023): ("unreadable",),
    }
    assert [path for path, _ in ledger.apart] == ["nameless.txt", "什么.pdf"]
    assert [entry.year for entry in chosen(ledger, "水利局", None, "missing")] == [2021]
    text = "\n".join(ledger_lines(ledger, chosen(ledger, None, None, None), "text"))
    assert "白石县水利局  ✓     -     R     ?" in text
    assert "什么.pdf: damaged: cut off" in text
    lines = list(ledger_lines(ledger, chosen(ledger, None, 2022, None), "json"))
    assert [json.loads(line)["status"] for line in lines] == [
        "revised received",
        "duplicate received",
        "apart",
        "apart",
    ]


def test_the_newest_year_of_the_store_is_missed_by_those_that_have_none(store: Store) -> None:
    add(store, 2022, authority="白石县水利局")
    add(store, 2023, authority="白石县财政局")
    settle_years(store)
    entries = chosen(read_ledger(store), None, None, "missing")
    assert [(entry.authority, entry.year) for entry in entries] == [("白石县水利局", 2023), ("白石县财政局", 2022)]
    assert entries[1].notes == ["before its first report here"]


@pytest.mark.parametrize(
    ("path", "year"),
    [
        ("in/2023/水利局.pdf", 2023),
        ("in/2021/水利局2023年年报.pdf", 2023),
        ("水利局2022年度报告20230131.pdf", 2022),
        ("2022-2023.pdf", None),
        ("20230131.pdf", None),
        ("水利局.pdf", None),
        ("2023年1月31日发布2022年度报告.pdf", 2022),
    ],
)
def test_the_year_that_a_path_tells(path: str, year: int | None) -> None:
    assert find_year(path) == year


def test_the_body_that_a_path_tells() -> None:
    spellings = {"白石县水利局": {"a"}, "白石县财政局": {"b"}, "水利局": {"c"}, "城关镇": {"d", "e"}}
    assert find_body("in/白石县/2023/水利局.pdf", spellings) == "a"
    assert find_body("in/白石县2023年度水利局报告.pdf", spellings) == "a"
    assert find_body("某水利局.pdf", spellings) == "c"
    assert find_body("城关镇.pdf", spellings) is None
    assert find_body("报告.pdf", spellings) is None


def test_a_run_settles_the_years(inbox: Any, tmp_path: Path) -> None:
    from flows.inbox import Plan
    from flows.run import Options, Run
    from flows.screen import Screen

    folder = inbox("a.json")
    with Store(tmp_path / "store", writable=True) as store:
        plan = Plan((), (), (), (), (), ())
        opened = Run(store, Options(folder, tmp_path / "store"), plan, "1", Screen())
        add(store, 2021, carried=(0, 3))
        add(store, 2022, carried=(4, 0))
        opened.finish()
        assert broken(store) == [(2022, 3, 4)]
        assert years.settle_years(store) == 0
