"""What a claim of the prose can mean in the tables, as data: ``data/claims.toml``.

Loading checks it against the forms and the fields: an unknown schema, field, form, word list or axis, a cell that no
form has or a word that stands twice raises :class:`ReadingError`.
"""

from __future__ import annotations

import fnmatch
import functools
import itertools
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from extractors.fields import claim_fields
from extractors.forms import data_directory, load_forms

SCHEMA = "gongkai.claims/1"

# Stands for a character that was read.
MASK = "\0"
_PLACE = re.compile(r"\{(\w+)\}")


class ReadingError(ValueError):
    """A table of readings that contradicts itself, the forms or the fields."""


class Words:
    """A list of words, longest first, as one pattern; None of them is empty."""

    __slots__ = ("_pattern", "words")

    def __init__(self, words: Iterable[str]) -> None:
        """Raises :class:`ReadingError` for an empty or repeated word."""
        listed = tuple(words)
        if len(set(listed)) != len(listed) or not all(listed):
            raise ReadingError(f"a word is empty or stands twice: {listed}")
        self.words = tuple(sorted(listed, key=len, reverse=True))
        self._pattern = re.compile("|".join(map(re.escape, self.words))) if listed else None

    def find(self, text: str) -> frozenset[str]:
        """The words that stand in ``text``, a longer one before the shorter ones in it."""
        return frozenset(self._pattern.findall(text)) if self._pattern else frozenset()

    def strip(self, text: str) -> str:
        """``text`` without them."""
        return self._pattern.sub("", text) if self._pattern else text

    def mask(self, text: str) -> str:
        """``text`` with :data:`MASK` for each of their characters."""
        return self._pattern.sub(lambda match: MASK * len(match.group()), text) if self._pattern else text


@dataclass(frozen=True, slots=True)
class Axis:
    """Words that single out rows or columns; ``keys`` gives those of each word, ``labels`` those of a whole label.

    ``default`` stands where no word does; without one, one must.
    """

    name: str
    default: tuple[str, ...]
    keys: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, tuple[str, ...]]
    words: Words

    def every(self) -> frozenset[str]:
        """All keys that can stand in a cell's name."""
        return frozenset(itertools.chain(self.default, *self.keys.values(), *self.labels.values()))


@dataclass(frozen=True, slots=True)
class Reading:
    """One meaning of a field: the sum of ``cells``, in which ``{axis}`` stands for what the label names.

    ``with_`` and ``without`` are words that must and must not stand in label or wording; ``plain``, if any, are all
    that the label may say. ``expected``: customary, so only a warning; ``at_most``: the figure counts some of them.
    ``partial``: not for a nil. ``whole``: not for a part of another figure.
    """

    name: str
    forms: frozenset[str]
    cells: tuple[str, ...]
    axes: tuple[Axis, ...]
    with_: Words | None
    without: Words
    plain: Words | None
    units: frozenset[str]
    relation: Literal["equal", "expected", "at_most"]
    partial: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class Meaning:
    """A field of claims: its readings, the likeliest first, and when it has none.

    ``known`` are the words of labels that narrow nothing; a label that says more may mean less than the cells do.
    ``names`` are the form's own words for it, which decide where it was mistaken for another field that has some.
    """

    field: str
    subject: Words | None
    within: frozenset[str]
    known: Words | None
    names: Words
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """What the words of a breakdown say about whether its parts are all of the whole."""

    rest: tuple[str, ...]
    no_rest: tuple[str, ...]
    each: Words
    selection: Words
    beside: Words
    total: Words
    together: tuple[tuple[Words, ...], ...]
    channels: Words


@dataclass(frozen=True, slots=True)
class Times:
    """Words of another time than the year of the report."""

    cumulative: Words
    this_year: Words
    earlier: Words
    compared: tuple[str, ...]
    part_of_year: Words
    carried: frozenset[str]


@dataclass(frozen=True, slots=True)
class Readings:
    """``data/claims.toml``: meanings by field, the words of breakdowns and of times."""

    meanings: Mapping[str, Meaning]
    breakdown: Breakdown
    times: Times

    def named(self, field: str, label: str) -> str:
        """``field``, or the one other field that the words of the label name, where both are fields with such names."""
        if field not in self.meanings or not self.meanings[field].names.words:
            return field
        found = {other.field for other in self.meanings.values() if other.names.find(label)}
        return found.pop() if len(found) == 1 else field


@functools.cache
def load_readings(path: Path | None = None) -> Readings:
    """What claims can mean (default: the shipped table).

    Raises:
        ReadingError: the file is no such table, or contradicts itself, the forms or the fields.
    """
    data = tomllib.loads((path or data_directory() / "claims.toml").read_text(encoding="utf-8"))
    if data.get("schema") != SCHEMA:
        raise ReadingError(f"claims.toml: schema is {data.get('schema')!r}, not {SCHEMA!r}")
    try:
        words = {name: tuple(Words(listed).words) for name, listed in data["words"].items()}
        axes = {entry["name"]: _axis(entry) for entry in data["axis"]}
        meanings = [_meaning(entry, words, axes) for entry in data["field"]]
        readings = Readings(
            {meaning.field: meaning for meaning in meanings}, _breakdown(data["breakdown"]), _times(data["time"])
        )
    except (KeyError, TypeError) as error:
        raise ReadingError(f"claims.toml: {error!r}") from error
    if len(readings.meanings) != len(meanings):
        raise ReadingError("a field stands twice")
    _check(readings)
    return readings


@functools.lru_cache(maxsize=4096)
def expand(form: str, pattern: str) -> tuple[str, ...]:
    """The keys of a form that ``pattern`` names, in printed order."""
    return tuple(key for key in load_forms()[form].cells if fnmatch.fnmatchcase(key, pattern))


def patterns(reading: Reading, chosen: Mapping[str, Sequence[str]]) -> list[str]:
    """The patterns of a reading's cells with the ``chosen`` keys of each axis in the places of its name."""
    named: list[str] = []
    for cell in reading.cells:
        names = _PLACE.findall(cell)
        for keys in itertools.product(*(chosen[name] for name in names)):
            named.append(_PLACE.sub("{}", cell).format(*keys))
    return named


def _axis(entry: Mapping[str, Any]) -> Axis:
    keys = {word: tuple(value["keys"]) for value in entry["values"] for word in value["words"]}
    labels = {word: tuple(value["keys"]) for value in entry["values"] for word in value.get("labels", ())}
    words = Words(word for value in entry["values"] for word in value["words"])
    return Axis(entry["name"], tuple(entry.get("default", ())), keys, labels, words)


def _meaning(entry: Mapping[str, Any], words: Mapping[str, tuple[str, ...]], axes: Mapping[str, Axis]) -> Meaning:
    subject = Words(entry["subject"]) if "subject" in entry else None
    readings = tuple(_reading(reading, entry.get("without", ()), words, axes) for reading in entry["readings"])
    known = Words(dict.fromkeys(word for name in entry["known"] for word in words[name])) if "known" in entry else None
    names = Words(entry.get("names", ()))
    unknown = set(entry) - {"name", "subject", "within", "without", "known", "names", "readings"}
    if unknown:
        raise ReadingError(f"{entry['name']}: unknown {sorted(unknown)}")
    return Meaning(entry["name"], subject, frozenset(entry.get("within", ())), known, names, readings)


_KEYS = {"name", "forms", "cells", "with", "without", "plain", "units", "relation", "partial", "whole"}


def _reading(
    entry: Mapping[str, Any], without: Sequence[str], words: Mapping[str, tuple[str, ...]], axes: Mapping[str, Axis]
) -> Reading:
    if set(entry) - _KEYS:
        raise ReadingError(f"reading {entry['name']}: unknown {sorted(set(entry) - _KEYS)}")
    relation = entry.get("relation", "equal")
    if relation not in ("equal", "expected", "at_most"):
        raise ReadingError(f"reading {entry['name']}: unknown relation {relation!r}")
    names = dict.fromkeys(name for cell in entry["cells"] for name in _PLACE.findall(cell))

    def joined(lists: Sequence[str]) -> Words:
        return Words(dict.fromkeys(word for name in lists for word in words[name]))

    return Reading(
        name=entry["name"],
        forms=frozenset(entry["forms"]),
        cells=tuple(entry["cells"]),
        axes=tuple(axes[name] for name in names),
        with_=joined(entry["with"]) if "with" in entry else None,
        without=joined((*without, *entry.get("without", ()))),
        plain=joined(entry["plain"]) if "plain" in entry else None,
        units=frozenset(entry.get("units", ())),
        relation=relation,
        partial=entry.get("partial", False),
        whole=entry.get("whole", False),
    )


def _breakdown(entry: Mapping[str, Any]) -> Breakdown:
    return Breakdown(
        rest=tuple(entry["rest"]),
        no_rest=tuple(entry["no_rest"]),
        each=Words(entry["each"]),
        selection=Words(entry["selection"]),
        beside=Words(entry["beside"]),
        total=Words(entry["total"]),
        together=tuple(tuple(Words(words) for words in lists) for lists in entry["together"]),
        channels=Words(entry["channels"]),
    )


def _times(entry: Mapping[str, Any]) -> Times:
    return Times(
        cumulative=Words(entry["cumulative"]),
        this_year=Words(entry["this_year"]),
        earlier=Words(entry["earlier"]),
        compared=tuple(entry["compared"]),
        part_of_year=Words(entry["part_of_year"]),
        carried=frozenset(entry["carried"]),
    )


def _check(readings: Readings) -> None:
    """Every field is one of claims, every form is one, and every cell names cells of each of its forms."""
    fields = {field.name for field in claim_fields()}
    forms = load_forms()
    for meaning in readings.meanings.values():
        if unknown := sorted({meaning.field, *meaning.within} - fields):
            raise ReadingError(f"no fields of claims: {unknown}")
        for reading in meaning.readings:
            if not reading.forms or not reading.forms <= set(forms):
                raise ReadingError(f"{meaning.field}, {reading.name}: no forms, or unknown ones")
            chosen = {axis.name: sorted(axis.every()) for axis in reading.axes}
            for form, pattern in itertools.product(sorted(reading.forms), patterns(reading, chosen)):
                if not expand(form, pattern):
                    raise ReadingError(f"{meaning.field}, {reading.name}: form {form} has no cell {pattern}")
