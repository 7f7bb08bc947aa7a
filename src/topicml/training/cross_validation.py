"""The one cross-validation: out-of-fold log-odds of several settings, in several processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from topicml.training.dataset import Dataset, Split
from topicml.training.features import Parameters, make_classifier, make_vectorizer

Floats = NDArray[np.float64]


def cross_validate(
    data: Dataset,
    settings: Sequence[Parameters],
    splits: Sequence[Split],
    *,
    jobs: int = 1,
    on_fit: Callable[[], None] = lambda: None,
) -> Floats:
    """Fit each of S settings on the training rows of each split, and predict its test rows.

    Args:
        data: n labelled sentences.
        settings: S settings.
        splits: (train, test) rows; no row is tested twice.
        jobs: Processes; the result does not depend on it.
        on_fit: Called after each fit.

    Returns:
        Out-of-fold log-odds, S by n by T + 1. The last column is relevance: that the
        sentence has any topic. Rows in no test fold are NaN.
    """
    tasks = [(members, split) for split in splits for members in _by_features(settings)]
    folds = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_fit_fold)(data, [settings[i] for i in members], split) for members, split in tasks
    )
    log_odds = np.full((len(settings), len(data), len(data.topics) + 1), np.nan)
    for (members, (_, test)), fold in zip(tasks, folds, strict=True):
        for i, predicted in zip(members, fold, strict=True):
            log_odds[i, test] = predicted
            on_fit()
    return log_odds


def _by_features(settings: Sequence[Parameters]) -> list[list[int]]:
    """Group settings that differ in the classifier alone: their sentences are vectorised once."""
    groups: dict[Parameters, list[int]] = {}
    for i, setting in enumerate(settings):
        features = replace(setting, C=1.0, class_weight=None, nb_mixing=0.0)
        groups.setdefault(features, []).append(i)
    return list(groups.values())


def _fit_fold(data: Dataset, settings: Sequence[Parameters], split: Split) -> list[Floats]:
    """Return the test rows' log-odds for settings of the same features."""
    train, test = split
    vectorizer = make_vectorizer(settings[0])
    X_train = vectorizer.fit_transform([data.texts[i] for i in train]).tocsr()
    X_test = vectorizer.transform([data.texts[i] for i in test]).tocsr()
    return [make_classifier(s).fit(X_train, data.Y[train]).log_odds(X_test) for s in settings]
