import json
import re
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Tiny
from damage import flip, rewrite_file, rewrite_manifest

from topicml.api import classify_text
from topicml.errors import ModelError
from topicml.models import folder as folder_module
from topicml.models.folder import (
    CARD,
    FILES,
    GOLDEN,
    PIPELINE,
    SCORER,
    check_files,
    check_golden,
    open_model,
    read_card,
    sha256_file,
    verify_model,
    write_folder,
)
from topicml.models.manifest import LINEAR, MANIFEST, read_manifest


@pytest.fixture
def copy(tiny: Tiny, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may damage."""
    return Path(shutil.copytree(tiny.folder, tmp_path / "1.0.0"))


def test_folder_has_the_five_files_and_verifies(tiny: Tiny) -> None:
    names = {path.name for path in tiny.folder.iterdir()}
    assert names == {"pipeline.joblib", "scorer.npz", "golden.jsonl", "MODEL_CARD.md", MANIFEST}
    model = verify_model(tiny.folder)
    assert model.reference == "weekend@1.0.0"
    assert model.scorer.topics == ("baking", "gardening", "sailing")


FLIPS = 1_000
SEED = 20_251


def test_a_thousand_flipped_bytes_are_noticed_and_their_files_named(copy: Path) -> None:
    rng = np.random.default_rng(SEED)
    names = (*FILES[LINEAR], MANIFEST)
    noticed = dict.fromkeys(names, 0)
    for number in range(FLIPS):
        path = copy / names[number % len(names)]
        original = path.read_bytes()
        position, mask = int(rng.integers(len(original))), int(rng.integers(1, 256))
        flip(path, position, mask)
        with pytest.raises(ModelError) as caught:
            verify_model(copy)
        assert caught.value.where == str(path), (SEED, number, position, mask)
        assert caught.value.hint
        noticed[path.name] += 1
        path.write_bytes(original)
    assert noticed == dict.fromkeys(names, FLIPS // len(names))
    verify_model(copy)


@pytest.mark.parametrize("name", FILES[LINEAR])
@pytest.mark.parametrize("where", [0.0, 0.5, 1.0])
def test_flipped_byte_says_that_the_file_was_changed(copy: Path, name: str, where: float) -> None:
    flip(copy / name, round(where * ((copy / name).stat().st_size - 1)))
    with pytest.raises(ModelError, match="damaged or was changed") as caught:
        verify_model(copy)
    assert caught.value.where == str(copy / name)
    assert "Restore" in caught.value.hint


def test_flipped_byte_anywhere_in_the_manifest_is_noticed(copy: Path) -> None:
    path = copy / MANIFEST
    original = path.read_bytes()
    for position in range(0, len(original), 5):
        flip(path, position)
        with pytest.raises(ModelError) as caught:
            open_model(copy)
        assert caught.value.where == str(path), position
        path.write_bytes(original)


@pytest.mark.parametrize("name", FILES[LINEAR])
def test_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelError, match="missing or unreadable") as caught:
        verify_model(copy)
    assert caught.value.where == str(copy / name)


def test_damaged_scorer_is_not_opened(copy: Path) -> None:
    flip(copy / SCORER, 500)
    with pytest.raises(ModelError, match="damaged"):
        open_model(copy)


def is_refused(check: Callable[[Path], object], folder: Path) -> bool:
    try:
        check(folder)
    except ModelError:
        return True
    return False


@pytest.mark.parametrize(
    ("name", "opening", "bulk", "verifying"),
    [
        (MANIFEST, True, True, True),
        (SCORER, True, True, True),
        (GOLDEN, False, True, True),
        (PIPELINE, False, False, True),
        (CARD, False, False, True),
    ],
)
def test_each_degree_of_trust_proves_its_files_and_those_of_the_one_before(
    copy: Path, name: str, opening: bool, bulk: bool, verifying: bool
) -> None:
    degrees = (open_model, lambda folder: check_golden(open_model(folder)), verify_model)
    assert [is_refused(check, copy) for check in degrees] == [False, False, False]
    flip(copy / name, 100)
    assert [is_refused(check, copy) for check in degrees] == [opening, bulk, verifying]


def test_golden_sentences_that_were_left_out_are_noticed_before_a_bulk_run(copy: Path) -> None:
    first, _, _ = (copy / GOLDEN).read_text("utf-8").partition("\n")
    (copy / GOLDEN).write_text(first + "\n", encoding="utf-8")
    model = open_model(copy)
    with pytest.raises(ModelError, match="damaged or was changed") as caught:
        check_golden(model)
    assert caught.value.where == str(copy / GOLDEN)


@pytest.mark.parametrize("name", [PIPELINE, GOLDEN, CARD])
def test_scoring_needs_none_of_the_other_files(copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert open_model(copy).scorer.predict_proba(["bread"]).shape == (1, 3)


@pytest.mark.parametrize("name", [*FILES[LINEAR], MANIFEST])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_file_cut_off_is_named(copy: Path, name: str, share: float) -> None:
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ModelError) as caught:
        verify_model(copy)
    assert caught.value.where == str(copy / name)
    assert "Restore" in caught.value.hint


@pytest.mark.parametrize("name", FILES[LINEAR])
def test_file_that_the_manifest_does_not_name_is_named(copy: Path, name: str) -> None:
    files = read_manifest(copy)["files"]
    del files[name]
    rewrite_manifest(copy, files=files)
    with pytest.raises(ModelError, match=f"no hash of {name}") as caught:
        verify_model(copy)
    assert caught.value.where == str(copy / MANIFEST)


def test_folder_that_takes_the_place_of_a_file_is_named(copy: Path) -> None:
    (copy / CARD).unlink()
    (copy / CARD).mkdir()
    with pytest.raises(ModelError, match="missing or unreadable") as caught:
        verify_model(copy)
    assert caught.value.where == str(copy / CARD)


def test_half_copied_folder_is_refused_at_every_stage(tiny: Tiny, tmp_path: Path) -> None:
    folder = tmp_path / "1.0.0"
    folder.mkdir()
    for name in (MANIFEST, *FILES[LINEAR]):
        with pytest.raises(ModelError, match="missing"):
            verify_model(folder)
        (folder / name).touch()  # a copy begins with an empty file
        with pytest.raises(ModelError) as caught:
            verify_model(folder)
        assert caught.value.where == str(folder / name)
        shutil.copy(tiny.folder / name, folder / name)
    assert verify_model(folder)


def test_model_of_another_scikit_learn_scores_and_nothing_is_unpickled(copy: Path) -> None:
    versions = {**read_manifest(copy)["versions"], "scikit-learn": "0.1", "joblib": "99.0"}
    rewrite_manifest(copy, versions=versions)
    rewrite_file(copy, PIPELINE, b"no pickle at all")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = verify_model(copy)
        article = classify_text("The dough is in the oven.", model)
    assert [topic.topic for topic in article.topics] == ["baking"]


def test_folder_that_is_no_model_says_how_to_find_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model here.*topicml models list"):
        open_model(tmp_path / "nowhere")


def test_topics_of_manifest_and_scorer_must_agree(copy: Path) -> None:
    rewrite_manifest(copy, topics=["baking", "sailing", "gardening"])
    with pytest.raises(ModelError, match="different topics"):
        open_model(copy)


@pytest.mark.parametrize("name", ["extra.py", ".new-x1y2", ".scorer.npz.ab12.part"])
def test_file_that_no_manifest_names_is_noticed(copy: Path, name: str) -> None:
    (copy / name).write_text("")
    with pytest.raises(ModelError, match=f"no manifest names: {re.escape(name)}") as caught:
        verify_model(copy)
    assert caught.value.where == str(copy)


def test_card_is_read_as_it_was_made(copy: Path) -> None:
    assert read_card(copy) == (copy / CARD).read_text("utf-8")
    for content, what in [(b"\xff", "cannot be read"), (b"a" * 10_000_001, "longer than")]:
        rewrite_file(copy, CARD, content)
        with pytest.raises(ModelError, match=what) as caught:
            read_card(copy)
        assert caught.value.where == str(copy / CARD)
    flip(copy / CARD, 0)
    with pytest.raises(ModelError, match="damaged"):
        read_card(copy)


@pytest.mark.parametrize("off", [2e-9, 0.5, float("nan")])
@pytest.mark.parametrize("figure", ["baking", "sailing", "relevance"])
def test_golden_sentence_that_comes_out_otherwise_is_noticed(
    copy: Path, figure: str, off: float
) -> None:
    lines = (copy / GOLDEN).read_text(encoding="utf-8").splitlines()
    row = json.loads(lines[1])
    (row if figure == "relevance" else row["probabilities"])[figure] += off
    lines[1] = json.dumps(row)
    rewrite_file(copy, GOLDEN, "\n".join(lines))
    with pytest.raises(ModelError, match=r"golden sentence .* is off by") as caught:
        verify_model(copy)
    assert row["text"][:20] in caught.value.what


def test_committed_models_verify(root: Path) -> None:
    versions = [path.parent for path in (root / "models").glob("*/[0-9]*/manifest.json")]
    linear = [version for version in versions if read_manifest(version)["kind"] == LINEAR]
    assert linear
    for version in versions:
        check_files(version)
    for version in linear:
        assert verify_model(version).reference == f"{version.parent.name}@{version.name}"


def finished_files(folder: Path) -> dict[str, Path]:
    folder.mkdir()
    for name in FILES[LINEAR]:
        (folder / name).write_text(name)
    return {name: folder / name for name in FILES[LINEAR]}


def test_written_folder_is_complete_and_leaves_nothing_beside_it(
    tiny: Tiny, tmp_path: Path
) -> None:
    target = tmp_path / "models" / "name" / "1.0.0"
    write_folder(target, finished_files(tmp_path / "made"), read_manifest(tiny.folder))
    assert {path.name for path in target.iterdir()} == {*FILES[LINEAR], MANIFEST}
    assert list(target.parent.iterdir()) == [target]
    assert read_manifest(target)["files"][CARD] == sha256_file(target / CARD)


def test_existing_version_is_refused_and_untouched(copy: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    with pytest.raises(ModelError, match=r"exists.*--version") as caught:
        write_folder(copy, finished_files(tmp_path / "made"), {"kind": LINEAR})
    assert caught.value.where == str(copy)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


@pytest.mark.parametrize("missing", FILES[LINEAR])
def test_half_written_folder_never_appears(tmp_path: Path, missing: str) -> None:
    files = finished_files(tmp_path / "made")
    files[missing].unlink()
    target = tmp_path / "models" / "1.0.0"
    with pytest.raises(FileNotFoundError):
        write_folder(target, files, {"kind": LINEAR})
    assert list(target.parent.iterdir()) == []


def test_failure_before_the_rename_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(folder_module, "manifest_text", fail)
    target = tmp_path / "models" / "1.0.0"
    with pytest.raises(KeyboardInterrupt):
        write_folder(target, finished_files(tmp_path / "made"), {"kind": LINEAR})
    assert list(target.parent.iterdir()) == []
