"""Texts in one buffer of UTF-8, which is how many of them are scored at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HEAD = 3
"""Bytes of a head, see ``PackedTexts.heads``."""


class Split(NamedTuple):
    """Where the sentences of a text are.

    Attributes:
        spans: n by 2 places, start and end in characters.
        is_as_written: Whether it is known that all are read as they are written, white space aside.
    """

    spans: NDArray[np.int64]
    is_as_written: bool

    @classmethod
    def of(cls, spans: Sequence[tuple[int, int]]) -> Split:
        """Return spans of a text of which nothing else is known."""
        flat = np.fromiter(chain.from_iterable(spans), np.int64, 2 * len(spans))
        return cls(flat.reshape(-1, 2), is_as_written=False)


class PackedTexts(NamedTuple):
    """n texts, each somewhere in one buffer.

    Attributes:
        buffer: UTF-8 bytes.
        starts: n places in it.
        ends: n places in it.
    """

    buffer: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> PackedTexts:
        """Pack n texts."""
        buffer, offsets = pack_texts(texts)
        return cls(buffer, offsets[:-1], offsets[1:])

    def take(self, rows: NDArray[np.intp]) -> PackedTexts:
        """Return some of the texts, in the same buffer."""
        return PackedTexts(self.buffer, self.starts[rows], self.ends[rows])

    def text(self, row: int) -> str:
        """Return a text by itself."""
        start, end = self.starts.item(row), self.ends.item(row)
        return self.buffer[start:end].decode("utf-8", "surrogatepass")

    def heads(self, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Return for each of some texts its first ``HEAD`` bytes; of a shorter one also others."""
        data = np.frombuffer(self.buffer + bytes(HEAD), dtype=np.uint8)
        found: NDArray[np.uint8] = data[self.starts[rows, None] + np.arange(HEAD)]
        return found


def pack_texts(texts: Sequence[str]) -> tuple[bytes, NDArray[np.int64]]:
    """Return texts as one buffer of UTF-8 and their n + 1 offsets."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return b"".join(encoded), offsets
