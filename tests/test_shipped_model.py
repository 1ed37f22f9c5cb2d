"""The model that comes with the repository: that it is whole, small, and as good as its card says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from extractors.fields import claim_fields
from models.corpus import read_passages
from models.evaluate import count, read_passage, score, total
from models.reader import model_directory, reader_version
from models.tagger import WEIGHTS, load_tagger

ROOT = Path(__file__).parent.parent
CARD = json.loads((WEIGHTS / "model.json").read_text(encoding="utf-8"))


def test_it_has_every_field_and_is_at_most_forty_megabytes() -> None:
    assert CARD["fields"] == [field.name for field in claim_fields()]
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) <= 40e6
    assert reader_version().endswith(f"+{CARD['id']}")
    assert model_directory() == WEIGHTS


def test_its_card_says_how_good_it_is_and_so_it_is() -> None:
    passages = read_passages([ROOT / "data/gold/test/dev.jsonl"])
    tagger = load_tagger()
    counts = total(count(passage, *read_passage(passage["text"], tagger)) for passage in passages)
    for measure in ("claim", "value", "part_of", "channel"):
        stated = CARD["metrics"]["dev"][measure]["f1"]
        # Another processor rounds eight-bit products differently: a claim or two.
        assert score(counts, measure).f1 == pytest.approx(stated, abs=0.015), measure


def test_what_it_was_taught_it_was_not_tested_on() -> None:
    learnt = {row["text"] for row in read_passages(sorted((ROOT / "data/gold/train").glob("*.jsonl")))}
    tested = {row["text"] for row in read_passages(sorted((ROOT / "data/gold/test").glob("*.jsonl")))}
    assert len(tested) >= 400 and not learnt & tested


def test_plain_sentences_are_read_as_anyone_would() -> None:
    text = "2023年,全镇主动公开政府信息310条,其中通过县政府网站公开101条。收到政府信息公开申请5件,未发生行政复议。"
    entities, claims = read_passage(text, load_tagger())
    assert [(claim["field"], claim["value"]) for claim in claims] == [
        ("disclosed_total", 310), ("disclosed_part", 101), ("requests_received", 5), ("reviews", 0),
    ]  # fmt: skip
    assert claims[1]["part_of"] == claims[0]["id"]
    assert [(entity["field"], entity["kind"]) for entity in entities] == [("channel", "website")]
    assert all(claim["confidence"] > 0.8 for claim in claims)


@pytest.mark.slow
def test_reading_needs_no_torch() -> None:
    # Libraries that know torch import it where it is installed; without it everything must go on working.
    script = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None; "
        "from models.tagger import load_tagger; load_tagger()(['公开信息3条。'])"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, timeout=120)
