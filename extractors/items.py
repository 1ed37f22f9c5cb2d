"""Figures of the prose in their places: paragraph, sentence, brackets, and the words from one to the next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from extractors.folding import BOUNDARIES, Folded

Bound = Literal["exact", "about", "at_least"]
# Percentages and changes stand beside the figures that they describe and are neither wholes nor parts.
BESIDE = frozenset({"share", "growth"})
_MONEY = {"元": 1, "万元": 10_000, "亿元": 100_000_000}
_PERSONS = frozenset({"人", "名", "位"})
_HEADING = re.compile(
    r"(?<![\d一二三四五六七八九十(])[一二三四五六七八九十]{1,2}、(?=[^,;。\d]{3,})|\([一二三四五六七八九十]{1,2}\)"
)
# The figure of another time, given for comparison: 上年的31件.
_EARLIER = re.compile(r"(?:上年|去年|上一年度?|前年|年初|上年同期|去年同期|20\d\d年)(?:的|为|是)?$")


@dataclass(frozen=True, slots=True)
class Figure:
    """A claim as the tagger found it. A stated nil over a list is several figures on one span."""

    start: int
    end: int
    field: str
    value: int | Decimal
    unit: str | None
    bound: Bound
    nil: bool


@dataclass(frozen=True, slots=True)
class Item:
    """A figure in folded text. ``gap`` runs from the figure before it, in the same paragraph, without percentages."""

    index: int
    figure: Figure
    start: int
    end: int
    depth: int
    paragraph: int
    sentence: int
    gap: str

    @property
    def amount(self) -> Decimal:
        return Decimal(self.figure.value) * _MONEY.get(self.figure.unit or "", 1)

    @property
    def exact(self) -> bool:
        return self.figure.bound == "exact"

    @property
    def clause(self) -> str:
        """``gap`` from the last full stop or semicolon on: an opening word before it belongs to something else."""
        return re.split("[。!?;]", self.gap)[-1]

    @property
    def lead(self) -> str:
        """The words directly before the figure, up to the last punctuation."""
        return re.split(f"[{BOUNDARIES}]", self.gap.rstrip(BOUNDARIES))[-1]


def read_items(folded: Folded, figures: Sequence[Figure]) -> list[Item]:
    """The figures in the order of the text, each with its place in paragraph, sentence and brackets."""
    text = folded.text
    items: list[Item] = []
    headings = {match.start() for match in _HEADING.finditer(text)}
    place = depth = paragraph = sentence = 0
    gap = ""
    for index in sorted(range(len(figures)), key=lambda index: (figures[index].start, index)):
        figure = figures[index]
        start, end = folded.places[figure.start], folded.places[figure.end]
        for offset in range(place, start):
            char = text[offset]
            if char == "\n":
                paragraph, sentence, depth, gap = paragraph + 1, sentence + 1, 0, ""
                continue
            if char in "。!?" or offset in headings:
                sentence, depth = sentence + 1, 0
            depth += (char == "(") - (char == ")" and depth > 0)
            gap += char
        items.append(Item(index, figure, start, end, depth, paragraph, sentence, gap))
        place = max(place, end)
        if figure.field not in BESIDE:
            gap = ""
    return items


def measure(item: Item) -> str:
    unit = item.figure.unit or ""
    if unit in _MONEY:
        return "money"
    return "persons" if unit in _PERSONS else "count"


def same_unit(whole: Item, part: Item) -> bool:
    units = whole.figure.unit or "", part.figure.unit or ""
    return measure(whole) == "money" or units[0][-1:] == units[1][-1:]


def is_earlier(item: Item) -> bool:
    """Whether the figure is an earlier year's, given for comparison."""
    if item.figure.field == "other_count":
        return _EARLIER.search(item.lead) is not None
    return item.gap.startswith((",", "(")) and _EARLIER.fullmatch(item.lead) is not None
