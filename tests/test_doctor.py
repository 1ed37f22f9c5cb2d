"""What gongkai doctor says of a sound machine and of broken parts."""

from pathlib import Path

import pytest
from conftest import make_file, make_record

from flows.cli import main
from flows.doctor import examine
from flows.store import FILE_NAME, Store
from models.tagger import WEIGHTS


def states(store: Path, model: Path = WEIGHTS) -> dict[str, tuple[str, str]]:
    return {check.name: (check.state, check.text) for check in examine(store, model)}


def test_a_sound_machine(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = states(tmp_path / "none")
    assert all(state in ("ok", "note") for state, _ in found.values())
    assert found["store"][0] == "note" and "none yet" in found["store"][1]
    assert "a picture read" in found["OCR"][1] and "a sentence read" in found["model of the prose"][1]
    assert main(["doctor", "--store", str(tmp_path / "none")]) == 0
    assert "ok    OCR:" in capfd.readouterr().out


def test_a_model_that_is_none_and_a_store_that_is_damaged(tmp_path: Path) -> None:
    with Store(tmp_path, writable=True) as store:
        store.start_run(Path("inbox"), "1")
        for number in range(30):
            file = make_file(f"{number}.txt", str(number))
            store.add_report(1, "1", file, make_record(file))
    assert "30 reports" in states(tmp_path)["store"][1]
    path = tmp_path / FILE_NAME
    data = bytearray(path.read_bytes())
    data[20_000 : len(data) // 2] = bytes(len(data) // 2 - 20_000)
    path.write_bytes(data)
    found = states(tmp_path, tmp_path / "no model")
    assert found["store"][0] == "bad"
    assert found["model of the prose"][0] == "bad" and "no model" in found["model of the prose"][1]
    assert main(["doctor", "--store", str(tmp_path)]) == 1
