"""``topicml review`` as a process: its link, what it opens, how it begins and ends."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Run, Tiny, assert_clean_failure

PATIENCE = 100


@pytest.fixture
def project(tmp_path: Path, tiny: Tiny) -> Path:
    labels = tmp_path / "data/labels"
    labels.mkdir(parents=True)
    (labels / "taxonomy.toml").write_bytes(tiny.taxonomy.read_bytes())
    return tmp_path


def serve(project: Path, *arguments: str) -> tuple[str, str, int]:
    """Return the link, what was said besides, and the exit code after SIGTERM."""
    command = [sys.executable, "-m", "topicml", "review", "--port", "0", *arguments]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=project,
        env={**os.environ, "BROWSER": f"{sys.executable} -c 'print(\"browser\")' %s"},
    )
    assert process.stdout
    link = process.stdout.readline().strip()
    process.send_signal(signal.SIGTERM)
    said, errors = process.communicate(timeout=PATIENCE)
    return link, said + errors, process.returncode


def test_it_opens_what_was_given_and_its_link_lasts(project: Path, tiny: Tiny) -> None:
    (project / "good.txt").write_text("The boat left the harbour.")
    (project / "bad.jsonl").write_text('{"text": "The bread rises."}\n{broken\n')
    store = str(tiny.store.root)
    link, said, code = serve(
        project, "good.txt", "bad.jsonl", "--no-browser", "--models-dir", store
    )
    assert link.startswith("http://127.0.0.1:")
    assert code == 0
    assert "error: bad.jsonl:2" in said
    assert "Traceback" not in said
    state = project / "data/labels/.review"
    assert len([*state.glob("articles/*.json")]) == 2
    assert stat.S_IMODE((state / "token").stat().st_mode) == 0o600
    again, _, _ = serve(project, "--no-browser", "--models-dir", store)
    assert again.partition("?")[2] == link.partition("?")[2]
    mine, _, _ = serve(project, "--no-browser", "--token", "a-token-of-mine")
    assert mine.endswith("?token=a-token-of-mine")


def test_it_begins_without_a_model_and_opens_a_browser(project: Path) -> None:
    _, said, code = serve(project)
    assert code == 0
    assert "browser" in said


def test_failures_are_one_line(project: Path, run: Run) -> None:
    (project / "empty").mkdir()
    assert_clean_failure(run("review", "nothing.txt", cwd=project), "nothing.txt", "Check the path")
    assert_clean_failure(
        run("review", "--labels-dir", "empty", cwd=project), "taxonomy.toml", "topicml init"
    )
    assert_clean_failure(run("review", "--host", "192.0.2.1", cwd=project), "--token", code=2)


def test_a_model_of_another_scheme_is_refused(project: Path, tiny: Tiny, run: Run) -> None:
    path = project / "data/labels/taxonomy.toml"
    path.write_text(path.read_text().replace('id = "sailing"', 'id = "rowing"'))
    done = run("review", "--models-dir", tiny.store.root, cwd=project)
    assert_clean_failure(done, "weekend@1.0.0 has other topics than the scheme")
