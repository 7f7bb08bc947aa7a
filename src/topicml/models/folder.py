"""One model version as a folder: written atomically, checked by hash, never changed.

It holds the files of its kind and ``manifest.json``; see ``manifest`` for its formats. Trust in
it comes in three degrees, each with all that the one before it proves:

- ``open_model``: what scores is, byte for byte, what was made.
- ``check_golden`` (``batch``, and ``classify`` where a model is new, see ``proven``): and this
  machine computes with it what was computed where it was made, by the path that is about to score.
- ``verify_model`` (``models verify`` and ``promote``, ``train``): and every other file is the one
  that was made, and none was added.

None proves who made the folder: whoever can write to it can write the hashes, too.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from topicml.errors import ModelError, TopicmlError
from topicml.models.golden import read_golden
from topicml.models.manifest import (
    FORMAT,
    LINEAR,
    MANIFEST,
    NETWORK,
    RESTORE,
    Fields,
    manifest_text,
    read_manifest,
    read_text,
)
from topicml.network.backend import read_by_network
from topicml.network.base import Base
from topicml.scoring.features import Floats
from topicml.scoring.scorer import Scorer
from topicml.scoring.scorer_file import load_scorer
from topicml.taxonomy import Taxonomy

PIPELINE = "pipeline.joblib"
SCORER = "scorer.npz"
GOLDEN = "golden.jsonl"
CARD = "MODEL_CARD.md"
ADAPTERS = "adapters.safetensors"
FILES = {
    LINEAR: (PIPELINE, SCORER, GOLDEN, CARD),
    NETWORK: (ADAPTERS, SCORER, GOLDEN, CARD),
}
"""By kind of model."""

GOLDEN_TOLERANCE = {LINEAR: 1e-9, NETWORK: 0.01}
"""By kind: how far a probability may be off. Networks are computed in less precision on some
processors."""

_MAX_CARD_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class Model:
    """A model version opened for scoring: data only, nothing unpickled."""

    path: Path
    manifest: Fields = field(repr=False)
    scorer: Scorer = field(repr=False)  # with its vocabulary it would fill a screen, and a notebook

    @property
    def reference(self) -> str:
        """``name@version``, as in every output record."""
        return f"{self.manifest['name']}@{self.manifest['version']}"


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_files(paths: Iterable[Path]) -> dict[str, str]:
    """Return the SHA-256 of each file, by its name."""
    return {path.name: sha256_file(path) for path in paths}


def open_model(path: Path) -> Model:
    """Open a model folder for scoring, after checking the scorer's hash.

    Raises:
        ModelError: The folder is missing, damaged, or of another format.
    """
    manifest = read_manifest(path)
    scorer = read_scorer(path, manifest)
    if base := base_of(manifest):
        check_file(path, ADAPTERS, manifest)
        scorer = read_by_network(scorer, base, path / ADAPTERS)
    return Model(path, manifest, scorer)


def read_scorer(path: Path, manifest: Mapping[str, Any]) -> Scorer:
    """Read a folder's scorer, after checking its hash; a network's knows words and thresholds.

    Raises:
        ModelError: It is missing, damaged, or of another model.
    """
    check_file(path, SCORER, manifest)
    scorer = load_scorer(path / SCORER)
    if list(scorer.topics) != manifest["topics"]:
        raise ModelError(
            "scorer and manifest name different topics", where=path / SCORER, hint=RESTORE
        )
    if asdict(scorer.scheme) != manifest["scheme"]:
        raise ModelError(
            "scorer and manifest name different schemes", where=path / SCORER, hint=RESTORE
        )
    return scorer


def check_scheme(model: Model, taxonomy: Taxonomy, where: Path) -> None:
    """Make sure that a model can be judged by labels of a taxonomy.

    Raises:
        TopicmlError: It has other topics, or its sentences are labelled otherwise.
    """
    topics, scheme = model.scorer.topics, model.scorer.scheme
    if (topics, scheme) == (taxonomy.topic_ids, taxonomy.scheme):
        return
    own, other = scheme, taxonomy.scheme
    what = (
        "has other topics than the taxonomy"
        if own == other
        else f"is {own.kind} ({own.language}), and the taxonomy {other.kind} ({other.language})"
    )
    raise TopicmlError(
        f"{model.reference} {what}",
        where=where,
        hint="Give the model's own taxonomy with --taxonomy.",
    )


def base_of(manifest: Mapping[str, Any]) -> Base | None:
    """Return the language model that a network builds on; None for a linear model."""
    return Base(**manifest["base"]) if manifest["kind"] == NETWORK else None


def check_file(path: Path, name: str, manifest: Mapping[str, Any], hint: str = RESTORE) -> None:
    """Raise a ``ModelError`` where a file of the folder is not the one in the manifest."""
    file = path / name
    expected = manifest["files"].get(name)
    if expected is None:
        raise ModelError(f"manifest has no hash of {name}", where=path / MANIFEST, hint=hint)
    try:
        found = sha256_file(file)
    except OSError as err:
        raise ModelError("file is missing or unreadable", where=file, hint=hint) from err
    if found != expected:
        raise ModelError(
            f"file is damaged or was changed (SHA-256 {found[:12]}…, not {expected[:12]}…)",
            where=file,
            hint=hint,
        )


def check_files(path: Path) -> Fields:
    """Check the manifest and every file's hash.

    Returns:
        The manifest.

    Raises:
        ModelError: Names the first file that is not as it was made.
    """
    manifest = read_manifest(path)
    names = FILES[manifest["kind"]]
    for name in names:
        check_file(path, name, manifest)
    others = {file.name for file in path.iterdir()} - {*names, MANIFEST}
    if others:
        raise ModelError(
            f"files that no manifest names: {', '.join(sorted(others))}",
            where=path,
            hint="Remove them: a model folder is never changed once made.",
        )
    return manifest


def verify_model(path: Path) -> Model:
    """Check every file of a folder, and the model as for a bulk run.

    Beyond ``check_golden``: the hashes of all files, and that no other file is there.

    Raises:
        ModelError: Names the first file or sentence that is not as it was made.
    """
    check_files(path)
    model = open_model(path)
    check_golden(model)
    return model


def check_golden(model: Model) -> bool:
    """Prove a model that ``open_model`` opened fit for a bulk run.

    ``golden.jsonl`` is the one that was made, by its hash, and each of its sentences comes out
    with the probabilities there, within ``GOLDEN_TOLERANCE``: on this machine, with its
    libraries, by the path that scores now. So call it in each process, once its scorer is
    compiled. A network that is off in less precision computes in full precision from then on.

    Returns:
        Whether it went over to full precision.

    Raises:
        ModelError: The file is not as it was made, or a sentence comes out otherwise.
    """
    file = model.path / GOLDEN
    check_file(model.path, GOLDEN, model.manifest)
    texts, expected = read_golden(file, model.scorer.topics)
    tolerance = GOLDEN_TOLERANCE[model.manifest["kind"]]
    gaps = _gaps(model, texts, expected)
    agrees = gaps.max(initial=0.0) <= tolerance  # NaN does not
    went_over = not agrees and model.scorer.use_full_precision()
    if went_over:
        gaps = _gaps(model, texts, expected)
    for text, gap in zip(texts, gaps.tolist(), strict=True):
        if not gap <= tolerance:
            raise ModelError(
                f"golden sentence {text[:60]!r} is off by {gap:.2g}",
                where=file,
                hint="This machine computes other probabilities than the model was made with: "
                "report it with the output of: topicml info",
            )
    return went_over


def _gaps(model: Model, texts: Sequence[str], expected: Floats) -> Floats:
    scores = model.scorer.score_texts(texts)
    found = np.column_stack([scores.probabilities, scores.relevance])
    gaps: Floats = np.abs(found - expected).max(axis=1)
    return gaps


def read_card(path: Path) -> str:
    """Read the model card, after checking its hash.

    Raises:
        ModelError: The manifest or the card is missing or damaged.
    """
    check_file(path, CARD, read_manifest(path))
    try:
        return read_text(path / CARD, _MAX_CARD_BYTES)
    except (OSError, ValueError) as err:
        raise ModelError(f"cannot be read ({err})", where=path / CARD, hint=RESTORE) from err


def prepare_folder(path: Path) -> None:
    """Make sure that a version can be written: it is new, and its parent is a folder.

    Raises:
        ModelError: The version is there already, or the folder cannot be made.
    """
    if path.exists():
        raise ModelError(
            "this version exists, and versions are never changed",
            where=path,
            hint="Give another one with --version.",
        )
    make_parent(path)


def make_parent(path: Path) -> None:
    """Make the parent folder of a path.

    Raises:
        ModelError: The folder cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise ModelError(
            f"folder cannot be made ({err.strerror})",
            where=path.parent,
            hint="Check the path and its permissions.",
        ) from err


def write_folder(path: Path, files: Mapping[str, Path], manifest: Mapping[str, Any]) -> None:
    """Move finished files into a new model folder, atomically.

    Args:
        path: The folder to make; it must not exist.
        files: Where each of the files of the model's kind is now; they are moved.
        manifest: All but the format number and the hashes.

    Raises:
        ModelError: The version is there already.
    """
    prepare_folder(path)
    import tempfile  # not at the top: it would slow every command's start

    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as temporary:
        staged = Path(temporary) / path.name
        staged.mkdir()
        names = FILES[manifest["kind"]]
        for name in names:
            shutil.move(files[name], staged / name)
        full = {
            **manifest,
            "format": FORMAT,
            "files": {name: sha256_file(staged / name) for name in names},
        }
        (staged / MANIFEST).write_text(manifest_text(full), encoding="utf-8")
        staged.rename(path)
