"""The store: ``<root>/<name>/<version>/`` folders and a ``current`` pointer per name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from topicml.errors import ModelError, did_you_mean

DEFAULT_MODEL = "alliance-topics"
ENVIRONMENT_VARIABLE = "TOPICML_MODELS"
_CURRENT = "current"
_VERSION = re.compile(r"\d+\.\d+\.\d+\Z")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


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
        if not folder.is_dir():
            return []
        found = [p.name for p in folder.iterdir() if p.is_dir() and _VERSION.match(p.name)]
        return sorted(found, key=_version_key)

    def current(self, name: str) -> str | None:
        """The version in use, or None where the name has no pointer."""
        try:
            return (self.root / name / _CURRENT).read_text(encoding="ascii").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as err:
            raise ModelError(
                f"pointer cannot be read ({err})",
                where=self.root / name / _CURRENT,
                hint="It holds one version number, such as 1.0.0.",
            ) from err

    def set_current(self, name: str, version: str) -> None:
        """Point a name at one of its versions, in one step."""
        if version not in self.versions(name):
            raise ModelError(
                f"{name} has no version {version!r}",
                where=self.root,
                hint=f"Versions: {', '.join(self.versions(name)) or 'none'}.",
            )
        pointer = self.root / name / _CURRENT
        temporary = pointer.with_name(_CURRENT + ".part")
        temporary.write_text(version + "\n", encoding="ascii")
        temporary.replace(pointer)

    def path(self, name: str, version: str) -> Path:
        """Folder of a version, whether it exists or not.

        Raises:
            ModelError: The name or the version is not of the form that folders have.
        """
        if not _NAME.match(name):
            raise ModelError(
                f"model name {name!r} is not made of lower-case words joined by hyphens",
                hint="Write it like 'alliance-topics'.",
            )
        if not _VERSION.match(version):
            raise ModelError(f"version {version!r} is not of the form 1.2.3", where=name)
        return self.root / name / version

    def next_version(self, name: str) -> str:
        """The version after the newest: minor number plus one."""
        versions = self.versions(name)
        if not versions:
            return "1.0.0"
        major, minor, _ = _version_key(versions[-1])
        return f"{major}.{minor + 1}.0"

    def _default_name(self) -> str:
        names = self.names()
        return names[0] if len(names) == 1 else DEFAULT_MODEL

    def find(self, reference: str | None = None) -> Path:
        """Return the folder of ``name``, ``name@version`` or a path; the default for None.

        Raises:
            ModelError: No such model; says which there are.
        """
        reference = reference or self._default_name()
        if "/" in reference or os.sep in reference or reference.startswith("."):
            return Path(reference)
        name, _, version = reference.partition("@")
        if not self.versions(name):
            raise ModelError(
                f"no model {name!r}",
                where=self.root,
                hint=did_you_mean(name, self.names())
                + f"Models: {', '.join(self.names()) or 'none'}. "
                f"Set {ENVIRONMENT_VARIABLE} or --models-dir to look elsewhere.",
            )
        chosen = version or self.current(name) or self.versions(name)[-1]
        if chosen not in self.versions(name):
            raise ModelError(
                f"{name} has no version {chosen!r}",
                where=self.root,
                hint=f"Versions: {', '.join(self.versions(name))}.",
            )
        return self.root / name / chosen


def default_store() -> ModelStore:
    """Find the store.

    It is what the environment variable says, a ``models/`` at or above the working
    directory with a current model in it, else the models that come with the package.
    """
    configured = os.environ.get(ENVIRONMENT_VARIABLE)
    if configured:
        return ModelStore(Path(configured))
    here = Path.cwd()
    for folder in (here, *here.parents):
        if any((folder / "models").glob(f"*/{_CURRENT}")):
            return ModelStore(folder / "models")
    return ModelStore(_shipped_models())


def _shipped_models() -> Path:
    package = Path(__file__).resolve().parents[1]
    bundled = package / "bundled_models"  # in a wheel
    return bundled if bundled.is_dir() else package.parents[1] / "models"  # in a clone


def _version_key(version: str) -> tuple[int, int, int]:
    major, minor, patch = version.split(".")
    return int(major), int(minor), int(patch)
