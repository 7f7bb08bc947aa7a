"""Sentences that are copies of one another, and documents that are.

What a model has learned a sentence by must not be what it is judged by, whatever the names of the
documents are that both stand in (docs/decisions/copies-and-folds.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from topicml.labels.checks import near_duplicates, without_case

MOSTLY = 0.5
"""Share of the sentences of each of two documents, copied in the other, that makes them one."""


def find_copies(texts: Sequence[str]) -> NDArray[np.intp]:
    """Return a number for each of n texts, equal for copies of one another and near copies."""
    normal = [without_case(text) for text in texts]
    places = {text: place for place, text in enumerate(dict.fromkeys(normal))}
    pairs = [(first, second) for first, second, _ in near_duplicates(list(places))]
    numbers = _connected(np.array(pairs, dtype=np.intp).reshape(-1, 2).T, len(places))
    return numbers[[places[text] for text in normal]]


def join_copied_groups(groups: NDArray[np.str_], copies: NDArray[np.intp]) -> NDArray[np.str_]:
    """Return groups, those that are copies of one another under one name.

    Half of the sentences of each must have a copy in the other: what many documents say alike, a
    line at their end for one, makes them no copies.

    Args:
        groups: n group names.
        copies: n numbers, see ``find_copies``.
    """
    names, rows = np.unique(groups, return_inverse=True)
    shape = len(names), int(copies.max(initial=-1)) + 1
    counts = sparse.csr_array((np.ones(len(groups)), (rows, copies)), shape=shape)
    shared = (counts @ (counts > 0).T.astype(np.float64)).tocoo()  # of each group, in each other
    sizes = np.asarray(counts.sum(axis=1)).ravel()
    mostly = shared.data >= MOSTLY * sizes[shared.row]
    one_way = sparse.csr_array(
        (np.ones(mostly.sum()), (shared.row[mostly], shared.col[mostly])), shape=(len(names),) * 2
    )
    both = one_way.multiply(one_way.T).tocoo()
    joined = _connected(np.stack([both.row, both.col]), len(names))
    first = np.unique(joined, return_index=True)[1]
    return names[first[joined]][rows]


def _connected(pairs: NDArray[Any], count: int) -> NDArray[np.intp]:
    links = sparse.coo_array((np.ones(pairs.shape[1]), tuple(pairs)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.intp)
