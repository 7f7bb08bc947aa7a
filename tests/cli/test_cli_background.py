"""``--background`` and ``--no-background`` of train, evaluate and tune."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from backgrounds import make_background
from conftest import TINY_ARTICLES, Result, Run, Tiny, assert_clean_failure, tiny_records
from damage import flip

from topicml.models.background import SCORER, background_folder, save_background
from topicml.models.store import ModelStore

TOPICS = ("baking", "gardening", "sailing")
STARTS = "starting from a background model"


@pytest.fixture(scope="module")
def background(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that has seen all labels: each article is a fold."""
    rows = tiny_records()
    texts = [row["text"] for row in rows]
    folds = [TINY_ARTICLES.index(row["article"]) for row in rows]
    folder = tmp_path_factory.mktemp("background") / "given"
    save_background(make_background(TOPICS, texts, texts, folds, folds=4), folder, {})
    return folder


@pytest.fixture
def adapted(tmp_path: Path) -> Path:
    """Parameters of a training that starts from a background."""
    path = tmp_path / "adapted.json"
    path.write_text('{"background": true}')
    return path


def with_own(tmp_path: Path, background: Path) -> ModelStore:
    """A store of no versions whose model has a background."""
    store = ModelStore(tmp_path / "models")
    shutil.copytree(background, background_folder(store, "weekend"))
    return store


def train(run: Run, tiny: Tiny, store: Path, *arguments: str | Path) -> Result:
    return run(
        *("train", "--taxonomy", tiny.taxonomy, "--labels", tiny.labels, "--name", "weekend"),
        *("--models-dir", store, *arguments),
    )


def manifest(store: Path) -> dict[str, object]:
    text = (store / "weekend/1.0.0/manifest.json").read_text("utf-8")
    return dict(json.loads(text))


def test_train_starts_from_the_folder_given(
    run: Run, tiny: Tiny, tmp_path: Path, background: Path
) -> None:
    result = train(run, tiny, tmp_path, "--background", background)
    assert result.code == 0, result.stderr
    assert STARTS in result.stderr
    assert "Each fold is predicted from a background model" in " ".join(result.stdout.split())
    made = manifest(tmp_path)
    assert made["parameters"]["background"] is True  # type: ignore[index]
    assert all(c["parameters"]["background"] for c in made["search"])  # type: ignore[attr-defined]


def test_train_starts_from_the_models_own(
    run: Run, tiny: Tiny, tmp_path: Path, background: Path, adapted: Path
) -> None:
    store = with_own(tmp_path, background).root
    result = train(run, tiny, store, "--parameters", adapted)
    assert result.code == 0, result.stderr
    assert STARTS in result.stderr
    assert manifest(store)["parameters"]["background"] is True  # type: ignore[index]
    assert ModelStore(store).versions("weekend") == ["1.0.0"]


def test_train_without_background_starts_from_nothing(
    run: Run, tiny: Tiny, tmp_path: Path, background: Path
) -> None:
    store = with_own(tmp_path, background).root
    result = train(run, tiny, store, "--no-background", "--parameters", tiny.parameters)
    assert result.code == 0, result.stderr
    assert STARTS not in result.stderr
    assert manifest(store)["parameters"]["background"] is False  # type: ignore[index]
    scorers = [store / "weekend/1.0.0/scorer.npz", tiny.folder / "scorer.npz"]
    assert scorers[0].read_bytes() == scorers[1].read_bytes()


def test_parameters_for_a_background_need_one(
    run_here: Run, tiny: Tiny, tmp_path: Path, adapted: Path
) -> None:
    result = train(run_here, tiny, tmp_path, "--no-background", "--parameters", adapted)
    assert result.code == 1
    assert "the parameters are for a training that starts from a background" in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("weekend/*"))


@pytest.mark.parametrize("command", ["train", "evaluate", "tune"])
def test_both_options_together_are_a_usage_error(
    run_here: Run, tiny: Tiny, tmp_path: Path, background: Path, command: str
) -> None:
    result = run_here(
        *(command, "--labels", tiny.labels, "--taxonomy", tiny.taxonomy),
        *("--models-dir", tmp_path, "--background", background, "--no-background"),
    )
    assert_clean_failure(result, "give --background or --no-background, not both", code=2)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["train", "evaluate", "tune"])
def test_folder_without_a_background_is_a_clean_failure(
    run_here: Run, tiny: Tiny, tmp_path: Path, command: str
) -> None:
    result = run_here(
        *(command, "--labels", tiny.labels, "--taxonomy", tiny.taxonomy),
        *("--models-dir", tmp_path / "models", "--background", tmp_path / "nowhere"),
    )
    assert_clean_failure(
        *(result, str(tmp_path / "nowhere"), "no manifest of a background model"),
        *("topicml distill", "--no-background"),
    )


def test_background_of_other_topics_is_a_clean_failure(
    run_here: Run, tiny: Tiny, tmp_path: Path
) -> None:
    texts = [row["text"] for row in tiny_records()]
    save_background(make_background(("chess",), texts), tmp_path / "other", {})
    result = train(run_here, tiny, tmp_path / "models", "--background", tmp_path / "other")
    assert_clean_failure(result, str(tmp_path / "other"), "other topics than the taxonomy")


def test_damaged_background_is_a_clean_failure(
    run_here: Run, tiny: Tiny, tmp_path: Path, background: Path
) -> None:
    store = with_own(tmp_path, background)
    flip(background_folder(store, "weekend") / SCORER, 500)
    result = train(run_here, tiny, store.root)
    assert_clean_failure(result, SCORER, "damaged or was changed")


def test_evaluate_says_whether_folds_start_from_a_background(
    run: Run, tiny: Tiny, tmp_path: Path, background: Path, adapted: Path
) -> None:
    common = ("--labels", tiny.labels, "--taxonomy", tiny.taxonomy, "--models-dir", tmp_path)
    protocols = [
        json.loads(run("evaluate", *common, *options, "-f", "json").stdout)["protocol"]
        for options in (
            ("--background", background, "--parameters", adapted),
            ("--no-background", "--parameters", tiny.parameters),
        )
    ]
    assert ["background" in protocol for protocol in protocols] == [True, False]


def test_tune_compares_the_settings_of_an_adaptation_and_train_takes_the_best(
    run: Run, tiny: Tiny, tmp_path: Path, background: Path
) -> None:
    store = with_own(tmp_path, background).root
    common = ("--labels", tiny.labels, "--taxonomy", tiny.taxonomy, "--name", "weekend")
    result = run("tune", *common, "--models-dir", store)
    assert result.code == 0, result.stderr
    tuned = json.loads((store / "weekend/parameters.json").read_text("utf-8"))
    assert tuned.pop("tuned_on").keys() == {"labels.jsonl"}
    assert tuned["background"] is True
    assert train(run, tiny, store).code == 0
    assert manifest(store)["parameters"] == tuned
