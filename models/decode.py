"""From the model's scores to mentions. Needs numpy only.

Where a figure stands is decided by rules (``extractors/figures.py``), what it states by the model; nils, leaders
and channels are the model's alone.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from extractors.figures import Stated, find_figures
from extractors.narrative import CHANNEL, LEADER, NIL, Mention
from models.tags import TITLE, Tags

Scores = NDArray[np.float32]

# A unit that no list has is at most so long; the model marks it as part of the figure.
MAX_UNIT = 4
_BARRED = -1e4


def decode(chars: str, tags: Tags, scores: Scores) -> list[Mention]:
    """Mentions in ``chars``, in order; ``scores`` are the main head's, (length, tags), not normalised.

    ``start`` and ``end`` of a mention count characters of ``chars``.
    """
    logs = _log_softmax(scores)
    path = viterbi(logs, tags)
    spans = list(_spans(path, tags))
    figures = [found for figure in find_figures(chars) if (found := _figure(figure, logs, tags, spans))]
    taken = np.zeros(len(chars), bool)
    for figure in figures:
        taken[figure.start : figure.end] = True
    others = [
        Mention(start, end, name, (), _confidence(logs[start:end], tags, name))
        for start, end, name in spans
        if name in (NIL, LEADER, CHANNEL) and not (name == NIL and taken[start:end].any())
    ]
    return sorted((*figures, *others), key=lambda mention: (mention.start, mention.end))


def decode_titles(tags: Tags, scores: Scores) -> list[tuple[int, int]]:
    """Where the titles of a marked leader stand, in order, in characters; ``scores`` as for :func:`decode`."""
    return [(start, end) for start, end, name in _spans(viterbi(_log_softmax(scores), tags), tags) if name == TITLE]


def _figure(figure: Stated, logs: Scores, tags: Tags, spans: Sequence[tuple[int, int, str]]) -> Mention | None:
    """The figure with the field that its characters vote for; None where they vote that it states nothing."""
    votes = _votes(logs[figure.start : figure.end], tags)
    best = int(votes.argmax())
    name = "" if best == 0 else tags.fields[best - 1]
    if name in ("", LEADER, CHANNEL, NIL, TITLE):
        return None
    end = figure.end
    if figure.unit is None:
        ends = [high for low, high, other in spans if low < figure.end < high <= end + MAX_UNIT and other == name]
        end = max(ends, default=end)
    return Mention(figure.start, end, name, (), float(np.exp(votes[best])))


def _votes(logs: Scores, tags: Tags) -> Scores:
    """Log probability of O and of each field, the mean over the characters, normalised."""
    begin = 1 + 2 * np.arange(len(tags.fields))
    fields = np.logaddexp(logs[:, begin], logs[:, begin + 1])
    votes = np.concatenate([logs[:, :1], fields], axis=1).mean(axis=0)
    return np.asarray(_log_softmax(votes[None])[0], np.float32)


def _confidence(logs: Scores, tags: Tags, name: str) -> float:
    begin = tags.begin(name)
    return float(np.exp(np.logaddexp(logs[:, begin], logs[:, begin + 1]).mean()))


def viterbi(logs: Scores, tags: Tags) -> list[int]:
    """The best tags in which no I stands without its B."""
    barred = _barred(tags)
    best = logs[0] + np.where(_insides(tags), _BARRED, 0.0)
    back: list[NDArray[np.intp]] = []
    for row in logs[1:]:
        through = best[:, None] + barred
        back.append(through.argmax(axis=0))
        best = through.max(axis=0) + row
    path = [int(best.argmax())]
    for step in reversed(back):
        path.append(int(step[path[-1]]))
    return path[::-1]


@functools.cache
def _insides(tags: Tags) -> NDArray[np.bool_]:
    numbers = np.arange(len(tags.names))
    return np.asarray((numbers > 0) & (numbers % 2 == 0))


@functools.cache
def _barred(tags: Tags) -> Scores:
    """(from, to): I of a field only behind its B or I."""
    numbers = np.arange(len(tags.names))
    same = ((numbers[:, None] + 1) // 2) == ((numbers[None] + 1) // 2)
    allowed = ~_insides(tags)[None] | (same & (numbers[:, None] > 0))
    return np.where(allowed, 0.0, _BARRED).astype(np.float32)


def _spans(path: Sequence[int], tags: Tags) -> list[tuple[int, int, str]]:
    found: list[tuple[int, int, str]] = []
    start, name = -1, ""
    for at, tag in enumerate([*path, 0]):
        if start >= 0 and (tag == 0 or tag % 2):
            found.append((start, at, name))
            start = -1
        if tag % 2:
            start, name = at, tags.fields[(tag - 1) // 2]
    return found


def _log_softmax(scores: Scores) -> Scores:
    shifted = scores - scores.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), dtype=np.float32)
