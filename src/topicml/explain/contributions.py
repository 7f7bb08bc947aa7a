"""What each n-gram and each word of a sentence adds to the log-odds of every topic.

The model is additive: log-odds are an intercept and, for each n-gram, its TF-IDF times its
coefficient. That product is what the n-gram contributes. It is shared among the words that the
n-gram is made of, equally over its occurrences, and in each over its words or its characters
(docs/decisions/explanations.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicml.explain.explanation import Span
from topicml.explain.reading import Reading
from topicml.scoring.features import FeatureBlock, Floats
from topicml.scoring.reference import tfidf_of
from topicml.scoring.scorer import Scorer


class BlockTerms(NamedTuple):
    """The n-grams of a sentence that one block of the model knows.

    Attributes:
        block: The block.
        terms: m indexes in its vocabulary, in order of first occurrence.
        tfidf: m weights, of length one.
        places: m lists of where they stand in the sentence.
    """

    block: FeatureBlock
    terms: NDArray[np.intp]
    tfidf: Floats
    places: list[list[Span]]


class Contributions(NamedTuple):
    """What a sentence's n-grams and words add, in log-odds, to each column of the model.

    Attributes:
        blocks: Its n-grams, block after block.
        by_term: m by T + 1, in the order of the blocks; relevance is last.
        by_word: n by T + 1, in the order of ``Reading.words``.
        log_odds: T + 1, intercepts included.
    """

    blocks: tuple[BlockTerms, ...]
    by_term: Floats
    by_word: Floats
    log_odds: Floats


def contributions_of(scorer: Scorer, reading: Reading) -> Contributions:
    """Return what the n-grams and words of a sentence add to each column."""
    words = len(reading.words)
    blocks, by_term = [], []
    by_word = np.zeros((words, len(scorer.intercepts)))
    for block in scorer.blocks:
        found, shares = _terms_of(block, reading)
        values = found.tfidf[:, np.newaxis] * block.coefficients.take(found.terms, axis=0)
        if len(values):
            by_word += _shared(values, *shares, words)
        blocks.append(found)
        by_term.append(values)
    every = np.concatenate(by_term)
    return Contributions(tuple(blocks), every, by_word, every.sum(axis=0) + scorer.intercepts)


_Shares = tuple[list[int], list[int], list[float]]
"""Numbers of n-grams, words, and how much of the one belongs to the other."""


def _terms_of(block: FeatureBlock, reading: Reading) -> tuple[BlockTerms, _Shares]:
    numbers: dict[int, int] = {}
    places: list[list[Span]] = []
    shares: _Shares = ([], [], [])
    for occurrence in reading.occurrences(block):
        number = numbers.setdefault(occurrence.term, len(places))
        if number == len(places):
            places.append([])
        places[number].append(reading.place(occurrence))
        owners = occurrence.owners
        parts = {owners[0]: 1.0} if owners[0] == owners[-1] else _parts(owners)
        for word, part in parts.items():
            shares[0].append(number)
            shares[1].append(word)
            shares[2].append(part)
    counts = {term: len(places[number]) for term, number in numbers.items()}
    _, terms, tfidf = tfidf_of(block, [counts])
    return BlockTerms(block, terms.astype(np.intp), tfidf, places), shares


def _parts(owners: Sequence[int]) -> dict[int, float]:
    return {word: count / len(owners) for word, count in Counter(owners).items()}


def _shared(
    values: Floats, numbers: list[int], owners: list[int], parts: list[float], words: int
) -> Floats:
    """Share what n-grams add, m by columns, among words."""
    rows, columns = np.array(numbers), np.array(owners)
    frequency = np.bincount(rows, parts)  # parts of an occurrence are one together
    weights = np.array(parts) / frequency[rows]
    added = values[rows] * weights[:, np.newaxis]
    shared = [np.bincount(columns, column, words) for column in added.T]
    return np.column_stack(shared)
