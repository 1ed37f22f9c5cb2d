"""Doubtful readings decided by the form's identities, where they single out one candidate; never a clear one.

A scanned cell has candidate readings. Cells that were read beyond doubt are taken as they are, right sums or wrong:
a printed error must stay. Doubtful cells are tried with each of their candidates, all those that share an identity
together. A cell on which all combinations that satisfy the identities agree is decided; the rest stays open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import product
from math import prod

from extractors.forms import Identity

# Combinations tried for one group of cells that share identities; a group with more stays undecided.
MAX_COMBINATIONS = 20_000


def decide(
    doubtful: Mapping[str, tuple[Decimal, ...]], known: Mapping[str, Decimal], identities: Iterable[Identity]
) -> dict[str, Decimal]:
    """The value of each doubtful cell that the identities single out among its candidates.

    ``doubtful`` maps a cell's key to its candidate values (at least one), ``known`` holds the cells read beyond
    doubt, blanks as 0. An identity with a cell in neither says nothing.
    """
    usable = [
        identity
        for identity in identities
        if identity.relation == "equal"
        and all(key in doubtful or key in known for key in (*identity.plus, *identity.minus))
        and any(key in doubtful for key in (*identity.plus, *identity.minus))
    ]
    decided: dict[str, Decimal] = {}
    for keys, rules in _groups(doubtful, usable):
        decided.update(_decide_group(keys, rules, doubtful, known))
    return decided


def _groups(
    doubtful: Mapping[str, tuple[Decimal, ...]], rules: list[Identity]
) -> list[tuple[list[str], list[Identity]]]:
    """Doubtful cells that hang together by identities, with those identities."""
    groups: list[tuple[set[str], list[Identity]]] = []
    for rule in rules:
        keys = {key for key in (*rule.plus, *rule.minus) if key in doubtful}
        touching = [group for group in groups if group[0] & keys]
        merged = (keys.union(*(group[0] for group in touching)), [rule, *(r for group in touching for r in group[1])])
        groups = [group for group in groups if not group[0] & keys] + [merged]
    return [(sorted(keys), found) for keys, found in groups]


def _decide_group(
    keys: list[str],
    rules: list[Identity],
    doubtful: Mapping[str, tuple[Decimal, ...]],
    known: Mapping[str, Decimal],
) -> dict[str, Decimal]:
    if prod(len(doubtful[key]) for key in keys) > MAX_COMBINATIONS:
        return {}
    fitting = []
    for values in product(*(doubtful[key] for key in keys)):
        chosen = dict(zip(keys, values, strict=True))
        if all(_holds(rule, chosen, known) for rule in rules):
            fitting.append(chosen)
    if not fitting:
        return {}
    return {key: fitting[0][key] for key in keys if len({chosen[key] for chosen in fitting}) == 1}


def _holds(rule: Identity, chosen: Mapping[str, Decimal], known: Mapping[str, Decimal]) -> bool:
    def total(keys: tuple[str, ...]) -> Decimal:
        return sum((chosen[key] if key in chosen else known[key] for key in keys), Decimal(0))

    return total(rule.plus) == total(rule.minus)
