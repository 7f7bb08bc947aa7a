"""What goes through a batch run: blocks of input, records, and records that cannot be tagged."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

LARGEST_RECORD = 16_000_000
"""Bytes of one record, beyond which it is rejected."""

MOST_RAW = 1_000_000
"""Bytes of a rejected record that are kept with its reason."""

Kind = Literal["jsonl", "rows", "arrow", "files", "pages", "rejects"]


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields of a record are what.

    Attributes:
        text: Field with the text.
        id: Field with the id; where a record has none, it gets one from file and number.
        title: Field with a title, which is read as the first paragraph; None for none.
        keep: Fields that are carried through.
    """

    text: str = "text"
    id: str = "id"
    title: str | None = None
    keep: tuple[str, ...] = ()


class Block(NamedTuple):
    """A piece of the input that one process works on.

    Attributes:
        source: File that it is from, ``<stdin>`` for standard input.
        first: Number of its first record in that file, from 1 (for JSONL: the line).
        kind: How ``data`` is to be read, see ``sources.parse_block``.
        data: Picklable.
        digest: SHA-256 of what was read, in hexadecimal digits.
        size: Bytes read from the file (compressed ones, where it is compressed), for progress.
    """

    source: str
    first: int
    kind: Kind
    data: Any
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be tagged.

    Attributes:
        source: File that it is from.
        number: Its number in that file, from 1.
        reason: A short, stable name, such as ``broken_json``.
        detail: What exactly is wrong.
        raw: Its bytes, at most ``MOST_RAW`` of them.
        length: How many bytes it has.
    """

    source: str
    number: int
    reason: str
    detail: str
    raw: bytes
    length: int

    def to_dict(self) -> dict[str, Any]:
        """Return the line of the rejects file."""
        return {
            "source": self.source,
            "line": self.number,
            "reason": self.reason,
            "detail": self.detail,
            "raw": base64.b64encode(self.raw).decode("ascii"),
            "bytes": self.length,
        }


def reject_lines(rejects: Iterable[Reject]) -> bytes:
    """Return the lines of the rejects file."""
    return b"".join(
        json.dumps(reject.to_dict(), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        for reject in rejects
    )
