"""A small project with a model, for what the review page works on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from conftest import Tiny

from topicml.review.desk.desk import Desk
from topicml.review.desk.folders import Folders

ARTICLE = (
    "The bakers of the harbour kneaded the dough all night. "
    "Seeds and warm soil were sold beside the boats. "
    "Nobody knew what it would cost."
)


def write_project(folder: Path, tiny: Tiny, *, with_model: bool = True) -> Path:
    """Make a folder a project with the tiny model's labels and versions; return it."""
    labels = folder / "data/labels"
    labels.mkdir(parents=True)
    shutil.copy(tiny.taxonomy, labels / "taxonomy.toml")
    shutil.copy(tiny.labels, labels / "labels.jsonl")
    models = folder / "models"
    if with_model:
        shutil.copytree(tiny.store.root, models)
    (models / tiny.name).mkdir(parents=True, exist_ok=True)
    shutil.copy(tiny.parameters, models / tiny.name / "parameters.json")
    return folder


def folders(project: Path) -> Folders:
    return Folders(project / "data/labels", project / "models", project)


def open_desk(project: Path) -> Desk:
    return Desk(folders(project))


def label_of(project: Path, identifier: str, file: str = "reviewed.jsonl") -> dict[str, Any]:
    """Return the line of a label file that a sentence has."""
    lines = (project / "data/labels" / file).read_text("utf-8").splitlines()
    return next(row for row in map(json.loads, lines) if row["id"] == identifier)
