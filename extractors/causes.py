"""What contradicts itself in a report, each cause once: one wrong figure breaks several sums, and that is one thing.

Broken sums of the tables go together as :mod:`extractors.repair` proves it. A figure of the prose joins the sums that
a correction of the same cell would mend. Contradictions of the prose go together where one changed figure would end
them all, or where the prose states the same figure several times against the same cells. What is listed as a way out
is only ever a way out of everything that stands in the group; nothing is corrected.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from extractors.fields import DOUBTFUL, SURE
from extractors.forms import Form
from extractors.numbers import whole
from extractors.reconcile import broken_by, cell_forms, explain_tables
from extractors.repair import Cause
from extractors.report import Cell, Claim, Finding, Number, Report, Severity, Suggestion
from extractors.slips import Slip, name_slip, typing_distance
from extractors.stated import comparable

# How sure the ways out are: ``unique``: the one smallest correction, proved; ``rivalled``: the only one of one cell,
# but two wrong cells would show the same; ``several``: any of those listed; ``blanks``: all could hold if blanks were
# not nil; ``none``: no small correction exists; ``open``: the search ended before it had seen all.
Verdict = Literal["unique", "rivalled", "several", "blanks", "none", "open"]
Reason = Literal["absent", "illegible", "scope", "doubt", "meaning"]

# In one way out, a stated figure that misses a rounded percentage by this much of its last digit still agrees.
_ONE_DIGIT = Decimal(1)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Change:
    """A figure and what it would have to be: a cell by its key, or a claim by its id, in the unit of comparison."""

    kind: Literal["cell", "claim"]
    name: str
    reported: Number | None
    suggested: Number
    slip: Slip | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One way out of a contradiction.

    ``distance``: strokes between what is printed and this. ``breaks``: how many sums that hold would break by it.
    ``stated``: the claims that state just what it would make of the cells.
    """

    changes: tuple[Change, ...]
    distance: int
    breaks: int = 0
    stated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Findings with one cause. ``options`` are ways out of all of them, the likeliest first.

    ``size``: the number of changed cells up to which was searched. ``beside``: claims that agree with the cells as they
    are printed where a correction would change them.
    """

    number: int
    severity: Severity
    findings: tuple[Finding, ...]
    verdict: Verdict
    options: tuple[Option, ...] = ()
    size: int = 0
    beside: tuple[str, ...] = ()

    @property
    def suspects(self) -> frozenset[str]:
        """The cells that some way out changes, where any is listed."""
        return frozenset(change.name for option in self.options for change in option.changes if change.kind == "cell")

    @property
    def claims(self) -> tuple[str, ...]:
        """The claims of all findings, each once."""
        return tuple(dict.fromkeys(name for finding in self.findings for name in finding.claims))


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Findings of one rule that could not be decided, for one reason; ``cells`` are those that were not there."""

    rule: str
    reason: Reason
    findings: tuple[Finding, ...]
    cells: tuple[str, ...]


def find_contradictions(report: Report, forms: Mapping[str, Form]) -> tuple[Contradiction, ...]:
    """Every contradiction of a report, errors before warnings, numbered from 1."""
    broken = [finding for finding in report.findings if finding.status == "inconsistent"]
    claims = {claim.id: claim for claim in report.claims}
    found = list(_table_contradictions(report, broken, forms))
    sums = {finding.id for one in found for finding in one.findings}
    prose = [finding for finding in broken if finding.id not in sums]
    for place, one in enumerate(found):
        joined = [finding for finding in prose if _explains(one, finding)]
        prose = [finding for finding in prose if finding not in joined]
        found[place] = _with_prose(one, joined, report)
    cells = {cell.key: cell for cell in report.cells}
    holding = Counter(key for finding in report.findings if _is_sum(finding) for key in finding.cells)
    found += [_prose_contradiction(group, cells, holding, claims) for group in _prose_groups(prose, claims)]
    order = {finding.id: place for place, finding in enumerate(report.findings)}
    found.sort(key=lambda one: (one.severity != "error", order[one.findings[0].id]))
    return tuple(replace(one, number=number) for number, one in enumerate(found, start=1))


def find_unchecked(report: Report) -> tuple[Unchecked, ...]:
    """What could not be checked, by rule and reason, in the order of the findings."""
    cells = {cell.key: cell for cell in report.cells}
    claims = {claim.id: claim for claim in report.claims}
    groups: dict[tuple[str, Reason], list[Finding]] = defaultdict(list)
    for finding in report.findings:
        if finding.status == "unverifiable":
            groups[finding.rule, _reason(finding, cells, claims)].append(finding)
    return tuple(
        Unchecked(rule, reason, tuple(group), tuple(dict.fromkeys(k for f in group for k in missing(f, cells))))
        for (rule, reason), group in groups.items()
    )


def missing(finding: Finding, cells: Mapping[str, Cell]) -> tuple[str, ...]:
    """The cells of a finding that are not there or could not be read."""
    return tuple(key for key in finding.cells if key not in cells or cells[key].status in ("absent", "illegible"))


def _reason(finding: Finding, cells: Mapping[str, Cell], claims: Mapping[str, Claim]) -> Reason:
    members = [claims[name] for name in finding.claims if name in claims]
    if any(above.scope for member in members for above in _with_wholes(member, claims)):
        return "scope"
    lost = missing(finding, cells)
    if lost:
        absent = all(key not in cells or cells[key].status == "absent" for key in lost)
        return "absent" if absent else "illegible"
    least = SURE if finding.rule == "prose.table" else DOUBTFUL
    return "doubt" if any(member.confidence < least for member in members) else "meaning"


def _with_wholes(claim: Claim, claims: Mapping[str, Claim]) -> Iterator[Claim]:
    seen: set[str] = set()
    above: Claim | None = claim
    while above is not None and above.id not in seen:
        seen.add(above.id)
        yield above
        above = claims.get(above.part_of or "")


# Sums of the tables


def _table_contradictions(
    report: Report, broken: Sequence[Finding], forms: Mapping[str, Form]
) -> Iterator[Contradiction]:
    """The broken sums and ranges of the tables, by cause; those without a cause each alone."""
    own = [finding for finding in broken if finding.rule.startswith("form.")]
    if not own or report.report.form not in forms:
        return
    taken: set[str] = set()
    for cause in explain_tables(report.cells, report.report.blocks, report.report.form, forms):
        findings = [finding for finding in broken_by(cause, own) if finding.id not in taken]
        if findings:
            taken.update(finding.id for finding in findings)
            options = tuple(_as_option(repair.changes, repair.slips, repair.distance) for repair in cause.repairs)
            yield Contradiction(0, _gravest(findings), tuple(findings), _verdict(cause), options, cause.size)
    for finding in own:
        if finding.id not in taken:
            yield Contradiction(0, _gravest([finding]), (finding,), "none")


def _as_option(changes: Sequence[Suggestion], slips: Sequence[Slip | None], distance: int) -> Option:
    made = tuple(
        Change("cell", change.key, change.reported, change.suggested, slip)
        for change, slip in zip(changes, slips, strict=True)
    )
    return Option(made, distance)


def _verdict(cause: Cause) -> Verdict:
    if cause.suggestion is not None:
        return "unique"
    if cause.repairs:
        return "rivalled" if cause.rivalled else "several"
    return "blanks" if cause.unstated else "none" if cause.proved else "open"


def _gravest(findings: Sequence[Finding]) -> Severity:
    return "error" if any(finding.severity == "error" for finding in findings) else "warning"


def _explains(one: Contradiction, finding: Finding) -> bool:
    """Whether one of the ways out would make a contradicting claim agree with its cells too."""
    return any(_meets(option, finding) for option in one.options)


def _meets(option: Option, finding: Finding) -> bool:
    moved = [change for change in option.changes if change.kind == "cell" and change.name in finding.cells]
    if finding.rule != "prose.table" or finding.difference is None or not moved:
        return False
    return sum(change.suggested - (change.reported or 0) for change in moved) == finding.difference


def _with_prose(one: Contradiction, joined: Sequence[Finding], report: Report) -> Contradiction:
    """The contradiction with the claims that speak for one of its ways out, and those that speak for the print."""
    options = tuple(
        replace(option, stated=tuple(name for finding in joined if _meets(option, finding) for name in finding.claims))
        for option in one.options
    )
    suspects = one.suspects
    beside = tuple(
        name
        for finding in report.findings
        if finding.rule == "prose.table" and finding.status == "consistent" and suspects & {*finding.cells}
        for name in finding.claims
    )
    findings = (*one.findings, *joined)
    # The likeliest first: what the prose states too, then what is nearest in typing.
    options = tuple(sorted(options, key=lambda option: -len(option.stated)))
    return replace(one, findings=findings, severity=_gravest(findings), options=options, beside=beside)


# Figures of the prose


@dataclass(frozen=True, slots=True)
class _Broken:
    """A contradiction of the prose and the changes of one claim that would end it."""

    finding: Finding
    changes: tuple[Change, ...]

    def ended_by(self, change: Change, claims: Mapping[str, Claim]) -> bool:
        """Whether the change of a claim would end it."""
        if self.finding.rule == "prose.share":
            return _fits_share(change, self.finding, claims)
        return any((own.name, own.suggested) == (change.name, change.suggested) for own in self.changes)

    def is_like(self, other: _Broken) -> bool:
        """Whether both hold the same figure against the same cells."""
        one, two = self.finding, other.finding
        return one.rule == two.rule == "prose.table" and (one.cells, one.reported) == (two.cells, two.reported)


def _prose_groups(findings: Sequence[Finding], claims: Mapping[str, Claim]) -> list[list[_Broken]]:
    """Findings that one changed figure would end, or that hold the same figure against the same cells."""
    groups: list[list[_Broken]] = []
    # Only groups that share a claim, or cells and a figure, can have one cause: they alone are asked.
    near: dict[object, dict[int, None]] = defaultdict(dict)
    for finding in findings:
        one = _Broken(finding, tuple(_own_changes(finding, claims)))
        marks = [*finding.claims, (finding.cells, finding.reported)]
        places = dict.fromkeys(place for mark in marks for place in near[mark])
        home = next((place for place in places if _one_cause([*groups[place], one], claims)), len(groups))
        if home == len(groups):
            groups.append([])
        groups[home].append(one)
        for mark in marks:
            near[mark][home] = None
    return groups


def _one_cause(group: Sequence[_Broken], claims: Mapping[str, Claim]) -> bool:
    if all(one.is_like(group[0]) for one in group):
        return group[0].finding.expected is not None
    return bool(_claim_changes(group, claims))


def _is_sum(finding: Finding) -> bool:
    """Whether it is a sum of the tables that holds."""
    return finding.status == "consistent" and finding.rule.startswith("form.") and finding.rule != "form.range"


def _prose_contradiction(
    group: Sequence[_Broken], cells: Mapping[str, Cell], holding: Mapping[str, int], claims: Mapping[str, Claim]
) -> Contradiction:
    """Findings of the prose with one cause; ``holding`` counts the sums that hold by the cells that are in them."""
    options = [*_claim_options(group, claims), *_cell_options(group, cells, holding)]
    options.sort(key=lambda option: (option.breaks, option.distance))
    findings = tuple(one.finding for one in group)
    return Contradiction(0, _gravest(findings), findings, "several" if options else "none", tuple(options))


def _claim_options(group: Sequence[_Broken], claims: Mapping[str, Claim]) -> Iterator[Option]:
    """One claim changed; where the prose repeats a figure, all its places together."""
    changes = _claim_changes(group, claims)
    if not changes and len(group) > 1:
        alike = [change for one in group for change in one.changes[:1]]
        yield Option(tuple(alike), sum(_strokes(change) for change in alike))
    yield from (Option((change,), _strokes(change)) for change in changes)


def _strokes(change: Change) -> int:
    return typing_distance(change.reported, change.suggested)


def _claim_changes(group: Sequence[_Broken], claims: Mapping[str, Claim]) -> list[Change]:
    """The changes of one claim that would end every finding of the group."""

    def ends_all(change: Change, own: _Broken) -> bool:
        return all(one is own or one.ended_by(change, claims) for one in group)

    first = [change for change in group[0].changes if ends_all(change, group[0])]
    # A share is only known to its last digit: a figure that another finding names exactly may fit it.
    return first or [change for one in group[1:] for change in one.changes if ends_all(change, one)][:1]


def _own_changes(finding: Finding, claims: Mapping[str, Claim]) -> list[Change]:
    """The changes of one claim that end a finding: the figure itself, or, of parts, one of them."""
    if finding.expected is None or finding.reported is None or not finding.claims or finding.claims[0] not in claims:
        return []
    changes = [_claim_change(claims[finding.claims[0]], Decimal(finding.expected))]
    if finding.rule == "prose.parts":
        gap = Decimal(finding.reported) - Decimal(finding.expected)
        parts = [claims[name] for name in finding.claims[1:] if name in claims]
        changes += [_claim_change(part, comparable(part) + gap) for part in parts if comparable(part) + gap >= 0]
    return changes


def _claim_change(claim: Claim, value: Decimal) -> Change:
    reported, suggested = whole(comparable(claim)), whole(value)
    return Change("claim", claim.id, reported, suggested, _slip(reported, suggested))


def _slip(reported: Number | None, suggested: Number) -> Slip | None:
    """The slip between two figures; any two of one digit differ by a digit, which explains nothing."""
    short = reported is not None and all(-10 < value < 10 for value in (reported, suggested))
    return None if short else name_slip(reported, suggested)


def _fits_share(change: Change, finding: Finding, claims: Mapping[str, Claim]) -> bool:
    """Whether a stated percentage, its part and its whole agree once one of them has changed."""
    if len(finding.claims) != 3 or any(name not in claims for name in finding.claims):
        return False
    share, part, total = (
        Decimal(change.suggested) if name == change.name else comparable(claims[name]) for name in finding.claims
    )
    if change.name not in finding.claims or not total:
        return False
    exponent = Decimal(claims[finding.claims[0]].value).as_tuple().exponent
    digit = _ONE_DIGIT.scaleb(min(int(exponent), 0))
    return abs(share - part * _HUNDRED / total) < digit


def _cell_options(group: Sequence[_Broken], cells: Mapping[str, Cell], holding: Mapping[str, int]) -> Iterator[Option]:
    """The one cell that all claims of the group are held against, changed to what they state."""
    first = group[0].finding
    cell = cells.get(first.cells[0]) if len(first.cells) == 1 else None
    same = all(one.is_like(group[0]) for one in group)
    if cell is None or not same or first.reported is None or cell.status not in ("reported", "blank"):
        return
    change = Change("cell", cell.key, cell.value, first.reported, _slip(cell.value, first.reported))
    stated = tuple(name for one in group for name in one.finding.claims)
    yield Option((change,), _strokes(change), holding.get(cell.key, 0), stated)


def table_forms(report: Report, forms: Mapping[str, Form]) -> dict[str, Form]:
    """The form of every cell that the report's tables can have; none for a narrative."""
    default = report.report.form
    return cell_forms(report.report.blocks, default, forms) if default in forms else {}
