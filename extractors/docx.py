"""Reads Word documents: paragraphs, tables and images in reading order, with the numbers that Word prints itself."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath

from lxml import etree

from extractors.document import Document
from extractors.errors import DamagedFile, EmptyFile, EncryptedFile, LimitExceeded, MissingProgram, UnreadableFile
from extractors.markup import (
    MAX_COLS,
    MAX_ROWS,
    Block,
    GridCell,
    Line,
    Notice,
    Picture,
    compose,
    join_lines,
    lay_out,
    raise_digits,
    tidy,
)
from extractors.numbering import Numbering, read_numbering

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MAX_PART_BYTES = 50_000_000  # of one XML part, unpacked
MAX_TOTAL_BYTES = 1_000_000_000  # of the whole file, as announced
MAX_RATIO = 200  # unpacked to packed, for a part over 5 MB; Word's own XML reaches about 40
MAX_NESTING = 30  # tables within tables
CONVERSION_SECONDS = 120

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_EMU_PER_PT = 12_700
# What a reader of the printed document does not see, and what is read elsewhere.
_SKIPPED = frozenset(
    {
        "del", "moveFrom", "delText", "instrText", "delInstrText", "rPr", "pPr", "tblPr", "tblGrid", "trPr", "tcPr",
        "sectPr", "sdtPr", "sdtEndPr", "footnoteReference", "endnoteReference", "commentReference", "rt", "fldData",
        "annotationRef", "proofErr",
    }
)  # fmt: skip
# Numbers of a list in a text box count on, but its paragraphs are printed apart from the sentence that anchors it.
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
# Macros off, links never followed: the profile that soffice starts with.
_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse">
<value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse">
<value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks"
 oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Writer/Content/Update"><prop oor:name="Link" oor:op="fuse">
<value>0</value></prop></item>
</oor:items>
"""


_PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff"})
_MAX_PICTURES = 12


@dataclass(slots=True)
class _Package:
    """What the body refers to: targets of relationships by id, lists; and the namespace of the body."""

    path: Path
    word: str
    targets: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, bytes] = field(default_factory=dict)
    numbering: Numbering = field(default_factory=Numbering)
    has_hidden: bool = False  # whether any text is hidden; asking each run costs more than reading it


@dataclass(slots=True)
class _Paragraph:
    """A paragraph in the making: its lines, what is attached to them, and the blocks of its text boxes."""

    lines: list[list[str]] = field(default_factory=lambda: [[]])
    attached: list[Picture | Notice] = field(default_factory=list)
    boxes: list[Block] = field(default_factory=list)


def read_docx(path: Path) -> Document:
    """The document of a .docx or .docm file (Transitional or Strict).

    Headers, footers, comments, deleted revisions and hidden text are not read; footnotes follow the body.

    Raises:
        UnreadableFile: the file cannot be opened.
        EmptyFile: no bytes, or neither text nor an image.
        EncryptedFile: a password protects the file.
        DamagedFile: not a zip file, a broken one, or one without a Word document.
        LimitExceeded: a zip bomb, or a table over 5,000 rows or 200 columns.
    """
    head, size = _read_head(path)
    if not size:
        raise EmptyFile(path, "the file holds no bytes")
    if head.startswith(_OLE):
        return read_doc(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_sizes(archive, path)
            blocks, hints = _read_archive(archive, path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
        raise DamagedFile(path, f"not a readable Word file: {error}") from error
    if not blocks:
        raise EmptyFile(path, "the document holds no text and no image")
    return compose(MEDIA_TYPE, blocks, hints)


def read_doc(path: Path) -> Document:
    """The document of a binary Word or WPS file (.doc, .wps), converted by LibreOffice in a folder of its own.

    Raises:
        MissingProgram: LibreOffice is not installed.
        EncryptedFile: a password protects the file.
        DamagedFile: LibreOffice could not convert it.
        LimitExceeded: the conversion took longer than two minutes.
    """
    head, size = _read_head(path)
    if not size:
        raise EmptyFile(path, "the file holds no bytes")
    if head.startswith(b"PK\x03\x04"):
        return read_docx(path)
    _check_binary(path)
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        raise MissingProgram(path, "a binary Word file is read through LibreOffice: install it, or save as .docx")
    with tempfile.TemporaryDirectory(prefix="gongkai-doc-") as folder:
        converted = _convert(program, path, Path(folder))
        document = read_docx(converted)
    return replace(document, media_type="application/msword")


def _read_head(path: Path) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            return file.read(8), path.stat().st_size
    except OSError as error:
        raise UnreadableFile(path, error.strerror or str(error)) from error


def _check_binary(path: Path) -> None:
    """Refuse what LibreOffice would open as plain text, and what it would ask a password for."""
    data = path.read_bytes()
    if data.startswith(b"{\\rtf"):
        return
    if not data.startswith(_OLE):
        raise DamagedFile(path, "not a binary Word file")
    if _is_encrypted_ole(data):
        raise EncryptedFile(path, "the file is protected by a password; save it without one")
    if "WordDocument".encode("utf-16-le") not in data:
        raise DamagedFile(path, "an OLE file without a Word document in it")


def _is_encrypted_ole(data: bytes) -> bool:
    """Whether an OLE file is an encrypted OOXML package, or a Word 97 file with the fEncrypted bit of its FIB."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return True
    # The WordDocument stream begins at a sector, with wIdent 0xA5EC; fEncrypted is bit 8 of the flags at offset 10.
    return any(
        data[at : at + 2] == b"\xec\xa5" and data[at + 11 : at + 12] and data[at + 11] & 0x01
        for at in range(512, min(len(data), 20_000_000), 512)
    )


def _convert(program: str, path: Path, folder: Path) -> Path:
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_PROFILE, encoding="utf-8")
    # A plain name: the original may have no suffix, or one that misleads the choice of the import filter.
    rich_text = path.read_bytes()[:5] == b"{\\rtf"
    source = folder / ("source.rtf" if rich_text else "source.doc")
    shutil.copyfile(path, source)
    # The filter is named because LibreOffice falls back to plain text, and makes a document of any bytes.
    command = [
        program,
        f"-env:UserInstallation={profile.as_uri()}",
        "--headless",
        "--norestore",
        f"--infilter={'Rich Text Format' if rich_text else 'MS Word 97'}",
        "--convert-to",
        "docx",
        "--outdir",
        str(folder / "out"),
        str(source),
    ]
    # Its own process group: soffice is a script that starts the real program, and both must end at the time limit.
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            process.wait(timeout=CONVERSION_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise LimitExceeded(path, f"LibreOffice needed more than {CONVERSION_SECONDS} seconds") from None
    converted = folder / "out" / "source.docx"
    if not converted.is_file():
        raise DamagedFile(path, "LibreOffice cannot read the file")
    return converted


def _check_sizes(archive: zipfile.ZipFile, path: Path) -> None:
    entries = archive.infolist()
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise EncryptedFile(path, "the parts of the file are protected by a password")
    if len(entries) > 20_000 or sum(entry.file_size for entry in entries) > MAX_TOTAL_BYTES:
        raise LimitExceeded(path, "the file unpacks to more than can be read")
    for entry in entries:
        if entry.file_size > 5_000_000 and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise LimitExceeded(path, f"{entry.filename} unpacks to {entry.file_size:,} bytes: a zip bomb")


def _read_archive(archive: zipfile.ZipFile, path: Path) -> tuple[list[Block], dict[str, str]]:
    main = _main_part(archive, path)
    content = _read_part(archive, main, path)
    if content is None:
        raise DamagedFile(path, "no Word document inside (word/document.xml is missing)")
    root = _parse(content, main, path)
    word = str(root.tag).removesuffix("document")
    body = next(root.iterchildren(f"{word}body"), None)
    if body is None:
        raise DamagedFile(path, "the Word document inside has no body")
    folder = PurePosixPath(main).parent
    package = _Package(path, word, has_hidden=b"vanish" in content)
    if b"drawing" in content or b"imagedata" in content:
        package.targets = _targets(_read_xml(archive, _relations_of(main), path))
        package.pictures = _read_pictures(archive, folder, package.targets, path)
    package.numbering = _read_lists(archive, folder, content, path)
    blocks = _read_blocks(body, package, 0)
    if b"footnoteReference" in content:
        blocks += _read_footnotes(_read_xml(archive, str(folder / "footnotes.xml"), path), package)
    return blocks, _read_hints(_read_xml(archive, "docProps/core.xml", path))


def _read_lists(archive: zipfile.ZipFile, folder: PurePosixPath, content: bytes, path: Path) -> Numbering:
    """The lists of the document; its style sheet is parsed only where it numbers paragraphs."""
    styles = _read_part(archive, str(folder / "styles.xml"), path) or b""
    styled = _has_numbered_style(styles, content)
    if not styled and b"numPr" not in content:
        return Numbering()
    return read_numbering(
        _read_xml(archive, str(folder / "numbering.xml"), path),
        _parse(styles, "styles.xml", path) if styled else None,
    )


def _has_numbered_style(styles: bytes, content: bytes) -> bool:
    """Whether a style that the document uses, or one that it is based on, may number its paragraphs.

    Looked up in the bytes: a style sheet can be ten times the document (350 kB), and hardly any numbers anything.
    """
    used = re.findall(rb'pStyle\s[^<>]*?val="([^"]*)"', content)
    if b"numPr" not in styles or not used and b"pStyle" not in content:
        return False
    if len(used) != content.count(b"pStyle") or b"styleId='" in styles:
        return True  # written in another way than usual
    waiting = set(used)
    seen: set[bytes] = set()
    while waiting:
        key = waiting.pop()
        seen.add(key)
        start = styles.find(b'styleId="' + key + b'"')
        style = styles[start : styles.find(b"style>", start)] if start >= 0 else b""
        if b"numPr" in style:
            return True
        waiting.update(set(re.findall(rb'basedOn\s[^<>]*?val="([^"]*)"', style)) - seen)
    return False


def _read_footnotes(notes: etree._Element | None, package: _Package) -> list[Block]:
    blocks: list[Block] = []
    for note in [] if notes is None else notes.iter(f"{package.word}footnote"):
        if note.get(f"{package.word}type") in (None, "normal"):
            blocks += _read_blocks(note, package, 0)
    return blocks


def _read_pictures(
    archive: zipfile.ZipFile, folder: PurePosixPath, targets: dict[str, str], path: Path
) -> dict[str, bytes]:
    """The picture files inside the archive, by name; sizes are bounded by the check of the archive."""
    found: dict[str, bytes] = {}
    for target in targets.values():
        name = target.rsplit("/", 1)[-1]
        if PurePosixPath(name).suffix.lower() not in _PICTURE_SUFFIXES or len(found) >= _MAX_PICTURES:
            continue
        data = _read_part(archive, str(folder / target) if not target.startswith("/") else target[1:], path)
        if data is not None:
            found[name] = data
    return found


def _main_part(archive: zipfile.ZipFile, path: Path) -> str:
    """The part that the package names as its office document; word/document.xml where it names none."""
    relations = _read_xml(archive, "_rels/.rels", path)
    for relation in [] if relations is None else relations:
        if str(relation.get("Type", "")).endswith("/officeDocument"):
            target = str(relation.get("Target", "")).lstrip("/")
            if target and not target.endswith(".xml"):
                break
            if target.startswith(("xl/", "ppt/")):
                raise DamagedFile(path, "an Office file of another kind (a workbook or slides), not a Word document")
            return target
    return "word/document.xml"


def _relations_of(part: str) -> str:
    folder, name = PurePosixPath(part).parent, PurePosixPath(part).name
    return str(folder / "_rels" / f"{name}.rels")


def _targets(relations: etree._Element | None) -> dict[str, str]:
    if relations is None:
        return {}
    return {relation.get("Id", ""): relation.get("Target", "") for relation in relations.iter(etree.Element)}


def _read_part(archive: zipfile.ZipFile, name: str, path: Path) -> bytes | None:
    """The bytes of a part, None where the file has no such part."""
    try:
        entry = archive.getinfo(name)
    except KeyError:
        return None
    with archive.open(entry) as stream:
        data = stream.read(MAX_PART_BYTES + 1)
    if len(data) > MAX_PART_BYTES:
        raise LimitExceeded(path, f"{name} unpacks to more than {MAX_PART_BYTES:,} bytes")
    return data


def _read_xml(archive: zipfile.ZipFile, name: str, path: Path) -> etree._Element | None:
    data = _read_part(archive, name, path)
    return None if data is None else _parse(data, name, path)


def _parse(data: bytes, name: str, path: Path) -> etree._Element:
    """A part as a tree. Entities are not expanded, nothing is loaded."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise DamagedFile(path, f"{name} is not well-formed: {error.msg}") from error


def _read_hints(core: etree._Element | None) -> dict[str, str]:
    """``title``, ``creator``, ``created`` and ``modified`` of the document properties."""
    hints: dict[str, str] = {}
    for element in [] if core is None else core:
        name = etree.QName(element).localname
        if name in ("title", "creator", "created", "modified") and (text := tidy(element.text or "")):
            hints[name] = text
    return hints


def _read_blocks(parent: etree._Element, package: _Package, depth: int) -> list[Block]:
    """The blocks of a body, a cell, a text box or a content control, in document order."""
    blocks: list[Block] = []
    for element in parent.iterchildren(etree.Element):
        name = _local(element.tag, package.word)
        if name == "p":
            blocks += _read_paragraph(element, package, depth)
        elif name == "tbl":
            blocks += _read_table(element, package, depth + 1)
        elif name == "altChunk":
            blocks.append(Notice("docx.embedded", "a document of another format is embedded here"))
        elif element.tag == f"{_MC}AlternateContent":
            chosen = _alternative(element)
            blocks += [] if chosen is None else _read_blocks(chosen, package, depth)
        elif name not in _SKIPPED and len(element):
            blocks += _read_blocks(element, package, depth)
    return blocks


def _child(element: etree._Element, tag: str) -> etree._Element | None:
    """The first child of a name; several times as fast as ``find``."""
    return next(element.iterchildren(tag), None)


@lru_cache(maxsize=1024)
def _local(tag: str, word: str) -> str:
    """The name of an element, without namespace where it is Word's own; ``{...}name`` otherwise."""
    return tag[len(word) :] if tag.startswith(word) else tag


def _alternative(element: etree._Element) -> etree._Element | None:
    """The first choice of an alternative: both say the same, and only one is printed."""
    choice = element.find(f"{_MC}Choice")
    return element.find(f"{_MC}Fallback") if choice is None else choice


def _read_paragraph(element: etree._Element, package: _Package, depth: int) -> list[Block]:
    paragraph = _Paragraph()
    label = _list_label(element, package)
    if label:
        paragraph.lines[0].append(label)
    _read_inline(element, package, depth, paragraph)
    blocks: list[Block] = [Line(text) for pieces in paragraph.lines if pieces and (text := tidy("".join(pieces)))]
    if blocks and isinstance(blocks[-1], Line):
        blocks[-1].attached = paragraph.attached
        return blocks + paragraph.boxes
    return [*paragraph.attached, *paragraph.boxes]


def _list_label(element: etree._Element, package: _Package) -> str:
    if not package.numbering.lists:
        return ""
    word = package.word
    properties = _child(element, f"{word}pPr")
    if properties is None:
        return ""
    style = _child(properties, f"{word}pStyle")
    list_id, level = package.numbering.styles.get("" if style is None else style.get(f"{word}val", ""), (None, None))
    numbered = _child(properties, f"{word}numPr")
    if numbered is not None:
        own_list, own_level = numbered.find(f"{word}numId"), numbered.find(f"{word}ilvl")
        list_id = list_id if own_list is None else own_list.get(f"{word}val")
        level = level if own_level is None else _number(own_level.get(f"{word}val"), 0)
    # List 0 takes a number away that the style gives.
    return "" if list_id is None or list_id == "0" else package.numbering.next_label(list_id, level or 0)


def _read_inline(element: etree._Element, package: _Package, depth: int, paragraph: _Paragraph) -> None:
    """Collect what a paragraph, a run or anything between them prints."""
    for child in element.iterchildren(etree.Element):
        name = _local(child.tag, package.word)
        if name == "t":
            text = child.text or ""
            paragraph.lines[-1].append(raise_digits(text) if _is_raised(element, package.word) else text)
        elif name == "r":
            if not (package.has_hidden and _is_hidden(child, package.word)):
                _read_inline(child, package, depth, paragraph)
        elif name in _SKIPPED:
            continue
        elif name in ("br", "cr"):
            paragraph.lines.append([])
        elif name in ("tab", "ptab"):
            paragraph.lines[-1].append(" ")
        elif name == "noBreakHyphen":
            paragraph.lines[-1].append("-")
        elif name in ("drawing", "pict", "object"):
            _read_drawing(child, package, depth, paragraph)
        elif child.tag == f"{_MC}AlternateContent":
            chosen = _alternative(child)
            if chosen is not None:
                _read_inline(chosen, package, depth, paragraph)
        elif len(child):
            _read_inline(child, package, depth, paragraph)
        elif name.endswith("/math}t"):
            paragraph.lines[-1].append(child.text or "")


def _is_raised(run: etree._Element, word: str) -> bool:
    properties = _child(run, f"{word}rPr")
    align = _child(properties, f"{word}vertAlign") if properties is not None else None
    return align is not None and align.get(f"{word}val") == "superscript"


def _is_hidden(run: etree._Element, word: str) -> bool:
    properties = _child(run, f"{word}rPr")
    if properties is None:
        return False
    vanish = _child(properties, f"{word}vanish")
    return vanish is not None and vanish.get(f"{word}val", "true") not in ("0", "false", "off")


def _read_drawing(element: etree._Element, package: _Package, depth: int, paragraph: _Paragraph) -> None:
    """The text of a drawing's text boxes, else the picture that it is."""
    boxes = [box for box in element.iter(f"{package.word}txbxContent") if not _within_other_box(box, element, package)]
    if boxes:
        for box in boxes:
            paragraph.boxes += _read_blocks(box, package, depth)
        return
    width = height = None
    for child in element.iter(etree.Element):
        name = etree.QName(child).localname
        if name == "extent":
            width, height = _points(child.get("cx")), _points(child.get("cy"))
        elif name in ("blip", "imagedata", "chart", "OLEObject"):
            name = _picture_name(child, package)
            paragraph.attached.append(Picture(name, width, height, package.pictures.get(name)))
            return


def _within_other_box(box: etree._Element, drawing: etree._Element, package: _Package) -> bool:
    """Whether a text box is the fallback copy of another, or lies in one that is read as a whole."""
    for parent in box.iterancestors():
        if parent is drawing:
            return False
        if parent.tag in (f"{_MC}Fallback", f"{package.word}txbxContent"):
            return True
    return False


def _points(emu: str | None) -> float | None:
    return None if emu is None or not emu.isdigit() else round(int(emu) / _EMU_PER_PT, 1)


def _picture_name(element: etree._Element, package: _Package) -> str:
    for name, value in element.attrib.items():
        if str(name).endswith(("}embed", "}link", "relationships}id")):
            target = package.targets.get(str(value), "")
            return target.rsplit("/", 1)[-1] or "embedded"
    return "embedded"


def _read_table(table: etree._Element, package: _Package, depth: int) -> list[Block]:
    if depth > MAX_NESTING:
        return [Line(text) for piece in table.iter(f"{package.word}t") if (text := tidy(piece.text or ""))]
    cells: list[GridCell] = []
    above: dict[int, GridCell] = {}  # by first column, the cell that a vertical merge continues
    count = 0
    for row in _members(table, "tr", package.word):
        if _is_row_gone(row, package.word):
            continue
        if count >= MAX_ROWS:
            raise LimitExceeded(package.path, f"a table of more than {MAX_ROWS:,} rows")
        _read_row(row, count, cells, above, package, depth)
        count += 1
    cells.sort(key=lambda cell: (cell.row, cell.col))
    return lay_out(cells) if cells else []


def _members(parent: etree._Element, name: str, word: str) -> Iterator[etree._Element]:
    """The rows of a table or the cells of a row, also inside content controls and custom markup."""
    for element in parent.iterchildren(etree.Element):
        local = _local(element.tag, word)
        if local == name:
            yield element
        elif local in ("sdt", "sdtContent", "customXml", "ins", "moveTo"):
            yield from _members(element, name, word)


def _is_row_gone(row: etree._Element, word: str) -> bool:
    properties = _child(row, f"{word}trPr")
    if properties is None:
        return False
    return any(_child(properties, f"{word}{name}") is not None for name in ("del", "hidden", "moveFrom"))


def _read_row(
    row: etree._Element, index: int, cells: list[GridCell], above: dict[int, GridCell], package: _Package, depth: int
) -> None:
    word = package.word
    col = _number(_properties(row, "trPr", word).get("gridBefore"), 0)
    met: set[int] = set()
    left: GridCell | None = None
    for element in _members(row, "tc", word):
        properties = _properties(element, "tcPr", word)
        if "cellDel" in properties:
            continue
        width = min(max(_number(properties.get("gridSpan"), 1), 1), MAX_COLS)
        vertical, horizontal = properties.get("vMerge"), properties.get("hMerge")
        if col + width > MAX_COLS:
            raise LimitExceeded(package.path, f"a table of more than {MAX_COLS} columns")
        met.add(col)
        start = above.get(col)
        if horizontal == "continue" and left is not None:
            left.colspan += width
        elif vertical == "continue" and start is not None:
            start.rowspan = index - start.row + 1
        else:
            left = _read_cell(element, package, depth)
            left.row, left.col, left.colspan = index, col, width
            cells.append(left)
            above[col] = left
        if vertical is None:
            above.pop(col, None)
        col += width
    for stale in set(above) - met:
        del above[stale]


def _properties(element: etree._Element, name: str, word: str) -> dict[str, str]:
    """The properties of a row or cell by name; one without a value is ``continue``, which is what a merge means."""
    properties = _child(element, word + name)
    if properties is None:
        return {}
    value = f"{word}val"
    return {_local(child.tag, word): child.get(value, "continue") for child in properties.iterchildren(etree.Element)}


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else default


def _read_cell(element: etree._Element, package: _Package, depth: int) -> GridCell:
    parts = _read_blocks(element, package, depth)
    lines = [part for part in parts if isinstance(part, Line)]
    if len(parts) == 1 and lines and not lines[0].attached:
        return GridCell(lines[0].text)
    return GridCell(join_lines(line.text for line in lines), parts=parts)
