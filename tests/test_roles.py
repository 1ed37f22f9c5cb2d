"""Leaders marked in the text, and the titles that are theirs."""

import pytest

from models.corpus import Passage
from models.roles import CLOSE, OPEN, REACH, mark, place_titles, role_examples, whole_titles
from models.tags import TITLE

TEXT = "成立了以局长向 晚为组长、副局长程砚秋为副组长的领导小组，公开信息12条。"


def leader(name: str, role: str | None, text: str = TEXT) -> dict[str, object]:
    start = text.index(name)
    return {"field": "leader", "start": start, "end": start + len(name), "text": name, "role": role, "kind": None}


def passage(*leaders: dict[str, object]) -> Passage:
    at = TEXT.index("12条")
    claim = {
        "id": "a",
        "field": "disclosed_total",
        "value": 12,
        "start": at,
        "end": at + 3,
        "text": "12条",
        "part_of": None,
    }
    return {"id": "p", "text": TEXT, "entities": list(leaders), "claims": [claim]}


def test_each_leader_is_asked_for_with_the_titles_that_are_theirs() -> None:
    first, second = role_examples(passage(leader("向 晚", "局长、组长"), leader("程砚秋", "副局长、副组长")))
    assert f"{OPEN}向晚{CLOSE}" in first.chars and f"{OPEN}程砚秋{CLOSE}" in second.chars
    titles = [[e.chars[t.start : t.end] for t in e.targets if t.tag == TITLE] for e in (first, second)]
    assert titles == [["局长", "组长"], ["副局长", "副组长"]]
    # What else stands there is learnt with it, in its place.
    others = {(first.chars[t.start : t.end], t.tag) for t in first.targets if t.tag != TITLE}
    assert others == {("向晚", "leader"), ("程砚秋", "leader"), ("12条", "disclosed_total")}


def test_a_title_of_another_or_within_another_is_not_taken() -> None:
    chars = "组长张三,副组长李四,副组长王五"
    names = [(2, 4), (8, 10), (14, 16)]
    assert place_titles(chars, "组长", names[0], names) == [(0, 2)]
    assert place_titles(chars, "副组长", names[2], names) == [(11, 14)]
    assert place_titles(chars, "局长", names[0], names) is None
    assert place_titles(chars, None, names[0], names) == []


@pytest.mark.parametrize(("start", "end"), [(0, 2), (5, 8), (298, 300), (150, 153)])
def test_places_return_from_the_marked_text(start: int, end: int) -> None:
    chars = "".join(chr(0x4E00 + number) for number in range(300))
    marked = mark(chars, start, end)
    assert len(marked.chars) <= 2 * REACH + end - start + 2
    for at, char in enumerate(marked.chars):
        if char in (OPEN, CLOSE):
            continue
        assert chars[marked.place(at)] == char
        assert marked.marked(marked.place(at)) == at


def test_a_long_list_of_titles_ends() -> None:
    chars = "副组长" * 200 + "张三"
    assert place_titles(chars, "、".join(["组长"] * 9), (600, 602), [(600, 602)]) is None


@pytest.mark.parametrize(
    ("chars", "spans", "titles"),
    [
        ("分管领导是张三", [(0, 3)], ["分管领导"]),
        ("镇长助理白桦", [(0, 2)], ["镇长助理"]),
        ("第一副组长由钟灵担任", [(0, 2), (2, 5)], ["第一副组长"]),
        ("综合科(科长张三", [(0, 6)], ["科长"]),
        ("党组书记、局长张三", [(0, 4), (5, 7)], ["党组书记", "局长"]),
        ("工作人员张三", [(0, 1)], []),
        # The end is not looked for beyond a mark.
        ("组★长江☆", [(0, 1)], []),
    ],
)
def test_titles_end_where_the_word_for_the_office_does(
    chars: str, spans: list[tuple[int, int]], titles: list[str]
) -> None:
    assert [chars[start:end] for start, end in whole_titles(chars, spans)] == titles
