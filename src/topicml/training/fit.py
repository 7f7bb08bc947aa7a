"""From labels to a fitted pipeline, with its calibration folded in and its thresholds."""

from __future__ import annotations

from dataclasses import dataclass

from sklearn.pipeline import Pipeline

from topicml.errors import TrainingError
from topicml.training.calibration import Decision, choose_decision
from topicml.training.dataset import Dataset
from topicml.training.features import Parameters, make_pipeline
from topicml.training.search import DEFAULT_GRID, Candidate, search


@dataclass(frozen=True, slots=True)
class FittedModel:
    """A fitted pipeline with its decision, and the candidates it was chosen from."""

    pipeline: Pipeline
    decision: Decision
    parameters: Parameters
    candidates: tuple[Candidate, ...] = ()


def fit_model(data: Dataset, parameters: Parameters | None = None, jobs: int = 1) -> FittedModel:
    """Choose what is not given, then fit on all labels.

    Args:
        data: Labelled sentences of at least two groups.
        parameters: Used as they are; searched over ``DEFAULT_GRID`` where None.
        jobs: Processes; the model does not depend on it.

    Returns:
        The pipeline, with calibration folded into its coefficients, so that its
        ``predict_proba`` gives the calibrated probabilities.

    Raises:
        TrainingError: A topic has no sentence, or all sentences are of one group.
    """
    check_support(data)
    settings = DEFAULT_GRID if parameters is None else (parameters,)
    found = search(data, settings, data.grouped_splits(), jobs=jobs)
    decision = choose_decision(data.Y, found.log_odds)
    pipeline = _fit_pipeline(data, found.chosen, decision)
    candidates = found.candidates if parameters is None else ()
    return FittedModel(pipeline, decision, found.chosen, candidates)


def check_support(data: Dataset) -> None:
    """Raise a ``TrainingError`` where a topic is on no sentence, or on every one."""
    for topic, support in zip(data.topics, data.Y.sum(axis=0), strict=True):
        if not 0 < support < len(data):
            raise TrainingError(
                f"topic {topic!r} is on {support} of {len(data)} sentences",
                hint="Label sentences with and without it, or take it out of the taxonomy.",
            )


def _fit_pipeline(data: Dataset, parameters: Parameters, decision: Decision) -> Pipeline:
    """Fit on all labels, with the calibration folded into the coefficients."""
    pipeline = make_pipeline(parameters).fit(data.texts, data.Y)
    classifier = pipeline.named_steps["classifier"]
    coefficients, intercepts = classifier.linear_model()
    for t, estimator in enumerate((*classifier.estimators_, classifier.relevance_)):
        if estimator is not None:  # relevance may be constant
            estimator.coef_ = decision.weights[[t]] @ coefficients
            estimator.intercept_ = decision.weights[[t]] @ intercepts + decision.offset[t]
    return pipeline
