"""Whether the prose is held rightly against the tables: false findings on clean reports, planted contradictions found.

    python benchmarks/contradictions.py                          both halves: clean reports, then planted ones
    python benchmarks/contradictions.py --half tune --show       every false finding and every miss of one half
    python benchmarks/contradictions.py --draws 5 --seed 2       more reports of each wording, other figures

`benchmarks/wordings/` holds the prose of whole reports, each by a publisher of its own, with slots for figures
(`README.md` there explains them). `tune.txt` is what rules may be mended by; `unseen.txt` is only measured. Each
wording is filled from a table that balances, drawn by the generator of the tests, written to a file with it and read
like any report.

Planted is one contradiction a report: ``claim``: one figure of the prose printed wrong; ``cell``: cells of the table
changed so that the table still adds up and only the prose disagrees; ``part``: one figure of a breakdown that no
table has; ``share``: one percentage. Never one that leaves the sentence true: no other figure that its words can mean,
nothing within 余 or 约, no part of a mere selection made smaller. Found is an inconsistent finding that names the
changed claim, or one of the changed cells. A miss is ``model`` where the figure was not taken for a claim or for one of
another field, ``doubt`` where its confidence is too low to say anything, else ``rules``. Exit code 1 where a half
misses a target: at most 1 false finding in 50 reports, 95 % found, 20 ms for the reconciliation of a report.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.mutations import another
from benchmarks.wording_reports import Filled, Slot, read_wordings
from extractors.cells import read_tables
from extractors.extract import extract_report, read_document
from extractors.fields import SURE
from extractors.forms import load_forms
from extractors.narrative import Mention, Tagger
from extractors.prose_sums import check_sums
from extractors.prose_table import check_tables_stated
from extractors.reconcile import check_tables
from extractors.report import Claim, Finding, Report
from models.tagger import load_tagger

HALVES = ("tune", "unseen")
KINDS = ("claim", "cell", "part", "share")
FALSE_LIMIT = Decimal(1) / 50
FOUND_LIMIT = Decimal("0.95")
MILLISECONDS = 20
FOLDER = Path(__file__).parent / "wordings"


@dataclass(slots=True)
class Score:
    """What came of the reports of one half."""

    reports: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    errors: int = 0
    warnings: int = 0
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[tuple[str, str]] = field(default_factory=Counter)
    milliseconds: list[tuple[float, int]] = field(default_factory=list)


class Remembering:
    """A tagger that reads each window once: a planted report differs from its clean one in few."""

    def __init__(self, tagger: Tagger) -> None:
        self.tagger = tagger
        self.read: dict[str, list[Mention]] = {}

    def __call__(self, windows: Sequence[str], /) -> list[list[Mention]]:
        """The mentions in each window, in order."""
        new = [window for window in dict.fromkeys(windows) if window not in self.read]
        if new:
            self.read |= dict(zip(new, self.tagger(new), strict=True))
        return [self.read[window] for window in windows]


@dataclass(frozen=True, slots=True)
class Plant:
    """A contradiction: the slots whose print does not hold any more, and the cells that were changed for it."""

    filled: Filled
    slots: tuple[int, ...]
    cells: frozenset[str]


def main() -> int:
    """Measure and print; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", nargs="+", choices=HALVES, default=HALVES)
    parser.add_argument("--draws", type=int, default=2, help="reports of each wording and kind (default 2)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--show", action="store_true", help="every false finding and every miss")
    options = parser.parse_args()
    tagger = Remembering(load_tagger())
    missed = []
    for half in options.half:
        score = measure(half, tagger, options.draws, options.seed, options.kinds, options.show)
        print_score(half, score)
        missed += misses(half, score)
    for line in missed:
        print(f"target missed: {line}")
    return int(bool(missed))


def measure(half: str, tagger: Tagger, draws: int, seed: int, kinds: Sequence[str], show: bool) -> Score:
    """The outcomes of one half of the wordings."""
    score = Score()
    wordings = read_wordings(FOLDER / f"{half}.txt")
    with tempfile.TemporaryDirectory() as folder:
        for number, wording in enumerate(wordings):
            if sys.stderr.isatty():
                print(f"\r{half} {number + 1}/{len(wordings)} ", end="", file=sys.stderr)
            for draw in range(draws):
                rng = random.Random(f"{seed}/{half}/{number}/{draw}")
                filled = wording.fill(rng)
                judge_clean(score, filled, Path(folder), tagger, rng, show)
                for kind in kinds:
                    plant = _PLANTS[kind](filled, rng)
                    if plant is not None:
                        judge_planted(score, kind, plant, Path(folder), tagger, rng, show)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    return score


def judge_clean(score: Score, filled: Filled, folder: Path, tagger: Tagger, rng: random.Random, show: bool) -> None:
    """Counts what is said against a report in which all agrees, and the time of its reconciliation."""
    path = filled.write(folder / "report.txt", rng)
    report = extract_report(path, tagger)
    score.reports += 1
    score.milliseconds.append((reconcile(path, report), len(report.claims)))
    for finding in broken(report):
        score.findings[finding.rule] += 1
        score.errors += finding.severity == "error"
        score.warnings += finding.severity == "warning"
        if show:
            told = ", ".join(f"{c.field} {c.label}" for c in report.claims if c.id in finding.claims)
            sentence = next((c.sentence for c in report.claims if c.id in finding.claims), "")
            print(f"FALSE {filled.wording.name}: {finding.severity} {finding.rule} {finding.message}\n"
                  f"      {told}\n      {sentence}")  # fmt: skip


def judge_planted(
    score: Score, kind: str, plant: Plant, folder: Path, tagger: Tagger, rng: random.Random, show: bool
) -> None:
    """Counts whether a planted contradiction is found, else why not."""
    path = plant.filled.write(folder / "report.txt", rng)
    report = extract_report(path, tagger)
    text = read_document(path).text
    places = [plant.filled.place(number, text) for number in plant.slots]
    named = {claim.id for claim in report.claims if any(_overlaps(claim, place) for place in places)}
    score.planted[kind] += 1
    if any(named.intersection(finding.claims) or plant.cells.intersection(finding.cells) for finding in broken(report)):
        score.found[kind] += 1
        return
    why = _why(plant, report, places)
    score.missed[kind, why] += 1
    if show:
        print(f"MISSED {plant.filled.wording.name}: {kind}, {why}")
        for number, place in zip(plant.slots, places, strict=True):
            slot = plant.filled.slots[number]
            print(f"      {{{slot.source}}} printed {slot.text}: …{text[max(0, place[0] - 30) : place[1] + 12]}…")
            for claim in report.claims:
                if _overlaps(claim, place):
                    print(f"      {claim.field} {claim.value} {claim.label} of {claim.part_of} scope {claim.scope} "
                          f"{claim.confidence:.2f}")  # fmt: skip
                    for finding in report.findings:
                        if claim.id in finding.claims and finding.rule.startswith("prose"):
                            print(f"        {finding.status} {finding.rule} {finding.message}")


def broken(report: Report) -> list[Finding]:
    """The contradictions of the prose that were found."""
    return [one for one in report.findings if one.rule.startswith("prose.") and one.status == "inconsistent"]


def reconcile(path: Path, report: Report) -> float:
    """Processor milliseconds that the reconciliation of a report takes, tables and prose."""
    document = read_document(path)
    forms = load_forms()
    tables = read_tables(document, forms)
    started = time.process_time()
    check_tables(tables, forms)
    check_tables_stated(report.claims, tables, forms, document.text, report.report.year)
    check_sums(report.claims, document.text, tables)
    return (time.process_time() - started) * 1000


def _overlaps(claim: Claim, place: tuple[int, int]) -> bool:
    start, end = claim.evidence.start, claim.evidence.end
    return start is not None and end is not None and start < place[1] and place[0] < end


def _why(plant: Plant, report: Report, places: Sequence[tuple[int, int]]) -> str:
    """Why nothing was said: the worst of what happened to the figures whose print does not hold."""
    reasons = set()
    for number, place in zip(plant.slots, places, strict=True):
        slot = plant.filled.slots[number]
        claims = [claim for claim in report.claims if _overlaps(claim, place)]
        if not claims or (slot.fields and not any(claim.field in slot.fields for claim in claims)):
            reasons.add("model")
        elif all(claim.confidence < SURE for claim in claims):
            reasons.add("doubt")
        else:
            reasons.add("rules")
    return next(why for why in ("rules", "doubt", "model") if why in reasons)


# What is planted


def plant_claim(filled: Filled, rng: random.Random) -> Plant | None:
    """One figure that a cell has, printed wrong."""
    choices = [number for number, slot in enumerate(filled.slots) if slot.cells and slot.planted]
    return _misprint(filled, choices, rng)


def plant_part(filled: Filled, rng: random.Random) -> Plant | None:
    """One figure of a breakdown, or its whole, that no cell has, printed wrong so that the breakdown cannot hold."""
    breakdowns = [breakdown for breakdown in filled.wording.sums if _own(filled, breakdown.names)]
    for breakdown in rng.sample(breakdowns, len(breakdowns)):
        for name in rng.sample(_own(filled, breakdown.names), len(_own(filled, breakdown.names))):
            number = next(n for n, slot in enumerate(filled.slots) if slot.source == name and slot.planted)
            value = filled.value(name)
            rest = sum(filled.value(part) for part in breakdown.parts) - filled.value(breakdown.whole)
            for _ in range(40):
                wrong = another(int(value), rng)
                excess = rest + (wrong - value) * (-1 if name == breakdown.whole else 1)
                if wrong >= 0 and (excess > 0 or (breakdown.complete and excess < 0)):
                    return Plant(filled.misprinted(number, str(wrong)), (number,), frozenset())
    return None


def _own(filled: Filled, names: Iterable[str]) -> list[str]:
    """Those of the names that a slot prints exactly and no cell has."""
    printed = {slot.source for slot in filled.slots if slot.planted and not slot.cells and slot.exact}
    return [name for name in names if name in printed]


def plant_share(filled: Filled, rng: random.Random) -> Plant | None:
    """One percentage printed wrong by two or more in its last digit, about ones by a fifth or more."""
    choices = [number for number, slot in enumerate(filled.slots) if slot.share is not None and slot.planted]
    if not choices:
        return None
    number = rng.choice(choices)
    slot = filled.slots[number]
    digit = Decimal(1).scaleb(-slot.decimals)
    printed = Decimal(slot.text)
    for _ in range(60):
        wrong = Decimal(another(int(printed / digit), rng)) * digit
        least = printed / 5 if filled.before(number, "约") else 2 * digit
        if 0 <= wrong <= 100 and abs(wrong - printed) >= max(least, 2 * digit):
            return Plant(filled.misprinted(number, f"{wrong:.{slot.decimals}f}"), (number,), frozenset())
    return None


def plant_cell(filled: Filled, rng: random.Random) -> Plant | None:
    """Cells changed so that the table adds up and figures of the prose do not agree any more."""
    for _ in range(60):
        changed = filled.change_cells(rng)
        if changed is None:
            continue
        cells, keys = changed
        wrong = tuple(
            number
            for number, slot in enumerate(filled.slots)
            if slot.cells and slot.planted and keys.intersection(slot.cells) and not _true(filled, slot, cells)
        )
        if wrong:
            return Plant(filled.with_cells(cells), wrong, frozenset(keys))
    return None


def _true(filled: Filled, slot: Slot, figures: dict[str, int | Decimal]) -> bool:
    """Whether what the slot prints can still be meant when the cells are these."""
    return filled.wording.can_mean(slot, figures)


def _misprint(filled: Filled, choices: list[int], rng: random.Random) -> Plant | None:
    for _ in range(60):
        if not choices:
            return None
        number = rng.choice(choices)
        slot = filled.slots[number]
        text = slot.wrong(rng)
        if text is not None and not filled.wording.can_mean(slot.printing(text), filled.figures):
            return Plant(filled.misprinted(number, text), (number,), frozenset())
    return None


_PLANTS = {"claim": plant_claim, "cell": plant_cell, "part": plant_part, "share": plant_share}


# What is printed


def print_score(half: str, score: Score) -> None:
    """A paragraph for one half."""
    total = sum(score.findings.values())
    rules = ", ".join(f"{rule} {count}" for rule, count in sorted(score.findings.items()))
    print(f"{half}: {score.reports} clean reports, {total} false findings ({score.errors} errors, {score.warnings} "
          f"warnings{': ' + rules if rules else ''})")  # fmt: skip
    for kind in (*score.planted, "all"):
        planted, found, why = _counts(score, kind)
        if planted:
            reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(why.items()))
            print(
                f"  {kind:6} {found:4} of {planted:4} found  {100 * found / planted:5.1f} %  missed: {reasons or '-'}"
            )
    spent = sorted(score.milliseconds)
    if spent:
        many = [milliseconds for milliseconds, claims in spent if claims >= 60]
        median = statistics.median(one for one, _ in spent)
        print(f"  reconciliation: median {median:.1f} ms, worst {spent[-1][0]:.1f} ms "
              f"({spent[-1][1]} claims), {len(many)} reports of 60 claims or more: "
              f"{statistics.median(many) if many else float('nan'):.1f} ms", flush=True)  # fmt: skip


def _counts(score: Score, kind: str) -> tuple[int, int, Counter[str]]:
    kinds = list(score.planted) if kind == "all" else [kind]
    why: Counter[str] = Counter()
    for (one, reason), count in score.missed.items():
        why[reason] += count if one in kinds else 0
    return sum(score.planted[one] for one in kinds), sum(score.found[one] for one in kinds), +why


def misses(half: str, score: Score) -> Iterator[str]:
    """Which targets a half misses."""
    total = sum(score.findings.values())
    if total > FALSE_LIMIT * score.reports:
        yield f"{half}: {total} false findings in {score.reports} reports"
    for kind, planted in score.planted.items():
        if score.found[kind] < FOUND_LIMIT * planted:
            yield f"{half}: {score.found[kind]} of {planted} found, {kind}"
    slow = statistics.median(one for one, _ in score.milliseconds)
    if slow > MILLISECONDS:
        yield f"{half}: {slow:.1f} ms a report"


if __name__ == "__main__":
    sys.exit(main())
