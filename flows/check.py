"""``gongkai check``: reports before they go online, one after the other: what is written where, and the exit code.

A file whose checking fails for any reason is told apart from one that contradicts itself: the exit codes differ.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

from extractors.report import Report
from flows.check_json import check_json
from flows.check_lines import check_lines
from flows.checked import Checked, Verdict, check_report
from flows.files import whole
from flows.inbox import printable
from flows.sarif import FileResults, file_results, sarif_log
from flows.workers import Outcome, read

Format = Literal["text", "json", "sarif"]
Extract = Callable[[Path], tuple[Report, str]]

CONSISTENT, INCONSISTENT, FAILED = 0, 1, 2

# File systems take 255 bytes in a name.
_NAME_BYTES = 200


class TargetError(Exception):
    """The pages cannot be written where they were asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What one file gave: its verdict, what goes to standard output, its page, its results for SARIF."""

    verdict: Verdict
    output: str
    page: str | None
    results: FileResults | None


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. ``html`` is a file for one report, a folder for several; ``strict``: warnings count."""

    files: tuple[Path, ...]
    format: Format = "text"
    html: Path | None = None
    strict: bool = False


def check_files(
    options: Options, extract: Extract, output: BinaryIO, complain: Callable[[Path, Outcome], object]
) -> int:
    """Checks every file; the exit code is 0, 1 (something is inconsistent) or 2 (a file could not be checked).

    Args:
        options: what was asked for.
        extract: reads a file: its record and the text to which its offsets refer.
        output: what was found goes here.
        complain: is told of every file that could not be read.

    Raises:
        TargetError: the pages cannot be written.
    """
    targets = page_targets(options.files, options.html)
    results: list[FileResults] = []
    code = CONSISTENT
    for path, target in zip(options.files, targets, strict=True):
        found = _check_file(path, extract, options.format, target is not None)
        if isinstance(found, Outcome):
            complain(path, found)
            results.append(FileResults(path, failure=f"{found.code}: {found.reason}"))
            code = FAILED
            continue
        if target is not None and found.page is not None:
            _write(target, found.page)
        output.write(found.output.encode("utf-8", "backslashreplace"))
        output.flush()
        results += [found.results] if found.results else []
        code = max(code, exit_code(found.verdict, options.strict))
    if options.format == "sarif":
        output.write(json.dumps(sarif_log(results), ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace"))
        output.write(b"\n")
    return code


def exit_code(verdict: Verdict, strict: bool) -> int:
    """Errors are inconsistent, warnings only where ``strict``."""
    return INCONSISTENT if verdict == "inconsistent" or (strict and verdict == "warnings") else CONSISTENT


def _check_file(path: Path, extract: Extract, form: Format, with_page: bool) -> _Found | Outcome:
    kept: list[_Found] = []

    def extract_and_render(path: Path) -> Report:
        # Rendering included: whatever goes wrong with this file is the outcome of this file.
        report, text = extract(path)
        kept.append(_render(path, check_report(report, text), form, with_page))
        return report

    outcome = read(path, extract_and_render)
    if outcome.record is not None:
        return kept[0]
    return replace(outcome, reason=printable(outcome.reason))


def _render(path: Path, checked: Checked, form: Format, with_page: bool) -> _Found:
    from flows.check_page import render_page

    page = render_page(checked) if with_page else None
    if form == "sarif":
        return _Found(checked.verdict, "", page, file_results(path, checked))
    output = check_json(checked) + "\n" if form == "json" else "\n".join(check_lines(checked)) + "\n\n"
    return _Found(checked.verdict, output, page, None)


# Pages


def page_targets(files: Sequence[Path], html: Path | None) -> list[Path | None]:
    """Where the page of each file goes: ``html`` itself for a lone file, else into it as a folder, which is made.

    Raises:
        TargetError: the folder cannot be made, or a page would overwrite a report.
    """
    if html is None:
        return [None] * len(files)
    if len(files) == 1 and not html.is_dir():
        targets = [html]
        folder = html.parent
    else:
        targets = [html / name for name in _names(files)]
        folder = html
    try:
        if folder == html:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TargetError(f"{html}: not a folder, and none can be made: {error.strerror}") from error
    if not folder.is_dir():
        raise TargetError(f"{html}: there is no folder {folder}")
    reports = {path.resolve() for path in files}
    overwritten = next((target for target in targets if target.resolve() in reports), None)
    if overwritten is not None:
        raise TargetError(f"{overwritten}: is a report itself, which would be overwritten")
    return list(targets)


def _names(files: Sequence[Path]) -> Iterator[str]:
    """A name for the page of each file: its own with an ending, counted where several files have the same."""
    given: set[str] = set()
    for path in files:
        stem = path.name.encode("utf-8", "backslashreplace")[:_NAME_BYTES].decode("utf-8", "ignore")
        name, number = f"{stem}.check.html", 1
        while name in given:
            number += 1
            name = f"{stem}.{number}.check.html"
        given.add(name)
        yield name


def _write(target: Path, page: str) -> None:
    """The page, which appears only when it is complete."""
    try:
        with whole(target) as part:
            part.write_text(page, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise TargetError(f"{target}: {error.strerror or error}") from error
