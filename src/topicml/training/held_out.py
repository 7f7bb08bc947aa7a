"""Held-out log-odds to tags, by all that ``classify`` does with a sentence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import FeatureUnion

from topicml.scheme import Scheme
from topicml.scoring.scorer import Scores
from topicml.tagging.tagger import decide
from topicml.tagging.thresholds import Thresholds
from topicml.text.normalise import as_scored
from topicml.text.packed import PackedTexts
from topicml.training.calibration import Decision, Floats
from topicml.training.dataset import Dataset
from topicml.training.export import scorer_of_words


def tag_held_out(
    data: Dataset, log_odds: Floats, decision: Decision, vectorizer: FeatureUnion
) -> tuple[Floats, NDArray[np.int8]]:
    """Return calibrated probabilities and tags, both n by T; see ``decide_held_out``."""
    scores, given, _ = decide_held_out(data, log_odds, decision, vectorizer)
    return scores.probabilities, given.astype(np.int8)


def decide_held_out(
    data: Dataset, log_odds: Floats, decision: Decision, vectorizer: FeatureUnion
) -> tuple[Scores, NDArray[np.bool_], NDArray[np.int8]]:
    """Return what a model finds in n sentences, and what it decides, see ``tagger.decide``.

    Args:
        data: n sentences.
        log_odds: n by T + 1 of a model that has not seen them.
        decision: Chosen without them.
        vectorizer: Of that model; it says which words are known.
    """
    calibrated = decision.calibrated(log_odds)
    return decide_calibrated(
        *(data.topics, data.texts, calibrated, thresholds_of(decision), vectorizer, data.scheme)
    )


def decide_calibrated(
    topics: Sequence[str],
    texts: Sequence[str],
    calibrated: Floats,
    thresholds: Thresholds,
    vectorizer: FeatureUnion,
    scheme: Scheme,
) -> tuple[Scores, NDArray[np.bool_], NDArray[np.int8]]:
    """Decide by probabilities that are known already; see ``decide_held_out``.

    Args:
        topics: T topic ids.
        texts: n sentences.
        calibrated: n by T + 1 probabilities, relevance last.
        thresholds: What a sentence must reach.
        vectorizer: It says which words are known.
        scheme: How the texts that it learned from are labelled.
    """
    packed = PackedTexts.of([as_scored(text) for text in texts])
    counted = scorer_of_words(vectorizer, topics).score_spans(*packed)
    scores = Scores(calibrated[:, :-1], calibrated[:, -1], *counted[2:])
    return scores, *decide(scores, packed, thresholds, scheme)


def thresholds_of(decision: Decision) -> Thresholds:
    """Return what a sentence must reach by a decision."""
    return Thresholds(decision.thresholds, decision.relevance_threshold, decision.fewest_known)
