"""Several label files as one store: its counts, and the raw articles of its sentences."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from topicml.errors import LabelError
from topicml.labels.fields import noted, read_jsonl
from topicml.labels.records import LabelRecord, label_record
from topicml.labels.references import (
    LabelReference,
    ReferenceCount,
    is_reference,
    label_reference,
)
from topicml.labels.texts import read_texts
from topicml.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A label file, its labels by reference joined with their texts where these are here.

    Attributes:
        path: The file.
        records: Labelled sentences, in the file's order.
        without_text: Labels by reference whose texts are not here.
        references: Count of labels by reference, with text and without.
    """

    path: Path
    records: tuple[LabelRecord, ...]
    without_text: tuple[LabelReference, ...]
    references: ReferenceCount


def read_as_written(
    path: Path, errors: list[LabelError] | None = None
) -> list[LabelRecord | LabelReference]:
    """Read a file of labels, those by reference as such; see ``read_label_file``."""
    labels: list[LabelRecord | LabelReference] = []
    for number, fields in read_jsonl(path, errors):
        with noted(errors):
            make = label_reference if is_reference(fields) else label_record
            labels.append(make(fields, path, number))
    return labels


def read_label_file(path: Path, errors: list[LabelError] | None = None) -> LabelFile:
    """Read a file of labels, and the texts beside it of those by reference.

    Args:
        path: The file.
        errors: Gets what is no label, which is left out then; None to stop there.

    Raises:
        LabelError: With file and line, for anything that is no label.
    """
    labels = read_as_written(path, errors)
    references = [label for label in labels if isinstance(label, LabelReference)]
    texts = read_texts(path, {r.pointer.sha1 for r in references}) if references else {}
    without_text = tuple(r for r in references if r.pointer.sha1 not in texts)
    records = tuple(
        label if isinstance(label, LabelRecord) else label.with_text(texts[label.pointer.sha1])
        for label in labels
        if isinstance(label, LabelRecord) or label.pointer.sha1 in texts
    )
    count = ReferenceCount(len(references), len(references) - len(without_text))
    return LabelFile(path, records, without_text, count)


def read_label_files(paths: Sequence[Path], taxonomy: Taxonomy) -> list[LabelFile]:
    """Read label files, and refuse what could not be trained on.

    Raises:
        LabelError: No file, a broken record, an unknown topic, of a multiclass scheme not one
            topic, or a duplicate id.
    """
    if not paths:
        raise LabelError("no label files", hint="Give one or more .jsonl files with --labels.")
    loaded: list[LabelFile] = []
    first: dict[str, Path] = {}
    for path in paths:
        file = read_label_file(path)
        labels: list[LabelRecord | LabelReference] = [*file.records, *file.without_text]
        check_topics(labels, taxonomy, path)
        for label in labels:
            if label.id in first:
                raise LabelError(
                    f"duplicate id {label.id!r}, first in {first[label.id]}",
                    where=path,
                    hint="Ids are unique over all label files: rename or remove one.",
                )
            first[label.id] = path
        loaded.append(file)
    return loaded


def count_references(files: Iterable[LabelFile]) -> ReferenceCount:
    """Count labels by reference over several files."""
    return sum((file.references for file in files), ReferenceCount())


def check_topics(
    records: Sequence[LabelRecord | LabelReference], taxonomy: Taxonomy, path: Path
) -> None:
    """Raise a ``LabelError`` for the first record with topics that no text may carry."""
    for record in records:
        line = f":{record.line}" if record.line else f" (id {record.id!r})"
        check = taxonomy.check if record.status == "skipped" else taxonomy.check_label
        check(record.topics, f"{path}{line}")


def read_raw_articles(folder: Path) -> dict[str, str]:
    """Return each raw article's text by id, as ``manifest.json`` lists them; none without it.

    Raises:
        LabelError: The manifest or an article cannot be read.
    """
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return {}
    try:
        entries = json.loads(manifest.read_text(encoding="utf-8"))
        return {e["id"]: (folder / e["file"]).read_bytes().decode("utf-8") for e in entries}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as err:
        raise LabelError(
            f"raw articles cannot be read ({err!r})",
            where=manifest,
            hint="It lists each article's id and file; correct it, or point --raw elsewhere.",
        ) from err


@dataclass(frozen=True, slots=True)
class TopicStats:
    """How often a topic occurs, and how often alone."""

    topic: str
    sentences: int
    alone: int


def label_stats(records: Iterable[LabelRecord], taxonomy: Taxonomy) -> list[TopicStats]:
    """Count each topic's sentences, all and those with no other topic."""
    counts: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    for record in records:
        counts.update(record.topics)
        if len(record.topics) == 1:
            alone.update(record.topics)
    return [TopicStats(topic, counts[topic], alone[topic]) for topic in taxonomy.topic_ids]


def group_sizes(records: Iterable[LabelRecord]) -> dict[str, int]:
    """Count sentences per group, in order of first appearance."""
    return dict(Counter(record.article for record in records))
