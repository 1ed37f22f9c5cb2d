"""Prefect's environment, set before Prefect is imported; nothing here imports it.

A user who has a Prefect server or a Prefect home keeps it. Everyone else gets a home inside the store folder and
a private server for the length of the run (:mod:`flows.server`).
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

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
    for name, value in _SERVER.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("PREFECT_HOME", str((store_folder / "prefect").absolute()))
    return True


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
