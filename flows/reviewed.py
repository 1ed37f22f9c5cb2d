"""A record with the decisions on it beside it: what was decided of each part, and which sums hold with that.

The record is never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from extractors.cells import Tables
from extractors.forms import load_forms
from extractors.numbers import parse_printed, to_wan, whole
from extractors.reconcile import check_tables
from extractors.report import Cell, plain_number
from flows.decisions import Decision, DecisionError, State, look_up, readings, state_of

Record = Mapping[str, Any]
Standing = Mapping[tuple[str, str], Decision]


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
