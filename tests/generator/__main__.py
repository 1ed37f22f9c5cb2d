"""``python -m tests.generator samples`` and ``python -m tests.generator corpus``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.generator.corpus import FORMATS, write_corpus


def main() -> int:
    """Write the committed samples, or a corpus of unseen reports."""
    parser = argparse.ArgumentParser(prog="python -m tests.generator", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    samples = commands.add_parser("samples", help="rewrite data/samples and data/gold/samples")
    samples.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="the checkout")
    unseen = commands.add_parser("corpus", help="write reports of other seeds, with truth.jsonl")
    unseen.add_argument("--seed-from", type=int, required=True)
    unseen.add_argument("--count", type=int, required=True)
    unseen.add_argument("--out", type=Path, required=True)
    unseen.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    arguments = parser.parse_args()
    if arguments.command == "corpus":
        count = write_corpus(arguments.out, arguments.seed_from, arguments.count, arguments.formats)
        sys.stderr.write(f"{count} reports in {arguments.out}\n")
        return 0
    from tests.generator.samples import write_samples

    for line in write_samples(arguments.root):
        sys.stderr.write(line + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
