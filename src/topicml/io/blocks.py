"""Records gathered into blocks in one process, and taken out of them in others."""

from __future__ import annotations

import hashlib
import itertools
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from topicml.io.compression import READ_BYTES, Stream
from topicml.io.records import (
    MOST_RAW,
    TOO_LARGE,
    Block,
    Failure,
    Kind,
    ReadOptions,
    Reject,
    make_reject,
)
from topicml.text.document import Document


class Item(NamedTuple):
    """A record as it was cut out.

    Attributes:
        source: File that it is from.
        number: Its number in that file, from 1.
        offset: Where it starts in the decompressed file, where that is known.
        raw: Its bytes.
        about: What else its parser must know.
    """

    source: str
    number: int
    offset: int | None
    raw: bytes
    about: tuple[str | None, ...] = ()


class Items(NamedTuple):
    """What ``Block.data`` holds for records that were cut out one by one.

    Attributes:
        common: What the parser must know of all of them.
        items: The records, and rejects where one could not be cut out.
    """

    common: tuple[str, ...]
    items: tuple[Item | Reject, ...]


class Cutter(Iterable[Item | Reject]):
    """Cuts a stream into records; its iterator yields them in order.

    Attributes:
        number: Of the record that is next, or was last.
        tail: Where the stream could not be read to its end: the record that was cut in two.
    """

    def __init__(self, stream: Stream) -> None:
        self.number = 0
        self.tail = b""
        self._stream = stream
        self._data = b""  # what was read and not yet cut, from ``_at`` on
        self._at = 0
        self._base: int | None = None  # where those data start in the file
        self._ended = False

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


class Packer:
    """Gathers records into blocks.

    Args:
        kind: Of the blocks.
        block_bytes: About how many bytes a block has.
        most: Records in a block, however small they are; None for any number.
        common: See ``Items``.
        encoding: See ``Block``.
    """

    def __init__(
        self,
        kind: Kind,
        block_bytes: int,
        *,
        most: int | None = None,
        common: tuple[str, ...] = (),
        encoding: str = "utf-8",
    ) -> None:
        self._kind: Kind = kind
        self._block_bytes = block_bytes
        self._most = most
        self._common = common
        self._encoding = encoding
        self._items: list[Item | Reject] = []
        self._held = self._size = 0

    def add(self, item: Item | Reject, size: int) -> bool:
        """Take a record that so many bytes were read for; return whether the block is full."""
        self._items.append(item)
        self._held += len(item.raw) + 1
        self._size += size
        return self._held >= self._block_bytes or len(self._items) == self._most

    def flush(self, size: int = 0) -> Iterator[Block]:
        """Yield what is held as a block, if anything is; so many more bytes were read."""
        if not self._items:
            return
        items = tuple(self._items)
        about = [_summary(item) for item in items if isinstance(item, Reject) or item.about]
        head = repr((self._common, items[0].number, about)).encode("utf-8", "surrogatepass")
        digest = hashlib.sha256(b"\n".join([head, *(item.raw for item in items)]))
        first, size = items[0], self._size + size
        self._items, self._held, self._size = [], 0, 0
        data = Items(self._common, items)
        yield Block(
            *(first.source, first.number, self._kind, data, digest.hexdigest()),
            *(size, first.offset, self._encoding),
        )


def _summary(item: Item | Reject) -> tuple[Any, ...]:
    if isinstance(item, Reject):
        return item.source, item.number, item.reason, item.length
    return item.number, len(item.raw), *item.about


def pack(
    stream: Stream, cutter: Cutter, kind: Kind, block_bytes: int, common: tuple[str, ...] = ()
) -> Iterator[Block]:
    """Yield the records of a stream in blocks, and at last why it could not be read to its end."""
    packer = Packer(kind, block_bytes, common=common, encoding=stream.encoding)
    before = 0
    for item in cutter:
        is_full = packer.add(item, stream.consumed - before)
        before = stream.consumed
        if is_full:
            yield from packer.flush()
    if stream.failure:
        yield from packer.flush()
        yield unread_block(stream, cutter.number, cutter.tail, stream.consumed - before)
    else:
        yield from packer.flush(stream.consumed - before)


def parse_items(
    items: Iterable[Item | Reject],
    block: Block,
    options: ReadOptions,
    parse: Callable[[Item, Block, ReadOptions], Document | Failure],
) -> Iterator[Document | Reject]:
    """Yield what a parser makes of each record."""
    for item in items:
        made = item if isinstance(item, Reject) else parse(item, block, options)
        if isinstance(made, Failure):
            yield make_reject(item.source, item.number, made, item.raw, item.offset)
        else:
            yield made


def reject_block(reject: Reject, size: int) -> Block:
    """Return a block of one record that was rejected when it was read."""
    head = repr(_summary(reject)).encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(head + reject.raw).hexdigest()
    data = Items((), (reject,))
    return Block(reject.source, reject.number, "rejects", data, digest, size, reject.offset)


def unread_block(stream: Stream, number: int, raw: bytes, size: int) -> Block:
    """Return the block that stands for what could not be read at the end of a stream.

    ``raw`` is the record that was cut in two.
    """
    failure = stream.failure
    assert failure is not None  # noqa: S101 - a bug and no input
    offset = stream.place(stream.offset - len(raw))
    return reject_block(make_reject(stream.name, number, failure, raw, offset), size)


def pass_over(stream: Stream, number: int, offset: int, start: Iterable[bytes]) -> Reject:
    """Read to the end of a line that is too large, and return it as a reject.

    Args:
        stream: That the line is from.
        number: Of the line.
        offset: Where it starts.
        start: What was read of it.
    """
    raw = b""
    length = 0
    for part in itertools.chain(start, stream.rest_of_line()):
        line = part.removesuffix(b"\n")
        raw += line[: MOST_RAW - len(raw)]
        length += len(line)
    return Reject(stream.name, number, *TOO_LARGE, raw, length, stream.place(offset))
