"""The readers, a row a format: bytes to documents, or rejects where there is none.

A reader looks at the start of a stream and cuts it into records in one process (``cut``), and
turns them into documents in many (``parse``). A new format is a row of ``READERS`` here. Modules
are imported when a file needs them: all take as long to load as an article takes to be tagged.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, get_args

from topicml.errors import InputError, MissingExtraError, RecordError
from topicml.io.blocks import HEAD, Block, Cutter, Packer, parse_block
from topicml.io.compression import COMPRESSIONS, Stream
from topicml.io.optional_dependencies import load
from topicml.io.readers.fields import path_partitions
from topicml.io.readers.files import parse_file
from topicml.io.recognise import recognise
from topicml.io.records import Format, ReadOptions, make_reject
from topicml.io.remote import READ_AHEAD, open_object
from topicml.text.decoding import find_encoding, stream_encoding

if TYPE_CHECKING:
    from topicml.io.sources import Source

__all__ = ["COMPRESSIONS", "FORMATS", "READERS", "SUFFIXES", "Format", "Reader"]
__all__ += ["check_named", "check_sources", "parse_block", "read_blocks"]

FORMATS: tuple[Format, ...] = get_args(Format)

BLOCK_BYTES = 2_000_000
"""Input that is worked on at a time, unless told otherwise."""

Note = Callable[[str], None]


class Reader(NamedTuple):
    """How a format is read.

    Attributes:
        suffixes: Of files, each also with those of ``COMPRESSIONS`` behind it.
        cut: Module and function that returns what cuts a stream into records, about so many
            bytes at a time where several make an item. It raises ``InputError`` where no record
            at the start has the text's field.
        parse: Module and function that makes documents of them, see ``Block``.
        needs: Raise ``MissingExtraError`` where a package is not installed.
        has_encoding: Whether it is a text file of many records, which is read as UTF-8.
    """

    suffixes: tuple[str, ...]
    cut: str
    parse: str
    needs: tuple[Callable[[], object], ...] = ()
    has_encoding: bool = False


def _function(name: str) -> Any:
    """Return a function of one of the modules here."""
    module, _, function = name.partition(".")
    return getattr(importlib.import_module(f"{__name__}.{module}"), function)


def _check_extraction() -> object:
    return _function("html.check_extraction")()


def _check_documents(form: Format) -> object:
    return _function("documents.check_parser")(form)


def _check_mail() -> object:
    return _function("mail.check_mail")()


def _check_feeds() -> object:
    return _function("feed.check_feeds")()


_PYARROW = functools.partial(load, "pyarrow", "batch", "reading Parquet")
_FASTWARC = functools.partial(load, "fastwarc.warc", "articles", "reading WARC")


def _document(form: Format, *suffixes: str) -> Reader:
    """Return the reader of a format of documents; all are alike, and each is one record."""
    check = functools.partial(_check_documents, form)
    return Reader(suffixes, f"documents.cut_{form}", "documents.parse_document", (check,))


READERS: dict[Format, Reader] = {
    "jsonl": Reader((".jsonl", ".ndjson"), "jsonl.cut_lines", "jsonl.parse_lines", (), True),
    "json": Reader((".json",), "json.cut_elements", "jsonl.parse_element", (), True),
    "csv": Reader((".csv",), "csv_layout.cut_commas", "csv_rows.parse_row", (), True),
    "tsv": Reader((".tsv", ".tab"), "csv_layout.cut_tabs", "csv_rows.parse_row", (), True),
    "parquet": Reader((".parquet",), "parquet.cut_row_groups", "parquet.parse_batch", (_PYARROW,)),
    "warc": Reader(
        (".warc", ".wet"), "warc.cut_pages", "warc.parse_page", (_FASTWARC, _check_extraction)
    ),
    "txt": Reader((".txt", ".text", ".md", ".markdown"), "files.cut_text", "files.parse_file"),
    "html": Reader(
        (".html", ".htm", ".xhtml"), "files.cut_page", "files.parse_file", (_check_extraction,)
    ),
    "mhtml": Reader(
        (".mhtml", ".mht"), "mhtml.cut_archive", "mhtml.parse_archive", (_check_extraction,)
    ),
    "pdf": _document("pdf", ".pdf"),
    "docx": _document("docx", ".docx", ".docm", ".dotx"),
    "odt": _document("odt", ".odt", ".ott"),
    "rtf": _document("rtf", ".rtf"),
    "eml": Reader((".eml",), "mail.cut_mail", "mail.parse_mail", (_check_mail,)),
    "mbox": Reader((".mbox",), "mail.cut_mailbox", "mail.parse_mail", (_check_mail,)),
    "feed": Reader(
        (".rss", ".atom", ".rdf", ".xml"), "feed.cut_feed", "feed.parse_item", (_check_feeds,)
    ),
}
"""The formats that are read."""

SUFFIXES: dict[str, Format] = {
    suffix: form for form, reader in READERS.items() for suffix in reader.suffixes
}
"""Formats by the suffixes of files."""


def check_sources(sources: Sequence[Source], options: ReadOptions) -> list[Source]:
    """Look at the start of every file, so that a wrong field is found before anything is written.

    An input of records must have the text's field in one of its first records. Standard input
    and pipes, which can be read only once, are left to ``read_blocks``; so is what will be a
    reject: files that cannot be opened, of a format that is not read, or for want of a package,
    and whatever is wrong with a file that was found in a folder among others.

    Returns:
        The sources, each with the format that its content says.

    Raises:
        InputError: A field is missing, or a file is not what it is said to be.
        MissingExtraError: No source can be read without packages that are not installed.
    """
    checked: list[Source] = []
    errors: list[InputError | MissingExtraError] = []
    for source in sources:
        if _is_read_again(source):
            with _opened(source, BytesIO(), HEAD) as stream, contextlib.suppress(RecordError):
                try:
                    source = source._replace(format=_prepare(source, stream, options)[0])
                except (InputError, MissingExtraError) as err:
                    if isinstance(err, InputError) and not source.is_from_folder:
                        raise
                    errors.append(err)
        checked.append(source)
    if errors and len(errors) == len(sources):
        raise errors[0]
    check_named(checked, options)
    return checked


def first_fields(source: Source, options: ReadOptions) -> tuple[str, ...]:
    """Return the fields of the first record of a file; none where they cannot be told."""
    if not _is_read_again(source):
        return ()
    with _opened(source, BytesIO(), HEAD) as stream:
        try:
            return _prepare(source, stream, options)[1].fields
        except _UNREADABLE:
            return ()


def check_named(sources: Sequence[Source], options: ReadOptions) -> None:
    """Make sure that each field that was named is at the start of one of the files, or in its path.

    Where one of several sources can be read only once, nothing is known of it, and nothing said.

    Raises:
        InputError: A field is in none.
    """
    lacking: dict[str, InputError] | None = None
    for source in sources if options.fields.named else ():
        if not _is_read_again(source) or lacking == {}:
            return
        with _opened(source, BytesIO(), HEAD) as stream, contextlib.suppress(*_UNREADABLE):
            found = _lacking(source, _prepare(source, stream, options)[1])
            if found is not None:
                before = found if lacking is None else lacking
                lacking = {name: before[name] for name in before if name in found}
    _raise_lacking(lacking)


_UNREADABLE = (RecordError, InputError, MissingExtraError)


def _lacking(source: Source, cutter: Cutter) -> dict[str, InputError] | None:
    if cutter.lacking is None:
        return None
    there = path_partitions(source.name)
    return {name: error for name, error in cutter.lacking.items() if name not in there}


def _raise_lacking(lacking: dict[str, InputError] | None) -> None:
    for error in (lacking or {}).values():
        raise error


def read_blocks(
    sources: Sequence[Source],
    options: ReadOptions,
    stdin: BinaryIO,
    *,
    block_bytes: int = BLOCK_BYTES,
    note: Note = lambda _line: None,
    is_all: bool = True,
) -> Iterator[Block]:
    """Read sources as blocks of whole records, in order, in constant memory.

    The same input, options and ``block_bytes`` give the same blocks. What cannot be read is among
    them as a reject, and reading goes on.

    Args:
        sources: See ``sources.list_sources``.
        options: Which field is what, and so on.
        stdin: What a source without a path stands for.
        block_bytes: About how many bytes a block has. It has more where one record has.
        note: Told in one line each what was taken for separator, header and encoding of a file,
            and of files without records.
        is_all: Whether there are no other sources, in which a named field could be.

    Raises:
        InputError: Before the first block: the first source lacks the text's field or is not
            what it is said to be; or the only one, which can be read only once, lacks another.
    """
    packer = Packer(block_bytes, options, (parse_file, (), "utf-8"))
    item_bytes = block_bytes if options.limit is None else 1  # one record an item, to count them
    for number, source in enumerate(sources):
        if packer.is_done:
            break
        with _opened(source, stdin) as stream:
            try:
                form, cutter = _prepare(source, stream, options, item_bytes)
            except (RecordError, InputError, MissingExtraError) as err:
                if number == 0 and isinstance(err, InputError) and not source.is_from_folder:
                    raise
                reject = make_reject(source.name, 1, _as_record_error(err), b"")
                yield from packer.pack([reject], stream)
                continue
            if is_all and len(sources) == 1 and stream.is_read_once:
                _raise_lacking(_lacking(source, cutter))
            if stream.encoding != "utf-8":
                note(f"{stream.name}: read as {stream.encoding}")
            if cutter.description:
                note(f"{stream.name}: {cutter.description}")
            head = _function(READERS[form].parse), cutter.common, stream.encoding
            if not (yield from packer.pack(cutter, stream, head)):
                note(f"{stream.name}: there are no records in it")
    yield from packer.flush()


def _as_record_error(err: RecordError | InputError | MissingExtraError) -> RecordError:
    if isinstance(err, MissingExtraError):
        return RecordError("missing_dependency", str(err))
    if isinstance(err, InputError):
        return RecordError("unreadable_input", f"{err.what}. {err.hint}")
    return err


def _prepare(
    source: Source, stream: Stream, options: ReadOptions, block_bytes: int = BLOCK_BYTES
) -> tuple[Format, Cutter]:
    """Tell a stream's format and encoding, and look for the text.

    Raises:
        RecordError: It cannot be read.
        InputError: See ``read_blocks``.
        MissingExtraError: A package is not installed that it needs.
    """
    if options.encoding:
        find_encoding(options.encoding)
    head = stream.peek_start(HEAD)
    if stream.failure and not head:
        raise stream.failure
    found = recognise(head, source.format, is_forced=source.is_forced)
    reader = READERS[found]
    for check in reader.needs:
        check()
    if reader.has_encoding:
        stream.transcode(stream_encoding(head, options.encoding))
    return found, _function(reader.cut)(stream, options, block_bytes)


@contextlib.contextmanager
def _opened(source: Source, stdin: BinaryIO, at_once: int = READ_AHEAD) -> Iterator[Stream]:
    """Open a source; one that cannot be opened is a stream that fails at its start.

    Args:
        source: See above.
        stdin: What standard input is.
        at_once: Bytes of an object that are asked for at once.

    Raises:
        RemoteError: An object cannot be reached.
    """
    if source.remote:
        with open_object(source.remote, at_once) as remote:
            yield Stream(remote, source.name, remote=source.remote)
        return
    if source.fetched:
        content, url, charset = source.fetched.content, source.fetched.url, source.fetched.charset
        yield Stream(BytesIO(content), source.name, url=url, charset=charset)
        return
    if source.path is None:
        yield Stream(stdin, source.name)
        return
    try:
        file = Path(source.path).open("rb")  # noqa: SIM115 - closed below
    except (OSError, ValueError) as err:
        reason = getattr(err, "strerror", None) or "it cannot be opened"
        stream = Stream(BytesIO(), source.name)
        stream.failure = RecordError(
            "unreadable_input", f"{reason}; check the path and permissions"
        )
        yield stream
        return
    with file:
        yield Stream(file, source.name, source.path if _is_regular(source.path) else None)


def _is_read_again(source: Source) -> bool:
    """Whether the start of a source can be looked at before it is read."""
    return source.remote is not None or _is_regular(source.path)


def _is_regular(path: str | None) -> bool:
    try:
        return path is not None and stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116
    except (OSError, ValueError):
        return path is not None  # it is gone, and no pipe
