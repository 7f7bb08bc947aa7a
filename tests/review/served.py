"""The real command ``topicml review``, in a process of its own, that can be killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Served:
    """A running page.

    Attributes:
        link: Opens it.
        port: It keeps it when it is started again.
    """

    def __init__(self, project: Path, *arguments: str) -> None:
        self.project = project
        self._arguments = arguments
        self.port = _free_port()
        self.start()

    def start(self) -> None:
        command = ["-m", "topicml", "review", "--no-browser", f"--port={self.port}"]
        self._process = subprocess.Popen(
            [sys.executable, *command, *self._arguments],
            cwd=self.project,
            stdout=subprocess.PIPE,
            stderr=(self.project / "review.err").open("ab"),
            env={**os.environ, "COLUMNS": "120"},
        )
        assert self._process.stdout is not None
        self.link = self._process.stdout.readline().decode().strip()
        assert self.link.startswith("http://"), (self.project / "review.err").read_text()

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(30)


@contextmanager
def serving(project: Path, *arguments: str) -> Iterator[Served]:
    served = Served(project, *arguments)
    try:
        yield served
    finally:
        served.kill()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
