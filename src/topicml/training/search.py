"""The one search over parameters, what it is worth, and the tuning built on it.

Settings are compared by grouped cross-validation. A search is evaluated by cross-validation
too (``nested_predictions``): each outer fold searches anew on its training part and is scored
on sentences that neither the search nor the fit has seen, so the figure is not that of the
luckiest setting.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score
from threadpoolctl import threadpool_limits

from topicml.errors import TrainingError
from topicml.scheme import Scheme
from topicml.scoring.probabilities import softmax
from topicml.tagging.thresholds import reached
from topicml.training.background import Background
from topicml.training.calibration import Decision, choose_decision, micro_f1
from topicml.training.cross_validation import Floats, cross_validate, splits_of, vectorizer_for
from topicml.training.dataset import FOLDS, Dataset, Split
from topicml.training.familiarity import choose_fewest_known
from topicml.training.features import SKLEARN_DEFAULTS, Parameters
from topicml.training.held_out import tag_held_out
from topicml.training.metrics import Evaluation, evaluate_predictions
from topicml.training.natural_mix import deciding_sentences
from topicml.training.temperature import choose_multiclass_decision

DEFAULT_GRID: tuple[Parameters, ...] = (
    SKLEARN_DEFAULTS,
    *(
        Parameters(char_ngrams=char_ngrams, C=C, class_weight=class_weight, nb_mixing=nb_mixing)
        for char_ngrams in (None, (3, 5))
        for nb_mixing in (0.0, 0.5)
        for C in (1.0, 10.0, 100.0)
        for class_weight in (None, "balanced")
    ),
)
"""What a training searches that is to search: 24 settings and scikit-learn's defaults."""

MULTICLASS_GRID = tuple(p for p in DEFAULT_GRID if not p.nb_mixing)
"""What is searched in a multiclass scheme: naive-Bayes ratios are of one topic against the rest."""

ADAPTATION_GRID = tuple(Parameters(background=True, min_df=3, C=C) for C in (0.1, 0.3, 1.0))
"""What is searched instead where there is a background model to start from."""

TUNING_FOLDS = 3
NEAR_BEST = 0.003
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


def grid_for(background: Background | None, scheme: Scheme) -> tuple[Parameters, ...]:
    """Return what is searched by a training that is to search."""
    if background is not None:
        return ADAPTATION_GRID
    return MULTICLASS_GRID if scheme.is_multiclass else DEFAULT_GRID


def default_parameters(background: Background | None) -> Parameters:
    """Return what is taken where nothing is given, tuned or searched."""
    return Parameters() if background is None else ADAPTATION_GRID[-1]


def settings_for(
    parameters: Parameters | None, background: Background | None, scheme: Scheme
) -> tuple[Parameters, ...]:
    """Return the settings of a training: those given alone, or what is searched."""
    return grid_for(background, scheme) if parameters is None else (parameters,)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One parameter setting and how it did in cross-validation."""

    parameters: Parameters
    macro_average_precision: float
    micro_f1: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found.

    Attributes:
        candidates: All settings tried, the best macro average precision first.
        chosen: The setting to use.
        log_odds: n by T + 1, of the chosen setting, out of fold.
    """

    candidates: tuple[Candidate, ...]
    chosen: Parameters
    log_odds: Floats


Choose = Callable[[Sequence[Candidate]], Parameters]
"""Takes candidates, the best first, and returns the setting to use."""


def search(
    data: Dataset,
    settings: Sequence[Parameters],
    splits: Sequence[Split],
    *,
    choose: Choose = lambda candidates: candidates[0].parameters,
    background: Background | None = None,
    jobs: int = 1,
    on_fit: Callable[[], None] = lambda: None,
) -> SearchResult:
    """Compare settings by cross-validation and choose one.

    Args:
        data: n labelled sentences.
        settings: To compare; one alone is chosen.
        splits: (train, test) rows.
        choose: Which candidate to take; the best by default.
        background: What settings with ``background`` start from.
        jobs: Processes.
        on_fit: Called after each fit.

    Raises:
        TrainingError: No setting leaves a feature in every fold; others are not compared.
    """
    log_odds = cross_validate(
        data, settings, splits, background=background, jobs=jobs, on_fit=on_fit
    )
    tested = np.concatenate([test for _, test in splits])
    scored = [
        score_candidate(setting, data.Y, out, data.scheme)
        for setting, out in zip(settings, log_odds, strict=True)
        if not np.isnan(out[tested]).any()
    ]
    if not scored:
        for train, _ in splits:
            count_features(data.subset(train), settings[0], background)  # raises, and says why
    ranked = tuple(sorted(scored, key=lambda c: -c.macro_average_precision))
    chosen = choose(ranked)
    return SearchResult(ranked, chosen, log_odds[settings.index(chosen)])


def score_candidate(
    parameters: Parameters, Y: NDArray[np.int8], log_odds: Floats, scheme: Scheme
) -> Candidate:
    """Score a setting by its out-of-fold log-odds, n by T + 1, over the rows that were tested."""
    tested = ~np.isnan(log_odds[:, 0])
    Y, log_odds = Y[tested], log_odds[tested, :-1]
    seen = Y.any(axis=0)
    # log-odds of topics that exclude each other tell nothing from one text to another
    ranking = softmax(log_odds) if scheme.is_multiclass else log_odds
    precision = average_precision_score(Y[:, seen], ranking[:, seen]) if seen.any() else 0.0
    # a fixed threshold of one half: the setting itself, before any threshold is tuned
    tags = reached(ranking, np.zeros(Y.shape[1]), scheme.kind)
    return Candidate(parameters, float(precision), micro_f1(Y, tags))


def decide_by(
    data: Dataset, found: SearchResult, splits: Sequence[Split], background: Background | None
) -> Decision:
    """Choose calibration and thresholds by what a search found out of fold.

    Args:
        data: What was searched on.
        found: The search's result.
        splits: Its (train, test) rows.
        background: What its settings with ``background`` started from.
    """
    started = background if found.chosen.background else None
    choose = choose_multiclass_decision if data.scheme.is_multiclass else choose_decision
    decision = choose(*deciding_sentences(data, found.log_odds, started))
    known = choose_fewest_known(data, splits, found.chosen, background)
    return replace(decision, fewest_known=known)


@threadpool_limits.wrap(limits=1)  # type: ignore[untyped-decorator]
def nested_predictions(
    data: Dataset,
    splits: Sequence[Split],
    settings: Sequence[Parameters] = DEFAULT_GRID,
    *,
    folds: int = FOLDS,
    choose: Choose = lambda candidates: candidates[0].parameters,
    background: Background | None = None,
    jobs: int = 1,
    on_fit: Callable[[], None] = lambda: None,
) -> tuple[Floats, NDArray[np.int8]]:
    """Predict each test fold with nothing but its training fold, and tag it as ``classify`` does.

    Args:
        data: n labelled sentences.
        splits: (train, test) rows.
        settings: Searched anew inside each fold; one alone is fixed.
        folds: Of the search inside each fold.
        choose: As in ``search``.
        background: As in ``search``; its folds are then those inside.
        jobs: Processes.
        on_fit: Called after each fit; see ``count_nested_fits``.

    Returns:
        Calibrated probabilities (NaN for rows in no test fold) and tags, both n by T.
    """
    probabilities = np.full(data.Y.shape, np.nan)
    tags = np.zeros_like(data.Y)
    for train, test in splits:
        inner, held_out = data.subset(train), data.subset(test)
        inner_splits = splits_of(inner, background, folds)
        found = search(
            *(inner, settings, inner_splits),
            choose=choose,
            background=background,
            jobs=jobs,
            on_fit=on_fit,
        )
        decision = decide_by(inner, found, inner_splits, background)
        log_odds = cross_validate(
            data, [found.chosen], [(train, test)], background=background, on_fit=on_fit
        )
        words = vectorizer_for(replace(found.chosen, char_ngrams=None), background, inner.texts)
        probabilities[test], tags[test] = tag_held_out(held_out, log_odds[0, test], decision, words)
    return probabilities, tags


def count_nested_fits(
    data: Dataset,
    splits: Sequence[Split],
    settings: Sequence[Parameters],
    *,
    folds: int = FOLDS,
    background: Background | None = None,
) -> int:
    """Return how many fits ``nested_predictions`` takes, for a progress bar."""
    inner = (len(splits_of(data.subset(train), background, folds)) for train, _ in splits)
    return sum(len(settings) * count + 1 for count in inner)


@dataclass(frozen=True, slots=True)
class TuningResult:
    """What a tuning found.

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


def draw_settings(trials: int, seed: int, scheme: Scheme) -> list[Parameters]:
    """Return scikit-learn's defaults, the project's, and ``trials`` others drawn at random."""
    everything = [
        Parameters(**dict(zip(_SPACE, values, strict=True)))  # type: ignore[arg-type]
        for values in itertools.product(*_SPACE.values())
    ]
    always = [SKLEARN_DEFAULTS, Parameters()]
    if scheme.is_multiclass:
        everything = [setting for setting in everything if not setting.nb_mixing]
    others = [setting for setting in everything if setting not in always]
    return [*always, *random.Random(seed).sample(others, min(trials, len(others)))]  # noqa: S311


def count_fits(
    data: Dataset, settings: Sequence[Parameters], background: Background | None = None
) -> int:
    """Return how many fits a tuning takes, for a progress bar."""
    outer = splits_of(data, background, TUNING_FOLDS)
    nested = count_nested_fits(data, outer, settings, folds=TUNING_FOLDS, background=background)
    return nested + len(settings) * len(outer)


def tune(
    data: Dataset,
    settings: Sequence[Parameters],
    *,
    background: Background | None = None,
    jobs: int = 1,
    on_fit: Callable[[], None] = lambda: None,
) -> TuningResult:
    """Search for the smallest good setting, and evaluate the search.

    Args:
        data: Labelled sentences.
        settings: To compare.
        background: As in ``search``.
        jobs: Processes.
        on_fit: Called after each fit; see ``count_fits``.
    """
    sizes = {}
    for setting in settings:
        with suppress(TrainingError):  # it leaves no feature, and is no candidate
            sizes[setting] = count_features(data, setting, background)
    choose = partial(choose_smallest, sizes=sizes)
    splits = splits_of(data, background, TUNING_FOLDS)
    probabilities, tags = nested_predictions(
        *(data, splits, settings),
        folds=TUNING_FOLDS,
        choose=choose,
        background=background,
        jobs=jobs,
        on_fit=on_fit,
    )
    found = search(
        *(data, settings, splits), choose=choose, background=background, jobs=jobs, on_fit=on_fit
    )
    evaluation = evaluate_predictions(
        *(data.topics, data.Y, probabilities, tags, data.groups),
        kind=data.scheme.kind,
        sources=data.sources,
        lengths=data.lengths,
    )
    return TuningResult(found.candidates, sizes, found.chosen, evaluation)


def count_features(data: Dataset, setting: Parameters, background: Background | None = None) -> int:
    """Return how many features a setting makes of the sentences."""
    return len(vectorizer_for(setting, background, data.texts).get_feature_names_out())


def choose_smallest(candidates: Sequence[Candidate], sizes: Mapping[Parameters, int]) -> Parameters:
    """Return the smallest model among the candidates within noise of the best."""
    best = max(c.macro_average_precision for c in candidates)
    near_best = [c for c in candidates if c.macro_average_precision >= best - NEAR_BEST]
    smallest = min(near_best, key=lambda c: (sizes[c.parameters], -c.macro_average_precision))
    return smallest.parameters
