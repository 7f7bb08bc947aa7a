import base64
from pathlib import Path

import pytest
from mails import mail
from reading import read, rejects
from test_html import FIRST, PAGE, SECOND

from topicml.io.records import Fields
from topicml.text.document import Document

TEXT = f"Headline of it\n\n{FIRST}\n\n{SECOND}"
HEAD = (
    "From: <Saved by Blink>\nSnapshot-Content-Location: https://example.org/a\nSubject: T\n"
    "Date: Mon, 1 Jan 2024 10:00:00 -0000\nMIME-Version: 1.0\n"
    'Content-Type: multipart/related;\n\ttype="text/html";\n\tboundary="b"\n\n'
)


def archive(page: bytes, head: str = HEAD, more: str = "") -> bytes:
    part = f"--b\nContent-Type: text/html{more}\nContent-Transfer-Encoding: base64\n\n"
    image = f"--b\nContent-Type: image/png\n\n{'QUJD' * 1000}\n--b--\n"
    return (head + part).encode() + base64.encodebytes(page) + image.encode()


@pytest.mark.parametrize("name", ["a.mhtml", "a.mht", "a.html", "a"])
def test_an_archived_page_is_read_as_the_page_it_is_of(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(archive(PAGE.replace("<html>", "<html lang=en-GB>").encode()))
    (item,) = read(path, fields=Fields(keep=("url", "date", "title", "language")))
    assert isinstance(item, Document)
    assert (item.id, item.text) == (str(path), TEXT)
    assert item.kept == {
        "url": "https://example.org/a",
        "date": "2024-01-01",
        "title": "Headline of it",
        "language": "en-GB",
    }


def test_what_a_page_says_of_its_date_comes_first(tmp_path: Path) -> None:
    said = '<meta name="date" content="2023-05-06"><title>'
    path = tmp_path / "a.mhtml"
    path.write_bytes(
        archive(
            PAGE.replace("<title>", said).replace("met in", "met à").encode("cp1252"),
            HEAD.replace("Snapshot-Content-Location: https://example.org/a\n", ""),
            "; charset=windows-1252\nContent-Location: https://example.org/b",
        )
    )
    (item,) = read(path, fields=Fields(keep=("url", "date")))
    assert isinstance(item, Document)
    assert item.kept == {"url": "https://example.org/b", "date": "2023-05-06"}
    assert "met à Tokyo" in item.text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        mail(),
        HEAD.encode(),
        archive(b""),
        HEAD.encode() + b"--b\n" * 1000,
    ],
)
def test_an_archive_without_a_page_is_a_reject(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.mhtml").write_bytes(data)
    assert rejects(read(tmp_path / "a.mhtml")) == [(1, "no_main_text")]
