import builtins
import gzip
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reading import blocks_of, read, rejects, texts, zstd

from topicml.errors import MissingExtraError
from topicml.io.readers import html
from topicml.io.readers.html import decode_html, main_text
from topicml.io.records import LARGEST_RECORD, Fields, Reject
from topicml.text.document import Document

FIRST = "The ministers met in Tokyo on Monday and agreed on a new command structure."
SECOND = "Officials said the exercise would go on until the end of the month, as planned."
PAGE = (
    "<html><head><title>T</title></head><body><nav><a href='/'>Home</a></nav>"
    f"<article><h1>Headline of it</h1><p>{FIRST}</p><p>{SECOND}</p></article>"
    "<footer>All rights reserved</footer></body></html>"
)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    html._extractor.cache_clear()
    yield
    html._extractor.cache_clear()


def test_a_text_file_is_a_record(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("Ein Text.\r\n\r\nNoch einer – hier.\n".encode())
    assert read(path, fields=Fields(keep=("date",))) == [
        Document(str(path), "Ein Text.\r\n\r\nNoch einer – hier.\n", str(path), 1, {"date": None})
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty_text"),
        (b" \n", "empty_text"),
        (b"caf\xe9", "invalid_utf8"),
        ("text".encode("utf-16"), "invalid_utf8"),
        (b"\x89PNG\r\n\0\0\0\xff", "binary"),
        (b"\0\0\0", "binary"),
        (b"x" * (LARGEST_RECORD + 1), "too_large"),
        (gzip.compress(b"some text" * 500, mtime=0)[:-9], "truncated_input"),
        (gzip.compress(b"some text", mtime=0) + b"behind", "damaged_input"),
        (zstd(b"some text" * 500)[:-2], "truncated_input"),
    ],
)
def test_bad_files_are_rejected_between_good_ones(tmp_path: Path, data: bytes, reason: str) -> None:
    for name in ("a.txt", "c.txt"):
        (tmp_path / name).write_text("Good.")
    (tmp_path / "b.txt").write_bytes(data)
    first, reject, last = read(tmp_path)
    assert isinstance(first, Document)
    assert isinstance(reject, Reject)
    assert (reject.source, reject.reason) == (str(tmp_path / "b.txt"), reason)
    assert reject.length == len(data) or reason.endswith("_input")
    assert isinstance(last, Document)


def test_small_files_share_blocks(tmp_path: Path) -> None:
    for n in range(30):
        (tmp_path / f"{n:02}.txt").write_text(f"Text {n}." + "x" * 90)
    blocks = blocks_of(tmp_path, block_bytes=500)
    assert len(blocks) == 5
    assert sum(block.size for block in blocks) == sum(f.stat().st_size for f in tmp_path.iterdir())
    assert len({(block.source, block.first) for block in blocks}) == 5
    assert blocks == blocks_of(tmp_path, block_bytes=500)
    assert read(tmp_path, block_bytes=500) == read(tmp_path)


def test_a_file_that_is_gone_when_its_turn_comes_is_told(tmp_path: Path) -> None:
    import io

    from topicml.io.sources import parse_block, read_blocks

    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("Good.")
    blocks = read_blocks([str(tmp_path)], Fields(), io.BytesIO())
    (tmp_path / "a.txt").unlink()
    items = [item for block in blocks for item in parse_block(block, Fields())]
    assert rejects(items) == [(1, "unreadable_input")]
    assert texts(items) == ["Good."]


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
        b"\0" * 50,
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
    def fail(_page: str) -> str:
        raise RecursionError("too deep")

    monkeypatch.setattr(html, "_extractor", lambda: fail)
    assert main_text("x") == (
        "no_main_text",
        "the page cannot be parsed (RecursionError: too deep)",
    )
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("page", "charset", "expected"),
    [
        ("café “x”".encode(), None, "café “x”"),
        ("café “x”".encode("cp1252"), None, "café “x”"),
        ("café “x”".encode("cp1252"), "ISO-8859-1", "café “x”"),
        ("日本".encode("shift_jis"), "Shift_JIS", "日本"),
        ("日本".encode("shift_jis"), "no-such", "“ú–{"),
        ("日本".encode(), "utf-16", "日本"),
        ("\ufeff日本".encode("utf-16-le"), "latin-1", "日本"),
        ("\ufeff日本".encode(), "latin-1", "日本"),
        (b"\x81\xff", "utf-8", "\ufffdÿ"),
        (b"ok", "base64", "ok"),
        (b"ok", "undefined", "ok"),
        (b"ok", "x\0y", "ok"),
    ],
)
def test_pages_in_any_encoding(page: bytes, charset: str | None, expected: str) -> None:
    assert decode_html(page, charset).lstrip("\ufeff") == expected


@pytest.mark.parametrize(
    "said", ['<meta charset="euc-jp">', "<META http-equiv=x content='a; charset=EUC-JP'>"]
)
def test_a_page_says_its_encoding(said: str) -> None:
    assert "日本" in decode_html(f"<head>{said}日本".encode("euc-jp"))


def _without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name.split(".")[0] in missing:
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    for name in list(sys.modules):
        if name.split(".")[0] in missing:
            monkeypatch.setitem(sys.modules, name, None)
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(builtins, "__import__", refuse)


def test_without_trafilatura_resiliparse_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    _without(monkeypatch, "trafilatura")
    assert main_text(PAGE) == f"Headline of it\n\n{FIRST}\n\n{SECOND}"
    assert main_text("<html></html>") == ("no_main_text", "no main text was found in the page")


def test_without_both_the_command_is_named_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "a.html").write_text(PAGE)
    _without(monkeypatch, "trafilatura", "resiliparse")
    with pytest.raises(MissingExtraError) as error:
        read(tmp_path)
    assert str(error.value) == (
        "reading HTML needs trafilatura. Install it: pip install 'topicml[articles]'"
    )


def test_nothing_is_printed() -> None:
    code = "from topicml.io.readers.html import main_text; main_text('<html>x'); main_text('')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout + done.stderr == b""
