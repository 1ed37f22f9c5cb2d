"""A checked report as one line of JSON."""

from __future__ import annotations

import json
from typing import Any

from extractors.causes import Contradiction
from extractors.explain import Text
from extractors.report import Finding, Number, plain_number, to_dict
from flows.checked import Checked

SCHEMA = "gongkai.check/1"


def check_json(checked: Checked) -> str:
    """One line of JSON."""
    report = to_dict(checked.report)
    counts = checked.counts
    plain: dict[str, Any] = {
        "schema": SCHEMA,
        "source": report["source"],
        "report": report["report"],
        "verdict": checked.verdict,
        "counts": {name: counts[name] for name in ("errors", "warnings", "consistent", "unverifiable")},
        "contradictions": [_contradiction_json(one, checked, report) for one in checked.contradictions],
        "unchecked": [
            {
                "rule": gap.rule,
                "reason": gap.reason,
                **_languages(checked.explainer.unchecked(gap)),
                "cells": list(gap.cells),
                "findings": [finding.id for finding in gap.findings],
            }
            for gap in checked.unchecked
        ],
        "problems": report["problems"],
    }
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _contradiction_json(one: Contradiction, checked: Checked, report: dict[str, Any]) -> dict[str, Any]:
    explainer = checked.explainer
    ids = {finding.id for finding in one.findings}
    names = {*one.claims, *one.beside}
    keys = {key for finding in one.findings for key in finding.cells}
    return {
        "number": one.number,
        "severity": one.severity,
        "verdict": one.verdict,
        **_languages(explainer.verdict(one)),
        "options": [
            {
                **_languages(explainer.option(option)),
                "changes": [
                    {
                        "kind": change.kind,
                        "name": change.name,
                        "reported": _number(change.reported),
                        "suggested": _number(change.suggested),
                        "slip": change.slip,
                    }
                    for change in option.changes
                ],
                "breaks": option.breaks,
                "stated": list(option.stated),
            }
            for option in one.options
        ],
        "findings": [
            {**finding, **_languages(explainer.finding(_of(one, finding["id"])))}
            for finding in report["findings"]
            if finding["id"] in ids
        ],
        "cells": [cell for cell in report["cells"] if cell["key"] in keys],
        "claims": [claim for claim in report["claims"] if claim["id"] in names],
    }


def _of(one: Contradiction, name: str) -> Finding:
    return next(finding for finding in one.findings if finding.id == name)


def _languages(text: Text) -> dict[str, str]:
    return {"zh": text.chinese, "en": text.english}


def _number(value: Number | None) -> int | float | None:
    return None if value is None else plain_number(value)
