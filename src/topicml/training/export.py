"""From a fitted pipeline to a scorer: what is read of scikit-learn's objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import FeatureUnion, Pipeline

from topicml.scheme import DEFAULT_SCHEME, Scheme
from topicml.scoring.backends import Backends
from topicml.scoring.features import FeatureBlock
from topicml.scoring.scorer import Scorer
from topicml.scoring.scorer_file import save_scorer
from topicml.training.calibration import Decision


def export_scorer(
    pipeline: Pipeline,
    topics: Sequence[str],
    decision: Decision,
    path: Path,
    scheme: Scheme = DEFAULT_SCHEME,
) -> None:
    """Write a fitted pipeline as ``scorer.npz``: the same bytes for the same pipeline.

    Args:
        pipeline: Fitted, with calibration folded in.
        topics: T topic ids, in column order.
        decision: Gives the thresholds.
        path: File to write.
        scheme: How the sentences are labelled that it was fitted to.
    """
    save_scorer(make_scorer(pipeline, topics, decision, scheme), path)


def make_scorer(
    pipeline: Pipeline,
    topics: Sequence[str],
    decision: Decision,
    scheme: Scheme = DEFAULT_SCHEME,
) -> Scorer:
    """Return a fitted pipeline as a scorer; see ``export_scorer``."""
    coefficients, intercepts = pipeline.named_steps["classifier"].linear_model()
    vectorizers = [step for _, step in pipeline.named_steps["features"].transformer_list]
    blocks = tuple(_feature_blocks(vectorizers, coefficients.T))
    return Scorer(
        topics=tuple(topics),
        thresholds=np.asarray(decision.thresholds, dtype=np.float64),
        relevance_threshold=decision.relevance_threshold,
        precisions=decision.precisions,
        precision_thresholds=decision.precision_thresholds,
        intercepts=intercepts,
        blocks=blocks,
        backends=Backends(blocks),
        fewest_known=decision.fewest_known,
        scheme=scheme,
    )


def scorer_of_words(vectorizer: FeatureUnion, topics: Sequence[str]) -> Scorer:
    """Return a scorer that knows a vectoriser's words and judges nothing by them."""
    steps = [step for name, step in vectorizer.transformer_list if name == "word"]
    width = len(topics) + 1
    blocks = tuple(_feature_blocks(steps, np.zeros((sum(len(s.idf_) for s in steps), width))))
    nothing = np.zeros((len(topics), 0))
    return Scorer(
        *(tuple(topics), np.ones(len(topics)), 0.0, (), nothing, np.zeros(width)),
        *(blocks, Backends(blocks)),
    )


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
