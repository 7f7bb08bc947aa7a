"""`classify` and `batch` with a second model for what the first is unsure of."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from conftest import Run, Tiny, assert_clean_failure, write_jsonl

TEXTS = [
    "She kneads the dough before the oven is hot. The rose and the boat wait for wind.",
    "Nobody answered the telephone. They hoisted the sails at noon. Warm soil, warm bread.",
    "Leave a reply",
    "The yacht left the harbour with beans. It was a long day in the garden.",
]
FIRST, SECOND = "weekend@1.0.0", "weekend@1.1.0"


@pytest.fixture(scope="module")
def models(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model, and one that sees words only."""
    root = tmp_path_factory.mktemp("two")
    shutil.copytree(tiny.store.root, root / "models")
    words = root / "words.json"
    words.write_text('{"char_ngrams": null}', encoding="utf-8")
    replace(tiny, parameters=words).build(replace(tiny.store, root=root / "models"), "1.1.0")
    return root / "models"


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    rows = [{"id": f"r{n}", "text": text} for n, text in enumerate(TEXTS * 12)]
    return write_jsonl(tmp_path / "dump.jsonl", rows)


@pytest.fixture
def asked(models: Path) -> list[str]:
    options = ["--models-dir", str(models), "--model", FIRST]
    return [*options, "--second-opinion", SECOND, "--second-opinion-share", "0.4"]


def test_both_commands_say_the_same_and_which_sentences_were_read_again(
    run: Run, dump: Path, asked: list[str], models: Path, tmp_path: Path
) -> None:
    classified = run("classify", dump, "--format", "jsonl", *asked)
    assert (classified.code, classified.stderr) == (0, "")
    records = classified.records()
    read = [record["second_opinion"]["sentences"] for record in records]
    assert {record["second_opinion"]["model"] for record in records} == {SECOND}
    assert 0 < sum(map(len, read)) < sum(len(record["sentences"]) for record in records)
    for jobs in ("1", "2"):
        out = tmp_path / f"{jobs}.jsonl"
        detail = ("--detail", "probabilities", "--jobs", jobs)
        done = run("batch", dump, "-o", out, *detail, *asked)
        assert done.code == 0, done.stderr
        assert [json.loads(line) for line in out.read_text("utf-8").splitlines()] == records
        summary = json.loads(Path(f"{out}.summary.json").read_text("utf-8"))
        assert summary["second_opinion"]["model"] == SECOND
        assert summary["second_opinion"]["sentences"] == sum(map(len, read))
        assert f"read again by {SECOND}" in done.stderr
    alone = run("classify", dump, "--format", "jsonl", "--models-dir", models, "--model", FIRST)
    assert "second_opinion" not in alone.stdout
    assert alone.records() != records


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_format_says_it(run: Run, dump: Path, asked: list[str], tmp_path: Path) -> None:
    records = run("classify", dump, "--format", "jsonl", *asked).records()
    rows = rows_of(run("classify", dump, "--format", "csv", *asked).stdout)
    expected = [
        SECOND if sentence["index"] in record["second_opinion"]["sentences"] else ""
        for record in records
        for sentence in record["sentences"]
    ]
    assert [row["second_opinion"] for row in rows] == expected
    assert {row["model"] for row in rows} == {FIRST}
    brief = tmp_path / "brief.csv"
    assert run("batch", dump, "-o", brief, "--detail", "article", *asked).code == 0
    said = [row["second_opinion"] for row in rows_of(brief.read_text("utf-8"))]
    assert said == [SECOND if r["second_opinion"]["sentences"] else "" for r in records]
    columns = tmp_path / "out.parquet"
    assert run("batch", dump, "-o", columns, *asked).code == 0
    found: list[dict[str, Any]] = pyarrow.parquet.read_table(columns).to_pylist()
    assert [row["second_opinion"] for row in found] == [r["second_opinion"] for r in records]
    table = run("classify", dump, "--format", "table", *asked)
    assert f"(*) read again by {SECOND}" in " ".join(table.stdout.split())
    assert table.stdout.count("*") > len(TEXTS)


def test_a_run_that_goes_on_asks_the_same_second_model(
    run_here: Run, dump: Path, asked: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    Path(f"{out}.checkpoint").write_text('{"second": null}\n', encoding="utf-8")
    assert_clean_failure(
        run_here("batch", dump, "-o", out, *asked), "an unfinished run is here", "second was null"
    )


def test_models_that_do_not_go_together_are_one_line(
    run_here: Run, dump: Path, asked: list[str], models: Path, root: Path
) -> None:
    other = root / "models/alliance-topics/1.2.0"
    common = ("--models-dir", models, "--second-opinion", other)
    for command in (["classify", dump], ["batch", dump, "-o", dump.with_name("out.jsonl")]):
        assert_clean_failure(run_here(*command, *common), "has other topics than weekend@1.0.0")
    usage = run_here("classify", dump, *asked, "--second-opinion-share", "1.5")
    assert_clean_failure(usage, "--second-opinion-share", code=2)
