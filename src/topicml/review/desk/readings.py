"""What everybody has said of each sentence, and what one annotator can take back.

Nothing of its own is kept for that: the annotations say all, in the order they were made. What
takes back is an annotation, too, known by its ``origin``: the reading of before once more, or
where there was none one that decides nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from topicml.labels.annotations import AnnotationStore
from topicml.labels.gold import Decision, decide
from topicml.labels.migration.history import FOLDER as MIGRATIONS
from topicml.labels.records import Annotation
from topicml.review.desk.known import stamp_of

ORIGIN, TAKEN_BACK = "review", "review: taken back"


class Readings:
    """The annotations of a folder by sentence, read again when they have changed.

    Args:
        store: Where they are.
    """

    def __init__(self, store: AnnotationStore) -> None:
        self.store = store
        self._stamps: tuple[object, ...] | None = None
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
            self._all = self.store.read() if self.store.folder.is_dir() else []
            by_id: dict[str, list[Annotation]] = defaultdict(list)
            for one in self._all:
                by_id[one.id].append(one)
            self._by_id, self._stamps = dict(by_id), stamps
        return self._all

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


def to_take_back(annotations: Sequence[Annotation], annotator: str) -> Annotation | None:
    """Return what takes an annotator's last answer on the page back; None without one.

    Args:
        annotations: All, in the order they were added.
        annotator: Who.
    """
    standing: list[Annotation] = []
    answers: list[Annotation] = []
    for one in annotations:
        if one.annotator != annotator:
            continue
        if one.origin == TAKEN_BACK:
            if answers:
                standing.remove(answers.pop())
            continue
        standing.append(one)
        if one.origin == ORIGIN:
            answers.append(one)
    if not answers:
        return None
    last = answers[-1]
    before = [
        one
        for one in standing
        if one is not last and (one.id, one.adjudicated) == (last.id, last.adjudicated)
    ]
    if before:
        return replace(before[-1], time=None, origin=TAKEN_BACK, where="")
    return replace(
        last, topics=(), skipped=True, time=None, note="", reason="", origin=TAKEN_BACK, where=""
    )
