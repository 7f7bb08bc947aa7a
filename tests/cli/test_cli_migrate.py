from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import Run, Tiny, assert_clean_failure

SPLIT = """to = "2.0"

[[split]]
from = "sailing"
[[split.to]]
id = "racing"
name = "Racing"
definition = "who is first"
[[split.to]]
id = "cruising"
name = "Cruising"
definition = "who goes far"

[[rename]]
from = "baking"
to = "bread"
"""


@pytest.fixture
def folder(tiny: Tiny, tmp_path: Path) -> Path:
    shutil.copy(tiny.taxonomy, tmp_path / "taxonomy.toml")
    shutil.copy(tiny.labels, tmp_path / "labels.jsonl")
    (tmp_path / "split.toml").write_text(SPLIT, encoding="utf-8")
    return tmp_path


def test_plan_apply_adjudicate_undo(run: Run, folder: Path) -> None:
    labels, taxonomy = folder / "labels.jsonl", folder / "taxonomy.toml"
    options = ("-l", labels, "--taxonomy", taxonomy)
    before = labels.read_bytes(), taxonomy.read_bytes()
    sailing = [one for one in read(labels) if "sailing" in one["topics"]]

    plan = run("labels", "migrate", "plan", folder / "split.toml", *options)
    assert plan.code == 0
    assert (labels.read_bytes(), taxonomy.read_bytes()) == before
    lines = plan.stdout.splitlines()
    assert lines[:3] == ["1.3 → 2.0", "rename baking → bread", "split sailing → racing, cruising"]
    assert [line.split() for line in lines if line.startswith("sailing ")] == [
        ["sailing", str(len(sailing))]
    ]
    assert f"{sailing[0]['id']}: sailing | – (split: sailing)" in lines
    assert f"{len(sailing)} labels with a topic that is split" in plan.stderr

    applied = run("labels", "migrate", "apply", folder / "split.toml", *options)
    assert (applied.code, applied.stdout) == (0, plan.stdout)

    store = ("--annotations", folder / "annotations")
    settled = run(
        "labels", "adjudicate", "--annotator", "kim", *store, *options, stdin="3\nwho is first\nq\n"
    )
    assert f"[1 of {len(sailing)}] {sailing[0]['id']}" in settled.stdout
    assert "(split since: sailing)" in settled.stdout
    (line,) = read(folder / "annotations/annotations.jsonl")
    assert (line["id"], line["topics"], line["scheme"]) == (sailing[0]["id"], ["racing"], "2.0")
    shutil.rmtree(folder / "annotations")
    undone = run("labels", "migrate", "undo", *options)
    assert (undone.code, undone.stdout) == (0, "undone: the migration to 2.0\n")
    assert (labels.read_bytes(), taxonomy.read_bytes()) == before


def test_half_migrated_labels_are_read_by_nothing_until_the_next_ends_it(
    run: Run, folder: Path
) -> None:
    options = ("-l", folder / "labels.jsonl", "--taxonomy", folder / "taxonomy.toml")
    before = (folder / "labels.jsonl").read_bytes()
    assert run("labels", "migrate", "apply", folder / "split.toml", *options).code == 0
    after = (folder / "labels.jsonl").read_bytes()
    (folder / "labels.jsonl").write_bytes(before)
    (folder / "migrations/2.0").rename(folder / "migrations/2.0.applying")
    assert_clean_failure(run("labels", "stats", *options), "was cut off", "migrate apply")
    ended = run("labels", "migrate", "apply", folder / "split.toml", *options)
    assert (ended.code, "is applied now" in ended.stdout) == (0, True)
    assert (folder / "labels.jsonl").read_bytes() == after


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
