"""Text files and web pages: one document each, read in one process, turned into text in many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from topicml.io.blocks import Item, parse_items
from topicml.io.compression import READ_BYTES, Stream
from topicml.io.readers.fields import make_document
from topicml.io.readers.html import decode_html, main_text
from topicml.io.records import (
    LARGEST_RECORD,
    MOST_RAW,
    TOO_LARGE,
    Block,
    Failure,
    ReadOptions,
    Reject,
    make_reject,
)
from topicml.text.decoding import DecodingError, decode
from topicml.text.document import Document

_HTML = "html"


def read_file(stream: Stream, form: str) -> Item | Reject:
    """Read a whole file, of format ``txt`` or ``html``."""
    data = stream.read(LARGEST_RECORD + 1)
    length = len(data)
    while bytes_read := stream.read(READ_BYTES):
        length += len(bytes_read)
    if stream.failure:
        return make_reject(stream.name, 1, stream.failure, data, 0)
    if length > LARGEST_RECORD:
        return Reject(stream.name, 1, *TOO_LARGE, data[:MOST_RAW], length, 0)
    return Item(stream.name, 1, 0, data, (form, stream.name))


def parse_files(block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield a document or a reject for each file; its id is its name."""
    return parse_items(block.data.items, block, options, _parse_file)


def _parse_file(item: Item, block: Block, options: ReadOptions) -> Document | Failure:  # noqa: ARG001
    values = {options.fields.id: item.source}
    return decode_document(item, item.raw, values, options, is_html=item.about[0] == _HTML)


def decode_document(
    item: Item,
    data: bytes,
    values: Mapping[str, str | None],
    options: ReadOptions,
    *,
    charset: str | None = None,
    is_html: bool,
) -> Document | Failure:
    """Return the document of a text file or a web page.

    Args:
        item: That it is from.
        data: Its bytes.
        values: Its other fields.
        options: Which field is what, and the encoding of all files, if one was named.
        charset: What the server said of its encoding.
        is_html: Whether its main text is to be found.
    """
    try:
        if is_html:
            html, encoding = decode_html(data, charset, options.encoding)
            text = main_text(html)
        else:
            text, encoding = decode(data, declared=charset, encoding=options.encoding)
    except DecodingError as err:
        return Failure(err.reason, err.detail)
    if isinstance(text, Failure):
        return text
    values = {**values, options.fields.text: text}
    return make_document(values, options, item.source, item.number, encoding)
