import json
import shutil
from pathlib import Path

import pytest
from conftest import Run, Tiny, assert_clean_failure

from topicml.models.store import ModelStore


@pytest.fixture
def store(tiny: Tiny, tmp_path: Path) -> ModelStore:
    """A copy of the tiny store."""
    return ModelStore(Path(shutil.copytree(tiny.store.root, tmp_path / "models")))


def test_list_has_a_line_a_version_and_marks_the_current_one(run: Run, tiny: Tiny) -> None:
    result = run("models", "list", "--models-dir", tiny.store.root)
    assert result.code == 0
    (line,) = [line.split() for line in result.stdout.splitlines() if line.startswith("weekend")]
    manifest = json.loads((tiny.folder / "manifest.json").read_text("utf-8"))
    sentences = str(manifest["labels"]["sentences"])
    assert line[:5] == ["weekend", "1.0.0", "current", manifest["created"], sentences]


def test_list_reads_the_store_of_the_environment(run: Run, tiny: Tiny) -> None:
    result = run("models", "list", env={"TOPICML_MODELS": str(tiny.store.root)})
    assert "weekend" in result.stdout
    assert "alliance-topics" not in result.stdout


def test_show_prints_the_card(run: Run, tiny: Tiny) -> None:
    result = run("models", "show", "weekend", "--models-dir", tiny.store.root)
    assert result.code == 0
    assert result.stdout.strip() == (tiny.folder / "MODEL_CARD.md").read_text("utf-8").strip()


def test_show_prints_the_manifest_as_json(run: Run, tiny: Tiny) -> None:
    result = run("models", "show", "weekend", "--json", "--models-dir", tiny.store.root)
    assert json.loads(result.stdout) == json.loads(
        (tiny.folder / "manifest.json").read_text("utf-8")
    )


def test_show_of_an_unknown_model_is_a_clean_failure(run: Run, tiny: Tiny) -> None:
    result = run("models", "show", "nothing", "--models-dir", tiny.store.root)
    assert_clean_failure(result, "no model 'nothing'", "Models: weekend")


def test_verify_checks_all_models(run: Run, root: Path) -> None:
    result = run("models", "verify")
    assert (result.code, result.stderr) == (0, "")
    versions = sorted(p.parent.name for p in (root / "models").glob("*/*/manifest.json"))
    assert len(result.stdout.splitlines()) == len(versions)
    for version in versions:
        assert f"@{version}: all files and golden sentences as made" in result.stdout


def test_verify_of_an_empty_store_is_a_clean_failure(run: Run, tmp_path: Path) -> None:
    result = run("models", "verify", "--models-dir", tmp_path)
    assert_clean_failure(result, str(tmp_path), "no model", "TOPICML_MODELS")


@pytest.mark.parametrize(
    "name", ["pipeline.joblib", "scorer.npz", "golden.jsonl", "MODEL_CARD.md", "manifest.json"]
)
def test_verify_names_the_damaged_file(run: Run, store: ModelStore, name: str) -> None:
    path = store.root / "weekend/1.0.0" / name
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    result = run("models", "verify", "--models-dir", store.root)
    assert_clean_failure(result, str(path), "Restore the folder")


def test_verify_notices_a_version_without_manifest(run: Run, store: ModelStore) -> None:
    (store.root / "weekend/1.1.0").mkdir()
    result = run("models", "verify", "--models-dir", store.root)
    assert result.code == 1
    assert "weekend/1.1.0: no model here" in result.stderr
    assert "Traceback" not in result.stderr
