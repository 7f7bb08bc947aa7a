"""Ways to damage a model folder; ``rewrite_`` ones hash it anew, as a maker of models could."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from topicml.models.folder import sha256_file
from topicml.models.manifest import MANIFEST, manifest_text


def flip(path: Path, position: int, mask: int = 1) -> None:
    """Change one byte."""
    data = bytearray(path.read_bytes())
    data[position] ^= mask
    path.write_bytes(data)


def rewrite_manifest(folder: Path, **changes: Any) -> None:
    """Change fields of the manifest."""
    fields = {**json.loads((folder / MANIFEST).read_text(encoding="utf-8")), **changes}
    (folder / MANIFEST).write_text(manifest_text(fields), encoding="utf-8")


def rewrite_file(folder: Path, name: str, content: bytes | str) -> None:
    """Replace a file of the folder."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    fields = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    rewrite_manifest(folder, files={**fields["files"], name: sha256_file(folder / name)})


def copy_version(folder: Path, version: str) -> Path:
    """Make the same model once more, as another version beside it."""
    copy = Path(shutil.copytree(folder, folder.with_name(version)))
    rewrite_manifest(copy, version=version)
    return copy
