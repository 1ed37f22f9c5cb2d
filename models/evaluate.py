"""Scores of read passages against annotated ones. Needs no torch.

A claim is found where one with its field and value stands on an overlapping stretch; each counts once.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from extractors.document import Document
from extractors.narrative import Narrative, Tagger, read_narrative
from models.corpus import Passage, is_nil

Row = dict[str, Any]
# (measure, field) to [hits, predicted, annotated], for one passage.
Counts = Counter[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Score:
    """Precision, recall and F1 of ``support`` annotated ones; 1.0 where there is nothing to find or miss."""

    precision: float
    recall: float
    f1: float
    support: int


def read_passage(text: str, tagger: Tagger) -> tuple[list[Row], list[Row]]:
    """Entities and claims of a passage as rows of the record, with ``start`` and ``end``."""
    narrative = read_narrative(Document("text/plain", text), (), tagger)
    return _rows(narrative)


def _rows(narrative: Narrative) -> tuple[list[Row], list[Row]]:
    entities = [
        {"field": e.field, "role": e.role, "kind": e.kind, "start": e.evidence.start, "end": e.evidence.end}
        for e in narrative.entities
    ]
    claims = [
        {"id": c.id, "field": c.field, "value": float(c.value), "unit": c.unit, "bound": c.bound, "label": c.label,
         "scope": c.scope, "part_of": c.part_of, "partition": c.partition, "confidence": c.confidence,
         "start": c.evidence.start, "end": c.evidence.end, "text": c.text}
        for c in narrative.claims
    ]  # fmt: skip
    return entities, claims


def count(passage: Passage, entities: Sequence[Row], claims: Sequence[Row]) -> Counts:
    """Hits, predictions and annotations of every measure in one passage."""
    counts: Counts = Counter()
    gold_claims = [{**claim, "value": float(claim["value"])} for claim in passage["claims"]]
    _count(counts, "claim", gold_claims, claims, lambda g, p: g["field"] == p["field"] and g["value"] == p["value"])
    _count(counts, "value", gold_claims, claims, lambda g, p: g["value"] == p["value"], by_field=False)
    nils = [claim for claim in gold_claims if is_nil(claim)]
    found = [claim for claim in claims if is_nil(claim)]
    _count(counts, "nil", nils, found, lambda g, p: g["field"] == p["field"], by_field=False)
    for name in ("unit", "bound"):
        pairs = _pairs(gold_claims, claims, lambda g, p: g["field"] == p["field"] and g["value"] == p["value"])
        _agree(counts, name, [(g[name], p[name]) for g, p in pairs])
    _count_parts(counts, gold_claims, claims)
    for name in ("leader", "channel"):
        gold = [entity for entity in passage["entities"] if entity["field"] == name]
        mine = [entity for entity in entities if entity["field"] == name]
        _count(counts, name, gold, mine, _same_place, by_field=False)
        detail = "role" if name == "leader" else "kind"
        fitting = [row for row in mine if any(_same_place(row, g) and row[detail] == g[detail] for g in gold)]
        for kind, rows in (("hit", fitting), ("found", mine), ("gold", gold)):
            counts[f"{name} with {detail}", "all", kind] += len(rows)
    return counts


def _same_place(gold: Row, mine: Row) -> bool:
    return bool(gold["start"] == mine["start"] and gold["end"] == mine["end"])


def _pairs(gold: Sequence[Row], mine: Sequence[Row], same: Callable[[Row, Row], bool]) -> list[tuple[Row, Row]]:
    """Annotated and found ones that overlap and agree, each used once."""
    free = list(mine)
    pairs: list[tuple[Row, Row]] = []
    for item in gold:
        for other in free:
            if item["start"] < other["end"] and other["start"] < item["end"] and same(item, other):
                pairs.append((item, other))
                free.remove(other)
                break
    return pairs


def _count(
    counts: Counts, measure: str, gold: Sequence[Row], mine: Sequence[Row],
    same: Callable[[Row, Row], bool], by_field: bool = True,
) -> None:  # fmt: skip
    pairs = _pairs(gold, mine, same)
    for kind, rows in (("hit", [g for g, _ in pairs]), ("found", mine), ("gold", gold)):
        counts[measure, "all", kind] += len(rows)
        for row in rows if by_field else ():
            counts[measure, row["field"], kind] += 1


def _agree(counts: Counts, measure: str, pairs: Iterable[tuple[Any, Any]]) -> None:
    for gold, mine in pairs:
        counts[measure, "all", "gold"] += 1
        counts[measure, "all", "found"] += 1
        counts[measure, "all", "hit"] += gold == mine


def _count_parts(counts: Counts, gold: Sequence[Row], mine: Sequence[Row]) -> None:
    """Links (part, whole): a found one is right if an annotated one has both its ends."""

    def links(rows: Sequence[Row]) -> list[tuple[Row, Row]]:
        by_id = {row["id"]: row for row in rows}
        return [(row, by_id[row["part_of"]]) for row in rows if row["part_of"]]

    def same(one: Row, other: Row) -> bool:
        overlap = one["start"] < other["end"] and other["start"] < one["end"]
        return bool(overlap and one["value"] == other["value"])

    wanted, found = links(gold), links(mine)
    hits = sum(any(same(g[0], m[0]) and same(g[1], m[1]) for m in found) for g in wanted)
    counts["part_of", "all", "hit"] += hits
    counts["part_of", "all", "found"] += len(found)
    counts["part_of", "all", "gold"] += len(wanted)


def score(counts: Counts, measure: str, name: str = "all") -> Score:
    """The score of a measure (of one field of it)."""
    hit, found, gold = (counts[measure, name, kind] for kind in ("hit", "found", "gold"))
    precision = hit / found if found else 1.0
    recall = hit / gold if gold else 1.0
    f1 = 2 * hit / (found + gold) if found + gold else 1.0
    return Score(precision, recall, f1, gold)


def total(parts: Iterable[Counts]) -> Counts:
    """The counts of several passages together."""
    summed: Counts = Counter()
    for part in parts:
        summed.update(part)
    return summed


def interval(parts: Sequence[Counts], measure: str, name: str = "all", rounds: int = 500) -> tuple[float, float]:
    """The 95 % bootstrap interval of F1, passages drawn with replacement."""
    rng = random.Random(0)
    key = [(measure, name, kind) for kind in ("hit", "found", "gold")]
    rows = [tuple(part[k] for k in key) for part in parts]
    values = []
    for _ in range(rounds):
        hit, found, gold = (sum(column) for column in zip(*rng.choices(rows, k=len(rows)), strict=True))
        values.append(2 * hit / (found + gold) if found + gold else 1.0)
    values.sort()
    return values[int(0.025 * rounds)], values[int(0.975 * rounds) - 1]
