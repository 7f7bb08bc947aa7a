"""Agreement between annotators who labelled the same sentences."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, permutations
from pathlib import Path
from typing import TypeVar

from topicml.errors import LabelError
from topicml.labels.gold import last_readings
from topicml.labels.records import Annotation
from topicml.taxonomy import Taxonomy

Topics = tuple[str, ...]
_Value = TypeVar("_Value", bound=Hashable)


@dataclass(frozen=True, slots=True)
class TopicAgreement:
    """Two annotators on one topic: how often each gave it, and Cohen's kappa.

    Kappa is None where both gave the topic to no sentence, or to every one.
    """

    topic: str
    first: int
    second: int
    kappa: float | None


@dataclass(frozen=True, slots=True)
class Alphas:
    """Krippendorff's alpha of any number of annotators.

    Attributes:
        sentences: How many at least two of them read.
        by_topic: Nominal, per topic of the taxonomy; None where all gave it to no sentence, or
            to every one.
        of_sets: Of the topics as sets, by ``masi_distance``; None where all sets are the same.
    """

    sentences: int
    by_topic: dict[str, float | None]
    of_sets: float | None


def one_pass(annotations: Iterable[Annotation], path: Path) -> list[Annotation]:
    """Return what a file says of each sentence, be it read or adjudicated; without those skipped.

    Raises:
        LabelError: It says two things of a sentence, and no time tells which is the last; or two
            annotators do.
    """
    readings = last_readings(replace(one, adjudicated=False) for one in annotations)
    for identifier, count in Counter(one.id for one in readings).items():
        if count > 1:
            raise LabelError(
                f"{identifier!r} is annotated by {count} annotators",
                where=path,
                hint="Give each annotator's pass as a file of its own, or a folder: --annotations.",
            )
    return [one for one in readings if one.decides]


def passes_by_annotator(annotations: Iterable[Annotation]) -> dict[str, list[Annotation]]:
    """Return what each annotator says of each sentence, by name; skipped ones left out.

    Raises:
        LabelError: One says two things of a sentence, and no time tells which is the last.
    """
    passes: dict[str, list[Annotation]] = defaultdict(list)
    for one in last_readings(annotations):
        if one.decides:
            passes[one.annotator].append(one)
    return {name: passes[name] for name in sorted(passes)}


def agreement(
    first: Sequence[Annotation], second: Sequence[Annotation], taxonomy: Taxonomy
) -> list[TopicAgreement]:
    """Compare two passes over the same sentences, topic by topic.

    Raises:
        LabelError: The passes share no sentence, or one names an unknown topic.
    """
    for annotation in (*first, *second):
        taxonomy.check(annotation.topics, annotation.where or f"annotation of {annotation.id!r}")
    pairs = shared(first, second)
    if not pairs:
        raise LabelError(
            "the two passes share no sentence", hint="Compare passes over the same ids."
        )
    rows = []
    for topic in taxonomy.topic_ids:
        a = [topic in one.topics for one, _ in pairs]
        b = [topic in other.topics for _, other in pairs]
        rows.append(TopicAgreement(topic, sum(a), sum(b), cohen_kappa(a, b)))
    return rows


def cohen_kappa(first: Sequence[bool], second: Sequence[bool]) -> float | None:
    """Return Cohen's kappa ("A Coefficient of Agreement for Nominal Scales", 1960).

    Args:
        first: What one annotator said of each sentence.
        second: What the other said of the same.

    Returns:
        None where both said the same one thing of all.
    """
    count = len(first)
    observed = sum(a == b for a, b in zip(first, second, strict=True)) * count
    by_chance = sum(first) * sum(second) + (count - sum(first)) * (count - sum(second))
    return (observed - by_chance) / (count**2 - by_chance) if by_chance < count**2 else None


def alphas(passes: Iterable[Sequence[Annotation]], taxonomy: Taxonomy) -> Alphas:
    """Compare any number of passes; a sentence counts where at least two have it."""
    by_id: dict[str, list[Topics]] = defaultdict(list)
    for annotation in chain.from_iterable(passes):
        by_id[annotation.id].append(annotation.topics)
    units = [values for values in by_id.values() if len(values) > 1]
    by_topic = {
        topic: krippendorff_alpha([[topic in given for given in values] for values in units])
        for topic in taxonomy.topic_ids
    }
    return Alphas(len(units), by_topic, krippendorff_alpha(units, masi_distance))


def nominal_distance(one: object, other: object) -> float:
    """Return 0 for equal values, and 1 for others."""
    return float(one != other)


def masi_distance(one: Topics, other: Topics) -> float:
    """Return how far apart two sets are, from 0 to 1.

    Passonneau, "Measuring Agreement on Set-valued Items (MASI)", 2006: one less Jaccard's
    overlap, weighted by 1 for equal sets, 2/3 where one holds the other, 1/3 for other overlap.
    """
    a, b = set(one), set(other)
    if a == b:
        return 0.0
    weight = 2 / 3 if a <= b or b <= a else 1 / 3
    return 1 - weight * len(a & b) / len(a | b)


def krippendorff_alpha(
    units: Iterable[Sequence[_Value]],
    distance: Callable[[_Value, _Value], float] = nominal_distance,
) -> float | None:
    """Return Krippendorff's alpha ("Computing Krippendorff's Alpha-Reliability", 2011).

    Args:
        units: The values that each unit was given; units with fewer than two say nothing.
        distance: Of two values, squared where the scale has an order.

    Returns:
        1 less observed by expected disagreement; None where no disagreement can be expected.
    """
    values: Counter[_Value] = Counter()
    observed = 0.0
    for unit in units:
        if len(unit) > 1:
            values.update(unit)
            observed += sum(distance(a, b) for a, b in permutations(unit, 2)) / (len(unit) - 1)
    expected = sum(values[a] * values[b] * distance(a, b) for a, b in permutations(values, 2))
    return 1 - (values.total() - 1) * observed / expected if expected else None


def differences(
    first: Sequence[Annotation], second: Sequence[Annotation]
) -> list[tuple[Annotation, Annotation]]:
    """Return the pairs of annotations of one sentence that differ."""
    return [(a, b) for a, b in shared(first, second) if a.topics != b.topics]


def shared(
    first: Sequence[Annotation], second: Sequence[Annotation]
) -> list[tuple[Annotation, Annotation]]:
    """Return the pairs of annotations of one sentence."""
    by_id = {annotation.id: annotation for annotation in second}
    return [(a, by_id[a.id]) for a in first if a.id in by_id]
