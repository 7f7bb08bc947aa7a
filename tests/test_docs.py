"""The reference of commands is current, and what CONTRIBUTING.md names is there."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TYPER = importlib.metadata.version("typer")


@pytest.mark.skipif(not TYPER.startswith("0.28."), reason="other Typers word the page otherwise")
def test_reference_of_commands_is_current(tmp_path):
    (line,) = re.findall(r"-m (typer topicml\.cli\.tree .*) --output docs/cli.md", MAKEFILE)
    made = tmp_path / "cli.md"
    subprocess.run([sys.executable, "-m", *line.split(), "--output", made], cwd=ROOT, check=True)
    committed = (ROOT / "docs/cli.md").read_text(encoding="utf-8")
    assert committed == made.read_text(encoding="utf-8"), "run: make docs"
    assert "\n### `topicml models verify`\n" in committed


def test_paths_of_the_contributing_guide_are_there():
    named = re.findall(r"`((?:src|tests|docs|data|models|benchmarks)/[\w./-]+)`", CONTRIBUTING)
    real = [name for name in named if "FORMAT" not in name and "NAME" not in name]
    assert len(real) >= 6
    assert [name for name in real if not (ROOT / name).exists()] == []


def test_make_targets_of_the_contributing_guide_are_there():
    named = set(re.findall(r"`make (\w[\w-]*)`", CONTRIBUTING))
    assert {"check", "docs", "soak"} <= named
    assert [name for name in named if not re.search(rf"^{name}:", MAKEFILE, re.M)] == []


def test_notebook_runs_from_its_first_block_to_its_last(tmp_path):
    for name in ("data", "models"):
        shutil.copytree(ROOT / name, tmp_path / name)
    page = (ROOT / "docs/notebook.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "diplomacy 0.99 (0,)"
    assert lines[1] == "0 48 The two ministers will meet in Manila on Friday. None"
    assert lines[2:4] == ["0 ['force-posture'] None", "1 [] no_topic"]
    assert lines[4].startswith("(2, 9) ('command-structure', 'extended-deterrence', ")
    assert lines[5].startswith("my-models/alliance-topics/1.0.0 0.6")
    assert lines[6].endswith(
        "The model was trained on these very sentences: the figures say nothing."
    )
    assert lines[7:] == ["Interval(value=1.0, low=1.0, high=1.0)"]
