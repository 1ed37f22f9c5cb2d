"""Pictures of tables, scans, and PDFs by programs that offices really use.

These need programs or fonts of the machine (LibreOffice, Chromium, a CJK font), so they serve the committed samples
only; tests and corpora do without.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2  # type: ignore[import-untyped]
from PIL import Image, ImageFilter

from tests.generator.content import SampleReport
from tests.generator.docx_writer import Letter, write_docx
from tests.generator.grid import Grid
from tests.generator.html_writer import Page, write_html
from tests.generator.pdf_writer import MARGIN_PT, Sheet, Writer, write_pdf
from tests.generator.truth import Written, with_status, written

CHROMIUM_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer")


def table_picture(grid: Grid, scale: float = 1.6) -> bytes:
    """The table as a PNG of 16 grey levels: what a publisher pastes as a screenshot."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.pdf"
        writer = Writer(path, Sheet(), (), False)
        writer.table(grid)
        bottom = writer.y
        writer.save()
        image = page_images(path, scale)[0]
    crop = (MARGIN_PT - 4, MARGIN_PT - 4, writer.width - MARGIN_PT + 4, writer.height - bottom - 8)
    image = image.crop(tuple(int(edge * scale) for edge in crop)).quantize(16)
    buffer = BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def page_images(path: Path, scale: float) -> list[Any]:
    """Every page of a PDF as a grey image; ``scale`` 1 is 72 dots an inch."""
    document = pypdfium2.PdfDocument(path)
    return [page.render(scale=scale, grayscale=True).to_pil().convert("L") for page in document]


def write_scan(report: SampleReport, path: Path, sheet: Sheet) -> Written:
    """A PDF of page images only, slightly turned and blurred, as a copier makes it."""
    rng = random.Random(f"scan/{report.seed}")
    with tempfile.TemporaryDirectory() as folder:
        native = Path(folder) / "native.pdf"
        write_pdf(report, native, sheet)
        images = page_images(native, 1.9)
    turned = [
        image.rotate(rng.uniform(-0.6, 0.6), fillcolor=252, resample=Image.Resampling.BICUBIC)
        .filter(ImageFilter.GaussianBlur(0.5))
        for image in images
    ]  # fmt: skip
    turned[0].save(path, "PDF", save_all=True, append_images=turned[1:], resolution=72 * 1.9, quality=45)
    pictured = with_status(report, report.cells, "image")
    return written(path, pictured, ["format:pdf", "scanned"])


def write_by_libreoffice(report: SampleReport, path: Path, letter: Letter) -> Written:
    """The DOCX of the report, printed to PDF by LibreOffice."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"{path.stem}.docx"
        done = write_docx(report, source, letter)
        profile = f"-env:UserInstallation=file://{folder}/profile"
        command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", folder, str(source)]
        subprocess.run(command, check=True, capture_output=True, timeout=180)
        shutil.copyfile(source.with_suffix(".pdf"), path)
    return replace(done, path=path, layout=_as_pdf(done.layout, "libreoffice"))


def write_by_chromium(report: SampleReport, path: Path, page: Page) -> Written:
    """The web page of the report, printed to PDF by Chromium."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"{path.stem}.html"
        done = write_html(report, source, page)
        printed = source.with_suffix(".pdf")
        target = f"--print-to-pdf={printed}"
        profile = f"--user-data-dir={folder}/profile"
        command = ["chromium", *CHROMIUM_FLAGS, profile, target, f"file://{source}"]
        subprocess.run(command, check=True, capture_output=True, timeout=180)
        shutil.copyfile(printed, path)
    return replace(done, path=path, layout=_as_pdf(done.layout, "chromium"))


def _as_pdf(layout: tuple[str, ...], producer: str) -> tuple[str, ...]:
    kept = [name for name in layout if not name.startswith(("format:", "charset:"))]
    return ("format:pdf", f"producer:{producer}", *kept)


def missing_programs() -> list[str]:
    """What of LibreOffice, Chromium and a CJK font this machine lacks."""
    missing = [name for name in ("soffice", "chromium") if shutil.which(name) is None]
    return missing if has_cjk_font() else [*missing, "CJK font"]


def has_cjk_font() -> bool:
    """Whether a Chinese font is installed, for drawing pictures."""
    if shutil.which("fc-list") is None:
        return False
    return bool(subprocess.run(["fc-list", ":lang=zh"], capture_output=True, check=False, timeout=60).stdout.strip())
