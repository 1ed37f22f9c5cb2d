"""The model's data, labels, decoding and scores: all of it that needs no torch."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors.encoding import encode
from extractors.fields import claim_fields
from extractors.narrative import CHANNEL, LEADER, NIL
from models.augment import Chances, Composer
from models.corpus import Example, Target, cut, hold_out, join, read_passages, segments, to_example
from models.decode import decode, viterbi
from models.evaluate import count, interval, read_passage, score, total
from models.tags import Tags
from tests.taggers import LookUp

GOLD = Path(__file__).parent.parent / "data/gold"
TAGS = Tags(("disclosed_total", "disclosed_part", NIL, LEADER, CHANNEL))


def passage(text: str, claims: list[dict[str, Any]], entities: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A passage whose spans are given by their printed text."""
    plain = {"unit": None, "bound": "exact", "label": None, "scope": None, "part_of": None, "partition": None}
    rows = []
    for number, claim in enumerate(claims):
        start = text.index(claim["text"])
        rows.append({"id": f"c{number}", **plain, **claim, "start": start, "end": start + len(claim["text"])})
    named = [
        {"role": None, "kind": None, **e, "start": text.index(e["text"]), "end": text.index(e["text"]) + len(e["text"])}
        for e in entities or []
    ]
    return {"id": "p", "text": text, "claims": rows, "entities": named}


PASSAGE = passage(
    "全年公開 信息３１0條,其中網站101條。未发生复议、诉讼。周岚分管。",
    [
        {"text": "３１0條", "field": "disclosed_total", "value": 310, "unit": "條", "id": "a"},
        {"text": "101條", "field": "disclosed_part", "value": 101, "unit": "條", "part_of": "a", "partition": "a1"},
        {"text": "未发生", "field": "reviews", "value": 0},
        {"text": "未发生", "field": "litigations", "value": 0},
    ],
    [{"text": "網站", "field": "channel", "kind": "website"}, {"text": "周岚", "field": "leader"}],
)


def test_an_example_is_simplified_without_white_space_and_its_spans_keep_their_words() -> None:
    example = to_example(PASSAGE)
    assert example.chars == "全年公开信息310条,其中网站101条。未发生复议、诉讼。周岚分管。"
    read = [(example.chars[t.start : t.end], t.tag, t.fields, t.whole) for t in example.targets]
    assert read == [
        ("310条", "disclosed_total", (), None),
        ("101条", "disclosed_part", (), 0),
        ("未发生", NIL, ("reviews", "litigations"), None),
        ("网站", CHANNEL, (), None),
        ("周岚", LEADER, (), None),
    ]


def test_segments_are_cut_at_stops_that_no_part_reaches_over_and_join_to_the_whole() -> None:
    example = to_example(PASSAGE)
    pieces = segments(example)
    assert [piece.chars for piece in pieces] == [
        "全年公开信息310条,其中网站101条。",
        "未发生复议、诉讼。",
        "周岚分管。",
    ]
    joined = join(pieces)
    assert joined.chars == example.chars and set(joined.targets) == set(example.targets)
    far = to_example(
        passage(
            "公开31条。其中网站8条。",
            [
                {"text": "31条", "field": "disclosed_total", "value": 31, "id": "a"},
                {"text": "8条", "field": "disclosed_part", "value": 8, "part_of": "a", "partition": "a1"},
            ],
        )
    )
    assert len(segments(far)) == 1


def test_long_examples_are_cut_between_segments() -> None:
    example = join([to_example(PASSAGE)] * 12)
    pieces = list(cut(example, 100))
    assert "".join(piece.chars for piece in pieces) == example.chars
    assert all(len(piece.chars) <= 100 for piece in pieces)
    assert sum(len(piece.targets) for piece in pieces) == len(example.targets)


def test_what_is_composed_keeps_every_span_on_its_words() -> None:
    rng = random.Random(4)
    examples = [to_example(row) for row in read_passages([GOLD / "test/dev.jsonl"])]
    composer = Composer(examples, rng, Chances(mixed=1.0, name=0.0, digits=0.0, misread=0.0, lost=0.0))
    known = {(e.chars[t.start : t.end], t.tag) for e in examples for t in e.targets}
    for example in examples:
        made = composer(example)
        assert {(made.chars[t.start : t.end], t.tag) for t in made.targets} <= known
        assert all(made.targets[t.whole].start != t.start for t in made.targets if t.whole is not None)


def test_changed_names_and_numbers_stay_in_their_places() -> None:
    example = Example("周岚分管,公开310条。", (Target(0, 2, LEADER), Target(7, 11, "disclosed_total")))
    made = Composer([example], random.Random(1), Chances(0.0, 1.0, 1.0, 0.0, 0.0))(example)
    assert made.targets == example.targets
    assert made.chars[2:7] == "分管,公开" and made.chars[9] == "0" and made.chars[10:] == "条。"
    assert made.chars != example.chars


def test_a_passage_is_held_out_by_its_own_name_whatever_the_others_are() -> None:
    rows = [{"id": f"p{number}"} for number in range(400)]
    learnt, held = hold_out(rows, 0.1, 3)
    assert 20 <= len(held) <= 60 and len(learnt) + len(held) == 400
    assert hold_out(rows[:50], 0.1, 3)[1] == [row for row in held if row in rows[:50]]


def test_a_damaged_file_of_labels_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    row = json.loads(json.dumps(PASSAGE))
    row["claims"][0]["start"] += 1
    path.write_text(json.dumps(PASSAGE) + "\n\n" + json.dumps(row) + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"labels\.jsonl, line 3: .*does not stand at"):
        read_passages([path])


def confident(chars: str, spans: list[tuple[str, str]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Scores of a model that is sure of each printed span and of nothing being elsewhere."""
    places = [(chars.index(text), chars.index(text) + len(text), name) for text, name in spans]
    scores = np.zeros((len(chars), len(TAGS.names)), np.float32)
    scores[np.arange(len(chars)), TAGS.encode(len(chars), places)] = 8.0
    return scores


def test_figures_have_the_bounds_of_the_rules_and_the_field_of_the_model() -> None:
    chars = "公开约310条,周岚分管,无申请"
    scores = confident(chars, [("310", "disclosed_total"), ("周岚", LEADER), ("无", NIL)])
    mentions = decode(chars, TAGS, scores)
    assert [(chars[m.start : m.end], m.label) for m in mentions] == [
        ("约310条", "disclosed_total"),
        ("周岚", LEADER),
        ("无", NIL),
    ]
    assert all(mention.score > 0.5 for mention in mentions)


def test_a_figure_that_the_model_passes_over_states_nothing() -> None:
    chars = "依据第711号令,2021年公开310条"
    mentions = decode(chars, TAGS, confident(chars, [("310条", "disclosed_part")]))
    assert [chars[m.start : m.end] for m in mentions] == ["310条"]


def test_a_unit_that_the_rules_do_not_know_is_taken_from_the_model() -> None:
    chars = "播发公告26匣。"
    (mention,) = decode(chars, TAGS, confident(chars, [("26匣", "disclosed_part")]))
    assert chars[mention.start : mention.end] == "26匣"


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 10_000))
def test_no_inside_stands_without_its_beginning(length: int, seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(length, len(TAGS.names))).astype(np.float32)
    path = viterbi(scores, TAGS)
    for before, tag in zip([0, *path], path, strict=False):
        if tag and tag % 2 == 0:
            assert before in (tag, tag - 1)


def test_spans_to_tags_and_back() -> None:
    spans = [(0, 3, "disclosed_total"), (3, 4, "disclosed_total"), (6, 8, LEADER)]
    tags = TAGS.encode(9, spans)
    assert [TAGS.names[tag] for tag in tags][:4] == [
        "B-disclosed_total", "I-disclosed_total", "I-disclosed_total", "B-disclosed_total",
    ]  # fmt: skip
    with pytest.raises(KeyError):
        TAGS.encode(3, [(0, 2, "unknown")])


def test_fields_are_those_of_the_contract() -> None:
    named = {field.name for field in claim_fields()}
    used = {claim["field"] for row in read_passages(sorted(GOLD.glob("t*/*.jsonl"))) for claim in row["claims"]}
    assert used == named


def test_scores_count_what_was_found_missed_and_invented() -> None:
    gold = passage(
        "公开310条,其中网站101条,报纸9条。未收到申请。",
        [
            {"text": "310条", "field": "disclosed_total", "value": 310, "unit": "条", "id": "a"},
            {"text": "101条", "field": "disclosed_part", "value": 101, "unit": "条", "part_of": "a", "partition": "x"},
            {"text": "9条", "field": "disclosed_part", "value": 9, "unit": "条", "part_of": "a", "partition": "x"},
            {"text": "未收到", "field": "requests_received", "value": 0},
        ],
        [{"text": "网站", "field": "channel", "kind": "website"}],
    )
    tagger = LookUp(
        {
            "310条": "disclosed_total",
            "101条": "responses",
            "未收到": ("requests_received",),
            "网站": "channel",
            "报纸": "channel",
        }
    )
    counts = total([count(gold, *read_passage(gold["text"], tagger))])
    claims = score(counts, "claim")
    assert (claims.precision, claims.recall, claims.support) == (2 / 3, 2 / 4, 4)
    assert score(counts, "value").precision == 1.0 and score(counts, "value").recall == 3 / 4
    assert score(counts, "nil").f1 == 1.0
    assert score(counts, "channel").precision == 1 / 2 and score(counts, "channel with kind").recall == 1.0
    assert score(counts, "claim", "responses").precision == 0.0
    low, high = interval([counts], "claim")
    assert low == high == pytest.approx(claims.f1)


def test_encoding_keeps_places_over_white_space_and_rare_characters() -> None:
    text = "公　開\u200a𠮷 12\n條😀"
    encoded = encode(text)
    assert encoded.chars == "公开𠮷12\n条😀"
    assert [text[at] for at in encoded.origin] == list("公開𠮷12\n條😀")
    start = encoded.chars.index("12")
    assert encoded.span(start, start + 2) == (text.index("12"), text.index("12") + 2)
