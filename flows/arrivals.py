"""The files of a folder as they come: each is let through once it has stopped growing. No Prefect here."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from flows.inbox import find_files

# Size in bytes and time of the last change in nanoseconds: what changes while a file is written.
Look = tuple[int, int]


class Arrivals:
    """Looks at a folder again and again. A file that is changed later comes again."""

    def __init__(
        self, inbox: Path, quiet_s: float, leave_out: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``quiet_s``: a file that has looked the same for so long is complete. ``leave_out`` as for find_files."""
        self._inbox, self._quiet_s, self._leave_out, self._clock = inbox, quiet_s, leave_out, clock
        self._seen: dict[Path, tuple[Look, float]] = {}
        self._passed: dict[Path, Look] = {}

    def settled(self) -> list[Path]:
        """The files that are complete and have not been passed on as they are now.

        By this machine's clock from look to look, not by the files' times, which another machine may have set.

        Raises:
            NotADirectoryError: the folder is none, or is gone.
        """
        now = self._clock()
        present = {path: look for path in find_files(self._inbox, self._leave_out) if (look := _look(path))}
        self._passed = {path: look for path, look in self._passed.items() if path in present}
        seen = {}
        for path, look in present.items():
            if self._passed.get(path) != look:
                before = self._seen.get(path)
                seen[path] = before if before is not None and before[0] == look else (look, now)
        self._seen = seen
        ready = [path for path, (_, since) in seen.items() if now - since >= self._quiet_s]
        for path in ready:
            self._passed[path] = self._seen.pop(path)[0]
        return ready


def _look(path: Path) -> Look | None:
    try:
        status = path.stat()
    except OSError:
        # Gone since the folder was listed, or not to be looked at: the next look, or the run, will say.
        return None
    return status.st_size, status.st_mtime_ns
