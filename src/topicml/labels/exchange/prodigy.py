"""Prodigy: JSON Lines of ``choice`` (``options``, ``accept``) or binary (``label``) answers.

An accepted choice of nothing is the empty set. A binary answer is on its one label: ``reject``
says that it is not there, and nothing of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from topicml.labels.exchange.annotation import Columns, ForeignAnnotation
from topicml.labels.exchange.metadata import answer, metadata, own_metadata
from topicml.labels.exchange.source import Source, json_lines
from topicml.labels.records import LabelRecord


def claims(fields: dict[str, Any]) -> bool:
    """Whether an object looks like Prodigy's."""
    return "answer" in fields or "_task_hash" in fields or {"options", "text"} <= fields.keys()


def read(source: Source, columns: Columns) -> Iterator[ForeignAnnotation]:
    """Yield the annotation of each line."""
    source.check_asked(columns.label)
    for number, fields in source.objects:
        text = source.text_of(number, fields, columns.text)
        meta = source.mapping(number, fields, "meta")
        labels, asked, skipped = _answer(source, number, fields, columns.label or "label")
        yield ForeignAnnotation(
            number,
            text,
            labels,
            skipped=skipped,
            asked=asked,
            id=source.name(number, meta.get("id"), fields.get("id"), fields.get("_input_hash")),
            annotator=source.name(number, fields.get("_annotator_id"), fields.get("_session_id")),
            **own_metadata(source, number, meta, text),
        )


_Answer = tuple[tuple[str, ...] | None, frozenset[str] | None, str]


def _answer(source: Source, number: int, fields: dict[str, Any], label: str) -> _Answer:
    """Return the labels, those that were asked for, and why there is no answer."""
    given = fields.get("answer")
    if given not in ("accept", "reject", "ignore", None):
        what = f"'answer' is {given!r:.80}"
        raise source.wrong(number, what, "It is accept, reject or ignore.")
    if given in ("ignore", None):
        return None, None, given or "no answer"
    if "options" in fields or "accept" in fields:
        return _choice(source, number, fields)
    name = fields.get(label)
    if not isinstance(name, str):
        raise source.wrong(number, f"neither 'accept' nor a {label!r}")
    return ((name,) if given == "accept" else ()), frozenset({name}), ""


def _choice(source: Source, number: int, fields: dict[str, Any]) -> _Answer:
    options = source.rows(number, fields, "options")
    names = {str(option.get("id")): _name(option) for option in options}
    accepted = fields.get("accept", [])
    if fields["answer"] == "reject":
        return None, None, "reject"
    if not isinstance(accepted, list):
        raise source.wrong(number, f"'accept' must be a list, found {accepted!r:.80}")
    labels = source.names(number, [names.get(str(choice), choice) for choice in accepted])
    return labels, frozenset(names.values()) or None, ""


def _name(option: dict[str, Any]) -> str:
    """Return an option's id, or what is shown of it where the id is only its number."""
    found = option.get("id")
    return found if isinstance(found, str) else str(option.get("text", found))


def write(records: Sequence[LabelRecord], topics: Sequence[str]) -> str:
    """Return records as answered choices; those without a label as tasks to be answered."""
    options = [{"id": topic, "text": topic} for topic in topics]
    return json_lines(
        {"text": r.text, "options": options} | _answered(r) | {"meta": metadata(r)} for r in records
    )


def _answered(record: LabelRecord) -> dict[str, Any]:
    topics = answer(record)
    return {} if topics is None else {"accept": list(topics), "answer": "accept"}
