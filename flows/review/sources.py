"""Pictures and text of a report's file, made in a process of their own: a hostile file may hang or end that, not us."""

from __future__ import annotations

import hashlib
import multiprocessing
import signal
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

from extractors.errors import ExtractionError
from flows.workers import mute

# Digits of nine points can be told at this width, and a page takes some 300 kB.
WIDTH_PX = 1100
_PICTURE_LIMIT_S = 30.0
# A scan of ten pages is read in a minute or two.
_TEXT_LIMIT_S = 240.0
_CACHE_BYTES = 96_000_000


class SourceError(Exception):
    """The file cannot be shown; the message says why."""


class Sources:
    """Asks a process of its own for pages and texts, one at a time, and keeps the latest of them."""

    def __init__(self) -> None:
        self._work = threading.Lock()
        self._kept = threading.Lock()
        self._pool: Pool | None = None
        self._cache: OrderedDict[tuple[Any, ...], tuple[int, Any]] = OrderedDict()

    def start(self) -> None:
        """Starts the process, so that the first page need not wait for it."""
        with self._work:
            self._started().apply_async(_load)

    def sizes(self, source: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
        """Width and height (points) of each page.

        Raises:
            SourceError: the file is gone, is another by now, or cannot be opened.
        """
        key = ("sizes", source["sha256"])
        found: tuple[tuple[float, float], ...] = self._get(key, _sizes, (dict(source),), _PICTURE_LIMIT_S)
        return found

    def page(self, source: Mapping[str, Any], number: int) -> bytes:
        """Page ``number`` (1-based) as a JPEG.

        Raises:
            SourceError: the file is gone, is another by now, or its page cannot be drawn.
        """
        key = ("page", source["sha256"], number)
        found: bytes = self._get(key, _page, (dict(source), number), _PICTURE_LIMIT_S)
        return found

    def text(self, source: Mapping[str, Any]) -> str:
        """The text to which the offsets of the record refer.

        Raises:
            SourceError: as :meth:`page`.
        """
        key = ("text", source["sha256"])
        found: str = self._get(key, _text, (source["path"], source["sha256"]), _TEXT_LIMIT_S)
        return found

    def close(self) -> None:
        """Ends the process."""
        with self._work:
            self._end()

    def _get(self, key: tuple[Any, ...], function: Callable[..., Any], arguments: tuple[Any, ...], limit: float) -> Any:
        known = self._known(key)
        if known is None:
            with self._work:
                known = self._known(key) or self._keep(key, self._ask(function, arguments, limit))
        if isinstance(known, SourceError):
            raise known
        return known

    def _known(self, key: tuple[Any, ...]) -> Any:
        with self._kept:
            if key not in self._cache:
                return None
            self._cache.move_to_end(key)
            return self._cache[key][1]

    def _keep(self, key: tuple[Any, ...], value: Any) -> Any:
        """Remembers ``value`` and forgets what was used longest ago; a failure is asked for anew next time."""
        if isinstance(value, SourceError):
            return value
        size = len(value) * (4 if isinstance(value, str) else 1)
        with self._kept:
            self._cache[key] = (size, value)
            while sum(kept for kept, _ in self._cache.values()) > _CACHE_BYTES and len(self._cache) > 1:
                self._cache.popitem(last=False)
        return value

    def _ask(self, function: Callable[..., Any], arguments: tuple[Any, ...], limit: float) -> Any:
        try:
            return self._started().apply_async(function, arguments).get(limit)
        except multiprocessing.TimeoutError:
            # It hangs, or it died and its answer with it.
            self._end()
            return SourceError(f"no answer within {limit:g} s")

    def _started(self) -> Pool:
        if self._pool is None:
            # spawn: a fork of a process with threads can deadlock.
            self._pool = multiprocessing.get_context("spawn").Pool(1, _begin)
        return self._pool

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None


def _begin() -> None:
    # Ctrl-C is for the server, which ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    mute()


def _load() -> None:
    """Loads what the others need."""
    import flows.draw  # noqa: F401


def _sizes(source: Mapping[str, Any]) -> Any:
    from flows.draw import page_sizes

    return _tried(lambda: page_sizes(source))


def _page(source: Mapping[str, Any], number: int) -> Any:
    from flows.draw import plain_page

    return _tried(lambda: plain_page(source, number, WIDTH_PX))


def _text(path: str, sha256: str) -> Any:
    from extractors.extract import read_document

    def read() -> str:
        if hashlib.sha256(Path(path).read_bytes()).hexdigest() != sha256:
            raise SourceError("the file has changed since it was read")
        return read_document(Path(path)).text

    return _tried(read)


def _tried(function: Callable[[], Any]) -> Any:
    """What ``function`` returns, or the reason why it does not: exceptions of libraries need not survive a pipe."""
    try:
        return function()
    except ExtractionError as error:
        return SourceError(error.reason)
    except SourceError as error:
        return error
    except Exception as error:
        # Whatever a hostile file makes a library raise is told, and costs that file only.
        return SourceError(f"{type(error).__name__}: {error}"[:500])
