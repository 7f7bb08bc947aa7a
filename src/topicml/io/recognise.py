"""What an input is by its first bytes, whatever its name says."""

from __future__ import annotations

import json
import re

from topicml.errors import RecordError
from topicml.io.records import Format
from topicml.text.decoding import marked_encoding

_SAVE = "save its text as .txt or .html and give that"
_ZIP = "a zip archive"
_UNLOCK = "save it without one and give that"
_UNPACK = "unpack it, and give the files or the folder"
_SCAN = "only a text recogniser (OCR) reads one; give the text that it finds"
_LISTEN = "give a transcript as text"
_EXPORT = "export the table as CSV or JSON Lines"
_NO_TEXT = "there is no text in it to tag"


_DOCUMENTS: dict[Format, re.Pattern[bytes]] = {
    "pdf": re.compile(rb"(?:\xef\xbb\xbf)?\s{0,32}%PDF-\d"),
    "rtf": re.compile(rb"\s{0,32}\{\\rtf"),
    "odt": re.compile(
        rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument\.text", re.DOTALL
    ),
    "docx": re.compile(
        rb"PK\x03\x04(?:.{0,8000}?word/|.{26}\[Content_(?!.{0,8000}?(?:xl|ppt)/))", re.DOTALL
    ),
}
_ZIPPED = frozenset({"docx", "odt"})
_LATE_PDF = re.compile(rb"%PDF-\d\.\d")  # behind what a server or a mail put before it
_LATE_WITHIN = 1024

_SIGNATURES = (  # what it is, what to do, and how it begins; the first that fits counts
    ("a PostScript document", _SAVE, rb"%!PS-Adobe"),
    ("an Excel workbook (XLSX)", _EXPORT, rb"PK\x03\x04.{0,8000}?xl/"),
    ("a PowerPoint presentation (PPTX)", _SAVE, rb"PK\x03\x04.{0,8000}?ppt/"),
    (
        "an OpenDocument file (ODS, ODP or another)",
        _SAVE,
        rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis\.opendocument",
    ),
    ("an e-book (EPUB)", _SAVE, rb"PK\x03\x04.{26}mimetypeapplication/epub"),
    (_ZIP, _UNPACK, rb"PK(\x03\x04|\x05\x06|\x07\x08)"),
    ("an Office document with a password", _UNLOCK, rb"\xd0\xcf\x11\xe0.*?E\0n\0c\0r\0y\0p\0t\0"),
    ("an old Office document or a mail message", _SAVE, rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a"),
    ("a tar archive", _UNPACK, rb".{257}ustar[\0 ]"),
    ("a 7z archive", _UNPACK, rb"7z\xbc\xaf\x27\x1c"),
    ("a RAR archive", _UNPACK, rb"Rar!\x1a\x07"),
    ("a compressed file", _UNPACK, rb"\x1f[\x9d\xa0]|\x04\x22\x4d\x18|\xff\x06\0\0sNaPpY"),
    ("an image (PNG)", _SCAN, rb"\x89PNG\r\n"),
    ("an image (JPEG)", _SCAN, rb"\xff\xd8\xff"),
    ("an image (GIF)", _SCAN, rb"GIF8[79]a"),
    ("an image (TIFF)", _SCAN, rb"II\*\0|MM\0\*"),
    ("an image (BMP)", _SCAN, rb"BM.{4}\0{4}"),
    ("an image (WebP)", _SCAN, rb"RIFF.{4}WEBP"),
    ("an image (HEIC or AVIF)", _SCAN, rb".{4}ftyp(heic|heix|mif1|avif)"),
    ("an image (DjVu)", _SCAN, rb"AT&TFORM"),
    ("a video or sound recording", _LISTEN, rb".{4}ftyp|RIFF.{4}(AVI |WAVE)"),
    ("a video or sound recording", _LISTEN, rb"OggS\0|fLaC\0|ID3[\2-\4]\0|\x1aE\xdf\xa3"),
    ("a sound recording (MP3)", _LISTEN, rb"\xff[\xf2\xf3\xfa\xfb][\x10-\xe0]"),
    ("an SQLite database", _EXPORT, rb"SQLite format 3\0"),
    ("a Python pickle", _EXPORT, rb"\x80[\2-\5](\x95.{8}|[}\]\(c])"),
    ("a NumPy array", _EXPORT, rb"\x93NUMPY"),
    ("an HDF5 file", _EXPORT, rb"\x89HDF\r\n"),
    ("an Arrow file", _EXPORT, rb"ARROW1\0"),
    ("an Avro file", _EXPORT, rb"Obj\x01"),
    ("a program", _NO_TEXT, rb"\x7fELF|MZ.{2,60}?\0\0|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe"),
)
_BINARY = [(kind, advice, re.compile(how, re.DOTALL)) for kind, advice, how in _SIGNATURES]

# No group here is possessive: Python before 3.11.5 matches those wrong. Nothing in one can be read
# in two ways, so that none is gone over again and again.
_PROLOG = (
    rb"(?:\s|<\?[^>]*>|<!--(?:[^-]|-(?!->))*-->"
    rb"|<!DOCTYPE (?!html)[^>\[]*(?:\[[^\]]*\]\s*)?>)*"
)
_HTML = re.compile(_PROLOG + rb"<(?:!doctype\s+html|html|head|body)[\s>/]", re.I | re.DOTALL)
_FEED = re.compile(_PROLOG + rb"<(?:rss|feed|rdf:rdf)(?:\s[^>]*+)?>", re.I | re.DOTALL)
_XML = re.compile(rb"\s*+<\?xml\s", re.I)
_HEADERS = re.compile(
    rb"(?:From [^\n]*\n)?(?:[A-Za-z][A-Za-z0-9-]*+:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}"
)
_MAIL_ONLY = re.compile(
    rb"^(?:Message-ID|MIME-Version|Received|Return-Path|Delivered-To|DKIM-Signature):", re.I | re.M
)
_SENT = re.compile(rb"^(?:Message-ID|Received|Return-Path|Delivered-To|To):", re.I | re.M)
_PAGE_ARCHIVE = re.compile(rb"^(?:Snapshot-Content-Location:|From:\s*<Saved by )", re.I | re.M)
_RELATED = re.compile(rb"^Content-Type:\s*multipart/related\b", re.I | re.M)
_ARRAY = re.compile(rb"\s*+\[\s*+[\[{\]]")
_OBJECT = re.compile(rb'\s*+\{\s*+(?:"(?:[^"\\]|\\.)*"\s*+:|\})', re.DOTALL)


_ANY_TEXT: tuple[Format | None, ...] = (None, "txt", "html", "mhtml", "eml", "mbox", "feed")


def recognise(head: bytes, named: Format | None, *, is_forced: bool = False) -> Format:
    """Return the format of an input.

    Its content wins over its name where it clearly says otherwise.

    Args:
        head: Its first bytes, decompressed.
        named: The format by its name; None where that says nothing.
        is_forced: Whether a user named the format: then only what is no text at all is refused.

    Raises:
        RecordError: It is of a format that is not read.
    """
    if head.startswith(b"PAR1") and not is_forced:
        return "parquet"
    if document := _document(head, named):
        return document
    for kind, advice, pattern in _BINARY:
        if pattern.match(head):
            if named in _ZIPPED and kind == _ZIP:
                return named
            if advice is _UNLOCK:
                raise RecordError("encrypted", f"this is {kind}; {advice}")
            raise _unsupported(kind, advice)
    if named is not None and is_forced:
        return named
    text = _plain(head)
    if named in _DOCUMENTS:
        named = None  # it is none
    if named in _ANY_TEXT:
        named = _by_mark(text, named) or named
    if named == "jsonl" and text.lstrip().startswith(b"["):
        return "json"
    return named or _by_content(text)


def _document(head: bytes, named: Format | None) -> Format | None:
    """Return the format of a document; None where it is none."""
    for form, pattern in _DOCUMENTS.items():
        if pattern.match(head):
            return form
    if named == "pdf" and _LATE_PDF.search(head, 0, _LATE_WITHIN):
        return named
    return None


def _unsupported(kind: str, advice: str) -> RecordError:
    return RecordError("unsupported_format", f"this is {kind}, which is not read; {advice}")


def _plain(head: bytes) -> bytes:
    """Return a text's first bytes in UTF-8, without a byte-order mark."""
    encoding = marked_encoding(head)
    return head.decode(encoding, errors="ignore").encode("utf-8", "ignore") if encoding else head


def _by_mark(text: bytes, named: Format | None) -> Format | None:
    """Return what a text says at its start that it is; None where it says nothing.

    Raises:
        RecordError: It is of a format that is not read, though its bytes could be.
    """
    if _FEED.match(text):
        return "feed"
    if _HTML.match(text):
        return "html"
    found = _HEADERS.match(text.replace(b"\r\n", b"\n"))
    if found and (_MAIL_ONLY.search(found[0]) or named in {"eml", "mbox"}):
        return named if named == "mhtml" else _kind_of_mail(found[0])
    if named != "html" and (_XML.match(text) or (named == "feed" and text.strip())):
        raise _unsupported("an XML document", _SAVE)
    return None


def _kind_of_mail(headers: bytes) -> Format:
    if headers.startswith(b"From "):
        return "mbox"
    is_unsent = _RELATED.search(headers) and not _SENT.search(headers)
    return "mhtml" if is_unsent or _PAGE_ARCHIVE.search(headers) else "eml"


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
        return isinstance(json.loads(line.decode("latin-1")), dict)  # in any encoding
    except (ValueError, RecursionError):
        return False
