"""What kind of slip makes one figure out of another, and how far apart two printed figures are."""

from __future__ import annotations

from typing import Literal

from rapidfuzz.distance import OSA

from extractors.report import Number

Slip = Literal[
    "digits_swapped",
    "digit_dropped",
    "digit_doubled",
    "digit_added",
    "digit_changed",
    "sign",
    "left_blank",
    "total_not_updated",
    "row_shifted",
]

# Chinese and English, as they stand in a finding's message.
WORDS: dict[Slip, tuple[str, str]] = {
    "digits_swapped": ("相邻两位数字颠倒", "adjacent digits swapped"),
    "digit_dropped": ("漏一位数字", "one digit dropped"),
    "digit_doubled": ("一位数字重复", "one digit doubled"),
    "digit_added": ("多一位数字", "one digit too many"),
    "digit_changed": ("一位数字有误", "one digit changed"),
    "sign": ("正负号有误", "wrong sign"),
    "left_blank": ("漏填", "left blank"),
    "total_not_updated": ("总计未随分项更新", "total not updated"),
    "row_shifted": ("整行错位一列", "row shifted by one column"),
}


def name_slip(reported: Number | None, suggested: Number, is_total: bool = False) -> Slip | None:
    """The slip that makes ``reported`` out of ``suggested``; None where it is none of the usual ones.

    ``is_total``: the figure is the sum of others, so that any difference may be a sum that was not made anew.
    """
    if reported is None:
        return "left_blank"
    printed, meant = _digits(reported), _digits(suggested)
    if printed == meant:
        return "sign"
    if (reported < 0) != (suggested < 0):
        return None
    if len(printed) == len(meant) and _is_swapped(printed, meant):
        return "digits_swapped"
    if printed != "0" and len(printed) + 1 == len(meant) and _lost(meant, printed) is not None:
        return "digit_dropped"
    if meant != "0" and len(meant) + 1 == len(printed) and (place := _lost(printed, meant)) is not None:
        return "digit_doubled" if printed[place] in printed[max(place - 1, 0) : place] else "digit_added"
    # Any two figures of one digit differ by one digit: that explains nothing about a sum.
    if len(printed) == len(meant) and sum(a != b for a, b in zip(printed, meant, strict=True)) == 1:
        return "total_not_updated" if is_total and len(printed) == 1 else "digit_changed"
    return "total_not_updated" if is_total else None


def typing_distance(reported: Number | None, suggested: Number) -> int:
    """Strokes between two printed figures: digits changed, added, left out or swapped with their neighbour."""
    return int(OSA.distance("" if reported is None else str(reported), str(suggested)))


def _digits(value: Number) -> str:
    return str(abs(value))


def _is_swapped(printed: str, meant: str) -> bool:
    unlike = [place for place, (a, b) in enumerate(zip(printed, meant, strict=True)) if a != b]
    if len(unlike) != 2 or unlike[0] + 1 != unlike[1]:
        return False
    first, second = unlike
    return printed[first] == meant[second] and printed[second] == meant[first]


def _lost(longer: str, shorter: str) -> int | None:
    """The place in ``longer`` of the one digit that ``shorter`` lacks, the last of a run of equal ones."""
    places = [place for place in range(len(longer)) if longer[:place] + longer[place + 1 :] == shorter]
    return max(places, default=None)
