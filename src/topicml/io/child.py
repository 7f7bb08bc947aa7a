"""A child process for parsers in C, which nothing can interrupt but a kill.

It is started when it is first needed, used again for every record, replaced where it was killed,
and ends with this process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from topicml.errors import RecordError
from topicml.stopping import check_stopped

MOST_MEMORY = 240_000_000
"""Resident bytes beyond which the child is killed, where a call does not name others."""

_TO_BE_KEPT = 100_000_000  # bytes beyond which it is replaced, for it gives few of them back
_WATCH_SECONDS = 0.02
_START_SECONDS = 60.0
_PACKAGE = str(Path(__file__).parents[1])
_START = (  # with a bare package, for the real one imports all that tags
    "import sys, types\n"
    "package = sys.modules['topicml'] = types.ModuleType('topicml')\n"
    "package.__path__ = [sys.argv[1]]\n"
    "from topicml.io.child import serve\n"
    "serve(int(sys.argv[2]))\n"
)

_Answer = TypeVar("_Answer")


class ChildError(Exception):
    """The child ended while it was working."""


class _OutOfMemoryError(ChildError):
    """The child was killed for its memory."""


class _Limits(NamedTuple):
    """What a call may take: seconds, and resident bytes of the child."""

    seconds: float
    memory: int = MOST_MEMORY


def call(
    function: Callable[..., _Answer],
    *arguments: object,
    seconds: float,
    prepare: Callable[[], None],
    memory: int = MOST_MEMORY,
) -> _Answer:
    """Call a function in the child; any thread may, one at a time.

    Where the child ends, the call is made once more in a new one, unless it was new: what becomes
    of a record must not depend on those before it.

    Args:
        function: Of a module, as ``pickle`` finds it.
        arguments: Its arguments.
        seconds: What it may take.
        prepare: Called before it in each new child, at no cost to ``seconds``.
        memory: Resident bytes that the child may have.

    Raises:
        RecordError: It took too long (``too_slow``) or too much memory (``out_of_memory``).
        ChildError: It ended the child.
        Exception: What the function raises.
    """
    try:
        with _lock:
            return _call(function, arguments, _Limits(seconds, memory), prepare)
    except _OutOfMemoryError as err:
        detail = f"reading it took more than {memory // 1_000_000} MB of memory"
        raise RecordError("out_of_memory", detail) from err


def _call(
    function: Callable[..., _Answer],
    arguments: tuple[object, ...],
    limits: _Limits,
    prepare: Callable[[], None],
) -> _Answer:
    child = _prepared(prepare)
    was_new, child.is_new = child.is_new, False
    try:
        answer: _Answer = child.ask(function, arguments, limits)
    except ChildError:
        if was_new:
            raise
        answer = _prepared(prepare).ask(function, arguments, limits)
    return answer


def ensure(prepare: Callable[[], None]) -> None:
    """Have a child that is prepared, started where there is none.

    Raises:
        Exception: What ``prepare`` raises.
    """
    with _lock:
        _prepared(prepare)


def close() -> None:
    """End the child, if there is one."""
    global _child
    with _lock:
        if _child:
            _child.kill()
        _child = None


class _Child:
    """One child process.

    Attributes:
        is_new: Whether it has not worked on anything yet.
        is_alive: Whether it can be asked.
        prepared: What it was prepared by.
    """

    def __init__(self) -> None:
        self.is_new = self.is_alive = True
        self.prepared: set[Callable[[], None]] = set()
        self._connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this very Python
                [sys.executable, "-P", "-c", _START, _PACKAGE, str(theirs.fileno())],
                stdin=subprocess.PIPE,  # written to by nobody: where it closes, the child ends
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sys.path))},
                start_new_session=True,  # an interrupt from the keyboard is for this process
            )

    def ask(
        self, function: Callable[..., Any], arguments: tuple[object, ...], limits: _Limits
    ) -> Any:
        """Return what a function returns, or raise what it raises.

        Raises:
            RecordError: It took too long.
            ChildError: The child ended.
        """
        try:
            self._connection.send((function, arguments))
            self._wait(limits)
            is_returned, outcome = self._connection.recv()
        except (EOFError, ConnectionError) as err:
            self.kill()
            raise ChildError(f"its process ended, {self._end()}") from err
        except BaseException:  # whatever it was, the answer must not be taken for another one
            self.kill()
            raise
        if self._memory() > _TO_BE_KEPT:
            self.kill()
        if not is_returned:
            raise outcome
        return outcome

    def _wait(self, limits: _Limits) -> None:
        deadline = time.monotonic() + limits.seconds
        while not self._connection.poll(_WATCH_SECONDS):
            check_stopped()
            if time.monotonic() >= deadline:
                detail = f"reading it took more than {limits.seconds:g} s"
                raise RecordError("too_slow", detail)
            if self._memory() > limits.memory:
                raise _OutOfMemoryError

    def _memory(self) -> int:
        """Return how many bytes are resident; 0 where no ``/proc`` says so."""
        try:
            pages = Path(f"/proc/{self._process.pid}/statm").read_bytes().split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * resource.getpagesize()

    def _end(self) -> str:
        code = self._process.returncode
        return f"exit code {code}" if code >= 0 else f"signal {-code}"

    def kill(self) -> None:
        """End it at once; what it works on is lost."""
        self.is_alive = False
        self.leave()
        self._process.kill()
        self._process.wait()

    def leave(self) -> None:
        """Close what leads to it."""
        self._connection.close()
        if self._process.stdin:
            self._process.stdin.close()


_child: _Child | None = None
_lock = threading.Lock()


def _prepared(prepare: Callable[[], None]) -> _Child:
    global _child
    if not _child or not _child.is_alive:
        _child = _Child()
    if prepare not in _child.prepared:
        _child.ask(prepare, (), _Limits(_START_SECONDS))
        _child.prepared.add(prepare)
    return _child


def _forget() -> None:
    """Leave the child to the process that this one was forked from."""
    global _child, _lock
    if _child:
        _child.leave()
    _child, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)


def serve(descriptor: int) -> None:
    """Answer calls that come over a socket, in the child, until nobody is there to call."""
    end_with(sys.stdin.fileno())
    connection = Connection(descriptor)
    try:
        while True:
            connection.send(_outcome(*connection.recv()))
    except (EOFError, ConnectionError):
        return


def _outcome(function: Callable[..., Any], arguments: tuple[object, ...]) -> tuple[bool, Any]:
    try:
        return True, function(*arguments)
    except Exception as err:  # noqa: BLE001 - raised where the call came from
        return False, err


def end_with(pipe: int) -> None:
    """Have this process end where the other end of a pipe closes, whatever it works on then.

    The kernel sends SIGIO, which ends a process that does not handle it on Linux (elsewhere it is
    ignored, and the process ends when it next reads from whoever started it).
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([pipe], [], [], 0)[0]:  # it closed before that, of which no signal tells
        os._exit(1)
