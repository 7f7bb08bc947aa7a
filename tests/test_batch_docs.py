"""`docs/batch.md` names every option, summary field and exit code, and what it shows works."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import Tiny

from topicml.batch.job import Job
from topicml.batch.opened import open_models
from topicml.batch.summary import Counts, make_summary

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/batch.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def first_cells(title: str) -> str:
    return " ".join(re.findall(r"^\| (`.*?|\d+) \|", section(title), re.M))


def test_every_option_is_there() -> None:
    commands = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    options = commands.split("## `topicml batch`")[1].split("\n## ")[0]
    known = {*re.findall(r"(--[a-z-]+)", "\n".join(re.findall(r"^\* `(.*?)`", options, re.M)))}
    assert {*re.findall(r"(--[a-z-]+)", first_cells("Options"))} == known - {"--help"}


def test_every_field_of_the_summary_is_there(tiny: Tiny) -> None:
    job = Job(("in.jsonl",), "-", tiny.folder)
    summary = make_summary(job, open_models(job), Counts(), 1.0)
    assert re.findall(r"`(\w+)`", first_cells("The summary")) == [*summary]


def test_every_exit_code_is_there() -> None:
    codes = [0, 1, 2, 3, 129, 130, 141, 143]
    assert [int(code) for code in first_cells("Exit codes").split()] == codes


@pytest.mark.parametrize("language", ["sh", "python"])
def test_raw_bytes_are_decoded(tmp_path: Path, language: str) -> None:
    program = {"sh": "bash", "python": "python3"}[language]
    if language == "sh" and not shutil.which("jq"):
        pytest.skip("needs jq")
    raw = base64.b64encode(b'{"text": \xff').decode()
    line = json.dumps({"reason": "broken_json", "raw": raw})
    (tmp_path / "tags.jsonl.rejects.jsonl").write_text(f"{line}\n{line}\n")
    (shown,) = re.findall(rf"```{language}\n(.*?)```", section("Rejects"), re.S)
    done = subprocess.run([program, "-c", shown], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout.count(b"xff" if language == "python" else b"\xff") == 2
