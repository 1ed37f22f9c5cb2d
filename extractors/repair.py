"""Which cells are wrong where sums are broken: the smallest change that makes all of them hold.

Broken sums are grouped by cause: sums that the same wrong cells break have one cause. A cause has one repair where
exactly one smallest change of reported cells makes every identity hold, and several where more than one does; then
none is better than the others by what the report states. One cell is suggested only where no two cells would do as
well: so a suggestion is right wherever at most two cells of the sums that hang together are wrong. Blanks are nil as
in the findings, and may change like printed figures; cells that are illegible or absent are unknowns: they prove
nothing and cost nothing. A row printed one column further left or right counts as one slip, dearer than two wrong
cells and cheaper than three.

Nothing here changes a reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from extractors.equations import (
    MAX_CELLS,
    Changes,
    Equation,
    Exact,
    System,
    Work,
    allowed,
    is_possible,
    make_system,
    smallest_changes,
)
from extractors.forms import CellType, Identity
from extractors.numbers import whole
from extractors.report import Cell, Number, Suggestion
from extractors.slips import Slip, name_slip, typing_distance

# A row of seven cells under seven columns: the only place where a shift leaves marks that can be told from others.
_SHIFTED_RULE = "form.applicants"


@dataclass(frozen=True, slots=True)
class Repair:
    """One smallest change; ``slips`` names what happened to each of its cells, as far as it is a usual slip."""

    changes: tuple[Suggestion, ...]
    slips: tuple[Slip | None, ...]
    distance: int

    @property
    def is_shift(self) -> bool:
        """Whether one row was printed one column too far left or right."""
        return "row_shifted" in self.slips


@dataclass(frozen=True, slots=True)
class Cause:
    """Broken identities that go back to the same cells.

    ``repairs``: all smallest changes that mend them, the nearest in typing first. ``proved`` is False where the
    search ended early: the list is then not complete. Without any repair, none of at most ``size`` cells exists.
    ``rivalled``: there is one repair of one cell, but two wrong cells would explain the same sums. ``unstated``: there
    is no repair, but the sums could hold if what was left blank were not nil.
    """

    identities: tuple[str, ...]
    repairs: tuple[Repair, ...]
    size: int
    proved: bool
    rivalled: bool = False
    unstated: bool = False

    @property
    def suggestion(self) -> tuple[Suggestion, ...] | None:
        """The one smallest change, if there is exactly one, and it is no coincidence of two."""
        sure = self.proved and not self.rivalled and len(self.repairs) == 1
        return self.repairs[0].changes if sure else None


@dataclass(frozen=True, slots=True)
class _Found:
    """The ways to mend one component, all together."""

    ways: tuple[Changes, ...]
    shifts: tuple[Changes, ...]
    size: int
    proved: bool
    rivalled: bool = False


def find_causes(
    cells: Mapping[str, Cell], identities: Iterable[Identity], types: Mapping[str, CellType]
) -> tuple[Cause, ...]:
    """The causes of all broken equalities among ``identities``, in their order.

    ``types`` says of every key in them what its cell may hold.
    """
    rules = list(identities)
    values = {key: exact(cell.value or 0) for key, cell in cells.items() if cell.status in ("reported", "blank")}
    ceilings = [rule for rule in rules if rule.relation == "at_most" and _is_read(rule, values)]
    equal = [rule for rule in rules if rule.relation == "equal"]
    # Most reports add up: nothing more is done for them.
    if not any(_is_read(rule, values) and _equation(rule, values).gap for rule in equal):
        return ()
    causes: list[Cause] = []
    for component in _components(equal):
        if any(_is_read(rule, values) and _equation(rule, values).gap for rule in component):
            causes += _component_causes(component, ceilings, cells, values, types)
    return tuple(causes)


def exact(value: Number) -> Exact:
    """The value as an ``int``, or a fraction where it is not whole."""
    if isinstance(value, int):
        return value
    return int(value) if value == value.to_integral_value() else Fraction(value)


def _components(rules: list[Identity]) -> list[list[Identity]]:
    """Identities that hang together by their cells."""
    groups: list[tuple[set[str], list[Identity]]] = []
    for rule in rules:
        keys = {*rule.plus, *rule.minus}
        touching = [group for group in groups if group[0] & keys]
        groups = [group for group in groups if not group[0] & keys]
        groups.append((keys.union(*(g[0] for g in touching)), [*(r for g in touching for r in g[1]), rule]))
    return [found for _, found in groups]


def _is_read(rule: Identity, values: Mapping[str, Exact]) -> bool:
    return all(key in values for key in (*rule.plus, *rule.minus))


def _equation(rule: Identity, values: Mapping[str, Exact]) -> Equation:
    """The identity in changes: plus less minus, and the gap that the changes must close."""
    terms: dict[str, Exact] = dict.fromkeys(rule.plus, 1)
    terms.update(dict.fromkeys(rule.minus, -1))
    gap = sum(values.get(key, 0) for key in rule.minus) - sum(values.get(key, 0) for key in rule.plus)
    return Equation(terms, gap)


def _ceiling(rule: Identity, values: Mapping[str, Exact]) -> Equation:
    """An ``at_most`` in changes; its gap is what the sum exceeds its bound by, negative where it holds."""
    equation = _equation(rule, values)
    return Equation(equation.terms, -equation.gap)


def _component_causes(
    component: list[Identity],
    ceilings: list[Identity],
    cells: Mapping[str, Cell],
    values: Mapping[str, Exact],
    types: Mapping[str, CellType],
) -> list[Cause]:
    keys = {key: None for rule in component for key in (*rule.plus, *rule.minus)}
    own = {key: values[key] for key in keys if key in values}
    near = tuple(_ceiling(rule, values) for rule in ceilings if keys.keys() & {*rule.plus, *rule.minus})
    system = make_system([_equation(rule, values) for rule in component], near, own, types)
    broken = [rule for rule in component if _is_read(rule, values) and _equation(rule, values).gap]
    found = _find(system, component, broken)
    totals = {rule.minus[0] for rule in component if len(rule.minus) == 1}
    order = {key: place for place, key in enumerate(keys)}

    def repair(changes: Changes, is_shift: bool) -> Repair:
        return _repair(sorted(changes.items(), key=lambda item: order[item[0]]), cells, values, totals, is_shift)

    unstated = not (found.ways or found.shifts) and _hold_without_blanks(component, cells, own, types)
    causes = []
    for rules, parts in _split(component, broken, (*found.ways, *found.shifts)):
        repairs = [repair(part, part in found.shifts) for part in parts]
        repairs.sort(key=lambda one: (one.distance, [order[change.key] for change in one.changes]))
        causes.append(
            Cause(tuple(rule.id for rule in rules), tuple(repairs), found.size, found.proved, found.rivalled, unstated)
        )
    return causes


def _hold_without_blanks(
    component: list[Identity], cells: Mapping[str, Cell], values: Mapping[str, Exact], types: Mapping[str, CellType]
) -> bool:
    """Whether the figures that were printed contradict each other nowhere: blanks are read as unknown, not as nil."""
    printed = {key: value for key, value in values.items() if cells[key].status == "reported"}
    system = make_system([_equation(rule, printed) for rule in component], (), printed, types)
    return not system.broken and all(is_possible(key, equation, system, {}) for key, equation in system.definitions)


def _find(system: System, component: list[Identity], broken: list[Identity]) -> _Found:
    """Every smallest change of the component: up to two cells, then a shifted row, then more cells."""
    work = Work()
    optimum = smallest_changes(system, range(1, 3), work)
    if optimum.changes and optimum.size == 1:
        # Two slips can look like one where a cell is in a single sum, or in two that share but this cell.
        rivals = len(optimum.changes) == 1 and smallest_changes(system, range(2, 3), rivalry := Work())
        rivalled = bool(rivals and (rivals.changes or rivalry.open or rivalry.spent))
        return _Found(optimum.changes, (), 1, optimum.proved, rivalled)
    shifts = tuple(_shifts(system, component, broken))
    if optimum.changes:
        # A shift that only two cells show is the same repair; another one is a rival.
        ways = tuple(changes for changes in optimum.changes if changes not in shifts)
        return _Found(ways, shifts, 2, optimum.proved)
    if shifts:
        return _Found((), shifts, min(len(changes) for changes in shifts), True)
    if not work.spent:
        optimum = smallest_changes(system, range(3, MAX_CELLS + 1), work)
    return _Found(optimum.changes, (), optimum.size, optimum.proved)


def _shifts(system: System, component: list[Identity], broken: list[Identity]) -> Iterator[Changes]:
    """Rows which, moved back by one column, make every sum of the component hold.

    The figure that fell off the row's end is what the row's own sum leaves for it; the place that fell free at the
    other end is blank or nil, or holds the figure that fell off.
    """
    # A shift mends no sum that has none of the row's cells.
    touched = [{*rule.plus, *rule.minus} for rule in broken]
    seen: list[Changes] = []
    for rule in component:
        keys = (*rule.plus, *rule.minus)
        if rule.rule != _SHIFTED_RULE or any(key not in system.values for key in keys):
            continue
        if not all(own.intersection(keys) for own in touched):
            continue
        printed = [system.values[key] for key in keys]
        left = [printed[-2] - sum(printed[:-2]), *printed[:-1]]
        right = [*printed[1:], sum(printed[1:])]
        for meant, spare, lost in ((left, printed[-1], left[0]), (right, printed[0], right[-1])):
            changes = {key: new - old for key, new, old in zip(keys, meant, printed, strict=True) if new != old}
            if spare not in (0, lost) or len(changes) < 2 or changes in seen or not system.forced <= changes.keys():
                continue
            in_range = all(allowed(system.values[key] + changes[key], system.types[key]) for key in changes)
            if in_range and system.closes(changes):
                seen.append(changes)
                yield changes


def _split(
    component: list[Identity], broken: list[Identity], ways: tuple[Changes, ...]
) -> list[tuple[list[Identity], list[Changes]]]:
    """The broken identities by cause, each with the parts of the changes that mend them.

    Cells of one change that share no identity are independent of each other. Where all ways together are every
    combination of the parts, the parts are causes of their own; otherwise they stay one.
    """
    if not ways:
        return [(broken, [])]
    rules_of: dict[str, set[str]] = {}
    for rule in component:
        for key in (*rule.plus, *rule.minus):
            rules_of.setdefault(key, set()).add(rule.id)
    parted = [_parts(changes, rules_of) for changes in ways]
    groups: list[set[str]] = [{rule.id} for rule in broken]
    for rules, _ in (part for parts in parted for part in parts):
        # Sums that share an illegible cell bear witness together; a part that mends only such has no finding.
        touching = [group for group in groups if group & rules]
        if touching:
            groups = [group for group in groups if not group & rules] + [set[str]().union(*touching)]
    causes: list[tuple[list[Identity], list[Changes]]] = []
    combinations = 1
    for group in groups:
        found: list[Changes] = []
        for parts in parted:
            own = {key: change for rules, changes in parts if rules & group for key, change in changes.items()}
            if own and own not in found:
                found.append(own)
        combinations *= len(found)
        causes.append(([rule for rule in broken if rule.id in group], found))
    causes.sort(key=lambda cause: broken.index(cause[0][0]))
    return causes if combinations == len(ways) else [(broken, list(ways))]


def _parts(changes: Changes, rules_of: Mapping[str, set[str]]) -> list[tuple[set[str], Changes]]:
    """Cells of one change that hang together by identities, with those identities."""
    parts: list[tuple[set[str], Changes]] = []
    for key, change in changes.items():
        rules, own = set(rules_of[key]), {key: change}
        for part in [part for part in parts if part[0] & rules]:
            parts.remove(part)
            rules, own = rules | part[0], own | part[1]
        parts.append((rules, own))
    return parts


def _repair(
    changes: list[tuple[str, Exact]],
    cells: Mapping[str, Cell],
    values: Mapping[str, Exact],
    totals: set[str],
    is_shift: bool,
) -> Repair:
    made = tuple(Suggestion(key, cells[key].value, _number(values[key] + change)) for key, change in changes)
    slips: tuple[Slip | None, ...] = tuple(
        "row_shifted" if is_shift else name_slip(change.reported, change.suggested, change.key in totals)
        for change in made
    )
    # One wrong place is one stroke, however many cells show it.
    distance = 1 if is_shift else sum(typing_distance(change.reported, change.suggested) for change in made)
    return Repair(made, slips, distance)


def _number(value: Exact) -> Number:
    return whole(Decimal(value.numerator) / Decimal(value.denominator))
