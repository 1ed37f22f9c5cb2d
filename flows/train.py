"""``gongkai train``: which passages, which base, and the table of scores; the training is ``models/train.py``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from extractors.forms import data_directory

# What differs where a trained model goes on learning: small steps, and few of the passages that it knows.
FINE_TUNING: dict[str, Any] = {"epochs": 4, "encoder_rate": 5e-5, "head_rate": 2e-4, "replay": 300}


class TrainingError(RuntimeError):
    """No model can be trained; the message says what is missing."""


def train_model(
    labels: Sequence[Path],
    out: Path,
    base: str | None = None,
    only: bool = False,
    tests: Sequence[Path] = (),
    epochs: int | None = None,
    seed: int | None = None,
) -> list[str]:
    """Trains a model into ``out``; the lines that say how good it is.

    Raises:
        TrainingError: the extra ``train`` is not installed, a file of labels is missing or damaged, or there is none.
    """
    try:
        from models.train import BASE, CHECKPOINT, Settings, train
    except ModuleNotFoundError as error:
        raise TrainingError(f"{error.name} is not installed; training needs: pip install 'gongkai[train]'") from error
    settings = Settings()
    goes_on = base is not None and (Path(base) / CHECKPOINT).exists()
    if goes_on:
        settings = replace(settings, **FINE_TUNING)
    asked: dict[str, Any] = {name: value for name, value in (("epochs", epochs), ("seed", seed)) if value is not None}
    settings = replace(settings, **asked)
    passages = [*labels, *([] if only else shipped("train"))]
    measured = list(tests) or shipped("test")
    missing = [path for path in (*passages, *measured) if not path.is_file()]
    if missing:
        raise TrainingError(f"{missing[0]}: no such file")
    if not passages:
        raise TrainingError("there is nothing to learn from: name files with --labels")
    try:
        card = train(passages, out, base or str(BASE), settings, measured, tuple(labels) if goes_on else ())
    except (ValueError, OSError) as error:
        raise TrainingError(str(error)) from error
    return list(_table(card, out))


def shipped(kind: str) -> list[Path]:
    """The passages of one kind (``train``, ``test``) that came with Gongkai."""
    return sorted((data_directory() / "gold" / kind).glob("*.jsonl"))


def _table(card: dict[str, Any], out: Path) -> Iterator[str]:
    yield f"model {card['id']} in {out}: {card['passages']} passages, {card['minutes']} minutes"
    for test, measures in card["metrics"].items():
        yield f"{test}: F1 (95 % interval), number annotated"
        for name, row in measures.items():
            low, high = row["interval"]
            yield f"  {name:32} {row['f1']:.3f}  ({low:.3f}-{high:.3f})  {row['support']}"
