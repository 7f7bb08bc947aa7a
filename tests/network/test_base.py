import pickle
import re
import shutil
from pathlib import Path

import pytest
from damage import flip
from toy import FILES, WEIGHTS

from topicml.errors import ModelError
from topicml.network.base import MPNET, Base, base_folder


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def test_folder_with_the_known_files_is_taken(base: Base, copy: Path) -> None:
    (copy / "README.md").write_text("Read by nobody.")
    assert base_folder(base, copy) == copy


@pytest.mark.parametrize("name", FILES)
def test_one_flipped_byte_is_noticed_and_its_file_named(base: Base, copy: Path, name: str) -> None:
    flip(copy / name, (copy / name).stat().st_size // 2)
    with pytest.raises(ModelError, match="another file than the one that is known") as caught:
        base_folder(base, copy)
    assert caught.value.where == str(copy / name)


@pytest.mark.parametrize("name", FILES)
def test_missing_file_is_named(base: Base, copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelError, match="missing or unreadable") as caught:
        base_folder(base, copy)
    assert caught.value.where == str(copy / name)
    assert "topicml models fetch-base" in caught.value.hint


def test_folder_that_is_not_there_is_an_error(base: Base, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing or unreadable"):
        base_folder(base, tmp_path / "nowhere")


def test_pickle_in_place_of_weights_is_refused_unread(base: Base, copy: Path) -> None:
    trace = copy / "ran"
    (copy / WEIGHTS).write_bytes(pickle.dumps(_Runs(trace)))
    with pytest.raises(ModelError, match="another file than the one that is known"):
        base_folder(base, copy)
    assert not trace.exists()


class _Runs:
    """Leaves a trace where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.trace,)


def test_real_encoder_is_pinned_by_commit_and_hashes() -> None:
    assert re.fullmatch(r"[0-9a-f]{40}", MPNET.revision)
    assert MPNET.files.keys() == set(FILES)
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in MPNET.files.values())
