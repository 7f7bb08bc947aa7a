"""A project of one's own, from ``topicml init`` to tags, with nothing said twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Run, assert_clean_failure, write_jsonl
from own_schemes import TAXONOMY, german_records


def test_project_is_found_by_every_command(run: Run, tmp_path: Path) -> None:
    project = tmp_path / "letters"
    made = run("init", "letters", "--kind", "multiclass", "--language", "de", cwd=tmp_path)
    assert made.code == 0, made.stderr
    assert made.stdout.splitlines()[0] == "Wrote letters/data/labels/taxonomy.toml"
    inside = project / "data"
    assert_clean_failure(
        run("classify", "-", stdin="Das Boot.", cwd=inside),
        "models: no model yet. Models: none, until topicml train makes one",
    )
    (project / "data/labels/taxonomy.toml").write_text(TAXONOMY.format(kind="multiclass"), "utf-8")
    write_jsonl(project / "data/labels/labels.jsonl", german_records(kind="multiclass"))
    checked = run("labels", "check", cwd=inside)
    assert checked.code == 0, checked.stdout
    assert checked.stderr == "54 sentences in 1 file: 0 errors, 0 notes\n"
    (project / "models/freizeit").mkdir()
    (project / "models/freizeit/parameters.json").write_text('{"char_ngrams": null}')
    trained = run("train", cwd=inside)
    assert trained.code == 0, trained.stderr
    assert trained.stdout.endswith("Made ../models/freizeit/1.0.0; current is 1.0.0.\n")
    assert "accuracy" in trained.stdout
    tagged = run(
        *("batch", "-", "--output", "-", "--unit", "sentence", "--input-format", "jsonl"),
        stdin='{"id": "1", "text": "Das Boot liegt im Hafen."}\n',
        cwd=inside,
    )
    (record,) = tagged.records()
    assert record["model"] == "freizeit@1.0.0"
    assert [topic["topic"] for topic in record["topics"]] == ["segeln"]
    labelled = german_records(kind="multiclass")[0]["text"]
    queued = run("labels", "queue", "-", stdin=labelled, cwd=inside)
    assert "left out: labelled 1" in queued.stderr


def test_nothing_is_overwritten(run_here: Run, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert_clean_failure(run_here("init", tmp_path), "README.md: exists already")
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [("--language", "German", "is not the code of a language"), ("--kind", "ranking", "--kind")],
)
def test_wrong_options_are_refused(
    run_here: Run, tmp_path: Path, option: str, value: str, said: str
) -> None:
    assert_clean_failure(run_here("init", tmp_path / "new", option, value), said, code=2)
    assert not (tmp_path / "new").exists()


def test_a_link_that_leads_to_itself_and_an_empty_name_are_clean_failures(
    run_here: Run, tmp_path: Path
) -> None:
    (tmp_path / "self").symlink_to("self")
    assert_clean_failure(run_here("init", tmp_path / "self"), "is no folder")
    assert_clean_failure(run_here("init", tmp_path / "new", "--name", ""), "name ''")
    assert not (tmp_path / "new").exists()


def test_a_link_that_leads_nowhere_where_a_folder_belongs_leaves_nothing_written(
    run_here: Run, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "models").symlink_to("nowhere")
    assert_clean_failure(run_here("init", project), "is no folder", "models")
    assert [path.name for path in project.iterdir()] == ["models"]
