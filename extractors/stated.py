"""Claims as they are held against figures: how far each reaches, what stands before it, and a name that stays.

A figure of the prose is an interval: 310余件 is 310 or more and below 320, 约300件 a twentieth more or less, 1.2万条
what is rounded to it. Exact figures are intervals of one number; sums and ratios of claims are those of intervals.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from extractors.encoding import encode
from extractors.numbers import is_money, to_wan, whole
from extractors.report import Claim, Number

# 约: what is meant lies within a twentieth of the figure.
_ABOUT = Decimal("0.05")
_HALF = Decimal("0.5")
_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_PRINTED = re.compile(
    r"(?P<digits>\d[\d,，]*)(?:\.(?P<decimals>\d+))?(?P<inside>余|多|几|\+)?(?P<scale>[十百千万亿]*)(?P<behind>余|多|几|\+)?"
)
_HAN_MYRIAD = re.compile(r"[一二三四五六七八九十百千两](?P<inside>余|多|几)?(?P<scale>[万亿])(?P<behind>余|多|几)?")
_DECIMALS = re.compile(r"\.(\d+)")
_ROUND_UP = re.compile(r"[余多几+]")
# How much of the text before a figure is looked at.
_BEFORE = 160
_BEHIND = 16
_CLAUSE = re.compile(r"[,，。;；:：!?！？\n]")
_STOP = re.compile(r"[。;；!?！？]|\n\s*\n")
_MARK = re.compile(r"[,，、。;；:：!?！？()（）\d\n]")


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high`` (None: without end); ``open``: ``high`` itself is not in it."""

    low: Decimal
    high: Decimal | None
    open: bool = False

    def __contains__(self, value: Decimal) -> bool:
        """Whether ``value`` is meant."""
        return self.low <= value and not self.below(value)

    def below(self, value: Decimal) -> bool:
        """Whether all of it is below ``value``."""
        return self.high is not None and (self.high < value or (self.open and self.high == value))

    def __add__(self, other: Interval) -> Interval:
        """The interval of the sum."""
        high = None if self.high is None or other.high is None else self.high + other.high
        return Interval(self.low + other.low, high, self.open or other.open)

    def meets(self, other: Interval) -> bool:
        """Whether the two have a number in common."""
        return not (self.below(other.low) or other.below(self.low))

    @property
    def exact(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class Stated:
    """A claim with its context; words are simplified and without white space.

    ``name`` is built from the field, the value and the count of claims alike before it, so it stays as long as the
    prose does. ``gap`` runs from the figure before (at most a few clauses), ``lead`` is its last clause; ``behind`` are
    the few characters that follow, up to the next mark.
    """

    claim: Claim
    name: str
    interval: Interval
    gap: str
    lead: str
    label: str
    behind: str

    @property
    def value(self) -> Decimal:
        """The value in the unit in which it is compared: money in 万元."""
        return comparable(self.claim)

    @property
    def money(self) -> bool:
        """Whether it is an amount of money."""
        return is_money(self.claim.unit)

    @property
    def wording(self) -> str:
        """Label, words before it and its own text, in which a stated nil has its verb; of a nil what it denies, too."""
        return f"{self.lead}|{self.claim.text}|{self.label}|{self.denied}"

    @property
    def denied(self) -> str:
        """What stands behind a stated nil: 无复议后起诉案件."""
        return self.behind if not self.claim.value and self.claim.unit is None else ""

    def shown(self) -> str:
        """The label and the figure as printed."""
        text = "".join(self.claim.text.split())
        return f"“{self.label}” {text}" if self.label else f"“{text}”"


def comparable(claim: Claim) -> Decimal:
    """The value of a claim, an amount of money in 万元."""
    value = Decimal(claim.value)
    return to_wan(value, claim.unit) if claim.unit is not None and is_money(claim.unit) else value


def read_claims(claims: Sequence[Claim], text: str) -> dict[str, Stated]:
    """Each claim of a report in its context, by its id.

    Args:
        claims: the claims, in order.
        text: the document's text, to which their evidence refers.
    """
    alike: Counter[str] = Counter()
    stated: dict[str, Stated] = {}
    end = 0
    following = [*(claim.evidence.start for claim in claims[1:]), None]
    for claim, later in zip(claims, following, strict=False):
        start = claim.evidence.start if claim.evidence.start is not None else end
        before = encode(text[max(end if end <= start else 0, start - _BEFORE) : start]).chars
        gap = "".join(_STOP.split(before)[-1:]).replace("\n", "")
        name = f"{claim.field}={plain(claim.value)}"
        alike[name] += 1
        stated[claim.id] = Stated(
            claim=claim,
            name=f"{name}.{alike[name]}",
            interval=interval(claim),
            gap=gap,
            lead=_CLAUSE.split(gap)[-1],
            # A heading that runs on into the paragraph is no part of a label.
            label=encode(claim.label or "").chars.rsplit("\n", 1)[-1],
            behind=_behind(text, claim.evidence.end),
        )
        # Several nils share one place, and so what stands before it.
        end = end if claim.evidence.end is None or later == start else claim.evidence.end
    return stated


def _behind(text: str, end: int | None) -> str:
    return "" if end is None else _MARK.split(encode(text[end : end + _BEHIND]).chars)[0]


def plain(value: Number | Decimal) -> str:
    """A number in digits, whole numbers without a point."""
    number = whole(Decimal(value))
    return str(number) if isinstance(number, int) else f"{number:f}"


def interval(claim: Claim) -> Interval:
    """What a claim can mean, in the unit in which it is compared."""
    value, text = Decimal(claim.value), encode(claim.text).chars
    match = _PRINTED.search(text) or _HAN_MYRIAD.search(text)
    digit, step = _last_digit(value, match, claim.unit or "")
    if claim.bound == "exact":
        spread = _rounded(value, digit) if digit != 1 or is_money(claim.unit) else Interval(value, value)
    elif claim.bound == "about":
        width = max(abs(value) * _ABOUT, digit)
        spread = Interval(value - width, value + width)
    elif _ROUND_UP.search(text):
        spread = Interval(value, value + step, open=True)
    else:
        # 以上, 超过, 至少, the lower end of a range: nothing is said of how far up it goes.
        spread = Interval(value, None)
    if claim.unit is None or not is_money(claim.unit):
        return spread
    high = None if spread.high is None else to_wan(spread.high, claim.unit)
    return Interval(to_wan(spread.low, claim.unit), high, spread.open)


def _rounded(value: Decimal, digit: Decimal) -> Interval:
    """What is rounded, or cut off, to ``value`` at its last printed digit."""
    return Interval(value - digit * _HALF, value + digit, open=True) if value else Interval(value, value)


def _last_digit(value: Decimal, match: re.Match[str] | None, unit: str) -> tuple[Decimal, Decimal]:
    """What one more in the last printed digit is worth, and what the next round step is.

    The round step is one more in the last digit that is not 0 (310余 is below 320, 3000余 below 4000), but never more
    than the scale that stands before 余 (10万余 is below 11万, 10余万 below 20万).
    """
    scale = Decimal(1)
    parts = match.groupdict() if match else {}
    for char in parts.get("scale") or "":
        scale *= _SCALES[char]
    if unit[:1] in _SCALES:
        # 160万元 is 160 of its unit: the scale of money stays in the unit.
        scale /= _SCALES[unit[0]]
    digit = scale.scaleb(-len(parts.get("decimals") or ""))
    if not value:
        return digit, Decimal(1)
    normal = value.normalize()
    _, digits, exponent = normal.as_tuple()
    step = Decimal(1).scaleb(int(exponent)) if digits else Decimal(1)
    if parts.get("behind") and scale > 1:
        step = min(step, scale)
    return digit, step


def last_digit(share: Stated) -> Decimal:
    """What one more in the last printed digit of a percentage is worth; 成 are tenths."""
    decimals = _DECIMALS.search(share.claim.text.replace("点", "."))
    if decimals:
        return Decimal(1).scaleb(-len(decimals[1]))
    return Decimal(10) if "成" in share.claim.text else Decimal(1)


def percent(share: Stated) -> Interval:
    """What a percentage can mean: rounded or cut off at its last printed digit, or as wide as 约 and 以上 make it."""
    digit = last_digit(share)
    if share.claim.bound == "about" and "成" in share.claim.text:
        # 约一成 is what is nearer to one tenth than to none or two.
        return Interval(share.value - digit / 2, share.value + digit / 2)
    if share.claim.bound != "exact":
        return share.interval
    return Interval(share.value - digit / 2, share.value + digit, open=True)


def ancestors(stated: Stated, by_id: Mapping[str, Stated]) -> list[Stated]:
    """The wholes above a claim, the nearest first."""
    above: list[Stated] = []
    while stated.claim.part_of is not None and (whole_of := by_id.get(stated.claim.part_of)) is not None:
        if whole_of in above:
            break
        above.append(whole_of)
        stated = whole_of
    return above
