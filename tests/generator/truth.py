"""What is true of a written report, as JSON: metadata, every cell, and the identities that it breaks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.generator.content import SampleReport
from tests.generator.identities import Violation, undecided, violations
from tests.generator.numbers import Figure, Printed, Status


@dataclass(frozen=True, slots=True)
class Written:
    """A report in a file: the report as that file shows it, and what the file format added or hid.

    ``titles``: accepted spellings of the title, empty where none is printed; ``dates``: accepted ISO dates of
    publication, empty where none is printed; ``layout``: names of what the writer did (one is ``format:...``).
    """

    path: Path
    report: SampleReport
    titles: tuple[str, ...]
    dates: tuple[str, ...]
    layout: tuple[str, ...]


def written(
    path: Path, report: SampleReport, layout: Iterable[str], page_day: date | None = None, titles: tuple[str, ...] = ()
) -> Written:
    """The truth of a file that shows the whole report; ``page_day``: the day of publication that the page prints."""
    days = (*((page_day,) if page_day else ()), *((report.published,) if report.signed else ()))
    dates = tuple(dict.fromkeys(day.isoformat() for day in days))
    joined = "".join(report.title)
    accepted = tuple(dict.fromkeys((joined, *report.title[-1:], *titles))) if joined else titles
    return Written(path, report, accepted, dates, tuple(sorted(set(layout))))


def with_status(report: SampleReport, keys: Iterable[str], status: Status) -> SampleReport:
    """The report with some cells ``lost`` or ``image``."""
    cells = dict(report.cells)
    for key in keys:
        cells[key] = replace(cells[key], status=status)
    return replace(report, cells=cells)


def without_cells(report: SampleReport, prefixes: tuple[str, ...]) -> SampleReport:
    """The report whose tables with these key prefixes are not there at all."""
    cells = {key: printed for key, printed in report.cells.items() if not key.startswith(prefixes)}
    return replace(report, cells=cells)


def to_json(done: Written) -> dict[str, Any]:
    """The truth record of one file; ``data/gold/README.md`` says what each key means."""
    report = done.report
    blocks = _blocks(report)
    return {
        "file": done.path.name,
        "sha256": hashlib.sha256(done.path.read_bytes()).hexdigest(),
        "report": {
            "title": done.titles[0] if done.titles else None,
            "titles": list(done.titles),
            "authority": report.body.name,
            "authorities": list(report.body.spellings()),
            "year": report.year,
            "coverage": report.coverage,
            "published": done.dates[0] if done.dates else None,
            "published_any": list(done.dates),
        },
        "form": _form(report, blocks),
        "blocks": blocks,
        "cells": {key: _cell(printed) for key, printed in report.cells.items()},
        "inconsistent": [_violation(broken) for broken in violations(report.cells)],
        "undecided": [_violation(broken) for broken in undecided(report.cells)],
        "traits": sorted({*report.traits, *done.layout}),
    }


def _blocks(report: SampleReport) -> dict[str, str | None]:
    readable = [key for key, printed in report.cells.items() if printed.status != "image"]
    if report.form == "2014":
        return dict.fromkeys(report.blocks, "2014" if readable else None)
    return {
        block: form if any(key.startswith(f"{block}.") for key in readable) else None
        for block, form in report.blocks.items()
    }


def _form(report: SampleReport, blocks: dict[str, str | None]) -> str:
    return blocks["disclosure"] or blocks["applications"] or "narrative"


def _cell(printed: Printed) -> dict[str, Any]:
    cell: dict[str, Any] = {"value": _number(printed.value), "status": printed.status, "raw": printed.raw}
    if printed.status in ("lost", "image"):
        cell["printed"] = "blank" if printed.blank else "reported"
    return cell


def _number(value: Figure | None) -> int | float | None:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _violation(broken: Violation) -> dict[str, Any]:
    return {"rule": broken.rule, "cells": list(broken.cells), "severity": broken.severity}
