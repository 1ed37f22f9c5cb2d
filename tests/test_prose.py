"""What of a document is prose, and where its paragraphs end."""

from __future__ import annotations

import pytest

from extractors.document import Document, Page, Table
from extractors.prose import Prose, find_prose, join_lines
from extractors.text import flat_cell


def places_hold(text: str, prose: Prose) -> bool:
    """Whether every character of the prose stands where its origin says, ends of paragraphs apart."""
    return all(char in ("\n", text[at]) for char, at in zip(prose.text, prose.origin, strict=True))


@pytest.mark.parametrize(
    ("text", "paragraphs"),
    [
        # A wrapped line goes on; the last line of a paragraph ends with a stop.
        (
            "全县通过政府门户网站和政务新媒体主动公开各类政府信息三千二百余条,其中\n"
            "通过政府网站公开一千条,通过政务新媒体公开二千二百余条,均在规定的期限\n内公开。\n二、下一步打算",
            [
                "全县通过政府门户网站和政务新媒体主动公开各类政府信息三千二百余条,其中"
                "通过政府网站公开一千条,通过政务新媒体公开二千二百余条,均在规定的期限内公开。",
                "二、下一步打算",
            ],
        ),
        # A scraper's break behind a comma.
        ("我镇全年公开信息12条,\n其中网站8条。", ["我镇全年公开信息12条,其中网站8条。"]),
        # A heading is no beginning of a sentence, however it ends.
        ("一、总体情况\n全年公开信息12条。", ["一、总体情况", "全年公开信息12条。"]),
        ("(一)主动公开\n(二)依申请公开", ["(一)主动公开", "(二)依申请公开"]),
        # A blank line ends a paragraph.
        ("全年公开信息十二条,\n\n收到申请两件。", ["全年公开信息十二条,", "收到申请两件。"]),
    ],
)
def test_line_ends_in_mid_phrase_are_taken_out(text: str, paragraphs: list[str]) -> None:
    prose = join_lines(text)
    assert prose.text.split("\n") == paragraphs
    assert places_hold(text, prose)


def test_a_sentence_goes_on_over_a_page_end_and_its_page_number() -> None:
    first = "全县通过政府门户网站和政务新媒体主动公开各类政府信息三千二百余条,其中网"
    text = f"{first}\n- 3 -\n\n站一千条。"
    pages = (
        Page(1, 595.0, 842.0, "text", 0, text.index("站一")),
        Page(2, 595.0, 842.0, "text", text.index("站一"), len(text)),
    )
    prose = find_prose(Document("application/pdf", text, pages=pages))
    assert prose.text == f"{first}站一千条。"
    start = prose.text.index("网站一千")
    assert prose.place(start, start + 4) == (text.index("网\n"), text.index("条。"))


def test_tables_and_their_headers_are_no_prose() -> None:
    text = "二、主动公开政府信息情况\n信息内容\n本年制发件数\n规章 3 0 12\n行政许可 451\n三、下一步\n加强培训。"
    stretch = (text.index("规章"), text.index("451") + 3)
    prose = find_prose(Document("text/plain", text), [stretch])
    assert prose.text == "二、主动公开政府信息情况\n三、下一步\n加强培训。"


def test_a_layout_table_that_holds_a_paragraph_is_prose_and_a_table_of_short_cells_is_not() -> None:
    paragraph = (
        "本年度,我局通过门户网站公开信息十二条,其中政策文件三条,办事指南九条,均在规定期限内公开,未发生泄密事件。"
    )
    text = f"索引号 12\n{paragraph}"
    cells = [(flat_cell(line, text.index(line)),) for line in text.split("\n")]
    tables = tuple(
        Table("markup", cell, 1, 1, cell[0].evidence.start or 0, cell[0].evidence.end or 0) for cell in cells
    )
    assert find_prose(Document("text/html", text, tables=tables)).text == paragraph
