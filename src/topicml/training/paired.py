"""Two models on the same sentences: what differs, and how sure that is.

Intervals are those of ``intervals``: both models are judged with all documents and without each,
so that what makes a sentence hard for both cancels out. Decisions are compared topic by topic with
McNemar's test in its exact form: of the sentences where one of two is right, how many would a coin
give to either (McNemar, 1947; Dietterich, 1998)? Its p-values are those of several tests, and are
corrected by Holm's method (1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import binomtest

from topicml.scheme import Kind
from topicml.training.evaluation import Predictions
from topicml.training.intervals import (
    Jackknife,
    difference_interval,
)
from topicml.training.metrics import (
    FEWEST_DOCUMENTS_OF_TOPIC,
    Documents,
    Labels,
    ReliabilityBin,
    average_precisions,
    expected_calibration_errors,
    headline_jackknifes,
    reliability_table,
    topic_f1,
)

RANKING, CALIBRATION = "macro_average_precision", "expected_calibration_error"
FIGURES: dict[Kind, tuple[str, ...]] = {
    "multilabel": ("micro_f1", "macro_f1", RANKING, "false_tag_rate"),
    "multiclass": ("accuracy", "micro_f1", "macro_f1", RANKING),
}
"""By kind of scheme, all but that of calibration."""

_WIDENED = "chance widens both, by how much is not known"
_UNDEFINED = "no sentence that it is about"
_RARE_TOPICS = f"fewer than {FEWEST_DOCUMENTS_OF_TOPIC} documents carry half of the topics"


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of two models, and the new one's less the old one's with its 95 % interval.

    Attributes:
        old: None where undefined, as are the others then.
        note: Why there is no interval.
    """

    old: float | None
    new: float | None
    difference: float | None
    low: float | None
    high: float | None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Flips:
    """Decisions on a topic that changed; ``right`` are those where the new one is right."""

    gained_right: int
    gained_wrong: int
    lost_right: int
    lost_wrong: int


@dataclass(frozen=True, slots=True)
class TopicDifference:
    """One topic: how many sentences carry it, F1, changed decisions, and McNemar's test of them.

    Attributes:
        p_value: Exact and two-sided; 1 where no decision changed.
        p_corrected: The same with Holm's correction for the number of topics.
    """

    topic: str
    support: int
    f1: Difference
    flips: Flips
    p_value: float
    p_corrected: float


@dataclass(frozen=True, slots=True)
class Paired:
    """All that differs between two models on n sentences."""

    sentences: int
    documents: int
    figures: dict[str, Difference]
    topics: tuple[TopicDifference, ...]
    reliability_old: tuple[ReliabilityBin, ...]
    reliability_new: tuple[ReliabilityBin, ...]


def compare_predictions(old: Predictions, new: Predictions) -> Paired:
    """Compare two models' predictions for the same n sentences.

    Args:
        old: Of one model.
        new: Of the other; its sentences, labels and documents are those of ``old``.
    """
    Y, by = old.Y, Documents.of(old.documents)
    sides = old, new
    before, after = (
        headline_jackknifes(Y, average_precisions(Y, s.probabilities, by), s.tags, by)
        for s in sides
    )
    figures = {name: _difference(before[name], after[name]) for name in FIGURES[old.kind]}
    if np.median([by.having(y) for y in Y.T]) < FEWEST_DOCUMENTS_OF_TOPIC:
        ranking = figures[RANKING]
        figures[RANKING] = replace(ranking, low=None, high=None, note=_RARE_TOPICS)
    off_old, off_new = (
        float(expected_calibration_errors(Y, side.probabilities).mean()) for side in sides
    )
    figures[CALIBRATION] = Difference(off_old, off_new, off_new - off_old, None, None, _WIDENED)
    by_topic = zip(*(topic_f1(Y, side.tags, by) for side in sides), strict=True)
    flips = [_flips(Y[:, t], old.tags[:, t], new.tags[:, t]) for t in range(Y.shape[1])]
    p_values = [
        mcnemar(f.gained_wrong + f.lost_wrong, f.gained_right + f.lost_right) for f in flips
    ]
    topics = zip(
        *(old.topics, Y.sum(axis=0).tolist(), (_difference(*f1) for f1 in by_topic)),
        *(flips, p_values, holm(p_values)),
        strict=True,
    )
    return Paired(
        sentences=len(Y),
        documents=by.count,
        figures=figures,
        topics=tuple(TopicDifference(*topic) for topic in topics),
        reliability_old=reliability_table(Y, old.probabilities),
        reliability_new=reliability_table(Y, new.probabilities),
    )


def mcnemar(old_right: int, new_right: int) -> float:
    """Return the p-value of McNemar's exact test, two-sided.

    Args:
        old_right: Cases where only the old model is right.
        new_right: Cases where only the new one is.
    """
    cases = old_right + new_right
    return float(binomtest(old_right, cases, 0.5).pvalue) if cases else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number by Holm's step-down method."""
    order = np.argsort(p_values, kind="stable")
    stepped = np.asarray(p_values)[order] * np.arange(len(order), 0, -1)
    corrected = np.empty(len(order))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return [float(p) for p in corrected]


def _difference(old: Jackknife, new: Jackknife) -> Difference:
    found = difference_interval(new - old)
    if found.value is None:
        return Difference(None, None, None, None, None, _UNDEFINED)
    return Difference(old.value, new.value, found.value, found.low, found.high, found.note)


def _flips(y: Labels, old: Labels, new: Labels) -> Flips:
    gained, lost, carried = (new > old), (old > new), y.astype(np.bool_)
    counts = (gained & carried, gained & ~carried, lost & ~carried, lost & carried)
    return Flips(*(int(c.sum()) for c in counts))
