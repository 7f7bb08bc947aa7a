"""``topicml tune``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from topicml.cli import options
from topicml.models.folder import make_parent


def tune(
    labels: options.Labels = None,
    taxonomy: options.Taxonomy = options.TAXONOMY,
    name: options.ModelName = None,
    trials: Annotated[int, typer.Option(min=0, help="Settings to draw at random.")] = 12,
    seed: Annotated[int, typer.Option(help="Of the drawing.")] = 0,
    background: options.Background = None,
    no_background: options.NoBackground = False,
    jobs: options.Jobs = 1,
    models_dir: options.ModelsDir = None,
) -> None:
    """Search for better parameters, and say honestly what the search is worth.

    With a background model to start from, its three settings are compared; no others are drawn.

    The winner is written to models/NAME/parameters.json, where train and evaluate read it.

    Example: topicml tune --trials 20 --jobs 2
    """
    from rich.progress import Progress

    from topicml.cli.render_evaluation import render_candidates, render_evaluation
    from topicml.io.writers.table import table_console
    from topicml.models.background import choose_background
    from topicml.models.parameters import PARAMETERS, write_tuned_parameters
    from topicml.taxonomy import load_taxonomy
    from topicml.training.dataset import load_dataset
    from topicml.training.search import ADAPTATION_GRID, count_fits, draw_settings
    from topicml.training.search import tune as tune_parameters

    scheme = load_taxonomy(taxonomy)
    name = name or scheme.name
    data = load_dataset(options.label_paths(labels), scheme, options.tell)
    store = options.writable_store(models_dir)
    choice = options.background_choice(background, no_background)
    start = choose_background(store, name, scheme, choice)
    make_parent(store.name_folder(name) / PARAMETERS)  # or an error, before the long work
    settings = (
        draw_settings(trials, seed, scheme.scheme) if start is None else list(ADAPTATION_GRID)
    )
    with Progress(console=table_console(sys.stderr), transient=True) as progress:
        task = progress.add_task("Fitting", total=count_fits(data, settings, start))
        tuned = tune_parameters(
            *(data, settings),
            background=start,
            jobs=jobs,
            on_fit=lambda: progress.advance(task),
        )
    path = write_tuned_parameters(store, name, tuned.chosen)
    render_candidates(tuned.candidates, tuned.chosen, tuned.sizes, scheme.scheme.kind)
    protocol = "The search itself, grouped 3-fold: each fold searches anew."
    render_evaluation(tuned.evaluation, protocol)
    options.say(f"Wrote {path}.")
