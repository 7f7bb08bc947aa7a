"""Output records to bytes, in pieces that make the file when put behind one another.

Each piece is compressed by itself: gzip members and Zstandard frames behind one another are one
file. Pieces of Parquet are Arrow streams, from which ``parquet.write_file`` makes the file.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Sequence
from typing import Any, BinaryIO, NamedTuple

from topicml.io.optional_dependencies import load_zstd
from topicml.io.writers import csv, json, jsonl, parquet
from topicml.io.writers.output import Format, Output

_GZIP_LEVEL, _ZSTD_LEVEL = 6, 3


class _Format(NamedTuple):
    """How a format is written; all but ``encode`` may be nothing."""

    encode: Callable[[Sequence[dict[str, Any]], Output], bytes]
    header: Callable[[Output], bytes] = lambda _: b""
    separator: bytes = b""
    footer: bytes = b""


_FORMATS: dict[Format, _Format] = {
    "jsonl": _Format(lambda records, _: jsonl.encode(records)),
    "json": _Format(
        lambda records, _: json.encode(records), lambda _: json.START, json.SEPARATOR, json.END
    ),
    "csv": _Format(csv.encode, csv.header),
    "parquet": _Format(parquet.encode),
}


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

    def _compress(self, data: bytes) -> bytes:
        if not data or self.output.compression == "none":
            return data
        if self.output.compression == "gzip":
            return gzip.compress(data, _GZIP_LEVEL, mtime=0)
        return bytes(load_zstd().compress(data, level=_ZSTD_LEVEL))


def write_stream(groups: Iterable[Sequence[dict[str, Any]]], output: Output, out: BinaryIO) -> int:
    """Write groups of records as they come; return how many records.

    Args:
        groups: Each becomes a piece.
        output: What is written.
        out: Where to.
    """
    writer = Writer(output)
    count = 0

    def pieces() -> Iterable[bytes]:
        nonlocal count
        for records in groups:
            yield writer.join(count > 0, writer.encode(records))
            count += len(records)

    if output.format == "parquet":
        parquet.write_file(pieces(), output, out)
        return count
    out.write(writer.header())
    for piece in pieces():
        out.write(piece)
        out.flush()
    out.write(writer.footer())
    return count
