"""What belongs to a page's report and lies elsewhere: attachments of the same site, pictures that may be tables."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote, urljoin, urlsplit

from lxml import etree

from extractors.charset import decode_page
from extractors.errors import ExtractionError
from extractors.forms import data_directory
from extractors.html import parse_page, picture_name, read_html

SCHEMA = "gongkai.fetch/1"
# Of one page. A report has three tables and a handful of attachments; a list of links is no report.
MAX_ATTACHMENTS = 20
MAX_PICTURES = 12
# A page with the text of a long report has some hundred kilobytes; pictures inside it may make it larger.
MAX_PAGE_BYTES = 5_000_000

Kind = Literal["page", "attachment", "picture"]


@dataclass(frozen=True, slots=True)
class Words:
    """``data/fetch.toml``: all in lower case; ``columns`` maps what a column holds to how its head may be called."""

    endings: tuple[str, ...]
    words: tuple[str, ...]
    never: tuple[str, ...]
    longest_text: int
    second_level: frozenset[str]
    columns: dict[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Link:
    """One address that a page names. ``text`` is that of the link; of a picture, the name the reader looks for."""

    address: str
    kind: Kind
    text: str


@functools.cache
def load_words(path: Path | None = None) -> Words:
    """The words of ``data/fetch.toml`` (default: the shipped ones).

    Raises:
        ValueError: the file is of another schema, a word is empty, or an ending has no dot.
    """
    data = tomllib.loads((path or data_directory() / "fetch.toml").read_text(encoding="utf-8"))
    if data.get("schema") != SCHEMA:
        raise ValueError(f"fetch.toml: schema is {data.get('schema')!r}, not {SCHEMA!r}")
    attachments = data["attachments"]
    lists = {name: tuple(word.lower() for word in attachments[name]) for name in ("endings", "words", "never")}
    columns = {name: frozenset(head.lower() for head in heads) for name, heads in data["columns"].items()}
    if not all(all(words) for words in (*lists.values(), *columns.values())):
        raise ValueError("fetch.toml: a word is empty")
    if not all(ending.startswith(".") for ending in lists["endings"]):
        raise ValueError("fetch.toml: an ending without a dot")
    return Words(
        **lists,
        longest_text=attachments["longest_text"],
        second_level=frozenset(data["site"]["second_level"]),
        columns=columns,
    )


def site(host: str) -> str:
    """The part of a host name that one body has registered: ``sub.x.gov.cn`` and ``www.x.gov.cn`` are one site.

    An IP address is a site of its own.
    """
    labels = host.lower().strip(".").split(".")
    if labels[-1].isdigit() or ":" in host:
        return host
    country = len(labels) > 2 and len(labels[-1]) == 2
    shared = country and (labels[-2] in load_words().second_level or len(labels[-2]) == 2)
    return ".".join(labels[-3:] if shared else labels[-2:])


def find_links(data: bytes, address: str, charset: str | None = None) -> list[Link]:
    """What is fetched beside the page ``data`` that came from ``address``; each address once, pictures first.

    Only http and https, only on the page's own site.
    """
    if len(data) > MAX_PAGE_BYTES:
        return []
    try:
        root = parse_page(decode_page(data, charset), Path(address))
    except ExtractionError:
        # A page that cannot be parsed is kept as it is; the reader says what is wrong with it.
        return []
    if root is None:
        return []
    base = urljoin(address, _spelled(next((tag.get("href") or "" for tag in root.iter("base")), "")))
    found: dict[str, Link] = {}
    for kind, limit, links in (
        ("picture", MAX_PICTURES, _pictures(root, data, charset)),
        ("attachment", MAX_ATTACHMENTS, _attachments(root)),
    ):
        number = 0
        for reference, text in links:
            target = _resolve(base, reference)
            if number < limit and target and target != address and target not in found:
                if site(urlsplit(target).hostname or "") != site(urlsplit(address).hostname or ""):
                    continue
                found[target] = Link(target, kind, text)  # type: ignore[arg-type]
                number += 1
    return list(found.values())


def _pictures(root: etree._Element, data: bytes, charset: str | None) -> Iterator[tuple[str, str]]:
    """Address and name of each picture that the reader would look for beside the page: no icons, no banners."""
    try:
        wanted = {image.reference for image in read_html(data, Path("page.html"), charset).images if image.data is None}
    except ExtractionError:
        return
    for element in root.iter("img", "v:imagedata"):
        source = (element.get("src") or element.get("data-src") or element.get("data-original") or "").strip()
        if source and not source.startswith("data:") and picture_name(source) in wanted:
            yield source, picture_name(source)


def _attachments(root: etree._Element) -> Iterator[tuple[str, str]]:
    """Address and text of each link to a document, and of each document shown within the page."""
    words = load_words()
    for element in root.iter("a", "area", "iframe", "frame", "embed", "object"):
        reference = (element.get("href") or element.get("src") or element.get("data") or "").strip()
        if element.tag in ("a", "area"):
            text = " ".join("".join(str(part) for part in element.itertext()).split()) or element.get("title") or ""
            if _is_attachment(reference, text, words):
                yield reference, text
        elif shown := _document_in(reference, words):
            yield shown, ""


def _is_attachment(reference: str, text: str, words: Words) -> bool:
    if not reference or reference.startswith("#"):
        return False
    names = f"{text} {unquote(urlsplit(_spelled(reference)).path.rpartition('/')[2])}".lower()
    if len(text) > words.longest_text or any(word in names for word in words.never):
        return False
    return _has_ending(reference, words) or any(word in text.lower().replace(" ", "") for word in words.words)


def _has_ending(reference: str, words: Words) -> bool:
    parts = urlsplit(_spelled(reference))
    values = [value for _, value in parse_qsl(parts.query, max_num_fields=None)]
    return any(value.lower().endswith(words.endings) for value in (unquote(parts.path), *values))


def _document_in(reference: str, words: Words) -> str | None:
    """The document that a frame shows: its own address, or the one that it hands to a viewer (``?file=/a.pdf``)."""
    parts = urlsplit(_spelled(reference))
    if unquote(parts.path).lower().endswith(words.endings):
        return reference
    values = (value for _, value in parse_qsl(parts.query))
    return next((value for value in values if value.lower().endswith(words.endings)), None)


def _resolve(base: str, reference: str) -> str | None:
    """The whole address, without its fragment; None where it is none for http."""
    try:
        target = urlsplit(urljoin(base, _spelled(reference)))
        named = target.hostname
    except ValueError:
        return None
    if target.scheme not in ("http", "https") or not named:
        return None
    return target._replace(fragment="").geturl()


def _spelled(reference: str) -> str:
    r"""An address in a page as browsers take it: no line ends or tabs in it, ``\`` is ``/``, a bad bracket is text."""
    plain = re.sub(r"[\t\r\n]", "", reference.strip())
    head, mark, rest = plain.partition("?")
    try:
        urlsplit(plain)
    except ValueError:
        return ""
    return head.replace("\\", "/") + mark + rest
