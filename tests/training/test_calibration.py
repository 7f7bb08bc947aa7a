"""Calibration, the two thresholds chosen together, and those per precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import home_dataset, repeated, with_relevance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from topicml.scoring.probabilities import sigmoid
from topicml.training.calibration import (
    MOST_FALSE_TAGS,
    PRECISIONS,
    Decision,
    choose_decision,
    choose_thresholds,
    fit_calibration,
    micro_f1,
    precision_thresholds,
)
from topicml.training.cross_validation import cross_validate
from topicml.training.features import CERTAIN, Parameters

QUICK = Parameters(char_ngrams=None)


def made_labels(seed, n, topics=2):
    """Return labels, log-odds that tell something of them, and whole weights from 1."""
    rng = np.random.default_rng(seed)
    Y = (rng.random((n, topics)) < 0.3).astype(np.int8)
    log_odds = 2 * with_relevance(Y) - 1 + rng.normal(0, 1.2, (n, topics + 1))
    return Y, log_odds, rng.integers(1, 4, n)


@pytest.mark.parametrize("copies", [1, 4])
def test_topics_and_relevance_take_their_own_log_odds_alone(copies):
    data = repeated(home_dataset(), copies)
    weights = choose_decision(
        data.Y, cross_validate(data, [QUICK], data.grouped_splits())[0]
    ).weights
    assert weights.shape == (3, 3)
    assert (np.diag(weights) > 0).all()
    assert not (weights * (1 - np.eye(3))).any()


def test_scales_and_offsets_are_plain_logistic_regressions_with_the_weights():
    Y, log_odds, weights = made_labels(0, 200)
    scale, offset = fit_calibration(Y, log_odds, weights.astype(float))
    for t, y in enumerate(with_relevance(Y).T):
        platt = LogisticRegression().fit(log_odds[:, [t]], y, sample_weight=weights)
        assert scale[t] == pytest.approx(platt.coef_[0, 0], rel=1e-6)
        assert offset[t] == pytest.approx(platt.intercept_[0], rel=1e-6)


@pytest.mark.parametrize(("counted", "is_fitted"), [(7, False), (8, True)])
def test_sentences_that_stand_for_nothing_are_not_enough_to_calibrate_by(counted, is_fitted):
    y = (np.arange(60) < 30).astype(np.int8)[:, None]
    log_odds = np.column_stack([np.where(y == 1, 1.0, -1.0)] * 2)
    weights = ((y[:, 0] == 0) | (np.arange(60) < counted)).astype(float)
    scale, offset = fit_calibration(y, log_odds, weights)
    assert (scale != 1).tolist() == [is_fitted, is_fitted]
    assert (offset != 0).tolist() == [is_fitted, is_fitted]


@pytest.mark.parametrize("seed", range(5))
def test_weight_of_a_sentence_is_how_often_it_is_there(seed):
    Y, log_odds, weights = made_labels(seed, 250)
    weights = np.maximum(weights, 1)  # calibration counts none as less than a part of one
    rows = np.repeat(np.arange(250), weights)
    weighted = choose_decision(Y, log_odds, weights.astype(float))
    repeated_rows = choose_decision(Y[rows], log_odds[rows])
    for name in ("weights", "offset"):
        np.testing.assert_allclose(
            getattr(weighted, name), getattr(repeated_rows, name), rtol=1e-3, atol=1e-3
        )
    for found, expected in zip(
        choose_thresholds(Y, log_odds, weights.astype(float)),
        choose_thresholds(Y[rows], log_odds[rows], np.ones(len(rows))),
        strict=True,
    ):
        assert found == expected


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


def naive_figures(Y, log_odds, weights, cut, gate):
    """Count, sentence by sentence, micro-F1 and the share of empty sentences with a tag."""
    hits = total = empty = tagged = 0
    for y, values, weight in zip(Y, log_odds, weights, strict=True):
        tags = [value >= cut and values[-1] >= gate for value in values[:-1]]
        hits += weight * sum(1 for label, tag in zip(y, tags, strict=True) if label and tag)
        total += weight * (sum(y) + sum(tags))
        empty += weight * (not any(y))
        tagged += weight * (not any(y) and any(tags))
    return 2 * hits / total if total else 0.0, tagged / empty if empty else 0.0


CUTS = [n / 10 for n in range(-25, 16)]
GATES = [-50.0, *(n / 5 for n in range(-15, 6))]


@settings(deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 12),
    noise=st.floats(0.1, 3),
    copies=st.sampled_from([1, 50]),
)
def test_no_two_thresholds_on_the_grid_are_better_than_the_chosen(seed, n, noise, copies):
    rng = np.random.default_rng(seed)
    Y = (rng.random((n, 2)) < 0.25).astype(np.int8)
    # places between those of the grid, so that rounding decides nothing
    log_odds = np.round(2 * with_relevance(Y) - 1 + rng.normal(0, noise, (n, 3)), 1) + 0.05
    weights = rng.integers(0, 4, n)
    rows = Y.tolist(), log_odds.tolist(), weights.tolist()
    many = np.tile(Y, (copies, 1)), np.tile(log_odds, (copies, 1)), np.tile(weights, copies)
    found = naive_figures(*rows, *choose_thresholds(*many))
    every = [naive_figures(*rows, cut, gate) for cut in CUTS for gate in GATES]
    most = MOST_FALSE_TAGS if copies == 50 else 1
    allowed = [f1 for f1, share in every if share <= most]
    assert found[0] == pytest.approx(max(allowed or [f1 for f1, _ in every]))
    assert found[1] <= most or not allowed


def empty_and_full(empty_relevance):
    """One topic, likely everywhere; 100 sentences without and 100 with it, and relevance."""
    Y = (np.arange(200) >= 100).astype(np.int8)[:, None]
    relevance_of = np.where(np.arange(200) < 100, empty_relevance, 0.5)
    return Y, np.column_stack([np.full(200, 9.0), relevance_of])


def test_gate_closes_where_too_many_empty_sentences_would_be_tagged():
    Y, log_odds = empty_and_full(-0.5)
    _, gate = choose_thresholds(Y, log_odds, np.ones(200))
    assert -0.5 < gate <= 0.5


@pytest.mark.parametrize(("likely", "is_open"), [(8, True), (9, False)])
def test_eight_of_a_hundred_empty_sentences_may_be_tagged_for_a_better_f1(likely, is_open):
    Y = np.zeros((140, 1), dtype=np.int8)
    Y[100:] = 1
    log_odds = np.full((140, 2), 1.0)
    log_odds[likely:100] = -2.9  # plainly nothing
    log_odds[130:, 1] = log_odds[:likely, 1] = -1.1  # ten to win, as hard as the likely ones
    cut, gate = choose_thresholds(Y, log_odds, np.ones(140))
    assert -2.9 < max(cut, gate) <= 1.0
    assert (gate <= -1.1) is is_open


@pytest.mark.parametrize(("counted", "is_open"), [(49, True), (50, False)])
def test_false_tags_count_only_where_fifty_sentences_without_a_topic_do(counted, is_open):
    Y = np.repeat(np.array([0, 1], dtype=np.int8), [60, 300])[:, None]
    log_odds = np.full((360, 2), 1.0)
    log_odds[:, 1] = np.where(Y[:, 0] == 0, -0.5, 0.5)
    log_odds[60:160, 1] = -0.5  # a third of the topic is lost behind a gate
    weights = (np.arange(360) >= 60 - counted).astype(float)
    _, gate = choose_thresholds(Y, log_odds, weights)
    assert (gate <= -0.5) is is_open


def test_best_f1_is_taken_where_no_thresholds_keep_to_few_false_tags():
    Y, log_odds = empty_and_full(9.0)
    log_odds[:, 1] = 9.0  # nothing tells them apart, and no cut is so high
    _, gate = choose_thresholds(Y, log_odds, np.ones(200))
    assert naive_figures(Y.tolist(), log_odds.tolist(), [1] * 200, 0, gate) == (
        pytest.approx(2 / 3),
        1.0,
    )


def test_sentences_that_stand_for_nothing_choose_no_threshold():
    Y, log_odds, _ = made_labels(3, 100)
    weights = (np.arange(100) < 60).astype(float)
    other = Y.copy()
    other[60:] = 1 - other[60:]
    expected = choose_thresholds(Y[:60], log_odds[:60], np.ones(60))
    assert choose_thresholds(Y, log_odds, weights) == expected
    assert choose_thresholds(other, log_odds, weights) == expected


def naive_precision_threshold(y, p, weights, wanted):
    """Try every probability as a cut, the lowest first."""
    for cut in sorted(set(p)):
        given = [(w, label) for w, label, value in zip(weights, y, p, strict=True) if value >= cut]
        hits, total = sum(w for w, label in given if label), sum(w for w, _ in given)
        if len(given) >= 10 and hits / total >= wanted:
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
    weights = rng.integers(1, 4, n)
    found = precision_thresholds(Y, p, weights.astype(float))
    expected = [
        [
            naive_precision_threshold(y.tolist(), column.tolist(), weights.tolist(), k)
            if y.any()
            else float("nan")
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
    np.testing.assert_array_equal(
        precision_thresholds(y, p, np.ones(40))[0], [expected] * len(PRECISIONS)
    )


def test_precision_rests_on_ten_tags_that_count():
    y = (np.arange(40) < 10).astype(np.int8)[:, None]
    weights = np.where(np.arange(40) < 9, 0.0, 1.0)
    found = precision_thresholds(y, np.where(y == 1, 0.9, 0.0), weights)
    assert np.isnan(found).all()


def test_decision_holds_what_is_chosen_on_calibrated_log_odds():
    Y, log_odds, weights = made_labels(2, 300)
    weights = weights.astype(float)
    decision = choose_decision(Y, log_odds, weights)
    scale, offset = fit_calibration(Y, log_odds, weights)
    calibrated = log_odds * scale + offset
    cut, gate = choose_thresholds(Y, calibrated, weights)
    np.testing.assert_array_equal(decision.weights, np.diag(scale))
    np.testing.assert_array_equal(decision.offset, offset)
    np.testing.assert_allclose(decision.calibrated(log_odds), sigmoid(calibrated), atol=1e-12)
    np.testing.assert_allclose(decision.thresholds, [1 / (1 + np.exp(-cut))] * 2)
    assert decision.relevance_threshold == pytest.approx(1 / (1 + np.exp(-gate)))
    assert decision.precisions == PRECISIONS
    np.testing.assert_allclose(
        decision.precision_thresholds,
        precision_thresholds(Y, sigmoid(calibrated[:, :-1]), weights),
        atol=1e-12,
    )


def test_tags_of_a_decision_are_those_its_thresholds_were_chosen_by():
    Y, log_odds, weights = made_labels(4, 300)
    decision = choose_decision(Y, log_odds, weights.astype(float))
    tags = decision.tags(log_odds)
    calibrated = log_odds @ decision.weights.T + decision.offset
    cut, gate = choose_thresholds(Y, calibrated, weights.astype(float))
    expected, share = naive_figures(
        Y.tolist(), calibrated.tolist(), weights.tolist(), float(cut), float(gate)
    )
    assert micro_f1(Y, tags == 1, weights.astype(float)) == pytest.approx(expected)
    assert share <= MOST_FALSE_TAGS


def test_no_gate_is_a_relevance_threshold_of_nothing():
    Y = np.tile(np.array([[1], [0]], dtype=np.int8), (20, 1))
    log_odds = np.column_stack([np.where(Y == 1, 3.0, -3.0), np.zeros(40)])
    assert choose_thresholds(Y, log_odds, np.ones(40))[1] == -CERTAIN
    assert choose_decision(Y, log_odds).relevance_threshold == 0.0


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 30), density=st.floats(0, 1))
def test_micro_f1_is_sklearns(seed, n, density):
    rng = np.random.default_rng(seed)
    Y = (rng.random((n, 3)) < density).astype(np.int8)
    tags = rng.random((n, 3)) < density
    weights = rng.integers(0, 4, n).astype(float)
    weights[0] = 1
    for given_weights in (None, weights):
        expected = f1_score(Y, tags, average="micro", sample_weight=given_weights, zero_division=0)
        assert micro_f1(Y, tags, given_weights) == pytest.approx(expected)
