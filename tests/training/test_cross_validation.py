"""The one cross-validation: each fold from the others, whatever the settings and processes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backgrounds import ADAPTED, home_background
from samples import home_dataset, with_labels, with_relevance

from topicml.errors import TrainingError
from topicml.scoring.probabilities import sigmoid
from topicml.training.cross_validation import cross_validate, splits_of, vectorizer_for
from topicml.training.features import Parameters, make_pipeline, make_vectorizer
from topicml.training.logistic import fit_logistic

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


HOME = home_background()


def adapted(data, background=HOME, settings=(ADAPTED,), **others):
    splits = splits_of(data, background)
    return cross_validate(data, settings, splits, background=background, **others)


def test_splits_without_a_background_are_the_grouped_ones():
    data = home_dataset()
    for found, expected in zip(splits_of(data, None, 3), data.grouped_splits(3), strict=True):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])


def test_splits_with_a_background_are_its_folds_but_for_empty_ones():
    data = home_dataset()
    splits = splits_of(data, HOME)
    assert [set(data.groups[test].tolist()) for _, test in splits] == [
        {"spring"},
        {"summer"},
        {"autumn", "winter"},
    ]
    for train, test in splits:
        assert sorted([*train, *test]) == list(range(32))


def test_labels_of_one_fold_of_the_background_are_refused():
    data = home_dataset()
    with pytest.raises(TrainingError) as caught:
        splits_of(data.subset(data.groups == "spring"), HOME)
    assert caught.value.what == "all 8 sentences belong to one fold of the background model"
    assert caught.value.where is None
    assert "--no-background" in caught.value.hint


def test_each_fold_is_corrected_from_the_background_without_it():
    data = home_dataset()
    found = adapted(data)[0]
    for fold, (train, test) in zip((0, 1, 2), splits_of(data, HOME), strict=True):
        inner, outer = data.subset(train), data.subset(test)
        vectorizer = HOME.vectorizer(inner.texts, ADAPTED.min_df)
        coefficients, intercepts = fit_logistic(
            vectorizer.transform(inner.texts).tocsr(),
            with_relevance(inner.Y),
            C=ADAPTED.C,
            offsets=HOME.log_odds_without(fold, inner.texts),
            weights=HOME.weights_of(inner.texts, inner.Y),
        )
        before = HOME.log_odds_without(fold, outer.texts)
        correction = vectorizer.transform(outer.texts) @ coefficients.T + intercepts
        np.testing.assert_allclose(found[test], before + correction, atol=1e-9)
        assert np.abs(correction).max() > 0.1


def test_next_to_no_correction_leaves_the_log_odds_of_the_background_without_the_fold():
    data = home_dataset()
    found = adapted(data, settings=[replace(ADAPTED, C=1e-9)])[0]
    for fold, (_, test) in zip((0, 1, 2), splits_of(data, HOME), strict=True):
        moves = found[test] - HOME.log_odds_without(fold, data.subset(test).texts)
        assert np.ptp(moves, axis=0).max() < 1e-5  # the intercepts alone are not regularised


@pytest.mark.parametrize("place", range(3))
def test_labels_of_a_fold_do_not_move_its_own_log_odds(place):
    data = home_dataset()
    _, test = splits_of(data, HOME)[place]
    before, after = adapted(data)[0], adapted(with_labels(data, test, 1 - data.Y[test]))[0]
    np.testing.assert_array_equal(before[test], after[test])
    others = np.setdiff1d(np.arange(32), test)
    assert (before[others] != after[others]).any(axis=1).all()


@pytest.mark.parametrize("place", range(3))
def test_log_odds_of_backgrounds_with_the_fold_do_not_matter_to_it(place):
    data = home_dataset()
    _, test = splits_of(data, HOME)[place]
    changed = HOME.log_odds.copy()
    changed[np.arange(4) != place] += 1
    after = adapted(data, replace(HOME, log_odds=changed))[0]
    np.testing.assert_array_equal(adapted(data)[0][test], after[test])
    changed = HOME.log_odds.copy()
    changed[place] += np.linspace(0, 1, 24)[:, None].astype(np.float16)
    after = adapted(data, replace(HOME, log_odds=changed))[0]
    assert (adapted(data)[0][test] != after[test]).any(axis=1).all()


@pytest.mark.parametrize("jobs", [1, 2])
def test_settings_with_and_without_the_background_can_be_compared(jobs):
    data = home_dataset()
    settings = [QUICK, ADAPTED, replace(ADAPTED, C=0.1), replace(ADAPTED, min_df=2)]
    together = adapted(data, settings=settings, jobs=jobs)
    splits = splits_of(data, HOME)
    for setting, log_odds in zip(settings, together, strict=True):
        np.testing.assert_array_equal(log_odds, adapted(data, settings=[setting])[0])
    np.testing.assert_array_equal(together[0], cross_validate(data, [QUICK], splits)[0])
    assert len(np.unique(together[:, 0, 0])) == 4


def test_vectorizer_is_the_backgrounds_where_the_parameters_say_so():
    texts = home_dataset().texts
    found = vectorizer_for(ADAPTED, HOME, texts).get_feature_names_out()
    assert found.tolist() == HOME.vectorizer(texts, 1).get_feature_names_out().tolist()
    plain = vectorizer_for(QUICK, HOME, texts).get_feature_names_out()
    expected = make_vectorizer(QUICK).fit(texts).get_feature_names_out()
    assert plain.tolist() == expected.tolist()


def test_parameters_for_a_background_are_refused_where_there_is_none():
    data = home_dataset()
    for call in (
        lambda: vectorizer_for(ADAPTED, None, data.texts),
        lambda: cross_validate(data, [ADAPTED], data.grouped_splits()),
    ):
        with pytest.raises(TrainingError) as caught:
            call()
        assert "starts from a background model" in caught.value.what
        assert caught.value.where is None
        assert "topicml distill" in caught.value.hint
