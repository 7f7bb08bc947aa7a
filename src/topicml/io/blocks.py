"""Records cut out of streams in one process, in blocks, and parsed in others."""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from topicml.errors import InputError, RecordError
from topicml.io.compression import READ_BYTES, Stream
from topicml.io.records import ReadOptions, Reject, Skip, make_reject
from topicml.text.document import Document

_PER_ITEM = 64  # bytes that a block is taken to have for an item besides its own


HEAD = 1 << 18
"""Bytes at the start of a file that its format, encoding and layout are told by."""


class Item(NamedTuple):
    """A record as it was cut out, or several that are cut out by the parser.

    Attributes:
        source: File that it is from.
        number: Its number in that file, from 1.
        offset: Where it starts in the decompressed file, where that is known.
        raw: Its bytes.
        about: What else its parser must know.
        is_several: Whether it may hold several records. Its parser leaves out those of other
            shards; of items of one record, none of them comes to be here.
    """

    source: str
    number: int
    offset: int | None
    raw: bytes
    about: tuple[str | None, ...] = ()
    is_several: bool = False


class Block(NamedTuple):
    """A piece of the input that one process works on; it can be pickled.

    Attributes:
        items: The records in order, rejects where one could not be cut out, and those that are
            no text.
        digest: SHA-256 of what was read, in hexadecimal digits.
        size: Bytes read from the files (compressed ones, where it is compressed), for progress.
        parse: Makes documents of an item.
        common: What it must know of all items.
        encoding: What the file was decoded by.
    """

    items: tuple[Outcome, ...]
    digest: str
    size: int
    parse: Parse
    common: tuple[str, ...]
    encoding: str

    def skipped(self) -> Counter[str]:
        """Count the records that are no text, by kind."""
        return Counter(item.kind for item in self.items if isinstance(item, Skip))


Outcome = Item | Reject | Skip
"""What a record is cut out as."""

Parse = Callable[[Item, Block, ReadOptions], Iterator[Document | Reject]]
"""Makes documents of an item; a ``RecordError`` that it raises is why there is none."""


class Cutter(Iterable[Outcome]):
    """Cuts a stream into records; this one finds none, those of the formats do.

    Attributes:
        common: What the parser must know of all records.
        fields: Names of those of the first record, where it has names, and of those inside them.
        description: What was found out of the file and is worth telling; nothing where it is not.
        is_whole: Whether the file is one record, which damage costs.
        lacking: What to say of each field that was named and that no record at the start has;
            None where there is no record to tell by.
    """

    common: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    description = ""
    is_whole = False
    lacking: Mapping[str, InputError] | None = None

    def __init__(self, stream: Stream) -> None:
        self._number = 1  # of the record that is next
        self._tail = b""  # where the stream could not be read to its end: the record cut in two
        self._stream = stream
        self._data = b""  # what was read and not yet cut, from ``_at`` on
        self._at = 0
        self._base: int | None = None  # where those data start in the file
        self._ended = False

    def __iter__(self) -> Iterator[Outcome]:
        """Yield the records, and why the stream could not be read where it is damaged."""
        for lost in self._stream.lost:
            yield self._reject(lost, b"", 0)
            self._number += 1
        yield from self._cut()
        while failure := self._stream.failure:
            offset = self._stream.place(self._stream.offset - len(self._tail))
            yield self._reject(failure, self._tail, offset)
            if self.is_whole or not self._stream.resume():
                return
            self._number += 1
            self._data, self._at, self._tail, self._ended = b"", 0, b"", False
            yield from self._cut()

    def _cut(self) -> Iterator[Outcome]:
        return iter(())

    def _reject(
        self, error: RecordError, raw: bytes, offset: int | None, length: int | None = None
    ) -> Reject:
        return make_reject(self._stream.name, self._number, error, raw, offset, length)

    def _read_on(self) -> None:
        """Read more; at the start, go to behind a byte-order mark."""
        start, held = self._stream.offset, self._data[self._at :]
        # as much as is held, so that a long record is not gone over too often
        bytes_read = self._stream.read(max(READ_BYTES, len(held)))
        self._data = held + bytes_read
        self._base = self._stream.place(start - len(held))
        self._at = len(BOM_UTF8) if start == 0 and bytes_read.startswith(BOM_UTF8) else 0
        self._ended = not bytes_read

    def _offset(self) -> int | None:
        return None if self._base is None else self._base + self._at


Head = tuple[Parse, tuple[str, ...], str]
"""What the items of a block share: ``parse``, ``common`` and ``encoding``."""


class Packer:
    """Gathers records into blocks, also those of several files where they share all else.

    Args:
        block_bytes: About how many bytes a block has.
        options: Which records are read.
        head: Of blocks of nothing but rejects.
    """

    def __init__(self, block_bytes: int, options: ReadOptions, head: Head) -> None:
        self._block_bytes = block_bytes
        self._options = options
        self._left = options.limit
        self._head = head
        self._items: list[Outcome] = []
        self._held = self._size = 0

    def pack(
        self, items: Iterable[Outcome], stream: Stream, head: Head | None = None
    ) -> Generator[Block, None, bool]:
        """Yield full blocks of the records of a stream; return whether there were any.

        Under a limit, each item must be one record.

        Args:
            items: The records.
            stream: That they are from.
            head: What they share; None where they are all rejects.
        """
        if head and head != self._head:
            yield from self.flush()
            self._head = head
        before, count = 0, 0
        for item in islice(items, self._left):
            count += 1
            if not self._takes(item):
                continue
            self._items.append(item)
            self._held += len(item.raw) + _PER_ITEM
            self._size += stream.consumed - before
            before = stream.consumed
            if self._held >= self._block_bytes:
                yield from self.flush()
        self._size += stream.consumed - before
        self._left = None if self._left is None else self._left - count
        return count > 0

    @property
    def is_done(self) -> bool:
        """Whether as many records were packed as are to be read."""
        return self._left == 0

    def _takes(self, item: Outcome) -> bool:
        is_several = isinstance(item, Item) and item.is_several
        return is_several or self._options.takes(item.source, item.number)

    def flush(self) -> Iterator[Block]:
        """Yield what is held as a block, if anything is."""
        if not self._items:
            return
        items, size = tuple(self._items), self._size
        self._items, self._held, self._size = [], 0, 0
        parse, common, encoding = self._head
        about = [_summary(item) for item in items if not isinstance(item, Item) or item.about]
        head = repr((common, items[0].number, about)).encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(b"\n".join([head, *(item.raw for item in items)])).hexdigest()
        yield Block(items, digest, size, parse, common, encoding)


def _summary(item: Outcome) -> tuple[str | int | None, ...]:
    if isinstance(item, Reject):
        return item.source, item.number, item.reason, item.length
    if isinstance(item, Skip):
        return item.source, item.number, item.kind
    return item.number, len(item.raw), *item.about


def parse_block(block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Turn a block into documents, and rejects for records that cannot be tagged, in order."""
    for item in block.items:
        if isinstance(item, Skip):
            continue
        if isinstance(item, Reject):
            yield item
            continue
        try:
            yield from block.parse(item, block, options)
        except RecordError as err:
            yield make_reject(item.source, item.number, err, item.raw, item.offset)
