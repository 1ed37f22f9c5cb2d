"""Claims against tables, parts against wholes, shares: the three ways each comes out, and what decides."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from extractors.cells import Tables
from extractors.fields import claim_fields
from extractors.figures import find_figures
from extractors.forms import data_directory, load_forms
from extractors.prose_sums import check_sums
from extractors.prose_table import check_tables_stated
from extractors.readings import ReadingError, load_readings
from extractors.report import Cell, Claim, Evidence, Finding
from extractors.stated import interval, read_claims

FORMS = load_forms()
BLOCKS = ("disclosure", "applications", "disputes")
# ⟦label|figure|field⟧, with options behind it: of=2 the whole, in=a the partition, scope=…, sure=0.7. The prefixes
# requests_ and disclosed_ of fields are left out.
FIELDS = {field.name.removeprefix("requests_").removeprefix("disclosed_"): field.name for field in claim_fields()}
MARK = re.compile(r"⟦(?P<label>[^|⟧]*)\|(?P<text>[^|⟧]*)\|(?P<field>[^ ⟧]*)(?P<options>[^⟧]*)⟧")


def read(marked: str) -> tuple[tuple[Claim, ...], str]:
    """The claims of a passage and its text; the label stands before its figure."""
    claims: list[Claim] = []
    text, place = "", 0
    for number, mark in enumerate(MARK.finditer(marked), 1):
        text += marked[place : mark.start()] + mark["label"]
        place = mark.end()
        options = dict(option.split("=", 1) for option in mark["options"].split())
        start, text = len(text), text + mark["text"]
        figure = next(find_figures(mark["text"]), None)
        whole = options.get("of")
        claims.append(
            Claim(
                id=f"c{number}",
                field=FIELDS[mark["field"]],
                value=figure.value if figure else 0,
                unit=figure.unit if figure else None,
                bound=figure.bound if figure else "exact",
                text=mark["text"],
                sentence="",
                label=mark["label"] or None,
                scope=options.get("scope"),
                part_of=f"c{whole}" if whole else None,
                partition=options.get("in", "a") if whole else None,
                confidence=float(options.get("sure", "0.97")),
                evidence=Evidence(start=start, end=len(text)),
            )
        )
    text += marked[place:]
    return tuple(replace(claim, sentence=text) for claim in claims), text


def tables(form: str = "2021", **changed: object) -> Tables:
    """A report that prints 0 everywhere, save the cells named with ``__`` for dots; None is blank, a str a status."""
    cells = {key: Cell(key, 0, "0", spec.unit, "reported", 0.99, Evidence()) for key, spec in FORMS[form].cells.items()}
    for name, value in changed.items():
        key = name.replace("__", ".")
        if value is None or isinstance(value, str):
            cells[key] = replace(cells[key], value=None, status=value or "blank")
        else:
            cells[key] = replace(cells[key], value=value)
    return Tables(form, dict.fromkeys(BLOCKS, form), tuple(cells.values()))


def held(marked: str, year: int | None = 2023, form: str = "2021", **changed: object) -> list[Finding]:
    claims, text = read(marked)
    return list(check_tables_stated(claims, tables(form, **changed), FORMS, text, year))


def sums(marked: str, **changed: object) -> list[Finding]:
    claims, text = read(marked)
    return list(check_sums(claims, text, tables(**changed)))


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    return finding


# prose.table


def test_a_claim_agrees_with_its_cell_and_the_message_names_the_reading() -> None:
    finding = only(held("全年⟦收到申请|12件|received⟧。", applications__new__total=12))
    assert (finding.status, finding.severity, finding.origin) == ("consistent", None, None)
    assert (finding.id, finding.claims) == ("prose.table:requests_received=12.1", ("c1",))
    assert finding.cells == ("applications.new.total",)
    assert "“收到申请” 12件 agrees with" in finding.message
    assert finding.message.endswith("12 (new)")


def test_a_claim_that_no_reading_meets_is_an_error_against_the_nearest() -> None:
    finding = only(
        held("全年⟦收到申请|15件|received⟧。", applications__new__total=11, applications__carried_in__total=3)
    )
    assert (finding.status, finding.severity, finding.origin) == ("inconsistent", "error", "report")
    assert (finding.expected, finding.reported, finding.difference) == (14, 15, 1)
    assert finding.cells == ("applications.new.total", "applications.carried_in.total")


@pytest.mark.parametrize("status", ["illegible", "absent"])
def test_a_claim_against_cells_that_are_not_there_is_unverifiable(status: str) -> None:
    finding = only(held("⟦上年结转|4件|carried_in⟧。", applications__carried_in__total=status))
    assert (finding.status, finding.expected, finding.reported) == ("unverifiable", None, 4)


@pytest.mark.parametrize(
    ("marked", "changed"),
    [
        pytest.param("⟦收到申请|14件|received⟧", {"new__total": 11, "carried_in__total": 3}, id="new+carried"),
        pytest.param("⟦自然人申请|7件|received⟧", {"new__natural_person": 7, "new__total": 9}, id="column"),
        pytest.param("⟦法人或其他组织申请|5件|received⟧", {"new__business": 2, "new__research": 3}, id="columns"),
        pytest.param("公民、法人和其他组织⟦申请|9件|received⟧", {"new__natural_person": 7, "new__total": 9}, id="all"),
        pytest.param("⟦答复申请|9件|answered⟧", {"processed__total": 9}, id="processed"),
        pytest.param(
            "⟦答复申请|9件|answered⟧",
            {"processed__total": 11, "granted__total": 9, "other__other__total": 2},
            id="processed without other",
        ),
        pytest.param("⟦不予公开|6件|denied⟧", {"denied__law__total": 2, "denied__process__total": 4}, id="denied"),
        pytest.param("⟦属于国家秘密|2件|denied⟧", {"denied__state_secret__total": 2}, id="reason"),
        pytest.param("⟦无法提供|3件|unavailable⟧", {"unavailable__not_held__total": 3}, id="unavailable"),
        pytest.param("⟦重复申请|3件|rejected⟧", {"rejected__repeated__total": 3}, id="rejected"),
        pytest.param("⟦其他处理|3件|other⟧", {"other__other__total": 3}, id="other"),
        pytest.param("⟦结转下年度|3件|carried_out⟧", {"carried_out__total": 3}, id="carried out"),
    ],
)
def test_what_a_claim_about_applications_can_mean(marked: str, changed: dict[str, int]) -> None:
    findings = held(marked, **{f"applications__{name}": value for name, value in changed.items()})
    assert only(findings).status == "consistent", findings
    wrong = re.sub(r"\|(\d+)件", lambda match: f"|{int(match[1]) + 30}件", marked)
    findings = held(wrong, **{f"applications__{name}": value for name, value in changed.items()})
    assert (only(findings).status, only(findings).severity) == ("inconsistent", "error"), findings


@pytest.mark.parametrize(
    ("marked", "form", "changed"),
    [
        pytest.param("⟦行政复议|3件|reviews⟧", "2021", {"disputes__review__total": 3}, id="review"),
        pytest.param(
            "⟦行政诉讼|7件|litigations⟧",
            "2021",
            {"disputes__direct_litigation__total": 5, "disputes__litigation_after_review__total": 2},
            id="both procedures",
        ),
        pytest.param(
            "⟦复议后起诉|2件|litigations⟧",
            "2019",
            {"disputes__direct_litigation__total": 5, "disputes__litigation_after_review__total": 2},
            id="one procedure",
        ),
        pytest.param(
            "⟦制发行政规范性文件|3件|normative_documents⟧", "2021", {"disclosure__normative_documents__issued": 3}
        ),
        pytest.param(
            "⟦废止规范性文件|3件|normative_documents⟧", "2021", {"disclosure__normative_documents__repealed": 3}
        ),
        pytest.param("⟦现行有效规章|3件|regulations⟧", "2021", {"disclosure__regulations__in_force": 3}),
        pytest.param("⟦行政许可决定|30件|licences⟧", "2021", {"disclosure__licences__decisions": 30}),
        pytest.param("⟦行政处罚|30件|penalties⟧", "2019", {"disclosure__penalties__decisions": 30}),
        pytest.param(
            "⟦行政许可事项|30项|licences⟧",
            "2019",
            {"disclosure__licences__previous": 28, "disclosure__licences__change": 2},
        ),
        pytest.param("⟦政府集中采购|4项|procurement_items⟧", "2019", {"disclosure__procurement__items": 4}),
        pytest.param("⟦主动公开政府信息|80条|total⟧", "2014", {"disclosure2014__total": 80}),
        pytest.param("⟦当面申请|3件|received⟧", "2014", {"requests2014__received__in_person": 3}),
        pytest.param("⟦新闻发布会|3次|press_conferences⟧", "2014", {"responses2014__press_conferences__total": 3}),
        pytest.param("⟦兼职人员|3人|staff⟧", "2014", {"resources2014__staff__part_time": 3}),
    ],
)
def test_what_other_claims_can_mean(marked: str, form: str, changed: dict[str, int]) -> None:
    assert only(held(marked, form=form, **changed)).status == "consistent"
    wrong = re.sub(r"\|(\d+)", lambda match: f"|{int(match[1]) + 300}", marked)
    assert only(held(wrong, form=form, **changed)).status == "inconsistent"


@pytest.mark.parametrize(
    ("text", "cell", "status"),
    [
        ("310余件", 319, "consistent"),
        ("310余件", 320, "inconsistent"),
        ("310余件", 309, "inconsistent"),
        ("3000余件", 3999, "consistent"),
        ("3000余件", 4000, "inconsistent"),
        ("10万余件", 109_999, "consistent"),
        ("10万余件", 110_000, "inconsistent"),
        ("10余万件", 190_000, "consistent"),
        ("超过300件", 450, "consistent"),
        ("超过300件", 299, "inconsistent"),
        ("约300件", 315, "consistent"),
        ("约300件", 316, "inconsistent"),
        ("约3件", 4, "consistent"),
        ("1.2万件", 12_340, "consistent"),
        ("1.2万件", 13_100, "inconsistent"),
    ],
)
def test_a_bound_is_an_interval_and_breaks_with_a_warning(text: str, cell: int, status: str) -> None:
    finding = only(held(f"⟦收到申请|{text}|received⟧", applications__new__total=cell))
    assert (finding.status, finding.severity) == (status, None if status == "consistent" else "warning")


@pytest.mark.parametrize(
    ("text", "cell", "status"),
    [
        ("160.60万元", "160.5964", "consistent"),
        ("160.59万元", "160.5964", "consistent"),
        ("160.58万元", "160.5964", "inconsistent"),
        ("251000元", "25.1", "consistent"),
        ("0.03亿元", "301.5", "consistent"),
        ("251000元", "25.2", "inconsistent"),
    ],
)
def test_money_is_held_against_its_printed_digits(text: str, cell: str, status: str) -> None:
    finding = only(held(f"⟦行政事业性收费|{text}|fees⟧", disclosure__fees__amount=Decimal(cell)))
    assert finding.status == status


def test_a_stated_nil_is_a_claim_of_nought() -> None:
    assert only(held("⟦申请|没有收到|received⟧。")).status == "consistent"
    broken = only(held("⟦申请|没有收到|received⟧。", applications__new__total=2))
    assert (broken.status, broken.severity, broken.expected, broken.reported) == ("inconsistent", "error", 2, 0)


def test_a_nil_denies_all_litigation_not_one_procedure() -> None:
    assert only(held("⟦行政诉讼|未发生|litigations⟧。", disputes__direct_litigation__total=3)).status == "inconsistent"


def test_a_nil_that_is_of_something_else_has_no_finding() -> None:
    assert held("干部没有⟦学习|没有|received⟧。", applications__new__total=2) == []


def test_blanks_are_read_as_nil_and_named() -> None:
    agreeing = only(held("⟦申请|没有收到|received⟧。", applications__new__total=None))
    assert agreeing.status == "consistent"
    assert "blanks (空白) read as nil" in agreeing.message
    broken = only(held("⟦收到申请|5件|received⟧。", applications__new__total=None))
    assert (broken.status, broken.severity, broken.expected) == ("inconsistent", "warning", 0)


def test_a_total_that_was_left_blank_is_the_sum_of_its_parts() -> None:
    blank = {"applications__new__total": None, "applications__new__natural_person": 4, "applications__new__business": 1}
    assert only(held("⟦收到申请|5件|received⟧。", **blank)).status == "consistent"


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param("⟦申请|17件|received scope=区政府办⟧", id="another body"),
        pytest.param("⟦申请|17件|received scope=区政府办⟧⟦予以公开|9件|granted of=1⟧", id="its parts"),
        pytest.param("自2008年以来⟦收到申请|17件|received⟧", id="several years"),
        pytest.param("2022年⟦收到申请|17件|received⟧", id="another year"),
        pytest.param("去年⟦收到申请|17件|received⟧", id="last year"),
        pytest.param("上半年⟦收到申请|17件|received⟧", id="half a year"),
        pytest.param("1-6月⟦收到申请|17件|received⟧", id="months"),
        pytest.param("⟦收到申请|17件|received sure=0.55⟧", id="doubt"),
        pytest.param("⟦网络申请|17件|received⟧", id="one way in"),
        pytest.param("⟦按时办结|17件|answered⟧", id="in time"),
        pytest.param("⟦新收行政复议|1件|reviews⟧", id="registered in the year, the table has those of earlier years"),
        pytest.param("⟦征地拆迁申请|17件|carried_in⟧", id="a label that says more"),
    ],
)
def test_what_is_none_of_what_the_cells_are_for_is_unverifiable(marked: str) -> None:
    changed = {"applications__new__total": 95, "applications__processed__total": 95, "disputes__review__total": 4}
    statuses = {finding.status for finding in held(marked, **changed)}
    assert statuses <= {"unverifiable"}, statuses


def test_one_way_in_cannot_bring_more_than_came() -> None:
    assert only(held("⟦网络申请|17件|received⟧", applications__new__total=9)).status == "inconsistent"


@pytest.mark.parametrize("wording", ["2023年1月1日至12月31日", "截至2023年12月31日", "与上年相比有所增加,", "今年以来"])
def test_the_year_of_the_report_is_no_other_time(wording: str) -> None:
    finding = only(held(f"{wording}⟦收到申请|17件|received⟧", applications__new__total=9))
    assert finding.status == "inconsistent"


def test_a_part_means_a_cell_only_where_its_field_or_label_singles_one_out() -> None:
    whole = "⟦收到申请|12件|received⟧,其中"
    cells = {"applications__new__total": 12, "applications__new__natural_person": 8, "applications__granted__total": 5}
    assert len(held(whole + "⟦县住建局|8件|received of=1⟧", **cells)) == 1
    column = held(whole + "⟦自然人|9件|received of=1⟧", **cells)[1]
    assert (column.status, column.expected) == ("inconsistent", 8)
    assert held(whole + "⟦予以公开|5件|granted of=1⟧", **cells)[1].status == "consistent"


def test_the_column_of_a_whole_is_that_of_its_parts() -> None:
    marked = "⟦自然人申请|8件|received⟧,其中⟦予以公开|3件|granted of=1⟧"
    cells = {"applications__new__natural_person": 8, "applications__granted__natural_person": 3}
    assert [finding.status for finding in held(marked, applications__granted__total=5, **cells)] == ["consistent"] * 2


def test_outcomes_and_procedures_behind_an_opening_word_are_held_too() -> None:
    marked = (
        "⟦行政复议|3件|reviews⟧,其中⟦维持|2件|reviews of=1⟧、⟦纠正|1件|reviews of=1⟧;"
        "⟦行政诉讼|5件|litigations⟧,其中未经复议⟦直接起诉|4件|litigations of=4⟧"
    )
    cells = {"disputes__review__total": 3, "disputes__review__upheld": 1, "disputes__review__corrected": 1}
    cells |= {"disputes__direct_litigation__total": 3, "disputes__litigation_after_review__total": 2}
    statuses = [finding.status for finding in held(marked, **cells)]
    assert statuses == ["consistent", "inconsistent", "consistent", "consistent", "inconsistent"]


def test_two_figures_of_one_field_in_one_breakdown_are_held_together() -> None:
    marked = "⟦答复|9件|answered⟧,⟦予以公开|5件|granted of=1⟧,⟦已主动公开|4件|granted of=1⟧"
    findings = held(marked, applications__processed__total=9, applications__granted__total=9)
    assert {finding.status for finding in findings} == {"consistent"}
    findings = held(marked, applications__processed__total=9, applications__granted__total=8)
    assert [finding.status for finding in findings] == ["consistent", "unverifiable", "unverifiable"]


def test_doubt_in_claim_or_cell_is_told_as_origin() -> None:
    doubtful = only(held("⟦收到申请|17件|received sure=0.88⟧", applications__new__total=9))
    assert (doubtful.severity, doubtful.origin) == ("error", "unknown")
    claims, text = read("⟦收到申请|17件|received⟧")
    report = tables(applications__new__total=11)
    cells = tuple(
        replace(cell, confidence=0.6) if cell.key == "applications.new.total" else cell for cell in report.cells
    )
    report = replace(report, cells=cells, candidates={"applications.new.total": (Decimal(17),)})
    assert only(list(check_tables_stated(claims, report, FORMS, text, 2023))).origin == "reading"


def test_blocks_on_different_forms_are_read_by_their_own() -> None:
    claims, text = read("⟦其他处理|2件|other⟧。⟦制发规范性文件|3件|normative_documents⟧")
    new, old = tables(), tables("2019")
    own = [cell for cell in new.cells if cell.key.startswith("disclosure")]
    cells = own + [cell for cell in old.cells if not cell.key.startswith("disclosure")]
    hybrid = Tables("2021", {"disclosure": "2021", "applications": "2019", "disputes": "2019"}, tuple(cells))
    findings = check_tables_stated(claims, hybrid, FORMS, text, 2023)
    assert [finding.cells for finding in findings] == [
        ("applications.other.total",),
        ("disclosure.normative_documents.issued",),
    ]


def test_without_tables_nothing_is_held_against_them() -> None:
    claims, text = read("⟦收到申请|17件|received⟧")
    assert check_tables_stated(claims, Tables(None, dict.fromkeys(BLOCKS)), FORMS, text, 2023) == ()


def test_ids_are_built_from_what_is_compared() -> None:
    first = held("⟦申请|3件|received⟧。⟦收到申请|3件|received⟧。⟦结转|1件|carried_out⟧")
    assert [finding.id for finding in first] == [
        "prose.table:requests_received=3.1",
        "prose.table:requests_received=3.2",
        "prose.table:requests_carried_out=1.1",
    ]
    assert [finding.id for finding in held("⟦结转|1件|carried_out⟧")] == [first[2].id]


# prose.parts


def test_parts_that_add_up_agree_with_their_whole() -> None:
    finding = only(sums("⟦公开信息|30条|total⟧,其中⟦财务|10条|part of=1⟧、⟦村务|20条|part of=1⟧"))
    assert (finding.status, finding.expected, finding.reported, finding.difference) == ("consistent", 30, 30, 0)
    assert finding.claims == ("c1", "c2", "c3")
    assert "“财务” 10条 + “村务” 20条 = 30 = “公开信息” 30条" in finding.message


def test_parts_that_exceed_their_whole_are_an_error_even_as_a_selection() -> None:
    finding = only(sums("⟦公开信息|30条|total⟧,其中⟦财务|17条|part of=1⟧、⟦村务|20条|part of=1⟧等"))
    assert (finding.status, finding.severity, finding.origin) == ("inconsistent", "error", "report")
    assert (finding.expected, finding.reported, finding.difference) == (37, 30, -7)
    single = only(sums("⟦公开信息|30条|total⟧,其中⟦财务|31条|part of=1⟧"))
    assert single.status == "inconsistent"


@pytest.mark.parametrize(
    ("marked", "status"),
    [
        ("⟦公开|30条|total⟧,其中⟦甲类|10条|part of=1⟧、⟦乙类|12条|part of=1⟧", "consistent"),
        ("⟦公开|30条|total⟧,其中⟦甲类|10条|part of=1⟧、⟦其他|12条|part of=1⟧", "inconsistent"),
        ("⟦公开|30条|total⟧,分别为⟦甲类|10条|part of=1⟧、⟦乙类|12条|part of=1⟧", "inconsistent"),
        ("⟦公开|30条|total⟧,其中甲、乙分别为⟦|10条|part of=1⟧、⟦|12条|part of=1⟧", "consistent"),
        ("⟦申请|30件|received⟧,⟦自然人|10件|received of=1⟧,⟦法人或其他组织|12件|received of=1⟧", "inconsistent"),
        ("⟦甲类|10条|part of=3⟧,⟦乙类|12条|part of=3⟧,⟦合计|30条|total⟧", "inconsistent"),
        ("⟦公开|30条|total⟧,包括⟦甲类|10条|part of=1⟧等", "consistent"),
        ("⟦公开|30条|total⟧,⟦其他|10条|part of=1⟧", "consistent"),
        ("⟦答复|30件|answered⟧,⟦予以公开|10件|granted of=1⟧,⟦其他处理|9件|other of=1⟧", "consistent"),
    ],
)  # fmt: skip
def test_falling_short_is_wrong_only_where_the_wording_claims_completeness(marked: str, status: str) -> None:
    assert only(sums(marked)).status == status


def test_shares_that_make_a_hundred_claim_completeness() -> None:
    marked = "⟦公开|30条|total⟧,其中⟦甲类|10条|part of=1⟧,⟦占|40%|share⟧,⟦乙类|12条|part of=1⟧,⟦占|60%|share⟧"
    parts = next(finding for finding in sums(marked) if finding.rule == "prose.parts")
    assert parts.status == "inconsistent"
    assert "100 %" in parts.message


def test_bounds_of_parts_are_intervals() -> None:
    part = "⟦公开|{}|total⟧,其中⟦甲类|{}|part of=1⟧、⟦其他|{}|part of=1⟧"
    assert only(sums(part.format("300余条", "210条", "95条"))).status == "consistent"
    broken = only(sums(part.format("300余条", "210条", "190条")))
    assert (broken.status, broken.severity) == ("inconsistent", "warning")
    assert only(sums(part.format("300条", "200余条", "约95条"))).status == "consistent"


def test_each_partition_and_each_level_is_summed_by_itself() -> None:
    marked = (
        "⟦申请|10件|received⟧,⟦当面|4件|received of=1 in=a⟧,⟦网络|6件|received of=1 in=a⟧;"
        "⟦自然人|7件|received of=1 in=b⟧(⟦县城|5件|received of=4⟧、⟦乡村|3件|received of=4⟧)"
    )
    found = {finding.id: finding.status for finding in sums(marked)}
    assert found == {
        "prose.parts:requests_received=10.1.1": "consistent",
        "prose.parts:requests_received=10.1.2": "consistent",
        "prose.parts:requests_received=7.1.1": "inconsistent",
    }


@pytest.mark.parametrize(
    ("marked", "status"),
    [
        pytest.param(
            "⟦新收申请|18件|received⟧,⟦上年结转|2件|carried_in⟧。⟦予以公开|15件|granted of=1⟧,"
            "⟦不予公开|5件|denied of=1⟧",
            "consistent",
            id="outcomes of what was carried in too",
        ),
        pytest.param(
            "⟦办理|69件|answered⟧,⟦实际答复|65件|answered⟧,⟦甲|60件|answered of=1⟧,"
            "⟦其他|5件|answered of=1⟧",
            "unverifiable",
            id="parts of another figure",
        ),
        pytest.param(
            "⟦公开|30条|total⟧,⟦甲类|20条|part of=1⟧(其中⟦图解|5条|part of=1⟧)、"
            "⟦乙类|10条|part of=1⟧",
            "unverifiable",
            id="a part of a part",
        ),
        pytest.param(
            "⟦公开|30条|total⟧,⟦甲类|20条|part of=1 sure=0.5⟧、⟦乙类|13条|part of=1⟧",
            "unverifiable",
            id="doubt",
        ),
        pytest.param(
            "⟦收费|300元|request_fees⟧,⟦邮寄|2件|request_fees of=1⟧,⟦复制|4元|request_fees of=1⟧",
            "unverifiable",
            id="money and counts",
        ),
    ],
)  # fmt: skip
def test_what_explains_a_sum_that_does_not_hold(marked: str, status: str) -> None:
    assert only(sums(marked)).status == status


def test_outcomes_may_be_of_what_the_table_says_was_carried_in() -> None:
    marked = "⟦收到申请|18件|received⟧,⟦予以公开|15件|granted of=1⟧,⟦不予公开|5件|denied of=1⟧"
    assert only(sums(marked, applications__carried_in__total=2)).status == "consistent"
    assert only(sums(marked)).status == "inconsistent"


def test_what_goes_through_several_channels_may_exceed_its_total() -> None:
    marked = "⟦公开|30条|total⟧,⟦政府网站|28条|part of=1⟧,⟦政务微信|9条|part of=1⟧"
    finding = only(sums(marked))
    assert (finding.status, finding.severity) == ("inconsistent", "warning")
    claims, text = read(marked)
    assert only(list(check_sums(claims, text, tables("2014")))).status == "unverifiable"


# prose.share

HALF = "⟦申请|{}件|received⟧,其中⟦自然人|{}件|received of=1⟧,占⟦|{}|share⟧"


@pytest.mark.parametrize(
    ("whole", "part", "share", "status"),
    [
        (30, 10, "33.3%", "consistent"),
        (30, 20, "66.7%", "consistent"),
        (30, 20, "66.6%", "consistent"),
        (30, 20, "66.5%", "inconsistent"),
        (30, 20, "66.8%", "inconsistent"),
        (30, 20, "67%", "consistent"),
        (30, 20, "六成", "consistent"),
        (30, 20, "约65%", "consistent"),
        (30, 20, "60%以上", "consistent"),
        (30, 20, "70%以上", "inconsistent"),
        (30, 10, "33.33%", "consistent"),
        (30, 10, "33.43%", "inconsistent"),
    ],
)
def test_a_share_is_held_at_its_printed_precision(whole: int, part: int, share: str, status: str) -> None:
    findings = [finding for finding in sums(HALF.format(whole, part, share)) if finding.rule == "prose.share"]
    assert only(findings).status == status


def test_a_wrong_share_tells_what_it_should_be() -> None:
    finding = sums(HALF.format(30, 10, "43.3%"))[1]
    assert (finding.severity, finding.origin) == ("error", "report")
    assert (finding.expected, finding.reported, finding.difference) == (
        Decimal("33.33"),
        Decimal("43.3"),
        Decimal("9.97"),
    )
    assert finding.id == "prose.share:share=43.3.1:requests_received=10.1"
    assert sums(HALF.format(30, 10, "43.3%").replace("|share", "|share sure=0.5"))[1].status == "unverifiable"


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param("⟦收到申请|30件|received⟧,⟦办结率|98%|share⟧", id="a rate"),
        pytest.param(
            "⟦申请|30件|received⟧,⟦甲|10件|received of=1⟧、⟦乙|20件|received of=1⟧,"
            "占比依次为⟦|10%|share⟧、⟦|20%|share⟧",
            id="told by their order",
        ),
        pytest.param(
            "⟦承办|54件|proposals⟧,⟦提案|35件|proposals of=1⟧,占市政府交办总数的⟦|12.7%|share⟧", id="of something else"
        ),
    ],
)
def test_where_a_share_is_not_clearly_of_two_figures_nothing_is_said(marked: str) -> None:
    assert [finding for finding in sums(marked) if finding.rule == "prose.share"] == []


# The data, and all together


def test_the_table_of_readings_is_well_formed() -> None:
    readings = load_readings()
    assert len(readings.meanings) > 25
    for meaning in readings.meanings.values():
        assert meaning.readings
        assert len({(*sorted(reading.forms), reading.name, reading.with_ is None, reading.without.words) for reading in
                    meaning.readings}) == len(meaning.readings)  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('schema = "gongkai.claims/1"', 'schema = "gongkai.claims/0"'),
        ('"applications.new.{applicant}"', '"applications.news.{applicant}"'),
        ('name = "requests_carried_in"', 'name = "requests_carried"'),
        ('name = "requests_carried_in"', 'name = "requests_received"'),
        ('within = ["disclosed_total"]', 'within = ["disclosed"]'),
        ('forms = ["2014"]', 'forms = ["2015"]'),
        ('relation = "at_most"', 'relation = "at_least"'),
        ('with = ["means"]', 'with = ["mean"]'),
        ("{applicant}", "{person}"),
        ('plain = ["fees", ', 'plane = ["fees", '),
        ('handled = ["办理", ', 'handled = ["办理", "办理", '),
    ],
)
def test_a_table_of_readings_that_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str) -> None:
    text = (data_directory() / "claims.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "claims.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ReadingError):
        load_readings(path)


REPORT = (
    "2023年,全县⟦收到政府信息公开申请|12件|received⟧,⟦上年结转|1件|carried_in⟧,⟦办结|11件|answered⟧,"
    "其中⟦予以公开|7件|granted of=3⟧、⟦部分公开|2件|partly_granted of=3⟧、⟦不予公开|1件|denied of=3⟧、"
    "⟦其他处理|1件|other of=3⟧,⟦结转下年度|2件|carried_out⟧。按申请人分,"
    "⟦自然人|9件|received of=1⟧,⟦占|75%|share⟧,⟦商业企业|3件|received of=1⟧,⟦占|25%|share⟧。"
    "⟦行政复议|2件|reviews⟧,⟦维持|1件|reviews of=13⟧。⟦行政诉讼|未发生|litigations⟧。⟦公开信息|310余条|total⟧。"
    "⟦现行有效行政规范性文件|8件|normative_documents⟧,⟦行政事业性收费|1.5万元|fees⟧。"
)
CELLS = {
    "applications__new__total": 12, "applications__new__natural_person": 9, "applications__new__business": 3,
    "applications__carried_in__total": 1, "applications__processed__total": 11, "applications__granted__total": 7,
    "applications__partly_granted__total": 2, "applications__denied__process__total": 1,
    "applications__other__other__total": 1, "applications__carried_out__total": 2, "disputes__review__total": 2,
    "disputes__review__upheld": 1, "disputes__review__pending": 1, "disclosure__normative_documents__in_force": 8,
    "disclosure__fees__amount": Decimal("1.4960"),
}  # fmt: skip


def test_a_report_whose_prose_agrees_has_no_inconsistent_finding() -> None:
    findings = [*held(REPORT, **CELLS), *sums(REPORT, **CELLS)]
    assert {finding.status for finding in findings} == {"consistent"}, findings
    assert len({finding.id for finding in findings}) == len(findings) == 15 + 3 + 2


@pytest.mark.parametrize(
    "key", ["applications__carried_out__total", "disclosure__fees__amount", "disputes__review__upheld"]
)
def test_one_changed_cell_contradicts_exactly_its_claim(key: str) -> None:
    changed = CELLS | {key: Decimal(40)}
    assert len([finding for finding in held(REPORT, **changed) if finding.status == "inconsistent"]) == 1


def test_sixty_claims_and_two_hundred_cells_take_at_most_twenty_milliseconds() -> None:
    claims, text = read("\n".join([REPORT] * 4))
    assert len(claims) >= 60
    report = tables(**CELLS)

    def spent() -> float:
        start = time.process_time()
        check_tables_stated(claims, report, FORMS, text, 2023)
        check_sums(claims, text, report)
        return time.process_time() - start

    assert min(spent() for _ in range(5)) < 0.02


def test_a_claim_keeps_its_name_and_the_words_before_it() -> None:
    claims, text = read("甲。2023年,⟦收到申请|3件|received⟧,⟦复议、诉讼|未发生|reviews⟧")
    both = (*claims, replace(claims[1], id="c3", field="litigations"))
    stated = read_claims(both, text)
    assert (stated["c1"].gap, stated["c1"].lead) == ("2023年,收到申请", "收到申请")
    assert stated["c2"].lead == stated["c3"].lead == "复议、诉讼"
    assert interval(claims[1]).exact


def test_the_forms_own_words_decide_between_outcomes() -> None:
    findings = held("⟦不予公开|3件|partly_granted⟧", applications__denied__law__total=3)
    assert (only(findings).status, only(findings).cells[0]) == ("consistent", "applications.denied.state_secret.total")


def test_a_total_behind_outcomes_is_none_of_them() -> None:
    assert held("⟦合计|90件|other⟧", applications__processed__total=90) == []


def test_what_a_whole_chooses_is_not_the_only_thing_that_its_part_can_mean() -> None:
    marked = "⟦自然人申请|8件|received⟧,⟦予以公开|5件|granted of=1⟧"
    cells = {"applications__new__natural_person": 8, "applications__granted__natural_person": 3}
    assert held(marked, applications__granted__total=5, **cells)[1].status == "consistent"
    assert held(marked, applications__granted__total=6, **cells)[1].status == "inconsistent"


def test_one_reason_of_several_counts_all_of_them() -> None:
    cells = {"applications__unavailable__not_held__total": 1, "applications__unavailable__unclear__total": 2}
    assert only(held("因本机关不掌握等原因⟦无法提供|3件|unavailable⟧", **cells)).status == "consistent"


@pytest.mark.parametrize(
    ("marked", "status"),
    [
        ("⟦公开信息|30条|total⟧(⟦网站|10条|part of=1⟧、⟦公告栏|12条|part of=1⟧)", "inconsistent"),
        ("⟦公开信息|30条|total⟧:⟦网站|10条|part of=1⟧、⟦公告栏|12条|part of=1⟧", "inconsistent"),
        ("⟦公开信息|30条|total⟧:⟦网站|10条|part of=1⟧、⟦公告栏|12条|part of=1⟧等", "consistent"),
        ("⟦公开信息|30条|total⟧,⟦网站|10条|part of=1⟧、其余⟦|12条|part of=1⟧", "inconsistent"),
        ("⟦申请|30件|received⟧,⟦线上|10件|received of=1⟧,⟦线下|12件|received of=1⟧", "inconsistent"),
        ("⟦申请|30件|received⟧。按申请方式分,⟦当面|10件|received of=1⟧,⟦信函|12件|received of=1⟧", "inconsistent"),
        ("⟦申请|30件|received⟧,⟦予以公开|10件|granted of=1⟧,⟦其他|12件|other of=1⟧", "consistent"),
        ("⟦行政复议|30件|reviews⟧,⟦维持|10件|reviews of=1⟧,⟦其他|12件|reviews of=1⟧", "consistent"),
        ("⟦申请|30件|received⟧,⟦当面|14件|received of=1⟧,⟦网络|18件|received of=1⟧", "inconsistent"),
    ],
)
def test_what_the_wording_of_a_list_says_of_its_completeness(marked: str, status: str) -> None:
    assert only([finding for finding in sums(marked) if finding.rule == "prose.parts"]).status == status


def test_a_rate_that_is_called_like_a_part_is_its_share() -> None:
    marked = "⟦行政复议|10件|reviews⟧,⟦纠错|4件|reviews of=1⟧,⟦纠错率|{}%|share⟧"
    statuses = [one.status for text in ("40", "45") for one in sums(marked.format(text)) if one.rule == "prose.share"]
    assert statuses == ["consistent", "inconsistent"]


def test_a_whole_read_with_doubt_is_vouched_for_by_its_parts() -> None:
    marked = "⟦办结件中|10件|answered sure=0.4⟧,⟦予以公开|4件|granted of=1⟧,⟦占|45%|share⟧;⟦不予公开|6件|denied of=1⟧"
    assert [one.status for one in sums(marked) if one.rule == "prose.share"] == ["inconsistent"]
