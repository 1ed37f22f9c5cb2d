"""The output record: its types, and the one function that writes it as JSON.

``docs/record.md`` is the promise that these types keep. Numbers are ``int`` or ``Decimal`` here and JSON
numbers in the record; boxes are PDF points from the top left of the page; offsets count code points of the
document's normalised text.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

SCHEMA = "gongkai.report/1"

Number = int | Decimal
Box = tuple[float, float, float, float]
CellStatus = Literal["reported", "blank", "illegible", "absent"]
FindingStatus = Literal["consistent", "inconsistent", "unverifiable"]
Severity = Literal["error", "warning"]
Origin = Literal["report", "reading", "unknown"]
Bound = Literal["exact", "about", "at_least"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a value was read: page (1-based) and box in points, or code-point offsets, or both."""

    page: int | None = None
    box: Box | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a statutory table. ``value`` is None unless ``status`` is ``reported``."""

    key: str
    value: Number | None
    raw: str | None
    unit: str
    status: CellStatus
    confidence: float
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Entity:
    """A leader (领导) or a channel of disclosure (公开渠道) named in the prose."""

    field: str
    text: str
    role: str | None
    kind: str | None
    confidence: float
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure that the prose states."""

    id: str
    field: str
    value: Number
    unit: str | None
    bound: Bound
    text: str
    sentence: str
    label: str | None
    scope: str | None
    part_of: str | None
    partition: str | None
    confidence: float
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One cell of the smallest change that makes every identity hold."""

    key: str
    reported: Number | None
    suggested: Number


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule instance. ``severity`` and ``origin`` are None unless ``status`` is ``inconsistent``."""

    id: str
    rule: str
    status: FindingStatus
    severity: Severity | None
    origin: Origin | None
    message: str
    expected: Number | None
    reported: Number | None
    difference: Number | None
    cells: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    suggestion: tuple[Suggestion, ...] | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be read, and where. ``code`` is stable; ``message`` is for people."""

    code: str
    message: str
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """The file that was read. ``pages`` is None where the format has none."""

    path: str
    sha256: str
    media_type: str
    pages: int | None
    scanned: bool = False


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the report says of itself. ``year`` is the year reported on, not of publication."""

    title: str | None
    authority: str | None
    year: int | None
    form: str
    blocks: dict[str, str | None]
    coverage: Literal["organ", "consolidated"] | None
    published: str | None
    region: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """The whole record of one report."""

    source: Source
    report: Metadata
    cells: tuple[Cell, ...] = ()
    entities: tuple[Entity, ...] = ()
    claims: tuple[Claim, ...] = ()
    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    schema: str = field(default=SCHEMA)


def to_dict(report: Report) -> dict[str, Any]:
    """The record as plain JSON types, keys in the contract's order."""
    return {
        "schema": report.schema,
        "source": _plain(report.source),
        "report": _plain(report.report),
        "cells": [_plain(cell) for cell in report.cells],
        "entities": [_plain(entity) for entity in report.entities],
        "claims": [_plain(claim) for claim in report.claims],
        "findings": [_plain(finding) for finding in report.findings],
        "problems": [_plain(problem) for problem in report.problems],
    }


def finding_to_dict(finding: Finding) -> dict[str, Any]:
    """One finding as it stands in the record."""
    plain: dict[str, Any] = _plain(finding)
    return plain


def to_json(report: Report) -> str:
    """One line of JSON, Chinese unescaped."""
    return json.dumps(to_dict(report), ensure_ascii=False, separators=(",", ":"))


def plain_number(value: Number) -> int | float:
    """A JSON number: whole values as integers, others as the shortest float that prints the same."""
    if isinstance(value, int):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain_number(value)
    if isinstance(value, Evidence):
        return _plain_evidence(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    slots = getattr(value, "__slots__", None)
    if slots is None:
        return value
    return {name: _plain(getattr(value, name)) for name in slots}


def _plain_evidence(evidence: Evidence) -> dict[str, Any]:
    """Only the coordinates that exist: ``{"page","box"}``, ``{"start","end"}`` or both."""
    plain: dict[str, Any] = {}
    if evidence.page is not None:
        plain["page"] = evidence.page
    if evidence.box is not None:
        plain["box"] = [round(edge, 2) for edge in evidence.box]
    if evidence.start is not None:
        plain["start"], plain["end"] = evidence.start, evidence.end
    return plain
