from __future__ import annotations

import os
from pathlib import Path

import pytest

from topicml.batch.shards import Shards
from topicml.errors import InputError, OutputError, TopicmlError
from topicml.io.writers.output import Output
from topicml.io.writers.writer import Writer

JSONL = Writer(Output("jsonl", "none", "sentence", ("baking",)))


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    return Shards(tmp_path / "out.jsonl", tmp_path / "out.rejects.jsonl")


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_shards_are_a_folder_once_all_is_done(shards: Shards, tmp_path: Path) -> None:
    shards.start(force=False)
    shards.write("2", [b"c\n"], b"r2\n", JSONL)
    shards.write("1", [b"a\n", b"", b"b\n"], b"r1\n", JSONL)
    shards.write("1", [b"a\n", b"b\n"], b"r1\n", JSONL)  # done again
    shards.write("3", [b""], b"", JSONL)
    assert not shards.output.exists()
    shards.finish(["1", "2"], ["1", "2"], JSONL)
    assert files(tmp_path) == {
        "out.jsonl/part-1.jsonl": b"a\nb\n",
        "out.jsonl/part-2.jsonl": b"c\n",
        "out.rejects.jsonl": b"r1\nr2\n",
    }


def test_shards_that_are_not_seen_here_are_missed(shards: Shards) -> None:
    shards.start(force=False)
    shards.write("1", [b"a\n"], b"", JSONL)
    with pytest.raises(OutputError, match="1 of 2 shards"):
        shards.finish(["1", "2"], [], JSONL)
    with pytest.raises(OutputError, match="file system that all machines"):
        shards.finish(["1"], ["1"], JSONL)


def test_shards_cannot_be_written_without_their_folder(shards: Shards) -> None:
    with pytest.raises(OutputError, match="all machines of the cluster must see it"):
        shards.write("1", [b"a\n"], b"", JSONL)


def test_what_is_there_is_replaced_only_by_force(shards: Shards, tmp_path: Path) -> None:
    for made in (b"a\n", b"b\n"):
        shards.start(force=made == b"b\n")
        shards.write("1", [made], b"r" if made == b"a\n" else b"", JSONL)
        with pytest.raises(InputError, match=r"another run|exists already"):
            shards.start(force=False)
        shards.finish(["1"], ["1"] if made == b"a\n" else [], JSONL)
    assert files(tmp_path) == {"out.jsonl/part-1.jsonl": b"b\n"}
    (shards.output / "notes.txt").touch()
    with pytest.raises(InputError, match="other files than shards"):
        shards.start(force=True)
    assert (shards.output / "notes.txt").exists()


def test_no_shards_take_the_place_of_what_is_used(shards: Shards, tmp_path: Path) -> None:
    work = tmp_path / "out.jsonl.part"
    for folder in (shards.output, work):
        precious = folder / "part-1.jsonl"
        folder.mkdir()
        precious.write_text("precious")
        said = "lies in" if folder is shards.output else "other files than shards"
        with pytest.raises(TopicmlError, match=said):
            shards.start([precious], force=True)
        assert precious.read_text() == "precious"
        precious.unlink()
        folder.rmdir()
    with pytest.raises(OutputError, match="lies in"):
        Shards(shards.output, shards.output / "rejects").start(force=True)


def test_pipes_are_not_replaced_by_shards_nor_removed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jsonl"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="is a device"):
        Shards(pipe, tmp_path / "rejects").start(force=True)
    shards = Shards(tmp_path / "out.jsonl", pipe)
    shards.start(force=True)
    shards.finish([], [], JSONL)
    assert pipe.is_fifo()


def test_no_shards_are_an_empty_one(shards: Shards, tmp_path: Path) -> None:
    shards.start(force=False)
    shards.finish([], [], JSONL)
    assert files(tmp_path) == {"out.jsonl/part-0.jsonl": b""}
