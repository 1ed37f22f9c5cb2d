"""What a flow shows in Prefect: a progress bar while it runs, tables and pages at its end.

The store has everything that stands here; so where Prefect's server does not take it, the run says so and goes on.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import httpx
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from flows.limits import Limits
from flows.overview import coverage, quarantine, summary_markdown, worst_findings, worst_reports
from flows.pages import report_page
from flows.run import Summary
from flows.screen import Screen
from flows.store import Store

# Between two updates of the bar; each is a request of some 20 ms.
_PROGRESS_S = 3.0


class Progress:
    """The bar of a run on its page in Prefect."""

    def __init__(self, total: int, screen: Screen, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._screen, self._clock = total, screen, clock
        self._shown = clock()
        self._id: UUID | None = None
        with _forgiven(screen):
            self._id = _started(create_progress_artifact(0.0, key="progress", description=self._words(0)))

    def show(self, done: int) -> None:
        """So many files are done; the bar is moved now and then, and at the end."""
        now = self._clock()
        if self._id is None or (now - self._shown < _PROGRESS_S and done < self._total):
            return
        self._shown = now
        with _forgiven(self._screen):
            update_progress_artifact(self._id, 100.0 * done / self._total, description=self._words(done))

    def _words(self, done: int) -> str:
        return f"{done} of {self._total} files"


def publish_run(summary: Summary, version: str, screen: Screen) -> None:
    """The artifacts at the end of a run: summary, coverage, findings, quarantine."""
    with Store(summary.store.parent) as store, _forgiven(screen):
        create_markdown_artifact(summary_markdown(summary, version), key="summary", description="What the run has done")
        for key, (words, rows) in (
            ("coverage", coverage(store, summary.run)),
            ("findings", worst_findings(store, summary.run)),
            ("quarantine", quarantine(summary)),
        ):
            if rows:
                create_table_artifact(rows, key=key, description=words)


def publish_pages(summary: Summary, most: int, limits: Limits, screen: Screen) -> None:
    """A page for each of the worst doubtful reports that the run has read."""
    if not most:
        return
    with Store(summary.store.parent) as store:
        for sha256 in worst_reports(store, summary.run, most):
            publish_page(store, sha256, limits, screen)


def publish_page(store: Store, name: str, limits: Limits, screen: Screen) -> str:
    """The page of one report, named by path or sha256; returns the key of the artifact.

    Raises:
        flows.store.StoreError: none, or more than one, has that name.
    """
    record = json.loads(store.find_record(name))
    key = f"report-{record['source']['sha256'][:12]}"
    page = report_page(record, limits)
    with _forgiven(screen):
        create_markdown_artifact(page, key=key, description="A report: its findings, its tables, its pages")
    return key


def _started(artifact: Any) -> UUID:
    return UUID(str(artifact))


@contextlib.contextmanager
def _forgiven(screen: Screen) -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        screen.say(f"Prefect's server did not take what the run shows there: {type(error).__name__}")
