"""``models/NAME/parameters.json``: what ``tune`` chose for a model, for trainings to come."""

from __future__ import annotations

import json
from pathlib import Path

from topicml.errors import TopicmlError
from topicml.files import write_text
from topicml.models.background import Choice, choose_background
from topicml.models.manifest import read_manifest
from topicml.models.store import ModelStore
from topicml.scheme import Scheme
from topicml.taxonomy import Taxonomy
from topicml.training.background import Background
from topicml.training.features import Parameters

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


def choose_start(
    store: ModelStore,
    name: str,
    taxonomy: Taxonomy,
    parameters: Parameters | None,
    choice: Choice,
) -> tuple[Parameters | None, Background | None]:
    """Return the parameters of a training and the background model that it starts from.

    Args:
        store: Of the model.
        name: Its name.
        taxonomy: Its topics.
        parameters: Those given; for None the tuned ones, where there are any.
        choice: Which background is meant; parameters given may say that none is used.

    Raises:
        TopicmlError: The background that was asked for or the tuned parameters cannot be used.
    """
    if parameters is not None and parameters.nb_mixing and taxonomy.scheme.is_multiclass:
        raise TopicmlError(
            f"nb_mixing {parameters.nb_mixing:g} is for multilabel schemes",
            where=name,
            hint="Give parameters with nb_mixing 0.",
        )
    if parameters is not None and not parameters.background:
        return parameters, None
    background = choose_background(store, name, taxonomy, choice)
    tuned = tuned_parameters(store, name, taxonomy, background=background is not None)
    return parameters or tuned, background


def tuned_parameters(
    store: ModelStore, name: str, taxonomy: Taxonomy, *, background: bool = False
) -> Parameters | None:
    """Return what was tuned for a model; None where nothing was, or for other topics.

    What was tuned for a training that starts from a background model is of no use for one that
    does not, and the other way round.

    Raises:
        TopicmlError: The file is damaged, or the name is not usable.
    """
    path = store.name_folder(name) / PARAMETERS
    if is_of_another_scheme(store, name, taxonomy) or not path.exists():
        return None
    parameters = read_parameters(path)
    return parameters if parameters.background == background else None


def write_tuned_parameters(store: ModelStore, name: str, parameters: Parameters) -> Path:
    """Keep parameters for the trainings of a model to come; return the file."""
    path = store.name_folder(name) / PARAMETERS
    write_text(path, json.dumps(parameters.to_dict(), indent=2) + "\n")
    return path


def is_of_another_scheme(store: ModelStore, name: str, taxonomy: Taxonomy) -> bool:
    """Whether the current version of a name has other topics, or another kind or language."""
    version = store.current(name)
    if version not in store.versions(name):
        return False
    manifest = read_manifest(store.path(name, version))
    own = tuple(manifest["topics"]), Scheme(**manifest["scheme"])
    return own != (taxonomy.topic_ids, taxonomy.scheme)
