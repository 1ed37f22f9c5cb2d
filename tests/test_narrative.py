"""From prose and a tagger to entities and claims."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from spacy.tokens import DocBin

from extractors.document import Document
from extractors.narrative import WINDOW, Narrative, can_state, is_fall, load_language, read_narrative
from tests.taggers import LookUp

ROOT = Path(__file__).parent.parent
TEXT = (
    "一、总体情况\n"
    "全年主动公开政府信息310条,其中通过政府网站公开101条,通过微信公众号公开209条。"
    "由副镇长周岚分管,未发生行政复议和行政诉讼。\n"
    "公开量比上年下降12.5%。"
)
TAGGER = LookUp(
    {
        "310条": "disclosed_total",
        "101条": "disclosed_part",
        "209条": "disclosed_part",
        "未发生": ("reviews", "litigations"),
        "12.5%": "growth",
        "政府网站": "channel",
        "微信公众号": "channel",
        "周岚": "leader",
    }
)


def read(text: str, tagger: LookUp = TAGGER) -> Narrative:
    return read_narrative(Document("text/plain", text), (), tagger)


def test_claims_have_value_place_sentence_and_whole() -> None:
    claims = read(TEXT).claims
    assert [(claim.field, claim.value, claim.unit) for claim in claims] == [
        ("disclosed_total", 310, "条"),
        ("disclosed_part", 101, "条"),
        ("disclosed_part", 209, "条"),
        ("reviews", 0, None),
        ("litigations", 0, None),
        ("growth", Decimal("-12.5"), "%"),
    ]
    whole, first, second = claims[:3]
    assert whole.part_of is None and whole.partition is None
    assert first.part_of == second.part_of == whole.id
    assert first.partition is not None and first.partition == second.partition
    assert whole.sentence == TEXT.split("\n")[1].split("。")[0] + "。"
    for claim in claims:
        assert claim.evidence.start is not None and claim.evidence.end is not None
        assert TEXT[claim.evidence.start : claim.evidence.end] == claim.text


def test_entities_have_role_and_kind() -> None:
    entities = read(TEXT).entities
    assert [(entity.field, entity.text, entity.role, entity.kind) for entity in entities] == [
        ("channel", "政府网站", None, "website"),
        ("channel", "微信公众号", None, "wechat"),
        ("leader", "周岚", "副镇长", None),
    ]


def test_a_figure_that_a_line_end_cuts_is_one_claim_and_its_text_is_what_is_printed() -> None:
    text = "全县各级各部门通过政府门户网站和政务新媒体主动公开各类政府信息共计31\n0条,比上一年度有较大幅度的增加。"
    (claim,) = read(text).claims
    assert claim.value == 310
    assert claim.text == "31\n0条"


def test_a_unit_that_no_list_has_is_kept_as_printed() -> None:
    (claim,) = read("全年播发公告26匣。", LookUp({"26匣": "disclosed_part"})).claims
    assert (claim.value, claim.unit) == (26, "匣")


def test_units_stay_in_the_script_of_the_report() -> None:
    (claim,) = read("全年公開信息兩千條。", LookUp({"兩千條": "disclosed_total"})).claims
    assert (claim.value, claim.unit, claim.text) == (2000, "條", "兩千條")


@pytest.mark.parametrize(
    ("text", "figure", "falls"),
    [
        ("比2016年减少12件", "12件", True),
        ("同比上升12件", "12件", False),
        ("较上年少公开5条", "5条", True),
        ("降幅达30%", "30%", True),
        ("有12%的降幅", "12%", True),
        ("申请量增长8%,诉讼下降", "8%", False),
        ("行政处罚 35 -2", "2", True),
        ("比上年多出3件。减少", "3件", False),
    ],
)
def test_the_sign_of_a_change_is_that_of_the_word_nearest_to_it(text: str, figure: str, falls: bool) -> None:
    start = text.index(figure)
    assert is_fall(text, start, start + len(figure)) is falls


@pytest.mark.parametrize(
    ("text", "told", "fields"),
    [
        ("未发生行政复议、行政诉讼和申诉。", ("reviews",), ["reviews", "litigations", "complaints"]),
        ("未发生复议,未提起诉讼。", ("reviews",), ["reviews", "reviews"]),
        ("零复议、零诉讼。", ("reviews",), ["reviews", "reviews"]),
        ("未发生泄密和失误。", ("reviews",), []),
        ("未发生因公开引起的复议。", ("reviews", "litigations"), ["reviews"]),
    ],
)
def test_a_nil_over_a_list_of_disputes_denies_each(text: str, told: tuple[str, ...], fields: list[str]) -> None:
    tagger = LookUp(dict.fromkeys(("未发生", "未提起", "零"), told))
    found = [claim.field for claim in read(text, tagger).claims]
    assert found == fields


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("行政复议、行政诉讼均为0件。", ["reviews", "litigations"]),
        ("行政许可、行政处罚和行政强制数量均为0件。", ["licences", "penalties", "compulsion"]),
        ("部分公开、不予公开及其他处理都是零件。", ["requests_partly_granted", "requests_denied", "requests_other"]),
        ("行政诉讼1件,行政复议为0件。", ["reviews"]),
        ("科研机构、社会公益组织均为0件。", ["reviews"]),
        ("检索费、复制费均为0元。", ["request_fees"]),
    ],
)
def test_a_printed_zero_behind_a_list_is_a_claim_for_each(text: str, fields: list[str]) -> None:
    figure = next(word for word in ("0件", "零件", "0元") if word in text)
    found = [claim.field for claim in read(text, LookUp({figure: fields[-1]})).claims]
    assert found == fields


def test_a_plan_states_no_figure() -> None:
    tagger = LookUp({"两次": "trainings", "三次": "trainings"})
    claims = read("全年组织培训三次;下一步,我镇将补齐目录,并开展培训两次。", tagger).claims
    assert [claim.value for claim in claims] == [3]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("六、其他需要报告的事项\n无。", 0),
        ("六、其他需要报告的事项\n(无)", 0),
        ("无其他需要报告的事项。", 0),
        ("四、收费情况\n无。", 1),
        ("六、其他需要报告的事项\n本年度无收费。", 1),
    ],
)
def test_that_there_is_nothing_else_to_report_is_no_claim(text: str, count: int) -> None:
    assert len(read(text, LookUp({"无": ("request_fees",)})).claims) == count


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("收到申请由53件降至38件。", ["other_count", "requests_received"]),
        ("收到申请从去年的53件增加到今年的38件。", ["other_count", "requests_received"]),
        ("收到申请53件,办结38件。", ["requests_received", "requests_received"]),
        ("由县政府办受理申请53件,另有38件。", ["requests_received", "requests_received"]),
    ],
)
def test_of_a_change_the_later_figure_is_the_claim(text: str, fields: list[str]) -> None:
    tagger = LookUp({"53件": "requests_received", "38件": "requests_received"})
    assert [claim.field for claim in read(text, tagger).claims] == fields


def test_a_doubtful_claim_stays_in_the_record_and_is_marked() -> None:
    narrative = read("全年公开信息310条。", LookUp({"310条": "disclosed_total"}, score=0.4))
    assert [claim.confidence for claim in narrative.claims] == [0.4]
    assert [problem.code for problem in narrative.problems] == ["claim.doubtful"]


def test_windows_cover_every_sentence_that_can_hold_something_once_and_repeat_what_stood_before() -> None:
    sentences = [f"第{number}项工作中公开信息{number}条,其余按规定办理并及时归档备查。" for number in range(1, 60)]
    tagger = LookUp({f"{number}条": "disclosed_part" for number in range(1, 60)})
    claims = read("".join(sentences), tagger).claims
    assert [claim.value for claim in claims] == list(range(1, 60))
    assert all(len(window) <= WINDOW + 100 for window in tagger.windows)
    for before, after in zip(tagger.windows, tagger.windows[1:], strict=False):
        assert after[:20] in before


def test_a_part_in_the_next_window_finds_its_whole() -> None:
    filler = "各单位按照要求认真梳理公开事项并逐条核对内容确保准确无误及时更新目录方便群众查询。" * 5
    text = f"{filler}全年公开政府信息310条。其中通过政府网站公开101条。"
    claims = read(text).claims
    assert [claim.part_of for claim in claims] == [None, claims[0].id]


def test_the_name_of_the_authority_is_no_scope_and_another_bodys_is() -> None:
    text = "市教育局召开培训会3次,各县区召开12次。"
    tagger = LookUp({"3次": "trainings", "12次": "trainings"})
    document = Document("text/plain", text)
    own, others = read_narrative(document, (), tagger, "市教育局").claims
    assert own.scope is None and others.scope == "各县区"


def test_the_pipeline_is_spacys_own_and_its_documents_can_be_kept() -> None:
    language = load_language(TAGGER)
    doc = language(TEXT)
    assert [ent.text for ent in doc.ents] == ["政府网站", "微信公众号", "周岚"]
    assert [(span.id_, span.label_) for span in doc.spans["claims"]][:2] == [
        ("c1", "disclosed_total"),
        ("c2", "disclosed_part"),
    ]
    (again,) = DocBin().from_bytes(DocBin(docs=[doc]).to_bytes()).get_docs(language.vocab)
    assert again.text == TEXT and [ent.label_ for ent in again.ents] == ["channel", "channel", "leader"]


@pytest.mark.parametrize("path", sorted((ROOT / "data/gold").glob("t*/*.jsonl")), ids=lambda path: path.stem)
def test_no_annotated_sentence_is_passed_over_as_holding_nothing(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        passage = json.loads(line)
        text = passage["text"]
        for span in (*passage["entities"], *passage["claims"]):
            before = re.split(r"[。!?！？\n]", text[: span["start"]])[-1]
            behind = re.split(r"[。!?！？\n]", text[span["end"] :])[0]
            assert can_state(before + span["text"] + behind), (passage["id"], span["text"])


def test_connecting_prose_is_passed_over() -> None:
    assert not can_state("坚持以公开为常态,不断提高工作的质量和水平。")
