"""Files that appear whole or not at all, and never in place of what must stay."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from topicml.errors import OutputError

_OTHER_NAME = "Give the output a name of its own."


def check_output(path: Path, inputs: Iterable[str | Path], *, force: bool) -> None:
    """Make sure that a file can be written without loss of another.

    Args:
        path: The file to write.
        inputs: Files that are read, which it must not be, through whatever links.
        force: Whether a file that is there may be replaced.

    Raises:
        OutputError: It is an input, a folder, or there already.
    """
    check_not_input(path, inputs)
    if path.is_dir():
        raise OutputError("is a folder", where=path, hint=_OTHER_NAME)
    if path.is_file() and not force:
        raise OutputError("exists already", where=path, hint="Replace it with --force.")


def check_not_input(path: Path, inputs: Iterable[str | Path]) -> None:
    """Raise an ``OutputError`` where a file to write is one of those that are read."""
    if any(is_same_file(path, Path(given)) for given in inputs):
        raise OutputError("is one of the inputs", where=path, hint=_OTHER_NAME)


def is_device(path: Path) -> bool:
    """Whether what is there is no file or folder: it is written to, and never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def is_same_file(first: Path, second: Path) -> bool:
    """Whether two paths lead to one file, by device and inode."""
    with suppress(OSError, ValueError):  # one of them is not there
        return first.samefile(second)
    return False


_CHECK = "Check the folder, its permissions and the disk."


@contextmanager
def replacing(path: Path, hint: str = _CHECK) -> Iterator[BinaryIO]:
    """Open a file beside ``path`` that takes its place when all went well.

    Until then what stood there stays. What is no regular file, as a pipe or a device, is
    written to as it is.

    Raises:
        OutputError: The folder is missing or not writable, or the disk is full.
    """
    path = path.resolve()  # a link stays a link, and its target is replaced
    if is_device(path):
        with writing(path, hint), path.open("wb") as device:  # a pipe, /dev/stdout
            yield device
        return
    import tempfile  # takes longer to import than the rest of this package's start

    with writing(path, hint):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
            temporary.chmod(new_file_mode())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path, hint: str = _CHECK) -> Iterator[None]:
    """Say of a path that it cannot be written where the system says so.

    Raises:
        OutputError: The folder is missing or not writable, or the disk is full.
        BrokenPipeError: It is a pipe that nobody reads any more.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as err:
        what = f"cannot be written ({err.strerror or err})"
        raise OutputError(what, where=path, hint=hint) from err


def write_text(path: Path, text: str) -> None:
    """Write a whole text as UTF-8 in one step; see ``replacing``."""
    with replacing(path) as file:
        file.write(text.encode("utf-8"))


def new_file_mode() -> int:
    """Return the permissions of a file that is made in the ordinary way.

    A temporary file has fewer, and gets these before it takes its place.
    """
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def beside(path: Path, suffix: str) -> Path:
    """Return the path of a file's companion: its whole name, and a suffix behind."""
    return path.with_name(path.name + suffix)
