"""The input of a batch run: which files, in which formats, as blocks and then as records."""

from __future__ import annotations

import functools
import glob
import itertools
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, cast, get_args

from topicml.errors import InputError
from topicml.io.compression import Failure, Stream, make_reject, reject_block
from topicml.io.optional_dependencies import load_zstd
from topicml.io.readers.csv import check_header, cut_rows, parse_rows
from topicml.io.readers.html import check_extractor, cut_files, parse_files
from topicml.io.readers.jsonl import check_lines, cut_lines, parse_lines
from topicml.io.readers.parquet import check_columns, cut_row_groups, parse_batch
from topicml.io.readers.warc import check_archive, cut_pages, parse_pages
from topicml.io.records import Block, Fields, Kind, Reject
from topicml.text.document import Document

Format = Literal["jsonl", "csv", "tsv", "parquet", "txt", "html", "warc"]
FORMATS: tuple[Format, ...] = get_args(Format)

STDIN = "<stdin>"

_SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".warc": "warc",
    ".html": "html",
    ".htm": "html",
    ".txt": "txt",
    ".text": "txt",
    ".md": "txt",
}
_COMPRESSED = (".gz", ".zst")
_DELIMITERS = {"csv": ",", "tsv": "\t"}
_ONE_RECORD = ("txt", "html")
_LONGEST_NAME = 200


class Source(NamedTuple):
    """A file to be read, or standard input.

    Attributes:
        name: As records, rejects and errors call it.
        path: None for standard input.
        format: How it is read.
    """

    name: str
    path: str | None
    format: Format


def list_sources(inputs: Sequence[str], input_format: str | None = None) -> list[Source]:
    """Return the files that the inputs stand for, in their order.

    Args:
        inputs: Files, globs, folders (the text and HTML files in them) and ``-``.
        input_format: One of ``FORMATS``; without it, a file's name says, and standard input
            is JSON Lines.

    Raises:
        InputError: A file that is missing or of an unknown format, a glob that matches nothing,
            a folder without texts, ``-`` twice.
    """
    if input_format is not None and input_format not in FORMATS:
        raise InputError(
            f"unknown input format {input_format!r}", hint=f"Known: {', '.join(FORMATS)}"
        )
    if list(inputs).count("-") > 1:
        raise InputError("standard input (-) is named twice", hint="Name it once.")
    found: list[Source] = []
    for name in inputs:
        found += _expand(name, input_format)
    return found


def _expand(name: str, forced: Format | None) -> Iterable[Source]:
    if name == "-":
        return [Source(STDIN, None, forced or "jsonl")]
    if _mode(name) is not None:
        return _list_path(name, forced)
    matches = sorted(glob.glob(name, recursive=True)) if glob.has_magic(name) else []  # noqa: PTH207
    if not matches:
        short = name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "…"
        raise InputError(
            "no file matches this" if glob.has_magic(name) else "no such file or folder",
            where=short,
            hint="Check the path.",
        )
    return itertools.chain.from_iterable(_list_path(match, forced) for match in matches)


def _mode(path: str) -> int | None:
    try:
        return os.stat(path).st_mode  # noqa: PTH116 - Path is slow for a million files
    except (OSError, ValueError):
        return None


def _list_path(path: str, forced: Format | None) -> list[Source]:
    mode = _mode(path)
    if mode is not None and stat.S_ISDIR(mode):
        return _list_folder(path, forced)
    known = forced or _format_of(path)
    if known is None and mode is not None and not stat.S_ISREG(mode):
        known = "jsonl"  # a pipe has no name that says
    if known is None:
        raise InputError(
            "a format that is not read",
            where=_name(path),
            hint=f"Read are {', '.join(_SUFFIXES)}, all but .parquet also with .gz or .zst behind. "
            f"Or name its format: --input-format {'|'.join(FORMATS)}",
        )
    return [Source(_name(path), path, known)]


def _list_folder(folder: str, forced: Format | None) -> list[Source]:
    wanted = {*_ONE_RECORD, forced}
    files = []
    others: set[str] = set()
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            known = _format_of(name)
            if known is None or name.startswith("."):
                continue
            if known in wanted:
                files.append(os.path.join(root, name))  # noqa: PTH118
            else:
                others.add(Path(name).suffixes[0])
    if not files:
        suffix = min(others, default=None)
        dumps = f' Dumps are named by a glob: "{folder}/**/*{suffix}*"' if suffix else ""
        raise InputError(
            "no text or HTML files in this folder",
            where=_name(folder),
            hint=f"Files ending in {', '.join(_suffixes_of(_ONE_RECORD))} are read.{dumps}",
        )
    files.sort(key=lambda path: Path(path).parts)
    return [Source(_name(file), file, forced or cast("Format", _format_of(file))) for file in files]


def _suffixes_of(formats: Iterable[str]) -> list[str]:
    return sorted(suffix for suffix, known in _SUFFIXES.items() if known in formats)


def _format_of(path: str) -> Format | None:
    name = path.lower()
    plain = name
    for suffix in _COMPRESSED:
        plain = plain.removesuffix(suffix)
    known = _SUFFIXES.get(os.path.splitext(plain)[1])  # noqa: PTH122
    return None if known == "parquet" and plain != name else known


def _name(path: str) -> str:
    return os.fsencode(path).decode("utf-8", errors="replace")  # a file name may be any bytes


def check_fields(
    inputs: Sequence[str], fields: Fields, input_format: str | None = None
) -> list[Source]:
    """Look at the start of every file, so that a wrong field is found before anything is written.

    An input of records must have the text's field in one of its first records. Standard input
    and pipes, which can be read only once, are left to ``read_blocks``.

    Returns:
        The files that will be read.

    Raises:
        InputError: A field or a file is missing, or a file is not what it is said to be.
        MissingExtraError: A package is not installed that one of the formats needs.
    """
    sources = list_sources(inputs, input_format)
    if any(source.format == "html" for source in sources):
        check_extractor()
    if any(source.path and source.path.lower().endswith(".zst") for source in sources):
        load_zstd()
    for source in sources:
        if source.format == "parquet":
            path = _seekable(source)
            check_columns(path, source.name, fields)
        elif source.format not in _ONE_RECORD and _is_regular(source):
            with _open(source) as file:
                _check(source, Stream(file, source.name), fields)
    return sources


def _seekable(source: Source) -> Path:
    if source.path is None or not _is_regular(source):
        raise InputError(
            "Parquet cannot be read from a pipe", where=source.name, hint="Name the file itself."
        )
    return Path(source.path)


def _is_regular(source: Source) -> bool:
    return source.path is not None and stat.S_ISREG(_mode(source.path) or 0)


def _open(source: Source) -> BinaryIO:
    try:
        return Path(source.path or "").open("rb")
    except OSError as err:
        raise InputError(
            err.strerror or "cannot be read",
            where=source.name,
            hint="Check the path and permissions.",
        ) from err


def _check(source: Source, stream: Stream, fields: Fields) -> None:
    if source.format == "jsonl":
        check_lines(stream, fields)
    elif source.format == "warc":
        check_archive(stream)
    else:
        check_header(stream, fields, _DELIMITERS[source.format])


def read_blocks(
    inputs: Sequence[str],
    fields: Fields,
    stdin: BinaryIO,
    *,
    block_bytes: int = 2_000_000,
    input_format: str | None = None,
) -> Iterator[Block]:
    """Read the inputs as blocks of whole records, in order, in constant memory.

    The same input and ``block_bytes`` give the same blocks. All inputs are looked at before this
    returns, see ``check_fields``; reading starts with the first block that is asked for. What
    cannot be read after that is among the blocks as a reject, and the run goes on.

    Args:
        inputs: Files, globs, folders and ``-``.
        fields: Which fields are what.
        stdin: What ``-`` stands for.
        block_bytes: About how many bytes a block has. It has more where one record has.
        input_format: One of ``FORMATS``, for all inputs.

    Raises:
        InputError: See ``check_fields``.
        MissingExtraError: See ``check_fields``.
    """
    sources = check_fields(inputs, fields, input_format)
    opened: dict[str, Stream] = {}
    for source in sources:
        if source.format not in (*_ONE_RECORD, "parquet") and not _is_regular(source):
            stream = Stream(stdin if source.path is None else _open(source), source.name)
            _check(source, stream, fields)
            opened[source.name] = stream
    return _read_all(sources, fields, stdin, block_bytes, opened)


def _read_all(
    sources: Iterable[Source],
    fields: Fields,
    stdin: BinaryIO,
    block_bytes: int,
    opened: dict[str, Stream],
) -> Iterator[Block]:
    for one_record, group in itertools.groupby(sources, lambda s: s.format in _ONE_RECORD):
        if one_record:
            files = (
                (s.name, s.format == "html", functools.partial(_open_raw, s, stdin)) for s in group
            )
            yield from cut_files(files, block_bytes)
        else:
            for source in group:
                yield from _read_source(source, fields, block_bytes, opened)


def _open_raw(source: Source, stdin: BinaryIO) -> BinaryIO:
    return stdin if source.path is None else Path(source.path).open("rb")


def _read_source(
    source: Source, fields: Fields, block_bytes: int, opened: dict[str, Stream]
) -> Iterator[Block]:
    try:
        if source.format == "parquet":
            yield from cut_row_groups(_seekable(source), source.name, fields, block_bytes)
        elif source.name in opened:
            yield from _cut(source, opened.pop(source.name), block_bytes)
        else:
            with _open(source) as file:
                yield from _cut(source, Stream(file, source.name), block_bytes)
    except InputError as err:  # it was there when all were looked at
        failure = Failure("unreadable_input", err.what)
        yield reject_block(make_reject(source.name, 1, failure, b""), "", 0)


def _cut(source: Source, stream: Stream, block_bytes: int) -> Iterator[Block]:
    if source.format == "jsonl":
        return cut_lines(stream, block_bytes)
    if source.format == "warc":
        return cut_pages(stream, block_bytes)
    return cut_rows(stream, _DELIMITERS[source.format], block_bytes)


def parse_block(block: Block, fields: Fields) -> Iterator[Document | Reject]:
    """Turn a block into its records, and rejects for those that cannot be tagged, in order."""
    return _PARSERS[block.kind](block, fields)


def _give_rejects(block: Block, fields: Fields) -> Iterator[Document | Reject]:  # noqa: ARG001
    yield from block.data


_PARSERS: dict[Kind, Callable[[Block, Fields], Iterator[Document | Reject]]] = {
    "jsonl": parse_lines,
    "rows": parse_rows,
    "arrow": parse_batch,
    "files": parse_files,
    "pages": parse_pages,
    "rejects": _give_rejects,
}
