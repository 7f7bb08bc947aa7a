"""A worker in a process of its own, which does not outlive the process that started it."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection

from topicml.batch.job import Job
from topicml.batch.opened import open_proven_models
from topicml.batch.worker import BlockWorker, Result
from topicml.io.blocks import Block
from topicml.stopping import STOP_SIGNALS

_SPAWN = multiprocessing.get_context("spawn")
_PR_SET_PDEATHSIG = 1  # of prctl(2)


class WorkerEndedError(Exception):
    """A worker process ended before it was done with a block, as when memory is short."""

    def __init__(self, exit_code: int | None) -> None:
        if exit_code is not None and exit_code < 0:
            how = f"was killed ({signal.Signals(-exit_code).name})"
        else:
            how = f"ended by itself (exit code {exit_code})"
        super().__init__(f"a worker process {how}")


class WorkerProcess:
    """Works on one block at a time. A thread that starts one must live as long as it does.

    Args:
        job: What to do.
    """

    def __init__(self, job: Job) -> None:
        self._connection, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, job), daemon=True)
        with theirs, _stop_signals_blocked():
            self._process.start()

    def __call__(self, block: Block) -> Result:
        """Work on a block.

        Raises:
            WorkerEndedError: The process ended meanwhile.
            TopicmlError: What ``BlockWorker`` raised there.
        """
        try:
            self._connection.send(block)
            outcome: Result | Exception = self._connection.recv()
        except (EOFError, OSError):
            self._process.join()
            raise WorkerEndedError(self._process.exitcode) from None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def is_alive(self) -> bool:
        """Whether the process can be given another block."""
        return self._process.is_alive()

    def kill(self) -> None:
        """End the process, whatever it is in: nothing is lost with it."""
        self._process.kill()
        self._process.join()


@contextlib.contextmanager
def _stop_signals_blocked() -> Iterator[None]:
    """Keep signals that go to all processes of a terminal from those started in here.

    The process that started them is told, too, and says when to stop.
    """
    resource_tracker.ensure_running()  # to start it would unblock them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Connection, job: Job) -> None:
    """Work on blocks until there are no more."""
    _end_with_parent()
    worker = None
    with contextlib.suppress(EOFError, OSError):  # nobody is there any more
        while True:
            block = connection.recv()
            try:
                worker = worker or BlockWorker(job, open_proven_models(job))
                outcome: Result | Exception = worker(block)
            except Exception as err:  # noqa: BLE001 - it is raised where the run can tell of it
                err.add_note(traceback.format_exc())
                outcome = err
            connection.send(outcome)


def _end_with_parent() -> None:
    """End this process when its parent does, however that ends.

    A thread that waits for it must get hold of the interpreter, which compiled code may keep for
    long; where the system can, it kills this process itself.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
    os._exit(1)
