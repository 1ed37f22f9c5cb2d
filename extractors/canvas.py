"""What one PDF page draws, as glyphs, rules, fills and images: a device for pdfminer's interpreter."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pdfminer.pdfcolor import PDFColorSpace
from pdfminer.pdfdevice import PDFTextDevice, PDFTextSeq
from pdfminer.pdffont import PDFFont, PDFType3Font, PDFUnicodeNotDefined
from pdfminer.pdfinterp import PDFGraphicState, PDFResourceManager, PDFTextState
from pdfminer.pdfpage import PDFPage
from pdfminer.pdftypes import PDFStream
from pdfminer.utils import Matrix, PathSegment, Point, Rect, apply_matrix_pt, apply_matrix_rect

from extractors.glyphs import DESCENT, Glyph
from extractors.grids import Drawing, Rule
from extractors.report import Box

MAX_OBJECTS = 200_000  # glyphs, path segments and images of one page; a dense page of a report has 3,000

_THIN_PT = 3.5  # a filled area not thicker than this is a rule
_STRAIGHT_PT = 0.7  # a segment that deviates from an axis by less is straight
_WHITE = 0.985  # a colour is white if its components are at least this (additive) or this far from ink (CMYK)
_LEAST_PT = 0.8  # smaller writing is not visible
_ADDITIVE = {"DeviceGray", "CalGray", "DeviceRGB", "CalRGB", "ICCBased", "DeviceCMYK"}
_INVISIBLE = 3  # text rendering mode of PDF 32000-1, table 106
_UNMAPPED = "\ufffd"


class TooManyObjectsError(Exception):
    """The page draws more than any report does."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as drawn: top-left origin of the visible area, points.

    ``texts`` holds what each font sets; ``hidden`` counts the glyphs that are there to be searched, not seen;
    ``streams`` are the images of ``images``, each once;
    ``failure`` says why the page could not be read, else None.
    """

    number: int
    width: float
    height: float
    glyphs: list[Glyph]
    drawing: Drawing
    images: list[Box]
    texts: dict[str, str]
    hidden: int
    paths: int
    objects: int
    streams: list[PDFStream]
    failure: str | None = None


class Canvas(PDFTextDevice):
    """Keeps what a page draws. The interpreter calls the methods; :meth:`sheet` gives the result."""

    def __init__(self, rsrcmgr: PDFResourceManager, number: int) -> None:
        super().__init__(rsrcmgr)
        self._number = number
        self._visible: Box = (0.0, 0.0, 0.0, 0.0)  # in the interpreter's coordinates, y upwards
        self._contexts: list[Matrix | None] = []
        self._glyphs: list[Glyph] = []
        self._hidden: list[Glyph] = []
        self._is_hidden = False
        self._drawing = Drawing()
        self._images: list[Box] = []
        self._texts: dict[str, list[str]] = defaultdict(list)
        self._paths = 0
        self._objects = 0
        self._streams: dict[int, PDFStream] = {}

    def sheet(self, failure: str | None = None) -> Sheet:
        """The page as drawn so far. Hidden glyphs count only where nearly nothing else is written."""
        x0, y0, x1, y1 = self._visible
        only_hidden = len(self._hidden) > len(self._glyphs)
        return Sheet(
            number=self._number,
            width=x1 - x0,
            height=y1 - y0,
            glyphs=self._glyphs + self._hidden if only_hidden else self._glyphs,
            drawing=self._drawing,
            images=self._images,
            texts={font: "".join(chars) for font, chars in self._texts.items()},
            hidden=len(self._hidden),
            paths=self._paths,
            objects=self._objects,
            streams=list(self._streams.values()),
            failure=failure,
        )

    def begin_page(self, page: PDFPage, ctm: Matrix) -> None:
        """Take the visible area: the crop box, as far as it lies on the sheet."""
        media = apply_matrix_rect(ctm, page.mediabox)
        crop = apply_matrix_rect(ctm, page.cropbox)
        x0, y0, x1, y1 = max(media[0], crop[0]), max(media[1], crop[1]), min(media[2], crop[2]), min(media[3], crop[3])
        self._visible = (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else media

    def begin_figure(self, name: str, bbox: Rect, matrix: Matrix) -> None:
        """Remember the coordinates: the interpreter does not restore them after a form."""
        self._contexts.append(self.ctm)

    def end_figure(self, name: str) -> None:
        """Back to the coordinates before the form or image."""
        ctm = self._contexts.pop()
        if ctm is not None:
            self.set_ctm(ctm)

    def render_image(self, name: str, stream: PDFStream) -> None:
        """Keep the place of an image; one as thin as a rule is a rule."""
        self._count(1)
        assert self.ctm is not None
        box = self._clip(self._flip(apply_matrix_rect(self.ctm, (0, 0, 1, 1))))
        if box is None:
            return
        if not self._add_thin(box):
            self._images.append(box)
            self._streams[id(stream)] = stream

    def render_string(
        self, textstate: PDFTextState, seq: PDFTextSeq, ncs: PDFColorSpace, graphicstate: PDFGraphicState
    ) -> None:
        """Note whether the string is drawn at all, then go through its characters."""
        self._is_hidden = textstate.render == _INVISIBLE
        super().render_string(textstate, seq, ncs, graphicstate)

    def render_char(
        self,
        matrix: Matrix,
        font: PDFFont,
        fontsize: float,
        scaling: float,
        rise: float,
        cid: int,
        ncs: PDFColorSpace,
        graphicstate: PDFGraphicState,
    ) -> float:
        """Keep a character with its box; returns how far the pen moves."""
        self._count(1)
        try:
            text = font.to_unichr(cid)
        except PDFUnicodeNotDefined:
            text = _UNMAPPED
        advance = font.char_width(cid) * fontsize * scaling
        glyph = self._glyph(text, matrix, font, fontsize, advance, rise, cid)
        if glyph is not None:
            (self._hidden if self._is_hidden else self._glyphs).append(glyph)
            if not text.isspace():
                self._texts[str(font.fontname)].append(text)
        return advance

    def paint_path(
        self, graphicstate: PDFGraphicState, stroke: bool, fill: bool, evenodd: bool, path: Sequence[PathSegment]
    ) -> None:
        """Keep straight strokes and thin areas of visible colour as rules, other rectangles as fills."""
        self._count(len(path))
        self._paths += 1
        inked = stroke and not _is_white(graphicstate.scolor, graphicstate.scs)
        white = _is_white(graphicstate.ncolor, graphicstate.ncs)
        areas: list[Box] = []
        for points in self._subpaths(path):
            if inked:
                for start, end in zip(points, points[1:], strict=False):
                    self._add_segment(start, end)
            if fill and len(points) >= 2:
                xs, ys = [point[0] for point in points], [point[1] for point in points]
                areas.append((min(xs), min(ys), max(xs), max(ys)))
        self._add_areas(areas, white)

    def _count(self, objects: int) -> None:
        self._objects += objects
        if self._objects > MAX_OBJECTS:
            raise TooManyObjectsError(f"more than {MAX_OBJECTS} characters and lines")

    def _glyph(
        self, text: str, matrix: Matrix, font: PDFFont, fontsize: float, advance: float, rise: float, cid: int
    ) -> Glyph | None:
        a, b, c, d, e, f = matrix
        size = _em(font, fontsize) * math.hypot(c, d)
        if not (_LEAST_PT <= size < 2000 and text):
            return None
        x0, y0, x1, y1 = self._visible
        if font.is_vertical():
            box = self._flip(apply_matrix_rect(matrix, _vertical_box(font, fontsize, advance, rise, cid)))
            turn = 0
        elif b == 0 and a > 0:
            baseline = y1 - f - rise * abs(d)
            end = e + advance * a
            box = (min(e, end) - x0, baseline - (1 - DESCENT) * size, max(e, end) - x0, baseline + DESCENT * size)
            turn = 0
        else:
            em = _em(font, fontsize)
            box = self._flip(apply_matrix_rect(matrix, (0, rise - DESCENT * em, advance, rise + (1 - DESCENT) * em)))
            turn = _turn(a, b)
        if not (0 <= (box[0] + box[2]) / 2 <= x1 - x0 and 0 <= (box[1] + box[3]) / 2 <= y1 - y0):
            return None  # outside the page (or not a number): not printed
        return Glyph(text, *box, size, turn)

    def _subpaths(self, path: Sequence[PathSegment]) -> Iterator[list[Point]]:
        """The corner points of each subpath, top-left origin; curves only by their ends."""
        assert self.ctm is not None
        x0, _, _, y1 = self._visible
        points: list[Point] = []
        for operator, *operands in path:
            if operator == "m":
                if len(points) > 1:
                    yield points
                points = []
            if operator == "h":
                if points:
                    points.append(points[0])
                continue
            x, y = apply_matrix_pt(self.ctm, (operands[-2], operands[-1]))
            points.append((x - x0, y1 - y))
        if len(points) > 1:
            yield points

    def _add_segment(self, start: Point, end: Point) -> None:
        (ax, ay), (bx, by) = start, end
        if abs(ay - by) <= _STRAIGHT_PT and abs(ax - bx) > _STRAIGHT_PT:
            self._add_rule((min(ax, bx), (ay + by) / 2, max(ax, bx), (ay + by) / 2))
        elif abs(ax - bx) <= _STRAIGHT_PT and abs(ay - by) > _STRAIGHT_PT:
            self._add_rule(((ax + bx) / 2, min(ay, by), (ax + bx) / 2, max(ay, by)))

    def _add_areas(self, areas: list[Box], white: bool) -> None:
        rest = []
        for area in areas:
            if not _is_thin(area):
                rest.append(area)
            elif not white:
                self._add_thin(area)
        while rest:
            area = rest.pop(0)
            if rest and _is_frame(area, rest[0]):
                if not white:
                    self._add_frame(area, rest[0])
                rest.pop(0)
                continue
            clipped = self._clip(area)
            if clipped is not None:
                self._drawing.fills.append(clipped)

    def _add_frame(self, one: Box, other: Box) -> None:
        """A border drawn as the area between two rectangles."""
        left, top, right, bottom = ((mine + theirs) / 2 for mine, theirs in zip(one, other, strict=True))
        apart = [abs(mine - theirs) > 0.05 for mine, theirs in zip(one, other, strict=True)]
        edges = (
            (left, top, left, bottom),
            (left, top, right, top),
            (right, top, right, bottom),
            (left, bottom, right, bottom),
        )
        for edge, drawn in zip(edges, apart, strict=True):
            if drawn:
                self._add_rule(edge)

    def _add_thin(self, box: Box) -> bool:
        """Keep an area as a rule if it is thin."""
        if not _is_thin(box):
            return False
        self._add_rule(box)
        return True

    def _add_rule(self, box: Box) -> None:
        clipped = self._clip(box)
        if clipped is None:
            return
        x0, top, x1, bottom = clipped
        # A dot belongs to a dotted rule of either direction; alone it is too short for one.
        if x1 - x0 >= bottom - top or bottom - top <= _THIN_PT:
            self._drawing.horizontal.append(Rule((top + bottom) / 2, x0, x1))
        if bottom - top > x1 - x0 or x1 - x0 <= _THIN_PT:
            self._drawing.vertical.append(Rule((x0 + x1) / 2, top, bottom))

    def _flip(self, rect: Rect) -> Box:
        x0, _, _, y1 = self._visible
        return (rect[0] - x0, y1 - rect[3], rect[2] - x0, y1 - rect[1])

    def _clip(self, box: Box) -> Box | None:
        """The part of ``box`` on the page; None if there is none, or a coordinate is not a number."""
        width, height = self._visible[2] - self._visible[0], self._visible[3] - self._visible[1]
        x0, top, x1, bottom = max(0.0, box[0]), max(0.0, box[1]), min(width, box[2]), min(height, box[3])
        return (x0, top, x1, bottom) if x0 <= x1 and top <= bottom else None


def _turn(a: float, b: float) -> int:
    """Direction of writing for a matrix whose first row is (a, b): 0, 90, 180, 270, or -1 for a slant."""
    if abs(b) <= 0.05 * abs(a):
        return 0 if a > 0 else 180
    if abs(a) <= 0.05 * abs(b):
        return 90 if b > 0 else 270
    return -1


def _em(font: PDFFont, fontsize: float) -> float:
    """The height of a line in text space. A Type 3 font may count in units of its own."""
    if isinstance(font, PDFType3Font):
        height = abs(font.bbox[3] - font.bbox[1]) * abs(font.vscale) * abs(fontsize)
        if height > 0:
            return float(height)
    return abs(fontsize)


def _vertical_box(font: PDFFont, fontsize: float, advance: float, rise: float, cid: int) -> Rect:
    """The box of a character in vertical writing, in text space."""
    displacement = font.char_disp(cid)
    vx, vy = displacement if isinstance(displacement, tuple) else (None, 880.0)
    left = -fontsize * 0.5 if vx is None else -vx * fontsize * 0.001
    top = (1000 - vy) * fontsize * 0.001 + rise
    return (left, min(top, top + advance), left + fontsize, max(top, top + advance))


def _is_thin(box: Box) -> bool:
    return min(box[2] - box[0], box[3] - box[1]) <= _THIN_PT


def _is_frame(one: Box, other: Box) -> bool:
    """Whether two areas of one path are the outer and inner edge of a border."""
    outer, inner = (one, other) if one[2] - one[0] >= other[2] - other[0] else (other, one)
    margins = (inner[0] - outer[0], inner[1] - outer[1], outer[2] - inner[2], outer[3] - inner[3])
    return all(-0.05 <= margin <= _THIN_PT for margin in margins) and max(margins) > 0.05


def _is_white(colour: Any, space: PDFColorSpace) -> bool:
    """Whether a colour is that of paper; patterns and spot colours are ink."""
    if space.name not in _ADDITIVE:
        return False
    parts = colour if isinstance(colour, tuple | list) else (colour,)
    if not all(isinstance(part, int | float) for part in parts):
        return False
    if len(parts) == 4:
        return all(part <= 1 - _WHITE for part in parts)
    return all(part >= _WHITE for part in parts)
