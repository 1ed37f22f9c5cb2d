"""Taggers that know what they find: a look-up by printed words, in the place of the trained model."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from extractors.narrative import ENTITIES, NIL, Mention


class LookUp:
    """Finds each printed stretch of ``words`` wherever it stands; a value is a field, or the fields that a nil denies.

    ``windows`` keeps what was asked, in order.
    """

    def __init__(self, words: Mapping[str, str | tuple[str, ...]], score: float = 0.97) -> None:
        self._words = words
        self._score = score
        self.windows: list[str] = []

    def __call__(self, windows: Sequence[str], /) -> list[list[Mention]]:
        self.windows += windows
        return [sorted(self._mentions(window), key=lambda mention: mention.start) for window in windows]

    def _mentions(self, window: str) -> list[Mention]:
        found = []
        for word, label in self._words.items():
            edge = r"(?<![\d,.])" if word[0].isdigit() and label not in ENTITIES else ""
            for match in re.finditer(edge + re.escape(word), window):
                fields = label if isinstance(label, tuple) else ()
                name = NIL if fields else str(label)
                found.append(Mention(match.start(), match.end(), name, fields, self._score))
        return found
