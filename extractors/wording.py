"""The label and the scope of a figure: the printed words that name what is counted, and for whom.

A label is the shortest run of words that names the thing: what stands before the figure without its subject, its verb
and its particles (全年共受理政府信息公开申请12件: 政府信息公开申请), else what follows it (12件为动态类: 动态类).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from extractors.folding import BOUNDARIES, Folded
from extractors.phrases import load_phrases

# Longer runs behind a figure are sentences, not names.
_TAIL_LENGTH = 14
# Marks that end a phrase; 、 joins the words of one.
_ENDS = BOUNDARIES.replace("、", "")
_SPACE = re.compile(f"[{_ENDS}]")
_MARK = re.compile(f"[{BOUNDARIES}]")
_STOP = re.compile("[。;!?\n]")
# A short bracket is a part of the word that it stands in: 中标(成交)结果.
_ASIDE = re.compile(r"(?<=[\u4e00-\u9fff])[(][^()\d]{1,8}[)](?=[\u4e00-\u9fff\d])")
_JOIN = re.compile("[、和与及]|以及")
_SHARING = re.compile(r"(?:占|占比|比重|比例)[^,;。]{0,8}$")
_YEAR = re.compile(
    r"(?:20\d\d|二[〇○零]..)年?(?:度)?|\d{1,2}月\d{0,2}日?|[(]?[一二三四五六七八九十]{1,2}[)、)]|\d{1,2}[.、．)]"
)
_SEVERALLY = re.compile(r"分别|依次|各为")
_DISPUTES = frozenset({"reviews", "litigations", "complaints"})


@dataclass(frozen=True, slots=True)
class Phrase:
    """A figure's place in folded text, with what decides its wording."""

    start: int
    end: int
    field: str
    nil: bool


Span = tuple[int, int]


def label_phrases(folded: Folded, phrases: Sequence[Phrase], channels: Sequence[Span]) -> list[Span | None]:
    """The label of each figure; ``phrases`` in the order of the text."""
    spans: list[Span | None] = []
    for place, phrase in enumerate(phrases):
        span = (
            _nil_label(folded.text, phrase)
            if phrase.nil
            else _listed_label(folded.text, phrases, place, channels)
            or _label(folded.text, phrases, place, spans, channels)
        )
        spans.append(span)
    return spans


def _label(
    text: str, phrases: Sequence[Phrase], place: int, spans: Sequence[Span | None], channels: Sequence[Span]
) -> Span | None:
    phrase = phrases[place]
    floor = phrases[place - 1].end if place else 0
    start, end = lead = (_phrase_start(text, floor, phrase.start), phrase.start)
    sharing = _SHARING.search(text, start, end) if phrase.field == "share" else None
    if sharing:
        before = next((span for span in reversed(spans[:place]) if span), None)
        return _strip(text, (start, sharing.start())) or before or lead
    after = _tail(text, phrases, place)
    if after and start < end and text[end - 1] in _ENDS:
        return after
    named = _strip(text, lead)
    words = load_phrases().label
    total = next((word for word in words["total"] if text.endswith(word, start, end)), None)
    if total and (named is None or _is_area(text[start:end])):
        return after or (end - len(total), end)
    if after and named and place and _behind_previous(spans[place - 1], phrases[place - 1], named):
        return after
    if named and not (after and _says_little(text[named[0] : named[1]], text[after[0] : after[1]])):
        return _without_verb(text, named, phrase.field, channels)
    if after or named:
        return after or named
    if start == floor and place and spans[place - 1]:
        return spans[place - 1]
    return _previous(text, floor, start, phrase.field, channels)


def _behind_previous(span: Span | None, previous: Phrase, named: Span) -> bool:
    """Whether the words before a figure are the label of the one before it: ⟦9件⟧维持、⟦1件⟧被纠正."""
    return span is not None and span[0] >= previous.end and span[0] <= named[0] and named[1] <= span[1]


def _is_area(lead: str) -> bool:
    return len(lead) < 6 and lead.startswith(tuple(load_phrases().scope["area"]))


def _says_little(lead: str, tail: str) -> bool:
    """Whether the noun stands behind the figure: 召开⟦3次⟧会议, 其余⟦5件⟧结转, 先后⟦两次⟧听取汇报."""
    words = load_phrases()
    if lead in words.label["verbs"] or lead in words.cues["rest"] and not tail.startswith(("为", "由")):
        return True
    return _verbs().match(tail) is not None and _verbs().search(lead) is None


def _phrase_start(text: str, floor: int, end: int) -> int:
    asides = [match.span() for match in _ASIDE.finditer(text, floor, end + 1)]
    ends = [match.end() for match in _SPACE.finditer(text, floor, end) if match.end() < end]
    return next((at for at in reversed(ends) if not any(a < at <= b for a, b in asides)), floor)


def _previous(text: str, floor: int, end: int, field: str, channels: Sequence[Span]) -> Span | None:
    """The phrase before the one that ends at ``end``: 政府信息公开申请,共12件."""
    if end - 1 <= floor or text[end - 1] not in ",:( ":
        return None
    named = _strip(text, (_phrase_start(text, floor, end - 1), end - 1))
    return _without_verb(text, named, field, channels) if named else None


def _strip(text: str, span: Span) -> Span | None:
    """``span`` without particles at its ends; None where nothing is left."""
    start, end = span
    words = load_phrases().label
    while start < end and (text[start] in BOUNDARIES + '"”’)' or text[end - 1] in BOUNDARIES):
        start, end = start + (text[start] in BOUNDARIES + '"”’)'), end - (text[end - 1] in BOUNDARIES)
    changed = True
    while changed and start < end:
        changed = False
        head = _YEAR.match(text, start, end) or _pattern(words["head"]).match(text, start, end)
        if head and (head.end() == end or not text.startswith(words["longer"], start)):
            start, changed = head.end(), True
        tail = _ending(words["before"]).match(text[start:end][::-1])
        if tail:
            end, changed = end - tail.end(), True
    return (start, end) if start < end else None


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, words)))


@cache
def _ending(words: tuple[str, ...]) -> re.Pattern[str]:
    """A pattern for the end of a text that is read backwards."""
    return re.compile("|".join(re.escape(word[::-1]) for word in words))


def _without_verb(text: str, span: Span, field: str = "", channels: Sequence[Span] = ()) -> Span:
    """What stands behind the first verb of ``span``, where that is a noun; else ``span``."""
    start, end = span
    if field in _DISPUTES:
        noun = next((noun for noun in load_phrases().nil[field] if noun in text[start:end]), None)
        if noun and text.rfind(noun, start, end) + len(noun) > end - 3:
            return text.rfind(noun, start, end), end
    behind = max((stop for begin, stop in channels if start <= begin and stop < end), default=start)
    if field != "disclosed_part" and end - behind > 1:
        start = behind
    words = _masked(text[start:end])
    match = _verbs().search(words)
    while match:
        rest = _strip(text, (start + match.end(), end))
        if rest is None or rest[1] - rest[0] < 2:
            break
        following = _verbs().match(words, rest[0] - start)
        if following is None or following.end() == len(words):
            # A noun of two characters may be the end of a longer one: with its verb it is right for both.
            return rest if rest[1] - rest[0] > 2 else (start + match.start(), rest[1])
        match = following
    return start, end


def _masked(words: str) -> str:
    return _pattern(load_phrases().label["nouns"]).sub(lambda noun: "＿" * len(noun.group()), words)


@cache
def _verbs() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, load_phrases().label["verbs"])))


def _tail(text: str, phrases: Sequence[Phrase], place: int) -> Span | None:
    """The words that follow a figure up to the next mark or figure."""
    start = phrases[place].end
    limit = phrases[place + 1].start if place + 1 < len(phrases) else len(text)
    match = _MARK.search(text, start, limit)
    end = match.start() if match else limit
    if not match and limit < len(text):
        return None
    words = load_phrases().label
    head = _pattern(words["after"]).match(text, start, end)
    if head:
        start = head.end()
    if start >= end:
        return None
    cut = min((at for word in words["tail_end"] if (at := text.find(word, start + 2, end)) > 0), default=end)
    named = _without_verb(text, (start, cut))
    return (named[0], min(named[1], named[0] + _TAIL_LENGTH))


def _nil_label(text: str, phrase: Phrase) -> Span | None:
    """What a negation denies: the noun of the field behind it, else before it."""
    stop = _STOP.search(text, phrase.end)
    end = stop.start() if stop else len(text)
    start = max((match.end() for match in _STOP.finditer(text, 0, phrase.start)), default=0)
    for noun in load_phrases().nil.get(phrase.field, ()):
        at = text.find(noun, phrase.end, end)
        if at >= 0:
            return at, at + len(noun)
    for noun in load_phrases().nil.get(phrase.field, ()):
        at = text.rfind(noun, start, phrase.start)
        if at >= 0:
            return at, at + len(noun)
    mark = _MARK.search(text, phrase.end, end)
    tail = _strip(text, (phrase.end, mark.start() if mark else end))
    return tail or _strip(text, (_phrase_start(text, start, phrase.start), phrase.start))


def _listed_label(text: str, phrases: Sequence[Phrase], place: int, channels: Sequence[Span]) -> Span | None:
    """The label of one of several figures that 分别 gives to as many names: A、B分别为12条、15条."""
    if phrases[place].field == "growth":
        return None
    first = place
    while first and _joined(text, phrases[first - 1], phrases[first]):
        first -= 1
    start = max(text.rfind(mark, 0, phrases[first].start) for mark in "。;\n") + 1
    floor = max(start, phrases[first - 1].end if first else 0)
    marks = list(_SEVERALLY.finditer(text, floor, phrases[first].start))
    if not marks:
        return None
    match = marks[-1]
    last = place
    while last + 1 < len(phrases) and _joined(text, phrases[last], phrases[last + 1]):
        last += 1
    count = last - first + 1
    named = [span for span in channels if start <= span[0] and span[1] <= match.start()]
    if len(named) < count:
        named = _names(text, start, match.start())
    return named[-count:][place - first] if len(named) >= count > 1 else None


def _joined(text: str, one: Phrase, other: Phrase) -> bool:
    return _JOIN.fullmatch(text[one.end : other.start].replace(",", "、")) is not None


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


def scope_phrases(
    folded: Folded,
    phrases: Sequence[Phrase],
    labels: Sequence[Span | None],
    wholes: Sequence[int | None],
    channels: Sequence[Span],
    publisher: str | None = None,
) -> list[Span | None]:
    """The scope of each figure; ``wholes`` holds the place of each figure's whole among ``phrases``."""
    text = folded.text
    scopes: list[Span | None] = [None] * len(phrases)
    subject: Span | None = None
    before = 0
    for place, phrase in enumerate(phrases):
        stop = max((match.end() for match in _STOP.finditer(text, before, phrase.start)), default=None)
        if stop is not None:
            subject = None
        part = wholes[place] is not None
        found = _named_body(text, labels[place], channels) if part or _listed(text, phrases, place) else None
        if found is None:
            found = _subject(text, before if stop is None else stop, phrase.start, part, publisher, channels)
            subject = found or subject
        scopes[place] = None if found and _is_publisher(text[found[0] : found[1]], publisher) else found or subject
        before = phrase.end
    # A total may follow its parts, so what a part has from its whole is settled last.
    for place, whole in enumerate(wholes):
        if scopes[place] is None and whole is not None and not _parted(text, phrases[whole], phrases[place]):
            scopes[place] = scopes[whole]
    return scopes


def _is_publisher(body: str, publisher: str | None) -> bool:
    return publisher is not None and body.replace("人民政府", "政府") in publisher.replace("人民政府", "政府")


def _parted(text: str, one: Phrase, other: Phrase) -> bool:
    start, end = sorted((one.start, other.start))
    return _STOP.search(text, start, end) is not None


def _listed(text: str, phrases: Sequence[Phrase], place: int) -> bool:
    """Whether a figure is one of several that 分别 gives to as many names."""
    start = phrases[place - 1].end if place else 0
    return phrases[place].start - start < 2 or _SEVERALLY.search(text, start, phrases[place].start) is not None


def _named_body(text: str, label: Span | None, channels: Sequence[Span]) -> Span | None:
    """The body that a label is, with or without a verb behind it: 县教育局, 各乡镇受理."""
    match = _part_bodies().match(text, *label) if label else None
    return match.span("body") if match and _is_body(text, match.span("body"), channels) else None


def _subject(
    text: str, floor: int, end: int, part: bool, publisher: str | None, channels: Sequence[Span]
) -> Span | None:
    """The body that the clause between ``floor`` and ``end`` has as its subject, the last one if there are several."""
    organs = publisher is not None or floor > 0 or any(word in text for word in load_phrases().scope["area"])
    while end > floor:
        start = _phrase_start(text, floor, end)
        match = _subject_bodies(organs).match(text, start, end)
        if match and _is_body(text, match.span("body"), channels):
            return match.span("body")
        end = start - 1
    return None


def _is_body(text: str, span: Span, channels: Sequence[Span]) -> bool:
    phrases = load_phrases()
    body = text[span[0] : span[1]]
    if body.startswith(phrases.scope["own"]) and not body.endswith(phrases.scope["less"]):
        return False
    if _verbs().match(body):
        return False
    if any(word in body for aspect in phrases.aspects if aspect.name in _PERSONS for word in aspect.words):
        return False
    if any(word in body for word in phrases.scope["never"]) and not body.startswith("各级各"):
        return False
    return len(body) > 1 and not any(span[0] < stop and start < span[1] for start, stop in channels)


_PERSONS = ("applicant", "means")


@cache
def _subject_bodies(organs: bool) -> re.Pattern[str]:
    scope = load_phrases().scope
    attached, less, levels = _one_of(scope["attached"]), _one_of(scope["less"]), _bodies(scope["levels"])
    names = [
        # A level or a class is a subject only with a word that says whose: 各街道, 县直部门, not 街道 or 部门动态.
        rf"(?={_WHICH}|[^,;。:]{{0,6}}{less}){levels}(?!{attached})(?={_to_verb()})",
        rf"(?=各|[^,;。:]{{0,6}}{less}|[省市县区州][级直]){levels}(?!{attached})(?=\w\w)",
        rf"{levels}(?=[^,;。]{{0,4}}[中里])",
        rf"{_bodies(scope['offices'])}(?!{attached})(?=[^,;。:]{{2,}})",
    ]
    if organs:
        names.append(rf"{_bodies(scope['organs'])}(?={_to_verb()})")
        names.append(rf"(?:乡镇|镇街|社区|街道)(?={_to_verb()})")
    return re.compile(rf"{_BEFORE}(?P<body>{'|'.join(names)})")


@cache
def _to_verb() -> str:
    return f"{_one_of(load_phrases().scope['between'])}*{_one_of(load_phrases().label['verbs'])}"


@cache
def _part_bodies() -> re.Pattern[str]:
    scope = load_phrases().scope
    ends = (*scope["offices"], *scope["levels"], *scope["organs"], *scope["places"])
    return re.compile(rf"{_BEFORE}(?P<body>{_bodies(ends)})(?:的|{_to_verb()}.{{0,4}})?$")


_BEFORE = r"(?:其中|其|由|含|以|代表|20\d\d年度?|年度?|全年|当年|本年度?|截至|和|及|、)*"
_WHICH = r"各|所|下|直属|\d|[省市县区州][级直本]|乡镇|镇街|区县|县区|市州|[镇村县乡]\(|部|总局|厅|局"


def _bodies(ends: Iterable[str]) -> str:
    """A pattern of one body or of several in a row."""
    last = _one_of(sorted(set(ends), key=len, reverse=True))
    body = (
        rf"(?:[\w\d]|、(?=\w)){{0,10}}?{last}(?:公室|公厅|办公室|行政机关|机关|部门|单位|大厅)?"
        r"(?:\((?:办公室|办|街道|场|市、区|市|区|社区|村|州)\))?"
    )
    return rf"(?:各|全部|其他|其它|所有|\d+个)?{body}(?:(?:[、和与及]|以及){body})*(?:等(?:部门|单位|窗口)?)?"


def _one_of(words: Iterable[str]) -> str:
    return "(?:" + "|".join(map(re.escape, words)) + ")"
