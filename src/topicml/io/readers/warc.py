"""WARC: pages cut out in one process, decoded and turned into text in many.

Records are cut by their own lengths here, so that damage costs the records it is in: reading
goes on at the next line that starts one. FastWARC reads the single records.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping

from topicml.errors import InputError, RecordError
from topicml.io.blocks import Block, Cutter, Item, Outcome
from topicml.io.compression import READ_BYTES, Stream
from topicml.io.optional_dependencies import load
from topicml.io.readers.fields import check_names
from topicml.io.readers.files import decode_document
from topicml.io.readers.html import PAGE_FIELDS
from topicml.io.records import LARGEST_RECORD, MOST_RAW, TOO_LARGE, ReadOptions, Reject, Skip
from topicml.text.document import Document

_START = b"WARC/"
_LONGEST_LINE = 1 << 16
_MOST_HEADERS = 1 << 18
_OK = "200"
_FORMS = {"text/html": "html", "application/xhtml+xml": "html", "text/plain": "text"}
_CONVERTED = "conversion"
_OTHER_RECORDS = {"warcinfo", "request", "metadata", "revisit", "resource", "continuation"}
_MEDIA = {"image", "audio", "video", "font"}  # counted together, whatever their format
_MEDIA_TYPE = re.compile(r"([a-z]{1,20})/[a-z0-9!#$&^_.+-]{1,80}(?![^\s;,])", re.ASCII)
_STATUS = re.compile(r"HTTP/\S+ +([0-9]{3})(?![0-9])")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_RECORD = (
    "WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http; msgtype=response\r\n"
    "Content-Length: {}\r\n\r\n"
)


def cut_pages(stream: Stream, options: ReadOptions, _block_bytes: int) -> Cutter:
    """Cut a stream into pages.

    These are HTML and plain text that was answered with status 200, and the texts that an archive
    of conversions (WET) has of pages. All else is skipped, and counted by kind.

    Raises:
        InputError: It is no WARC file.
    """
    head = stream.peek(_LONGEST_LINE)
    if head.strip() and not head.lstrip().startswith(_START) and not stream.lost:
        raise InputError(
            "not a WARC file", where=stream.name, hint="Name its format: --input-format"
        )
    cutter = _PageCutter(stream)
    cutter.lacking = check_names(stream.name, cutter.fields, options.fields)
    return cutter


class _PageCutter(Cutter):
    fields = (*PAGE_FIELDS, "status", "warc_date", "warc_record_id", "warc_uri")

    def __init__(self, stream: Stream) -> None:
        super().__init__(stream)
        self._start = 0  # of the record that was read last, of whatever type
        self._line_start = 0  # of the line that was read last

    def _cut(self) -> Iterator[Outcome]:
        line = self._line()
        while line:
            if not line.strip():
                line = self._line()
                continue
            self._start = self._line_start
            head, headers = self._headers(line) if line.startswith(_START) else (line, {})
            length = headers.get("content-length", "")
            item: Outcome | None
            if length.isascii() and length.isdigit():
                item = self._read_block(head, headers, int(length))
                line = self._line()
            else:
                item, line = self._step_over(head)
            if item:
                yield item
            if not self._tail:
                self._number += 1

    def _line(self) -> bytes:
        """Return the next line, of an overlong one only the start; nothing at the end."""
        self._line_start = self._stream.offset
        return self._stream.rest_of_line(_LONGEST_LINE)[0]

    def _headers(self, line: bytes) -> tuple[bytes, dict[str, str]]:
        head = line
        headers: dict[str, str] = {}
        while (line := self._line()) and line.strip() and len(head) < _MOST_HEADERS:
            head += line
            name, _, value = line.decode("utf-8", errors="replace").partition(":")
            headers.setdefault(name.strip().lower(), value.strip())
        return head + line, headers

    def _step_over(self, raw: bytes) -> tuple[Reject | None, bytes]:
        """Read to the start of the next record; return what was between, and that start."""
        length = len(raw)
        while (line := self._line()) and not line.startswith(_START):
            raw += line[: max(MOST_RAW - len(raw), 0)]
            length += len(line)
        if not line and self._stream.failure:
            self._tail = raw
            return None, line
        detail = "what is here is no WARC record, or one without a length"
        return self._reject(RecordError("damaged_input", detail), raw, self._start, length), line

    def _read_block(self, head: bytes, headers: Mapping[str, str], length: int) -> Outcome | None:
        start = self._stream.read(min(length, _LONGEST_LINE))
        form, kind = _kind(headers, start)
        block, left = self._read_rest(start, length - len(start), keep=form is not None)
        if left:
            if self._stream.failure:
                self._tail = head + block
                return None
            failure = RecordError("truncated_input", "the file ends within this record")
            return self._reject(failure, head + block, self._start)
        if not form:
            return Skip(self._stream.name, self._number, kind)
        if length > LARGEST_RECORD:
            return self._reject(RecordError(*TOO_LARGE), block, self._start, length)
        charset = _CHARSET.search(headers.get("content-type", ""))
        about = (
            form,
            headers.get("warc-record-id", "").strip("<>") or None,
            headers.get("warc-target-uri", "").strip("<>") or None,
            headers.get("warc-date"),
            charset and charset[1],
        )
        return Item(self._stream.name, self._number, self._start, block, about)

    def _read_rest(self, start: bytes, left: int, *, keep: bool) -> tuple[bytes, int]:
        """Return a record's block, as much of it as is kept, and how many bytes are missing."""
        parts = [start]
        held = len(start)
        while left and (part := self._stream.read(min(left, READ_BYTES))):
            left -= len(part)
            if keep and held <= LARGEST_RECORD:
                parts.append(part)
                held += len(part)
        return b"".join(parts), left


def _kind(headers: Mapping[str, str], start: bytes) -> tuple[str | None, str]:
    """Return how a record is read, None for not at all, and of what kind it is.

    An answer is read as ``html`` or ``text``; ``conversion`` is text that is no answer.
    """
    record = headers.get("warc-type", "").lower()
    kind = _media_type(headers.get("content-type", ""))
    if record == _CONVERTED:
        return _CONVERTED if _FORMS.get(kind) == "text" else None, kind
    if record != "response":
        return None, record if record in _OTHER_RECORDS else "unknown record"
    if not start.startswith(b"HTTP/"):
        return None, kind
    status, kind = _answer(start)
    return (_FORMS.get(kind), kind) if status == _OK else (None, f"status {status}")


def _answer(start: bytes) -> tuple[str, str]:
    """Return the status and the media type of an answer of HTTP."""
    head = start.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode("latin-1")
    first, *lines = head.split("\n")
    status = _STATUS.match(first)
    fields = (line.partition(":") for line in lines)
    types = (value for name, _, value in fields if name.strip().lower() == "content-type")
    return status[1] if status else "unknown", _media_type(next(types, ""))


def _media_type(said: str) -> str:
    found = _MEDIA_TYPE.match(said.strip().lower())
    if not found:
        return "unknown type"
    return found[1] if found[1] in _MEDIA else found[0]


def parse_page(item: Item, _block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield the document of a page.

    Its id is the address, unless ``options`` name another field: ``warc_record_id`` is one that
    a page which was fetched twice has two of.
    """
    form, identifier, uri, date, charset = item.about
    is_answer = form != _CONVERTED
    about = {
        "url": uri,
        "status": int(_OK) if is_answer else None,
        "warc_uri": uri,
        "warc_date": date,
        "warc_record_id": identifier,
    }
    page = item.raw
    if is_answer:
        page, charset = _decode_http(item.raw)
    yield decode_document(
        *(item, page, about, options),
        identifier=uri or identifier,
        charset=charset,
        is_html=form == "html",
    )


def _decode_http(http: bytes) -> tuple[bytes, str | None]:
    warc = load("fastwarc.warc", "articles", "reading WARC")
    whole = io.BytesIO(_RECORD.format(len(http)).encode() + http + b"\r\n\r\n")
    try:
        record = next(iter(warc.ArchiveIterator(whole, parse_http=True, auto_decode="all")))
        body = record.reader.read(LARGEST_RECORD + 1)
        charset = record.http_charset
    except (OSError, ValueError, StopIteration) as err:
        raise RecordError("damaged_input", f"the page cannot be unpacked ({err})") from err
    if len(body) > LARGEST_RECORD:
        raise RecordError(*TOO_LARGE)
    return body, charset
