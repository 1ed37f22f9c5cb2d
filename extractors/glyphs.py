"""Printed characters to lines and to the text of a cell: geometry of one page, top-left origin, PDF points.

A glyph is what a page draws: a character with its box. Everything here is independent of the library that read
the page, and of what the characters say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from extractors.document import union
from extractors.report import Box

# The part of the em below the baseline. Font descriptors lie about it too often to be asked: with one constant,
# all glyphs that stand on one baseline have comparable boxes, whatever their font.
DESCENT = 0.14

# All in em (the size of the glyph before the gap).
_SAME_LINE = 0.45  # baselines that differ by less stand on one line
_SAME_GLYPH = 0.2  # two equal characters nearer than this are one, printed twice to look bold
_LETTER_GAP = 0.35  # digits and letters nearer than this belong together, even with a blank glyph between
_SPACED_GAP = 1.05  # single digits at equal distances up to this are one number, letter-spaced
_PROSE_GAP = 0.7  # from here on a gap without a blank glyph is a space, between Han characters too
NO_GAP = 0.06  # digits of one number that is drawn in one go follow each other that closely
VALUE_GAP = 0.35  # from here on two digits of a line without rules belong to two numbers
PIECE_GAP = 1.0  # from here on two stretches of a line stand in different columns
# A number as a table prints it (with a sign, a change in words, a unit), or a mark that stands for none.
_VALUE = re.compile(
    r"(增加?|减少?)?[+\-—–－＋]?[\d０-９][\d０-９,，.．]{0,15}[%％]?([件条个次项元人篇]|万元|亿元)?[⁰¹²³⁴-⁹]{0,3}"
    r"|[/／—–－\-]{1,4}|[零无]"
)
_RAISED = dict(zip("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True))
_NEAR_PT = 4.0  # points; squares in which the figure before a mark is looked for
_SMALLER = 0.8  # of the size of the figure that it stands behind: the mark of a note
# The number before the label of a row: (三), 三、, 3.
_NUMBERED = re.compile(r"[（(][一二三四五六七八九十]+[)）]|[一二三四五六七八九十]+、|\d{1,2}[.．、](?!\d)")
_NUMBER_GAP = 0.3  # from here on a gap before such a number parts the labels of two columns
_CELL_PADDING = 12.0  # points, both sides together: what office programs leave free in a cell (2 x 5.4 pt)


class Glyph(NamedTuple):
    """One drawn character (or ligature). A tuple, not a dataclass: a report has ten thousand of them.

    ``size`` is the font's em in points; ``turn`` the direction of writing in degrees counter-clockwise
    (0, 90, 180, 270), or -1 for any other slant.
    """

    text: str
    x0: float
    top: float
    x1: float
    bottom: float
    size: float
    turn: int = 0

    @property
    def box(self) -> Box:
        """Left, top, right, bottom."""
        return (self.x0, self.top, self.x1, self.bottom)


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a text (offsets into it) and the box of its glyphs."""

    start: int
    end: int
    box: Box


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one line without a wide gap."""

    glyphs: tuple[Glyph, ...]
    box: Box
    text: str

    @property
    def is_value(self) -> bool:
        """Whether it is a number, or one of the marks that stand for none."""
        return is_value(self.text)


def group_lines(glyphs: Iterable[Glyph]) -> list[list[Glyph]]:
    """Lines from top to bottom, each from left to right; blanks stay, characters printed twice are dropped.

    Glyphs whose ``turn`` is not 0 are not expected here.
    """
    lines: list[list[Glyph]] = []
    first = -math.inf
    for glyph in sorted(glyphs, key=_baseline):
        baseline = _baseline(glyph)
        if lines and baseline - first <= _SAME_LINE * min(glyph.size, lines[-1][0].size):
            lines[-1].append(glyph)
        else:
            lines.append([glyph])
            first = baseline
    return [_without_doubles(sorted(line, key=lambda glyph: glyph.x0)) for line in lines]


def pieces_of(line: Sequence[Glyph]) -> list[Piece]:
    """The stretches of a line that stand apart, blank glyphs left out; numbers part sooner than words."""
    groups: list[list[Glyph]] = []
    visible = [glyph for glyph in line if not glyph.text.isspace()]
    for index, glyph in enumerate(visible):
        if groups and not _is_apart(groups[-1][-1], glyph) and not _begins_label(visible, index):
            groups[-1].append(glyph)
        else:
            groups.append([glyph])
    return [as_piece(group) for group in groups]


def is_numbered(text: str) -> bool:
    """Whether a label begins with a number, as those of numbered lists do."""
    return _NUMBERED.match(text) is not None


def mark_raised(glyphs: Sequence[Glyph]) -> list[Glyph]:
    """``glyphs`` with raised small digits as superscripts.

    The mark of a note stands behind a figure; as a digit of its size it would be one of the figure's. It is lowered
    to the line that it belongs to.
    """
    largest = max((glyph.size for glyph in glyphs), default=0.0)
    small = [n for n, glyph in enumerate(glyphs) if glyph.text in _RAISED and glyph.size <= _SMALLER * largest]
    if not small:
        return list(glyphs)
    ends = {_end_of(glyph): glyph for glyph in glyphs if not glyph.text.isspace()}
    marked = list(glyphs)
    for number in sorted(small, key=lambda number: glyphs[number].x0):
        glyph = glyphs[number]
        column, row = int(glyph.x0 // _NEAR_PT), int(_baseline(glyph) // _NEAR_PT)
        around = ((column + right, row + down) for down in range(-1, 4) for right in (-1, 0, 1))
        base = next((ends[at] for at in around if at in ends and _is_raised(glyph, ends[at])), None)
        if base is not None:
            bottom = _baseline(base) + DESCENT * glyph.size
            marked[number] = glyph._replace(text=_RAISED[glyph.text], bottom=bottom)
            # Another digit of the mark stands behind this one as behind the figure.
            ends[int(glyph.x1 // _NEAR_PT), int(_baseline(base) // _NEAR_PT)] = base._replace(x1=glyph.x1)
    return marked


def _end_of(glyph: Glyph) -> tuple[int, int]:
    return (int(glyph.x1 // _NEAR_PT), int(_baseline(glyph) // _NEAR_PT))


def as_piece(glyphs: Sequence[Glyph]) -> Piece:
    """A piece of ``glyphs``, at least one."""
    return Piece(tuple(glyphs), union([glyph.box for glyph in glyphs]), "".join(glyph.text for glyph in glyphs))


def _is_raised(glyph: Glyph, base: Glyph) -> bool:
    rise = _baseline(base) - _baseline(glyph)
    return (
        glyph.turn == base.turn == 0
        and glyph.size <= _SMALLER * base.size
        and 0.1 * base.size <= rise <= 0.8 * base.size
        and -0.1 * base.size <= glyph.x0 - base.x1 <= 0.3 * base.size
    )


def _begins_label(line: Sequence[Glyph], index: int) -> bool:
    """Whether a numbered label begins at a glyph, near to the words before it, as in two narrow columns."""
    glyph, before = line[index], line[index - 1]
    if glyph.x0 - before.x1 < _NUMBER_GAP * glyph.size or not (_is_han(before.text) or before.text[-1] in "）)、"):
        return False
    return is_numbered("".join(other.text for other in line[index : index + 4]))


def _is_apart(before: Glyph, glyph: Glyph) -> bool:
    gap = glyph.x0 - before.x1
    if before.text.isdigit() and glyph.text.isdigit():
        return gap >= VALUE_GAP * glyph.size
    return gap >= PIECE_GAP * glyph.size


def line_text(line: Sequence[Glyph]) -> tuple[str, list[Run]]:
    """The text of a line of prose, and a run per Han character, per number and per Latin word."""
    parts: list[str] = []
    runs: list[Run] = []
    offset = 0
    blank = False
    before: Glyph | None = None
    open_run: list[Glyph] = []
    for glyph in line:
        if glyph.text.isspace():
            blank = True
            continue
        if before is not None and _is_space(before, glyph, blank):
            parts.append(" ")
            offset += 1
            open_run = []
        joined = bool(open_run) and _is_word_char(glyph.text) and _is_word_char(open_run[-1].text)
        open_run = [*open_run, glyph] if joined else [glyph]
        start = runs.pop().start if joined else offset
        offset += len(glyph.text)
        runs.append(Run(start, offset, union([part.box for part in open_run]) if joined else glyph.box))
        parts.append(glyph.text)
        before, blank = glyph, False
    return "".join(parts), runs


def cell_text(glyphs: Sequence[Glyph], width: float) -> tuple[str, list[Run]]:
    """The text of a table cell of ``width`` points on one line, and a run per printed line.

    Lines are joined without a space, unless both ends are letters or numbers that did not have to be broken.
    """
    text = ""
    runs: list[Run] = []
    for turn in sorted({glyph.turn for glyph in glyphs}):
        members = [glyph for glyph in glyphs if glyph.turn == turn]
        frame = members if turn <= 0 else [turn_glyph(glyph, turn) for glyph in members]
        for line in group_lines(frame):
            visible = [glyph for glyph in line if not glyph.text.isspace()]
            if not visible:
                continue
            part = _cell_line(visible)
            if text and _needs_space(text[-1], part[0], visible, runs, width):
                text += " "
            box = union([glyph.box for glyph in visible])
            runs.append(Run(len(text), len(text) + len(part), box if turn <= 0 else turn_box(box, (360 - turn) % 360)))
            text += part
    return text, runs


def turn_box(box: Box, turn: int) -> Box:
    """``box`` in the frame in which writing with ``turn`` runs from left to right (the origin does not move).

    Turning by ``360 - turn`` afterwards gives the box back.
    """
    x0, top, x1, bottom = box
    if turn == 90:
        return (-bottom, x0, -top, x1)
    if turn == 180:
        return (-x1, -bottom, -x0, -top)
    if turn == 270:
        return (top, -x1, bottom, -x0)
    return box


def turn_glyph(glyph: Glyph, turn: int) -> Glyph:
    """``glyph`` in the frame in which writing with ``turn`` runs from left to right."""
    own = glyph.turn if glyph.turn < 0 else (glyph.turn - turn) % 360
    return Glyph(glyph.text, *turn_box(glyph.box, turn), glyph.size, own)


def _baseline(glyph: Glyph) -> float:
    return glyph.bottom - DESCENT * glyph.size


def _without_doubles(line: list[Glyph]) -> list[Glyph]:
    kept: list[Glyph] = []
    for glyph in line:
        # A string printed twice sorts as A A' B B'; a glyph wider than the offset may stand between the two.
        doubled = any(is_double(glyph, other) and not glyph.text.isspace() for other in kept[-2:])
        if not doubled:
            kept.append(glyph)
    return kept


def is_double(glyph: Glyph, other: Glyph) -> bool:
    """Whether two glyphs are one character printed twice, a little apart, to look bold."""
    near = _SAME_GLYPH * glyph.size
    return glyph.text == other.text and abs(glyph.x0 - other.x0) < near and abs(glyph.top - other.top) < 2 * near


def _is_space(before: Glyph, glyph: Glyph, blank: bool) -> bool:
    gap = (glyph.x0 - before.x1) / max(before.size, 0.1)
    if before.text[-1].isascii() and glyph.text[0].isascii():
        return gap > 0.12 if blank else gap > 0.25
    return gap > 0.2 if blank else gap > _PROSE_GAP


def _is_word_char(text: str) -> bool:
    return text[0].isascii() and (text[0].isalnum() or text[0] in ".,%/-:")


def _cell_line(visible: list[Glyph]) -> str:
    """One line of a cell: blanks between Han characters dropped, digits drawn apart joined."""
    spaced = _is_letter_spaced(visible)
    text = visible[0].text
    for before, glyph in zip(visible, visible[1:], strict=False):
        gap = (glyph.x0 - before.x1) / max(before.size, 0.1)
        apart = gap > _LETTER_GAP and before.text[-1].isascii() and glyph.text[0].isascii() and not spaced
        # A gap as wide as two characters separates whatever stands on its two sides.
        if apart or (gap > 2.0 and not spaced and not (_is_han(before.text) and _is_han(glyph.text))):
            text += " "
        text += glyph.text
    return text


def _is_letter_spaced(visible: list[Glyph]) -> bool:
    if len(visible) < 2 or not all(glyph.text.isdigit() and len(glyph.text) == 1 for glyph in visible):
        return False
    gaps = [after.x0 - before.x1 for before, after in zip(visible, visible[1:], strict=False)]
    size = visible[0].size
    return max(gaps) <= _SPACED_GAP * size and max(gaps) - min(gaps) <= 0.3 * size


def _needs_space(left: str, right: str, line: list[Glyph], runs: list[Run], width: float) -> bool:
    """Whether a line break inside a cell separates. A number that filled its cell was broken, not ended."""
    if not (left.isascii() and right.isascii() and left.isalnum() and right.isalnum()):
        return False
    if not (left.isdigit() and right.isdigit()):
        return True
    used = runs[-1].box[2] - runs[-1].box[0]
    advance = line[0].x1 - line[0].x0
    return used + advance <= width - _CELL_PADDING


def _is_han(text: str) -> bool:
    return "\u2e80" <= text[-1] <= "\u9fff" or "\u3400" <= text[-1] <= "\u4dbf"


def is_value(text: str) -> bool:
    """Whether a text is a number, or one of the marks that stand for none."""
    return _VALUE.fullmatch(text) is not None
