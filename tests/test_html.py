"""Web pages as government sites publish them, one trait at a time; all text here is invented."""

from __future__ import annotations

import base64
import quopri
import random
from pathlib import Path

import pytest

from extractors.charset import decode_page
from extractors.document import Document
from extractors.errors import DamagedFile, EmptyFile, LimitExceeded
from extractors.html import read_html

PATH = Path("page.html")
PROSE = "本年度，青禾县人民政府办公室坚持以公开为常态、不公开为例外，围绕群众关切推进政务公开，各项工作平稳有序。"
SECTIONS = f"<p>一、总体情况</p><p>{PROSE}</p><p>五、存在的主要问题及改进情况</p><p>{PROSE}</p>"
TITLE = "青禾县2022年政府信息公开工作年度报告"


def read(page: str | bytes, charset: str | None = None) -> Document:
    """Read a page and check what holds of every document: cells and tables are stretches of the text."""
    data = page.encode() if isinstance(page, str) else page
    document = read_html(data, PATH, charset)
    for table in document.tables:
        previous = table.start
        assert table.source == "markup"
        for cell in table.cells:
            start, end = cell.evidence.start, cell.evidence.end
            assert start is not None and end is not None
            assert document.text[start:end] == cell.text
            assert table.start <= previous <= start <= end <= table.end
            assert "\n" not in cell.text and "\t" not in cell.text
            assert cell.row + cell.rowspan <= table.rows and cell.col + cell.colspan <= table.cols
            previous = end
        slots = [(r, c) for cell in table.cells for r in range(cell.row, cell.row + cell.rowspan)
                 for c in range(cell.col, cell.col + cell.colspan)]  # fmt: skip
        assert len(slots) == len(set(slots)), "cells overlap"
        assert list(table.cells) == sorted(table.cells, key=lambda cell: (cell.row, cell.col))
    assert all(0 <= image.after <= len(document.text) for image in document.images)
    return document


def grid(document: Document, index: int = 0) -> list[tuple[str, int, int, int, int]]:
    """The cells of a table as (text, row, column, rowspan, colspan)."""
    return [(cell.text, cell.row, cell.col, cell.rowspan, cell.colspan) for cell in document.tables[index].cells]


def texts(document: Document, index: int = 0) -> list[list[str]]:
    """The texts of a table, row by row."""
    rows: dict[int, list[str]] = {}
    for cell in document.tables[index].cells:
        rows.setdefault(cell.row, []).append(cell.text)
    return [rows[row] for row in sorted(rows)]


def codes(document: Document) -> list[str]:
    return [problem.code for problem in document.problems]


# Encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb2312", "gbk", "gb18030", "big5", "utf-16"])
@pytest.mark.parametrize("label", ["", "utf-8", "gb2312", "GBK", "big5", "iso-8859-1", "no-such-charset"])
def test_page_is_decoded_whatever_it_declares(encoding: str, label: str) -> None:
    page = f'<html><head><meta charset="{label}"></head><body>{SECTIONS}</body></html>'
    if encoding == "big5":
        page = page.translate(
            str.maketrans("总体况县办为围绕群众关务项稳题进开坚", "總體況縣辦為圍繞群眾關務項穩題進開堅")
        )
        page = page.replace("报", "報").replace("问", "問").replace("对", "對")
    data = page.encode(encoding, errors="ignore")
    expected = data.decode(encoding)
    assert decode_page(data).lstrip("\ufeff") == expected.lstrip("\ufeff")


def test_gb2312_means_gb18030() -> None:
    page = f'<meta http-equiv="Content-Type" content="text/html; charset=gb2312"><p>{TITLE}，镕㐂𠀋</p>{SECTIONS}'
    assert "镕㐂𠀋" in read(page.encode("gb18030")).text


def test_header_charset_counts_before_meta() -> None:
    page = '<meta charset="big5"><p>公开条例</p>'
    assert "公开条例" in decode_page(page.encode("gb18030"), "gb2312")


def test_short_page_trusts_its_declaration() -> None:
    # The bytes of these two characters in GBK are valid UTF-8 by chance.
    assert "联通" in decode_page('<meta charset="gbk"><p>联通</p>'.encode("gbk"))


def test_utf8_page_with_bytes_cut_inside_a_character() -> None:
    data = f'<meta charset="utf-8"><meta name="description" content="{PROSE}'.encode()[:-2]
    data += b'">' + SECTIONS.encode()
    assert PROSE.replace("，", ",") in read(data).text


def test_gbk_page_with_a_utf8_fragment() -> None:
    data = f"<p>{TITLE}</p>{SECTIONS * 4}".encode("gbk") + "<p>版本</p>".encode() + b"\xff\xfe\x80"
    assert TITLE in read(data).text


def test_utf16_without_a_byte_order_mark() -> None:
    assert TITLE in read(f"<html><body><h1>{TITLE}</h1>{SECTIONS}</body></html>".encode("utf-16-le")).text


def test_nul_and_control_characters_do_not_cut_the_page() -> None:
    text = read(f"<p>一、总\x00体\x0b情\x1f况</p><p>&#0;{PROSE}&#xD800;</p><p>末尾</p>").text
    assert "一、总体情况" in text
    assert text.endswith("末尾\n")


def test_full_width_space_of_gbk() -> None:
    assert read(b"<p>" + "姓名".encode("gbk") + b"\xa3\xa0" + ("单位" + PROSE).encode("gbk") + b"</p>").text.startswith(
        "姓名 单位"
    )


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_never_raise_anything_unknown(seed: int) -> None:
    source = random.Random(seed)
    data = bytearray(f"<html><body>{SECTIONS}<table><tr><td>规章<td>1</table></body></html>".encode("gb18030"))
    for _ in range(40):
        data[source.randrange(len(data))] = source.randrange(256)
    assert "\n" in read(bytes(data)).text


# Text as a browser shows it


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<p><span>20</span><span>23</span>年</p>", "2023年"),
        ("<p><b>总</b><font color=red>计</font></p>", "总计"),
        ("<p>1<o:p></o:p>2<st1:chsdate w:st='on'>3</st1:chsdate></p>", "123"),
        ("<p>公开\n    年报</p>", "公开年报"),
        ("<p>annual\n   report</p>", "annual report"),
        ("<p>收件 <b>12</b> 件</p>", "收件 12 件"),
        ("<p>总&nbsp;&nbsp;&nbsp;计</p>", "总 计"),
        ("<p>\u3000\u3000缩进</p>", "缩进"),
        ("<p>零\u200b宽\ufeff字&shy;符&#8203;</p>", "零宽字符"),
        ("甲<br>乙<br/>丙", "甲\n乙\n丙"),
        ("<div>甲<div>乙</div>丙</div>", "甲\n乙\n丙"),
        ("<p>甲<!-- 注释 -->乙</p>", "甲乙"),
        ("<p>（一）１２３</p>", "(一)123"),
        ("<p>⼈⺠政府</p>", "人民政府"),
        ("<p>&ldquo;公开&rdquo;&hellip;&amp;&lt;3&gt;</p>", "“公开”…&<3>"),
        ("<pre>甲\n乙  丙</pre>", "甲\n乙 丙"),
        ("<span style='display:block'>甲</span><span style='display:block'>乙</span>", "甲\n乙"),
        ("<div style='display:inline'>20</div><div style='display: inline'>23</div>", "2023"),
        ("<ol><li>甲</li><li>乙</li></ol>", "1.甲\n2.乙"),
        ("<ol start=3 style='list-style-type:cjk-ideographic'><li>甲</li></ol>", "三、甲"),
        ("<ol class='custom_cn2 list-paddingleft-1'><li><p>甲</p></li><li><p>乙</p></li></ol>", "(一)甲\n(二)乙"),
        ("<ul><li>甲</li></ul>", "甲"),
        ("<ol style='list-style:none'><li>甲</li></ol>", "甲"),
        ("<p>甲</p><script>var x='乙';</script><style>p{}</style><noscript>丙</noscript>", "甲"),
        ("<p>甲<span hidden>乙</span>丙</p>", "甲丙"),
        ("<p>甲<span style='DISPLAY: none'>乙</span>丙</p>", "甲丙"),
        ("<p>甲<span style='mso-hide:all'>乙</span><i style='visibility:hidden'>丁</i>丙</p>", "甲丙"),
        ("<p>甲<xml><w:View>Normal</w:View></xml></p>", "甲"),
        ("<p>甲<select><option>乙</select></p>", "甲"),
        ("<p><![if !supportLists]><span>1.</span><![endif]>甲<!--[if gte mso 9]><xml>x</xml><![endif]--></p>", "1.甲"),
        ("<p>共<del>75</del><ins>3</ins>件</p>", "共3件"),
        ("<ucaptitle>甲</ucaptitle>乙", "甲乙"),
        ("<dl><dt>索引号</dt><dd>123</dd></dl>", "索引号\n123"),
    ],
)
def test_text(markup: str, shown: str) -> None:
    assert read(f"<html><body>{markup}</body></html>").text == shown + "\n"


def test_hidden_content_is_read_where_nothing_else_is_the_report() -> None:
    hidden = f"<div style='display:none'>{SECTIONS}<p>四、政府信息公开行政复议、行政诉讼情况</p></div>"
    assert PROSE.replace("，", ",") in read(f"<h1>{TITLE}</h1>{hidden}").text
    shown = read(f"<h1>{TITLE}</h1>{SECTIONS}<p>四、政府信息公开行政复议、行政诉讼情况</p>{hidden}").text
    assert shown.count("一、总体情况") == 1


def test_unclosed_hidden_element_does_not_swallow_the_report() -> None:
    assert "总体情况" in read(f"<p>{TITLE}</p><noscript><img src=a.gif>{SECTIONS}<p>行政复议</p>").text


# Tables


def test_spans_become_grid_coordinates() -> None:
    document = read(
        "<table><tr><td rowspan=2>信息<br>内容</td><td colspan=2>制发件数</td></tr>"
        "<tr><td>1</td><td>2</td></tr></table>"
    )
    assert grid(document) == [
        ("信息内容", 0, 0, 2, 1), ("制发件数", 0, 1, 1, 2), ("1", 1, 1, 1, 1), ("2", 1, 2, 1, 1),
    ]  # fmt: skip
    assert document.text == "信息内容\t制发件数\n1\t2\n"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("<p>商业</p><p>企业</p>", "商业企业"),
        ("商业<br>企业", "商业企业"),
        ("1<br>2", "1 2"),
        ("<p>1</p><p>2</p>", "1 2"),
        ("<span>1</span><span>2</span>", "12"),
        ("<p><span>1</span>\n<span></span></p>", "1"),
        ("&nbsp;", ""),
        ("<p>&nbsp;</p><p><br></p>", ""),
        ("<p class=MsoNormal><span lang=EN-US>0<o:p></o:p></span></p>", "0"),
        ("增<br>2", "增2"),
        ("2876.48<br>万元", "2876.48万元"),
        ("<a href='x'>3</a>", "3"),
        ("1\n  234", "1 234"),
        ("<font>-</font>", "-"),
        ("<div><div>7</div></div>", "7"),
        ("<table><tr><td>8</td></tr></table>", "8"),
    ],
)
def test_cell_text(cell: str, text: str) -> None:
    assert texts(read(f"<table><tr><th>规章</th><td>{cell}</td><td>末</td></tr></table>")) == [["规章", text, "末"]]


def test_empty_cells_have_an_empty_stretch_at_their_place() -> None:
    document = read("<table><tr><td>a</td><td></td><td>&nbsp;</td><td>b</td></tr></table>")
    assert document.text == "a\t\t\tb\n"
    assert [(cell.evidence.start, cell.evidence.end) for cell in document.tables[0].cells] == [
        (0, 1), (2, 2), (3, 3), (4, 5),
    ]  # fmt: skip


def test_ragged_rows_and_unclosed_cells() -> None:
    assert texts(read("<table><tr><td>1<td>2<td>3<tr><td>4<tr><th>5<td>6</table>")) == [
        ["1", "2", "3"],
        ["4"],
        ["5", "6"],
    ]


def test_row_groups_come_in_visual_order() -> None:
    page = (
        "<table><tfoot><tr><td>合计</td><td>3</td></tr></tfoot><tbody><tr><td>a</td><td>3</td></tr></tbody>"
        "<thead><tr><td>项</td><td>数</td></tr></thead></table>"
    )
    assert texts(read(page)) == [["项", "数"], ["a", "3"], ["合计", "3"]]


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("rowspan=65534", 2),
        ("rowspan=0", 2),
        ("rowspan=-1", 1),
        ("rowspan='2.7'", 2),
        ("rowspan='x'", 1),
        ("rowspan='99999999999999999999'", 2),
    ],
)
def test_absurd_rowspans_are_clipped(first: str, expected: int) -> None:
    page = f"<table><tr><td {first}>a</td><td>b</td></tr><tr><td>c</td></tr></table>"
    cells = grid(read(page))
    assert cells[0] == ("a", 0, 0, expected, 1)
    assert cells[2][2] == (1 if expected == 2 else 0)


def test_absurd_colspans_are_clipped() -> None:
    page = "<table><tr><td colspan=1000000>说明</td></tr><tr><td>a</td><td colspan=0>b</td></tr></table>"
    assert grid(read(page)) == [("说明", 0, 0, 1, 2), ("a", 1, 0, 1, 1), ("b", 1, 1, 1, 1)]


def test_colspan_does_not_run_into_a_cell_from_above() -> None:
    page = (
        "<table><tr><td>a</td><td rowspan=2>b</td><td>c</td></tr><tr><td colspan=3>d</td></tr>"
        "<tr><td>1</td><td>2</td><td>3</td></tr></table>"
    )
    assert ("d", 1, 0, 1, 1) in grid(read(page))


def test_columns_and_rows_without_a_cell_of_their_own_vanish() -> None:
    page = (
        "<table><tr><td colspan=2 rowspan=2>a</td><td colspan=3>b</td></tr><tr></tr>"
        "<tr><td colspan=2>c</td><td colspan=3>d</td></tr></table>"
    )
    assert grid(read(page)) == [("a", 0, 0, 1, 1), ("b", 0, 1, 1, 1), ("c", 1, 0, 1, 1), ("d", 1, 1, 1, 1)]


def test_hidden_rows_and_cells_of_spreadsheets_are_not_read() -> None:
    page = (
        "<table><tr><td>a</td><td style='display:none'>x</td><td>b</td></tr>"
        "<![if supportMisalignedColumns]><tr height=0 style='display:none'><td width=72></td></tr><![endif]></table>"
    )
    assert texts(read(page)) == [["a", "b"]]


def test_layout_tables_are_text_and_the_inner_table_is_the_table() -> None:
    inner = "<table border=1><tr><td>规章</td><td>1</td></tr><tr><td>规范性文件</td><td>3</td></tr></table>"
    page = (
        f"<table><tr><td>&nbsp;</td><td><table><tr><td><h1>{TITLE}</h1><p>来源：县政府办</p>{SECTIONS}{inner}"
        "<p>六、其他需要报告的事项</p></td></tr></table></td></tr></table>"
    )
    document = read(page)
    assert len(document.tables) == 1
    assert texts(document) == [["规章", "1"], ["规范性文件", "3"]]
    assert document.text.startswith(f"{TITLE}\n来源:县政府办\n一、总体情况\n")
    assert document.text.endswith("六、其他需要报告的事项\n")


def test_prose_row_inside_a_data_table_splits_it() -> None:
    page = (
        "<table><tr><td>单位</td><td>青禾县</td></tr>"
        f"<tr><td colspan=2><p>一、总体情况</p><p>{PROSE * 6}</p></td></tr>"
        "<tr><td>规章</td><td>1</td></tr><tr><td>总计</td><td>2</td></tr></table>"
    )
    document = read(page)
    assert texts(document, 0) == [["单位", "青禾县"]]
    assert texts(document, 1) == [["规章", "1"], ["总计", "2"]]
    assert "\n一、总体情况\n本年度" in document.text


def test_long_label_beside_figures_stays_a_cell() -> None:
    label = "其他对外管理服务事项（" + "包括行政确认、行政奖励等各类事项。" * 20 + "）"
    document = read(f"<table><tr><td>项目</td><td>数</td></tr><tr><td>{label}</td><td>12</td></tr></table>")
    assert len(texts(document)[1][0]) > 300
    assert texts(document)[1][1] == "12"


def test_one_column_table_is_text() -> None:
    document = read("<table><tr><td><p>甲</p><p>乙</p></td></tr><tr><td>丙</td></tr></table>")
    assert document.tables == ()
    assert document.text == "甲\n乙\n丙\n"


def test_nested_data_table_is_a_table_of_its_own() -> None:
    inner = "<table><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></table>"
    rows = ("<td>甲</td><td>乙</td>", f"<td>总计</td><td>{inner}</td>", "<td>丙</td><td>丁</td>")
    page = "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"
    document = read(page)
    assert [texts(document, index) for index in range(3)] == [
        [["甲", "乙"]], [["1", "2"], ["3", "4"]], [["丙", "丁"]],
    ]  # fmt: skip
    assert "总计" in document.text


def test_template_without_a_single_value_stays_a_table() -> None:
    row = "<tr><td>规章</td><td></td><td></td><td></td></tr>"
    page = f"<table><tr><td>信息内容</td><td>制发件数</td><td>废止件数</td><td>现行有效件数</td></tr>{row * 2}</table>"
    assert [len(row) for row in texts(read(page))] == [4, 4, 4]


def test_rows_between_forms_stray_text_and_cut_off_tables() -> None:
    page = "<table>说明<form action=x><tr><td>1</td><td>2</td>尾</tr></form><tr><td>3</td><td>4</td></tr></table>"
    document = read(page)
    assert texts(document) == [["1", "2"], ["3", "4"]]
    assert "说明" in document.text and "尾" in document.text
    assert texts(read("<div><tr><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></div>")) == [
        ["1", "2"],
        ["3", "4"],
    ]
    assert texts(read("<table><td>1</td><td>2</td><tr><td>3</td><td>4</td></table>")) == [["1", "2"], ["3", "4"]]


def test_tables_by_style_and_by_role() -> None:
    styled = "<div style='display:table'>" + "".join(
        f"<div style='display: table-row'><span style='display:table-cell'>{a}</span>"
        f"<span style='display:table-cell'>{b}</span></div>"
        for a, b in (("规章", 1), ("总计", 2))
    )
    assert texts(read(styled + "</div>")) == [["规章", "1"], ["总计", "2"]]
    role = "<div role=table><div role=row><div role=columnheader>规章</div><div role=cell>1</div></div></div>"
    assert texts(read(role)) == [["规章", "1"]]


def test_captions_are_text_before_the_table() -> None:
    assert read("<table><caption>表一</caption><tr><td>1</td><td>2</td></tr></table>").text == "表一\n1\t2\n"


# Content and chrome

LINKS = "".join(
    f'<li><a href="/c/{name}.html">{name}</a></li>' for name in ("首页", "走进青禾", "新闻中心", "政务公开", "办事")
)
HEAD = (
    f"<div class=top>今天是2024年3月8日 星期五 <a href=/>登录</a></div><ul>{LINKS}</ul>"
    "<div>您现在的位置：<a href=/>首页</a> &gt; <a href=/zw/>政务公开</a> &gt; 年度报告</div>"
)
META = (
    "<table><tr><td>索 引 号：</td><td>QH-2023-0008</td><td>发布机构：</td><td>青禾县人民政府办公室</td></tr>"
    "<tr><td>发布日期：</td><td>2023-01-19</td><td>文 号：</td><td></td></tr></table>"
)
BYLINE = (
    "<p>发布时间：2023-01-19 来源：县政府办 浏览次数：<span id=hits></span> 字号：[大 中 小] <a href=#>打印</a></p>"
)
FOOT = (
    "<p>上一篇：<a href=a>青禾县2021年政府信息公开工作年度报告</a></p><p>下一篇：没有了</p>"
    "<div>主办：青禾县人民政府 承办：青禾县大数据中心</div><div>网站标识码：0000000000 示ICP备00000000号</div>"
)


def test_site_chrome_falls_away_and_metadata_stays() -> None:
    document = read(f"<body>{HEAD}{META}<h1>{TITLE}</h1>{BYLINE}<div>{SECTIONS}</div><p>2023年1月18日</p>{FOOT}</body>")
    lines = document.text.splitlines()
    assert texts(document) == [
        ["索 引 号:", "QH-2023-0008", "发布机构:", "青禾县人民政府办公室"], ["发布日期:", "2023-01-19", "文 号:", ""],
    ]  # fmt: skip
    assert lines[2] == TITLE
    assert lines[3].startswith("发布时间:2023-01-19 来源:县政府办")
    assert lines[-1] == "2023年1月18日"
    for chrome in ("走进青禾", "位置", "今天是", "上一篇", "2021年", "主办", "ICP"):
        assert chrome not in document.text


def test_content_in_sibling_containers_is_not_lost() -> None:
    parts = [
        f"<div class=p{index}><p>{numeral}、标题</p><p>{PROSE}{index}</p></div>"
        for index, numeral in enumerate("一二三四五六")
    ]
    side = f"<div class=side><ul>{LINKS}</ul></div>"
    text = read(f"<body>{HEAD}<h1>{TITLE}</h1>{side.join(parts)}{FOOT}</body>").text
    assert all(f"有序。{index}" in text for index in range(6))
    assert "走进青禾" not in text


def test_title_that_is_a_link_and_pages_without_any_anchor() -> None:
    assert TITLE in read(f"<div><a href=#>{TITLE}</a></div>{SECTIONS}").text
    assert read("<p>您访问的页面不存在</p>").text == "您访问的页面不存在\n"


def test_narrative_without_numbered_sections() -> None:
    page = f"<body>{HEAD}<h2>{TITLE}</h2><p>{PROSE}</p><p>短句。</p><p>{PROSE}</p><p>青禾县人民政府</p>{FOOT}</body>"
    lines = read(page).text.splitlines()
    assert lines[0] == TITLE and lines[-1] == "青禾县人民政府"
    assert "短句。" in lines


def test_footer_words_inside_the_report_do_not_end_it() -> None:
    page = f"<p>一、总体情况</p><p>主办：县政府办的活动共三次。</p><p>版权所有的材料不公开。</p>{SECTIONS}"
    assert "六、" not in read(page).text
    assert "版权所有的材料不公开。" in read(page).text


def test_data_table_of_links_in_the_navigation_is_dropped_and_figures_in_links_are_not() -> None:
    menu = "<table><tr>" + "".join(f"<td><a href={n}>栏目{n}</a></td>" for n in range(5)) + "</tr></table>"
    data = "<table><tr><td>规章</td><td><a href=x>5</a></td></tr><tr><td>信息内容</td><td>3</td></tr></table>"
    document = read(f"{menu}<h1>{TITLE}</h1>{SECTIONS}{data}{menu}")
    assert len(document.tables) == 1
    assert texts(document) == [["规章", "5"], ["信息内容", "3"]]


# Hints, images, frames, attachments


def test_hints() -> None:
    page = (
        f"<head><title> {TITLE}\n_青禾县 </title><meta name=ArticleTitle content='{TITLE}'><meta name=PubDate "
        "content='2023-01-19 09:10'><meta name=ContentSource content='县政府办'><meta name=empty content=''></head>"
    )
    hints = read(f"<html>{page}<body>{SECTIONS}</body></html>").hints
    assert hints == {
        "title": f"{TITLE} _青禾县", "ArticleTitle": TITLE, "PubDate": "2023-01-19 09:10", "ContentSource": "县政府办",
    }  # fmt: skip


def test_images_stand_at_their_place_and_icons_do_not_count() -> None:
    page = (
        "<img src=/images/banner.jpg><p>一、总体情况</p><p>见下图</p>"
        "<p><img src='/W0202301/table1.png?v=2' width=600></p>"
        "<p>二、其他<img src=icon_pdf.gif><img src=dot.png width=1 height=1><img src='data:image/gif;base64,R0lG'>"
        "<img src=e.png style='width:20px;height:20px'></p>"
        f"<img src='data:image/png;base64,{'A' * 9000}'>"
    )
    document = read(page)
    assert [(image.reference, image.width) for image in document.images] == [("table1.png", 600.0), ("embedded", None)]
    assert document.text[: document.images[0].after].endswith("见下图\n")
    assert document.images[1].after == len(document.text)


def test_image_as_a_value_stands_at_its_cell() -> None:
    document = read("<table><tr><td>规章</td><td><img src=v.png></td><td>3</td></tr></table>")
    assert texts(document) == [["规章", "", "3"]]
    assert document.images[0].after == document.tables[0].cells[1].evidence.start


def test_page_that_is_one_picture() -> None:
    document = read(f"<h1>{TITLE}</h1><p align=center><img src=report.jpg></p>")
    assert [image.reference for image in document.images] == ["report.jpg"]


@pytest.mark.parametrize(
    "markup", ["<embed src='r.pdf'>", "<object data='/f/r.pdf'>旧</object>", "<iframe src='r.pdf?x=1'></iframe>",
               "<a href='/f/r.docx'>附件</a>"],
)  # fmt: skip
def test_attachments_are_problems_at_their_place(markup: str) -> None:
    document = read(f"<p>{TITLE}</p><p>{PROSE}</p>{markup}")
    assert codes(document) == ["html.attachment"]
    evidence = document.problems[0].evidence
    assert evidence is not None and evidence.start is not None
    assert document.text[: evidence.start].endswith("有序。\n")


def test_frames_are_named_and_not_fetched() -> None:
    assert codes(read("<frameset rows=*><frame src=http://example.com/a.htm></frameset>")) == ["html.frame"]
    assert codes(read(f"<h1>{TITLE}</h1><iframe src=body.html></iframe>")) == ["html.frame"]
    assert codes(read(f"<h1>{TITLE}</h1>{SECTIONS * 4}<iframe src=counter.html></iframe>")) == []


# Pages saved by other programs


def test_mhtml() -> None:
    page = f"<html><body><h1>{TITLE}</h1>{SECTIONS}</body></html>"
    for encoding, body in (
        ("base64", base64.encodebytes(page.encode("gb18030"))),
        ("quoted-printable", quopri.encodestring(page.encode("gb18030"))),
    ):
        head = (
            "From: <Saved by a browser>\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/related;\r\n\tboundary="--x"\r\n\r\n'
            '----x\r\nContent-Type: text/html; charset="gb2312"\r\n'
            f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
        )
        document = read(head.encode() + body + b"\r\n----x\r\nContent-Type: image/png\r\n\r\nxx\r\n----x--\r\n")
        assert document.media_type == "multipart/related"
        assert document.text.startswith(TITLE)
    with pytest.raises(DamagedFile):
        read(b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=x\r\n\r\n--x\r\n\r\nabc\r\n--x--\r\n")


def test_word_markup() -> None:
    cell = (
        "<td width=57 rowspan=1 style='width:42.55pt;border:solid windowtext 1.0pt;padding:0cm 5.4pt 0cm 5.4pt'>"
        "<p class=MsoNormal align=center style='text-align:center;mso-pagination:widow-orphan'><span lang=EN-US\n"
        "style='font-size:10.0pt;mso-bidi-font-family:宋体'>{}</span><span style='mso-hide:all'>x</span>"
        "<span lang=EN-US><o:p></o:p></span></p></td>"
    )
    row = (
        "<tr style='mso-yfti-irow:1;height:18pt'>"
        + "".join(cell.format(value) for value in ("规章", "1<span>2</span>", "&nbsp;"))
        + "</tr>"
    )
    page = (
        "<html xmlns:o='urn:office'><head><meta http-equiv=Content-Type content='text/html; charset=gb2312'>"
        "<!--[if gte mso 9]><xml><w:WordDocument></w:WordDocument></xml><![endif]--><style>"
        '<!-- p{mso-style-parent:""} --></style></head><body lang=ZH-CN><div class=WordSection1>'
        "<p class=MsoNormal><b><span style='font-family:黑体'>一、总体\n情况</span></b></p>"
        f"<table class=MsoNormalTable>{row}{row}</table><p class=MsoListParagraph><![if !supportLists]>"
        "<span>（一）<span style='font:7.0pt \"Times New Roman\"'>&nbsp; </span></span><![endif]>重点工作</p>"
        "</div></body></html>"
    )
    document = read(page.encode("gb18030"))
    assert texts(document) == [["规章", "12", ""], ["规章", "12", ""]]
    assert document.text.startswith("一、总体情况\n")
    assert document.text.endswith("(一) 重点工作\n")


# Bounds and hostile pages


def test_external_entities_and_scripts_do_nothing() -> None:
    page = (
        '<?xml version="1.0" encoding="gb2312"?><!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
        "<p>&x;甲</p><script src=http://example.com/a.js></script><link rel=stylesheet href=http://example.com/a.css>"
    )
    text = read(page).text
    assert "甲" in text and "root:" not in text


@pytest.mark.parametrize("tag", ["div", "font", "span", "b", "blockquote", "ul", "a href=x"])
def test_unclosed_elements_without_end(tag: str) -> None:
    page = f"<{tag}>" * 5000 + f"<p>{PROSE}</p>"
    assert PROSE.replace("，", ",") in read(page + "<table><tr><td>1</td><td>2</td></tr></table><p>末尾</p>").text


def test_tables_nested_without_end() -> None:
    page = "<table><tr><td>甲</td><td>" * 400 + "最内" + "</td></tr></table>" * 400
    assert "最内" in read(page).text


def test_size_limits() -> None:
    with pytest.raises(LimitExceeded):
        read_html(b" " * 50_000_001, PATH)
    with pytest.raises(LimitExceeded):
        read("<table>" + "<tr><td>1<td>2" * 5001 + "</table>")
    with pytest.raises(LimitExceeded):
        read("<table><tr>" + "<td>1" * 201 + "</table>")


@pytest.mark.parametrize(
    "page", ["", "   \n ", "<!-- x -->", "<html><head><title>x</title></head><body></body></html>", "\ufeff"]
)
def test_empty_pages(page: str) -> None:
    with pytest.raises(EmptyFile):
        read(page)


def test_page_that_a_script_shows() -> None:
    assert "甲" in read("<html><body style='display:none'><p>甲</p></body></html>").text
    text = read(f"<p>{TITLE}</p><div style='visibility:hidden'>{PROSE * 9}</div>").text
    assert text.count("有序。") == 9


@pytest.mark.parametrize("words", ["返回首页", "大 ", "字号：", "扫一扫", "打印本页", "首页"])
def test_lines_of_chrome_words_take_no_time(words: str) -> None:
    line = (words * 60)[:110] + "甲"
    assert line.replace("：", ":").strip() in read(f"<p>{line}</p>").text


def test_hidden_elements_within_hidden_elements() -> None:
    page = "<div hidden>" * 1500 + f"<p>{PROSE * 50}</p>" + "</div>" * 1500 + SECTIONS
    assert "一、总体情况" in read(page).text


def test_page_that_the_parser_leaves_in_the_head() -> None:
    page = f"<html><head><title>x</title><meta name=a content=b><cms_x y=1><p>{TITLE}</p>{SECTIONS}</html>"
    assert read(page).text.startswith(TITLE)
