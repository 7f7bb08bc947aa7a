"""The words by which two linear models differ most on given sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from topicml.scoring.features import Floats
from topicml.scoring.scorer import Scorer
from topicml.text.normalise import as_scored
from topicml.training.background import fixed_vectorizer

WORDS = 20
"""Of each topic."""


@dataclass(frozen=True, slots=True)
class WordChange:
    """A word, or run of words, and what it adds to a topic's log-odds over all sentences.

    Attributes:
        word: As the vocabulary has it.
        sentences: How many of the sentences have it.
        old: What it adds by the old model, summed over them; 0 where that has no such word.
        new: The same by the new model.
        change: ``new`` less ``old``.
    """

    word: str
    sentences: int
    old: float
    new: float
    change: float


def word_changes(
    old: Scorer, new: Scorer, texts: Sequence[str]
) -> dict[str, tuple[WordChange, ...]]:
    """Return for each topic the words whose contribution changed most.

    A contribution is the TF-IDF value in a sentence times the coefficient, as both models score.
    Characters are left out.

    Args:
        old: A linear model.
        new: Another one of the same topics.
        texts: Sentences over which contributions are summed.
    """
    read = [as_scored(text) for text in texts]
    before, after = _contributions(old, read), _contributions(new, read)
    none = (0, np.zeros(len(old.topics)))
    words = sorted(before.keys() | after.keys())
    counts = [max(side.get(word, none)[0] for side in (before, after)) for word in words]
    pairs = [[side.get(word, none)[1] for word in words] for side in (before, after)]
    sums = np.array(pairs).reshape(2, len(words), len(old.topics))
    moved = sums[1] - sums[0]
    return {
        topic: tuple(
            WordChange(words[i], counts[i], *_floats(sums[0, i, t], sums[1, i, t], moved[i, t]))
            for i in np.argsort(-np.abs(moved[:, t]), kind="stable")[:WORDS].tolist()
            if moved[i, t]
        )
        for t, topic in enumerate(old.topics)
    }


def _floats(old: float, new: float, change: float) -> tuple[float, float, float]:
    return float(old), float(new), float(change)


def _contributions(scorer: Scorer, texts: Sequence[str]) -> dict[str, tuple[int, Floats]]:
    """Return of each word that occurs in how many texts, and T sums of what it adds."""
    for block in scorer.blocks:
        if block.analyzer == "word":
            X = fixed_vectorizer(block).transform(texts)
            sums = np.asarray(X.sum(axis=0)).ravel()[:, None] * block.coefficients[:, :-1]
            counts = X.getnnz(axis=0).tolist()
            return {word: (counts[i], sums[i]) for word, i in block.vocabulary.items() if counts[i]}
    return {}
