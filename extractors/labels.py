"""How a printed label is compared with a label of the form.

Width, script, white space, brackets, quotation marks and the leading number are folded away; a gloss in brackets
behind a label may be there or not; what is left is compared for equality first and by edit distance second.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from rapidfuzz import fuzz

from extractors.encoding import simplify

# 一、 （一） (1) 1. 1、 ① and the bare digit that NFKC makes of ①. No label of the forms begins with a bare digit.
_NUMBERING = re.compile(
    r"^(?:其中[::]?)?(?:\(?[一二三四五六七八九十]{1,3}[)、.．,:]|\(?\d{1,2}[)、.．,:]?(?=\D)|第?[一二三四五六七八九十]+[,、:])"
)
# 四、结转2023年度继续办理 for 下年度, 一、2022年新收… for 本年.
_YEAR = re.compile(r"20\d\d(?=年)")
_NOT_TEXT = re.compile(r"[\W_]+")
_GLOSS = re.compile(r"[(（\[【].*$", re.DOTALL)

# Below this, two labels have no more in common than any two labels of the forms have.
UNLIKE = 0.45
# From here on a label is taken to be the form's in spite of slips of the pen or of the recogniser.
ALIKE = 0.72
# An edit-distance ratio counts for a little less than an equal label.
RATIO_WEIGHT = 0.95


@lru_cache(maxsize=16384)
def label_key(text: str) -> str:
    """``text`` without number, punctuation, white space, width and script: what two spellings of a label share."""
    folded = _YEAR.sub("", _folded(text))
    return _NOT_TEXT.sub("", _NUMBERING.sub("", folded, count=1)) or _NOT_TEXT.sub("", folded)


@lru_cache(maxsize=16384)
def plain_key(text: str) -> str:
    """``text`` with its number, without punctuation, white space, width and script."""
    return _NOT_TEXT.sub("", _folded(text))


def _folded(text: str) -> str:
    """``text`` of one width and without white space, traditional characters (a recogniser's too) simplified."""
    return "".join(map(simplify, re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))))


@lru_cache(maxsize=16384)
def label_keys(text: str) -> tuple[str, ...]:
    """The keys by which a printed label may be known, the surest first: the whole, then parts of it.

    Parts are what stands before a gloss in brackets, what follows a group label and what precedes a unit, where
    white space divides them. A bracket that opens the label is a number ((一)予以公开) or the corner cell's rule,
    not a gloss.
    """
    pieces = text.split()
    parts = [text]
    if 1 < len(pieces) <= 6:
        parts += ["".join(pieces[at:]) for at in range(1, len(pieces))]
        parts += ["".join(pieces[:-1])] if len(pieces[-1]) <= 2 else []
    keys = [key for part in parts for key in (label_key(part), _head_key(part))]
    return tuple(dict.fromkeys(key for key in keys if len(key) > 1 or key and len(pieces) == 1))


def _head_key(text: str) -> str:
    folded = _folded(text)
    head = _GLOSS.sub("", _NUMBERING.sub("", folded, count=1))
    return label_key(head) if head else ""


@lru_cache(maxsize=65536)
def similarity(printed: str, spellings: tuple[str, ...]) -> float:
    """How like one of ``spellings`` the printed label is: 1.0 equal, 0.0 nothing in common.

    A cut label (a proper prefix of the form's, or the form's a prefix of it) is 0.9.
    """
    keys = label_keys(printed)
    pairs = ((key, other) for key in keys for spelling in spellings for other in label_keys(spelling))
    return max((_compare(key, other) for key, other in pairs), default=0.0)


def _compare(key: str, other: str) -> float:
    if key == other:
        return 1.0
    shorter, longer = sorted((key, other), key=len)
    if len(shorter) >= 3 and longer.startswith(shorter):
        return 0.9
    # Most pairs are prose against a label: their lengths alone forbid a likeness worth the comparison.
    bound = 2 * len(shorter) / (len(shorter) + len(longer))
    if bound < UNLIKE:
        return 0.0
    # A ratio of two characters out of three says nothing; long labels are told apart by it well.
    ratio = fuzz.ratio(key, other) / 100
    return ratio * RATIO_WEIGHT if min(len(key), len(other)) >= 3 else ratio * 0.6
