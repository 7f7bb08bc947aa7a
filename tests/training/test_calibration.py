"""Calibration, thresholds per topic and per precision, and the relevance threshold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import home_dataset, repeated
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from topicml.training.calibration import (
    PRECISIONS,
    Decision,
    best_threshold,
    choose_decision,
    choose_relevance_threshold,
    choose_thresholds,
    precision_thresholds,
)
from topicml.training.cross_validation import cross_validate
from topicml.training.features import Parameters, sigmoid

QUICK = Parameters(char_ngrams=None)


@pytest.mark.parametrize(("copies", "stacked"), [(1, False), (4, True)])
def test_topics_with_enough_sentences_learn_from_the_other_topics(copies, stacked):
    data = repeated(home_dataset(), copies)
    weights = choose_decision(
        data.Y, cross_validate(data, [QUICK], data.grouped_splits())[0]
    ).weights
    others = weights * (1 - np.eye(3))
    assert weights.shape == (3, 3)
    assert (np.diag(weights) > 0).all()
    assert bool(others[:2, :2].any()) is stacked
    assert bool(others[:2, 2].any()) is stacked
    assert not others[2].any()  # relevance takes its own log-odds alone


def test_calibration_is_a_logistic_regression_on_the_topics_own_log_odds():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 60).astype(np.int8)
    log_odds = np.column_stack([rng.normal(size=60) + y, rng.normal(size=60)])
    decision = choose_decision(y[:, None], log_odds)
    platt = LogisticRegression().fit(log_odds[:, [0]], y)
    np.testing.assert_allclose(
        decision.probabilities(log_odds)[:, 0],
        platt.predict_proba(log_odds[:, [0]])[:, 1],
        atol=1e-6,
    )


@pytest.mark.parametrize("positives", [3, 57])
def test_too_few_labels_leave_the_log_odds_as_they_are(positives):
    y = (np.arange(60) < positives).astype(np.int8)[:, None]
    log_odds = np.column_stack([np.linspace(3, -3, 60)] * 2)
    probabilities = choose_decision(y, log_odds).probabilities(log_odds)
    np.testing.assert_allclose(probabilities, sigmoid(log_odds[:, :1]))


def test_calibration_never_turns_a_ranking_round():
    y = (np.arange(60) < 30).astype(np.int8)[:, None]
    log_odds = np.column_stack([np.linspace(-3, 3, 60)] * 2)
    probabilities = choose_decision(y, log_odds).probabilities(log_odds)[:, 0]
    assert (np.diff(probabilities) > 0).all()


def test_decision_weighs_and_shifts_log_odds_per_topic():
    weights = np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 0.5], [0.0, 0.0, 3.0]])
    decision = make_decision(weights, np.array([0.0, -1.0, 7.0]))
    found = decision.probabilities(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 4.0]]))
    expected = [[0.5, 0.5], [1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-1))]]
    np.testing.assert_allclose(found, expected)


def make_decision(weights=None, offset=None, thresholds=(0.5, 0.5), relevance_threshold=0.0):
    return Decision(
        np.eye(3) if weights is None else weights,
        np.zeros(3) if offset is None else offset,
        np.array(thresholds),
        relevance_threshold,
        np.full((2, len(PRECISIONS)), np.nan),
    )


def test_probability_at_its_topics_threshold_is_a_tag():
    decision = make_decision(thresholds=(0.5, sigmoid(np.array([1.0]))[0]))
    found = decision.tags(np.array([[0.0, 1.0, 0.0], [-1e-9, 1 - 1e-9, 0.0]]))
    assert found.tolist() == [[1, 1], [0, 0]]
    assert found.dtype == np.int8


def test_relevance_under_its_threshold_takes_every_tag():
    decision = make_decision(relevance_threshold=0.5)
    found = decision.tags(np.array([[9.0, 9.0, 0.0], [9.0, -9.0, 1.0], [9.0, 9.0, -1e-9]]))
    assert found.tolist() == [[1, 1], [1, 0], [0, 0]]


def test_relevance_is_calibrated_before_it_is_compared():
    decision = make_decision(offset=np.array([0.0, 0.0, 2.0]), relevance_threshold=0.5)
    assert decision.tags(np.array([[1.0, 1.0, -1.9], [1.0, 1.0, -2.1]])).tolist() == [
        [1, 1],
        [0, 0],
    ]
    decision = make_decision(weights=np.diag([1.0, 1.0, -1.0]), relevance_threshold=0.5)
    assert decision.tags(np.array([[1.0, 1.0, 3.0], [1.0, 1.0, -3.0]])).tolist() == [[0, 0], [1, 1]]


def naive_micro_f1(Y, tags):
    pairs = [
        (y, t) for row, given in zip(Y, tags, strict=True) for y, t in zip(row, given, strict=True)
    ]
    hits = sum(1 for y, t in pairs if y and t)
    total = sum(1 for y, _ in pairs if y) + sum(1 for _, t in pairs if t)
    return 2 * hits / total if total else 0.0


def naive_relevance_threshold(Y, tags, relevance_of):
    """Try every cut; keep the highest that costs at most half a point."""
    if sum(1 for row in Y if not any(row)) < 50:
        return 0.0
    all_kept, best = naive_micro_f1(Y, tags), 0.0
    for cut in (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7):
        kept = [
            [bool(t) and r >= cut for t in given]
            for given, r in zip(tags, relevance_of, strict=True)
        ]
        if naive_micro_f1(Y, kept) >= all_kept - 0.005:
            best = cut
    return best


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), empty=st.integers(45, 90), signal=st.floats(0, 1))
def test_relevance_threshold_is_the_highest_that_costs_hardly_any_f1(seed, empty, signal):
    rng = np.random.default_rng(seed)
    Y = np.vstack([np.zeros((empty, 3)), rng.random((60, 3)) < 0.6]).astype(np.int8)
    tags = (Y == 1) ^ (rng.random(Y.shape) < 0.2)
    relevance_of = signal * Y.any(axis=1) + (1 - signal) * rng.random(len(Y))
    expected = naive_relevance_threshold(Y.tolist(), tags.tolist(), relevance_of.tolist())
    assert choose_relevance_threshold(Y, tags, relevance_of) == expected


@pytest.mark.parametrize(("empty", "expected"), [(49, 0.0), (50, 0.7)])
def test_relevance_threshold_needs_fifty_sentences_without_a_topic(empty, expected):
    Y = (np.arange(empty + 20) >= empty).astype(np.int8)[:, None]
    tags = np.ones(Y.shape, dtype=bool)
    assert choose_relevance_threshold(Y, tags, Y[:, 0].astype(float)) == expected


def test_relevance_threshold_pays_no_more_than_half_a_point():
    Y = (np.arange(500) >= 100).astype(np.int8)[:, None]
    relevance_of = np.where(Y[:, 0] == 1, 0.9, 0.1)
    relevance_of[-3:] = 0.42  # 3 of 400 cost 0.4 of a point, 8 cost a whole one
    relevance_of[-8:-3] = 0.52
    assert choose_relevance_threshold(Y, Y == 1, relevance_of) == 0.5
    relevance_of[-8:-3] = 0.42
    assert choose_relevance_threshold(Y, Y == 1, relevance_of) == 0.4


def naive_precision_threshold(y, p, wanted):
    """Try every probability as a cut, the lowest first."""
    for cut in sorted(set(p)):
        given = [label for label, value in zip(y, p, strict=True) if value >= cut]
        if len(given) >= 10 and sum(given) / len(given) >= wanted:
            return cut
    return float("nan")


@settings(deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(5, 60),
    signal=st.floats(0, 0.9),
    steps=st.sampled_from([7, 50, 10_000]),
)
def test_precision_thresholds_are_the_lowest_that_reach_each_precision(seed, n, signal, steps):
    rng = np.random.default_rng(seed)
    Y = (rng.random((n, 3)) < [0.5, 0.2, 0.0]).astype(np.int8)
    p = np.round((signal * Y + (1 - signal) * rng.random((n, 3))) * steps) / steps
    found = precision_thresholds(Y, p)
    expected = [
        [
            naive_precision_threshold(y.tolist(), column.tolist(), k) if y.any() else float("nan")
            for k in PRECISIONS
        ]
        for y, column in zip(Y.T, p.T, strict=True)
    ]
    np.testing.assert_array_equal(found, np.array(expected))
    assert np.isnan(found[2]).all()


@pytest.mark.parametrize(("count", "expected"), [(9, float("nan")), (10, 0.9)])
def test_precision_of_fewer_than_ten_tags_does_not_count(count, expected):
    y = (np.arange(40) < count).astype(np.int8)[:, None]
    p = np.where(y == 1, 0.9, 0.0)
    np.testing.assert_array_equal(precision_thresholds(y, p)[0], [expected] * len(PRECISIONS))


def test_decision_holds_what_is_chosen_on_calibrated_probabilities():
    rng = np.random.default_rng(2)
    Y = (rng.random((300, 2)) < 0.3).astype(np.int8)
    log_odds = np.column_stack([Y, 4 * Y.any(axis=1)]) - [0.5, 0.5, 2] + rng.normal(size=(300, 3))
    decision = choose_decision(Y, log_odds)
    probabilities = decision.probabilities(log_odds)
    relevance_of = sigmoid(log_odds @ decision.weights[-1] + decision.offset[-1])
    np.testing.assert_array_equal(decision.thresholds, choose_thresholds(Y, probabilities))
    np.testing.assert_array_equal(
        decision.precision_thresholds, precision_thresholds(Y, probabilities)
    )
    assert decision.precisions == PRECISIONS
    assert decision.relevance_threshold == naive_relevance_threshold(
        Y.tolist(), (probabilities >= decision.thresholds).tolist(), relevance_of.tolist()
    )
    assert decision.relevance_threshold > 0
    platt = LogisticRegression().fit(log_odds[:, [2]], Y.any(axis=1))
    np.testing.assert_allclose(relevance_of, platt.predict_proba(log_odds[:, [2]])[:, 1], atol=1e-6)


def naive_best_f1(y, p):
    """Try a cut below each probability."""
    best = 0.0
    for cut in set(p):
        tags = [value >= cut for value in p]
        hits = sum(tag and label for tag, label in zip(tags, y, strict=True))
        best = max(best, 2 * hits / (sum(tags) + sum(y)))
    return best


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(10, 90)), min_size=1, max_size=25).filter(
        lambda pairs: any(label for label, _ in pairs)
    )
)
def test_threshold_reaches_the_best_f1_there_is(pairs):
    y = np.array([label for label, _ in pairs], dtype=np.int8)
    p = np.array([percent / 100 for _, percent in pairs])
    threshold = best_threshold(y, p)
    reached = f1_score(y, p >= threshold, zero_division=0)
    assert reached == pytest.approx(naive_best_f1(y.tolist(), p.tolist()))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=1, max_size=25))
def test_threshold_stays_between_a_tenth_and_nine_tenths(pairs):
    y = np.array([label for label, _ in pairs], dtype=np.int8)
    threshold = best_threshold(y, np.array([p for _, p in pairs]))
    assert 0.1 <= threshold <= 0.9


def test_threshold_lies_half_way_to_the_next_lower_probability():
    y = np.array([0, 0, 1, 1], dtype=np.int8)
    assert best_threshold(y, np.array([0.2, 0.3, 0.6, 0.8])) == pytest.approx(0.45)


def test_topic_without_a_sentence_gets_the_highest_threshold():
    assert best_threshold(np.zeros(3, dtype=np.int8), np.array([0.1, 0.5, 0.99])) == 0.9


def test_thresholds_are_chosen_topic_by_topic():
    Y = np.array([[0, 1], [1, 1], [1, 0]], dtype=np.int8)
    p = np.array([[0.2, 0.7], [0.4, 0.6], [0.9, 0.2]])
    assert choose_thresholds(Y, p).tolist() == pytest.approx([0.3, 0.4])
