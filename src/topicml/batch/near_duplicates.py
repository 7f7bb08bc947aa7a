"""Near copies of earlier texts: a signature per text, and an index of those seen.

A signature is made in any process, of one text alone; the index asks for them in record order.
Two texts are near copies when their sets of five consecutive words overlap enough (Jaccard
index of about 0.8), which MinHash signatures tell without the texts. Texts of fewer than
``FEWEST_WORDS`` words have only exact copies. Case, punctuation and white space never count.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST_WORDS = 20
"""Shorter texts are copies only where all their words are the same."""

SHINGLE = 5
"""Consecutive words that are compared as one."""

NEAR = 0.7
"""Share of equal hashes that makes a near copy: low enough to miss hardly any of 0.8 in truth."""

MOST_REMEMBERED = 200_000
"""Records that an index remembers unless told otherwise: under 100 MB of them."""

_HASHES = 120
_BANDS = 24
_EXACT = 8  # bytes that stand for all words of the text, before a byte for each of the hashes
_FULL = _EXACT + _HASHES
_PIECE = 1 << 16  # characters worked on at once
_BLOCK = 512  # shingles worked on at once
_LONGEST_WORD = 1024  # characters before the weights of a word's characters begin again
_MOST_STEPS = 32  # records looked at in a band, the newest first


class _Tables(NamedTuple):
    in_word: NDArray[np.bool_]
    characters: NDArray[np.uint64]
    words: NDArray[np.uint64]
    hashes: NDArray[np.uint32]
    bands: NDArray[np.uint64]


@cache
def _tables() -> _Tables:
    # from a hash function: the same in every process and with every version of numpy
    sizes = (_LONGEST_WORD, SHINGLE, _HASHES, _HASHES)
    drawn = hashlib.shake_256(b"topicml near copies 1").digest(8 * sum(sizes))
    odd = np.frombuffer(drawn, "<u8") | np.uint64(1)
    characters, words, hashes, bands = np.split(odd, np.cumsum(sizes)[:-1])
    return _Tables(
        in_word=np.array([chr(code).isalnum() for code in range(1 << 16)]),
        characters=characters,
        words=words,
        hashes=hashes.astype(np.uint32)[:, np.newaxis],
        bands=bands.reshape(_BANDS, -1),
    )


def signature(text: str) -> bytes:
    """Return what stands for a text when near copies are looked for.

    It depends on the text alone: not on the process, its hash seed or the platform. So it can be
    made in a worker, written down, and given to an index later.

    Returns:
        128 bytes; 8 for a text of fewer than ``FEWEST_WORDS`` words, none for one without words.
    """
    words = np.concatenate([_word_hashes(piece) for piece in _pieces(text)] or [_NO_WORDS])
    if not len(words):
        return b""
    exact = hashlib.blake2b(words.astype("<u8").tobytes(), digest_size=_EXACT).digest()
    if len(words) < FEWEST_WORDS:
        return exact
    lowest = _lowest(_shingle_hashes(words))
    mixed = (lowest * np.uint32(0x9E3779B1)) >> np.uint32(24)
    return exact + mixed.astype(np.uint8).tobytes()


_NO_WORDS = np.zeros(0, np.uint64)


def _pieces(text: str) -> Iterator[str]:
    """Yield the text in pieces that end between words, for the memory that the arrays take."""
    start = 0
    while start < len(text):
        end = start + _PIECE
        if end < len(text):
            space = max(text.rfind(" ", start, end), text.rfind("\n", start, end))
            end = space if space > start else end
        yield text[start:end]
        start = end


def _word_hashes(text: str) -> NDArray[np.uint64]:
    """Return a hash per word of the text; words are runs of letters and digits."""
    codes = _codes(text)
    tables = _tables()
    inside = tables.in_word.take(codes, mode="clip")  # beyond 65,535: not in a word
    starts = np.flatnonzero(inside & ~np.concatenate(([False], inside[:-1])))
    if not len(starts):
        return _NO_WORDS
    first = starts[0]
    values: NDArray[np.uint64] = (codes * inside)[first:].astype(np.uint64)
    starts -= first
    position = np.arange(len(values))
    position -= np.repeat(starts, np.diff(starts, append=len(values)))
    values *= tables.characters.take(position, mode="wrap")
    return np.add.reduceat(values, starts)


def _codes(text: str) -> NDArray[np.uint8] | NDArray[np.uint32]:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.casefold()
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _shingle_hashes(words: NDArray[np.uint64]) -> NDArray[np.uint32]:
    count = len(words) - SHINGLE + 1
    hashes = np.zeros(count, np.uint64)
    for place, weight in enumerate(_tables().words):
        hashes += words[place : place + count] * weight
    hashes ^= hashes >> np.uint64(32)
    hashes *= np.uint64(0xD6E8FEB86659FD93)
    return (hashes >> np.uint64(32)).astype(np.uint32)


def _lowest(shingles: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the lowest value of each hash function over all shingles: the MinHash."""
    functions = _tables().hashes
    lowest = np.full(_HASHES, np.iinfo(np.uint32).max, np.uint32)
    for start in range(0, len(shingles), _BLOCK):
        values = shingles[start : start + _BLOCK] * functions
        np.minimum(lowest, values.min(axis=1), out=lowest)
    return lowest


class DuplicateIndex:
    """The first record of each group of near copies, in the order that records are asked for.

    Only records that are nobody's near copy are remembered, at most ``most`` of them: beyond
    that the oldest is forgotten first, and a copy of it that comes later counts as new. The same
    signatures in the same order give the same answers in every process.

    After a restart, ask for the records that were nobody's near copy, in order; the last
    ``most`` of them are enough.

    Args:
        most: Records to remember; each takes about 400 bytes, and its id.
    """

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        if most < 1:
            raise ValueError(f"most is {most}, and must be at least 1")
        self._most = most
        self._bits = max(4, (most - 1).bit_length())
        # A record's serial counts from 1, 0 is none. Lane 0 is for exact copies, the others for
        # a band each. A bucket has the serial of its newest record, a record that of the one
        # before it in the same bucket; so a chain ends where the forgotten serials begin.
        self._newest = np.zeros((1 + _BANDS, 1 << self._bits), np.uint32)
        self._before = np.zeros((most, 1 + _BANDS), np.uint32)
        self._signatures = np.zeros((most, _FULL), np.uint8)
        self._ids: list[str] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._ids)

    def first_of(self, id: str, signature: bytes) -> str | None:  # noqa: A002
        """Return the id of the first remembered record that this one is a near copy of.

        Args:
            id: The record's own id.
            signature: Of its text.

        Returns:
            None if there is no such record: then this one is remembered.

        Raises:
            ValueError: It is not a signature.
        """
        if not signature:
            return None
        buckets = self._buckets(signature)
        serials = self._candidates(buckets)
        near = serials[self._is_near(serials, signature)]
        if len(near):
            return self._ids[(int(near.min()) - 1) % self._most]
        self._add(id, signature, buckets)
        return None

    def _buckets(self, signature: bytes) -> NDArray[np.int64]:
        """Return the bucket in each lane; a short text has only the lane of exact copies."""
        if len(signature) not in (_EXACT, _FULL):
            raise ValueError(f"a signature has {_EXACT} or {_FULL} bytes, not {len(signature)}")
        exact = int.from_bytes(signature[:_EXACT], "little") & ((1 << self._bits) - 1)
        if len(signature) == _EXACT:
            return np.array([exact])
        rows = np.frombuffer(signature, np.uint8, offset=_EXACT).reshape(_BANDS, -1)
        bands = (rows * _tables().bands).sum(axis=1) >> np.uint64(64 - self._bits)
        return np.concatenate(([exact], bands.astype(np.int64)))

    def _candidates(self, buckets: NDArray[np.int64]) -> NDArray[np.uint32]:
        """Return serials of remembered records in the same buckets; one may come repeatedly."""
        forgotten = max(0, self._count - self._most)
        lanes = np.arange(len(buckets))
        serials = self._newest[lanes, buckets]
        found = [serials[:0]]
        for _ in range(_MOST_STEPS):
            known = serials > forgotten
            if not known.any():
                break
            lanes, serials = lanes[known], serials[known]
            found.append(serials)
            serials = self._before[(serials - 1) % self._most, lanes]
        return np.concatenate(found)

    def _is_near(self, serials: NDArray[np.uint32], signature: bytes) -> NDArray[np.bool_]:
        own = np.frombuffer(signature, np.uint8)
        equal = self._signatures[(serials - 1) % self._most, : len(own)] == own
        if len(own) == _EXACT:
            return np.asarray(equal.all(axis=1))
        return np.asarray(equal[:, _EXACT:].sum(axis=1) >= NEAR * _HASHES)

    def _add(self, id: str, signature: bytes, buckets: NDArray[np.int64]) -> None:  # noqa: A002
        slot = self._count % self._most
        self._count += 1
        lanes = np.arange(len(buckets))
        self._before[slot, lanes] = self._newest[lanes, buckets]
        self._newest[lanes, buckets] = self._count
        self._signatures[slot] = 0
        self._signatures[slot, : len(signature)] = np.frombuffer(signature, np.uint8)
        self._ids[slot : slot + 1] = [id]
