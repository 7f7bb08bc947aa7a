"""From labels and unlabelled text to a background model, by way of a fine-tuned network.

Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015: what the network
says of very many sentences teaches the small model more than the labels alone do.

The same is done K times without one K-th of the documents, so that a training can be evaluated
honestly (``training.background``). Every step leaves a file in the work folder, and a step whose
file is there is not done again: a run that was cut off goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topicml.files import replacing, write_text
from topicml.labels.texts import sha1_of
from topicml.models.background import (
    FOLDER,
    MANIFEST,
    TEACHER,
    read_background,
    save_background,
)
from topicml.models.fold_networks import FoldNetworks, claim, without
from topicml.models.folder import ADAPTERS, sha256_file, sha256_files
from topicml.models.steps import OnStep, Step
from topicml.models.store import ModelStore
from topicml.network.base import Base
from topicml.training.background import (
    FEATURES,
    Background,
    fit_background,
    fold_of,
    log_odds_of,
)
from topicml.training.dataset import Dataset
from topicml.training.pool import Pool

_CHUNK = 5_000  # sentences that are soft-labelled between two files


@dataclass(frozen=True, slots=True)
class DistillSettings:
    """How a background is made.

    Attributes:
        folds: K; each takes as long as the background itself.
        seeds: Networks whose log-odds are averaged.
        epochs: The most.
        features: Terms that the background keeps.
    """

    folds: int = 3
    seeds: int = 1
    epochs: int = 3
    features: int = FEATURES


@dataclass(frozen=True, slots=True)
class Distillation:
    """All that a background is made of.

    Attributes:
        data: Labelled sentences.
        pool: Unlabelled ones, none of them labelled.
        base: What the network starts from.
        base_folder: Its files, checked.
        work: Folder that steps leave their files in.
        settings: How.
        sources: What is stated of the inputs: names and SHA-256.
    """

    data: Dataset
    pool: Pool
    base: Base
    base_folder: Path
    work: Path
    settings: DistillSettings
    sources: dict[str, Any]

    def run(self, store: ModelStore, name: str, on_step: OnStep = lambda _: None) -> Path:
        """Do what is left to do, and write ``background/`` and ``teacher/`` of a model.

        Returns:
            The background's folder.

        Raises:
            OutputError: The work folder is of another run, or a file cannot be written.
        """
        claim(self.work, self._identity())
        for fold in (*range(self.settings.folds), None):
            for seed in range(self.settings.seeds):
                self.teach(fold, seed, on_step)
            self.fit(fold, on_step)
        return self.write(store, name)

    def _identity(self) -> dict[str, Any]:
        return {
            **self.sources,
            "labels_sentences": len(self.data),
            "pool_sentences": len(self.pool),
            "teacher": {"base": self.base.name, "revision": self.base.revision},
            "settings": asdict(self.settings),
        }

    def teach(self, fold: int | None, seed: int, on_step: OnStep = lambda _: None) -> None:
        """Fine-tune a network without a fold, and write what it says of the pool.

        Args:
            fold: Left out; None for none.
            seed: Of order and dropout.
            on_step: Told after each step.
        """
        soft = self._soft(fold, seed)
        if soft.exists():
            return
        network = self._networks.network(fold, seed, on_step)
        parts = []
        for start in range(0, len(self.pool), _CHUNK):
            part = self.work / f"{soft.stem}.{start}.npy"
            if not part.exists():
                log_odds = network.log_odds(self.pool.texts[start : start + _CHUNK])
                _save(part, log_odds.astype(np.float16))
            parts.append(part)
            done = min(start + _CHUNK, len(self.pool))
            on_step(Step(f"soft labels{without(fold)}, seed {seed}", done, len(self.pool)))
        _save(soft, np.concatenate([np.load(part) for part in parts]))
        for part in parts:
            part.unlink()

    @property
    def _networks(self) -> FoldNetworks:
        return FoldNetworks(
            self.data, self.base_folder, self.work, self.settings.folds, self.settings.epochs
        )

    def fit(self, fold: int | None, on_step: OnStep = lambda _: None) -> None:
        """Fit a background without a fold: neither its labels nor its documents' text."""
        path = self._background(fold)
        if (path if fold is not None else path / MANIFEST).exists():
            return
        count, name = self.settings.folds, f"background{without(fold)}"
        on_step(Step(name, 0, 1))
        soft = sum(
            np.load(self._soft(fold, seed)).astype(np.float32)
            for seed in range(self.settings.seeds)
        )
        kept = np.array([fold_of(group, count) != fold for group in self.pool.documents])
        own = self.data.subset((self._networks.fold_of_each() != fold) & self.data.articles)
        blocks, intercepts = fit_background(
            [text for text, keep in zip(self.pool.texts, kept, strict=True) if keep],
            soft[kept] / self.settings.seeds,
            own.texts,
            own.Y,
            features=self.settings.features,
        )
        if fold is not None:
            _save(path, log_odds_of(blocks, intercepts, self.data.texts).astype(np.float16))
        else:
            fitted = Background.of_nothing_seen(self.data.topics, blocks, intercepts)
            save_background(fitted, path, {})
        on_step(Step(name, 1, 1))

    def write(self, store: ModelStore, name: str) -> Path:
        """Write ``background/`` and ``teacher/`` from the files of all steps."""
        folder = store.name_folder(name)
        final = read_background(self._background(None))
        background = Background(
            final.topics,
            final.blocks,
            final.intercepts,
            *self._seen(),
        )
        save_background(background, folder / FOLDER, self._identity())
        best = self._networks.best_seed(self.settings.seeds)
        adapters = self._networks.adapters(None, best)
        teacher = {
            **self._identity()["teacher"],
            "files": self.base.files,
            "topics": list(self.data.topics),
            "adapters": sha256_file(adapters),
            "average_precision": self._networks.average_precision(best),
        }
        (folder / TEACHER).mkdir(exist_ok=True)
        with replacing(folder / TEACHER / ADAPTERS) as file:
            file.write(adapters.read_bytes())
        write_text(folder / TEACHER / MANIFEST, json.dumps(teacher, indent=2) + "\n")
        return folder / FOLDER

    def _seen(self) -> tuple[Any, ...]:
        """Return what is known of the sentences with a label, each once; see ``Background``."""
        rows: dict[str, int] = {}
        for row, text in enumerate(self.data.texts):
            rows.setdefault(sha1_of(text), row)
        picked = list(rows.values())
        folds = self._networks.fold_of_each().astype(np.int8)[picked]
        log_odds = [np.load(self._background(k))[picked] for k in range(self.settings.folds)]
        data = self.data
        return (
            *({digest: n for n, digest in enumerate(rows)}, folds, np.stack(log_odds)),
            *(data.Y[picked], data.articles[picked], data.drawn[picked]),
        )

    def _soft(self, fold: int | None, seed: int) -> Path:
        return self._networks.stem("soft", fold, seed).with_suffix(".npy")

    def _background(self, fold: int | None) -> Path:
        return self.work / ("background" if fold is None else f"background-{fold}.npy")


def _save(path: Path, array: NDArray[Any]) -> None:
    with replacing(path) as file:
        np.save(file, array)


def describe_sources(
    labels: Sequence[Path], pool: Sequence[Path], taxonomy: Path
) -> dict[str, Any]:
    """Return names and SHA-256 of the files behind a distillation."""
    return {
        "labels": sha256_files(labels),
        "pool": sha256_files(pool),
        "taxonomy": sha256_file(taxonomy),
    }
