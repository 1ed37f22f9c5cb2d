"""The report on a page, without the site around it: chosen by what the lines say, not by the site's markup."""

from __future__ import annotations

import re

from extractors.markup import Block, Grid, Line, Notice, Picture

# Where the report certainly is: its numbered sections, and wording that the forms print.
_SECTION = re.compile(
    r"[（(]?[一二三四五六七八九十]{1,2}[、.．,，)）]\s*\S|.{0,40}(?:总体情况|主动公开政府信息情况|收到和处理政府信息公开申请"
    r"|行政复议、?(?:和|及)?行政诉讼情况|存在的(?:主要)?问题及|其他需要报告的事项)"
)
_FORM_LABEL = re.compile(
    r"信息内容|自然人|予以公开|结果维持|制[发作](?:件|数)|公开(?:总)?数量|处理决定数量|第二十条第|申请人情况|统\s*计\s*指\s*标|^指\s*标"
)
_PROSE_LENGTH = 40  # characters from which a line with a full stop is taken for prose
_TITLE = re.compile(r"政府信息公开.{0,12}(?:年度报告|年报|工作报告|情况报告)|信息公开(?:工作)?年(?:度报告|报)")

# Chrome that is known by its words: lines before the report, lines anywhere, and what begins the foot of the page.
# Atomic groups and possessive repeats: without them a line of many such words that ends otherwise takes for ever.
_CHROME = re.compile(
    r"(?:您|你)?(?:现在|当前|所在)?的?(?:当前)?(?:所在)?位置(?:是|为)?\s*[:：>].*"
    r"|今天是.*|欢迎(?:您|光临|访问).*|扫一扫.{0,24}|[\s·>»]+"
    r"|[\s|｜·【】\[\]()（）:：]*+(?:(?>网站首页|返回首页|首\s?页|设为首页|加入收藏|收藏|登录|注册|退出|搜索|检索|无障碍(?:浏览|阅读)?"
    r"|长者(?:模式|版|专区)|适老化|English|繁体版?|简体版?|手机版|移动版|RSS|打印(?:本页|此页)?|关闭(?:窗口|本页)?|保存"
    r"|返回(?:顶部|列表|上一页)?|分享(?:到|至)?|微信|微博|QQ空间|字[体号](?:大小)?|[大中小]|语音播报)"
    r"[\s|｜·【】\[\]()（）:：]*+)++"
)
_FOOT = re.compile(
    r"[\s【\[]*(?:(?:上一|下一|前一|后一)(?:篇|条|页)|相关(?:链接|文章|信息|阅读|新闻|文档|稿件|推荐|内容)\s*[:：】\]]?\s*$|推荐阅读|友情链接"
    r"|网站地图|站点地图|关于我们|联系我们|隐私(?:声明|保护|政策)|网站(?:声明|标识码)|主办(?:单位)?\s*[:：]|承办(?:单位)?\s*[:：]|技术支持"
    r"|版权所有|copyright|©|Powered by|扫一扫在手机|(?:推荐|建议)使用.{0,30}(?:浏览器|分辨率))"
    r"|.*(?:ICP备|公网安备|网站标识码|版权所有)",
    re.IGNORECASE,
)


def is_report_text(text: str) -> bool:
    """Whether a text speaks as these reports do: at least three of their section headings or form labels."""
    found = set(_FORM_LABEL.findall(text))
    for heading in ("总体情况", "主动公开政府信息", "收到和处理", "行政复议", "存在的主要问题", "其他需要报告"):
        if heading in text:
            found.add(heading)
    return len(found) >= 3


def select_content(blocks: list[Block]) -> list[Block]:
    """The blocks without navigation, share bars and footers; what is not clearly one of these stays.

    Lines before the first section (title, 索引号, 发布日期, 来源) stay unless their words or links make them
    chrome. A page on which nothing looks like a report keeps all that is not links.
    """
    strong = [index for index, block in enumerate(blocks) if _is_strong(block)]
    anchors = strong or [index for index, block in enumerate(blocks) if _is_prose(block)]
    titles = [index for index, block in enumerate(blocks) if isinstance(block, Line) and _TITLE.search(block.text)]
    first = anchors[0] if anchors else len(blocks)
    last = strong[-1] if strong else anchors[0] if anchors else titles[0] if titles else len(blocks)
    end = next((index for index in range(last + 1, len(blocks)) if _is_foot(blocks[index])), len(blocks))
    navigation = _link_runs(blocks, first, last)
    kept: list[Block] = []
    for index, block in enumerate(blocks[:end]):
        if index in navigation or (isinstance(block, Line) and _is_chrome(block)):
            continue
        if isinstance(block, Picture) and not kept:
            continue  # the banner of the site
        kept.append(block)
    return kept or blocks


def _is_strong(block: Block) -> bool:
    if isinstance(block, Line):
        return not _is_link(block) and _SECTION.match(block.text) is not None
    if isinstance(block, Grid):
        return any(_FORM_LABEL.search(cell.text) for cell in block.cells if cell.text)
    return False


def _is_prose(block: Block) -> bool:
    if not isinstance(block, Line) or len(block.text) < _PROSE_LENGTH:
        return False
    return "。" in block.text and not _FOOT.match(block.text)


def _is_link(block: Block) -> bool:
    """Whether nearly all of a line, or every cell of a table, is links. Linked attachments and prose are content."""
    if isinstance(block, Line):
        if not block.linked or any(isinstance(part, Notice) for part in block.attached) or _is_prose(block):
            return False
        return block.linked * 5 > len(block.text.replace(" ", "")) * 4
    if isinstance(block, Grid):
        cells = [cell for cell in block.cells if cell.text]
        return bool(cells) and all(cell.linked * 5 > len(cell.text) * 4 for cell in cells)
    return False


def _is_chrome(line: Line) -> bool:
    return not line.attached and len(line.text) < 120 and _CHROME.fullmatch(line.text) is not None


def _is_foot(block: Block) -> bool:
    if isinstance(block, Grid):
        cells = [cell for cell in block.cells if cell.text]
        return all(_FOOT.match(cell.text) or _is_link(Line(cell.text, cell.linked)) for cell in cells)
    return isinstance(block, Line) and not block.attached and _FOOT.match(block.text) is not None


def _link_runs(blocks: list[Block], first: int, last: int) -> set[int]:
    """Indices of navigation: any link outside the report but its title, runs of four and more inside it."""
    found: set[int] = set()
    run: list[int] = []
    for index, block in enumerate([*blocks, Line("")]):
        if index < len(blocks) and _is_link(block):
            run.append(index)
            continue
        for member in run:
            outside = not first <= member <= last
            if len(run) >= 4 or (outside and not _may_be_title(blocks[member], len(run))):
                found.add(member)
        run = []
    return found


def _may_be_title(block: Block, neighbours: int) -> bool:
    return isinstance(block, Line) and neighbours == 1 and _TITLE.search(block.text) is not None
