"""The baseline: the prose read by rules alone, by the word nearest to a figure. What the model has to beat."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from extractors.encoding import Encoded, encode
from extractors.figures import Stated, find_figures
from extractors.narrative import CHANNEL, LEADER, NIL, Mention
from extractors.phrases import load_kinds, load_titles

# The first that fits decides; a word nearer to the figure comes before a word farther away.
WORDS = {
    "requests_carried_in": r"上年(?:度)?结转|结转上年|承接上年",
    "requests_carried_out": r"结转(?:至|到)?下年|结转",
    "requests_partly_granted": r"部分公开",
    "requests_denied": r"不予公开|不同意公开",
    "requests_granted": r"予以公开|同意公开|全部公开|已主动公开",
    "requests_unavailable": r"无法提供|不存在|不掌握|不属于本",
    "requests_rejected": r"不予处理|信访|重复申请",
    "requests_other": r"其他处理|撤回|逾期|补正|更改补充",
    "requests_answered": r"答复|办结",
    "requests_received": r"申请",
    "reviews": r"复议",
    "litigations": r"诉讼|应诉",
    "complaints": r"投诉|举报|申诉",
    "request_fees": r"检索费|复制费|邮寄费|信息处理费",
    "regulations": r"规章",
    "normative_documents": r"规范性文件",
    "interpretations": r"解读|图解|一图读懂",
    "press_conferences": r"新闻发布会|通气会|吹风会",
    "gazette_issues": r"政府公报|公报",
    "responses": r"回应|在线访谈|留言|咨询|工单",
    "licences": r"行政许可|许可",
    "penalties": r"行政处罚|处罚",
    "compulsion": r"行政强制|强制",
    "fees": r"行政事业性收费",
    "procurement_amount": r"采购(?:金额|总金额)",
    "procurement_items": r"采购",
    "other_services": r"对外管理服务|办件",
    "training_attendance": r"参训|受训|培训人员",
    "trainings": r"培训",
    "meetings": r"会议|座谈",
    "staff": r"工作人员|联络员|信息员",
    "proposals": r"建议|提案",
    "disclosed_part": r"其中|网站|微信|微博|公开栏|类信息|动态",
    "disclosed_total": r"公开(?:政府|政务|各类)?信息|信息公开|发布信息|公开",
}
_NEAREST = {name: re.compile(pattern) for name, pattern in WORDS.items()}
_NIL = re.compile(
    r"(?:[未没](?:有)?(?:收到|接到|发生|产生|受理|收取|收费)|无|没有|零)(?=[^。;]{0,30}(?:申请|复议|诉讼|收费|费用|投诉|举报))"
)
_GROWTH = re.compile(r"同比|较上年|比上年|增长|下降|增加|减少")
_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜"
    "范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_BEFORE, _BEHIND = 24, 8


class RulesTagger:
    """A tagger without a model."""

    def __call__(self, windows: Sequence[str], /) -> list[list[Mention]]:
        """The mentions in each window, in order."""
        return [sorted(self._mentions(encode(text)), key=lambda mention: mention.start) for text in windows]

    def _mentions(self, text: Encoded) -> Iterator[Mention]:
        for figure in find_figures(text.chars):
            name = _field(text.chars, figure) if figure.unit else None
            if name:
                yield Mention(*text.span(figure.start, figure.end), name, (), 1.0)
        for match in _NIL.finditer(text.chars):
            clause = re.split(r"[。;]", text.chars[match.end() :])[0]
            fields = tuple(name for name, words in _NEAREST.items() if name not in _SAID and words.search(clause[:40]))
            if fields:
                yield Mention(*text.span(match.start(), match.end()), NIL, fields, 1.0)
        for match in _channel_words().finditer(text.chars):
            yield Mention(*text.span(match.start(), match.end()), CHANNEL, (), 1.0)
        for match in _leader_words().finditer(text.chars):
            yield Mention(*text.span(match.start(1), match.end(1)), LEADER, (), 1.0)


# Words of these are in almost every sentence of denial.
_SAID = ("disclosed_part", "disclosed_total", "interpretations", "responses")


def _field(chars: str, figure: Stated) -> str | None:
    before = re.split(r"[。;]", chars[max(0, figure.start - _BEFORE) : figure.start])[-1]
    if figure.unit in ("%", "个百分点", "倍") or _GROWTH.search(before[-8:]):
        return "growth" if _GROWTH.search(before[-10:]) else "share"
    best: tuple[int, str] | None = None
    for name, words in _NEAREST.items():
        for match in words.finditer(before):
            if best is None or match.end() > best[0]:
                best = match.end(), name
    if best:
        return best[1]
    behind = re.split(r"[,。;、]", chars[figure.end : figure.end + _BEHIND])[0]
    found = next((name for name, words in _NEAREST.items() if words.search(behind)), None)
    return found or ("other_count" if figure.unit not in ("年", "月", "日", "号") else None)


def _channel_words() -> re.Pattern[str]:
    words = sorted((word for word in load_kinds().words if len(word) > 1), key=len, reverse=True)
    return re.compile(
        r"(?:“[^”]{1,12}”)?(?:[县市区镇乡省]|政府|门户|政务){0,3}(?:" + "|".join(map(re.escape, words)) + ")"
    )


def _leader_words() -> re.Pattern[str]:
    ends = "|".join(
        map(re.escape, sorted((word for word in load_titles().ends if len(word) > 1), key=len, reverse=True))
    )
    return re.compile(rf"(?:{ends})([{_SURNAMES}][一-鿿]{{1,2}})(?=同志|任|为|担任|分管|负责|牵头|[,、。;)])")
