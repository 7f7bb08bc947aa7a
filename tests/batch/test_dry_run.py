import io
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Tiny
from dumps import write_dump
from reporters import Recorder, Stopper

from topicml.batch.dry_run import plan_batch
from topicml.batch.job import Job
from topicml.batch.run import run_batch
from topicml.errors import InputError, OutputError
from topicml.io.records import Fields


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return write_dump(tmp_path / "dump.jsonl", 60)


def job(tiny: Tiny, dump: Path, output: Path | str, **options: Any) -> Job:
    return Job((str(dump),), str(output), tiny.folder, block_bytes=2_000, **options)


def test_it_says_what_would_be_read_and_written(tiny: Tiny, dump: Path, tmp_path: Path) -> None:
    plan = plan_batch(job(tiny, dump, tmp_path / "out.csv.gz"), Recorder())
    size = dump.stat().st_size
    assert plan["files"] == [{"name": str(dump), "bytes": size, "reader": "jsonl"}]
    assert (plan["bytes"], plan["readers"]) == (size, {"jsonl": 1})
    assert plan["fields"] == ["id", "text", "n"]
    assert (plan["format"], plan["compression"]) == ("csv", "gzip")
    assert plan["rejects"] == str(tmp_path / "out.csv.gz.rejects.jsonl")
    assert plan["summary"] == str(tmp_path / "out.csv.gz.summary.json")
    assert plan["done"] is None
    assert json.dumps(plan)
    assert [path.name for path in tmp_path.iterdir()] == ["dump.jsonl"]


def test_fields_inside_others_are_said_as_they_are_named(tiny: Tiny, tmp_path: Path) -> None:
    dump = tmp_path / "dump.json"
    dump.write_text('[{"meta": {"lang": "en"}, "text": "Bread."}]')
    plan = plan_batch(job(tiny, dump, "-", fields=Fields(keep=("meta.lang",))), Recorder())
    assert plan["fields"] == ["meta", "meta.lang", "text"]


def test_standard_input_is_left_alone(tiny: Tiny) -> None:
    plan = plan_batch(Job(("-",), "-", tiny.folder), Recorder())
    assert plan["files"] == [{"name": "<stdin>", "bytes": None, "reader": "by content"}]
    assert (plan["bytes"], plan["rejects"], plan["summary"]) == (None, None, None)


def test_it_says_whether_a_run_would_go_on(tiny: Tiny, dump: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    stopper = Stopper(3)
    with pytest.raises(KeyboardInterrupt):
        run_batch(job(tiny, dump, out), io.BytesIO(), io.BytesIO(), stopper)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    last = stopper.steps[-1]
    plan = plan_batch(job(tiny, dump, out), Recorder())
    assert plan["done"] == {"records": last.counts.read, "bytes": last.bytes_read}
    assert plan_batch(job(tiny, dump, out, force=True), Recorder())["done"] is None
    with pytest.raises(InputError, match="limit was null and is 5"):
        plan_batch(job(tiny, dump, out, limit=5), Recorder())
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_what_would_keep_the_run_from_starting_is_said(
    tiny: Tiny, dump: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    out.touch()
    with pytest.raises(OutputError, match="exists already"):
        plan_batch(job(tiny, dump, out), Recorder())
    with pytest.raises(InputError, match="Did you mean 'baking'"):
        plan_batch(job(tiny, dump, "-", topics=("bakin",)), Recorder())
