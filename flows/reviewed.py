"""A record with the decisions on it beside it: what was decided of each part, and which sums hold with that.

The record is never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from extractors.cells import Tables
from extractors.forms import load_forms
from extractors.numbers import parse_printed, to_wan, whole
from extractors.reconcile import check_tables
from extractors.report import Cell, plain_number
from flows.decisions import Decision, DecisionError, State, look_up, readings, span_target, state_of

Record = Mapping[str, Any]
Standing = Mapping[tuple[str, str], Decision]


# Of a part of a record that nobody has decided on.
NO_REVIEW: Mapping[str, Any] = MappingProxyType(
    dict.fromkeys((
        "review", "reviewed_value", "reviewed_text", "reviewed_field", "reviewed_status", "review_state", "reviewer",
        "reviewed",
    ))
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Review:
    """A standing decision on a part of a record, and whether the reading is still the one that was decided on."""

    decision: Decision
    state: State


def reviews(record: Record, standing: Standing) -> dict[tuple[str, str], Review]:
    """The reviews of a record by kind and target; those of what is no longer read are under their own target."""
    if not standing:
        return {}
    read = readings(record)
    found: dict[tuple[str, str], Review] = {}
    for key, decision in standing.items():
        part = look_up(decision, read)
        moved = next((other for other, there in read.items() if there is part), key) if part is not None else key
        found[moved] = Review(decision, state_of(decision, part))
    return found


def statuses(record: Record, found: Mapping[tuple[str, str], Review]) -> dict[str, str]:
    """The status of each sum of the tables with the cells that were corrected; empty where none was."""
    corrected = {
        target: review.decision.truth
        for (kind, target), review in found.items()
        if kind == "cell" and review.state == "stands" and review.decision.truth is not None
    }
    form = record["report"]["form"]
    forms = load_forms()
    if not corrected or form not in forms:
        return {}
    cells = tuple(_cell(cell, corrected.get(cell["key"])) for cell in record["cells"])
    return {
        finding.id: finding.status for finding in check_tables(Tables(form, record["report"]["blocks"], cells), forms)
    }


def review_columns(record: Record, standing: Standing) -> dict[tuple[str, str], dict[str, Any]]:
    """What exports say of each part of a record that was decided on, or whose sum was corrected, by kind and target."""
    found = reviews(record, standing)
    columns = {key: {**NO_REVIEW, **_columns(review)} for key, review in found.items()}
    for name, status in statuses(record, found).items():
        columns["finding", name] = {**columns.get(("finding", name), NO_REVIEW), "reviewed_status": status}
    return columns


def row_target(part: str, row: Mapping[str, Any]) -> tuple[str, str]:
    """What decisions call a row of one of the store's tables of parts."""
    if part == "cells":
        return "cell", row["key"]
    if part == "findings":
        return "finding", row["id"]
    return "claim" if part == "claims" else "entity", span_target(row["start"], row["end"], row["field"])


def _columns(review: Review) -> dict[str, Any]:
    decision, truth = review.decision, review.decision.truth or {}
    said = truth.get("raw") if decision.kind == "cell" else truth.get("text")
    return {
        "review": decision.verdict, "reviewed_value": truth.get("value"), "reviewed_text": said,
        "reviewed_field": truth.get("field"), "reviewed_status": truth.get("status"), "review_state": review.state,
        "reviewer": decision.reviewer, "reviewed": decision.made,
    }  # fmt: skip


def typed_cell(text: str, unit: str) -> dict[str, Any]:
    """What a reviewer typed as the print of a cell: its status, its value in the cell's unit, its text.

    Raises:
        DecisionError: it is no value of a cell.
    """
    printed = parse_printed(text)
    if printed.kind == "blank":
        return {"status": "blank", "value": None, "raw": text.strip() or None}
    if printed.value is None:
        raise DecisionError(f"{text.strip()[:40]!r} is no number; leave it empty, or type / for a blank cell")
    value = printed.value
    if unit == "万元" and printed.unit is not None:
        try:
            value = to_wan(value, printed.unit)
        except KeyError as error:
            raise DecisionError(f"{printed.unit} is no unit of money") from error
    return {"status": "reported", "value": plain_number(whole(value)), "raw": text.strip()}


def _cell(cell: Mapping[str, Any], truth: Mapping[str, Any] | None) -> Cell:
    said = truth or cell
    value = None if said["value"] is None else whole(Decimal(str(said["value"])))
    sure = 1.0 if truth else cell["confidence"]
    return Cell(cell["key"], value, said["raw"], cell["unit"], said["status"], sure, None)
