"""The form files: what they must hold, and that a form year is nothing but data."""

from pathlib import Path

import pytest

from extractors.cells import read_tables
from extractors.forms import FormError, load_form, load_forms
from extractors.reconcile import check_tables
from extractors.text import read_text

FORMS = load_forms()


@pytest.mark.parametrize(("name", "cells"), [("2014", 58), ("2019", 198), ("2021", 200)])
def test_a_form_has_the_cells_that_the_contract_counts(name: str, cells: int) -> None:
    assert len(FORMS[name].cells) == cells


@pytest.mark.parametrize(
    ("name", "rule", "count"),
    [
        ("2019", "form.balance", 7),
        ("2019", "form.outcomes", 7),
        ("2019", "form.applicants", 23),
        ("2019", "form.disputes", 3),
        ("2021", "form.balance", 7),
        ("2021", "form.outcomes", 7),
        ("2021", "form.applicants", 25),
        ("2021", "form.disputes", 3),
        ("2014", "form.parts", 13),
    ],
)
def test_a_form_has_the_identities_that_its_tables_imply(name: str, rule: str, count: int) -> None:
    assert sum(identity.rule == rule for identity in FORMS[name].identities) == count


def test_outcomes_take_every_row_between_granted_and_processed() -> None:
    for name in ("2019", "2021"):
        form = FORMS[name]
        rows = [row.key for table in form.block_tables("applications") for row in table.rows]
        between = rows[rows.index("granted") : rows.index("processed")]
        outcomes = next(identity for identity in form.identities if identity.id == "form.outcomes:applications.total")
        assert outcomes.plus == tuple(f"applications.{row}.total" for row in between)


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parents[1].glob("data/forms/*.toml")), ids=lambda path: path.stem
)
def test_every_form_file_loads(path: Path) -> None:
    form = load_form(path)
    assert form.name == path.stem
    assert all(spec.unit for spec in form.cells.values())


FORM_2031 = """
schema = "gongkai.form/1"
form = "2031"
title = "某年格式"
document = "国办公开办函〔2031〕1号"
years = [2031, 9999]

[[table]]
id = "interpretation"
block = "interpretation"
covers = ["interpretation"]
prefix = "interpretation"
captions = ["政策解读情况"]
corner = ["解读形式"]
columns = [
  { key = "text", label = "文字解读", type = "count", unit = "件" },
  { key = "picture", label = "图示解读", type = "count", unit = "件" },
  { key = "total", label = "合计", type = "count", unit = "件" },
]
rows = [
  { key = "regulations", label = "规章" },
  { key = "normative_documents", label = "行政规范性文件" },
]

[[identity]]
rule = "form.interpretation"
table = "interpretation"
for_each = "row"
plus = ["text", "picture"]
minus = ["total"]
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "2031.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_new_form_year_is_read_and_checked_without_any_code(tmp_path: Path) -> None:
    _write(tmp_path, FORM_2031)
    forms = load_forms(tmp_path)
    text = "政策解读情况\n解读形式\n文字解读\n图示解读\n合计\n规章\n1\n2\n3\n行政规范性文件\n4\n5\n8\n"
    tables = read_tables(read_text(text.encode(), Path("a.txt")), forms)
    assert {cell.key: cell.value for cell in tables.cells} == {
        "interpretation.regulations.text": 1,
        "interpretation.regulations.picture": 2,
        "interpretation.regulations.total": 3,
        "interpretation.normative_documents.text": 4,
        "interpretation.normative_documents.picture": 5,
        "interpretation.normative_documents.total": 8,
    }
    broken = [finding.id for finding in check_tables(tables, forms) if finding.status == "inconsistent"]
    assert broken == ["form.interpretation:interpretation.normative_documents"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('key = "normative_documents"', 'key = "regulations"', "stands twice"),
        ('table = "interpretation"', 'table = "elsewhere"', "unknown table"),
        ('plus = ["text", "picture"]', 'plus = ["nothing"]', "names no cell"),
        ('type = "count"', 'type = "number"', "unknown type"),
        ("gongkai.form/1", "gongkai.form/9", "schema"),
        ('label = "规章"', 'label = "规章", weight = 2', "weight"),
    ],
)
def test_a_form_file_that_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    path = _write(tmp_path, FORM_2031.replace(old, new, 1))
    with pytest.raises(FormError, match=reason):
        load_form(path)
