"""Scanned pages read by this project and by other tools in one run: seconds, cells right, prose right.

    python -m tests.generator.scans --seed-from 9000 --count 6 --out /some/folder
    python -m benchmarks.ocr_speed /some/folder --reports 2 --tools rapidocr,img2table,tesseract

``/some/folder`` may be PDF files instead; then only seconds are told. The tools read each page in turn, so that
whatever else the machine does falls on all of them. A tool that is not there is called "not installed":

- rapidocr: ``RapidOCR()`` on the whole page, with its own detection; it knows no tables;
- img2table: ``extract_tables`` with RapidOCR's Chinese models (``pip install img2table``);
- tesseract: the program with chi_sim (``apt install tesseract-ocr tesseract-ocr-chi-sim``); it knows no tables.

Cells: the numbers that the report prints in its tables, row by row in printed order, against the numbers in the rows
that a tool gives (pieces of text at one height, where it knows no tables). Rows, and the numbers within them, are
aligned in order so that most agree. Blank cells count for nobody, nor do numbers too many against anybody. Prose: the
share of its characters that a tool's text has in the same order.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import io
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np
import pypdfium2
from numpy.typing import NDArray
from PIL import Image
from rapidfuzz.distance import LCSseq

Pixels = NDArray[np.uint8]
Row = list[str]  # the numbers of a row of a table
Piece = tuple[float, float, float, float, str]  # left, top, right, bottom in px, text

_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")


@dataclass(slots=True)
class Reading:
    """What a tool makes of a page."""

    rows: list[Row] = field(default_factory=list)
    text: str = ""


Tool = Callable[[Pixels, tuple[float, float]], Callable[[], Reading]]


@dataclass(slots=True)
class Tally:
    """What a tool took and got right on all pages; ``seconds`` is the median of each page."""

    seconds: list[float] = field(default_factory=list)
    cells: int = 0
    prose: int = 0


# --- the tools: each takes a page and returns what is timed ----------------------------------------------------


def gongkai() -> Tool:
    """This project."""
    from extractors.scan import read_image

    def prepare(picture: Pixels, size: tuple[float, float]) -> Callable[[], Reading]:
        def run() -> Reading:
            page = read_image(picture, *size)
            rows = [numbers(cell.text for cell in row) for grid in page.grids for row in _by_row(grid.cells)]
            lines = sorted(page.lines, key=lambda line: (line.box[1], line.box[0]))
            return Reading([row for row in rows if row], "".join(line.text for line in lines))

        return run

    return prepare


def _by_row(cells: Iterable[object]) -> list[list[object]]:
    ordered = sorted(cells, key=lambda cell: (cell.row, cell.col))
    return [list(row) for _, row in groupby(ordered, key=lambda cell: cell.row)]


def rapidocr() -> Tool | None:
    """``RapidOCR()`` as it comes."""
    if importlib.util.find_spec("rapidocr") is None:
        return None
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "critical"})

    def prepare(picture: Pixels, size: tuple[float, float]) -> Callable[[], Reading]:
        def run() -> Reading:
            found = engine(picture)
            boxes = [] if found.boxes is None else found.boxes
            pieces = [
                (*np.min(box, axis=0), *np.max(box, axis=0), text)
                for box, text in zip(boxes, found.txts or (), strict=True)
            ]
            return from_pieces(pieces)

        return run

    return prepare


def img2table() -> Tool | None:
    """img2table: tables ruled or not, cells read by RapidOCR."""
    if importlib.util.find_spec("img2table") is None or importlib.util.find_spec("rapidocr") is None:
        return None
    from img2table.document import Image as Page
    from img2table.ocr import RapidOCR
    from rapidocr import LangRec

    engine = RapidOCR(params={"Rec.lang_type": LangRec.CH, "Global.log_level": "critical"})

    def prepare(picture: Pixels, size: tuple[float, float]) -> Callable[[], Reading]:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "PNG", compress_level=1)

        def run() -> Reading:
            tables = Page(buffer.getvalue()).extract_tables(ocr=engine, borderless_tables=False)
            rows = []
            for table in tables:
                for cells in table.content.values():
                    # A cell that spans columns is given once for each.
                    merged = {(cell.bbox.x1, cell.bbox.y1): cell.value or "" for cell in cells}
                    rows.append(numbers(text for _, text in sorted(merged.items())))
            return Reading([row for row in rows if row])

        return run

    return prepare


def tesseract() -> Tool | None:
    """Tesseract with chi_sim, a page at once."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    listed = subprocess.run([program, "--list-langs"], capture_output=True, text=True, check=False).stdout
    if "chi_sim" not in listed.split():
        return None

    def prepare(picture: Pixels, size: tuple[float, float]) -> Callable[[], Reading]:
        buffer = io.BytesIO()
        Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
        command = [program, "-", "-", "-l", "chi_sim", "--dpi", "200", "tsv"]

        def run() -> Reading:
            out = subprocess.run(command, input=buffer.getvalue(), capture_output=True, check=True).stdout.decode()
            words = csv.DictReader(io.StringIO(out), delimiter="\t", quoting=csv.QUOTE_NONE)
            pieces = []
            for word in words:
                if (word["text"] or "").strip():
                    left, top, wide, high = (float(word[name]) for name in ("left", "top", "width", "height"))
                    pieces.append((left, top, left + wide, top + high, word["text"]))
            return from_pieces(pieces)

        return run

    return prepare


TOOLS = {"rapidocr": rapidocr, "img2table": img2table, "tesseract": tesseract}


# --- what is right ---------------------------------------------------------------------------------------------


def numbers(texts: Iterable[str]) -> Row:
    """The numbers in texts, written alike: without commas and full-width digits."""
    found = []
    for text in texts:
        plain = unicodedata.normalize("NFKC", text).replace(" ", "")
        found += [match.replace(",", "").lstrip("+") for match in _NUMBER.findall(plain)]
    return found


def from_pieces(pieces: Sequence[Piece]) -> Reading:
    """Pieces of text whose middles are at one height as rows, from left to right."""
    lines: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece[1] + piece[3]):
        last = lines[-1][-1] if lines else None
        if last is not None and (piece[1] + piece[3]) / 2 <= (last[1] + last[3]) / 2 + 0.4 * (last[3] - last[1]):
            lines[-1].append(piece)
        else:
            lines.append([piece])
    ordered = [sorted(line) for line in lines]
    rows = [numbers(piece[4] for piece in line) for line in ordered]
    return Reading([row for row in rows if row], "".join(piece[4] for line in ordered for piece in line))


def cells_right(printed: Sequence[Row], rows: Sequence[Row]) -> int:
    """Numbers of ``printed`` found in ``rows`` where both are aligned in order."""
    best = [0] * (len(rows) + 1)
    for truth in printed:
        before = best[:]
        for place, row in enumerate(rows, start=1):
            both = before[place - 1] + LCSseq.similarity(truth, row)
            best[place] = max(before[place], best[place - 1], both)
    return best[-1]


def prose_right(printed: str, text: str) -> int:
    """Characters of ``printed`` that ``text`` has in the same order."""
    return int(LCSseq.similarity(printed, _folded(text)))


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def truth_of(seed: int) -> tuple[list[Row], str]:
    """The numbers of each row of the tables of a generated report, and its prose."""
    from tests.generator.content import Paragraph
    from tests.generator.scans import make_plan

    report = make_plan(seed).report
    rows = [numbers(cell.text for cell in row if cell.key) for grid in report.grids for row in _by_row(grid.cells)]
    prose = "".join(part.text for part in report.parts if isinstance(part, Paragraph))
    return [row for row in rows if row], _folded(prose)


# --- the run ---------------------------------------------------------------------------------------------------


def rendered(path: Path, dpi: int) -> list[tuple[Pixels, tuple[float, float]]]:
    """Every page of a PDF as RGB with its size in points."""
    with pypdfium2.PdfDocument(path) as pdf:
        return [(np.asarray(page.render(scale=dpi / 72).to_pil().convert("RGB")), page.get_size()) for page in pdf]


def chosen_files(places: Sequence[Path], most: int) -> list[tuple[Path, int | None]]:
    """PDF files, with the seed of those of a generated folder."""
    files: list[tuple[Path, int | None]] = []
    for place in places:
        if not place.is_dir():
            files.append((place, None))
            continue
        truths = [json.loads(line) for line in (place / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
        names = [(place / truth["file"], truth["scan"]["seed"]) for truth in truths if truth["file"].endswith(".pdf")]
        files += names[:most]
    return files


def compare(
    path: Path, seed: int | None, tools: dict[str, Tool], dpi: int, repeat: int, tallies: dict[str, Tally]
) -> None:
    """Read one report with every tool, print a line a page, and add to the tallies."""
    readings: dict[str, Reading] = {name: Reading() for name in tools}
    for number, (picture, size) in enumerate(rendered(path, dpi), start=1):
        runs = {name: prepare(picture, size) for name, prepare in tools.items()}
        taken: dict[str, list[float]] = {name: [] for name in tools}
        for turn in range(repeat):
            for name, run in runs.items():
                start = time.perf_counter()
                reading = run()
                taken[name].append(time.perf_counter() - start)
                if turn == 0:
                    readings[name].rows += reading.rows
                    readings[name].text += reading.text
        medians = {name: statistics.median(each) for name, each in taken.items()}
        for name, middle in medians.items():
            tallies[name].seconds.append(middle)
        ours = medians["gongkai"]
        shown = (f"{name} {middle:.2f} s ({middle / ours:.1f} times)" for name, middle in medians.items())
        print(f"{path.name} {number}: " + ", ".join(shown), flush=True)
    if seed is not None:
        rows, prose = truth_of(seed)
        for name, reading in readings.items():
            tallies[name].cells += cells_right(rows, reading.rows)
            tallies[name].prose += prose_right(prose, reading.text)


def main() -> int:
    """Print a line a page, then a line a tool."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="+", type=Path, metavar="FOLDER_OR_PDF")
    parser.add_argument("--reports", type=int, default=2, help="of each folder (default: %(default)s)")
    parser.add_argument("--dpi", type=int, default=200)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--tools", default="", help=f"beside this project: {','.join(TOOLS)}")
    arguments = parser.parse_args()
    tools: dict[str, Tool] = {"gongkai": gongkai()}
    for name in filter(None, arguments.tools.split(",")):
        tool = TOOLS[name]()
        if tool is None:
            print(f"{name}: not installed")
        else:
            tools[name] = tool
    blank = np.full((200, 200, 3), 255, np.uint8)
    blank[90:110, 50:150] = 0
    for prepare in tools.values():
        prepare(blank, (72.0, 72.0))()
    tallies = {name: Tally() for name in tools}
    files = chosen_files(arguments.places, arguments.reports)
    for path, seed in files:
        compare(path, seed, tools, arguments.dpi, arguments.repeat, tallies)
    truths = [truth_of(seed) for _, seed in files if seed is not None]
    cells, prose = sum(len(row) for rows, _ in truths for row in rows), sum(len(text) for _, text in truths)
    for name, tally in tallies.items():
        total, ours = sum(tally.seconds), sum(tallies["gongkai"].seconds)
        line = f"{name}: {total:.1f} s for {len(tally.seconds)} pages ({total / ours:.1f} times)"
        if truths:
            line += f", cells {tally.cells}/{cells} ({100 * tally.cells / max(cells, 1):.2f} %)"
            line += f", prose {100 * tally.prose / max(prose, 1):.2f} %" if name != "img2table" else ", no prose"
        print(line)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    print(f"peak memory of the process, all tools but tesseract in it: {peak:.0f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
