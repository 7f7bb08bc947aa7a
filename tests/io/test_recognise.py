import contextlib
import io
import pickle
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import pytest
from reading import COMPRESSORS, read, texts

from topicml.errors import RecordError
from topicml.io.recognise import recognise
from topicml.io.records import Format, Reject


def zipped(*names: str, first: str = "") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        if first:
            archive.writestr("mimetype", first)
        for name in names:
            archive.writestr(name, "<x/>" * 50)
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"))
    return file.getvalue()


MAIL = (
    b"Return-Path: <a@example.org>\r\nReceived: from x\r\n\tby y; Mon, 1 Jan 2024\r\n"
    b"Message-ID: <1@example.org>\r\nSubject: Talks\r\n\r\nThe ministers met.\r\n"
)
FEED = b'<?xml version="1.0"?>\n<!-- x -->\n<rss version="2.0"><channel></channel></rss>'
KINDS = [
    ("an Excel workbook (XLSX)", zipped("[Content_Types].xml", "xl/workbook.xml")),
    ("a PowerPoint presentation (PPTX)", zipped("[Content_Types].xml", "ppt/slides/1.xml")),
    (
        "an OpenDocument file (ODS, ODP or another)",
        zipped("content.xml", first="application/vnd.oasis.opendocument.spreadsheet"),
    ),
    ("an e-book (EPUB)", zipped("x.xhtml", first="application/epub+zip")),
    ("a zip archive", zipped("a.txt")),
    ("a tar archive", tarred()),
    ("a 7z archive", b"7z\xbc\xaf\x27\x1c\0\4"),
    ("a RAR archive", b"Rar!\x1a\x07\x01\0"),
    ("an old Office document or a mail message", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99)),
    ("an image (PNG)", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    ("an image (JPEG)", b"\xff\xd8\xff\xe0\0\x10JFIF"),
    ("an image (GIF)", b"GIF89a\1\0"),
    ("an image (WebP)", b"RIFF\1\2\3\4WEBPVP8 "),
    ("a video or sound recording", b"\0\0\0\x20ftypisom"),
    ("a video or sound recording", b"RIFF\1\2\3\4WAVEfmt "),
    ("a video or sound recording", b"ID3\4\0\0"),
    ("a Python pickle", pickle.dumps({"text": "x"})),
    ("a NumPy array", b"\x93NUMPY\1\0"),
    ("a program", b"\x7fELF\2\1\1"),
    ("an XML document", b'<?xml version="1.0"?><nitf></nitf>'),
]


DOCUMENTS = {
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "rtf": rb"{\rtf1\ansi The ministers met.}",
    "docx": zipped("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
    "odt": zipped("content.xml", first="application/vnd.oasis.opendocument.text"),
}


@pytest.mark.parametrize("form", DOCUMENTS)
def test_documents_are_known_whatever_is_said_of_them(form: str) -> None:
    assert recognise(DOCUMENTS[form], None) == form
    assert recognise(DOCUMENTS[form], "csv") == form
    assert recognise(DOCUMENTS[form], "txt", is_forced=True) == form


@pytest.mark.parametrize(("kind", "data"), KINDS)
@pytest.mark.parametrize("name", ["a", "a.txt", "a.gz"])
def test_what_is_not_read_is_named_with_what_to_do(
    tmp_path: Path, name: str, kind: str, data: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(COMPRESSORS[".gz" if name.endswith(".gz") else ""](data))
    (reject,) = read(path)
    assert isinstance(reject, Reject)
    assert reject.reason == "unsupported_format"
    assert reject.detail.startswith(f"this is {kind}, which is not read; ")


NOT_SENT = (
    b"From: <Saved by Blink>\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n"
)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (MAIL, "eml"),
        (b"From a@example.org Mon Jan  1 00:00:00 2024\n" + MAIL, "mbox"),
        (NOT_SENT, "mhtml"),
        (NOT_SENT.partition(b"\n")[2], "mhtml"),
        (b"To: b@example.org\n" + NOT_SENT.partition(b"\n")[2], "eml"),
        (FEED, "feed"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"></feed>', "feed"),
        (b'<!DOCTYPE rss [<!ENTITY a "b">]>\n<rss version="2.0">', "feed"),
        (b'<rdf:RDF xmlns="http://purl.org/rss/1.0/">', "feed"),
        ("\ufeff".encode("utf-16-le") + FEED.decode().encode("utf-16-le"), "feed"),
    ],
)
@pytest.mark.parametrize("named", [None, "txt", "html", "eml", "mbox", "feed"])
def test_mails_and_feeds_are_told_by_their_start(
    data: bytes, expected: str, named: Format | None
) -> None:
    assert recognise(data, named) == expected


@pytest.mark.parametrize("data", [b"<urlset></urlset>", b'<?xml version="1.0"?><urlset/>'])
def test_xml_that_is_no_feed_is_named(data: bytes) -> None:
    with pytest.raises(RecordError, match="an XML document"):
        recognise(data, "feed")


def test_a_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as base:
        base.execute("create table a (b)")
    (reject,) = read(path)
    assert isinstance(reject, Reject)
    assert "an SQLite database" in reject.detail


@pytest.mark.parametrize(("kind", "data"), KINDS)
def test_a_named_format_counts_for_text_and_not_for_binary_data(kind: str, data: bytes) -> None:
    if kind.startswith("an XML"):
        assert recognise(data, "txt", is_forced=True) == "txt"
    else:
        with pytest.raises(RecordError, match="unsupported_format"):
            recognise(data, "txt", is_forced=True)


@pytest.mark.parametrize(
    "text",
    [
        "From: The Secretary\nTo: All hands\nSubject: Talks\n\nThe ministers met.",
        "Received: yesterday, a letter.\nIt says little.",
        "BMW and MZ are makes; ID3 is a tag.",
        "PDF files (%PDF-1.7) begin so.",
        "<rss is no tag",
        "xml version 1.0",
        "Obj 1",
    ],
)
def test_texts_that_only_look_like_something_else_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text)
    assert texts(read(path)) == [text]


def test_hostile_starts_take_no_time() -> None:
    for start in (
        b"<!--",
        b"<?",
        b" ",
        b"A:\n",
        b"<!DOCTYPE a [",
        b"A: b\n",
        b'{"',
        b"PK\x03\x04",
        b"[",
        b'{"\\',
    ):
        with contextlib.suppress(RecordError):
            assert recognise(start * (250_000 // len(start)), None)
