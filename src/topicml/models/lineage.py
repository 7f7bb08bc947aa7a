"""Where a model comes from, link by link, and whether that is here and as it was.

A model names the hashes of what it was made of. Files of the same name that are at hand are
hashed, and compared with those. What older versions did not note is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from topicml.errors import ModelError
from topicml.models.background import (
    TEACHER,
    background_files,
    background_folder,
    read_background_manifest,
)
from topicml.models.comparisons import comparisons_of
from topicml.models.folder import ADAPTERS, base_of, sha256_file
from topicml.models.manifest import MANIFEST, Fields, read_manifest
from topicml.models.store import ModelStore

State = Literal["unchanged", "changed", "not here"]


def trace_model(path: Path, at_hand: Sequence[Path]) -> dict[str, Any]:
    """Return the chain behind the predictions of a model, as plain JSON values.

    Args:
        path: Folder of the model.
        at_hand: Label and taxonomy files that are here.

    Raises:
        ModelError: The manifest or what compared the model cannot be read.
    """
    manifest = read_manifest(path)
    store, name = ModelStore(path.absolute().parents[1]), manifest["name"]
    is_in_store = store.root / name / manifest["version"] == path.absolute()
    labels, taxonomy = manifest["labels"], manifest["taxonomy"]
    evaluation = manifest["metrics"]["evaluation"]
    base = base_of(manifest)
    return {
        "predictions": {"model": f"{name}@{manifest['version']}"},
        "model": {
            "name": name,
            "version": manifest["version"],
            "sha256": manifest["manifest_sha256"],
            "kind": manifest["kind"],
            "created": manifest["created"],
            "current": is_in_store and store.current(name) == manifest["version"],
        },
        "code": manifest.get("code") or _old_code(manifest),
        "labels": _files(labels["files"], at_hand, labels.get("by_reference", {})),
        "taxonomy": {
            "file": taxonomy["file"],
            "version": taxonomy.get("version"),
            "sha256": taxonomy["sha256"],
            "state": _state(taxonomy["file"], taxonomy["sha256"], at_hand),
        },
        "parameters": manifest["parameters"],
        "parameters_from": manifest.get("parameters_from"),
        "background": _background(manifest, store, at_hand),
        "base": base and {"name": base.name, "revision": base.revision},
        "test_set": {
            "protocol": manifest["metrics"]["protocol"],
            "sentences": evaluation.get("sentences"),
            "documents": evaluation.get("documents"),
        },
        "parents": _parents(store, manifest) if is_in_store else [],
        "comparisons": comparisons_of(store.root / name, manifest["manifest_sha256"])
        if is_in_store
        else [],
    }


def _old_code(manifest: Fields) -> dict[str, Any]:
    return {"version": manifest["versions"]["topicml"], "commit": None, "modified": None}


def _files(
    digests: Mapping[str, str],
    at_hand: Sequence[Path],
    by_reference: Mapping[str, Mapping[str, int]] | None = None,
) -> list[dict[str, Any]]:
    counts = by_reference or {}
    return [
        {
            "file": name,
            "sha256": digest,
            "state": _state(name, digest, at_hand),
            **({"by_reference": dict(counts[name])} if name in counts else {}),
        }
        for name, digest in sorted(digests.items())
    ]


def _state(name: str, digest: str, at_hand: Sequence[Path]) -> State:
    here = [path for path in at_hand if path.name == name and path.is_file()]
    if not here:
        return "not here"
    return "unchanged" if any(sha256_file(path) == digest for path in here) else "changed"


def _background(
    manifest: Fields, store: ModelStore, at_hand: Sequence[Path]
) -> dict[str, Any] | None:
    """Return what the training started from; what is beside the versions now tells the rest."""
    if not manifest["parameters"].get("background"):
        return None
    noted = manifest.get("background")
    folder = background_folder(store, manifest["name"])
    found: dict[str, Any] = {"files": noted and noted["files"], "state": "not here"}
    if not (folder / MANIFEST).exists():
        return {**found, "made_of": None, "teacher": None}
    if noted is None:
        found["state"] = None  # it is not known which it was
    else:
        is_same = background_files(folder) == noted["files"]
        found["state"] = "unchanged" if is_same else "changed"
    return {**found, **_provenance(folder, at_hand)}


def _provenance(folder: Path, at_hand: Sequence[Path]) -> dict[str, Any]:
    """Return what a background was distilled from, and by which teacher."""
    stated = read_background_manifest(folder)
    labels, pool, teacher = (stated.get(key) or {} for key in ("labels", "pool", "teacher"))
    made_of = {
        "labels": _files(labels, at_hand),
        "pool": _files(pool, at_hand),
        "taxonomy": {"sha256": stated.get("taxonomy")},
        "labels_sentences": stated.get("labels_sentences"),
        "pool_sentences": stated.get("pool_sentences"),
        "settings": stated.get("settings"),
    }
    adapters = folder.parent / TEACHER / ADAPTERS
    digest = sha256_file(adapters) if adapters.is_file() else None
    return {"made_of": made_of, "teacher": {**teacher, "adapters": digest} if teacher else None}


def _parents(store: ModelStore, manifest: Fields) -> list[dict[str, Any]]:
    """Return the versions that were in use when each was trained, back to the first."""
    name, parents, seen = manifest["name"], [], {manifest["version"]}
    noted = manifest.get("parent")
    while noted and noted["version"] not in seen:
        seen.add(noted["version"])
        try:
            found = read_manifest(store.path(name, noted["version"]))
        except ModelError:
            parents.append({**noted, "state": "not here", "created": None})
            return parents
        is_same = found["manifest_sha256"] == noted["sha256"]
        state = "unchanged" if is_same else "changed"
        parents.append({**noted, "state": state, "created": found["created"]})
        noted = found.get("parent")
    return parents
