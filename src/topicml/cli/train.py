"""``topicml train``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from topicml.cli import options
from topicml.models.store import ModelStore

if TYPE_CHECKING:
    from topicml.models.train import TrainedVersion


def train(
    labels: options.Labels = None,
    taxonomy: options.Taxonomy = options.TAXONOMY,
    name: options.ModelName = None,
    version: Annotated[
        str | None, typer.Option(help="Version to make.", show_default="the next minor one")
    ] = None,
    parameters: options.Parameters = None,
    search: Annotated[
        bool,
        typer.Option(
            "--search", help="Search parameters, in each fold, too; 25 times as long (see tune)."
        ),
    ] = False,
    background: options.Background = None,
    no_background: options.NoBackground = False,
    by: options.By = "article",
    test: Annotated[
        list[Path] | None,
        typer.Option(
            "--test",
            help="Label file to judge by, this version and later ones of the name; repeat for "
            "more.",
            show_default="what the first version was judged by",
        ),
    ] = None,
    jobs: options.Jobs = 1,
    kind: Annotated[
        Literal["linear", "network"],
        typer.Option(help="A linear model, or a fine-tuned network (see docs/network.md)."),
    ] = "linear",
    base: options.BaseFolder = None,
    work: Annotated[
        Path, typer.Option(help="Of a network: folder for what is done so far.")
    ] = Path("train-work"),
    folds: Annotated[int, typer.Option(min=2, help="Of a network: parts of the documents.")] = 3,
    judged: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Of a network: parts left out in turn, each in a training.",
            show_default="all",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(min=1, help="Of a network: trainings on all labels; the best stays.")
    ] = 1,
    epochs: Annotated[
        int, typer.Option(min=1, help="Of a network: passes over the labels, at most.")
    ] = 3,
    models_dir: options.ModelsDir = None,
    mlflow: Annotated[
        str | None,
        typer.Option(
            metavar="URI",
            help="Also log the version to MLflow: an address, a folder, or env for what "
            "MLFLOW_TRACKING_URI says. Needs the extra mlflow.",
            show_default=False,
        ),
    ] = None,
    quiet: options.Quiet = False,
) -> None:
    """Train a model version from label files, and account for how good it is.

    The first version of a name becomes the current one; later ones are compared with
    it (topicml compare) and then promoted (topicml models promote).
    A network takes half an hour for each training on two cores, and needs the extra neural.
    A run that was cut off goes on where it was.

    Example: topicml train --labels data/labels/articles.jsonl --models-dir /tmp/models
    """
    from topicml.cli.render_evaluation import render_candidates, render_evaluation
    from topicml.cli.steps import telling_steps
    from topicml.models.parameters import read_parameters
    from topicml.models.tracking import open_tracking
    from topicml.models.train import train_model
    from topicml.training.fit import FittedModel

    if search and parameters:
        raise typer.BadParameter("give --parameters or --search, not both")
    store, paths = options.writable_store(models_dir), options.label_paths(labels)
    name = options.model_name(name, taxonomy)
    tracking = open_tracking(mlflow, name) if mlflow else None  # or an error, before the long work
    if kind == "network":
        trained = _train_network(
            *(store, name, paths, taxonomy, base, work),
            *(folds, folds if judged is None else judged, seeds, epochs),
            *(version, test or (), quiet),
        )
    else:
        with telling_steps(quiet) as tell:
            trained = train_model(
                *(store, name, paths, taxonomy),
                version=version,
                parameters=read_parameters(parameters) if parameters else None,
                background=options.background_choice(background, no_background),
                by=by,
                test=test or (),
                jobs=jobs,
                search=search,
                on_note=options.tell,
                on_step=tell,
            )
    if isinstance(trained.fitted, FittedModel):
        fitted = trained.fitted
        render_candidates(fitted.candidates, fitted.parameters, kind=fitted.decision.kind)
    render_evaluation(trained.evaluation, trained.protocol)
    options.say(f"Made {trained.path}; current is {trained.current}.")
    if trained.current not in {None, trained.path.name}:
        made = f"{name}@{trained.path.name}"
        options.say(f"Before it may replace that: topicml compare {name} {made} --data FILE")
    if tracking:
        options.say(f"Logged to MLflow as run {tracking.log_version(trained.path)}.")


def _train_network(
    store: ModelStore,
    name: str,
    labels: list[Path],
    taxonomy: Path,
    base: Path | None,
    work: Path,
    folds: int,
    judged: int,
    seeds: int,
    epochs: int,
    version: str | None,
    test: Sequence[Path],
    quiet: bool,
) -> TrainedVersion:
    from topicml.cli.steps import telling_steps
    from topicml.network.backend import load_packages

    if judged > folds:
        raise typer.BadParameter(f"--judged {judged} is more than the {folds} parts of --folds")
    load_packages("topicml train --kind network")
    from topicml.models.train_network import NetworkSettings, train_network
    from topicml.network.base import MPNET, base_folder

    folder = base_folder(MPNET, base)
    with telling_steps(quiet) as tell:
        return train_network(
            *(store, name, labels, taxonomy, MPNET, folder, work),
            NetworkSettings(folds, judged, seeds, epochs),
            version=version,
            test=test,
            on_note=options.tell,
            on_step=tell,
        )
