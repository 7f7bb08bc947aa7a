"""Compressed data: members, streams or frames, one after another, and what follows damage."""

from __future__ import annotations

import contextlib
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, NamedTuple

from topicml.errors import RecordError
from topicml.io.optional_dependencies import load_zstd

_PIECE = 1 << 20  # bytes that are decompressed at once, whatever a hostile file would give
_LONGEST_WINDOW = 31  # zstd --long=31, as some public dumps have; memory only where it is used
_MOST_MEMORY = 1 << 28  # for xz; its largest preset takes a quarter
_MOST_HELD = 1 << 22  # bytes of a member that are held back until its checksum is known
_HELD_BEHIND = 1 << 18  # bytes that are gone back to of a longer one, for where the next starts
_TRIED = 1 << 16  # bytes by which what looks like a member is known to be one


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


class Compression(NamedTuple):
    """A way to compress.

    Attributes:
        name: As messages call it.
        suffix: Of files.
        starts: Matches the first bytes of files, in gzip also where one of them is damaged.
        member: Matches those of a member; it is looked for behind damage.
        start: Makes a decompressor for one member, stream or frame.
        step: Bytes that it is given at once. What it made of them is lost where they are
            damaged, so they are few; gzip goes back, and makes a thousand times as many at most.
    """

    name: str
    suffix: str
    starts: re.Pattern[bytes]
    member: re.Pattern[bytes]
    start: Callable[[], Any]
    step: int = 1 << 10


_GZIP = re.compile(rb"\x1f\x8b|(?:\x1f.|.\x8b)\x08[\0-\x1f]", re.DOTALL)
_GZIP_MEMBER = re.compile(rb"\x1f\x8b\x08[\0-\x1f]")
_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")  # a frame, or one to skip
_ZSTD_FRAME = re.compile(rb"\x28\xb5\x2f\xfd")
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")  # and a first block, or an end
_XZ = re.compile(rb"\xfd7zXZ\0")
KNOWN = (
    Compression("gzip", ".gz", _GZIP, _GZIP_MEMBER, _GzipMember, 1 << 12),
    Compression("Zstandard", ".zst", _ZSTD, _ZSTD_FRAME, _zstd_frame),
    Compression("bzip2", ".bz2", _BZIP2, _BZIP2, lambda: import_module("bz2").BZ2Decompressor()),
    Compression(
        "xz",
        ".xz",
        _XZ,
        _XZ,
        lambda: import_module("lzma").LZMADecompressor(memlimit=_MOST_MEMORY),
    ),
)
"""The compressions that are read."""

LONGEST_START = 10
"""Bytes by which each is known."""


class _Input:
    """Compressed bytes that can be gone back to, as far as they are not forgotten.

    Attributes:
        position: In the file, of the byte that is next.
    """

    def __init__(self, reads: Iterable[bytes]) -> None:
        self.position = 0
        self._reads = iter(reads)
        self._held = bytearray()
        self._base = 0  # where they start in the file

    def read(self, size: int) -> bytes:
        """Return the next bytes, so many at most; none at the end."""
        at = self.position - self._base
        if at == len(self._held):
            self._held += next(self._reads, b"")
        data = bytes(self._held[at : at + size])
        self.position += len(data)
        return data

    def forget(self, position: int) -> None:
        """Go never back to before a position."""
        if position > self._base:
            del self._held[: position - self._base]
            self._base = position

    def skip_padding(self) -> bool:
        """Go to behind zeros, which may stand between members; return whether more is there."""
        while data := self.read(1 << 12):
            if rest := data.lstrip(b"\0"):
                self.position -= len(rest)
                return True
        return False

    def find(self, pattern: re.Pattern[bytes], position: int) -> bool:
        """Go to the next match from a position on, or to the end; return whether there is one."""
        self.position = max(position, self._base)
        while True:
            match = pattern.search(self._held, self.position - self._base)
            if match:
                self.position = self._base + match.start()
                return True
            end = self._base + len(self._held)
            self.position = max(self.position, end - LONGEST_START)
            self.forget(self.position)
            more = next(self._reads, b"")
            if not more:
                self.position = end
                return False
            self._held += more


def decompress(reads: Iterable[bytes], how: Compression) -> Iterator[bytes | RecordError]:
    """Yield what members hold, and where one is damaged an error in its place.

    A member of ordinary size is held back until its checksum is known. Where it is damaged, it
    costs what is in it and no other; only of a file's single member, and of a very large one,
    all before the damage is given. Where a file ends too early, so is all before that.
    """
    data = _Input(reads)
    while data.skip_padding():
        yield from _read_member(data, how)


def _read_member(data: _Input, how: Compression) -> Iterator[bytes | RecordError]:
    start = data.position
    data.forget(start)
    held: list[bytes] = []
    size, is_held = 0, True
    failure = None
    try:
        for piece in _pieces(data, how):
            held.append(piece)
            size += len(piece)
            if max(size, data.position - start) > _MOST_HELD:
                yield from held
                held, is_held = [], False
                data.forget(data.position - _HELD_BEHIND)
    except RecordError as err:
        failure = err
    wrong = data.position
    is_followed = failure is not None and _find_member(data, how, start + 1)
    is_cut_off = failure is not None and failure.reason == "truncated_input" and not is_followed
    is_single = start == 0 and not is_followed
    if failure is None or is_cut_off or is_single:
        yield from held
    if failure is not None:
        first = start if is_held else wrong - how.step
        yield failure if is_cut_off else _damage(how, failure, first, data.position)


def _pieces(data: _Input, how: Compression) -> Iterator[bytes]:
    """Yield what a member holds, and go to behind it.

    Raises:
        RecordError: It is damaged, or cut off.
    """
    member = how.start()
    while not member.eof:
        step = data.read(how.step) if member.needs_input else b""
        if member.needs_input and not step:
            raise RecordError("truncated_input", f"the {how.name} data end too early")
        try:
            piece = member.decompress(step, _PIECE)
        except Exception as err:
            raise RecordError("damaged_input", str(err)) from err
        yield piece
    data.position -= len(member.unused_data)


def _damage(how: Compression, failure: RecordError, first: int, end: int) -> RecordError:
    span = f"bytes {first} to {end - 1} of the file cannot be read"
    return RecordError(
        "damaged_input", f"the {how.name} data are damaged: {span} ({failure.detail})"
    )


def _find_member(data: _Input, how: Compression, position: int) -> bool:
    """Go to where the next member starts that can be read, or to the end; return whether one is.

    It is looked for from where the damaged one starts: what that is taken to be may go on beyond
    its end.
    """
    while data.find(how.member, position):
        position = data.position
        if _is_member(data, how):
            data.position = position
            return True
        position += 1
    return False


def _is_member(data: _Input, how: Compression) -> bool:
    """Whether what starts here can be read, as far as is tried."""
    start, size = data.position, 0
    try:
        for piece in _pieces(data, how):
            size += len(piece)
            if max(size, data.position - start) > _TRIED:
                break
    except RecordError as err:
        return err.reason == "truncated_input"
    return True
