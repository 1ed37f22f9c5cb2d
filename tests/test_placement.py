"""Numbers whose places were lost, under the form's identities."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.forms import Identity
from extractors.placement import agreed, place_numbers

ROW = ("a", "b", "c", "total")
SUM = Identity("sum", "rule", "equal", ("a", "b", "c"), ("total",), "")


def test_a_row_sum_fixes_the_total_only() -> None:
    placed = place_numbers({ROW: (Decimal(7), Decimal(1), Decimal(8))}, {}, [SUM])
    assert agreed(placed[ROW], ROW) == {"total": Decimal(8)}


def test_no_number_means_all_blank() -> None:
    placed = place_numbers({ROW: ()}, {}, [SUM])
    assert agreed(placed[ROW], ROW) == dict.fromkeys(ROW)


def test_numbers_that_no_place_reconciles_stay_open() -> None:
    placed = place_numbers({ROW: (Decimal(7), Decimal(9))}, {}, [SUM])
    assert placed[ROW] == []
    assert agreed(placed[ROW], ROW) == {}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=3, max_size=3), st.sets(st.integers(0, 2)))
def test_what_is_agreed_is_always_true(parts: list[int], hidden: set[int]) -> None:
    """Whatever was printed in a row that adds up, the placement never contradicts it."""
    truth = {key: (None if index in hidden else Decimal(parts[index])) for index, key in enumerate(ROW[:3])}
    truth["total"] = sum((value for value in truth.values() if value is not None), Decimal(0))
    numbers = tuple(value for value in truth.values() if value is not None)
    placed = place_numbers({ROW: numbers}, {}, [SUM])
    for key, value in agreed(placed[ROW], ROW).items():
        assert (value or 0) == (truth[key] or 0)
