"""Differences of two models: against scikit-learn on the same resamples, and tests by hand."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score

from topicml.training.evaluation import Predictions
from topicml.training.metrics import calibration_interval, draw_documents
from topicml.training.paired import Flips, compare_predictions, holm, mcnemar

TOPICS = ("baking", "gardening", "sailing")
RESAMPLES = 60


def made_up(seed=0, sentences=120, documents=30):
    """Two models' predictions for the same sentences; the second is noisier."""
    rng = np.random.default_rng(seed)
    Y = (rng.random((sentences, 3)) < 0.3).astype(np.int8)
    sides = []
    for noise in (0.3, 0.45):
        probabilities = np.clip(0.25 + 0.5 * Y + rng.normal(0, noise, Y.shape), 0, 1)
        sides.append(
            Predictions(
                *("", TOPICS, Y, probabilities, (probabilities > 0.5).astype(np.int8)),
                np.array([f"d{i % documents}" for i in range(sentences)]),
            )
        )
    return sides


def by_sklearn(side, name, rows):
    Y, tags, probabilities = side.Y[rows], side.tags[rows], side.probabilities[rows]
    if name in TOPICS:
        t = TOPICS.index(name)
        return f1_score(Y[:, t], tags[:, t], zero_division=0)
    if name == "macro_average_precision":
        return average_precision_score(Y, probabilities, average="macro")
    return f1_score(Y, tags, average=name.removesuffix("_f1"), zero_division=0)


@pytest.mark.parametrize("name", ["micro_f1", "macro_f1", "macro_average_precision", *TOPICS])
def test_intervals_are_those_of_scikit_learn_on_the_same_resamples(name):
    old, new = made_up()
    paired = compare_predictions(old, new, resamples=RESAMPLES, seed=3)
    found = {**paired.figures, **{t.topic: t.f1 for t in paired.topics}}[name]
    rows, draws = draw_documents(old.documents, RESAMPLES, 3)
    differences = []
    for draw in draws:
        resample = np.repeat(np.arange(len(rows)), draw[rows])
        differences.append(by_sklearn(new, name, resample) - by_sklearn(old, name, resample))
    everything = np.arange(len(rows))
    assert found.old == pytest.approx(by_sklearn(old, name, everything))
    assert found.new == pytest.approx(by_sklearn(new, name, everything))
    assert found.difference == pytest.approx(found.new - found.old)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(differences, [2.5, 97.5])))
    assert found.note is None


def test_pairing_makes_intervals_shorter_than_two_resamplings():
    old, new = made_up(sentences=400, documents=100)
    nearly = replace(old, tags=np.where(np.arange(400)[:, None] < 8, new.tags, old.tags))
    found = compare_predictions(old, nearly, resamples=RESAMPLES).figures["micro_f1"]
    own = old.evaluate().headlines["micro_f1"]
    assert found.high - found.low < (own.high - own.low) / 2


def test_a_model_is_no_different_from_itself():
    old, _ = made_up()
    paired = compare_predictions(old, old, resamples=RESAMPLES)
    for name, row in paired.figures.items():
        assert row.difference == 0
        if name == "false_tag_rate":
            assert row.low < 0 < row.high  # by Bonett and Price, never of no width
        else:
            assert (row.low, row.high) == (0, 0)
            assert "no width" in row.note
    for topic in paired.topics:
        assert (topic.flips, topic.p_value, topic.p_corrected) == (Flips(0, 0, 0, 0), 1, 1)


def test_calibration_reaches_no_further_than_both_models_own_intervals():
    old, new = made_up()
    row = compare_predictions(old, new, resamples=RESAMPLES).figures["expected_calibration_error"]
    rows, draws = draw_documents(old.documents, RESAMPLES)
    own = [
        calibration_interval(side.Y, side.probabilities, draws[:, rows].astype(float))
        for side in (old, new)
    ]
    assert (row.old, row.new) == pytest.approx((own[0].value, own[1].value))
    reach = row.high - row.difference
    assert reach == pytest.approx(row.difference - row.low)
    assert max(i.high - i.value for i in own) < reach < 1.05 * sum(i.high - i.value for i in own)


@given(st.integers(0, 100), st.integers(1, 12))
def test_no_interval_is_of_no_width_without_a_note(seed, documents):
    paired = compare_predictions(*made_up(seed, 24, documents), resamples=50)
    for row in [*paired.figures.values(), *(t.f1 for t in paired.topics)]:
        assert row.note or row.low < row.high
        if row.low is not None and row.note is None and row.difference is not None:
            assert -1 <= row.low <= row.high <= 1


def test_one_document_has_no_interval_and_says_so():
    paired = compare_predictions(*made_up(documents=1), resamples=50)
    for name in ("micro_f1", "macro_average_precision", "expected_calibration_error"):
        row = paired.figures[name]
        assert (row.low, row.high) == (None, None)
        assert "One document" in row.note


def test_undefined_figures_are_none():
    old, new = made_up()
    Y = np.ones_like(old.Y)
    Y[:, 0] = 0
    paired = compare_predictions(replace(old, Y=Y), replace(new, Y=Y), resamples=50)
    assert paired.figures["false_tag_rate"].difference is None  # every sentence has a topic
    assert paired.topics[0].f1.difference is None
    assert paired.topics[1].f1.difference is not None


def test_flips_are_counted_by_who_is_right():
    old, _ = made_up(sentences=5)
    Y = np.array([[1, 0, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0]], dtype=np.int8)
    before = np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]], dtype=np.int8)
    after = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]], dtype=np.int8)
    sides = (replace(old, Y=Y, tags=tags) for tags in (before, after))
    (baking, *others) = compare_predictions(*sides, resamples=50).topics
    assert baking.flips == Flips(gained_right=1, gained_wrong=1, lost_right=1, lost_wrong=2)
    assert baking.p_value == mcnemar(3, 2)
    assert [t.flips for t in others] == [Flips(0, 0, 0, 0)] * 2


@given(st.integers(0, 30), st.integers(0, 30))
def test_mcnemar_is_the_exact_binomial_test(old, new):
    cases, least = old + new, min(old, new)
    tail = sum(comb(cases, k) for k in range(least + 1)) / 2**cases
    assert mcnemar(old, new) == pytest.approx(min(1.0, 2 * tail) if old != new else 1.0)


def test_holm_steps_down():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_holm_lies_between_uncorrected_and_bonferroni(p_values):
    for p, corrected in zip(p_values, holm(p_values), strict=True):
        assert p <= corrected <= min(1.0, p * len(p_values))


def test_false_tags_have_the_interval_of_bonett_and_price():
    old, _ = made_up(sentences=50)
    Y = np.zeros_like(old.Y)
    before, after = np.zeros_like(Y), np.zeros_like(Y)
    before[:2, 0], after[2:11, 1] = 1, 1
    sides = (replace(old, Y=Y, tags=tags) for tags in (before, after))
    row = compare_predictions(*sides, resamples=50).figures["false_tag_rate"]
    rose, fell = 10 / 52, 3 / 52
    reach = 1.959964 * np.sqrt((rose + fell - (rose - fell) ** 2) / 52)
    assert (row.old, row.new, row.difference) == pytest.approx((0.04, 0.18, 0.14))
    assert (row.low, row.high) == pytest.approx((rose - fell - reach, rose - fell + reach))
