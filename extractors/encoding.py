"""Prose as the model and the rules for figures read it: simplified characters, no white space, each with its place.

Training and serving share this, so that a figure looks the same to both.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import opencc

from extractors.document import fold


@dataclass(frozen=True, slots=True)
class Encoded:
    """``chars`` is what the model reads; character i of it stands at ``origin[i]`` in the text."""

    chars: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The text's offsets for the characters ``start`` to ``end`` (exclusive, at least one)."""
        return self.origin[start], self.origin[end - 1] + 1


@functools.cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


@functools.lru_cache(maxsize=32768)
def simplify(char: str) -> str:
    """The simplified form of one character, itself where there is none of one character."""
    converted = _converter().convert(char)
    return converted if len(converted) == 1 else char


def encode(text: str) -> Encoded:
    """``text`` as the model reads it; a line end stays, as the end of a paragraph."""
    chars: list[str] = []
    origin: list[int] = []
    for at, char in enumerate(fold(text)):
        if char == "\n" or not char.isspace():
            chars.append(simplify(char) if char > "\u2e7f" else char)
            origin.append(at)
    return Encoded("".join(chars), tuple(origin))
