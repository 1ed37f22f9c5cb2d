"""Annual reports written by a random hand, with the exact truth of every value cell.

The same :class:`SampleReport` can be written as PDF, HTML, DOCX or text. Everything in it is invented.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from tests.generator import labels, prose
from tests.generator.figures2014 import indicator_figures
from tests.generator.grid import (
    LABEL_TRAITS,
    TABLE_TRAITS,
    Grid,
    applications_grid,
    disclosure_grids,
    dispute_grids,
    grid_2014,
)
from tests.generator.mutate import break_identities
from tests.generator.numbers import (
    Figure,
    Printed,
    Style,
    application_figures,
    blank,
    disclosure_figures,
    dispute_figures,
    print_cell,
    random_style,
    style_amount_unit,
    with_raw,
)
from tests.generator.places import Body, Level, make_body

FORMS = ("2019", "2021", "2014", "hybrid", "narrative")


@dataclass(frozen=True, slots=True)
class Heading:
    """A section heading."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of prose. ``align`` is ``left`` or ``right`` (the sign-off)."""

    text: str
    align: str = "left"


Part = Heading | Paragraph | Grid


@dataclass(frozen=True, slots=True)
class SampleReport:
    """A report before it is written to a file.

    ``title`` holds its printed lines (none where the report has no title); ``published`` is the day of
    publication, printed by the sign-off where ``signed`` and by page furniture where the writer has any;
    ``stray_year`` is another year, for index numbers and footers.
    """

    seed: int
    form: str
    blocks: dict[str, str | None]
    body: Body
    title: tuple[str, ...]
    year: int
    coverage: str | None
    published: date
    signed: bool
    stray_year: int
    parts: tuple[Part, ...]
    cells: dict[str, Printed]
    traits: tuple[str, ...]
    style: Style = field(default_factory=Style)

    @property
    def grids(self) -> list[Grid]:
        """The printed tables, in order."""
        return [part for part in self.parts if isinstance(part, Grid)]


def make_report(
    seed: int, form: str = "2021", *, traits: tuple[str, ...] | None = None, breaks: int = 0, volume: str | None = None,
    style: Style | None = None, level: Level | None = None, titled: bool | None = None, year: int | None = None,
) -> SampleReport:  # fmt: skip
    """A report of the given form: ``2019``, ``2021``, ``2014``, ``hybrid`` or ``narrative``.

    Args:
        seed: the same seed and options give the same report.
        form: which tables it carries; ``hybrid`` is the disclosure table of 2021 and the applications of 2019.
        traits: departures of label and table; None draws a few, ``()`` has none.
        breaks: how many cells to print wrong, each breaking at least one identity.
        volume: ``zero``, ``few`` or ``many``; None draws one.
        style: how figures are printed; None draws one.
        level: the kind of body; None draws one.
        titled: whether a title is printed; None means nearly always.
        year: the year reported on; None draws one that fits the form.
    """
    rng = random.Random(f"{seed}/{form}")
    scheme, second = _schemes(form)
    volume = volume or rng.choice(("zero", "few", "few", "many", "many"))
    drawn_style, drawn_traits = random_style(rng, scheme), _draw_traits(rng, scheme)
    style = style or drawn_style
    chosen = drawn_traits if traits is None else traits
    body = make_body(rng, level)
    report_year = year or _draw_year(rng, form)
    cells = {} if form == "narrative" else _print_cells(rng, scheme, second, volume, style)
    if "sign_in_wrong_column" in chosen:
        cells = {key: _with_stray_sign(key, printed) for key, printed in cells.items()}
    if breaks and cells:
        cells = break_identities(cells, breaks, rng)
    coverage = _draw_coverage(rng, body, form)
    has_title = (rng.random() < 0.93) if titled is None else titled
    report = SampleReport(
        seed=seed, form=scheme if cells else "narrative", blocks=_blocks(form), body=body,
        title=prose.title_lines(rng, body, report_year) if has_title else (),
        year=report_year, coverage=coverage,
        published=date(report_year + 1, 1, 4) + timedelta(days=rng.randint(0, 80)),
        signed=rng.random() < 0.5 or not has_title, stray_year=report_year + rng.choice((2, 3, 4)), parts=(),
        cells=cells, traits=_named_traits(form, chosen, style, volume, breaks, has_title), style=style,
    )  # fmt: skip
    return replace(report, parts=_parts(report, scheme, second, frozenset(chosen), rng))


def _schemes(form: str) -> tuple[str, str]:
    """Which form the disclosure table is of, and which the applications table."""
    return {"hybrid": ("2021", "2019"), "narrative": ("2019", "2019")}.get(form, (form, form))


def _blocks(form: str) -> dict[str, str | None]:
    scheme, second = _schemes(form)
    if form == "narrative":
        return {"disclosure": None, "applications": None, "disputes": None}
    return {"disclosure": scheme, "applications": second, "disputes": second}


def _draw_year(rng: random.Random, form: str) -> int:
    years = {
        "2019": (2019, 2020, 2020, 2019, 2021),
        "2021": (2021, 2022, 2023, 2024),
        "2014": (2014, 2015, 2016, 2017, 2018),
    }
    return rng.choice(years.get(form, (2022, 2023) if form == "hybrid" else (2012, 2016, 2018)))


def _draw_traits(rng: random.Random, scheme: str) -> tuple[str, ...]:
    traits = [trait for trait in LABEL_TRAITS if rng.random() < 0.08 and not trait.startswith(("num", "dropped"))]
    traits += [trait for trait in TABLE_TRAITS[scheme] if rng.random() < 0.1]
    if rng.random() < 0.2:
        traits.append(rng.choice(("numbering_comma", "numbering_circle", "numbering_fullstop", "dropped_labels")))
    traits += [trait for trait in ("long_headings", "preamble") if rng.random() < 0.2]
    return tuple(traits)


def _draw_coverage(rng: random.Random, body: Body, form: str) -> str | None:
    if body.level == "office" and form == "2014":
        return None  # the annexed table is often that of the whole government; nothing in the report says which
    if body.level == "government":
        return rng.choice(("consolidated", "consolidated", None))
    return "organ"


def _named_traits(
    form: str, chosen: tuple[str, ...], style: Style, volume: str, breaks: int, titled: bool
) -> tuple[str, ...]:
    names = list(chosen)
    if form == "hybrid":
        names.append("hybrid")
    if form != "narrative":
        names += [f"volume_{volume}"]
        names += [f"nil_{style.nil or 'empty'}"] if style.nil != "0" else []
        names += [f"digits_{style.digits}"] if style.digits != "ascii" else []
        names += [f"emptiness_{style.emptiness}"] if style.emptiness != "none" else []
        names += [f"amount_{style.amount}", f"sign_{style.sign}"] if form == "2019" else []
        names += [f"amount_{style.amount}"] if form in ("2021", "hybrid") else []
    if breaks:
        names.append("broken")
    if not titled:
        names.append("untitled")
    return tuple(sorted(set(names)))


def _print_cells(rng: random.Random, scheme: str, second: str, volume: str, style: Style) -> dict[str, Printed]:
    figures: dict[str, Figure] = {}
    kinds: dict[str, tuple[str, str]] = {}
    if scheme == "2014":
        figures = indicator_figures(rng, volume)
        kinds = {line.key: (line.kind, line.unit) for line in labels.INDICATORS_2014 if line.key}
        style = replace(style, amount="header")
    else:
        figures |= disclosure_figures(rng, scheme, volume)
        kinds |= {key: (kind, "项" if kind == "signed" else "件") for key, kind in labels.disclosure_keys(scheme)}
        figures |= application_figures(rng, second, volume)
        figures |= dispute_figures(rng, volume)
    cells = {}
    for key, figure in figures.items():
        kind, unit = kinds.get(key, ("count", "件"))
        cells[key] = print_cell(figure, kind, unit, style, rng)
    return {key: _emptied(key, printed, style) for key, printed in cells.items()}


def _with_stray_sign(key: str, printed: Printed) -> Printed:
    """+22 under 上一年项目数量: the sign belongs to the next column, the number does not."""
    if key.endswith(".previous") and printed.raw.isascii() and printed.raw.isdigit() and printed.value:
        return with_raw(printed, f"+{printed.raw}")
    return printed


def _emptied(key: str, printed: Printed, style: Style) -> Printed:
    """The cell after the publisher left some of the template empty."""
    empty = blank("")
    if style.emptiness == "template":
        return empty
    if not key.startswith("applications."):
        return printed
    is_total = key.endswith(".total")
    if style.emptiness == "totals_only" and not is_total:
        return empty
    row = key.removeprefix("applications.").rsplit(".", 1)[0]
    outcome = row not in ("new", "carried_in", "processed", "carried_out")
    return empty if style.emptiness == "no_totals" and is_total and outcome else printed


def _parts(
    report: SampleReport, scheme: str, second: str, traits: frozenset[str], rng: random.Random
) -> tuple[Part, ...]:
    body, year = report.body, report.year
    parts: list[Part] = [Paragraph(text) for text in prose.opening(rng, body, year, named=not report.title)]
    if report.form == "narrative":
        for heading, paragraphs in prose.narrative(rng, body, year, report.coverage):
            parts += [Heading(heading), *(Paragraph(text) for text in paragraphs)]
    elif scheme == "2014":
        for heading, paragraphs in prose.narrative(rng, body, year, report.coverage)[:1]:
            parts += [Heading(heading), *(Paragraph(text) for text in paragraphs)]
        parts += [Paragraph("附件：政府信息公开情况统计表"), Heading(f"政府信息公开情况统计表（{year}年度）")]
        parts.append(grid_2014(report.cells, traits, rng))
        if rng.random() < 0.5:
            when = f"　　填报日期：{report.published}" if report.signed else ""
            parts.append(Paragraph(f"单位负责人：林砚秋　　审核人：沈望　　填报人：陆知远{when}"))
    else:
        parts += _form_parts(report, scheme, second, traits, rng)
    if report.signed:
        parts += [Paragraph(body.name, "right"), Paragraph(prose.long_date(report.published), "right")]
    return tuple(parts)


def _form_parts(
    report: SampleReport, scheme: str, second: str, traits: frozenset[str], rng: random.Random
) -> list[Part]:
    long = "long_headings" in traits
    heads = [Heading(rng.choice(choices[1:]) if long else choices[0]) for choices in prose.HEADINGS]
    preamble = [Paragraph("该部分以表格形式报告。表格如下：")] if "preamble" in traits else []
    unit = style_amount_unit(report.style, scheme)
    body, year = report.body, report.year
    overview = prose.overview(rng, body, year, report.coverage, report.cells)
    return [
        heads[0], *(Paragraph(text) for text in overview),
        heads[1], *preamble, *disclosure_grids(scheme, report.cells, traits, unit, rng),
        heads[2], *preamble, applications_grid(second, report.cells, traits, rng),
        heads[3], *dispute_grids(report.cells, traits, rng),
        heads[4], *(Paragraph(text) for text in prose.problems(rng, body, year)),
        heads[5], *(Paragraph(text) for text in prose.others(rng, year)),
    ]  # fmt: skip
