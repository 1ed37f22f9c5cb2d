"""The closed word lists of the prose, as data: ``data/relations.toml`` and ``data/channels.toml``.

Loading checks both: an unknown schema, an empty or repeated word or a field that is declared twice raises
:class:`PhraseError`.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extractors.forms import data_directory

RELATIONS_SCHEMA = "gongkai.relations/1"
CHANNELS_SCHEMA = "gongkai.channels/1"


class PhraseError(ValueError):
    """A word list that contradicts itself."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A field that can be broken down.

    ``parts`` are the fields of its parts where the wording opens a breakdown, ``free`` those that are parts without
    it; ``names`` are the words by which a later phrase (申请中, 办结件中) takes it up again.
    """

    field: str
    parts: frozenset[str]
    free: frozenset[str]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Aspect:
    """What parts are distinguished by: applicant, means, outcome.

    A figure with one of ``words`` in a field of ``free`` is a part without an opening word, where one of ``of`` (if
    there are any) stands before the whole.
    """

    name: str
    words: tuple[str, ...]
    free: frozenset[str]
    of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrases:
    """``data/relations.toml``: wholes by field, aspects in the order in which they are asked, word lists by name,
    and the simplified character of each traditional one (``script``)."""

    wholes: Mapping[str, Whole]
    aspects: tuple[Aspect, ...]
    cues: Mapping[str, tuple[str, ...]]
    label: Mapping[str, tuple[str, ...]]
    nil: Mapping[str, tuple[str, ...]]
    scope: Mapping[str, tuple[str, ...]]
    script: Mapping[str, str]


@functools.cache
def load_phrases(path: Path | None = None) -> Phrases:
    """The word lists of relations (default: the shipped ones).

    Raises:
        PhraseError: the file is no list of relations, or contradicts itself.
    """
    data = _read(path or data_directory() / "relations.toml", RELATIONS_SCHEMA)
    try:
        wholes = [_whole(entry) for entry in data["whole"]]
        label = dict(data["label"])
        phrases = Phrases(
            wholes={whole.field: whole for whole in wholes},
            aspects=tuple(
                _aspect(entry) for entry in data["aspect"]
            ),
            cues=_lists(data["cues"]),
            nil=_lists(label.pop("nil")),
            label=_lists(label),
            scope=_lists(data["scope"]),
            script=dict(zip(data["fold"]["traditional"], data["fold"]["simplified"], strict=True)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PhraseError(f"relations: {error}") from error
    _unique("field", (whole.field for whole in wholes))
    _unique("aspect", (aspect.name for aspect in phrases.aspects))
    return phrases


@functools.cache
def load_kinds(path: Path | None = None) -> Mapping[str, str]:
    """The kind of each type word of a channel (default: the shipped ones).

    Raises:
        PhraseError: the file is no list of kinds, or gives a word two kinds.
    """
    data = _read(path or data_directory() / "channels.toml", CHANNELS_SCHEMA)
    pairs = [(word, kind) for kind, words in data["kind"].items() for word in _words(words)]
    _unique("type word", (word for word, _ in pairs))
    return dict(pairs)


def _read(path: Path, schema: str) -> dict[str, Any]:
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    if data.get("schema") != schema:
        raise PhraseError(f"{path.name}: schema is {data.get('schema')!r}, not {schema!r}")
    return data


def _whole(entry: dict[str, Any]) -> Whole:
    free = frozenset(entry.get("free", ()))
    parts = frozenset(_words(entry["parts"]))
    if not free <= parts:
        raise PhraseError(f"{entry['field']}: {sorted(free - parts)} are free but no parts")
    return Whole(entry["field"], parts, free, _words(entry.get("names", ())))


def _aspect(entry: dict[str, Any]) -> Aspect:
    return Aspect(entry["name"], _words(entry["words"]), frozenset(entry.get("free", ())), _words(entry.get("of", ())))


def _lists(entry: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {name: _words(words) for name, words in entry.items()}


def _words(words: Iterable[str]) -> tuple[str, ...]:
    """The words, longest first: what is looked for in that order finds the longest."""
    listed = tuple(words)
    _unique("word", listed)
    if not all(listed):
        raise PhraseError("a word is empty")
    return tuple(sorted(listed, key=len, reverse=True))


def _unique(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise PhraseError(f"the {what} {name} stands twice")
        seen.add(name)
