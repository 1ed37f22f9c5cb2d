"""The command: its output, its exit codes, and what it does not import."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import NARRATIVE, make_file, make_record

from flows.cli import main
from flows.store import Store

ROOT = Path(__file__).parent.parent


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "青石 2017.txt"
    path.write_text(NARRATIVE, encoding="utf-8")
    return path


def lines_of(capfd: pytest.CaptureFixture[str]) -> tuple[list[str], list[str]]:
    out, err = capfd.readouterr()
    return out.splitlines(), err.splitlines()


def test_extract_prints_records_only_and_goes_on_after_a_bad_file(
    report: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.txt").touch()
    assert main(["extract", str(tmp_path / "missing.pdf"), str(tmp_path / "empty.txt"), str(report)]) == 12
    out, err = lines_of(capfd)
    (record,) = (json.loads(line) for line in out)
    assert record["schema"] == "gongkai.report/1"
    assert record["report"]["year"] == 2017
    assert [line.split(": ")[1] for line in err] == ["unreadable", "empty"]
    assert main(["extract", str(report)]) == 0


def test_extract_prints_what_a_library_prints_elsewhere(
    report: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import models.reader

    whole = models.reader.read_report

    def noisy(path: Path) -> Any:
        print("stray")
        return whole(path)

    monkeypatch.setattr(models.reader, "read_report", noisy)
    assert main(["extract", str(report)]) == 0
    out, err = lines_of(capfd)
    assert len(out) == 1
    assert err == ["stray"]


def test_an_unexpected_exception_is_one_line(
    report: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import models.reader

    def broken(path: Path) -> Any:
        raise RecursionError(f"too deep in {path.suffix}")

    monkeypatch.setattr(models.reader, "read_report", broken)
    assert main(["extract", str(report)]) == 1
    assert lines_of(capfd)[1] == [f"{report}: crashed: RecursionError: too deep in .txt"]


def test_a_model_that_is_none_is_wrong_usage_and_names_the_folder(
    report: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (["extract", str(report)], ["show", str(report)], ["run", str(tmp_path)]):
        monkeypatch.setenv("GONGKAI_MODEL", "")
        assert main([*arguments, "--model", str(tmp_path / "nowhere")]) == 2
        out, err = lines_of(capfd)
        assert out == [] and len(err) == 1 and f"{tmp_path / 'nowhere'}: no model that can be run" in err[0]
    monkeypatch.setenv("GONGKAI_MODEL", str(tmp_path / "elsewhere"))
    assert main(["extract", str(report)]) == 2
    assert "elsewhere: no model" in lines_of(capfd)[1][0]


def test_labels_that_are_not_there_are_wrong_usage(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--labels", str(tmp_path / "mine.jsonl"), "--out", str(tmp_path / "out")]) == 2
    (line,) = lines_of(capfd)[1]
    assert "mine.jsonl: no such file" in line or "is not installed; training needs" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["extract", "text", "show", "check"])
def test_one_file_needs_no_prefect_no_database_and_no_torch(command: str, report: Path) -> None:
    script = (
        "import sys; from flows.cli import main; code = main(sys.argv[1:]); "
        "loaded = {name.split('.')[0] for name in sys.modules}; "
        "print(sorted(loaded & {'prefect', 'sqlalchemy', 'torch'}), file=sys.stderr); "
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, command, str(report)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "[]\n")


def test_text_prints_what_offsets_refer_to(report: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from extractors.extract import read_document

    assert main(["text", str(report)]) == 0
    assert capfd.readouterr().out == read_document(report).text + "\n"
    assert main(["text", str(report.parent / "none.txt")]) == 11


def test_show_takes_a_file_or_a_stored_report(tmp_path: Path, report: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    file = make_file("in/stored.txt")
    with Store(store, writable=True) as opened:
        opened.start_run(Path("in"), "1")
        opened.add_report(1, "1", file, make_record(file, values={"applications.new.total": 123456}))
    assert main(["show", str(report)]) == 0
    assert "no table was read" in capfd.readouterr().out
    for name in ("stored.txt", (file.sha256 or "")[:10]):
        assert main(["show", name, "--store", str(store)]) == 0
        assert "123456" in capfd.readouterr().out
    assert main(["show", "nothing", "--store", str(store)]) == 2
    assert main(["show", "nothing", "--store", str(tmp_path / "nowhere")]) == 2


def test_export_to_standard_output_and_to_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    file = make_file("a.txt")
    with Store(store, writable=True) as opened:
        opened.start_run(Path("in"), "1")
        opened.add_report(1, "1", file, make_record(file))
    assert main(["export", "--format", "jsonl", "--out", "-", "--store", str(store)]) == 0
    assert json.loads(capfd.readouterr().out)["source"]["path"] == "a.txt"
    assert main(["export", "--format", "csv-long", "--out", str(tmp_path / "a.csv"), "--store", str(store)]) == 0
    assert len((tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()) == 201
    assert main(["export", "--format", "csv-wide", "--out", "-", "--store", str(store)]) == 2
    missing = str(tmp_path / "no" / "a.csv")
    assert main(["export", "--format", "csv-long", "--out", missing, "--store", str(store)]) == 2
    assert "a.csv" in capfd.readouterr().err


def test_run_without_an_inbox_is_wrong_usage(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tmp_path / "none"), "--store", str(tmp_path / "store")]) == 2
    assert lines_of(capfd)[1] == [f"gongkai: {tmp_path / 'none'} is not a folder"]


def test_an_empty_inbox_is_fine(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "inbox").mkdir()
    assert main(["run", str(tmp_path / "inbox"), "--store", str(tmp_path / "store")]) == 0
    assert lines_of(capfd)[0][0].startswith("Read 0 reports of 0 files")


@pytest.mark.parametrize(
    "arguments", [[], ["fetch"], ["run", "x", "--processes", "0"], ["run", "x", "--time-limit", "nan"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_a_reader_that_goes_away_is_no_error(report: Path) -> None:
    command = f'"{sys.executable}" -m flows.cli extract "{report}" "{report}" "{report}" | head -c 1'
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{", "")


def test_the_readme_names_every_command_and_exit_code() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    help_text = subprocess.run(
        [sys.executable, "-m", "flows.cli", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    commands = re.findall(r"^    (\w+) ", help_text, re.MULTILINE)
    assert set(commands) >= {"extract", "run", "show", "findings", "ledger", "export", "text"}
    assert all(f"`gongkai {command} " in readme for command in commands)
    codes = re.findall(r"^  (\d+(?:-\d+)?) ", help_text, re.MULTILINE)
    assert len(codes) >= 6
    assert all(f"| {code} |" in readme for code in codes)
