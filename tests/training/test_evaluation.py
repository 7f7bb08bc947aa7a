from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backgrounds import ADAPTED, home_background
from samples import SENTENCES, home_dataset, repeated
from sklearn.metrics import f1_score

from topicml.errors import TrainingError
from topicml.scoring.probabilities import sigmoid
from topicml.scoring.scorer_file import load_scorer
from topicml.training.cross_validation import cross_validate, splits_of
from topicml.training.dataset import Dataset
from topicml.training.evaluation import (
    GIVEN,
    PROTOCOLS,
    SEARCHED,
    By,
    check_trainable,
    cross_validated_predictions,
    evaluate_model,
    learning_curve,
    uncalibrated_probabilities,
    with_diagnostics,
)
from topicml.training.export import export_scorer
from topicml.training.features import Parameters
from topicml.training.fit import fit_model
from topicml.training.metrics import Evaluation
from topicml.training.search import nested_predictions

QUICK = Parameters(char_ngrams=None)


def cross_validated_evaluation(
    data: Dataset, by: By = "article", parameters: Parameters | None = None
) -> tuple[str, Evaluation]:
    predictions = cross_validated_predictions(data, by, parameters)
    return predictions.protocol, predictions.evaluate()


def test_by_article_tests_on_real_articles_only():
    data = home_dataset(authored=("winter",))
    protocol, evaluation = cross_validated_evaluation(data, "article", QUICK)
    assert protocol.startswith(PROTOCOLS["article"])
    assert evaluation.sentences == 24
    assert evaluation.documents == 3


def test_by_group_tests_on_every_sentence():
    data = home_dataset(authored=("winter",))
    protocol, evaluation = cross_validated_evaluation(data, "group", QUICK)
    assert protocol.startswith(PROTOCOLS["group"])
    assert evaluation.sentences == 32
    assert evaluation.documents == 4


def test_figures_are_those_of_nested_predictions():
    data = home_dataset()
    probabilities, tags = nested_predictions(data, data.grouped_splits(), [QUICK])
    _, evaluation = cross_validated_evaluation(data, "group", QUICK)
    assert evaluation.headlines["micro_f1"].value == pytest.approx(
        f1_score(data.Y, tags, average="micro")
    )
    assert evaluation.brier == pytest.approx(np.mean((probabilities - data.Y) ** 2))


def test_labels_without_a_pattern_are_not_predicted_well():
    data = home_dataset()
    noise = np.random.default_rng(0).permutation(len(data))
    _, honest = cross_validated_evaluation(data, "group", QUICK)
    _, shuffled = cross_validated_evaluation(replace(data, Y=data.Y[noise]), "group", QUICK)
    assert (
        shuffled.headlines["macro_average_precision"].value + 0.1
        < honest.headlines["macro_average_precision"].value
    )


def test_protocol_says_when_parameters_were_fixed():
    data = home_dataset()
    three = data.subset(data.groups != "winter")
    fixed, _ = cross_validated_evaluation(three, "article", QUICK)
    assert fixed == f"{PROTOCOLS['article']} {GIVEN}"
    assert "chosen by these labels" in fixed


def test_protocol_does_not_say_so_when_they_were_searched():
    data = home_dataset()
    three = data.subset(data.groups != "winter")
    searched, _ = cross_validated_evaluation(three, "article")
    assert searched == f"{PROTOCOLS['article']} {SEARCHED}"


def test_fewer_than_three_groups_are_refused():
    data = home_dataset().subset(np.arange(16))
    with pytest.raises(TrainingError) as caught:
        cross_validated_evaluation(data, "group", QUICK)
    assert caught.value.what == "2 articles are too few to evaluate on"
    assert caught.value.where is None
    assert "Label three or more" in caught.value.hint


def test_labels_without_a_real_article_are_refused_by_article():
    with pytest.raises(TrainingError) as caught:
        cross_validated_evaluation(home_dataset(authored=tuple(SENTENCES)), "article", QUICK)
    assert caught.value.what == "no sentence comes from a real article"
    assert caught.value.where is None
    assert "--by group" in caught.value.hint


def test_finished_model_is_evaluated_with_its_own_thresholds(tmp_path):
    data = home_dataset()
    train, test = data.grouped_splits()[0]
    model = fit_model(data.subset(train), QUICK)
    thresholds = np.array([0.2, 0.8])
    decision = replace(model.decision, thresholds=thresholds)
    export_scorer(model.pipeline, data.topics, decision, tmp_path / "scorer.npz")
    unseen = data.subset(test)
    evaluation = evaluate_model(load_scorer(tmp_path / "scorer.npz"), unseen)
    tags = model.pipeline.predict_proba(unseen.texts) >= thresholds
    assert evaluation.sentences == 8
    assert evaluation.headlines["micro_f1"].value == pytest.approx(
        f1_score(unseen.Y, tags, average="micro")
    )
    assert [scores.support for scores in evaluation.topics] == [4, 4]


def test_learning_curve_grows_to_all_labels():
    data = home_dataset()
    (train, test), *_ = data.grouped_splits()
    points = learning_curve(data, (train, test), QUICK)
    sizes = [point.sentences for point in points]
    assert sizes == sorted(sizes)
    assert sizes[-1] == len(train)
    assert all(0 <= point.macro_average_precision <= 1 for point in points)


def test_uncalibrated_probabilities_are_the_folds_own():
    data = home_dataset()
    found = uncalibrated_probabilities(data, "group", QUICK)
    expected = sigmoid(cross_validate(data, [QUICK], data.grouped_splits())[0, :, :-1])
    np.testing.assert_allclose(found, expected)


def test_many_documents_are_evaluated_by_folds_and_the_protocol_says_so():
    data = home_dataset(authored=("winter",))
    many = repeated(data, 4)
    copies = np.repeat(["-0", "-1", "-2", "-3"], len(data))
    groups = np.char.add(many.groups, copies)
    many = replace(many, groups=groups, copies=np.arange(len(many)))
    assert many.has_many_documents
    protocol, evaluation = cross_validated_evaluation(many, "article", QUICK)
    assert protocol.startswith(PROTOCOLS["documents"])
    assert (evaluation.sentences, evaluation.documents) == (96, 12)
    assert cross_validated_evaluation(many, "group", QUICK)[0].startswith(PROTOCOLS["group"])


@pytest.mark.parametrize(("by", "sentences"), [("article", 24), ("group", 32)])
def test_evaluation_with_a_background_leaves_out_its_folds(by, sentences):
    data, background = home_dataset(authored=("winter",)), home_background()
    found = cross_validated_predictions(data, by, ADAPTED, background)
    splits = splits_of(data, background)
    probabilities, tags = nested_predictions(data, splits, [ADAPTED], background=background)
    judged = data.articles if by == "article" else np.arange(32)
    assert len(found.Y) == sentences
    np.testing.assert_array_equal(found.probabilities, probabilities[judged])
    np.testing.assert_array_equal(found.tags, tags[judged])
    assert found.protocol.startswith(PROTOCOLS["documents" if by == "article" else "group"])
    assert "a background model that has seen neither its labels nor its text" in found.protocol


def test_protocol_without_a_background_says_nothing_of_one():
    protocol, _ = cross_validated_evaluation(home_dataset(), "group", QUICK)
    assert "background" not in protocol


@pytest.mark.parametrize("by", ["article", "group"])
def test_diagnostics_with_a_background_are_of_the_same_sentences(by):
    data, background = home_dataset(authored=("winter",)), home_background()
    plain = cross_validated_predictions(data, by, ADAPTED, background)
    found = with_diagnostics(plain, data, by, ADAPTED, background)
    splits = splits_of(data, background)
    log_odds = cross_validate(data, [ADAPTED], splits, background=background)[0]
    judged = data.articles if by == "article" else np.arange(32)
    np.testing.assert_allclose(found.uncalibrated, sigmoid(log_odds[judged, :2]))
    assert found.learning_curve[-1].sentences == len(splits[0][0])


def test_labels_of_one_fold_of_the_background_cannot_be_evaluated():
    data = home_dataset()
    rows = np.flatnonzero(data.groups == "spring")
    groups = np.array(["a", "b", "c", "d"] * 2)
    spring = replace(data.subset(rows), groups=groups)
    check_trainable(spring, "group")
    with pytest.raises(TrainingError, match="one fold of the background"):
        check_trainable(spring, "group", home_background())
