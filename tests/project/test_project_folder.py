"""Where the parts of a project are, from anywhere in it."""

import os
from pathlib import Path

import pytest

from topicml.models.store import ModelStore, default_store
from topicml.project.folder import MODELS, TAXONOMY, in_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without models; the working directory is deep in it."""
    monkeypatch.delenv("TOPICML_MODELS", raising=False)
    (tmp_path / TAXONOMY).parent.mkdir(parents=True)
    (tmp_path / TAXONOMY).write_text("")
    (tmp_path / "texts/more").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "texts/more")
    return tmp_path


def test_parts_are_found_from_deep_inside(project: Path) -> None:
    assert in_project(TAXONOMY) == Path("../../data/labels/taxonomy.toml")
    os.chdir(project)
    assert in_project(TAXONOMY) == TAXONOMY


def test_nearest_project_is_meant(project: Path) -> None:
    inner = project / "texts" / TAXONOMY
    inner.parent.mkdir(parents=True)
    inner.write_text("")
    assert in_project(MODELS) == Path("../models")


def test_outside_of_a_project_parts_are_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert in_project(TAXONOMY) == TAXONOMY


def test_store_of_a_project_is_its_own_even_without_a_model(project: Path) -> None:
    shipped = default_store()
    assert shipped.root != project / MODELS  # which is not there yet
    (project / MODELS).mkdir()
    assert default_store() == ModelStore(project / MODELS)
