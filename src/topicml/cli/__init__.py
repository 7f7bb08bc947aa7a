"""The ``topicml`` command: parses, calls the library, renders. Nothing is decided here."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
from typing import TYPE_CHECKING

from topicml.cli.app import make_app, needed_commands
from topicml.cli.exits import FAILURE
from topicml.errors import TopicmlError
from topicml.stopping import Stopped, heed_signals, leave_signals
from topicml.text.normalise import printable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_EXIT_NO_READER = 128 + signal.SIGPIPE  # what a shell says of a program that the signal ends
_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)


def main() -> None:
    """Run the command; an expected failure ends in one clean line and exit code 1."""
    heed_signals()
    _replace_closed_streams()
    _spare_standard_error()
    try:
        _run()
    except TopicmlError as err:
        sys.stderr.write(f"error: {printable(str(err))}\n")
        sys.exit(FAILURE)
    except Stopped as stopped:
        _drop_output()
        sys.stderr.write(f"error: {stopped}\n")
        sys.exit(stopped.exit_code)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        _drop_output()
        sys.exit(_EXIT_NO_READER)
    except OSError as err:
        if err.errno not in _OUTPUT_ERRORS:
            raise
        _drop_output()
        sys.stderr.write(f"error: the output cannot be written ({err.strerror})\n")
        sys.exit(FAILURE)
    finally:
        leave_signals()


def _run() -> None:
    try:
        make_app(needed_commands(sys.argv[1:]))()
    except SystemExit as err:
        if isinstance(err.__context__, BrokenPipeError):  # typer and rich make exits of these
            raise err.__context__ from None
        if sys.stdout:
            sys.stdout.flush()  # here, where a failure can be told
        raise


def _replace_closed_streams() -> None:
    """Read nothing from a standard input that was closed; let writing to such an output fail.

    Python has None for them, and their numbers would be given to the next files opened.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY))
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _spare_standard_error() -> None:
    """Let what standard error does not take be dropped."""
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_Dropping(sys.stderr.fileno(), "w", closefd=False)),
        *(sys.stderr.encoding, sys.stderr.errors),
        line_buffering=True,
    )


class _Dropping(io.FileIO):
    """Takes all that is written, and drops what cannot be: telling of a run must not end it."""

    def write(self, data: ReadableBuffer) -> int:
        with contextlib.suppress(OSError):
            if written := super().write(data):
                return written
        return memoryview(data).nbytes


def _drop_output() -> None:
    """Let what is still to be written to standard output go nowhere."""
    if sys.stdout:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
