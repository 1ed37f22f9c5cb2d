"""Readings of cell pictures to the text of cells: value or label, how sure, and what else it could be."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.ocr import LineReading, ValueReading, read_lines, read_values
from extractors.scan_cells import LOWEST, ROOM, Pixels, Strip, equal_groups, separators, with_paper

Patch = NDArray[np.float32]

UNREAD = "?"  # ink that no reading explains: a cell that holds it is neither blank nor a number

# Width of a long line as the recogniser sees it: down to 0.5, two characters in 3,700 change, at 60 % of the cost.
SQUEEZE = 0.6
_SHORT = 8.0  # heights; wider print is no value
_CERTAIN = 0.97  # a value read with less is looked at again
_LARGE_GROUP = 4  # of so many equal cells, two are read
_VALUE_MASS = 0.25  # below this probability the print is no value, whatever it is
_INK = 160  # grey; darker is print
_APART = 0.38  # em; paper between two digits of one number is narrower
_CLOSE = 0.2  # em; what is left of wider paper
_DARKEST = 60  # grey; print is at least as dark as this somewhere
_STAMP = 110  # grey; stamps are paler than the darkest print by at least this
_STAMPED = 215  # grey; what of a stamp is paler is hardly seen
_STAMP_INK = 1.3  # as much of a stamp's ink as of print is more than the rim of print
_UNDER_STAMP = 0.93  # probability of a sure reading of the darkest ink
_SLANT = 0.8  # correlation of x and y of the ink of a stroke that slants: a slash, no 1


_NIL_WORDS = ("无", "零")
_DOTS = (".",)
_NOTHING = ("-", "/")
# Of the probability that the recogniser gives to what is no value, what counts in a cell; beside a 0, the usual
# value, a third of it.
_WORDS = 0.2
_RIVALS = 0.09  # probability of other figures from which on none is sure
_UNSURE = 0.84
# Doubtful print against print of the same page that is beyond doubt:
_FIGURES = "0123456789零无"
_EXEMPLARS = 6  # so many prints show how much those of one character differ
_OUTWEIGHS = 0.8  # of the probability of all readings that are values
_ALIKE = 0.04  # by which print may be less like the mean of a digit than its least alike tenth is
_WORD_ALIKE = 0.75  # correlation with the mean of a word for none
_UNLIKE_OTHERS = 0.1  # by which print is less like every other figure of the page
_CERTAIN_ENOUGH = 0.85
_BY_EXEMPLAR = 0.88  # probability of a reading that two ways agree on
_FRAME = 24  # px
_LEAST_INK = 12  # px
_NARROWEST, _WIDEST = 0.25, 1.2  # width over height of one character
_UNREAD_SHAPE = 0.5
_SURE_ONE = 0.99
_WIDEST_ONE = 0.65  # of its height
_SEPARATOR = re.compile(r"[.,]")
# Before the number of a label, what is left of rules reads as dashes, or as 一 and 二.
_REST_OF_RULE = re.compile(
    r"^[-—_一二]{1,3}(?=[(（][一二三四五六七八九十]{1,2}[)）]|[一二三四五六七八九十]{1,2}、|\d{1,2}[.．、])"
)
# A minus set as a long dash is read as one or as two.
_SIGNS = re.compile(r"^-{2,}(?=\d)")
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
    text = _REST_OF_RULE.sub("", "".join(line.text for line in lines))
    if not text.strip():
        return CellReading(UNREAD, 0.0)
    return CellReading(text, sum(line.score * len(line.text) for line in lines) / len(text))


def _read_short(strips: Sequence[Strip], em: float) -> list[CellReading]:
    strips = [_closed_up(strip, em) for strip in strips]
    readings = [DASH if _is_dash(strip, em) else BLANK for strip in strips]
    printed = [index for index, reading in enumerate(readings) if reading is BLANK]
    groups = [[printed[index] for index in group] for group in equal_groups([strips[index] for index in printed], em)]
    chosen: list[int] = []
    for group in groups:
        chosen.extend(group[:1] if len(group) < _LARGE_GROUP else (group[0], group[len(group) // 2]))
    raw: dict[int, ValueReading] = {}
    read = dict(zip(chosen, read_values([strips[index].picture for index in chosen]), strict=True))
    doubtful = [index for index in chosen if _is_doubtful(read[index])]
    # Seen a little larger and fatter, and a little smaller: what stays in doubt then is doubtful.
    for look in (_closer, _softer):
        for index, again in zip(doubtful, read_values([look(strips[index]) for index in doubtful]), strict=True):
            read[index] = _pooled(read[index], again)
    for index in chosen:
        if not read[index].values or read[index].values[0][1] < _CERTAIN:
            read[index] = _without_stamp(read[index], strips[index], em)
    for group in groups:
        members = [index for index in group if index in read]
        settled = [_settled(read[index], strips[index]) for index in members]
        if len({reading.text for reading in settled}) == 1:
            shared = max(settled, key=lambda reading: reading.confidence)
            for index in group:
                readings[index] = shared
                raw[index] = read[members[0]]
            continue
        # Equal pictures with unequal readings were not equal: each is read for itself.
        for index, value in zip(group, read_values([strips[index].picture for index in group]), strict=True):
            readings[index], raw[index] = _settled(value, strips[index]), value
    return _by_exemplars(readings, raw, strips)


def _by_exemplars(
    readings: list[CellReading], raw: Mapping[int, ValueReading], strips: Sequence[Strip]
) -> list[CellReading]:
    """The readings, doubtful ones of one character settled by prints of the same page that are beyond doubt.

    The recogniser must hold the character for the likeliest value, and the print must look like others of it, as much
    as these look like each other, and clearly less like any other figure that the page has.
    """
    prints = {index: _patch(strips[index]) for index in raw}
    classes: dict[str, list[Patch]] = {}
    for index, patch in prints.items():
        if patch is not None and len(readings[index].text) == 1 and readings[index].confidence >= _CERTAIN:
            classes.setdefault(readings[index].text, []).append(patch)
    usual = {text: _usual_print(members) for text, members in classes.items() if text in _FIGURES}
    settled = list(readings)
    for index, patch in prints.items():
        text, likely = readings[index].text, _likely_figure(raw[index])
        # A sure reading of one character that is no value is none: nothing but figures stands alone in a cell.
        is_doubtful = readings[index].confidence < _CERTAIN_ENOUGH or (len(text) == 1 and text.isalpha())
        if patch is None or not is_doubtful or text in usual and text != likely:
            continue
        if len(classes.get(likely, ())) < _EXEMPLARS:
            continue
        likeness = _correlation(patch, usual[likely][0])
        others = max((_correlation(patch, found[0]) for text, found in usual.items() if text != likely), default=-1.0)
        # A digit may be like one that the page does not have; a word for none is like no digit.
        enough = _WORD_ALIKE if likely in _NIL_WORDS else usual[likely][1] - _ALIKE
        if likeness >= enough and likeness - others >= _UNLIKE_OTHERS:
            settled[index] = CellReading(likely, _BY_EXEMPLAR, ((likely, _BY_EXEMPLAR),))
    return settled


def _likely_figure(reading: ValueReading) -> str:
    """The figure or word for none of one character that outweighs all other readings that are values; else empty."""
    values = [(text, chance) for text, chance in reading.values if any(char in _FIGURES for char in text)]
    if not values or len(values[0][0]) != 1:
        return ""
    return values[0][0] if values[0][1] >= _OUTWEIGHS * sum(chance for _, chance in values) else ""


def _patch(strip: Strip) -> Patch | None:
    """The print of one character in a frame of fixed size, of mean 0 and length 1; None where it is no such print."""
    rows, columns = np.nonzero(strip.picture < _INK)
    if len(rows) < _LEAST_INK:
        return None
    part = strip.picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    height, width = part.shape
    if not _NARROWEST * height <= width <= _WIDEST * height:
        return None
    # Print is scaled by its height alone: a 1 must not become as wide as a 0.
    wide = max(1, min(_FRAME, round(width * _FRAME / height)))
    frame = np.full((_FRAME, _FRAME), 255, np.uint8)
    left = (_FRAME - wide) // 2
    frame[:, left : left + wide] = cv2.resize(part, (wide, _FRAME), interpolation=cv2.INTER_AREA)
    values = cv2.GaussianBlur(frame, (0, 0), 1.2).astype(np.float32)
    return _normalised(values)


def _normalised(values: Patch) -> Patch:
    centred = values - values.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-6), np.float32)


def _usual_print(members: Sequence[Patch]) -> tuple[Patch, float]:
    """The mean of prints, and how much the least alike tenth of them is like it."""
    mean = _normalised(np.mean(np.stack(members), axis=0))
    return mean, float(np.percentile([_correlation(patch, mean) for patch in members], 10))


def _correlation(one: Patch, other: Patch) -> float:
    return float((one * other).sum())


def _closed_up(strip: Strip, em: float) -> Strip:
    """The strip with its characters close together: full-width digits stand too far apart to be read as one number."""
    inked = np.flatnonzero((strip.picture < _INK).any(axis=0))
    if len(inked) < 2:
        return strip
    gaps = np.flatnonzero(np.diff(inked) > _APART * em)
    if not len(gaps):
        return strip
    keep = np.ones(strip.picture.shape[1], bool)
    for gap in gaps.tolist():
        keep[inked[gap] + round(_CLOSE * em / 2) + 1 : inked[gap + 1] - round(_CLOSE * em / 2)] = False
    return Strip(np.ascontiguousarray(strip.picture[:, keep]), strip.box)


def _without_stamp(reading: ValueReading, strip: Strip, em: float) -> ValueReading:
    """The reading of the darkest ink alone, if it is sure: a grey stamp over a cell is paler than its print.

    Where nothing is dark, or little is pale, the first reading stays: it may be a pale figure.
    """
    darkest = float(strip.picture.min())
    dark = strip.picture < darkest + _STAMP
    pale = (strip.picture < _STAMPED) & ~dark
    if darkest > _DARKEST or np.count_nonzero(pale) < _STAMP_INK * np.count_nonzero(dark):
        return reading
    picture = np.clip((strip.picture.astype(np.float32) - darkest) * (255.0 / _STAMP), 0, 255).astype(np.uint8)
    rows, columns = np.nonzero(dark)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    if _is_dash(Strip(picture, (int(left), int(top), int(right), int(bottom))), em):
        return replace(reading, values=(("-", _UNDER_STAMP),))
    again = read_values([with_paper(picture[top:bottom, left:right], (bottom - top) / LOWEST, ROOM)])[0]
    if again.values and again.values[0][1] >= _CERTAIN:
        return replace(again, values=((again.values[0][0], _UNDER_STAMP),))
    return reading


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
    if values and values[0][0] in _DOTS:
        # A point alone is what a worn or short dash leaves.
        return CellReading("-", max(values[0][1], 0.9))
    if values and values[0][1] >= _VALUE_MASS:
        text, chance = values[0]
        if text in ("1", "7", "-", "/") and _is_slash(strip):
            return CellReading("/", 0.95 if text == "/" else 0.9)
        if text in _NIL_WORDS and chance >= 0.5 and sum(other for _, other in values[1:]) < 0.05:
            # No other word of a value looks like it: what the recogniser would rather read is none.
            return CellReading(text, max(chance, 0.95))
        others = tuple(value for value in values if value[1] >= 0.002)
        figures = sum(other for word, other in values if any(char.isdigit() for char in word))
        if text in _NOTHING and chance >= 0.4 and figures < 0.03:
            # Whatever else the mark may be, it is no figure.
            return CellReading(text, max(chance, 0.9))
        # A cell of numbers holds one more surely than a line of text does.
        rest = max(0.0, 1.0 - sum(other for _, other in values))
        rivals = sum(other for _, other in values[1:])
        weight = _WORDS / 3 if text == "0" else _WORDS
        chance = max(chance, chance / (chance + rivals + weight * rest))
        if text == "1" and values[0][1] < _SURE_ONE and _is_wide(strip):
            # A stroke that slants, a 4 whose strokes are thin, or a 1 with something beside it.
            chance = min(chance, _UNREAD_SHAPE)
        if rivals >= _RIVALS:
            # Another figure is too likely for this one to stand unless the sums single it out.
            chance = min(chance, _UNSURE)
        if _GROUPED.search(text):
            return _by_separators(others or values[:1], strip)
        return CellReading(text, chance, others if len(others) > 1 else ())
    if line.text and any(_is_word(char) for char in line.text):
        return CellReading(line.text, line.score)
    if values:
        return CellReading(values[0][0], values[0][1], values if len(values) > 1 else ())
    return CellReading(line.text or UNREAD, min(line.score, 0.2))


def _without_specks(values: tuple[tuple[str, float], ...]) -> tuple[tuple[str, float], ...]:
    """Readings without a point or comma at the end, which is dirt, and with one sign: their probabilities add up."""
    chances: dict[str, float] = {}
    for text, chance in values:
        bare = _SIGNS.sub("-", text.rstrip(".,").lstrip(",")) or text
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
    first = _SEPARATOR.split(text)[0]
    if count == 1 and (len(first) > 3 or first.startswith("0")):
        # Before a comma of thousands stand one to three digits, the first of them no zero.
        shaped = text.replace(",", ".")
        return CellReading(shaped, 0.97 * chance, ((shaped, 0.97 * chance), (text.replace(".", ","), 0.03 * chance)))
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
    if len(ys) < 6 or right - left < 0.2 * (bottom - top) or not (np.ptp(xs) and np.ptp(ys)):
        return False
    return float(np.corrcoef(xs, ys)[0, 1]) < -_SLANT


def _is_wide(strip: Strip) -> bool:
    """Whether the print is wider than any 1."""
    left, top, right, bottom = strip.box
    return right - left > _WIDEST_ONE * (bottom - top)


def _is_dash(strip: Strip, em: float) -> bool:
    """Whether all ink is one level stroke: what stands for nothing, whatever the recogniser makes of it."""
    left, top, right, bottom = strip.box
    return bottom - top <= 0.22 * em and 1.5 * (bottom - top) <= right - left <= 2.5 * em
