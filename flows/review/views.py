"""What the page of one report shows: items to decide on, tables as printed, paragraphs with claims, lit places."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from extractors.fields import DOUBTFUL, claim_fields, entity_fields
from extractors.forms import load_forms
from flows.decisions import Decision, span_target
from flows.layout import lay_out, report_tables
from flows.passages import Passage, Span, find_passages, spans
from flows.reviewed import Review, reviews, statuses

Record = Mapping[str, Any]
Standing = Mapping[tuple[str, str], Decision]
LANGUAGES = ("zh", "en")

# Characters of a text, pages of a file and paragraphs of prose that are shown.
MAX_TEXT = 200_000
MAX_PAGES = 60
MAX_PASSAGES = 400
_MARKS = {"blank": "/", "illegible": "?", "absent": "·"}
# Below it a cell was not named and read beyond doubt (docs/record.md).
_SURE = 0.9
_BOUNDS = {"exact": "", "about": "≈", "at_least": "≥"}


@functools.cache
def strings(language: str) -> dict[str, str]:
    """Every string of the pages in one language.

    Raises:
        KeyError: a string lacks that language.
    """
    data = tomllib.loads(Path(__file__).with_name("strings.toml").read_text(encoding="utf-8"))
    return {name: texts[language] for name, texts in data.items()}


@functools.cache
def terms() -> dict[str, str]:
    """Field to its Chinese term."""
    return {field.name: field.term for field in (*claim_fields(), *entity_fields())}


def fields() -> list[dict[str, str]]:
    """The fields that a stretch of text can be given."""
    kinds = (("claim", claim_fields()), ("entity", entity_fields()))
    return [{"kind": kind, "name": field.name, "term": field.term} for kind, some in kinds for field in some]


class ReportView:
    """One report with the decisions on it, as the template wants it. ``text`` is None where it is not read."""

    def __init__(self, record: Record, standing: Standing, text: str | None) -> None:
        self.record = record
        self.reviews = reviews(record, standing)
        self.spans = list(spans(record, self.reviews))
        self._text = text
        self._again = statuses(record, self.reviews)
        self._number = 0
        self.findings = list(self._findings())
        self.tables = list(self._tables())
        self.passages = list(self._passages())

    @property
    def items(self) -> Iterator[dict[str, Any]]:
        """Everything that can be decided on, in the order of the page."""
        yield from self.findings
        for table in self.tables:
            for line in table["lines"]:
                yield from line["cells"]
        for passage in self.passages:
            yield from passage["spans"]

    @property
    def open_count(self) -> int:
        """How many doubts no standing decision settles."""
        return sum("open" in one["classes"].split() for one in self.items)

    def pages(self, sizes: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
        """The pages with the places of open doubts."""
        marks: dict[int, list[dict[str, Any]]] = {}
        for one in self.items:
            if "open" in one["classes"].split() and one["data"].get("box"):
                left, top, right, bottom = map(float, one["data"]["box"].split())
                mark = {"x": left, "y": top, "width": max(right - left, 1), "height": max(bottom - top, 1)}
                marks.setdefault(one["data"]["page"], []).append(mark | {"classes": "open"})
        return [
            {"number": number, "width": round(width, 1), "height": round(height, 1), "marks": marks.get(number, [])}
            for number, (width, height) in enumerate(sizes[:MAX_PAGES], start=1)
        ]

    def segments(self) -> list[dict[str, str]]:
        """The text in pieces, what was read somewhere lit."""
        lit = [(span.start, span.end, _lit(span)) for span in self.spans]
        lit += [
            (one["data"]["start"], one["data"]["end"], "cell open")
            for one in self.items
            if one["kind"] == "cell" and "open" in one["classes"].split() and one["data"].get("start") is not None
        ]
        return cut_text((self._text or "")[:MAX_TEXT], lit)

    def _item(self, kind: str, target: str, classes: Iterable[str], **data: Any) -> dict[str, Any]:
        self._number += 1
        found = self.reviews.get((kind, target))
        classes = [*classes, *(["reviewed"] if found else [])]
        if found is not None:
            classes = [name for name in classes if name != "open"] + ["open"] * (found.state == "stale")
        return {
            "id": f"i{self._number}", "kind": kind, "target": target, "classes": " ".join(classes), "data": data,
            "review": _shown(found),
        }  # fmt: skip

    def _findings(self) -> Iterator[dict[str, Any]]:
        cells = {cell["key"]: cell for cell in self.record["cells"]}
        claims = {claim["id"]: claim for claim in self.record["claims"]}
        for finding in self.record["findings"]:
            if finding["status"] != "inconsistent":
                continue
            parts = [cells[key] for key in finding["cells"] if key in cells]
            parts += [claims[name] for name in finding["claims"] if name in claims]
            place = next((part["evidence"] for part in parts if part["evidence"]), None)
            item = self._item("finding", finding["id"], ["open"], cells=" ".join(finding["cells"]), **_place(place))
            again = self._again.get(finding["id"])
            yield item | {"rule": finding["rule"], "message": finding["message"], "again": again}

    def _tables(self) -> Iterator[dict[str, Any]]:
        cells = {cell["key"]: cell for cell in self.record["cells"]}
        broken = {key for one in self.record["findings"] if one["status"] == "inconsistent" for key in one["cells"]}
        assisted = [one["evidence"] for one in self.record["problems"] if one["code"] == "cell.assisted"]
        for _, _, table in report_tables(self.record["report"]["blocks"], load_forms()):
            grid = lay_out(table)
            above = grid.above or ("",) * len(grid.heads)
            heads = [f"{top} {head}".strip() for top, head in zip(above, grid.heads, strict=True)]
            lines = [
                {
                    "label": line.label,
                    "depth": min(line.depth, 3),
                    "cells": [self._cell(cells[key], broken, assisted) for key in line.keys if key in cells],
                }
                for line in grid.lines
            ]
            yield {"title": grid.title, "heads": heads, "lines": lines}

    def _cell(self, cell: Mapping[str, Any], broken: set[str], assisted: Sequence[Any]) -> dict[str, Any]:
        doubtful = cell["status"] == "illegible" or cell["evidence"] in assisted
        classes = [cell["status"]]
        classes += ["open"] * doubtful + ["broken"] * (cell["key"] in broken) + ["weak"] * (cell["confidence"] < _SURE)
        item = self._item("cell", cell["key"], classes, raw=cell["raw"] or "", **_place(cell["evidence"]))
        text = (cell["raw"] or str(cell["value"])) if cell["status"] == "reported" else _MARKS[cell["status"]]
        return item | {"text": text}

    def _passages(self) -> Iterator[dict[str, Any]]:
        """Paragraphs with their claims; where there is no text, the sentences of the claims."""
        left = list(self.spans)
        for passage in find_passages(self._text)[:MAX_PASSAGES] if self._text else ():
            inside = [(span, place) for span in left if (place := passage.place(span.start, span.end))]
            if inside:
                left = [span for span in left if passage.place(span.start, span.end) is None]
                lit = [(start, end, _lit(span)) for span, (start, end) in inside]
                yield {
                    "pieces": cut_text(passage.text, lit),
                    "spans": [self._span(span) for span, _ in inside],
                    "item": self._item("passage", span_target(passage.start, passage.end), [], **_stretch(passage)),
                }
        sentences: dict[str, list[Span]] = {}
        for span in left:
            sentences.setdefault((span.read or {}).get("sentence") or "", []).append(span)
        for sentence, members in sentences.items():
            yield {
                "pieces": [{"text": sentence, "classes": ""}],
                "spans": [self._span(span) for span in members],
                "item": None,
            }

    def _span(self, span: Span) -> dict[str, Any]:
        read = span.read
        said = read or span.part or {}
        is_doubtful = read is not None and span.kind == "claim" and read["confidence"] < DOUBTFUL
        place = _place(read["evidence"] if read else None) | {"start": span.start, "end": span.end}
        item = self._item(
            span.kind, span.target, ["open"] * is_doubtful, raw=said.get("text", ""), field=said.get("field"),
            value=said.get("value"), unit=said.get("unit"), role=said.get("role"), **place,
        )  # fmt: skip
        words = [said.get("label"), said.get("scope") and f"[{said['scope']}]", said.get("role") or said.get("kind")]
        return item | {
            "read": read is not None,
            "field": said.get("field", ""),
            "term": terms().get(said.get("field", ""), ""),
            "text": _figure(said) if span.kind == "claim" else said.get("text", ""),
            "words": " ".join(word for word in words if word),
        }


def cut_text(text: str, lit: Iterable[tuple[int, int, str]]) -> list[dict[str, str]]:
    """``text`` in pieces; those within stretches (start, end, classes) have the classes of all that cover them."""
    edges: dict[int, tuple[list[str], list[str]]] = {}
    for start, end, classes in lit:
        if 0 <= start < end <= len(text):
            edges.setdefault(start, ([], []))[0].append(classes)
            edges.setdefault(end, ([], []))[1].append(classes)
    pieces: list[dict[str, str]] = []
    now: list[str] = []
    last = 0
    for place in sorted({*edges, len(text)}):
        if place > last:
            names = dict.fromkeys(name for classes in now for name in classes.split())
            pieces.append({"text": text[last:place], "classes": " ".join(names)})
        begins, ends = edges.get(place, ([], []))
        for classes in ends:
            now.remove(classes)
        now += begins
        last = place
    return pieces


def truth_words(truth: Mapping[str, Any]) -> str:
    """What is right, in short."""
    if "status" in truth:
        return str(truth["raw"] or truth["value"]) if truth["status"] == "reported" else _MARKS[truth["status"]]
    if "claims" in truth:
        return f"{len(truth['claims'])} + {len(truth['entities'])}"
    words = _figure(truth) if "value" in truth else truth.get("role") or ""
    return f"{truth.get('field', '')} {words} “{truth.get('text', '')}”"


def _figure(claim: Mapping[str, Any]) -> str:
    return f"{_BOUNDS.get(claim.get('bound') or 'exact', '')}{claim.get('value')} {claim.get('unit') or ''}".strip()


def _lit(span: Span) -> str:
    is_open = span.review is None and span.read is not None and span.read["confidence"] < DOUBTFUL
    return f"{span.kind} open" if is_open else span.kind


def _shown(found: Review | None) -> dict[str, Any] | None:
    if found is None:
        return None
    decision = found.decision
    truth = truth_words(decision.truth) if decision.truth and decision.kind != "passage" else ""
    return {
        "verdict": decision.verdict, "state": found.state, "truth": truth, "reviewer": decision.reviewer,
        "made": decision.made[:19],
    }  # fmt: skip


def _place(evidence: Mapping[str, Any] | None) -> dict[str, Any]:
    evidence = evidence or {}
    box = evidence.get("box")
    return {
        "page": evidence.get("page"),
        "box": " ".join(map(str, box)) if box else None,
        "start": evidence.get("start"),
        "end": evidence.get("end"),
    }


def _stretch(passage: Passage) -> dict[str, Any]:
    return {"start": passage.start, "end": passage.end}
