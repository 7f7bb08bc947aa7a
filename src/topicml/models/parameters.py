"""``models/NAME/parameters.json``: what ``tune`` chose for a model, for trainings to come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from topicml.errors import TopicmlError
from topicml.files import write_text
from topicml.models.background import Choice, find_background, read_background
from topicml.models.folder import sha256_files
from topicml.models.manifest import is_digests, read_manifest, read_text
from topicml.models.store import ModelStore, default_store
from topicml.scheme import Scheme
from topicml.taxonomy import Taxonomy
from topicml.text.normalise import printable
from topicml.training.background import Background
from topicml.training.evaluation import GIVEN, SEARCHED
from topicml.training.features import Parameters
from topicml.training.search import default_parameters

PARAMETERS = "parameters.json"
_TUNED_ON = "tuned_on"
_MAX_BYTES = 1_000_000

Source = Literal["given", "tuned", "defaults", "searched"]
"""Where the parameters of a training come from."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a training starts from.

    Attributes:
        parameters: None where they are searched.
        source: Where they come from.
        background: The background model, None for none.
        background_folder: Its folder.
        tuned_on: SHA-256 of the label files that ``tune`` chose by, by name; None where unknown.
    """

    parameters: Parameters | None
    source: Source
    background: Background | None = None
    background_folder: Path | None = None
    tuned_on: Mapping[str, str] | None = None

    def fields(self) -> dict[str, Any]:
        """Return what a manifest states of it."""
        return {"source": self.source, **({"tuned_on": self.tuned_on} if self.tuned_on else {})}

    def said(self, labels: Sequence[Path]) -> str:
        """Say where the parameters come from, for figures on these label files."""
        if self.source != "tuned":
            return _SAID[self.source]
        if self.tuned_on is None:
            return f"{_TUNED}, which kept no note of its labels: {_IF_THESE}"
        own = sha256_files(labels)
        same = [n for n, d in self.tuned_on.items() if n in own or d in own.values()]
        if same:
            return f"{_TUNED} on {_named(same)}, so the figures are slightly optimistic."
        return f"{_TUNED} on other labels ({_named(self.tuned_on)})."


_SAID = {"given": GIVEN, "searched": SEARCHED, "defaults": "Parameters are the defaults."}
_TUNED = "Parameters were searched by `topicml tune`"
_IF_THESE = "where these were among them, the figures are slightly optimistic."


def _named(files: Iterable[str]) -> str:
    return printable(", ".join(files))  # it goes into cards, and to terminals


def read_parameters(path: Path) -> Parameters:
    """Read a parameter file.

    Raises:
        TopicmlError: It is missing, not JSON, or has a parameter or value there is not.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[Parameters, Mapping[str, str] | None]:
    """Return parameters, and what they were tuned on, where that is noted."""
    try:
        fields = json.loads(read_text(path, _MAX_BYTES))
        tuned_on = fields.pop(_TUNED_ON, None) if isinstance(fields, dict) else None
        if not (tuned_on is None or is_digests(tuned_on)):
            raise ValueError(  # noqa: TRY301
                f"{_TUNED_ON} is no SHA-256 by file name: {tuned_on!r:.40}"
            )
        return Parameters.from_dict(fields), tuned_on
    except (OSError, ValueError, TypeError, RecursionError) as err:
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
    if parameters is not None and parameters.nb_mixing and taxonomy.scheme.is_multiclass:
        raise TopicmlError(
            f"nb_mixing {parameters.nb_mixing:g} is for multilabel schemes",
            where=name,
            hint="Give parameters with nb_mixing 0.",
        )
    if parameters is not None and not parameters.background:
        return Start(parameters, "given")
    folder = find_background(store, name, taxonomy, choice)
    known = None if folder is None else read_background(folder)
    if parameters is not None:
        return Start(parameters, "given", known, folder)
    tuned = _tuned(store, name, taxonomy, background=known is not None)
    if tuned is not None:
        return Start(tuned[0], "tuned", known, folder, tuned[1])
    return Start(default_parameters(known), "defaults", known, folder)


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
    tuned = _tuned(store, name, taxonomy, background)
    return None if tuned is None else tuned[0]


def _tuned(
    store: ModelStore, name: str, taxonomy: Taxonomy, background: bool
) -> tuple[Parameters, Mapping[str, str] | None] | None:
    """Return the tuned parameters that are meant for a training, and what they were tuned on."""
    for place in (store, default_store()):
        path = place.name_folder(name) / PARAMETERS
        if path.exists() and not is_of_another_scheme(place, name, taxonomy):
            tuned = _read(path)
            if tuned[0].background == background:
                return tuned
    return None


def write_tuned_parameters(
    store: ModelStore, name: str, parameters: Parameters, labels: Sequence[Path]
) -> Path:
    """Keep parameters, and what they were chosen by, for trainings to come; return the file."""
    path = store.name_folder(name) / PARAMETERS
    fields = {**parameters.to_dict(), _TUNED_ON: sha256_files(labels)}
    write_text(path, json.dumps(fields, indent=2) + "\n")
    return path


def is_of_another_scheme(store: ModelStore, name: str, taxonomy: Taxonomy) -> bool:
    """Whether the current version of a name has other topics, or another kind or language."""
    version = store.current(name)
    if version not in store.versions(name):
        return False
    manifest = read_manifest(store.path(name, version))
    own = tuple(manifest["topics"]), Scheme(**manifest["scheme"])
    return own != (taxonomy.topic_ids, taxonomy.scheme)
