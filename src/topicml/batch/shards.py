"""An output of many shards: a folder of files that many processes write, whole or not at all.

While a run goes on, all lies in ``OUT.part``. A shard is written beside and renamed, under a
name that says where in the input it is from: so one that is written twice, since a machine was
lost, is there once, and the names sort as the input does.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from topicml.errors import InputError, OutputError
from topicml.files import REPLACE, beside, check_outside, is_device, replacing, target_of, writing
from topicml.io.writers.writer import Writer

_PREFIX = "part-"
_SHARED = "Check the folder and the disk; all machines of the cluster must see it."


def check_own(folder: Path, is_own: Callable[[Path], bool]) -> None:
    """Make sure that a folder, if there is one, holds nothing but what a run made.

    Raises:
        InputError: It does.
    """
    if folder.is_dir() and not all(map(is_own, _list(folder))):
        raise InputError(
            "a folder with other files than shards", where=folder, hint="Give another output."
        )


class Shards:
    """The folders of a run in the making.

    Args:
        output: The folder that is to be made; no link.
        rejects: The file for rejected records.
    """

    def __init__(self, output: Path, rejects: Path) -> None:
        self.output = output
        self._rejects = target_of(rejects)
        self._work = beside(output, ".part")
        self._made = self._work / "records"
        self._rejected = self._work / "rejects"
        self._suffix = "".join(output.suffixes[-2:])  # .jsonl.gz; a name is checked elsewhere

    def start(self, inputs: Iterable[str | Path] = (), *, force: bool) -> None:
        """Make the folders.

        Args:
            inputs: Files that are read.
            force: Whether what is there may be replaced.

        Raises:
            InputError: Something is there already, and it is not to be replaced, or holds
                more than shards.
            OutputError: They cannot be made, or a file that is used lies in one of them.
        """
        if is_device(self.output):
            raise OutputError(
                "is a device, where a cluster makes a folder",
                where=self.output,
                hint="Give another output.",
            )
        if self.output.exists() and not force:
            raise InputError("exists already", where=self.output, hint=REPLACE)
        if self._work.exists() and not force:
            raise InputError(
                "another run is writing this output, or was cut off",
                where=self._work,
                hint="Start over with --force, or give another output.",
            )
        for folder, is_own in ((self.output, _is_shard), (self._work, self._is_work)):
            check_own(folder, is_own)
            check_outside(folder, [self._rejects, *inputs])
        with writing(self._work, _SHARED):
            if self._work.exists():
                shutil.rmtree(self._work)
            self._made.mkdir(parents=True)
            self._rejected.mkdir()

    def _is_work(self, path: Path) -> bool:
        return path in (self._made, self._rejected)

    def discard(self) -> None:
        """Remove what is unfinished."""
        shutil.rmtree(self._work, ignore_errors=True)

    def write(self, place: str, pieces: Sequence[bytes], rejects: bytes, writer: Writer) -> None:
        """Write a shard, and its rejects; nothing where there are none.

        Args:
            place: Where in the input it is from, as a name that sorts.
            pieces: See ``Writer.encode``.
            rejects: Lines of the rejects file.
            writer: Made the pieces.

        Raises:
            OutputError: The disk is full, or the folder is not to be seen from here.
        """
        if any(pieces):
            self._write_records(place, pieces, writer)
        if rejects:
            with replacing(self._rejected / place, _SHARED) as file:
                file.write(rejects)

    def _write_records(self, place: str, pieces: Sequence[bytes], writer: Writer) -> None:
        with replacing(self._made / self._name(place), _SHARED) as file:
            writer.write(pieces, file)

    def _name(self, place: str) -> str:
        return f"{_PREFIX}{place}{self._suffix}"

    def finish(self, places: Iterable[str], rejected: Iterable[str], writer: Writer) -> None:
        """Put all in its place.

        Args:
            places: Those of which a shard was written.
            rejected: Those of which rejects were.
            writer: Made the pieces.

        Raises:
            OutputError: Not all that was written can be seen from here.
        """
        names = {self._name(place) for place in places}
        _keep_only(self._made, names)
        _keep_only(self._rejected, {*rejected})
        with writing(self.output, _SHARED):
            if not names:  # no record at all
                self._write_records("0", [], writer)
            self._join_rejects()
            if self.output.is_dir():
                shutil.rmtree(self.output)
            else:
                self.output.unlink(missing_ok=True)
            self._made.replace(self.output)
            shutil.rmtree(self._work)

    def _join_rejects(self) -> None:
        files = sorted(_list(self._rejected))
        if not files:
            if not is_device(self._rejects):
                self._rejects.unlink(missing_ok=True)
            return
        with replacing(self._rejects, _SHARED) as out:
            for file in files:
                with file.open("rb") as rejects:
                    shutil.copyfileobj(rejects, out)


def _keep_only(folder: Path, names: set[str]) -> None:
    """Make sure that files are there, and remove others: those of a process that was killed.

    Raises:
        OutputError: Some are missing.
    """
    found = {file.name for file in _list(folder)}
    if missing := names - found:
        raise OutputError(
            f"{len(missing)} of {len(names)} shards were written where this machine does not "
            "see them",
            where=folder,
            hint="Give an output on a file system that all machines of the cluster share.",
        )
    for name in found - names:
        (folder / name).unlink()


def _is_shard(path: Path) -> bool:
    return path.name.startswith(_PREFIX) and path.is_file()


def _list(folder: Path) -> list[Path]:
    return list(folder.iterdir())
