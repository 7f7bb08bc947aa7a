"""Label files brought to what annotations come to, line by line; all other lines stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from topicml.appending import locked
from topicml.files import write_text
from topicml.labels.gold import Decision, Label, gold_labels, text_sha1
from topicml.labels.store import read_as_written


def follow(path: Path, decisions: Mapping[str, Decision]) -> list[str]:
    """Give the labels of a file the topics that were decided.

    Where annotators disagree, and where nobody says anything any more, a label is ``skipped``:
    nothing is trained on it.

    Args:
        path: Label file.
        decisions: By the id of the sentence; those of other files are passed over.

    Returns:
        Ids of the labels that were changed.

    Raises:
        LabelError: Something in the file is no label.
        OutputError: It cannot be written.
    """
    with locked(path):
        labels = [label for label in read_as_written(path) if label.id in decisions]
        changed = [
            (label, found)
            for label in labels
            if (found := _decided(label, decisions[label.id])) != label
        ]
        if changed:
            _replace_lines(path, changed)
    return [label.id for label, _ in changed]


def _decided(label: Label, decision: Decision) -> Label:
    if decision.sha1 not in ("", text_sha1(label)):
        return label  # another text was read
    for found in gold_labels([decision], [label]).labels:
        return found
    people = ", ".join(one.annotator for one in decision.readings if one.decides)
    return replace(label, topics=(), annotator=people, status="skipped")


def _replace_lines(path: Path, changed: Iterable[tuple[Label, Label]]) -> None:
    lines = path.read_bytes().decode("utf-8").split("\n")
    for before, now in changed:
        assert before.line is not None  # noqa: S101 - it was read from a file
        lines[before.line - 1] = now.to_json()
    write_text(path, "\n".join(lines))
