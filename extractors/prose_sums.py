"""Figures of the prose against each other: parts against their whole (``prose.parts``), shares (``prose.share``).

The parts of a breakdown must not exceed their whole. That they fall short of it is wrong only where the wording says
that they are all of it: 分别为, a rest that is counted too, a total called so. A share is held against the part beside
it and the whole of that part, as it is rounded or cut off; where either is not clear, nothing is said.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from extractors.cells import Tables
from extractors.fields import DOUBTFUL
from extractors.numbers import whole
from extractors.readings import Breakdown, load_readings
from extractors.reconcile import BEYOND_DOUBT
from extractors.report import Claim, Finding, FindingStatus, Origin, Severity
from extractors.stated import Interval, Stated, ancestors, last_digit, percent, plain, read_claims

PARTS = "prose.parts"
SHARE = "prose.share"

_HUNDRED = Decimal(100)
_BESIDE = frozenset({"share", "growth"})
# Shares that are printed to whole percent may miss a hundred by this much.
_SHARES_OFF = Decimal(1)
# How far before a whole the applications carried in are named, in characters.
_PASSAGE = 120
# Above this many parts chance makes some of them add up to anything.
_MOST_TAKEN_OUT = 8
# 占, 占总数的, (占: what may stand between a figure and its share.
_SHARE_AFTER = re.compile(
    r"^[,，、(（]?(?:约|所)?占(?:到|了)?(?:其|全部|总|新收|收到|办结|答复|申请|信息|公开|发布|件|数|量|体)*的?"
    r"(?:比|比例|比重)?(?:为|达|约)?$|^[(（]$"
)
# And between a share and the figure after it: 占30%,计15条.
_SHARE_BEFORE = re.compile(r"^[(（](?:计|共|即|为)?$|^[,，](?:计|即|为)$")
# 占比依次为57%、37%和6%: which share is whose is told by the order, not by what stands beside it.
# How far before a share the part that it names may stand, in characters.
_NEAR = 150
# Fields whose parts have rates of their own: 维持率, 纠错率.
_RATED = frozenset({"reviews", "litigations"})
_WHOLES = ("requests_received", "requests_answered")
_RATE_ENDS = ("率为", "率达", "率达到", "率是")
_ONE_FOR_ONE = ("依次为", "分别为", "依次占", "分别占", "各占", "均占")


def check_sums(claims: Sequence[Claim], text: str, tables: Tables) -> tuple[Finding, ...]:
    """Every instance of ``prose.parts`` and ``prose.share`` in the prose of a report.

    Args:
        claims: the claims, in order.
        text: the document's text, to which their evidence refers.
        tables: the cells, for what the prose leaves out.
    """
    stated = read_claims(claims, text)
    shares = dict(_shares(stated))
    return (*_parts(stated, shares, tables), *_check_shares(stated, shares))


# Parts


def _parts(stated: Mapping[str, Stated], shares: Mapping[str, Stated], tables: Tables) -> Iterator[Finding]:
    """One finding a whole and partition."""
    # By form 2014 a thing disclosed through several channels counts once in the total and once in each of them.
    channels = "2014" in tables.blocks.values()
    cell = next((cell for cell in tables.cells if cell.key == "applications.carried_in.total"), None)
    carried_in = None if cell is None or cell.value is None else Decimal(cell.value)
    breakdowns: dict[tuple[str, str], list[Stated]] = defaultdict(list)
    for one in stated.values():
        name = one.claim.part_of
        if name is not None and name in stated and one.claim.field not in _BESIDE:
            breakdowns[name, one.claim.partition or ""].append(one)
    numbers: dict[str, int] = defaultdict(int)
    paired = {part.claim.id: stated[share] for share, part in shares.items()}
    for (name, _), parts in breakdowns.items():
        # Partitions are counted in the order of the text, so that their place is part of the finding's name.
        numbers[name] += 1
        counted = [part for part in parts if not load_readings().breakdown.beside.find(part.label)] or parts
        own = [paired.get(part.claim.id) for part in counted]
        beside = _carried_in(stated, stated[name], counted, carried_in), _same_sum(stated, stated[name], counted)
        yield _check_parts(stated[name], counted, numbers[name], own, beside, channels)


def _carried_in(
    stated: Mapping[str, Stated], whole_of: Stated, parts: Sequence[Stated], table: Decimal | None
) -> tuple[Interval, str] | None:
    """The applications carried in that are dealt with beside those received.

    收到186件,上年结转7件。予以公开82件…: the outcomes are those of both. Taken are those that the same passage names,
    else those of the ``table``.
    """
    if whole_of.claim.field != "requests_received":
        return None
    for one in stated.values():
        near = _start(whole_of) - _PASSAGE < _start(one) < _start(parts[-1])
        if one.claim.field == "requests_carried_in" and near and one not in parts and not one.claim.scope:
            return one.interval, one.shown()
    outcomes = {part.claim.field for part in parts} - {"requests_received", "requests_carried_in"}
    if table and outcomes and whole_of.claim.scope is None:
        return Interval(table, table), f"the {plain(table)} carried in (上年结转) by the table"
    return None


def _same_sum(stated: Mapping[str, Stated], whole_of: Stated, parts: Sequence[Stated]) -> Stated | None:
    """Another figure of the sentence that the parts add up to, and of which they may be the parts."""
    value = sum((part.value for part in parts), Decimal(0))
    members = (whole_of, *parts)
    for one in stated.values():
        same = one.claim.sentence == whole_of.claim.sentence and one.claim.field not in _BESIDE
        if same and len(parts) > 1 and value and one.value == value and one not in members:
            return one
    return None


def _check_parts(
    whole_of: Stated,
    parts: Sequence[Stated],
    number: int,
    shares: Sequence[Stated | None],
    beside: tuple[tuple[Interval, str] | None, Stated | None],
    channels: bool,
) -> Finding:
    total = Interval(Decimal(0), Decimal(0))
    for part in parts:
        total = total + part.interval
    words = load_readings().breakdown
    carried, other = beside
    members = (whole_of, *parts)
    exact = all(member.interval.exact for member in members)

    def found(status: FindingStatus, remark: str, sign: str) -> Finding:
        value = sum((part.value for part in parts), Decimal(0))
        terms = " + ".join(part.shown() for part in parts)
        message = f"{terms} = {plain(value)} {sign} {whole_of.shown()}: {remark}"
        return _finding(PARTS, f"{whole_of.name}.{number}", status, exact, members, message, value, whole_of.value)

    if len({member.money for member in members}) > 1 or len({_persons(member) for member in members}) > 1:
        return found("unverifiable", "figures of different units cannot be added", "?")
    doubtful = any(member.claim.confidence < DOUBTFUL for member in members)
    if total.meets(whole_of.interval):
        sign = "=" if exact else "≈"
        return found("consistent", "the parts add up to their whole", sign)
    if carried is not None and total.meets(whole_of.interval + carried[0]):
        return found("consistent", f"the parts add up to their whole and {carried[1]}", "=")
    if other is not None:
        return found("unverifiable", f"they add up to {other.shown()} and may be the parts of that", "?")
    # Ways in and applicants are those of the applications received; only outcomes can be of those carried in, too.
    divided = all(part.claim.field == "requests_received" for part in parts)
    limit = whole_of.interval if carried is None or divided else whole_of.interval + carried[0]
    if limit.below(total.low):
        if doubtful:
            return found("unverifiable", "more than the whole, but read with too much doubt", ">")
        if _nested(whole_of, parts, words):
            return found("unverifiable", "more than the whole; one of them may be a part of another", ">")
        if len(parts) > 1 and _by_channel(parts, words):
            # What is disclosed through several channels may count once in the whole and once in each of them.
            if channels:
                return found("unverifiable", "one thing may count in several channels", ">")
            exact = False
            return found(
                "inconsistent", "the parts exceed their whole, unless one thing counts in several channels", ">"
            )
        return found("inconsistent", "the parts exceed their whole", ">")
    reason = _complete(whole_of, parts, shares, words) if len(parts) > 1 else None
    if reason is None:
        return found("consistent", "the parts do not exceed their whole, and are not said to be all of it", "<")
    if doubtful:
        return found("unverifiable", f"less than the whole though {reason}, but read with too much doubt", "<")
    return found("inconsistent", f"the parts fall short of their whole, though {reason}", "<")


def _persons(stated: Stated) -> bool:
    return (stated.claim.unit or "") in ("人", "名", "位", "人次")


def _nested(whole_of: Stated, parts: Sequence[Stated], words: Breakdown) -> bool:
    """Whether the parts add up to the whole without one that is opened anew, which then may be a part of another."""
    if not whole_of.interval.exact or not 1 < len(parts) <= _MOST_TAKEN_OUT:
        return False
    total = sum((part.value for part in parts), Decimal(0))
    inner = [part for part in parts[1:] if part.gap.startswith(("(", "（")) or words.selection.find(part.gap)]
    return any(part.value and total - part.value == whole_of.value for part in inner)


def _by_channel(parts: Sequence[Stated], words: Breakdown) -> bool:
    """Whether the parts are told apart by channel; an application comes in one way only."""
    if any(part.claim.field.startswith("requests_") for part in parts):
        return False
    return sum(bool(words.channels.find(part.label)) for part in parts) * 2 >= len(parts)


def _complete(
    whole_of: Stated, parts: Sequence[Stated], shares: Sequence[Stated | None], words: Breakdown
) -> str | None:
    """What the wording says to the effect that the parts are all of the whole; None where it does not."""
    if _start(whole_of) > max(map(_start, parts)):
        named = words.total.find(whole_of.lead)
        # 三家合计占全区376件的66%: their sum is a share of it.
        return f"the whole is called their sum ({min(named)})" if named and "占" not in whole_of.lead else None
    if not any(part.value for part in parts):
        return None
    rest = next(
        (
            part.label
            for part in parts[1:]
            if _is_rest(part.label, words) or _is_rest(part.lead.lstrip("、和及与"), words)
        ),
        None,
    )
    if rest is not None and not _leaves_pending(whole_of, parts):
        return f"the rest (“{rest}”) is counted too"
    for lists in words.together:
        if all(any(group.find(part.wording) for part in parts) for group in lists):
            return "they are all that there are by their kind"
    percent = [share.value for share in shares if share is not None]
    if len(percent) == len(parts) and abs(sum(percent, Decimal(0)) - _HUNDRED) <= _SHARES_OFF:
        return "their shares sum to 100 %"
    opening = parts[0].gap
    if words.selection.find(opening) or parts[-1].behind.startswith(_AND_OTHERS):
        return None
    if words.each.find(opening):
        return f"they are given one for one ({min(words.each.find(opening))})"
    same = all(part.claim.field == whole_of.claim.field for part in parts)
    # Of reasons for a refusal a bracket often names the frequent ones only.
    listed = same and whole_of.claim.field not in _REASONED
    if _LIST.match(opening) and (listed or whole_of.claim.field == "disclosed_total"):
        return "they are listed behind it without a word that they are some of it"
    kind = _BY_KIND.search(opening)
    if same and kind:
        return f"they are told apart by kind ({kind[0]})"
    return None


def _leaves_pending(whole_of: Stated, parts: Sequence[Stated]) -> bool:
    """Whether what is still open may be missing: 其他 is one of the outcomes then, not the rest."""
    if whole_of.claim.field == "requests_received":
        fields = {part.claim.field for part in parts}
        return bool(fields - {"requests_received"}) and "requests_carried_out" not in fields
    return whole_of.claim.field in _RATED and not any(_PENDING.search(part.wording) for part in parts)


_PENDING = re.compile("审结|未结|审理|待|其余|余下|剩余")
_BY_KIND = re.compile(
    r"(?:按照?|从|依|就)[^,，。;；:：(（、]{2,10}(?:划分|区分|分类|统计|来看|来说|而言|分|看)(?=[,，:：]|$)"
)
_REASONED = frozenset({"requests_denied", "requests_unavailable", "requests_rejected", "requests_other"})
_AND_OTHERS = ("等", "之多")
# A bracket or a colon directly behind the whole, with nothing but the name of a part before the first figure.
_LIST = re.compile(r"^[^,，。;；:：(（]{0,8}(?:[(（]|[:：])[^,，。;；:：(（)）]{1,12}$")


def _is_rest(label: str, words: Breakdown) -> bool:
    return label.startswith(words.rest) and not label.startswith(words.no_rest)


def _start(stated: Stated) -> int:
    return stated.claim.evidence.start or 0


# Shares


def _shares(stated: Mapping[str, Stated]) -> Iterator[tuple[str, Stated]]:
    """The part that each share (by its id) describes, where that is clear."""
    ordered = list(stated.values())
    for place, share in enumerate(ordered):
        if share.claim.field != "share" or share.claim.unit != "%":
            continue
        part = _described(ordered, place)
        if part is not None and part.claim.part_of in stated:
            yield share.claim.id, part


def _described(ordered: Sequence[Stated], place: int) -> Stated | None:
    """The figure directly before a share, directly behind it, or the one part of the sentence of its name."""
    share = ordered[place]
    before = ordered[place - 1] if place else None
    after = ordered[place + 1] if place + 1 < len(ordered) else None
    if share.gap.endswith(_ONE_FOR_ONE):
        return None
    if before is not None and _is_part(before, share) and _SHARE_AFTER.match(share.gap):
        return before
    if after is not None and _is_part(after, share) and _SHARE_BEFORE.match(after.gap):
        return after if not after.label or after.label in share.label or share.label in after.label else None
    if before is not None and _is_part(before, share) and _is_rate(before, share):
        return before
    if not share.label or share.label not in share.gap:
        return None
    named = [one for one in ordered[:place] if _is_part(one, share, _NEAR) and one.label == share.label]
    return named[0] if len(named) == 1 else None


def _is_part(one: Stated, share: Stated, near: int = 0) -> bool:
    """Whether it is a part in the sentence of the share, or at most ``near`` characters before it."""
    same = one.claim.sentence == share.claim.sentence or 0 < _start(share) - _start(one) < near
    return same and one.claim.field not in _BESIDE and one.claim.part_of is not None


def _is_rate(part: Stated, share: Stated) -> bool:
    """Whether the share is called by the name of the part: 纠错41件,纠错率50.3%. 答复率 is of what was due."""
    named = bool(part.label) and f"{part.label}率" == share.label and share.gap.endswith((share.label, *_RATE_ENDS))
    return named and part.claim.field in _RATED


def _check_shares(stated: Mapping[str, Stated], shares: Mapping[str, Stated]) -> Iterator[Finding]:
    for name, part in shares.items():
        above = ancestors(part, stated)
        beside = [
            one
            for one in stated.values()
            if one.claim.sentence == part.claim.sentence
            and one.claim.field in (part.claim.field, *(_WHOLES if part.claim.field.startswith("requests_") else ()))
        ]
        finding = _check_share(stated[name], part, above, beside, bool(above) and _vouched(stated, above[0]))
        if finding is not None:
            yield finding


def _vouched(stated: Mapping[str, Stated], whole_of: Stated) -> bool:
    """Whether a whole is beyond doubt as the sum of its parts, or as a clear figure of its field said again."""
    parts = [one for one in stated.values() if one.claim.part_of == whole_of.claim.id]
    partitions = {part.claim.partition for part in parts}
    sums = (sum(one.value for one in parts if one.claim.partition == name) for name in partitions)
    again = (
        one.claim.confidence >= DOUBTFUL and (one.claim.field, one.value) == (whole_of.claim.field, whole_of.value)
        for one in stated.values()
    )  # fmt: skip
    return (len(parts) > 1 and whole_of.value in sums) or any(again)


def _check_share(
    share: Stated, part: Stated, above: Sequence[Stated], beside: Sequence[Stated], vouched: bool
) -> Finding | None:
    """A share against its own numerator and denominator; 占总数 may be of any whole above the part.

    The nearest whole may be read with doubt where something else vouches for it.
    """
    wholes = [one for one in above if one.interval.low > 0 and one.money == part.money and not _unlike(one, part)]
    if not wholes or wholes[0] is not above[0]:
        return None
    # 败诉率 may be of all suits that the sentence counts; 占答复总数 of what was answered, not of what came in.
    if _is_rate(part, share) or part.claim.field.startswith("requests_"):
        wholes += [one for one in beside if one.interval.low > 0 and one is not part and one not in wholes]
    meant = percent(share)
    fitting = next((one for one in wholes if meant.meets(_ratio(part, one))), None)
    total = sum((one.value for one in beside if one is not part), Decimal(0))
    if fitting is None and _is_rate(part, share) and total and part.value * _HUNDRED / total in meant:
        return None
    whole_of = fitting or wholes[0]
    members = (share, part, whole_of)
    ratio = part.value * _HUNDRED / whole_of.value
    sums = f"{part.shown()} / {whole_of.shown()} = {ratio:.2f} %"
    status: FindingStatus = "consistent" if fitting else "inconsistent"
    remark = "as stated" if fitting else "not as stated"
    doubted = (share, part) if vouched else members
    if not fitting and any(member.claim.confidence < DOUBTFUL for member in doubted):
        status, remark = "unverifiable", "not as stated, but read with too much doubt"
    exact = share.claim.bound == "exact" and part.interval.exact and whole_of.interval.exact
    expected = round(ratio, max(2, -int(last_digit(share).as_tuple().exponent)))
    message = f"{share.shown()}, {remark}: {sums}"
    return _finding(SHARE, f"{share.name}:{part.name}", status, exact, members, message, expected, share.value)


def _finding(
    rule: str,
    name: str,
    status: FindingStatus,
    exact: bool,
    members: Sequence[Stated],
    message: str,
    expected: Decimal,
    reported: Decimal,
) -> Finding:
    """A finding about the claims ``members``: an error where they are exact, the report's own where all are clear."""
    broken = status == "inconsistent"
    clear = all(member.claim.confidence >= BEYOND_DOUBT for member in members)
    severity: Severity = "error" if exact else "warning"
    origin: Origin = "report" if clear else "unknown"
    return Finding(
        id=f"{rule}:{name}",
        rule=rule,
        status=status,
        severity=severity if broken else None,
        origin=origin if broken else None,
        message=message,
        expected=whole(expected),
        reported=whole(reported),
        difference=whole(reported - expected),
        claims=tuple(member.claim.id for member in members),
    )


def _unlike(one: Stated, other: Stated) -> bool:
    return _persons(one) != _persons(other)


def _ratio(part: Stated, whole_of: Stated) -> Interval:
    """The percentage that the part is of its whole."""
    low = part.interval.low * _HUNDRED / (whole_of.interval.high or whole_of.interval.low)
    high = None if part.interval.high is None else part.interval.high * _HUNDRED / whole_of.interval.low
    if whole_of.interval.high is None:
        low = Decimal(0)
    return Interval(low, high, part.interval.open)
