"""``topicml evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from topicml.cli import options
from topicml.files import check_outputs, write_text


def evaluate(
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="Labelled file to evaluate a finished model on.",
            show_default="cross-validate the training recipe on the project's labels",
        ),
    ] = None,
    model: options.Model = None,
    models_dir: options.ModelsDir = None,
    labels: options.Labels = None,
    taxonomy: options.Taxonomy = options.TAXONOMY,
    background: options.Background = None,
    no_background: options.NoBackground = False,
    by: options.By = "article",
    jobs: options.Jobs = 1,
    parameters: options.Parameters = None,
    output_format: Annotated[
        Literal["table", "json"], typer.Option("--format", "-f", help="Output format.")
    ] = "table",
    metrics_file: Annotated[
        Path | None,
        typer.Option(callback=options.named, help="Also write the figures here, as JSON."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            callback=options.named, help="Also write a report with plots here, as one HTML file."
        ),
    ] = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Say how good a model or the training recipe is, with intervals.

    Example: topicml evaluate --model alliance-topics@1.0.0 --data data/labels/authored.jsonl
    """
    from topicml.cli.render_evaluation import render_evaluation
    from topicml.cli.steps import telling_steps
    from topicml.models.evaluate import predict_labelled, predict_out_of_fold
    from topicml.models.parameters import read_parameters
    from topicml.models.proven import open_for_use
    from topicml.training.report import render_report

    store = options.model_store(models_dir)
    written = [path for path in (metrics_file, html) if path]
    read = [path for path in (data, taxonomy, parameters, *(labels or ())) if path]
    check_outputs(written, read, force=force)
    if data is not None:
        opened = open_for_use(store.find(model))
        at_hand = labels or options.project_labels()
        predictions = predict_labelled(
            opened, data, taxonomy, at_hand=at_hand, on_note=options.tell
        )
    elif model is not None:
        raise typer.BadParameter("--model goes with --data: without it the recipe is evaluated")
    else:
        with telling_steps(quiet) as tell:
            predictions = predict_out_of_fold(
                *(store, options.model_name(None, taxonomy), options.label_paths(labels), taxonomy),
                parameters=read_parameters(parameters) if parameters else None,
                background=options.background_choice(background, no_background),
                by=by,
                jobs=jobs,
                diagnostics=html is not None,
                on_note=options.tell,
                on_step=tell,
            )
    evaluation = predictions.evaluate()
    figures = json.dumps({"protocol": predictions.protocol, **evaluation.to_dict()}, indent=2)
    if metrics_file:
        write_text(metrics_file, figures + "\n")
    if html:
        write_text(html, render_report(predictions, evaluation))
    if output_format == "json":
        typer.echo(figures)
    else:
        render_evaluation(evaluation, predictions.protocol)
