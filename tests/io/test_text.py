import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import blocks_of, read, rejects, texts, zstd

from topicml.io.readers import check_sources, parse_block, read_blocks
from topicml.io.records import LARGEST_RECORD, REASONS, ReadOptions, Reject
from topicml.io.sources import list_sources
from topicml.text.document import Document


def test_a_text_file_is_a_record(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("Ein Text.\r\n\r\nNoch einer – hier.\n".encode())
    assert read(path) == [
        Document(str(path), "Ein Text.\r\n\r\nNoch einer – hier.\n", str(path), 1)
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty_text"),
        (b" \n", "empty_text"),
        ("é ü ö ".encode() + b"caf\xe9", "invalid_utf8"),
        ("text".encode("utf-16")[:-1], "wrong_encoding"),
        (b"\x89PNG\r\n\0\0\0\xff", "unsupported_format"),
        (bytes(range(256)), "binary"),
        (b"\0\0\0", "binary"),
        (b"x" * (LARGEST_RECORD + 1), "too_large"),
        ("é".encode("utf-16") + "é".encode("utf-16-le") * (LARGEST_RECORD // 2), "too_large"),
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
    assert reject.length == len(data) or reason.endswith(("_input", "_format"))
    assert reject.reason in REASONS
    assert isinstance(last, Document)


def test_small_files_share_blocks(tmp_path: Path) -> None:
    for n in range(30):
        (tmp_path / f"{n:02}.txt").write_text(f"Text {n}." + "x" * 90)
    blocks = blocks_of(tmp_path, block_bytes=500)
    assert len(blocks) == 8  # of four each
    assert sum(block.size for block in blocks) == sum(f.stat().st_size for f in tmp_path.iterdir())
    assert len({block.items[0].source for block in blocks}) == 8
    assert blocks == blocks_of(tmp_path, block_bytes=500)
    assert read(tmp_path, block_bytes=500) == read(tmp_path)


def test_a_file_that_is_gone_when_its_turn_comes_is_told(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("Good.")
    sources = check_sources(list_sources([str(tmp_path)]).sources, ReadOptions())
    (tmp_path / "a.txt").unlink()
    blocks = read_blocks(sources, ReadOptions(), io.BytesIO())
    items = [item for block in blocks for item in parse_block(block, ReadOptions())]
    assert rejects(items) == [(1, "unreadable_input")]
    assert texts(items) == ["Good."]


@given(
    st.text(min_size=1).filter(lambda t: t.strip() and "\0" not in t and t[0] not in "\ufeff{[<")
)
def test_any_text_comes_back_as_it_is(text: str) -> None:
    assert texts(read("-", stdin=text.encode(), input_format="txt")) == [text]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_a_text_in_another_encoding_is_read_and_says_so(tmp_path: Path, encoding: str) -> None:
    text = "The allies’ treaty – signed in São Paulo."
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    (document,) = read(path)
    assert isinstance(document, Document)
    name = "utf-8" if encoding == "utf-8-sig" else encoding
    assert (document.text, document.encoding) == (text, name)


def test_an_encoding_that_is_named_overrides_all(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("日本".encode("shift_jis"))
    assert texts(read(path, encoding="shift_jis")) == ["日本"]
    (reject,) = read(path, encoding="utf-8")
    assert isinstance(reject, Reject)
    assert reject.reason == "invalid_utf8"
    assert "--encoding" in reject.detail


def test_an_empty_file_is_a_document_where_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b" ")
    assert texts(read(path, any_text=True)) == [" "]


def test_a_text_with_few_nuls_is_kept_and_with_many_is_binary(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 99 + b"\0")
    assert len(texts(read(path))) == 1
    path.write_bytes(b"x" * 98 + b"\0\0")
    assert rejects(read(path)) == [(1, "binary")]


def test_the_largest_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a" * LARGEST_RECORD)
    assert [len(text) for text in texts(read(path))] == [LARGEST_RECORD]
