"""Reads a web page as government sites publish it: text, tables and images of the report, without the site."""

from __future__ import annotations

import base64
import binascii
import email
import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from lxml import etree

from extractors.charset import decode_page
from extractors.chrome import is_report_text, select_content
from extractors.document import Document
from extractors.errors import DamagedFile, EmptyFile, LimitExceeded
from extractors.markup import (
    MAX_COLS,
    MAX_ROWS,
    Block,
    Grid,
    GridCell,
    Line,
    Notice,
    Picture,
    chinese_numeral,
    compose,
    join_lines,
    lay_out,
    place_cells,
    raise_digits,
    tidy,
)

MAX_BYTES = 50_000_000
MAX_NESTING = 30  # tables within tables; what lies deeper is text
_LITTLE_TEXT = 300  # characters of a page below which a frame is taken to hold the report
_LINK_LENGTH = 300  # characters; titles in lists of links, and what sites hide on a page, are shorter
_MIN_PICTURE_PX = 60  # a table as an image is larger than this in both directions
_MIN_DATA_URI = 4_000  # characters of a data: URI below which it is an icon

# Elements that shape the text. All others (span, font, b, o:p, unknown ones) are inline: their text joins what
# stands around them without a space.
_BREAKING = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "br", "caption", "center", "dd", "details", "dir", "div",
        "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "frameset", "h1", "h2", "h3", "h4", "h5",
        "h6", "head", "header", "hr", "html", "legend", "li", "main", "marquee", "menu", "nav", "ol", "p", "pre",
        "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    }
)  # fmt: skip
_KEPT = _BREAKING | {
    "a", "img", "embed", "object", "iframe", "frame", "col", "colgroup", "title", "v:imagedata",
}  # fmt: skip
# Not shown, not text of the page, or (del) struck out by its author: what Word writes for a tracked deletion.
_DROPPED = (
    "noscript", "template", "xml", "select", "option", "datalist", "button", "svg", "canvas", "audio", "video", "rt",
    "rp", "textarea", "noframes", "del",
)  # fmt: skip
# Written for libxml2: a step to the attribute and back is several times as fast as a predicate on every element.
_STYLED = etree.XPath(
    "descendant::*/@style[contains(.,'isplay') or contains(.,'ISPLAY') or contains(.,'isibility')"
    " or contains(.,'ISIBILITY') or contains(.,'mso-hide')]/.. | descendant::*/@hidden/.. | descendant::*/@role/.."
)
_SUPERSCRIPTS = etree.XPath("descendant::span[contains(@style,'super')]")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|mso-hide\s*:\s*all", re.IGNORECASE)
_DISPLAY = re.compile(r"display\s*:\s*([a-z-]+)", re.IGNORECASE)
_DISPLAY_TAGS = {
    "block": "div", "flex": "div", "list-item": "div", "grid": "div", "inline": "span", "inline-block": "span",
    "table": "table", "inline-table": "table", "table-row": "tr", "table-cell": "td", "table-row-group": "tbody",
    "table-header-group": "thead", "table-footer-group": "tfoot", "table-caption": "caption",
}  # fmt: skip
_ROLE_TAGS = {"table": "table", "row": "tr", "cell": "td", "columnheader": "td", "rowheader": "td"}
# Inline elements that a style turned into blocks, and the reverse; a table's own parts keep their meaning.
_RESTYLED = frozenset(
    {"div", "p", "span", "a", "font", "b", "strong", "i", "em", "section", "article", "li", "dl", "dt", "dd"}
)

_DOCUMENT_FILE = re.compile(r"\.(?:pdf|docx?|wps|ofd|xlsx?|et|rtf|zip|rar)(?:[?#].*)?$", re.IGNORECASE)
_PICTURE_FILE = re.compile(r"\.(?:jpe?g|png|gif|bmp|tiff?|webp|svg|ico)$", re.IGNORECASE)
_LONGEST_QUERY = 150  # characters; a longer one is no file name
_ICON = re.compile(
    r"(?:icon|logo|spacer|blank|pixel|qr_?code|ewm|erweima|emot|smil|weibo|weixin|wechat|share|print|arrow|banner|gongan"
    r"|beian|jiucuo|dzjg|fileTypeImages|close|search|play|btn|button|bg_?\d*\.)",
    re.IGNORECASE,
)
# UEditor writes Chinese numbering as classes of the list.
_NUMBERED_CLASSES = {
    "custom_cn": "一、", "custom_cn1": "一)", "custom_cn2": "(一)",
    "custom_num": "1.", "custom_num1": "1)", "custom_num2": "(1)",
}  # fmt: skip
_LENGTH = re.compile(r"(?:^|;)\s*(width|height)\s*:\s*([\d.]+)\s*px", re.IGNORECASE)
_CONTROLS = bytes(code for code in range(32) if code not in (9, 10, 13)) + b"\x7f"


@dataclass(slots=True)
class _Run:
    """What has been read of the line in hand."""

    pieces: list[str] = field(default_factory=list)
    linked: int = 0
    links: int = 0  # how many links are open
    attached: list[Picture | Notice] = field(default_factory=list)
    label: str = ""  # the number of a list item, printed before its first line

    def add(self, text: str | None) -> None:
        if not text or (not self.pieces and text.isspace()):
            return
        self.pieces.append(text)
        if self.links:
            self.linked += len("".join(text.split()))

    def end_line(self, blocks: list[Block]) -> None:
        if not self.pieces and not self.attached:
            return
        text = tidy("".join(self.pieces)) if self.pieces else ""
        if text:
            blocks.append(Line(self.label + text, self.linked, self.attached))
            self.label = ""
        else:
            blocks.extend(self.attached)
        self.attached = []  # a new list: the line keeps the old one
        self.pieces.clear()
        self.linked = 0


def read_html(data: bytes, path: Path, charset: str | None = None) -> Document:
    """The document of a web page, or of a page saved as MHTML.

    Args:
        data: The bytes of the file.
        path: Named in errors only.
        charset: The encoding that the HTTP header declared, where it is known.

    Raises:
        EmptyFile: no bytes, or neither text nor an image nor a frame.
        LimitExceeded: over 50 MB, a table over 5,000 rows or 200 columns, or nesting without end.
        DamagedFile: an MHTML file without a page in it.
    """
    if len(data) > MAX_BYTES:
        raise LimitExceeded(path, f"a page of {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    media_type = "text/html"
    if _is_mhtml(data):
        data, charset = _page_of_mhtml(data, path)
        media_type = "multipart/related"
    text = decode_page(data, charset)
    root = parse_page(text, path)
    if root is None:
        raise EmptyFile(path, "the page holds no text and no image")
    hints = _read_hints(root)
    frames = _frame_sources(root)
    _prepare(root)
    blocks = select_content(_read_blocks(root, path))
    blocks += _frame_notices(frames, blocks)
    if not blocks:
        raise EmptyFile(path, "the page holds no text and no image")
    return compose(media_type, blocks, hints)


def _is_mhtml(data: bytes) -> bool:
    head = data[:4096].lstrip(b"\xef\xbb\xbf\r\n ")
    if head[:1] == b"<":
        return False
    return re.search(rb"^content-type:\s*multipart/", head, re.IGNORECASE | re.MULTILINE) is not None


def _page_of_mhtml(data: bytes, path: Path) -> tuple[bytes, str | None]:
    message = email.message_from_bytes(data.lstrip(b"\xef\xbb\xbf\r\n "), policy=email.policy.compat32)
    for part in message.walk():
        if part.get_content_type() == "text/html":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes) and payload.strip():
                return payload, part.get_content_charset()
    raise DamagedFile(path, "an MHTML file without an HTML page in it")


def parse_page(text: str, path: Path) -> etree._Element | None:
    """The tree of a page; None for one without an element.

    Raises:
        LimitExceeded: elements are nested too deeply; ``path`` is named there.
    """
    root, complete = _parse_once(text)
    if complete:
        return root
    # Unclosed inline elements pile up; without them and without blocks the text and its tables are still there.
    flat = re.sub(r"</?(?:div|section|p|center|blockquote|ul|li|h\d)\b[^>]*>", "<br>", text, flags=re.IGNORECASE)
    flat = re.sub(r"</?(?:span|font|b|strong|i|em|u|a|o:p)\b[^>]*>", "", flat, flags=re.IGNORECASE)
    root, complete = _parse_once(flat)
    if not complete:
        raise LimitExceeded(path, "elements are nested too deeply")
    return root


def _parse_once(text: str) -> tuple[etree._Element | None, bool]:
    # Bytes, because lxml refuses a str that carries an XML declaration. huge_tree lifts the nesting limit from 256,
    # which unclosed <font> elements reach, to 2,048; the size is bounded before.
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    data = text.encode("utf-8", errors="replace").translate(None, _CONTROLS)
    try:
        root = etree.fromstring(data, parser)
    except etree.ParserError:  # nothing but blanks and comments
        return None, True
    except etree.XMLSyntaxError as error:
        return None, "empty" in str(error).lower()
    too_deep = any("depth" in entry.message for entry in parser.error_log if entry.level_name == "FATAL")
    return root, not too_deep


def _select(path: etree.XPath, root: etree._Element) -> list[etree._Element]:
    return cast(list[etree._Element], path(root))


def _text(element: etree._Element) -> str:
    return "".join(cast(Iterator[str], element.itertext()))


def _read_hints(root: etree._Element) -> dict[str, str]:
    """Title and meta tags, names as printed; the first of each name counts."""
    hints: dict[str, str] = {}
    title = next(root.iter("title"), None)
    if title is not None and (text := tidy(_text(title))):
        hints["title"] = text
    for meta in root.iter("meta"):
        name = meta.get("name") or meta.get("property")
        content = tidy(meta.get("content") or "")
        if name and content:
            hints.setdefault(tidy(name), content)
    return hints


def _frame_sources(root: etree._Element) -> list[str]:
    sources = [frame.get("src") or "" for frame in root.iter("frame", "iframe")]
    return [source for source in sources if source and not source.startswith(("about:", "javascript:"))]


def _frame_notices(frames: list[str], blocks: list[Block]) -> list[Block]:
    """A problem for each frame of a page that has little text of its own."""
    length = sum(len(block.text) for block in blocks if isinstance(block, Line))
    if length > _LITTLE_TEXT or any(isinstance(block, Grid) for block in blocks):
        return []
    return [
        Notice("html.frame", f"the content lies in another document: {_shorten(source)}")
        for source in frames
        if not _DOCUMENT_FILE.search(source)
    ]


def _prepare(root: etree._Element) -> None:
    """Take out what is not shown, give restyled elements the names of what they act as, dissolve inline ones."""
    etree.strip_elements(root, "script", "style", with_tail=False)
    hidden = list(root.iter(*_DROPPED))
    for element in _select(_STYLED, root):
        if _is_hidden(element) and element.tag not in ("html", "body"):
            hidden.append(element)
        else:
            _restyle(element)
    _drop_hidden(root, hidden)
    for element in list(root.iter("a")):
        # An anchor without a target, and one that was never closed and holds the report, are no links.
        if element.get("href") is None or (len(element) and len(_text(element)) > _LINK_LENGTH):
            element.tag = "span"
    _adopt_rows(root)
    for element in (*root.iter("sup"), *_select(_SUPERSCRIPTS, root)):
        for part in element.iter():
            part.text = raise_digits(part.text or "")
    for element in root.iter("input"):
        # A form saved as a page prints its figures in the fields.
        if (element.get("type") or "text").lower() in ("text", "number"):
            element.text = element.get("value")
    names = {element.tag for element in root.iter(etree.Element)}
    etree.strip_tags(root, *(names - _KEPT))


def _is_hidden(element: etree._Element) -> bool:
    if element.get("hidden") is not None:
        return True
    return _HIDDEN.search(element.get("style") or "") is not None


def _restyle(element: etree._Element) -> None:
    """``display: table-row`` and the like on neutral elements, and ARIA table roles."""
    if element.tag not in _RESTYLED:
        return
    role = _ROLE_TAGS.get(element.get("role") or "")
    match = _DISPLAY.search(element.get("style") or "")
    tag = role or (_DISPLAY_TAGS.get(match.group(1).lower()) if match else None)
    if tag and not (tag == "span" and element.tag == "a"):
        element.tag = tag


def _drop_hidden(root: etree._Element, hidden: list[etree._Element]) -> None:
    """Drop hidden elements; one that alone holds the report stays (tabs, pages that a script unfolds)."""
    kept: dict[etree._Element, str] = {}
    looked_at = 0  # bounded, because hidden elements can lie within hidden elements without end
    page_length = 0
    for element in hidden:
        text = _text(element) if looked_at < MAX_BYTES else ""
        looked_at += len(text)
        if len(text) > _LINK_LENGTH and not page_length:
            page_length = len(_text(root))
        if is_report_text(text) or len(text) > max(_LINK_LENGTH, page_length * 3 // 4):
            kept[element] = text
        else:
            _drop(element)
    if not kept:
        return
    rest = _text(root)
    for text in kept.values():
        rest = rest.replace(text, "", 1)
    if is_report_text(rest):
        for element in kept:
            _drop(element)


def _drop(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    tail = element.tail
    previous = element.getprevious()
    parent.remove(element)
    if not tail:
        return
    if previous is not None:
        previous.tail = (previous.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail


def _adopt_rows(root: etree._Element) -> None:
    """Rows whose <table> was cut off by a scraper get one."""
    for row in list(root.iter("tr")):
        parent = row.getparent()
        if parent is None or parent.tag == "table" or next(row.iterancestors("table"), None) is not None:
            continue
        if parent.tag in ("thead", "tbody", "tfoot"):
            parent.tag = "table"
            continue
        table = etree.Element("table")
        row.addprevious(table)
        for member in [row, *row.itersiblings("tr")]:
            table.append(member)


def _read_blocks(root: etree._Element, path: Path, depth: int = 0) -> list[Block]:
    """The blocks of an element in reading order (its own tail is not read).

    The head is read as well: behind an unknown or broken tag in it, libxml2 leaves the whole page there.
    """
    blocks: list[Block] = []
    run = _Run()
    counters: dict[etree._Element, int] = {}
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, element in walker:
        tag = element.tag
        breaking = tag in _BREAKING
        if breaking and (run.pieces or run.attached):
            run.end_line(blocks)
        if event == "end":
            if tag == "a":
                run.links -= 1
            if (tail := element.tail) and element is not root:
                run.add(tail)
            continue
        if breaking:
            if tag == "table" and element is not root:
                walker.skip_subtree()
                blocks += _read_table(element, path, depth + 1)
                continue
            if tag == "li":
                run.label = _list_number(element, counters)
            elif tag == "pre":
                _break_lines(element)
        elif tag == "a":
            run.links += 1
            run.attached += _attachment(element.get("href"))
        else:
            run.attached += _embedded(element)
            if tag in ("title", "object", "iframe"):
                walker.skip_subtree()
                continue
        if text := element.text:
            run.add(text)
    run.end_line(blocks)
    return blocks


def _break_lines(element: etree._Element) -> None:
    """Turn the line breaks of preformatted text into <br>."""
    lines = (element.text or "").split("\n")
    element.text = lines[0]
    for index, line in enumerate(lines[1:]):
        mark = etree.Element("br")
        mark.tail = line
        element.insert(index, mark)


def _list_number(item: etree._Element, counters: dict[etree._Element, int]) -> str:
    """The number that a browser prints before an item of an ordered list; empty for other items."""
    parent = item.getparent()
    if parent is None or parent.tag != "ol":
        return ""
    style = (parent.get("style") or "").lower()
    if "list-style" in style and "none" in style:
        return ""
    number = _integer(item.get("value")) or counters.get(parent, (_integer(parent.get("start")) or 1) - 1) + 1
    counters[parent] = number
    for name, pattern in _NUMBERED_CLASSES.items():
        if name in (parent.get("class") or "").split():
            return pattern.replace("一", chinese_numeral(number)).replace("1", str(number))
    if any(name in style for name in ("cjk-ideographic", "chinese-informal")):
        return chinese_numeral(number) + "、"
    return f"{number}."


def _read_table(table: etree._Element, path: Path, depth: int) -> list[Block]:
    """The blocks of one table: a grid, or its text where it only serves the layout."""
    if depth > MAX_NESTING:
        return [*_plain_lines(table)]
    stray: list[Block] = []
    groups: dict[str, list[list[GridCell]]] = {"thead": [], "tbody": [], "tfoot": []}
    plain = next(table.iterdescendants("table", "img", "embed", "object", "iframe", "ol", "pre", "a"), None) is None
    for kind, row in _table_rows(table, stray):
        cells = [_read_cell(cell, path, depth, plain) for cell in row]
        if len(cells) > MAX_COLS:
            raise LimitExceeded(path, f"a table of more than {MAX_COLS} columns")
        groups[kind].append(cells)
    if sum(len(rows) for rows in groups.values()) > MAX_ROWS:
        raise LimitExceeded(path, f"a table of more than {MAX_ROWS:,} rows")
    return stray + lay_out(place_cells(list(groups.values())))


def _table_rows(table: etree._Element, stray: list[Block]) -> Iterator[tuple[str, list[etree._Element]]]:
    """The rows of a table as (group, cells). Text that stands between rows goes to ``stray``.

    Forms and other wrappers around rows, and cells without a row, occur in hand-written pages.
    """
    stack = [("tbody", iter([table]))]
    loose: list[etree._Element] = []
    while stack:
        kind, children = stack[-1]
        element = next(children, None)
        if element is None:
            stack.pop()
            continue
        if element.tag in ("td", "th"):
            loose.append(element)
        elif loose:
            yield kind, loose
            loose = []
        if element is not table and (text := tidy(element.tail or "")):
            stray.append(Line(text))
        if element.tag == "tr":
            yield kind, [child for child in element if child.tag in ("td", "th")]
            stray += _stray_text(element)
        elif element.tag not in ("td", "th"):
            if next(element.iterdescendants("tr", "td"), None) is None:
                stray += _plain_lines(element)
                continue
            if text := tidy(element.text or ""):
                stray.append(Line(text))
            stack.append((element.tag if element.tag in ("thead", "tfoot") else kind, iter(element)))
    if loose:
        yield "tbody", loose


def _plain_lines(element: etree._Element) -> list[Line]:
    """The lines of an element that holds no table, link or image: after _prepare each piece of text is one."""
    return [Line(text) for piece in cast(Iterator[str], element.itertext()) if (text := tidy(piece))]


def _stray_text(row: etree._Element) -> list[Block]:
    """Text of a row outside its cells."""
    pieces = [row.text or ""]
    for child in row:
        if child.tag not in ("td", "th"):
            pieces.append(_text(child))
        pieces.append(child.tail or "")
    return [Line(text) for piece in pieces if (text := tidy(piece))]


def _read_cell(element: etree._Element, path: Path, depth: int, plain: bool) -> GridCell:
    parts: list[Block] = []
    linked = 0
    if not len(element):
        text = tidy(element.text or "")
    elif plain:
        lines = [part.text for part in _plain_lines(element)]
        text = lines[0] if len(lines) == 1 else join_lines(lines)
        if len(lines) > 1:
            parts = [Line(line) for line in lines]
    else:
        parts = _read_blocks(element, path, depth)
        lines = [part.text for part in parts if isinstance(part, Line)]
        linked = sum(part.linked for part in parts if isinstance(part, Line))
        text = join_lines(lines)
    cell = GridCell(text, parts=parts, linked=linked)
    if element.get("rowspan"):
        span = _integer(element.get("rowspan"))
        cell.rowspan = 1 if span is None else span
    if element.get("colspan"):
        cell.colspan = max(1, _integer(element.get("colspan")) or 1)
    return cell


def _integer(text: str | None) -> int | None:
    """The number that an attribute begins with, as browsers read it; None without one."""
    match = re.match(r"\s*(\d{1,9})", text or "")
    return int(match.group(1)) if match else None


def _attachment(reference: str | None) -> list[Picture | Notice]:
    """A notice where a link leads to a document file."""
    if reference and _DOCUMENT_FILE.search(reference.strip()):
        return [Notice("html.attachment", f"an attachment that is not part of the page: {_shorten(reference)}")]
    return []


def _embedded(element: etree._Element) -> list[Picture | Notice]:
    """The image, or the notice of an embedded document, that an element stands for; nothing for icons."""
    if element.tag in ("embed", "object", "iframe"):
        return _attachment(element.get("src") or element.get("data"))
    if element.tag not in ("img", "v:imagedata"):
        return []
    source = (element.get("src") or element.get("data-src") or element.get("data-original") or "").strip()
    sizes = {name.lower(): float(value) for name, value in _LENGTH.findall(element.get("style") or "")}
    width = sizes.get("width") or _integer(element.get("width"))
    height = sizes.get("height") or _integer(element.get("height"))
    if any(size is not None and size < _MIN_PICTURE_PX for size in (width, height)):
        return []
    if source.startswith("data:"):
        return [Picture("embedded", width, height, _decoded(source))] if len(source) > _MIN_DATA_URI else []
    name = picture_name(source)
    if not name or _ICON.search(name) or "fileTypeImages" in source:
        return []
    return [Picture(name, width, height)]


def picture_name(source: str) -> str:
    """The name of the file that a picture's address means, as the page writes it; empty for a folder.

    Where a script hands the picture out (``download.jsp?id=3``), the query is what tells one from another.
    """
    path, _, query = source.partition("#")[0].partition("?")
    name = path.rpartition("/")[2]
    scripted = 0 < len(query) <= _LONGEST_QUERY and "/" not in query and not _PICTURE_FILE.search(name)
    return f"{name}?{query}" if scripted else name


def _decoded(source: str) -> bytes | None:
    """The bytes that a data URI carries in base64; None where it is damaged or carries something else."""
    head, _, body = source.partition(",")
    if not head.endswith(";base64"):
        return None
    try:
        return base64.b64decode(body, validate=False)
    except binascii.Error:
        return None


def _shorten(reference: str) -> str:
    reference = reference.strip()
    return reference if len(reference) <= 200 else reference[:197] + "..."
