"""The scans are the yardstick of reading images: they show what their truth says, and are the same every time."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2  # type: ignore[import-untyped]
import pytest
from PIL import Image

from benchmarks.scans import METADATA, Score, is_repaired, kind_of, score_cells, score_findings, summarise
from tests.generator import scan_prints
from tests.generator.content import make_report
from tests.generator.identities import violations
from tests.generator.numbers import reported
from tests.generator.pdf_writer import Sheet, write_pdf
from tests.generator.scan_effects import PageScan, Stamp, rule_mask, scan_page
from tests.generator.scan_pdf import encode_page, write_hybrid_pdf, write_image_pdf
from tests.generator.scan_prints import ENGINES, Look, missing_for, print_all
from tests.generator.scans import Plan, make_plan, record, scan_to_pdf, write_scans

STAMP = Stamp("青禾县人民政府", None)
needs_fonts = pytest.mark.skipif(bool(missing_for(Look())), reason="needs the AR PL UMing font")
EFFECTS: list[dict[str, Any]] = [
    {"faint": 0.5}, {"broken": 20}, {"bleed": 0.15}, {"texture": 12.0}, {"seal": 0.8, "seal_at": (0.5, 0.5)},
    {"holes": 2}, {"ticks": 3}, {"skew": 2.0}, {"warp": 0.006}, {"curl": 0.004}, {"lid": 5.0}, {"light": 0.2},
    {"spine": 0.7}, {"blur": 0.9}, {"noise": 8.0}, {"pepper": 10.0}, {"turn": 180},
]  # fmt: skip


def render(path: Path, page: int, dpi: int) -> Any:
    with pypdfium2.PdfDocument(path) as document:
        # A hair less than the resolution: PDFium rounds the size in dots up.
        image = document[page].render(scale=(dpi - 0.01) / 72).to_pil().convert("L")
        return np.ascontiguousarray(np.asarray(image))


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scans") / "native.pdf"
    write_pdf(make_report(3, "2021"), path, Sheet())
    return path


@pytest.fixture(scope="module")
def page(native: Path) -> Any:
    return render(native, 1, 100)


def scanned(page: Any, plan: PageScan) -> Any:
    return scan_page(page, np.flipud(page), plan, STAMP, np.random.default_rng(7))


def test_profiles_and_forms_have_their_shares_in_every_twenty_seeds() -> None:
    plans = [make_plan(seed) for seed in range(40, 60)]
    assert Counter(plan.profile for plan in plans) == {"clean": 5, "office": 9, "poor": 4, "fax": 2}
    assert Counter(plan.carrier for plan in plans)["pdf"] == 13
    assert {plan.look.engine for plan in plans} == set(ENGINES)
    assert {plan.report.form for plan in plans} == {"2014", "2019", "2021"}
    assert any(plan.planted for plan in plans)
    assert not any(plan.planted for plan in plans if plan.profile in ("poor", "fax"))


def test_a_plan_depends_on_its_seed_alone() -> None:
    assert make_plan(57) == make_plan(57)
    assert make_plan(57).report != make_plan(58).report


@pytest.mark.parametrize("seed", [seed for seed in range(200) if make_plan(seed).planted])
def test_planted_errors_break_identities_and_their_balanced_figures_mend_them(seed: int) -> None:
    plan = make_plan(seed)
    cells = plan.report.cells
    broken = violations(cells)
    mended = dict(cells)
    for slip in plan.planted:
        assert any(slip["key"] in violation.cells for violation in broken)
        assert slip["printed"] != slip["balanced"]
        mended[slip["key"]] = reported("", int(slip["balanced"] or 0))
    assert len(violations(mended)) < len(broken)
    printed = {cell.key: cell.text for grid in plan.report.grids for cell in grid.cells if cell.key}
    assert all(printed[slip["key"]] == cells[slip["key"]].raw for slip in plan.planted)


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: next(iter(effect)))
def test_an_effect_changes_the_page_and_is_named(effect: dict[str, Any], page: Any) -> None:
    plain, plan = PageScan(dpi=100), PageScan(dpi=100, **effect)
    assert np.array_equal(scanned(page, plain), page)
    changed = scanned(page, plan)
    assert changed.shape == page.shape
    assert not np.array_equal(changed, page)
    assert np.array_equal(changed, scanned(page, plan))
    assert plan.names() == [next(iter(effect))]
    colour = scanned(page, replace(plan, mode="colour"))
    assert colour.shape == (*page.shape, 3)


def test_broken_rules_leave_the_print_alone(page: Any) -> None:
    changed = scanned(page, PageScan(dpi=100, broken=25)) != page
    assert changed.any()
    assert not changed[rule_mask(page, 100) == 0].any()


def test_a_seal_is_red_in_colour_and_lets_the_print_through(page: Any) -> None:
    plan = PageScan(dpi=100, mode="colour", seal=0.8, seal_at=(0.5, 0.5))
    changed = scanned(page, plan).astype(int)
    red = changed[:, :, 0] - changed[:, :, 1] > 60
    assert 0.002 < red.mean() < 0.1
    assert (changed[:, :, 0][page < 60] < 100).all()


def test_black_and_white_has_two_values_and_keeps_the_ink(page: Any) -> None:
    bilevel = scanned(page, PageScan(dpi=100, mode="bilevel", light=0.25, noise=3.0))
    assert set(np.unique(bilevel)) == {0, 255}
    assert abs(float((bilevel == 0).mean()) - float((page < 160).mean())) < 0.03


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_turned_pixels_are_set_right_by_rotate(turn: int, page: Any, tmp_path: Path) -> None:
    plan = PageScan(dpi=100, encoding="flate", turn=turn, rotate=360 - turn)
    write_image_pdf([encode_page(scanned(page, plan), plan)], tmp_path / "turned.pdf")
    shown = render(tmp_path / "turned.pdf", 0, 100)
    assert shown.shape == page.shape
    assert np.abs(shown.astype(int) - page).mean() < 2


@pytest.mark.parametrize("encoding", ["jpeg", "flate", "jpx", "g4"])
@pytest.mark.parametrize("strips", [False, True])
def test_every_encoding_shows_the_page(encoding: str, strips: bool, page: Any, tmp_path: Path) -> None:
    plan = PageScan(dpi=100, encoding=encoding, mode="bilevel" if encoding == "g4" else "grey")
    pixels = scanned(page, plan)
    write_image_pdf([encode_page(pixels, plan, strips=strips)], tmp_path / "page.pdf")
    shown = render(tmp_path / "page.pdf", 0, 100)
    assert shown.shape == page.shape
    assert np.abs(shown.astype(int) - pixels).mean() < 6
    with pypdfium2.PdfDocument(tmp_path / "page.pdf") as document:
        assert document[0].get_size() == pytest.approx((595, 842), abs=1.5)
        assert document[0].get_textpage().get_text_range() == ""


def test_a_fax_has_fewer_lines_than_columns_and_the_size_of_the_sheet(page: Any) -> None:
    plan = PageScan(dpi=100, mode="bilevel", encoding="g4", squeeze=0.48)
    pixels = scanned(page, plan)
    assert pixels.shape == (round(page.shape[0] * 0.48), page.shape[1])
    sheet = encode_page(pixels, plan)
    assert (sheet.width, sheet.height) == pytest.approx((595, 842), abs=1.5)


def test_a_hidden_layer_is_text_that_nobody_sees(page: Any, tmp_path: Path) -> None:
    plan = PageScan(dpi=100)
    bare = encode_page(scanned(page, plan), plan)
    write_image_pdf([bare], tmp_path / "bare.pdf")
    write_image_pdf([replace(bare, hidden=("丨丿囗彡", "卩乛"))], tmp_path / "layer.pdf")
    with pypdfium2.PdfDocument(tmp_path / "layer.pdf") as document:
        assert "囗彡" in document[0].get_textpage().get_text_range()
    assert np.array_equal(render(tmp_path / "bare.pdf", 0, 60), render(tmp_path / "layer.pdf", 0, 60))


def test_a_hybrid_keeps_the_text_of_its_native_pages(native: Path, page: Any, tmp_path: Path) -> None:
    plan = PageScan(dpi=100)
    sheet = encode_page(scanned(page, plan), plan)
    for name in ("one.pdf", "two.pdf"):
        write_hybrid_pdf(native, {1: sheet}, tmp_path / name)
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()
    with pypdfium2.PdfDocument(native) as before, pypdfium2.PdfDocument(tmp_path / "one.pdf") as after:
        assert len(before) == len(after)
        assert after[0].get_textpage().get_text_range() == before[0].get_textpage().get_text_range() != ""
        assert after[1].get_textpage().get_text_range() == ""


@needs_fonts
def test_a_print_shows_every_value(tmp_path: Path) -> None:
    plan = make_plan(12)
    look = Look(page=(297.0, 1500.0))
    [done] = print_all([(plan.report, look, tmp_path / "print.pdf")])
    with pypdfium2.PdfDocument(done.path) as document:
        text = "".join("".join(sheet.get_textpage().get_text_range().split()) for sheet in document)
    missing = [printed.raw for printed in plan.report.cells.values() if printed.raw not in text]
    assert missing == []


@needs_fonts
def test_the_truth_of_a_fax_lets_cells_be_illegible_and_that_of_others_does_not(tmp_path: Path) -> None:
    report = make_report(8, "2021")
    for profile, statuses in (("fax", {"lost"}), ("clean", {"reported", "blank"})):
        plan = Plan(8, profile, "pdf", Look(), report)
        [done] = print_all([(report, plan.look, tmp_path / "print.pdf")])
        truth = record(scan_to_pdf(plan, done, tmp_path / "print.pdf", tmp_path / "scan.pdf"))
        assert {cell["status"] for cell in truth["cells"].values()} <= statuses
        assert f"profile:{profile}" in truth["traits"]
        assert truth["scan"]["pages"] == len(truth["scan"]["effects"])


def test_what_is_not_installed_is_named_and_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_prints, "font_file", lambda family: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    lines = write_scans(tmp_path, 0, 3)
    assert len(lines) == 4
    assert all("left out" in line and "font" in line for line in lines[:3])
    assert (tmp_path / "truth.jsonl").read_text(encoding="utf-8") == ""


def _machine_lacks() -> list[str]:
    return sorted({name for seed in range(20) for name in missing_for(make_plan(seed).look)})


@pytest.mark.slow
@pytest.mark.skipif(bool(_machine_lacks()), reason=f"not installed: {', '.join(_machine_lacks())}")
def test_the_same_seeds_give_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_scans(tmp_path / name, 4, 7)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "two").iterdir())
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    truths = [json.loads(line) for line in (tmp_path / "one" / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    for truth in truths:
        path = tmp_path / "one" / truth["file"]
        if path.suffix in (".png", ".jpg"):
            with Image.open(path) as image:
                assert min(image.size) > 600
        elif path.suffix == ".pdf":
            with pypdfium2.PdfDocument(path) as document:
                assert len(document) == truth["scan"]["pages"]


# The benchmark's arithmetic


def as_read(truth: dict[str, Any]) -> dict[str, Any]:
    """A record that has read everything right."""
    cells = [
        {"key": key, "value": cell["value"], "status": cell["status"], "confidence": 0.9}
        for key, cell in truth["cells"].items()
    ]
    findings = [{**broken, "status": "inconsistent", "origin": "report"} for broken in truth["inconsistent"]]
    return {"report": {}, "cells": cells, "findings": findings, "problems": []}


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from tests.generator.scans import Scanned
    from tests.generator.truth import written

    plan = next(plan for plan in map(make_plan, range(100)) if plan.planted and plan.planted[0]["balanced"] is not None)
    path = tmp_path_factory.mktemp("truth") / "empty.pdf"
    path.write_bytes(b"-")
    return record(Scanned(plan, written(path, plan.report, ()), (PageScan(),)))


def score(truth: dict[str, Any], read: dict[str, Any]) -> Score:
    done = Score("a.pdf", ["profile:clean"], 3)
    done.metadata = dict.fromkeys(METADATA, True)
    score_cells(done, truth, read)
    score_findings(done, truth, read)
    return done


def test_a_right_record_scores_in_full(truth: dict[str, Any]) -> None:
    done = score(truth, as_read(truth))
    assert (done.cells, done.right, done.wrong) == (len(truth["cells"]), len(truth["cells"]), [])
    assert (done.found, done.repaired, done.false_findings) == (len(truth["scan"]["planted"]), [], [])
    assert any("100.000 %" in line for line in summarise([done]))


def test_a_repaired_print_is_seen_and_its_finding_missed(truth: dict[str, Any]) -> None:
    slips = {slip["key"]: slip["balanced"] for slip in truth["scan"]["planted"]}
    read = as_read(truth)
    for cell in read["cells"]:
        cell["value"] = slips.get(cell["key"], cell["value"])
    read["findings"] = []
    done = score(truth, read)
    assert (done.planted, done.found, len(done.repaired), len(done.missed)) == (len(slips), 0, len(slips), len(slips))
    assert done.count("wrong_value") == len(slips)


@pytest.mark.parametrize(
    ("expected", "cell", "kind"),
    [
        ({"status": "reported", "value": 3}, {"status": "reported", "value": 3}, ""),
        ({"status": "reported", "value": 3}, {"status": "reported", "value": 8}, "wrong_value"),
        ({"status": "reported", "value": 3}, {"status": "illegible", "value": None}, "illegible"),
        ({"status": "reported", "value": 3}, {"status": "blank", "value": None}, "missing"),
        ({"status": "blank", "value": None}, {"status": "reported", "value": 1}, "invented"),
        ({"status": "lost", "value": None, "printed": "blank"}, {"status": "reported", "value": 1}, "invented"),
        ({"status": "lost", "value": 3, "printed": "reported"}, {"status": "illegible", "value": None}, ""),
    ],
)
def test_wrong_cells_are_told_apart(expected: dict[str, Any], cell: dict[str, Any], kind: str) -> None:
    assert kind_of(expected, cell) == kind


def test_a_slip_beside_a_blank_is_repaired_by_a_blank_reading() -> None:
    slip = {"key": "k", "printed": 3.0, "balanced": None}
    assert is_repaired(slip, {"status": "blank", "value": None})
    assert not is_repaired(slip, {"status": "reported", "value": 3})
    assert not is_repaired(slip, None)
