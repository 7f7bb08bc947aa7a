"""Batch runs whose output is a folder of partitions."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, Tiny, assert_clean_failure
from reporters import Recorder, Stopper

from topicml.batch.job import Job
from topicml.batch.run import run_batch
from topicml.errors import InputError, OutputError
from topicml.io.records import Fields


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "dump.jsonl"
    years = [2022, 2023, None, "a/b"]
    lines = (
        {"id": f"r{n}", "text": f"Bread is baked in the oven {n}.", "year": years[n % 4]}
        for n in range(200)
    )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def job(dump: Path, tiny: Tiny, **options: Any) -> Job:
    output = str(dump.with_name("out.parquet"))
    usual = {"fields": Fields(keep=("year",)), "partition_by": ("year",), "block_bytes": 2000}
    return Job((str(dump),), output, tiny.folder, **{**usual, **options})


def run_here(made: Job) -> dict[str, Any]:
    return run_batch(made, BytesIO(), BytesIO(), Recorder())


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_folder_of_partitions_the_same_for_any_number_of_jobs(
    run: Run, tiny: Tiny, dump: Path
) -> None:
    out = dump.with_name("out.parquet")
    command = ("batch", dump, "-o", out, "--partition-by", "year", "--jobs", "2")
    result = run(*command, "--models-dir", tiny.store.root)
    assert result.code == 0, result.stderr
    made = files(out)
    assert {*made} == {
        f"year={value}/part-00000.parquet"
        for value in ("2022", "2023", "__HIVE_DEFAULT_PARTITION__", "a%2Fb")
    }
    assert {path.name for path in dump.parent.iterdir()} == {
        *("dump.jsonl", "out.parquet", "out.parquet.summary.json")
    }
    assert_clean_failure(run(*command, "--models-dir", tiny.store.root), "exists already")
    again = run("batch", out, "-o", "-", "--text-field", "model", "--keep", "year")
    assert sorted({str(record["year"]) for record in again.records()}) == [
        *("2022", "2023", "None", "a/b")
    ]
    run_here(job(dump, tiny, force=True, block_bytes=2_000_000))
    assert files(out) == made


def test_a_stopped_run_goes_on_and_one_that_was_writing_its_folder_writes_it_anew(
    tiny: Tiny, dump: Path
) -> None:
    out = dump.with_name("out.parquet")
    run_here(job(dump, tiny))
    whole = files(out)
    for path in sorted(out.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    out.rmdir()
    dump.with_name("out.parquet.summary.json").unlink()
    with pytest.raises(KeyboardInterrupt):
        run_batch(job(dump, tiny), BytesIO(), BytesIO(), Stopper(3))
    assert not out.exists()
    half = dump.with_name("out.parquet.made") / "year=2022"
    half.mkdir(parents=True)
    (half / "part-00000.parquet").write_bytes(b"half")
    run_here(job(dump, tiny))
    assert files(out) == whole
    assert not half.parent.exists()


def test_a_folder_with_other_files_is_never_replaced(tiny: Tiny, dump: Path) -> None:
    out = dump.with_name("out.parquet")
    run_here(job(dump, tiny))
    (out / "year=2022" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="other files than shards"):
        run_here(job(dump, tiny, force=True))
    assert (out / "year=2022" / "notes.txt").read_text() == "mine"


def test_an_input_in_the_folder_is_not_lost(tiny: Tiny, dump: Path) -> None:
    out = dump.with_name("out.parquet")
    (out / "year=1").mkdir(parents=True)
    inside = dump.rename(out / "year=1" / "part-1.parquet")
    with pytest.raises(OutputError, match="which is written"):
        run_here(
            Job(
                (str(inside),),
                str(out),
                tiny.folder,
                Fields(keep=("year",)),
                partition_by=("year",),
                force=True,
                input_format="jsonl",
            )
        )
    assert inside.exists()


def test_too_many_partitions_end_the_run_before_it_is_long(tiny: Tiny, tmp_path: Path) -> None:
    dump = tmp_path / "dump.jsonl"
    lines = (json.dumps({"text": "Bread is baked.", "day": n}) + "\n" for n in range(1500))
    dump.write_text("".join(lines))
    given = Job(
        *((str(dump),), str(tmp_path / "o.parquet"), tiny.folder, Fields(keep=("day",))),
        partition_by=("day",),
        block_bytes=2000,
    )
    with pytest.raises(OutputError, match="more than 1,000 partitions"):
        run_here(given)


@pytest.mark.parametrize("output", ["out.jsonl", "-", "s3://bucket/out.parquet"])
def test_only_a_folder_of_parquet_has_partitions(tiny: Tiny, dump: Path, output: str) -> None:
    given = Job((str(dump),), output, tiny.folder, Fields(keep=("year",)), partition_by=("year",))
    with pytest.raises(OutputError, match="cannot be a folder of partitions"):
        run_here(given)


def test_a_field_that_is_nowhere_is_said(tiny: Tiny, dump: Path) -> None:
    with pytest.raises(InputError, match="no field 'yaer'"):
        run_here(job(dump, tiny, fields=Fields(keep=("yaer",)), partition_by=("yaer",)))
    with pytest.raises(InputError, match="no fields to make folders by"):
        run_here(job(dump, tiny, fields=Fields(keep=("*",)), partition_by=("*",)))
