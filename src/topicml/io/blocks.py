"""Records gathered into blocks in one process, and taken out of them in others."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

from topicml.io.compression import Stream
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


class Cutter(Protocol):
    """Cuts a stream into records.

    Attributes:
        number: Of the record that is next, or was last.
        tail: Where the stream could not be read to its end: the record that was cut in two.
    """

    number: int
    tail: bytes

    def __iter__(self) -> Iterator[Item | Reject]:
        """Yield the records in order."""
        ...


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

    def add(self, item: Item | Reject, size: int) -> Iterator[Block]:
        """Take a record that so many bytes were read for, and yield the block that it fills."""
        self._items.append(item)
        self._held += len(item.raw) + 1
        self._size += size
        if self._held >= self._block_bytes or len(self._items) == self._most:
            yield from self.flush()

    def flush(self, size: int = 0) -> Iterator[Block]:
        """Yield what is held as a block, if anything is; so many more bytes were read."""
        if not self._items:
            return
        items = tuple(self._items)
        digest = hashlib.sha256(repr(self._common).encode())
        for item in items:
            digest.update(_summary(item) + item.raw)
        first, size = items[0], self._size + size
        self._items, self._held, self._size = [], 0, 0
        data = Items(self._common, items)
        yield Block(
            *(first.source, first.number, self._kind, data, digest.hexdigest()),
            *(size, first.offset, self._encoding),
        )


def _summary(item: Item | Reject) -> bytes:
    about = (item.reason, item.length) if isinstance(item, Reject) else item.about
    return repr((item.source, item.number, about, len(item.raw))).encode("utf-8", "surrogatepass")


def pack(
    stream: Stream, cutter: Cutter, kind: Kind, block_bytes: int, common: tuple[str, ...] = ()
) -> Iterator[Block]:
    """Yield the records of a stream in blocks, and at last why it could not be read to its end."""
    packer = Packer(kind, block_bytes, common=common, encoding=stream.encoding)
    before = 0
    for item in cutter:
        yield from packer.add(item, stream.consumed - before)
        before = stream.consumed
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


def reject_block(reject: Reject, size: int, digest: str = "") -> Block:
    """Return a block of one record that was rejected when it was read.

    Without a digest it gets one of the bytes that are kept.
    """
    digest = digest or hashlib.sha256(reject.reason.encode() + reject.raw).hexdigest()
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


def pass_over(
    stream: Stream, number: int, offset: int, start: Iterable[bytes]
) -> tuple[Reject, str]:
    """Read to the end of a line that is too large; return it as a reject, and its digest.

    Args:
        stream: That the line is from.
        number: Of the line.
        offset: Where it starts.
        start: What was read of it.
    """
    digest = hashlib.sha256()
    raw = b""
    length = 0
    for part in itertools.chain(start, stream.rest_of_line()):
        digest.update(part)
        line = part.removesuffix(b"\n")
        raw += line[: MOST_RAW - len(raw)]
        length += len(line)
    place = stream.place(offset)
    return Reject(stream.name, number, *TOO_LARGE, raw, length, place), digest.hexdigest()
