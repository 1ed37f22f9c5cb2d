"""The texts of rules and problems: complete, and no rule without one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from extractors import rules
from extractors.forms import load_forms
from extractors.rules import load_problem_codes, load_rules

RECORD = (Path(__file__).parent.parent / "docs/record.md").read_text(encoding="utf-8")


def test_every_rule_of_the_record_and_of_the_forms_has_its_texts() -> None:
    described = set(re.findall(r"^\| `((?:form|prose|years)\.\w+)` \| [^|]+ \| [^|]+ \|$", RECORD, re.MULTILINE))
    assert len(described) >= 9
    used = {identity.rule for form in load_forms().values() for identity in form.identities}
    assert described | used <= load_rules().keys()


def test_the_problems_of_the_record_are_those_that_have_texts() -> None:
    listed = RECORD[RECORD.index("## problems") :]
    rows = re.findall(r"^\| (`[\w.]+`(?:, `[\w.]+`)*) \|", listed, re.MULTILINE)
    assert {code for row in rows for code in re.findall(r"`([\w.]+)`", row)} == load_problem_codes().keys()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('schema = "gongkai.rules/1"', 'schema = "x"'), "schema is 'x'"),
        (('en = "Sum of outcomes"\n', ""), "form.outcomes: needs the texts"),
        (('en = "Sum of outcomes"', 'en = ""'), "form.outcomes: needs the texts"),
        (('id = "form.outcomes"', 'id = "form.balance"'), "a rule stands twice"),
    ],
)
def test_a_file_that_is_not_complete_is_refused(
    change: tuple[str, str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (rules.data_directory() / "rules.toml").read_text(encoding="utf-8")
    assert change[0] in text
    (tmp_path / "rules.toml").write_text(text.replace(*change, 1), encoding="utf-8")
    monkeypatch.setattr(rules, "data_directory", lambda: tmp_path)
    with pytest.raises(ValueError, match=says):
        load_rules.__wrapped__()
