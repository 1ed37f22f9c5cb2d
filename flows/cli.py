"""The command ``gongkai``: arguments, output, exit codes. Prefect is imported only where a flow runs."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO

from extractors.errors import ExtractionError
from flows.inbox import printable
from flows.workers import Outcome, mute, read

EXIT_UNEXPECTED = 1
EXIT_USAGE = 2
EXIT_QUARANTINE = 3
EXIT_INTERRUPTED = 130

# The environment names it for the flows of gongkai serve too (flows/settings.py).
DEFAULT_STORE = Path(os.environ.get("GONGKAI_STORE") or "gongkai-store")

_EXITS = """exit codes:
  0   everything was done
  1   an unexpected failure; check: something is inconsistent
  2   wrong usage, or a folder or store that cannot be used; check: a file could not be checked
  3   run, retry: finished, with files in quarantine;
      fetch: finished, with addresses that gave nothing
  10-18  extract, show, text: no record from a file (the last such error):
      11 unreadable, 12 empty, 13 unsupported, 14 damaged, 15 encrypted,
      16 not a report, 17 over a limit, 18 a needed program is missing
  130 interrupted
"""


class UsageError(Exception):
    """What the user asked for cannot be done; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    mute()
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except UsageError as error:
        _complain(f"gongkai: {error}")
        return EXIT_USAGE
    except KeyboardInterrupt:
        _complain("gongkai: interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (head, less): nothing to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return int(getattr(options, "unexpected", EXIT_UNEXPECTED))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gongkai",
        description="Reads yearly reports on government-information disclosure into checked records.",
        epilog=_EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gongkai {_version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    extract = commands.add_parser("extract", help="read files; one JSON record a line on standard output")
    extract.add_argument("files", nargs="+", type=Path, metavar="FILE")
    _add_model(extract)
    extract.set_defaults(command=_extract)

    run = commands.add_parser("run", help="read a folder into a store, watched by Prefect")
    run.add_argument(
        "inbox",
        type=Path,
        metavar="INBOX",
        help="folder of reports, subfolders included; or a text file that lists files",
    )
    run.add_argument("--retry", action="store_true", help="try unchanged files in quarantine again")
    _add_run(run)
    run.set_defaults(command=_run, codes=None)

    retry = commands.add_parser("retry", help="try the files of the quarantine again that still exist")
    retry.add_argument(
        "codes", nargs="*", metavar="CODE", help="only those with these codes (crashed, limit, damaged, ...)"
    )
    _add_run(retry)
    retry.set_defaults(command=_run, inbox=Path("quarantine"), retry=True)

    serve = commands.add_parser("serve", help="serve Prefect's pages and start runs from there; watch a folder")
    _add_store(serve)
    serve.add_argument("--port", type=_positive(int), default=4200, help="on the loopback interface (default: 4200)")
    serve.add_argument("--inbox", type=Path, metavar="FOLDER", help="watch this folder from the start")
    _add_model(serve)
    serve.set_defaults(command=_serve)

    check = commands.add_parser("check", help="before publishing: does anything in a report contradict itself?")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    check.add_argument(
        "--html", type=Path, metavar="OUT", help="write a page to read and print: a file for one FILE, else a folder"
    )
    check.add_argument("--format", choices=("text", "json", "sarif"), default="text", help="default: %(default)s")
    check.add_argument("--strict", action="store_true", help="exit with 1 for warnings, too")
    _add_model(check)
    check.set_defaults(command=_check, unexpected=EXIT_USAGE)
    _add_fetch(commands.add_parser("fetch", help="fetch the pages and files of a list of addresses into a folder"))

    show = commands.add_parser("show", help="show one report on the terminal: its tables, findings and problems")
    what = show.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "report", nargs="?", metavar="REPORT", help="a file, or the path or sha256 (its beginning) of a stored one"
    )
    what.add_argument(
        "--draw",
        nargs=2,
        metavar=("REPORT", "OUT"),
        help="draw what was read over pictures of the pages instead, into a .png or .pdf",
    )
    _add_store(show)
    _add_model(show)
    show.set_defaults(command=_show)

    export = commands.add_parser("export", help="write the store as CSV, Parquet, an Excel workbook or JSON Lines")
    export.add_argument("--format", required=True, choices=("csv-long", "csv-wide", "csv", "parquet", "xlsx", "jsonl"))
    export.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help="a file, or - for standard output; a folder for csv, parquet, and csv-wide without --form",
    )
    export.add_argument("--form", help="only reports with a block on this form (2014, 2019, 2021)")
    export.add_argument("--authority", metavar="WORDS", help="only reports of bodies in whose name these words stand")
    export.add_argument("--year", type=int, nargs="+", default=(), help="only reports for these years")
    export.add_argument("--current", action="store_true", help="leave out reports that a later version replaces")
    _add_store(export)
    export.set_defaults(command=_export)

    review = commands.add_parser("review", help="look through what is doubtful in a browser, on this machine only")
    _add_store(review)
    review.add_argument("--port", type=int, default=8650, help="of 127.0.0.1 (default: %(default)s; 0: any free one)")
    review.add_argument("--reviewer", metavar="NAME", help="who decides (default: the name of this user)")
    review.set_defaults(command=_review)

    decisions = commands.add_parser("decisions", help="what reviewers decided, as JSON Lines")
    decisions.add_argument("what", choices=("export", "import"))
    decisions.add_argument("file", type=Path, metavar="FILE", help="- for standard output or input")
    _add_store(decisions)
    decisions.set_defaults(command=_decisions)

    _add_labels(commands)
    _add_findings(commands)
    _add_ledger(commands)

    train = commands.add_parser("train", help="make a new model of the prose from annotated passages")
    train.add_argument(
        "--labels", nargs="+", type=Path, default=(), metavar="FILE",
        help="passages (JSON Lines) to learn from, beside the shipped ones",
    )  # fmt: skip
    train.add_argument("--only", action="store_true", help="learn from --labels alone, not from the shipped passages")
    train.add_argument(
        "--base", metavar="BASE",
        help="encoder to start from: a directory, a model to go on from, or a hub id (default: the shipped encoder)",
    )  # fmt: skip
    train.add_argument("--out", type=Path, default=Path("gongkai-model"), metavar="DIR", help="default: %(default)s")
    train.add_argument("--test", nargs="+", type=Path, default=(), metavar="FILE", help="passages to measure on")
    train.add_argument("--epochs", type=_positive(int), default=None)
    train.add_argument("--seed", type=int, default=None)
    train.set_defaults(command=_train)

    doctor = commands.add_parser("doctor", help="look whether this machine has what the work needs")
    _add_store(doctor)
    _add_model(doctor)
    doctor.set_defaults(command=_doctor)

    text = commands.add_parser("text", help="print a document's normalised text, to which all offsets refer")
    text.add_argument("file", type=Path, metavar="FILE")
    text.set_defaults(command=_text)
    return parser


def _add_labels(commands: Any) -> None:
    labels = commands.add_parser("labels", help="confirmed paragraphs as labels, and labels of other tools as passages")
    what = labels.add_mutually_exclusive_group(required=True)
    what.add_argument("--confirmed", action="store_true", help="paragraphs that reviewers confirmed")
    what.add_argument(
        "--predicted", type=_positive(int), metavar="N", help="N paragraphs as the model reads them, to start from"
    )
    what.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="passages of another tool (--as names it)"
    )
    what.add_argument("--cells", action="store_true", help="pictures of decided cells of scans, into the folder --out")
    labels.add_argument("--as", dest="kind", choices=("gold", "label-studio", "doccano", "spacy"), default="gold")
    labels.add_argument("--out", type=Path, required=True, metavar="FILE")
    _add_store(labels)
    labels.set_defaults(command=_labels)


def _add_findings(commands: Any) -> None:
    findings = commands.add_parser("findings", help="what does not add up in the store, the worst first, or counted")
    findings.add_argument(
        "--rule", type=printable, help="only this rule (years.carry), or this family of rules (years)"
    )
    findings.add_argument(
        "--authority", type=printable, metavar="NAME", help="only bodies with NAME in their name, or called so"
    )
    findings.add_argument("--year", type=int, help="only reports for this year")
    findings.add_argument(
        "--status", choices=("inconsistent", "unverifiable", "consistent", "all"), default="inconsistent",
        help="default: %(default)s",
    )  # fmt: skip
    findings.add_argument("--origin", choices=("report", "reading", "unknown"), help="only what this explains")
    findings.add_argument("--by", choices=("rule", "authority", "year"), help="numbers of findings instead of a list")
    _add_format(findings)
    _add_store(findings)
    findings.set_defaults(command=_findings)


def _add_ledger(commands: Any) -> None:
    ledger = commands.add_parser("ledger", help="which body's report for which year is there, missing or unreadable")
    ledger.add_argument(
        "--authority", type=printable, metavar="NAME", help="only bodies with NAME in their name, or called so"
    )
    ledger.add_argument("--year", type=int, help="only this year")
    ledger.add_argument("--status", choices=("received", "missing", "duplicate", "revised", "unreadable"))
    _add_format(ledger)
    _add_store(ledger)
    ledger.set_defaults(command=_ledger)


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json", "csv"), default="text", help="default: %(default)s")


def _add_fetch(fetch: argparse.ArgumentParser) -> None:
    fetch.add_argument(
        "addresses",
        nargs="+",
        metavar="LIST",
        help="a text or CSV file of addresses (authority and year optional), or an address",
    )
    fetch.add_argument(
        "--out", type=Path, default=Path("snapshots"), metavar="FOLDER", help="an inbox for run (default: %(default)s)"
    )
    fetch.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="ask this host although its address is private",
    )
    fetch.add_argument("--hosts", type=_positive(int), default=8, help="asked at the same time (default: %(default)s)")
    fetch.add_argument(
        "--delay",
        type=_positive(float),
        default=1.0,
        metavar="SECONDS",
        help="between two requests to a host (default: 1)",
    )
    fetch.add_argument(
        "--time-limit", type=_positive(float), default=300.0, metavar="SECONDS", help="for one answer (default: 300)"
    )
    fetch.add_argument(
        "--max-size", type=_positive(float), default=200.0, metavar="MB", help="of one file, unpacked (default: 200)"
    )
    fetch.add_argument("--contact", metavar="TEXT", help="address or page told to the hosts, for their complaints")
    _add_store(fetch)
    fetch.set_defaults(command=_fetch)


def _version() -> str:
    try:
        return metadata.version("gongkai")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--store", type=Path, default=DEFAULT_STORE, help="the store's folder (default: %(default)s)")


def _add_run(parser: argparse.ArgumentParser) -> None:
    """What every run may be told: store, processes, the limits of a report, the model."""
    from flows.limits import DEFAULT_LIMITS as LIMITS

    _add_store(parser)
    parser.add_argument("--processes", type=_positive(int), default=os.cpu_count() or 1, help="default: one per core")
    for name, kind, default, unit, words in (
        ("--time-limit", float, LIMITS.seconds, "SECONDS", "for one report"),
        ("--cpu-limit", float, LIMITS.cpu_seconds, "SECONDS", "processor time for one report"),
        ("--memory-limit", int, LIMITS.memory_mb, "MB", "memory of a process that reads"),
        ("--page-limit", int, LIMITS.pages, "PAGES", "longest PDF file that is read"),
        ("--most-failures", float, 50.0, "PERCENT", "share of files without a report above which a run has failed"),
    ):
        parser.add_argument(
            name, type=_positive(kind), default=default, metavar=unit, help=f"{words} (default: {default:g})"
        )
    _add_model(parser)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        type=Path,
        metavar="DIR",
        help="model of the prose to use (default: $GONGKAI_MODEL, else the shipped one)",
    )


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


def _positive(kind: type[int] | type[float]) -> Callable[[str], int | float]:
    def parse(text: str) -> int | float:
        value = kind(text)
        if not 0 < value < 1e9:
            raise argparse.ArgumentTypeError("must be greater than 0")
        return value

    return parse


def _extract(options: argparse.Namespace) -> int:
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


def _check(options: argparse.Namespace) -> int:
    from flows.check import Options, TargetError, check_files
    from models.reader import read_with_text

    _use_model(options)
    wanted = Options(tuple(options.files), options.format, options.html, options.strict)
    try:
        with _records_only() as output:
            return check_files(wanted, read_with_text, output, _report_failure)
    except TargetError as error:
        raise UsageError(printable(str(error))) from error


def _run(options: argparse.Namespace) -> int:
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
        _complain(f"gongkai: {error}")
        return EXIT_UNEXPECTED
    except KeyboardInterrupt:
        screen.say("gongkai: interrupted; what was read is in the store, and the same command goes on from there")
        return EXIT_INTERRUPTED
    _print("\n".join(summary_lines(summary)))
    return EXIT_QUARANTINE if summary.quarantine else 0


def _fetch(options: argparse.Namespace) -> int:
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
        _complain(f"gongkai: {error}")
        return EXIT_UNEXPECTED
    except KeyboardInterrupt:
        screen.say("gongkai: interrupted; what was fetched is in the folder, and the same command goes on from there")
        return EXIT_INTERRUPTED
    _print("\n".join(fetch_lines(summary)))
    return EXIT_QUARANTINE if summary.failed else 0


def _serve(options: argparse.Namespace) -> int:
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
        _complain(f"gongkai: {error}")
        return EXIT_UNEXPECTED
    except KeyboardInterrupt:
        screen.say("gongkai: no longer serving; what was read is in the store")
    return 0


def _show(options: argparse.Namespace) -> int:
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


def _export(options: argparse.Namespace) -> int:
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


def _findings(options: argparse.Namespace) -> int:
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


def _ledger(options: argparse.Namespace) -> int:
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


def _text(options: argparse.Namespace) -> int:
    from extractors.extract import read_document

    try:
        document = read_document(options.file)
    except ExtractionError as error:
        return _report_failure(options.file, _failed(error))
    _print(document.text)
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from flows.doctor import examine
    from models.reader import model_directory

    exit_code = 0
    for check in examine(options.store, options.model or model_directory()):
        _print(f"{check.state:4}  {check.name}: {printable(check.text)}")
        exit_code = EXIT_UNEXPECTED if check.state == "bad" else exit_code
    return exit_code


def _review(options: argparse.Namespace) -> int:
    from flows.review.serve import ReviewError, serve

    try:
        serve(options.store, options.port, options.reviewer, _print)
    except ReviewError as error:
        raise UsageError(str(error)) from error
    return 0


def _decisions(options: argparse.Namespace) -> int:
    from flows.decisions import DecisionError
    from flows.labels import export_decisions, import_decisions

    try:
        move = export_decisions if options.what == "export" else import_decisions
        _complain(move(options.store, None if str(options.file) == "-" else options.file))
    except DecisionError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{printable(str(options.file))}: {error.strerror}") from error
    return 0


def _labels(options: argparse.Namespace) -> int:
    from flows import labels
    from flows.decisions import DecisionError
    from flows.store import StoreError

    try:
        _complain(labels.convert(options))
    except (DecisionError, StoreError) as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{printable(str(error.filename or options.out))}: {error.strerror}") from error
    return 0


def _train(options: argparse.Namespace) -> int:
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
    _complain(f"{printable(str(path))}: {outcome.code}: {printable(outcome.reason)}")
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


def _complain(line: str) -> None:
    print(line.encode("utf-8", "backslashreplace").decode("utf-8"), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
