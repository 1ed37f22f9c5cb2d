"""Roles of leaders and kinds of channels: sentences and names written for this file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from extractors.mentions import kind_of, role_of
from extractors.phrases import PhraseError, load_kinds, load_titles


def roles(marked: str) -> list[str | None]:
    """The role of each name in ⟦ ⟧."""
    spans: list[tuple[int, int]] = []
    text = ""
    for piece in re.split(r"(⟦[^⟧]*⟧)", marked):
        name = piece.strip("⟦⟧")
        if piece != name:
            spans.append((len(text), len(text) + len(name)))
        text += name
    return [role_of(text, *span, [other for other in spans if other != span]) for span in spans]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        pytest.param("由副镇长⟦周明⟧分管。", ["副镇长"], id="title before"),
        pytest.param("区委常委、副区长⟦周明⟧负总责。", ["区委常委、副区长"], id="chain of titles"),
        pytest.param("由⟦周明⟧同志具体负责。", [None], id="no title"),
        pytest.param("成立以局长⟦周明⟧为组长的领导小组。", ["局长、组长"], id="为组长"),
        pytest.param(
            "镇长⟦周明⟧任领导小组组长,武装部长⟦吴刚⟧任副组长。", ["镇长、组长", "武装部长、副组长"], id="group left out"
        ),
        pytest.param("⟦周明⟧兼任领导小组办公室主任。", ["办公室主任"], id="office kept"),
        pytest.param("组长由县长⟦周明⟧担任。", ["组长、县长"], id="head before 由"),
        pytest.param(
            "组长:⟦周明⟧(镇长),副组长:⟦吴刚⟧(副镇长)、⟦郑 力⟧(干事)。",
            ["组长、镇长", "副组长、副镇长", "副组长、干事"],
            id="list with brackets",
        ),
        pytest.param(
            "副局长⟦周明⟧、⟦吴刚⟧任副组长。", ["副局长、副组长", "副局长、副组长"], id="title shared by a list"
        ),
        pytest.param(
            "主任⟦周明⟧、副主任⟦吴刚⟧分别任组长、副组长。",
            ["主任、组长", "副主任、副组长"],
            id="titles given out in order",
        ),
        pytest.param("书记⟦周明⟧和局长⟦吴刚⟧共同担任组长。", ["书记、组长", "局长、组长"], id="held jointly"),
        pytest.param("⟦周明⟧副局长听取汇报。", ["副局长"], id="title behind the name"),
        pytest.param(
            "名单\n⟦周明⟧ 镇党委书记 组长\n⟦吴刚⟧ 镇党委委员 副组长\n",
            ["镇党委书记、组长", "镇党委委员、副组长"],
            id="columns",
        ),
        pytest.param("分管领导:⟦周明⟧ 党组副书记 07318450000", ["分管领导、党组副书记"], id="label and column"),
        pytest.param("局长⟦周明⟧为第一责任人。", ["局长"], id="第一责任人 is no title"),
        pytest.param("副县长⟦周明⟧分管此项工作并兼任领导小组组长。", ["副县长、组长"], id="second title in the clause"),
        pytest.param("區政府辦主任⟦周明⟧任組長。", ["區政府辦主任、組長"], id="traditional characters"),
    ],
)
def test_role(marked: str, expected: list[str | None]) -> None:
    assert roles(marked) == expected


@pytest.mark.parametrize(
    ("channel", "kind"),
    [
        ("区政府门户网站", "website"),
        ("“白沙早知道”微信公众号", "wechat"),
        ("“门户”公众号", "wechat"),
        ("居民微信群", "messaging"),
        ("微信公众号“白沙在线”", "wechat"),
        ("@白沙发布", "weibo"),
        ("“白沙”抖音号", "short_video"),
        ("“白沙通”App", "app"),
        ("《白沙市人民政府公报》", "gazette"),
        ("《白沙晚报》“政务”专版", "newspaper"),
        ("县广播电视台", "television"),
        ("《有话直说》栏目", "television"),
        ("村级大喇叭", "radio"),
        ("村務公開欄", "notice_board"),
        ("办事大厅LED屏", "notice_board"),
        ("区政府网站“招考”专栏", "website"),
        ("市图书馆", "reading_room"),
        ("12345热线", "hotline"),
        ("96000", "hotline"),
        ("院坝会", "meeting"),
        ("新闻发布会", "meeting"),
        ("惠民政策明白纸", "print"),
        ("便民服务中心", "other"),
        ("漂流瓶", "other"),
    ],
)
def test_kind(channel: str, kind: str) -> None:
    assert kind_of(channel) == kind


def test_shipped_lists_are_well_formed() -> None:
    kinds = load_kinds()
    assert kinds.carriers <= set(kinds.words.values())
    assert len(set(kinds.words.values())) == 16
    titles = load_titles()
    assert not set(titles.ends) & set(titles.never)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("gongkai.channels/1", "gongkai.channels/0"),
        ('"微博", ', '"微博", "公众号", '),
        ('carriers = ["website"', 'carriers = ["web"'),
    ],
)
def test_kinds_that_contradict_themselves_are_refused(tmp_path: Path, old: str, new: str) -> None:
    text = (Path(__file__).parent.parent / "data" / "channels.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "channels.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PhraseError):
        load_kinds(path)
