"""The sentences that label files have, found by id and by text, as the files are now."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from topicml.labels.checks import without_case
from topicml.labels.records import LabelRecord
from topicml.labels.store import LabelFile, read_label_file


class KnownLabel(NamedTuple):
    """A label, and the file that it is in."""

    path: Path
    record: LabelRecord


class _Index(NamedTuple):
    """The labels of a file, each by its id and by its text."""

    file: LabelFile
    by_id: dict[str, KnownLabel]
    by_text: dict[str, KnownLabel]


@dataclass(frozen=True, slots=True)
class KnownLabels:
    """All labels of a folder, file by file."""

    indexes: tuple[_Index, ...]

    @property
    def files(self) -> list[LabelFile]:
        """The label files."""
        return [index.file for index in self.indexes]

    def get(self, identifier: str) -> KnownLabel | None:
        """Return the label of an id."""
        return next((i.by_id[identifier] for i in self.indexes if identifier in i.by_id), None)

    def __getitem__(self, identifier: str) -> KnownLabel:
        """Return the label of an id that is there.

        Raises:
            KeyError: It is not.
        """
        if found := self.get(identifier):
            return found
        raise KeyError(identifier)

    def find(self, identifier: str, text: str) -> KnownLabel | None:
        """Return the label of a sentence, whatever id it has there: a text has one label."""
        plain = without_case(text)
        by_text = (i.by_text[plain] for i in self.indexes if plain in i.by_text)
        return self.get(identifier) or next(by_text, None)


class LabelFolder:
    """The label files of a folder, read again when one has changed.

    Args:
        folder: With ``*.jsonl``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, tuple[object, _Index]] = {}

    def paths(self) -> list[Path]:
        """Return the label files."""
        return sorted(self.folder.glob("*.jsonl"))

    def labels(self) -> KnownLabels:
        """Return the labels.

        Raises:
            LabelError: A file has something that is no label.
        """
        return KnownLabels(tuple(map(self._index, self.paths())))

    def _index(self, path: Path) -> _Index:
        stamp, before = stamp_of(path), self._read.get(path)
        if before is None or before[0] != stamp:
            before = self._read[path] = stamp, _indexed(read_label_file(path))
        return before[1]


def _indexed(file: LabelFile) -> _Index:
    index = _Index(file, {}, {})
    for record in file.records:
        known = KnownLabel(file.path, record)
        index.by_id.setdefault(record.id, known)
        index.by_text.setdefault(without_case(record.text), known)
    return index


def stamp_of(path: Path) -> tuple[object, ...]:
    """Return what changes when a file is written; files are replaced, or grow."""
    try:
        status = path.stat()
    except OSError:
        return (path, None)
    return path, status.st_ino, status.st_size, status.st_mtime_ns
