"""A model as a scikit-learn estimator, which gives a sentence the tags that ``classify`` gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import check_is_fitted

from topicml.scheme import DEFAULT_SCHEME, ENGLISH, Kind, Scheme
from topicml.scoring.probabilities import probabilities_of
from topicml.tagging.thresholds import Thresholds
from topicml.text.normalise import as_scored
from topicml.training.background import Background
from topicml.training.calibration import Floats, Labels, micro_f1
from topicml.training.dataset import Dataset, dataset_of
from topicml.training.features import Parameters
from topicml.training.fit import FittedModel, fit_model
from topicml.training.held_out import decide_calibrated, thresholds_of

_PARAMETERS = tuple(field.name for field in fields(Parameters))


class TopicTagger(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Tags sentences with topics: what ``pipeline.joblib`` of a model version holds.

    ``predict`` has all inside that ``classify`` does with a sentence: thresholds, the relevance
    gate, and the reasons to give no topic at all. ``fit`` does what ``train`` does with parameters
    that are given: calibration and thresholds are chosen out of fold, and then it fits on all.

    Args:
        word_ngrams: As all up to ``background``, see ``Parameters``.
        char_ngrams: Shortest and longest character n-gram inside words, or None for none.
        min_df: Number of sentences a feature must occur in.
        sublinear_tf: Use ``1 + log(tf)`` in place of ``tf``.
        C: Inverse regularisation strength.
        class_weight: ``balanced`` or None.
        nb_mixing: Share of the naive-Bayes log-count ratio in each feature's scale.
        background: Start from a background model, which ``fit`` is then given.
        kind: ``multilabel``, or ``multiclass`` where each sentence has exactly one topic.
        language: Of the sentences; some reasons to give no topic are for English.
        topics: T topic ids, in column order; the numbers of the columns for None.
        n_jobs: Processes of ``fit``; the model does not depend on it.

    Attributes:
        topics_: T topic ids, in the order of the columns of ``predict`` and ``predict_proba``.
        classes_: T by 2, a 0 and a 1 for each topic: scikit-learn's scorers tell by it that any
            number of topics may be given.
        pipeline_: TF-IDF features and one-vs-rest logistic regression, calibration folded in.
        thresholds_: What a sentence must reach: the fields of ``Thresholds``.
    """

    def __init__(
        self,
        word_ngrams: tuple[int, int] = (1, 2),
        char_ngrams: tuple[int, int] | None = (3, 5),
        min_df: int = 1,
        sublinear_tf: bool = True,
        C: float = 10.0,
        class_weight: Literal["balanced"] | None = "balanced",
        nb_mixing: float = 0.0,
        background: bool = False,
        kind: Kind = "multilabel",
        language: str = ENGLISH,
        topics: Sequence[str] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.word_ngrams = word_ngrams
        self.char_ngrams = char_ngrams
        self.min_df = min_df
        self.sublinear_tf = sublinear_tf
        self.C = C
        self.class_weight = class_weight
        self.nb_mixing = nb_mixing
        self.background = background
        self.kind = kind
        self.language = language
        self.topics = topics
        self.n_jobs = n_jobs

    @classmethod
    def of(
        cls, fitted: FittedModel, topics: Sequence[str], scheme: Scheme = DEFAULT_SCHEME
    ) -> TopicTagger:
        """Return the estimator of a model that is fitted already.

        Args:
            fitted: From ``fit_model``.
            topics: T topic ids, in column order.
            scheme: How what it was fitted to is labelled.
        """
        thresholds = thresholds_of(fitted.decision)
        return cls.of_pipeline(fitted.pipeline, fitted.parameters, topics, thresholds, scheme)

    @classmethod
    def of_pipeline(
        cls,
        pipeline: Pipeline,
        parameters: Parameters,
        topics: Sequence[str],
        thresholds: Thresholds,
        scheme: Scheme = DEFAULT_SCHEME,
    ) -> TopicTagger:
        """Return the estimator of a fitted pipeline, calibration folded in; see ``of``."""
        given = {name: getattr(parameters, name) for name in _PARAMETERS}
        names = tuple(topics)
        tagger = cls(**given, kind=scheme.kind, language=scheme.language, topics=names)
        return tagger._hold(pipeline, names, thresholds)

    def fit(
        self,
        X: Iterable[str],
        Y: ArrayLike,
        groups: ArrayLike | None = None,
        *,
        sources: ArrayLike | None = None,
        drawn: ArrayLike | None = None,
        background_model: Background | None = None,
    ) -> TopicTagger:
        """Choose calibration and thresholds by grouped cross-validation, and fit on all.

        Args:
            X: n sentences.
            Y: n by T indicator matrix of 0 and 1.
            groups: n group names, such as of articles: no group is split. Each sentence is one
                of its own for None.
            sources: n sources: ``article``, ``archive`` or ``authored``; all ``article`` for None.
            drawn: n, True where a sentence was drawn at random; none for None.
            background_model: From ``read_background``; what ``background=True`` starts from.

        Raises:
            TrainingError: A topic is on no sentence or on all, all sentences are of one group,
                or there is no background model where the parameters ask for one.
            ValueError: The arrays do not fit together, or a parameter has no such value.
        """
        data = self._dataset(X, Y, groups, sources, drawn)
        jobs = 1 if self.n_jobs is None else self.n_jobs
        fitted = fit_model(data, self._parameters(), background_model, jobs)
        return self._hold(fitted.pipeline, data.topics, thresholds_of(fitted.decision))

    def predict(self, X: Iterable[str]) -> Labels:
        """Return which topics ``classify`` gives n sentences, n by T, as 0 and 1."""
        texts = _sentences(X)
        calibrated = self._calibrated(texts)
        thresholds = Thresholds(**self.thresholds_)
        _, given, _ = decide_calibrated(
            *(self.topics_, texts, calibrated, thresholds, self.pipeline_[0], self._scheme())
        )
        return given.astype(np.int8)

    def predict_proba(self, X: Iterable[str]) -> Floats:
        """Return the calibrated probability of each topic for n sentences, n by T."""
        return self._calibrated(_sentences(X))[:, :-1]

    def predict_relevance(self, X: Iterable[str]) -> Floats:
        """Return n calibrated probabilities that a sentence has any topic."""
        relevance: Floats = self._calibrated(_sentences(X))[:, -1]
        return relevance

    def score(self, X: Iterable[str], Y: ArrayLike, sample_weight: Floats | None = None) -> float:
        """Return micro-averaged F1 of what is predicted for n sentences."""
        return micro_f1(_indicator(Y), self.predict(X) == 1, sample_weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.two_d_array = True, False
        tags.target_tags.multi_output, tags.target_tags.single_output = True, False
        tags.classifier_tags.multi_label, tags.classifier_tags.multi_class = True, False
        return tags

    def _hold(
        self, pipeline: Pipeline, topics: Sequence[str], thresholds: Thresholds
    ) -> TopicTagger:
        self.topics_ = tuple(topics)
        self.classes_ = np.tile([0, 1], (len(self.topics_), 1))
        self.pipeline_ = pipeline
        self.thresholds_ = asdict(thresholds)  # plain: it outlives changes of the class
        return self

    def _calibrated(self, texts: Sequence[str]) -> Floats:
        """Return n by T + 1 probabilities, relevance last."""
        check_is_fitted(self)
        features, classifier = self.pipeline_
        log_odds = classifier.log_odds(features.transform([as_scored(text) for text in texts]))
        return probabilities_of(log_odds, self.kind)

    def _scheme(self) -> Scheme:
        return Scheme(self.kind, self.language)

    def _parameters(self) -> Parameters:
        given = {name: getattr(self, name) for name in _PARAMETERS}
        plain = {k: v.item() if isinstance(v, np.generic) else v for k, v in given.items()}
        return Parameters.from_dict(plain)

    def _dataset(
        self,
        X: Iterable[str],
        Y: ArrayLike,
        groups: ArrayLike | None,
        sources: ArrayLike | None,
        drawn: ArrayLike | None,
    ) -> Dataset:
        texts, labels = _sentences(X), _indicator(Y)
        count, width = labels.shape
        check_consistent_length(texts, labels, groups, sources, drawn)
        topics = tuple(map(str, range(width) if self.topics is None else self.topics))
        if len(set(topics)) != width or len(topics) != width:
            raise ValueError(f"Y has {width} columns, and the topics are {', '.join(topics)}")
        return dataset_of(
            topics,
            texts,
            labels,
            groups=np.asarray(np.arange(count) if groups is None else groups).astype(np.str_),
            sources=np.asarray(["article"] * count if sources is None else sources, dtype=np.str_),
            drawn=np.asarray(np.zeros(count) if drawn is None else drawn, dtype=np.bool_),
            scheme=self._scheme(),
        )


def _sentences(X: Iterable[str]) -> list[str]:
    """Return n sentences as a list."""
    if isinstance(X, str):
        raise ValueError("X is a sequence of sentences, not one string")  # noqa: TRY004
    texts = list(X)
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"sentence {number} is no string but {type(text).__name__}")
    return texts


def _indicator(Y: ArrayLike) -> NDArray[np.int8]:
    """Return labels as an indicator matrix, n by T."""
    labels = check_array(Y, input_name="Y")
    if not np.isin(labels, (0, 1)).all():
        raise ValueError(
            "Y is an indicator matrix of 0 and 1: sklearn.preprocessing.MultiLabelBinarizer "
            "makes one of lists of topics"
        )
    return np.asarray(labels, dtype=np.int8)
