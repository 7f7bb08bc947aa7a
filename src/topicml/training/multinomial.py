"""Multinomial logistic regression, for schemes in which a text carries exactly one topic."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from topicml.scheme import Scheme
from topicml.scoring.probabilities import softmax
from topicml.training.features import (
    CERTAIN,
    LinearModel,
    Parameters,
    TopicClassifier,
    make_classifier,
)


def classifier_for(parameters: Parameters, scheme: Scheme) -> Any:
    """Return the unfitted classifier of a scheme's kind."""
    if scheme.is_multiclass:
        return MultinomialClassifier(parameters.C, parameters.class_weight)
    classifier: TopicClassifier = make_classifier(parameters)
    return classifier


class MultinomialClassifier(BaseEstimator):  # type: ignore[misc]
    """Softmax regression over T topics, in the form of ``TopicClassifier``.

    Its log-odds are those of a topic up to a number that is the same for all topics of a text.
    Behind them is relevance, which is certain: each text has a topic.

    Args:
        C: Inverse regularisation strength.
        class_weight: As in ``LogisticRegression``.

    Attributes:
        coef_: T + 1 by m coefficients, relevance last.
        intercept_: T + 1.
    """

    def __init__(self, C: float = 1.0, class_weight: Literal["balanced"] | None = None) -> None:
        self.C = C
        self.class_weight = class_weight

    def fit(self, X: Any, Y: NDArray[Any]) -> MultinomialClassifier:
        """Fit to X, n by m, and the indicator matrix Y, n by T, of one topic a row.

        A topic that no row has gets no probability.
        """
        y, topics = np.asarray(Y).argmax(axis=1), Y.shape[1]
        seen = np.unique(y)
        self.coef_ = np.zeros((topics + 1, X.shape[1]))
        self.intercept_ = np.full(topics + 1, -CERTAIN)
        self.intercept_[-1] = CERTAIN
        if len(seen) == 1:
            self.intercept_[seen] = 0.0
            return self
        fitted = LogisticRegression(C=self.C, class_weight=self.class_weight, max_iter=1000)
        fitted.fit(X, y)
        coefficients, intercepts = fitted.coef_, fitted.intercept_
        if len(seen) == 2:  # then it has one row, of the second topic against the first
            coefficients = np.vstack([-coefficients, coefficients]) / 2
            intercepts = np.append(-intercepts, intercepts) / 2
        self.coef_[seen], self.intercept_[seen] = coefficients, intercepts
        return self

    def linear_model(self) -> LinearModel:
        """Return T + 1 by m coefficients and T + 1 intercepts, relevance last."""
        return self.coef_, self.intercept_

    def fold_in(self, weights: NDArray[np.float64], offset: NDArray[np.float64]) -> None:
        """Make of the log-odds a weighted sum: T + 1 by T + 1 weights, and an offset."""
        self.coef_, self.intercept_ = weights @ self.coef_, weights @ self.intercept_ + offset

    def log_odds(self, X: Any) -> NDArray[np.float64]:
        """Return n by T + 1 log-odds; the last column is relevance."""
        values: NDArray[np.float64] = X @ self.coef_.T + self.intercept_
        return values

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return n by T probabilities; those of a row add up to one."""
        return softmax(self.log_odds(X)[:, :-1])

    def predict_relevance(self, X: Any) -> NDArray[np.float64]:
        """Return n probabilities that a text has any topic: one."""
        return np.ones(X.shape[0])
