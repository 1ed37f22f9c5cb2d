"""Invented places and bodies: provinces down to townships, bureaux, street offices and development zones."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Level = Literal["government", "office", "bureau", "township", "street", "zone"]

_LEVELS: tuple[Level, ...] = (
    "township", "township", "bureau", "bureau", "street", "office", "government", "zone",
)  # fmt: skip
_FIRST = "澄岚栖枫霁翠瑶梧砚沅芷黛荻棠泓璞琅苇萤骊"
_SECOND = "川江溪原岭湖泉陵洲渡浦坪峰塘沙岩"
_TOWN_FIRST = ("青禾", "白石桥", "望湖", "杨树湾", "三岔", "古井", "大柳", "双塘", "龙爪", "红土坎", "乌兰淖", "石门")
_NATIONS = ("土家族", "彝族苗族", "傣族", "回族", "侗族瑶族", "哈尼族彝族傣族", "蒙古族")
_BUREAUX = (
    "自然资源和规划局", "教育体育局", "卫生健康委员会", "市场监督管理局", "水利局", "财政局", "农业农村局",
    "人力资源和社会保障局", "住房和城乡建设局", "审计局", "应急管理局", "发展和改革委员会", "医疗保障局", "交通运输局",
)  # fmt: skip
_SELF = {
    "township": ("我镇", "全镇"), "street": ("街道", "辖区"), "bureau": ("我局", "全系统"), "zone": ("管委会", "全区"),
    "office": ("本机关", "机关"), "government": ("本级政府", "全域"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Body:
    """An administrative body (行政机关).

    ``path``: the areas above it, outermost first; ``core``: its own short name (青禾镇, 白石县水利局);
    ``suffix``: what turns the short name into the full one (人民政府, or nothing); ``we`` and ``ours``: how its
    prose speaks of itself.
    """

    level: Level
    path: tuple[str, ...]
    core: str
    suffix: str
    we: str
    ours: str
    county: str

    @property
    def name(self) -> str:
        """The full name without the areas above it."""
        return self.core + self.suffix

    def spellings(self) -> tuple[str, ...]:
        """Every name by which the body may fairly be called: with and without areas above and 人民政府."""
        prefixes = {"".join(self.path[start:]) for start in range(len(self.path) + 1)} | set(self.path)
        ends = {"", self.suffix, "人民政府", "政府"} if self.suffix else {""}
        names = {prefix + self.core + end for prefix in prefixes for end in ends}
        if self.level in ("bureau", "office"):
            names |= {name.removeprefix(self.county) for name in names if name.startswith(self.county)}
        return tuple(sorted(names))


def _name(rng: random.Random) -> str:
    return rng.choice(_FIRST) + rng.choice(_SECOND)


def _county(rng: random.Random) -> str:
    name = _name(rng)
    return rng.choice((f"{name}县", f"{name}区", f"{name}市", f"{name}{rng.choice(_NATIONS)}自治县", f"{name}旗"))


def make_body(rng: random.Random, level: Level | None = None) -> Body:
    """A body of the given level, or of any."""
    kind: Level = rng.choice(_LEVELS) if level is None else level
    province, city, county = f"{_name(rng)}省", f"{_name(rng)}市", _county(rng)
    if rng.random() < 0.15:
        city = f"{_name(rng)}{rng.choice(_NATIONS)}自治州"
    we, ours = _SELF[kind]
    if kind == "government":
        area, path = rng.choice(((county, (province, city)), (city, (province,)), (province, ())))
        return Body(kind, path, area, "人民政府", "本级政府", f"全{area[-1]}", area)
    if kind == "office":
        return Body(kind, (province, city), f"{county}人民政府办公室", "", we, ours, county)
    if kind == "bureau":
        area = rng.choice((county, county, city))
        return Body(kind, (province, city) if area == county else (province,), area + rng.choice(_BUREAUX), "", we,
                    ours, area)  # fmt: skip
    if kind == "zone":
        core = rng.choice((f"{city}经济技术开发区管理委员会", f"{city}高新技术产业开发区管委会"))
        return Body(kind, (province,), core, "", we, ours, city)
    if kind == "street":
        core = f"{rng.choice(_TOWN_FIRST)}街道办事处"
        return Body(kind, (province, city, county), core, "", we, ours, county)
    town = rng.choice(_TOWN_FIRST)
    core = rng.choice((f"{town}镇", f"{town}镇", f"{town}乡", f"{town}{rng.choice(_NATIONS[:4])}乡"))
    we = f"我{core[-1]}"
    return Body(kind, (province, city, county), core, "人民政府", we, f"全{core[-1]}", county)
