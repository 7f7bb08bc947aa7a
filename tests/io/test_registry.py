import builtins
import io
import json
import os
import random
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import (
    COMPRESSORS,
    blocks_of,
    jsonl,
    numbered,
    read,
    rejects,
    texts,
    without_trafilatura,
    zstd,
)

from topicml.errors import InputError, MissingExtraError
from topicml.io.readers import (
    COMPRESSIONS,
    FORMATS,
    READERS,
    SUFFIXES,
    check_sources,
    parse_block,
    read_blocks,
)
from topicml.io.records import ReadOptions, Reject
from topicml.io.sources import Source, list_sources
from topicml.text.document import Document

EXPECTED = [f"Text {n}." for n in range(25)]


def sources_of(*inputs: str | Path) -> list[Source]:
    return list_sources([*map(str, inputs)]).sources


def read_sources(sources: Sequence[Source]) -> list[Document | Reject]:
    """Read without a look at all sources before."""
    options = ReadOptions()
    blocks = read_blocks(sources, options, io.BytesIO())
    return [item for block in blocks for item in parse_block(block, options)]


def table(delimiter: str) -> bytes:
    rows = [f"a{n}{delimiter}Text {n}." for n in range(25)]
    return "\n".join([f"id{delimiter}text", *rows]).encode()


CONTENT = {
    ".jsonl": numbered(25),
    ".ndjson": numbered(25),
    ".csv": table(","),
    ".tsv": table("\t"),
    ".tab": table("\t"),
    ".json": json.dumps([json.loads(line) for line in numbered(25).splitlines()]).encode(),
}


@pytest.mark.parametrize("compressed", COMPRESSORS)
@pytest.mark.parametrize("suffix", CONTENT)
@pytest.mark.parametrize("block_bytes", [1, 50, 10**6])
def test_every_format_and_compression(
    tmp_path: Path, suffix: str, compressed: str, block_bytes: int
) -> None:
    path = tmp_path / f"dump{suffix}{compressed}".upper()
    compress = COMPRESSORS[compressed]
    half = len(CONTENT[suffix]) // 2
    path.write_bytes(compress(CONTENT[suffix][:half]) + compress(CONTENT[suffix][half:]))
    items = read(path, block_bytes=block_bytes)
    assert texts(items) == EXPECTED
    assert [item.id for item in items if not isinstance(item, Reject)] == [
        f"a{n}" for n in range(25)
    ]
    blocks = blocks_of(path, block_bytes=block_bytes)
    assert blocks == blocks_of(path, block_bytes=block_bytes)
    assert sum(block.size for block in blocks) == path.stat().st_size
    assert {len(block.digest) for block in blocks} == {64}


@pytest.mark.parametrize("compressed", COMPRESSORS)
@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv", "json"])
def test_standard_input_may_be_compressed(compressed: str, kind: str) -> None:
    data = COMPRESSORS[compressed](CONTENT[f".{kind}"])
    assert texts(read("-", stdin=data, input_format=kind)) == EXPECTED
    if kind in {"jsonl", "json"}:
        assert texts(read("-", stdin=data)) == EXPECTED


@pytest.mark.parametrize("compressed", [".gz", ".zst", ".bz2", ".xz"])
@pytest.mark.parametrize("suffix", [".jsonl", ".csv"])
@pytest.mark.parametrize("block_bytes", [100, 10**6])
def test_a_compressed_file_that_ends_too_early(
    tmp_path: Path, suffix: str, compressed: str, block_bytes: int
) -> None:
    chance = random.Random(1)  # noqa: S311
    body = [f"{chance.getrandbits(300):x}" for _ in range(9000)]
    data = (
        jsonl(*({"text": text} for text in body))
        if suffix == ".jsonl"
        else "\n".join(["id,text", *(f"{n},{text}" for n, text in enumerate(body))]).encode()
    )
    short = tmp_path / f"a{suffix}{compressed}"
    compress, cut = COMPRESSORS[compressed], 2 * len(data) // 3
    short.write_bytes(compress(data[:cut]) + compress(data[cut:])[:-2000])
    (tmp_path / "b.jsonl").write_bytes(numbered(2))
    items = read(short, tmp_path / "b.jsonl", block_bytes=block_bytes)
    found = texts(items)
    assert found[-2:] == EXPECTED[:2]
    assert len(found) > 5000
    assert found[:-2] == body[: len(found) - 2]
    (reject,) = [item for item in items if isinstance(item, Reject)]
    line = len(found) - 2 + (1 if suffix == ".jsonl" else 2)
    assert (reject.source, reject.number, reject.reason) == (str(short), line, "truncated_input")
    assert data.split(b"\n")[line - 1].startswith(reject.raw)


def test_a_plain_file_may_be_called_compressed(tmp_path: Path) -> None:
    path = tmp_path / "dump.jsonl.gz"
    path.write_bytes(numbered(25))
    assert texts(read(path)) == EXPECTED


def test_a_format_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "dump.dat"
    path.write_bytes(numbered(25))
    assert texts(read(path, input_format="jsonl")) == EXPECTED
    assert texts(read(path, input_format="txt")) == [numbered(25).decode()]


def test_a_later_input_without_the_field_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(numbered(3))
    (tmp_path / "b.jsonl").write_bytes(jsonl({"body": "x"}))
    with pytest.raises(InputError, match=r"b\.jsonl:1: no field 'text'"):
        check_sources(sources_of(tmp_path / "*.jsonl"), ReadOptions())


def test_what_is_wrong_with_one_file_of_a_folder_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,body\nx,Bread.\n")
    (tmp_path / "b.jsonl").write_bytes(numbered(2))
    (tmp_path / "c.parquet").write_bytes(b"PAR1 and no more")
    sources = check_sources(sources_of(tmp_path), ReadOptions())
    items = read_sources(sources)
    assert texts(items) == EXPECTED[:2]
    assert [reason for _, reason in rejects(items)] == ["unreadable_input"] * 2
    (tmp_path / "b.jsonl").unlink()
    with pytest.raises(InputError, match=r"a\.csv:1: no field 'text'"):
        check_sources(sources_of(tmp_path), ReadOptions())


def test_what_is_wrong_after_the_start_is_a_reject(tmp_path: Path) -> None:
    for name, data in (("a", numbered(1)), ("b", jsonl({"body": "x"})), ("c", numbered(2))):
        (tmp_path / f"{name}.jsonl").write_bytes(data)
    sources = sources_of(tmp_path / "*.jsonl")
    items = read_sources(sources)
    assert texts(items) == ["Text 0.", "Text 0.", "Text 1."]
    assert rejects(items) == [(1, "unreadable_input")]
    assert "--text-field body" in next(i.detail for i in items if isinstance(i, Reject))
    with pytest.raises(InputError, match="no field 'text'"):
        read_sources(sources[1:])


def test_a_file_that_is_gone_when_its_turn_comes_is_told(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_bytes(numbered(2))
    sources = check_sources(sources_of(tmp_path / "*.jsonl"), ReadOptions())
    (tmp_path / "a.jsonl").unlink()
    first, *good = read_sources(sources)
    assert isinstance(first, Reject)
    assert (first.source, first.reason) == (str(tmp_path / "a.jsonl"), "unreadable_input")
    assert first.detail == "No such file or directory; check the path and permissions"
    assert texts(good) == EXPECTED[:2]


@pytest.mark.parametrize("name", ["a.jsonl", "a.txt", "a.parquet", "a"])
def test_a_file_without_permission_is_a_reject(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / name).touch()
    (tmp_path / "good.jsonl").write_bytes(numbered(1))
    real = Path.open

    def refuse(path: Path, *rest: Any, **more: Any) -> Any:
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)

    monkeypatch.setattr(Path, "open", refuse)
    reject, good = read(tmp_path / name, tmp_path / "good.jsonl")
    assert isinstance(reject, Reject)
    assert (reject.reason, "Permission denied" in reject.detail) == ("unreadable_input", True)
    assert texts([good]) == EXPECTED[:1]


def test_a_named_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(zstd(numbered(25))))
    writer.start()
    assert texts(read(pipe)) == EXPECTED
    writer.join()


def test_empty_inputs_give_nothing(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.csv", "c.tsv.gz", "d.jsonl.zst", "e.json", "f.warc"):
        (tmp_path / name).write_bytes(b"")
    said: list[str] = []
    assert read(tmp_path / "*", note=said.append) == []
    assert said == [
        f"{tmp_path / name}: there are no records in it"
        for name in sorted(path.name for path in tmp_path.iterdir())
    ]
    assert rejects(read("-")) == [(1, "empty_text")]


@given(st.lists(st.binary(max_size=40), max_size=12), st.integers(1, 200))
def test_any_block_size_gives_the_same(lines: list[bytes], block_bytes: int) -> None:
    data = b"\n".join([b'{"text": "x"}', *lines])
    for kind in ("jsonl", "json"):
        whole = read("-", stdin=data, input_format=kind)
        assert read("-", stdin=data, block_bytes=block_bytes, input_format=kind) == whole
        assert rejects(whole) == rejects(read("-", stdin=zstd(data), input_format=kind))


def test_the_table_of_readers_is_complete() -> None:
    assert tuple(READERS) == FORMATS
    assert set(SUFFIXES.values()) == set(FORMATS)
    assert COMPRESSIONS == (".gz", ".zst", ".bz2", ".xz")


PAGE = "<html><head></head><body><article><p>{}</p></article></body></html>".format(
    "The ministers met in Tokyo on Monday and agreed on a new command structure. " * 3
)


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a", b'{"text": "x"}\n', "jsonl"),
        ("a", b' \n{"text": "x"}\n', "jsonl"),
        ("a", b'{"text": "x"', "jsonl"),
        ("a", b'{\n  "text": "x"\n}', "json"),
        ("a", b'[\n{"text": "x"}]', "json"),
        ("a", b"[Tokyo] The ministers met.", "txt"),
        ("a", b"{braces} open this text.\nSecond line.", "txt"),
        ("a", b"\xef\xbb\xbf" + PAGE.encode(), "html"),
        ("a", PAGE.encode("utf-16"), "html"),
        ("a.txt", b"<?xml version='1.0'?>\n<!-- > --> \n<!DOCTYPE html>" + PAGE.encode(), "html"),
        ("a.md", b"<body>" + PAGE.encode(), "html"),
        ("a.txt", b"Write <html> at the top of the page.", "txt"),
        ("a.txt", b'{"text": "x"}\n', "txt"),
        ("a.jsonl", b'[{"text": "x"}]', "json"),
        ("a.json", b'{"text": "x"}\n{"text": "y"}', "json"),
        ("a", b"WARC/1.0\r\n", "warc"),
        ("a", b"PAR1", "parquet"),
        ("a.xyz", b"Some text.", "txt"),
        ("a.xyz.gz", b"Some text.", "txt"),
    ],
)  # fmt: skip
def test_name_and_content_say_the_format(
    tmp_path: Path, name: str, data: bytes, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(COMPRESSORS[".gz" if name.endswith(".gz") else ""](data))
    if expected == "parquet":
        with pytest.raises(InputError, match="not a Parquet file, or a damaged one"):
            check_sources(sources_of(path), ReadOptions())
        return
    (source,) = check_sources(sources_of(path), ReadOptions())
    assert source.format == expected


def test_a_format_that_was_named_counts_whatever_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(PAGE)
    assert texts(read(path, input_format="txt")) == [PAGE]


def test_a_folder_of_text_and_tables_and_things_that_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("One.")
    (tmp_path / "b.csv").write_text("id,text\nb,Two.\n")
    (tmp_path / "c.txt").write_bytes(b"%PDF-1.7\n\xff\xfe")
    (tmp_path / "d.txt").write_text("Three.")
    items = read(tmp_path)
    assert texts(items) == ["One.", "Two.", "Three."]
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert (reject.source, reject.reason, reject.detail) == (
        str(tmp_path / "c.txt"),
        "unreadable_input",
        "the PDF document is damaged, or cut off",
    )


def _without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name.split(".")[0] in missing:
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    for name in [*sys.modules, *missing]:
        if name.split(".")[0] in missing:
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(builtins, "__import__", refuse)


def test_a_missing_package_costs_its_files_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zipped = zstd(b"x")
    _without(monkeypatch, "fastwarc", "pyarrow", "backports")
    for name in ("a.html", "c.parquet", "d.warc"):
        (tmp_path / name).write_text(PAGE)
    (tmp_path / "b.txt").write_text("Good.")
    (tmp_path / "e.jsonl.zst").write_bytes(zipped)
    with without_trafilatura(tmp_path / "hidden"):
        items = read(*sorted(tmp_path.glob("?.*")))
    assert texts(items) == ["Good."]
    found = {Path(i.source).name: i.detail for i in items if isinstance(i, Reject)}
    assert {i.reason for i in items if isinstance(i, Reject)} == {"missing_dependency"}
    assert found == {
        "a.html": "reading HTML needs trafilatura. Install it: pip install 'topicml[articles]'",
        "c.parquet": "reading Parquet needs pyarrow. Install it: pip install 'topicml[batch]'",
        "d.warc": "reading WARC needs fastwarc. Install it: pip install 'topicml[articles]'",
        "e.jsonl.zst": "a Zstandard file needs backports.zstd. "
        "Install it: pip install 'topicml[batch]'",
    }
    with pytest.raises(MissingExtraError, match=r"topicml\[batch\]"):
        read(tmp_path / "c.parquet", tmp_path / "e.jsonl.zst")


def test_notes_say_what_was_taken(tmp_path: Path) -> None:
    names = ("a.csv", "b.tsv", "c.jsonl", "d.json", "e.txt")
    (tmp_path / "a.csv").write_text("id;text\n1;x, y\n")
    (tmp_path / "b.tsv").write_text("7\tSome sentence here, and more.\n8\tAnother one.\n")
    (tmp_path / "c.jsonl").write_bytes('{"text": "L’été dernier à Paris."}'.encode("cp1252"))
    (tmp_path / "d.json").write_text("[]")
    (tmp_path / "e.txt").write_bytes("L’été dernier à Paris.".encode("cp1252"))
    said: list[str] = []
    items = read(*(tmp_path / name for name in names), note=said.append)
    assert said == [
        f"{tmp_path / 'a.csv'}: separated by ';', columns id, text",
        f"{tmp_path / 'b.tsv'}: separated by tabs, without a header, columns 1 to 2, "
        "the text in column 2",
        f"{tmp_path / 'c.jsonl'}: read as cp1252",
        f"{tmp_path / 'd.json'}: there are no records in it",
    ]
    assert texts(items)[-1] == texts(items)[-2] == "L’été dernier à Paris."
    assert isinstance(items[-1], Document)
    assert items[-1].encoding == "cp1252"


def test_a_pipe_is_looked_at_and_not_lost() -> None:
    for data in (b"Some text.", PAGE.encode(), numbered(3), b"id,text\na,One.\n"):
        kind = "csv" if data.startswith(b"id") else None
        assert read("-", stdin=data, input_format=kind)
    assert texts(read("-", stdin=b"Some text.")) == ["Some text."]
