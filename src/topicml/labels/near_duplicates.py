"""Sentences that share most of their words."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

NEAR_DUPLICATE = 0.6
"""Jaccard overlap of two sentences' words above which they are near-duplicates."""

_ROWS_AT_ONCE = 1000
_WORDS = re.compile(r"\w+").findall


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int, float]]:
    """Return (i, j, overlap) with i < j for texts whose word sets overlap above 0.6.

    Overlap is Jaccard's: words in both by words in either. Computed in row blocks of a
    sparse product, so memory stays bounded.
    """
    if not texts:
        return []
    vectorizer = CountVectorizer(binary=True, analyzer=lambda text: _WORDS(text.lower()))
    try:
        X = vectorizer.fit_transform(texts).astype(np.int32).tocsr()
    except ValueError:  # no text has a word
        return []
    sizes = np.asarray(X.sum(axis=1)).ravel()
    pairs: list[tuple[int, int, float]] = []
    for start in range(0, X.shape[0], _ROWS_AT_ONCE):
        shared = (X[start : start + _ROWS_AT_ONCE] @ X.T).tocoo()
        first, second = shared.row + start, shared.col
        overlap = shared.data / (sizes[first] + sizes[second] - shared.data)
        close = (overlap > NEAR_DUPLICATE) & (first < second)
        pairs += zip(
            first[close].tolist(), second[close].tolist(), overlap[close].tolist(), strict=True
        )
    return sorted(pairs)
