"""``topicml tune``."""

from __future__ import annotations

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
    quiet: options.Quiet = False,
) -> None:
    """Search for better parameters, and say honestly what the search is worth.

    With a background model to start from, its three settings are compared; no others are drawn.

    The winner is written to models/NAME/parameters.json, where train and evaluate read it.

    Example: topicml tune --trials 20 --jobs 2
    """
    from topicml.cli.render_evaluation import render_candidates, render_evaluation
    from topicml.cli.steps import telling_steps
    from topicml.models.background import choose_background
    from topicml.models.parameters import PARAMETERS, write_tuned_parameters
    from topicml.models.steps import counting
    from topicml.taxonomy import load_taxonomy
    from topicml.training.dataset import load_dataset
    from topicml.training.fit import check_support
    from topicml.training.search import ADAPTATION_GRID, count_fits, draw_settings
    from topicml.training.search import tune as tune_parameters

    scheme, paths = load_taxonomy(taxonomy), options.label_paths(labels)
    name = name or scheme.name
    data = load_dataset(paths, scheme, options.tell)
    check_support(data)
    store = options.writable_store(models_dir)
    choice = options.background_choice(background, no_background)
    start = choose_background(store, name, scheme, choice)
    make_parent(store.name_folder(name) / PARAMETERS)  # or an error, before the long work
    settings = (
        draw_settings(trials, seed, scheme.scheme) if start is None else list(ADAPTATION_GRID)
    )
    with telling_steps(quiet) as tell:
        advance = counting("Tuning", count_fits(data, settings, start), tell)
        tuned = tune_parameters(*(data, settings), background=start, jobs=jobs, on_fit=advance)
    path = write_tuned_parameters(store, name, tuned.chosen, paths)
    render_candidates(tuned.candidates, tuned.chosen, tuned.sizes, scheme.scheme.kind)
    protocol = "The search itself, grouped 3-fold: each fold searches anew."
    render_evaluation(tuned.evaluation, protocol)
    options.say(f"Wrote {path}.")
