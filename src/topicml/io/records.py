"""What comes out of an input: blocks, and records that cannot be tagged."""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from topicml.errors import RecordError
from topicml.io.selection import Shard

LARGEST_RECORD = 16_000_000
"""Bytes of one record, beyond which it is rejected."""

MOST_RAW = 1_000_000
"""Bytes of a rejected record that are kept with its reason."""

RECORD_SECONDS = 60.0
"""What one record may take, where nothing else is said."""

_MOST_LISTED = 20

Format = Literal[
    "jsonl",
    "json",
    "csv",
    "tsv",
    "parquet",
    "warc",
    "txt",
    "html",
    "mhtml",
    "pdf",
    "docx",
    "odt",
    "rtf",
    "eml",
    "mbox",
    "feed",
]

REASONS = {
    "bad_row": "A row of CSV or TSV whose quotes or number of columns are wrong.",
    "binary": "Binary data, not text.",
    "broken_json": "Not valid JSON.",
    "damaged_input": "Compressed data, a row group or a WARC record that is damaged.",
    "empty_text": "A text without a character that is not blank.",
    "encrypted": "A document that a password protects, or a mail that only a key opens.",
    "failed": "Tagging raised an error; please report it.",
    "invalid_utf8": "Bytes that are not UTF-8 among others that are.",
    "lone_surrogate": "Half of a character, as a wrong \\ud800 escape gives it.",
    "missing_dependency": "A package is not installed that this format or compression needs.",
    "missing_text": "A record without the field of the text, or null in it.",
    "no_main_text": "A page, document or mail in which no text was found.",
    "not_an_object": "JSON that is no object of fields.",
    "out_of_memory": "A page or document whose text takes more memory to find than a record may.",
    "too_large": f"More than {LARGEST_RECORD // 1_000_000} MB in one record.",
    "too_slow": "Reading or tagging took longer than one record may take.",
    "truncated_input": "The input ends within what it is made of; all before that was read.",
    "unreadable_input": "A file that cannot be opened, read, or read as what it is said to be.",
    "unsupported_format": "A known format that is not read, such as EPUB.",
    "wrong_encoding": "Bytes that are not in the encoding that was named, marked or found.",
    "wrong_type": "A text that is no string, or an id that is no string, number or bytes.",
}
"""All reasons of rejects, and what each means."""


ALL = "*"
"""Stands for all fields of a record."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Which fields of a record are what.

    A field inside another one is named by both, ``article.body``; a field of just that name wins.

    Attributes:
        text: Field with the text, or several, which are joined by a blank line.
        id: Field with the id; where a record has none, it gets one from file and number.
        title: Field with a title, which is read as the first paragraph; None for none.
        keep: Fields that are carried through; ``ALL`` among them stands for all but text and id.
        also: Fields that are carried through where a record has them.
    """

    text: str | tuple[str, ...] = "text"
    id: str = "id"
    title: str | None = "title"
    keep: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The fields with the text."""
        return (self.text,) if isinstance(self.text, str) else self.text

    @property
    def read(self) -> tuple[str, ...]:
        """All fields that are read, each once, but for those that ``ALL`` stands for."""
        names = (*self.texts, self.id, *([self.title] if self.title else []))
        names += self.keep + self.also
        return tuple(name for name in dict.fromkeys(names) if name != ALL)

    @property
    def named(self) -> tuple[str, ...]:
        """Those that some record must have: all but a single text and what is usual."""
        asked = {*self.keep, *({self.id, self.title} - {"id", "title"})}
        if len(self.texts) > 1:
            asked |= {*self.texts}
        return tuple(name for name in self.read if name in asked)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How inputs are read.

    Attributes:
        fields: Which fields of a record are what.
        encoding: Of all inputs, whatever they say themselves; None to find out.
        any_text: Whether a text may be empty or binary, too.
        seconds: What finding the text of one page may take.
        limit: Records that are read, of all inputs together; None for all.
        shard: The part that is read of those; None for all.
        delimiter: Between the columns of CSV and TSV; None to find out.
        has_header: Whether their first row may be one.
    """

    fields: Fields = Fields()
    encoding: str | None = None
    any_text: bool = False
    delimiter: str | None = None
    has_header: bool = True
    seconds: float = RECORD_SECONDS
    limit: int | None = None
    shard: Shard | None = None

    def takes(self, source: str, number: int) -> bool:
        """Whether a record is in the part that is read."""
        return self.shard is None or self.shard.holds(source, number)


TOO_LARGE = (
    "too_large",
    f"this is more than {LARGEST_RECORD // 1_000_000} MB for one record; "
    "split it into articles, one record each",
)
"""Reason and detail of a record beyond ``LARGEST_RECORD``."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be tagged.

    Attributes:
        source: File that it is from.
        number: Its number in that file, from 1.
        reason: One of ``REASONS``.
        detail: What exactly is wrong, and what to do where that helps.
        raw: Its bytes, at most ``MOST_RAW`` of them; in UTF-8 where a file of records was in
            another encoding, and 0xFF where there was no character.
        length: How many bytes it has.
        offset: Byte in the decompressed file where it starts; None where there is none, as in
            Parquet, or where it is not known, as in files that are not UTF-8.
        id: Its own id, where it has one that could be read.
    """

    source: str
    number: int
    reason: str
    detail: str
    raw: bytes
    length: int
    offset: int | None = None
    id: str | None = None

    @property
    def place(self) -> str:
        """Where the record is, for messages."""
        place = f"{self.source}:{self.number}"
        return place if self.offset is None else f"{place} (byte {self.offset})"

    def to_dict(self) -> dict[str, Any]:
        """Return the line of the rejects file."""
        return {
            "source": self.source,
            "line": self.number,
            "offset": self.offset,
            "id": self.id,
            "reason": self.reason,
            "detail": self.detail,
            "raw": binascii.b2a_base64(self.raw, newline=False).decode("ascii"),
            "bytes": self.length,
        }


@dataclass(frozen=True, slots=True)
class Skip:
    """A record that is no text to be tagged, such as an image in a WARC file; it is counted.

    Attributes:
        source: File that it is from.
        number: Its number in that file, from 1.
        kind: What it is.
    """

    raw: ClassVar[bytes] = b""

    source: str
    number: int
    kind: str


def make_reject(
    source: str,
    number: int,
    error: RecordError,
    raw: bytes,
    offset: int | None = None,
    length: int | None = None,
) -> Reject:
    """Return a reject with as much of its bytes as is kept; ``length`` where ``raw`` is not all."""
    length = len(raw) if length is None else length
    raw = raw[:MOST_RAW]
    return Reject(source, number, error.reason, error.detail, raw, length, offset, error.id)


def reject_lines(rejects: Iterable[Reject]) -> bytes:
    """Return the lines of the rejects file."""
    return b"".join(
        json.dumps(reject.to_dict(), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        for reject in rejects
    )


def counted(number: int, noun: str) -> str:
    """Return a number of things for a message: ``1 file``, ``1,000 copies``."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def list_counts(counts: Mapping[str, int]) -> str:
    """Return counts by name for a message, not too many of them."""
    listed = [f"{name} {count:,}" for name, count in counts.items()]
    return ", ".join(listed[:_MOST_LISTED] + ["…"] * (len(listed) > _MOST_LISTED))
