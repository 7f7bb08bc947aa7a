"""Calibration and thresholds: what turns a classifier's log-odds into probabilities and tags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve

from topicml.scheme import Kind
from topicml.scoring.probabilities import probabilities_of, sigmoid
from topicml.scoring.scorer import FEWEST_KNOWN
from topicml.tagging.second_opinion import margins, margins_of_shares
from topicml.tagging.thresholds import Thresholds, reached
from topicml.training.features import CERTAIN

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]

PRECISIONS = (0.6, 0.7, 0.8, 0.9, 0.95)
"""Precisions that can be asked for, each with its own thresholds."""

MOST_FALSE_TAGS = 0.08
"""Share of the sentences without a topic that may be given one."""

_FEWEST_FOR_CALIBRATION = 8
_LEAST_WEIGHT = 0.4  # in calibration: a topic rare in ordinary text would rest on a handful
_FEWEST_FOR_PRECISION = 10
_FEWEST_FOR_RATE = 50  # sentences without a topic
_CUTS = np.linspace(-2.5, 1.5, 41)  # log-odds of a topic from which on it is given
_GATES = np.append(-CERTAIN, np.linspace(-3.0, 1.0, 21))  # and of relevance


@dataclass(frozen=True, slots=True)
class Decision:
    """What turns log-odds into probabilities and tags.

    Attributes:
        weights: T + 1 by T + 1. Calibrated log-odds of a topic, and in the last row of
            relevance, are a weighted sum of the log-odds of all topics and of relevance.
        offset: T + 1, added to the weighted sum.
        thresholds: T probabilities from which on a topic is given.
        relevance_threshold: Probability of having any topic under which none is given.
        precision_thresholds: T by K, the lowest threshold at which the topic reaches each
            precision in cross-validation, NaN where none does.
        precisions: K precisions.
        margins: How sure ordinary sentences are tagged; see ``second_opinion.margins_of_shares``.
        fewest_known: Share of its words that must be known of a sentence; see ``familiarity``.
        kind: Of the scheme; in a multiclass one probabilities of topics add up to one.
    """

    weights: Floats
    offset: Floats
    thresholds: Floats
    relevance_threshold: float
    precision_thresholds: Floats
    precisions: tuple[float, ...] = PRECISIONS
    margins: tuple[float, ...] = ()
    fewest_known: float = FEWEST_KNOWN
    kind: Kind = "multilabel"

    def probabilities(self, log_odds: Floats) -> Floats:
        """Return calibrated probabilities, n by T, for n by T + 1 log-odds."""
        return self.calibrated(log_odds)[:, :-1]

    def tags(self, log_odds: Floats) -> Labels:
        """Return which topics are given, n by T, as 0 and 1."""
        calibrated = self.calibrated(log_odds)
        relevant = calibrated[:, -1] >= self.relevance_threshold
        given = reached(calibrated[:, :-1], self.thresholds, self.kind) & relevant[:, None]
        return given.astype(np.int8)

    def calibrated(self, log_odds: Floats) -> Floats:
        """Return calibrated probabilities, n by T + 1, relevance last."""
        return probabilities_of(_clip(log_odds) @ self.weights.T + self.offset, self.kind)


def choose_decision(Y: Labels, log_odds: Floats, weights: Floats | None = None) -> Decision:
    """Fit calibration and thresholds to out-of-fold log-odds.

    Args:
        Y: n by T labels of 0 and 1.
        log_odds: n by T + 1, relevance last.
        weights: n, how many sentences of the text to be tagged each stands for; 1 for None.
    """
    weights = np.ones(len(Y)) if weights is None else weights
    scale, offset = fit_calibration(Y, log_odds, np.maximum(weights, _LEAST_WEIGHT))
    calibrated = _clip(log_odds) * scale + offset
    cut, gate = choose_thresholds(Y, calibrated, weights)
    topics = np.full(Y.shape[1], sigmoid(np.array(cut)))
    relevance = 0.0 if gate == -CERTAIN else float(sigmoid(np.array(gate)))
    probabilities = sigmoid(calibrated)
    found = margins(probabilities[:, :-1], probabilities[:, -1], Thresholds(topics, relevance))
    return Decision(
        np.diag(scale),
        offset,
        topics,
        relevance,
        precision_thresholds(Y, probabilities[:, :-1], weights),
        margins=margins_of_shares(found, weights),
    )


def fit_calibration(Y: Labels, log_odds: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return T + 1 scales and offsets that make probabilities of log-odds.

    Platt ("Probabilistic Outputs for Support Vector Machines", 1999): per topic, a logistic
    regression of the label on the log-odds. A topic with hardly any sentence is left as it is.
    Being linear, all of it folds into the coefficients.
    """
    scale, offset = np.ones(log_odds.shape[1]), np.zeros(log_odds.shape[1])
    for t, y in enumerate(np.column_stack([Y, Y.any(axis=1)]).T):
        counted = y[weights > 0]
        if min(counted.sum(), len(counted) - counted.sum()) < _FEWEST_FOR_CALIBRATION:
            continue
        calibrator = LogisticRegression(C=1.0, max_iter=1000)
        calibrator.fit(_clip(log_odds)[:, [t]], y, sample_weight=weights)
        if calibrator.coef_[0, 0] > 0:  # else the ranking itself is worthless: leave it
            scale[t], offset[t] = calibrator.coef_[0, 0], calibrator.intercept_[0]
    return scale, offset


def _clip(log_odds: Floats) -> Floats:
    return np.clip(log_odds, -CERTAIN, CERTAIN)


def choose_thresholds(Y: Labels, log_odds: Floats, weights: Floats) -> tuple[float, float]:
    """Return the log-odds from which on a topic is given, and from which on any is.

    Both together, and one for all topics: where probabilities are calibrated, micro-F1 is best
    at one threshold for all (Lipton, Elkan and Naryanaswamy, "Optimal Thresholding of Classifiers
    to Maximize F1 Measure", 2014), and thresholds of their own fit themselves to chance.

    Args:
        Y: n by T labels.
        log_odds: n by T + 1, calibrated.
        weights: n.

    Returns:
        What gives the highest micro-F1 with ``MOST_FALSE_TAGS`` at the most; where nothing keeps
        to that, or too few sentences are without a topic to tell, what gives the highest.
    """
    most = MOST_FALSE_TAGS if (~Y.any(axis=1) & (weights > 0)).sum() >= _FEWEST_FOR_RATE else 1.0
    found = [
        (rate <= most, micro_f1(Y, tags, weights), cut, gate)
        for cut in _CUTS
        for gate in _GATES
        for tags in [(log_odds[:, :-1] >= cut) & (log_odds[:, -1:] >= gate)]
        for rate in [_false_tag_rate(Y, tags, weights)]
    ]
    # of equal ones the cut nearest to one half and the lowest gate
    _, _, cut, gate = max(found, key=lambda f: (f[0], f[1], -abs(f[2]), -f[3]))
    return float(cut), float(gate)


def _false_tag_rate(Y: Labels, tags: NDArray[np.bool_], weights: Floats) -> float:
    empty = weights * ~Y.any(axis=1)
    return float((empty * tags.any(axis=1)).sum() / max(empty.sum(), 1e-12))


def precision_thresholds(Y: Labels, probabilities: Floats, weights: Floats) -> Floats:
    """Return, T by len(PRECISIONS), the lowest threshold that reaches each precision."""
    table = np.full((Y.shape[1], len(PRECISIONS)), np.nan)
    for t, (y, probability) in enumerate(zip(Y.T, probabilities.T, strict=True)):
        if not (y * weights).any():
            continue
        precision, _, cuts = precision_recall_curve(y, probability, sample_weight=weights)
        counted = probability[weights > 0]
        enough = np.array([(counted >= cut).sum() >= _FEWEST_FOR_PRECISION for cut in cuts])
        for k, wanted in enumerate(PRECISIONS):
            reached = np.flatnonzero(enough & (precision[:-1] >= wanted))
            if len(reached):
                table[t, k] = cuts[reached[0]]
    return table


def micro_f1(Y: Labels, tags: NDArray[np.bool_], weights: Floats | None = None) -> float:
    """Return micro-averaged F1 of n by T tags against n by T labels; 0 where both are empty."""
    weight = np.ones(len(Y)) if weights is None else weights
    hits = float(weight @ (tags & (Y == 1)).sum(axis=1))
    given = float(weight @ (tags.sum(axis=1) + Y.sum(axis=1)))
    return 2 * hits / given if given else 0.0
