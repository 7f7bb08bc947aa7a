"""Labels by reference: the label of a sentence that is named by its place, not quoted.

A pointer says where the sentence stands: repository and path of the document, start and
length in characters of the document's normal form (``normal_form``), and the SHA-1 of the
sentence in UTF-8. The texts come from the archives (``topicml labels fetch``); see ``texts``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from topicml.errors import LabelError
from topicml.labels.fields import (
    choice_field,
    flag_field,
    read_jsonl,
    text_field,
    topics_field,
    wrong_field,
)
from topicml.labels.records import STATUSES, LabelRecord, Status

REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\Z", re.ASCII)
MAX_START = 100_000_000
MAX_LENGTH = 10_000
"""Characters: no sentence is as long."""

_SHA1 = re.compile(r"[0-9a-f]{40}\Z")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")
_HINT = "Correct or remove the record."


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a sentence of an archive stands.

    Attributes:
        repository: Owner and name, as ``archives.toml`` has it.
        path: Of the document in the repository; relative, without "..".
        start: Characters of the normal form before the sentence.
        length: Characters of the sentence.
        sha1: SHA-1 of the sentence in UTF-8, in lower-case hexadecimal digits.
    """

    repository: str
    path: str
    start: int
    length: int
    sha1: str

    @property
    def document(self) -> str:
        """The document's name over all archives: its group."""
        return f"{self.repository}/{self.path}"


@dataclass(frozen=True, slots=True)
class LabelReference:
    """The label of a sentence that is not quoted.

    Attributes:
        id: Unique within the label store.
        pointer: Where the sentence stands.
        topics: Topic ids, sorted; the empty tuple is a label too.
        annotator: Who decided the label.
        status: ``gold`` (adjudicated, or two blind annotators agreed), ``single`` or ``skipped``.
        unsure: The annotator thought that another could well decide differently.
        chosen: Why the sentence was picked for labelling: ``random``, ``uncertain``, ….
        line: Line of the file it was read from; no part of the record.
    """

    id: str
    pointer: Pointer
    topics: tuple[str, ...]
    annotator: str = ""
    status: Status = "single"
    unsure: bool = False
    chosen: str = ""
    line: int | None = field(default=None, compare=False)

    def to_json(self) -> str:
        """Return the reference as one line of JSON with sorted keys, absent fields left out."""
        fields: dict[str, Any] = {
            **asdict(self.pointer),
            "id": self.id,
            "topics": self.topics,
            "annotator": self.annotator,
            "status": self.status,
        }
        fields |= {"unsure": True} if self.unsure else {}
        fields |= {"chosen": self.chosen} if self.chosen else {}
        return json.dumps(fields, ensure_ascii=False, sort_keys=True)

    def with_text(self, text: str) -> LabelRecord:
        """Return the labelled sentence, now that its text is known."""
        return LabelRecord(
            id=self.id,
            article=self.pointer.document,
            text=text,
            topics=self.topics,
            source="archive",
            annotator=self.annotator,
            status=self.status,
            start=self.pointer.start,
            end=self.pointer.start + self.pointer.length,
            chosen=self.chosen or None,
            line=self.line,
        )


def is_reference(fields: dict[str, Any]) -> bool:
    """Whether a record of a label file names its sentence and does not quote it."""
    return "text" not in fields and "sha1" in fields


def read_references(path: Path) -> list[LabelReference]:
    """Read the labels by reference of a file, others passed over.

    Raises:
        LabelError: With file and line, for a pointer that could not be one.
    """
    return [
        label_reference(fields, path, number)
        for number, fields in read_jsonl(path)
        if is_reference(fields)
    ]


def label_reference(fields: dict[str, Any], path: Path, line: int) -> LabelReference:
    """Return a label by reference, checked.

    Raises:
        LabelError: With file and line.
    """
    where = f"{path}:{line}"
    statuses = _first("single", STATUSES)
    return LabelReference(
        id=text_field(fields, "id", where),
        pointer=_pointer(fields, where),
        topics=topics_field(fields, where),
        annotator=str(fields.get("annotator") or ""),
        status=cast("Status", choice_field(fields, "status", statuses, where)),
        unsure=flag_field(fields, "unsure", where),
        chosen=str(fields.get("chosen") or ""),
        line=line,
    )


def _first(default: str, choices: Sequence[str]) -> tuple[str, ...]:
    return (default, *(choice for choice in choices if choice != default))


def _pointer(fields: dict[str, Any], where: str) -> Pointer:
    repository = text_field(fields, "repository", where)
    if not REPOSITORY.match(repository):
        raise wrong_field(fields, "repository", "an owner and a name, as owner/name", where, _HINT)
    sha1 = text_field(fields, "sha1", where)
    if not _SHA1.match(sha1):
        raise wrong_field(fields, "sha1", "40 hexadecimal digits", where, _HINT)
    return Pointer(
        repository,
        _path_field(fields, where),
        _count_field(fields, "start", 0, MAX_START, where),
        _count_field(fields, "length", 1, MAX_LENGTH, where),
        sha1,
    )


def _path_field(fields: dict[str, Any], where: str) -> str:
    path = text_field(fields, "path", where)
    if not is_inside(path):
        raise wrong_field(fields, "path", "a relative path without '..'", where, _HINT)
    return path


def is_inside(path: str) -> bool:
    """Whether a document's path is relative, on one line, and leads nowhere else."""
    parts = path.split("/")
    return not _UNSAFE.search(path) and not any(part in {"", ".", ".."} for part in parts)


def _count_field(fields: dict[str, Any], key: str, least: int, most: int, where: str) -> int:
    value = fields.get(key)
    if type(value) is not int or not least <= value <= most:  # True is 1, too
        raise wrong_field(fields, key, f"a whole number from {least} to {most}", where, _HINT)
    return value


@dataclass(frozen=True, slots=True)
class ReferenceCount:
    """Labels by reference of a file: all, and those whose texts are here."""

    labels: int = 0
    with_text: int = 0

    def __add__(self, other: ReferenceCount) -> ReferenceCount:
        return ReferenceCount(self.labels + other.labels, self.with_text + other.with_text)

    def note(self) -> str:
        """Return what to tell where texts are not here, or an empty string."""
        if self.with_text == self.labels:
            return ""
        return (
            f"{self.labels:,} labels by reference; texts of {self.with_text:,} are here: "
            "run topicml labels fetch"
        )


def check_known(reference: LabelReference, known: Iterable[str], path: Path) -> None:
    """Raise a ``LabelError`` for a repository that is none of the known archives."""
    if reference.pointer.repository not in known:
        raise LabelError(
            f"unknown archive {reference.pointer.repository!r}",
            where=f"{path}:{reference.line}" if reference.line else path,
            hint=f"Known archives: {', '.join(known)}.",
        )
