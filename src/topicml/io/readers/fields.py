"""What makes a record a text that can be tagged, whatever file it is from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from topicml.errors import InputError, RecordError, did_you_mean
from topicml.io.records import LARGEST_RECORD, TOO_LARGE, ReadOptions
from topicml.text.decoding import is_binary
from topicml.text.document import Document

RECORDS_CHECKED = 100
"""Records of an input that are looked at for the text's field."""

_MOST_NAMED = 20
_MOST_COMPARED = 1000
_SHORTEST_TEXT = 100  # what is shorter may be a status or a name


def make_document(
    values: Mapping[str, Any], options: ReadOptions, source: str, number: int, encoding: str
) -> Document:
    """Check one record's values.

    A title becomes the first paragraph (``title``, a blank line, the text) where the text does
    not start with it already, so that offsets count from the start of the title.

    Args:
        values: Of the record's fields, by name.
        options: Which field is what, and whether any text will do.
        source: File that it is from.
        number: In that file.
        encoding: What it was decoded by.

    Raises:
        RecordError: It has no text that can be tagged, or no proper id.
    """
    fields = options.fields
    identifier = own_id(values, options)
    try:
        text = _whole_text(values, options)
        _check_id(values.get(fields.id), identifier, fields.id)
    except RecordError as err:
        err.id = identifier
        raise
    kept = {name: values.get(name) for name in fields.keep}
    return Document(identifier or f"{source}:{number}", text, source, number, kept, encoding)


def own_id(values: Mapping[str, Any], options: ReadOptions) -> str | None:
    """Return the id that a record has itself; None where it has none that can be one."""
    identifier = values.get(options.fields.id)
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        return str(identifier)
    return identifier if isinstance(identifier, str) and identifier else None


def _check_id(given: Any, identifier: str | None, name: str) -> None:
    if identifier is not None:
        _check_size(identifier)
    elif given is not None and given != "":
        raise RecordError(
            "wrong_type", f"{name!r} must be a string or a whole number, found {_kind(given)}"
        )


def _whole_text(values: Mapping[str, Any], options: ReadOptions) -> str:
    fields = options.fields
    text: Any = values.get(fields.text)
    _check_text(text, fields.text, options.any_text)
    title = None if fields.title is None else values.get(fields.title)
    if isinstance(title, str) and title.strip() and not text.startswith(title):
        text = f"{title}\n\n{text}"
    _check_size(text)
    return str(text)


def _check_text(text: Any, name: str, any_text: bool) -> None:
    if text is None:
        raise RecordError("missing_text", f"there is no text in {name!r}")
    if not isinstance(text, str):
        raise RecordError("wrong_type", f"{name!r} must be a string, found {_kind(text)}")
    if any_text:
        return
    if not text or text.isspace():
        raise RecordError("empty_text", "the text is empty")
    if is_binary(text):
        raise RecordError("binary", "this is binary data and no text")


def _check_size(text: str) -> None:
    try:
        size = len(text) if text.isascii() else len(text.encode("utf-8"))
    except UnicodeEncodeError as err:
        detail = "there is a lone surrogate, half of a character"
        raise RecordError("lone_surrogate", detail) from err
    if size > LARGEST_RECORD:
        raise RecordError(*TOO_LARGE)


def _kind(value: Any) -> str:
    names = {bool: "a boolean", int: "a number", float: "a number", list: "a list"}
    return names.get(type(value), "an object" if isinstance(value, dict) else type(value).__name__)


def check_field(records: Iterable[tuple[int, Any]], where: str, text: str) -> tuple[str, ...]:
    """Look for the text's field in the first records, each with its number.

    Returns:
        The fields of the first record that has it; none where there are no records.

    Raises:
        InputError: There are records, and none of them has it.
    """
    without: tuple[int, dict[str, Any]] | None = None
    for number, values in islice(records, RECORDS_CHECKED):
        if isinstance(values, dict):
            if text in values:
                return tuple(values)
            without = without or (number, values)
    if without:
        number, values = without
        guess = longest_text(values)
        nested = next((name for name, value in values.items() if _holds_records(value)), None)
        if nested and len(values.get(guess or "", "")) < _SHORTEST_TEXT:
            raise InputError(
                f"no field {text!r}",
                where=f"{where}:{number}",
                hint=f"Records seem to be in {nested!r}; give that array itself (jq .{nested}).",
            )
        raise missing_field(f"{where}:{number}", text, values, guess)
    return ()


def _holds_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def missing_field(where: str, name: str, found: Iterable[str], guess: str | None) -> InputError:
    """Return the error for an input without the text's field.

    Args:
        where: File and line.
        name: Of the field that is missing.
        found: Names of the fields that are there.
        guess: Name of the one that may be meant.
    """
    names = sorted(islice(found, _MOST_COMPARED))
    option = f"--text-field {guess}" if guess else "--text-field NAME"
    return InputError(
        f"no field {name!r}",
        where=where,
        hint=f"{did_you_mean(name, names)}Found: {listed(names)}. "
        f"Name the one with the text: {option}",
    )


def listed(names: Iterable[str]) -> str:
    """Return names for a message, not too many of them."""
    first = [*islice(names, _MOST_NAMED + 1)]
    return ", ".join([*first[:_MOST_NAMED], *(["…"] if len(first) > _MOST_NAMED else [])]) or "none"


def repeated_field(where: str, name: str) -> InputError:
    """Return the error for a table with the text's column twice."""
    return InputError(
        f"several columns {name!r}", where=where, hint="Give each column a name of its own."
    )


def longest_text(values: Mapping[str, Any]) -> str | None:
    """Return the name of the field with the longest string, or None where none has one."""
    lengths = {name: len(value) for name, value in values.items() if isinstance(value, str)}
    return max(lengths, key=lengths.__getitem__, default=None)
