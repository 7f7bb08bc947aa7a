"""The reference of commands is current, and what CONTRIBUTING.md names is there."""

from __future__ import annotations

import importlib.metadata
import re
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
    (line,) = re.findall(r"-m (typer topicml\.cli\.app .*) --output docs/cli.md", MAKEFILE)
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
