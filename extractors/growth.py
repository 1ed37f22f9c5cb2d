"""Growth that the prose states (同比增长12%, 比上年少16件): what it is a growth of, and whether it is as stated.

A growth belongs to the figure directly before it, if the words between the two only compare: 收到24件,同比增长14%.
Everything else is left alone. Where the report prints last year's figure too (比2022年的230件少16件), the three are
held against each other here; ``extractors/years.py`` holds the growth against last year's report.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from extractors.encoding import encode
from extractors.fields import DOUBTFUL
from extractors.figures import find_figures
from extractors.forms import data_directory
from extractors.numbers import is_money, whole
from extractors.readings import Words
from extractors.reconcile import BEYOND_DOUBT
from extractors.report import Claim, Finding, FindingStatus, Origin, Severity
from extractors.stated import Interval, Stated, comparable, interval, last_digit, percent, plain, read_claims

SCHEMA = "gongkai.growth/1"
RULE = "years.growth"

_HUNDRED = Decimal(100)
_BESIDE = frozenset({"share", "growth"})
_PERSONS = frozenset({"人", "名", "位", "人次"})
_FIGURE = r"\d[\d,.]*[余多]?[万亿]?[余多]?[\u4e00-\u9fff]{0,3}?"
_YEAR = r"20\d\d年度?"
# 增长31.2%和24.5%: which growth is whose is told by the order.
_LISTED = re.compile(r"^(?:和|及|与|、)(?:约|近|超)?[\d一二三四五六七八九十]")
_ENUMERATED = re.compile(r"^[^,;:。]*(?:、|和|及|与)[^,;:。]*$")
# Beyond this a growth is printed as it comes: rounding would need more digits than the arithmetic has.
_ENDLESS = Decimal(10) ** 20
# How far around the two figures words are looked for that say that they are counted differently.
_AROUND = 40


@dataclass(frozen=True, slots=True)
class Change:
    """A growth and the figure that grew.

    ``printed`` is the earlier figure where it is printed beside them, with its value and text. ``last_year``: it is a
    growth over the year before. ``certain`` is False where the figure is one of several that may have grown.
    ``ratio``: 是上年的2.4倍.
    """

    growth: Stated
    own: Stated
    printed: Interval | None
    printed_value: Decimal
    printed_text: str
    last_year: bool
    certain: bool
    ratio: bool = False

    @property
    def members(self) -> tuple[Stated, Stated]:
        """The growth and its figure."""
        return self.growth, self.own


@dataclass(frozen=True, slots=True)
class _Patterns:
    """What may stand between a figure and its growth, before the figure, and around both."""

    compared: re.Pattern[str]
    ratio: re.Pattern[str]
    step: re.Pattern[str]
    opening: re.Pattern[str]
    from_to: re.Pattern[str]
    last_year: re.Pattern[str]
    adjusted: Words


@functools.cache
def _patterns() -> _Patterns:
    words = tomllib.loads((data_directory() / "growth.toml").read_text(encoding="utf-8"))
    if words["schema"] != SCHEMA:
        raise ValueError(f"growth.toml: schema is {words['schema']!r}, not {SCHEMA!r}")

    def one_of(*names: str) -> str:
        listed = sorted((word for name in names for word in words[name]), key=len, reverse=True)
        return "(?:" + "|".join(map(re.escape, listed)) + ")"

    last, move = one_of("last_year"), one_of("rise", "fall")
    reached, degree, rate = one_of("reached"), one_of("degree"), one_of("rate")
    step = rf"(?:{degree}){{0,2}}(?:{move}(?:幅度)?{reached}?|{move}?{rate}{reached}?)"
    when = rf"(?P<when>{last}|{_YEAR})(?:同期|全年)?"
    beside = rf"(?:的|为|是)?(?:\(|总数|总量)?(?P<printed>{_FIGURE})?\)?"
    compare = (
        rf"(?:(?P<same>{one_of('with_last_year')})|{one_of('compared')}(?:于)?{when}{beside}(?:相比较|相比|比较|比)?)"
    )
    return _Patterns(
        compared=re.compile(rf"\)?[,;、(]?{compare},?{step},?"),
        ratio=re.compile(rf",?(?:是|为|相当于|达到|达){when}(?:{one_of('last_year')})?的"),
        step=re.compile(rf"\)?[,、(]?{step},?"),
        opening=re.compile(rf"(?:^|[,。;:、]){one_of('compared')}{when}(?:相比较|相比|比较|比)[,:]?[^\d]*$"),
        from_to=re.compile(
            rf"(?:由|从)(?:{when})?的?(?P<printed>{_FIGURE}),?(?:逐步|大幅|进一步|已|猛|略)?{move}(?:至|到|为|成)$"
        ),
        last_year=re.compile(last),
        adjusted=Words(words["adjusted"]),
    )


def find_changes(claims: Sequence[Claim], year: int | None) -> tuple[Change, ...]:
    """The growths of a report of which it is clear what grew, in order.

    Args:
        claims: the claims, in order.
        year: the year of the report; None makes growth over a named year one over an unknown one.
    """
    if not any(claim.field == "growth" for claim in claims):
        return ()
    stated = read_claims(claims, "")
    sentences: dict[str, list[Stated]] = defaultdict(list)
    for one in stated.values():
        sentences[one.claim.sentence].append(one)
    return tuple(
        change
        for sentence, members in sentences.items()
        if any(member.claim.field == "growth" for member in members)
        for change in _in_sentence(encode(sentence).chars, members, year)
    )


def _in_sentence(chars: str, members: Sequence[Stated], year: int | None) -> Iterator[Change]:
    places = _places(chars, members)
    known: dict[str, Change] = {}
    for number, growth in enumerate(members):
        if growth.claim.field != "growth" or growth.claim.id not in places or not _is_plain(growth, chars, places):
            continue
        change = _change(chars, members, places, number, known, year)
        if change is not None:
            known[growth.claim.id] = change
            yield change


def _is_plain(growth: Stated, chars: str, places: Mapping[str, tuple[int, int]]) -> bool:
    """Whether it is one growth, in a unit that can be reckoned with, and no share of a list."""
    unit = growth.claim.unit or ""
    behind = chars[places[growth.claim.id][1] :]
    return "百分点" not in unit and "‰" not in unit and bool(growth.value) and not _LISTED.match(behind)


def _places(chars: str, members: Sequence[Stated]) -> dict[str, tuple[int, int]]:
    """Where in the sentence each figure stands, from the left; those that are not found are left out."""
    places: dict[str, tuple[int, int]] = {}
    end = 0
    for member in members:
        text = encode(member.claim.text).chars
        match = re.compile(rf"(?<![\d.,]){re.escape(text)}(?!\d)").search(chars, end) if text else None
        if match:
            places[member.claim.id] = match.span()
            end = match.end()
    return places


def _change(
    chars: str,
    members: Sequence[Stated],
    places: Mapping[str, tuple[int, int]],
    number: int,
    known: Mapping[str, Change],
    year: int | None,
) -> Change | None:
    growth, words = members[number], _patterns()
    start = places[growth.claim.id][0]
    before = [member for member in members[:number] if member.claim.id in places][-2:]
    for own in reversed(before):
        low, high = places[own.claim.id]
        gap = chars[high:start]
        if own is before[-1] and own.claim.id in known:
            # 增加47件、增长16.7%: both are growths of one figure.
            return replace(known[own.claim.id], growth=growth) if words.step.fullmatch(gap) else None
        if own.claim.field in _BESIDE or not _alike(own, growth):
            continue
        if words.adjusted.find(chars[max(0, low - _AROUND) : places[growth.claim.id][1]]):
            return None
        match = words.compared.fullmatch(gap) or words.ratio.fullmatch(gap)
        if match is None and own is before[-1] and words.step.fullmatch(gap):
            match = words.from_to.search(chars[:low]) or words.opening.search(chars[:low])
        if match is None:
            continue
        return _made(growth, own, match, year, _is_certain(chars, members, places, own))
    return None


def _made(growth: Stated, own: Stated, match: re.Match[str], year: int | None, certain: bool) -> Change | None:
    groups = match.groupdict()
    when = groups.get("when") or ""
    last_year = bool(groups.get("same")) or bool(_patterns().last_year.fullmatch(when))
    last_year = last_year or (year is not None and when.startswith(str(year - 1)))
    beside = _printed(groups.get("printed"), own)
    if beside is None and not last_year:
        return None
    ratio = match.re is _patterns().ratio
    if ratio and growth.claim.unit != "倍":
        return None
    if beside is None:
        return Change(growth, own, None, Decimal(0), "", last_year, certain, ratio)
    return Change(growth, own, interval(beside), comparable(beside), beside.text, last_year, certain, ratio)


def _printed(text: str | None, own: Stated) -> Claim | None:
    """The earlier figure as printed, as a claim of the same thing as the later one."""
    figure = next(find_figures(text), None) if text else None
    if text is None or figure is None or (figure.unit and is_money(figure.unit) != own.money):
        return None
    unit = figure.unit or own.claim.unit
    return replace(own.claim, text=text, value=figure.value, unit=unit, bound=figure.bound)


def _alike(own: Stated, growth: Stated) -> bool:
    """Whether a growth in this unit can be one of that figure."""
    unit, other = growth.claim.unit or "", own.claim.unit or ""
    if unit in ("%", "倍") or not unit:
        return True
    return unit == other or (growth.money and own.money) or {unit, other} <= _PERSONS


def _is_certain(chars: str, members: Sequence[Stated], places: Mapping[str, tuple[int, int]], own: Stated) -> bool:
    """Whether nothing but this figure can have grown: it is no part of another, and not the last of several."""
    if own.claim.part_of is not None:
        return False
    low = places[own.claim.id][0]
    earlier = [places[member.claim.id][1] for member in members if places.get(member.claim.id, (low,))[0] < low]
    return not (earlier and _ENUMERATED.match(chars[max(earlier) : low]))


# How it comes out


def agrees(change: Change, last: Interval) -> bool | None:
    """Whether the growth from ``last`` to the figure can be what is stated; None where that cannot be reckoned."""
    own, growth = change.own.interval, change.growth
    fall = growth.claim.value < 0
    meant = _magnitude(growth)
    if growth.claim.unit not in ("%", "倍"):
        low = None if last.high is None else own.low - last.high
        high = None if own.high is None else own.high - last.low
        return _within(low, high, meant, fall)
    if last.low <= 0 or (fall and growth.claim.unit == "倍"):
        return None
    ratio_low = Decimal(0) if last.high is None else own.low / last.high
    ratio_high = None if own.high is None else own.high / last.low
    if growth.claim.unit == "倍":
        # 增长1.6倍 is written for growth by and for growth to 1.6 times.
        times = _within(ratio_low, ratio_high, meant, False)
        more = _within(ratio_low - 1, None if ratio_high is None else ratio_high - 1, meant, False)
        return times if change.ratio else times or more
    high = None if ratio_high is None else (ratio_high - 1) * _HUNDRED
    return _within((ratio_low - 1) * _HUNDRED, high, meant, fall)


def _within(low: Decimal | None, high: Decimal | None, meant: Interval, fall: bool) -> bool:
    """Whether a change between ``low`` and ``high`` can be one of the size ``meant``, upwards or downwards."""
    if fall:
        low, high = (None if high is None else -high), (None if low is None else -low)
    if low is None:
        return high is None or high >= meant.low
    return Interval(low, high).meets(meant)


def _magnitude(growth: Stated) -> Interval:
    """The size of a growth, without its sign."""
    claim = replace(growth.claim, value=whole(abs(Decimal(growth.claim.value))))
    size = replace(growth, claim=claim, interval=interval(claim))
    return percent(size) if claim.unit in ("%", "倍") else size.interval


def reckoned(change: Change, last: Decimal) -> Decimal | None:
    """The growth from ``last`` in the unit of the stated one, to at least two decimals."""
    if change.growth.claim.unit not in ("%", "倍"):
        return change.own.value - last
    if not last:
        return None
    ratio = change.own.value / last
    value = (ratio - 1) * _HUNDRED if change.growth.claim.unit == "%" else ratio if change.ratio else ratio - 1
    if abs(value) > _ENDLESS:
        return value
    return round(value, max(2, -int(last_digit(change.growth).as_tuple().exponent)))


def check_growth(claims: Sequence[Claim], year: int | None) -> tuple[Finding, ...]:
    """``years.growth`` within one report: a growth, its figure and last year's, all printed beside each other."""
    return tuple(
        growth_finding(
            change,
            f"{RULE}:{change.growth.name}:{change.own.name}",
            bool(agrees(change, change.printed)),
            change.printed_value,
            f"the earlier figure printed beside it, “{change.printed_text}”",
            exact=change.printed.exact,
        )
        for change in find_changes(claims, year)
        if change.printed is not None and agrees(change, change.printed) is not None
    )


def growth_finding(
    change: Change,
    name: str,
    holds: bool,
    last: Decimal,
    source: str,
    exact: bool,
    reason: str | None = None,
    sure: float = 1.0,
) -> Finding:
    """A finding on a growth over ``last``, which ``source`` gives with the confidence ``sure``.

    ``exact``: ``last`` is an exact figure. Where there is a ``reason``, what does not hold is unverifiable.
    """
    growth, own = change.members
    value = reckoned(change, last)
    sure = min(sure, *(member.claim.confidence for member in change.members))
    if reason is None and sure < DOUBTFUL:
        reason = "read with too much doubt"
    if reason is None and not change.certain:
        reason = "it may be the growth of another figure of the sentence"
    status: FindingStatus = "consistent" if holds else "inconsistent" if reason is None else "unverifiable"
    remark = "as stated" if holds else "not as stated" + (f", but {reason}" if reason else "")
    exact = exact and growth.claim.bound == "exact" and own.interval.exact
    severity: Severity = "error" if exact else "warning"
    origin: Origin = "report" if sure >= BEYOND_DOUBT else "unknown"
    broken = status == "inconsistent"
    return Finding(
        id=name,
        rule=RULE,
        status=status,
        severity=severity if broken else None,
        origin=origin if broken else None,
        message=f"{growth.shown()} of {own.shown()}, {remark}: {_sum(change, last, value)}, by {source}",
        expected=None if value is None else whole(value),
        reported=whole(Decimal(growth.claim.value)),
        difference=None if value is None else whole(Decimal(growth.claim.value) - value),
        claims=(growth.claim.id, own.claim.id),
    )


def _sum(change: Change, last: Decimal, value: Decimal | None) -> str:
    own, unit = plain(change.own.value), change.growth.claim.unit or ""
    if unit not in ("%", "倍"):
        return f"{own} - {plain(last)} = {plain(change.own.value - last)}"
    return f"{own} / {plain(last)}" + ("" if value is None else f", a growth of {plain(value)} {unit}")
