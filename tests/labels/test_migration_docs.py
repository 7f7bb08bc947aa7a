"""`docs/migrations.md`: its file is applied and undone by its commands, on the project's labels."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from topicml.cli.app import make_app
from topicml.labels.migration import history
from topicml.labels.migration.steps import KINDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/migrations.md").read_text(encoding="utf-8")


def test_commands_of_the_page_work_on_the_projects_labels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data/labels"
    folder.mkdir(parents=True)
    for name in ("articles.jsonl", "taxonomy.toml", "CODEBOOK.md"):
        shutil.copy(ROOT / "data/labels" / name, folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (steps,) = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    Path("scheme-3.0.toml").write_text(steps, encoding="utf-8")
    assert all(f"[[{kind}]]" in steps for kind in KINDS)
    commands = re.findall(r"^\$ topicml (.*)$", PAGE, re.M)
    assert [command.split()[1:3][-1] for command in commands] == ["plan", "apply", "check", "undo"]
    for command in commands:
        done = CliRunner().invoke(make_app(), command.split())
        assert done.exit_code == 0, done.output
        if " apply " in command:
            written = {path.name for path in (folder / history.FOLDER / "3.0").iterdir()}
            assert len(written) == 4
            assert [one for one in written - {history.STEPS} if f"`{one}`" not in PAGE] == []
            assert (folder / "CODEBOOK.md").read_bytes() != before["CODEBOOK.md"]
    after = {p.name: p.read_bytes() for p in folder.iterdir() if p.suffix != ".lock"}
    assert after == before
