"""``topicml labels adjudicate``: a conversation, one disagreement after the other."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, Annotated

import typer

from topicml.cli import options
from topicml.io.records import counted
from topicml.text.normalise import printable

if TYPE_CHECKING:
    from topicml.labels.adjudication import Adjudicator, Case

_KEYS = (
    "numbers of its topics, 0 for none, an annotator's letter, Enter for the suggestion; "
    "s skip, u undo, q quit"
)
_LETTERS = "abcdefghijklmnop"  # none of the keys


def adjudicate(
    annotator: Annotated[str, typer.Option("--annotator", help="Your name, for the record.")],
    folder: options.Annotations = options.ANNOTATIONS_FOLDER,
    labels: options.Labels = None,
    taxonomy: options.Taxonomy = options.TAXONOMY,
) -> None:
    """Settle what annotators disagree on, and what a migration split, sentence by sentence.

    Each answer is on disk before the next sentence is shown, so that it can be ended at any
    time; given again, the command shows what is left. Nothing is written over: undo adds that
    the answer was taken back. What is skipped is shown again the next time.

    Example: topicml labels adjudicate --annotator kim
    """
    from topicml.labels.adjudication import Adjudicator, open_cases
    from topicml.labels.annotations import AnnotationStore
    from topicml.labels.gold import decide
    from topicml.labels.migration.history import read_queue
    from topicml.labels.store import read_label_file
    from topicml.taxonomy import load_taxonomy

    if not annotator.strip():
        raise typer.BadParameter("--annotator needs a name")
    scheme = load_taxonomy(taxonomy)
    store = AnnotationStore(folder)
    files = [read_label_file(path) for path in options.label_paths(labels)]
    queued = read_queue(taxonomy.parent)
    decisions = decide(store.read()) if folder.is_dir() or not queued else []
    cases, without_text = open_cases(decisions, files, queued)
    for identifier in without_text:
        options.tell(f"left out: {identifier}: its sentence is not here, or is another one now")
    _Conversation(
        cases, scheme.topic_ids, Adjudicator(store, annotator, scheme.version, "labels adjudicate")
    ).hold()


class _Conversation:
    def __init__(
        self, cases: Sequence[Case], topics: Sequence[str], adjudicator: Adjudicator
    ) -> None:
        self._cases = cases
        self._topics = topics
        self._adjudicator = adjudicator
        self._settled: list[bool] = []  # of each sentence that was passed; else it was skipped

    def hold(self) -> None:
        if self._cases:
            options.say(_KEYS)
        while (position := len(self._settled)) < len(self._cases):
            self._show(position)
            if not self._answer(self._cases[position]):
                break
        settled = sum(self._settled)
        options.say(f"{settled} settled, {counted(len(self._cases) - settled, 'sentence')} left")

    def _show(self, position: int) -> None:
        case = self._cases[position]
        typer.echo()
        options.say(f"[{position + 1} of {len(self._cases)}] {case.id}")
        options.say(case.text)
        for letter, one in zip(chain(_LETTERS, repeat(" ")), case.readings, strict=False):
            remarks = [f"split since: {topic}" for topic in one.split] + [one.note] * bool(one.note)
            note = f" ({'; '.join(remarks)})" if remarks else ""
            given = options.topic_list(one.topics)
            _say_indented(f"{letter} {one.annotator or 'nobody named'}: {given}{note}")
        for number, topic in enumerate(self._topics, start=1):
            _say_indented(f"{number} {topic}")

    def _answer(self, case: Case) -> bool:
        """Take an answer to a sentence, and return whether to go on."""
        answer = _ask(f"topics, or Enter for {options.topic_list(case.suggestion)}: ")
        if answer in (None, "q"):
            return False
        if answer == "s":
            self._settled.append(False)
        elif answer == "u":
            self._undo()
        else:
            return self._settle(case, answer or "")
        return True

    def _settle(self, case: Case, answer: str) -> bool:
        topics = self._parse(case, answer)
        if topics is None:
            options.say(f"{answer!r} is not understood: {_KEYS}")
            return True
        reason = _ask(f"{options.topic_list(topics)}, because (Enter for no reason): ")
        if reason is None:
            return False
        self._adjudicator.settle(case, topics, reason)
        self._settled.append(True)
        return True

    def _undo(self) -> None:
        if not self._settled:
            options.say("nothing to undo")
        elif self._settled.pop():
            self._adjudicator.take_back(self._cases[len(self._settled)])

    def _parse(self, case: Case, answer: str) -> tuple[str, ...] | None:
        given = (one.topics for one in case.readings)
        whole = {"": case.suggestion, "0": (), **dict(zip(_LETTERS, given, strict=False))}
        if answer in whole:
            return whole[answer]
        words = answer.replace(",", " ").split()
        by_number = {str(n): topic for n, topic in enumerate(self._topics, start=1)}
        if not words or not by_number.keys() >= set(words):
            return None
        return tuple(sorted({by_number[word] for word in words}))


def _say_indented(line: str) -> None:
    typer.echo(f"  {printable(line)}")


def _ask(question: str) -> str | None:
    """Return a line of standard input, or None at its end."""
    typer.echo(printable(question) + " ", nl=False)
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        typer.echo()
    return line.decode("utf-8", "replace").strip() if line else None
