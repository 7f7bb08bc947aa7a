"""Text files and web pages: one document each, read in one process, turned into text in many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from topicml.errors import RecordError
from topicml.io.blocks import Block, Cutter, Item
from topicml.io.compression import READ_BYTES, Stream
from topicml.io.readers.fields import check_names, make_document, own_id
from topicml.io.records import LARGEST_RECORD, TOO_LARGE, ReadOptions, Reject
from topicml.text.decoding import decode
from topicml.text.document import Document

_HTML = "html"


class FileCutter(Cutter):
    """Takes a whole file as one record.

    Args:
        stream: The file.
        kind: ``txt`` or ``html``.
        fields: Names of what its record has besides a text and an id.
        options: Which fields were named.

    Raises:
        RecordError: Its start is damaged.
    """

    is_whole = True

    def __init__(
        self, stream: Stream, kind: str, fields: tuple[str, ...], options: ReadOptions
    ) -> None:
        if stream.lost:
            raise stream.lost[0]
        super().__init__(stream)
        self._kind = kind
        self.fields = fields
        self.lacking = check_names(stream.name, fields, options.fields)

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
            fetched = (self._stream.charset, self._stream.url) if self._stream.url else ()
            yield Item(name, 1, 0, data, (self._kind, name, *fetched))


def cut_text(stream: Stream, options: ReadOptions, _block_bytes: int) -> Cutter:
    """Take a text file as one record."""
    return FileCutter(stream, "txt", (), options)


def cut_page(stream: Stream, options: ReadOptions, _block_bytes: int) -> Cutter:
    """Take a web page as one record."""
    from topicml.io.readers.html import PAGE_FIELDS

    return FileCutter(stream, _HTML, PAGE_FIELDS, options)


def parse_file(item: Item, _block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield the document of a file; its id is the file's name."""
    kind, name, *fetched = item.about
    charset, url = fetched or (None, None)
    values = {"url": url} if url else {}
    yield decode_document(
        *(item, item.raw, values, options),
        identifier=name,
        charset=charset,
        is_html=kind == _HTML,
    )


def decode_document(
    item: Item,
    data: bytes,
    values: Mapping[str, str | int | None],
    options: ReadOptions,
    *,
    identifier: str | None,
    charset: str | None = None,
    is_html: bool,
) -> Document:
    """Return the document of a text file or a web page.

    Args:
        item: That it is from.
        data: Its bytes.
        values: Its other fields. What a page says of itself stands where they have nothing.
        options: Which field is what, and the encoding of all files, if one was named.
        identifier: Its id, where it has nothing in the field of ids.
        charset: What the server said of its encoding.
        is_html: Whether its main text is to be found.

    Raises:
        RecordError: It cannot be decoded, or has no text.
    """
    fields = options.fields
    found: dict[str, Any] = {name: v for name, v in values.items() if v is not None}
    try:
        if is_html:
            from topicml.io.readers.html import read_page

            text, encoding, said = read_page(data, charset, options)
            found = {**said, **found}
            if fields.title in said:  # it is no paragraph of the page
                options = replace(options, fields=replace(fields, title=None))
        else:
            text, encoding = decode(data, declared=charset, encoding=options.encoding)
    except RecordError as err:
        err.id = own_id(found, fields) or identifier
        raise
    found = {**values, **found, fields.texts[0]: text}
    return make_document(found, options, item.source, item.number, encoding, identifier)
