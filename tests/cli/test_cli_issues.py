"""`topicml labels issues`, and what `train` refuses of it."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, Tiny, assert_clean_failure, tiny_records, write_jsonl


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny labels: the fifth a second time with no topic, and the eighth in another article."""
    rows: list[dict[str, Any]] = tiny_records()
    rows.append({**rows[4], "id": "=other", "topics": []})
    rows.append({**rows[7], "id": "again", "article": "friday"})
    return write_jsonl(tmp_path_factory.mktemp("issues") / "labels.jsonl", rows)


@pytest.fixture
def options(labels: Path, tiny: Tiny) -> list[str | Path]:
    return ["-l", labels, "--taxonomy", tiny.taxonomy, "--parameters", tiny.parameters]


@pytest.fixture
def without_cleanlab(tmp_path: Path) -> dict[str, str]:
    import os

    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/cleanlab.py").write_text("raise ModuleNotFoundError('cleanlab')")
    path = os.pathsep.join([str(tmp_path / "hidden"), os.environ.get("PYTHONPATH", "")])
    return {"PYTHONPATH": path}


def test_without_cleanlab_all_else_is_found(
    run: Run, labels: Path, options: list[str | Path], without_cleanlab: dict[str, str]
) -> None:
    arguments = ["--kind", "contradiction,doubted,repeated", "--format", "jsonl"]
    result = run("labels", "issues", *options, *arguments, env=without_cleanlab)
    assert result.code == 0
    rows = result.records()
    first, second = rows[:2]
    assert first == {
        "id": "=other",
        "file": str(labels),
        "line": 53,
        "kind": "contradiction",
        "score": 1.0,
        "topics": [],
        "suggested": ["gardening"],
        "probabilities": {},
        "other": f"monday-4 ({labels}:5)",
        "text": tiny_records()[4]["text"],
    }
    assert (second["id"], second["line"], second["suggested"]) == ("monday-4", 5, [])
    assert {row["kind"] for row in rows[2:]} == {"repeated"}
    assert {"again", "monday-7"} <= {row["id"] for row in rows[2:]}
    lines = result.stderr.splitlines()
    assert lines[0] == (
        "left out: labels that the recipe doubts: what the recipe says of labels needs cleanlab. "
        "Install it: pip install 'topicml[labels]'"
    )
    assert lines[1] == f"{len(rows)} issues, {len(rows)} shown"


def test_recipe_doubts_a_label_that_it_has_not_seen(
    run: Run, labels: Path, options: list[str | Path]
) -> None:
    pytest.importorskip("cleanlab", reason="needs the extra labels")
    before = labels.read_bytes()
    result = run("labels", "issues", *options, "--kind", "doubted", "--limit", "1", "-f", "csv")
    assert result.code == 0
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert (row["id"], row["kind"], row["suggested"]) == ("'=other", "doubted", "gardening")
    assert row["probabilities"].startswith("gardening=0.")
    assert float(row["score"]) > 0.5
    assert labels.read_bytes() == before


def test_labels_that_cannot_be_trained_on_still_have_other_issues(
    run: Run, tiny: Tiny, tmp_path: Path
) -> None:
    rows = [
        {"id": "a", "article": "one", "text": "The bread rises.", "topics": ["baking"]},
        {"id": "b", "article": "one", "text": "The  bread rises.", "topics": []},
    ]
    path = write_jsonl(tmp_path / "few.jsonl", rows)
    result = run("labels", "issues", "-l", path, "--taxonomy", tiny.taxonomy)
    assert result.code == 0
    assert result.stdout.startswith(
        f"1.00 contradiction a {path}:1\n"
        "     The bread rises.\n"
        "     labelled baking; suggested –\n"
        f"     as b ({path}:2)\n\n"
    )
    assert result.stderr.endswith("2 issues, 2 shown\n")
    assert "left out: labels that the recipe doubts: " in result.stderr


def test_unknown_kind_is_refused_with_those_there_are(run_here: Run) -> None:
    result = run_here("labels", "issues", "--kind", "doubtful")
    assert_clean_failure(result, "--kind 'doubtful' is none of contradiction, near-", code=2)


def test_train_refuses_two_labels_for_one_text(
    run_here: Run, labels: Path, options: list[str | Path], tmp_path: Path
) -> None:
    result = run_here("train", *options, "--models-dir", tmp_path / "models")
    assert_clean_failure(result, f"{labels}:53: same text as {labels}:5, other topics")
    assert not (tmp_path / "models").exists()
