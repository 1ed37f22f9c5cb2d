"""What a run says on the terminal: a progress line, one line for each file that is put away, the summary."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TextIO

from flows.inbox import MANIFEST

if TYPE_CHECKING:
    from flows.fetch import FetchSummary
    from flows.run import Summary

# Between two updates: of the line on a terminal, of lines in a log.
_LIVE_S = 0.2
_LOG_S = 30.0
_LISTED = 50


class Screen:
    """Lines for people, on standard error. The progress line is rewritten in place on a terminal."""

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic, verb: str = "read"
    ) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._started = self._shown = clock()
        self._live = self._stream.isatty()
        self._open = False
        self._verb = verb

    def say(self, line: str) -> None:
        """One line that stays."""
        self._clear()
        self._write(line + "\n")

    def progress(self, done: int, total: int) -> None:
        """How far the run is; the first call starts the clock of the estimate."""
        now = self._clock()
        if now - self._shown < (_LIVE_S if self._live else _LOG_S):
            return
        self._shown = now
        rate = done / max(now - self._started, 1e-9)
        line = f"{done} of {total} {self._verb}, {rate:.1f} a second, about {_duration((total - done) / rate)} left"
        if self._live:
            self._clear()
            self._write(line)
            self._open = True
        else:
            self._write(line + "\n")

    def restart(self) -> None:
        """Starts the clock of the estimate."""
        self._started = self._clock()

    def end(self) -> None:
        """Removes the progress line."""
        self._clear()

    def _clear(self) -> None:
        if self._open:
            self._write("\r\x1b[K")
            self._open = False

    def _write(self, text: str) -> None:
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self._stream.flush()


def summary_lines(summary: Summary) -> Iterator[str]:
    """The summary of a run, for people."""
    if not summary.read and summary.reused:
        yield f"Nothing new: all {_number(summary.reused, 'report')} had been read before."
    else:
        files = _number(summary.files, "file")
        yield f"Read {_number(summary.read, 'report')} of {files} in {_duration(summary.seconds)}."
    yield (
        f"  {summary.reused} reused, {_number(summary.duplicates, 'duplicate')}, "
        f"{_number(summary.revised, 'revised version')}, {len(summary.quarantine)} in quarantine"
    )
    for path, code, reason in summary.quarantine[:_LISTED]:
        yield f"    {path}: {code}: {reason}"
    if len(summary.quarantine) > _LISTED:
        yield f"    and {len(summary.quarantine) - _LISTED} more, in the table 'quarantine'"
    yield from _tally("Cells", summary.cells)
    yield from _tally("Findings", summary.verdicts)
    for rule, (errors, warnings) in summary.findings.items():
        yield f"    {rule:<18} {_number(errors, 'error')}, {_number(warnings, 'warning')}"
    if summary.problems:
        yield f"Problems: {sum(summary.problems.values())}"
        yield from (f"    {code:<28} {number}" for code, number in summary.problems.items())
    yield f"Store: {summary.store}"


def fetch_lines(summary: FetchSummary) -> Iterator[str]:
    """The summary of a fetch, for people."""
    yield f"Asked for {_number(summary.addresses, 'address', 'addresses')} in {_duration(summary.seconds)}."
    for kind, counts in summary.outcomes.items():
        yield from _tally(f"  {kind}s", counts)
    codes: dict[str, int] = {}
    for row in summary.failed:
        codes[row.error or ""] = codes.get(row.error or "", 0) + 1
    yield from _tally("  failed", dict(sorted(codes.items())))
    yield f"{summary.size / 1e6:.1f} MB of new files. Manifest: {summary.folder / MANIFEST}"


def _tally(title: str, counts: dict[str, int]) -> Iterator[str]:
    if counts:
        parts = ", ".join(f"{number} {name}" for name, number in counts.items())
        yield f"{title}: {sum(counts.values())} ({parts})"


def _number(count: int, noun: str, plural: str = "") -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {plural or noun + 's'}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = int(seconds // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
