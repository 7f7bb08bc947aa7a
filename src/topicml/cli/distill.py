"""``topicml distill``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from topicml.cli import options
from topicml.tagging.tagger import Unit


def distill(
    pool: Annotated[
        list[str],
        typer.Option("--pool", help="Unlabelled text: file, glob or folder; repeat for more."),
    ],
    labels: options.Labels = None,
    taxonomy: options.Taxonomy = options.TAXONOMY,
    name: options.ModelName = None,
    base: options.BaseFolder = None,
    work: Annotated[
        Path, typer.Option(help="Folder for what is done so far; the same one goes on there.")
    ] = Path("distill-work"),
    sentences: Annotated[
        int, typer.Option(min=1, help="Unlabelled sentences to take at most, at random.")
    ] = 60_000,
    unit: Annotated[
        Unit, typer.Option("--unit", help="Split texts into sentences, or take each as one.")
    ] = "article",
    folds: Annotated[
        int, typer.Option(min=3, help="Parts left out in turn, so that figures stay honest.")
    ] = 3,
    seeds: Annotated[int, typer.Option(min=1, help="Networks to average.")] = 1,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the labels, at most.")] = 3,
    features: Annotated[int, typer.Option(min=1, help="Terms that the background keeps.")] = 60_000,
    text_field: options.TextField = None,
    id_field: options.IdField = "id",
    models_dir: options.ModelsDir = None,
) -> None:
    """Teach a background model with a fine-tuned network, for trainings to start from.

    The network learns the labels (about 30 minutes on two cores), says what it thinks of the
    unlabelled sentences (about 120 a second), and a linear model learns that; all of it once for
    each fold, too. A run that was cut off goes on where it was. train then takes what is in
    models/NAME/background/. Needs the extra neural.

    Example: topicml distill --pool pool.jsonl
    """
    from topicml.cli.steps import telling_steps
    from topicml.io.records import ReadOptions
    from topicml.io.sources import list_sources
    from topicml.network.backend import load_packages
    from topicml.taxonomy import load_taxonomy
    from topicml.training.dataset import load_dataset
    from topicml.training.fit import check_teachable
    from topicml.training.pool import read_pool

    load_packages("topicml distill")
    from topicml.models.distill import (
        Distillation,
        DistillSettings,
        describe_sources,
    )
    from topicml.network.base import MPNET, base_folder

    paths = options.label_paths(labels)
    store = options.writable_store(models_dir)
    name = options.model_name(name, taxonomy)
    store.name_folder(name)  # or an error, before the long work
    data = load_dataset(paths, load_taxonomy(taxonomy), options.tell)
    check_teachable(data)
    folder = base_folder(MPNET, base)
    reading = ReadOptions(options.record_fields(text_field, id_field, ""))
    unlabelled = read_pool(
        *(pool, reading), unit=unit, without=data.texts, count=sentences, on_note=options.tell
    )
    listing = list_sources(pool, follow_links=True)
    files = [Path(source.path) for source in listing.sources if source.path]
    options.tell(f"{len(data):,} labelled sentences, {len(unlabelled):,} unlabelled ones.")
    distillation = Distillation(
        *(data, unlabelled, MPNET, folder, work),
        DistillSettings(folds, seeds, epochs, features),
        describe_sources(paths, files, taxonomy),
    )
    with telling_steps() as tell:
        made = distillation.run(store, name, tell)
    options.say(f"Wrote {made}. train starts from it now.")
