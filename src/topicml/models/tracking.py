"""A trained version as a run of MLflow, where that is asked for (extra ``mlflow``)."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topicml.errors import OutputError
from topicml.io.optional_dependencies import load
from topicml.io.remote import show_address
from topicml.models.manifest import read_manifest

URI_VARIABLE = "MLFLOW_TRACKING_URI"
FROM_ENVIRONMENT = "env"
"""In place of an address: the one that the environment has."""

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",  # it would tell its makers of each call
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # or no server is a matter of minutes
    "MLFLOW_ALLOW_FILE_STORE": "true",  # newer releases want a database; a folder was asked for
}
_HINT = (
    "Check the address and the network. A database (sqlite:///…) needs all of MLflow: "
    "pip install mlflow"
)


@dataclass(frozen=True, slots=True)
class Tracking:
    """An experiment of an MLflow store.

    Attributes:
        client: ``MlflowClient``.
        uri: Of the store.
        experiment: Its id.
    """

    client: Any
    uri: str
    experiment: str

    def log_version(self, path: Path) -> str:
        """Log a model version as a run, and return the run's id.

        Parameters, figures with the ends of their intervals, the hashes behind the model as
        tags, and its folder as artifacts.

        Raises:
            OutputError: MLflow did not take it.
        """
        manifest = read_manifest(path)
        with _logging_to(self.uri):
            from mlflow.entities import Metric, Param

            now = int(time.time() * 1000)
            name = f"{manifest['name']}@{manifest['version']}"
            run = self.client.create_run(self.experiment, run_name=name, tags=tags_of(manifest))
            self.client.log_batch(
                run.info.run_id,
                metrics=[Metric(key, value, now, 0) for key, value in metrics_of(manifest)],
                params=[Param(key, str(value)) for key, value in manifest["parameters"].items()],
            )
            self.client.log_artifacts(run.info.run_id, str(path), "model")
            self.client.set_terminated(run.info.run_id)
            return str(run.info.run_id)


def open_tracking(place: str, name: str) -> Tracking:
    """Open an experiment of an MLflow store, made where it is not there.

    Args:
        place: Address of the store, a folder, or ``env``.
        name: Of the experiment.

    Raises:
        MissingExtraError: MLflow is not installed.
        OutputError: The store cannot be reached.
    """
    for variable, value in _SETTINGS.items():
        os.environ.setdefault(variable, value)
    load("mlflow", "mlflow", "--mlflow")
    uri = _uri(place)
    with _logging_to(uri):
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=uri)
        found = client.get_experiment_by_name(name)
        experiment = found.experiment_id if found else client.create_experiment(name)
    return Tracking(client, uri, experiment)


def _uri(place: str) -> str:
    if place == FROM_ENVIRONMENT:
        if not os.environ.get(URI_VARIABLE):
            what = f"--mlflow {place} is for an address in {URI_VARIABLE}, which is not set"
            raise OutputError(what, hint="Set it, or give the address or a folder.")
        return _uri(os.environ[URI_VARIABLE])
    return place if ":" in place else Path(place).absolute().as_uri()


@contextmanager
def _logging_to(uri: str) -> Iterator[None]:
    """Make an error with a place of whatever MLflow raises."""
    try:
        yield
    except Exception as err:
        shown = show_address(uri)
        said = " ".join(str(err).replace(uri, shown).split())
        what = f"MLflow cannot log there ({type(err).__name__}: {said:.200})"
        raise OutputError(what, where=shown, hint=_HINT) from err


def tags_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return what a model was made of, by hash, and by which code."""
    code, parent = manifest.get("code") or {}, manifest.get("parent") or {}
    background = manifest.get("background") or {"files": {}}
    found = {
        "model": f"{manifest['name']}@{manifest['version']}",
        "model.sha256": manifest["manifest_sha256"],
        "kind": manifest["kind"],
        "protocol": manifest["metrics"]["protocol"],
        "parameters.from": (manifest.get("parameters_from") or {}).get("source"),
        "taxonomy.version": manifest["taxonomy"].get("version"),
        "taxonomy.sha256": manifest["taxonomy"]["sha256"],
        "parent": parent.get("version"),
        "parent.sha256": parent.get("sha256"),
        **{f"code.{key}": value for key, value in code.items()},
        **{f"labels.{name}": digest for name, digest in manifest["labels"]["files"].items()},
        **{f"background.{name}": digest for name, digest in background["files"].items()},
    }
    return {key: str(value) for key, value in found.items() if value is not None}


def metrics_of(manifest: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield figures that are defined: headlines with the ends of their intervals, and topics'."""
    evaluation = manifest["metrics"]["evaluation"]
    rows = {name: dict(row) for name, row in evaluation["headlines"].items()}
    for topic in evaluation["topics"]:
        rows[f"topic.{topic['topic']}"] = {
            key: topic.get(key) for key in ("support", "f1", "average_precision")
        }
    for name, row in rows.items():
        for key, value in row.items():
            if isinstance(value, int | float) and math.isfinite(value):
                yield name if key == "value" else f"{name}.{key}", float(value)
