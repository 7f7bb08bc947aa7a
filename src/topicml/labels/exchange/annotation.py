"""What every format is read into: one annotator's answer on one sentence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from topicml.labels.records import LabelRecord


@dataclass(frozen=True, slots=True)
class ForeignAnnotation:
    """One annotator's answer on one sentence, as a tool gave it.

    Attributes:
        number: Line or item of the file, from 1.
        text: The sentence.
        labels: Names as the tool has them; the empty tuple is an answer, None is none.
        skipped: Why there is no answer.
        asked: Names that the annotator decided on; None for all there are.
        is_said: Whether an empty answer is one in so many words, and not only the lack of labels.
        is_ground_truth: Whether the tool calls it adjudicated.
        id: Of the sentence; empty where the tool has none.
        article: Group of the sentence; empty where the tool has none.
        annotator: Empty where the tool names none.
        exported: The label record that was exported, where the sentence came from one.
    """

    number: int
    text: str
    labels: tuple[str, ...] | None
    skipped: str = ""
    asked: frozenset[str] | None = None
    is_said: bool = True
    is_ground_truth: bool = False
    id: str = ""
    article: str = ""
    annotator: str = ""
    exported: LabelRecord | None = None

    @property
    def is_unread(self) -> bool:
        """Whether it says no more than the sentence that was exported, which had no label."""
        was_skipped = self.exported is not None and self.exported.status == "skipped"
        return self.labels is None or (was_skipped and not self.labels and not self.is_said)


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a file has what.

    Attributes:
        text: Field of the text.
        label: Field, control or question of the labels; None for the only one.
        known: Label names that are known, with which a cell of joined names is taken apart.
    """

    text: str = "text"
    label: str | None = None
    known: Collection[str] = ()
