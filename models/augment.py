"""New examples out of annotated ones: recombined sentences, other names and numbers, noise; places stay exact.

What stays is the wording, which no program can write; what changes is what the wording does not depend on.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from extractors.narrative import CHANNEL, LEADER, NIL
from models.corpus import MAX_WINDOW, Example, cut, join, segments

# What a recogniser makes of digits.
_MISREAD = {"0": "O", "1": "l"}
# Characters of names that no training text has; a reader meets them every day.
_RARE = "".join(map(chr, range(0x4E00, 0x9FA6, 97)))


@dataclass(frozen=True, slots=True)
class Chances:
    """How often each change is made, a probability each."""

    mixed: float = 0.5
    name: float = 0.5
    digits: float = 0.5
    misread: float = 0.01
    lost: float = 0.004
    paragraph: float = 0.3


class Composer:
    """Makes one training example of each given one, another every time."""

    def __init__(self, examples: Sequence[Example], rng: random.Random, chances: Chances = Chances()) -> None:
        """A composer that takes sentences and names from ``examples``."""
        self._rng = rng
        self._chances = chances
        self._segments = [piece for example in examples for piece in segments(example)]
        names = [e.chars[t.start : t.end] for e in examples for t in e.targets if t.tag == LEADER]
        self._name_chars = "".join(names).replace("·", "") + _RARE

    def __call__(self, example: Example) -> Example:
        """``example`` among other sentences, with other names and numbers, in at most ``MAX_WINDOW`` characters."""
        rng = self._rng
        if rng.random() < self._chances.mixed:
            pieces = segments(example)
            for _ in range(rng.randint(0, 2)):
                pieces.insert(rng.randint(0, len(pieces)), rng.choice(self._segments))
            example = join([self._ended(piece) for piece in pieces])
        example = next(cut(example, MAX_WINDOW), example)
        return self.noisy(example)

    def _ended(self, piece: Example) -> Example:
        """The piece, now and then the last of its paragraph."""
        if piece.chars.endswith("\n") or self._rng.random() >= self._chances.paragraph:
            return piece
        return Example(piece.chars + "\n", piece.targets)

    def noisy(self, example: Example) -> Example:
        """``example`` with other names and numbers and with characters misread or lost."""
        rng, chances = self._rng, self._chances
        chars = list(example.chars)
        held = [False] * len(chars)
        for target in example.targets:
            held[target.start : target.end] = [True] * (target.end - target.start)
            if target.tag == LEADER and rng.random() < chances.name:
                for at in range(target.start, target.end):
                    chars[at] = chars[at] if chars[at] == "·" else rng.choice(self._name_chars)
            elif target.tag not in (NIL, LEADER, CHANNEL) and rng.random() < chances.digits:
                for at in range(target.start, target.end):
                    # A zero denies, and its sentence says so; it stays one.
                    chars[at] = str(rng.randint(1, 9)) if chars[at] in "123456789" else chars[at]
            for at in range(target.start + 1, target.end):
                if rng.random() < chances.misread:
                    chars[at] = _MISREAD.get(chars[at], chars[at])
        # A lost character is blanked, not cut out, so that no place changes; the network learns to read past it.
        for at, char in enumerate(chars):
            if not held[at] and char != "\n" and rng.random() < chances.lost:
                chars[at] = rng.choice(_RARE)
        return Example("".join(chars), example.targets)
