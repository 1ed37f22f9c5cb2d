"""Readings of cell pictures to the text of cells: value or label, how sure, and what else it could be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from extractors.ocr import LineReading, ValueReading, read_lines, read_values
from extractors.scan_cells import Pixels, Strip, equal_groups, separators

UNREAD = "?"  # ink that no reading explains: a cell that holds it is neither blank nor a number

# Width of a long line as the recogniser sees it: down to 0.5, two characters in 3,700 change, at 60 % of the cost.
SQUEEZE = 0.6
_SHORT = 8.0  # heights; wider print is no value
_CERTAIN = 0.97  # a value read with less is looked at again
_LARGE_GROUP = 4  # of so many equal cells, two are read
_VALUE_MASS = 0.25  # below this probability the print is no value, whatever it is
_SLANT = 0.8  # correlation of x and y of the ink of a stroke that slants: a slash, no 1


_SEPARATOR = re.compile(r"[.,]")
_GROUPED = re.compile(r"\d[.,]\d{3}(?!\d)")


@dataclass(frozen=True, slots=True)
class CellReading:
    """The text of one cell, the probability that it is right, and its other readings, best first."""

    text: str
    confidence: float
    candidates: tuple[tuple[str, float], ...] = ()


BLANK = CellReading("", 1.0)
DASH = CellReading("-", 0.97)


def read_cells(cells: Sequence[Sequence[Strip]], em: float) -> list[CellReading]:
    """The text of each cell, which is given as its lines; equal cells are read once."""
    readings = [BLANK] * len(cells)
    short = [index for index, strips in enumerate(cells) if len(strips) == 1 and _is_short(strips[0])]
    for index, reading in zip(short, _read_short([cells[index][0] for index in short], em), strict=True):
        readings[index] = reading
    chosen = set(short)
    long = [index for index, strips in enumerate(cells) if strips and index not in chosen]
    lines = read_lines([strip.picture for index in long for strip in cells[index]], SQUEEZE)
    start = 0
    for index in long:
        count = len(cells[index])
        readings[index] = _joined(lines[start : start + count])
        start += count
    return readings


def read_strips(strips: Sequence[Strip], em: float) -> list[CellReading]:
    """The text of pieces of lines: short ones as cells are read, long ones as prose."""
    readings = [BLANK] * len(strips)
    short = [index for index, strip in enumerate(strips) if _is_short(strip)]
    for index, reading in zip(short, _read_short([strips[index] for index in short], em), strict=True):
        readings[index] = reading
    chosen = set(short)
    long = [index for index in range(len(strips)) if index not in chosen]
    for index, line in zip(long, read_lines([strips[index].picture for index in long], SQUEEZE), strict=True):
        readings[index] = _joined([line])
    return readings


def _is_short(strip: Strip) -> bool:
    left, top, right, bottom = strip.box
    return bool(right - left <= _SHORT * max(bottom - top, strip.picture.shape[0] / 1.8))


def _joined(lines: Sequence[LineReading]) -> CellReading:
    """A label or a line of prose; letters count equally."""
    text = "".join(line.text for line in lines)
    if not text.strip():
        return CellReading(UNREAD, 0.0)
    return CellReading(text, sum(line.score * len(line.text) for line in lines) / len(text))


def _read_short(strips: Sequence[Strip], em: float) -> list[CellReading]:
    readings = [DASH if _is_dash(strip, em) else BLANK for strip in strips]
    printed = [index for index, reading in enumerate(readings) if reading is BLANK]
    groups = [[printed[index] for index in group] for group in equal_groups([strips[index] for index in printed], em)]
    chosen: list[int] = []
    for group in groups:
        chosen.extend(group[:1] if len(group) < _LARGE_GROUP else (group[0], group[len(group) // 2]))
    read = dict(zip(chosen, read_values([strips[index].picture for index in chosen]), strict=True))
    doubtful = [index for index in chosen if _is_doubtful(read[index])]
    # Seen a little larger and fatter, and a little smaller: what stays in doubt then is doubtful.
    for look in (_closer, _softer):
        for index, again in zip(doubtful, read_values([look(strips[index]) for index in doubtful]), strict=True):
            read[index] = _pooled(read[index], again)
    for group in groups:
        members = [index for index in group if index in read]
        settled = [_settled(read[index], strips[index]) for index in members]
        if len({reading.text for reading in settled}) == 1:
            shared = max(settled, key=lambda reading: reading.confidence)
            for index in group:
                readings[index] = shared
            continue
        # Equal pictures with unequal readings were not equal: each is read for itself.
        for index, value in zip(group, read_values([strips[index].picture for index in group]), strict=True):
            readings[index] = _settled(value, strips[index])
    return readings


def _is_doubtful(reading: ValueReading) -> bool:
    return bool(reading.values) and _VALUE_MASS / 4 < reading.values[0][1] < _CERTAIN


def _closer(strip: Strip) -> Pixels:
    """Nearer, and with the gaps closed that thin strokes have in a picture of black and white."""
    cut = strip.picture.shape[0] // 8
    part = cv2.resize(
        strip.picture[cut : strip.picture.shape[0] - cut], None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC
    )
    closed = cv2.morphologyEx(part, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    return np.asarray(cv2.GaussianBlur(closed, (0, 0), 1.2), np.uint8)


def _softer(strip: Strip) -> Pixels:
    height, width = strip.picture.shape
    room = height // 10
    softer = np.full((height + 2 * room, width + 2 * room), 255, np.uint8)
    softer[room : room + height, room : room + width] = strip.picture
    return softer


def _pooled(one: ValueReading, other: ValueReading) -> ValueReading:
    """Both readings with their probabilities averaged (``one`` may be an average already)."""
    chances: dict[str, float] = {}
    for reading in (one, other):
        for text, chance in reading.values:
            chances[text] = chances.get(text, 0.0) + chance / 2
    ranked = sorted(chances.items(), key=lambda item: -item[1])
    return replace(one, values=tuple(ranked))


def _settled(reading: ValueReading, strip: Strip) -> CellReading:
    """A value where the print can be one, else the free reading."""
    line, values = reading.line, _without_specks(reading.values)
    if values and values[0][1] >= _VALUE_MASS:
        text, chance = values[0]
        if text in ("1", "7", "-") and _is_slash(strip):
            return CellReading("/", 0.9, ((text, 0.1),))
        others = tuple(value for value in values if value[1] >= 0.002)
        if _GROUPED.search(text):
            return _by_separators(others or values[:1], strip)
        return CellReading(text, chance, others if len(others) > 1 else ())
    if line.text and any(_is_word(char) for char in line.text):
        return CellReading(line.text, line.score)
    if values:
        return CellReading(values[0][0], values[0][1], values if len(values) > 1 else ())
    return CellReading(line.text or UNREAD, min(line.score, 0.2))


def _without_specks(values: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    """Readings without a point or comma at the end, which is dirt: their probabilities add up."""
    chances: dict[str, float] = {}
    for text, chance in values:
        bare = text.rstrip(".,").lstrip(",") or text
        chances[bare] = chances.get(bare, 0.0) + chance
    return tuple(sorted(chances.items(), key=lambda item: -item[1]))


def _by_separators(values: tuple[tuple[str, float], ...], strip: Strip) -> CellReading:
    """A number whose comma or point parts thousands: the recogniser confuses the two, their shape decides.

    Readings that differ in nothing but these marks share their probability.
    """
    text = values[0][0]
    digits = _SEPARATOR.sub("", text)
    alike = [value for value in values if _SEPARATOR.sub("", value[0]) == digits]
    chance = min(1.0, sum(value[1] for value in alike))
    seen = separators(strip)
    count = len(_SEPARATOR.findall(text))
    if seen is not None and len(seen) == count and "?" not in seen:
        marks = iter(seen)
        shaped = _SEPARATOR.sub(lambda _: next(marks), text)
        return CellReading(shaped, 0.97 * chance, ((shaped, 0.97 * chance), (text, 0.03 * chance)))
    likely = _usual(text)
    if count > 1:
        return CellReading(
            likely, 0.9 * chance, ((likely, 0.9 * chance), (text, 0.05 * chance)) if likely != text else ()
        )
    # Neither is sure: a thousand times too much or too little is worse than no value.
    other = likely.replace(",", ".")
    return CellReading(likely, 0.6 * chance, ((likely, 0.6 * chance), (other, 0.3 * chance)))


def _usual(text: str) -> str:
    """``text`` with commas between its thousands and at most one point, behind which other than three digits stand."""
    *groups, last = _SEPARATOR.split(text)
    return ",".join(groups) + ("," if len(last) == 3 else ".") + last


def _is_word(char: str) -> bool:
    return char.isalpha()


def _is_slash(strip: Strip) -> bool:
    ys, xs = np.nonzero(strip.picture < 150)
    left, top, right, bottom = strip.box
    if len(ys) < 6 or right - left < 0.25 * (bottom - top) or not (np.ptp(xs) and np.ptp(ys)):
        return False
    return float(np.corrcoef(xs, ys)[0, 1]) < -_SLANT


def _is_dash(strip: Strip, em: float) -> bool:
    """Whether all ink is one level stroke: what stands for nothing, whatever the recogniser makes of it."""
    left, top, right, bottom = strip.box
    return bottom - top <= 0.22 * em and 1.8 * (bottom - top) <= right - left <= 2.5 * em
