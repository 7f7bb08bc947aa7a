"""Labelled sentences as records, and the JSON Lines files they live in.

One object a line, UTF-8, keys sorted, made for diffs in git.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

from topicml.errors import LabelError
from topicml.files import write_text
from topicml.labels.fields import (
    choice_field,
    flag_field,
    int_field,
    optional_text_field,
    read_jsonl,
    text_field,
    time_field,
    topics_field,
    wrong_field,
)

Status = Literal["gold", "single", "skipped"]
Source = Literal["article", "authored", "archive"]
LONGEST = 100_000
"""Characters of a labelled text; beyond it is no sentence, and all work on it takes minutes."""

STATUSES: tuple[Status, ...] = ("gold", "single", "skipped")
SOURCES: tuple[Source, ...] = ("article", "authored", "archive")


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """One labelled sentence.

    Attributes:
        id: Unique within the label store.
        article: Group for splits: no sentence of a group is on both sides.
        text: The sentence.
        topics: Topic ids, sorted; the empty tuple is a label too.
        source: ``article`` (real text), ``archive`` (real text of a public archive, labelled by
            reference) or ``authored`` (written for training).
        annotator: Who decided the label.
        status: ``gold`` (adjudicated), ``single`` (one pass) or ``skipped`` (no label).
        start: Character offset of the sentence in the raw file, where it has one; of an archive's
            sentence in the document's normal form.
        end: Character offset behind the sentence.
        round: Authoring round, for authored sentences.
        chosen: Why it was picked for labelling, where known; ``random`` ones show the natural mix.
        line: Line of the file it was read from; no part of the record.
    """

    id: str
    article: str
    text: str
    topics: tuple[str, ...]
    source: Source = "article"
    annotator: str = ""
    status: Status = "gold"
    start: int | None = None
    end: int | None = None
    round: int | None = None
    chosen: str | None = None
    line: int | None = field(default=None, compare=False)

    def to_json(self) -> str:
        """Return the record as one line of JSON with sorted keys, absent fields left out."""
        fields = {k: v for k, v in asdict(self).items() if v is not None and k != "line"}
        return json.dumps(fields, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotator's decision on one sentence, or what was decided where annotators differ.

    Attributes:
        id: The sentence's.
        topics: Topic ids, sorted; the empty tuple is a decision, too.
        annotator: Who decided.
        time: When, in UTC; None where it was not written down.
        scheme: Version of the label scheme it was decided by.
        origin: The tool or the file it came from.
        sha1: SHA-1 of the sentence's text in UTF-8.
        skipped: It was looked at and not decided; there are no topics then. Of an adjudication:
            it was taken back.
        adjudicated: It settles what annotators differ in, and is no reading of its own.
        note: The annotator's remark.
        reason: Why an adjudication came out as it did.
        split: Topics that the sentence was given and that have been split since: it decides
            nothing any more. Known from the scheme's migrations, and never written.
        where: File and line it was read from; no part of the annotation.
    """

    id: str
    topics: tuple[str, ...]
    annotator: str = ""
    time: datetime | None = None
    scheme: str = ""
    origin: str = ""
    sha1: str = ""
    skipped: bool = False
    adjudicated: bool = False
    note: str = ""
    reason: str = ""
    split: tuple[str, ...] = ()
    where: str = field(default="", compare=False)

    @property
    def decides(self) -> bool:
        """Whether it says which topics the sentence has."""
        return not self.skipped and not self.split

    def to_json(self) -> str:
        """Return the annotation as one line of JSON with sorted keys, absent fields left out."""
        unwritten = ("topics", "split", "where")
        fields = {k: v for k, v in asdict(self).items() if v and k not in unwritten}
        if self.time:
            utc = self.time.astimezone(UTC).isoformat(timespec="milliseconds")
            fields["time"] = utc.replace("+00:00", "Z")
        if not self.skipped:
            fields["topics"] = self.topics
        return json.dumps(fields, ensure_ascii=False, sort_keys=True)


def read_labels(path: Path) -> list[LabelRecord]:
    """Read a file of labelled sentences.

    ``doc`` is taken for the group where ``article`` is absent, the sentence's own id
    where both are, so that labelled files of other makers can be evaluated as they are.

    Raises:
        LabelError: With file and line, for anything that is not a label record.
    """
    return [label_record(fields, path, number) for number, fields in read_jsonl(path)]


def read_annotations(path: Path) -> list[Annotation]:
    """Read a file of annotations.

    Raises:
        LabelError: With file and line, for anything that is no annotation.
    """
    return [annotation(fields, f"{path}:{number}") for number, fields in read_jsonl(path)]


def annotation(fields: dict[str, Any], where: str) -> Annotation:
    """Return an annotation, checked.

    Only ``id`` and ``topics`` need be there. Adjudications of before ``adjudicated`` was
    written have ``pass_1`` and ``pass_2``, the topics that differed.

    Raises:
        LabelError: With ``where``.
    """
    skipped = flag_field(fields, "skipped", where)
    if skipped and fields.get("topics"):
        raise wrong_field(
            fields, "topics", "absent where 'skipped' is true", where, "Remove one of the two."
        )
    remarks: dict[str, Any] = {key: optional_text_field(fields, key, where) for key in _REMARKS}
    return Annotation(
        id=text_field(fields, "id", where),
        topics=() if skipped else topics_field(fields, where),
        time=time_field(fields, "time", where),
        skipped=skipped,
        adjudicated=flag_field(fields, "adjudicated", where) or "pass_1" in fields,
        where=where,
        **remarks,
    )


_REMARKS = ("annotator", "scheme", "origin", "sha1", "note", "reason")


def write_labels(path: Path, records: Iterable[LabelRecord]) -> None:
    """Write records in the order given, replacing the file in one step."""
    write_text(path, "".join(record.to_json() + "\n" for record in records))


def label_record(fields: dict[str, Any], path: Path, line: int) -> LabelRecord:
    """Return a labelled sentence, checked.

    Raises:
        LabelError: With file and line.
    """
    where = f"{path}:{line}"
    identifier = text_field(fields, "id", where)
    text = text_field(fields, "text", where)
    if len(text) > LONGEST:
        raise LabelError(
            f"a text of {len(text):,} characters is no sentence",
            where=where,
            hint=f"Label sentences; up to {LONGEST:,} characters are read.",
        )
    groups = [str(fields[k]) for k in ("article", "doc") if fields.get(k) not in (None, "")]
    return LabelRecord(
        id=identifier,
        article=groups[0] if groups else identifier,
        text=text,
        topics=topics_field(fields, where),
        source=cast("Source", choice_field(fields, "source", SOURCES, where)),
        annotator=str(fields.get("annotator") or ""),
        status=cast("Status", choice_field(fields, "status", STATUSES, where)),
        start=int_field(fields, "start", where),
        end=int_field(fields, "end", where),
        round=int_field(fields, "round", where),
        chosen=str(fields.get("chosen") or "") or None,
        line=line,
    )
