"""One machine, Ray and Spark say the same of the same dump. Run by `make check-engines`."""

from __future__ import annotations

import json
import os
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from reporters import Recorder
from spark_programs import blocks, submit

from topicml.batch import Fields
from topicml.batch.engines import ray as ray_engine
from topicml.batch.job import Job
from topicml.batch.run import run_batch
from topicml.batch.worker import StrictError
from topicml.errors import InputError
from topicml.models.store import default_store

ROOT = Path(__file__).resolve().parents[2]
KEEP = ("outlet",)
BAD = {"none": None, "empty": "", "blank": " \n ", "binary": "\0\1\2" * 50}
REASONS = Counter(missing_text=1, empty_text=2, binary=1)


def rows() -> list[dict[str, Any]]:
    """Articles made of the repository's own, some of them such as cannot be tagged."""
    files = sorted((ROOT / "data" / "raw").glob("*.txt"))
    paragraphs = [p for f in files for p in f.read_text("utf-8").split("\n") if len(p) > 60]
    draw = random.Random(7)  # noqa: S311
    articles = [
        {"id": f"a{n:04}", "text": "\n\n".join(draw.sample(paragraphs, 4)), "outlet": "Länder, 国"}
        for n in range(600)
    ]
    short = [{"id": "short", "text": "Talks.", "outlet": None}]
    bad = [{"id": key, "text": text, "outlet": f"of {key}"} for key, text in BAD.items()]
    made = articles + short + bad
    draw.shuffle(made)
    return made


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same records as Parquet and as JSON Lines, the latter in two files."""
    folder = tmp_path_factory.mktemp("dump")
    records = rows()
    parquet.write_table(pa.Table.from_pylist(records), folder / "in.parquet", row_group_size=150)
    lines = [json.dumps(record, ensure_ascii=False).encode() for record in records]
    lines[100:100] = [b'{"id": "cut', b"[1, 2]", b"", b'{"id": "latin", "text": "\xe9t\xe9"}']
    (folder / "in-1.jsonl").write_bytes(b"\n".join(lines[:400]) + b"\n")
    (folder / "in-2.jsonl").write_bytes(b"\n".join(lines[400:]))
    return folder


def job(source: Path, output: Path, **options: Any) -> Job:
    fields = Fields(keep=KEEP)
    return Job((str(source),), str(output), default_store().find(), fields, **options)


@pytest.fixture(scope="module")
def local(dump: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What one machine makes of the two."""
    folder = tmp_path_factory.mktemp("local")
    made = {"parquet": folder / "out.parquet", "jsonl": folder / "out.jsonl"}
    for source, name in (("in.parquet", "parquet"), ("in-*.jsonl", "jsonl")):
        run_batch(job(dump / source, made[name]), sys.stdin.buffer, sys.stdout.buffer, Recorder())
    return made


@pytest.mark.parametrize("address", ["127.0.0.1:1", "ray://127.0.0.1:1", "auto"])
def test_a_cluster_that_is_not_there_is_an_error_at_once(
    dump: Path, tmp_path: Path, address: str
) -> None:
    with pytest.raises(InputError, match="no Ray cluster can be reached") as caught:
        ray_engine.run_ray(job(dump / "in.parquet", tmp_path / "out.parquet"), Recorder(), address)
    assert caught.value.where == address
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A Ray of two workers."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little input a part that there are several."""
    monkeypatch.setattr(ray_engine, "SHARD_BYTES", 200_000)


def table(path: Path) -> list[dict[str, Any]]:
    """All records of a Parquet file, or of a folder of them, by id."""
    return sorted(parquet.read_table(path).to_pylist(), key=lambda row: row["id"])


def rejects(output: Path) -> Path:
    return output.with_name(output.name + ".rejects.jsonl")


def test_one_machine_has_something_to_compare_with(local: dict[str, Path]) -> None:
    records = table(local["parquet"])
    assert len(records) == 601
    assert sum(bool(record["topics"]) for record in records) > 500
    found = [json.loads(line) for line in rejects(local["parquet"]).read_text().splitlines()]
    assert Counter(reject["reason"] for reject in found) == REASONS


@pytest.mark.usefixtures("cluster", "small_shards")
def test_ray_says_the_same_of_parquet(dump: Path, local: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    told = Recorder()
    summary = ray_engine.run_ray(job(dump / "in.parquet", output, block_bytes=60_000), told)
    assert len(list(output.iterdir())) == len(told.steps) > 2
    assert parquet.read_schema(next(output.iterdir())) == parquet.read_schema(local["parquet"])
    assert table(output) == table(local["parquet"])
    assert rejects(output).read_bytes() == rejects(local["parquet"]).read_bytes()
    before = json.loads(Path(f"{local['parquet']}.summary.json").read_text())
    assert summary == json.loads(Path(f"{output}.summary.json").read_text())
    timed = {"output", "ended", "seconds", "megabytes_per_second"}
    assert {k: v for k, v in summary.items() if k not in timed} == {
        k: v for k, v in before.items() if k not in timed
    }
    assert told.steps[-1].bytes_read == told.steps[-1].total_bytes
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "out.parquet",
        "out.parquet.rejects.jsonl",
        "out.parquet.summary.json",
    ]


@pytest.mark.usefixtures("cluster", "small_shards")
def test_ray_says_the_same_of_json_lines_byte_by_byte(
    dump: Path, local: dict[str, Path], tmp_path: Path
) -> None:
    output = tmp_path / "out.jsonl"
    ray_engine.run_ray(job(dump / "in-*.jsonl", output, block_bytes=60_000), Recorder())
    parts = sorted(output.iterdir())
    assert len(parts) > 2
    assert b"".join(part.read_bytes() for part in parts) == local["jsonl"].read_bytes()
    assert rejects(output).read_bytes() == rejects(local["jsonl"]).read_bytes()
    with pytest.raises(InputError, match="exists already"):
        ray_engine.run_ray(job(dump / "in-*.jsonl", output), Recorder())
    ray_engine.run_ray(job(dump / "in-1.jsonl", output, force=True), Recorder())
    assert output.joinpath(parts[0].name).exists()
    assert sum(len(part.read_bytes()) for part in output.iterdir()) < local["jsonl"].stat().st_size


@pytest.mark.usefixtures("cluster")
def test_an_expected_error_comes_out_of_ray_as_it_is(dump: Path, tmp_path: Path) -> None:
    with pytest.raises(StrictError, match=r"in-1\.jsonl:"):
        ray_engine.run_ray(
            job(dump / "in-1.jsonl", tmp_path / "out.jsonl", strict=True), Recorder()
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("cluster")
def test_no_records_are_an_output_too(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b"\n")
    summary = ray_engine.run_ray(job(tmp_path / "in.jsonl", tmp_path / "out.parquet"), Recorder())
    assert summary["records"] == 0
    assert parquet.read_table(tmp_path / "out.parquet").num_rows == 0


@pytest.mark.usefixtures("cluster")
def test_the_documented_way_with_ray_data_says_the_same(
    dump: Path, local: dict[str, Path], tmp_path: Path
) -> None:
    (code,) = blocks("clusters.md")
    code = code.replace("s3://bucket/articles", str(dump / "in.parquet"))
    exec(code.replace("s3://bucket/tags", str(tmp_path / "tags")), {})  # noqa: S102
    compare(tmp_path / "tags", local["parquet"], keep=())


def test_the_documented_spark_program_says_the_same(
    dump: Path, local: dict[str, Path], tmp_path: Path
) -> None:
    done = submit(tmp_path, dump / "in.parquet", tmp_path / "tags")
    for outcome, count in {"tagged": 601, **REASONS}.items():
        assert re.search(rf"\|{outcome} *\|{count} *\|", done.stdout), done.stdout
    compare(tmp_path / "tags", local["parquet"], keep=KEEP)


def compare(tagged: Path, local: Path, keep: tuple[str, ...]) -> None:
    """A row for each row: those without an error as on one machine, the others with its reason."""
    found = table(tagged)
    errors = {row["id"]: row.pop("error") for row in found}
    assert rounded([row for row in found if errors[row["id"]] is None]) == rounded(
        [
            {name: row[name] for name in row if name not in KEEP or name in keep}
            for row in table(local)
        ]
    )
    rejected = [row for row in found if errors[row["id"]] is not None]
    assert {row["id"] for row in rejected} == BAD.keys()
    assert all(row["topics"] is row["reason"] is row["sentences"] is None for row in rejected)
    assert all(row["outlet"] == f"of {row['id']}" for row in rejected if keep)
    said = [json.loads(line) for line in rejects(local).read_text().splitlines()]
    assert sorted(filter(None, errors.values())) == sorted(
        f"{reject['reason']}: {reject['detail']}" for reject in said
    )


def rounded(value: Any) -> Any:
    """What scores may be another backend, which agrees to rounding."""
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value
