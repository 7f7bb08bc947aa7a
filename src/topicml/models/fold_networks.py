"""Networks fine-tuned on labels: one on all of them, and one without each fold of documents.

What one says of the fold that it has not seen is what a network says of new text. Every
training leaves a file in the work folder, and one whose file is there is not done again; one
that was cut off goes on from its last hundred steps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicml.errors import OutputError
from topicml.files import write_text
from topicml.models.manifest import MANIFEST
from topicml.models.steps import OnStep, Step
from topicml.network.encoder import TopicNetwork
from topicml.network.fine_tuning import Examples, fine_tune
from topicml.training.background import fold_of
from topicml.training.dataset import Dataset

_HELD_OUT = 20  # one in so many documents chooses the epoch
_REAL_WEIGHT = 1.3  # of a sentence of real text in the network's loss


@dataclass(frozen=True, slots=True)
class FoldNetworks:
    """Networks of one set of labels.

    Attributes:
        data: Labelled sentences.
        base: Folder of ``base.base_folder``.
        work: Folder that trainings leave their files in.
        folds: K.
        epochs: The most.
    """

    data: Dataset
    base: Path
    work: Path
    folds: int
    epochs: int

    def fold_of_each(self) -> NDArray[np.int64]:
        """Return each label's fold: that of the first document with its sentence."""
        first: dict[str, str] = {}
        for text, group in zip(self.data.texts, self.data.groups.tolist(), strict=True):
            first.setdefault(text, group)
        return np.array([fold_of(first[text], self.folds) for text in self.data.texts])

    def network(
        self, fold: int | None, seed: int, on_step: OnStep = lambda _: None
    ) -> TopicNetwork:
        """Return a network that learned all labels but a fold's, ready to read.

        Args:
            fold: Left out; None for none.
            seed: Of order and dropout.
            on_step: Told after each step.
        """
        self.train(fold, seed, on_step)
        network = self._fresh(seed)
        network.load(self.adapters(fold, seed))  # in half precision: it is used, and no other
        network.merge()
        return network

    def train(self, fold: int | None, seed: int, on_step: OnStep = lambda _: None) -> None:
        """Fine-tune a network unless its file is there; see ``network``."""
        adapters = self.adapters(fold, seed)
        if not adapters.exists():
            network = self._fresh(seed)
            self._fine_tune(network, fold, seed, on_step)
            network.save(adapters)

    def _fresh(self, seed: int) -> TopicNetwork:
        return TopicNetwork(self.base, len(self.data.topics) + 1, seed=seed)

    def adapters(self, fold: int | None, seed: int) -> Path:
        """Return the file that a training leaves."""
        return self.stem("teacher", fold, seed).with_suffix(".safetensors")

    def average_precision(self, seed: int) -> float:
        """Return how good the network on all labels was on what chose its epoch."""
        text = self.adapters(None, seed).with_suffix(".json").read_text(encoding="utf-8")
        return float(json.loads(text)["average_precision"])

    def best_seed(self, seeds: int) -> int:
        """Return the seed of the best network on all labels."""
        return max(range(seeds), key=self.average_precision)

    def stem(self, kind: str, fold: int | None, seed: int) -> Path:
        """Return a name in the work folder."""
        return self.work / f"{kind}-{'all' if fold is None else fold}-{seed}"

    def _fine_tune(
        self, network: TopicNetwork, fold: int | None, seed: int, on_step: OnStep
    ) -> None:
        adapters = self.adapters(fold, seed)
        groups = [*zip(self.data.groups.tolist(), self.fold_of_each().tolist(), strict=True)]
        learned = np.array([own != fold for _, own in groups])
        judged = np.array([fold_of(f"{seed} {group}", _HELD_OUT) == 0 for group, _ in groups])
        score = fine_tune(
            network,
            self._examples(learned & ~judged),
            self._examples(learned & judged),
            seed=seed,
            epochs=self.epochs,
            checkpoint=adapters.with_suffix(".checkpoint"),
            on_step=lambda s: on_step(
                Step(f"fine-tuning{without(fold)}, seed {seed}", s.done, s.total)
            ),
        )
        write_text(adapters.with_suffix(".json"), json.dumps({"average_precision": score}) + "\n")

    def _examples(self, rows: NDArray[np.bool_]) -> Examples:
        part = self.data.subset(rows)
        targets = np.column_stack([part.Y, part.Y.any(axis=1)]).astype(np.float64)
        return Examples(part.texts, targets, np.where(part.articles, _REAL_WEIGHT, 1.0))

    def log_odds_out_of_fold(
        self, folds: Sequence[int], on_step: OnStep = lambda _: None
    ) -> NDArray[np.float64]:
        """Return n by T + 1 log-odds, each of a network that has not seen its fold.

        Args:
            folds: Those to be judged; rows of others are NaN.
            on_step: Told after each step.
        """
        own = self.fold_of_each()
        found = np.full((len(self.data), len(self.data.topics) + 1), np.nan)
        for fold in folds:
            rows = np.flatnonzero(own == fold)
            texts = [self.data.texts[row] for row in rows.tolist()]
            found[rows] = self.network(fold, 0, on_step).log_odds(texts)
        return found


def without(fold: int | None) -> str:
    """Say which fold is left out."""
    return "" if fold is None else f" without fold {fold + 1}"


def claim(work: Path, identity: Mapping[str, Any]) -> None:
    """Make a work folder that of one run, or make sure that it is.

    Args:
        work: Folder; made where it is not there.
        identity: All that the run's steps depend on.

    Raises:
        OutputError: It is another run's.
    """
    work.mkdir(parents=True, exist_ok=True)
    path = work / MANIFEST
    text = json.dumps(identity, indent=2) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise OutputError(
            "holds the steps of a run with other inputs or settings",
            where=work,
            hint="Give another --work, or remove the folder.",
        )
    write_text(path, text)
