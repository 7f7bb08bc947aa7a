"""The store: ``<root>/<name>/<version>/`` folders, and which version of a name is in use.

Next to the version folders are two text files. ``current`` holds the version in use,
``previous`` those in use before it, one a line, the latest last. Each file is replaced
atomically. The current version at the end of ``previous`` is ignored: it means that a change of
version was interrupted between the two files. ``comparisons.jsonl`` says which versions were
compared (``comparisons``), and ``gate.toml``, where there is one, by which limits (``gate``).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from topicml.errors import ModelError, did_you_mean
from topicml.files import write_text
from topicml.models.manifest import NAME, VERSION
from topicml.project.folder import MODELS, is_project

DEFAULT_MODEL = "alliance-topics"
ACCURATE_MODEL = "alliance-topics-accurate"
"""A network, for those who would rather wait; it needs the extra ``neural``."""
ENVIRONMENT_VARIABLE = "TOPICML_MODELS"
BUNDLED = Path(__file__).resolve().parents[1] / "bundled_models"
"""Where a wheel has the models that come with it; nothing is there in a clone."""

_CURRENT = "current"
_PREVIOUS = "previous"


@dataclass(frozen=True, slots=True)
class ModelStore:
    """All model versions below one folder."""

    root: Path

    def names(self) -> list[str]:
        """Names that have at least one version."""
        if not self.root.is_dir():
            return []
        return sorted(p.name for p in self.root.iterdir() if p.is_dir() and self.versions(p.name))

    def versions(self, name: str) -> list[str]:
        """Versions of a name, oldest first."""
        folder = self.root / name
        if not (NAME.match(name) and folder.is_dir()):
            return []
        found = [p.name for p in folder.iterdir() if p.is_dir() and VERSION.match(p.name)]
        return sorted(found, key=_version_key)

    def current(self, name: str) -> str | None:
        """The version in use, or None where the name has no pointer.

        Raises:
            ModelError: The pointer is damaged.
        """
        lines = self._read(name, _CURRENT)
        if lines is None:
            return None
        if len(lines) != 1:
            raise _damaged(self.root / name / _CURRENT, f"it has {len(lines)} lines")
        return lines[0]

    def previous(self, name: str) -> list[str]:
        """Versions that were in use before the current one, the latest last.

        Raises:
            ModelError: One of the two files is damaged.
        """
        versions = self._read(name, _PREVIOUS) or []
        current = self.current(name)
        while versions and versions[-1] == current:  # an interrupted change
            versions.pop()
        return versions

    def set_current(self, name: str, version: str) -> None:
        """Point a name at one of its versions, in one step, and remember the one before.

        Raises:
            ModelError: No such version, or what is in use cannot be read.
            OutputError: The store cannot be written to.
        """
        self.folder(name, version)
        current = self.current(name)
        if current in self.versions(name) and current != version:
            self._write(name, _PREVIOUS, [*self.previous(name), current])
        self._write(name, _CURRENT, [version])

    def return_to_previous(self, name: str) -> None:
        """Point a name at the version that was in use before, and forget the current one.

        Raises:
            ModelError: No version was in use before, or it is gone.
            OutputError: The store cannot be written to.
        """
        version = self.previous_version(name)
        earlier = self.previous(name)[:-1]
        self._write(name, _CURRENT, [version])
        self._write(name, _PREVIOUS, earlier)

    def previous_version(self, name: str) -> str:
        """The version that was in use before the current one.

        Raises:
            ModelError: There was none, or it is gone.
        """
        versions = self._known_versions(name)
        previous = self.previous(name)
        if not previous or previous[-1] not in versions:
            what = f"{previous[-1]} is no longer there" if previous else "there was none"
            raise ModelError(
                f"cannot go back to the version that was current before: {what}",
                where=self.root / name,
                hint=f"Choose one with: topicml models promote {name}@VERSION. "
                f"Versions: {', '.join(versions)}.",
            )
        return previous[-1]

    def _read(self, name: str, file: str) -> list[str] | None:
        """Return the versions that a file holds, one a line, or None where it is missing."""
        path = self.root / name / file
        try:
            lines = path.read_text(encoding="ascii").split()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as err:
            raise _damaged(path, err) from err
        for line in lines:
            if not VERSION.match(line):
                raise _damaged(path, f"{line[:40]!r} is no version")
        return lines

    def _write(self, name: str, file: str, versions: Sequence[str]) -> None:
        write_text(self.root / name / file, "".join(version + "\n" for version in versions))

    def name_folder(self, name: str) -> Path:
        """Folder of all versions of a name, whether it exists or not.

        Raises:
            ModelError: The name is not of the form that folders have.
        """
        if not NAME.match(name):
            raise ModelError(
                f"model name {name!r} is not made of lower-case words joined by hyphens, "
                "of 100 letters at most",
                hint="Write it like 'alliance-topics'.",
            )
        return self.root / name

    def path(self, name: str, version: str) -> Path:
        """Folder of a version, whether it exists or not.

        Raises:
            ModelError: The name or the version is not of the form that folders have.
        """
        folder = self.name_folder(name)
        if not VERSION.match(version):
            raise ModelError(f"version {version!r} is not of the form 1.2.3", where=name)
        return folder / version

    def next_version(self, name: str) -> str:
        """The version after the newest: minor number plus one."""
        versions = self.versions(name)
        if not versions:
            return "1.0.0"
        major, minor, _ = _version_key(versions[-1])
        return f"{major}.{minor + 1}.0"

    def default_name(self) -> str:
        """The name that is meant where none is given: the only one, or the project's own."""
        names = self.names()
        return names[0] if len(names) == 1 else DEFAULT_MODEL

    def find(self, reference: str | None = None) -> Path:
        """Return the folder of ``name``, ``name@version`` or a path; the default for None.

        Raises:
            ModelError: No such model; says which there are.
        """
        reference = reference or self.default_name()
        if "/" in reference or os.sep in reference or reference.startswith("."):
            return Path(reference)
        name, _, version = reference.partition("@")
        return self.folder(name, version or None)

    def folder(self, name: str, version: str | None = None) -> Path:
        """Return the folder of a version that is there.

        Args:
            name: Model name.
            version: For None the current one, or the newest where the name has no pointer.

        Raises:
            ModelError: No such model; says which there are.
        """
        versions = self._known_versions(name)
        chosen = version or self.in_use(name)
        if chosen not in versions:
            raise ModelError(
                f"{name} has no version {chosen!r}",
                where=self.root,
                hint=f"Versions: {', '.join(versions)}.",
            )
        return self.root / name / chosen

    def in_use(self, name: str) -> str | None:
        """The current version, or the newest where the name has no pointer; None without any."""
        return self.current(name) or next(reversed(self.versions(name)), None)

    def _known_versions(self, name: str) -> list[str]:
        versions = self.versions(name)
        if not versions:
            raise ModelError(
                f"no model {name!r}" if self.names() else "no model yet",
                where=self.root,
                hint=did_you_mean(name, self.names())
                + f"Models: {', '.join(self.names()) or 'none, until topicml train makes one'}. "
                f"Set {ENVIRONMENT_VARIABLE} or --models-dir to look elsewhere.",
            )
        return versions


def _damaged(path: Path, why: object) -> ModelError:
    hint = "It holds a version number, such as 1.0.0; `previous` one a line."
    return ModelError(f"pointer cannot be read ({why})", where=path, hint=hint)


def default_store() -> ModelStore:
    """Find the store.

    It is what the environment variable says, a ``models/`` at or above the working
    directory with a current model in it, or of a project, which may have none yet, else the models
    that come with the package.
    """
    configured = os.environ.get(ENVIRONMENT_VARIABLE)
    if configured:
        return ModelStore(Path(configured))
    here = Path.cwd()
    for folder in (here, *here.parents):
        models = folder / MODELS
        if any(models.glob(f"*/{_CURRENT}")) or (is_project(folder) and models.is_dir()):
            return ModelStore(models)
    return ModelStore(BUNDLED if BUNDLED.is_dir() else BUNDLED.parents[2] / "models")  # in a clone


def _version_key(version: str) -> tuple[int, int, int]:
    major, minor, patch = version.split(".")
    return int(major), int(minor), int(patch)
