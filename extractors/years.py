"""Two reports of one body, for a year and for the year after it: what the second must take up from the first.

The identities are data (``data/years.toml``); the growths that the prose states are held against last year's cells and
claims. Both reports are records as they are stored. That they are of one body and of one coverage is for the caller to
know; where the coverage of one is not told, what does not hold is unverifiable.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from extractors.cells import Tables
from extractors.forms import Form, data_directory
from extractors.growth import RULE as GROWTH
from extractors.growth import Change, agrees, find_changes, growth_finding
from extractors.numbers import whole
from extractors.prose_table import amounts_meant
from extractors.readings import load_readings
from extractors.reconcile import BEYOND_DOUBT, cell_name, listed
from extractors.report import Cell, Claim, Evidence, Finding, FindingStatus, Origin, Severity
from extractors.stated import Interval, Stated, comparable, plain, read_claims

SCHEMA = "gongkai.years/1"

Record = Mapping[str, Any]


class YearsError(ValueError):
    """A table of identities between years that contradicts itself or the forms."""


@dataclass(frozen=True, slots=True)
class YearIdentity:
    """One identity between two years: ``earlier`` + ``add`` - ``subtract`` against ``whole``; keys of cells.

    ``earlier`` are cells of the first report, all others of the second. ``forms`` are those of the block in the two.
    """

    rule: str
    block: str
    forms: frozenset[tuple[str, str]]
    earlier: tuple[str, ...]
    add: tuple[str, ...]
    subtract: tuple[str, ...]
    whole: str
    relation: Literal["equal", "at_most", "incomparable"]
    severity: Severity
    wording: str


@functools.cache
def load_identities(path: Path | None = None) -> tuple[YearIdentity, ...]:
    """The identities between years (default: the shipped ones).

    Raises:
        YearsError: the file is no such table, or an entry of it cannot be used.
    """
    data = tomllib.loads((path or data_directory() / "years.toml").read_text(encoding="utf-8"))
    if data.get("schema") != SCHEMA:
        raise YearsError(f"years.toml: schema is {data.get('schema')!r}, not {SCHEMA!r}")
    try:
        return tuple(_identity(entry, name) for entry in data["identity"] for name in entry["each"])
    except (KeyError, TypeError) as error:
        raise YearsError(f"years.toml: {error!r}") from error


def _identity(entry: Mapping[str, Any], name: str) -> YearIdentity:
    if entry["relation"] not in ("equal", "at_most", "incomparable") or entry["severity"] not in ("error", "warning"):
        raise YearsError(f"{entry['rule']}: unknown relation or severity")
    earlier, add, subtract = (
        tuple(key.format(name) for key in entry.get(part, ())) for part in ("earlier", "add", "subtract")
    )
    return YearIdentity(
        rule=entry["rule"],
        block=entry["block"],
        forms=frozenset((first, second) for first, second in entry["forms"]),
        earlier=earlier,
        add=add,
        subtract=subtract,
        whole=entry["whole"].format(name),
        relation=entry["relation"],
        severity=entry["severity"],
        wording=entry["wording"],
    )


def check_years(earlier: Record, later: Record, forms: Mapping[str, Form]) -> tuple[Finding, ...]:
    """Every instance of the ``years.*`` rules between two records (numbers that are not whole as ``Decimal``).

    The cells and claims that a finding names are those of ``later``.

    Raises:
        ValueError: ``later`` is not for the year after that of ``earlier``.
    """
    if later["report"]["year"] != earlier["report"]["year"] + 1:
        raise ValueError(f"{later['report']['year']} does not follow {earlier['report']['year']}")
    pair = _Pair(_Sheet(earlier, forms), _Sheet(later, forms))
    return (*pair.identities(), *_growths(pair))


class _Sheet:
    """The cells of one record, read where they are asked for."""

    def __init__(self, record: Record, forms: Mapping[str, Form]) -> None:
        self.record = record
        self.year: int = record["report"]["year"]
        self.cells: dict[str, Mapping[str, Any]] = {cell["key"]: cell for cell in record["cells"]}
        blocks: Mapping[str, str | None] = record["report"]["blocks"]
        self.forms = {block: forms[name] for block, name in blocks.items() if name is not None}

    def form_of(self, key: str) -> Form:
        """The form of the cell's block; a cell that is there has one."""
        return next(form for form in self.forms.values() if key in form.cells)

    def name(self, key: str) -> str:
        """The cell's name as the form prints it, with the year of the report."""
        return f"{self.year}年{cell_name(key, {}, self.form_of(key))}"

    def read(self, key: str) -> tuple[Decimal | None, bool]:
        """The value with a blank as nil, and whether it was blank; None where it is not known.

        A blank total is the sum of its parts where they are printed. A blank beside a printed total that the other
        parts do not reach is no nil: that report prints the total only.
        """
        cell = self.cells.get(key)
        if cell is None or cell["status"] in ("illegible", "absent"):
            return None, False
        if cell["value"] is not None:
            return Decimal(cell["value"]), False
        if not self._prints(key.partition(".")[0]):
            return None, True
        sums = _sums(self.form_of(key))
        if key in sums.parts and (total := self._total(sums.parts[key])) is not None:
            return total, True
        row = sums.wholes.get(key)
        known = self._total(sums.parts[row], blank_as_nil=True) if row is not None else None
        printed = self.cells[row]["value"] if row is not None and row in self.cells else None
        return (None, True) if known is not None and printed is not None and known != printed else (Decimal(0), True)

    def _prints(self, block: str) -> bool:
        return any(cell["value"] is not None for key, cell in self.cells.items() if key.startswith(f"{block}."))

    def _total(self, keys: Sequence[str], blank_as_nil: bool = False) -> Decimal | None:
        """The sum of the printed cells; None where one cannot be read or, unless asked for, none is printed."""
        cells = [self.cells.get(key) for key in keys]
        values = [cell["value"] for cell in cells if cell is not None and cell["value"] is not None]
        if any(cell is None or cell["status"] in ("illegible", "absent") for cell in cells):
            return None
        return sum(map(Decimal, values), Decimal(0)) if values or blank_as_nil else None

    def sure(self, keys: Sequence[str]) -> bool:
        """Whether all of them were read beyond doubt."""
        return all(self.cells[key]["confidence"] >= BEYOND_DOUBT for key in keys if key in self.cells)


@dataclass(frozen=True, slots=True)
class _Sums:
    """``parts`` of each total by its row, and the total of each part (``wholes``)."""

    parts: Mapping[str, tuple[str, ...]]
    wholes: Mapping[str, str]


def _sums(form: Form) -> _Sums:
    return _sums_of(form.name, tuple((rule.rule, rule.plus, rule.minus) for rule in form.identities))


@functools.cache
def _sums_of(_: str, identities: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]) -> _Sums:
    parts = {minus[0]: plus for rule, plus, minus in identities if rule == "form.applicants" and len(minus) == 1}
    return _Sums(parts, {part: whole_of for whole_of, listed_parts in parts.items() for part in listed_parts})


@dataclass(frozen=True, slots=True)
class _Pair:
    earlier: _Sheet
    later: _Sheet

    @property
    def years(self) -> str:
        return f"{self.earlier.year}-{self.later.year}"

    @property
    def coverage(self) -> tuple[str | None, str | None]:
        return self.earlier.record["report"]["coverage"], self.later.record["report"]["coverage"]

    def identities(self) -> Iterator[Finding]:
        """``years.carry`` and ``years.stock``."""
        for identity in load_identities():
            forms = [sheet.forms.get(identity.block) for sheet in (self.earlier, self.later)]
            if None not in forms and tuple(form.name for form in forms if form) in identity.forms:
                yield self._check(identity)

    def _check(self, identity: YearIdentity) -> Finding:
        terms = [(self.earlier, key, 1) for key in identity.earlier]
        terms += [(self.later, key, 1) for key in identity.add] + [(self.later, key, -1) for key in identity.subtract]
        read = [sheet.read(key) for sheet, key, _ in terms]
        reported, blank = self.later.read(identity.whole)
        sides = [*zip(terms, read, strict=True), ((self.later, identity.whole, 1), (reported, blank))]
        names = [sheet.name(key) for (sheet, key, _), (value, _) in sides if value is None]
        if names:
            return self._found(identity, "unverifiable", None, reported, _cannot(names))
        values = [value for value, _ in read if value is not None]
        expected = sum((sign * value for (_, _, sign), value in zip(terms, values, strict=True)), Decimal(0))
        assert reported is not None
        shown = _written(terms, values), f"{self.later.name(identity.whole)} {plain(reported)}"
        blanks = [sheet.name(key) for (sheet, key, _), (_, empty) in sides if empty]
        if identity.relation == "incomparable":
            words = f"{identity.wording}，不作核对：{shown[0]}；{shown[1]} / different things, not compared"
            return self._found(identity, "unverifiable", expected, reported, words)
        holds = reported == expected if identity.relation == "equal" else reported <= expected
        return self._judged(identity, holds, expected, reported, shown, blanks)

    def _judged(
        self,
        identity: YearIdentity,
        holds: bool,
        expected: Decimal,
        reported: Decimal,
        shown: tuple[str, str],
        blanks: list[str],
    ) -> Finding:
        sign = {"equal": ("=", "≠"), "at_most": ("≥", "<"), "incomparable": ("", "")}[identity.relation][not holds]
        total = f" = {plain(expected)}" if len(identity.earlier + identity.add + identity.subtract) > 1 else ""
        sums = f"{shown[0]}{total} {sign} {shown[1]}"
        nil = f"；空白按零计：{listed(blanks)}" if blanks else ""
        nil_en = f"; blanks read as nil: {listed(blanks)}" if blanks else ""
        if holds:
            words = f"跨年衔接成立：{sums}{nil} / holds between the years: {sums}{nil_en}"
            return self._found(identity, "consistent", expected, reported, words)
        gap = plain(abs(reported - expected))
        broken = f"跨年衔接不成立（{identity.wording}）：{sums}，相差 {gap}{nil}"
        english = f"broken between the years: {sums}, off by {gap}{nil_en}"
        if len({*self.coverage}) > 1:
            return self._found(
                identity, "unverifiable", expected, reported,
                f"{broken}；有一年未说明统计范围 / {english}; one of the reports does not tell its coverage",
            )  # fmt: skip
        severity: Severity = "warning" if blanks else identity.severity
        return self._found(identity, "inconsistent", expected, reported, f"{broken} / {english}", severity)

    def _found(
        self,
        identity: YearIdentity,
        status: FindingStatus,
        expected: Decimal | None,
        reported: Decimal | None,
        message: str,
        severity: Severity | None = None,
    ) -> Finding:
        cells = (*identity.add, *identity.subtract, identity.whole)
        clear = self.earlier.sure(identity.earlier) and self.later.sure(cells)
        origin: Origin = "report" if clear else "unknown"
        known = expected is not None and reported is not None
        return Finding(
            id=f"{identity.rule}:{identity.whole}:{self.years}",
            rule=identity.rule,
            status=status,
            severity=severity,
            origin=origin if status == "inconsistent" else None,
            message=message,
            expected=None if expected is None else whole(expected),
            reported=None if reported is None else whole(reported),
            difference=whole(reported - expected) if known and reported is not None and expected is not None else None,
            cells=cells,
        )


def _cannot(names: list[str]) -> str:
    return f"无法核对，以下单元格缺失、无法辨认或未填：{listed(names)} / cannot be checked: {listed(names)}"


def _written(terms: Sequence[tuple[_Sheet, str, int]], values: Sequence[Decimal]) -> str:
    """The sum written out: 2022年“…” 5 + 2023年“…” 3 - 2023年“…” 1."""
    text = ""
    for (sheet, key, sign), value in zip(terms, values, strict=True):
        mark = (" + " if sign > 0 else " - ") if text else ""
        text += f"{mark}{sheet.name(key)} {plain(value)}"
    return text


# Growth


@dataclass(frozen=True, slots=True)
class _Last:
    """Last year's figure as last year's report gives it; ``firm`` where it is the same thing beyond doubt."""

    meant: Interval
    value: Decimal
    source: str
    firm: bool
    exact: bool
    sure: float


def _growths(pair: _Pair) -> Iterator[Finding]:
    """``years.growth``: what the second report says has grown, against what the first says of it."""
    if not any(claim["field"] == "growth" for claim in pair.later.record["claims"]):
        return
    claims = [_claim(claim) for claim in pair.later.record["claims"]]
    changes = [change for change in find_changes(claims, pair.later.year) if change.last_year and _own(change)]
    if not changes:
        return
    before = read_claims([_claim(claim) for claim in pair.earlier.record["claims"]], "")
    wanted = {change.own.claim.id for change in changes}
    readings = amounts_meant(claims, wanted, _tables(pair.later), _by_name(pair.later), pair.later.year)
    seen: set[str] = set()
    for change in changes:
        last = [*_cells_before(change, pair, readings), *_claims_before(change, before, pair.earlier.year)]
        finding = _printed_last(change, last, pair) if change.printed else _grown(change, last, pair)
        if finding is not None and finding.id not in seen:
            seen.add(finding.id)
            yield finding


def _own(change: Change) -> bool:
    return change.own.claim.scope is None and change.growth.claim.scope is None


def _by_name(sheet: _Sheet) -> dict[str, Form]:
    return {form.name: form for form in sheet.forms.values()}


def _tables(sheet: _Sheet) -> Tables:
    blocks: dict[str, str | None] = {block: form.name for block, form in sheet.forms.items()}
    return Tables(next(iter(blocks.values()), None), blocks, tuple(map(_cell, sheet.record["cells"])))


def _grown(change: Change, last: Sequence[_Last], pair: _Pair) -> Finding | None:
    """The growth against each figure that last year's may be: one that agrees is enough."""
    known = [one for one in last if agrees(change, one.meant) is not None]
    if not known:
        return None
    holding = next((one for one in known if agrees(change, one.meant)), None)
    firm = [one for one in known if one.firm]
    reason = None if firm else "last year's report may count something else"
    reason = reason or (_conflict(change, pair) if holding is None else None)
    shown = holding or (firm or known)[0]
    return growth_finding(
        change, f"{GROWTH}:{change.growth.name}:{change.own.name}:{pair.years}", holding is not None, shown.value,
        shown.source, shown.exact, reason, shown.sure,
    )  # fmt: skip


def _conflict(change: Change, pair: _Pair) -> str | None:
    """Why a growth that is not as stated proves nothing."""
    if len({*pair.coverage}) > 1:
        return "one of the reports does not tell its coverage"
    for finding in pair.later.record["findings"]:
        if finding["rule"] == "prose.table" and change.own.claim.id in finding["claims"]:
            return "the figure contradicts its own table" if finding["status"] == "inconsistent" else None
    return None


def _printed_last(change: Change, last: Sequence[_Last], pair: _Pair) -> Finding | None:
    """Last year's figure as this report repeats it, against last year's report."""
    firm = [one for one in last if one.firm]
    if change.printed is None or not firm or not change.certain:
        return None
    holding = next((one for one in last if change.printed.meets(one.meant)), None)
    shown = holding or firm[0]
    reason = _conflict(change, pair)
    status: FindingStatus = "consistent" if holding else "unverifiable" if reason else "inconsistent"
    exact = shown.exact and change.printed.exact
    sure = min(shown.sure, change.own.claim.confidence)
    remark = "agrees with" if holding else "is not" if reason is None else f"is not, though {reason},"
    severity: Severity = "error" if exact else "warning"
    origin: Origin = "report" if sure >= BEYOND_DOUBT else "unknown"
    broken = status == "inconsistent"
    return Finding(
        id=f"{GROWTH}:{change.own.name}:last={plain(change.printed_value)}:{pair.years}",
        rule=GROWTH,
        status=status,
        severity=severity if broken else None,
        origin=origin if broken else None,
        message=f"last year's “{change.printed_text}” beside {change.own.shown()} {remark} {plain(shown.value)}, "
        f"by {shown.source}",
        expected=whole(shown.value),
        reported=whole(change.printed_value),
        difference=whole(change.printed_value - shown.value),
        claims=(change.own.claim.id,),
    )


def _cells_before(change: Change, pair: _Pair, readings: Mapping[str, Any]) -> Iterator[_Last]:
    """Last year's values of the cells that the figure is the sum of this year."""
    own = change.own
    main = next(
        (
            tuple(finding["cells"])
            for finding in pair.later.record["findings"]
            if finding["rule"] == "prose.table"
            and finding["status"] == "consistent"
            and own.claim.id in finding["claims"]
        ),
        None,
    )
    if main is None:
        return
    amounts = [one for one in readings.get(own.claim.id, ()) if one.reading.relation == "equal"]
    meant = [one.keys for one in amounts if not one.missing and one.value in own.interval]
    for keys in dict.fromkeys((main, *meant)):
        read = [pair.earlier.read(key) for key in keys if key in pair.earlier.cells]
        values = [value for value, _ in read if value is not None]
        if len(values) < len(keys):
            continue
        total = sum(values, Decimal(0))
        names = " + ".join(f"{pair.earlier.name(key)} {plain(value)}" for key, value in zip(keys, values, strict=True))
        clear = pair.earlier.sure(keys)
        # 网络申请12件 agrees with all applications, of which it may be some: that is no reading of equals.
        firm = keys in meant
        exact = not any(blank for _, blank in read)
        yield _Last(Interval(total, total), total, names, firm, exact, 1.0 if clear else 0.7)


def _claims_before(change: Change, before: Mapping[str, Stated], year: int) -> Iterator[_Last]:
    """Last year's claims in the same field; firm where the label is the same and no other figure has one like it."""
    own = change.own
    alike = [
        one
        for one in before.values()
        if one.claim.field == own.claim.field
        and one.claim.scope is None
        and (one.claim.part_of is None) == (own.claim.part_of is None)
        and one.money == own.money
        and (one.money or (one.claim.unit or "") == (own.claim.unit or ""))
    ]
    named = [one for one in alike if one.label == own.label or _core(one) == _core(own)]
    values = {one.value for one in named}
    for one in named:
        firm = bool(own.label) and one.label == own.label and len(values) == 1
        exact = one.interval.exact and own.claim.field != "other_count"
        source = f"the report for {year}: {one.shown()}"
        yield _Last(one.interval, comparable(one.claim), source, firm, exact, one.claim.confidence)


def _core(stated: Stated) -> str:
    """The label without the words that narrow nothing."""
    meaning = load_readings().meanings.get(stated.claim.field)
    lists = [meaning.known] if meaning and meaning.known else [one.plain for one in meaning.readings] if meaning else []
    label = stated.label
    for words in lists:
        label = words.strip(label) if words else label
    return label


def _claim(claim: Record) -> Claim:
    evidence = claim["evidence"] or {}
    place = Evidence(start=evidence.get("start"), end=evidence.get("end"))
    return Claim(**{**claim, "evidence": place})


def _cell(cell: Record) -> Cell:
    return Cell(**{**cell, "evidence": None})
