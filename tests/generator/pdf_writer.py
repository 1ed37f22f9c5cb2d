"""A report as a native PDF, drawn by reportlab in the ways in which office programs draw tables.

The fonts are the built-in CID font STSong-Light and, for digits, Helvetica: no font file is needed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from tests.generator.content import Heading, SampleReport
from tests.generator.grid import Grid, GridCell
from tests.generator.truth import Written, written

RULES = ("lines", "thin_rects", "cell_rects", "no_outer", "horizontal", "borderless")
FONT = "STSong-Light"
MARGIN_PT = 56.0
LEADING = 1.35


@dataclass(frozen=True, slots=True)
class Sheet:
    """How a PDF is drawn.

    ``rules``: one of :data:`RULES`. ``open_bottom``: the last row of a page that the table continues from has no
    bottom rule. ``backgrounds``: a white filled rectangle behind every line of prose. ``fills``: coloured header
    cells. ``gapped``: digits of a number as separate text objects with gaps.
    ``doubled``: bold by drawing twice. ``stacked``: headers of narrow columns one character a line.
    """

    rules: str = "lines"
    landscape: bool = False
    open_bottom: bool = False
    repeat_header: bool = False
    backgrounds: bool = False
    fills: bool = False
    gapped: bool = False
    doubled: bool = False
    running: bool = False
    stacked: bool = False
    latin_digits: bool = False
    align: str = "center"
    size: float = 9.0


def random_sheet(rng: random.Random) -> Sheet:
    """A layout as some office program might print it; borderless ones are rare."""
    rules = rng.choice(RULES[:3]) if rng.random() < 0.75 else rng.choice(RULES[3:])
    return Sheet(
        rules=rules,
        landscape=rng.random() < 0.15,
        open_bottom=rng.random() < 0.25 and rules in RULES[:3],
        repeat_header=rng.random() < 0.25,
        backgrounds=rng.random() < 0.25,
        fills=rng.random() < 0.25,
        gapped=rng.random() < 0.15,
        doubled=rng.random() < 0.15,
        running=rng.random() < 0.5,
        stacked=rng.random() < 0.15,
        latin_digits=rng.random() < 0.4,
        align=rng.choice(("center", "center", "left", "right")),
        size=rng.choice((7.5, 8.0, 9.0, 9.0, 10.5)),
    )


def write_pdf(report: SampleReport, path: Path, sheet: Sheet | None = None, *, seed: int | None = None) -> Written:
    """Write ``report`` as a PDF with a text layer."""
    rng = random.Random(f"pdf/{report.seed if seed is None else seed}")
    sheet = sheet or random_sheet(rng)
    writer = Writer(path, sheet, report.title, rng.choice((False, True)))
    for line in report.title:
        for piece in wrap(line.strip(), writer.room, 16):
            writer.line(piece, size=16, align="center", gap=6)
    writer.y -= 14
    for part in report.parts:
        if isinstance(part, Grid):
            writer.table(part)
        elif isinstance(part, Heading):
            writer.prose(part.text, size=12)
        else:
            writer.prose(part.text, align=part.align)
    writer.save()
    return written(path, report, sheet_traits(sheet))


def sheet_traits(sheet: Sheet) -> list[str]:
    """Names of what the sheet does."""
    flags = ("landscape", "open_bottom", "repeat_header", "backgrounds", "fills", "gapped", "doubled",
             "running", "stacked", "latin_digits")  # fmt: skip
    return ["format:pdf", f"rules:{sheet.rules}", *(f"pdf:{flag}" for flag in flags if getattr(sheet, flag))]


@dataclass(frozen=True, slots=True)
class _Box:
    """A cell's rectangle on a page, in points from the bottom left; ``first`` where the cell begins in it."""

    cell: GridCell
    left: float
    bottom: float
    right: float
    top: float
    first: bool


def text_width(text: str, font: str, size: float) -> float:
    """Width in points."""
    return float(pdfmetrics.stringWidth(text, font, size))


def wrap(text: str, width: float, size: float, indent: float = 0.0) -> list[str]:
    """Lines of at most ``width`` points, broken between any two characters."""
    lines, line, room = [], "", width - indent
    for char in text:
        if line and text_width(line + char, FONT, size) > room:
            lines.append(line)
            line, room = "", width
        line += char
    return [*lines, line]


class Writer:
    """A canvas with a cursor that runs down the page."""

    def __init__(self, path: Path, sheet: Sheet, title: tuple[str, ...], numbers_in_dashes: bool) -> None:
        if FONT not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(UnicodeCIDFont(FONT))
        self.sheet = sheet
        self.width, self.height = landscape(A4) if sheet.landscape else A4
        self.canvas: Any = Canvas(str(path), pagesize=(self.width, self.height), invariant=1)
        self.running = "".join(title) if sheet.running else ""
        self.dashes = numbers_in_dashes
        self.page = 1
        self.y = self.height - MARGIN_PT

    @property
    def room(self) -> float:
        """The width between the margins."""
        return self.width - 2 * MARGIN_PT

    def save(self) -> None:
        """Finish the last page and the file."""
        self._furnish()
        self.canvas.save()

    def new_page(self) -> None:
        """Finish this page and start the next."""
        self._furnish()
        self.canvas.showPage()
        self.page += 1
        self.y = self.height - MARGIN_PT

    def _furnish(self) -> None:
        if not self.sheet.running:
            return
        number = f"— {self.page} —" if self.dashes else str(self.page)
        self.draw(number, self.width / 2 - 8, 30, 9)
        if self.running and self.page > 1:
            self.draw(self.running, MARGIN_PT, self.height - 36, 7.5)

    def draw(self, text: str, x: float, y: float, size: float, font: str = FONT) -> None:
        """One run of characters at its baseline."""
        self.canvas.setFont(font, size)
        self.canvas.drawString(x, y, text)
        if self.sheet.doubled:
            self.canvas.drawString(x + 0.28, y, text)

    def line(self, text: str, size: float, align: str, gap: float, indent: float = 0.0) -> None:
        """One line of prose, and the cursor below it."""
        if self.y - size * LEADING < MARGIN_PT:
            self.new_page()
        self.y -= size * LEADING
        width = text_width(text, FONT, size)
        left = {"center": (self.width - width) / 2, "right": self.width - MARGIN_PT - width}.get(
            align, MARGIN_PT + indent
        )
        if self.sheet.backgrounds:
            self.canvas.setFillGray(1)
            self.canvas.rect(MARGIN_PT, self.y - 3, self.room, size * LEADING, stroke=0, fill=1)
            self.canvas.setFillGray(0)
        self.draw(text, left, self.y, size)
        self.y -= gap

    def prose(self, text: str, size: float = 10.5, align: str = "left") -> None:
        """A paragraph or heading, its first line set in by two characters."""
        indent = 2 * size if align == "left" else 0.0
        for number, piece in enumerate(wrap(text, self.room, size, indent)):
            self.line(piece, size, align, gap=3, indent=indent if number == 0 else 0.0)
        self.y -= 4

    def table(self, grid: Grid) -> None:
        """A table, over as many pages as it takes."""
        xs = self._columns(grid)
        heights = self._heights(grid, xs)
        waiting: dict[GridCell, list[str]] = {}
        start = 0
        while start < grid.rows:
            repeat = grid.heads if start and self.sheet.repeat_header else 0
            used = sum(heights[:repeat])
            stop = self._rows_that_fit(heights, start, self.y - MARGIN_PT - used, max(grid.heads, 1))
            if stop == start:
                self.new_page()
                continue
            if repeat:
                self._fragment(grid, xs, heights, 0, repeat, {}, is_cut=False)
            self._fragment(grid, xs, heights, start, stop, waiting, is_cut=stop < grid.rows)
            start = stop
            if start < grid.rows:
                self.new_page()
        self.y -= 14

    def _columns(self, grid: Grid) -> list[float]:
        xs = [MARGIN_PT]
        for width in grid.widths:
            xs.append(xs[-1] + width * self.room / sum(grid.widths))
        return xs

    def _heights(self, grid: Grid, xs: list[float]) -> list[float]:
        """Row heights in points: the lines of the tallest cell; tall merged cells stretch their last row."""
        step = self.sheet.size * LEADING
        heights = [step + 6.0] * grid.rows
        for cell in sorted(grid.cells, key=lambda cell: cell.rowspan):
            need = len(self._lines(cell, xs)) * step + 6.0
            have = sum(heights[cell.row : cell.row + cell.rowspan])
            heights[cell.row + cell.rowspan - 1] += max(0.0, need - have)
        return heights

    def _lines(self, cell: GridCell, xs: list[float]) -> list[str]:
        if cell.key:
            return [cell.text]
        if self.sheet.stacked and cell.role == "header" and cell.colspan == 1 and len(cell.text) < 5:
            return list(cell.text)
        return wrap(cell.text, xs[cell.col + cell.colspan] - xs[cell.col] - 4, self.sheet.size)

    @staticmethod
    def _rows_that_fit(heights: list[float], start: int, room: float, together: int) -> int:
        """The row after the last that fits; a table's first ``together`` rows stay together."""
        stop = start
        while stop < len(heights) and sum(heights[start : stop + 1]) <= room:
            stop += 1
        return start if start == 0 and stop < min(together + 1, len(heights)) else stop

    def _fragment(
        self, grid: Grid, xs: list[float], heights: list[float], start: int, stop: int,
        waiting: dict[GridCell, list[str]], is_cut: bool,
    ) -> None:  # fmt: skip
        """Rows ``start`` to ``stop`` at the cursor; ``waiting`` holds lines that an earlier page had no room for."""
        ys = [self.y]
        for height in heights[start:stop]:
            ys.append(ys[-1] - height)
        boxes = []
        for cell in grid.cells:
            top, end = max(cell.row, start), min(cell.row + cell.rowspan, stop)
            if top < end:
                boxes.append(_Box(cell, xs[cell.col], ys[end - start], xs[cell.col + cell.colspan], ys[top - start],
                                  cell.row >= start))  # fmt: skip
        self._fill(boxes)
        self._rule(boxes, xs, ys[-1] if is_cut and self.sheet.open_bottom else None)
        for box in boxes:
            self._text(box, xs, waiting)
        self.y = ys[-1]

    def _fill(self, boxes: Iterable[_Box]) -> None:
        if not self.sheet.fills:
            return
        for box in boxes:
            if box.cell.role in ("header", "caption") or (box.cell.role == "label" and box.cell.row % 2):
                self.canvas.setFillGray(0.9)
                self.canvas.rect(box.left, box.bottom, box.right - box.left, box.top - box.bottom, stroke=0, fill=1)
                self.canvas.setFillGray(0)

    def _rule(self, boxes: list[_Box], xs: list[float], open_at: float | None) -> None:
        if self.sheet.rules == "borderless":
            return
        self.canvas.setLineWidth(0.6)
        if self.sheet.rules == "cell_rects" and open_at is None:
            for box in boxes:
                self.canvas.rect(box.left, box.bottom, box.right - box.left, box.top - box.bottom, stroke=1, fill=0)
            return
        for x0, y0, x1, y1 in sorted(_edges(boxes)):
            upright = x0 == x1
            if upright and self.sheet.rules == "horizontal":
                continue
            if upright and self.sheet.rules == "no_outer" and x0 in (round(xs[0], 2), round(xs[-1], 2)):
                continue
            if not upright and open_at is not None and y0 == round(open_at, 2):
                continue
            if self.sheet.rules == "thin_rects":
                self.canvas.rect(x0 - 0.25, y0 - 0.25, x1 - x0 + 0.5, y1 - y0 + 0.5, stroke=0, fill=1)
            else:
                self.canvas.line(x0, y0, x1, y1)

    def _text(self, box: _Box, xs: list[float], waiting: dict[GridCell, list[str]]) -> None:
        lines = self._lines(box.cell, xs) if box.first else waiting.pop(box.cell, [])
        step = self.sheet.size * LEADING
        fit = max(1, int((box.top - box.bottom - 4) / step))
        if len(lines) > fit:
            waiting[box.cell] = lines[fit:]
            lines = lines[:fit]
        y = (box.top + box.bottom) / 2 + len(lines) * step / 2 - self.sheet.size
        for line in lines:
            self._cell_line(line, box, y)
            y -= step

    def _cell_line(self, line: str, box: _Box, y: float) -> None:
        size, gap = self.sheet.size, 1.6 if self.sheet.gapped and box.cell.key else 0.0
        font = "Helvetica" if self.sheet.latin_digits and line.isascii() else FONT
        room = box.right - box.left - 4
        while size > 4 and text_width(line, font, size) + gap * len(line) > room:
            size -= 0.5
        width = text_width(line, font, size) + gap * max(0, len(line) - 1)
        is_label = box.cell.role == "label" and box.cell.colspan + box.cell.rowspan < 5
        align = "left" if is_label else self.sheet.align
        x = {"left": box.left + 2, "right": box.right - 2 - width}.get(align, (box.left + box.right - width) / 2)
        if not gap:
            self.draw(line, x, y, size, font)
            return
        for char in line:
            self.draw(char, x, y, size, font)
            x += text_width(char, font, size) + gap


def _edges(boxes: Iterable[_Box]) -> set[tuple[float, float, float, float]]:
    """The borders of all boxes, each once, rounded to hundredths of a point."""
    edges = set()
    for box in boxes:
        left, bottom, right, top = (round(edge, 2) for edge in (box.left, box.bottom, box.right, box.top))
        edges |= {(left, top, right, top), (left, bottom, right, bottom)}
        edges |= {(left, bottom, left, top), (right, bottom, right, top)}
    return edges
