"""Two ways to evaluate: the training recipe by cross-validation, a finished model on a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from topicml.errors import TrainingError
from topicml.scheme import Kind
from topicml.scoring.probabilities import probabilities_of
from topicml.scoring.scorer import Scorer
from topicml.tagging.tagger import tag_sentences
from topicml.training.background import Background
from topicml.training.cross_validation import cross_validate, splits_of
from topicml.training.dataset import Dataset, Split
from topicml.training.features import Parameters
from topicml.training.fit import check_support
from topicml.training.metrics import Evaluation, evaluate_predictions
from topicml.training.search import (
    count_nested_fits,
    nested_predictions,
    score_candidate,
    settings_for,
)

By = Literal["article", "group"]

PROTOCOLS = {
    "article": "Leave-one-article-out over the real articles: calibration and thresholds chosen "
    "inside each fold.",
    "documents": "Grouped cross-validation over the real documents, a fifth of them (of few, one) "
    "left out at a time: calibration and thresholds chosen inside each fold.",
    "group": "Grouped cross-validation, whole groups left out: calibration and thresholds chosen "
    "inside each fold.",
}
SEARCHED = "Parameters are searched anew inside each fold."
GIVEN = (
    "Parameters were given: where they were chosen by these labels, the figures are slightly "
    "optimistic."
)
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
        rows: n places of the sentences in what they were picked from, where known.
        kind: Of the scheme.
        sources: n sources of the sentences, where known.
        lengths: n numbers of words, where known.
        drawn: n, whether each was drawn at random, where known.
    """

    protocol: str
    topics: tuple[str, ...]
    Y: NDArray[np.int8]
    probabilities: NDArray[np.float64]
    tags: NDArray[np.int8]
    documents: NDArray[np.str_]
    uncalibrated: NDArray[np.float64] | None = None
    learning_curve: tuple[LearningPoint, ...] = ()
    rows: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    kind: Kind = "multilabel"
    sources: NDArray[np.str_] | None = None
    lengths: NDArray[np.intp] | None = None
    drawn: NDArray[np.bool_] | None = None

    def evaluate(self) -> Evaluation:
        """Return all figures with intervals."""
        return evaluate_predictions(
            *(self.topics, self.Y, self.probabilities, self.tags, self.documents),
            kind=self.kind,
            sources=self.sources,
            lengths=self.lengths,
            drawn=self.drawn,
        )


def cross_validated_predictions(
    data: Dataset,
    by: By = "article",
    parameters: Parameters | None = None,
    background: Background | None = None,
    jobs: int = 1,
    *,
    parameters_from: str = GIVEN,
    learned: NDArray[np.bool_] | None = None,
    judged: NDArray[np.bool_] | None = None,
    on_fit: Callable[[], None] = lambda: None,
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
        parameters_from: Where parameters that are given come from, as a sentence.
        learned: n, whether a sentence is trained on; all are for None.
        judged: n, whether a sentence is judged, if ``by`` allows; all are for None.
        on_fit: Called after each fit; see ``count_evaluation_fits``.

    Raises:
        TrainingError: Fewer than three groups, so that a fold could not choose thresholds.
    """
    settings = settings_for(parameters, background, data.scheme)
    splits = [
        (train if learned is None else train[learned[train]], test)
        for train, test in _judging_splits(data, by, background, judged)
    ]
    probabilities, tags = nested_predictions(
        data, splits, settings, background=background, jobs=jobs, on_fit=on_fit
    )
    wanted = _is_wanted(data, by, judged)
    rows = np.flatnonzero(~np.isnan(probabilities).any(axis=1) & wanted)
    return Predictions(
        f"{_protocol(data, by, background)} {parameters_from if parameters else SEARCHED}",
        data.topics,
        data.Y[rows],
        probabilities[rows],
        tags[rows],
        data.groups[rows],
        rows=rows,
        kind=data.scheme.kind,
        sources=data.sources[rows],
        lengths=data.lengths[rows],
        drawn=data.drawn[rows],
    )


def count_evaluation_fits(
    data: Dataset,
    by: By,
    parameters: Parameters | None,
    background: Background | None,
    judged: NDArray[np.bool_] | None = None,
) -> int:
    """Return how many fits ``cross_validated_predictions`` takes, for a progress bar."""
    splits = _judging_splits(data, by, background, judged)
    settings = settings_for(parameters, background, data.scheme)
    return count_nested_fits(data, splits, settings, background=background)


def _judging_splits(
    data: Dataset, by: By, background: Background | None, judged: NDArray[np.bool_] | None
) -> list[Split]:
    wanted = _is_wanted(data, by, judged)
    return [split for split in _splits(data, by, background) if wanted[split[1]].any()]


def _is_wanted(data: Dataset, by: By, judged: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    return _is_judged(data, by) & (True if judged is None else judged)


def _is_judged(data: Dataset, by: By) -> NDArray[np.bool_]:
    return data.articles if by == "article" else np.ones(len(data), dtype=np.bool_)


def _protocol(data: Dataset, by: By, background: Background | None) -> str:
    in_folds = background is not None or data.has_many_documents
    protocol = PROTOCOLS["documents" if by == "article" and in_folds else by]
    if data.scheme.is_multiclass:  # it has no thresholds
        protocol = protocol.replace("calibration and thresholds", "calibration")
    return protocol if background is None else protocol + _ADAPTED


def uncalibrated_probabilities(
    data: Dataset, by: By, parameters: Parameters, background: Background | None = None
) -> NDArray[np.float64]:
    """Return what the same folds predict before calibration, for reliability curves."""
    splits = _splits(data, by, background)
    (log_odds,) = cross_validate(data, [parameters], splits, background=background)
    judged = log_odds[~np.isnan(log_odds).any(axis=1) & _is_judged(data, by)]
    return probabilities_of(judged, data.scheme.kind)[:, :-1]


def model_predictions(scorer: Scorer, data: Dataset, protocol: str) -> Predictions:
    """Tag labelled sentences with a finished model as ``classify`` does."""
    probabilities, given, _ = tag_sentences(scorer, data.texts)
    return Predictions(
        *(protocol, data.topics, data.Y, probabilities, given.astype(np.int8), data.groups),
        kind=data.scheme.kind,
        sources=data.sources,
        lengths=data.lengths,
        drawn=data.drawn,
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
        scored = score_candidate(parameters, data.Y, log_odds, data.scheme)
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
        splits = splits_of(data, background)
    else:
        splits = data.article_splits() if by == "article" else data.grouped_splits()
    for train, _ in splits:
        splits_of(data.subset(train), background)  # or an error: nothing is left to tune on
    return splits
