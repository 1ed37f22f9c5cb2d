"""What each command of ``gongkai`` does: output and exit codes. Prefect is imported only where a flow runs."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from extractors.errors import ExtractionError
from flows.inbox import printable
from flows.workers import Outcome, read

EXIT_UNEXPECTED = 1
EXIT_USAGE = 2
EXIT_QUARANTINE = 3
EXIT_INTERRUPTED = 130


class UsageError(Exception):
    """What the user asked for cannot be done; the message says why."""


def _use_model(options: argparse.Namespace) -> None:
    """Makes the model that was asked for the one of this process and of its workers, and sees that it can be run."""
    from models.reader import VARIABLE, model_directory
    from models.tagger import ModelError, load_tagger

    if options.model:
        os.environ[VARIABLE] = str(options.model.resolve())
    try:
        load_tagger(model_directory())
    except ModelError as error:
        raise UsageError(str(error)) from error


def extract(options: argparse.Namespace) -> int:
    """Records of files, a line of JSON each."""
    from models.reader import read_report

    _use_model(options)
    exit_code = 0
    with _records_only() as output:
        for path in options.files:
            outcome = read(path, read_report)
            if outcome.record is None:
                exit_code = _report_failure(path, outcome)
            else:
                output.write(outcome.record.encode("utf-8", "backslashreplace") + b"\n")
                output.flush()
    return exit_code


def check(options: argparse.Namespace) -> int:
    """Whether reports contradict themselves."""
    from flows.check import Options, TargetError, check_files
    from models.reader import read_with_text

    _use_model(options)
    wanted = Options(tuple(options.files), options.format, options.html, options.strict)
    try:
        with _records_only() as output:
            return check_files(wanted, read_with_text, output, _report_failure)
    except TargetError as error:
        raise UsageError(printable(str(error))) from error


def run(options: argparse.Namespace) -> int:
    """A folder, a list or the quarantine into the store."""
    from flows.limits import Limits
    from flows.run import Options, run_inbox
    from flows.screen import Screen, summary_lines
    from flows.server import ServerError
    from flows.store import StoreError
    from models.reader import reader_version

    _use_model(options)
    if printable(str(options.inbox)) != str(options.inbox):
        raise UsageError(f"{printable(str(options.inbox))}: rename the folder; its name is not valid text")
    limits = Limits(options.time_limit, options.cpu_limit, options.memory_limit, options.page_limit)
    codes = None if options.codes is None else tuple(options.codes)
    wanted = Options(
        options.inbox, options.store, options.processes, limits, options.retry, codes, options.most_failures
    )
    screen = Screen()
    try:
        summary = run_inbox(wanted, reader_version(), screen)
    except (NotADirectoryError, StoreError) as error:
        raise UsageError(str(error)) from error
    except ServerError as error:
        complain(f"gongkai: {error}")
        return EXIT_UNEXPECTED
    except KeyboardInterrupt:
        screen.say("gongkai: interrupted; what was read is in the store, and the same command goes on from there")
        return EXIT_INTERRUPTED
    _print("\n".join(summary_lines(summary)))
    return EXIT_QUARANTINE if summary.quarantine else 0


def fetch(options: argparse.Namespace) -> int:
    """Addresses into a folder of snapshots."""
    from flows.addresses import ListError
    from flows.fetch import FetchOptions, run_fetch
    from flows.screen import Screen, fetch_lines
    from flows.server import ServerError
    from flows.snapshots import FolderError

    wanted = FetchOptions(
        tuple(options.addresses), options.out, tuple(options.allow_host), options.hosts, options.delay,
        options.time_limit, options.max_size, options.contact,
    )  # fmt: skip
    screen = Screen(verb="fetched")
    try:
        summary = run_fetch(wanted, options.store, screen)
    except (ListError, FolderError) as error:
        raise UsageError(printable(str(error))) from error
    except ServerError as error:
        complain(f"gongkai: {error}")
        return EXIT_UNEXPECTED
    except KeyboardInterrupt:
        screen.say("gongkai: interrupted; what was fetched is in the folder, and the same command goes on from there")
        return EXIT_INTERRUPTED
    _print("\n".join(fetch_lines(summary)))
    return EXIT_QUARANTINE if summary.failed else 0


def serve(options: argparse.Namespace) -> int:
    """Prefect's pages and deployments, until interrupted."""
    from flows.screen import Screen
    from flows.server import ServerError
    from flows.serving import ServeError, serve

    _use_model(options)
    if options.inbox is not None and not options.inbox.is_dir():
        raise UsageError(f"{printable(str(options.inbox))} is not a folder")
    screen = Screen()
    try:
        serve(options.store, options.port, options.inbox, screen)
    except ServeError as error:
        raise UsageError(str(error)) from error
    except ServerError as error:
        complain(f"gongkai: {error}")
        return EXIT_UNEXPECTED
    except KeyboardInterrupt:
        screen.say("gongkai: no longer serving; what was read is in the store")
    return 0


def show(options: argparse.Namespace) -> int:
    """One report on the terminal, or drawn."""
    import json

    from flows.show import show_record

    if Path(options.draw[0] if options.draw else options.report).is_file():
        _use_model(options)
    if options.draw:
        return _draw(options)
    record = _record(options.report, options.store)
    if isinstance(record, int):
        return record
    _print("\n".join(show_record(json.loads(record))))
    return 0


def _draw(options: argparse.Namespace) -> int:
    import json

    from flows.draw import TargetError, check_target, draw_record

    name, target = options.draw[0], Path(options.draw[1])
    try:
        check_target(target)
        record = _record(name, options.store)
        if isinstance(record, int):
            return record
        draw_record(json.loads(record), target)
    except ExtractionError as error:
        return _report_failure(Path(error.path), _failed(error))
    except TargetError as error:
        raise UsageError(printable(str(error))) from error
    except OSError as error:
        raise UsageError(f"{printable(str(target))}: {error.strerror or error}") from error
    return 0


def _record(name: str, store: Path) -> str | int:
    """The record of a file or of a stored report; where the file gives none, the exit code, the reason being told."""
    path = Path(name)
    if not path.is_file():
        return _stored_record(name, store)
    from models.reader import read_report

    outcome = read(path, read_report)
    return _report_failure(path, outcome) if outcome.record is None else outcome.record


def _stored_record(name: str, folder: Path) -> str:
    from flows.store import Store, StoreError

    try:
        with Store(folder) as store:
            return store.find_record(name)
    except StoreError as error:
        raise UsageError(str(error)) from error


def export(options: argparse.Namespace) -> int:
    """The store as files."""
    from flows.export import export
    from flows.store import Store, StoreError
    from flows.tables import Filter

    try:
        with Store(options.store) as store, _records_only() as output:
            wanted = Filter(options.authority, tuple(options.year), options.form, options.current)
            export(store, options.format, output if options.out == "-" else Path(options.out), wanted)
    except (StoreError, ValueError) as error:
        raise UsageError(str(error)) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"{printable(str(error.filename or options.out))}: {error.strerror}") from error
    return 0


def findings(options: argparse.Namespace) -> int:
    """What does not add up in the store."""
    from flows.findings import Choice, count_rows, find_rows, written, written_counts
    from flows.store import Store, StoreError

    choice = Choice(options.rule, options.authority, options.year, options.status, options.origin)
    try:
        with Store(options.store) as store:
            rows = find_rows(store, choice)
            if options.by:
                _print_lines(written_counts(count_rows(rows, options.by), options.format, options.by))
            else:
                _print_lines(written(rows, options.format))
    except StoreError as error:
        raise UsageError(str(error)) from error
    return 0


def ledger(options: argparse.Namespace) -> int:
    """Which report of which body and year is there."""
    from flows.ledger import chosen, read_ledger, written
    from flows.store import Store, StoreError

    try:
        with Store(options.store) as store:
            ledger = read_ledger(store)
    except StoreError as error:
        raise UsageError(str(error)) from error
    entries = chosen(ledger, options.authority, options.year, options.status)
    _print_lines(written(ledger, entries, options.format))
    return 0


def text(options: argparse.Namespace) -> int:
    """The normalised text of a file."""
    from extractors.extract import read_document

    try:
        document = read_document(options.file)
    except ExtractionError as error:
        return _report_failure(options.file, _failed(error))
    _print(document.text)
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Whether this machine has what the work needs."""
    from flows.doctor import examine
    from models.reader import model_directory

    exit_code = 0
    for check in examine(options.store, options.model or model_directory()):
        _print(f"{check.state:4}  {check.name}: {printable(check.text)}")
        exit_code = EXIT_UNEXPECTED if check.state == "bad" else exit_code
    return exit_code


def review(options: argparse.Namespace) -> int:
    """The review page, until interrupted."""
    from flows.review.serve import ReviewError, serve

    try:
        serve(options.store, options.port, options.reviewer, _print)
    except ReviewError as error:
        raise UsageError(str(error)) from error
    return 0


def decisions(options: argparse.Namespace) -> int:
    """Decisions out of the store, or into it."""
    from flows.decisions import DecisionError
    from flows.labels import export_decisions, import_decisions

    try:
        move = export_decisions if options.what == "export" else import_decisions
        complain(move(options.store, None if str(options.file) == "-" else options.file))
    except DecisionError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{printable(str(options.file))}: {error.strerror}") from error
    return 0


def labels(options: argparse.Namespace) -> int:
    """Reviewed prose and cells as labels, or labels as decisions."""
    from flows import labels
    from flows.decisions import DecisionError
    from flows.store import StoreError

    try:
        complain(labels.convert(options))
    except (DecisionError, StoreError) as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{printable(str(error.filename or options.out))}: {error.strerror}") from error
    return 0


def train(options: argparse.Namespace) -> int:
    """A new model of the prose."""
    import logging

    from flows.train import TrainingError, train_model

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("models.train")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        lines = train_model(
            options.labels, options.out, base=options.base, only=options.only, tests=options.test,
            epochs=options.epochs, seed=options.seed,
        )  # fmt: skip
    except TrainingError as error:
        raise UsageError(str(error)) from error
    finally:
        logger.removeHandler(handler)
    _print("\n".join(lines))
    return 0


def _failed(error: ExtractionError) -> Outcome:
    reason = error.reason if error.page is None else f"page {error.page}: {error.reason}"
    return Outcome(code=error.code, reason=reason, exit_code=error.exit_code)


def _report_failure(path: Path, outcome: Outcome) -> int:
    complain(f"{printable(str(path))}: {outcome.code}: {printable(outcome.reason)}")
    return outcome.exit_code


@contextlib.contextmanager
def _records_only() -> Iterator[BinaryIO]:
    """Standard output as bytes; whatever a library prints inside goes to standard error."""
    sys.stdout.flush()
    output = sys.stdout.buffer
    with contextlib.redirect_stdout(sys.stderr):
        yield output
    output.flush()


def _print(text: str) -> None:
    """Text for people on standard output, in UTF-8 whatever the locale says."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.buffer.flush()


def _print_lines(lines: Iterable[str]) -> None:
    """Lines on standard output, in UTF-8, as they come."""
    sys.stdout.flush()
    for line in lines:
        sys.stdout.buffer.write(line.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.buffer.flush()


def complain(line: str) -> None:
    """A line for people on standard error."""
    print(line.encode("utf-8", "backslashreplace").decode("utf-8"), file=sys.stderr)
