import datetime
import decimal
import gzip
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reading import blocks_of, read, rejects, texts

from topicml.errors import InputError
from topicml.io.records import Fields, ReadOptions, Reject
from topicml.text.document import Document


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dump.parquet"


def write(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


def test_rows_become_records(path: Path) -> None:
    write(path, {"id": ["a", None], "text": ["One.", "Two."], "unread": [1, 2]})
    assert read(path, fields=Fields(keep=("unread",))) == [
        Document("a", "One.", str(path), 1, {"unread": 1}),
        Document(f"{path}:2", "Two.", str(path), 2, {"unread": 2}),
    ]


TEXTS = ["One.", "Zwei äöü.", None, "", "Five."]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.binary(),
        pa.large_binary(),
        pa.dictionary(pa.int32(), pa.string()),
    ],
    ids=str,
)
@pytest.mark.parametrize("block_bytes", [1, 30, 10**6])
def test_all_kinds_of_text_columns(path: Path, kind: pa.DataType, block_bytes: int) -> None:
    values: list[Any] = TEXTS
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        values = [text and text.encode() if text is not None else None for text in TEXTS]
        values[3] = b""
    try:
        write(path, {"text": pa.array(values, kind)}, row_group_size=2)
    except pa.ArrowNotImplementedError:
        pytest.skip("this version of pyarrow writes no such column")
    items = read(path, block_bytes=block_bytes)
    assert texts(items) == ["One.", "Zwei äöü.", "Five."]
    assert rejects(items) == [(3, "missing_text"), (4, "empty_text")]


def test_a_value_that_is_not_utf8_costs_itself_alone(path: Path) -> None:
    bad = pa.Array.from_buffers(
        pa.string(),
        2,
        [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"\xff\xfex")],
    )
    write(path, {"text": bad})
    reject, record = read(path)
    assert isinstance(reject, Reject)
    assert (reject.number, reject.reason, reject.raw) == (1, "invalid_utf8", b"\xff\xfe")
    assert isinstance(record, Document)


UUID = uuid.UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (pa.array([2**63, 1], pa.uint64()), [str(2**63), "1"]),
        (pa.array([7.0, None, 1.5, float("nan"), 1e300]), ["7", None, "1.5", None, "1e+300"]),
        (pa.array([UUID.bytes], pa.binary(16)), [str(UUID)]),
        (pa.array([UUID.bytes, b"\xff\0", b"plain"]), [str(UUID), "ff00", "plain"]),
        (pa.array([decimal.Decimal("12345678901234567890")]), ["12345678901234567890"]),
        (pa.array([{"$oid": "65a1"}]), ["65a1"]),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
def test_ids_of_other_types(path: Path, ids: Any, expected: list[str | None]) -> None:
    write(path, {"text": ["x"] * len(ids), "id": ids})
    found = [item.id for item in read(path) if isinstance(item, Document)]
    assert found == [name or f"{path}:{n}" for n, name in enumerate(expected, start=1)]


def test_ids_that_are_none(path: Path) -> None:
    for ids in ([True], [["a"]], [{"a": "b"}], [datetime.date(2024, 1, 1)]):
        write(path, {"text": ["x"], "id": ids})
        assert rejects(read(path)) == [(1, "wrong_type")]


NESTED = [
    {"meta": {"uid": "a", "lang": {"code": "en"}}, "article": {"head": "H", "body": "One."}},
    {"meta": None, "article": {"head": None, "body": "Two."}},
]


def test_fields_inside_others_are_read_alone(path: Path) -> None:
    columns: dict[str, Any] = {name: [row[name] for row in NESTED] for name in ("meta", "article")}
    write(path, {**columns, "a.b": ["literal", None], "unread": ["x" * 5000] * 2})
    fields = Fields("article.body", "meta.uid", "article.head", ("meta.lang.code", "a.b", "meta"))
    first, second = read(path, fields=fields)
    assert isinstance(first, Document)
    assert (first.id, first.text) == ("a", "H\n\nOne.")
    assert first.kept == {"meta.lang.code": "en", "a.b": "literal", "meta": NESTED[0]["meta"]}
    assert second == Document(f"{path}:2", "Two.", str(path), 2, dict.fromkeys(first.kept))
    (block,) = blocks_of(path, options=ReadOptions(fields))
    assert len(block.items[0].raw) < 5000


def test_text_inside_another_field_that_is_not_utf8_costs_itself_alone(path: Path) -> None:
    offsets = pa.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0")
    bad = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"\xff\xfex")])
    write(path, {"article": pa.StructArray.from_arrays([bad], ["body"])})
    items = read(path, fields=Fields("article.body"))
    assert (rejects(items), texts(items)) == ([(1, "invalid_utf8")], ["x"])


def test_every_column_is_kept(path: Path) -> None:
    write(path, {"id": ["a"], "text": ["One."], "n": [1], "deep": [{"a": "b"}]})
    (record,) = read(path, fields=Fields(keep=("*",)))
    assert isinstance(record, Document)
    assert record.kept == {"n": 1, "deep": {"a": "b"}}


def test_partitions_in_the_path_are_fields(tmp_path: Path) -> None:
    folder = tmp_path / "year=2024" / "outlet=The%20Times" / "month=__HIVE_DEFAULT_PARTITION__"
    folder.mkdir(parents=True)
    path = write(folder / "x.parquet", {"text": ["One."], "year": ["own"]})
    (record,) = read(path, fields=Fields(keep=("year", "outlet", "month")))
    assert isinstance(record, Document)
    assert record.kept == {"year": "own", "outlet": "The Times", "month": None}
    with pytest.raises(InputError, match="no field 'mouth'"):
        read(path, fields=Fields(keep=("mouth",)))


def test_kept_values_can_be_written_as_json(path: Path) -> None:
    import orjson

    day = datetime.datetime(2024, 1, 2, 3, 4, 5)
    columns = {
        "text": ["x"],
        "day": [day.date()],
        "time": pa.array([day], pa.timestamp("ns")),
        "zone": pa.array([day], pa.timestamp("us", "UTC")),
        "price": [decimal.Decimal("1.50")],
        "bytes": [b"\xff"],
        "many": [[1.5, float("nan")]],
        "deep": [{"a": day, "b": [None, True]}],
    }
    write(path, columns)
    (record,) = read(path, fields=Fields(keep=tuple(columns)[1:]))
    assert isinstance(record, Document)
    assert orjson.loads(orjson.dumps(record.kept)) == {
        "day": "2024-01-02",
        "time": "2024-01-02T03:04:05",
        "zone": "2024-01-02T03:04:05+00:00",
        "price": "1.50",
        "bytes": "/w==",
        "many": [1.5, None],
        "deep": {"a": "2024-01-02T03:04:05", "b": [None, True]},
    }


def test_blocks_are_the_same_each_time_and_tell_what_was_read(path: Path) -> None:
    write(path, {"text": [f"text {n}" * 20 for n in range(900)]}, row_group_size=250)
    blocks = blocks_of(path, block_bytes=5000)
    assert blocks == blocks_of(path, block_bytes=5000)
    assert len(blocks) > 10
    assert sum(block.size for block in blocks) == path.stat().st_size
    assert len({block.digest for block in blocks}) == len(blocks)
    assert read(path, block_bytes=5000) == read(path)


def test_repeated_values_do_not_make_blocks_large(path: Path) -> None:
    write(path, {"text": ["a long text " * 1000] * 2000})
    blocks = blocks_of(path, block_bytes=100_000)
    assert max(len(item.raw) for block in blocks for item in block.items) < 400_000
    assert len(texts(read(path, block_bytes=100_000))) == 2000


def test_an_empty_table_is_no_error(path: Path) -> None:
    assert read(write(path, {"text": pa.array([], pa.string())})) == []


def test_a_column_that_is_missing_or_holds_no_text(path: Path) -> None:
    write(path, {"id": ["1"], "body": ["longer text"], "n": [1]})
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value) == (
        f"{path}: no field 'text'. Found: body, id, n. "
        "Name the one with the text: --text-field body"
    )
    with pytest.raises(InputError, match="column 'n' holds int64, not text"):
        read(path, fields=Fields(text="n"))


def test_what_is_no_parquet_is_refused(path: Path) -> None:
    path.write_bytes(b"PAR1 but nothing more")
    with pytest.raises(InputError, match="not a Parquet file"):
        read(path)
    with pytest.raises(InputError, match="Parquet cannot be read from a pipe"):
        read("-", stdin=b"PAR1", input_format="parquet")
    packed = path.with_name("dump.parquet.gz")
    packed.write_bytes(gzip.compress(b"PAR1"))
    with pytest.raises(InputError, match=r"a Parquet file compressed with gzip\. Decompress it"):
        read(packed)


def test_parquet_is_known_by_its_content(tmp_path: Path) -> None:
    path = write(tmp_path / "dump", {"text": ["One."]})
    assert texts(read(path)) == ["One."]


def test_damage_costs_its_row_group_and_is_told(path: Path) -> None:
    write(
        path,
        {"text": [f"text {n}" for n in range(40)]},
        row_group_size=10,
        compression="zstd",
        use_dictionary=False,
    )
    column = pq.ParquetFile(path).metadata.row_group(1).column(0)
    data = bytearray(path.read_bytes())
    for at in range(
        column.data_page_offset, column.data_page_offset + column.total_compressed_size
    ):
        data[at] ^= 0xFF
    path.write_bytes(data)
    items = read(path)
    assert texts(items) == [f"text {n}" for n in range(40) if n // 10 != 1]
    (reject,) = [item for item in items if isinstance(item, Reject)]
    assert (reject.number, reject.reason) == (11, "damaged_input")
    assert "rows 11 to 20" in reject.detail


_MEASURE = """
import io, resource, sys
from topicml.io.readers import read_blocks
from topicml.io.records import ReadOptions
from topicml.io.sources import list_sources

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

small, large = sys.argv[1:]
def blocks(path):
    return read_blocks(list_sources([path]).sources, ReadOptions(), io.BytesIO())

list(blocks(small))
before = peak()
total = sum(len(item.raw) for block in blocks(large) for item in block.items)
print(total // 1_000_000, (peak() - before) // 1024)
"""


def test_a_large_row_group_is_not_held(tmp_path: Path) -> None:
    import random

    words = [f"{random.Random(n).getrandbits(40):x} " * 500 for n in range(9_000)]  # noqa: S311
    small = write(tmp_path / "small.parquet", {"text": ["x"]})
    large = write(tmp_path / "large.parquet", {"text": words}, use_dictionary=False)
    assert pq.ParquetFile(large).num_row_groups == 1
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, small, large], capture_output=True, text=True, check=True
    )
    total, grown = map(int, done.stdout.split())
    assert total > 40
    assert grown < 28
