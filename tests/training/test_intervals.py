"""Intervals: known values, what must hold of all, and that they hold the truth often enough."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from scipy.stats import t as student

from topicml.training.intervals import (
    FEWEST_DOCUMENTS,
    UNDEFINED,
    Jackknife,
    clopper_pearson,
    difference_interval,
    format_interval,
    share_interval,
)


def mean_of(values):
    """The jackknife of a mean."""
    values = np.asarray(values, dtype=np.float64)
    without = (values.sum() - values) / max(len(values) - 1, 1)
    return Jackknife(float(values.mean()), without, len(values))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_standard_error_of_a_mean_is_the_textbooks(values):
    expected = np.std(values, ddof=1) / np.sqrt(len(values))
    assert mean_of(values).standard_error == pytest.approx(expected, abs=1e-9)


def test_difference_has_students_interval():
    old, new = mean_of([0.1, 0.4, 0.3, 0.2]), mean_of([0.3, 0.5, 0.6, 0.3])
    found = difference_interval(new - old)
    reach = student.ppf(0.975, 3) * np.std([0.2, 0.1, 0.3, 0.1], ddof=1) / 2
    assert found.value == pytest.approx(0.175)
    assert (found.low, found.high) == pytest.approx((0.175 - reach, 0.175 + reach))


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (0, 50), (3, 50), (25, 50), (49, 50), (50, 50)])
def test_clopper_pearson_is_exact(hits, n):
    expected = binomtest(hits, n).proportion_ci(0.95, "exact")
    assert clopper_pearson(hits / n, n) == pytest.approx((expected.low, expected.high))


def test_a_share_of_independent_sentences_has_nearly_the_exact_interval():
    hits = np.arange(400) % 10 == 0
    found = share_interval(mean_of(hits))
    exact = binomtest(40, 400).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=0.001)


def test_sentences_that_are_alike_make_it_wider():
    alone = share_interval(mean_of(np.arange(40) % 4 == 0))
    together = share_interval(mean_of(np.repeat([1, 0, 0, 0, 0, 1, 0, 0], 5).reshape(8, 5).mean(1)))
    assert alone.value == together.value
    assert together.high - together.low > 1.5 * (alone.high - alone.low)


def test_of_thirty_documents_none_was_wrong():
    found = share_interval(mean_of(np.ones(30)))
    assert (found.value, found.high) == (1, 1)
    assert found.low**30 == pytest.approx(0.025)


@given(st.lists(st.integers(0, 8).map(lambda i: i / 8), min_size=FEWEST_DOCUMENTS, max_size=40))
def test_share_interval_is_never_of_no_width_and_holds_the_value(values):
    found = share_interval(mean_of(values))
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high
    assert found.note is None


@given(st.lists(st.floats(0, 1), min_size=3, max_size=20), st.randoms())
def test_order_of_documents_does_not_matter(values, random):
    shuffled = random.sample(values, len(values))
    found, again = (share_interval(mean_of(v)) for v in (values, shuffled))
    assert (found.low, found.high) == pytest.approx((again.low, again.high), abs=1e-6)


def test_too_few_documents_have_a_value_and_a_reason():
    found = share_interval(mean_of([0.5, 0.7]))
    assert (found.low, found.high) == (None, None)
    row = {"value": found.value, "low": None, "high": None, "note": found.note}
    assert format_interval(row) == ("0.600", "– (2 documents tell of it, 3 are needed)")
    assert format_interval({"value": 0.6, "low": None, "high": None}) == ("0.600", "–")  # as it was


def test_undefined_figures_stay_undefined():
    nothing = Jackknife(math.nan, np.full(4, math.nan), 0)
    assert share_interval(nothing) == difference_interval(nothing) == UNDEFINED
    assert format_interval({"value": None, "low": None, "high": None}) == ("–", "–")


def coverage(size, truth, replications=400):
    """How often the interval of a ratio of sums over unlike documents holds the truth."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(replications):
        sentences = np.clip(rng.lognormal(2, 0.8, size).astype(int), 1, 60)
        # a document's own rate: its sentences are alike
        hits = rng.binomial(sentences, rng.beta(8 * truth, 8 * (1 - truth), size))
        value = hits.sum() / sentences.sum()
        without = (hits.sum() - hits) / (sentences.sum() - sentences)
        found = share_interval(Jackknife(value, without, size))
        held += found.low <= truth <= found.high
    return held / replications


@pytest.mark.parametrize("size", [5, 10, 20, 60])
@pytest.mark.parametrize("truth", [0.15, 0.7])
def test_intervals_hold_the_true_value_about_as_often_as_they_say(size, truth):
    assert 0.91 <= coverage(size, truth) <= 0.995
