"""What makes a record a text that can be tagged, whatever file it is from."""

from __future__ import annotations

import functools
import json
import math
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import unquote

from topicml.errors import InputError, RecordError, did_you_mean
from topicml.io.blocks import HEAD
from topicml.io.compression import Stream
from topicml.io.records import ALL, LARGEST_RECORD, TOO_LARGE, Fields, ReadOptions
from topicml.text.decoding import is_binary
from topicml.text.document import Document

RECORDS_CHECKED = 100
"""Records of an input that are looked at for the text's field."""

LOOKED_THROUGH = 2_000_000
"""Bytes of an input that are looked through for fields that not all records need have."""

_MOST_NAMED = 20
_MOST_COMPARED = 1000
_SHORTEST_TEXT = 100  # what is shorter may be a status or a name
_UUID_BYTES = 16
_NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_MISSING = object()
_OWN = {"id", "model", "topics", "reason"}  # of each record that is written


def make_document(
    values: Mapping[str, Any],
    options: ReadOptions,
    source: str,
    number: int,
    encoding: str,
    identifier: str | None = None,
) -> Document:
    """Check one record's values.

    A title becomes the first paragraph (``title``, a blank line, the text) where the text does
    not start with it already, so that offsets count from the start of the title.

    Args:
        values: Of the record's fields, by name.
        options: Which field is what, and whether any text will do.
        source: File that it is from; the partitions in its path are fields, too.
        number: In that file.
        encoding: What it was decoded by.
        identifier: Its id, where it has nothing in the field of ids; None for file and number.

    Raises:
        RecordError: It has no text that can be tagged, or no proper id.
    """
    fields = options.fields
    if partitions := path_partitions(source):
        values = {**partitions, **values}
    try:
        text = _whole_text(values, options)
        found = plain_id(value_at(values, fields.id), fields.id) or identifier
        found = found or f"{source}:{number}"
        _check_size(found)
    except RecordError as err:
        err.id = own_id(values, fields) or identifier
        raise
    return Document(found, text, source, number, _kept(values, fields), encoding)


def _whole_text(values: Mapping[str, Any], options: ReadOptions) -> str:
    fields = options.fields
    text = _join_texts(values, fields.texts)
    _check_text(text, options.any_text)
    title = None if fields.title is None else value_at(values, fields.title)
    if isinstance(title, str) and title.strip() and not text.startswith(title):
        text = f"{title}\n\n{text}"
    _check_size(text)
    return text


def own_id(values: Mapping[str, Any], fields: Fields) -> str | None:
    """Return the id that a record has itself; None where it has none that can be one."""
    try:
        return plain_id(value_at(values, fields.id), fields.id)
    except RecordError:
        return None


def value_at(values: Mapping[str, Any], path: str, default: Any = None) -> Any:
    """Return the value of a field, also of one inside others; see ``Fields``."""
    if path in values or "." not in path:
        return values.get(path, default)
    name, _, rest = path.partition(".")
    inner = values.get(name)
    return value_at(inner, rest, default) if isinstance(inner, dict) else default


@functools.lru_cache(maxsize=1024)
def path_partitions(source: str) -> Mapping[str, str | None]:
    """Return what the folders of a path say as Hive has it, ``year=2024/month=05/x.parquet``."""
    found = {}
    for folder in source.split("/")[:-1]:
        name, is_one, value = folder.partition("=")
        if name and is_one:
            found[unquote(name)] = None if value == _NO_PARTITION else unquote(value)
    return found


def plain_id(value: Any, name: str) -> str | None:
    """Return an id as a string, None for none; docs/output.md has the rule.

    Args:
        value: Of the id's field.
        name: Of that field.

    Raises:
        RecordError: It is neither text nor number, nor bytes.
    """
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        is_exact = value.is_integer() and abs(value) < 2**53
        return str(int(value)) if is_exact else repr(value)
    if isinstance(value, dict) and len(value) == 1:  # as MongoDB exports them
        ((kind, inner),) = value.items()
        if kind.startswith("$") and isinstance(inner, str):
            return inner or None
    if isinstance(value, bytes):
        return _uuid(value) if len(value) == _UUID_BYTES else value.hex() or None
    if type(value).__name__ in {"UUID", "Decimal"}:  # neither is worth an import here
        return str(value)
    found = _kind(value)
    raise RecordError("wrong_type", f"{name!r} must be a string or a number, found {found}")


def _uuid(value: bytes) -> str:
    digits = value.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _kept(values: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    kept = {}
    if ALL in fields.keep:
        used = {*fields.texts, fields.id}
        kept = {name: value for name, value in values.items() if name not in used}
    kept |= {name: value_at(values, name) for name in fields.keep if name != ALL}
    found = {name: value_at(values, name) for name in fields.also}
    return kept | {name: value for name, value in found.items() if value is not None}


def _join_texts(values: Mapping[str, Any], names: tuple[str, ...]) -> str:
    texts = []
    for name in names:
        text = value_at(values, name)
        if isinstance(text, str):
            texts.append(text)
        elif text is not None:
            raise RecordError("wrong_type", f"{name!r} must be a string, found {_kind(text)}")
    if not texts:
        raise RecordError("missing_text", f"there is no text in {' or '.join(map(repr, names))}")
    return texts[0] if len(texts) == 1 else "\n\n".join(t for t in texts if t.strip())


def _check_text(text: str, any_text: bool) -> None:
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


Records = Iterable[tuple[int, Any]]
"""Values, each with its number in the file."""

Lacking = Mapping[str, InputError]
"""For fields that were named, why an input has none of them."""


def check_head(
    stream: Stream, head_records: Callable[[bytes], Records], fields: Fields
) -> tuple[tuple[str, ...], Lacking | None]:
    """Look for fields in the first records of a stream, in more of them while some are missing.

    Args:
        stream: It is left as it is.
        head_records: Finds the records in its first bytes.
        fields: Which field is what.

    Returns:
        See ``Cutter.fields`` and ``Cutter.lacking``.

    Raises:
        InputError: There are records, and none of the first ones has a text's field.
    """
    head = stream.peek(HEAD)
    found, lacking = check_records(head_records(head), stream.name, fields)
    if lacking and len(head) == HEAD:
        head = stream.peek(LOOKED_THROUGH)
        found, lacking = check_records(head_records(head), stream.name, fields)
    return found, lacking


def check_records(
    records: Records, where: str, fields: Fields
) -> tuple[tuple[str, ...], Lacking | None]:
    """Look for fields in records; see ``check_head``. The text's must be in one of the first."""
    first: tuple[int, dict[str, Any]] | None = None
    has_text, missing = False, {*fields.named}
    names: dict[str, None] = {}
    for count, (number, values) in enumerate(records):
        if not has_text and count >= RECORDS_CHECKED:
            break
        if not isinstance(values, dict):
            continue
        first = first or (number, values)
        has_text = has_text or any(_has(values, name) for name in fields.texts)
        missing -= {name for name in missing if _has(values, name)}
        if has_text and not missing:
            return _first_paths(first[1]), {}
        if count < RECORDS_CHECKED:
            names |= dict.fromkeys(_first_paths(values))
    if not first:
        return (), None
    place = f"{where}:{first[0]}"
    if not has_text:
        raise _without_text(place, first[1], fields.texts[0])
    lacking = {name: lacking_field(place, name, names) for name in fields.named if name in missing}
    return _first_paths(first[1]), lacking


def _has(values: Mapping[str, Any], path: str) -> bool:
    return value_at(values, path, _MISSING) is not _MISSING


def _first_paths(values: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(islice(_paths(values), _MOST_COMPARED))


def _paths(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Yield the names of fields, and of those inside of others behind them."""
    for name, value in values.items():
        yield before + name
        if isinstance(value, dict):
            yield from _paths(value, f"{before}{name}.")


def _without_text(where: str, values: dict[str, Any], name: str) -> InputError:
    if values.keys() >= _OWN:
        return missing_field(where, name, values, None)
    guess = longest_text(values)
    nested = next((name for name, value in values.items() if _holds_records(value)), None)
    if nested and len(value_at(values, guess or "", "")) < _SHORTEST_TEXT:
        step = f".{nested}" if nested.isidentifier() else shlex.quote(f".[{json.dumps(nested)}]")
        return InputError(
            f"no field {name!r}",
            where=where,
            hint=f"Records seem to be in {nested!r}; give that array itself (jq {step}).",
        )
    return missing_field(where, name, _paths(values), guess)


def _holds_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def check_columns(where: str, names: Sequence[str], fields: Fields) -> Lacking:
    """Return what to say of each named field that is no column; see ``Cutter.lacking``."""
    known = {*names}
    return {n: lacking_field(where, n, names) for n in fields.named if n not in known}


def check_names(where: str, names: Sequence[str], fields: Fields) -> Lacking:
    """Do so for an input whose records are texts with an id, and fields of always the same names.

    Args:
        where: The file.
        names: Of those fields.
        fields: Which field is what.
    """
    used = {*fields.texts, fields.id}
    lacking = check_columns(where, names, fields)
    return {name: error for name, error in lacking.items() if name not in used}


def missing_field(where: str, name: str, found: Iterable[str], guess: str | None) -> InputError:
    """Return the error for an input without the text's field.

    Args:
        where: File and line.
        name: Of the field that is missing.
        found: Names of the fields that are there.
        guess: Name of the one that may be meant.
    """
    found = [*islice(found, _MOST_COMPARED)]
    error = lacking_field(where, name, found)
    if {*found} >= _OWN:
        error.hint = "It is an output of topicml: give the texts that it was made of."
        return error
    option = text_option(guess) if guess else "--text-field NAME"
    error.hint += f" Name the one with the text: {option}"
    return error


def text_option(name: str) -> str:
    """Return the option that names the text's field, for a shell."""
    return f"--text-field {shlex.quote(name)}"


def lacking_field(where: str, name: str, found: Iterable[str]) -> InputError:
    """Return the error for an input without a field that was named; see ``missing_field``."""
    names = sorted(islice(found, _MOST_COMPARED))
    return InputError(
        f"no field {name!r}",
        where=where,
        hint=f"{did_you_mean(name, names)}Found: {listed(names)}.",
    )


def listed(names: Iterable[str]) -> str:
    """Return names for a message, not too many of them."""
    first = [*islice(names, _MOST_NAMED + 1)]
    return ", ".join([*first[:_MOST_NAMED], *(["…"] if len(first) > _MOST_NAMED else [])]) or "none"


def repeated_field(where: str, name: str) -> InputError:
    """Return the error for a table with a column twice that is read."""
    return InputError(
        f"several columns {name!r}", where=where, hint="Give each column a name of its own."
    )


def longest_text(values: Mapping[str, Any]) -> str | None:
    """Return the name of the field with the longest string, or None where none has one."""
    lengths = {
        name: len(value)
        for name in _paths(values)
        if isinstance(value := value_at(values, name), str)
    }
    return max(lengths, key=lengths.__getitem__, default=None)
