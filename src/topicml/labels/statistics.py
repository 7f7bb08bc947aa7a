"""How many sentences there are: per topic, and per group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from topicml.labels.records import LabelRecord
from topicml.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class TopicStats:
    """How often a topic occurs, and how often alone."""

    topic: str
    sentences: int
    alone: int


def label_stats(records: Iterable[LabelRecord], taxonomy: Taxonomy) -> list[TopicStats]:
    """Count each topic's sentences, all and those with no other topic."""
    counts: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for record in records:
        counts.update(record.topics)
        if len(record.topics) == 1:
            alone.update(record.topics)
    return [TopicStats(topic, counts[topic], alone[topic]) for topic in taxonomy.topic_ids]


def group_sizes(records: Iterable[LabelRecord]) -> dict[str, int]:
    """Count sentences per group, in order of first appearance."""
    return dict(Counter(record.article for record in records))
