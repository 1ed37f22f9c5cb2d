"""The cells of a grid in a picture to pictures of lines: what of a cell is ink, and which cells print the same.

An empty cell is decided here, by ink; nothing is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_PALE = 205  # grey; what is darker may be ink
_DARK = 150  # grey; ink is as dark as this somewhere
_WORN = 165  # grey; or as dark as this, if it is as high as a digit
_BORDER = 0.22  # em; how far a rule's ink may reach into its cell
_REACH = 0.5  # em; or lie in it, on paper that is not flat
# Shares of the side that a rule in a cell is dark: a line of print is dark for up to 0.8 of a side that runs level,
# a digit for 0.6 of an upright one.
_LEVEL = 0.9
_UPRIGHT = 0.75
_PIECE = 0.2  # em; a piece of a rule is not thicker
_BESIDE = 0.4  # em; pieces of a rule stand so near to its side
_VALUE = 4.0  # em; print that is wider is words
_STROKE = 0.16  # em; a remnant of a rule is not thicker
_MARK = 0.2  # em; a printed mark is at least as long in one direction (a dash, a digit)
_LEAST_AREA = 0.02  # em squared; so much ink a printed mark has at least
_TOUCHES = 0.1  # em; so far beyond the larger marks of a print its dots may stand
_SIGN, _SHORT_SIGN = 0.2, 0.15  # em; a minus is no higher, and no shorter
_LINE = 1.75  # em; ink higher than this is more than one line
ROOM = 1.7  # height of a value's picture, in heights of its print
LOWEST = 0.68  # em; print that is lower (a dash) is shown at the size of a digit
_SIDE = 0.5  # heights; paper left and right of a value
_LABEL_ROOM = 1.3
_MOST_GAIN = 2.2


@dataclass(frozen=True, slots=True)
class Strip:
    """The picture of one line and its place in the page's picture (left, top, right, bottom of its ink, in px)."""

    picture: Pixels
    box: tuple[int, int, int, int]


def cell_strips(grey: Pixels, box: tuple[float, float, float, float], em: float) -> list[Strip]:
    """The lines of one cell, from top to bottom; none where the cell holds no ink.

    ``box`` runs along the middle of the rules around the cell, in px.
    """
    left, top = max(0, round(box[0])), max(0, round(box[1]))
    part = grey[top : round(box[3]) + 1, left : round(box[2]) + 1]
    if min(part.shape) < 4:
        return []
    ink, dirt = _own_ink(part, em)
    if not ink.any():
        return []
    shown = _without(part, ink, dirt)
    return [_strip(shown, ink, rows, (left, top), em) for rows in _lines(ink, em)]


def _own_ink(part: Pixels, em: float) -> tuple[Pixels, Pixels]:
    """The ink of a cell, and what its rules and the scanner's dirt left in it; no ink where nothing is printed."""
    pale = np.where(part < _PALE, 255, 0).astype(np.uint8)
    ink = pale.copy()
    height, width = ink.shape
    border = max(2, round(_BORDER * em))
    _erase_rules(ink, border, em)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    # What is pale throughout shines through from behind; hairlines belong to darker strokes.
    dark = np.zeros(count, bool)
    dark[np.unique(labels[part < _DARK])] = True
    # A whole digit that a seal or a worn ribbon left pale is no blank: what it says, or that it says nothing sure,
    # is for the recogniser to tell.
    worn = np.zeros(count, bool)
    worn[np.unique(labels[part < _WORN])] = True
    dark |= worn & (stats[:, 3] >= 0.4 * em)
    kept = np.zeros(count, bool)
    for number in range(1, count):
        x, y, wide, high, area = (int(value) for value in stats[number])
        inside = x + wide > border and y + high > border and x < width - border and y < height - border
        thin = min(wide, high) <= max(3, _STROKE * em)
        along_side = (x <= 1 or y <= 1 or x + wide >= width - 1 or y + high >= height - 1) and thin
        piece = _is_piece((x, y, wide, high), (width, height), border, em)
        if not inside or along_side or piece or not dark[number]:
            continue
        kept[number] = max(wide, high) >= _MARK * em and area >= _LEAST_AREA * em * em
    kept &= ~_rests(kept, stats, (width, height), em)
    if not kept.any() or _are_remnants(stats[kept], (width, height), em):
        return np.zeros_like(ink), pale
    _keep_small(kept, stats, em)
    own = np.where(kept[labels], 255, 0).astype(np.uint8)
    return own, np.asarray(cv2.subtract(pale, own), np.uint8)


def _is_piece(mark: tuple[int, int, int, int], size: tuple[int, int], border: int, em: float) -> bool:
    """Whether a mark (left, top, width, height) is a piece of a broken rule at a side of a cell of ``size``.

    It is thin, runs along the side and begins or ends where the rule across does, which no digit reaches.
    """
    for (at, start), (thick, length), (depth, extent) in (
        (mark[:2], mark[2:], size),
        (mark[1::-1], mark[:1:-1], size[::-1]),
    ):
        near = at + thick <= _REACH * em or at >= depth - _REACH * em
        ends = start <= border + 1 or start + length >= extent - border - 1
        if near and ends and thick <= _PIECE * em and length >= max(2.5 * thick, 0.3 * em):
            return True
    return False


def _are_remnants(marks: NDArray[Any], size: tuple[int, int], em: float) -> bool:
    """Whether all marks are low specks above each other beside a side of the cell: what is left of a worn rule."""
    left, right = int(marks[:, 0].min()), int((marks[:, 0] + marks[:, 2]).max())
    beside = right <= _REACH * em or left >= size[0] - _REACH * em
    return beside and right - left <= _PIECE * em and int(marks[:, 3].max()) < 0.5 * em


def _rests(kept: NDArray[np.bool_], stats: NDArray[Any], size: tuple[int, int], em: float) -> NDArray[np.bool_]:
    """Which marks in the cell of a value are low pieces of its rules: thin, at a side, and beside the print."""
    tall = stats[kept & (stats[:, 3] >= 0.4 * em)]
    if not len(tall) or (tall[:, 0] + tall[:, 2]).max() - tall[:, 0].min() > _VALUE * em:
        return np.zeros(len(stats), bool)
    x, y, wide, high = (stats[:, column] for column in range(4))
    low = high < 0.6 * tall[:, 3].max()
    upright = low & (wide <= _PIECE * em) & ((x <= _BESIDE * em) | (x + wide >= size[0] - _BESIDE * em))
    outside = (y + high <= tall[:, 1].min()) | (y >= (tall[:, 1] + tall[:, 3]).max())
    level = outside & (high <= _PIECE * em) & ((y <= _BESIDE * em) | (y + high >= size[1] - _BESIDE * em))
    return np.asarray(upright | level, bool)


def _keep_small(kept: NDArray[np.bool_], stats: NDArray[Any], em: float) -> None:
    """Keep small and pale marks too where they are of the print: points between its digits, dots of its characters.

    Beside the print nothing small belongs to it but a sign before it; what else stands there is dirt.
    """
    boxes = stats[kept]
    left, top = (int(side) for side in boxes[:, :2].min(axis=0))
    right, bottom = (int(side) for side in (boxes[:, :2] + boxes[:, 2:4]).max(axis=0))
    starts, ends = stats[:, 0], stats[:, 0] + stats[:, 2]
    beyond = np.maximum(left - starts, ends - right)
    level = (stats[:, 1] >= top - 0.3 * em) & (stats[:, 1] + stats[:, 3] <= bottom + 0.3 * em)
    small = (stats[:, 4] >= 2) & (np.maximum(stats[:, 2], stats[:, 3]) <= 0.5 * em)
    # A minus stands before the figures, between a quarter and nearly the foot of their height.
    middle = stats[:, 1] + stats[:, 3] / 2 - top
    sign = (stats[:, 3] <= _SIGN * em) & (stats[:, 2] >= 1.3 * stats[:, 3]) & (stats[:, 2] >= _SHORT_SIGN * em)
    sign &= (ends <= left) & (ends >= left - 0.5 * em)
    sign &= (middle >= 0.25 * (bottom - top)) & (middle <= 0.85 * (bottom - top))
    belongs = (small & level & (beyond <= _TOUCHES * em)) | sign
    belongs[0] = False
    kept |= belongs


def _without(part: Pixels, ink: Pixels, dirt: Pixels) -> Pixels:
    """``part`` with its dirt, and the paler rim of it, painted as paper."""
    around = np.ones((3, 3), np.uint8)
    hidden = (cv2.dilate(dirt, np.ones((5, 5), np.uint8)) > 0) & (cv2.dilate(ink, around) == 0)
    return np.where(hidden, 255, part).astype(np.uint8)


def _erase_rules(ink: Pixels, border: int, em: float) -> None:
    """Paint the rules at the four sides of a cell as paper, along the whole side, as deep as they are thick.

    On paper that is not flat a rule lies deeper in its cell than its mean position: what is outside of it is not
    of the cell.
    """
    for side, share in ((ink, _LEVEL), (ink[::-1], _LEVEL), (ink.T, _UPRIGHT), (ink.T[::-1], _UPRIGHT)):
        depth, length = side.shape
        for at in range(min(border, depth)):
            if np.count_nonzero(side[at]) >= max(0.35 * length, 0.8 * em) or at < 2:
                side[at] = 0
        reach = min(round(_REACH * em), depth // 3)
        if length < em or reach < 3:
            continue
        near = side[:reach] > 0
        band = near[:-2] | near[1:-1] | near[2:]
        dark = np.flatnonzero(band.mean(axis=1) >= share)
        if len(dark):
            side[: int(dark[-1]) + 3] = 0
    # What is left of a slanting rule is cut off by the components that touch the border.


def _lines(ink: Pixels, em: float) -> list[tuple[int, int]]:
    """The rows (first, behind the last) of each line of a cell."""
    profile = np.count_nonzero(ink, axis=1)
    filled = np.flatnonzero(profile)
    runs: list[list[int]] = []
    for row in filled.tolist():
        if runs and row == runs[-1][1]:
            runs[-1][1] = row + 1
        else:
            runs.append([row, row + 1])
    merged: list[list[int]] = []
    for start, end in runs:
        # Strokes of one character that no ink joins (二, 三, the dots of 示) stand within one em.
        low = end - start < 0.55 * em or (merged and merged[-1][1] - merged[-1][0] < 0.55 * em)
        if merged and (start - merged[-1][1] <= 1 or (low and end - merged[-1][0] <= 1.12 * em)):
            merged[-1][1] = end
        else:
            merged.append([start, end])
    return [line for start, end in merged for line in _split(profile, start, end, em)]


def _split(profile: NDArray[np.int64], start: int, end: int, em: float) -> list[tuple[int, int]]:
    """One run of rows as lines: two lines that touch are cut where there is least ink."""
    if end - start <= _LINE * em:
        return [(start, end)]
    parts = max(2, round((end - start) / (1.3 * em)))
    cuts = [start]
    for number in range(1, parts):
        middle = start + (end - start) * number // parts
        reach = max(1, round(0.35 * em))
        window = profile[middle - reach : middle + reach]
        cuts.append(middle - reach + int(window.argmin()))
    cuts.append(end)
    return [(first, last) for first, last in zip(cuts, cuts[1:], strict=False) if last - first >= 3]


def _strip(shown: Pixels, ink: Pixels, rows: tuple[int, int], origin: tuple[int, int], em: float) -> Strip:
    columns = np.flatnonzero(ink[rows[0] : rows[1]].any(axis=0))
    first, last = (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, ink.shape[1])
    line = shown[rows[0] : rows[1], first:last]
    box = (origin[0] + first, origin[1] + rows[0], origin[0] + last, origin[1] + rows[1])
    short = last - first <= 5 * em
    return Strip(with_paper(full_contrast(line), em, ROOM if short else _LABEL_ROOM), box)


def full_contrast(line: Pixels) -> Pixels:
    """``line`` with its darkest print black: faint print and thin strokes of a coarse scan."""
    darkness = 255 - int(np.percentile(line, 1))
    gain = min(_MOST_GAIN, 245 / max(1, darkness))
    if gain <= 1.05:
        return line
    return np.asarray(255 - np.clip((255.0 - line) * gain, 0, 255), np.uint8)


def with_paper(line: Pixels, em: float, room: float) -> Pixels:
    """``line`` with as much paper around as the recogniser reads best, ``room`` times its height in all."""
    height = max(line.shape[0], round(LOWEST * em))
    above = (round(height * room) - line.shape[0]) // 2
    below = round(height * room) - line.shape[0] - above
    side = round(_SIDE * height * (1.0 if room == ROOM else 0.4))
    return np.asarray(cv2.copyMakeBorder(line, above, below, side, side, cv2.BORDER_CONSTANT, value=255), np.uint8)


def separators(strip: Strip) -> str | None:
    """The commas and points of a printed number from left to right, by whether they hang below its digits."""
    ink = np.where(strip.picture < _PALE, 255, 0).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    marks = stats[1:]
    if not len(marks):
        return None
    tallest = int(marks[:, 3].max())
    digits = marks[marks[:, 3] >= 0.75 * tallest]
    base = float(np.median(digits[:, 1] + digits[:, 3]))
    low = marks[(marks[:, 3] <= 0.5 * tallest) & (marks[:, 1] >= base - 0.4 * tallest) & (marks[:, 4] >= 2)]
    # A comma of full width may stand at the height of the middle; no point is so high.
    middle = marks[(marks[:, 3] > 0.35 * tallest) & (marks[:, 3] <= 0.65 * tallest) & (marks[:, 2] <= 0.45 * tallest)]
    middle = middle[middle[:, 1] < base - 0.4 * tallest]
    low = np.concatenate((low, middle))
    low = low[low[:, 0].argsort()]
    signs = []
    for _, top, width, height, _ in low.tolist():
        hangs = (top + height - base) / tallest
        if (hangs >= 0.1 or top < base - 0.4 * tallest) and height >= width:
            signs.append(",")
        elif abs(hangs) < 0.06 and height <= 1.3 * width:
            signs.append(".")
        else:
            signs.append("?")
    return "".join(signs)


# --- equal pictures --------------------------------------------------------------------------------------------

_SHAPE = 40  # px; the height to which prints are brought for comparing
_DIFFERENT = 0.36  # of full contrast, in the mean of 3 x 3 px: the gap by which a 3 is no 8 is larger
_MOST_SIZE = 6  # px; prints that differ more in height or width are not compared
_SMALLEST_PRINT = 12  # px; of lower print the strokes are too few pixels to be told apart


def equal_groups(strips: Sequence[Strip], em: float) -> list[list[int]]:
    """Indices of strips that print the same: nothing differs between two of a group but noise.

    Two prints are laid over each other at their centres of ink, to a fraction of a pixel. Each member is compared with
    the first of its group only, so that small differences do not add up.
    """
    groups: list[list[int]] = []
    shapes: list[Pixels] = []
    for index, strip in enumerate(strips):
        shape = _shape(strip, em)
        if shape is None:
            groups.append([index])
            shapes.append(np.zeros((0, 0), np.uint8))
            continue
        for group, other in zip(groups, shapes, strict=True):
            if _is_same(shape, other):
                group.append(index)
                break
        else:
            groups.append([index])
            shapes.append(shape)
    return groups


def _shape(strip: Strip, em: float) -> Pixels | None:
    """The print at a common scale, its centre of ink in the middle of the picture; None where it is no short line."""
    picture = strip.picture
    left, top, right, bottom = strip.box
    if bottom - top < _SMALLEST_PRINT or bottom - top > 1.3 * em or right - left > 3 * em:
        return None
    dark = 255.0 - picture.astype(np.float32)
    total = float(dark.sum())
    if total <= 0:
        return None
    scale = _SHAPE / (0.75 * em)
    x = float((dark.sum(axis=0) * np.arange(dark.shape[1])).sum()) / total
    y = float((dark.sum(axis=1) * np.arange(dark.shape[0])).sum()) / total
    wide, high = (round((side * scale + 12) / 8) * 8 for side in (right - left, bottom - top))
    move = np.array([[scale, 0.0, wide / 2 - scale * x], [0.0, scale, high / 2 - scale * y]])
    placed = cv2.warpAffine(picture, move, (wide, high), flags=cv2.INTER_LINEAR, borderValue=255)
    return np.asarray(placed, np.uint8)


def _is_same(one: Pixels, other: Pixels) -> bool:
    if one.shape != other.shape:
        return False
    difference = cv2.blur(cv2.absdiff(one, other), (3, 3))
    return float(difference.max()) <= _DIFFERENT * 255
