"""Balanced figures for a report, and the ways in which publishers print them."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from tests.generator import labels

Status = Literal["reported", "blank", "lost", "image"]
Figure = int | Decimal

FULL_WIDTH = str.maketrans("0123456789.,-+", "０１２３４５６７８９．，－＋")


@dataclass(frozen=True, slots=True)
class Printed:
    """One printed value cell: the string on the page, and what it says.

    ``value`` is None where the cell is blank; amounts are in 万元. ``lost`` cells lost their place in a flattened
    text, ``image`` cells stand in a picture only; both keep the value that was printed, and ``blank`` says
    whether the print itself was blank.
    """

    raw: str
    value: Figure | None
    status: Status
    blank: bool = False


def reported(raw: str, value: Figure) -> Printed:
    """A cell with a number in it."""
    return Printed(raw, value, "reported")


def blank(raw: str) -> Printed:
    """A cell with nothing, or a stroke, in it."""
    return Printed(raw, None, "blank", blank=True)


def nil_aware(printed: Printed) -> Figure:
    """The figure that a sum uses: a blank counts as nil."""
    return 0 if printed.value is None else printed.value


@dataclass(frozen=True, slots=True)
class Style:
    """How one report prints its figures.

    ``nil``: what stands for zero (``"0"``, ``""``, ``"/"``, ``"-"``, ``"—"``, ``"无"``, ``"零"``, or ``"mixed"``).
    ``emptiness``: ``none``, ``template`` (no value anywhere), ``totals_only`` (applications: the 总计 column only),
    ``no_totals`` (applications: 总计 blank in the outcome rows).
    ``amount``: ``cell`` (28.5万元), ``cell_yuan`` (285000元), ``cell_yi`` (1.2亿元), ``header``, ``header_yuan``,
    ``both`` (in the header and in the cell), ``bare``.
    """

    nil: str = "0"
    digits: Literal["ascii", "full", "thousands", "thousands_full", "unit"] = "ascii"
    sign: Literal["minus", "words", "plus", "double", "full", "long_words"] = "minus"
    amount: Literal["cell", "cell_yuan", "cell_yi", "header", "header_yuan", "both", "bare"] = "cell"
    emptiness: Literal["none", "template", "totals_only", "no_totals"] = "none"


NILS = ("", "/", "-", "—", "无", "零", "mixed")


def random_style(rng: random.Random, scheme: str) -> Style:
    """A style as a publisher might have it; most print plain digits and 0."""
    nil = "0" if rng.random() < 0.6 else rng.choice(NILS)
    digits = "ascii" if rng.random() < 0.75 else rng.choice(("full", "thousands", "thousands_full", "unit"))
    emptiness = "none" if rng.random() < 0.88 else rng.choice(("template", "totals_only", "no_totals"))
    if scheme == "2019":
        amount = rng.choice(("cell", "cell_yuan", "cell_yi", "header", "header_yuan", "both", "bare"))
    else:
        amount = rng.choice(("header", "header", "header", "both", "header_yuan", "cell", "bare"))
    sign = rng.choice(("minus", "minus", "words", "plus", "double", "full", "long_words"))
    return Style(nil, digits, sign, amount, emptiness)  # type: ignore[arg-type]


def group_thousands(value: Figure, comma: str) -> str:
    """``1234`` as ``1,234``, with the given comma."""
    return f"{value:,}".replace(",", comma)


def print_count(value: int, style: Style, unit: str) -> str:
    """A whole number that is not nil, in the style's digits."""
    if style.digits == "full":
        return str(value).translate(FULL_WIDTH)
    if style.digits == "thousands":
        return group_thousands(value, ",")
    if style.digits == "thousands_full":
        return group_thousands(value, "，")
    return f"{value}{unit}" if style.digits == "unit" else str(value)


def print_nil(style: Style, rng: random.Random) -> Printed:
    """A cell whose figure is nil: 0 in some spelling, or blank."""
    nil = rng.choice(("0", "0", "", "/", "-", "无")) if style.nil == "mixed" else style.nil
    if nil in ("", "/", "-", "—"):
        return blank(nil)
    return reported("０" if nil == "0" and style.digits == "full" else nil, 0)


def print_cell(value: Figure, kind: str, unit: str, style: Style, rng: random.Random) -> Printed:
    """One figure as this report prints it."""
    if kind == "amount":
        return print_amount(Decimal(value), style, rng)
    count = int(value)
    if count == 0:
        return print_nil(style, rng)
    if kind == "signed":
        return reported(print_signed(count, style.sign), count)
    return reported(print_count(count, style, unit), count)


def print_signed(value: int, sign: str) -> str:
    """增/减 of items, not nil: the sign in words, doubled, full-width or plain."""
    size = abs(value)
    if value > 0:
        return {"words": f"增{size}", "plus": f"+{size}", "full": f"＋{size}", "long_words": f"增加{size}"}.get(
            sign, str(size)
        )
    return {"words": f"减{size}", "double": f"--{size}", "full": f"－{size}", "long_words": f"减少{size}"}.get(
        sign, f"-{size}"
    )


def plain(value: Decimal) -> str:
    """A decimal without exponent and without trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def print_amount(wan: Decimal, style: Style, rng: random.Random) -> Printed:
    """An amount of ``wan`` 万元 in the style's unit; nil as the style has it."""
    if wan == 0:
        if style.nil in ("0", "mixed") and style.amount in ("cell", "both"):
            return reported(rng.choice(("0", "0万元", "0.00")), 0)
        return print_nil(style, rng)
    if style.amount == "cell_yuan":
        return reported(f"{plain(wan * 10000)}元", wan)
    if style.amount == "header_yuan":
        return reported(plain(wan * 10000), wan)
    if style.amount == "cell_yi":
        return reported(f"{plain(wan / 10000)}亿元", wan)
    if style.amount in ("cell", "both"):
        return reported(f"{plain(wan)}万元", wan)
    if style.digits in ("thousands", "thousands_full"):
        return reported(group_thousands(Decimal(plain(wan)), "," if style.digits == "thousands" else "，"), wan)
    return reported(plain(wan), wan)


def application_figures(rng: random.Random, scheme: str, volume: str) -> dict[str, int]:
    """Section three, balanced: every identity of the form holds.

    ``volume``: ``zero``, ``few`` (a handful) or ``many`` (up to thousands).
    """
    outcomes = [key for key, _, _ in labels.outcome_rows(scheme)]
    figures = {key: 0 for key in labels.application_keys(scheme)}
    if volume != "zero":
        for who in labels.PARTS:
            _fill_applicant(figures, rng, outcomes, who, volume)
    for row in labels.application_rows(scheme):
        figures[f"applications.{row}.total"] = sum(figures[f"applications.{row}.{who}"] for who in labels.PARTS)
    return figures


def _fill_applicant(figures: dict[str, int], rng: random.Random, outcomes: list[str], who: str, volume: str) -> None:
    busy = {"natural_person": 1.0, "business": 0.6}.get(who, 0.12)
    if rng.random() > busy:
        return
    most = (300 if who == "natural_person" else 40) if volume == "many" else 4
    for row in outcomes:
        if rng.random() < (0.7 if volume == "many" else 0.15):
            figures[f"applications.{row}.{who}"] = rng.randint(1, most)
    if rng.random() < 0.7:
        figures[f"applications.granted.{who}"] += rng.randint(1, most * 3)
    processed = sum(figures[f"applications.{row}.{who}"] for row in outcomes)
    carried_out = rng.choice((0, 0, rng.randint(1, most)))
    carried_in = rng.choice((0, rng.randint(0, min(most, processed + carried_out))))
    figures[f"applications.processed.{who}"] = processed
    figures[f"applications.carried_out.{who}"] = carried_out
    figures[f"applications.carried_in.{who}"] = carried_in
    figures[f"applications.new.{who}"] = processed + carried_out - carried_in


def dispute_figures(rng: random.Random, volume: str) -> dict[str, int]:
    """Section four, balanced."""
    figures: dict[str, int] = {}
    most = {"zero": 0, "few": 2, "many": 60}[volume]
    for procedure, _ in labels.PROCEDURES:
        parts = [rng.randint(0, most) if rng.random() < 0.6 else 0 for _ in range(4)]
        for (field, _), value in zip(labels.RESULT_COLUMNS, [*parts, sum(parts)], strict=True):
            figures[f"disputes.{procedure}.{field}"] = value
    return figures


def disclosure_figures(rng: random.Random, scheme: str, volume: str) -> dict[str, Figure]:
    """Section two: counts, changes that leave no negative stock, and amounts in 万元."""
    figures: dict[str, Figure] = {}
    most = {"zero": 0, "few": 30, "many": 12000}[volume]
    for key, kind in labels.disclosure_keys(scheme):
        empty = volume == "zero" or rng.random() < 0.25
        if kind == "amount":
            figures[key] = Decimal(0) if empty else Decimal(rng.randint(1, most * 20000)).scaleb(-4)
        elif kind == "signed":
            previous = int(figures[key.replace(".change", ".previous")])
            figures[key] = 0 if empty else rng.randint(-previous, max(3, previous // 5))
        else:
            figures[key] = 0 if empty else rng.randint(1, most)
    return figures


def style_amount_unit(style: Style, scheme: str) -> str:
    """What the header of the amount column says of its unit: ``""``, ``"万元"`` or ``"元"``."""
    if style.amount in ("header", "both"):
        return "万元"
    if style.amount == "header_yuan":
        return "元"
    return ""


def with_raw(printed: Printed, raw: str) -> Printed:
    """The same value, printed otherwise."""
    return replace(printed, raw=raw)
