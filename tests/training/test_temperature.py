"""One temperature for all topics, and what a precision takes."""

import numpy as np
import pytest

from topicml.scoring.probabilities import softmax
from topicml.training.features import CERTAIN
from topicml.training.temperature import choose_multiclass_decision, fit_temperature


def drawn(scale: float, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn by the softmax of ``scale`` times the log-odds that are returned."""
    random = np.random.default_rng(0)
    log_odds = random.normal(0, 2, size=(count, 3))
    shares = softmax(scale * log_odds).cumsum(axis=1)
    chosen = (random.random((count, 1)) < shares).argmax(axis=1)
    return np.eye(3, dtype=np.int8)[chosen], log_odds


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_scale_is_the_one_that_labels_were_drawn_by(scale: float) -> None:
    Y, log_odds = drawn(scale)
    assert fit_temperature(Y, log_odds, np.ones(len(Y))) == pytest.approx(scale, rel=0.1)


def test_weight_counts_as_so_many_rows() -> None:
    Y, log_odds = drawn(1.0, 60)
    weights = np.arange(60) % 3
    rows = np.repeat(np.arange(60), weights)
    expected = fit_temperature(Y[rows], log_odds[rows], np.ones(len(rows)))
    assert fit_temperature(Y, log_odds, weights.astype(float)) == pytest.approx(expected, rel=1e-4)


def test_topics_that_a_model_never_saw_say_nothing_of_the_temperature() -> None:
    Y, log_odds = drawn(1.0, 400)
    expected = fit_temperature(Y, log_odds, np.ones(400))
    unseen = np.tile([0.0, 3.0, -CERTAIN], (20, 1))
    more = np.vstack([Y, np.tile(np.array([0, 0, 1], dtype=np.int8), (20, 1))])
    found = fit_temperature(more, np.vstack([log_odds, unseen]), np.ones(420))
    assert found == pytest.approx(expected, rel=1e-6)
    assert fit_temperature(more[400:], unseen, np.ones(20)) == 1.0


def test_likeliest_topic_is_given_and_probabilities_are_calibrated() -> None:
    Y, log_odds = drawn(0.5)
    with_relevance = np.column_stack([log_odds, np.full(len(Y), CERTAIN)])
    decision = choose_multiclass_decision(Y, with_relevance, np.ones(len(Y)))
    probabilities = decision.probabilities(with_relevance)
    assert probabilities.sum(axis=1) == pytest.approx(1.0)
    tags = decision.tags(with_relevance)
    assert (tags.argmax(axis=1) == log_odds.argmax(axis=1)).all()
    assert (tags.sum(axis=1) == 1).all()
    right = (tags * Y).sum() / len(Y)
    assert probabilities.max(axis=1).mean() == pytest.approx(right, abs=0.03)


def test_threshold_of_a_precision_reaches_it_among_the_likeliest() -> None:
    Y, log_odds = drawn(0.5)
    with_relevance = np.column_stack([log_odds, np.full(len(Y), CERTAIN)])
    decision = choose_multiclass_decision(Y, with_relevance, np.ones(len(Y)))
    probabilities = decision.probabilities(with_relevance)
    k = decision.precisions.index(0.9)
    for t, threshold in enumerate(decision.precision_thresholds[:, k]):
        given = (probabilities.argmax(axis=1) == t) & (probabilities[:, t] >= threshold)
        assert Y[given, t].mean() >= 0.9
        lower = (probabilities.argmax(axis=1) == t) & (probabilities[:, t] >= threshold - 0.1)
        assert Y[lower, t].mean() < 0.9
