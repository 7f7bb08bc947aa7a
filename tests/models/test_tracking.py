from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Tiny

from topicml.errors import MissingExtraError, OutputError
from topicml.models.manifest import read_manifest
from topicml.models.tracking import metrics_of, open_tracking, tags_of

needs_mlflow = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None, reason="the extra mlflow is not installed"
)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take back what opening a store sets."""
    before = dict(os.environ)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]


@needs_mlflow
def test_a_version_becomes_a_run_with_figures_hashes_and_its_folder(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_tracking(str(tmp_path / "runs"), "weekend")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(tmp_path / "runs"))
    tracking = open_tracking("env", "weekend")  # the same experiment
    run_id = tracking.log_version(tiny.folder)
    manifest = read_manifest(tiny.folder)
    run = tracking.client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "weekend@1.0.0"
    assert run.data.params["char_ngrams"] == "[3, 4]"
    stated = manifest["metrics"]["evaluation"]["headlines"]["micro_f1"]
    ends = {f"micro_f1.{end}": stated[end] for end in ("low", "high")}
    assert {"micro_f1": stated["value"], **ends}.items() <= run.data.metrics.items()
    assert run.data.tags["model.sha256"] == manifest["manifest_sha256"]
    files = {f.path for f in tracking.client.list_artifacts(run_id, "model")}
    assert {"model/MODEL_CARD.md", "model/manifest.json", "model/scorer.npz"} <= files
    assert {e.name for e in tracking.client.search_experiments()} >= {"weekend"}


@needs_mlflow
def test_a_store_that_cannot_be_opened_is_an_error_without_what_is_secret() -> None:
    with pytest.raises(OutputError, match="MLflow cannot log there") as caught:
        open_tracking("nonsense://user:secret@host/x", "weekend")
    assert caught.value.where == "nonsense://host/x"
    assert "secret" not in str(caught.value)
    assert "pip install mlflow" in caught.value.hint


@needs_mlflow
def test_an_environment_without_an_address_is_an_error() -> None:
    with pytest.raises(OutputError, match="MLFLOW_TRACKING_URI, which is not set"):
        open_tracking("env", "weekend")


def test_without_mlflow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(MissingExtraError) as caught:
        open_tracking("runs", "weekend")
    assert caught.value.hint == "Install it: pip install 'topicml[mlflow]'"


def test_tags_and_figures_are_those_that_are_known(tiny: Tiny) -> None:
    manifest = read_manifest(tiny.folder)
    tags = tags_of(manifest)
    assert tags[f"labels.{tiny.labels.name}"] == manifest["labels"]["files"][tiny.labels.name]
    assert tags["taxonomy.version"] == "1.3"
    assert "parent" not in tags
    figures = dict(metrics_of(manifest))
    assert figures["topic.baking.support"] == 16
    assert all(isinstance(value, float) for value in figures.values())
