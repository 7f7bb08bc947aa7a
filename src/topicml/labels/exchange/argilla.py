"""Argilla: a JSON array of records with ``fields`` and ``responses`` to questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from topicml.labels.exchange.annotation import Columns, ForeignAnnotation
from topicml.labels.exchange.label_studio import chosen
from topicml.labels.exchange.metadata import answer, metadata, own_metadata
from topicml.labels.exchange.source import Object, Source, json_array
from topicml.labels.records import LabelRecord

_QUESTION = "topics"
_NOT_SUBMITTED = ("draft", "discarded")


def claims(fields: dict[str, Any]) -> bool:
    """Whether an object looks like a record of Argilla."""
    return isinstance(fields.get("fields"), dict) and "responses" in fields


def read(source: Source, columns: Columns) -> Iterator[ForeignAnnotation]:
    """Yield each response to the question of each record.

    Raises:
        LabelError: There are several questions, and none was named.
    """
    questions = {
        question
        for number, record in source.objects
        for question in source.mapping(number, record, "responses")
    }
    question = chosen(source, questions, columns.label)
    for item in source.objects:
        yield from _record(source, item, columns.text, question)


def _record(
    source: Source, item: Object, text_field: str, question: str | None
) -> Iterator[ForeignAnnotation]:
    number, record = item
    text = source.text_of(number, source.mapping(number, record, "fields"), text_field)
    meta = source.mapping(number, record, "metadata")
    same: dict[str, Any] = own_metadata(source, number, meta, text)
    same["id"] = source.name(number, record.get("id"))
    responses = source.mapping(number, record, "responses")
    answers = source.rows(number, responses, question or "")
    if not answers:
        yield ForeignAnnotation(number, text, None, skipped="no response", **same)
    for given in answers:
        value, status = given.get("value"), given.get("status")
        is_answer = value is not None and status not in _NOT_SUBMITTED
        yield ForeignAnnotation(
            number,
            text,
            source.names(number, value) if is_answer else None,
            skipped=str(status) if status in _NOT_SUBMITTED else "no response",
            annotator=source.name(number, given.get("user_id")),
            **same,
        )


def write(records: Sequence[LabelRecord], _topics: Sequence[str]) -> str:
    """Return records with a response each; those without a label have none."""
    return json_array(
        {
            "id": r.id,
            "fields": {"text": r.text},
            "responses": _responses(r),
            "metadata": metadata(r),
        }
        for r in records
    )


def _responses(record: LabelRecord) -> dict[str, Any]:
    topics = answer(record)
    if topics is None:
        return {}
    return {_QUESTION: [{"value": list(topics), "user_id": record.annotator or None}]}
