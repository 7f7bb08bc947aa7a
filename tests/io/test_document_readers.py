from pathlib import Path

import pytest
from documents import NEWS, docx, make_pdf, odt, zipped
from reading import hidden, read, texts

from topicml.errors import InputError, MissingExtraError
from topicml.io.recognise import recognise
from topicml.io.records import Fields, Reject
from topicml.text.document import Document

CORE = (
    '<c:p xmlns:c="c" xmlns:dc="dc" xmlns:t="t"><dc:title>The title</dc:title>'
    "<dc:creator>A. Writer</dc:creator><dc:language>en-GB</dc:language>"
    "<t:created>2024-05-06T10:00:00Z</t:created></c:p>"
)
MADE = {
    "pdf": make_pdf([NEWS]),
    "docx": docx(NEWS, parts={"docProps/core.xml": CORE}),
    "odt": odt(f"<text:p>{NEWS}</text:p>"),
    "rtf": rb"{\rtf1\ansi{\info{\title The title}}" + NEWS.encode() + rb"\par}",
}
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize("form", MADE)
def test_a_document_is_read_by_its_content_whatever_its_name(tmp_path: Path, form: str) -> None:
    for name in (f"a.{form}", "b.pdf", "c.docx", "d.txt", "e.html", "f"):
        (tmp_path / name).write_bytes(MADE[form])
        (document,) = read(tmp_path / name)
        assert isinstance(document, Document)
        assert (document.id, document.text) == (str(tmp_path / name), NEWS)


def test_a_folder_of_documents_and_fields_of_theirs(tmp_path: Path) -> None:
    for form, data in MADE.items():
        (tmp_path / f"a.{form}").write_bytes(data)
    items = read(tmp_path, fields=Fields(keep=("title", "date", "source", "language")))
    assert texts(items) == [NEWS] * 4
    word, _, _, rtf = (item.kept for item in items if isinstance(item, Document))
    assert word == {
        "title": "The title",
        "date": "2024-05-06",
        "source": "A. Writer",
        "language": "en-GB",
    }
    assert rtf == {"title": "The title", "date": None, "source": None, "language": None}
    (document,) = read(tmp_path / "a.docx", fields=Fields(id="date", keep=("*",)))
    assert isinstance(document, Document)
    assert (document.id, sorted(document.kept)) == ("2024-05-06", ["language", "source", "title"])
    with pytest.raises(InputError, match="no field 'url'"):
        read(tmp_path, fields=Fields(keep=("url",)))


@pytest.mark.parametrize(
    ("name", "data", "reason", "said"),
    [
        ("a.pdf", make_pdf([NEWS], opened_by="x"), "encrypted", "has a password; save it without"),
        ("a.pdf", MADE["pdf"][:300], "unreadable_input", "the PDF document is damaged, or cut off"),
        ("a.docx", MADE["docx"][:300], "unreadable_input", "the Word document is damaged, or cut"),
        ("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted", "save it without"),
        ("a.doc", OLE, "unsupported_format", "an old Office document"),
        (
            "a.docx",
            zipped({"[Content_Types].xml": "", "xl/a.xml": ""}),
            "unsupported_format",
            "XLSX",
        ),
        ("a.docx", zipped({"a": "b"}), "unsupported_format", "without a Word document in it"),
        ("a.odt", zipped({"a": "b"}), "unsupported_format", "without an OpenDocument text in it"),
        ("a.pdf", b"\0\1\2" * 300, "binary", "binary data"),
        ("a.rtf", b"{\\rtf1 }", "no_main_text", "there is no text"),
    ],
)
def test_what_is_wrong_with_a_document_is_said(
    tmp_path: Path, name: str, data: bytes, reason: str, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    (reject,) = read(tmp_path / name)
    assert isinstance(reject, Reject)
    assert reject.reason == reason
    assert said in reject.detail
    assert reject.id in {None, str(tmp_path / name)}


def test_other_text_that_is_called_a_document_is_read_as_what_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_text(NEWS)
    page = f"<!doctype html><article><p>{NEWS}</p><p>{NEWS[:-1]}, too.</p></article>"
    (tmp_path / "b.pdf").write_text(page)
    assert [text.split("\n")[0] for text in texts(read(tmp_path))] == [NEWS] * 2


def test_a_pdf_behind_other_bytes_is_known_by_its_name(tmp_path: Path) -> None:
    data = b"HTTP/1.1 200 OK\r\n\r\n" + MADE["pdf"]
    assert recognise(data, "pdf") == "pdf"
    (tmp_path / "a.pdf").write_bytes(data)
    assert texts(read(tmp_path)) == [NEWS]


@pytest.mark.parametrize(("form", "package"), [("pdf", "pypdfium2"), ("docx", "lxml")])
def test_without_its_package_the_command_is_named(tmp_path: Path, form: str, package: str) -> None:
    path = tmp_path / f"a.{form}"
    path.write_bytes(MADE[form])
    with hidden(package, tmp_path / "hidden"), pytest.raises(MissingExtraError) as error:
        read(path)
    assert f"needs {package}. Install it: pip install 'topicml[articles]'" in str(error.value)
