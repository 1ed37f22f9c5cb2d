"""A corpus of unseen reports: every seed another body, form, layout and format."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.generator.content import SampleReport, make_report
from tests.generator.docx_writer import write_docx
from tests.generator.html_writer import write_html
from tests.generator.pdf_writer import write_pdf
from tests.generator.text_writer import STYLES, write_text
from tests.generator.truth import Written, to_json

FORMATS = ("pdf", "html", "docx", "text")
SUFFIXES = {"pdf": ".pdf", "html": ".html", "docx": ".docx", "text": ".txt"}
_FORM_CYCLE = ("2021", "2019", "2021", "2019", "2014", "2021", "hybrid", "2019", "narrative")


def write_report(report: SampleReport, kind: str, path: Path) -> Written:
    """Write ``report`` in a layout drawn from its seed; ``kind`` is one of :data:`FORMATS`."""
    if kind == "pdf":
        return write_pdf(report, path)
    if kind == "html":
        return write_html(report, path)
    if kind == "docx":
        return write_docx(report, path)
    rng = random.Random(f"layout/{report.seed}")
    encoding = rng.choice(("utf-8", "utf-8", "utf-8-sig", "gb18030"))
    return write_text(report, path, style=rng.choice(STYLES), page_numbers=rng.random() < 0.3,
                      furniture=rng.random() < 0.5, encoding=encoding)  # fmt: skip


def corpus(folder: Path, seed_from: int, count: int, formats: Sequence[str] = FORMATS) -> Iterator[Written]:
    """Write ``count`` reports, seeds ``seed_from`` and up, into ``folder``; a third have broken identities."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        seed = seed_from + number
        rng = random.Random(f"corpus/{seed}")
        form = _FORM_CYCLE[number % len(_FORM_CYCLE)]
        kind = rng.choice(formats)
        breaks = rng.choice((1, 1, 2, 3)) if rng.random() < 0.34 else 0
        report = make_report(seed, form, breaks=breaks)
        yield write_report(report, kind, folder / f"{seed:06d}_{form}{SUFFIXES[kind]}")


def write_corpus(folder: Path, seed_from: int, count: int, formats: Sequence[str] = FORMATS) -> int:
    """As :func:`corpus`, with ``truth.jsonl`` beside the reports; returns how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "truth.jsonl").open("w", encoding="utf-8") as file:
        for done in corpus(folder, seed_from, count, formats):
            file.write(json.dumps(to_json(done), ensure_ascii=False) + "\n")
    return count
