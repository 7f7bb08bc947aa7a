"""What of a run is done: enough to go on after a kill, and to notice what has changed.

Beside the output lie ``OUT.part`` with the pieces written so far, ``OUT.rejects.part``, and
``OUT.checkpoint``: a line that says what the run is, then a line for each finished block with the
lengths that the other two had after it. A block counts once its line is on disk; what the
others have beyond it is cut off when the run goes on.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from topicml.errors import InputError, OutputError
from topicml.files import beside, new_file_mode

_RESTART = "Start over with --force, or give another output."


def checkpoint_path(output: Path) -> Path:
    """Return where the checkpoint of a run lies that makes this output."""
    return beside(output, ".checkpoint")


def read_identity(output: Path) -> dict[str, Any]:
    """Return what the unfinished run of an output is; nothing where there is none to read."""
    try:
        with checkpoint_path(output).open("rb") as file:
            identity = json.loads(file.readline())
    except (OSError, ValueError):
        return {}
    return identity if isinstance(identity, dict) else {}


class Checkpoint:
    """The files of a run in the making; used as a context manager.

    Args:
        output: The file that the run is to make.
        rejects: The file for rejected records.
        identity: All that makes this run what it is: inputs, options, model.
        force: Start over, whatever is there.

    Raises:
        InputError: An unfinished run with another identity is there, or one is going on.
        OutputError: The files cannot be written.
    """

    def __init__(
        self, output: Path, rejects: Path, identity: Mapping[str, Any], *, force: bool
    ) -> None:
        self.output = output
        self._rejects = rejects
        self._identity = dict(identity)
        self._force = force
        self.part = beside(output, ".part")
        self.rejects_part = beside(rejects, ".part")
        self.path = checkpoint_path(output)
        self.done: list[dict[str, Any]] = []
        self.is_finished = False
        self._files: list[IO[bytes]] = []

    def __enter__(self) -> Checkpoint:
        try:
            checkpoint = self._open(self.path)
            self._lock(checkpoint)
            self.done = [] if self._force else self._read(checkpoint)
            if self.done and "finished" in self.done[-1]:
                self.is_finished = True
                self.settle(self.done.pop()["finished"])
                return self
            part, rejects = self._open(self.part), self._open(self.rejects_part)
            last = self.done[-1] if self.done else {"bytes": 0, "reject_bytes": 0}
            self._cut(part, last["bytes"], self.part)
            self._cut(rejects, last["reject_bytes"], self.rejects_part)
            if not self.done:
                checkpoint.truncate(0)
                checkpoint.seek(0)
                checkpoint.write(_line(self._identity))
                _sync(checkpoint)
        except OSError as err:
            self.close()
            raise cannot_write(self.output, err) from err
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; what is done stays done."""
        for file in self._files:
            file.close()
        self._files.clear()

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
        try:
            part.write(piece)
            rejected.write(rejects)
            _sync(part)
            _sync(rejected)
            lengths = {"bytes": part.tell(), "reject_bytes": rejected.tell()}
            entry = {**line, **lengths}
            checkpoint.write(_line(entry))
            _sync(checkpoint)
        except OSError as err:
            raise cannot_write(self.output, err) from err
        self.done.append(entry)

    def append(self, data: bytes) -> None:
        """Write what stands before or behind all records; it is not kept over a kill.

        Raises:
            OutputError: The disk is full, or the folder is gone.
        """
        try:
            self._files[1].write(data)
            _sync(self._files[1])
        except OSError as err:
            raise cannot_write(self.output, err) from err

    def finish(self, made: Path) -> None:
        """Say that all is done, and put the files in their places.

        Args:
            made: The finished output, on the same disk.

        Raises:
            OutputError: The disk is full, or the folder is gone.
        """
        checkpoint = self._files[0]
        try:
            checkpoint.write(_line({"finished": made.name}))
            _sync(checkpoint)
            self.settle(made.name)
        except OSError as err:
            raise cannot_write(self.output, err) from err

    def settle(self, made: str) -> None:
        """Put finished files in their places; may be done again after a kill."""
        finished = self.output.with_name(made)
        if self.rejects_part.exists():
            if self.rejects_part.stat().st_size:
                self.rejects_part.replace(self._rejects)
            else:
                self._rejects.unlink(missing_ok=True)
                self.rejects_part.unlink()
        if finished.exists():
            finished.chmod(new_file_mode())
            finished.replace(self.output)
        self.part.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _open(self, path: Path) -> IO[bytes]:
        # neither truncated nor for appending: where to write is decided after reading
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        self._files.append(file)
        return file

    def _lock(self, checkpoint: IO[bytes]) -> None:
        try:
            fcntl.flock(checkpoint, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            raise InputError(
                "another run is writing this output",
                where=self.output,
                hint="Wait for it, or give another output.",
            ) from err

    def _read(self, checkpoint: IO[bytes]) -> list[dict[str, Any]]:
        """Return the finished blocks; a line that was cut off by a kill is none."""
        whole, end, _ = checkpoint.read().rpartition(b"\n")
        lines = [json.loads(line) for line in (whole + end).splitlines()]
        if lines:
            self._compare(lines[0])
        checkpoint.seek(len(whole + end))
        checkpoint.truncate()
        return lines[1:]

    def _compare(self, before: Mapping[str, Any]) -> None:
        changed = [
            f"{name} was {_short(before.get(name))} and is {_short(value)}"
            for name, value in self._identity.items()
            if before.get(name) != value
        ]
        if changed:
            raise InputError(
                f"an unfinished run is here that was another one: {'; '.join(changed)}",
                where=self.output,
                hint=_RESTART,
            )

    def _cut(self, file: IO[bytes], length: int, path: Path) -> None:
        if file.seek(0, os.SEEK_END) < length:
            raise InputError(
                "shorter than its checkpoint says: it was changed", where=path, hint=_RESTART
            )
        file.truncate(length)
        file.seek(length)


def cannot_write(path: Path, err: OSError) -> OutputError:
    """Return what to say where a file cannot be written."""
    return OutputError(
        f"cannot be written ({err.strerror or err})",
        where=path,
        hint="Free the disk or check the folder, and run the same command again: "
        "it goes on where it was.",
    )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else text[:117] + "..."


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, sort_keys=True).encode("utf-8") + b"\n"


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())
