"""A fine-tuned network as a model version: what is written of it, and what is stated."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sklearn.pipeline import FeatureUnion

from topicml.models.folder import ADAPTERS, SCORER
from topicml.models.manifest import NETWORK
from topicml.network.backend import read_by_network
from topicml.network.base import Base
from topicml.scheme import Scheme
from topicml.scoring.scorer import Scorer
from topicml.scoring.scorer_file import load_scorer, save_scorer
from topicml.training.calibration import Decision
from topicml.training.export import scorer_of_words

_LIBRARIES = ("torch", "transformers", "peft", "safetensors", "tokenizers")


@dataclass(frozen=True, slots=True)
class FittedNetwork:
    """A network with its decision.

    Attributes:
        adapters: What it learned, as ``TopicNetwork.save`` writes it.
        base: What it learned on top of.
        base_folder: Its files, checked.
        decision: Calibration and thresholds.
        words: A fitted vectoriser; its words are the known ones.
        parameters: How it was fine-tuned.
    """

    adapters: Path
    base: Base
    base_folder: Path
    decision: Decision
    words: FeatureUnion
    parameters: dict[str, Any]

    def fields(self) -> dict[str, Any]:
        """Return what a manifest states of a network alone."""
        return {
            "kind": NETWORK,
            "base": asdict(self.base),
            "parameters": self.parameters,
            "search": [],
            "network_versions": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        }

    def write(self, topics: Sequence[str], scheme: Scheme, folder: Path) -> Scorer:
        """Write adapters, calibration folded into the head, and scorer; return the scorer."""
        from topicml.network.encoder import with_head_folded

        decision = self.decision
        contents = with_head_folded(self.adapters, decision.weights, decision.offset)
        (folder / ADAPTERS).write_bytes(contents)
        scorer = replace(
            scorer_of_words(self.words, topics),
            thresholds=decision.thresholds,
            relevance_threshold=decision.relevance_threshold,
            precisions=decision.precisions,
            precision_thresholds=decision.precision_thresholds,
            fewest_known=decision.fewest_known,
            scheme=scheme,
        )
        save_scorer(scorer, folder / SCORER)
        # golden sentences are computed in full precision, whatever is fast here
        read = read_by_network(
            load_scorer(folder / SCORER), self.base, folder / ADAPTERS, self.base_folder
        )
        read.use_full_precision()
        return read
