"""The files of a folder, and what has to be done with each: told by the bytes, never by the name."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from extractors.errors import ExtractionError, UnreadableFile

_BLOCK_BYTES = 1 << 20
_PAGE_BYTES = 20 << 20
_PAGES = frozenset({".html", ".htm", ".shtml", ".xhtml", ".jsp", ".asp", ".aspx", ".php"})
_PART_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".svg", ".ico", ".css", ".js", ".woff", ".woff2", ".ttf"}
)
# Where browsers put what a page was saved with; `gongkai fetch` does as they do.
PARTS_SUFFIX = "_files"
# What was saved in such a folder and is no part all the same: the pages of frames, documents.
_OWN_SUFFIXES = _PAGES | {".pdf", ".doc", ".docx", ".wps", ".txt", ".mht", ".mhtml", ".rtf"}
# What `gongkai fetch` writes beside its snapshots.
MANIFEST = "manifest.jsonl"


@dataclass(frozen=True, slots=True)
class InboxFile:
    """A file as found. ``sha256`` is None where it could not be read, and ``error`` says why."""

    path: Path
    sha256: str | None
    size: int
    error: UnreadableFile | None = None

    @property
    def name(self) -> str:
        """The path as text that can be stored and printed."""
        return printable(str(self.path))


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run has to do with the files of its folder, each list in the order of the names.

    ``duplicates`` pairs a file with the path of the same bytes that stands for them.
    ``held`` are files that were quarantined before and have not changed since.
    """

    files: tuple[InboxFile, ...]
    to_read: tuple[InboxFile, ...]
    reused: tuple[InboxFile, ...]
    duplicates: tuple[tuple[InboxFile, str], ...]
    held: tuple[InboxFile, ...]
    unreadable: tuple[InboxFile, ...]


def printable(text: str) -> str:
    r"""``text`` without lone surrogates, which undecodable bytes in file names become.

    They are written as JSON writes them (``\udcff``), so that a JSON string that went through here still names
    the file.
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def find_files(inbox: Path, leave_out: Path | None = None) -> Iterator[Path]:
    """Every visible file under ``inbox`` in the order of the names; links to folders are not followed.

    A folder that may not be entered is itself passed on, to be reported. ``leave_out`` is a folder that does not
    belong to the inbox (the store, where it lies inside).

    Raises:
        NotADirectoryError: ``inbox`` is not a folder.
    """
    if not inbox.is_dir():
        raise NotADirectoryError(f"{printable(str(inbox))} is not a folder")
    barred: list[Path] = []
    outside = leave_out.resolve() if leave_out else None
    for folder, subfolders, names in os.walk(inbox, onerror=lambda error: barred.append(Path(error.filename))):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        if outside is not None:
            subfolders[:] = [name for name in subfolders if Path(folder, name).resolve() != outside]
        visible = sorted(name for name in names if not name.startswith(".") and name != MANIFEST)
        parts = _page_parts(Path(folder), visible)
        yield from (Path(folder, name) for name in visible if name not in parts)
    yield from barred


def _page_parts(folder: Path, names: list[str]) -> set[str]:
    """The pictures, styles and scripts that a page in the same folder, or in the one above, was saved with.

    They are read with their page, if at all; a picture that no page names is a report of its own. Of a folder that
    belongs to a page by its name, everything is a part that is no document, whatever it is called.
    """
    if folder.name.endswith(PARTS_SUFFIX):
        page = folder.parent / folder.name.removesuffix(PARTS_SUFFIX)
        if any(page.with_name(page.name + suffix).is_file() for suffix in _PAGES):
            return {name for name in names if Path(name).suffix.lower() not in _OWN_SUFFIXES}
    parts = {name for name in names if Path(name).suffix.lower() in _PART_SUFFIXES}
    if not parts:
        return set()
    pages = [path for place in (folder, folder.parent) for path in place.iterdir() if path.suffix.lower() in _PAGES]
    named: set[str] = set()
    for page in sorted(pages):
        if len(named) == len(parts):
            break
        named |= _named_in(page, parts - named)
    return named


def _named_in(page: Path, names: set[str]) -> set[str]:
    try:
        with page.open("rb") as stream:
            data = stream.read(_PAGE_BYTES)
    except OSError:
        # The page itself is a file of the inbox; what is wrong with it is said there.
        return set()
    return {name for name in names if any(spelling in data for spelling in _spellings(name))}


def _spellings(name: str) -> Iterator[bytes]:
    """A file name as the source of a page writes it: in the page's encoding, or escaped as in an address."""
    yield os.fsencode(name)
    yield name.encode("gb18030", "surrogateescape")
    yield quote(os.fsencode(name)).encode("ascii")


def scan(paths: Iterable[Path]) -> Iterator[InboxFile]:
    """Each path with its content hash. A file that cannot be opened is passed on with its error."""
    for path in paths:
        try:
            sha256, size = _hash(path)
            yield InboxFile(path, sha256, size)
        except UnreadableFile as error:
            yield InboxFile(path, None, 0, error)
        except OSError as error:
            yield InboxFile(path, None, 0, UnreadableFile(path, error.strerror or str(error)))


def make_plan(files: Iterable[InboxFile], current: Mapping[str, str], held: Set[str]) -> Plan:
    """Sorts files into what must be read and what is known.

    Args:
        files: The files of the folder.
        current: sha256 to the path it is known by, of every report that this extractor version has read.
        held: sha256 of files in quarantine that this extractor version need not try again.
    """
    found = tuple(files)
    present = {file.name for file in found}
    first: dict[str, str] = {sha256: path for sha256, path in current.items() if path in present}
    to_read, reused, duplicates, held_files, unreadable = [], [], [], [], []
    for file in found:
        if file.sha256 is None:
            unreadable.append(file)
        elif (original := first.setdefault(file.sha256, file.name)) != file.name:
            duplicates.append((file, original))
        elif file.sha256 in current:
            known = current[file.sha256]
            if known != file.name and Path(known).exists():
                duplicates.append((file, known))
            else:
                reused.append(file)
        elif file.sha256 in held:
            held_files.append(file)
        else:
            to_read.append(file)
    return Plan(found, tuple(to_read), tuple(reused), tuple(duplicates), tuple(held_files), tuple(unreadable))


def describe(error: ExtractionError) -> str:
    """One line that names the file and the reason."""
    return " ".join(printable(str(error)).split())


def _hash(path: Path) -> tuple[str, int]:
    if path.is_dir():
        raise UnreadableFile(path, "a folder that may not be entered")
    if not path.is_file():
        # A pipe would block, a device never ends, a folder or a dangling link cannot be read.
        raise UnreadableFile(path, "not a regular file, or a link that leads nowhere")
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size
