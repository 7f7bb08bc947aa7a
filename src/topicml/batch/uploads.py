"""Outputs that become objects: made as files of this machine, and sent once they are whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from topicml.errors import OutputError
from topicml.files import remove_folder
from topicml.io.remote import check_output, check_writable, remove, show_address, upload
from topicml.io.sources import Source


class Uploads:
    """Where finished files go: to their names, or, some of them, to object storage.

    Args:
        addresses: Of the objects that files become, by the names that these have here.
    """

    def __init__(self, addresses: Mapping[Path, str]) -> None:
        self._addresses = addresses

    def check(self, sources: Sequence[Source], *, force: bool) -> None:
        """Make sure that no object is lost to one that is written.

        Args:
            sources: What is read.
            force: Whether objects that are there may be replaced.

        Raises:
            OutputError: One is an input, or there already, or cannot be written.
            RemoteError: One cannot be reached.
        """
        read = {source.remote.address for source in sources if source.remote}
        for address in self._addresses.values():
            check_writable(address)
            if address in read:
                raise OutputError(
                    "is one of the inputs",
                    where=show_address(address),
                    hint="Give the output a name of its own.",
                )
            check_output(address, force=force)

    def shown(self, path: Path) -> str:
        """Return where a file ends up."""
        return self._addresses.get(path, str(path))

    def place(self, made: Path, path: Path) -> None:
        """Put a finished file in its place.

        Args:
            made: The file, or a folder that is an output.
            path: Its name.

        Raises:
            RemoteError: An object cannot be written; the file stays.
        """
        if path in self._addresses:
            upload(made, self._addresses[path])
            made.unlink()
        else:
            remove_folder(path)
            made.replace(path)

    def send(self, path: Path | None) -> None:
        """Make an object of a file that has its name already, if it is to be one; see ``place``."""
        if path and path in self._addresses:
            self.place(path, path)

    def remove(self, path: Path) -> None:
        """Remove what an earlier run left in a place, if anything.

        Raises:
            RemoteError: An object cannot be removed.
        """
        if path in self._addresses:
            remove(self._addresses[path])
        else:
            path.unlink(missing_ok=True)
