"""Small files and records for the tests of ``flows``.

``fake_extract`` stands in for the extractor where a test is about what happens around it: it reads a small JSON file
that says what the record holds, or how to fail. It is passed to worker processes by name, ``conftest:fake_extract``.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from extractors.errors import EncryptedFile
from extractors.forms import load_forms
from extractors.report import Cell, Evidence, Finding, Metadata, Problem, Report, Source, to_json
from flows.inbox import InboxFile

if TYPE_CHECKING:
    from fetching import Desk
    from misbehaving import Server

FAKE = "conftest:fake_extract"

NARRATIVE = """青石镇2017年政府信息公开工作年度报告

一、概述
2017年，青石镇认真贯彻落实《中华人民共和国政府信息公开条例》，主动公开政府信息126条，其中通过政务公开栏公开43条。
二、依申请公开情况
2017年未收到政府信息公开申请。
三、存在的问题
公开内容还不够全面，下一步将继续改进。
青石镇人民政府
2018年1月20日
"""


def fake_extract(path: Path) -> Report:
    """The record that a small JSON file describes, or the failure that it asks for."""
    data = path.read_bytes()
    wish: dict[str, Any] = json.loads(data, parse_float=Decimal)
    if wish.get("fail") == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if wish.get("fail") == "hang":
        time.sleep(600)
    if wish.get("fail") == "raise":
        raise ValueError("a hostile\nfile")
    if wish.get("fail") == "encrypted":
        raise EncryptedFile(path, "needs a password")
    return make_report(path, hashlib.sha256(data).hexdigest(), **wish)


def make_report(
    path: Path,
    sha256: str,
    *,
    form: str = "2021",
    blocks: dict[str, str | None] | None = None,
    values: dict[str, Any] | None = None,
    broken: tuple[str, ...] = (),
    authority: str | None = "青石镇",
    year: int | None = 2022,
    published: str | None = None,
    title: str = "青石镇2022年政府信息公开工作年度报告",
    raw: str = "0",
) -> Report:
    """A report on ``form`` with every cell; those of ``values`` have theirs, the others are blank."""
    values = values or {}
    all_blocks: dict[str, str | None] = dict.fromkeys(("disclosure", "applications", "disputes"), form)
    specs = load_forms()[form].cells.values() if form in load_forms() else ()
    cells = tuple(
        Cell(spec.key, values[spec.key], raw, spec.unit, "reported", 0.99, Evidence(1, (1.0, 2.0, 3.5, 4.0), n, n + 1))
        if spec.key in values
        else Cell(spec.key, None, None, spec.unit, "blank", 0.99, Evidence(start=n, end=n))
        for n, spec in enumerate(specs)
    )
    findings = (
        Finding(
            "form.balance:x",
            "form.balance",
            "inconsistent",
            "error",
            "report",
            "不平 unbalanced",
            1,
            2,
            1,
            tuple(broken),
        ),
        Finding("form.balance:y", "form.balance", "consistent", None, None, "相符 holds", 1, 1, 0),
    )
    about = Metadata(title, authority, year, form, blocks or all_blocks, None, published, None)
    problems = (Problem("image.unread", "an image stands here", Evidence(start=3, end=3)),)
    source = Source(str(path), sha256, "text/plain", None)
    return Report(source, about, cells, (), (), findings if broken else findings[1:], problems)


def make_file(name: str, content: str = "a") -> InboxFile:
    """An inbox file that need not exist; its hash is that of ``content``."""
    return InboxFile(Path(name), hashlib.sha256(content.encode()).hexdigest(), len(content))


def make_record(file: InboxFile, **wish: Any) -> str:
    """One line of JSON for ``file``."""
    return to_json(make_report(file.path, file.sha256 or "", **wish))


@pytest.fixture
def inbox(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of wishes into a folder and returns the folder."""
    folder = tmp_path / "inbox"
    folder.mkdir()

    def write(name: str | None = None, **wish: Any) -> Path:
        if name is not None:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps(wish, ensure_ascii=False), encoding="utf-8")
        return folder

    return write


@pytest.fixture
def server() -> Iterator[Server]:
    # Imported here: worker processes import this module, and few tests need a server.
    from misbehaving import Server

    started = Server()
    yield started
    started.close()


@pytest.fixture
def trap() -> Iterator[Server]:
    """A server that nobody may connect to."""
    from misbehaving import Server

    started = Server()
    yield started
    started.close()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    from fetching import Desk

    return Desk(tmp_path / "snapshots")
