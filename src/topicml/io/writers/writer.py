"""Output records to bytes, in pieces that make the file when put behind one another.

Each piece is compressed by itself: gzip members and Zstandard frames behind one another are one
file. Pieces of Parquet are Arrow streams, from which ``parquet.write_file`` makes the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any, NamedTuple

import orjson

from topicml.errors import InputError
from topicml.io.optional_dependencies import load_zstd
from topicml.io.records import ALL
from topicml.io.writers import csv, parquet
from topicml.io.writers.output import OTHERS, Format, Output
from topicml.tagging.articles import FIELDS

_GZIP_LEVEL, _ZSTD_LEVEL = 6, 3


class _Format(NamedTuple):
    """How a format is written; all but ``encode`` may be nothing."""

    encode: Callable[[Sequence[dict[str, Any]], Output], bytes]
    header: Callable[[Output], bytes] = lambda _: b""
    separator: bytes = b""
    footer: bytes = b""


def _encode_lines(records: Sequence[dict[str, Any]], _output: Output) -> bytes:
    return b"".join(orjson.dumps(r, option=orjson.OPT_APPEND_NEWLINE) for r in records)


def _encode_array(records: Sequence[dict[str, Any]], _output: Output) -> bytes:
    return b",\n".join(map(orjson.dumps, records))


_FORMATS: dict[Format, _Format] = {
    "jsonl": _Format(_encode_lines),
    "json": _Format(_encode_array, lambda _: b"[\n", b",\n", b"\n]\n"),
    "csv": _Format(csv.encode, csv.header),
    "parquet": _Format(parquet.encode),
}


def check_kept(output: Output) -> None:
    """Make sure that no field that is carried through has the name of one that is written.

    Raises:
        InputError: One has.
    """
    columns = csv.columns(output) if output.format == "csv" else []
    columns += [OTHERS] if ALL in output.keep and output.format in {"csv", "parquet"} else []
    clash = sorted({*output.keep} & {*FIELDS, *output.topics, *columns})
    if clash:
        raise InputError(
            f"field {clash[0]!r} cannot be kept: the output has a field of that name",
            hint="Rename it in the input.",
        )


class Writer:
    """Makes pieces of one output.

    Args:
        output: What is written.
    """

    def __init__(self, output: Output) -> None:
        self.output = output
        self._format = _FORMATS[output.format]

    def header(self) -> bytes:
        """Return what stands before all records."""
        return self._compress(self._format.header(self.output))

    def encode(self, records: Sequence[dict[str, Any]]) -> bytes:
        """Return records as one piece; nothing for no records."""
        return self._compress(self._format.encode(records, self.output)) if records else b""

    def join(self, before: bool, piece: bytes) -> bytes:
        """Return a piece as it stands in the file.

        Args:
            before: Whether there are records before it.
            piece: From ``encode``.
        """
        return self._compress(self._format.separator) + piece if before and piece else piece

    def footer(self) -> bytes:
        """Return what stands behind all records."""
        return self._compress(self._format.footer)

    def write(self, pieces: Iterable[bytes], out: IO[bytes]) -> None:
        """Write a whole file, piece by piece as they come from ``encode``."""
        if self.output.format == "parquet":
            parquet.write_file(pieces, self.output, out)
            return
        out.write(self.header())
        for number, piece in enumerate(filter(None, pieces)):
            out.write(self.join(number > 0, piece))
            out.flush()
        out.write(self.footer())

    def _compress(self, data: bytes) -> bytes:
        if not data or self.output.compression == "none":
            return data
        if self.output.compression == "gzip":
            import gzip

            return gzip.compress(data, _GZIP_LEVEL, mtime=0)
        return bytes(load_zstd().compress(data, level=_ZSTD_LEVEL))


def write_stream(groups: Iterable[Sequence[dict[str, Any]]], output: Output, out: IO[bytes]) -> int:
    """Write groups of records as they come; return how many records.

    Args:
        groups: Each becomes a piece.
        output: What is written.
        out: Where to.
    """
    writer = Writer(output)
    count = 0

    def pieces() -> Iterator[bytes]:
        nonlocal count
        for records in groups:
            yield writer.encode(records)
            count += len(records)

    writer.write(pieces(), out)
    return count
