"""``topicml train`` and ``topicml evaluate``."""

from __future__ import annotations

import json
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
)
from topicml.errors import TopicmlError
from topicml.files import write_text
from topicml.models.store import DEFAULT_MODEL

if TYPE_CHECKING:
    from topicml.features import Parameters
    from topicml.training import FittedModel


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
    from topicml.dataset import load_dataset
    from topicml.models.build import Origin, build_model
    from topicml.models.folder import prepare_folder
    from topicml.taxonomy import load_taxonomy
    from topicml.training import fit_model
    from topicml.validation import cross_validated_evaluation

    scheme = load_taxonomy(taxonomy)
    paths = label_paths(labels)
    data = load_dataset(paths, scheme)
    store = model_store(models_dir)
    version = version or store.next_version(name)
    prepare_folder(store.path(name, version))  # before the long work
    chosen = _load_parameters(parameters, store.root / name / "parameters.json")
    typer.echo(f"Fitting on {len(data)} sentences.", err=True)
    fitted = fit_model(data, chosen)
    typer.echo("Evaluating by cross-validation.", err=True)
    protocol, evaluation = cross_validated_evaluation(data, by.value, chosen)
    origin = Origin(tuple(paths), taxonomy, scheme)
    path = build_model(store, name, version, fitted, data, origin, (protocol, evaluation))
    if promote or store.current(name) is None:
        store.set_current(name, version)
    _render_candidates(fitted)
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
    parameters: ParametersOption = None,
    output_format: Annotated[
        EvaluationFormat, typer.Option("--format", "-f", help="Output format.")
    ] = EvaluationFormat.TABLE,
    metrics_file: Annotated[
        Path | None, typer.Option(help="Also write the figures here, as JSON.")
    ] = None,
) -> None:
    """Say how good a model or the training recipe is, with intervals.

    Example: topicml evaluate --data data/labels/articles.jsonl
    """
    from topicml.cli.render import render_evaluation
    from topicml.dataset import load_dataset
    from topicml.models.folder import open_model
    from topicml.taxonomy import load_taxonomy
    from topicml.validation import cross_validated_evaluation, evaluate_model

    store = model_store(models_dir)
    scheme = load_taxonomy(taxonomy)
    if data is not None:
        opened = open_model(store.find(model))
        if scheme.topic_ids != opened.scorer.topics:
            raise TopicmlError(
                f"{opened.reference} has other topics than the taxonomy",
                where=taxonomy,
                hint="Give the model's own taxonomy with --taxonomy.",
            )
        protocol = f"{opened.reference} on {data}, with the model's own thresholds."
        evaluation = evaluate_model(opened.scorer, load_dataset([data], scheme))
    else:
        chosen = _load_parameters(parameters, store.root / DEFAULT_MODEL / "parameters.json")
        dataset = load_dataset(label_paths(labels), scheme)
        protocol, evaluation = cross_validated_evaluation(dataset, by.value, chosen)
    figures = json.dumps({"protocol": protocol, **evaluation.to_dict()}, indent=2)
    if metrics_file:
        write_text(metrics_file, figures + "\n")
    if output_format is EvaluationFormat.JSON:
        typer.echo(figures)
    else:
        render_evaluation(evaluation, protocol)


def _load_parameters(given: Path | None, default: Path) -> Parameters | None:
    from topicml.features import Parameters

    path = given or default
    if given is None and not default.exists():
        return None
    try:
        return Parameters.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as err:
        raise TopicmlError(
            f"not a parameter file ({err})",
            where=path,
            hint='Write it like the "parameters" of a model\'s manifest.json.',
        ) from err


def _render_candidates(fitted: FittedModel) -> None:
    from topicml.cli.render import render_rows
    from topicml.features import SKLEARN_DEFAULTS

    if not fitted.candidates:
        return
    default = [c for c in fitted.candidates if c.parameters == SKLEARN_DEFAULTS]
    rows = [
        (
            label,
            str(c.parameters.word_ngrams),
            str(c.parameters.char_ngrams or "none"),
            c.parameters.C,
            c.parameters.class_weight or "none",
            c.parameters.nb_mixing,
            c.macro_average_precision,
            c.micro_f1,
        )
        for label, c in [("chosen", fitted.candidates[0]), *(("default", c) for c in default)]
    ]
    columns = ("", "words", "chars", "C", "class weight", "NB", "macro AP", "micro F1 at 0.5")
    render_rows(columns, rows)
