"""JSON: an array of records, one record or several values, cut into elements as it is read.

Python's scanner finds where each element ends. It is given Latin-1, in which every byte is a
character, so that its positions are offsets; what it made is not used. An element that is
broken costs itself: the next one is looked for where one object ends and another begins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from topicml.errors import RecordError
from topicml.io.blocks import Cutter, Item
from topicml.io.compression import Stream
from topicml.io.readers.fields import check_head
from topicml.io.readers.jsonl import load_json
from topicml.io.records import LARGEST_RECORD, MOST_RAW, TOO_LARGE, ReadOptions, Reject

_SCANNER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_BETWEEN = re.compile(rb"[\s,]*+")
_OBJECT = re.compile(rb'\{\s*+"')
_NEXT_OBJECT = re.compile(rb'[}\]]\s*+,?\s*+(?=\{\s*+")')
_OVERLAP = 1 << 10  # bytes that an end of one object and a start of another may take
_LONGEST_ATOM = 16  # of a number, a word or an escape that may be cut at the end of what is read
_BROKEN = ("broken_json", "this is not valid JSON, up to where the next object begins")
_NOT_CLOSED = ("truncated_input", "the array is not closed; the file may be cut off")


class _ElementCutter(Cutter):
    """Cuts a stream into the elements of its arrays, and into its other values."""

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream)
        self._text = ""  # what is held, for the scanner
        self._solid = 0  # its length without the blanks at its end
        self._is_open = False  # whether this is within an array

    def _cut(self) -> Iterator[Item | Reject]:
        while self._find_start():
            item = self._cut_element()
            if item is None:
                return
            yield item
            self._number += 1
        if self._is_open and not self._stream.failure:
            place = self._stream.place(self._stream.offset)
            yield self._reject(RecordError(*_NOT_CLOSED), b"", place)

    def _find_start(self) -> bool:
        """Go to where an element starts, into an array or out of one; return whether there is."""
        while True:
            match = _BETWEEN.match(self._data, self._at)
            self._at = match.end() if match else self._at
            if self._at == len(self._data):
                if self._ended:
                    return False
                self._read_on()
            elif self._data[self._at : self._at + 1] == (b"]" if self._is_open else b"["):
                self._is_open = not self._is_open
                self._at += 1
            else:
                return True

    def _cut_element(self) -> Item | Reject | None:
        """Return the element that starts here, None where the stream fails within it."""
        while True:
            try:
                _, end = _SCANNER.raw_decode(self._text, self._at)
                if end < len(self._text) or self._ended or self._data[end - 1 : end] in b'"]}':
                    return self._take(end)
            except json.JSONDecodeError as err:
                if not self._may_go_on(err):
                    return self._step_over(err.pos)
            except RecursionError:
                return self._step_over(self._at)
            if self._ended and self._stream.failure:
                self._tail = self._data[self._at :]
                return None
            if self._ended or len(self._data) - self._at > LARGEST_RECORD:
                return self._step_over(self._at)
            self._read_on()

    def _may_go_on(self, err: json.JSONDecodeError) -> bool:
        """Whether what is wrong may be only that more must be read."""
        near_end = err.pos >= self._solid - _LONGEST_ATOM
        is_open = near_end or err.msg.startswith("Unterminated")
        return is_open and (not self._ended or self._stream.failure is not None)

    def _take(self, end: int) -> Item | Reject:
        raw, offset = self._data[self._at : end], self._offset()
        self._at = end
        if len(raw) > LARGEST_RECORD:
            return self._reject(RecordError(*TOO_LARGE), raw, offset)
        return Item(self._stream.name, self._number, offset, raw)

    def _step_over(self, wrong: int) -> Reject | None:
        """Go to where the next object may begin; return what is before it as a reject.

        Args:
            wrong: Where the scanner stopped. An object that it found in place of a name is the
                next one, and the one before was not closed.
        """
        offset = self._offset()
        raw, length = b"", 0
        start = self._at + 1
        is_object = self._data[self._at : start] == b"{"
        pattern = _NEXT_OBJECT if is_object else _OBJECT
        while True:
            end = self._next_object(pattern, start, wrong)
            if end is None and self._ended and self._stream.failure:
                self._tail = raw + self._data[self._at :]
                return None
            cut = end or (
                len(self._data) if self._ended else max(len(self._data) - _OVERLAP, start)
            )
            length += cut - self._at
            raw += self._data[self._at : cut][: MOST_RAW - len(raw)]
            self._at = cut
            if end or self._ended:
                break
            self._read_on()
            start, wrong = 0, -1
        return self._broken(raw, length, offset, is_last=end is None)

    def _next_object(self, pattern: re.Pattern[bytes], start: int, wrong: int) -> int | None:
        if wrong > self._at and _OBJECT.match(self._data, wrong):
            return wrong
        match = pattern.search(self._data, start)
        return match and (match.start() if pattern is _OBJECT else match.end())

    def _broken(self, raw: bytes, length: int, offset: int | None, *, is_last: bool) -> Reject:
        closed = raw.rstrip()
        if is_last and self._is_open and length == len(raw) and closed.endswith(b"]"):
            raw, self._is_open = closed[:-1], False
        else:
            raw = raw.rstrip(b", \t\r\n") if length == len(raw) else raw
        length = length if len(raw) == MOST_RAW else len(raw)
        reason = TOO_LARGE if length > LARGEST_RECORD else _BROKEN
        return self._reject(RecordError(*reason), raw, offset, length)

    def _read_on(self) -> None:
        super()._read_on()
        self._text = self._data.decode("latin-1")
        self._solid = len(self._text.rstrip())


def cut_elements(stream: Stream, options: ReadOptions, _block_bytes: int) -> Cutter:
    """Cut a stream into the elements of its arrays, and its other values.

    Raises:
        InputError: None of the records at its start has the text's field.
    """
    cutter = _ElementCutter(stream)
    cutter.fields, cutter.lacking = check_head(stream, _head_records, options.fields)
    return cutter


def _head_records(head: bytes) -> Iterator[tuple[int, Any]]:
    items = _ElementCutter(Stream(BytesIO(head), ""))
    return ((item.number, load_json(item.raw)) for item in items)
