"""The model of a folder as a scikit-learn estimator: the one file that is unpickled."""

from __future__ import annotations

import joblib

from topicml.errors import ModelError
from topicml.models.folder import FILES, PIPELINE, Model, check_file
from topicml.tagging.thresholds import choose_thresholds
from topicml.training.estimator import TopicTagger
from topicml.training.features import Parameters


def load_estimator(model: Model) -> TopicTagger:
    """Unpickle ``pipeline.joblib``, after a look at its hash; it says what ``classify`` says.

    Unpickling runs code, and the hash proves only that the file is the one that the manifest
    names: load models of a source that you trust.

    Versions made before ``TopicTagger`` have a plain pipeline in it, without thresholds and
    reasons; these are then those of their scorer.

    Args:
        model: From ``load_model``.

    Raises:
        ModelError: It is a network, which has no such file, or the file is missing or damaged.
    """
    if PIPELINE not in FILES[model.manifest["kind"]]:
        raise ModelError(
            f"{model.reference} is a network, which is no scikit-learn estimator",
            where=model.path,
            hint="Load a linear model, such as the default one.",
        )
    check_file(model.path, PIPELINE, model.manifest)
    loaded = joblib.load(model.path / PIPELINE)
    if isinstance(loaded, TopicTagger):
        return loaded
    parameters = Parameters.from_dict(model.manifest["parameters"])
    thresholds = choose_thresholds(model.scorer)
    return TopicTagger.of_pipeline(loaded, parameters, model.scorer.topics, thresholds)
