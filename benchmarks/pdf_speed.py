"""Cells from native PDFs against pdfplumber's own ``find_tables`` and ``extract_text``, paired, in one run.

``python -m benchmarks.pdf_speed FOLDER [--rounds N]`` reads every PDF of a folder with both, in turns, and prints
the median of the ratios (ours / pdfplumber's) per file and over all files. The bound is 1.3.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pdfplumber

from extractors.errors import ExtractionError
from extractors.pdf import read_pdf

BOUND = 1.3


def read_with_pdfplumber(path: Path) -> None:
    """What a script that uses pdfplumber alone does for the same pages."""
    with pdfplumber.open(path) as pdf:
        for page in pdf.pages:
            page.find_tables()
            page.extract_text()
            page.close()


def seconds(read: Callable[[Path], object], path: Path) -> float:
    """Processor time of one call."""
    start = time.process_time()
    read(path)
    return time.process_time() - start


def ratio(path: Path, rounds: int) -> tuple[float, float, float]:
    """Median ratio, and the median seconds of both, over ``rounds`` pairs; the order changes each round."""
    ours, theirs = [], []
    for number in range(rounds):
        for turn in (number, number + 1):
            if turn % 2:
                ours.append(seconds(read_pdf, path))
            else:
                theirs.append(seconds(read_with_pdfplumber, path))
    return median(one / other for one, other in zip(ours, theirs, strict=True)), median(ours), median(theirs)


def main() -> int:
    """Print a line per file and the median; exit code 1 where it exceeds the bound."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    ratios = []
    for path in sorted(arguments.folder.rglob("*.pdf")):
        try:
            read_pdf(path)
        except ExtractionError as error:
            print(f"skipped: {error}")
            continue
        found, ours, theirs = ratio(path, arguments.rounds)
        ratios.append(found)
        print(f"{found:5.2f}  {ours * 1000:7.0f} ms  pdfplumber {theirs * 1000:7.0f} ms  {path.name}")
    if not ratios:
        print("no PDF could be read")
        return 1
    print(f"median {median(ratios):.2f}, worst {max(ratios):.2f}, of {len(ratios)} files; bound {BOUND}")
    return int(median(ratios) > BOUND)


if __name__ == "__main__":
    raise SystemExit(main())
