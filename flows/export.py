"""The store as files: CSV, one row a cell or one row a report, and JSON Lines, the records with their findings."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from extractors.forms import load_forms
from flows.store import Store

LONG_COLUMNS = (
    "authority",
    "year",
    "form",
    "coverage",
    "published",
    "key",
    "row",
    "column",
    "value",
    "unit",
    "status",
    "confidence",
    "raw",
    "page",
    "box",
    "start",
    "end",
    "path",
    "sha256",
)

# What a spreadsheet takes for a formula, the full-width forms included; a plain number is none.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠\t\r\n]")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def export(store: Store, kind: str, target: BinaryIO | Path, form: str | None = None) -> None:
    """Writes the store to a file or an open stream, report by report.

    Args:
        store: The store.
        kind: ``csv-long``, ``csv-wide`` or ``jsonl``.
        target: A file or stream; for ``csv-wide`` without ``form`` a folder, which gets one file a form.
        form: The form of ``csv-wide``.

    Raises:
        ValueError: there is no such form, or ``csv-wide`` has nowhere to put several forms.
        OSError: the file cannot be written.
    """
    if form is not None and form not in load_forms():
        raise ValueError(f"there is no form {form}; forms: {', '.join(load_forms())}")
    if kind == "jsonl":
        _write(target, lambda stream: _write_lines(stream, store.records_with_years()))
    elif kind == "csv-long":
        _write(target, lambda stream: _write_csv(stream, LONG_COLUMNS, _long_rows(store)))
    elif form is not None:
        _write(target, lambda stream: _write_wide(stream, store, form))
    elif isinstance(target, Path):
        target.mkdir(parents=True, exist_ok=True)
        for name in load_forms():
            _write_form(target / f"wide_{name}.csv", store, name)
    else:
        raise ValueError("csv-wide on standard output needs --form")


def neutralise(value: Any) -> Any:
    """A text cell that a spreadsheet would run as a formula gets a leading apostrophe; all else is unchanged."""
    if isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def _write_form(path: Path, store: Store, form: str) -> None:
    _write(path, lambda stream: _write_wide(stream, store, form))


def _write(target: BinaryIO | Path, fill: Callable[[BinaryIO], None]) -> None:
    """Fills a stream, or a file that appears under its name only when it is complete."""
    if not isinstance(target, Path):
        fill(target)
        return
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as stream:
            fill(stream)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _write_lines(stream: BinaryIO, lines: Iterable[str]) -> None:
    for line in lines:
        stream.write(line.encode() + b"\n")


def _write_csv(stream: BinaryIO, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    with _text_on(stream) as text:
        writer = csv.writer(text)
        writer.writerow(header)
        for row in rows:
            writer.writerow([neutralise(value) for value in row])


def _write_wide(stream: BinaryIO, store: Store, form: str) -> None:
    header, rows = store.view(f"wide_{form}", order="path, report")
    _write_csv(stream, header, rows)


@contextlib.contextmanager
def _text_on(stream: BinaryIO) -> Iterator[io.TextIOWrapper]:
    """Text in UTF-8 with the mark that Excel needs to read it as UTF-8; ``stream`` stays open."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        yield text
    finally:
        text.detach()


def _long_rows(store: Store) -> Iterator[tuple[Any, ...]]:
    labels = _labels()
    for line in store.records():
        record = json.loads(line)
        report, source = record["report"], record["source"]
        head = tuple(report[name] for name in LONG_COLUMNS[:5])
        for cell in record["cells"]:
            place = cell["evidence"] or {}
            box = " ".join(map(str, place["box"])) if place.get("box") else None
            yield (
                *head,
                cell["key"],
                *labels.get(cell["key"], ("", "")),
                *(cell[name] for name in ("value", "unit", "status", "confidence", "raw")),
                *(place.get("page"), box, place.get("start"), place.get("end")),
                *(source["path"], source["sha256"]),
            )


def _labels() -> dict[str, tuple[str, str]]:
    """Key to the printed labels of row and column; where forms share a key, in the words of the newest."""
    return {
        key: (" ".join((*cell.row.groups, cell.row_label)).strip(), cell.column_label)
        for form in load_forms().values()
        for key, cell in form.cells.items()
    }
