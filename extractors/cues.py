"""The words that open, go on with, sum up or end a breakdown of figures, as patterns over folded text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from extractors.phrases import Aspect, load_phrases

# A phrase that takes a whole up again is short, 新增信息中, and so is what stands between it and the first part.
_WITHIN_LENGTH = 16
_WITHIN_REST = 24
# Words that begin with 中 or 里.
_NOT_WITHIN = "[心央国小学间型文级等期介标药医]"
# 减为15件: what a figure has changed to.
CHANGED = re.compile(r"(?:[减增降升]|精简|压缩|扩大)[为至到]")
# ⟦15件⟧申请中: a figure that is broken down next.
RESTATED = re.compile(rf"[^,;。:、()]{{0,12}}?(?:之中|当中|中|里面|里头)(?!{_NOT_WITHIN})")
# A bracket or a colon directly behind a figure.
BRACKET = re.compile(r"[^,;。:]{0,6}\(")
COLON = re.compile(r"[)”\"]?[\u4e00-\u9fff]{0,4}:")
# 共30条,由三块构成:
MADE_OF = re.compile(r",?[^,;。:]{0,10}[构组]成[:,]")
DASHES = ("——", "—", "─")
# 占全区⟦376件⟧的66.2%, and the same of several parts together.
OF_ALL = re.compile(r"占[^,;。:、]{0,12}$")
SEVERAL = re.compile(r"[两二三四五六七八九十\d几][家者项类个市县区局所部种].{0,6}占")
# 专兼职人员 counts both kinds.
BOTH_KINDS = re.compile(r"专[(、]?兼[)]?职")


def cues(name: str) -> tuple[str, ...]:
    """The words of one list of cues, longest first."""
    return load_phrases().cues[name]


@cache
def outcomes() -> frozenset[str]:
    """The fields of the outcomes of requests."""
    return load_phrases().wholes["requests_received"].free


def any_of(words: Iterable[str], text: str) -> bool:
    """Whether one of ``words`` stands in ``text``."""
    return any(word in text for word in words)


def has_verb(lead: str) -> bool:
    """Whether ``lead`` says an act, and so may begin a count of its own."""
    return pattern(load_phrases().label["verbs"]).search(lead) is not None


def mentions(aspect: Aspect, words: str) -> bool:
    """Whether ``words`` name what parts are distinguished by."""
    return pattern(aspect.words).search(words) is not None


@cache
def pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern of any of ``words``, the first that fits."""
    return re.compile("|".join(map(re.escape, words)))


def _any(name: str) -> str:
    return f"(?:{pattern(cues(name)).pattern})"


@cache
def opening() -> re.Pattern[str]:
    """其中, 包括, 分别为."""
    return re.compile(rf"{_any('open')}|[,;。:(、]{_any('edge')}")


@cache
def same() -> re.Pattern[str]:
    """涉及, 来自: they open a breakdown for figures of the whole's own field."""
    return re.compile(rf"(?:^|[,、(]){_any('same')}")


@cache
def axis() -> re.Pattern[str]:
    """按渠道分, 从内容看, 论身份, 层级上."""
    edge = r"(?:^|[,;。:() ])"
    named = rf"{_any('axis')}[^,;。:、]{{1,12}}?{_any('axis_end')}(?=[,:]|[^,;。:]{{0,12}}$)"
    return re.compile(rf"{edge}(?:论[^,;。:、]{{1,5}}[,:]|[^,;。:、]{{1,5}}上,|{named})")


@cache
def within() -> re.Pattern[str]:
    """新增信息中, 在这38件申请里; the group ``words`` holds what is taken up again."""
    words = rf"(?P<words>(?:[^,;。:、()]|\([^()]{{1,6}}\)){{0,{_WITHIN_LENGTH}}}?)"
    before = r"(?:^|[,;。:( ])在?(?:这|上述|以上|全部|所有)?"
    return re.compile(rf"{before}{words}{_any('within')}(?!{_NOT_WITHIN})(?=[,:]|[^,;。]{{0,{_WITHIN_REST}}}$)")
