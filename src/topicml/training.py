"""From labels to a fitted pipeline: cross-validation, parameters, calibration, thresholds."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve
from sklearn.pipeline import Pipeline

from topicml.dataset import Dataset, Split
from topicml.errors import TrainingError
from topicml.features import SKLEARN_DEFAULTS, Parameters, make_classifier, make_vectorizer

Floats = NDArray[np.float64]

DEFAULT_GRID: tuple[Parameters, ...] = tuple(
    Parameters(char_ngrams=char_ngrams, C=C, class_weight=class_weight, nb_mixing=nb_mixing)
    for char_ngrams in (None, (3, 5))
    for nb_mixing in (0.0, 0.5)
    for C in (1.0, 10.0, 100.0)
    for class_weight in (None, "balanced")
)
"""What is searched where no parameters are given: 24 settings."""

_NEVER = -700.0  # the log-odds of a topic with no positive sentence: a probability of 0
_FEWEST_FOR_CALIBRATION = 8
_THRESHOLD_RANGE = (0.1, 0.9)


@dataclass(frozen=True, slots=True)
class Decision:
    """What turns a topic's log-odds into a probability and a tag.

    Attributes:
        slope: T slopes; calibrated log-odds are ``slope * log_odds + offset``.
        offset: T offsets.
        thresholds: T probabilities from which on a topic is given.
    """

    slope: Floats
    offset: Floats
    thresholds: Floats

    def probabilities(self, log_odds: Floats) -> Floats:
        """Return calibrated probabilities, n by T."""
        return sigmoid(log_odds * self.slope + self.offset)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One parameter setting and how it did in cross-validation."""

    parameters: Parameters
    macro_average_precision: float
    micro_f1: float


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A fitted pipeline with its thresholds, and the candidates it was chosen from."""

    pipeline: Pipeline
    thresholds: Floats
    parameters: Parameters
    candidates: tuple[Candidate, ...] = field(default=())


def sigmoid(x: Floats) -> Floats:
    """Return ``1 / (1 + exp(-x))`` without overflow."""
    return np.exp(-np.logaddexp(0.0, -x))


def cross_validate(data: Dataset, parameters: Parameters, splits: Sequence[Split]) -> Floats:
    """Return out-of-fold log-odds, n by T; rows in no test fold are NaN."""
    return _cross_validate_many(data, [parameters], splits)[0]


def _cross_validate_many(
    data: Dataset, settings: Sequence[Parameters], splits: Iterable[Split]
) -> list[Floats]:
    """Cross-validate several settings, vectorising once for those that share features."""
    log_odds = [np.full(data.Y.shape, np.nan) for _ in settings]
    for train, test in splits:
        matrices: dict[Parameters, tuple[object, object]] = {}
        for parameters, out in zip(settings, log_odds, strict=True):
            key = replace(parameters, C=1.0, class_weight=None, nb_mixing=0.0)
            if key not in matrices:
                vectorizer = make_vectorizer(parameters)
                X_train = vectorizer.fit_transform([data.texts[i] for i in train]).tocsr()
                X_test = vectorizer.transform([data.texts[i] for i in test]).tocsr()
                matrices[key] = (X_train, X_test)
            out[test] = _fit_predict(parameters, *matrices[key], data.Y[train])
    return log_odds


def _fit_predict(
    parameters: Parameters, X_train: object, X_test: object, Y: NDArray[np.int8]
) -> Floats:
    with warnings.catch_warnings():
        # a topic may be absent from a fold; the constant predictor is then what is meant
        warnings.filterwarnings("ignore", message="Label .* is present in all training")
        warnings.filterwarnings("ignore", message="Label not .* is present in all training")
        classifier = make_classifier(parameters).fit(X_train, Y)
        return estimator_log_odds(classifier.estimators_, X_test)


def estimator_log_odds(estimators: Sequence[Any], X: Any) -> Floats:
    """Return n by T decision values; a topic never seen in training is never given."""
    columns = [
        estimator.decision_function(X)
        if hasattr(estimator, "coef_")
        else np.full(X.shape[0], _NEVER)
        for estimator in estimators
    ]
    return np.column_stack(columns).astype(np.float64)


def choose_decision(Y: NDArray[np.int8], log_odds: Floats) -> Decision:
    """Fit calibration and thresholds to out-of-fold log-odds.

    Calibration is Platt's: a logistic regression of the label on the log-odds, per topic
    (Platt, "Probabilistic Outputs for Support Vector Machines", 1999). Thresholds are the
    probabilities that give each topic its highest F1, see ``best_threshold``.
    """
    topics = Y.shape[1]
    slope, offset = np.ones(topics), np.zeros(topics)
    for t in range(topics):
        if _FEWEST_FOR_CALIBRATION <= Y[:, t].sum() <= len(Y) - _FEWEST_FOR_CALIBRATION:
            finite = np.clip(log_odds[:, [t]], -50, 50)
            platt = LogisticRegression(C=1e4, solver="lbfgs").fit(finite, Y[:, t])
            if platt.coef_[0, 0] > 0:  # else the ranking itself is worthless: leave it
                slope[t], offset[t] = platt.coef_[0, 0], platt.intercept_[0]
    probabilities = sigmoid(log_odds * slope + offset)
    thresholds = choose_thresholds(Y, probabilities)
    return Decision(slope, offset, thresholds)


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
        _candidate(parameters, data.Y, log_odds)
        for parameters, log_odds in zip(grid, _cross_validate_many(data, grid, splits), strict=True)
    ]
    return tuple(sorted(scored, key=lambda c: -c.macro_average_precision))


def _candidate(parameters: Parameters, Y: NDArray[np.int8], log_odds: Floats) -> Candidate:
    tested = ~np.isnan(log_odds[:, 0])
    Y, log_odds = Y[tested], log_odds[tested]
    present = Y.any(axis=0)
    # a fixed cut of one half: the setting itself, before any threshold is tuned
    tags = log_odds >= 0
    hits = float((tags & (Y == 1)).sum())
    return Candidate(
        parameters,
        float(average_precision_score(Y[:, present], log_odds[:, present], average="macro")),
        2 * hits / max(1.0, float(tags.sum() + Y.sum())),
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
    _check_support(data)
    splits = data.grouped_splits()
    candidates: tuple[Candidate, ...] = ()
    if parameters is None:
        ranked = rank_parameters(data, (SKLEARN_DEFAULTS, *DEFAULT_GRID), splits)
        candidates, parameters = ranked, ranked[0].parameters
    decision = choose_decision(data.Y, cross_validate(data, parameters, splits))
    pipeline = _fit_pipeline(data, parameters, decision)
    return FittedModel(pipeline, decision.thresholds, parameters, candidates)


def _check_support(data: Dataset) -> None:
    for topic, support in zip(data.topics, data.Y.sum(axis=0), strict=True):
        if not 0 < support < len(data):
            raise TrainingError(
                f"topic {topic!r} is on {support} of {len(data)} sentences",
                hint="Label sentences with and without it, or take it out of the taxonomy.",
            )


def _fit_pipeline(data: Dataset, parameters: Parameters, decision: Decision) -> Pipeline:
    vectorizer = make_vectorizer(parameters)
    classifier = make_classifier(parameters)
    classifier.fit(vectorizer.fit_transform(data.texts).tocsr(), data.Y)
    for estimator, slope, offset in zip(
        classifier.estimators_, decision.slope, decision.offset, strict=True
    ):
        estimator.coef_ = estimator.coef_ * slope
        estimator.intercept_ = estimator.intercept_ * slope + offset
    return Pipeline([("features", vectorizer), ("classifier", classifier)])


def nested_predictions(
    data: Dataset, splits: Iterable[Split], parameters: Parameters | None = None
) -> tuple[Floats, Floats]:
    """Predict each test fold with nothing but its training fold, thresholds included.

    Args:
        data: Labelled sentences.
        splits: (train, test) rows.
        parameters: Fixed for all folds; searched anew inside each fold where None.

    Returns:
        Calibrated probabilities and the fold's thresholds, both n by T; rows in no test
        fold are NaN.
    """
    probabilities = np.full(data.Y.shape, np.nan)
    thresholds = np.full(data.Y.shape, np.nan)
    for train, test in splits:
        inner = data.subset(train)
        inner_splits = inner.grouped_splits()
        chosen = parameters
        if chosen is None:
            chosen = rank_parameters(inner, DEFAULT_GRID, inner_splits)[0].parameters
        decision = choose_decision(inner.Y, cross_validate(inner, chosen, inner_splits))
        log_odds = cross_validate(data, chosen, [(train, test)])[test]
        probabilities[test] = decision.probabilities(log_odds)
        thresholds[test] = decision.thresholds
    return probabilities, thresholds
