"""Which addresses ``gongkai fetch`` asks: the list that the user gave, and what may be asked at all."""

from __future__ import annotations

import asyncio
import csv
import ipaddress
import re
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urldefrag

import httpx2

from extractors.charset import decode_page
from flows.links import load_words

# A list of all bodies of the country over all years has less than a million lines of some hundred bytes.
MAX_LIST_BYTES = 200_000_000
MAX_ADDRESS = 4_000  # characters; servers refuse longer ones
# Global unicast; everything else in IPv6 is special or a tunnel to IPv4.
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_TUNNELS_V6 = (ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/23"))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: the last 32 bits are the IPv4 address
_YEAR = re.compile(r"\s*((?:19|20)\d\d)\s*年?(?:度)?\s*")
_DELIMITERS = ",\t;"


class ListError(Exception):
    """The list of addresses cannot be used; the message says why."""


class FetchError(Exception):
    """Why an address gave nothing. ``code`` is stable; ``passing`` is true of what may be otherwise in a moment.

    ``status`` is that of the answer, where there was one.
    """

    def __init__(self, code: str, message: str, *, passing: bool = False, status: int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.passing, self.status = code, message, passing, status


@dataclass(frozen=True, slots=True)
class Wanted:
    """One address of the list, as it stands there, with what the list says of it."""

    address: str
    authority: str | None = None
    year: int | None = None

    @property
    def label(self) -> str:
        """Authority and year, where the list names any; else the address."""
        return " ".join(str(part) for part in (self.authority, self.year) if part) or self.address

    @property
    def host(self) -> str:
        """The host of the address in lower case; empty where it has none."""
        try:
            return parse_address(self.address).host
        except FetchError:
            # The address is refused when its turn comes, and the reason noted.
            return ""


def read_wanted(arguments: Sequence[str]) -> list[Wanted]:
    """What is wanted, each address once, in order; an argument is an address or the path of a list.

    Raises:
        ListError: a list cannot be read, or there is no address.
    """
    found: dict[str, Wanted] = {}
    for argument in arguments:
        is_address = re.match(r"[a-z][a-z0-9+.-]*://", argument, re.IGNORECASE)
        for wanted in [Wanted(argument)] if is_address else read_list(Path(argument)):
            address = urldefrag(wanted.address.strip()).url
            found.setdefault(address, Wanted(address, wanted.authority, wanted.year))
    if not found:
        raise ListError("there is no address in the list")
    return list(found.values())


def read_list(path: Path) -> Iterator[Wanted]:
    """The addresses of a text file (one a line, ``#`` begins a comment) or of a CSV file, in any usual encoding.

    A file is CSV by its ending, or because its first line names a column of addresses.

    Raises:
        ListError: the file cannot be read, or is CSV without an address.
    """
    try:
        if path.stat().st_size > MAX_LIST_BYTES:
            raise ListError(f"{path}: longer than any list of addresses")
        lines = decode_page(path.read_bytes()).lstrip("\ufeff").splitlines()
    except OSError as error:
        raise ListError(f"{path}: {error.strerror or error}") from error
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return
    delimiter = "\t" if path.suffix.lower() == ".tsv" else max(_DELIMITERS, key=lines[0].count)
    header = _columns(next(csv.reader(lines[:1], delimiter=delimiter)))
    if "address" in header or path.suffix.lower() in (".csv", ".tsv"):
        yield from _read_rows(path, lines, delimiter, header)
    else:
        yield from (Wanted(line.strip()) for line in lines)


def _columns(cells: Iterable[str]) -> dict[str, int]:
    """Which column is which, by its head."""
    columns: dict[str, int] = {}
    for number, cell in enumerate(cells):
        for name, spellings in load_words().columns.items():
            if cell.strip().lower() in spellings:
                columns.setdefault(name, number)
    return columns


def _read_rows(path: Path, lines: list[str], delimiter: str, header: dict[str, int]) -> Iterator[Wanted]:
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise ListError(f"{path}: {error}") from error
    columns = header
    if "address" in header:
        rows = rows[1:]
    else:
        # No head: the address is in the first column that holds one.
        place = next((n for row in rows for n, cell in enumerate(row) if "://" in cell), None)
        if place is None:
            raise ListError(f"{path}: no column of addresses; its head may be called 'address' or 'url'")
        columns = {"address": place}
    for row in rows:
        cells = {name: row[place].strip() for name, place in columns.items() if place < len(row)}
        if cells.get("address"):
            year = _YEAR.fullmatch(cells.get("year", ""))
            yield Wanted(cells["address"], cells.get("authority") or None, int(year[1]) if year else None)


def parse_address(text: str) -> httpx2.URL:
    """An address that may be asked, so far as it can be told without asking for its host.

    Raises:
        FetchError: ``address``: no http or https, no host, a password in it, or no address at all.
    """
    if len(text) > MAX_ADDRESS:
        raise FetchError("address", f"longer than {MAX_ADDRESS} characters")
    try:
        url = httpx2.URL(text.strip())
        port = url.port
    except (httpx2.InvalidURL, ValueError) as error:
        raise FetchError("address", f"not an address: {error}") from error
    if url.scheme not in ("http", "https"):
        raise FetchError("address", f"only http and https are asked, not {url.scheme or 'an address without either'}")
    if url.userinfo:
        raise FetchError("address", "a user name or password in the address")
    if not url.host or (port is not None and not 0 < port < 65536):
        raise FetchError("address", "no host in the address, or no such port")
    return url.copy_with(fragment=None)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet: not private, loopback, link-local, multicast, reserved.

    An IPv4 address inside an IPv6 one (mapped, NAT64) is judged by itself; 6to4 and Teredo are refused.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        else:
            return ip in _GLOBAL_V6 and ip.is_global and not any(ip in tunnel for tunnel in _TUNNELS_V6)
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_loopback or ip.is_link_local)


async def resolve(host: str, port: int) -> list[str]:
    """The IP addresses of a host name, IPv4 first: every site has one, and not every network reaches IPv6.

    ``2130706433``, ``0177.1`` and other spellings of an address come out as what the system would connect to.

    Raises:
        FetchError: ``unresolved``.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise FetchError(
            "unresolved", f"{host}: {error.strerror or error}", passing=error.errno == socket.EAI_AGAIN
        ) from error
    except (UnicodeError, OSError) as error:
        raise FetchError("unresolved", f"{host}: {error}") from error
    addresses = dict.fromkeys(str(place[0]) for *_, place in found)
    return sorted(addresses, key=lambda address: ":" in address)
