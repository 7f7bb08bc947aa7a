"""From log-odds to probabilities: of topics each by itself, or that exclude each other."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from topicml.scheme import Kind
from topicml.scoring.features import Floats

_Float = TypeVar("_Float", bound=np.floating[Any])


def probabilities_of(log_odds: Floats, kind: Kind) -> Floats:
    """Return n by T + 1 probabilities for n by T + 1 log-odds, relevance last.

    In a multiclass scheme those of a text's topics add up to one.
    """
    probabilities = sigmoid(log_odds)
    if kind == "multiclass":
        probabilities[:, :-1] = softmax(log_odds[:, :-1])
    return probabilities


def sigmoid(log_odds: NDArray[_Float]) -> NDArray[_Float]:
    """Return the probability of each log-odds, in their own precision."""
    power = np.exp(-np.abs(log_odds))  # never overflows
    probabilities: NDArray[_Float] = np.where(log_odds >= 0, 1.0, power) / (1.0 + power)
    return probabilities


def softmax(log_odds: Floats) -> Floats:
    """Return probabilities that add up to one in each row."""
    power = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))  # never overflows
    shares: Floats = power / power.sum(axis=1, keepdims=True)
    return shares
