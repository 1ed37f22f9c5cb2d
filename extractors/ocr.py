"""Pictures of lines and of table cells to text with scores: the only module that knows the OCR engine.

The recogniser is PP-OCRv6 small, an ONNX model that the wheel of rapidocr carries; rapidocr itself is never
imported, nothing is downloaded and nothing is logged. The model is run here and not through rapidocr because a cell
wants what a line of text does not: its own batches, a decode that knows what a value may hold, and what else the
picture could say.

A *picture* is a grey image (``uint8``, rows x columns, 255 paper, 0 ink) of one line, cut with some paper around.
"""

from __future__ import annotations

import importlib.util
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Scores = NDArray[np.float32]

_MODEL = "PP-OCRv6_rec_small.onnx"
_THREADS = 2
_HEIGHT = 48  # px; what the model takes
_STRIDE = 8  # px of width for one step of the output
_STEP = 16  # px; widths are rounded up to this, so that few shapes occur
_WIDEST = 2400  # px; a longer line is squeezed
_BATCH = 2048  # px of width in one batch: bounds the output to 256 steps of 18,710 classes, 19 MB
_PAPER = 1.0  # what the model sees of white paper

# What a value cell may hold; each character stands for itself and for those that it is mistaken for. In a cell of
# numbers an O is a 0: the probabilities of such twins are added up.
_TWINS = {
    "0": "OoQ〇○◯°Оо",
    "1": "lI|Ⅰi!ı",
    "2": "Zz",
    "3": "З",
    "4": "",
    "5": "Ss",
    "6": "бb",
    "7": "",
    "8": "B",
    "9": "gq",
    ",": "，、",
    ".": "．。·•",
    "-": "—–−－‐‑‒―─_~一ー＿",
    "/": "／∕╱丿",
    "+": "＋十",
    "%": "％",
    "减": "減",
    "增": "増",
} | dict.fromkeys("无零空加少新取消万亿元件项条个次份人宗篇部起例家户", "")
_SPACE = re.compile(r"\S\s+\S")
_TWO_FIGURES = re.compile(r"\d\s+[\d.,]")
_LONGEST_VALUE = 16  # characters; longer texts are no values
_BEAM = 12
_LEAST = 1e-4  # probabilities below this start no reading
_NEXT_BEST = 1e-3  # readings less likely than this share of the best are no candidates
_MOST_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class LineReading:
    """A line as read. ``places`` are the middles of its characters as shares of the picture's width."""

    text: str
    score: float
    places: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ValueReading:
    """A short text as the recogniser gives it freely, and what it says if it is a value.

    ``line`` is the free reading. ``values`` are readings in the characters of a value, best first, with the
    probability that the model gives each of them; they sum to at most 1.
    """

    line: LineReading
    values: tuple[tuple[str, float], ...]


def read_lines(pictures: Sequence[Gray], squeeze: float = 1.0) -> list[LineReading]:
    """The text of each picture; ``squeeze`` below 1 narrows them, which is faster and less sure."""
    readings: list[LineReading] = [LineReading("", 0.0, ())] * len(pictures)
    for indices, scores, shares in _batches(pictures, squeeze):
        best = scores.argmax(axis=2)
        for row, index in enumerate(indices):
            readings[index] = _decode(best[row], scores[row], shares[row])
    return readings


def read_values(pictures: Sequence[Gray]) -> list[ValueReading]:
    """The free reading of each picture, and its readings as a value."""
    readings: list[ValueReading] = [ValueReading(LineReading("", 0.0, ()), ())] * len(pictures)
    for indices, scores, shares in _batches(pictures, 1.0):
        best = scores.argmax(axis=2)
        for row, index in enumerate(indices):
            line = _decode(best[row], scores[row], shares[row])
            values = _values(scores[row], spaced=_is_spaced(line.text)) if len(line.text) <= _LONGEST_VALUE else ()
            readings[index] = ValueReading(line, values)
    return readings


# --- the model -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Model:
    session: onnxruntime.InferenceSession
    characters: tuple[str, ...]  # by class; class 0 is the blank of CTC
    value_classes: tuple[tuple[str, tuple[int, ...]], ...]


@lru_cache(maxsize=1)
def _model() -> _Model:
    """The recogniser, loaded once per process.

    Raises:
        ModuleNotFoundError: the wheel of rapidocr is not installed.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(_model_path()), options, providers=["CPUExecutionProvider"])
    listed = session.get_modelmeta().custom_metadata_map["character"].split("\n")
    characters = ("", *listed, " ")
    classes = {char: number for number, char in enumerate(characters)}
    values = tuple(
        (char, tuple(classes[twin] for twin in char + twins if twin in classes)) for char, twins in _TWINS.items()
    )
    return _Model(session, characters, values)


def _model_path() -> Path:
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("scanned pages need the package rapidocr, whose wheel carries the models")
    return Path(spec.submodule_search_locations[0]) / "models" / _MODEL


def _batches(pictures: Sequence[Gray], squeeze: float) -> Iterator[tuple[list[int], Scores, list[tuple[float, float]]]]:
    """Pictures of like width at once: their indices, scores (n x steps x classes), and where each lies in its row.

    A place is (share of a step's width in the picture, share at which the picture begins), for
    :func:`_decode` to tell where a character stands.
    """
    model = _model()
    widths = [max(8, min(_WIDEST, round(p.shape[1] * _HEIGHT / p.shape[0] * squeeze))) for p in pictures]
    order = sorted(range(len(pictures)), key=lambda index: widths[index])
    while order:
        room = _rounded(widths[order[0]])
        count = 1
        while count < len(order):
            wider = _rounded(widths[order[count]])
            # Wider company costs every picture of the batch; half a step more is allowed per step.
            if wider * (count + 1) > _BATCH or wider > room + max(_STEP, room // 8):
                break
            count += 1
        indices, order = order[:count], order[count:]
        width = _rounded(widths[indices[-1]])
        rows = np.full((count, 1, _HEIGHT, width), _PAPER, np.float32)
        shares = []
        for row, index in enumerate(indices):
            left = (width - widths[index]) // 2
            rows[row, 0, :, left : left + widths[index]] = _as_input(pictures[index], widths[index])
            shares.append((_STRIDE / widths[index], left / widths[index]))
        scores: Scores = model.session.run(None, {"x": np.repeat(rows, 3, axis=1)})[0]
        yield indices, scores, shares


def _rounded(width: int) -> int:
    return math.ceil(width / _STEP) * _STEP


def _as_input(picture: Gray, width: int) -> Scores:
    shrinks = picture.shape[0] > _HEIGHT or picture.shape[1] > width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    sized = cv2.resize(picture, (width, _HEIGHT), interpolation=method)
    return sized.astype(np.float32) / 127.5 - 1.0


# --- decoding --------------------------------------------------------------------------------------------------


def _decode(best: NDArray[np.int64], scores: Scores, share: tuple[float, float]) -> LineReading:
    """The likeliest class of every step, repeats and blanks dropped (greedy CTC)."""
    characters = _model().characters
    kept = np.flatnonzero((best != 0) & (np.concatenate(([0], best[:-1])) != best))
    if not len(kept):
        return LineReading("", 0.0, ())
    text, places, certainty = [], [], []
    for step in kept:
        char = characters[best[step]]
        text.append(char)
        places.append((step + 0.5) * share[0] - share[1])
        certainty.append(float(scores[step, best[step]]))
    return LineReading("".join(text), sum(certainty) / len(certainty), tuple(places))


def _is_spaced(text: str) -> bool:
    """Whether spaces part a number from its sign or unit, and no two figures from each other."""
    return _SPACE.search(text) is not None and _TWO_FIGURES.search(text) is None


def _values(scores: Scores, *, spaced: bool = False) -> tuple[tuple[str, float], ...]:
    """Readings in the characters of a value with their probabilities, best first (prefix beam search over CTC).

    ``spaced``: a space is nothing.
    """
    model = _model()
    symbols = [char for char, _ in model.value_classes]
    table = np.stack([scores[:, list(classes)].sum(axis=1) for _, classes in model.value_classes], axis=1)
    blank = scores[:, 0] + scores[:, -1] if spaced else scores[:, 0]
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}
    for step in range(len(scores)):
        likely = np.flatnonzero(table[step] > _LEAST)
        if not len(likely) and blank[step] > 1 - _LEAST:
            beam = {prefix: (ended + open_, 0.0) for prefix, (ended, open_) in beam.items()}
            continue
        grown: dict[tuple[int, ...], list[float]] = {}
        for prefix, (ended, open_) in beam.items():
            entry = grown.setdefault(prefix, [0.0, 0.0])
            entry[0] += (ended + open_) * float(blank[step])
            for symbol in likely.tolist():
                chance = float(table[step, symbol])
                longer = grown.setdefault((*prefix, symbol), [0.0, 0.0])
                if prefix and prefix[-1] == symbol:
                    grown[prefix][1] += open_ * chance
                    longer[1] += ended * chance
                else:
                    longer[1] += (ended + open_) * chance
        best = sorted(grown.items(), key=lambda item: -sum(item[1]))[:_BEAM]
        beam = {prefix: (sums[0], sums[1]) for prefix, sums in best}
    ranked = sorted(((sum(sums), prefix) for prefix, sums in beam.items()), reverse=True)
    least = ranked[0][0] * _NEXT_BEST
    found = [("".join(symbols[symbol] for symbol in prefix), chance) for chance, prefix in ranked if chance >= least]
    return tuple((text, chance) for text, chance in found if text)[:_MOST_CANDIDATES]
