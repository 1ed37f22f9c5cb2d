"""A report as a web page, as government sites and their editors produce it."""

from __future__ import annotations

import base64
import html
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from tests.generator.content import Heading, Paragraph, SampleReport
from tests.generator.grid import Grid, GridCell
from tests.generator.prose import print_date
from tests.generator.truth import Written, with_status, without_cells, written

TEMPLATES = ("plain", "portal", "bureau", "word", "old")
CHARSETS = ("utf-8", "gb2312", "gbk", "gb18030", "undeclared_utf8", "undeclared_gbk", "wrong_utf8", "wrong_gbk", "bom")
PICTURES = ("", "data", "beside", "lost")


@dataclass(frozen=True, slots=True)
class Page:
    """How a page is made.

    ``spans``: ``proper``, ``lost`` (attributes gone, rows short) or ``filled`` (merged cells as empty ones).
    ``cut``: digits and words cut across nested spans. ``nested``: layout tables around the content.
    ``row_split``: tables split over several ``<table>``.
    ``wide_spans``: captions over a thousand columns. ``pictures``: how the applications and disputes tables are
    shown, if not as markup: ``data`` (a data URI), ``beside`` (a file beside the page), ``lost`` (no file).
    ``font``: the family of all text, for printing.
    """

    template: str = "portal"
    charset: str = "utf-8"
    spans: str = "proper"
    cut: bool = False
    breaks: bool = False
    nested: bool = False
    row_split: bool = False
    header_cells: bool = False
    unclosed: bool = False
    empty_paragraphs: bool = False
    wide_spans: bool = False
    pictures: str = ""
    font: str = ""


def random_page(rng: random.Random) -> Page:
    """A page as some site might make it."""
    return Page(
        template=rng.choice(TEMPLATES),
        charset="utf-8" if rng.random() < 0.5 else rng.choice(CHARSETS),
        spans="proper" if rng.random() < 0.7 else rng.choice(("lost", "filled")),
        cut=rng.random() < 0.3,
        breaks=rng.random() < 0.3,
        nested=rng.random() < 0.3,
        row_split=rng.random() < 0.15,
        header_cells=rng.random() < 0.2,
        unclosed=rng.random() < 0.12,
        empty_paragraphs=rng.random() < 0.2,
        wide_spans=rng.random() < 0.06,
    )


def write_html(
    report: SampleReport, path: Path, page: Page | None = None, *, seed: int | None = None,
    draw: Callable[[Grid], bytes] | None = None,
) -> Written:  # fmt: skip
    """Write ``report`` as a page; ``draw`` makes the PNG of a table where ``page.pictures`` asks for one."""
    rng = random.Random(f"html/{report.seed if seed is None else seed}")
    page = page or random_page(rng)
    report, pictures = _pictured(report, page, path, draw)
    page_day = report.published + timedelta(days=rng.choice((0, 0, 0, 0, rng.randint(1, 9))))
    body = "\n".join(_part_html(part, page, pictures, rng) for part in report.parts)
    shell = {"plain": _plain, "portal": _portal, "bureau": _bureau, "word": _word, "old": _old}[page.template]
    text = shell(report, body, page_day, rng)
    if page.font:
        text = text.replace("</head>", f"<style>body,td{{font-family:'{page.font}'}}</style></head>", 1)
    if page.nested:
        text = text.replace("<!--body-->", "<table width='100%'><tr><td><table><tr><td>", 1)
        text = text.replace("<!--/body-->", "</td></tr></table></td></tr></table>", 1)
    path.write_bytes(_encode(text, page.charset))
    layout = ["format:html", f"html:{page.template}", f"charset:{page.charset}", f"spans:{page.spans}"]
    flags = ("cut", "breaks", "nested", "row_split", "header_cells", "unclosed", "empty_paragraphs", "wide_spans")
    layout += [f"html:{flag}" for flag in flags if getattr(page, flag)]
    layout += [f"picture:{page.pictures}"] if page.pictures else []
    dated = page.template in ("portal", "bureau", "old")
    heads = (_head_title(report),) if not report.title and page.template in ("portal", "bureau") else ()
    return written(path, report, layout, page_day=page_day if dated else None, titles=heads)


def _pictured(
    report: SampleReport, page: Page, path: Path, draw: Callable[[Grid], bytes] | None
) -> tuple[SampleReport, dict[str, str]]:
    """The report without the tables that are pictures, and the image tag of each by table name."""
    if not page.pictures:
        return report, {}
    names = ("applications", "disputes", "indicators")
    tags: dict[str, str] = {}
    for grid in report.grids:
        if grid.name in names and grid.name not in tags:
            tags[grid.name] = _picture_tag(grid, page, path, draw)
    prefixes = tuple(f"{name}." for name in names)
    if report.form == "2014":
        prefixes = ("",)
    if page.pictures == "lost":
        return without_cells(report, prefixes), tags
    keys = [key for key in report.cells if key.startswith(prefixes)]
    return with_status(report, keys, "image"), tags


def _picture_tag(grid: Grid, page: Page, path: Path, draw: Callable[[Grid], bytes] | None) -> str:
    if page.pictures == "lost" or draw is None:
        return f'<p align="center"><img src="/files/{grid.name}_W020.png" alt=""></p>'
    picture = draw(grid)
    if page.pictures == "data":
        return f'<p><img src="data:image/png;base64,{base64.b64encode(picture).decode()}"></p>'
    beside = path.with_name(f"{path.stem}_{grid.name}.png")
    beside.write_bytes(picture)
    return f'<p><img src="./{beside.name}" width="640"></p>'


def _encode(text: str, charset: str) -> bytes:
    """The page in its bytes, with the declaration that the charset scheme asks for."""
    real = {"undeclared_utf8": "utf-8", "undeclared_gbk": "gbk", "wrong_utf8": "gb18030", "wrong_gbk": "utf-8",
            "bom": "utf-8-sig"}.get(charset, charset)  # fmt: skip
    declared = {"undeclared_utf8": "", "undeclared_gbk": "", "wrong_utf8": "utf-8", "wrong_gbk": "gb2312",
                "bom": "utf-8"}.get(charset, charset)  # fmt: skip
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">' if declared else ""
    return text.replace("<!--charset-->", meta, 1).encode(real, "xmlcharrefreplace")


def _part_html(part: object, page: Page, pictures: dict[str, str], rng: random.Random) -> str:
    if isinstance(part, Grid):
        return pictures[part.name] if part.name in pictures else table_html(part, page, rng)
    assert isinstance(part, Heading | Paragraph)
    text = _words(part.text, page, rng)
    gap = "<p><o:p>&nbsp;</o:p></p>" if page.empty_paragraphs and rng.random() < 0.3 else ""
    if isinstance(part, Heading):
        return gap + rng.choice((f"<h3>{text}</h3>", f"<p><strong>{text}</strong></p>", f"<p>　　<b>{text}</b></p>"))
    align = ' style="text-align: right"' if part.align == "right" else ""
    return f"{gap}<p{align}>　　{text}</p>" if not align else f"<p{align}>{text}</p>"


def _words(text: str, page: Page, rng: random.Random) -> str:
    """Escaped text; where the page is cut, digits and words run over several spans."""
    if not page.cut or not text:
        return html.escape(text, quote=False)
    pieces: list[str] = []
    rest = text
    while rest:
        size = rng.randint(1, 9)
        piece, rest = html.escape(rest[:size], quote=False), rest[size:]
        tag = rng.choice(('<span style="font-family:仿宋_GB2312">{}</span>', '<font face="宋体"><span>{}</span></font>',
                          "{}", '<span lang="EN-US">{}</span>'))  # fmt: skip
        pieces.append(tag.format(piece))
    return "".join(pieces)


def table_html(grid: Grid, page: Page, rng: random.Random) -> str:
    """The table as markup, in one ``<table>`` or several."""
    rows = [_row_html(grid, number, row, page, rng) for number, row in enumerate(grid.by_row())]
    opening = rng.choice((
        '<table border="1" cellspacing="0" cellpadding="0">',
        '<table class="MsoNormalTable" style="border-collapse:collapse">',
        '<table width="640"><colgroup>' + "<col>" * grid.cols + "</colgroup>",
    ))  # fmt: skip
    if page.row_split and grid.rows > 8 and page.spans != "proper":
        middle = grid.rows // 2
        return f"{opening}{''.join(rows[:middle])}</table><p></p>{opening}{''.join(rows[middle:])}</table>"
    return f"{opening}<tbody>{''.join(rows)}</tbody></table>"


def _row_html(grid: Grid, number: int, row: list[GridCell], page: Page, rng: random.Random) -> str:
    cells = [_cell_html(cell, page, rng) for cell in row]
    if page.spans == "filled":
        cells = _filled(grid, number, row, page, rng)
    end = "" if page.unclosed else "</tr>"
    return f"<tr>{''.join(cells)}{end}\n"


def _filled(grid: Grid, number: int, row: list[GridCell], page: Page, rng: random.Random) -> list[str]:
    """One ``td`` for every slot; slots that a span covered are empty."""
    starts = {cell.col: cell for cell in row}
    return [_cell_html(starts[col], page, rng) if col in starts else "<td></td>" for col in range(grid.cols)]


def _cell_html(cell: GridCell, page: Page, rng: random.Random) -> str:
    spans = ""
    if page.spans == "proper":
        spans += f' rowspan="{cell.rowspan}"' if cell.rowspan > 1 else ""
        wide = page.wide_spans and cell.role == "caption"
        spans += f' colspan="{1000 if wide else cell.colspan}"' if cell.colspan > 1 else ""
    text = _words(cell.text, page, rng)
    if page.breaks and cell.role in ("header", "label") and len(cell.text) > 5 and not page.cut:
        middle = len(cell.text) // 2
        text = f"{html.escape(cell.text[:middle])}<br>{html.escape(cell.text[middle:])}"
    if not cell.text:
        text = rng.choice(("", "&nbsp;", "<p><o:p>&nbsp;</o:p></p>", "　"))
    elif page.template == "word":
        text = f'<p class="MsoNormal" align="center"><span lang="EN-US">{text}<o:p></o:p></span></p>'
    tag = "th" if page.header_cells and cell.role in ("header", "caption") else "td"
    end = "" if page.unclosed else f"</{tag}>"
    return f"<{tag}{spans}>{text}{end}"


def _title_text(report: SampleReport) -> str:
    return "".join(report.title)


def _head_title(report: SampleReport) -> str:
    """The title that a site's own page carries where the report prints none."""
    return _title_text(report) or f"{report.body.name}{report.year}年政府信息公开工作年度报告"


def _heading_lines(report: SampleReport, tag: str = "h1") -> str:
    return f"<{tag}>{'<br>'.join(html.escape(line) for line in report.title)}</{tag}>" if report.title else ""


def _plain(report: SampleReport, body: str, day: date, rng: random.Random) -> str:
    return (
        f"<html><head><!--charset--><title>{html.escape(_title_text(report))}</title></head><body><!--body-->"
        f"{_heading_lines(report)}\n{body}<!--/body--></body></html>"
    )


def _portal(report: SampleReport, body: str, day: date, rng: random.Random) -> str:
    """A portal: meta tags, navigation, breadcrumb, byline, footer with a stray year."""
    county, title = report.body.county, html.escape(_head_title(report))
    printed = print_date(day, rng)
    links = "".join(
        f'<li><a href="/c{n}/">{name}</a></li>'
        for n, name in enumerate(("首页", "要闻动态", "政务公开", "办事服务", "互动交流"))
    )
    archive = "".join(
        f'<li><a href="/x/{year}.html">{report.body.core}{year}年政府信息公开工作年度报告</a></li>'
        for year in range(report.year - 3, report.year + 2)
    )
    return f"""<!DOCTYPE html>
<html><head><!--charset-->
<title>{title}_{county}人民政府门户网站</title>
<meta name="SiteName" content="{county}人民政府"><meta name="ArticleTitle" content="{title}">
<meta name="PubDate" content="{day.isoformat()} 10:2{rng.randint(0, 9)}">
<meta name="ContentSource" content="{report.body.name}">
<meta name="ColumnName" content="政府信息公开年报">
<script>var cid="{report.stray_year}"; document.write("<table><tr><td>行政许可</td><td>99</td></tr></table>");</script>
<style>.nav li{{float:left}}</style></head><body>
<div class="header"><ul class="nav">{links}</ul><form><input value="请输入关键字"></form></div>
<div class="crumb">当前位置：<a>首页</a> &gt; <a>政府信息公开</a> &gt; <a>政府信息公开年报</a> &gt; 正文</div>
<div style="display:none">行政处罚 77 行政强制 66 {report.stray_year}年</div>
<div class="article">{_heading_lines(report)}
<div class="info"><span>发布时间：{printed}</span>　<span>来源：{report.body.name}</span>　
<span>浏览次数：{rng.randint(9, 999)}次</span> 字号：【大 中 小】 打印</div>
<div class="content" id="zoom"><!--body-->{body}<!--/body--></div></div>
<div class="side"><h4>相关文档</h4><ul>{archive}</ul></div>
<div class="footer">主办：{county}人民政府办公室　网站标识码：{rng.randint(10**9, 10**10 - 1)}<br>
版权所有 © {report.stray_year} {county}人民政府　电话：0000-{rng.randint(1000000, 9999999)}</div>
</body></html>"""


def _bureau(report: SampleReport, body: str, day: date, rng: random.Random) -> str:
    """An information-disclosure page: a metadata table with index number, body, date and name before the text."""
    title = html.escape(_head_title(report))
    index = f"{rng.randint(100000, 999999)}/{report.stray_year}-{rng.randint(1, 99999):05d}"
    return f"""<html><head><!--charset--><title>{title}</title></head><body>
<table class="xxgk_table" width="100%">
<tr><td>索 引 号：</td><td>{index}</td><td>信息分类：</td><td>政府信息公开年报</td></tr>
<tr><td>发布机构：</td><td>{report.body.name}</td><td>公开日期：</td><td>{day}</td></tr>
<tr><td>名　　称：</td><td colspan="3">{title}</td></tr>
<tr><td>文　　号：</td><td>无</td><td>主题词：</td><td>年报</td></tr></table>
<div id="content"><!--body-->{_heading_lines(report, "h2")}{body}<!--/body--></div>
<div class="share">【打印本页】【关闭窗口】　扫一扫在手机打开当前页</div>
<div>备案号：某ICP备{report.stray_year}000{rng.randint(100, 999)}号</div>
</body></html>"""


def _word(report: SampleReport, body: str, day: date, rng: random.Random) -> str:
    """A page saved from Word: style definitions, conditional comments, namespaced tags."""
    title = "".join(
        f'<p class="MsoNormal" align="center"><b><span style="font-size:22.0pt">{html.escape(line)}</span></b></p>'
        for line in report.title
    )
    return f"""<html xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:w="urn:schemas-microsoft-com:office:word">
<head><!--charset--><title></title>
<!--[if gte mso 9]><xml><w:WordDocument><w:View>Normal</w:View></w:WordDocument></xml><![endif]-->
<style>p.MsoNormal{{margin:0cm;font-size:10.5pt}} @page Section1{{size:595.3pt 841.9pt}}</style></head>
<body lang="ZH-CN"><div class="Section1"><!--body-->{title}{body}<!--/body--></div></body></html>"""


def _old(report: SampleReport, body: str, day: date, rng: random.Random) -> str:
    """A page of the years of layout tables and font tags."""
    title = "".join(
        f"<CENTER><FONT size=5 color=red><B>{html.escape(line)}</B></FONT></CENTER>" for line in report.title
    )
    printed = print_date(day, rng)
    return f"""<HTML><HEAD><!--charset--><TITLE>{report.body.county}政务网</TITLE></HEAD>
<BODY bgcolor=#ffffff>
<TABLE width=960 align=center><TR><TD colspan=2>
<MARQUEE>欢迎访问{report.body.county}政务网　今天是{report.stray_year}年3月5日</MARQUEE></TD></TR>
<TR><TD width=180 valign=top>
<A href=#>领导之窗</A><BR><A href=#>政府公报</A><BR><A href=#>统计数据</A></TD>
<TD><!--body-->{title}<CENTER>{printed}　作者：　来源：{report.body.name}
点击数：{rng.randint(5, 500)}</CENTER><HR>{body}<!--/body--></TD></TR>
<TR><TD colspan=2 align=center>Copyright {report.stray_year} All Rights Reserved</TD></TR></TABLE></BODY></HTML>"""
