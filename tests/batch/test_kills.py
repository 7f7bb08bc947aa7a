"""Runs over every format that are killed at random moments, and go on to the same bytes.

How many kills and records there are, and the seed, are taken from the environment; `-s` shows
what was done.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from conftest import ROOT
from formats import FILES, FOLDERS, articles, expected, write_input
from processes import marked

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc"),
]

SEED = os.environ.get("TOPICML_SOAK_SEED", "1")
RECORDS = int(os.environ.get("TOPICML_SOAK_RECORDS", "2000"))
KILLS = int(os.environ.get("TOPICML_SOAK_KILLS", "105"))  # of all formats together
INPUTS = [*FILES, *FOLDERS]
OUTPUTS = ["jsonl", "csv", "parquet", "jsonl.gz", "json", "jsonl.zst"]
SOONEST = 0.3  # seconds after which a run is killed
SOON = 5.0  # seconds in which nothing is left of a run; it takes two on a machine that is idle
DONE = {0, 3}
# a run that is killed before it heeds signals ends as the system has it
STOPPED = {
    signal.SIGKILL: {-signal.SIGKILL},
    signal.SIGHUP: {129, -signal.SIGHUP},
    signal.SIGTERM: {143, -signal.SIGTERM},
}
TIMED = {"output", "ended", "seconds", "megabytes_per_second"}


class Folder:
    """An input, files that are nobody's business, and what runs make of it beside them."""

    def __init__(self, folder: Path, source: str, output: str) -> None:
        self.folder = folder / "news"
        self.temporary = folder / "tmp"
        self.whole = folder / f"whole.{output}"
        self.out = self.folder / f"out.{output}"
        self.folder.mkdir()
        self.temporary.mkdir()
        self.input = write_input(self.folder, source, articles(RECORDS))
        for name in ("other.part", "out.rejects.jsonl", ".hidden", "rejects.jsonl.checkpoint"):
            (self.folder / name).write_text(name)
        self.before = self._others()
        self.longest = 0.0  # that anything was left of a run
        self._mark = f"TOPICML_TEST={uuid4()}"

    def start(self, out: Path, jobs: int) -> subprocess.Popen[bytes]:
        name, _, value = self._mark.partition("=")
        command = ["batch", self.input, "-o", out, "--jobs", str(jobs), "--quiet"]
        return subprocess.Popen(
            [sys.executable, "-m", "topicml", *command],
            env={**os.environ, name: value, "TMPDIR": str(self.temporary)},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            cwd=ROOT,
        )

    def workers(self) -> list[int]:
        return [pid for pid, line in marked(self._mark).items() if "spawn_main" in line]

    def end(self, run: subprocess.Popen[bytes]) -> tuple[int, str]:
        """Return a run's exit code and what it said; make sure that nothing is left of it."""
        said = run.communicate(timeout=300)[1].decode()
        ended = time.monotonic()
        while left := marked(self._mark):
            assert time.monotonic() - ended < SOON, left
            time.sleep(0.05)
        self.longest = max(self.longest, time.monotonic() - ended)
        return run.returncode, said

    def kill_all(self) -> None:
        for pid in marked(self._mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def is_unfinished(self) -> bool:
        return beside(self.out, ".checkpoint").exists()

    def check(self) -> None:
        """Make sure that all is there that an undisturbed run makes, and nothing else is."""
        assert self.out.read_bytes() == self.whole.read_bytes()
        for suffix in (".rejects.jsonl", ".summary.json"):
            ours, theirs = beside(self.out, suffix), beside(self.whole, suffix)
            if suffix == ".summary.json":
                summary = figures(ours)
                assert summary == figures(theirs)
                parts = summary["written"] + summary["rejected"], *summary["skipped"].values()
                assert summary["records"] == sum(parts)
            else:
                assert ours.read_bytes() == theirs.read_bytes()
        assert self._others() == self.before
        assert not list(self.temporary.iterdir())

    def clear(self) -> None:
        for path in self._own():
            path.unlink(missing_ok=True)

    def _own(self) -> list[Path]:
        return [self.out, *(beside(self.out, s) for s in (".rejects.jsonl", ".summary.json"))]

    def _others(self) -> dict[Path, tuple[str, int]]:
        """Return what is in the folder besides what a run that is done leaves there."""
        return {
            path: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
            for path in self.folder.rglob("*")
            if path.is_file() and path not in self._own()
        }


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def figures(path: Path) -> dict[str, Any]:
    summary = json.loads(path.read_text(encoding="utf-8"))
    return {name: value for name, value in summary.items() if name not in TIMED}


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Folder]:
    number = INPUTS.index(request.param)
    made = Folder(tmp_path, request.param, OUTPUTS[number % len(OUTPUTS)])
    yield made
    made.kill_all()


def kill(
    folder: Folder, run: subprocess.Popen[bytes], number: signal.Signals, is_parent: bool
) -> bool:
    """Kill a run, or one of its workers once it has some; return whether there was one."""
    if is_parent:
        run.send_signal(number)
        return run.poll() is None or run.returncode not in DONE
    while not (workers := folder.workers()):
        if run.poll() is not None:
            return False
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.kill(workers[-1], number)
        return True
    return False


@pytest.mark.parametrize(("folder", "name"), [(name, name) for name in INPUTS], indirect=["folder"])
def test_a_run_that_is_killed_goes_on_to_the_same_bytes(folder: Folder, name: str) -> None:
    choice = random.Random(f"{SEED} {name}")  # noqa: S311
    started = time.monotonic()
    assert folder.end(folder.start(folder.whole, jobs=1)) == (3, "")
    full = time.monotonic() - started
    assert figures(beside(folder.whole, ".summary.json"))["records"] == expected(name, RECORDS)
    done: Counter[str] = Counter()
    runs = 0
    while sum(done.values()) < -(-KILLS // len(INPUTS)):
        number = choice.choice([*STOPPED])
        is_parent = choice.random() < 0.7
        runs += 1
        run = folder.start(folder.out, jobs=2)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(choice.uniform(SOONEST, full))
        was_killed = kill(folder, run, number, is_parent)
        code, said = folder.end(run)
        assert "Traceback" not in said, said
        if was_killed:
            done[f"{'parent' if is_parent else 'worker'} {number.name}"] += 1
        if code in DONE:
            folder.check()
            folder.clear()
        else:
            assert is_parent, said
            assert code in STOPPED[number], said
            if folder.out.exists() and not folder.is_unfinished():
                folder.check()  # all was done, and the process about to end
                folder.clear()
    assert folder.end(folder.start(folder.out, jobs=2)) == (3, "")
    folder.check()
    told = {"input": name, "output": folder.out.name, "seed": SEED, "runs": runs, **done}
    print(json.dumps({**told, "seconds": round(full, 1), "left": round(folder.longest, 2)}))  # noqa: T201
