"""Two years of one body: what must carry over, what contradicts, and what is not certain and so is left alone."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import make_file, make_record
from test_prose_rules import read

from extractors.figures import find_figures
from extractors.forms import load_forms
from extractors.growth import check_growth, find_changes
from extractors.report import Finding, finding_to_dict, to_dict
from extractors.years import YearsError, check_years, load_identities

FORMS = load_forms()
ROWS = ("natural_person", "business", "research", "charity", "legal_service", "other", "total")


def record(year: int, form: str = "2021", marked: str = "", holds: tuple[str, ...] = (), **changed: Any) -> Any:
    """A record that prints 0 in every cell, save those named with ``__`` for dots; None is blank, a str a status.

    ``holds`` are cells that ``prose.table`` found the first claim to agree with.
    """
    coverage = changed.pop("coverage", "organ")
    values = {key.replace("__", "."): value for key, value in changed.items()}
    plain = {key: value for key, value in values.items() if value is not None and not isinstance(value, str)}
    made = json.loads(
        make_record(make_file("a.txt"), form=form, year=year, values=dict.fromkeys(FORMS[form].cells, 0) | plain),
        parse_float=Decimal,
    )
    for cell in made["cells"]:
        if cell["key"] in values.keys() - plain.keys():
            cell |= {"value": None, "status": values[cell["key"]] or "blank"}
    claims, _ = read(marked)
    made["claims"] = [one | {"evidence": one["evidence"] or {}} for one in _plain(claims)]
    made["report"]["coverage"] = coverage
    if holds:
        finding = Finding("x", "prose.table", "consistent", None, None, "", 1, 1, 0, holds, ("c1",))
        made["findings"] = [finding_to_dict(finding)]
    return made


def _plain(claims: Any) -> list[dict[str, Any]]:
    from dataclasses import replace

    from extractors.report import Metadata, Report, Source

    empty = Report(Source("a", "b", "text/plain", None), Metadata(None, None, None, "2021", {}, None, None, None))
    # As the store reads it: numbers that are not whole are exact.
    listed: list[dict[str, Any]] = json.loads(
        json.dumps(to_dict(replace(empty, claims=claims))["claims"]), parse_float=Decimal
    )
    return listed


def between(earlier: Any, later: Any, rule: str = "") -> dict[str, Finding]:
    """The findings between two records by id; those of one rule."""
    return {finding.id: finding for finding in check_years(earlier, later, FORMS) if finding.rule.startswith(rule)}


def only(found: dict[str, Finding]) -> Finding:
    (finding,) = found.values()
    return finding


# Carry and stock

OUT, IN = "applications__carried_out__total", "applications__carried_in__total"
CARRY = "years.carry:applications.carried_in.total:2022-2023"
STOCK = "years.stock:disclosure.normative_documents.in_force:2022-2023"


def test_what_is_carried_out_is_carried_in_for_every_applicant() -> None:
    found = between(record(2022, **{OUT: 12}), record(2023, **{IN: 12}), "years.carry")
    assert len(found) == 7
    assert {finding.status for finding in found.values()} == {"consistent"}
    assert (
        "2022年“四、结转下年度继续办理”“总计” 12 = 2023年“二、上年结转政府信息公开申请数量”“总计” 12"
        in found[CARRY].message
    )


def test_a_broken_carry_is_an_error_that_names_both_years() -> None:
    found = between(record(2022, **{OUT: 12}), record(2023, **{IN: 11}), "years.carry")
    broken = [finding for finding in found.values() if finding.status == "inconsistent"]
    (finding,) = broken
    assert (finding.id, finding.severity, finding.origin) == (CARRY, "error", "report")
    assert (finding.expected, finding.reported, finding.difference) == (12, 11, -1)
    assert finding.cells == ("applications.carried_in.total",)
    assert "跨年衔接不成立" in finding.message
    assert "broken between the years" in finding.message


@pytest.mark.parametrize("form", [("2019", "2019"), ("2019", "2021"), ("2021", "2019")])
def test_the_carry_holds_across_forms(form: tuple[str, str]) -> None:
    found = between(record(2022, form[0], **{OUT: 3}), record(2023, form[1], **{IN: 4}), "years.carry")
    assert found[CARRY].status == "inconsistent"


@pytest.mark.parametrize("status", ["illegible", "absent"])
def test_cells_that_are_not_there_leave_it_undecided(status: str) -> None:
    found = between(record(2022, **{OUT: status}), record(2023, **{IN: 4}), "years.carry")
    assert found[CARRY].status == "unverifiable"
    assert found[CARRY].expected is None


def test_a_blank_is_nil_first_and_a_warning_where_that_does_not_hold() -> None:
    assert between(record(2022, **{OUT: None}), record(2023, **{IN: 0}))[CARRY].status == "consistent"
    finding = between(record(2022, **{OUT: None}), record(2023, **{IN: 4}))[CARRY]
    assert (finding.status, finding.severity) == ("inconsistent", "warning")
    assert "空白按零计" in finding.message


def test_a_blank_beside_a_total_that_needs_it_is_no_nil() -> None:
    blank = {f"applications__carried_out__{row}": None for row in ROWS[:-1]}
    found = between(
        record(2022, **blank, **{OUT: 5}), record(2023, applications__carried_in__natural_person=5, **{IN: 5})
    )
    assert found["years.carry:applications.carried_in.natural_person:2022-2023"].status == "unverifiable"
    assert found[CARRY].status == "consistent"


def test_a_blank_total_is_the_sum_of_its_parts() -> None:
    earlier = record(2022, applications__carried_out__business=5, **{OUT: None})
    assert between(earlier, record(2023, **{IN: 5}))[CARRY].status == "consistent"


def test_a_template_that_nobody_filled_in_says_nothing() -> None:
    empty = record(2022)
    for cell in empty["cells"]:
        cell |= {"value": None, "status": "blank"}
    statuses = {finding.status for finding in between(empty, record(2023, **{IN: 4})).values()}
    assert statuses == {"unverifiable"}


def test_stock_of_form_2021() -> None:
    base = "disclosure__normative_documents__"
    earlier = record(2022, **{f"{base}in_force": 597})
    holds = record(2023, **{f"{base}issued": 50, f"{base}repealed": 227, f"{base}in_force": 420})
    assert between(earlier, holds)[STOCK].status == "consistent"
    finding = between(earlier, record(2023, **{f"{base}issued": 50, f"{base}repealed": 227, f"{base}in_force": 430}))[
        STOCK
    ]
    assert (finding.status, finding.severity, finding.expected, finding.difference) == (
        "inconsistent",
        "warning",
        420,
        10,
    )


def test_stock_of_form_2019_previous_and_bound() -> None:
    earlier = record(2019, "2019", disclosure__licences__previous=40, disclosure__licences__change=-3,
                     disclosure__regulations__total=5)  # fmt: skip
    later = record(2020, "2019", disclosure__licences__previous=37, disclosure__regulations__disclosed=2,
                   disclosure__regulations__total=7)  # fmt: skip
    found = between(earlier, later, "years.stock")
    assert len(found) == 7
    assert {finding.status for finding in found.values()} == {"consistent"}
    later = record(2020, "2019", disclosure__licences__previous=40, disclosure__regulations__total=6)
    broken = {finding.id for finding in between(earlier, later).values() if finding.status == "inconsistent"}
    assert broken == {
        "years.stock:disclosure.licences.previous:2019-2020",
        "years.stock:disclosure.regulations.total:2019-2020",
    }


def test_total_of_2019_and_in_force_of_2021_are_never_compared() -> None:
    earlier = record(2020, "2019", disclosure__regulations__total=5)
    found = between(earlier, record(2021, disclosure__regulations__in_force=50), "years.stock")
    assert {finding.status for finding in found.values()} == {"unverifiable"}
    assert not between(record(2018, "2014"), record(2019, "2019"))


def test_a_coverage_that_one_year_does_not_tell_proves_nothing() -> None:
    later = record(2023, coverage=None, **{IN: 4})
    assert between(record(2022, **{OUT: 9}), later)[CARRY].status == "unverifiable"
    assert between(record(2022, **{OUT: 4}), later)[CARRY].status == "consistent"


def test_years_that_do_not_follow_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="does not follow"):
        check_years(record(2021), record(2023), FORMS)


def test_every_identity_names_cells_of_its_forms() -> None:
    for identity in load_identities():
        for first, second in identity.forms:
            assert set(identity.earlier) <= FORMS[first].cells.keys()
            assert {*identity.add, *identity.subtract, identity.whole} <= FORMS[second].cells.keys()


def test_a_table_of_identities_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "years.toml"
    path.write_text('schema = "gongkai.years/1"\n[[identity]]\nrule = "years.carry"\neach = ["a"]', encoding="utf-8")
    with pytest.raises(YearsError):
        load_identities(path)


# Growth within one report


def stated(marked: str, year: int = 2023) -> list[tuple[str, str | None]]:
    claims, _ = read(marked)
    claims = tuple(_signed(claim, marked) for claim in claims)
    return [(finding.status, finding.severity) for finding in check_growth(claims, year)]


def _signed(claim: Any, marked: str) -> Any:
    """A growth that the label calls a fall is negative, as the reader makes it."""
    from dataclasses import replace

    return (
        replace(claim, value=-claim.value)
        if claim.field == "growth" and re.search("降|减|少", claim.label or "")
        else claim
    )


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("⟦申请|214件|received⟧,比2022年的230件⟦少|16件|growth⟧。", ("consistent", None)),
        ("⟦申请|214件|received⟧,比2022年的230件⟦少|61件|growth⟧。", ("inconsistent", "error")),
        ("⟦申请|214件|received⟧,比2022年的230件⟦减少|7.0%|growth⟧。", ("consistent", None)),
        ("⟦申请|214件|received⟧,比2022年的230件⟦减少|6.9%|growth⟧。", ("consistent", None)),
        ("⟦申请|214件|received⟧,比2022年的230件⟦减少|9.6%|growth⟧。", ("inconsistent", "error")),
        ("⟦申请|214件|received⟧,比2022年的230件⟦减少|约一成|growth⟧。", ("consistent", None)),
        ("⟦申请|284件|received⟧,较2022年(131件)⟦增长|1.17倍|growth⟧。", ("consistent", None)),
        ("⟦申请|284件|received⟧,较2022年(131件)⟦增长|2.17倍|growth⟧。", ("consistent", None)),
        ("⟦申请|284件|received⟧,较2022年(131件)⟦增长|1.7倍|growth⟧。", ("inconsistent", "error")),
        ("申请由上年的4862件增至⟦|5530件|received⟧,⟦增幅|13.7%|growth⟧。", ("consistent", None)),
        ("申请由上年的4862件增至⟦|5530件|received⟧,⟦增幅|17.3%|growth⟧。", ("inconsistent", "error")),
        ("⟦公开|18.94万条|disclosed_total⟧,比上年的16.6万条⟦增加|2.3万条|growth⟧。", ("consistent", None)),
        ("⟦申请|300余件|received⟧,比上年的230件⟦增加|99件|growth⟧。", ("consistent", None)),
    ],
)  # fmt: skip
def test_a_growth_against_the_figure_beside_it(marked: str, expected: tuple[str, str | None]) -> None:
    assert stated(marked.replace("disclosed_total", "total")) == [expected]


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param("⟦申请|24件|received⟧,⟦答复|20件|answered⟧,较上年(3件、5件)分别⟦增长|9%|growth⟧和3%。", id="分别"),
        pytest.param("⟦满意率|98.8%|share⟧,比上年的90%⟦提高|3个百分点|growth⟧。", id="points"),
        pytest.param("⟦平均每天|4.2条|other_count⟧,较上年1217条⟦增长|36.5%|growth⟧。", id="mean"),
        pytest.param("⟦申请|24件|received⟧,网站改版以来比2022年的30件⟦增长|9%|growth⟧。", id="other words"),
        pytest.param("⟦申请|24件|received⟧,同口径比2022年的30件⟦增长|9%|growth⟧。", id="adjusted"),
        pytest.param("⟦申请|24件|received⟧,比2022年的30人⟦增加|9人|growth⟧。", id="another unit"),
    ],
)
def test_a_growth_of_nobody_knows_what_is_left_alone(marked: str) -> None:
    assert stated(marked) == []


def test_a_growth_behind_a_part_may_be_that_of_the_whole() -> None:
    marked = "⟦申请|24件|received⟧,其中⟦网络|17件|received of=1⟧,比上年的30件⟦减少|6件|growth⟧。"
    assert stated(marked) == [("unverifiable", None)]


def test_figures_without_end_are_reckoned_with() -> None:
    assert stated(f"⟦申请|{'9' * 60}件|received⟧,比2022年的3件⟦增长|9%|growth⟧。") == [("inconsistent", "error")]


# Growth against last year's report

RECEIVED = "全年⟦收到申请|3646件|received⟧,⟦同比增长|{}|growth⟧。"
CELLS = ("applications.new.total", "applications.carried_in.total")


def grown(growth: str, last: dict[str, Any], marked: str = RECEIVED, **later: Any) -> dict[str, Finding]:
    this = {"applications__new__total": 3525, "applications__carried_in__total": 121} | later
    claim = marked.format(growth)
    return between(record(2022, **last), record(2023, "2021", claim, CELLS, **this), "years.growth")


def test_a_growth_is_held_against_the_same_sum_of_last_years_cells() -> None:
    last = {"applications__new__total": 3511, "applications__carried_in__total": 96}
    assert only(grown("1.08%", last)).status == "consistent"
    finding = only(grown("1.05%", last))
    assert (finding.status, finding.severity, finding.origin) == ("inconsistent", "error", "report")
    assert (finding.expected, finding.reported) == (Decimal("1.08"), Decimal("1.05"))
    assert finding.id == "years.growth:growth=1.05.1:requests_received=3646.1:2022-2023"
    assert finding.claims == ("c2", "c1")


def test_one_reading_that_agrees_is_enough() -> None:
    last = {"applications__new__total": 3000, "applications__carried_in__total": 300}
    later = {"applications__new__total": 3646, "applications__carried_in__total": 0}
    assert only(grown("21.5%", last, **later)).status == "consistent"
    assert only(grown("10.5%", last, **later)).status == "consistent"
    assert only(grown("12.5%", last, **later)).status == "inconsistent"


def test_without_a_cell_the_claim_of_the_same_name_counts() -> None:
    last = record(2022, marked="⟦主动公开信息|4000条|total⟧。")
    this = record(2023, marked="⟦主动公开信息|4243条|total⟧,⟦较去年增长|10%|growth⟧。")
    finding = only(between(last, this, "years.growth"))
    assert (finding.status, finding.expected) == ("inconsistent", Decimal("6.08"))
    this = record(2023, marked="⟦主动公开信息|4243条|total⟧,⟦较去年增长|6.1%|growth⟧。")
    assert only(between(last, this, "years.growth")).status == "consistent"


def test_what_last_year_calls_otherwise_can_agree_but_proves_nothing() -> None:
    last = record(2022, marked="⟦公开政府信息|4000条|total⟧。")
    this = record(2023, marked="⟦主动公开信息|4243条|total⟧,⟦较去年增长|10%|growth⟧。")
    assert only(between(last, this, "years.growth")).status == "unverifiable"
    last = record(2022, marked="⟦微信发布|4000条|part⟧。")
    assert not between(last, this, "years.growth")


def test_two_figures_of_one_name_prove_nothing() -> None:
    last = record(2022, marked="⟦主动公开信息|4000条|total⟧。⟦公开信息|900条|total⟧。")
    this = record(2023, marked="⟦主动公开信息|4243条|total⟧,⟦较去年增长|10%|growth⟧。")
    assert only(between(last, this, "years.growth")).status == "unverifiable"
    this = record(2023, marked="⟦主动公开信息|4243条|total⟧,⟦较去年增长|6.1%|growth⟧。")
    assert only(between(last, this, "years.growth")).status == "consistent"


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param("⟦公开信息|4243条|total⟧,⟦较2019年增长|10%|growth⟧。", id="another year"),
        pytest.param("⟦公开信息|4243条|total scope=市级部门⟧,⟦较去年增长|10%|growth⟧。", id="another body"),
        pytest.param("⟦公开信息|4243条|total⟧,⟦环比增长|10%|growth⟧。", id="the month before"),
        pytest.param("⟦公开信息|4243条|total⟧,⟦群众满意度同比增长|10%|growth⟧。", id="something else"),
    ],
)
def test_growth_of_other_things_is_left_alone(marked: str) -> None:
    assert not between(record(2022, marked="⟦公开信息|4000条|total⟧。"), record(2023, marked=marked), "years.growth")


def test_last_years_figure_as_repeated_is_held_against_last_years_report() -> None:
    this = record(2023, marked="⟦公开信息|4243条|total⟧,比上年的4100条⟦增加|143条|growth⟧。")
    assert only(between(record(2022, marked="⟦公开信息|4100条|total⟧。"), this, "years.growth")).status == "consistent"
    finding = only(between(record(2022, marked="⟦公开信息|4000条|total⟧。"), this, "years.growth"))
    assert (finding.status, finding.expected, finding.reported) == ("inconsistent", 4000, 4100)


def test_growth_from_nothing_is_no_percentage() -> None:
    assert not grown("50%", {})


def test_a_figure_is_found_where_it_stands_and_not_in_another() -> None:
    claims, _ = read("2012年⟦申请|12件|received⟧,⟦同比增加|2件|growth⟧。")
    (change,) = find_changes(claims, 2012)
    assert change.own.claim.text == "12件"
    assert next(find_figures("2件")).value == 2
