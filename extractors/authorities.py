"""Which reports are of one body (行政机关): names folded into keys, the areas around them, and what stays unclear.

A body prints its name in many ways: 某县人民政府办公室, 某县政府办; with the areas above it or without. What is certain
is folded (``data/authorities.toml``); two bodies are never taken for one. Where the print leaves it open, because
several bodies bear the name, or because one report tells the area and the other does not, the body is not certain.
"""

from __future__ import annotations

import functools
import itertools
import re
import tomllib
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from extractors.encoding import encode
from extractors.forms import data_directory
from extractors.metadata import CENTRAL, spellings

SCHEMA = "gongkai.authorities/1"

Kind = Literal["government", "office", "township", "department", "other"]
Relation = Literal["same", "different", "unclear"]
Name = TypeVar("Name", bound=Hashable)

# 苏州工业园区 begins with no 州; 市场, 市容 and 区划 end no area; 津市市 is one, 济南市市中区 two of them.
_AREA = re.compile(
    r"(?P<area>[\u4e00-\u9fff·]{1,9}?(?:自治区|特别行政区|自治州|自治县|自治旗|地区|林区|省|盟|(?<=..)州(?![市区县省])"
    r"|市(?!场|容|级|直|政(?!府|务|协|法|数)|市(?!中区|场|政(?!府)|直|容|级|监)|[区县旗省])|县(?!级|域|直)|旗|(?<!小)区(?!划|域|间|级|直|县)))"
)
_ZONE = re.compile(r"(?:开发|园|示范|保税|风景|度假|旅游|实验|工业|产业|管理|合作|口岸|生态|新|林)区$")
_ZONE_OFFICE = re.compile(r"^(?:管理委员会|管委会|管理局|党工委|管理处|$)")
_TOWNSHIP = re.compile(r"(?P<name>[\u4e00-\u9fff·]{1,12}?(?:民族乡|乡|镇|街道|苏木))(?P<rest>[\u4e00-\u9fff]*)")
_NOT_TOWNSHIP = re.compile(r"^(?:城乡|住房|乡镇|城镇|村镇|各)|乡村|城乡|乡镇")
# No body has a name so long; what has is no name.
_LONGEST = 60
_MOST_READ = 200
_BRACKETS = re.compile(r"\([^()]*\)$")
_EDGES = "《》“”\"'、,。:;-—_/\\ "
_LEVELS = {"区": 3, "县": 3, "旗": 3, "省": 1, "州": 2, "盟": 2, "市": 2}
_MUNICIPALITIES = ("北京市", "上海市", "天津市", "重庆市")
# Bodies of the centre, and others whose name is one of its own without an area.
_NATIONAL = re.compile(r"^(?:国家|中国|中华|国务院|全国|海关|新疆生产建设兵团)|(?:部|总局|总署|大学|学院|银行)$")
_COMMON = re.compile(r"(?:局|委|办公室|办|中心|站|所|馆|队|处|科|委会|社|会|政府|厅)$")


class AuthorityError(ValueError):
    """A list of names that contradicts itself."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body as one report names it.

    ``key`` is what all its names have in common: the innermost area and the body, a township alone. ``areas`` are the
    areas around the key as far as they are told, outermost first. ``family`` is shared with the bodies that may have
    gone before it or may follow it. ``certain`` is False where others bear the same name.
    """

    key: str
    areas: tuple[str, ...]
    kind: Kind
    family: str
    certain: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """Which body a report is of: ``name`` is the same for all of its reports, and not for those of another.

    ``doubt`` says why that is not certain, so that nothing may be compared; None where it is.
    """

    name: str
    doubt: str | None


@dataclass(frozen=True, slots=True)
class Names:
    """``data/authorities.toml``."""

    government: frozenset[str]
    office: frozenset[str]
    township: tuple[str, ...]
    departments: Mapping[str, str]
    successions: Mapping[str, str]
    ranks: tuple[str, ...]
    township_ranks: tuple[str, ...]
    area_ranks: tuple[str, ...]
    shared_areas: frozenset[str]
    shared_townships: frozenset[str]


@functools.cache
def load_names(path: Path | None = None) -> Names:
    """The names of bodies (default: the shipped ones).

    Raises:
        AuthorityError: the file is no such list, or gives one name to two bodies.
    """
    data = tomllib.loads((path or data_directory() / "authorities.toml").read_text(encoding="utf-8"))
    if data.get("schema") != SCHEMA:
        raise AuthorityError(f"authorities.toml: schema is {data.get('schema')!r}, not {SCHEMA!r}")
    departments: dict[str, str] = {}
    for names in data["departments"]:
        for name in names:
            if departments.setdefault(name, names[0]) != names[0]:
                raise AuthorityError(f"authorities.toml: {name} is two departments")
    # A name may stand in several successions (体育局 went to several bodies): the first of them is its family.
    successions: dict[str, str] = {}
    for names in data["successions"]:
        for name in names:
            successions.setdefault(departments.get(name, name), names[0])
    return Names(
        government=frozenset(data["government"]),
        office=frozenset(data["office"]),
        township=tuple(data["township"]),
        departments=departments,
        successions=successions,
        ranks=tuple(data["ranks"]),
        township_ranks=tuple(data["township_ranks"]),
        area_ranks=tuple(data["area_ranks"]),
        shared_areas=frozenset(data["shared_areas"]),
        shared_townships=frozenset(data["shared_townships"]),
    )


@functools.lru_cache(maxsize=65536)
def read_body(authority: str, region: str | None) -> Body:
    """The body that a report names.

    Args:
        authority: the name as printed.
        region: the area of the report, for names that say none.
    """
    name = _folded(authority)
    central = CENTRAL.match(name)
    areas, rest = _split(name[central.end() :] if central else name)
    if central:
        return _department(areas or _told(region), central.group() + rest)
    township = _TOWNSHIP.fullmatch(rest)
    if township and township["rest"] in load_names().township and not _NOT_TOWNSHIP.search(township["name"]):
        return _township(areas or _told(region), township["name"])
    if not areas:
        # 县水利局, 市政府办公室: the area is the one that the rest of the report names.
        level, bare = (rest[:1], rest[1:]) if re.match(r"[省市县区州旗盟](?!场|容|政(?!府|务))", rest) else ("", rest)
        told = _told(region)
        if not level or (told and told[-1].endswith(level)):
            areas, rest = told, bare
    return _government(areas, rest) or _department(areas, rest)


def _folded(name: str) -> str:
    """One width, one script, no blanks, nothing in brackets behind it."""
    text = encode(name[:_MOST_READ]).chars.replace("\n", "").replace("〔", "(").replace("〕", ")").strip(_EDGES)
    return _BRACKETS.sub("", text).strip(_EDGES)


def _told(region: str | None) -> tuple[str, ...]:
    return _split(_folded(region))[0] if region else ()


def _split(name: str) -> tuple[tuple[str, ...], str]:
    """The areas that a name begins with, outermost first, and what is left."""
    areas: list[str] = []
    while match := _AREA.match(name):
        rest = name[match.end() :]
        outside = match["area"].endswith(tuple(spellings()["not_areas"])) and not match["area"].endswith(
            _MUNICIPALITIES
        )
        if outside and match["area"] not in load_names().shared_areas:
            break
        # A zone has a committee of its own: it is a body, not the area of one.
        if _ZONE.search(match["area"]) and (_ZONE_OFFICE.match(rest) or not match["area"].endswith("新区")):
            break
        areas.append(match["area"])
        name = rest
    return tuple(areas), name


def _township(areas: tuple[str, ...], name: str) -> Body:
    names = load_names()
    stem = next((name.removesuffix(rank) for rank in names.township_ranks if name.endswith(rank)), name)
    certain = bool(areas) or name not in names.shared_townships
    return Body(name, areas, "township", f"乡镇|{areas[-1] if areas else ''}|{stem}", certain)


def _government(areas: tuple[str, ...], rest: str) -> Body | None:
    names = load_names()
    kind: Kind = "government" if rest in names.government else "office"
    if kind == "office" and rest not in names.office:
        return None
    area = areas[-1] if areas else ""
    stem = next((area.removesuffix(rank) for rank in names.area_ranks if area.endswith(rank)), area)
    core = "人民政府" if kind == "government" else "人民政府办公室"
    return Body(area + core, areas[:-1], kind, f"政府|{''.join(areas[:-1])}|{stem}", _is_told(areas))


def _department(areas: tuple[str, ...], rest: str) -> Body:
    names = load_names()
    short = re.sub(r"委员会$", "委", re.sub(r"(?<=区)管理委员会$", "管委会", rest))
    core = names.departments.get(short, short)
    area = areas[-1] if areas else ""
    stem = next((core.removesuffix(rank) for rank in names.ranks if core.endswith(rank)), core)
    family = f"部门|{area}|{names.successions.get(core, stem)}"
    own = (not areas and len(core) <= _LONGEST) and (
        _NATIONAL.search(core) or not _COMMON.search(core) or _ZONE.search(core.removesuffix("管委会"))
    )
    kind: Kind = "department" if areas or not own else "other"
    return Body(area + core, areas[:-1], kind, family, bool(own) or _is_told(areas))


def _is_told(areas: tuple[str, ...]) -> bool:
    """Whether the areas tell one from all others: 鼓楼区 alone does not."""
    return len(areas) > 1 or (bool(areas) and areas[0] not in load_names().shared_areas)


def compare(one: Body, other: Body) -> Relation:
    """Whether two bodies with one key are the same, by the areas around them."""
    if one.areas == other.areas:
        return "same" if one.certain and other.certain else "unclear"
    if not one.areas or not other.areas:
        # The name of a county or of what stands below it is its own, that of a township is not.
        return "unclear" if one.kind == "township" or not (one.certain and other.certain) else "same"
    mine, theirs = _levels(one.areas), _levels(other.areas)
    if any(mine[level] != theirs[level] for level in mine.keys() & theirs.keys()):
        return "different"
    return "same" if one.areas[-1] == other.areas[-1] else "unclear"


def _levels(areas: tuple[str, ...]) -> dict[int, str]:
    """The areas by their level: 1 province, 2 prefecture, 3 county; a 市 below another is a county."""
    levels: dict[int, str] = {}
    for area in areas:
        level = 1 if area.endswith(("自治区", "特别行政区")) or area in _MUNICIPALITIES else _LEVELS[area[-1]]
        level = 2 if area.endswith("地区") else level
        levels[3 if level == 2 and 2 in levels else level] = area
    return levels


def identify(bodies: Mapping[Name, Body]) -> dict[Name, Identity]:
    """Which body each of many reports is of.

    Reports are of one body where their names agree and nothing keeps any two of them apart: a report that could be of
    either of two bodies is of neither.
    """
    groups: dict[str, dict[tuple[str, ...], list[Name]]] = defaultdict(lambda: defaultdict(list))
    for name, body in bodies.items():
        groups[body.key][body.areas].append(name)
    found: dict[Name, Identity] = {}
    for key, places in groups.items():
        firsts = {areas: bodies[names[0]] for areas, names in places.items()}
        for cluster, doubt in _clusters(firsts):
            longest = max(cluster, key=lambda areas: (len(areas), areas))
            for areas in cluster:
                found.update(dict.fromkeys(places[areas], Identity("".join(longest) + key, doubt)))
    return found


_SHARED = "several bodies bear this name, and the reports do not tell the area"


def _clusters(firsts: Mapping[tuple[str, ...], Body]) -> Iterator[tuple[list[tuple[str, ...]], str | None]]:
    """The areas whose bodies are all the same, with the doubt that is left; ``firsts`` is a body of each."""
    by_innermost: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for areas in sorted(firsts):
        if areas:
            by_innermost[areas[-1]].append(areas)
    clusters: list[list[tuple[str, ...]]] = []
    split = False
    for group in by_innermost.values():
        if all(compare(firsts[one], firsts[other]) == "same" for one, other in itertools.combinations(group, 2)):
            clusters.append(group)
            continue
        split = True
        for areas in group:
            others = [other for other in group if other != areas and compare(firsts[areas], firsts[other]) == "same"]
            yield [areas], _fits(others) if others else None
    if () in firsts:
        body = firsts[()]
        if body.kind == "township" or not body.certain:
            yield [()], None if body.certain else _SHARED
        elif len(clusters) <= 1 and not split:
            clusters = [[(), *(clusters[0] if clusters else ())]]
        else:
            yield [()], _fits([areas for areas in firsts if areas])
    for cluster in clusters:
        yield cluster, None if all(firsts[areas].certain for areas in cluster) else _SHARED


def _fits(others: list[tuple[str, ...]]) -> str:
    most = 5
    named = "、".join("".join(areas) for areas in others[:most])
    return f"the name fits several bodies, of {named}" + ("…" if len(others) > most else "")
