"""From labels to a fitted pipeline, with its calibration folded in and its thresholds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from topicml.errors import TrainingError
from topicml.training.background import Background
from topicml.training.calibration import Decision
from topicml.training.cross_validation import fit_vectorizer, required, splits_of
from topicml.training.dataset import Dataset
from topicml.training.features import AdaptedClassifier, Parameters
from topicml.training.multinomial import classifier_for
from topicml.training.search import Candidate, decide_by, search, settings_for


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A fitted pipeline with its decision, and the candidates it was chosen from."""

    pipeline: Pipeline
    decision: Decision
    parameters: Parameters
    candidates: tuple[Candidate, ...] = ()


@threadpool_limits.wrap(limits=1)  # type: ignore[untyped-decorator]
def fit_model(
    data: Dataset,
    parameters: Parameters | None = None,
    background: Background | None = None,
    jobs: int = 1,
    on_fit: Callable[[], None] = lambda: None,
) -> FittedModel:
    """Choose what is not given, then fit on all labels.

    Args:
        data: Labelled sentences of at least two groups.
        parameters: Used as they are; searched over ``grid_for`` where None.
        background: To start from, for parameters that say so.
        jobs: Processes; the model depends neither on it nor on threads.
        on_fit: Called after each fit; see ``count_training_fits``.

    Returns:
        The pipeline, with calibration folded into its coefficients, so that its
        ``predict_proba`` gives the calibrated probabilities.

    Raises:
        TrainingError: A topic has no sentence, or all sentences are of one group.
    """
    check_support(data)
    settings = settings_for(parameters, background, data.scheme)
    splits = splits_of(data, background)
    found = search(data, settings, splits, background=background, jobs=jobs, on_fit=on_fit)
    decision = decide_by(data, found, splits, background)
    pipeline = fit_pipeline(data, found.chosen, background)
    on_fit()
    pipeline[-1].fold_in(decision.weights, decision.offset)
    candidates = found.candidates if parameters is None else ()
    return FittedModel(pipeline, decision, found.chosen, candidates)


def count_training_fits(
    data: Dataset, parameters: Parameters | None, background: Background | None
) -> int:
    """Return how many fits ``fit_model`` takes, for a progress bar."""
    settings = settings_for(parameters, background, data.scheme)
    return len(settings) * len(splits_of(data, background)) + 1


def check_support(data: Dataset) -> None:
    """Raise a ``TrainingError`` where a topic is on no sentence, or on every one."""
    for topic, support in zip(data.topics, data.Y.sum(axis=0), strict=True):
        if not 0 < support < len(data):
            raise TrainingError(
                f"topic {topic!r} is on {support} of {len(data)} sentences",
                hint="Label sentences with and without it, or take it out of the taxonomy.",
            )


def check_teachable(data: Dataset) -> None:
    """Raise a ``TrainingError`` for labels that a network cannot be taught."""
    if data.scheme.is_multiclass:
        raise TrainingError(
            "networks learn multilabel schemes, and this one is multiclass",
            hint="Train a linear model: topicml train.",
        )
    check_support(data)


def fit_pipeline(data: Dataset, parameters: Parameters, background: Background | None) -> Pipeline:
    """Fit on all labels."""
    pipeline = _fitted(data, parameters, background)
    for _, step in pipeline.named_steps["features"].transformer_list:
        vars(step).pop("_stop_words_id", None)  # a place in memory: no two pickles were alike
    return pipeline


def _fitted(data: Dataset, parameters: Parameters, background: Background | None) -> Pipeline:
    if not parameters.background:
        vectorizer, X = fit_vectorizer(parameters, data.texts)
        classifier = classifier_for(parameters, data.scheme).fit(X, data.Y)
        return Pipeline([("features", vectorizer), ("classifier", classifier)])
    known = required(background)
    vectorizer = known.vectorizer(data.texts, parameters.min_df)
    prior = known.extended_coefficients(vectorizer), known.intercepts
    adapted = AdaptedClassifier(parameters.C)
    weights = known.weights_of(data.texts, data.Y)
    adapted.fit(vectorizer.transform(data.texts).tocsr(), data.Y, prior, weights=weights)
    return Pipeline([("features", vectorizer), ("classifier", adapted)])
