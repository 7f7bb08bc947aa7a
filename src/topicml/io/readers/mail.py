"""Mails: cut out of a mailbox in one process, and their own words found in a child process."""

from __future__ import annotations

import re
from collections.abc import Iterator

from topicml.errors import InputError, RecordError
from topicml.io import child
from topicml.io.blocks import Block, Cutter, Item, Outcome
from topicml.io.compression import READ_BYTES, Stream
from topicml.io.readers.fields import check_names, make_document
from topicml.io.readers.markup import import_markup
from topicml.io.readers.message import read_mail
from topicml.io.records import LARGEST_RECORD, ReadOptions, Reject
from topicml.text.document import Document

MAIL_FIELDS = ("date", "language", "source", "title")
"""What a mail says besides its text and its id."""

_HEADER = rb"[!-9;-~]{1,200}:"
_DATED = rb"[^\n]{0,300}(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? [^\n]{0,60}\d\d:\d\d[^\n]{0,100}"
_ANY = rb"[^\n]{0,500}"
_FROM = b"From "
_AHEAD = 1 << 10  # bytes that a line between mails, and the start of the next, may take
_CUT = "cut"  # of a mail's bytes: these are not all


class MailCutter(Cutter):
    """Takes a file as one mail.

    Of one that is larger than a record may be, the start is taken: the text of a mail stands
    before what is attached to it, that of an archived page before its images.

    Args:
        stream: The file.
        options: Which fields were named.
        fields: Names of what its record has besides a text and an id.
    """

    is_whole = True

    def __init__(
        self, stream: Stream, options: ReadOptions, fields: tuple[str, ...] = MAIL_FIELDS
    ) -> None:
        super().__init__(stream)
        self.fields = fields
        self.lacking = check_names(stream.name, fields, options.fields)

    def _cut(self) -> Iterator[Outcome]:
        raw = self._stream.read(LARGEST_RECORD)
        length = len(raw)
        while more := self._stream.read(READ_BYTES):
            length += len(more)
        if self._stream.failure:
            self._tail = raw
        else:
            yield self._item(raw, length, 0, self._stream.name)

    def _item(self, raw: bytes, length: int, offset: int | None, name: str | None) -> Item:
        about = (name, _CUT if length > len(raw) else None)
        return Item(self._stream.name, self._number, offset, raw, about)


class _MailboxCutter(MailCutter):
    """Cuts at the lines ``From …`` that stand behind a blank line and before a header."""

    is_whole = False

    def __init__(self, stream: Stream, options: ReadOptions, between: bytes) -> None:
        super().__init__(stream, options)
        self._between = re.compile(rb"\n\r?\n(?=From %s\n(?:>?From |%s))" % (between, _HEADER))

    def _cut(self) -> Iterator[Outcome]:
        self._read_on()
        while self._at < len(self._data):
            offset = self._offset()
            raw, length = self._next_mail()
            if self._stream.failure and self._at == len(self._data):
                self._tail = raw
                return
            if raw.isspace():
                continue
            if raw.startswith(_FROM):
                yield self._item(raw, length, offset, None)
            else:
                lost = RecordError("damaged_input", "the start of this mail is lost")
                yield self._reject(lost, raw, offset, length)
            self._number += 1

    def _next_mail(self) -> tuple[bytes, int]:
        """Go behind the next mail; return as much of it as is read, and its length."""
        raw, length, behind = b"", 0, 0
        while True:
            found = self._between.search(self._data, self._at + behind)
            is_end = found is not None or self._ended
            if is_end:
                behind = (found.end() if found else len(self._data)) - self._at
            else:
                behind = max(len(self._data) - self._at - _AHEAD, 0)
            if is_end or behind > LARGEST_RECORD:
                raw += self._data[self._at : self._at + behind][: LARGEST_RECORD - len(raw)]
                length += behind
                self._at += behind
                behind = 0
            if is_end:
                return raw, length
            self._read_on()


def cut_mail(stream: Stream, options: ReadOptions, _block_bytes: int) -> Cutter:
    """Take a file as one mail."""
    if stream.lost:
        raise stream.lost[0]
    return MailCutter(stream, options)


def cut_mailbox(stream: Stream, options: ReadOptions, _block_bytes: int) -> Cutter:
    """Cut a mailbox (mbox) into mails.

    Where its first line has a date, as all have in most mailboxes, only lines with one are taken
    for starts: prose with "From" at the start of a paragraph is no new mail.

    Raises:
        InputError: It is no mailbox.
    """
    line = stream.peek(_AHEAD).partition(b"\n")[0]
    if line.strip() and not line.startswith(_FROM) and not stream.lost:
        raise InputError(
            "not a mailbox", where=stream.name, hint="One mail is read by --input-format eml"
        )
    is_dated = re.match(_FROM + _DATED, line) is not None
    return _MailboxCutter(stream, options, _DATED if is_dated else _ANY)


def is_cut(item: Item) -> bool:
    """Whether there were more bytes in the file, or the mailbox, of a mail."""
    return item.about[1] == _CUT


def check_mail() -> None:
    """Have a child process that can read mails.

    Raises:
        MissingExtraError: html-text is not installed.
    """
    child.ensure(import_parser)


def import_parser() -> None:
    """Import what reads mails, which takes longer than most of them."""
    import_markup()
    import email
    import email.header
    import email.utils  # noqa: F401


def parse_mail(item: Item, _block: Block, options: ReadOptions) -> Iterator[Document | Reject]:
    """Yield the document of a mail; its id is its Message-ID, or else the file's or its number."""
    name = item.about[0]
    try:
        mail = child.call(
            *(read_mail, item.raw, options.encoding, is_cut(item), name is None),
            seconds=options.seconds,
            prepare=import_parser,
        )
    except child.ChildError as err:
        raise RecordError("unreadable_input", f"the mail cannot be parsed ({err})") from err
    values = {**dict.fromkeys(MAIL_FIELDS), **mail.fields, options.fields.texts[0]: mail.text}
    yield make_document(values, options, item.source, item.number, mail.encoding, name)
