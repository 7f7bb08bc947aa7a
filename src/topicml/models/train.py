"""From label files to a new version of a model, and to parameters for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from topicml.errors import TopicmlError
from topicml.labels.store import read_label_files
from topicml.models.background import Choice
from topicml.models.build import Origin, build_model
from topicml.models.folder import prepare_folder
from topicml.models.network import FittedNetwork
from topicml.models.parameters import choose_start, has_other_topics
from topicml.models.promotion import promote_version
from topicml.models.store import ModelStore
from topicml.taxonomy import Taxonomy, load_taxonomy
from topicml.training.dataset import dataset_of_files
from topicml.training.evaluation import By, check_trainable, cross_validated_evaluation
from topicml.training.features import Parameters
from topicml.training.fit import FittedModel, fit_model
from topicml.training.metrics import Evaluation


@dataclass(frozen=True, slots=True)
class TrainedVersion:
    """A model version that was trained.

    Attributes:
        path: Its folder.
        fitted: The model.
        protocol: How it was evaluated, as a sentence.
        evaluation: The figures.
        current: The version in use now.
    """

    path: Path
    fitted: FittedModel | FittedNetwork
    protocol: str
    evaluation: Evaluation
    current: str | None


def train_model(
    store: ModelStore,
    name: str,
    labels: Sequence[Path],
    taxonomy: Path,
    *,
    version: str | None = None,
    parameters: Parameters | None = None,
    background: Choice = "own",
    by: By = "article",
    jobs: int = 1,
    promote: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> TrainedVersion:
    """Fit a model on all labels, evaluate the recipe by cross-validation, write a version.

    Args:
        store: Where the version goes.
        name: Model name.
        labels: Label files.
        taxonomy: Taxonomy file.
        version: To make; the next minor one for None.
        parameters: Used as they are; for None those that were tuned for the model, or, where
            there are none, searched.
        background: Folder of the background model to start from; ``own`` for the model's, where
            it has one; None to start from nothing.
        by: What a fold of the evaluation leaves out.
        jobs: Processes.
        promote: Make it the current version; the first of a name always is.
        on_step: Told what is done next.

    Raises:
        TopicmlError: The labels cannot be read or trained on, the name or version is not
            usable, or the model of that name has other topics. Nothing is written then.
    """
    scheme = load_taxonomy(taxonomy)
    files = read_label_files(labels, scheme)
    data = dataset_of_files(files, scheme, on_step)
    version = version or store.next_version(name)
    path = store.path(name, version)
    parameters, start = choose_start(store, name, scheme, parameters, background)
    check_trainable(data, by, start)  # all that can fail, before the long work
    check_topics(store, name, scheme)
    prepare_folder(path)
    on_step(
        f"Fitting on {len(data)} sentences"
        + (", starting from a background model." if start else ".")
    )
    fitted = fit_model(data, parameters, start, jobs)
    on_step("Evaluating by cross-validation.")
    metrics = cross_validated_evaluation(data, by, parameters, start, jobs)
    references = {file.path.name: file.references for file in files if file.references.labels}
    origin = Origin(tuple(labels), taxonomy, scheme, references)
    build_model(store, name, version, fitted, data, origin, metrics)
    if promote or store.current(name) is None:
        promote_version(store, name, version)
    return TrainedVersion(path, fitted, *metrics, store.current(name))


def check_topics(store: ModelStore, name: str, scheme: Taxonomy) -> None:
    """Raise a ``TopicmlError`` where the model of a name has other topics than a taxonomy."""
    if has_other_topics(store, name, scheme):
        raise TopicmlError(
            f"the versions of {name} have other topics than the taxonomy",
            where=store.root / name,
            hint="Give the new model a name of its own with --name.",
        )
