"""Printing a cell wrong on purpose, so that identities break; what breaks is computed afterwards."""

from __future__ import annotations

import random
from collections.abc import Mapping
from decimal import Decimal

from tests.generator.identities import violations
from tests.generator.numbers import Printed, nil_aware, reported


def break_identities(cells: Mapping[str, Printed], count: int, rng: random.Random) -> dict[str, Printed]:
    """The cells with ``count`` of them printed wrong; every change breaks at least one identity more."""
    wrong = dict(cells)
    candidates = breakable(wrong)
    touched: set[str] = set()
    while len(touched) < count:
        key = rng.choice([key for key in candidates if key not in touched])
        changed = wrong | {key: wrong_print(key, wrong[key], rng)}
        if len(violations(changed)) > len(violations(wrong)):
            wrong = changed
            touched.add(key)
    return wrong


def breakable(cells: Mapping[str, Printed]) -> list[str]:
    """Keys of cells that lie in an identity or in a range rule."""
    prefixes = (
        "applications.", "disputes.", "requests2014.", "resources2014.staff", "reviews2014.", "litigation2014.",
        "disclosure2014.", "responses2014.press_conferences.", "responses2014.interviews.",
    )  # fmt: skip
    return [key for key in cells if key.startswith(prefixes) or key.endswith(".change")]


def wrong_print(key: str, printed: Printed, rng: random.Random) -> Printed:
    """Another figure for the cell: a digit changed, one more, ten times, negative or with a fraction."""
    value = int(nil_aware(printed))
    if key.endswith(".change"):
        value = -rng.randint(20000, 90000)
        return reported(str(value), value)
    choice = rng.random()
    if choice < 0.05:
        return reported(f"-{value or 2}", -(value or 2))
    if choice < 0.09:
        return reported(f"{value}.5", Decimal(value) + Decimal("0.5"))
    if choice < 0.75 and value:
        return change_digit(printed, value, rng)
    wrong = rng.choice(
        (value + 1, value + rng.randint(1, 9), value * 10 + 1, max(value - 1, 0) if value > 1 else value + 3)
    )
    return reported(str(wrong), wrong)


def change_digit(printed: Printed, value: int, rng: random.Random) -> Printed:
    """``value`` with one printed digit changed, in plain digits."""
    digits = list(str(abs(value)))
    place = rng.randrange(len(digits))
    choices = [digit for digit in "0123456789" if digit != digits[place] and not (place == 0 and digit == "0")]
    digits[place] = rng.choice(choices)
    wrong = int("".join(digits))
    return reported(str(wrong), wrong)


def value_keys(cells: Mapping[str, Printed]) -> list[str]:
    """Keys whose print holds a digit: what a mutation test may change."""
    return [key for key, printed in cells.items() if printed.status == "reported" and printed.raw.isdigit()]
