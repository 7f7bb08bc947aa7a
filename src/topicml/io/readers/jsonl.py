"""JSON Lines: cut at line ends in one process, parsed in many."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterator
from typing import Any

from topicml.errors import RecordError
from topicml.io.blocks import Block, Cutter, Item
from topicml.io.compression import Stream
from topicml.io.readers.fields import check_head, make_document, value_at
from topicml.io.records import LARGEST_RECORD, TOO_LARGE, ReadOptions, Reject, make_reject
from topicml.text.decoding import utf8_error
from topicml.text.document import Document

_EXACT = 2**63  # whole numbers from here on may come as rounded ones
_SHORT = 19  # digits, sign included, that surely are below that
_NO_NUMBER = re.compile(rb"NaN|Infinity|\d{19}|\d[eE]\+?\d{3}")


def cut_lines(stream: Stream, options: ReadOptions, block_bytes: int) -> Cutter:
    """Cut a stream into items of whole lines, about so many bytes each.

    Raises:
        InputError: None of the records at its start has the text's field.
    """
    cutter = _LineCutter(stream, block_bytes)
    cutter.fields, cutter.lacking = check_head(stream, _head_records, options.fields)
    return cutter


def _head_records(head: bytes) -> Iterator[tuple[int, Any]]:
    lines = head.removeprefix(codecs.BOM_UTF8).split(b"\n")
    return ((number, load_json(line)) for number, line in enumerate(lines, start=1))


def load_json(data: bytes) -> Any:
    """Return a value, or None where there is no valid JSON."""
    try:
        return _load(data)
    except ValueError:
        return None


def _load(data: bytes) -> Any:
    """Return a value; in it, null stands for NaN, Infinity and numbers as large as that.

    Raises:
        ValueError: This is not valid JSON.
    """
    import orjson

    try:
        return orjson.loads(data)
    except ValueError as err:
        if not _NO_NUMBER.search(data):
            raise
        try:
            value = json.loads(data, parse_float=_finite, parse_int=_whole, parse_constant=_none)
            orjson.dumps(value)  # all else is as strict as it was
        except (ValueError, TypeError, RecursionError):
            raise err from None
        return value


def _whole(digits: str) -> float | None:
    return int(digits) if len(digits) < _SHORT else _finite(digits)


def _finite(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _none(_: str) -> None:
    return None


class _LineCutter(Cutter):
    def __init__(self, stream: Stream, block_bytes: int) -> None:
        super().__init__(stream)
        self._block_bytes = block_bytes

    def _cut(self) -> Iterator[Item | Reject]:
        stream, start = self._stream, self._stream.offset
        while data := stream.read(self._block_bytes):
            whole = data.rfind(b"\n") + 1
            lines, last, length = data[:whole], data[whole:], len(data) - whole
            if last:
                rest, more = stream.rest_of_line(LARGEST_RECORD)
                last, length = last + rest, length + more
            is_large = length > LARGEST_RECORD
            if stream.failure and last[-1:] not in {b"", b"\n"} and not is_large:
                self._tail = last
            elif not is_large:
                lines += last
            if lines and not lines.isspace():
                yield Item(stream.name, self._number, stream.place(start), lines, is_several=True)
            self._number += lines.count(b"\n")
            if is_large:
                place = stream.place(start + whole)
                yield self._reject(RecordError(*TOO_LARGE), last, place, length)
                self._number += 1
            start = stream.offset


def parse_lines(lines: Item, block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield a document or a reject for each line that is not blank."""
    place = lines.offset
    for number, line in enumerate(lines.raw.split(b"\n"), start=lines.number):
        is_blank = not line or line.isspace() or (number == 1 and line.strip() == codecs.BOM_UTF8)
        if not is_blank and options.takes(lines.source, number):
            item = Item(lines.source, number, place, line)
            try:
                yield from parse_element(item, block, options)
            except RecordError as err:
                yield make_reject(lines.source, number, err, line, place)
        place = None if place is None else place + len(line) + 1


def parse_element(item: Item, block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield the document of one JSON value.

    Raises:
        RecordError: There is none.
    """
    if len(item.raw) > LARGEST_RECORD:
        raise RecordError(*TOO_LARGE)
    data = item.raw.removeprefix(codecs.BOM_UTF8) if item.number == 1 else item.raw
    try:
        values = _load(data)
    except ValueError as err:
        raise (utf8_error(data, block.encoding) or _json_error(err)) from err
    if not isinstance(values, dict):
        found = "null" if values is None else type(values).__name__
        raise RecordError("not_an_object", f"expected an object of fields, found {found}")
    identifier = value_at(values, options.fields.id)
    if isinstance(identifier, float) and abs(identifier) >= _EXACT:
        exact = json.loads(data, parse_int=str)
        values[options.fields.id] = value_at(exact, options.fields.id)
    yield make_document(values, options, item.source, item.number, block.encoding)


def _json_error(err: ValueError) -> RecordError:
    if "surrogate" in str(err):
        return RecordError("lone_surrogate", f"there is half of a character ({err})")
    return RecordError("broken_json", f"this is not valid JSON ({err})")
