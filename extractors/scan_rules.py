"""Ruling lines of a straightened page to grids: where the rules are, and what a scan broke of them closed.

Works in *units* of a tenth of the em, so that the tolerances of :mod:`extractors.grids`, which are points at a
usual print of 10 points, mean the same on every scan.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.glyphs import Glyph
from extractors.grids import (
    Centres,
    Grid,
    Lattice,
    Rule,
    build_lattice,
    components,
    lattice_grid,
    longest,
    merge_rules,
)
from extractors.scan_image import marks_of

Pixels = NDArray[np.uint8]

_LEVEL = 1.3  # em; a horizontal stroke of at least this is a rule (a heading's 一 is filtered by what it touches)
_UPRIGHT = 1.05  # em; a vertical one
_CROSSING = 2.5  # em; a stroke of at least this length runs across as a rule
_TILE = 8.0  # em; a rule is followed in pieces of this length, for paper that is not flat
_THICK = 0.34  # em; what is thicker is a fill or a picture
_SPOT, _THIN = 0.6, 0.2  # em; of a stroke that touches something: its whole height, and its thickness in the mean
_ARC, _RADIUS = 1.8, 20.0  # em; length from which on a bend is seen; rings of seals have a smaller radius
_SAGITTA = 1.5  # px; what is less bent is straight
_BREAK = 8.0  # units; a gap in a rule up to this is the scanner's
_HOLE = 30.0  # units; the same in one that nothing but a rule can be
_SMALLEST_WIDTH = 80.0  # units; a narrower grid is a character of a heading or an ornament
_SURELY = 45.0  # units; a rule of this length is no stroke of a character
_PALE = 205  # grey; thin rules come out paler than print
_CLEAR = 170  # grey; darker than what shows through
_GHOST = 75.0  # grey; rules paler than the others by more show through from the back of the sheet
_HAIRLINE = 125.0  # grey; a rule of one pixel is as pale as this, what shows through is paler
_EVIDENT = 0.7  # share of the side of a slot that is dark where a rule runs
_PALE_EVIDENT, _BARE = 0.85, 0.25  # the same of a pale rule, and at most of what is beside it
_BESIDE = 3.0  # units; how far beside
# A short rule is told from a stroke of a character by the share of the way from rule to rule that it is dark,
_THROUGHOUT = 0.95
_ALMOST = 0.92  # where no print is beside it,
_MOSTLY = 0.85  # where it is longer than two characters besides,
_HALF = 0.5  # or where it parts two others evenly.
_PIECES = 0.7  # or than three,
_TWO_LINES, _THREE_LINES = 20.0, 33.0  # units
_EVENLY = 0.06  # of the distance of two rules; how far one that parts them evenly may be from their middle
_LEAST_LEFT = 0.3  # share of its length that is left of a rule of which a scan lost a part
# Any rule is told by the share of its own length that it is dark; strokes of characters in a line are so for up to 0.9.
_UNBROKEN = 0.95
_NEARLY = 0.82  # beside which there is hardly any ink
_PIECE = 0.93  # a piece between two rules across it
_CROWDED = 0.6  # share of a piece with ink close to it, from which on it is a stroke of a character
_ASIDE_MOST = 0.3  # share of a rule's length with ink close to it, on either side
_ALONE = 0.16  # the same of a rule that no character can be
_ASIDE = 0.15  # em; how close
_LONG = 80.0  # units
_SNAPPED = 3.1  # units; strokes so near to a rule may be parts of it
_DRIFT = 6.0  # units; so far a rule drifts from its position between two of its pieces
_MEETING = 8.0  # units; pieces of one rule run beside each other for no longer
_FAR = 15.0  # units; and are no farther apart
_MOST_BANDS = 0.6  # share of the rows (columns) through which a rule runs that a scan may have lost in one
_CLEARANCE = 1.0  # units; print keeps so far from a rule
_REST = 0.2  # share of a side that is left of a rule there
_APART = 8.0  # units; what stands in two cells is as far apart, characters of one text, brackets too, are not
_AT_RULE = 2.5  # units; a mark so narrow and so near to where a rule should run is what is left of it
_REACH = 6.0  # units; a rule ends at another if it comes this near


@dataclass(frozen=True, slots=True)
class _Stroke:
    """A straight dark stroke: its place in units, its mean grey, and shares of its length.

    ``dark``: where it is dark itself, gaps that were closed left out. ``before``, ``behind``: where there is ink
    close to it, above and below of a level stroke, left and right of an upright one.
    """

    rule: Rule
    grey: float
    dark: float
    before: float
    behind: float

    @property
    def length(self) -> float:
        """In units."""
        return self.rule.end - self.rule.start


@dataclass(frozen=True, slots=True)
class Ruling:
    """The rules of a page, in units; ``alone`` are those beside which there is no print."""

    horizontal: list[Rule]
    vertical: list[Rule]
    alone: frozenset[Rule]


def find_rules(grey: Pixels, em: float) -> Ruling:
    """The rules of a page, pieces of one rule joined."""
    # Thin rules come out paler than print: what is a little darker than paper counts, if it runs straight.
    level = list(_level_strokes(grey, em, _LEVEL))
    upright = list(_level_strokes(np.ascontiguousarray(grey.T), em, _UPRIGHT))
    darkest = max(_usual_darkness([*level, *upright]) + _GHOST, _HAIRLINE)
    horizontal, alone = _joined([stroke for stroke in level if stroke.grey <= darkest])
    vertical, also_alone = _joined([stroke for stroke in upright if stroke.grey <= darkest])
    # What a scan broke of the level rules is mended first: it tells where the upright ones may end.
    horizontal, alone = _bridged(horizontal, vertical, alone)
    vertical, also_alone = _bridged(vertical, horizontal, also_alone)
    return Ruling(horizontal, vertical, alone | also_alone)


def _bridged(
    rules: Sequence[Rule], across: Sequence[Rule], alone: frozenset[Rule]
) -> tuple[list[Rule], frozenset[Rule]]:
    """Pieces in one line that stand alone joined over a gap, and which rules stand alone.

    A merged cell leaves a gap that begins and ends at rules across; another one is the scanner's.
    """
    joined: list[Rule] = []
    lonely = set(alone)
    for rule in rules:
        last = joined[-1] if joined else None
        if last is not None and {last, rule} <= lonely and _is_one(last, rule, across):
            joined[-1] = Rule(last.at, last.start, rule.end)
            lonely.add(joined[-1])
        else:
            joined.append(rule)
    return joined, frozenset(lonely)


def _is_one(before: Rule, behind: Rule, across: Sequence[Rule]) -> bool:
    if before.at != behind.at or not 0 <= behind.start - before.end <= _HOLE:
        return False
    if max(before.end - before.start, behind.end - behind.start) < _TWO_LINES:
        return False
    ends = (before.end, behind.start)
    here = [rule.at for rule in across if rule.start - _REACH <= before.at <= rule.end + _REACH]
    return not all(any(abs(at - end) <= _REACH for at in here) for end in ends)


def _joined(strokes: Sequence[_Stroke]) -> tuple[list[Rule], frozenset[Rule]]:
    """Strokes in one line as one rule, and which of them stand alone.

    Strokes of characters that stand in a line are no rule: they are no straight one, and others stand beside them.
    """
    # What is surely no rule must not draw one that is near to it aside.
    strokes = [
        stroke
        for stroke in strokes
        if stroke.length >= _SURELY or (stroke.dark >= _PIECE and _beside([stroke]) <= _CROWDED)
    ]
    rules = longest(merge_rules([stroke.rule for stroke in strokes]))
    ordered = sorted(strokes, key=lambda stroke: stroke.rule.at)
    places = [stroke.rule.at for stroke in ordered]
    kept: list[Rule] = []
    crowded: list[Rule] = []
    for rule in rules:
        near = ordered[bisect_left(places, rule.at - _SNAPPED) : bisect_right(places, rule.at + _SNAPPED)]
        parts = [part for part in near if part.rule.start >= rule.start - 0.1 and part.rule.end <= rule.end + 0.1]
        dark, beside = _covered(rule, parts), _beside(parts)
        # A worn rule has gaps; nothing but rules is so long and so far from all print.
        worn = rule.end - rule.start >= _LONG and dark >= 0.5 and beside <= 0.1
        # Pieces that are dark throughout are those of a broken rule; strokes of characters have gaps themselves.
        broken = dark >= _MOSTLY and _own_darkness(parts) >= _UNBROKEN
        if dark >= _UNBROKEN or broken or (dark >= _NEARLY and beside <= _ASIDE_MOST) or worn:
            kept.append(rule)
            crowded.extend([rule] if beside > _ALONE else [])
    whole = _without_breaks(kept)
    return whole, frozenset(rule for rule in whole if not any(_is_part(other, rule) for other in crowded))


def _is_part(piece: Rule, rule: Rule) -> bool:
    return piece.at == rule.at and rule.start <= piece.start and piece.end <= rule.end


def _beside(parts: Sequence[_Stroke]) -> float:
    """The share of the parts' length with print close to it, on the side that has more."""
    whole = sum(part.length for part in parts) or 1.0
    before = sum(part.before * part.length for part in parts)
    behind = sum(part.behind * part.length for part in parts)
    return max(before, behind) / whole


def _own_darkness(parts: Sequence[_Stroke]) -> float:
    """The share of the parts' length that is dark, whatever is between them."""
    return sum(part.dark * part.length for part in parts) / (sum(part.length for part in parts) or 1.0)


def _covered(rule: Rule, parts: Sequence[_Stroke]) -> float:
    """The share of ``rule`` that is dark; of parts beside each other the darkest counts."""
    shares = np.zeros(max(1, round(rule.end - rule.start)))
    for part in parts:
        span = slice(round(part.rule.start - rule.start), max(1, round(part.rule.end - rule.start)))
        shares[span] = np.maximum(shares[span], part.dark)
    return float(shares.mean())


def _usual_darkness(strokes: Sequence[_Stroke]) -> float:
    """The grey of the darker third of all strokes, by length: that of this side of the paper."""
    ranked = sorted((stroke.grey, stroke.length) for stroke in strokes)
    third = sum(length for _, length in ranked) / 3
    for darkness, length in ranked:
        third -= length
        if third <= 0:
            return darkness
    return 0.0


def _level_strokes(grey: Pixels, em: float, shortest: float) -> Iterator[_Stroke]:
    """Horizontal strokes; a stroke may lose a few pixels and climb by one between."""
    mask = np.asarray(cv2.threshold(grey, _PALE - 1, 255, cv2.THRESH_BINARY_INV)[1], np.uint8)
    length = round(shortest * em)
    gap = max(3, round(0.2 * em))
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, gap), np.uint8))
    thick = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((round(_THICK * em) + 1, length), np.uint8))
    joined = cv2.subtract(joined, cv2.dilate(thick, np.ones((3, 3), np.uint8)))
    spread = cv2.dilate(joined, np.ones((3, 1), np.uint8))
    strokes = cv2.bitwise_and(cv2.morphologyEx(spread, cv2.MORPH_OPEN, np.ones((1, length), np.uint8)), joined)
    # Where a rule ends at another, strokes of characters may touch that one too: each is to be seen alone.
    crossing = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((round(_CROSSING * em), 1), np.uint8))
    strokes = cv2.subtract(strokes, cv2.dilate(crossing, np.ones((1, 3), np.uint8)))
    tile = round(_TILE * em)
    aside = max(2, round(_ASIDE * em))
    reach = round(_THICK * em) + 2
    for start in range(0, mask.shape[1], tile):
        part = np.ascontiguousarray(strokes[:, start : start + tile], np.uint8)
        count, labels, stats, centres = marks_of(part)
        inked = cv2.findNonZero(part)
        places = tuple(inked.reshape(-1, 2).T[::-1]) if inked is not None else ((), ())
        sums = np.bincount(labels[places], grey[:, start : start + tile][places], count)
        means = sums[1:] / np.maximum(1, stats[1:, 4])
        found = zip(stats[1:].tolist(), centres[1:].tolist(), means.tolist(), strict=True)
        for number, ((left, top, width, height, area), (_, middle), darkness) in enumerate(found, start=1):
            if _is_flat(width, height, area, em) and width >= 0.25 * em:
                if (
                    width >= _ARC * em
                    and height >= 4
                    and _is_arc(labels[top : top + height, left : left + width] == number, em)
                ):
                    continue
                line = mask[round(middle)]
                low = start + left - _run(line[max(0, start + left - reach) : start + left][::-1])
                high = start + left + width + _run(line[start + left + width :][:reach])
                rule = Rule((middle + 0.5) * 10 / em, low * 10 / em, high * 10 / em)
                columns = mask[:, start + left : start + left + width]
                yield _Stroke(
                    rule,
                    darkness,
                    _share(columns[max(0, top - 1) : top + height + 1]),
                    _share(columns[max(0, top - aside - 2) : max(0, top - aside)]),
                    _share(columns[top + height + aside : top + height + aside + 2]),
                )


def _is_flat(width: int, height: int, area: int, em: float) -> bool:
    """Whether a mark is a stroke: low, or low but for a spot where it touches what is beside it."""
    return height <= _THICK * em + 2 or (height <= _SPOT * em and area <= _THIN * em * width)


def _is_arc(mark: NDArray[np.bool_], em: float) -> bool:
    """Whether a stroke bends as the ring of a seal does; paper bends far less."""
    counts = mark.sum(axis=0)
    columns = np.flatnonzero(counts)
    middles = (mark * np.arange(len(mark))[:, None]).sum(axis=0)[columns] / counts[columns]
    bend = abs(float(np.polyfit(columns, middles, 2)[0]))
    return bend * len(columns) ** 2 / 4 >= _SAGITTA and bend * 2 * _RADIUS * em >= 1


def _run(line: Pixels) -> int:
    """How many pixels at the beginning of ``line`` are dark: those of a rule across."""
    if not len(line):
        return 0
    light = int(line.argmin())
    return len(line) if line[light] else light


def _share(rows: Pixels) -> float:
    """The share of columns in which something is dark."""
    return int(np.count_nonzero(rows.any(axis=0))) / rows.shape[1] if rows.size else 0.0


def ruled_grids(ruling: Ruling, grey: Pixels, marks: NDArray[np.int32], em: float) -> tuple[list[Grid], list[Rule]]:
    """The grids that rules close, and the horizontal rules that belong to none; ``marks`` are character boxes in px."""
    unit = 10 / em
    glyphs = [
        Glyph("?", left * unit, top * unit, (left + width) * unit, (top + height) * unit, 10.0)
        for left, top, width, height, area in marks.tolist()
        if max(width, height) >= 0.25 * em
    ]
    centres = Centres(glyphs)
    horizontal, vertical = (_undrifted(rules) for rules in _without_strokes(ruling, grey, unit))
    vertical = _mended(vertical)
    grids, loose = [], []
    for rows, cols in components(horizontal, vertical, touch=_REACH):
        if not _is_large(rows, cols):
            continue
        lattice = build_lattice(rows, cols, centres, together=2 * _REACH if cols else _REACH)
        if lattice is None or len(lattice.xs) < 3:
            loose.extend(rows)
            continue
        _add_evident(lattice, grey, unit)
        _add_parting(lattice, glyphs)
        grids.append(lattice_grid(lattice))
    grids = [grid for grid in grids if len(grid.cells) >= 2]
    return sorted(grids, key=lambda grid: (grid.box[1], grid.box[0])), loose


def _add_evident(lattice: Lattice, grey: Pixels, unit: float) -> None:
    """Add the sides of slots that are dark along most of their length, though in pieces too short to be found.

    Writing in a merged cell crosses a line that goes on elsewhere, but it never follows it that far. A pale side is
    evident too if nothing stands beside it.
    """
    aside = max(3, round(_BESIDE / unit))
    upright = np.ascontiguousarray(grey.T)
    for picture, rules, sides in (
        (grey, lattice.horizontal, lattice.xs),
        (upright, lattice.vertical, lattice.ys),
    ):
        for at, found in rules.items():
            row = round(at / unit)
            band, before, behind = (
                picture[max(0, near - reach) : near + reach + 1].min(axis=0, initial=255)
                for near, reach in ((row, 2), (row - aside, 1), (row + aside, 1))
            )
            for start, end in pairwise(sides):
                side = slice(round(start / unit), max(round(start / unit) + 1, round(end / unit)))
                bare = max(np.mean(near[side] < _PALE) for near in (before, behind)) <= _BARE
                if np.mean(band[side] < _CLEAR) >= _EVIDENT or (bare and np.mean(band[side] < _PALE) >= _PALE_EVIDENT):
                    found.append(Rule(at, start, end))


def _add_parting(lattice: Lattice, glyphs: Sequence[Glyph]) -> None:
    """Add sides that a scan lost wholly: the slots beyond have them, and print keeps clear of them on both sides.

    What is written in a cell that is merged runs across its middle, or stands on one side of it.
    """
    boxes = [glyph.box for glyph in glyphs]
    flipped = [(top, left, bottom, right) for left, top, right, bottom in boxes]
    for prints, rules, ats, bands in (
        (boxes, lattice.vertical, lattice.xs, lattice.ys),
        (flipped, lattice.horizontal, lattice.ys, lattice.xs),
    ):
        ordered = sorted(prints, key=lambda box: box[1] + box[3])
        middles = [(box[1] + box[3]) / 2 for box in ordered]
        within = [ordered[bisect_left(middles, low) : bisect_left(middles, high)] for low, high in pairwise(bands)]
        for before, at, behind in zip(ats, ats[1:], ats[2:], strict=False):
            covered = [_covers(rules[at], low, high) for low, high in pairwise(bands)]
            has = [share >= _HALF for share in covered]
            for number, (low, high) in enumerate(pairwise(bands)):
                if has[number] or not _is_usual(has, number):
                    continue
                rest = covered[number] >= max(_REST, _AT_RULE / (high - low))
                if _parts((before, at, behind), (low, high), within[number], is_rest=rest):
                    rules[at].append(Rule(at, low, high))


def _covers(rules: Sequence[Rule], low: float, high: float) -> float:
    """The share of the way from ``low`` to ``high`` along which a rule runs."""
    return sum(max(0.0, min(rule.end, high) - max(rule.start, low)) for rule in rules) / (high - low)


def _is_usual(has: Sequence[bool], number: int) -> bool:
    """Whether a rule runs through the bands on both sides of one that has none, or on one and through most."""
    around = [has[near] for near in (number - 1, number + 1) if 0 <= near < len(has)]
    return (len(around) == 2 and all(around)) or (any(around) and sum(has) >= _MOST_BANDS * len(has))


def _parts(
    ats: tuple[float, float, float],
    band: tuple[float, float],
    prints: Sequence[tuple[float, float, float, float]],
    is_rest: bool,
) -> bool:
    """Whether a rule ran at the middle of ``ats``: a rest of it is there, or print stands on both sides.

    No print stands across it.
    """
    before, at, behind = ats
    left_end, right_start = float("-inf"), float("inf")
    for left, top, right, bottom in prints:
        if bottom - top <= _AT_RULE and (top <= band[0] + _AT_RULE or bottom >= band[1] - _AT_RULE):
            continue  # what is left of the rule across
        if abs(left + right - 2 * at) <= 2 * _AT_RULE and right - left <= _AT_RULE:
            is_rest = is_rest or top <= band[0] + _AT_RULE or bottom >= band[1] - _AT_RULE
            continue
        if left < at + _CLEARANCE and right > at - _CLEARANCE:
            return False
        if before < (left + right) / 2 < at:
            left_end = max(left_end, right)
        if at < (left + right) / 2 < behind:
            right_start = min(right_start, left)
    return is_rest or _APART <= right_start - left_end < behind - before


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


def _undrifted(rules: list[Rule]) -> list[Rule]:
    """Pieces of one rule that drifts, on paper that is not flat, at one position: each begins where another ends."""
    groups: list[list[Rule]] = []
    for rule in sorted(rules, key=lambda rule: rule.start - rule.end):
        group = next((group for group in groups if any(_continues(rule, other) for other in group)), None)
        if group is None or any(_overlap(rule, other) > _MEETING for other in group):
            groups.append([rule])
        else:
            group.append(rule)
    placed: list[Rule] = []
    for group in groups:
        at = sum(rule.at * (rule.end - rule.start) for rule in group) / sum(rule.end - rule.start for rule in group)
        placed.extend(Rule(at, rule.start, rule.end) for rule in group)
    return sorted(placed)


def _continues(rule: Rule, other: Rule) -> bool:
    return abs(rule.at - other.at) <= _DRIFT and -_overlap(rule, other) <= _FAR


def _overlap(rule: Rule, other: Rule) -> float:
    """How far two rules run beside each other; below zero: how far they are apart."""
    return min(rule.end, other.end) - max(rule.start, other.start)


def _without_strokes(ruling: Ruling, grey: Pixels, unit: float) -> tuple[list[Rule], list[Rule]]:
    """Rules without the strokes of characters: short ones that do not run from rule to rule.

    Where rows are hardly higher than their print, a stroke comes near to the rules above and below it, but it does
    not reach them.
    """
    upright = np.ascontiguousarray(grey.T)
    horizontal, vertical = ruling.horizontal, ruling.vertical
    for _ in range(2):
        kept = [rule for rule in horizontal if _is_long(rule) or _reach(rule, vertical, grey, unit) >= _THROUGHOUT]
        whole = [
            rule for rule in vertical if _is_long(rule) or _reach(rule, kept, upright, unit) >= _enough(rule, ruling)
        ]
        rest = (set(vertical) - set(whole)) & ruling.alone
        vertical = whole + [part for rule in rest for part in _crossing_parts(rule, kept, upright, unit)]
        horizontal = kept
    found = set(vertical)
    vertical += [
        rule
        for rule in ruling.vertical
        if rule in ruling.alone
        and rule not in found
        and _between(rule, found)
        and _reach(rule, horizontal, upright, unit) >= _HALF
    ]
    return horizontal, sorted(vertical)


def _crossing_parts(rule: Rule, across: Sequence[Rule], picture: Pixels, unit: float) -> Iterator[Rule]:
    """What runs from rule to rule of an upright rule that goes on beyond one of them, as no stroke of print does."""
    ats = sorted({other.at for other in across if other.start - _REACH <= rule.at <= other.end + _REACH})
    if not any(rule.start + _REACH < at < rule.end - _REACH for at in ats):
        return
    for low, high in pairwise(ats):
        part = Rule(rule.at, max(rule.start, low), min(rule.end, high))
        if part.end - part.start > _REACH and _reach(part, across, picture, unit) >= _MOSTLY:
            yield part


def _mended(rules: list[Rule]) -> list[Rule]:
    """Upright rules, of which a scan lost a part, as long as the two between which they stand evenly."""
    mended = set()
    for rule in rules:
        found = _between(rule, rules)
        if found and rule.end - rule.start >= _LEAST_LEFT * (found[1] - found[0]):
            rule = Rule(rule.at, min(rule.start, found[0]), max(rule.end, found[1]))
        mended.add(rule)
    return sorted(mended)


def _between(rule: Rule, others: Iterable[Rule]) -> tuple[float, float] | None:
    """Where the two rules begin and end in whose middle ``rule`` stands, if they do so together; else None."""
    around = [
        other
        for other in others
        if other.start <= rule.start + _REACH and other.end >= rule.end - _REACH and abs(other.at - rule.at) > _DRIFT
    ]
    left = max((other for other in around if other.at < rule.at), default=None)
    right = min((other for other in around if other.at > rule.at), default=None)
    if left is None or right is None:
        return None
    alike = abs(left.start - right.start) <= _REACH and abs(left.end - right.end) <= _REACH
    evenly = abs((rule.at - left.at) - (right.at - rule.at)) <= _EVENLY * (right.at - left.at)
    return (max(left.start, right.start), min(left.end, right.end)) if alike and evenly else None


def _enough(rule: Rule, ruling: Ruling) -> float:
    """The share of its way that a short upright rule has to be dark, by how unlike a character's stroke it is."""
    if rule not in ruling.alone:
        return _THROUGHOUT
    if rule.end - rule.start >= _THREE_LINES:
        return _PIECES
    return _MOSTLY if rule.end - rule.start >= _TWO_LINES else _ALMOST


def _is_long(rule: Rule) -> bool:
    return rule.end - rule.start >= _SURELY


def _reach(rule: Rule, across: Sequence[Rule], picture: Pixels, unit: float) -> float:
    """The share of the way between the rules that ``rule`` runs between that is dark; 0 where it does not."""
    ends = [other.at for other in across if other.start - _REACH <= rule.at <= other.end + _REACH]
    low = max((at for at in ends if at <= rule.start + _REACH), default=None)
    high = min((at for at in ends if at >= rule.end - _REACH), default=None)
    if low is None or high is None or high - low <= 3:
        return 0.0
    row, extent = round(rule.at / unit), slice(round(low / unit), round(high / unit))
    # Rules near to each other are put at their mean position: the one at hand may lie a little beside it.
    near = round(_SNAPPED / unit)
    dark = np.where(picture[max(0, row - near - 1) : row + near + 2, extent] < _PALE, 255, 0).astype(np.uint8)
    return max(_share(dark[top : top + 3]) for top in range(max(1, len(dark) - 2)))


def _is_large(rows: Sequence[Rule], cols: Sequence[Rule]) -> bool:
    return bool(rows) and max(rule.end for rule in rows) - min(rule.start for rule in rows) >= _SMALLEST_WIDTH
