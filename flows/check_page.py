"""A checked report as one page of HTML in Chinese and English: no script, nothing fetched, everything escaped."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from extractors.causes import Contradiction
from extractors.errors import ExtractionError
from extractors.explain import MAX_OPTIONS, Explainer, Text
from extractors.extract import EXTRACTOR_VERSION
from extractors.forms import load_forms
from extractors.report import Finding, to_dict
from extractors.rules import load_problem_codes, load_rules
from flows.checked import SEVERITIES, STATUSES, VERDICTS, Checked, block_states, by_code, clean, sentences, where
from flows.draw import draw_pages
from flows.layout import Grid, lay_out, report_tables

# As many as the style has; causes beyond take them again, and their numbers tell them apart.
_COLOURS = 6
# Pixels across a page: digits can be told, and a page takes some 300 kB.
_PICTURE_WIDTH = 1100
_PICTURES = 20
_MARKS = {"blank": "/", "illegible": "?", "absent": "缺"}
_RESULTS = {
    "consistent": ("✓", Text("相符", "agrees")),
    "inconsistent": ("✗", Text("不符", "contradicts")),
    "unverifiable": ("?", Text("未核对", "not checked")),
}


def render_page(checked: Checked) -> str:
    """The page."""
    css = _style()
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    report, explainer = checked.report, checked.explainer
    named = _causes_of_cells(checked.contradictions)
    used = dict.fromkeys(finding.rule for finding in report.findings)
    page: str = _template().render(
        css=css,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'",
        version=EXTRACTOR_VERSION,
        path=report.source.path,
        about=report.report,
        source=report.source,
        verdict_name=checked.verdict,
        verdict=VERDICTS[checked.verdict],
        counts={name: checked.counts[name] for name in ("errors", "warnings", "consistent", "unverifiable")},
        causes=[_cause(one, explainer) for one in checked.contradictions],
        tables=list(_tables(checked, named)),
        absent=[title for title, states in block_states(checked) if not states],
        statuses=list(STATUSES.values()),
        states=[(title, [states[name] for name in STATUSES]) for title, states in block_states(checked) if states],
        claims=list(_claims(checked)),
        unchecked=[
            {"rule": load_rules()[gap.rule], "count": len(gap.findings), "why": explainer.unchecked(gap)}
            for gap in checked.unchecked
        ],
        problems=list(_problems(checked)),
        pictures=_pictures(checked),
        rules=[rule for rule in load_rules().values() if rule.id in used],
    )
    return page


@functools.cache
def _style() -> str:
    return Path(__file__).with_name("check_page.css").read_text(encoding="utf-8")


@functools.cache
def _template() -> Any:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: clean(value) if type(value) is str else value,
    )
    return environment.get_template("check_page.html.jinja")


def _cause(one: Contradiction, explainer: Explainer) -> dict[str, Any]:
    places = dict.fromkeys(explainer.place(place) for place in where(one, explainer))
    return {
        "number": one.number,
        "colour": _colour(one.number),
        "severity": SEVERITIES[one.severity],
        "rules": [load_rules()[rule] for rule in dict.fromkeys(finding.rule for finding in one.findings)],
        "places": [place.text for place in places if place.text.en],
        "verdict": explainer.verdict(one),
        "options": [explainer.option(option) for option in one.options[:MAX_OPTIONS]],
        "more": max(0, len(one.options) - MAX_OPTIONS),
        "findings": [explainer.finding(finding) for finding in one.findings],
        "sentences": [
            *sentences(one.claims, explainer),
            *sentences(one.beside, explainer, beside=True),
        ],
    }


def _colour(number: int) -> int:
    return (number - 1) % _COLOURS


# Tables


def _causes_of_cells(contradictions: Sequence[Contradiction]) -> dict[str, list[Contradiction]]:
    named: dict[str, list[Contradiction]] = {}
    for one in contradictions:
        for key in dict.fromkeys([*(key for finding in one.findings for key in finding.cells), *sorted(one.suspects)]):
            named.setdefault(key, []).append(one)
    return named


def _tables(checked: Checked, named: Mapping[str, Sequence[Contradiction]]) -> Iterator[dict[str, Any]]:
    for _, _, table in report_tables(checked.report.report.blocks, load_forms()):
        grid: Grid = lay_out(table)
        lines = [
            {
                "label": line.label,
                "depth": min(line.depth, 3),
                "cells": [_cell(key, checked.explainer, named.get(key, ())) for key in line.keys],
            }
            for line in grid.lines
        ]
        yield {"title": grid.title, "heads": _head_rows(grid), "width": len(grid.heads) + 1, "lines": lines}


def _head_rows(grid: Grid) -> list[list[tuple[str, int, int]]]:
    """The rows of the header: labels with how many columns and rows they span."""
    if not any(grid.above):
        return [[(label, 1, 1) for label in ("", *grid.heads)]]
    top: list[tuple[str, int, int]] = [("", 1, 2)]
    for above, run in groupby(zip(grid.above, grid.heads, strict=True), key=lambda pair: pair[0]):
        labels = [label for _, label in run]
        top += [(above, len(labels), 1)] if above else [(label, 1, 2) for label in labels]
    return [top, [(label, 1, 1) for above, label in zip(grid.above, grid.heads, strict=True) if above]]


def _cell(key: str, explainer: Explainer, causes: Sequence[Contradiction]) -> dict[str, Any]:
    """What a cell prints, the causes that it is in, and what it should be where that is certain."""
    cell = explainer.cells.get(key)
    status = cell.status if cell else "absent"
    # As printed: 增2, 251000元.
    text = (cell.raw or str(cell.value)) if cell and status == "reported" else _MARKS[status]
    classes: list[str] = [status]
    sure: list[str] = []
    if causes:
        suspected = [one for one in causes if key in one.suspects]
        classes += ["suspect" if suspected else "sum", f"k{_colour((suspected or causes)[0].number)}"]
        sure = [
            str(change.suggested)
            for one in suspected
            if one.verdict == "unique"
            for change in one.options[0].changes
            if change.name == key
        ]
    return {"text": text, "classes": " ".join(classes), "numbers": [one.number for one in causes], "to": "".join(sure)}


# Pictures of scanned pages


def _pictures(checked: Checked) -> dict[str, Any]:
    """What was read, drawn over the pages of a scan; ``failure`` where it cannot be drawn."""
    source = checked.report.source
    if not source.scanned or source.pages is None:
        return {"pages": [], "more": 0, "failure": ""}
    record = to_dict(checked.report)
    # One mark a cause, under the number that it has on this page.
    record["findings"] = [
        {
            "status": "inconsistent",
            "severity": one.severity,
            "id": ", ".join(dict.fromkeys(finding.rule for finding in one.findings)),
            "cells": list(dict.fromkeys(key for finding in one.findings for key in finding.cells)),
            "expected": None,
        }
        for one in checked.contradictions
    ]
    try:
        pages = [base64.b64encode(page).decode() for page in draw_pages(record, _PICTURE_WIDTH, _PICTURES)]
    except ExtractionError as error:
        return {"pages": [], "more": 0, "failure": error.reason}
    return {"pages": pages, "more": max(0, source.pages - len(pages)), "failure": ""}


# Claims and problems


def _claims(checked: Checked) -> Iterator[dict[str, Any]]:
    """Every check of the prose, in the order of the findings."""
    explainer = checked.explainer
    causes = {finding.id: one.number for one in checked.contradictions for finding in one.findings}
    whys = ((explainer.unchecked(gap), gap) for gap in checked.unchecked)
    gaps = {finding.id: why for why, gap in whys for finding in gap.findings}
    for finding in checked.report.findings:
        if not finding.claims:
            continue
        mark, status = _RESULTS[finding.status]
        yield {
            "mark": mark,
            "status": status,
            "cause": causes.get(finding.id),
            "sentences": list(sentences(finding.claims, explainer)),
            "rule": load_rules()[finding.rule],
            "cells": _cell_values(finding, explainer),
            "account": explainer.finding(finding) if finding.id in causes else gaps.get(finding.id),
            "message": "" if finding.id in causes else finding.message,
        }


def _cell_values(finding: Finding, explainer: Explainer) -> list[str]:
    shown = [f"{explainer.name(key)} {explainer.printed(key)}" for key in finding.cells[:MAX_OPTIONS]]
    return shown + ([f"… ({len(finding.cells)})"] if len(finding.cells) > MAX_OPTIONS else [])


def _problems(checked: Checked) -> Iterator[dict[str, Any]]:
    for code, problems in by_code(checked.report.problems).items():
        known = load_problem_codes().get(code)
        yield {
            "code": code,
            "zh": known.zh if known else code,
            "en": known.en if known else "",
            "messages": [(problem.message, checked.explainer.place(problem.evidence).text) for problem in problems],
        }
