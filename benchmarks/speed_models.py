"""The models that the speed benchmark measures, and the check that all backends decide alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from topicml.models import default_store, open_model
from topicml.models.estimator import load_estimator
from topicml.models.folder import SCORER
from topicml.scoring.scorer import Scorer
from topicml.scoring.scorer_file import load_scorer
from topicml.training.calibration import Decision
from topicml.training.dataset import Dataset
from topicml.training.export import export_scorer
from topicml.training.features import Parameters, make_pipeline

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Model:
    """One fitted model in all the forms it is measured in.

    Attributes:
        path: The scorer file.
        pipeline: The scikit-learn pipeline that the scorer was exported from.
        fasttext: What fastText is told, for features of the same kind.
    """

    path: Path
    pipeline: Pipeline
    fasttext: dict[str, int]


def fit_words(data: Dataset, parameters: Parameters, folder: Path) -> Model:
    """Fit a model of words only, and set thresholds by hand."""
    pipeline = make_pipeline(replace(parameters, char_ngrams=None)).fit(data.texts, data.Y)
    topics = len(data.topics)
    decision = Decision(
        weights=np.eye(topics + 1),
        offset=np.zeros(topics + 1),
        thresholds=np.full(topics, 0.5),
        relevance_threshold=0.4,
        precision_thresholds=np.full((topics, 1), np.nan),
        precisions=(0.9,),
    )
    export_scorer(pipeline, data.topics, decision, folder / SCORER)
    return Model(folder / SCORER, pipeline, {"wordNgrams": 2})


def load_models(data: Dataset, folder: Path) -> dict[str, Model]:
    """Return the default model and one of words only."""
    default = open_model(default_store().find())
    parameters = Parameters.from_dict(default.manifest["parameters"])
    pipeline = load_estimator(default).pipeline_
    settings = {"wordNgrams": 2, "minn": 3, "maxn": 5}
    return {
        "words-characters": Model(default.path / SCORER, pipeline, settings),
        "words": fit_words(data, parameters, folder),
    }


def compiled_scorer(path: Path) -> Scorer:
    """Return a new scorer with the compiled kernel loaded, and no token remembered."""
    scorer = load_scorer(path)
    scorer.use("compiled")
    scorer.score_texts(["."])
    return scorer


def reference_scorer(path: Path) -> Scorer:
    """Return a new scorer that stays with the reference scorer."""
    scorer = load_scorer(path)
    scorer.use("reference")
    return scorer


def check_decisions(model: Model, texts: dict[str, list[str]]) -> dict[str, int]:
    """Compare the decisions of both backends with those of scikit-learn's pipeline.

    Raises:
        SystemExit: Some differ: then speeds are of different things.
    """
    asked = {
        "scikit-learn": compiled_scorer(model.path),
        "reference": reference_scorer(model.path),
    }
    differing = decided = 0
    for name, scorer in asked.items():
        X = model.pipeline[:-1].transform(texts[name])
        classifier = model.pipeline[-1]
        expected = decide(scorer, classifier.predict_proba(X), classifier.predict_relevance(X))
        scores = scorer.score_texts(texts[name])
        found = decide(scorer, scores.probabilities, scores.relevance)
        differing += int((found != expected).sum())
        decided += found.size
    if differing:
        raise SystemExit(f"{differing} of {decided} decisions are not those of scikit-learn")
    return {"decisions": decided, "differing_decisions": differing}


def decide(scorer: Scorer, probabilities: Floats, relevance: Floats) -> NDArray[np.bool_]:
    """Return which topics are given to n texts, n by T."""
    relevant = relevance >= scorer.relevance_threshold
    return (probabilities >= scorer.thresholds) & relevant[:, None]
