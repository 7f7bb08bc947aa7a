"""Which code made a model: the release, and in a git checkout the commit."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from topicml.version import __version__

_ROOT = Path(__file__).resolve().parents[3]
"""Of a checkout; where the package is installed it is no repository."""

_CODE = "src/topicml"


def code_version(root: Path = _ROOT) -> dict[str, Any]:
    """Return the version of the package, and of which commit it is.

    Args:
        root: Folder that is a git checkout, or is not; no other is looked for.

    Returns:
        ``version``, ``commit`` and ``modified``: whether the package's code differs from the
        commit. The last two are None where there is no checkout, or no git to ask.
    """
    commit = _git(root, "rev-parse", "HEAD")
    changes = None if commit is None else _git(root, "status", "--porcelain", "--", _CODE)
    modified = None if changes is None else bool(changes)
    return {"version": __version__, "commit": commit, "modified": modified}


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git says of a checkout; None where it is none, or git does not answer."""
    git = shutil.which("git") if (root / ".git").exists() else None
    if git is None:
        return None
    places = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(  # noqa: S603 - no shell
        [git, "-c", "core.fsmonitor=false", "-C", str(root), *arguments],
        env={**places, "GIT_OPTIONAL_LOCKS": "0"},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else None
