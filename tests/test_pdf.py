"""PDF files to documents: small files drawn by reportlab, one trait each, and broken ones."""

from __future__ import annotations

import logging
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from extractors import canvas as canvas_module
from extractors import pdf as pdf_module
from extractors.document import Document
from extractors.errors import DamagedFile, EmptyFile, EncryptedFile, LimitExceeded, UnreadableFile
from extractors.legibility import is_garbage
from extractors.pdf import read_pdf

FONT = "STSong-Light"
PROSE = "本年度主动公开政府信息一百二十三条，收到公民申请五件，均在法定期限内答复，没有发生行政复议和行政诉讼。"
Draw = Callable[[Any], None]


def make(path: Path, *draws: Draw, size: tuple[float, float] = A4, **options: Any) -> Path:
    """A PDF with one page per function."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    canvas: Any = Canvas(str(path), pagesize=size, invariant=1, **options)
    for draw in draws:
        canvas.setFont(FONT, 10)
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return path


def prose(canvas: Any) -> None:
    """Two lines of text."""
    canvas.drawString(60, 780, PROSE[:30])
    canvas.drawString(60, 760, PROSE[30:])


def grid(canvas: Any, rows: list[list[str]], left: float = 60, top: float = 700, width: float = 80) -> None:
    """A ruled table, rows 20 pt high."""
    for number in range(len(rows) + 1):
        canvas.line(left, top - 20 * number, left + width * len(rows[0]), top - 20 * number)
    for number in range(len(rows[0]) + 1):
        canvas.line(left + width * number, top, left + width * number, top - 20 * len(rows))
    for row, texts in enumerate(rows):
        for col, text in enumerate(texts):
            canvas.drawString(left + width * col + 5, top - 20 * row - 14, text)


def table_texts(document: Document) -> list[list[str]]:
    """The cells' texts of all tables, row by row."""
    return [
        [cell.text for cell in table.cells if cell.row == row] for table in document.tables for row in range(table.rows)
    ]


def check(document: Document) -> None:
    """What holds for every document: offsets are exact, words ascend, boxes lie on their page."""
    sizes = {page.number: (page.width, page.height) for page in document.pages}
    for table in document.tables:
        assert [(cell.row, cell.col) for cell in table.cells] == sorted((cell.row, cell.col) for cell in table.cells)
        for cell in table.cells:
            evidence = cell.evidence
            assert evidence.start is not None and evidence.end is not None and evidence.box is not None
            assert document.text[evidence.start : evidence.end] == cell.text
            assert table.start <= evidence.start <= evidence.end <= table.end
            width, height = sizes[evidence.page or 0]
            assert 0 <= evidence.box[0] < evidence.box[2] <= width
            assert 0 <= evidence.box[1] < evidence.box[3] <= height
    for before, after in zip(document.words, document.words[1:], strict=False):
        assert before.end <= after.start
    for page, following in zip(document.pages, document.pages[1:], strict=False):
        assert page.end == following.start


ROWS = [["信息内容", "制发件数", "废止件数"], ["规章", "1", "0"], ["规范性文件", "23", ""]]


def test_text_and_table_in_reading_order(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        prose(canvas)
        grid(canvas, ROWS)
        canvas.drawString(60, 600, "三、存在的问题")

    document = read_pdf(make(tmp_path / "报告 一.pdf", draw))
    check(document)
    assert document.text == (
        f"{PROSE[:30]}\n{PROSE[30:]}\n信息内容\t制发件数\t废止件数\n规章\t1\t0\n规范性文件\t23\t\n三、存在的问题\n".replace(
            "，", ","
        )
    )
    assert [page.kind for page in document.pages] == ["text"]
    assert document.problems == ()
    (table,) = document.tables
    assert (table.source, table.rows, table.cols, table.page) == ("ruled", 3, 3, 1)


def test_boxes_have_their_origin_at_the_top_left(tmp_path: Path) -> None:
    document = read_pdf(make(tmp_path / "a.pdf", lambda canvas: grid(canvas, ROWS)))
    value = document.tables[0].cells[4].evidence
    blank = document.tables[0].cells[8].evidence
    assert value.box == pytest.approx((145, A4[1] - 675, 150, A4[1] - 664), abs=2.5)
    assert blank.box == pytest.approx((220, A4[1] - 660, 300, A4[1] - 640), abs=0.1)
    start = document.text.index("23")
    assert document.evidence(start, start + 2).box == document.tables[0].cells[7].evidence.box


def test_every_page_has_its_own_table(tmp_path: Path) -> None:
    document = read_pdf(make(tmp_path / "a.pdf", *[lambda canvas: grid(canvas, ROWS)] * 3))
    check(document)
    assert [table.page for table in document.tables] == [1, 2, 3]


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_page_with_rotate_entry(tmp_path: Path, turn: int) -> None:
    def draw(canvas: Any) -> None:
        canvas.setPageRotation(turn)  # reportlab also exchanges the sides of the sheet
        canvas.translate(*{90: (A4[1], 0), 180: A4, 270: (0, A4[0])}[turn])
        canvas.rotate(turn)
        grid(canvas, ROWS)

    document = read_pdf(make(tmp_path / "a.pdf", draw))
    check(document)
    assert table_texts(document) == ROWS
    assert document.pages[0].width == pytest.approx(A4[0], abs=0.01)
    assert document.tables[0].cells[8].evidence.box == pytest.approx((220, A4[1] - 660, 300, A4[1] - 640), abs=0.1)


@pytest.mark.parametrize("turn", [90, 270])
def test_table_drawn_sideways_on_an_upright_page(tmp_path: Path, turn: int) -> None:
    def draw(canvas: Any) -> None:
        canvas.translate(*((A4[0], 0) if turn == 90 else (0, A4[1])))
        canvas.rotate(turn)
        grid(canvas, ROWS, top=500)

    document = read_pdf(make(tmp_path / "a.pdf", draw))
    check(document)
    assert table_texts(document) == ROWS
    box = document.tables[0].cells[6].evidence.box
    assert box is not None
    assert box[3] - box[1] > box[2] - box[0]


def test_landscape_page_and_crop_box(tmp_path: Path) -> None:
    document = read_pdf(
        make(
            tmp_path / "a.pdf",
            lambda canvas: grid(canvas, ROWS, top=500),
            size=landscape(A4),
            cropBox=(20, 10, 800, 560),
        )
    )
    check(document)
    assert table_texts(document) == ROWS
    assert (document.pages[0].width, document.pages[0].height) == (780, 550)
    assert document.tables[0].cells[8].evidence.box == pytest.approx((200, 100, 280, 120), abs=0.1)


def test_white_rules_and_white_paragraph_fills_are_not_rules(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        canvas.setFillGray(1)
        for y in (775, 755):
            canvas.rect(50, y, 500, 20, stroke=0, fill=1)
        canvas.setStrokeColorRGB(1, 1, 1)
        canvas.grid([50, 300, 550], [740, 770, 800])
        canvas.setFillGray(0)
        prose(canvas)

    document = read_pdf(make(tmp_path / "a.pdf", draw))
    assert document.tables == ()
    assert document.text.count("\n") == 2


@pytest.mark.parametrize("style", ["thin_rects", "stroked_rects", "dots", "path", "frames"])
def test_ways_to_draw_rules(tmp_path: Path, style: str) -> None:
    xs, ys = (60, 160, 260, 360), (700, 680, 660, 640)

    def draw(canvas: Any) -> None:
        for row, texts in enumerate(ROWS):
            for col, text in enumerate(texts):
                canvas.drawString(xs[col] + 5, ys[row] - 14, text)
        cells = [(x, y - 20) for x in xs[:-1] for y in ys[:-1]]
        edges = [(60, y, 360, y) for y in ys] + [(x, 640, x, 700) for x in xs]
        if style == "stroked_rects":
            for x, y in cells:
                canvas.rect(x, y, 100, 20)
        if style == "thin_rects":
            for x0, y0, x1, y1 in edges:
                canvas.rect(x0, y0, x1 - x0 + 0.5, y1 - y0 + 0.5, stroke=0, fill=1)
        if style == "dots":
            for x0, y0, x1, y1 in edges:
                for step in range(0, int(x1 - x0 + y1 - y0) + 1, 2):
                    canvas.rect(x0 + (step if x1 > x0 else 0), y0 + (step if y1 > y0 else 0), 1, 1, stroke=0, fill=1)
        if style == "path":
            path = canvas.beginPath()
            for x0, y0, x1, y1 in edges:
                path.moveTo(x0, y0)
                path.lineTo((x0 + x1) / 2, (y0 + y1) / 2)
                path.lineTo(x1, y1)
            canvas.drawPath(path)
        if style == "frames":
            for x, y in cells:
                path = canvas.beginPath()
                path.rect(x, y, 100, 20)
                path.rect(x + 1, y + 1, 98, 18)
                canvas.drawPath(path, stroke=0, fill=1, fillMode=0)

    document = read_pdf(make(tmp_path / "a.pdf", draw))
    check(document)
    assert table_texts(document) == ROWS


def test_radical_code_points_are_folded_without_moving_offsets(tmp_path: Path) -> None:
    document = read_pdf(make(tmp_path / "a.pdf", lambda canvas: canvas.drawString(60, 700, "１２件（㎡）")))
    assert document.text == "12件(㎡)\n"


def test_slanted_watermark_stays_out_of_cells(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        grid(canvas, ROWS)
        canvas.translate(100, 600)
        canvas.rotate(40)
        canvas.setFont(FONT, 40)
        canvas.drawString(0, 0, "内部资料")

    document = read_pdf(make(tmp_path / "a.pdf", draw))
    assert table_texts(document) == ROWS
    assert document.text.endswith("内部资料\n")


def test_text_outside_the_page_is_not_printed(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        prose(canvas)
        canvas.drawString(900, 500, "页外文字")

    assert "页外" not in read_pdf(make(tmp_path / "a.pdf", draw)).text


# --- pages that only OCR can read ------------------------------------------------------------------------------


def picture(canvas: Any, x: float, y: float, width: float, height: float) -> None:
    """A grey image."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    canvas.drawImage(ImageReader(Image.new("L", (40, 40), 200)), x, y, width, height)


def test_what_ocr_may_not_read_is_a_problem_and_has_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_module, "MAX_SCANNED_PAGES", 0)

    def scan(canvas: Any) -> None:
        picture(canvas, 0, 0, *A4)
        canvas.drawString(290, 20, "- 2 -")

    document = read_pdf(make(tmp_path / "a.pdf", prose, scan))
    assert [page.kind for page in document.pages] == ["text", "scan"]
    assert document.pages[1].start == document.pages[1].end
    (problem,) = document.problems
    assert problem.code == "page.scan"
    assert "page 2" in problem.message and "OCR" in problem.message
    assert [image.page for image in document.images] == [2]


def test_hidden_layer_over_a_scan_is_not_trusted(tmp_path: Path) -> None:
    def scan(canvas: Any) -> None:
        picture(canvas, 0, 0, *A4)
        text = canvas.beginText(60, 780)
        text.setTextRenderMode(3)
        text.textLine(PROSE)
        canvas.drawText(text)

    document = read_pdf(make(tmp_path / "a.pdf", scan))
    assert document.pages[0].kind == "scan"
    assert document.text == ""


def test_page_of_outlines_is_a_scan(tmp_path: Path) -> None:
    def outlines(canvas: Any) -> None:
        for number in range(300):
            canvas.circle(50 + number % 30 * 15, 100 + number // 30 * 20, 3, stroke=0, fill=1)

    assert read_pdf(make(tmp_path / "a.pdf", outlines)).pages[0].kind == "scan"


def test_picture_of_a_table_on_a_text_page_is_an_image(tmp_path: Path) -> None:
    def draw(canvas: Any) -> None:
        prose(canvas)
        picture(canvas, 60, 400, 400, 300)
        picture(canvas, 10, 10, 20, 20)

    document = read_pdf(make(tmp_path / "a.pdf", draw))
    (image,) = document.images
    assert image.box == pytest.approx((60, A4[1] - 700, 460, A4[1] - 400), abs=0.1)
    assert document.pages[0].kind == "text"
    assert document.problems == ()


def test_page_with_a_wrong_map_is_garbage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_module, "MAX_SCANNED_PAGES", 0)
    rng = random.Random(7)
    wrong = "".join(chr(rng.randint(0x4E00, 0x9000)) for _ in range(120))

    def draw(canvas: Any) -> None:
        for line in range(4):
            canvas.drawString(60, 700 - 20 * line, wrong[30 * line : 30 * line + 30])

    document = read_pdf(make(tmp_path / "a.pdf", prose, draw))
    assert [page.kind for page in document.pages] == ["text", "garbage"]
    assert document.problems[0].code == "page.garbage"
    assert wrong[:5] not in document.text


def test_a_page_with_a_wrong_map_is_read_as_a_scan(tmp_path: Path) -> None:
    """What is printed counts, not the text layer: the digits of the picture are read."""
    rng = random.Random(7)
    wrong = "".join(chr(rng.randint(0x4E00, 0x9000)) for _ in range(120))

    def draw(canvas: Any) -> None:
        for line in range(4):
            canvas.drawString(60, 700 - 20 * line, wrong[30 * line : 30 * line + 30])
        canvas.setFont("Helvetica", 16)
        canvas.drawString(60, 300, "20345678")

    document = read_pdf(make(tmp_path / "a.pdf", draw))
    assert document.scanned
    assert "20345678" in document.text


SUBJECTS = {
    "cooking": "先把豆腐切成小块，锅里放油烧热，加入葱姜蒜炒香，再倒入酱油和少许清水，小火炖十分钟即可出锅装盘食用。",
    "football": "上半场比赛双方互有攻守，客队前锋在第三十七分钟头球破门，主队门将多次扑出险球，最终比分定格在一比零。",
    "geology": "该断裂带呈北东走向，出露岩性以花岗岩、片麻岩为主，局部可见石英脉充填，断层破碎带宽约二十米。",
    "places": "东山镇、西河镇、南坪乡、北桥乡、青石街道、长岭镇、大湾村、小溪村、新城街道、老街社区、黄土岗村、白马镇",
    "labels": "规章行政规范性文件行政许可行政处罚行政强制行政事业性收费本年制发件数本年废止件数现行有效件数",
    "table": "属于国家秘密保护第三方合法权益属于三类内部事务信息属于四类过程性信息本机关不掌握相关政府信息无法提供",
    "traditional": "本年度主動公開政府資訊，收到申請案件，均於法定期限內答覆，並未發生行政訴訟，將持續改進工作品質。",
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_chinese_of_any_subject_is_legible(subject: str) -> None:
    assert not is_garbage({"font": SUBJECTS[subject] * 2})


@pytest.mark.parametrize("shift", [1, 2, 7, 100, 1000, -31])
@pytest.mark.parametrize("subject", ["cooking", "football", "labels", "table"])
def test_shifted_code_points_are_garbage(subject: str, shift: int) -> None:
    wrong = "".join(chr(ord(char) + shift) if char > "\u4e00" else char for char in SUBJECTS[subject] * 2)
    assert is_garbage({"font": wrong})


def test_one_garbage_font_condemns_the_page() -> None:
    wrong = "".join(chr(ord(char) + 11) for char in SUBJECTS["cooking"])
    assert is_garbage({"songti": SUBJECTS["labels"] * 3, "heiti": wrong})


@pytest.mark.parametrize(
    "text", ["\ufffd" * 60, "\ue123" * 60, "\x01\x02\x03" * 30, "ÕþÎñ¹«¿ª" * 12, "ꀀꀁꀂ" * 20], ids=ascii
)
def test_code_points_that_no_page_prints_are_garbage(text: str) -> None:
    assert is_garbage({"font": text})


@pytest.mark.parametrize("text", ["0 1 23 / - — 4 " * 10, "Table 2 of 5, revised 2023", "一、", "/" * 80])
def test_numbers_and_short_texts_are_legible(text: str) -> None:
    assert not is_garbage({"font": text.replace(" ", "")})


# --- files that are refused ------------------------------------------------------------------------------------


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        read_pdf(tmp_path / "none.pdf")
    with pytest.raises(UnreadableFile):
        read_pdf(tmp_path)


def test_empty_files(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"")
    with pytest.raises(EmptyFile):
        read_pdf(tmp_path / "a.pdf")
    with pytest.raises(EmptyFile):
        read_pdf(make(tmp_path / "b.pdf", lambda canvas: None))


@pytest.mark.parametrize("data", [b"not a pdf", b"%PDF-1.4\nnothing", b"\x00" * 5000, b"<html>%PDF-1.4</html>"])
def test_bytes_that_are_no_pdf(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.pdf").write_bytes(data)
    with pytest.raises(DamagedFile):
        read_pdf(tmp_path / "a.pdf")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.95, 0.99])
def test_truncated_file(tmp_path: Path, share: float) -> None:
    data = make(tmp_path / "a.pdf", prose, prose, prose).read_bytes()
    (tmp_path / "b.pdf").write_bytes(data[: int(share * len(data))])
    with pytest.raises(DamagedFile):
        read_pdf(tmp_path / "b.pdf")


def test_encrypted_file(tmp_path: Path) -> None:
    closed = StandardEncryption("secret", ownerPassword="owner", strength=128)
    with pytest.raises(EncryptedFile, match="password"):
        read_pdf(make(tmp_path / "a.pdf", prose, encrypt=closed))


@pytest.mark.parametrize("strength", [40, 128])
def test_file_with_an_owner_password_only_opens(tmp_path: Path, strength: int) -> None:
    protected = StandardEncryption("", ownerPassword="owner", canCopy=0, strength=strength)
    # With a CID font reportlab writes a file that no reader opens, hence Latin text.
    latin = lambda canvas: canvas.setFont("Helvetica", 10) or canvas.drawString(60, 700, "Report of 2023")  # noqa: E731
    assert read_pdf(make(tmp_path / "a.pdf", latin, encrypt=protected)).text == "Report of 2023\n"


def test_too_many_pages(tmp_path: Path) -> None:
    path = make(tmp_path / "a.pdf", *[lambda canvas: None] * 501)
    with pytest.raises(LimitExceeded, match="501"):
        read_pdf(path)


def test_page_count_that_lies_is_not_believed(tmp_path: Path) -> None:
    data = make(tmp_path / "a.pdf", *[lambda canvas: None] * 501).read_bytes()
    (tmp_path / "b.pdf").write_bytes(data.replace(b"/Count 501", b"/Count 1  "))
    with pytest.raises(LimitExceeded):
        read_pdf(tmp_path / "b.pdf")


def test_too_large_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    with path.open("wb") as stream:
        stream.truncate(pdf_module.MAX_BYTES + 1)
    with pytest.raises(LimitExceeded, match="bytes"):
        read_pdf(path)


def test_page_with_too_many_objects_costs_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas_module, "MAX_OBJECTS", 200)

    def dense(canvas: Any) -> None:
        for number in range(300):
            canvas.line(10, number, 500, number)

    document = read_pdf(make(tmp_path / "a.pdf", prose, dense, prose))
    assert [problem.code for problem in document.problems] == ["page.unreadable"]
    assert "page 2" in document.problems[0].message
    assert document.text.count("\n") == 4


def test_page_that_unpacks_without_end_costs_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_module, "MAX_CONTENT_BYTES", 100_000)

    def bomb(canvas: Any) -> None:
        canvas._code.extend(["q Q"] * 200_000)

    document = read_pdf(make(tmp_path / "a.pdf", prose, bomb, pageCompression=1))
    assert [problem.code for problem in document.problems] == ["page.unreadable"]


def test_broken_page_costs_only_itself(tmp_path: Path) -> None:
    data = make(tmp_path / "a.pdf", prose, lambda canvas: canvas.rect(11, 22, 33, 44), pageCompression=0).read_bytes()
    broken = data.replace(b"n 11 22 33 44 re", b"<</a>> BDC 44 re")
    assert broken != data
    (tmp_path / "b.pdf").write_bytes(broken)
    document = read_pdf(tmp_path / "b.pdf")
    assert document.text.count("\n") == 2
    assert [problem.code for problem in document.problems] == ["page.unreadable"]


def test_nothing_is_written_to_the_screen(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("pdfminer.pdfinterp").warning("a warning of the library")
    data = make(tmp_path / "a.pdf", prose, pageCompression=0).read_bytes()
    (tmp_path / "b.pdf").write_bytes(data.replace(b"/FontDescriptor", b"/FontDescriptoR"))
    read_pdf(tmp_path / "b.pdf")
    assert capfd.readouterr() == ("", "")


def test_unpacked_size_is_counted_no_further_than_the_bound() -> None:
    from pdfminer.pdftypes import PDFStream
    from pdfminer.psparser import LIT

    packed = zlib.compress(b" " * (pdf_module.MAX_CONTENT_BYTES * 3))
    stream = PDFStream({"Filter": LIT("FlateDecode")}, packed)
    assert pdf_module._unpacked(stream, packed) == pdf_module.MAX_CONTENT_BYTES + 1
