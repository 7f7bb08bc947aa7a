"""Answers of annotators: written down as annotations first, then label files follow."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from topicml.appending import locked
from topicml.errors import LabelError
from topicml.files import write_text
from topicml.labels.fields import LONE_SURROGATE
from topicml.labels.gold import GOLD_RULES, decide
from topicml.labels.records import LONGEST, Annotation, LabelRecord
from topicml.labels.store import read_as_written
from topicml.labels.texts import sha1_of
from topicml.review.desk.following import follow
from topicml.review.desk.known import KnownLabel, LabelFolder
from topicml.review.desk.readings import ORIGIN, Readings, last_of, to_take_back
from topicml.taxonomy import Taxonomy

FILE = "reviewed.jsonl"
"""Label file of sentences that were first labelled on the page."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody says of a sentence.

    Attributes:
        annotator: Who.
        topics: Those that it carries, the empty tuple for none; None to leave it undecided.
        settles: Whether it decides where others, or a label and the model, differ.
        note: A remark.
    """

    annotator: str
    topics: tuple[str, ...] | None
    settles: bool = False
    note: str = ""


class Answers:
    """Takes answers of any number of people at once.

    Args:
        labels: The label files.
        readings: What was said so far.
    """

    def __init__(self, labels: LabelFolder, readings: Readings) -> None:
        self._labels = labels
        self._readings = readings
        self._turn = threading.Lock()  # of this process; files have locks of their own

    def give(self, sentence: LabelRecord, answer: Answer, taxonomy: Taxonomy) -> None:
        """Write an answer down; once this returns it is on disk.

        The same answer given twice, as by a page that did not hear of the first, is one.

        Args:
            sentence: With its id and text; written to ``FILE`` where no label file has it.
            answer: See above.
            taxonomy: Its topics are known.

        Raises:
            LabelError: No name, an unknown topic, or not one where a scheme has exactly one.
            OutputError: It could not be written; nothing was then.
        """
        checked = _checked(answer, taxonomy)
        with self._turn:
            known = self._known(sentence)
            said = self._readings.of(known.record.id)
            new = Annotation(
                known.record.id,
                checked.topics or (),
                checked.annotator,
                scheme=taxonomy.version,
                origin=ORIGIN,
                sha1=sha1_of(known.record.text),
                skipped=checked.topics is None,
                adjudicated=checked.settles,
                note="" if checked.settles else checked.note,
                reason=checked.note if checked.settles else "",
            )
            if _says_anew(new, last_of(said, new.annotator, settles=new.adjudicated)):
                self._readings.store.append([*_own_reading(known, said), new])
                self.follow([new.id])

    def take_back(self, annotator: str) -> Annotation | None:
        """Take an annotator's last answer back; return what does so, None without an answer.

        Raises:
            OutputError: It could not be written.
        """
        with self._turn:
            found = to_take_back(self._readings.all(), annotator)
            if not found:
                return None
            self._readings.store.append(found)
            self.follow([found[0].id])
            return found[0]

    def follow(self, identifiers: Iterable[str]) -> None:
        """Bring the labels of sentences to what annotations come to."""
        decisions = {one: said for one in identifiers if (said := self._readings.decision(one))}
        known = self._labels.labels()
        found = (known.get(one) for one in decisions)
        for path in sorted({label.path for label in found if label}):
            follow(path, decisions)

    def catch_up(self) -> None:
        """Bring all labels to their annotations of the page, should a server have been killed."""
        with self._turn:
            self.follow({one.id for one in self._readings.all() if one.origin.startswith(ORIGIN)})

    def _known(self, sentence: LabelRecord) -> KnownLabel:
        """Return the label of a sentence; where there is none it gets one without an answer."""
        if found := self._labels.labels().find(sentence.id, sentence.text):
            return found
        path = self._labels.folder / FILE
        with locked(path):
            there = {label.id for label in read_as_written(path)} if path.is_file() else set()
            if sentence.id not in there:
                text = path.read_bytes().decode("utf-8") if path.is_file() else ""
                end = "" if text.endswith("\n") or not text else "\n"
                empty = replace(sentence, topics=(), annotator="", status="skipped")
                write_text(path, f"{text}{end}{empty.to_json()}\n")
        return self._labels.labels()[sentence.id]


def unanswered(identifier: str, article: str, text: str, start: int, end: int) -> LabelRecord:
    """Return a sentence of an opened article as a label that is yet to be given."""
    return LabelRecord(
        *(identifier, article, text, ()), status="skipped", start=start, end=end, chosen="review"
    )


def sentence_id(article: str, start: int, text: str) -> str:
    """Return a sentence's id, as ``labels queue`` makes it of the same text."""
    return f"{article}:{start}-{sha1_of(text)[:8]}"


def _checked(answer: Answer, taxonomy: Taxonomy) -> Answer:
    name = " ".join(answer.annotator.split())
    if not name:
        raise LabelError("an answer without a name", hint="Say who you are.")
    note = answer.note.strip()[:LONGEST]
    for text in (name, note):
        if LONE_SURROGATE.search(text):
            raise LabelError("half of a character", where=repr(text), hint="Write it anew.")
    if answer.topics is None:
        return replace(answer, annotator=name, note=note)
    topics = tuple(sorted(set(answer.topics)))
    taxonomy.check_label(topics, "answer")
    return replace(answer, annotator=name, topics=topics, note=note)


def _says_anew(new: Annotation, before: Annotation | None) -> bool:
    if before is None or before.split or before.sha1 not in ("", new.sha1):
        return True
    same = (before.topics, before.skipped) == (new.topics, new.skipped)
    remarks = (before.note, before.reason) == (new.note, new.reason)
    return not (same and remarks and before.origin == ORIGIN)


def _own_reading(known: KnownLabel, said: Iterable[Annotation]) -> list[Annotation]:
    """Return what a label says, where no annotation says so yet, as an annotation.

    A label of one annotator is a reading; one that several agreed in, or somebody settled, is
    what was settled, which a single new reading does not change.
    """
    record = known.record
    if record.status == "skipped" or any(one.rule in GOLD_RULES for one in decide(said)):
        return []
    return [
        Annotation(
            record.id,
            record.topics,
            record.annotator or known.path.stem,
            origin=known.path.name,
            sha1=sha1_of(record.text),
            adjudicated=record.status == "gold",
        )
    ]
