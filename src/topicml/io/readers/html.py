"""Text files and web pages: one record each, read in one process, turned into text in many."""

from __future__ import annotations

import codecs
import functools
import hashlib
import importlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple

from topicml.errors import MissingExtraError
from topicml.io.compression import READ_BYTES, TOO_LARGE, Failure, Stream, make_reject
from topicml.io.optional_dependencies import load
from topicml.io.readers.records import decode_failure, make_record
from topicml.io.records import LARGEST_RECORD, MOST_RAW, Block, Fields, Reject
from topicml.text.document import Document

MOST_FILES = 1000
"""Files in a block, however small they are."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_META_WITHIN = 4096
_NO_MAIN_TEXT = "no_main_text"


class TextFile(NamedTuple):
    """A file that is one record."""

    name: str
    is_html: bool
    data: bytes


def cut_files(
    files: Iterable[tuple[str, bool, Callable[[], BinaryIO]]], block_bytes: int
) -> Iterator[Block]:
    """Yield files of one record each, about so many bytes at a time.

    Args:
        files: Name, whether it is HTML, and what opens it.
        block_bytes: Size of a block.
    """
    items: list[TextFile | Reject] = []
    held = size = 0
    for name, is_html, opens in files:
        item, consumed = _read_file(name, is_html, opens)
        items.append(item)
        held += len(item.raw if isinstance(item, Reject) else item.data)
        size += consumed
        if held >= block_bytes or len(items) >= MOST_FILES:
            yield _block(items, size)
            items, held, size = [], 0, 0
    if items:
        yield _block(items, size)


def _block(items: list[TextFile | Reject], size: int) -> Block:
    digest = hashlib.sha256()
    for item in items:
        if isinstance(item, Reject):
            digest.update(repr((item.source, item.reason, item.length)).encode() + item.raw)
        else:
            digest.update(repr((item.name, item.is_html, len(item.data))).encode() + item.data)
    name = items[0].source if isinstance(items[0], Reject) else items[0].name
    return Block(name, 1, "files", tuple(items), digest.hexdigest(), size)


def _read_file(
    name: str, is_html: bool, opens: Callable[[], BinaryIO]
) -> tuple[TextFile | Reject, int]:
    try:
        file = opens()
    except OSError as err:
        failure = Failure("unreadable_input", err.strerror or "cannot be read")
        return make_reject(name, 1, failure, b""), 0
    with file:
        stream = Stream(file, name)
        data = stream.read(LARGEST_RECORD + 1)
        length = len(data)
        while bytes_read := stream.read(READ_BYTES):
            length += len(bytes_read)
        if stream.failure:
            return make_reject(name, 1, stream.failure, data), stream.consumed
        if length > LARGEST_RECORD:
            return Reject(name, 1, *TOO_LARGE, data[:MOST_RAW], length), stream.consumed
        return TextFile(name, is_html, data), stream.consumed


def parse_files(block: Block, fields: Fields) -> Iterator[Document | Reject]:
    """Yield a record or a reject for each file; its id is its name."""
    for item in block.data:
        if isinstance(item, Reject):
            yield item
        elif item.is_html:
            values = {fields.id: item.name}
            yield page_record(item.data, None, values, fields, item.name, 1)
        else:
            failure = decode_failure(item.data)
            if failure:
                yield make_reject(item.name, 1, failure, item.data)
            else:
                values = {fields.id: item.name, fields.text: item.data.decode("utf-8")}
                yield make_record(values, fields, item.name, 1, item.data)


def page_record(
    page: bytes,
    charset: str | None,
    values: dict[str, str | None],
    fields: Fields,
    source: str,
    number: int,
) -> Document | Reject:
    """Return the record of a web page.

    Args:
        page: Its HTML.
        charset: What the server said of its encoding.
        values: Its other fields.
        fields: Which is what.
        source: File that it is from.
        number: In that file.
    """
    text = main_text(decode_html(page, charset))
    if isinstance(text, Failure):
        return make_reject(source, number, text, page)
    return make_record({**values, fields.text: text}, fields, source, number, page)


def decode_html(page: bytes, charset: str | None = None) -> str:
    """Decode a page by its mark, the server's word, its own word, or as UTF-8 or Windows-1252."""
    for mark, encoding in _MARKS:
        if page.startswith(mark):
            return page.decode(encoding, errors="replace")
    said = _META.search(page, 0, _META_WITHIN)
    for name in (charset, said and said[1].decode("ascii", errors="replace"), "utf-8"):
        try:
            # a web page's Latin-1 is Windows-1252, and one that names UTF-16 is in neither
            encoding = codecs.lookup(name or "utf-8").name
            if encoding in {"iso8859-1", "ascii"}:
                encoding = "cp1252"
            if not encoding.startswith("utf-16"):
                return page.decode(encoding)
        except (LookupError, ValueError):
            continue
    return page.decode("cp1252", errors="replace")


def main_text(page: str) -> str | Failure:
    """Return the main text of a page, a blank line between its paragraphs.

    Raises:
        MissingExtraError: Neither trafilatura nor resiliparse is installed.
    """
    extract = _extractor()
    try:
        text = extract(page)
    except Exception as err:  # noqa: BLE001 - a page is anything, and so is what a parser raises
        return Failure(_NO_MAIN_TEXT, f"the page cannot be parsed ({type(err).__name__}: {err})")
    paragraphs = [line.strip() for line in (text or "").split("\n")]
    whole = "\n\n".join(line for line in paragraphs if line)
    return whole or Failure(_NO_MAIN_TEXT, "no main text was found in the page")


@functools.cache
def _extractor() -> Callable[[str], str | None]:
    try:
        trafilatura = load("trafilatura", "articles", "reading HTML")
    except MissingExtraError:
        try:
            resiliparse = importlib.import_module("resiliparse.extract.html2text")
        except ImportError:
            resiliparse = None
        if resiliparse is None:
            raise
        return functools.partial(
            resiliparse.extract_plain_text, main_content=True, alt_texts=False, comments=False
        )
    for name in ("trafilatura", "htmldate", "courlan"):  # what they warn of is a reject here
        logging.getLogger(name).addHandler(logging.NullHandler())
    return functools.partial(trafilatura.extract, include_comments=False)


def check_extractor() -> None:
    """Look for what finds the main text of a page.

    Raises:
        MissingExtraError: Neither trafilatura nor resiliparse is installed.
    """
    _extractor()
