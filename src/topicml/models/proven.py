"""Models proven on this machine once, so that a command that opens one is quick the next time.

A hash says that the numbers are those that the manifest names, not that they are what the model
was: whoever alters them can hash them anew. Golden sentences tell, and so does arithmetic that
goes wrong on this processor. ``prove_once`` recomputes them when it meets a model for the first
time, and leaves a note in the user's cache folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np

from topicml.models.folder import Model, base_of, check_golden, open_model
from topicml.version import __version__

CACHE_VARIABLE = "TOPICML_CACHE"
"""Environment variable that names another folder for notes."""

_FULL_PRECISION = "full precision"


def cache_folder() -> Path:
    """Return the folder for what is only kept to save time."""
    from platformdirs import user_cache_path

    configured = os.environ.get(CACHE_VARIABLE)
    return Path(configured) if configured else user_cache_path("topicml")


def open_for_use(path: Path, on_note: Callable[[str], None] = lambda _: None) -> Model:
    """Open a model folder, and prove it if it is new on this machine; see ``prove_once``.

    Args:
        path: The folder.
        on_note: Told where proving takes a while.

    Raises:
        ModelError: The folder is damaged, or a sentence comes out otherwise than it should.
    """
    model = open_model(path)
    prove_once(model, on_note)
    return model


def prove_once(model: Model, on_note: Callable[[str], None] = lambda _: None) -> None:
    """Prove a model on its golden sentences unless that was done here before; see ``check_golden``.

    Where no note can be left, it is done each time.

    Raises:
        ModelError: A sentence comes out otherwise than where the model was made.
    """
    note = cache_folder() / "proven" / _key(model)
    with contextlib.suppress(OSError):
        if note.read_text("utf-8") == _FULL_PRECISION:
            model.scorer.use_full_precision()
        return
    if model.scorer.uses_all_cores:
        on_note(f"{model.reference} is new here: its golden sentences are recomputed once")
    said = _FULL_PRECISION if check_golden(model) else ""
    with contextlib.suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(said, encoding="utf-8")


def _key(model: Model) -> str:
    """Return a name for this model on this machine with these libraries."""
    parts = [model.manifest["manifest_sha256"], __version__, np.__version__]
    parts += [platform.node(), platform.machine()]
    if base_of(model.manifest):
        import importlib.metadata  # not at the top: it would slow every command's start

        parts.append(importlib.metadata.version("torch"))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
