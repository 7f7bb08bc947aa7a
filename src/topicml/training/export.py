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
    coefficients, intercepts = pipeline.named_steps["classifier"].linear_model()
    vectorizers = [step for _, step in pipeline.named_steps["features"].transformer_list]
    blocks = tuple(_feature_blocks(vectorizers, coefficients.T))
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
