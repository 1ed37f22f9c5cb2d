"""How long it takes to hold a whole store across years: bodies, revisions, comparisons and problems.

Run: ``python benchmarks/years.py [--bodies 15000] [--store DIR]``. A store is filled with two years of generated
records for each body, with all cells of form 2021 and five claims each, a growth among them; in one body of a hundred
the carry is broken. Measured is ``settle_years`` on that store, then again with nothing new, and with one report read
again; filling the store is not measured. The target is at most five minutes for 30,000 reports. Every broken carry
must be found, and no other.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from extractors.forms import Form, load_forms
from flows.inbox import InboxFile
from flows.store import Store
from flows.years import settle_years

TARGET_S = 300.0
_BROKEN = 100
_DEPARTMENTS = (
    "水利局",
    "财政局",
    "审计局",
    "教育局",
    "民政局",
    "司法局",
    "统计局",
    "林业局",
    "商务局",
    "人民政府办公室",
)
_APPLICANTS = ("natural_person", "business", "research", "charity", "legal_service", "other")
_OUTCOME = "applications.granted."


def records(number: int, form: Form) -> Iterator[tuple[InboxFile, str]]:
    """Two years of one body, which balance; every hundredth carries in what was not carried out."""
    rng = random.Random(number)
    county = "".join(rng.choice("澄岚栖枫霁翠瑶梧砚沅芷黛荻棠泓") for _ in range(2)) + str(number // len(_DEPARTMENTS))
    name = f"{_place(county)}{_DEPARTMENTS[number % len(_DEPARTMENTS)]}"
    carried = dict.fromkeys(_APPLICANTS, 0)
    received = 0
    for year in (2022, 2023):
        values = dict.fromkeys(form.cells, 0)
        before, carried = carried, {}
        for who in _APPLICANTS:
            new, carried[who] = rng.randrange(50), rng.randrange(3)
            brought = before[who] + (year == 2023 and who == "business" and number % _BROKEN == 0)
            done = max(new + brought - carried[who], 0)
            carried[who] = new + brought - done
            parts = {"new": new, "carried_in": brought, "granted": done, "processed": done, "carried_out": carried[who]}
            for row, value in parts.items():
                values[f"applications.{row}.{who}"] = value
                values[f"applications.{row}.total"] += value
        last, received = received, values["applications.new.total"]
        yield _file(name, year), _record(name, year, form, values, last)


def _place(county: str) -> str:
    """A county of its own for each number; digits would be no name."""
    return county.translate(str.maketrans("0123456789", "甲乙丙丁戊己庚辛壬癸")) + "县"


def _file(name: str, year: int) -> InboxFile:
    content = f"{name}{year}"
    return InboxFile(Path(f"{content}.pdf"), hashlib.sha256(content.encode()).hexdigest(), len(content))


def _record(name: str, year: int, form: Form, values: dict[str, int], last: int) -> str:
    file = _file(name, year)
    cells = [
        {"key": key, "value": values[key], "raw": str(values[key]), "unit": spec.unit, "status": "reported",
         "confidence": 0.99, "evidence": {"page": 1, "box": [100.0, 100.0, 120.0, 110.0], "start": n, "end": n + 1}}
        for n, (key, spec) in enumerate(form.cells.items())
    ]  # fmt: skip
    total = values["applications.new.total"]
    claims = _claims(total, last)
    held = {
        "id": "prose.table:x", "rule": "prose.table", "status": "consistent", "severity": None, "origin": None,
        "message": "agrees", "expected": total, "reported": total, "difference": 0,
        "cells": ["applications.new.total"], "claims": ["c1"], "suggestion": None,
    }  # fmt: skip
    about = {
        "title": name, "authority": name, "year": year, "form": form.name, "coverage": "organ", "published": None,
        "blocks": dict.fromkeys(form.blocks, form.name), "region": name[: name.index("县") + 1],
    }  # fmt: skip
    source = {
        "path": str(file.path), "sha256": file.sha256, "media_type": "application/pdf", "pages": 3, "scanned": False,
    }  # fmt: skip
    record = {
        "schema": "gongkai.report/1", "source": source, "report": about, "cells": cells, "entities": [],
        "claims": claims, "findings": [held], "problems": [],
    }  # fmt: skip
    return json.dumps(record, ensure_ascii=False)


def _claims(total: int, last: int) -> list[dict[str, Any]]:
    growth = total - last
    word = "增加" if growth >= 0 else "减少"
    sentence = f"全年收到政府信息公开申请{total}件，同比{word}{abs(growth)}件。公开信息3件，培训2次，会议4次。"
    figures = [
        ("requests_received", total, f"{total}件", "申请"),
        ("growth", growth, f"{abs(growth)}件", f"同比{word}"),
        ("disclosed_total", 3, "3件", "信息"),
        ("trainings", 2, "2次", "培训"),
        ("meetings", 4, "4次", "会议"),
    ]
    return [
        {"id": f"c{n}", "field": field, "value": value, "unit": text[-1], "bound": "exact", "text": text,
         "sentence": sentence, "label": label, "scope": None, "part_of": None, "partition": None, "confidence": 0.95,
         "evidence": {"start": n * 10, "end": n * 10 + len(text)}}
        for n, (field, value, text, label) in enumerate(figures, 1)
    ]  # fmt: skip


def fill(store: Store, bodies: int) -> None:
    """A run with two reports of every body that the store does not hold yet."""
    run = store.start_run(Path("generated"), "generated")
    form = load_forms()["2021"]
    known = store.count("SELECT count(*) FROM reports")[0][0] // 2
    for number in range(known, bodies):
        for file, record in records(number, form):
            store.add_report(run, "generated", file, record)


def measure(store: Store, words: str) -> float:
    """Seconds of one settling, printed with what it found."""
    started, worked = time.perf_counter(), time.process_time()
    compared = settle_years(store)
    seconds, worked = time.perf_counter() - started, time.process_time() - worked
    print(f"{words}: {seconds:.1f} s ({worked:.1f} s of one core), {compared} bodies compared", flush=True)
    return seconds


def main() -> None:
    """Fills a store, measures, and compares what was found with what was planted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bodies", type=int, default=15_000)
    parser.add_argument("--store", type=Path, help="where to make the store, or one to go on with")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Store(options.store or Path(folder), writable=True) as store:
        started = time.perf_counter()
        fill(store, options.bodies)
        size = f"{store.path.stat().st_size / 1e9:.1f} GB"
        print(
            f"{2 * options.bodies} reports stored in {time.perf_counter() - started:.0f} s, {size} (not measured)",
            flush=True,
        )
        seconds = measure(store, "all years")
        measure(store, "nothing new")
        (newest, record) = list(records(0, load_forms()["2021"]))[1]
        store.add_report(1, "generated again", newest, record)
        measure(store, "one report read again")
        broken = store.count("SELECT count(DISTINCT report), count(*) FROM year_findings WHERE status = 'inconsistent'")
        counts = store.count("SELECT rule, status, count(*) FROM year_findings GROUP BY 1, 2 ORDER BY 1, 2")
        problems = store.count("SELECT count(*) FROM year_problems")[0][0]
    planted = -(-options.bodies // _BROKEN)
    for rule, status, count in counts:
        print(f"  {rule} {status}: {count}")
    print(f"broken: {broken[0][0]} reports, planted {planted}; findings {broken[0][1]}; problems {problems}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:.0f} MB")
    print(f"target {TARGET_S:.0f} s: {'met' if seconds <= TARGET_S else 'missed'}")


if __name__ == "__main__":
    main()
