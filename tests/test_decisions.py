"""Decisions: only added to, found by content, stale where the reading changed, the same after export and import."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import make_file, make_record

from flows.cli import main
from flows.decisions import (
    FILE_NAME,
    Decision,
    DecisionError,
    Decisions,
    from_line,
    look_up,
    open_decisions,
    readings,
    state_of,
    to_line,
)
from flows.labels import export_decisions, import_decisions
from flows.reviewed import reviews, statuses, typed_cell

KEY = "applications.new.total"
SHA = "ab" * 32
READING = {"status": "reported", "value": 31, "raw": "31"}


def make(n: int = 0, **changes: Any) -> Decision:
    made = f"2026-01-02T03:04:05.{n:06d}+00:00"
    plain = Decision(SHA, "cell", KEY, "right", "周岚", made, "1", raw="31", reading=READING)
    return replace(plain, **changes)


@pytest.fixture
def decisions(tmp_path: Path) -> Iterator[Decisions]:
    with open_decisions(tmp_path) as opened:
        yield opened


def test_the_last_decision_on_a_target_stands(decisions: Decisions) -> None:
    decisions.add([make(1), make(2, verdict="publisher"), make(1, target="applications.new.other")])
    standing = decisions.standing(SHA)
    assert standing["cell", KEY].verdict == "publisher"
    assert len(standing) == 2
    assert len(list(decisions.every())) == 3


def test_an_undo_brings_back_what_was_decided_before(decisions: Decisions) -> None:
    first, second = make(1), make(2, verdict="unsure")
    decisions.add([first, second])
    assert decisions.undo(second.id, "周岚") == 1
    assert decisions.standing(SHA)["cell", KEY] == first
    decisions.undo(first.id, "周岚")
    assert decisions.standing(SHA) == {}
    assert [one.verdict for one in decisions.every()] == ["right", "unsure", "undone", "undone"]
    assert decisions.undo(first.id, "周岚") == 0


def test_what_was_decided_is_never_changed_or_removed(decisions: Decisions, tmp_path: Path) -> None:
    decisions.add([make()])
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        for statement in ("UPDATE decisions SET verdict = 'unsure'", "DELETE FROM decisions"):
            with pytest.raises(sqlite3.IntegrityError, match="never"):
                other.execute(statement)
    other.close()


def test_many_writers_lose_nothing(tmp_path: Path) -> None:
    """Processes and threads: two reviewers, and a third who imports."""
    code = (
        "import sys; from pathlib import Path; from dataclasses import replace\n"
        "from flows.decisions import Decision, open_decisions\n"
        "with open_decisions(Path(sys.argv[1])) as d:\n"
        "    for n in range(20):\n"
        "        made = f'2026-01-02T03:04:05.{n:06d}+00:00'\n"
        "        d.add([Decision('ab' * 32, 'cell', f'k{n}', 'right', sys.argv[2], made, '1')])\n"
    )
    others = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in ("one", "two")]
    with open_decisions(tmp_path) as decisions:

        def work(name: str) -> None:
            for n in range(10):
                decisions.add([make(n, target=f"k{n}", reviewer=name)])

        threads = [threading.Thread(target=work, args=(name,)) for name in ("three", "four")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [other.wait() for other in others] == [0, 0]
        assert len(list(decisions.every())) == 2 * 20 + 2 * 10
        assert len(decisions.standing(SHA)) == 20


def test_export_and_import_give_the_same_and_only_once(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    odd = "𠮷野\u2028😀 “<script>”"
    truth = {"status": "reported", "value": 1.5, "raw": "1.5"}
    with open_decisions(one) as decisions:
        decisions.add([make(1, note=odd, truth=truth, verdict="corrected", about={"authority": odd}), make(2)])
        decisions.undo(make(2).id, "周岚")
        before = list(decisions.every())
    file = tmp_path / "d.jsonl"
    assert export_decisions(one, file) == "3 decisions"
    assert import_decisions(other, file) == "3 decisions added, 0 were there"
    assert import_decisions(other, file) == "0 decisions added, 3 were there"
    with open_decisions(other) as decisions:
        assert list(decisions.every()) == before
        assert decisions.standing(SHA)["cell", KEY].note == odd
    again = tmp_path / "again.jsonl"
    export_decisions(other, again)
    assert again.read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"verdict": "unsure"}, "changed"),
        ({"kind": "nothing"}, "no kind"),
        ({"sha256": "../../etc"}, "digest"),
        ({"made": "yesterday"}, "isoformat"),
        ({"made": "2026-01-02T03:04:05.000000+08:00"}, "UTC"),
        ({"undoes": "x"}, "undoing"),
        ({"target": 5}, "text"),
        ({"reading": "31"}, "objects"),
        ({"more": 1}, "more"),
        ({"note": "\ud800"}, "surrogates"),
        ({"schema": "gongkai.decision/2"}, "gongkai.decision/1"),
    ],
)
def test_a_line_that_is_no_decision_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DecisionError, match=message):
        from_line(json.dumps(json.loads(to_line(make())) | changes))


def test_one_bad_line_takes_in_nothing(tmp_path: Path) -> None:
    file = tmp_path / "d.jsonl"
    file.write_text(f"{to_line(make())}\n[1]\n", encoding="utf-8")
    with pytest.raises(DecisionError, match="line 2"):
        import_decisions(tmp_path, file)
    with open_decisions(tmp_path) as decisions:
        assert not list(decisions.every())


def record(**wish: Any) -> dict[str, Any]:
    return dict(json.loads(make_record(make_file("a.txt"), **wish)))


def test_a_decision_is_stale_where_the_reading_changed_and_agrees_where_it_is_now_right() -> None:
    decision = make(verdict="corrected", truth={"status": "reported", "value": 37, "raw": "37"})

    def state(value: int, raw: str) -> str:
        return state_of(decision, look_up(decision, readings(record(values={KEY: value}, raw=raw))))

    assert state(31, "31") == "stands"
    assert state(37, "37件") == "agrees"
    assert state(3, "3") == "stale"
    assert state_of(decision, None) == "stale"


def claim(start: int, field: str, text: str = "126条", value: int = 126) -> dict[str, Any]:
    plain = {"id": f"c{start}", "unit": "条", "bound": "exact", "sentence": "s", "label": None, "scope": None}
    rest = {"part_of": None, "partition": None, "confidence": 0.9}
    place = {"start": start, "end": start + len(text)}
    return {**plain, **rest, "field": field, "text": text, "value": value, "evidence": place}


def test_a_claim_that_moved_keeps_its_decision() -> None:
    before, after = record(), record()
    before["claims"], after["claims"] = [claim(10, "disclosed_part")], [claim(13, "disclosed_part")]
    reading = readings(before)["claim", "10-14/disclosed_part"]
    decision = make(kind="claim", target="10-14/disclosed_part", raw="126条", reading=reading)
    found = reviews(after, {(decision.kind, decision.target): decision})
    assert found["claim", "13-17/disclosed_part"].state == "stands"
    after["claims"].append(claim(40, "disclosed_part"))
    assert look_up(decision, readings(after)) is None


def test_a_claim_that_the_model_now_reads_as_decided_agrees() -> None:
    before, after = record(), record()
    before["claims"], after["claims"] = [claim(10, "disclosed_part")], [claim(10, "disclosed_total")]
    reading = readings(before)["claim", "10-14/disclosed_part"]
    truth = {**reading, "field": "disclosed_total", "start": 10, "end": 14}
    decision = make(kind="claim", target="10-14/disclosed_part", raw="126条", reading=reading, truth=truth)
    assert state_of(decision, look_up(decision, readings(after))) == "agrees"


def test_sums_are_worked_out_again_with_what_was_corrected() -> None:
    row = "applications.new"
    values = {f"{row}.{name}": 0 for name in ("business", "research", "charity", "legal_service", "other")}
    read = record(values=values | {f"{row}.natural_person": 37, KEY: 31})
    truth = {"status": "reported", "value": 37, "raw": "37"}
    reading = readings(read)["cell", KEY]
    decision = make(verdict="corrected", truth=truth, reading=reading)
    found = statuses(read, reviews(read, {("cell", KEY): decision}))
    (rule,) = (name for name in found if name.startswith("form.applicants") and name.endswith("new"))
    assert found[rule] == "consistent"
    stale = replace(decision, reading={**reading, "value": 5})
    assert statuses(read, reviews(read, {("cell", KEY): stale})) == {}
    assert statuses(read, {}) == {}


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("12", "件", ("reported", 12)), ("", "件", ("blank", None)), ("/", "件", ("blank", None)),
        ("减11", "项", ("reported", -11)), ("25100元", "万元", ("reported", 2.51)), ("０", "件", ("reported", 0)),
    ],
)  # fmt: skip
def test_what_is_typed_is_read_as_a_cell_prints_it(text: str, unit: str, expected: tuple[str, Any]) -> None:
    truth = typed_cell(text, unit)
    assert (truth["status"], truth["value"]) == expected


def test_words_are_no_value_of_a_cell() -> None:
    with pytest.raises(DecisionError, match="no number"):
        typed_cell("<script>", "件")


def test_the_commands_move_decisions_and_labels(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with open_decisions(tmp_path) as decisions:
        decisions.add([make()])
    assert main(["decisions", "export", "-", "--store", str(tmp_path)]) == 0
    out, err = capfd.readouterr()
    assert (from_line(out.strip()), err) == (make(), "1 decisions\n")
    assert main(["labels", "--confirmed", "--out", str(tmp_path / "x"), "--store", str(tmp_path)]) == 0
    assert main(["decisions", "import", str(tmp_path / "none"), "--store", str(tmp_path)]) == 2
    assert main(["decisions", "export", "-", "--store", str(tmp_path / "none")]) == 2
    assert main(["labels", "--predicted", "3", "--out", str(tmp_path / "x"), "--store", str(tmp_path)]) == 2
    assert main(["review", "--store", str(tmp_path / "none")]) == 2
    assert "there is no store" in capfd.readouterr().err
