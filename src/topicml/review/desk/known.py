"""The sentences that label files have, found by id and by text, as the files are now."""

from __future__ import annotations

from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class KnownLabels:
    """All labels of a folder, each by its id and by its text."""

    by_id: dict[str, KnownLabel]
    by_text: dict[str, KnownLabel]
    files: tuple[LabelFile, ...]

    def find(self, identifier: str, text: str) -> KnownLabel | None:
        """Return the label of a sentence, whatever id it has there: a text has one label."""
        return self.by_id.get(identifier) or self.by_text.get(without_case(text))


class LabelFolder:
    """The label files of a folder, read again when one has changed.

    Args:
        folder: With ``*.jsonl``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stamps: tuple[object, ...] | None = None
        self._known = KnownLabels({}, {}, ())
        self._read: dict[Path, tuple[object, LabelFile]] = {}

    def paths(self) -> list[Path]:
        """Return the label files."""
        return sorted(self.folder.glob("*.jsonl"))

    def labels(self) -> KnownLabels:
        """Return the labels.

        Raises:
            LabelError: A file has something that is no label.
        """
        paths = self.paths()
        stamps = tuple(stamp_of(path) for path in paths)
        if stamps != self._stamps:
            files = [self._file(path, stamp) for path, stamp in zip(paths, stamps, strict=True)]
            self._known, self._stamps = _indexed(files), stamps
        return self._known

    def _file(self, path: Path, stamp: object) -> LabelFile:
        before = self._read.get(path)
        if before is None or before[0] != stamp:
            before = self._read[path] = stamp, read_label_file(path)
        return before[1]


def _indexed(files: Sequence[LabelFile]) -> KnownLabels:
    by_id: dict[str, KnownLabel] = {}
    by_text: dict[str, KnownLabel] = {}
    for file in files:
        for record in file.records:
            known = KnownLabel(file.path, record)
            by_id.setdefault(record.id, known)
            by_text.setdefault(without_case(record.text), known)
    return KnownLabels(by_id, by_text, tuple(files))


def stamp_of(path: Path) -> tuple[object, ...]:
    """Return what changes when a file is written; files are replaced, or grow."""
    try:
        status = path.stat()
    except OSError:
        return (path, None)
    return path, status.st_ino, status.st_size, status.st_mtime_ns
