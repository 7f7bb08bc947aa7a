"""How much was labelled, by whom, and how well annotators agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from topicml.labels.agreement import agreement, alphas, differences, passes_by_annotator, shared
from topicml.labels.gold import RULES, decide
from topicml.labels.records import Annotation, LabelRecord
from topicml.labels.store import label_stats
from topicml.taxonomy import Taxonomy


def counts(
    annotations: Sequence[Annotation], records: Iterable[LabelRecord], taxonomy: Taxonomy
) -> dict[str, Any]:
    """Return counts of labels and annotators, and the agreement of each pair, as plain values.

    Raises:
        LabelError: It cannot be told which of two annotations counts.
    """
    decisions = decide(annotations)
    labels = [*records]
    labelled = [record for record in labels if record.status != "skipped"]
    topics = label_stats(labelled, taxonomy)
    return {
        "labels": len(labelled),
        "unlabelled": len(labels) - len(labelled),
        "without_topic": sum(not record.topics for record in labelled),
        "topics": [{"topic": one.topic, "sentences": one.sentences} for one in topics],
        "annotators": _annotators(annotations),
        "rules": {rule: sum(one.rule == rule for one in decisions) for rule in RULES},
        "pairs": _pairs(annotations, taxonomy),
    }


def _annotators(annotations: Sequence[Annotation]) -> list[dict[str, Any]]:
    decisions = decide(annotations)
    readings = [one for decision in decisions for one in decision.readings]
    read = Counter(one.annotator for one in readings if not one.skipped)
    skipped = Counter(one.annotator for one in readings if one.skipped)
    settled = Counter(
        name for one in decisions if one.rule == "adjudicated" for name in one.decided_by
    )
    names = sorted({one.annotator for one in annotations})
    return [
        {
            "annotator": name or "nobody named",
            "sentences": read[name],
            "skipped": skipped[name],
            "settled": settled[name],
        }
        for name in names
    ]


def _pairs(annotations: Sequence[Annotation], taxonomy: Taxonomy) -> list[dict[str, Any]]:
    known = {*taxonomy.topic_ids}
    passes = passes_by_annotator(one for one in annotations if known.issuperset(one.topics))
    pairs = []
    for first, second in combinations(passes, 2):
        both = passes[first], passes[second]
        if not shared(*both):
            continue
        found = alphas(both, taxonomy)
        pairs.append(
            {
                "first": first or "nobody named",
                "second": second or "nobody named",
                "sentences": found.sentences,
                "same": found.sentences - len(differences(*both)),
                "alpha": found.of_sets,
                "topics": [
                    {"topic": row.topic, "kappa": row.kappa, "alpha": found.by_topic[row.topic]}
                    for row in agreement(*both, taxonomy)
                ],
            }
        )
    return pairs
