"""an output of many shards: a folder of files that many processes write, whole or not at all.

While a run goes on, all lies in ``OUT.part``. A shard is written beside and renamed, under a
name that says where in the input it is from: so one that is written twice, since a machine was
lost, is there once, and the names sort as the input does.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from topicml.errors import InputError, OutputError
from topicml.files import beside, new_file_mode
from topicml.io.writers import parquet
from topicml.io.writers.writer import Writer

_PREFIX = "part-"


class Shards:
    """The folders of a run in the making.

    Args:
        output: The folder that is to be made.
        rejects: The file for rejected records.
    """

    def __init__(self, output: Path, rejects: Path) -> None:
        self.output = output
        self._rejects = rejects
        self._work = beside(output, ".part")
        self._made = self._work / "records"
        self._rejected = self._work / "rejects"
        self._suffix = "".join(output.suffixes[-2:])  # .jsonl.gz; a name is checked elsewhere

    def start(self, *, force: bool) -> None:
        """Make the folders.

        Raises:
            InputError: Something is there already, and it is not to be replaced, or holds
                more than shards.
            OutputError: They cannot be made.
        """
        if self.output.exists() and not force:
            raise InputError("exists already", where=self.output, hint="Replace it with --force.")
        if self._work.exists() and not force:
            raise InputError(
                "another run is writing this output, or was cut off",
                where=self._work,
                hint="Start over with --force, or give another output.",
            )
        if self.output.is_dir() and not all(f.name.startswith(_PREFIX) for f in _list(self.output)):
            raise InputError(
                "a folder with other files than shards",
                where=self.output,
                hint="Give another output.",
            )
        try:
            if self._work.exists():
                shutil.rmtree(self._work)
            self._made.mkdir(parents=True)
            self._rejected.mkdir()
        except OSError as err:
            raise _cannot_write(self._work, err) from err

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
        try:
            if any(pieces):
                self._write_records(place, pieces, writer)
            if rejects:
                with tempfile.NamedTemporaryFile(dir=self._work, delete=False) as file:
                    file.write(rejects)
                Path(file.name).replace(self._rejected / place)
        except OSError as err:
            raise _cannot_write(self._work, err) from err

    def _write_records(self, place: str, pieces: Sequence[bytes], writer: Writer) -> None:
        with tempfile.NamedTemporaryFile(dir=self._work, delete=False) as file:
            if writer.output.format == "parquet":
                parquet.write_file(pieces, writer.output, file)
            else:
                file.write(writer.header())
                for number, piece in enumerate(filter(None, pieces)):
                    file.write(writer.join(number > 0, piece))
                file.write(writer.footer())
        made = Path(file.name)
        made.chmod(new_file_mode())
        made.replace(self._made / f"{_PREFIX}{place}{self._suffix}")

    def finish(self, places: Iterable[str], rejected: Iterable[str], writer: Writer) -> None:
        """Put all in its place.

        Args:
            places: Those of which a shard was written.
            rejected: Those of which rejects were.
            writer: Made the pieces.

        Raises:
            OutputError: Not all that was written can be seen from here.
        """
        names = {f"{_PREFIX}{place}{self._suffix}" for place in places}
        self._compare(self._made, names)
        self._compare(self._rejected, {*rejected})
        try:
            if not names:  # no record at all
                self._write_records("0", [], writer)
            self._join_rejects()
            if self.output.is_dir():
                shutil.rmtree(self.output)
            else:
                self.output.unlink(missing_ok=True)
            self._made.replace(self.output)
            shutil.rmtree(self._work)
        except OSError as err:
            raise _cannot_write(self.output, err) from err

    def _compare(self, folder: Path, names: set[str]) -> None:
        missing = names - {file.name for file in _list(folder)}
        if missing:
            raise OutputError(
                f"{len(missing)} of {len(names)} shards were written where this machine does not "
                "see them",
                where=folder,
                hint="Give an output on a file system that all machines of the cluster share.",
            )

    def _join_rejects(self) -> None:
        files = sorted(_list(self._rejected))
        if not files:
            self._rejects.unlink(missing_ok=True)
            return
        joined = beside(self._rejects, ".part")
        with joined.open("wb") as out:
            for file in files:
                with file.open("rb") as rejects:
                    shutil.copyfileobj(rejects, out)
        joined.replace(self._rejects)


def _list(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def _cannot_write(path: Path, err: OSError) -> OutputError:
    return OutputError(
        f"cannot be written ({err.strerror or err})",
        where=path,
        hint="Check the folder and the disk; all machines of the cluster must see it.",
    )
