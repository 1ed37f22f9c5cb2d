"""Figures in running text: boundaries, values, units, bounds."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.encoding import encode
from extractors.figures import find_figures


def only(text: str) -> tuple[str, int | Decimal, str | None, str]:
    """The one figure of ``text``: as printed, its value, unit and bound."""
    chars = encode(text).chars
    (figure,) = find_figures(chars)
    return chars[figure.start : figure.end], figure.value, figure.unit, figure.bound


@pytest.mark.parametrize(
    ("text", "printed", "value", "unit", "bound"),
    [
        ("公开信息391条", "391条", 391, "条", "exact"),
        ("公开信息１，２３４条", "1,234条", 1234, "条", "exact"),
        ("接待咨询3 652人次", "3652人次", 3652, "人次", "exact"),
        ("推送1.2万余条", "1.2万余条", 12000, "条", "at_least"),
        ("点击超过10万次", "超过10万次", 100000, "次", "at_least"),
        ("粉丝10万+", "10万+", 100000, None, "at_least"),
        ("浏览1.35亿次", "1.35亿次", 135000000, "次", "exact"),
        ("约400件", "约400件", 400, "件", "about"),
        ("培训60人左右", "60人左右", 60, "人", "about"),
        ("不少于20场", "不少于20场", 20, "场", "at_least"),
        ("二十余次", "二十余次", 20, "次", "at_least"),
        ("一百零五件", "一百零五件", 105, "件", "exact"),
        ("一万四千多條", "一万四千多条", 14000, "条", "at_least"),
        ("兩次", "两次", 2, "次", "exact"),
        ("三四十条", "三四十条", 30, "条", "at_least"),
        ("两三次", "两三次", 2, "次", "at_least"),
        ("十几场", "十几场", 10, "场", "at_least"),
        ("百余件", "百余件", 100, "件", "at_least"),
        ("上千张", "上千张", 1000, "张", "at_least"),
        ("280—300人次", "280—300人次", 280, "人次", "at_least"),
        ("50至60家", "50至60家", 50, "家", "at_least"),
        ("64.20万元", "64.20万元", Decimal("64.20"), "万元", "exact"),
        ("3万余元", "3万余元", 3, "万元", "at_least"),
        ("126元", "126元", 126, "元", "exact"),
        ("4.26亿元", "4.26亿元", Decimal("4.26"), "亿元", "exact"),
        ("95.3％", "95.3%", Decimal("95.3"), "%", "exact"),
        ("百分之九十五点三", "百分之九十五点三", Decimal("95.3"), "%", "exact"),
        ("近七成", "近七成", 70, "%", "about"),
        ("六成半", "六成半", 65, "%", "exact"),
        ("3.5个百分点", "3.5个百分点", Decimal("3.5"), "个百分点", "exact"),
        ("1.3倍", "1.3倍", Decimal("1.3"), "倍", "exact"),
        ("3期（次）", "3期(次)", 3, "期(次)", "exact"),
        ("办理588个次", "588个次", 588, "个次", "exact"),
        ("用时8.5个工作日", "8.5个工作日", Decimal("8.5"), "个工作日", "exact"),
        ("l2条", "l2条", 12, "条", "exact"),
        ("3O5件", "3O5件", 305, "件", "exact"),
        ("未收取，0元", "0元", 0, "元", "exact"),
    ],
)
def test_a_figure_is_read(text: str, printed: str, value: int | Decimal, unit: str | None, bound: str) -> None:
    assert only(text) == (printed, value, unit, bound)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("比去年的21件多出", ["21件"]),
        ("长图14张、H521件", ["14张", "21件"]),
        ("公告5条简报6条", ["5条", "6条"]),
        ("由12项减到8项", ["12项", "8项"]),
    ],
)
def test_what_stands_beside_a_figure_is_not_of_it(text: str, printed: list[str]) -> None:
    chars = encode(text).chars
    assert [chars[figure.start : figure.end] for figure in find_figures(chars)] == printed


def spell(number: int) -> str:
    """``number`` below a hundred million in Chinese numerals, zeros written as reports write them."""
    if number >= 10_000:
        rest = number % 10_000
        gap = "零" if 0 < rest < 1000 else ""
        return spell(number // 10_000) + "万" + gap + (spell(rest) if rest else "")
    digits = "零一二三四五六七八九"
    text, owed = "", False
    for scale, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // scale % 10
        if digit:
            text += ("零" if owed else "") + digits[digit] + word
            owed = False
        elif text:
            owed = True
    return text


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=99_999_999))
def test_numerals_read_as_the_number_that_they_spell(number: int) -> None:
    printed, value, unit, bound = only(f"公开{spell(number)}件")
    assert (value, unit, bound) == (number, "件", "exact")
    assert printed == f"{spell(number)}件"


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**9), st.sampled_from(["{}", "{:,}"]))
def test_digits_read_as_their_number_with_or_without_separators(number: int, style: str) -> None:
    assert only(f"信息{style.format(number)}条")[1] == number
