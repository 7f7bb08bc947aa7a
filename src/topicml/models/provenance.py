"""What label files tell of models: which sentences one was trained on, how labels changed.

A manifest has the name and the hash of each label file, and no sentence of it. So what a model
has seen is told from files that are at hand: by hash, or, where only a later or earlier state of
a file is, by its name, which is then said.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from topicml.errors import LabelError
from topicml.labels.checks import has_near_duplicate, without_case
from topicml.labels.store import LabelFile, read_label_file
from topicml.models.folder import Model, sha256_file


@dataclass(frozen=True, slots=True)
class Seen:
    """Which of n sentences a model was trained on, as far as files at hand tell.

    Attributes:
        same: Rows whose very text it was trained on, but for case and white space.
        near: Other rows that share most of their words with such a text.
        changed: Names of its label files that are here in another state alone.
        missing: Names of those that are not here.
        partial: Names of files of which it had some texts, and it is not known which.
    """

    same: NDArray[np.bool_]
    near: NDArray[np.bool_]
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    partial: tuple[str, ...]

    @property
    def is_known(self) -> bool:
        """Whether the files that it was trained on are all here."""
        return not (self.changed or self.missing or self.partial)

    @property
    def any(self) -> bool:
        """Whether it was trained on any of them, or on near copies."""
        return bool(self.same.any() or self.near.any())

    def note(self, reference: str) -> str:
        """Return what to say of it, in a line."""
        count, near = int(self.same.sum()), int(self.near.sum())
        words = [f"{reference} was trained on {count:,} of these {len(self.same):,} sentences"]
        words[0] += f", and on near copies of {near:,} more" if near else ""
        reasons = {
            "label files here in another state": self.changed,
            "label files not here, so it may be more": self.missing,
            "label files of which it had some texts alone": self.partial,
        }
        words += [f"{why}: {', '.join(names)}" for why, names in reasons.items() if names]
        return "; ".join(words)


@dataclass(frozen=True, slots=True)
class LabelEdits:
    """How one label file differs between two models.

    Attributes:
        file: Its name.
        status: ``same``, ``changed``, ``added`` or ``removed``.
        added: Ids of labels that only the new state has; None where a state is not at hand.
        removed: Ids that only the old state has.
        changed: Ids whose topics, text or status differ.
    """

    file: str
    status: str
    added: tuple[str, ...] | None = None
    removed: tuple[str, ...] | None = None
    changed: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class LabelFiles:
    """Label files at hand, read when they are asked for.

    Attributes:
        paths: All of them; the same file may be there in several states.
    """

    paths: Sequence[Path]
    _digests: dict[Path, str] = field(default_factory=dict)
    _read: dict[Path, LabelFile] = field(default_factory=dict)

    def of_hash(self, digest: str) -> LabelFile | None:
        """Return the file with that SHA-256."""
        for path in self.paths:
            if path not in self._digests:
                self._digests[path] = _sha256(path)
            if self._digests[path] == digest:
                return self._file(path)
        return None

    def of_name(self, name: str) -> list[LabelFile]:
        """Return the files of that name, in whatever state."""
        return [self._file(path) for path in self.paths if path.name == name]

    def _file(self, path: Path) -> LabelFile:
        if path not in self._read:
            self._read[path] = read_label_file(path)
        return self._read[path]


def _sha256(path: Path) -> str:
    try:
        return sha256_file(path)
    except OSError as err:
        hint = "Check the path."
        raise LabelError(err.strerror or "cannot be read", where=path, hint=hint) from err


def find_seen(model: Model, texts: Sequence[str], files: LabelFiles) -> Seen:
    """Find out which of n sentences a model was trained on.

    Raises:
        LabelError: A label file that tells cannot be read.
    """
    stated = model.manifest["labels"]
    references = stated.get("by_reference", {})
    trained: set[str] = set()
    changed: list[str] = []
    missing: list[str] = []
    partial: list[str] = []
    for name, digest in stated["files"].items():
        count = references.get(name)
        if count and not count["with_text"]:
            continue
        found = files.of_hash(digest)
        states = [found] if found else files.of_name(name)
        if found is None:
            (changed if states else missing).append(name)
        elif count and not count["with_text"] == count["labels"] == found.references.with_text:
            partial.append(name)
        trained |= _texts(states)
    normal = [without_case(text) for text in texts]
    same = np.array([text in trained for text in normal], dtype=np.bool_)
    others = np.flatnonzero(~same)
    near = np.zeros(len(texts), dtype=np.bool_)
    near[others] = has_near_duplicate([normal[i] for i in others], sorted(trained))
    return Seen(same, near, tuple(changed), tuple(missing), tuple(partial))


def _texts(files: Iterable[LabelFile]) -> set[str]:
    return {
        without_case(record.text)
        for file in files
        for record in file.records
        if record.status != "skipped"
    }


def label_edits(old: Model, new: Model, files: LabelFiles) -> tuple[LabelEdits, ...]:
    """Tell how the labels changed between two models, label by label where both files are here.

    Raises:
        LabelError: A label file cannot be read.
    """
    before: Mapping[str, str] = old.manifest["labels"]["files"]
    after: Mapping[str, str] = new.manifest["labels"]["files"]
    return tuple(
        _edits(name, before.get(name), after.get(name), files)
        for name in sorted(before.keys() | after.keys())
    )


def _edits(name: str, before: str | None, after: str | None, files: LabelFiles) -> LabelEdits:
    if before == after:
        return LabelEdits(name, "same", (), (), ())
    status = "added" if before is None else "removed" if after is None else "changed"
    old, new = (
        {} if digest is None else _labels(files.of_hash(digest)) for digest in (before, after)
    )
    if old is None or new is None:
        return LabelEdits(name, status)
    both = old.keys() & new.keys()
    return LabelEdits(
        name,
        status,
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(old.keys() - new.keys())),
        tuple(sorted(key for key in both if old[key] != new[key])),
    )


def _labels(file: LabelFile | None) -> dict[str, tuple[object, ...]] | None:
    if file is None:
        return None
    with_text = {r.id: (r.topics, r.status, r.text) for r in file.records}
    return with_text | {r.id: (r.topics, r.status, r.pointer) for r in file.without_text}
