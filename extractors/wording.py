"""The label and the scope of a figure: printed words that name what is counted, and for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from extractors.folding import Folded


@dataclass(frozen=True, slots=True)
class Phrase:
    start: int
    end: int
    field: str
    nil: bool


def label_phrases(folded: Folded, phrases: Sequence[Phrase], channels: Sequence[tuple[int, int]]) -> list[str | None]:
    return [None for _ in phrases]


def scope_phrases(folded, phrases, labels, wholes, publisher):
    return [None for _ in phrases]
