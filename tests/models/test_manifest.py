import json
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from conftest import Tiny
from damage import rewrite_manifest

from topicml.errors import ModelError
from topicml.models import manifest as manifest_module
from topicml.models.folder import FILES, sha256_file, verify_model
from topicml.models.manifest import (
    FORMAT,
    LINEAR,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    manifest_text,
    read_manifest,
)
from topicml.scheme import Scheme


@pytest.fixture
def copy(tiny: Tiny, tmp_path: Path) -> Path:
    """A copy of the tiny model that a test may damage."""
    return Path(shutil.copytree(tiny.folder, tmp_path / "1.0.0"))


def refused(folder: Path) -> ModelError:
    """The error of reading; it says what, where and what to do."""
    with pytest.raises(ModelError) as caught:
        read_manifest(folder)
    assert caught.value.where == str(folder / MANIFEST)
    assert caught.value.hint
    return caught.value


def test_new_models_are_of_the_newest_format_and_hash_every_file(tiny: Tiny) -> None:
    fields = read_manifest(tiny.folder)
    assert fields["format"] == FORMAT == 5
    assert fields["files"] == {name: sha256_file(tiny.folder / name) for name in FILES[LINEAR]}


def test_reading_gives_what_the_file_says(tiny: Tiny) -> None:
    assert read_manifest(tiny.folder) == json.loads((tiny.folder / MANIFEST).read_text("utf-8"))


def test_model_of_format_1_is_read_and_verified(root: Path) -> None:
    folder = root / "models/alliance-topics/1.0.0"
    assert read_manifest(folder)["format"] == 1
    assert verify_model(folder).reference == "alliance-topics@1.0.0"


def test_model_of_format_2_is_read_and_verified() -> None:
    folder = Path(__file__).parent / "format_2"
    assert read_manifest(folder)["format"] == 2
    model = verify_model(folder)
    assert model.reference == "weekend@1.0.0"
    assert [block.analyzer for block in model.scorer.blocks] == ["word", "char_wb"]


def test_model_of_format_4_is_multilabel_and_english() -> None:
    folder = Path(__file__).parent / "format_4"
    assert json.loads((folder / MANIFEST).read_text("utf-8"))["format"] == 4
    assert read_manifest(folder)["scheme"] == {"kind": "multilabel", "language": "en"}
    assert verify_model(folder).scorer.scheme == Scheme()


@pytest.mark.parametrize(
    "scheme",
    [
        *(None, "multiclass", {}, {"kind": "multiclass"}, {"kind": "forest", "language": "en"}),
        {"kind": "multilabel", "language": "English"},
        {"kind": "multilabel", "language": "en", "size": 1},
    ],
)
def test_wrong_scheme_is_refused(copy: Path, scheme: object) -> None:
    rewrite_manifest(copy, scheme=scheme)
    assert "scheme is " in refused(copy).what


BASE: dict[str, Any] = {
    "name": "a/b",
    "revision": "0" * 40,
    "files": dict.fromkeys(("config.json", "tokenizer.json", "model.safetensors"), "0" * 64),
}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"taxonomy": None}, "taxonomy.file is missing"),
        ({"taxonomy": {"file": 5, "sha256": "0" * 64}}, "taxonomy.file is 5, not a string"),
        ({"taxonomy": {"file": "a", "sha256": "../x"}}, 'taxonomy.sha256 is "../x"'),
        ({"taxonomy": {"file": "a", "sha256": "0" * 64, "version": 2}}, "taxonomy.version is 2"),
        ({"versions": {}}, "versions.topicml is missing"),
        ({"metrics": {}}, "metrics.protocol is missing"),
    ],
)
def test_origin_of_another_form_is_refused(copy: Path, change: dict[str, Any], what: str) -> None:
    rewrite_manifest(copy, **change)
    assert what in refused(copy).what


def test_models_before_format_4_are_linear(root: Path) -> None:
    for version in ("1.0.0", "1.2.0"):
        fields = read_manifest(root / "models/alliance-topics" / version)
        assert fields["format"] < FORMAT
        assert fields["kind"] == LINEAR


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"kind": "forest"}, 'kind is "forest", not linear or network'),
        ({"kind": None}, "kind is null"),
        ({"kind": "network"}, "a network names no base"),
        ({"base": {"name": "../x", "revision": "0" * 40, "files": {}}}, "base is"),
        ({"base": {"name": "a/b", "revision": "../../etc", "files": {}}}, "base is"),
        ({"base": {"name": "a/b", "revision": "0" * 40, "files": {"config.json": "1"}}}, "base is"),
        ({"base": {**BASE, "files": {**BASE["files"], "../../x": "0" * 64}}}, "base is"),
        ({"base": {**BASE, "code": "x.py"}}, "base is"),
    ],
)
def test_wrong_kind_or_base_is_refused(copy: Path, change: dict[str, Any], what: str) -> None:
    rewrite_manifest(copy, **change)
    assert what in refused(copy).what


def test_every_older_format_has_its_upgrade() -> None:
    assert sorted(manifest_module._UPGRADES) == list(range(1, FORMAT))


def test_older_fields_pass_through_every_upgrade_in_turn(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def upgrade(number: int) -> Any:
        return lambda fields: {**fields, "seen": [*fields.get("seen", []), number]}

    monkeypatch.setattr(manifest_module, "FORMAT", 5)
    monkeypatch.setattr(manifest_module, "_UPGRADES", {n: upgrade(n) for n in (1, 2, 3, 4)})
    for number, seen in [(1, [1, 2, 3, 4]), (4, [4]), (5, None)]:
        rewrite_manifest(copy, format=number)
        assert read_manifest(copy).get("seen") == seen


@pytest.mark.parametrize("number", [FORMAT + 1, 10**30])
def test_newer_format_is_refused_with_what_to_do(copy: Path, number: int) -> None:
    rewrite_manifest(copy, format=number)
    error = refused(copy)
    assert f"format {number} is newer than this release, which reads 1 to {FORMAT}" in error.what
    assert "Install a newer topicml release" in error.hint


@pytest.mark.parametrize("number", [0, -1, "1", 1.0, True, None, [1], "x" * 1000])
def test_what_is_no_format_number_is_refused(copy: Path, number: object) -> None:
    rewrite_manifest(copy, format=number)
    error = refused(copy)
    assert "is no model format" in error.what
    assert len(error.what) < 200


def test_damage_is_not_taken_for_a_newer_format(copy: Path) -> None:
    text = (copy / MANIFEST).read_text("utf-8")
    (copy / MANIFEST).write_text(text.replace(f'"format": {FORMAT}', '"format": 9'), "utf-8")
    assert "own hash" in refused(copy).what


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"null",
        b"{}",
        b"\xff",
        b"\x00" * 100,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"manifest_sha256": ""}',
        b'{"manifest_sha256": "' + b"A" * 64 + b'"}',
        b'{"manifest_sha256": ["0"]}',
        b'{"format": ' + b"9" * 10_000 + b"}",
    ],
    ids=lambda content: content[:30].decode("latin-1"),
)
def test_unreadable_manifest_is_a_model_error(copy: Path, content: bytes) -> None:
    (copy / MANIFEST).write_bytes(content)
    assert "Restore" in refused(copy).hint


def test_empty_hash_costs_no_memory(copy: Path) -> None:
    (copy / MANIFEST).write_text(f'{{"manifest_sha256": "", "filler": "{"x" * 1_000_000}"}}')
    tracemalloc.start()
    try:
        assert "own hash" in refused(copy).what
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_missing_manifest_says_how_to_find_a_model(copy: Path) -> None:
    (copy / MANIFEST).unlink()
    for folder in (copy, copy / "nowhere", copy / FILES[LINEAR][0]):
        with pytest.raises(ModelError, match=r"manifest\.json is missing.*models list") as caught:
            read_manifest(folder)
        assert caught.value.where == str(folder)


def test_manifest_that_is_a_folder_is_a_model_error(copy: Path) -> None:
    (copy / MANIFEST).unlink()
    (copy / MANIFEST).mkdir()
    assert "cannot be read" in refused(copy).what


def test_manifest_is_read_up_to_its_largest_size(copy: Path) -> None:
    rewrite_manifest(copy, filler="")
    room = MAX_MANIFEST_BYTES - (copy / MANIFEST).stat().st_size
    rewrite_manifest(copy, filler="x" * room)
    assert (copy / MANIFEST).stat().st_size == MAX_MANIFEST_BYTES
    assert len(read_manifest(copy)["filler"]) == room
    rewrite_manifest(copy, filler="x" * (room + 1))
    assert "longer than 10,000,000 bytes" in refused(copy).what


@pytest.mark.parametrize("ends", [(b"\n", b"\r\n"), (b"\n", b"\r"), (b"\n", b" ")])
def test_other_line_ends_are_another_manifest(copy: Path, ends: tuple[bytes, bytes]) -> None:
    data = (copy / MANIFEST).read_bytes()
    (copy / MANIFEST).write_bytes(data.replace(*ends, 1))
    assert "own hash" in refused(copy).what


@pytest.mark.parametrize("figure", ["NaN", "Infinity", "-Infinity", "1e999", '"\\ud800"'])
def test_what_json_cannot_hold_is_refused(copy: Path, figure: str) -> None:
    text = manifest_text({**read_manifest(copy), "seed": "HERE", "manifest_sha256": ""})
    text = text.replace('"HERE"', figure)
    digest = json.loads(text)["manifest_sha256"]
    text = text.replace(digest, manifest_module._own_digest(text, digest))
    (copy / MANIFEST).write_text(text, "utf-8")
    assert "cannot be read" in refused(copy).what


def test_undefined_figures_are_written_as_null(copy: Path) -> None:
    rewrite_manifest(copy, search=[{"micro_f1": float("nan")}], seed=(float("inf"), 0.5))
    fields = read_manifest(copy)
    assert fields["search"] == [{"micro_f1": None}]
    assert fields["seed"] == [None, 0.5]


OF_EVERY_TYPE: tuple[Any, ...] = (
    None,
    True,
    7,
    -1,
    0.5,
    "",
    "A b\n",
    [],
    [1],
    {},
    {"a": 1},
    {"a": "b"},
)
RIGHT = {
    "parameters": ({}, {"a": 1}, {"a": "b"}),
    "labels.sentences": (7,),
    "labels.files": ({},),
    "files": ({},),
    "metrics.evaluation.headlines.micro_f1.value": (None, 7, -1, 0.5),
    "metrics.evaluation.headlines.macro_average_precision.value": (None, 7, -1, 0.5),
}
USED = (
    *("name", "version", "created", "topics", "files", "parameters"),
    *("labels", "labels.sentences", "labels.files"),
    *("metrics", "metrics.evaluation", "metrics.evaluation.headlines"),
    *("metrics.evaluation.headlines.micro_f1", "metrics.evaluation.headlines.micro_f1.value"),
    "metrics.evaluation.headlines.macro_average_precision",
    "metrics.evaluation.headlines.macro_average_precision.value",
)


def set_field(fields: dict[str, Any], dotted: str, value: Any) -> dict[str, Any]:
    """Give a field a value, or remove it for ``...``, and return all of them."""
    *outer, last = dotted.split(".")
    inner = fields
    for key in outer:
        inner = inner[key]
    inner[last] = value
    if value is ...:
        del inner[last]
    return fields


def is_right(value: Any, dotted: str) -> bool:
    return any(type(value) is type(right) and value == right for right in RIGHT.get(dotted, ()))


@pytest.mark.parametrize("dotted", USED)
@pytest.mark.parametrize("value", OF_EVERY_TYPE, ids=repr)
def test_field_of_a_wrong_type_is_refused_and_named(copy: Path, dotted: str, value: Any) -> None:
    fields = set_field(json.loads((copy / MANIFEST).read_text("utf-8")), dotted, value)
    (copy / MANIFEST).write_text(manifest_text(fields), "utf-8")
    if is_right(value, dotted):
        assert read_manifest(copy)
        return
    error = refused(copy)
    assert error.what.startswith(dotted)
    assert ", not a" in error.what


@pytest.mark.parametrize("dotted", USED)
def test_missing_field_is_named(copy: Path, dotted: str) -> None:
    fields = set_field(json.loads((copy / MANIFEST).read_text("utf-8")), dotted, ...)
    (copy / MANIFEST).write_text(manifest_text(fields), "utf-8")
    assert refused(copy).what.startswith(dotted)
    assert " is missing, not a" in refused(copy).what


@pytest.mark.parametrize(
    ("dotted", "value"),
    [
        ("name", "../weekend"),
        ("name", "week end"),
        ("name", "weekend\n"),
        ("version", "1.0"),
        ("version", "١.٠.٠"),
        ("created", "yesterday"),
        ("topics", ["baking", "baking"]),
        ("topics", "baking"),
        ("files", {"scorer.npz": "0123"}),
        ("files", {"scorer.npz": None}),
        ("labels.files", {"labels.jsonl": "F" * 64}),
        ("labels.by_reference", {"real.jsonl": 7}),
        ("labels.by_reference", {"real.jsonl": {"labels": 7}}),
        ("labels.by_reference", {"real.jsonl": {"labels": 7, "with_text": -1}}),
        ("labels.by_reference", None),
    ],
)
def test_field_of_another_form_is_refused_and_named(copy: Path, dotted: str, value: Any) -> None:
    fields = set_field(json.loads((copy / MANIFEST).read_text("utf-8")), dotted, value)
    (copy / MANIFEST).write_text(manifest_text(fields), "utf-8")
    assert refused(copy).what.startswith(f"{dotted} is {json.dumps(value):.40}")
