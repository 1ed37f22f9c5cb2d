"""Seconds and peak memory of reading scanned pages; ``--rapidocr`` runs ``RapidOCR()`` on the same pages in turn.

``python -m benchmarks.ocr_speed FILE.pdf... [--dpi 200] [--repeat 3] [--rapidocr]``
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pypdfium2
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def rendered(path: Path, dpi: int) -> list[tuple[Pixels, tuple[float, float]]]:
    """Every page of a PDF as RGB with its size in points."""
    with pypdfium2.PdfDocument(path) as pdf:
        return [(np.asarray(page.render(scale=dpi / 72).to_pil().convert("RGB")), page.get_size()) for page in pdf]


def seconds(run: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> int:
    """Print one line per page, medians over the repeats."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--dpi", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--rapidocr", action="store_true", help="measure RapidOCR() on whole pages beside it")
    arguments = parser.parse_args()

    start = time.perf_counter()
    from extractors.ocr import read_values
    from extractors.scan import read_image

    read_values([np.full((48, 48), 255, np.uint8)])
    print(f"import and models: {time.perf_counter() - start:.2f} s")
    whole = _rapidocr() if arguments.rapidocr else None
    for path in arguments.files:
        for number, (picture, size) in enumerate(rendered(path, arguments.dpi), start=1):
            page = read_image(picture, *size)
            ours, theirs = [], []
            # In turn, so that whatever else the machine does falls on both.
            for _ in range(arguments.repeat):
                ours.append(seconds(lambda picture=picture, size=size: read_image(picture, *size)))
                if whole:
                    theirs.append(seconds(lambda picture=picture: whole(picture)))
            cells = sum(len(grid.cells) for grid in page.grids)
            line = f"{path.name} {number}: {cells} cells, {len(page.lines)} lines, {statistics.median(ours):.2f} s"
            if theirs:
                ratio = statistics.median(theirs) / statistics.median(ours)
                line += f"; RapidOCR {statistics.median(theirs):.2f} s, {ratio:.1f} times"
            print(line)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    print(f"peak memory{' with RapidOCR' if whole else ''}: {peak:.0f} MB")
    return 0


def _rapidocr() -> Callable[[Pixels], object]:
    from rapidocr import RapidOCR

    return RapidOCR(params={"Global.log_level": "critical"})


if __name__ == "__main__":
    raise SystemExit(main())
