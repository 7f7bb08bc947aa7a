"""From which probabilities on a topic is given: the model's own thresholds, or others asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topicml.errors import ModelError
from topicml.scheme import Kind
from topicml.scoring.scorer import FEWEST_KNOWN, Scorer


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a sentence must reach.

    Attributes:
        topics: T probabilities from which on a topic is given.
        relevance: Probability of having any topic under which no topic is given; 0 for no
            such gate.
        known: Share of its words that the model must know.
    """

    topics: NDArray[np.float64]
    relevance: float
    known: float = FEWEST_KNOWN


def reached(
    probabilities: NDArray[np.float64], thresholds: NDArray[np.float64], kind: Kind
) -> NDArray[np.bool_]:
    """Return which of n by T topics are likely enough; in a multiclass scheme the likeliest alone.

    Args:
        probabilities: n by T.
        thresholds: T.
        kind: Of the scheme.
    """
    given: NDArray[np.bool_] = probabilities >= thresholds
    if kind == "multiclass":
        likeliest = probabilities.argmax(axis=1)
        given &= np.arange(given.shape[1]) == likeliest[:, np.newaxis]
    return given


def choose_thresholds(
    scorer: Scorer,
    *,
    threshold: float | None = None,
    min_precision: float | None = None,
    relevance: float | None = None,
) -> Thresholds:
    """Return the model's own thresholds, or those asked for.

    Args:
        scorer: The model's scorer.
        threshold: One probability for all topics. It decides alone: the relevance gate is
            then open, unless ``relevance`` is given too.
        min_precision: Give fewer, surer tags; see ``thresholds_for_precision``.
        relevance: Probability of having any topic under which none is given.

    Raises:
        ModelError: The model has no thresholds for a precision as high as that, or no relevance.
        ValueError: Both ``threshold`` and ``min_precision`` are given.
    """
    if relevance is not None and scorer.scheme.is_multiclass:
        raise ModelError(
            "a multiclass model has no relevance: each text has a topic",
            hint="Ask for surer tags with --threshold or --min-precision.",
        )
    if threshold is not None and min_precision is not None:
        raise ValueError("threshold and min_precision exclude each other")
    topics, gate = scorer.thresholds, scorer.relevance_threshold
    if threshold is not None:
        topics, gate = np.full(len(scorer.topics), threshold), 0.0
    elif min_precision is not None:
        topics = thresholds_for_precision(scorer, min_precision)
    return Thresholds(topics, gate if relevance is None else relevance, scorer.fewest_known)


def thresholds_for_precision(scorer: Scorer, precision: float) -> NDArray[np.float64]:
    """Return T thresholds that reached a precision in cross-validation.

    The nearest precision at or above the one asked for is taken. A topic that never reached
    it is never given; no threshold is under the model's own.

    Raises:
        ModelError: The model has no thresholds for a precision as high as that.
    """
    reached = [k for k, p in enumerate(scorer.precisions) if p >= precision - 1e-9]
    if not reached:
        known = ", ".join(f"{p:g}" for p in scorer.precisions)
        highest = max(scorer.precisions, default=None)
        raise ModelError(
            f"no thresholds for a precision of {precision:g}",
            hint=f"The highest this model has is {highest:g}; it has {known}."
            if highest is not None
            else "This model has none: use its own thresholds.",
        )
    chosen = scorer.precision_thresholds[:, reached[0]]
    return np.maximum(np.where(np.isnan(chosen), np.inf, chosen), scorer.thresholds)
