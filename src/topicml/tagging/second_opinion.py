"""A second model for the sentences that the first is unsure of.

A fast model reads everything. The sentences whose tags are nearly others (some topic near its
threshold, or relevance near its gate) are read again by a model that is better and slower, and
its word counts. Which sentences those are depends on the sentence alone, never on what else is
read, so a record is the same wherever it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from topicml.scoring.scorer import Scorer, Scores
from topicml.tagging.abstention import REASONS
from topicml.tagging.thresholds import Thresholds

SHARES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
"""Shares of ordinary sentences whose margins a model's manifest states."""

_CERTAIN = 1e-9  # a probability nearer to 0 or 1 counts as this one

_LEFT_ALONE = [REASONS.index(reason) for reason in ("not_english", "boilerplate", "unfamiliar")]


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """What reads again, and what.

    Attributes:
        scorer: Of the second model; it has the topics of the first.
        model: ``name@version``.
        thresholds: What a sentence must reach there.
        margin: Up to which margin of the first model a sentence is read again.
    """

    scorer: Scorer
    model: str
    thresholds: Thresholds
    margin: float

    def rows(
        self, scores: Scores, codes: NDArray[np.int8], thresholds: Thresholds
    ) -> NDArray[np.intp]:
        """Return which of n sentences are to be read again.

        Args:
            scores: Of the first model.
            codes: n places in ``REASONS``; a sentence that no model should judge is left alone.
            thresholds: Of the first model.
        """
        found = margins(scores.probabilities, scores.relevance, thresholds)
        return np.flatnonzero((found <= self.margin) & ~np.isin(codes, _LEFT_ALONE))


def margins(
    probabilities: NDArray[np.float64], relevance: NDArray[np.float64], thresholds: Thresholds
) -> NDArray[np.float64]:
    """Return by how much n sentences' log-odds must change before their tags do.

    That is by the largest of the changes needed: those of a sentence under the gate are a topic's
    and relevance's.

    Args:
        probabilities: n by T.
        relevance: n.
        thresholds: What a sentence must reach.
    """
    never = thresholds.topics > 1
    over = _log_odds(probabilities) - np.where(never, np.inf, _log_odds(thresholds.topics))
    gate = _log_odds(thresholds.relevance) if thresholds.relevance > 0 else -np.inf
    over_gate = _log_odds(relevance) - gate
    given = (over >= 0).any(axis=1)
    tagged = np.minimum(np.abs(over).min(axis=1), np.where(given, over_gate, np.inf))
    gated = np.maximum(-over_gate, -over.max(axis=1))
    found: NDArray[np.float64] = np.where(over_gate >= 0, tagged, gated)
    return found


def _log_odds(probability: ArrayLike) -> NDArray[np.float64]:
    clipped = np.clip(probability, _CERTAIN, 1 - _CERTAIN)
    found: NDArray[np.float64] = np.log(clipped / (1 - clipped))
    return found


def margins_of_shares(
    found: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, ...]:
    """Return for each of ``SHARES`` the margin that so many sentences do not exceed.

    Args:
        found: n margins.
        weights: n, how much ordinary text each sentence stands for.
    """
    order = np.argsort(found, kind="stable")
    reached = np.cumsum(weights[order]) / weights.sum()
    places = np.minimum(np.searchsorted(reached, SHARES), len(order) - 1)
    return tuple(found[order][places].tolist())


def margin_for(share: float, known: Sequence[float]) -> float:
    """Return up to which margin a share of ordinary sentences is read again.

    Args:
        share: From 0, nothing, to 1, everything.
        known: From ``margins_of_shares``; not asked for nothing and everything.
    """
    if share <= 0:
        return -np.inf
    return np.inf if share >= 1 else float(np.interp(share, SHARES, known))
