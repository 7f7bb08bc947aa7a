"""The language model that a network is learned on top of: which one, and where its files lie.

It is never part of the project. Its files lie in the cache of the Hugging Face hub, where
``fetch_base`` puts them, or in a folder that is given; nothing here uses the network. Each is
checked by SHA-256 before it is read.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from topicml.errors import MissingExtraError, ModelError
from topicml.io.optional_dependencies import load

CONFIG, TOKENIZER, WEIGHTS = "config.json", "tokenizer.json", "model.safetensors"


@dataclass(frozen=True, slots=True)
class Base:
    """A pretrained encoder.

    Attributes:
        name: Of its repository on the hub.
        revision: Commit.
        files: SHA-256 of each file that is read.
    """

    name: str
    revision: str
    files: dict[str, str]


BASE_FILES = (CONFIG, TOKENIZER, WEIGHTS)
"""The files of a base that are read."""

MPNET = Base(
    "sentence-transformers/all-mpnet-base-v2",
    "e8c3b32edf5434bc2275fc9bab85f82640a19130",
    {
        CONFIG: "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
        TOKENIZER: "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
        WEIGHTS: "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    },
)
"""Song et al., "MPNet: Masked and Permuted Pre-training for Language Understanding", 2020, tuned
on sentence pairs by the makers of Sentence Transformers; Apache 2.0."""

FETCH = "topicml models fetch-base"


def base_folder(base: Base, folder: Path | None = None) -> Path:
    """Return a folder with the files of a base model, each of them checked.

    Args:
        base: Which.
        folder: Where its files are; in the cache where None.

    Raises:
        MissingExtraError: The cache does not have it, or the hub's library is not installed.
        ModelError: A file is missing or another one than it should be.
    """
    found = folder or cached_folder(base)
    if folder is None and not found.is_dir():
        raise MissingExtraError(
            f"{base.name}, which this model builds on, is not on this machine",
            where=found,
            hint=f"Get it once (440 MB): {FETCH}",
        )
    for name, expected in base.files.items():
        check_base_file(found / name, expected)
    return found


def cached_folder(base: Base) -> Path:
    """Return where the hub's cache has the files of a base, whether they are there or not.

    Raises:
        MissingExtraError: The hub's library is not installed.
    """
    purpose = "a model that is a network"
    cache: str = load("huggingface_hub.constants", "neural", purpose).HF_HUB_CACHE
    files = load("huggingface_hub.file_download", "neural", purpose)
    folder = files.repo_folder_name(repo_id=base.name, repo_type="model")
    return Path(cache, folder, "snapshots", base.revision)


def check_base_file(path: Path, expected: str) -> None:
    """Raise a ``ModelError`` where a file is not there, or has another SHA-256."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as err:
        raise ModelError(
            "file is missing or unreadable",
            where=path,
            hint=f"Get it again: {FETCH}. Or give a folder with config.json, tokenizer.json and "
            "model.safetensors.",
        ) from err
    if found != expected:
        raise another_file(path, found, expected)


def another_file(path: Path | str, found: str, expected: str) -> ModelError:
    """Return the error of a file with another SHA-256."""
    return ModelError(
        f"another file than the one that is known (SHA-256 {found[:12]}…, not {expected[:12]}…)",
        where=path,
        hint=f"Get it again, at the pinned revision: {FETCH}",
    )
