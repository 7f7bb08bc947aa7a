"""Labelled sentences as records, and the JSON Lines files they live in.

One object a line, UTF-8, keys sorted, made for diffs in git.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from topicml.errors import LabelError
from topicml.files import write_text

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""What no UTF-8 file can hold, but a JSON escape can smuggle in."""

Status = Literal["gold", "single", "skipped"]
Source = Literal["article", "authored"]


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """One labelled sentence.

    Attributes:
        id: Unique within the label store.
        article: Group for splits: no sentence of a group is on both sides.
        text: The sentence.
        topics: Topic ids, sorted; the empty tuple is a label too.
        source: ``article`` (real text) or ``authored`` (written for training).
        annotator: Who decided the label.
        status: ``gold`` (adjudicated), ``single`` (one pass) or ``skipped`` (no label).
        start: Character offset of the sentence in the raw file, where it has one.
        end: Character offset behind the sentence.
        round: Authoring round, for authored sentences.
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
    line: int | None = field(default=None, compare=False)

    def to_json(self) -> str:
        """Return the record as one line of JSON with sorted keys, absent fields left out."""
        fields = {k: v for k, v in asdict(self).items() if v is not None and k != "line"}
        return json.dumps(fields, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotator's decision on one sentence, before adjudication."""

    id: str
    topics: tuple[str, ...]
    annotator: str = ""


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number (from 1) and object of each line that is not blank.

    Raises:
        LabelError: The file is missing, not UTF-8, or a line is not a JSON object.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as err:
        raise LabelError(
            err.strerror or "cannot be read", where=path, hint="Check the path."
        ) from err
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            fields = json.loads(line.decode("utf-8"))
        except (ValueError, RecursionError) as err:  # not JSON, not UTF-8, nested without end
            raise LabelError(
                f"not valid JSON in UTF-8 ({err})", where=where, hint="Correct or remove the line."
            ) from err
        if not isinstance(fields, dict):
            raise LabelError(
                f"expected a JSON object, found {type(fields).__name__}",
                where=where,
                hint='Write one object a line: {"id": …, "text": …, "topics": […]}.',
            )
        yield number, fields


def read_labels(path: Path) -> list[LabelRecord]:
    """Read a file of labelled sentences.

    ``doc`` is taken for the group where ``article`` is absent, the sentence's own id
    where both are, so that labelled files of other makers can be evaluated as they are.

    Raises:
        LabelError: With file and line, for anything that is not a label record.
    """
    return [_label_record(fields, path, number) for number, fields in read_jsonl(path)]


def read_annotations(path: Path) -> list[Annotation]:
    """Read one annotator's pass: objects of ``id``, ``topics`` and maybe ``annotator``."""
    return [
        Annotation(
            id=_text_field(fields, "id", f"{path}:{number}"),
            topics=_topics_field(fields, f"{path}:{number}"),
            annotator=str(fields.get("annotator") or ""),
        )
        for number, fields in read_jsonl(path)
    ]


def write_labels(path: Path, records: Iterable[LabelRecord]) -> None:
    """Write records in the order given, replacing the file in one step."""
    write_text(path, "".join(record.to_json() + "\n" for record in records))


def _label_record(fields: dict[str, Any], path: Path, line: int) -> LabelRecord:
    where = f"{path}:{line}"
    identifier = _text_field(fields, "id", where)
    groups = [str(fields[k]) for k in ("article", "doc") if fields.get(k) not in (None, "")]
    return LabelRecord(
        id=identifier,
        article=groups[0] if groups else identifier,
        text=_text_field(fields, "text", where),
        topics=_topics_field(fields, where),
        source=cast("Source", _choice(fields, "source", ("article", "authored"), where)),
        annotator=str(fields.get("annotator") or ""),
        status=cast("Status", _choice(fields, "status", ("gold", "single", "skipped"), where)),
        start=_int_field(fields, "start", where),
        end=_int_field(fields, "end", where),
        round=_int_field(fields, "round", where),
        line=line,
    )


def _text_field(fields: dict[str, Any], key: str, where: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not value:
        raise _wrong(
            fields, key, "a string that is not empty", where, f"Give the record a {key!r}."
        )
    if LONE_SURROGATE.search(value):
        raise LabelError(
            f"{key!r} has a lone surrogate, half of a character",
            where=where,
            hint="Correct or remove the record.",
        )
    return value


def _topics_field(fields: dict[str, Any], where: str) -> tuple[str, ...]:
    value = fields.get("topics")
    if not isinstance(value, list) or not all(isinstance(topic, str) for topic in value):
        hint = "Write [] for a sentence with no topic."
        raise _wrong(fields, "topics", "a list of topic ids", where, hint)
    return tuple(sorted(set(value)))


def _int_field(fields: dict[str, Any], key: str, where: str) -> int | None:
    value = fields.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise _wrong(fields, key, "a whole number", where, "Correct it or leave it out.")


def _wrong(fields: dict[str, Any], key: str, expected: str, where: str, hint: str) -> LabelError:
    what = f"{key!r} must be {expected}, found {fields.get(key)!r}"
    return LabelError(what, where=where, hint=hint)


def _choice(fields: dict[str, Any], key: str, allowed: tuple[str, ...], where: str) -> str:
    value = fields.get(key, allowed[0])
    if value not in allowed:
        raise LabelError(
            f"{key!r} is {value!r}", where=where, hint=f"Use one of: {', '.join(allowed)}."
        )
    return str(value)
