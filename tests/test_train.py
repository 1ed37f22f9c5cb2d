"""Training end to end on a handful of passages. Needs the extra ``train``; skipped, loudly, without it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from extractors.extract import extract_report
from flows.train import TrainingError, shipped, train_model
from models.corpus import read_passages
from models.tagger import ModelError, Tagger

torch = pytest.importorskip("torch", reason="the extra train is not installed: pip install -e '.[train]'")
# torch warns of its own exporter; what it warns of is not ours to mend.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty of the shipped passages."""
    path = tmp_path_factory.mktemp("labels") / "labels.jsonl"
    rows = random.Random(5).sample(read_passages(shipped("train")[:1]), 40)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model(labels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that has seen them once."""
    out = tmp_path_factory.mktemp("model") / "model"
    lines = train_model([labels], out, only=True, tests=[labels], epochs=1)
    assert lines[0].startswith("model ") and "claim " in "\n".join(lines)
    return out


def test_a_model_is_trained_exported_and_read_with_without_torch(model: Path) -> None:
    card = json.loads((model / "model.json").read_text(encoding="utf-8"))
    assert card["export"]["export"] < 1e-3
    assert card["passages"] + card["held_out"] == 40 and card["base"] == "shipped"
    assert set(card["metrics"]) == {"labels"} and card["metrics"]["labels"]["claim"]["support"] > 50
    assert Tagger(model)(["全年公开信息310条。", ""])[1] == []


def test_a_model_goes_on_from_its_own_weights(model: Path, labels: Path, tmp_path: Path) -> None:
    before = json.loads((model / "model.json").read_text(encoding="utf-8"))
    train_model([labels], tmp_path / "next", base=str(model), only=True, tests=[labels], epochs=1)
    after = json.loads((tmp_path / "next/model.json").read_text(encoding="utf-8"))
    assert after["id"] != before["id"] and after["base"] == "shipped"
    # It starts where the other ended, not at the beginning.
    assert after["history"][0]["loss"] < 0.8 * before["history"][0]["loss"]


def test_the_same_seed_gives_the_same_model(model: Path, labels: Path, tmp_path: Path) -> None:
    train_model([labels], tmp_path / "again", only=True, tests=[labels], epochs=1)
    first, again = (
        json.loads((path / "model.json").read_text(encoding="utf-8")) for path in (model, tmp_path / "again")
    )
    assert first["id"] == again["id"]
    for one, other in zip(first["history"], again["history"], strict=True):
        assert one == pytest.approx(other)


def test_labels_that_are_missing_or_damaged_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="nowhere.jsonl: no such file"):
        train_model([tmp_path / "nowhere.jsonl"], tmp_path / "out", only=True)
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"text": "x"}\n', encoding="utf-8")
    with pytest.raises(TrainingError, match="bad.jsonl, line 1"):
        train_model([bad], tmp_path / "out", only=True)
    with pytest.raises(ModelError, match="no model that can be run"):
        Tagger(tmp_path)


def test_a_model_of_ones_own_reads_a_report(model: Path) -> None:
    path = ROOT / "data/samples/text_2021_markdown.txt"
    assert extract_report(path, Tagger(model)).cells == extract_report(path).cells != ()
