"""The picture of a page to its lines and grids, with places on the page and what is sure of each reading.

The order of the steps: clean, upright, rules to grids, cells by ink, reading; then the writing outside of grids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from extractors import scan_image
from extractors.document import union
from extractors.glyphs import Glyph, cell_text, group_lines, is_value, line_text
from extractors.grids import Drawing, Grid
from extractors.ocr import read_lines
from extractors.report import Box
from extractors.scan_cells import Strip, cell_strips
from extractors.scan_columns import ColumnRow, ColumnTable, Written, column_tables, label_box
from extractors.scan_image import Frame, character_boxes, load_image, without_rules
from extractors.scan_lines import find_pieces, piece_strips
from extractors.scan_read import BLANK, SQUEEZE, UNREAD, CellReading, read_cells, read_strips
from extractors.scan_rules import find_rules, ruled_grids
from extractors.tables import find_grids

Pixels = NDArray[np.uint8]

_UPRIGHT = 0.8  # mean score from which on writing is surely upright
_MARGIN = 0.12  # by which the writing must read better in another position
_SAMPLES = 4
_SAMPLE_WIDTH = 8.0  # em
_MANY_CELLS = 600  # with ink; the largest page of a form has 300
_TRIED = 60
_SCRIBBLE = 0.7  # mean confidence of what was tried
_MOST_CELLS = 3000  # of one page; a page with more is a picture
_COARSE = 0.3
_CUT_PT = 12.0  # a line of print
_PALER = 80.0  # of 255; ink that is paler than that of other cells by more is none of print
_PALE = 0.5  # probability of a reading of such ink
_EDGE = 0.035  # of the width of the picture; 7 mm of A4
_CLEAR = 0.6  # mean confidence below which a page is called unclear


@dataclass(frozen=True, slots=True)
class ScannedCell:
    """A cell of a table as read: its place in the grid, its box in points on the page as given.

    ``confidence`` is the probability that ``text`` is right. ``candidates`` are its readings with their
    probabilities, best first, ``text`` among them; empty where only one is likely. A cell without ink has the text
    ``""``; ink that no reading explains has the text ``?`` and the confidence 0.
    """

    text: str
    row: int
    col: int
    rowspan: int
    colspan: int
    box: Box
    confidence: float
    candidates: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class ScannedLine:
    """A line of writing outside of grids."""

    text: str
    box: Box
    confidence: float


@dataclass(frozen=True, slots=True)
class ScannedGrid:
    """A table: ``ruled`` by lines, or ``aligned`` in columns without them."""

    cells: tuple[ScannedCell, ...]
    rows: int
    cols: int
    box: Box
    source: Literal["ruled", "aligned"]


@dataclass(frozen=True, slots=True)
class ScannedPage:
    """What a picture of a page holds.

    ``rotation``: degrees clockwise (0, 90, 180, 270) by which the picture has to be turned to stand upright.
    ``skew``: degrees by which its lines then run down to the right. ``problems``: sentences, for people.
    """

    lines: tuple[ScannedLine, ...]
    grids: tuple[ScannedGrid, ...]
    rotation: int
    skew: float
    problems: tuple[str, ...]

    @property
    def blocks(self) -> list[ScannedGrid | ScannedLine]:
        """Grids and lines from top to bottom as the page reads, however the picture lies."""
        top = {0: _top, 90: _left, 180: _bottom, 270: _right}[self.rotation]
        return sorted([*self.grids, *self.lines], key=lambda block: top(block.box))


def _top(box: Box) -> float:
    return box[1]


def _left(box: Box) -> float:
    return box[0]


def _bottom(box: Box) -> float:
    return -box[3]


def _right(box: Box) -> float:
    return -box[2]


def read_image(image: Pixels, width_pt: float, height_pt: float) -> ScannedPage:
    """Reads a page from its picture (grey: rows x columns, or RGB: rows x columns x 3).

    ``width_pt`` and ``height_pt`` are the size of the page in the position in which the picture shows it; all
    boxes are in that position, in points from its top left.

    Raises:
        ValueError: the array is no picture.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise ValueError(f"not a grey or RGB picture of 8 bits: {image.dtype}, {image.shape}")
    if scan_image.is_too_small(image):
        return ScannedPage((), (), 0, 0.0, ("the picture is too small to hold writing",))
    grey, factor = scan_image.clean(image)
    page, score = _upright(grey, factor)
    page = replace(page, grey=scan_image.without_stamps(page.grey, page.em))
    page = replace(page, ink=scan_image.ink_of(page.grey))
    if score is None and not np.any(page.ink):
        return ScannedPage((), (), page.turn, page.skew, ("the page is blank",))
    place = _Placer(page, image.shape, (width_pt, height_pt))
    ruling = find_rules(page.grey, page.em)
    bare = without_rules(page.ink)
    grids, loose = ruled_grids(ruling, page.grey, character_boxes(bare), page.em)
    grids = grids if sum(len(grid.cells) for grid in grids) <= _MOST_CELLS else []
    tables = _read_grids(grids, page, place)
    pieces = _read_outside(bare, grids, page)
    columned = column_tables([piece for piece, _ in pieces], ruling.horizontal)
    tables += _read_columns(columned, pieces, page, place)
    glyphs, readings = _spread([other for other in pieces if not _is_in(other[0], columned)])
    loose = [rule for rule in loose if not any(table.box[1] - 1 < rule.at < table.box[3] + 1 for table in columned)]
    aligned, rest = find_grids(Drawing(horizontal=loose), glyphs)
    tables += [_aligned_table(grid, readings, page, place) for grid in aligned]
    lines = _lines(rest, readings, page, place)
    score = _legibility(lines, tables)
    if score < _CLEAR:
        lines, tables = _doubted(lines, tables, score)
    tables.sort(key=lambda table: (table.box[1], table.box[0]))
    return ScannedPage(lines, tuple(tables), page.turn, page.skew, tuple(_problems(lines, tables, factor)))


def _legibility(lines: Sequence[ScannedLine], tables: Sequence[ScannedGrid]) -> float:
    """How surely the words of a page were read, by letters; 1.0 where there are none."""
    words = [(line.text, line.confidence) for line in lines]
    words += [(cell.text, cell.confidence) for table in tables for cell in table.cells]
    letters = [(sum(map(str.isalpha, text)), sure) for text, sure in words]
    count = sum(number for number, _ in letters)
    return sum(number * sure for number, sure in letters) / count if count else 1.0


def without_end(page: ScannedPage, bottom: float) -> ScannedPage:
    """The page without what stands at its end or below, where ``bottom`` (points) is as far as its picture goes.

    What is cut through reads as something else: a 4 without its foot is a 1. Cells there are called unread.
    """
    reach = bottom - _CUT_PT
    grids = tuple(
        replace(grid, cells=tuple(replace(cell, text=UNREAD, confidence=0.0, candidates=()) if cell.box[3] > reach
                                  else cell for cell in grid.cells))
        for grid in page.grids
    )  # fmt: skip
    return replace(page, grids=grids, lines=tuple(line for line in page.lines if line.box[3] <= reach))


def coarse(page: ScannedPage) -> ScannedPage:
    """The page of a picture in black and white whose dots are too few for its digits: no reading is sure."""
    lines, grids = _doubted(page.lines, page.grids, _COARSE)
    return replace(page, lines=lines, grids=tuple(grids))


def _doubted(
    lines: Sequence[ScannedLine], tables: Sequence[ScannedGrid], score: float
) -> tuple[tuple[ScannedLine, ...], list[ScannedGrid]]:
    """Everything on a page of which words read badly is less sure than its characters look."""
    doubted = [
        replace(table, cells=tuple(replace(cell, confidence=round(cell.confidence * score, 4)) for cell in table.cells))
        for table in tables
    ]
    return tuple(replace(line, confidence=round(line.confidence * score, 4)) for line in lines), doubted


def _problems(lines: Sequence[ScannedLine], tables: Sequence[ScannedGrid], factor: float) -> list[str]:
    sure = [line.confidence for line in lines]
    sure += [cell.confidence for table in tables for cell in table.cells if cell.text]
    problems = []
    if not sure:
        problems.append("no writing was found on the page")
    elif sum(sure) / len(sure) < _CLEAR:
        problems.append("little of the page was read with confidence")
    if factor < 0.5:
        problems.append(f"the picture was reduced to {factor:.0%} of its size before it was read")
    return problems


# --- upright ---------------------------------------------------------------------------------------------------


def _upright(grey: Pixels, factor: float) -> tuple[Frame, float | None]:
    """The page with its writing upright, and the score of a few pieces of it; None where there are none.

    The direction of lines is seen in the picture; which way up they stand only reading tells.
    """
    page = scan_image.frame(grey, factor)
    samples = _samples(page)
    if not samples:
        return page, None
    score = _score(samples)
    # What is badly printed reads badly in every position: another one has to read clearly better.
    best = (score + _MARGIN, page.turn)
    if score < _UPRIGHT:
        best = max(best, (_score([np.ascontiguousarray(sample[::-1, ::-1]) for sample in samples]), page.turn + 180))
    if best[0] < _UPRIGHT * 0.8:
        across = scan_image.frame(grey, factor, (page.turn + 90) % 180)
        samples = _samples(across)
        if samples:
            best = max(best, (_score(samples), across.turn))
            upset = [np.ascontiguousarray(sample[::-1, ::-1]) for sample in samples]
            best = max(best, (_score(upset), across.turn + 180))
    if best[1] == page.turn:
        return page, score
    return scan_image.frame(grey, factor, best[1] % 360), best[0]


def _samples(page: Frame) -> list[Pixels]:
    pieces = find_pieces(without_rules(page.ink), page.em)
    width = round(_SAMPLE_WIDTH * page.em)
    pieces = [box for box in pieces if box[2] - box[0] >= 2.5 * page.em and box[3] - box[1] >= 0.6 * page.em]
    pieces.sort(key=lambda box: abs(box[2] - box[0] - width))
    cut = [(left, top, min(right, left + width), bottom) for left, top, right, bottom in pieces[:_SAMPLES]]
    return [strip.picture for strip in piece_strips(page.grey, cut, page.em)]


def _score(samples: Sequence[Pixels]) -> float:
    readings = read_lines(samples, SQUEEZE)
    return sum(reading.score for reading in readings) / len(readings)


# --- places ----------------------------------------------------------------------------------------------------


class _Placer:
    """From pixels of the straightened page to points on the page as given."""

    def __init__(self, page: Frame, shape: tuple[int, ...], size_pt: tuple[float, float]) -> None:
        self._matrix = page.to_picture
        self._scale = (size_pt[0] / shape[1], size_pt[1] / shape[0])
        self._size = size_pt

    def box(self, box: Sequence[float]) -> Box:
        """The smallest upright box around ``box`` (px), within the page."""
        left, top, right, bottom = box
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
        points = (corners @ self._matrix[:, :2].T + self._matrix[:, 2]) * self._scale
        low, high = points.min(axis=0), points.max(axis=0)
        return (
            round(float(np.clip(low[0], 0, self._size[0])), 2),
            round(float(np.clip(low[1], 0, self._size[1])), 2),
            round(float(np.clip(high[0], 0, self._size[0])), 2),
            round(float(np.clip(high[1], 0, self._size[1])), 2),
        )


def _pixels(box: Box, page: Frame) -> tuple[float, float, float, float]:
    """A box in units (tenths of the em) to pixels."""
    unit = page.em / 10
    return (box[0] * unit, box[1] * unit, box[2] * unit, box[3] * unit)


# --- tables ----------------------------------------------------------------------------------------------------


def _read_grids(grids: Sequence[Grid], page: Frame, place: _Placer) -> list[ScannedGrid]:
    """All grids of a page at once: what is equal on the page is read once."""
    boxes = [_pixels(cell.box, page) for grid in grids for cell in grid.cells]
    strips: list[list[Strip]] = [cell_strips(page.grey, box, page.em) for box in boxes]
    if _is_scribble(strips, page.em):
        read = [CellReading(UNREAD, 0.0) if lines else BLANK for lines in strips]
    else:
        read = _without_pale(read_cells(strips, page.em), strips, page.grey)
    readings = iter(zip(read, boxes, strict=True))
    tables = []
    for grid in grids:
        cells = []
        for cell in grid.cells:
            reading, box = next(readings)
            cells.append(_cell(reading, cell.row, cell.col, cell.rowspan, cell.colspan, place.box(box)))
        tables.append(ScannedGrid(tuple(cells), grid.rows, grid.cols, place.box(_pixels(grid.box, page)), "ruled"))
    return tables


def _without_pale(
    readings: Sequence[CellReading], strips: Sequence[Sequence[Strip]], grey: Pixels
) -> list[CellReading]:
    """The readings, figures doubted whose ink is much paler than that of other cells: a stamp, or a shadow."""
    inks = [_ink_of(lines, grey) if lines else None for lines in strips]
    inked = [ink for ink in inks if ink is not None]
    most = float(np.median(inked)) + _PALER if inked else 255.0
    return [
        replace(reading, confidence=min(reading.confidence, _PALE))
        if ink is not None and ink > most and any(map(str.isdigit, reading.text))
        else reading
        for reading, ink in zip(readings, inks, strict=True)
    ]


def _ink_of(lines: Sequence[Strip], grey: Pixels) -> float:
    """The grey of the darkest twentieth of the print of a cell."""
    return float(
        min(
            np.percentile(grey[top:bottom, left:right], 5)
            for left, top, right, bottom in (strip.box for strip in lines)
        )
    )


def _is_scribble(strips: Sequence[list[Strip]], em: float) -> bool:
    """Whether a page has far more cells with ink than a form, and a few dozen of them say nothing.

    No two such cells are equal: reading each of them takes half a minute.
    """
    inked = [lines for lines in strips if lines]
    if len(inked) <= _MANY_CELLS:
        return False
    tried = read_cells(inked[:: len(inked) // _TRIED], em)
    return sum(reading.confidence for reading in tried) / len(tried) < _SCRIBBLE


def _cell(reading: CellReading, row: int, col: int, rowspan: int, colspan: int, box: Box) -> ScannedCell:
    return ScannedCell(reading.text, row, col, rowspan, colspan, box, round(reading.confidence, 4), reading.candidates)


def _aligned_table(grid: Grid, readings: dict[int, CellReading], page: Frame, place: _Placer) -> ScannedGrid:
    cells = []
    for cell in grid.cells:
        box = place.box(_pixels(cell.box, page))
        text, _ = cell_text(cell.glyphs, cell.box[2] - cell.box[0])
        parts = {id(reading): reading for reading in (readings[id(glyph)] for glyph in cell.glyphs)}
        whole = list(parts.values())
        if len(whole) == 1 and whole[0].text == text:
            reading = whole[0]
        else:
            sure = min((part.confidence for part in whole), default=1.0)
            reading = CellReading(text, sure)
        cells.append(_cell(reading, cell.row, cell.col, cell.rowspan, cell.colspan, box))
    return ScannedGrid(tuple(cells), grid.rows, grid.cols, place.box(_pixels(grid.box, page)), "aligned")


def _is_in(piece: Written, tables: Sequence[ColumnTable]) -> bool:
    """Whether a piece stands in one of the tables."""
    x, y = (piece.box[0] + piece.box[2]) / 2, piece.middle
    return any(table.box[0] <= x <= table.box[2] + 2 and table.box[1] <= y <= table.box[3] for table in tables)


def _read_columns(
    tables: Sequence[ColumnTable], pieces: Sequence[tuple[Written, CellReading]], page: Frame, place: _Placer
) -> list[ScannedGrid]:
    """Tables without upright rules: labels as the pieces say, each value read in its own cell."""
    sure = {piece: reading.confidence for piece, reading in pieces}
    found = []
    for table in tables:
        columns = list(pairwise(table.edges))
        boxes = [_pixels((start, row.top, end, row.bottom), page) for row in table.rows for start, end in columns]
        strips = [cell_strips(page.grey, box, page.em) for box in boxes]
        read = _without_pale(read_cells(strips, page.em), strips, page.grey)
        values = iter(zip(read, boxes, strict=True))
        cells = []
        labels = 2 if any(row.label or row.group for row in table.rows) else 0
        for number, row in enumerate(table.rows):
            cells += _label_cells(row, number, table, sure, page, place) if labels else []
            for column in range(len(columns)):
                reading, box = next(values)
                cells.append(_cell(reading, number, labels + column, 1, 1, place.box(box)))
        whole = place.box(_pixels(table.box, page))
        found.append(ScannedGrid(tuple(cells), len(table.rows), labels + len(columns), whole, "aligned"))
    return found


def _label_cells(
    row: ColumnRow, number: int, table: ColumnTable, sure: dict[Written, float], page: Frame, place: _Placer
) -> list[ScannedCell]:
    """The label of a row, over both columns of labels where that of no group stands beside it."""
    cells = []
    parts = [(row.group, 0, 1), (row.label, 1, 1)] if row.group else [(row.label, 0, 2)]
    for pieces, column, span in parts:
        text = "".join(piece.text for piece in pieces)
        whole = label_box(pieces) if pieces else (table.left, row.top, table.edges[0], row.bottom)
        reading = CellReading(text, min((sure.get(piece, 0.9) for piece in pieces), default=1.0))
        cells.append(_cell(reading, number, column, 1, span, place.box(_pixels(whole, page))))
    return cells


# --- writing outside of grids ----------------------------------------------------------------------------------


def _read_outside(bare: Pixels, grids: Sequence[Grid], page: Frame) -> list[tuple[Written, CellReading]]:
    """The pieces of lines outside of ``grids`` (places in units) that could be read; punched holes are none."""
    ink = scan_image.without_masses(bare, page.em)
    for grid in grids:
        left, top, right, bottom = (round(value) for value in _pixels(grid.box, page))
        ink[max(0, top - 3) : bottom + 4, max(0, left - 3) : right + 4] = 0
    strips = piece_strips(page.grey, find_pieces(ink, page.em), page.em)
    pieces = []
    for strip, reading in zip(strips, read_strips(strips, page.em), strict=True):
        if reading.text == UNREAD or (is_value(reading.text) and _is_at_edge(strip, page)):
            continue
        box = [side * 10 / page.em for side in strip.box]
        pieces.append((Written((box[0], box[1], box[2], box[3]), reading.text, is_value(reading.text)), reading))
    return pieces


def _is_at_edge(strip: Strip, page: Frame) -> bool:
    """Whether a piece stands where nothing is printed: the edge of the paper or the shadow of a spine reads as 1."""
    width = page.grey.shape[1]
    return not _EDGE * width <= (strip.box[0] + strip.box[2]) / 2 <= (1 - _EDGE) * width


def _spread(pieces: Sequence[tuple[Written, CellReading]]) -> tuple[list[Glyph], dict[int, CellReading]]:
    """The characters of pieces, and the reading of which each (by ``id``) is part."""
    glyphs: list[Glyph] = []
    readings: dict[int, CellReading] = {}
    for piece, reading in pieces:
        for glyph in _glyphs(piece):
            glyphs.append(glyph)
            readings[id(glyph)] = reading
    return glyphs, readings


def _glyphs(piece: Written) -> list[Glyph]:
    """The characters of a piece, spread over its width: Han take two shares, others one."""
    left, top, right, bottom = piece.box
    size = max(bottom - top, 8.0)
    middle = (top + bottom) / 2
    shares = [1.0 if char.isascii() else 2.0 for char in piece.text]
    share = (right - left) / sum(shares)
    glyphs, x = [], left
    for char, part in zip(piece.text, shares, strict=True):
        glyphs.append(Glyph(char, x, middle - size / 2, x + part * share, middle + size / 2, size))
        x += part * share
    return glyphs


def _lines(
    glyphs: Sequence[Glyph], readings: dict[int, CellReading], page: Frame, place: _Placer
) -> tuple[ScannedLine, ...]:
    lines = []
    for line in group_lines(glyphs):
        text, _ = line_text(line)
        if not text.strip():
            continue
        sure = sum(readings[id(glyph)].confidence for glyph in line) / len(line)
        box = place.box(_pixels(union([glyph.box for glyph in line]), page))
        lines.append(ScannedLine(text, box, round(sure, 4)))
    return tuple(lines)


__all__ = [
    "ScannedCell",
    "ScannedGrid",
    "ScannedLine",
    "ScannedPage",
    "coarse",
    "load_image",
    "read_image",
    "without_end",
]
