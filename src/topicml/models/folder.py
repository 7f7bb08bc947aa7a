"""One model version as a folder: written beside and renamed, checked by hash, never changed.

Format 1 has the files of ``FILES`` and a ``manifest.json`` with the SHA-256 of each of
them and of itself. A next format raises ``FORMAT``, teaches ``read_manifest`` to bring an
older manifest up to it, and adds a small folder of the old format to the tests.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from topicml.errors import ModelError
from topicml.scorer import Scorer, load_scorer

FORMAT = 1
MANIFEST = "manifest.json"
PIPELINE = "pipeline.joblib"
SCORER = "scorer.npz"
GOLDEN = "golden.jsonl"
CARD = "MODEL_CARD.md"
FILES = (PIPELINE, SCORER, GOLDEN, CARD)

GOLDEN_TOLERANCE = 1e-9
_RESTORE = "Restore the folder from version control or train the version again."
_SELF = "manifest_sha256"
_UNSET = "0" * 64


@dataclass(frozen=True, slots=True)
class Model:
    """A model version opened for scoring: data only, nothing unpickled."""

    path: Path
    manifest: dict[str, Any]
    scorer: Scorer

    @property
    def reference(self) -> str:
        """``name@version``, as it stands in every output record."""
        return f"{self.manifest['name']}@{self.manifest['version']}"


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(path: Path) -> dict[str, Any]:
    """Read and check the manifest of a model folder.

    Raises:
        ModelError: No model there, a damaged manifest, or a format this release cannot read.
    """
    file = path / MANIFEST
    try:
        text = file.read_text(encoding="utf-8")
        manifest = json.loads(text)
    except (FileNotFoundError, NotADirectoryError) as err:
        raise ModelError(
            "no model here: manifest.json is missing",
            where=path,
            hint="See what there is with: topicml models list",
        ) from err
    except (OSError, ValueError) as err:
        raise ModelError(f"manifest cannot be read ({err})", where=file, hint=_RESTORE) from err
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        raise ModelError(
            f"model format {found!r}, this release reads format {FORMAT}",
            where=file,
            hint="Install a topicml release that reads it, or train the version again.",
        )
    if manifest.get(_SELF) != _manifest_digest(text, str(manifest.get(_SELF))):
        raise ModelError("manifest does not agree with its own hash", where=file, hint=_RESTORE)
    return manifest


def open_model(path: Path) -> Model:
    """Open a model folder for scoring, after checking the scorer's hash.

    Raises:
        ModelError: The folder is missing, damaged, or of another format.
    """
    manifest = read_manifest(path)
    check_file(path, SCORER, manifest)
    scorer = load_scorer(path / SCORER)
    if list(scorer.topics) != manifest["topics"]:
        raise ModelError(
            "scorer and manifest name different topics", where=path / SCORER, hint=_RESTORE
        )
    return Model(path, manifest, scorer)


def check_file(path: Path, name: str, manifest: Mapping[str, Any]) -> None:
    """Raise a ``ModelError`` where a file of the folder is not the one in the manifest."""
    file = path / name
    try:
        found = sha256_file(file)
    except OSError as err:
        raise ModelError("file is missing or unreadable", where=file, hint=_RESTORE) from err
    expected = manifest["files"].get(name)
    if found != expected:
        raise ModelError(
            f"file is damaged or was changed (SHA-256 {found[:12]}…, not {str(expected)[:12]}…)",
            where=file,
            hint=_RESTORE,
        )


def verify_model(path: Path) -> Model:
    """Check every file's hash and recompute the golden sentences.

    Raises:
        ModelError: Names the first file or sentence that is not as it was made.
    """
    manifest = read_manifest(path)
    for name in FILES:
        check_file(path, name, manifest)
    strangers = {file.name for file in path.iterdir()} - {*FILES, MANIFEST}
    if strangers:
        raise ModelError(
            f"files that no manifest names: {', '.join(sorted(strangers))}",
            where=path,
            hint="Remove them: a model folder is never changed once made.",
        )
    model = open_model(path)
    check_golden(model)
    return model


def check_golden(model: Model) -> None:
    """Recompute the golden sentences and compare the probabilities."""
    lines = (model.path / GOLDEN).read_text(encoding="utf-8").splitlines()
    golden = [json.loads(line) for line in lines]
    found = model.scorer.score([row["text"] for row in golden])
    for row, probabilities, relevance in zip(
        golden, found.probabilities, found.relevance, strict=True
    ):
        expected = [row["probabilities"][topic] for topic in model.scorer.topics]
        gap = float(
            np.abs(np.array([*expected, row["relevance"]]) - [*probabilities, relevance]).max()
        )
        if not gap <= GOLDEN_TOLERANCE:  # NaN is no agreement
            raise ModelError(
                f"golden sentence {row['text'][:60]!r} is off by {gap:.2g}",
                where=model.path / GOLDEN,
                hint="This machine computes other probabilities than the model was made with: "
                "report it with the output of: topicml info",
            )


def golden_lines(scorer: Scorer, texts: Iterable[str]) -> str:
    """Return golden sentences with their probabilities, one JSON object a line."""
    texts = list(texts)
    lines = []
    scores = scorer.score(texts)
    for text, row, relevance in zip(texts, scores.probabilities, scores.relevance, strict=True):
        probabilities = dict(zip(scorer.topics, row.tolist(), strict=True))
        golden = {"probabilities": probabilities, "relevance": float(relevance), "text": text}
        lines.append(json.dumps(golden, sort_keys=True))
    return "\n".join(lines) + "\n"


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
    """Make the folder that a path is to lie in.

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
    """Gather finished files into a model folder that appears whole or not at all.

    Args:
        path: The folder to make; it must not exist.
        files: Where each of ``FILES`` lies now; they are moved.
        manifest: All but the format number and the hashes.

    Raises:
        ModelError: The version is there already.
    """
    prepare_folder(path)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as scratch:
        staged = Path(scratch) / path.name
        staged.mkdir()
        for name in FILES:
            shutil.move(files[name], staged / name)
        full = {
            **manifest,
            "format": FORMAT,
            "files": {name: sha256_file(staged / name) for name in FILES},
        }
        (staged / MANIFEST).write_text(manifest_text(full), encoding="utf-8")
        staged.rename(path)


def pick_golden(texts: Sequence[str], most: int = 200) -> list[str]:
    """Return up to ``most`` texts spread evenly, and a few that are hard to tokenise."""
    step = max(1, -(-len(texts) // most))
    return [*texts[::step], *_HARD_TEXTS]


_HARD_TEXTS = (
    "",
    "a",
    "İstanbul ve IRAK: NATO’nun komutanlığı",
    "Die Straße nach Büchel — ΟΔΥΣΣΕΥΣ",
    "日米同盟の抑止力 and the alliance 🤝",
    "NUL\x00 and\ttab\u2028line\u00a0space",
    "cafe\u0301 naïve ﬁnal",
)


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """Return a manifest as its file holds it, with its own hash in it."""
    fields = {**manifest, _SELF: _UNSET}
    text = json.dumps(fields, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    return text.replace(_UNSET, _manifest_digest(text, _UNSET))


def _manifest_digest(text: str, digest: str) -> str:
    """Return the SHA-256 of the manifest's bytes with its own digest set to zeros."""
    return hashlib.sha256(text.replace(digest, _UNSET).encode("utf-8")).hexdigest()
