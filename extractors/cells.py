"""The statutory tables of a document: which form each block is on, and every cell of it.

Each block of each form is held against the rows of the document's grids and, where these do not have it, against
its flattened text. The reading that explains most wins, block by block, so that a report that mixes two forms is
read as what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from extractors.align import Alignment, Line, Match, align, block_lines, named_lines, names_line
from extractors.columns import Picked, keeps_blanks, pick_flat, pick_grid
from extractors.disputes import SingleRow, read_single_row
from extractors.document import Document, PrintedCell
from extractors.forms import CellSpec, Form, FormTable
from extractors.labels import ALIKE, similarity
from extractors.numbers import is_money, parse_printed, to_wan, whole
from extractors.placement import agreed, place_numbers
from extractors.report import Cell, Evidence, Problem
from extractors.rows import PrintedRow, is_label, is_number, make_row, table_rows, text_rows

# Confidence of a value by how it was named and read; docs/design.md tells how they were chosen.
SURE = 0.99
BY_LABEL = 0.97
BY_ORDER = 0.95
DOUBTFUL = 0.8
BY_SUMS = 0.6
NO_UNIT = 0.5

# The widest header (table of disputes) has 19 label cells; what stands further above belongs to another table.
MAX_HEADER_TEXTS = 24
# Rows narrower than this are not cut out of a run of values: a run of three rows of one value is a row of three.
MIN_RUN = 5
# The share of a block's rows that must be named by their own labels. With all labels of group 三 lost, three of the
# 23 rows of table 三 are.
MIN_ANCHORS = 0.1

_MONEY = re.compile(r"亿元|万元|元")


@dataclass(frozen=True, slots=True)
class Printing:
    """The labels of a cell as the report prints them, for messages."""

    row: str
    column: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The cells of one block on one form, in printed order, with what went wrong."""

    form: Form
    block: str
    score: float
    cells: dict[str, Cell]
    printed: dict[str, Printing]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """All cells of a report. ``form`` is None where no block of any form was recognised."""

    form: str | None
    blocks: dict[str, str | None]
    cells: tuple[Cell, ...] = ()
    printed: dict[str, Printing] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def read_tables(document: Document, forms: Mapping[str, Form]) -> Tables:
    """Every cell of the forms' blocks that the document carries; all other cells of its form are ``absent``."""
    grids, text = table_rows(document.tables), text_rows(document)
    sources = [grids, text, _in_order(grids, text)] if grids else [text]
    chosen = _choose(document, forms, sources)
    if not any(chosen.values()):
        return Tables(None, dict.fromkeys(chosen))
    main = next(reading.form for reading in chosen.values() if reading)
    cells: dict[str, Cell] = {}
    printed: dict[str, Printing] = {}
    problems: list[Problem] = []
    for contract_block, reading in chosen.items():
        if reading is None:
            missing = _absent_block(main, contract_block)
            cells.update(missing)
            if missing:
                problems.append(Problem("table.absent", f"no table of {contract_block} was found (form {main.name})"))
        elif not cells.keys() >= reading.cells.keys():
            cells.update(reading.cells)
            printed.update(reading.printed)
            problems.extend(reading.problems)
    blocks = {block: reading.form.name if reading else None for block, reading in chosen.items()}
    return Tables(main.name, blocks, tuple(cells.values()), printed, tuple(problems))


def _in_order(grids: list[PrintedRow], text: list[PrintedRow]) -> list[PrintedRow]:
    """Rows of grids and of the text between them as they follow each other: a grid may have lost some rows."""
    return sorted([*grids, *text], key=lambda row: row.cells[0].evidence.start or 0)


def _choose(
    document: Document, forms: Mapping[str, Form], sources: list[list[PrintedRow]]
) -> dict[str, Reading | None]:
    """The best reading of each of the contract's blocks.

    Where two forms read a block alike, the form of the blocks before it decides (the table of disputes is the same
    on both).
    """
    covered = list(dict.fromkeys(name for form in forms.values() for table in form.tables for name in table.covers))
    best: dict[str, Reading | None] = dict.fromkeys(covered)
    for form in forms.values():
        for block in form.blocks:
            reading = _read_block(document, form, block, sources)
            for name in form.block_tables(block)[0].covers if reading else ():
                held = best[name]
                if reading and (held is None or _better(reading, held, best)):
                    best[name] = reading
    return best


def _better(reading: Reading, held: Reading, best: Mapping[str, Reading | None]) -> bool:
    if abs(reading.score - held.score) > 1e-6:
        return reading.score > held.score
    first = next((other for other in best.values() if other), held)
    return reading.form.name == first.form.name


def _absent_block(form: Form, contract_block: str) -> dict[str, Cell]:
    names = {table.id for table in form.tables if contract_block in table.covers}
    return {
        spec.key: Cell(spec.key, None, None, spec.unit, "absent", 1.0, None)
        for spec in form.cells.values()
        if spec.table in names
    }


def _read_block(document: Document, form: Form, block: str, sources: list[list[PrintedRow]]) -> Reading | None:
    tables = form.block_tables(block)
    if len(tables) == 1 and len(tables[0].rows) == 1 and not tables[0].rows[0].label:
        return _read_single(document, form, tables[0], sources)
    lines = block_lines(tables)
    best: tuple[Alignment, list[PrintedRow]] | None = None
    for rows in sources:
        prepared = _prepare(rows, lines)
        if not prepared:
            continue
        alignment = align(prepared, lines)
        if _recognised(alignment, lines, prepared) and (best is None or alignment.score > best[0].score):
            best = (alignment, prepared)
        if best and len(best[0].matches) == len(lines):
            break
    kept = keeps_blanks(sources[-1])
    return _fill(document, form, block, lines, best[1], best[0], kept) if best else None


def _recognised(alignment: Alignment, lines: tuple[Line, ...], rows: list[PrintedRow]) -> bool:
    """A block is there if its own labels name enough of its rows and the reading explains more than it skips.

    Under a caption or header of the block one named row is enough (a bureau that prints its procurement only).
    Flattened text must have one: its lines may be headings of prose that read like rows.
    """
    named = alignment.anchors
    headed = _is_headed(lines, rows)
    if any(row.flat for row in rows) and not headed:
        return False
    enough = named >= max(2, MIN_ANCHORS * len(lines)) and alignment.score > 0
    return enough or (headed and named > 0 and any(rows[match.row].numbers for match in alignment.matches))


def _is_headed(lines: tuple[Line, ...], rows: list[PrintedRow]) -> bool:
    tables = {id(line.table): line.table for line in lines}.values()
    heads = tuple(text for table in tables for text in (*table.captions, *table.corner))
    heads += tuple(text for table in tables for column in table.columns for text in column.spellings)
    return any(similarity(label, heads) == 1.0 for row in rows if not row.numbers for label in row.labels)


def _prepare(rows: list[PrintedRow], lines: tuple[Line, ...]) -> list[PrintedRow]:
    """The stretch of rows that can hold the block, rows broken by a page joined, long runs of values cut."""
    spellings = {line.row.spellings for line in lines}
    rows = _join_labels(rows, lines)
    named = [index for index, row in enumerate(rows) if names_line(row, lines)]
    if len(named) < max(1, MIN_ANCHORS * len(lines)):
        return []
    # Rows without a label may stand before the first and behind the last that has one, and headers above them.
    margin = 4
    part = rows[max(0, named[0] - margin) : named[-1] + 1 + margin]
    width = max(line.width for line in lines)
    return [piece for row in _join_broken(part, spellings) for piece in _cut_run(row, width)]


def _join_labels(rows: list[PrintedRow], lines: tuple[Line, ...]) -> list[PrintedRow]:
    """Labels of flattened text that a line break cut (本年新收政府信息公开申 / 请数量) as one label."""
    joined: list[PrintedRow] = []
    for row in rows:
        count = _label_pieces(joined, row, lines) if row.flat and row.labels else 0
        if count:
            text = "".join(label for other in (*joined[-count:], row) for label in other.labels)
            label = replace(joined[-count].cells[0], text=text)
            joined[-count:] = [make_row((label, *row.cells[1:]), row.chunk, row.page, flat=True)]
        else:
            joined.append(row)
    return joined


def _label_pieces(above: list[PrintedRow], row: PrintedRow, lines: tuple[Line, ...]) -> int:
    """How many rows above hold the beginning of the row's label: none, one or two."""
    if named_lines(row.labels[0], lines):
        return 0
    for count in (1, 2):
        pieces = [*above[-count:], row]
        if len(pieces) <= count or any(len(piece.cells) != 1 or not piece.labels for piece in pieces[:-1]):
            return 0
        if named_lines("".join(label for piece in pieces for label in piece.labels), lines):
            return count
    return 0


def _join_broken(rows: list[PrintedRow], spellings: set[tuple[str, ...]]) -> list[PrintedRow]:
    """Rows that a page end cut in two (half the label above, half below) as one row."""
    joined: list[PrintedRow] = []
    for row in rows:
        above = joined[-1] if joined else None
        if above and above.page != row.page and _is_one_row(above, row, spellings):
            joined[-1] = _merge(above, row)
        else:
            joined.append(row)
    return joined


def _is_one_row(above: PrintedRow, below: PrintedRow, spellings: set[tuple[str, ...]]) -> bool:
    if not above.labels or not below.labels or (above.numbers and below.numbers):
        return False
    both = above.labels[-1] + below.labels[0]
    return any(
        similarity(both, group) == 1.0
        and similarity(above.labels[-1], group) < 1.0
        and similarity(below.labels[-1], group) < 1.0
        for group in spellings
    )


def _merge(above: PrintedRow, below: PrintedRow) -> PrintedRow:
    """The half with the values, its label completed."""
    values, other = (below, above) if below.numbers else (above, below)
    text = above.labels[-1] + below.labels[0]
    at = next(index for index, cell in enumerate(values.cells) if is_label(cell))
    if values is above:
        at = max(index for index, cell in enumerate(values.cells) if is_label(cell))
    cells = list(values.cells)
    cells[at] = replace(cells[at], text=text)
    return make_row(tuple(cells), values.chunk, other.page, values.flat)


def _cut_run(row: PrintedRow, width: int) -> list[PrintedRow]:
    """A run of values of several rows whose labels are lost, cut into rows of ``width`` values.

    Only where it comes out even: by all values where each of them prints something, be it a dash; else by the
    numbers, what stands empty between them being the label cells.
    """
    first = next((index for index, cell in enumerate(row.cells) if not is_label(cell)), len(row.cells))
    last = next((index for index in range(first, len(row.cells)) if is_label(row.cells[index])), len(row.cells))
    values = row.cells[first:last]
    if any(not cell.text for cell in values):
        values = tuple(cell for cell in values if is_number(cell))
    if not row.flat or width < MIN_RUN or len(values) <= width or len(values) % width:
        return [row]
    pieces = [values[at : at + width] for at in range(0, len(values), width)]
    pieces[0] = (*row.cells[:first], *pieces[0])
    pieces[-1] = (*pieces[-1], *row.cells[last:])
    return [make_row(cells, row.chunk, row.page, flat=True) for cells in pieces]


def _fill(
    document: Document,
    form: Form,
    block: str,
    lines: tuple[Line, ...],
    rows: list[PrintedRow],
    alignment: Alignment,
    kept: bool,
) -> Reading:
    picked = _pick(rows, lines, alignment, kept)
    cells: dict[str, Cell] = {}
    printed: dict[str, Printing] = {}
    problems: list[Problem] = []
    by_line = {match.line: match for match in alignment.matches}
    loose: dict[tuple[str, ...], tuple[PrintedCell, ...]] = {}
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
            cells[spec.key], found = _read_cell(document, spec, cell, row, header, confidence)
            problems.extend(found)
        if values.flaw == "lost_blanks":
            loose[tuple(spec.key for spec in specs)] = values.loose
    _place_loose(document, form, loose, cells)
    problems.extend(_unused(document, rows, alignment))
    return Reading(form, block, alignment.score, cells, printed, tuple(problems))


def _pick(rows: list[PrintedRow], lines: tuple[Line, ...], alignment: Alignment, kept: bool) -> dict[int, Picked]:
    """The value cells of each matched line, decided table by table and grid by grid."""
    picked: dict[int, Picked] = {}
    groups: dict[tuple[str, int], list[Match]] = {}
    for match in alignment.matches:
        groups.setdefault((lines[match.line].table.id, rows[match.row].chunk), []).append(match)
    for (_, chunk), matches in groups.items():
        table = lines[matches[0].line].table
        members = [rows[match.row] for match in matches]
        if members[0].flat:
            found = pick_flat(members, len(table.columns), _has_totals(table), kept)
        else:
            first, last = _header_start(alignment, matches[0]), matches[-1].row + 1
            around = [row for row in rows[first:last] if row.chunk == chunk]
            found = pick_grid(members, around, table)
        picked.update((match.line, cells) for match, cells in zip(matches, found, strict=True))
    return picked


def _has_totals(table: FormTable) -> bool:
    return table.columns[-1].key.split(".")[-1] == "total"


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


def _read_single(document: Document, form: Form, table: FormTable, sources: list[list[PrintedRow]]) -> Reading | None:
    found: SingleRow | None = None
    for rows in sources:
        other = read_single_row(rows, table)
        if other and (found is None or (found.problem and not other.problem)):
            found = other
        if found and not found.problem:
            break
    if found is None:
        return None
    specs = [form.cells[table.cell_key(table.rows[0], column)] for column in table.columns]
    cells: dict[str, Cell] = {}
    problems: list[Problem] = []
    for spec, cell in zip(specs, found.cells, strict=True):
        if cell is None:
            cells[spec.key] = Cell(spec.key, None, None, spec.unit, "illegible", 0.0, found.evidence)
        else:
            cells[spec.key], more = read_value(document, spec, cell, [], found.confidence)
            problems.extend(more)
    if found.loose:
        _place_loose(document, form, {tuple(spec.key for spec in specs): found.loose[: len(specs)]}, cells)
    if found.problem:
        problems.append(Problem("row.blanks_lost", found.problem, found.evidence))
    printed = {spec.key: Printing("", spec.column_label) for spec in specs}
    return Reading(form, table.block, found.score, cells, printed, tuple(problems))
