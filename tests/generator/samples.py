"""The committed samples: a small backlog in every format, written anew by one command.

Samples that need LibreOffice, Chromium or a CJK font are kept where those are missing, and where they are up to date.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.generator import office
from tests.generator.content import SampleReport, make_report
from tests.generator.docx_writer import Letter, write_docx
from tests.generator.html_writer import Page, write_html
from tests.generator.numbers import Style
from tests.generator.pdf_writer import Sheet, write_pdf
from tests.generator.text_writer import write_text
from tests.generator.truth import Written, to_json

Write = partial[Written]


@dataclass(frozen=True, slots=True)
class Sample:
    """One committed file: its name, its report, and how it is written. ``outside``: needs programs of the machine."""

    name: str
    report: SampleReport
    write: Write
    outside: bool = False

    def recipe(self) -> str:
        """A digest of all that decides the file, for knowing whether a kept one is up to date."""
        return hashlib.sha256(repr((self.report, self.write.args)).encode()).hexdigest()


def _write(kind: str, options: dict[str, Any], report: SampleReport, path: Path) -> Written:
    if kind == "pdf":
        return write_pdf(report, path, Sheet(**options))
    if kind == "html":
        return write_html(report, path, Page(**options), draw=office.table_picture)
    if kind == "text":
        return write_text(report, path, **options)
    if kind == "scan":
        return office.write_scan(report, path, Sheet(**options))
    if kind == "libreoffice":
        return office.write_by_libreoffice(report, path, Letter(**options))
    if kind == "chromium":
        return office.write_by_chromium(report, path, Page(**options))
    assert kind == "docx"
    drawn = [grid for grid in report.grids if grid.name == "applications" and options.get("picture")]
    return write_docx(
        report, path, Letter(**options), pictures={grid.name: office.table_picture(grid) for grid in drawn}
    )


def _as(kind: str, **options: Any) -> Write:
    return partial(_write, kind, options)


def samples() -> list[Sample]:
    """Every sample, each with its own body, year and figures."""
    make = make_report
    return [
        # PDF, form 2021
        Sample("pdf_2021_ruled.pdf", make(101, "2021", traits=(), volume="many"), _as("pdf", running=True)),
        Sample(
            "pdf_2021_thin_rects_open_bottom.pdf",
            make(102, "2021", breaks=1, volume="few"),
            _as("pdf", rules="thin_rects", open_bottom=True, backgrounds=True),
        ),
        Sample(
            "pdf_2021_cell_rects_fills.pdf",
            make(103, "2021", volume="many"),
            _as("pdf", rules="cell_rects", fills=True, repeat_header=True, running=True),
        ),
        Sample(
            "pdf_2021_landscape_gapped.pdf",
            make(104, "2021", breaks=2, volume="many", traits=("half_brackets",)),
            _as("pdf", landscape=True, gapped=True, size=10.5),
        ),
        Sample(
            "pdf_2021_no_outer_rules.pdf",
            make(105, "2021", style=Style(nil="/", amount="header"), volume="few"),
            _as("pdf", rules="no_outer", latin_digits=True, align="right"),
        ),
        Sample(
            "pdf_2021_borderless.pdf",
            make(106, "2021", traits=(), style=Style(amount="header"), volume="many"),
            _as("pdf", rules="borderless", doubled=True),
        ),
        Sample(
            "pdf_hybrid_backgrounds.pdf",
            make(
                107,
                "hybrid",
                traits=("broken_labels", "garbled_label"),
                breaks=2,
                volume="few",
                style=Style(amount="header"),
            ),
            _as("pdf", rules="lines", backgrounds=True, open_bottom=True),
        ),
        Sample(
            "青禾镇 年报（扫描）.pdf",
            make(108, "2021", traits=(), volume="few", level="township"),
            _as("scan", size=10.5),
            outside=True,
        ),
        # PDF, forms 2019 and 2014, narrative
        Sample(
            "pdf_2019_ruled_signs.pdf",
            make(111, "2019", volume="many", traits=("truncated_headers",), style=Style(sign="words", amount="cell")),
            _as("pdf", open_bottom=True, running=True, size=10.5),
        ),
        Sample(
            "pdf_2019_blank_nil.pdf",
            make(112, "2019", breaks=1, volume="few", style=Style(nil="", amount="bare")),
            _as("pdf", rules="cell_rects", fills=True),
        ),
        Sample(
            "pdf_2019_horizontal_rules.pdf",
            make(
                113,
                "2019",
                traits=("glossed_labels", "extra_row"),
                volume="many",
                style=Style(sign="double", amount="header_yuan"),
            ),
            _as("pdf", rules="horizontal", size=8.0),
        ),
        Sample(
            "pdf_2014_ruled.pdf",
            make(114, "2014", traits=(), volume="many"),
            _as("pdf", rules="thin_rects", running=True),
        ),
        Sample(
            "pdf_2014_serial_borderless.pdf",
            make(115, "2014", traits=("serial_column",), breaks=1, volume="few", style=Style()),
            _as("pdf", rules="borderless"),
        ),
        Sample("pdf_narrative.pdf", make(116, "narrative", level="township"), _as("pdf", backgrounds=True)),
        Sample(
            "pdf_2021_libreoffice.pdf",
            make(117, "2021", breaks=1, volume="many"),
            _as("libreoffice", headings=True),
            True,
        ),
        Sample("pdf_2019_libreoffice.pdf", make(118, "2019", volume="few"), _as("libreoffice", runs=True), True),
        Sample(
            "pdf_2021_chromium.pdf",
            make(119, "2021", volume="many", breaks=1),
            _as("chromium", template="plain", font="Noto Sans CJK SC"),
            True,
        ),
        Sample(
            "pdf_hybrid_chromium_portal.pdf",
            make(120, "hybrid", volume="few"),
            _as("chromium", template="portal", font="Noto Serif CJK SC"),
            True,
        ),
        # web pages
        Sample("html_2021_portal.html", make(201, "2021", volume="many"), _as("html")),
        Sample(
            "html_2021_bureau_gb2312.html",
            make(202, "2021", level="bureau", breaks=2),
            _as("html", template="bureau", charset="gb2312"),
        ),
        Sample(
            "html_2021_word_cut_digits.html",
            make(203, "2021", volume="many"),
            _as("html", template="word", cut=True, empty_paragraphs=True),
        ),
        Sample(
            "html_2021_spans_lost.html",
            make(204, "2021", volume="few", traits=("dropped_labels",), style=Style(amount="header")),
            _as("html", template="plain", spans="lost", charset="undeclared_gbk"),
        ),
        Sample(
            "html_2019_old_nested.html",
            make(205, "2019", breaks=1, volume="many", style=Style(sign="plus", amount="both")),
            _as("html", template="old", nested=True, charset="wrong_gbk", breaks=True),
        ),
        Sample(
            "html_2019_spans_filled.html",
            make(
                206,
                "2019",
                traits=("merged_items", "extra_value_cell", "legal_basis"),
                style=Style(nil="—", amount="cell_yuan"),
            ),
            _as("html", spans="filled", template="bureau", row_split=True),
        ),
        Sample(
            "html_2019_template_blank.html",
            make(207, "2019", style=Style(emptiness="template")),
            _as("html", template="portal", charset="wrong_utf8"),
        ),
        Sample(
            "html_2019_totals_only.html",
            make(208, "2019", volume="few", breaks=1, style=Style(emptiness="totals_only", amount="header")),
            _as("html", template="word", unclosed=True),
        ),
        Sample(
            "html_2019_no_totals.html",
            make(
                209,
                "2019",
                volume="many",
                traits=("no_first_caption",),
                style=Style(emptiness="no_totals", digits="thousands", amount="cell_yi"),
            ),
            _as("html", template="plain", header_cells=True),
        ),
        Sample(
            "html_hybrid_split.html",
            make(210, "hybrid", traits=("split_disclosure", "split_disputes"), breaks=1),
            _as("html", template="portal", cut=True),
        ),
        Sample(
            "html_2014_old.html",
            make(211, "2014", traits=("local_lines",), volume="many"),
            _as("html", template="old", charset="gb18030"),
        ),
        Sample(
            "html_2021_tables_lost.html",
            make(212, "2021", volume="few", traits=()),
            _as("html", template="portal", pictures="lost"),
        ),
        Sample(
            "html_2021_tables_data_uri.html",
            make(213, "2021", volume="few", traits=(), style=Style(amount="header")),
            _as("html", template="bureau", pictures="data"),
            True,
        ),
        Sample(
            "html_2019_tables_beside.html",
            make(214, "2019", volume="few", traits=(), style=Style(amount="cell")),
            _as("html", template="plain", pictures="beside"),
            True,
        ),
        Sample(
            "html_narrative_portal.html",
            make(215, "narrative", level="street"),
            _as("html", template="portal", charset="bom"),
        ),
        # Word
        Sample("docx_2021_merged.docx", make(301, "2021", volume="many"), _as("docx", headings=True)),
        Sample(
            "docx_2021_runs_listed.docx",
            make(302, "2021", breaks=1, traits=(), volume="few"),
            _as("docx", runs=True, listed=True),
        ),
        Sample(
            "docx_2019_metadata.docx",
            make(303, "2019", volume="many", breaks=1, style=Style(digits="unit", amount="bare")),
            _as("docx", metadata=True, text_breaks=True),
        ),
        Sample(
            "docx_2019_nested.docx",
            make(304, "2019", style=Style(digits="full", sign="full", amount="header")),
            _as("docx", nested=True),
        ),
        Sample("docx_hybrid_unmerged.docx", make(305, "hybrid", volume="many"), _as("docx", unmerged=True)),
        Sample("docx_2014_runs.docx", make(306, "2014", breaks=2, volume="many"), _as("docx", runs=True)),
        Sample(
            "docx_2021_picture.docx",
            make(307, "2021", volume="few", traits=()),
            _as("docx", picture=True),
            outside=True,
        ),
        # flattened text
        Sample(
            "text_2021_cell_per_line.txt",
            make(401, "2021", volume="many", style=Style(amount="header")),
            _as("text", style="cell_per_line", furniture=True),
        ),
        Sample(
            "text_2021_cell_per_line_blanks.txt",
            make(402, "2021", volume="few", style=Style(nil="", amount="header"), traits=()),
            _as("text", style="cell_per_line"),
        ),
        Sample(
            "text_2019_pipes_multiline.txt",
            make(403, "2019", volume="many", breaks=1, style=Style(sign="words", amount="cell")),
            _as("text", style="pipes_multiline"),
        ),
        Sample(
            "text_2019_pipes_trailing.txt",
            make(
                404,
                "2019",
                traits=("dropped_labels", "legal_basis", "merged_items", "extra_value_cell"),
                volume="few",
                style=Style(amount="bare"),
                titled=False,
            ),
            _as("text", style="pipes_trailing"),
        ),
        Sample(
            "text_2021_markdown.txt",
            make(405, "2021", style=Style(nil="", amount="header"), volume="few", breaks=1),
            _as("text", style="markdown"),
        ),
        Sample(
            "text_2019_spaces_page_numbers.txt",
            make(406, "2019", traits=("half_brackets",), volume="many", style=Style(amount="cell")),
            _as("text", style="spaces", page_numbers=True),
        ),
        Sample(
            "text_hybrid_wrapped_labels.txt",
            make(407, "hybrid", volume="few", breaks=1, style=Style(amount="header")),
            _as("text", style="wrapped_labels"),
        ),
        Sample(
            "text_2021_heaped_pipes.txt",
            make(408, "2021", volume="few", style=Style(nil="", amount="header"), traits=()),
            _as("text", style="pipes_heaped"),
        ),
        Sample(
            "text_2014_tabs_gb18030.txt",
            make(409, "2014", volume="few", breaks=1),
            _as("text", style="tabs", encoding="gb18030"),
        ),
        Sample(
            "text_2021_page_text.txt",
            make(411, "2021", volume="many", traits=("half_brackets",), style=Style(amount="header"), breaks=1),
            _as("text", style="page_text", page_numbers=True),
        ),
        Sample(
            "pdf_2021_stacked.pdf",
            make(121, "2021", volume="few", traits=(), style=Style(amount="header"), breaks=1),
            _as("pdf", stacked=True, running=True),
        ),
        Sample("docx_2021_tracked.docx", make(308, "2021", volume="many", breaks=1), _as("docx", tracked=True)),
        Sample(
            "html_2019_wide_spans.html",
            make(216, "2019", volume="many", traits=("sign_in_wrong_column",), style=Style(amount="both")),
            _as("html", template="old", wide_spans=True),
        ),
        Sample("2016年 narrative 青山.txt", make(410, "narrative", level="bureau"), _as("text", furniture=True)),
    ]


def write_samples(root: Path, outside: bool = True) -> Iterator[str]:
    """Rewrite ``data/samples`` and ``data/gold/samples`` under ``root``; yields what was done, a line a file.

    Files of another name in the two folders are removed. Without ``outside``, no program of the machine is started.
    """
    folder, gold = root / "data" / "samples", root / "data" / "gold" / "samples"
    folder.mkdir(parents=True, exist_ok=True)
    gold.mkdir(parents=True, exist_ok=True)
    missing = office.missing_programs() if outside else ["permission to start programs"]
    kept: set[Path] = set()
    for sample in samples():
        yield f"{sample.name}: {_write_sample(sample, folder, gold, missing)}"
        kept |= {gold / f"{sample.name}.json", folder / sample.name}
        kept |= set(folder.glob(f"{Path(sample.name).stem}_*.png"))
    for stale in (path for place in (folder, gold) for path in place.iterdir() if path not in kept):
        stale.unlink()
        yield f"{stale.name}: removed"


def _write_sample(sample: Sample, folder: Path, gold: Path, missing: list[str]) -> str:
    path, record = folder / sample.name, gold / f"{sample.name}.json"
    content = sample.recipe()
    if sample.outside and path.exists() and record.exists():
        if json.loads(record.read_text(encoding="utf-8")).get("recipe_sha256") == content:
            return "kept, up to date"
        if missing:
            return f"kept although its content changed: {', '.join(missing)} missing"
    elif sample.outside and missing:
        return f"not written: {', '.join(missing)} missing"
    truth = to_json(sample.write(sample.report, path))
    if sample.outside:
        truth["recipe_sha256"] = content
    record.write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return "written"
