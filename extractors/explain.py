"""Findings, ways out and places in Chinese and in English, made from what they hold, not translated from messages.

Names of rows and columns are the form's own and stand in Chinese in both languages: that is what the reader sees in
the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from extractors.causes import Change, Contradiction, Option, Unchecked, table_forms
from extractors.forms import Form, Identity
from extractors.numbers import is_money
from extractors.reconcile import cell_name, listed
from extractors.report import Claim, Evidence, Finding, Number, Report
from extractors.rules import load_rules
from extractors.slips import WORDS
from extractors.stated import comparable, plain

# Ways out that are written out; the rest is counted.
MAX_OPTIONS = 8
_MARKS = {"blank": ("空白", "blank"), "illegible": ("无法辨认", "illegible"), "absent": ("缺", "absent")}


@dataclass(frozen=True, slots=True)
class Text:
    """One statement in Chinese and in English."""

    zh: str
    en: str


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
        return Place(None, None if evidence.start is None else self.text.count("\n", 0, evidence.start) + 1)

    def cell_place(self, key: str) -> Place:
        """Where a cell stands."""
        cell = self.cells.get(key)
        return self.place(cell.evidence if cell else None)

    def name(self, key: str) -> str:
        """Row and column of a cell, as the form prints them."""
        return cell_name(key, {}, self.forms[key]) if key in self.forms else f"“{key}”"

    def printed(self, key: str) -> Text:
        """What a cell shows: its value, or that it is blank, illegible or absent."""
        cell = self.cells.get(key)
        if cell is None or cell.value is None:
            return Text(*_MARKS[cell.status if cell else "absent"])
        return Text(str(cell.value), str(cell.value))

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
            values = listed([f"{self.name(key)} {self.printed(key).zh}" for key in finding.cells])
            return Text(f"{values}：不得为负数或小数", f"{values}: must not be negative or fractional")
        members = [self.claims[name] for name in finding.claims if name in self.claims]
        if finding.expected is None or finding.reported is None or len(members) != len(finding.claims) or not members:
            return Text(load_rules()[finding.rule].checks_zh, finding.message)
        if finding.rule == "prose.table":
            return self._stated_against_table(finding, members[0])
        if finding.rule == "prose.parts":
            return self._parts(finding, members)
        if finding.rule == "prose.share" and len(members) == 3:
            return self._share(finding, members)
        return Text(
            f"正文{self.stated(members[0])}，应为 {plain(finding.expected)}，相差 {_gap(finding)}",
            f"the prose states {self.stated(members[0])}, expected {plain(finding.expected)}, off by {_gap(finding)}",
        )

    def _sum(self, finding: Finding, identity: Identity) -> Text:
        keys = (*identity.plus, *identity.minus)
        line, names = self._line(keys)
        left, right = (self._terms(side, names) for side in (identity.plus, identity.minus))
        sign = ">" if identity.relation == "at_most" else "≠"
        sums = f"{line}{left} = {_plain(finding.expected)} {sign} {_plain(finding.reported)} = {right}"
        blanks = [names[key] for key in keys if key in self.cells and self.cells[key].status == "blank"]
        soft = identity.relation == "expected"
        return Text(
            f"{sums}，相差 {_gap(finding)}"
            + (f"；空白按零计：{listed(blanks)}" if blanks else "")
            + ("；表样未明定此式" if soft else ""),
            f"{sums}, off by {_gap(finding)}"
            + (f"; blanks read as nil: {listed(blanks)}" if blanks else "")
            + ("; customary, not demanded by the form" if soft else ""),
        )

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

    def _terms(self, keys: Sequence[str], names: Mapping[str, str]) -> str:
        terms = [f"{names[key]} {self.cells[key].value}" for key in keys if key in self.cells and self.cells[key].value]
        if terms:
            return " + ".join(terms)
        # Nothing but nil stands on this side: one cell is named, many are not.
        return f"{names[keys[0]]} {self.printed(keys[0]).zh}" if len(keys) == 1 else "0"

    def _stated_against_table(self, finding: Finding, claim: Claim) -> Text:
        names = listed([self.name(key) for key in finding.cells])
        together_zh, together_en = ("合计", "sum to") if len(finding.cells) > 1 else ("", "is")
        value = plain(finding.expected or 0)
        return Text(
            f"正文{self.stated(claim)}，表格{names}{together_zh}为 {value}，相差 {_gap(finding)}",
            f"the prose states {self.stated(claim)}, the table: {names} {together_en} {value}, off by {_gap(finding)}",
        )

    def _parts(self, finding: Finding, members: Sequence[Claim]) -> Text:
        terms = " + ".join(f"{self.stated(part)}" for part in members[1:])
        total, value = self.stated(members[0]), plain(finding.expected or 0)
        over = Decimal(finding.expected or 0) > Decimal(finding.reported or 0)
        return Text(
            f"分项 {terms} = {value}，{'超过' if over else '不足'}总数{total}，相差 {_gap(finding)}",
            f"the parts {terms} = {value} {'exceed' if over else 'fall short of'} {total} by {_gap(finding)}",
        )

    def _share(self, finding: Finding, members: Sequence[Claim]) -> Text:
        share, part, total = map(self.stated, members)
        value = plain(finding.expected or 0)
        return Text(
            f"正文写作{share}，而{part} ÷ {total} = {value}%",
            f"the prose states {share}, but {part} ÷ {total} = {value}%",
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
        changes = [self._change(change) for change in option.changes]
        zh, en = listed([change.zh for change in changes]), listed([change.en for change in changes])
        if option.breaks:
            zh += f"（但表内现成立的 {option.breaks} 式将不成立）"
            en += f" (but {option.breaks} {'sum' if option.breaks == 1 else 'sums'} of the table that hold would break)"
        elif option.stated:
            zh += "（与正文所述一致）"
            en += " (as the prose states)"
        return Text(zh, en)

    def _change(self, change: Change) -> Text:
        zh, en = WORDS[change.slip] if change.slip else ("", "")
        after = plain(change.suggested)
        notes = (f"（{zh}）" if zh else "", f" ({en})" if en else "")
        if change.kind == "cell":
            name, before = self.name(change.name), self.printed(change.name)
            return Text(f"{name} {before.zh} → {after}{notes[0]}", f"{name} {before.en} → {after}{notes[1]}")
        claim = self.claims[change.name]
        unit = "万元" if is_money(claim.unit) else claim.unit or ""
        before_text = plain(comparable(claim)) + unit
        where = self.place(claim.evidence).text
        return Text(
            f"正文“{claim.label or claim.text}”（{where.zh}）{before_text} → {after}{unit}{notes[0]}",
            f"the prose, “{claim.label or claim.text}” ({where.en}) {before_text} → {after}{unit}{notes[1]}",
        )

    # What was not checked

    def unchecked(self, one: Unchecked) -> Text:
        """Why findings of one rule could not be decided."""
        names = listed([self.name(key) for key in one.cells])
        scopes = listed(list(dict.fromkeys(scope for f in one.findings for scope in self._scopes(f))))
        texts = {
            "absent": Text(f"报告中没有这些单元格：{names}", f"the report does not have the cells {names}"),
            "illegible": Text(
                f"以下单元格无法可靠辨认：{names}", f"cells that could not be read with confidence: {names}"
            ),
            "scope": Text(
                f"正文所述为其他口径（{scopes}），不与全表比较",
                f"stated for another body or area ({scopes}), not comparable with the whole table",
            ),
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

    def lit(self, claim: Claim) -> tuple[str, str, str]:
        """The sentence of a claim: what stands before its own words, those words, and what follows.

        A sentence can hold the same words twice; the text before the evidence tells which are meant.
        """
        places = [place for place, char in enumerate(claim.sentence) if not char.isspace()]
        squeezed, words = ("".join(text.split()) for text in (claim.sentence, claim.text))
        start = claim.evidence.start
        if not words or words not in squeezed:
            return claim.sentence, "", ""
        at = squeezed.index(words)
        if start is not None:
            before = "".join(self.text[max(0, start - 4 * len(claim.sentence) - 50) : start].split())
            found = at
            while found >= 0 and not before.endswith(squeezed[:found]):
                found = squeezed.find(words, found + 1)
            at = found if found >= 0 else at
        first, last = places[at], places[at + len(words) - 1] + 1
        return claim.sentence[:first], claim.sentence[first:last], claim.sentence[last:]


def _plain(value: Number | None) -> str:
    return plain(value or 0)


def _gap(finding: Finding) -> str:
    return plain(abs(Decimal(finding.difference or 0)))
