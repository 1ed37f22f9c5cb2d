"""Text as the word lists expect it: one width, one script, no blanks within a line; offsets lead back to the print."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from extractors.encoding import simplify

# Where a phrase ends. A blank ends one where the text is not spaced out as a whole.
BOUNDARIES = ",;:。!?()、\n "
_SPACED = re.compile(r"(?<=[\u3400-\u9fff])[ \u3000](?=[\u3400-\u9fff])")
# A blank that parts columns stands between words of two characters or more, or before the next row of a list.
_COLUMNS = re.compile(
    r"(?:(?<=\d\d)|(?<=[\u3400-\u9fff）)：:][\u3400-\u9fff）)：:]))\s+(?=[\u3400-\u9fff（(]{2}|\d{5})"
    r"|\n(?=[ \t\u3000]{2}|(?:第一|常务|执行)?副?\s*[组主班]\s*[长任]|成\s*员)"
)
# One blank in so many characters: the text is set word by word, and its blanks part nothing.
_WORD_BY_WORD = 3
# A full stop of half the width: behind a word or a sign, before a word.
_FULL_STOP = re.compile(r"(?<=[^\d\s.A-Za-z])[.．](?=[\s\u3400-\u9fff]|$)")
# Above this share of blanks between ideographs per character, a recogniser set them, not the writer.
_SPACED_SHARE = 0.03
# A line break that ends a paragraph: after a full stop, before an empty line, before or after a numbered heading.
_HEADING = r"[ \t\u3000]*(?:[(（][一二三四五六七八九十\d]{1,2}[)）]|[一二三四五六七八九十]{1,2}、|\d{1,2}[.、．])"
_PARAGRAPH = re.compile(
    rf"(?<=[。！!？?])\s*\n|\n(?=\s*\n)|\n(?={_HEADING})|^{_HEADING}[^\n，。,]{{1,25}}\n", re.MULTILINE
)
_BRACKETS = dict.fromkeys("〔【﹝[", "(") | dict.fromkeys("〕】﹞]", ")")
_PLAIN = _BRACKETS | {"﹔": ";", "﹑": "、", "﹐": ",", "﹕": ":", "｡": "。"}


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text; ``starts`` holds the printed offset of each of its characters, ``places`` the reverse."""

    printed: str
    text: str
    starts: tuple[int, ...]
    places: tuple[int, ...]

    def quote(self, start: int, end: int) -> str:
        """What is printed for ``text[start:end]``."""
        return self.printed[self.starts[start] : self.starts[end - 1] + 1] if start < end else ""


def fold(printed: str, *, columns: bool = False) -> Folded:
    """``printed`` with narrow punctuation, simplified characters and without the blanks that mean nothing.

    Args:
        printed: the text.
        columns: whether blanks between words of two characters or more part the columns of a list, and so stay.
    """
    spaced = len(_SPACED.findall(printed)) > _SPACED_SHARE * len(printed)
    kept_blanks = {match.end() - 1: "\n" for match in _PARAGRAPH.finditer(printed)}
    if columns and not _WORD_BY_WORD * len(_SPACED.findall(printed)) > len(printed):
        columns_at = {m.start(): "\n" if "\n" in m.group() else " " for m in _COLUMNS.finditer(printed)}
        kept_blanks = columns_at | kept_blanks
    elif not spaced:
        kept_blanks |= {match.start(): " " for match in _SPACED.finditer(printed)}
    text: list[str] = []
    starts: list[int] = []
    places: list[int] = []
    for offset, char in enumerate(printed):
        places.append(len(text))
        kept = kept_blanks.get(offset, "") if char.isspace() else _plain(char)
        if char in ".．" and _FULL_STOP.match(printed, offset):
            kept = "。"
        if kept:
            text.append(simplify(kept))
            starts.append(offset)
    places.append(len(text))
    return Folded(printed, "".join(text), tuple(starts), tuple(places))


def _plain(char: str) -> str:
    if char < "\u2000" or "\u3400" <= char <= "\u9fff":
        return char
    plain = _PLAIN.get(char) or unicodedata.normalize("NFKC", char)
    return plain if len(plain) == 1 else char
