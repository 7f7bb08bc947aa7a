"""What there is to work through, sentence by sentence, each with why it is on the list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topicml.errors import LabelError
from topicml.labels.adjudication import open_cases
from topicml.labels.conflicts import KINDS
from topicml.labels.gold import Decision, decide
from topicml.labels.records import Annotation, LabelRecord, label_record
from topicml.review.desk.known import KnownLabels


@dataclass(frozen=True, slots=True)
class Task:
    """A sentence to look at.

    Attributes:
        sentence: As a label, with an answer or without.
        why: Why it is here, in a few words each.
        suggested: Topics to begin with, where others have said something.
    """

    sentence: LabelRecord
    why: tuple[str, ...]
    suggested: tuple[str, ...] = ()


def queue_tasks(output: Path, names: Mapping[str, str]) -> list[Task]:
    """Return what ``labels queue`` has chosen; nothing before it has run.

    Args:
        output: Of the command.
        names: Of topics, by id.
    """
    return [
        Task(label_record(row, output, number), tuple(_queue_reasons(row, names)))
        for number, row in enumerate(_rows(output), start=1)
        if isinstance(row.get("reasons"), dict)
    ]


def _queue_reasons(row: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    reasons = row["reasons"]
    if row.get("chosen") == "random":
        yield "drawn at random, so that the mix of topics is known"
    yield f"entropy {reasons['entropy']:.2f} bits"
    nearest = names.get(reasons["nearest"], reasons["nearest"])
    yield (
        f"{nearest} is nearest to being decided otherwise: "
        f"{reasons['probability']:.2f}, threshold {reasons['threshold']:.2f}"
    )
    if reasons["new"]:
        new = ", ".join(reasons["new"])
        yield f"{reasons['novelty']:.0%} of its words are new to the labels: {new}"


def issue_tasks(output: Path, known: KnownLabels) -> list[Task]:
    """Return what ``labels issues`` has found, of labels that are still as they were."""
    tasks: dict[str, Task] = {}
    for row in _rows(output):
        label = known.get(row["id"])
        if label is None or row["id"] in tasks:
            continue
        why = [KINDS[row["kind"]], *([f"as {row['other']}"] if row["other"] else [])]
        why.append(f"{label.path.name}, likely wrong: {row['score']:.2f}")
        tasks[row["id"]] = Task(label.record, tuple(why), tuple(row["suggested"]))
    return [*tasks.values()]


def disagreement_tasks(
    annotations: Sequence[Annotation],
    known: KnownLabels,
    queued: Iterable[Annotation],
    names: Mapping[str, str],
) -> list[Task]:
    """Return what annotators disagree on, among them whoever reads a settled label otherwise.

    Raises:
        LabelError: It cannot be told which of two annotations counts.
    """
    decisions = decide(annotations)
    settled = {one.id: one for one in annotations if one.adjudicated}
    cases, _ = open_cases(decisions, known.files, queued)

    def told(readings: Iterable[Annotation]) -> list[str]:
        return [_told(one, names) for one in readings]

    tasks = [
        Task(known[case.id].record, tuple(told(case.readings)), case.suggestion) for case in cases
    ]
    return tasks + [
        Task(
            known[one.id].record,
            (
                f"settled by {', '.join(one.decided_by)}: {_listed(one.topics or (), names)}",
                *told(_dissent(one, settled[one.id])),
            ),
            one.topics or (),
        )
        for one in decisions
        if one.rule == "adjudicated" and known.get(one.id) and _dissent(one, settled[one.id])
    ]


def _dissent(decision: Decision, settled: Annotation) -> list[Annotation]:
    """Return later readings that differ from what was settled."""
    return [
        one
        for one in decision.readings
        if one.decides and one.topics != decision.topics and _later(one, settled)
    ]


def _later(one: Annotation, other: Annotation) -> bool:
    return one.time is not None and (other.time is None or one.time >= other.time)


def _told(one: Annotation, names: Mapping[str, str]) -> str:
    split = [f"split since: {topic}" for topic in one.split]
    remarks = "; ".join([*split, *([one.note] if one.note else [])])
    return f"{one.annotator or 'nobody named'}: {_listed(one.topics, names)}" + (
        f" ({remarks})" if remarks else ""
    )


def _listed(topics: Sequence[str], names: Mapping[str, str]) -> str:
    return ", ".join(names.get(topic, topic) for topic in topics) or "no topic"


def _rows(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file that a command wrote; none where it is not there."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    try:
        return [json.loads(line) for line in lines]
    except ValueError as err:
        raise LabelError(f"cannot be read ({err})", where=path, hint="Make the list anew.") from err
