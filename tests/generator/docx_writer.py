"""A report as a Word file, as offices write it; deterministic bytes."""

from __future__ import annotations

import random
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm

from tests.generator.content import Heading, SampleReport
from tests.generator.grid import Grid, GridCell
from tests.generator.truth import Written, with_status, written


@dataclass(frozen=True, slots=True)
class Letter:
    """How a Word file is made.

    ``runs``: text cut into several runs. ``listed``: labels numbered by Word (their numbers are not in the text).
    ``metadata``: a table with index number and date first. ``nested``: tables inside a one-cell table.
    ``unmerged``: spans lost, covered slots as empty cells. ``picture``: the applications table is a picture.
    ``tracked``: some values are tracked insertions after a tracked deletion of another value.
    """

    runs: bool = False
    headings: bool = False
    listed: bool = False
    metadata: bool = False
    nested: bool = False
    unmerged: bool = False
    picture: bool = False
    text_breaks: bool = False
    tracked: bool = False


def random_letter(rng: random.Random) -> Letter:
    """A Word file as some office might make it; no picture."""
    return Letter(
        runs=rng.random() < 0.4, headings=rng.random() < 0.5, listed=rng.random() < 0.15, metadata=rng.random() < 0.3,
        nested=rng.random() < 0.12, unmerged=rng.random() < 0.15, text_breaks=rng.random() < 0.2,
        tracked=rng.random() < 0.12,
    )  # fmt: skip


def write_docx(
    report: SampleReport, path: Path, letter: Letter | None = None, *, seed: int | None = None,
    pictures: dict[str, bytes] | None = None,
) -> Written:  # fmt: skip
    """Write ``report`` as DOCX; ``pictures`` holds the PNG of each table that is shown as one, by table name."""
    rng = random.Random(f"docx/{report.seed if seed is None else seed}")
    letter = letter or random_letter(rng)
    document: Any = Document()
    document.sections[0].page_width, document.sections[0].page_height = Mm(210), Mm(297)
    if letter.metadata:
        _metadata_table(document, report, rng)
    for line in report.title:
        _paragraph(document, line, letter, rng, "center", style="Title" if letter.headings else None)
    for part in report.parts:
        if isinstance(part, Grid):
            _place_table(document, part, letter, rng, (pictures or {}).get(part.name))
        elif isinstance(part, Heading):
            _paragraph(document, part.text, letter, rng, style="Heading 1" if letter.headings else None)
        else:
            _paragraph(document, part.text, letter, rng, part.align)
    _save(document, path)
    for name in pictures or {}:
        report = with_status(report, [key for key in report.cells if key.startswith(f"{name}.")], "image")
    flags = ("runs", "headings", "listed", "metadata", "nested", "unmerged", "picture", "text_breaks", "tracked")
    layout = ["format:docx", *(f"docx:{flag}" for flag in flags if getattr(letter, flag))]
    return written(path, report, layout, page_day=report.published if letter.metadata else None)


def _save(document: Any, path: Path) -> None:
    """The file with fixed time stamps, so that the same report gives the same bytes."""
    buffer = BytesIO()
    document.save(buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), source.read(name), zipfile.ZIP_DEFLATED)


def _metadata_table(document: Any, report: SampleReport, rng: random.Random) -> None:
    table = document.add_table(rows=2, cols=4)
    texts = ("索引号", f"{rng.randint(1000, 9999)}-{report.stray_year}-{rng.randint(1, 999):03d}", "公开日期",
             report.published.isoformat(), "发布机构", report.body.name, "有效性", "有效")  # fmt: skip
    for place, text in enumerate(texts):
        table.cell(place // 4, place % 4).text = text


def _paragraph(
    place: Any, text: str, letter: Letter, rng: random.Random, align: str = "left", style: str | None = None
) -> None:
    paragraph = place.add_paragraph(style=style)
    if align != "left":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER if align == "center" else WD_ALIGN_PARAGRAPH.RIGHT
    _fill(paragraph, text, letter, rng)


def _fill(paragraph: Any, text: str, letter: Letter, rng: random.Random) -> None:
    """The text in one run, or cut into several (digits too), as tracked edits leave it."""
    if not letter.runs:
        paragraph.add_run(text)
        return
    rest = text
    while rest:
        size = rng.randint(1, 6)
        run = paragraph.add_run(rest[:size])
        run.bold = rng.random() < 0.2 or None
        rest = rest[size:]


def _place_table(document: Any, grid: Grid, letter: Letter, rng: random.Random, picture: bytes | None) -> None:
    if picture is not None:
        document.add_picture(BytesIO(picture), width=Mm(150))
        return
    place = document
    if letter.nested:
        place = document.add_table(rows=1, cols=1).cell(0, 0)
    table = place.add_table(rows=grid.rows, cols=grid.cols)
    if not letter.nested:
        table.style = "Table Grid"
    for column, width in zip(table.columns, grid.widths, strict=True):
        column.width = Mm(160 * width / sum(grid.widths))
    slots = [row.cells for row in table.rows]
    for cell in grid.cells:
        slot = slots[cell.row][cell.col]
        if not letter.unmerged and (cell.rowspan > 1 or cell.colspan > 1):
            slot = slot.merge(slots[cell.row + cell.rowspan - 1][cell.col + cell.colspan - 1])
        _fill_cell(slot, cell, letter, rng)


def _fill_cell(slot: Any, cell: GridCell, letter: Letter, rng: random.Random) -> None:
    paragraph = slot.paragraphs[0]
    for spare in slot.paragraphs[1:]:
        spare._element.getparent().remove(spare._element)
    text = cell.text
    if letter.tracked and cell.key and text and rng.random() < 0.3:
        _track(paragraph, text, rng)
        return
    if letter.listed and cell.role == "label" and text[:1].isdigit():
        _number(paragraph)
        text = text[2:]
    if letter.text_breaks and cell.role in ("label", "header") and len(text) > 6:
        paragraph.add_run(text[:4]).add_break()
        text = text[4:]
    _fill(paragraph, text, letter, rng)


def _track(paragraph: Any, text: str, rng: random.Random) -> None:
    """The text as a tracked insertion, after the tracked deletion of another number."""
    for tag, holder, shown in (("w:del", "w:delText", str(rng.randint(1, 99))), ("w:ins", "w:t", text)):
        change = OxmlElement(tag)
        for name, value in (("w:id", str(rng.randint(1, 9999))), ("w:author", "a"), ("w:date", "2023-01-05T09:00:00Z")):
            change.set(qn(name), value)
        run, content = OxmlElement("w:r"), OxmlElement(holder)
        content.text = shown
        run.append(content)
        change.append(run)
        paragraph._p.append(change)


def _number(paragraph: Any) -> None:
    """Make the paragraph an item of Word's numbered list."""
    properties = paragraph._p.get_or_add_pPr()
    numbering = OxmlElement("w:numPr")
    for tag, value in (("w:ilvl", "0"), ("w:numId", "1")):
        element = OxmlElement(tag)
        element.set(qn("w:val"), value)
        numbering.append(element)
    properties.append(numbering)
