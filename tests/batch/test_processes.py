"""Nothing outlives a batch run, however it ends, and a worker that is killed costs nothing."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Tiny
from dumps import write_dump
from reporters import Recorder

from topicml.batch.checkpoint import checkpoint_path
from topicml.batch.job import Job
from topicml.batch.run import run_batch

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")

SMALL_BLOCKS = (
    "from topicml.io import readers; readers.BLOCK_BYTES = 3_000\n"
    "from topicml.cli import main; main()"
)
AGAIN = "Run the same command again to go on.\n"
LIMIT = 1.8  # seconds after which a run that was stopped ends as it is
SOON = 5.0  # and what a slow machine takes


class Batch:
    """A run in a session of its own, whose processes are seen and killed."""

    def __init__(self, *arguments: str | Path, ignoring: tuple[int, ...] = ()) -> None:
        def ignore() -> None:
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN if number in ignoring else signal.SIG_DFL)

        self.process = subprocess.Popen(
            [sys.executable, "-c", SMALL_BLOCKS, "batch", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=ignore,
        )

    def helpers(self) -> list[int]:
        """Processes of the run besides the one that was started."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state, _, group = (folder / "stat").read_text().rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if state not in "ZX" and int(group) == self.process.pid:
                found.append(int(folder.name))
        return sorted({*found} - {self.process.pid})

    def workers(self) -> list[int]:
        return [pid for pid in self.helpers() if b"spawn_main" in command_of(pid)]

    def wait(self, until: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 60
        while not until() and self.process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def kill_workers(self) -> None:
        for pid in self.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def end(self, seconds: float = 60.0) -> tuple[int, str]:
        """Return the exit code and what was said, once all that could say more has ended."""
        said, _ = self.process.communicate(timeout=seconds)
        deadline = time.monotonic() + seconds
        while self.helpers():  # what holds no pipe
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self.process.returncode, said.decode()


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def batches() -> Iterator[list[Batch]]:
    """Those that a test started; whatever is left of them when it fails is ended."""
    started: list[Batch] = []
    yield started
    for batch in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(batch.process.pid, signal.SIGKILL)
        batch.process.communicate()


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return write_dump(tmp_path / "dump.jsonl", 400)


@pytest.fixture
def start(tiny: Tiny, dump: Path, tmp_path: Path, batches: list[Batch]) -> Callable[..., Batch]:
    def start_batch(*more: str | Path, **options: Any) -> Batch:
        arguments = more or ("-o", tmp_path / "out.jsonl", "--quiet")
        common = ("--jobs", "2", "--models-dir", tiny.store.root)
        batch = Batch(dump, *arguments, *common, **options)
        batches.append(batch)
        return batch

    return start_batch


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def whole(tiny: Tiny, dump: Path) -> bytes:
    job = Job((str(dump),), "-", tiny.folder, backend="reference")
    stdout = io.BytesIO()
    run_batch(job, io.BytesIO(), stdout, Recorder())
    return stdout.getvalue()


def committed(out: Path) -> int:
    try:
        return max(checkpoint_path(out).read_bytes().count(b"\n") - 1, 0)
    except FileNotFoundError:
        return 0


STOPS = {signal.SIGHUP: 129, signal.SIGINT: 130, signal.SIGKILL: -9, signal.SIGTERM: 143}


def assert_stops(batch: Batch, number: signal.Signals) -> None:
    """A run ends in one line, soon, and nothing of it is left."""
    sent = time.monotonic()
    batch.process.send_signal(number)
    code, said = batch.end(SOON)
    if code == 0:
        return  # all was done before the signal came
    assert code == STOPS[number], said
    is_cut_off = time.monotonic() - sent > LIMIT  # a machine too slow to say it in time
    if number != signal.SIGKILL and not (is_cut_off and not said):
        assert said == f"error: stopped by {number.name}. {AGAIN}"


@pytest.mark.parametrize("moment", ["start", "middle", "end"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_nothing_is_left_of_a_run_that_is_ended(
    start: Callable[..., Batch], out: Path, number: signal.Signals, moment: str
) -> None:
    reached = {
        "start": lambda: batch.helpers(),
        "middle": lambda: len(batch.workers()) == 2 and committed(out) > 5,
        "end": lambda: committed(out) > 25 or out.exists(),
    }
    batch = start()
    batch.wait(reached[moment])
    has_ended = batch.process.poll() is not None
    if not has_ended:
        assert_stops(batch, number)
    assert not has_ended or moment == "end"


def test_a_signal_to_all_processes_is_told_once(start: Callable[..., Batch]) -> None:
    batch = start()
    batch.wait(batch.workers)  # which are starting
    os.killpg(batch.process.pid, signal.SIGINT)
    assert_stops(batch, signal.SIGINT)  # and is sent it again, as `timeout` does


def test_a_run_under_nohup_goes_on(start: Callable[..., Batch], out: Path) -> None:
    batch = start(ignoring=(signal.SIGHUP,))
    batch.wait(lambda: committed(out))
    os.killpg(batch.process.pid, signal.SIGHUP)
    assert batch.end() == (0, "")


def test_a_run_whose_output_nobody_reads_ends_when_it_is_stopped(
    start: Callable[..., Batch],
) -> None:
    batch = start("-o", "-")
    assert batch.process.stdout is not None
    batch.process.stdout.peek(1)  # type: ignore[attr-defined]
    time.sleep(0.5)  # the pipe fills
    assert batch.process.poll() is None
    batch.process.send_signal(signal.SIGTERM)
    assert batch.process.wait(SOON) == STOPS[signal.SIGTERM]
    batch.end(SOON)


def test_a_worker_that_is_killed_costs_nothing(
    start: Callable[..., Batch], tiny: Tiny, dump: Path, out: Path
) -> None:
    write_dump(dump, 4_000)  # so much that it is not done when the worker is found
    batch = start("-o", out, "--log-format", "json")
    batch.wait(lambda: committed(out) and batch.workers())
    os.kill(batch.workers()[0], signal.SIGKILL)
    code, said = batch.end()
    *before, summary = map(json.loads, said.splitlines())
    assert (code, summary["event"]) == (0, "summary")
    notes = [line.get("note") for line in before]  # and lines of progress, on a slow machine
    assert "a worker process was killed (SIGKILL); what it was working on is done again" in notes
    assert out.read_bytes() == whole(tiny, dump)


def test_workers_that_are_killed_again_end_the_run_which_can_go_on(
    start: Callable[..., Batch], tiny: Tiny, dump: Path, out: Path
) -> None:
    batch = start()
    batch.wait(lambda: committed(out))
    batch.wait(batch.kill_workers)
    code, said = batch.end()
    assert code == 1
    assert said.startswith(f"error: {dump}:")
    assert said.endswith(
        ": a worker process was killed (SIGKILL) twice over the same records. "
        "Where memory is short, give fewer --jobs.\n"
    )
    assert said.count("\n") == 1
    assert committed(out)
    assert start().end() == (0, "")
    assert out.read_bytes() == whole(tiny, dump)


HOLDER = """
import ctypes, multiprocessing, sys, time
from topicml.batch.engines import processes

def hold(connection):
    processes._end_with_parent()
    connection.send("holding")
    ctypes.PyDLL(None).sleep(60)  # and no other thread runs

if __name__ == "__main__":
    ours, theirs = processes._SPAWN.Pipe()
    processes._SPAWN.Process(target=hold, args=(theirs,)).start()
    print(ours.recv(), flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread does it")
def test_a_worker_that_lets_no_other_thread_run_ends_with_its_parent(tmp_path: Path) -> None:
    (tmp_path / "holder.py").write_text(HOLDER)
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "holder.py")], stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"holding\n"
        parent.kill()
        parent.communicate(timeout=SOON)  # all that hold the pipe have ended


@pytest.mark.soak
@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_runs_killed_at_random_leave_nothing_and_go_on_to_the_same_bytes(
    start: Callable[..., Batch], tmp_path: Path, name: str
) -> None:
    """Parents and workers, by each signal, at any moment."""
    choice = random.Random(name)  # noqa: S311
    assert start("-o", tmp_path / f"whole.{name}").end()[0] == 0
    out, ends = tmp_path / name, []
    while len(ends) < 40:
        batch = start("-o", out, "--quiet")
        time.sleep(choice.uniform(0.0, 3.0))
        number = choice.choice([*STOPS, None])
        if number:
            batch.process.send_signal(number)
        else:
            batch.kill_workers()
        code, said = batch.end(SOON if number else 60)
        # Python itself tells of an interrupt until the command has its modules
        assert "Traceback" not in said or said.endswith("\nKeyboardInterrupt\n"), said
        ends.append(code)
        if code == 0 and out.exists():
            assert out.read_bytes() == (tmp_path / f"whole.{name}").read_bytes()
            out.unlink()
    assert {*ends} >= {0, -9, 129, 130, 143}
