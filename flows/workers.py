"""Worker processes that read files: one report each at a time, under limits, replaced when they die.

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
from flows.limits import DEFAULT_LIMITS, Limits, check_pages, hold_memory, hold_time, is_out_of_memory

EXTRACTOR = "models.reader:read_report"
# How long a worker may take to come up, beyond the time limit of its first report.
_START_S = 180.0
# A worker that dies while it reads may have been killed for what others did to the machine, or by hand: the file is
# given to another one, this often in all. Dying while it comes up says nothing of the file.
_ATTEMPTS = 3
_STARTS = 5
# How processes end that get no memory: by the kernel, by C++, by pdfium.
_STARVED = frozenset({"SIGKILL", "SIGABRT", "SIGTRAP", "SIGILL"})
# The worker's own alarm, for the case that nobody is left to end it.
_GRACE_S = 30.0

# Codes beside those of extractors/errors.py.
CRASHED = "crashed"
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: a record (one line of JSON), or the code and reason of its failure.

    ``record`` is what the worker's function gave. ``detail`` is the traceback of an unexpected exception. ``spent``
    says that the process ran out of memory and should read nothing more.
    """

    record: str | None = None
    code: str | None = None
    reason: str = ""
    detail: str | None = None
    exit_code: int = 0
    spent: bool = False


class Pool:
    """``size`` worker processes; :meth:`extract` may be called from as many threads as wanted."""

    def __init__(self, size: int, limits: Limits = DEFAULT_LIMITS, extractor: str = EXTRACTOR) -> None:
        """``extractor`` names a function of a path, ``module:name``, that gives a report, or text as it is."""
        self._limits = limits
        self._extractor = extractor
        self._closed = False
        self._lock = threading.Lock()
        self._workers = {_Worker(extractor, limits) for _ in range(size)}
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
        attempts = starts = 0
        while worker is not None:
            if not worker.alive:
                worker = self._replace(worker)
                continue
            outcome = worker.run(path)
            if outcome is not None and not outcome.spent:
                break
            death = outcome or self._death(path, worker)
            attempts, starts = attempts + worker.ready, starts + (not worker.ready)
            worker = self._replace(worker)
            if outcome is not None or death.code != CRASHED or attempts >= _ATTEMPTS or starts >= _STARTS:
                outcome = death
                break
        else:
            outcome = Outcome(code=INTERRUPTED, reason="the run was ended")
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
            fresh = _Worker(self._extractor, self._limits)
            self._workers.add(fresh)
            return fresh

    def _death(self, path: Path, worker: _Worker) -> Outcome:
        if self._closed:
            return Outcome(code=INTERRUPTED, reason="the run was ended")
        reason = None
        if worker.timed_out:
            reason = f"no result after {self._limits.seconds:g} s"
        elif worker.exit_code == -signal.SIGXCPU:
            reason = f"no result after {self._limits.cpu_seconds:g} s of processor time"
        if reason is not None:
            error = LimitExceeded(path, reason)
            return Outcome(code=error.code, reason=error.reason, exit_code=error.exit_code)
        return Outcome(code=CRASHED, reason=f"the reading process {_manner(worker.exit_code)}", exit_code=1)


class _Worker:
    """One process and the pipe to it. ``ready``: it has come up; ``timed_out``: it was given up."""

    def __init__(self, extractor: str, limits: Limits) -> None:
        # spawn: a fork of a process with threads can deadlock.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, extractor, limits), daemon=True)
        self._process.start()
        theirs.close()
        self._limit_s = limits.seconds
        self.ready = False
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
            if not self.ready and not self._pipe.poll(_START_S):
                return None
            if not self.ready:
                self._pipe.recv_bytes()
                self.ready = True
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


def read(path: Path, extract: Callable[[Path], Report | str], limits: Limits | None = None) -> Outcome:
    """Reads one file in this process; an unexpected exception becomes an outcome (``crashed``)."""
    try:
        if limits is not None:
            check_pages(path, limits)
        result = extract(path)
        return Outcome(record=result if isinstance(result, str) else to_json(result))
    except ExtractionError as error:
        return Outcome(code=error.code, reason=_one_line(error), exit_code=error.exit_code)
    except Exception as error:
        if limits is not None and is_out_of_memory(error):
            needed = LimitExceeded(path, f"needs more than {limits.memory_mb} MB of memory")
            return Outcome(code=needed.code, reason=needed.reason, exit_code=needed.exit_code, spent=True)
        # Whatever a hostile file makes a library raise must cost that file only; the traceback is kept.
        reason = f"{type(error).__name__}: {error}".replace("\n", " ")[:500]
        return Outcome(code=CRASHED, reason=reason, detail=traceback.format_exc()[-8000:], exit_code=1)


def load(extractor: str) -> Callable[[Path], Report | str]:
    """The function that ``module:name`` names."""
    module, name = extractor.split(":")
    function: Callable[[Path], Report | str] = getattr(importlib.import_module(module), name)
    return function


def mute() -> None:
    """Libraries' logs and warnings go nowhere: what matters of a file is in its record or its error."""
    logging.getLogger().addHandler(logging.NullHandler())
    logging.captureWarnings(True)


def _work(pipe: Connection, extractor: str, limits: Limits) -> None:
    """The life of a worker: a file name in, an outcome out, until the parent is gone."""
    # Its own session: Ctrl-C is for the parent alone, and ending the group ends a converter that it started.
    os.setsid()
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    mute()
    try:
        extract = load(extractor)
        hold_memory(limits)
        pipe.send_bytes(b"ready")
        while True:
            path = Path(os.fsdecode(pipe.recv()))
            # The default action of the alarm ends the process even inside a loop of C code.
            signal.setitimer(signal.ITIMER_REAL, limits.seconds + _GRACE_S)
            hold_time(limits)
            outcome = read(path, extract, limits)
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
        return f"was killed ({name})" + (": out of memory?" if name in _STARVED else "")
    return f"ended with code {exit_code}"
