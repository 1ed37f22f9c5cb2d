"""What reading costs: milliseconds a report by format, on one core, and memory over many reports.

    python -m tests.generator corpus --seed-from 90000 --count 200 --out /some/folder
    python benchmarks/reading.py /some/folder --reports 2000

Every report of the folder is read in turn, again and again, until the count is reached, in one process. Times are
processor seconds of the whole extraction (reader, cells, metadata, identities, record as JSON). Memory is the resident
set after each tenth of the reports; exit code 1 where the last tenth is more than 10 % above the second.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from extractors.extract import extract_report
from extractors.report import to_json

SUFFIXES = {".pdf": "pdf", ".html": "html", ".txt": "text", ".docx": "docx"}


def main() -> int:
    """Measure and print; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reports", type=int, default=2000)
    arguments = parser.parse_args()
    paths = sorted(path for path in arguments.folder.iterdir() if path.suffix in SUFFIXES)
    times, memory = measure(paths, arguments.reports)
    print(f"{'format':8}{'reports':>9}{'median ms':>11}{'p95 ms':>9}")
    for name, seconds in sorted(times.items()):
        ordered = sorted(second * 1000 for second in seconds)
        print(f"{name:8}{len(ordered):9}{statistics.median(ordered):11.1f}{ordered[int(len(ordered) * 0.95)]:9.1f}")
    print("resident MB after each tenth:", *(f"{size:.0f}" for size in memory))
    print(f"peak MB: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")
    return int(memory[-1] > memory[1] * 1.1)


def measure(paths: list[Path], count: int) -> tuple[dict[str, list[float]], list[float]]:
    """Processor seconds by format, and the resident set in MB after each tenth of ``count`` reports."""
    times: dict[str, list[float]] = defaultdict(list)
    memory = []
    # The first report of a process loads the forms and libraries.
    extract_report(paths[0])
    for number, path in enumerate(itertools.islice(itertools.cycle(paths), count), 1):
        started = time.process_time()
        to_json(extract_report(path))
        times[SUFFIXES[path.suffix]].append(time.process_time() - started)
        if number % max(1, count // 10) == 0:
            memory.append(resident_mb())
    return times, memory


def resident_mb() -> float:
    """The resident set of this process, from the kernel (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    sys.exit(main())
