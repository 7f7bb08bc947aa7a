import io
import json
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml.io.readers import first_fields, parse_block, read_blocks
from topicml.io.records import Fields, ReadOptions
from topicml.io.selection import Shard
from topicml.io.sources import list_sources

Place = tuple[str, int]


@pytest.fixture
def inputs(tmp_path: Path) -> list[str]:
    """Files of several formats, with blank lines, broken records, and a byte-order mark."""
    rows = [{"id": f"r{n}", "text": f"Bread {n}."} for n in range(40)]
    lines = [json.dumps(row) for row in rows]
    lines[3:3] = ["", "{", '{"id": "no text"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8-sig")
    cells = "".join(f"r{n},Roses {n}.\n" for n in range(30))
    (tmp_path / "b.csv").write_text(f"id,text\n{cells}\n,too,many\n")
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "c.parquet")
    for n in range(12):
        (tmp_path / f"d{n:02}.txt").write_text(f"The fleet sails at {n}.")
    return [str(path) for path in sorted(tmp_path.iterdir())]


def places(inputs: list[str], block_bytes: int = 300, **options: object) -> list[Place]:
    """Return which records are read, those that become rejects included, in order."""
    reading = ReadOptions(**options)  # type: ignore[arg-type]
    sources = list_sources(inputs).sources
    blocks = read_blocks(sources, reading, io.BytesIO(), block_bytes=block_bytes)
    items = (item for block in blocks for item in parse_block(block, reading))
    return [(item.source, item.number) for item in items]


@given(st.integers(1, 6))
def test_shards_are_disjoint_and_whole(count: int) -> None:
    names = [(f"{n % 3}.jsonl", n) for n in range(60)]
    for name in names:
        assert sum(Shard(n + 1, count).holds(*name) for n in range(count)) == 1


def test_every_record_is_in_one_shard_whatever_the_format_and_the_blocks(
    inputs: list[str],
) -> None:
    everything = places(inputs)
    assert len(everything) == 42 + 31 + 40 + 12
    shards = [places(inputs, shard=Shard(n, 3)) for n in (1, 2, 3)]
    assert sorted(chain(*shards)) == sorted(everything)
    assert all(len(shard) > 25 for shard in shards)
    for n, shard in enumerate(shards, start=1):
        assert shard == [place for place in everything if place in {*shard}]
        assert places(inputs, 10**6, shard=Shard(n, 3)) == shard


@pytest.mark.parametrize("limit", [1, 5, 42, 43, 80, 120, 1000])
def test_a_limit_is_the_first_records(inputs: list[str], limit: int) -> None:
    everything = places(inputs)
    assert places(inputs, limit=limit) == everything[:limit]
    parts = [places(inputs, limit=limit, shard=Shard(n, 2)) for n in (1, 2)]
    assert sorted(chain(*parts)) == sorted(everything[:limit])


def test_files_beyond_a_limit_are_not_opened(inputs: list[str]) -> None:
    Path(inputs[-1]).unlink()
    with_gone = [*list_sources(inputs[:1]).sources]
    with_gone.append(with_gone[0]._replace(path=inputs[-1], name="gone"))
    blocks = read_blocks(with_gone, ReadOptions(limit=42), io.BytesIO())
    assert {item.source for block in blocks for item in block.items} == {inputs[0]}


def test_fields_of_the_first_record(inputs: list[str]) -> None:
    for name in inputs[:3]:
        (source,) = list_sources([name]).sources
        assert first_fields(source, ReadOptions()) == ("id", "text")
        assert first_fields(source, ReadOptions(Fields(text="body"))) == ()
    (text,) = list_sources(inputs[3:4]).sources
    assert first_fields(text, ReadOptions()) == ()
