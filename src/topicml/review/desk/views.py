"""A sentence as the page shows it: what the model, its label, oneself and others say of it."""

from __future__ import annotations

from typing import Any

from topicml.labels.gold import decide
from topicml.labels.records import Annotation, LabelRecord
from topicml.review.desk.known import LabelFolder
from topicml.review.desk.readings import Readings, is_open, last_of
from topicml.review.desk.tagging import Said


class Views:
    """Sentences as plain values.

    Args:
        labels: The label files.
        readings: What was said.
    """

    def __init__(self, labels: LabelFolder, readings: Readings) -> None:
        self._labels = labels
        self._readings = readings

    def shown(
        self, sentence: LabelRecord, model: Said, annotator: str, *, settles: bool = False
    ) -> dict[str, Any]:
        """Return a sentence with what the model and everybody says of it.

        Args:
            sentence: As a label, with an answer or without.
            model: What the model says.
            annotator: Who looks at it.
            settles: Whether an answer to it would decide where others differ.
        """
        return {
            **self.said(sentence, annotator, settles=settles),
            "text": sentence.text,
            "article": sentence.article,
            "start": sentence.start,
            "end": sentence.end,
            "suggested": list(model.topics),
            "probabilities": dict(model.probabilities or {}),
            "reason": model.reason,
        }

    def said(self, sentence: LabelRecord, annotator: str, *, settles: bool) -> dict[str, Any]:
        """Return what everybody says of a sentence, see ``shown``."""
        label = self._labels.labels().find(sentence.id, sentence.text)
        identifier = label.record.id if label else sentence.id
        annotations = self._readings.of(identifier)
        own = last_of(annotations, annotator, settles=settles)
        readings = decide(annotations)[0].readings if annotations else ()
        is_labelled = label is not None and label.record.status != "skipped"
        return {
            "id": identifier,
            "state": _state(own),
            "mine": None if own is None or own.skipped else list(own.topics),
            "note": "" if own is None or is_open(own) else own.note or own.reason,
            "label": list(label.record.topics) if label and is_labelled else None,
            "label_by": label.record.annotator if label and is_labelled else "",
            "status": label.record.status if label else "",
            "others": [
                {"annotator": one.annotator, "topics": list(one.topics), "state": _state(one)}
                for one in readings
                if one.annotator != annotator and not is_open(one)
            ],
        }


def _state(one: Annotation | None) -> str:
    if one is None or is_open(one):
        return "open"
    return "skipped" if one.skipped else "split" if one.split else "answered"
