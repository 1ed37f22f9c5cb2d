"""From decisions to labels: passages to train on, pictures of cells to test OCR with, and the forms of other tools.

Offsets are code points throughout, as in the record, in doccano and in spaCy. Label Studio stores code points too, its
older versions UTF-16 units, of which a rare character (𠮷) or an emoji takes two (its issues 1008 and 1347): the words
that it gives beside the offsets tell which they are.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from extractors.fields import claim_fields, entity_fields
from flows.decisions import (
    Decision,
    DecisionError,
    from_line,
    open_decisions,
    span_of,
    span_target,
    standing_in,
    to_line,
)
from flows.passages import find_passages, spans, stated_value, to_gold
from flows.reviewed import reviews

Passage = dict[str, Any]
FORMATS = ("gold", "label-studio", "doccano", "spacy")
# Points around a cell that a picture of it shows too: the rules of its table.
_MARGIN = 2.0
_OCR_DPI = 200
_UNSAFE = re.compile(r"[^0-9A-Za-z._-]+")
_MAX_LINE = 2_000_000


# --- decisions as JSON Lines -----------------------------------------------------------------------------------


def export_decisions(folder: Path, target: Path | None) -> str:
    """Writes every decision of a store, undone ones too, to a file or to standard output; says how many.

    Raises:
        DecisionError: there is no such folder.
        OSError: the file cannot be written.
    """
    with open_decisions(folder) as decisions:
        lines = [to_line(decision) for decision in decisions.every()]
    _write(target, lines)
    return f"{len(lines)} decisions"


def import_decisions(folder: Path, source: Path | None) -> str:
    """Takes in the decisions of a file, or of standard input, that the store has not; says how many.

    Raises:
        DecisionError: a line is no decision; then none is taken in.
        OSError: the file cannot be read.
    """
    found = []
    for number, line in enumerate(_lines(source), start=1):
        try:
            found.append(from_line(line))
        except DecisionError as error:
            raise DecisionError(f"line {number}: {error}") from error
    with open_decisions(folder) as decisions:
        added = decisions.add(found)
    return f"{added} decisions added, {len(found) - added} were there"


def _write(target: Path | None, lines: Iterable[str]) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    if target is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        target.write_bytes(data)


def _lines(source: Path | None) -> list[str]:
    data = sys.stdin.buffer.read() if source is None else source.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DecisionError(f"the file is not UTF-8: {error}") from error
    # Not splitlines: a text may hold other separators (U+2028).
    return [line for line in text.split("\n") if line.strip()]


def convert(options: Any) -> str:
    """What ``gongkai labels`` was asked for; says what was written.

    Raises:
        DecisionError: a file is not in its format, or there is no such folder.
        StoreError: there is no store.
        OSError: a file cannot be read or written.
    """
    if options.cells:
        count, failures = write_ocr_cases(options.store, options.out)
        return "\n".join((f"{count} pictures of cells", *failures))
    if options.source is not None:
        if options.kind == "spacy":
            raise DecisionError("passages come back from label-studio, doccano and gold files")
        passages = read_labels(options.source, options.kind)
        write_labels(passages, "gold", options.out)
        return f"{len(passages)} passages"
    if options.predicted:
        passages = list(predicted_passages(options.store, options.predicted))
        write_labels(passages, options.kind, options.out, predicted=True)
        return f"{len(passages)} passages"
    passages, loose = reviewed_passages(options.store)
    write_labels(passages, options.kind, options.out)
    return f"{len(passages)} passages; {loose} corrections in paragraphs that nobody confirmed are left out"


# --- passages --------------------------------------------------------------------------------------------------


def reviewed_passages(folder: Path) -> tuple[list[Passage], int]:
    """The confirmed paragraphs of a store, each with what it states, and how many corrections lie in none of them.

    A paragraph with one correction is no label: what else it states may still be wrong.

    Raises:
        DecisionError: there is no such folder.
    """
    with open_decisions(folder) as decisions:
        standing = list(decisions.all_standing())
    passages = [dict(one.truth) for one in standing if one.kind == "passage" and one.truth]
    confirmed: dict[str, list[tuple[int, int]]] = {}
    for one in standing:
        if one.kind == "passage":
            confirmed.setdefault(one.sha256, []).append(span_of(one.target))
    loose = 0
    for one in standing:
        if one.kind in ("claim", "entity") and one.verdict in ("corrected", "none"):
            start, end = span_of(one.target)
            loose += not any(low <= start and end <= high for low, high in confirmed.get(one.sha256, ()))
    return passages, loose


def predicted_passages(folder: Path, count: int) -> Iterator[Passage]:
    """Paragraphs of a store's reports that nobody has confirmed, with what the model reads in them: to start from.

    Scans are left out: their text would be read anew.

    Raises:
        StoreError: there is no store.
    """
    from extractors.errors import ExtractionError
    from extractors.extract import read_document
    from flows.store import Store

    standing = standing_in(folder)
    with Store(folder) as store:
        for line in store.records("NOT r.scanned"):
            record = json.loads(line)
            source = record["source"]
            decided = standing.get(source["sha256"], {})
            try:
                if hashlib.sha256(Path(source["path"]).read_bytes()).hexdigest() != source["sha256"]:
                    continue
                text = read_document(Path(source["path"])).text
            except (OSError, ExtractionError):
                # Moved or changed since: its offsets mean nothing any more.
                continue
            found = list(spans(record, reviews(record, decided)))
            for passage in find_passages(text):
                target = span_target(passage.start, passage.end)
                name = f"{source['sha256'][:12]}-{passage.start}"
                gold = to_gold(passage, found, name, ["predicted"])
                if gold and (gold["claims"] or gold["entities"]) and ("passage", target) not in decided:
                    yield gold
                    count -= 1
                    if not count:
                        return


def write_labels(passages: Sequence[Passage], kind: str, target: Path, predicted: bool = False) -> None:
    """Writes passages as one of :data:`FORMATS`; ``predicted`` ones go to Label Studio as predictions.

    Raises:
        OSError: the file cannot be written.
    """
    if kind == "spacy":
        target.write_bytes(to_docbin(passages))
    elif kind == "label-studio":
        text = json.dumps([to_label_studio(passage, predicted) for passage in passages], ensure_ascii=False)
        target.write_text(text, encoding="utf-8")
    else:
        shape: Callable[[Passage], Mapping[str, Any]] = to_doccano if kind == "doccano" else dict
        _write(target, (json.dumps(shape(passage), ensure_ascii=False) for passage in passages))


def read_labels(source: Path, kind: str) -> list[Passage]:
    """Passages from a file in one of :data:`FORMATS`, spaCy's aside.

    Raises:
        DecisionError: it is not in that format; the message names the passage.
        OSError: it cannot be read.
    """
    try:
        text = source.read_text(encoding="utf-8-sig")
        if kind == "label-studio":
            entries = json.loads(text)
        else:
            entries = [json.loads(line) for line in text.split("\n") if line.strip()]
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DecisionError(f"{source}: {error}") from error
    shape = {"label-studio": from_label_studio, "doccano": from_doccano}.get(kind, dict)
    passages = []
    for number, entry in enumerate(entries, start=1):
        try:
            passage = shape(entry)
            _check(passage)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise DecisionError(f"{source}, passage {number}: {type(error).__name__}: {error}") from error
        passages.append(passage)
    return passages


def _check(passage: Passage) -> None:
    known = {field.name for field in (*claim_fields(), *entity_fields())}
    for span in (*passage["entities"], *passage["claims"]):
        if passage["text"][span["start"] : span["end"]] != span["text"] or not span["text"]:
            raise ValueError(f"{span['text']!r} does not stand at {span['start']}")
        if not 0 <= span["start"] < span["end"] <= len(passage["text"]):
            raise ValueError(f"{span['start']} to {span['end']} is no stretch of the text")
        if span["field"] not in known:
            raise ValueError(f"there is no field {span['field']!r}")


# --- UTF-16 ----------------------------------------------------------------------------------------------------


def code_point_offset(text: str, place: int) -> int:
    """The code point at UTF-16 offset ``place``.

    Raises:
        ValueError: ``place`` lies within a character, or beyond the text.
    """
    before = text.encode("utf-16-le", "surrogatepass")[: 2 * place]
    if place < 0 or len(before) != 2 * place:
        raise ValueError(f"offset {place} lies beyond the text")
    return len(before.decode("utf-16-le"))


# --- Label Studio, doccano, spaCy ------------------------------------------------------------------------------


def to_label_studio(passage: Passage, predicted: bool = False) -> dict[str, Any]:
    """A task of Label Studio: text, and its spans as an annotation or, ``predicted``, as a prediction to start from.

    Labels are fields; what else is known of a span stands in ``meta.gongkai``, which comes back with an export.
    """
    results: list[dict[str, Any]] = []
    for number, span in enumerate(_spans(passage)):
        rest = {name: value for name, value in span.items() if name not in ("start", "end", "text", "field")}
        value = {"start": span["start"], "end": span["end"], "text": span["text"], "labels": [span["field"]]}
        results.append({
            "id": f"s{number}", "from_name": "label", "to_name": "text", "type": "labels", "value": value,
            "meta": {"gongkai": [json.dumps(rest, ensure_ascii=False)]},
        })  # fmt: skip
    outcome = {"model_version": "gongkai", "result": results} if predicted else {"result": results}
    data = {"text": passage["text"], "id": passage["id"], "tags": list(passage.get("tags", ()))}
    return {"data": data, "predictions" if predicted else "annotations": [outcome]}


def _code_points(text: str, value: Mapping[str, Any]) -> tuple[int, int]:
    """The offsets of a result in code points, whichever units they are in.

    Raises:
        ValueError: the words do not stand there in either.
    """
    start, end = value["start"], value["end"]
    # Its words lack runs of white space (issue 3078); without any, nothing can be compared.
    words = "".join(str(value.get("text") or "").split())
    if not words or "".join(text[start:end].split()) == words:
        return start, end
    start, end = code_point_offset(text, start), code_point_offset(text, end)
    if "".join(text[start:end].split()) != words:
        raise ValueError(f"{value['text']!r} does not stand at {value['start']}")
    return start, end


def label_studio_config() -> str:
    """The labelling interface that the tasks belong to, as Label Studio takes it."""
    labels = "".join(f'<Label value="{field.name}" hint="{field.term}"/>' for field in _fields())
    return f'<View><Labels name="label" toName="text">{labels}</Labels><Text name="text" value="$text"/></View>'


def from_label_studio(task: Mapping[str, Any]) -> Passage:
    """A passage from a task as Label Studio exports it: its latest annotation, else its prediction.

    Raises:
        ValueError: an offset lies within a character.
        KeyError: it is no such task.
    """
    text = task["data"]["text"]
    done = [one for one in task.get("annotations") or () if not one.get("was_cancelled")]
    outcomes = done or task.get("predictions") or [{"result": []}]
    spans = []
    for result in outcomes[-1]["result"]:
        if result["type"] != "labels":
            continue
        start, end = _code_points(text, result["value"])
        said = (result.get("meta") or {}).get("gongkai") or ["{}"]
        for label in result["value"]["labels"]:
            spans.append(_span(text, start, end, label, json.loads(said[0])))
    data = task["data"]
    return _gathered(str(data.get("id", task.get("id", ""))), text, spans, data.get("tags") or ())


def to_doccano(passage: Passage) -> dict[str, Any]:
    """A line of doccano's JSONL for sequence labelling, the passage's own spans kept under ``gongkai``."""
    labels = [[span["start"], span["end"], span["field"]] for span in _spans(passage)]
    rest = {name: passage[name] for name in ("entities", "claims", "tags") if name in passage}
    return {"id": passage["id"], "text": passage["text"], "label": labels, "gongkai": rest}


def from_doccano(line: Mapping[str, Any]) -> Passage:
    """A passage from a line of doccano; a span that it was given keeps what else was known of it.

    Raises:
        KeyError: it is no such line.
    """
    kept = line.get("gongkai") or {}
    known = {
        (span["start"], span["end"], span["field"]): span
        for span in (*kept.get("entities", ()), *kept.get("claims", ()))
    }
    text = line["text"]
    spans = [_span(text, start, end, label, known.get((start, end, label), {})) for start, end, label in line["label"]]
    return _gathered(str(line.get("id", "")), text, spans, kept.get("tags") or ())


def to_docbin(passages: Sequence[Passage]) -> bytes:
    """SpaCy's DocBin: a token a character; leaders and channels as ``ents``, claims as ``spans["claims"]``."""
    import spacy
    from spacy.tokens import Doc, DocBin, Span

    vocab = spacy.blank("xx").vocab
    box = DocBin(attrs=["ORTH", "SPACY", "ENT_IOB", "ENT_TYPE"], store_user_data=True)
    for passage in passages:
        doc = Doc(vocab, words=list(passage["text"]), spaces=[False] * len(passage["text"]))
        taken: list[Span] = []
        for span in passage["entities"]:
            made = Span(doc, span["start"], span["end"], label=span["field"])
            # Entities of spaCy never overlap.
            if all(made.end <= other.start or other.end <= made.start for other in taken):
                taken.append(made)
        doc.set_ents(taken)
        claims = passage["claims"]
        doc.spans["claims"] = [Span(doc, span["start"], span["end"], label=span["field"]) for span in claims]
        doc.user_data["passage"] = json.dumps(passage, ensure_ascii=False)
        box.add(doc)
    data: bytes = box.to_bytes()
    return data


def _fields() -> tuple[Any, ...]:
    return (*entity_fields(), *claim_fields())


def _spans(passage: Passage) -> list[Mapping[str, Any]]:
    return [*passage["entities"], *passage["claims"]]


def _span(text: str, start: int, end: int, field: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """A span in the form of the gold data; what is not known of a figure is read from its words."""
    words = text[start:end]
    span: dict[str, Any] = {"field": field, "start": start, "end": end, "text": words}
    if field in {one.name for one in entity_fields()}:
        return span | {"role": known.get("role"), "kind": known.get("kind")}
    value, unit, bound = stated_value(words)
    # A span that was moved states another figure.
    same = known.get("text", words) == words and "value" in known
    figure = {"value": known["value"], "unit": known.get("unit"), "bound": known.get("bound")} if same else {}
    rest = {name: known.get(name) for name in ("label", "scope", "part_of", "partition")}
    return span | {"id": known.get("id"), "value": value, "unit": unit, "bound": bound} | figure | rest


def _gathered(name: str, text: str, spans: Iterable[dict[str, Any]], tags: Iterable[str]) -> Passage:
    passage: Passage = {"id": name, "text": text, "entities": [], "claims": [], "tags": list(tags)}
    for span in sorted(spans, key=lambda one: (one["start"], one["end"])):
        passage["entities" if "role" in span else "claims"].append(span)
    taken = {claim["id"] for claim in passage["claims"] if claim["id"]}
    fresh = (f"n{number}" for number in range(10**9) if f"n{number}" not in taken)
    for claim in passage["claims"]:
        claim["id"] = claim["id"] or next(fresh)
    ids = {claim["id"] for claim in passage["claims"]}
    for claim in passage["claims"]:
        if claim["part_of"] not in ids:
            claim["part_of"] = claim["partition"] = None
    return passage


# --- cells of scans --------------------------------------------------------------------------------------------


def write_ocr_cases(folder: Path, out: Path) -> tuple[int, list[str]]:
    """Pictures of the cells of scans that reviewers corrected or confirmed, and ``cases.jsonl`` with what they print.

    Returns:
        The number of cases, and a line for each report that could not be cropped.

    Raises:
        DecisionError: there is no such folder.
        OSError: ``out`` cannot be written.
    """
    with open_decisions(folder) as decisions:
        found = [one for one in decisions.all_standing() if _is_case(one)]
    by_report: dict[str, list[Decision]] = {}
    for one in found:
        by_report.setdefault(one.sha256, []).append(one)
    out.mkdir(parents=True, exist_ok=True)
    lines, failures = [], []
    for sha256, cases in by_report.items():
        try:
            lines += list(_crop(sha256, cases, out))
        except Exception as error:
            # One damaged or moved file must not cost the cases of all others.
            failures.append(f"{(cases[0].about or {}).get('path')}: {error}")
    _write(out / "cases.jsonl", (json.dumps(line, ensure_ascii=False) for line in lines))
    return len(lines), failures


def _is_case(decision: Decision) -> bool:
    about = decision.about or {}
    return (
        decision.kind == "cell"
        and decision.verdict in ("right", "corrected")
        and bool(about.get("scanned"))
        and "box" in about
        and "page" in about
    )


def _crop(sha256: str, cases: Sequence[Decision], out: Path) -> Iterator[dict[str, Any]]:
    from flows.draw import crop

    about = cases[0].about or {}
    source = {"path": about["path"], "sha256": sha256, "media_type": about["media_type"], "pages": about["pages"]}
    for case in cases:
        place = case.about or {}
        left, top, right, bottom = place["box"]
        box = (left - _MARGIN, top - _MARGIN, right + _MARGIN, bottom + _MARGIN)
        name = f"{sha256[:12]}-{_UNSAFE.sub('-', case.target)}.png"
        (out / name).write_bytes(crop(source, int(place["page"]), box, _OCR_DPI))
        truth = case.truth or case.reading or {}
        yield {
            "picture": name, "text": truth.get("raw") or "", "value": truth.get("value"), "status": truth.get("status"),
            "read": case.raw, "verdict": case.verdict, "sha256": sha256, "key": case.target,
            "page": place["page"], "box": place["box"],
        }  # fmt: skip
