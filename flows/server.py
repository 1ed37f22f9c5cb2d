"""A Prefect server of our own: a child process on the loopback interface, silent, gone with its parent.

One run has a private server without the web pages; ``gongkai serve`` has one with them. Prefect can start a temporary
server by itself; that one writes its shutdown tracebacks to the user's terminal, gives up after 20 seconds (the first
start, with some 200 migrations, takes longer on a small machine), and stays behind when the run is killed. So the same
server is started here, its output in a file of the store; one that dies is started again at the same address.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from flows.screen import Screen
from flows.settings import prepare

# How long the server may take to write down the last states of a run.
SETTLE_LIMIT_S = 30

# The first start makes Prefect's database: 14 s on two free cores, minutes on a busy machine.
START_LIMIT_S = 600
STOP_LIMIT_S = 10
# Before a server that died is started again; one that cannot start must not keep the machine busy.
RESTART_S = 1.0

_NO_PAGES = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1"}
# For the browser: nothing from elsewhere is fetched, and nothing is sent elsewhere, whatever a page or a text says.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "connect-src 'self' ws://127.0.0.1:*; object-src 'none'; frame-ancestors 'none'; base-uri 'self'; "
    "form-action 'self'"
)


class ServerError(RuntimeError):
    """The private server did not start; the message names its log."""


class OwnServer:
    """The server process. Starting is asynchronous: start early, :meth:`wait` before the first flow run."""

    def __init__(self, home: Path, port: int | None = None, pages: bool = False) -> None:
        """Starts it on ``port`` (None: any), with its log in ``home``; ``pages``: with the web pages."""
        home.mkdir(parents=True, exist_ok=True)
        self.log = home / "server.log"
        self.port = port or _free_port()
        self._variables = {**os.environ, **(_pages(home, self.port) if pages else _NO_PAGES)}
        self._ending = threading.Event()
        self.log.write_bytes(b"")
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as output:
            # The child watches its standard input: it ends when this process does, however this process ends.
            # A session of its own keeps Ctrl-C from it, so that an interrupted run is still recorded.
            return subprocess.Popen(
                [sys.executable, "-m", "flows.server", str(self.port)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=self._variables,
            )

    def keep(self) -> None:
        """From now on, starts the server again where it dies; Prefect's clients try again until it answers."""
        threading.Thread(target=self._keep, daemon=True).start()

    def _keep(self) -> None:
        while True:
            self._process.wait()
            if self._ending.wait(RESTART_S):
                return
            self._process = self._start()

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self.port}/api"

    def __enter__(self) -> OwnServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def wait(self) -> None:
        """Returns when the API answers.

        Raises:
            ServerError: the process ended, or does not answer within ``START_LIMIT_S``.
        """
        deadline = time.monotonic() + START_LIMIT_S
        while not self._answers():
            if self._process.poll() is not None:
                raise ServerError(f"Prefect's server ended with code {self._process.returncode}; see {self.log}")
            if time.monotonic() > deadline:
                raise ServerError(f"Prefect's server did not start within {START_LIMIT_S} s; see {self.log}")
            time.sleep(0.1)

    def settle(self, flow_run: str, tasks: int) -> None:
        """Returns when ``tasks`` task runs of the flow run are final on the server, which records them late.

        Gives up silently after ``SETTLE_LIMIT_S``: the store has the results, Prefect only the history.
        """
        states = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]
        query = {
            "flow_runs": {"id": {"any_": [flow_run]}},
            "task_runs": {"state": {"type": {"any_": states}}},
        }
        request = urllib.request.Request(
            f"{self.url}/task_runs/count",
            data=json.dumps(query).encode(),
            headers={"Content-Type": "application/json"},
        )
        deadline = time.monotonic() + SETTLE_LIMIT_S
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), _open(request) as response:
                if json.loads(response.read()) >= tasks:
                    return
            time.sleep(0.1)

    def stop(self) -> None:
        """Ends the server: it is asked first, then killed."""
        self._ending.set()
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with _open(urllib.request.Request(f"{self.url}/health")) as response:
                return bool(response.status == 200)
        except OSError:
            return False


def _pages(home: Path, port: int) -> dict[str, str]:
    """The settings of a server with web pages: written to ``home``, not to the package; only itself is let in."""
    address = f"http://127.0.0.1:{port}"
    return {
        "PREFECT_UI_ENABLED": "1",
        "PREFECT_UI_API_URL": f"{address}/api",
        "PREFECT_UI_STATIC_DIRECTORY": str(home / "pages"),
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # Prefect lets every web site in the same browser use its API.
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": address,
    }


@contextlib.contextmanager
def private_server(store: Path, screen: Screen) -> Iterator[OwnServer | None]:
    """Starts a private server where none is running or configured; Prefect may be imported inside only."""
    if not prepare(store):
        yield None
        return
    home = Path(os.environ["PREFECT_HOME"])
    tell_first(home, screen)
    with OwnServer(home) as server:
        yield server


def tell_first(home: Path, screen: Screen) -> None:
    """Says why the first start takes longer."""
    if not (home / "prefect.db").exists():
        screen.say("Prefect sets up its database; this first time takes some seconds longer")


@contextlib.contextmanager
def api(server: OwnServer | None) -> Iterator[None]:
    """Prefect's client talks to ``server`` inside; None leaves the user's configuration alone."""
    if server is None:
        yield
        return
    from prefect.settings import PREFECT_API_URL, temporary_settings

    server.wait()
    server.keep()
    with temporary_settings({PREFECT_API_URL: server.url}):
        yield


def _open(request: urllib.request.Request) -> http.client.HTTPResponse:
    # A proxy that the user has set for the web has no business with the loopback interface.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    response: http.client.HTTPResponse = opener.open(request, timeout=5)
    return response


def _free_port() -> int:
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _guarded() -> Any:
    """Prefect's application, its answers with the policy, and only for requests that name the loopback interface."""
    from prefect.server.api.server import create_app
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    inner = create_app()

    async def guarded(scope: Any, receive: Any, send: Any) -> None:
        async def with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", _POLICY.encode())]
            await send(message)

        await inner(scope, receive, with_policy if scope["type"] == "http" else send)

    # A web site can give its own name the address 127.0.0.1 and ask under that name.
    return TrustedHostMiddleware(guarded, ["127.0.0.1", "localhost"])


def _serve(port: int) -> None:
    """Runs the server until standard input ends."""
    import uvicorn

    config = uvicorn.Config(
        _guarded,
        factory=True,
        host="127.0.0.1",
        port=port,
        log_level="error",
        lifespan="on",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)

    def watch() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True
        # A request that never ends, or a start-up that does not look at the flag, must not keep the process.
        time.sleep(STOP_LIMIT_S / 2)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()
    server.run()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
