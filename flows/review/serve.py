"""Starts the application on the loopback interface."""

from __future__ import annotations

import getpass
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import uvicorn

from flows.inbox import printable
from flows.review.app import make_app
from flows.store import Store, StoreError


class ReviewError(RuntimeError):
    """The application cannot be started; the message says why."""


def serve(folder: Path, port: int, reviewer: str | None, say: Callable[[str], None]) -> None:
    """Serves the store in ``folder`` on 127.0.0.1 until it is interrupted.

    Args:
        folder: the store's.
        port: 0 takes any free one.
        reviewer: who decides; None takes the user's name.
        say: is told the address.

    Raises:
        ReviewError: there is no such store, or the port is taken.
    """
    try:
        Store(folder).close()
        app = make_app(folder, printable(reviewer or _user())[:100])
    except (StoreError, sqlite3.Error) as error:
        raise ReviewError(str(error)) from error
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as error:
            raise ReviewError(f"port {port} cannot be used: {error}; name another with --port") from error
        say(f"http://127.0.0.1:{listener.getsockname()[1]}/  (Ctrl-C ends it)")
        config = uvicorn.Config(
            app, log_level="warning", lifespan="on", timeout_graceful_shutdown=2, server_header=False, ws="none"
        )
        uvicorn.Server(config).run(sockets=[listener])


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # No user of that number has a name, as in some containers.
        return "reviewer"
