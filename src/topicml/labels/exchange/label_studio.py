"""Label Studio: a JSON array of tasks with ``data`` and ``annotations``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from topicml.labels.exchange.annotation import Columns, ForeignAnnotation
from topicml.labels.exchange.metadata import answer, metadata, own_metadata
from topicml.labels.exchange.source import Object, Source, json_array
from topicml.labels.records import LabelRecord

_CONTROL = "topics"


def claims(fields: dict[str, Any]) -> bool:
    """Whether an object looks like a task of Label Studio."""
    return isinstance(fields.get("data"), dict) and "annotations" in fields


def read(source: Source, columns: Columns) -> Iterator[ForeignAnnotation]:
    """Yield each annotation of each task.

    Raises:
        LabelError: The choices are of several controls, and none was named.
    """
    controls = {
        str(result.get("from_name"))
        for number, task in source.objects
        for annotation in source.rows(number, task, "annotations")
        for result in _choices(source, number, annotation)
    }
    control = chosen(source, controls, columns.label)
    for item in source.objects:
        yield from _task(source, item, columns.text, control)


def chosen(source: Source, names: set[str], asked: str | None) -> str | None:
    """Return whose labels are read: those asked for, or the only ones.

    Raises:
        LabelError: There are several, or not those asked for.
    """
    listed = ", ".join(sorted(names))
    if asked and names and asked not in names:
        raise source.wrong(None, f"no labels in {asked!r}", f"There are labels in: {listed}.")
    if not asked and len(names) > 1:
        what = f"labels in several places: {listed}"
        raise source.wrong(None, what, "Say with --label-field which are the topics.")
    return asked or next(iter(names), None)


def _choices(source: Source, number: int, annotation: dict[str, Any]) -> list[dict[str, Any]]:
    results = source.rows(number, annotation, "result")
    return [result for result in results if result.get("type") == "choices"]


def _task(
    source: Source, item: Object, text_field: str, control: str | None
) -> Iterator[ForeignAnnotation]:
    number, task = item
    data = source.mapping(number, task, "data")
    text = source.text_of(number, data, text_field)
    same: dict[str, Any] = own_metadata(source, number, data, text)
    same["id"] = source.name(number, data.get("id"), task.get("id"))
    annotations = source.rows(number, task, "annotations")
    if not annotations:
        yield ForeignAnnotation(number, text, None, skipped="no annotation", **same)
    for annotation in annotations:
        labels = [
            name
            for result in _choices(source, number, annotation)
            if str(result.get("from_name")) == control
            for name in source.names(number, source.mapping(number, result, "value").get("choices"))
        ]
        yield ForeignAnnotation(
            number,
            text,
            None if annotation.get("was_cancelled") else tuple(labels),
            skipped="was_cancelled",
            is_ground_truth=annotation.get("ground_truth") is True,
            annotator=_person(source, number, annotation.get("completed_by")),
            **same,
        )


def _person(source: Source, number: int, completed_by: Any) -> str:
    if isinstance(completed_by, dict):
        return source.name(number, completed_by.get("email"), completed_by.get("id"))
    return source.name(number, completed_by)


def write(records: Sequence[LabelRecord], _topics: Sequence[str]) -> str:
    """Return records as tasks to be taken in; those without a label have no annotation."""
    return json_array(
        {"data": {"id": r.id, "text": r.text} | metadata(r), "annotations": _annotations(r)}
        for r in records
    )


def _annotations(record: LabelRecord) -> list[dict[str, Any]]:
    topics = answer(record)
    if topics is None:
        return []
    choice = {"from_name": _CONTROL, "to_name": "text", "type": "choices"}
    result = [choice | {"value": {"choices": list(topics)}}] if topics else []
    return [{"result": result, "was_cancelled": False, "ground_truth": False}]
