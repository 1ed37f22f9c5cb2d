"""What a mention of a leader or of a channel says of itself: the leader's titles, the channel's kind."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from functools import cache

from extractors.folding import fold
from extractors.phrases import load_kinds, load_titles

OTHER = "other"


def kind_of(channel: str) -> str:
    """The kind of a channel by its type word; ``other`` where it has none.

    What stands outside quotation marks is asked first, from its end: “门户网站”微信公众号 is an account. Of the words
    that end at one place the longest decides: 微信群 is no 微信. A column or programme is of the kind that carries it.
    """
    text = fold(channel).text.upper()
    outside = re.sub(_QUOTED, " ", text).strip()
    section = next((kind for word, kind in load_kinds().sections.items() if outside.endswith(word)), None)
    if section or (outside == "栏" and outside != text):
        programme = "television" if text.startswith("《") else section
        return _carrier(text) or programme or _last_kind(text[:-1]) or OTHER
    kind = _last_kind(outside) or _last_kind(text.strip(_MARKS))
    return kind or ("hotline" if _NUMBER.search(text) else _by_marks(text)) or OTHER


_MARKS = '“”"‘’「」『』《》【】'
# A line is called by its number: 96000, 12317监督电话.
_NUMBER = re.compile(r"(?<!\d)\d{3,8}(?:$|[^\d]*电话$)")
_QUOTED = r"[“\"‘「『《【(][^”\"’」』》】)]*[”\"’」』》】)]"


def _last_kind(words: str) -> str | None:
    """The kind of the type word that ends last; of several that end there, of the longest."""
    best: tuple[int, int, str] | None = None
    for word, kind in load_kinds().words.items():
        end = words.rfind(word) + len(word)
        # One character is a type word at the end of a name only: 报 in 公示报栏 is none.
        if end < len(word) or (len(word) == 1 and end < len(words) and word != "@"):
            continue
        if best is None or (end, len(word)) > best[:2]:
            best = end, len(word), kind
    return best[2] if best else None


def _carrier(text: str) -> str | None:
    """The kind of the first word in ``text`` for something that has sections."""
    kinds = load_kinds()
    found = [
        (text.find(word), -len(word), kind)
        for word, kind in kinds.words.items()
        if kind in kinds.carriers and len(word) > 1 and word in text and word not in kinds.sections
    ]
    return min(found)[2] if found else None


def _by_marks(text: str) -> str | None:
    """The kind of a bare name: accounts stand in quotation marks, printed matter in title marks."""
    if text.startswith("《"):
        return "print"
    return "wechat" if text.startswith(tuple(_MARKS)) else None


def role_of(text: str, start: int, end: int, others: Sequence[tuple[int, int]]) -> str | None:
    """The titles printed for the leader named at ``text[start:end]``, in the order of print, joined with 、.

    Args:
        text: the passage or section that names the leader.
        start: where the name begins.
        end: where it ends.
        others: the spans of the other leaders: a title before or behind a list of names is that of each.
    """
    folded = fold(text, columns=True)
    place = folded.places
    names = sorted((place[begin], place[stop]) for begin, stop in others)
    parted = {at for at, begin in enumerate(folded.starts) if begin and text[begin - 1].isspace()}
    reader = _Roles(folded.text, names, parted)
    span = place[start], place[end]
    found = [*reader.before(span), *reader.behind(span)]
    titles = [_BLANK.sub("", folded.quote(*title)) for title in sorted(set(found))]
    return "、".join(part for title in titles for part in _posts(title)) or None


_BLANKS = (" ", "\n")
_BLANK = re.compile(r"\s+")
_CLAUSE = ",;。:!?\n()"
_LISTED = re.compile(r"[ \n]*(?:同志)?[ \n]*(?:[、和及与]|以及)?[ \n]*")
_COMRADE = re.compile(r"[ \n]*(?:同志)?[ \n]*")


def _posts(title: str) -> list[str]:
    """The posts of a title that holds two: 办公室副主任兼科长."""
    parts = re.split("兼任?", title)
    return parts if all(fold(part).text.endswith(load_titles().ends) for part in parts) else [title]


class _Roles:
    """Finds titles around names in folded text.

    ``names`` are the other leaders', ``parted`` the places before which a blank is printed.
    """

    def __init__(self, text: str, names: Sequence[tuple[int, int]], parted: Set[int]) -> None:
        self.text = text
        self.names = names
        self.parted = parted

    def before(self, span: tuple[int, int]) -> list[tuple[int, int]]:
        """The titles that stand before a name or before the list that it is in."""
        own = [] if self._in_columns(span) else self._directly_before(span[0])
        head = self._list_head(own[0][0] if own else span[0])
        if own or head:
            return [*head, *own]
        previous = self._previous(span[0])
        return self._shared(previous) if previous else []

    def _in_columns(self, span: tuple[int, int]) -> bool:
        """Whether what stands before a name are the columns of the name before it."""
        previous = max((stop for _, stop in self.names if stop <= span[0]), default=None)
        between = self.text[previous : span[0]] if previous is not None else ""
        return between[:1] in _BLANKS and between[-1:] in _BLANKS and bool(self._columns(span[1]))

    def _list_head(self, start: int) -> list[tuple[int, int]]:
        """The head of the list that goes on at ``start``: 副组长 in 副组长:副镇长A、武装部长B."""
        head = self._head(start)
        previous = None if head else self._previous(start)
        if previous is None and not head and self.text[start - 1 : start] == "\n":
            # Another row of a list: what heads the row before it heads this one, unless a head stands between.
            above = max((name for name in self.names if name[1] <= start), default=None)
            if above and not re.search("[:。;]", self.text[above[1] : start]):
                return self._list_head(above[0])
        if previous is None:
            return head
        own = self._directly_before(previous[0])
        return self._list_head(own[0][0] if own else previous[0])

    def _shared(self, name: tuple[int, int]) -> list[tuple[int, int]]:
        """The titles of a name before in the same list, which hold for those after it too."""
        own = self._directly_before(name[0])
        head = self._head(own[0][0] if own else name[0])
        if own or head:
            # 组长:镇长A、B: a title in brackets or directly before the first is its own where a head says what all are.
            return head or own
        previous = self._previous(name[0])
        return self._shared(previous) if previous else []

    def _previous(self, start: int) -> tuple[int, int] | None:
        """The name before ``start`` in the same list, brackets behind it left aside."""
        for name in reversed(self.names):
            if name[1] > start:
                continue
            between = _BRACKET.sub("", self.text[name[1] : start])
            return name if _LISTED.fullmatch(between) else None
        return None

    def _directly_before(self, start: int) -> list[tuple[int, int]]:
        """The chain of titles that ends where a name starts: 县委副书记、县长."""
        stop = start
        while stop and self.text[stop - 1] in " \n":
            stop -= 1
        floor = max((end for _, end in self.names if end <= stop), default=0)
        begin = stop
        while begin > floor and self.text[begin - 1] not in _CLAUSE:
            begin -= 1
        titles: list[tuple[int, int]] = []
        for match in reversed(list(re.finditer(r"[^、 ]+", self.text[begin:stop]))):
            title = self._title(begin + match.start(), begin + match.end())
            if title is None or _HELD.match(match.group()):
                break
            titles.insert(0, title)
            if title[0] > begin + match.start():
                break
        return titles

    def _title(self, start: int, end: int) -> tuple[int, int] | None:
        """The title that ``text[start:end]`` ends in."""
        words = load_titles()
        if not self.text.endswith(words.ends, start, end) or self.text.endswith(words.never, start, end):
            return None
        for word in words.starts:
            at = self.text.rfind(word, start, end - 1)
            if at >= 0 and at + len(word) < end and not self.text.startswith(words.longer, at):
                start = max(start, at + len(word))
        for group in words.groups:
            at = self.text.rfind(group, start, end)
            if 0 <= at < end - len(group) and (group != "委员会" or "公开" in self.text[start:at]):
                start = at + len(group)
        own = _OWN.match(self.text, start, end)
        start = own.end() if own else start
        return (start, end) if end - start > 1 and self.text[start:end] != "成员" else None

    def _head(self, start: int) -> list[tuple[int, int]]:
        """The title that a colon or 由 puts before a name or a list: 组长:, 副组长由…担任."""
        match = _HEAD.search(self.text, max(0, start - 24), start)
        if not match:
            return []
        begin = match.start(1)
        while begin and self.text[begin - 1] not in _CLAUSE + " 、":
            begin -= 1
        named = any(begin < stop and at < match.end() for at, stop in self.names)
        # What is said in brackets of another name heads nothing.
        said = self.text[begin - 1 : begin] == "(" and any(stop == begin - 1 for _, stop in self.names)
        if named or said or _HELD.match(self.text, begin):
            return []
        title = self._title(begin, match.end(1))
        return [title] if title else []

    def behind(self, span: tuple[int, int]) -> list[tuple[int, int]]:
        """The titles that follow a name: in brackets, after 任 or 为, or in the columns of a list."""
        found: list[tuple[int, int]] = []
        at = _COMRADE.match(self.text, span[1]).end()  # type: ignore[union-attr]
        bracket = _BRACKET.match(self.text, at)
        if bracket:
            found += self._titles_in(bracket.start() + 1, bracket.end() - 1)
            at = _COMRADE.match(self.text, bracket.end()).end()  # type: ignore[union-attr]
        held = self._held(at)
        if held:
            return [*found, held[-1]]
        direct = _DIRECT.match(self.text, at)
        if direct:
            found += [direct.span(), *self._held(direct.end())]
        elif not bracket:
            found += self._columns(span[1])
        return [*found, *self._held_by_all(at), *self._held_later(at)]

    def _held_later(self, at: int) -> list[tuple[int, int]]:
        """The title behind a second verb of the clause: 分管政务公开并兼任领导小组组长."""
        match = _ALSO.match(self.text, at)
        if not match or any(at <= begin < match.end() for begin, _ in self.names):
            return []
        return self._held(match.end())

    def _titles_in(self, start: int, end: int) -> list[tuple[int, int]]:
        parts = re.finditer(r"[^、,; ]+", self.text[start:end])
        titles = [self._title(start + part.start(), start + part.end()) for part in parts]
        return [title for title in titles if title]

    def _held(self, at: int) -> list[tuple[int, int]]:
        """The titles behind 任, 为, 兼: 任组长, 兼任领导小组办公室主任."""
        match = _holding().match(self.text, at)
        if not match:
            return []
        stop = _HELD_END.search(self.text, match.end())
        end = stop.start() if stop else len(self.text)
        end = min([end, *(begin for begin, _ in self.names if begin >= match.end())])
        titles: list[tuple[int, int]] = []
        for part in re.finditer(r"[^、]+", self.text[match.end() : end]):
            title = self._title_at(match.end() + part.start(), match.end() + part.end())
            if title is None:
                break
            titles.append(title)
        return titles if "分" in match.group() else titles[:1]

    def _title_at(self, start: int, end: int) -> tuple[int, int] | None:
        """The title with which ``text[start:end]`` begins, words behind it left aside."""
        match = _first_title().match(self.text, start, end)
        return self._title(start, match.end()) if match else None

    def _held_by_all(self, at: int) -> list[tuple[int, int]]:
        """The title behind the last name of the list that goes on at ``at``: A、B任副组长."""
        for count, (begin, stop) in enumerate((name for name in self.names if name[0] >= at), start=1):
            between = _BRACKET.sub("", self.text[at:begin])
            if not re.match(r"(?:同志)?(?:[、和及与]|以及)", between) or re.search(f"[{_CLAUSE}]", between):
                return []
            at = _COMRADE.match(self.text, stop).end()  # type: ignore[union-attr]
            bracket = _BRACKET.match(self.text, at)
            at = _COMRADE.match(self.text, bracket.end()).end() if bracket else at  # type: ignore[union-attr]
            held = self._held(at)
            if held:
                return held[-count - 1 : len(held) - count] if len(held) > 1 else held
        return []

    def _columns(self, at: int) -> list[tuple[int, int]]:
        """The titles that stand behind a name in the columns of a list, parted by blanks."""
        titles: list[tuple[int, int]] = []
        end = _STOP.search(self.text, at + 1)
        row_end = self.text.find("\n", at + 1)
        if row_end >= 0 and (end is None or row_end < end.start()):
            end = _ROW_END.search(self.text, row_end)
        limit = min([end.start() if end else len(self.text), *(begin for begin, _ in self.names if begin >= at)])
        if at >= len(self.text):
            return []
        if not (at in self.parted or self.text[at] in " \n,"):
            row = self._titles_in(at, limit)
            whole = bool(row) and row[0][0] == at and row[-1][1] == limit
            return row if whole and (len(row) > 1 or self.text[limit : limit + 1] == "\n") else []
        if self.text[at] == ",":
            alone = end is not None and limit == end.start() and self._is_title(at + 1, limit)
            return [(at + 1, limit)] if alone else []
        for part in re.finditer(r"[^ \n]+", self.text[at:limit]):
            pieces = self._titles_in(at + part.start(), at + part.end())
            if not pieces or pieces[0][0] != at + part.start() or pieces[-1][1] != at + part.end():
                break
            titles += pieces
        return titles

    def _is_title(self, start: int, end: int) -> bool:
        return end - start < 8 and self._title(start, end) == (start, end)


_BRACKET = re.compile(r"\([^()]*\)")
_HELD_END = re.compile(r"[,;。:()\n ]|的")
_ROW_END = re.compile("\n")
_STOP = re.compile(r"[,;。:()]")
_HELD = re.compile(r"(?:同志)?(?:共同|分别|同|均)?(?:[担出改]?任|为|兼)")
_HEAD = re.compile(
    r"(长|主任|分管领导|领导|负责人|书记|主席)[ \n]*"
    r"(?:[:,)]|改?由(?:新任|现任)?|(?:已?(?:调整|变更|改))?为|是)[ \n]*$"
)
_ALSO = re.compile(r"[^,;。:()\n]{0,24}?[并还又仍改](?=兼?任|兼)")
# A title behind the name: 王某局长.
_DIRECT = re.compile(
    r"(?:常务)?副?(?:书记|[镇乡县区市省局处科所站院校部厅]长|主任|主席|秘书长)(?=[^、]|、)(?!任|为|[)(])"
)
_OWN = re.compile(r"(?:我|本|该)[县市区镇乡局委办校院站所]?(?:中心|街道)?(?=[^,;。]{2,})")


@cache
def _first_title() -> re.Pattern[str]:
    ends = "|".join(map(re.escape, load_titles().ends))
    return re.compile(f"[^、,;。:]*?(?:{ends})(?:兼任?[^、,;。:]*?(?:{ends}))?")


@cache
def _holding() -> re.Pattern[str]:
    words = load_titles()
    jointly, holds = ("|".join(map(re.escape, listed)) for listed in (words.jointly, words.holds))
    return re.compile(f"(?:{jointly})?(?:{holds})")
