"""The one cross-validation: each fold from the others, whatever the settings and processes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import home_dataset, with_labels, with_relevance

from topicml.training.cross_validation import cross_validate
from topicml.training.features import Parameters, make_pipeline, sigmoid

QUICK = Parameters(char_ngrams=None)
RARE = 1  # the column that some tests take out of a fold


@pytest.mark.parametrize("jobs", [1, 2])
def test_settings_together_are_the_settings_alone(jobs):
    data = home_dataset()
    splits = data.grouped_splits()
    grid = [QUICK, Parameters(), replace(QUICK, C=0.1), replace(QUICK, nb_mixing=1.0)]
    together = cross_validate(data, grid, splits, jobs=jobs)
    assert together.shape == (4, 32, 3)
    for setting, log_odds in zip(grid, together, strict=True):
        np.testing.assert_array_equal(log_odds, cross_validate(data, [setting], splits)[0])
    assert len(np.unique(together[:, 0, 0])) == 4


@pytest.mark.parametrize("parameters", [QUICK, Parameters(nb_mixing=0.5)])
def test_cross_validation_predicts_each_fold_from_the_others(parameters):
    data = home_dataset()
    log_odds = cross_validate(data, [parameters], data.grouped_splits())[0]
    for train, test in data.grouped_splits():
        inner, outer = data.subset(train), data.subset(test)
        expected = make_pipeline(parameters).fit(inner.texts, with_relevance(inner.Y))
        np.testing.assert_allclose(
            log_odds[test], expected.decision_function(outer.texts), atol=1e-9
        )


def test_rows_in_no_test_fold_have_no_prediction():
    data = home_dataset()
    split = data.grouped_splits()[0]
    log_odds = cross_validate(data, [QUICK], [split])[0]
    assert np.isfinite(log_odds[split[1]]).all()
    assert np.isnan(log_odds[split[0]]).all()


def test_topic_absent_from_the_training_fold_is_never_given():
    data = home_dataset()
    train, test = data.grouped_splits()[0]
    data = with_labels(data, (train, RARE), 0)
    log_odds = cross_validate(data, [QUICK], [(train, test)])[0, test]
    assert sigmoid(log_odds[:, RARE]).max() < 1e-9
    assert np.ptp(log_odds[:, 1 - RARE]) > 0


def test_topic_on_every_sentence_of_the_training_fold_is_always_given():
    data = home_dataset()
    train, test = data.grouped_splits()[0]
    data = with_labels(data, (train, RARE), 1)
    log_odds = cross_validate(data, [QUICK], [(train, test)])[0, test]
    assert sigmoid(log_odds[:, RARE]).min() > 1 - 1e-9
