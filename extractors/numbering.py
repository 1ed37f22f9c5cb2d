"""The automatic numbers of Word paragraphs: what Word prints before a paragraph and does not store in its text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lxml import etree

from extractors.markup import chinese_numeral

_LEVELS = 9
_CHINESE = frozenset(
    {
        "chineseCounting", "chineseCountingThousand", "taiwaneseCounting", "taiwaneseCountingThousand",
        "japaneseCounting",
    }
)  # fmt: skip
_FORMAL = "零壹贰叁肆伍陆柒捌玖拾"
_ROMAN = ((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a list: number format, text with ``%1`` to ``%9``, first number."""

    format: str = "decimal"
    text: str = ""
    start: int = 1
    legal: bool = False


@dataclass(slots=True)
class Numbering:
    """The lists of a document and how far each has been counted.

    ``lists`` maps the id of a list to (id of its definition, levels, first numbers that it sets anew).
    ``styles`` maps a paragraph style to (list, level); either is None where the style does not say it.
    """

    lists: dict[str, tuple[str, dict[int, Level], dict[int, int]]] = field(default_factory=dict)
    styles: dict[str, tuple[str | None, int | None]] = field(default_factory=dict)
    counts: dict[str, list[int]] = field(default_factory=dict)
    begun: set[str] = field(default_factory=set)

    def next_label(self, list_id: str, level: int) -> str:
        """The number printed before the next paragraph of a list; empty for bullets and unknown lists."""
        if list_id not in self.lists or not 0 <= level < _LEVELS:
            return ""
        definition, levels, restarts = self.lists[list_id]
        counts = self.counts.setdefault(definition, [-1] * _LEVELS)
        if list_id not in self.begun:
            self.begun.add(list_id)
            for restarted in restarts:
                counts[restarted] = -1
        for upper in range(level):
            if counts[upper] < 0:
                counts[upper] = _start(levels, restarts, upper)
        counts[level] = _start(levels, restarts, level) if counts[level] < 0 else counts[level] + 1
        counts[level + 1 :] = [-1] * (_LEVELS - level - 1)
        shape = levels.get(level)
        if shape is None or shape.format in ("bullet", "none"):
            return ""
        label = shape.text
        for upper in range(level, -1, -1):
            own = levels.get(upper, Level())
            style = "decimal" if shape.legal and upper < level else own.format
            label = label.replace(f"%{upper + 1}", format_number(counts[upper], style))
        return label


def _start(levels: dict[int, Level], restarts: dict[int, int], level: int) -> int:
    return restarts.get(level, levels.get(level, Level()).start)


def format_number(number: int, style: str) -> str:
    """A list number in a Word number format (ST_NumberFormat); formats not known here are printed in digits."""
    if style in _CHINESE:
        return chinese_numeral(number)
    if style == "chineseLegalSimplified" and 0 <= number <= 10:
        return _FORMAL[number]
    if style == "ideographDigital":
        return "".join("〇一二三四五六七八九"[int(digit)] for digit in str(number))
    if style == "decimalZero":
        return f"{number:02d}"
    if style in ("decimalEnclosedCircle", "decimalEnclosedCircleChinese") and 0 < number <= 20:
        return chr(0x2460 + number - 1)
    if style == "decimalEnclosedParen" and 0 < number <= 20:
        return f"({number})"
    if style in ("lowerLetter", "upperLetter") and 0 < number <= 26:
        letter = chr(ord("a") + number - 1)
        return letter if style == "lowerLetter" else letter.upper()
    if style in ("lowerRoman", "upperRoman") and 0 < number < 40:
        return _roman(number) if style == "lowerRoman" else _roman(number).upper()
    return str(number)


def _roman(number: int) -> str:
    text = ""
    for value, sign in _ROMAN:
        text += sign * (number // value)
        number %= value
    return text


def read_numbering(numbering: etree._Element | None, styles: etree._Element | None) -> Numbering:
    """The lists of ``numbering.xml`` and the styles of ``styles.xml`` that number their paragraphs."""
    result = Numbering()
    if styles is not None:
        result.styles = _read_styles(styles)
    if numbering is None:
        return result
    word = _namespace(numbering)
    definitions: dict[str, dict[int, Level]] = {}
    linked: dict[str, str] = {}  # definition -> list style that holds its levels
    styled: dict[str, str] = {}  # list style -> definition
    for definition in numbering.iter(f"{word}abstractNum"):
        key = definition.get(f"{word}abstractNumId", "")
        definitions[key] = _read_levels(definition, word)
        if (link := _value(definition.find(f"{word}numStyleLink"), word)) is not None:
            linked[key] = link
        if (link := _value(definition.find(f"{word}styleLink"), word)) is not None:
            styled[link] = key
    for item in numbering.iter(f"{word}num"):
        key = _value(item.find(f"{word}abstractNumId"), word) or ""
        key = styled.get(linked.get(key, ""), key)
        levels = dict(definitions.get(key, {}))
        restarts: dict[int, int] = {}
        for override in item.iter(f"{word}lvlOverride"):
            level = _integer(override.get(f"{word}ilvl"), 0)
            levels.update(_read_levels(override, word))
            start = _value(override.find(f"{word}startOverride"), word)
            if start is not None:
                restarts[level] = _integer(start, 1)
        result.lists[item.get(f"{word}numId", "")] = (key, levels, restarts)
    return result


def _read_levels(parent: etree._Element, word: str) -> dict[int, Level]:
    levels: dict[int, Level] = {}
    for element in parent.iter(f"{word}lvl"):
        level = Level(
            format=_value(element.find(f"{word}numFmt"), word) or _alternative_format(element) or "decimal",
            text=_value(element.find(f"{word}lvlText"), word) or "",
            start=_integer(_value(element.find(f"{word}start"), word), 1),
            legal=element.find(f"{word}isLgl") is not None,
        )
        if (_value(element.find(f"{word}suff"), word) or "tab") != "nothing" and level.text[-1:].isalnum():
            level = replace(level, text=level.text + " ")
        levels[_integer(element.get(f"{word}ilvl"), 0)] = level
    return levels


def _alternative_format(level: etree._Element) -> str | None:
    """The number format inside mc:AlternateContent, where newer formats are written."""
    for element in level.iter():
        if isinstance(element.tag, str) and element.tag.endswith("}numFmt"):
            return _value(element, element.tag.removesuffix("numFmt"))
    return None


def _read_styles(styles: etree._Element) -> dict[str, tuple[str | None, int | None]]:
    word = _namespace(styles)
    own: dict[str, tuple[str | None, int | None]] = {}
    based: dict[str, str] = {}
    for style in styles.iterchildren(f"{word}style"):
        key = style.get(f"{word}styleId", "")
        for element in style.iterchildren(f"{word}basedOn", f"{word}pPr"):
            if element.tag == f"{word}basedOn":
                based[key] = element.get(f"{word}val", "")
            elif (numbered := element.find(f"{word}numPr")) is not None:
                level = _value(numbered.find(f"{word}ilvl"), word)
                list_id = _value(numbered.find(f"{word}numId"), word)
                own[key] = (list_id, None if level is None else _integer(level, 0))
    result: dict[str, tuple[str | None, int | None]] = {}
    for key in {*own, *based}:
        found = _inherited(key, own, based)
        if found[0] is not None:
            result[key] = found
    return result


def _inherited(
    key: str, own: dict[str, tuple[str | None, int | None]], based: dict[str, str]
) -> tuple[str | None, int | None]:
    """List and level of a style, each from the nearest style of its line that states it."""
    list_id: str | None = None
    level: int | None = None
    seen: set[str] = set()
    while key and key not in seen:
        seen.add(key)
        own_list, own_level = own.get(key, (None, None))
        list_id = list_id or own_list
        level = own_level if level is None else level
        key = based.get(key, "")
    return list_id, level


def _namespace(root: etree._Element) -> str:
    tag = str(root.tag)
    return tag[: tag.index("}") + 1] if tag.startswith("{") else ""


def _value(element: etree._Element | None, word: str) -> str | None:
    return None if element is None else element.get(f"{word}val")


def _integer(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 9 else default
