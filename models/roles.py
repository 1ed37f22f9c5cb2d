"""Whose titles are whose: a leader is marked in the text, and the network tags the titles that are theirs.

One more label of the same head and no head of its own: what is asked stands in the text. Needs no torch.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from extractors.encoding import encode
from extractors.narrative import LEADER
from extractors.phrases import load_titles
from models.corpus import Example, Passage, Target, to_example
from models.tags import TITLE

# Around the name that is asked for; no report prints them there.
OPEN, CLOSE = "★", "☆"
# So many characters before and behind a name are looked at: a head stands some names above its list.
REACH = 120
# A title nearer to another name is the less likely one's own.
_ANOTHER = 40
# In 副组长 stands no 组长.
_NOT_BEHIND = ("副", "代")
_MANY = 2000
# At most so many characters are missing at the end of a title that the network has cut off.
_CUT = 2
_PARTED = re.compile(rf"[{OPEN}{CLOSE}、,，。;；:：()（）\n]")


@dataclass(frozen=True, slots=True)
class Marked:
    """The surroundings of a name with marks around it; ``low`` is where they begin, the name at ``start:end``."""

    chars: str
    low: int
    start: int
    end: int

    def place(self, at: int) -> int:
        """Where the character at ``at`` of ``chars`` stands in the unmarked text."""
        at += self.low
        return at - (at > self.start) - (at > self.end + 1)

    def marked(self, at: int) -> int:
        """Where the character at ``at`` of the unmarked text stands in ``chars``."""
        return at - self.low + (at >= self.start) + (at >= self.end)


def mark(chars: str, start: int, end: int) -> Marked:
    """What stands within reach of the name ``chars[start:end]``, the name marked."""
    low, high = max(0, start - REACH), end + REACH
    marked = f"{chars[low:start]}{OPEN}{chars[start:end]}{CLOSE}{chars[end:high]}"
    return Marked(marked, low, start, end)


def role_examples(passage: Passage) -> Iterator[Example]:
    """An example for each leader of a passage whose printed titles can be placed, none of them being one too."""
    example = to_example(passage)
    place = {at: number for number, at in enumerate(encode(passage["text"]).origin)}
    leaders = [(target.start, target.end) for target in example.targets if target.tag == LEADER]
    for entity in passage["entities"]:
        if entity["field"] != LEADER:
            continue
        start, end = place[entity["start"]], place[entity["end"] - 1] + 1
        titles = place_titles(example.chars, entity["role"], (start, end), leaders)
        if titles is not None:
            yield _marked(example, mark(example.chars, start, end), titles)


def place_titles(
    chars: str, role: str | None, name: tuple[int, int], leaders: Sequence[tuple[int, int]]
) -> list[tuple[int, int]] | None:
    """Where the titles of ``role`` stand, in order of print, the nearest to the name; None where one is not found."""
    titles = [encode(title).chars for title in role.split("、")] if role else []
    places = [list(_occurrences(chars, title, name, leaders)) for title in titles]
    choices = itertools.islice(itertools.product(*places), _MANY)
    ordered = [choice for choice in choices if all(a[1] <= b[0] for a, b in itertools.pairwise(choice))]
    if not ordered:
        return None
    return list(min(ordered, key=lambda choice: sum(_distance(title, name, leaders) for title in choice)))


def whole_titles(chars: str, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """``spans`` as whole titles: touching ones joined, each up to the end of a word for an office, if it has one.

    The network says whose a title is and about where; where one ends is known from a list.
    """
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        start = max(start, *(chars.rfind(mark, start, end) + 1 for mark in "(:,、"))
        if joined and joined[-1][1] == start:
            start = joined.pop()[0]
        joined.append((start, end))
    ends = load_titles().ends
    found = []
    for start, end in joined:
        longer = (at for at in range(end + _CUT, end - 1, -1) if at <= len(chars) and chars.endswith(ends, start, at))
        stop = next((at for at in longer if not _PARTED.search(chars, end, at)), None)
        if stop is not None:
            found.append((start, stop))
    return found


def _occurrences(
    chars: str, title: str, name: tuple[int, int], leaders: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    at = chars.find(title, max(0, name[0] - REACH))
    while at >= 0 and at + len(title) <= name[1] + REACH:
        end = at + len(title)
        inside = any(low < end and at < high for low, high in leaders)
        if not inside and not chars.endswith(_NOT_BEHIND, 0, at):
            yield at, end
        at = chars.find(title, at + 1)


def _distance(title: tuple[int, int], name: tuple[int, int], leaders: Sequence[tuple[int, int]]) -> int:
    low, high = min(title[1], name[1]), max(title[0], name[0])
    between = sum(low <= start and end <= high for start, end in leaders if (start, end) != name)
    return max(0, high - low) + _ANOTHER * between


def _marked(example: Example, marked: Marked, titles: Sequence[tuple[int, int]]) -> Example:
    """The surroundings of one leader with all that they hold, and that leader's titles."""
    found = [(target.start, target.end, target.tag, target.fields) for target in example.targets]
    found += [(start, end, TITLE, ()) for start, end in titles]
    low, high = marked.place(0), marked.place(len(marked.chars) - 1)
    targets = [
        Target(marked.marked(start), marked.marked(end - 1) + 1, tag, fields)
        for start, end, tag, fields in sorted(found)
        if low <= start and end - 1 <= high
    ]
    return Example(marked.chars, tuple(targets))
