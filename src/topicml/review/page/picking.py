"""Articles picked from folders of this machine that the page was started with, and no others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from topicml.errors import InputError
from topicml.review.desk.opening import files_in

_MOST = 5000


class Roots:
    """Folders to pick from.

    Args:
        folders: See above.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders

    @property
    def is_any(self) -> bool:
        """Whether there is a folder to pick from."""
        return bool(self._folders)

    def files(self) -> dict[str, Any]:
        """Return the files that can be opened, as they are now."""
        found = [path for folder in self._folders for path in files_in(folder)]
        return {"files": found[:_MOST], "more": max(len(found) - _MOST, 0)}

    def find(self, path: str) -> Path:
        """Return a file that is listed.

        Raises:
            InputError: It is none of them.
        """
        if any(path in files_in(folder) for folder in self._folders):
            return Path(path)
        raise InputError("not a file of the folders given", where=path[:200], hint="Load it anew.")
