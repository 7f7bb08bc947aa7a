"""Files that arrive in a folder, each once it is whole."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from topicml.io.records import Format
from topicml.io.sources import Listing, list_sources, status_of

_PIECE = 1 << 20


class Look(NamedTuple):
    """What of a file changes when it is written to, and when its permissions do."""

    size: int
    mtime_ns: int
    ctime_ns: int


class Folder:
    """A folder, looked at now and then.

    Args:
        path: Of the folder.
        input_format: Of all files; None where names and content say.
        follow_links: Whether links that leave it are followed.
        settle: Seconds that a file must not have been written to.
        apart: Files in it that are not read, as the output.
        apart_folder: Folder whose files are not read, as that of pages; None for none.
    """

    def __init__(
        self,
        path: str,
        *,
        input_format: Format | None,
        follow_links: bool,
        settle: float,
        apart: Iterable[Path],
        apart_folder: Path | None = None,
    ) -> None:
        self.path = path
        self._input_format = input_format
        self._follow_links = follow_links
        self._settle = settle
        self._apart = [os.fspath(each) for each in apart]
        self._apart_folder = apart_folder and os.fspath(apart_folder)
        self._since: dict[str, tuple[Look, float]] = {}

    def list(self) -> Listing:
        """Return what is in the folder and is read, whole or not."""
        listing = list_sources([self.path], self._input_format, follow_links=self._follow_links)
        apart = {_identity(path) for path in self._apart} - {None}
        pages = self._apart_folder and _identity(self._apart_folder)
        known: dict[str, bool] = {}

        def is_page(path: str) -> bool:
            folder = _folder_of(path)
            if folder not in known:
                known[folder] = _identity(folder) == pages
            return known[folder]

        listing.sources[:] = [
            source
            for source in listing.sources
            if source.path and _identity(source.path) not in apart
            if not (pages and is_page(source.path))
        ]
        return listing

    def is_whole(self, name: str, look: Look) -> bool:
        """Whether nothing has been written to a file for so long that it may be taken for whole.

        Its own time tells, as of one that was moved here. Where that is ahead of this machine's
        clock, it is how long it has been seen to stay as it is.
        """
        age = time.time() - look.mtime_ns / 1e9
        seen, since = self._since.get(name, (None, 0.0))
        now = time.monotonic()
        if seen != look:
            self._since[name] = look, now
            since = now
        if age >= self._settle or now - since >= self._settle:
            self._since.pop(name, None)
            return True
        return False


def _identity(path: str) -> tuple[int, int] | None:
    """Return what a file is, through whatever links; None where none is there."""
    status = status_of(path)
    return status and (status.st_dev, status.st_ino)


def _folder_of(path: str) -> str:
    """Return the folder that a file is in, or the one that a link leads to."""
    # Path is slow for many files
    return os.path.dirname(os.path.realpath(path) if os.path.islink(path) else path)  # noqa: PTH114, PTH120


def look_at(path: str) -> Look | None:
    """Return how a file is now; None where it is gone."""
    status = status_of(path)
    return status and Look(status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def sha256_of(path: str) -> str:
    """Return the SHA-256 of a file's bytes.

    Raises:
        OSError: It cannot be read.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:  # noqa: PTH123 - names may be any bytes
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
