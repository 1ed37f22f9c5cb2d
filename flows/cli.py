"""The command ``gongkai``: its arguments and what becomes of errors; what each does is in :mod:`flows.commands`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from flows import commands
from flows.commands import EXIT_INTERRUPTED, EXIT_UNEXPECTED, EXIT_USAGE, UsageError, complain
from flows.inbox import printable
from flows.workers import mute

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


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    mute()
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except UsageError as error:
        complain(f"gongkai: {error}")
        return EXIT_USAGE
    except KeyboardInterrupt:
        complain("gongkai: interrupted")
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
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")

    extract = subparsers.add_parser("extract", help="read files; one JSON record a line on standard output")
    extract.add_argument("files", nargs="+", type=Path, metavar="FILE")
    _add_model(extract)
    extract.set_defaults(command=commands.extract)

    run = subparsers.add_parser("run", help="read a folder into a store, watched by Prefect")
    run.add_argument(
        "inbox",
        type=Path,
        metavar="INBOX",
        help="folder of reports, subfolders included; or a text file that lists files",
    )
    run.add_argument("--retry", action="store_true", help="try unchanged files in quarantine again")
    _add_run(run)
    run.set_defaults(command=commands.run, codes=None)

    retry = subparsers.add_parser("retry", help="try the files of the quarantine again that still exist")
    retry.add_argument(
        "codes", nargs="*", metavar="CODE", help="only those with these codes (crashed, limit, damaged, ...)"
    )
    _add_run(retry)
    retry.set_defaults(command=commands.run, inbox=Path("quarantine"), retry=True)

    serve = subparsers.add_parser("serve", help="serve Prefect's pages and start runs from there; watch a folder")
    _add_store(serve)
    serve.add_argument("--port", type=_positive(int), default=4200, help="on the loopback interface (default: 4200)")
    serve.add_argument("--inbox", type=Path, metavar="FOLDER", help="watch this folder from the start")
    _add_model(serve)
    serve.set_defaults(command=commands.serve)

    check = subparsers.add_parser("check", help="before publishing: does anything in a report contradict itself?")
    check.add_argument("files", nargs="+", type=Path, metavar="FILE")
    check.add_argument(
        "--html", type=Path, metavar="OUT", help="write a page to read and print: a file for one FILE, else a folder"
    )
    check.add_argument("--format", choices=("text", "json", "sarif"), default="text", help="default: %(default)s")
    check.add_argument("--strict", action="store_true", help="exit with 1 for warnings, too")
    _add_model(check)
    check.set_defaults(command=commands.check, unexpected=EXIT_USAGE)
    _add_fetch(subparsers.add_parser("fetch", help="fetch the pages and files of a list of addresses into a folder"))

    show = subparsers.add_parser("show", help="show one report on the terminal: its tables, findings and problems")
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
    show.set_defaults(command=commands.show)

    export = subparsers.add_parser("export", help="write the store as CSV, Parquet, an Excel workbook or JSON Lines")
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
    export.set_defaults(command=commands.export)

    review = subparsers.add_parser("review", help="look through what is doubtful in a browser, on this machine only")
    _add_store(review)
    review.add_argument("--port", type=int, default=8650, help="of 127.0.0.1 (default: %(default)s; 0: any free one)")
    review.add_argument("--reviewer", metavar="NAME", help="who decides (default: the name of this user)")
    review.set_defaults(command=commands.review)

    decisions = subparsers.add_parser("decisions", help="what reviewers decided, as JSON Lines")
    decisions.add_argument("what", choices=("export", "import"))
    decisions.add_argument("file", type=Path, metavar="FILE", help="- for standard output or input")
    _add_store(decisions)
    decisions.set_defaults(command=commands.decisions)

    _add_labels(subparsers)
    _add_findings(subparsers)
    _add_ledger(subparsers)

    train = subparsers.add_parser("train", help="make a new model of the prose from annotated passages")
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
    train.set_defaults(command=commands.train)

    doctor = subparsers.add_parser("doctor", help="look whether this machine has what the work needs")
    _add_store(doctor)
    _add_model(doctor)
    doctor.set_defaults(command=commands.doctor)

    text = subparsers.add_parser("text", help="print a document's normalised text, to which all offsets refer")
    text.add_argument("file", type=Path, metavar="FILE")
    text.set_defaults(command=commands.text)
    return parser


def _add_labels(subparsers: Any) -> None:
    labels = subparsers.add_parser(
        "labels", help="confirmed paragraphs as labels, and labels of other tools as passages"
    )
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
    labels.set_defaults(command=commands.labels)


def _add_findings(subparsers: Any) -> None:
    findings = subparsers.add_parser("findings", help="what does not add up in the store, the worst first, or counted")
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
    findings.set_defaults(command=commands.findings)


def _add_ledger(subparsers: Any) -> None:
    ledger = subparsers.add_parser("ledger", help="which body's report for which year is there, missing or unreadable")
    ledger.add_argument(
        "--authority", type=printable, metavar="NAME", help="only bodies with NAME in their name, or called so"
    )
    ledger.add_argument("--year", type=int, help="only this year")
    ledger.add_argument("--status", choices=("received", "missing", "duplicate", "revised", "unreadable"))
    _add_format(ledger)
    _add_store(ledger)
    ledger.set_defaults(command=commands.ledger)


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
    fetch.set_defaults(command=commands.fetch)


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


def _positive(kind: type[int] | type[float]) -> Callable[[str], int | float]:
    def parse(text: str) -> int | float:
        value = kind(text)
        if not 0 < value < 1e9:
            raise argparse.ArgumentTypeError("must be greater than 0")
        return value

    return parse


if __name__ == "__main__":
    sys.exit(main())
