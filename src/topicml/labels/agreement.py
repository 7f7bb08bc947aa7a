"""Agreement between two annotators who labelled the same sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sklearn.metrics import cohen_kappa_score

from topicml.errors import LabelError
from topicml.labels.records import Annotation
from topicml.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class TopicAgreement:
    """Two annotators on one topic: how often each gave it, and Cohen's kappa.

    Kappa (Cohen, "A Coefficient of Agreement for Nominal Scales", 1960) is None where
    both gave the topic to no sentence, or to every one.
    """

    topic: str
    first: int
    second: int
    kappa: float | None


def agreement(
    first: Sequence[Annotation], second: Sequence[Annotation], taxonomy: Taxonomy
) -> list[TopicAgreement]:
    """Compare two passes over the same sentences, topic by topic.

    Raises:
        LabelError: The passes share no sentence, or one names an unknown topic.
    """
    for annotation in (*first, *second):
        taxonomy.check(annotation.topics, f"annotation of {annotation.id!r}")
    pairs = _pairs(first, second)
    if not pairs:
        raise LabelError(
            "the two passes share no sentence", hint="Compare passes over the same ids."
        )
    rows = []
    for topic in taxonomy.topic_ids:
        a = [topic in one.topics for one, _ in pairs]
        b = [topic in other.topics for _, other in pairs]
        defined = len(set(a + b)) > 1
        kappa = float(cohen_kappa_score(a, b)) if defined else None
        rows.append(TopicAgreement(topic, sum(a), sum(b), kappa))
    return rows


def differences(
    first: Sequence[Annotation], second: Sequence[Annotation]
) -> list[tuple[Annotation, Annotation]]:
    """Return the pairs of annotations of one sentence that differ."""
    return [(a, b) for a, b in _pairs(first, second) if a.topics != b.topics]


def _pairs(
    first: Sequence[Annotation], second: Sequence[Annotation]
) -> list[tuple[Annotation, Annotation]]:
    by_id = {annotation.id: annotation for annotation in second}
    return [(a, by_id[a.id]) for a in first if a.id in by_id]
