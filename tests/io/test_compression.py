import bz2
import gzip
import io
import lzma
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import zstd

from topicml.errors import MissingExtraError
from topicml.io.compression import Stream

DATA = bytes(range(256)) * 5000


class Trickle(io.RawIOBase):
    """Gives a few bytes at a time, as a pipe may."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, 3))


def stream(data: bytes) -> Stream:
    return Stream(io.BytesIO(data), "x")


COMPRESS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstd,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
PACKED = [kind for kind in COMPRESS if kind != "plain"]
MANY = [
    b"",
    DATA,
    gzip.compress(DATA) + gzip.compress(b"more") + gzip.compress(b""),
    gzip.compress(DATA) + b"\0" * 600 + gzip.compress(b"more") + b"\0" * 9,
    zstd(DATA) + zstd(b"") + zstd(b"more"),
    b"\x50\x2a\x4d\x18\x04\0\0\0skip"
    + zstd(DATA)
    + b"\x51\x2a\x4d\x18\x02\0\0\0xx"
    + zstd(b"more"),
    bz2.compress(DATA) + bz2.compress(b"") + bz2.compress(b"more"),
    bz2.compress(b"") + bz2.compress(DATA + b"more"),
    lzma.compress(DATA) + lzma.compress(b"more"),
    lzma.compress(DATA) + bytes(8) + lzma.compress(b"more") + bytes(4),
]


@pytest.mark.parametrize("data", MANY, ids=range(len(MANY)))
def test_all_members_and_frames_are_read(data: bytes) -> None:
    expected = DATA + b"more" if data not in (b"", DATA) else data
    whole = stream(data)
    assert whole.read(10**9) == expected
    assert whole.read(1) == b""
    assert whole.failure is None
    assert whole.consumed == len(data)


@pytest.mark.parametrize("compress", COMPRESS.values(), ids=COMPRESS)
def test_a_trickle_is_read_as_if_it_came_at_once(compress: Callable[[bytes], bytes]) -> None:
    data = compress(DATA[:3000])
    slow = Stream(Trickle(data), "x")  # type: ignore[arg-type]
    assert slow.read(1000) == DATA[:1000]
    assert slow.read(9000) == DATA[1000:3000]


@given(st.lists(st.integers(1, 400), max_size=20), st.sampled_from(sorted(COMPRESS)))
def test_reading_peeking_and_lines_give_the_same_bytes(sizes: list[int], kind: str) -> None:
    data = DATA[:4000]
    source = stream(COMPRESS[kind](data))
    out = b""
    for size in sizes:
        assert source.peek(size) == data[len(out) : len(out) + size]
        out += source.read(size) if size % 2 else source.rest_of_line(10**9)[0]
        assert out == data[: len(out)]


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("lost", [1, 5, 1000])
def test_what_was_decompressed_before_the_end_is_used(kind: str, lost: int) -> None:
    import random

    noise = random.Random(0).randbytes(2_700_000)  # noqa: S311
    data = COMPRESS[kind](noise)
    short = stream(data[:-lost])
    good = short.read(10**9)
    assert noise.startswith(good)
    assert len(good) > 1_500_000
    assert short.failure is not None
    assert short.failure.reason == "truncated_input"


@pytest.mark.parametrize("data", [COMPRESS[kind](DATA) for kind in PACKED], ids=PACKED)
def test_damage_and_what_comes_behind_the_last_member_are_told(data: bytes) -> None:
    behind = stream(data + b"garbage that is no member")
    assert behind.read(10**9) == DATA
    assert behind.failure is not None
    assert behind.failure.reason == "damaged_input"


def segments(source: Stream) -> list[bytes]:
    """All that can be read, by what damage lies between."""
    found = [source.read(10**9)]
    while source.failure and source.resume():
        found.append(source.read(10**9))
    return found


PARTS = [bytes([n]) * 500 + DATA[n : n + 3000 : 7] for n in range(4)]


@pytest.mark.parametrize("kind", PACKED)
def test_a_damaged_member_costs_what_is_in_it(kind: str) -> None:
    members = [COMPRESS[kind](part) for part in PARTS]
    for number in range(1, 4):
        damaged = bytearray(members[number])
        damaged[:4] = b"oops"
        packed = b"".join([*members[:number], bytes(damaged), *members[number + 1 :]])
        source = stream(packed)
        assert b"".join(segments(source)) == b"".join(PARTS[:number] + PARTS[number + 1 :])
        assert source.consumed == len(packed)


@given(st.integers(0, 3), st.integers(0, 10**6), st.integers(1, 255))
def test_a_flipped_byte_costs_no_other_member(number: int, where: int, mask: int) -> None:
    members = [gzip.compress(part, mtime=0) for part in PARTS]
    flipped = bytearray(members[number])
    flipped[where % len(flipped)] ^= mask
    source = stream(b"".join([*members[:number], bytes(flipped), *members[number + 1 :]]))
    found = b"".join(segments(source))
    assert found in (b"".join(PARTS), b"".join(PARTS[:number] + PARTS[number + 1 :]))


def test_of_a_long_member_all_before_the_damage_is_read() -> None:
    import random

    noise = random.Random(0).randbytes(6_000_000)  # noqa: S311
    packed = bytearray(gzip.compress(noise) + gzip.compress(b"more"))
    packed[5_000_000] ^= 0xFF
    first, *rest = segments(stream(bytes(packed)))
    assert len(first) > 4_500_000
    assert rest == [b"more"]


def test_a_wrong_checksum_is_told() -> None:
    data = bytearray(gzip.compress(DATA))
    data[-6] ^= 1
    wrong = stream(bytes(data))
    assert wrong.read(10**9) == DATA
    assert wrong.failure is not None
    assert wrong.failure.reason == "damaged_input"


@given(
    st.binary(max_size=300),
    st.sampled_from(
        [b"\x1f\x8b", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"BZh91AY&SY", b"\xfd7zXZ\0"]
    ),
)
def test_hostile_bytes_never_raise(data: bytes, magic: bytes) -> None:
    hostile = stream(magic + data)
    hostile.read(10**7)
    assert hostile.failure is None or hostile.failure.detail


def test_a_read_error_ends_the_stream() -> None:
    class Failing(io.RawIOBase):
        count = 0

        def read(self, _size: int = -1) -> bytes:
            self.count += 1
            if self.count > 2:
                raise OSError(5, "Input/output error")
            return b"good"

    failing = Stream(Failing(), "x")  # type: ignore[arg-type]
    assert failing.read(100) == b"goodgood"
    assert failing.failure is not None
    assert failing.failure.args == ("unreadable_input", "Input/output error")


_BOMB = """
import bz2, io, lzma, resource, sys, zlib
from backports import zstd
from topicml.io.compression import Stream

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

kind = sys.argv[1]
compressor = {
    "gzip": lambda: zlib.compressobj(wbits=31),
    "bzip2": bz2.BZ2Compressor,
    "xz": lambda: lzma.LZMACompressor(preset=0),
    "zstd": zstd.ZstdCompressor,
}[kind]()
data = b"".join(compressor.compress(bytes(1_000_000)) for _ in range(200)) + compressor.flush()
before = peak()
bomb = Stream(io.BytesIO(data), "x")
length = 0
while piece := bomb.read(1_000_000):
    length += len(piece)
print(length, (peak() - before) // 1024, bomb.failure)
"""


@pytest.mark.parametrize("kind", PACKED)
def test_a_bomb_is_decompressed_in_pieces(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _BOMB, kind], capture_output=True, text=True, check=True
    )
    length, grown, failure = done.stdout.split()
    assert (int(length), failure) == (200_000_000, "None")
    assert int(grown) < 30  # MB


def test_an_xz_file_that_asks_for_much_memory_is_told() -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 29}]
    hungry = stream(lzma.compress(b"x" * 100, filters=filters))
    assert hungry.read(100) == b""
    assert hungry.failure is not None
    assert "Memory usage limit" in hungry.failure.detail


def test_a_missing_zstd_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    data = zstd(b"x")
    monkeypatch.setitem(sys.modules, "compression.zstd", None)
    monkeypatch.setitem(sys.modules, "backports.zstd", None)
    with pytest.raises(MissingExtraError, match=r"backports\.zstd.*pip install 'topicml\[batch\]'"):
        stream(data).read(1)
