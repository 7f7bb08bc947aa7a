"""Partitioned Parquet: a folder ``NAME=VALUE`` for each value of a field, as Hive has them.

``pyarrow.dataset.write_dataset`` is not used: where it may not hold all files open it gives other
files from one run to the next, and it escapes names in a way that Hive and Spark do not read.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from topicml.errors import OutputError
from topicml.io.optional_dependencies import load
from topicml.io.writers.output import Output
from topicml.io.writers.parquet import arrow_schema

MOST_PARTITIONS = 1000
"""Folders of an output, beyond which it is refused."""

PREFIX = "part-"
"""Of the files in them."""

_HELD = 64_000_000  # bytes of rows that become one row group in each folder that they fall into
_MOST_OPEN = 100
_LONGEST_NAME = 255  # bytes of a folder's name, on all usual file systems
_NONE = "__HIVE_DEFAULT_PARTITION__"
_ESCAPED = re.compile(r"[\x00-\x1f\x7f\"#%'*/:=?\\{\[\]^]")  # FileUtils.escapePathName of Hive

Key = tuple[str | None, ...]
"""A value of each field; None where there is none, or an empty one."""


class Partitions:
    """The partitions that records fall into, found as they come, so that too many end a run early.

    Args:
        output: What is written.
        path: Where to, for messages.
    """

    def __init__(self, output: Output, path: Path) -> None:
        self._names = output.partition_by
        self._path = path
        self._found: set[Key] = set()

    def add(self, piece: bytes) -> None:
        """Take in the records of a piece.

        Raises:
            OutputError: There are too many partitions, or the name of one is too long.
        """
        if not self._names or not piece:
            return
        for key in {*_keys(_read(piece), self._names)} - self._found:
            self._found.add(key)
            longest = max(folder_names(self._names, key), key=lambda name: len(name.encode()))
            if len(longest.encode("utf-8")) > _LONGEST_NAME:
                raise self._error(f"a value is too long for a folder's name ({longest[:40]}…)")
        if len(self._found) > MOST_PARTITIONS:
            raise self._error(f"more than {MOST_PARTITIONS:,} partitions")

    def _error(self, what: str) -> OutputError:
        return OutputError(
            f"{what}, by {', '.join(self._names)}",
            where=self._path,
            hint="Give --partition-by a field of fewer and shorter values, and --force.",
        )


def folder_names(names: Sequence[str], key: Key) -> list[str]:
    """Return the names of the folders of a partition, each inside the one before."""
    values = (_NONE if value is None else _escape(value) for value in key)
    return [f"{_escape(name)}={value}" for name, value in zip(names, values, strict=True)]


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", text)


def write_partitions(pieces: Iterable[bytes], output: Output, folder: Path) -> None:
    """Write a folder of partitions; the same pieces give the same bytes.

    Args:
        pieces: From ``parquet.encode``.
        output: What is written.
        folder: That is made.
    """
    folder.mkdir()
    names = output.partition_by
    files = _Files(output, folder)
    try:
        for rows in _gathered(pieces):
            for key, part in _split(rows, names):
                files.write(key, part.drop_columns([*names]))
        files.write_empty()
    finally:
        files.close()


def _gathered(pieces: Iterable[bytes]) -> Iterator[Any]:
    """Yield the rows of pieces as tables of about ``_HELD`` bytes."""
    pa = load("pyarrow", "batch", "writing Parquet")
    held: list[Any] = []
    size = 0
    for piece in filter(None, pieces):
        held.append(_read(piece))
        size += held[-1].nbytes
        if size >= _HELD:
            yield pa.concat_tables(held)
            held, size = [], 0
    if held:
        yield pa.concat_tables(held)


def _split(rows: Any, names: Sequence[str]) -> Iterator[tuple[Key, Any]]:
    """Yield the rows of each partition, in their order."""
    found: dict[Key, list[int]] = {}
    for number, key in enumerate(_keys(rows, names)):
        found.setdefault(key, []).append(number)
    for key, numbers in found.items():
        yield key, rows.take(numbers)


def _read(piece: bytes) -> Any:
    return load("pyarrow", "batch", "writing Parquet").ipc.open_stream(piece).read_all()


def _keys(rows: Any, names: Sequence[str]) -> Iterator[Key]:
    """Yield a value of each field for each row; the name for none is none, as in Hive."""
    columns = [rows.column(name).to_pylist() for name in names]
    return zip(
        *([None if value in ("", _NONE) else value for value in column] for column in columns),
        strict=True,
    )


class _Files:
    """Files of partitions, not too many of them open; one that was closed is followed by another.

    Args:
        output: What is written.
        folder: Where to.
    """

    def __init__(self, output: Output, folder: Path) -> None:
        self._output, self._folder = output, folder
        self._schema = arrow_schema(output)
        self._open: OrderedDict[Key, Any] = OrderedDict()
        self._counts: dict[Key, int] = {}

    def write(self, key: Key, rows: Any) -> None:
        """Write rows of a partition."""
        if key not in self._open:
            if len(self._open) == _MOST_OPEN:
                self._open.popitem(last=False)[1].close()
            folder = self._folder.joinpath(*folder_names(self._output.partition_by, key))
            self._open[key] = self._start(folder, self._counts.get(key, 0), rows.schema)
            self._counts[key] = self._counts.get(key, 0) + 1
        self._open.move_to_end(key)
        self._open[key].write_table(rows)

    def _start(self, folder: Path, number: int, schema: Any) -> Any:
        parquet = load("pyarrow.parquet", "batch", "writing Parquet")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{PREFIX}{number:05d}.parquet"
        return parquet.ParquetWriter(path, schema, compression="zstd")

    def write_empty(self) -> None:
        """Write a file without rows where there are none, that says which columns there are."""
        if not self._counts:
            self._start(self._folder, 0, self._schema).close()

    def close(self) -> None:
        """Close all files."""
        while self._open:
            self._open.popitem()[1].close()


def is_partition(path: Path) -> bool:
    """Whether all that is at a path inside of such a folder is of such an output."""
    if path.is_dir() and not path.is_symlink():
        return "=" in path.name and all(map(is_partition, path.iterdir()))
    return path.name.startswith(PREFIX) and path.name.endswith(".parquet")
