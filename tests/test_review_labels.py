"""From decisions to labels, there and back: gold passages, Label Studio, doccano, spaCy, pictures of cells."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import spacy
from conftest import make_file, make_record
from PIL import Image
from spacy.tokens import DocBin

from flows import labels
from flows.decisions import Decision, DecisionError, open_decisions
from flows.export import export
from flows.store import Store
from models.corpus import read_passages, to_example

TEXT = "𠮷山镇😀主动公开126条，其中“𡈽”微信43条，未收到申请。"


def span(words: str, field: str, **more: Any) -> dict[str, Any]:
    start = TEXT.index(words)
    return {"field": field, "start": start, "end": start + len(words), "text": words, **more}


def passage(name: str = "p1") -> dict[str, Any]:
    plain = {"unit": "条", "bound": "exact", "scope": None}
    whole = {"label": "公开", "part_of": None, "partition": None}
    part = {"label": None, "part_of": "a", "partition": "a1"}
    nil = {"id": "c", "value": 0, "unit": None, "bound": "exact", "scope": None, **whole}
    return {
        "id": name,
        "text": TEXT,
        "entities": [span("“𡈽”微信", "channel", role=None, kind="wechat")],
        "claims": [
            span("126条", "disclosed_total", id="a", value=126, **plain, **whole),
            span("43条", "disclosed_part", id="b", value=43, **plain, **part),
            span("未收到", "requests_received", **nil),
        ],
        "tags": ["town"],
    }


@pytest.mark.parametrize("kind", ["gold", "label-studio", "doccano"])
def test_passages_come_back_as_they_were(kind: str, tmp_path: Path) -> None:
    labels.write_labels([passage(), passage("p2")], kind, tmp_path / "x")
    assert labels.read_labels(tmp_path / "x", kind) == [passage(), passage("p2")]
    labels.write_labels([passage()], kind, tmp_path / "y", predicted=True)
    assert labels.read_labels(tmp_path / "y", kind) == [passage()]


def test_a_task_to_start_from_has_predictions_and_no_annotation() -> None:
    task = labels.to_label_studio(passage(), predicted=True)
    assert "annotations" not in task
    result = task["predictions"][0]["result"][1]
    assert result["value"] == {"start": 8, "end": 12, "text": "126条", "labels": ["disclosed_total"]}
    assert 'value="disclosed_total"' in labels.label_studio_config()


def test_offsets_of_either_unit_are_told_by_their_words() -> None:
    """Label Studio up to 1.4 counts UTF-16 units: two more behind 𠮷 and 😀, three behind 𡈽."""
    task = labels.to_label_studio(passage())
    for result in task["annotations"][0]["result"]:
        value = result["value"]
        for edge in ("start", "end"):
            value[edge] = len(TEXT[: value[edge]].encode("utf-16-le")) // 2
    assert task["annotations"][0]["result"][1]["value"]["start"] == 10
    assert labels.from_label_studio(task) == passage()


@pytest.mark.parametrize(("place", "point"), [(0, 0), (2, 1), (3, 2), (4, 3), (6, 4), (7, 5)])
def test_utf16_offsets_are_those_of_characters(place: int, point: int) -> None:
    assert labels.code_point_offset("𠮷山镇😀主", place) == point


def test_an_offset_within_a_character_is_refused() -> None:
    for place in (1, 99, -1):
        with pytest.raises(ValueError, match=r"offset|decode"):
            labels.code_point_offset("𠮷山", place)
    task = labels.to_label_studio(passage())
    task["annotations"][0]["result"][0]["value"]["text"] = "别的"
    with pytest.raises(ValueError, match="does not stand"):
        labels.from_label_studio(task)


def test_what_a_person_changed_in_another_tool_is_taken_over() -> None:
    line = labels.to_doccano(passage())
    place = TEXT.index("43条")
    line["label"] = [[place, place + 2, "responses"], [8, 12, "disclosed_total"]]
    found = labels.from_doccano(line)
    assert found["entities"] == []
    assert [(one["field"], one["value"], one["unit"]) for one in found["claims"]] == [
        ("disclosed_total", 126, "条"),
        ("responses", 43, None),
    ]


@pytest.mark.parametrize("label", [[0, 99, "responses"], [0, 1, "no_field"], [3, 3, "responses"], ["0", 1, "staff"]])
def test_labels_that_do_not_fit_are_refused(label: list[Any], tmp_path: Path) -> None:
    line = labels.to_doccano(passage()) | {"label": [label]}
    (tmp_path / "x").write_text(json.dumps(line), encoding="utf-8")
    with pytest.raises(DecisionError, match="passage 1"):
        labels.read_labels(tmp_path / "x", "doccano")


def test_spacy_gets_a_token_a_character() -> None:
    (doc,) = DocBin().from_bytes(labels.to_docbin([passage()])).get_docs(spacy.blank("xx").vocab)
    assert doc.text == TEXT
    assert [(one.start, one.end, one.label_) for one in doc.ents] == [(15, 20, "channel")]
    claims = [(one.start, one.end, one.label_) for one in doc.spans["claims"]]
    assert claims[0] == (8, 12, "disclosed_total")
    assert json.loads(doc.user_data["passage"]) == passage()


def decision(folder: Path, **wish: Any) -> Decision:
    plain = {"verdict": "right", "reviewer": "x", "made": "2026-01-02T03:04:05.000000+00:00", "extractor": "1"}
    made = Decision(**{"sha256": make_file("", "a.txt").sha256, **plain, **wish})
    with open_decisions(folder) as decisions:
        decisions.add([made])
    return made


def test_confirmed_paragraphs_train_a_model(tmp_path: Path) -> None:
    decision(tmp_path, kind="passage", target="0-33", truth=passage())
    truth = {"field": "responses", "text": "x", "start": 90, "end": 91}
    decision(tmp_path, kind="claim", target="90-91/responses", verdict="corrected", truth=truth)
    options = Namespace(
        cells=False, source=None, predicted=None, store=tmp_path, kind="gold", out=tmp_path / "labels.jsonl"
    )
    assert labels.convert(options) == "1 passages; 1 corrections in paragraphs that nobody confirmed are left out"
    (read,) = read_passages([tmp_path / "labels.jsonl"])
    assert [target.tag for target in to_example(read).targets] == [
        "disclosed_total",
        "disclosed_part",
        "nil",
        "channel",
    ]


def test_decided_cells_of_scans_become_pictures_with_their_truth(tmp_path: Path) -> None:
    picture = tmp_path / "scan.png"
    page = Image.new("RGB", (400, 300), "white")
    page.paste((10, 20, 30), (100, 50, 200, 100))
    page.save(picture)
    sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
    box = [size * 72 / 200 for size in (100, 50, 200, 100)]
    about = {"path": str(picture), "media_type": "image/png", "pages": 1, "scanned": True, "page": 1, "box": box}
    truth = {"status": "reported", "value": 7, "raw": "7"}
    common = {"sha256": sha256, "kind": "cell", "about": about}
    decision(tmp_path, target="a.b", verdict="corrected", truth=truth, raw="1", **common)
    decision(tmp_path, target="c", verdict="unsure", **common)
    decision(tmp_path, kind="cell", target="d", about=about | {"path": "gone.png"}, reading=truth)
    count, failures = labels.write_ocr_cases(tmp_path, tmp_path / "cases")
    assert (count, len(failures)) == (1, 1)
    case = json.loads((tmp_path / "cases" / "cases.jsonl").read_text(encoding="utf-8"))
    assert (case["text"], case["value"], case["read"], case["key"]) == ("7", 7, "1", "a.b")
    with Image.open(tmp_path / "cases" / case["picture"]) as cropped:
        assert cropped.size == pytest.approx((112, 62), abs=2)
        assert cropped.convert("RGB").getpixel((56, 31)) == (10, 20, 30)


def test_exports_mark_what_was_reviewed_and_keep_the_reading(tmp_path: Path) -> None:
    key, person = "applications.new.total", "applications.new.natural_person"
    with Store(tmp_path, writable=True) as store:
        store.start_run(Path("inbox"), "1")
        file = make_file("a.txt", "a.txt")
        record = make_record(file, values={key: 31, person: 37}, raw="31", broken=(key,))
        store.add_report(1, "1", file, record)
        reading = {"status": "reported", "value": 31, "raw": "31"}
        truth = {"status": "reported", "value": 37, "raw": "37"}
        decision(tmp_path, kind="cell", target=key, verdict="corrected", reading=reading, truth=truth, reviewer="=1+1")
        decision(tmp_path, kind="cell", target=person, reading={**reading, "value": 5}, raw="5")
        stream = io.BytesIO()
        export(store, "csv-long", stream)
        assert list(store.records()) == [record]
        export(store, "parquet", tmp_path / "parquet")
    rows = {row["key"]: row for row in csv.DictReader(io.StringIO(stream.getvalue().decode("utf-8-sig")))}
    names = ("value", "review", "reviewed_value", "review_state", "reviewer")
    assert [rows[key][name] for name in names] == ["31", "corrected", "37", "stands", "'=1+1"]
    assert [rows[person][name] for name in names] == ["37", "right", "", "stale", "x"]
    assert [rows["applications.new.other"][name] for name in names] == ["", "", "", "", ""]
