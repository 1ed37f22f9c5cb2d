"""Whether this machine can do the work: versions, models, programs, store and disk, and a page read to try it."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

State = Literal["ok", "note", "bad"]

_LIBRARIES = ("pdfplumber", "pypdfium2", "opencv-python-headless", "onnxruntime", "rapidocr", "spacy", "prefect")
# A backlog of 30,000 reports takes some 8 GB of store; less than this and a night's run may not end.
LEAST_DISK_BYTES = 2 * 10**9
_DIGITS = "2048"
_SENTENCE = "全年共主动公开政府信息1286条,未收到行政复议申请。"
_STATED = {("disclosed_total", 1286), ("reviews", 0)}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: ``bad`` where the work cannot be done, ``note`` where something is missing."""

    state: State
    name: str
    text: str


def examine(store: Path, model: Path) -> Iterator[Check]:
    """Looks at everything, one after the other; a check that breaks is a bad one."""
    checks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("versions", _versions),
        ("machine", _machine),
        ("model of the prose", lambda: _model(model)),
        ("OCR", _ocr),
        ("Word files of old", _office),
        ("Prefect", _prefect),
        ("store", lambda: _store(store)),
        ("disk", lambda: _disk(store)),
    )
    for name, check in checks:
        try:
            yield check()
        except Exception as error:  # whatever is broken, the other checks still tell
            yield Check("bad", name, f"{type(error).__name__}: {error}".split("\n")[0])


def _versions() -> Check:
    found = [f"{name} {metadata.version(name)}" for name in ("gongkai", *_LIBRARIES)]
    return Check("ok", "versions", f"Python {platform.python_version()}, {', '.join(found)}")


def _machine() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    enough: State = "ok" if memory >= 1.5 * cores else "note"
    hint = "" if enough == "ok" else "; scans may need 1.2 GB a process: run with fewer --processes"
    return Check(enough, "machine", f"{cores} cores, {memory:.1f} GB memory{hint}")


def _model(directory: Path) -> Check:
    from extractors.document import Document
    from extractors.narrative import read_narrative
    from models.tagger import load_tagger

    tagger = load_tagger(directory)
    claims = read_narrative(Document("text/plain", _SENTENCE), (), tagger).claims
    stated = {(claim.field, int(claim.value)) for claim in claims}
    if stated != _STATED:
        return Check("bad", "model of the prose", f"{directory}: reads the trial sentence as {sorted(stated)}")
    return Check("ok", "model of the prose", f"{tagger.id} ({directory}), a sentence read")


def _ocr() -> Check:
    import cv2
    import numpy as np

    from extractors.ocr import read_lines

    picture = np.full((48, 160), 255, np.uint8)
    cv2.putText(picture, _DIGITS, (10, 38), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (0,), 3, cv2.LINE_AA)
    read = read_lines([picture])[0].text
    if read != _DIGITS:
        return Check("bad", "OCR", f"reads the trial picture {_DIGITS} as {read!r}")
    return Check("ok", "OCR", "its models are here, a picture read")


def _office() -> Check:
    program = shutil.which("soffice") or shutil.which("libreoffice")
    if program is None:
        return Check("note", "Word files of old", "LibreOffice is not installed; .doc files go to quarantine")
    return Check("ok", "Word files of old", f"read with {program}")


def _prefect() -> Check:
    for module in ("fastapi", "starlette", "uvicorn"):
        importlib.import_module(module)
    address = os.environ.get("PREFECT_API_URL")
    return Check("ok", "Prefect", f"runs report to {address}" if address else "runs bring their own private server")


def _store(folder: Path) -> Check:
    from flows.store import FILE_NAME, Store

    if not (folder / FILE_NAME).exists():
        return Check("note", "store", f"{folder}: none yet; 'gongkai run' makes it")
    with Store(folder) as store:
        sound = store.count("PRAGMA quick_check(1)")[0][0]
        reports, quarantined = (store.count(f"SELECT count(*) FROM {name}")[0][0] for name in ("reports", "quarantine"))
    size = (folder / FILE_NAME).stat().st_size / 1e6
    text = f"{folder}: {reports} reports, {quarantined} files in quarantine, {size:.1f} MB"
    return Check("ok", "store", text) if sound == "ok" else Check("bad", "store", f"{text}; damaged: {sound}")


def _disk(folder: Path) -> Check:
    place = next(path for path in (folder.resolve(), *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if not os.access(place, os.W_OK):
        return Check("bad", "disk", f"{place}: may not be written to")
    state: State = "ok" if free >= LEAST_DISK_BYTES else "note"
    return Check(state, "disk", f"{free / 1e9:.1f} GB free at {place}")
