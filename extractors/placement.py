"""Where the numbers of a row stand whose blanks were lost: decided by the form's identities or not at all.

Each row with ``m`` numbers and ``n`` columns has some placements that keep the order. Those that no reading of
the other rows can reconcile with the identities are struck out until nothing changes. What all remaining
placements agree on is known; the rest stays open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import combinations

from extractors.forms import Identity

Slots = tuple[str, ...]
Placement = dict[str, Decimal]


def place_numbers(
    loose: Mapping[Slots, tuple[Decimal, ...]],
    known: Mapping[str, Decimal],
    identities: Iterable[Identity],
) -> dict[Slots, list[Placement]]:
    """The placements of each row of ``loose`` (its cell keys, its numbers in order) that no identity excludes.

    ``known`` holds the values of all other cells, blanks as 0. A key that a placement leaves out is blank there.
    A row without any consistent placement gets an empty list.
    """
    options = {slots: _placements(slots, numbers) for slots, numbers in loose.items()}
    rules = [identity for identity in identities if identity.relation == "equal"]
    changed = True
    while changed:
        changed = False
        for slots, placements in options.items():
            others = {key: value for key, value in _ranges(options, known).items() if key not in slots}
            kept = [placement for placement in placements if _possible(placement, slots, others, rules)]
            if len(kept) < len(placements):
                options[slots], changed = kept, True
    return options


def agreed(placements: list[Placement], slots: Slots) -> dict[str, Decimal | None]:
    """The cells on which all placements agree: their number, or None for a blank."""
    if not placements:
        return {}
    first = placements[0]
    return {key: first.get(key) for key in slots if all(other.get(key) == first.get(key) for other in placements)}


def _placements(slots: Slots, numbers: tuple[Decimal, ...]) -> list[Placement]:
    return [
        dict(zip((slots[index] for index in chosen), numbers, strict=True))
        for chosen in combinations(range(len(slots)), len(numbers))
    ]


def _ranges(
    options: Mapping[Slots, list[Placement]], known: Mapping[str, Decimal]
) -> dict[str, tuple[Decimal, Decimal]]:
    """The least and the greatest value that each cell can still have."""
    ranges = {key: (value, value) for key, value in known.items()}
    nil = Decimal(0)
    for slots, placements in options.items():
        for key in slots:
            values = [placement.get(key, nil) for placement in placements] or [nil]
            ranges[key] = (min(values), max(values))
    return ranges


def _possible(
    placement: Placement, slots: Slots, others: Mapping[str, tuple[Decimal, Decimal]], rules: list[Identity]
) -> bool:
    nil = Decimal(0)
    own = {key: (placement.get(key, nil),) * 2 for key in slots}
    for rule in rules:
        if not own.keys() & {*rule.plus, *rule.minus}:
            continue
        plus = [own.get(key) or others.get(key) for key in rule.plus]
        minus = [own.get(key) or others.get(key) for key in rule.minus]
        if None in plus or None in minus:
            continue
        low = sum(span[0] for span in plus if span) - sum(span[1] for span in minus if span)
        high = sum(span[1] for span in plus if span) - sum(span[0] for span in minus if span)
        if not low <= 0 <= high:
            return False
    return True
