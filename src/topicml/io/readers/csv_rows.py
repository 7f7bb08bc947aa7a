"""Rows of CSV and TSV, cut out of a stream in one process, parsed in many.

Quoting is taken strictly: behind a closing quote there is a delimiter or the end of the row.
So a quote that is never closed, or never opened, costs the line it is on and not all up to the
next quote: that line is rejected, and reading goes on at the next. Where that gives no row, a
backslash before a quote is taken to make it part of the text, as some programs write it. In TSV,
which need not know quotes at all, they are part of the text then.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterator

from topicml.errors import RecordError
from topicml.io.blocks import Block, Cutter, Item
from topicml.io.compression import Stream
from topicml.io.readers.fields import make_document
from topicml.io.records import LARGEST_RECORD, TOO_LARGE, ReadOptions, Reject
from topicml.text.decoding import utf8_error
from topicml.text.document import Document

_WRONG_QUOTES = ("bad_row", "a quote on this line is not closed, or not opened")
_PAID_BACK = 4


_ESCAPE = re.compile(r'\\(["\\])')
_QUOTED, _ESCAPED = r'"[^"]*+(?:""[^"]*+)*+', r'"[^"\\]*+(?:(?:""|\\[\s\S])[^"\\]*+)*+'


@functools.cache
def _row_pattern(delimiter: str, quoted: str = _QUOTED) -> re.Pattern[bytes]:
    """Match a row as far as it goes; the group that matched says why it is not whole.

    ``open`` and ``shut``: there is no line end, behind a bare and a quoted field; ``unclosed``:
    nor a closing quote; ``wrong``: something else is behind a quote.
    """
    mark = re.escape(delimiter)
    bare = rf'(?:[^"\n{mark}][^\n{mark}]*+)?+'
    last = rf'{quoted}(?:"(?:\r?\n|\r?(?P<shut>\Z)|(?P<wrong>))|(?P<unclosed>\\?\Z))'
    last = rf"{last}|{bare}(?:\n|(?P<open>\Z))"
    return re.compile(rf'(?:(?:{quoted}"|{bare}){mark})*+(?:{last})'.encode())


class RowCutter(Cutter):
    """Cuts a stream into rows, and steps over lines that cannot be one."""

    def __init__(self, stream: Stream, delimiter: str) -> None:
        super().__init__(stream)
        self._pattern = _row_pattern(delimiter)
        self._escaped = _row_pattern(delimiter, _ESCAPED)
        self._has_tabs = delimiter == "\t"
        # Bytes behind a line that may be gone over in vain, looking for the end of a quoted field.
        # Good rows earn it back; without it, a file whose every line opens a quote would be gone
        # over to its end for each of them.
        self._credit = LARGEST_RECORD

    @property
    def is_at_end(self) -> bool:
        """Whether all that was read is cut."""
        return self._at == len(self._data)

    def _cut(self) -> Iterator[Item | Reject]:
        """Yield rows; a second call goes on where the first one was left."""
        while not (self._ended and self.is_at_end):
            line_end = self._data.find(b"\n", self._at) + 1
            if line_end or self._ended:
                end, missing = self._find_end(line_end)
                if missing in {"", "wrong"}:
                    item = self._step_over_line(end) if missing else self._take(end)
                elif not self._ended:
                    self._read_on()
                    continue
                elif self._stream.failure:
                    self._tail = self._data[self._at :]
                    return
                else:
                    is_row = missing != "unclosed"
                    item = self._take(end) if is_row else self._step_over_line(end)
                if item:
                    yield item
            elif len(self._data) - self._at > LARGEST_RECORD:
                yield self._step_over_stream()
            else:
                self._read_on()

    def _find_end(self, line_end: int) -> tuple[int, str]:
        """Return how far a row goes, and what it lacks, see ``_row_pattern``; nothing if whole.

        What would take more bytes than may be gone over is ``wrong``.
        """
        end = line_end or len(self._data)
        if self._data.find(b'"', self._at, end) >= 0:
            limit = max(self._at + self._credit, end)
            if match := self._match(limit):
                missing = match.lastgroup or ""
                is_over = missing and limit < len(self._data)
                return match.end(), "wrong" if is_over else missing
        return end, "" if line_end else "open"

    def _match(self, limit: int) -> re.Match[bytes] | None:
        match = self._pattern.match(self._data, self._at, limit)
        if match is None or match.lastgroup not in {"wrong", "unclosed"}:
            return match
        if self._data.find(b'\\"', self._at, match.end()) < 0:
            return match
        escaped = self._escaped.match(self._data, self._at, limit)
        return escaped if escaped and escaped.lastgroup != "wrong" else match

    def _take(self, end: int) -> Item | Reject | None:
        row = self._data[self._at : end]
        offset, first = self._offset(), self._number
        line = row.removesuffix(b"\n")
        is_large = len(line) > LARGEST_RECORD
        reject = self._reject(RecordError(*TOO_LARGE), line, offset) if is_large else None
        self._at = end
        self._number += row.count(b"\n")
        self._credit = min(self._credit + _PAID_BACK * len(row), LARGEST_RECORD)
        return reject or (Item(self._stream.name, first, offset, line) if row.strip() else None)

    def _step_over_stream(self) -> Reject:
        held = self._data[self._at :]
        place = self._stream.place(self._stream.offset - len(held))
        length = len(held) + self._stream.rest_of_line(0)[1]
        reject = self._reject(RecordError(*TOO_LARGE), held, place, length)
        self._data, self._at = b"", 0
        self._number += 1
        return reject

    def _step_over_line(self, seen: int) -> Item | Reject:
        """Reject a line whose quotes are wrong, as was found at ``seen``; keep it in TSV."""
        end = self._data.find(b"\n", self._at) + 1 or len(self._data)
        line = self._data[self._at : end].removesuffix(b"\n")
        offset, number = self._offset(), self._number
        self._credit = max(self._credit - (seen - self._at), 0)
        if len(line) > LARGEST_RECORD:
            item: Item | Reject = self._reject(RecordError(*TOO_LARGE), line, offset)
        elif self._has_tabs:
            item = Item(self._stream.name, number, offset, line)
        else:
            item = self._reject(RecordError(*_WRONG_QUOTES), line, offset)
        self._at = end
        self._number += 1
        return item


def parse_row(item: Item, block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield the document of a row.

    Raises:
        RecordError: There is none.
    """
    delimiter, *names = block.common
    try:
        cells = split_row(item.raw, delimiter, len(names))
    except UnicodeDecodeError as err:
        raise (utf8_error(item.raw, block.encoding) or RecordError(*_WRONG_QUOTES)) from err
    except csv.Error as err:
        raise RecordError("bad_row", f"this is no row of cells ({err})") from err
    if len(cells) != len(names):
        raise RecordError(
            "bad_row", f"expected {len(names)} columns between {delimiter!r}, found {len(cells)}"
        )
    values = dict(zip(names, cells, strict=True))
    yield make_document(values, options, item.source, item.number, block.encoding)


def split_row(row: bytes, delimiter: str, width: int | None = None) -> list[str]:
    """Return the cells of a row.

    Args:
        row: Without its line end.
        delimiter: Between the cells.
        width: How many there should be, where that is known.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
        csv.Error: Its quotes are wrong.
    """
    if csv.field_size_limit() < LARGEST_RECORD:  # rows are limited already
        csv.field_size_limit(LARGEST_RECORD)
    text = row.decode("utf-8")
    try:
        cells = _split(text, delimiter)
        if width in {None, len(cells)} or '\\"' not in text:
            return cells
    except csv.Error:
        if '\\"' not in text and delimiter != "\t":
            raise
    try:
        return _split(_ESCAPE.sub(_unescaped, text), delimiter)
    except csv.Error:
        if delimiter != "\t":
            raise
        return text.rstrip("\r").split("\t")  # where quotes are no part of the format


def _split(text: str, delimiter: str) -> list[str]:
    return next(csv.reader([text], delimiter=delimiter, strict=True), [])


def _unescaped(match: re.Match[str]) -> str:
    return '""' if match[1] == '"' else "\\"
