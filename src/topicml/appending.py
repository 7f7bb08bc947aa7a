"""Lines appended to a file by several processes: on disk when the call returns, and whole.

Beside the file lie ``FILE.lock``, which a writer holds, and ``FILE.torn`` with what killed
writers left behind their last whole line. Such bytes were never acknowledged; they are kept
since a hand may have written them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from filelock import FileLock, Timeout

from topicml.errors import OutputError
from topicml.files import beside, sync_folder, target_of, writing

_PATIENCE = 60.0
_POLL = 0.005
"""Seconds: an append takes about as long."""


def append_lines(path: Path, lines: bytes) -> None:
    """Append whole lines to a file, made where it is not there, and wait until they are on disk.

    Raises:
        OutputError: The file cannot be written; nothing was added then.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path), writing(path), _opened(path) as file:
        _mend(file, path)
        before = file.seek(0, os.SEEK_END)
        try:
            _write(file, lines)
        except BaseException:
            file.truncate(before)
            raise
        if not before:
            sync_folder(path.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other writers of a file waiting.

    Raises:
        OutputError: Another one holds it for too long, or the folder cannot be written.
    """
    lock = FileLock(beside(target_of(path), ".lock"))  # one lock for all links to it
    with writing(path):
        try:
            lock.acquire(timeout=_PATIENCE, poll_interval=_POLL)
        except Timeout as err:
            raise OutputError(
                f"another process has been writing for {_PATIENCE:.0f} seconds",
                where=path,
                hint="Wait for it, or end it.",
            ) from err
    try:
        yield
    finally:
        lock.release()


def whole_lines(data: bytes) -> bytes:
    """Return a file's content without a last line that is torn.

    A whole object that lacks nothing but its line end is kept: no beginning of one is one.
    """
    lines, end, last = data.rpartition(b"\n")
    return data if _is_object(last) else lines + end


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _opened(path: Path) -> BinaryIO:
    return cast("BinaryIO", path.open("a+b", buffering=0))


def _mend(file: BinaryIO, path: Path) -> None:
    """Let a file end in a whole line."""
    if not file.seek(0, os.SEEK_END):
        return
    file.seek(-1, os.SEEK_END)
    if file.read(1) == b"\n":
        return
    file.seek(0)
    data = file.read()
    whole = whole_lines(data)
    if whole == data:
        _write(file, b"\n")
        return
    with _opened(beside(path, ".torn")) as torn:
        _write(torn, data[len(whole) :] + b"\n")
    file.truncate(len(whole))


def _write(file: BinaryIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
    os.fsync(file.fileno())
