"""Text files and web pages: one document each, read in one process, turned into text in many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from topicml.errors import RecordError
from topicml.io.blocks import Block, Cutter, Item
from topicml.io.compression import READ_BYTES, Stream
from topicml.io.readers.fields import make_document, own_id
from topicml.io.records import LARGEST_RECORD, TOO_LARGE, ReadOptions, Reject
from topicml.text.decoding import decode
from topicml.text.document import Document

_HTML = "html"


class FileCutter(Cutter):
    """Takes a whole file as one record.

    Args:
        stream: The file.
        kind: ``txt`` or ``html``.

    Raises:
        RecordError: Its start is damaged.
    """

    is_whole = True

    def __init__(self, stream: Stream, kind: str) -> None:
        if stream.lost:
            raise stream.lost[0]
        super().__init__(stream)
        self._kind = kind

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


def cut_text(stream: Stream, *_: object) -> Cutter:
    """Take a text file as one record."""
    return FileCutter(stream, "txt")


def cut_page(stream: Stream, *_: object) -> Cutter:
    """Take a web page as one record."""
    return FileCutter(stream, _HTML)


def parse_file(item: Item, _block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield the document of a file; its id is the file's name."""
    values = {options.fields.id: item.source}
    yield decode_document(item, item.raw, values, options, is_html=item.about[0] == _HTML)


def decode_document(
    item: Item,
    data: bytes,
    values: Mapping[str, str | int | None],
    options: ReadOptions,
    *,
    charset: str | None = None,
    is_html: bool,
) -> Document:
    """Return the document of a text file or a web page.

    Args:
        item: That it is from.
        data: Its bytes.
        values: Its other fields. What a page says of itself is kept where they do not.
        options: Which field is what, and the encoding of all files, if one was named.
        charset: What the server said of its encoding.
        is_html: Whether its main text is to be found.

    Raises:
        RecordError: It cannot be decoded, or has no text.
    """
    said: Mapping[str, str | None] = {}
    try:
        if is_html:
            from topicml.io.readers.html import read_page

            text, encoding, said = read_page(data, charset, options)
        else:
            text, encoding = decode(data, declared=charset, encoding=options.encoding)
    except RecordError as err:
        err.id = own_id(values, options)
        raise
    values = {**values, options.fields.text: text}
    document = make_document(values, options, item.source, item.number, encoding)
    # not among the values: a page's title is not to be read as the first paragraph
    missing = [name for name, value in document.kept.items() if value is None]
    document.kept.update({name: said.get(name) for name in missing})
    return document
