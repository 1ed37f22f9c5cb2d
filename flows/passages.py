"""Paragraphs of a report with what is stated in them, decisions applied: what a model can learn from.

The form is that of ``data/gold/README.md``: offsets are code points of the passage's own text, from which the line ends
that a page made are taken out.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from extractors.encoding import encode
from extractors.figures import find_figures
from extractors.mentions import kind_of
from extractors.prose import Prose, join_lines
from extractors.report import plain_number
from flows.decisions import DecisionError, span_target
from flows.reviewed import Review

Record = Mapping[str, Any]
Reviews = Mapping[tuple[str, str], Review]
_PARTS = (("entity", "entities"), ("claim", "claims"))
_KEPT = {
    "entity": ("field", "text", "role", "kind"),
    "claim": ("field", "value", "unit", "bound", "text", "label", "scope", "part_of", "partition"),
}


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph: its text, of which character i stands at ``origin[i]`` in the document's text."""

    text: str
    origin: tuple[int, ...]

    @property
    def start(self) -> int:
        """Where it begins in the document."""
        return self.origin[0]

    @property
    def end(self) -> int:
        """Where it ends in the document, exclusive."""
        return self.origin[-1] + 1

    def place(self, start: int, end: int) -> tuple[int, int] | None:
        """The passage's own offsets of a stretch of the document; None where it does not lie within."""
        first, last = bisect.bisect_left(self.origin, start), bisect.bisect_left(self.origin, end)
        if not (self.start <= start < end <= self.end) or first >= last:
            return None
        return first, last


@dataclass(frozen=True, slots=True)
class Span:
    """A claim or an entity in the document, as decided: ``part`` as in the record; None where none is stated there.

    ``target`` is what decisions name, ``read`` the part of the record, None where the reader saw nothing. ``open``:
    it is said to be wrong, and not what is right.
    """

    kind: str
    target: str
    start: int
    end: int
    part: Mapping[str, Any] | None
    read: Mapping[str, Any] | None
    review: Review | None
    open: bool = False


def find_passages(text: str) -> list[Passage]:
    """The paragraphs of a document's text, in order."""
    prose: Prose = join_lines(text)
    found, start = [], 0
    for line in prose.text.split("\n"):
        if line:
            found.append(Passage(line, prose.origin[start : start + len(line)]))
        start += len(line) + 1
    return found


def passage_at(passages: Sequence[Passage], start: int, end: int) -> Passage | None:
    """The passage in which a stretch of the document lies."""
    return next((passage for passage in passages if passage.place(start, end) is not None), None)


def spans(record: Record, found: Reviews) -> Iterator[Span]:
    """Every claim and entity that was read, and those that reviewers added, by place."""
    yield from sorted(_spans(record, found), key=lambda span: (span.start, span.end))


def _spans(record: Record, found: Reviews) -> Iterator[Span]:
    known = set()
    for kind, name in _PARTS:
        for read in record[name]:
            place = read["evidence"]
            target = span_target(place["start"], place["end"], read["field"])
            known.add((kind, target))
            yield _decided(kind, target, place["start"], place["end"], read, found.get((kind, target)))
    for (kind, target), review in found.items():
        truth = review.decision.truth
        if kind in _KEPT and (kind, target) not in known and review.decision.verdict == "corrected" and truth:
            yield Span(kind, target, truth["start"], truth["end"], truth, None, review)


def _decided(kind: str, target: str, start: int, end: int, read: Mapping[str, Any], review: Review | None) -> Span:
    verdict = review.decision.verdict if review else None
    if review and verdict == "none":
        return Span(kind, target, start, end, None, read, review)
    if review and verdict == "corrected" and (truth := review.decision.truth):
        return Span(kind, target, truth["start"], truth["end"], {**read, **truth}, read, review)
    return Span(kind, target, start, end, read, read, review, verdict in ("reader", "unsure"))


def to_gold(passage: Passage, all_spans: Sequence[Span], name: str, tags: Sequence[str]) -> dict[str, Any] | None:
    """The passage in the form of the gold data; None where something in it is still open."""
    inside = [(span, place) for span in all_spans if (place := passage.place(span.start, span.end)) is not None]
    if any(span.open for span, _ in inside):
        return None
    gold: dict[str, Any] = {"id": name, "text": passage.text, "entities": [], "claims": []}
    ids = {span.part.get("id", span.target) for span, _ in inside if span.part and span.kind == "claim"}
    for span, (start, end) in inside:
        if span.part is None:
            continue
        row = {key: span.part.get(key) for key in _KEPT[span.kind]}
        row |= {"start": start, "end": end, "text": passage.text[start:end]}
        if span.kind == "claim":
            row["id"] = span.part.get("id", span.target)
            # A whole in another paragraph cannot be named in this one.
            row["part_of"], row["partition"] = (
                (row["part_of"], row["partition"]) if row["part_of"] in ids else (None, None)
            )
        gold["entities" if span.kind == "entity" else "claims"].append(row)
    return gold | {"tags": list(tags)}


def span_truth(kind: str, text: str, start: int, end: int, field: str, typed: Mapping[str, str]) -> dict[str, Any]:
    """What a reviewer says a stretch of the document's ``text`` states; figures not typed are read from its words.

    Raises:
        DecisionError: the stretch does not lie in the text, or the value is no number.
    """
    words = text[start:end]
    if not 0 <= start < end <= len(text) or end - start > 200 or not words.strip():
        raise DecisionError("select some characters of the text, at most 200")
    truth: dict[str, Any] = {"field": field, "text": words, "start": start, "end": end}
    if kind == "entity":
        return truth | {"role": typed.get("role") or None, "kind": kind_of(words) if field == "channel" else None}
    value, unit, bound = stated_value(words)
    if typed.get("value", "").strip():
        value = _number(typed["value"])
    return truth | {
        "value": value,
        "unit": typed.get("unit", "").strip() or unit,
        "bound": typed.get("bound") or bound,
    }


def stated_value(words: str) -> tuple[int | float, str | None, str]:
    """Value, unit and bound of a figure by its words; a stretch without a figure is a stated nil."""
    figures = list(find_figures(encode(words).chars))
    if not figures:
        return 0, None, "exact"
    return plain_number(figures[0].value), figures[0].unit, figures[0].bound


def _number(text: str) -> int | float:
    try:
        value = float(text.replace(",", "").strip()) if len(text) <= 40 else float("nan")
    except ValueError as error:
        raise DecisionError(f"{text[:40]!r} is no number") from error
    if not abs(value) < 1e15:
        raise DecisionError(f"{text[:40]!r} is no number that a report states")
    return int(value) if value == int(value) else value
