"""A part of the records: the same one wherever and however often the inputs are read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several parts that have no record in common and all records together.

    Attributes:
        number: From 1.
        count: How many parts there are.
    """

    number: int
    count: int

    def holds(self, source: str, number: int) -> bool:
        """Whether the record of this number in this file is in the part."""
        name = f"{source}\n{number}".encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(name, digest_size=8).digest()
        return int.from_bytes(digest) % self.count == self.number - 1
