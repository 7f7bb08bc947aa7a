"""The lines of a label file and their fields, checked: errors name file, line and field."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from topicml.errors import LabelError

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""What no UTF-8 file can hold, but a JSON escape can smuggle in."""


@contextmanager
def noted(errors: list[LabelError] | None) -> Iterator[None]:
    """Add a ``LabelError`` to a list and go on behind what raised it; raise it without a list."""
    try:
        yield
    except LabelError as err:
        if errors is None:
            raise
        errors.append(err)


def read_jsonl(
    path: Path, errors: list[LabelError] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number (from 1) and object of each line that is not blank.

    Args:
        path: The file.
        errors: Gets what is wrong with lines, which are passed over then; None to stop there.

    Raises:
        LabelError: The file is missing, not UTF-8, or a line is not a JSON object.
    """
    yield from parse_jsonl(read_content(path), path, errors)


def read_content(path: Path) -> bytes:
    """Return what a file holds.

    Raises:
        LabelError: It is missing, or cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as err:
        raise LabelError(
            err.strerror or "cannot be read", where=path, hint="Check the path."
        ) from err


def parse_jsonl(
    data: bytes, path: Path, errors: list[LabelError] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what ``read_jsonl`` does, of a file that has been read.

    Raises:
        LabelError: A line is not a JSON object in UTF-8.
    """
    for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).split(b"\n"), start=1):
        if not line.strip():
            continue
        fields = None
        with noted(errors):
            fields = _object(line, f"{path}:{number}")
        if fields is not None:
            yield number, fields


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        fields = json.loads(line.decode("utf-8"), object_pairs_hook=each_once)
    except (ValueError, RecursionError) as err:  # not JSON, not UTF-8, nested without end
        raise LabelError(
            f"not valid JSON in UTF-8 ({err})", where=where, hint="Correct or remove the line."
        ) from err
    if not isinstance(fields, dict):
        raise LabelError(
            f"expected a JSON object, found {type(fields).__name__}",
            where=where,
            hint='Write one object a line: {"id": …, "text": …, "topics": […]}.',
        )
    return fields


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields of a JSON object, for ``json.loads``, which keeps the last of two.

    Raises:
        ValueError: A key is there twice.
    """
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is given twice")
    return fields


def text_field(fields: dict[str, Any], key: str, where: str) -> str:
    """Return a string that is not empty."""
    value = fields.get(key)
    if not isinstance(value, str) or not value:
        raise wrong_field(
            fields, key, "a string that is not empty", where, f"Give the record a {key!r}."
        )
    _check_characters(value, key, where)
    return value


def optional_text_field(fields: dict[str, Any], key: str, where: str) -> str:
    """Return a string, the empty one where there is none."""
    value = fields.get(key) or ""
    if not isinstance(value, str):
        raise wrong_field(fields, key, "a string", where, "Put it in quotes, or leave it out.")
    _check_characters(value, key, where)
    return value


def _check_characters(value: str, key: str, where: str) -> None:
    if LONE_SURROGATE.search(value):
        raise LabelError(
            f"{key!r} has a lone surrogate, half of a character",
            where=where,
            hint="Correct or remove the record.",
        )


def flag_field(fields: dict[str, Any], key: str, where: str) -> bool:
    """Return true or false, the latter where there is neither."""
    value = fields.get(key, False)
    if not isinstance(value, bool):
        raise wrong_field(fields, key, "true or false", where, "Correct it or leave it out.")
    return value


def time_field(fields: dict[str, Any], key: str, where: str) -> datetime | None:
    """Return a time in UTC, or None where there is none."""
    value = fields.get(key)
    if value is None:
        return None
    with suppress(TypeError, ValueError, OverflowError):
        time = datetime.fromisoformat(value)
        if time.tzinfo:
            return time.astimezone(UTC)
    expected = "a time with its offset, such as 2026-01-31T12:00:00Z"
    raise wrong_field(fields, key, expected, where, "Correct it or leave it out.")


def topics_field(fields: dict[str, Any], where: str) -> tuple[str, ...]:
    """Return topic ids, sorted; the empty list is a label too."""
    value = fields.get("topics")
    if not isinstance(value, list) or not all(isinstance(topic, str) for topic in value):
        hint = "Write [] for a sentence with no topic."
        raise wrong_field(fields, "topics", "a list of topic ids", where, hint)
    return tuple(sorted(set(value)))


def int_field(fields: dict[str, Any], key: str, where: str) -> int | None:
    """Return a whole number, or None where there is none."""
    value = fields.get(key)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise wrong_field(fields, key, "a whole number", where, "Correct it or leave it out.")


def wrong_field(
    fields: dict[str, Any], key: str, expected: str, where: str, hint: str
) -> LabelError:
    """Return the error for a field of another kind than expected."""
    what = f"{key!r} must be {expected}, found {fields.get(key)!r}"
    return LabelError(what, where=where, hint=hint)


def choice_field(fields: dict[str, Any], key: str, allowed: tuple[str, ...], where: str) -> str:
    """Return one of the values allowed; the first where the field is absent."""
    value = fields.get(key, allowed[0])
    if value not in allowed:
        raise LabelError(
            f"{key!r} is {value!r}", where=where, hint=f"Use one of: {', '.join(allowed)}."
        )
    return str(value)
