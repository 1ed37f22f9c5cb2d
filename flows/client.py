"""One request over HTTP: a connection that goes only to checked addresses, an answer within limits of size and time.

No proxy, no cookie jar, no password file and no redirect comes in unseen: requests go straight to the connection pool
of the library, not through its client.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from flows.addresses import FetchError, is_public, resolve

# What is understood; an answer in another encoding is not what it is taken for.
_ENCODINGS = frozenset({"gzip", "x-gzip", "deflate", "identity", ""})
_WITH_BODY = frozenset({200, 203})
# A host with more addresses than these has them all in one place.
_MAX_TRIED = 3

Resolver = Callable[[str, int], Awaitable[list[str]]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes of one answer; ``max_bytes`` counts after decompression.

    ``max_bytes`` is what the reader takes (``extractors/extract.py``), ``whole_s`` that much over a slow line.
    """

    connect_s: float = 10.0
    read_s: float = 30.0
    whole_s: float = 300.0
    max_bytes: int = 200_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and headers of an answer, and how many bytes of its body were written."""

    status: int
    headers: httpx2.Headers
    size: int = 0


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to the addresses that were checked, and to no other: a name is resolved once for check and connection.

    ``allowed`` are names of hosts whose addresses are not checked.
    """

    def __init__(self, allowed: frozenset[str], resolver: Resolver = resolve) -> None:
        self._allowed, self._resolve = allowed, resolver
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to the first of the host's addresses that may be asked and answers.

        Raises:
            FetchError: ``refused``: no address of the host is public; ``unresolved``.
        """
        try:
            async with asyncio.timeout(timeout):
                found = await self._resolve(host, port)
        except TimeoutError as error:
            raise FetchError("unresolved", f"{host}: no answer in time", passing=True) from error
        addresses = found if host.lower() in self._allowed else [address for address in found if is_public(address)]
        if not addresses:
            raise FetchError("refused", f"{host} is {', '.join(found[:3])}, no public address (--allow-host allows it)")
        failure: Exception | None = None
        for address in addresses[:_MAX_TRIED]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        assert failure is not None
        raise failure


@functools.cache
def _certificates() -> ssl.SSLContext:
    """The authorities that this system trusts; reading them takes longer than many a page."""
    return httpx2.create_ssl_context()


class _Body(httpx2.AsyncByteStream):
    """The body of an answer as the decoders take it."""

    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._response.aiter_stream():
            yield chunk


class Client:
    """Asks for one address at a time and follows nothing."""

    def __init__(self, limits: Limits, allowed: frozenset[str], agent: str, resolver: Resolver = resolve) -> None:
        self._limits = limits
        self._headers = {"User-Agent": agent, "Accept": "*/*", "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=_certificates(),
            network_backend=CheckedNetwork(allowed, resolver),
            max_keepalive_connections=20,
            keepalive_expiry=15.0,
        )

    async def close(self) -> None:
        """Closes every connection."""
        await self._pool.aclose()

    async def get(
        self,
        url: httpx2.URL,
        write: Callable[[bytes], object],
        headers: dict[str, str],
        cookies: httpx2.Cookies | None = None,
        max_bytes: int | None = None,
    ) -> Answer:
        """The answer of ``url``; its body goes to ``write``, decompressed, if the status is one of success.

        Raises:
            FetchError: no answer within the limits.
            OSError: ``write`` raised it.
        """
        # What is compressed twice over is a trick; what cannot be unpacked here must not be sent.
        known = {**self._headers, "Accept-Encoding": "gzip, deflate", **headers}
        request = httpx2.Request("GET", url, headers=known)
        if cookies is not None:
            cookies.set_cookie_header(request)
        try:
            async with asyncio.timeout(self._limits.whole_s):
                return await self._send(request, write, cookies, max_bytes or self._limits.max_bytes)
        except TimeoutError as error:
            raise FetchError("timeout", f"not done within {self._limits.whole_s:g} s") from error
        except httpcore2.TimeoutException as error:
            what = type(error).__name__.removesuffix("Timeout").lower()
            raise FetchError("timeout", f"no answer in time ({what})", passing=True) from error
        except httpcore2.ConnectError as error:
            raise _connect_error(error) from error
        except ssl.SSLError as error:
            raise FetchError("tls", f"the secure connection broke: {_words(error)}") from error
        except (httpcore2.NetworkError, httpcore2.RemoteProtocolError, ConnectionError) as error:
            raise FetchError("broken", f"the connection broke: {_words(error)}", passing=True) from error
        except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol, httpx2.DecodingError) as error:
            raise FetchError("broken", f"no proper answer: {_words(error)}") from error

    async def _send(
        self,
        request: httpx2.Request,
        write: Callable[[bytes], object],
        cookies: httpx2.Cookies | None,
        max_bytes: int,
    ) -> Answer:
        limits = self._limits
        timeout = {"connect": limits.connect_s, "read": limits.read_s, "write": limits.read_s}
        url = request.url
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        async with self._pool.stream(
            "GET", target, headers=request.headers.raw, extensions={"timeout": timeout}
        ) as raw:  # fmt: skip
            response = httpx2.Response(raw.status, headers=raw.headers, stream=_Body(raw), request=request)
            if cookies is not None:
                cookies.extract_cookies(response)
            if raw.status not in _WITH_BODY:
                return Answer(raw.status, response.headers)
            _check_head(response.headers, self._limits.max_bytes)
            size = 0
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > max_bytes:
                    write(chunk[: max_bytes - size])
                    raise FetchError("too_large", f"more than {max_bytes:,} bytes", status=raw.status)
                write(chunk)
            return Answer(raw.status, response.headers, size)


def _check_head(headers: httpx2.Headers, max_bytes: int) -> None:
    """Refuses what need not be read to be refused."""
    encodings = {value.strip().lower() for value in headers.get("content-encoding", "").split(",")}
    if not encodings <= _ENCODINGS:
        raise FetchError("encoding", f"compressed in a way that was not asked for: {', '.join(sorted(encodings))[:60]}")
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > max_bytes and encodings <= {"", "identity"}:
        raise FetchError("too_large", f"{int(length[:20]):,} bytes; at most {max_bytes:,} are fetched")


def _connect_error(error: httpcore2.ConnectError) -> FetchError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return FetchError("tls", f"no secure connection: {_words(cause)}")
        cause = cause.__cause__ or cause.__context__
    return FetchError("unreachable", f"no connection: {_words(error)}", passing=True)


def _words(error: BaseException) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:200]
