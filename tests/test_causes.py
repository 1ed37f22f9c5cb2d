"""Each cause once: what is grouped, what is not, and which ways out are listed."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from test_prose_rules import read, tables

from extractors.causes import Change, Contradiction, find_contradictions, find_unchecked
from extractors.explain import Explainer
from extractors.forms import load_forms
from extractors.prose_sums import check_sums
from extractors.prose_table import check_tables_stated
from extractors.reconcile import check_tables
from extractors.report import Metadata, Report, Source
from tests.generator.numbers import application_figures

FORMS = load_forms()
TOTAL = {
    f"applications__{row}__{who}": 12 for row in ("new", "processed", "granted") for who in ("natural_person", "total")
}


def report(marked: str = "", **changed: object) -> tuple[Report, str]:
    """A report on form 2021 with this prose; its cells are 0 save those named, ``__`` for dots."""
    claims, text = read(marked)
    read_tables = tables(**changed)
    findings = (
        *check_tables(read_tables, FORMS),
        *check_tables_stated(claims, read_tables, FORMS, text, 2023),
        *check_sums(claims, text, read_tables),
    )
    about = Metadata("年报", "青石镇", 2023, "2021", dict(read_tables.blocks), None, None, None)
    source = Source("a.txt", "0" * 64, "text/plain", None)
    return Report(source, about, read_tables.cells, (), claims, findings, ()), text


def found(marked: str = "", **changed: object) -> tuple[Contradiction, ...]:
    return find_contradictions(report(marked, **changed)[0], FORMS)


def changes(one: Contradiction) -> list[list[tuple[str, object]]]:
    return [[(change.name, change.suggested) for change in option.changes] for option in one.options]


def test_one_wrong_cell_with_three_broken_sums_is_one_contradiction() -> None:
    (one,) = found(**TOTAL | {"applications__processed__total": 21})
    assert {finding.rule for finding in one.findings} == {"form.balance", "form.outcomes", "form.applicants"}
    assert (one.number, one.severity, one.verdict) == (1, "error", "unique")
    key = "applications.processed.total"
    assert one.options[0].changes == (Change("cell", key, 21, 12, "digits_swapped"),)
    assert one.suspects == {key}


def test_a_claim_that_states_what_the_correction_makes_joins_the_broken_sums() -> None:
    (one,) = found("全年收到⟦申请|12件|received⟧。", **TOTAL | {"applications__new__total": 21})
    assert [finding.rule for finding in one.findings].count("prose.table") == 1
    assert len(one.findings) == 3
    assert one.options[0].stated == ("c1",)


def test_a_claim_that_repeats_the_wrong_cell_is_told_beside_it() -> None:
    (one,) = found("全年收到⟦申请|21件|received⟧。", **TOTAL | {"applications__new__total": 21})
    assert one.beside == ("c1",)
    assert one.options[0].stated == ()


def test_what_the_prose_states_comes_first_among_corrections_that_are_equally_small() -> None:
    marked = "行政复议⟦维持|2件|reviews⟧。共⟦行政复议|3件|reviews⟧。"
    cells = {"disputes__review__upheld": 2, "disputes__review__corrected": 1, "disputes__review__total": 5}
    one = next(one for one in found(marked, **cells) if one.findings[0].rule == "form.disputes")
    assert one.verdict == "several"
    assert changes(one)[0] == [("disputes.review.total", 3)]
    assert one.options[0].stated == ("c2",)


def test_a_total_that_contradicts_the_table_and_its_own_parts_is_one_wrong_claim() -> None:
    marked = "收到⟦申请|21件|received⟧，其中⟦自然人|12件|received of=1⟧、⟦法人或其他组织|0件|received of=1⟧。"
    (one,) = found(marked, **TOTAL)
    assert {finding.rule for finding in one.findings} == {"prose.table", "prose.parts"}
    assert changes(one) == [[("c1", 12)]]
    assert one.options[0].changes[0].slip == "digits_swapped"


def test_a_part_that_breaks_a_sum_and_its_own_share_is_one_wrong_claim() -> None:
    (one,) = found("公开⟦信息|100条|total⟧，其中⟦网站|40条|part of=1⟧，⟦其他|50条|part of=1⟧，占⟦|60%|share of=1⟧。")
    assert {finding.rule for finding in one.findings} == {"prose.parts", "prose.share"}
    assert changes(one) == [[("c3", 60)]]


def test_the_same_figure_twice_against_the_same_cell_is_one_contradiction_with_two_ways_out() -> None:
    marked = "收到⟦申请|13件|received⟧。全年共收到⟦申请|13件|received⟧。"
    (one,) = found(marked, **TOTAL)
    assert [len(option.changes) for option in one.options] == [2, 1]
    assert changes(one) == [[("c1", 12), ("c2", 12)], [("applications.new.total", 13)]]
    # In the table three sums hold with 12 that would not with 13: the prose comes first.
    assert [option.breaks for option in one.options] == [0, 2]


def test_contradictions_without_a_common_figure_stay_apart_errors_first() -> None:
    marked = "收到⟦申请|约30件|received⟧。⟦行政诉讼|2件|litigations⟧。"
    first, second = found(marked, **TOTAL)
    assert [one.number for one in (first, second)] == [1, 2]
    assert [one.severity for one in (first, second)] == ["error", "warning"]


def test_a_sum_that_the_form_only_expects_stands_alone() -> None:
    marked, changed = "", {"reviews2014__total": 3}
    claims, text = read(marked)
    cells = tables("2014", **changed)
    about = Metadata("年报", "青石镇", 2016, "2014", dict(cells.blocks), None, None, None)
    one = Report(Source("a", "0", "text/plain", None), about, cells.cells, (), claims, check_tables(cells, FORMS))
    (only,) = find_contradictions(one, FORMS)
    assert (only.verdict, only.options, only.severity) == ("none", (), "warning")


def test_what_was_not_checked_says_why() -> None:
    marked = (
        "⟦申请|5件|received scope=各乡镇⟧。收到⟦申请|40件|received sure=0.4⟧。"
        "⟦规范性文件|3件|normative_documents⟧。2019年收到⟦申请|7件|received⟧。"
    )
    cells: dict[str, object] = {"disclosure__normative_documents__in_force": "absent"}
    cells |= {f"disclosure__normative_documents__{name}": "absent" for name in ("issued", "repealed")}
    cells |= {"disputes__review__upheld": "illegible"}
    record, text = report(marked, **TOTAL | cells)
    reasons = {(gap.rule, gap.reason): gap for gap in find_unchecked(record)}
    assert set(reasons) >= {
        ("prose.table", "scope"),
        ("prose.table", "doubt"),
        ("prose.table", "absent"),
        ("prose.table", "meaning"),
        ("form.disputes", "illegible"),
    }
    explainer = Explainer(record, text, FORMS)
    assert explainer.unchecked(reasons["prose.table", "scope"]).chinese == "正文所述为其他口径，不与全表比较：各乡镇"
    assert "“行政复议·结果维持”" in explainer.unchecked(reasons["form.disputes", "illegible"]).english


def test_an_explanation_is_made_in_both_languages() -> None:
    marked = "收到⟦申请|21件|received⟧，其中⟦自然人|12件|received of=1⟧、⟦法人或其他组织|0件|received of=1⟧。"
    record, text = report(marked, **TOTAL | {"applications__carried_out__other": -1})
    explainer = Explainer(record, text, FORMS)
    table, prose = sorted(find_contradictions(record, FORMS), key=lambda one: one.findings[0].rule)
    texts = {finding.rule: explainer.finding(finding) for one in (table, prose) for finding in one.findings}
    assert texts["form.balance"].chinese.startswith("“法人或其他组织·其他”：0 ≠ 四、结转下年度继续办理 -1，相差 1")
    assert texts["form.range"].english.endswith("-1, must not be negative or fractional")
    assert texts["prose.table"].chinese == ("“申请”21件 ≠ “一、本年新收政府信息公开申请数量”“总计” 12，正文比表格多 9")
    assert texts["prose.parts"].english.endswith("= 12 < “申请”21件, the parts fall short of their whole by 9")
    assert explainer.option(prose.options[0]).chinese == "“申请” 21件 → 12件，改正文，相邻两位数字颠倒"
    assert explainer.verdict(table).english == "the only smallest correction"


def test_the_words_of_a_claim_are_lit_where_they_stand_not_where_they_stand_first() -> None:
    record, text = report("上年⟦申请|12件|received⟧，\n今年 ⟦申请|12件|received⟧。")
    explainer = Explainer(record, text, FORMS)
    sentence = text.replace("\n", "")
    first, second = (explainer.lit_parts(sentence, [claim]) for claim in record.claims)
    assert first == [("上年申请", False), ("12件", True), ("，今年 申请12件。", False)]
    assert second == [("上年申请12件，今年 申请", False), ("12件", True), ("。", False)]
    assert [part for part, lit in explainer.lit_parts(sentence, record.claims) if lit] == ["12件", "12件"]


@pytest.mark.parametrize("seed", range(12))
def test_every_inconsistent_finding_stands_in_exactly_one_contradiction(seed: int) -> None:
    rng = random.Random(seed)
    figures: dict[str, object] = dict(application_figures(rng, "2021", rng.choice(("few", "many"))))
    for key in rng.sample(sorted(figures), rng.randint(1, 12)):
        figures[key] = rng.choice([None, rng.randint(-1, 40), Decimal("1.5")])
    marked = "收到⟦申请|7件|received⟧，⟦予以公开|5件|granted⟧，⟦行政复议|9件|reviews⟧。"
    record, _ = report(marked, **{key.replace(".", "__"): value for key, value in figures.items()})
    grouped = [finding.id for one in find_contradictions(record, FORMS) for finding in one.findings]
    assert sorted(grouped) == sorted(f.id for f in record.findings if f.status == "inconsistent")
