"""The label and the scope of a figure: the printed words that name what is counted, and for whom.

A label is the shortest run of words that names the thing: what stands before the figure without its subject, its verb and
its particles (全年共受理政府信息公开申请12件: 政府信息公开申请), else what follows it (12件为动态类: 动态类).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from extractors.folding import BOUNDARIES, Folded
from extractors.phrases import load_phrases

# Longer runs behind a figure are sentences, not names.
_TAIL_LENGTH = 14
# Marks that end a phrase; 、 joins the words of one.
_ENDS = BOUNDARIES.replace("、", "")
_SPACE = re.compile(f"[{_ENDS}]")
_JOIN = re.compile("[、和与及]|以及")
_SHARING = re.compile(r"(?:占|占比|比重|比例)[^,;。]{0,3}$")
_YEAR = re.compile(r"^(?:20\d\d|二[〇○零]..)年?(?:度)?|^\d{1,2}月\d{0,2}日?|^[(（]?[一二三四五六七八九十]{1,2}[)、)]|^\d{1,2}[.、．)]")
_SEVERALLY = re.compile(r"分别|依次|各为")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A figure's place in folded text, with what decides its wording."""

    start: int
    end: int
    field: str
    nil: bool


Span = tuple[int, int]


def label_phrases(folded: Folded, phrases: Sequence[Phrase], channels: Sequence[Span]) -> list[str | None]:
    """The label of each figure, as printed; ``phrases`` in the order of the text."""
    spans: list[Span | None] = []
    for place, phrase in enumerate(phrases):
        span = (
            _nil_label(folded.text, phrase)
            if phrase.nil
            else _listed_label(folded.text, phrases, place, channels) or _label(folded.text, phrases, place, spans)
        )
        spans.append(span)
    return [folded.quote(*span) if span else None for span in spans]


def _label(text: str, phrases: Sequence[Phrase], place: int, spans: Sequence[Span | None]) -> Span | None:
    phrase = phrases[place]
    floor = phrases[place - 1].end if place else 0
    lead = (_phrase_start(text, floor, phrase.start), phrase.start)
    if phrase.field == "share" and _SHARING.search(text[lead[0] : lead[1]]):
        named = _strip(text, (lead[0], lead[0] + _SHARING.search(text[lead[0] : lead[1]]).start()))  # type: ignore[union-attr]
        if named:
            return named
        before = next((span for span in reversed(spans[:place]) if span), None)
        return before or lead
    named = _strip(text, lead)
    if named and text[named[0] : named[1]] not in load_phrases().label["verbs"]:
        return _without_verb(text, named)
    after = _tail(text, phrases, place)
    if after or named:
        return after or named
    total = next((word for word in load_phrases().label["total"] if text.endswith(word, lead[0], lead[1])), None)
    if total:
        return lead[1] - len(total), lead[1]
    return _previous(text, floor, lead[0])


def _phrase_start(text: str, floor: int, end: int) -> int:
    ends = [match.end() for match in _SPACE.finditer(text, floor, end) if match.end() < end]
    return ends[-1] if ends else floor


def _previous(text: str, floor: int, end: int) -> Span | None:
    """The phrase before the one that ends at ``end``: 政府信息公开申请,共12件."""
    if end - 1 <= floor or text[end - 1] not in ",:(":
        return None
    named = _strip(text, (_phrase_start(text, floor, end - 1), end - 1))
    return _without_verb(text, named) if named else None


def _strip(text: str, span: Span) -> Span | None:
    """``span`` without particles at its ends; None where nothing is left."""
    start, end = span
    words = load_phrases().label
    while start < end and (text[start] in BOUNDARIES + "\"”’)" or text[end - 1] in BOUNDARIES):
        start, end = start + (text[start] in BOUNDARIES + "\"”’)"), end - (text[end - 1] in BOUNDARIES)
    changed = True
    while changed and start < end:
        changed = False
        year = _YEAR.match(text[start:end])
        head = year.group() if year else _first(words["head"], lambda word: text.startswith(word, start, end))
        if head and (year or start + len(head) == end or not _splits_word(text, start + len(head), head)):
            start, changed = start + len(head), True
        tail = _first(words["before"], lambda word: text.endswith(word, start, end))
        if tail:
            end, changed = end - len(tail), True
    return (start, end) if start < end else None


_WORDS_OF_HEADS = ("中心", "以上", "在线", "在校", "经济", "经营", "从业", "由于", "有关", "有线", "有效", "有限", "本级", "本科", "全文", "全程", "全面", "全民", "全职", "中标", "中央", "中介", "中小", "向社", "对外", "年检", "年报", "计生", "计划", "和平", "共同", "共享", "与会", "及时", "以案", "其他", "其它", "其余", "将军", "经审", "经核", "已主", "经济", "中医", "计量", "通过率", "里程", "等级", "等候", "本市", "本省", "本县", "在建", "度假", "已故", "已结", "有奖")


def _splits_word(text: str, end: int, head: str) -> bool:
    """Whether ``head`` is the beginning of a longer word: 计 in 计划生育."""
    start = end - len(head)
    return text.startswith(_WORDS_OF_HEADS, start)


def _first(words: Iterable[str], holds: object) -> str | None:
    return next((word for word in words if holds(word)), None)  # type: ignore[operator]


def _without_verb(text: str, span: Span) -> Span:
    """What stands behind the first verb of ``span``, where that is a noun; else ``span``."""
    start, end = span
    words = _masked(text[start:end])
    match = _verbs().search(words)
    while match:
        rest = _strip(text, (start + match.end(), end))
        if rest is None or rest[1] - rest[0] < 2:
            return span
        if _verbs().match(words, rest[0] - start) is None:
            return rest
        match = _verbs().match(words, rest[0] - start)
    return span


def _masked(words: str) -> str:
    for noun in load_phrases().label["nouns"]:
        words = words.replace(noun, "＿" * len(noun))
    return words


@cache
def _verbs() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, load_phrases().label["verbs"])))


def _tail(text: str, phrases: Sequence[Phrase], place: int) -> Span | None:
    """The words that follow a figure up to the next mark or figure."""
    start = phrases[place].end
    limit = phrases[place + 1].start if place + 1 < len(phrases) else len(text)
    match = re.compile(f"[{_ENDS}、]").search(text, start, limit)
    end = match.start() if match else limit
    if not match and limit < len(text):
        return None
    words = load_phrases().label
    head = _first(words["after"], lambda word: text.startswith(word, start, end))
    if head:
        start += len(head)
    if start >= end:
        return None
    cut = min((at for word in words["tail_end"] if (at := text.find(word, start + 2, end)) > 0), default=end)
    named = _without_verb(text, (start, cut))
    return (named[0], min(named[1], named[0] + _TAIL_LENGTH))


def _nil_label(text: str, phrase: Phrase) -> Span | None:
    """What a negation denies: the noun of the field behind it, else before it."""
    sentence = re.compile("[。;!?\n]")
    stop = sentence.search(text, phrase.end)
    end = stop.start() if stop else len(text)
    start = max((match.end() for match in sentence.finditer(text, 0, phrase.start)), default=0)
    for noun in load_phrases().nil.get(phrase.field, ()):
        at = text.find(noun, phrase.end, end)
        if at >= 0:
            return at, at + len(noun)
    for noun in load_phrases().nil.get(phrase.field, ()):
        at = text.rfind(noun, start, phrase.start)
        if at >= 0:
            return at, at + len(noun)
    mark = re.compile(f"[{_ENDS}、]").search(text, phrase.end, end)
    tail = _strip(text, (phrase.end, mark.start() if mark else end))
    return tail or _strip(text, (_phrase_start(text, start, phrase.start), phrase.start))


def _listed_label(text: str, phrases: Sequence[Phrase], place: int, channels: Sequence[Span]) -> Span | None:
    """The label of one of several figures that 分别 gives to as many names: A、B分别为12条、15条."""
    if phrases[place].field == "growth":
        return None
    first = place
    while first and _JOIN.fullmatch(text[phrases[first - 1].end : phrases[first].start].replace(",", "、")):
        first -= 1
    start = max(text.rfind(mark, 0, phrases[first].start) for mark in "。;\n") + 1
    match = None
    for match in _SEVERALLY.finditer(text, max(start, phrases[first - 1].end if first else 0), phrases[first].start):
        pass
    if not match:
        return None
    last = place
    while last + 1 < len(phrases) and _JOIN.fullmatch(text[phrases[last].end : phrases[last + 1].start].replace(",", "、")):
        last += 1
    count = last - first + 1
    named = [span for span in channels if start <= span[0] and span[1] <= match.start()]
    if len(named) < count:
        named = _names(text, start, match.start())
    return named[-count:][place - first] if len(named) >= count > 1 else None


def _names(text: str, start: int, end: int) -> list[Span]:
    """The names of a list that ends at ``end``."""
    names: list[Span] = []
    place = start
    for match in [*_JOIN.finditer(text, start, end), None]:
        stop = match.start() if match else end
        named = _strip(text, (_phrase_start(text, place, stop), stop))
        if named:
            names.append(_without_verb(text, named))
        place = match.end() if match else end
    return names


# Scope


def scope_phrases(
    folded: Folded,
    phrases: Sequence[Phrase],
    wholes: Sequence[int | None],
    channels: Sequence[Span],
    publisher: str | None = None,
) -> list[str | None]:
    """The scope of each figure, as printed; ``wholes`` holds the place of each figure's whole among ``phrases``."""
    text = folded.text
    area = publisher is None and any(word in text for word in load_phrases().scope["area"])
    scopes: list[Span | None] = []
    subject: Span | None = None
    before = 0
    for place, phrase in enumerate(phrases):
        gap = text[before : phrase.start]
        if any(mark in gap for mark in "。;!?\n"):
            subject = None
        found, holds = _body(text, before, phrase.start, part=wholes[place] is not None, area=area, channels=channels)
        if found and publisher and text[found[0] : found[1]] in publisher:
            found = None
        if holds:
            subject = found
        own = found or _inherited(scopes, wholes, place) or subject
        scopes.append(own)
        before = phrase.end
    return [folded.quote(*span) if span else None for span in scopes]


def _inherited(scopes: Sequence[Span | None], wholes: Sequence[int | None], place: int) -> Span | None:
    whole = wholes[place]
    return scopes[whole] if whole is not None and whole < len(scopes) else None


def _body(
    text: str, floor: int, end: int, *, part: bool, area: bool, channels: Sequence[Span]
) -> tuple[Span | None, bool]:
    """The body that the words before a figure name, and whether it is the subject of what follows."""
    start = max((text.rfind(mark, floor, end) for mark in "。;!?\n"), default=-1) + 1
    start = max(start, floor)
    place = start
    found: tuple[Span | None, bool] = (None, False)
    for match in [*re.compile("[,:( )]").finditer(text, start, end), None]:
        stop = match.start() if match else end
        body = _body_of(text, place, stop, end, part=part, area=area)
        if body and not any(body[0] < span[1] and span[0] < body[1] for span in channels):
            found = body, not (part and body[1] >= end - 4)
        place = match.end() if match else end
    return found


def _body_of(text: str, start: int, stop: int, end: int, *, part: bool, area: bool) -> Span | None:
    return None


Scopes = Mapping[int, Span]
