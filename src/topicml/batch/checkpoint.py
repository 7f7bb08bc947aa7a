"""What of a run is done: enough to go on after a kill, and to notice what has changed.

Beside the output lie ``OUT.part`` with the pieces written so far, the rejects so far, and
``OUT.checkpoint``: a line that says what the run is, then a line for each finished block with the
lengths that the other two had after it. A block counts once its line is on disk; what the
others have beyond it is cut off when the run goes on.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from topicml.batch.shards import check_own
from topicml.batch.uploads import Uploads
from topicml.errors import InputError, OutputError
from topicml.files import (
    REPLACE,
    beside,
    check_new,
    is_device,
    new_file_mode,
    open_stream,
    remove_folder,
    target_of,
    writing,
)
from topicml.io.writers.partitions import is_partition

_RESTART = "Start over with --force, or give another output."
_GO_ON = (
    "Free the disk or check the folder, and run the same command again: it goes on where it was."
)


def checkpoint_path(output: Path) -> Path:
    """Return where the checkpoint of a run lies that makes this output."""
    return beside(output, ".checkpoint")


def read_identity(output: Path) -> dict[str, Any]:
    """Return what the unfinished run of an output is; nothing where there is none to read."""
    try:
        with checkpoint_path(output).open("rb") as file:
            identity = json.loads(file.readline())
    except (OSError, ValueError, RecursionError):
        return {}
    return identity if isinstance(identity, dict) else {}


def is_unfinished(output: Path) -> bool:
    """Whether a run of an output was begun and not ended."""
    return bool(read_identity(output))


def _is_torn(checkpoint: Path) -> bool:
    """Whether a kill cut a checkpoint off within the line that says what the run is."""
    with suppress(OSError), checkpoint.open("rb") as file:
        line = file.readline()
        return not line or (line.startswith(b"{") and not line.endswith(b"\n"))
    return False


def read_done(output: Path, identity: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the finished blocks of the unfinished run of an output; none where there is none.

    Raises:
        InputError: It is another run.
    """
    try:
        data = checkpoint_path(output).read_bytes()
    except OSError:
        return []
    done = _check_lines(data[: data.rfind(b"\n") + 1], identity, output)
    return [entry for entry in done if "finished" not in entry]


class Checkpoint:
    """The files of a run in the making.

    Attributes:
        output: The file that the run is to make.
        part: Its pieces so far.
        rejects_part: The rejects so far.
        made: The output in the making, where it is not those pieces.
        done: What is said of each finished block.
        is_finished: Whether an earlier run had done all, but for the summary; its files are in
            their places.

    Args:
        output: See above; no link.
        rejects: The file for rejected records.
        uploads: Which of the two become objects.
        is_folder: Whether the output is a folder of partitions.
    """

    def __init__(
        self, output: Path, rejects: Path, uploads: Uploads, *, is_folder: bool = False
    ) -> None:
        self.output = output
        self._is_folder = is_folder
        self._rejects = target_of(rejects)
        self._uploads = uploads
        self.part = beside(output, ".part")
        self.made = beside(output, ".made")
        self.rejects_part = (
            beside(output, ".rejects.part")
            if is_device(rejects)
            else beside(self._rejects, ".part")
        )
        self._path = checkpoint_path(output)
        self.done: list[dict[str, Any]] = []
        self.is_finished = False
        self._files: list[IO[bytes]] = []

    def files(self) -> list[Path]:
        """Return the output, and what lies beside it and the rejects until all is done."""
        return [self.output, self.part, self.made, self.rejects_part, self._path]

    def check_new(self, *, force: bool) -> None:
        """Make sure that a run replaces only what it may, and what it has made before.

        Raises:
            OutputError: Another file has one of the names, and is not to be replaced.
            InputError: A folder that is to be replaced holds what no run has made.
        """
        files = self.files()
        if _is_torn(self._path):  # killed at its very start
            files.remove(self._path)
        force = force or is_unfinished(self.output)
        for folder in (self.output, self.made) if self._is_folder else ():
            if folder.is_dir() and force:
                check_own(folder, is_partition)
                files.remove(folder)
            elif folder.is_dir():
                raise OutputError("exists already", where=folder, hint=REPLACE)
        check_new(files, force=force)

    @contextmanager
    def opened(self, identity: Mapping[str, Any], *, force: bool) -> Iterator[Checkpoint]:
        """Keep the files open, of a new run or of one that goes on.

        Args:
            identity: All that makes this run what it is: inputs, options, model.
            force: Start over, whatever is there.

        Raises:
            InputError: An unfinished run with another identity is there, or one is going on.
            OutputError: The files cannot be written.
        """
        with ExitStack() as stack:
            with writing(self.output, _GO_ON):
                self._start(stack, identity, force)
            yield self

    def _start(self, stack: ExitStack, identity: Mapping[str, Any], force: bool) -> None:
        def open_file(path: Path) -> IO[bytes]:
            # neither truncated nor for appending: where to write is decided after reading
            return stack.enter_context(
                os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
            )

        checkpoint = open_file(self._path)
        self._lock(checkpoint)
        if force:
            checkpoint.truncate(0)
            remove_folder(self.made)
            for old in (self.part, self.made, self.rejects_part):
                old.unlink(missing_ok=True)
        self.done = _read(checkpoint, identity, self.output)
        if self.done and "finished" in self.done[-1]:
            self.is_finished = True
            self._settle(self.done.pop()["finished"])
            return
        if not checkpoint.tell():
            _write(checkpoint, _line(identity))
        self._files = [checkpoint, open_file(self.part), open_file(self.rejects_part)]
        last = self.done[-1] if self.done else {"bytes": 0, "reject_bytes": 0}
        _cut(self._files[1], last["bytes"], self.part)
        _cut(self._files[2], last["reject_bytes"], self.rejects_part)

    def check_block(self, number: int, digest: str, source: str) -> None:
        """Make sure that a block that is done was made of the same input.

        Raises:
            InputError: The input has changed since.
        """
        if self.done[number]["input"] != digest:
            raise InputError(
                "changed since the run that is unfinished here read it",
                where=source,
                hint=_RESTART,
            )

    def commit(self, piece: bytes, rejects: bytes, line: Mapping[str, Any]) -> None:
        """Write a block's piece and rejects, and then that it is done.

        Raises:
            OutputError: The disk is full, or the folder is gone.
        """
        checkpoint, part, rejected = self._files
        with writing(self.output, _GO_ON):
            _write(part, piece)
            _write(rejected, rejects)
            entry = {**line, "bytes": part.tell(), "reject_bytes": rejected.tell()}
            _write(checkpoint, _line(entry))
        self.done.append(entry)

    def append(self, data: bytes) -> None:
        """Write what stands before or behind all records; it is not kept over a kill.

        Raises:
            OutputError: The disk is full, or the folder is gone.
        """
        with writing(self.output, _GO_ON):
            _write(self._files[1], data)

    def finish(self, made: Path) -> None:
        """Say that all is done, and put the files in their places.

        Args:
            made: The finished output, on the same disk.

        Raises:
            OutputError: The disk is full, or the folder is gone.
            RemoteError: An object cannot be written; the same run then tries again.
        """
        with writing(self.output, _GO_ON):
            _write(self._files[0], _line({"finished": made.name}))
            self._settle(made.name)

    def _settle(self, made: str) -> None:
        """Put finished files in their places; may be done again after a kill."""
        finished = self.output.with_name(made)
        if self.rejects_part.exists():
            if is_device(self._rejects):
                with self.rejects_part.open("rb") as rejects, open_stream(self._rejects) as out:
                    shutil.copyfileobj(rejects, out)
                self.rejects_part.unlink()
            elif self.rejects_part.stat().st_size:
                self._uploads.place(self.rejects_part, self._rejects)
            else:
                self._uploads.remove(self._rejects)
                self.rejects_part.unlink()
        if finished.exists():
            if finished.is_file():
                finished.chmod(new_file_mode())
            self._uploads.place(finished, self.output)
        self.part.unlink(missing_ok=True)

    def end(self) -> None:
        """Forget the run, now that nothing of it is still to be done.

        Raises:
            OutputError: The folder is gone.
        """
        with writing(self.output, _GO_ON):
            self._path.unlink(missing_ok=True)

    def _lock(self, checkpoint: IO[bytes]) -> None:
        try:
            fcntl.flock(checkpoint, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise InputError(
                "another run is writing this output",
                where=self.output,
                hint="Wait for it, or give another output.",
            ) from err


def _read(checkpoint: IO[bytes], identity: Mapping[str, Any], output: Path) -> list[dict[str, Any]]:
    """Return the finished blocks; a line that was cut off by a kill is none."""
    whole, end, _ = checkpoint.read().rpartition(b"\n")
    done = _check_lines(whole + end, identity, output)
    checkpoint.seek(len(whole + end))
    checkpoint.truncate()
    return done


def _check_lines(lines: bytes, identity: Mapping[str, Any], output: Path) -> list[dict[str, Any]]:
    before, *done = [json.loads(line) for line in lines.splitlines()] or [identity]
    changed = [
        f"{name} was {_short(before.get(name))} and is {_short(value)}"
        for name, value in identity.items()
        if before.get(name) != value
    ]
    if changed:
        raise InputError(
            f"an unfinished run is here that was another one: {'; '.join(changed)}",
            where=output,
            hint=_RESTART,
        )
    return done


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:117] + "..."


def _cut(file: IO[bytes], length: int, path: Path) -> None:
    if file.seek(0, os.SEEK_END) < length:
        raise InputError(
            "shorter than its checkpoint says: it was changed", where=path, hint=_RESTART
        )
    file.truncate(length)
    file.seek(length)


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, sort_keys=True).encode("utf-8") + b"\n"


def _write(file: IO[bytes], data: bytes) -> None:
    file.write(data)
    file.flush()
    os.fsync(file.fileno())
