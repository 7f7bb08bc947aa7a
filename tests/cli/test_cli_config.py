"""`batch --config`: options from a TOML file."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
from conftest import ROOT, Run, Tiny, assert_clean_failure
from dumps import write_dump
from hypothesis import given
from hypothesis import strategies as st

from topicml.cli.app import make_app

BATCH: Any = typer.main.get_command(make_app(["batch"])).commands["batch"]  # type: ignore[attr-defined]


def parsed(*arguments: str) -> dict[str, Any]:
    """Return the values that the command would be called with."""
    params: dict[str, Any] = BATCH.make_context("batch", [*arguments]).params
    params.pop("config")
    return params


def config(folder: Path, text: str) -> Path:
    path = folder / "tags.toml"
    path.write_text(text, encoding="utf-8")
    return path


NAMES = st.text("ab c.é", min_size=1, max_size=4).map(lambda name: f"x{name}")
VALUES = st.fixed_dictionaries(
    {"output": NAMES},
    optional={
        "text-field": st.lists(NAMES, min_size=1, max_size=3),
        "id-field": NAMES,
        "detail": st.sampled_from(["article", "sentence", "probabilities"]),
        "threshold": st.floats(0, 1),
        "jobs": st.integers(1, 9),
        "record-seconds": st.integers(1, 9),
        "only-tagged": st.just(True),
        "rejects": NAMES,
        "max-rejects": st.sampled_from(["1%", "5"]),
    },
)


def on_the_line(values: dict[str, Any]) -> list[str]:
    return [
        f"--{key}" if each is True else f"--{key}={each}"
        for key, value in values.items()
        for each in (value if isinstance(value, list) else [value])
    ]


@given(given=VALUES, inputs=st.lists(NAMES, min_size=1, max_size=3), wins=VALUES)
def test_a_file_says_what_the_command_line_would_and_the_line_wins(
    tmp_path_factory: pytest.TempPathFactory,
    given: dict[str, Any],
    inputs: list[str],
    wins: dict[str, Any],
) -> None:
    lines = [f"{key} = {json.dumps(value)}" for key, value in {**given, "inputs": inputs}.items()]
    path = config(tmp_path_factory.getbasetemp(), "\n".join(lines))
    assert parsed("--config", str(path)) == parsed(*inputs, *on_the_line(given))
    both = parsed("other", *on_the_line(wins), "--config", str(path))
    assert both == parsed("other", *on_the_line({**given, **wins}))


def test_the_example_in_the_docs_is_one_and_numbers_may_be_text(tmp_path: Path) -> None:
    page = (ROOT / "docs/batch.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.S)
    found = parsed("--config", str(config(tmp_path, example)), "-o", "tags.jsonl.gz")
    assert (found["inputs"], found["text_field"]) == (("dumps",), ("headline", "body"))
    assert (found["only_tagged"], found["max_rejects"]) == (True, "1%")
    path = config(tmp_path, 'max-rejects = 100\ntext-field = "body"')
    found = parsed("a", "-o-", "--config", str(path))
    assert (found["max_rejects"], found["text_field"]) == ("100", ("body",))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("text-feild = 'a'", "unknown key 'text-feild'. Did you mean 'text-field'? Known keys: "),
        ("config = 'a'", "unknown key 'config'. Known keys: "),
        ("jobs = '2'", 'jobs = "2" is not a whole number'),
        ("jobs = true", "jobs = true is not a whole number"),
        ("jobs = 0", "jobs: 0 is not in the range"),
        ("threshold = 'high'", 'threshold = "high" is not a number'),
        ("only-tagged = 'yes'", 'only-tagged = "yes" is not true or false'),
        ("output = ['a']", 'output = ["a"] is not text'),
        ("text-field = ['a', 1.5]", 'text-field = ["a", 1.5] is not text, or a list of it'),
        ("rejects = 2026-01-01", 'rejects = "2026-01-01" is not text'),
        ("detail = 'all'", "detail: 'all' is not one of 'article', 'sentence', 'probabilities'"),
        ('output = "a\\u0000"', "output has a null character"),
        ("record-seconds = inf", "record-seconds: inf is not in the range"),
        ("jobs = ?", "(at line 1, column 8)"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_key(tmp_path: Path, line: str, said: str) -> None:
    path = config(tmp_path, line)
    with pytest.raises(typer.BadParameter) as raised:
        parsed("a", "-o", "-", "--config", str(path))
    assert f"{path}: " in raised.value.message
    assert said in raised.value.message


def test_a_run_by_a_file_goes_on_by_what_it_does(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    dump = write_dump(tmp_path / "dump.jsonl", 20)
    with dump.open("a", encoding="utf-8") as file:
        file.write("{\n")
    models = f"models-dir = {json.dumps(str(tiny.store.root))}\n"
    same = 'inputs = ["dump.jsonl"]\noutput = "out.jsonl"\nmax-rejects = 0\n'
    config(tmp_path, f"{same}{models}")
    missing = run("batch", "--config", "nowhere.toml", cwd=tmp_path)
    assert_clean_failure(missing, "'--config': nowhere.toml: No such file", code=2)
    result = run("batch", "--config", "tags.toml", cwd=tmp_path)
    assert_clean_failure(result, "1 of 21 records were rejected, more than 0")
    config(tmp_path, f'{same}{models}detail = "article"')
    result = run("batch", "--config", "tags.toml", cwd=tmp_path)
    assert_clean_failure(result, 'detail was "sentence" and is "article"')
    line = ("--detail", "sentence", "--max-rejects", "1")
    result = run("batch", "--config", "tags.toml", *line, cwd=tmp_path)
    assert result.code == 3
    assert "going on where an unfinished run was: 21 records" in result.stderr


def test_a_file_of_options_is_an_input(run: Run, tmp_path: Path) -> None:
    dump = tmp_path / "dump.jsonl"
    dump.write_text('{"id": 1, "text": "Wind."}\n')
    path = config(tmp_path, 'rejects = "tags.toml"\nforce = true')
    before = path.read_bytes()
    result = run("batch", dump, "-o", "out.jsonl", "--config", path, cwd=tmp_path)
    assert_clean_failure(result, path.name, "is one of the inputs", "--rejects")
    assert path.read_bytes() == before
