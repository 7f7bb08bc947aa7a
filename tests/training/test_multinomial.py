"""The multinomial classifier, with scikit-learn's own as the oracle."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from topicml.scheme import Scheme
from topicml.training.features import CERTAIN, Parameters, TopicClassifier
from topicml.training.multinomial import MultinomialClassifier, classifier_for

X = sparse.csr_matrix(np.random.default_rng(0).normal(size=(60, 8)))
NEW = sparse.csr_matrix(np.random.default_rng(1).normal(size=(9, 8)))


def labels(*classes: int, topics: int = 4) -> np.ndarray:
    return np.eye(topics, dtype=np.int8)[np.resize(classes, X.shape[0])]


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("classes", [(0, 1, 2, 3, 3), (0, 2, 3), (1, 3), (3, 0, 0)])
def test_probabilities_are_those_of_scikit_learn(
    classes: tuple[int, ...], class_weight: str | None
) -> None:
    Y = labels(*classes)
    oracle = LogisticRegression(C=3.0, class_weight=class_weight, max_iter=1000)
    oracle.fit(X, Y.argmax(axis=1))
    found = MultinomialClassifier(3.0, class_weight).fit(X, Y).predict_proba(NEW)
    assert found[:, oracle.classes_] == pytest.approx(oracle.predict_proba(NEW), abs=1e-12)
    assert np.delete(found, oracle.classes_, axis=1) == pytest.approx(0.0, abs=1e-9)


def test_one_topic_alone_is_certain() -> None:
    found = MultinomialClassifier().fit(X, labels(2)).predict_proba(NEW)
    assert found == pytest.approx(labels(2)[:9], abs=1e-9)


def test_relevance_is_certain() -> None:
    classifier = MultinomialClassifier().fit(X, labels(0, 1, 2, 3))
    assert (classifier.log_odds(NEW)[:, -1] == CERTAIN).all()
    assert (classifier.predict_relevance(NEW) == 1).all()


def test_scale_that_is_folded_in_scales_log_odds() -> None:
    classifier = MultinomialClassifier().fit(X, labels(0, 1, 2, 3))
    before = classifier.log_odds(NEW)
    classifier.fold_in(np.diag([0.5] * 4 + [1.0]), np.zeros(5))
    assert classifier.log_odds(NEW) == pytest.approx(before * [0.5, 0.5, 0.5, 0.5, 1.0])


def test_classifier_is_that_of_the_kind() -> None:
    chosen = classifier_for(Parameters(C=7.0, class_weight=None), Scheme("multiclass"))
    assert chosen.get_params() == {"C": 7.0, "class_weight": None}
    assert isinstance(classifier_for(Parameters(), Scheme()), TopicClassifier)
