"""Labels that are likely wrong by what other labels and the codebook's worked cases say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from topicml.errors import LabelError
from topicml.labels.checks import near_duplicates, without_case
from topicml.labels.records import LabelRecord
from topicml.labels.store import LabelFile
from topicml.taxonomy import Taxonomy

Kind = Literal["contradiction", "near-contradiction", "worked-case", "doubted", "repeated"]
KINDS: dict[Kind, str] = {
    "contradiction": "the same text has other topics elsewhere",
    "near-contradiction": "nearly the same text has other topics elsewhere",
    "worked-case": "a worked case of the codebook is like it and has other topics",
    "doubted": "the training recipe, which has not seen it, says otherwise",
    "repeated": "nearly the same text is in another article, with the same topics",
}
"""All kinds of issues, and what each means."""


@dataclass(frozen=True, slots=True)
class Located:
    """A label, and the file that it is in."""

    path: Path
    record: LabelRecord

    @property
    def where(self) -> str:
        """File and line."""
        return f"{self.path}:{self.record.line}"


@dataclass(frozen=True, slots=True)
class Issue:
    """A label that is likely wrong, or a sentence that counts twice.

    Attributes:
        kind: Why it is listed.
        label: The label.
        suggested: Topics it should perhaps have.
        score: How likely it is wrong, from 0 to 1, the higher the likelier.
        probabilities: Of the topics given and suggested, where the recipe was asked.
        other: Id and place of what it is at odds with.
    """

    kind: Kind
    label: Located
    suggested: tuple[str, ...]
    score: float
    probabilities: Mapping[str, float] = field(default_factory=dict)
    other: str = ""


def located_labels(files: Iterable[LabelFile]) -> list[Located]:
    """Return the labels of files in order, without those that were skipped."""
    return [
        Located(file.path, record)
        for file in files
        for record in file.records
        if record.status != "skipped"
    ]


def text_issues(labels: Sequence[Located], taxonomy: Taxonomy) -> list[Issue]:
    """Return what texts alone tell: of each kind one for a label, by the text most like its own.

    Nearly the same is what shares more than 0.6 of its words (``checks.near_duplicates``); the
    share is the score. Of two with the same topics it says nothing: their score is 0.
    """
    best: dict[tuple[int, Kind], Issue] = {}
    for row, issue in _pair_issues(labels, taxonomy):
        before = best.setdefault((row, issue.kind), issue)
        if issue.score > before.score:
            best[row, issue.kind] = issue
    return list(best.values())


def _pair_issues(labels: Sequence[Located], taxonomy: Taxonomy) -> Iterator[tuple[int, Issue]]:
    """Yield rows of labels with what a text like theirs says, both ways of each pair."""
    others = [
        *((f"{one.record.id} ({one.where})", one.record.text, one.record.topics) for one in labels),
        *((f"worked case {case.text!r}", case.text, case.topics) for case in taxonomy.cases),
    ]
    for first, second, overlap in near_duplicates([text for _, text, _ in others]):
        for row, other in ((first, second), (second, first)):
            kind = _kind(labels, row, other, *others[other][1:]) if row < len(labels) else None
            if kind is not None:
                name, _, topics = others[other]
                score = 0.0 if kind == "repeated" else overlap
                yield row, Issue(kind, labels[row], tuple(sorted(topics)), score, other=name)


def _kind(
    labels: Sequence[Located], row: int, other: int, text: str, topics: tuple[str, ...]
) -> Kind | None:
    own = labels[row].record
    if {*own.topics} == {*topics}:
        is_repeated = other < len(labels) and own.article != labels[other].record.article
        return "repeated" if is_repeated else None
    if other >= len(labels):
        return "worked-case"
    return "contradiction" if without_case(own.text) == without_case(text) else "near-contradiction"


def refuse_contradictions(files: Iterable[LabelFile]) -> None:
    """Refuse labels of which two give one text different topics: both cannot be learned.

    Raises:
        LabelError: With the place of the second.
    """
    first: dict[str, Located] = {}
    for label in located_labels(files):
        other = first.setdefault(without_case(label.record.text), label)
        if other.record.topics != label.record.topics:
            raise LabelError(
                f"same text as {other.where}, other topics",
                where=label.where,
                hint="Correct one of the two; topicml labels check lists all.",
            )
