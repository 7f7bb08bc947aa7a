import json
import shutil
from pathlib import Path

import pytest
from conftest import Run, Tiny, assert_clean_failure
from damage import copy_version, flip, rewrite_file, rewrite_manifest

from topicml.cli.options import changeable_store
from topicml.errors import ModelError
from topicml.models.folder import ADAPTERS
from topicml.models.manifest import LINEAR, read_manifest
from topicml.models.store import ModelStore


@pytest.fixture
def store(tiny: Tiny, tmp_path: Path) -> ModelStore:
    """A copy of the tiny store."""
    return ModelStore(Path(shutil.copytree(tiny.store.root, tmp_path / "models")))


def test_list_has_a_line_a_version_and_marks_the_current_one(run: Run, tiny: Tiny) -> None:
    result = run("models", "list", "--models-dir", tiny.store.root)
    assert result.code == 0
    (line,) = [line.split() for line in result.stdout.splitlines() if line.startswith("weekend")]
    manifest = json.loads((tiny.folder / "manifest.json").read_text("utf-8"))
    sentences = str(manifest["labels"]["sentences"])
    assert line[:5] == ["weekend", "1.0.0", "current", manifest["created"], sentences]


def test_list_goes_on_after_damaged_versions_and_says_what_is_wrong(
    run: Run, store: ModelStore
) -> None:
    first = store.root / "weekend/1.0.0"
    for version in ("1.1.0", "1.2.0", "1.10.0"):
        copy_version(first, version)
    flip(store.root / "weekend/1.1.0/manifest.json", 100)
    flip(store.root / "weekend/1.2.0/scorer.npz", 100)
    (store.root / "weekend/1.3.0").mkdir()
    shutil.copytree(first, store.root / "boats/2.0.0")
    (store.root / "boats/2.0.0/golden.jsonl").unlink()
    result = run("models", "list", "--models-dir", store.root, env={"COLUMNS": "80"})
    assert result.code == 1
    rows = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert any(row.startswith("weekend 1.0.0 current 20") for row in rows)
    assert any(row.startswith("weekend 1.10.0 20") for row in rows)
    assert [row for row in rows if row.endswith(DAMAGES)] == [
        "boats 2.0.0 golden.jsonl: file is missing or unreadable",
        "weekend 1.1.0 manifest.json: manifest does not agree with its own hash",
        "weekend 1.2.0 scorer.npz: file is damaged or was changed",
        "weekend 1.3.0 no model here: manifest.json is missing",
    ]
    errors = result.stderr.splitlines()
    assert [error.split(":")[0] for error in errors] == ["error"] * 4
    assert "Traceback" not in result.stderr
    assert f"{store.root / 'weekend/1.2.0/scorer.npz'}: file is damaged" in result.stderr


DAMAGES = ("missing", "unreadable", "changed", "own hash")


def test_list_marks_a_damaged_current_version(run: Run, store: ModelStore) -> None:
    flip(store.root / "weekend/1.0.0/MODEL_CARD.md", 0)
    result = run("models", "list", "--models-dir", store.root)
    assert result.code == 1
    (row,) = [line.split() for line in result.stdout.splitlines() if line.startswith("weekend")]
    assert row[:4] == ["weekend", "1.0.0", "current", "MODEL_CARD.md:"]


@pytest.mark.parametrize(
    ("content", "what"),
    [("", "pointer cannot be read"), ("1.5.0\n", "weekend has no version '1.5.0'")],
)
def test_list_shows_the_versions_where_the_pointer_is_damaged(
    run: Run, store: ModelStore, content: str, what: str
) -> None:
    (store.root / "weekend/current").write_text(content)
    result = run("models", "list", "--models-dir", store.root)
    assert result.code == 1
    assert "weekend  1.0.0" in result.stdout
    assert "current" not in result.stdout
    assert what in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_list_reads_the_store_of_the_environment(run: Run, tiny: Tiny) -> None:
    result = run("models", "list", env={"TOPICML_MODELS": str(tiny.store.root)})
    assert "weekend" in result.stdout
    assert "alliance-topics" not in result.stdout


def test_show_prints_the_card(run: Run, tiny: Tiny) -> None:
    result = run("models", "show", "weekend", "--models-dir", tiny.store.root)
    assert result.code == 0
    assert result.stdout.startswith((tiny.folder / "MODEL_CARD.md").read_text("utf-8").strip())


def test_show_gives_a_terminal_nothing_to_obey(run: Run, store: ModelStore) -> None:
    rewrite_file(
        store.root / "weekend/1.0.0", "MODEL_CARD.md", "# A\x1b]0;b\x07\x9b31m\u202e\n\n- c\n"
    )
    result = run("models", "show", "weekend", "--models-dir", store.root)
    assert result.stdout.startswith("# A\ufffd]0;b\ufffd\ufffd31m\ufffd\n\n- c\n")


def test_show_prints_the_chain_from_predictions_to_labels(run: Run, tiny: Tiny) -> None:
    asked = ("models", "show", "weekend", "--models-dir", tiny.store.root)
    files = ("--labels", tiny.labels, "--taxonomy", tiny.taxonomy)
    chain = run(*asked, *files).stdout.partition("lineage ")[2]
    rows = [" ".join(line.split()) for line in chain.splitlines()]
    digests = json.loads((tiny.folder / "manifest.json").read_text("utf-8"))
    assert 'predictions "model": "weekend@1.0.0" – –' in rows
    assert (
        f"labels labels.jsonl {digests['labels']['files']['labels.jsonl'][:12]} unchanged" in rows
    )
    assert any(row.startswith("taxonomy taxonomy.toml, version 1.3 ") for row in rows)
    as_json = json.loads(run(*asked, "--format", "json").stdout)
    assert as_json["predictions"] == {"model": "weekend@1.0.0"}
    assert as_json["labels"][0]["state"] == "not here"  # it is not among the project's own


def test_show_prints_the_manifest_as_json(run: Run, tiny: Tiny) -> None:
    result = run("models", "show", "weekend", "--json", "--models-dir", tiny.store.root)
    assert json.loads(result.stdout) == json.loads(
        (tiny.folder / "manifest.json").read_text("utf-8")
    )


def test_show_of_an_unknown_model_is_a_clean_failure(run_here: Run, tiny: Tiny) -> None:
    result = run_here("models", "show", "nothing", "--models-dir", tiny.store.root)
    assert_clean_failure(result, "no model 'nothing'", "Models: weekend")


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_show_of_a_damaged_model_is_a_clean_failure(
    run_here: Run, store: ModelStore, flags: tuple[str, ...]
) -> None:
    flip(store.root / "weekend/1.0.0/manifest.json", 100)
    result = run_here("models", "show", "weekend", *flags, "--models-dir", store.root)
    assert_clean_failure(result, "manifest.json", "own hash", "Restore")


@pytest.mark.parametrize("content", [b"\xff", None])
def test_show_of_a_damaged_card_is_a_clean_failure(
    run_here: Run, store: ModelStore, content: bytes | None
) -> None:
    if content is None:
        (store.root / "weekend/1.0.0/MODEL_CARD.md").unlink()
    else:
        rewrite_file(store.root / "weekend/1.0.0", "MODEL_CARD.md", content)
    result = run_here("models", "show", "weekend", "--models-dir", store.root)
    assert_clean_failure(result, "weekend/1.0.0/MODEL_CARD.md", "Restore")


def test_model_of_another_scikit_learn_classifies_without_a_word(
    run: Run, store: ModelStore
) -> None:
    folder = store.root / "weekend/1.0.0"
    rewrite_manifest(folder, versions={"topicml": "1", "scikit-learn": "0.1", "joblib": "99"})
    rewrite_file(folder, "pipeline.joblib", b"no pickle at all")
    for arguments in [("classify", "-", "-f", "jsonl"), ("models", "promote", "weekend@1.0.0")]:
        result = run(
            *(*arguments, "--models-dir", store.root),
            stdin="The dough is in the oven.",
            env={"PYTHONWARNINGS": "always"},
        )
        assert (result.code, result.stderr) == (0, "")
        assert result.stdout


def test_promote_and_rollback_say_what_was_and_what_is(run: Run, store: ModelStore) -> None:
    copy_version(store.root / "weekend/1.0.0", "1.1.0")
    for arguments, current, said in [
        (("promote", "weekend@1.1.0", "--force"), "1.1.0", "current was 1.0.0, is 1.1.0"),
        (("promote", "weekend@1.1.0"), "1.1.0", "current is 1.1.0, as before"),
        (("rollback", "weekend"), "1.0.0", "current was 1.1.0, is 1.0.0"),
        (("promote", "weekend@1.1.0", "--force"), "1.1.0", "current was 1.0.0, is 1.1.0"),
        (("rollback",), "1.0.0", "current was 1.1.0, is 1.0.0"),
    ]:
        result = run("models", *arguments, "--models-dir", store.root)
        assert (result.code, result.stderr) == (0, "")
        assert result.stdout == f"weekend: {said}\n"
        assert store.current("weekend") == current
    result = run("models", "rollback", "--models-dir", store.root)
    assert_clean_failure(result, "cannot go back", "there was none", "models promote weekend@")


def test_promoted_version_is_the_one_that_classifies(run: Run, store: ModelStore) -> None:
    copy_version(store.root / "weekend/1.0.0", "1.1.0")
    promote = ("promote", "weekend@1.1.0", "--force")
    for command, version in [(promote, "1.1.0"), (("rollback",), "1.0.0")]:
        assert run("models", *command, "--models-dir", store.root).code == 0
        result = run(
            *("classify", "-", "-f", "jsonl", "--models-dir", store.root), stdin="The dough."
        )
        assert result.records()[0]["model"] == f"weekend@{version}"


def test_promote_in_a_store_without_pointer(run: Run, store: ModelStore) -> None:
    (store.root / "weekend/current").unlink()
    result = run("models", "promote", "weekend@1.0.0", "--models-dir", store.root)
    assert (result.code, result.stdout) == (0, "weekend: current was none, is 1.0.0\n")


def test_promote_of_a_damaged_version_names_the_file(run_here: Run, store: ModelStore) -> None:
    copy_version(store.root / "weekend/1.0.0", "1.1.0")
    path = store.root / "weekend/1.1.0/pipeline.joblib"
    flip(path, 0)
    result = run_here("models", "promote", "weekend@1.1.0", "--models-dir", store.root)
    assert_clean_failure(result, str(path), "damaged or was changed", "Restore")
    assert store.current("weekend") == "1.0.0"


@pytest.mark.parametrize(
    ("arguments", "code", "parts"),
    [
        (("promote", "weekend@9.9.9"), 1, ["no version '9.9.9'", "Versions: 1.0.0."]),
        (("promote", "weekday@1.0.0"), 1, ["no model 'weekday'", "Did you mean 'weekend'?"]),
        (("promote", "weekend"), 2, ["does not say which version", "alliance-topics@1.0.0"]),
        (("promote", "weekend@"), 2, ["does not say which version"]),
        (("promote",), 2, ["NAME@VERSION"]),
        (("rollback", "weekday"), 1, ["no model 'weekday'", "Did you mean 'weekend'?"]),
    ],
)
def test_unknown_version_is_a_clean_failure(
    run_here: Run, store: ModelStore, arguments: tuple[str, ...], code: int, parts: list[str]
) -> None:
    result = run_here("models", *arguments, "--models-dir", store.root)
    assert_clean_failure(result, *parts, code=code)
    assert store.current("weekend") == "1.0.0"


def test_pointers_of_the_package_are_left_alone(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("models.store", "cli.options"):
        monkeypatch.setattr(f"topicml.{module}.BUNDLED", store.root)
    monkeypatch.delenv("TOPICML_MODELS", raising=False)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match=r"come with the package.*Copy the folder.*--model"):
        changeable_store(None)
    assert changeable_store(store.root) == store
    monkeypatch.setenv("TOPICML_MODELS", str(tmp_path / "mine"))
    assert changeable_store(None).root == tmp_path / "mine"


def test_verify_checks_all_models(run: Run, root: Path, tmp_path: Path) -> None:
    result = run("models", "verify", env={"HF_HOME": str(tmp_path)})
    assert result.code == 0
    versions = [p.parent for p in (root / "models").glob("*/[0-9]*/manifest.json")]
    kinds = {version: read_manifest(version)["kind"] for version in versions}
    said = result.stdout.splitlines()
    assert len(said) == len([kind for kind in kinds.values() if kind == LINEAR])
    for version, kind in kinds.items():
        if kind == LINEAR:
            reference = f"{version.parent.name}@{version.name}"
            assert f"{reference}: all files and golden sentences as made" in result.stdout
        else:  # its base is not here: checked by hash
            assert f"{version}: all files as made; golden sentences not computed" in result.stderr


def test_verify_of_a_network_without_its_base_is_a_clean_failure(run: Run, tmp_path: Path) -> None:
    result = run("models", "verify", "alliance-topics-accurate", env={"HF_HOME": str(tmp_path)})
    assert_clean_failure(result)
    assert "fetch-base" in result.stderr or "topicml[neural]" in result.stderr


def test_verify_of_all_models_finds_a_damaged_network(run: Run, root: Path, tmp_path: Path) -> None:
    version = tmp_path / "accurate" / "1.0.0"
    shutil.copytree(root / "models/alliance-topics-accurate/1.0.0", version)
    flip(version / ADAPTERS, 1000)
    result = run("models", "verify", "--models-dir", tmp_path, env={"HF_HOME": str(tmp_path)})
    assert_clean_failure(result, str(version / ADAPTERS), "damaged or was changed")


def test_network_without_what_it_needs_says_what_helps(run: Run, tmp_path: Path) -> None:
    model = ("--model", "alliance-topics-accurate")
    result = run("classify", "-", *model, stdin="Troops.", env={"HF_HOME": str(tmp_path)})
    assert_clean_failure(result)
    assert "fetch-base" in result.stderr or "topicml[neural]" in result.stderr


def test_verify_of_an_empty_store_is_a_clean_failure(run_here: Run, tmp_path: Path) -> None:
    result = run_here("models", "verify", "--models-dir", tmp_path)
    assert_clean_failure(result, str(tmp_path), "no model", "TOPICML_MODELS")


@pytest.mark.parametrize(
    "name", ["pipeline.joblib", "scorer.npz", "golden.jsonl", "MODEL_CARD.md", "manifest.json"]
)
def test_verify_names_the_damaged_file(run_here: Run, store: ModelStore, name: str) -> None:
    path = store.root / "weekend/1.0.0" / name
    flip(path, 100)
    result = run_here("models", "verify", "--models-dir", store.root)
    assert_clean_failure(result, str(path), "Restore the folder")


def test_verify_notices_a_version_without_manifest(run: Run, store: ModelStore) -> None:
    (store.root / "weekend/1.1.0").mkdir()
    result = run("models", "verify", "--models-dir", store.root)
    assert result.code == 1
    assert "weekend/1.1.0: no model here" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("name", "code"), [("golden.jsonl", 1), ("pipeline.joblib", 0)])
def test_batch_checks_what_scoring_rests_on(
    run: Run, store: ModelStore, tmp_path: Path, name: str, code: int
) -> None:
    path = store.root / "weekend/1.0.0" / name
    flip(path, 20)
    dump = tmp_path / "dump.jsonl"
    dump.write_text('{"id": "a", "text": "The dough is in the oven."}\n')
    out = tmp_path / "out.jsonl"
    result = run("batch", dump, "-o", out, "--quiet", "--models-dir", store.root)
    assert result.code == code, result.stderr
    assert out.exists() == (code == 0)
    if code:
        assert_clean_failure(result, str(path), "damaged or was changed", "Restore the folder")
