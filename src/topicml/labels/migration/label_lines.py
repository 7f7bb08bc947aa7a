"""Label files in a new scheme: only lines whose topics change, and nothing else in these."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from topicml.labels.migration.steps import Migration, Moved

_STYLES = tuple(product((False, True), ((", ", ": "), (",", ":"))))


@dataclass
class MovedLabels:
    """A label file in the new scheme.

    Attributes:
        content: Of the file.
        changed: Id, old topics and what they are now, of each label that changes.
        by_topic: How many labels had each old topic that changes.
        queue: Lines of those to be labelled anew, see ``queue.read_queue``.
    """

    content: bytes
    changed: list[tuple[str, tuple[str, ...], Moved]] = field(default_factory=list)
    by_topic: Counter[str] = field(default_factory=Counter)
    queue: list[str] = field(default_factory=list)


def move_labels(content: bytes, migration: Migration) -> MovedLabels:
    """Return a label file's content, which has been read as labels, in the new scheme.

    A label with a topic that was split is ``skipped`` from then on, so that nothing is trained
    on it, and is queued; one that was skipped before is not.
    """
    moved = MovedLabels(b"")
    lines = [_moved_line(line, migration, moved) for line in content.split(b"\n")]
    moved.content = b"\n".join(lines)
    return moved


def _moved_line(line: bytes, migration: Migration, moved: MovedLabels) -> bytes:
    if not line.strip():
        return line
    fields = json.loads(line)
    old = tuple(sorted({*fields["topics"]}))
    new = migration.move(old)
    if not migration.becomes.keys() & old or (new.topics == old and not new.split):
        return line
    moved.changed.append((fields["id"], old, new))
    moved.by_topic.update(topic for topic in old if topic in migration.becomes)
    if new.split and fields.get("status") != "skipped":
        moved.queue.append(_queue_line(fields, new, migration.version))
    return _rewritten(line, fields, new)


def _queue_line(fields: dict[str, Any], new: Moved, version: str) -> str:
    entry = {
        "id": fields["id"],
        "annotator": str(fields.get("annotator") or ""),
        "scheme": version,
        "topics": new.topics,
        "split": new.split,
    }
    return json.dumps(entry, ensure_ascii=False, sort_keys=True)


def _rewritten(line: bytes, fields: dict[str, Any], new: Moved) -> bytes:
    """Return a line with other topics, its keys in their order and its spaces in their places."""
    text = line.decode("utf-8")
    bare = text.strip()
    styles = (style for style in _STYLES if _dumped(fields, style) == bare)
    style = next(styles, _STYLES[0])
    keys = [*fields]
    fields |= {"topics": new.topics} | ({"status": "skipped"} if new.split else {})
    if keys == sorted(keys):
        fields = dict(sorted(fields.items()))
    start = text.index(bare)
    return (text[:start] + _dumped(fields, style) + text[start + len(bare) :]).encode("utf-8")


def _dumped(fields: dict[str, Any], style: tuple[bool, tuple[str, str]]) -> str:
    ascii_only, separators = style
    return json.dumps(fields, ensure_ascii=ascii_only, separators=separators)
