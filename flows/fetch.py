"""``gongkai fetch``: a list of addresses to snapshots on disk. No Prefect here.

Each address is an errand: the page, then what belongs to it, one request after another, each settled by a line in the
manifest before the next begins.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
import traceback
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import Message
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from extractors.extract import sniff
from flows.addresses import FetchError, ListError, Wanted, read_wanted
from flows.client import Limits
from flows.inbox import PARTS_SUFFIX, printable
from flows.links import Kind, Link, find_links, load_words
from flows.screen import Screen
from flows.snapshots import PAGE, FolderError, Row, Snapshots, picture_file, safe_name
from flows.web import ROBOT, Jar, Manners, Reply, Web

# What of an answer's headers is kept: what the bytes are, and what tells whether they have changed.
HEADERS = (
    "content-type", "content-length", "content-encoding", "content-disposition", "content-language", "last-modified",
    "etag", "date", "server",
)  # fmt: skip
_HEADER_LENGTH = 500
# A ZIP file names its parts as it goes; Word's come first.
_SNIFFED_BYTES = 1 << 20
CRASHED = "crashed"

# Kinds of extractors/extract.py to media types and the endings that files of it may have; the first is given to
# those that have another.
_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "pdf": ("application/pdf", (".pdf",)),
    "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", (".docx", ".docm", ".dotx")),
    "doc": ("application/msword", (".doc", ".wps", ".xls", ".et", ".ppt", ".dot", ".rtf")),
    "html": ("text/html", (".html", ".htm", ".shtml", ".mht", ".mhtml")),
    "text": ("text/plain", (".txt", ".csv", ".json", ".xml")),
    "a PNG image": ("image/png", (".png",)),
    "a JPEG image": ("image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif")),
    "a GIF image": ("image/gif", (".gif",)),
    "a TIFF image": ("image/tiff", (".tif", ".tiff")),
    "a BMP image": ("image/bmp", (".bmp",)),
    "a WebP image": ("image/webp", (".webp",)),
    "a JPEG 2000 image": ("image/jp2", (".jp2", ".j2k")),
}
_UNKNOWN = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """What the user asked for: addresses or lists of them, and how to ask.

    ``hosts`` are asked at the same time, each one request at a time. ``allow_hosts`` may have private addresses.
    ``contact`` is told to them, ``time_limit_s`` and ``max_size_mb`` are of one answer.
    """

    addresses: tuple[str, ...]
    folder: Path
    allow_hosts: tuple[str, ...] = ()
    hosts: int = 8
    delay_s: float = 1.0
    time_limit_s: float = 300.0
    max_size_mb: float = 200.0
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class FetchSummary:
    """What a run did. ``outcomes`` counts pages, attachments and pictures by what became of them."""

    folder: Path
    seconds: float
    addresses: int
    outcomes: dict[Kind, dict[str, int]]
    size: int
    failed: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class _Errand:
    """One address to ask. ``folder`` is where its file goes, None for the address of the list itself."""

    wanted: Wanted
    address: str
    kind: Kind
    jar: Jar
    parent: str | None = None
    text: str | None = None
    folder: str | None = None


class Fetcher:
    """Fetches addresses into a folder; :meth:`fetch` may run many times at once in one event loop."""

    def __init__(self, snapshots: Snapshots, web: Web) -> None:
        self._snapshots, self._web = snapshots, web

    async def fetch(self, wanted: Wanted) -> list[Row]:
        """The address of the list and what belongs to its page; a row for each, all of them in the manifest.

        Raises:
            FolderError: the folder cannot be written.
        """
        jar = Jar()
        page = await self._settle(_Errand(wanted, wanted.address, "page", jar))
        rows = [page]
        try:
            links = await asyncio.to_thread(self._links, page)
        except Exception as error:
            # Whatever a hostile page makes the parser raise must cost that page's attachments only.
            errand = _Errand(wanted, page.address, "attachment", jar, page.address)
            crash = self._row(errand, "failed", error=CRASHED, message=_trace(error))
            self._snapshots.add(crash)
            return [page, crash]
        for link in links:
            assert page.file is not None
            folder = str(Path(page.file).parent)
            if link.kind == "picture":
                folder = f"{folder}/{Path(page.file).stem}{PARTS_SUFFIX}"
            errand = _Errand(wanted, link.address, link.kind, jar, wanted.address, link.text or None, folder)
            rows.append(await self._settle(errand))
        return rows

    def _links(self, page: Row) -> list[Link]:
        """What belongs to a page; nothing where the address gave no page of its own."""
        if page.file is None or page.outcome == "duplicate" or page.media_type != "text/html":
            return []
        data = (self._snapshots.folder / page.file).read_bytes()
        return find_links(data, page.final_address or page.address, page.charset)

    async def _settle(self, errand: _Errand) -> Row:
        """The row of one address, written down; one that this run has already stays as it is."""
        row = self._snapshots.done(errand.address, errand.parent)
        if row is not None and (row.file is None or self._snapshots.kept(*row.key) is not None):
            return row
        started = time.monotonic()
        try:
            row = self._again(errand) or await self._ask(errand)
        except FetchError as error:
            row = self._row(errand, "failed", status=error.status, error=error.code, message=error.message)
        except OSError as error:
            raise FolderError(f"{self._snapshots.folder}: {error.strerror or error}") from error
        except FolderError:
            raise
        except Exception as error:
            # Whatever a hostile answer makes a library raise must cost that address only.
            row = self._row(errand, "failed", error=CRASHED, message=_trace(error))
        row = replace(row, seconds=round(time.monotonic() - started, 3))
        self._snapshots.add(row)
        return row

    def _again(self, errand: _Errand) -> Row | None:
        """A row for what this run has fetched as a part of another page; None where it has not."""
        known = self._snapshots.done_elsewhere(errand.address)
        if known is None or known.file is None or errand.parent is None or self._snapshots.kept(*known.key) is None:
            return None
        row = replace(
            known, time=_now(), authority=errand.wanted.authority, year=errand.wanted.year, kind=errand.kind,
            parent=errand.parent, text=errand.text, outcome="duplicate",
            duplicate_of=known.duplicate_of or known.address,
        )  # fmt: skip
        return self._beside_page(errand, row) if errand.kind == "picture" else row

    async def _ask(self, errand: _Errand) -> Row:
        kept = self._snapshots.kept(errand.address, errand.parent)
        part = self._snapshots.part_file(f"{errand.address} {errand.parent}")
        try:
            with part.open("wb") as sink:
                reply = await self._web.fetch(errand.address, sink, errand.jar, _validators(kept))
            if reply.answer.status == 304:
                assert kept is not None
                row = self._row(
                    errand, "unchanged", reply, headers={**kept.headers, **_headers(reply)}, charset=kept.charset,
                    media_type=kept.media_type, sha256=kept.sha256, size=kept.size, file=kept.file,
                    duplicate_of=kept.duplicate_of,
                )  # fmt: skip
                return self._beside_page(errand, row) if errand.kind == "picture" else row
            if not reply.answer.size:
                raise FetchError("empty", "an answer without a body", status=reply.answer.status)
            return self._keep(errand, reply, part, kept)
        finally:
            part.unlink(missing_ok=True)

    def _keep(self, errand: _Errand, reply: Reply, part: Path, kept: Row | None) -> Row:
        """Gives new bytes their place, unless they lie somewhere already."""
        sha256, media_type, endings = _told_by_bytes(part)
        row = self._row(
            errand, "saved", reply, headers=_headers(reply), charset=_charset(reply), media_type=media_type,
            sha256=sha256, size=reply.answer.size,
        )  # fmt: skip
        if kept is not None and kept.sha256 == sha256:
            row = replace(row, outcome="unchanged", file=kept.file, duplicate_of=kept.duplicate_of)
            return self._beside_page(errand, row) if errand.kind == "picture" else row
        same = self._snapshots.same_bytes(sha256)
        if same is not None and same.key != (errand.address, errand.parent):
            row = replace(row, duplicate_of=same.address)
            if errand.kind != "picture":
                return replace(row, outcome="duplicate", file=same.file)
        folder = errand.folder or self._snapshots.page_folder(errand.wanted, kept is not None)
        name = _name(errand, reply, endings)
        file = self._snapshots.free_file(folder, name, (errand.address, errand.parent))
        # The encoding that the server names matters where the page itself names none.
        served = reply.answer.headers.get("content-type") if row.charset and media_type == "text/html" else None
        self._snapshots.keep(part, file, served)
        return replace(row, file=file)

    def _beside_page(self, errand: _Errand, row: Row) -> Row:
        """A picture that lies beside another page, or beside an earlier version of this one, is copied."""
        assert row.file is not None and errand.folder is not None
        if str(Path(row.file).parent) == errand.folder:
            return row
        name = picture_file(errand.text or Path(row.file).name)
        file = self._snapshots.free_file(errand.folder, name, (errand.address, errand.parent))
        self._snapshots.copy(row.file, file)
        return replace(row, file=file)

    def _row(self, errand: _Errand, outcome: str, reply: Reply | None = None, **found: Any) -> Row:
        wanted = errand.wanted
        row = Row(
            self._snapshots.run, _now(), errand.address, wanted.authority, wanted.year, errand.kind, outcome,
            errand.parent, errand.text, **found,
        )  # fmt: skip
        if reply is None:
            return row
        return replace(row, final_address=str(reply.url), redirects=reply.redirects, status=reply.answer.status)


def run_fetch(options: FetchOptions, store: Path, screen: Screen) -> FetchSummary:
    """Fetches what the options name, watched by Prefect, whose history is kept in ``store``.

    Raises:
        ListError: a list cannot be read, or holds no address.
        FolderError: the folder cannot be used.
        flows.server.ServerError: Prefect's private server does not start.
    """
    agent_name(options.contact)
    number = len(read_wanted(options.addresses))
    Snapshots(options.folder).close()
    screen.say(f"{number} addresses to ask, {options.hosts} hosts at the same time")
    from flows.server import private_server

    with private_server(store, screen) as server:
        # Importing Prefect takes seconds; the server starts meanwhile.
        from flows.fetch_flow import watch_fetch

        return watch_fetch(options, server)


def agent_name(contact: str | None) -> str:
    """How hosts are told who asks.

    Raises:
        ListError: the contact cannot stand in a header.
    """
    try:
        version = metadata.version("gongkai")
    except metadata.PackageNotFoundError:
        version = "0"
    if contact is not None and not (contact.isascii() and contact.isprintable()):
        raise ListError("the contact must be plain ASCII")
    return f"{ROBOT}/{version} (archive of annual reports{f'; +{contact}' if contact else ''})"


def open_web(options: FetchOptions) -> Web:
    """The web as the options allow it."""
    limits = Limits(whole_s=options.time_limit_s, max_bytes=int(options.max_size_mb * 1e6))
    allowed = frozenset(host.lower() for host in options.allow_hosts)
    return Web(limits, Manners(delay_s=options.delay_s), allowed, agent_name(options.contact))


FetchOne = Callable[[Wanted], Awaitable[list[Row]]]
Wrap = Callable[[Fetcher], FetchOne]


async def fetch_list(options: FetchOptions, web: Web, screen: Screen, wrap: Wrap) -> FetchSummary:
    """Everything that the options name; ``wrap`` may watch what each address comes to.

    Raises:
        ListError: a list cannot be read, or holds no address.
        FolderError: the folder cannot be used.
    """
    wanted, started = read_wanted(options.addresses), time.monotonic()
    rows: list[Row] = []
    done = 0

    def settled(found: list[Row]) -> None:
        nonlocal done
        done += 1
        rows.extend(found)
        for row in found:
            if row.outcome == "failed":
                screen.say(f"{printable(row.address)}: {row.error}: {row.message}")
        screen.progress(done, len(wanted))

    with Snapshots(options.folder) as snapshots:
        async with web:
            await fetch_all(wanted, wrap(Fetcher(snapshots, web)), options.hosts, settled)
        snapshots.finish()
    screen.end()
    return summarise(options.folder, time.monotonic() - started, len(wanted), rows)


async def fetch_all(
    wanted: Sequence[Wanted],
    fetch_one: FetchOne,
    hosts: int,
    settled: Callable[[list[Row]], None],
) -> None:
    """Every address, ``hosts`` sites at the same time and each site's one after another, the longest lists first.

    Raises:
        FolderError: the folder cannot be written; nothing more is asked then.
    """
    lists: dict[str, deque[Wanted]] = {}
    for one in wanted:
        lists.setdefault(one.host, deque()).append(one)
    waiting = deque(sorted(lists.values(), key=len, reverse=True))

    async def work() -> None:
        while waiting:
            queue = waiting.popleft()
            while queue:
                settled(await fetch_one(queue.popleft()))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(hosts, len(waiting))):
                group.create_task(work())
    except BaseExceptionGroup as errors:
        # The others were cancelled for the sake of the first.
        raise errors.exceptions[0] from None


def summarise(folder: Path, seconds: float, addresses: int, rows: Iterable[Row]) -> FetchSummary:
    """The counts of a run."""
    outcomes: dict[Kind, Counter[str]] = {"page": Counter(), "attachment": Counter(), "picture": Counter()}
    size, failed = 0, []
    for row in rows:
        outcomes[row.kind][row.outcome] += 1
        size += (row.size or 0) if row.outcome == "saved" else 0
        if row.outcome == "failed":
            failed.append(row)
    counts: dict[Kind, dict[str, int]] = {kind: dict(count) for kind, count in outcomes.items() if count}
    return FetchSummary(folder, seconds, addresses, counts, size, tuple(failed))


def _trace(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(last.filename).name}, line {last.lineno})"[:500]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _validators(kept: Row | None) -> tuple[str, dict[str, str]] | None:
    """Where an earlier answer came from, and the headers that ask only for another one."""
    if kept is None or kept.final_address is None:
        return None
    names = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
    headers = {asked: kept.headers[name] for name, asked in names.items() if name in kept.headers}
    return (kept.final_address, headers) if headers else None


def _headers(reply: Reply) -> dict[str, str]:
    headers = reply.answer.headers
    return {name: headers[name][:_HEADER_LENGTH] for name in HEADERS if name in headers}


def _charset(reply: Reply) -> str | None:
    message = Message()
    message["Content-Type"] = reply.answer.headers.get("content-type", "")
    return message.get_content_charset()


def _told_by_bytes(part: Path) -> tuple[str, str, tuple[str, ...]]:
    """sha256 of a file, its media type, and the endings that become it."""
    with part.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
        stream.seek(0)
        media_type, endings = _KINDS.get(sniff(stream.read(_SNIFFED_BYTES)), (_UNKNOWN, ()))
    return digest.hexdigest(), media_type, endings


def _name(errand: _Errand, reply: Reply, endings: tuple[str, ...]) -> str:
    """The name of a file: for a picture the one the page gives it, for others what they are called, and an ending."""
    if errand.kind == "picture" and errand.text:
        return picture_file(errand.text)
    if errand.kind == "page" and ".html" in endings:
        return PAGE
    name = safe_name(_served_name(reply) or _called(errand, str(reply.url)))
    if endings and not name.lower().endswith(endings):
        name += endings[0]
    # The prefix sets it apart from the page's pictures: no page names a file like that.
    return f"attachment-{name}" if errand.kind == "attachment" else name


def _called(errand: _Errand, address: str) -> str:
    """What the address calls its file: a value of the query with a document's ending, or the end of the path."""
    parts = urlsplit(address)
    endings = load_words().endings
    named = next((value for _, value in parse_qsl(parts.query) if value.lower().endswith(endings)), None)
    name = (named or unquote(parts.path)).replace("\\", "/").rstrip("/").rpartition("/")[2]
    return name if name.lower().endswith(endings) or not errand.text else errand.text


def _served_name(reply: Reply) -> str | None:
    """The file name of Content-Disposition, in whatever encoding it was written."""
    raw = next((value for name, value in reply.answer.headers.raw if name.lower() == b"content-disposition"), b"")
    for encoding in ("utf-8", "gb18030"):
        try:
            text = raw[:2_000].decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        return None
    message = Message()
    message["Content-Disposition"] = text.replace("\r", " ").replace("\n", " ")
    name = message.get_filename()
    return unquote(name).replace("\\", "/").rpartition("/")[2] if name else None
