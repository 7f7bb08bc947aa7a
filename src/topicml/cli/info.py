"""``topicml info``."""

from __future__ import annotations

import platform
import re
import sys
from importlib import import_module

import typer

from topicml.cli import options
from topicml.models.folder import open_model
from topicml.scoring import compiler
from topicml.scoring.backends import BULK

_LIBRARIES = ("numpy", "scikit-learn", "joblib", "sentencex", "typer", "rich")
_NOT_INSTALLED = "not installed"
_OTHER_MODULE_NAMES = {"backports_zstd": "backports.zstd"}
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+).*;.*\bextra == ['\"](?P<extra>[\w-]+)['\"]")
_PYTHON_BELOW = re.compile(r"python_version < ['\"](\d+)\.(\d+)['\"]")


def info(model: options.Model = None, models_dir: options.ModelsDir = None) -> None:
    """Show versions, optional parts, paths, the model in use, and which scorer path is taken.

    Example: topicml info
    """
    store = options.model_store(models_dir)
    opened = open_model(store.find(model))
    blocks = ", ".join(
        f"{b.analyzer} {b.ngram_range[0]}-{b.ngram_range[1]}-grams ({len(b.idf)})"
        for b in opened.scorer.blocks
    )
    lines = [
        ("topicml", _version("topicml")),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        *((library, _version(library)) for library in _LIBRARIES),
        *((f"optional: {extra}", _state(extra, names)) for extra, names in _extras().items()),
        ("models", str(store.root)),
        ("model", f"{opened.reference} ({opened.path})"),
        ("features", blocks),
        *_scorer_lines(),
    ]
    width = max(len(key) for key, _ in lines)
    for key, value in lines:
        typer.echo(f"{key:<{width}}  {value}")


def _extras() -> dict[str, list[str]]:
    """Return the packages of each extra but ``dev``, which is no part of the program."""
    import importlib.metadata

    packages: dict[str, list[str]] = {}
    for line in importlib.metadata.requires("topicml") or ():
        below = _PYTHON_BELOW.search(line)
        matched = _REQUIREMENT.match(line)
        if matched and not (below and sys.version_info >= tuple(map(int, below.groups()))):
            packages.setdefault(matched["extra"], []).append(matched["name"])
    packages.pop("dev", None)
    return packages


def _state(extra: str, packages: list[str]) -> str:
    """Say which packages of an extra are there, or which is missing and how to install it."""
    versions = {name: _version(name) for name in packages}
    missing = [name for name, version in versions.items() if version == _NOT_INSTALLED]
    if missing:
        return f"{_NOT_INSTALLED}: pip install 'topicml[{extra}]' (missing: {', '.join(missing)})"
    return ", ".join(f"{n} {version}{_import_error(n)}" for n, version in versions.items())


def _import_error(package: str) -> str:
    """Import a package that is installed, since nothing less shows whether it can be."""
    module = re.sub(r"[-.]", "_", package)
    try:
        import_module(_OTHER_MODULE_NAMES.get(module, module))
    except Exception as err:  # noqa: BLE001 - what a broken package raises may be anything
        return f" (installed but cannot be imported: {err})"
    return ""


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
        return _NOT_INSTALLED
