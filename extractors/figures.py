"""Figures in running text: where one stands, and its value, unit and bound. Closed classes, so rules.

What is read is text as the model reads it: folded, simplified, without white space. Every figure is found, dates and
numbers of documents too; which of them state something is for the model to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from extractors.numbers import whole
from extractors.report import Bound, Number

_HAN_DIGIT = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "○": 0, "两": 2}
_HAN_SCALE = {"十": 10, "百": 100, "千": 1000}
_MYRIAD = {"万": 10**4, "亿": 10**8}
_SCALE = _HAN_SCALE | _MYRIAD

_AT_LEAST_BEFORE = "超过|超出|超|逾|突破|不少于|不低于|不下于|不下|至少"
_ABOUT_BEFORE = "将近|接近|大约|约|近|不足|不到"
_AT_LEAST_AFTER = "以上|之多|\\+"
_ABOUT_AFTER = "左右|上下"
# Before or after the scale (3万余, 30多, 3多万), or behind the unit (三个多月).
_ROUND = "余|多(?!出|于|部门|渠道|媒体|形式|样)|几"
# OCR writes O for 0 and l for 1: letters among digits, or one before digits or a unit, are digits.
_DIGITS = r"(?:\d|[OIl](?=,?[\dOIl]*[\d条件次篇个份项人期]))[\dOolI]*(?:[,，.]\d{3}(?!\d))*(?:\.[\dOol]+)?"
_HAN = "[〇零一二三四五六七八九十百千万亿两]+"
_UNITS = (
    "万元|亿元|元|个百分点|百分点|%|‰|倍|个工作日|个小时|"
    "条|篇|件|个|期|则|份|项|次|幅|部|版|起|宗|例|人|名|位|场|轮|批|单|户|家|处|块|面|台|套|组|支|张|册|本|封|页|"
    "字|集|卷|枚|座|所|间|辆|艘|吨|亩|公里|平方米|公斤|小时|天|分钟|种|类|门|款|帧|段|首|档|站|笔|通|讲|课|遍|趟|"
    "回|盒|箱|包|只|头|株|棵|口|公顷|千米|米|股|帖|道|堂|班|宗地|课时|学时|人天|宗件|格|屏|条目|对|辑|分(?![钟之])|榜|栋|根|株|辈"
)
_UNIT = rf"(?:{_UNITS})次?(?:\((?:{_UNITS})\)|/(?:{_UNITS})(?!均))?"
_MONEY = rf"(?P<money>[百千万亿]*)(?:{_ROUND})?(?:多|余)?元"

_FIGURE = re.compile(
    # H5 is a kind of page, and a figure may follow it (动漫H521件).
    rf"H5|(?P<before>{_AT_LEAST_BEFORE}|{_ABOUT_BEFORE}|上(?=[百千万亿]))?(?:"
    rf"百分之(?P<per>{_DIGITS}|{_HAN}(?:点{_HAN})?)"
    rf"|(?P<tenths>[\d一二两三四五六七八九])成(?P<half>[半五])?(?![立员为了绩效果交本分])"
    rf"|(?P<number>{_DIGITS}|几?{_HAN})"
    rf"(?:{_MONEY}|(?P<scaled>(?:{_ROUND})?[百千万亿]*(?:{_ROUND})?\+?)"
    rf"(?P<range>(?:[-—–~～]+|至|到)(?:{_DIGITS}|{_HAN})[百千万亿]*(?:{_ROUND})?)?(?P<unit>{_UNIT})?)"
    rf")(?P<rounded>{_ROUND})?(?P<after>{_AT_LEAST_AFTER}|{_ABOUT_AFTER})?"
)
_MISREAD = str.maketrans("OolI", "0011", ",，")
_ROUNDED = re.compile(r"[余多几+]")
_PAIR = re.compile(r"^([一二三四五六七八])([二三四五六七八九])([十百千万亿]*)$|^两(三)([十百千万亿]*)$")


@dataclass(frozen=True, slots=True)
class Stated:
    """A figure as printed: ``start`` and ``end`` among the characters read; the unit of all percent is ``%``."""

    start: int
    end: int
    value: Number
    unit: str | None
    bound: Bound


def find_figures(chars: str) -> Iterator[Stated]:
    """Every figure in ``chars`` with its approximators and unit, in order."""
    for match in _FIGURE.finditer(chars):
        if match.group() != "H5":
            yield _stated(match)


def _stated(match: re.Match[str]) -> Stated:
    rounded = bool(match["rounded"])
    unit: str | None
    if match["per"]:
        value, unit = _value(match["per"]), "%"
    elif match["tenths"]:
        value, unit = _value(match["tenths"]) * 10 + (5 if match["half"] else 0), "%"
    else:
        value, unit, vague = _plain(match)
        rounded = rounded or vague
    before, after = match["before"] or "", match["after"] or ""
    bound: Bound = "exact"
    if rounded or re.match(f"{_AT_LEAST_BEFORE}|上", before) or re.match(_AT_LEAST_AFTER, after):
        bound = "at_least"
    elif before or after:
        bound = "about"
    return Stated(match.start(), match.end(), whole(value), unit, bound)


def _plain(match: re.Match[str]) -> tuple[Decimal, str | None, bool]:
    """Value, unit and whether the figure is rounded down, of a figure that is no percentage in words."""
    number = match["number"]
    vague = number.startswith("几")
    pair = _PAIR.match(number)
    if pair and (pair[4] or _HAN_DIGIT[pair[2]] == _HAN_DIGIT[pair[1]] + 1):
        # 三四十 is from thirty on, 两三次 from two.
        number, vague = (pair[1] or "两") + (pair[3] or pair[5] or ""), True
    value = Decimal(20) if number == "几十" else _value(number.lstrip("几"))
    if match["money"] is not None:
        return _money(match, value, number, vague)
    scaled = match["scaled"] or ""
    for char in scaled:
        value *= _SCALE.get(char, 1)
    vague = vague or bool(_ROUNDED.search(scaled)) or bool(match["range"])
    return value, match["unit"] or None, vague


def _money(match: re.Match[str], value: Decimal, number: str, vague: bool) -> tuple[Decimal, str | None, bool]:
    """Money keeps its printed scale where 万 or 亿 stands before 元; smaller scales multiply."""
    scale = match["money"]
    unit = "元"
    if not number[-1].isdigit() and number[-1] in _MYRIAD and len(number) > 1:
        value, unit = _value(number[:-1]), number[-1] + "元"
    for char in scale[:-1] if scale and scale[-1] in _MYRIAD else scale:
        value *= _SCALE[char]
    if scale and scale[-1] in _MYRIAD:
        unit = scale[-1] + "元"
    printed = match.group()[: match.end() - match.start()]
    return value, unit, vague or bool(_ROUNDED.search(printed))


def _value(text: str) -> Decimal:
    """The number that digits (with separators, letters for digits) or Chinese numerals spell."""
    if text[0].isdigit() or text[0] in "OIl":
        plain = text.translate(_MISREAD)
        # 1.234.567 is a number with points for separators.
        if plain.count(".") > 1:
            plain = plain.replace(".", "")
        return Decimal(plain)
    if "点" in text:
        units, decimals = text.split("点", 1)
        return _value(units) + Decimal("0." + "".join(str(_HAN_DIGIT.get(char, 0)) for char in decimals))
    if not any(char in _SCALE for char in text):
        return Decimal("".join(str(_HAN_DIGIT[char]) for char in text))
    total = section = digit = 0
    for char in text:
        if char in _HAN_DIGIT:
            digit = _HAN_DIGIT[char]
        elif char in _HAN_SCALE:
            section, digit = section + (digit or 1) * _HAN_SCALE[char], 0
        else:
            total, section, digit = (total + section + digit or 1) * _MYRIAD[char], 0, 0
    # 一百二 is a hundred and twenty only in speech; in reports a last digit is units.
    return Decimal(total + section + digit)
