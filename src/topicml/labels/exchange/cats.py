"""spaCy's text categories: JSON Lines of ``{"text", "cats": {label: 0 or 1}}``.

A label that is not in ``cats`` was not asked for; where none is, there is no answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from topicml.labels.exchange.annotation import Columns, ForeignAnnotation
from topicml.labels.exchange.metadata import answer, metadata, own_metadata
from topicml.labels.exchange.source import Source, json_lines
from topicml.labels.records import LabelRecord


def claims(fields: dict[str, Any]) -> bool:
    """Whether an object has categories."""
    return isinstance(fields.get("cats"), dict)


def read(source: Source, columns: Columns) -> Iterator[ForeignAnnotation]:
    """Yield the annotation of each line."""
    source.check_asked(columns.label)
    name = columns.label or "cats"
    for number, fields in source.objects:
        text = source.text_of(number, fields, columns.text)
        cats = source.mapping(number, fields, name)
        wrong = {label: value for label, value in cats.items() if value not in (0, 1)}
        for label, value in wrong.items():
            what = f"{name!r} has {value!r:.80} for {label!r}"
            raise source.wrong(number, what, "A label is there (1) or not (0).")
        meta = source.mapping(number, fields, "meta")
        yield ForeignAnnotation(
            number,
            text,
            tuple(label for label, value in cats.items() if value) if cats else None,
            skipped=f"no {name}",
            asked=frozenset(cats),
            id=source.name(number, meta.get("id"), fields.get("id")),
            **own_metadata(source, number, meta, text),
        )


def write(records: Sequence[LabelRecord], topics: Sequence[str]) -> str:
    """Return records with a figure for every topic; none for those without a label."""
    return json_lines(
        {"text": r.text, "cats": _cats(answer(r), topics), "meta": metadata(r)} for r in records
    )


def _cats(given: Sequence[str] | None, topics: Sequence[str]) -> dict[str, int]:
    return {} if given is None else {topic: int(topic in given) for topic in topics}
