"""What is read from scans, and what it costs.

    python -m tests.generator.scans --seed-from 2000 --count 70 --out /some/folder
    python -m benchmarks.scans /some/folder --wrong wrong.tsv

Every report of the folder is read by ``extractors.extract.extract_report`` in one process (or ``--jobs``). Printed are
cells right in value and status; of the wrong ones the illegible, the wrong values and the numbers invented in blank
cells; reports with every cell right; planted errors found and repaired away; seconds, and peak memory of the process;
then the same by profile, carrier and effect. The first lines count the bounds; faxes stand apart from them, since
their cells may be illegible. ``--truth-only`` says what the folder holds and reads nothing.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.accuracy import FORM_RULES, Record, Truth, judge, read_truths

# What a wrong cell is: a reading withheld, a wrong number, a number where nothing is, nothing where a number is.
KINDS = ("illegible", "wrong_value", "invented", "missing")
GROUPS = ("profile", "carrier", "mode", "dpi", "encoding", "engine", "font", "rules", "size", "planted", "effect")
METADATA = ("authority", "year", "form", "published")


@dataclass(slots=True)
class Score:
    """What one scan got right. ``wrong``: key, kind, true cell, read cell, confidence.

    ``read``: cells right and not withheld (on a fax an illegible cell is right too). ``planted`` errors are
    ``found`` where a finding names exactly the broken identity, and ``repaired`` where the reading is the figure
    that would balance, or blank where that was.
    """

    file: str
    traits: list[str]
    pages: int
    cells: int = 0
    right: int = 0
    read: int = 0
    blanks: int = 0
    seconds: float = 0.0
    peak_mb: float = 0.0
    failure: str = ""
    wrong: list[tuple[str, str, str, str, str]] = field(default_factory=list)
    planted: int = 0
    found: int = 0
    repaired: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    false_findings: list[str] = field(default_factory=list)
    origins: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    metadata: dict[str, bool] = field(default_factory=dict)

    @property
    def is_fax(self) -> bool:
        """Whether cells may be illegible."""
        return "profile:fax" in self.traits

    def count(self, kind: str) -> int:
        """Wrong cells of one of :data:`KINDS`."""
        return sum(row[1] == kind for row in self.wrong)


def score_file(job: tuple[Path, Truth]) -> Score:
    """Read one report and compare it with its truth; an exception counts as everything wrong."""
    path, truth = job
    score = Score(truth["file"], truth["traits"], truth["scan"]["pages"])
    started = time.perf_counter()
    try:
        record = _extract(path)
    except Exception as error:  # a benchmark goes on: the failure is scored and named
        score.failure = f"{type(error).__name__}: {error}"
        record = {"report": {}, "cells": [], "findings": [], "problems": []}
    score.seconds = time.perf_counter() - started
    score.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    score.problems = Counter(problem["code"] for problem in record["problems"])
    score_cells(score, truth, record)
    score_findings(score, truth, record)
    score_metadata(score, truth, record)
    return score


def _extract(path: Path) -> Record:
    from extractors.extract import extract_report
    from extractors.report import to_dict

    return to_dict(extract_report(path))


def kind_of(expected: Truth, cell: Record) -> str:
    """One of :data:`KINDS`, or ``""`` where the cell is right."""
    if not judge(expected, cell):
        return ""
    if cell["status"] == "illegible":
        return "illegible"
    if cell["status"] == "reported":
        return "wrong_value" if expected.get("printed", expected["status"]) == "reported" else "invented"
    return "missing"


def score_cells(score: Score, truth: Truth, record: Record) -> None:
    """Count the cells; cells that the report does not carry count where they are said to be there."""
    read = {cell["key"]: cell for cell in record["cells"]}
    for key, expected in truth["cells"].items():
        cell = read.get(key) or {"value": None, "status": "absent", "confidence": None}
        kind = kind_of(expected, cell)
        score.cells += 1
        score.right += not kind
        score.read += not kind and cell["status"] != "illegible"
        score.blanks += expected.get("printed", expected["status"]) == "blank"
        if kind:
            score.wrong.append(_row(key, kind, expected, cell))
    for key in read.keys() - truth["cells"].keys():
        if read[key]["status"] != "absent":
            score.cells += 1
            kind = "invented" if read[key]["status"] == "reported" else "missing"
            score.wrong.append(_row(key, kind, {"status": "absent", "value": None}, read[key]))


def _row(key: str, kind: str, expected: Truth, cell: Record) -> tuple[str, str, str, str, str]:
    true = f"{expected.get('printed', expected['status'])} {expected['value']} {expected.get('raw')!r}"
    return key, kind, true, f"{cell['status']} {cell['value']} {cell.get('raw')!r}", f"{cell['confidence']}"


def score_findings(score: Score, truth: Truth, record: Record) -> None:
    """Planted errors found, missed, repaired; and findings that the print does not bear out."""
    findings = {
        _finding(finding): finding["origin"]
        for finding in record["findings"]
        if finding["status"] == "inconsistent" and finding["rule"] in FORM_RULES
    }
    true = {_finding(broken) for broken in truth["inconsistent"]}
    free = {_finding(broken) for broken in truth["undecided"]}
    score.false_findings = [_name(finding) for finding in findings.keys() - true - free]
    read = {cell["key"]: cell for cell in record["cells"]}
    for slip in truth["scan"]["planted"]:
        broken = [finding for finding in true if slip["key"] in finding[1]]
        found = [finding for finding in broken if finding in findings]
        score.planted += 1
        score.found += bool(found)
        score.origins.update(findings[finding] for finding in found)
        if not found:
            score.missed.append(f"{slip['key']} printed {slip['printed']} balanced {slip['balanced']}")
        if is_repaired(slip, read.get(slip["key"])):
            score.repaired.append(f"{slip['key']} printed {slip['printed']} read as {slip['balanced']}")


def is_repaired(slip: dict[str, Any], cell: Record | None) -> bool:
    """Whether the wrong print was read as the figure that would balance."""
    if cell is None or slip["printed"] == slip["balanced"]:
        return False
    if slip["balanced"] is None:
        return bool(cell["status"] == "blank")
    return bool(cell["status"] == "reported" and cell["value"] == slip["balanced"])


def _finding(finding: Record) -> tuple[str, tuple[str, ...]]:
    return finding["rule"], tuple(sorted(finding["cells"]))


def _name(finding: tuple[str, tuple[str, ...]]) -> str:
    return f"{finding[0]}[{finding[1][0]}…{finding[1][-1]}]"


def score_metadata(score: Score, truth: Truth, record: Record) -> None:
    """What the prose says of the report, by field."""
    expected, read = truth["report"], record["report"]
    authority = "".join((read.get("authority") or "").split())
    score.metadata = {
        "authority": authority in expected["authorities"],
        "year": read.get("year") == expected["year"],
        "form": read.get("form") == truth["form"],
        "published": read.get("published") in (expected["published_any"] or [None]),
    }


def summarise(scores: list[Score]) -> Iterator[str]:
    """The report of the benchmark, line by line: all but faxes, faxes, costs, groups."""
    main, faxes = [score for score in scores if not score.is_fax], [score for score in scores if score.is_fax]
    for name, members in (("all but faxes", main), ("faxes", faxes)):
        if members:
            yield f"== {name}: {len(members)} reports, {sum(score.pages for score in members)} pages"
            yield from _accuracy(members)
    yield "== cost"
    yield from _cost(scores)
    problems = sum((score.problems for score in scores), Counter[str]())
    yield "problems: " + (", ".join(f"{code} {count}" for code, count in problems.most_common(15)) or "none")
    for name in GROUPS:
        yield ""
        yield from _table(name, scores)


def _accuracy(scores: list[Score]) -> Iterator[str]:
    cells, right, read, blanks, planted, found = (
        sum(getattr(score, name) for score in scores)
        for name in ("cells", "right", "read", "blanks", "planted", "found")
    )
    perfect = sum(not score.wrong for score in scores)
    kinds = {kind: sum(score.count(kind) for score in scores) for kind in KINDS}
    yield f"cells right   {right}/{cells} ({_share(right, cells)}), of them read {read} ({_share(read, cells)})"
    yield "cells wrong   " + ", ".join(f"{kind} {count}" for kind, count in kinds.items())
    invented = sum(row[1] == "invented" and row[2].startswith("blank") for score in scores for row in score.wrong)
    yield f"invented in blank cells {invented} of {blanks} ({10_000 * invented / max(blanks, 1):.2f} in 10,000)"
    yield f"every cell right {perfect}/{len(scores)} reports ({_share(perfect, len(scores))})"
    repaired, false = (sum(len(getattr(score, name)) for score in scores) for name in ("repaired", "false_findings"))
    yield f"planted errors {planted}: found {found} ({_share(found, planted)}), repaired away {repaired}"
    origins = sum((score.origins for score in scores), Counter[str]())
    yield "origins of found " + (", ".join(f"{name} {count}" for name, count in origins.most_common()) or "none")
    yield f"findings that the print does not bear out {false}, reports that failed {sum(map(_failed, scores))}"
    fields = (f"{name} {sum(score.metadata[name] for score in scores)}/{len(scores)}" for name in METADATA)
    yield f"metadata right {', '.join(fields)}"


def _failed(score: Score) -> bool:
    return bool(score.failure)


def _cost(scores: list[Score]) -> Iterator[str]:
    later = scores[1:] or scores
    each = sorted(score.seconds for score in later)
    pages = sum(score.pages for score in later)
    yield f"first report {scores[0].seconds:.2f} s (with loading of models)"
    yield (
        f"the others: median {median(each):.2f} s, 95th percentile {each[int(len(each) * 0.95)]:.2f} s, most"
        f" {each[-1]:.2f} s a report; {sum(each) / max(pages, 1):.3f} s a page over {pages} pages"
    )
    scaled = [score.seconds / score.pages * 5 for score in later if score.pages > 1]
    if scaled:
        yield f"five pages: median {median(scaled):.2f} s, most {max(scaled):.2f} s (reports of two pages and more)"
    yield f"peak memory of a process {max(score.peak_mb for score in scores):.0f} MB"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.3f} %" if whole else "-"


def _table(name: str, scores: list[Score]) -> Iterator[str]:
    """One line for each value of a trait (``profile:office``)."""
    groups: dict[str, list[Score]] = defaultdict(list)
    for score in scores:
        for trait in score.traits:
            kind, _, value = trait.partition(":")
            if kind == name:
                groups[value].append(score)
    columns = ("reports", "perfect", "cells", "right", *KINDS, "s/page", "max s")
    yield f"{name:<22}" + "".join(f"{column:>12}" for column in columns)
    for value, members in sorted(groups.items()):
        cells, right = sum(score.cells for score in members), sum(score.right for score in members)
        counts = "".join(f"{sum(score.count(kind) for score in members):>12}" for kind in KINDS)
        pages, spent = sum(score.pages for score in members), sum(score.seconds for score in members)
        perfect = sum(not score.wrong for score in members)
        yield (
            f"{value:<22}{len(members):>12}{perfect:>12}{cells:>12}{_share(right, cells):>12}{counts}"
            f"{spent / pages:>12.3f}{max(score.seconds for score in members):>12.2f}"
        )


def wrong_lines(scores: Iterable[Score]) -> Iterator[str]:
    """Everything that is not right, one tab-separated line each."""
    for score in scores:
        if score.failure:
            yield "\t".join((score.file, "failure", score.failure))
        yield from ("\t".join((score.file, "cell", *row)) for row in score.wrong)
        for kind in ("repaired", "missed", "false_findings"):
            yield from ("\t".join((score.file, kind, name)) for name in getattr(score, kind))
        yield from ("\t".join((score.file, "metadata", name)) for name, right in score.metadata.items() if not right)


def describe(truths: list[Truth]) -> Iterator[str]:
    """What the folder holds: reports, pages, cells by status, planted errors, and traits by kind."""
    scans = [truth["scan"] for truth in truths]
    native = sum(scan["native_pages"] for scan in scans)
    yield f"reports {len(truths)}, pages {sum(scan['pages'] for scan in scans)}, of them native {native}"
    cells = Counter(cell.get("printed", cell["status"]) for truth in truths for cell in truth["cells"].values())
    yield "cells " + ", ".join(f"{status} {count}" for status, count in cells.most_common())
    slips = [len(scan["planted"]) for scan in scans]
    yield f"planted errors {sum(slips)} in {sum(map(bool, slips))} reports"
    pages = Counter(scan["pages"] for scan in scans)
    yield "pages a report: " + ", ".join(f"{count} of {number}" for number, count in sorted(pages.items()))
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for truth in truths:
        for trait in (f"form:{truth['form']}", *truth["traits"]):
            kind, _, value = trait.partition(":")
            counts[kind][value] += 1
    for name in ("form", *GROUPS):
        yield f"{name}: " + ", ".join(f"{value} {count}" for value, count in sorted(counts[name].items()))


def _scores(jobs: list[tuple[Path, Truth]], processes: int) -> list[Score]:
    if processes == 1:
        return [score_file(job) for job in jobs]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(score_file, jobs))


def main() -> int:
    """Score a folder and print the summary; exit code 1 where ``--floor`` is given and fewer cells are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--wrong", type=Path, help="write every wrong cell, finding and field to this file")
    parser.add_argument("--jobs", type=int, default=1, help="processes; the time of one report is exact with 1 only")
    parser.add_argument("--only", default="", help="only files whose name contains this (a seed, profile or carrier)")
    parser.add_argument("--truth-only", action="store_true", help="say what the folder holds, and read nothing")
    parser.add_argument("--floor", type=float, help="least share of cells right, faxes aside, in per cent")
    arguments = parser.parse_args()
    truths = [truth for truth in read_truths(arguments.folder, None) if arguments.only in truth["file"]]
    if not truths:
        parser.error(f"no report in {arguments.folder} has {arguments.only!r} in its name")
    if arguments.truth_only:
        sys.stdout.write("\n".join(describe(truths)) + "\n")
        return 0
    scores = _scores([(arguments.folder / truth["file"], truth) for truth in truths], arguments.jobs)
    sys.stdout.write("\n".join(summarise(scores)) + "\n")
    if arguments.wrong:
        arguments.wrong.write_text("\n".join(wrong_lines(scores)) + "\n", encoding="utf-8")
    main_scores = [score for score in scores if not score.is_fax]
    cells, right = sum(score.cells for score in main_scores), sum(score.right for score in main_scores)
    return int(arguments.floor is not None and 100 * right < arguments.floor * cells)


if __name__ == "__main__":
    raise SystemExit(main())
