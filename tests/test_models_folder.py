import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tiny

from topicml.errors import ModelError
from topicml.models import folder as folder_module
from topicml.models.folder import (
    CARD,
    FILES,
    FORMAT,
    GOLDEN,
    MANIFEST,
    PIPELINE,
    SCORER,
    manifest_text,
    open_model,
    pick_golden,
    read_manifest,
    sha256_file,
    verify_model,
    write_folder,
)


@pytest.fixture
def copy(tiny: Tiny, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may damage."""
    return Path(shutil.copytree(tiny.folder, tmp_path / "1.0.0"))


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def rewrite_manifest(folder: Path, **changes: Any) -> None:
    """Change the manifest and hash it anew, as a maker of models could."""
    manifest = {**json.loads((folder / MANIFEST).read_text(encoding="utf-8")), **changes}
    (folder / MANIFEST).write_text(manifest_text(manifest), encoding="utf-8")


def test_folder_has_the_five_files_and_verifies(tiny: Tiny) -> None:
    names = {path.name for path in tiny.folder.iterdir()}
    assert names == {"pipeline.joblib", "scorer.npz", "golden.jsonl", "MODEL_CARD.md", MANIFEST}
    model = verify_model(tiny.folder)
    assert model.reference == "weekend@1.0.0"
    assert model.scorer.topics == ("baking", "gardening", "sailing")


def test_manifest_has_the_hash_of_every_other_file(tiny: Tiny) -> None:
    manifest = read_manifest(tiny.folder)
    assert manifest["format"] == FORMAT
    assert manifest["files"] == {name: sha256_file(tiny.folder / name) for name in FILES}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("where", [0.0, 0.5, 1.0])
def test_one_flipped_byte_is_noticed_and_its_file_named(
    copy: Path, name: str, where: float
) -> None:
    flip(copy / name, round(where * ((copy / name).stat().st_size - 1)))
    with pytest.raises(ModelError, match="damaged or was changed") as caught:
        verify_model(copy)
    assert caught.value.where == str(copy / name)
    assert "Restore" in caught.value.hint


def test_one_flipped_byte_anywhere_in_the_manifest_is_noticed(copy: Path) -> None:
    path = copy / MANIFEST
    original = path.read_bytes()
    meant = json.loads(original)
    for position in range(0, len(original), 7):
        flip(path, position)
        try:
            means_the_same = json.loads(path.read_bytes()) == meant  # the last digit of a float
        except ValueError:
            means_the_same = False
        if not means_the_same:
            with pytest.raises(ModelError) as caught:
                verify_model(copy)
            assert caught.value.where == str(path)
        path.write_bytes(original)


@pytest.mark.parametrize("name", FILES)
def test_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelError, match="missing or unreadable") as caught:
        verify_model(copy)
    assert caught.value.where == str(copy / name)


def test_damaged_scorer_is_not_opened(copy: Path) -> None:
    flip(copy / SCORER, 500)
    with pytest.raises(ModelError, match="damaged"):
        open_model(copy)


@pytest.mark.parametrize("name", [PIPELINE, GOLDEN, CARD])
def test_scoring_needs_none_of_the_other_files(copy: Path, name: str) -> None:
    (copy / name).unlink()
    assert open_model(copy).scorer.predict_proba(["bread"]).shape == (1, 3)


@pytest.mark.parametrize("content", [None, "", "[]", "{", "\xff"])
def test_unreadable_manifest_is_a_model_error(copy: Path, content: str | None) -> None:
    path = copy / MANIFEST
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelError) as caught:
        open_model(copy)
    assert str(copy) in str(caught.value)
    assert caught.value.hint


def test_folder_that_is_no_model_says_how_to_find_one(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model here.*topicml models list"):
        open_model(tmp_path / "nowhere")


@pytest.mark.parametrize("number", [0, FORMAT + 1, "1", None])
def test_other_format_number_is_refused(copy: Path, number: object) -> None:
    rewrite_manifest(copy, format=number)
    with pytest.raises(ModelError) as caught:
        open_model(copy)
    assert f"model format {number!r}, this release reads format {FORMAT}" in str(caught.value)


def test_topics_of_manifest_and_scorer_must_agree(copy: Path) -> None:
    rewrite_manifest(copy, topics=["baking", "sailing", "gardening"])
    with pytest.raises(ModelError, match="different topics"):
        open_model(copy)


def test_file_that_no_manifest_names_is_noticed(copy: Path) -> None:
    (copy / "extra.py").write_text("")
    with pytest.raises(ModelError, match=r"no manifest names: extra\.py"):
        verify_model(copy)


@pytest.mark.parametrize("off", [2e-9, 0.5, float("nan")])
@pytest.mark.parametrize("figure", ["baking", "sailing", "relevance"])
def test_golden_sentence_that_comes_out_otherwise_is_noticed(
    copy: Path, figure: str, off: float
) -> None:
    lines = (copy / GOLDEN).read_text(encoding="utf-8").splitlines()
    row = json.loads(lines[1])
    (row if figure == "relevance" else row["probabilities"])[figure] += off
    lines[1] = json.dumps(row)
    (copy / GOLDEN).write_text("\n".join(lines), encoding="utf-8")
    files = {**read_manifest(copy)["files"], GOLDEN: sha256_file(copy / GOLDEN)}
    rewrite_manifest(copy, files=files)
    with pytest.raises(ModelError, match=r"golden sentence .* is off by") as caught:
        verify_model(copy)
    assert row["text"][:20] in caught.value.what


def test_committed_models_verify(root: Path) -> None:
    versions = [path.parent for path in (root / "models").glob("*/*/manifest.json")]
    assert versions
    for version in versions:
        assert verify_model(version).reference == f"{version.parent.name}@{version.name}"


def finished_files(folder: Path) -> dict[str, Path]:
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text(name)
    return {name: folder / name for name in FILES}


def test_written_folder_is_complete_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "models" / "name" / "1.0.0"
    write_folder(target, finished_files(tmp_path / "made"), {"name": "name", "version": "1.0.0"})
    assert {path.name for path in target.iterdir()} == {*FILES, MANIFEST}
    assert list(target.parent.iterdir()) == [target]
    assert read_manifest(target)["files"][CARD] == sha256_file(target / CARD)


def test_existing_version_is_refused_and_untouched(copy: Path, tmp_path: Path) -> None:
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    with pytest.raises(ModelError, match=r"exists.*--version") as caught:
        write_folder(copy, finished_files(tmp_path / "made"), {})
    assert caught.value.where == str(copy)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


@pytest.mark.parametrize("missing", FILES)
def test_half_written_folder_never_appears(tmp_path: Path, missing: str) -> None:
    files = finished_files(tmp_path / "made")
    files[missing].unlink()
    target = tmp_path / "models" / "1.0.0"
    with pytest.raises(FileNotFoundError):
        write_folder(target, files, {})
    assert list(target.parent.iterdir()) == []


def test_failure_before_the_rename_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(folder_module, "_manifest_digest", fail)
    target = tmp_path / "models" / "1.0.0"
    with pytest.raises(KeyboardInterrupt):
        write_folder(target, finished_files(tmp_path / "made"), {})
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize("count", [1, 199, 200, 201, 1000])
def test_golden_sentences_are_spread_over_all_and_bounded(count: int) -> None:
    texts = [str(number) for number in range(count)]
    picked = [text for text in pick_golden(texts) if text in set(texts)]
    assert min(count, 100) <= len(picked) <= 200
    assert picked == sorted(set(picked), key=int)
    gaps = np.diff([int(text) for text in [*picked, str(count)]])
    assert gaps.max() <= -(-count // 100)


def test_golden_sentences_have_hard_ones_among_them(tiny: Tiny) -> None:
    lines = (tiny.folder / GOLDEN).read_text(encoding="utf-8").splitlines()
    texts = "\n".join(json.loads(line)["text"] for line in lines)
    assert all(character in texts for character in "İßΣ\u0301🤝\x00\u00a0")
