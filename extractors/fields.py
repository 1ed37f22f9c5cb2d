"""The fields of entities and claims, from ``data/fields.toml``."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass

from extractors.forms import data_directory

SCHEMA = "gongkai.fields/1"
# A claim that is right in fewer than this share of cases, by its calibrated confidence, is marked.
DOUBTFUL = 0.6
# Publishers contradict their tables more rarely than figures are taken for others, so a contradiction needs a claim
# that is surer than one that agrees (benchmarks/contradictions.py: a third of the false findings, some of the true).
SURE = 0.85


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its name in the record, its Chinese term, and what counts as it."""

    name: str
    term: str
    about: str


@functools.cache
def claim_fields() -> tuple[Field, ...]:
    """The fields of claims, in the order of the model's labels."""
    return _load("claim")


@functools.cache
def entity_fields() -> tuple[Field, ...]:
    """The fields of entities."""
    return _load("entity")


def _load(kind: str) -> tuple[Field, ...]:
    """Fields of one kind.

    Raises:
        ValueError: the file is of another schema, or names a field twice.
    """
    data = tomllib.loads((data_directory() / "fields.toml").read_text(encoding="utf-8"))
    if data.get("schema") != SCHEMA:
        raise ValueError(f"fields.toml: schema is {data.get('schema')!r}, not {SCHEMA!r}")
    fields = tuple(Field(**entry) for entry in data[kind])
    if len({field.name for field in fields}) != len(fields):
        raise ValueError(f"fields.toml: a {kind} field stands twice")
    return fields
