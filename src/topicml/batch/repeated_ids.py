"""Records that have the id of an earlier one: counted by hashes, of which no id can be lost."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

_SIZE = 8  # bytes: among a hundred million ids, two different ones hardly ever share them


def id_hashes(ids: Iterable[str]) -> bytes:
    """Return what stands for ids: the same in every process, so that it can be written down."""
    encoded = (identifier.encode("utf-8") for identifier in ids)
    return b"".join(hashlib.blake2b(data, digest_size=_SIZE).digest() for data in encoded)


class SeenIds:
    """The ids of a run so far, at about a hundred bytes each."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def add(self, hashes: bytes) -> int:
        """Take in ids, see ``id_hashes``; return how many of them were there before."""
        new = np.frombuffer(hashes, "<u8").tolist()
        before = len(self._seen)
        self._seen.update(new)
        return len(new) - (len(self._seen) - before)
