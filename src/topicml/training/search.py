"""A search over parameters that reports honestly on what it found.

Settings are compared by grouped cross-validation. The search itself is cross-validated too:
each outer fold searches anew on its training part and is scored on sentences that neither
the search nor the fit has seen, so the figure is not that of the luckiest setting.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from topicml.training.dataset import Dataset, Split
from topicml.training.evaluation import Evaluation, evaluate_predictions
from topicml.training.features import SKLEARN_DEFAULTS, Parameters, make_vectorizer
from topicml.training.fit import (
    Candidate,
    candidate,
    choose_decision,
    cross_validate,
    cross_validate_fold,
)

FOLDS = 3
NOISE = 0.003
"""Macro average precision within which settings count as equal: the smallest model is taken."""

_SPACE: dict[str, Sequence[object]] = {
    "word_ngrams": ((1, 1), (1, 2), (1, 3)),
    "char_ngrams": (None, (2, 5), (3, 5), (3, 6)),
    "min_df": (1, 2, 3),
    "sublinear_tf": (True, False),
    "C": (3.0, 10.0, 30.0, 100.0),
    "class_weight": (None, "balanced"),
    "nb_mixing": (0.0, 0.5, 0.75, 1.0),
}


@dataclass(frozen=True, slots=True)
class TuningResult:
    """What a search found.

    Attributes:
        candidates: All settings tried, the best macro average precision first.
        sizes: Number of features of each setting.
        chosen: The smallest model among those that are as good as the best, but for noise.
        evaluation: Of the whole search, on sentences it has not seen.
    """

    candidates: tuple[Candidate, ...]
    sizes: dict[Parameters, int]
    chosen: Parameters
    evaluation: Evaluation


def draw_settings(trials: int, seed: int) -> list[Parameters]:
    """Return scikit-learn's defaults, the project's, and ``trials`` others drawn at random."""
    everything = [
        Parameters(**dict(zip(_SPACE, values, strict=True)))  # type: ignore[arg-type]
        for values in itertools.product(*_SPACE.values())
    ]
    always = [SKLEARN_DEFAULTS, Parameters()]
    others = [setting for setting in everything if setting not in always]
    return [*always, *random.Random(seed).sample(others, min(trials, len(others)))]  # noqa: S311


def count_fits(data: Dataset, settings: Sequence[Parameters]) -> int:
    """Return how many fits a search takes, for a progress bar."""
    outer = data.grouped_splits(FOLDS)
    inner = sum(len(data.subset(train).grouped_splits(FOLDS)) for train, _ in outer)
    return len(settings) * (len(outer) + inner)


def tune(
    data: Dataset,
    settings: Sequence[Parameters],
    *,
    jobs: int = 1,
    on_fit: Callable[[], None] = lambda: None,
) -> TuningResult:
    """Search for the best setting, and evaluate the search.

    Args:
        data: Labelled sentences.
        settings: To compare.
        jobs: Processes.
        on_fit: Called after each fit.
    """
    sizes = {setting: count_features(data, setting) for setting in settings}
    probabilities = np.full(data.Y.shape, np.nan)
    tags = np.zeros_like(data.Y)
    for train, test in data.grouped_splits(FOLDS):
        inner = data.subset(train)
        splits = inner.grouped_splits(FOLDS)
        chosen = choose(_compare(inner, settings, splits, jobs, on_fit), sizes)
        decision = choose_decision(inner.Y, cross_validate(inner, chosen, splits))
        held_out = cross_validate_fold(data, chosen, train, test)
        probabilities[test] = decision.probabilities(held_out)
        tags[test] = decision.tags(held_out)
    candidates = _compare(data, settings, data.grouped_splits(FOLDS), jobs, on_fit)
    evaluation = evaluate_predictions(data.topics, data.Y, probabilities, tags, data.groups)
    return TuningResult(candidates, sizes, choose(candidates, sizes), evaluation)


def count_features(data: Dataset, setting: Parameters) -> int:
    """Return how many features a setting makes of the sentences."""
    return len(make_vectorizer(setting).fit(data.texts).get_feature_names_out())


def choose(candidates: Sequence[Candidate], sizes: Mapping[Parameters, int]) -> Parameters:
    """Return the smallest model among the candidates within noise of the best."""
    best = max(c.macro_average_precision for c in candidates)
    as_good = [c for c in candidates if c.macro_average_precision >= best - NOISE]
    return min(as_good, key=lambda c: (sizes[c.parameters], -c.macro_average_precision)).parameters


def _compare(
    data: Dataset,
    settings: Sequence[Parameters],
    splits: Sequence[Split],
    jobs: int,
    on_fit: Callable[[], None],
) -> tuple[Candidate, ...]:
    tasks = [(setting, split) for setting in settings for split in splits]
    log_odds = [np.full((len(data), len(data.topics) + 1), np.nan) for _ in settings]
    fits = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(_fold)(data, setting, split) for setting, split in tasks
    )
    for (setting, (_, test)), fold in zip(tasks, fits, strict=True):
        log_odds[settings.index(setting)][test] = fold
        on_fit()
    scored = [
        candidate(setting, data.Y, out) for setting, out in zip(settings, log_odds, strict=True)
    ]
    return tuple(sorted(scored, key=lambda c: -c.macro_average_precision))


def _fold(data: Dataset, setting: Parameters, split: Split) -> NDArray[np.float64]:
    return cross_validate_fold(data, setting, *split)
