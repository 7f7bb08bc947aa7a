"""The models of a store and their topics, as the API tells them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from topicml.errors import ModelError, TopicmlError
from topicml.models.folder import Model
from topicml.models.manifest import read_manifest
from topicml.models.store import ModelStore
from topicml.review.schemas import Figures, NamedModel, TopicDescription, Topics, Version
from topicml.taxonomy import Topic, load_taxonomy


def describe_topics(model: Model, taxonomy: Path | None) -> Topics:
    """Return a model's topics, with names and definitions where the label scheme is its own."""
    known = _descriptions(taxonomy, model.scorer.topics)
    pairs = zip(model.scorer.topics, model.scorer.thresholds.tolist(), strict=True)
    return Topics(
        model=model.reference,
        topics=[
            TopicDescription(
                id=name,
                name=known[name].name if known else None,
                definition=known[name].definition if known else None,
                threshold=threshold,
            )
            for name, threshold in pairs
        ],
    )


def _descriptions(taxonomy: Path | None, topics: tuple[str, ...]) -> Mapping[str, Topic]:
    if taxonomy is None:
        return {}
    try:
        found = load_taxonomy(taxonomy)
    except TopicmlError:
        return {}
    return {t.id: t for t in found.topics} if found.topic_ids == topics else {}


def list_models(store: ModelStore) -> list[NamedModel]:
    """Return all models of a store; damaged versions say what is wrong with them."""
    return [_named(store, name) for name in store.names()]


def _named(store: ModelStore, name: str) -> NamedModel:
    try:
        current = store.in_use(name)
    except ModelError:
        current = None
    versions = [_version(store, name, version, current) for version in store.versions(name)]
    return NamedModel(name=name, current=current, versions=versions)


def _version(store: ModelStore, name: str, version: str, current: str | None) -> Version:
    said = Version(version=version, is_current=version == current)
    try:
        manifest = read_manifest(store.path(name, version))
    except ModelError as err:
        return said.model_copy(update={"error": err.what})
    return said.model_copy(
        update={
            "created": manifest["created"],
            "kind": manifest["kind"],
            "sentences": manifest["labels"]["sentences"],
            "evaluation": _figures(manifest),
        }
    )


def _figures(manifest: Mapping[str, Any]) -> Figures:
    evaluation, test = manifest["metrics"]["evaluation"], manifest.get("test")
    headlines = evaluation["headlines"]
    return Figures(
        micro_f1=headlines["micro_f1"]["value"],
        macro_average_precision=headlines["macro_average_precision"]["value"],
        sentences=test["sentences"] if test else evaluation.get("sentences"),
        documents=evaluation.get("documents"),
        test_set=test["sha256"] if test else None,
    )
