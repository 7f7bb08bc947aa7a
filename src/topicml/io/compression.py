"""Bytes of an input, decompressed on the way, however its end or its members look."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

from topicml.io.optional_dependencies import load_zstd
from topicml.io.records import LARGEST_RECORD, MOST_RAW, Block, Reject

READ_BYTES = 1 << 18
"""Bytes that are read at once."""

_PIECE = 1 << 20  # bytes that are decompressed at once, whatever a hostile file would give
_GZIP = b"\x1f\x8b"
_ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes([low, 0x2A, 0x4D, 0x18]) for low in range(0x50, 0x60)))
_LONGEST_WINDOW = 31  # zstd --long=31, as some public dumps have; memory only where it is used


class Failure(NamedTuple):
    """Why an input could not be read to its end: a reject's reason and detail."""

    reason: str
    detail: str


class _DamageError(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        self.failure = Failure(reason, detail)
        super().__init__(detail)


class Stream:
    """An input that is read once, from start to end; gzip and Zstandard by their first bytes.

    Attributes:
        name: What its records are said to be from.
        consumed: Bytes read from the file, compressed ones where it is compressed.
        failure: Set where it could not be read to its end. Reading goes on to what was
            decompressed before, and then ends as at the end of a file.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self.consumed = 0
        self.failure: Failure | None = None
        self._file = file
        self._pieces = self._decompressed()
        self._piece = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """Return so many bytes, and fewer only at the end, however they come in."""
        parts = []
        while size > 0 and self._fill():
            part = self._piece[self._at : self._at + size]
            self._at += len(part)
            size -= len(part)
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def peek(self, size: int) -> bytes:
        """Return so many bytes, or all there are, and leave them to be read."""
        head = self.read(size)
        self._piece = head + self._piece[self._at :]
        self._at = 0
        return head

    def rest_of_line(self) -> Iterator[bytes]:
        """Yield what is left of a line, with its end, in pieces."""
        while self._fill():
            end = self._piece.find(b"\n", self._at) + 1
            part = self._piece[self._at : end or len(self._piece)]
            self._at += len(part)
            yield part
            if end:
                return

    def _fill(self) -> bool:
        while self._at >= len(self._piece):
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._piece, self._at = piece, 0
        return True

    def _decompressed(self) -> Iterator[bytes]:
        try:
            reads = self._reads()
            head = b""
            while len(head) < 4 and (
                bytes_read := next(reads, b"")
            ):  # a pipe may give single bytes
                head += bytes_read
            whole = itertools.chain([head] if head else [], reads)
            if head.startswith(_GZIP):
                yield from _gunzip(whole)
            elif head.startswith(_ZSTD):
                yield from _unzstd(whole)
            else:
                yield from whole
        except _DamageError as err:
            self.failure = err.failure
        except OSError as err:
            self.failure = Failure("unreadable_input", err.strerror or "cannot be read")

    def _reads(self) -> Iterator[bytes]:
        while bytes_read := self._file.read(READ_BYTES):
            self.consumed += len(bytes_read)
            yield bytes_read


def _gunzip(reads: Iterable[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        for bytes_read in reads:
            data = bytes_read
            while data:
                if member.eof:
                    data = data.lstrip(b"\0")  # padding between members
                    if not data:
                        break
                    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
                before = member.copy()
                try:
                    piece = member.decompress(data, _PIECE)
                except zlib.error:
                    yield from _good_start(before, data)
                    raise
                yield piece
                data = member.unused_data or member.unconsumed_tail
        while not member.eof and (piece := member.decompress(b"", _PIECE)):
            yield piece
    except zlib.error as err:
        raise _DamageError("damaged_input", f"the gzip data are damaged here ({err})") from err
    if not member.eof:
        raise _DamageError("truncated_input", "the gzip data end too early")


def _good_start(member: Any, data: bytes) -> Iterator[bytes]:
    """Yield what can be decompressed before the damage, which would be lost with its piece."""
    with contextlib.suppress(zlib.error):
        for byte in data:
            yield member.decompress(bytes([byte]))


def _unzstd(reads: Iterable[bytes]) -> Iterator[bytes]:
    zstd = load_zstd()
    options = {zstd.DecompressionParameter.window_log_max: _LONGEST_WINDOW}
    frame = zstd.ZstdDecompressor(options=options)
    try:
        for bytes_read in reads:
            data = bytes_read
            while data or not (frame.eof or frame.needs_input):
                if frame.eof:
                    frame = zstd.ZstdDecompressor(options=options)
                yield frame.decompress(data, _PIECE)
                data = frame.unused_data if frame.eof else b""
    except zstd.ZstdError as err:
        raise _DamageError("damaged_input", f"the Zstandard data are damaged here ({err})") from err
    if not frame.eof:
        raise _DamageError("truncated_input", "the Zstandard data end too early")


def make_reject(source: str, number: int, failure: Failure, raw: bytes) -> Reject:
    """Return a reject with as much of its bytes as is kept."""
    return Reject(source, number, *failure, raw[:MOST_RAW], len(raw))


def reject_block(reject: Reject, digest: str, size: int) -> Block:
    """Return a block of one record that was rejected when it was read.

    Without a digest it gets one of the bytes that are kept.
    """
    digest = digest or hashlib.sha256(reject.reason.encode() + reject.raw).hexdigest()
    return Block(reject.source, reject.number, "rejects", (reject,), digest, size)


def unread_block(stream: Stream, number: int, raw: bytes, size: int) -> Block:
    """Return the block that stands for what could not be read at the end of a stream.

    ``raw`` is the record that was cut in two.
    """
    failure = stream.failure
    assert failure is not None  # noqa: S101 - a bug and no input
    return reject_block(make_reject(stream.name, number, failure, raw), "", size)


TOO_LARGE = Failure("too_large", f"a record of more than {LARGEST_RECORD // 1_000_000} MB")


def pass_over(stream: Stream, number: int, start: Iterable[bytes]) -> tuple[Reject, str]:
    """Read to the end of a line that is too large; return it as a reject, and its digest.

    Args:
        stream: That the line is from.
        number: Of the line.
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
    return Reject(stream.name, number, *TOO_LARGE, raw, length), digest.hexdigest()
