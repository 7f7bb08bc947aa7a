from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from backgrounds import ADAPTED, home_background
from samples import (
    TAXONOMY_TOML,
    home_dataset,
    home_records,
    relevance,
    repeated,
    tags_of,
    with_labels,
    with_relevance,
)

from topicml.errors import TrainingError
from topicml.labels.records import write_labels
from topicml.scoring.probabilities import sigmoid
from topicml.scoring.scorer_file import load_scorer
from topicml.taxonomy import load_taxonomy
from topicml.training import search
from topicml.training.calibration import PRECISIONS, Decision, choose_decision
from topicml.training.cross_validation import cross_validate, splits_of
from topicml.training.dataset import load_dataset
from topicml.training.export import export_scorer
from topicml.training.features import SKLEARN_DEFAULTS, Parameters, make_pipeline
from topicml.training.fit import fit_model
from topicml.training.logistic import fit_logistic
from topicml.training.search import ADAPTATION_GRID, DEFAULT_GRID, nested_predictions

QUICK = Parameters(char_ngrams=None)
RARE = 1  # the column that some tests take out of a fold


def coefficients(model):
    classifier = model.pipeline.named_steps["classifier"]
    members = [*classifier.estimators_, classifier.relevance_]
    return np.vstack([np.append(member.coef_.ravel(), member.intercept_) for member in members])


def test_topics_come_from_the_taxonomy_file_alone(tmp_path):
    (tmp_path / "taxonomy.toml").write_text(TAXONOMY_TOML, encoding="utf-8")
    write_labels(tmp_path / "home.jsonl", home_records())
    taxonomy = load_taxonomy(tmp_path / "taxonomy.toml")
    data = load_dataset([tmp_path / "home.jsonl"], taxonomy)
    model = fit_model(data, QUICK)
    texts = [
        "Fry the garlic in butter and bake the bread.",
        "Mulch the soil and sow the seeds.",
        "A chess museum on the river.",
    ]
    tags = tags_of(model, texts)
    assert tags.tolist() == [[True, False], [False, True], [False, False]]
    assert model.parameters == QUICK
    assert model.candidates == ()


def assert_decided_alike(found, expected):
    """But for the words that must be known, which log-odds do not tell."""
    for name in Decision.__dataclass_fields__.keys() - {"fewest_known"}:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("jobs", [1, 2])
def test_training_twice_gives_identical_numbers(jobs):
    first, second = fit_model(home_dataset(), QUICK), fit_model(home_dataset(), QUICK, jobs=jobs)
    np.testing.assert_array_equal(coefficients(first), coefficients(second))
    for name in Decision.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(first.decision, name), getattr(second.decision, name))


@pytest.mark.parametrize("copies", [1, 4], ids=["relevance as it is", "all calibrated"])
@pytest.mark.parametrize("parameters", [QUICK, replace(QUICK, nb_mixing=0.5)])
def test_calibration_is_folded_into_the_pipeline(parameters, copies):
    data = repeated(home_dataset(), copies)
    decision = choose_decision(data.Y, cross_validate(data, [parameters], data.grouped_splits())[0])
    plain = make_pipeline(parameters).fit(data.texts, with_relevance(data.Y))
    log_odds = plain.decision_function(data.texts)
    expected = decision.probabilities(log_odds)
    folded = fit_model(data, parameters)
    np.testing.assert_allclose(folded.pipeline.predict_proba(data.texts), expected, atol=1e-9)
    np.testing.assert_allclose(
        relevance(folded.pipeline, data.texts),
        sigmoid(log_odds @ decision.weights[-1] + decision.offset[-1]),
        atol=1e-9,
    )
    np.testing.assert_array_equal(tags_of(folded, data.texts), decision.tags(log_odds))
    assert_decided_alike(folded.decision, decision)
    assert np.abs(plain.predict_proba(data.texts)[:, :-1] - expected).max() > 0.01
    assert (decision.weights[-1, -1] != 1) == (copies > 1)


def test_thresholds_are_chosen_on_the_natural_mix(monkeypatch):
    data = home_dataset()
    weights = np.linspace(0.1, 3, len(data))
    weighted = lambda data, log_odds, _: (data.Y, log_odds, weights)  # noqa: E731
    monkeypatch.setattr(search, "deciding_sentences", weighted)
    out_of_fold = cross_validate(data, [QUICK], data.grouped_splits())[0]
    expected, found = choose_decision(data.Y, out_of_fold, weights), fit_model(data, QUICK).decision
    assert_decided_alike(found, expected)
    assert (expected.offset != choose_decision(data.Y, out_of_fold).offset).any()


def test_search_takes_the_best_of_all_candidates():
    model = fit_model(home_dataset())
    scores = [candidate.macro_average_precision for candidate in model.candidates]
    assert len(scores) == len(DEFAULT_GRID) == 25
    assert SKLEARN_DEFAULTS in {candidate.parameters for candidate in model.candidates}
    assert scores == sorted(scores, reverse=True)
    assert model.parameters == model.candidates[0].parameters


def test_topic_in_one_group_only_can_be_trained_and_evaluated():
    data = home_dataset()
    data = with_labels(data, (np.flatnonzero(data.groups != "winter"), RARE), 0)
    model = fit_model(data, QUICK)
    assert np.isfinite(model.pipeline.predict_proba(data.texts)).all()
    probabilities, tags = nested_predictions(data, data.grouped_splits(), [QUICK])
    winter = data.groups == "winter"
    assert not tags[winter, RARE].any()
    assert (probabilities[winter, RARE] < 0.07).all()  # under any threshold there can be
    assert tags[:, 1 - RARE].any()
    assert np.isfinite(probabilities).all()


def test_one_topic_is_enough():
    data = home_dataset()
    data = replace(data, topics=data.topics[:1], Y=data.Y[:, :1])
    model = fit_model(data, QUICK)
    probabilities = model.pipeline.predict_proba(data.texts)
    assert probabilities.shape == (len(data), 1)
    assert model.decision.thresholds.shape == (1,)
    assert model.decision.precision_thresholds.shape == (1, len(PRECISIONS))
    assert probabilities[:, 0][data.Y[:, 0] == 1].min() > model.decision.thresholds[0]
    assert probabilities[:, 0][data.Y[:, 0] == 0].max() < model.decision.thresholds[0]
    np.testing.assert_array_equal(tags_of(model, data.texts), data.Y)
    nested, tags = nested_predictions(data, data.grouped_splits(), [QUICK])
    assert nested.shape == tags.shape == (len(data), 1)
    assert np.isfinite(nested).all()


@pytest.mark.parametrize("value", [0, 1])
def test_topic_on_no_or_on_every_sentence_is_refused(value):
    data = home_dataset()
    with pytest.raises(TrainingError) as caught:
        fit_model(with_labels(data, (slice(None), RARE), value), QUICK)
    assert caught.value.what == f"topic 'gardening' is on {32 * value} of 32 sentences"
    assert caught.value.where is None
    assert "with and without it" in caught.value.hint


def test_sentences_of_one_group_are_refused():
    with pytest.raises(TrainingError) as caught:
        fit_model(home_dataset().subset(np.arange(8)), QUICK)
    assert caught.value.what == "all 8 sentences belong to one article"
    assert caught.value.where is None
    assert "at least two" in caught.value.hint


def test_training_without_an_empty_sentence_leaves_all_relevant():
    data = home_dataset()
    data = data.subset(data.Y.any(axis=1))
    model = fit_model(data, QUICK)
    assert model.decision.relevance_threshold == 0
    assert relevance(model.pipeline, data.texts).min() > 1 - 1e-9
    np.testing.assert_array_equal(tags_of(model, data.texts), data.Y)


def test_adapted_twice_gives_identical_bytes():
    first, second = (fit_model(home_dataset(), ADAPTED, home_background()) for _ in range(2))
    together = fit_model(home_dataset(), ADAPTED, home_background(), jobs=2)
    for other in (second, together):
        for one, two in zip(
            first.pipeline[-1].linear_model(), other.pipeline[-1].linear_model(), strict=True
        ):
            assert one.tobytes() == two.tobytes()
        assert pickle.dumps(first.pipeline) == pickle.dumps(other.pipeline)
        for name in Decision.__dataclass_fields__:
            np.testing.assert_array_equal(
                getattr(first.decision, name), getattr(other.decision, name)
            )


def test_adapted_model_is_the_background_with_a_correction_calibrated():
    data, background = home_dataset(), home_background()
    model = fit_model(data, ADAPTED, background)
    vectorizer = background.vectorizer(data.texts, ADAPTED.min_df)
    X = vectorizer.transform(data.texts).tocsr()
    prior = X @ background.extended_coefficients(vectorizer).T + background.intercepts
    coefficients, intercepts = fit_logistic(
        *(X, with_relevance(data.Y)),
        C=1.0,
        offsets=prior,
        weights=background.weights_of(data.texts, data.Y),
    )
    log_odds = prior + X @ coefficients.T + intercepts
    splits = splits_of(data, background)
    out_of_fold = cross_validate(data, [ADAPTED], splits, background=background)[0]
    decision = choose_decision(data.Y, out_of_fold)
    np.testing.assert_allclose(
        model.pipeline.predict_proba(data.texts),
        sigmoid(log_odds * np.diag(decision.weights) + decision.offset)[:, :2],
        atol=1e-9,
    )
    assert_decided_alike(model.decision, decision)


def test_adapted_model_learns_from_the_labels():
    data = home_dataset()
    model = fit_model(data, replace(ADAPTED, C=100.0), home_background())
    vectorizer, classifier = model.pipeline
    assert ((classifier.log_odds(vectorizer.transform(data.texts))[:, 0] > 0) == data.Y[:, 0]).all()


@pytest.mark.parametrize("seed", range(3))
def test_exported_scorer_of_an_adapted_model_agrees_with_its_pipeline(tmp_path, seed):
    data = home_dataset()
    model = fit_model(data, ADAPTED, home_background(seed))
    export_scorer(model.pipeline, data.topics, model.decision, tmp_path / "scorer.npz")
    scorer = load_scorer(tmp_path / "scorer.npz")
    texts = [*data.texts, "Zweifellos unbekannt.", "", "A chess museum, and the chef's roses."]
    scores = scorer.score_texts(texts)
    expected = model.pipeline.predict_proba(texts)
    np.testing.assert_allclose(scores.probabilities, expected, rtol=0, atol=1e-9)
    expected = relevance(model.pipeline, texts)
    np.testing.assert_allclose(scores.relevance, expected, rtol=0, atol=1e-9)


def test_correction_is_searched_where_there_is_a_background():
    model = fit_model(home_dataset(), background=home_background())
    assert {candidate.parameters for candidate in model.candidates} == set(ADAPTATION_GRID)
    assert model.parameters == model.candidates[0].parameters


def test_background_does_not_matter_to_parameters_without_it():
    data = home_dataset()
    with_it, without = fit_model(data, QUICK, home_background()), fit_model(data, QUICK)
    plain = make_pipeline(QUICK).fit(data.texts, with_relevance(data.Y))
    log_odds = plain.decision_function(data.texts)
    for model in (with_it, without):
        np.testing.assert_allclose(
            model.pipeline.predict_proba(data.texts),
            model.decision.probabilities(log_odds),
            atol=1e-9,
        )


def test_parameters_for_a_background_are_refused_where_there_is_none():
    with pytest.raises(TrainingError) as caught:
        fit_model(home_dataset(), ADAPTED)
    assert "starts from a background model" in caught.value.what
    assert caught.value.where is None
    assert "topicml distill" in caught.value.hint


@pytest.mark.parametrize(
    ("parameters", "background"), [(QUICK, None), (ADAPTED, home_background())]
)
def test_pipeline_holds_no_place_in_memory(parameters, background):
    pipeline = fit_model(home_dataset(), parameters, background).pipeline
    for _, step in pipeline[0].transformer_list:
        assert "_stop_words_id" not in vars(step)
