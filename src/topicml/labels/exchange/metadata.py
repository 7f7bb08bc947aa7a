"""A label record's own fields, carried through a tool as metadata beside the text.

Their names begin with ``record_``, so that they meet no field of the tool. ``record_topics`` are
the topics as they were exported: where they came back, the record did not change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from topicml.labels.exchange.source import Source
from topicml.labels.records import LabelRecord, label_record

PREFIX = "record_"
FIELDS = (
    *("id", "article", "topics", "source", "annotator", "status"),
    *("start", "end", "round", "chosen"),
)
NAMES = tuple(PREFIX + name for name in FIELDS)


def metadata(record: LabelRecord) -> dict[str, Any]:
    """Return what is carried, absent fields left out."""
    values = ((PREFIX + name, getattr(record, name)) for name in FIELDS)
    found = {name: value for name, value in values if value not in (None, "")}
    return found | {"record_topics": list(record.topics)}


def exported(
    source: Source, number: int, fields: Mapping[str, Any], text: str
) -> LabelRecord | None:
    """Return the record that was exported; None where the sentence came from elsewhere.

    Raises:
        LabelError: The metadata are damaged.
    """
    if not fields.get(f"{PREFIX}id"):
        return None
    own = {name: fields[PREFIX + name] for name in FIELDS if PREFIX + name in fields}
    return label_record(own | {"text": text}, source.path, number)


def own_metadata(
    source: Source, number: int, fields: Mapping[str, Any], text: str
) -> dict[str, Any]:
    """Return the arguments of a ``ForeignAnnotation`` that metadata give: its record or group."""
    return {
        "exported": exported(source, number, fields, text),
        "article": source.name(number, fields.get("article"), fields.get("doc")),
    }


def answer(record: LabelRecord) -> tuple[str, ...] | None:
    """Return the topics of a record; None where it was skipped."""
    return None if record.status == "skipped" else record.topics
