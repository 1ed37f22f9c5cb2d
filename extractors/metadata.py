"""What a report says of itself: title, authority, year, coverage, date of publication, region.

Read from the title first, then from metadata tables and bylines, the sentence on the period of the data, the sign-off
and the opening sentence. A file name is never asked. What is not stated is None.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from extractors.document import Document
from extractors.forms import data_directory

Coverage = Literal["organ", "consolidated"]


@dataclass(frozen=True, slots=True)
class About:
    """The metadata that does not depend on the tables. ``published`` is an ISO date."""

    title: str | None
    authority: str | None
    year: int | None
    coverage: Coverage | None
    published: str | None
    region: str | None


# The forms of the year: 2020, 二〇二〇, 二○二○, 二零二零; the ring is typed in many ways.
_HAN_YEAR = r"[二贰][〇○零ＯOo0Ο●◯][〇○零ＯOo0Ο●◯一二三四五六七八九][〇○零ＯOo0Ο●◯一二三四五六七八九]"
_YEAR = rf"(?:20[0-3]\d|{_HAN_YEAR})"
_YEAR_BRACKET = re.compile(rf"[(（](?P<year>{_YEAR})(?:年度?|度)?[)）]$")
_RINGLESS_YEAR = re.compile(r"[二贰][〇○零一二三四五六七八九]{1,2}年度?$")
_YEAR_PHRASE = re.compile(rf"(?P<year>{_YEAR})(?:年度|年|度)?")
_TITLE = re.compile(
    r"^[《“\"]?(?P<before>[^。;；?？!！]{0,40}?)(?P<subject>政府信息公开|政务信息公开|信息公开|政务公开)"
    r"(?P<after>[^。;；:：]{0,14}?)(?P<kind>年度报告|工作报告|报告书|报告|年报|工作总结)[》”\"]?(?:[(（][^)）]*[)）])?$"
)
# Universities and schools report by academic year.
_ACADEMIC_YEAR = re.compile(r"20\d{2}\s*[-—–~至]+\s*20\d{2}\s*学年度?")
_NOT_NAME = re.compile(
    r"^(?:我|本|各|全)[县市区乡镇局委办单校院]|工作|情况|报告|公开|年度|关于|做好|全市|全县|全区|政务|^附件?|^第"
)
# What precedes the place in the name of a branch of a central body or of the party.
CENTRAL = re.compile(r"^(?:国家\w{2,8}?(?:总局|局|署)|中国共产党|中共|中国\w{2,8}?(?:总队|局))")
_NOT_TITLE = re.compile(
    r"根据|按照|现将|编制|公布如下|指南|目录|制度|条例|当前位置|>|首页|上一篇|下一篇|关于做好|点击|下载"
)
_FIRST_SECTION = re.compile(
    r"^\s*(?:(?:一|第一部分|壹)\s*[、.．:：]?|1\s*[、.．])\s*(?:总体|概述|概况|基本情况|主动公开|工作|政府信息|信息公开|组织)"
)
_ISO_DATE = re.compile(r"(20\d{2})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})")
_HAN_DATE = re.compile(rf"({_HAN_YEAR})年([一二三四五六七八九十]{{1,2}})月([一二三四五六七八九十]{{1,3}})日")
_PERIOD = re.compile(
    r"(?:统计|期限|时限|时间|数据)[^。]{0,30}?(20\d{2})\s*年\s*1\s*月\s*1\s*日[^。]{0,12}?(?:\1\s*年)?\s*12\s*月\s*31"
)
_OPENING = re.compile(
    rf"(?P<year>{_YEAR})年(?:度|来)?[,，]?(?:在[^,，。]{{2,40}}[,，])?(?P<name>[\u4e00-\u9fff·]{{2,20}}?)"
    r"(?=深入|认真|坚持|严格|紧紧|始终|高度|按照|根据|积极|全面|以|在|切实|围绕|进一步|持续|扎实|全年|共|主动|不断|把|将|着力|依据|对|贯彻|紧扣|聚焦|立足)"
)


@functools.cache
def spellings() -> dict[str, Any]:
    return tomllib.loads((data_directory() / "metadata.toml").read_text(encoding="utf-8"))


def read_metadata(document: Document) -> About:
    """The report's own statements about itself; each None where the report does not make it."""
    lines = [line.strip() for line in document.text.splitlines() if line.strip()]
    head = _head(lines)
    title = _title(head) or _field(head, spellings()["title_fields"], _as_title) or _hint_title(document)
    named = _title_authority(title) if title else None
    authority = _full_name(named or _stated_authority(document, head, lines), lines, named)
    year = _year(title, document.text, lines)
    return About(
        title=title,
        authority=authority,
        year=year,
        coverage=_coverage(authority, document.text),
        published=_published(document, head, lines, year),
        region=_region(authority, document.text),
    )


def _head(lines: list[str]) -> list[str]:
    """The lines before the first section, at most sixty."""
    first = next((index for index, line in enumerate(lines[:120]) if _FIRST_SECTION.match(line)), 40)
    return lines[: min(first, 60)]


def _title(head: list[str]) -> str | None:
    """The line, or up to three consecutive lines, that read as the title of such a report; the best one."""
    best: tuple[float, str] | None = None
    for index in range(len(head)):
        for count in (1, 2, 3, 4):
            part = head[index : index + count]
            # A field of a metadata table (信息分类: 政府信息公开年报) ends like a title.
            if len(part) < count or any(
                len(line) > 60 or _NOT_TITLE.search(line) or re.search(r"[:：\t]", line) for line in part
            ):
                continue
            text = re.sub(r"\s+", "", "".join(part)).strip('《》“”"')
            if not _TITLE.match(text):
                continue
            score = 2.0 * bool(_YEAR_PHRASE.search(text)) + 2.0 * bool(_title_authority(text)) - 0.3 * count
            if best is None or score > best[0]:
                best = (score, text)
    return best[1] if best else None


def _as_title(text: str) -> str | None:
    line = re.sub(r"\s+", "", text.strip().split("\n")[0].split("\t")[0]).strip("《》")
    return line if _TITLE.match(line) and not _NOT_TITLE.search(line) else None


def _hint_title(document: Document) -> str | None:
    tags = {name.lower(): value for name, value in document.hints.items()}
    for name in (*spellings()["title_tags"], "title"):
        for part in re.split(r"[_|]| [-–—] |—{1,2}|--", tags.get(name, "")):
            text = re.sub(r"\s+", "", part)
            if _TITLE.match(text) and not _NOT_TITLE.search(text):
                return text
    return None


def _title_authority(title: str) -> str | None:
    """The body that a title names: what is left of it without the year and the subject."""
    match = _TITLE.match(title)
    if match is None:
        return None
    name = _YEAR_PHRASE.sub("", _ACADEMIC_YEAR.sub("", match["before"])).lstrip("#*- ")
    # A recogniser overlooks the rings of 二〇二四年.
    name = _RINGLESS_YEAR.sub("", name)
    name = re.sub(r"^关于|关于$|的$|^\d+年?|发布$|公布$|[《》“”\"\s]", "", name)
    # 某县人民政府信息公开…: the word 政府 belongs to both the name and the subject.
    if name.endswith("人民") and match["subject"].startswith("政府"):
        name += "政府"
    # What stands before the subject of a title is a body by its place: 水利部, 县残联, 第二十师 need no known ending.
    is_name = re.fullmatch(r"[\u4e00-\u9fff·()（）、]{3,40}", name) and not _NOT_NAME.search(name)
    return name if is_name or _is_authority(name) else None


def _is_authority(name: str) -> bool:
    return (
        2 <= len(name) <= 40
        and name.endswith(tuple(spellings()["authority_suffixes"]))
        and not re.search(r"[,，。:：\d]|^(?:我|本|各|全)[县市区乡镇局委办]", name)
    )


def _stated_authority(document: Document, head: list[str], lines: list[str]) -> str | None:
    """The body by metadata table, byline, sign-off, meta tag or opening sentence, the first that names one."""
    return (
        _field(head, spellings()["authority_fields"], _as_authority)
        or _signed_authority(lines)
        or _tag(document, "authority_tags", _as_authority)
        or _announced_authority(lines)
        or _opening_authority(lines)
        or next((line for line in head[:6] if _is_authority(line) and len(line) >= 4), None)
    )


def _as_authority(text: str) -> str | None:
    match = re.match(r"[\s:：]*([\u4e00-\u9fff·()（）]{2,30})", text)
    return match[1] if match and _is_authority(match[1]) else None


def _field(head: list[str], names: list[str], parse: Any) -> str | None:
    """The value behind the best of ``names`` in the head, on the same line or the next."""
    text = "\n".join(head)
    for name in names:
        spaced = r"\s*".join(name)
        for match in re.finditer(rf"(?:^|[\s\[【(（|·;；]){spaced}\s*[\]】)）]?\s*[:：\t\n]?", text):
            found: str | None = parse(text[match.end() : match.end() + 60])
            if found:
                return found
    return None


def _tag(document: Document, kind: str, parse: Any) -> str | None:
    tags = {name.lower(): value for name, value in document.hints.items()}
    for name in spellings()[kind]:
        found: str | None = parse(tags.get(name, ""))
        if found:
            return found
    return None


def _signed_authority(lines: list[str]) -> str | None:
    """The line above the date that closes the report."""
    for index, line in enumerate(lines):
        date_line = re.fullmatch(r"[(（]?\s*(?:20\d{2}|20\d{2}\s*年|.{4}年).{2,14}日?\s*[)）]?", line)
        if index and date_line and _parse_date(line) and index > len(lines) // 2:
            name = re.sub(r"\s+", "", lines[index - 1])
            if _is_authority(name):
                return name
    return None


def _opening_authority(lines: list[str]) -> str | None:
    """The subject of the first sentences that begin with the year (2019年,某乡深入…)."""
    for line in lines[:60]:
        for match in _OPENING.finditer(line[:200]):
            name = re.sub(r"^(?:在|,|，)+", "", match["name"])
            if _is_authority(name):
                return name
    return None


_ANNOUNCED = re.compile(
    rf"(?:公布|发布|编制|报告)(?:了|的)?《?(?P<name>[\u4e00-\u9fff·]{{3,25}}?)(?:关于)?{_YEAR}年(?:度)?[\u4e00-\u9fff]{{0,4}}信息公开"
)


def _announced_authority(lines: list[str]) -> str | None:
    """The body whose report a sentence announces (现公布某县粮食局2008年度政府信息公开工作年度报告)."""
    found = (match["name"] for line in lines[:40] for match in _ANNOUNCED.finditer(line[:400]))
    return next((name for name in found if _is_authority(name)), None)


def _full_name(authority: str | None, lines: list[str], named: str | None) -> str | None:
    """The name with 人民政府 where the title gives only the place and the report the whole name."""
    if (
        authority is None
        or authority != named
        or not authority.endswith(("乡", "镇", "县", "区", "市", "州", "旗", "省"))
    ):
        return authority
    full = authority + "人民政府"
    return full if any(full in line for line in lines) else authority


def _year(title: str | None, text: str, lines: list[str]) -> int | None:
    if title:
        match = _TITLE.match(title)
        years = _YEAR_PHRASE.findall(title[: match.end("kind")] if match else title)
        bracket = _YEAR_BRACKET.search(title)
        if years:
            return _parse_year(years[-1])
        if bracket:
            return _parse_year(bracket["year"])
    period = _PERIOD.search(text[:6000])
    if period:
        return int(period[1])
    counted = Counter(
        _parse_year(match["year"])
        for line in lines[:40]
        for match in re.finditer(rf"(?:^(?=.{{4}}年)|(?=.{{4}}年(?:度|[,，])))(?P<year>{_YEAR})年(?!\d*月)", line)
    )
    return counted.most_common(1)[0][0] if counted else None


def _parse_year(text: str) -> int:
    if text.isdigit():
        return int(text)
    digits = {char: str(value) for value, char in enumerate("零一二三四五六七八九")} | {"贰": "2"}
    return int("".join(digits.get(char, "0") for char in text))


def _published(document: Document, head: list[str], lines: list[str], year: int | None) -> str | None:
    """The date of publication: metadata table or byline, meta tag, then the sign-off.

    A date that lies before the end of the reported year is of something else.
    """

    def plausible(text: str) -> str | None:
        found = _parse_date(text[:30])
        return found if found and (year is None or year < int(found[:4]) <= year + 6) else None

    return (
        _field(head, spellings()["published_fields"], plausible)
        or _tag(document, "published_tags", plausible)
        or next(filter(None, (plausible(line) for line in head if re.match(r"\s*20\d{2}[-/.年]", line))), None)
        or next(filter(None, (plausible(line) for line in reversed(lines[len(lines) // 2 :]) if len(line) <= 30)), None)
    )


def _parse_date(text: str) -> str | None:
    match = _ISO_DATE.search(text)
    han = _HAN_DATE.search(re.sub(r"\s+", "", text)) if not match else None
    if match:
        parts = (int(match[1]), int(match[2]), int(match[3]))
    elif han:
        parts = (_parse_year(han[1]), _han_day(han[2]), _han_day(han[3]))
    else:
        return None
    try:
        return date(*parts).isoformat()
    except ValueError:
        return None


def _han_day(text: str) -> int:
    tens, _, ones = text.rpartition("十")
    digits = {char: value for value, char in enumerate("零一二三四五六七八九")}
    return (digits.get(tens, 1) * 10 if "十" in text else 0) + digits.get(ones, 0)


def _coverage(authority: str | None, text: str) -> Coverage | None:
    """``organ`` for a bureau, an office or a township; a government of an area is asked what it counts.

    Source: forms/README of the project's form notes, Regulation art. 49: each government's governing office reports
    for the whole; such a report says 全县, 各部门 or gives figures by district.
    """
    if authority is None:
        return None
    area = re.search(r"(省|市|州|盟|县|区|旗)(?:人民)?政府(?:办公室|办公厅|办)?$|(省|市|州|盟|县|区|旗)$", authority)
    township = re.search(r"(?:乡|镇|街道|街道办事处|苏木)(?:人民)?(?:政府)?$", authority)
    if township or not area:
        return "organ"
    level = area[1] or area[2]
    whole = len(re.findall(rf"全{level}(?!面)|各县|各乡镇|各镇|各街道|各部门|市级部门|县直|区直|市直|汇总", text))
    own = len(re.findall(r"本机关|本办公室|我办|本办", text))
    if re.search(r"办公室$|办公厅$|办$", authority) and own >= max(1, whole):
        return "organ"
    return "consolidated" if whole >= 2 else None


def _region(authority: str | None, text: str) -> str | None:
    """The area of county level or above that the authority's name begins with, else the one the text names most."""
    suffixes = "|".join(spellings()["area_suffixes"])
    outside = tuple(spellings()["not_areas"])
    if authority:
        local = CENTRAL.sub("", authority)
        match = re.match(rf"(?:[\u4e00-\u9fff·]{{2,8}}?(?:{suffixes}))+", local)
        if match and not match[0].endswith(outside):
            return match[0]
    names = Counter(
        name
        for name in re.findall(
            r"([\u4e00-\u9fff]{2,3}(?:自治县|县|市|区|旗))(?=人民政府|政府|委|电视台|政务|融媒体)", text
        )
        if not name.endswith(outside) and not re.search(r"[在由经从向和与各全我本该对为的照据按及是]", name)
    )
    return names.most_common(1)[0][0] if names else None
