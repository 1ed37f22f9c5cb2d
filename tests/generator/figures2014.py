"""Balanced figures for form 2014."""

from __future__ import annotations

import random
from decimal import Decimal

from tests.generator import labels
from tests.generator.numbers import Figure


def split(rng: random.Random, total: int, count: int) -> list[int]:
    """``total`` as ``count`` parts, sparse."""
    parts = [0] * count
    rest = total
    for place in rng.sample(range(count), count):
        parts[place] = rng.randint(0, rest) if rng.random() < 0.5 else 0
        rest -= parts[place]
    parts[rng.randrange(count)] += rest
    return parts


def indicator_figures(rng: random.Random, volume: str) -> dict[str, Figure]:
    """All 58 indicators; every ``form.parts`` identity holds. Amounts in 万元."""
    most = {"zero": 0, "few": 40, "many": 30000}[volume]
    figures: dict[str, Figure] = {line.key: 0 for line in labels.INDICATORS_2014 if line.key}

    def share(whole: str, parts: str, total: int) -> None:
        names = parts.split()
        for name, value in zip(names, split(rng, total, len(names)), strict=True):
            figures[name] = value
        figures[whole] = total

    def some(limit: int) -> int:
        return rng.randint(0, limit) if rng.random() < 0.6 else 0

    answered, requests = "requests2014.answered", "requests2014.received"
    total = rng.randint(0, most)
    figures["disclosure2014.total"] = total
    normative = rng.randint(0, min(total, 60))
    figures["disclosure2014.normative_documents"] = figures["disclosure2014.normative_documents_made"] = normative
    channels = ("gazette", "website", "weibo", "wechat", "other")
    for name, value in zip(channels, split(rng, total + some(most // 4), 5), strict=True):
        figures[f"disclosure2014.channels.{name}"] = value
    _fill_responses(figures, rng, most)
    received, closed = some(most // 20), some(most // 20)
    share(f"{requests}.total", " ".join(f"{requests}.{way}" for way in ("in_person", "fax", "online", "letter")),
          received)  # fmt: skip
    share("requests2014.closed.total", "requests2014.closed.on_time requests2014.closed.extended", closed)
    kinds = "already_public granted partly_granted denied.total not_responsible not_existing correction other_way"
    share(f"{answered}.total", " ".join(f"{answered}.{kind}" for kind in kinds.split()), closed)
    reasons = "state_secret trade_secret privacy security not_government_information law"
    share(f"{answered}.denied.total", " ".join(f"{answered}.denied.{reason}" for reason in reasons.split()),
          int(figures[f"{answered}.denied.total"]))  # fmt: skip
    for block in ("reviews2014", "litigation2014"):
        share(f"{block}.total", f"{block}.upheld {block}.corrected {block}.other", some(most // 200))
    _fill_resources(figures, rng, most)
    return figures


def _fill_responses(figures: dict[str, Figure], rng: random.Random, most: int) -> None:
    limit = min(most, 300)
    for name in ("topics", "interpretations", "weibo_wechat", "other"):
        figures[f"responses2014.{name}"] = rng.randint(0, limit)
    for name in ("press_conferences", "interviews"):
        total = rng.randint(0, limit // 10)
        figures[f"responses2014.{name}.total"] = total
        figures[f"responses2014.{name}.by_head"] = rng.randint(0, total)


def _fill_resources(figures: dict[str, Figure], rng: random.Random, most: int) -> None:
    limit = min(most, 400)
    figures["complaints2014.total"] = rng.randint(0, limit // 40)
    figures["resources2014.offices"] = rng.randint(0, limit // 5)
    figures["resources2014.reading_points"] = rng.randint(0, limit // 4)
    staff = rng.randint(0, limit)
    full_time = rng.randint(0, staff)
    figures["resources2014.staff.total"] = staff
    figures["resources2014.staff.full_time"] = full_time
    figures["resources2014.staff.part_time"] = staff - full_time
    if most and rng.random() < 0.5:
        figures["resources2014.funding"] = Decimal(rng.randint(1, 4000)).scaleb(-2)
    if most and rng.random() < 0.3:
        figures["fees2014.amount"] = Decimal(rng.randint(1, 900)).scaleb(-3)
    figures["training2014.meetings"] = rng.randint(0, limit // 8)
    figures["training2014.courses"] = rng.randint(0, limit // 8)
    figures["training2014.attendance"] = rng.randint(0, most)
