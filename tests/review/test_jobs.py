"""Jobs: one at a time, whoever looks, whatever ends."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from processes import is_running, wait_until

from topicml.errors import TopicmlError
from topicml.review.desk.jobs import Job, Progress, _progress


@pytest.fixture
def slow(tmp_path: Path) -> list[str]:
    """A command that waits for a writer that never comes."""
    os.mkfifo(tmp_path / "never.txt")
    return ["classify", str(tmp_path / "never.txt")]


def wait_for(job: Job, status: str) -> None:
    wait_until(lambda: job.state().status == status)


def test_commands_run_one_after_the_other(tmp_path: Path) -> None:
    job = Job(tmp_path / "job", tmp_path)
    assert job.state().status == "none"
    job.start([["--version"], ["info", "--help"]], {"by": "ann"})
    wait_until(lambda: job.state().status != "running")
    state = Job(tmp_path / "job", tmp_path).state()
    assert (state.status, state.codes, state.about) == ("done", (0, 0), {"by": "ann"})
    assert job.output(0).startswith(b"topicml ")
    assert b"Usage" in job.output(1)


def test_one_that_fails_ends_the_rest_and_says_why(tmp_path: Path) -> None:
    job = Job(tmp_path / "job", tmp_path)
    job.start([["classify", "nothing.txt"], ["--version"]], {})
    wait_for(job, "failed")
    state = job.state()
    assert state.codes == (1,)
    assert "nothing.txt" in state.lines[-1]


def test_one_runs_at_a_time_and_can_be_cancelled(tmp_path: Path, slow: list[str]) -> None:
    job, other = (Job(tmp_path / "job", tmp_path) for _ in range(2))
    job.start([slow], {"n": 1})
    with pytest.raises(TopicmlError, match="runs already"):
        other.start([["--version"]], {"n": 2})
    assert (other.state().status, other.state().about) == ("running", {"n": 1})
    other.cancel()
    wait_for(job, "cancelled")
    other.start([["--version"]], {"n": 3})
    wait_for(job, "done")


def test_one_whose_keeper_was_killed_still_holds_its_place(tmp_path: Path, slow: list[str]) -> None:
    job = Job(tmp_path / "job", tmp_path)
    job.start([slow], {})
    (about,) = (tmp_path / "job/run").glob("about.json")
    wait_until(lambda: (tmp_path / "job/run/0.err").exists())
    keeper = int(about.read_text().partition('"pid": ')[2].rstrip("}"))
    wait_until(lambda: _children(keeper))
    (command,) = _children(keeper)
    os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: not is_running(keeper))
    assert job.state().status == "running"
    job.cancel()
    wait_until(lambda: not is_running(command))
    assert job.state().status == "cancelled"


def _children(number: int) -> list[int]:
    text = Path(f"/proc/{number}/task/{number}/children").read_text()
    return [int(child) for child in text.split()]


def test_progress_is_the_last_that_was_told() -> None:
    lines = ["fits: 1 of 1,200", "fits: 1,100 of 1,200, about 4 s left", "a note"]
    assert _progress(lines) == Progress("fits", 1100, 1200)
    assert _progress(["a note"]) is None
