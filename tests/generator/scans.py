"""Scanned reports with exact truth.

    python -m tests.generator.scans --seed-from 1000 --count 30 --out /some/folder

Every seed is a report of another body, form, look, scanner and file type. ``truth.jsonl`` has the records of
``tests.generator.truth`` with one key more, ``scan``: profile, carrier, look, number of pages, effects of each page,
and the cells that the publisher printed wrong with the figure that would balance. In blocks of twenty consecutive
seeds the shares of profiles, carriers, printing programs and forms are as in the tables below. Where a program or a
font is missing, the reports that need it are left out and named. Cells of faxes have the status ``lost``: they may
be illegible, or right.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2  # type: ignore[import-untyped]
from PIL import Image

from tests.generator.content import Heading, Paragraph, Part, SampleReport, make_report
from tests.generator.docx_writer import Letter, write_docx
from tests.generator.grid import Grid
from tests.generator.html_writer import Page, write_html
from tests.generator.identities import violations
from tests.generator.mutate import break_identities, breakable
from tests.generator.numbers import Printed, reported
from tests.generator.scan_effects import PageScan, Pixels, Stamp, for_picture, scan_page
from tests.generator.scan_pdf import encode_file, encode_page, write_hybrid_pdf, write_image_pdf
from tests.generator.scan_prints import (
    PORTRAIT_MM,
    TALL_MM,
    TRUETYPE,
    Look,
    font_file,
    missing_for,
    print_all,
    print_table,
    random_look,
)
from tests.generator.truth import Written, to_json, with_status

_PROFILES = ("clean",) * 5 + ("office",) * 9 + ("poor",) * 4 + ("fax",) * 2
_CARRIERS = ("pdf",) * 13 + ("hybrid",) * 2 + ("png", "jpeg", "html_data", "html_beside", "docx")
_ENGINES = ("reportlab",) * 7 + ("chromium",) * 8 + ("libreoffice",) * 5
_FORMS = ("2021",) * 9 + ("2019",) * 6 + ("2014",) * 3 + ("hybrid",) * 2
_PLANTED = ("none",) * 10 + ("random",) * 4 + ("lookalike",) * 6
PROFILES = tuple(dict.fromkeys(_PROFILES))
BATCH = 10
# Digits that scans confuse; a publisher's slip among them must not be read away.
_LOOKALIKES = {"0": "68", "1": "7", "2": "7", "3": "8", "4": "9", "5": "6", "6": "05", "7": "1", "8": "30", "9": "4"}


@dataclass(frozen=True, slots=True)
class Machine:
    """A profile: what a scanner and its paper may do.

    ``chances``: how often each effect is there, by name; ``sizes``: from and to, for those that differ by profile.
    """

    dpis: tuple[int, ...]
    modes: tuple[str, ...]
    quality: tuple[int, int]
    skew: float
    blur: tuple[float, float]
    chances: dict[str, float]
    noise: tuple[float, float] = (1.0, 4.0)
    faint: tuple[float, float] = (0.2, 0.4)
    pepper: tuple[float, float] = (0.5, 3.0)


MACHINES = {
    "clean": Machine(
        (150, 200, 200, 300), ("grey", "grey", "colour", "bilevel"), (60, 80), 0.5, (0.0, 0.45),
        {"seal": 0.25, "noise": 0.3, "texture": 0.2, "turn": 0.1},
    ),
    "office": Machine(
        (150, 200, 200, 200, 300), ("grey", "grey", "colour", "colour", "bilevel"), (45, 75), 1.5, (0.3, 0.75),
        {"faint": 0.15, "broken": 0.15, "bleed": 0.2, "texture": 0.4, "light": 0.25, "spine": 0.2, "lid": 0.25,
         "holes": 0.2, "seal": 0.45, "ticks": 0.2, "noise": 0.7, "pepper": 0.25, "warp": 0.15, "curl": 0.08,
         "turn": 0.2},
    ),
    "poor": Machine(
        (150, 150, 200, 200, 300), ("grey", "grey", "colour", "bilevel"), (40, 55), 3.0, (0.5, 0.95),
        {"faint": 0.45, "broken": 0.5, "bleed": 0.4, "texture": 0.6, "light": 0.5, "spine": 0.4, "lid": 0.4,
         "holes": 0.3, "seal": 0.5, "ticks": 0.3, "noise": 1.0, "pepper": 0.6, "warp": 0.4, "curl": 0.3, "turn": 0.25},
        noise=(3.0, 9.0), faint=(0.3, 0.55), pepper=(2.0, 10.0),
    ),
    "fax": Machine(
        (72, 96, 100, 100), ("grey", "bilevel", "bilevel"), (40, 60), 1.0, (0.0, 0.3),
        {"faint": 0.2, "broken": 0.2, "noise": 0.5, "pepper": 0.6, "lid": 0.2, "turn": 0.1, "squeeze": 0.3},
        pepper=(0.5, 2.0),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the seed decides before anything is printed."""

    seed: int
    profile: str
    carrier: str
    look: Look
    report: SampleReport
    planted: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Scanned:
    """A report in its file, with what was done to each page; ``extra``: names of what the file does besides."""

    plan: Plan
    done: Written
    pages: tuple[PageScan, ...]
    native: int = 0
    extra: tuple[str, ...] = field(default=())

    def effects(self) -> list[str]:
        """Names of all effects in the file."""
        return sorted({name for page in self.pages for name in page.names()})


def _deal(kind: str, cards: tuple[str, ...], seed: int) -> str:
    """One of the cards, each exactly once in a block of twenty seeds."""
    block, place = divmod(seed, len(cards))
    order = list(cards)
    random.Random(f"scans/{kind}/{block}").shuffle(order)
    return order[place]


def make_plan(seed: int) -> Plan:
    """The plan of one seed."""
    rng = random.Random(f"scans/{seed}")
    profile, carrier = _deal("profile", _PROFILES, seed), _deal("carrier", _CARRIERS, seed)
    engine, form = _deal("engine", _ENGINES, seed), _deal("form", _FORMS, seed)
    planted = _deal("planted", _PLANTED, seed) if profile in ("clean", "office") else "none"
    is_picture = carrier.startswith(("html", "docx"))
    if is_picture:
        engine = "reportlab"
    elif carrier in ("png", "jpeg") and engine == "libreoffice":
        engine = "chromium"
    look = random_look(rng, engine)
    if carrier in ("png", "jpeg"):
        look = replace(look, page=TALL_MM, running=False)
    elif is_picture:
        look = replace(look, page=PORTRAIT_MM)
    report = _whole_tables(seed, form, split=not is_picture)
    report, slips = _plant(report, planted, rng)
    if carrier in ("png", "jpeg"):
        report = replace(report, parts=tuple(_short(report.parts)))
    elif rng.random() < 0.6:
        report = replace(report, parts=tuple(_long(report.parts, 6 if look.page == PORTRAIT_MM else 3, rng)))
    return Plan(seed, profile, carrier, look, report, tuple(slips))


def _whole_tables(seed: int, form: str, *, split: bool) -> SampleReport:
    """A report; where tables become pictures, each name stands for one table only."""
    report = make_report(seed, form)
    names = [grid.name for grid in report.grids]
    return report if split or len(names) == len(set(names)) else make_report(seed, form, traits=())


def _short(parts: Iterable[Part]) -> Iterator[Part]:
    """The report with one paragraph a section, so that it fits on one sheet; what stands before and after stays."""
    paragraphs = 0
    is_within = False
    for part in parts:
        if isinstance(part, Heading):
            is_within, paragraphs = True, 0
        elif isinstance(part, Paragraph) and part.align == "left":
            paragraphs += 1
            if is_within and paragraphs > 1:
                continue
        yield part


# Prose without a figure: it makes reports longer and says nothing that a table could contradict.
_SENTENCES = (
    "把公开透明作为基本制度，融入决策、执行、管理、服务和结果的全过程，让群众看得到、听得懂、能监督。",
    "健全主要负责人亲自抓、分管负责人具体抓、办公室牵头协调、各科室分工配合的工作机制，层层压实责任。",
    "坚持先审查、后公开，对拟发布的内容逐条核对来源、时效和密级，做到一事一审、全程留痕。",
    "围绕群众关心的教育、医疗、住房、就业和养老等领域，及时发布政策文件、办事指南和办理结果。",
    "对依申请公开事项，严格按照登记、审核、办理、答复、归档的流程办理，答复前充分与申请人沟通。",
    "加强政策解读，采用图解、问答、动漫和现场讲解等形式，把专业的话讲成家常的话。",
    "完善网站栏目设置，定期检查链接和附件，及时更新机构职能、领导信息和联系方式。",
    "在政务服务大厅、图书馆和档案馆设置查阅场所，配备电脑、打印机和专人引导，方便群众查阅。",
    "组织新进人员学习条例和有关规定，结合典型案例开展讨论，提高依法公开的意识和能力。",
    "主动接受社会监督，认真办理留言和来信，对反映的问题逐项整改、逐项回复、逐项销号。",
    "个别科室对公开工作的认识还不到位，存在重发布轻解读、重形式轻实效的现象，信息的深度和广度有待加强。",
    "下一步，将继续对照标准查漏补缺，优化流程，充实力量，推动公开工作与业务工作同部署、同落实、同检查。",
)
_LENGTHENED = ("一、", "五、", "六、")


def _long(parts: tuple[Part, ...], most: int, rng: random.Random) -> Iterator[Part]:
    """The report with up to ``most`` paragraphs more under each of its headings."""
    for place, part in enumerate(parts):
        yield part
        following = parts[place + 1] if place + 1 < len(parts) else None
        is_prose = isinstance(following, Paragraph) and following.align == "left"
        if isinstance(part, Heading) and part.text.startswith(_LENGTHENED) and is_prose:
            for _ in range(rng.randint(1, most)):
                yield Paragraph("".join(rng.sample(_SENTENCES, rng.randint(2, 5))))


def _plant(
    report: SampleReport, kind: str, rng: random.Random
) -> tuple[SampleReport, list[dict[str, Any]]]:  # fmt: skip
    """The report with one or two cells printed wrong, and which, with the figures that would balance."""
    if kind == "none":
        return report, []
    count = rng.choice((1, 1, 2))
    cells = _print_lookalikes(report.cells, count, rng) if kind == "lookalike" else dict(report.cells)
    if cells == report.cells:
        cells = break_identities(report.cells, count, rng)
    slips = [
        {"key": key, "printed": _number(cells[key]), "balanced": _number(report.cells[key])}
        for key in cells
        if cells[key] != report.cells[key]
    ]
    parts = tuple(_reprinted(part, cells) if isinstance(part, Grid) else part for part in report.parts)
    return replace(report, cells=cells, parts=parts, traits=(*report.traits, "broken", f"planted_{kind}")), slips


def _number(printed: Printed) -> float | None:
    return None if printed.value is None else float(printed.value)


def _print_lookalikes(cells: dict[str, Printed], count: int, rng: random.Random) -> dict[str, Printed]:
    """Up to ``count`` cells with one digit printed as one that looks like it, each breaking an identity more."""
    wrong = dict(cells)
    keys = [key for key in breakable(cells) if cells[key].raw.isascii() and cells[key].raw.isdigit()]
    rng.shuffle(keys)
    left = count
    for key in keys:
        raw = cells[key].raw
        place = rng.randrange(len(raw))
        other = raw[:place] + rng.choice(_LOOKALIKES[raw[place]]) + raw[place + 1 :]
        changed = wrong | {key: reported(other, int(other))}
        if other.startswith("0") or len(violations(changed)) <= len(violations(wrong)):
            continue
        wrong, left = changed, left - 1
        if not left:
            break
    return wrong


def _reprinted(grid: Grid, cells: dict[str, Printed]) -> Grid:
    """The table with these cells in it."""
    printed = (replace(cell, text=cells[cell.key].raw) if cell.key else cell for cell in grid.cells)
    return replace(grid, cells=tuple(printed))


# Scanning


def draw_machine(rng: random.Random, profile: str) -> PageScan:
    """What all pages of a report have in common: resolution, colours, paper, light, sensor."""
    machine = MACHINES[profile]
    has = {name: rng.random() < chance for name, chance in machine.chances.items()}
    mode = rng.choice(machine.modes)
    dpi = 204 if has.get("squeeze") else rng.choice(machine.dpis)
    encodings = ("g4",) * 6 + ("flate",) if mode == "bilevel" else ("jpeg",) * 15 + ("flate", "jpx")

    def size(name: str, least: float, most: float) -> float:
        drawn = round(rng.uniform(least, most), 4)
        return drawn if has.get(name) else 0.0

    return PageScan(
        dpi=dpi, mode=mode, encoding=rng.choice(encodings), quality=rng.randint(*machine.quality),
        faint=size("faint", *machine.faint), broken=int(size("broken", 8, 40)), bleed=size("bleed", 0.06, 0.18),
        seal=size("seal", *{"colour": (0.5, 0.9), "grey": (0.4, 0.75), "bilevel": (0.2, 0.4)}[mode]),
        holes=2 * int(size("holes", 1, 2.99)), ticks=int(size("ticks", 1, 4.99)), texture=size("texture", 4, 14),
        light=size("light", 0.08, 0.25), spine=size("spine", 0.35, 0.8), lid=size("lid", 2, 7),
        warp=size("warp", 0.002, 0.007), curl=size("curl", 0.002, 0.005), skew=machine.skew,
        blur=round(rng.uniform(*machine.blur) * dpi / 200, 3), noise=size("noise", *machine.noise),
        pepper=size("pepper", *machine.pepper), squeeze=0.48 if has.get("squeeze") else 0.0,
        turn=rng.choice((90, 180, 270, 270)) if has.get("turn") else 0,
    )  # fmt: skip


def draw_pages(rng: random.Random, machine: PageScan, count: int) -> list[PageScan]:
    """The plan of every page of a report: seals, skew, ticks and turned pages differ from page to page."""
    turned = range(count) if rng.random() < 0.4 else (rng.randrange(count),)
    way = rng.choice(("shown", "shown", "undone", "only_rotate"))
    sealed = {count - 1: (rng.uniform(0.6, 0.8), rng.uniform(0.25, 0.85))}
    if rng.random() < 0.7:
        sealed[rng.randrange(count)] = (rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8))
    if rng.random() < 0.25:
        edge = rng.uniform(0.3, 0.7)
        sealed |= {place: (0.985, edge) for place in range(count) if place not in sealed}
    pages = []
    for place in range(count):
        page = replace(machine, skew=round(rng.uniform(-machine.skew, machine.skew), 3), turn=0)
        if place not in sealed:
            page = replace(page, seal=0.0)
        elif machine.seal:
            strength = machine.seal * (0.6 if machine.faint else 1.0)
            x, y = sealed[place]
            page = replace(page, seal=round(strength, 3), seal_at=(round(x, 3), round(y, 3)))
        if page.ticks and rng.random() < 0.5:
            page = replace(page, ticks=0)
        pages.append(_turned(page, machine.turn, way) if place in turned and machine.turn else page)
    return pages


def _turned(page: PageScan, turn: int, way: str) -> PageScan:
    """A page whose pixels lie turned: seen so, set right by /Rotate, or turned by a wrong /Rotate alone."""
    if way == "only_rotate":
        return replace(page, rotate=turn)
    return replace(page, turn=turn, rotate=360 - turn if way == "undone" else 0)


def _render(document: Any, place: int, dpi: int) -> Pixels:
    """A page as grey pixels of (height, width)."""
    bitmap = document[place].render(scale=dpi / 72, grayscale=True)
    return np.ascontiguousarray(np.asarray(bitmap.to_pil().convert("L")))


def _stamp(plan: Plan) -> Stamp:
    return Stamp(plan.report.body.name, font_file(TRUETYPE[0]))


def _scan_pages(plan: Plan, pdf: Path, pages: list[PageScan], places: Iterable[int]) -> Iterator[Pixels]:
    """The chosen pages of a print, scanned."""
    with pypdfium2.PdfDocument(pdf) as document:
        for place in places:
            page = pages[place]
            beside = place + 1 if place + 1 < len(document) else place - 1
            back = _render(document, beside, page.dpi) if page.bleed and beside >= 0 else None
            image = _render(document, place, page.dpi)
            yield scan_page(image, back, page, _stamp(plan), np.random.default_rng((plan.seed, place)))


def scan_to_pdf(plan: Plan, done: Written, pdf: Path, path: Path) -> Scanned:
    """The print as a PDF of page images; a hybrid keeps some native pages."""
    rng = random.Random(f"scanner/{plan.seed}")
    machine = draw_machine(rng, plan.profile)
    with pypdfium2.PdfDocument(pdf) as document:
        count = len(document)
    pages = draw_pages(rng, machine, count)
    places = list(range(count))
    is_hybrid = plan.carrier == "hybrid" and count > 1
    if is_hybrid:
        places = sorted(rng.sample(places, rng.randint(1, count - 1)))
    strips, garbage = rng.random() < 0.08, rng.random() < 0.08 and not is_hybrid
    hidden = _gibberish(rng) if garbage else ()
    scanned = {
        place: encode_page(pixels, pages[place], strips=strips, hidden=hidden)
        for place, pixels in zip(places, _scan_pages(plan, pdf, pages, places), strict=True)
    }
    if is_hybrid:
        write_hybrid_pdf(pdf, scanned, path)
    else:
        write_image_pdf([scanned[place] for place in places], path)
    extra = (*(("strips",) if strips else ()), *(("garbage_layer",) if garbage else ()))
    used = tuple(pages[place] for place in places)
    return _scanned(plan, replace(done, path=path), used, plan.report.cells, count - len(places), extra)


def _gibberish(rng: random.Random) -> tuple[str, ...]:
    """Lines of a text layer that a scanner's OCR got wrong from end to end."""
    marks = "〇丨丿乛亅ㄥ卩囗匚彡※§¤~|;:'`^_"
    return tuple(
        "".join(rng.choice(marks) if rng.random() < 0.5 else chr(rng.randint(0x4E00, 0x9FA5)) for _ in range(28))
        for _ in range(30)
    )


def _scanned(
    plan: Plan, done: Written, pages: tuple[PageScan, ...], keys: Iterable[str], native: int = 0,
    extra: tuple[str, ...] = (),
) -> Scanned:  # fmt: skip
    """The truth of the file: ``keys`` are the cells that stand in an image."""
    report = with_status(plan.report, keys, "lost") if plan.profile == "fax" else plan.report
    names = sorted({name for page in pages for name in page.names()} | set(extra))
    page = pages[0]
    layout = [name for name in done.layout if name not in ("docx:picture",)]
    layout += ["scan", f"profile:{plan.profile}", f"carrier:{plan.carrier}", f"dpi:{page.dpi}", f"mode:{page.mode}"]
    layout += [f"encoding:{page.encoding}", *(f"effect:{name}" for name in names)]
    layout += [f"planted:{'yes' if plan.planted else 'no'}"]
    return Scanned(plan, replace(done, report=report, layout=tuple(sorted(set(layout)))), pages, native, extra)


def scan_to_image(plan: Plan, folder: Path, path: Path) -> Scanned:
    """The report on one long sheet, as one PNG or JPEG."""
    rng = random.Random(f"scanner/{plan.seed}")
    machine = replace(draw_machine(rng, plan.profile), bleed=0.0, squeeze=0.0)
    pdf = folder / f"{plan.seed}.pdf"
    for height in (TALL_MM[1], 800.0, 1500.0):
        look = replace(plan.look, page=(TALL_MM[0], height))
        [done] = print_all([(plan.report, look, pdf)])
        with pypdfium2.PdfDocument(pdf) as document:
            if len(document) == 1:
                break
    machine = replace(machine, dpi=min(machine.dpi, 200 if height < 500 else 150))
    [page] = draw_pages(rng, machine, 1)
    page = replace(page, rotate=page.rotate if page.turn else 0, encoding=plan.carrier)
    with pypdfium2.PdfDocument(pdf) as document:
        image = _cut_foot(_render(document, 0, page.dpi), page.dpi)
    pixels = scan_page(image, None, page, _stamp(plan), np.random.default_rng((plan.seed, 0)))
    path.write_bytes(_image_file(pixels, page, rng))
    return _scanned(plan, replace(done, path=path), (page,), plan.report.cells)


def _cut_foot(image: Pixels, dpi: int) -> Pixels:
    """The page without the white at its foot, but for two centimetres."""
    used = np.nonzero(image.min(axis=1) < 200)[0]
    return np.ascontiguousarray(image[: int(used[-1]) + int(0.8 * dpi)]) if len(used) else image


def _image_file(pixels: Pixels, page: PageScan, rng: random.Random) -> bytes:
    """The bytes of a PNG or JPEG; a turned JPEG may say so in its Exif data."""
    image = Image.fromarray(pixels)
    density = {"dpi": (page.dpi, page.dpi)} if rng.random() < 0.7 else {}
    if page.encoding == "png":
        image = image.convert("1", dither=Image.Dither.NONE) if page.mode == "bilevel" else image
        return encode_file(image, "PNG", **density)
    exif = Image.Exif()
    if page.rotate:
        exif[0x0112] = {90: 6, 180: 3, 270: 8}[page.rotate]
    return encode_file(image, "JPEG", quality=page.quality, exif=exif, **density)


_PICTURE_DPI = {"clean": (150, 200), "office": (110, 130, 150), "poor": (120, 150), "fax": (80, 96)}


def scan_pictures(plan: Plan, folder: Path, path: Path) -> Scanned:
    """A web page or a Word file whose tables are pictures, cut out of a scan."""
    rng = random.Random(f"scanner/{plan.seed}")
    machine = draw_machine(rng, plan.profile)
    machine = for_picture(replace(machine, dpi=rng.choice(_PICTURE_DPI[plan.profile]), blur=machine.blur / 2))
    machine = replace(machine, skew=round(rng.uniform(-1, 1) * min(machine.skew, 1.0), 3))
    machine = replace(machine, encoding=rng.choice(("png", "png", "jpeg")), seal_at=(0.5, 0.5))

    def draw(grid: Grid) -> bytes:
        pdf = folder / f"{plan.seed}_{grid.name}.pdf"
        bottom = print_table(grid, plan.look, pdf)
        with pypdfium2.PdfDocument(pdf) as document:
            scale = machine.dpi / 72
            image = _render(document, 0, machine.dpi)[int(40 * scale) : int((bottom + 6) * scale)]
        image = np.ascontiguousarray(image[:, int(40 * scale) : -int(40 * scale)])
        seed = (plan.seed, *grid.name.encode())
        pixels = scan_page(image, None, machine, _stamp(plan), np.random.default_rng(seed))
        return _image_file(pixels, machine, random.Random(f"{plan.seed}/{grid.name}"))

    if plan.carrier == "docx":
        names = {grid.name for grid in plan.report.grids if grid.name != "disclosure" or rng.random() < 0.5}
        pictures = {grid.name: draw(grid) for grid in plan.report.grids if grid.name in names}
        done = write_docx(plan.report, path, Letter(picture=True, runs=rng.random() < 0.5), pictures=pictures)
    else:
        names = {"applications", "disputes", "indicators"}
        page = Page(template=rng.choice(("plain", "portal", "bureau", "word", "old")),
                    pictures=plan.carrier.removeprefix("html_"))  # fmt: skip
        done = write_html(plan.report, path, page, draw=draw)
    keys = [cell.key for grid in plan.report.grids if grid.name in names for cell in grid.cells if cell.key]
    layout = (*done.layout, *plan.look.traits())
    return _scanned(plan, replace(done, layout=layout), (machine,), keys)


# A folder of them

_SUFFIXES = {"png": ".png", "jpeg": ".jpg", "docx": ".docx", "html_data": ".html", "html_beside": ".html"}


def make_scans(folder: Path, seed_from: int, count: int, missed: list[str]) -> Iterator[Scanned]:
    """Write the scans of seeds ``seed_from`` and up; ``missed`` gets a line for each left out."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        for start in range(seed_from, seed_from + count, BATCH):
            seeds = range(start, min(start + BATCH, seed_from + count))
            plans = [plan for plan in map(make_plan, seeds) if _is_possible(plan, missed)]
            yield from _scan_batch(plans, Path(name) / str(start), folder)
            shutil.rmtree(Path(name) / str(start), ignore_errors=True)


def _is_possible(plan: Plan, missed: list[str]) -> bool:
    missing = missing_for(plan.look)
    if missing:
        missed.append(f"seed {plan.seed} left out: {', '.join(missing)} not installed")
    return not missing


def _scan_batch(plans: list[Plan], work: Path, folder: Path) -> Iterator[Scanned]:
    work.mkdir(parents=True)
    paged = [plan for plan in plans if plan.carrier in ("pdf", "hybrid")]
    jobs = [(plan.report, plan.look, work / f"{plan.seed}.pdf") for plan in paged]
    prints = dict(zip([plan.seed for plan in paged], print_all(jobs), strict=True))
    for plan in plans:
        path = folder / f"{plan.seed:06d}_{plan.profile}_{plan.carrier}{_SUFFIXES.get(plan.carrier, '.pdf')}"
        if plan.seed in prints:
            yield scan_to_pdf(plan, prints[plan.seed], work / f"{plan.seed}.pdf", path)
        elif plan.carrier in ("png", "jpeg"):
            yield scan_to_image(plan, work, path)
        else:
            yield scan_pictures(plan, work, path)


def record(scanned: Scanned) -> dict[str, Any]:
    """The truth record of one file."""
    plan = scanned.plan
    return to_json(scanned.done) | {
        "scan": {
            "seed": plan.seed,
            "profile": plan.profile,
            "carrier": plan.carrier,
            "look": plan.look.traits(),
            "pages": len(scanned.pages) + scanned.native,
            "native_pages": scanned.native,
            "effects": [page.settings() for page in scanned.pages],
            "extra": list(scanned.extra),
            "planted": list(plan.planted),
        }
    }


def write_scans(folder: Path, seed_from: int, count: int) -> list[str]:
    """As :func:`make_scans`, with ``truth.jsonl``; returns what was written, and what was left out and why."""
    folder.mkdir(parents=True, exist_ok=True)
    missed: list[str] = []
    profiles: Counter[str] = Counter()
    pages = 0
    with (folder / "truth.jsonl").open("w", encoding="utf-8") as file:
        for scanned in make_scans(folder, seed_from, count, missed):
            file.write(json.dumps(record(scanned), ensure_ascii=False) + "\n")
            profiles[scanned.plan.profile] += 1
            pages += len(scanned.pages) + scanned.native
    shares = ", ".join(f"{name} {profiles[name]}" for name in PROFILES)
    return [*missed, f"{profiles.total()} reports of {pages} pages in {folder}: {shares}"]


def main() -> int:
    """Write a folder of scans; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed-from", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    for line in write_scans(arguments.out, arguments.seed_from, arguments.count):
        sys.stderr.write(line + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
