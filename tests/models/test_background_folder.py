import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from backgrounds import home_background
from damage import flip, rewrite_file
from samples import SENTENCES, TAXONOMY

from topicml.errors import ModelError
from topicml.models import background as background_module
from topicml.models.background import (
    MANIFEST,
    SCORER,
    SEEN,
    background_folder,
    choose_background,
    read_background,
    read_background_manifest,
    save_background,
)
from topicml.models.folder import sha256_file
from topicml.models.store import ModelStore
from topicml.taxonomy import Taxonomy, Topic
from topicml.training.background import Background

OTHER = Taxonomy("pastimes", "pastimes", "", (Topic("sailing", "Sailing", "boats"),))
TEXTS = [text for text, _ in SENTENCES["winter"]]


POOL = {"tests.jsonl": "0" * 64}


@pytest.fixture
def home() -> Background:
    return home_background()


@pytest.fixture
def folder(home: Background, tmp_path: Path) -> Path:
    save_background(home, tmp_path / "made", {"pool": POOL})
    return tmp_path / "made"


def assert_same(found: Background | None, expected: Background) -> None:
    assert found is not None
    assert (found.topics, found.seen) == (expected.topics, expected.seen)
    np.testing.assert_array_equal(found.coefficients, expected.coefficients)
    np.testing.assert_array_equal(found.intercepts, expected.intercepts)
    np.testing.assert_array_equal(found.folds, expected.folds)
    np.testing.assert_array_equal(found.log_odds, expected.log_odds)
    for own, other in zip(found.blocks, expected.blocks, strict=True):
        assert own[:4] == other[:4]
        np.testing.assert_array_equal(own.idf, other.idf)


def test_what_is_saved_comes_back(home: Background, folder: Path) -> None:
    found = read_background(folder)
    assert_same(found, home)
    np.testing.assert_array_equal(found.predict(TEXTS), home.predict(TEXTS))
    assert {path.name for path in folder.iterdir()} == {SCORER, SEEN, MANIFEST}


def test_manifest_has_topics_hashes_and_what_it_was_given(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    assert manifest == read_background_manifest(folder)
    assert manifest == {
        "pool": POOL,
        "topics": ["cooking", "gardening"],
        "files": {name: sha256_file(folder / name) for name in (SCORER, SEEN)},
    }


def test_same_background_is_the_same_bytes_and_replaces_another(
    home: Background, folder: Path, tmp_path: Path
) -> None:
    save_background(home_background(seed=1), tmp_path / "again", {"pool": POOL})
    assert (tmp_path / "again" / SCORER).read_bytes() != (folder / SCORER).read_bytes()
    save_background(home, tmp_path / "again", {"pool": POOL})
    for name in (SCORER, SEEN, MANIFEST):
        assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()


def test_background_that_has_seen_nothing_comes_back(home: Background, tmp_path: Path) -> None:
    empty = Background.of_nothing_seen(home.topics, home.blocks, home.intercepts)
    save_background(empty, tmp_path / "empty", {})
    assert_same(read_background(tmp_path / "empty"), empty)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0], ids=["first", "middle", "last"])
@pytest.mark.parametrize("name", [SCORER, SEEN])
def test_one_flipped_byte_is_noticed_and_its_file_named(
    folder: Path, name: str, share: float
) -> None:
    flip(folder / name, int(share * ((folder / name).stat().st_size - 1)))
    with pytest.raises(ModelError, match="damaged or was changed") as caught:
        read_background(folder)
    assert caught.value.where == str(folder / name)
    assert "--no-background" in caught.value.hint


@pytest.mark.parametrize("name", [SCORER, SEEN, MANIFEST])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError) as caught:
        read_background(folder)
    assert caught.value.where == str(folder / name)
    assert "topicml distill" in caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        *({"labels": 5}, {"pool": ["a"]}, {"labels": {"a.jsonl": 1}}, {"teacher": "x"}),
        *({"labels_sentences": None}, {"pool_sentences": "many"}),
    ],
)
def test_provenance_of_another_form_is_an_error(folder: Path, change: dict[str, object]) -> None:
    fields = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**fields, **change}))
    with pytest.raises(ModelError, match=f"{next(iter(change))} is .* not a") as caught:
        read_background_manifest(folder)
    assert caught.value.where == str(folder / MANIFEST)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "{}", '{"files": []}', '{"files": {}, "topics": 3}'),
        "[" * 100_000,
    ],
    ids=lambda text: text[:30],
)
def test_damaged_manifest_is_an_error(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(ModelError, match="no manifest of a background model") as caught:
        read_background(folder)
    assert caught.value.where == str(folder / MANIFEST)


def rewrite_seen(folder: Path, **changes: np.ndarray | None) -> None:
    """Change arrays, and hash their file anew; None leaves one out."""
    with np.load(folder / SEEN) as arrays:
        held = {**arrays, **changes}
    np.savez(folder / SEEN, **{key: array for key, array in held.items() if array is not None})
    rewrite_file(folder, SEEN, (folder / SEEN).read_bytes())


@pytest.mark.parametrize(
    "changes",
    [
        {"sha1": np.zeros((24, 19), np.uint8)},
        {"sha1": np.zeros((23, 20), np.uint8)},
        {"folds": np.full(24, 4, np.int8)},
        {"folds": np.full(24, -1, np.int8)},
        {"log_odds": np.zeros((4, 24, 2), np.float16)},
        {"log_odds": np.zeros((4, 23, 3), np.float16)},
        {"log_odds": np.zeros((24, 3), np.float16)},
    ],
    ids=["digest", "digests", "fold-beyond", "fold-below", "topics", "rows", "flat"],
)
def test_arrays_that_do_not_fit_are_an_error(folder: Path, changes: dict[str, np.ndarray]) -> None:
    rewrite_seen(folder, **changes)
    with pytest.raises(ModelError, match="do not fit together") as caught:
        read_background(folder)
    assert caught.value.where == str(folder / SEEN)


def test_missing_array_is_an_error(folder: Path) -> None:
    rewrite_seen(folder, folds=None)
    with pytest.raises(ModelError, match="cannot be read"):
        read_background(folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:0],
        lambda data: b"no arrays" + data,
        lambda data: data[: len(data) // 2],
        lambda data: data[:100] + bytes(20) + data[120:],
    ],
    ids=["empty", "text", "cut", "holes"],
)
def test_file_of_no_arrays_is_an_error_whatever_its_hash(folder: Path, damage: object) -> None:
    rewrite_file(folder, SEEN, damage((folder / SEEN).read_bytes()))  # type: ignore[operator]
    with pytest.raises(ModelError) as caught:
        read_background(folder)
    assert caught.value.where == str(folder / SEEN)


def test_single_array_is_an_error(folder: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros(3))
    rewrite_file(folder, SEEN, (tmp_path / "one.npy").read_bytes())
    with pytest.raises(ModelError):
        read_background(folder)


def test_objects_in_an_array_are_refused(folder: Path) -> None:
    rewrite_seen(folder, folds=np.array([{}] * 24, dtype=object))
    with pytest.raises(ModelError, match="cannot be read"):
        read_background(folder)


def test_manifest_with_other_topics_than_the_file_is_an_error(folder: Path) -> None:
    fields = json.loads((folder / MANIFEST).read_text("utf-8"))
    (folder / MANIFEST).write_text(json.dumps({**fields, "topics": ["gardening", "cooking"]}))
    with pytest.raises(ModelError):
        read_background(folder)


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ModelStore, ModelStore]:
    """An empty store for a new version, and the one in use."""
    own, in_use = ModelStore(tmp_path / "own"), ModelStore(tmp_path / "in-use")
    monkeypatch.setattr(background_module, "default_store", lambda: in_use)
    return own, in_use


def put(folder: Path, store: ModelStore, name: str = "home") -> Path:
    return Path(shutil.copytree(folder, background_folder(store, name)))


def test_own_is_that_of_the_store(
    home: Background, folder: Path, stores: tuple[ModelStore, ModelStore]
) -> None:
    own, in_use = stores
    assert put(folder, own) == own.root / "home/background"
    save_background(home_background(seed=1), background_folder(in_use, "home"), {})
    assert_same(choose_background(own, "home", TAXONOMY, "own"), home)


def test_own_is_that_of_the_models_in_use_where_the_store_has_none(
    home: Background, folder: Path, stores: tuple[ModelStore, ModelStore]
) -> None:
    own, in_use = stores
    put(folder, in_use)
    assert_same(choose_background(own, "home", TAXONOMY, "own"), home)
    assert not own.root.exists()


def test_own_is_none_where_there_is_none(
    folder: Path, stores: tuple[ModelStore, ModelStore]
) -> None:
    own, in_use = stores
    put(folder, own, "another")
    put(folder, in_use, "another")
    assert choose_background(own, "home", TAXONOMY, "own") is None


def test_own_for_other_topics_is_none(folder: Path, stores: tuple[ModelStore, ModelStore]) -> None:
    own, _ = stores
    put(folder, own)
    assert choose_background(own, "home", OTHER, "own") is None


def test_own_that_is_damaged_is_an_error(
    folder: Path, stores: tuple[ModelStore, ModelStore]
) -> None:
    own, _ = stores
    flip(put(folder, own) / SEEN, 50)
    with pytest.raises(ModelError, match="damaged or was changed"):
        choose_background(own, "home", TAXONOMY, "own")


def test_none_is_none_even_where_there_is_one(
    folder: Path, stores: tuple[ModelStore, ModelStore]
) -> None:
    own, _ = stores
    put(folder, own)
    assert choose_background(own, "home", TAXONOMY, None) is None


def test_folder_goes_before_the_models_own(
    folder: Path, stores: tuple[ModelStore, ModelStore], tmp_path: Path
) -> None:
    own, _ = stores
    put(folder, own)
    given = home_background(seed=1)
    save_background(given, tmp_path / "given", {})
    assert_same(choose_background(own, "home", TAXONOMY, tmp_path / "given"), given)


def test_folder_that_was_asked_for_must_be_there_and_fit(
    folder: Path, stores: tuple[ModelStore, ModelStore], tmp_path: Path
) -> None:
    own, _ = stores
    put(folder, own)
    with pytest.raises(ModelError, match="no manifest of a background") as caught:
        choose_background(own, "home", TAXONOMY, tmp_path / "nowhere")
    assert caught.value.where == str(tmp_path / "nowhere" / MANIFEST)
    with pytest.raises(ModelError, match="other topics than the taxonomy") as caught:
        choose_background(own, "home", OTHER, folder)
    assert caught.value.where == str(folder)
