"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from topicml.errors import OutputError


@contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """Open a UTF-8 text file beside ``path`` that takes its place when all went well.

    Until then what stood there stays, so a file may even be written from its own content.
    What is no regular file, as a pipe or a device, is written to as it is.

    Raises:
        OutputError: The folder is missing or not writable, or the disk is full.
    """
    path = path.resolve()  # a link stays a link, and its target is replaced
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("w", encoding="utf-8", newline="") as device:  # a pipe, /dev/stdout
            yield device
        return
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as err:
        raise _output_error(path, err) from err
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
        temporary.chmod(new_file_mode())
        temporary.replace(path)
    except OSError as err:
        raise _output_error(path, err) from err
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a whole text in one step; see ``replacing``."""
    with replacing(path) as file:
        file.write(text)


def _output_error(path: Path, err: OSError) -> OutputError:
    what = f"cannot be written ({err.strerror or err})"
    return OutputError(what, where=path, hint="Check the folder, its permissions and the disk.")


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
