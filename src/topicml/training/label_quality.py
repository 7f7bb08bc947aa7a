"""How far labels are to be believed, by a recipe that has not seen them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topicml.io.optional_dependencies import load
from topicml.scoring.probabilities import sigmoid
from topicml.training.background import Background
from topicml.training.calibration import fit_calibration
from topicml.training.cross_validation import Floats, splits_of
from topicml.training.dataset import Dataset
from topicml.training.features import CERTAIN, Parameters
from topicml.training.search import search, settings_for
from topicml.training.temperature import choose_multiclass_decision

_CLEANLAB = "cleanlab.multilabel_classification"
_PURPOSE = "what the recipe says of labels"


def check_cleanlab() -> None:
    """Raise a ``MissingExtraError`` where cleanlab is not installed, before the long work."""
    load(f"{_CLEANLAB}.filter", "labels", _PURPOSE)


def out_of_fold_probabilities(
    data: Dataset,
    parameters: Parameters | None = None,
    background: Background | None = None,
    jobs: int = 1,
) -> Floats:
    """Return n by T probabilities of the recipe, of each sentence by what has not seen it.

    They are calibrated to the labels as they are, and not to the mix of ordinary text.

    Args:
        data: n labelled sentences.
        parameters: Fixed, or None to choose them, as a training does.
        background: To start from.
        jobs: Processes.
    """
    settings = settings_for(parameters, background, data.scheme)
    splits = splits_of(data, background)
    found = search(data, settings, splits, background=background, jobs=jobs)
    log_odds, weights = np.clip(found.log_odds, -CERTAIN, CERTAIN), np.ones(len(data))
    if data.scheme.is_multiclass:
        return choose_multiclass_decision(data.Y, log_odds, weights).probabilities(log_odds)
    scale, offset = fit_calibration(data.Y, log_odds, weights)
    return sigmoid(log_odds * scale + offset)[:, :-1]


def doubted_labels(Y: NDArray[np.int8], probabilities: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Return which labels are likely wrong, and how likely each of those is, from 0 to 1.

    Which: those with a topic that is likelier not there, or without one that is likelier there.
    How likely: by the topic whose label has the lowest probability. The mean over topics that
    Thyagarajan et al. ("Identifying Incorrect Annotations in Multi-Label Classification Data",
    2022) prefer finds half as many labels of which one topic was changed, and confident learning
    (Northcutt, Jiang and Chuang, 2021), which estimates how many are wrong, as many, but none
    where there are a hundred labels (benchmarks/quality/label_issues.py).

    Args:
        Y: n by T labels.
        probabilities: n by T, out of fold.

    Raises:
        MissingExtraError: cleanlab is not installed.
    """
    filters = load(f"{_CLEANLAB}.filter", "labels", _PURPOSE)
    rank = load(f"{_CLEANLAB}.rank", "labels", _PURPOSE)
    labels = [np.flatnonzero(row).tolist() for row in Y]
    likely = filters.find_label_issues(
        labels, probabilities, filter_by="predicted_neq_given", n_jobs=1
    )
    quality = rank.get_label_quality_scores(
        labels, probabilities, aggregator_kwargs={"method": np.min}
    )
    rows = np.flatnonzero(likely)
    return rows, 1 - quality[rows]
