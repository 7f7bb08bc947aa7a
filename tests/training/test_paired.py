"""Differences of two models: against scikit-learn without each document, and tests by hand."""

from __future__ import annotations

from dataclasses import replace
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student
from sklearn.metrics import average_precision_score, f1_score

from topicml.training.evaluation import Predictions
from topicml.training.paired import Flips, compare_predictions, holm, mcnemar

TOPICS = ("baking", "gardening", "sailing")


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


def about(old, new, name):
    """How many documents have something that a figure is about."""
    column = [TOPICS.index(name)] if name in TOPICS else [0, 1, 2]
    counts = []
    for side in (old, new):
        rows = side.Y[:, column].any(axis=1)
        if name in (*TOPICS, "micro_f1"):
            rows = rows | side.tags[:, column].any(axis=1)
        counts.append(len(set(side.documents[rows].tolist())))
    return max(counts)


@pytest.mark.parametrize("name", ["micro_f1", "macro_f1", "macro_average_precision", *TOPICS])
def test_intervals_are_students_with_scikit_learns_figures_without_each_document(name):
    old, new = made_up()
    paired = compare_predictions(old, new)
    found = {**paired.figures, **{t.topic: t.f1 for t in paired.topics}}[name]
    everything = np.arange(len(old.Y))
    assert found.old == pytest.approx(by_sklearn(old, name, everything))
    assert found.new == pytest.approx(by_sklearn(new, name, everything))
    assert found.difference == pytest.approx(found.new - found.old)
    without = []
    for document in np.unique(old.documents):
        kept = np.flatnonzero(old.documents != document)
        without.append(by_sklearn(new, name, kept) - by_sklearn(old, name, kept))
    off = np.array(without) - found.difference
    told = min(int((np.abs(off) > 1e-12).sum()), about(old, new, name))
    reach = student.ppf(0.975, told - 1) * np.sqrt((told - 1) / told * (off**2).sum())
    assert (found.low, found.high) == pytest.approx(
        (found.difference - reach, found.difference + reach)
    )
    assert found.note is None


def test_pairing_makes_intervals_shorter_than_a_models_own():
    old, new = made_up(sentences=400, documents=100)
    nearly = replace(old, tags=np.where(np.arange(400)[:, None] < 8, new.tags, old.tags))
    found = compare_predictions(old, nearly).figures["micro_f1"]
    own = old.evaluate().headlines["micro_f1"]
    assert found.high - found.low < (own.high - own.low) / 2


def test_a_model_is_no_different_from_itself():
    old, _ = made_up()
    paired = compare_predictions(old, old)
    calibration = paired.figures.pop("expected_calibration_error")
    assert (calibration.difference, calibration.low) == (0, None)
    for row in paired.figures.values():
        assert (row.difference, row.low, row.high) == (0, None, None)
        assert row.note == "0 documents tell of it, 3 are needed"
    for topic in paired.topics:
        assert (topic.flips, topic.p_value, topic.p_corrected) == (Flips(0, 0, 0, 0), 1, 1)


def test_calibration_errors_are_those_of_both_models_without_an_interval():
    old, new = made_up()
    row = compare_predictions(old, new).figures["expected_calibration_error"]
    own = [side.evaluate().headlines["expected_calibration_error"] for side in (old, new)]
    assert (row.old, row.new) == pytest.approx((own[0].value, own[1].value))
    assert row.difference == pytest.approx(row.new - row.old)
    assert (row.low, row.note) == (None, "chance widens both, by how much is not known")


def test_two_documents_are_no_ground_for_an_interval():
    old, _ = made_up(sentences=60, documents=3)
    none, one = np.zeros_like(old.Y), np.zeros_like(old.Y)
    one[0] = 1
    Y = none + (old.documents == "d2").astype(np.int8)[:, None]
    sides = (replace(old, Y=Y, tags=tags) for tags in (none, one))
    row = compare_predictions(*sides).figures["false_tag_rate"]
    assert row.difference == 1 / 40
    assert (row.low, row.note) == (None, "2 documents tell of it, 3 are needed")


def test_precision_of_rare_topics_has_no_interval():
    rows = [compare_predictions(*made_up(documents=d)).figures for d in (5, 30)]
    few, many = (row["macro_average_precision"] for row in rows)
    assert (few.low, few.note) == (None, "fewer than 10 documents carry half of the topics")
    assert many.low < many.high


@given(st.integers(0, 100), st.integers(1, 12))
def test_no_interval_is_of_no_width_without_a_note(seed, documents):
    paired = compare_predictions(*made_up(seed, 24, documents))
    for row in [*paired.figures.values(), *(t.f1 for t in paired.topics)]:
        assert (row.note is None) == (row.low is not None)
        if row.low is not None:
            assert -1 <= row.low <= row.difference <= row.high <= 1
            assert row.low < row.high


def test_one_document_has_no_interval_and_says_so():
    paired = compare_predictions(*made_up(documents=1))
    for name in ("micro_f1", "macro_average_precision", "expected_calibration_error"):
        row = paired.figures[name]
        assert (row.low, row.high) == (None, None)
        assert row.note


def test_undefined_figures_are_none():
    old, new = made_up()
    Y = np.ones_like(old.Y)
    Y[:, 0] = 0
    paired = compare_predictions(replace(old, Y=Y), replace(new, Y=Y))
    assert paired.figures["false_tag_rate"].difference is None  # every sentence has a topic
    assert paired.topics[0].f1.difference is None
    assert paired.topics[1].f1.difference is not None


def test_flips_are_counted_by_who_is_right():
    old, _ = made_up(sentences=5)
    Y = np.array([[1, 0, 0], [0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0]], dtype=np.int8)
    before = np.array([[0, 0, 0], [0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]], dtype=np.int8)
    after = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]], dtype=np.int8)
    sides = (replace(old, Y=Y, tags=tags) for tags in (before, after))
    (baking, *others) = compare_predictions(*sides).topics
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


def test_of_topics_that_exclude_each_other_accuracy_is_compared_and_not_false_tags():
    old, new = (replace(side, kind="multiclass") for side in made_up())
    figures = compare_predictions(old, new).figures
    assert "false_tag_rate" not in figures
    right = [(side.tags == side.Y).all(axis=1).mean() for side in (old, new)]
    assert [figures["accuracy"].old, figures["accuracy"].new] == pytest.approx(right)
