"""Two models on the same sentences: what differs, and how sure that is.

Both are judged under the same resamples of documents (Efron, 1979), so that what makes a sentence
hard for both cancels out. Decisions are compared topic by topic with McNemar's test in its exact
form: of the sentences where one of two is right, how many would a coin give to either (McNemar,
1947; Dietterich, 1998)? Its p-values are those of several tests, and are corrected by Holm's
method (1979).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, norm

from topicml.training.evaluation import Predictions
from topicml.training.metrics import (
    Floats,
    Labels,
    ReliabilityBin,
    calibration_gaps,
    draw_documents,
    headline_scores,
    reliability_table,
    topic_f1,
)

RESAMPLED = ("micro_f1", "macro_f1", "macro_average_precision")
FALSE_TAGS, CALIBRATION = "false_tag_rate", "expected_calibration_error"
FIGURES = (*RESAMPLED, FALSE_TAGS, CALIBRATION)
FEW_DOCUMENTS = 20

_ROWS_AT_ONCE = 100  # resamples, for the memory that their weights take
_ONE_DOCUMENT = "One document leaves nothing to resample, so there is no interval"
_NO_WIDTH = "An interval of no width says that no resample differs, not that nothing ever does"
_ABSENT = "No sentence carries it"


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of two models, and the new one's less the old one's with its 95 % interval.

    Attributes:
        old: None where undefined, as are the others then.
        note: Why there is no interval, or why it has no width.
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


def compare_predictions(
    old: Predictions, new: Predictions, *, resamples: int = 1000, seed: int = 0
) -> Paired:
    """Compare two models' predictions for the same n sentences.

    Args:
        old: Of one model.
        new: Of the other; its sentences, labels and documents are those of ``old``.
        resamples: Bootstrap resamples behind the intervals (percentile).
        seed: Of the resampling.
    """
    Y = old.Y
    rows, draws = draw_documents(old.documents, resamples, seed)
    points = [_scores(side, [np.ones((1, len(Y)))]) for side in (old, new)]
    spreads = [_scores(side, _weights(draws, rows)) for side in (old, new)]
    many = draws.shape[1] > 1
    resampled = [
        _resampled(points[0][:, i], points[1][:, i], spreads[1][:, i] - spreads[0][:, i], many)
        for i in range(points[0].shape[1])
    ]
    figures = dict(zip(RESAMPLED, resampled, strict=False))
    figures[FALSE_TAGS] = _false_tags(Y, old.tags, new.tags)
    figures[CALIBRATION] = _calibration(old, new, rows, draws)
    flips = [_flips(Y[:, t], old.tags[:, t], new.tags[:, t]) for t in range(Y.shape[1])]
    p_values = [
        mcnemar(f.gained_wrong + f.lost_wrong, f.gained_right + f.lost_right) for f in flips
    ]
    support = Y.sum(axis=0).tolist()
    by_topic = zip(
        *(old.topics, support, resampled[len(RESAMPLED) :], flips, p_values, holm(p_values)),
        strict=True,
    )
    return Paired(
        sentences=len(Y),
        documents=draws.shape[1],
        figures=figures,
        topics=tuple(TopicDifference(*topic) for topic in by_topic),
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


def _weights(draws: NDArray[np.int64], rows: NDArray[np.intp]) -> Iterator[Floats]:
    for start in range(0, len(draws), _ROWS_AT_ONCE):
        yield draws[start : start + _ROWS_AT_ONCE][:, rows].astype(np.float64)


def _scores(side: Predictions, resamples: Iterable[Floats]) -> Floats:
    """Return B by 3 + T: the figures of ``RESAMPLED``, and each topic's F1."""
    blocks = []
    for weights in resamples:
        headlines = headline_scores(side.Y, side.probabilities, side.tags, weights, RESAMPLED)
        f1 = topic_f1(side.Y, side.tags, weights)
        blocks.append(np.column_stack([*(headlines[name] for name in RESAMPLED), f1]))
    return np.vstack(blocks)


def _resampled(old: Floats, new: Floats, spread: Floats, many: bool) -> Difference:
    """Return a figure's difference, with the interval of its resampled differences."""
    if np.isnan(old[0]) or np.isnan(new[0]):
        return Difference(None, None, None, None, None, _ABSENT)
    values = float(old[0]), float(new[0]), float(new[0] - old[0])
    if not many:
        return Difference(*values, None, None, _ONE_DOCUMENT)
    low, high = (float(x) for x in np.percentile(spread[~np.isnan(spread)], [2.5, 97.5]))
    return Difference(*values, low, high, _NO_WIDTH if low == high else None)


def _false_tags(Y: Labels, old: Labels, new: Labels) -> Difference:
    """Return the false-tag rates, and their difference with the interval of Bonett and Price.

    It is the adjusted Wald interval for paired shares (British Journal of Mathematical and
    Statistical Psychology, 2012), which is never of no width.
    """
    empty = ~Y.any(axis=1)
    count = int(empty.sum())
    if not count:
        return Difference(None, None, None, None, None, "Every sentence carries a topic")
    before, after = old[empty].any(axis=1), new[empty].any(axis=1)
    rose, fell = (int(x.sum()) + 1 for x in (after & ~before, before & ~after))
    risen, fallen = rose / (count + 2), fell / (count + 2)
    spread = np.sqrt((risen + fallen - (risen - fallen) ** 2) / (count + 2))
    reach = float(norm.ppf(0.975) * spread)
    centre = risen - fallen
    return Difference(
        float(before.sum() / count),
        float(after.sum() / count),
        (rose - fell) / count,
        max(-1.0, centre - reach),
        min(1.0, centre + reach),
    )


def _calibration(
    old: Predictions, new: Predictions, rows: NDArray[np.intp], draws: NDArray[np.int64]
) -> Difference:
    """Return the calibration errors; the interval reaches as far as both may be off together.

    See ``metrics.calibration_interval`` for why resampled errors themselves would not do.
    """
    once = np.ones((1, len(old.Y)))
    exact = [_gaps(side, once) for side in (old, new)]
    before, after = (np.abs(gaps).sum() / old.Y.shape[1] for gaps in exact)
    values = float(before), float(after), float(after - before)
    if draws.shape[1] == 1:
        return Difference(*values, None, None, _ONE_DOCUMENT)
    if np.array_equal(old.probabilities, new.probabilities):
        return Difference(*values, 0.0, 0.0, _NO_WIDTH)
    off = [
        sum(
            np.abs(_gaps(side, weights) - gaps).sum(axis=1)
            for side, gaps in zip((old, new), exact, strict=True)
        )
        for weights in _weights(draws, rows)
    ]
    reach = float(np.quantile(np.hstack(off), 0.975)) / old.Y.shape[1]
    low, high = max(-1.0, values[2] - reach), min(1.0, values[2] + reach)
    return Difference(*values, low, high, _NO_WIDTH if low == high else None)


def _gaps(side: Predictions, weights: Floats) -> Floats:
    """Return B by all bins of all topics: by how much each is off, times its share."""
    columns = zip(side.Y.T, side.probabilities.T, strict=True)
    return np.hstack([calibration_gaps(y, probability, weights) for y, probability in columns])


def _flips(y: Labels, old: Labels, new: Labels) -> Flips:
    gained, lost, carried = (new > old), (old > new), y.astype(np.bool_)
    counts = (gained & carried, gained & ~carried, lost & ~carried, lost & carried)
    return Flips(*(int(c.sum()) for c in counts))
