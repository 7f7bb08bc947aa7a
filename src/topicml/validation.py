"""Two ways to evaluate: the training recipe by cross-validation, a finished model on a file."""

from __future__ import annotations

from typing import Literal

import numpy as np

from topicml.classify import tag_sentences
from topicml.dataset import Dataset
from topicml.errors import TrainingError
from topicml.evaluation import Evaluation, evaluate_predictions
from topicml.features import Parameters
from topicml.scorer import Scorer
from topicml.training import nested_predictions

By = Literal["article", "group"]

PROTOCOLS: dict[By, str] = {
    "article": "Leave-one-article-out over the real articles: parameters, calibration and "
    "thresholds chosen inside each fold.",
    "group": "Grouped 5-fold over articles and authoring rounds: parameters, calibration and "
    "thresholds chosen inside each fold.",
}
_FIXED = " Parameters were fixed beforehand."


def cross_validated_evaluation(
    data: Dataset, by: By = "article", parameters: Parameters | None = None
) -> tuple[str, Evaluation]:
    """Evaluate the whole recipe on sentences it has not seen.

    Args:
        data: Labelled sentences.
        by: What is left out: one real article at a time, or a fifth of all groups.
        parameters: Fixed, or None to choose them inside each fold.

    Returns:
        The protocol in words, and the figures.

    Raises:
        TrainingError: Fewer than three groups, so that a fold could not choose thresholds.
    """
    groups = len(set(data.groups.tolist()))
    if groups < 3:
        raise TrainingError(
            f"{groups} articles are too few to evaluate on",
            hint="Label three or more, so that one can be left out and two are left to tune on.",
        )
    splits = list(data.article_splits()) if by == "article" else data.grouped_splits()
    if not splits:
        raise TrainingError(
            "no sentence comes from a real article", hint="Evaluate with --by group."
        )
    probabilities, tags = nested_predictions(data, splits, parameters)
    tested = ~(probabilities != probabilities).any(axis=1)
    evaluation = evaluate_predictions(
        data.topics,
        data.Y[tested],
        probabilities[tested],
        tags[tested],
        data.groups[tested],
    )
    return PROTOCOLS[by] + (_FIXED if parameters is not None else ""), evaluation


def evaluate_model(scorer: Scorer, data: Dataset) -> Evaluation:
    """Evaluate a finished model on labelled sentences, tagging them as ``classify`` does."""
    probabilities, given, _ = tag_sentences(scorer, data.texts)
    return evaluate_predictions(
        data.topics, data.Y, probabilities, given.astype(np.int8), data.groups
    )
