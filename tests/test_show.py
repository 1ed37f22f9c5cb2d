"""One report on the terminal."""

from __future__ import annotations

import json

import pytest
from conftest import make_file, make_record

from extractors.forms import load_forms
from flows.show import show_record, width


def shown(**wish: object) -> list[str]:
    return "\n".join(show_record(json.loads(make_record(make_file("a.txt"), **wish)))).splitlines()


def test_broken_cells_are_marked_and_the_others_are_not() -> None:
    values = {"applications.new.total": 31, "applications.new.natural_person": 29}
    lines = shown(values=values, broken=("applications.new.total",))
    (line,) = (line for line in lines if "29" in line.split())
    assert line.split()[-1] == "31!"
    assert line.count("!") == 1
    assert any("error form.balance" in line and "unbalanced" in line for line in lines)
    assert any("image.unread" in line for line in lines)


def test_disputes_have_a_line_a_procedure() -> None:
    values = {
        f"disputes.litigation_after_review.{name}": n for n, name in enumerate(("upheld", "corrected", "other"), 40)
    }
    (line,) = (line for line in shown(values=values) if "40" in line.split())
    assert line.split()[1:] == ["40", "41", "42", "/", "/"]


@pytest.mark.parametrize("form", sorted(load_forms()))
def test_every_cell_is_shown_once(form: str) -> None:
    values = {key: 70000 + n for n, key in enumerate(load_forms()[form].cells)}
    words = " ".join(shown(form=form, values=values)).split()
    assert sorted(word for word in words if word.startswith("7") and len(word) == 5) == sorted(
        map(str, values.values())
    )


def test_columns_line_up_although_chinese_is_wide() -> None:
    lines = shown(values={"applications.new.total": 5, "applications.carried_in.total": 123456})
    ends = {width(line) for line in lines if line.rstrip().endswith((" 5", "123456"))}
    assert len(ends) == 1


def test_a_narrative_report_says_that_there_is_no_table() -> None:
    lines = shown(form="narrative", blocks={"disclosure": None, "applications": None, "disputes": None})
    assert sum("no table was read" in line for line in lines) == 3


def test_what_the_prose_states_is_shown_with_parts_below_their_wholes() -> None:
    record = json.loads(make_record(make_file("a.txt")))
    plain = {"role": None, "kind": None, "confidence": 0.9, "evidence": {"start": 0, "end": 2}}
    website = {**plain, "field": "channel", "text": "镇网站", "kind": "website"}
    record["entities"] = [website, website, {**plain, "field": "leader", "text": "周岚", "role": "副镇长"}]
    claim = {"unit": "条", "bound": "exact", "label": None, "scope": None, "part_of": None, "confidence": 0.9}
    record["claims"] = [
        {**claim, "id": "c1", "field": "disclosed_total", "value": 31200, "label": "政府信息"},
        {**claim, "id": "c2", "field": "disclosed_part", "value": 80, "part_of": "c1", "bound": "at_least"},
        {**claim, "id": "c3", "field": "reviews", "value": 0, "unit": None, "scope": "各乡镇", "confidence": 0.3},
    ]
    lines = list(show_record(record))
    assert "\n公开渠道 channel: 镇网站 (website) x2" in lines
    assert "\n负责领导 leader: 周岚 (副镇长)" in lines
    at = lines.index("\nClaims: 3")
    assert lines[at + 1 : at + 4] == [
        "  disclosed_total: 31,200 条  政府信息",
        "    disclosed_part: at least 80 条",
        "  reviews: 0  [各乡镇]  ?",
    ]
