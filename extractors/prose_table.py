"""What the prose states against what the tables print: the rule ``prose.table``.

A claim agrees if one of the things that it can mean (``data/claims.toml``) comes out at its figure: 收到12件 agrees
with 12 new applications as with 9 new and 3 carried in. It contradicts the tables only if nothing that it can mean
does, and if nothing else explains it: another body, another time, some of the whole, a figure read with doubt.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from extractors.cells import Tables
from extractors.fields import SURE
from extractors.forms import Form
from extractors.numbers import whole
from extractors.readings import MASK, Axis, Meaning, Reading, Words, expand, load_readings, patterns
from extractors.reconcile import BEYOND_DOUBT, cell_name, listed
from extractors.report import Claim, Finding, Origin, Severity
from extractors.stated import Interval, Stated, ancestors, plain, read_claims

RULE = "prose.table"

_MARKS = '、“”"()（）的·及和与《》'
_YEAR = re.compile(r"(?<!\d)(20\d\d)年?")
_TITLE = re.compile(r"《[^》]*》|\([^)]*\)|（[^）]*）")
_MONTHS = re.compile(r"(?<!\d)(?!0?1月?[-—~至到]1?2月)\d{1,2}月?[-—~至到]\d{1,2}月(?!\d|份?以来)")


@dataclass(frozen=True, slots=True)
class Amount:
    """What a reading comes to: its value with blanks as nil; ``missing`` are cells that are not there or illegible."""

    reading: Reading
    form: Form
    keys: tuple[str, ...]
    value: Decimal
    terms: tuple[str, ...]
    blanks: tuple[str, ...]
    missing: tuple[str, ...]

    def shown(self, tables: Tables) -> str:
        """The sum written out, the cells named as printed."""
        total = plain(self.value)
        if not self.terms:
            names = listed([cell_name(key, tables.printed, self.form) for key in self.keys])
            return f"{names} = {total}" if len(self.keys) > 1 else f"{names} {total}"
        cells = {cell.key: cell for cell in tables.cells if cell.key in self.terms}
        terms = [f"{cell_name(key, tables.printed, self.form)} {cells[key].value}" for key in self.terms]
        return " + ".join(terms) + (f" = {total}" if len(terms) > 1 else "")


def check_tables_stated(
    claims: Sequence[Claim], tables: Tables, forms: Mapping[str, Form], text: str, year: int | None
) -> tuple[Finding, ...]:
    """One finding for each claim that can mean something in the tables of its report (``prose.table``).

    Args:
        claims: the claims of the prose, in order.
        tables: the cells.
        forms: the forms by name.
        text: the document's text, to which the evidence of the claims refers.
        year: the year of the report.
    """
    if tables.form is None or not claims:
        return ()
    return tuple(_Checker(read_claims(claims, text), tables, forms, year).findings())


def amounts_meant(
    claims: Sequence[Claim], wanted: Container[str], tables: Tables, forms: Mapping[str, Form], year: int | None
) -> dict[str, tuple[Amount, ...]]:
    """What the ``wanted`` claims, by their ids, can mean in the tables, with no more context than all claims are."""
    checker = _Checker(read_claims(claims, ""), tables, forms, year)
    return {name: tuple(checker._amounts(stated)) for name, stated in checker.stated.items() if name in wanted}


class _Checker:
    """The claims of one report and the cells that they can mean."""

    def __init__(
        self, stated: Mapping[str, Stated], tables: Tables, forms: Mapping[str, Form], year: int | None
    ) -> None:
        self.stated = stated
        self.tables = tables
        self.year = year
        self.known = load_readings()
        self.cells = {cell.key: cell for cell in tables.cells}
        self.forms: dict[str, Form] = {}
        self.carried: dict[str, set[str]] = defaultdict(set)
        self.sums: dict[str, tuple[str, ...]] = {}
        for block, name in tables.blocks.items():
            if name is None:
                continue
            form = self.forms[name] = forms[name]
            own = {table.id for table in form.tables if block in table.covers}
            self.carried[name].update(
                key for key, spec in form.cells.items() if spec.table in own and key in self.cells
            )
            for identity in form.identities:
                if identity.relation == "equal" and len(identity.minus) == 1:
                    self.sums.setdefault(identity.minus[0], identity.plus)

    def findings(self) -> Iterator[Finding]:
        """One for each claim that has a reading."""
        amounts = {name: found for name, stated in self.stated.items() if (found := list(self._amounts(stated)))}
        groups: dict[tuple[object, ...], list[Stated]] = defaultdict(list)
        for name, found in amounts.items():
            groups[self._group(self.stated[name], found)].append(self.stated[name])
        held = {self._cells(found) for name, found in amounts.items() if _holding(self.stated[name].interval, found)}
        for name, found in amounts.items():
            stated = self.stated[name]
            yield self._finding(stated, found, groups[self._group(stated, found)], self._cells(found) in held)

    @staticmethod
    def _cells(found: Sequence[Amount]) -> tuple[str, ...]:
        return found[0].keys

    def _group(self, stated: Stated, found: Sequence[Amount]) -> tuple[object, ...]:
        """Parts of one breakdown with the same meaning are components of it: 予以公开5件,告知已主动公开3件."""
        claim = stated.claim
        together = (claim.part_of, claim.partition) if claim.part_of is not None else (claim.id,)
        return (*together, self._cells(found))

    # What a claim can mean

    def _amounts(self, stated: Stated) -> Iterator[Amount]:
        meaning = self._meaning(stated)
        # 合计 behind a list of outcomes is called by the total, whatever field it was taken for.
        if meaning is not None and meaning.names.words and stated.label and not self._says_what(stated.label):
            return
        if meaning is None or not self._is_about(stated, meaning):
            return
        above = ancestors(stated, self.stated)
        for reading in meaning.readings:
            if reading.partial and not stated.value:
                continue
            for name in sorted(reading.forms & set(self.forms)):
                for chosen in _choices(reading, stated, above, meaning):
                    keys = tuple(key for pattern in patterns(reading, chosen) for key in expand(name, pattern))
                    if self.carried[name].issuperset(keys):
                        yield self._amount(reading, self.forms[name], tuple(dict.fromkeys(keys)))

    def _meaning(self, stated: Stated) -> Meaning | None:
        return self.known.meanings.get(self.known.named(stated.claim.field, stated.label))

    def _says_what(self, label: str) -> bool:
        """Whether a label names a kind of outcome, and not all of them (合计, 共处理)."""
        return bool(self.known.breakdown.total.strip(label).strip("为共计处办理"))

    def _called_so(self, stated: Stated) -> bool:
        """Whether the label has the form's own words for what the figure is held against."""
        meaning = self._meaning(stated)
        return meaning is not None and bool(meaning.names.find(stated.label))

    def _is_about(self, stated: Stated, meaning: Meaning) -> bool:
        """Whether the sentence names what the field counts: the model takes some nils for others."""
        if meaning.subject is None or stated.claim.part_of is not None:
            return True
        return bool(meaning.subject.find(stated.claim.sentence) or meaning.subject.find(stated.wording + stated.gap))

    def _amount(self, reading: Reading, form: Form, keys: tuple[str, ...]) -> Amount:
        total = Decimal(0)
        terms: list[str] = []
        blanks: list[str] = []
        missing: list[str] = []
        for key in keys:
            sources = self._sources(key)
            blanks += [key] if key not in sources else []
            for own in sources:
                cell = self.cells[own]
                if cell.status in ("illegible", "absent"):
                    missing.append(own)
                elif cell.value is None:
                    blanks.append(own)
                else:
                    total += Decimal(cell.value)
                    terms += [own] if cell.value else []
        return Amount(reading, form, keys, total, tuple(terms), tuple(blanks), tuple(missing))

    def _sources(self, key: str) -> tuple[str, ...]:
        """The cell itself, or its parts where it prints nothing and they do: a total that was left out."""
        if self.cells[key].status != "blank":
            return (key,)
        parts = self.sums.get(key, ())
        statuses = {self.cells[part].status if part in self.cells else "absent" for part in parts}
        return parts if "reported" in statuses and not statuses & {"illegible", "absent"} else (key,)

    # How it comes out

    def _finding(self, stated: Stated, found: Sequence[Amount], group: Sequence[Stated], held: bool) -> Finding:
        reason = self._reason(stated, found)
        readable = [amount for amount in found if not amount.missing]
        exact = [amount for amount in readable if amount.reading.relation != "at_most"]
        if reason is not None:
            return self._made(stated, (exact or readable or found)[0], "unverifiable", reason)
        holding = _holding(stated.interval, readable)
        if holding is not None:
            return self._made(stated, holding, "consistent", "agrees with")
        if len(readable) < len(found):
            missing = next(amount for amount in found if amount.missing)
            names = listed([cell_name(key, self.tables.printed, missing.form) for key in missing.missing])
            return self._made(
                stated, missing, "unverifiable", f"cannot be held against the table, not legible: {names}"
            )
        nearest = _nearest(stated, exact or readable)
        limits = [amount for amount in readable if amount.reading.relation == "at_most"]
        if any(not _above(stated.interval, amount.value) for amount in limits):
            return self._made(stated, nearest, "unverifiable", f"may count some of {limits[0].reading.name} only")
        if len(group) > 1 and (sum_reason := self._summed(stated, group, exact)) is not None:
            together = _sum(member.interval for member in group)
            whole_of = _holding(together, exact)
            status: Literal["consistent", "unverifiable"] = "consistent" if whole_of else "unverifiable"
            return self._made(stated, whole_of or nearest, status, sum_reason)
        if (more := self._more(stated, nearest.reading)) is not None:
            return self._made(
                stated, nearest, "unverifiable", f"says more than the cells ({more}), and may be less than"
            )
        if stated.claim.confidence < SURE and not self._called_so(stated):
            return self._made(stated, nearest, "unverifiable", "is read with too much doubt to be held against")
        # Where another figure of the prose already agrees with these cells, a smaller one may be some of them.
        some = held and stated.value and stated.interval.below(nearest.value)
        soft = bool(nearest.blanks) or not stated.interval.exact or bool(some) or nearest.reading.relation != "equal"
        return self._broken(stated, nearest, "warning" if soft else "error")

    def _more(self, stated: Stated, reading: Reading) -> str | None:
        """What the label says beyond what the cells are for, so that the figure may be one of some of them only."""
        meaning = self._meaning(stated)
        known = meaning.known if meaning else None
        if known is None or not stated.value:
            return None
        label, masked = stated.label, stated.lead
        for axis in reading.axes:
            label = axis.words.strip(label)
            masked = axis.words.mask(masked)
        if stated.label and (place := stated.lead.rfind(stated.label)) >= 0:
            # Where the label cuts a word of an axis in two, the rest of that word is known as well.
            label = masked[place : place + len(stated.label)].replace(MASK, "")
        if reading.with_ is not None:
            label = reading.with_.strip(label)
        return known.strip(label).strip(_MARKS) or None

    def _reason(self, stated: Stated, found: Sequence[Amount]) -> str | None:
        """Why the figure is none of what the cells are for, if it is not."""
        above = ancestors(stated, self.stated)
        scope = next((one.claim.scope for one in (stated, *above) if one.claim.scope), None)
        if scope is not None:
            return f"is for {scope}, the table for the whole of the authority; not comparable with"
        times = self.known.times
        wording = f"{stated.gap}{stated.claim.text}"
        if times.cumulative.find(times.this_year.strip(wording.replace(f"{self.year}年以来", ""))):
            return "is counted over several years; not comparable with"
        if stated.claim.field not in times.carried and self._other_time(stated):
            return "is for another time than the year of the report; not comparable with"
        if all(amount.missing for amount in found):
            names = listed([cell_name(key, self.tables.printed, found[0].form) for key in found[0].missing])
            return f"cannot be checked, not there or not legible: {names};"
        return None

    def _other_time(self, stated: Stated) -> bool:
        times = self.known.times
        if times.part_of_year.find(stated.lead) or _MONTHS.search(stated.lead):
            return True
        for word in times.earlier.find(stated.lead):
            before, _, behind = stated.lead.partition(word)
            # 较上年增加 compares, 上年结转 names a count of this year.
            if not before.endswith(times.compared) and "转" not in behind[:6]:
                return True
        years = {int(year) for year in _YEAR.findall(_TITLE.sub("", stated.gap))}
        return self.year is not None and bool(years) and self.year not in years and max(years) <= self.year

    @staticmethod
    def _summed(stated: Stated, group: Sequence[Stated], exact: Sequence[Amount]) -> str | None:
        """What to say of one of several components of a figure; None where it alone is too much for the cells."""
        if all(_above(stated.interval, amount.value) for amount in exact):
            return None
        others = ", ".join(member.shown() for member in group if member is not stated)
        return f"with {others} is held against"

    def _made(
        self, stated: Stated, amount: Amount, status: Literal["consistent", "unverifiable"], words: str
    ) -> Finding:
        nil = self._nil(amount) if status == "consistent" else ""
        message = f"{stated.shown()} {words} {amount.shown(self.tables)} ({amount.reading.name}){nil}"
        return self._as_finding(stated, amount, message, status, None, None)

    def _broken(self, stated: Stated, amount: Amount, severity: Severity) -> Finding:
        cells = [self.cells[key] for key in amount.keys]
        clear = all(cell.confidence >= BEYOND_DOUBT for cell in cells) and stated.claim.confidence >= BEYOND_DOUBT
        origin: Origin = "report" if clear else "reading" if self._explained(stated, amount) else "unknown"
        sums = f"{amount.shown(self.tables)} ({amount.reading.name}){self._nil(amount)}"
        message = f"{stated.shown()} contradicts the table: {sums}"
        return self._as_finding(stated, amount, message, "inconsistent", severity, origin)

    def _nil(self, amount: Amount) -> str:
        if not amount.blanks:
            return ""
        names = listed([cell_name(key, self.tables.printed, amount.form) for key in amount.blanks])
        return f"; blanks (空白) read as nil, or summed where their parts are printed: {names}"

    def _explained(self, stated: Stated, amount: Amount) -> bool:
        """Whether another reading of one doubtful cell would meet the claim."""
        for key in amount.keys:
            value = Decimal(self.cells[key].value or 0)
            if any(amount.value - value + other in stated.interval for other in self.tables.candidates.get(key, ())):
                return True
        return False

    @staticmethod
    def _as_finding(
        stated: Stated,
        amount: Amount,
        message: str,
        status: Literal["consistent", "inconsistent", "unverifiable"],
        severity: Severity | None,
        origin: Origin | None,
    ) -> Finding:
        known = not amount.missing
        return Finding(
            id=f"{RULE}:{stated.name}",
            rule=RULE,
            status=status,
            severity=severity,
            origin=origin,
            message=message,
            expected=whole(amount.value) if known else None,
            reported=whole(stated.value),
            difference=whole(stated.value - amount.value) if known else None,
            cells=amount.keys,
            claims=(stated.claim.id,),
        )


def _holding(meant: Interval, amounts: Sequence[Amount]) -> Amount | None:
    """The first amount that is meant."""
    return next((amount for amount in amounts if not amount.missing and amount.value in meant), None)


def _above(meant: Interval, value: Decimal) -> bool:
    """Whether all that is meant is more than ``value``."""
    return meant.low > value


def _sum(intervals: Iterator[Interval]) -> Interval:
    total = Interval(Decimal(0), Decimal(0))
    for one in intervals:
        total = total + one
    return total


def _nearest(stated: Stated, amounts: Sequence[Amount]) -> Amount:
    """What the claim most likely means: the amount nearest to it, the first of several."""
    return min(amounts, key=lambda amount: abs(amount.value - stated.value))


def _choices(
    reading: Reading, stated: Stated, above: Sequence[Stated], meaning: Meaning
) -> Iterator[dict[str, tuple[str, ...]]]:
    """The keys that the words of the claim and its wholes choose on each axis; none where they exclude the reading.

    What only the words of a whole choose is asked first; the claim may be no part of it, so all of the axis is next.
    """
    if not _may_mean(reading, stated, above):
        return
    wording, singled, inherits = stated.wording, False, False
    chosen: dict[str, tuple[str, ...]] = {}
    for axis in reading.axes:
        own = _named(axis, stated, above)
        inherited = next((keys for one in above if (keys := _named(axis, one, ())) is not None), None)
        keys = own or inherited or axis.default
        if not keys:
            return
        singled = singled or own is not None
        inherits = inherits or (own is None and inherited is not None)
        chosen[axis.name] = keys
        wording = axis.words.strip(wording)
    if reading.with_ is not None:
        if not _one(reading.with_, stated.wording):
            return
        singled = singled or bool(reading.with_.find(stated.label))
    if _one(reading.without, wording) or any(_excluded(reading, one) for one in above):
        return
    if above and not _fits(meaning, stated, above[0], singled):
        return
    yield chosen
    if inherits and stated.value and all(axis.default for axis in reading.axes):
        yield {axis.name: _named(axis, stated, above) or axis.default for axis in reading.axes}


def _may_mean(reading: Reading, stated: Stated, above: Sequence[Stated]) -> bool:
    """Whether the unit, the place and the label of the claim let it have this reading."""
    if reading.units and (stated.claim.unit or "") not in reading.units:
        return False
    if reading.whole and above:
        return False
    # 取水许可等行政许可12件 counts all of them, not those for water.
    return reading.plain is None or not reading.plain.strip(stated.label.rpartition("等")[2]).strip("、")


def _excluded(reading: Reading, whole_of: Stated) -> bool:
    """Whether what is said of a whole keeps its parts from meaning the cells: 网络申请12件,其中予以公开5件."""
    wording = whole_of.wording
    for axis in reading.axes:
        wording = axis.words.strip(wording)
    return _one(reading.without, wording)


def _fits(meaning: Meaning, stated: Stated, whole_of: Stated, singled: bool) -> bool:
    """Whether a part of this whole can mean a cell of its own."""
    field = whole_of.claim.field
    return singled if field == stated.claim.field else field in meaning.within


def _one(words: Words, text: str) -> bool:
    """Whether one of the words narrows the figure; several in a row (网络、信函、当面) are all the ways there are."""
    found = words.find(text)
    return bool(found) and not (len(found) > 2 and text.count("、") > 1)


def _named(axis: Axis, stated: Stated, above: Sequence[Stated]) -> tuple[str, ...] | None:
    """The keys that the words of a claim name; None where they name none, or all."""
    own_kind = bool(above) and above[0].claim.field == stated.claim.field
    if own_kind and stated.label in axis.labels:
        return axis.labels[stated.label]
    # Labels are cut short at times (组织申请): what stands before the figure is asked too.
    # 因不掌握等原因无法提供3件 names one reason of several, and counts all.
    words = axis.words.find(f"{stated.lead.rpartition('等')[2]}|{stated.label.rpartition('等')[2]}|{stated.denied}")
    keys = tuple(dict.fromkeys(key for word in axis.words.words if word in words for key in axis.keys[word]))
    every = {key for listed_keys in axis.keys.values() for key in listed_keys}
    return None if not keys or set(keys) == every else keys
