"""Which figure of the prose is a part of which, in which partition; its label and its scope.

The tagger says what a figure counts; here the wording (其中, brackets, 合计, 按…分), the fields that can be parts of
which wholes (``data/relations.toml``) and the arithmetic say how figures belong together. Arithmetic is evidence, never
a condition: parts that do not add up to their whole are what a reader wants to see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from extractors.cues import (
    BOTH_KINDS,
    BRACKET,
    CHANGED,
    COLON,
    DASHES,
    MADE_OF,
    OF_ALL,
    RESTATED,
    SEVERAL,
    any_of,
    axis,
    cues,
    has_verb,
    mentions,
    opening,
    outcomes,
    same,
    within,
)
from extractors.folding import BOUNDARIES, Folded, fold
from extractors.items import BESIDE, Figure, Item, is_earlier, measure, read_items, same_unit
from extractors.phrases import load_phrases
from extractors.wording import Phrase, label_phrases, scope_phrases

__all__ = ["Figure", "Relation", "attach"]

# How many sentences back a whole may stand: behind 其中, behind 按…分, for a part by applicant, means or outcome
# (收到12件. 全部答复. 当面4件), and for figures that add up to it.
_REACH = 1
_AXIS_REACH = 3
_ASPECT_REACH = 2
_SUM_REACH = 3
# Parts in 万 with two decimals: their sum may pass the whole by this much and still be rounded parts of it.
_ROUNDING = Decimal("1.002")
# Parts that miss a total which the wording names by no more than this are its parts, wrongly added up.
_SLIP = Decimal("0.1")
# Figures that add up to another by chance are few and small.
_CHANCE_COUNT = 3
_CHANCE_AMOUNT = 100
# How far before a figure the act that it comes from is named: 对历年文件开展清理,共审核318件.
_CONTEXT = 40
# A bare name before a figure is no longer than this; what is longer is a phrase of its own.
_NAME_LENGTH = 8
# The aspect of the outcomes of requests, which their fields tell.
_RESULT = "result"
_DISPUTES = frozenset({"reviews", "litigations", "complaints"})
_REQUESTS = frozenset({"requests_received", "requests_answered"})
# Totals of figures of their own field only: 新收57件,结转4件,应办61件 is a sum that nobody broke down.
_OWN_ONLY = _REQUESTS | {"other_count"}
# Parts by these stand in a partition of their own beside any others.
_APART = frozenset({_RESULT, "attendance"})


@dataclass(frozen=True, slots=True)
class Relation:
    """``part_of`` is the index of the whole; ``partition`` names its breakdown, uniquely in the text."""

    part_of: int | None
    partition: str | None
    label: str | None
    scope: str | None


@dataclass(slots=True)
class _Frame:
    """A breakdown that is being read: its whole, its parts so far, how it was opened."""

    whole: Item
    partition: str
    depth: int
    aspect: str | None
    cued: bool
    by_aspect: bool = False
    parts: list[Item] = field(default_factory=list)

    @property
    def sum(self) -> Decimal:
        return sum((part.amount for part in self.parts), Decimal(0))

    @property
    def exact(self) -> bool:
        return self.whole.exact and all(part.exact for part in self.parts)

    def exceeded_by(self, item: Item) -> bool:
        """Whether ``item`` would take the sum beyond the whole by more than rounding does."""
        if not self.whole.exact or item.figure.bound == "about" or any(not part.exact for part in self.parts):
            return False
        return self.sum + item.amount > self.whole.amount * _ROUNDING

    @property
    def complete(self) -> bool:
        return self.exact and self.sum == self.whole.amount


def attach(
    text: str, figures: Sequence[Figure], channels: Sequence[tuple[int, int]], *, publisher: str | None = None
) -> list[Relation]:
    """The relation of each figure, in the order given.

    Args:
        text: prose of any length; relations stay within a paragraph.
        figures: the claims in it, in any order.
        channels: the spans of the channels in it.
        publisher: the authority whose report it is; its own name is no scope.
    """
    folded = fold(text)
    items = read_items(folded, figures)
    channel_places = [(folded.places[start], folded.places[end]) for start, end in channels]
    reader = _Reader(folded.text, items, channel_places)
    reader.read()
    phrases = [Phrase(item.start, item.end, item.figure.field, item.figure.nil) for item in items]
    labels = label_phrases(folded, phrases, channel_places)
    place = {item.index: place for place, item in enumerate(items)}
    wholes = [place.get(reader.wholes.get(item.index, -1)) for item in items]
    scopes = scope_phrases(folded, phrases, labels, wholes, channel_places, publisher)
    relations: list[Relation] = [Relation(None, None, None, None)] * len(figures)
    for item, label, scope in zip(items, labels, scopes, strict=True):
        whole, partition = reader.links.get(item.index, (None, None))
        relations[item.index] = Relation(whole, partition, _quote(folded, label), _quote(folded, scope))
    return relations


def _quote(folded: Folded, span: tuple[int, int] | None) -> str | None:
    return folded.quote(*span) if span else None


class _Reader:
    """Reads the figures of a text in order and keeps the breakdowns that are open."""

    def __init__(self, text: str, items: Sequence[Item], channels: Sequence[tuple[int, int]]) -> None:
        self.text = text
        self.items = [item for item in items if item.figure.field not in BESIDE]
        self.by_index = {item.index: item for item in items}
        self.all_items = items
        self.channels = channels
        self.frames: list[_Frame] = []
        self.links: dict[int, tuple[int, str]] = {}
        self.wholes: dict[int, int] = {}
        self.partitions: dict[int, dict[str, str]] = {}
        self.sums: dict[str, Decimal] = {}
        self.position = 0

    def read(self) -> None:
        before: Item | None = None
        for position, item in enumerate(self.items):
            self.position = position
            if before is None or before.paragraph != item.paragraph:
                self.frames.clear()
                before = None
            elif before.sentence != item.sentence:
                self.frames = []
            self.frames = [frame for frame in self.frames if frame.depth <= item.depth]
            if not self._total(item):
                self._part(item, before)
            before = item

    # Totals that follow their parts

    def _total(self, item: Item) -> bool:
        """Whether ``item`` is the total of the figures before it; if so, they are attached to it."""
        parts = self._summed(item)
        if not parts:
            return False
        frame = self._open(item, item.depth, self._aspect(parts[0]), cued=True)
        for part in parts:
            self._link(part, frame)
        return True

    def _summed(self, item: Item) -> list[Item]:
        lead = item.lead
        share = OF_ALL.search(item.gap) and self._share_follows(item)
        worded = any(word in lead for word in cues("total"))
        if not (worded or share):
            return []
        run: list[Item] = []
        total = Decimal(0)
        for other in reversed(self.items[: self.position]):
            if other.paragraph != item.paragraph or item.sentence - other.sentence > _REACH:
                break
            if other.index in self.links or other.depth > item.depth:
                continue
            if not share and item.figure.field in _OWN_ONLY and other.figure.field != item.figure.field:
                break
            if not self._can_hold(item, other) or other.figure.nil and other.sentence != item.sentence:
                break
            if total == item.amount and len(run) > 1 and other.amount:
                break
            run.append(other)
            total += other.amount
            if share and not SEVERAL.search(item.gap):
                return run
        if total == item.amount and len(run) > 1:
            return run[::-1]
        sure = share or any_of(cues("sure_total"), lead)
        close = len(run) > 1 and abs(total - item.amount) <= item.amount * _SLIP and lead in cues("total")
        nearest = [other for other in run if other.sentence == item.sentence]
        if not nearest and run and lead in cues("sure_total"):
            nearest = [other for other in run if other.sentence == run[0].sentence]
        return nearest[::-1] if (sure or close) and (share or len(nearest) > 1) else []

    def _share_follows(self, item: Item) -> bool:
        place = self.all_items.index(item) + 1
        if place >= len(self.all_items):
            return False
        after = self.all_items[place]
        return after.figure.field == "share" and "," not in self.text[item.end : after.start]

    # Parts

    def _part(self, item: Item, before: Item | None) -> None:
        frame = self._opened(item, before) or self._continued(item) or self._paired(item, before)
        frame = frame or self._free(item, before)
        if frame is not None:
            self._link(item, frame)

    def _opened(self, item: Item, before: Item | None) -> _Frame | None:
        """The breakdown that the words before ``item`` open."""
        whole = self._whole_by_words(item, before)
        if whole is None:
            return None
        return self._open(whole, item.depth, self._aspect(item), cued=True)

    def _whole_by_words(self, item: Item, before: Item | None) -> Item | None:
        if before is None:
            return None
        within = self._within(item, before)
        if within is not None:
            return within
        whole = self._whole_by_cue(item, before)
        if whole is not None and (whole is before or whole.sentence == item.sentence):
            return whole
        return self._exceeded(item, before) or whole

    def _exceeded(self, item: Item, before: Item) -> Item | None:
        """The figure directly before ``item`` that it is said to be a part of, though it is larger: one is wrong."""
        if item.sentence - before.sentence > _REACH or self._beside_another(before):
            return None
        if before.figure.unit != item.figure.unit and "其中" not in item.gap:
            return None
        if not self._can_hold(before, item, value=False) or self._can_hold(before, item) or self._starts_anew(item):
            return None
        inside = item.depth > before.depth and bool(BRACKET.match(item.gap)) and bool(item.lead)
        words = item.gap.lstrip("。,(:")
        opened = (
            opening().match(words)
            or MADE_OF.match(item.gap)
            or (before.figure.field == "disclosed_total" and same().match(words))
        )
        if inside or opened:
            return before
        return self._same_kind(item, value=False) if axis().search(item.clause) else None

    def _beside_another(self, item: Item) -> bool:
        """Whether the figure before counts the same, so that both may be broken down: 建议24件,提案17件,其中…."""
        place = self.items.index(item)
        other = self.items[place - 1] if place else None
        alike = other is not None and other.sentence == item.sentence and other.figure.field == item.figure.field
        return alike and not has_verb(item.lead)

    def _whole_by_cue(self, item: Item, before: Item) -> Item | None:
        """The whole that the words before ``item`` say it is a part of, large enough to hold it."""
        gap = item.gap
        if item.depth > before.depth and self._can_hold(before, item) and BRACKET.match(gap):
            return before if item.lead or item.amount != before.amount else None
        if axis().search(item.clause):
            whole = self._same_kind(item) or self._nearest(item, whole_only=True, reach=_AXIS_REACH)
            whole = whole or self._nearest(item)
            return whole if whole and self._fits(whole, item) else None
        if self.text.endswith("占", 0, item.start) and not self._share_follows(item):
            return self._nearest(item)
        if gap.startswith(DASHES) and self._can_hold(before, item):
            return before
        if opening().search(item.clause) or (COLON.match(gap) and self._can_hold(before, item)):
            return self._nearest(item)
        if before.figure.field == item.figure.field and same().search(gap) and self._can_hold(before, item):
            return before if before.index not in self.links else None
        return None

    def _fits(self, whole: Item, item: Item) -> bool:
        """Whether the figures from ``item`` on, counting something else than ``whole``, do not far exceed it."""
        if whole.figure.field == item.figure.field or whole.figure.field not in _REQUESTS:
            return True
        run = [other for other in self._run(item) if other.figure.field == item.figure.field]
        return sum(other.amount for other in run) <= whole.amount * (1 + _SLIP)

    def _within(self, item: Item, before: Item) -> Item | None:
        """The whole that a phrase like 新增信息中 or ⟦38件⟧申请中 takes up again."""
        match = within().search(item.clause)
        if not match:
            return None
        words = match["words"]
        if match.start("words") == 0 and item.clause == item.gap and self._can_hold(before, item):
            return before
        best: tuple[int, int] | None = None
        for place, other in enumerate(self.items[: self.position]):
            if other.paragraph != item.paragraph or not self._can_hold(other, item):
                continue
            names = load_phrases().wholes[other.figure.field].names
            lead = re.split("[,;。:]", other.gap)[-1]
            shared = sum(1 + 2 * (name in lead) for name in names if name in words)
            shared += 3 * sum(pair in lead for pair in _pairs(words) if pair not in names)
            shared += bool(shared) and other.index not in self.links
            if shared and (best is None or (shared, place) >= best):
                best = (shared, place)
        return self.items[best[1]] if best else None

    def _nearest(self, item: Item, *, whole_only: bool = False, reach: int = _REACH) -> Item | None:
        for other in reversed(self.items[: self.position]):
            if other.paragraph != item.paragraph or item.sentence - other.sentence > reach:
                return None
            if other.depth > item.depth or not self._can_hold(other, item):
                continue
            if self._is_part(other) and (whole_only or self._divides(other, item)):
                continue
            if not self._is_part(other) and axis().search(other.clause) and other.figure.field == item.figure.field:
                return None
            return self._own_kind(other, item)
        return None

    def _same_kind(self, item: Item, *, value: bool = True) -> Item | None:
        """The nearest whole that counts what ``item`` counts; other counts (应办12件) stand between them."""
        for other in reversed(self.items[: self.position]):
            if other.paragraph != item.paragraph or item.sentence - other.sentence > _REACH:
                return None
            alike = other.figure.field == item.figure.field and not self._is_part(other)
            if alike and self._can_hold(other, item, value=value):
                return None if axis().search(other.clause) else other
        return None

    def _is_part(self, item: Item) -> bool:
        return item.index in self.links

    def _divides(self, other: Item, item: Item) -> bool:
        """Whether ``other`` is a part by applicant or means, of which an outcome like ``item`` is none."""
        return other.figure.field != item.figure.field and other.figure.field == self._field(self.links[other.index][0])

    def _own_kind(self, whole: Item, item: Item) -> Item:
        """The part of ``whole`` that counts what ``item`` counts, where its total stands in passing (占总数N件的)."""
        if whole.figure.field == item.figure.field or not OF_ALL.search(whole.gap):
            return whole
        own = [
            other
            for other in self.items[: self.position]
            if self.wholes.get(other.index) == whole.index and other.figure.field == item.figure.field
        ]
        return own[-1] if own and self._can_hold(own[-1], item) else whole

    def _continued(self, item: Item) -> _Frame | None:
        """The open breakdown that ``item`` goes on with, innermost first."""
        for place in range(len(self.frames) - 1, -1, -1):
            frame = self.frames[place]
            if self._breaks_down(frame, item):
                del self.frames[place + 1 :]
                return self._open(frame.parts[-1], item.depth, self._aspect(item), cued=True)
            if self._goes_on(frame, item):
                del self.frames[place + 1 :]
                return self._split(frame, item)
            if ";" in item.gap and self._can_hold(frame.whole, item):
                del self.frames[place]
        return None

    def _paired(self, item: Item, before: Item | None) -> _Frame | None:
        """The breakdown of the second of two wholes: 培训9期、400人,其中县级2期、90人."""
        frame = self.frames[-1] if self.frames else None
        if frame is None or not frame.cued or before is not frame.parts[-1] or not item.gap.startswith("、"):
            return None
        place = self.items.index(frame.whole)
        for other in self.items[max(0, place - 1) : place + 2]:
            second = other.figure.field == item.figure.field != frame.whole.figure.field
            if second and other.sentence == frame.whole.sentence and self._can_hold(other, item):
                aspect = f"beside {frame.partition}"
                paired = self._open(other, item.depth, aspect, cued=False)
                self.frames.pop()
                return paired
        return None

    def _breaks_down(self, frame: _Frame, item: Item) -> bool:
        """Whether ``item`` and those after it are parts of the last part: 直接起诉10件,维持7件、纠正3件."""
        if not frame.parts or frame.parts[-1] is not self.items[self.position - 1]:
            return False
        last = frame.parts[-1]
        aspects = self._aspect(last), self._aspect(item)
        if item.figure.field in outcomes():
            names = load_phrases().wholes[item.figure.field].names
            return last.figure.field == item.figure.field and any_of(names, last.lead) and self._is_sum(last, item)
        if None in aspects or (aspects[0] == aspects[1] and not any_of(cues("gather"), last.lead)):
            return False
        return last.figure.field == item.figure.field and self._is_sum(last, item)

    def _goes_on(self, frame: _Frame, item: Item) -> bool:
        if not self._can_hold(frame.whole, item, value=False) or self._starts_anew(item):
            return False
        if item.figure.field == "requests_carried_out":
            return frame.aspect == _RESULT and not self._answered_since(frame.whole)
        whole = load_phrases().wholes[frame.whole.figure.field]
        if frame.aspect == _RESULT and item.figure.field in outcomes() & whole.free:
            return True
        if not item.figure.value and ";" not in item.gap:
            return item.gap.startswith("、") or self._parallel(frame, item)
        if frame.complete:
            return False
        if item.figure.field == "requests_carried_in" or (frame.by_aspect and self._aspect(item) is None):
            return item.gap.startswith("、") or item.lead.startswith(cues("rest")) or self._adds_up(frame, item)
        over = frame.exceeded_by(item)
        if ";" in item.gap:
            before = self.items[self.position - 1]
            if before is not frame.parts[-1] and before is not frame.whole and not self._under(frame):
                return False
            if over and (has_verb(item.lead) or frame.cued):
                return False
            if item.lead.startswith(cues("rest")) or self._adds_up(frame, item):
                return True
            if len(frame.parts) > 1 and not self._listed(frame):
                return False
            same_unit = item.figure.unit == frame.parts[-1].figure.unit
            return same_unit and (self._listed(frame) or not (has_verb(item.lead) or has_verb(frame.parts[-1].lead)))
        if over:
            return item.gap.startswith("、") or self._parallel(frame, item)
        if item.gap.startswith("、") or not has_verb(item.lead) or self._adds_up(frame, item):
            return True
        if item.figure.field == "other_count":
            return self._parallel(frame, item)
        return item.figure.field in (frame.whole.figure.field, frame.parts[-1].figure.field, "disclosed_part")

    def _answered_since(self, whole: Item) -> bool:
        """Whether an answered total stands behind ``whole``: what is carried out is then beside it, not a part."""
        since = self.items[: self.position]
        return any(other.figure.field == "requests_answered" and other.start > whole.start for other in since)

    def _under(self, frame: _Frame) -> bool:
        """Whether the figure before the present one stands in a breakdown within ``frame``."""
        before = self.items[self.position - 1]
        return self.wholes.get(before.index) in {part.index for part in frame.parts}

    def _starts_anew(self, item: Item) -> bool:
        """Whether the words around ``item`` begin a count of its own or name a whole that is broken down next."""
        return (
            any(word in item.gap for word in cues("fresh"))
            or item.lead.startswith("对")
            or bool(CHANGED.search(item.lead))
            or (bool(RESTATED.match(self.text, item.end)) and not self._new_amount(item))
        )

    def _new_amount(self, item: Item) -> bool:
        """Whether a dispute that is broken down next is not the total said again: 已审理的15件中."""
        earlier = self.items[: self.position]
        same = any(other.figure.field == item.figure.field and other.amount == item.amount for other in earlier)
        return item.figure.field in _DISPUTES and not same

    def _parallel(self, frame: _Frame, item: Item) -> bool:
        """Whether ``item`` is worded like the part before it, so that a sum that does not fit is the writer's."""
        last = frame.parts[-1]
        if item.figure.unit != last.figure.unit and item.figure.value:
            return False
        if item.figure.field != last.figure.field and item.figure.field not in outcomes():
            return False
        return item.lead[:2] == last.lead[:2] or item.lead[-2:] == last.lead[-2:] or not has_verb(item.lead)

    def _listed(self, frame: _Frame) -> bool:
        """Whether semicolons part the list itself."""
        return len(frame.parts) > 1 and any(";" in part.gap for part in frame.parts[1:])

    def _adds_up(self, frame: _Frame, item: Item) -> bool:
        """Whether ``item`` and figures after it complete the breakdown exactly."""
        if not frame.exact:
            return False
        total = frame.sum
        for other in self._run(item):
            if not self._can_hold(frame.whole, other) or not other.exact:
                continue
            total += other.amount
            if total >= frame.whole.amount:
                return total == frame.whole.amount
        return False

    def _run(self, item: Item) -> Iterator[Item]:
        for other in self.items[self.position :]:
            if other.paragraph != item.paragraph or other.sentence != item.sentence:
                return
            if other.depth == item.depth:
                yield other

    def _split(self, frame: _Frame, item: Item) -> _Frame:
        """``frame``, or another partition of its whole where ``item`` is distinguished by something else."""
        aspect = self._aspect(item)
        if item.gap.startswith("、") or aspect == frame.aspect or not {aspect, frame.aspect} & _APART:
            return frame
        return self._open(frame.whole, frame.depth, aspect, cued=False)

    def _free(self, item: Item, before: Item | None) -> _Frame | None:
        """The breakdown that ``item`` belongs to without any opening word."""
        if before is None or self._starts_anew(item):
            return None
        aspect = self._aspect(item)
        divided = self._outcome_whole(item) or self._aspect_whole(item)
        if divided is not None:
            return self._open(divided, item.depth, aspect, cued=False, by_aspect=aspect != _RESULT)
        whole = self._sum_whole(item) or self._free_whole(item) or self._list_whole(item, before)
        return None if whole is None else self._open(whole, item.depth, None, cued=False)

    def _outcome_whole(self, item: Item) -> Item | None:
        """The answered requests, else the received ones, of which ``item`` is an outcome."""
        if item.figure.field == "requests_carried_out":
            before = self.items[self.position - 1]
            whole = self._by_index(self.wholes.get(before.index))
            listed = before.figure.field in outcomes() and whole is not None and self._can_hold(whole, item)
            return whole if listed and whole and not self._answered_since(whole) else None
        if item.figure.nil or item.figure.field not in outcomes():
            return None
        for other in reversed(self.items[: self.position]):
            if other.paragraph != item.paragraph:
                return None
            entry = load_phrases().wholes.get(other.figure.field)
            if entry is None or item.figure.field not in entry.free or not other.figure.value:
                continue
            if self._is_part(other) and self._divides(other, item):
                continue
            if self._can_hold(other, item):
                return other
        return None

    def _field(self, index: int) -> str:
        return self.by_index[index].figure.field

    def _by_index(self, index: int | None) -> Item | None:
        return None if index is None else self.by_index[index]

    def _aspect_whole(self, item: Item) -> Item | None:
        """The count of the same field that ``item`` divides by applicant, means, outcome."""
        around = self._around(item)
        aspects = [a for a in load_phrases().aspects if item.figure.field in a.free and mentions(a, around)]
        if not aspects or (item.figure.nil and not self._denies_outcome(item)):
            return None
        for other in reversed(self.items[: self.position]):
            if other.paragraph != item.paragraph or item.sentence - other.sentence > _ASPECT_REACH:
                return None
            gathered = any_of(cues("gather"), other.lead) and self._is_sum(other, item)
            if (self._is_part(other) and not gathered) or not self._can_hold(other, item):
                continue
            words = BOTH_KINDS.sub("", self._around(other))
            behind = self.text[other.end : other.end + 8]
            if other.figure.field in _DISPUTES:
                words = self._behind_name(other) or words
            context = other.gap[-_CONTEXT:] + behind
            fits = gathered or any((not a.of or any_of(a.of, context)) and not mentions(a, words) for a in aspects)
            fields = (other.figure.field, item.figure.field)
            same = len({*fields}) == 1 or any(a.of for a in aspects)
            same = same or (fields == ("requests_received", "requests_answered") and self._all_answered(other, item))
            if item.figure.field == "other_count" and (other is not self.items[self.position - 1] or not same):
                return None
            restated = other.amount == item.amount and not item.lead
            listed = other.index not in self.links and axis().search(other.clause)
            return None if listed else other if fits and same and not restated else None
        return None

    def _denies_outcome(self, item: Item) -> bool:
        """Whether a nil denies an outcome and not the dispute itself: 全部维持,无纠错."""
        behind = re.split(f"[{BOUNDARIES}]", self.text[item.end : item.end + 12])[0]
        if item.figure.field not in _DISPUTES or any_of(load_phrases().nil[item.figure.field], behind):
            return False
        return any(aspect.name == "outcome" and mentions(aspect, behind) for aspect in load_phrases().aspects)

    def _behind_name(self, item: Item) -> str | None:
        """What stands between the name of a dispute and its figure (一审 in 行政诉讼一审11件); None without a name."""
        names = load_phrases().wholes[item.figure.field].names
        ends = [item.lead.rfind(name) + len(name) for name in names if name in item.lead]
        return item.lead[max(ends) :] + " " if ends else None

    def _all_answered(self, whole: Item, item: Item) -> bool:
        """Whether the figures from ``item`` on say how all of ``whole`` were answered: 按时1262件,延期13件."""
        run = [other for other in self._run(item) if other.figure.field == item.figure.field]
        return len(run) > 1 and sum(other.amount for other in run) == whole.amount

    def _sum_whole(self, item: Item) -> Item | None:
        """The figure before ``item`` that it and those after it add up to exactly."""
        for other in reversed(self.items[: self.position]):
            if other.paragraph != item.paragraph or item.sentence - other.sentence > _SUM_REACH:
                return None
            if other.depth > item.depth or not self._can_hold(other, item) or is_earlier(other):
                continue
            if self._is_sum(other, item) and not self._beside(other):
                return other
        return None

    def _beside(self, item: Item) -> bool:
        """Whether ``item`` is one of a bare list (甲局39件,乙局21件), whose members can add up to it by chance."""
        place = self.items.index(item)
        before = self.items[place - 1] if place else None
        if before is None or before.sentence != item.sentence or CHANGED.search(item.lead):
            return False
        alike = (before.figure.field, before.figure.unit) == (item.figure.field, item.figure.unit)
        return alike and not self._is_part(item) and not has_verb(item.lead)

    def _is_sum(self, whole: Item, item: Item) -> bool:
        """Whether the figures from ``item`` on, of one field, add up to ``whole``, and not by chance."""
        total = Decimal(0)
        count = 0
        sums = load_phrases().wholes[whole.figure.field].sums
        for other in self._run(item):
            if not self._can_hold(whole, other) or other.figure.field not in sums:
                return False
            if not count and other.figure.field == "other_count" and any_of(cues("follow"), other.lead):
                return False
            if count and ";" in other.gap and other.figure.field != item.figure.field:
                return False
            total += other.amount
            count += 1
            if total >= whole.amount:
                break
        if not self._of_whole(item, whole):
            return False
        near = (
            whole.sentence == item.sentence
            or count >= _CHANCE_COUNT
            or (whole.amount >= _CHANCE_AMOUNT and item.sentence - whole.sentence <= _REACH)
        )
        return total == whole.amount and count > 1 and whole.exact and near

    def _of_whole(self, item: Item, whole: Item) -> bool:
        """Whether what distinguishes ``item`` can distinguish parts of ``whole``: 废止 none of what was 制定."""
        aspect = next((a for a in load_phrases().aspects if a.strict and a.name == self._aspect(item)), None)
        return aspect is None or any_of(aspect.of, whole.gap[-_CONTEXT:])

    def _free_whole(self, item: Item) -> Item | None:
        for other in reversed(self.items[: self.position]):
            if other.paragraph != item.paragraph or other.sentence != item.sentence or item.figure.nil:
                return None
            if ";" in self.text[other.end : item.start] and has_verb(item.lead):
                return None
            whole = load_phrases().wholes.get(other.figure.field)
            if whole and item.figure.field in whole.free and self._can_hold(other, item) and other.depth <= item.depth:
                return other if same_unit(other, item) else None
        return None

    def _list_whole(self, item: Item, before: Item) -> Item | None:
        """The figure directly before a bare list of names and figures that nearly adds up to it."""
        if self._is_part(before) or not self._can_hold(before, item) or item.sentence - before.sentence > _REACH:
            return None
        if not has_verb(before.lead) or not self._of_whole(item, before):
            return None
        total = Decimal(0)
        count = 0
        for other in self._run(item):
            alike = (other.figure.field, other.figure.unit) == (item.figure.field, before.figure.unit)
            if not alike or not other.lead or len(other.lead) > _NAME_LENGTH or has_verb(other.lead):
                break
            total += other.amount
            count += 1
        own = item.figure.field in load_phrases().wholes[before.figure.field].sums
        return before if own and count > 1 and abs(total - before.amount) <= before.amount * _SLIP else None

    # What both need

    def _can_hold(self, whole: Item, part: Item, *, value: bool = True) -> bool:
        """Whether fields, units and values let ``part`` be a part of ``whole``."""
        entry = load_phrases().wholes.get(whole.figure.field)
        if entry is None or part.figure.field not in entry.parts or whole is part or whole.figure.nil:
            return False
        if measure(whole) != measure(part) or is_earlier(whole) or is_earlier(part):
            return False
        if "other_count" in (whole.figure.field, part.figure.field) and not same_unit(whole, part):
            return False
        return not (value and whole.exact and part.exact and part.amount > whole.amount)

    def _aspect(self, item: Item) -> str | None:
        if item.figure.field in outcomes() or item.figure.field == "requests_carried_out":
            return _RESULT
        around = self._around(item)
        return next((aspect.name for aspect in load_phrases().aspects if mentions(aspect, around)), None)

    def _around(self, item: Item) -> str:
        """The words that name what ``item`` counts: before it, or behind it where nothing stands before."""
        lead = item.lead
        if len(lead) > 1 and not item.gap.endswith(tuple(BOUNDARIES)):
            return lead
        return lead + re.split(f"[{BOUNDARIES}]", self.text[item.end : item.end + 20])[0]

    def _open(self, whole: Item, depth: int, aspect: str | None, *, cued: bool, by_aspect: bool = False) -> _Frame:
        names = self.partitions.setdefault(whole.index, {})
        key = f"{len(names)}" if cued else aspect or ""
        while key in names and whole.exact and self.sums.get(names[key]) == whole.amount:
            key += "+"
        if key not in names:
            names[key] = f"{list(self.partitions).index(whole.index) + 1}{_letter(len(names))}"
        frame = _Frame(whole, names[key], depth, aspect, cued, by_aspect)
        self.frames.append(frame)
        return frame

    def _link(self, item: Item, frame: _Frame) -> None:
        frame.parts.append(item)
        self.sums[frame.partition] = self.sums.get(frame.partition, Decimal(0)) + item.amount
        self.links[item.index] = (frame.whole.index, frame.partition)
        self.wholes[item.index] = frame.whole.index


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else f"z{number}"


def _pairs(words: str) -> set[str]:
    return {words[place : place + 2] for place in range(len(words) - 1)}
