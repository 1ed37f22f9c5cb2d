"""The smallest set of figures to change so that a system of sums holds, found by exact search; all such sets.

An equation is a sum that must hold, written in changes: the changes of its figures, with their signs, must close its
gap. A broken equation holds only once a figure in it changes, so the search branches over the figures of one broken
equation, takes the chosen figure out of all others by elimination, and goes on with what is still broken. A set whose
size is too small to touch every broken equation is dropped at once: that bounds the work where many sums are broken.
Whole numbers and fractions only; nothing is rounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from extractors.forms import CellType

Exact = int | Fraction
Changes = dict[str, Exact]

# More cells than this are no single mistake that a reader could check; proved repairs beyond are not looked for.
MAX_CELLS = 6
# Terms of equations that one search looks at, some ten in a microsecond: a report with dozens of broken sums, or with
# sums made long by unknowns, ends here within some 50 ms.
MAX_TERMS = 500_000
# Where figures of one sum can share a change among them there may be thousands of ways; so many are listed.
MAX_SHARES = 5


@dataclass(frozen=True, slots=True)
class Equation:
    """The changes of the figures in ``terms``, each times its coefficient, must add up to ``gap``."""

    terms: Mapping[str, Exact]
    gap: Exact


@dataclass(frozen=True, slots=True)
class System:
    """Sums that hang together by their figures.

    ``equations`` hold figures that were read, ``definitions`` give for each figure that was not (by key) the equation
    that determines it, ``ceilings`` are sums that must not exceed 0: value of the sum now, and terms. ``values`` and
    ``types`` tell what each figure is and may become; ``forced`` are those whose value is out of range as it stands.
    """

    equations: tuple[Equation, ...]
    definitions: tuple[tuple[str, Equation], ...]
    ceilings: tuple[Equation, ...]
    values: Mapping[str, Exact]
    types: Mapping[str, CellType]
    forced: frozenset[str]

    @property
    def broken(self) -> bool:
        """Whether some sum of figures that were all read does not hold."""
        return any(equation.gap for equation in self.equations)

    def closes(self, changes: Changes) -> bool:
        """Whether every equation holds after ``changes``."""
        return all(
            sum(coefficient * changes.get(key, 0) for key, coefficient in equation.terms.items()) == equation.gap
            for equation in self.equations
        )


@dataclass(frozen=True, slots=True)
class Optimum:
    """The smallest changes, each touching ``size`` figures; empty where none of at most ``size`` figures was found.

    ``proved`` is False where the search ended before it had seen every possibility.
    """

    size: int
    changes: tuple[Changes, ...]
    proved: bool


@dataclass(slots=True)
class Work:
    """What a search has spent, and whether it passed by something that it could not decide."""

    terms: int = 0
    open: bool = False

    @property
    def spent(self) -> bool:
        """Whether the search must end."""
        return self.terms > MAX_TERMS


@dataclass(frozen=True, slots=True)
class _Node:
    """A state of the search: figures chosen, each with the equation it was taken out by, and what is left."""

    equations: tuple[Equation, ...]
    chosen: tuple[tuple[str, Equation], ...] = ()
    banned: frozenset[str] = field(default_factory=frozenset)


def make_system(
    equations: list[Equation],
    ceilings: tuple[Equation, ...],
    values: Mapping[str, Exact],
    types: Mapping[str, CellType],
) -> System:
    """The system of ``equations``; figures without a value are unknowns, taken out of all equations but one each.

    Two sums that share an unknown become one sum without it: that much evidence is left.
    """
    unknowns = {key: None for equation in equations for key in equation.terms if key not in values}
    definitions = []
    left = equations
    for key in unknowns:
        # The shortest: what is left grows least.
        holding = [equation for equation in left if key in equation.terms]
        if holding:
            pivot = min(holding, key=lambda equation: len(equation.terms))
            definitions.append((key, pivot))
            left = _without(left, pivot, key)
    forced = frozenset(key for key, value in values.items() if not allowed(value, types[key]))
    return System(tuple(left), tuple(definitions), ceilings, values, types, forced)


def allowed(value: Exact, kind: CellType) -> bool:
    """Whether a figure of this kind may have the value: counts are whole and not negative, amounts not negative."""
    return (value >= 0 or kind == "signed") and (kind == "amount" or Fraction(value).denominator == 1)


def smallest_changes(system: System, sizes: range, work: Work) -> Optimum:
    """Every change of the fewest figures, of ``sizes``, after which all sums hold and all figures are in range."""
    for size in sizes:
        unique = {frozenset(changes.items()): changes for changes in _search(system, size, work)}
        if work.spent:
            return Optimum(size - 1 if not unique else size, tuple(unique.values()), False)
        if unique:
            return Optimum(size, tuple(unique.values()), not work.open)
    return Optimum(sizes[-1], (), not work.open)


def _search(system: System, size: int, work: Work) -> Iterator[Changes]:
    if system.broken:
        yield from _extend(system, _Node(system.equations), size, work)


def _extend(system: System, node: _Node, left: int, work: Work) -> Iterator[Changes]:
    """Every allowed set of changes with ``left`` more figures than ``node`` has, none of them banned."""
    broken = [equation for equation in node.equations if equation.gap]
    work.terms += len(node.equations) + sum(len(equation.terms) for equation in broken)
    if work.spent:
        return
    if not broken:
        yield from _share(system, node, left, work)
        return
    # How many broken equations each figure is in: those chosen must touch them all.
    touched = Counter(key for equation in broken for key in equation.terms if key not in node.banned)
    most = [count for _, count in touched.most_common(left)]
    if sum(most) < len(broken):
        return
    pivot = min(broken, key=lambda equation: len(equation.terms))
    needed = len(broken) - sum(most[: left - 1])
    banned = node.banned
    for key in pivot.terms:
        if key in node.banned or touched[key] < needed:
            continue
        if left == 1:
            yield from _close(system, node, pivot, key, work)
        else:
            rest = tuple(_without(node.equations, pivot, key))
            work.terms += len(rest) + 4 * len(pivot.terms) * sum(key in other.terms for other in node.equations)
            yield from _extend(system, _Node(rest, (*node.chosen, (key, pivot)), banned), left - 1, work)
        # What contains this figure has been seen; later branches leave it out.
        banned = banned | {key}


def _close(system: System, node: _Node, pivot: Equation, key: str, work: Work) -> Iterator[Changes]:
    """The set with ``key`` as its last figure, if that closes every gap."""
    work.terms += len(node.equations)
    change = _ratio(pivot.gap, pivot.terms[key])
    if all(equation.terms.get(key, 0) * change == equation.gap for equation in node.equations):
        changes = _solve(node.chosen, {key: change})
        if _is_allowed(system, changes, work):
            yield changes


def _share(system: System, node: _Node, left: int, work: Work) -> Iterator[Changes]:
    """Sets with more figures than the sums need: only because a figure would leave its range otherwise.

    With one more figure the change is shared along a line and can be listed; with two or more it is left open.
    """
    if not node.chosen:
        return
    if left > 1:
        work.open = True
        return
    used = {key for key, _ in node.chosen} | node.banned
    needed = {key for equation in node.equations for key in equation.terms}
    for key in system.values:
        if key in used or key in needed or work.spent:
            continue
        work.terms += 100 * len(node.chosen)
        at_zero, at_one = _solve(node.chosen, {key: 0}), _solve(node.chosen, {key: 1})
        shares = list(_shares(system, key, at_zero, at_one))
        work.open |= len(shares) > MAX_SHARES
        for share in shares[: MAX_SHARES if not work.spent else 0]:
            changes = _solve(node.chosen, {key: share})
            if _is_allowed(system, changes, work):
                yield changes


def _shares(system: System, key: str, at_zero: Changes, at_one: Changes) -> Iterator[int]:
    """Whole changes of ``key`` that may keep every figure at or above nil, one more than are listed."""
    low, high = Fraction(-(10**12)), Fraction(10**12)
    for other, start in at_zero.items():
        slope = Fraction(at_one[other] - start)
        room = Fraction(system.values[other] + start)
        if system.types[other] == "signed" or (slope == 0 and room >= 0):
            continue
        if slope == 0:
            return
        low, high = (max(low, -room / slope), high) if slope > 0 else (low, min(high, -room / slope))
    near = (share for share in range(ceil(low), min(floor(high), ceil(low) + MAX_SHARES + 1) + 1) if share)
    yield from near


def _is_allowed(system: System, changes: Changes, work: Work) -> bool:
    if not all(changes.values()) or not system.forced <= changes.keys():
        return False
    if not all(allowed(system.values[key] + change, system.types[key]) for key, change in changes.items()):
        return False
    for ceiling in system.ceilings:
        moved = sum(coefficient * changes.get(key, 0) for key, coefficient in ceiling.terms.items())
        if moved > 0 and ceiling.gap + moved > 0:
            return False
    work.terms += 10 * sum(len(equation.terms) for _, equation in system.definitions)
    possible = [is_possible(key, equation, system, changes) for key, equation in system.definitions]
    work.open |= None in possible
    return False not in possible


def is_possible(unknown: str, equation: Equation, system: System, changes: Changes) -> bool | None:
    """Whether the unknown can be in its range after ``changes``; None where that hangs on other unknowns."""
    own = equation.terms[unknown]
    rest = equation.gap - sum(coefficient * changes.get(key, 0) for key, coefficient in equation.terms.items())
    others = [_ratio(c, own) for key, c in equation.terms.items() if key != unknown and key not in system.values]
    # With all others at nil: enough if it is in range; if it is not, only one that comes off the sum can help.
    if allowed(_ratio(rest, own), system.types[unknown]):
        return True
    return None if any(coefficient < 0 for coefficient in others) else False


def _solve(chosen: tuple[tuple[str, Equation], ...], last: Changes) -> Changes:
    """The change of every chosen figure, those of ``last`` being given."""
    changes = dict(last)
    for key, pivot in reversed(chosen):
        terms = pivot.terms
        rest = sum(terms[other] * change for other, change in changes.items() if other in terms)
        changes[key] = _ratio(pivot.gap - rest, terms[key])
    return changes


def _without(equations: list[Equation] | tuple[Equation, ...], pivot: Equation, key: str) -> list[Equation]:
    """All equations but ``pivot``, with ``key`` taken out of them by means of ``pivot``."""
    return [
        _eliminate(equation, pivot, key) if key in equation.terms else equation
        for equation in equations
        if equation is not pivot
    ]


def _eliminate(equation: Equation, pivot: Equation, key: str) -> Equation:
    factor = _ratio(equation.terms[key], pivot.terms[key])
    terms = dict(equation.terms)
    for other, coefficient in pivot.terms.items():
        left = terms.get(other, 0) - factor * coefficient
        if left:
            terms[other] = left
        else:
            del terms[other]
    return Equation(terms, equation.gap - factor * pivot.gap)


def _ratio(number: Exact, divisor: Exact) -> Exact:
    # Nearly every coefficient is 1 or -1.
    if divisor == 1:
        return number
    if divisor == -1:
        return -number
    ratio = Fraction(number) / Fraction(divisor)
    return int(ratio) if ratio.denominator == 1 else ratio
