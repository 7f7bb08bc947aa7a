import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from reading import read, rejects, texts, without_trafilatura

from topicml.errors import InputError, MissingExtraError, RecordError
from topicml.io.readers import html
from topicml.io.readers.html import decode_html, main_text
from topicml.io.records import Fields, Reject
from topicml.text.document import Document

FIRST = "The ministers met in Tokyo on Monday and agreed on a new command structure."
SECOND = "Officials said the exercise would go on until the end of the month, as planned."
PAGE = (
    "<html><head><title>T</title></head><body><nav><a href='/'>Home</a></nav>"
    f"<article><h1>Headline of it</h1><p>{FIRST}</p><p>{SECOND}</p></article>"
    "<footer>All rights reserved</footer></body></html>"
)


def test_the_main_text_of_a_page(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(PAGE)
    (tmp_path / "b.htm.gz").write_bytes(gzip.compress(PAGE.encode()))
    items = read(tmp_path)
    assert texts(items) == [f"Headline of it\n\n{FIRST}\n\n{SECOND}"] * 2
    assert [item.id for item in items if isinstance(item, Document)] == [
        str(tmp_path / "a.html"),
        str(tmp_path / "b.htm.gz"),
    ]


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html></html>",
        b"<div>" * 50_000,
        b"<html><body><script>x</script>",
        b"\xff\xfe",
    ],
)
def test_a_page_without_text_is_rejected(tmp_path: Path, page: bytes) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(page)
    (reject,) = read(path)
    assert isinstance(reject, Reject)
    assert (reject.reason, reject.raw) == ("no_main_text", page)


def test_a_parser_that_raises_costs_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_page: str) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(html.find_extractor(), "load_html", fail)
    with pytest.raises(RecordError) as error:
        main_text("x")
    assert error.value.args == (
        "no_main_text",
        "the page cannot be parsed (RecursionError: too deep)",
    )
    monkeypatch.undo()


def test_what_a_page_says_of_itself_can_be_kept(tmp_path: Path) -> None:
    head = (
        '<link rel="canonical" href="https://example.org/a"><meta name="date" content="2023-05-06">'
    )
    (tmp_path / "a.html").write_text(PAGE.replace("<title>", f"{head}<title>"))
    (document,) = read(tmp_path, fields=Fields(keep=("url", "date", "title")))
    assert isinstance(document, Document)
    assert document.text.startswith("Headline of it\n\n")
    assert document.kept == {
        "url": "https://example.org/a",
        "date": "2023-05-06",
        "title": "Headline of it",
    }
    (document,) = read(tmp_path, fields=Fields(id="url", keep=("*",)))
    assert isinstance(document, Document)
    assert document.id == "https://example.org/a"
    assert document.kept == {
        "date": "2023-05-06",
        "title": "Headline of it",
        "source": "example.org",
    }


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("<html lang='en-GB'>", "en-GB"),
        ('<HTML class=x\nLANG = "ja">', "ja"),
        ("<html xml:lang=en>", None),
        ("<html lang=''>", None),
        ("<html data-lang=fr>", None),
    ],
)
def test_source_and_language_of_a_page(tmp_path: Path, said: str, language: str | None) -> None:
    site = '<meta property="og:site_name" content="Daily News"><title>'
    (tmp_path / "a.html").write_text(PAGE.replace("<html>", said).replace("<title>", site))
    (document,) = read(tmp_path, fields=Fields(keep=("source", "language")))
    assert isinstance(document, Document)
    assert document.kept == {"source": "Daily News", "language": language}


def test_a_field_that_a_page_does_not_say_is_one_of_its_folder_or_null(tmp_path: Path) -> None:
    page = tmp_path / "url=here" / "a.html"
    page.parent.mkdir()
    page.write_text(PAGE)
    (document,) = read(tmp_path, fields=Fields(id="date", keep=("url", "date")))
    assert isinstance(document, Document)
    assert (document.id, document.kept) == (str(page), {"url": "here", "date": None})
    with pytest.raises(InputError, match="no field 'status'"):
        read(tmp_path, fields=Fields(keep=("status",)))


@pytest.mark.parametrize(
    ("page", "charset", "expected"),
    [
        ("café “x”".encode(), None, "café “x”"),
        ("café “x”".encode("cp1252"), None, "café “x”"),
        ("café “x”".encode("cp1252"), "ISO-8859-1", "café “x”"),
        ("日本".encode("shift_jis"), "Shift_JIS", "日本"),
        ("日本と米国の同盟".encode("shift_jis"), "no-such", "日本と米国の同盟"),
        ("日本".encode(), "utf-16", "日本"),
        ("\ufeff日本".encode("utf-16-le"), "latin-1", "日本"),
        ("\ufeff日本".encode(), "latin-1", "日本"),
        ("naïve café ".encode() + b"\xff", "utf-8", "naïve café \ufffd"),
        (b"ok", "base64", "ok"),
        (b"ok", "undefined", "ok"),
        (b"ok", "x\0y", "ok"),
    ],
)
def test_pages_in_any_encoding(page: bytes, charset: str | None, expected: str) -> None:
    assert decode_html(page, charset)[0] == expected


@pytest.mark.parametrize(
    "said",
    [
        '<meta charset="euc-jp">',
        "<META http-equiv=x content='a; charset=EUC-JP'>",
        '<?xml version="1.0" encoding="euc-jp"?>',
    ],
)
def test_a_page_says_its_encoding(said: str) -> None:
    html, encoding = decode_html(f"{said}<head>日本".encode("euc-jp"))
    assert html.endswith("日本")
    assert encoding == "euc_jp"


def test_a_page_of_few_binary_bytes_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_bytes(b"\0" * 50)
    assert rejects(read(path)) == [(1, "binary")]


def test_an_encoding_that_is_named_overrides_what_a_page_says() -> None:
    page = '<meta charset="euc-jp">日本'
    assert decode_html(page.encode("shift_jis"), "utf-8", "shift_jis") == (page, "shift_jis")


def test_without_trafilatura_the_command_is_named_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(PAGE)
    with without_trafilatura(tmp_path / "hidden"), pytest.raises(MissingExtraError) as error:
        read(tmp_path / "a.html")
    assert str(error.value) == (
        "reading HTML needs trafilatura. Install it: pip install 'topicml[articles]'"
    )


def test_nothing_is_printed() -> None:
    code = (
        "from topicml.errors import RecordError\n"
        "from topicml.io.readers.html import main_text\n"
        "for page in ('<html>x', ''):\n"
        "    try: main_text(page)\n"
        "    except RecordError: pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout + done.stderr == b""


OWN_PAGES = [
    path
    for path in sorted(Path(html.__file__).parents[2].rglob("*.html"))
    if path.read_text("utf-8").startswith("<!doctype")
]


@pytest.mark.parametrize("path", OWN_PAGES, ids=lambda path: path.name)
def test_pages_of_topicml_are_no_articles(path: Path) -> None:
    assert len(OWN_PAGES) == 2
    with pytest.raises(RecordError, match="the texts that it was made of") as caught:
        html.extract(path.read_bytes(), None, None, wants_fields=False)
    assert caught.value.reason == "no_main_text"
