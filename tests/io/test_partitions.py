import hashlib
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topicml.errors import OutputError
from topicml.io.readers.fields import path_partitions
from topicml.io.writers import parquet, partitions
from topicml.io.writers.output import Output
from topicml.io.writers.partitions import (
    Partitions,
    folder_names,
    is_partition,
    write_partitions,
)

OUTPUT = Output("parquet", "none", "article", (), ("year", "place"), partition_by=("year", "place"))
BY_YEAR = Output("parquet", "none", "article", (), ("year",), partition_by=("year",))


def record(number: int, **kept: Any) -> dict[str, Any]:
    return {"id": f"r{number}", "model": "m", "topics": [], "reason": "no_topic", **kept}


def pieces(values: list[Any], each: int = 10) -> list[bytes]:
    rows = [record(number, year=value) for number, value in enumerate(values)]
    starts = range(0, len(rows), each)
    return [parquet.encode(rows[start : start + each], BY_YEAR) for start in starts]


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def ids(folder: Path) -> dict[Any, list[str]]:
    """Return the ids of each year as pyarrow has them, in the order of files."""
    found: dict[Any, list[str]] = {}
    for path in sorted(folder.rglob("*.parquet")):
        (value,) = path_partitions(str(path.relative_to(folder))).values()
        found.setdefault(value, []).extend(pq.ParquetFile(path).read()["id"].to_pylist())
    return found


@given(st.tuples(st.one_of(st.none(), st.text(min_size=1)), st.text(min_size=1)))
def test_readers_find_the_values_that_were_written(key: tuple[str | None, str]) -> None:
    names = folder_names(["year", "a=b/ü"], key)
    assert not any("/" in name or "\0" in name for name in names)
    assert path_partitions("/".join([*names, "x"])) == dict(
        zip(["year", "a=b/ü"], key, strict=True)
    )


@pytest.mark.parametrize(
    ("value", "name"),
    [
        *(("2024", "year=2024"), (None, "year=__HIVE_DEFAULT_PARTITION__")),
        *(("a/b=c%", "year=a%2Fb%3Dc%25"), ("Zürich 1", "year=Zürich 1"), ("..", "year=..")),
    ],
)
def test_values_are_escaped_as_hive_does(value: str | None, name: str) -> None:
    assert folder_names(["year"], (value,)) == [name]


NONE = "__HIVE_DEFAULT_PARTITION__"


def test_odd_values_come_back_through_arrow(tmp_path: Path) -> None:
    values = [
        "2024",
        None,
        "",
        NONE,
        "a/b",
        "a=b",
        "Zürich 1",
        "..",
        "50%",
        "a\\b",
        "*?\"'[x]",
        "\x01\n",
    ]
    write_partitions(pieces(values * 3), BY_YEAR, tmp_path / "out")
    table = ds.dataset(tmp_path / "out", partitioning=ds.partitioning(flavor="hive")).to_table()
    none = {None, "", NONE}
    expected = {f"r{n}": None if v in none else v for n, v in enumerate(values * 3)}
    found = zip(table["id"].to_pylist(), table["year"].to_pylist(), strict=True)
    assert dict(found) == expected
    assert is_partition(tmp_path / "out" / "year=2024")
    assert all(map(is_partition, (tmp_path / "out").iterdir()))


def test_two_fields_are_folders_in_folders(tmp_path: Path) -> None:
    rows = [record(1, year=2024, place="Oslo"), record(2, year=2024, place=None)]
    write_partitions([parquet.encode(rows, OUTPUT)], OUTPUT, tmp_path / "out")
    assert {*hashes(tmp_path / "out")} == {
        "year=2024/place=Oslo/part-00000.parquet",
        "year=2024/place=__HIVE_DEFAULT_PARTITION__/part-00000.parquet",
    }


def test_few_files_are_open_and_rows_keep_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "_HELD", 1000)
    monkeypatch.setattr(partitions, "_MOST_OPEN", 3)
    values = [str(number * 7 % 5) for number in range(300)]
    for name in ("a", "b"):
        write_partitions(pieces(values), BY_YEAR, tmp_path / name)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert len(hashes(tmp_path / "a")) > 5
    assert ids(tmp_path / "a") == {
        str(year): [f"r{n}" for n, value in enumerate(values) if value == str(year)]
        for year in range(5)
    }


def test_without_records_there_is_a_file_that_says_which_columns(tmp_path: Path) -> None:
    write_partitions([], BY_YEAR, tmp_path / "out")
    (path,) = (tmp_path / "out").iterdir()
    table = pq.read_table(path)
    assert (path.name, table.num_rows) == ("part-00000.parquet", 0)
    assert "year" in table.column_names


def test_too_many_partitions_and_too_long_values_are_refused(tmp_path: Path) -> None:
    found = Partitions(BY_YEAR, tmp_path)
    for piece in pieces([*map(str, range(1000))], 100):
        found.add(piece)
    with pytest.raises(OutputError, match="more than 1,000 partitions, by year"):
        found.add(pieces(["one more"])[0])
    with pytest.raises(OutputError, match="too long"):
        Partitions(BY_YEAR, tmp_path).add(pieces(["ü" * 126])[0])


def test_other_files_in_a_folder_are_not_its_own(tmp_path: Path) -> None:
    for name in ("year=1/x.txt", "letters/part-1.parquet", "year=1/year/part-1.parquet"):
        path = tmp_path / str(len([*tmp_path.iterdir()])) / name
        path.parent.mkdir(parents=True)
        path.touch()
    assert not any(is_partition(path) for each in tmp_path.iterdir() for path in each.iterdir())
