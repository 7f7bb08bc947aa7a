"""From label files to a version that reads sentences with a fine-tuned network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import FeatureUnion

from topicml.errors import TrainingError
from topicml.models.fold_networks import FoldNetworks, claim
from topicml.models.folder import sha256_file, sha256_files
from topicml.models.network import FittedNetwork
from topicml.models.steps import OnStep
from topicml.models.store import ModelStore
from topicml.models.train import TrainedVersion, read_new_version
from topicml.network.base import Base
from topicml.training.calibration import Decision, choose_decision
from topicml.training.dataset import FOLDS, Dataset
from topicml.training.familiarity import choose_fewest_known
from topicml.training.features import Parameters, make_vectorizer
from topicml.training.fit import check_teachable
from topicml.training.held_out import tag_held_out
from topicml.training.metrics import Evaluation, evaluate_predictions
from topicml.training.natural_mix import deciding_sentences

_WORDS = Parameters(word_ngrams=(1, 1), char_ngrams=None, min_df=1)


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """How a network is fine-tuned and judged.

    Attributes:
        folds: Parts of the documents.
        judged: How many of them are left out in turn; each takes a training.
        seeds: Networks on all labels, the best of which is kept.
        epochs: The most.
    """

    folds: int = 3
    judged: int = 3
    seeds: int = 1
    epochs: int = 3


def train_network(
    store: ModelStore,
    name: str,
    labels: Sequence[Path],
    taxonomy: Path,
    base: Base,
    base_folder: Path,
    work: Path,
    settings: NetworkSettings,
    *,
    version: str | None = None,
    test: Sequence[Path] = (),
    on_note: Callable[[str], None] = lambda _: None,
    on_step: OnStep = lambda _: None,
) -> TrainedVersion:
    """Fine-tune a network on all labels, judge the recipe on folds left out, write a version.

    Args:
        store: Where the version goes.
        name: Model name.
        labels: Label files.
        taxonomy: Taxonomy file.
        base: What is learned on top of.
        base_folder: Its files, checked.
        work: Folder for what is done so far; a training that was cut off goes on there.
        settings: How.
        version: To make; the next minor one for None.
        test: Label files to judge by, as for ``train_model``; sentences that are trained on, too.
        on_note: Told what of the labels is not there.
        on_step: Told how far it is.

    Raises:
        TopicmlError: The labels cannot be read or trained on, the name or version is not
            usable, or the model of that name has other topics. Nothing is written then.
    """
    new = read_new_version(store, name, labels, taxonomy, version, on_note, test)
    data = new.data
    check_teachable(data)
    new.check()
    sources = {"labels": sha256_files(labels), "taxonomy": sha256_file(taxonomy)}
    claim(work, {**sources, "base": base.revision, "settings": asdict(settings)})
    networks = FoldNetworks(data, base_folder, work, settings.folds, settings.epochs)
    log_odds = networks.log_odds_out_of_fold(range(settings.judged), on_step)
    for seed in range(settings.seeds):
        networks.train(None, seed, on_step)
    judged = np.flatnonzero(~np.isnan(log_odds[:, 0]))
    rows, said = data.subset(judged), log_odds[judged]
    words = make_vectorizer(_WORDS).fit(data.texts)
    fitted = FittedNetwork(
        networks.adapters(None, networks.best_seed(settings.seeds)),
        *(base, base_folder, _decide(rows, said), words),
        asdict(settings),
    )
    own = new.judged.sentences.rows(rows.texts)
    if not own.any():
        raise TrainingError(
            "no sentence to judge by is among the labels",
            hint="A network is judged by some of its labels: give a --test file of these.",
        )
    metrics = _protocol(settings) + new.judged.note(name), evaluate_network(rows, said, own)
    return new.write(fitted, metrics, judged[own])


def _decide(data: Dataset, log_odds: NDArray[np.float64]) -> Decision:
    decision = choose_decision(*deciding_sentences(data, log_odds))
    known = choose_fewest_known(data, data.grouped_splits(FOLDS), _WORDS)
    return replace(decision, fewest_known=known)


def evaluate_network(
    data: Dataset, log_odds: NDArray[np.float64], judged: NDArray[np.bool_]
) -> Evaluation:
    """Judge out-of-fold log-odds by decisions that were chosen on other documents.

    Args:
        data: n labelled sentences.
        log_odds: n by T + 1, of networks that have not seen their documents.
        judged: n, whether a sentence is judged.
    """
    probabilities, tags = np.zeros(data.Y.shape), np.zeros_like(data.Y)
    for train, test in data.grouped_splits(FOLDS):
        inner = data.subset(train)
        decision = _decide(inner, log_odds[train])
        words: FeatureUnion = make_vectorizer(_WORDS).fit(inner.texts)
        probabilities[test], tags[test] = tag_held_out(
            data.subset(test), log_odds[test], decision, words
        )
    return evaluate_predictions(
        *(data.topics, data.Y[judged], probabilities[judged], tags[judged], data.groups[judged]),
        sources=data.sources[judged],
        lengths=data.lengths[judged],
        drawn=data.drawn[judged],
    )


def _protocol(settings: NetworkSettings) -> str:
    left_out = "each" if settings.judged == settings.folds else f"{settings.judged}"
    return (
        f"Out of fold: {left_out} of {settings.folds} parts of the documents left out in turn, "
        "calibration and thresholds chosen on other documents, tagged as `topicml classify` tags."
    )
