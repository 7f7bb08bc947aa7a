"""From labels to a fitted pipeline: cross-validation, parameters, calibration, thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve
from sklearn.pipeline import Pipeline

from topicml.errors import TrainingError
from topicml.training.dataset import Dataset, Split
from topicml.training.features import (
    CERTAIN,
    SKLEARN_DEFAULTS,
    Parameters,
    make_classifier,
    make_vectorizer,
    sigmoid,
)

Floats = NDArray[np.float64]

DEFAULT_GRID: tuple[Parameters, ...] = tuple(
    Parameters(char_ngrams=char_ngrams, C=C, class_weight=class_weight, nb_mixing=nb_mixing)
    for char_ngrams in (None, (3, 5))
    for nb_mixing in (0.0, 0.5)
    for C in (1.0, 10.0, 100.0)
    for class_weight in (None, "balanced")
)
"""What is searched where no parameters are given: 24 settings."""

PRECISIONS = (0.6, 0.7, 0.8, 0.9, 0.95)
"""Precisions that can be asked for, each with its own thresholds."""

_FEWEST_FOR_CALIBRATION = 8
_FEWEST_FOR_STACKING = 50
_FEWEST_FOR_PRECISION = 10
_RELEVANCE_GRID = (0.0, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
_RELEVANCE_PRICE = 0.005
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

    def tags(self, log_odds: Floats) -> NDArray[np.int8]:
        """Return which topics are given, n by T, as 0 and 1."""
        calibrated = self._calibrated(log_odds)
        relevant = calibrated[:, -1] >= self.relevance_threshold
        given = (calibrated[:, :-1] >= self.thresholds) & relevant[:, None]
        return given.astype(np.int8)

    def _calibrated(self, log_odds: Floats) -> Floats:
        return sigmoid(_clip(log_odds) @ self.weights.T + self.offset)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One parameter setting and how it did in cross-validation."""

    parameters: Parameters
    macro_average_precision: float
    micro_f1: float


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A fitted pipeline with its decision, and the candidates it was chosen from."""

    pipeline: Pipeline
    decision: Decision
    parameters: Parameters
    candidates: tuple[Candidate, ...] = field(default=())


def cross_validate(data: Dataset, parameters: Parameters, splits: Sequence[Split]) -> Floats:
    """Return out-of-fold log-odds, n by T + 1; rows in no test fold are NaN.

    The last column is relevance: that the sentence has any topic.
    """
    return _cross_validate_many(data, [parameters], splits)[0]


def cross_validate_fold(
    data: Dataset,
    parameters: Parameters,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
) -> Floats:
    """Fit on the training rows; return the log-odds of the test rows, T + 1 columns."""
    return cross_validate(data, parameters, [(train, test)])[test]


def _cross_validate_many(
    data: Dataset, settings: Sequence[Parameters], splits: Iterable[Split]
) -> list[Floats]:
    """Cross-validate several settings, vectorising once for those that share features."""
    shape = (len(data), len(data.topics) + 1)
    log_odds = [np.full(shape, np.nan) for _ in settings]
    for train, test in splits:
        matrices: dict[Parameters, tuple[Any, Any]] = {}
        for parameters, out in zip(settings, log_odds, strict=True):
            key = replace(parameters, C=1.0, class_weight=None, nb_mixing=0.0)
            if key not in matrices:
                vectorizer = make_vectorizer(parameters)
                X_train = vectorizer.fit_transform([data.texts[i] for i in train]).tocsr()
                X_test = vectorizer.transform([data.texts[i] for i in test]).tocsr()
                matrices[key] = (X_train, X_test)
            X_train, X_test = matrices[key]
            out[test] = make_classifier(parameters).fit(X_train, data.Y[train]).log_odds(X_test)
    return log_odds


def choose_decision(Y: NDArray[np.int8], log_odds: Floats) -> Decision:
    """Fit calibration and thresholds to out-of-fold log-odds, n by T + 1.

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


def _clip(log_odds: Floats) -> Floats:
    return np.clip(log_odds, -CERTAIN, CERTAIN)


def choose_relevance_threshold(
    Y: NDArray[np.int8], tags: NDArray[np.bool_], relevance: Floats
) -> float:
    """Return the highest relevance threshold that costs hardly any micro-F1.

    Sentences under it get no topic, so a higher one gives fewer false tags. Half a point of
    micro-F1 is paid for that, no more; 0 where too few sentences are without a topic.
    """
    if (~Y.any(axis=1)).sum() < _FEWEST_FOR_STACKING:
        return 0.0
    scores = [_micro_f1(Y, tags & (relevance >= cut)[:, None]) for cut in _RELEVANCE_GRID]
    paid = [
        cut
        for cut, score in zip(_RELEVANCE_GRID, scores, strict=True)
        if score >= scores[0] - _RELEVANCE_PRICE
    ]
    return max(paid)


def precision_thresholds(Y: NDArray[np.int8], probabilities: Floats) -> Floats:
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


def _micro_f1(Y: NDArray[np.int8], tags: NDArray[np.bool_]) -> float:
    hits = float((tags & (Y == 1)).sum())
    return 2 * hits / max(1.0, float(tags.sum() + Y.sum()))


def choose_thresholds(Y: NDArray[np.int8], probabilities: Floats) -> Floats:
    """Return the T thresholds that give each topic its highest F1 on the given labels."""
    pairs = zip(Y.T, probabilities.T, strict=True)
    return np.array([best_threshold(y, p) for y, p in pairs])


def best_threshold(y: NDArray[np.int8], probability: Floats) -> float:
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


def rank_parameters(
    data: Dataset, grid: Sequence[Parameters], splits: Sequence[Split]
) -> tuple[Candidate, ...]:
    """Cross-validate every setting; return candidates, the best macro average precision first."""
    scored = [
        candidate(parameters, data.Y, log_odds)
        for parameters, log_odds in zip(grid, _cross_validate_many(data, grid, splits), strict=True)
    ]
    return tuple(sorted(scored, key=lambda c: -c.macro_average_precision))


def candidate(parameters: Parameters, Y: NDArray[np.int8], log_odds: Floats) -> Candidate:
    """Score a setting by its out-of-fold log-odds, over the rows that were tested."""
    tested = ~np.isnan(log_odds[:, 0])
    Y, log_odds = Y[tested], log_odds[tested, :-1]
    present = Y.any(axis=0)
    # a fixed cut of one half: the setting itself, before any threshold is tuned
    return Candidate(
        parameters,
        float(average_precision_score(Y[:, present], log_odds[:, present], average="macro")),
        _micro_f1(Y, log_odds >= 0),
    )


def fit_model(data: Dataset, parameters: Parameters | None = None) -> FittedModel:
    """Choose what is not given, then fit on all labels.

    Args:
        data: Labelled sentences of at least two groups.
        parameters: Used as they are; searched over ``DEFAULT_GRID`` where None.

    Returns:
        The pipeline, with calibration folded into its coefficients, so that its
        ``predict_proba`` gives the calibrated probabilities.

    Raises:
        TrainingError: A topic has no sentence, or all sentences are of one group.
    """
    check_support(data)
    splits = data.grouped_splits()
    candidates: tuple[Candidate, ...] = ()
    if parameters is None:
        ranked = rank_parameters(data, (SKLEARN_DEFAULTS, *DEFAULT_GRID), splits)
        candidates, parameters = ranked, ranked[0].parameters
    decision = choose_decision(data.Y, cross_validate(data, parameters, splits))
    pipeline = _fit_pipeline(data, parameters, decision)
    return FittedModel(pipeline, decision, parameters, candidates)


def check_support(data: Dataset) -> None:
    """Raise a ``TrainingError`` where a topic is on no sentence, or on every one."""
    for topic, support in zip(data.topics, data.Y.sum(axis=0), strict=True):
        if not 0 < support < len(data):
            raise TrainingError(
                f"topic {topic!r} is on {support} of {len(data)} sentences",
                hint="Label sentences with and without it, or take it out of the taxonomy.",
            )


def _fit_pipeline(data: Dataset, parameters: Parameters, decision: Decision) -> Pipeline:
    """Fit on all labels, with the calibration folded into the coefficients."""
    vectorizer = make_vectorizer(parameters)
    X = vectorizer.fit_transform(data.texts).tocsr()
    classifier = make_classifier(parameters).fit(X, data.Y)
    linear = [*classifier.estimators_, classifier.relevance_]  # relevance may be constant
    coefficients = np.vstack([np.zeros(X.shape[1]) if e is None else e.coef_[0] for e in linear])
    intercepts = np.array([CERTAIN if e is None else e.intercept_[0] for e in linear])
    for t, estimator in enumerate(linear):
        if estimator is not None:
            estimator.coef_ = decision.weights[[t]] @ coefficients
            estimator.intercept_ = decision.weights[[t]] @ intercepts + decision.offset[t]
    return Pipeline([("features", vectorizer), ("classifier", classifier)])


def nested_predictions(
    data: Dataset,
    splits: Iterable[Split],
    parameters: Parameters | None = None,
    jobs: int = 1,
) -> tuple[Floats, NDArray[np.int8]]:
    """Predict each test fold with nothing but its training fold, thresholds included.

    Args:
        data: Labelled sentences.
        splits: (train, test) rows.
        parameters: Fixed for all folds; searched anew inside each fold where None.
        jobs: Processes.

    Returns:
        Calibrated probabilities (NaN for rows in no test fold) and tags, both n by T.
    """
    probabilities = np.full(data.Y.shape, np.nan)
    tags = np.zeros_like(data.Y)
    folds = list(splits)
    predicted = Parallel(n_jobs=jobs)(
        delayed(_predict_fold)(data, train, test, parameters) for train, test in folds
    )
    for (_, test), (fold_probabilities, fold_tags) in zip(folds, predicted, strict=True):
        probabilities[test], tags[test] = fold_probabilities, fold_tags
    return probabilities, tags


def _predict_fold(
    data: Dataset,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    parameters: Parameters | None,
) -> tuple[Floats, NDArray[np.int8]]:
    inner = data.subset(train)
    splits = inner.grouped_splits()
    if parameters is None:
        parameters = rank_parameters(inner, DEFAULT_GRID, splits)[0].parameters
    decision = choose_decision(inner.Y, cross_validate(inner, parameters, splits))
    held_out = cross_validate_fold(data, parameters, train, test)
    return decision.probabilities(held_out), decision.tags(held_out)
