"""The Prefect flow: a folder of reports into the store, one task run a report.

The task thread only waits; the reading is done in worker processes, and the store is written by the flow alone.
A file that gives no report is data (a row in quarantine), not a failed task.
"""

from __future__ import annotations

import functools
import itertools
import queue
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.states import Completed
from prefect.task_runners import ThreadPoolTaskRunner
from prefect.utilities.annotations import quote

from flows.inbox import InboxFile
from flows.run import Options, Summary, open_run
from flows.screen import Screen
from flows.server import PrivateServer, api
from flows.workers import CRASHED, EXTRACTOR, TIME_LIMIT_S, Outcome, Pool
from models.reader import reader_version

# Threads beyond the processes do Prefect's bookkeeping while the processes read.
_EXTRA_THREADS = 2


@task(name="extract-report", task_run_name="{name}", cache_policy=NO_CACHE, persist_result=False)
def extract_file(name: str, path: Any, pool: Any) -> State[Any]:
    """Reads the file ``path`` (a Path) with ``pool``, both passed in Prefect's ``quote``, so that it leaves them alone.

    The state's name and message say what became of it, its data is the outcome.
    """
    outcome = pool.extract(path)
    if outcome.record is not None:
        return Completed(data=outcome)
    return Completed(name="Quarantined", message=f"{outcome.code}: {outcome.reason}", data=outcome)


@flow(name="gongkai-run", flow_run_name="{inbox}", persist_result=False)
def extract_inbox(
    inbox: str,
    store: str = "gongkai-store",
    processes: int = 2,
    time_limit_s: float = TIME_LIMIT_S,
    retry: bool = False,
    extractor: str = EXTRACTOR,
) -> State[Any]:
    """Reads what is new in the folder ``inbox`` into the store; the state's data is the run's :class:`Summary`.

    The state is named ``Quarantined`` where files of this folder are in quarantine: a batch with failures is not
    called complete.
    """
    options = Options(Path(inbox), Path(store), processes, time_limit_s, retry, extractor)
    screen = Screen()
    with open_run(options, reader_version(), screen) as run:
        with Pool(min(processes, len(run.plan.to_read)), time_limit_s, extractor) as pool:
            for file, outcome in _extract_all(run.plan.to_read, pool, processes + _EXTRA_THREADS):
                run.take(file, outcome)
        screen.end()
        summary = run.finish()
    message = f"{summary.read} read, {summary.reused} reused, {len(summary.quarantine)} in quarantine"
    return Completed(name="Quarantined" if summary.quarantine else None, message=message, data=summary)


def watch(options: Options, server: PrivateServer | None) -> Summary:
    """Runs the flow; with a private server, returns when that has written down every task run.

    Once per process: Prefect's client goes on sending its events to the first private server.
    """
    with api(server):
        runner: Any = ThreadPoolTaskRunner(max_workers=options.processes + _EXTRA_THREADS)
        started: Any = extract_inbox.with_options(task_runner=runner)(
            inbox=str(options.inbox),
            store=str(options.store),
            processes=options.processes,
            time_limit_s=options.time_limit_s,
            retry=options.retry,
            extractor=options.extractor,
            return_state=True,
        )
        summary: Summary = started.result()
        if server is not None and started.state_details.flow_run_id is not None:
            server.settle(str(started.state_details.flow_run_id), summary.tried)
        return summary


def _extract_all(files: Sequence[InboxFile], pool: Pool, window: int) -> Iterator[tuple[InboxFile, Outcome]]:
    """Each file with its outcome, as they come; never more than ``window`` tasks at a time, so memory stays flat."""
    done: queue.SimpleQueue[tuple[InboxFile, PrefectFuture[Any]]] = queue.SimpleQueue()
    waiting = iter(files)
    running = 0

    def submit(file: InboxFile) -> None:
        future = extract_file.submit(file.name, quote(file.path), quote(pool))
        future.add_done_callback(functools.partial(_announce, done, file))

    for file in itertools.islice(waiting, window):
        submit(file)
        running += 1
    while running:
        file, future = done.get()
        running -= 1
        for following in itertools.islice(waiting, 1):
            submit(following)
            running += 1
        yield file, _outcome(future)


def _announce(
    done: queue.SimpleQueue[tuple[InboxFile, PrefectFuture[Any]]], file: InboxFile, future: PrefectFuture[Any]
) -> None:
    done.put((file, future))


def _outcome(future: PrefectFuture[Any]) -> Outcome:
    result = future.result(raise_on_failure=False)
    if isinstance(result, Outcome):
        return result
    return Outcome(code=CRASHED, reason=f"Prefect's task failed: {future.state.message or result}")
