"""Word documents, one trait at a time; the XML is written here, so that each file holds just what its test is about."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import docx
import pytest

from extractors import docx as reader
from extractors.document import Document
from extractors.docx import read_doc, read_docx
from extractors.errors import (
    DamagedFile,
    EmptyFile,
    EncryptedFile,
    LimitExceeded,
    MissingProgram,
    UnreadableFile,
)

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
NAMESPACES = (
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:wp="urn:wp" xmlns:a="urn:a" '
    'xmlns:wps="urn:wps" xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

needs_libreoffice = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")


def relationship(kind: str, target: str) -> str:
    """A part with one relationship, r5."""
    return f'<Relationships><Relationship Id="r5" Type="{OFFICE}/{kind}" Target="{target}"/></Relationships>'


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def write(path: Path, body: str, parts: dict[str, str] | None = None, namespace: str = WORD) -> Path:
    """A Word file of a body and further parts."""
    document = (
        f'<?xml version="1.0"?><w:document xmlns:w="{namespace}" {NAMESPACES}><w:body>{body}</w:body></w:document>'
    )
    relations = relationship("officeDocument", "word/document.xml")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"_rels/.rels": relations, "word/document.xml": document, **(parts or {})}.items():
            archive.writestr(name, content)
    return path


def check(document: Document) -> Document:
    """What holds of every document: cells are stretches of the text, in order, and do not overlap."""
    for table in document.tables:
        slots = [(r, c) for cell in table.cells for r in range(cell.row, cell.row + cell.rowspan)
                 for c in range(cell.col, cell.col + cell.colspan)]  # fmt: skip
        assert len(slots) == len(set(slots))
        for cell in table.cells:
            assert cell.evidence.start is not None and cell.evidence.end is not None
            assert document.text[cell.evidence.start : cell.evidence.end] == cell.text
            assert table.start <= cell.evidence.start <= cell.evidence.end <= table.end
            assert cell.row + cell.rowspan <= table.rows and cell.col + cell.colspan <= table.cols
    return document


def read(tmp_path: Path, body: str, parts: dict[str, str] | None = None, namespace: str = WORD) -> Document:
    return check(read_docx(write(tmp_path / "report.docx", body, parts, namespace)))


def p(text: str, properties: str = "") -> str:
    return f"<w:p>{f'<w:pPr>{properties}</w:pPr>' if properties else ''}<w:r><w:t>{text}</w:t></w:r></w:p>"


def tc(content: str, properties: str = "") -> str:
    inner = content if content.startswith("<w:") else p(content)
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{inner}</w:tc>"


def tbl(*rows: str) -> str:
    return f"<w:tbl><w:tblPr/>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


def texts(document: Document, index: int = 0) -> list[list[str]]:
    rows: dict[int, list[str]] = {}
    for cell in document.tables[index].cells:
        rows.setdefault(cell.row, []).append(cell.text)
    return [rows[row] for row in sorted(rows)]


def grid(document: Document, index: int = 0) -> list[tuple[str, int, int, int, int]]:
    return [(cell.text, cell.row, cell.col, cell.rowspan, cell.colspan) for cell in document.tables[index].cells]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (p("一、总体情况") + p("全年公开２３条"), "一、总体情况\n全年公开23条\n"),
        ("<w:p><w:r><w:t>20</w:t></w:r><w:r><w:t>23年</w:t></w:r></w:p>", "2023年\n"),
        ("<w:p><w:r><w:t>甲</w:t><w:br/><w:t>乙</w:t><w:tab/><w:t>丙</w:t></w:r></w:p>", "甲\n乙 丙\n"),
        ("<w:p><w:r><w:t>3</w:t><w:noBreakHyphen/><w:t>4</w:t><w:softHyphen/></w:r></w:p>", "3-4\n"),
        (f"<w:p><w:del><w:r><w:delText>旧</w:delText></w:r></w:del><w:ins>{run('新')}</w:ins></w:p>", "新\n"),
        (f"<w:p><w:moveFrom>{run('旧')}</w:moveFrom><w:moveTo>{run('新')}</w:moveTo></w:p>", "新\n"),
        (f"<w:p>{run('隐', '<w:vanish/>')}{run('显')}</w:p>", "显\n"),
        ("<w:p>" + run("显", '<w:vanish w:val="0"/>') + "</w:p>", "显\n"),
        (f"<w:p><w:r><w:instrText>DATE</w:instrText></w:r>{run('3月')}</w:p>", "3月\n"),
        (f"<w:p><w:fldSimple w:instr='PAGE'>{run('7')}</w:fldSimple></w:p>", "7\n"),
        (f"<w:p><w:hyperlink r:id='r9'>{run('网站')}</w:hyperlink></w:p>", "网站\n"),
        (f"<w:sdt><w:sdtPr><w:alias w:val='x'/></w:sdtPr><w:sdtContent>{p('控件')}</w:sdtContent></w:sdt>", "控件\n"),
        (f"<w:p><w:sdt><w:sdtContent>{run('行内')}</w:sdtContent></w:sdt>{run('后')}</w:p>", "行内后\n"),
        (f"<w:p><w:smartTag>{run('地')}</w:smartTag>{run('名')}</w:p>", "地名\n"),
        (f"<w:p><w:r><w:ruby><w:rt>{run('q')}</w:rt><w:rubyBase>{run('青')}</w:rubyBase></w:ruby></w:r></w:p>", "青\n"),
        (p("甲") + "<w:p/>" + p(" \u3000 ") + p("乙"), "甲\n乙\n"),
    ],
)  # fmt: skip
def test_paragraphs(tmp_path: Path, body: str, text: str) -> None:
    assert read(tmp_path, body).text == text


def test_text_boxes_are_read_once_after_their_paragraph(tmp_path: Path) -> None:
    box = f"<w:txbxContent>{p('框内')}{tbl(tc('a') + tc('1'))}</w:txbxContent>"
    body = (
        "<w:p><w:r><w:t>正文</w:t><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wp:inline><wps:txbx>"
        f"{box}</wps:txbx></wp:inline></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict>"
        "</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    document = read(tmp_path, body + p("后文"))
    assert document.text == "正文\n框内\na\t1\n后文\n"
    assert document.images == ()


def test_merged_cells(tmp_path: Path) -> None:
    restart, go_on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    body = tbl(
        tc("信息内容", restart) + tc("制发", '<w:gridSpan w:val="2"/>'),
        tc("不可见", go_on) + tc("1") + tc("2"),
        tc("规章") + tc("3") + tc(""),
    )
    document = read(tmp_path, body)
    assert grid(document) == [
        ("信息内容", 0, 0, 2, 1), ("制发", 0, 1, 1, 2), ("1", 1, 1, 1, 1), ("2", 1, 2, 1, 1),
        ("规章", 2, 0, 1, 1), ("3", 2, 1, 1, 1), ("", 2, 2, 1, 1),
    ]  # fmt: skip
    assert document.text == "信息内容\t制发\n1\t2\n规章\t3\t\n"


def test_merges_without_a_beginning_older_merges_and_rows_that_start_late(tmp_path: Path) -> None:
    assert texts(read(tmp_path, tbl(tc("a", "<w:vMerge/>") + tc("1"), tc("b") + tc("2")))) == [["a", "1"], ["b", "2"]]
    old = tbl(tc("a", '<w:hMerge w:val="restart"/>') + tc("", "<w:hMerge/>") + tc("c"), tc("1") + tc("2") + tc("3"))
    assert grid(read(tmp_path, old))[0] == ("a", 0, 0, 1, 2)
    late = tbl(tc("a") + tc("b"), '<w:trPr><w:gridBefore w:val="1"/></w:trPr>' + tc("c"))
    assert grid(read(tmp_path, late))[2] == ("c", 1, 1, 1, 1)


def test_deleted_and_hidden_rows_and_cells_in_controls(tmp_path: Path) -> None:
    body = tbl(
        tc("a") + tc("1"),
        "<w:trPr><w:del w:id='1'/></w:trPr>" + tc("x") + tc("9"),
        "<w:trPr><w:hidden/></w:trPr>" + tc("y") + tc("9"),
        f"<w:sdt><w:sdtContent>{tc('b')}</w:sdtContent></w:sdt>{tc('2')}{tc('3', '<w:cellDel/>')}",
    )
    assert texts(read(tmp_path, body)) == [["a", "1"], ["b", "2"]]


def test_cell_text_and_layout_tables(tmp_path: Path) -> None:
    body = tbl(tc(p("商业") + p("企业")) + tc(p("1") + p("2")) + tc("<w:p/>") + tc(tbl(tc("8")) + "<w:p/>"))
    assert texts(read(tmp_path, body)) == [["商业企业", "1 2", "", "8"]]
    layout = tbl(tc(p("一、总体情况") + tbl(tc("规章") + tc("1"), tc("总计") + tc("2")) + p("二、其他")))
    document = read(tmp_path, layout)
    assert document.text == "一、总体情况\n规章\t1\n总计\t2\n二、其他\n"
    assert texts(document) == [["规章", "1"], ["总计", "2"]]


def level(index: int, style: str, text: str, start: int = 1) -> str:
    shape = f'<w:start w:val="{start}"/><w:numFmt w:val="{style}"/><w:lvlText w:val="{text}"/>'
    return f'<w:lvl w:ilvl="{index}">{shape}</w:lvl>'


def numbered(text: str, list_id: int, depth: int = 0) -> str:
    return p(text, f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{list_id}"/></w:numPr>')


NUMBERING = (
    f'<w:numbering xmlns:w="{WORD}"><w:abstractNum w:abstractNumId="7">{level(0, "chineseCounting", "%1、")}'
    f"{level(1, 'chineseCountingThousand', '（%2）')}{level(2, 'decimal', '%3.')}</w:abstractNum>"
    f'<w:abstractNum w:abstractNumId="8">{level(0, "decimal", "%1")}{level(1, "decimal", "%1.%2")}</w:abstractNum>'
    f'<w:abstractNum w:abstractNumId="9">{level(0, "bullet", "&#61548;")}</w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num><w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="9"/></w:num><w:num w:numId="4"><w:abstractNumId w:val="7"/>'
    '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="4"/></w:lvlOverride></w:num></w:numbering>'
)


def test_automatic_numbers_are_printed(tmp_path: Path) -> None:
    body = (
        numbered("总体情况", 1) + numbered("重点", 1, 1) + numbered("公文", 1, 2) + numbered("其他", 1, 2)
        + numbered("平台", 1, 1) + numbered("主动公开", 1) + numbered("解读", 1, 1) + numbered("章", 2)
        + numbered("节", 2, 1) + numbered("点", 3) + numbered("复议", 4) + numbered("问题", 4) + numbered("未知", 99)
    )  # fmt: skip
    assert read(tmp_path, body, {"word/numbering.xml": NUMBERING}).text.splitlines() == [
        "一、总体情况", "(一)重点", "1.公文", "2.其他", "(二)平台", "二、主动公开", "(一)解读", "1 章", "1.1 节", "点",
        "四、复议", "五、问题", "未知",
    ]  # fmt: skip


def test_labels_of_table_rows_keep_their_numbers(tmp_path: Path) -> None:
    body = tbl(tc(numbered("新收数量", 1)) + tc("3"), tc(numbered("结转数量", 1)) + tc("0"))
    assert texts(read(tmp_path, body, {"word/numbering.xml": NUMBERING})) == [
        ["一、新收数量", "3"],
        ["二、结转数量", "0"],
    ]


def test_numbers_that_a_style_gives(tmp_path: Path) -> None:
    styles = (
        f'<w:styles xmlns:w="{WORD}"><w:style w:styleId="base"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
        '</w:style><w:style w:styleId="sub"><w:basedOn w:val="base"/><w:pPr><w:numPr><w:ilvl w:val="1"/></w:numPr>'
        "</w:pPr></w:style>"
        '<w:style w:styleId="loop"><w:basedOn w:val="loop"/></w:style></w:styles>'
    )
    body = (
        p("总体", '<w:pStyle w:val="base"/>') + p("重点", '<w:pStyle w:val="sub"/>')
        + p("无号", '<w:pStyle w:val="base"/><w:numPr><w:numId w:val="0"/></w:numPr>')
        + p("圈", '<w:pStyle w:val="loop"/>')
    )  # fmt: skip
    parts = {"word/numbering.xml": NUMBERING, "word/styles.xml": styles}
    assert read(tmp_path, body, parts).text == "一、总体\n(一)重点\n无号\n圈\n"
    assert read(tmp_path, body, {"word/styles.xml": styles}).text == "总体\n重点\n无号\n圈\n"


@pytest.mark.parametrize(
    ("number", "style", "printed"),
    [
        (21, "chineseCounting", "二十一"), (10, "japaneseCounting", "十"), (3, "chineseLegalSimplified", "叁"),
        (12, "ideographDigital", "一二"), (4, "decimalEnclosedCircleChinese", "④"), (2, "upperLetter", "B"),
        (19, "lowerRoman", "xix"), (4, "decimalZero", "04"), (5, "unheardOf", "5"),
    ],
)  # fmt: skip
def test_number_formats(tmp_path: Path, number: int, style: str, printed: str) -> None:
    numbering = (
        f'<w:numbering xmlns:w="{WORD}"><w:abstractNum w:abstractNumId="1">{level(0, style, "%1、", number)}'
        '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num></w:numbering>'
    )
    assert read(tmp_path, numbered("甲", 1), {"word/numbering.xml": numbering}).text == f"{printed}、甲\n"


def test_images_footnotes_hints_and_embedded_documents(tmp_path: Path) -> None:
    core = (
        '<cp:coreProperties xmlns:cp="urn:cp" xmlns:dc="urn:dc" xmlns:dcterms="urn:t"><dc:title>年报</dc:title>'
        "<dcterms:created>2023-01-18T08:00:00Z</dcterms:created><cp:revision>4</cp:revision></cp:coreProperties>"
    )
    notes = (
        f'<w:footnotes xmlns:w="{WORD}"><w:footnote w:type="separator" w:id="-1">{p("x")}</w:footnote>'
        f'<w:footnote w:id="1">{p("注")}</w:footnote></w:footnotes>'
    )
    body = (
        p("见图")
        + '<w:p><w:r><w:drawing><wp:inline><wp:extent cx="1270000" cy="635000"/><a:blip r:embed="r5"/></wp:inline>'
        '</w:drawing></w:r></w:p><w:p><w:r><w:t>文</w:t><w:footnoteReference w:id="1"/></w:r></w:p>'
        '<w:altChunk r:id="r6"/>'
        + p("隐") .replace("<w:r>", "<w:r><w:rPr><w:vanish/></w:rPr>")
    )  # fmt: skip
    parts = {
        "word/_rels/document.xml.rels": relationship("image", "media/image1.png"),
        "docProps/core.xml": core,
        "word/footnotes.xml": notes,
    }
    document = read(tmp_path, body, parts)
    assert document.text == "见图\n文\n注\n"
    image = document.images[0]
    assert (image.after, image.reference, image.width, image.height) == (3, "image1.png", 100.0, 50.0)
    assert document.hints == {"title": "年报", "created": "2023-01-18T08:00:00Z"}
    assert [problem.code for problem in document.problems] == ["docx.embedded"]


def test_strict_documents(tmp_path: Path) -> None:
    assert texts(read(tmp_path, tbl(tc("规章") + tc("1")), namespace=STRICT)) == [["规章", "1"]]


def test_document_part_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "x.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_rels/.rels", relationship("officeDocument", "/word/document2.xml"))
        archive.writestr("word/document2.xml", f'<w:document xmlns:w="{WORD}"><w:body>{p("甲")}</w:body></w:document>')
    assert read_docx(path).text == "甲\n"


# What cannot be read


def test_entities_are_neither_expanded_nor_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("机密", encoding="utf-8")
    path = tmp_path / "x.docx"
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    content = (
        f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e0 "ha"><!ENTITY s SYSTEM "{secret.as_uri()}">{bomb}]>'
        f'<w:document xmlns:w="{WORD}"><w:body><w:p><w:r><w:t>甲&s;&e11;乙</w:t></w:r></w:p></w:body></w:document>'
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", content)
    try:
        text = read_docx(path).text
    except DamagedFile:
        return
    assert "机密" not in text and "haha" not in text


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.95])
def test_truncated_files(tmp_path: Path, share: float) -> None:
    whole = write(tmp_path / "whole.docx", p("甲" * 500)).read_bytes()
    path = tmp_path / "cut.docx"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DamagedFile if share else EmptyFile):
        read_docx(path)


@pytest.mark.parametrize("position", range(40, 400, 24))
def test_flipped_bytes_give_a_document_or_a_known_error(tmp_path: Path, position: int) -> None:
    data = bytearray(write(tmp_path / "whole.docx", p("甲") + tbl(tc("a") + tc("b"))).read_bytes())
    data[position % len(data)] ^= 0x5A
    path = tmp_path / "flipped.docx"
    path.write_bytes(bytes(data))
    try:
        check(read_docx(path))
    except (DamagedFile, EncryptedFile, LimitExceeded, EmptyFile) as error:
        assert str(path) in str(error)


def test_other_zip_files_are_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(DamagedFile, match="document.xml"):
        read_docx(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<w:document")
    with pytest.raises(DamagedFile, match="well-formed"):
        read_docx(path)


def test_empty_documents(tmp_path: Path) -> None:
    with pytest.raises(EmptyFile):
        read(tmp_path, "<w:p/>")
    with pytest.raises(UnreadableFile):
        read_docx(tmp_path / "missing.docx")


def test_zip_bombs(tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b" " * 20_000_000)
    with pytest.raises(LimitExceeded, match="zip bomb"):
        read_docx(path)


def test_announced_size_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_PART_BYTES", 1000)
    with pytest.raises(LimitExceeded):
        read(tmp_path, p("甲" * 1000))


def test_table_limits(tmp_path: Path) -> None:
    with pytest.raises(LimitExceeded):
        read(tmp_path, tbl(*["<w:tc/>"] * 5001))
    with pytest.raises(LimitExceeded):
        read(tmp_path, tbl("<w:tc/>" * 201))
    wide = tbl(tc("a", '<w:gridSpan w:val="150"/>'), tc("1") + tc("2"))
    assert grid(read(tmp_path, wide))[0] == ("a", 0, 0, 1, 2)


@pytest.mark.parametrize("read_file", [read_docx, read_doc])
def test_password(tmp_path: Path, read_file: object) -> None:
    path = tmp_path / "secret.docx"
    path.write_bytes(OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600)
    assert callable(read_file)
    with pytest.raises(EncryptedFile):
        read_file(path)
    header = bytearray(2048)
    header[:8] = OLE
    header[512:514] = b"\xec\xa5"
    header[523] = 0x01
    path.write_bytes(bytes(header))
    with pytest.raises(EncryptedFile):
        read_file(path)


def test_encrypted_zip_entries(tmp_path: Path) -> None:
    data = bytearray(write(tmp_path / "x.docx", p("甲")).read_bytes())
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        data[at + 8] |= 1
        at = data.find(b"PK\x01\x02", at + 4)
    (tmp_path / "x.docx").write_bytes(bytes(data))
    with pytest.raises(EncryptedFile):
        read_docx(tmp_path / "x.docx")


# Binary Word


def test_missing_libreoffice_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    path = tmp_path / "old.doc"
    path.write_bytes(OLE + b"\0" * 2000 + "WordDocument".encode("utf-16-le"))
    with pytest.raises(MissingProgram, match="LibreOffice"):
        read_doc(path)


def test_conversion_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "soffice"
    program.write_text("#!/bin/sh\nsleep 60 & wait\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _name: str(program))
    monkeypatch.setattr(reader, "CONVERSION_SECONDS", 0.2)
    path = tmp_path / "old.doc"
    path.write_bytes(OLE + b"\0" * 2000 + "WordDocument".encode("utf-16-le"))
    with pytest.raises(LimitExceeded):
        read_doc(path)


@needs_libreoffice
@pytest.mark.parametrize(("suffix", "output"), [("doc", "doc:MS Word 97"), ("wps", "doc:MS Word 97"), ("rtf", "rtf")])
def test_binary_word_reads_as_its_original(tmp_path: Path, suffix: str, output: str) -> None:
    document = docx.Document()
    document.add_paragraph("一、总体情况")
    table = document.add_table(3, 3)
    table.cell(0, 0).merge(table.cell(1, 0)).text = "规章"
    table.cell(0, 1).merge(table.cell(0, 2)).text = "制发件数"
    for row, col in ((1, 1), (1, 2), (2, 0), (2, 2)):
        table.cell(row, col).text = f"{row}{col}"
    document.add_paragraph("二、其他")  # the .doc writer of LibreOffice loses a table at the very end
    source = tmp_path / "report.docx"
    document.save(str(source))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", output, "--outdir", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    path = tmp_path / f"年 报.{suffix}"
    shutil.move(tmp_path / f"report.{output[:3]}", path)
    original, converted = check(read_docx(source)), check(read_doc(path))
    assert converted.text == original.text
    assert grid(converted) == grid(original)
    assert converted.media_type == "application/msword"
    if suffix == "doc":
        assert check(read_docx(path)).text == original.text


@needs_libreoffice
def test_damaged_binary_word(tmp_path: Path) -> None:
    path = tmp_path / "broken.doc"
    for noise in (b"", "WordDocument".encode("utf-16-le")):
        path.write_bytes(OLE + bytes(range(256)) * 40 + noise)
        with pytest.raises(DamagedFile):
            read_doc(path)


def test_docx_that_python_docx_writes(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("青禾县2022年政府信息公开工作年度报告", 0)
    document.add_paragraph("第一项", style="List Number")
    document.add_paragraph("第二项", style="List Number")
    document.save(str(tmp_path / "x.docx"))
    text = check(read_docx(tmp_path / "x.docx")).text
    assert text == "青禾县2022年政府信息公开工作年度报告\n1.第一项\n2.第二项\n"
