"""Fine-tuning of an encoder on labelled sentences: stopped early, and resumed where it was cut off.

A held-out part of the sentences says after each epoch how good the network is; the best epoch
is kept, and training ends where one is worse than the last.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score
from torch import nn

from topicml.files import replacing
from topicml.network.encoder import Batch, TopicNetwork

_BATCH = 32
_LIKE_LENGTH = 50  # batches that are sorted by length together
_ADAPTER_RATE, _HEAD_RATE = 6e-4, 2e-3
_WEIGHT_DECAY = 0.01
_WARM_UP = 0.06  # of all steps
_LONGEST_GRADIENT = 1.0
_STEPS_BETWEEN_CHECKPOINTS = 100


@dataclass(frozen=True, slots=True)
class Examples:
    """n sentences to learn from, or to be judged on.

    Attributes:
        texts: n sentences.
        targets: n by outputs, 0 or 1.
        weights: n, of each sentence in the loss.
    """

    texts: Sequence[str]
    targets: NDArray[np.float64]
    weights: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Step:
    """How far a training is.

    Attributes:
        done: Steps.
        total: Steps of all epochs.
        score: Macro average precision on the held-out sentences after the last epoch.
    """

    done: int
    total: int
    score: float | None


def fine_tune(
    network: TopicNetwork,
    train: Examples,
    held_out: Examples,
    *,
    seed: int,
    epochs: int = 3,
    checkpoint: Path | None = None,
    on_step: Callable[[Step], None] = lambda _: None,
) -> float:
    """Train adapters and head in place; leave those of the best epoch.

    Args:
        network: With fresh adapters.
        train: Sentences to learn from.
        held_out: Sentences that choose the epoch.
        seed: Of order and dropout.
        epochs: The most.
        checkpoint: File that the state is kept in now and then; where it is there, training
            goes on from it. It is removed at the end.
        on_step: Told after each step.

    Returns:
        Macro average precision of the best epoch on the held-out sentences.
    """
    training = _Training(network, train, held_out, seed, epochs, on_step)
    if checkpoint is not None and checkpoint.exists():
        training.restore(checkpoint)
    score = training.run(checkpoint)
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return score


class _Training:
    """The state of one training."""

    def __init__(
        self,
        network: TopicNetwork,
        train: Examples,
        held_out: Examples,
        seed: int,
        epochs: int,
        on_step: Callable[[Step], None],
    ) -> None:
        torch.manual_seed(seed)
        self._network, self._held_out, self._seed, self._epochs = network, held_out, seed, epochs
        self._tokens = network.tokenize(train.texts)
        self._targets = torch.tensor(train.targets, dtype=torch.float32, device=network.device)
        self._weights = torch.tensor(train.weights, dtype=torch.float32, device=network.device)
        self._on_step = on_step
        self._total = epochs * math.ceil(len(train.texts) / _BATCH)
        self._parameters = [*network.adapters(), *network.head.parameters()]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": network.adapters(), "lr": _ADAPTER_RATE},
                {"params": network.head.parameters(), "lr": _HEAD_RATE},
            ],
            weight_decay=_WEIGHT_DECAY,
        )
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self._rate)
        self._loss = nn.BCEWithLogitsLoss(reduction="none")
        self._done = 0
        self._scores: list[float] = []
        self._best: dict[str, Any] = {}

    def _rate(self, step: int) -> float:
        """Return the share of the learning rate at a step: up at first, then down to zero."""
        warm_up = _WARM_UP * self._total
        return min((step + 1) / warm_up, (self._total - step) / (self._total - warm_up))

    def run(self, checkpoint: Path | None) -> float:
        """Train to the end; return the best epoch's score."""
        per_epoch = self._total // self._epochs
        while len(self._scores) < self._epochs:
            epoch = len(self._scores)
            first = self._done - epoch * per_epoch
            self._network.train()
            for rows in self._epoch_batches(epoch)[first:]:
                self._step(self._network.pad(rows, self._tokens))
                if checkpoint is not None and self._done % _STEPS_BETWEEN_CHECKPOINTS == 0:
                    self.keep(checkpoint)
            self._scores.append(self._score())
            if self._scores[-1] < max(self._scores):
                break
            self._best = self._learned()
        self._take_over(self._best)
        return max(self._scores)

    def _epoch_batches(self, epoch: int) -> list[list[int]]:
        """Return the rows of each batch of an epoch: of like length, in random order."""
        draw = random.Random(f"{self._seed} {epoch}")  # noqa: S311
        order = list(range(len(self._tokens)))
        draw.shuffle(order)
        batches = list(_of_like_length(order, self._tokens))
        draw.shuffle(batches)
        return batches

    def _step(self, batch: Batch) -> None:
        log_odds = self._network(batch)
        losses = self._loss(log_odds, self._targets[batch.rows]).mean(dim=1)
        (losses * self._weights[batch.rows]).mean().backward()
        nn.utils.clip_grad_norm_(self._parameters, _LONGEST_GRADIENT)
        self._optimizer.step()
        self._schedule.step()
        self._optimizer.zero_grad()
        self._done += 1
        self._on_step(Step(self._done, self._total, self._scores[-1] if self._scores else None))

    def _score(self) -> float:
        """Return macro average precision on the held-out sentences; 0 where none has a topic."""
        targets = self._held_out.targets
        seen = targets.any(axis=0)
        if not seen.any():
            return 0.0
        log_odds = self._network.log_odds(self._held_out.texts)
        return float(average_precision_score(targets[:, seen], log_odds[:, seen]))

    def _learned(self) -> dict[str, Any]:
        state = self._network.state_dict()
        wanted = {n for n, p in self._network.named_parameters() if p.requires_grad}
        return {name: state[name].clone() for name in wanted}

    def _take_over(self, learned: dict[str, Any]) -> None:
        self._network.load_state_dict(learned, strict=False)

    def keep(self, path: Path) -> None:
        """Write the state, in place of the last one."""
        state = {
            "done": self._done,
            "scores": self._scores,
            "best": self._best,
            "learned": self._learned(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "random": torch.get_rng_state(),
        }
        with replacing(path) as file:
            torch.save(state, file)

    def restore(self, path: Path) -> None:
        """Go on from a state that ``keep`` wrote; ``weights_only``, so that none runs anything."""
        state = torch.load(path, weights_only=True, map_location="cpu")
        self._done, self._scores, self._best = state["done"], state["scores"], state["best"]
        self._take_over(state["learned"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])


def _of_like_length(order: Sequence[int], tokens: Sequence[list[int]]) -> Iterator[list[int]]:
    for start in range(0, len(order), _BATCH * _LIKE_LENGTH):
        chunk = sorted(order[start : start + _BATCH * _LIKE_LENGTH], key=lambda r: len(tokens[r]))
        for first in range(0, len(chunk), _BATCH):
            yield chunk[first : first + _BATCH]
