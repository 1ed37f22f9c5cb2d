"""The wordings of `benchmarks/wordings/` as reports: slots filled from tables that balance, files written with both.

Figures, grids and files are those of the generator of the tests; its prose is not used.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from pathlib import Path

from benchmarks.mutations import another
from extractors.document import fold
from tests.generator import identities, labels
from tests.generator.content import Heading, Paragraph, Part, SampleReport
from tests.generator.figures2014 import indicator_figures
from tests.generator.grid import applications_grid, disclosure_grids, dispute_grids, grid_2014
from tests.generator.numbers import (
    NILS,
    Figure,
    Printed,
    Style,
    application_figures,
    disclosure_figures,
    dispute_figures,
    print_cell,
    style_amount_unit,
)
from tests.generator.places import make_body
from tests.generator.text_writer import write_text

Figures = dict[str, Figure]

_COLUMNS = {
    "p": ("natural_person",), "b": ("business",), "r": ("research",), "g": ("charity",), "v": ("legal_service",),
    "x": ("other",), "o": ("business", "research", "charity", "legal_service", "other"),
}  # fmt: skip
_DISPUTES = {
    "review": ("review",), "direct": ("direct_litigation",), "after": ("litigation_after_review",),
    "lit": ("direct_litigation", "litigation_after_review"),
}  # fmt: skip
_SHORT = {
    "norm": "normative_documents", "reg": "regulations", "items": "procurement.items", "amount": "procurement.amount",
    "services": "other_services",
}  # fmt: skip
_OWN_CELL = {"licences": "decisions", "penalties": "decisions", "compulsion": "decisions", "services": "decisions",
             "fees": "amount"}  # fmt: skip
# The fields as which a figure of these cells may fairly be read.
_FIELDS = {
    "new": ("requests_received", "requests_answered"), "carried_in": ("requests_carried_in",),
    "processed": ("requests_answered", "requests_received"), "carried_out": ("requests_carried_out",),
    "granted": ("requests_granted",), "partly_granted": ("requests_partly_granted",), "denied": ("requests_denied",),
    "unavailable": ("requests_unavailable",), "rejected": ("requests_rejected",), "other": ("requests_other",),
    "review": ("reviews",), "direct": ("litigations",), "after": ("litigations",), "lit": ("litigations",),
    "norm": ("normative_documents",), "reg": ("regulations",), "licences": ("licences",), "penalties": ("penalties",),
    "compulsion": ("compulsion",), "fees": ("fees",), "services": ("other_services",),
    "items": ("procurement_items",), "amount": ("procurement_amount",),
}  # fmt: skip
# What else the words for the first may mean, so that a figure is no contradiction where one of these holds.
_ALSO = (
    ("new", "processed", "new + carried_in", "processed - other", "processed - other - rejected",
     "processed - carried_in"),
    ("lit", "direct", "after"), ("lit.upheld", "direct.upheld", "after.upheld"),
    ("lit.corrected", "direct.corrected", "after.corrected"), ("lit.other", "direct.other", "after.other"),
    ("lit.pending", "direct.pending", "after.pending"), ("norm.issued", "norm.in_force", "norm.repealed"),
    ("norm.made", "norm.disclosed", "norm.total"), ("licences", "licences.previous"),
    ("penalties", "penalties.previous"), ("granted", "granted + partly_granted"),
)  # fmt: skip
_MOVES_2014 = (
    ("requests2014.received.", ("in_person", "fax", "online", "letter")),
    ("requests2014.closed.", ("on_time", "extended")),
    ("requests2014.answered.", ("already_public", "granted", "partly_granted", "not_responsible", "not_existing",
                                "correction", "other_way")),
    ("reviews2014.", ("upheld", "corrected", "other")), ("litigation2014.", ("upheld", "corrected", "other")),
    ("resources2014.staff.", ("full_time", "part_time")),
)  # fmt: skip
_FREE_2014 = (
    "responses2014.topics", "responses2014.interpretations", "responses2014.weibo_wechat", "complaints2014.total",
    "resources2014.offices", "resources2014.reading_points", "training2014.meetings", "training2014.courses",
    "training2014.attendance",
)  # fmt: skip
_SLOT = re.compile(r"\{(?P<share>%\d)?\s*(?P<source>[^{}:!]+?)(?::(?P<print>\w+))?(?P<fixed>!)?\}")
_TERM = re.compile(r"\s*([+-])?\s*([\w./]+)")
_TABLE = re.compile(r"\[(\w+)\]")
_SECTION = re.compile(r"[一二三四五六七八]、")
_ROUGH = {"down": ROUND_FLOOR, "round": ROUND_HALF_UP, "up": ROUND_CEILING}
_SCALE = {"wan": Decimal(10**4), "yi": Decimal(10**4), "yuan": Decimal(1) / 10**4}
_STYLES = ("tabs", "pipes_oneline", "markdown")


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Parts of which the prose says that they are all of their whole, or some of it."""

    whole: str
    parts: tuple[str, ...]
    complete: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The whole and its parts."""
        return (self.whole, *self.parts)


@dataclass(frozen=True, slots=True)
class Slot:
    """A figure of the prose: where it stands, what it is made from, what is printed.

    ``cells`` are the keys whose sum it is, if it is one; ``share`` part and whole of a percentage.
    """

    paragraph: int
    start: int
    source: str
    style: str
    text: str
    cells: tuple[str, ...]
    fields: tuple[str, ...]
    share: tuple[str, str] | None
    decimals: int
    planted: bool

    @property
    def exact(self) -> bool:
        """Whether it is printed to the last digit."""
        return self.style in ("", "comma", "han", "yuan")

    def printing(self, text: str) -> Slot:
        """The slot with another print."""
        return replace(self, text=text)

    def wrong(self, rng: random.Random) -> str | None:
        """Another figure in the same print: a digit changed, two swapped, a small step; rounded ones by a third."""
        if self.style in _ROUGH:
            return str(_two_digits(Decimal(self.text) * Decimal(rng.choice(("0.6", "0.7", "1.4", "1.6"))), ROUND_FLOOR))
        if self.style == "han":
            number = another(_from_han(self.text), rng)
            return _han(int(number)) if 0 <= number < 100 else None
        decimals = len(self.text.partition(".")[2])
        number = another(int(self.text.replace(",", "").replace(".", "")), rng)
        return _plain(Decimal(number).scaleb(-decimals), decimals, "," in self.text)

    def means(self, value: Figure) -> bool:
        """Whether the print can mean this value."""
        if self.style == "han":
            return value == _from_han(self.text)
        printed = Decimal(self.text.replace(",", "")) * _SCALE.get(self.style, 1)
        if self.style in _ROUGH:
            return abs(value - printed) <= abs(printed) / 4
        last = Decimal(1).scaleb(-len(self.text.partition(".")[2])) * _SCALE.get(self.style, 1)
        return value == printed if self.exact else abs(value - printed) <= last


@dataclass(frozen=True, slots=True)
class Wording:
    """The prose of a report with slots, and what must hold of the figures that fill them."""

    name: str
    form: str
    year: int
    volume: str
    want: tuple[str, ...]
    zero: tuple[str, ...]
    only: tuple[str, ...]
    made: tuple[str, ...]
    sums: tuple[Breakdown, ...]
    lines: tuple[str, ...]

    def fill(self, rng: random.Random) -> Filled:
        """A report of this wording.

        Raises:
            ValueError: no figures were drawn that fit what the wording wants.
        """
        for _ in range(3000):
            figures = self._draw(rng)
            if all(value_of(name, figures, {}) for name in self.want):
                own = self._own(figures, rng)
                if own is not None:
                    return self._filled(figures, own, rng)
        raise ValueError(f"{self.name}: no figures fit")

    def _draw(self, rng: random.Random) -> Figures:
        if self.form == "2014":
            figures = indicator_figures(rng, self.volume)
            return {key: 0 if key.split("2014")[0] in self.zero else value for key, value in figures.items()}
        figures = {
            **disclosure_figures(rng, self.form, self.volume), **application_figures(rng, self.form, self.volume),
            **dispute_figures(rng, self.volume),
        }  # fmt: skip
        for name in self.want:
            for key in _named(name, figures)[:1]:
                own = key.replace(".total", ".natural_person") if key.startswith("applications.") else key
                own = own.replace(".total", ".upheld") if key.startswith("disputes.") else own
                figures[own] = figures[own] or rng.randint(2, 9)
        for name in self.zero:
            for key in _named(name, figures) + _named(f"{name}.", figures):
                figures[key] = 0
        return settle(figures, self.form, self.only)

    def _own(self, figures: Figures, rng: random.Random) -> dict[str, Figure] | None:
        """The figures of the prose alone; None where one is negative or a share has no whole."""
        own: dict[str, Figure] = {}
        for line in self.made:
            name, _, source = (part.strip() for part in line.partition("="))
            low, dots, high = source.partition("..")
            if dots:
                own[name] = rng.randint(int(low), int(high))
            elif line.startswith("split "):
                parts = [part.strip() for part in source.split("+")]
                own |= _split(int(value_of(name.removeprefix("split "), figures, own)), parts, rng)
            else:
                own[name] = value_of(source, figures, own)
        shares = (
            match["source"].split(" / ")[1] for line in self.lines for match in _SLOT.finditer(line) if match["share"]
        )
        fits = min(own.values(), default=0) >= 0 and all(value_of(whole, figures, own) for whole in shares)
        return own if fits else None

    def _filled(self, figures: Figures, own: Mapping[str, Figure], rng: random.Random) -> Filled:
        slots, paragraphs = [], []
        for number, line in enumerate(self.lines):
            text, place = "", 0
            for match in _SLOT.finditer(line):
                text += line[place : match.start()]
                slots.append(_slot(match, number, len(text), figures, own))
                text, place = text + slots[-1].text, match.end()
            paragraphs.append(text + line[place:])
        nil = "0" if rng.random() < 0.7 else rng.choice(NILS)
        style = Style(nil=nil, amount=rng.choice(("header", "both") if self.form == "2021" else ("header", "cell")))
        return Filled(self, figures, dict(own), tuple(slots), tuple(paragraphs), style, rng.getrandbits(32))

    def can_mean(self, slot: Slot, figures: Figures) -> bool:
        """Whether the slot's print agrees with anything that its words can fairly mean."""
        if slot.means(sum(figures[key] for key in slot.cells)):
            return True
        base, _, column = slot.source.partition("/")
        for family in _ALSO:
            if base in family:
                names = (re.sub(r"\w[\w.]*", rf"\g<0>/{column}", name) if column else name for name in family)
                there = (name for name in names if all(_named(term, figures) for _, term in _TERM.findall(name)))
                return any(slot.means(value_of(name, figures, {})) for name in there)
        return False


@dataclass(frozen=True, slots=True)
class Filled:
    """A wording with its figures; ``style`` is how the table prints them."""

    wording: Wording
    figures: Figures
    own: dict[str, Figure]
    slots: tuple[Slot, ...]
    paragraphs: tuple[str, ...]
    style: Style
    seed: int

    def value(self, source: str) -> Decimal:
        """What a name or a sum of names comes to."""
        return Decimal(value_of(source, self.figures, self.own))

    def before(self, number: int, words: str) -> bool:
        """Whether ``words`` stand directly before a slot."""
        slot = self.slots[number]
        return self.paragraphs[slot.paragraph][: slot.start].endswith(words)

    def misprinted(self, number: int, text: str) -> Filled:
        """The report with another figure in one slot."""
        old = self.slots[number]
        line = self.paragraphs[old.paragraph]
        line = line[: old.start] + text + line[old.start + len(old.text) :]
        moved = len(text) - len(old.text)
        slots = [
            replace(slot, start=slot.start + moved)
            if slot.paragraph == old.paragraph and slot.start > old.start
            else slot
            for slot in self.slots
        ]
        slots[number] = old.printing(text)
        paragraphs = [line if place == old.paragraph else other for place, other in enumerate(self.paragraphs)]
        return replace(self, slots=tuple(slots), paragraphs=tuple(paragraphs))

    def with_cells(self, figures: Figures) -> Filled:
        """The report with another table under the same prose."""
        return replace(self, figures=figures)

    def change_cells(self, rng: random.Random) -> tuple[Figures, set[str]] | None:
        """Another table that adds up as well, and the keys of its cells that are different; None where a try failed."""
        figures = dict(self.figures)
        if self.wording.form == "2014":
            _change_2014(figures, rng)
        else:
            change = rng.choice((_move_application, _add_application, _change_dispute, _change_disclosure))
            change(figures, rng)
            figures = settle(figures, self.wording.form, ())
        changed = {key for key in figures if figures[key] != self.figures[key]}
        if not changed or min(figures[key] for key in changed) < 0:
            return None
        return None if identities.violations(self._cells(figures)) else (figures, changed)

    def _cells(self, figures: Figures) -> dict[str, Printed]:
        rng = random.Random(self.seed)
        kinds = {line.key: (line.kind, line.unit) for line in labels.INDICATORS_2014 if line.key}
        if self.wording.form != "2014":
            kinds = {key: (kind, "件") for key, kind in labels.disclosure_keys(self.wording.form)}
        style = replace(self.style, amount="header") if self.wording.form == "2014" else self.style
        return {key: print_cell(value, *kinds.get(key, ("count", "件")), style, rng) for key, value in figures.items()}

    def write(self, path: Path, rng: random.Random) -> Path:
        """The report as a text file."""
        wording, cells = self.wording, self._cells(self.figures)
        parts = [part for line in self.paragraphs for part in self._parts(line, cells, rng)]
        form = wording.form
        report = SampleReport(
            seed=self.seed, form=form, blocks={}, body=make_body(rng),
            title=(f"{wording.name}{wording.year}年政府信息公开工作年度报告",), year=wording.year, coverage=None,
            published=date(wording.year + 1, 1, 20), signed=False, stray_year=wording.year + 2, parts=tuple(parts),
            cells=cells, traits=(), style=self.style,
        )  # fmt: skip
        write_text(report, path, style=rng.choice(_STYLES))
        return path

    def _parts(self, line: str, cells: Mapping[str, Printed], rng: random.Random) -> list[Part]:
        form, table = self.wording.form, _TABLE.fullmatch(line)
        if table is None:
            return [Heading(line) if _SECTION.match(line) else Paragraph(line)]
        if table[1] == "disclosure":
            return list(disclosure_grids(form, cells, frozenset(), style_amount_unit(self.style, form), rng))
        if table[1] == "applications":
            return [applications_grid(form, cells, frozenset(), rng)]
        if table[1] == "disputes":
            return list(dispute_grids(cells, frozenset(), rng))
        return [grid_2014(cells, frozenset(), rng)]

    def place(self, number: int, text: str) -> tuple[int, int]:
        """Where a slot stands in the document's text.

        Raises:
            ValueError: its paragraph is not there.
        """
        slot = self.slots[number]
        start = text.index(fold(self.paragraphs[slot.paragraph])) + slot.start
        return start, start + len(slot.text)


def read_wordings(path: Path) -> list[Wording]:
    """The wordings of a file, in order."""
    chunks = re.split(r"^# ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return [_wording(chunk.splitlines()) for chunk in chunks]


def _wording(lines: list[str]) -> Wording:
    name, form, year, volume = (part.strip() for part in lines[0].split("|"))
    facts = [line[2:] for line in lines[1:] if line.startswith("! ")]

    def listed(word: str) -> tuple[str, ...]:
        found = [fact.removeprefix(word) for fact in facts if fact.startswith(f"{word} ")]
        return tuple(part.strip() for fact in found for part in fact.split(","))

    made = [fact.removeprefix("let ") for fact in facts if fact.startswith(("let ", "split "))]
    sums = [_breakdown(fact.removeprefix("sum ")) for fact in facts if fact.startswith("sum ")]
    unknown = [fact for fact in facts if fact.split()[0] not in ("want", "zero", "only", "let", "split", "sum")]
    if unknown:
        raise ValueError(f"{name}: {unknown}")
    return Wording(
        name, form, int(year), volume, listed("want"), listed("zero"), listed("only"),
        tuple(part.strip() for fact in made for part in fact.split(";")), tuple(sums),
        tuple(line for line in lines[1:] if line and not line.startswith("! ")),
    )  # fmt: skip


def _breakdown(fact: str) -> Breakdown:
    whole, sign, parts = re.split(r"\s*(>?=)\s*", fact)
    return Breakdown(whole, tuple(part.strip() for part in parts.split("+")), sign == "=")


def _slot(match: re.Match[str], paragraph: int, start: int, figures: Figures, own: Mapping[str, Figure]) -> Slot:
    source, style = match["source"], match["print"] or ""
    planted = match["fixed"] is None
    if match["share"]:
        part, whole = source.split(" / ")
        decimals = int(match["share"][1:])
        percent = Decimal(value_of(part, figures, own)) * 100 / Decimal(value_of(whole, figures, own))
        text = _plain(percent.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP), decimals, False)
        return Slot(paragraph, start, source, style, text, (), ("share",), (part, whole), decimals, planted)
    names = [name for _, name in _TERM.findall(source)]
    cells = tuple(key for name in names for key in _named(name, figures)) if not own.keys() & {*names} else ()
    fields = _FIELDS.get(re.split("[./]", names[0])[0], ()) if cells and not _is_2014(figures) else ()
    text = _print(value_of(source, figures, own), style)
    return Slot(paragraph, start, source, style, text, cells, fields, None, 0, planted)


def _is_2014(figures: Figures) -> bool:
    return "disclosure2014.total" in figures


def value_of(source: str, figures: Figures, own: Mapping[str, Figure]) -> Figure:
    """What a sum of names and whole numbers comes to.

    Raises:
        KeyError: a name is none of a cell or of a figure of the prose.
    """
    total: Figure = 0
    for sign, name in _TERM.findall(source):
        if name in own:
            value = own[name]
        elif name.isdigit():
            value = int(name)
        elif keys := _named(name, figures):
            value = sum(figures[key] for key in keys)
        else:
            raise KeyError(name)
        total += -value if sign == "-" else value
    return total


def _named(name: str, figures: Figures) -> list[str]:
    """The keys that a short name stands for."""
    if _is_2014(figures):
        return [key for key in figures if f".{key.replace('2014', '')}".endswith(f".{name}")]
    base, _, column = name.partition("/")
    head, _, tail = base.partition(".")
    if head in _DISPUTES:
        prefixes = tuple(f"disputes.{procedure}." for procedure in _DISPUTES[head])
        if base.endswith("."):
            return [key for key in figures if key.startswith(prefixes)]
        return [f"{prefix}{tail or 'total'}" for prefix in prefixes]
    if base.endswith("."):
        prefixes = (f"applications.{base}", f"disclosure.{_SHORT.get(head, head)}.")
        return [key for key in figures if key.startswith(prefixes)]
    own = f"disclosure.{_SHORT.get(head, head)}"
    own += f".{tail or _OWN_CELL[head]}" if tail or head in _OWN_CELL else ""
    if own in figures:
        return [own]
    columns = _COLUMNS.get(column, ("total",))
    rows = [row for row in labels.application_rows(_scheme(figures)) if row == base or row.startswith(f"{base}.")]
    return [f"applications.{row}.{who}" for row in rows for who in columns]


def _scheme(figures: Figures) -> str:
    return "2021" if "applications.other.other.total" in figures else "2019"


def settle(figures: Figures, form: str, only: tuple[str, ...]) -> Figures:
    """The figures with every total and balance worked out anew from outcomes and stocks."""
    settled = dict(figures)
    outcomes = [row for row, _, _ in labels.outcome_rows(form)]
    for who in labels.PARTS:
        key = "applications.{}." + who
        if only and who not in only:
            settled |= {key.format(row): 0 for row in labels.application_rows(form)}
        processed = sum(settled[key.format(row)] for row in outcomes)
        carried_out = settled[key.format("carried_out")]
        carried_in = min(settled[key.format("carried_in")], processed + carried_out)
        settled |= {key.format("processed"): processed, key.format("carried_in"): carried_in}
        settled[key.format("new")] = processed + carried_out - carried_in
    for row in labels.application_rows(form):
        settled[f"applications.{row}.total"] = sum(settled[f"applications.{row}.{who}"] for who in labels.PARTS)
    for procedure, _ in labels.PROCEDURES:
        own = [f"disputes.{procedure}.{name}" for name, _ in labels.RESULT_COLUMNS]
        settled[own[-1]] = sum(settled[key] for key in own[:-1])
    return settled


def _split(total: int, names: list[str], rng: random.Random) -> dict[str, Figure]:
    cuts = sorted(rng.randint(0, total) for _ in names[1:])
    return {name: high - low for name, low, high in zip(names, [0, *cuts], [*cuts, total], strict=True)}


# Tables that say something else and add up all the same


def _move_application(figures: Figures, rng: random.Random) -> None:
    """Applications decided one way moved to another way."""
    rows = [row for row, _, _ in labels.outcome_rows(_scheme(figures))]
    full = [row for row in rows if figures[f"applications.{row}.natural_person"]]
    if full:
        old = f"applications.{rng.choice(full)}.natural_person"
        size = rng.randint(1, min(9, int(figures[old])))
        figures[old] -= size
        figures[f"applications.{rng.choice(rows)}.natural_person"] += size


def _add_application(figures: Figures, rng: random.Random) -> None:
    """More, or fewer, applications, decided or pending."""
    rows = [row for row, _, _ in labels.outcome_rows(_scheme(figures))]
    figures[f"applications.{rng.choice([*rows, 'carried_out', 'carried_in'])}.natural_person"] += rng.randint(1, 9)


def _change_dispute(figures: Figures, rng: random.Random) -> None:
    procedure, _ = rng.choice(labels.PROCEDURES)
    outcome, _ = rng.choice(labels.RESULT_COLUMNS[:-1])
    figures[f"disputes.{procedure}.{outcome}"] += rng.randint(1, 4)


def _change_disclosure(figures: Figures, rng: random.Random) -> None:
    key = rng.choice([key for key in figures if key.startswith("disclosure.") and not key.endswith("change")])
    figures[key] = another(figures[key], rng)


def _change_2014(figures: Figures, rng: random.Random) -> None:
    if rng.random() < 0.4:
        key = rng.choice(_FREE_2014)
        figures[key] = another(figures[key], rng)
        return
    prefix, names = rng.choice(_MOVES_2014)
    full = [name for name in names if figures[prefix + name]]
    if full:
        old = prefix + rng.choice(full)
        size = rng.randint(1, int(figures[old]))
        figures[old] -= size
        figures[prefix + rng.choice(names)] += size


# How figures are printed


def _print(value: Figure, style: str) -> str:
    if style in _ROUGH:
        return str(_two_digits(Decimal(value), _ROUGH[style]))
    if style == "han":
        return _han(int(value))
    if style in ("wan", "yi", "r2"):
        return _plain((Decimal(value) / _SCALE.get(style, 1)).quantize(Decimal("0.01"), ROUND_HALF_UP), 2, False)
    if style == "yuan":
        return _plain(Decimal(value) * 10000, 0, False)
    return _plain(Decimal(value), None, style == "comma")


def _plain(value: Decimal, decimals: int | None, comma: bool) -> str:
    text = f"{value:,f}" if decimals is None else f"{value:,.{decimals}f}"
    if decimals is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if comma else text.replace(",", "")


def _two_digits(value: Decimal, rounding: str) -> int:
    step = Decimal(10) ** max(0, len(str(int(value))) - 2)
    rounded = (value / step).to_integral_value(rounding) * step
    if rounding == ROUND_CEILING and rounded > value * Decimal("1.05"):
        rounded = (value * 10 / step).to_integral_value(rounding) * step / 10
    return int(rounded)


_HAN = "零一二三四五六七八九"


def _han(value: int) -> str:
    """A number below a hundred in Chinese numerals, in digits from there on."""
    if value >= 100:
        return str(value)
    tens, ones = divmod(value, 10)
    return (_HAN[tens] if tens > 1 else "") + ("十" if tens else "") + (_HAN[ones] if ones or not tens else "")


def _from_han(text: str) -> int:
    if text.isdigit():
        return int(text)
    tens, mark, ones = text.rpartition("十")
    return (_HAN.index(tens) if tens else 1) * 10 * bool(mark) + (_HAN.index(ones) if ones else 0)
