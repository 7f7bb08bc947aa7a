"""`topicml labels queue`: of any input, to a file that annotation tools take."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import pytest
from conftest import Run, Tiny, assert_clean_failure, write_jsonl

from topicml.labels.records import read_labels

LABELLED = "The telephone rang all through dinner."
TEXTS = {
    "one": f"{LABELLED} The rose and the boat wait for wind and dough. Leave a reply",
    "two": "Warm soil and a warm oven are all that bread and beans want from us.",
    "three": "The yacht left the harbour with beans, bread and a hundred tomato seeds.",
}


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "dump.jsonl.gz"
    lines = [json.dumps({"id": key, "text": text}) for key, text in TEXTS.items()]
    path.write_bytes(gzip.compress("\n".join([*lines, "{"]).encode()))
    return path


@pytest.fixture
def options(tiny: Tiny, tmp_path: Path) -> list[str | Path]:
    row = {"id": "x", "text": LABELLED, "topics": []}
    labels = ["-l", tiny.labels, "-l", write_jsonl(tmp_path / "more.jsonl", [row])]
    return [*labels, "--models-dir", tiny.store.root, "--model", tiny.name]


def test_queue_goes_to_a_file_that_export_takes(
    run: Run, tiny: Tiny, dump: Path, options: list[str | Path], tmp_path: Path
) -> None:
    queue = tmp_path / "queue.jsonl"
    result = run("labels", "queue", dump, *options, "--limit", "3", "-o", queue)
    assert result.code == 3  # the last line is no record
    assert "3 sentences of 3 that could be labelled" in result.stderr
    assert "left out: labelled 1, boilerplate 1" in result.stderr
    records = read_labels(queue)
    assert {record.article for record in records} == {*TEXTS}
    assert {(record.status, record.topics) for record in records} == {("skipped", ())}
    assert [record.chosen for record in records] == ["random", "combined", "combined"]
    for record in records:
        assert TEXTS[record.article][record.start : record.end] == record.text
    exported = tmp_path / "queue.csv"
    arguments = ["-l", queue, "--taxonomy", tiny.taxonomy, "-o", exported]
    assert run("labels", "export", *arguments).code == 0
    with exported.open(encoding="utf-8") as file:
        assert [row["id"] for row in csv.DictReader(file)] == [record.id for record in records]


def test_terminal_gets_a_table_and_a_pipe_the_same_lines_each_time(
    run: Run, dump: Path, options: list[str | Path]
) -> None:
    table = run("labels", "queue", dump, *options, "--limit", "1")
    assert table.stdout.split()[:3] == ["entropy", "nearest", "(threshold)"]
    arguments = ["--strategy", "random", "--seed", "3", "--format", "jsonl", "--limit", "2"]
    first = run("labels", "queue", dump, *options, *arguments)
    assert len(first.records()) == 2
    assert {row["chosen"] for row in first.records()} == {"random"}
    assert run("labels", "queue", dump, *options, *arguments).stdout == first.stdout


def test_an_output_that_is_there_or_an_input_is_not_replaced(
    run_here: Run, tiny: Tiny, dump: Path, options: list[str | Path]
) -> None:
    before = tiny.labels.read_bytes()
    result = run_here("labels", "queue", dump, *options, "-o", tiny.labels, "--force")
    assert_clean_failure(result, str(tiny.labels))
    assert tiny.labels.read_bytes() == before


def test_an_input_without_a_text_is_one_line(
    run: Run, options: list[str | Path], tmp_path: Path
) -> None:
    (tmp_path / "empty.jsonl").write_text("", encoding="utf-8")
    result = run("labels", "queue", tmp_path / "empty.jsonl", *options)
    assert result.code == 1
    assert "error: nothing to label: no input holds a text" in result.stderr
