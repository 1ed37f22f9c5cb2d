"""The printed labels of the three statutory forms, as the generator's own tables.

They were typed from the official forms and are not loaded from ``data/forms``: a slip there must not be able to
hide in the truth that the readers are measured against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["count", "signed", "amount"]

APPLICANTS: tuple[tuple[str, str], ...] = (
    ("natural_person", "自然人"),
    ("business", "商业企业"),
    ("research", "科研机构"),
    ("charity", "社会公益组织"),
    ("legal_service", "法律服务机构"),
    ("other", "其他"),
    ("total", "总计"),
)
PARTS = tuple(name for name, _ in APPLICANTS[:-1])

DENIED = "（三）不予公开"
UNAVAILABLE = "（四）无法提供"
REJECTED = "（五）不予处理"
OTHER = "（六）其他处理"
RESULTS = "三、本年度办理结果"

# (row key, label, group within 三、 or "" for a row that spans the two inner label columns)
OUTCOMES_COMMON: tuple[tuple[str, str, str], ...] = (
    ("granted", "（一）予以公开", ""),
    ("partly_granted", "（二）部分公开（区分处理的，只计这一情形，不计其他情形）", ""),
    ("denied.state_secret", "1.属于国家秘密", DENIED),
    ("denied.law", "2.其他法律行政法规禁止公开", DENIED),
    ("denied.security", "3.危及“三安全一稳定”", DENIED),
    ("denied.third_party", "4.保护第三方合法权益", DENIED),
    ("denied.internal", "5.属于三类内部事务信息", DENIED),
    ("denied.process", "6.属于四类过程性信息", DENIED),
    ("denied.case_file", "7.属于行政执法案卷", DENIED),
    ("denied.inquiry", "8.属于行政查询事项", DENIED),
    ("unavailable.not_held", "1.本机关不掌握相关政府信息", UNAVAILABLE),
    ("unavailable.not_existing", "2.没有现成信息需要另行制作", UNAVAILABLE),
    ("unavailable.unclear", "3.补正后申请内容仍不明确", UNAVAILABLE),
    ("rejected.petition", "1.信访举报投诉类申请", REJECTED),
    ("rejected.repeated", "2.重复申请", REJECTED),
    ("rejected.publication", "3.要求提供公开出版物", REJECTED),
    ("rejected.excessive", "4.无正当理由大量反复申请", REJECTED),
    ("rejected.confirmation", "5.要求行政机关确认或重新出具已获取信息", REJECTED),
)
OTHER_2019: tuple[tuple[str, str, str], ...] = (("other", OTHER, ""),)
OTHER_2021: tuple[tuple[str, str, str], ...] = (
    ("other.not_corrected", "1.申请人无正当理由逾期不补正、行政机关不再处理其政府信息公开申请", OTHER),
    ("other.fee_unpaid", "2.申请人逾期未按收费通知要求缴纳费用、行政机关不再处理其政府信息公开申请", OTHER),
    ("other.other", "3.其他", OTHER),
)
NEW = ("new", "一、本年新收政府信息公开申请数量")
CARRIED_IN = ("carried_in", "二、上年结转政府信息公开申请数量")
PROCESSED = ("processed", "（七）总计")
CARRIED_OUT = ("carried_out", "四、结转下年度继续办理")
CORNER = "（本列数据的勾稽关系为：第一项加第二项之和，等于第三项加第四项之和）"

PROCEDURES: tuple[tuple[str, str], ...] = (
    ("review", "行政复议"),
    ("direct_litigation", "未经复议直接起诉"),
    ("litigation_after_review", "复议后起诉"),
)
RESULT_COLUMNS: tuple[tuple[str, str], ...] = (
    ("upheld", "结果维持"),
    ("corrected", "结果纠正"),
    ("other", "其他结果"),
    ("pending", "尚未审结"),
    ("total", "总计"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """One item of Article 20 (第二十条) in section two: its caption, value columns and rows."""

    number: str
    columns: tuple[tuple[str, str, Kind], ...]
    rows: tuple[tuple[str, str], ...]

    @property
    def caption(self) -> str:
        """The caption row over the full width."""
        return f"第二十条第（{self.number}）项"


_CHANGES: tuple[tuple[str, str, Kind], ...] = (
    ("previous", "上一年项目数量", "count"),
    ("change", "本年增/减", "signed"),
)
_CHANGES_AND_DECISIONS = (*_CHANGES, ("decisions", "处理决定数量", "count"))
_DECISIONS: tuple[tuple[str, str, Kind], ...] = (("decisions", "本年处理决定数量", "count"),)

DISCLOSURE_2019: tuple[Item, ...] = (
    Item(
        "一",
        (("made", "本年新制作数量", "count"), ("disclosed", "本年新公开数量", "count"),
         ("total", "对外公开总数量", "count")),
        (("regulations", "规章"), ("normative_documents", "规范性文件")),
    ),
    Item("五", _CHANGES_AND_DECISIONS, (("licences", "行政许可"), ("other_services", "其他对外管理服务事项"))),
    Item("六", _CHANGES_AND_DECISIONS, (("penalties", "行政处罚"), ("compulsion", "行政强制"))),
    Item("八", _CHANGES, (("fees", "行政事业性收费"),)),
    Item("九", (("items", "采购项目数量", "count"), ("amount", "采购总金额", "amount")),
         (("procurement", "政府集中采购"),)),
)  # fmt: skip
DISCLOSURE_2021: tuple[Item, ...] = (
    Item(
        "一",
        (("issued", "本年制发件数", "count"), ("repealed", "本年废止件数", "count"),
         ("in_force", "现行有效件数", "count")),
        (("regulations", "规章"), ("normative_documents", "行政规范性文件")),
    ),
    Item("五", _DECISIONS, (("licences", "行政许可"),)),
    Item("六", _DECISIONS, (("penalties", "行政处罚"), ("compulsion", "行政强制"))),
    Item("八", (("amount", "本年收费金额（单位：万元）", "amount"),), (("fees", "行政事业性收费"),)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Indicator:
    """One line of form 2014. A heading line has no ``key``."""

    level: int
    label: str
    unit: str
    key: str | None = None
    kind: Kind = "count"


def _line(level: int, label: str, unit: str, key: str | None = None) -> Indicator:
    return Indicator(level, label, unit, key, "amount" if unit == "万元" else "count")


_D, _R, _Q, _A, _S = "disclosure2014", "responses2014", "requests2014", "requests2014.answered", "resources2014"
INDICATORS_2014: tuple[Indicator, ...] = (
    _line(0, "一、主动公开情况", "——"),
    _line(1, "（一）主动公开政府信息数（不同渠道和方式公开相同信息计1条）", "条", f"{_D}.total"),
    _line(2, "其中：主动公开规范性文件数", "条", f"{_D}.normative_documents"),
    _line(2, "制发规范性文件总数", "件", f"{_D}.normative_documents_made"),
    _line(1, "（二）通过不同渠道和方式公开政府信息的情况", "——"),
    _line(2, "1.政府公报公开政府信息数", "条", f"{_D}.channels.gazette"),
    _line(2, "2.政府网站公开政府信息数", "条", f"{_D}.channels.website"),
    _line(2, "3.政务微博公开政府信息数", "条", f"{_D}.channels.weibo"),
    _line(2, "4.政务微信公开政府信息数", "条", f"{_D}.channels.wechat"),
    _line(2, "5.其他方式公开政府信息数", "条", f"{_D}.channels.other"),
    _line(0, "二、回应解读情况", "——"),
    _line(1, "（一）回应公众关注热点或重大舆情数（不同方式回应同一热点或舆情计1次）", "次", f"{_R}.topics"),
    _line(1, "（二）通过不同渠道和方式回应解读的情况", "——"),
    _line(2, "1.参加或举办新闻发布会总次数", "次", f"{_R}.press_conferences.total"),
    _line(3, "其中：主要负责同志参加新闻发布会次数", "次", f"{_R}.press_conferences.by_head"),
    _line(2, "2.政府网站在线访谈次数", "次", f"{_R}.interviews.total"),
    _line(3, "其中：主要负责同志参加政府网站在线访谈次数", "次", f"{_R}.interviews.by_head"),
    _line(2, "3.政策解读稿件发布数", "篇", f"{_R}.interpretations"),
    _line(2, "4.微博微信回应事件数", "次", f"{_R}.weibo_wechat"),
    _line(2, "5.其他方式回应事件数", "次", f"{_R}.other"),
    _line(0, "三、依申请公开情况", "——"),
    _line(1, "（一）收到申请数", "件", f"{_Q}.received.total"),
    _line(2, "1.当面申请数", "件", f"{_Q}.received.in_person"),
    _line(2, "2.传真申请数", "件", f"{_Q}.received.fax"),
    _line(2, "3.网络申请数", "件", f"{_Q}.received.online"),
    _line(2, "4.信函申请数", "件", f"{_Q}.received.letter"),
    _line(1, "（二）申请办结数", "件", f"{_Q}.closed.total"),
    _line(2, "1.按时办结数", "件", f"{_Q}.closed.on_time"),
    _line(2, "2.延期办结数", "件", f"{_Q}.closed.extended"),
    _line(1, "（三）申请答复数", "件", f"{_A}.total"),
    _line(2, "1.属于已主动公开范围数", "件", f"{_A}.already_public"),
    _line(2, "2.同意公开答复数", "件", f"{_A}.granted"),
    _line(2, "3.同意部分公开答复数", "件", f"{_A}.partly_granted"),
    _line(2, "4.不同意公开答复数", "件", f"{_A}.denied.total"),
    _line(3, "其中：涉及国家秘密", "件", f"{_A}.denied.state_secret"),
    _line(3, "涉及商业秘密", "件", f"{_A}.denied.trade_secret"),
    _line(3, "涉及个人隐私", "件", f"{_A}.denied.privacy"),
    _line(3, "危及国家安全、公共安全、经济安全和社会稳定", "件", f"{_A}.denied.security"),
    _line(3, "不是《条例》所指政府信息", "件", f"{_A}.denied.not_government_information"),
    _line(3, "法律法规规定的其他情形", "件", f"{_A}.denied.law"),
    _line(2, "5.不属于本行政机关公开数", "件", f"{_A}.not_responsible"),
    _line(2, "6.申请信息不存在数", "件", f"{_A}.not_existing"),
    _line(2, "7.告知作出更改补充数", "件", f"{_A}.correction"),
    _line(2, "8.告知通过其他途径办理数", "件", f"{_A}.other_way"),
    _line(0, "四、行政复议数量", "件", "reviews2014.total"),
    _line(1, "（一）维持具体行政行为数", "件", "reviews2014.upheld"),
    _line(1, "（二）被依法纠错数", "件", "reviews2014.corrected"),
    _line(1, "（三）其他情形数", "件", "reviews2014.other"),
    _line(0, "五、行政诉讼数量", "件", "litigation2014.total"),
    _line(1, "（一）维持具体行政行为或者驳回原告诉讼请求数", "件", "litigation2014.upheld"),
    _line(1, "（二）被依法纠错数", "件", "litigation2014.corrected"),
    _line(1, "（三）其他情形数", "件", "litigation2014.other"),
    _line(0, "六、举报投诉数量", "件", "complaints2014.total"),
    _line(0, "七、依申请公开信息收取的费用", "万元", "fees2014.amount"),
    _line(0, "八、机构建设和保障经费情况", "——"),
    _line(1, "（一）政府信息公开工作专门机构数", "个", f"{_S}.offices"),
    _line(1, "（二）设置政府信息公开查阅点数", "个", f"{_S}.reading_points"),
    _line(1, "（三）从事政府信息公开工作人员数", "人", f"{_S}.staff.total"),
    _line(2, "1.专职人员数（不包括政府公报及政府网站工作人员数）", "人", f"{_S}.staff.full_time"),
    _line(2, "2.兼职人员数", "人", f"{_S}.staff.part_time"),
    _line(1, "（四）政府信息公开专项经费（不包括用于政府公报编辑管理及政府网站建设维护等方面的经费）", "万元",
          f"{_S}.funding"),
    _line(0, "九、政府信息公开会议和培训情况", "——"),
    _line(1, "（一）召开政府信息公开工作会议或专题会议数", "次", "training2014.meetings"),
    _line(1, "（二）举办各类培训班数", "次", "training2014.courses"),
    _line(1, "（三）接受培训人员数", "人次", "training2014.attendance"),
)  # fmt: skip

Scheme = Literal["2019", "2021", "2014"]


def outcome_rows(scheme: str) -> tuple[tuple[str, str, str], ...]:
    """Rows under 三、 without （七）总计: 19 for ``"2019"``, 21 for ``"2021"``."""
    return OUTCOMES_COMMON + (OTHER_2019 if scheme == "2019" else OTHER_2021)


def application_rows(scheme: str) -> tuple[str, ...]:
    """Row keys of section three in printed order: 23 or 25."""
    outcomes = tuple(key for key, _, _ in outcome_rows(scheme))
    return ("new", "carried_in", *outcomes, "processed", "carried_out")


def disclosure_items(scheme: str) -> tuple[Item, ...]:
    """The items of section two."""
    return DISCLOSURE_2019 if scheme == "2019" else DISCLOSURE_2021


def disclosure_keys(scheme: str) -> tuple[tuple[str, Kind], ...]:
    """Keys and kinds of section two in printed order: 22 or 10."""
    return tuple(
        (f"disclosure.{row}.{field}", kind)
        for item in disclosure_items(scheme)
        for row, _ in item.rows
        for field, _, kind in item.columns
    )


def application_keys(scheme: str) -> tuple[str, ...]:
    """Keys of section three in printed order: 161 or 175."""
    return tuple(f"applications.{row}.{who}" for row in application_rows(scheme) for who, _ in APPLICANTS)


def dispute_keys() -> tuple[str, ...]:
    """The fifteen keys of section four in printed order."""
    return tuple(f"disputes.{procedure}.{field}" for procedure, _ in PROCEDURES for field, _ in RESULT_COLUMNS)
