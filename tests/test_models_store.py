from pathlib import Path

import pytest
from conftest import Tiny

from topicml.errors import ModelError
from topicml.models.store import DEFAULT_MODEL, ModelStore, default_store


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """Two names; ``sea`` has three versions, of which the middle one is current."""
    for folder in ["sea/1.2.0", "sea/1.10.0", "sea/2.0.0", "land/1.0.0", "empty", "sea/notes"]:
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "sea/3.0.0").write_text("a file, not a version")
    store = ModelStore(tmp_path)
    store.set_current("sea", "1.10.0")
    return store


def test_names_are_those_with_a_version(store: ModelStore) -> None:
    assert store.names() == ["land", "sea"]


def test_versions_come_in_the_order_of_numbers(store: ModelStore) -> None:
    assert store.versions("sea") == ["1.2.0", "1.10.0", "2.0.0"]


def test_store_that_is_not_there_is_empty(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "nowhere")
    assert (store.names(), store.versions("sea"), store.current("sea")) == ([], [], None)


@pytest.mark.parametrize(
    ("reference", "folder"),
    [
        ("sea", "sea/1.10.0"),
        ("sea@2.0.0", "sea/2.0.0"),
        ("sea@", "sea/1.10.0"),
        ("land", "land/1.0.0"),
    ],
)
def test_reference_is_found(store: ModelStore, reference: str, folder: str) -> None:
    assert store.find(reference) == store.root / folder


@pytest.mark.parametrize("reference", ["models/sea/1.0.0", "./sea", "/abs/sea", "."])
def test_reference_with_a_slash_or_dot_is_a_path(store: ModelStore, reference: str) -> None:
    assert store.find(reference) == Path(reference)


@pytest.mark.parametrize(
    ("reference", "parts"),
    [
        ("see", ["no model 'see'", "Did you mean 'sea'?", "Models: land, sea", "--models-dir"]),
        ("sea@9.9.9", ["sea has no version '9.9.9'", "1.2.0, 1.10.0, 2.0.0"]),
        ("sea@notes", ["sea has no version 'notes'"]),
        ("@1.0.0", ["no model ''"]),
        ("empty", ["no model 'empty'"]),
        (None, [f"no model {DEFAULT_MODEL!r}"]),
    ],
)
def test_unknown_reference_says_what_there_is(
    store: ModelStore, reference: str | None, parts: list[str]
) -> None:
    with pytest.raises(ModelError) as caught:
        store.find(reference)
    assert all(part in str(caught.value) for part in [*parts, str(store.root)])


def test_pointer_to_a_version_that_is_gone_is_an_error(store: ModelStore) -> None:
    (store.root / "sea/1.10.0").rmdir()
    with pytest.raises(ModelError, match=r"sea has no version '1\.10\.0'"):
        store.find("sea")


def test_set_current_moves_the_pointer_and_leaves_nothing_else(store: ModelStore) -> None:
    store.set_current("sea", "2.0.0")
    assert store.current("sea") == "2.0.0"
    assert (store.root / "sea/current").read_text() == "2.0.0\n"
    assert not list(store.root.glob("sea/*.part"))


def test_set_current_refuses_a_version_that_is_not_there(store: ModelStore) -> None:
    with pytest.raises(ModelError, match=r"no version '4\.0\.0'.*1\.2\.0"):
        store.set_current("sea", "4.0.0")
    assert store.current("sea") == "1.10.0"


def test_name_without_pointer_has_no_current_version(store: ModelStore) -> None:
    assert store.current("land") is None


def test_pointer_that_is_not_text_is_a_model_error(store: ModelStore) -> None:
    (store.root / "sea/current").write_bytes(b"\xff\xfe1.0.0")
    with pytest.raises(ModelError, match="pointer cannot be read"):
        store.current("sea")


@pytest.mark.parametrize(
    ("name", "version"), [("land", "1.1.0"), ("sea", "2.1.0"), ("new", "1.0.0")]
)
def test_next_version_is_the_next_minor_one(store: ModelStore, name: str, version: str) -> None:
    assert store.next_version(name) == version


@pytest.mark.parametrize("name", ["", "Sea", "a b", "../x", "a/b", "-a", "a-", "sea\n"])
def test_path_refuses_names_that_are_no_folder_names(store: ModelStore, name: str) -> None:
    with pytest.raises(ModelError, match="lower-case words"):
        store.path(name, "1.0.0")


@pytest.mark.parametrize("version", ["", "1", "1.0", "v1.0.0", "1.0.0-rc", "../1.0.0", "1.0.0\n"])
def test_path_refuses_versions_of_another_form(store: ModelStore, version: str) -> None:
    with pytest.raises(ModelError, match=r"not of the form 1\.2\.3"):
        store.path("sea", version)


def test_environment_variable_says_where_the_store_is(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPICML_MODELS", str(tiny.store.root))
    assert default_store() == tiny.store
    assert default_store().find("weekend") == tiny.folder


def test_store_above_the_working_directory_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOPICML_MODELS", raising=False)
    (tmp_path / "models" / DEFAULT_MODEL / "1.0.0").mkdir(parents=True)
    ModelStore(tmp_path / "models").set_current(DEFAULT_MODEL, "1.0.0")
    (tmp_path / "deep/er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep/er")
    assert default_store().root == tmp_path / "models"


def test_shipped_models_are_the_last_resort(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOPICML_MODELS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert default_store().current(DEFAULT_MODEL) is not None
