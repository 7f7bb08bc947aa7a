"""From label files to a new version of a model, and to parameters for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from topicml.errors import TopicmlError
from topicml.labels.refused import refused_notes
from topicml.labels.store import read_label_files
from topicml.models.background import Choice
from topicml.models.build import Origin, build_model
from topicml.models.folder import prepare_folder
from topicml.models.network import FittedNetwork
from topicml.models.parameters import choose_start, is_of_another_scheme
from topicml.models.promotion import promote_version
from topicml.models.store import ModelStore
from topicml.taxonomy import load_taxonomy
from topicml.training.dataset import Dataset, dataset_of_files
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


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version that is yet to be made, of whatever kind.

    Attributes:
        store: Where it goes.
        name: Model name.
        version: That the name does not have yet.
        data: What it learns.
        origin: Files behind the data.
    """

    store: ModelStore
    name: str
    version: str
    data: Dataset
    origin: Origin

    def check(self) -> None:
        """Make sure that it can be written, before the long work.

        Raises:
            TopicmlError: The version exists, or the model of that name has other topics.
        """
        if is_of_another_scheme(self.store, self.name, self.origin.taxonomy):
            raise TopicmlError(
                f"the versions of {self.name} have other topics than the taxonomy, "
                "or are of another kind or language",
                where=self.store.root / self.name,
                hint="Give the new model a name of its own with --name.",
            )
        prepare_folder(self.store.path(self.name, self.version))

    def write(
        self, fitted: FittedModel | FittedNetwork, metrics: tuple[str, Evaluation]
    ) -> TrainedVersion:
        """Write the version; the one in use stays, and the first of a name becomes current."""
        store, name, version = self.store, self.name, self.version
        in_use = store.current(name) or next(reversed(store.versions(name)), None)
        path = build_model(store, name, version, fitted, self.data, self.origin, metrics)
        if in_use is None:
            promote_version(store, name, version)
        elif store.current(name) is None:  # without a pointer the newest is in use
            store.set_current(name, in_use)
        return TrainedVersion(path, fitted, *metrics, store.current(name))


def read_new_version(
    store: ModelStore,
    name: str,
    labels: Sequence[Path],
    taxonomy: Path,
    version: str | None,
    on_note: Callable[[str], None],
) -> NewVersion:
    """Read what a version is trained on.

    Args:
        store: Where the version goes.
        name: Model name.
        labels: Label files.
        taxonomy: Taxonomy file.
        version: To make; the next minor one for None.
        on_note: Told what of the labels is not there.

    Raises:
        TopicmlError: A file cannot be read, or the name or version is not usable.
    """
    scheme = load_taxonomy(taxonomy)
    files = read_label_files(labels, scheme)
    data = dataset_of_files(files, scheme, on_note)
    version = version or store.next_version(name)
    store.path(name, version)  # or an error
    references = {file.path.name: file.references for file in files if file.references.labels}
    origin = Origin(tuple(labels), taxonomy, scheme, references)
    for note in refused_notes([r for file in files for r in file.records], scheme.scheme):
        on_note(f"note: {note}")
    return NewVersion(store, name, version, data, origin)


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
    on_step: Callable[[str], None] = lambda _: None,
) -> TrainedVersion:
    """Fit a model on all labels, evaluate the recipe by cross-validation, write a version.

    The first of a name becomes the current one; see ``promote_version`` for later ones.

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
        on_step: Told what is done next.

    Raises:
        TopicmlError: The labels cannot be read or trained on, the name or version is not
            usable, or the model of that name has other topics. Nothing is written then.
    """
    new = read_new_version(store, name, labels, taxonomy, version, on_step)
    data = new.data
    scheme = new.origin.taxonomy
    parameters, start = choose_start(store, name, scheme, parameters, background)
    check_trainable(data, by, start)  # all that can fail, before the long work
    new.check()
    on_step(
        f"Fitting on {len(data)} sentences"
        + (", starting from a background model." if start else ".")
    )
    fitted = fit_model(data, parameters, start, jobs)
    on_step("Evaluating by cross-validation.")
    metrics = cross_validated_evaluation(data, by, parameters, start, jobs)
    return new.write(fitted, metrics)
