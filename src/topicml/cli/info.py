"""``topicml info``."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
from collections.abc import Iterator
from importlib import import_module

import typer

from topicml import compiling
from topicml.cli import options
from topicml.errors import MissingExtraError, ModelError
from topicml.models.folder import base_of, read_scorer
from topicml.models.manifest import read_manifest
from topicml.models.store import ModelStore
from topicml.network.base import FETCH, Base, cached_folder
from topicml.scoring import compiler
from topicml.scoring.backends import BULK
from topicml.text.normalise import printable

_LIBRARIES = ("numpy", "scikit-learn", "joblib", "sentencex", "typer", "rich")
_NOT_INSTALLED = "not installed"
_OTHER_MODULE_NAMES = {"backports_zstd": "backports.zstd", "mlflow_skinny": "mlflow"}
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+).*;.*\bextra == ['\"](?P<extra>[\w-]+)['\"]")
_PYTHON_BELOW = re.compile(r"python_version < ['\"](\d+)\.(\d+)['\"]")


def info(model: options.Model = None, models_dir: options.ModelsDir = None) -> None:
    """Show versions, optional parts, paths, the model in use, and which scorer path is taken.

    Example: topicml info
    """
    store = options.model_store(models_dir)
    path = store.find(model)
    manifest = read_manifest(path)
    blocks = ", ".join(
        f"{b.analyzer} {b.ngram_range[0]}-{b.ngram_range[1]}-grams ({len(b.idf)})"
        for b in read_scorer(path, manifest).blocks
    )
    lines = [
        ("topicml", _version("topicml")),
        ("python", f"{platform.python_version()} ({sys.executable})"),
        *((library, _version(library)) for library in _LIBRARIES),
        *((f"optional: {extra}", _state(extra, names)) for extra, names in _extras().items()),
        ("models", str(store.root)),
        ("model", f"{manifest['name']}@{manifest['version']} ({path})"),
        ("features", blocks),
        *((f"base of {name}", _where_base_is(name, base)) for name, base in _bases(store)),
        *_scorer_lines(),
    ]
    width = max(len(key) for key, _ in lines)
    for key, value in lines:
        typer.echo(f"{key:<{width}}  {printable(value)}")


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
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # begins with the import
    try:
        import_module(_OTHER_MODULE_NAMES.get(module, module))
    except Exception as err:  # noqa: BLE001 - what a broken package raises may be anything
        return f" (installed but cannot be imported: {err})"
    return ""


def _bases(store: ModelStore) -> Iterator[tuple[str, Base]]:
    """Yield the models that are networks, with what they build on."""
    for name in store.names():
        with contextlib.suppress(ModelError):  # models list says what is damaged
            base = base_of(read_manifest(store.folder(name)))
            if base:
                yield name, base


def _where_base_is(name: str, base: Base) -> str:
    try:
        folder = cached_folder(base)
    except MissingExtraError as err:
        return f"{base.name}: {err.what}"
    if folder.is_dir():
        return f"{base.name} ({folder})"
    return f"{base.name}, not fetched: {FETCH} {name} puts it into {folder}"


def _scorer_lines() -> list[tuple[str, str]]:
    """Say which backend scores, and where compiled code is kept."""
    reason = compiling.why_not_usable()
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
