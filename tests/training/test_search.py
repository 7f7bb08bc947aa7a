"""The search: what it draws, what it chooses, and that it reports honestly."""

from __future__ import annotations

from dataclasses import replace
from math import log

import numpy as np
import pytest
from backgrounds import ADAPTED, home_background
from samples import home_dataset, with_labels
from sklearn.metrics import average_precision_score, f1_score

from topicml.errors import TrainingError
from topicml.scheme import DEFAULT_SCHEME
from topicml.tagging.tagger import tag_sentences
from topicml.training import calibration
from topicml.training import search as search_module
from topicml.training.cross_validation import cross_validate, splits_of
from topicml.training.export import make_scorer
from topicml.training.features import SKLEARN_DEFAULTS, Parameters
from topicml.training.fit import fit_model
from topicml.training.search import (
    ADAPTATION_GRID,
    DEFAULT_GRID,
    NEAR_BEST,
    TUNING_FOLDS,
    Candidate,
    choose_smallest,
    count_features,
    count_fits,
    draw_settings,
    grid_for,
    nested_predictions,
    search,
    tune,
)

WORDS = Parameters(char_ngrams=None)
SETTINGS = [SKLEARN_DEFAULTS, WORDS]


def test_drawing_is_seeded_and_always_has_the_baselines():
    drawn = draw_settings(10, 3, DEFAULT_SCHEME)
    assert drawn == draw_settings(10, 3, DEFAULT_SCHEME)
    assert drawn != draw_settings(10, 4, DEFAULT_SCHEME)
    assert drawn[:2] == [SKLEARN_DEFAULTS, Parameters()]
    assert len(set(drawn)) == 12


def test_the_smallest_model_within_noise_of_the_best_is_chosen():
    small, large, poor = WORDS, Parameters(), SKLEARN_DEFAULTS
    candidates = [
        Candidate(large, 0.8, 0.5),
        Candidate(small, 0.8 - NEAR_BEST / 2, 0.5),
        Candidate(poor, 0.8 - 2 * NEAR_BEST, 0.5),
    ]
    assert choose_smallest(candidates, {large: 900, small: 100, poor: 10}) == small


def test_features_are_those_of_the_fitted_vectorizer():
    data = home_dataset()
    assert count_features(data, WORDS) > count_features(data, SKLEARN_DEFAULTS) > 10


def test_candidates_are_those_of_plain_cross_validation():
    data = home_dataset()
    found = tune(data, SETTINGS).candidates
    plain = search(data, SETTINGS, data.grouped_splits(TUNING_FOLDS)).candidates
    assert [c.parameters for c in found] == [c.parameters for c in plain]
    for ours, theirs in zip(found, plain, strict=True):
        assert ours.macro_average_precision == pytest.approx(theirs.macro_average_precision)


def test_each_fit_is_told_and_counted():
    fits = []
    data = home_dataset()
    tune(data, SETTINGS, on_fit=lambda: fits.append(1))
    assert len(fits) == count_fits(data, SETTINGS)


def test_two_processes_find_what_one_finds():
    data = home_dataset()
    assert tune(data, SETTINGS, jobs=2) == tune(data, SETTINGS)


def test_a_held_out_label_changes_no_prediction_of_its_own_fold():
    data = home_dataset()
    train, test = data.grouped_splits(TUNING_FOLDS)[0]
    Y = data.Y.copy()
    Y[test] = 1 - Y[test]
    before, after = (tune(d, [WORDS]).evaluation for d in (data, replace(data, Y=Y)))
    # the folds that train on the flipped part change, the flipped part's own scores are
    # against flipped labels: nothing of it was known when it was predicted
    assert len(train) + len(test) == before.sentences == after.sentences
    assert after.headlines["micro_f1"].value < before.headlines["micro_f1"].value


def test_candidates_are_scored_as_sklearn_scores_them():
    data = home_dataset()
    splits = data.grouped_splits()
    grid = (WORDS, Parameters(C=0.01), replace(WORDS, nb_mixing=1.0))
    ranked = search(data, grid, splits).candidates
    assert {candidate.parameters for candidate in ranked} == set(grid)
    for candidate in ranked:
        log_odds = cross_validate(data, [candidate.parameters], splits)[0, :, :2]
        assert candidate.macro_average_precision == pytest.approx(
            average_precision_score(data.Y, log_odds, average="macro")
        )
        assert candidate.micro_f1 == pytest.approx(
            f1_score(data.Y, log_odds >= 0, average="micro", zero_division=0)
        )


def test_candidates_are_scored_on_tested_rows_only():
    data = home_dataset()
    splits = data.grouped_splits()[:2]
    tested = np.concatenate([test for _, test in splits])
    log_odds = cross_validate(data, [WORDS], splits)[0, tested, :2]
    candidate = search(data, [WORDS], splits).candidates[0]
    assert candidate.macro_average_precision == pytest.approx(
        average_precision_score(data.Y[tested], log_odds, average="macro")
    )


@pytest.mark.parametrize("settings", [[WORDS], DEFAULT_GRID], ids=["fixed", "searched"])
def test_labels_of_the_test_fold_do_not_change_its_predictions(settings):
    data = home_dataset()
    train, test = data.grouped_splits()[0]
    honest = nested_predictions(data, [(train, test)], settings)
    flipped = with_labels(data, test, 1 - data.Y[test])
    for before, after in zip(
        honest, nested_predictions(flipped, [(train, test)], settings), strict=True
    ):
        np.testing.assert_array_equal(before, after)
        assert np.isfinite(after[test]).all()


def test_labels_of_the_training_fold_do_change_predictions():
    data = home_dataset()
    train, test = data.grouped_splits()[0]
    before, _ = nested_predictions(data, [(train, test)], [WORDS])
    relabelled = with_labels(data, train, data.Y[train][:, ::-1])
    after, _ = nested_predictions(relabelled, [(train, test)], [WORDS])
    np.testing.assert_allclose(after[test], before[test][:, ::-1], atol=1e-6)
    assert np.abs(after[test] - before[test]).max() > 0.1


def test_texts_of_the_other_test_sentences_do_not_change_a_prediction():
    data = home_dataset()
    train, test = data.grouped_splits()[0]
    before, _ = nested_predictions(data, [(train, test)], [WORDS])
    texts = list(data.texts)
    for row in test[1:]:
        texts[row] = "Fry the fry the fry."
    after, _ = nested_predictions(replace(data, texts=tuple(texts)), [(train, test)], [WORDS])
    np.testing.assert_array_equal(before[test[0]], after[test[0]])


def classified(model, texts):
    """Tag as a finished model does, foreign and unfamiliar sentences included."""
    return tag_sentences(make_scorer(model.pipeline, ("a", "b"), model.decision), texts)[1]


def test_nested_predictions_equal_a_model_fitted_on_the_training_fold():
    data = home_dataset()
    splits = data.grouped_splits()
    probabilities, tags = nested_predictions(data, splits, [WORDS])
    for train, test in splits:
        model = fit_model(data.subset(train), WORDS)
        texts = data.subset(test).texts
        np.testing.assert_allclose(
            probabilities[test], model.pipeline.predict_proba(texts), atol=1e-9
        )
        np.testing.assert_array_equal(tags[test], classified(model, texts))
    assert set(np.unique(tags)) == {0, 1}


def test_nested_tags_heed_the_relevance_threshold_of_their_fold(monkeypatch):
    data = home_dataset()
    splits = data.grouped_splits()
    _, unbound = nested_predictions(data, splits, [WORDS])
    choose = calibration.choose_thresholds
    monkeypatch.setattr(calibration, "choose_thresholds", lambda *a: (choose(*a)[0], log(4)))
    probabilities, tags = nested_predictions(data, splits, [WORDS])
    assert (tags <= unbound).all()
    assert 0 < tags.sum() < unbound.sum()
    for train, test in splits:
        model = fit_model(data.subset(train), WORDS)
        texts = data.subset(test).texts
        assert model.decision.relevance_threshold == pytest.approx(0.8)
        np.testing.assert_allclose(
            probabilities[test], model.pipeline.predict_proba(texts), atol=1e-9
        )
        np.testing.assert_array_equal(tags[test], classified(model, texts))


def test_a_search_on_labels_without_a_pattern_finds_chance():
    """What the best of several settings scores is not what the search is worth."""
    found, chance = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        data = home_dataset()
        noise = replace(data, Y=data.Y[rng.permutation(len(data))])
        searched = tune(noise, [*SETTINGS, replace(WORDS, C=1.0)]).evaluation
        found.append(searched.headlines["macro_average_precision"].value)
        guesses = [rng.random(noise.Y.shape) for _ in range(50)]
        chance.append(np.mean([average_precision_score(noise.Y, guess) for guess in guesses]))
    assert abs(np.mean(found) - np.mean(chance)) < 0.1


def test_settings_that_leave_no_feature_are_no_candidates():
    data = home_dataset()
    few = replace(WORDS, min_df=28)  # "the" is in 29 of all 32, and in fewer of any fold
    result = tune(data, [WORDS, few])
    assert result.chosen == WORDS
    assert [candidate.parameters for candidate in result.candidates] == [WORDS]
    with pytest.raises(TrainingError, match="no word or n-gram is left") as caught:
        search(data, [few], data.grouped_splits())
    assert caught.value.hint is not None
    assert "min_df" in caught.value.hint


def test_what_is_searched_depends_on_there_being_a_background():
    assert grid_for(None, DEFAULT_SCHEME) == DEFAULT_GRID
    assert grid_for(home_background(), DEFAULT_SCHEME) == ADAPTATION_GRID
    assert all(setting.background for setting in ADAPTATION_GRID)
    assert not any(setting.background for setting in DEFAULT_GRID)


def test_nested_predictions_with_a_background_start_each_fold_without_it():
    data, background = home_dataset(), home_background()
    splits = splits_of(data, background)
    probabilities, _ = nested_predictions(data, splits, [ADAPTED], background=background)
    log_odds = cross_validate(data, [ADAPTED], splits, background=background)[0]
    for train, test in splits:
        decision = fit_model(data.subset(train), ADAPTED, background).decision
        expected = decision.probabilities(log_odds[test])
        np.testing.assert_allclose(probabilities[test], expected, atol=1e-9)
    assert np.isfinite(probabilities).all()


def test_labels_of_the_test_fold_do_not_change_what_a_background_predicts():
    data, background = home_dataset(), home_background()
    for train, test in splits_of(data, background):
        flipped = with_labels(data, test, 1 - data.Y[test])
        for before, after in zip(
            nested_predictions(data, [(train, test)], [ADAPTED], background=background),
            nested_predictions(flipped, [(train, test)], [ADAPTED], background=background),
            strict=True,
        ):
            np.testing.assert_array_equal(before[test], after[test])


def test_each_fit_with_a_background_is_told_and_counted():
    data, background, fits = home_dataset(), home_background(), []
    settings = [ADAPTED, replace(ADAPTED, C=0.1)]
    result = tune(data, settings, background=background, on_fit=lambda: fits.append(1))
    assert len(fits) == count_fits(data, settings, background) == 2 * (3 + 3 * 2) + 3
    words = {*background.vectorizer(data.texts, 1).get_feature_names_out()}
    assert set(result.sizes.values()) == {len(words)}


def test_natural_mix_of_the_training_fold_chooses_the_thresholds(monkeypatch):
    data = home_dataset()
    train, test = data.grouped_splits()[0]
    weights = np.linspace(0.1, 3, len(train))
    weighted = lambda data, log_odds, _: (data.Y, log_odds, weights)  # noqa: E731
    monkeypatch.setattr(search_module, "deciding_sentences", weighted)
    probabilities, _ = nested_predictions(data, [(train, test)], [WORDS])
    inner = data.subset(train)
    out_of_fold = cross_validate(inner, [WORDS], inner.grouped_splits())[0]
    decision = calibration.choose_decision(inner.Y, out_of_fold, weights)
    log_odds = cross_validate(data, [WORDS], [(train, test)])[0, test]
    np.testing.assert_allclose(probabilities[test], decision.probabilities(log_odds), atol=1e-9)
