"""Pictures of PDF pages: for pages that only OCR can read, and to draw on."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import numpy as np
import pypdfium2
from numpy.typing import NDArray

# What scanners of offices are set to, and what the recogniser was measured at; more costs time and reads no better.
DPI = 200
# A page of A3 at DPI has 7.7 million pixels; a poster is rendered smaller.
MAX_PIXELS = 12_000_000


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
            ValueError: the page cannot be rendered.
        """
        try:
            page = self._opened()[number - 1]
            width, height = page.get_size()
            scale = min(dpi / 72, (MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
            bitmap = page.render(scale=scale, rev_byteorder=True, prefer_bgrx=False)
            picture = np.ascontiguousarray(bitmap.to_numpy()[:, :, :3])
            page.close()
        except (pypdfium2.PdfiumError, IndexError) as error:
            raise ValueError(f"it cannot be rendered: {error}") from error
        return picture

    def _opened(self) -> pypdfium2.PdfDocument:
        if self._pdf is None:
            self._pdf = pypdfium2.PdfDocument(self._path)
        return self._pdf
