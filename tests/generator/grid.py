"""The statutory tables as grids of printed cells with spans, with the departures that publishers make.

A grid is what every writer draws; the truth of a value cell hangs on its ``key``. Departures are ``traits`` by
name; what each does is said where it is applied.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tests.generator import labels
from tests.generator.numbers import Printed

Role = Literal["caption", "header", "label", "value", "extra"]

LABEL_TRAITS = (
    "glossed_labels", "garbled_label", "dropped_labels", "half_brackets", "numbering_comma", "numbering_circle",
    "numbering_fullstop", "broken_labels", "other_wording",
)  # fmt: skip
TABLE_TRAITS = {
    "2019": ("merged_items", "extra_row", "no_first_caption", "truncated_headers", "extra_value_cell",
             "split_disputes", "split_disclosure", "legal_basis", "administrative_normative", "sign_in_wrong_column"),
    "2021": ("short_normative", "no_first_caption", "split_disputes", "split_disclosure", "legal_basis"),
    "2014": ("serial_column", "local_lines", "no_unit_column"),
}  # fmt: skip
_CIRCLED = "①②③④⑤⑥⑦⑧⑨"


@dataclass(frozen=True, slots=True)
class GridCell:
    """One printed cell: its text, its top left slot, its spans, and the key of its truth if it is a value."""

    text: str
    row: int
    col: int
    rowspan: int
    colspan: int
    role: Role
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """A table as printed. ``widths`` are relative column widths; ``heads`` the number of header rows."""

    name: str
    rows: int
    cols: int
    cells: tuple[GridCell, ...]
    widths: tuple[float, ...]
    heads: int = 0

    def by_row(self) -> list[list[GridCell]]:
        """The cells that start in each row, left to right."""
        rows: list[list[GridCell]] = [[] for _ in range(self.rows)]
        for cell in sorted(self.cells, key=lambda cell: (cell.row, cell.col)):
            rows[cell.row].append(cell)
        return rows


class _Sheet:
    """Collects cells row by row while a grid is built."""

    def __init__(self, traits: frozenset[str], printed: Mapping[str, Printed]) -> None:
        self.traits = traits
        self.printed = printed
        self.cells: list[GridCell] = []
        self.row = 0

    def add(self, text: str, col: int, rowspan: int = 1, colspan: int = 1, role: Role = "label") -> None:
        self.cells.append(GridCell(spell(text, self.traits), self.row, col, rowspan, colspan, role))

    def value(self, key: str, col: int, colspan: int = 1) -> None:
        self.cells.append(GridCell(self.printed[key].raw, self.row, col, 1, colspan, "value", key))

    def grid(self, name: str, widths: tuple[float, ...], heads: int = 0) -> Grid:
        return Grid(name, self.row, len(widths), tuple(self.cells), widths, heads)


def spell(text: str, traits: frozenset[str]) -> str:
    """A label in this publisher's brackets and numbering."""
    if "half_brackets" in traits:
        text = text.replace("（", "(").replace("）", ")").replace("：", ":")
    for trait, mark in (("numbering_comma", "、"), ("numbering_fullstop", "．")):
        if trait in traits:
            text = re.sub(r"^(\d)\.", rf"\1{mark}", text)
    if "numbering_circle" in traits:
        text = re.sub(r"^(\d)\.", lambda match: _CIRCLED[int(match[1]) - 1], text)
    return text


_GLOSSES = {
    "规章": "规章（设区的市、自治州以上人民政府填报）",
    "规范性文件": "规范性文件（以本机关名义印发、标题带有“办法”“细则”“规定”等字样的公文，按1件计）",
    "上一年项目数量": "上一年项目数量（截至上一年底的事项数）",
    "本年增/减": "本年增/减（本年内增减的事项数，减少的写负数，例如-3）",
    "处理决定数量": "处理决定数量（本年办件总量）",
    "其他对外管理服务事项": "其他对外管理服务事项（除行政许可外的政务服务事项，包括确认、给付等8类）",
    "行政规范性文件": "行政规范性文件（含办公室印发的文件）",
    "本年处理决定数量": "本年处理决定数量（单位：件）",
}
_OTHER_WORDING = {
    "2.其他法律行政法规禁止公开": "2.其他法律、行政法规禁止公开",
    "3.危及“三安全一稳定”": "3.危及三安全一稳定",
    "二、上年结转政府信息公开申请数量": "二、上一年结转政府信息公开申请数量",
    "四、结转下年度继续办理": "四、结转下一年度继续办理",
    "（二）部分公开（区分处理的，只计这一情形，不计其他情形）": "（二）部分公开",
    "（七）总计": "（七）合计",
    "3.其他": "3.其它",
    "5.要求行政机关确认或重新出具已获取信息": "5.要求行政机关确认或重新出具",
    "1.申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请": "1.申请人无正当理由逾期不补正",
    "上一年项目数量": "上一年度项目数量",
}


def vary(label: str, traits: frozenset[str], rng: random.Random) -> str:
    """A label glossed, worded otherwise or garbled, as the traits ask; otherwise as the form prints it."""
    if "glossed_labels" in traits:
        label = _GLOSSES.get(label, label)
    if "other_wording" in traits:
        label = _OTHER_WORDING.get(label, label)
    if "garbled_label" in traits and len(label) > 8 and rng.random() < 0.15:
        place = rng.randint(4, len(label) - 3)
        label = label[:place] + label[place + 1 :]
    if "broken_labels" in traits and len(label) > 9 and rng.random() < 0.5:
        place = rng.randint(5, len(label) - 2)
        label = f"{label[:place]} {label[place:]}"
    return label


def disclosure_grids(
    scheme: str, printed: Mapping[str, Printed], traits: frozenset[str], amount_unit: str, rng: random.Random
) -> list[Grid]:
    """Section two: one continuous table, or one for each item where ``split_disclosure``."""
    grids: list[Grid] = []
    sheet = _Sheet(traits, printed)
    widths = (0.34, 0.22, 0.22, 0.22)
    for index, item in enumerate(labels.disclosure_items(scheme)):
        merged = "merged_items" in traits and item.number in "五六"
        if not (merged and item.number == "六"):
            if not (index == 0 and "no_first_caption" in traits):
                _caption(sheet, item, merged)
            _item_header(sheet, item, scheme, amount_unit, rng)
        for row, label in item.rows:
            _item_row(sheet, item, row, label, rng)
        if "extra_row" in traits and item.number == "一" and scheme == "2019":
            _added_row(sheet, rng)
        if "split_disclosure" in traits and not (merged and item.number == "五"):
            grids.append(sheet.grid("disclosure", widths))
            sheet = _Sheet(traits, printed)
    return grids or [sheet.grid("disclosure", widths)]


def _caption(sheet: _Sheet, item: labels.Item, merged: bool) -> None:
    caption = "第二十条第（五）、（六）项" if merged else item.caption
    if "legal_basis" in sheet.traits:
        caption = f"法律依据：《中华人民共和国政府信息公开条例》{caption}"
    sheet.add(caption, 0, colspan=4, role="caption")
    sheet.row += 1


def _item_header(sheet: _Sheet, item: labels.Item, scheme: str, amount_unit: str, rng: random.Random) -> None:
    sheet.add("信息内容", 0, role="header")
    for place, (field, label, _) in enumerate(item.columns):
        label = vary(label, sheet.traits, rng)
        if field == "amount":
            label = _amount_label(scheme, amount_unit, rng)
        if "truncated_headers" in sheet.traits:
            label = {"本年新制作数量": "本年新", "本年新公开数量": "本年新", "本年增/减": "本年增/"}.get(label, label)
        sheet.add(label, 1 + place, colspan=_value_span(sheet, item, place), role="header")
    if _has_extra_cell(sheet, item):
        sheet.add("", 3, role="extra")
    sheet.row += 1


def _amount_label(scheme: str, amount_unit: str, rng: random.Random) -> str:
    name = "采购总金额" if scheme == "2019" else "本年收费金额"
    if not amount_unit:
        return name
    return name + rng.choice((f"（单位：{amount_unit}）", f"（{amount_unit}）"))


def _value_span(sheet: _Sheet, item: labels.Item, place: int) -> int:
    if len(item.columns) == 1:
        return 3
    if len(item.columns) == 2 and place == 1 and not _has_extra_cell(sheet, item):
        return 2
    return 1


def _has_extra_cell(sheet: _Sheet, item: labels.Item) -> bool:
    return "extra_value_cell" in sheet.traits and len(item.columns) == 2


def _item_row(sheet: _Sheet, item: labels.Item, row: str, label: str, rng: random.Random) -> None:
    if row == "normative_documents" and "short_normative" in sheet.traits:
        label = "规范性文件"
    if row == "normative_documents" and "administrative_normative" in sheet.traits:
        label = "行政规范性文件"
    sheet.add(vary(label, sheet.traits, rng), 0)
    for place, (field, _, _) in enumerate(item.columns):
        sheet.value(f"disclosure.{row}.{field}", 1 + place, _value_span(sheet, item, place))
    if _has_extra_cell(sheet, item):
        sheet.add("", 3, role="extra")
    sheet.row += 1


def _added_row(sheet: _Sheet, rng: random.Random) -> None:
    label = "其他主动公开文件"
    if rng.random() < 0.5:
        label += "（以本单位名义正式印发、规范性文件以外的公开文件）"
    sheet.add(label, 0)
    for col in range(1, 4):
        sheet.add(str(rng.randint(1, 90)), col, role="extra")
    sheet.row += 1


def applications_grid(scheme: str, printed: Mapping[str, Printed], traits: frozenset[str], rng: random.Random) -> Grid:
    """Section three: three label columns, seven value columns; three header rows."""
    sheet = _Sheet(traits, printed)
    sheet.add(labels.CORNER, 0, rowspan=3, colspan=3, role="header")
    sheet.add("申请人情况", 3, colspan=7, role="header")
    sheet.row = 1
    sheet.add("自然人", 3, rowspan=2, role="header")
    sheet.add("法人或其他组织", 4, colspan=5, role="header")
    sheet.add("总计", 9, rowspan=2, role="header")
    sheet.row = 2
    for place, (_, label) in enumerate(labels.APPLICANTS[1:-1]):
        sheet.add(label, 4 + place, role="header")
    sheet.row = 3
    for row, label in (labels.NEW, labels.CARRIED_IN):
        _application_row(sheet, row, vary(label, traits, rng), 0, 3)
    _outcome_rows(sheet, scheme, rng)
    _application_row(sheet, labels.CARRIED_OUT[0], vary(labels.CARRIED_OUT[1], traits, rng), 0, 3)
    widths = (0.06, 0.11, 0.27, *(0.08,) * 7)
    return sheet.grid("applications", widths, heads=3)


def _outcome_rows(sheet: _Sheet, scheme: str, rng: random.Random) -> None:
    rows = labels.outcome_rows(scheme)
    sheet.add(labels.RESULTS, 0, rowspan=len(rows) + 1)
    dropped = "dropped_labels" in sheet.traits
    group = ""
    for row, label, inner in rows:
        if inner and inner != group:
            span = sum(1 for _, _, other in rows if other == inner)
            sheet.add("" if dropped else inner, 1, rowspan=span)
        group = inner
        text = "" if dropped else vary(label, sheet.traits, rng)
        _application_row(sheet, row, text, 2 if inner else 1, 1 if inner else 2)
    text = "" if dropped else vary(labels.PROCESSED[1], sheet.traits, rng)
    _application_row(sheet, labels.PROCESSED[0], text, 1, 2)


def _application_row(sheet: _Sheet, row: str, label: str, col: int, colspan: int) -> None:
    sheet.add(label, col, colspan=colspan)
    for place, (who, _) in enumerate(labels.APPLICANTS):
        sheet.value(f"applications.{row}.{who}", 3 + place)
    sheet.row += 1


def dispute_grids(printed: Mapping[str, Printed], traits: frozenset[str], rng: random.Random) -> list[Grid]:
    """Section four: one table of fifteen columns, or three small ones where ``split_disputes``."""
    if "split_disputes" in traits:
        return [_small_dispute_grid(printed, traits, procedure, name) for procedure, name in labels.PROCEDURES]
    sheet = _Sheet(traits, printed)
    sheet.add("行政复议", 0, colspan=5, role="header")
    sheet.add("行政诉讼", 5, colspan=10, role="header")
    sheet.row = 1
    for place, (_, label) in enumerate(labels.RESULT_COLUMNS):
        sheet.add(label, place, rowspan=2, role="header")
    sheet.add("未经复议直接起诉", 5, colspan=5, role="header")
    sheet.add("复议后起诉", 10, colspan=5, role="header")
    sheet.row = 2
    for place, (_, label) in enumerate(labels.RESULT_COLUMNS * 2):
        sheet.add(vary(label, traits, rng), 5 + place, role="header")
    sheet.row = 3
    for place, key in enumerate(labels.dispute_keys()):
        sheet.value(key, place)
    sheet.row = 4
    return [sheet.grid("disputes", (1 / 15,) * 15, heads=3)]


def _small_dispute_grid(printed: Mapping[str, Printed], traits: frozenset[str], procedure: str, name: str) -> Grid:
    sheet = _Sheet(traits, printed)
    sheet.add(name if procedure == "review" else f"行政诉讼（{name}）", 0, colspan=5, role="caption")
    sheet.row = 1
    for place, (_, label) in enumerate(labels.RESULT_COLUMNS):
        sheet.add(label, place, role="header")
    sheet.row = 2
    for place, (field, _) in enumerate(labels.RESULT_COLUMNS):
        sheet.value(f"disputes.{procedure}.{field}", place)
    sheet.row = 3
    return sheet.grid("disputes", (0.2,) * 5, heads=2)


_LOCAL_LINES = {
    "disclosure2014.normative_documents_made": ("主动公开行政执法信息", "条"),
    "requests2014.received.letter": ("5.其他形式申请数", "件"),
    "requests2014.answered.not_existing": ("申请内容不明确数", "件"),
}


def grid_2014(printed: Mapping[str, Printed], traits: frozenset[str], rng: random.Random) -> Grid:
    """The statistics table of form 2014: indicator, unit, figure; a serial number before them in some."""
    sheet = _Sheet(traits, printed)
    serial = "serial_column" in traits
    unit_column = "no_unit_column" not in traits
    heads = [*(["序号"] if serial else []), "统计指标", *(["单位"] if unit_column else []), "统计数"]
    for col, text in enumerate(heads):
        sheet.add(text, col, role="header")
    sheet.row = 1
    for line in labels.INDICATORS_2014:
        _indicator_row(sheet, line.label, line, serial, unit_column, rng)
        if "local_lines" in traits and line.key in _LOCAL_LINES:
            label, unit = _LOCAL_LINES[line.key]
            _indicator_row(sheet, label, replace(line, unit=unit, key=None), serial, unit_column, rng, "0")
    widths = (*((0.1,) if serial else ()), 0.6, *((0.12,) if unit_column else ()), 0.18)
    return sheet.grid("indicators", widths, heads=1)


def _indicator_row(
    sheet: _Sheet, label: str, line: labels.Indicator, serial: bool, unit_column: bool, rng: random.Random,
    extra: str = "",
) -> None:  # fmt: skip
    col = 0
    if serial:
        sheet.add(str(sheet.row), 0, role="extra")
        col = 1
    label = vary(label, sheet.traits, rng)
    if line.unit == "万元" and not unit_column:
        label += "（万元）"
    sheet.add(label, col)
    if unit_column:
        sheet.add(line.unit, col + 1, role="extra")
    if line.key:
        sheet.value(line.key, col + 1 + unit_column)
    else:
        text = extra or ("" if line.unit != "——" else rng.choice(("——", "")))
        sheet.add(text, col + 1 + unit_column, role="extra")
    sheet.row += 1
