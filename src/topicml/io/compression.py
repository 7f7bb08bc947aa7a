"""Bytes of an input, decompressed on the way, however its end or its members look."""

from __future__ import annotations

import contextlib
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, BinaryIO, NamedTuple

from topicml.errors import RecordError
from topicml.io.optional_dependencies import load_zstd
from topicml.text.decoding import transcode

READ_BYTES = 1 << 18
"""Bytes that are read at once."""

_PIECE = 1 << 20  # bytes that are decompressed at once, whatever a hostile file would give
_LONGEST_WINDOW = 31  # zstd --long=31, as some public dumps have; memory only where it is used
_MOST_MEMORY = 1 << 28  # for xz; its largest preset takes a quarter


class _GzipMember:
    """A gzip member with the interface that the other decompressors share."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._member.eof

    @property
    def unused_data(self) -> bytes:
        return self._member.unused_data

    def decompress(self, data: bytes, _size: int) -> bytes:
        if not self.needs_input:
            return self._member.decompress(data)  # raises again
        before = self._member.copy()
        try:
            return self._member.decompress(data)
        except zlib.error:
            self._member, self.needs_input = before, False
            return b"".join(_good_start(before, data))


def _good_start(member: Any, data: bytes) -> Iterator[bytes]:
    """Yield what can be decompressed before the damage, which would be lost with its piece."""
    with contextlib.suppress(zlib.error):
        for byte in data:
            yield member.decompress(bytes([byte]))


def _zstd_frame() -> Any:
    zstd = load_zstd()
    options = {zstd.DecompressionParameter.window_log_max: _LONGEST_WINDOW}
    return zstd.ZstdDecompressor(options=options)


class _Compression(NamedTuple):
    """A way to compress.

    Attributes:
        name: As messages call it.
        suffix: Of files.
        starts: First bytes of files.
        start: Makes a decompressor for one member, stream or frame.
        step: Bytes that it is given at once. What it made of them is lost where they are
            damaged, so they are few; gzip goes back, and makes a thousand times as many at most.
    """

    name: str
    suffix: str
    starts: tuple[bytes, ...]
    start: Callable[[], Any]
    step: int = 1 << 10


_ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes([low, 0x2A, 0x4D, 0x18]) for low in range(0x50, 0x60)))
_BZIP2 = tuple(
    b"BZh%d" % level + block
    for level in range(1, 10)
    for block in (b"1AY&SY", b"\x17rE8P\x90")  # of a first block, and of an end without any
)
_KNOWN = (
    _Compression("gzip", ".gz", (b"\x1f\x8b",), _GzipMember, 1 << 12),
    _Compression("Zstandard", ".zst", _ZSTD, _zstd_frame),
    _Compression("bzip2", ".bz2", _BZIP2, lambda: import_module("bz2").BZ2Decompressor()),
    _Compression(
        "xz",
        ".xz",
        (b"\xfd7zXZ\0",),
        lambda: import_module("lzma").LZMADecompressor(memlimit=_MOST_MEMORY),
    ),
)
_LONGEST_START = 10

COMPRESSIONS = tuple(known.suffix for known in _KNOWN)
"""Suffixes of compressed files."""


class Stream:
    """An input that is read once, from start to end, decompressed as its first bytes say.

    Args:
        file: To be read.
        name: What its records are said to be from.
        path: Of a regular file; None for what can be read only once.

    Attributes:
        name: See above.
        path: See above.
        consumed: Bytes read from the file, compressed ones where it is compressed.
        offset: Of the byte that is next, after decompression.
        compression: How it is compressed, known once something was read; None for not at all.
        encoding: What it is decoded from, see ``transcode``.
        failure: Set where it could not be read to its end. Reading goes on to what was
            decompressed before, and then ends as at the end of a file.
    """

    def __init__(self, file: BinaryIO, name: str, path: str | None = None) -> None:
        self.name = name
        self.path = path
        self.consumed = 0
        self.offset = 0
        self.compression: str | None = None
        self.encoding = "utf-8"
        self.failure: RecordError | None = None
        self._file = file
        self._pieces = self._decompressed()
        self._piece = b""
        self._at = 0

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
        self._pieces = (piece.replace(b"\r", b"\n") for piece in held)
        self._piece, self._at = b"", 0

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

    def _decompressed(self) -> Iterator[bytes]:
        try:
            reads = self._reads()
            head = b""
            # a pipe may give single bytes
            while len(head) < _LONGEST_START and (more := next(reads, b"")):
                head += more
            whole = itertools.chain([head] if head else [], reads)
            known = next((known for known in _KNOWN if head.startswith(known.starts)), None)
            self.compression = known and known.name
            yield from _decompress(whole, known) if known else whole
        except RecordError as err:
            self.failure = self.failure or err

    def _reads(self) -> Iterator[bytes]:
        try:
            while bytes_read := self._file.read(READ_BYTES):
                self.consumed += len(bytes_read)
                yield bytes_read
        except OSError as err:
            self.failure = RecordError("unreadable_input", err.strerror or "cannot be read")


def _decompress(reads: Iterable[bytes], how: _Compression) -> Iterator[bytes]:
    member = how.start()
    for data in _steps(reads, how.step):
        while data or not (member.eof or member.needs_input):
            if member.eof:
                data = data.lstrip(b"\0")  # padding between members
                if not data:
                    break
                member = how.start()
            try:
                piece = member.decompress(data, _PIECE)
            except Exception as err:
                detail = f"the {how.name} data are damaged here ({err})"
                raise RecordError("damaged_input", detail) from err
            yield piece
            data = member.unused_data if member.eof else b""
    if not member.eof:
        raise RecordError("truncated_input", f"the {how.name} data end too early")


def _steps(reads: Iterable[bytes], step: int) -> Iterator[bytes]:
    for data in reads:
        for start in range(0, len(data), step):
            yield data[start : start + step]
