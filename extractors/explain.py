"""Findings, ways out and places in Chinese and in English, made from what they hold, not translated from messages.

Names of rows and columns are the form's own and stand in Chinese in both languages: that is what the reader sees in
the table.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from extractors.causes import Change, Contradiction, Option, Unchecked, table_forms
from extractors.forms import Form, Identity
from extractors.numbers import is_money
from extractors.reconcile import cell_name, listed
from extractors.report import Claim, Evidence, Finding, Report
from extractors.rules import load_rules
from extractors.slips import WORDS
from extractors.stated import comparable, plain

# Sentences beyond it, in characters, are lists without a full stop: so much of them is shown on both sides of a figure.
MAX_SENTENCE = 600
_AROUND = 150
# Ways out that are written out; the rest is counted.
MAX_OPTIONS = 8
_MARKS = {"blank": "空白 (blank)", "illegible": "? (illegible)", "absent": "缺 (absent)"}


@dataclass(frozen=True, slots=True)
class Text:
    """One statement in Chinese and in English.

    ``lead``, before it, and ``tail``, behind it, are figures and names of the form, the same in both languages.
    """

    zh: str
    en: str
    lead: str = ""
    tail: str = ""

    @property
    def chinese(self) -> str:
        """The whole statement in Chinese."""
        return f"{self.lead}{'，' if self.lead and self.zh else ''}{self.zh}{'：' if self.tail else ''}{self.tail}"

    @property
    def english(self) -> str:
        """The whole statement in English."""
        return f"{self.lead}{', ' if self.lead and self.en else ''}{self.en}{': ' if self.tail else ''}{self.tail}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: the page (1-based), or the line of the normalised text (1-based) where there is none."""

    page: int | None
    line: int | None

    @property
    def text(self) -> Text:
        """The place in words; empty where it is not known."""
        if self.page is not None:
            return Text(f"第{self.page}页", f"page {self.page}")
        return Text(f"第{self.line}行", f"line {self.line}") if self.line is not None else Text("", "")


class Explainer:
    """One report with its text and forms: what its findings say, and where."""

    def __init__(self, report: Report, text: str, forms: Mapping[str, Form]) -> None:
        self.report = report
        self.text = text
        self.ends = [match.start() for match in re.finditer("\n", text)]
        self.forms = table_forms(report, forms)
        self.cells = {cell.key: cell for cell in report.cells}
        self.claims = {claim.id: claim for claim in report.claims}
        # The same sum has other rows on another form: its cells tell which is meant.
        self.identities = {
            (rule.id, (*rule.plus, *rule.minus)): rule for form in self.forms.values() for rule in form.identities
        }

    # Places and names

    def place(self, evidence: Evidence | None) -> Place:
        """The page, or the line of the text."""
        if evidence is None:
            return Place(None, None)
        if evidence.page is not None:
            return Place(evidence.page, None)
        return Place(None, None if evidence.start is None else bisect_left(self.ends, evidence.start) + 1)

    def name(self, key: str) -> str:
        """Row and column of a cell, as the form prints them."""
        return cell_name(key, {}, self.forms[key]) if key in self.forms else f"“{key}”"

    def printed(self, key: str) -> str:
        """What a cell shows: its value, or that it is blank, illegible or absent."""
        cell = self.cells.get(key)
        if cell is None or cell.value is None:
            return _MARKS[cell.status if cell else "absent"]
        return str(cell.value)

    def rows(self, keys: Sequence[str]) -> str:
        """The rows that ``keys`` lie in, or their columns in a table of one row, with the number of cells."""
        lines: Counter[str] = Counter()
        for key in keys:
            spec = self.forms[key].cells[key] if key in self.forms else None
            lines[(spec.row_label or spec.column_label) if spec else key] += 1
        return listed([f"“{line}”" + (f" ({number})" if number > 1 else "") for line, number in lines.items()])

    def stated(self, claim: Claim) -> str:
        """Label and figure of a claim as printed."""
        text = "".join(claim.text.split())
        return f"“{claim.label}”{text}" if claim.label and claim.label not in text else f"“{text}”"

    # Findings

    def finding(self, finding: Finding) -> Text:
        """What an inconsistent finding says: both sides and the difference."""
        identity = self.identities.get((finding.id, finding.cells))
        if identity is not None and finding.expected is not None:
            return self._sum(finding, identity)
        if finding.rule == "form.range":
            values = listed([f"{self.name(key)} {self.printed(key)}" for key in finding.cells])
            return Text("不得为负数或小数", "must not be negative or fractional", values)
        members = [self.claims[name] for name in finding.claims if name in self.claims]
        if finding.expected is None or finding.reported is None or len(members) != len(finding.claims) or not members:
            return Text(load_rules()[finding.rule].checks_zh, finding.message)
        if finding.rule == "prose.table":
            return self._stated_against_table(finding, members[0])
        if finding.rule == "prose.parts":
            return self._parts(finding, members)
        if finding.rule == "prose.share" and len(members) == 3:
            return self._share(finding, members)
        stated = f"{self.stated(members[0])}, {plain(finding.expected)}"
        return Text(f"正文与之相差 {_gap(finding)}", f"the prose is off by {_gap(finding)}", stated)

    def _sum(self, finding: Finding, identity: Identity) -> Text:
        keys = (*identity.plus, *identity.minus)
        line, names = self._line(keys)
        left, right = (self._side(side, names) for side in (identity.plus, identity.minus))
        blanks = [names[key] for key in keys if key in self.cells and self.cells[key].status == "blank"]
        zh, en = f"相差 {_gap(finding)}", f"off by {_gap(finding)}"
        if identity.relation == "expected":
            zh, en = f"{zh}；表样未明定此式", f"{en}; customary, not demanded by the form"
        if blanks:
            zh, en = f"{zh}；空白按零计", f"{en}; blanks read as nil"
        sign = ">" if identity.relation == "at_most" else "≠"
        return Text(zh, en, f"{line}{left} {sign} {right}", listed(blanks))

    def _line(self, keys: Sequence[str]) -> tuple[str, dict[str, str]]:
        """The row or column that all ``keys`` lie in, and what tells each of them apart there."""
        specs = {key: self.forms[key].cells[key] for key in keys}
        rows = {spec.row_label for spec in specs.values()}
        columns = {spec.column_label for spec in specs.values()}
        if len(rows) == 1 and len(columns) > 1 and "" not in rows:
            return f"“{rows.pop()}”：", {key: spec.column_label for key, spec in specs.items()}
        if len(columns) == 1 and len(rows) > 1:
            (column,) = columns
            has_key = any(spec.column.key for spec in specs.values())
            return f"“{column}”：" if has_key else "", {key: spec.row_label for key, spec in specs.items()}
        return "", {key: self.name(key) for key in keys}

    def _side(self, keys: Sequence[str], names: Mapping[str, str]) -> str:
        """One side of a sum, written out; a lone cell is named even where it is nil."""
        if len(keys) == 1:
            return f"{names[keys[0]]} {self.printed(keys[0])}"
        cells = {key: self.cells[key] for key in keys if key in self.cells}
        terms = [f"{names[key]} {cell.value}" for key, cell in cells.items() if cell.value]
        total = plain(sum((Decimal(cell.value or 0) for cell in cells.values()), Decimal(0)))
        return " + ".join(terms) + f" = {total}" if len(terms) > 1 else "".join(terms) or "0"

    def _stated_against_table(self, finding: Finding, claim: Claim) -> Text:
        names = listed([self.name(key) for key in finding.cells])
        many = len(finding.cells) > 1
        value = plain(finding.expected or 0)
        return Text(
            f"正文比表格{'多' if (finding.difference or 0) > 0 else '少'} {_gap(finding)}",
            f"the prose has {_gap(finding)} {'more' if (finding.difference or 0) > 0 else 'fewer'} than the table",
            f"{self.stated(claim)} ≠ {names}{' =' if many else ''} {value}",
        )

    def _parts(self, finding: Finding, members: Sequence[Claim]) -> Text:
        terms = " + ".join(self.stated(part) for part in members[1:])
        over = Decimal(finding.expected or 0) > Decimal(finding.reported or 0)
        return Text(
            f"分项之和{'超过' if over else '不足'}总数，相差 {_gap(finding)}",
            f"the parts {'exceed' if over else 'fall short of'} their whole by {_gap(finding)}",
            f"{terms} = {plain(finding.expected or 0)} {'>' if over else '<'} {self.stated(members[0])}",
        )

    def _share(self, finding: Finding, members: Sequence[Claim]) -> Text:
        share, part, total = map(self.stated, members)
        return Text(
            "百分比与所列数字不符",
            "not the percentage of these figures",
            f"{part} ÷ {total} = {plain(finding.expected or 0)}% ≠ {share}",
        )

    # Ways out

    def verdict(self, one: Contradiction) -> Text:
        """How sure the ways out of a contradiction are."""
        count = len(one.options)
        sums = all(finding.rule.startswith("form.") for finding in one.findings)
        texts = {
            "unique": Text("唯一的最小更正", "the only smallest correction"),
            "rivalled": Text(
                "只改一格的更正仅此一种，但两格有误也会如此，不作建议",
                "the only correction of one cell, but two wrong cells would show the same: none suggested",
            ),
            "several": Text(f"可能的更正有 {count} 种，不作建议", f"{count} possible corrections: none suggested")
            if count > 1
            else Text("可能的更正，不作建议", "a possible correction: none suggested"),
            "blanks": Text("空白格如不为零，各式可以成立", "the sums could hold if the blanks were not nil"),
            "none": Text(f"改动 {one.size} 格以内无法使各式成立", f"no correction of at most {one.size} cells")
            if one.size
            else Text("请核对所列数字" if sums else "请对照原始数据核对", "check the figures against their source"),
            "open": Text("可能的更正未能查尽，不作建议", "too many possible corrections to search: none suggested"),
        }
        return texts[one.verdict]

    def option(self, option: Option) -> Text:
        """One way out: every figure, as printed and as it would have to be."""
        slips = dict.fromkeys(change.slip for change in option.changes if change.slip)
        prose = any(change.kind == "claim" for change in option.changes)
        zh = [*(["改正文"] if prose else []), *(WORDS[slip][0] for slip in slips)]
        en = [*(["in the prose"] if prose else []), *(WORDS[slip][1] for slip in slips)]
        if option.breaks:
            zh.append(f"但表内现成立的 {option.breaks} 式将不成立")
            sums = "1 sum of the table that holds" if option.breaks == 1 else f"{option.breaks} sums that hold"
            en.append(f"but {sums} would break")
        elif option.stated:
            zh.append("与正文所述一致")
            en.append("as the prose states")
        return Text("，".join(zh), ", ".join(en), listed([self._change(change) for change in option.changes]))

    def _change(self, change: Change) -> str:
        after = plain(change.suggested)
        if change.kind == "cell":
            return f"{self.name(change.name)} {self.printed(change.name)} → {after}"
        claim = self.claims[change.name]
        unit = "万元" if is_money(claim.unit) else claim.unit or ""
        return f"“{claim.label or claim.text}” {plain(comparable(claim))}{unit} → {after}{unit}"

    # What was not checked

    def unchecked(self, one: Unchecked) -> Text:
        """Why findings of one rule could not be decided."""
        rows = self.rows(one.cells)
        scopes = listed(list(dict.fromkeys(scope for f in one.findings for scope in self._scopes(f))))
        texts = {
            "absent": Text("报告中没有这些单元格", "cells that the report does not have", tail=rows),
            "illegible": Text("单元格无法可靠辨认", "cells that could not be read with confidence", tail=rows),
            "scope": Text("正文所述为其他口径，不与全表比较", "stated for another body or area", tail=scopes),
            "doubt": Text("正文数字所指不明，不作判断", "what the figure of the prose means is doubtful"),
            "meaning": Text(
                "正文所述的范围、时段或含义可能与表格或总数不同，不作判断",
                "may count something else, some of it, or another time",
            ),
        }
        return texts[one.reason]

    def _scopes(self, finding: Finding) -> list[str]:
        found = []
        for name in finding.claims:
            claim, seen = self.claims.get(name), set[str]()
            while claim is not None and claim.id not in seen:
                seen.add(claim.id)
                found += [claim.scope] if claim.scope else []
                claim = self.claims.get(claim.part_of or "")
        return found

    # Sentences

    def sentence(self, claim: Claim) -> str:
        """The sentence of a claim; of a very long one what stands around its words."""
        start, end = claim.evidence.start, claim.evidence.end
        if len(claim.sentence) <= MAX_SENTENCE or start is None or end is None:
            return claim.sentence[:MAX_SENTENCE]
        excerpt = self.text[max(0, start - _AROUND) : end + _AROUND].replace("\n", "")
        return f"…{excerpt[:MAX_SENTENCE]}…"

    def lit_parts(self, sentence: str, claims: Sequence[Claim]) -> list[tuple[str, bool]]:
        """A sentence in parts, those that are the words of one of ``claims`` lit."""
        lit = bytearray(len(sentence))
        for claim in claims:
            first, last = self._span(sentence, claim)
            lit[first:last] = b"\1" * (last - first)
        return [
            ("".join(char for char, _ in run), bool(light))
            for light, run in groupby(zip(sentence, lit, strict=True), key=lambda pair: pair[1])
        ]

    def _span(self, sentence: str, claim: Claim) -> tuple[int, int]:
        """Where the words of a claim stand in its sentence, which has lost the line ends of the page.

        A sentence can hold the same words twice; the text before the evidence tells which are meant.
        """
        places = [place for place, char in enumerate(sentence) if not char.isspace()]
        squeezed, words = ("".join(text.split()) for text in (sentence, claim.text))
        start = claim.evidence.start
        if not words or words not in squeezed:
            return 0, 0
        at = squeezed.index(words)
        if start is not None:
            before = "".join(self.text[max(0, start - 4 * len(sentence) - 50) : start].split())
            found = at
            while found >= 0 and not before.endswith(squeezed[:found].lstrip("…")):
                found = squeezed.find(words, found + 1)
            at = found if found >= 0 else at
        return places[at], places[at + len(words) - 1] + 1


def _gap(finding: Finding) -> str:
    return plain(abs(Decimal(finding.difference or 0)))
