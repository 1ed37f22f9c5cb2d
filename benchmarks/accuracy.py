"""How many cells, findings and metadata are right, against a corpus with truth.

    python -m tests.generator corpus --seed-from 50000 --count 200 --out /some/folder
    python benchmarks/accuracy.py /some/folder --wrong wrong.tsv

The folder holds ``truth.jsonl`` (a corpus), or reports whose truth lies as NAME.json in ``--truth`` (the samples:
``data/samples --truth data/gold/samples``). Every report is read by ``extractors.extract.extract_report``.
Exit code 1 where ``--floor`` is given and fewer cells are right.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
import traceback
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

sys.path.insert(0, str(Path(__file__).parents[1]))

Truth = dict[str, Any]
Record = dict[str, Any]
METADATA = ("title", "authority", "year", "form", "blocks", "coverage", "published")
FORM_RULES = ("form.balance", "form.outcomes", "form.applicants", "form.disputes", "form.range", "form.parts")


@dataclass(slots=True)
class Score:
    """What one report got right. ``wrong`` rows: key, kind of error, true value, read value, confidence, raw."""

    file: str
    form: str
    traits: list[str]
    seconds: float = 0.0
    cells: int = 0
    right: int = 0
    failure: str = ""
    wrong: list[tuple[str, str, str, str, str, str]] = field(default_factory=list)
    metadata: dict[str, bool] = field(default_factory=dict)
    found: int = 0
    missed: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    misjudged: list[str] = field(default_factory=list)

    @property
    def is_perfect(self) -> bool:
        """All cells and all findings right."""
        return not (self.failure or self.wrong or self.missed or self.invented or self.misjudged)


def read_truths(folder: Path, truth: Path | None) -> list[Truth]:
    """The truth of every report in the folder."""
    if truth is not None:
        return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(truth.glob("*.json"))]
    lines = (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def score_file(job: tuple[Path, Truth]) -> Score:
    """Read one report and compare it with its truth; an exception counts as everything wrong."""
    path, truth = job
    score = Score(truth["file"], truth["form"], truth["traits"])
    started = time.perf_counter()
    try:
        record = _extract(path)
    except Exception as error:  # a benchmark goes on: the failure is scored and named
        score.failure = f"{type(error).__name__}: {error}"
        if not getattr(error, "exit_code", 0):
            score.failure += " at " + traceback.format_tb(error.__traceback__)[-1].strip().replace("\n", " ")
        record = {"report": {}, "cells": [], "findings": []}
    score.seconds = time.perf_counter() - started
    _score_cells(score, truth, record)
    _score_findings(score, truth, record)
    if score.failure:
        score.metadata = dict.fromkeys(METADATA, False)
    else:
        _score_metadata(score, truth, record)
    return score


def _extract(path: Path) -> Record:
    from extractors import extract
    from extractors.report import to_dict

    return to_dict(extract.extract_report(path))


def _score_cells(score: Score, truth: Truth, record: Record) -> None:
    read = {cell["key"]: cell for cell in record["cells"]}
    for key, expected in truth["cells"].items():
        cell = read.get(key) or {"value": None, "status": "absent", "confidence": 0.0, "raw": None}
        kind = judge(expected, cell)
        if kind == "absent_for_blank" and expected["status"] == "lost" and key.startswith("disputes."):
            kind = ""  # the row has no label: of a blank one, nothing at all is left in the text
        if expected["status"] != "image" or kind:
            score.cells += 1
            score.right += not kind
        if kind:
            score.wrong.append(_wrong_row(key, kind, expected, cell))
    for key in read.keys() - truth["cells"].keys():
        if read[key]["status"] != "absent":
            score.cells += 1
            nothing = {"status": "absent", "value": None}
            score.wrong.append(_wrong_row(key, "invented", nothing, read[key]))


def _wrong_row(key: str, kind: str, expected: Truth, cell: Record) -> tuple[str, str, str, str, str, str]:
    return (key, kind, f"{expected['status']} {expected['value']} {expected.get('raw')!r}",
            f"{cell['status']} {cell['value']}", f"{cell.get('confidence')}", f"{cell.get('raw')!r}")  # fmt: skip


def judge(expected: Truth, cell: Record) -> str:
    """The kind of error of one cell, or ``""`` where it is right.

    A ``lost`` cell (its place in the row left no trace) may be illegible, or right; a wrong number is wrong. An
    ``image`` cell may be absent, illegible, or right.
    """
    status, value = cell["status"], cell["value"]
    true_status = expected.get("printed", expected["status"])
    is_right = status == true_status and (status != "reported" or value == expected["value"])
    if is_right or (expected["status"] == "lost" and status == "illegible"):
        return ""
    if expected["status"] == "image" and status in ("absent", "illegible"):
        return ""
    if status == "reported":
        return "wrong_value" if true_status == "reported" else "number_for_blank"
    return f"{status}_for_{true_status}"


def _score_findings(score: Score, truth: Truth, record: Record) -> None:
    """Broken identities by rule and set of cells; those that need a lost cell may go either way."""
    expected = {
        (broken["rule"], tuple(sorted(broken["cells"]))): broken["severity"] for broken in truth["inconsistent"]
    }
    free = {(broken["rule"], tuple(sorted(broken["cells"]))) for broken in truth["undecided"]}
    read = {
        (finding["rule"], tuple(sorted(finding["cells"]))): finding["severity"]
        for finding in record["findings"]
        if finding["status"] == "inconsistent" and finding["rule"] in FORM_RULES
    }
    score.found = len(expected.keys() & read.keys())
    score.missed = [_name(finding) for finding in expected.keys() - read.keys()]
    score.invented = [_name(finding) for finding in read.keys() - expected.keys() - free]
    score.misjudged = [
        f"{_name(finding)} {severity} read as {read[finding]}"
        for finding, severity in expected.items()
        if finding in read and read[finding] != severity
    ]


def _name(finding: tuple[str, tuple[str, ...]]) -> str:
    rule, cells = finding
    return f"{rule}[{cells[0]}…{cells[-1]}]" if len(cells) > 1 else f"{rule}[{cells[0]}]"


def _score_metadata(score: Score, truth: Truth, record: Record) -> None:
    expected, read = truth["report"], record["report"]
    title = _plain(read.get("title"))
    score.metadata = {
        "title": title in [_plain(text) for text in expected["titles"]] if expected["titles"] else not title,
        "authority": _plain(read.get("authority")) in [_plain(text) for text in expected["authorities"]],
        "year": read.get("year") == expected["year"],
        "form": read.get("form") == truth["form"],
        "blocks": _same_blocks(read.get("blocks") or {}, truth["blocks"]),
        "coverage": expected["coverage"] is None or read.get("coverage") == expected["coverage"],
        "published": read.get("published") in (expected["published_any"] or [None]),
    }
    if any(cell["status"] == "image" for cell in truth["cells"].values()):
        # The truth is what the text says; what OCR reads of a picture is no error, and may be a stroke off.
        score.metadata |= {name: True for name in ("form", "blocks")}
        if "scanned" in truth["traits"]:
            score.metadata["title"] |= any(fuzz.ratio(title, _plain(text)) > 90 for text in expected["titles"])
            score.metadata |= {name: True for name in METADATA if read.get(name) is None}


def _same_blocks(read: dict[str, str | None], true: dict[str, str | None]) -> bool:
    """Section four is the same on both forms: only whether it is there counts."""
    decided = all(read.get(block) == true[block] for block in ("disclosure", "applications"))
    return decided and bool(read.get("disputes")) == bool(true["disputes"])


def _plain(text: str | None) -> str:
    """Text in compatibility form without white space, with one kind of bracket."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text or ""))


def summarise(scores: list[Score]) -> Iterator[str]:
    """The report of the benchmark, line by line."""
    cells, right = sum(score.cells for score in scores), sum(score.right for score in scores)
    perfect = sum(score.is_perfect for score in scores)
    yield f"reports {len(scores)}, all right {perfect}, failed {sum(bool(score.failure) for score in scores)}"
    yield f"cells {cells}, right {right} ({_share(right, cells)}), wrong {cells - right}"
    kinds = Counter(row[1] for score in scores for row in score.wrong)
    yield "wrong by kind: " + (", ".join(f"{kind} {count}" for kind, count in kinds.most_common()) or "none")
    found, missed = sum(score.found for score in scores), sum(len(score.missed) for score in scores)
    invented, misjudged = (sum(len(getattr(score, name)) for score in scores) for name in ("invented", "misjudged"))
    yield f"broken: true {found + missed}, found {found}, missed {missed}, invented {invented}, misjudged {misjudged}"
    for name in METADATA:
        good = sum(score.metadata[name] for score in scores)
        yield f"  {name:<10} {good}/{len(scores)} ({_share(good, len(scores))})"
    yield ""
    yield from _table("format", scores, lambda score: [_format(score)])
    yield from _table("form", scores, lambda score: [score.form])
    yield from _table("trait", scores, lambda score: score.traits)


def _format(score: Score) -> str:
    return next((trait.split(":")[1] for trait in score.traits if trait.startswith("format:")), "?")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3f} %" if whole else "-"


def _table(name: str, scores: list[Score], groups_of: Any) -> Iterator[str]:
    groups: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        for group in groups_of(score):
            groups[group].append(score)
    columns = ("reports", 8), ("perfect", 8), ("cells", 8), ("wrong", 7), ("right", 11), ("missed", 8), ("invented", 9)
    yield f"{name:<28}" + "".join(f"{column:>{width}}" for column, width in (*columns, ("ms", 7)))
    for group, members in sorted(groups.items()):
        cells, right = sum(score.cells for score in members), sum(score.right for score in members)
        times = sorted(score.seconds for score in members)
        yield (
            f"{group:<28}{len(members):>8}{sum(score.is_perfect for score in members):>8}{cells:>8}{cells - right:>7}"
            f"{_share(right, cells):>11}{sum(len(score.missed) for score in members):>8}"
            f"{sum(len(score.invented) for score in members):>9}{1000 * times[len(times) // 2]:>7.0f}"
        )
    yield ""


def wrong_lines(scores: Iterable[Score]) -> Iterator[str]:
    """Everything that is not right, one tab-separated line each."""
    for score in scores:
        if score.failure:
            yield "\t".join((score.file, "failure", score.failure))
        for row in score.wrong:
            yield "\t".join((score.file, "cell", *row))
        for kind in ("missed", "invented", "misjudged"):
            for name in getattr(score, kind):
                yield "\t".join((score.file, f"finding {kind}", name))
        for name, is_right in score.metadata.items():
            if not is_right:
                yield "\t".join((score.file, "metadata", name))


def main() -> int:
    """Score a folder and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--truth", type=Path, help="folder of NAME.json; default: truth.jsonl in FOLDER")
    parser.add_argument("--wrong", type=Path, help="write every wrong cell, finding and field to this file")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", help="only files whose name contains this")
    parser.add_argument("--floor", type=float, help="least share of cells right, in per cent")
    arguments = parser.parse_args()
    truths = [truth for truth in read_truths(arguments.folder, arguments.truth) if arguments.only in truth["file"]]
    jobs = [(arguments.folder / truth["file"], truth) for truth in truths]
    if arguments.jobs > 1:
        with ProcessPoolExecutor(arguments.jobs) as pool:
            scores = list(pool.map(score_file, jobs))
    else:
        scores = [score_file(job) for job in jobs]
    sys.stdout.write("\n".join(summarise(scores)) + "\n")
    if arguments.wrong:
        arguments.wrong.write_text("\n".join(wrong_lines(scores)) + "\n", encoding="utf-8")
    cells, right = sum(score.cells for score in scores), sum(score.right for score in scores)
    return int(arguments.floor is not None and 100 * right < arguments.floor * cells)


if __name__ == "__main__":
    raise SystemExit(main())
