"""Several label files as one store: its counts, and the raw articles of its sentences."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from topicml.errors import LabelError
from topicml.labels.records import LabelRecord, read_labels
from topicml.taxonomy import Taxonomy


def read_label_files(paths: Sequence[Path], taxonomy: Taxonomy) -> list[LabelRecord]:
    """Read label files, and refuse what could not be trained on.

    Raises:
        LabelError: No file, a broken record, an unknown topic, or a duplicate id.
    """
    if not paths:
        raise LabelError("no label files", hint="Give one or more .jsonl files with --labels.")
    records: list[LabelRecord] = []
    files: dict[str, Path] = {}
    for path in paths:
        loaded = read_labels(path)
        check_topics(loaded, taxonomy, path)
        for record in loaded:
            if record.id in files:
                raise LabelError(
                    f"duplicate id {record.id!r}, first in {files[record.id]}",
                    where=path,
                    hint="Ids are unique over all label files: rename or remove one.",
                )
            files[record.id] = path
        records += loaded
    return records


def check_topics(records: Sequence[LabelRecord], taxonomy: Taxonomy, path: Path) -> None:
    """Raise a ``LabelError`` for the first record with a topic that the taxonomy does not have."""
    for record in records:
        line = f":{record.line}" if record.line else f" (id {record.id!r})"
        taxonomy.check(record.topics, f"{path}{line}")


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
    except (OSError, ValueError, KeyError, TypeError) as err:
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
