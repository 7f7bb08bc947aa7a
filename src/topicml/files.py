"""Files that appear whole or not at all, and never in place of what must stay."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from topicml.errors import OutputError

REPLACE = "Replace it with --force."
"""What to do about an output that is there."""

_OTHER_NAME = "Give the output a name of its own."
_NO_OPTIONS: Mapping[Path, str] = {}


def check_outputs(paths: Sequence[Path], inputs: Iterable[str | Path], *, force: bool) -> None:
    """Make sure that files can be written without loss of another.

    Args:
        paths: The files to write.
        inputs: Files that are read.
        force: Whether files that are there may be replaced.

    Raises:
        OutputError: One is an input, another of them, a folder, or there already.
    """
    check_apart(paths, inputs)
    check_new(paths, force=force)


def check_apart(
    paths: Sequence[Path],
    inputs: Iterable[str | Path],
    options: Mapping[Path, str] = _NO_OPTIONS,
) -> None:
    """Make sure that no file is read and written, or written twice, through whatever links.

    Args:
        paths: The files to write.
        inputs: Files that are read.
        options: What named those of ``paths`` that are not the output; they come first.

    Raises:
        OutputError: One is.
    """

    def other_name(path: Path) -> str:
        return f"Give {options[path]} another file." if path in options else _OTHER_NAME

    written: dict[object, Path] = {}
    for path in paths:
        if (key := _identity(path)) in written:
            raise OutputError("is written twice", where=path, hint=other_name(written[key]))
        if key:
            written[key] = path
    for given in inputs:
        if path_read := written.get(_identity(given)):
            raise OutputError("is one of the inputs", where=path_read, hint=other_name(path_read))


def check_new(paths: Iterable[Path], *, force: bool) -> None:
    """Make sure that files are not there, or may be replaced; devices are written to as they are.

    Raises:
        OutputError: One is a folder, or there already without ``force``.
    """
    for path in paths:
        with writing(path):
            if path.is_dir():
                raise OutputError("is a folder", where=path, hint=_OTHER_NAME)
            if path.is_file() and not force:
                raise OutputError("exists already", where=path, hint=REPLACE)
            if target_of(path).is_symlink() and not is_device(path):
                raise OutputError("is a link that leads to itself", where=path, hint=_OTHER_NAME)


def check_outside(folder: Path, files: Iterable[str | Path]) -> None:
    """Make sure that no file lies in a folder that is to be replaced.

    Raises:
        OutputError: One does.
    """
    inside = os.path.join(os.path.realpath(folder), "")  # noqa: PTH118
    for file in files:
        if os.path.realpath(file).startswith(inside):
            raise OutputError(f"lies in {folder}, which is written", where=file, hint=_OTHER_NAME)


def _identity(path: str | Path) -> object:
    """Return what tells a file from all others, be it there or not.

    None is returned for what several may use at once, as a terminal and /dev/null.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - Path is slow for a million files
    except (OSError, ValueError):
        return os.path.realpath(path)
    if stat.S_ISCHR(status.st_mode) or stat.S_ISSOCK(status.st_mode):
        return None
    return status.st_dev, status.st_ino


def path_of(stream: BinaryIO) -> list[Path]:
    """Return the path that an open stream has while it is open; none where it is in memory."""
    with suppress(OSError, ValueError):
        return [Path(f"/dev/fd/{stream.fileno()}")]
    return []


def is_device(path: Path) -> bool:
    """Whether what is there is no file or folder: it is written to, and never replaced."""
    with suppress(OSError, ValueError):
        mode = path.stat().st_mode
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    return False


def target_of(path: Path) -> Path:
    """Return where a link leads, be anything there or not; all else is returned as it is."""
    with suppress(OSError):  # a name that is too long is told of where it is opened
        if not is_device(path) and path.is_symlink():
            return Path(os.path.realpath(path))
    return path


def open_stream(path: Path) -> BinaryIO:
    """Open a file, pipe, device or socket to be written to as it is, from its start."""
    if not path.is_socket():
        return path.open("wb")
    import socket

    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.fspath(path))
        return connection.makefile("wb")  # keeps it open


_CHECK = "Check the folder, its permissions and the disk."


@contextmanager
def replacing(path: Path, hint: str = _CHECK) -> Iterator[BinaryIO]:
    """Open a file beside ``path`` that takes its place when all went well.

    Until then what stood there stays. What is no regular file, as a pipe or a device, is
    written to as it is.

    Raises:
        OutputError: The folder is missing or not writable, or the disk is full.
    """
    path = target_of(path)  # a link stays a link, and its target is replaced
    if is_device(path):
        with writing(path, hint), open_stream(path) as device:
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


def sync_folder(folder: Path) -> None:
    """Wait until the names of new files in a folder are on disk, too."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it, if one is there."""
    if path.is_dir() and not path.is_symlink():
        import shutil  # takes long to import

        shutil.rmtree(path)


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
