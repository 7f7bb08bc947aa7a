"""``models/NAME/parameters.json``: what ``tune`` chose for a model, for trainings to come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, NamedTuple

from topicml.errors import TopicmlError
from topicml.files import write_text
from topicml.models.background import Choice, find_background, read_background
from topicml.models.manifest import read_manifest
from topicml.models.store import ModelStore, default_store
from topicml.taxonomy import Taxonomy
from topicml.training.background import Background
from topicml.training.features import Parameters
from topicml.training.search import default_parameters

PARAMETERS = "parameters.json"


def read_parameters(path: Path) -> Parameters:
    """Read a parameter file.

    Raises:
        TopicmlError: It is missing, not JSON, or has a parameter or value there is not.
    """
    try:
        return Parameters.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as err:
        raise TopicmlError(
            f"not a parameter file ({err})",
            where=path,
            hint='Write it like the "parameters" of a model\'s manifest.json.',
        ) from err


ParametersFrom = Literal["given", "tuned", "defaults", "searched"]


class Start(NamedTuple):
    """What a training starts with.

    Attributes:
        parameters: Of the training.
        parameters_from: Where they come from.
        background: The background model, where there is one.
        background_folder: Its folder.
    """

    parameters: Parameters
    parameters_from: ParametersFrom
    background: Background | None = None
    background_folder: Path | None = None


def choose_start(
    store: ModelStore,
    name: str,
    taxonomy: Taxonomy,
    parameters: Parameters | None,
    choice: Choice,
) -> Start:
    """Return the parameters of a training and the background model that it starts from.

    Args:
        store: Of the model.
        name: Its name.
        taxonomy: Its topics.
        parameters: Those given; for None the tuned ones, where there are any, else the defaults.
        choice: Which background is meant; parameters given may say that none is used.

    Raises:
        TopicmlError: The background that was asked for or the tuned parameters cannot be used.
    """
    if parameters is not None and not parameters.background:
        return Start(parameters, "given")
    folder = find_background(store, name, taxonomy, choice)
    background = None if folder is None else read_background(folder)
    if parameters is not None:
        return Start(parameters, "given", background, folder)
    tuned = tuned_parameters(store, name, taxonomy, background=background is not None)
    if tuned is not None:
        return Start(tuned, "tuned", background, folder)
    return Start(default_parameters(background), "defaults", background, folder)


def tuned_parameters(
    store: ModelStore, name: str, taxonomy: Taxonomy, *, background: bool = False
) -> Parameters | None:
    """Return what was tuned for a model; None where nothing was, or for other topics.

    Where the store has nothing, the models in use are looked through, as for a background. What
    was tuned for a training that starts from a background model is of no use for one that does
    not, and the other way round.

    Raises:
        TopicmlError: The file is damaged, or the name is not usable.
    """
    for place in (store, default_store()):
        path = place.name_folder(name) / PARAMETERS
        if path.exists() and not has_other_topics(place, name, taxonomy):
            parameters = read_parameters(path)
            if parameters.background == background:
                return parameters
    return None


def write_tuned_parameters(store: ModelStore, name: str, parameters: Parameters) -> Path:
    """Keep parameters for the trainings of a model to come; return the file."""
    path = store.name_folder(name) / PARAMETERS
    write_text(path, json.dumps(parameters.to_dict(), indent=2) + "\n")
    return path


def has_other_topics(store: ModelStore, name: str, taxonomy: Taxonomy) -> bool:
    """Whether the current version of a name has other topics than the taxonomy."""
    version = store.current(name)
    if version not in store.versions(name):
        return False
    return tuple(read_manifest(store.path(name, version))["topics"]) != taxonomy.topic_ids
