"""What is known of a model's errors, and where from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topicml.errors import InputError, TopicmlError
from topicml.models.manifest import read_manifest
from topicml.models.store import ModelStore
from topicml.training.error_rates import ErrorRates


@dataclass(frozen=True, slots=True)
class ModelErrors:
    """What is known of a model's errors.

    Attributes:
        topics: Of the model, in its order; none where the model is not known.
        rates: By topic.
        source: Where they are from, as a clause.
        missing: Why there are none; empty where there are.
    """

    topics: tuple[str, ...]
    rates: Mapping[str, ErrorRates]
    source: str = ""
    missing: str = ""


def errors_of_model(store: ModelStore, reference: str) -> ModelErrors:
    """Return what the manifest of a model states of its errors."""
    name, _, version = reference.partition("@")
    try:
        manifest = read_manifest(store.folder(name, version or None))
    except TopicmlError as err:
        return ModelErrors((), {}, missing=f"the model is not here ({err.what})")
    topics = tuple(manifest["topics"])
    stated = manifest["metrics"]["evaluation"].get("error_rates") or ()
    if not stated:
        missing = f"{reference} states no error rates; models that are trained from now on do"
        return ModelErrors(topics, {}, missing=missing)
    source = f"the manifest of {reference}, out of fold"
    return ModelErrors(topics, _by_topic(stated), source)


def errors_of_file(path: Path, topics: tuple[str, ...]) -> ModelErrors:
    """Return what ``topicml evaluate --metrics-file`` has written of errors.

    Raises:
        InputError: The file cannot be read, or has no error rates.
    """
    try:
        rates = _by_topic(json.loads(path.read_text("utf-8"))["error_rates"])
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise InputError(
            "no error rates in it",
            where=path,
            hint="Give what topicml evaluate --metrics-file wrote.",
        ) from err
    return ModelErrors(topics, rates, source=f"{path.name}")


def _by_topic(stated: Sequence[Mapping[str, Any]]) -> dict[str, ErrorRates]:
    return {each["topic"]: ErrorRates.of(each) for each in stated}
