"""A printed value of a table cell to its number, exactly.

Blank, nil and number are three things: 空, ``/``, ``-`` and the empty cell are blank (nothing was stated), 无 and
零 are a stated 0. A sign may be a word (增2, 减11), doubled (``--253``) or an arrow. Money is converted to 万元.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from extractors.report import Number

Kind = Literal["blank", "number", "text"]

# What stands in a cell in which nothing is stated. Dashes: hyphen, minus, en and em dash, horizontal bar, the long
# dash of Chinese typesetting, box-drawing and full-width forms; all may be doubled.
_DASHES = "-−‐‑‒–—―─━_﹣－ｰー"
_BLANK = re.compile(rf"^[{_DASHES}/／\\＼|.。·*]*$")
_BLANK_WORDS = frozenset({"空", "空白", "无数据", "nbsp", "&nbsp;", "N/A", "n/a", "NA"})
_NIL_WORDS = frozenset({"无", "零", "〇", "○", "◯", "O", "o", "无变化", "不变", "持平", "未变", "没有"})
_UP = "增加|新增|增长|上升|增|升|多|↑|＋|\\+"
_DOWN = "减少|减去|取消|下降|减|降|少|↓"
_UNITS = "亿元|万元|元|件次|人次|条次|件|项|条|个|次|份|人|篇|部|宗|起|例|名|批|单|期|场|家|户"
_NUMBER = re.compile(
    rf"^(?P<sign>(?:{_UP}|{_DOWN}|[{_DASHES}])*)"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+(?:\.\d*)?|\.\d+)"
    rf"(?P<unit>(?:{_UNITS})?)$"
)
_MONEY_IN_WAN = {"亿元": Decimal(10000), "万元": Decimal(1), "元": Decimal("0.0001")}
_HAN_NUMBER = re.compile(r"^[二三四五六七八九十百千两]+$|^一[十百千][一二三四五六七八九十百千]*$")
_HAN_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2}
_HAN_SCALES = {"十": 10, "百": 100, "千": 1000}


@dataclass(frozen=True, slots=True)
class Printed:
    """What a cell prints. ``unit`` is the printed one; ``sure`` is False where the reading needed a guess."""

    kind: Kind
    value: Decimal | None = None
    unit: str | None = None
    sure: bool = True


_EMPTY = Printed("blank")
_TEXT = Printed("text")


@lru_cache(maxsize=8192)
def parse_printed(text: str) -> Printed:
    """The value that ``text`` prints: blank, a number with its sign and unit, or text that is no value.

    A lone 一 is text: in a value cell it is a dash as often as a one.
    """
    compact = _compact(text)
    if not compact or _BLANK.match(compact) or compact in _BLANK_WORDS:
        return _EMPTY
    if compact in _NIL_WORDS:
        return Printed("number", Decimal(0), sure=compact not in "Oo○◯")
    match = _NUMBER.match(compact)
    if match:
        return _signed(match)
    if _HAN_NUMBER.match(compact):
        return Printed("number", Decimal(parse_han(compact)), sure=False)
    return _TEXT


def to_wan(value: Decimal, unit: str) -> Decimal:
    """An amount in 万元, exact, from 元, 万元 or 亿元.

    Raises:
        KeyError: ``unit`` is not one of money.
    """
    return (value * _MONEY_IN_WAN[unit]).normalize()


def is_money(unit: str | None) -> bool:
    """Whether ``unit`` is one of the three units of money."""
    return unit in _MONEY_IN_WAN


_UNIT = re.compile(rf"^(?:{_UNITS})$")


def is_unit(text: str) -> bool:
    """Whether ``text`` is nothing but a unit (the cell 单位 of a line of form 2014)."""
    return bool(_UNIT.match(text.strip()))


def whole(value: Decimal) -> Number:
    """``value`` as an int where it is whole, else unchanged."""
    return int(value) if value == value.to_integral_value() else value


def parse_han(text: str) -> int:
    """The number that Chinese numerals below 10,000 spell (十二, 一百零五, 两千).

    Raises:
        KeyError: a character is no numeral.
    """
    total, digit = 0, 0
    for char in text:
        scale = _HAN_SCALES.get(char)
        if scale is None:
            digit = _HAN_DIGITS[char]
        else:
            total, digit = total + (digit or 1) * scale, 0
    return total + digit


def _signed(match: re.Match[str]) -> Printed:
    # A doubled minus (--253) is a slip of the pen, not arithmetic: any minus or word of decrease makes a fall.
    negative = bool(re.search(rf"{_DOWN}|[{_DASHES}]", match["sign"]))
    value = Decimal(match["digits"].replace(",", "").rstrip(".") or "0")
    return Printed("number", -value if negative else value, match["unit"] or None)


_SPACED_DIGITS = re.compile(r"^\D*\d(?: +\d)+\D*$|^\D*\d{1,3}(?: +\d{3})+(?:\.\d+)?\D*$|^\D*[\d.]+ *\D*$")


# Marks of notes behind a figure: superscripts, 33*, 33①, 33[1], 44[注1], 44（注）.
_NOTE = re.compile(
    r"(?<=[\d件项条元])\s*(?:"
    r"[¹²³⁰⁴-⁹]+|[*＊※†]+|[①-⑳]|"
    r"[\[［]\s*注?\s*[\d¹²³⁰⁴-⁹]{0,2}\s*[\]］]|"
    r"[(（]?\s*注\s*[\d¹²³⁰⁴-⁹]{0,2}\s*[)）]?"
    r")$"
)


def _compact(text: str) -> str:
    """``text`` in NFKC without white space; digits that a layout set apart (1 3 6; 3 652) are joined.

    Other groups of digits keep a space between them and so are no number: two values in one cell must not
    become a third.
    """
    folded = unicodedata.normalize("NFKC", _NOTE.sub("", text)).replace("\u200b", "").replace("\ufeff", "").strip()
    folded = folded.replace("，", ",").replace("､", ",")
    if " " not in folded and "\n" not in folded and "\t" not in folded:
        return folded
    folded = re.sub(r"\s+", " ", folded)
    if _SPACED_DIGITS.match(folded) or not re.search(r"\d +\d", folded):
        return folded.replace(" ", "")
    return folded
