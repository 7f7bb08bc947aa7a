from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backgrounds import home_background
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import home_dataset

from topicml.labels.texts import sha1_of
from topicml.training.dataset import Dataset
from topicml.training.natural_mix import deciding_sentences, natural_weights

STRATA = 12


def made_dataset(n, authored, drawn):
    return Dataset(
        topics=("a", "b"),
        texts=tuple(f"sentence {row}" for row in range(n)),
        Y=np.zeros((n, 2), dtype=np.int8),
        groups=np.array(["g"] * n),
        sources=np.where(authored, "authored", "archive"),
        drawn=drawn,
        copies=np.arange(n),
    )


def made_mix(seed, drawn=300, picked=660, authored=150):
    """Return sentences of which those not drawn are likelier to have a topic."""
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.repeat([0, 1, 2], [drawn, picked, authored]))
    log_odds = rng.normal(size=(len(kinds), 3)) + np.where(kinds == 0, -1, 0.5)[:, None]
    return made_dataset(len(kinds), kinds == 2, kinds == 0), log_odds


def strata_of(data, log_odds):
    """Rank the real sentences and cut the ranks into twelve."""
    highest = log_odds[:, :2].max(axis=1)
    ranks = np.searchsorted(np.sort(highest[data.articles]), highest[data.articles])
    return ranks * STRATA // data.articles.sum()


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), picked=st.integers(0, 60), authored=st.integers(0, 200))
def test_weighted_strata_are_as_large_as_among_those_drawn(seed, picked, authored):
    data, log_odds = made_mix(seed, 300, STRATA * picked, authored)
    weights = natural_weights(log_odds, data.articles, data.drawn)[data.articles]
    strata = strata_of(data, log_odds)
    drawn = data.drawn[data.articles]
    found = np.bincount(strata, weights, STRATA) / weights.sum()
    np.testing.assert_allclose(found, np.bincount(strata[drawn], minlength=STRATA) / drawn.sum())
    assert weights.sum() == pytest.approx(len(weights))


def test_sentences_of_a_stratum_weigh_the_same():
    data, log_odds = made_mix(0)
    weights, strata = (
        natural_weights(log_odds, data.articles, data.drawn)[data.articles],
        strata_of(data, log_odds),
    )
    for stratum in range(STRATA):
        assert np.ptp(weights[strata == stratum]) == 0
    assert len(np.unique(weights)) > STRATA / 2


def test_what_was_picked_for_its_topics_weighs_less():
    data, log_odds = made_mix(1)
    weights = natural_weights(log_odds, data.articles, data.drawn)
    picked = data.articles & ~data.drawn
    assert weights[picked].mean() < 0.8 < 1.2 < weights[data.drawn].mean()


def test_authored_sentences_stand_for_nothing():
    data, log_odds = made_mix(2)
    weights = natural_weights(log_odds, data.articles, data.drawn)
    assert not weights[~data.articles].any()
    assert weights[data.articles].any()


def test_all_drawn_weigh_one():
    data, log_odds = made_mix(3, drawn=360, picked=0, authored=0)
    np.testing.assert_allclose(natural_weights(log_odds, data.articles, data.drawn), 1)


@pytest.mark.parametrize(("drawn", "is_weighted"), [(0, False), (99, False), (100, True)])
def test_all_weigh_one_where_few_were_drawn(drawn, is_weighted):
    data, log_odds = made_mix(4, drawn=drawn)
    assert bool((natural_weights(log_odds, data.articles, data.drawn) != 1).any()) is is_weighted


def test_relevance_and_labels_do_not_matter():
    data, log_odds = made_mix(5)
    other = log_odds.copy()
    other[:, -1] = 99
    labelled = replace(data, Y=1 - data.Y)
    expected = natural_weights(log_odds, data.articles, data.drawn)
    np.testing.assert_array_equal(
        natural_weights(other, labelled.articles, labelled.drawn), expected
    )


@pytest.mark.parametrize("drawn", [0, 299])
def test_decision_rests_on_what_the_background_said_where_few_were_drawn(drawn):
    none, all_ = np.zeros(drawn, dtype=np.bool_), np.ones(drawn, dtype=np.bool_)
    data = made_dataset(drawn, none, all_) if drawn else home_dataset()
    known = home_background()
    n = 400
    rng = np.random.default_rng(0)
    many = replace(
        known,
        seen={sha1_of(f"sentence {row}"): row for row in range(n)},
        folds=(np.arange(n) % 4).astype(np.int8),
        log_odds=rng.normal(size=(4, n, 3)).astype(np.float16),
        Y=(rng.random((n, 2)) < 0.2).astype(np.int8),
        real=np.ones(n, dtype=np.bool_),
        drawn=np.ones(n, dtype=np.bool_),
    )
    folds = many.folds_of(data.texts, data.groups.tolist())
    before = many.log_odds_out_of_fold(data.texts, folds)
    shift = np.array([1.0, -2.0, 0.5])
    Y, log_odds, weights = deciding_sentences(data, before + shift, many)
    rows = np.flatnonzero(np.isin(many.folds, folds))
    assert 0 < len(rows) <= n
    np.testing.assert_array_equal(Y, many.Y[rows])
    said = many.log_odds[many.folds[rows], rows]
    np.testing.assert_allclose(log_odds, said.astype(float) + shift, atol=1e-9)
    np.testing.assert_allclose(weights, 1)


def test_decision_rests_on_the_labels_where_the_background_knows_no_better():
    data = home_dataset()
    log_odds = np.zeros((len(data), 3))
    for background in (None, home_background()):
        Y, used, weights = deciding_sentences(data, log_odds, background)
        assert Y is data.Y
        assert used is log_odds
        np.testing.assert_array_equal(weights, 1)
