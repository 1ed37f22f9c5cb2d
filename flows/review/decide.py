"""What was typed and pressed to a decision: only on what is there, and with the document's own words."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from extractors.forms import load_forms
from flows.decisions import Decision, DecisionError, now, reading_of, readings, span_of, span_target
from flows.passages import find_passages, passage_at, span_truth, spans, to_gold
from flows.review.views import fields
from flows.reviewed import reviews, typed_cell

Record = Mapping[str, Any]
Standing = Mapping[tuple[str, str], Decision]

_ALLOWED = {
    "cell": ("right", "corrected", "publisher", "reader", "unsure"),
    "claim": ("right", "corrected", "none", "publisher", "reader", "unsure"),
    "entity": ("right", "corrected", "none", "reader", "unsure"),
    "finding": ("publisher", "reader", "unsure"),
    "passage": ("right",),
}
_MAX_TYPED = 100


class NotThere(LookupError):
    """There is no such report, or nothing to decide on in it."""


def decide(
    record: Record,
    standing: Standing,
    form: Mapping[str, str],
    reviewer: str,
    extractor: str,
    text: Callable[[], str],
) -> Decision:
    """The decision that a form asks for. ``text`` reads the document, where its words are needed.

    Raises:
        DecisionError: it cannot be decided so.
        NotThere: the report has nothing of that kind under that name.
    """
    kind, target, verdict = (form.get(name, "") for name in ("kind", "target", "verdict"))
    if verdict not in _ALLOWED.get(kind, ()):
        raise DecisionError(f"{kind} cannot be decided as {verdict}"[:100])
    if any(len(value) > _MAX_TYPED for name, value in form.items() if name in ("raw", "value", "unit", "role")):
        raise DecisionError(f"at most {_MAX_TYPED} characters can be typed")
    if kind == "passage":
        return _passage(record, standing, target, reviewer, extractor, text())
    read = readings(record)
    reading, truth = read.get((kind, target)), None
    if verdict == "corrected":
        truth = _cell_truth(record, target, form) if kind == "cell" else _span_truth(kind, form, text())
        target = target or span_target(truth["start"], truth["end"], truth["field"])
        reading = read.get((kind, target))
    known = reading is not None or (kind, target) in standing
    if not known and not (verdict == "corrected" and kind in ("claim", "entity") and not form.get("target")):
        raise NotThere("the report has nothing of that name")
    part = _part(record, kind, target)
    raw = str((part.get("text" if kind in ("claim", "entity") else "raw") if part else None) or "") or None
    if raw is None and truth is not None:
        raw = truth.get("text")
    return Decision(
        record["source"]["sha256"], kind, target, verdict, reviewer, now(), extractor, raw=raw, reading=reading,
        truth=truth, about=_about(record, part),
    )  # fmt: skip


def decide_all(rows: Iterable[Mapping[str, Any]], verdict: str, reviewer: str) -> Iterator[Decision]:
    """The same decision on findings of the store, one batch, so that it is taken back at once."""
    batch = secrets.token_hex(8)
    for row in rows:
        about = {name: row[name] for name in ("authority", "year", "path", "rule", "message")}
        yield Decision(
            row["sha256"], "finding", row["id"], verdict, reviewer, now(), row["extractor"],
            reading=reading_of("finding", row), about=about, batch=batch,
        )  # fmt: skip


def _passage(record: Record, standing: Standing, target: str, reviewer: str, extractor: str, text: str) -> Decision:
    """That all which a paragraph states is marked in it, as it stands now with the decisions made."""
    try:
        start, end = span_of(target)
    except ValueError as error:
        raise NotThere("no paragraph is named") from error
    passage = passage_at(find_passages(text), start, end)
    if passage is None or (passage.start, passage.end) != (start, end):
        raise NotThere("the report has no such paragraph")
    name = f"{record['source']['sha256'][:12]}-{start}"
    gold = to_gold(passage, list(spans(record, reviews(record, standing))), name, ["reviewed"])
    if gold is None:
        raise DecisionError("something in this paragraph is marked as wrong or unclear; correct it first")
    return Decision(
        record["source"]["sha256"], "passage", target, "right", reviewer, now(), extractor, raw=passage.text,
        truth=gold, about=_about(record, None),
    )  # fmt: skip


def _cell_truth(record: Record, key: str, form: Mapping[str, str]) -> dict[str, Any]:
    cell = _part(record, "cell", key)
    if cell is None:
        raise NotThere("the report has no such cell")
    return typed_cell(form.get("raw", ""), cell["unit"])


def _span_truth(kind: str, form: Mapping[str, str], text: str) -> dict[str, Any]:
    name = form.get("field", "")
    if not any(field["name"] == name and field["kind"] == kind for field in fields()):
        raise DecisionError("choose a field")
    start, end = (form.get(edge, "") for edge in ("start", "end"))
    if not all(edge.isascii() and edge.isdigit() and len(edge) < 9 for edge in (start, end)):
        raise DecisionError("select some characters of the text")
    return span_truth(kind, text, int(start), int(end), name, form)


def _part(record: Record, kind: str, target: str) -> Mapping[str, Any] | None:
    """The part of the record that a decision names."""
    if kind == "cell":
        return next((cell for cell in record["cells"] if cell["key"] == target), None)
    if kind == "finding":
        return next((finding for finding in record["findings"] if finding["id"] == target), None)
    for span in record["claims" if kind == "claim" else "entities"]:
        place = span["evidence"]
        if span_target(place["start"], place["end"], span["field"]) == target:
            found: Mapping[str, Any] = span
            return found
    return None


def _about(record: Record, part: Mapping[str, Any] | None) -> dict[str, Any]:
    """Report and place in words, for whoever reads the decision later."""
    source, report = record["source"], record["report"]
    about = {"authority": report["authority"], "year": report["year"], "path": source["path"]}
    about |= {"media_type": source["media_type"], "pages": source["pages"], "scanned": source["scanned"]}
    part = part or {}
    about |= {name: part[name] for name in ("rule", "message", "sentence") if part.get(name)}
    evidence = part.get("evidence") or {}
    about |= {name: evidence[name] for name in ("page", "box") if evidence.get(name) is not None}
    if "key" in part and (form := load_forms().get(report["form"])) and (spec := form.cells.get(part["key"])):
        about["cell"] = " ".join((*spec.row.groups, spec.row_label, spec.column_label)).strip()
    return about
