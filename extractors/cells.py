"""The statutory tables of a document: every cell of the form that each block is on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from extractors.align import Alignment, Line, Match, block_lines, lost_labels
from extractors.assist import decide
from extractors.columns import Picked, pick_flat, pick_grid
from extractors.disputes import SingleRow
from extractors.document import Document, PrintedCell
from extractors.forms import CellSpec, Form
from extractors.labels import ALIKE, similarity
from extractors.numbers import is_money, parse_printed, to_wan, whole
from extractors.placement import agreed, place_numbers
from extractors.recognise import Candidate, Rows, recognise
from extractors.report import Cell, Evidence, Problem
from extractors.rows import PrintedRow, is_label

# Confidence of a value by how it was named and read; docs/design.md tells how they were chosen.
SURE = 0.99
BY_LABEL = 0.97
BY_ORDER = 0.95
DOUBTFUL = 0.8
BY_SUMS = 0.6
NO_UNIT = 0.5
# Below this probability a recogniser's reading is no reading: the cell is illegible.
LEGIBLE = 0.85
# From here on a recogniser's reading is beyond doubt, and no sum changes it.
CLEAR = 0.9

# The widest header (table of disputes) has 19 label cells; what stands further above belongs to another table.
MAX_HEADER_TEXTS = 24

_MONEY = re.compile(r"亿元|万元|元")


@dataclass(frozen=True, slots=True)
class Printing:
    """The labels of a cell as the report prints them, for messages."""

    row: str
    column: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The cells of one block, in printed order, with what went wrong."""

    cells: dict[str, Cell]
    printed: dict[str, Printing]
    problems: tuple[Problem, ...]
    candidates: dict[str, tuple[Decimal, ...]]


@dataclass(frozen=True, slots=True)
class Tables:
    """All cells of a report. ``form`` is None where no block of any form was recognised.

    ``candidates`` holds the values that a recogniser thought possible for the cells that it doubted. ``stretches``
    are those of the document's text (start, end) that the tables take up, headers that stand apart left out.
    """

    form: str | None
    blocks: dict[str, str | None]
    cells: tuple[Cell, ...] = ()
    printed: dict[str, Printing] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    candidates: dict[str, tuple[Decimal, ...]] = field(default_factory=dict)
    stretches: tuple[tuple[int, int], ...] = ()


def read_tables(document: Document, forms: Mapping[str, Form]) -> Tables:
    """Every cell of the forms' blocks that the document carries; all other cells of its form are ``absent``."""
    rows = Rows(document)
    chosen = recognise(rows, forms)
    if not any(chosen.values()):
        return Tables(None, dict.fromkeys(chosen))
    main = next(found.form for found in chosen.values() if found)
    readings = {id(found): _read_block(document, found, rows) for found in chosen.values() if found}
    cells: dict[str, Cell] = {}
    printed: dict[str, Printing] = {}
    candidates: dict[str, tuple[Decimal, ...]] = {}
    problems: list[Problem] = []
    for contract_block, found in chosen.items():
        if found is None:
            missing = _absent_block(main, contract_block)
            cells.update(missing)
            if missing:
                problems.append(Problem("table.absent", f"no table of {contract_block} was found (form {main.name})"))
            continue
        reading = readings[id(found)]
        if not cells.keys() >= reading.cells.keys():
            cells.update(reading.cells)
            printed.update(reading.printed)
            candidates.update(reading.candidates)
            problems.extend(reading.problems)
    blocks = {block: found.form.name if found else None for block, found in chosen.items()}
    stretches = tuple(sorted({found_at for found in chosen.values() if found and (found_at := _stretch(found))}))
    return Tables(main.name, blocks, tuple(cells.values()), printed, tuple(problems), candidates, stretches)


def _stretch(found: Candidate) -> tuple[int, int] | None:
    """Where the block's rows stand in the text."""
    if found.single:
        where = [found.single.evidence]
    else:
        matches = found.alignment.matches if found.alignment else ()
        rows = found.rows[matches[0].row : matches[-1].row + 1] if matches else ()
        where = [cell.evidence for row in rows for cell in row.cells]
    starts = [spot.start for spot in where if spot and spot.start is not None]
    ends = [spot.end for spot in where if spot and spot.end is not None]
    return (min(starts), max(ends)) if starts and ends else None


def _absent_block(form: Form, contract_block: str) -> dict[str, Cell]:
    names = {table.id for table in form.tables if contract_block in table.covers}
    return {
        spec.key: Cell(spec.key, None, None, spec.unit, "absent", 1.0, None)
        for spec in form.cells.values()
        if spec.table in names
    }


def _read_block(document: Document, found: Candidate, rows: Rows) -> Reading:
    if found.single:
        return _fill_single(document, found, found.single)
    lines = block_lines(found.tables)
    kept = any(row.flat for row in found.rows) and rows.keeps_blanks
    return _fill(document, found.form, lines, list(found.rows), found.alignment or Alignment(0.0, ()), kept)


def _fill(
    document: Document,
    form: Form,
    lines: tuple[Line, ...],
    rows: list[PrintedRow],
    alignment: Alignment,
    kept: bool,
) -> Reading:
    picked = _pick(form, rows, lines, alignment, kept)
    cells: dict[str, Cell] = {}
    printed: dict[str, Printing] = {}
    problems: list[Problem] = []
    by_line = {match.line: match for match in alignment.matches}
    loose: dict[tuple[str, ...], tuple[PrintedCell, ...]] = {}
    doubtful: dict[str, PrintedCell] = {}
    for number, line in enumerate(lines):
        specs = [form.cells[line.table.cell_key(line.row, column)] for column in line.table.columns]
        match = by_line.get(number)
        if match is None:
            cells.update((spec.key, Cell(spec.key, None, None, spec.unit, "absent", 1.0, None)) for spec in specs)
            problems.append(Problem("row.missing", f"the row {_form_label(line)} was not found"))
            continue
        row, values = rows[match.row], picked[number]
        problems.extend(_row_problems(document, row, line, match, values))
        header = _header_texts(rows, match)
        confidence = _confidence(match, row, values)
        label = _row_label(row, line)
        for spec, cell in zip(specs, values.cells, strict=True):
            printed[spec.key] = Printing(label, _column_label(spec, header))
            if cell and cell.confidence < CLEAR:
                doubtful[spec.key] = cell
            cells[spec.key], found = _read_cell(document, spec, cell, row, header, confidence)
            problems.extend(found)
        if values.flaw == "lost_blanks":
            loose[tuple(spec.key for spec in specs)] = values.loose
    _place_loose(document, form, loose, cells)
    candidates = _candidates(doubtful)
    problems.extend(_assist(form, cells, doubtful, candidates))
    problems.extend(_unused(document, rows, alignment))
    return Reading(cells, printed, tuple(problems), candidates)


def _pick(
    form: Form, rows: list[PrintedRow], lines: tuple[Line, ...], alignment: Alignment, kept: bool
) -> dict[int, Picked]:
    """The value cells of each matched line, decided table by table and grid by grid."""
    picked: dict[int, Picked] = {}
    groups: dict[tuple[str, int], list[Match]] = {}
    for match in alignment.matches:
        groups.setdefault((lines[match.line].table.id, rows[match.row].chunk), []).append(match)
    for (_, chunk), matches in groups.items():
        table = lines[matches[0].line].table
        members = [rows[match.row] for match in matches]
        if members[0].flat:
            leads = [_lead(rows[match.row], match, lines) for match in matches]
            found = pick_flat(members, leads, len(table.columns), form.has_totals(table), kept)
        else:
            first, last = _header_start(alignment, matches[0]), matches[-1].row + 1
            around = [row for row in rows[first:last] if row.chunk == chunk]
            found = pick_grid(members, around, table)
        picked.update((match.line, cells) for match, cells in zip(matches, found, strict=True))
    return picked


def _lead(row: PrintedRow, match: Match, lines: tuple[Line, ...]) -> int:
    """How many empty cells stand before the values of a row that lost its label."""
    return max(0, lost_labels(lines, match.line) - len(row.labels)) if match.likeness is None else 0


def _header_start(alignment: Alignment, match: Match) -> int:
    """The first row behind the one matched before ``match``: from there on stand the headers of its table."""
    return max((other.row + 1 for other in alignment.matches if other.row < match.row), default=0)


def _header_texts(rows: list[PrintedRow], match: Match) -> list[str]:
    """Label texts that can head the row's columns: its own, and those of the nearest rows above without numbers."""
    texts: list[str] = list(rows[match.row].labels)
    for row in reversed(rows[: match.row]):
        if row.flat or not row.numbers:
            texts.extend(row.labels)
        if len(texts) > MAX_HEADER_TEXTS:
            break
    return texts


def _form_label(line: Line) -> str:
    return "·".join((*line.row.groups, line.row.label))


def _row_label(row: PrintedRow, line: Line) -> str:
    """The printed label of the row, or the form's where the report has dropped it."""
    best = max(row.labels, key=lambda label: similarity(label, line.row.spellings), default="")
    return best if best and similarity(best, line.row.spellings) >= ALIKE else line.row.label


def _column_label(spec: CellSpec, header: list[str]) -> str:
    return next((text for text in header if similarity(text, spec.column.spellings) == 1.0), spec.column.label)


def _confidence(match: Match, row: PrintedRow, values: Picked) -> float:
    if match.likeness is None:
        named = BY_ORDER
    elif match.likeness >= 0.9:
        named = SURE
    else:
        named = BY_LABEL if match.likeness >= ALIKE else DOUBTFUL
    if values.flaw:
        return min(named, DOUBTFUL)
    return min(named, BY_LABEL) if row.flat else named


def _row_problems(document: Document, row: PrintedRow, line: Line, match: Match, values: Picked) -> Iterator[Problem]:
    place = _row_evidence(document, row)
    name = _form_label(line)
    if match.likeness is None:
        yield Problem("label.dropped", f"the row {name} has no label and was named by its place", place)
    elif match.likeness < ALIKE:
        label = " ".join(row.labels)
        yield Problem("label.unlike", f"the row labelled {label!r} was taken for {name} by its place", place)
    if values.flaw == "lost_blanks":
        numbers = " ".join(cell.text for cell in values.loose) or "none"
        message = f"the blanks of the row {name} are lost: {len(values.loose)} of {line.width} values ({numbers})"
        yield Problem("row.blanks_lost", message, place)
    elif values.flaw:
        numbers = " ".join(cell.text for cell in row.cells if not is_label(cell))
        yield Problem("row.extra_value", f"the row {name} prints more numbers than {line.width}: {numbers}", place)


def _row_evidence(document: Document, row: PrintedRow) -> Evidence | None:
    starts = [cell.evidence.start for cell in row.cells if cell.evidence.start is not None]
    ends = [cell.evidence.end for cell in row.cells if cell.evidence.end is not None]
    return document.evidence(min(starts), max(ends)) if starts and ends else None


def _read_cell(
    document: Document,
    spec: CellSpec,
    cell: PrintedCell | None,
    row: PrintedRow,
    header: list[str],
    confidence: float,
) -> tuple[Cell, list[Problem]]:
    if cell is None:
        return Cell(spec.key, None, None, spec.unit, "illegible", 0.0, _row_evidence(document, row)), []
    return read_value(document, spec, cell, header, confidence)


def read_value(
    document: Document, spec: CellSpec, cell: PrintedCell, header: list[str], confidence: float
) -> tuple[Cell, list[Problem]]:
    """The contract's cell for one printed cell; words in the place of a value make it ``illegible``.

    ``header`` holds the label texts among which the unit of an amount is sought.
    """
    where = _place(document, cell)
    cell = _without_fractions(cell) if spec.type == "count" else cell
    # An empty cell that is not surely empty may hold a pale figure: it is no blank.
    if cell.confidence < (LEGIBLE if cell.text else CLEAR):
        message = f"{spec.key} cannot be read with confidence; the likeliest reading is {cell.text!r}"
        problem = Problem("cell.illegible", message, where)
        return Cell(spec.key, None, cell.text, spec.unit, "illegible", cell.confidence, where), [problem]
    confidence = min(confidence, cell.confidence)
    found = parse_printed(cell.text)
    if found.kind == "blank":
        return Cell(spec.key, None, cell.text, spec.unit, "blank", confidence, where), []
    if found.kind == "text" or found.value is None:
        message = f"{spec.key} prints {cell.text!r}, which is no number"
        problem = Problem("cell.not_a_number", message, where)
        return Cell(spec.key, None, cell.text, spec.unit, "illegible", 0.0, where), [problem]
    confidence = confidence if found.sure else min(confidence, BY_SUMS)
    if spec.type != "amount":
        return Cell(spec.key, whole(found.value), cell.text, spec.unit, "reported", confidence, where), []
    unit, printed = _amount_unit(document, spec, cell, found.unit, header)
    value = whole(to_wan(found.value, unit))
    if printed:
        return Cell(spec.key, value, cell.text, spec.unit, "reported", confidence, where), []
    problem = Problem("amount.unit_missing", f"{spec.key} prints {cell.text} without a unit; taken as 万元", where)
    return Cell(spec.key, value, cell.text, spec.unit, "reported", min(confidence, NO_UNIT), where), [problem]


def _without_fractions(cell: PrintedCell) -> PrintedCell:
    """A scanned cell of a count without the readings that are no whole number (2.509 beside 2,509)."""
    fractions = [(text, sure) for text, sure in cell.candidates if (parse_printed(text).value or 0) % 1]
    if not fractions:
        return cell
    kept = tuple(reading for reading in cell.candidates if reading not in fractions)
    if not kept:
        return cell
    text, sure = kept[0]
    return replace(cell, text=text, confidence=min(1.0, sure + sum(chance for _, chance in fractions)), candidates=kept)


def _candidates(doubtful: Mapping[str, PrintedCell]) -> dict[str, tuple[Decimal, ...]]:
    """The values that the recogniser's readings of each doubtful cell come to, blanks as 0, the best first."""
    values: dict[str, tuple[Decimal, ...]] = {}
    for key, cell in doubtful.items():
        readings = [parse_printed(text) for text, _ in _readings(cell)]
        found = [reading.value or Decimal(0) for reading in readings if reading.kind != "text"]
        if found:
            values[key] = tuple(dict.fromkeys(found))
    return values


def _assist(
    form: Form,
    cells: dict[str, Cell],
    doubtful: Mapping[str, PrintedCell],
    candidates: Mapping[str, tuple[Decimal, ...]],
) -> Iterator[Problem]:
    """Give doubtful cells the value that the identities single out; a clear reading is never touched."""
    known = {
        key: Decimal(cell.value or 0)
        for key, cell in cells.items()
        if cell.status in ("reported", "blank") and key not in doubtful
    }
    for key, value in decide(candidates, known, form.identities).items():
        cell = cells[key]
        likeliest = next(text for text, _ in _readings(doubtful[key]) if _is(text, value))
        if parse_printed(likeliest).kind == "blank":
            # A sum cannot tell a pale 0 from nothing.
            continue
        changed = replace(cell, value=whole(value), status="reported", raw=doubtful[key].text, confidence=BY_SUMS)
        if (cell.status, cell.value) != (changed.status, changed.value):
            cells[key] = changed
            message = f"{key} was read as {doubtful[key].text!r}; the sums single out {whole(value)} among its readings"
            yield Problem("cell.assisted", message, cell.evidence)


def _readings(cell: PrintedCell) -> tuple[tuple[str, float], ...]:
    return cell.candidates or ((cell.text, cell.confidence),)


def _is(text: str, value: Decimal) -> bool:
    found = parse_printed(text)
    return found.kind != "text" and (found.value or Decimal(0)) == value


def _place(document: Document, cell: PrintedCell) -> Evidence:
    """The evidence of a cell; one of flattened text has offsets only, the page is the document's to tell."""
    start, end = cell.evidence.start, cell.evidence.end
    if cell.evidence.page is not None or start is None or end is None:
        return cell.evidence
    return document.evidence(start, end)


def _amount_unit(
    document: Document, spec: CellSpec, cell: PrintedCell, own: str | None, header: list[str]
) -> tuple[str, bool]:
    """The unit of an amount and whether it is printed: in the cell, the header, or the prose beside the figure."""
    if own and is_money(own):
        return own, True
    spellings = (*spec.column.spellings, *spec.row.spellings)
    for text in header:
        unit = _MONEY.search(text)
        if unit and (similarity(text, spellings) >= 0.9 or text.strip("()（） ") == unit.group() or "单位" in text):
            return unit.group(), True
    stated = set(re.findall(rf"(?<![\d.]){re.escape(cell.text)}\s*(亿元|万元|元)", document.text))
    if len(stated) == 1 and cell.text.strip("0."):
        return stated.pop(), True
    return "万元", False


def _place_loose(
    document: Document, form: Form, loose: dict[tuple[str, ...], tuple[PrintedCell, ...]], cells: dict[str, Cell]
) -> None:
    """Give the numbers of rows that lost their blanks the places that the identities fix, and no others."""
    numbers = {
        slots: tuple(parse_printed(cell.text).value or Decimal(0) for cell in row) for slots, row in loose.items()
    }
    if not loose:
        return
    lost = {key for slots in loose for key in slots}
    known = {
        key: Decimal(cell.value or 0)
        for key, cell in cells.items()
        if cell.status in ("reported", "blank") and key not in lost
    }
    for slots, placements in place_numbers(numbers, known, form.identities).items():
        for key, value in agreed(placements, slots).items():
            spec = form.cells[key]
            if value is None:
                where = _end_of(cells[key].evidence)
                cells[key] = replace(cells[key], status="blank", confidence=BY_SUMS, raw="", evidence=where)
                continue
            index = [place for place in slots if place in placements[0]].index(key)
            cells[key] = read_value(document, spec, loose[slots][index], [], BY_SUMS)[0]


def _end_of(evidence: Evidence | None) -> Evidence | None:
    """The empty place behind a row: a blank that left no trace stands nowhere else."""
    return replace(evidence, start=evidence.end) if evidence else None


def _unused(document: Document, rows: list[PrintedRow], alignment: Alignment) -> Iterator[Problem]:
    """Rows with numbers inside the block that are no row of the form."""
    used = {match.row for match in alignment.matches}
    for index in range(min(used), max(used)):
        row = rows[index]
        if index not in used and row.numbers and not _is_serial(row):
            printed = " ".join(cell.text for cell in row.cells if cell.text)
            message = f"a row that the form does not have: {printed[:120]}"
            yield Problem("row.foreign", message, _row_evidence(document, row))


def _is_serial(row: PrintedRow) -> bool:
    """A heading with nothing but a serial number before it."""
    first = row.cells[0] if row.cells else None
    return row.numbers == 1 and first is not None and not is_label(first)


def _fill_single(document: Document, candidate: Candidate, found: SingleRow) -> Reading:
    form, table = candidate.form, candidate.tables[0]
    specs = [form.cells[table.cell_key(table.rows[0], column)] for column in table.columns]
    cells: dict[str, Cell] = {}
    doubtful: dict[str, PrintedCell] = {}
    problems: list[Problem] = []
    for spec, cell in zip(specs, found.cells, strict=True):
        if cell is None:
            cells[spec.key] = Cell(spec.key, None, None, spec.unit, "illegible", 0.0, found.evidence)
        else:
            cells[spec.key], more = read_value(document, spec, cell, [], found.confidence)
            problems.extend(more)
            if cell.confidence < CLEAR:
                doubtful[spec.key] = cell
    if found.loose:
        _place_loose(document, form, {tuple(spec.key for spec in specs): found.loose[: len(specs)]}, cells)
    if found.problem:
        problems.append(Problem("row.blanks_lost", found.problem, found.evidence))
    candidates = _candidates(doubtful)
    problems.extend(_assist(form, cells, doubtful, candidates))
    printed = {spec.key: Printing("", spec.column_label) for spec in specs}
    return Reading(cells, printed, tuple(problems), candidates)
