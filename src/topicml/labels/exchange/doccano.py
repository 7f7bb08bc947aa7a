"""doccano: JSON Lines of ``{"id", "text", "label": […]}``, metadata beside.

An empty ``label`` is a text without labels or one that nobody has read: doccano does not say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from topicml.labels.exchange.annotation import Columns, ForeignAnnotation
from topicml.labels.exchange.metadata import answer, metadata, own_metadata
from topicml.labels.exchange.source import Source, json_lines
from topicml.labels.records import LabelRecord


def claims(fields: dict[str, Any]) -> bool:
    """Whether an object looks like doccano's."""
    return isinstance(fields.get("label"), list)


def read(source: Source, columns: Columns) -> Iterator[ForeignAnnotation]:
    """Yield the annotations of a file."""
    source.check_asked(columns.label)
    name = columns.label or "label"
    for number, fields in source.objects:
        text = source.text_of(number, fields, columns.text)
        value = fields.get(name)
        yield ForeignAnnotation(
            number,
            text,
            None if value is None else source.names(number, value),
            skipped=f"no {name}",
            is_said=False,
            id=source.name(number, fields.get("id")),
            **own_metadata(source, number, fields, text),
        )


def write(records: Sequence[LabelRecord], _topics: Sequence[str]) -> str:
    """Return records as doccano takes them in."""
    return json_lines(
        {"id": r.id, "text": r.text, "label": list(answer(r) or ())} | metadata(r) for r in records
    )
