"""How good predictions are: per topic, averaged, calibrated, with intervals.

Everything is computed with a weight per sentence. The point estimate has all weights at
one; a bootstrap resample of documents is another vector of weights, so both go one way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from topicml.scheme import Kind

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]

RELIABILITY_BINS = 10
HEADLINES = (
    "micro_f1",
    "macro_f1",
    "samples_f1",
    "macro_average_precision",
    "false_tag_rate",
    "expected_calibration_error",
)
_RESAMPLED: Mapping[Kind, Sequence[str]] = {  # the others have intervals of their own
    "multilabel": HEADLINES[:4],
    "multiclass": ("accuracy", "macro_f1", "micro_f1", "macro_average_precision"),
}
_WITHOUT_INTERVAL = (
    *("micro_precision", "micro_recall", "brier"),
    *("document_micro_f1", "document_macro_f1"),
)


@dataclass(frozen=True, slots=True)
class TopicScores:
    """One topic's scores; undefined ones (no sentence carries it) are None."""

    topic: str
    support: int
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None
    brier: float
    expected_calibration_error: float


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Predictions of all topics whose probability falls in one tenth."""

    lower: float
    upper: float
    count: int
    mean_probability: float
    observed_share: float


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval; None where undefined.

    By bootstrap over documents, but for two: see ``false_tag_interval`` and
    ``calibration_interval``.
    """

    value: float | None
    low: float | None
    high: float | None


def format_interval(row: Mapping[str, float | None]) -> tuple[str, str]:
    """Return the value and the range of an ``Interval`` as text; dashes where undefined."""
    if row["value"] is None:
        return "–", "–"
    return f"{row['value']:.3f}", f"{row['low']:.3f} to {row['high']:.3f}"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of one evaluation; ``to_dict`` gives the JSON shape."""

    sentences: int
    documents: int
    headlines: dict[str, Interval]
    micro_precision: float
    micro_recall: float
    topics: tuple[TopicScores, ...]
    reliability: tuple[ReliabilityBin, ...]
    brier: float
    document_micro_f1: float
    document_macro_f1: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    def figure_rows(self) -> list[tuple[str, str, str]]:
        """Return name, value and interval of each averaged figure, as text for a table."""
        rows = [
            (key.replace("_", " "), *format_interval(asdict(row)))
            for key, row in self.headlines.items()
        ]
        return rows + [
            (key.replace("_", " "), f"{getattr(self, key):.3f}", "") for key in _WITHOUT_INTERVAL
        ]


def evaluate_predictions(
    topics: tuple[str, ...],
    Y: Labels,
    probabilities: Floats,
    tags: Labels,
    documents: NDArray[np.str_],
    *,
    kind: Kind = "multilabel",
    resamples: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Score predictions against labels.

    Args:
        topics: T topic ids.
        Y: n by T labels of 0 and 1.
        probabilities: n by T.
        tags: n by T, 1 where a topic is given.
        documents: n document names; resampled as wholes, since sentences of one document
            are alike.
        kind: Of the scheme. A multiclass one has no sentences without a topic to tag falsely,
            and accuracy says how many have their topic.
        resamples: Bootstrap resamples behind the intervals (Efron, 1979; percentile).
        seed: Of the resampling.
    """
    rows, draws = draw_documents(documents, resamples, seed)
    count = draws.shape[1]
    once = np.ones((1, len(Y)))
    names = _RESAMPLED[kind]
    resampled = draws[:, rows].astype(np.float64)
    points, spreads = (
        headline_scores(Y, probabilities, tags, weights, names) for weights in (once, resampled)
    )
    document_Y, document_tags = (_any_by_document(y, rows, count) for y in (Y, tags))
    each_document = np.ones((1, count))
    headlines = {key: _interval(points[key], spreads[key]) for key in names}
    if kind == "multilabel":
        headlines["false_tag_rate"] = false_tag_interval(Y, tags)
    headlines["expected_calibration_error"] = calibration_interval(Y, probabilities, resampled)
    rates = np.vstack(_precision_recall_f1(Y, tags, once))
    micro_precision, micro_recall, _ = _micro(Y, tags, once)
    return Evaluation(
        sentences=len(Y),
        documents=count,
        headlines=headlines,
        micro_precision=float(micro_precision[0]),
        micro_recall=float(micro_recall[0]),
        topics=tuple(
            _topic_scores(topic, Y[:, t], probabilities[:, t], rates[:, t])
            for t, topic in enumerate(topics)
        ),
        reliability=reliability_table(Y, probabilities),
        brier=float(np.mean((probabilities - Y) ** 2)),
        document_micro_f1=float(_micro(document_Y, document_tags, each_document)[2][0]),
        document_macro_f1=float(_macro_f1(document_Y, document_tags, each_document)[0]),
    )


def draw_documents(
    documents: NDArray[np.str_], resamples: int, seed: int = 0
) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Draw documents with replacement, as many as there are, again and again.

    Returns:
        For each of n sentences the number of its document, and how often each of B resamples has
        each of D documents, B by D: ``draws[:, rows]`` are the sentences' weights.
    """
    names, rows = np.unique(documents, return_inverse=True)
    shares = np.full(len(names), 1 / len(names))
    return rows, np.random.default_rng(seed).multinomial(len(names), shares, size=resamples)


def false_tag_interval(Y: Labels, tags: Labels) -> Interval:
    """Return the false-tag rate with its exact binomial interval (Clopper and Pearson, 1934).

    It is never of no width: none of fifty tagged falsely is no proof that none ever is.
    """
    empty = ~Y.any(axis=1)
    count, falsely = int(empty.sum()), int((tags.any(axis=1) & empty).sum())
    if not count:
        return Interval(None, None, None)
    low, high = binomtest(falsely, count).proportion_ci(0.95, "exact")
    return Interval(falsely / count, float(low), float(high))


def calibration_interval(Y: Labels, probabilities: Floats, resampled: Floats) -> Interval:
    """Return the mean of the topics' calibration errors with an interval that covers it.

    The error is a sum of absolute gaps, which chance can only widen, so that resampled errors
    lie above it. The gaps themselves are spread around their values. By the triangle inequality,
    the error is off by no more than the sum of what the gaps are off by: the interval reaches as
    far to both sides as that sum, resampled, does in 97.5 % of the cases, since resamples of few
    sentences are spread too little. It is wide rather than short: in simulations, calibrated or
    not, of 10 to 300 documents, it covers the error in 95 % and more.

    Args:
        Y: n by T labels.
        probabilities: n by T.
        resampled: B by n, how often each resample has each sentence.
    """
    value, off = 0.0, np.zeros(len(resampled))
    for y, probability in zip(Y.T, probabilities.T, strict=True):
        gaps = calibration_gaps(y, probability, np.ones((1, len(y))))
        value += float(np.abs(gaps).sum())
        off += np.abs(calibration_gaps(y, probability, resampled) - gaps).sum(axis=1)
    value, reach = value / Y.shape[1], float(np.quantile(off, 0.975)) / Y.shape[1]
    return Interval(value, max(0.0, value - reach), min(1.0, value + reach))


def headline_scores(
    Y: Labels,
    probabilities: Floats,
    tags: Labels,
    weights: Floats,
    names: Sequence[str] = HEADLINES,
) -> dict[str, Floats]:
    """Return headline figures for each of B weight vectors (weights: B by n).

    Macro figures average over the topics that occur under the weights. The false-tag
    rate is the share of sentences without a topic that are given one.
    """

    def by_topic(measure: Callable[[Labels, Floats, Floats], Floats]) -> Floats:
        columns = zip(Y.T, probabilities.T, strict=True)
        return np.column_stack([measure(y, probability, weights) for y, probability in columns])

    def false_tag_rate() -> Floats:
        empty = weights * (Y.sum(axis=1) == 0)
        return np.asarray(empty @ (tags.sum(axis=1) > 0) / empty.sum(axis=1))

    scores: dict[str, Callable[[], Floats]] = {
        "accuracy": lambda: weights @ (tags == Y).all(axis=1) / weights.sum(axis=1),
        "micro_f1": lambda: _micro(Y, tags, weights)[2],
        "macro_f1": lambda: _macro_f1(Y, tags, weights),
        "samples_f1": lambda: weights @ _samples_f1(Y, tags) / weights.sum(axis=1),
        "macro_average_precision": lambda: _nanmean(by_topic(weighted_average_precision)),
        "false_tag_rate": false_tag_rate,
        "expected_calibration_error": lambda: by_topic(expected_calibration_error).mean(axis=1),
    }
    with np.errstate(invalid="ignore"):
        return {name: scores[name]() for name in names}


def weighted_average_precision(y: Labels, probability: Floats, weights: Floats) -> Floats:
    """Return average precision under each of B weight vectors; NaN with no positive.

    As scikit-learn's ``average_precision_score`` with ``sample_weight``, for many weight
    vectors at once: precision at each distinct probability, weighted by the recall gained.
    """
    order = np.argsort(-probability, kind="stable")
    ranked = probability[order]
    last_of_tie = np.append(ranked[1:] != ranked[:-1], True)
    seen = np.cumsum(weights[:, order], axis=1)[:, last_of_tie]
    hits = np.cumsum(weights[:, order] * y[order], axis=1)[:, last_of_tie]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(seen > 0, hits / seen, 0.0)
        recall = hits / hits[:, -1:]
    gained = np.diff(recall, axis=1, prepend=0.0)
    return np.asarray((precision * gained).sum(axis=1))


def expected_calibration_error(y: Labels, probability: Floats, weights: Floats) -> Floats:
    """Return the expected calibration error under each of B weight vectors.

    Ten bins of equal width (Naeini, Cooper and Hauskrecht, AAAI 2015): the gap between
    mean probability and observed share, averaged by the bins' weight.
    """
    return np.asarray(np.abs(calibration_gaps(y, probability, weights)).sum(axis=1))


def calibration_gaps(y: Labels, probability: Floats, weights: Floats) -> Floats:
    """Return by how much each bin is off, times its share, under each of B weight vectors."""
    in_bin = (_bins(probability)[:, None] == np.arange(RELIABILITY_BINS)).astype(np.float64)
    gaps = weights @ (in_bin * (probability - y)[:, None])
    return np.asarray(gaps / weights.sum(axis=1, keepdims=True))


def reliability_table(Y: Labels, probabilities: Floats) -> tuple[ReliabilityBin, ...]:
    """Return, per tenth of probability, how often the topic was really there."""
    p, y = probabilities.ravel(), Y.ravel()
    bins = _bins(p)
    return tuple(
        ReliabilityBin(
            lower=b / RELIABILITY_BINS,
            upper=(b + 1) / RELIABILITY_BINS,
            count=int((bins == b).sum()),
            mean_probability=float(p[bins == b].mean()),
            observed_share=float(y[bins == b].mean()),
        )
        for b in np.unique(bins).tolist()
    )


def _bins(probability: Floats) -> NDArray[np.signedinteger[Any]]:
    return np.minimum((probability * RELIABILITY_BINS).astype(np.int64), RELIABILITY_BINS - 1)


def _topic_scores(topic: str, y: Labels, probability: Floats, rates: Floats) -> TopicScores:
    """Score a topic; ``rates`` are its precision, recall and F1."""
    once = np.ones((1, len(y)))
    figures = (*rates, *weighted_average_precision(y, probability, once))
    precision, recall, f1, average_precision = (float(x) if y.any() else None for x in figures)
    brier = float(np.mean((probability - y) ** 2))
    ece = float(expected_calibration_error(y, probability, once)[0])
    return TopicScores(topic, int(y.sum()), precision, recall, f1, average_precision, brier, ece)


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def _precision_recall_f1(Y: Labels, tags: Labels, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Return B by T precision, recall and F1; zero where nothing was tagged or is there."""
    return _scores(*(weights @ part.astype(np.float64) for part in (tags & Y, tags, Y)))


def _micro(Y: Labels, tags: Labels, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Return B precisions, recalls and F1 over all topics together."""
    sums = (part.sum(axis=1).astype(np.float64) for part in (tags & Y, tags, Y))
    return _scores(*(weights @ part for part in sums))


def _scores(hits: Floats, tagged: Floats, support: Floats) -> tuple[Floats, Floats, Floats]:
    return _ratio(hits, tagged), _ratio(hits, support), _ratio(2 * hits, tagged + support)


def topic_f1(Y: Labels, tags: Labels, weights: Floats) -> Floats:
    """Return each topic's F1 under each of B weight vectors, B by T; NaN where it is absent."""
    f1 = _precision_recall_f1(Y, tags, weights)[2]
    present = weights @ Y.astype(np.float64) > 0
    return np.where(present, f1, np.nan)


def _macro_f1(Y: Labels, tags: Labels, weights: Floats) -> Floats:
    return _nanmean(topic_f1(Y, tags, weights))


def _nanmean(values: Floats) -> Floats:
    """Return the mean of each row, as ``np.nanmean`` does, which warns where all are NaN."""
    return np.asarray(np.ma.masked_invalid(values).mean(axis=1).filled(np.nan))


def _samples_f1(Y: Labels, tags: Labels) -> Floats:
    """Return each sentence's F1; one where labels and tags are both empty."""
    both = (tags & Y).sum(axis=1)
    size = tags.sum(axis=1) + Y.sum(axis=1)
    return np.where(size == 0, 1.0, 2 * both / np.maximum(size, 1))


def _any_by_document(indicator: Labels, rows: NDArray[np.intp], count: int) -> Labels:
    union = np.zeros((count, indicator.shape[1]), dtype=np.int8)
    np.maximum.at(union, rows, indicator)
    return union


def _interval(point: Floats, spread: Floats) -> Interval:
    spread = spread[~np.isnan(spread)]
    if np.isnan(point[0]) or not len(spread):
        return Interval(None, None, None)
    low, high = np.percentile(spread, [2.5, 97.5])
    return Interval(float(point[0]), float(low), float(high))
