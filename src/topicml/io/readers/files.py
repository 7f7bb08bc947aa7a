"""Text files and web pages: one document each, read in one process, turned into text in many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from topicml.errors import RecordError
from topicml.io.blocks import Block, Cutter, Item
from topicml.io.compression import READ_BYTES, Stream
from topicml.io.readers.fields import check_names, make_document
from topicml.io.records import LARGEST_RECORD, TOO_LARGE, ReadOptions, Reject
from topicml.text.decoding import decode
from topicml.text.document import Document

_HTML = "html"


class FileCutter(Cutter):
    """Takes a whole file as one record.

    Args:
        stream: The file.
        kind: ``txt`` or ``html``.
        options: Which fields were named: it has none but a text and an id.
    """

    def __init__(self, stream: Stream, kind: str, options: ReadOptions) -> None:
        super().__init__(stream)
        self._kind = kind
        self.lacking = check_names(stream.name, (), options.fields)

    def _cut(self) -> Iterator[Item | Reject]:
        data = self._stream.read(LARGEST_RECORD + 1)
        length = len(data)
        while bytes_read := self._stream.read(READ_BYTES):
            length += len(bytes_read)
        name = self._stream.name
        if self._stream.failure:
            self._tail = data
        elif length > LARGEST_RECORD:
            yield self._reject(RecordError(*TOO_LARGE), data, 0, length)
        else:
            yield Item(name, 1, 0, data, (self._kind, name))


def cut_text(stream: Stream, options: ReadOptions, _block_bytes: int) -> Cutter:
    """Take a text file as one record."""
    return FileCutter(stream, "txt", options)


def cut_page(stream: Stream, options: ReadOptions, _block_bytes: int) -> Cutter:
    """Take a web page as one record."""
    return FileCutter(stream, _HTML, options)


def parse_file(item: Item, _block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield the document of a file; its id is the file's name."""
    values = {options.fields.id: item.source}
    yield decode_document(item, item.raw, values, options, is_html=item.about[0] == _HTML)


def decode_document(
    item: Item,
    data: bytes,
    values: Mapping[str, str | None],
    options: ReadOptions,
    *,
    charset: str | None = None,
    is_html: bool,
) -> Document:
    """Return the document of a text file or a web page.

    Args:
        item: That it is from.
        data: Its bytes.
        values: Its other fields.
        options: Which field is what, and the encoding of all files, if one was named.
        charset: What the server said of its encoding.
        is_html: Whether its main text is to be found.

    Raises:
        RecordError: It cannot be decoded, or has no text.
    """
    if is_html:
        from topicml.io.readers.html import decode_html, main_text

        html, encoding = decode_html(data, charset, options.encoding)
        text = main_text(html)
    else:
        text, encoding = decode(data, declared=charset, encoding=options.encoding)
    values = {**values, options.fields.texts[0]: text}
    return make_document(values, options, item.source, item.number, encoding)
