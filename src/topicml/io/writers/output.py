"""What is written: format, compression, and how much of each record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from topicml.errors import OutputError
from topicml.files import is_device
from topicml.tagging.articles import Detail

Format = Literal["jsonl", "json", "csv", "parquet"]
Compression = Literal["none", "gzip", "zstd"]
FORMATS: tuple[Format, ...] = get_args(Format)

OTHERS = "fields"
"""Column of a table for the fields that nobody named, where all are kept: an object in JSON."""

_COMPRESSIONS: dict[str, Compression] = {".gz": "gzip", ".zst": "zstd"}
_ALIASES = {"ndjson": "jsonl"}


@dataclass(frozen=True, slots=True)
class Output:
    """What is written.

    Attributes:
        format: Of the file.
        compression: Of the whole file; Parquet compresses inside.
        detail: How much is said of each record.
        topics: T topic ids, in column order.
        keep: Fields that are carried through.
        dedupe: Whether records say what they are near copies of.
        second_opinion: Whether they say what a second model decided.
        raw_cells: Whether cells of CSV may be such as a spreadsheet would run.
        partition_by: Fields by whose values Parquet is put into folders; none for one file.
    """

    format: Format
    compression: Compression
    detail: Detail
    topics: tuple[str, ...]
    keep: tuple[str, ...] = ()
    dedupe: bool = False
    second_opinion: bool = False
    raw_cells: bool = False
    partition_by: tuple[str, ...] = ()


def output_kind(
    path: str, asked: Format | None = None, others: Sequence[str] = ()
) -> tuple[Format, Compression]:
    """Return format and compression by a file name's endings.

    JSON Lines go to ``-``, and to devices, pipes and sockets whose names say of no format.

    Args:
        path: Of the file, or ``-``.
        asked: The format, whatever the name says.
        others: Endings that a command takes besides, for the message.

    Raises:
        OutputError: The name says of no known format, or Parquet is to be compressed.
    """
    suffixes = [] if path == "-" else [suffix.lower() for suffix in Path(path).suffixes]
    compression: Compression = "none"
    if suffixes and suffixes[-1] in _COMPRESSIONS:
        compression = _COMPRESSIONS[suffixes.pop()]
    name = suffixes[-1].removeprefix(".") if suffixes else ""
    name = asked or _ALIASES.get(name, name)
    if name not in FORMATS and (path == "-" or is_device(Path(path))):
        name = "jsonl"
    for known in FORMATS:
        if name == known and (known != "parquet" or compression == "none"):
            return known, compression
    *first, last = ".jsonl", ".json", ".csv (each also .gz or .zst)", ".parquet", *others
    is_folder = path.endswith("/") or Path(path).is_dir()
    raise OutputError(
        "is a folder" if is_folder else "unknown kind of output",
        where=path,
        hint=f"Names end in {', '.join(first)} or {last}.",
    )
