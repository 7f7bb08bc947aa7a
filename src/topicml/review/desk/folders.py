"""Where the parts of a project are that a desk works on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from topicml.errors import TaxonomyError
from topicml.files import write_text, writing

STATE = ".review"
"""Folder beside the label files for what the page remembers; git is told to leave it out."""


@dataclass(frozen=True, slots=True)
class Folders:
    """What a desk works on.

    Attributes:
        labels: Label files, the taxonomy, annotations.
        models: Where model versions are.
        project: Where commands run.
        data: Label files to compare versions by; none for all of ``labels``.
    """

    labels: Path
    models: Path
    project: Path
    data: tuple[Path, ...] = ()

    @property
    def taxonomy(self) -> Path:
        """The label scheme."""
        return self.labels / "taxonomy.toml"

    @property
    def state(self) -> Path:
        """What the page remembers."""
        return self.labels / STATE

    def prepared(self) -> Folders:
        """Return the same as absolute paths, the folder of the state made.

        Raises:
            TaxonomyError: There is no label scheme.
            OutputError: The folder of labels cannot be written to.
        """
        if not self.taxonomy.is_file():
            raise TaxonomyError(
                "no label scheme here",
                where=self.taxonomy,
                hint="Work in a project, such as topicml init makes, or name its folder of labels "
                "with --labels-dir.",
            )
        folders = (self.labels.resolve(), self.models.resolve(), self.project.resolve())
        found = Folders(*folders, tuple(path.resolve() for path in self.data))
        with writing(found.state):
            found.state.mkdir(exist_ok=True)
        ignore = found.state / ".gitignore"
        if not ignore.exists():
            write_text(ignore, "*\n")
        return found
