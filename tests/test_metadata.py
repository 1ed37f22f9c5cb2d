"""What a report says of itself."""

from pathlib import Path

import pytest

from extractors.document import Document
from extractors.metadata import About, read_metadata
from extractors.text import read_text

BODY = "\n一、总体情况\n工作平稳。\n五、存在的问题\n人手不足。\n"


def about(text: str, **hints: str) -> About:
    document = read_text(text.encode(), Path("2031年报告.txt"))
    return read_metadata(Document("text/html", document.text, hints=hints))


@pytest.mark.parametrize(
    ("head", "title", "authority", "year"),
    [
        ("云溪县水务局2022年政府信息公开工作年度报告", None, "云溪县水务局", 2022),
        ("2022年度云溪县水务局政府信息公开年度报告", None, "云溪县水务局", 2022),
        ("云溪县人民政府信息公开工作2021年度报告", None, "云溪县人民政府", 2021),
        (
            "云溪县人民政府办公室\n二〇二〇年政府信息公开\n工作年度报告",
            "云溪县人民政府办公室二〇二〇年政府信息公开工作年度报告",
            "云溪县人民政府办公室",
            2020,
        ),
        ("云溪县水务局关于2017年度政府信息公开工作情况的报告", None, "云溪县水务局", 2017),
        ("《云溪县水务局2019年政务公开工作年度报告》", "云溪县水务局2019年政务公开工作年度报告", "云溪县水务局", 2019),
        ("水利部2020年政府信息公开工作年度报告", None, "水利部", 2020),
        ("云溪县水务局政府信息公开工作年度报告(2022年)", None, "云溪县水务局", 2022),
        ("云溪县残联2022年政府信息公开工作年度报告", None, "云溪县残联", 2022),
        ("江陵理工大学2018-2019学年信息公开工作年度报告", None, "江陵理工大学", 2019),
        (
            "云溪县人民政府办公室（县外事办公室）2022年政府信息公开工作年度报告",
            "云溪县人民政府办公室(县外事办公室)2022年政府信息公开工作年度报告",
            "云溪县人民政府办公室(县外事办公室)",
            2022,
        ),
        ("白音查干苏木人民政府2023年政府信息公开工作年报", None, "白音查干苏木人民政府", 2023),
        ("沧原经济技术开发区管理委员会2024年政府信息公开工作年度报告", None, "沧原经济技术开发区管理委员会", 2024),
    ],
)
def test_the_title_names_body_and_year(head: str, title: str | None, authority: str, year: int) -> None:
    found = about(head + BODY)
    assert (found.title, found.authority, found.year) == (title or head, authority, year)


def test_a_year_in_numerals_without_its_rings_is_no_part_of_the_name() -> None:
    period = "本报告中所列数据的统计期限自2024年1月1日起，至2024年12月31日止。"
    found = about(f"云溪县石桥街道办事处二二四年政府信息公开工作年度报告\n{period}{BODY}")
    assert (found.authority, found.year) == ("云溪县石桥街道办事处", 2024)


def test_the_whole_name_stands_elsewhere() -> None:
    found = about("云溪县石桥乡2019年政府信息公开工作年度报告\n如有疑问请与云溪县石桥乡人民政府办公室联系。" + BODY)
    assert found.authority == "云溪县石桥乡人民政府"


def test_a_metadata_table_gives_what_the_title_lacks() -> None:
    head = (
        "索引号:\t0012/2025-77\t发布机构:\t云溪县水务局\n公开日期:\t2023-02-01\n名称:\t2022年政府信息公开工作年度报告\n"
    )
    found = about(head + BODY)
    assert (found.authority, found.year, found.published) == ("云溪县水务局", 2022, "2023-02-01")


def test_the_sign_off_names_body_and_date() -> None:
    found = about("一、总体情况\n2020年工作平稳。\n六、其他需要报告的事项\n无。\n云溪县水务局\n2021年1月20日\n")
    assert (found.title, found.authority, found.year, found.published) == (None, "云溪县水务局", 2020, "2021-01-20")


def test_the_opening_sentence_names_the_body() -> None:
    found = about("一、总体情况\n2019年,石桥乡深入落实条例,公开信息12条。\n")
    assert (found.authority, found.year) == ("石桥乡", 2019)


def test_an_announcing_sentence_names_the_body() -> None:
    found = about("根据条例,现公布云溪县粮食局2008年度政府信息公开工作年度报告。\n一、概述\n工作平稳。\n")
    assert (found.authority, found.year) == ("云溪县粮食局", 2008)


def test_the_region_of_a_branch_of_a_central_body() -> None:
    assert about("国家税务总局云溪县税务局2022年政府信息公开工作年度报告" + BODY).region == "云溪县"


def test_the_period_of_the_data_gives_the_year() -> None:
    found = about("本报告所列数据的统计期限自2018年1月1日起至2018年12月31日止。\n一、概述\n2017年以来工作平稳。\n")
    assert found.year == 2018


@pytest.mark.parametrize(
    "line",
    [
        "发布时间:2023-01-18 09:30",
        "日期: 2023年1月18日",
        "2023/1/18 来源:云溪县水务局",
        "【发布日期】2023.01.18",
        "时间:2023-1-18",
    ],
)
def test_bylines_date_the_publication(line: str) -> None:
    assert about(f"云溪县水务局2022年政府信息公开工作年度报告\n{line}{BODY}").published == "2023-01-18"


def test_a_date_before_the_end_of_the_year_is_of_something_else() -> None:
    found = about("云溪县水务局2022年政府信息公开工作年度报告\n发布日期:2021-03-01" + BODY)
    assert found.published is None


def test_impossible_dates_are_no_dates() -> None:
    assert about("云溪县水务局2022年政府信息公开工作年度报告\n发布日期:2023-02-31" + BODY).published is None


def test_meta_tags_fill_gaps_only() -> None:
    tags = {
        "ArticleTitle": "云溪县水务局2021年政府信息公开工作年度报告",
        "PubDate": "2022-01-30 10:00",
        "ContentSource": "云溪县政府",
    }
    found = about("一、总体情况\n工作平稳。\n", **tags)
    assert (found.title, found.authority, found.published) == (tags["ArticleTitle"], "云溪县水务局", "2022-01-30")
    printed = about("石桥乡2020年政府信息公开工作年度报告\n发布日期:2021-01-05" + BODY, **tags)
    assert (printed.authority, printed.year, printed.published) == ("石桥乡", 2020, "2021-01-05")


@pytest.mark.parametrize(
    ("authority", "prose", "coverage"),
    [
        ("云溪县水务局", "全县各乡镇都参加。全县各部门都参加。", "organ"),
        ("石桥乡人民政府", "全乡群众满意。", "organ"),
        ("云溪县人民政府", "全县各乡镇、各部门共公开信息12条,全县受理申请3件。", "consolidated"),
        ("云溪县人民政府", "工作平稳。", None),
        ("云溪县人民政府办公室", "本机关收到申请2件。", "organ"),
    ],
)
def test_coverage_follows_the_body_and_what_it_counts(authority: str, prose: str, coverage: str | None) -> None:
    found = about(f"{authority}2022年政府信息公开工作年度报告\n一、总体情况\n{prose}\n")
    assert found.coverage == coverage


def test_what_is_not_stated_is_none() -> None:
    found = about("一、总体情况\n工作平稳,公开信息若干。\n")
    assert found == About(None, None, None, None, None, None)
