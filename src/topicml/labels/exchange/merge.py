"""From annotations to label records: one for each sentence that was decided.

A sentence with one annotator is ``single``; where two or more agree, or the tool calls it ground
truth, it is ``gold``; where they disagree it is ``skipped``, without topics, until somebody
decides. What nobody changed since it was exported is the record that was exported.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from topicml.errors import LabelError
from topicml.labels.exchange.annotation import ForeignAnnotation
from topicml.labels.exchange.metadata import answer
from topicml.labels.exchange.names import Names
from topicml.labels.records import Annotation, LabelRecord, Status
from topicml.labels.texts import sha1_of

NO_LABEL, NOT_ALL_ASKED = "no label", "not all topics asked"

Located = tuple[Path, ForeignAnnotation]
_Topics = frozenset[str]


@dataclass(frozen=True, slots=True)
class Rules:
    """How annotations become records.

    Attributes:
        names: What label names stand for.
        prefix: Before ids that are numbers or made from a text, so that they are unique.
        skip_unlabelled: Take the mere lack of labels as no answer; else as no topic.
        unasked_are_absent: Take topics that were not asked for as not there.
    """

    names: Names
    prefix: str
    skip_unlabelled: bool = False
    unasked_are_absent: bool = False


@dataclass
class Merged:
    """What annotations come to.

    Attributes:
        records: In the order of first appearance, with the file that each is from.
        skipped: Annotations without an answer, by the reason.
        unread: Sentences that were exported without a label and come back so.
        unlabelled: Sentences taken as having no topic for the mere lack of labels.
        disagreements: Ids of sentences on which annotators disagree.
        annotations: What each annotator who is named decided; nothing on sentences that come
            back with the label they were exported with, unless any sentence has several.
        corrected: Ids of sentences that were exported with a label.
    """

    records: list[tuple[Path, LabelRecord]] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    unread: int = 0
    unlabelled: int = 0
    disagreements: list[str] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    corrected: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence, the topic sets that were given to it with who gave each, and in which files."""

    id: str
    text: str
    places: dict[str, Path]
    answers: dict[_Topics, list[str]]

    @property
    def people(self) -> list[str]:
        """The annotators that are named, sorted."""
        return sorted({name for names in self.answers.values() for name in names if name})


def merge(located: Iterable[Located], rules: Rules) -> Merged:
    """Merge annotations of the same sentence.

    Raises:
        LabelError: One id has two texts.
    """
    groups: dict[tuple[str, str], list[Located]] = {}
    for path, annotation in located:
        known = annotation.exported.id if annotation.exported else annotation.id
        key = ("id", known) if known else ("text", annotation.text)
        groups.setdefault(key, []).append((path, annotation))
    merged = Merged()
    sentences = [_merge_sentence(group, rules, merged) for group in groups.values()]
    several = any(len(sentence.people) > 1 for sentence in sentences)
    merged.annotations += _annotations(
        (one for one in sentences if several or one.id not in merged.corrected),
        rules.names.taxonomy.version,
    )
    return merged


def _merge_sentence(group: list[Located], rules: Rules, merged: Merged) -> _Sentence:
    path, first = group[0]
    group = _latest(group)
    for place, annotation in group:
        if annotation.text != first.text:
            raise LabelError(
                f"another text under the id of line {first.number} of {path}",
                where=f"{place}:{annotation.number}",
                hint="Give one of them an id of its own.",
            )
    annotations = [annotation for _, annotation in group]
    places = {annotation.annotator: place for place, annotation in group}
    sentence = _Sentence(_id(first, rules), first.text, places, {})
    skipped = Counter[str]()
    for topics, annotator in _answers(annotations, rules, skipped):
        sentence.answers.setdefault(topics, []).append(annotator)
    record = _record(first, sentence, annotations, rules, merged)
    if first.exported and first.exported.status != "skipped":
        merged.corrected.add(sentence.id)
    if record:
        merged.records.append((path, record))
    if record and not sentence.answers:
        merged.unread += 1
    else:
        merged.skipped += skipped
    return sentence


def _latest(group: list[Located]) -> list[Located]:
    """Return annotations without those that the same person gave anew further down in the file."""

    def question(path: Path, one: ForeignAnnotation) -> object:
        is_answer = one.annotator and one.labels is not None and not one.is_ground_truth
        return (path, one.annotator, one.asked) if is_answer else id(one)

    return [*{question(path, one): (path, one) for path, one in group}.values()]


def _id(annotation: ForeignAnnotation, rules: Rules) -> str:
    if annotation.exported:
        return annotation.exported.id
    if not annotation.id:
        digest = hashlib.sha1(annotation.text.encode("utf-8"), usedforsecurity=False).hexdigest()
        return f"{rules.prefix}-{digest[:12]}"
    is_number = annotation.id.lstrip("-").isdecimal()
    return f"{rules.prefix}-{annotation.id}" if is_number else annotation.id


def _answers(
    annotations: Sequence[ForeignAnnotation], rules: Rules, skipped: Counter[str]
) -> Iterator[tuple[_Topics, str]]:
    """Yield the topic sets that were decided on, each with its annotator."""
    by_annotator: dict[str, list[ForeignAnnotation]] = {}
    for annotation in annotations:
        if reason := _reason_to_skip(annotation, rules):
            skipped[reason] += 1
        else:
            by_annotator.setdefault(annotation.annotator, []).append(annotation)
    for annotator, given in by_annotator.items():
        whole = {rules.names.topics(a.labels or ()) for a in given if a.asked is None}
        parts = [a for a in given if a.asked is not None]
        if parts:
            whole |= _joined(parts, rules)
        if not whole:
            skipped[NOT_ALL_ASKED] += len(parts)
        yield from ((topics, annotator) for topics in sorted(whole, key=sorted))


def _reason_to_skip(annotation: ForeignAnnotation, rules: Rules) -> str:
    if annotation.labels is None:
        return annotation.skipped
    lacks = not annotation.labels and not annotation.is_said and annotation.exported is None
    return NO_LABEL if annotation.is_unread or (lacks and rules.skip_unlabelled) else ""


def _joined(parts: Sequence[ForeignAnnotation], rules: Rules) -> set[_Topics]:
    """Return the topic set of answers on single labels: two where they contradict each other."""
    accepted = {name for part in parts for name in part.labels or ()}
    refused = {name for part in parts for name in (part.asked or set()) - {*(part.labels or ())}}
    asked = rules.names.topics(accepted | refused)
    if not (rules.unasked_are_absent or asked.issuperset(rules.names.taxonomy.topic_ids)):
        return set()
    topics = rules.names.topics(accepted)
    contradicted = rules.names.topics(accepted & refused)
    return {topics, topics - contradicted}


def _record(
    first: ForeignAnnotation,
    sentence: _Sentence,
    annotations: Sequence[ForeignAnnotation],
    rules: Rules,
    merged: Merged,
) -> LabelRecord | None:
    exported = first.exported
    if not sentence.answers:
        return exported if exported and exported.status == "skipped" else None
    article = first.article or sentence.id
    base = exported or LabelRecord(sentence.id, article, first.text, (), line=first.number)
    truths = {
        rules.names.topics(a.labels or ())
        for a in annotations
        if a.is_ground_truth and a.labels is not None
    }
    decided = truths if len(truths) == 1 else {*sentence.answers}
    if len(decided) > 1:
        merged.disagreements.append(sentence.id)
        return replace(base, topics=(), annotator=", ".join(sentence.people), status="skipped")
    (found,) = decided
    topics = tuple(sorted(found))
    if exported and answer(exported) == topics and not truths:
        return exported
    if not topics and not any(a.is_said for a in annotations if not a.is_unread):
        merged.unlabelled += exported is None
    status: Status = "gold" if truths or len(sentence.people) > 1 else "single"
    return replace(base, topics=topics, annotator=", ".join(sentence.people), status=status)


def _annotations(sentences: Iterable[_Sentence], scheme: str) -> Iterator[Annotation]:
    """Yield the answers of each annotator who is named, but where he contradicts himself."""
    for sentence in sentences:
        for annotator in sentence.people:
            given = [topics for topics, names in sentence.answers.items() if annotator in names]
            if len(given) == 1:
                yield Annotation(
                    sentence.id,
                    tuple(sorted(given[0])),
                    annotator,
                    scheme=scheme,
                    origin=sentence.places[annotator].name,
                    sha1=sha1_of(sentence.text),
                )
