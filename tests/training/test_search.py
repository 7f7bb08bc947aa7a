"""The search: what it draws, what it chooses, and that it reports honestly."""

from __future__ import annotations

from dataclasses import replace

import pytest
from samples import home_dataset as sample_dataset

from topicml.training.features import SKLEARN_DEFAULTS, Parameters
from topicml.training.fit import Candidate, rank_parameters
from topicml.training.search import (
    FOLDS,
    NOISE,
    choose,
    count_features,
    count_fits,
    draw_settings,
    tune,
)

WORDS = Parameters(char_ngrams=None)
SETTINGS = [SKLEARN_DEFAULTS, WORDS]


def test_drawing_is_seeded_and_always_has_the_baselines():
    drawn = draw_settings(10, seed=3)
    assert drawn == draw_settings(10, seed=3)
    assert drawn != draw_settings(10, seed=4)
    assert drawn[:2] == [SKLEARN_DEFAULTS, Parameters()]
    assert len(set(drawn)) == 12


def test_the_smallest_model_within_noise_of_the_best_is_chosen():
    small, large, poor = WORDS, Parameters(), SKLEARN_DEFAULTS
    candidates = [
        Candidate(large, 0.8, 0.5),
        Candidate(small, 0.8 - NOISE / 2, 0.5),
        Candidate(poor, 0.8 - 2 * NOISE, 0.5),
    ]
    assert choose(candidates, {large: 900, small: 100, poor: 10}) == small


def test_features_are_those_of_the_fitted_vectorizer():
    data = sample_dataset()
    assert count_features(data, WORDS) > count_features(data, SKLEARN_DEFAULTS) > 10


def test_candidates_are_those_of_plain_cross_validation():
    data = sample_dataset()
    found = tune(data, SETTINGS).candidates
    plain = rank_parameters(data, SETTINGS, data.grouped_splits(FOLDS))
    assert [c.parameters for c in found] == [c.parameters for c in plain]
    for ours, theirs in zip(found, plain, strict=True):
        assert ours.macro_average_precision == pytest.approx(theirs.macro_average_precision)


def test_each_fit_is_told_and_counted():
    fits = []
    data = sample_dataset()
    tune(data, SETTINGS, on_fit=lambda: fits.append(1))
    assert len(fits) == count_fits(data, SETTINGS)


def test_two_processes_find_what_one_finds():
    data = sample_dataset()
    assert tune(data, SETTINGS, jobs=2) == tune(data, SETTINGS)


def test_a_held_out_label_changes_no_prediction_of_its_own_fold():
    data = sample_dataset()
    train, test = data.grouped_splits(FOLDS)[0]
    Y = data.Y.copy()
    Y[test] = 1 - Y[test]
    before, after = (tune(d, [WORDS]).evaluation for d in (data, replace(data, Y=Y)))
    # the folds that train on the flipped part change, the flipped part's own scores are
    # against flipped labels: nothing of it was known when it was predicted
    assert len(train) + len(test) == before.sentences == after.sentences
    assert after.headlines["micro_f1"].value < before.headlines["micro_f1"].value
