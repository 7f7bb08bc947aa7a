"""The features of a model: TF-IDF vocabularies with their coefficients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.integer[Any]]


class FeatureBlock(NamedTuple):
    """One TF-IDF vocabulary with its share of the coefficients.

    Attributes:
        analyzer: ``word`` or ``char_wb``, as in scikit-learn.
        ngram_range: Shortest and longest n-gram.
        sublinear_tf: Whether term frequencies are damped to ``1 + log(tf)``.
        vocabulary: The m terms, each with its index.
        idf: m inverse document frequencies, all above zero.
        coefficients: m by T + 1.
    """

    analyzer: str
    ngram_range: tuple[int, int]
    sublinear_tf: bool
    vocabulary: dict[str, int]
    idf: Floats
    coefficients: Floats

    def term_lengths(self) -> list[int]:
        """Return how many words, or characters, each of the m terms has."""
        if self.analyzer == "word":
            return [term.count(" ") + 1 for term in self.vocabulary]
        return [*map(len, self.vocabulary)]
