"""The smallest correction: one test for each way in which broken sums are explained, or are left unexplained."""

import itertools
import random
import time
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.cells import Tables
from extractors.equations import Equation, Work, make_system, smallest_changes
from extractors.forms import load_forms
from extractors.reconcile import check_tables, explain_tables
from extractors.repair import Cause
from extractors.report import Cell, Evidence, Finding, Suggestion
from extractors.slips import name_slip, typing_distance
from tests.generator.numbers import application_figures

FORMS = load_forms()
APPLICANTS = ("natural_person", "business", "research", "charity", "legal_service", "other", "total")


def report(figures: dict[str, object], form: str = "2021") -> Tables:
    """A report that prints these figures and 0 elsewhere; None is blank, a str a status."""
    blocks: dict[str, str | None] = dict.fromkeys(("disclosure", "applications", "disputes"), form)
    cells = []
    for key, spec in FORMS[form].cells.items():
        value = figures.get(key, 0)
        cell = Cell(key, 0, "0", spec.unit, "reported", 0.99, Evidence(start=0, end=1))
        if isinstance(value, str):
            cell = replace(cell, value=None, status=value)
        elif value is None:
            cell = replace(cell, value=None, raw="", status="blank")
        else:
            cell = replace(cell, value=value, raw=str(value))
        cells.append(cell)
    return Tables(form, blocks, tuple(cells))


def broken(tables: Tables) -> dict[str, Finding]:
    return {finding.id: finding for finding in check_tables(tables, FORMS) if finding.status == "inconsistent"}


def causes(tables: Tables) -> tuple[Cause, ...]:
    assert tables.form
    return explain_tables(tables.cells, tables.blocks, tables.form, FORMS)


def table(seed: int = 3) -> dict[str, object]:
    """The applications table of a busy office; everything adds up."""
    return dict(application_figures(random.Random(seed), "2021", "many"))


def row(name: str, values: Iterable[object]) -> dict[str, object]:
    return {f"applications.{name}.{who}": value for who, value in zip(APPLICANTS, values, strict=True)}


def number(figures: dict[str, object], key: str) -> int:
    value = figures[key]
    assert isinstance(value, int)
    return value


def test_one_wrong_cell_is_one_cause_and_its_old_value_the_suggestion() -> None:
    clean = table()
    key = "applications.processed.natural_person"
    findings = broken(report(clean | {key: number(clean, key) + 90}))
    assert set(findings) == {
        "form.applicants:applications.processed",
        "form.balance:applications.natural_person",
        "form.outcomes:applications.natural_person",
    }
    old = number(clean, key)
    assert {finding.suggestion for finding in findings.values()} == {(Suggestion(key, old + 90, old),)}
    for finding in findings.values():
        chinese, _, english = finding.message.partition(" / broken: ")
        assert f"此 3 处出于同一原因，唯一的最小更正：“（七）总计”“自然人” {old + 90} → {old}" in chinese
        assert (
            f"3 findings with one cause, the only smallest correction: “（七）总计”“自然人” {old + 90} -> {old}"
            in english
        )


def test_two_wrong_cells_without_a_common_sum_are_two_causes() -> None:
    clean = table()
    first, second = "applications.granted.natural_person", "applications.denied.law.business"
    wrong = report(clean | {first: number(clean, first) + 10, second: number(clean, second) + 3})
    findings = broken(wrong)
    assert len(findings) == 4
    assert findings["form.applicants:applications.granted"].suggestion == (
        Suggestion(first, number(clean, first) + 10, number(clean, first)),
    )
    assert findings["form.outcomes:applications.business"].suggestion == (
        Suggestion(second, number(clean, second) + 3, number(clean, second)),
    )
    assert [len(cause.identities) for cause in causes(wrong)] == [2, 2]


def test_two_wrong_cells_of_one_row_are_one_cause_of_two_cells() -> None:
    clean = table()
    first, second = "applications.granted.natural_person", "applications.granted.business"
    wrong = clean | {first: number(clean, first) + 10, second: number(clean, second) + 3}
    suggestions = {finding.suggestion for finding in broken(report(wrong)).values()}
    assert suggestions == {
        tuple(Suggestion(key, number(wrong, key), number(clean, key)) for key in (first, second)),
    }


def test_a_figure_and_its_total_wrong_by_the_same_amount_are_left_open_with_candidates() -> None:
    clean = table()
    leaf, total = "applications.granted.natural_person", "applications.granted.total"
    wrong = report(clean | {leaf: number(clean, leaf) - 9, total: number(clean, total) - 9})
    findings = broken(wrong)
    assert {finding.suggestion for finding in findings.values()} == {None}
    (cause,) = causes(wrong)
    assert len(cause.repairs) > 1
    assert all(f"同样小的更正有 {len(cause.repairs)} 种" in finding.message for finding in findings.values())
    truth = {(leaf, number(clean, leaf)), (total, number(clean, total))}
    assert truth in [{(change.key, change.suggested) for change in repair.changes} for repair in cause.repairs]
    assert [repair.distance for repair in cause.repairs] == sorted(repair.distance for repair in cause.repairs)


def test_a_lone_sum_does_not_tell_which_of_its_cells_is_wrong() -> None:
    wrong = report({"disputes.review.upheld": 2, "disputes.review.total": 5})
    (finding,) = broken(wrong).values()
    assert finding.suggestion is None
    assert "5 equally small corrections, none suggested" in finding.message
    (cause,) = causes(wrong)
    assert [repair.changes[0].key for repair in cause.repairs][0] == "disputes.review.upheld"


def test_a_correction_that_two_wrong_cells_would_imitate_is_named_but_not_suggested() -> None:
    wrong = report({"disputes.review.upheld": 10, "disputes.review.corrected": 1})
    (finding,) = broken(wrong).values()
    assert finding.suggestion is None
    assert "“行政复议·总计” 0 → 11（总计未随分项更新），但两格有误也会如此，不作建议" in finding.message


@pytest.mark.parametrize("moved", [[5, 0, 0, 2, 1, 38, 0], [0, 30, 5, 0, 0, 2, 1], [5, 0, 0, 2, 1, 38, None]])
def test_a_row_shifted_by_one_column_is_one_slip(moved: list[object]) -> None:
    meant = [30, 5, 0, 0, 2, 1, 38]
    clean = row("granted", meant) | row("processed", meant) | row("new", meant)
    wrong = report(clean | row("granted", moved))
    findings = broken(wrong)
    expected = tuple(
        Suggestion(f"applications.granted.{who}", printed, value)  # type: ignore[arg-type]
        for who, printed, value in zip(APPLICANTS, moved, meant, strict=True)
        if (printed or 0) != value
    )
    assert {finding.suggestion for finding in findings.values()} == {expected}
    assert all("整行错位一列" in finding.message for finding in findings.values())


def test_three_wrong_cells_are_found_where_they_are_the_only_smallest_correction() -> None:
    clean = table()
    keys = ("applications.new.business", "applications.granted.natural_person", "applications.carried_out.other")
    wrong = clean | {key: number(clean, key) + step for key, step in zip(keys, (7, 20, 4), strict=True)}
    suggested = {change for finding in broken(report(wrong)).values() for change in finding.suggestion or ()}
    assert suggested == {Suggestion(key, number(wrong, key), number(clean, key)) for key in keys}


def test_a_cell_that_was_not_read_proves_nothing_and_is_not_blamed() -> None:
    clean = table()
    key, near = "applications.granted.natural_person", "applications.granted.business"
    wrong = report(clean | {key: number(clean, key) + 10, near: "illegible"})
    findings = broken(wrong)
    assert set(findings) == {"form.outcomes:applications.natural_person"}
    # Its row says nothing without the unread cell, and that of its column may take what the row does not: the two
    # sums together still speak.
    (cause,) = causes(wrong)
    assert (key, number(clean, key)) in {(r.changes[0].key, r.changes[0].suggested) for r in cause.repairs}
    assert all(change.key != near for repair in cause.repairs for change in repair.changes)


def test_an_unread_cell_that_would_fall_below_nil_rules_a_correction_out() -> None:
    terms = {"a": 1, "b": 1, "u": 1, "total": -1}
    system = make_system(
        [Equation({"a": 1, "c": -1}, 4), Equation(terms, -5)],
        (),
        {"a": 5, "b": 0, "c": 9, "total": 0},
        dict.fromkeys("abcu", "count") | {"total": "count"},
    )
    # a 5 -> 9 would need u = -9.
    assert smallest_changes(system, range(1, 2), Work()).changes == ()


def test_a_blank_that_should_hold_a_figure() -> None:
    clean = table()
    key = "applications.granted.total"
    findings = broken(report(clean | {key: None}))
    assert {finding.suggestion for finding in findings.values()} == {(Suggestion(key, None, number(clean, key)),)}
    assert all("漏填" in finding.message and "空白" in finding.message for finding in findings.values())


def test_blanks_that_are_not_nil_are_told() -> None:
    clean = table()
    wrong = {key: None if key.endswith(".total") and "processed" not in key else value for key, value in clean.items()}
    findings = broken(report(wrong))
    assert {finding.suggestion for finding in findings.values()} == {None}
    assert all("空白格如不为零，各式可以成立" in finding.message for finding in findings.values())


def test_a_negative_figure_is_part_of_every_correction() -> None:
    clean = table()
    key = "applications.granted.natural_person"
    findings = broken(report(clean | {key: -number(clean, key)}))
    assert "form.range:applications.granted" in findings
    assert {finding.suggestion for finding in findings.values()} == {
        (Suggestion(key, -number(clean, key), number(clean, key)),)
    }
    assert all("正负号有误" in finding.message for finding in findings.values())


def test_dozens_of_broken_sums_are_given_up_soon() -> None:
    clean = table()
    rng = random.Random(5)
    wrong = clean | {key: number(clean, key) + rng.randint(1, 9) for key in rng.sample(sorted(clean), 40)}
    started = time.process_time()
    findings = broken(report(wrong))
    assert time.process_time() - started < 1
    assert {finding.suggestion for finding in findings.values()} == {None}
    assert all("没有" in f.message or "不作建议" in f.message for f in findings.values())


def test_bounds_of_form_2014_hold_after_a_correction() -> None:
    system = make_system(
        [Equation({"a": 1, "b": 1, "total": -1}, -2)],
        (Equation({"total": 1, "most": -1}, -1),),
        {"a": 4, "b": 3, "total": 5, "most": 6},
        dict.fromkeys(("a", "b", "total", "most"), "count"),
    )
    changes = smallest_changes(system, range(1, 2), Work()).changes
    assert list(changes) == [{"a": -2}, {"b": -2}]


def test_expected_identities_are_no_evidence() -> None:
    (finding,) = broken(report({"reviews2014.total": 3}, "2014")).values()
    assert finding.suggestion is None
    assert "不作建议" not in finding.message


@pytest.mark.parametrize(
    ("reported", "suggested", "is_total", "slip"),
    [
        (43, 34, False, "digits_swapped"),
        (34, 134, False, "digit_dropped"),
        (134, 34, False, "digit_added"),
        (1334, 134, False, "digit_doubled"),
        (100, 10, False, "digit_doubled"),
        (137, 134, False, "digit_changed"),
        (137, 134, True, "digit_changed"),
        (7, 4, True, "total_not_updated"),
        (0, 25, True, "total_not_updated"),
        (0, 25, False, None),
        (-5, 5, False, "sign"),
        (-2, 0, False, None),
        (None, 5, False, "left_blank"),
    ],
)
def test_slips(reported: int | None, suggested: int, is_total: bool, slip: str | None) -> None:
    assert name_slip(reported, suggested, is_total) == slip


def test_typing_distance_counts_a_swap_once() -> None:
    assert [typing_distance(43, 34), typing_distance(1, 123), typing_distance(None, 7)] == [1, 2, 1]


@pytest.mark.parametrize("form", ["2019", "2021"])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), volume=st.sampled_from(["few", "many"]), wrong=st.integers(0, 500), data=st.data())
def test_one_changed_cell_is_suggested_with_its_old_value_or_nothing_is(
    form: str, seed: int, volume: str, wrong: int, data: st.DataObject
) -> None:
    clean = application_figures(random.Random(seed), form, volume)
    key = data.draw(st.sampled_from(sorted(clean)))
    if wrong == clean[key]:
        return
    findings = broken(report(dict(clean) | {key: wrong}, form))
    assert findings
    assert {f.suggestion for f in findings.values()} <= {None, (Suggestion(key, wrong, clean[key]),)}


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), wrong=st.lists(st.integers(0, 40), min_size=2, max_size=2), data=st.data())
def test_two_changed_cells_are_never_suggested_wrongly(seed: int, wrong: list[int], data: st.DataObject) -> None:
    clean = application_figures(random.Random(seed), "2021", "few") | dict.fromkeys(
        (f"disputes.review.{part}" for part in ("upheld", "corrected", "other", "pending", "total")), 0
    )
    keys = data.draw(st.lists(st.sampled_from(sorted(clean)), min_size=2, max_size=2, unique=True))
    printed = dict(clean) | dict(zip(keys, wrong, strict=True))
    for finding in broken(report(dict(printed))).values():
        for change in finding.suggestion or ():
            assert change == Suggestion(change.key, printed[change.key], clean[change.key])
            assert change.key in keys


@pytest.mark.parametrize("seed", range(60))
def test_the_search_finds_what_trying_everything_finds(seed: int) -> None:
    rng = random.Random(seed)
    keys = "abcdefg"
    values = {key: rng.randint(0, 4) for key in keys}
    rules = [rng.sample(keys, rng.randint(2, 4)) for _ in range(rng.randint(1, 4))]
    equations = []
    for names in rules:
        terms = {name: 1 if place else -1 for place, name in enumerate(names)}
        equations.append(Equation(terms, -sum(sign * values[name] for name, sign in terms.items())))
    system = make_system(equations, (), values, dict.fromkeys(keys, "count"))
    if not system.broken:
        return
    work = Work()
    optimum = smallest_changes(system, range(1, 3), work)
    found = {frozenset(changes.items()) for changes in optimum.changes}
    for size in (1, 2):
        tried = {
            frozenset(zip(chosen, steps, strict=True))
            for chosen in itertools.combinations(keys, size)
            for steps in itertools.product(*([s for s in range(-values[key], 25) if s] for key in chosen))
            if system.closes(dict(zip(chosen, steps, strict=True)))
        }
        if tried:
            break
    assert found <= tried if work.open else found == tried
    assert not tried or found
