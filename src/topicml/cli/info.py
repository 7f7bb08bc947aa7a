"""``topicml info``."""

from __future__ import annotations

import platform
import sys

import typer

from topicml.cli.options import ModelOption, ModelsDirOption, model_store
from topicml.models.folder import open_model
from topicml.scoring import compiler
from topicml.scoring.backends import BULK

_LIBRARIES = ("numpy", "scikit-learn", "joblib", "sentencex", "typer", "rich")
_EXTRAS = {"batch": ("pyarrow", "numba"), "report": ("matplotlib",)}


def info(model: ModelOption = None, models_dir: ModelsDirOption = None) -> None:
    """Show versions, paths, the model in use, and which scorer path is taken.

    Example: topicml info
    """
    store = model_store(models_dir)
    opened = open_model(store.find(model))
    blocks = ", ".join(
        f"{b.analyzer} {b.ngram_range[0]}-{b.ngram_range[1]}-grams ({len(b.idf)})"
        for b in opened.scorer.blocks
    )
    lines = [
        ("topicml", _version("topicml")),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        *((library, _version(library)) for library in _LIBRARIES),
        *(
            (f"extra {extra}", ", ".join(f"{name} {_version(name)}" for name in names))
            for extra, names in _EXTRAS.items()
        ),
        ("models", str(store.root)),
        ("model", f"{opened.reference} ({opened.path})"),
        ("features", blocks),
        *_scorer_lines(),
    ]
    width = max(len(key) for key, _ in lines)
    for key, value in lines:
        typer.echo(f"{key:<{width}}  {value}")


def _scorer_lines() -> list[tuple[str, str]]:
    """Say which backend scores, and where compiled code is kept."""
    reason = compiler.why_not_usable()
    if reason:
        return [("scorer", f"reference ({reason})")]
    nowhere = "nowhere, so each process compiles anew (NUMBA_CACHE_DIR can name a folder)"
    state = "" if compiler.is_compiled_kept() else " (not yet)"
    folder = compiler.cache_folder()
    return [
        ("scorer", f"reference, compiled kernel beyond {BULK / 1_000_000:g} MB"),
        ("compiled in", f"{folder}{state}" if folder else nowhere),
    ]


def _version(library: str) -> str:
    import importlib.metadata  # not at the top: it would slow every command's start

    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
