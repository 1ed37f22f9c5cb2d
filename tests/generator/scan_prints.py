"""Reports printed to PDF in the looks that offices give them, to be scanned: reportlab, Chromium, LibreOffice.

Chromium, LibreOffice and the fonts are programs of the machine; what is missing is named by :func:`missing_for`.
"""

from __future__ import annotations

import functools
import html
import random
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.table import _Cell
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from tests.generator.content import Heading, Paragraph, SampleReport
from tests.generator.docx_writer import Letter, write_docx
from tests.generator.grid import Grid, GridCell
from tests.generator.office import CHROMIUM_FLAGS
from tests.generator.pdf_writer import FONT, Sheet, Writer, text_width, wrap
from tests.generator.truth import Written, written

ENGINES = ("reportlab", "chromium", "libreoffice")
# reportlab embeds fonts with TrueType outlines only; the Noto collections have others.
TRUETYPE = ("AR PL UMing CN", "AR PL UKai CN", "WenQuanYi Zen Hei")
FONTS = ("Noto Serif CJK SC", "Noto Serif CJK SC", "Noto Sans CJK SC", *TRUETYPE)
# The digits of the AR PL fonts are hairlines; few offices print such.
DIGITS = ("Liberation Serif", "Liberation Serif", "Liberation Sans")
_STANDARD = {"": "", "Liberation Serif": "Times-Roman", "Liberation Sans": "Helvetica"}
PORTRAIT_MM, TALL_MM = (210.0, 297.0), (297.0, 420.0)
MM = 72 / 25.4


@dataclass(frozen=True, slots=True)
class Look:
    """How a report is printed.

    ``font``: family of Chinese; ``digits``: family of Latin letters and digits, empty where it is the same.
    ``size``: points of table text; ``rule``: points of a ruling line. ``rules``: as in ``pdf_writer.RULES``.
    ``page``: width and height of the sheet in mm. ``padding``: points above and below the text of a cell.
    """

    engine: str = "reportlab"
    font: str = TRUETYPE[0]
    digits: str = ""
    size: float = 10.0
    rule: float = 0.6
    rules: str = "lines"
    page: tuple[float, float] = PORTRAIT_MM
    align: str = "center"
    padding: float = 2.0
    fills: bool = False
    bold: bool = False
    repeat_header: bool = False
    running: bool = True
    open_bottom: bool = False
    stacked: bool = False

    def traits(self) -> list[str]:
        """Names of what the look does."""
        flags = ("fills", "bold", "repeat_header", "running", "open_bottom", "stacked")
        sizes = [f"size:{self.size:g}", f"rule:{self.rule:g}", *(["landscape"] if self.page[0] > self.page[1] else [])]
        names = [f"engine:{self.engine}", f"font:{self.font}", f"rules:{self.rules}", *sizes]
        return names + [f"print:{flag}" for flag in flags if getattr(self, flag)]


def random_look(rng: random.Random, engine: str) -> Look:
    """A look as some office might print it; tables without rules are rare."""
    rules = "lines"
    if engine == "reportlab":
        rules = rng.choice(("lines", "lines", "lines", "thin_rects", "cell_rects", "no_outer", "horizontal"))
        rules = "borderless" if rng.random() < 0.05 else rules
    elif engine == "chromium":
        rules = rng.choice(("lines",) * 7 + ("double", "no_outer", "thick_outer"))
    size = rng.choice((9.0, 9.0, 9.5, 10.0, 10.5, 10.5, 11.0, 12.0))
    font = rng.choice(TRUETYPE if engine == "reportlab" else FONTS)
    own_digits = rng.random() < (0.2 if font.startswith("AR PL") else 0.5)
    return Look(
        engine=engine, font=font, digits="" if own_digits else rng.choice(DIGITS),
        size=min(size, 10.5) if engine == "reportlab" else size,
        rule=rng.choice((0.3, 0.5, 0.5, 0.75, 0.75, 1.0, 1.5)), rules=rules,
        page=PORTRAIT_MM if rng.random() < 0.85 else PORTRAIT_MM[::-1],
        align=rng.choice(("center", "center", "center", "left", "right")), padding=rng.choice((0.5, 1.5, 2.5, 4.0)),
        fills=rng.random() < 0.2, bold=rng.random() < 0.2, repeat_header=rng.random() < 0.25,
        running=rng.random() < 0.6, open_bottom=rng.random() < 0.15, stacked=rng.random() < 0.1,
    )  # fmt: skip


@functools.cache
def font_file(family: str) -> tuple[str, int] | None:
    """The file of a font family and its index in the file; None where the family is not installed."""
    if shutil.which("fc-match") is None:
        return None
    command = ["fc-match", "-f", "%{family}\t%{file}\t%{index}", family]
    found = subprocess.run(command, capture_output=True, check=True, timeout=60, text=True).stdout.split("\t")
    return (found[1], int(found[2]) & 0xFFFF) if family in found[0].split(",") else None


def missing_for(look: Look) -> list[str]:
    """The program and fonts that this look needs and that the machine lacks."""
    program = {"chromium": "chromium", "libreoffice": "soffice"}.get(look.engine)
    missing = [program] if program and shutil.which(program) is None else []
    families = (look.font,) if look.engine == "reportlab" else (look.font, look.digits)
    return missing + [f"font {family}" for family in families if family and font_file(family) is None]


def print_all(jobs: list[tuple[SampleReport, Look, Path]]) -> list[Written]:
    """Print every report to its PDF; LibreOffice is started once for all of its jobs."""
    letters = [job for job in jobs if job[1].engine == "libreoffice"]
    done = {path: _write_letter(report, look, path) for report, look, path in letters}
    if letters:
        _convert([path.with_suffix(".docx") for _, _, path in letters])
    for report, look, path in jobs:
        if look.engine == "chromium":
            done[path] = print_web(report, look, path)
        elif look.engine == "reportlab":
            done[path] = print_press(report, look, path)
    return [done[path] for _, _, path in jobs]


# reportlab


class Press(Writer):
    """A writer that draws in an installed font, with rules of its look, on paper of its look."""

    def __init__(self, path: Path, look: Look, title: tuple[str, ...]) -> None:
        sheet = Sheet(
            rules=look.rules, landscape=look.page[0] > look.page[1], open_bottom=look.open_bottom,
            repeat_header=look.repeat_header, fills=look.fills, doubled=look.bold, running=look.running,
            stacked=look.stacked, latin_digits=bool(look.digits), align=look.align, size=look.size,
        )  # fmt: skip
        super().__init__(path, sheet, title, True)
        self.width, self.height = look.page[0] * MM, look.page[1] * MM
        self.canvas.setPageSize((self.width, self.height))
        self.y = self.height - 56.0
        self.font = _register(look.font)
        self.latin = _STANDARD[look.digits] or self.font
        set_width = self.canvas.setLineWidth
        self.canvas.setLineWidth = lambda _: set_width(look.rule)

    def draw(self, text: str, x: float, y: float, size: float, font: str = FONT) -> None:
        """As the writer draws, in this font, the run centred on its old place."""
        name = self.font if font == FONT else self.latin
        shift = (text_width(text, font, size) - text_width(text, name, size)) / 2
        self.canvas.setFont(name, size)
        self.canvas.drawString(x + shift, y, text)
        if self.sheet.doubled:
            self.canvas.drawString(x + shift + 0.28, y, text)


def _register(family: str) -> str:
    name = family.replace(" ", "")
    if name not in pdfmetrics.getRegisteredFontNames():
        found = font_file(family)
        if found is None:
            raise FileNotFoundError(f"font {family} is not installed")
        pdfmetrics.registerFont(TTFont(name, found[0], subfontIndex=found[1]))
    return name


def print_press(report: SampleReport, look: Look, path: Path) -> Written:
    """The report by reportlab."""
    press = Press(path, look, report.title)
    for line in report.title:
        for piece in wrap(line.strip(), press.room, 17):
            press.line(piece, size=17, align="center", gap=6)
    press.y -= 14
    for part in report.parts:
        if isinstance(part, Grid):
            press.table(part)
        elif isinstance(part, Heading):
            press.prose(part.text, size=12.5)
        else:
            press.prose(part.text, size=11, align=part.align)
    press.save()
    return written(path, report, look.traits())


def print_table(grid: Grid, look: Look, path: Path) -> float:
    """One table alone on a sheet as long as it needs; returns where it ends, in points from the top."""
    press = Press(path, replace(look, page=(look.page[0], 1500.0), running=False), ())
    press.table(grid)
    press.save()
    return press.height - press.y


# Chromium


def print_web(report: SampleReport, look: Look, path: Path) -> Written:
    """The report as a plain page, printed by Chromium."""
    source = path.with_suffix(".html")
    source.write_text(_web(report, look), encoding="utf-8")
    profile = f"--user-data-dir={path.parent / 'chromium'}"
    command = ["chromium", *CHROMIUM_FLAGS, profile, f"--print-to-pdf={path}", source.resolve().as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    source.unlink()
    return written(path, report, look.traits())


def _web(report: SampleReport, look: Look) -> str:
    width, height = look.page
    family = ",".join(f"'{name}'" for name in (look.digits, look.font) if name)
    number = '@bottom-center{content:"— " counter(page) " —";font-size:9pt}' if look.running else ""
    edges = {"lines": "", "double": "table{border:3px double #000}", "thick_outer": "table{border:2pt solid #000}",
             "no_outer": "td:first-child{border-left:0} td:last-child{border-right:0}"}[look.rules]  # fmt: skip
    fills = ".header,.caption{background:#ddd}" if look.fills else ""
    bold = ".header{font-weight:bold}" if look.bold else ""
    style = f"""
@page{{size:{width}mm {height}mm;margin:20mm 19mm;{number}}} *{{box-sizing:border-box}}
body{{font-family:{family};font-size:{look.size + 1.5}pt;line-height:1.6;margin:0}}
h1{{font-size:19pt;text-align:center}} h3{{font-size:{look.size + 2.5}pt;margin:.5em 0;break-after:avoid}}
p{{text-indent:2em;margin:.3em 0;text-align:justify}} p.right{{text-align:right;text-indent:0}}
table{{border-collapse:collapse;width:100%;table-layout:fixed;font-size:{look.size}pt;line-height:1.25;margin:.4em 0}}
td{{border:{look.rule}pt solid #000;padding:{look.padding}pt 2pt;overflow-wrap:anywhere}} tr{{break-inside:avoid}}
.header,.caption{{text-align:center}} .value{{text-align:{look.align};white-space:nowrap}}
{fills} {bold} {edges}"""
    title = f"<h1>{'<br>'.join(html.escape(line) for line in report.title)}</h1>" if report.title else ""
    body = "\n".join(_web_part(part, look) for part in report.parts)
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"><style>{style}</style></head><body>{title}{body}</body>'


def _web_part(part: object, look: Look) -> str:
    if isinstance(part, Heading):
        return f"<h3>{html.escape(part.text)}</h3>"
    if isinstance(part, Paragraph):
        return f"<p{' class=right' if part.align == 'right' else ''}>{html.escape(part.text)}</p>"
    assert isinstance(part, Grid)
    total = sum(part.widths)
    columns = "".join(f'<col style="width:{100 * width / total:.2f}%">' for width in part.widths)
    rows = [f"<tr>{''.join(_web_cell(part, cell, look) for cell in row)}</tr>" for row in part.by_row()]
    heads = part.heads if look.repeat_header else 0
    head = f"<thead>{''.join(rows[:heads])}</thead>" if heads else ""
    return f"<table><colgroup>{columns}</colgroup>{head}<tbody>{''.join(rows[heads:])}</tbody></table>"


def _web_cell(grid: Grid, cell: GridCell, look: Look) -> str:
    spans = f' rowspan="{cell.rowspan}"' if cell.rowspan > 1 else ""
    spans += f' colspan="{cell.colspan}"' if cell.colspan > 1 else ""
    style = ""
    if cell.role == "value":
        share = sum(grid.widths[cell.col : cell.col + cell.colspan]) / sum(grid.widths)
        room = share * (look.page[0] - 38) * MM - 6
        needed = sum(1.0 if ord(char) > 0x2E7F else 0.58 for char in cell.text) * look.size
        # A number too long for its column is set smaller, never cut.
        style = f' style="font-size:{look.size * room / needed:.1f}pt"' if needed > room else ""
    return f'<td class="{cell.role}"{spans}{style}>{html.escape(cell.text)}</td>'


# LibreOffice


def _write_letter(report: SampleReport, look: Look, path: Path) -> Written:
    """The report as DOCX beside ``path``, in the look's font, rules and paper."""
    rng = random.Random(f"letter/{report.seed}")
    source = path.with_suffix(".docx")
    letter = Letter(metadata=rng.random() < 0.2, text_breaks=rng.random() < 0.15)
    done = write_docx(report, source, letter)
    document: Any = Document(str(source))
    _set_font(document.styles["Normal"], look, look.size + 1)
    _set_rules(document, look.rule)
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE if look.page[0] > look.page[1] else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = Mm(look.page[0]), Mm(look.page[1])
    section.left_margin = section.right_margin = Mm(22)
    for paragraph in document.paragraphs[: len(report.title)]:
        for run in paragraph.runs:
            run.font.size, run.font.bold = Pt(18), True
    for table in document.tables:
        _set_table(table, look)
    document.save(str(source))
    return replace(done, path=path, layout=tuple(look.traits()))


def _set_font(style: Any, look: Look, size: float) -> None:
    style.font.name, style.font.size = look.digits or look.font, Pt(size)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), look.font)


def _set_rules(document: Any, rule: float) -> None:
    for border in document.styles["Table Grid"].element.iter(qn("w:tblBorders")):
        for edge in border:
            edge.set(qn("w:sz"), str(round(rule * 8)))


def _set_table(table: Any, look: Look) -> None:
    across = {"center": WD_ALIGN_PARAGRAPH.CENTER, "right": WD_ALIGN_PARAGRAPH.RIGHT}.get(look.align)
    widths = [column.width.pt if column.width else 0.0 for column in table.columns]
    for slot in table._tbl.iter(qn("w:tc")):
        cell = _Cell(slot, table)
        text = cell.text
        size = look.size
        room = sum(widths[slot.grid_offset : slot.grid_offset + slot.grid_span]) - 13
        needed = sum(1.0 if ord(char) > 0x2E7F else 0.6 for char in text) * size
        if text and text[-1] in "0123456789０１２３４５６７８９元件项" and len(text) < 16 and 0 < room < needed:
            # Word would break a number that is too long for its column; offices set it smaller.
            size = max(5.0, size * room / needed)
        for paragraph in cell.paragraphs:
            paragraph.paragraph_format.space_after = Pt(0)
            if across is not None and len(text) < 12:
                paragraph.alignment = across
            for run in paragraph.runs:
                run.font.size = Pt(round(size * 2) / 2)


def _convert(sources: list[Path]) -> None:
    """DOCX to PDF beside each, by one start of LibreOffice."""
    folder = sources[0].parent
    profile = f"-env:UserInstallation={(folder / 'libreoffice').resolve().as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), *map(str, sources)]
    subprocess.run(command, check=True, capture_output=True, timeout=60 + 30 * len(sources))
    for source in sources:
        source.unlink()
