"""What paper and scanner do to a printed page, each effect with a size; 0 is none.

Pages are ``uint8`` arrays of (height, width), 0 black; a colour page becomes (height, width, 3) in RGB. The effects
run in the order of the world: print, what is put on the paper, how it lies on the glass, light, sensor, file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Pixels = Any  # numpy array of uint8; numpy's generic types say no more here than the docstrings
MM_PER_INCH = 25.4
RED, BLUE = (205, 38, 45), (40, 60, 150)
# Settings of the machine, not effects by name.
_SETTINGS = ("dpi", "mode", "encoding", "quality")
_SLIGHT = {"skew": 0.33, "blur": 0.6, "noise": 2.0}


@dataclass(frozen=True, slots=True)
class PageScan:
    """How one page is scanned.

    ``dpi``: dots an inch; ``mode``: ``grey``, ``colour`` or ``bilevel``; ``encoding``: ``jpeg`` (at ``quality``),
    ``g4``, ``flate`` or ``jpx``. ``faint``: share of ink missing. ``broken``: gaps in ruling lines a page.
    ``bleed``: how strongly the reverse shows. ``seal``: strength of red seals, at ``seal_at`` (fractions of width and
    height; none at (0, 0)). ``holes``, ``ticks``: how many. ``texture``, ``noise``: grey levels. ``light``,
    ``spine``: share of light lost. ``lid``: dark border in mm. ``warp``: shift of corners and ``curl``: bend near the
    spine, as shares of the width. ``skew``: degrees. ``blur``: sigma in pixels. ``pepper``: specks a square inch.
    ``turn``: the page lies so many degrees turned in the file's pixels; ``rotate``: the /Rotate of its PDF page.
    ``squeeze``: vertical over horizontal resolution (0: square dots), as of a fax.
    """

    dpi: int = 200
    mode: str = "grey"
    encoding: str = "jpeg"
    quality: int = 70
    faint: float = 0.0
    broken: int = 0
    bleed: float = 0.0
    seal: float = 0.0
    seal_at: tuple[float, float] = (0.0, 0.0)
    holes: int = 0
    ticks: int = 0
    texture: float = 0.0
    light: float = 0.0
    spine: float = 0.0
    lid: float = 0.0
    warp: float = 0.0
    curl: float = 0.0
    skew: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    pepper: float = 0.0
    squeeze: float = 0.0
    turn: int = 0
    rotate: int = 0

    def names(self) -> list[str]:
        """The effects that this page has, by name; those too slight to be seen are not named."""
        found = [entry.name for entry in fields(self) if entry.name not in (*_SETTINGS, "seal_at")]
        return [name for name in found if abs(getattr(self, name)) > _SLIGHT.get(name, 0)]

    def settings(self) -> dict[str, Any]:
        """Everything that is not nought, for the record."""
        return {
            entry.name: getattr(self, entry.name)
            for entry in fields(self)
            if entry.name in _SETTINGS or getattr(self, entry.name) not in (0, 0.0, (0.0, 0.0))
        }


@dataclass(frozen=True, slots=True)
class Stamp:
    """The words of a seal, and the font (file, index in it) of its words; without a font it has none."""

    text: str
    font: tuple[str, int] | None


def scan_page(page: Pixels, back: Pixels | None, plan: PageScan, stamp: Stamp, rng: np.random.Generator) -> Pixels:
    """The page as the scanner delivers it; ``back`` is what is printed on its reverse."""
    page = _fade(page.copy(), plan.faint, rng)
    page = _break_rules(page, plan, rng)
    if plan.bleed and back is not None:
        page = _bleed(page, back, plan)
    sheet = cv2.cvtColor(page, cv2.COLOR_GRAY2RGB) if plan.mode == "colour" else page
    sheet = _paper(sheet, plan, rng)
    if plan.seal:
        sheet = _seal(sheet, plan, stamp, rng)
    sheet = _ticks(_holes(sheet, plan), plan, rng)
    sheet = _lay_on_glass(sheet, plan, rng)
    sheet = _light(sheet, plan, rng)
    sheet = _sense(sheet, plan, rng)
    if plan.mode == "bilevel":
        sheet = _threshold(sheet)
    if plan.squeeze:
        sheet = cv2.resize(sheet, None, fx=1, fy=plan.squeeze, interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(np.rot90(sheet, -plan.turn // 90))


def _soft_noise(shape: tuple[int, ...], cells: int, rng: np.random.Generator) -> Pixels:
    """Slowly varying values from 0 to 1 over a page, as float32 of (height, width)."""
    height, width = shape[:2]
    grid = rng.random((max(2, cells * height // width), cells), dtype=np.float32)
    return np.clip(cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)


def _times(sheet: Pixels, factor: Pixels) -> Pixels:
    """The sheet, darkened by a map of factors (height, width)."""
    if sheet.ndim == 3:
        factor = factor[:, :, None]
    return np.clip(sheet * factor, 0, 255).astype(np.uint8)


def _overlay(sheet: Pixels, colours: Pixels, x: int, y: int) -> Pixels:
    """The sheet with a patch of RGB colours laid over it as transparent ink; what is outside the sheet is cut."""
    height, width = sheet.shape[:2]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + colours.shape[1], width), min(y + colours.shape[0], height)
    if left >= right or top >= bottom:
        return sheet
    patch = colours[top - y : bottom - y, left - x : right - x]
    if sheet.ndim == 2:
        patch = cv2.cvtColor(np.ascontiguousarray(patch), cv2.COLOR_RGB2GRAY)
    sheet[top:bottom, left:right] = cv2.multiply(sheet[top:bottom, left:right], patch, scale=1 / 255)
    return sheet


def _fade(page: Pixels, faint: float, rng: np.random.Generator) -> Pixels:
    """Print with little toner, unevenly so, in bands down the page."""
    if not faint:
        return page
    band = cv2.resize(rng.random((1, 6), dtype=np.float32), (page.shape[1], 1), interpolation=cv2.INTER_CUBIC)
    missing = faint * np.clip(0.75 + 0.25 * _soft_noise(page.shape, 5, rng) * 2 - 0.25 * band, 0, 1)
    return (255 - (255 - page.astype(np.float32)) * (1 - missing)).astype(np.uint8)


def rule_mask(page: Pixels, dpi: int) -> Pixels:
    """Where horizontal or vertical lines of at least a third of an inch run, as a mask of 0 and 255."""
    dark = cv2.threshold(page, 160, 255, cv2.THRESH_BINARY_INV)[1]
    long = max(9, dpi // 3)
    across = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    down = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((long, 1), np.uint8))
    return cv2.dilate(cv2.bitwise_or(across, down), np.ones((3, 3), np.uint8))


def _break_rules(page: Pixels, plan: PageScan, rng: np.random.Generator) -> Pixels:
    """Gaps of one to four millimetres in ruling lines; print beside them stays."""
    if not plan.broken:
        return page
    mask = rule_mask(page, plan.dpi)
    ys, xs = np.nonzero(mask)
    if not len(xs):
        return page
    gaps = np.zeros_like(mask)
    for place in rng.integers(0, len(xs), plan.broken):
        radius = int(plan.dpi * rng.uniform(0.5, 2.0) / MM_PER_INCH)
        cv2.circle(gaps, (int(xs[place]), int(ys[place])), max(2, radius), 255, -1)
    page = page.copy()
    page[(gaps > 0) & (mask > 0)] = 255
    return page


def _bleed(page: Pixels, back: Pixels, plan: PageScan) -> Pixels:
    """The reverse, mirrored, shows through the paper."""
    mirrored = cv2.GaussianBlur(cv2.flip(back, 1), (0, 0), plan.dpi / 130)
    if mirrored.shape != page.shape:
        mirrored = cv2.resize(mirrored, page.shape[::-1])
    ghost = 255 - (255 - mirrored.astype(np.float32)) * plan.bleed
    return cv2.multiply(page, ghost.astype(np.uint8), scale=1 / 255)


def _paper(sheet: Pixels, plan: PageScan, rng: np.random.Generator) -> Pixels:
    """Paper that is not white: a tint where there is colour, clouds and fibres."""
    if not plan.texture:
        return sheet
    clouds = 1 - plan.texture / 255 * (0.5 + _soft_noise(sheet.shape, 24, rng))
    sheet = _times(sheet, clouds)
    if sheet.ndim == 3:
        tint = np.array((1.0, 0.985, 0.985 - plan.texture / 150), np.float32)
        sheet = (sheet * tint).astype(np.uint8)
    return sheet


def _seal(sheet: Pixels, plan: PageScan, stamp: Stamp, rng: np.random.Generator) -> Pixels:
    """A round seal of 42 mm, its ink patchy."""
    size = int(42 / MM_PER_INCH * plan.dpi)
    mask = _seal_mask(size, stamp).rotate(float(rng.uniform(-25, 25)), resample=Image.Resampling.BILINEAR)
    patchy = 0.65 + 0.35 * _soft_noise((size, size), 14, rng)
    grains = cv2.resize(rng.random((size // 2, size // 2), dtype=np.float32), (size, size))
    ink = np.asarray(mask, np.float32) / 255 * patchy * (grains > 0.12) * plan.seal
    colours = 255 - ink[:, :, None] * (255 - np.array(RED, np.float32))
    x = int(plan.seal_at[0] * sheet.shape[1]) - size // 2
    y = int(plan.seal_at[1] * sheet.shape[0]) - size // 2
    return _overlay(sheet, colours.astype(np.uint8), x, y)


def _seal_mask(size: int, stamp: Stamp) -> Image.Image:
    mask = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(mask)
    thick, middle = max(2, size // 32), size / 2
    draw.ellipse((1, 1, size - 2, size - 2), outline=255, width=thick)
    points = []
    for corner in range(10):
        radius = size * (0.17 if corner % 2 == 0 else 0.066)
        angle = math.pi * corner / 5 - math.pi / 2
        points.append((middle + radius * math.cos(angle), middle + radius * math.sin(angle)))
    draw.polygon(points, fill=255)
    if stamp.font is None:
        return mask
    font = ImageFont.truetype(stamp.font[0], int(size * 0.12), index=stamp.font[1])
    words = stamp.text[:18]
    spread = min(270.0, 20.0 * len(words))
    for place, char in enumerate(words):
        angle = -spread / 2 + spread * place / max(1, len(words) - 1)
        box = int(size * 0.16)
        glyph = Image.new("L", (box, box), 0)
        ImageDraw.Draw(glyph).text((box / 2, box / 2), char, fill=255, font=font, anchor="mm")
        glyph = glyph.rotate(-angle, resample=Image.Resampling.BILINEAR)
        x = middle + size * 0.38 * math.sin(math.radians(angle))
        y = middle - size * 0.38 * math.cos(math.radians(angle))
        mask.paste(255, (int(x - box / 2), int(y - box / 2)), glyph)
    return mask


def _holes(sheet: Pixels, plan: PageScan) -> Pixels:
    """Punched holes of 6 mm, 12 mm from the left edge, through which the lid shows."""
    height, scale = sheet.shape[0], plan.dpi / MM_PER_INCH
    for number in range(plan.holes):
        y = height / 2 + (number - (plan.holes - 1) / 2) * 80 * scale
        shade = 70 if number % 2 else 40
        colour = shade if sheet.ndim == 2 else (shade,) * 3
        cv2.circle(sheet, (int(12 * scale), int(y)), int(3 * scale), colour, -1, cv2.LINE_AA)
    return sheet


def _ticks(sheet: Pixels, plan: PageScan, rng: np.random.Generator) -> Pixels:
    """Pen ticks of a reader in the margins."""
    height, width = sheet.shape[:2]
    scale = plan.dpi / MM_PER_INCH
    for _ in range(plan.ticks):
        size = int(rng.uniform(4, 8) * scale)
        patch = np.full((2 * size, 2 * size, 3), 255, np.uint8)
        points = np.array(((0.5, 1.1), (0.85, 1.6), (1.0, 1.5), (1.75, 0.4)), np.float32)
        points += rng.uniform(-0.1, 0.1, points.shape)
        colour = BLUE if rng.random() < 0.6 else RED
        cv2.polylines(patch, [np.int32(points * size)], False, colour, max(1, int(0.5 * scale)), cv2.LINE_AA)
        x = int(rng.uniform(0.005, 0.03) * width) if rng.random() < 0.5 else int(width * rng.uniform(0.985, 0.995))
        x -= 2 * size if x > width / 2 else 0
        sheet = _overlay(sheet, patch, x, int(rng.uniform(0.1, 0.9) * height))
    return sheet


def _lay_on_glass(sheet: Pixels, plan: PageScan, rng: np.random.Generator) -> Pixels:
    """Skew, perspective and the bend near a spine; where the sheet ends the lid shows, dark or white."""
    if not (plan.skew or plan.warp or plan.curl or plan.lid):
        return sheet
    height, width = sheet.shape[:2]
    lid = 255 if not plan.lid else int(rng.integers(25, 90))
    inset = plan.lid / MM_PER_INCH * plan.dpi
    corners = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    shifted = corners + rng.uniform(-1, 1, (4, 2)).astype(np.float32) * plan.warp * width
    shifted += np.array(((1, 0), (-1, 0), (-1, 0), (1, 0)), np.float32) * inset * rng.uniform(0.2, 1.0)
    shifted += np.array(((0, 1), (0, 1), (0, -1), (0, -1)), np.float32) * inset * rng.uniform(0.0, 0.7)
    matrix = cv2.getPerspectiveTransform(corners, shifted.astype(np.float32))
    turn = np.vstack((cv2.getRotationMatrix2D((width / 2, height / 2), plan.skew, 1.0), (0, 0, 1)))
    colour = (lid,) * 3 if sheet.ndim == 3 else lid
    sheet = cv2.warpPerspective(sheet, turn @ matrix, (width, height), flags=cv2.INTER_LINEAR,
                                borderMode=cv2.BORDER_CONSTANT, borderValue=colour)  # fmt: skip
    return _curl(sheet, plan, colour) if plan.curl else sheet


def _curl(sheet: Pixels, plan: PageScan, colour: Any) -> Pixels:
    """Lines rise towards the spine at the left, as on a bound volume."""
    height, width = sheet.shape[:2]
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    bend = plan.curl * width * np.exp(-np.arange(width, dtype=np.float32) / (0.15 * width))
    ys += bend[None, :] * np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return cv2.remap(sheet, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=colour)


def _light(sheet: Pixels, plan: PageScan, rng: np.random.Generator) -> Pixels:
    """Uneven light, and the shadow of a spine at one edge."""
    if not (plan.light or plan.spine):
        return sheet
    height, width = sheet.shape[:2]
    across, down = np.linspace(0, 1, 64, dtype=np.float32)[None, :], np.linspace(0, 1, 64, dtype=np.float32)[:, None]
    angle = rng.uniform(0, 2 * math.pi)
    slope = 0.5 + 0.5 * (math.cos(angle) * (2 * across - 1) + math.sin(angle) * (2 * down - 1)) / math.sqrt(2)
    light = 1 - plan.light * slope
    from_edge = across if plan.curl or rng.random() < 0.6 else 1 - across
    light = light * (1 - plan.spine * np.exp(-from_edge / rng.uniform(0.025, 0.06)))
    return _times(sheet, cv2.resize(light.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR))


def _sense(sheet: Pixels, plan: PageScan, rng: np.random.Generator) -> Pixels:
    """Focus, sensor noise, dust."""
    if plan.blur:
        sheet = cv2.GaussianBlur(sheet, (0, 0), plan.blur)
    if plan.noise:
        tile = rng.normal(0, plan.noise, (509, 503, *sheet.shape[2:])).astype(np.int16)
        repeats = (sheet.shape[0] // 509 + 1, sheet.shape[1] // 503 + 1, *([1] * (sheet.ndim - 2)))
        grain = np.tile(tile, repeats)[: sheet.shape[0], : sheet.shape[1]]
        sheet = np.clip(sheet.astype(np.int16) + grain, 0, 255).astype(np.uint8)
    if plan.pepper:
        sheet = _pepper(sheet, plan, rng)
    return sheet


def _pepper(sheet: Pixels, plan: PageScan, rng: np.random.Generator) -> Pixels:
    """Dust: specks of a tenth of a millimetre, mostly dark."""
    height, width = sheet.shape[:2]
    count = int(plan.pepper * height * width / plan.dpi**2)
    side = 1 if plan.dpi < 250 else 2
    ys, xs = rng.integers(0, height - 2, count), rng.integers(0, width - 2, count)
    shades = np.where(rng.random(count) < 0.75, rng.integers(0, 120, count), 255).astype(np.uint8)
    for down in range(side):
        for right in range(side):
            sheet[ys + down, xs + right] = shades if sheet.ndim == 2 else shades[:, None]
    return sheet


def _threshold(sheet: Pixels) -> Pixels:
    """Black and white by the darkness of the ink on this page, the background taken out as scanners do.

    The threshold lies nearer to the paper than to the ink: thin strokes stay whole.
    """
    small = cv2.resize(sheet, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    ground = cv2.GaussianBlur(cv2.dilate(small, np.ones((9, 9), np.uint8)), (0, 0), 4)
    ground = cv2.resize(ground, sheet.shape[::-1], interpolation=cv2.INTER_LINEAR)
    even = cv2.divide(sheet, ground, scale=255)
    ink = float(np.percentile(even[::3, ::3], 1.0))
    return cv2.threshold(even, 255 - 0.36 * (255 - min(ink, 170)), 255, cv2.THRESH_BINARY)[1]


def for_picture(plan: PageScan) -> PageScan:
    """The plan for a table cut out of its page: what belongs to whole sheets goes."""
    return replace(plan, holes=0, ticks=0, lid=0.0, spine=0.0, curl=0.0, bleed=0.0, turn=0, rotate=0, squeeze=0.0)
