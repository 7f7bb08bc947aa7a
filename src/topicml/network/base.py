"""The language model that fine-tuning starts from: which one, and where its files lie.

It is never part of the project: its files are looked for in a folder given, else in the cache
of the Hugging Face hub, from where they come at a pinned revision. Each is checked by SHA-256
before it is read.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from topicml.errors import ModelError
from topicml.io.optional_dependencies import load

_CONFIG, _TOKENIZER, _WEIGHTS = "config.json", "tokenizer.json", "model.safetensors"


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


MPNET = Base(
    "sentence-transformers/all-mpnet-base-v2",
    "e8c3b32edf5434bc2275fc9bab85f82640a19130",
    {
        _CONFIG: "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
        _TOKENIZER: "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
        _WEIGHTS: "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    },
)
"""Song et al., "MPNet: Masked and Permuted Pre-training for Language Understanding", 2020, tuned
on sentence pairs by the makers of Sentence Transformers; Apache 2.0."""


def base_folder(base: Base, folder: Path | None = None) -> Path:
    """Return a folder with the files of a base model, each of them checked.

    Args:
        base: Which.
        folder: Where its files are; the cache of the Hugging Face hub where None, which is
            filled over the network where need be.

    Raises:
        ModelError: A file is missing or another one than it should be.
    """
    found = folder or _from_hub(base)
    for name, expected in base.files.items():
        _check(found / name, expected)
    return found


def _from_hub(base: Base) -> Path:
    hub = load("huggingface_hub", "neural", "the Hugging Face hub")
    try:
        return Path(
            hub.snapshot_download(
                base.name, revision=base.revision, allow_patterns=sorted(base.files)
            )
        )
    except (OSError, ValueError) as err:  # no network, no such revision, no room
        raise ModelError(
            f"cannot be had from the Hugging Face hub ({err})",
            where=base.name,
            hint="Give a folder with its files with --base.",
        ) from err


def _check(path: Path, expected: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as err:
        raise ModelError(
            "file is missing or unreadable",
            where=path,
            hint="--base takes a folder with config.json, tokenizer.json and model.safetensors.",
        ) from err
    if found != expected:
        raise ModelError(
            f"another file than the one that is known (SHA-256 {found[:12]}…, not "
            f"{expected[:12]}…)",
            where=path,
            hint="Get the files again, at the pinned revision.",
        )
