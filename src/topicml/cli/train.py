"""``topicml train``, ``evaluate`` and ``tune``."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from topicml.cli.options import (
    TAXONOMY,
    LabelsOption,
    ModelOption,
    ModelsDirOption,
    TaxonomyOption,
    label_paths,
    model_store,
    writable_store,
)
from topicml.errors import TopicmlError
from topicml.files import write_text
from topicml.models.folder import make_parent, prepare_folder, sha256_file
from topicml.models.manifest import read_manifest
from topicml.models.promotion import promote_version
from topicml.models.store import DEFAULT_MODEL, ModelStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from topicml.models.folder import Model
    from topicml.taxonomy import Taxonomy
    from topicml.training.cross_validation import LearningPoint, Predictions
    from topicml.training.dataset import Dataset
    from topicml.training.evaluation import Evaluation
    from topicml.training.features import Parameters
    from topicml.training.fit import Candidate

_CANDIDATES_SHOWN = 5


class EvaluationFormat(StrEnum):
    """How figures are written."""

    TABLE = "table"
    JSON = "json"


class EvaluateBy(StrEnum):
    """What a fold leaves out."""

    ARTICLE = "article"
    GROUP = "group"


ByOption = Annotated[
    EvaluateBy, typer.Option(help="Leave out a real article at a time, or a fifth of all groups.")
]
JobsOption = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes.")]
ParametersOption = Annotated[
    Path | None,
    typer.Option(
        "--parameters",
        help="JSON file of parameters, as in a model's manifest; "
        "models/NAME/parameters.json is taken where it exists.",
        show_default="searched by cross-validation",
    ),
]


def train(
    labels: LabelsOption = None,
    taxonomy: TaxonomyOption = TAXONOMY,
    name: Annotated[str, typer.Option(help="Name of the model.")] = DEFAULT_MODEL,
    version: Annotated[
        str | None, typer.Option(help="Version to make.", show_default="the next minor one")
    ] = None,
    parameters: ParametersOption = None,
    by: ByOption = EvaluateBy.ARTICLE,
    jobs: JobsOption = 1,
    promote: Annotated[
        bool, typer.Option("--promote", help="Make the new version the current one.")
    ] = False,
    models_dir: ModelsDirOption = None,
) -> None:
    """Train a model version from label files, and account for how good it is.

    The first version of a name becomes the current one; later ones do with --promote.

    Example: topicml train --labels data/labels/articles.jsonl --models-dir /tmp/models
    """
    from topicml.cli.render import render_evaluation
    from topicml.models.build import Origin, build_model
    from topicml.taxonomy import load_taxonomy
    from topicml.training.cross_validation import check_trainable, cross_validated_evaluation
    from topicml.training.dataset import load_dataset
    from topicml.training.fit import fit_model

    scheme = load_taxonomy(taxonomy)
    paths = label_paths(labels)
    data = load_dataset(paths, scheme)
    store = writable_store(models_dir)
    version = version or store.next_version(name)
    path = store.path(name, version)
    chosen = _load_parameters(parameters, _parameters_file(store, name, scheme))
    check_trainable(data, by.value)  # all that can fail, before the long work
    _check_same_topics(store, name, scheme)
    prepare_folder(path)
    typer.echo(f"Fitting on {len(data)} sentences.", err=True)
    fitted = fit_model(data, chosen)
    typer.echo("Evaluating by cross-validation.", err=True)
    protocol, evaluation = cross_validated_evaluation(data, by.value, chosen, jobs)
    origin = Origin(tuple(paths), taxonomy, scheme)
    path = build_model(store, name, version, fitted, data, origin, (protocol, evaluation))
    if promote or store.current(name) is None:
        promote_version(store, name, version)
    _render_candidates(fitted.candidates, fitted.parameters)
    render_evaluation(evaluation, protocol)
    typer.echo(f"Made {path}; current is {store.current(name)}.")


def evaluate(
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="Labelled file to evaluate a finished model on.",
            show_default="cross-validate the training recipe on the project's labels",
        ),
    ] = None,
    model: ModelOption = None,
    models_dir: ModelsDirOption = None,
    labels: LabelsOption = None,
    taxonomy: TaxonomyOption = TAXONOMY,
    by: ByOption = EvaluateBy.ARTICLE,
    jobs: JobsOption = 1,
    parameters: ParametersOption = None,
    output_format: Annotated[
        EvaluationFormat, typer.Option("--format", "-f", help="Output format.")
    ] = EvaluationFormat.TABLE,
    metrics_file: Annotated[
        Path | None, typer.Option(help="Also write the figures here, as JSON.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Also write a report with plots here, as one HTML file.")
    ] = None,
) -> None:
    """Say how good a model or the training recipe is, with intervals.

    Example: topicml evaluate --model alliance-topics@1.0.0 --data data/labels/authored.jsonl
    """
    from topicml.cli.render import render_evaluation
    from topicml.models.folder import open_model
    from topicml.taxonomy import load_taxonomy
    from topicml.training.cross_validation import cross_validated_predictions
    from topicml.training.dataset import load_dataset

    store = model_store(models_dir)
    scheme = load_taxonomy(taxonomy)
    own = chosen = None
    if data is None:
        if model is not None:
            raise typer.BadParameter("--model goes with --data: without it the recipe is evaluated")
        own = load_dataset(label_paths(labels), scheme)
        chosen = _load_parameters(parameters, _parameters_file(store, DEFAULT_MODEL, scheme))
        predictions = cross_validated_predictions(own, by.value, chosen, jobs)
    else:
        predictions = _predict_file(open_model(store.find(model)), data, scheme, taxonomy)
    evaluation = predictions.evaluate()
    figures = json.dumps({"protocol": predictions.protocol, **evaluation.to_dict()}, indent=2)
    if metrics_file:
        write_text(metrics_file, figures + "\n")
    if html:
        _write_report(html, predictions, evaluation, own, by, chosen)
    if output_format is EvaluationFormat.JSON:
        typer.echo(figures)
    else:
        render_evaluation(evaluation, predictions.protocol)


def _predict_file(opened: Model, data: Path, scheme: Taxonomy, taxonomy: Path) -> Predictions:
    from topicml.training.cross_validation import model_predictions
    from topicml.training.dataset import load_dataset

    if scheme.topic_ids != opened.scorer.topics:
        raise TopicmlError(
            f"{opened.reference} has other topics than the taxonomy",
            where=taxonomy,
            hint="Give the model's own taxonomy with --taxonomy.",
        )
    protocol = f"{opened.reference} on {data.name}, tagged as `topicml classify` tags."
    dataset = load_dataset([data], scheme)
    if sha256_file(data) in opened.manifest["labels"]["files"].values():
        protocol += " The model was trained on these very sentences: the figures say nothing."
        typer.echo(f"warning: {opened.reference} was trained on {data}", err=True)
    return model_predictions(opened.scorer, dataset, protocol)


def _write_report(
    path: Path,
    predictions: Predictions,
    evaluation: Evaluation,
    own: Dataset | None,
    by: EvaluateBy,
    parameters: Parameters | None,
) -> None:
    """Write the HTML page; on own labels with reliability before calibration and a curve."""
    from topicml.training.cross_validation import learning_curve, uncalibrated_probabilities
    from topicml.training.report import render_report

    curve: list[LearningPoint] = []
    if own is not None and parameters is not None:
        before = uncalibrated_probabilities(own, by.value, parameters)
        predictions = replace(predictions, uncalibrated=before)
        fit_on, test_on = own.grouped_splits()[0]
        curve = learning_curve(own.subset(fit_on), own.subset(test_on), parameters)
    write_text(path, render_report(predictions, evaluation, curve))


def tune(
    labels: LabelsOption = None,
    taxonomy: TaxonomyOption = TAXONOMY,
    name: Annotated[str, typer.Option(help="Name of the model to tune for.")] = DEFAULT_MODEL,
    trials: Annotated[int, typer.Option(min=0, help="Settings to draw at random.")] = 12,
    seed: Annotated[int, typer.Option(help="Of the drawing.")] = 0,
    jobs: JobsOption = 1,
    models_dir: ModelsDirOption = None,
) -> None:
    """Search for better parameters, and say honestly what the search is worth.

    The winner is written to models/NAME/parameters.json, where train and evaluate read it.

    Example: topicml tune --trials 20 --jobs 2
    """
    from rich.progress import Progress

    from topicml.cli.render import render_evaluation
    from topicml.taxonomy import load_taxonomy
    from topicml.training.dataset import load_dataset
    from topicml.training.search import count_fits, draw_settings
    from topicml.training.search import tune as search

    data = load_dataset(label_paths(labels), load_taxonomy(taxonomy))
    path = writable_store(models_dir).path(name, "0.0.0").with_name("parameters.json")
    make_parent(path)
    settings = draw_settings(trials, seed)
    with Progress(console=table_console(sys.stderr), transient=True) as progress:
        task = progress.add_task("Fitting", total=count_fits(data, settings))
        result = search(
            data,
            settings,
            jobs=jobs,
            on_fit=lambda: progress.advance(task),
        )
    write_text(path, json.dumps(result.chosen.to_dict(), indent=2) + "\n")
    _render_candidates(result.candidates, result.chosen, result.sizes)
    render_evaluation(
        result.evaluation, "The search itself, grouped 3-fold: each fold searches anew."
    )
    typer.echo(f"Wrote {path}.")


def _parameters_file(store: ModelStore, name: str, scheme: Taxonomy) -> Path | None:
    """Return where `tune` writes for a model, or None where its topics are others."""
    version = store.current(name)
    if version in store.versions(name):
        topics = read_manifest(store.path(name, version))["topics"]
        if tuple(topics) != scheme.topic_ids:
            return None
    return store.path(name, "0.0.0").with_name("parameters.json")


def _check_same_topics(store: ModelStore, name: str, scheme: Taxonomy) -> None:
    if store.current(name) is not None and _parameters_file(store, name, scheme) is None:
        raise TopicmlError(
            f"the versions of {name} have other topics than the taxonomy",
            where=store.root / name,
            hint="Give the new model a name of its own with --name.",
        )


def _load_parameters(given: Path | None, default: Path | None) -> Parameters | None:
    from topicml.training.features import Parameters

    path = given or default
    if path is None or (given is None and not path.exists()):
        return None
    try:
        return Parameters.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as err:
        raise TopicmlError(
            f"not a parameter file ({err})",
            where=path,
            hint='Write it like the "parameters" of a model\'s manifest.json.',
        ) from err


def _render_candidates(
    candidates: Sequence[Candidate],
    chosen: Parameters,
    sizes: Mapping[Parameters, int] | None = None,
) -> None:
    from topicml.cli.render import render_rows
    from topicml.training.features import SKLEARN_DEFAULTS

    marks = {chosen: "chosen"}
    marks[SKLEARN_DEFAULTS] = "chosen, default" if chosen == SKLEARN_DEFAULTS else "default"
    shown = [c for i, c in enumerate(candidates) if i < _CANDIDATES_SHOWN or c.parameters in marks]
    rows = [
        (
            marks.get(c.parameters, ""),
            "{}-{}".format(*c.parameters.word_ngrams),
            "{}-{}".format(*c.parameters.char_ngrams) if c.parameters.char_ngrams else "none",
            c.parameters.min_df,
            "log" if c.parameters.sublinear_tf else "count",
            f"{c.parameters.C:g}",
            "yes" if c.parameters.class_weight else "no",
            c.parameters.nb_mixing,
            c.macro_average_precision,
            c.micro_f1,
            *([sizes[c.parameters]] if sizes else []),
        )
        for c in shown
    ]
    columns = ["", "words", "chars", "df", "tf", "C", "bal.", "NB", "macro AP", "F1 at ½"]
    if rows:
        render_rows([*columns, *(["features"] if sizes else [])], rows)
