"""Bytes of an input, decompressed on the way, however its end or its members look."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from topicml.errors import RecordError
from topicml.io.members import KNOWN, LONGEST_START, decompress
from topicml.io.remote import RemoteObject
from topicml.text.decoding import transcode

READ_BYTES = 1 << 18
"""Bytes that are read at once."""

COMPRESSIONS = tuple(known.suffix for known in KNOWN)
"""Suffixes of compressed files."""


class Stream:
    """An input that is read once, from start to end, decompressed as its first bytes say.

    Args:
        file: To be read.
        name: What its records are said to be from.
        path: Of a regular file; None for what can be read only once, and for objects.
        remote: The object that the file is; None for all else.
        url: What it was got from, see ``web``; None for all else.
        charset: What the server said of its encoding.

    Attributes:
        name: See above.
        path: See above.
        remote: See above.
        url: See above.
        charset: See above.
        consumed: Bytes read from the file, compressed ones where it is compressed.
        offset: Of the byte that is next, after decompression.
        compression: How it is compressed, known once something was read; None for not at all.
        encoding: What it is decoded from, see ``transcode``.
        failure: Set where it could not be read to its end. Reading goes on to what was
            decompressed before, and then ends as at the end of a file, see ``resume``.
        lost: What was wrong before the first bytes that can be read, see ``peek_start``.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        path: str | None = None,
        remote: RemoteObject | None = None,
        url: str | None = None,
        charset: str | None = None,
    ) -> None:
        self.name = name
        self.url = url
        self.charset = charset
        self.path = path
        self.remote = remote
        self.consumed = 0
        self.offset = 0
        self.compression: str | None = None
        self.encoding = "utf-8"
        self.failure: RecordError | None = None
        self._file = file
        self.lost: list[RecordError] = []
        self._decompressed = self._decompress()
        self._pieces = self._until_damage()
        self._piece = b""
        self._at = 0
        self._ends_at_returns = False

    @property
    def is_read_once(self) -> bool:
        """Whether what was read cannot be read again, as of a pipe."""
        return self.path is None and self.remote is None

    def read(self, size: int) -> bytes:
        """Return so many bytes, and fewer only at the end, however they come in."""
        parts = []
        while size > 0 and self._fill():
            part = self._take(self._at + size)
            size -= len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def peek(self, size: int) -> bytes:
        """Return so many bytes, or all there are, and leave them to be read."""
        head = self.read(size)
        self.offset -= len(head)
        self._piece = head + self._piece[self._at :]
        self._at = 0
        return head

    def peek_start(self, size: int) -> bytes:
        """Return the first bytes that can be read, as ``peek`` does."""
        while not (head := self.peek(size)) and (failure := self.failure) and self.resume():
            self.lost.append(failure)
        return head

    def resume(self) -> bool:
        """Go on behind the damage that ended reading; return whether anything is there."""
        failure, self.failure = self.failure, None
        self._pieces = self._until_damage()
        if self.encoding != "utf-8":
            self._pieces = transcode(self._pieces, self.encoding)
        if self._ends_at_returns:
            self._pieces = _with_line_feeds(self._pieces)
        if self._fill() or self.failure:
            return True
        self.failure = failure
        return False

    def rest_of_line(self, most: int) -> tuple[bytes, int]:
        """Read what is left of a line; return so much of it, with its end, and its length."""
        parts, length, end = [], 0, 0
        while not end and self._fill():
            end = self._piece.find(b"\n", self._at) + 1
            part = self._take(end or len(self._piece)).removesuffix(b"\n")
            parts.append(part[: max(most - length, 0)])
            length += len(part)
        return b"".join(parts) + b"\n" * bool(end), length

    def transcode(self, encoding: str) -> None:
        """Give UTF-8 from here on, see ``decoding.transcode``."""
        if encoding == "utf-8":
            return
        held = self._piece[self._at :]
        self._pieces = transcode(itertools.chain([held], self._pieces), encoding)
        self._piece, self._at = b"", 0
        self.encoding = encoding

    def end_lines_at_returns(self) -> None:
        """Give line feeds for carriage returns from here on; offsets stay as they are."""
        held = itertools.chain([self._piece[self._at :]], self._pieces)
        self._pieces = _with_line_feeds(held)
        self._piece, self._at = b"", 0
        self._ends_at_returns = True

    def place(self, offset: int) -> int | None:
        """Return an offset as it is in the file, or None where that is not known."""
        return offset if self.encoding == "utf-8" else None

    def _take(self, end: int) -> bytes:
        part = self._piece[self._at : end]
        self._at += len(part)
        self.offset += len(part)
        return part

    def _fill(self) -> bool:
        while self._at >= len(self._piece):
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._piece, self._at = piece, 0
        return True

    def _until_damage(self) -> Iterator[bytes]:
        """Yield what is decompressed, up to where something is damaged, or to the end."""
        for piece in self._decompressed:
            if isinstance(piece, RecordError):
                self.failure = self.failure or piece
                return
            yield piece

    def _decompress(self) -> Iterator[bytes | RecordError]:
        reads = self._reads()
        head = b""
        # a pipe may give single bytes
        while len(head) < LONGEST_START and (more := next(reads, b"")):
            head += more
        whole = itertools.chain([head] if head else [], reads)
        known = next((known for known in KNOWN if known.starts.match(head)), None)
        self.compression = known and known.name
        yield from decompress(whole, known) if known else whole

    def _reads(self) -> Iterator[bytes]:
        try:
            while bytes_read := self._file.read(READ_BYTES):
                self.consumed += len(bytes_read)
                yield bytes_read
        except OSError as err:
            self.failure = RecordError("unreadable_input", err.strerror or "cannot be read")


def _with_line_feeds(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Give line feeds for carriage returns."""
    return (piece.replace(b"\r", b"\n") for piece in pieces)
