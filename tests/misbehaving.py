"""A server on the loopback interface that does what servers do, at their worst; everything is set by the test."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Act = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    time: float = field(default_factory=time.monotonic)


class Server:
    """Answers with what ``pages`` holds for a path; counts connections and keeps every request."""

    def __init__(self) -> None:
        self.pages: dict[str, Act] = {"/robots.txt": reply(404)}
        self.requests: list[Request] = []
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order, without robots.txt."""
        return [request.path for request in self.requests if request.path != "/robots.txt"]

    def close(self) -> None:
        self._server.close()
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        mine = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _call(self, work: Awaitable[object]) -> object:
        async def run() -> object:
            return await work

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
            request = Request(head[0].split(" ")[1], headers)
            self.requests.append(request)
            await self.pages.get(request.path, reply(404))(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


def reply(status: int = 200, body: bytes = b"", kind: str = "text/html; charset=utf-8", **headers: str) -> Act:
    """An ordinary answer; ``last_modified="x"`` is the header Last-Modified."""

    async def act(request: Request, writer: asyncio.StreamWriter) -> None:
        etag = headers.get("etag")
        if etag is not None and request.headers.get("if-none-match") == etag:
            writer.write(b"HTTP/1.1 304 Not Modified\r\nETag: %b\r\n\r\n" % etag.encode())
        else:
            extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
            head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
            writer.write(head.encode("utf-8") + body)
        await writer.drain()

    return act


def raw(data: bytes) -> Act:
    """Bytes as they are, then the end of the connection."""

    async def act(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return act


def redirect(place: str, status: int = 302, **headers: str) -> Act:
    return reply(status, b"", location=place, **headers)


def slowly(head: bytes, drop: bytes, pause: float) -> Act:
    """``head``, then ``drop`` again and again, for ever."""

    async def act(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            await writer.drain()
            await asyncio.sleep(pause)
            writer.write(drop)

    return act


def in_turn(*acts: Act) -> Act:
    """One after another; the last one stays."""
    left = list(acts)

    async def act(request: Request, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(request, writer)

    return act


def bomb(megabytes: int) -> Act:
    """A small answer that is large when unpacked."""
    return reply(200, gzip.compress(bytes(megabytes << 20)), "application/pdf", content_encoding="gzip")
