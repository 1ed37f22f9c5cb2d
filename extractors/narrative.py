"""The prose of a report to entities and claims: a spaCy pipeline around a tagger.

The tagger (a trained model, or in tests a look-up) finds which figures, nils, names and channels state something;
values, units, bounds, signs, parts, scopes, roles and kinds are closed classes, read by rules behind it.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokens import Doc, Span

from extractors.document import Document
from extractors.encoding import encode
from extractors.fields import DOUBTFUL
from extractors.figures import find_figures
from extractors.mentions import kind_of, role_of
from extractors.phrases import load_kinds, load_phrases, load_titles
from extractors.prose import Prose, evidence, find_prose
from extractors.relations import Figure, Relation, attach
from extractors.report import Bound, Claim, Entity, Number, Problem

NIL, LEADER, CHANNEL = "nil", "leader", "channel"
ENTITIES = (LEADER, CHANNEL)

# Characters that the tagger reads at once; of these at most CONTEXT repeat the end of the window before.
WINDOW = 256
CONTEXT = 80


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch that states something. ``label`` is its field, or :data:`NIL`, then ``fields`` are those denied.

    ``titles`` are the places of a leader's printed titles; None where the tagger does not tell them.
    """

    start: int
    end: int
    label: str
    fields: tuple[str, ...]
    score: float
    titles: tuple[tuple[int, int], ...] | None = None

    def moved(self, by: int) -> Mention:
        """The same, ``by`` characters further on."""
        titles = None if self.titles is None else tuple((start + by, end + by) for start, end in self.titles)
        return replace(self, start=self.start + by, end=self.end + by, titles=titles)


class Tagger(Protocol):
    """Reads windows of text, in order; knows nothing of documents."""

    def __call__(self, windows: Sequence[str], /) -> list[list[Mention]]:
        """The mentions in each window, in order, places in code points of the window."""

    def __hash__(self) -> int:
        """By identity: the pipeline around a tagger is made once."""


@dataclass(frozen=True, slots=True)
class Narrative:
    """What the prose states, and a problem for each claim that is doubtful."""

    entities: tuple[Entity, ...]
    claims: tuple[Claim, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A claim before its relations are known."""

    mention: int
    start: int
    end: int
    field: str
    value: Number
    unit: str | None
    bound: Bound
    score: float


def read_narrative(
    document: Document, stretches: Iterable[tuple[int, int]], tagger: Tagger, authority: str | None = None
) -> Narrative:
    """Entities and claims of the prose of ``document``; ``stretches`` of its text are tables.

    The name of the ``authority`` that reports is no scope.
    """
    prose = find_prose(document, stretches)
    if not prose.text:
        return Narrative((), ())
    language = load_language(tagger)
    doc = language.make_doc(prose.text)
    doc.user_data["authority"] = authority
    doc = language(doc)
    claims = tuple(_claims(document, prose, doc))
    doubtful = (claim for claim in claims if claim.confidence < DOUBTFUL)
    problems = tuple(
        Problem("claim.doubtful", f"claim {c.id} ({c.text}) is taken for {c.field} with doubt", c.evidence)
        for c in doubtful
    )
    return Narrative(tuple(_entities(document, prose, doc)), claims, problems)


@functools.lru_cache(maxsize=4)
def load_language(tagger: Tagger) -> Language:
    """The pipeline around ``tagger``, made once: sentences, tagger, numbers, relations.

    A ``Doc`` that went through it has leaders and channels as ``ents``, claims as ``spans["claims"]`` (labels are
    fields, ids those of the record) and the whole of both in ``user_data``.
    """
    language = spacy.blank("zh")
    language.max_length = 2_000_000
    language.add_pipe("gongkai_sentences")
    language.add_pipe("gongkai_tagger")
    language.add_pipe("gongkai_numbers")
    language.add_pipe("gongkai_relations")
    language.get_pipe("gongkai_tagger").read = tagger  # type: ignore[attr-defined]
    return language


_ENDS = frozenset("。!?！？\n")


@Language.component("gongkai_sentences")
def split_sentences(doc: Doc) -> Doc:
    """Sentences end with a full stop or the like and at the end of a paragraph; a semicolon goes on."""
    if len(doc) == 0:
        return doc
    # One array for all: spaCy looks through the whole document for each token whose sentence start is set alone.
    starts = [1, *(1 if token.text in _ENDS else -1 for token in doc[: len(doc) - 1])]
    array: Any = np.array(starts, dtype=np.int64).astype(np.uint64)[:, None]
    return doc.from_array(["SENT_START"], array)


class WindowTagger:
    """The component that lets the tagger read the sentences that can hold something."""

    read: Tagger

    def __call__(self, doc: Doc) -> Doc:
        """``doc`` with its mentions in ``user_data``, leaders and channels as ``ents``."""
        sentences = [(sent.start_char, sent.end_char, sent.text) for sent in doc.sents]
        doc.user_data["sentences"] = sentences
        doc.user_data["tokens"] = [token.idx for token in doc]
        windows = list(_windows(sentences))
        text = doc.text
        readings = self.read([text[context:end] for context, _, end in windows])
        mentions = [
            mention.moved(context)
            for (context, start, _), reading in zip(windows, readings, strict=True)
            for mention in reading
            # What stands in the context was read with the window before.
            if mention.start + context >= start
        ]
        doc.user_data["mentions"] = mentions
        doc.set_ents([_span(doc, m.start, m.end, m.label) for m in mentions if m.label in ENTITIES])
        return doc


@Language.factory("gongkai_tagger")
def make_tagger(nlp: Language, name: str) -> WindowTagger:
    """The component without its tagger, which :func:`load_language` sets."""
    return WindowTagger()


# What a figure, a nil or a channel that no list has looks like; words of channels and titles come from the data.
_SIGNS = (
    r"\d|[OIl][件条次起元]|百分之|成|[十百千万亿][余多]"
    r"|[〇零一二三四五六七八九十百千万亿两几]+[余多几]?[条件次篇个期份项人名场元部起宗户家块位处版则批类例册种]"
    r"|[未没无零末尚]|不存在|不[曾收予涉产发]|[网栏屏报群号榜刊墙牌单册卡书站视旗]|同志|组长|分管|牵头"
)


@functools.cache
def _signs() -> re.Pattern[str]:
    kinds = load_kinds()
    words = {*kinds.words, *kinds.sections, *load_titles().ends}
    return re.compile("|".join((_SIGNS, *sorted((re.escape(word) for word in words if len(word) > 1), key=len))))


def can_state(sentence: str) -> bool:
    """Whether ``sentence`` has any sign of something that is read; most of a report's prose has none.

    Every annotated passage is held against this (tests/test_narrative.py): nothing annotated stands outside.
    """
    return bool(_signs().search(encode(sentence).chars))


def _windows(sentences: Sequence[tuple[int, int, str]]) -> Iterator[tuple[int, int, int]]:
    """(context, start, end): the sentences from ``start`` to ``end`` are read behind those from ``context`` on."""
    run: list[tuple[int, int]] = []
    before = 0
    for start, end, text in sentences:
        worthy = can_state(text)
        if run and (not worthy or end - run[0][0] > WINDOW):
            yield before, run[0][0], run[-1][1]
            before, run = _context(run), []
        if worthy:
            if not run and not (0 < start - before <= CONTEXT):
                before = start
            for low, high in _pieces(start, end):
                if run and high - run[0][0] > WINDOW:
                    yield before, run[0][0], run[-1][1]
                    before, run = _context(run), []
                run.append((low, high))
    if run:
        yield before, run[0][0], run[-1][1]


def _context(run: list[tuple[int, int]]) -> int:
    """Where the context for what follows ``run`` begins: its last sentences, or the end of a long one."""
    end = run[-1][1]
    starts = [low for low, _ in run if end - low <= CONTEXT]
    return starts[0] if starts else end - CONTEXT


def _pieces(start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence that is longer than a window, in pieces."""
    for low in range(start, end, WINDOW):
        yield low, min(low + WINDOW, end)


@Language.component("gongkai_numbers")
def read_numbers(doc: Doc) -> Doc:
    """``doc`` with a draft of each claim: what its figure is worth, in which unit, with which bound and sign."""
    text = doc.text
    drafts: list[Draft] = []
    for number, mention in enumerate(doc.user_data["mentions"]):
        if mention.label not in ENTITIES:
            drafts += _drafts(text, number, mention)
    drafts = doc.user_data["drafts"] = _earlier_and_later(text, drafts)
    doc.spans["claims"] = [
        _span(doc, draft.start, draft.end, draft.field, f"c{number}") for number, draft in enumerate(drafts, 1)
    ]
    return doc


# Under 六、其他需要报告的事项 stands 无 in most reports; it denies nothing that is counted.
_NOTHING_ELSE = re.compile(r"其他(?:需要)?(?:报告|说明|公开)?的?事项|需要(?:报告|说明)的(?:其他)?事项|其他情况")
_MARKS = " \t\u3000。.;；,，()（）:："


def _says_nothing_else(text: str, mention: Mention) -> bool:
    """Whether the nil is all that its paragraph says, under the heading for whatever else there is to report."""
    start = text.rfind("\n", 0, mention.start) + 1
    end = text.find("\n", mention.end)
    paragraph = text[start : end if end >= 0 else len(text)]
    above = text[text.rfind("\n", 0, max(0, start - 1)) + 1 : max(0, start - 1)]
    alone = paragraph.strip(_MARKS) == text[mention.start : mention.end]
    return (alone and bool(_NOTHING_ELSE.search(above))) or bool(_NOTHING_ELSE.match(text, mention.end))


# A nil over a list of these has one claim for each that is listed (没有发生…行政复议、行政诉讼和申诉).
_DISPUTES = {
    "reviews": re.compile(r"复议|復議|複議"),
    "litigations": re.compile(r"诉讼|应诉|起诉|官司|訴訟|應訴|起訴"),
    "complaints": re.compile(r"投诉|举报|申诉|投訴|舉報|申訴"),
}
_ONE_LIST = r"[^,，。;；!?\n零无未没無沒]*"
_LIST = re.compile(rf"{_ONE_LIST}?(?:{'|'.join(words.pattern for words in _DISPUTES.values())}){_ONE_LIST}")
# 行政复议申请 are no applications for information.
_ONLY_DISPUTES = re.compile(
    rf"(?:任何|有关|关于|相关|其他|其它|行政|、)*(?:{'|'.join(words.pattern for words in _DISPUTES.values())})"
    r"(?!.*(?:公开|公開).{0,2}(?:申请|申請))"
)
# That nothing went wrong is no claim.
_HARMLESS = re.compile(
    r"[^,，。;；、!?\n]{0,12}?(?:泄密|失密|失误|差错|错误|事故|问责|追责|责任追究|违规|违纪|负面|错别字|断更|超期"
    r"|应公开而?未公开|不当公开)"
)


def _denied(text: str, mention: Mention) -> tuple[str, ...]:
    """The fields that the nil denies: the model's, and of a list of disputes all that are listed."""
    if _HARMLESS.match(text, mention.end) and not _LIST.match(text, mention.end):
        return ()
    listed = _LIST.match(text, mention.end)
    if not listed:
        return mention.fields
    all_told = [name for name, words in _DISPUTES.items() if words.search(listed.group())]
    fields = mention.fields
    if _ONLY_DISPUTES.match(listed.group()):
        fields = tuple(name for name in fields if name != "requests_received")
    told = [name for name in fields if name in _DISPUTES]
    if fields and not any(_DISPUTES[name].search(listed.group()) for name in told):
        return fields
    return (*(name for name in fields if name not in _DISPUTES), *all_told)


# 行政复议、行政诉讼均为0件: one figure for all of a list.
_EACH_ZERO = re.compile(
    r"(?P<list>[^,，。;；:：!?\n\d]{4,60}?)(?:数量|案件|申请)?(?:[亦也]?[均都皆各]|一律)(?:为|是|爲)?$"
)
_MEMBERS = re.compile("[、和与及與]|以及")


def _all_zero(text: str, mention: Mention) -> tuple[str, ...]:
    """The field of a printed zero, and of a list before it that it is said of, the fields of all that are listed."""
    listed = _EACH_ZERO.search("".join(encode(text[max(0, mention.start - 70) : mention.start]).chars))
    if listed is None:
        return (mention.label,)
    nouns = load_phrases().nil
    named: list[str] = []
    for member in _MEMBERS.split(listed["list"]):
        found = [(len(noun), name) for name, words in nouns.items() for noun in words if member.endswith(noun)]
        named += [max(found)[1]] if found else []
    return tuple(dict.fromkeys(named)) if mention.label in named else (mention.label,)


# What the sentence says is still to come: a plan states no figure.
_AHEAD = re.compile(r"下一?步|今后|明年|新的一年|下一阶段|下阶段")


def _is_planned(text: str, mention: Mention) -> bool:
    """Whether the sentence up to the mention speaks of what is to come."""
    return bool(_AHEAD.search(_CLAUSE.split(text[max(0, mention.start - WINDOW) : mention.start])[-1]))


def _drafts(text: str, number: int, mention: Mention) -> Iterator[Draft]:
    if _is_planned(text, mention) or (mention.label == NIL and _says_nothing_else(text, mention)):
        return
    if mention.label == NIL:
        for name in _denied(text, mention):
            yield Draft(number, mention.start, mention.end, name, 0, None, "exact", mention.score)
        return
    chars = encode(text[mention.start : mention.end]).chars
    figure = next(find_figures(chars), None)
    if figure is None:
        return
    unit = figure.unit or (chars[figure.end :] or None)
    if unit and unit != "%":
        unit = _printed_unit(text[mention.start : mention.end], unit)
    value = figure.value
    if mention.label == "growth" and is_fall(text, mention.start, mention.end):
        value = -value
    names = mention.fields or (mention.label,)
    if not figure.value and len(names) == 1:
        names = _all_zero(text, mention)
    for name in names:
        yield Draft(number, mention.start, mention.end, name, value, unit, figure.bound, mention.score)


# 由38件降至12件: the first figure is the earlier one, the second the present one.
_FROM = re.compile(r"[由从自從][^,，。;；\d]{0,14}$")
_TO = re.compile(
    r"^[,，]?(?:逐步|逐年|大幅|进一步|已)?"
    r"(?:增[加长]?|提[高升]|[上跃]?升|扩[大展]|[下]?降[低]?|减[少]?|压[减缩]|缩[减短]|回落|下调|调整|降|變|变)(?:了)?(?:至|到|为|為|成)[^,，。;；\d]{0,4}$"
)


def _earlier_and_later(text: str, drafts: list[Draft]) -> list[Draft]:
    """``drafts`` with the earlier figure of a change as ``other_count`` and the later one in the field of both."""
    mended = list(drafts)
    for number, (first, second) in enumerate(zip(drafts, drafts[1:], strict=False)):
        before, between = text[max(0, first.start - 16) : first.start], text[first.end : second.start]
        if first.field == "growth" or not (_FROM.search(before) and _TO.match("".join(between.split()))):
            continue
        mended[number] = replace(first, field="other_count")
        if second.field in ("other_count", "growth"):
            mended[number + 1] = replace(second, field=first.field)
    return mended


def _printed_unit(text: str, unit: str) -> str:
    """The unit in the script that the report is printed in."""
    bare = "".join(text.split())
    at = encode(bare).chars.rfind(unit)
    return bare[at : at + len(unit)] if at >= 0 else unit


# What is said of a figure that went down, before it (下降12%, 减少了3件, 少公开5条) or behind it (12%的降幅).
_FALL = re.compile(r"下降|减少|降低|下滑|回落|缩[减短小]|压[减缩]|递减|负增长|降幅|跌|调减|核减|少|减|降|縮|減")
_RISE = re.compile(r"上升|增加|增长|提高|提升|增|升|多|上涨|涨|扩大|翻|超|長")
_CLAUSE = re.compile(r"[。;；!?！？\n]")
_NEAR = 14


def is_fall(text: str, start: int, end: int) -> bool:
    """Whether the change at ``start`` is a fall (同比下降), by the nearest word of change before it, or else behind."""
    if text[start] in "-−–﹣－" or text[max(0, start - 1) : start] in ("-", "−", "﹣", "－"):
        return True
    before = _CLAUSE.split(text[max(0, start - _NEAR) : start])[-1]
    marks = [(match.start(), True) for match in _FALL.finditer(before)]
    marks += [(match.start(), False) for match in _RISE.finditer(before)]
    if marks:
        return max(marks)[1]
    behind = re.split(r"[,、。;!?\n]", text[end : end + _NEAR])[0]
    fall, rise = _FALL.search(behind), _RISE.search(behind)
    return fall is not None and (rise is None or fall.start() < rise.start())


@Language.component("gongkai_relations")
def relate(doc: Doc) -> Doc:
    """``doc`` with the relations of its claims: whole, partition, label and scope."""
    drafts: list[Draft] = doc.user_data["drafts"]
    mentions: list[Mention] = doc.user_data["mentions"]
    figures = [
        Figure(d.start, d.end, d.field, d.value, d.unit, d.bound, mentions[d.mention].label == NIL) for d in drafts
    ]
    channels = [(mention.start, mention.end) for mention in mentions if mention.label == CHANNEL]
    doc.user_data["relations"] = attach(doc.text, figures, channels, publisher=doc.user_data.get("authority"))
    return doc


_AROUND = 400


def _entities(document: Document, prose: Prose, doc: Doc) -> Iterator[Entity]:
    text = doc.text
    mentions: list[Mention] = doc.user_data["mentions"]
    leaders = [(mention.start, mention.end) for mention in mentions if mention.label == LEADER]
    for mention in mentions:
        if mention.label not in ENTITIES:
            continue
        start, end = prose.place(mention.start, mention.end)
        role = kind = None
        if mention.label == LEADER:
            role = _role(text, mention, leaders)
        else:
            kind = kind_of(text[mention.start : mention.end])
        where = evidence(document, prose, mention.start, mention.end)
        yield Entity(mention.label, document.text[start:end], role, kind, mention.score, where)


def _role(text: str, mention: Mention, leaders: Sequence[tuple[int, int]]) -> str | None:
    """The leader's titles where the tagger places them, else by rules."""
    if mention.titles is not None:
        return "、".join("".join(text[first:last].split()) for first, last in mention.titles) or None
    # What says the title stands near; the whole text would be looked through for every name.
    low, high = max(0, mention.start - _AROUND), mention.end + _AROUND
    others = [
        (first - low, last - low) for first, last in leaders if low <= first and last <= high and first != mention.start
    ]
    return role_of(text[low:high], mention.start - low, mention.end - low, others)


def _claims(document: Document, prose: Prose, doc: Doc) -> Iterator[Claim]:
    drafts: list[Draft] = doc.user_data["drafts"]
    relations: list[Relation] = doc.user_data["relations"]
    for number, (draft, relation) in enumerate(zip(drafts, relations, strict=True), 1):
        start, end = prose.place(draft.start, draft.end)
        yield Claim(
            id=f"c{number}",
            field=draft.field,
            value=draft.value,
            unit=draft.unit,
            bound=draft.bound,
            text=document.text[start:end],
            sentence=_sentence(doc, draft.start),
            label=relation.label,
            scope=relation.scope,
            part_of=None if relation.part_of is None else f"c{relation.part_of + 1}",
            partition=relation.partition,
            confidence=draft.score,
            evidence=evidence(document, prose, draft.start, draft.end),
        )


def _span(doc: Doc, start: int, end: int, label: str, name: str = "") -> Span:
    """The span of whole tokens around a stretch; every character but white space is a token."""
    places: list[int] = doc.user_data["tokens"]
    first = bisect_right(places, start) - 1
    return Span(doc, first, bisect_left(places, end, lo=first + 1), label=label, span_id=name)


def _sentence(doc: Doc, at: int) -> str:
    """The sentence around a place."""
    sentences: list[tuple[int, int, str]] = doc.user_data["sentences"]
    return sentences[bisect_right(sentences, at, key=lambda sentence: sentence[0]) - 1][2].strip()
