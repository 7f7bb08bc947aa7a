import io
import os
import random
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import COMPRESSORS, blocks_of, jsonl, numbered, read, rejects, texts, zstd

from topicml.errors import InputError
from topicml.io.records import Fields, Reject
from topicml.io.sources import check_fields, list_sources, read_blocks

EXPECTED = [f"Text {n}." for n in range(25)]


def table(delimiter: str) -> bytes:
    rows = [f"a{n}{delimiter}Text {n}." for n in range(25)]
    return "\n".join([f"id{delimiter}text", *rows]).encode()


CONTENT = {
    ".jsonl": numbered(25),
    ".ndjson": numbered(25),
    ".csv": table(","),
    ".tsv": table("\t"),
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
@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv"])
def test_standard_input_may_be_compressed(compressed: str, kind: str) -> None:
    data = COMPRESSORS[compressed](CONTENT[f".{kind}"])
    assert texts(read("-", stdin=data, input_format=kind)) == EXPECTED
    if kind == "jsonl":
        assert texts(read("-", stdin=data)) == EXPECTED


@pytest.mark.parametrize("compressed", [".gz", ".zst"])
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
    short.write_bytes(COMPRESSORS[compressed](data)[:-2000])
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


def test_inputs_are_read_in_order_and_globs_by_name(tmp_path: Path) -> None:
    for name in ("part-2.jsonl", "part-1.jsonl", "other.jsonl", "deep/part-3.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(jsonl({"text": name}))
    names = texts(
        read(
            tmp_path / "**/part-*.jsonl", "-", tmp_path / "other.jsonl", stdin=jsonl({"text": "in"})
        )
    )
    assert names == ["deep/part-3.jsonl", "part-1.jsonl", "part-2.jsonl", "in", "other.jsonl"]


def test_a_file_whose_name_looks_like_a_glob(tmp_path: Path) -> None:
    path = tmp_path / "a[1].jsonl"
    path.write_bytes(numbered(1))
    assert texts(read(path)) == EXPECTED[:1]


def test_a_folder_gives_its_texts_and_pages(tmp_path: Path) -> None:
    for name in (
        "b.txt",
        "a/z.md",
        "a-b.text",
        "a/y.txt.gz",
        "data.jsonl",
        ".hidden.txt",
        ".git/x.txt",
        "x.py",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(COMPRESSORS[".gz" if name.endswith(".gz") else ""](b"Some text."))
    expected = ["a/y.txt.gz", "a/z.md", "a-b.text", "b.txt"]
    assert [s.path for s in list_sources([str(tmp_path)])] == [str(tmp_path / n) for n in expected]
    assert texts(read(tmp_path)) == ["Some text."] * 4


def test_a_format_can_be_named(tmp_path: Path) -> None:
    path = tmp_path / "dump.dat"
    path.write_bytes(numbered(25))
    assert texts(read(path, input_format="jsonl")) == EXPECTED
    assert texts(read(path, input_format="txt")) == [numbered(25).decode()]


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl: no such file or folder"),
        (["*.nothing"], "*.nothing: no file matches this"),
        (["-", "-"], "standard input (-) is named twice"),
        (["x" * 5000], "no such file"),
        (["a\0b"], "no such file"),
        (["file.xyz"], "file.xyz: a format that is not read. Read are .jsonl, .ndjson, .csv"),
        (["file.parquet.gz"], "a format that is not read"),
        (["folder"], 'folder: no text or HTML files in this folder. Files ending in .htm, .html, '
         '.md, .text, .txt are read. Dumps are named by a glob: "folder/**/*.jsonl*"'),
        (["empty"], "no text or HTML files in this folder"),
    ],
)  # fmt: skip
def test_inputs_that_cannot_be_read_are_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("file.xyz", "file.parquet.gz", "folder/a.jsonl.gz"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(b"")
    Path("empty").mkdir()
    with pytest.raises(InputError) as error:
        read_blocks(inputs, Fields(), io.BytesIO())
    assert said in str(error.value)
    assert error.value.hint


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(InputError, match=r"unknown input format 'xml'.*jsonl"):
        list_sources(["-"], "xml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.touch(0)
    with pytest.raises(InputError, match="Permission denied"):
        check_fields([str(path)], Fields())


def test_a_later_input_without_the_field_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(numbered(3))
    (tmp_path / "b.jsonl").write_bytes(jsonl({"body": "x"}))
    with pytest.raises(InputError, match=r"b\.jsonl:1: no field 'text'"):
        read_blocks([str(tmp_path / "*.jsonl")], Fields(), io.BytesIO())


def test_a_file_that_is_gone_when_its_turn_comes_is_told(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / name).write_bytes(numbered(2))
    blocks = read_blocks([str(tmp_path / "*.jsonl")], Fields(), io.BytesIO())
    (tmp_path / "a.jsonl").unlink()
    kinds = [(block.source[-7:], block.kind) for block in blocks]
    assert kinds == [("a.jsonl", "rejects"), ("b.jsonl", "jsonl")]


def test_a_named_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(zstd(numbered(25))))
    writer.start()
    assert texts(read(pipe)) == EXPECTED
    writer.join()


def test_empty_inputs_give_nothing(tmp_path: Path) -> None:
    for name in ("a.jsonl", "b.csv", "c.tsv.gz", "d.jsonl.zst"):
        (tmp_path / name).write_bytes(b"")
    assert read(tmp_path / "*") == []
    assert read("-") == []


@given(st.lists(st.binary(max_size=40), max_size=12), st.integers(1, 200))
def test_any_block_size_gives_the_same(lines: list[bytes], block_bytes: int) -> None:
    data = b"\n".join([b'{"text": "x"}', *lines])
    assert read("-", stdin=data, block_bytes=block_bytes) == read("-", stdin=data)
    assert rejects(read("-", stdin=data)) == rejects(read("-", stdin=zstd(data)))
