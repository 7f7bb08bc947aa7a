"""Annotators imported one after another: labels follow all annotations, by the rule of gold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from topicml.labels.exchange.merge import Merged
from topicml.labels.gold import Decision, Label, decide, gold_labels, text_sha1
from topicml.labels.records import Annotation, LabelRecord
from topicml.labels.texts import sha1_of

_Readings = dict[str, list[Annotation]]


def follow(
    merged: Merged, labels: Mapping[str, Label], stored: Iterable[Annotation], origin: str
) -> tuple[Merged, frozenset[str]]:
    """Let imported labels be what comes of them and of the annotations that are there.

    A label that is there is a reading, too, where one annotator alone gave it. One that somebody
    decided in another way than annotations say is not touched, nor are corrections of labels
    that had been exported.

    Args:
        merged: What was imported.
        labels: Those that are there, by id.
        stored: Annotations that are there.
        origin: Where labels that are readings come from.

    Returns:
        What was imported, its labels those that follow; and their ids.
    """
    before, now = _by_id(stored), _by_id(merged.annotations)
    result = replace(merged, records=[], annotations=[], disagreements=[*merged.disagreements])
    followed = set[str]()
    for path, record in merged.records:
        label, known = labels.get(record.id), before.get(record.id, [])
        if label and record.id in now and _is_open(label, record, known, merged):
            own = _own_reading(label, known, origin)
            result.annotations += own
            found = _decided(label, record, [*own, *known], now[record.id])
            followed.add(record.id)
            _note(found, result)
            record = found
        result.records.append((path, record))
    result.annotations += merged.annotations
    return result, frozenset(followed)


def _by_id(annotations: Iterable[Annotation]) -> _Readings:
    found: _Readings = defaultdict(list)
    for one in annotations:
        found[one.id].append(one)
    return found


def _is_open(label: Label, record: LabelRecord, known: list[Annotation], merged: Merged) -> bool:
    """Whether a label is what annotations make it, so that another one may change it."""
    if record.id in merged.corrected or text_sha1(label) != sha1_of(record.text):
        return False
    if label.status == "skipped" or (label.status == "single" and label.annotator):
        return True
    return any(one.topics == label.topics for one in decide(known))


def _own_reading(label: Label, known: list[Annotation], origin: str) -> list[Annotation]:
    names = {one.annotator for one in known}
    if label.status != "single" or not label.annotator or label.annotator in names:
        return []
    sha1 = text_sha1(label)
    return [Annotation(label.id, label.topics, label.annotator, origin=origin, sha1=sha1)]


def _decided(
    label: Label, record: LabelRecord, known: list[Annotation], new: list[Annotation]
) -> LabelRecord:
    time = datetime.now(UTC)
    (decision,) = decide([*known, *(replace(one, time=time) for one in new)])
    there = label if isinstance(label, LabelRecord) else label.with_text(record.text)
    for found in gold_labels([decision], [there]).labels:
        if isinstance(found, LabelRecord):
            return found
    return replace(there, topics=(), annotator=_people(decision), status="skipped")


def _people(decision: Decision) -> str:
    return ", ".join(one.annotator for one in decision.readings if one.decides)


def _note(record: LabelRecord, merged: Merged) -> None:
    merged.disagreements[:] = [one for one in merged.disagreements if one != record.id]
    if record.status == "skipped":
        merged.disagreements.append(record.id)
