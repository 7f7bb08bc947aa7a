"""``topicml train``."""

from __future__ import annotations

from typing import Annotated

import typer

from topicml.cli import options
from topicml.models.store import DEFAULT_MODEL


def train(
    labels: options.Labels = None,
    taxonomy: options.Taxonomy = options.TAXONOMY,
    name: Annotated[str, typer.Option(help="Name of the model.")] = DEFAULT_MODEL,
    version: Annotated[
        str | None, typer.Option(help="Version to make.", show_default="the next minor one")
    ] = None,
    parameters: options.Parameters = None,
    background: options.Background = None,
    no_background: options.NoBackground = False,
    by: options.By = "article",
    jobs: options.Jobs = 1,
    promote: Annotated[
        bool, typer.Option("--promote", help="Make the new version the current one.")
    ] = False,
    models_dir: options.ModelsDir = None,
) -> None:
    """Train a model version from label files, and account for how good it is.

    The first version of a name becomes the current one; later ones do with --promote.

    Example: topicml train --labels data/labels/articles.jsonl --models-dir /tmp/models
    """
    from topicml.cli.render_evaluation import render_candidates, render_evaluation
    from topicml.models.parameters import read_parameters
    from topicml.models.train import train_model

    trained = train_model(
        *(options.writable_store(models_dir), name, options.label_paths(labels), taxonomy),
        version=version,
        parameters=read_parameters(parameters) if parameters else None,
        background=options.background_choice(background, no_background),
        by=by,
        jobs=jobs,
        promote=promote,
        on_step=options.tell,
    )
    render_candidates(trained.fitted.candidates, trained.fitted.parameters)
    render_evaluation(trained.evaluation, trained.protocol)
    typer.echo(f"Made {trained.path}; current is {trained.current}.")
