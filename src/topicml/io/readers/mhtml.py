"""Archived pages (MHTML): the page among its parts, read as a page is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from topicml.errors import RecordError
from topicml.io import child
from topicml.io.blocks import Block, Cutter, Item
from topicml.io.compression import Stream
from topicml.io.readers.fields import make_document
from topicml.io.readers.html import PAGE_FIELDS, Page, extract, import_extractor, wants_fields
from topicml.io.readers.mail import MailCutter, is_cut
from topicml.io.readers.message import content_of, header, header_date, leaves, parse_message
from topicml.io.records import TOO_LARGE, ReadOptions, Reject
from topicml.text.document import Document

_PAGES = {"text/html", "application/xhtml+xml"}


def cut_archive(stream: Stream, options: ReadOptions, _block_bytes: int) -> Cutter:
    """Take an archived page as one record."""
    if stream.lost:
        raise stream.lost[0]
    return MailCutter(stream, options, PAGE_FIELDS)


def parse_archive(item: Item, _block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield the document of an archived page; its id is the file's name."""
    arguments = item.raw, options.encoding, wants_fields(options), is_cut(item)
    try:
        page = child.call(
            *(read_archive, *arguments), seconds=options.seconds, prepare=import_extractor
        )
    except child.ChildError as err:
        raise RecordError("no_main_text", f"the page cannot be parsed ({err})") from err
    fields = options.fields
    if fields.title in page.fields:  # it is no paragraph of the page
        options = replace(options, fields=replace(fields, title=None))
    values = {**dict.fromkeys(PAGE_FIELDS), **page.fields, fields.texts[0]: page.text}
    yield make_document(values, options, item.source, item.number, page.encoding, item.source)


def read_archive(raw: bytes, encoding: str | None, wants_fields: bool, is_cut: bool) -> Page:
    """Return what is found in an archived page.

    Raises:
        RecordError: There is no page in it, or no main text in that.
    """
    message = parse_message(raw)
    parts = leaves(message)
    root = next((part for part in parts if part.get_content_type() in _PAGES), None)
    if root is None:
        raise RecordError("no_main_text", "there is no page in this archive (MHTML)")
    if is_cut and root is parts[-1]:
        raise RecordError(*TOO_LARGE)
    page = extract(content_of(root), root.get_content_charset(), encoding, wants_fields)
    if not wants_fields:
        return page
    said = header(root, "Content-Location"), header(message, "Snapshot-Content-Location")
    url = next((each for each in said if each.startswith(("https://", "http://"))), "")
    fields = {"date": header_date(message) or "", **page.fields, **({"url": url} if url else {})}
    return page._replace(fields={name: value for name, value in fields.items() if value})
