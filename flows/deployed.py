"""The flows that ``gongkai serve`` offers beside that of a run: watch a folder, train a model, show a report.

Their parameters are forms in Prefect's pages. A flow that is added here is offered by :data:`flows.serving.OFFERS`.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from pydantic import Field

from flows.arrivals import Arrivals
from flows.artifacts import publish_page
from flows.extract import FilePages, Megabytes, PageCount, Percent, Processes, Seconds, extract_inbox
from flows.limits import DEFAULT_LIMITS, Limits
from flows.overview import escaped
from flows.run import MOST_FAILURES
from flows.screen import Screen
from flows.settings import STORE_VARIABLE, end_with_parent
from flows.store import Store, StoreError


@flow(name="gongkai-watch", flow_run_name="{inbox}", persist_result=False)
def watch_inbox(
    inbox: str,
    quiet_s: Annotated[float, Field(ge=0, le=3600)] = 5.0,
    look_s: Annotated[float, Field(gt=0, le=3600)] = 2.0,
    hours: float | None = None,
    processes: Processes = 2,
    most_failures: Percent = MOST_FAILURES,
    pages: PageCount = 5,
    time_limit_s: Seconds = DEFAULT_LIMITS.seconds,
    cpu_limit_s: Seconds = DEFAULT_LIMITS.cpu_seconds,
    memory_limit_mb: Megabytes = DEFAULT_LIMITS.memory_mb,
    page_limit: FilePages = DEFAULT_LIMITS.pages,
    model: str | None = None,
) -> State[Any]:
    """Reads files as they come into a folder, a run for each lot; goes on until it is cancelled.

    The first lot is the folder as it is: what has been read before is not read again.

    Args:
        inbox: A folder; files that come into it are read once they have stopped growing.
        quiet_s: A file that has not changed for so many seconds is complete.
        look_s: Seconds between two looks at the folder.
        hours: Stop after so many hours; empty means when it is cancelled.
        processes: Reports that are read at the same time.
        most_failures: A lot has failed where more of its files, in per cent, gave no report.
        pages: Pages with tables and pictures are made for so many doubtful reports of a lot, the worst first.
        time_limit_s: Longest time for one report, in seconds.
        cpu_limit_s: Most processor time for one report, in seconds.
        memory_limit_mb: Most memory of a process that reads reports, in MB.
        page_limit: Most pages of a PDF file that is read.
        model: Folder of a model of the prose; empty means the one in use.
    """
    end_with_parent()
    store = _store()
    arrivals = Arrivals(Path(inbox), quiet_s, store)
    until = None if hours is None else time.monotonic() + 3600 * hours
    lots = 0
    while until is None or time.monotonic() < until:
        ready = arrivals.settled()
        if ready:
            lots += 1
            with tempfile.TemporaryDirectory(dir=store.parent if store.parent.is_dir() else None) as folder:
                extract_inbox.with_options(flow_run_name=f"{inbox}: lot {lots}, {len(ready)} files")(
                    inbox=str(_write_list(ready, Path(folder))), processes=processes, most_failures=most_failures,
                    pages=pages, time_limit_s=time_limit_s, cpu_limit_s=cpu_limit_s, memory_limit_mb=memory_limit_mb,
                    page_limit=page_limit, model=model, return_state=True,
                )  # fmt: skip
        time.sleep(look_s)
    return Completed(message=f"{lots} lots in {hours} hours")


@flow(name="gongkai-retrain", flow_run_name="{out}", persist_result=False)
def retrain(
    labels: list[str],
    out: str = "gongkai-model",
    base: str | None = None,
    only: bool = False,
    tests: list[str] | None = None,
    epochs: Annotated[int | None, Field(ge=1, le=1000)] = None,
    seed: int | None = None,
) -> State[Any]:
    """Trains a model of the prose from annotated passages; the other flows use it when they are given its folder.

    Args:
        labels: Files of annotated passages (JSON Lines) to learn from.
        out: Folder for the new model.
        base: Folder of a model to go on from; empty means the shipped encoder.
        only: Learn from these files alone, not from the shipped passages too.
        tests: Files of annotated passages to measure on; empty means the shipped ones.
        epochs: Passes over the passages; empty means the trainer's own choice.
        seed: Seed of the training; empty means the trainer's own.
    """
    from flows.train import TrainingError, train_model

    end_with_parent()
    try:
        lines = train_model(
            [Path(path) for path in labels], Path(out), base=base, only=only,
            tests=[Path(path) for path in tests or ()], epochs=epochs, seed=seed,
        )  # fmt: skip
    except TrainingError as error:
        return Failed(message=str(error))
    text = "\n".join(f"    {line}" for line in lines)
    create_markdown_artifact(f"# {escaped(lines[0])}\n\n{text}\n", key="training", description="How good the model is")
    return Completed(message=lines[0])


@flow(name="gongkai-report", flow_run_name="{report}", persist_result=False)
def show_report(report: str) -> State[Any]:
    """Makes the page of one report of the store: its findings, its tables, and the pages with what was read.

    Args:
        report: Path of a report in the store, or the first digits of its sha256.
    """
    end_with_parent()
    try:
        with Store(_store()) as store:
            key = publish_page(store, report, Limits(), Screen())
    except StoreError as error:
        return Failed(message=str(error))
    return Completed(message=f"the artifact {key}")


def _store() -> Path:
    return Path(os.environ.get(STORE_VARIABLE) or "gongkai-store")


def _write_list(paths: list[Path], folder: Path) -> Path:
    """The list of a lot, as ``extract_inbox`` takes it; not as a parameter, which Prefect would store and show."""
    listing = folder / "list"
    listing.write_bytes(b"".join(os.fsencode(path.absolute()) + b"\n" for path in paths))
    return listing
