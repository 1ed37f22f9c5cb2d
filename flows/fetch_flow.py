"""The Prefect flow ``fetch``: a list of addresses to snapshots, one task run an address of the list.

Everything runs in one event loop. What an address does not give is data (a line of the manifest), not a failed task.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed
from prefect.utilities.annotations import quote

from flows.addresses import Wanted
from flows.fetch import Fetcher, FetchOne, FetchOptions, FetchSummary, fetch_list, open_web
from flows.screen import Screen
from flows.server import PrivateServer, api
from flows.snapshots import Row


@task(name="fetch-address", task_run_name="{name}", cache_policy=NO_CACHE, persist_result=False)
async def fetch_address(name: str, wanted: Any, fetcher: Any) -> State[Any]:
    """Fetches ``wanted`` with ``fetcher``, both passed in Prefect's ``quote``, so that it leaves them alone.

    The state is named after what did not come, its data is the rows of the manifest.
    """
    rows: list[Row] = await fetcher.fetch(wanted)
    failed = [row for row in rows if row.outcome == "failed"]
    if not failed:
        return Completed(data=rows)
    return Completed(name="Failed in part", message=f"{failed[0].error}: {failed[0].message}"[:500], data=rows)


@flow(name="fetch", flow_run_name="{folder}", persist_result=False)
async def fetch(
    addresses: list[str],
    folder: str = "snapshots",
    allow_hosts: list[str] | None = None,
    hosts: int = 8,
    delay_s: float = 1.0,
    time_limit_s: float = 300.0,
    max_size_mb: float = 200.0,
    contact: str | None = None,
) -> State[Any]:
    """Fetches pages and files, and what belongs to them, into a folder that a run reads.

    The state is named ``Failed in part`` where something did not come: such a batch is not called complete.

    Args:
        addresses: Addresses, or paths of text or CSV files that list them.
        folder: Where the snapshots and their manifest go.
        allow_hosts: Hosts that are asked although their address is private.
        hosts: Hosts that are asked at the same time; each gets one request at a time.
        delay_s: Seconds between two requests to a host.
        time_limit_s: Seconds for one answer.
        max_size_mb: Megabytes of one file, unpacked.
        contact: An address or page that is told to the hosts, for their complaints.
    """
    options = FetchOptions(
        tuple(addresses), Path(folder), tuple(allow_hosts or ()), hosts, delay_s, time_limit_s, max_size_mb, contact
    )
    summary = await fetch_list(options, open_web(options), Screen(verb="fetched"), _as_tasks)
    message = f"{summary.addresses} addresses, {len(summary.failed)} answers failed"
    return Completed(name="Failed in part" if summary.failed else None, message=message, data=summary)


def _as_tasks(fetcher: Fetcher) -> FetchOne:
    """Each address as a task run."""

    async def fetch_one(wanted: Wanted) -> list[Row]:
        # Decorated functions that return states are awaitable, which their types do not say.
        task_run: Any = fetch_address
        state: Any = await task_run(wanted.label, quote(wanted), quote(fetcher), return_state=True)
        rows: list[Row] = await state.aresult()
        return rows

    return fetch_one


def watch_fetch(options: FetchOptions, server: PrivateServer | None) -> FetchSummary:
    """Runs the flow; with a private server, returns when that has written down every task run."""

    async def run() -> tuple[FetchSummary, str]:
        start: Any = fetch
        state: Any = await start(
            addresses=list(options.addresses),
            folder=str(options.folder),
            allow_hosts=list(options.allow_hosts),
            hosts=options.hosts,
            delay_s=options.delay_s,
            time_limit_s=options.time_limit_s,
            max_size_mb=options.max_size_mb,
            contact=options.contact,
            return_state=True,
        )
        return await state.aresult(), str(state.state_details.flow_run_id)

    with api(server):
        summary, flow_run = asyncio.run(run())
        if server is not None:
            server.settle(flow_run, summary.addresses)
        return summary
