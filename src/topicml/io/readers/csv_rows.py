"""Rows of CSV and TSV, cut out of a stream.

Quoting is taken strictly: behind a closing quote there is a delimiter or the end of the row.
So a quote that is never closed, or never opened, costs the line it is on and not all up to the
next quote: that line is rejected, and reading goes on at the next.
"""

from __future__ import annotations

import codecs
import csv
import functools
import re
from collections.abc import Iterator

from topicml.io.blocks import Item, pass_over
from topicml.io.compression import READ_BYTES, Stream
from topicml.io.records import LARGEST_RECORD, TOO_LARGE, Failure, Reject, make_reject

WRONG_QUOTES = Failure("bad_row", "a quote on this line is not closed, or not opened")
"""Why a line is no row."""

_QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')
_PAID_BACK = 4


def split_row(row: bytes, delimiter: str) -> list[str]:
    """Return the cells of a row.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
        csv.Error: Its quotes are wrong.
    """
    if csv.field_size_limit() < LARGEST_RECORD:  # rows are limited already
        csv.field_size_limit(LARGEST_RECORD)
    text = row.decode("utf-8")
    return next(csv.reader([text], delimiter=delimiter, strict=True), [])


@functools.cache
def _unquoted(delimiter: str) -> re.Pattern[bytes]:
    """Match fields without quotes around them, each with the delimiter behind it."""
    mark = re.escape(delimiter).encode()
    return re.compile(rb'(?:[^"\n%b][^\n%b]*+%b|%b)*+' % (mark, mark, mark, mark))


class _OpenError(Exception):
    """A row goes on behind the bytes that are at hand."""


class _QuoteError(Exception):
    """A row's quotes are wrong.

    Args:
        seen: How many bytes were looked at to find that out.
    """

    def __init__(self, seen: int) -> None:
        self.seen = seen
        super().__init__(seen)


class RowCutter:
    """Cuts a stream into rows, and steps over lines that cannot be one."""

    def __init__(self, stream: Stream, delimiter: str) -> None:
        self.number = 1
        """Line that the next row starts on."""
        self.tail = b""
        """Where the stream could not be read to its end: the row that was cut in two."""
        self._stream = stream
        self._delimiter = delimiter.encode()
        self._unquoted = _unquoted(delimiter)
        self._data = b""
        self._at = 0
        self._ended = False
        # Bytes behind a line that may be gone over in vain, looking for the end of a quoted field.
        # Good rows earn it back; without it, a file whose every line opens a quote would be gone
        # over to its end for each of them.
        self._credit = LARGEST_RECORD

    @property
    def is_at_end(self) -> bool:
        """Whether all that was read is cut."""
        return self._at == len(self._data)

    def __iter__(self) -> Iterator[Item | Reject]:
        """Yield rows; a second call goes on where the first one was left."""
        while True:
            try:
                end = self._find_end()
            except _OpenError:
                if not self._ended:
                    self._read_on()
                elif self._stream.failure:
                    self.tail = self._data[self._at :]
                    return
                else:
                    yield self._step_over_line(len(self._data) - self._at)
            except _QuoteError as err:
                yield self._step_over_line(err.seen)
            else:
                if end is None:
                    yield self._step_over_stream()
                elif end == self._at:
                    return
                elif item := self._take(end):
                    yield item

    def _take(self, end: int) -> Item | Reject | None:
        row, offset, first = self._data[self._at : end], self._offset(), self.number
        self._at = end
        self.number += row.count(b"\n")
        self._credit = min(self._credit + _PAID_BACK * len(row), LARGEST_RECORD)
        line = row.removesuffix(b"\n")
        if len(line) > LARGEST_RECORD:
            return make_reject(self._stream.name, first, TOO_LARGE, line, offset)
        return Item(self._stream.name, first, offset, line) if row.strip() else None

    def _offset(self) -> int | None:
        return self._stream.place(self._stream.offset - len(self._data) + self._at)

    def _read_on(self) -> None:
        is_first = self._stream.offset == 0
        held = self._data[self._at :]
        # a long row is not gone over too often
        bytes_read = self._stream.read(max(READ_BYTES, len(held)))
        self._data = held + bytes_read
        self._at = len(codecs.BOM_UTF8) if is_first and bytes_read[:3] == codecs.BOM_UTF8 else 0
        self._ended = not bytes_read

    def _step_over_stream(self) -> Reject:
        held = self._data[self._at :]
        offset = self._stream.offset - len(held)
        reject, _ = pass_over(self._stream, self.number, offset, [held])
        self._data, self._at = b"", 0
        self.number += 1
        return reject

    def _step_over_line(self, seen: int) -> Reject:
        end = self._data.find(b"\n", self._at) + 1 or len(self._data)
        line = self._data[self._at : end].removesuffix(b"\n")
        failure = TOO_LARGE if len(line) > LARGEST_RECORD else WRONG_QUOTES
        reject = make_reject(self._stream.name, self.number, failure, line, self._offset())
        self._at = end
        self.number += 1
        self._credit = max(self._credit - seen, 0)
        return reject

    def _find_end(self) -> int | None:
        """Return where the row ends, or None for a line too large to be held.

        At the end of the stream it is the position itself.

        Raises:
            _OpenError: Not in the bytes at hand.
            _QuoteError: Nowhere that makes sense.
        """
        data, start = self._data, self._at
        newline = data.find(b"\n", start)
        if newline < 0 and not self._ended:
            if len(data) - start > LARGEST_RECORD:
                return None
            raise _OpenError
        line_end = newline + 1 or len(data)
        if data.find(b'"', start, line_end) < 0:
            if newline < 0 and self._stream.failure and start < len(data):
                raise _OpenError
            return line_end
        end = self._walk(start, max(start + self._credit, line_end))
        if end == len(data) and data[-1:] != b"\n" and self._stream.failure:
            raise _OpenError
        return end

    def _walk(self, start: int, limit: int) -> int:
        """Go over the fields of a row that has quotes, and return where it ends."""
        data, at = self._data, start
        while True:
            at = self._end_of(self._unquoted, at)
            if data[at : at + 1] != b'"':
                return self._end_of_line(at, start)
            match = _QUOTED.match(data, at, limit)
            if not match:
                if limit <= len(data):
                    raise _QuoteError(limit - start)
                raise _OpenError
            at = match.end()
            behind = data[at : at + 2]
            if behind[:1] == self._delimiter:
                at += 1
            elif behind in {b"", b"\r"} and not self._ended:
                raise _OpenError
            elif behind in {b"", b"\r", b"\r\n"} or behind[:1] == b"\n":
                return at + (2 if behind == b"\r\n" else min(len(behind), 1))
            else:
                raise _QuoteError(at - start)

    def _end_of(self, pattern: re.Pattern[bytes], at: int) -> int:
        match = pattern.match(self._data, at)
        return match.end() if match else at

    def _end_of_line(self, at: int, start: int) -> int:
        newline = self._data.find(b"\n", at)
        if newline >= 0:
            return newline + 1
        if self._ended:
            return len(self._data)
        if len(self._data) - start > LARGEST_RECORD:
            raise _QuoteError(len(self._data) - start)
        raise _OpenError
