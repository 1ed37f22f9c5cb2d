"""Bytes of a web page to text, whatever the page says of its encoding."""

from __future__ import annotations

import codecs
import email
import re
from pathlib import Path

from charset_normalizer import from_bytes

_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{2,40})", re.IGNORECASE)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Browsers read the national standards as their superset (WHATWG Encoding, names and labels); the Latin labels are
# what servers send by default and say nothing of a Chinese page.
_SUPERSETS = {
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "cp936": "gb18030", "hz": "gb18030",
    "utf-8": "utf-8", "big5": "big5hkscs", "big5hkscs": "big5hkscs", "cp950": "big5hkscs",
}  # fmt: skip
_OTHER_LABELS = {"x-gbk": "gbk", "gb_2312-80": "gb2312", "gb2312-80": "gb2312", "x-x-big5": "big5", "utf8mb4": "utf-8"}
# The commonest characters of these pages, both scripts: a wrong decoding hardly ever yields them.
_COMMON = re.compile("[的政府信息公开年度工作和申请行机关情况数量有一在不是国人开為個會來時資訊請關報]")
_HEADER_BYTES = 4_000
_SAMPLE = 400_000  # bytes looked at when candidates are compared


def decode_page(data: bytes, declared: str | None = None) -> str:
    """The text of a page. ``declared`` is the encoding of the HTTP header, where it is known.

    The order is: byte order mark, UTF-8 if every byte fits it, the declaration (header, then ``<meta>``) if the
    result looks like text, else the best of UTF-8, GB18030 and Big5, else what charset-normalizer says. Bytes that
    do not fit become U+FFFD; no page fails here. NUL characters are dropped.
    """
    for bom, name in _BOMS:
        if data.startswith(bom):
            return _clean(data[len(bom) :].decode(name, errors="replace"))
    wide = _utf16_without_bom(data)
    if wide:
        return _clean(data.decode(wide, errors="replace"))
    if data.isascii():
        return _clean(data.decode("ascii"))
    names = [name for name in (_canonical(declared), _canonical(_meta_charset(data))) if name]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _clean(_best(data, names))
    # A few characters of GBK can be valid UTF-8 by chance; a page full of them cannot.
    if names and names[0] != "utf-8" and len(data) - len(text) < 40:
        return _clean(_best(data, [*names, "utf-8"]))
    return _clean(text)


def headers_beside(path: Path) -> Path:
    """Where a snapshot keeps the headers that a page was served with: a hidden file of the page's name."""
    return path.with_name(f".{path.name}.headers")


def served_charset(path: Path) -> str | None:
    """The encoding that the server named for the page in ``path``; None where nothing is kept beside it."""
    beside = headers_beside(path)
    if not beside.is_file():
        return None
    with beside.open("rb") as stream:
        return email.message_from_bytes(stream.read(_HEADER_BYTES)).get_content_charset()


def _clean(text: str) -> str:
    # GBK 0xA3A0 is a full-width space in practice; Python gives the private-use U+E5E5.
    return text.replace("\x00", "").replace("\ue5e5", "\u3000")


def _canonical(label: str | None) -> str | None:
    """The codec to decode with, or None for a label that is unknown or says nothing."""
    if not label:
        return None
    label = label.strip().strip("\"'").lower()
    try:
        name = codecs.lookup(_OTHER_LABELS.get(label, label)).name
    except LookupError:
        return None
    return _SUPERSETS.get(name)


def _meta_charset(data: bytes) -> str | None:
    # Browsers look at 1,024 bytes; some templates put a long comment first.
    head = data[:8192]
    match = _XML.search(head) or _META.search(head)
    return match.group(1).decode("ascii") if match else None


def _utf16_without_bom(data: bytes) -> str | None:
    head = data[:400]
    if len(head) < 8 or head.count(0) * 4 < len(head):
        return None
    odd, even = head[1::2].count(0), head[::2].count(0)
    if odd > 4 * even:
        return "utf-16-le"
    return "utf-16-be" if even > 4 * odd else None


def _best(data: bytes, names: list[str]) -> str:
    """The decoding with the largest share of common characters, errors counting against it; first named wins ties."""
    sample = data[:_SAMPLE]
    candidates = dict.fromkeys([*names, "utf-8", "gb18030", "big5hkscs"])
    scores = {name: _plausibility(sample.decode(name, errors="replace")) for name in candidates}
    name = max(scores, key=lambda candidate: scores[candidate])
    # So few common characters say nothing; a declaration that every byte fits does.
    if scores[name] <= 0.01 and not (names and name == names[0] and "\ufffd" not in sample.decode(name, "replace")):
        guess = from_bytes(sample).best()
        name = guess.encoding if guess else name
    return data.decode(name, errors="replace")


def _plausibility(text: str) -> float:
    """Common characters less wrong ones, as a share of all that are not ASCII (-1 to 1)."""
    wide = len(text.encode("utf-8", errors="replace")) - len(text)  # two for each Han character
    if not wide:
        return 0.0
    return (len(_COMMON.findall(text)) - text.count("\ufffd")) / (wide / 2)
