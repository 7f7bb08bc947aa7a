"""Text files and web pages: one document each, read in one process, turned into text in many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from topicml.io.blocks import Item, parse_items
from topicml.io.compression import READ_BYTES, Stream
from topicml.io.readers.fields import make_document
from topicml.io.readers.html import page_document
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
    return Item(stream.name, 1, 0, data, (form,))


def parse_files(block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield a document or a reject for each file; its id is its name."""
    return parse_items(block.data.items, block, options, _parse_file)


def _parse_file(item: Item, block: Block, options: ReadOptions) -> Document | Failure:  # noqa: ARG001
    values = {options.fields.id: item.source}
    if item.about == (_HTML,):
        return page_document(item.raw, None, values, options, item.source, 1)
    return text_document(item.raw, None, values, options, item.source, 1)


def text_document(
    data: bytes,
    charset: str | None,
    values: Mapping[str, str | None],
    options: ReadOptions,
    source: str,
    number: int,
) -> Document | Failure:
    """Return the document of a plain text; arguments as for ``html.page_document``."""
    try:
        text, encoding = decode(data, declared=charset, encoding=options.encoding)
    except DecodingError as err:
        return Failure(err.reason, err.detail)
    return make_document({**values, options.fields.text: text}, options, source, number, encoding)
