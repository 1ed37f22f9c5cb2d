"""A report as flattened text, as scrapers and copy-and-paste leave it."""

from __future__ import annotations

import random
from pathlib import Path

from tests.generator import labels
from tests.generator.content import Heading, Paragraph, SampleReport
from tests.generator.grid import Grid, GridCell
from tests.generator.prose import print_date
from tests.generator.truth import Written, with_status, written

STYLES = (
    "cell_per_line", "pipes_multiline", "pipes_trailing", "pipes_oneline", "markdown", "spaces", "tabs",
    "pipes_heaped", "wrapped_labels", "page_text",
)  # fmt: skip
LOSSY = ("cell_per_line", "spaces", "wrapped_labels", "pipes_heaped", "page_text")


def write_text(
    report: SampleReport, path: Path, *, style: str = "cell_per_line", page_numbers: bool = False,
    furniture: bool = False, encoding: str = "utf-8", seed: int | None = None,
) -> Written:  # fmt: skip
    """Write ``report`` with its tables flattened in one of :data:`STYLES`.

    ``page_text`` is the text of a printed page: rows on lines, upright labels cut into characters at the heads of
    rows. It, ``cell_per_line``, ``spaces`` and ``wrapped_labels`` leave no trace of a blank cell; ``pipes_heaped``
    heaps the pipes of blanks at the end of the row. Rows with a blank among their values become ``lost``. Where rows
    have no labels either, ``tabs`` is written instead.
    """
    rng = random.Random(f"text/{report.seed if seed is None else seed}")
    if style in LOSSY and "dropped_labels" in report.traits and lost_keys(report):
        style = "tabs"  # neither label nor value would be left of a row
    lines = list(report.title)
    if furniture:
        lines.append(
            f"日期：{print_date(report.published, rng)}　来源：{report.body.name}　浏览量：{rng.randint(3, 900)}"
        )
    for part in report.parts:
        if isinstance(part, Grid):
            lines += flatten(part, style, page_numbers, rng)
        elif isinstance(part, Heading | Paragraph):
            lines.append(part.text)
    if furniture:
        lines += [
            "打印",
            "分享",
            "返回列表",
            f"版权所有：{report.body.county}政务网　网站标识码：{report.stray_year}000012",
        ]
    gap = "\n\n" if style == "cell_per_line" else "\n"
    path.write_bytes(gap.join(lines).encode(encoding, "replace"))
    layout = ["format:text", f"text:{style}", f"encoding:{encoding}"]
    layout += [name for name, on in (("page_numbers", page_numbers), ("furniture", furniture)) if on]
    if style in LOSSY:
        report = with_status(report, lost_keys(report), "lost")
    return written(path, report, layout, page_day=report.published if furniture else None)


def lost_keys(report: SampleReport) -> list[str]:
    """Keys of value cells in rows where a blank left no trace."""
    keys: list[str] = []
    for grid in report.grids:
        for row in grid.by_row():
            values = [cell for cell in row if cell.key]
            if any(not cell.text for cell in values):
                keys += [cell.key for cell in values if cell.key]
    return keys


def flatten(grid: Grid, style: str, page_numbers: bool, rng: random.Random) -> list[str]:
    """The lines of one table; a page number now and then between its rows."""
    lines: list[str] = []
    if style == "page_text" and grid.cols == 15:
        return _upright_disputes(grid)
    upright = list(labels.RESULTS) if style == "page_text" and grid.name == "applications" else []
    for number, row in enumerate(grid.by_row()):
        if style == "page_text":
            lines.append(_page_line(row, upright, number))
            continue
        lines += _row_lines(grid, row, style)
        if style == "markdown" and number == 0:
            lines.append("|" + " --- |" * grid.cols)
        if page_numbers and number > 3 and rng.random() < 0.07:
            page = rng.randint(2, 6)
            lines.append(rng.choice((f"- {page} -", f"— {page} —", f"第{page}页 共7页", f"第 {page} 页")))
    return lines


def _row_lines(grid: Grid, row: list[GridCell], style: str) -> list[str]:
    texts = [cell.text for cell in row]
    if style == "cell_per_line":
        return [text for text in texts if text]
    if style in ("spaces", "wrapped_labels"):
        line = " ".join(text for text in texts if text)
        return _wrap_label(row, line) if style == "wrapped_labels" else [line]
    if style == "tabs":
        return ["\t".join(_slots(grid, row))]
    if style in ("pipes_oneline", "markdown"):
        return ["| " + " | ".join(_slots(grid, row)) + " |"]
    if style == "pipes_heaped":
        return [_heaped(row)]
    return _multiline(row, leading=style == "pipes_multiline")


def _page_line(row: list[GridCell], upright: list[str], number: int) -> str:
    """A row on one line; a character of the upright label 三、本年度办理结果 at the head of every second row."""
    texts = [cell.text for cell in row if cell.text and cell.text != labels.RESULTS]
    if upright and number >= 6 and number % 2 == 0:
        texts.insert(0, upright.pop(0))
    return " ".join(texts)


def _upright_disputes(grid: Grid) -> list[str]:
    """Section four with its fifteen column labels upright: their first characters on one line, and so on."""
    first, second, third, values = grid.by_row()
    upright = [cell.text for cell in second[:5]] + [cell.text for cell in third]
    spans = " ".join(cell.text for cell in second[5:])
    heads = [" ".join(label[place] for label in upright if place < len(label)) for place in range(4)]
    return [" ".join(cell.text for cell in first), spans, *heads, " ".join(cell.text for cell in values if cell.text)]


def _slots(grid: Grid, row: list[GridCell]) -> list[str]:
    """One text for every slot of the row; slots that a span covers are empty."""
    slots = [""] * grid.cols
    for cell in row:
        slots[cell.col] = cell.text
    return slots


def _wrap_label(row: list[GridCell], line: str) -> list[str]:
    """A long label of a row of counts broken around its numbers: its head, the numbers, its tail."""
    values = [cell.text for cell in row if cell.key and cell.text]
    label = next((cell.text for cell in reversed(row) if cell.role == "label"), "")
    if len(label) < 12 or len(values) < 7:
        return [line]
    return [line.replace(label, label[:-2], 1), label[-2:]]


def _heaped(row: list[GridCell]) -> str:
    """``7 | 1 | 8 | ||||``: texts first, then the pipes of the blanks."""
    texts = [cell.text for cell in row if cell.text]
    blanks = sum(1 for cell in row if not cell.text)
    return " | ".join(texts) + " | " + "|" * blanks


def _multiline(row: list[GridCell], leading: bool) -> list[str]:
    """``| a |``, ``b |``, …, one cell a line; the columns of a colspan as bare pipes at the end of the row."""
    spare = sum(cell.colspan - 1 for cell in row)
    lines = [f"{cell.text} |" if cell.text else "|" for cell in row]
    if leading and lines:
        lines[0] = f"| {lines[0]}"
        return [*lines, "|" * spare] if spare else lines
    if spare and lines:
        lines[-1] += " " + "|" * spare
    return lines
