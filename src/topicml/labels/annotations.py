"""The annotations of a folder: who read which sentence as what. Nothing in it is ever changed.

New ones are appended to ``annotations.jsonl``, one a line; other JSON Lines files of the folder
are read with it, all of them through the migrations beside the folder, if the scheme has any.
See ``gold`` for what follows from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from topicml.appending import append_lines, locked, whole_lines
from topicml.errors import LabelError
from topicml.labels.fields import parse_jsonl, read_content
from topicml.labels.gold import GOLD_RULES, Decision, decide
from topicml.labels.migration.history import read_through
from topicml.labels.records import Annotation, annotation, read_annotations

FILE = "annotations.jsonl"


class AnnotationStore:
    """Annotations of a folder, which several processes may add to at once.

    Attributes:
        folder: See below.
        path: The file that new ones are added to.

    Args:
        folder: Made with the first annotation.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / FILE

    def append(self, annotations: Iterable[Annotation]) -> list[Annotation]:
        """Add annotations; once this returns they are on disk.

        Args:
            annotations: Those without a time get that of now.

        Returns:
            The annotations as they were written.

        Raises:
            LabelError: One could not be read back, or has no annotator; none is added then.
            OutputError: The folder cannot be written; none is added then.
        """
        now = datetime.now(UTC)
        written = [_read_back(replace(one, time=one.time or now)) for one in annotations]
        if written:
            lines = "".join(one.to_json() + "\n" for one in written)
            append_lines(self.path, lines.encode())
        return written

    def files(self) -> list[Path]:
        """Return the folder's files of annotations.

        Raises:
            LabelError: There is no such folder.
        """
        if not self.folder.is_dir():
            raise LabelError(
                "no such folder of annotations", where=self.folder, hint="Check the path."
            )
        return sorted(self.folder.glob("*.jsonl"))

    def read(self) -> list[Annotation]:
        """Return all annotations in the scheme of now, file by file, in the order they were added.

        Raises:
            LabelError: With file and line, for anything that is no annotation.
        """
        return read_through(self.read_as_written(), self.folder.parent)

    def read_as_written(self) -> list[Annotation]:
        """Return what ``read`` does, each in the scheme that it was made by."""
        return [one for path in self.files() for one in self.read_file(path)]

    def read_file(self, path: Path) -> list[Annotation]:
        """Return the annotations of one of the folder's files, as they are written."""
        return self._read_own() if path == self.path else read_annotations(path)

    def gold(self) -> list[Decision]:
        """Return what is decided, by id; see ``gold.decide`` for the rule.

        Raises:
            LabelError: See ``read``; or it cannot be told which of two annotations counts.
        """
        return [one for one in decide(self.read()) if one.rule in GOLD_RULES]

    def _read_own(self) -> list[Annotation]:
        try:
            return self._parse()
        except LabelError:  # maybe read while a writer was cutting off what a killed one left
            with locked(self.path):
                return self._parse()

    def _parse(self) -> list[Annotation]:
        lines = parse_jsonl(whole_lines(read_content(self.path)), self.path)
        return [annotation(fields, f"{self.path}:{number}") for number, fields in lines]


def _read_back(one: Annotation) -> Annotation:
    """Return an annotation as it will be read, its topics sorted."""
    read = annotation(json.loads(one.to_json()), "annotation to add")
    if not read.annotator:
        raise LabelError(
            f"annotation of {read.id!r} has no annotator",
            where="annotation to add",
            hint="Say whose it is.",
        )
    return read
