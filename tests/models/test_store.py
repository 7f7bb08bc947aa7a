import json
import subprocess
import sys
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


def test_what_a_killed_training_leaves_is_no_version(store: ModelStore) -> None:
    (store.root / "sea/.new-x1y2/3.0.0").mkdir(parents=True)
    (store.root / "sea/.current.ab12.part").write_text("3.0.0")
    assert store.names() == ["land", "sea"]
    assert store.versions("sea") == ["1.2.0", "1.10.0", "2.0.0"]
    assert store.next_version("sea") == "2.1.0"
    assert store.find("sea") == store.root / "sea/1.10.0"


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
    assert (store.root / "sea/previous").read_text() == "1.10.0\n"
    files = {path.name for path in (store.root / "sea").iterdir() if path.is_file()}
    assert files == {"current", "previous", "3.0.0"}


def test_set_current_refuses_a_version_that_is_not_there(store: ModelStore) -> None:
    with pytest.raises(ModelError, match=r"no version '4\.0\.0'.*1\.2\.0"):
        store.set_current("sea", "4.0.0")
    assert store.current("sea") == "1.10.0"


def test_name_without_pointer_has_no_current_version(store: ModelStore) -> None:
    assert store.current("land") is None


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe1.0.0",
        b"",
        b"\n",
        b"latest\n",
        b"1.0\n",
        b"1.2.0\n2.0.0\n",
        b"1.2.0\x00",
        b"../1.2.0",
    ],
)
def test_pointer_that_names_no_version_is_a_model_error(store: ModelStore, content: bytes) -> None:
    (store.root / "sea/current").write_bytes(content)
    for read in (store.current, store.find, store.previous, store.previous_version):
        with pytest.raises(ModelError, match="pointer cannot be read") as caught:
            read("sea")
        assert caught.value.where == str(store.root / "sea/current")
        assert "such as 1.0.0" in caught.value.hint


def test_pointer_may_end_in_any_way_an_editor_ends_it(store: ModelStore) -> None:
    for content in (b"2.0.0", b"2.0.0\n", b"2.0.0\r\n", b" 2.0.0 \n\n"):
        (store.root / "sea/current").write_bytes(content)
        assert store.current("sea") == "2.0.0"


def use(store: ModelStore, *versions: str) -> None:
    for version in versions:
        store.set_current("sea", version)


def state(store: ModelStore) -> tuple[str | None, list[str]]:
    return store.current("sea"), store.previous("sea")


def test_going_back_goes_one_further_each_time(store: ModelStore) -> None:
    use(store, "2.0.0", "1.2.0", "2.0.0")
    assert state(store) == ("2.0.0", ["1.10.0", "2.0.0", "1.2.0"])
    for expected in [
        ("1.2.0", ["1.10.0", "2.0.0"]),
        ("2.0.0", ["1.10.0"]),
        ("1.10.0", []),
    ]:
        assert store.previous_version("sea") == expected[0]
        store.return_to_previous("sea")
        assert state(store) == expected


def test_version_set_after_going_back_remembers_where_it_came_from(store: ModelStore) -> None:
    use(store, "2.0.0")
    store.return_to_previous("sea")
    use(store, "1.2.0")
    assert state(store) == ("1.2.0", ["1.10.0"])


def test_setting_the_current_version_again_changes_nothing(store: ModelStore) -> None:
    use(store, "2.0.0", "2.0.0", "2.0.0")
    assert state(store) == ("2.0.0", ["1.10.0"])


def test_first_pointer_has_no_version_before_it(store: ModelStore) -> None:
    store.set_current("land", "1.0.0")
    assert store.previous("land") == []
    with pytest.raises(
        ModelError, match=r"cannot go back.*there was none.*promote land@"
    ) as caught:
        store.return_to_previous("land")
    assert caught.value.where == str(store.root / "land")
    assert store.current("land") == "1.0.0"


def test_going_back_to_a_version_that_is_gone_is_refused(store: ModelStore) -> None:
    use(store, "2.0.0")
    (store.root / "sea/1.10.0").rmdir()
    with pytest.raises(
        ModelError, match=r"1\.10\.0 is no longer there.*Versions: 1\.2\.0, 2\.0\.0"
    ):
        store.return_to_previous("sea")
    assert store.current("sea") == "2.0.0"


def test_current_version_that_is_gone_can_be_left_both_ways(store: ModelStore) -> None:
    use(store, "2.0.0")
    (store.root / "sea/2.0.0").rmdir()
    store.return_to_previous("sea")
    assert state(store) == ("1.10.0", [])
    (store.root / "sea/1.10.0").rmdir()
    use(store, "1.2.0")
    assert state(store) == ("1.2.0", [])  # not back to where nothing is


def test_version_before_is_found_where_the_pointer_is_lost(store: ModelStore) -> None:
    use(store, "2.0.0")
    (store.root / "sea/current").unlink()
    store.return_to_previous("sea")
    assert state(store) == ("1.10.0", [])


def test_pointer_moved_by_hand_is_taken_as_it_is(store: ModelStore) -> None:
    use(store, "2.0.0")
    (store.root / "sea/current").write_text("1.10.0\n")
    assert state(store) == ("1.10.0", [])
    (store.root / "sea/current").write_text("1.2.0\n")
    assert state(store) == ("1.2.0", ["1.10.0"])


def test_damaged_list_of_earlier_versions_is_named(store: ModelStore) -> None:
    (store.root / "sea/previous").write_text("1.2.0\nonce upon a time\n")
    for change in (store.return_to_previous, lambda name: store.set_current(name, "2.0.0")):
        with pytest.raises(ModelError, match=r"'once' is no version.*one a line") as caught:
            change("sea")
        assert caught.value.where == str(store.root / "sea/previous")
    assert store.current("sea") == "1.10.0"


@pytest.mark.parametrize("name", ["see", "empty", "nowhere"])
def test_unknown_name_cannot_go_back(store: ModelStore, name: str) -> None:
    with pytest.raises(ModelError, match=f"no model '{name}'.*Models: land, sea"):
        store.return_to_previous(name)


KILLED_AT_EVERY_STEP = """
import json, os, signal, sys
from pathlib import Path
from topicml.models.store import ModelStore

store, move = ModelStore(Path(sys.argv[1])), sys.argv[2:]
files = [store.root / "sea" / name for name in ("current", "previous")]
before = [file.read_text() for file in files]

def change(steps):
    def count(event, arguments):
        nonlocal steps
        steps -= 1
        if steps == -1:  # the kill counts as a step, too
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)
    getattr(store, move[0])(*move[1:])
    os._exit(0)

for steps in range(1000):
    for file, text in zip(files, before):
        file.write_text(text)
    child = os.fork() or change(steps)
    status = os.waitpid(child, 0)[1]
    print(json.dumps([file.read_text() for file in files]
          + [store.current("sea"), store.previous("sea"), store.find("sea").name]))
    if not os.WIFSIGNALED(status):
        sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize(
    ("move", "after"),
    [
        (("set_current", "sea", "1.2.0"), ("1.2.0", ["1.10.0", "2.0.0"])),
        (("return_to_previous", "sea"), ("1.10.0", [])),
    ],
)
def test_move_killed_at_any_step_leaves_the_old_or_the_new(
    store: ModelStore, move: tuple[str, ...], after: tuple[str, list[str]]
) -> None:
    use(store, "2.0.0")
    before = state(store)
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT_EVERY_STEP, store.root, *move],
        capture_output=True,
        check=True,
        timeout=100,
    )
    left = [json.loads(line) for line in done.stdout.splitlines()]
    for _, _, current, previous, found in left:
        assert (current, previous) in (before, after)
        assert found == current
    assert state(store) == after
    texts = [tuple(texts) for *texts, _, _, _ in left]
    assert len(dict.fromkeys(texts)) == 3  # before, between the two files, after
    assert len(texts) > 10


def test_full_disk_leaves_the_old(store: ModelStore) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from topicml.errors import OutputError\n"
        "from topicml.models.store import ModelStore\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "try: ModelStore(Path(sys.argv[1])).set_current('sea', '2.0.0')\n"
        "except OutputError as err: print(err)"
    )
    done = subprocess.run([sys.executable, "-c", code, store.root], capture_output=True, check=True)
    assert b"cannot be written" in done.stdout
    assert state(store) == ("1.10.0", [])
    assert not list(store.root.glob("sea/.*"))


def test_moves_leave_a_link_a_link(store: ModelStore, tmp_path: Path) -> None:
    (store.root / "sea/current").rename(tmp_path / "elsewhere")
    (store.root / "sea/current").symlink_to(tmp_path / "elsewhere")
    use(store, "2.0.0")
    assert (tmp_path / "elsewhere").read_text() == "2.0.0\n"


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


def test_a_name_that_no_folder_can_have_is_an_error(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    assert store.versions("a" * 300) == []
    with pytest.raises(ModelError, match="no model"):
        store.folder("a" * 300)
    with pytest.raises(ModelError, match="of 100 letters at most"):
        store.path("a" * 101, "1.0.0")
