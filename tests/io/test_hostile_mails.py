"""Mails made to hurt: each ends in a record or a reject, in time, and within memory."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mails import HOSTILE, NEWS, hostile_mails, mail, nested
from reading import read, rejects, texts

from topicml.io import child
from topicml.io.readers import parse_block, read_blocks
from topicml.io.records import ReadOptions, Reject
from topicml.io.sources import list_sources
from topicml.text.document import Document

MOST_MEMORY = 500_000_000


@pytest.fixture(autouse=True)
def _no_child_left() -> Iterator[None]:
    yield
    child.close()


def read_all(folder: Path, count: int, most: int, seconds: float) -> list[Document | Reject]:
    """Read hostile mails of a folder as a run does."""
    for number, (kind, data) in enumerate(hostile_mails(count, most)):
        (folder / f"{number:04}-{kind}.eml").write_bytes(data)
    options = ReadOptions(seconds=seconds)
    sources = list_sources([str(folder)]).sources
    found = []
    for block in read_blocks(sources, options, io.BytesIO(), block_bytes=1):
        start = time.monotonic()
        found += list(parse_block(block, options))
        assert time.monotonic() - start < seconds + 30
    return found


def names(items: list[Document | Reject]) -> set[str]:
    return {item.source for item in items}


def test_each_kind_is_answered(tmp_path: Path) -> None:
    items = read_all(tmp_path, len(HOSTILE), 20_000, seconds=20)
    assert names(items) == {str(path) for path in tmp_path.iterdir()}
    assert {item.reason for item in items if isinstance(item, Reject)} <= {
        *("binary", "empty_text", "encrypted", "no_main_text", "unreadable_input", "too_slow"),
        *("too_large", "unsupported_format", "out_of_memory", "wrong_encoding"),
    }
    assert not [i for i in items if isinstance(i, Reject) and "its process ended" in i.detail]


@pytest.mark.soak
@pytest.mark.parametrize("most", [50_000, 15_000_000])
def test_two_hundred_are_answered(tmp_path: Path, most: int) -> None:
    items = read_all(tmp_path, 200, most, seconds=5)
    assert names(items) == {str(path) for path in tmp_path.iterdir()}


def test_mails_inside_mails_to_a_depth(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(nested(20))
    (tmp_path / "b.eml").write_bytes(nested(1000))
    (tmp_path / "c.eml").write_bytes(nested(5000, "multipart/mixed"))
    first, *others = read(tmp_path)
    assert texts([first]) == [f"Allies agree\n\n{NEWS}"]
    assert rejects(others) == [(1, "unreadable_input")] * 2
    assert all("nested too deep" in each.detail for each in others if isinstance(each, Reject))


def test_a_mailbox_of_one_line_of_100_mb_is_read_in_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "a.mbox"
    with path.open("wb") as file:
        file.write(b"From a Mon Jan  1 00:00:00 2024\n" + mail("")[:-1] + b"\n")
        for _ in range(100):
            file.write(b"alliance " * 111_111)
        file.write(b"\n\nFrom b Mon Jan  1 00:00:00 2024\n" + mail())
    options = ReadOptions()
    tracemalloc.start()
    items = []
    for block in read_blocks(list_sources([str(path)]).sources, options, io.BytesIO()):
        items += list(parse_block(block, options))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rejects(items) == [(1, "too_large")]
    assert texts(items) == [f"Allies agree\n\n{NEWS}"]
    assert peak < MOST_MEMORY / 2
