"""Calibration and thresholds: what turns a classifier's log-odds into probabilities and tags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve

from topicml.training.features import CERTAIN, sigmoid

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]

PRECISIONS = (0.6, 0.7, 0.8, 0.9, 0.95)
"""Precisions that can be asked for, each with its own thresholds."""

_FEWEST_FOR_CALIBRATION = 8
_FEWEST_FOR_STACKING = 50
_FEWEST_FOR_PRECISION = 10
_RELEVANCE_GRID = (0.0, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
_RELEVANCE_TOLERANCE = 0.005
_THRESHOLD_RANGE = (0.1, 0.9)


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
    """

    weights: Floats
    offset: Floats
    thresholds: Floats
    relevance_threshold: float
    precision_thresholds: Floats
    precisions: tuple[float, ...] = PRECISIONS

    def probabilities(self, log_odds: Floats) -> Floats:
        """Return calibrated probabilities, n by T, for n by T + 1 log-odds."""
        return self._calibrated(log_odds)[:, :-1]

    def tags(self, log_odds: Floats) -> Labels:
        """Return which topics are given, n by T, as 0 and 1."""
        calibrated = self._calibrated(log_odds)
        relevant = calibrated[:, -1] >= self.relevance_threshold
        given = (calibrated[:, :-1] >= self.thresholds) & relevant[:, None]
        return given.astype(np.int8)

    def _calibrated(self, log_odds: Floats) -> Floats:
        return sigmoid(_clip(log_odds) @ self.weights.T + self.offset)


def choose_decision(Y: Labels, log_odds: Floats) -> Decision:
    """Fit calibration and thresholds to out-of-fold log-odds.

    Args:
        Y: n by T labels of 0 and 1.
        log_odds: n by T + 1, relevance last.
    """
    weights, offset = fit_calibration(Y, log_odds)
    calibrated = sigmoid(_clip(log_odds) @ weights.T + offset)
    probabilities, relevance = calibrated[:, :-1], calibrated[:, -1]
    thresholds = choose_thresholds(Y, probabilities)
    return Decision(
        weights,
        offset,
        thresholds,
        choose_relevance_threshold(Y, probabilities >= thresholds, relevance),
        precision_thresholds(Y, probabilities),
    )


def fit_calibration(Y: Labels, log_odds: Floats) -> tuple[Floats, Floats]:
    """Return the weights, T + 1 by T + 1, and the offset, T + 1, of a ``Decision``.

    Calibration is Platt's ("Probabilistic Outputs for Support Vector Machines", 1999): per
    topic, a logistic regression of the label on the log-odds. A topic with sentences enough
    takes those of all topics and of relevance as inputs (stacking), and so learns which
    topics go together, and that a sentence about nothing is about none of them; one with few
    takes only its own, one with hardly any is left as it is. Being linear, all of it folds
    into the coefficients.
    """
    topics = Y.shape[1]
    weights, offset = np.eye(topics + 1), np.zeros(topics + 1)
    for t, y in enumerate(np.column_stack([Y, Y.any(axis=1)]).T):
        support = min(y.sum(), len(y) - y.sum())
        if support < _FEWEST_FOR_CALIBRATION:
            continue
        stacked = t < topics and support >= _FEWEST_FOR_STACKING
        inputs = slice(None) if stacked else slice(t, t + 1)
        calibrator = LogisticRegression(C=1.0, max_iter=1000)
        calibrator.fit(_clip(log_odds)[:, inputs], y)
        fitted = np.zeros(topics + 1)
        fitted[inputs] = calibrator.coef_[0]
        if fitted[t] > 0:  # else the ranking itself is worthless: leave it
            weights[t], offset[t] = fitted, calibrator.intercept_[0]
    return weights, offset


def _clip(log_odds: Floats) -> Floats:
    return np.clip(log_odds, -CERTAIN, CERTAIN)


def choose_relevance_threshold(Y: Labels, tags: NDArray[np.bool_], relevance: Floats) -> float:
    """Return the highest relevance threshold that costs hardly any micro-F1.

    Sentences under it get no topic, so a higher one gives fewer false tags. Half a point of
    micro-F1 is paid for that, no more; 0 where too few sentences are without a topic.
    """
    if (~Y.any(axis=1)).sum() < _FEWEST_FOR_STACKING:
        return 0.0
    scores = [micro_f1(Y, tags & (relevance >= t)[:, None]) for t in _RELEVANCE_GRID]
    lowest = scores[0] - _RELEVANCE_TOLERANCE
    return max(t for t, score in zip(_RELEVANCE_GRID, scores, strict=True) if score >= lowest)


def precision_thresholds(Y: Labels, probabilities: Floats) -> Floats:
    """Return, T by len(PRECISIONS), the lowest threshold that reaches each precision."""
    table = np.full((Y.shape[1], len(PRECISIONS)), np.nan)
    for t, (y, probability) in enumerate(zip(Y.T, probabilities.T, strict=True)):
        if not y.any():
            continue
        precision, _, cuts = precision_recall_curve(y, probability)
        enough = np.array([(probability >= cut).sum() >= _FEWEST_FOR_PRECISION for cut in cuts])
        for k, wanted in enumerate(PRECISIONS):
            reached = np.flatnonzero(enough & (precision[:-1] >= wanted))
            if len(reached):
                table[t, k] = cuts[reached[0]]
    return table


def choose_thresholds(Y: Labels, probabilities: Floats) -> Floats:
    """Return the T thresholds that give each topic its highest F1 on the given labels."""
    pairs = zip(Y.T, probabilities.T, strict=True)
    return np.array([best_threshold(y, p) for y, p in pairs])


def best_threshold(y: Labels, probability: Floats) -> float:
    """Return the threshold with the highest F1, half-way to the next lower probability.

    Kept within 0.1 and 0.9: with few labels the best cut on them is often an extreme one
    that does not hold on other text.
    """
    if not y.any():
        return _THRESHOLD_RANGE[1]
    precision, recall, cuts = precision_recall_curve(y, probability)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))
    below = cuts[best - 1] if best > 0 else cuts[best]
    return float(np.clip((cuts[best] + below) / 2, *_THRESHOLD_RANGE))


def micro_f1(Y: Labels, tags: NDArray[np.bool_]) -> float:
    """Return micro-averaged F1 of n by T tags against n by T labels; 0 where both are empty."""
    hits = float((tags & (Y == 1)).sum())
    return 2 * hits / max(1.0, float(tags.sum() + Y.sum()))
