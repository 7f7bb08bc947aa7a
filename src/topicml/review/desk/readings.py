"""What everybody has said of each sentence, and what one annotator can take back.

Nothing of its own is kept for that: the annotations say all, in the order they were made. What
takes back is an annotation, too, known by its ``origin``: the reading of before once more, or
where there was none one that decides nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from topicml.labels.annotations import AnnotationStore
from topicml.labels.gold import Decision, decide
from topicml.labels.migration.history import FOLDER as MIGRATIONS
from topicml.labels.migration.history import read_through
from topicml.labels.records import Annotation
from topicml.review.desk.known import stamp_of

ORIGIN, TAKEN_BACK, RESTORED = "review", "review: taken back", "review: restored"


class Readings:
    """The annotations of a folder by sentence, read again when they have changed.

    Args:
        store: Where they are.
    """

    def __init__(self, store: AnnotationStore) -> None:
        self.store = store
        self._stamps: tuple[object, ...] | None = None
        self._files: dict[Path, tuple[object, list[Annotation]]] = {}
        self._by_id: dict[str, list[Annotation]] = {}
        self._all: list[Annotation] = []

    def stamp(self) -> tuple[object, ...]:
        """Return what changes when somebody adds an annotation."""
        folder = self.store.folder
        paths = self.store.files() if folder.is_dir() else []
        return tuple(map(stamp_of, (*paths, folder.parent / MIGRATIONS)))

    def all(self) -> list[Annotation]:
        """Return all annotations, in the order they were added.

        Raises:
            LabelError: A file has something that is no annotation.
        """
        stamps = self.stamp()
        if stamps != self._stamps:
            self._all = self._read()
            by_id: dict[str, list[Annotation]] = defaultdict(list)
            for one in self._all:
                by_id[one.id].append(one)
            self._by_id, self._stamps = dict(by_id), stamps
        return self._all

    def _read(self) -> list[Annotation]:
        """Return all annotations in the scheme of now; of files that changed they are read anew."""
        folder = self.store.folder
        found: list[Annotation] = []
        for path in self.store.files() if folder.is_dir() else []:
            stamp, before = stamp_of(path), self._files.get(path)
            if before is None or before[0] != stamp:
                before = self._files[path] = stamp, self.store.read_file(path)
            found += before[1]
        return read_through(found, folder.parent)

    def of(self, identifier: str) -> Sequence[Annotation]:
        """Return the annotations of a sentence."""
        self.all()
        return self._by_id.get(identifier, ())

    def decision(self, identifier: str) -> Decision | None:
        """Return what the annotations of a sentence come to; None without any.

        Raises:
            LabelError: It cannot be told which of two counts.
        """
        found = self.of(identifier)
        return decide(found)[0] if found else None


def is_open(one: Annotation | None) -> bool:
    """Whether an annotator's last word leaves a sentence as if it had never been looked at."""
    return one is None or (one.skipped and one.origin == TAKEN_BACK)


def last_of(
    annotations: Sequence[Annotation], annotator: str, *, settles: bool = False
) -> Annotation | None:
    """Return an annotator's last word on a sentence; None where there was none.

    Args:
        annotations: Of the sentence.
        annotator: Who.
        settles: Whether adjudications are meant; else readings.
    """
    own = (one for one in annotations if one.annotator == annotator)
    return next((one for one in reversed([*own]) if one.adjudicated == settles), None)


def to_take_back(annotations: Sequence[Annotation], annotator: str) -> list[Annotation]:
    """Return what takes an annotator's last answer on the page back; nothing without one.

    What was settled in another way before is said once more.

    Args:
        annotations: All, in the order they were added.
        annotator: Who.
    """
    last = _last_answer([one for one in annotations if one.annotator == annotator])
    if last is None:
        return []
    until = next(n for n, one in enumerate(annotations) if one is last)
    before = [
        one
        for one in annotations[:until]
        if (one.id, one.adjudicated) == (last.id, last.adjudicated)
    ]
    own = [one for one in _standing(before) if one.annotator == annotator]
    if own:
        return [replace(own[-1], time=None, origin=TAKEN_BACK)]
    nothing = replace(last, topics=(), skipped=True, time=None, note="", reason="")
    settled = before[-1:] if last.adjudicated else []
    return [
        replace(nothing, origin=TAKEN_BACK),
        *(replace(one, time=None, origin=RESTORED) for one in settled if not one.skipped),
    ]


def _last_answer(own: Sequence[Annotation]) -> Annotation | None:
    answers: list[Annotation] = []
    for one in own:
        if one.origin == ORIGIN:
            answers.append(one)
        elif one.origin == TAKEN_BACK and answers:
            answers.pop()
    return answers[-1] if answers else None


def _standing(annotations: Sequence[Annotation]) -> list[Annotation]:
    """Return annotations of one sentence without those that were taken back, and what did so."""
    found: list[Annotation] = []
    for one in annotations:
        if one.origin != TAKEN_BACK:
            found.append(one)
            continue
        own = [n for n, other in enumerate(found) if other.annotator == one.annotator]
        answers = [n for n in own if found[n].origin == ORIGIN]
        if answers:
            del found[answers[-1]]
    return found
