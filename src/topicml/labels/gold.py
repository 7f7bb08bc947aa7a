"""What follows from annotations: the gold labels, by a rule.

Of each annotator's readings of a sentence the last counts. What was adjudicated is gold, by the
last adjudication; else what all annotators agree in; else what the only one said. Where they
disagree nothing is. Who skipped a sentence has said nothing about it. Readings of a text that
has since become another one (by its SHA-1) do not count, nor do those of before a topic of the
sentence was split.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from topicml.errors import LabelError
from topicml.labels.records import Annotation, LabelRecord, Status
from topicml.labels.references import LabelReference
from topicml.labels.texts import sha1_of

Rule = Literal["adjudicated", "agreement", "single", "disagreement", "split", "skipped"]
GOLD_RULES: tuple[Rule, ...] = ("adjudicated", "agreement", "single")
RULES: tuple[Rule, ...] = (*GOLD_RULES, "disagreement", "split", "skipped")
_STATUS: dict[Rule, Status] = {"adjudicated": "gold", "agreement": "gold", "single": "single"}
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the annotations of one sentence come to.

    Attributes:
        id: The sentence's.
        rule: Which part of the rule said so; those of ``GOLD_RULES`` are gold.
        topics: Those decided; None where nothing is.
        readings: The last annotation of each annotator, by name; skipped ones, too.
        decided_by: Who decided it.
        sha1: SHA-1 of the text that was read; empty where none was written down.
    """

    id: str
    rule: Rule
    topics: tuple[str, ...] | None
    readings: tuple[Annotation, ...]
    decided_by: tuple[str, ...]
    sha1: str


def decide(annotations: Iterable[Annotation]) -> list[Decision]:
    """Return what annotations come to, by id.

    Raises:
        LabelError: One annotator has read a sentence twice, and no time says what was last.
    """
    by_id: dict[str, list[Annotation]] = defaultdict(list)
    for one in _current(annotations):
        by_id[one.id].append(one)
    return [_decision(identifier, by_id[identifier]) for identifier in sorted(by_id)]


def last_readings(annotations: Iterable[Annotation]) -> list[Annotation]:
    """Return each annotator's last reading of each sentence; adjudications are none.

    Raises:
        LabelError: One annotator has read a sentence twice, and no time says what was last.
    """
    last: dict[tuple[str, str], Annotation] = {}
    for one in _current(annotations):
        if one.adjudicated:
            continue
        key = one.id, one.annotator
        if one.time is None and key in last:
            raise LabelError(
                f"{one.id!r} is annotated twice by {one.annotator or 'nobody named'!r}, "
                f"first at {last[key].where}",
                where=one.where,
                hint="Without a time it cannot be told which is the last: remove one.",
            )
        last[key] = one
    return list(last.values())


def _current(annotations: Iterable[Annotation]) -> list[Annotation]:
    """Return annotations by time, without those of a text that was another one later.

    Those of one time, or of none, stay in their order.
    """
    by_time = sorted(annotations, key=lambda one: one.time or _LONG_AGO)
    newest = {one.id: one.sha1 for one in by_time if one.sha1}
    return [one for one in by_time if one.sha1 in ("", newest.get(one.id))]


def _decision(identifier: str, annotations: Sequence[Annotation]) -> Decision:
    readings = sorted(last_readings(annotations), key=lambda one: one.annotator)
    adjudications = [one for one in annotations if one.adjudicated and not one.split]
    rule, deciding = _apply([one for one in readings if one.decides], adjudications)
    if rule == "skipped" and any(one.split for one in annotations):
        rule = "split"
    return Decision(
        identifier,
        rule,
        deciding[0].topics if deciding else None,
        tuple(readings),
        tuple(one.annotator for one in deciding),
        next((one.sha1 for one in annotations if one.sha1), ""),
    )


def _apply(
    readings: list[Annotation], adjudications: list[Annotation]
) -> tuple[Rule, list[Annotation]]:
    if adjudications and not adjudications[-1].skipped:
        return "adjudicated", adjudications[-1:]
    if not readings:
        return "skipped", []
    if len({one.topics for one in readings}) > 1:
        return "disagreement", []
    return ("agreement" if len(readings) > 1 else "single"), readings


Label = LabelRecord | LabelReference


@dataclass(frozen=True, slots=True)
class GoldLabels:
    """The gold labels as records of a label file, and what has none.

    Attributes:
        labels: By id; those by reference stay so.
        unknown: Ids of what is decided on sentences that no label file has.
        changed: Ids of sentences whose text is no longer the one that was read.
    """

    labels: list[Label]
    unknown: list[str]
    changed: list[str]


def gold_labels(decisions: Iterable[Decision], sentences: Iterable[Label]) -> GoldLabels:
    """Give sentences the labels that were decided.

    Args:
        decisions: Those that are not gold are passed over.
        sentences: Labels of label files, for everything but topics, annotator and status.
    """
    by_id: Mapping[str, Label] = {label.id: label for label in sentences}
    result = GoldLabels([], [], [])
    for decision in decisions:
        if decision.topics is None:
            continue
        sentence = by_id.get(decision.id)
        if sentence is None:
            result.unknown.append(decision.id)
        elif decision.sha1 not in ("", text_sha1(sentence)):
            result.changed.append(decision.id)
        else:
            result.labels.append(_labelled(sentence, decision, decision.topics))
    return result


def text_sha1(label: Label) -> str:
    """Return the SHA-1 of a label's sentence."""
    return label.pointer.sha1 if isinstance(label, LabelReference) else sha1_of(label.text)


def _labelled(sentence: Label, decision: Decision, topics: tuple[str, ...]) -> Label:
    annotator = ", ".join(filter(None, decision.decided_by)) or decision.rule
    status = _STATUS[decision.rule]
    if isinstance(sentence, LabelReference):
        return replace(sentence, topics=topics, annotator=annotator, status=status, unsure=False)
    return replace(sentence, topics=topics, annotator=annotator, status=status)
