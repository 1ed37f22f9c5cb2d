"""One file in, one record out: the order of the steps."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from extractors.cells import Tables, read_tables
from extractors.charset import served_charset
from extractors.document import Document
from extractors.docx import read_doc, read_docx
from extractors.errors import EmptyFile, LimitExceeded, NotAReport, UnreadableFile, UnsupportedFormat
from extractors.forms import load_forms
from extractors.growth import check_growth
from extractors.html import read_html
from extractors.metadata import About, read_metadata
from extractors.pdf import read_pdf
from extractors.pictures import add_pictures, read_picture
from extractors.prose_sums import check_sums
from extractors.prose_table import check_tables_stated
from extractors.reconcile import check_tables
from extractors.report import Claim, Entity, Evidence, Metadata, Problem, Report, Source
from extractors.text import read_text

if TYPE_CHECKING:
    from extractors.narrative import Tagger

# Part of a stored record's identity: raise it with every change that can change a record.
EXTRACTOR_VERSION = "0.4.0"

# What the report is about: one of these stands in every annual report, whatever its form and age.
_SUBJECT = re.compile(r"信息公开|政务公开|資訊公開|信息公開|政務公開")
_ERROR_PAGE = re.compile(r"404|403|50[023]|not found|forbidden|页面不存在|找不到|无法访问|已删除|出错", re.IGNORECASE)
# A scanned report of a hundred pages has some fifty megabytes.
MAX_BYTES = 200_000_000
# The longest reports, consolidated for a province, have some hundred thousand characters.
MAX_CHARACTERS = 1_500_000
# Below this many characters a page that speaks of disclosure is a list entry or an error page, not a report.
MIN_CHARACTERS = 60


def extract_report(path: Path, tagger: Tagger | None = None) -> Report:
    """The record of the report in ``path``; without a tagger no prose is read.

    Raises:
        ExtractionError: the file cannot be read, or is no annual report on information disclosure.
    """
    return extract_with_text(path, tagger)[0]


def extract_with_text(path: Path, tagger: Tagger | None = None) -> tuple[Report, str]:
    """The record of the report in ``path``, and the text to which its offsets refer.

    Raises:
        ExtractionError: the file cannot be read, or is no annual report on information disclosure.
    """
    data = _load(path)
    document = _with_pictures(path, _read(path, data))
    if len(document.text) > MAX_CHARACTERS:
        raise LimitExceeded(path, f"{len(document.text):,} characters; at most {MAX_CHARACTERS:,} are read")
    forms = load_forms()
    tables = read_tables(document, forms)
    about = read_metadata(document)
    _check_subject(path, document, tables, about)
    digest = hashlib.sha256(data).hexdigest()
    entities, claims, doubts = _narrative(document, tables, tagger, about.authority)
    report = Report(
        source=Source(str(path), digest, document.media_type, len(document.pages) or None, document.scanned),
        report=_metadata(about, tables),
        cells=tables.cells,
        entities=entities,
        claims=claims,
        findings=(
            *check_tables(tables, forms),
            *check_tables_stated(claims, tables, forms, document.text, about.year),
            *check_sums(claims, document.text, tables),
            *check_growth(claims, about.year),
        ),
        problems=(*document.problems, *tables.problems, *doubts, *_unread(document, tables)),
    )
    return report, document.text


def _narrative(
    document: Document, tables: Tables, tagger: Tagger | None, authority: str | None
) -> tuple[tuple[Entity, ...], tuple[Claim, ...], tuple[Problem, ...]]:
    if tagger is None:
        return (), (), ()
    # Imported here: spaCy takes longer to import than a report to read, and tables need none of it.
    from extractors.narrative import read_narrative

    narrative = read_narrative(document, tables.stretches, tagger, authority)
    return narrative.entities, narrative.claims, narrative.problems


def read_document(path: Path) -> Document:
    """The document in ``path``, read by what its bytes are, not by its name.

    Raises:
        ExtractionError: the file cannot be read, or its format is not one that is read.
    """
    return _with_pictures(path, _read(path, _load(path)))


def _with_pictures(path: Path, document: Document) -> Document:
    """The document, its pictures read too where a table of the form is not in its text."""
    if not document.images or None not in read_tables(document, load_forms()).blocks.values():
        return document
    return add_pictures(document, path)


def _load(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LimitExceeded(path, f"{path.stat().st_size:,} bytes; at most {MAX_BYTES:,} are read")
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(path, error.strerror or type(error).__name__) from error
    if not data.strip(b"\0 \t\r\n"):
        raise EmptyFile(path, "the file is empty")
    return data


def _read(path: Path, data: bytes) -> Document:
    kind = sniff(data)
    if kind == "pdf":
        return read_pdf(path)
    if kind == "docx":
        return read_docx(path)
    if kind == "doc":
        return read_doc(path)
    if kind == "html":
        return read_html(data, path, served_charset(path))
    if kind == "text":
        return read_text(data, path)
    if kind in _PICTURES:
        return read_picture(data, path)
    raise UnsupportedFormat(path, f"the file is {kind}; PDF, HTML, text, Word and pictures are read")


_MAGIC = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"II*\0": "a TIFF image",
    b"MM\0*": "a TIFF image",
    b"BM": "a BMP image",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"OFDR": "an OFD document",
    b"\0\0\0\x0cjP  ": "a JPEG 2000 image",
    b"\xff\x4f\xff\x51": "a JPEG 2000 image",
}
_PICTURES = frozenset(f"a {kind} image" for kind in ("PNG", "JPEG", "JPEG 2000", "TIFF", "BMP", "GIF", "WebP"))
_MARKUP = re.compile(rb"<\s*(?:!doctype\s+html|html|head|body|meta|title|table|div|p|span)\b", re.IGNORECASE)
_MHTML = re.compile(rb"^(?:From:|MIME-Version:|Subject:|Snapshot-Content-Location:)", re.IGNORECASE | re.MULTILINE)


def sniff(data: bytes) -> str:
    """What the bytes are: ``pdf``, ``docx``, ``doc``, ``html``, ``text``, or words for what is not read."""
    start = data[:2048]
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if start.startswith(b"PK\x03\x04"):
        return "docx" if b"word/" in data else "a ZIP archive without a Word document"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return "doc"
    for magic, name in _MAGIC.items():
        if start.startswith(magic) and not (magic == b"BM" and start[6:10] != b"\0\0\0\0"):
            return name
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "a WebP image"
    wide = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    plain = data[:65536].replace(b"\0", b"") if wide else data[:65536]
    if _MARKUP.search(plain) or (b"multipart/related" in start and _MHTML.search(start)):
        return "html"
    if start.startswith(b"{\\rtf"):
        return "doc"
    if wide:
        return "text"
    control = sum(byte < 9 or 13 < byte < 32 for byte in plain[:4096])
    return "text" if control * 50 <= len(plain[:4096]) else "binary data of no known kind"


def _check_subject(path: Path, document: Document, tables: Tables, about: About) -> None:
    """Refuse what is no annual report: an error page, a list of links, a document of another kind."""
    text = document.text.strip()
    is_error = len(text) < 600 and bool(_ERROR_PAGE.search(text))
    if tables.form is not None or (about.title is not None and not is_error):
        return
    unread = bool(document.images) or any(page.kind in ("scan", "garbage") for page in document.pages)
    if _SUBJECT.search(text) and (len(text) >= MIN_CHARACTERS or unread):
        return
    if not text and unread:
        return
    if is_error:
        raise NotAReport(path, f"an error page: {text[:60]!r}")
    if not text:
        raise EmptyFile(path, "neither text nor an image")
    unclear = [problem for problem in document.problems if problem.code == "page.unclear"]
    reading = f"; {unclear[0].message}" if unclear else ""
    raise NotAReport(path, f"says nothing of information disclosure (信息公开); begins {text[:40]!r}{reading}")


def _metadata(about: About, tables: Tables) -> Metadata:
    return Metadata(
        title=about.title,
        authority=about.authority,
        year=about.year,
        form=tables.form or "narrative",
        blocks=tables.blocks,
        coverage=about.coverage,
        published=about.published,
        region=about.region,
    )


def _unread(document: Document, tables: Tables) -> Iterator[Problem]:
    """Why there are no cells: pictures in the place of tables, sections without a table, or no form at all."""
    missing = [block for block, form in tables.blocks.items() if form is None]
    if not missing:
        return
    for image in document.images:
        where = Evidence(page=image.page, box=image.box, start=image.after, end=image.after)
        message = (
            f"an image ({image.reference}) stands here that only OCR can read; tables missing: {', '.join(missing)}"
        )
        yield Problem("image.unread", message, where)
    if tables.form is None:
        yield from _no_tables(document)


_SECTION = re.compile(r"^\s*([一二三四五六])、.{2,40}$", re.MULTILINE)
_TABLE_SECTIONS = "二三四"
_LOST_IMAGE = re.compile(r"^\s*[\\￼�]\s*$", re.MULTILINE)


def _no_tables(document: Document) -> Iterator[Problem]:
    """A narrative report; and where the headings of the statutory sections stand over nothing, that they do."""
    yield Problem("form.narrative", "no table of any statutory form was found; the report is narrative")
    for match in _LOST_IMAGE.finditer(document.text):
        where = document.evidence(match.start(), match.end())
        yield Problem("image.lost", "a stray mark stands where a picture was; its table is lost", where)
    headings = list(_SECTION.finditer(document.text))
    for heading, following in zip(headings, headings[1:], strict=False):
        if heading[1] in _TABLE_SECTIONS and not document.text[heading.end() : following.start()].strip():
            where = document.evidence(heading.start(), heading.end())
            yield Problem("section.empty", f"nothing stands under the heading {heading.group().strip()}", where)
