import shutil
from pathlib import Path

import pytest
from conftest import Tiny
from damage import copy_version, flip, rewrite_file, rewrite_manifest

from topicml.errors import ModelError
from topicml.models.folder import FILES, GOLDEN
from topicml.models.manifest import LINEAR, MANIFEST
from topicml.models.promotion import Change, promote_version, roll_back
from topicml.models.store import ModelStore


@pytest.fixture
def store(tiny: Tiny, tmp_path: Path) -> ModelStore:
    """The tiny store with a second version; the first is current."""
    root = Path(shutil.copytree(tiny.store.root, tmp_path / "models"))
    copy_version(root / "weekend/1.0.0", "1.1.0")
    return ModelStore(root)


def test_promoting_and_rolling_back_say_what_was_and_what_is(store: ModelStore) -> None:
    change = promote_version(store, "weekend", "1.1.0", force=True)
    assert change == Change("weekend", "1.0.0", "1.1.0")
    assert store.current("weekend") == "1.1.0"
    assert promote_version(store, "weekend", "1.1.0") == Change("weekend", "1.1.0", "1.1.0")
    assert roll_back(store, "weekend") == Change("weekend", "1.1.0", "1.0.0")
    assert store.current("weekend") == "1.0.0"


def test_first_version_has_none_before_it(store: ModelStore) -> None:
    (store.root / "weekend/current").unlink()
    assert promote_version(store, "weekend", "1.0.0") == Change("weekend", None, "1.0.0")
    with pytest.raises(ModelError, match="there was none"):
        roll_back(store, "weekend")


def test_version_that_nothing_compared_is_not_promoted(store: ModelStore) -> None:
    with pytest.raises(ModelError) as caught:
        promote_version(store, "weekend", "1.1.0")
    assert "topicml compare weekend@1.0.0 weekend@1.1.0" in str(caught.value)
    assert "--force" in str(caught.value)
    assert (store.current("weekend"), store.previous("weekend")) == ("1.0.0", [])


@pytest.mark.parametrize("content", ["", "1.9.0"])
def test_without_a_version_in_use_none_is_compared_with(store: ModelStore, content: str) -> None:
    pointer = store.root / "weekend/current"
    pointer.unlink()
    if content:
        pointer.write_text(content)
    assert promote_version(store, "weekend", "1.1.0").after == "1.1.0"


@pytest.mark.parametrize("name", [*FILES[LINEAR], MANIFEST])
def test_damaged_version_is_never_promoted(store: ModelStore, name: str) -> None:
    flip(store.root / "weekend/1.1.0" / name, 200)
    with pytest.raises(ModelError) as caught:
        promote_version(store, "weekend", "1.1.0", force=True)
    assert caught.value.where == str(store.root / "weekend/1.1.0" / name)
    assert (store.current("weekend"), store.previous("weekend")) == ("1.0.0", [])


def test_version_is_not_rolled_back_to_where_it_is_damaged(store: ModelStore) -> None:
    promote_version(store, "weekend", "1.1.0", force=True)
    flip(store.root / "weekend/1.0.0" / FILES[LINEAR][0], 0)
    with pytest.raises(ModelError, match="damaged"):
        roll_back(store, "weekend")
    assert (store.current("weekend"), store.previous("weekend")) == ("1.1.0", ["1.0.0"])


def test_version_whose_golden_sentences_come_out_otherwise_is_not_promoted(
    store: ModelStore,
) -> None:
    folder = store.root / "weekend/1.1.0"
    text = (folder / GOLDEN).read_text("utf-8").replace('"relevance": 0', '"relevance": 1')
    rewrite_file(folder, GOLDEN, text)
    with pytest.raises(ModelError, match="golden sentence"):
        promote_version(store, "weekend", "1.1.0")
    assert store.current("weekend") == "1.0.0"


@pytest.mark.parametrize("other", [{"version": "1.0.0"}, {"name": "weekday"}])
def test_folder_of_another_model_is_not_promoted(store: ModelStore, other: dict[str, str]) -> None:
    rewrite_manifest(store.root / "weekend/1.1.0", **other)
    with pytest.raises(ModelError, match=r"the folder of weekend@1\.1\.0 holds") as caught:
        promote_version(store, "weekend", "1.1.0")
    assert caught.value.where == str(store.root / "weekend/1.1.0")
    assert store.current("weekend") == "1.0.0"


@pytest.mark.parametrize(
    ("name", "version", "parts"),
    [
        ("weekend", "3.0.0", ["no version '3.0.0'", "Versions: 1.0.0, 1.1.0"]),
        ("weekend", "../1.0.0", ["no version '../1.0.0'"]),
        ("weekends", "1.0.0", ["no model 'weekends'", "Did you mean 'weekend'?"]),
        ("", "1.0.0", ["no model ''"]),
    ],
)
def test_unknown_version_says_which_there_are(
    store: ModelStore, name: str, version: str, parts: list[str]
) -> None:
    with pytest.raises(ModelError) as caught:
        promote_version(store, name, version)
    assert all(part in str(caught.value) for part in [*parts, str(store.root)])
    assert store.current("weekend") == "1.0.0"
