"""How many sentences of ordinary text each labelled one stands for.

Labels are dense in topics: sentences are picked for being hard or rich, and others are written.
Thresholds and probabilities that fit such a mix are wrong for ordinary text, of which most is
about no topic. What was drawn at random shows how it is mixed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topicml.training.dataset import Dataset

_FEWEST_DRAWN = 300
_STRATA = 12


def natural_weights(data: Dataset, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a weight for each of n labelled sentences, by post-stratification.

    Sentences of real text are sorted into strata by the highest of their topics' log-odds, and
    each is weighted so that the strata are as large as among those drawn at random (Holt and
    Smith, "Post Stratification", 1979). Sentences written for training stand for nothing.

    Args:
        data: n labelled sentences.
        log_odds: n by T + 1, out of fold.

    Returns:
        n weights; all 1 where too few sentences were drawn at random.
    """
    if data.drawn.sum() < _FEWEST_DRAWN:
        return np.ones(len(data))
    highest = log_odds[:, :-1].max(axis=1)
    edges = np.quantile(highest[data.articles], np.linspace(0, 1, _STRATA + 1)[1:-1])
    strata = np.digitize(highest, edges)
    real = np.bincount(strata[data.articles], minlength=_STRATA)
    drawn = np.bincount(strata[data.drawn], minlength=_STRATA)
    share = drawn / data.drawn.sum() / np.maximum(real / data.articles.sum(), 1e-12)
    weights: NDArray[np.float64] = np.where(data.articles, share[strata], 0.0)
    return weights
