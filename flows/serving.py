"""``gongkai serve``: a Prefect server with its pages on the loopback interface, and the flows that it starts.

The store is the truth: a flow run that was cut off (the machine went down, this process was killed) is started again
with its parameters when the store is served again, and reads what is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import importlib
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from flows.files import whole
from flows.screen import Screen
from flows.server import STOP_LIMIT_S, OwnServer, api, tell_first
from flows.settings import (
    PARENT_VARIABLE,
    SERVE_FILE,
    SERVE_LOCK,
    STORE_VARIABLE,
    has_server,
    prepare,
    read_serving,
)

DEFAULT_PORT = 4200
# A run that was cut off so often is not started again: it may be what cuts the machine off.
_MOST_STARTS = 5
# Seconds between two looks for runs to start.
_POLL_S = 2.0
_LOCK_TRIES = 5


class ServeError(RuntimeError):
    """The store cannot be served; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A deployment: the flow ``module:function``, its name, and what a person reads about it."""

    name: str
    flow: str
    words: str


OFFERS = (
    Offer("backlog", "flows.extract:extract_inbox", "Reads a folder of reports, or a list of files, into the store."),
    Offer("watch", "flows.deployed:watch_inbox", "Reads the files that come into a folder, as they come."),
    Offer("retrain", "flows.deployed:retrain", "Trains a model of the prose from annotated passages."),
    Offer("report", "flows.deployed:show_report", "Makes the page of one report: tables, findings, drawn pages."),
    Offer("fetch", "flows.fetch_flow:fetch", "Fetches pages and files of a list of addresses into a folder."),
)


def serve(store: Path, port: int, inbox: Path | None, screen: Screen) -> None:
    """Serves ``store`` until it is interrupted; watches ``inbox`` from the start where there is one.

    Raises:
        ServeError: it is served already, the port is taken, or another Prefect server is configured.
        flows.server.ServerError: the server does not start.
    """
    if has_server():
        raise ServeError("Prefect's address is configured (PREFECT_API_URL or a profile): unset it, or use that server")
    # A shell that starts it in the background has it ignore what should end it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    store = store.absolute()
    store.mkdir(parents=True, exist_ok=True)
    with _locked(store):
        _check_port(port)
        os.environ[STORE_VARIABLE] = str(store)
        os.environ[PARENT_VARIABLE] = str(os.getpid())
        # Where the flows of a run lie that is started from another folder.
        os.environ["PYTHONPATH"] = os.pathsep.join(
            [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
        )
        # A run's lines are shown on its page; they do not repeat what the screen says.
        os.environ.setdefault("PREFECT_LOGGING_TO_API_ENABLED", "true")
        os.environ.setdefault("PREFECT_RUNNER_POLL_FREQUENCY", str(_POLL_S))
        prepare(store)
        home = Path(os.environ["PREFECT_HOME"])
        tell_first(home, screen)
        with OwnServer(home, port, pages=True) as server, api(server):
            address = server.url.removesuffix("/api")
            _announce(store, address)
            screen.say(f"gongkai serves {store} at {address} (Ctrl-C ends it)")
            asyncio.run(_offer(store, inbox, screen))


def _announce(store: Path, address: str) -> None:
    with whole(store / SERVE_FILE) as part:
        part.write_text(json.dumps({"url": address, "pid": os.getpid()}), encoding="utf-8")


@contextlib.contextmanager
def _locked(store: Path) -> Iterator[None]:
    with (store / SERVE_LOCK).open("a") as lock:
        for left in reversed(range(_LOCK_TRIES)):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                # Someone may just be looking whether it is held.
                if not left:
                    found = read_serving(store)
                    where = f" at {found.url} (process {found.pid})" if found else ", and is just starting"
                    raise ServeError(f"{store} is served already{where}") from None
                time.sleep(0.1)
        try:
            # What one that was killed has left behind.
            (store / SERVE_FILE).unlink(missing_ok=True)
            yield
        finally:
            (store / SERVE_FILE).unlink(missing_ok=True)


def _check_port(port: int) -> None:
    """Waits for the server of an earlier ``serve`` that was killed: it takes some seconds to see that."""
    deadline = time.monotonic() + 2 * STOP_LIMIT_S
    while True:
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                return probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    raise ServeError(f"port {port}: {error.strerror}; take another one with --port") from error
        time.sleep(0.2)


async def _offer(store: Path, inbox: Path | None, screen: Screen) -> None:
    """Registers the deployments, takes up what was cut off, and starts runs as they are asked for."""
    from prefect.client.orchestration import get_client
    from prefect.runner import Runner

    runner = Runner(name="gongkai", pause_on_shutdown=False, limit=None)
    deployments = {offer.name: await runner.aadd_deployment(await _deployment(offer)) for offer in OFFERS}
    async with get_client() as client:
        watched = await _take_up(client, screen, deployments["watch"])
        if inbox is not None and str(inbox.absolute()) not in watched:
            await client.create_flow_run_from_deployment(
                deployments["watch"], parameters={"inbox": str(inbox.absolute())}
            )
    await runner.start()


async def _deployment(offer: Offer) -> Any:
    from prefect.types.entrypoint import EntrypointType

    module, name = offer.flow.split(":")
    flow = getattr(importlib.import_module(module), name)
    return await flow.ato_deployment(
        offer.name, description=offer.words, tags=["gongkai"], entrypoint_type=EntrypointType.MODULE_PATH
    )


async def _take_up(client: Any, screen: Screen, watch: UUID) -> set[str]:
    """Starts again the runs that were cut off; returns the folders that runs of the deployment ``watch`` will watch."""
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
    from prefect.client.schemas.objects import StateType
    from prefect.states import Cancelled, Crashed, Scheduled

    types = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING, StateType.SCHEDULED, StateType.PAUSED]
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=types))
    watched = set()
    for run in await client.read_flow_runs(flow_run_filter=FlowRunFilter(state=state)):
        if run.deployment_id is None and run.parent_task_run_id is None:
            # Started by hand, perhaps still running: gongkai run reports to this server while it is there.
            continue
        if run.state_type == StateType.CANCELLING:
            new: Any = Cancelled(message="gongkai serve has ended")
        elif run.deployment_id is None or run.run_count >= _MOST_STARTS:
            new = Crashed(message="it was cut off: gongkai serve, or the machine, has ended")
        else:
            if run.deployment_id == watch:
                watched.add(str(run.parameters.get("inbox")))
            if run.state_type == StateType.SCHEDULED:
                continue
            new = Scheduled(message="it was cut off, and goes on with what is not in the store yet")
            screen.say(f"{run.name}: was cut off, and goes on")
        await _end_tasks(client, run.id)
        await client.set_flow_run_state(run.id, new, force=True)
    return watched


async def _end_tasks(client: Any, run: UUID) -> None:
    """The task runs that were being read when their run was cut off are not being read any more."""
    from prefect.client.schemas.filters import (
        FlowRunFilter,
        FlowRunFilterId,
        TaskRunFilter,
        TaskRunFilterState,
        TaskRunFilterStateType,
    )
    from prefect.client.schemas.objects import StateType
    from prefect.states import Crashed

    open_ones = TaskRunFilter(
        state=TaskRunFilterState(type=TaskRunFilterStateType(any_=[StateType.RUNNING, StateType.PENDING]))
    )
    of_run = FlowRunFilter(id=FlowRunFilterId(any_=[run]))
    for task in await client.read_task_runs(flow_run_filter=of_run, task_run_filter=open_ones):
        await client.set_task_run_state(task.id, Crashed(message="it was cut off; its report is read anew"), force=True)
