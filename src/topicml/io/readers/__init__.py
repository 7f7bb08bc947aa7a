"""The readers, a row a format: bytes to documents, or rejects where there is none.

A reader looks at the start of a stream (``check``), cuts it into blocks in one process (``cut``)
and turns blocks into documents in many (``parse``). A new format is a row of ``READERS`` here.
"""

from __future__ import annotations

import contextlib
import functools
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, get_args

from topicml.errors import InputError, MissingExtraError
from topicml.io.blocks import Packer
from topicml.io.compression import COMPRESSIONS, Stream
from topicml.io.readers.csv import check_header, cut_rows, parse_rows
from topicml.io.readers.files import parse_files, read_file
from topicml.io.readers.html import check_extractor
from topicml.io.readers.json import check_elements, cut_elements, parse_elements
from topicml.io.readers.jsonl import HEAD, check_lines, cut_lines, parse_lines
from topicml.io.readers.parquet import check_columns, check_pyarrow, cut_row_groups, parse_batch
from topicml.io.readers.warc import check_archive, check_fastwarc, cut_pages, parse_pages
from topicml.io.recognise import recognise
from topicml.io.records import Block, Failure, Format, Kind, ReadOptions, Reject, make_reject
from topicml.text.decoding import find_encoding, stream_encoding
from topicml.text.document import Document

if TYPE_CHECKING:
    from topicml.io.sources import Source

__all__ = ["COMPRESSIONS", "FORMATS", "READERS", "SUFFIXES", "Format", "Reader"]
__all__ += ["check_sources", "parse_block", "read_blocks"]

FORMATS: tuple[Format, ...] = get_args(Format)

BLOCK_BYTES = 2_000_000
_MOST_FILES = 1000

Note = Callable[[str], None]


class Reader(NamedTuple):
    """How a format is read.

    Attributes:
        suffixes: Of files, each also with those of ``COMPRESSIONS`` behind it.
        check: Looks for the text's field at the start of a stream, and raises ``InputError``.
        cut: Yields the blocks of a stream; None where a file is one document.
        needs: Raise ``MissingExtraError`` where a package is not installed.
        has_encoding: Whether it is a text file of many records, which is read as UTF-8.
    """

    suffixes: tuple[str, ...]
    check: Callable[[Stream, ReadOptions], None] | None = None
    cut: Callable[[Stream, ReadOptions, int, Note], Iterator[Block]] | None = None
    needs: tuple[Callable[[], None], ...] = ()
    has_encoding: bool = False


READERS: dict[Format, Reader] = {
    "jsonl": Reader(
        (".jsonl", ".ndjson"),
        check_lines,
        lambda stream, _options, size, _note: cut_lines(stream, size),
        has_encoding=True,
    ),
    "json": Reader(
        (".json",),
        check_elements,
        lambda stream, _options, size, _note: cut_elements(stream, size),
        has_encoding=True,
    ),
    "csv": Reader((".csv",), check_header, cut_rows, has_encoding=True),
    "tsv": Reader(
        (".tsv", ".tab"),
        functools.partial(check_header, delimiter="\t"),
        functools.partial(cut_rows, delimiter="\t"),
        has_encoding=True,
    ),
    "parquet": Reader(
        (".parquet",),
        check_columns,
        lambda stream, options, size, _note: cut_row_groups(stream, options, size),
        needs=(check_pyarrow,),
    ),
    "warc": Reader(
        (".warc", ".wet"),
        check_archive,
        lambda stream, _options, size, _note: cut_pages(stream, size),
        needs=(check_fastwarc, check_extractor),
    ),
    "txt": Reader((".txt", ".text", ".md", ".markdown")),
    "html": Reader((".html", ".htm", ".xhtml"), needs=(check_extractor,)),
}
"""The formats that are read."""

SUFFIXES: dict[str, Format] = {
    suffix: form for form, reader in READERS.items() for suffix in reader.suffixes
}
"""Formats by the suffixes of files."""


def check_sources(sources: Sequence[Source], options: ReadOptions) -> list[Source]:
    """Look at the start of every file, so that a wrong field is found before anything is written.

    An input of records must have the text's field in one of its first records. Standard input
    and pipes, which can be read only once, are left to ``read_blocks``, and so is what will be a
    reject: files that cannot be opened, of a format that is not read, or for want of a package.

    Returns:
        The sources, each with the format that its content says.

    Raises:
        InputError: A field is missing, or a file is not what it is said to be.
        MissingExtraError: No source can be read without packages that are not installed.
    """
    checked: list[Source] = []
    missing: list[MissingExtraError] = []
    for source in sources:
        if not _is_regular(source.path):
            checked.append(source)
            continue
        with _opened(source, None) as stream:
            try:
                found = stream if isinstance(stream, Failure) else _prepare(source, stream, options)
            except MissingExtraError as err:
                missing.append(err)
                found = None
        checked.append(source._replace(format=found) if isinstance(found, str) else source)
    if missing and len(missing) == len(sources):
        raise missing[0]
    return checked


def read_blocks(
    sources: Sequence[Source],
    options: ReadOptions,
    stdin: BinaryIO,
    *,
    block_bytes: int = BLOCK_BYTES,
    note: Note = lambda _line: None,
) -> Iterator[Block]:
    """Read sources as blocks of whole records, in order, in constant memory.

    The same input and ``block_bytes`` give the same blocks. What cannot be read is among them as
    a reject, and reading goes on.

    Args:
        sources: See ``sources.list_sources``.
        options: Which field is what, and so on.
        stdin: What a source without a path stands for.
        block_bytes: About how many bytes a block has. It has more where one record has.
        note: Told in one line each what was taken for separator, header and encoding of a file,
            and of files without records.

    Raises:
        InputError: Before the first block: the first source lacks the text's field or is not
            what it is said to be, or the encoding that was named is unknown.
    """
    files = Packer("files", block_bytes, most=_MOST_FILES)
    is_first = True
    for source in sources:
        with _opened(source, stdin) as stream:
            found = _prepare_or_fail(source, stream, options, may_raise=is_first)
            is_first = False
            if isinstance(found, Failure):
                yield from files.add(make_reject(source.name, 1, found, b""), 0)
                continue
            assert isinstance(stream, Stream)  # noqa: S101 - what was found is why it is none
            if cut := READERS[found].cut:
                yield from files.flush()
                yield from _noting(stream, cut(stream, options, block_bytes, note), note)
            else:
                yield from files.add(read_file(stream, found), stream.consumed)
    yield from files.flush()


def _noting(stream: Stream, blocks: Iterator[Block], note: Note) -> Iterator[Block]:
    if stream.encoding != "utf-8":
        note(f"{stream.name}: read as {stream.encoding}")
    is_empty = True
    for block in blocks:
        is_empty = is_empty and isinstance(block.data, bytes) and not block.data.strip()
        yield block
    if is_empty:
        note(f"{stream.name}: there are no records in it")


def _prepare_or_fail(
    source: Source, stream: Stream | Failure, options: ReadOptions, *, may_raise: bool
) -> Format | Failure:
    if isinstance(stream, Failure):
        return stream
    try:
        return _prepare(source, stream, options)
    except MissingExtraError as err:
        return Failure("missing_dependency", str(err))
    except InputError as err:
        if may_raise:
            raise
        return Failure("unreadable_input", f"{err.what}. {err.hint}")


def _prepare(source: Source, stream: Stream, options: ReadOptions) -> Format | Failure:
    """Make a stream ready to be cut: tell its format and encoding, and look for the text.

    Raises:
        InputError: See ``read_blocks``.
        MissingExtraError: A package is not installed that it needs.
    """
    if options.encoding:
        find_encoding(options.encoding)
    head = stream.peek(HEAD)
    found = recognise(head, source.format, is_forced=source.is_forced)
    if isinstance(found, Failure):
        return found
    reader = READERS[found]
    for check in reader.needs:
        check()
    if reader.has_encoding:
        stream.transcode(stream_encoding(head, options.encoding))
    if reader.check:
        reader.check(stream, options)
    return found


@contextlib.contextmanager
def _opened(source: Source, stdin: BinaryIO | None) -> Iterator[Stream | Failure]:
    if source.path is None:
        assert stdin is not None  # noqa: S101 - a bug and no input
        yield Stream(stdin, source.name)
        return
    try:
        file = Path(source.path).open("rb")  # noqa: SIM115 - closed below
    except (OSError, ValueError) as err:
        reason = getattr(err, "strerror", None) or "it cannot be opened"
        yield Failure("unreadable_input", f"{reason}; check the path and permissions")
        return
    with file:
        yield Stream(file, source.name, source.path if _is_regular(source.path) else None)


def _is_regular(path: str | None) -> bool:
    try:
        return path is not None and stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116
    except (OSError, ValueError):
        return path is not None  # it is gone, and no pipe


def parse_block(block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Turn a block into documents, and rejects for records that cannot be tagged, in order."""
    return _PARSERS[block.kind](block, options)


def _give_rejects(block: Block, _options: ReadOptions) -> Iterator[Document | Reject]:
    yield from block.data.items


_PARSERS: dict[Kind, Callable[[Block, ReadOptions], Iterator[Document | Reject]]] = {
    "jsonl": parse_lines,
    "json": parse_elements,
    "rows": parse_rows,
    "arrow": parse_batch,
    "files": parse_files,
    "pages": parse_pages,
    "rejects": _give_rejects,
}
