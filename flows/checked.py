"""A record held against itself: what contradicts itself, each cause once, and what could not be checked."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from extractors.causes import Contradiction, Unchecked, find_contradictions, find_unchecked
from extractors.explain import Explainer, Text
from extractors.forms import load_forms
from extractors.report import Claim, Evidence, Problem, Report
from flows.inbox import printable
from flows.layout import BLOCKS, report_tables

Verdict = Literal["inconsistent", "warnings", "consistent", "nothing"]

VERDICTS: dict[Verdict, Text] = {
    "inconsistent": Text("有不一致", "inconsistent"),
    "warnings": Text("有可疑之处", "to be looked at"),
    "consistent": Text("未见不一致", "nothing inconsistent"),
    "nothing": Text("没有可以核对的内容", "nothing to check"),
}
SEVERITIES = {"error": Text("错误", "error"), "warning": Text("提示", "warning")}
STATUSES = {
    "reported": Text("已填", "reported"),
    "blank": Text("空白", "blank"),
    "illegible": Text("无法辨认", "illegible"),
    "absent": Text("缺", "absent"),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A report with what contradicts itself in it, and what could not be checked."""

    report: Report
    explainer: Explainer
    contradictions: tuple[Contradiction, ...]
    unchecked: tuple[Unchecked, ...]

    @property
    def counts(self) -> Counter[str]:
        """Contradictions by severity, findings that hold, and findings that could not be decided."""
        counts = Counter(one.severity + "s" for one in self.contradictions)
        counts.update(finding.status for finding in self.report.findings if finding.status != "inconsistent")
        return counts

    @property
    def verdict(self) -> Verdict:
        """The worst that was found."""
        if self.counts["errors"]:
            return "inconsistent"
        if self.counts["warnings"]:
            return "warnings"
        return "consistent" if self.counts["consistent"] else "nothing"


def check_report(report: Report, text: str) -> Checked:
    """What a record holds against itself.

    Args:
        report: the record.
        text: the text to which its offsets refer.
    """
    forms = load_forms()
    return Checked(report, Explainer(report, text, forms), find_contradictions(report, forms), find_unchecked(report))


def block_states(checked: Checked) -> Iterator[tuple[str, Counter[str]]]:
    """The name of each block of tables, and its cells by status; none where no table was read."""
    forms, blocks = load_forms(), checked.report.report.blocks
    statuses = {cell.key: cell.status for cell in checked.report.cells}
    for block in (block for block, name in blocks.items() if name not in forms):
        yield BLOCKS.get(block, block), Counter()
    titles: dict[str, Counter[str]] = {}
    for _, _, table in report_tables(blocks, forms):
        states = titles.setdefault(BLOCKS.get(table.block) or table.captions[0], Counter())
        keys = (table.cell_key(row, column) for row in table.rows if not row.heading for column in table.columns)
        states.update(statuses.get(key, "absent") for key in keys)
    for title, states in titles.items():
        yield title, Counter({name: states[name] for name in STATUSES if states[name]})


def where(one: Contradiction, explainer: Explainer) -> list[Evidence | None]:
    """The places of a contradiction: of the cells that a way out would change, else of all its cells and claims."""
    claims = [explainer.claims[name].evidence for name in one.claims if name in explainer.claims]
    keys = [change.name for option in one.options[:1] for change in option.changes if change.kind == "cell"]
    if not keys and not claims:
        keys = [key for finding in one.findings for key in finding.cells]
    cells = [explainer.cells[key].evidence for key in keys if key in explainer.cells]
    return [*cells, *claims]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in parts, those lit that are the words of a claim; ``beside``: they agree with what is printed."""

    parts: tuple[tuple[str, bool], ...]
    place: Text
    beside: bool = False


def sentences(names: Iterable[str], explainer: Explainer, beside: bool = False) -> Iterator[Sentence]:
    """Each sentence once, with the words of all claims that stand in it lit."""
    found: dict[tuple[str, Text], list[Claim]] = {}
    for claim in (explainer.claims[name] for name in names if name in explainer.claims):
        found.setdefault((explainer.sentence(claim), explainer.place(claim.evidence).text), []).append(claim)
    for (text, place), members in found.items():
        yield Sentence(tuple(explainer.lit_parts(text, members)), place, beside)


def by_code(problems: Sequence[Problem]) -> dict[str, list[Problem]]:
    """Problems by their code, in the order of the first of each."""
    found: dict[str, list[Problem]] = defaultdict(list)
    for problem in problems:
        found[problem.code].append(problem)
    return found


def clean(text: str) -> str:
    """``text`` without characters that control a terminal, turn the direction of writing, or cannot be seen."""
    return "".join(map(_visible, printable(text)))


def shown(text: str) -> str:
    """``text`` cleaned, on one line."""
    return clean(text).replace("\n", " ").replace("\t", " ")


def _visible(char: str) -> str:
    if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cf", "Zl", "Zp"):
        return char
    # Soft hyphens and spaces of no width are habits of web pages; the others pretend to be what they are not.
    return "" if char in "\u00ad\u200b\u2060\ufeff" else "\ufffd"
