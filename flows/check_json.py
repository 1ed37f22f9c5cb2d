"""A checked report as one line of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from extractors.causes import Contradiction
from extractors.explain import Explainer, Text
from extractors.report import Number, plain_number, to_dict
from flows.checked import Checked

SCHEMA = "gongkai.check/1"


def check_json(checked: Checked) -> str:
    """One line of JSON."""
    report = to_dict(checked.report)
    items = {item["id"]: item for part in ("findings", "claims") for item in report[part]}
    items |= {cell["key"]: cell for cell in report["cells"]}
    counts = checked.counts
    plain: dict[str, Any] = {
        "schema": SCHEMA,
        "source": report["source"],
        "report": report["report"],
        "verdict": checked.verdict,
        "counts": {name: counts[name] for name in ("errors", "warnings", "consistent", "unverifiable")},
        "contradictions": [_contradiction(one, checked.explainer, items) for one in checked.contradictions],
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


def _contradiction(one: Contradiction, explainer: Explainer, items: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """A contradiction with the ``items`` of the record that it names: findings and claims by id, cells by key."""
    keys = dict.fromkeys(key for finding in one.findings for key in finding.cells)
    names = dict.fromkeys((*one.claims, *one.beside))
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
        "findings": [{**items[finding.id], **_languages(explainer.finding(finding))} for finding in one.findings],
        "cells": [items[key] for key in keys if key in items],
        "claims": [items[name] for name in names if name in items],
    }


def _languages(text: Text) -> dict[str, str]:
    return {"zh": text.chinese, "en": text.english}


def _number(value: Number | None) -> int | float | None:
    return None if value is None else plain_number(value)
