"""``topicml explain`` and ``classify --explain``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from conftest import Result, Run, Tiny, assert_clean_failure, tiny_records, write_jsonl

TEXT = "Herbs from the garden bed went into the bread dough. Nobody answered."


@pytest.fixture
def explain(run: Run, tiny: Tiny) -> Run:
    """``topicml explain`` with the tiny model and its labels."""

    def call(*arguments: str | Path, labels: Path = tiny.labels, **options: Any) -> Result:
        store = ("--models-dir", tiny.store.root, "--model", "weekend", "--labels", labels)
        return run("explain", *arguments, *store, **options)

    return call


def assert_adds_up(topic: dict[str, Any], *parts: str) -> None:
    for part in parts:
        added = [item["contribution"] for item in topic[part]]
        total = math.fsum((topic["intercept"], *added))
        assert total == pytest.approx(topic["log_odds"], abs=1e-9)


def test_text_is_explained_as_json(explain: Run) -> None:
    result = explain(TEXT, "--format", "json")
    assert (result.code, result.stderr) == (0, "")
    (record,) = json.loads(result.stdout)
    first, second = record["sentences"]
    assert (record["id"], first["topics"]) == ("text", ["baking", "gardening"])
    explanation = first["explanation"]
    assert [*explanation] == ["given", "reason", "checks", "topics", "relevance", "labelled"]
    assert explanation["labelled"] == len(tiny_records())
    for topic in [*explanation["topics"], explanation["relevance"]]:
        assert_adds_up(topic, "words", "terms")
        for word in topic["words"]:
            assert first["text"][word["start"] : word["end"]] == word["text"]
    for topic in explanation["topics"]:
        assert len(topic["nearest"]) == 3
        assert topic["change"]["words"]
    assert second["explanation"]["reason"] == second["reason"] is not None


def test_file_and_standard_input_give_the_same(explain: Run, tmp_path: Path) -> None:
    path = tmp_path / "a text.txt"
    path.write_text(TEXT, encoding="utf-8")
    by_file = json.loads(explain(path, "-f", "json").stdout)
    by_pipe = json.loads(explain("-", "-f", "json", stdin=TEXT).stdout)
    by_text = json.loads(explain(TEXT, "-f", "json").stdout)
    assert [by_file[0]["id"], by_pipe[0]["id"]] == [str(path), "<stdin>"]
    assert by_file[0]["sentences"] == by_pipe[0]["sentences"] == by_text[0]["sentences"]


def test_table_tells_words_neighbours_and_changes(explain: Run) -> None:
    result = explain(TEXT, "--topic", "baking", env={"COLUMNS": "80", "NO_COLOR": "1"})
    assert result.code == 0
    assert "+++bread" in result.stdout
    assert "\x1b" not in result.stdout
    said = " ".join(result.stdout.split())
    assert "0 baking" in said
    assert "gardening " not in said.split("0 baking")[0]
    assert "(monday-9: baking, gardening)" in said
    assert "not given any more" in said
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_page_and_json_are_written_by_their_names(explain: Run, tmp_path: Path) -> None:
    page, record = tmp_path / "why.html", tmp_path / "why.json"
    assert explain(TEXT, "-o", page).code == 0
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert explain(TEXT, "-o", record, "--no-nearest").code == 0
    (found,) = json.loads(record.read_text("utf-8"))
    assert found["sentences"][0]["explanation"]["topics"][0]["nearest"] == []
    assert_clean_failure(explain(TEXT, "-o", page), "exists already", "--force")
    assert explain(TEXT, "-o", page, "--force", "--no-nearest").code == 0


def test_where_no_labels_are_at_hand_it_says_so(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    result = run("explain", TEXT, "--model", tiny.folder, cwd=tmp_path)
    assert result.code == 0
    assert result.stderr == (
        "note: no labelled sentences at hand: give --labels, or run this in a project\n"
    )
    row = {"id": "x", "text": "Ministers met.", "topics": ["diplomacy"]}
    other = write_jsonl(tmp_path / "other.jsonl", [row])
    result = run("explain", TEXT, "--model", tiny.folder, "--labels", other)
    assert "no label file is of weekend@1.0.0's topics" in result.stderr


@pytest.mark.parametrize("command", ["explain", "classify --explain"])
def test_network_is_refused_before_it_is_loaded(run_here: Run, root: Path, command: str) -> None:
    article = root / "data/raw/001_f4a570d29b7f2e03.txt"
    model = root / "models/alliance-topics-accurate/1.0.0"
    result = run_here(*command.split(), article, "--model", model)
    assert_clean_failure(result, "is a network, which has no weights of words")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([TEXT, "--topic", "bakin"], "unknown topic 'bakin'. Did you mean 'baking'?"),
        (["missing.txt"], "missing.txt"),
        ([TEXT, "--labels", "none.jsonl"], "none.jsonl"),
    ],
)
def test_expected_failures_are_one_line(
    run_here: Run, tiny: Tiny, arguments: list[str], said: str
) -> None:
    store = ("--model", "weekend", "--models-dir", tiny.store.root)
    assert_clean_failure(run_here("explain", *arguments, *store), said)


def test_bad_text_costs_no_good_one(explain: Run, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"id": "a", "text": TEXT}) + '\n{"id": "b"}\n', encoding="utf-8")
    result = explain(path, "-f", "json")
    assert result.code == 3
    assert [record["id"] for record in json.loads(result.stdout)] == ["a"]
    assert "in.jsonl:2" in result.stderr


def test_classify_explains_in_records(run: Run, tiny: Tiny) -> None:
    options = ("--format", "jsonl", "--model", tiny.folder)
    (plain,) = run("classify", *options, stdin=TEXT).records()
    (record,) = run("classify", "--explain", *options, stdin=TEXT).records()
    for sentence in record["sentences"]:
        explanation = sentence.pop("explanation")
        assert explanation["given"] == sentence["topics"]
        assert explanation["reason"] == sentence["reason"]
        for topic in [*explanation["topics"], explanation["relevance"]]:
            assert {*topic} & {"terms", "nearest", "change"} == set()
            assert_adds_up(topic, "words")
    assert record == plain


def test_classify_explains_in_the_table(run: Run, tiny: Tiny) -> None:
    result = run("classify", "--explain", "--model", tiny.folder, stdin=TEXT)
    assert result.code == 0
    assert "+++bread" in result.stdout
    assert "no tag: below threshold" in result.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "csv"], "--explain goes with a table, jsonl and json, not with csv"),
        (["--format", "parquet"], "not with parquet"),
        (["--second-opinion", "other"], "--explain goes without --second-opinion"),
    ],
)
def test_classify_says_what_explanations_do_not_go_into(
    run_here: Run, tiny: Tiny, options: list[str], said: str
) -> None:
    source = str(tiny.labels)
    result = run_here("classify", source, "--explain", "--model", tiny.folder, *options)
    assert_clean_failure(result, said, code=2)
