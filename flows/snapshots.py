"""The folder that ``gongkai fetch`` fills, which ``gongkai run`` reads as an inbox, and its manifest.

::

    snapshots/
      manifest.jsonl                          a line for each answer, the newest last
      www.example.gov.cn/
        青石镇 2022 3f9a1c2b/                  a folder for each address of the list
          page.html                           the page, byte for byte
          .page.html.headers                  how the server named its encoding
          page_files/W0202.png                its pictures, as browsers save them: parts of the page
          attachment-年报.pdf                  what is attached to it: reports of their own
        青石镇 2022 3f9a1c2b (2)/              the same address when its page had changed

A file gets its name only when it is whole, and a line of the manifest only when it has its name.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from extractors.charset import headers_beside
from flows.addresses import Wanted, parse_address
from flows.inbox import MANIFEST, PARTS_SUFFIX
from flows.links import Kind

PAGE = "page.html"
# Bytes of a name; file systems take 255, and a suffix, a number or a dot may be added.
_NAME_BYTES = 150
_PICTURE_NAME_BYTES = 230
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]+')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


class FolderError(Exception):
    """The folder cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the manifest: what became of one address in one run.

    ``outcome`` is ``saved``, ``unchanged`` (the file of an earlier run stands), ``duplicate`` (``file`` is that of
    ``duplicate_of``, another address with the same bytes) or ``failed`` (``error`` is a code, ``message`` says more).
    ``parent`` is the page that named the address, ``text`` the words of the link. ``file`` is relative to the folder.
    ``media_type`` is told by the bytes; what the server said is in ``headers``.
    """

    run: int
    time: str
    address: str
    authority: str | None
    year: int | None
    kind: Kind
    outcome: str
    parent: str | None = None
    text: str | None = None
    final_address: str | None = None
    redirects: tuple[dict[str, Any], ...] = ()
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    charset: str | None = None
    media_type: str | None = None
    sha256: str | None = None
    size: int | None = None
    file: str | None = None
    duplicate_of: str | None = None
    seconds: float = 0.0
    error: str | None = None
    message: str | None = None

    @property
    def key(self) -> tuple[str, str | None]:
        """What the row is about; a picture of two pages is a file of each."""
        return self.address, self.parent


class Snapshots:
    """The folder, open for one process; what it holds is known from the manifest.

    A run that was interrupted is gone on with under its number: :meth:`done` tells what it had settled.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._done: dict[tuple[str, str | None], Row] = {}
        self._kept: dict[tuple[str, str | None], Row] = {}
        self._contents: dict[str, Row] = {}
        self._owners: dict[str, tuple[str, str | None]] = {}
        self._by_address: dict[str, list[Row]] = {}
        self._parts = folder / ".parts"
        self._mark = folder / ".unfinished"
        try:
            self._parts.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / ".lock").open("w")
        except OSError as error:
            raise FolderError(f"{folder}: {error.strerror or error}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise FolderError(f"{folder} is in use by another fetch") from error
        for left in self._parts.iterdir():
            left.unlink()
        try:
            self._manifest = self._open()
        except FolderError:
            self._lock.close()
            raise

    def __enter__(self) -> Snapshots:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the folder free."""
        self._manifest.close()
        self._lock.close()

    def finish(self) -> None:
        """Every address was tried: the next run asks for all of them again."""
        self._mark.unlink(missing_ok=True)

    def done(self, address: str, parent: str | None) -> Row | None:
        """What this run, before it was interrupted, had made of the address."""
        return self._done.get((address, parent))

    def done_elsewhere(self, address: str) -> Row | None:
        """The answer that this run has for the address as a part of another page."""
        return next((row for row in self._by_address.get(address, ()) if row.file is not None), None)

    def kept(self, address: str, parent: str | None) -> Row | None:
        """The last answer of the address whose file is still there, whole."""
        row = self._kept.get((address, parent))
        return row if row is not None and self._stands(row) else None

    def same_bytes(self, sha256: str) -> Row | None:
        """A row whose file has these bytes."""
        row = self._contents.get(sha256)
        return row if row is not None and self._stands(row) else None

    def add(self, row: Row) -> None:
        """Appends a line; it is on the disk when this returns."""
        self._manifest.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
        self._manifest.flush()
        os.fsync(self._manifest.fileno())
        self._learn(row)

    def part_file(self, address: str) -> Path:
        """Where the bytes of an address lie until they are whole; on the same file system as their last place."""
        return self._parts / hashlib.sha256(address.encode("utf-8", "surrogateescape")).hexdigest()

    def page_folder(self, wanted: Wanted, changed: bool) -> str:
        """The folder of an address of the list, relative; a new one where its page has ``changed``."""
        kept = self._kept.get((wanted.address, None))
        if kept is not None and kept.file is not None and kept.duplicate_of is None and not changed:
            return str(Path(kept.file).parent)
        url = parse_address(wanted.address)
        host = url.host if url.port is None else f"{url.host} {url.port}"
        label = wanted.label if wanted.label != wanted.address else url.path.rstrip("/").rpartition("/")[2]
        digest = hashlib.sha256(wanted.address.encode("utf-8", "surrogateescape")).hexdigest()[:8]
        base = f"{safe_name(host)}/{safe_name(f'{_shorten(label, 60)} {digest}')}"
        folders = {str(Path(file).parent) for file, owner in self._owners.items() if owner[0] == wanted.address}
        return next(name for name in _numbered(base) if name not in folders)

    def free_file(self, folder: str, name: str, key: tuple[str, str | None]) -> str:
        """``folder/name``, or with a number where that is the file of another address or of an earlier version.

        A picture takes the place of its earlier version: it belongs to the page as it is now.
        """
        stem, suffix = Path(name).stem, Path(name).suffix
        picture = folder.endswith(PARTS_SUFFIX)
        candidates = (f"{folder}/{stem}{suffix if n == 1 else f'-{n}{suffix}'}" for n in range(1, 1_000_000))

        def is_free(file: str) -> bool:
            owner = self._owners.get(file)
            return owner is None or (owner == key and (picture or not (self.folder / file).exists()))

        return next(file for file in candidates if is_free(file))

    def keep(self, part: Path, file: str, content_type: str | None = None) -> None:
        """Gives whole bytes their name; ``content_type`` is kept beside them for the reader."""
        target = self.folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if content_type is not None:
            headers_beside(target).write_bytes(f"Content-Type: {content_type}\n".encode("utf-8", "replace"))
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        part.replace(target)
        for folder in (target.parent, target.parent.parent):
            _sync_folder(folder)

    def copy(self, file: str, target: str) -> None:
        """A picture beside another page, or beside the page's new version."""
        part = self.part_file(target)
        shutil.copyfile(self.folder / file, part)
        self.keep(part, target)

    def _open(self) -> TextIO:
        """The manifest, read, and open for appending behind its last whole line."""
        path = self.folder / MANIFEST
        try:
            rows, length = _read_manifest(path) if path.exists() else ([], 0)
            self.run = self._number(max((row.run for row in rows), default=0) + 1)
            for row in rows:
                self._learn(row)
            stream = path.open("a", encoding="utf-8", errors="backslashreplace")
            stream.truncate(length)
        except (OSError, UnicodeDecodeError) as error:
            raise FolderError(f"{path}: {error}") from error
        return stream

    def _number(self, following: int) -> int:
        """The number of the run that was interrupted, else the ``following`` one, which is noted."""
        if self._mark.exists() and (number := self._mark.read_text(encoding="ascii").strip()).isdecimal():
            return int(number)
        self._mark.write_text(f"{following}\n", encoding="ascii")
        return following

    def _learn(self, row: Row) -> None:
        if row.run == self.run:
            self._done[row.key] = row
            self._by_address.setdefault(row.address, []).append(row)
        if row.file is None or row.sha256 is None:
            return
        self._kept[row.key] = row
        if row.duplicate_of is None or row.kind == "picture":
            self._owners[row.file] = row.key
            self._contents[row.sha256] = row

    def _stands(self, row: Row) -> bool:
        if row.file is None or not is_inside(row.file):
            return False
        path = self.folder / row.file
        return path.is_file() and path.stat().st_size == row.size


def _read_manifest(path: Path) -> tuple[list[Row], int]:
    """The rows, and the length in bytes up to the end of the last whole line: a kill may have cut the last one off.

    Raises:
        FolderError: a line that is none of a manifest.
    """
    rows, length = [], 0
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.endswith(b"\n"):
                break
            try:
                entry = json.loads(line)
                rows.append(Row(**{**entry, "redirects": tuple(entry["redirects"])}))
            except (ValueError, TypeError, KeyError) as error:
                raise FolderError(f"{path}, line {number}: not a line of a manifest") from error
            length += len(line)
    return rows, length


def is_inside(file: str) -> bool:
    """Whether a relative name stays in its folder."""
    return not Path(file).is_absolute() and ".." not in Path(file).parts


def safe_name(text: str) -> str:
    """``text`` as the name of a file or folder: no separators, controls, marks that turn the writing; not too long."""
    text = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode("utf-8"))
    text = "".join(char for char in text if unicodedata.category(char) not in ("Cf", "Cc", "Co", "Cn"))
    text = " ".join(_UNSAFE.sub("_", text).split()).strip(" .")
    stem, suffix = (text, "") if len(Path(text).suffix) > 8 else (Path(text).stem, Path(text).suffix)
    text = _shorten(stem, _NAME_BYTES) + suffix
    return f"_{text}" if not text or _RESERVED.fullmatch(text) else text


def picture_file(name: str) -> str:
    """The name under which the reader looks for a picture: the one that the page gives it, if it can be a file's."""
    plain = 0 < len(name.encode("utf-8", "surrogatepass")) <= _PICTURE_NAME_BYTES and not name.startswith(".")
    if plain and name.isprintable() and "/" not in name:
        return name
    return safe_name(name)


def _shorten(text: str, limit: int) -> str:
    """The beginning of ``text`` that takes at most ``limit`` bytes."""
    return text.encode()[:limit].decode("utf-8", "ignore").strip()


def _numbered(base: str) -> Iterator[str]:
    yield base
    yield from (f"{base} ({number})" for number in range(2, 1_000_000))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
