"""From a fitted pipeline to a scorer: what is read of scikit-learn's objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from topicml.scoring.backends import Backends
from topicml.scoring.features import FeatureBlock
from topicml.scoring.scorer import Scorer
from topicml.scoring.scorer_file import save_scorer
from topicml.training.calibration import Decision
from topicml.training.features import CERTAIN


def export_scorer(
    pipeline: Pipeline, topics: Sequence[str], decision: Decision, path: Path
) -> None:
    """Write a fitted pipeline as ``scorer.npz``: the same bytes for the same pipeline.

    Args:
        pipeline: Fitted, with calibration folded in.
        topics: T topic ids, in column order.
        decision: Gives the thresholds.
        path: File to write.
    """
    coefficients, intercepts = _linear_model(pipeline.named_steps["classifier"])
    vectorizers = [
        vectorizer for _, vectorizer in pipeline.named_steps["features"].transformer_list
    ]
    blocks = tuple(_feature_blocks(vectorizers, coefficients))
    scorer = Scorer(
        topics=tuple(topics),
        thresholds=np.asarray(decision.thresholds, dtype=np.float64),
        relevance_threshold=decision.relevance_threshold,
        precisions=decision.precisions,
        precision_thresholds=decision.precision_thresholds,
        intercepts=intercepts,
        blocks=blocks,
        backends=Backends(blocks),
    )
    save_scorer(scorer, path)


def _linear_model(classifier: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return m by T + 1 coefficients and T + 1 intercepts, relevance last."""
    relevance = classifier.relevance_
    estimators = [e for e in (*classifier.estimators_, relevance) if e is not None]
    coefficients = np.vstack([e.coef_[0] for e in estimators]).T
    intercepts = [e.intercept_[0] for e in estimators]
    if relevance is None:  # training saw no sentence without a topic: all are relevant
        coefficients = np.column_stack([coefficients, np.zeros(len(coefficients))])
        intercepts.append(CERTAIN)
    return coefficients, np.array(intercepts)


def _feature_blocks(
    vectorizers: Sequence[Any], coefficients: NDArray[np.float64]
) -> Iterator[FeatureBlock]:
    start = 0
    for vectorizer in vectorizers:
        stop = start + len(vectorizer.idf_)
        yield FeatureBlock(
            analyzer=vectorizer.analyzer,
            ngram_range=tuple(vectorizer.ngram_range),
            sublinear_tf=bool(vectorizer.sublinear_tf),
            vocabulary={str(t): n for n, t in enumerate(vectorizer.get_feature_names_out())},
            idf=vectorizer.idf_,
            coefficients=np.ascontiguousarray(coefficients[start:stop]),
        )
        start = stop
