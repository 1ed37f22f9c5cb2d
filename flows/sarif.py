"""Checked reports as SARIF 2.1.0, the form in which other tools take findings.

One result a contradiction, at the cells and claims that its likeliest way out changes, with all others it involves as
related locations; what could not be checked and what could not be read are notes. Text files have regions of
characters; of a PDF, a page and a box in points stand in the properties, since SARIF knows no pages. The offsets of
other formats refer to the text that ``gongkai text`` prints and stand in the properties, too.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from extractors.causes import Contradiction, Unchecked
from extractors.explain import MAX_OPTIONS, Text
from extractors.extract import EXTRACTOR_VERSION
from extractors.report import Evidence, Problem
from extractors.rules import load_problem_codes, load_rules
from flows.checked import Checked, where

VERSION = "2.1.0"
SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True)
class FileResults:
    """The results of one file, or why it has none."""

    path: Path
    media_type: str | None = None
    sha256: str | None = None
    results: tuple[Mapping[str, Any], ...] = ()
    failure: str | None = None


def file_results(path: Path, checked: Checked) -> FileResults:
    """Every contradiction, what was not checked, and every problem of one report as results."""
    source = checked.report.source
    results = (
        *(_contradiction(one, path, checked) for one in checked.contradictions),
        *(_unchecked(gap, path, checked) for gap in checked.unchecked),
        *(_problem(problem, path, checked) for problem in checked.report.problems),
    )
    return FileResults(path, source.media_type, source.sha256, results)


def sarif_log(files: Sequence[FileResults]) -> dict[str, Any]:
    """The log of one run over ``files``."""
    failures = [file for file in files if file.failure is not None]
    return {
        "$schema": SCHEMA,
        "version": VERSION,
        "runs": [
            {
                "tool": {"driver": {"name": "gongkai", "version": EXTRACTOR_VERSION, "rules": list(_rules())}},
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": not failures,
                        "toolExecutionNotifications": [
                            {
                                "level": "error",
                                "message": {"text": file.failure},
                                "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(file.path)}}}],
                            }
                            for file in failures
                        ],
                    }
                ],
                "artifacts": list({_uri(file.path): _artifact(file) for file in files}.values()),
                "results": [result for file in files for result in file.results],
            }
        ],
    }


def _rules() -> Iterator[dict[str, Any]]:
    for rule in load_rules().values():
        yield {
            "id": rule.id,
            "name": rule.en,
            "shortDescription": {"text": f"{rule.zh} / {rule.en}"},
            "fullDescription": {"text": f"{rule.checks_zh}。 / {rule.checks_en}."},
            "help": {
                "text": f"{rule.checks_zh}。出处：{rule.source_zh}。\n{rule.checks_en}. Source: {rule.source_en}."
            },
            "defaultConfiguration": {"level": "error"},
        }
    for code in load_problem_codes().values():
        text = {"text": f"{code.zh} / {code.en}"}
        yield {
            "id": code.id,
            "name": code.en,
            "shortDescription": text,
            "fullDescription": text,
            "help": text,
            "defaultConfiguration": {"level": "note"},
        }


def _artifact(file: FileResults) -> dict[str, Any]:
    artifact: dict[str, Any] = {"location": {"uri": _uri(file.path)}}
    if file.media_type is not None:
        artifact |= {"mimeType": file.media_type, "hashes": {"sha-256": file.sha256}}
    return artifact


def _uri(path: Path) -> str:
    """A relative reference, or a file URI for an absolute path; bytes that are no text are escaped."""
    escaped = quote(os.fsencode(path.as_posix()))
    return f"file://{escaped}" if path.is_absolute() else escaped


def _contradiction(one: Contradiction, path: Path, checked: Checked) -> dict[str, Any]:
    explainer = checked.explainer
    texts = [explainer.finding(finding) for finding in one.findings]
    ways = [explainer.verdict(one), *(explainer.option(option) for option in one.options[:MAX_OPTIONS])]
    places = [place for place in where(one, explainer) if place is not None]
    keys = dict.fromkeys(key for finding in one.findings for key in finding.cells)
    named = {explainer.cells[key].evidence: explainer.name(key) for key in keys if key in explainer.cells}
    named |= {
        explainer.claims[name].evidence: explainer.stated(explainer.claims[name])
        for name in one.claims
        if name in explainer.claims
    }
    others = [(place, label) for place, label in named.items() if place is not None and place not in places[:1]]
    names = sorted(finding.id for finding in one.findings)
    return {
        "ruleId": one.findings[0].rule,
        "level": one.severity,
        "message": {"text": _message([*texts, *ways])},
        "locations": [_location(place, path, checked) for place in (places[:1] or (None,))],
        "relatedLocations": [
            {**_location(place, path, checked), "id": number, "message": {"text": label}}
            for number, (place, label) in enumerate(others, start=1)
        ],
        "partialFingerprints": {"gongkai/findings/v1": hashlib.sha256("\n".join(names).encode()).hexdigest()},
        "properties": {
            "findings": names,
            "cells": list(keys),
            "verdict": one.verdict,
            "corrections": [
                [
                    {"kind": change.kind, "name": change.name, "suggested": str(change.suggested)}
                    for change in option.changes
                ]
                for option in one.options[:MAX_OPTIONS]
            ],
        },
    }


def _unchecked(gap: Unchecked, path: Path, checked: Checked) -> dict[str, Any]:
    explainer = checked.explainer
    claims = [explainer.claims[name].evidence for f in gap.findings for name in f.claims if name in explainer.claims]
    return {
        "ruleId": gap.rule,
        "level": "note",
        "message": {"text": _message([explainer.unchecked(gap)])},
        "locations": [_location(place, path, checked) for place in (claims[:1] or (None,))],
        "relatedLocations": [_location(place, path, checked) for place in claims[1:]],
        "properties": {"findings": [finding.id for finding in gap.findings], "reason": gap.reason},
    }


def _problem(problem: Problem, path: Path, checked: Checked) -> dict[str, Any]:
    known = load_problem_codes().get(problem.code)
    text = f"{known.zh} / {problem.message}" if known else problem.message
    return {
        "ruleId": problem.code,
        "level": "note",
        "message": {"text": text},
        "locations": [_location(problem.evidence, path, checked)],
    }


def _message(texts: Sequence[Text]) -> str:
    return "\n".join(("；".join(text.chinese for text in texts), "; ".join(text.english for text in texts)))


def _location(evidence: Evidence | None, path: Path, checked: Checked) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(path)}}
    location: dict[str, Any] = {"physicalLocation": physical}
    if evidence is None:
        return location
    properties: dict[str, Any] = {}
    if evidence.page is not None:
        properties["page"] = evidence.page
    if evidence.box is not None:
        properties["box"] = [round(edge, 2) for edge in evidence.box]
    if evidence.start is not None and evidence.end is not None:
        if checked.report.source.media_type == "text/plain":
            physical["region"] = {"charOffset": evidence.start, "charLength": evidence.end - evidence.start}
        else:
            properties |= {"start": evidence.start, "end": evidence.end}
    return location | ({"properties": properties} if properties else {})
