"""How many sentences of ordinary text each labelled one stands for.

Labels are dense in topics: sentences are picked for being hard or rich, and others are written.
Thresholds and probabilities that fit such a mix are wrong for ordinary text, of which most is
about no topic. What was drawn at random shows how it is mixed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topicml.training.background import Background
from topicml.training.calibration import Floats, Labels
from topicml.training.dataset import Dataset

_FEWEST_DRAWN = 100
_ENOUGH_DRAWN = 300  # to go by them, and not by the background's
STRATA = 12
"""Groups of sentences that are about as many each among those labelled."""


def deciding_sentences(
    data: Dataset, log_odds: Floats, background: Background | None = None
) -> tuple[Labels, Floats, Floats]:
    """Return what calibration and thresholds are chosen on: labels, log-odds and weights.

    Those are the data's own, weighted to the natural mix. Where too few of them were drawn at
    random, but enough of those that the background has learned from, it is the latter's real
    sentences: their texts need not be here, since what the background said of them, out of fold,
    is. A training on sentences dense in topics shifts all log-odds; by how much is seen on the
    data's sentences without a topic, and the same is added to the others.

    Args:
        data: n labelled sentences.
        log_odds: n by T + 1, out of fold.
        background: That the model started from.

    Returns:
        m by T labels, m by T + 1 log-odds and m weights.
    """
    own = data.Y, log_odds, natural_weights(log_odds, data.articles, data.drawn)
    if background is None or _are_enough(data.drawn):
        return own
    folds = background.folds_of(data.texts, data.groups.tolist())
    rows = np.flatnonzero(background.real & np.isin(background.folds, folds))
    drawn = background.drawn[rows]
    if not _are_enough(drawn):
        return own
    empty = ~data.Y.any(axis=1)
    before = background.log_odds_out_of_fold(data.texts, folds)
    shift = (log_odds - before)[empty].mean(axis=0) if empty.any() else 0.0
    said = background.log_odds[background.folds[rows], rows].astype(np.float64) + shift
    real = np.ones(len(rows), dtype=np.bool_)
    return background.Y[rows], said, natural_weights(said, real, drawn)


def natural_weights(log_odds: Floats, real: NDArray[np.bool_], drawn: NDArray[np.bool_]) -> Floats:
    """Return a weight for each of n labelled sentences, by post-stratification.

    Sentences of real text are sorted into strata by the highest of their topics' log-odds, and
    each is weighted so that the strata are as large as among those drawn at random (Holt and
    Smith, "Post Stratification", 1979). Sentences written for training stand for nothing.

    Args:
        log_odds: n by T + 1, out of fold.
        real: n, whether a sentence is of real text.
        drawn: n, whether it was drawn at random.

    Returns:
        n weights; all 1 where too few sentences were drawn at random.
    """
    if not shows_mix(drawn):
        return np.ones(len(log_odds))
    strata = strata_of(log_odds[:, :-1], real)
    real_counts = np.bincount(strata[real], minlength=STRATA)
    drawn_counts = np.bincount(strata[drawn], minlength=STRATA)
    share = drawn_counts / drawn.sum() / np.maximum(real_counts / real.sum(), 1e-12)
    weights: Floats = np.where(real, share[strata], 0.0)
    return weights


def shows_mix(drawn: NDArray[np.bool_]) -> bool:
    """Whether enough sentences were drawn at random to show how ordinary text is mixed."""
    return int(drawn.sum()) >= _FEWEST_DRAWN


def strata_of(said: Floats, real: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the stratum of each of n sentences, by the highest of what T topics are given."""
    highest = said.max(axis=1)
    edges = np.quantile(highest[real], np.linspace(0, 1, STRATA + 1)[1:-1])
    return np.asarray(np.digitize(highest, edges))


def _are_enough(drawn: NDArray[np.bool_]) -> bool:
    return int(drawn.sum()) >= _ENOUGH_DRAWN
