"""How many of a sentence's words a model must know, chosen by sentences that it has not seen.

A model of few labels knows few words, and would refuse nearly all that it is asked about by the
limit that fits one of many. So the limit is what nearly all of the labelled sentences reach, each
by the words of a model that was fitted without its document.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

from topicml.scoring.scorer import FEWEST_KNOWN
from topicml.tagging.abstention import FEWEST_WORDS
from topicml.text.normalise import as_scored
from topicml.training.background import Background
from topicml.training.dataset import Dataset, Split
from topicml.training.features import Parameters

MOST_UNFAMILIAR = 0.02
"""Share of held-out labelled sentences that may be refused for their words."""

LEAST_KNOWN = 0.05
"""Under it is hardly more than a sentence of which no word is known."""


def choose_fewest_known(
    data: Dataset,
    splits: Sequence[Split],
    parameters: Parameters,
    background: Background | None = None,
) -> float:
    """Return the share of known words under which a sentence is unfamiliar: 0.4 or less.

    Args:
        data: n labelled sentences.
        splits: (train, test) rows.
        parameters: Of the model that knows the words.
        background: That it starts from, where parameters say so.
    """
    if parameters.word_ngrams[0] > 1 and not parameters.background:
        return FEWEST_KNOWN  # it knows no single words, and refuses none for them
    shares, sizes = known_shares(data, splits, parameters, background)
    counted = shares[(sizes >= FEWEST_WORDS) & ~np.isnan(shares)]
    if not len(counted):
        return FEWEST_KNOWN
    reached = float(np.quantile(counted, MOST_UNFAMILIAR, method="lower"))
    return min(max(reached, LEAST_KNOWN), FEWEST_KNOWN)


def known_shares(
    data: Dataset, splits: Sequence[Split], parameters: Parameters, background: Background | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the share of each of n sentences' words that a model without it knows, and how many.

    The share is NaN for sentences in no test fold.
    """
    shares = np.full(len(data), np.nan)
    counter = CountVectorizer()
    words = map(as_scored, data.texts)
    try:
        counts = counter.fit_transform(words).tocsr()
    except ValueError:  # there is not one word
        return shares, np.zeros(len(data), dtype=np.int64)
    before = np.zeros(counts.shape[1], dtype=np.bool_)
    if parameters.background and background is not None:
        known = {word for b in background.blocks if b.analyzer == "word" for word in b.vocabulary}
        before = np.array([word in known for word in counter.get_feature_names_out()])
    sizes = np.asarray(counts.sum(axis=1)).ravel()
    present = counts > 0
    for train, test in splits:
        learned = np.asarray(present[train].sum(axis=0)).ravel() >= parameters.min_df
        found = counts[test] @ (learned | before).astype(np.int64)
        shares[test] = np.where(sizes[test] > 0, found / np.maximum(sizes[test], 1), 1.0)
    return shares, sizes
