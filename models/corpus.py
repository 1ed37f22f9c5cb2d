"""Annotated passages to training examples. Needs no torch.

A passage is one line of JSON: ``id``, ``text``, ``entities`` and ``claims`` as in the record, with offsets into
``text`` (``data/gold/README.md``).
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from extractors.encoding import encode
from extractors.narrative import NIL

# The longest window that is learnt at once; the encoder has 512 positions.
MAX_WINDOW = 320
Passage = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """A span of an example: ``fields`` holds more than one where one nil denies several; ``whole`` is an index."""

    start: int
    end: int
    tag: str
    fields: tuple[str, ...] = ()
    whole: int | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """Encoded characters and the spans in them, in order of place."""

    chars: str
    targets: tuple[Target, ...] = field(default=())


def read_passages(paths: Iterable[Path]) -> list[Passage]:
    """The passages of JSON Lines files.

    Raises:
        ValueError: a line is no passage, or a span's text is not what stands at its offsets; names file and line.
    """
    passages: list[Passage] = []
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip():
                continue
            try:
                passage = json.loads(line)
                for span in (*passage["entities"], *passage["claims"]):
                    if passage["text"][span["start"] : span["end"]] != span["text"]:
                        raise ValueError(f"{span['text']!r} does not stand at {span['start']}")
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: {error}") from error
            passages.append(passage)
    return passages


def is_nil(claim: dict[str, Any]) -> bool:
    """Whether the claim is a stated nil (未收到, 零), not a printed zero (0件)."""
    return claim["value"] == 0 and not any(char.isdigit() for char in claim["text"])


def to_example(passage: Passage) -> Example:
    """The passage as the model reads it."""
    encoded = encode(passage["text"])
    place = {at: number for number, at in enumerate(encoded.origin)}
    spans: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for claim in passage["claims"]:
        spans.setdefault((claim["start"], claim["end"]), []).append(claim)
    order = sorted(spans)
    number_of = {claim["id"]: order.index(key) for key in order for claim in spans[key]}
    targets: list[Target] = []
    for start, end in order:
        claims = spans[start, end]
        wholes = [number_of[claim["part_of"]] for claim in claims if claim["part_of"] is not None]
        several = len(claims) > 1
        tag = NIL if is_nil(claims[0]) else claims[0]["field"]
        fields = tuple(claim["field"] for claim in claims) if several or tag == NIL else ()
        inside = [place[at] for at in range(start, end) if at in place]
        targets.append(Target(inside[0], inside[-1] + 1, tag, fields, wholes[0] if wholes else None))
    for entity in passage["entities"]:
        inside = [place[at] for at in range(entity["start"], entity["end"]) if at in place]
        targets.append(Target(inside[0], inside[-1] + 1, entity["field"]))
    return Example(encoded.chars, tuple(targets))


_STOP = re.compile(r"[。!?！？\n]")


def segments(example: Example) -> list[Example]:
    """The example cut at sentence ends over which no part refers to its whole."""
    cuts = [match.end() for match in _STOP.finditer(example.chars)]
    bars = [
        (min(target.start, example.targets[target.whole].start), max(target.end, example.targets[target.whole].end))
        for target in example.targets
        if target.whole is not None
    ] + [(target.start, target.end) for target in example.targets]
    cuts = [cut for cut in cuts if not any(low < cut < high for low, high in bars)]
    pieces: list[Example] = []
    for low, high in zip([0, *cuts], [*cuts, len(example.chars)], strict=True):
        if low < high:
            pieces.append(_slice(example, low, high))
    return pieces


def _slice(example: Example, low: int, high: int) -> Example:
    kept = [number for number, target in enumerate(example.targets) if low <= target.start and target.end <= high]
    claims = {number: place for place, number in enumerate(kept)}
    targets = tuple(
        Target(t.start - low, t.end - low, t.tag, t.fields, None if t.whole is None else claims.get(t.whole))
        for t in (example.targets[number] for number in kept)
    )
    return Example(example.chars[low:high], targets)


def join(pieces: Sequence[Example]) -> Example:
    """The pieces one after the other."""
    chars = ""
    targets: list[Target] = []
    for piece in pieces:
        base, shift = len(targets), len(chars)
        targets += [
            Target(t.start + shift, t.end + shift, t.tag, t.fields, None if t.whole is None else t.whole + base)
            for t in piece.targets
        ]
        chars += piece.chars
    return Example(chars, tuple(targets))


def cut(example: Example, limit: int = MAX_WINDOW) -> Iterator[Example]:
    """The example in windows of at most ``limit`` characters, cut between its segments."""
    window: list[Example] = []
    size = 0
    for piece in segments(example):
        if window and size + len(piece.chars) > limit:
            yield join(window)
            window, size = [], 0
        window.append(piece if len(piece.chars) <= limit else _slice(piece, 0, limit))
        size += len(window[-1].chars)
    if window:
        yield join(window)


def hold_out(passages: Sequence[Passage], share: float, seed: int) -> tuple[list[Passage], list[Passage]]:
    """The passages in two: to learn from, and ``share`` of them to stop and calibrate by.

    A passage is one publisher's; which part it falls to depends on the seed and its id alone.
    """
    held = [random.Random(f"{seed} {passage['id']}").random() < share for passage in passages]
    return (
        [passage for passage, out in zip(passages, held, strict=True) if not out],
        [passage for passage, out in zip(passages, held, strict=True) if out],
    )
