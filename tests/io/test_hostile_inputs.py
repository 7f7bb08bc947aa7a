"""Files made to hurt, through the real commands: each is answered, and nothing stays."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hostile_documents import documents
from mails import hostile_mails
from processes import marked, memory_of

MOST_MEMORY = 500_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of 200 documents and 200 mails."""
    folder = tmp_path_factory.mktemp("hostile")
    for number, (kind, suffix, data) in enumerate(documents("commands", 200)):
        (folder / f"{number:03}-{kind}.{suffix}").write_bytes(data)
    for number, (kind, data) in enumerate(hostile_mails(200, 1_000_000)):
        (folder / f"{number:03}-{kind}.eml").write_bytes(data)
    return folder


def run_measured(arguments: list[str], folder: Path, variable: str) -> tuple[int, str, int]:
    """Run a command; return its exit code, its standard error and the memory of all its processes.

    That memory is the most that they held together, shared pages counted once.
    """
    name, _, value = variable.partition("=")
    most = 0
    with (folder / "said.txt").open("wb") as said:
        run = subprocess.Popen(
            [sys.executable, "-m", "topicml", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=said,
            env={**os.environ, name: value},
        )
        while run.poll() is None:
            most = max(most, sum(memory_of(number) for number in marked(variable)))
            time.sleep(0.05)
    return run.returncode, (folder / "said.txt").read_text(encoding="utf-8"), most


@pytest.mark.soak
@pytest.mark.parametrize("command", ["classify", "batch"])
def test_each_file_is_answered_within_memory_and_no_process_is_left(
    command: str, folder: Path, tmp_path: Path
) -> None:
    output, variable = tmp_path / "tags.jsonl", f"HOSTILE_INPUTS={tmp_path}"
    code, said, most = run_measured(
        [command, str(folder), "--output", str(output)], tmp_path, variable
    )
    assert code == 3, said
    assert most < MOST_MEMORY
    assert marked(variable) == {}
    assert "Traceback" not in said
    refused = said
    if command == "batch":
        refused = (tmp_path / "tags.jsonl.rejects.jsonl").read_text(encoding="utf-8")
    files = [path.name for path in folder.iterdir()]
    tagged = output.read_bytes().count(b"\n")
    assert tagged + sum(name in refused for name in files) >= len(files)
