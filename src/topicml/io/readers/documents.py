"""Documents of word processors and PDF: one record each, read in a child process."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from topicml.errors import RecordError
from topicml.io import child
from topicml.io.blocks import Block, Cutter, Item
from topicml.io.compression import Stream
from topicml.io.documents.docx import import_docx, read_docx
from topicml.io.documents.extract import DOCUMENT_FIELDS, Extract
from topicml.io.documents.odt import import_odt, read_odt
from topicml.io.documents.pdf.document import import_pdf, read_pdf
from topicml.io.documents.rtf import import_rtf, read_rtf
from topicml.io.readers.fields import make_document
from topicml.io.readers.files import FileCutter
from topicml.io.records import Format, ReadOptions, Reject
from topicml.text.document import Document


class Parser(NamedTuple):
    """What reads a format of documents.

    Attributes:
        name: As messages call it.
        prepare: Imports what ``read`` needs, in the child.
        read: Bytes to text and fields.
    """

    name: str
    prepare: Callable[[], None]
    read: Callable[[bytes], Extract]


PARSERS: dict[str, Parser] = {
    "pdf": Parser("PDF document", import_pdf, read_pdf),
    "docx": Parser("Word document", import_docx, read_docx),
    "odt": Parser("OpenDocument text", import_odt, read_odt),
    "rtf": Parser("RTF document", import_rtf, read_rtf),
}
"""By format."""


def check_parser(form: Format) -> None:
    """Have a child process that can read a format.

    Raises:
        MissingExtraError: A package is not installed that it needs.
    """
    child.ensure(PARSERS[form].prepare)


def _cut(form: Format, stream: Stream, options: ReadOptions, _block_bytes: int) -> Cutter:
    """Take a document as one record."""
    return FileCutter(stream, form, DOCUMENT_FIELDS, options)


cut_pdf = functools.partial(_cut, "pdf")
cut_docx = functools.partial(_cut, "docx")
cut_odt = functools.partial(_cut, "odt")
cut_rtf = functools.partial(_cut, "rtf")


def parse_document(item: Item, _block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield what a document says; its id is the file's name."""
    fields = options.fields
    try:
        text, said = read_document(str(item.about[0]), item.raw, options.seconds)
    except RecordError as err:
        err.id = item.source
        raise
    if fields.title in said:  # it stands in the text where it is to be read
        options = replace(options, fields=replace(fields, title=None))
    values = {**said, fields.texts[0]: text}
    yield make_document(values, options, item.source, item.number, "utf-8", item.source)


def read_document(form: str, data: bytes, seconds: float) -> Extract:
    """Return what the child process finds in a document.

    Args:
        form: Its format, of ``PARSERS``.
        data: Its bytes.
        seconds: What that may take.

    Raises:
        RecordError: It has no text, is damaged or encrypted, or takes too much.
        MissingExtraError: A package is not installed that it needs.
    """
    parser = PARSERS[form]
    try:
        return child.call(parser.read, data, seconds=seconds, prepare=parser.prepare)
    except child.ChildError as err:
        detail = f"the {parser.name} cannot be read ({err})"
        raise RecordError("unreadable_input", detail) from err
