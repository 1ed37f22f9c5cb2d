"""What must add up inside one report: the form's identities (勾稽关系) and the range of every count.

A finding says what was compared and how it came out, in Chinese and English, with the labels as printed. Sums are
exact. Blanks are read as nil and named; cells that could not be read or are not there leave a rule undecided. Sums
that the same wrong cells break say so, with the smallest correction where it is the only one. Nothing here changes a
reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from extractors.cells import Printing, Tables
from extractors.forms import Form, FormTable, Identity
from extractors.numbers import whole
from extractors.repair import Cause, Repair, find_causes
from extractors.report import Cell, Finding, Number, Origin, Severity
from extractors.slips import WORDS

# From this confidence on a value was read beyond doubt, so that a broken sum is the publisher's.
BEYOND_DOUBT = 0.9


@dataclass(frozen=True, slots=True)
class _Side:
    """One side of an identity: its keys, its sum with blanks as nil, and how it is written out."""

    keys: tuple[str, ...]
    total: Decimal
    zh: str


def check_tables(tables: Tables, forms: Mapping[str, Form]) -> tuple[Finding, ...]:
    """Every instance of the ``form.*`` rules on the forms that the report's blocks are on."""
    if tables.form is None:
        return ()
    cells = {cell.key: cell for cell in tables.cells}
    findings: dict[str, Finding] = {}
    for block, name in tables.blocks.items():
        form = forms[name or tables.form]
        own = {table.id: table for table in form.tables if block in table.covers}
        keys = {spec.key for spec in form.cells.values() if spec.table in own}
        for identity in form.identities:
            if keys & {*identity.plus, *identity.minus} and identity.id not in findings:
                findings[identity.id] = _check_identity(identity, cells, tables.printed, form, tables.candidates)
        for table in own.values():
            findings.update((finding.id, finding) for finding in _check_ranges(table, cells, tables.printed, form))
    if any(finding.status == "inconsistent" for finding in findings.values()):
        owners = cell_forms(tables.blocks, tables.form, forms)
        for cause in explain_tables(tables.cells, tables.blocks, tables.form, forms):
            findings.update(_with_cause(cause, findings, tables.printed, owners))
    return tuple(findings.values())


def explain_tables(
    cells: Iterable[Cell], blocks: Mapping[str, str | None], form: str, forms: Mapping[str, Form]
) -> tuple[Cause, ...]:
    """The causes of the broken sums of a report, each with every smallest correction, the nearest in typing first.

    ``blocks`` and ``form`` are those of the record: its cells are enough, no document is needed.
    """
    owners = cell_forms(blocks, form, forms)
    rules = {
        rule.id: rule
        for owner in {owner.name: owner for owner in owners.values()}.values()
        for rule in owner.identities
        if all(owners.get(key) is owner for key in (*rule.plus, *rule.minus))
    }
    types = {key: owner.cells[key].type for key, owner in owners.items()}
    return find_causes({cell.key: cell for cell in cells}, rules.values(), types)


def cell_forms(blocks: Mapping[str, str | None], default: str, forms: Mapping[str, Form]) -> dict[str, Form]:
    """The form that each cell of the report belongs to: that of its block, else ``default``."""
    owners = {}
    for block, name in blocks.items():
        form = forms[name or default]
        own = {table.id for table in form.tables if block in table.covers}
        owners.update({key: form for key, spec in form.cells.items() if spec.table in own})
    return owners


def _with_cause(
    cause: Cause, findings: Mapping[str, Finding], printed: Mapping[str, Printing], owners: Mapping[str, Form]
) -> Iterator[tuple[str, Finding]]:
    """The broken findings of one cause, each with its suggestion and a message that names the cause."""
    own = broken_by(cause, findings.values())
    chinese, english = _cause_words(cause, len(own), printed, owners)
    for finding in own:
        # The English half of a message begins where its first words say what was found.
        message = _ENGLISH.sub(lambda match: f"；{chinese}{match[0]}", finding.message, count=1)
        yield finding.id, replace(finding, message=f"{message}; {english}", suggestion=cause.suggestion)


def broken_by(cause: Cause, findings: Iterable[Finding]) -> list[Finding]:
    """The broken ``findings`` that go back to ``cause``: its sums, and values out of range that it changes."""
    changed = set.intersection(*({change.key for change in repair.changes} for repair in cause.repairs or [_NONE]))
    return [
        finding
        for finding in findings
        if finding.status == "inconsistent"
        and (finding.id in cause.identities or (finding.rule == "form.range" and changed & {*finding.cells}))
    ]


_ENGLISH = re.compile(r" / (?=broken: |out of range)")
_NONE = Repair((), (), 0)


def _cause_words(
    cause: Cause, count: int, printed: Mapping[str, Printing], owners: Mapping[str, Form]
) -> tuple[str, str]:
    if not cause.repairs:
        if cause.unstated:
            return "空白格如不为零，各式可以成立，不作建议", "could hold if the blanks were not nil, none suggested"
        if cause.proved:
            most = cause.size
            return (
                f"改动 {most} 格以内无法使各式成立，不作建议",
                f"no correction of at most {most} cells, none suggested",
            )
        return "可能的更正未能查尽，不作建议", "too many possible corrections to search, none suggested"
    if cause.suggestion is None and not cause.rivalled:
        least = ("", "") if cause.proved else ("至少", "at least ")
        number = len(cause.repairs)
        return (
            f"同样小的更正{least[0]}有 {number} 种，不作建议",
            f"{least[1]}{number} equally small corrections, none suggested",
        )
    repair = cause.repairs[0]
    changes = [_change_words(repair, place, printed, owners) for place in range(len(repair.changes))]
    together = (f"此 {count} 处出于同一原因，", f"{count} findings with one cause, ") if count > 1 else ("", "")
    if cause.rivalled:
        return (
            f"{together[0]}只改一格的更正：{changes[0][0]}，但两格有误也会如此，不作建议",
            f"{together[1]}the only correction of one cell: {changes[0][1]}, but two wrong cells would show the same, "
            "none suggested",
        )
    return (
        f"{together[0]}唯一的最小更正：{listed([chinese for chinese, _ in changes])}",
        f"{together[1]}the only smallest correction: {listed([english for _, english in changes])}",
    )


def _change_words(
    repair: Repair, place: int, printed: Mapping[str, Printing], owners: Mapping[str, Form]
) -> tuple[str, str]:
    change, slip = repair.changes[place], repair.slips[place]
    name = cell_name(change.key, printed, owners[change.key])
    chinese, english = WORDS[slip] if slip else ("", "")
    before = ("空白", "blank") if change.reported is None else (change.reported, change.reported)
    return (
        f"{name} {before[0]} → {change.suggested}" + (f"（{chinese}）" if chinese else ""),
        f"{name} {before[1]} -> {change.suggested}" + (f" ({english})" if english else ""),
    )


def _check_identity(
    identity: Identity,
    cells: Mapping[str, Cell],
    printed: Mapping[str, Printing],
    form: Form,
    candidates: Mapping[str, tuple[Decimal, ...]],
) -> Finding:
    keys = (*identity.plus, *identity.minus)
    missing = [key for key in keys if key not in cells or cells[key].status in ("illegible", "absent")]
    if missing:
        return _undecided(identity.id, identity.rule, keys, missing, printed, form)
    left, right = (_side(side, cells, printed, form) for side in (identity.plus, identity.minus))
    holds = left.total <= right.total if identity.relation == "at_most" else left.total == right.total
    blanks = [key for key in keys if cells[key].status == "blank"]
    severity: Severity | None = None
    origin: Origin | None = None
    if not holds:
        severity = "warning" if blanks or identity.relation == "expected" else "error"
        clear = all(cells[key].confidence >= BEYOND_DOUBT for key in keys)
        origin = "report" if clear else "reading" if _explained(identity, cells, candidates) else "unknown"
    return Finding(
        id=identity.id,
        rule=identity.rule,
        status="consistent" if holds else "inconsistent",
        severity=severity,
        origin=origin,
        message=_sum_message(identity, left, right, holds, [cell_name(key, printed, form) for key in blanks]),
        expected=whole(left.total),
        reported=whole(right.total),
        difference=whole(right.total - left.total),
        cells=keys,
    )


def _explained(identity: Identity, cells: Mapping[str, Cell], candidates: Mapping[str, tuple[Decimal, ...]]) -> bool:
    """Whether another reading of one doubtful cell would make the sum hold."""
    keys = {key for key in (*identity.plus, *identity.minus) if key in candidates}
    values = {key: Decimal(cells[key].value or 0) for key in (*identity.plus, *identity.minus)}
    gap = sum(values[key] for key in identity.minus) - sum(values[key] for key in identity.plus)
    for key in keys:
        wanted = values[key] + gap if key in identity.plus else values[key] - gap
        if wanted in candidates[key]:
            return True
    return False


def _undecided(
    finding_id: str,
    rule: str,
    keys: tuple[str, ...],
    missing: list[str],
    printed: Mapping[str, Printing],
    form: Form,
) -> Finding:
    names = listed([cell_name(key, printed, form) for key in missing])
    message = f"无法核对，以下单元格缺失或无法辨认：{names} / cannot be checked, not there or not legible: {names}"
    return Finding(finding_id, rule, "unverifiable", None, None, message, None, None, None, keys)


def _side(keys: tuple[str, ...], cells: Mapping[str, Cell], printed: Mapping[str, Printing], form: Form) -> _Side:
    total = sum((Decimal(cells[key].value or 0) for key in keys), Decimal(0))
    terms = [f"{cell_name(key, printed, form)} {cells[key].value}" for key in keys if cells[key].value]
    return _Side(keys, total, " + ".join(terms) if terms else "0")


def _sum_message(identity: Identity, left: _Side, right: _Side, holds: bool, blanks: list[str]) -> str:
    sign = {"equal": "=", "expected": "=", "at_most": "≤"}[identity.relation]
    broken = {"=": "≠", "≤": ">"}[sign]
    sums = f"{left.zh} = {whole(left.total)} {sign if holds else broken} {whole(right.total)} = {right.zh}"
    nil = f"；空白按零计：{listed(blanks)}" if blanks else ""
    nil_en = f"; blanks read as nil: {listed(blanks)}" if blanks else ""
    if holds:
        return f"勾稽关系成立：{sums}{nil} / holds: {sums}{nil_en}"
    gap = whole(abs(right.total - left.total))
    wording = f"（{identity.wording}）" if identity.wording else ""
    return f"勾稽关系不成立{wording}：{sums}，相差 {gap}{nil} / broken: {sums}, off by {gap}{nil_en}"


def _check_ranges(
    table: FormTable, cells: Mapping[str, Cell], printed: Mapping[str, Printing], form: Form
) -> Iterator[Finding]:
    """One finding a printed row (``form.range``): counts are whole and not negative, amounts not negative.

    本年增/减 may be negative; amounts may have decimals.
    """
    for row in table.rows:
        keys = tuple(table.cell_key(row, column) for column in (() if row.heading else table.columns))
        finding_id = "form.range:" + ".".join(part for part in (table.prefix, row.key) if part)
        missing = [key for key in keys if key not in cells or cells[key].status in ("illegible", "absent")]
        bad = [key for key in keys if key in cells and _out_of_range(cells[key].value, form.cells[key].type)]
        if bad:
            yield _range_broken(finding_id, bad, cells, printed, form)
        elif missing:
            yield _undecided(finding_id, "form.range", keys, missing, printed, form)
        elif keys:
            message = "数值均在允许范围内 / every value is within its range"
            yield Finding(finding_id, "form.range", "consistent", None, None, message, None, None, None, keys)


def _out_of_range(value: Number | None, kind: str) -> bool:
    if value is None:
        return False
    return (value < 0 and kind != "signed") or (value != int(value) and kind != "amount")


def _range_broken(
    finding_id: str, bad: list[str], cells: Mapping[str, Cell], printed: Mapping[str, Printing], form: Form
) -> Finding:
    values = listed([f"{cell_name(key, printed, form)} {cells[key].value}" for key in bad])
    origin: Origin = "report" if all(cells[key].confidence >= BEYOND_DOUBT for key in bad) else "unknown"
    message = f"数值超出允许范围（不得为负数或小数）：{values} / out of range, negative or fractional: {values}"
    value = cells[bad[0]].value
    return Finding(finding_id, "form.range", "inconsistent", "error", origin, message, None, value, None, tuple(bad))


def cell_name(key: str, printed: Mapping[str, Printing], form: Form) -> str:
    """Row and column of a cell as printed; as on the form where the report does not print the cell."""
    spec = form.cells[key]
    labels = printed.get(key) or Printing(spec.row_label, spec.column_label)
    row, column = labels.row, labels.column
    return f"“{row}”" + (f"“{column}”" if column and spec.column.key else "") if row else f"“{column}”"


def listed(names: list[str]) -> str:
    """Names joined; long lists are cut, the count is told."""
    most = 8
    return "、".join(names[:most]) + (f" …({len(names)})" if len(names) > most else "")
