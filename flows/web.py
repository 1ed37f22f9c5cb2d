"""Asking politely: robots.txt, one request at a time to a host, its delay, Retry-After, retries, redirects by hand."""

from __future__ import annotations

import asyncio
import contextlib
import io
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import BinaryIO

import httpx2
from protego import Protego

from flows.addresses import FetchError, parse_address
from flows.client import Answer, Client, Limits, Resolver

# How the rules of a robots.txt may call us.
ROBOT = "gongkai"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Of an overloaded server or of one between us and it; 500 is the page's own fault and comes again.
_PASSING = frozenset({408, 429, 502, 503, 504})
# RFC 9309, 2.5: at least 500 KiB of a robots.txt are read; and 2.3.1.2: at least five redirects are followed.
_ROBOTS_BYTES = 512_000
_ROBOTS_REDIRECTS = 5
# A host that did not answer this many addresses in a row is left alone for so long.
_MISSES = 3
_REST_S = 600.0


@dataclass(frozen=True, slots=True)
class Manners:
    """How hosts are asked, times in seconds.

    ``delay_s`` is between the end of one request to a host and the next; a robots.txt may ask for more, up to
    ``longest_wait_s``, as may Retry-After. ``retries`` is how often what can pass is asked for again, after
    ``backoff_s``, twice that, and so on.
    """

    delay_s: float = 1.0
    longest_wait_s: float = 120.0
    retries: int = 2
    backoff_s: float = 5.0
    max_redirects: int = 10


@dataclass(frozen=True, slots=True)
class Reply:
    """The last answer of a chain: where it came from, and over which redirects (status and address of each)."""

    url: httpx2.URL
    answer: Answer
    redirects: tuple[dict[str, str | int], ...]


@dataclass(slots=True)
class _Host:
    """What is known of a host. Times are of the monotonic clock."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    delay_s: float = 0.0
    ready: float = 0.0
    closed: float = 0.0
    misses: int = 0


class Jar:
    """Cookies of one errand: sites that set one and send back to the same page need it. A jar for each host."""

    def __init__(self) -> None:
        self._hosts: dict[str, httpx2.Cookies] = {}

    def of(self, host: str) -> httpx2.Cookies:
        """What this host has set, and only what it has set."""
        return self._hosts.setdefault(host, httpx2.Cookies())


class Web:
    """The hosts and what they allow. All in one event loop."""

    def __init__(
        self, limits: Limits, manners: Manners, allowed: frozenset[str], agent: str, resolver: Resolver | None = None
    ) -> None:
        self._manners = manners
        self._client = Client(limits, allowed, agent, *([resolver] if resolver else []))
        self._hosts: dict[str, _Host] = {}
        self._robots: dict[str, Protego | FetchError] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def __aenter__(self) -> Web:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def fetch(
        self, address: str, sink: BinaryIO, jar: Jar, known: tuple[str, dict[str, str]] | None = None
    ) -> Reply:
        """What ``address`` leads to; the body goes into ``sink``, from its beginning.

        Args:
            address: An address as a list or a page names it.
            sink: Holds the body alone when this returns, whatever was tried before.
            jar: Cookies of the errand.
            known: A final address, and the headers that ask it only for what has changed since.

        Raises:
            FetchError: nothing was got; with the status, where there was one.
            OSError: ``sink`` cannot be written.
        """
        url = parse_address(address)
        redirects: list[dict[str, str | int]] = []
        visits: Counter[str] = Counter()
        while True:
            await self._allow(url)
            headers = known[1] if known and str(url) == known[0] else {}
            answer = await self._ask(url, sink, jar, headers)
            if answer.status not in _REDIRECTS:
                return Reply(url, answer, tuple(redirects))
            redirects.append({"status": answer.status, "address": str(url)})
            visits[str(url)] += 1
            url = _following(url, answer)
            # Twice is no circle yet: a site may set a cookie and send back to the same page.
            if visits[str(url)] > 1:
                raise FetchError("redirects", f"sent in a circle, back to {url}", status=answer.status)
            if len(redirects) > self._manners.max_redirects:
                message = f"more than {self._manners.max_redirects} redirects"
                raise FetchError("redirects", message, status=answer.status)

    async def _allow(self, url: httpx2.URL) -> None:
        """Raises a ``FetchError`` where the site's robots.txt does not allow the address to us (RFC 9309)."""
        origin = str(url.copy_with(raw_path=b"/robots.txt"))
        async with self._asking.setdefault(origin, asyncio.Lock()):
            if origin not in self._robots:
                self._robots[origin] = await self._read_robots(httpx2.URL(origin))
        rules = self._robots[origin]
        if isinstance(rules, FetchError):
            # Its own copy: one that is raised again and again collects every place that raised it.
            raise FetchError(rules.code, rules.message, status=rules.status)
        if not rules.can_fetch(str(url), ROBOT):
            raise FetchError("robots", f"{origin} does not allow it")
        delay = min(rules.crawl_delay(ROBOT) or 0.0, self._manners.longest_wait_s)
        host = self._host(url)
        host.delay_s = max(host.delay_s, delay)

    async def _read_robots(self, site: httpx2.URL) -> Protego | FetchError:
        """The rules of a site: none where there is no such file, an error where the site does not answer (2.3.1.4)."""
        body, jar, url = io.BytesIO(), Jar(), site
        try:
            for _ in range(_ROBOTS_REDIRECTS + 1):
                answer = await self._ask(url, body, jar, {}, _ROBOTS_BYTES)
                if answer.status not in _REDIRECTS:
                    break
                url = _following(url, answer)
        except FetchError as error:
            missing = error.status is not None and 400 <= error.status < 500 and error.status != 429
            if error.code == "too_large":
                pass  # its beginning counts, and is in the body
            elif missing or url != site or error.code in ("redirects", "encoding"):
                # There is none (2.3.1.3), or what is in its place leads elsewhere or cannot be read.
                return Protego.parse("")
            else:
                message = error.message if error.status is None else f"robots.txt: {error.message}"
                return FetchError(error.code, message, status=error.status)
        return Protego.parse(body.getvalue().decode("utf-8", "replace"))

    async def _ask(
        self, url: httpx2.URL, sink: BinaryIO, jar: Jar, headers: dict[str, str], max_bytes: int | None = None
    ) -> Answer:
        """One address, again where that may help; an answer of success, a redirect, or 304.

        Raises:
            FetchError: as :meth:`fetch`; ``status`` for any other answer.
        """
        host, manners = self._host(url), self._manners
        for attempt in range(manners.retries + 1):
            sink.seek(0)
            sink.truncate()
            wait = manners.backoff_s * 2**attempt
            try:
                async with self._turn(url, host):
                    answer = await self._client.get(url, sink.write, headers, jar.of(url.host), max_bytes)
                host.misses = 0
                if answer.status not in _PASSING:
                    return _checked(answer, bool(headers))
                failure = FetchError("status", f"HTTP {answer.status}", passing=True, status=answer.status)
                wait = _retry_after(answer.headers.get("retry-after")) or wait
                if wait > manners.longest_wait_s:
                    host.closed = time.monotonic() + wait
                    message = f"HTTP {answer.status}: to be asked again in {wait:.0f} s"
                    raise FetchError("later", message, status=answer.status)
                host.ready = time.monotonic() + wait
            except FetchError as error:
                if not error.passing:
                    raise
                failure = error
                host.ready = time.monotonic() + wait
        if failure.status is None:
            self._miss(host)
        raise failure

    @contextlib.asynccontextmanager
    async def _turn(self, url: httpx2.URL, host: _Host) -> AsyncIterator[None]:
        """The host to oneself, after its delay."""
        async with host.turn:
            now = time.monotonic()
            if host.closed > now:
                raise FetchError("later", f"{url.host} is left alone for another {host.closed - now:.0f} s")
            await asyncio.sleep(host.ready - now)
            try:
                yield
            finally:
                host.ready = time.monotonic() + max(self._manners.delay_s, host.delay_s)

    def _miss(self, host: _Host) -> None:
        host.misses += 1
        if host.misses >= _MISSES:
            host.closed = time.monotonic() + _REST_S

    def _host(self, url: httpx2.URL) -> _Host:
        return self._hosts.setdefault(url.host, _Host())


def _following(url: httpx2.URL, answer: Answer) -> httpx2.URL:
    """Where a redirect leads, checked like any address.

    Raises:
        FetchError: it leads nowhere, or where nobody is asked.
    """
    place = answer.headers.get("location", "")
    if not place:
        raise FetchError("redirects", "a redirect without a place", status=answer.status)
    try:
        return parse_address(str(url.join(place)))
    except (httpx2.InvalidURL, ValueError) as error:
        raise FetchError("redirects", f"a redirect to no address: {error}", status=answer.status) from error
    except FetchError as error:
        message = f"a redirect that is not followed: {error.message}"
        raise FetchError("redirects", message, status=answer.status) from error


def _checked(answer: Answer, conditional: bool) -> Answer:
    if answer.status in (200, 203) or answer.status in _REDIRECTS or (answer.status == 304 and conditional):
        return answer
    raise FetchError("status", f"HTTP {answer.status}", status=answer.status)


def _retry_after(text: str | None) -> float | None:
    """Seconds that a server asks to wait: a number, or a date."""
    if not text:
        return None
    if text.strip().isdecimal():
        return float(text.strip()[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        # Neither: the server says something that nobody can wait for.
        return None
