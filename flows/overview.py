"""What a run's pages in Prefect say, from the store: summary, coverage, findings, quarantine. No Prefect here.

Whatever comes from a report is hostile: in Markdown it is escaped, in tables it is cut and stripped of control
characters; tables have a bound, and say where there is more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flows.run import IS_DOUBTFUL, OF_RUN, Summary
from flows.store import Store

Rows = list[dict[str, Any]]

MOST_FINDINGS = 300
MOST_AUTHORITIES = 500
MOST_QUARANTINED = 500
_LONGEST = 300

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def plain(value: Any, longest: int = _LONGEST) -> str:
    """``value`` as one line of text: without control characters and marks that turn the direction of writing."""
    text = _CONTROL.sub(" ", "" if value is None else str(value)).strip()
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def escaped(value: Any, longest: int = _LONGEST) -> str:
    """``value`` as Markdown that shows just it: every mark that could mean something has a backslash."""
    return _PUNCTUATION.sub(r"\\\1", plain(value, longest))


def markdown_table(heads: list[str], rows: list[list[Any]]) -> Iterator[str]:
    """The lines of a table, its cells escaped."""
    yield ""
    yield f"| {' | '.join(escaped(head) for head in heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(escaped(value) for value in row)} |"
    yield ""


def summary_markdown(summary: Summary, version: str) -> str:
    """The summary of a run."""
    return "\n".join(_summary(summary, version))


def _summary(summary: Summary, version: str) -> Iterator[str]:
    extractor, _, model = version.partition("+")
    yield "# What this run has done"
    rate = summary.tried / summary.seconds if summary.seconds else 0.0
    facts = {
        "files seen": summary.files,
        "done (read in this run)": summary.read,
        "doubtful (a sum does not hold, or a cell is illegible)": summary.doubtful,
        "in quarantine (no report was read)": len(summary.quarantine),
        "reused (read before)": summary.reused,
        "duplicates": summary.duplicates,
        "revised versions": summary.revised,
        "seconds": f"{summary.seconds:.1f} ({rate:.2f} files a second)",
        "extractor": extractor,
        "model": model or "none",
    }
    yield from markdown_table(["", "files"], [[name, value] for name, value in facts.items()])
    for title, counts in (("Cells", summary.cells), ("Findings", summary.verdicts), ("Problems", summary.problems)):
        if counts:
            yield f"## {title}"
            yield from markdown_table(["", "number"], [[name, number] for name, number in counts.items()])
    if summary.findings:
        yield "## What does not hold"
        broken = [[rule, errors, warnings] for rule, (errors, warnings) in summary.findings.items()]
        yield from markdown_table(["rule", "errors", "warnings"], broken)


def coverage(store: Store, run: int) -> tuple[str, Rows]:
    """Authority by year: in each place the number of reports, with ``?`` where one of them is doubtful."""
    query = (
        f"SELECT r.authority AS authority, r.year AS year, count(*) AS reports, sum({IS_DOUBTFUL}) AS doubtful "
        f"{OF_RUN} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    found = list(store.stream(query, run=run))
    years = sorted({row["year"] for row in found if row["year"] is not None})
    rows: dict[Any, dict[str, Any]] = {}
    for row in found:
        authority = plain(row["authority"], 80) or "(none found)"
        if authority not in rows and len(rows) == MOST_AUTHORITIES:
            continue
        line = rows.setdefault(
            authority, {"authority": authority} | {str(year): "" for year in years} | {"no year": ""}
        )
        line[str(row["year"] or "no year")] = f"{row['reports']}{' ?' if row['doubtful'] else ''}"
    if all(not line["no year"] for line in rows.values()):
        for line in rows.values():
            del line["no year"]
    bodies = len({row["authority"] for row in found})
    return f"{bodies} bodies, {len(years)} years; reports in each, ? where one is doubtful{_more(bodies, len(rows))}", [
        *rows.values()
    ]


def worst_findings(store: Store, run: int) -> tuple[str, Rows]:
    """What does not hold, the worst first: errors before warnings, then by how much."""
    columns = "r.authority, r.year, p.severity, p.rule, p.origin, p.difference, p.message, r.path"
    # Not from the view of both: it has no index.
    parts = [
        f"SELECT {columns}, p.n {OF_RUN} JOIN {part} p ON p.report = r.id WHERE p.status = 'inconsistent'"
        for part in ("findings", "year_findings")
    ]
    every = " UNION ALL ".join(parts)
    query = (
        "SELECT authority, year, severity, rule, origin, difference, message, path "
        f"FROM ({every}) ORDER BY severity <> 'error', origin <> 'report', abs(coalesce(difference, 0)) DESC, path, n "
        "LIMIT :most"
    )
    rows = [_plain_row(row) for row in store.stream(query, run=run, most=MOST_FINDINGS)]
    ((total,),) = store.count(f"SELECT count(*) FROM ({every})", run=run)
    return f"{total} findings that do not hold, the worst first{_more(total, len(rows))}", rows


def quarantine(summary: Summary) -> tuple[str, Rows]:
    """The files that gave no report, with code and reason."""
    rows = [
        {"code": plain(code), "reason": plain(reason), "file": plain(path)}
        for path, code, reason in summary.quarantine[:MOST_QUARANTINED]
    ]
    total = len(summary.quarantine)
    return f"{total} files gave no report; 'gongkai retry' tries them again{_more(total, len(rows))}", rows


def worst_reports(store: Store, run: int, most: int) -> list[str]:
    """sha256 of the doubtful reports of a run that were read by it, those with the most errors first."""
    query = (
        f"SELECT r.sha256 AS sha256 {OF_RUN} LEFT JOIN findings p ON p.report = r.id AND p.status = 'inconsistent' "
        f"WHERE r.run = :run AND {IS_DOUBTFUL} "
        "GROUP BY r.id ORDER BY sum(p.severity = 'error') DESC, count(p.n) DESC, r.path LIMIT :most"
    )
    return [str(row["sha256"]) for row in store.stream(query, run=run, most=most)]


def _plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | float) else plain(value) for name, value in row.items()}


def _more(total: int, shown: int) -> str:
    return "" if shown >= total else f"; {shown} of {total} are shown, all are in the store"
