"""The prose of a report: invented sentences that agree with its tables, and the words around it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date

from tests.generator.numbers import Printed, nil_aware
from tests.generator.places import Body

HEADINGS: tuple[tuple[str, ...], ...] = (
    ("一、总体情况", "一、总体概述", "一、政府信息公开工作总体情况"),
    ("二、主动公开政府信息情况", "二、行政机关主动公开政府信息情况", "二、主动公开政府信息的情况"),
    (
        "三、收到和处理政府信息公开申请情况",
        "三、行政机关收到和处理政府信息公开申请情况",
        "三、收到和处理政府信息公开申请的情况",
    ),
    (
        "四、政府信息公开行政复议、行政诉讼情况",
        "四、因政府信息公开工作被申请行政复议、提起行政诉讼情况",
        "四、政府信息公开行政复议和行政诉讼情况",
    ),
    ("五、存在的主要问题及改进情况", "五、政府信息公开工作存在的主要问题及改进情况", "五、存在问题及改进情况"),
    ("六、其他需要报告的事项", "六、其他需要报告的情况", "六、需要报告的其他事项"),
)
_CHINESE_DIGITS = "〇一二三四五六七八九"


def chinese_year(year: int) -> str:
    """2021 as 二〇二一."""
    return "".join(_CHINESE_DIGITS[int(digit)] for digit in str(year))


def title_lines(rng: random.Random, body: Body, year: int) -> tuple[str, ...]:
    """The title as printed, on one line or two."""
    name = rng.choice((body.name, body.core, rng.choice(body.path) + body.name if body.path else body.name))
    if body.level in ("bureau", "office"):
        name = body.core
    when = rng.choice((f"{year}年", f"{year}年", f"{year}年度", f"{chinese_year(year)}年", f" {year} 年"))
    patterns = (
        (f"{name}{when}政府信息公开工作年度报告",),
        (f"{name}{when}政府信息公开工作年度报告",),
        (name, f"{when.strip()}政府信息公开工作年度报告"),
        (f"{when.strip()}{name}政府信息公开工作年度报告",),
        (f"{name}{when}政府信息公开年度报告",),
        (f"{name}关于{when}政府信息公开工作情况的报告",),
        (f"{name}政府信息公开工作年度报告（{year}年）",),
        (f"{name}{when}信息公开工作年度报告",),
    )
    return rng.choice(patterns)


def _notice(year: int) -> str:
    """The notice that the reports of a year follow, as the prose cites it."""
    if year < 2019:
        return "国务院办公厅关于加强和规范政府信息公开情况统计报送工作的通知（国办发〔2014〕32号）"
    number = "〔2019〕60号" if year < 2021 else "〔2021〕30号"
    return f"国务院办公厅关于年度报告格式的通知（国办公开办函{number}）"


def opening(rng: random.Random, body: Body, year: int, named: bool) -> list[str]:
    """The paragraph before section one; it names the body where ``named`` (a report without a title)."""
    who = body.name if named or rng.random() < 0.6 else body.we
    period = f"本报告中所列数据的统计期限自{year}年1月1日起，至{year}年12月31日止。"
    basis = rng.choice((
        f"依照《中华人民共和国政府信息公开条例》（国务院令第711号）第五十条的要求，{who}编制了本报告。",
        f"按照{_notice(year)}，{who}现将{year}年工作情况公布如下。",
    ))  # fmt: skip
    if not named and rng.random() < 0.3:
        return []
    return [basis + (period if rng.random() < 0.7 else "")]


def overview(
    rng: random.Random, body: Body, year: int, coverage: str | None, cells: Mapping[str, Printed]
) -> list[str]:
    """Section one: the year's work in words; figures agree with the tables."""
    who = body.name if rng.random() < 0.5 else body.we
    paragraphs = [
        f"{year}年，{who}把政务公开当作服务群众的一件常事来办，"
        + rng.choice((
            "围绕年初排定的任务清单逐月对账，公开的及时性比上一年有所改善。",
            "由办公室统一把关，业务科室分头供稿，做到有专人、有台账、有回访。",
            "结合机构职能梳理公开事项，删去过期栏目，补上群众常问的内容。",
        ))
    ]  # fmt: skip
    if coverage == "consolidated":
        paragraphs.append(consolidated(body))
    extra = [
        f"（一）主动公开。全年通过门户网站发布各类信息{rng.randint(20, 2000)}条，其中财政类{rng.randint(2, 19)}条，"
        f"较{year - 1}年增长{rng.randint(1, 40)}.{rng.randint(0, 9)}%。",
        _requests_sentence(body, cells, rng),
        f"（三）平台建设。“{body.county[:2]}发布”微信公众号推送图文{rng.randint(10, 400)}期，"
        f"政务公开栏更新{rng.randint(2, 30)}次。",
        f"（四）监督保障。对照《{year}年政务公开工作要点》开展自查{rng.randint(1, 4)}次，"
        f"组织培训{rng.randint(1, 5)}场，{rng.randint(10, 120)}余人次参加。{year - 1}年度报告按时公布。",
    ]
    return paragraphs + extra[: rng.randint(2, 4)]


def _requests_sentence(body: Body, cells: Mapping[str, Printed], rng: random.Random) -> str:
    new = cells.get("applications.new.total") or cells.get("requests2014.received.total")
    if new is None or new.status != "reported":
        return "（二）依申请公开。申请渠道保持畅通，答复文书统一使用规范格式。"
    count = nil_aware(new)
    if count == 0:
        return "（二）依申请公开。全年没有收到政府信息公开申请。"
    verb = rng.choice(("新收", "收到", "受理"))
    return f"（二）依申请公开。全年{verb}政府信息公开申请{count}件，均在法定期限内处理。"


def problems(rng: random.Random, body: Body, year: int) -> list[str]:
    """Section five."""
    weak = rng.choice((
        "一是栏目更新有快有慢，个别科室报送不够主动；二是解读形式偏少，图解和视频占比不高。",
        "一是业务骨干流动较快，答复文书的质量还不稳定；二是历史文件清理尚未全部完成。",
    ))  # fmt: skip
    plan = rng.choice((
        f"{year + 1}年，{body.we}将每季度通报一次栏目更新情况，把公开要求写进办文流程。",
        f"下一步，{body.we}将补齐{year - 1}年以来的文件目录，并开展两次跟班学习。",
    ))  # fmt: skip
    return [f"（一）存在的问题。{weak}", f"（二）改进措施。{plan}"]


def others(rng: random.Random, year: int) -> list[str]:
    """Section six."""
    return [
        rng.choice((
            "无其他需要报告的事项。", "无。", "（无）",
            f"按照《政府信息公开信息处理费管理办法》，{year}年没有收取信息处理费。",
        ))
    ]  # fmt: skip


def consolidated(body: Body) -> str:
    """The sentence that says that the report covers the whole area."""
    return f"本报告由各乡镇（街道）和{body.county}直各部门的数据汇总而成，反映{body.ours}的情况。"


def narrative(rng: random.Random, body: Body, year: int, coverage: str | None) -> list[tuple[str, list[str]]]:
    """A report without any form: headings and their paragraphs, counts in the prose only."""
    site, board = rng.randint(20, 300), rng.randint(5, 90)
    scope = [consolidated(body)] if coverage == "consolidated" else []
    sections = [
        ("概述", [f"{year}年，{body.name}明确一名副职分管信息公开，办公室配备{rng.randint(1, 4)}名兼职人员。", *scope]),
        ("主动公开政府信息情况", [
            f"全年共主动公开政府信息{site + board}条，其中通过门户网站公开{site}条，通过公开栏公开{board}条。",
        ]),
        ("依申请公开政府信息情况", [f"{year}年没有收到要求公开政府信息的申请。"]),
        ("政府信息公开收费及减免情况", [f"{year}年没有收取任何费用。"]),
        ("行政复议、提起行政诉讼情况", [f"{year}年未发生因信息公开引起的行政复议和行政诉讼。"]),
        ("存在的不足和改进措施", problems(rng, body, year)),
    ]  # fmt: skip
    numbered = zip("一二三四五六", sections, strict=True)
    return [(f"{number}、{heading}", paragraphs) for number, (heading, paragraphs) in numbered]


def long_date(day: date) -> str:
    """2021年2月10日."""
    return f"{day.year}年{day.month}月{day.day}日"


def print_date(day: date, rng: random.Random) -> str:
    """A page's date in one of the usual spellings, some with a time of day."""
    return rng.choice((
        day.isoformat(), f"{day.isoformat()} {rng.randint(8, 18):02d}:{rng.randint(0, 59):02d}", long_date(day),
        day.strftime("%Y/%m/%d"), f"{day.isoformat()} 09:12:05",
    ))  # fmt: skip
