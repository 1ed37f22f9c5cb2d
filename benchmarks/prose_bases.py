"""What the prose model should stand on: bases and networks trained alike, two seeds each. Needs the extra ``train``.

    python -m benchmarks.prose_bases --out FOLDER                    every network that needs no other base
    python -m benchmarks.prose_bases --out FOLDER --deep DIR         and one of 12 layers, converted to DIR
    python -m benchmarks.prose_bases --out FOLDER --only tok2vec --seeds 1

Trained on ``--hands`` of data/gold/train for ``--epochs``; far less than what ships, the same for all. Measured on
data/gold/test, with the same rules behind. A finished training is not repeated; its scores lie in FOLDER/scores.jsonl.
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example as Lesson
from spacy.util import fix_random_seed, minibatch

from extractors.encoding import encode
from extractors.narrative import NIL, Mention, Tagger
from models.augment import Composer
from models.corpus import Example, Passage, cut, read_passages, to_example
from models.train import BASE, Settings, measure, train

GOLD = Path(__file__).parent.parent / "data/gold"
MEASURES = ("claim", "value", "nil", "part_of", "leader", "channel")
_PLAIN = Settings(patience=99)
NETWORKS = {
    "6 layers": _PLAIN,
    "4 layers": replace(_PLAIN, layers=4),
    "6 layers, random start": replace(_PLAIN, random_start=True),
    "BiLSTM on its embeddings": replace(_PLAIN, kind="recurrent"),
}
DEEP = "12 layers"
TOK2VEC = "tok2vec"
# So many times the epochs for the network that starts from nothing and takes a tenth of the time for one.
PATIENT = 4


class SpacyTagger:
    """spaCy's entity recogniser on a character a token; a nil's label names the fields that it denies."""

    def __init__(self, language: Language) -> None:
        self._language = language

    def __call__(self, windows: Sequence[str], /) -> list[list[Mention]]:
        """The mentions in each window, without scores to speak of."""
        return [self._read(window) for window in windows]

    def _read(self, window: str) -> list[Mention]:
        encoded = encode(window)
        doc = self._language(Doc(self._language.vocab, words=list(encoded.chars), spaces=[False] * len(encoded.chars)))
        found = []
        for span in doc.ents:
            start, end = encoded.span(span.start, span.end)
            label, *fields = span.label_.split("|")
            found.append(Mention(start, end, label, tuple(fields), 1.0))
        return found


def main() -> None:
    """Trains what is not there yet and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--deep", type=Path, help="a base of 12 layers")
    parser.add_argument("--only", nargs="+", help="names of networks")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--hands", nargs="+", type=int, default=[1, 2, 3, 4, 5, 6])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    labels = [GOLD / "train" / f"hand-{hand:02}.jsonl" for hand in options.hands]
    tests = {path.stem: read_passages([path]) for path in sorted((GOLD / "test").glob("*.jsonl"))}
    names = [*NETWORKS, TOK2VEC, *([DEEP] if options.deep else [])]
    scores = options.out / "scores.jsonl"
    for name in names if options.only is None else options.only:
        for seed in options.seeds:
            if (name, seed) in {(row["network"], row["seed"]) for row in read_scores(scores)}:
                continue
            begun = time.monotonic()
            if name == TOK2VEC:
                tagger: Tagger = train_spacy(read_passages(labels), PATIENT * options.epochs, seed)
            else:
                settings = replace(NETWORKS.get(name, _PLAIN), epochs=options.epochs, seed=seed)
                tagger = train_network(labels, options.out / f"{name}-{seed}", options.deep, name == DEEP, settings)
            row = {"network": name, "seed": seed, "minutes": round((time.monotonic() - begun) / 60, 1)}
            row |= {stem: score(tagger, passages) for stem, passages in tests.items()}
            with scores.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    print_table(read_scores(scores))


def score(tagger: Tagger, passages: Sequence[Passage]) -> dict[str, float]:
    """F1 of the measures of the table."""
    table = measure(tagger, passages)
    return {name: table[name]["f1"] for name in MEASURES}


def train_network(labels: Sequence[Path], out: Path, deep: Path | None, is_deep: bool, settings: Settings) -> Tagger:
    """One of this package's networks, as ``gongkai train`` makes it."""
    from models.tagger import Tagger as Served

    train(labels, out, str(deep) if is_deep else str(BASE), settings)
    return Served(out)


def train_spacy(passages: Sequence[Passage], epochs: int, seed: int) -> SpacyTagger:
    """SpaCy's default recogniser on its default tok2vec, with the same recombined examples an epoch."""
    fix_random_seed(seed)
    rng = random.Random(seed)
    examples = [piece for passage in passages for piece in cut(to_example(passage))]
    composer = Composer(examples, rng)
    language = spacy.blank("zh")
    lesson = functools.partial(_lesson, language)
    language.add_pipe("ner")
    optimiser = language.initialize(lambda: [lesson(example) for example in examples])
    for _ in range(epochs):
        lessons = [lesson(composer(example)) for example in examples]
        rng.shuffle(lessons)
        for batch in minibatch(lessons, 12):
            language.update(batch, sgd=optimiser, drop=0.2)
    return SpacyTagger(language)


def _lesson(language: Language, example: Example) -> Lesson:
    doc = Doc(language.vocab, words=list(example.chars), spaces=[False] * len(example.chars))
    taught = doc.copy()
    taught.set_ents([doc.char_span(*place, label=label) for *place, label in _labelled(example)])
    return Lesson(doc, taught)


def _labelled(example: Example) -> list[tuple[int, int, str]]:
    return [
        (target.start, target.end, "|".join((target.tag, *target.fields)) if target.tag == NIL else target.tag)
        for target in example.targets
    ]


def read_scores(path: Path) -> list[dict[str, object]]:
    """The rows of the trainings that are done."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def print_table(rows: Sequence[dict[str, object]]) -> None:
    """A line a network, seed and test set, in Markdown."""
    print(f"| network | seed | minutes | set | {' | '.join(MEASURES)} |")
    print("|---" * (4 + len(MEASURES)) + "|")
    for row in rows:
        for stem in sorted(set(row) - {"network", "seed", "minutes"}):
            figures = row[stem]
            assert isinstance(figures, dict)
            shown = " | ".join(f"{figures[name]:.3f}" for name in MEASURES)
            print(f"| {row['network']} | {row['seed']} | {row['minutes']} | {stem} | {shown} |")


if __name__ == "__main__":
    main()
