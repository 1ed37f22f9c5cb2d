"""How well and how fast the prose is read.

    python benchmarks/prose.py                       the shipped model on data/gold/test, every measure and field
    python benchmarks/prose.py --model DIR ...       other models beside it
    python benchmarks/prose.py --rules               the baseline without a model beside it
    python benchmarks/prose.py --test A B --together all passages of several files as one set
    python benchmarks/prose.py --speed FILE...       sentences a second, milliseconds a report, memory, on report files
    python benchmarks/prose.py --reliability         how many of the claims of each confidence are right
    python benchmarks/prose.py --differences         each claim and entity that is missed, invented or of another field

A claim is right where its field and value are, on an overlapping stretch; leaders and channels to the character.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from itertools import pairwise
from pathlib import Path

from benchmarks.prose_rules import RulesTagger
from extractors.cells import read_tables
from extractors.extract import read_document
from extractors.forms import load_forms
from extractors.narrative import Tagger, can_state, load_language, read_narrative
from extractors.prose import find_prose
from models.corpus import Passage, read_passages
from models.evaluate import count, interval, read_passage, score, total
from models.tagger import WEIGHTS, load_tagger

ROOT = Path(__file__).parent.parent
MEASURES = (
    "claim", "value", "nil", "unit", "bound", "part_of", "leader", "leader with role", "channel", "channel with kind",
)  # fmt: skip


def main() -> None:
    """Runs what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", nargs="+", type=Path, default=[WEIGHTS])
    parser.add_argument("--test", nargs="+", type=Path, default=sorted((ROOT / "data/gold/test").glob("*.jsonl")))
    parser.add_argument("--rules", action="store_true")
    parser.add_argument("--together", action="store_true")
    parser.add_argument("--speed", nargs="+", type=Path)
    parser.add_argument("--fields", action="store_true", help="claims field by field")
    parser.add_argument("--differences", action="store_true")
    parser.add_argument("--reliability", action="store_true")
    options = parser.parse_args()
    taggers: dict[str, Tagger] = {path.name: load_tagger(path) for path in options.model}
    if options.speed:
        measure_speed(next(iter(taggers.values())), options.speed)
        return
    if options.rules:
        taggers["rules"] = RulesTagger()
    if options.reliability:
        show_reliability(next(iter(taggers.values())), read_passages(options.test))
        return
    for name, tagger in taggers.items():
        sets = [options.test] if options.together else [[path] for path in options.test]
        for paths in sets:
            passages = read_passages(paths)
            measure(f"{name} on {', '.join(path.stem for path in paths)}", tagger, passages, options.fields)
            if options.differences:
                show_differences(tagger, passages)


def measure(title: str, tagger: Tagger, passages: list[Passage], fields: bool) -> None:
    """Prints F1 with its 95 % interval, precision, recall and support of each measure."""
    parts = [count(passage, *read_passage(passage["text"], tagger)) for passage in passages]
    summed = total(parts)
    print(f"{title} ({len(passages)} passages)")
    names = [(measure, "all") for measure in MEASURES]
    names += sorted({key[:2] for key in summed if key[0] == "claim" and key[1] != "all"}) if fields else []
    for name, field in names:
        result = score(summed, name, field)
        low, high = interval(parts, name, field)
        row = f"{result.f1:.4f} ({low:.3f}-{high:.3f})  p {result.precision:.3f}  r {result.recall:.3f}"
        print(f"  {name if field == 'all' else '  ' + field:26} {row}  {result.support}")


def show_differences(tagger: Tagger, passages: list[Passage]) -> None:
    """Prints what a passage's reading has and its annotation has not, and the reverse."""
    for passage in passages:
        entities, claims = read_passage(passage["text"], tagger)
        for kind, mine, gold, keys in (
            ("claim", claims, passage["claims"], ("field", "value", "start")),
            ("entity", entities, passage["entities"], ("field", "start", "end", "role", "kind")),
        ):

            def known(row: dict[str, object], keys: tuple[str, ...] = keys) -> tuple[object, ...]:
                return tuple(float(row[key]) if key == "value" else row[key] for key in keys)  # type: ignore[arg-type]

            ours, theirs = {known(row): row for row in mine}, {known(row): row for row in gold}
            for sign, rows in (("+", ours.keys() - theirs.keys()), ("-", theirs.keys() - ours.keys())):
                for key in sorted(rows, key=str):
                    row = ours.get(key) or theirs[key]
                    around = passage["text"][max(0, row["start"] - 18) : row["end"] + 8].replace("\n", "/")
                    said = row.get("role") or row.get("kind") or row.get("value")
                    print(f"  {sign} {passage['id']} {kind} {row['field']} {said}  …{around}…")


BINS = (0.0, 0.6, 0.8, 0.9, 0.95, 0.98, 1.01)


def show_reliability(tagger: Tagger, passages: list[Passage]) -> None:
    """Prints, for bins of confidence, how many claims have it, its mean, and the share of them that are right."""
    seen: list[tuple[float, bool]] = []
    for passage in passages:
        for claim in read_passage(passage["text"], tagger)[1]:
            right = any(
                gold["start"] < claim["end"]
                and claim["start"] < gold["end"]
                and (gold["field"], float(gold["value"])) == (claim["field"], claim["value"])
                for gold in passage["claims"]
            )
            seen.append((claim["confidence"], right))
    print(f"{len(seen)} claims in {len(passages)} passages")
    for low, high in pairwise(BINS):
        inside = [(confidence, right) for confidence, right in seen if low <= confidence < high]
        if inside:
            mean = statistics.mean(confidence for confidence, _ in inside)
            share = statistics.mean(right for _, right in inside)
            print(f"  {low:.2f}-{min(high, 1.0):.2f}  {len(inside):5}  mean {mean:.3f}  right {share:.3f}")


def measure_speed(tagger: Tagger, paths: list[Path]) -> None:
    """Prints sentences a second over all files, milliseconds for the prose of a report, and this process's memory."""
    proses = []
    for path in paths:
        document = read_document(path)
        proses.append((document, read_tables(document, load_forms()).stretches))
    language = load_language(tagger)
    read_narrative(*proses[0], tagger)
    times, sentences, tagged = [], 0, 0
    for document, stretches in proses:
        doc = language.make_doc(find_prose(document, stretches).text)
        sents = list(language.get_pipe("gongkai_sentences")(doc).sents)
        sentences += len(sents)
        tagged += sum(can_state(sent.text) for sent in sents)
        begun = time.perf_counter()
        read_narrative(document, stretches, tagger)
        times.append(time.perf_counter() - begun)
    print(
        f"{len(paths)} reports, {sentences} sentences, {tagged} of them tagged: "
        f"{sentences / sum(times):.0f} sentences a second, median {1000 * statistics.median(times):.0f} ms a report, "
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )


if __name__ == "__main__":
    main()
