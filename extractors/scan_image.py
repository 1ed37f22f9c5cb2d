"""A picture of a page made fit to read: bounded, grey, evenly lit, without seals and speckle, upright and straight.

No text is read here. Pixels count from the top left; an ``NDArray`` of ``uint8`` is grey (rows x columns, 255
paper) or colour (rows x columns x RGB).
"""

from __future__ import annotations

import contextlib
import io
import math
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

Pixels = NDArray[np.uint8]
Matrix = NDArray[np.float64]  # 2 x 3, affine

_FORMATS = ("PNG", "JPEG", "TIFF", "JPEG2000", "GIF", "BMP", "WEBP", "PPM")
_MOST_DECODED = 100_000_000  # px; a picture of more is not decoded (400 MB while it is unpacked)
# Their decoders hold a picture several times over, in numbers of 32 bits.
_MOST_DECODED_OF = {"JPEG2000": 36_000_000, "WEBP": 36_000_000}
_MOST_KEPT = 36_000_000  # px; A4 at 600 dpi has 35 million
_BAND = 4_000_000  # px that are converted at a time
_OBLONG = (1.2, 4.0)  # width over height of a pixel, or the reverse: from and to, for a fax; beyond, the file is wrong
_ORIENTATION, _SUBFILE = 0x0112, 254  # tags of EXIF and TIFF
# Pillow reports damage by any of these, SyntaxError for broken PNG chunks among them.
_DAMAGE = (OSError, SyntaxError, EOFError, ValueError, TypeError, KeyError, MemoryError, OverflowError, struct.error)
_MOST_WORKED = 9_500_000  # px; A4 at 300 dpi has 8.7 million
_SMALLEST = 24  # px; a picture that is narrower or lower holds no line of text

# Text is brought to this size: the recogniser takes lines 48 px high, and thresholds in pixels then mean the same.
_EM = 24.0  # px; 9 points at 200 dpi
_SMALL_EM, _LARGE_EM = 15.0, 46.0  # px; text between these stays as it is
_RED = 30  # of 255; red light above the other two
_REDDISH = 9  # of 255; red light above the other two, more than in the paper, in the paler parts of a seal
_SEAL_REACH = 40  # px; so far from its strong parts
_MOST_ENLARGED = 4.0
# Hairlines of light type come out paler than many a page that shines through: little may be cut off as paper.
_WHITE = 0.92  # of the way from ink to paper
_DARK = 170  # what is darker is ink
_STROKE = 225  # what is paler is no part of a stroke
_NEGATIVE = 70  # of 255; a page half of which is darker is a negative
_THIN = 0.15  # of its length; thinner marks say nothing of the size of print
_MASS = 0.7  # em; no stroke is so thick
_PRINT = (110, 80, 55)  # of 255; print is as dark as this, grey stamps are paler
_STAMP_PALE = 225  # what is paler is paper
_STAMP_PALER = 55  # of 255; a stamp is paler than print by this
_STAMP_DEPTH = 25  # of 255; a stamp is even; what is darker in it by more is print
_STAMP_OBLONG = 1.6
_STAMP_STRANGE = 0.3  # of the dark print of a page; what is pale and solid beyond all stamps is no more
_STAMP_GAP = 0.5  # em; the parts of a stamp stand no farther apart
_STAMP_SIDE, _STAMP_MOST = 4.5, 22.0  # em
_BEFORE = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]], np.uint8)  # the pixels to the left and above
_MOST_SHORT = 65_000  # labels of 16 bits
_MOST_SKEW = 6.0  # degrees
_NO_SKEW = 0.03  # degrees; turning by less only blurs


@dataclass(frozen=True, slots=True)
class Frame:
    """A page as it is read.

    ``grey`` is evenly lit (paper 255, ink near 0), ``ink`` marks what is dark (255, else 0). ``to_picture`` takes
    a point of ``grey`` to the picture that was given. ``turn`` is the clockwise quarter turn (0, 90, 180, 270)
    that was made, ``skew`` the degrees by which the lines of the picture ran down to the right.
    """

    grey: Pixels
    ink: Pixels
    em: float
    to_picture: Matrix
    turn: int
    skew: float


# --- decoding --------------------------------------------------------------------------------------------------


class TooLargeError(ValueError):
    """The picture would not fit into the memory that reading a page may take."""


def page_frames(data: bytes, most: int) -> list[int]:
    """The numbers of the pictures in an image file that are pages, at most ``most``.

    Only TIFF files have several; thumbnails among them are no pages. A broken chain of pictures ends the list.

    Raises:
        ValueError: no image, or a kind that is not read.
    """
    with _opened(data) as image:
        if image.format != "TIFF":
            return [0]
        frames: list[int] = []
        for frame in range(2 * most):
            try:
                image.seek(frame)
            except (EOFError, *_DAMAGE):
                break
            kind = image.tag_v2.get(_SUBFILE, 0)  # type: ignore[attr-defined]
            if not (isinstance(kind, int) and kind & 1):
                frames.append(frame)
            if len(frames) == most:
                break
        return frames or [0]


def load_image(data: bytes, frame: int = 0) -> Pixels:
    """A picture of an image file as grey or RGB, turned as its EXIF data say; transparency is paper.

    What has more than 36 million pixels is reduced while it is unpacked; pixels that are not square (of faxes) are
    made so.

    Raises:
        TooLargeError: of more pixels than are unpacked: 100 million, fewer in formats whose decoders need more room.
        ValueError: no image, a kind that is not read, or damaged.
    """
    with _opened(data) as image:
        try:
            image.seek(frame)
            return _decoded(image)
        except TooLargeError:
            raise
        except Image.DecompressionBombError as error:
            raise _too_large(image.width, image.height, _MOST_DECODED) from error
        except _DAMAGE as error:
            raise ValueError(f"the image cannot be decoded: {error}") from error


@contextlib.contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        # Sizes are bounded here, and what is odd in a file that decodes is of no use to the user.
        warnings.simplefilter("ignore")
        try:
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
        except Image.DecompressionBombError as error:
            raise TooLargeError(f"the image has more than {_MOST_DECODED // 10**6} million pixels") from error
        except UnidentifiedImageError as error:
            raise ValueError("not an image of a kind that is read") from error
        except _DAMAGE as error:
            raise ValueError(f"the image cannot be decoded: {error}") from error
        with image:
            yield image


def _too_large(width: int, height: int, most: int) -> TooLargeError:
    return TooLargeError(f"the image has {width} x {height} pixels; at most {most // 10**6} million are read")


def _decoded(image: Image.Image) -> Pixels:
    if image.format == "JPEG":
        # Lets the decoder halve or quarter a huge photograph while it reads it.
        image.draft(None, (5000, 5000))
    most = _MOST_DECODED_OF.get(image.format or "", _MOST_DECODED)
    if image.width * image.height > most:
        raise _too_large(image.width, image.height, most)
    # Read before the pixels: TIFF forgets it when it is loaded, since Pillow then turns it.
    turn, stretch = image.getexif().get(_ORIENTATION, 1), _stretch(image)
    if image.format == "TIFF":
        turn, stretch = 1, stretch[::-1] if turn in (5, 6, 7, 8) else stretch
    factor = math.ceil(math.sqrt(image.width * image.height / _MOST_KEPT))
    image.load()
    is_deep = image.mode.startswith("I") or image.mode == "F"
    bands = _bands(image, factor)
    top = _deepest(image, factor) if is_deep else 255.0
    pixels = np.concatenate([_reduced(_from_deep(band, top) if is_deep else _plain(band), factor) for band in bands])
    if stretch != (1.0, 1.0):
        pixels = _array(cv2.resize(pixels, None, fx=stretch[0], fy=stretch[1], interpolation=cv2.INTER_CUBIC))
    return _upright(pixels, turn)


def _bands(image: Image.Image, factor: int) -> Iterator[Image.Image]:
    """The picture in bands, so that no copy of the whole is made in another mode."""
    step = max(factor, _BAND // max(1, image.width) // factor * factor)
    for top in range(0, image.height, step):
        yield image.crop((0, top, image.width, min(top + step, image.height)))


def _plain(band: Image.Image) -> Pixels:
    if band.mode in ("RGBA", "LA", "PA") or "transparency" in band.info:
        layered = band.convert("RGBA")
        band = Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered)
    return np.array(band.convert("L" if band.mode in ("1", "L") else "RGB"), dtype=np.uint8)


def _deepest(image: Image.Image, factor: int) -> float:
    """What is white in 16 or 32 bits a pixel, by the range that the values use (0 to 255 stays)."""
    most = max(float(np.asarray(band).max(initial=0)) for band in _bands(image, factor))
    return 255.0 if most <= 255 else 65535.0 if most <= 65535 else most


def _from_deep(band: Image.Image, top: float) -> Pixels:
    return _array(np.clip(np.asarray(band).astype(np.float32) * (255.0 / top), 0, 255))


def _reduced(pixels: Pixels, factor: int) -> Pixels:
    if factor == 1:
        return pixels
    height, width = pixels.shape[:2]
    size = (max(1, width // factor), max(1, round(height / factor)))
    return _array(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def _stretch(image: Image.Image) -> tuple[float, float]:
    """By what width and height have to grow for pixels to be square: faxes have half as many lines as columns."""
    across, down = map(float, image.info.get("dpi", (1, 1)))
    if across <= 0 or down <= 0 or not _OBLONG[0] <= max(across / down, down / across) <= _OBLONG[1]:
        return 1.0, 1.0
    return max(1.0, down / across), max(1.0, across / down)


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """``pixels`` as a viewer shows them, by the number of EXIF."""
    if orientation in (5, 6, 7, 8):
        pixels = np.swapaxes(pixels, 0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


# --- cleaning --------------------------------------------------------------------------------------------------


def clean(picture: Pixels) -> tuple[Pixels, float]:
    """``picture`` bounded in size, grey and evenly lit, and the factor by which it was scaled."""
    height, width = picture.shape[:2]
    factor = min(1.0, math.sqrt(_MOST_WORKED / (height * width)))
    if factor < 1:
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        picture = _array(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    grey = _without_seals(picture) if picture.ndim == 3 else picture
    if np.median(grey[::4, ::4]) < _NEGATIVE:
        # White on black, as from microfilm or from a bilevel image whose colours a program swapped.
        grey = _array(cv2.bitwise_not(grey))
    return _without_speckle(_flattened(grey)), factor


def _without_seals(picture: Pixels) -> Pixels:
    """Grey, in which red ink is paper: red light shows neither seal nor red rules, and all of black print."""
    red, green, blue = map(_array, cv2.split(picture))
    plain = _array(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    redness = _array(cv2.subtract(red, cv2.max(green, blue)))
    if np.mean(redness[::3, ::3] > _RED) < 0.0003:
        return plain
    is_red = redness > _RED
    # Pure red ink is a little darker than paper in red light; its own level is made that of the paper around it.
    level = float(np.percentile(red[is_red & (redness > 2 * _RED)], 25)) if np.any(redness > 2 * _RED) else 255.0
    level = min(level, float(np.percentile(red[is_red], 60)))
    # What is weakly red belongs to a seal only near to what is strongly so: paper has a tint of its own.
    near = cv2.dilate(is_red.astype(np.uint8), np.ones((2 * _SEAL_REACH + 1, 2 * _SEAL_REACH + 1), np.uint8)) > 0
    tint = float(np.median(redness[::7, ::7]))
    spread = cv2.dilate((is_red | (near & (redness > tint + _REDDISH))).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    paper = _paper(plain).astype(np.float32)
    bleached = np.minimum(red * (paper / max(120.0, 0.94 * level)), paper)
    return np.where(spread, np.maximum(bleached, plain), plain).astype(np.uint8)


def _paper(grey: Pixels) -> Pixels:
    """The grey of the paper at each pixel: the light that falls on it, print left out."""
    height, width = grey.shape
    step = max(1, round(max(height, width) / 400))
    small = _array(cv2.resize(grey, (max(1, width // step), max(1, height // step)), interpolation=cv2.INTER_AREA))
    paper = cv2.medianBlur(_array(cv2.dilate(small, np.ones((7, 7), np.uint8))), 9)
    return _array(cv2.resize(cv2.GaussianBlur(paper, (0, 0), 4), (width, height), interpolation=cv2.INTER_LINEAR))


def _flattened(grey: Pixels) -> Pixels:
    """Paper made white and ink black, wherever the light fell: shadow of the spine, yellowed paper, bleed-through."""
    even = _array(cv2.divide(grey, np.maximum(_paper(grey), 40), scale=255))
    # Counts below 2**24 are exact in the numbers of 32 bits that OpenCV gives.
    counts = cv2.calcHist([even], [0], None, [256], [0, 256]).ravel().astype(np.int64)
    dark = np.cumsum(counts[:200])
    # The blackest twentieth of what is clearly darker than paper stands for ink.
    ink = int(np.searchsorted(dark, 0.05 * dark[-1])) if dark[-1] > 0.0005 * even.size else 0
    ink = min(ink, 170)
    white = ink + _WHITE * (255 - ink)
    table = np.clip((np.arange(256) - ink) * (255.0 / (white - ink)), 0, 255).astype(np.uint8)
    return _array(cv2.LUT(even, table))


def _without_speckle(grey: Pixels) -> Pixels:
    """``grey`` without the single dark and light pixels that a scanner strews; strokes, however thin and pale, stay."""
    dark, stroke = (_array(cv2.threshold(grey, level - 1, 1, cv2.THRESH_BINARY_INV)[1]) for level in (_DARK, _STROKE))
    around = _around(dark)
    lonely = cv2.bitwise_and(
        *(cv2.threshold(near, 2, 1, cv2.THRESH_BINARY_INV)[1] for near in (around, _around(stroke)))
    )
    pepper = cv2.bitwise_and(dark, lonely)
    salt = cv2.subtract(cv2.threshold(around, 7, 1, cv2.THRESH_BINARY)[1], dark)
    if cv2.countNonZero(pepper) < 0.0004 * grey.size and cv2.countNonZero(salt) < 0.00002 * grey.size:
        return grey
    return np.where(pepper, 255, np.where(salt, cv2.erode(grey, np.ones((3, 3), np.uint8)), grey)).astype(np.uint8)


def _around(mask: Pixels) -> Pixels:
    """How many of the nine pixels in and around each are marked."""
    return _array(cv2.boxFilter(mask, -1, (3, 3), normalize=False, borderType=cv2.BORDER_REPLICATE))


def _array(values: object) -> Pixels:
    """What OpenCV returns is typed as any array; these are pictures of ``uint8``."""
    return np.asarray(values, dtype=np.uint8)


def marks_of(ink: Pixels) -> tuple[int, NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The connected marks of ``ink`` (touching at corners too): number, labels, statistics and centres.

    Labels of 16 bits take a third of the time of those of 32. OpenCV gives a label to each block of 2 x 2 that touches
    none before it, which then has a pixel with none to its left and above; where 16 bits might not count these, 32 do.
    """
    blocks = ink.size // 4 + sum(ink.shape) + 1
    if blocks > _MOST_SHORT:
        before = cv2.dilate(ink, _BEFORE, borderType=cv2.BORDER_CONSTANT, borderValue=0)
        blocks = cv2.countNonZero(cv2.subtract(ink, before))
    kind = cv2.CV_16U if blocks < _MOST_SHORT else cv2.CV_32S
    count, labels, stats, centres = cv2.connectedComponentsWithStatsWithAlgorithm(ink, 8, kind, cv2.CCL_DEFAULT)
    return count, np.asarray(labels), np.asarray(stats), np.asarray(centres)


def without_stamps(grey: Pixels, em: float) -> Pixels:
    """A cleaned picture without grey stamps: what is paler than print, solid, and as large as a seal.

    Where they crossed print, this stays: it is darker than the stamp. Where print itself is pale nothing is done.
    """
    for most in _PRINT:
        dark = _array(cv2.threshold(grey, most - 1, 1, cv2.THRESH_BINARY_INV)[1])
        # The rim of print is as pale as a stamp, but it is no broader than two pixels.
        rims = cv2.dilate(dark, np.ones((5, 5), np.uint8))
        pale = cv2.subtract(cv2.threshold(grey, _STAMP_PALE - 1, 1, cv2.THRESH_BINARY_INV)[1], rims)
        solid = _array(cv2.morphologyEx(pale, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))
        cleaned = grey
        stamps = _stamps(solid, em)
        outside = np.count_nonzero(solid) - sum(np.count_nonzero(solid[here]) for here in stamps)
        if outside > _STAMP_STRANGE * np.count_nonzero(dark):
            # Print of light type is as pale: it cannot be told from a stamp.
            continue
        for here in stamps:
            part, body = cleaned[here], solid[here] > 0
            level = float(np.median(part[body]))
            if level - float(np.median(grey[dark > 0])) < _STAMP_PALER:
                continue
            near = cv2.dilate(body.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
            cleaned = grey.copy() if cleaned is grey else cleaned
            cleaned[here] = np.where(near & (part > level - _STAMP_DEPTH), 255, part)
        if cleaned is not grey:
            return cleaned
    return grey


def _stamps(solid: Pixels, em: float) -> list[tuple[slice, slice]]:
    """Where parts of ``solid`` are together about as wide as high and as large as a seal, one of them of a ring."""
    side = max(3, round(_STAMP_GAP * em))
    joined = _array(cv2.dilate(solid, np.ones((side, side), np.uint8)))
    _, _, stats, _ = marks_of(joined)
    boxes = [
        (slice(top, top + height), slice(left, left + width))
        for left, top, width, height, _ in stats[1:].tolist()
        if min(width, height) >= _STAMP_SIDE * em
        and max(width, height) <= min(_STAMP_MOST * em, _STAMP_OBLONG * min(width, height))
    ]
    return [box for box in boxes if _has_ring(_array(solid[box]), em)]


def _has_ring(part: Pixels, em: float) -> bool:
    """Whether a part runs on as no stroke of print and no rule does: far to the side and down."""
    _, _, stats, _ = marks_of(part)
    sides = [sorted((width, height)) for _, _, width, height, _ in stats[1:].tolist()]
    return any(short >= 0.8 * em and long >= 2.0 * em for short, long in sides)


# --- upright and straight --------------------------------------------------------------------------------------


def frame(grey: Pixels, factor: float, turn: int | None = None) -> Frame:
    """A cleaned picture upright (but perhaps upside down), straight, and its text of the usual size.

    ``turn`` is the clockwise quarter turn to make; None: 0 or 90, by how the characters follow each other.
    """
    marks = character_boxes(_whole(without_rules(ink_of(grey))))
    if turn is None:
        turn = 0 if _is_level(grey, marks) else 90
    turned = np.ascontiguousarray(np.rot90(grey, -(turn // 90)))
    em = text_size(marks)
    scale = 1.0
    if em and (em < _SMALL_EM or em > _LARGE_EM):
        scale = min(_EM / em, _MOST_ENLARGED, math.sqrt(2 * _MOST_WORKED / grey.size))
    skew = find_skew(without_masses(ink_of(turned), em or _EM))
    straight, back = _straightened(turned, skew, scale)
    to_picture = _compose(_scaling(1 / factor), _compose(_turn_back(turn, grey.shape), back))
    return Frame(straight, ink_of(straight), (em or _EM) * scale, to_picture, turn, skew)


def ink_of(grey: Pixels) -> Pixels:
    """255 where a cleaned picture is dark."""
    return _array(cv2.threshold(grey, _DARK - 1, 255, cv2.THRESH_BINARY_INV)[1])


def without_rules(ink: Pixels, length: int = 60) -> Pixels:
    """``ink`` without straight horizontal and vertical strokes of ``length`` px and more."""
    level = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    upright = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((length, 1), np.uint8))
    rules = cv2.dilate(cv2.bitwise_or(level, upright), np.ones((3, 3), np.uint8))
    return _array(cv2.subtract(ink, rules))


def character_boxes(ink: Pixels) -> NDArray[np.int32]:
    """Left, top, width, height, area of the connected marks (n x 5) that may be (parts of) characters."""
    _, _, stats, _ = marks_of(ink)
    boxes = np.asarray(stats[1:], np.int32)
    largest = max(ink.shape) / 12
    kept = (boxes[:, 2] < largest) & (boxes[:, 3] < largest) & (np.maximum(boxes[:, 2], boxes[:, 3]) >= 4)
    return np.asarray(boxes[kept & (boxes[:, 4] >= 5)], np.int32)


def _whole(ink: Pixels) -> Pixels:
    """``ink`` with the parts of a character joined."""
    return _array(cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)))


def text_size(boxes: NDArray[np.int32]) -> float | None:
    """The em of most text in px, from the size of whole characters; None where there are too few marks."""
    sides = np.maximum(boxes[:, 2], boxes[:, 3])
    # Thin marks are pieces of rules, or digits and strokes of which there are enough others.
    sides = sides[(sides >= 6) & (np.minimum(boxes[:, 2], boxes[:, 3]) > _THIN * sides)]
    if len(sides) < 8:
        return None
    return float(np.percentile(sides, 70)) * 1.12


def _is_level(grey: Pixels, marks: NDArray[np.int32]) -> bool:
    """Whether the characters follow each other from side to side: they stand closer in that direction."""
    em = text_size(marks)
    if em is None:
        return True
    centres = marks[:, :2] + marks[:, 2:4] / 2
    if len(centres) > 4000:
        centres = centres[:: len(centres) // 4000 + 1]
        marks = marks[:: len(marks) // 4000 + 1]
    picture = np.zeros(grey.shape, np.uint8)
    for left, top, width, height, _ in marks.tolist():
        picture[top : top + height, left : left + width] = 255
    reach = max(3, round(0.3 * em))
    across = cv2.morphologyEx(picture, cv2.MORPH_CLOSE, np.ones((1, reach), np.uint8))
    down = cv2.morphologyEx(picture, cv2.MORPH_CLOSE, np.ones((reach, 1), np.uint8))
    return cv2.connectedComponents(_array(across))[0] <= cv2.connectedComponents(_array(down))[0]


def without_masses(ink: Pixels, em: float) -> Pixels:
    """``ink`` without what is dark all over: the lid beside the paper, holes, shadows; their edges run askew."""
    side = max(9, round(_MASS * em))
    masses = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return _array(cv2.subtract(ink, cv2.dilate(masses, np.ones((side, side), np.uint8))))


def find_skew(ink: Pixels) -> float:
    """By how many degrees lines run down to the right: the slant at which ink gathers in the fewest rows."""
    found = cv2.findNonZero(ink)
    if found is None or len(found) < 200:
        return 0.0
    xs, ys = found.reshape(-1, 2).T
    if len(ys) > 60_000:
        chosen = np.random.default_rng(0).choice(len(ys), 60_000, replace=False)
        ys, xs = ys[chosen], xs[chosen]
    centred = xs - ink.shape[1] / 2
    best = 0.0
    for reach, step, size in ((_MOST_SKEW, 0.25, 3.0), (0.3, 0.05, 1.5), (0.05, 0.01, 1.0)):
        slants = np.arange(best - reach, best + reach + step / 2, step)
        best = float(max(slants, key=lambda slant: _gathering(ys, centred, float(slant), size, ink.shape[0])))
    return best if abs(best) <= _MOST_SKEW else 0.0


def _gathering(ys: NDArray[Any], xs: NDArray[np.float64], slant: float, size: float, height: int) -> float:
    rows = ((ys - xs * math.tan(math.radians(slant)) + height) / size).astype(np.int64)
    counts = np.bincount(np.clip(rows, 0, None)).astype(np.float64)
    return float(np.square(counts).sum())


def _straightened(grey: Pixels, skew: float, scale: float) -> tuple[Pixels, Matrix]:
    """``grey`` turned against ``skew`` and scaled, with the matrix from it back to ``grey``."""
    if abs(skew) < _NO_SKEW:
        skew = 0.0
    if not skew and scale == 1.0:
        return grey, _scaling(1.0)
    height, width = grey.shape
    angle = math.radians(skew)
    cos, sin = math.cos(angle), math.sin(angle)
    wide = round((width * cos + height * abs(sin)) * scale)
    high = round((height * cos + width * abs(sin)) * scale)
    back = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]]) / scale
    back[:, 2] = np.array([width / 2, height / 2]) - back[:, :2] @ np.array([wide / 2, high / 2])
    method = cv2.INTER_AREA if scale < 1 and not skew else cv2.INTER_CUBIC
    straight = cv2.warpAffine(
        grey, back, (wide, high), flags=method | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT, borderValue=255
    )
    return _array(straight), back


def _turn_back(turn: int, shape: tuple[int, ...]) -> Matrix:
    """From a picture that was turned clockwise by ``turn`` to the one of ``shape`` before."""
    height, width = shape[0], shape[1]
    if turn == 90:
        return np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, float(height)]])
    if turn == 180:
        return np.array([[-1.0, 0.0, float(width)], [0.0, -1.0, float(height)]])
    if turn == 270:
        return np.array([[0.0, -1.0, float(width)], [1.0, 0.0, 0.0]])
    return _scaling(1.0)


def _scaling(factor: float) -> Matrix:
    return np.array([[factor, 0.0, 0.0], [0.0, factor, 0.0]])


def _compose(after: Matrix, before: Matrix) -> Matrix:
    """The matrix that does ``before`` and then ``after``."""
    linear = after[:, :2] @ before[:, :2]
    moved = after[:, :2] @ before[:, 2] + after[:, 2]
    return np.column_stack((linear, moved))


def is_too_small(picture: Pixels) -> bool:
    """Whether a picture is too small to hold a line of text."""
    return bool(min(picture.shape[:2]) < _SMALLEST)
