"""The closed word lists of the prose, as data: ``data/relations.toml``, ``channels.toml``, ``titles.toml``.

Loading checks them: an unknown schema, an empty or repeated word or a field that is declared twice raises
:class:`PhraseError`.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from extractors.forms import data_directory

RELATIONS_SCHEMA = "gongkai.relations/1"
CHANNELS_SCHEMA = "gongkai.channels/1"
TITLES_SCHEMA = "gongkai.titles/1"


class PhraseError(ValueError):
    """A word list that contradicts itself."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A field that can be broken down.

    ``parts`` are the fields of its parts where the wording opens a breakdown, ``free`` those that are parts without
    it, ``sums`` those whose exact sum is enough; ``names`` are the words by which a later phrase (申请中, 办结件中)
    takes it up again.
    """

    field: str
    parts: frozenset[str]
    free: frozenset[str]
    sums: frozenset[str]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Aspect:
    """What parts are distinguished by: applicant, means, outcome.

    A figure with one of ``words`` in a field of ``free`` is a part without an opening word, where one of ``of`` (if
    there are any) stands before the whole; where it is ``strict``, not even an exact sum makes it a part of others.
    """

    name: str
    words: tuple[str, ...]
    free: frozenset[str]
    of: tuple[str, ...]
    strict: bool


@dataclass(frozen=True, slots=True)
class Phrases:
    """``data/relations.toml``: wholes by field, aspects in the order in which they are asked, word lists by name."""

    wholes: Mapping[str, Whole]
    aspects: tuple[Aspect, ...]
    cues: Mapping[str, tuple[str, ...]]
    label: Mapping[str, tuple[str, ...]]
    nil: Mapping[str, tuple[str, ...]]
    scope: Mapping[str, tuple[str, ...]]


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
            aspects=tuple(_aspect(entry) for entry in data["aspect"]),
            cues=_lists(data["cues"]),
            nil=_lists(label.pop("nil")),
            label=_lists(label),
            scope=_lists(data["scope"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PhraseError(f"relations: {error}") from error
    _unique("field", (whole.field for whole in wholes))
    _unique("aspect", (aspect.name for aspect in phrases.aspects))
    return phrases


@dataclass(frozen=True, slots=True)
class Kinds:
    """``data/channels.toml``: the kind of each type word, of each word for a section, and the kinds that have any."""

    words: Mapping[str, str]
    sections: Mapping[str, str]
    carriers: frozenset[str]


@functools.cache
def load_kinds(path: Path | None = None) -> Kinds:
    """The type words of channels (default: the shipped ones).

    Raises:
        PhraseError: the file is no list of kinds, or gives a word two kinds.
    """
    data = _read(path or data_directory() / "channels.toml", CHANNELS_SCHEMA)
    words = [(word, kind) for kind, listed in data["kind"].items() for word in _words(listed)]
    sections = [(word, kind) for kind, listed in data["section"].items() for word in _words(listed)]
    _unique("type word", (word for word, _ in words))
    _unique("section", (word for word, _ in sections))
    unknown = {*data["carriers"], *data["section"]} - set(data["kind"])
    if unknown:
        raise PhraseError(f"no type word is given for {sorted(unknown)}")
    return Kinds(dict(words), dict(sections), frozenset(data["carriers"]))


@dataclass(frozen=True, slots=True)
class Titles:
    """``data/titles.toml``: what titles end in and begin behind, and the words between a name and its title."""

    ends: tuple[str, ...]
    starts: tuple[str, ...]
    longer: tuple[str, ...]
    holds: tuple[str, ...]
    jointly: tuple[str, ...]
    groups: tuple[str, ...]
    never: tuple[str, ...]


@functools.cache
def load_titles(path: Path | None = None) -> Titles:
    """The words of titles (default: the shipped ones).

    Raises:
        PhraseError: the file is no list of titles, or contradicts itself.
    """
    data = _read(path or data_directory() / "titles.toml", TITLES_SCHEMA)
    return Titles(**{field.name: _words(data[field.name]) for field in fields(Titles)})


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
    sums = frozenset(entry.get("sums", ())) | free | {entry["field"]}
    return Whole(entry["field"], parts, free, sums, _words(entry.get("names", ())))


def _aspect(entry: dict[str, Any]) -> Aspect:
    return Aspect(
        entry["name"],
        _words(entry["words"]),
        frozenset(entry.get("free", ())),
        _words(entry.get("of", ())),
        entry.get("strict", False),
    )


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
