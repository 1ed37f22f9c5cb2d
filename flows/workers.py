"""Worker processes that read files: one report each at a time, under a wall clock, replaced when they die.

``concurrent.futures`` breaks its whole pool when one process dies and cannot stop a task that hangs; here a
crash or a poisoned file costs one report.
"""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import queue
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

from extractors.errors import ExtractionError, LimitExceeded
from extractors.report import Report, to_json

EXTRACTOR = "models.reader:read_report"
TIME_LIMIT_S = 300.0
# How long a worker may take to come up, beyond the time limit of its first report.
_START_S = 60.0
# The worker's own alarm, for the case that nobody is left to end it.
_GRACE_S = 30.0

# Codes beside those of extractors/errors.py.
CRASHED = "crashed"
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: a record (one line of JSON), or the code and reason of its failure.

    ``detail`` is the traceback of an unexpected exception.
    """

    record: str | None = None
    code: str | None = None
    reason: str = ""
    detail: str | None = None
    exit_code: int = 0


class Pool:
    """``size`` worker processes; :meth:`extract` may be called from as many threads as wanted."""

    def __init__(self, size: int, time_limit_s: float = TIME_LIMIT_S, extractor: str = EXTRACTOR) -> None:
        self._time_limit_s = time_limit_s
        self._extractor = extractor
        self._closed = False
        self._lock = threading.Lock()
        self._workers = {_Worker(extractor, time_limit_s) for _ in range(size)}
        self._idle: queue.Queue[_Worker | None] = queue.Queue()
        for worker in self._workers:
            self._idle.put(worker)

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def extract(self, path: Path) -> Outcome:
        """Reads one file in the next free process, waiting for one. Never raises for what the file does."""
        worker = self._idle.get()
        if worker is not None and not worker.alive:
            worker = self._replace(worker)
        if worker is None:
            self._idle.put(None)
            return Outcome(code=INTERRUPTED, reason="the run was ended")
        outcome = worker.run(path)
        if outcome is None:
            outcome = self._death(path, worker)
            worker = self._replace(worker)
        self._idle.put(worker)
        return outcome

    def close(self) -> None:
        """Ends every process; a report that is being read is lost."""
        with self._lock:
            self._closed = True
            for worker in self._workers:
                worker.end()
        self._idle.put(None)

    def _replace(self, worker: _Worker) -> _Worker | None:
        """A new process for one that died or is given up; None once the pool is closed."""
        with self._lock:
            if self._closed:
                return None
            worker.end()
            self._workers.discard(worker)
            fresh = _Worker(self._extractor, self._time_limit_s)
            self._workers.add(fresh)
            return fresh

    def _death(self, path: Path, worker: _Worker) -> Outcome:
        if self._closed:
            return Outcome(code=INTERRUPTED, reason="the run was ended")
        if worker.timed_out:
            error = LimitExceeded(path, f"no result after {self._time_limit_s:g} s")
            return Outcome(code=error.code, reason=error.reason, exit_code=error.exit_code)
        return Outcome(code=CRASHED, reason=f"the reading process {_manner(worker.exit_code)}", exit_code=1)


class _Worker:
    """One process and the pipe to it. ``timed_out`` says that it was given up."""

    def __init__(self, extractor: str, time_limit_s: float) -> None:
        # spawn: a fork of a process with threads can deadlock.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, extractor, time_limit_s), daemon=True)
        self._process.start()
        theirs.close()
        self._limit_s = time_limit_s
        self._fresh = True
        self.timed_out = False

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        self._process.join(1)
        return self._process.exitcode

    def run(self, path: Path) -> Outcome | None:
        """The outcome of one file; None where the process died or took too long."""
        try:
            if self._fresh and not self._pipe.poll(_START_S):
                self.timed_out = True
                return None
            if self._fresh:
                self._pipe.recv_bytes()
                self._fresh = False
            self._pipe.send(os.fsencode(path))
            if self._pipe.poll(self._limit_s):
                outcome: Outcome = self._pipe.recv()
                return outcome
            self.timed_out = True
        except (EOFError, OSError):
            # The other end is gone: the process died; its exit code says how.
            return None
        return None

    def end(self) -> None:
        """Kills the process and whatever it has started (a converter, say)."""
        try:
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        except ProcessLookupError:
            # It is gone already, or so young that it has no group of its own yet.
            self._process.kill()
        self._process.join()
        self._pipe.close()


def read(path: Path, extract: Callable[[Path], Report]) -> Outcome:
    """Reads one file in this process; an unexpected exception becomes an outcome (``crashed``)."""
    try:
        return Outcome(record=to_json(extract(path)))
    except ExtractionError as error:
        return Outcome(code=error.code, reason=_one_line(error), exit_code=error.exit_code)
    except Exception as error:
        # Whatever a hostile file makes a library raise must cost that file only; the traceback is kept.
        reason = f"{type(error).__name__}: {error}".replace("\n", " ")[:500]
        return Outcome(code=CRASHED, reason=reason, detail=traceback.format_exc()[-8000:], exit_code=1)


def load(extractor: str) -> Callable[[Path], Report]:
    """The function that ``module:name`` names."""
    module, name = extractor.split(":")
    function: Callable[[Path], Report] = getattr(importlib.import_module(module), name)
    return function


def mute() -> None:
    """Libraries' logs and warnings go nowhere: what matters of a file is in its record or its error."""
    logging.getLogger().addHandler(logging.NullHandler())
    logging.captureWarnings(True)


def _work(pipe: Connection, extractor: str, time_limit_s: float) -> None:
    """The life of a worker: a file name in, an outcome out, until the parent is gone."""
    # Its own session: Ctrl-C is for the parent alone, and ending the group ends a converter that it started.
    os.setsid()
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    mute()
    try:
        extract = load(extractor)
        pipe.send_bytes(b"ready")
        while True:
            path = Path(os.fsdecode(pipe.recv()))
            # The default action of the alarm ends the process even inside a loop of C code.
            signal.setitimer(signal.ITIMER_REAL, time_limit_s + _GRACE_S)
            outcome = read(path, extract)
            signal.setitimer(signal.ITIMER_REAL, 0)
            pipe.send(outcome)
    except (EOFError, OSError):
        # The parent closed the pipe or died: nothing is left to do.
        return


def _one_line(error: ExtractionError) -> str:
    reason = error.reason if error.page is None else f"page {error.page}: {error.reason}"
    return " ".join(reason.split())


def _manner(exit_code: int | None) -> str:
    if exit_code is None:
        return "stopped answering"
    if exit_code < 0:
        try:
            name: str = signal.Signals(-exit_code).name
        except ValueError:
            name = f"signal {-exit_code}"
        return f"was killed ({name})" + (": out of memory?" if name == "SIGKILL" else "")
    return f"ended with code {exit_code}"
