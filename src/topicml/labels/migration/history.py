"""The migrations that a label folder has behind it, and annotations read through them.

Each is a folder of ``migrations/`` that has the version for its name: the migration file, what
it changed in each file, and what is to be labelled anew. While it is under way the name ends in
``.applying`` or ``.undoing``, so that one that was cut off can be ended.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from topicml.errors import LabelError
from topicml.labels.fields import read_jsonl
from topicml.labels.migration.patches import Patch
from topicml.labels.migration.steps import Migration, read_migration, version_key
from topicml.labels.records import Annotation, annotation

FOLDER = "migrations"
STEPS, CHANGES, QUEUE, OPEN_CASES = "migration.toml", "changes.json", "relabel.jsonl", "cases.toml"
APPLYING, UNDOING = ".applying", ".undoing"


@dataclass(frozen=True, slots=True)
class Applied:
    """A migration that was applied.

    Attributes:
        folder: Where it is written down.
        migration: What it says.
    """

    folder: Path
    migration: Migration

    def patches(self) -> list[Patch]:
        """Return what it changed, the taxonomy file first.

        Raises:
            LabelError: The file that says so is damaged.
        """
        path = self.folder / CHANGES
        try:
            return [Patch.from_fields(fields) for fields in json.loads(path.read_bytes())]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as err:
            raise LabelError(
                f"cannot be read ({err})", where=path, hint="Restore it from version control."
            ) from err


def unfinished(folder: Path) -> Path | None:
    """Return the migration in a folder of labels that is under way, or was cut off."""
    found = [*(folder / FOLDER).glob(f"*{APPLYING}"), *(folder / FOLDER).glob(f"*{UNDOING}")]
    return found[0] if found else None


def check_finished(folder: Path) -> None:
    """Make sure that no file of a folder of labels is half way between two schemes.

    Raises:
        LabelError: A migration is under way, or was cut off.
    """
    if found := unfinished(folder):
        raise LabelError(
            "a migration is under way, or was cut off",
            where=found,
            hint="Wait for it, or give topicml labels migrate apply or undo again, which ends it.",
        )


def applied(folder: Path) -> list[Applied]:
    """Return the migrations of a folder of labels, in order.

    Raises:
        LabelError: One cannot be read, or is not finished.
    """
    check_finished(folder)
    paths = [
        path.parent
        for path in (folder / FOLDER).glob(f"*/{STEPS}")
        if path.parent.suffix != ".part"
    ]
    return [
        Applied(path, read_migration(path / STEPS))
        for path in sorted(paths, key=lambda path: version_key(path.name))
    ]


def read_through(annotations: Iterable[Annotation], folder: Path) -> list[Annotation]:
    """Return annotations as they are in the scheme that a folder of labels has now.

    One goes through each migration to a later version than its own; one that names none, through
    all. Where a sentence was given a topic that was then split, everything that was said of it
    before decides nothing.

    Raises:
        LabelError: See ``applied``.
    """
    found = [*annotations]
    for one in applied(folder):
        found = _moved(found, one.migration)
    return found


def _moved(annotations: list[Annotation], migration: Migration) -> list[Annotation]:
    version = version_key(migration.version)
    moves = {
        number: migration.move(one.topics)
        for number, one in enumerate(annotations)
        if version_key(one.scheme) < version
    }
    split: dict[str, set[str]] = {}
    for number, move in moves.items():
        if move.split:
            split.setdefault(annotations[number].id, set()).update(move.split)
    return [
        replace(
            one,
            topics=moves[number].topics,
            split=tuple(sorted({*one.split, *split.get(one.id, ())})),
        )
        if number in moves
        else one
        for number, one in enumerate(annotations)
    ]


def read_queue(folder: Path) -> list[Annotation]:
    """Return what migrations left to be labelled anew, as it is in the scheme of now.

    Raises:
        LabelError: A queue cannot be read; see ``applied``.
    """
    queued: list[Annotation] = []
    for one in applied(folder):
        queued = _moved(queued, one.migration)
        path = one.folder / QUEUE
        if path.exists():
            queued += [_queued(fields, f"{path}:{n}") for n, fields in read_jsonl(path)]
    return queued


def _queued(fields: dict[str, object], where: str) -> Annotation:
    split = fields.get("split")
    names = [one for one in split if isinstance(one, str)] if isinstance(split, list) else []
    return replace(annotation(fields, where), split=tuple(names))
