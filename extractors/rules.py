"""The rules of findings and the codes of problems in Chinese and English, from ``data/rules.toml``."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass, fields

from extractors.forms import data_directory

SCHEMA = "gongkai.rules/1"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its id in the record, its name, what must hold, and where that comes from."""

    id: str
    zh: str
    en: str
    checks_zh: str
    checks_en: str
    source_zh: str
    source_en: str


@dataclass(frozen=True, slots=True)
class ProblemCode:
    """A code of problems and what it says."""

    id: str
    zh: str
    en: str


@functools.cache
def load_rules() -> dict[str, Rule]:
    """Every rule by its id, in the order of the record's description.

    Raises:
        ValueError: the file is of another schema, lacks a text, or names a rule twice.
    """
    return {entry["id"]: Rule(**entry) for entry in _entries("rule", Rule)}


@functools.cache
def load_problem_codes() -> dict[str, ProblemCode]:
    """Every code of problems by its id.

    Raises:
        ValueError: as :func:`load_rules`.
    """
    return {entry["id"]: ProblemCode(**entry) for entry in _entries("problem", ProblemCode)}


def _entries(name: str, kind: type[Rule] | type[ProblemCode]) -> list[dict[str, str]]:
    data = tomllib.loads((data_directory() / "rules.toml").read_text(encoding="utf-8"))
    if data.get("schema") != SCHEMA:
        raise ValueError(f"rules.toml: schema is {data.get('schema')!r}, not {SCHEMA!r}")
    entries: list[dict[str, str]] = data[name]
    wanted = {field.name for field in fields(kind)}
    for entry in entries:
        if entry.keys() != wanted or not all(isinstance(text, str) and text for text in entry.values()):
            raise ValueError(f"rules.toml: {entry.get('id')}: needs the texts {', '.join(sorted(wanted))} alone")
    if len({entry["id"] for entry in entries}) != len(entries):
        raise ValueError(f"rules.toml: a {name} stands twice")
    return entries
