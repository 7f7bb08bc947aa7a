from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from topicml.training.logistic import fit_logistic


def made_rows(seed, n=60, m=6, outputs=1, kind=np.float64):
    """Return sparse rows and labels that no plane separates."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, m)) * (rng.random((n, m)) < 0.6)
    Y = (X[:, :outputs] + rng.normal(0, 1.5, (n, outputs)) > 0.3).astype(float)
    Y[0], Y[1] = 0, 1
    return csr_matrix(X.astype(kind)), Y


def fitted(X, Y, C=1.0, offsets=None, **others):
    offsets = np.zeros(Y.shape) if offsets is None else offsets
    return fit_logistic(X, Y, C=C, offsets=offsets, **others)


def assert_same_fit(found, expected, atol=2e-3):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=atol)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), C=st.sampled_from([0.01, 0.3, 1.0, 10.0]))
def test_hard_targets_give_sklearns_logistic_regression(seed, C):
    X, Y = made_rows(seed)
    theirs = LogisticRegression(C=C, tol=1e-10, max_iter=5000).fit(X, Y[:, 0])
    assert_same_fit(fitted(X, Y, C), (theirs.coef_, theirs.intercept_))


def test_outputs_together_are_each_alone():
    X, Y = made_rows(0, outputs=3)
    coefficients, intercepts = fitted(X, Y)
    assert coefficients.shape == (3, 6)
    assert intercepts.shape == (3,)
    for k in range(3):
        assert_same_fit((coefficients[[k]], intercepts[[k]]), fitted(X, Y[:, [k]]))


@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_soft_target_is_a_share_of_rows_with_the_label_and_of_rows_without(seed):
    X, _ = made_rows(seed)
    share = np.random.default_rng(seed).random((60, 1))
    twice = csr_matrix(np.vstack([X.toarray(), X.toarray()]))
    labels = np.repeat([1, 0], 60)
    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=5000)
    theirs.fit(twice, labels, sample_weight=np.append(share, 1 - share))
    assert_same_fit(fitted(X, share), (theirs.coef_, theirs.intercept_))


@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_weight_of_a_row_is_how_often_it_is_there(seed):
    X, Y = made_rows(seed, outputs=2)
    weights = np.random.default_rng(seed).integers(0, 4, 60)
    rows = np.repeat(np.arange(60), weights)
    assert_same_fit(fitted(X, Y, weights=weights.astype(float)), fitted(X[rows], Y[rows]))


def prior_of(X, outputs):
    rng = np.random.default_rng(7)
    coefficients, intercepts = rng.normal(size=(outputs, X.shape[1])), rng.normal(size=outputs)
    return coefficients, X @ coefficients.T + intercepts


def test_targets_that_the_prior_explains_are_left_to_it():
    X, _ = made_rows(1)
    _, offsets = prior_of(X, 1)
    coefficients, intercepts = fitted(X, 1 / (1 + np.exp(-offsets)), C=10.0, offsets=offsets)
    np.testing.assert_allclose(coefficients, 0, atol=1e-6)
    np.testing.assert_allclose(intercepts, 0, atol=1e-6)


def test_strong_regularisation_stays_near_the_prior_and_a_weak_one_leaves_it():
    X, Y = made_rows(2, n=200)
    prior, offsets = prior_of(X, 1)
    free = LogisticRegression(C=1e6, tol=1e-10, max_iter=5000).fit(X, Y[:, 0])
    near, _ = fitted(X, Y, 1e-5, offsets)
    np.testing.assert_allclose(near, 0, atol=0.01)
    far, _ = fitted(X, Y, 1e6, offsets)
    np.testing.assert_allclose(prior + far, free.coef_, atol=5e-3)


def test_smaller_c_stays_nearer_to_the_prior():
    X, Y = made_rows(3, n=200)
    _, offsets = prior_of(X, 1)
    norms = [np.linalg.norm(fitted(X, Y, C, offsets)[0]) for C in (1e-3, 1e-2, 0.1, 1.0, 10.0)]
    assert norms == sorted(norms)
    assert norms[-1] > 10 * norms[0]


@pytest.mark.parametrize("share", [0.03, 0.5, 0.97])
def test_intercept_is_not_regularised(share):
    X = csr_matrix((100, 2))
    Y = (np.arange(100) < 100 * share).astype(float)[:, None]
    coefficients, intercepts = fitted(X, Y, C=1e-6)
    assert 1 / (1 + np.exp(-intercepts[0])) == pytest.approx(share, abs=1e-3)
    assert not coefficients.any()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_result_has_the_precision_of_the_rows_and_is_the_same_each_time(kind):
    X, Y = made_rows(4, outputs=2, kind=kind)
    first, second = fitted(X, Y), fitted(X, Y)
    for one, other in zip(first, second, strict=True):
        assert one.dtype == kind
        assert one.tobytes() == other.tobytes()


def test_single_precision_is_close_to_double():
    X, Y = made_rows(5, n=200, outputs=2)
    assert_same_fit(fitted(X.astype(np.float32), Y), fitted(X, Y), atol=5e-3)


def test_fewer_iterations_are_further_from_the_best():
    X, Y = made_rows(6, n=200)
    best = fitted(X, Y)[0]
    gaps = [np.abs(fitted(X, Y, iterations=n)[0] - best).max() for n in (1, 3)]
    assert gaps[0] > gaps[1] > 0


def test_arguments_are_left_as_they_were():
    X, Y = made_rows(8)
    offsets, weights = np.full(Y.shape, 0.3), np.full(len(Y), 2.0)
    before = [a.copy() for a in (X.toarray(), Y, offsets, weights)]
    fitted(X, Y, 1.0, offsets, weights=weights)
    for one, other in zip(before, (X.toarray(), Y, offsets, weights), strict=True):
        np.testing.assert_array_equal(one, other)
