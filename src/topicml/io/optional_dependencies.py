"""Packages that only some formats need, imported when they do."""

from __future__ import annotations

import importlib
from types import ModuleType

from topicml.errors import MissingExtraError

ZSTD = "backports.zstd"
"""Python's own compression.zstd for versions before 3.14."""


def load(name: str, extra: str, purpose: str) -> ModuleType:
    """Import a package of an extra.

    Args:
        name: Of the package, as in an import.
        extra: That brings it.
        purpose: What needs it, as the start of a sentence.

    Raises:
        MissingExtraError: It is not installed; with the command that installs it.
    """
    package = name if name == ZSTD else name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except Exception as err:  # one made for another numpy raises anything
        why = "" if isinstance(err, ModuleNotFoundError) else f", which cannot be imported ({err})"
        raise MissingExtraError(
            f"{purpose} needs {package}{why}",
            hint=f"Install it: pip install 'topicml[{extra}]'",
        ) from err


def load_zstd() -> ModuleType:
    """Import the Zstandard module: Python's own from 3.14 on, its backport before.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return importlib.import_module("compression.zstd")
    except ModuleNotFoundError:
        return load(ZSTD, "batch", "a Zstandard file")
