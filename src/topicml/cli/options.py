"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from topicml.errors import ModelError
from topicml.models.store import BUNDLED, ENVIRONMENT_VARIABLE, ModelStore, default_store

LABELS_FOLDER = Path("data/labels")
TAXONOMY = LABELS_FOLDER / "taxonomy.toml"
RAW_FOLDER = Path("data/raw")

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", help="Model name, name@version, or folder.", show_default="the current one"
    ),
]
ModelsDirOption = Annotated[
    Path | None,
    typer.Option(
        "--models-dir", help="Folder of all models.", show_default="models/, or the shipped ones"
    ),
]
LabelsOption = Annotated[
    list[Path] | None,
    typer.Option("--labels", "-l", help="Label file; repeat for more.", show_default="data/labels"),
]
TaxonomyOption = Annotated[Path, typer.Option("--taxonomy", help="Taxonomy file.")]
ByOption = Annotated[
    Literal["article", "group"],
    typer.Option(help="Leave out a real article at a time, or a fifth of all groups."),
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


def model_store(models_dir: Path | None) -> ModelStore:
    """Return the store of ``--models-dir``, or the default one."""
    return ModelStore(models_dir) if models_dir else default_store()


def writable_store(models_dir: Path | None) -> ModelStore:
    """Return the store that new versions go to: never the one shipped with the package."""
    configured = os.environ.get(ENVIRONMENT_VARIABLE)
    return ModelStore(models_dir or Path(configured or "models"))


def changeable_store(models_dir: Path | None) -> ModelStore:
    """Return the store in use, whose pointers may be moved: never the one in the package.

    Raises:
        ModelError: The store in use is the one in the package, and nobody asked for it.
    """
    store = model_store(models_dir)
    if models_dir is None and store.root == BUNDLED:
        raise ModelError(
            "these models come with the package, and an update would undo a change here",
            where=BUNDLED,
            hint="Copy the folder to ./models and run the command again, "
            "or say which version to use with --model NAME@VERSION.",
        )
    return store


def label_paths(labels: list[Path] | None) -> list[Path]:
    """Return the label files given, or all of the default folder."""
    return labels or sorted(LABELS_FOLDER.glob("*.jsonl"))
