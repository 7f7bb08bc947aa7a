"""Every command and every line of Python that the README shows is run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
    for line in block.splitlines()
]
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
SET_UP = [c for c in COMMANDS if c.startswith(("git clone", "make", "export"))]
TOPICML = [c for c in COMMANDS if c not in SET_UP]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a copy of what a clone has, so that commands may write into it."""
    clone = tmp_path_factory.mktemp("readme") / "topicml"
    clone.mkdir()
    for name in ("data", "models"):
        shutil.copytree(ROOT / name, clone / name)
    return clone


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_the_readme_is_short_and_shows_the_commands():
    assert len(README.split()) < 900
    assert "make demo" in SET_UP
    assert "make check" in SET_UP
    assert len(TOPICML) >= 12
    assert all("topicml" in command for command in TOPICML)


def test_the_commands_work_in_their_order(clone):
    for command in TOPICML:
        result = run(command, clone)
        assert result.returncode == 0, f"{command}\n{result.stderr}"
        wrote_a_file = "--output" in command
        assert result.stdout.strip() or wrote_a_file, command
    assert (clone / "tags.csv").read_text().count("\n") > 116
    assert (clone / "tags.jsonl").read_text().count("\n") == 116
    assert (clone / "my-models/alliance-topics/1.0.0/scorer.npz").is_file()


@pytest.mark.parametrize("code", PYTHON)
def test_the_python_works(code, clone):
    result = run(f"{sys.executable} - <<'END'\n{code}\nEND", clone)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("diplomacy")


def test_make_demo_tags_an_article():
    environment = Path(sys.executable).parents[1]
    ready = environment / ".ready-demo"
    result = run(f"make --old-file={ready} demo VENV={environment}", ROOT)
    assert result.returncode == 0, result.stderr
    assert "sentences tagged" in result.stdout
    assert "command-structure" in result.stdout


def test_make_check_runs_every_check():
    planned = run("make --dry-run check", ROOT).stdout
    for tool in (
        "ruff format --check",
        "ruff check",
        "mypy",
        "pytest -n 2 --cov",
        "quality_gate.py",
    ):
        assert tool in planned
    assert "make check" in (ROOT / ".ci/run").read_text()
