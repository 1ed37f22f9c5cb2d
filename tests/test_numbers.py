"""Printed values to numbers: what is blank, what is nil, what is a number, and what is none of these."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.numbers import Printed, is_unit, parse_han, parse_printed, to_wan, whole


@pytest.mark.parametrize(
    "text", ["", " ", "/", "／", "-", "—", "——", "--", "－", "\\", "空", "&nbsp;", "\u3000", "\u200b"]
)
def test_blank(text: str) -> None:
    assert parse_printed(text) == Printed("blank")


@pytest.mark.parametrize("text", ["0", "０", "无", "零", "〇", "增0", "0件", "0.00", "减0"])
def test_nil(text: str) -> None:
    assert parse_printed(text).value == 0


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("12", "12", None),
        ("１２", "12", None),
        ("1,234", "1234", None),
        ("1，234", "1234", None),
        ("1 3 6", "136", None),
        ("3 652", "3652", None),
        ("12 件", "12", "件"),
        ("增2", "2", None),
        ("减11", "-11", None),
        ("增加 18 项", "18", "项"),
        ("+19", "19", None),
        ("--253", "-253", None),
        ("－8", "-8", None),
        ("↓3", "-3", None),
        ("2876.4869万元", "2876.4869", "万元"),
        ("251000元", "251000", "元"),
        ("1.2亿元", "1.2", "亿元"),
        ("12.", "12", None),
        ("十二", "12", None),
        ("18①", "18", None),
        ("5²", "5", None),
        ("33*", "33", None),
        ("16[1]", "16", None),
        ("44[注1]", "44", None),
        ("0（注）", "0", None),
    ],
)
def test_numbers(text: str, value: str, unit: str | None) -> None:
    found = parse_printed(text)
    assert (found.kind, found.value, found.unit) == ("number", Decimal(value), unit)


@pytest.mark.parametrize(
    "text", ["一", "详见附件", "20 23", "12 7 件", "第3项", "1/2", "1-2", "(12)", "12人15件", "约12"]
)
def test_what_is_no_value_is_not_made_one(text: str) -> None:
    assert parse_printed(text).kind == "text"


@pytest.mark.parametrize("text", ["O", "十二", "○"])
def test_a_guess_is_marked(text: str) -> None:
    assert not parse_printed(text).sure


@given(st.integers(-(10**9), 10**9), st.sampled_from(["{}", "{:,}", " {} ", "{}件"]))
def test_a_printed_integer_reads_back(value: int, form: str) -> None:
    assert parse_printed(form.format(value)).value == value


@given(st.integers(0, 10**9))
def test_full_width_digits_read_like_ascii(value: int) -> None:
    wide = str(value).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    assert parse_printed(wide).value == value


def _han(value: int) -> str:
    digits = "零一二三四五六七八九"
    text = "".join(
        f"{digits[value // scale % 10]}{name}" if value // scale % 10 else "零"
        for scale, name in ((1000, "千"), (100, "百"), (10, "十"), (1, ""))
    )
    while "零零" in text:
        text = text.replace("零零", "零")
    return text.strip("零")


@given(st.integers(1, 9999))
def test_chinese_numerals_read_back(value: int) -> None:
    assert parse_han(_han(value)) == value


@given(st.decimals(0, 10**6, places=4))
def test_money_converts_exactly(amount: Decimal) -> None:
    assert to_wan(amount * 10000, "元") == amount
    assert to_wan(amount, "亿元") == amount * 10000


def test_whole_keeps_decimals_and_makes_integers() -> None:
    assert whole(Decimal("12.00")) == 12
    assert isinstance(whole(Decimal("12.00")), int)
    assert whole(Decimal("12.5")) == Decimal("12.5")


def test_units_are_told_from_labels() -> None:
    assert is_unit("人次")
    assert not is_unit("行政许可")
