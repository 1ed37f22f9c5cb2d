"""Prefect's environment, set before Prefect is imported; nothing here imports it.

A user who has a Prefect server or a Prefect home keeps it. Everyone else gets a home inside the store folder, and the
server of ``gongkai serve`` where that is running, else a private one for the length of the run (:mod:`flows.server`).
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# In the store's folder: who serves it, and the lock that says whether it lives.
SERVE_FILE = "serve.json"
SERVE_LOCK = "serve.lock"

# Set for the flows that gongkai serve starts, and free to use by hand: the store's folder.
STORE_VARIABLE = "GONGKAI_STORE"
# The process that a served flow must not outlive.
PARENT_VARIABLE = "GONGKAI_SERVING"
_PARENT_S = 1.0

# setdefault, so that whoever sets one of these by hand keeps it.
_QUIET = {
    # No telemetry from the client, none from the server.
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # The terminal belongs to the progress line; a configured server gets warnings through its API.
    "PREFECT_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    "PREFECT_CLI_PROMPT": "false",
    # Results live in the store; Prefect keeps states only.
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
}

# Settings of the private server. By default it writes one transaction per state change (three a task).
_SERVER = {
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "100",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "0.5",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_BATCH_SIZE": "200",
    "PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL": "0.5",
    # Automations: the server has none, and would match every event against them.
    "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
    # States carry what is worth knowing; a log still waiting when the server ends would print an error.
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    # The user's profile may enable Prefect's own temporary server, whose shutdown prints tracebacks.
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
}


def prepare(store_folder: Path) -> bool:
    """Sets what Prefect reads at import; True where a private server is needed.

    Must run before Prefect is imported. The user's own ``~/.prefect`` is read for a configured server and never
    written.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if has_server():
        return False
    serving = read_serving(store_folder)
    if serving is not None:
        os.environ["PREFECT_API_URL"] = f"{serving.url}/api"
        return False
    for name, value in _SERVER.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("PREFECT_HOME", str((store_folder / "prefect").absolute()))
    return True


@dataclass(frozen=True, slots=True)
class Serving:
    """A running ``gongkai serve``: its web address and its process."""

    url: str
    pid: int


def read_serving(store_folder: Path) -> Serving | None:
    """The ``gongkai serve`` of a store; None where none is running, whatever an earlier one has left behind."""
    try:
        with (store_folder / SERVE_LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
    except BlockingIOError:
        # Its lock is held, and the kernel takes that from a process that is gone: it is alive.
        pass
    except OSError:
        return None
    try:
        found = json.loads((store_folder / SERVE_FILE).read_text(encoding="utf-8"))
        return Serving(str(found["url"]), int(found["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        # It is just starting: its server answers nobody yet.
        return None


def has_server(environ: dict[str, str] | None = None) -> bool:
    """Whether the user has configured a Prefect API: in the environment, in the folder, or in a profile."""
    variables = dict(os.environ) if environ is None else environ
    if variables.get("PREFECT_API_URL"):
        return True
    here = (("prefect.toml", "api", "url"), ("pyproject.toml", "tool", "prefect", "api", "url"))
    if any(_setting(Path(name), *keys) for name, *keys in here):
        return True
    home = Path(variables.get("PREFECT_HOME") or Path.home() / ".prefect")
    profiles = Path(variables.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    active = variables.get("PREFECT_PROFILE") or _setting(profiles, "active")
    return bool(active and _setting(profiles, "profiles", str(active), "PREFECT_API_URL"))


def end_with_parent() -> bool:
    """Whether this process was started by ``gongkai serve``; it then ends as soon as that has ended.

    A flow that went on alone would hold the store's lock, unwatched, while the next one waits for it.
    """
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is None:
        return False
    if not any(thread.name == PARENT_VARIABLE for thread in threading.enumerate()):
        threading.Thread(target=_end_after, args=(int(parent),), name=PARENT_VARIABLE, daemon=True).start()
    return True


def _end_after(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_S)
    # What is read is in the store, and a report that is being read will be read again.
    os._exit(1)


def _setting(path: Path, *keys: str) -> Any:
    """The value under ``keys`` in a TOML file; None where file or key is missing or the file is not TOML."""
    try:
        value: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
