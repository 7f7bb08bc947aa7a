"""The one cross-validation: out-of-fold log-odds of several settings, in several processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.pipeline import FeatureUnion
from threadpoolctl import threadpool_limits

from topicml.errors import TrainingError
from topicml.training.background import Background
from topicml.training.dataset import FOLDS, Dataset, Split
from topicml.training.features import (
    AdaptedClassifier,
    Parameters,
    make_vectorizer,
)
from topicml.training.multinomial import classifier_for

Floats = NDArray[np.float64]


def cross_validate(
    data: Dataset,
    settings: Sequence[Parameters],
    splits: Sequence[Split],
    *,
    background: Background | None = None,
    jobs: int = 1,
    on_fit: Callable[[], None] = lambda: None,
) -> Floats:
    """Fit each of S settings on the training rows of each split, and predict its test rows.

    Args:
        data: n labelled sentences.
        settings: S settings.
        splits: (train, test) rows; no row is tested twice. With a background, those of
            ``splits_of``.
        background: What settings with ``background`` start from.
        jobs: Processes; the result does not depend on it.
        on_fit: Called after each fit.

    Returns:
        Out-of-fold log-odds, S by n by T + 1. The last column is relevance: that the
        sentence has any topic. Rows in no test fold are NaN, and of a setting that leaves no
        feature of a fold's training rows also that fold's.
    """
    tasks = [(members, split) for split in splits for members in _by_features(settings)]
    folds = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_fit_fold)(data, [settings[i] for i in members], split, background)
        for members, split in tasks
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


def splits_of(data: Dataset, background: Background | None, folds: int = FOLDS) -> list[Split]:
    """Return (train, test) rows of a grouped k-fold: with a background, of its own folds.

    Raises:
        TrainingError: All sentences belong to one group, or to one fold of the background.
    """
    if background is None:
        return data.grouped_splits(folds)
    own = background.folds_of(data.texts, data.groups.tolist())
    splits = [(np.flatnonzero(own != k), np.flatnonzero(own == k)) for k in np.unique(own)]
    if len(splits) < 2:
        raise TrainingError(
            f"all {len(data)} sentences belong to one fold of the background model",
            hint="Label sentences of more articles, or train without it (--no-background).",
        )
    return data.without_copies(splits)


def vectorizer_for(
    parameters: Parameters, background: Background | None, texts: Sequence[str]
) -> FeatureUnion:
    """Return a vectoriser that is fitted to texts, on top of the background's where asked for."""
    if parameters.background:
        return required(background).vectorizer(texts, parameters.min_df)
    return fit_vectorizer(parameters, texts)[0]


def fit_vectorizer(parameters: Parameters, texts: Sequence[str]) -> tuple[FeatureUnion, Any]:
    """Return a vectoriser of parameters without a background, fitted, and the features of texts.

    Raises:
        TrainingError: No word or n-gram is in as many texts as ``min_df`` asks for.
    """
    vectorizer = make_vectorizer(parameters)
    try:
        X = vectorizer.fit_transform(texts).tocsr()
    except ValueError as err:  # what scikit-learn says where nothing is left
        raise TrainingError(
            f"no word or n-gram is left of {len(texts)} sentences, of those in {parameters.min_df} "
            "or more",
            hint="Label sentences with words, or give --parameters with a smaller min_df.",
        ) from err
    return vectorizer, X


def required(background: Background | None) -> Background:
    """Return the background that parameters ask for.

    Raises:
        TrainingError: There is none.
    """
    if background is None:
        raise TrainingError(
            "the parameters are for a training that starts from a background model",
            hint="Make one with topicml distill, or give other --parameters.",
        )
    return background


@threadpool_limits.wrap(limits=1)  # type: ignore[untyped-decorator]  # sums in one order
def _fit_fold(
    data: Dataset, settings: Sequence[Parameters], split: Split, background: Background | None
) -> list[Floats]:
    """Return the test rows' log-odds for settings of the same features."""
    train, test = split
    texts, Y = [data.texts[i] for i in train], data.Y[train]
    held_out = [data.texts[i] for i in test]
    if not settings[0].background:
        try:
            vectorizer, X_train = fit_vectorizer(settings[0], texts)
        except TrainingError:
            return [np.full((len(test), Y.shape[1] + 1), np.nan)] * len(settings)
        X_test = vectorizer.transform(held_out).tocsr()
        classifiers = [classifier_for(s, data.scheme) for s in settings]
        return [classifier.fit(X_train, Y).log_odds(X_test) for classifier in classifiers]
    known = required(background)
    vectorizer = known.vectorizer(texts, settings[0].min_df)
    X_train, X_test = vectorizer.transform(texts).tocsr(), vectorizer.transform(held_out).tocsr()
    (fold,) = set(known.folds_of(held_out, data.groups[test].tolist()).tolist())
    prior = known.extended_coefficients(vectorizer), known.intercepts
    start, before = known.log_odds_without(fold, texts), known.log_odds_without(fold, held_out)
    weights = known.weights_of(texts, Y)
    return [
        AdaptedClassifier(s.C).fit(X_train, Y, prior, start, weights).correct(X_test, before)
        for s in settings
    ]
