"""One mail, in the child process: its header's fields, and which of its parts are its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from topicml.errors import RecordError
from topicml.io.readers.html import decode_html
from topicml.io.readers.mail_body import own_words
from topicml.io.readers.markup import markup_text, paragraphs
from topicml.io.records import TOO_LARGE

if TYPE_CHECKING:
    from email.message import Message

_QUOTED_FROM = re.compile(rb"^>(?=>*From )", re.M)
_LONGEST_FIELD = 2000
_MOST_NAMED = 5
_FEW_WORDS = 200
_STUB = 3  # times as many words the markup has as a text that only stands in for it
_PREFIX = re.compile(r"\s*(?:(?:Re|Fwd?|AW|WG|TR|RV)(?:\[\d+\])?\s*:\s*)+", re.I)
_FORWARD = re.compile(r"\s*(?:Fwd?|WG|TR|RV)\s*:", re.I)
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_ARMOURED = re.compile(r"\s*-----BEGIN PGP MESSAGE-----")
_ENCRYPTED = ("encrypted", "the mail is encrypted; decrypt it in a mail program and save it there")
_WRAPPED = (
    "unsupported_format",
    "the mail's text is packed into its signature (S/MIME), which is not read; "
    "save its text in a mail program",
)


class Mail(NamedTuple):
    """What is read of a mail.

    Attributes:
        text: Its own words.
        encoding: What they were decoded by.
        fields: What its header says.
    """

    text: str
    encoding: str
    fields: dict[str, str]


def read_mail(raw: bytes, encoding: str | None, is_cut: bool, is_of_mailbox: bool) -> Mail:
    """Return what is a mail's own.

    Args:
        raw: Its bytes.
        encoding: Of all texts, whatever they say themselves; None to find out.
        is_cut: Whether there were more bytes.
        is_of_mailbox: Whether lines that began with ``From`` have a ``>`` before it.

    Raises:
        RecordError: It has no text that can be read.
    """
    message = parse_message(_QUOTED_FROM.sub(b"", raw) if is_of_mailbox else raw)
    fields = header_fields(message)
    try:
        with not_too_deep():
            text, found = _Body(message, encoding, is_cut).read()
    except RecordError as err:
        err.id = fields.get("id")
        raise
    return Mail(text, found, fields)


@contextmanager
def not_too_deep() -> Iterator[None]:
    """Say of parts inside parts that they cannot be read where that is so.

    Raises:
        RecordError: They are nested too deep.
    """
    try:
        yield
    except RecursionError as err:
        raise RecordError("unreadable_input", "its parts are nested too deep to be read") from err


def parse_message(raw: bytes) -> Message:
    """Return a message as Python's parser has it.

    By its older policy, which takes headers as they are; the newer one parses each by the
    grammar, takes long where one is, and raises where one is wrong.

    Raises:
        RecordError: It is nested too deep.
    """
    from email import message_from_bytes

    with not_too_deep():
        return message_from_bytes(raw)


def header_fields(message: Message) -> dict[str, str]:
    """Return what a header says, by the fields' names, without what it does not say."""
    said = {
        "id": header(message, "Message-ID").strip("<> "),
        "title": _PREFIX.sub("", header(message, "Subject")).strip(),
        "date": header_date(message) or "",
        "source": _sender(header(message, "From")),
        "language": _language(header(message, "Content-Language")),
    }
    return {name: value for name, value in said.items() if value}


def header(message: Message, name: str) -> str:
    """Return a field of a header on one line, decoded, of a long one the start."""
    from email.header import decode_header, make_header

    raw = str(message.get(name, ""))[:_LONGEST_FIELD]
    try:
        value = str(make_header(decode_header(raw)))
    except (ValueError, LookupError):  # a broken word, or in an unknown encoding
        value = raw
    whole = value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in whole).split())


def header_date(message: Message) -> str | None:
    """Return the day that a header says, where it was then; None where it says none."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(header(message, "Date")).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _sender(said: str) -> str:
    from email.utils import parseaddr

    name, address = parseaddr(said)
    return name.strip() or address or said


def _language(said: str) -> str:
    found = _LANGUAGE.match(said)
    return found[0] if found else ""


class _Body:
    """Finds the text of a message.

    Args:
        message: As it was parsed.
        encoding: Of all texts, if one was named.
        is_cut: Whether its end is missing.
    """

    def __init__(self, message: Message, encoding: str | None, is_cut: bool) -> None:
        self._message = message
        self._named = encoding
        self._last = (leaves(message) or [message])[-1] if is_cut else None
        self._encoding = "utf-8"
        self._attached: list[str] = []

    def read(self) -> tuple[str, str]:
        """Return the text, and what it was decoded by.

        Raises:
            RecordError: There is none that can be read.
        """
        text = self._text_of(self._message)
        if not text:
            raise RecordError("no_main_text", f"there is no text in the mail{self._and_attached()}")
        return text, self._encoding

    def _and_attached(self) -> str:
        names = [name if len(name) < 100 else name[:100] + "…" for name in self._attached]
        if not names:
            return ""
        more = ", …" if len(names) > _MOST_NAMED else ""
        listed = ", ".join(names[:_MOST_NAMED])
        return f" besides what is attached: {listed}{more}; save that, and give the files"

    def _text_of(self, part: Message) -> str:
        kind = part.get_content_type()
        if kind == "message/rfc822":
            inner = self._parts(part)
            return self._text_of(inner[0]) if inner else ""
        if kind == "multipart/alternative":
            return self._best(self._parts(part))
        if kind == "multipart/encrypted":
            raise RecordError(*_ENCRYPTED)
        if kind in {"multipart/related", "multipart/signed", "multipart/report"}:
            return next(filter(None, map(self._text_of, self._parts(part))), "")
        if part.is_multipart():
            texts = [self._text_of(each) for each in self._parts(part)]
            return "\n\n".join(filter(None, texts))
        return self._leaf_text(part, kind)

    @staticmethod
    def _parts(part: Message) -> list[Message]:
        payload = part.get_payload()
        return [each for each in payload if not isinstance(each, str)] if payload else []

    def _best(self, parts: list[Message]) -> str:
        """Return the plain text, unless it only stands in for one with markup."""
        plain = [each for each in parts if each.get_content_type() == "text/plain"]
        rich = [each for each in parts if each.get_content_type() != "text/plain"]
        text = next(filter(None, map(self._text_of, plain)), "")
        words = [word for word in text.split() if "://" not in word]
        if len(words) >= _FEW_WORDS:
            return text
        richest = next(filter(None, map(self._text_of, reversed(rich))), "")
        return richest if len(richest.split()) > _STUB * len(words) else text

    def _leaf_text(self, part: Message, kind: str) -> str:
        if kind in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
            is_signed = str(part.get_param("smime-type", "")).lower() == "signed-data"
            raise RecordError(*(_WRAPPED if is_signed else _ENCRYPTED))
        name = part.get_filename()
        if (
            kind not in {"text/plain", "text/html"}
            or part.get_content_disposition() == "attachment"
        ):
            if kind not in {"application/pgp-signature", "application/pkcs7-signature"}:
                self._attached.append(" ".join(str(name or kind).split()))
            return ""
        if part is self._last:
            raise RecordError(*TOO_LARGE)
        return self._decoded(part, is_markup=kind == "text/html")

    def _decoded(self, part: Message, *, is_markup: bool) -> str:
        said = part.get_content_charset()
        text, self._encoding = decode_html(content_of(part), said, self._named)
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        is_forward = _FORWARD.match(header(self._message, "Subject")) is not None
        if is_markup:
            return paragraphs(own_words(markup_text(text), is_forward=is_forward))
        if _ARMOURED.match(text):
            raise RecordError(*_ENCRYPTED)
        if part.get_param("format", "") == "flowed":
            text = unflowed(text, delete_space=part.get_param("delsp", "") == "yes")
        return own_words(text, is_forward=is_forward)


def content_of(part: Message) -> bytes:
    """Return the bytes of a part, decoded; of broken base64, those before its end."""
    from base64 import b64decode
    from email.errors import InvalidBase64LengthDefect

    content = part.get_payload(decode=True)
    found = content if isinstance(content, bytes) else b""
    if any(isinstance(defect, InvalidBase64LengthDefect) for defect in part.defects):
        known = _NO_BASE64.sub(b"", found)  # it was cut off, and left as it is
        return b64decode(known[: len(known) // 4 * 4])
    return found


def leaves(message: Message) -> list[Message]:
    """Return the parts of a message that hold no others."""
    return [part for part in message.walk() if not part.is_multipart()]


def unflowed(text: str, *, delete_space: bool = False) -> str:
    """Return a text whose lines flow (RFC 3676) with a line for each paragraph.

    Args:
        text: Lines, of which those that end in a space go on in the next.
        delete_space: Whether that space is no part of the text.
    """
    lines: list[str] = []
    before, flows = 0, False  # how deep the line before was quoted, and whether it goes on
    for depth, line in map(_quoted, text.split("\n")):
        if flows and depth == before and line != "-- ":
            lines[-1] += line
        else:
            lines.append(f"{'>' * depth} {line}" if depth else line)
        flows = line.endswith(" ") and line != "-- "
        if flows and delete_space:
            lines[-1] = lines[-1][:-1]
        before = depth
    return "\n".join(lines)


def _quoted(line: str) -> tuple[int, str]:
    bare = line.lstrip(">")
    return len(line) - len(bare), bare.removeprefix(" ")
