"""Files that are no report, or not readable: each as a function that writes into a folder and returns the path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from docx import Document
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from tests.generator.content import make_report
from tests.generator.docx_writer import write_docx
from tests.generator.html_writer import Page, write_html
from tests.generator.pdf_writer import FONT, Sheet, write_pdf

_NEWS = (
    "县图书馆周末开放时间调整通知",
    "自下周起，县图书馆周末开放时间延长两小时，儿童阅览室同步开放，读者凭身份证登记入馆。",
    "馆内新购图书三千余册，其中少儿读物占四成。停车位有限，建议乘坐公共交通前往。",
)


def empty(folder: Path) -> Path:
    """A PDF of no bytes."""
    path = folder / "empty.pdf"
    path.write_bytes(b"")
    return path


def blank_text(folder: Path) -> Path:
    """A text of white space only."""
    path = folder / "blank.txt"
    path.write_text(" \n\u3000\n\t\n", encoding="utf-8")
    return path


def truncated_pdf(folder: Path) -> Path:
    """The first half of a PDF."""
    path = folder / "truncated.pdf"
    write_pdf(make_report(901, "2021"), path, Sheet())
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def truncated_docx(folder: Path) -> Path:
    """The first two thirds of a Word file: a broken archive."""
    path = folder / "truncated.docx"
    write_docx(make_report(902, "2021"), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return path


def encrypted_pdf(folder: Path) -> Path:
    """A PDF that opens only with a password."""
    path = folder / "encrypted.pdf"
    locked = StandardEncryption("secret", ownerPassword="owner", canPrint=0, strength=128)
    canvas: Any = Canvas(str(path), pagesize=A4, encrypt=locked, invariant=1)
    canvas.drawString(72, 720, "locked")
    canvas.save()
    return path


def error_page(folder: Path) -> Path:
    """A site's 404 page, with the navigation that names such reports, saved as a report would be."""
    path = folder / "error_page.html"
    path.write_text(
        "<!DOCTYPE html><html><head><meta charset='utf-8'><title>404 - 页面不存在</title></head><body>"
        "<div class='nav'><a>首页</a><a>政务公开</a><a>政府信息公开年报</a></div>"
        "<h1>抱歉，您访问的页面不存在或已被删除</h1><p>错误代码：404</p><a href='/'>返回首页</a></body></html>",
        encoding="utf-8",
    )
    return path


def challenge_page(folder: Path) -> Path:
    """What an anti-crawler shield sends in place of the page: a script and nothing to read."""
    path = folder / "challenge.html"
    path.write_text(
        "<html><head><meta charset='utf-8'></head><body><script>var k='a1b2';location.reload();</script>"
        "<noscript>请启用 JavaScript 后继续访问</noscript></body></html>",
        encoding="utf-8",
    )
    return path


def wrong_extension(folder: Path) -> Path:
    """A sound web page that is named as a PDF: readable by its bytes."""
    path = folder / "page_named.pdf"
    write_html(make_report(903, "2021", titled=True), path, Page(template="plain"))
    return path


def unrelated_html(folder: Path) -> Path:
    """A news page of a government site."""
    path = folder / "unrelated.html"
    paragraphs = "".join(f"<p>{line}</p>" for line in _NEWS)
    path.write_text(f"<html><head><meta charset='utf-8'></head><body>{paragraphs}</body></html>", encoding="utf-8")
    return path


def unrelated_docx(folder: Path) -> Path:
    """A Word file with a table of another kind."""
    path = folder / "unrelated.docx"
    document: Any = Document()
    for line in _NEWS:
        document.add_paragraph(line)
    table = document.add_table(rows=2, cols=3)
    for number, text in enumerate(("时间", "场所", "人数", "周六", "阅览室", "40")):
        table.cell(number // 3, number % 3).text = text
    document.save(str(path))
    return path


def unrelated_pdf(folder: Path) -> Path:
    """A PDF of one page about something else."""
    return _news_pdf(folder / "unrelated.pdf", 1)


def long_pdf(folder: Path, pages: int = 2000) -> Path:
    """A PDF of two thousand pages."""
    return _news_pdf(folder / f"pages_{pages}.pdf", pages)


def binary_file(folder: Path) -> Path:
    """Bytes of no document, named as a text."""
    path = folder / "binary.txt"
    path.write_bytes(bytes(range(256)) * 64)
    return path


def picture_file(folder: Path) -> Path:
    """A PNG of one pixel, named as a Word file."""
    path = folder / "picture.docx"
    path.write_bytes(bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63680000008200"
        "8177cd72b60000000049454e44ae426082"
    ))  # fmt: skip
    return path


def entity_page(folder: Path) -> Path:
    """A page that tries to make its reader fetch files: an external entity, a frame, an image, a style sheet."""
    path = folder / "entities.html"
    path.write_text(
        '<?xml version="1.0"?><!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">'
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
        "<html><head><meta charset='utf-8'><link rel='stylesheet' href='http://192.0.2.1/x.css'></head>"
        "<body><p>&x;&c;</p><iframe src='http://192.0.2.1/'></iframe><img src='http://192.0.2.1/y.png'></body></html>",
        encoding="utf-8",
    )
    return path


def _news_pdf(path: Path, pages: int) -> Path:
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    canvas: Any = Canvas(str(path), pagesize=A4, invariant=1)
    for page in range(pages):
        canvas.setFont(FONT, 12)
        for number, line in enumerate(_NEWS):
            canvas.drawString(60, 760 - 24 * number, line[:40])
        canvas.drawString(280, 40, str(page + 1))
        canvas.showPage()
    canvas.save()
    return path


ALL = (
    empty, blank_text, truncated_pdf, truncated_docx, encrypted_pdf, error_page, challenge_page, unrelated_html,
    unrelated_docx, unrelated_pdf, long_pdf, binary_file, picture_file, entity_page,
)  # fmt: skip
