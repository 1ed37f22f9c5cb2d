"""What every reader returns: one normalised text, its pages, words, tables and images.

A reader knows a file format and nothing of forms. It never drops a printed character: what stands in a table
cell also stands in ``Document.text``, so that every value has offsets, and ``Table`` says which stretch of the
text is table.
"""

from __future__ import annotations

import bisect
import unicodedata
from dataclasses import dataclass, field
from typing import Literal

from extractors.report import Box, Evidence, Problem

PageKind = Literal["text", "scan", "garbage", "blank"]


@dataclass(frozen=True, slots=True)
class Page:
    """A page (1-based ``number``), its size in points, and the stretch of the text that it holds."""

    number: int
    width: float
    height: float
    kind: PageKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Word:
    """A run of characters on one line, with its place on the page and in the text."""

    start: int
    end: int
    page: int
    box: Box


@dataclass(frozen=True, slots=True)
class PrintedCell:
    """One cell of a table as printed: folded text without line breaks, its place, and its place in the grid.

    ``row`` and ``col`` are those of the top left slot; a merged cell appears once, with its spans.
    ``evidence`` of an empty cell still has its box, or an empty stretch of text at its place. ``confidence`` is the
    probability that ``text`` is what is printed (1.0 where no recogniser was asked); ``candidates`` are a
    recogniser's readings with theirs, best first, ``text`` among them, empty where only one is likely.
    """

    text: str
    row: int
    col: int
    rowspan: int
    colspan: int
    evidence: Evidence
    confidence: float = 1.0
    candidates: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A grid of printed cells on one page (or in one flow), ordered by row and column.

    ``source`` says how the grid was found: ``ruled`` (ruling lines), ``aligned`` (columns of words, no or few
    rules), ``markup`` (HTML or Word), ``delimited`` (pipes or tabs on one line).
    ``start`` and ``end`` bound the stretch of the document's text that the table holds.
    """

    source: Literal["ruled", "aligned", "markup", "delimited"]
    cells: tuple[PrintedCell, ...]
    rows: int
    cols: int
    start: int
    end: int
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """An image that was met and not read: where it stands, its size in its own unit, how it is referred to.

    ``after`` is the offset of the text at which it stands. ``reference`` is the file name, or ``embedded``; ``data``
    the bytes of the image file where the document itself carries them.
    """

    after: int
    reference: str
    page: int | None = None
    box: Box | None = None
    width: float | None = None
    height: float | None = None
    data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file as text with places. ``hints`` are statements of the format about the document, by name.

    Names used: ``title`` (HTML title), ``ArticleTitle``, ``PubDate``, ``ContentSource`` and the like (HTML meta
    tags, names as printed), ``modified``. They are hints because site templates fill them.
    """

    media_type: str
    text: str
    pages: tuple[Page, ...] = ()
    words: tuple[Word, ...] = ()
    tables: tuple[Table, ...] = ()
    images: tuple[Image, ...] = ()
    hints: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    scanned: bool = False

    def evidence(self, start: int, end: int) -> Evidence:
        """Evidence for a stretch of the text: offsets, and page and box where the format has pages.

        The box is that of the words touched on the page where the stretch begins.
        """
        if not self.words:
            return Evidence(start=start, end=end)
        first = bisect.bisect_right(self.words, start, key=lambda word: word.end)
        boxes: list[Box] = []
        page: int | None = None
        for word in self.words[first:]:
            if word.start >= end:
                break
            page = page or word.page
            if word.page == page:
                boxes.append(word.box)
        if page is None:
            return Evidence(start=start, end=end)
        return Evidence(page=page, box=union(boxes), start=start, end=end)


def union(boxes: list[Box]) -> Box:
    """The smallest box around all ``boxes`` (at least one)."""
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


# The CJK Radicals Supplement is not covered by NFKC; PDF producers (Skia above all) map glyphs of ordinary
# characters to it. Only radicals whose shape is that of a character in its own right are listed.
_RADICALS = str.maketrans(
    {
        "⺁": "厂", "⺆": "冂", "⺈": "刀", "⺊": "卜", "⺌": "小", "⺍": "小", "⺎": "兀", "⺏": "尣", "⺐": "尢",
        "⺑": "尢", "⺒": "巳", "⺓": "幺", "⺔": "彑", "⺕": "彐", "⺖": "忄", "⺗": "心", "⺘": "扌", "⺙": "攵",
        "⺛": "旡", "⺜": "日", "⺝": "月", "⺞": "歹", "⺟": "母", "⺠": "民", "⺡": "氵", "⺢": "水", "⺣": "灬",
        "⺤": "爪", "⺥": "爫", "⺦": "丬", "⺧": "牛", "⺨": "犭", "⺩": "王", "⺪": "疋", "⺫": "目", "⺬": "示",
        "⺭": "礻", "⺮": "竹", "⺯": "糸", "⺰": "纟", "⺱": "罓", "⺲": "罒", "⺳": "网", "⺴": "网", "⺵": "网",
        "⺶": "羊", "⺷": "羊", "⺸": "羊", "⺹": "老", "⺺": "聿", "⺻": "聿", "⺼": "肉", "⺽": "臼", "⺾": "艹",
        "⺿": "艹", "⻀": "艹", "⻁": "虎", "⻂": "衤", "⻃": "覀", "⻄": "西", "⻅": "见", "⻆": "角", "⻇": "角",
        "⻈": "讠", "⻉": "贝", "⻊": "足", "⻋": "车", "⻌": "辶", "⻍": "辶", "⻎": "辶", "⻏": "阝", "⻐": "钅",
        "⻑": "長", "⻒": "镸", "⻓": "长", "⻔": "门", "⻕": "阜", "⻖": "阝", "⻗": "雨", "⻘": "青", "⻙": "韦",
        "⻚": "页", "⻛": "风", "⻜": "飞", "⻝": "食", "⻞": "飠", "⻟": "飠", "⻠": "饣", "⻡": "首", "⻢": "马",
        "⻣": "骨", "⻤": "鬼", "⻥": "鱼", "⻦": "鸟", "⻧": "卤", "⻨": "麦", "⻩": "黄", "⻪": "黾", "⻫": "斉",
        "⻬": "齐", "⻭": "歯", "⻮": "齿", "⻯": "竜", "⻰": "龙", "⻱": "龟", "⻲": "亀", "⻳": "龟",
    }
)  # fmt: skip

# What each character met so far is folded to; itself where nothing changes.
_FOLDED: dict[str, str] = {}


def fold(text: str) -> str:
    """``text`` in compatibility normal form (NFKC), code point for code point, so that offsets stand.

    A character whose normal form is longer than one (㎡, ½, ⑴) stays as it is, and so do
    superscripts and circled digits. Characters of the CJK Radicals
    Supplement become the character that they picture; no-break and ideographic spaces become a space.
    """
    if text.isascii():
        return text
    for char in set(text):
        folded = _FOLDED.get(char)
        if folded is None:
            # A superscript or a circled digit is a note's mark, not a digit of the figure before it.
            raised = unicodedata.decomposition(char).startswith(("<super>", "<sub>", "<circle>"))
            folded = char if raised else unicodedata.normalize("NFKC", char).translate(_RADICALS)
            folded = _FOLDED[char] = folded if len(folded) == 1 else char
        if folded != char:
            text = text.replace(char, folded)
    return text
