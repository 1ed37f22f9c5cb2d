"""Pictures of PDF pages: for pages that only OCR can read, and to draw on."""

from __future__ import annotations

import ctypes
import math
import time
from pathlib import Path
from types import TracebackType

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

# What scanners of offices are set to, and what the recogniser was measured at; more costs time and reads no better.
DPI = 200
# A page of A3 at DPI has 7.7 million pixels; a poster is rendered smaller.
MAX_PIXELS = 12_000_000
# A scan of 20,000 x 20,000 pixels is drawn in two seconds; what takes longer than this was made to. Seconds of this
# thread's work, not of the clock: a busy machine must not lose a page.
MAX_SECONDS = 6.0

_WHITE = (255, 255, 255, 255)


class Renderer:
    """Renders pages of one file, which is opened when the first is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pdf: pypdfium2.PdfDocument | None = None

    def __enter__(self) -> Renderer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pdf is not None:
            self._pdf.close()

    def size(self, number: int) -> tuple[float, float]:
        """Width and height (points) of page ``number`` (1-based) as it is shown, /Rotate and the crop box obeyed.

        Raises:
            ValueError: the file or the page cannot be opened.
        """
        try:
            width, height = self._opened().get_page_size(number - 1)
        except (pypdfium2.PdfiumError, IndexError) as error:
            raise ValueError(f"it cannot be rendered: {error}") from error
        return float(width), float(height)

    def picture(self, number: int, dpi: float = DPI) -> NDArray[np.uint8]:
        """Page ``number`` (1-based) as it is shown, RGB, height x width x 3; coarser than ``dpi`` if it is huge.

        Raises:
            ValueError: the page cannot be rendered, or not within 6 seconds of work.
        """
        try:
            page = self._opened()[number - 1]
            width, height = page.get_size()
            scale = min(dpi / 72, (MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
            size = (max(1, math.ceil(width * scale)), max(1, math.ceil(height * scale)))
            bitmap = pypdfium2.PdfBitmap.new_native(*size, pdfium.FPDFBitmap_BGR, rev_byteorder=True)
            bitmap.fill_rect(_WHITE, 0, 0, *size)
            try:
                _draw(page, bitmap, size)
                picture = np.ascontiguousarray(bitmap.to_numpy()[:, :, :3])
            finally:
                bitmap.close()
                page.close()
        except (pypdfium2.PdfiumError, IndexError) as error:
            raise ValueError(f"it cannot be rendered: {error}") from error
        return picture

    def _opened(self) -> pypdfium2.PdfDocument:
        if self._pdf is None:
            self._pdf = pypdfium2.PdfDocument(self._path)
        return self._pdf


def _draw(page: pypdfium2.PdfPage, bitmap: pypdfium2.PdfBitmap, size: tuple[int, int]) -> None:
    """Draws the page piece by piece.

    Raises:
        ValueError: it takes too long.
        PdfiumError: it cannot be drawn.
    """
    end = time.thread_time() + MAX_SECONDS
    # PDFium asks after each object, and after some rows of an image, whether it shall stop for now.
    ask = type(pdfium.IFSDK_PAUSE().NeedToPauseNow)(lambda _: time.thread_time() > end)
    pause = pdfium.IFSDK_PAUSE(version=1, NeedToPauseNow=ask)
    flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
    status = pdfium.FPDF_RenderPageBitmap_Start(bitmap.raw, page.raw, 0, 0, *size, 0, flags, ctypes.byref(pause))
    pdfium.FPDF_RenderPage_Close(page.raw)
    if status == pdfium.FPDF_RENDER_TOBECONTINUED:
        raise ValueError(f"it takes more than {MAX_SECONDS:g} seconds to draw")
    if status != pdfium.FPDF_RENDER_DONE:
        raise pypdfium2.PdfiumError("PDFium does not draw it")
