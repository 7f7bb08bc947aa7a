from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
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
from topicml.taxonomy import load_taxonomy
from topicml.training.calibration import PRECISIONS, Decision, choose_decision
from topicml.training.cross_validation import cross_validate
from topicml.training.dataset import load_dataset
from topicml.training.features import SKLEARN_DEFAULTS, Parameters, make_pipeline, sigmoid
from topicml.training.fit import fit_model
from topicml.training.search import DEFAULT_GRID, nested_predictions

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


@pytest.mark.parametrize("jobs", [1, 2])
def test_training_twice_gives_identical_numbers(jobs):
    first, second = fit_model(home_dataset(), QUICK), fit_model(home_dataset(), QUICK, jobs)
    np.testing.assert_array_equal(coefficients(first), coefficients(second))
    for name in Decision.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(first.decision, name), getattr(second.decision, name))


@pytest.mark.parametrize("copies", [1, 4], ids=["own log-odds only", "stacked"])
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
    for name in Decision.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(folded.decision, name), getattr(decision, name))
    assert np.abs(plain.predict_proba(data.texts)[:, :-1] - expected).max() > 0.01


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
    assert (probabilities[winter, RARE] < 0.1).all()  # under any threshold there can be
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
