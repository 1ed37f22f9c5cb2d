"""Which form each block of a report is on, and which printed rows are its lines.

Each block of each form is held against the rows of the document's grids and, where these do not have all of it,
against its flattened text too. The reading that explains most wins, block by block, so that a report that mixes two
forms is read as what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from extractors.align import Alignment, Line, align, block_lines, lost_labels, named_lines, names_line, names_whole
from extractors.columns import keeps_blanks
from extractors.disputes import SingleRow, read_single_row
from extractors.document import Document, PrintedCell
from extractors.forms import Form, FormTable
from extractors.labels import ALIKE, similarity
from extractors.numbers import is_unit
from extractors.rows import (
    PrintedRow,
    cells_on_lines,
    has_inner_blanks,
    is_label,
    is_number,
    make_row,
    table_rows,
    text_rows,
)

# Rows narrower than this are not cut out of a run of values: a run of three rows of one value is a row of three.
MIN_RUN = 5
# Fewer rows than this are no run whose labels are lost.
MIN_RUN_ROWS = 3
# The share of a block's rows that must be named by their own labels. With all labels of group 三 lost, three of the
# 23 rows of table 三 are.
MIN_ANCHORS = 0.1
# In flattened text only a block of this many rows is known without its captions and headers.
LONG_BLOCK = 20
# A table with this share of the form's rows is the form's, whatever else it has; with fewer, no more than
# MAX_STRANGERS of its labelled rows may be others.
WHOLE = 0.8
MAX_STRANGERS = 0.2
# Rows without a label that may stand before the first and behind the last that has one, and headers above them.
MARGIN = 4


class Rows:
    """The printed rows of a document by where they stand, each made when it is first asked for."""

    def __init__(self, document: Document) -> None:
        self._document = document

    @cached_property
    def grids(self) -> list[PrintedRow]:
        """Rows of the grids."""
        return table_rows(self._document.tables)

    @cached_property
    def text(self) -> list[PrintedRow]:
        """Rows of the text outside the grids."""
        return text_rows(self._document)

    @cached_property
    def both(self) -> list[PrintedRow]:
        """All rows as they follow each other: a grid may have lost some of its rows to the text around it."""
        return sorted([*self.grids, *self.text], key=lambda row: row.cells[0].evidence.start or 0)

    @cached_property
    def keeps_blanks(self) -> bool:
        """Whether the flattened text shows that it left empty cells in their places."""
        pipes = (table for table in self._document.tables if table.source == "delimited")
        inner = keeps_blanks(self.text) or any(has_inner_blanks(table) for table in pipes)
        return inner or cells_on_lines(self._document)

    def __iter__(self) -> Iterator[list[PrintedRow]]:
        """The places to look, the surest first."""
        if self.grids:
            yield self.grids
        yield self.text
        if self.grids:
            yield self.both


@dataclass(frozen=True, slots=True)
class Candidate:
    """A block of a form found among some rows: aligned line by line, or as the one row of its table."""

    form: Form
    block: str
    score: float
    rows: tuple[PrintedRow, ...] = ()
    alignment: Alignment | None = None
    single: SingleRow | None = None

    @property
    def tables(self) -> tuple[FormTable, ...]:
        """The form's tables of this block."""
        return self.form.block_tables(self.block)


def recognise(rows: Rows, forms: Mapping[str, Form]) -> dict[str, Candidate | None]:
    """The best candidate for each of the contract's blocks.

    Where two forms read a block alike, the form of the blocks before it decides (the table of disputes is the same
    on both).
    """
    covered = list(dict.fromkeys(name for form in forms.values() for table in form.tables for name in table.covers))
    best: dict[str, Candidate | None] = dict.fromkeys(covered)
    for form in forms.values():
        for block in form.blocks:
            found = _find_block(form, block, rows)
            for name in form.block_tables(block)[0].covers if found else ():
                held = best[name]
                if found and (held is None or _better(found, held, best)):
                    best[name] = found
    return best


def _better(found: Candidate, held: Candidate, best: Mapping[str, Candidate | None]) -> bool:
    if abs(found.score - held.score) > 1e-6:
        return found.score > held.score
    first = next((other for other in best.values() if other), held)
    return found.form.name == first.form.name


def _find_block(form: Form, block: str, rows: Rows) -> Candidate | None:
    tables = form.block_tables(block)
    if len(tables) == 1 and len(tables[0].rows) == 1 and not tables[0].rows[0].label:
        return _find_single(form, tables[0], rows)
    lines = block_lines(tables)
    best: Candidate | None = None
    for printed in rows:
        prepared = _prepare(printed, lines)
        if not prepared:
            continue
        alignment = align(prepared, lines)
        if _recognised(alignment, lines, prepared) and (best is None or alignment.score > best.score):
            best = Candidate(form, block, alignment.score, tuple(prepared), alignment)
        if best and best.alignment and len(best.alignment.matches) == len(lines):
            break
    return best


def _find_single(form: Form, table: FormTable, rows: Rows) -> Candidate | None:
    found: SingleRow | None = None
    for printed in rows:
        other = read_single_row(printed, table)
        if other and (found is None or _says_more(other, found)):
            found = other
        if found and not found.problem and any(cell and cell.text for cell in found.cells):
            break
    return Candidate(form, table.block, found.score, single=found) if found else None


def _says_more(row: SingleRow, other: SingleRow) -> bool:
    """Whether a reading is better: without a problem, or with values where the other found none behind its headers.

    The headers may stand in the text, the values in a grid of their own: then the text has no values.
    """
    if other.problem:
        return not row.problem
    blank = not any(cell and cell.text for cell in other.cells)
    return blank and (bool(row.problem) or any(cell is not None and is_number(cell) for cell in row.cells))


def _recognised(alignment: Alignment, lines: tuple[Line, ...], rows: list[PrintedRow]) -> bool:
    """A block is there if its own labels name enough of its rows and the reading explains more than it skips.

    Under a caption or header of the block one named row is enough (a bureau that prints its procurement only).
    Without one, lists and catalogues have rows of the same names, and headings of prose read like rows: then labels
    must name most of the block, in flattened text most of a long one.
    """
    named, headed = alignment.anchors, _is_headed(lines, rows)
    most = named * 2 >= len(lines) and (len(lines) >= LONG_BLOCK or not any(row.flat for row in rows))
    if not (headed or most) or _is_local(alignment, lines, rows):
        return False
    enough = named >= max(2, MIN_ANCHORS * len(lines)) and alignment.score > 0
    return enough or (named > 0 and any(rows[match.row].numbers for match in alignment.matches))


def _is_local(alignment: Alignment, lines: tuple[Line, ...], rows: list[PrintedRow]) -> bool:
    """Whether this is another table with some of the form's labels (local statistics of 2008-2013).

    It lacks many of the form's rows and has many that the form has not.
    """
    used = [match.row for match in alignment.matches]
    one_column = all(line.width == 1 for line in lines)
    if not used or not one_column or len(used) >= WHOLE * len(lines):
        return False
    chunks = {rows[index].chunk for index in used}
    labelled = sum(bool(row.labels and row.numbers) for row in rows if row.chunk in chunks)
    known = sum((match.likeness or 0.0) >= ALIKE and bool(rows[match.row].numbers) for match in alignment.matches)
    return (labelled - known) > MAX_STRANGERS * labelled


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
    part = rows[max(0, named[0] - MARGIN) : named[-1] + 1 + MARGIN]
    width = max(line.width for line in lines)
    whole = _join_broken(part, spellings)
    return [piece for row in whole for piece in _cut_by_form(row, lines) or _cut_run(row, width)]


def _join_labels(rows: list[PrintedRow], lines: tuple[Line, ...]) -> list[PrintedRow]:
    """Labels of flattened text that a line break cut (本年新收政府信息公开申 / 请数量) as one label."""
    joined: list[PrintedRow] = []
    for row in rows:
        count = _label_pieces(joined, row, lines) if row.flat and row.labels else 0
        if count:
            text = "".join(other.labels[0] for other in (*joined[-count:], row))
            label = replace(joined[-count].cells[0], text=text)
            joined[-count:] = [make_row((label, *row.cells[1:]), row.chunk, row.page, flat=True)]
        elif joined and _completes(joined[-1], row, lines):
            label = joined.pop().cells[0]
            joined.append(make_row((label, *row.cells), row.chunk, row.page, row.flat))
        else:
            joined.append(row)
    return joined


def _completes(above: PrintedRow, row: PrintedRow, lines: tuple[Line, ...]) -> bool:
    """Whether ``row`` holds the values of the label above it: a wrapped label stands higher than its values."""
    if len(above.cells) != 1 or not above.labels or not row.numbers or not names_line(above, lines):
        return False
    return all(is_unit(label) for label in row.labels) and row.numbers <= max(line.width for line in lines) + 1


def _label_pieces(above: list[PrintedRow], row: PrintedRow, lines: tuple[Line, ...]) -> int:
    """How many rows above hold the beginning of the row's label: none, one or two."""
    if named_lines(row.labels[0], lines):
        return 0
    for count in (1, 2):
        pieces = [*above[-count:], row]
        if len(pieces) <= count or any(len(piece.cells) != 1 or not piece.labels for piece in pieces[:-1]):
            return 0
        whole = "".join(piece.labels[0] for piece in pieces)
        begun = [piece.labels[0] for piece in pieces[:-1] if names_whole(piece.labels[0], lines)]
        # A label that is whole without its rest (其他对外管理服务 | 事项) must be the same row's with it.
        if names_whole(whole, lines) and all(named_lines(label, lines) == named_lines(whole, lines) for label in begun):
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


def _cut_by_form(row: PrintedRow, lines: tuple[Line, ...]) -> list[PrintedRow]:
    """A run of values and empty cells of several rows whose labels are lost, cut where the form has its rows.

    The run must come out even, with an empty cell for every lost label and, if any row has them, for every column
    that a label spans. Empty where it does not, or where two cuts would do.
    """
    count = sum(not is_label(cell) for cell in row.cells)
    labels, values = row.cells[: len(row.cells) - count], row.cells[len(row.cells) - count :]
    width = lines[0].width
    if not row.flat or len(values) < MIN_RUN_ROWS * width or any(map(is_label, values)):
        return []
    if all(cell.text for cell in values) or width < MIN_RUN or any(line.width != width for line in lines):
        return []
    starts = _run_starts(row, lines)
    cuts = [cut for start in starts for spans in (True, False) if (cut := _cut(values, lines, start, spans))]
    if len(cuts) != 1:
        return []
    pieces = [values[at : at + width] for at in cuts[0]]
    pieces[0] = (*labels, *pieces[0])
    return [make_row(cells, row.chunk, row.page, flat=True) for cells in pieces]


def _run_starts(row: PrintedRow, lines: tuple[Line, ...]) -> list[tuple[int, int]]:
    """The lines that a run of values can begin with, each with the empty cells before its first value."""
    named = named_lines(row.labels[-1], lines) if row.labels else set()
    if named:
        return [(number, 0) for number in named]
    return [(number, max(0, lost_labels(lines, number) - len(row.labels))) for number in range(len(lines))]


def _cut(
    values: tuple[PrintedCell, ...], lines: tuple[Line, ...], start: tuple[int, int], spans: bool
) -> tuple[int, ...]:
    """Where the rows from line ``start`` on begin among ``values``; () where they do not come out even."""
    number, at = start
    depth = max(len(line.row.groups) for line in lines)
    cut: list[int] = []
    if any(cell.text for cell in values[:at]):
        return ()
    while at + lines[0].width <= len(values) and number < len(lines):
        cut.append(at)
        spare = depth - len(lines[number].row.groups) if spans else 0
        ends = at + lines[0].width
        number += 1
        lead = lost_labels(lines, number) if number < len(lines) and ends + spare < len(values) else 0
        if any(cell.text for cell in values[ends : ends + spare + lead]):
            return ()
        at = ends + spare + lead
    return tuple(cut) if at == len(values) else ()
