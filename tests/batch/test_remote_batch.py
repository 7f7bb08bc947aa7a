"""Batch runs from and to addresses, by the real command."""

import gzip
import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, Tiny, assert_clean_failure
from dumps import write_dump
from objects import Storage, serving_bucket, serving_folder
from reporters import Recorder

from topicml.batch.job import Job
from topicml.batch.run import run_batch
from topicml.errors import InputError, OutputError, RemoteError


@pytest.fixture(scope="module")
def news(storage: Storage, tmp_path_factory: pytest.TempPathFactory) -> Storage:
    dump = write_dump(tmp_path_factory.mktemp("news") / "dump.jsonl", 60).read_bytes()
    storage.make_bucket("news")
    storage.put("news", "2024/a.jsonl.gz", gzip.compress(dump))
    storage.put("news", "2024/b.jsonl", dump.replace(b'"r', b'"s') + b"{\n")
    return storage


def run_here(tiny: Tiny, folder: Path, *inputs: str, output: str, **options: Any) -> dict[str, Any]:
    job = Job(inputs, output, tiny.folder, work=folder, **options)
    return run_batch(job, BytesIO(), BytesIO(), Recorder())


def test_from_a_prefix_to_objects(run: Run, tiny: Tiny, news: Storage, tmp_path: Path) -> None:
    command = ("batch", "s3://news/2024", "-o", "s3://news/out/tags.jsonl.gz", "--work", tmp_path)
    result = run(*command, "--models-dir", tiny.store.root, "--jobs", "2")
    assert result.code == 3, result.stderr
    assert "TESTING" not in result.stderr
    assert not [*tmp_path.iterdir()]
    assert [key for key in news.keys("news") if key.startswith("out/")] == [
        f"out/tags.jsonl.gz{suffix}" for suffix in ("", ".rejects.jsonl", ".summary.json")
    ]
    for key in ("a.jsonl.gz", "b.jsonl"):
        (tmp_path / key).write_bytes(news.get("news", f"2024/{key}"))
    run_here(tiny, tmp_path, str(tmp_path), output=str(tmp_path / "here.jsonl.gz"))
    assert news.get("news", "out/tags.jsonl.gz") == (tmp_path / "here.jsonl.gz").read_bytes()
    (reject,) = news.get("news", "out/tags.jsonl.gz.rejects.jsonl").splitlines()
    assert json.loads(reject)["source"] == "s3://news/2024/b.jsonl"
    summary = json.loads(news.get("news", "out/tags.jsonl.gz.summary.json"))
    assert (summary["output"], summary["written"]) == ("s3://news/out/tags.jsonl.gz", 120)


def test_an_object_is_there_when_it_is_whole_and_an_upload_is_made_up_for(
    run: Run, tiny: Tiny, storage: Storage, tmp_path: Path
) -> None:
    storage.make_bucket("going")
    dump = write_dump(tmp_path / "dump.jsonl", 40).read_bytes()
    command = ("batch", "-", "-o", "s3://going/tags.jsonl", "--models-dir", str(tiny.store.root))
    work = tmp_path / "work"
    work.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "topicml", *command, "--quiet"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=work,
        env={**os.environ, **storage.env},
    )
    assert process.stdin
    process.stdin.write(dump * 8)
    process.stdin.flush()  # more than a pipe holds: it has begun
    assert storage.keys("going") == []
    storage.client.delete_bucket(Bucket="going")
    said = process.communicate()[1].decode()
    assert (process.returncode, said.count("\n")) == (1, 1), said
    assert "s3://going/tags.jsonl: no such object or bucket. It is kept in" in said
    storage.make_bucket("going")
    result = run(*command, stdin=dump * 8, cwd=work)
    assert result.code == 0, result.stderr
    assert "are done" in result.stderr
    assert storage.get("going", "tags.jsonl").count(b"\n") == 40 * 8
    assert storage.keys("going") == ["tags.jsonl", "tags.jsonl.summary.json"]
    assert not [*work.iterdir()]


def test_an_input_that_changed_is_noticed_by_its_etag(
    tiny: Tiny, news: Storage, tmp_path: Path
) -> None:
    news.make_bucket("changing")
    data = news.get("news", "2024/b.jsonl")
    news.put("changing", "a.jsonl", data)
    options: dict[str, Any] = {"output": "s3://changing/out.jsonl", "strict": True}
    with pytest.raises(Exception, match="broken_json"):
        run_here(tiny, tmp_path, "s3://changing/a.jsonl", **options)
    assert len([*tmp_path.iterdir()]) == 3
    news.put("changing", "a.jsonl", data.replace(b"Bread", b"Broad"))
    with pytest.raises(InputError, match="another one: inputs was"):
        run_here(tiny, tmp_path, "s3://changing/a.jsonl", output="s3://changing/out.jsonl")
    assert news.keys("changing") == ["a.jsonl"]


def test_nothing_in_a_bucket_is_lost(tiny: Tiny, news: Storage, tmp_path: Path) -> None:
    news.make_bucket("full")
    dump = news.get("news", "2024/a.jsonl.gz")
    news.put("full", "in.jsonl.gz", dump)
    for key in ("out.jsonl", "more.jsonl.rejects.jsonl"):
        news.put("full", key, b"old")
    given = "s3://full/in.jsonl.gz"
    with pytest.raises(OutputError, match="is one of the inputs"):
        run_here(tiny, tmp_path, given, output=given, force=True)
    for name in ("out.jsonl", "more.jsonl"):
        with pytest.raises(OutputError, match="exists already"):
            run_here(tiny, tmp_path, given, output=f"s3://full/{name}")
    assert news.get("full", "out.jsonl") == b"old"
    run_here(tiny, tmp_path, given, output="s3://full/more.jsonl", force=True)
    assert "more.jsonl.rejects.jsonl" not in news.keys("full")  # for there are none
    assert news.get("full", "more.jsonl").count(b"\n") == 60


def test_from_a_web_server_and_its_secret_is_kept(run: Run, tiny: Tiny, tmp_path: Path) -> None:
    dump = write_dump(tmp_path / "dump.jsonl", 40)
    (tmp_path / "dump.jsonl.gz").write_bytes(gzip.compress(dump.read_bytes()))
    with serving_folder(tmp_path) as address:
        given = f"{address}/dump.jsonl.gz?signature=SECRET"
        out = tmp_path / "out.jsonl"
        result = run("batch", given, "-o", out, "--models-dir", tiny.store.root)
    assert result.code == 0, result.stderr
    assert out.read_bytes().count(b"\n") == 40
    summary = (tmp_path / "out.jsonl.summary.json").read_text()
    assert json.loads(summary)["inputs"] == [f"{address}/dump.jsonl.gz"]
    assert "SECRET" not in result.stderr + summary + out.read_text()


@pytest.mark.usefixtures("news")
def test_a_connection_that_breaks_ends_the_run_and_costs_no_record(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    def fail(*_: object) -> bytes:
        raise ConnectionResetError("gone")

    monkeypatch.setattr(s3fs.core.S3File, "_fetch_range", fail)
    with pytest.raises(RemoteError, match="gone"):
        run_here(tiny, tmp_path, "s3://news/2024", output=str(tmp_path / "o.jsonl"))
    assert not [*tmp_path.iterdir()]
    monkeypatch.undo()
    summary = run_here(tiny, tmp_path, "s3://news/2024", output=str(tmp_path / "o.jsonl"))
    assert summary["rejects"] == {"broken_json": 1}


def test_from_and_to_google_cloud_storage(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec.config

    dump = write_dump(tmp_path / "dump.jsonl", 40).read_bytes()
    objects = {"in/a.jsonl": dump, "in/b.jsonl.gz": gzip.compress(dump), "out.jsonl": b"old"}
    with serving_bucket(objects) as address:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        monkeypatch.setitem(fsspec.config.conf, "gs", {"token": "anon"})
        with pytest.raises(OutputError, match="exists already"):
            run_here(tiny, tmp_path, "gs://b/in", output="gs://b/out.jsonl")
        run_here(tiny, tmp_path, "gs://b/in", output="gs://b/out.jsonl", force=True)
    assert objects["out.jsonl"].count(b"\n") == 80
    assert json.loads(objects["out.jsonl.summary.json"])["inputs"] == ["gs://b/in"]
    assert {*objects} == {"in/a.jsonl", "in/b.jsonl.gz", "out.jsonl", "out.jsonl.summary.json"}


def test_without_rights_the_command_that_gives_them_is_said(
    run: Run, news: Storage, tmp_path: Path
) -> None:
    env = {**news.env, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    result = run("batch", "s3://news/2024", "-o", tmp_path / "o.jsonl", env=env)
    assert_clean_failure(result, "s3://news/2024: there is no right to it", "aws configure")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["--rejects", "--summary"])
def test_rejects_and_summary_by_name_are_files(run_here: Run, option: str) -> None:
    result = run_here("batch", "x.jsonl", "-o", "y.jsonl", option, "s3://news/x")
    assert_clean_failure(result, f"{option} is a file of this machine", code=2)


def test_classify_reads_addresses(run: Run, tiny: Tiny, news: Storage) -> None:
    command = ("classify", "s3://news/2024/a.jsonl.gz", "--format", "jsonl")
    result = run(*command, "--models-dir", tiny.store.root, env=news.env)
    assert (result.code, len(result.records())) == (0, 60), result.stderr
