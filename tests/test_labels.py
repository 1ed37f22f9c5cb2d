"""Printed labels against the form's."""

import pytest

from extractors.forms import load_forms
from extractors.labels import ALIKE, UNLIKE, label_key, similarity


@pytest.mark.parametrize(
    ("printed", "label"),
    [
        ("(一)予以公开", "（一）予以公开"),
        ("①属于国家秘密", "1.属于国家秘密"),
        ("1、属于国家秘密", "1.属于国家秘密"),
        ("1．属于国家秘密", "1.属于国家秘密"),
        ("属于国家秘密", "1.属于国家秘密"),
        ("規範性文件", "规范性文件"),
        ("二、上年结转政府信息公开\n申请数量", "二、上年结转政府信息公开申请数量"),
        ("（二）部分公开", "（二）部分公开（区分处理的，只计这一情形，不计其他情形）"),
        ("规范性文件(以本局名义印发的)", "规范性文件"),
        ('3.危及"三安全一稳定"', "3.危及“三安全一稳定”"),
        ("(三)不予公开 1.属于国家秘密", "1.属于国家秘密"),
        ("当面申请数 件", "1.当面申请数"),
        ("三\n、\n本\n年\n度\n办\n理\n结\n果", "三、本年度办理结果"),
    ],
)
def test_spellings_of_one_label_are_equal(printed: str, label: str) -> None:
    assert similarity(printed, (label,)) == 1.0


@pytest.mark.parametrize(
    ("printed", "label"),
    [
        ("2.其他法律行政止公开", "2.其他法律行政法规禁止公开"),
        ("本年增/", "本年增/减"),
        ("2.没有现成信息需要另行", "2.没有现成信息需要另行制作"),
        ("5.要求行政机关确认或者重新出具己获取信息", "5.要求行政机关确认或重新出具已获取信息"),
    ],
)
def test_a_cut_or_garbled_label_is_still_alike(printed: str, label: str) -> None:
    assert ALIKE <= similarity(printed, (label,)) < 1.0


@pytest.mark.parametrize(
    ("printed", "label"),
    [("其他主动公开文件", "规范性文件"), ("三、本年度办理结果", "（一）予以公开"), ("合计", "（七）总计")],
)
def test_other_labels_are_unlike(printed: str, label: str) -> None:
    assert similarity(printed, (label,)) < UNLIKE


@pytest.mark.parametrize("name", ["2014", "2019", "2021"])
def test_no_two_rows_of_a_block_share_a_spelling(name: str) -> None:
    form = load_forms()[name]
    for block in form.blocks:
        rows = [row for table in form.block_tables(block) for row in table.rows if row.key and row.label]
        keys = [(label_key(row.label), row.groups) for row in rows]
        assert len(keys) == len(set(keys))


def test_an_empty_label_is_like_nothing() -> None:
    assert similarity("", ("规章",)) == 0.0
    assert similarity("规章", ()) == 0.0
