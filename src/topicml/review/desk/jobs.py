"""Commands that take a while, as processes that outlive the server that began them.

A job holds the lock of its folder as long as one of its processes lives: the lock is handed down
to them open, so that any server of the project sees whether it runs, and nobody starts a second
one. What its commands say goes to files.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from topicml.errors import TopicmlError
from topicml.files import remove_folder, write_text, writing

Status = Literal["none", "running", "done", "failed", "cancelled"]

_STEP = re.compile(r"(?P<name>[^:]+): (?P<done>[\d,]+) of (?P<total>[\d,]+)")
_LINES = 200
_TRIES, _SECONDS_BETWEEN_TRIES = 5, 0.02
_ABOUT, _END, _CANCELLED, _RUN = "about.json", "end.json", "cancelled", "run"


class Progress(NamedTuple):
    """How far a job is, by the last line that says so."""

    name: str
    done: int
    total: int


class State(NamedTuple):
    """How a job stands.

    Attributes:
        status: ``none`` where there was never one.
        about: What its beginner wrote down.
        started: When, in seconds since 1970.
        command: Number of the command that runs, or ran last.
        codes: Exit codes of those that ended.
        lines: The last lines on standard error.
        progress: The last that was told of.
    """

    status: Status
    about: Mapping[str, Any] = {}
    started: float = 0.0
    command: int = 0
    codes: tuple[int, ...] = ()
    lines: tuple[str, ...] = ()
    progress: Progress | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self._asdict(), "progress": self.progress and self.progress._asdict()}


class Job:
    """One kind of long work of a project, of which one runs at a time.

    Args:
        folder: Its own.
        cwd: Where its commands run.
    """

    def __init__(self, folder: Path, cwd: Path) -> None:
        self._folder = folder
        self._run = folder / _RUN
        self._cwd = cwd

    def start(self, commands: Sequence[Sequence[str]], about: Mapping[str, Any]) -> None:
        """Begin ``topicml`` commands, one after the other until one fails.

        Args:
            commands: Arguments of each.
            about: Written down beside them.

        Raises:
            TopicmlError: One runs already.
            OutputError: The folder cannot be written to.
        """
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _take_soon(lock):
                raise TopicmlError(
                    "this runs already", where=self._folder.name, hint="Wait for it, or cancel it."
                )
            remove_folder(self._run)
            with writing(self._run):
                self._run.mkdir()
            started = {"about": about, "commands": commands, "started": time.time()}
            with (self._run / "child.err").open("wb") as errors:
                process = subprocess.Popen(  # noqa: S603 - our own command
                    [sys.executable, "-m", "topicml.review.desk.child", str(self._run), str(lock)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    cwd=self._cwd,
                    pass_fds=(lock,),
                    start_new_session=True,
                )
            write_text(self._run / _ABOUT, json.dumps({**started, "pid": process.pid}))
            if process.stdin:
                with process.stdin:
                    process.stdin.write(json.dumps(commands).encode())
        finally:
            os.close(lock)
        threading.Thread(target=process.wait, daemon=True).start()

    def state(self) -> State:
        """Return how the job stands, whoever began it."""
        written = read_object(self._run / _ABOUT)
        if written is None:
            return State("none")
        is_running = self._is_running()
        end = read_object(self._run / _END) or {}
        codes = tuple(end.get("codes", ()))
        status: Status = "failed"
        if is_running:
            status = "running"
        elif (self._run / _CANCELLED).exists():
            status = "cancelled"
        elif end.get("is_done"):
            status = "done"
        command = max(len(codes) - (0 if is_running else 1), 0)
        lines = self._lines(command)
        return State(
            *(status, written["about"], written["started"], command, codes, lines),
            _progress(lines),
        )

    def output(self, command: int) -> bytes:
        """Return what a command wrote to standard output; nothing where it has not begun."""
        path = self.output_path(command)
        return path.read_bytes() if path.is_file() else b""

    def output_path(self, command: int) -> Path:
        """Return where a command writes its standard output to."""
        return self._run / f"{command}.out"

    def cancel(self) -> None:
        """End the job, if it runs."""
        written = read_object(self._run / _ABOUT)
        if written and self._is_running():
            (self._run / _CANCELLED).touch()
            os.killpg(written["pid"], signal.SIGTERM)

    @property
    def _lock(self) -> Path:
        return self._folder / "lock"

    def _is_running(self) -> bool:
        try:
            lock = os.open(self._lock, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _take(lock, fcntl.LOCK_SH)
        finally:
            os.close(lock)

    def _lines(self, command: int) -> tuple[str, ...]:
        path = self._run / f"{command}.err"
        text = path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
        return tuple(text.splitlines()[-_LINES:])


def _take(lock: int, how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _take_soon(lock: int) -> bool:
    """Take a lock for oneself, be it looked at by others for a moment."""
    for _ in range(_TRIES):
        if _take(lock, fcntl.LOCK_EX):
            return True
        time.sleep(_SECONDS_BETWEEN_TRIES)
    return False


def read_object(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file; None where there is none."""
    try:
        fields = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return fields if isinstance(fields, dict) else None


def _progress(lines: Sequence[str]) -> Progress | None:
    for line in reversed(lines):
        if found := _STEP.match(line):
            done, total = (int(found[name].replace(",", "")) for name in ("done", "total"))
            return Progress(found["name"], done, total)
    return None
