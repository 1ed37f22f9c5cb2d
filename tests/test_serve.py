"""``gongkai serve`` as it is run: its deployments, a run started through its interface, and being killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import NARRATIVE

from flows.settings import read_serving
from flows.store import Store

ROOT = Path(__file__).parent.parent
# A busy machine takes minutes for what takes seconds on a free one.
PATIENCE_S = 240
RETRIES = 30

pytestmark = pytest.mark.slow


class Served:
    """A store that is served by a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, folder / "store"
        with contextlib.closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.start()

    def start(self) -> None:
        hidden = ("PREFECT", "HOME", "DO_NOT_TRACK")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        environment |= {"HOME": str(self.folder), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "flows.cli", "serve", "--store", str(self.store), "--port", str(self.port)]
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    @property
    def said(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")

    def ask(self, path: str, **body: Any) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/{path}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        for _ in range(RETRIES):
            try:
                with urllib.request.urlopen(request, timeout=60) as response:
                    return json.loads(response.read())
            except urllib.error.HTTPError as error:
                # Its database was busy; Prefect's own client asks again, too.
                if error.code != 503:
                    raise
                time.sleep(1)
        raise AssertionError(f"the server is busy all the time; {self.said}")

    def runs(self) -> list[tuple[str, str]]:
        with contextlib.suppress(OSError):
            return [(run["name"], run["state_name"]) for run in self.ask("flow_runs/filter")]
        return []

    def deployment(self, name: str) -> str:
        (found,) = self.ask("deployments/filter", deployments={"name": {"any_": [name]}})
        return str(found["id"])


def until(holds: Callable[[], Any], what: str, served: Served) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if found := holds():
            return found
        assert served.process.poll() is None, served.said
        time.sleep(0.5)
    raise AssertionError(f"waited in vain for {what}; {served.runs()}; {served.said}")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    try:
        until(lambda: read_serving(served.store), "the server", served)
        until(lambda: len(served.ask("deployments/filter")) == 5, "the deployments", served)
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(served.process.pid, signal.SIGKILL)
        served.process.wait()


def write_reports(folder: Path, number: int) -> Path:
    folder.mkdir()
    for at in range(number):
        (folder / f"{at}.txt").write_text(NARRATIVE.replace("126", f"12{at}"), encoding="utf-8")
    (folder / "empty.txt").touch()
    return folder


def test_a_run_that_was_cut_off_goes_on(served: Served) -> None:
    """Killed with everything that it has started, served again: the run goes on by itself and reads each once."""
    inbox = write_reports(served.folder / "inbox", 8)
    served.ask(f"deployments/{served.deployment('backlog')}/create_flow_run", parameters={"inbox": str(inbox)})
    until(lambda: count(served.store) >= 1, "the first report", served)
    os.kill(served.process.pid, signal.SIGKILL)
    served.process.wait()
    served.start()
    until(lambda: (str(inbox), "Quarantined") in served.runs(), "the end of the run", served)
    with Store(served.store) as store:
        assert store.count("SELECT count(*), count(DISTINCT sha256) FROM reports") == [(8, 8)]
        assert store.count("SELECT code FROM quarantine") == [("empty",)]
    os.killpg(served.process.pid, signal.SIGINT)
    assert served.process.wait(PATIENCE_S) == 0, served.said
    assert "Traceback" not in served.said
    assert read_serving(served.store) is None


def count(store: Path) -> int:
    with contextlib.suppress(Exception), Store(store) as opened:
        return int(opened.count("SELECT count(*) FROM reports")[0][0])
    return 0
