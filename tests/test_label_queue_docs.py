"""`docs/label-queue.md`: what it names is there, and all commands run but the one that trains."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from topicml.labels.conflicts import KINDS
from topicml.training.label_queue import STRATEGIES

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/label-queue.md").read_text(encoding="utf-8")


def names_of_table(head: str) -> set[str]:
    """Return what stands as code in the first column of a table."""
    rows = PAGE.split(f"\n| {head} |")[1].split("\n\n")[0].splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`([\w-]+)`", row.split("|")[1])}


def test_kinds_and_strategies_are_those_there_are():
    assert names_of_table("`--strategy`") == {*STRATEGIES}
    assert names_of_table("kind") == {*KINDS}


def test_commands_run_and_reasons_are_on_the_page(tmp_path):
    for name in ("data", "models"):
        (tmp_path / name).symlink_to(ROOT / name)
    commands = re.findall(r"^\$ (.*)$", PAGE, re.M)
    assert len(commands) == 5
    fast = [command for command in commands if "--no-background" not in command]
    done = subprocess.run(
        ["bash", "-ec", f'topicml() {{ {sys.executable} -m topicml "$@"; }}\n' + "\n".join(fast)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    row = json.loads((tmp_path / "queue.jsonl").read_text("utf-8").splitlines()[0])
    assert {*row["reasons"]} == names_of_table("field")
    assert len((tmp_path / "queue.doccano.jsonl").read_text("utf-8").splitlines()) == 40
