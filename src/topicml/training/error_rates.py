"""How often each topic is found where it is, and not given where it is not.

Sentences that are labelled are picked for being hard or rich, so that rates among them are not
those of ordinary text. Where enough were drawn at random, the others are weighted to their mix
(``natural_mix``), but by strata of the topic's own probability: those picked for one topic are
no picture of another. Sentences of a document are alike: how sure a rate is, is said by the
number of independent sentences that would be as uncertain (``intervals``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicml.training.intervals import Floats, Jackknife, effective_size, leave_one_out
from topicml.training.natural_mix import STRATA, shows_mix, strata_of

NATURAL, LABELS = "natural", "labels"

Labels = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """How a topic is mistaken in single sentences.

    Attributes:
        topic: Its id.
        mix: ``natural`` where sentences are weighted to ordinary text; ``labels`` where they
            count as they are.
        sensitivity: Share of the sentences with it that are given it; None without one.
        sensitivity_size: As many independent sentences would be as uncertain.
        specificity: Share of the sentences without it that are not given it; None without one.
        specificity_size: Likewise.
        documents: That have sentences with it.
        positives: Sentences with it.
        negatives: Sentences without it.
    """

    topic: str
    mix: str
    sensitivity: float | None
    sensitivity_size: float
    specificity: float | None
    specificity_size: float
    documents: int
    positives: int
    negatives: int

    @classmethod
    def of(cls, stated: Mapping[str, Any]) -> ErrorRates:
        """Return what a manifest states of a topic.

        Raises:
            KeyError: Something of it is missing.
        """
        return cls(**{field.name: stated[field.name] for field in fields(cls)})


def find_error_rates(
    topics: tuple[str, ...],
    Y: Labels,
    probabilities: Floats,
    tags: Labels,
    documents: NDArray[np.str_],
    real: NDArray[np.bool_],
    drawn: NDArray[np.bool_] | None,
) -> tuple[ErrorRates, ...]:
    """Return the rates of all topics.

    Args:
        topics: T topic ids.
        Y: n by T labels.
        probabilities: n by T.
        tags: n by T, 1 where a topic is given.
        documents: n document names.
        real: n, whether a sentence is of real text; others count for nothing.
        drawn: n, whether a sentence was drawn at random; None where that is not known.
    """
    if drawn is None or not shows_mix(drawn & real):
        mix, drawn = LABELS, real
    else:
        mix = NATURAL
    rows = np.flatnonzero(real)
    _, numbers = np.unique(documents[rows], return_inverse=True)
    found = []
    for t, topic in enumerate(topics):
        strata = strata_of(probabilities[:, [t]], real)[rows] * (mix == NATURAL)
        by = _Cells(numbers, strata)
        shown, labelled = by.count(drawn[rows]), by.count(real[rows])
        carries, given = Y[rows, t] > 0, tags[rows, t] > 0
        sides = [
            _share(by.count(right & among), by.count(among), shown, labelled)
            for right, among in ((given, carries), (~given, ~carries))
        ]
        seen = by.documents_of(carries), int(carries.sum()), int((~carries).sum())
        found.append(ErrorRates(topic, mix, *sides[0], *sides[1], *seen))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Which of D documents and S strata each of n sentences is in."""

    documents: NDArray[np.intp]
    strata: NDArray[np.intp]

    def count(self, rows: NDArray[np.bool_]) -> Floats:
        """Return how many of some sentences are in each cell, D by S."""
        shape = int(self.documents.max(initial=-1)) + 1, STRATA
        cells = self.documents[rows] * STRATA + self.strata[rows]
        counts = np.bincount(cells, minlength=shape[0] * shape[1])
        return counts.reshape(shape).astype(np.float64)

    def documents_of(self, rows: NDArray[np.bool_]) -> int:
        return len(np.unique(self.documents[rows]))


def _share(
    right: Floats, among: Floats, shown: Floats, labelled: Floats
) -> tuple[float | None, float]:
    """Return the post-stratified share of some sentences that are right, and its effective size.

    The jackknife leaves a document out of the weights, too: how ordinary text is mixed is known
    from no more than what was drawn.

    Args:
        right: D by S, how many of them are right.
        among: D by S, how many there are.
        shown: D by S, how many sentences were drawn at random.
        labelled: D by S, how many there are at all.
    """
    having = int((among.sum(axis=1) > 0).sum())
    if not having:
        return None, 0.0
    weights, parts, wholes = (leave_one_out(each) for each in (shown, right, among))
    weights /= np.maximum(leave_one_out(labelled), 1)
    whole = (weights * wholes).sum(axis=1)
    if not whole[0]:
        return None, 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        figure = Jackknife.of((weights * parts).sum(axis=1) / whole, having)
    error = figure.standard_error if having > 1 else 0.0
    size = effective_size(figure.value, error, having) if having > 1 else 1.0
    return figure.value, min(size, float(among.sum()))
