"""Whether a text layer is what the page shows: a statistic over characters, cheap and without a dictionary.

Fonts with a wrong or missing map to Unicode give code points that have nothing to do with the glyphs drawn:
private-use, control and replacement characters, or arbitrary Han characters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

# The most frequent characters of written Chinese of any subject (they make up 70 to 80 % of running text), and
# those frequent in administration. Arbitrary Han characters hit this set in one case of thirty.
_FREQUENT = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所"
    "民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日"
    "那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想"
    "已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几"
    "九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证"
    "改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土"
    "许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳"
    "便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调"
    "满县局照参红细引听该铁价严乡镇村街社区委办厅署站所中心机构"
    "申请依信息公开主动政府条例规章规范性文件行政许可处罚强制事业性收费采购金额复议诉讼答复予部分可以提供不属于办理结果自然法组织"
    "商企科研机构益服务律其他总计维持纠正审尚未结案上年结转下度继续存问题改进需要报告项目数量制废止现效涉及秘密禁止危害安全稳定"
    "第三方合权利过程内部事务执案卷查询保留存不准确掌握另补工明非正当由反复重举投诉作类说明释确加强培训监督解读新媒体网站微信平台"
    "栏目财预决算环境扶贫教育医疗卫生食品药品房屋征土地补偿环保健全完善落实推深创责任考核领导小组主任副局书记镇长市县乡省自治区"
)  # fmt: skip

_MIN_HAN = 25  # fewer Han characters say nothing about the map of a font
_MIN_GLYPHS = 40  # the same for characters of any kind
_FREQUENT_SHARE = 0.30  # a text with a smaller share of frequent characters is no Chinese prose
_BROKEN_SHARE = 0.12  # share of characters that no page prints
_FONT_SHARE = 0.2  # a font that sets less of the page than this does not condemn it


def is_garbage(texts: Mapping[str, str]) -> bool:
    """Whether the text of a page cannot be trusted; ``texts`` holds what each font (or nothing known) sets."""
    total = sum(len(text) for text in texts.values())
    if _is_broken("".join(texts.values())):
        return True
    return any(len(text) >= _FONT_SHARE * total and _is_broken(text) for text in texts.values())


def _is_broken(text: str) -> bool:
    han = [char for char in text if "\u4e00" <= char <= "\u9fff"]
    if len(han) >= _MIN_HAN and sum(char in _FREQUENT for char in han) < _FREQUENT_SHARE * len(han):
        return True
    if len(text) < _MIN_GLYPHS:
        return False
    broken = sum(_is_unprintable(char) for char in text)
    if broken > _BROKEN_SHARE * len(text):
        return True
    plain = len(han) + sum(char.isascii() and char.isalnum() for char in text)
    return plain < 0.35 * len(text) and not _is_blank_marks(text)


def _is_unprintable(char: str) -> bool:
    category = unicodedata.category(char)
    return char == "\ufffd" or category in ("Co", "Cn", "Cc", "Cs")


def _is_blank_marks(text: str) -> bool:
    """Whether the page is mostly the marks that stand for nothing in a table."""
    return sum(char in "/-—–－／.…_．、，。：；（）()" for char in text) > 0.6 * len(text)
