"""From label files to a new version of a model, and to parameters for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from topicml.errors import TopicmlError
from topicml.labels.conflicts import refuse_contradictions
from topicml.labels.refused import refused_notes
from topicml.labels.store import read_label_files
from topicml.models.background import Choice, background_files
from topicml.models.build import Origin, build_model
from topicml.models.folder import prepare_folder
from topicml.models.manifest import read_manifest
from topicml.models.network import FittedNetwork
from topicml.models.parameters import Start, choose_start, is_of_another_scheme
from topicml.models.promotion import promote_version
from topicml.models.steps import OnStep, counting
from topicml.models.store import ModelStore
from topicml.models.test_set import Judged, choose_judged, write_test_set
from topicml.taxonomy import load_taxonomy
from topicml.training.dataset import Dataset, dataset_of_files
from topicml.training.evaluation import (
    By,
    check_trainable,
    count_evaluation_fits,
    cross_validated_predictions,
)
from topicml.training.features import Parameters
from topicml.training.fit import FittedModel, count_training_fits, fit_model
from topicml.training.metrics import Evaluation
from topicml.training.shown import Rows, Shown, evaluation_tables


@dataclass(frozen=True, slots=True, repr=False)
class TrainedVersion(Shown):
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

    @property
    def headline(self) -> str:
        """Where the version is, and what its figures are of."""
        return f"{self.path}. {self.protocol}"

    def tables(self) -> dict[str, Rows]:
        """Return ``figures`` and ``topics``."""
        return evaluation_tables(self.evaluation)


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version that is yet to be made, of whatever kind.

    Attributes:
        store: Where it goes.
        name: Model name.
        version: That the name does not have yet.
        data: What it learns.
        origin: Files behind the data.
        judged: What it is judged by.
    """

    store: ModelStore
    name: str
    version: str
    data: Dataset
    origin: Origin
    judged: Judged

    def check(self) -> None:
        """Make sure that it can be written, before the long work.

        Raises:
            ModelError: The version exists.
        """
        prepare_folder(self.store.path(self.name, self.version))

    def starting_with(self, start: Start) -> NewVersion:
        """Return the version with a note of what its training starts with."""
        folder = start.background_folder
        background = {} if folder is None else background_files(folder)
        origin = replace(self.origin, parameters_from=start.fields(), background=background)
        return replace(self, origin=origin)

    def write(
        self,
        fitted: FittedModel | FittedNetwork,
        metrics: tuple[str, Evaluation],
        rows: NDArray[np.intp],
    ) -> TrainedVersion:
        """Write the version; the one in use stays, and the first of a name becomes current.

        Args:
            fitted: The model.
            metrics: How it was evaluated, in a sentence, and the figures.
            rows: Places in ``judged.data`` of the sentences that it was evaluated on.
        """
        store, name, version = self.store, self.name, self.version
        in_use = store.in_use(name)
        origin = replace(self.origin, test=self.judged.fields(rows))
        path = build_model(store, name, version, fitted, self.data, origin, metrics)
        if self.judged.is_new:
            write_test_set(store, name, self.judged.judged(rows))
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
    test: Sequence[Path] = (),
) -> NewVersion:
    """Read what a version is trained on.

    Args:
        store: Where the version goes.
        name: Model name.
        labels: Label files.
        taxonomy: Taxonomy file.
        version: To make; the next minor one for None.
        on_note: Told what of the labels is not there.
        test: Label files to judge by; none for what the name remembers.

    Raises:
        TopicmlError: A file cannot be read, two labels contradict each other, the name or
            version is not usable, or the model of that name has other topics.
    """
    scheme = load_taxonomy(taxonomy)
    if is_of_another_scheme(store, name, scheme):
        raise TopicmlError(
            f"the versions of {name} have other topics than the taxonomy, "
            "or are of another kind or language",
            where=store.root / name,
            hint="Give the new model a name of its own with --name.",
        )
    files = read_label_files(labels, scheme)
    refuse_contradictions(files)
    data = dataset_of_files(files, scheme, on_note)
    version = version or store.next_version(name)
    store.path(name, version)  # or an error
    references = {file.path.name: file.references for file in files if file.references.labels}
    for note in refused_notes([r for file in files for r in file.records], scheme.scheme):
        on_note(f"note: {note}")
    judged = choose_judged(store, name, files, data, scheme, test, on_note)
    origin = Origin(tuple(labels), taxonomy, scheme, references, parent=_parent(store, name))
    return NewVersion(store, name, version, data, origin, judged)


def _parent(store: ModelStore, name: str) -> dict[str, str] | None:
    """Return the version in use, which a new one is to improve on."""
    version = store.in_use(name)
    if version not in store.versions(name):
        return None
    manifest = read_manifest(store.path(name, version))
    return {"version": version, "sha256": manifest["manifest_sha256"]}


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
    test: Sequence[Path] = (),
    jobs: int = 1,
    search: bool = False,
    on_note: Callable[[str], None] = lambda _: None,
    on_step: OnStep = lambda _: None,
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
            there are none, the defaults.
        background: Folder of the background model to start from; ``own`` for the model's, where
            it has one; None to start from nothing.
        by: What a fold of the evaluation leaves out.
        test: Label files to judge by, this version and later ones of the name; none for what it
            remembers: the sentences that its first version was judged by.
        jobs: Processes.
        search: Choose the parameters by a search, on all labels and inside each fold.
        on_note: Told what is done, and what of the labels is not there.
        on_step: Told how far it is.

    Raises:
        TopicmlError: The labels cannot be read or trained on, the name or version is not
            usable, or the model of that name has other topics. Nothing is written then.
    """
    new = read_new_version(store, name, labels, taxonomy, version, on_note, test)
    data, judged = new.data, new.judged
    start = choose_start(store, name, new.origin.taxonomy, parameters, background)
    if search:
        start = replace(start, parameters=None, source="searched")
    recipe = start.parameters, start.background
    check_trainable(data, by, start.background)  # all that can fail, before the long work
    new.check()
    on_note(
        f"Fitting on {len(data):,} sentences, and evaluating by cross-validation; parameters: "
        f"{start.source}{', starting from a background model' * bool(start.background)}."
    )
    total = count_training_fits(data, *recipe)
    total += count_evaluation_fits(judged.data, by, *recipe, judged=judged.rows)
    advance = counting("Training", total, on_step)
    fitted = fit_model(data, *recipe, jobs, advance)
    predictions = cross_validated_predictions(
        *(judged.data, by, *recipe, jobs),
        parameters_from=start.said(labels),
        learned=judged.learned,
        judged=judged.rows,
        on_fit=advance,
    )
    metrics = predictions.protocol + judged.note(name), predictions.evaluate()
    return new.starting_with(start).write(fitted, metrics, predictions.rows)
