"""Where the parts of a project are, from wherever in it a command is run."""

from __future__ import annotations

from pathlib import Path

LABELS = Path("data/labels")
TAXONOMY = LABELS / "taxonomy.toml"
RAW = Path("data/raw")
ANNOTATIONS = LABELS / "annotations"
MODELS = Path("models")


def is_project(folder: Path) -> bool:
    """Whether a folder is a project: its label scheme is where it belongs."""
    return (folder / TAXONOMY).is_file()


def in_project(part: Path) -> Path:
    """Return the path of a project's part from the working directory.

    The project is the nearest folder at or above the working directory that is one; where none
    is, the working directory is taken.
    """
    here = Path.cwd()
    for steps, folder in enumerate((here, *here.parents)):
        if is_project(folder):
            return Path(*[".."] * steps, part)
    return part
