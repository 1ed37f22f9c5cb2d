"""Doubtful readings under the identities: decided where one candidate is left, else left open."""

from decimal import Decimal

from extractors.assist import decide
from extractors.forms import Identity

ROW = Identity("row", "rule", "equal", ("a", "b"), ("total",), "")
COLUMN = Identity("column", "rule", "equal", ("a", "c"), ("sum",), "")


def numbers(*values: int) -> tuple[Decimal, ...]:
    return tuple(map(Decimal, values))


def test_the_candidate_that_makes_the_sum_is_taken() -> None:
    known = {"b": Decimal(2), "total": Decimal(10)}
    assert decide({"a": numbers(3, 8)}, known, [ROW]) == {"a": 8}


def test_two_candidates_that_fit_together_stay_open() -> None:
    known = {"total": Decimal(10)}
    assert decide({"a": numbers(3, 8), "b": numbers(2, 7)}, known, [ROW]) == {}


def test_a_second_identity_decides_what_one_leaves_open() -> None:
    known = {"total": Decimal(10), "c": Decimal(1), "sum": Decimal(4)}
    assert decide({"a": numbers(3, 8), "b": numbers(2, 7)}, known, [ROW, COLUMN]) == {"a": 3, "b": 7}


def test_clear_cells_that_do_not_add_up_decide_nothing() -> None:
    """The publisher's error: no candidate of the doubtful cell mends it, and none is chosen for coming near."""
    known = {"b": Decimal(2), "total": Decimal(99)}
    assert decide({"a": numbers(3, 8)}, known, [ROW]) == {}


def test_an_identity_with_an_unread_cell_says_nothing() -> None:
    assert decide({"a": numbers(3, 8)}, {"total": Decimal(10)}, [ROW]) == {}


def test_too_many_combinations_stay_open() -> None:
    wide = Identity("wide", "rule", "equal", tuple(f"x{i}" for i in range(16)), ("total",), "")
    doubtful = {f"x{i}": numbers(0, 1) for i in range(16)}
    assert decide(doubtful, {"total": Decimal(16)}, [wide]) == {}
