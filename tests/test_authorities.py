"""Names of bodies: spellings of one are one, two bodies never are, and what is not certain says so."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from extractors.authorities import AuthorityError, Body, compare, identify, load_names, read_body


def same(*named: tuple[str, str | None]) -> bool:
    """Whether reports that name these bodies, by name and region, are certainly of one."""
    found = identify({place: read_body(*one) for place, one in enumerate(named)})
    return len({one.name for one in found.values()}) == 1 and not any(one.doubt for one in found.values())


@pytest.mark.parametrize(
    "spellings",
    [
        ["某县人民政府办公室", "某县政府办", "某县人民政府办公厅", "某縣人民政府辦公室", "某县政府办公室（县外事办）"],
        ["白石县水利局", "澄川市白石县水利局", "栖江省澄川市白石县水利局", "白石县 水利局", "《白石县水利局》"],
        ["白石县人民政府", "白石县政府", "白石县", "澄川市白石县人民政府"],
        ["白石县卫生健康委员会", "白石县卫健委", "白石县卫生健康委", "白石县卫生健康局"],
        ["白石县发展和改革局", "白石县发改局", "白石县发展和改革委员会", "白石县发展改革委(县粮食局)"],
        ["白石县市场监督管理局", "白石县市场监管局", "白石县市监局"],
        ["青禾镇人民政府", "青禾镇", "青禾镇政府"],
        ["白石桥街道办事处", "白石桥街道", "白石桥街道办"],
        ["澄川市经济技术开发区管理委员会", "澄川市经济技术开发区管委会"],
        ["天河区人民政府办公室", "广州市天河区人民政府办公室"],
        ["津市市人民政府", "津市市政府"],
        ["白石市市场监督管理局", "白石市市监局"],
        ["南京市鼓楼区教育局", "江苏省南京市鼓楼区教育局"],
        ["国家税务总局白石县税务局", "国家税务总局白石县税务局（本级）"],
    ],
    ids=lambda names: names[0],
)  # fmt: skip
def test_spellings_of_one_body_are_one(spellings: list[str]) -> None:
    assert same(*((name, None) for name in spellings))


@pytest.mark.parametrize(
    "named",
    [
        pytest.param([("白石县人民政府", None), ("白石县人民政府办公室", None)], id="a government and its office"),
        pytest.param([("青禾镇", "白石县"), ("青禾镇", "霁江县")], id="townships of two counties"),
        pytest.param([("栖江省某市水利局", None), ("澄江省某市水利局", None)], id="cities of two provinces"),
        pytest.param([("白石县水利局", None), ("澄川市水利局", None)], id="a county's and a city's"),
        pytest.param([("白石县水利局", None), ("白石县水务局", None)], id="renamed or another"),
        pytest.param([("白石县自然资源局", None), ("白石县自然资源和规划局", None)], id="two names that both exist"),
        pytest.param([("白石县城市管理局", None), ("白石县城市管理委员会", None)], id="of two ranks"),
        pytest.param([("青禾镇", None), ("青禾乡", None)], id="town and township"),
        pytest.param([("青禾镇", "白石县"), ("青禾镇", None)], id="an area that one of them does not tell"),
        pytest.param([("白石县水利局", None), ("水利局", None)], id="a department of nobody knows where"),
        pytest.param([("鼓楼区教育局", None), ("南京市鼓楼区教育局", None)], id="a district of several cities"),
        pytest.param([("鼓楼区教育局", None), ("鼓楼区教育局", None)], id="the same, twice"),
        pytest.param([("城关镇", None), ("城关镇人民政府", None)], id="a township of many counties"),
        pytest.param([("水利局", None), ("水利局", None)], id="departments of nobody knows where"),
    ],
)
def test_two_bodies_are_never_one(named: list[tuple[str, str | None]]) -> None:
    assert not same(*named)


def test_a_name_without_its_area_takes_it_from_the_report() -> None:
    assert same(("县水利局", "白石县"), ("白石县水利局", None), ("水利局", "澄川市白石县"))
    assert not same(("市水利局", "白石县"), ("白石县水利局", None))


def test_a_body_that_could_be_either_of_two_is_neither() -> None:
    names = {1: "白石县水利局", 2: "澄川市白石县水利局", 3: "霁江市白石县水利局"}
    found = identify({report: read_body(name, None) for report, name in names.items()})
    assert len({one.name for one in found.values()}) == 3
    assert found[1].doubt is not None and "several bodies" in found[1].doubt


def test_what_arrives_later_may_part_what_was_one() -> None:
    bodies: dict[int, Body] = {1: read_body("白石县水利局", None), 2: read_body("澄川市白石县水利局", None)}
    assert len({one.name for one in identify(bodies).values()}) == 1
    bodies[3] = read_body("霁江市白石县水利局", None)
    assert len({one.name for one in identify(bodies).values()}) == 3


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("沙市区水利局", "沙市区水利局"),
        ("黔南州水利局", "黔南州水利局"),
        ("澄川土家族苗族自治州人民政府", "澄川土家族苗族自治州人民政府"),
        ("浦东新区水利局", "浦东新区水利局"),
        ("济南市市中区人民政府", "市中区人民政府"),
        ("白石县城关镇人民政府", "城关镇"),
        ("白石县住房和城乡建设局", "白石县住房和城乡建设局"),
        ("水利部", "水利部"),
        ("", "人民政府"),
        ("局", "局"),
    ],
)
def test_areas_end_where_the_body_begins(name: str, key: str) -> None:
    assert read_body(name, None).key == key


def test_hostile_names_are_read_quickly_and_belong_to_nobody() -> None:
    started = time.perf_counter()
    assert not read_body("市" * 50_000, None).certain
    assert read_body("水利局", "县区" * 30_000).key
    assert time.perf_counter() - started < 2
    assert read_body("=cmd|'/c calc'!A1", None).key


def test_bodies_of_one_area_that_may_follow_each_other_share_a_family() -> None:
    families = {read_body(name, None).family for name in ("白石县国土资源局", "白石县自然资源和规划局")}
    assert len(families) == 1
    assert read_body("青禾乡", "白石县").family == read_body("青禾镇", "白石县").family
    assert read_body("白石县水利局", None).family == read_body("白石县水务局", None).family
    assert read_body("白石县水利局", None).family != read_body("白石县财政局", None).family


def test_comparing_is_symmetric() -> None:
    names = [
        ("青禾镇", None),
        ("青禾镇", "白石县"),
        ("青禾镇", "澄川市白石县"),
        ("青禾镇", "霁江县"),
        ("青禾镇", "澄川市"),
    ]
    bodies = [read_body(*one) for one in names]
    assert all(compare(one, other) == compare(other, one) for one in bodies for other in bodies)
    assert [compare(bodies[1], other) for other in bodies] == ["unclear", "same", "same", "different", "unclear"]


def test_lists_that_contradict_themselves_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "authorities.toml"
    path.write_text('schema = "other"', encoding="utf-8")
    with pytest.raises(AuthorityError, match="schema"):
        load_names(path)
    path.write_text(
        'schema = "gongkai.authorities/1"\ndepartments = [["甲局", "乙局"], ["丙局", "乙局"]]', encoding="utf-8"
    )
    with pytest.raises(AuthorityError, match="two departments"):
        load_names(path)
