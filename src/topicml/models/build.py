"""From a fitted model to a model folder: export, golden sentences, card, manifest."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import joblib

from topicml.labels.references import ReferenceCount
from topicml.models.card import render_card
from topicml.models.code_version import code_version
from topicml.models.folder import (
    CARD,
    FILES,
    GOLDEN,
    PIPELINE,
    SCORER,
    sha256_file,
    sha256_files,
    write_folder,
)
from topicml.models.golden import choose_golden, golden_lines
from topicml.models.manifest import LINEAR
from topicml.models.network import FittedNetwork
from topicml.models.store import ModelStore
from topicml.scheme import Scheme
from topicml.scoring.scorer import Scorer
from topicml.scoring.scorer_file import load_scorer
from topicml.taxonomy import Taxonomy
from topicml.training.calibration import Decision
from topicml.training.dataset import Dataset
from topicml.training.estimator import TopicTagger
from topicml.training.export import export_scorer
from topicml.training.features import SKLEARN_DEFAULTS
from topicml.training.fit import FittedModel
from topicml.training.metrics import Evaluation

SEED = 0
_LIBRARIES = ("topicml", "scikit-learn", "numpy", "scipy", "joblib", "sentencex")
_CANDIDATES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a model comes from.

    Attributes:
        labels: Label files.
        taxonomy_path: Taxonomy file.
        taxonomy: What it says.
        references: By name of a label file that has labels by reference, how many, and how many
            of their texts were here.
        test: What is stated of the sentences that it is judged by.
        parameters_from: What is stated of where its parameters come from.
        background: SHA-256 of the files of the background model that was started from.
        parent: ``version`` and ``sha256`` (of the manifest) of the version in use before.
    """

    labels: tuple[Path, ...]
    taxonomy_path: Path
    taxonomy: Taxonomy
    references: Mapping[str, ReferenceCount] = field(default_factory=dict)
    test: Mapping[str, Any] = field(default_factory=dict)
    parameters_from: Mapping[str, Any] | None = None
    background: Mapping[str, str] = field(default_factory=dict)
    parent: Mapping[str, str] | None = None


def build_model(
    store: ModelStore,
    name: str,
    version: str,
    fitted: FittedModel | FittedNetwork,
    data: Dataset,
    origin: Origin,
    metrics: tuple[str, Evaluation],
) -> Path:
    """Write a model version, atomically.

    Args:
        store: Where to.
        name: Model name.
        version: A version the name does not have yet.
        fitted: The model.
        data: What it was fitted on.
        origin: Files behind the data.
        metrics: How it was evaluated, in a sentence, and the figures.

    Raises:
        ModelError: The version exists or the name is not usable.
    """
    path = store.path(name, version)
    stated, write = (
        (_linear_fields(fitted), partial(_write_linear, fitted))
        if isinstance(fitted, FittedModel)
        else (fitted.fields(), fitted.write)
    )
    manifest = {**_manifest(name, version, fitted.decision, data, origin, metrics), **stated}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        scorer = write(data.topics, data.scheme, folder)
        golden = golden_lines(scorer, choose_golden(data.texts))
        (folder / GOLDEN).write_text(golden, encoding="utf-8")
        (folder / CARD).write_text(render_card(manifest, origin.taxonomy), encoding="utf-8")
        files = {name: folder / name for name in FILES[manifest["kind"]]}
        write_folder(path, files, manifest)
    return path


def _write_linear(
    fitted: FittedModel, topics: Sequence[str], scheme: Scheme, folder: Path
) -> Scorer:
    joblib.dump(TopicTagger.of(fitted, topics, scheme), folder / PIPELINE, compress=3)
    export_scorer(fitted.pipeline, topics, fitted.decision, folder / SCORER, scheme)
    return load_scorer(folder / SCORER)


def _linear_fields(fitted: FittedModel) -> dict[str, Any]:
    return {
        "kind": LINEAR,
        "parameters": fitted.parameters.to_dict(),
        "search": _shown_candidates(fitted),
    }


def _manifest(
    name: str,
    version: str,
    decision: Decision,
    data: Dataset,
    origin: Origin,
    metrics: tuple[str, Evaluation],
) -> dict[str, Any]:
    protocol, evaluation = metrics
    return {
        "name": name,
        "version": version,
        "created": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "scheme": asdict(data.scheme),
        "topics": list(data.topics),
        "thresholds": dict(zip(data.topics, decision.thresholds.tolist(), strict=True)),
        "relevance_threshold": decision.relevance_threshold,
        "fewest_known": decision.fewest_known,
        **({"margins": decision.margins} if decision.margins else {}),
        "seed": SEED,
        "labels": {
            "files": sha256_files(origin.labels),
            "sentences": len(data),
            "groups": len(set(data.groups.tolist())),
            "empty": int((data.Y.sum(axis=1) == 0).sum()),
            "sources": dict(Counter(data.sources.tolist())),
            "by_reference": {
                name: {"labels": count.labels, "with_text": count.with_text}
                for name, count in origin.references.items()
            },
        },
        "taxonomy": {
            "file": origin.taxonomy_path.name,
            "sha256": sha256_file(origin.taxonomy_path),
            "version": origin.taxonomy.version or None,
        },
        "parameters_from": origin.parameters_from,
        "background": {"files": dict(origin.background)} if origin.background else None,
        "parent": origin.parent,
        "code": code_version(),
        "versions": {
            "python": platform.python_version(),
            **{library: importlib.metadata.version(library) for library in _LIBRARIES},
        },
        **({"test": origin.test} if origin.test else {}),
        "metrics": {"protocol": protocol, "evaluation": evaluation.to_dict()},
    }


def _shown_candidates(fitted: FittedModel) -> list[dict[str, Any]]:
    ranked = fitted.candidates
    shown = [*ranked[:_CANDIDATES_SHOWN]]
    shown += [c for c in ranked[_CANDIDATES_SHOWN:] if c.parameters == SKLEARN_DEFAULTS]
    return [
        {
            "parameters": c.parameters.to_dict(),
            "macro_average_precision": c.macro_average_precision,
            "micro_f1": c.micro_f1,
            "default": c.parameters == SKLEARN_DEFAULTS,
        }
        for c in shown
    ]
