"""A scorer whose log-odds come from a network; words are counted as by any other."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from topicml.io.optional_dependencies import load
from topicml.network.base import Base, base_folder
from topicml.scoring.backends import Backend, Backends
from topicml.scoring.features import FeatureBlock, Floats, Integers
from topicml.scoring.scorer import Scorer

if TYPE_CHECKING:
    from topicml.network.encoder import TopicNetwork

_PACKAGES = ("torch", "transformers", "peft", "safetensors", "tokenizers")
_PURPOSE = "a model that is a network"


def read_by_network(
    scorer: Scorer, base: Base, adapters: Path, folder: Path | None = None
) -> Scorer:
    """Return a scorer that decides as the one given, and has a network read the sentences.

    The network is loaded when the first sentence is scored.

    Args:
        scorer: Its words tell what is English and known; its thresholds are the network's.
        base: What the adapters belong to; its files must be on this machine.
        adapters: What ``TopicNetwork.save`` wrote, calibration folded into the head.
        folder: Where the base's files are; in the cache where None.

    Raises:
        MissingExtraError: The base is not on this machine.
        ModelError: A file of the base is another one than it should be.
    """
    outputs = len(scorer.topics) + 1
    found = base_folder(base, folder)
    return replace(scorer, backends=NetworkBackends(scorer.blocks, found, adapters, outputs))


def load_packages(purpose: str) -> None:
    """Import all that networks need.

    Raises:
        MissingExtraError: Some of it is not installed.
    """
    for package in _PACKAGES:
        load(package, "neural", purpose)


class NetworkBackends(Backends):
    """Word counts of the one backend or the other, and log-odds of a network.

    Args:
        blocks: Of words.
        base: Folder of ``base_folder``.
        adapters: What was learned on top of it.
        outputs: T + 1.
    """

    uses_all_cores = True

    def __init__(
        self, blocks: Sequence[FeatureBlock], base: Path, adapters: Path, outputs: int
    ) -> None:
        super().__init__(blocks)
        self._seconds, self._bytes = 0.0, 0
        self._base, self._adapters, self._outputs = base, adapters, outputs
        self._network: TopicNetwork | None = None
        self._is_exact = False
        self._loading = threading.Lock()

    def score(
        self, buffer: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> tuple[Floats, Integers]:
        """Score n texts; see ``Backends.score``.

        Raises:
            MissingExtraError: What networks need is not installed.
            ModelError: The adapters are not of this base.
        """
        _, counts = super().score(buffer, starts, ends)
        places = zip(starts.tolist(), ends.tolist(), strict=True)
        texts = [buffer[start:end].tobytes().decode("utf-8", "replace") for start, end in places]
        network = self._loaded()
        started = time.monotonic()
        log_odds = network.log_odds(texts)
        self._seconds += time.monotonic() - started
        self._bytes += int((ends - starts).sum())
        return log_odds, counts

    @property
    def current(self) -> Backend:
        """The reference scorer: words are counted by it long before the network has read them."""
        return "reference"

    @property
    def bytes_per_second(self) -> float | None:
        """How fast the network has read so far; None before."""
        return self._bytes / self._seconds if self._seconds else None

    def use_threads(self, count: int) -> None:
        """Compute on so many cores from now on, and so does all that torch does in this process."""
        load("torch", "neural", _PURPOSE).set_num_threads(count)

    def use_full_precision(self) -> bool:
        """Read in float32 from now on; False where that is so already."""
        if self._is_exact or (self._network is not None and not self._network.is_short):
            return False
        self._is_exact, self._network = True, None
        self._seconds, self._bytes = 0.0, 0
        return True

    def _loaded(self) -> TopicNetwork:
        with self._loading:
            if self._network is None:
                load_packages(_PURPOSE)
                from topicml.network.encoder import TopicNetwork

                network = TopicNetwork(self._base, self._outputs, is_exact=self._is_exact)
                network.load(self._adapters)
                network.merge()
                self._network = network
            return self._network
