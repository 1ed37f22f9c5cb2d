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
from models.decode import Scores, decode, decode_titles
from models.roles import mark, whole_titles
from models.tags import TITLE, Tags

WEIGHTS = Path(__file__).parent / "weights"
# Windows of like length go through the network together; more at once gain nothing and take memory.
BATCH = 2
# So many batches at once, each on one thread: matrices this small gain less from being divided, and no thread waits
# for another, whatever else runs on the machine.
AT_ONCE = 2
# The calibration curve of all fields of claims; leaders and channels have one each.
CLAIM = "claim"
# A name, a channel or a nil that is more likely none is left out; a doubtful figure stays, for it can be checked.
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
        outputs = self._outputs([item.chars for item in encoded])
        readings = [self._reading(item.chars, *output) for item, output in zip(encoded, outputs, strict=True)]
        if TITLE in self._tags.fields:
            readings = self._with_titles([item.chars for item in encoded], readings)
        return [[_placed(m, item) for m in reading] for item, reading in zip(encoded, readings, strict=True)]

    def _outputs(self, texts: Sequence[str]) -> list[tuple[Scores, Scores]]:
        """The network's scores at the characters of each text."""
        outputs = [(np.zeros((0, len(self._tags.names)), np.float32), np.zeros((0, 0), np.float32))] * len(texts)
        order = sorted((n for n, text in enumerate(texts) if text), key=lambda n: -len(texts[n]))
        batches = [order[first : first + BATCH] for first in range(0, len(order), BATCH)]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            read = threads.map(lambda batch: self._run([texts[n] for n in batch]), batches)
            for batch, found in zip(batches, read, strict=True):
                for number, output in zip(batch, found, strict=True):
                    outputs[number] = output
        return outputs

    def _run(self, batch: list[str]) -> list[tuple[Scores, Scores]]:
        tokens = [self._tokenizer.encode(list(text), is_pretokenized=True) for text in batch]
        longest = max(len(token.ids) for token in tokens)
        ids = np.full((len(batch), longest), self.card["pad"], np.int64)
        mask = np.zeros_like(ids)
        for row, token in enumerate(tokens):
            ids[row, : len(token.ids)] = token.ids
            mask[row, : len(token.ids)] = 1
        tags, nil = self._session.run(["tags", "nil"], {"input_ids": ids, "attention_mask": mask})
        places = [last_tokens(token.word_ids, len(text)) for token, text in zip(tokens, batch, strict=True)]
        return [(np.asarray(tags)[row][place], np.asarray(nil)[row][place]) for row, place in enumerate(places)]

    def _reading(self, chars: str, tags: Scores, nil: Scores) -> list[Mention]:
        """The mentions of one window, in its characters."""
        found = []
        for mention in decode(chars, self._tags, tags) if chars else ():
            is_entity = mention.label in (LEADER, CHANNEL)
            score = self._calibrated(mention.label if is_entity else CLAIM, mention.score)
            if score < LIKELY and (is_entity or mention.label == NIL):
                continue
            fields = self._denied(nil[mention.start]) if mention.label == NIL else ()
            found.append(replace(mention, fields=fields, score=score))
        return found

    def _with_titles(self, texts: Sequence[str], readings: Sequence[list[Mention]]) -> list[list[Mention]]:
        """The same mentions; each leader is asked for its titles."""
        leaders = [
            (number, mention)
            for number, reading in enumerate(readings)
            for mention in reading
            if mention.label == LEADER
        ]
        marked = [mark(texts[number], mention.start, mention.end) for number, mention in leaders]
        outputs = self._outputs([item.chars for item in marked])
        titles: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
        for (number, mention), item, (tags, _) in zip(leaders, marked, outputs, strict=True):
            found = whole_titles(item.chars, decode_titles(self._tags, tags))
            titles[number, mention.start] = tuple((item.place(low), item.place(high - 1) + 1) for low, high in found)
        return [
            [replace(m, titles=titles[number, m.start]) if m.label == LEADER else m for m in reading]
            for number, reading in enumerate(readings)
        ]

    def _denied(self, scores: Scores) -> tuple[str, ...]:
        """The fields that a nil denies, at least one."""
        above = tuple(self._fields[number] for number in np.flatnonzero(scores > EVEN))
        return above or (self._fields[int(scores.argmax())],)

    def _calibrated(self, kind: str, score: float) -> float:
        curve = self._curves.get(kind)
        return round(float(np.interp(score, curve[0], curve[1])), 4) if curve else round(score, 4)


def _placed(mention: Mention, encoded: Encoded) -> Mention:
    """``mention`` with places in the text instead of in its characters."""
    start, end = encoded.span(mention.start, mention.end)
    titles = None if mention.titles is None else tuple(encoded.span(*title) for title in mention.titles)
    return replace(mention, start=start, end=end, titles=titles)


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
