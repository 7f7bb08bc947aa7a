"""``models/NAME/background/``: what trainings of a model start from, with where it comes from."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from topicml.errors import ModelError
from topicml.files import replacing, write_text
from topicml.models.folder import check_file, make_parent, sha256_file, sha256_files
from topicml.models.manifest import Rule, check_fields, is_count, is_digests, optional
from topicml.models.store import ModelStore, default_store
from topicml.scoring.backends import Backends
from topicml.scoring.scorer import Scorer
from topicml.scoring.scorer_file import load_scorer, save_scorer
from topicml.taxonomy import Taxonomy
from topicml.training.background import Background

FOLDER = "background"
TEACHER = "teacher"
SCORER, SEEN, MANIFEST = "scorer.npz", "seen.npz", "manifest.json"
_HINT = "Make it with: topicml distill. Or train without it: --no-background."
_SHA1_BYTES = 20
_PROVENANCE: tuple[Rule, ...] = (
    ("labels", optional(is_digests), "an object of SHA-256 by file name"),
    ("pool", optional(is_digests), "an object of SHA-256 by file name"),
    ("teacher", optional(lambda value: isinstance(value, dict)), "an object"),
    ("labels_sentences", optional(is_count), "a whole number"),
    ("pool_sentences", optional(is_count), "a whole number"),
)


def background_folder(store: ModelStore, name: str) -> Path:
    """Folder of a model's background, whether it exists or not."""
    return store.name_folder(name) / FOLDER


Choice = Path | Literal["own"] | None
"""Which background a training starts from: a folder's, the model's own where it has one, none."""


def choose_background(
    store: ModelStore, name: str, taxonomy: Taxonomy, choice: Choice
) -> Background | None:
    """Return what a training of a model starts from; see ``find_background``."""
    folder = find_background(store, name, taxonomy, choice)
    return None if folder is None else read_background(folder)


def find_background(
    store: ModelStore, name: str, taxonomy: Taxonomy, choice: Choice
) -> Path | None:
    """Return the folder of what a training of a model starts from.

    Args:
        store: Of the new version; where it has none, the models in use are looked through.
        name: Model name.
        taxonomy: Its topics must be those of the background.
        choice: Which.

    Returns:
        None where there is none, or none for these topics.

    Raises:
        ModelError: The one that was asked for is missing or for another scheme, or one is damaged.
    """
    if taxonomy.scheme.is_multiclass and isinstance(choice, Path):
        raise ModelError(
            "background models are for multilabel schemes, and this one is multiclass",
            where=choice,
            hint="Train without --background.",
        )
    if choice is None or taxonomy.scheme.is_multiclass:
        return None
    if choice == "own":
        places = [background_folder(s, name) for s in (store, default_store())]
        found = next((place for place in places if (place / MANIFEST).exists()), None)
        return found if found and _has_topics(found, taxonomy) else None
    if not _has_topics(choice, taxonomy):
        raise ModelError(
            "this background model has other topics than the taxonomy", where=choice, hint=_HINT
        )
    return choice


def background_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a background, by its name."""
    return sha256_files(folder / name for name in (SCORER, SEEN, MANIFEST))


def _has_topics(folder: Path, taxonomy: Taxonomy) -> bool:
    topics: list[str] = read_background_manifest(folder)["topics"]
    return topics == list(taxonomy.topic_ids)


def save_background(background: Background, folder: Path, provenance: dict[str, Any]) -> None:
    """Write a background: its terms and coefficients, and what it is worth on what it has seen.

    Args:
        background: To write.
        folder: Made where it is not there; what is there is replaced.
        provenance: Fields of its manifest: what it was made of, and how.
    """
    make_parent(folder / MANIFEST)
    topics = len(background.topics)
    scorer = Scorer(
        topics=background.topics,
        thresholds=np.full(topics, 0.5),
        relevance_threshold=0.0,
        precisions=(),
        precision_thresholds=np.zeros((topics, 0)),
        intercepts=background.intercepts,
        blocks=background.blocks,
        backends=Backends(background.blocks),
    )
    save_scorer(scorer, folder / SCORER)
    digests = np.array([*bytes.fromhex("".join(background.seen))], dtype=np.uint8)
    with replacing(folder / SEEN) as file:
        np.savez_compressed(
            file,
            sha1=digests.reshape(-1, _SHA1_BYTES),
            folds=background.folds,
            log_odds=background.log_odds,
            Y=background.Y,
            real=background.real,
            drawn=background.drawn,
        )
    files = {name: sha256_file(folder / name) for name in (SCORER, SEEN)}
    manifest = {**provenance, "topics": list(background.topics), "files": files}
    write_text(folder / MANIFEST, json.dumps(manifest, indent=2) + "\n")


def read_background(folder: Path) -> Background:
    """Read what ``save_background`` wrote, after a look at the hash of each file.

    Raises:
        ModelError: A file is missing or damaged.
    """
    manifest = read_background_manifest(folder)
    for name in (SCORER, SEEN):
        check_file(folder, name, manifest, _HINT)
    scorer = load_scorer(folder / SCORER)
    if list(scorer.topics) != manifest["topics"]:
        raise ModelError("manifest names other topics than the scorer", where=folder, hint=_HINT)
    seen = _read_seen(folder / SEEN, len(scorer.topics))
    rows = {row.tobytes().hex(): n for n, row in enumerate(seen.pop("sha1"))}
    return Background(scorer.topics, scorer.blocks, scorer.intercepts, rows, **seen)


def read_background_manifest(folder: Path) -> dict[str, Any]:
    """Read where a background comes from.

    Raises:
        ModelError: The file is missing or not a manifest of a background.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(manifest["files"], dict) or not isinstance(manifest["topics"], list):
            raise TypeError("no files or topics")  # noqa: TRY301
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as err:
        raise ModelError(
            f"no manifest of a background model ({err})", where=path, hint=_HINT
        ) from err
    check_fields(manifest, _PROVENANCE, path, _HINT)
    return dict(manifest)


def _read_seen(path: Path, topics: int) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path):  # and no single array, which numpy would read, too
            arrays = np.load(path, allow_pickle=False)
        with arrays:
            found = {name: arrays[name] for name in _SEEN_FORMS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as err:
        raise ModelError(f"cannot be read ({err})", where=path, hint=_HINT) from err
    folds = found["folds"]
    n, k = len(folds), len(found["log_odds"])
    sizes = {"n": n, "k": k, "sha1": _SHA1_BYTES, "t": topics, "t1": topics + 1}
    fits = all(
        found[name].dtype.name == kind and found[name].shape == tuple(sizes[axis] for axis in axes)
        for name, (kind, *axes) in _SEEN_FORMS.items()
    )
    if not fits or (n and not 0 <= folds.min() <= folds.max() < k):
        raise ModelError("arrays do not fit together", where=path, hint=_HINT)
    return found


_SEEN_FORMS = {
    "sha1": ("uint8", "n", "sha1"),
    "folds": ("int8", "n"),
    "log_odds": ("float16", "k", "n", "t1"),
    "Y": ("int8", "n", "t"),
    "real": ("bool", "n"),
    "drawn": ("bool", "n"),
}
