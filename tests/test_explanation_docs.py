"""`docs/explanations.md` says what the commands and the calls do."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/explanations.md").read_text(encoding="utf-8")


def test_commands_and_calls_of_the_page_run(tmp_path: Path) -> None:
    (tmp_path / "data/labels").mkdir(parents=True)
    for name in ("models", "data/raw", "data/labels/taxonomy.toml", "data/labels/articles.jsonl"):
        (tmp_path / name).symlink_to(ROOT / name)
    (commands,) = re.findall(r"```console\n(.*?)```", PAGE, re.S)
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    lines = [f'topicml() {{ {sys.executable} -m topicml "$@"; }}']
    lines += re.findall(r"^\$ (.*)$", commands, re.M)
    assert len(lines) == 6
    done = subprocess.run(
        ["bash", "-ec", "\n".join([*lines, f"{sys.executable} - <<'END'\n{program}END"])],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "why.html").read_text("utf-8").startswith("<!doctype html>")
    said = done.stdout
    rows = re.findall(r"^\| (`.*?) \|", PAGE, re.M)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert named == {"for", "against", "sum", "without", "like", "passed", "failed"}
    for name in named:
        assert re.search(rf"^ *{name} ", said, re.M) or name in {"passed", "failed"}
    assert '"what":"relevance","passed":false' in said
    *_, first, second, third, difference = said.splitlines()
    assert [line.split()[0] for line in (first, second, third)] == ["meet", "ministers", "two"]
    assert float(difference) == 0


def test_limits_of_the_page_are_those_of_the_code() -> None:
    from topicml.explain.changes import MOST_REMOVED, MOST_TRIED

    assert f"up to {MOST_REMOVED}." in PAGE
    assert f"more than {MOST_TRIED}." in PAGE
