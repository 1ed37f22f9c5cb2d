"""Wide tables without upright rules: columns from values, rows from labels and from what is left of rules."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw

from extractors.document import Document, PrintedCell, Table
from extractors.forms import load_forms
from extractors.grids import Rule
from extractors.recognise import Rows, recognise
from extractors.report import Evidence
from extractors.scan import ScannedGrid, read_image
from extractors.scan_columns import ColumnTable, Written, column_tables
from tests.test_scan import SIZE, font, needs_font

LABELS = ["1. first", "2. second kind", "3. third", "4. fourth", "5. fifth", "6. sixth"]


def words(text: str, left: float, middle: float) -> Written:
    return Written((left, middle - 5, left + 5 * len(text), middle + 5), text, is_value=False)


def values(row: Sequence[str], middle: float, start: float = 200.0, pitch: float = 40.0) -> list[Written]:
    """Values of a row, flush right in their columns; an empty text is no value."""
    ends = [(start + pitch * number, text) for number, text in enumerate(row)]
    return [
        Written((end - 6 * len(text), middle - 4, end, middle + 4), text, is_value=True) for end, text in ends if text
    ]


def table_of(rows: Sequence[Sequence[str]], labels: Sequence[str] = LABELS) -> list[Written]:
    pieces: list[Written] = []
    for number, (row, label) in enumerate(zip(rows, labels, strict=False)):
        pieces += [words(label, 60, 100 + 25 * number), *values(row, 100 + 25 * number)]
    return pieces


def only_table(pieces: Sequence[Written], rules: Sequence[Rule] = ()) -> ColumnTable:
    (table,) = column_tables(pieces, rules)
    return table


def labels_of(table: ColumnTable) -> list[str]:
    return ["".join(piece.text for piece in row.label) for row in table.rows]


FULL = [["0", "12", "0", "0", "3", "0", "15"]] * 6


def test_columns_are_where_the_values_stand() -> None:
    table = only_table(table_of(FULL))
    assert len(table.edges) == 8
    assert all(table.edges[n] < 200 + 40 * n - 6 and 200 + 40 * n < table.edges[n + 1] for n in range(7))
    assert labels_of(table) == LABELS


def test_a_row_with_few_values_and_one_with_none_are_rows() -> None:
    rows = [*FULL[:3], ["", "4", "", "", "", "", ""], [""] * 7, FULL[0]]
    assert labels_of(only_table(table_of(rows))) == LABELS


def test_labels_of_two_lines_stand_around_their_values() -> None:
    pieces = []
    for number, label in enumerate(LABELS):
        middle = 100 + 40 * number
        pieces += [words(label, 60, middle - 7), words("its rest", 60, middle + 7), *values(FULL[0], middle)]
    assert labels_of(only_table(pieces)) == [label + "its rest" for label in LABELS]


def test_the_label_of_a_group_between_two_rows_makes_none_and_is_parted_from_a_label_that_it_touches() -> None:
    pieces = [piece for piece in table_of(FULL) if piece.text != LABELS[3]]
    pieces += [words("of", 30, 162), Written((30, 170, 95, 180), "group4. fourth", is_value=False)]
    table = only_table(pieces)
    assert labels_of(table) == LABELS
    assert ["".join(piece.text for piece in row.group) for row in table.rows].count("") == 5


def test_rules_of_which_a_half_is_left_part_the_rows() -> None:
    rules = [Rule(112.0 + 25 * number, 180.0, 350.0) for number in range(-1, 6)]
    bottoms = [row.bottom for row in only_table(table_of(FULL), rules).rows]
    assert bottoms == pytest.approx([112 + 25 * number for number in range(6)])


def test_what_is_left_of_a_rule_is_no_value() -> None:
    dash = Written((428, 111, 440, 113), "-", is_value=True)
    rules = [Rule(112.0 + 25 * number, 180.0, 420.0) for number in range(-1, 6)]
    assert len(only_table([*table_of(FULL), dash], rules).rows) == 6


def test_a_mark_before_the_label_is_no_value() -> None:
    hole = Written((20, 96, 36, 104), "0", is_value=True)
    assert len(only_table([hole, *table_of(FULL)]).edges) == 8


def test_a_number_that_a_seal_adds_to_one_row_makes_no_column() -> None:
    stroke = Written((216, 121, 222, 129), "1", is_value=True)
    assert len(only_table([*table_of(FULL), stroke]).edges) == 8


def test_a_column_that_may_be_missed_makes_no_table() -> None:
    rows = [[*row[:5], "", row[6]] for row in FULL]
    assert column_tables(table_of(rows), ()) == []
    # Two rows that fill their columns prove nothing.
    assert column_tables(table_of([*FULL[:2], *([["1", "", "2", "", "", "", ""]] * 4)]), ()) == []


def test_heads_and_prose_are_no_rows() -> None:
    pieces = [words("a long line of prose that runs from the labels into the values", 30, 70), *table_of(FULL)]
    pieces += [words("人数", 230, 85), words("another line of prose that runs over everything else", 30, 250)]
    assert labels_of(only_table(pieces)) == LABELS


def test_a_single_row_is_one_if_its_values_are_evenly_apart() -> None:
    row = [str(number % 10) for number in range(15)]
    assert len(only_table(values(row, 100, pitch=30)).edges) == 16
    assert column_tables(values([*row[:7], "", *row[8:]], 100, pitch=30), ()) == []


@pytest.mark.parametrize("seed", range(40))
def test_no_strewing_of_pieces_fails(seed: int) -> None:
    random = np.random.default_rng(seed)
    pieces = []
    for _ in range(int(random.integers(1, 120))):
        left, middle = (int(way) for way in random.integers(0, (420, 160)))
        text = str(
            random.choice(["0", "12", "-", "无", "1. 属于", "公开", "(三)不予4.保护", "一长行文字在此处一长行文字"])
        )
        size = 5 if random.random() < 0.9 else 40
        box = (float(left - left % 40), middle - size, left - left % 40 + 9.0 * len(text), float(middle + size))
        pieces.append(Written(box, text, is_value=text in ("0", "12", "-", "无")))
    rules = [Rule(float(at), 0.0, 400.0) for at in random.integers(0, 160, int(random.integers(0, 8)))]
    for table in column_tables(pieces, rules):
        assert all(before < after for before, after in zip(table.edges, table.edges[1:], strict=False))
        assert all(row.top <= row.bottom for row in table.rows)


@needs_font
def test_a_page_with_level_rules_alone_is_read_cell_by_cell() -> None:
    image = Image.new("L", (1240, 1754), 255)
    draw = ImageDraw.Draw(image)
    figures = [[str((row * 7 + col * 3) % 10) for col in range(7)] for row in range(8)]
    figures[5] = ["", "", "4", "", "", "", "4"]
    for row in range(8):
        draw.line((120, 270 + 60 * row, 700, 270 + 60 * row), fill=30, width=2)
        draw.text((250, 285 + 60 * row), f"{row + 1}. kind {'abcdefgh'[row]}", font=font(24), fill=10)
        for col, text in enumerate(figures[row]):
            draw.text((560 + 90 * col, 300 + 60 * row), text, font=font(24), fill=10, anchor="rm")
    draw.text((120, 500), "Kinds", font=font(24), fill=10)
    page = read_image(np.asarray(image), *SIZE)
    grid: ScannedGrid = max(page.grids, key=lambda grid: len(grid.cells))
    rows = [[cell.text for cell in grid.cells if cell.row == row][-7:] for row in range(grid.rows)]
    assert grid.source == "aligned"
    assert rows == figures


def test_values_in_a_grid_below_heads_in_the_text_are_found() -> None:
    table = next(table for form in load_forms().values() for table in form.tables if table.id == "disputes")
    text = "行政复议 行政诉讼\n未经复议直接起诉 复议后起诉\n结果维持 结果纠正 其他结果 尚未审结 总计\n"
    cells = []
    for number in range(15):
        cells.append(PrintedCell("3", 0, number, 1, 1, Evidence(start=len(text), end=len(text) + 1)))
        text += "3\t"
    grid = Table("aligned", tuple(cells), 1, 15, cells[0].evidence.start or 0, len(text))
    found = recognise(Rows(Document("image/png", text, tables=(grid,), scanned=True)), load_forms())[table.covers[0]]
    assert found is not None and found.single is not None
    assert [cell.text for cell in found.single.cells if cell] == ["3"] * 15


def test_heads_tell_the_columns_where_few_values_do() -> None:
    rows = [["", "", "", "", "", "", text] for text in ("12", "0", "3", "105", "7", "0")]
    heads = [Written((178 + 40 * number, 70, 200 + 40 * number, 80), "heads", is_value=False) for number in range(7)]
    wide = Written((218, 50, 360, 60), "a head above several of them", is_value=False)
    table = only_table([*table_of(rows), *heads, wide])
    assert len(table.edges) == 8
    assert labels_of(table) == LABELS
    assert column_tables([*table_of(rows), *heads[:3], *heads[4:], wide], ()) == []
    assert column_tables(table_of(rows), ()) == []


def test_heads_that_nearly_touch_are_columns_evenly_between_the_others() -> None:
    rows = [["", "", "", "", "", "", text] for text in ("12", "0", "3", "105", "7", "0")]
    heads = [Written((178 + 40 * number, 70, 200 + 40 * number, 80), "heads", is_value=False) for number in (0, 5, 6)]
    touching = Written((214, 70, 364, 80), "heads that nearly touch", is_value=False)
    above = Written((214, 40, 364, 50), "a head above several of them", is_value=False)
    assert len(only_table([*table_of(rows), *heads, touching]).edges) == 8
    assert column_tables([*table_of(rows), *heads, above], ()) == []
