"""CSV and TSV: cut into rows in one process, parsed in many.

Quoting is taken strictly: behind a closing quote there is a delimiter or the end of the row.
So a quote that is never closed, or never opened, costs the line it is on and not all up to the
next quote: that line is rejected, and reading goes on at the next.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

from topicml.errors import InputError
from topicml.io.compression import (
    READ_BYTES,
    TOO_LARGE,
    Failure,
    Stream,
    make_reject,
    pass_over,
    unread_block,
)
from topicml.io.readers.records import (
    decode_failure,
    longest_text,
    make_record,
    missing_field,
    refuse_unreadable,
)
from topicml.io.records import LARGEST_RECORD, Block, Fields, Reject
from topicml.text.document import Document

_QUOTED = re.compile(rb'"[^"]*+(?:""[^"]*+)*+"')
_UNQUOTED = {  # fields without quotes around them, each with the delimiter behind it
    ",": re.compile(rb'(?:[^",\n][^,\n]*+,|,)*+'),
    "\t": re.compile(rb'(?:[^"\t\n][^\t\n]*+\t|\t)*+'),
}
_PAID_BACK = 4
_HEAD = 1 << 18
_WRONG_QUOTES = Failure("bad_row", "a quote that is not closed, or not opened, on this line")


class Rows(NamedTuple):
    """What ``Block.data`` holds for kind ``rows``.

    Attributes:
        names: Of the columns.
        delimiter: Between them.
        rows: Line number and bytes of each row, and rows that are rejects already.
    """

    names: tuple[str, ...]
    delimiter: str
    rows: list[tuple[int, bytes] | Reject]


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


class _RowCutter:
    """Cuts a stream into rows, and steps over lines that cannot be one."""

    def __init__(self, stream: Stream, delimiter: str) -> None:
        self.number = 1
        """Line that the next row starts on."""
        self.tail = b""
        """Where the stream could not be read to its end: the row that was cut in two."""
        self._stream = stream
        self._delimiter = delimiter.encode()
        self._unquoted = _UNQUOTED[delimiter]
        self._data = b""
        self._at = 0
        self._ended = False
        # Bytes behind a line that may be gone over in vain, looking for the end of a quoted field.
        # Good rows earn it back; without it, a file whose every line opens a quote would be gone
        # over to its end for each of them.
        self._credit = LARGEST_RECORD

    def __iter__(self) -> Iterator[tuple[int, bytes] | Reject]:
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
                continue
            except _QuoteError as err:
                yield self._step_over_line(err.seen)
                continue
            if end is None:
                reject, _ = pass_over(self._stream, self.number, [self._data[self._at :]])
                self._data, self._at = b"", 0
                self.number += 1
                yield reject
                continue
            if end == self._at:
                return
            row = self._data[self._at : end]
            first = self.number
            self._at = end
            self.number += row.count(b"\n")
            self._credit = min(self._credit + _PAID_BACK * len(row), LARGEST_RECORD)
            line = row.removesuffix(b"\n")
            if len(line) > LARGEST_RECORD:
                yield make_reject(self._stream.name, first, TOO_LARGE, line)
            elif row.strip():
                yield first, line

    def _read_on(self) -> None:
        held = self._data[self._at :]
        bytes_read = self._stream.read(
            max(READ_BYTES, len(held))
        )  # a long row is not gone over too often
        self._data = held + bytes_read
        self._at = 0
        self._ended = not bytes_read

    def _step_over_line(self, seen: int) -> Reject:
        end = self._data.find(b"\n", self._at) + 1 or len(self._data)
        line = self._data[self._at : end].removesuffix(b"\n")
        failure = TOO_LARGE if len(line) > LARGEST_RECORD else _WRONG_QUOTES
        reject = make_reject(self._stream.name, self.number, failure, line)
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


def check_header(stream: Stream, fields: Fields, delimiter: str) -> None:
    """Look for the text's column in the header line, without reading it away.

    Raises:
        InputError: It has no such column, or is none.
    """
    head = stream.peek(_HEAD)
    refuse_unreadable(head, stream.name)
    if not head.strip():
        return
    rows = iter(_RowCutter(Stream(io.BytesIO(head), stream.name), delimiter))
    names = _read_header(next(rows, None), stream.name, delimiter)
    if fields.text not in names:
        sample = next(rows, None)
        values: dict[str, str] = {}
        if isinstance(sample, tuple):
            try:
                text = sample[1].decode("utf-8", errors="replace")
                values = dict(zip(names, _split(text, delimiter), strict=False))
            except csv.Error:
                pass
        raise missing_field(f"{stream.name}:1", fields.text, names, longest_text(values))
    if names.count(fields.text) > 1:
        raise InputError(
            f"several columns {fields.text!r}",
            where=f"{stream.name}:1",
            hint="Give each column a name of its own.",
        )


def cut_rows(stream: Stream, delimiter: str, block_bytes: int) -> Iterator[Block]:
    """Yield rows, about so many bytes at a time, each block with the names of the columns."""
    before = 0
    cutter = _RowCutter(stream, delimiter)
    items = iter(cutter)
    header = next(items, None)
    if header is None:
        if stream.failure:
            yield unread_block(stream, cutter.number, cutter.tail, stream.consumed - before)
        return
    names = _read_header(header, stream.name, delimiter)
    rows: list[tuple[int, bytes] | Reject] = []
    held = 0

    def block() -> Block:
        digest = hashlib.sha256(repr(names).encode())
        for item in rows:
            digest.update(item.raw if isinstance(item, Reject) else item[1])
            digest.update(b"\n")
        first = rows[0].number if isinstance(rows[0], Reject) else rows[0][0]
        data = Rows(names, delimiter, rows)
        size = stream.consumed - before
        return Block(stream.name, first, "rows", data, digest.hexdigest(), size)

    for item in items:
        rows.append(item)
        held += len(item.raw if isinstance(item, Reject) else item[1]) + 1
        if held >= block_bytes:
            yield block()
            before = stream.consumed
            rows, held = [], 0
    if rows:
        yield block()
        before = stream.consumed
    if stream.failure:
        yield unread_block(stream, cutter.number, cutter.tail, stream.consumed - before)


def _read_header(
    header: tuple[int, bytes] | Reject | None, source: str, delimiter: str
) -> tuple[str, ...]:
    try:
        if isinstance(header, tuple):
            text = header[1].removeprefix(codecs.BOM_UTF8).decode("utf-8")
            return tuple(name.strip() for name in _split(text, delimiter))
    except (UnicodeDecodeError, csv.Error):
        pass
    raise InputError(
        "the first line is no header of column names",
        where=f"{source}:1",
        hint="Name the columns in the first line, in UTF-8.",
    )


def parse_rows(block: Block, fields: Fields) -> Iterator[Document | Reject]:
    """Yield a record or a reject for each row."""
    names, delimiter, rows = block.data
    for item in rows:
        if isinstance(item, Reject):
            yield item
            continue
        number, raw = item
        try:
            text = raw.decode("utf-8")
            cells = _split(text, delimiter)
        except UnicodeDecodeError:
            failure = decode_failure(raw)
        except csv.Error as err:
            failure = Failure("bad_row", str(err))
        else:
            failure = _row_failure(text, cells, names)
            if not failure:
                values = dict(zip(names, cells, strict=True))
                yield make_record(values, fields, block.source, number, raw)
        if failure:
            yield make_reject(block.source, number, failure, raw)


def _split(row: str, delimiter: str) -> list[str]:
    if csv.field_size_limit() < LARGEST_RECORD:  # rows are limited already
        csv.field_size_limit(LARGEST_RECORD)
    return next(csv.reader([row], delimiter=delimiter, strict=True), [])


def _row_failure(text: str, cells: list[str], names: tuple[str, ...]) -> Failure | None:
    if "\0" in text:
        return Failure("bad_row", "a NUL character")
    if len(cells) != len(names):
        return Failure("bad_row", f"expected {len(names)} columns, found {len(cells)}")
    return None
