"""The labels of the model's main head, and spans to labels. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

# A leader's title, tagged only where that leader is marked (models/roles.py).
TITLE = "title"


class Tags:
    """The labels of the model's main head: O, then B and I of each field (BIO on code points)."""

    def __init__(self, fields: Sequence[str]) -> None:
        """Tags for ``fields``, in their order."""
        self.fields = tuple(fields)
        self.names = ("O", *(f"{prefix}-{name}" for name in self.fields for prefix in "BI"))
        self._numbers = {name: number for number, name in enumerate(self.fields)}

    def begin(self, name: str) -> int:
        """The number of ``B-name``; ``I-name`` is the next."""
        return 1 + 2 * self._numbers[name]

    def encode(self, length: int, spans: Sequence[tuple[int, int, str]]) -> list[int]:
        """One tag a character for spans (start, end, field); a span on taken characters is left out."""
        tags = [0] * length
        for start, end, name in spans:
            if start < end and not any(tags[start:end]):
                first = self.begin(name)
                tags[start:end] = [first] + [first + 1] * (end - start - 1)
        return tags
