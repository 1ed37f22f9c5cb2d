"""The trained model at work: text windows in, mentions out, on onnxruntime without torch."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from extractors.encoding import Encoded, encode
from extractors.narrative import CHANNEL, LEADER, NIL, Mention
from models.decode import decode
from models.tags import Tags

WEIGHTS = Path(__file__).parent / "weights"
# Windows of like length go through the network together; more at once gain nothing and take memory.
BATCH = 2
# So many batches at once, each on one thread: matrices this small gain less from being divided, and no thread waits
# for another, whatever else runs on the machine.
AT_ONCE = 2
# The calibration curve of all fields of claims; leaders and channels have one each.
CLAIM = "claim"
# A name or a channel that is more likely none is left out; a doubtful figure stays, for it can be checked.
LIKELY = 0.5
# A field of a nil is stated where the model gives it more than even odds.
EVEN = 0.0


class ModelError(ValueError):
    """A directory that holds no model, or one that this release cannot run."""


class Tagger:
    """A callable that reads windows of text; one session, made when it is loaded."""

    def __init__(self, directory: Path) -> None:
        """Loads ``model.onnx``, ``tokenizer.json`` and ``model.json`` from ``directory``.

        Raises:
            ModelError: one of them is missing or damaged.
        """
        try:
            self.card: dict[str, Any] = json.loads((directory / "model.json").read_text(encoding="utf-8"))
            self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            options.log_severity_level = 3
            self._session = onnxruntime.InferenceSession(
                str(directory / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # each library raises its own kind for a file that is missing or damaged
            raise ModelError(f"{directory}: no model that can be run ({error})") from error
        self.id: str = self.card["id"]
        self._tags = Tags(self.card["tags"])
        self._fields: list[str] = self.card["fields"]
        self._curves: dict[str, list[list[float]]] = self.card.get("calibration", {})

    def __call__(self, windows: Sequence[str], /) -> list[list[Mention]]:
        """The mentions in each window, in order, places in code points of the window."""
        encoded = [encode(window) for window in windows]
        readings: list[list[Mention]] = [[] for _ in windows]
        order = sorted((n for n, item in enumerate(encoded) if item.chars), key=lambda n: -len(encoded[n].chars))
        batches = [order[first : first + BATCH] for first in range(0, len(order), BATCH)]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            read = threads.map(lambda batch: self._read([encoded[n] for n in batch]), batches)
            for batch, found in zip(batches, read, strict=True):
                for number, reading in zip(batch, found, strict=True):
                    readings[number] = reading
        return readings

    def _read(self, batch: list[Encoded]) -> list[list[Mention]]:
        tokens = [self._tokenizer.encode(list(item.chars), is_pretokenized=True) for item in batch]
        longest = max(len(token.ids) for token in tokens)
        ids = np.full((len(batch), longest), self.card["pad"], np.int64)
        mask = np.zeros_like(ids)
        for row, token in enumerate(tokens):
            ids[row, : len(token.ids)] = token.ids
            mask[row, : len(token.ids)] = 1
        outputs = self._session.run(["tags", "nil"], {"input_ids": ids, "attention_mask": mask})
        places = [last_tokens(token.word_ids, len(item.chars)) for token, item in zip(tokens, batch, strict=True)]
        return [
            self._reading(item, *(np.asarray(output)[row][places[row]] for output in outputs))
            for row, item in enumerate(batch)
        ]

    def _reading(self, item: Encoded, tags: NDArray[np.float32], nil: NDArray[np.float32]) -> list[Mention]:
        placed = []
        for mention in decode(item.chars, self._tags, tags):
            start, end = item.span(mention.start, mention.end)
            is_entity = mention.label in (LEADER, CHANNEL)
            score = self._calibrated(mention.label if is_entity else CLAIM, mention.score)
            if is_entity and score < LIKELY:
                continue
            fields = self._denied(nil[mention.start]) if mention.label == NIL else ()
            placed.append(replace(mention, start=start, end=end, fields=fields, score=score))
        return placed

    def _denied(self, scores: NDArray[np.float32]) -> tuple[str, ...]:
        """The fields that a nil denies, at least one."""
        above = tuple(self._fields[number] for number in np.flatnonzero(scores > EVEN))
        return above or (self._fields[int(scores.argmax())],)

    def _calibrated(self, kind: str, score: float) -> float:
        curve = self._curves.get(kind)
        return round(float(np.interp(score, curve[0], curve[1])), 4) if curve else round(score, 4)


def last_tokens(word_ids: Sequence[int | None], length: int) -> NDArray[np.intp]:
    """For each character the place of its last token; of a character without one, that of the one before."""
    places = np.zeros(length, np.intp)
    for at, word in enumerate(word_ids):
        if word is not None:
            places[word] = at
    for number in range(1, length):
        places[number] = places[number] or places[number - 1]
    return places


@functools.lru_cache(maxsize=2)
def load_tagger(directory: Path = WEIGHTS) -> Tagger:
    """The model in ``directory``, loaded once a process.

    Raises:
        ModelError: there is none.
    """
    return Tagger(directory)
