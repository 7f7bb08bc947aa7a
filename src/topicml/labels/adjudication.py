"""Disagreements with their sentences, as somebody who settles them wants to see them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from topicml.labels.annotations import AnnotationStore
from topicml.labels.gold import Decision
from topicml.labels.records import Annotation
from topicml.labels.store import LabelFile
from topicml.labels.texts import sha1_of


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence that annotators disagree on, or with a topic that has been split.

    Attributes:
        id: The sentence's.
        text: The sentence.
        readings: The last annotation of each annotator who decided.
    """

    id: str
    text: str
    readings: tuple[Annotation, ...]

    @property
    def suggestion(self) -> tuple[str, ...]:
        """The topics that most annotators gave; the first annotator's among as many."""
        return Counter(one.topics for one in self.readings).most_common(1)[0][0]


def open_cases(
    decisions: Iterable[Decision], files: Iterable[LabelFile], queued: Iterable[Annotation] = ()
) -> tuple[list[Case], list[str]]:
    """Return what is open, and the ids of those whose sentence is not here as read.

    Args:
        decisions: Of these the disagreements and what a split has opened, by id.
        files: Have the sentences.
        queued: Labels that a split has opened; of sentences that are skipped and undecided.
    """
    records = {record.id: record for file in files for record in file.records}
    cases, without_text = [], []
    decided = {decision.id: decision for decision in decisions}
    for decision in decided.values():
        if decision.rule not in ("disagreement", "split"):
            continue
        record = records.get(decision.id)
        if record is None or decision.sha1 not in ("", sha1_of(record.text)):
            without_text.append(decision.id)
            continue
        readings = tuple(one for one in decision.readings if not one.skipped)
        cases.append(Case(decision.id, record.text, readings))
    for one in queued:
        record = records.get(one.id)
        if one.id in decided or (record and record.status != "skipped"):
            continue
        if record is None:
            without_text.append(one.id)
        else:
            cases.append(Case(one.id, record.text, (one,)))
    return cases, without_text


@dataclass(frozen=True, slots=True)
class Adjudicator:
    """Who settles disagreements, and where it is written down.

    Attributes:
        store: Where to.
        name: Whose decisions they are.
        scheme: Version of the label scheme they follow.
        origin: The tool they are made with.
    """

    store: AnnotationStore
    name: str
    scheme: str
    origin: str

    def settle(self, case: Case, topics: Iterable[str], reason: str) -> None:
        """Write down what a sentence's topics are, and why.

        Raises:
            LabelError: It could not be read back.
            OutputError: The store cannot be written.
        """
        self._append(case, tuple(sorted(topics)), reason=reason)

    def take_back(self, case: Case) -> None:
        """Write down that what was settled last is open again.

        Raises:
            OutputError: The store cannot be written.
        """
        self._append(case, (), skipped=True)

    def _append(
        self, case: Case, topics: tuple[str, ...], *, reason: str = "", skipped: bool = False
    ) -> None:
        one = Annotation(
            case.id,
            topics,
            self.name,
            scheme=self.scheme,
            origin=self.origin,
            sha1=sha1_of(case.text),
            skipped=skipped,
            adjudicated=True,
            reason=reason,
        )
        self.store.append([one])
