"""The search: what it draws, what it chooses, and that it reports honestly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import home_dataset, tags_of, with_labels
from sklearn.metrics import average_precision_score, f1_score

from topicml.training import calibration
from topicml.training.cross_validation import cross_validate
from topicml.training.features import SKLEARN_DEFAULTS, Parameters
from topicml.training.fit import fit_model
from topicml.training.search import (
    DEFAULT_GRID,
    NEAR_BEST,
    TUNING_FOLDS,
    Candidate,
    choose_smallest,
    count_features,
    count_fits,
    draw_settings,
    nested_predictions,
    search,
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
        np.testing.assert_array_equal(tags[test], tags_of(model, texts))
    assert set(np.unique(tags)) == {0, 1}


def test_nested_tags_heed_the_relevance_threshold_of_their_fold(monkeypatch):
    data = home_dataset()
    splits = data.grouped_splits()
    _, unbound = nested_predictions(data, splits, [WORDS])
    monkeypatch.setattr(calibration, "choose_relevance_threshold", lambda *_: 0.8)
    probabilities, tags = nested_predictions(data, splits, [WORDS])
    assert (tags <= unbound).all()
    assert 0 < tags.sum() < unbound.sum()
    for train, test in splits:
        model = fit_model(data.subset(train), WORDS)
        texts = data.subset(test).texts
        assert model.decision.relevance_threshold == 0.8
        np.testing.assert_allclose(
            probabilities[test], model.pipeline.predict_proba(texts), atol=1e-9
        )
        np.testing.assert_array_equal(tags[test], tags_of(model, texts))
