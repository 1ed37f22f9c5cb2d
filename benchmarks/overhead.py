"""What Prefect and the store add to a report: ``gongkai run`` against a plain process pool, over the same files.

Run: ``python benchmarks/overhead.py [--reports 1000] [--processes 2]``. The target is at most 30 ms a report,
start and end of Prefect included; setting up its database, once per store, is measured apart. Both sides read the same
generated text reports (form 2021, 200 cells each) with the same number of processes; the order is plain, flow, plain,
so that a machine that slows down shows.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from extractors.extract import extract_report
from extractors.forms import load_forms
from flows.store import Store

ROOT = Path(__file__).parent.parent
TARGET_MS = 30.0


def report_text(number: int) -> str:
    """A report on form 2021 as flattened text; ``number`` makes it the only one with its bytes."""
    form = load_forms()["2021"]
    lines = [f"示例{number}局2022年政府信息公开工作年度报告", "一、总体情况", f"本年度主动公开信息{number}条。"]
    block = ""
    for table in form.tables:
        if table.block != block:
            block = table.block
            lines += [section.heading for section in form.sections if section.number == 2 + form.blocks.index(block)]
        lines += [table.captions[0]] if table.captions else []
        lines.append(" | ".join(("", *(column.label for column in table.columns))))
        lines += [" | ".join((row.label, *("0" for _ in table.columns))) for row in table.rows if not row.heading]
    return "\n".join([*lines, "五、存在的主要问题及改进情况", "无。", ""])


def read_plain(paths: list[Path], processes: int) -> float:
    """Seconds that a bare process pool takes, its start included."""
    started = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for _ in pool.imap_unordered(extract_report, paths):
            pass
    return time.perf_counter() - started


def read_flow(inbox: Path, store: Path, processes: int) -> tuple[float, float]:
    """Seconds of the command from start to end, and those of the flow's body alone, as it says them."""
    command = [sys.executable, "-m", "flows.cli", "run", str(inbox), "--store", str(store)]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, "--processes", str(processes)], check=True, capture_output=True, text=True, cwd=ROOT
    )
    seconds = time.perf_counter() - started
    with Store(store) as opened:
        ((body,),) = opened.count("SELECT seconds FROM runs ORDER BY id DESC LIMIT 1")
    if "Nothing new" in done.stdout:
        raise RuntimeError("the reports had been read before")
    return seconds, float(body)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reports", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        inbox = folder / "inbox"
        inbox.mkdir()
        paths = [inbox / f"{number:05}.txt" for number in range(options.reports)]
        for number, path in enumerate(paths):
            path.write_text(report_text(number), encoding="utf-8")
        first, _ = read_flow(_one(folder / "one", paths[0]), folder / "store", options.processes)
        before = read_plain(paths, options.processes)
        whole, body = read_flow(inbox, folder / "store", options.processes)
        after = read_plain(paths, options.processes)
    plain = (before + after) / 2
    per_report = 1000 / options.reports
    print(
        f"{options.reports} reports, {options.processes} processes; the first run in a new store: {first:.1f} s for one"
    )
    print(f"plain pool   {before:7.2f} s and {after:.2f} s   {plain * per_report:6.1f} ms a report")
    print(f"flow's body  {body:7.2f} s   {body * per_report:6.1f} ms a report")
    print(f"whole run    {whole:7.2f} s   {whole * per_report:6.1f} ms a report")
    print(f"added: {(body - plain) * per_report:.1f} ms a report by tasks and store")
    print(f"       {(whole - plain) * per_report:.1f} ms with Prefect's start and end (target: {TARGET_MS:g})")
    print(f"       {(whole - plain + first) * per_report:.1f} ms with the first run's set-up as well")


def _one(folder: Path, path: Path) -> Path:
    """A folder that holds a copy of one report, other in its bytes."""
    folder.mkdir()
    (folder / path.name).write_bytes(path.read_bytes() + b"\n")
    return folder


if __name__ == "__main__":
    main()
