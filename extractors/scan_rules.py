"""Ruling lines of a straightened page to grids: where the rules are, and what a scan broke of them closed.

Works in *units* of a tenth of the em, so that the tolerances of :mod:`extractors.grids`, which are points at a
usual print of 10 points, mean the same on every scan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.glyphs import Glyph
from extractors.grids import (
    Centres,
    Drawing,
    Grid,
    Lattice,
    Rule,
    build_lattice,
    components,
    lattice_grid,
    longest,
    merge_rules,
)

Pixels = NDArray[np.uint8]

_LEVEL = 1.3  # em; a horizontal stroke of at least this is a rule (a heading's 一 is filtered by what it touches)
_UPRIGHT = 1.05  # em; a vertical one
_TILE = 8.0  # em; a rule is followed in pieces of this length, for paper that is not flat
_THICK = 0.34  # em; what is thicker is a fill or a picture
_BREAK = 8.0  # units; a gap in a rule up to this is the scanner's
_SMALLEST_WIDTH = 80.0  # units; a narrower grid is a character of a heading or an ornament
_SURELY = 45.0  # units; a rule of this length is no stroke of a character
_PALE = 205  # grey; thin rules come out paler than print
_CLEAR = 170  # grey; darker than what shows through
_GHOST = 75.0  # grey; rules paler than the others by more show through from the back of the sheet
_EVIDENT = 0.7  # share of the side of a slot that is dark where a rule runs
_REACH = 6.0  # units; a rule ends at another if it comes this near


def find_rules(grey: Pixels, em: float) -> Drawing:
    """The rules of a page, in units."""
    # Thin rules come out paler than print: what is a little darker than paper counts, if it runs straight.
    level = list(_level_rules(grey, em, _LEVEL))
    upright = list(_level_rules(np.ascontiguousarray(grey.T), em, _UPRIGHT))
    darkest = _usual_darkness([*level, *upright]) + _GHOST
    return Drawing(
        horizontal=[rule for rule, darkness in level if darkness <= darkest],
        vertical=[rule for rule, darkness in upright if darkness <= darkest],
    )


def _usual_darkness(rules: Sequence[tuple[Rule, float]]) -> float:
    """The grey of the darker half of all rules, by length: that of this side of the paper."""
    ranked = sorted((darkness, rule.end - rule.start) for rule, darkness in rules)
    half = sum(length for _, length in ranked) / 3
    for darkness, length in ranked:
        half -= length
        if half <= 0:
            return darkness
    return 0.0


def _level_rules(grey: Pixels, em: float, shortest: float) -> Iterator[tuple[Rule, float]]:
    """Horizontal strokes with their mean grey; a stroke may lose a few pixels and climb by one between."""
    mask = np.where(grey < _PALE, 255, 0).astype(np.uint8)
    length = round(shortest * em)
    gap = max(3, round(0.2 * em))
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, gap), np.uint8))
    thick = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((round(_THICK * em) + 1, length), np.uint8))
    joined = cv2.subtract(joined, cv2.dilate(thick, np.ones((3, 3), np.uint8)))
    spread = cv2.dilate(joined, np.ones((3, 1), np.uint8))
    strokes = cv2.bitwise_and(cv2.morphologyEx(spread, cv2.MORPH_OPEN, np.ones((1, length), np.uint8)), joined)
    tile = round(_TILE * em)
    for start in range(0, mask.shape[1], tile):
        part = np.ascontiguousarray(strokes[:, start : start + tile])
        count, labels, stats, centres = cv2.connectedComponentsWithStats(part, connectivity=8)
        places = np.nonzero(part)
        sums = np.bincount(labels[places], grey[:, start : start + tile][places], count)
        means = sums[1:] / np.maximum(1, stats[1:, 4])
        found = zip(stats[1:].tolist(), centres[1:].tolist(), means.tolist(), strict=True)
        for (left, _, width, height, _), (_, middle), darkness in found:
            if height <= _THICK * em + 2 and width >= 0.25 * em:
                rule = Rule((middle + 0.5) * 10 / em, (start + left) * 10 / em, (start + left + width) * 10 / em)
                yield rule, darkness


def ruled_grids(drawing: Drawing, grey: Pixels, marks: NDArray[np.int32], em: float) -> tuple[list[Grid], list[Rule]]:
    """The grids that rules close, and the horizontal rules that belong to none; ``marks`` are character boxes in px."""
    unit = 10 / em
    glyphs = [
        Glyph("?", left * unit, top * unit, (left + width) * unit, (top + height) * unit, 10.0)
        for left, top, width, height, area in marks.tolist()
        if max(width, height) >= 0.25 * em
    ]
    centres = Centres(glyphs)
    horizontal = longest(_without_breaks(merge_rules(drawing.horizontal)))
    vertical = longest(_without_breaks(merge_rules(drawing.vertical)))
    horizontal, vertical = _without_strokes(horizontal, vertical)
    grids, loose = [], []
    for rows, cols in components(horizontal, vertical, touch=_REACH):
        if not _is_large(rows, cols):
            continue
        lattice = build_lattice(rows, cols, centres)
        if lattice is None or len(lattice.xs) < 3:
            loose.extend(rows)
            continue
        _add_evident(lattice, grey, unit)
        grids.append(lattice_grid(lattice))
    grids = [grid for grid in grids if len(grid.cells) >= 2]
    return sorted(grids, key=lambda grid: (grid.box[1], grid.box[0])), loose


def _add_evident(lattice: Lattice, grey: Pixels, unit: float) -> None:
    """Add the sides of slots that are dark along most of their length, though in pieces too short to be found.

    Writing in a merged cell crosses a line that goes on elsewhere, but it never follows it that far.
    """
    upright = np.ascontiguousarray(grey.T)
    for picture, rules, sides in (
        (grey, lattice.horizontal, lattice.xs),
        (upright, lattice.vertical, lattice.ys),
    ):
        for at, found in rules.items():
            row = round(at / unit)
            band = picture[max(0, row - 2) : row + 3].min(axis=0, initial=255) < _CLEAR
            for start, end in pairwise(sides):
                part = band[round(start / unit) : round(end / unit)]
                if len(part) and np.mean(part) >= _EVIDENT:
                    found.append(Rule(at, start, end))


def _without_breaks(rules: Sequence[Rule]) -> list[Rule]:
    """Rules at one position joined over gaps that a scan leaves; a merged cell leaves a wider one."""
    joined: list[Rule] = []
    for rule in rules:
        last = joined[-1] if joined else None
        if last is not None and last.at == rule.at and 0 <= rule.start - last.end <= _BREAK:
            joined[-1] = Rule(last.at, last.start, rule.end)
        else:
            joined.append(rule)
    return joined


def _without_strokes(horizontal: list[Rule], vertical: list[Rule]) -> tuple[list[Rule], list[Rule]]:
    """Rules without the strokes of characters: short ones that do not run from rule to rule.

    A piece of a broken rule is kept where a longer one stands at the same position.
    """
    for _ in range(2):
        kept = [rule for rule in horizontal if _runs_between(rule, vertical) or _is_piece(rule, horizontal)]
        vertical = [rule for rule in vertical if _runs_between(rule, kept) or _is_piece(rule, vertical)]
        horizontal = kept
    return horizontal, vertical


def _runs_between(rule: Rule, across: Sequence[Rule]) -> bool:
    if rule.end - rule.start >= _SURELY:
        return True
    ends = [other.at for other in across if other.start - _REACH <= rule.at <= other.end + _REACH]
    near_start = any(abs(at - rule.start) <= _REACH for at in ends)
    return near_start and any(abs(at - rule.end) <= _REACH and at > rule.start + 3 for at in ends)


def _is_piece(rule: Rule, rules: Sequence[Rule]) -> bool:
    return any(other.at == rule.at and other is not rule and other.end - other.start >= _SURELY for other in rules)


def _is_large(rows: Sequence[Rule], cols: Sequence[Rule]) -> bool:
    return bool(rows) and max(rule.end for rule in rows) - min(rule.start for rule in rows) >= _SMALLEST_WIDTH
