"""What an input is by its first bytes, whatever its name says."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from topicml.io.records import Failure, Format
from topicml.text.decoding import marked_encoding

_SAVE = "save its text as .txt or .html and give that"
_UNPACK = "unpack it, and give the files or the folder"
_SCAN = "only a text recogniser (OCR) reads one; give the text that it finds"
_LISTEN = "give a transcript as text"
_EXPORT = "export the table as CSV or JSON Lines"
_NO_TEXT = "there is no text in it to tag"


class _Signature(NamedTuple):
    """Bytes that say what a file is.

    Attributes:
        kind: What it is.
        advice: What to do.
        pattern: Of the first bytes.
    """

    kind: str
    advice: str
    pattern: re.Pattern[bytes]


def _signature(kind: str, advice: str, pattern: bytes) -> _Signature:
    return _Signature(kind, advice, re.compile(pattern, re.DOTALL))


_BINARY = (
    _signature("a PDF document", _SAVE, rb"\s{0,32}%PDF-"),
    _signature("a PostScript document", _SAVE, rb"%!PS-Adobe"),
    _signature("an RTF document", _SAVE, rb"\{\\rtf"),
    _signature("a Word document (DOCX)", _SAVE, rb"PK\x03\x04.{0,8000}?word/"),
    _signature("an Excel workbook (XLSX)", _EXPORT, rb"PK\x03\x04.{0,8000}?xl/"),
    _signature("a PowerPoint presentation (PPTX)", _SAVE, rb"PK\x03\x04.{0,8000}?ppt/"),
    _signature(
        "an OpenDocument file (ODT, ODS or ODP)",
        _SAVE,
        rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument",
    ),
    _signature("an e-book (EPUB)", _SAVE, rb"PK\x03\x04.{26}mimetypeapplication/epub"),
    _signature("a Word document (DOCX) or other Office file", _SAVE, rb"PK\x03\x04.{26}\[Content_"),
    _signature("a zip archive", _UNPACK, rb"PK(\x03\x04|\x05\x06|\x07\x08)"),
    _signature("an old Office document or a mail message", _SAVE, rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a"),
    _signature("a tar archive", _UNPACK, rb".{257}ustar[\0 ]"),
    _signature("a 7z archive", _UNPACK, rb"7z\xbc\xaf\x27\x1c"),
    _signature("a RAR archive", _UNPACK, rb"Rar!\x1a\x07"),
    _signature(
        "a compressed file", _UNPACK, rb"\x1f[\x9d\xa0]|\x04\x22\x4d\x18|\xff\x06\0\0sNaPpY"
    ),
    _signature("an image (PNG)", _SCAN, rb"\x89PNG\r\n"),
    _signature("an image (JPEG)", _SCAN, rb"\xff\xd8\xff"),
    _signature("an image (GIF)", _SCAN, rb"GIF8[79]a"),
    _signature("an image (TIFF)", _SCAN, rb"II\*\0|MM\0\*"),
    _signature("an image (BMP)", _SCAN, rb"BM.{4}\0{4}"),
    _signature("an image (WebP)", _SCAN, rb"RIFF.{4}WEBP"),
    _signature("an image (HEIC or AVIF)", _SCAN, rb".{4}ftyp(heic|heix|mif1|avif)"),
    _signature("an image (DjVu)", _SCAN, rb"AT&TFORM"),
    _signature("a video or sound recording", _LISTEN, rb".{4}ftyp|RIFF.{4}(AVI |WAVE)"),
    _signature("a video or sound recording", _LISTEN, rb"OggS\0|fLaC\0|ID3[\2-\4]\0|\x1aE\xdf\xa3"),
    _signature("a sound recording (MP3)", _LISTEN, rb"\xff[\xf2\xf3\xfa\xfb][\x10-\xe0]"),
    _signature("an SQLite database", _EXPORT, rb"SQLite format 3\0"),
    _signature("a Python pickle", _EXPORT, rb"\x80[\2-\5](\x95.{8}|[}\]\(c])"),
    _signature("a NumPy array", _EXPORT, rb"\x93NUMPY"),
    _signature("an HDF5 file", _EXPORT, rb"\x89HDF\r\n"),
    _signature("an Arrow file", _EXPORT, rb"ARROW1\0"),
    _signature("an Avro file", _EXPORT, rb"Obj\x01"),
    _signature("a program", _NO_TEXT, rb"\x7fELF|MZ.{2,60}?\0\0|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe"),
)

_PROLOG = rb"(?:\s++|<\?[^>]*+>|<!--.*?-->|<!DOCTYPE (?!html)[^>\[]*+>)*+"
_HTML = re.compile(_PROLOG + rb"<(?:!doctype\s+html|html|head|body)[\s>/]", re.I | re.DOTALL)
_FEED = re.compile(_PROLOG + rb"<(?:rss|feed|rdf:rdf)(?:\s[^>]*+)?>", re.I | re.DOTALL)
_XML = re.compile(rb"\s*+<\?xml\s", re.I)
_HEADERS = re.compile(
    rb"(?:From [^\n]*\n)?(?:[A-Za-z][A-Za-z0-9-]*+:[^\n]*\n(?:[ \t][^\n]*\n)*+){2,}+"
)
_MAIL_ONLY = re.compile(
    rb"^(?:Message-ID|MIME-Version|Received|Return-Path|Delivered-To|DKIM-Signature):", re.I | re.M
)
_ARRAY = re.compile(rb"\s*+\[\s*+[\[{\]]")
_OBJECT = re.compile(rb'\s*+\{\s*+(?:"(?:[^"\\]|\\.)*+"\s*+:|\})', re.DOTALL)


def recognise(head: bytes, named: Format | None, *, is_forced: bool = False) -> Format | Failure:
    """Return the format of an input, or what it is where that is none which is read.

    Its content wins over its name where it clearly says otherwise.

    Args:
        head: Its first bytes, decompressed.
        named: The format by its name; None where that says nothing.
        is_forced: Whether a user named the format: then only what is no text at all is refused.
    """
    if head.startswith(b"PAR1") and not is_forced:
        return "parquet"
    for known in _BINARY:
        if known.pattern.match(head):
            return _unsupported(known.kind, known.advice)
    if named is not None and is_forced:
        return named
    text = _plain(head)
    if named in {None, "txt", "html"}:
        other = _other_text(text)
        if other:
            return other
    if named == "jsonl" and text.lstrip().startswith(b"["):
        return "json"
    if named in {None, "txt"} and _HTML.match(text):
        return "html"
    return named or _by_content(text)


def _unsupported(kind: str, advice: str) -> Failure:
    return Failure("unsupported_format", f"this is {kind}, which is not read; {advice}")


def _plain(head: bytes) -> bytes:
    """Return a text's first bytes in UTF-8, without a byte-order mark."""
    encoding = marked_encoding(head)
    return head.decode(encoding, errors="ignore").encode("utf-8", "ignore") if encoding else head


def _other_text(text: bytes) -> Failure | None:
    """Return what a text is that is not read, though its bytes could be."""
    if _FEED.match(text):
        return _unsupported("a news feed (RSS or Atom)", "save the articles that it names")
    if _XML.match(text) and not _HTML.match(text):
        return _unsupported("an XML document", _SAVE)
    headers = _HEADERS.match(text.replace(b"\r\n", b"\n"))
    if headers and _MAIL_ONLY.search(headers[0]):
        return _unsupported("an e-mail or a mailbox", "save the text of each message as .txt")
    return None


def _by_content(text: bytes) -> Format:
    start = text.lstrip()
    if start.startswith(b"WARC/"):
        return "warc"
    if _ARRAY.match(start):
        return "json"
    if not _OBJECT.match(start):
        return "txt"
    line, end, _ = start.partition(b"\n")
    return "jsonl" if not end or _is_object(line) else "json"


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
