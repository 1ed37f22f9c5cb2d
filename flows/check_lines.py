"""A checked report for the terminal, in Chinese and English."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from extractors.causes import Contradiction, Unchecked
from extractors.explain import MAX_OPTIONS, Explainer, Text
from extractors.report import Evidence
from extractors.rules import load_problem_codes, load_rules
from flows.checked import SEVERITIES, STATUSES, VERDICTS, Checked, block_states, by_code, sentences, shown, where

# Problems, places and messages of one kind that are shown; the page shows all.
_SHOWN = 3


def check_lines(checked: Checked) -> Iterator[str]:
    """The report for the terminal, without characters that would control it."""
    return map(shown, _lines(checked))


def _lines(checked: Checked) -> Iterator[str]:
    yield from _head(checked)
    for one in checked.contradictions:
        yield ""
        yield from _contradiction(one, checked.explainer)
    if checked.unchecked:
        yield ""
        yield f"  未能核对 not checked: {checked.counts['unverifiable']}"
        for gap in checked.unchecked:
            yield from _unchecked(gap, checked.explainer)
    if checked.report.problems:
        yield ""
        yield f"  读取时的问题 problems: {len(checked.report.problems)}"
        yield from _problems(checked)


def _head(checked: Checked) -> Iterator[str]:
    about, counts = checked.report.report, checked.counts
    left = counts["unverifiable"]
    rest = f"; {left} 项未能核对 not checked" if left else ""
    yield f"{checked.report.source.path}: {both(VERDICTS[checked.verdict])}{rest}"
    facts = [about.title or "(无标题 no title)", about.authority, about.year and str(about.year), f"form {about.form}"]
    yield f"  {' · '.join(fact for fact in facts if fact)}"
    words = {
        "errors": "处错误 errors",
        "warnings": "处提示 warnings",
        "consistent": "项相符 checks hold",
    }
    yield f"  {', '.join(f'{counts[name]} {word}' for name, word in words.items())}"
    for title, states in block_states(checked):
        cells = ", ".join(f"{number} {STATUSES[name].zh} {name}" for name, number in states.items())
        yield f"  {title}: {cells or '未见表格 no table was read'}"


def _contradiction(one: Contradiction, explainer: Explainer) -> Iterator[str]:
    rules = dict.fromkeys(finding.rule for finding in one.findings)
    names = ", ".join(f"{load_rules()[rule].zh} {rule}" for rule in rules)
    yield f"  [{one.number}] {both(SEVERITIES[one.severity])}: {names}{_places(where(one, explainer), explainer)}"
    yield f"      = {both(explainer.verdict(one))}"
    for option in one.options[:MAX_OPTIONS]:
        yield f"        * {both(explainer.option(option))}"
    if len(one.options) > MAX_OPTIONS:
        yield f"        … {len(one.options)}"
    for finding in one.findings:
        yield f"      - {both(explainer.finding(finding))}"
    for quoted in (*sentences(one.claims, explainer), *sentences(one.beside, explainer, beside=True)):
        text = "".join(f"【{part}】" if lit else part for part, lit in quoted.parts)
        agrees = " — 与表内所印一致 / agrees with what is printed" if quoted.beside else ""
        yield f"      > {text} ({both(quoted.place)}){agrees}"


def _places(evidence: Sequence[Evidence | None], explainer: Explainer) -> str:
    places = dict.fromkeys(explainer.place(one) for one in evidence)
    texts = [both(place.text) for place in places if place.text.en]
    return f" ({', '.join(texts[:_SHOWN])}{' …' if len(texts) > _SHOWN else ''})" if texts else ""


def _unchecked(gap: Unchecked, explainer: Explainer) -> Iterator[str]:
    yield f"  - {len(gap.findings)} {load_rules()[gap.rule].zh} {gap.rule}"
    yield f"      {both(explainer.unchecked(gap))}"
    if gap.reason in ("doubt", "meaning", "scope"):
        yield from (f"      {finding.message}" for finding in gap.findings[:_SHOWN])


def _problems(checked: Checked) -> Iterator[str]:
    for code, problems in by_code(checked.report.problems).items():
        known = load_problem_codes().get(code)
        yield f"  - {len(problems)} {code}" + (f": {known.zh} / {known.en}" if known else "")
        for problem in problems[:_SHOWN]:
            yield f"      {problem.message}{_places([problem.evidence], checked.explainer)}"
        if len(problems) > _SHOWN:
            yield f"      … {len(problems)}"


def both(text: Text) -> str:
    """Both languages on one line; figures and names, the same in both, stand once."""
    words = " / ".join(dict.fromkeys(part for part in (text.zh, text.en) if part))
    return f"{text.lead}{' — ' if text.lead and words else ''}{words}{': ' if text.tail else ''}{text.tail}"
