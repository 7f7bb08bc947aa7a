"""The scikit-learn pipeline: TF-IDF features into one-vs-rest logistic regression."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline

from topicml.scoring.probabilities import sigmoid
from topicml.training.logistic import fit_logistic


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything about a model that is chosen and not learned.

    Attributes:
        word_ngrams: Shortest and longest word n-gram.
        char_ngrams: Shortest and longest character n-gram inside words, or None for none.
        min_df: Number of sentences a feature must occur in.
        sublinear_tf: Use ``1 + log(tf)`` in place of ``tf``.
        C: Inverse regularisation strength of the logistic regression.
        class_weight: ``balanced`` weighs a topic's sentences up to those without it.
        nb_mixing: Share of the naive-Bayes log-count ratio in each feature's scale; 0 is none.
        background: Start from a background model, whose terms are taken. ``C`` is then that of
            the correction, ``min_df`` that of new words, and all else is the background's.
    """

    word_ngrams: tuple[int, int] = (1, 2)
    char_ngrams: tuple[int, int] | None = (3, 5)
    min_df: int = 1
    sublinear_tf: bool = True
    C: float = 10.0
    class_weight: Literal["balanced"] | None = "balanced"
    nb_mixing: float = 0.0
    background: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain JSON values."""
        fields = asdict(self)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in fields.items()}

    @classmethod
    def from_dict(cls, fields: Any) -> Parameters:
        """Build parameters from what ``to_dict`` returned, absent ones at their default.

        Raises:
            ValueError: Not an object, an unknown parameter, or a value out of its range.
        """
        if not isinstance(fields, dict):
            raise ValueError(f"expected an object, found {type(fields).__name__}")  # noqa: TRY004
        for key, value in fields.items():
            if key not in _VALID:
                raise ValueError(f"unknown parameter {key!r}")
            if not _VALID[key](value):
                raise ValueError(f"{key} cannot be {value!r}")
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()
        }
        return cls(**values)


_LONGEST_NGRAM = 100  # that a scorer file may have


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_range(value: Any) -> bool:
    pair = isinstance(value, list | tuple) and len(value) == 2
    return (
        pair and all(type(n) is int for n in value) and 1 <= value[0] <= value[1] <= _LONGEST_NGRAM
    )


_VALID: dict[str, Callable[[Any], bool]] = {
    "word_ngrams": _is_range,
    "char_ngrams": lambda value: value is None or _is_range(value),
    "min_df": lambda value: type(value) is int and value >= 1,
    "sublinear_tf": lambda value: isinstance(value, bool),
    "C": lambda value: _is_number(value) and 1e-6 <= value <= 1e6,  # beyond it no fit ends
    "class_weight": lambda value: value in (None, "balanced"),
    "nb_mixing": lambda value: _is_number(value) and 0 <= value <= 1,
    "background": lambda value: isinstance(value, bool),
}

SKLEARN_DEFAULTS = Parameters(
    word_ngrams=(1, 1), char_ngrams=None, sublinear_tf=False, C=1.0, class_weight=None
)
"""scikit-learn's own defaults, the baseline that chosen parameters are compared with."""


class NaiveBayesLogisticRegression(LogisticRegression):  # type: ignore[misc]
    """Binary logistic regression on features scaled by their naive-Bayes log-count ratio.

    Wang and Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic
    Classification", ACL 2012: features that tell the classes apart are scaled up before the
    fit. The scale is folded into ``coef_`` afterwards, so the fitted model is an ordinary
    logistic regression over the unscaled features.

    Args:
        nb_mixing: Scale is ``1 - nb_mixing + nb_mixing * |r|`` with ``r`` the log-count ratio.
        C: Inverse regularisation strength.
        class_weight: As in ``LogisticRegression``.
    """

    def __init__(
        self,
        nb_mixing: float = 0.5,
        C: float = 1.0,
        class_weight: str | None = None,
        solver: str = "liblinear",
        max_iter: int = 1000,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            C=C,
            class_weight=class_weight,
            solver=solver,
            max_iter=max_iter,
            random_state=random_state,
        )
        self.nb_mixing = nb_mixing

    def fit(self, X: Any, y: NDArray[Any], sample_weight: Any = None) -> Any:
        """Fit to a sparse matrix X of n sentences by m features and n labels of 0 or 1."""
        if self.nb_mixing == 0:
            return super().fit(X, y, sample_weight)
        ratio = np.abs(log_count_ratio(X, y))
        scale = 1 - self.nb_mixing + self.nb_mixing * ratio
        super().fit(X.multiply(scale).tocsr(), y, sample_weight)
        self.coef_: NDArray[np.float64] = self.coef_ * scale
        return self


def log_count_ratio(X: Any, y: NDArray[Any], smoothing: float = 1.0) -> NDArray[np.float64]:
    """Return, per feature, the log of its smoothed share in the positives over the negatives.

    Args:
        X: Sparse matrix, n by m; presence counts, not weight.
        y: n labels of 0 or 1.
        smoothing: Added to each count.
    """
    presence = (X > 0).astype(np.float64)
    positive = smoothing + np.asarray(presence[y == 1].sum(axis=0)).ravel()
    negative = smoothing + np.asarray(presence[y == 0].sum(axis=0)).ravel()
    ratio: NDArray[np.float64] = np.log(positive / positive.sum()) - np.log(
        negative / negative.sum()
    )
    return ratio


class TopicClassifier(OneVsRestClassifier):  # type: ignore[misc]
    """One-vs-rest over T topics, and relevance: whether a sentence has any topic at all.

    Attributes:
        relevance_: A classifier like those of the topics, or None where training saw only
            sentences with a topic, or only such without one.
        shares_: T + 1 shares of the training sentences with each topic, and with any.
    """

    def fit(self, X: Any, Y: NDArray[Any]) -> TopicClassifier:
        """Fit to X, n by m, and the indicator matrix Y, n by T."""
        with warnings.catch_warnings():
            # a topic may be absent from a fold; a constant predictor is then what is meant
            warnings.filterwarnings("ignore", message="Label .* is present in all training")
            super().fit(X, Y)
        relevant = np.asarray(Y.any(axis=1))
        self.shares_ = np.append(np.asarray(Y).mean(axis=0), relevant.mean())
        known = 0 < self.shares_[-1] < 1
        self.relevance_ = clone(self.estimator).fit(X, relevant) if known else None
        return self

    def log_odds(self, X: Any) -> NDArray[np.float64]:
        """Return n by T + 1 log-odds; the last column is relevance."""
        estimators = (*self.estimators_, self.relevance_)
        columns = [_log_odds(e, X, s) for e, s in zip(estimators, self.shares_, strict=True)]
        return np.column_stack(columns)

    def linear_model(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return T + 1 by m coefficients and T + 1 intercepts, relevance last.

        Where training saw no sentence without a topic, all are relevant.
        """
        estimators = (*self.estimators_, self.relevance_)
        nothing = np.zeros_like(self.estimators_[0].coef_[0])
        coefficients = np.vstack([nothing if e is None else e.coef_[0] for e in estimators])
        return coefficients, np.array(
            [CERTAIN if e is None else e.intercept_[0] for e in estimators]
        )

    def fold_in(self, weights: NDArray[np.float64], offset: NDArray[np.float64]) -> None:
        """Make of the log-odds a weighted sum: T + 1 by T + 1 weights, and an offset."""
        coefficients, intercepts = self.linear_model()
        for t, estimator in enumerate((*self.estimators_, self.relevance_)):
            if estimator is not None:  # relevance may be constant
                estimator.coef_ = weights[[t]] @ coefficients
                estimator.intercept_ = weights[[t]] @ intercepts + offset[t]

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return n by T probabilities, also where there is but one topic."""
        return sigmoid(self.log_odds(X)[:, :-1])

    def predict_relevance(self, X: Any) -> NDArray[np.float64]:
        """Return n probabilities that a sentence has any topic."""
        return sigmoid(_log_odds(self.relevance_, X, self.shares_[-1]))


class AdaptedClassifier(BaseEstimator):  # type: ignore[misc]
    """Logistic regression over T topics and relevance, pulled towards a background's coefficients.

    Args:
        C: Inverse regularisation strength of the correction.

    Attributes:
        correction_: T + 1 by m coefficients that were learned, and T + 1 intercepts.
        coef_: T + 1 by m coefficients, relevance last: the background's and the correction.
        intercept_: T + 1.
    """

    def __init__(self, C: float = 1.0) -> None:
        self.C = C

    def fit(
        self,
        X: Any,
        Y: NDArray[Any],
        prior: LinearModel,
        offsets: NDArray[np.float64] | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> AdaptedClassifier:
        """Learn a correction.

        Args:
            X: n by m.
            Y: n by T indicator matrix.
            prior: T + 1 by m coefficients and T + 1 intercepts to start from.
            offsets: n by T + 1 log-odds that the correction is added to; those of the prior
                where None.
            weights: n, of each sentence; 1 for None.
        """
        coefficients, intercepts = prior
        if offsets is None:
            offsets = X @ coefficients.T + intercepts
        targets = np.column_stack([Y, np.asarray(Y).any(axis=1)])
        self.correction_ = fit_logistic(X, targets, C=self.C, offsets=offsets, weights=weights)
        self.coef_ = coefficients + self.correction_[0]
        self.intercept_ = intercepts + self.correction_[1]
        return self

    def correct(self, X: Any, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-odds of another background, n by T + 1, with the correction added."""
        coefficients, intercepts = self.correction_
        corrected: NDArray[np.float64] = log_odds + X @ coefficients.T + intercepts
        return corrected

    def linear_model(self) -> LinearModel:
        """Return T + 1 by m coefficients and T + 1 intercepts, relevance last."""
        return self.coef_, self.intercept_

    def fold_in(self, weights: NDArray[np.float64], offset: NDArray[np.float64]) -> None:
        """Make of the log-odds a weighted sum: T + 1 by T + 1 weights, and an offset."""
        self.coef_, self.intercept_ = weights @ self.coef_, weights @ self.intercept_ + offset
        del self.correction_  # of what is no longer there

    def log_odds(self, X: Any) -> NDArray[np.float64]:
        """Return n by T + 1 log-odds; the last column is relevance."""
        values: NDArray[np.float64] = X @ self.coef_.T + self.intercept_
        return values

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return n by T probabilities."""
        return sigmoid(self.log_odds(X)[:, :-1])

    def predict_relevance(self, X: Any) -> NDArray[np.float64]:
        """Return n probabilities that a sentence has any topic."""
        return sigmoid(self.log_odds(X)[:, -1])


LinearModel = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Coefficients and intercepts."""

CERTAIN = 50.0
"""Log-odds, one way or the other, of what training saw always or never."""


def _log_odds(estimator: Any, X: Any, share: float) -> NDArray[np.float64]:
    """Return n log-odds; where training saw one class only, that one is certain."""
    if hasattr(estimator, "coef_"):
        values: NDArray[np.float64] = estimator.decision_function(X)
        return values
    return np.full(X.shape[0], CERTAIN if share == 1 else -CERTAIN)


def make_vectorizer(parameters: Parameters) -> FeatureUnion:
    """Return the unfitted TF-IDF vectoriser: a word block and, if asked, a character block."""
    common = {"min_df": parameters.min_df, "sublinear_tf": parameters.sublinear_tf}
    ngrams = {"word": parameters.word_ngrams, "char_wb": parameters.char_ngrams}
    return FeatureUnion(
        [
            (analyzer, TfidfVectorizer(analyzer=analyzer, ngram_range=sizes, **common))
            for analyzer, sizes in ngrams.items()
            if sizes
        ]
    )


def make_classifier(parameters: Parameters) -> TopicClassifier:
    """Return the unfitted one-vs-rest classifier."""
    chosen = {key: getattr(parameters, key) for key in ("nb_mixing", "C", "class_weight")}
    return TopicClassifier(NaiveBayesLogisticRegression(**chosen))


def make_pipeline(parameters: Parameters) -> Pipeline:
    """Return the whole unfitted pipeline."""
    return Pipeline(
        [("features", make_vectorizer(parameters)), ("classifier", make_classifier(parameters))]
    )
