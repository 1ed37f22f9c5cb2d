"""Lines of writing outside grids: found by how characters follow each other, without a detection model.

On a straightened page the characters of a line are one run of ink with small gaps; a wide gap parts the pieces of a
borderless table. A detector loses lone digits, which is what such tables mostly hold; this does not.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.scan_cells import Strip, full_contrast, with_paper
from extractors.scan_image import marks_of

Pixels = NDArray[np.uint8]
PixelBox = tuple[int, int, int, int]

_GAP = 0.85  # em; characters farther apart belong to different pieces
_DOT = 0.1  # em; a smaller mark is dirt
_LOWEST = 0.3  # em; a piece that is lower is a dash or a rule's remnant
_HIGHEST = 4.0  # em; what is higher is no line of writing
_MOST_MARKS = 6000  # a page with more is a picture
_MOST_PIECES = 800  # the longest are read; a page of print has a hundred
_LINE_ROOM = 1.28


def find_pieces(ink: Pixels, em: float) -> list[PixelBox]:
    """Boxes of pieces of lines (left, top, right, bottom), in no order; ``ink`` is without rules and grids."""
    _, _, stats, _ = marks_of(ink)
    marks = np.asarray(stats[1:, :4], np.int64)
    sizes = np.maximum(marks[:, 2], marks[:, 3])
    kept = (sizes >= max(3.0, _DOT * em)) & (marks[:, 3] <= _HIGHEST * em) & (marks[:, 2] <= 30 * em)
    marks = marks[kept]
    if not len(marks) or len(marks) > _MOST_MARKS:
        return []
    picture = np.zeros(ink.shape, np.uint8)
    for left, top, width, height in marks.tolist():
        # A level stroke (一, a dash, a sign) is given body, or it would count as a bridge below.
        body = round(0.15 * em) if height < 0.3 * em and width >= 0.2 * em else 0
        picture[max(0, top - body) : top + height + body, left : left + width] = 255
    joined = _array(cv2.morphologyEx(picture, cv2.MORPH_CLOSE, np.ones((1, round(_GAP * em)), np.uint8)))
    # Bridges between lines that a few low pixels make are thinner than a character.
    joined = _array(cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((max(2, round(0.12 * em)), 1), np.uint8)))
    _, _, runs, _ = cv2.connectedComponentsWithStats(joined, connectivity=4)
    boxes = [(left, top, left + wide, top + high) for left, top, wide, high, _ in runs[1:].tolist()]
    pieces = _merged(boxes, em)
    lines = [box for box in pieces if _is_line(box, em)]
    return sorted(lines, key=lambda box: box[0] - box[2])[:_MOST_PIECES]


def _is_line(box: PixelBox, em: float) -> bool:
    width, height = box[2] - box[0], box[3] - box[1]
    # An upright mark higher than print is the edge of the paper, its shadow or the mark of a pen.
    if height > 1.25 * em and width < 0.45 * height:
        return False
    return height >= _LOWEST * em or width >= 0.3 * em


def _merged(boxes: list[PixelBox], em: float) -> list[PixelBox]:
    """Boxes that share a line and nearly touch, as one, until none do."""
    merged = sorted(boxes, key=lambda box: (box[1], box[0]))
    while True:
        result: list[PixelBox] = []
        for box in merged:
            for index in range(len(result) - 1, max(-1, len(result) - 40), -1):
                if _share_line(result[index], box, em):
                    result[index] = _union(result[index], box)
                    break
            else:
                result.append(box)
        if len(result) == len(merged):
            return result
        merged = sorted(result, key=lambda box: (box[1], box[0]))


def _share_line(one: PixelBox, other: PixelBox, em: float) -> bool:
    left, top, right, bottom = one
    start, high, end, low = other
    # Asked of thousands of pairs, most of which are far apart.
    gap = (left if left > start else start) - (right if right < end else end)
    larger = max(bottom - top, low - high)
    if gap > 0.95 * larger:
        return False
    overlap = (bottom if bottom < low else low) - (top if top > high else high)
    if overlap >= 0.7 * min(bottom - top, low - high):
        return True
    # The upper and the lower stroke of one short character (二, 三, =).
    return gap < 0 and max(bottom, low) - min(top, high) <= 1.15 * em and min(right - left, end - start) <= 2.2 * em


def _union(one: PixelBox, other: PixelBox) -> PixelBox:
    return (min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3]))


def piece_strips(grey: Pixels, pieces: Sequence[PixelBox], em: float) -> list[Strip]:
    """The pictures of pieces of lines."""
    strips = []
    for left, top, right, bottom in pieces:
        reach = max(1, round(0.06 * (bottom - top)))
        part = grey[max(0, top - reach) : bottom + reach, max(0, left - 2) : right + 2]
        room = 1.7 if right - left <= 3 * em else _LINE_ROOM
        strips.append(Strip(with_paper(full_contrast(part), em, room), (left, top, right, bottom)))
    return strips


def _array(values: object) -> Pixels:
    return np.asarray(values, dtype=np.uint8)
