"""The Prefect flow: a folder of reports into the store, one task run a report or, above some thousands, a few.

The task thread only waits; the reading is done in worker processes, and the store is written by the flow alone.
A file that gives no report is data (a row in quarantine), not a failed task.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import queue
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.context import TaskRunContext
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote
from pydantic import Field

from flows.artifacts import Progress, publish_pages, publish_run
from flows.inbox import InboxFile, printable
from flows.limits import DEFAULT_LIMITS, Limits
from flows.run import MOST_FAILURES, Options, Run, Summary, chunk_size, is_doubtful, open_run, tasks_of
from flows.screen import Screen
from flows.server import OwnServer, api
from flows.settings import STORE_VARIABLE, end_with_parent
from flows.workers import CRASHED, Outcome, Pool
from models.reader import VARIABLE, reader_version

# Threads beyond the processes do Prefect's bookkeeping while the processes read.
_EXTRA_THREADS = 2

# Prefect makes forms of the flows' parameters: their bounds from here, their descriptions from the docstrings.
Processes = Annotated[int, Field(ge=1, le=1000)]
Percent = Annotated[float, Field(ge=0, le=100)]
PageCount = Annotated[int, Field(ge=0, le=100)]
Seconds = Annotated[float, Field(gt=0, le=1e6)]
Megabytes = Annotated[int, Field(ge=500, le=10**7)]
FilePages = Annotated[int, Field(ge=1, le=500)]


@task(name="extract-report", task_run_name="{name}", cache_policy=NO_CACHE, persist_result=False)
def extract_files(name: str, files: Any, pool: Any, done: Any) -> State[Any]:
    """Reads ``files`` with ``pool`` and puts each with its outcome into the queue ``done``.

    All three are passed in Prefect's ``quote``, so that it leaves them alone. The state's name and message say what
    became of them. A file that gives no report leaves the task completed: it is in quarantine, with its reason.
    """
    outcomes = []
    for file in files:
        outcome = pool.extract(file.path)
        done.put((file, outcome))
        outcomes.append(outcome)
    if len(outcomes) == 1:
        return _say_one(name, outcomes[0])
    lost = [f"{file.name}: {o.code}: {o.reason}" for file, o in zip(files, outcomes, strict=True) if o.record is None]
    message = f"{len(files) - len(lost)} read" + "".join(f"\n{printable(line)}" for line in lost)
    return Completed(name="Quarantined" if lost else None, message=message)


@flow(name="gongkai-run", flow_run_name="{inbox}", persist_result=False)
def extract_inbox(
    inbox: str = "",
    processes: Processes = 2,
    retry: bool = False,
    most_failures: Percent = MOST_FAILURES,
    pages: PageCount = 5,
    time_limit_s: Seconds = DEFAULT_LIMITS.seconds,
    cpu_limit_s: Seconds = DEFAULT_LIMITS.cpu_seconds,
    memory_limit_mb: Megabytes = DEFAULT_LIMITS.memory_mb,
    page_limit: FilePages = DEFAULT_LIMITS.pages,
    codes: list[str] | None = None,
    model: str | None = None,
    store: str | None = None,
) -> State[Any]:
    """Reads what is new in a folder into the store.

    What has been read before is not read again, and what is read stays: the same run goes on where an earlier one
    was ended. Files that give no report go to quarantine with a reason; then the run ends as Quarantined, for a batch
    with failures is not called complete. Only where their share is over a bound has it failed.

    Args:
        inbox: A folder of reports, its subfolders included; or a text file that lists files, a path a line.
        processes: Reports that are read at the same time.
        retry: Also try files again that are in quarantine and have not changed.
        most_failures: The run has failed where more of the files tried, in per cent, gave no report.
        pages: Pages with tables and pictures are made for so many doubtful reports, the worst first.
        time_limit_s: Longest time for one report, in seconds.
        cpu_limit_s: Most processor time for one report, in seconds.
        memory_limit_mb: Most memory of a process that reads reports, in MB.
        page_limit: Most pages of a PDF file that is read.
        codes: Instead of a folder, the files in quarantine with these codes; an empty list means all of them.
        model: Folder of a model of the prose; empty means the one in use.
        store: The store's folder; empty means the one that is served.

    Returns:
        The final state; its data is the run's :class:`Summary`.
    """
    served = end_with_parent()
    if model:
        os.environ[VARIABLE] = model
    limits = Limits(time_limit_s, cpu_limit_s, memory_limit_mb, page_limit)
    folder = Path(store or os.environ.get(STORE_VARIABLE) or "gongkai-store")
    wanted = None if codes is None else tuple(codes)
    options = Options(Path(inbox), folder, processes, limits, retry or codes is not None, wanted, most_failures)
    # Whoever looks at the run on its page reads there what the terminal says.
    screen = Screen(also=get_run_logger().warning if served else None)
    with open_run(options, reader_version(), screen, patient=served) as run:
        with Pool(max(1, min(processes, len(run.plan.to_read))), limits) as pool:
            _read_all(run, pool, processes + _EXTRA_THREADS, screen)
        screen.end()
        summary = run.finish()
    publish_run(summary, reader_version(), screen)
    publish_pages(summary, pages, limits, screen)
    return _final_state(summary, most_failures)


def watch(options: Options, server: OwnServer | None) -> Summary:
    """Runs the flow; with a private server, returns when that has written down every task run.

    Once per process: Prefect's client goes on sending its events to the first private server.
    """
    with api(server):
        runner: Any = ThreadPoolTaskRunner(max_workers=options.processes + _EXTRA_THREADS)
        name = "quarantine" if options.codes is not None else "{inbox}"
        started: Any = extract_inbox.with_options(task_runner=runner, flow_run_name=name)(
            inbox=str(options.inbox),
            processes=options.processes,
            retry=options.retry,
            most_failures=options.most_failures,
            time_limit_s=options.limits.seconds,
            cpu_limit_s=options.limits.cpu_seconds,
            memory_limit_mb=options.limits.memory_mb,
            page_limit=options.limits.pages,
            codes=None if options.codes is None else list(options.codes),
            store=str(options.store),
            return_state=True,
        )
        summary = started.result(raise_on_failure=False)
        if isinstance(summary, BaseException):
            raise summary
        if server is not None and started.state_details.flow_run_id is not None:
            server.settle(str(started.state_details.flow_run_id), tasks_of(summary.tried))
        result: Summary = summary
        return result


def _final_state(summary: Summary, most_failures: float) -> State[Any]:
    message = f"{summary.read} read, {summary.reused} reused, {len(summary.quarantine)} in quarantine"
    share = summary.failed_share()
    if share > most_failures:
        message += f"; {share:.0f} % of the files tried gave no report, at most {most_failures:g} % may"
        return Failed(message=message, data=summary)
    return Completed(name="Quarantined" if summary.quarantine else None, message=message, data=summary)


def _say_one(name: str, outcome: Outcome) -> State[Any]:
    """The state of a task that read one file; the task run is renamed after the report, and tagged.

    Its name is fixed before the file is read. But task runs are recorded from the events that this process sends, and
    the event of the last state carries name and tags along: that costs no request.
    """
    context = TaskRunContext.get()
    if outcome.record is None:
        if context is not None:
            context.task_run.tags = ["quarantined", str(outcome.code)]
        return Completed(name="Quarantined", message=printable(f"{outcome.code}: {outcome.reason}"))
    record = json.loads(outcome.record)
    about, doubtful = record["report"], is_doubtful(record)
    if context is not None:
        known = [str(about[key]) for key in ("authority", "year") if about[key] is not None]
        context.task_run.name = printable(" ".join(known))[:200] or name
        read = "scanned" if record["source"]["scanned"] else "native"
        context.task_run.tags = [f"form {about['form']}", read, *(["doubtful"] if doubtful else [])]
    return Completed(name="Doubtful" if doubtful else None, message=name)


@dataclass(frozen=True, slots=True)
class _Ended:
    """A task that ended; what it has read was announced before."""

    chunk: Sequence[InboxFile]
    future: PrefectFuture[Any]


def _read_all(run: Run, pool: Pool, window: int, screen: Screen) -> None:
    progress = Progress(len(run.plan.to_read), screen)
    for done, (file, outcome) in enumerate(_outcomes(run.plan.to_read, pool, window), start=1):
        run.take(file, outcome)
        progress.show(done)


def _outcomes(files: Sequence[InboxFile], pool: Pool, window: int) -> Iterator[tuple[InboxFile, Outcome]]:
    """Each file with its outcome, as they come; never more than ``window`` tasks at a time, so memory stays flat."""
    done: queue.SimpleQueue[tuple[InboxFile, Outcome] | _Ended] = queue.SimpleQueue()
    size = chunk_size(len(files))
    waiting = (files[first : first + size] for first in range(0, len(files), size))
    open_files: set[str] = set()
    running = 0

    def submit(chunk: Sequence[InboxFile]) -> None:
        name = chunk[0].name if len(chunk) == 1 else f"{len(chunk)} files from {chunk[0].name}"
        open_files.update(file.name for file in chunk)
        future = extract_files.submit(name, quote(chunk), quote(pool), quote(done))
        future.add_done_callback(functools.partial(_announce, done, chunk))

    for chunk in itertools.islice(waiting, window):
        submit(chunk)
        running += 1
    while running:
        item = done.get()
        if isinstance(item, tuple):
            open_files.discard(item[0].name)
            yield item
            continue
        running -= 1
        for following in itertools.islice(waiting, 1):
            submit(following)
            running += 1
        for file in item.chunk:
            if file.name in open_files:
                open_files.discard(file.name)
                yield file, Outcome(code=CRASHED, reason=f"Prefect's task failed: {item.future.state.message}")


def _announce(done: queue.SimpleQueue[Any], chunk: Sequence[InboxFile], future: PrefectFuture[Any]) -> None:
    done.put(_Ended(chunk, future))
