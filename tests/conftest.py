"""Profiles, and what several test files share: paths, a tiny model, the real command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from objects import Storage, serving_storage

from topicml.models.store import ModelStore

if TYPE_CHECKING:  # only some tests serve
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from topicml.review.settings import Settings

EXAMPLES = 40
settings.register_profile("default", max_examples=EXAMPLES, deadline=None)
settings.register_profile(
    "soak",
    max_examples=50 * EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep notes of models that tests make out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOPICML_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start the longest tests first, so that no process waits for one at the end."""
    items.sort(key=lambda item: item.path.name != "test_readme.py")


TINY_TAXONOMY = """
name = "weekend"
version = "1.3"
title = "weekend pastimes"
introduction = "What a sentence about a weekend says."

[[topics]]
id = "baking"
name = "Baking"
definition = "bread, cakes, ovens and dough"

[[topics]]
id = "gardening"
name = "Gardening"
definition = "plants, beds, seeds and soil"

[[topics]]
id = "sailing"
name = "Sailing"
definition = "boats, wind, harbours and sails"
"""

_TINY_SENTENCES: dict[tuple[str, ...], tuple[str, ...]] = {
    ("baking",): (
        "She kneads the dough before the oven is hot.",
        "The bread rises under a warm cloth.",
        "A cake wants butter, sugar and a slow oven.",
    ),
    ("gardening",): (
        "He digs the soil and plants the beans.",
        "Tomato seeds need warm soil and light.",
        "The rose bed was weeded on Friday.",
    ),
    ("sailing",): (
        "The boat left the harbour with a fair wind.",
        "They hoisted the sails at noon.",
        "Wind and tide took the yacht home.",
    ),
    ("baking", "gardening"): ("Herbs from the garden bed went into the bread dough.",),
    ("gardening", "sailing"): ("They planted seeds on the deck of the boat.",),
    (): ("Nobody answered the telephone.", "It was a long day."),
}
_TINY_REMARKS = {  # so that no sentence is a near copy of one in another article
    "monday": "Monday brought heavy grey rain",
    "tuesday": "Tuesday saw bright cloudless skies",
    "wednesday": "Wednesday felt cold, misty, silent",
    "thursday": "Thursday stayed mild until evening",
}
TINY_ARTICLES = tuple(_TINY_REMARKS)


def tiny_records() -> list[dict[str, Any]]:
    return [
        {
            "id": f"{article}-{number}",
            "article": article,
            "text": f"{text} {_TINY_REMARKS[article]}, {number}.",
            "topics": list(topics),
            "source": "article",
            "status": "gold",
            "annotator": "tester",
        }
        for article in TINY_ARTICLES
        for number, (topics, text) in enumerate(
            (topics, text) for topics, texts in _TINY_SENTENCES.items() for text in texts
        )
    ]


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows]
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Tiny:
    """A trained store of another subject than the project's own, and what it is made of."""

    store: ModelStore
    labels: Path
    taxonomy: Path
    parameters: Path
    name: str = "weekend"
    version: str = "1.0.0"

    @property
    def folder(self) -> Path:
        return self.store.root / self.name / self.version

    def build(self, store: ModelStore, version: str = "1.0.0") -> Path:
        """Train anew from the same files into a store."""
        from topicml.models.build import Origin, build_model
        from topicml.taxonomy import load_taxonomy
        from topicml.training.dataset import load_dataset
        from topicml.training.evaluation import cross_validated_predictions
        from topicml.training.features import Parameters
        from topicml.training.fit import fit_model

        scheme = load_taxonomy(self.taxonomy)
        data = load_dataset([self.labels], scheme)
        parameters = Parameters.from_dict(json.loads(self.parameters.read_text(encoding="utf-8")))
        fitted = fit_model(data, parameters)
        predictions = cross_validated_predictions(data, "article", parameters)
        metrics = predictions.protocol, predictions.evaluate()
        origin = Origin((self.labels,), self.taxonomy, scheme)
        return build_model(store, self.name, version, fitted, data, origin, metrics)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Built once; tests that change a folder copy it first."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "taxonomy.toml").write_text(TINY_TAXONOMY, encoding="utf-8")
    (folder / "parameters.json").write_text('{"char_ngrams": [3, 4]}', encoding="utf-8")
    labels = write_jsonl(folder / "labels.jsonl", tiny_records())
    store = ModelStore(folder / "models")
    tiny = Tiny(store, labels, folder / "taxonomy.toml", folder / "parameters.json")
    tiny.build(store)
    store.set_current(tiny.name, tiny.version)
    return tiny


SERVER_TOKEN = "a-token-of-tests-only"  # noqa: S105


@pytest.fixture(scope="session")
def settings_here(tiny: Tiny) -> Settings:
    """Of a server of the tiny model, with limits that a test reaches soon."""
    from topicml.review.settings import Limits, Settings

    return Settings(
        *(tiny.store, None, tiny.taxonomy),
        token=SERVER_TOKEN,
        names=("topics.example", "other.example:444"),
        limits=Limits(body=200_000, unpacked=300_000, texts=50, receive_seconds=0.5),
    )


@pytest.fixture(scope="session")
def app_here(settings_here: Settings) -> FastAPI:
    """A server's application in this process."""
    from topicml.review.app import create_app

    return create_app(settings_here)


@pytest.fixture
def stranger(app_here: FastAPI, settings_here: Settings) -> TestClient:
    """Asks that application, and shows no token."""
    from fastapi.testclient import TestClient

    return TestClient(app_here, settings_here.address, follow_redirects=False)


@pytest.fixture(scope="session")
def client(app_here: FastAPI, settings_here: Settings) -> TestClient:
    """Asks that application, and shows the token."""
    from fastapi.testclient import TestClient

    headers = {"Authorization": f"Bearer {SERVER_TOKEN}"}
    return TestClient(app_here, settings_here.address, headers=headers)


@pytest.fixture(scope="session")
def storage() -> Iterator[Storage]:
    """An S3 of this machine; also what this process reaches by ``s3://``."""
    with serving_storage() as storage, pytest.MonkeyPatch.context() as patch:
        for name, value in storage.env.items():
            patch.setenv(name, value)
        yield storage


@dataclass(frozen=True)
class Result:
    """What the command left behind."""

    code: int
    stdout: str
    stderr: str

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stdout.split("\n") if line]


Run = Callable[..., Result]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run the real command in a process of its own."""

    def run_command(
        *arguments: str | Path,
        stdin: str | bytes = b"",
        cwd: Path = ROOT,
        env: dict[str, str] | None = None,
    ) -> Result:
        environment = {k: v for k, v in os.environ.items() if k not in _CLEARED}
        done = subprocess.run(
            [sys.executable, "-m", "topicml", *map(str, arguments)],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            cwd=cwd,
            env={**environment, "COLUMNS": "120", **(env or {})},
            timeout=100,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))

    return run_command


@pytest.fixture(scope="session")
def run_here() -> Run:
    """Run a command in this process, where what it says is all that matters."""

    def run_command(*arguments: str | Path) -> Result:
        from typer.testing import CliRunner

        from topicml.cli.app import make_app
        from topicml.errors import TopicmlError

        given = [str(part) for part in arguments]
        done = CliRunner().invoke(make_app([given[0]]), given, prog_name="topicml")
        if isinstance(done.exception, TopicmlError):
            return Result(1, done.stdout, f"{done.stderr}error: {done.exception}\n")
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Result(done.exit_code, done.stdout, done.stderr)

    return run_command


_CLEARED = {"TOPICML_MODELS", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONIOENCODING"}


def assert_clean_failure(result: Result, *parts: str, code: int = 1) -> None:
    """An expected failure: its code, nothing on stdout, each part said, no traceback."""
    assert result.code == code, result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    said = " ".join(result.stderr.replace("│", " ").split())  # usage errors come in a box
    for part in parts:
        assert part in said, result.stderr
