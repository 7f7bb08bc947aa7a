"""WARC: pages cut out in one process, decoded and turned into text in many.

Records are cut by their own lengths here, so that damage costs the records it is in: reading
goes on at the next line that starts one. FastWARC reads the single records.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from topicml.errors import InputError
from topicml.io.compression import (
    READ_BYTES,
    TOO_LARGE,
    Failure,
    Stream,
    make_reject,
    unread_block,
)
from topicml.io.optional_dependencies import load
from topicml.io.readers.html import check_extractor, page_record
from topicml.io.readers.records import refuse_unreadable
from topicml.io.records import LARGEST_RECORD, MOST_RAW, Block, Fields, Reject
from topicml.text.document import Document

_START = b"WARC/"
_LONGEST_LINE = 1 << 16
_MOST_HEADERS = 1 << 18
_HTML = ("text/html", "application/xhtml+xml")
_RECORD = (
    "WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http; msgtype=response\r\n"
    "Content-Length: {}\r\n\r\n"
)


class Page(NamedTuple):
    """A web page as it was sent, HTTP headers first."""

    number: int
    id: str
    uri: str | None
    date: str | None
    http: bytes


def check_archive(stream: Stream) -> None:
    """Look at the start of a stream, without reading it away.

    Raises:
        InputError: It is no WARC file.
        MissingExtraError: FastWARC, or what finds the text of a page, is not installed.
    """
    load("fastwarc.warc", "articles", "reading WARC")
    check_extractor()
    head = stream.peek(_LONGEST_LINE)
    refuse_unreadable(head, stream.name)
    if head.strip() and not head.lstrip().startswith(_START):
        raise InputError(
            "not a WARC file", where=stream.name, hint="Name its format: --input-format"
        )


def cut_pages(stream: Stream, block_bytes: int) -> Iterator[Block]:
    """Yield pages, about so many bytes at a time: HTML that was answered with status 200."""
    items: list[Page | Reject] = []
    held = 0
    before = 0
    cutter = _Cutter(stream)
    for item in cutter:
        items.append(item)
        held += len(item.raw if isinstance(item, Reject) else item.http)
        if held >= block_bytes:
            yield _block(stream, items, stream.consumed - before)
            before = stream.consumed
            items, held = [], 0
    if items:
        yield _block(stream, items, stream.consumed - before)
        before = stream.consumed
    if stream.failure:
        yield unread_block(stream, cutter.number, cutter.tail, stream.consumed - before)


def _block(stream: Stream, items: list[Page | Reject], size: int) -> Block:
    digest = hashlib.sha256()
    for item in items:
        if isinstance(item, Reject):
            digest.update(repr((item.number, item.reason, item.length)).encode() + item.raw)
        else:
            digest.update(repr((*item[:4], len(item.http))).encode() + item.http)
    first = items[0].number
    return Block(stream.name, first, "pages", tuple(items), digest.hexdigest(), size)


class _Cutter:
    def __init__(self, stream: Stream) -> None:
        self.number = 0
        """Of the record that was read last, of whatever type."""
        self.tail = b""
        """Where the stream could not be read to its end: the record that was cut in two."""
        self._stream = stream

    def __iter__(self) -> Iterator[Page | Reject]:
        line = self._line()
        while line:
            if not line.strip():
                line = self._line()
                continue
            self.number += 1
            if not line.startswith(_START):
                reject, line = self._step_over(line, "what is here is not a WARC record")
                if reject:
                    yield reject
                continue
            head, headers = self._headers(line)
            length = headers.get("content-length", "")
            if not (length.isascii() and length.isdigit()):
                reject, line = self._step_over(head, "a WARC record without a length")
                if reject:
                    yield reject
                continue
            item = self._read_block(head, headers, int(length))
            if item:
                yield item
            line = self._line()

    def _line(self) -> bytes:
        """Return the next line, of an overlong one only the start; nothing at the end."""
        line = b""
        for part in self._stream.rest_of_line():
            line += part[: _LONGEST_LINE - len(line)]
        return line

    def _headers(self, line: bytes) -> tuple[bytes, dict[str, str]]:
        head = line
        headers: dict[str, str] = {}
        while (line := self._line()) and line.strip() and len(head) < _MOST_HEADERS:
            head += line
            name, _, value = line.decode("utf-8", errors="replace").partition(":")
            headers.setdefault(name.strip().lower(), value.strip())
        return head + line, headers

    def _step_over(self, raw: bytes, detail: str) -> tuple[Reject | None, bytes]:
        """Read to the start of the next record; return what was between, and that start."""
        length = len(raw)
        while (line := self._line()) and not line.startswith(_START):
            raw += line[: max(MOST_RAW - len(raw), 0)]
            length += len(line)
        if not line and self._stream.failure:
            self.tail = raw
            return None, line
        failure = ("damaged_input", detail)
        return Reject(self._stream.name, self.number, *failure, raw[:MOST_RAW], length), line

    def _read_block(
        self, head: bytes, headers: Mapping[str, str], length: int
    ) -> Page | Reject | None:
        start = self._stream.read(min(length, _LONGEST_LINE))
        left = length - len(start)
        is_page = headers.get("warc-type") == "response" and _is_html_answer(start)
        parts = [start]
        held = len(start)
        while left and (part := self._stream.read(min(left, READ_BYTES))):
            left -= len(part)
            if is_page and held <= LARGEST_RECORD:
                parts.append(part)
                held += len(part)
        http = b"".join(parts)
        if left:
            if self._stream.failure:
                self.tail = head + http
                return None
            failure = Failure("truncated_input", "the file ends within this record")
            return make_reject(self._stream.name, self.number, failure, head + http)
        if not is_page:
            return None
        if length > LARGEST_RECORD:
            return Reject(self._stream.name, self.number, *TOO_LARGE, http[:MOST_RAW], length)
        uri = headers.get("warc-target-uri", "").strip("<>")
        identifier = headers.get("warc-record-id", "").strip("<>")
        return Page(self.number, identifier, uri or None, headers.get("warc-date"), http)


def _is_html_answer(start: bytes) -> bool:
    """Whether an answer of HTTP has status 200 and is said to be HTML."""
    head = start.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("latin-1")
    status, *lines = head.split("\n")
    if not status.startswith("HTTP/") or status.split()[1:2] != ["200"]:
        return False
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-type":
            return value.strip().lower().startswith(_HTML)
    return False


def parse_pages(block: Block, fields: Fields) -> Iterator[Document | Reject]:
    """Yield a record or a reject for each page.

    Its id is the ``WARC-Document-ID`` (a page that was fetched twice has two); the address and
    the date are its fields ``warc_uri`` and ``warc_date``.
    """
    for item in block.data:
        if isinstance(item, Reject):
            yield item
            continue
        page = _decode_http(item.http)
        if isinstance(page, Failure):
            yield make_reject(block.source, item.number, page, item.http)
            continue
        body, charset = page
        values = {"warc_uri": item.uri, "warc_date": item.date, fields.id: item.id}
        yield page_record(body, charset, values, fields, block.source, item.number)


def _decode_http(http: bytes) -> tuple[bytes, str | None] | Failure:
    warc = load("fastwarc.warc", "articles", "reading WARC")
    whole = io.BytesIO(_RECORD.format(len(http)).encode() + http + b"\r\n\r\n")
    try:
        record = next(iter(warc.ArchiveIterator(whole, parse_http=True, auto_decode="all")))
        body = record.reader.read(LARGEST_RECORD + 1)
        charset = record.http_charset
    except (OSError, ValueError, StopIteration) as err:
        return Failure("damaged_input", f"the page cannot be unpacked ({err})")
    return TOO_LARGE if len(body) > LARGEST_RECORD else (body, charset)
