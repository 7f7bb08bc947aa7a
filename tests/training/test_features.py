from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from samples import home_dataset, with_relevance
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from topicml.scoring.probabilities import sigmoid
from topicml.training.features import (
    CERTAIN,
    SKLEARN_DEFAULTS,
    AdaptedClassifier,
    NaiveBayesLogisticRegression,
    Parameters,
    log_count_ratio,
    make_classifier,
    make_pipeline,
    make_vectorizer,
)
from topicml.training.logistic import fit_logistic


@pytest.fixture(scope="module")
def cooking():
    data = home_dataset()
    return TfidfVectorizer().fit_transform(data.texts).tocsr(), data.Y[:, 0]


@pytest.mark.parametrize(
    "parameters",
    [
        Parameters(),
        SKLEARN_DEFAULTS,
        Parameters((1, 3), (2, 4), 2, sublinear_tf=False, C=0.5, nb_mixing=0.25),
        Parameters(background=True, C=0.3),
    ],
)
def test_parameters_survive_json(parameters):
    assert Parameters.from_dict(json.loads(json.dumps(parameters.to_dict()))) == parameters


def test_absent_parameters_take_their_default():
    assert Parameters.from_dict({"C": 3.0}) == Parameters(C=3.0)


@pytest.mark.parametrize("value", [1, "yes", None])
def test_start_from_a_background_is_true_or_false(value):
    with pytest.raises(ValueError, match="background cannot be"):
        Parameters.from_dict({"background": value})


def naive_log_count_ratio(rows, labels, smoothing):
    counts = {0: [smoothing] * len(rows[0]), 1: [smoothing] * len(rows[0])}
    for row, label in zip(rows, labels, strict=True):
        for column, value in enumerate(row):
            if value > 0:
                counts[label][column] += 1
    shares = {c: [value / sum(counts[c]) for value in counts[c]] for c in counts}
    return [math.log(p / n) for p, n in zip(shares[1], shares[0], strict=True)]


@settings(deadline=None)
@given(data=st.data(), smoothing=st.sampled_from([0.5, 1.0, 2.0]))
def test_log_count_ratio_equals_the_naive_count(data, smoothing):
    rows = data.draw(st.integers(1, 8))
    X = data.draw(
        arrays.arrays(np.float64, (rows, 5), elements=st.sampled_from([0.0, 0.0, 0.3, 2.0]))
    )
    y = data.draw(arrays.arrays(np.int8, rows, elements=st.integers(0, 1)))
    np.testing.assert_allclose(
        log_count_ratio(csr_matrix(X), y, smoothing),
        naive_log_count_ratio(X.tolist(), y.tolist(), smoothing),
        atol=1e-12,
    )


def test_log_count_ratio_changes_sign_with_the_classes():
    X = csr_matrix([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    y = np.array([1, 1, 0])
    ratio = log_count_ratio(X, y)
    assert ratio[0] > 0 > ratio[1]
    np.testing.assert_allclose(log_count_ratio(X, 1 - y), -ratio)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_without_naive_bayes_it_is_sklearns_logistic_regression(cooking, class_weight):
    X, y = cooking
    ours = NaiveBayesLogisticRegression(nb_mixing=0, C=5.0, class_weight=class_weight).fit(X, y)
    theirs = LogisticRegression(
        C=5.0, class_weight=class_weight, solver="liblinear", max_iter=1000, random_state=0
    ).fit(X, y)
    np.testing.assert_array_equal(ours.coef_, theirs.coef_)
    np.testing.assert_array_equal(ours.intercept_, theirs.intercept_)
    np.testing.assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))


@pytest.mark.parametrize("nb_mixing", [0.3, 1.0])
def test_folded_scale_gives_the_probabilities_of_a_fit_on_scaled_features(cooking, nb_mixing):
    X, y = cooking
    ratio = np.array(naive_log_count_ratio(X.toarray().tolist(), y.tolist(), 1.0))
    scaled = csr_matrix(X.toarray() * (1 - nb_mixing + nb_mixing * np.abs(ratio)))
    theirs = LogisticRegression(C=5.0, solver="liblinear", max_iter=1000, random_state=0)
    expected = theirs.fit(scaled, y).predict_proba(scaled)
    ours = NaiveBayesLogisticRegression(nb_mixing=nb_mixing, C=5.0).fit(X, y)
    np.testing.assert_allclose(ours.predict_proba(X), expected, atol=1e-6)


def test_naive_bayes_share_changes_the_model(cooking):
    X, y = cooking
    plain = NaiveBayesLogisticRegression(nb_mixing=0).fit(X, y).coef_
    mixed = NaiveBayesLogisticRegression(nb_mixing=0.5).fit(X, y).coef_
    assert np.abs(plain - mixed).max() > 0.01


@pytest.mark.parametrize("nb_mixing", [0.0, 0.5])
def test_fit_heeds_sample_weights(cooking, nb_mixing):
    X, y = cooking
    weights = np.where(np.arange(len(y)) < 4, 20.0, 1.0)
    model = NaiveBayesLogisticRegression(nb_mixing=nb_mixing)
    unweighted = clone(model).fit(X, y).coef_
    assert np.abs(clone(model).fit(X, y, sample_weight=weights).coef_ - unweighted).max() > 0.01


def test_clone_keeps_all_settings():
    model = NaiveBayesLogisticRegression(nb_mixing=0.7, C=3.0, class_weight="balanced")
    assert clone(model).get_params() == model.get_params()
    assert clone(model).nb_mixing == 0.7


def test_features_are_sklearns_tfidf_blocks_side_by_side():
    texts = home_dataset().texts
    ours = make_vectorizer(Parameters(word_ngrams=(1, 2), char_ngrams=(3, 4))).fit_transform(texts)
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit_transform(texts)
    characters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True
    ).fit_transform(texts)
    np.testing.assert_array_equal(
        ours.toarray(), np.hstack([words.toarray(), characters.toarray()])
    )


def test_character_block_can_be_left_out():
    names = make_vectorizer(Parameters(char_ngrams=None)).fit(["fry the onions"])
    assert all(name.startswith("word__") for name in names.get_feature_names_out())


def test_rare_features_are_dropped_by_min_df():
    vectorizer = make_vectorizer(Parameters((1, 1), None, min_df=2)).fit(
        ["onions butter", "onions soil", "seeds soil"]
    )
    assert set(vectorizer.get_feature_names_out()) == {"word__onions", "word__soil"}


def test_pipeline_gives_a_probability_per_topic():
    data = home_dataset()
    pipeline = make_pipeline(Parameters(char_ngrams=None)).fit(data.texts, data.Y)
    probabilities = pipeline.predict_proba(["Fry garlic in butter.", "Mulch the soil."])
    assert probabilities.shape == (2, 2)
    assert probabilities[0, 0] > probabilities[0, 1]
    assert probabilities[1, 1] > probabilities[1, 0]


@pytest.fixture(scope="module")
def home():
    data = home_dataset()
    return TfidfVectorizer().fit_transform(data.texts).tocsr(), data.Y


def test_one_topic_gives_a_column_of_its_own(home):
    X, Y = home
    both = make_classifier(Parameters()).fit(X, Y).predict_proba(X)
    classifier = make_classifier(Parameters()).fit(X, Y[:, :1])
    assert classifier.predict_proba(X).shape == (len(Y), 1)
    assert classifier.log_odds(X).shape == (len(Y), 2)
    assert classifier.predict_relevance(X).shape == (len(Y),)
    np.testing.assert_allclose(classifier.predict_proba(X)[:, 0], both[:, 0], atol=1e-12)
    np.testing.assert_allclose(classifier.predict_relevance(X), both[:, 0], atol=1e-12)


@pytest.mark.parametrize("nb_mixing", [0.0, 0.5])
def test_relevance_is_a_classifier_of_having_any_topic(home, nb_mixing):
    X, Y = home
    parameters = Parameters(nb_mixing=nb_mixing)
    classifier = make_classifier(parameters).fit(X, Y)
    alone = NaiveBayesLogisticRegression(nb_mixing=nb_mixing, C=10.0, class_weight="balanced")
    expected = alone.fit(X, Y.any(axis=1).astype(int)).predict_proba(X)[:, 1]
    np.testing.assert_allclose(classifier.predict_relevance(X), expected, atol=1e-12)
    assert np.ptp(expected) > 0.1


def test_log_odds_are_those_of_the_probabilities_and_of_relevance(home):
    X, Y = home
    classifier = make_classifier(Parameters()).fit(X, Y)
    log_odds = classifier.log_odds(X)
    assert log_odds.shape == (len(Y), 3)
    np.testing.assert_allclose(sigmoid(log_odds[:, :2]), classifier.predict_proba(X))
    np.testing.assert_allclose(sigmoid(log_odds[:, 2]), classifier.predict_relevance(X))
    for t, estimator in enumerate(classifier.estimators_):
        np.testing.assert_array_equal(log_odds[:, t], estimator.decision_function(X))


@pytest.mark.parametrize("topics", [1, 2])
@pytest.mark.parametrize("value", [0, 1])
def test_what_training_saw_always_or_never_is_certain(home, topics, value):
    X, _ = home
    Y = np.full((X.shape[0], topics), value)
    classifier = make_classifier(Parameters()).fit(X, Y)
    np.testing.assert_allclose(classifier.predict_proba(X), Y, atol=1e-9)


def test_relevance_is_certain_where_every_sentence_has_a_topic(home):
    X, Y = home
    rows = Y.any(axis=1)
    classifier = make_classifier(Parameters()).fit(X[rows], Y[rows])
    assert classifier.relevance_ is None
    assert classifier.log_odds(X)[:, -1].tolist() == [CERTAIN] * X.shape[0]
    assert classifier.predict_relevance(X).min() > 1 - 1e-9


def test_relevance_is_none_where_no_sentence_has_a_topic(home):
    X, Y = home
    classifier = make_classifier(Parameters()).fit(X, np.zeros_like(Y))
    assert classifier.predict_relevance(X).max() < 1e-9


def test_classifier_can_be_cloned_and_fitted_again(home):
    X, Y = home
    first = make_classifier(Parameters()).fit(X, Y)
    again = clone(first).fit(X, Y)
    np.testing.assert_array_equal(first.log_odds(X), again.log_odds(X))


def prior_for(X):
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, X.shape[1])), rng.normal(size=3)


def test_adapted_classifier_is_its_prior_and_a_correction(home):
    X, Y = home
    prior = prior_for(X)
    classifier = AdaptedClassifier(C=0.5).fit(X, Y, prior)
    start = X @ prior[0].T + prior[1]
    expected = fit_logistic(X, with_relevance(Y), C=0.5, offsets=start)
    coefficients, intercepts = classifier.linear_model()
    np.testing.assert_allclose(coefficients, prior[0] + expected[0], atol=1e-12)
    np.testing.assert_allclose(intercepts, prior[1] + expected[1], atol=1e-12)
    np.testing.assert_allclose(classifier.correct(X, start), classifier.log_odds(X), atol=1e-9)


def test_correction_is_fitted_on_top_of_the_log_odds_that_are_given(home):
    X, Y = home
    others = np.random.default_rng(1).normal(size=(len(Y), 3))
    classifier = AdaptedClassifier().fit(X, Y, prior_for(X), others)
    coefficients, intercepts = fit_logistic(X, with_relevance(Y), C=1.0, offsets=others)
    expected = others + X @ coefficients.T + intercepts
    np.testing.assert_allclose(classifier.correct(X, others), expected, atol=1e-12)
    assert np.abs(classifier.log_odds(X) - expected).max() > 0.1


def test_a_weight_of_two_is_the_sentence_twice(home):
    X, Y = home
    weights = np.where(np.arange(len(Y)) % 3 == 0, 2.0, 1.0)
    rows = np.repeat(np.arange(len(Y)), weights.astype(int))
    weighed = AdaptedClassifier().fit(X, Y, prior_for(X), weights=weights)
    repeated = AdaptedClassifier().fit(X[rows], Y[rows], prior_for(X))
    np.testing.assert_allclose(weighed.log_odds(X), repeated.log_odds(X), atol=2e-3)
    plain = AdaptedClassifier().fit(X, Y, prior_for(X))
    assert np.abs(weighed.log_odds(X) - plain.log_odds(X)).max() > 0.05


def test_adapted_classifier_that_corrects_little_is_its_prior(home):
    X, Y = home
    prior = prior_for(X)
    classifier = AdaptedClassifier(C=1e-9).fit(X, Y, prior)
    np.testing.assert_allclose(classifier.coef_, prior[0], atol=1e-6)


def test_probabilities_of_an_adapted_classifier_are_those_of_its_log_odds(home):
    X, Y = home
    classifier = AdaptedClassifier().fit(X, Y, prior_for(X))
    expected = 1 / (1 + np.exp(-(X @ classifier.coef_.T + classifier.intercept_)))
    np.testing.assert_allclose(classifier.predict_proba(X), expected[:, :2])
    np.testing.assert_allclose(classifier.predict_relevance(X), expected[:, 2])
    assert clone(classifier).get_params() == {"C": 1.0}


def test_weights_and_offset_are_folded_into_any_classifier(home):
    X, Y = home
    weights, offset = np.random.default_rng(2).normal(size=(3, 3)), np.array([0.5, -1.0, 2.0])
    adapted = AdaptedClassifier().fit(X, Y, prior_for(X))
    for classifier in (adapted, make_classifier(Parameters()).fit(X, Y)):
        expected = classifier.log_odds(X) @ weights.T + offset
        classifier.fold_in(weights, offset)
        np.testing.assert_allclose(classifier.log_odds(X), expected, atol=1e-9)
        coefficients, intercepts = classifier.linear_model()
        np.testing.assert_allclose(X @ coefficients.T + intercepts, expected, atol=1e-9)
    assert not hasattr(adapted, "correction_")  # it would be of what is no longer there
