"""A model that is new here is proven before it tags, once."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import Run, Tiny, assert_clean_failure
from damage import rewrite_file

from topicml.api import load_model
from topicml.errors import ModelError
from topicml.models import proven
from topicml.models.folder import Model
from topicml.models.proven import cache_folder, open_for_use


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TOPICML_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def altered(tiny: Tiny, tmp_path: Path) -> Path:
    """A folder whose numbers and hashes agree, and whose golden sentences do not come out."""
    folder = Path(shutil.copytree(tiny.folder, tmp_path / "weekend" / "1.0.0"))
    lines = (folder / "golden.jsonl").read_text("utf-8").splitlines()
    first = json.loads(lines[0])
    first["relevance"] = abs(first["relevance"] - 0.5)
    rewrite_file(folder, "golden.jsonl", "\n".join([json.dumps(first), *lines[1:]]).encode())
    return folder


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """References of the models that were proven."""
    done: list[str] = []
    check = proven.check_golden

    def counting(model: Model) -> bool:
        done.append(model.reference)
        return check(model)

    monkeypatch.setattr(proven, "check_golden", counting)
    return done


def test_model_is_proven_when_it_is_new_here_and_not_again(
    tiny: Tiny, cache: Path, counted: list[str], tmp_path: Path
) -> None:
    for _ in range(3):
        open_for_use(tiny.folder)
    assert counted == ["weekend@1.0.0"]
    open_for_use(tiny.build(type(tiny.store)(tmp_path / "models"), "2.0.0"))
    assert counted == ["weekend@1.0.0", "weekend@2.0.0"]
    assert len([*cache.rglob("proven/*")]) == 2


def test_model_is_proven_each_time_where_no_note_can_be_left(
    tiny: Tiny, cache: Path, counted: list[str]
) -> None:
    cache.write_text("a file where a folder should be")
    for _ in range(2):
        open_for_use(tiny.folder)
    assert len(counted) == 2


def test_altered_numbers_with_new_hashes_are_refused_by_every_command(
    run: Run, altered: Path, cache: Path, tiny: Tiny
) -> None:
    env = {"TOPICML_CACHE": str(cache)}
    model = ("--model", altered)
    for command in (
        ["classify", "-", *model],
        ["batch", "-", "-o", "-", *model],
        ["evaluate", "--data", tiny.labels, "--taxonomy", tiny.taxonomy, *model],
        ["models", "verify", altered],
        ["classify", "-", "--models-dir", tiny.store.root, "--second-opinion", altered],
    ):
        for _ in range(2):
            failed = run(*command, stdin="The dough is warm.", env=env)
            assert_clean_failure(failed, "golden sentence", "is off by")
    with pytest.raises(ModelError, match="golden sentence"):
        load_model(altered)


def test_notes_lie_in_the_users_cache_unless_said_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("TOPICML_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "topicml"
