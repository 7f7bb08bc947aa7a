"""Labels that a model never gives: of sentences that it does not tag, whatever it has learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from topicml.io.records import counted
from topicml.labels.records import LabelRecord
from topicml.scheme import Scheme
from topicml.scoring.backends import Backends
from topicml.scoring.features import FeatureBlock
from topicml.scoring.scorer import Scorer
from topicml.tagging.abstention import REASONS, Reason, abstain
from topicml.text.normalise import as_scored
from topicml.text.packed import PackedTexts

_SHOWN = 3
_NO_WORDS = FeatureBlock("word", (1, 1), False, {}, np.zeros(0), np.zeros((0, 1)))


def refused_labels(
    records: Sequence[LabelRecord], scheme: Scheme
) -> dict[Reason | None, list[LabelRecord]]:
    """Return the labelled sentences with a topic that abstention refuses, by reason.

    What is not English, or part of a page, is so whatever words a model knows: its own training
    sentences it knows all of. For the same reason only what has no word at all is unfamiliar.

    Args:
        records: Labelled sentences.
        scheme: Whose rules of abstention apply.
    """
    with_topics = [r for r in records if r.topics and r.status != "skipped"]
    texts = PackedTexts.of([as_scored(record.text) for record in with_topics])
    said = _scorer_of_nothing().score_spans(*texts)
    relevant = np.ones(len(with_topics), dtype=np.bool_)
    counts = said.word_count, said.latin_share, said.known_share
    codes = abstain(texts, *counts, relevant, scheme=scheme)
    codes[(codes == REASONS.index("unfamiliar")) & (said.word_count > 0)] = 0
    found: dict[Reason | None, list[LabelRecord]] = {}
    for record, code in zip(with_topics, codes.tolist(), strict=True):
        if code:
            found.setdefault(REASONS[code], []).append(record)
    return found


def _scorer_of_nothing() -> Scorer:
    """Return a scorer without topics that knows no word: it counts words and letters."""
    scorer = Scorer(
        *((), np.zeros(0), 0.0, (), np.zeros((0, 0)), np.zeros(1)),
        *((_NO_WORDS,), Backends((_NO_WORDS,))),
    )
    scorer.use("reference")
    return scorer


def refused_notes(records: Sequence[LabelRecord], scheme: Scheme) -> list[str]:
    """Return a line on each reason for which labelled sentences would be refused."""
    return [
        refused_note(reason, found) for reason, found in refused_labels(records, scheme).items()
    ]


def refused_note(reason: Reason | None, records: Sequence[LabelRecord]) -> str:
    """Return what to say of sentences with topics that are refused for a reason."""
    ids = ", ".join(record.id for record in records[:_SHOWN])
    more = len(records) - _SHOWN
    return (
        f"{counted(len(records), 'sentence')} labelled with a topic would not be tagged, being "
        f"{reason}: {ids}" + (f" and {more:,} more" if more > 0 else "")
    )
