"""What makes a text one that can be tagged, whatever file it is from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from topicml.errors import InputError, did_you_mean
from topicml.io.compression import TOO_LARGE, Failure, make_reject
from topicml.io.records import LARGEST_RECORD, Fields, Reject
from topicml.text.document import Document
from topicml.text.documents import BYTE_ORDER_MARKS

_MOST_NAMED = 20


def make_record(
    values: Mapping[str, Any], fields: Fields, source: str, number: int, raw: bytes
) -> Document | Reject:
    """Check one record's values.

    A title becomes the first paragraph (``title``, a blank line, the text), so that offsets
    count from the start of the title.

    Args:
        values: Of the record's fields, by name.
        fields: Which is what.
        source: File that it is from.
        number: In that file.
        raw: Its bytes, for the reject.
    """
    text: Any = values.get(fields.text)
    failure = _text_failure(text, fields.text)
    if failure:
        return make_reject(source, number, failure, raw)
    identifier = values.get(fields.id)
    if identifier is None or identifier == "":
        identifier = f"{source}:{number}"
    elif isinstance(identifier, int) and not isinstance(identifier, bool):
        identifier = str(identifier)
    elif not isinstance(identifier, str):
        found = _kind(identifier)
        failure = Failure(
            "wrong_type", f"{fields.id!r} must be a string or a whole number, found {found}"
        )
        return make_reject(source, number, failure, raw)
    if fields.title is not None:
        title = values.get(fields.title)
        if isinstance(title, str) and title and not title.isspace():
            text = f"{title}\n\n{text}"
    failure = _size_failure(text) or _size_failure(identifier)
    if failure:
        return make_reject(source, number, failure, raw)
    return Document(
        identifier, text, source, number, {name: values.get(name) for name in fields.keep}
    )


def _text_failure(text: Any, name: str) -> Failure | None:
    if text is None:
        return Failure("missing_text", f"no text in {name!r}")
    if not isinstance(text, str):
        return Failure("wrong_type", f"{name!r} must be a string, found {_kind(text)}")
    if not text or text.isspace():
        return Failure("empty_text", f"{name!r} is empty")
    if "\0" in text and text.count("\0") > len(text) // 100:
        return Failure("binary", "binary data, not text")
    return None


def _size_failure(text: str) -> Failure | None:
    try:
        size = len(text) if text.isascii() else len(text.encode("utf-8"))
    except UnicodeEncodeError:
        return Failure("lone_surrogate", "a lone surrogate, half of a character")
    return TOO_LARGE if size > LARGEST_RECORD else None


def _kind(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object" if isinstance(value, dict) else type(value).__name__)


def decode_failure(data: bytes) -> Failure | None:
    """Return why bytes are not UTF-8, or None where they are."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as err:
        for name, mark in BYTE_ORDER_MARKS:
            if data.startswith(mark):
                return Failure("invalid_utf8", f"{name} text, expected UTF-8")
        if data.count(b"\0") > len(data) // 100:
            return Failure("binary", "binary data, not text")
        byte = data[err.start]
        return Failure("invalid_utf8", f"byte 0x{byte:02x} at offset {err.start} is not UTF-8")
    return None


def refuse_unreadable(head: bytes, where: str) -> None:
    """Refuse an input whose first bytes say that none of its records can be read.

    Raises:
        InputError: UTF-16, UTF-32, or compressed in a way that is not read.
    """
    for name, mark in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            raise InputError(
                f"{name} text, expected UTF-8",
                where=where,
                hint=f"Convert it: iconv -f {name.lower()} -t utf-8",
            )
    for name, mark in (("bzip2", b"BZh"), ("xz", b"\xfd7zXZ\0"), ("zip", b"PK\x03\x04")):
        if head.startswith(mark):
            raise InputError(
                f"a {name} file",
                where=where,
                hint="Decompress it, or compress it with gzip or zstd.",
            )


def missing_field(where: str, name: str, found: Iterable[str], guess: str | None) -> InputError:
    """Return the error for an input without the text's field.

    Args:
        where: File and line.
        name: Of the field that is missing.
        found: Names of the fields that are there.
        guess: Name of the one that may be meant.
    """
    names = sorted(found)
    more = ["…"] if len(names) > _MOST_NAMED else []
    listed = ", ".join([*names[:_MOST_NAMED], *more]) or "none"
    option = f"--text-field {guess}" if guess else "--text-field NAME"
    return InputError(
        f"no field {name!r}",
        where=where,
        hint=f"{did_you_mean(name, names)}Found: {listed}. Name the one with the text: {option}",
    )


def longest_text(values: Mapping[str, Any]) -> str | None:
    """Return the name of the field with the longest string, or None where none has one."""
    lengths = {name: len(value) for name, value in values.items() if isinstance(value, str)}
    return max(lengths, key=lengths.__getitem__, default=None)
