"""The identities of the forms, computed by brute force from the truth.

This is the yardstick of ``form.*`` findings and shares nothing with the program: each rule instance is written
out cell by cell and summed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from tests.generator import labels
from tests.generator.numbers import Printed, nil_aware

_A = "requests2014.answered"
_D = "disclosure2014"
# Form 2014: parts, whole, relation. "equal" and "at_most" must hold; "expected" is a warning where it does not.
PARTS_2014: tuple[tuple[tuple[str, ...], tuple[str, ...], str], ...] = (
    (tuple(f"requests2014.received.{way}" for way in ("in_person", "fax", "online", "letter")),
     ("requests2014.received.total",), "equal"),
    (("requests2014.closed.on_time", "requests2014.closed.extended"), ("requests2014.closed.total",), "equal"),
    (tuple(f"{_A}.{kind}" for kind in ("already_public", "granted", "partly_granted", "denied.total",
                                       "not_responsible", "not_existing", "correction", "other_way")),
     (f"{_A}.total",), "equal"),
    (tuple(f"{_A}.denied.{kind}" for kind in ("state_secret", "trade_secret", "privacy", "security",
                                              "not_government_information", "law")),
     (f"{_A}.denied.total",), "equal"),
    (("reviews2014.upheld", "reviews2014.corrected", "reviews2014.other"), ("reviews2014.total",), "expected"),
    (("litigation2014.upheld", "litigation2014.corrected", "litigation2014.other"), ("litigation2014.total",),
     "expected"),
    (("resources2014.staff.full_time", "resources2014.staff.part_time"), ("resources2014.staff.total",), "equal"),
    (("responses2014.press_conferences.by_head",), ("responses2014.press_conferences.total",), "at_most"),
    (("responses2014.interviews.by_head",), ("responses2014.interviews.total",), "at_most"),
    ((f"{_D}.normative_documents",), (f"{_D}.total",), "at_most"),
    ((f"{_D}.normative_documents",), (f"{_D}.normative_documents_made",), "expected"),
    ((f"{_D}.total",), tuple(f"{_D}.channels.{way}" for way in ("gazette", "website", "weibo", "wechat", "other")),
     "at_most"),
    (("requests2014.closed.total",), ("requests2014.answered.total",), "expected"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule instance: the cells that it compares, as a set in key order."""

    rule: str
    cells: tuple[str, ...]
    severity: Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Instance:
    """One sum to test: left against right, ``equal``, ``expected`` or ``at_most``."""

    rule: str
    left: tuple[str, ...]
    right: tuple[str, ...]
    relation: str = "equal"


def instances(cells: Mapping[str, Printed]) -> Iterator[Instance]:
    """Every sum that the printed cells can be tested on."""
    if "applications.new.total" in cells:
        yield from _application_instances("2021" if "applications.other.other.total" in cells else "2019")
    if "disputes.review.total" in cells:
        for procedure, _ in labels.PROCEDURES:
            keys = tuple(f"disputes.{procedure}.{field}" for field, _ in labels.RESULT_COLUMNS)
            yield Instance("form.disputes", keys[:-1], keys[-1:])
    if "requests2014.received.total" in cells:
        for left, right, relation in PARTS_2014:
            yield Instance("form.parts", left, right, relation)


def _application_instances(scheme: str) -> Iterator[Instance]:
    def key(row: str, who: str) -> str:
        return f"applications.{row}.{who}"

    outcomes = [row for row, _, _ in labels.outcome_rows(scheme)]
    for who, _ in labels.APPLICANTS:
        yield Instance(
            "form.balance", (key("new", who), key("carried_in", who)), (key("processed", who), key("carried_out", who))
        )
        yield Instance("form.outcomes", tuple(key(row, who) for row in outcomes), (key("processed", who),))
    for row in labels.application_rows(scheme):
        yield Instance("form.applicants", tuple(key(row, who) for who in labels.PARTS), (key(row, "total"),))


def violations(cells: Mapping[str, Printed]) -> list[Violation]:
    """Every rule instance that the printed values break; none that needs a lost or pictured cell."""
    found = [broken for instance in instances(cells) if (broken := _test(instance, cells))]
    return found + list(_range_violations(cells))


def undecided(cells: Mapping[str, Printed]) -> list[Violation]:
    """Rule instances that need a cell whose place was lost: a reader may call them either way or unverifiable."""
    return [
        Violation(instance.rule, tuple(sorted(instance.left + instance.right)), "warning")
        for instance in instances(cells)
        if any(cells[key].status in ("lost", "image") for key in instance.left + instance.right)
    ]


def _test(instance: Instance, cells: Mapping[str, Printed]) -> Violation | None:
    keys = instance.left + instance.right
    if any(cells[key].status in ("lost", "image") for key in keys):
        return None
    left = sum((Decimal(nil_aware(cells[key])) for key in instance.left), Decimal(0))
    right = sum((Decimal(nil_aware(cells[key])) for key in instance.right), Decimal(0))
    if left <= right if instance.relation == "at_most" else left == right:
        return None
    soft = instance.relation == "expected" or any(cells[key].status == "blank" for key in keys)
    return Violation(instance.rule, tuple(sorted(keys)), "warning" if soft else "error")


def _range_violations(cells: Mapping[str, Printed]) -> Iterator[Violation]:
    for key, printed in cells.items():
        if printed.status != "reported" or printed.value is None:
            continue
        value = Decimal(printed.value)
        is_change = key.endswith(".change")
        may_have_decimals = key.endswith((".amount", ".funding"))
        if (value < 0 and not is_change) or (value != value.to_integral_value() and not may_have_decimals):
            yield Violation("form.range", (key,), "error")
        if is_change:
            yield from _stock_violation(key, cells)


def _stock_violation(key: str, cells: Mapping[str, Printed]) -> Iterator[Violation]:
    previous = cells[key.replace(".change", ".previous")]
    if previous.status not in ("reported", "blank"):
        return
    if Decimal(nil_aware(previous)) + Decimal(nil_aware(cells[key])) < 0:
        keys = tuple(sorted((key, key.replace(".change", ".previous"))))
        yield Violation("form.range", keys, "warning" if previous.status == "blank" else "error")
