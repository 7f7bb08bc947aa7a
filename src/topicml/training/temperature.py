"""Calibration where topics exclude each other: one temperature for all of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from topicml.training.calibration import (
    PRECISIONS,
    Decision,
    Floats,
    Labels,
    precision_thresholds,
)
from topicml.training.features import CERTAIN

_WIDEST = 4.0  # logarithm of the largest scale, and of its inverse


def choose_multiclass_decision(Y: Labels, log_odds: Floats, weights: Floats) -> Decision:
    """Fit the temperature to out-of-fold log-odds, and find what each precision takes.

    The likeliest topic is given, however likely: there is no threshold of the model's own.

    Args:
        Y: n by T labels, one topic a row.
        log_odds: n by T + 1, relevance last.
        weights: n, how many texts each stands for.
    """
    topics = Y.shape[1]
    scale = fit_temperature(Y, log_odds[:, :-1], weights)
    decision = Decision(
        np.diag(np.append(np.full(topics, scale), 1.0)),
        np.zeros(topics + 1),
        np.zeros(topics),
        0.0,
        np.zeros((topics, 0)),
        kind="multiclass",
    )
    probabilities = decision.probabilities(log_odds)
    likeliest = probabilities.argmax(axis=1)
    table = np.full((topics, len(PRECISIONS)), np.nan)
    for t in range(topics):
        rows = likeliest == t
        table[t] = precision_thresholds(
            Y[rows, t : t + 1], probabilities[rows, t : t + 1], weights[rows]
        )[0]
    return replace(decision, precision_thresholds=table)


def fit_temperature(Y: Labels, log_odds: Floats, weights: Floats) -> float:
    """Return the scale of log-odds under which the labels are likeliest.

    Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017: one
    number for all topics, the inverse of a temperature, so that none overtakes another. A text
    whose topic the model had never seen, and holds to be impossible, says nothing about it.

    Args:
        Y: n by T labels, one topic a row.
        log_odds: n by T.
        weights: n.
    """
    right = (log_odds * Y).sum(axis=1)
    weights = weights * (right > -CERTAIN)
    if not weights.any():
        return 1.0

    def loss(logarithm: float) -> float:
        scale = np.exp(logarithm)
        surprise = logsumexp(scale * log_odds, axis=1) - scale * right
        return float(weights @ surprise)

    found = minimize_scalar(loss, bounds=(-_WIDEST, _WIDEST), method="bounded")
    return float(np.exp(found.x))
