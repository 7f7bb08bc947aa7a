"""Label Studio's JSON_MIN: a row an annotation, data and choices beside each other.

A single choice is a bare string, several are ``{"choices": […]}``. No choice is a field that is
not there, as it also is where the annotator left the task.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from topicml.labels.exchange.annotation import Columns, ForeignAnnotation
from topicml.labels.exchange.label_studio import chosen
from topicml.labels.exchange.metadata import NAMES, answer, metadata, own_metadata
from topicml.labels.exchange.source import Source, json_array
from topicml.labels.records import LabelRecord

_CONTROL = "topics"
_ROW = {
    *("id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time"),
    *("article", "doc", *NAMES),
}


def claims(fields: dict[str, Any]) -> bool:
    """Whether an object looks like a row of JSON_MIN."""
    return "annotation_id" in fields


def read(source: Source, columns: Columns) -> Iterator[ForeignAnnotation]:
    """Yield the annotation of each row.

    Raises:
        LabelError: It is not plain which field has the choices.
    """
    source.check_asked(columns.label)
    name = columns.label or _control(source, columns.text)
    for number, fields in source.objects:
        text = source.text_of(number, fields, columns.text)
        value = fields.get(name) if name else None
        if isinstance(value, dict):
            value = value.get("choices")
        is_cancelled = fields.get("was_cancelled") is True
        yield ForeignAnnotation(
            number,
            text,
            None if is_cancelled else source.names(number, [] if value is None else value),
            skipped="was_cancelled",
            is_said=value is not None,
            id=source.name(number, fields.get("id")),
            annotator=source.name(number, fields.get("annotator")),
            **own_metadata(source, number, fields, text),
        )


def _control(source: Source, text: str) -> str | None:
    """Return the field of the choices: one that has them, or is called as ours is."""
    found = {name for _, fields in source.objects for name in fields if name not in _ROW}
    found -= {text, "was_cancelled"}
    if _CONTROL in found:
        return _CONTROL
    lists = {
        name
        for _, fields in source.objects
        for name in found
        if isinstance(fields.get(name), dict) and "choices" in fields[name]
    }
    return chosen(source, lists or found, None)


def write(records: Sequence[LabelRecord], _topics: Sequence[str]) -> str:
    """Return a row for each record that has a label."""
    return json_array(_row(number, record) for number, record in enumerate(records, start=1))


def _row(number: int, record: LabelRecord) -> dict[str, Any]:
    topics = list(answer(record) or ())
    choices = topics[0] if len(topics) == 1 else {"choices": topics}
    row: dict[str, Any] = {"id": record.id, "text": record.text, _CONTROL: choices}
    row |= {"annotation_id": number, "annotator": record.annotator}
    if record.status == "skipped":
        row = {**row, "was_cancelled": True}
    return row | metadata(record)
