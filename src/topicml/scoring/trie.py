"""A vocabulary as a trie for the compiled kernel: states, and the edges between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from topicml.scoring.kernel import ID_BITS


class Trie(NamedTuple):
    """The n-grams of a vocabulary of m terms; see ``kernel.Ngrams``.

    Attributes:
        ids: The words, or characters, each with its id: the state it leads to by itself.
        edges: int64, ``state << 24 | id``.
        targets: int32, the state that each edge leads to.
        terms: int32, the states of the m terms.
        states: How many there are.
    """

    ids: dict[str, int]
    edges: NDArray[np.int64]
    targets: NDArray[np.int32]
    terms: NDArray[np.int32]
    states: int


def build_trie(vocabulary: Iterable[str], analyzer: str) -> Trie:
    """Return the trie of different terms.

    Args:
        vocabulary: m n-grams; of words, joined by blanks, or of characters.
        analyzer: ``word`` or ``char_wb``.
    """
    terms = [tuple(t.split(" ") if analyzer == "word" else t) for t in vocabulary]
    words = sorted({word for term in terms for word in term})
    states: dict[tuple[str, ...], int] = {(word,): state for state, word in enumerate(words)}
    for term in terms:
        for length in range(2, len(term) + 1):
            states.setdefault(term[:length], len(states))
    longer = [term for term in states if len(term) > 1]
    edges = [states[term[:-1]] << ID_BITS | states[term[-1:]] for term in longer]
    return Trie(
        ids={word: state for state, word in enumerate(words)},
        edges=np.array(edges, dtype=np.int64),
        targets=np.array([states[term] for term in longer], dtype=np.int32),
        terms=np.array([states[term] for term in terms], dtype=np.int32),
        states=len(states),
    )
