"""Two ways to evaluate: the training recipe by cross-validation, a finished model on a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from topicml.errors import TrainingError
from topicml.scoring.scorer import Scorer
from topicml.tagging.tagger import tag_sentences
from topicml.training.background import Background
from topicml.training.cross_validation import cross_validate, splits_of
from topicml.training.dataset import Dataset, Split
from topicml.training.features import Parameters
from topicml.training.fit import check_support
from topicml.training.logistic import sigmoid
from topicml.training.metrics import Evaluation, evaluate_predictions
from topicml.training.search import grid_for, nested_predictions, score_candidate

By = Literal["article", "group"]

PROTOCOLS = {
    "article": "Leave-one-article-out over the real articles: parameters, calibration and "
    "thresholds chosen inside each fold.",
    "documents": "Grouped cross-validation over the real documents, a fifth of them left out at "
    "a time: parameters, calibration and thresholds chosen inside each fold.",
    "group": "Grouped cross-validation, whole groups left out: parameters, calibration and "
    "thresholds chosen inside each fold.",
}
_FIXED = " Parameters were fixed beforehand."
_ADAPTED = (
    " Each fold is predicted from a background model that has seen neither its labels nor its text."
)


LEARNING_FRACTIONS = (0.125, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """How good the recipe is with some of the labels."""

    sentences: int
    macro_average_precision: float


@dataclass(frozen=True, slots=True)
class Predictions:
    """What was predicted for n sentences, and their labels.

    Attributes:
        protocol: How it was predicted, as a sentence.
        topics: T topic ids.
        Y: n by T labels.
        probabilities: n by T.
        tags: n by T, 1 where a topic is given.
        documents: n document names.
        uncalibrated: n by T probabilities before calibration, where known.
        learning_curve: How good the recipe is with some of the labels, where known.
        sources: n sources of the sentences, where known.
        lengths: n numbers of words, where known.
    """

    protocol: str
    topics: tuple[str, ...]
    Y: NDArray[np.int8]
    probabilities: NDArray[np.float64]
    tags: NDArray[np.int8]
    documents: NDArray[np.str_]
    uncalibrated: NDArray[np.float64] | None = None
    learning_curve: tuple[LearningPoint, ...] = ()
    sources: NDArray[np.str_] | None = None
    lengths: NDArray[np.intp] | None = None

    def evaluate(self) -> Evaluation:
        """Return all figures with intervals."""
        return evaluate_predictions(
            *(self.topics, self.Y, self.probabilities, self.tags, self.documents),
            sources=self.sources,
            lengths=self.lengths,
        )


def cross_validated_evaluation(
    data: Dataset,
    by: By = "article",
    parameters: Parameters | None = None,
    background: Background | None = None,
    jobs: int = 1,
) -> tuple[str, Evaluation]:
    """Return protocol and figures of ``cross_validated_predictions``."""
    predictions = cross_validated_predictions(data, by, parameters, background, jobs)
    return predictions.protocol, predictions.evaluate()


def cross_validated_predictions(
    data: Dataset,
    by: By = "article",
    parameters: Parameters | None = None,
    background: Background | None = None,
    jobs: int = 1,
) -> Predictions:
    """Predict sentences with the whole recipe, none of them seen by it.

    Args:
        data: Labelled sentences.
        by: What is left out: real documents (one at a time, a fifth of them where there are
            many), or a fifth of all groups. With a background, its folds are left out, and
            ``article`` says that only real text is judged.
        parameters: Fixed, or None to choose them inside each fold.
        background: To start from.
        jobs: Processes.

    Raises:
        TrainingError: Fewer than three groups, so that a fold could not choose thresholds.
    """
    settings = grid_for(background) if parameters is None else (parameters,)
    probabilities, tags = nested_predictions(
        data, _splits(data, by, background), settings, background=background, jobs=jobs
    )
    judged = ~np.isnan(probabilities).any(axis=1) & _is_judged(data, by)
    return Predictions(
        _protocol(data, by, background) + (_FIXED if parameters is not None else ""),
        data.topics,
        data.Y[judged],
        probabilities[judged],
        tags[judged],
        data.groups[judged],
        sources=data.sources[judged],
        lengths=data.lengths[judged],
    )


def _is_judged(data: Dataset, by: By) -> NDArray[np.bool_]:
    return data.articles if by == "article" else np.ones(len(data), dtype=np.bool_)


def _protocol(data: Dataset, by: By, background: Background | None) -> str:
    in_folds = background is not None or data.has_many_documents
    protocol = PROTOCOLS["documents" if by == "article" and in_folds else by]
    return protocol if background is None else protocol + _ADAPTED


def uncalibrated_probabilities(
    data: Dataset, by: By, parameters: Parameters, background: Background | None = None
) -> NDArray[np.float64]:
    """Return what the same folds predict before calibration, for reliability curves."""
    splits = _splits(data, by, background)
    log_odds = cross_validate(data, [parameters], splits, background=background)[0, :, :-1]
    return sigmoid(log_odds[~np.isnan(log_odds).any(axis=1) & _is_judged(data, by)])


def model_predictions(scorer: Scorer, data: Dataset, protocol: str) -> Predictions:
    """Tag labelled sentences with a finished model as ``classify`` does."""
    probabilities, given, _ = tag_sentences(scorer, data.texts)
    return Predictions(
        *(protocol, data.topics, data.Y, probabilities, given.astype(np.int8), data.groups),
        sources=data.sources,
        lengths=data.lengths,
    )


def evaluate_model(scorer: Scorer, data: Dataset) -> Evaluation:
    """Evaluate a finished model on labelled sentences, tagging them as ``classify`` does."""
    return model_predictions(scorer, data, "").evaluate()


def learning_curve(
    data: Dataset,
    split: Split,
    parameters: Parameters,
    background: Background | None = None,
    seed: int = 0,
) -> list[LearningPoint]:
    """Fit on growing shares of the training groups; score each fit on the test sentences."""
    train, test = split
    groups = np.random.default_rng(seed).permutation(np.unique(data.groups[train]))
    points = []
    for fraction in LEARNING_FRACTIONS:
        some = groups[: max(1, round(fraction * len(groups)))]
        part = train[np.isin(data.groups[train], some)]
        if not data.Y[part].any(axis=0).all():
            continue  # a topic is not there yet
        (log_odds,) = cross_validate(data, [parameters], [(part, test)], background=background)
        scored = score_candidate(parameters, data.Y, log_odds)
        points.append(LearningPoint(len(part), scored.macro_average_precision))
    return points


def with_diagnostics(
    predictions: Predictions,
    data: Dataset,
    by: By,
    parameters: Parameters,
    background: Background | None = None,
) -> Predictions:
    """Add probabilities before calibration and a learning curve to predictions for the data."""
    first = splits_of(data, background)[0]
    return replace(
        predictions,
        uncalibrated=uncalibrated_probabilities(data, by, parameters, background),
        learning_curve=tuple(learning_curve(data, first, parameters, background)),
    )


def check_trainable(data: Dataset, by: By, background: Background | None = None) -> None:
    """Raise a ``TrainingError`` for all that would end a training half-way."""
    check_support(data)
    _splits(data, by, background)


def _splits(data: Dataset, by: By, background: Background | None) -> list[Split]:
    groups = len(set(data.groups.tolist()))
    if groups < 3:
        raise TrainingError(
            f"{groups} article{'s are' if groups != 1 else ' is'} too few to evaluate on",
            hint="Label three or more, so that one can be left out and two are left to tune on.",
        )
    if by == "article" and not data.articles.any():
        raise TrainingError(
            "no sentence comes from a real article", hint="Evaluate with --by group."
        )
    if background is not None:
        return splits_of(data, background)
    return list(data.article_splits()) if by == "article" else data.grouped_splits()
