"""What commands refuse before they read anything, in one line."""

from pathlib import Path

import pytest
from conftest import Tiny
from typer.testing import CliRunner

from topicml.cli.app import make_app

NO_NAME = "that is not the name of a file"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("batch a --output=", f"'--output' / '-o': {NO_NAME}"),
        ("batch a -o - --rejects=", f"'--rejects': {NO_NAME}"),
        ("batch a -o - --summary=", f"'--summary': {NO_NAME}"),
        ("batch a -o - --topics=", "--topics '' names nothing"),
        ("batch a -o - --keep=,", "--keep ',' names nothing"),
        ("batch a -o - --second-opinion-share 0.1", "goes with --second-opinion MODEL"),
        ("batch a -o - --record-seconds nan", "--record-seconds nan is not a number"),
        ("batch a -o - --log-interval nan", "--log-interval nan is not a number"),
        (
            "batch a -o - --second-opinion weekend --second-opinion-share nan",
            "--second-opinion-share nan is not a number from 0 to 1",
        ),
        ("classify a --output=", f"'--output' / '-o': {NO_NAME}"),
        ("classify a --second-opinion-share 0.1", "goes with --second-opinion MODEL"),
        ("evaluate --html=", f"'--html': {NO_NAME}"),
        ("labels codebook --output=", f"'--output' / '-o': {NO_NAME}"),
        ("labels gold -o -", f"'--output' / '-o': {NO_NAME}"),
        ("batch a -o a.jsonl --rejects -", f"'--rejects': {NO_NAME}"),
    ],
)
def test_what_names_nothing_is_a_usage_error(tiny: Tiny, line: str, said: str) -> None:
    command = line.split()
    environment = {"TOPICML_MODELS": str(tiny.store.root), "COLUMNS": "200"}
    done = CliRunner(env=environment).invoke(make_app([command[0]]), command)
    assert done.exit_code == 2
    assert said in done.stderr


@pytest.mark.parametrize(
    "line", ["evaluate --html {}", "evaluate --metrics-file {}", "labels codebook -o {}"]
)
def test_what_is_there_is_replaced_by_force_only(tmp_path: Path, line: str) -> None:
    given = tmp_path / "given"
    given.write_text("precious")
    command = line.format(given).split()
    done = CliRunner().invoke(make_app([command[0]]), command)
    assert str(done.exception) == f"{given}: exists already. Replace it with --force."
    assert given.read_text() == "precious"
    if command[0] == "labels":
        assert CliRunner().invoke(make_app(["labels"]), [*command, "--force"]).exit_code == 0
        assert given.read_text() != "precious"
