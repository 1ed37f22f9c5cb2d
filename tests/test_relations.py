"""Which figure is a part of which: one sentence per mechanism, written for this file."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from extractors.phrases import PhraseError, load_phrases
from extractors.relations import Figure, Relation, attach

MARK = re.compile(r"⟦(?P<span>[^|⟧]*)\|(?P<fields>[^⟧]*)⟧")
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
BOUNDS = {"余": "at_least", "约": "about"}


def read(marked: str, **options: str) -> tuple[list[Figure], list[Relation]]:
    """The figures of a sentence and their relations; ``⟦12件|field⟧`` marks a figure, ``⟦县网|channel⟧`` a channel."""
    figures: list[Figure] = []
    channels: list[tuple[int, int]] = []
    text, place = "", 0
    for mark in MARK.finditer(marked):
        text += marked[place : mark.start()]
        start, span = len(text), mark["span"]
        text, place = text + span, mark.end()
        if mark["fields"] == "channel":
            channels.append((start, len(text)))
            continue
        number = NUMBER.search(span)
        value = Decimal(number.group().replace(",", "")) if number else Decimal(0)
        value *= 10_000 if "万" in span and "元" not in span else 1
        unit = re.sub(r"[\d,.余约]|万(?!元)", "", span) or None if number else None
        bound = next((name for word, name in BOUNDS.items() if word in span), "exact")
        for field in mark["fields"].split("+"):
            figures.append(Figure(start, len(text), field, value, unit, bound, number is None))  # type: ignore[arg-type]
    text += marked[place:]
    return figures, attach(text, figures, channels, **options)


def wholes(marked: str) -> list[int | None]:
    """For each figure the index of its whole."""
    return [relation.part_of for relation in read(marked)[1]]


def partitions(marked: str) -> list[str | None]:
    return [relation.partition for relation in read(marked)[1]]


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        pytest.param(
            "共公开信息⟦30条|disclosed_total⟧,其中财务类⟦10条|disclosed_part⟧、村务类⟦20条|disclosed_part⟧。",
            [None, 0, 0],
            id="其中",
        ),
        pytest.param(
            "受理⟦9件|requests_received⟧(局机关⟦4件|requests_received⟧、分局⟦5件|requests_received⟧),办结⟦9件|requests_answered⟧。",
            [None, 0, 0, None],
            id="bracket, closed before the next count",
        ),
        pytest.param(
            "解读材料⟦8篇|interpretations⟧:图解⟦3篇|interpretations⟧,视频⟦5篇|interpretations⟧。",
            [None, 0, 0],
            id="colon",
        ),
        pytest.param(
            "不予处理⟦6件|requests_rejected⟧——信访类⟦4件|requests_rejected⟧、重复申请⟦2件|requests_rejected⟧。",
            [None, 0, 0],
            id="dash",
        ),
        pytest.param(
            "公开信息⟦50条|disclosed_total⟧,其中部门⟦30条|disclosed_part⟧(动态⟦12条|disclosed_part⟧、公告⟦18条|disclosed_part⟧),"
            "街道⟦20条|disclosed_part⟧。",
            [None, 0, 1, 1, 0],
            id="nested in brackets",
        ),
        pytest.param(
            "行政诉讼⟦9件|litigations⟧,其中直接起诉⟦5件|litigations⟧,维持⟦3件|litigations⟧、纠正⟦2件|litigations⟧;"
            "复议后起诉⟦4件|litigations⟧,维持⟦1件|litigations⟧、其他⟦3件|litigations⟧。",
            [None, 0, 1, 1, 0, 4, 4],
            id="nested by sums, parted by semicolons",
        ),
        pytest.param(
            "线上公开⟦70条|disclosed_part⟧,线下公开⟦25条|disclosed_part⟧,合计⟦95条|disclosed_total⟧。",
            [2, 2, None],
            id="total that follows",
        ),
        pytest.param(
            "线上公开⟦70条|disclosed_part⟧,线下公开⟦25条|disclosed_part⟧,合计⟦98条|disclosed_total⟧。",
            [2, 2, None],
            id="total that follows and does not add up",
        ),
        pytest.param(
            "新收⟦57件|requests_received⟧,结转⟦4件|requests_carried_in⟧,合计应办⟦61件|other_count⟧。",
            [None, None, None],
            id="a sum of other fields is no total",
        ),
        pytest.param(
            "甲局承办提案⟦30件|proposals⟧,占全县⟦120件|proposals⟧的⟦25%|share⟧。",
            [1, None, None],
            id="占全县N件的x%",
        ),
        pytest.param(
            "收到申请⟦20件|requests_received⟧,同意公开⟦8件|requests_granted⟧,不予公开⟦5件|requests_denied⟧,"
            "结转下年⟦7件|requests_carried_out⟧。",
            [None, 0, 0, 0],
            id="outcomes of the received, carried out among them",
        ),
        pytest.param(
            "收到申请⟦20件|requests_received⟧,答复⟦13件|requests_answered⟧,同意公开⟦8件|requests_granted⟧,"
            "不予公开⟦5件|requests_denied⟧,结转⟦7件|requests_carried_out⟧。",
            [None, None, 1, 1, None],
            id="outcomes of the answered, carried out beside them",
        ),
        pytest.param(
            "收到申请⟦20件|requests_received⟧,其中当面⟦8件|requests_received⟧、信函⟦12件|requests_received⟧。"
            "均已办理,其中同意公开⟦3件|requests_granted⟧。",
            [None, 0, 0, 0],
            id="outcomes are no parts of a part by means",
        ),
        pytest.param(
            "收到申请⟦30件|requests_received⟧。在这⟦30件|requests_received⟧申请中,企业⟦4件|requests_received⟧、"
            "公民⟦26件|requests_received⟧。",
            [None, None, 1, 1],
            id="restated whole",
        ),
        pytest.param(
            "承办建议⟦40件|proposals⟧、提案⟦60件|proposals⟧。建议中,已采纳⟦15件|proposals⟧;提案中,已采纳⟦31件|proposals⟧。",
            [None, None, 0, 1],
            id="whole taken up by its name",
        ),
        pytest.param(
            "行政复议⟦9件|reviews⟧,维持⟦6件|reviews⟧,撤销⟦3件|reviews⟧;行政诉讼⟦2件|litigations⟧,驳回⟦2件|litigations⟧。",
            [None, 0, 0, None, 3],
            id="outcomes of disputes without a cue",
        ),
        pytest.param(
            "举办发布会⟦12场|press_conferences⟧,主要负责人出席⟦3场|press_conferences⟧。",
            [None, 0],
            id="attendance",
        ),
        pytest.param(
            "公开信息⟦100条|disclosed_total⟧。网站⟦62条|disclosed_part⟧,公众号⟦30条|disclosed_part⟧,报纸⟦8条|disclosed_part⟧。",
            [None, 0, 0, 0],
            id="an exact sum in the next sentence",
        ),
        pytest.param(
            "公开信息⟦103条|disclosed_total⟧,其中财务⟦54条|disclosed_part⟧、项目⟦40条|disclosed_part⟧、"
            "其他⟦27条|disclosed_part⟧。",
            [None, 0, 0, 0],
            id="parts that exceed the whole",
        ),
        pytest.param(
            "工作人员⟦8人|staff⟧,专职⟦2人|staff⟧、兼职⟦6人|staff⟧,培训⟦3期|trainings⟧。",
            [None, 0, 0, None],
            id="bare list",
        ),
        pytest.param(
            "配备专职⟦2人|staff⟧、兼职⟦6人|staff⟧。",
            [None, None],
            id="siblings without a whole",
        ),
        pytest.param(
            "制定规章⟦5部|regulations⟧,修改⟦2部|regulations⟧,废止⟦3部|regulations⟧。",
            [None, None, None],
            id="废止 is no part of what was made, though it adds up",
        ),
        pytest.param(
            "清理规章⟦9部|regulations⟧,修改⟦2部|regulations⟧,废止⟦3部|regulations⟧。",
            [None, 0, 0],
            id="废止 is a part of what was reviewed",
        ),
        pytest.param(
            "反馈问题⟦8个|other_count⟧,已整改⟦6个|other_count⟧,余⟦2个|other_count⟧。",
            [None, None, None],
            id="follow-ups are no parts",
        ),
        pytest.param(
            "公开信息⟦90条|disclosed_total⟧,比上年的⟦80条|other_count⟧多⟦10条|growth⟧,其中财务⟦30条|disclosed_part⟧。",
            [None, None, None, 0],
            id="last year's figure and growth stand aside",
        ),
        pytest.param(
            "采购⟦6个|procurement_items⟧,金额⟦1.5亿元|procurement_amount⟧,其中货物⟦2000万元|procurement_amount⟧。",
            [None, None, 1],
            id="money of different units",
        ),
        pytest.param(
            "举办培训⟦9期|trainings⟧,参训⟦400人|training_attendance⟧,其中局机关⟦2期|trainings⟧、⟦90人|training_attendance⟧,"
            "分局⟦7期|trainings⟧、⟦310人|training_attendance⟧。",
            [None, None, 0, 1, 0, 1],
            id="two wholes broken down together",
        ),
        pytest.param(
            "全年⟦未发生|reviews+litigations⟧行政复议和行政诉讼。",
            [None, None],
            id="a nil over a list",
        ),
        pytest.param(
            "收到申请⟦9件|requests_received⟧。\n公开⟦4件|requests_granted⟧。",
            [None, None],
            id="not across paragraphs",
        ),
        pytest.param(
            "收到申請⟦9件|requests_received⟧,其 中 當面⟦4件|requests_received⟧、郵寄⟦5件|requests_received⟧。",
            [None, 0, 0],
            id="traditional characters and blanks",
        ),
    ],
)
def test_whole_of_each_figure(marked: str, expected: list[int | None]) -> None:
    assert wholes(marked) == expected


def test_breakdowns_of_one_whole_have_names_of_their_own() -> None:
    names = partitions(
        "收到申请⟦10件|requests_received⟧。按渠道分,网上⟦7件|requests_received⟧、信函⟦3件|requests_received⟧;"
        "按申请人分,公民⟦8件|requests_received⟧、企业⟦2件|requests_received⟧;"
        "同意公开⟦6件|requests_granted⟧,无法提供⟦4件|requests_unavailable⟧。"
    )
    assert names[0] is None
    assert names[1] == names[2]
    assert names[3] == names[4]
    assert names[5] == names[6]
    assert len({names[1], names[3], names[5]}) == 3


def test_partition_names_are_unique_in_the_text() -> None:
    names = partitions(
        "公开信息⟦5条|disclosed_total⟧,其中财务⟦2条|disclosed_part⟧。"
        "收到申请⟦5件|requests_received⟧,其中当面⟦2件|requests_received⟧。"
    )
    assert names[1] != names[3]


def test_relations_come_in_the_order_of_the_figures() -> None:
    text = "公开信息30条,其中财务10条。"
    total = Figure(4, 7, "disclosed_total", 30, "条", "exact", False)
    part = Figure(12, 15, "disclosed_part", 10, "条", "exact", False)
    assert [relation.part_of for relation in attach(text, [part, total], [])] == [1, None]
    assert attach(text, [], []) == []


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("全年共受理政府信息公开申请⟦12件|requests_received⟧", "政府信息公开申请"),
        ("公开信息⟦9条|disclosed_total⟧,其中⟦9条|disclosed_part⟧为财务类。", "财务类"),
        ("先后召开⟦3次|meetings⟧推进会", "推进会"),
        ("信访类⟦3件|requests_rejected⟧,占⟦25%|share⟧。", "信访类"),
        ("答复率、满意率分别为⟦90%|share⟧和⟦95%|share⟧", "满意率"),
        ("⟦县网|channel⟧、⟦县报|channel⟧分别发布⟦8条|disclosed_part⟧、⟦3条|disclosed_part⟧。", "县报"),
        ("全年⟦未收到|complaints⟧有关信息公开的举报。", "举报"),
        ("市场监管局收费情况:⟦无|request_fees⟧。", "收费"),
        ("自 办 简 报 ⟦6期|other_count⟧", "简 报"),
    ],
)
def test_label_is_the_noun_as_printed(marked: str, expected: str) -> None:
    label = read(marked)[1][-1].label
    assert label is not None
    assert expected in label


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        (
            "全县收到申请⟦9件|requests_received⟧,其中县住建局⟦4件|requests_received⟧、各乡镇⟦5件|requests_received⟧。",
            [None, "县住建局", "各乡镇"],
        ),
        (
            "全市公开信息⟦9条|disclosed_total⟧;市政府办公室举办培训⟦2期|trainings⟧,参训⟦60人|training_attendance⟧。"
            "召开会议⟦1次|meetings⟧。",
            [None, "市政府办公室", "市政府办公室", None],
        ),
        ("我局公开信息⟦9条|disclosed_total⟧,全局收到申请⟦1件|requests_received⟧。", [None, None]),
        (
            "公开信息⟦8条|disclosed_total⟧,其中区级部门⟦8条|disclosed_part⟧(动态⟦3条|disclosed_part⟧)。",
            [None, "区级部门", "区级部门"],
        ),
        (
            "收到申请⟦5件|requests_received⟧,其中律师事务所⟦2件|requests_received⟧、⟦县政府网站|channel⟧⟦3件|requests_received⟧。",
            [None, None, None],
        ),
    ],
)
def test_scope_names_bodies_other_than_the_publisher(marked: str, expected: list[str | None]) -> None:
    assert [relation.scope for relation in read(marked)[1]] == expected


def test_the_publisher_itself_is_no_scope() -> None:
    marked = "全市工作有序。市民政局举办培训⟦2期|trainings⟧;市档案馆受理申请⟦1件|requests_received⟧。"
    _, relations = read(marked, publisher="白沙市民政局")
    assert [relation.scope for relation in relations] == [None, "市档案馆"]
    _, relations = read(marked, publisher="白沙市人民政府")
    assert [relation.scope for relation in relations] == ["市民政局", "市档案馆"]


def test_a_section_of_many_paragraphs() -> None:
    paragraph = (
        "全县公开信息⟦30条|disclosed_total⟧,其中财务类⟦10条|disclosed_part⟧、村务类⟦20条|disclosed_part⟧。"
        "收到申请⟦9件|requests_received⟧,同意公开⟦9件|requests_granted⟧。\n"
    )
    assert wholes(paragraph * 20) == [
        whole for start in range(0, 100, 5) for whole in (None, start, start, None, start + 3)
    ]


def test_shipped_lists_are_well_formed() -> None:
    phrases = load_phrases()
    fields = set(phrases.wholes)
    assert all(whole.parts <= fields for whole in phrases.wholes.values())
    assert all(aspect.free <= fields for aspect in phrases.aspects)
    assert set(phrases.nil) <= fields
    assert set(phrases.cues["sure_total"]) <= set(phrases.cues["total"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("gongkai.relations/1", "gongkai.relations/0"),
        ('field = "regulations"', 'field = "interpretations"'),
        ('name = "applicant"', 'name = "means"'),
        ('"其中", "他其"', '"其中", "其中"'),
        ('"其中", "他其"', '"其中", ""'),
        ("[cues]", "[cue]"),
    ],
)
def test_a_list_that_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str) -> None:
    shipped = Path(__file__).parent.parent / "data" / "relations.toml"
    text = shipped.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "relations.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PhraseError):
        load_phrases(path)


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("公开⟦30条|disclosed_total⟧,其中财务⟦310条|disclosed_part⟧、村务⟦20条|disclosed_part⟧。", [None, 0, 0]),
        ("公开⟦30条|disclosed_total⟧(财务⟦310条|disclosed_part⟧、村务⟦20条|disclosed_part⟧)。", [None, 0, 0]),
        ("公开⟦30条|disclosed_total⟧。其中,财务⟦310条|disclosed_part⟧。", [None, 0]),
        ("公开⟦30条|disclosed_total⟧,由两块构成:财务⟦310条|disclosed_part⟧,村务⟦2条|disclosed_part⟧。", [None, 0, 0]),
        ("建议⟦24件|proposals⟧、提案⟦17件|proposals⟧,其中市级⟦41件|proposals⟧。", [None, None, None]),
        ("公开⟦30条|disclosed_total⟧,⟦县网|channel⟧推送⟦310条|disclosed_part⟧。", [None, None]),
    ],
)
def test_a_part_is_one_by_the_words_even_where_it_exceeds_its_whole(marked: str, expected: list[int | None]) -> None:
    assert wholes(marked) == expected


def test_nil_parts_go_on_with_a_list_that_is_complete() -> None:
    marked = (
        "收到⟦9件|requests_received⟧,其中自然人⟦5件|requests_received⟧、企业⟦4件|requests_received⟧、"
        "社会公益组织⟦0件|requests_received⟧。"
    )
    assert len(set(partitions(marked)[1:])) == 1


def test_labels_behind_the_figures_of_a_list_are_each_figures_own() -> None:
    labels = [relation.label for relation in read("复议案中,⟦2件|reviews⟧维持、⟦1件|reviews⟧被纠正。")[1]]
    assert labels == ["维持", "纠正"]
