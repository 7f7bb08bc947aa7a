from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm

from topicml.report.trends_rates import (
    SentenceSums,
    Share,
    corrected,
    design_effect,
    lang_reiczigel,
    share_of_sentences,
    share_of_stories,
    why_not_corrected,
    why_of_others,
)
from topicml.training.error_rates import ErrorRates


def rates(se=0.8, n_se=200.0, sp=0.97, n_sp=2000.0, positives=200, documents=90):
    return ErrorRates("a", "natural", se, n_se, sp, n_sp, documents, positives, 2000)


def sums(m, y):
    m, y = np.asarray(m), np.asarray(y)
    return SentenceSums(
        *(int(y.sum()), int(m.sum()), int((m > 0).sum())),
        *(int((y**2).sum()), int((m**2).sum()), int((m * y).sum())),
    )


@pytest.mark.parametrize(("tagged", "stories"), [(0, 9), (3, 9), (9, 9), (17, 1000)])
def test_shares_of_stories_have_the_exact_interval(tagged, stories):
    share = share_of_stories(tagged, stories)
    exact = binomtest(tagged, stories).proportion_ci(method="exact")
    assert share.value == tagged / stories
    assert (share.low, share.high) == pytest.approx((exact.low, exact.high))


def test_of_nothing_there_is_no_share():
    assert share_of_stories(0, 0).value is None
    assert share_of_sentences(sums([], [])).value is None
    assert corrected(Share(None), rates()).value is None


def test_the_error_of_sentences_is_that_of_a_ratio_over_stories():
    rng = np.random.default_rng(0)
    m = rng.integers(1, 40, 300)
    y = rng.binomial(m, rng.beta(0.5, 6, 300))
    share = share_of_sentences(sums(m, y))
    p = y.sum() / m.sum()
    bootstrap = [
        y[rows].sum() / m[rows].sum() for rows in (rng.integers(0, 300, 300) for _ in range(2000))
    ]
    assert share.value == pytest.approx(p)
    assert math.sqrt(p * (1 - p) / share.size) == pytest.approx(np.std(bootstrap), rel=0.08)
    assert share.low < np.quantile(bootstrap, 0.05)
    assert share.high > np.quantile(bootstrap, 0.95)
    assert share.size < m.sum() / 2  # alike sentences tell less


def test_of_stories_of_one_sentence_it_is_that_of_sentences():
    y = np.repeat([1, 0], [30, 170])
    share = share_of_sentences(sums(np.ones(200, int), y))
    assert share.size == pytest.approx(200, rel=0.02)


def test_two_stories_have_no_interval():
    share = share_of_sentences(sums([10, 20], [1, 3]))
    assert (share.value, share.low, share.size) == (pytest.approx(4 / 30), None, 0)
    assert "fewer than 3 stories" in share.note
    assert corrected(share, rates()).low is None


def test_where_no_sentence_has_it_the_whole_tells_how_alike_sentences_are():
    none = sums([50] * 10, [0] * 10)
    assert share_of_sentences(none).size == 10
    assert share_of_sentences(none, 5.0).size == 100
    assert share_of_sentences(none, 0.1).size == 500
    assert design_effect(none) is None
    assert design_effect(sums([10] * 9, [10, *[0] * 8])) == pytest.approx(10, rel=0.6)


def reference(k, n, k_se, n_se, k_sp, n_sp):
    """Lang and Reiczigel (2014), section 2.2, in counts."""
    z = norm.ppf(0.975)
    n1, k1 = n + z * z, k + z * z / 2
    a, b, c, d = k_se + 1, n_se + 2, k_sp + 1, n_sp + 2
    p, se, sp = k1 / n1, a / b, c / d
    theta = (p + sp - 1) / (se + sp - 1)
    parts = (p * (1 - p) / n1, se * (1 - se) / b, sp * (1 - sp) / d)
    error = math.sqrt(parts[0] + theta**2 * parts[1] + (1 - theta) ** 2 * parts[2]) / (se + sp - 1)
    shift = 2 * z * z * (theta * parts[1] - (1 - theta) * parts[2])
    return theta + shift - z * error, theta + shift + z * error


@given(
    st.integers(5, 500),
    st.floats(0, 1),
    st.integers(10, 300),
    st.floats(0.6, 1),
    st.integers(10, 3000),
    st.floats(0.6, 1),
)
def test_the_interval_is_that_of_the_reference(n, p, n_se, se, n_sp, sp):
    k, k_se, k_sp = round(p * n), round(se * n_se), round(sp * n_sp)
    found = lang_reiczigel(k / n, n, k_se / n_se, n_se, k_sp / n_sp, n_sp)
    assert found == pytest.approx(reference(k, n, k_se, n_se, k_sp, n_sp))


@given(st.floats(0.01, 0.99), st.floats(0.5, 0.99), st.floats(0.7, 1))
def test_what_is_tagged_of_a_true_share_is_corrected_to_it(true, se, sp):
    tagged = se * true + (1 - sp) * (1 - true)
    found = corrected(Share(tagged, tagged, tagged, 1e6), rates(se, 1e7, sp, 1e7))
    assert found.value == pytest.approx(true)
    assert found.low <= found.value <= found.high


def test_without_error_known_for_sure_nothing_changes():
    share = share_of_stories(30, 100)
    found = corrected(share, rates(1.0, 1e9, 1.0, 1e9))
    assert found.value == pytest.approx(share.value)
    assert (found.low, found.high) == pytest.approx((share.low, share.high), abs=0.01)


def test_less_known_errors_make_wider_intervals():
    share = share_of_stories(30, 100)
    sure, unsure = corrected(share, rates()), corrected(share, rates(n_se=20.0, n_sp=60.0))
    assert unsure.value == sure.value
    assert unsure.low < sure.low < sure.high < unsure.high


def test_a_share_under_that_of_false_tags_is_nought_where_chance_explains_it():
    found = corrected(share_of_stories(2, 100), rates())
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high > 0
    assert "before it was cut off" in found.note


def test_and_is_not_corrected_where_chance_does_not():
    share = share_of_stories(20, 100_000)
    assert "errs less" in why_of_others(share, rates())
    found = corrected(share, rates())
    assert (found.value, found.low) == (None, None)
    assert "errs less" in found.note


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (rates(positives=9), "9 sentences"),
        (rates(documents=5), "5 documents"),
        (rates(se=None), "alone"),
        (rates(se=0.1, sp=0.95), "is 0.05"),
        (rates(se=0.2, n_se=20.0), "may be under 0.1"),
    ],
)
def test_too_little_to_correct_by_is_said(known, said):
    assert said in why_not_corrected(known)


def test_enough_is_enough():
    assert why_not_corrected(rates()) is None


@pytest.mark.parametrize("true", [0.01, 0.05, 0.2])
def test_the_corrected_interval_holds_the_true_share(true):
    """Stories whose sentences are alike; errors known from samples of alike sentences, too."""
    rng = np.random.default_rng(7)
    se, sp, replications = 0.7, 0.985, 400
    held = 0
    for _ in range(replications):
        m = rng.integers(5, 40, 150)
        y = rng.binomial(m, rng.beta(true * 6, (1 - true) * 6, 150))
        tagged = rng.binomial(y, se) + rng.binomial(m - y, 1 - sp)
        k_se, k_sp = rng.binomial(150, se), rng.binomial(1500, sp)
        known = rates(k_se / 150, 150.0, k_sp / 1500, 1500.0)
        found = corrected(share_of_sentences(sums(m, tagged)), known)
        held += found.low is not None and found.low <= true <= found.high
    assert 0.92 <= held / replications <= 1.0
