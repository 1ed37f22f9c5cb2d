"""One report as a page of Markdown: what it is, what does not hold, its tables, the drawn pages. No Prefect here."""

from __future__ import annotations

import base64
import io
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from flows.draw import draw_record
from flows.limits import Limits
from flows.overview import escaped, markdown_table
from flows.show import show_record
from flows.workers import Pool

# Prefect's pages fetch the whole of every artifact that they list.
MOST_PICTURE_BYTES = 300_000
MOST_TEXT = 60_000
_WIDEST = 1000  # px
_NARROWEST = 500
_QUALITY = 60
_MOST_BROKEN = 100
_DRAWER = "flows.pages:draw_small"


def report_page(record: Mapping[str, Any], limits: Limits) -> str:
    """The page of a record as Markdown, bounded in size; the drawing is done in a process of its own, under limits."""
    return "\n".join((*_head(record), *_findings(record), *_tables(record), *_drawing(record, limits)))


def draw_small(path: Path) -> str:
    """The drawn pages of the record in the file ``path`` as a small JPEG in base64; called in a worker.

    Raises:
        ExtractionError: the report has no pages, is gone, or cannot be drawn legibly.
    """
    target = path.with_suffix(".png")
    draw_record(json.loads(path.read_text(encoding="utf-8")), target)
    return base64.b64encode(_small(target)).decode("ascii")


def _head(record: Mapping[str, Any]) -> Iterator[str]:
    about, source = record["report"], record["source"]
    yield f"# {escaped(about['title'] or 'A report without a title')}"
    facts = {
        "authority": about["authority"],
        "year": about["year"],
        "form": about["form"],
        "published": about["published"],
        "file": source["path"],
        "sha256": source["sha256"],
        "read by OCR": "yes" if source["scanned"] else "no",
    }
    yield from markdown_table(["", "report"], [[name, value] for name, value in facts.items() if value is not None])


def _findings(record: Mapping[str, Any]) -> Iterator[str]:
    broken = [finding for finding in record["findings"] if finding["status"] == "inconsistent"]
    yield "## What does not hold"
    if not broken:
        yield "\nEvery sum that could be checked holds.\n"
        return
    rows = [[f["severity"], f["rule"], f["origin"], f["message"]] for f in broken[:_MOST_BROKEN]]
    yield from markdown_table(["severity", "rule", "origin", "finding"], rows)


def _tables(record: Mapping[str, Any]) -> Iterator[str]:
    """The report as ``gongkai show`` prints it, in a block of code: nothing inside one means anything to Markdown."""
    yield "## What was read"
    text = "\n".join(show_record(record))[:MOST_TEXT]
    yield "\n" + "\n".join(f"    {line}" for line in text.splitlines()) + "\n"


def _drawing(record: Mapping[str, Any], limits: Limits) -> Iterator[str]:
    if record["source"]["pages"] is None:
        return
    yield "## Where it was read"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.json"
        path.write_text(json.dumps(record), encoding="utf-8")
        with Pool(1, limits, _DRAWER) as pool:
            outcome = pool.extract(path)
    if outcome.record is None:
        yield f"\nNo picture: {escaped(outcome.reason)}\n"
    else:
        yield f"\n![the pages with what was read](data:image/jpeg;base64,{outcome.record})\n"


def _small(png: Path) -> bytes:
    """A picture as JPEG of at most :data:`MOST_PICTURE_BYTES`, cut at the bottom where it cannot be made smaller."""
    with Image.open(png) as opened:
        picture = opened.convert("RGB")
    width = min(_WIDEST, picture.width)
    while True:
        sized = picture.resize((width, max(1, picture.height * width // picture.width)))
        encoded = io.BytesIO()
        sized.save(encoded, "JPEG", quality=_QUALITY)
        if encoded.tell() <= MOST_PICTURE_BYTES:
            return encoded.getvalue()
        if width <= _NARROWEST:
            picture = picture.crop((0, 0, picture.width, picture.height * 2 // 3))
        width = max(_NARROWEST, width * 3 // 4)
