import base64
import gzip
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from conftest import Tiny
from dumps import warc_record, write_dump
from reporters import Recorder, Stopper

from topicml.batch.checkpoint import checkpoint_path
from topicml.batch.job import Job
from topicml.batch.run import run_batch
from topicml.batch.tolerance import MaxRejects, TooManyRejectsError
from topicml.batch.worker import StrictError
from topicml.errors import InputError, ModelError, OutputError, TopicmlError
from topicml.io.records import Fields
from topicml.io.selection import Shard
from topicml.models.folder import sha256_file
from topicml.models.store import ModelStore
from topicml.tagging import tagger as tagging

DRIVER = Path(__file__).with_name("batch_driver.py")


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return write_dump(tmp_path / "dump.jsonl")


def run(tiny: Tiny, dump: Path, output: str | Path, **options: Any) -> dict[str, Any]:
    settings = {"block_bytes": 5_000, "fields": Fields(keep=("n",)), **options}
    job = Job((str(dump),), str(output), tiny.folder, **settings)
    return run_batch(job, io.BytesIO(), io.BytesIO(), Recorder())


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_every_record_comes_out_in_order(tiny: Tiny, dump: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    summary = run(tiny, dump, out)
    written = read(out)
    assert [record["id"] for record in written] == [f"r{n}" for n in range(300)]
    assert [record["n"] for record in written] == list(range(300))
    assert summary["tagged"] == summary["records"] == 300
    assert summary["rejected"] == 0
    assert summary["sentences"] == sum(len(record["sentences"]) for record in written)
    for topic, found in summary["topics"].items():
        having = sum(any(t["topic"] == topic for t in record["topics"]) for record in written)
        assert found == {"records": having, "share": having / 300}
    assert any(found["records"] for found in summary["topics"].values())
    assert json.loads((tmp_path / "out.jsonl.summary.json").read_text()) == summary
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"dump.jsonl", "out.jsonl", "out.jsonl.summary.json"}


@pytest.mark.parametrize(
    "name", ["out.jsonl", "out.json", "out.jsonl.gz", "out.csv", "out.parquet"]
)
def test_processes_and_blocks_change_nothing(
    tiny: Tiny, dump: Path, tmp_path: Path, name: str
) -> None:
    alone, several = tmp_path / f"alone.{name}", tmp_path / f"several.{name}"
    run(tiny, dump, alone)
    run(tiny, dump, several, jobs=2)
    assert alone.read_bytes() == several.read_bytes()
    whole = tmp_path / f"whole.{name}"
    run(tiny, dump, whole, block_bytes=10_000_000)
    if name.endswith("parquet"):
        tables = [pyarrow.parquet.read_table(path) for path in (alone, whole)]
        assert tables[0].equals(tables[1])
    elif name.endswith("gz"):
        assert gzip.decompress(alone.read_bytes()) == gzip.decompress(whole.read_bytes())
    else:
        assert alone.read_bytes() == whole.read_bytes()


def test_standard_output_streams_and_rejects_are_kept_if_asked(
    tiny: Tiny, dump: Path, tmp_path: Path
) -> None:
    with dump.open("a", encoding="utf-8") as file:
        file.write("not json\n")
    stdout, rejects = io.BytesIO(), tmp_path / "rejects.jsonl"
    told = Recorder()
    job = Job((str(dump),), "-", tiny.folder, rejects=rejects, block_bytes=5_000)
    summary = run_batch(job, io.BytesIO(), stdout, told)
    assert stdout.getvalue().count(b"\n") == summary["tagged"] == 300
    assert [line["reason"] for line in read(rejects)] == ["broken_json"]
    assert told.rejects == []
    assert len(told.steps) > 10
    assert told.steps[-1].bytes_read == told.steps[-1].total_bytes == dump.stat().st_size


def test_rejects_that_no_file_takes_are_told_with_their_place(tiny: Tiny, dump: Path) -> None:
    size = dump.stat().st_size
    with dump.open("a", encoding="utf-8") as file:
        file.write("not json\n")
    told = Recorder()
    job = Job((str(dump),), "-", tiny.folder, block_bytes=5_000)
    run_batch(job, io.BytesIO(), io.BytesIO(), told)
    (reject,) = told.rejects
    assert (reject.reason, reject.raw) == ("broken_json", b"not json")
    assert reject.place == f"{dump}:301 (byte {size})"


def test_standard_input_is_read(tiny: Tiny, dump: Path, tmp_path: Path) -> None:
    job = Job(("-",), str(tmp_path / "out.jsonl"), tiny.folder)
    summary = run_batch(job, io.BytesIO(dump.read_bytes()), io.BytesIO(), Recorder())
    assert summary["tagged"] == 300


def test_finished_output_is_replaced_only_by_force(tiny: Tiny, dump: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    out.write_text("precious")
    with pytest.raises(OutputError, match=r"out\.jsonl: exists already\. Replace it with --force"):
        run(tiny, dump, out)
    assert out.read_text() == "precious"
    run(tiny, dump, out, force=True)
    assert len(read(out)) == 300


def interrupt(tiny: Tiny, dump: Path, out: Path, blocks: int, **options: Any) -> None:
    job = Job((str(dump),), str(out), tiny.folder, **{"block_bytes": 5_000, **options})
    with pytest.raises(KeyboardInterrupt):
        run_batch(job, io.BytesIO(), io.BytesIO(), Stopper(blocks))
    assert not out.exists()


def goes_on(tiny: Tiny, dump: Path, out: Path, **options: Any) -> None:
    job = Job((str(dump),), str(out), tiny.folder, **{"block_bytes": 5_000, **options})
    run_batch(job, io.BytesIO(), io.BytesIO(), Recorder())


@pytest.mark.parametrize("dedupe", [False, True])
def test_stopped_run_goes_on_where_it_was(
    tiny: Tiny, dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dedupe: bool
) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    goes_on(tiny, dump, whole, dedupe=dedupe)
    interrupt(tiny, dump, out, 8, dedupe=dedupe)
    tagged = 0
    original = tagging.Tagger.tag

    def count(self: Any, records: Any) -> Any:
        nonlocal tagged
        tagged += len(records)
        return original(self, records)

    monkeypatch.setattr(tagging.Tagger, "tag", count)
    goes_on(tiny, dump, out, dedupe=dedupe)
    assert out.read_bytes() == whole.read_bytes()
    assert 0 < tagged < 300


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"detail": "article"}, 'detail was "sentence" and is "article"'),
        ({"min_precision": 0.9}, "min_precision was null and is 0.9"),
        ({"block_bytes": 6_000}, "block_bytes was 5000 and is 6000"),
        ({"fields": Fields(keep=("n",))}, "fields was"),
        ({"only_tagged": True}, "only_tagged was false and is true"),
        ({"topics": ("baking",)}, 'topics was [] and is ["baking"]'),
        ({"limit": 300}, "limit was null and is 300"),
        ({"shard": Shard(1, 1)}, 'shard was null and is {"number": 1, "count": 1}'),
    ],
)
def test_other_options_are_refused(
    tiny: Tiny, dump: Path, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    out = tmp_path / "out.jsonl"
    interrupt(tiny, dump, out, 3)
    with pytest.raises(InputError) as caught:
        goes_on(tiny, dump, out, **changes)
    assert said in str(caught.value)
    assert "--force" in str(caught.value)
    goes_on(tiny, dump, out, **changes, force=True)
    assert out.exists()


def test_a_run_that_goes_on_replaces_its_own_rejects_and_no_others(
    tiny: Tiny, dump: Path, tmp_path: Path
) -> None:
    with dump.open("a", encoding="utf-8") as file:
        file.write("not json\n")
    out, other = tmp_path / "out.jsonl", tmp_path / "other"
    rejects = tmp_path / "out.jsonl.rejects.jsonl"
    rejects.write_text("of an earlier run")
    interrupt(tiny, dump, out, 2, force=True)
    other.write_text("precious")
    with pytest.raises(InputError, match=r"rejects was null and is .*other"):
        goes_on(tiny, dump, out, rejects=other)
    assert other.read_text() == "precious"
    goes_on(tiny, dump, out)
    assert [line["reason"] for line in read(rejects)] == ["broken_json"]


def test_a_run_killed_before_its_checkpoint_says_anything_starts_again(
    tiny: Tiny, dump: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    checkpoint_path(out).write_text('{"backend": "refer')
    goes_on(tiny, dump, out)
    assert len(read(out)) == 300


class Killed(BaseException):
    """As if the process were gone."""


def test_a_run_killed_at_any_step_of_its_end_is_ended_by_the_next(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dump, folder, steps = write_dump(tmp_path / "dump.jsonl", 3), tmp_path / "out", count()
    with dump.open("a", encoding="utf-8") as file:
        file.write("not json\n")

    def killed_at(step: int, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if next(steps) == step:
                raise Killed
            return function(*arguments, **options)

        return call

    for step in count():
        steps = count()
        folder.mkdir()
        out = folder / "out.jsonl"
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", killed_at(step, Path.replace))
            patch.setattr(Path, "unlink", killed_at(step, Path.unlink))
            patch.setattr(Path, "chmod", killed_at(step, Path.chmod))
            try:
                run(tiny, dump, out)
                is_killed = False
            except Killed:
                is_killed = True
        if is_killed:
            assert checkpoint_path(out).exists()
            run(tiny, dump, out)
        suffixes = ("", ".rejects.jsonl", ".summary.json")
        assert {path.name for path in folder.iterdir()} == {out.name + s for s in suffixes}
        assert len(read(out)) == 3
        shutil.rmtree(folder)
        if not is_killed:
            break
    assert step > 5


def test_changed_input_is_refused(tiny: Tiny, dump: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    before = dump.stat()
    interrupt(tiny, dump, out, 3)
    data = dump.read_bytes()
    dump.write_bytes(data.replace(b"Bread", b"bread", 1))
    with pytest.raises(InputError, match=r"inputs was .*--force"):
        goes_on(tiny, dump, out)
    os.utime(dump, ns=(before.st_atime_ns, before.st_mtime_ns))  # looks as if it were the same
    with pytest.raises(InputError, match=r"dump\.jsonl: changed since .*--force"):
        goes_on(tiny, dump, out)
    dump.write_bytes(data[:4_000])
    with pytest.raises(InputError, match="--force"):
        goes_on(tiny, dump, out)


def test_changed_model_is_refused(tiny: Tiny, dump: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    interrupt(tiny, dump, out, 3)
    job = Job(
        (str(dump),),
        str(out),
        tiny.build(ModelStore(tmp_path / "models"), version="2.0.0"),
        block_bytes=5_000,
    )
    with pytest.raises((InputError, ModelError), match="model was"):
        run_batch(job, io.BytesIO(), io.BytesIO(), Recorder())


def test_part_shorter_than_its_checkpoint_is_refused(
    tiny: Tiny, dump: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    interrupt(tiny, dump, out, 3)
    with (tmp_path / "out.jsonl.part").open("r+b") as file:
        file.truncate(10)
    with pytest.raises(InputError, match="shorter than its checkpoint says"):
        goes_on(tiny, dump, out)


def test_torn_checkpoint_line_and_bytes_beyond_it_are_cut(
    tiny: Tiny, dump: Path, tmp_path: Path
) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    goes_on(tiny, dump, whole)
    interrupt(tiny, dump, out, 3)
    with (tmp_path / "out.jsonl.part").open("ab") as file:
        file.write(b"half a rec")
    with (tmp_path / "out.jsonl.checkpoint").open("ab") as file:
        file.write(b'{"bytes": 12')
    goes_on(tiny, dump, out)
    assert out.read_bytes() == whole.read_bytes()


def test_folder_that_is_gone_is_an_output_error(tiny: Tiny, dump: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        run(tiny, dump, tmp_path / "nowhere" / "out.jsonl")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_keeps_what_is_done(tiny: Tiny, dump: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    goes_on(tiny, write_bad(dump), whole)
    interrupt(tiny, dump, out, 3)
    rejects = tmp_path / "out.jsonl.rejects.jsonl.part"
    rejects.unlink()
    rejects.symlink_to("/dev/full")
    with pytest.raises(TopicmlError, match=r"cannot be written|shorter"):
        goes_on(tiny, dump, out)
    rejects.unlink()
    goes_on(tiny, dump, out)
    assert out.read_bytes() == whole.read_bytes()


def write_bad(dump: Path) -> Path:
    with dump.open("ab") as file:
        file.write(b"broken\n")
    return dump


def test_kept_field_named_like_one_of_the_output_is_refused(
    tiny: Tiny, dump: Path, tmp_path: Path
) -> None:
    dump.write_text('{"text": "Bread.", "n": 1, "topics": []}\n')
    with pytest.raises(InputError, match="field 'topics' cannot be kept"):
        run(tiny, dump, tmp_path / "out.jsonl", fields=Fields(keep=("n", "topics")))


def test_a_run_that_goes_on_says_from_where(tiny: Tiny, dump: Path, tmp_path: Path) -> None:
    out, stopper, told = tmp_path / "out.jsonl", Stopper(3), Recorder()
    job = Job((str(dump),), str(out), tiny.folder, block_bytes=5_000)
    with pytest.raises(KeyboardInterrupt):
        run_batch(job, io.BytesIO(), io.BytesIO(), stopper)
    assert not [note for note in stopper.notes if "going on" in note]
    summary = run_batch(job, io.BytesIO(), io.BytesIO(), told)
    last = stopper.steps[-1]
    done = f"{last.counts.read:,} records, {last.bytes_read:,} bytes of the input are done"
    assert f"going on where an unfinished run was: {done}" in told.notes
    seconds = [step.seconds for step in [*stopper.steps, *told.steps]]
    assert seconds == sorted(seconds)  # of both runs together, as in the summary
    assert seconds[0] < seconds[-1] <= summary["seconds"] + 0.001


@pytest.mark.parametrize("name", ["out.jsonl", "out.json", "out.csv", "out.parquet"])
@pytest.mark.parametrize(
    "options", [{"only_tagged": True}, {"topics": ("sailing", "gardening")}, {"dedupe": True}]
)
def test_only_what_is_asked_for_is_written(
    tiny: Tiny, dump: Path, tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    everything = tmp_path / "all.jsonl"
    whole = run(tiny, write_bad(dump), everything)
    if "dedupe" in options:
        options = {**options, "only_tagged": True}
    wanted = {*options.get("topics", tiny_topics(whole))}
    records = read(everything)
    ids = [r["id"] for r in records if wanted & {topic["topic"] for topic in r["topics"]}]
    out = tmp_path / name
    summary = run(tiny, dump, out, **options)
    assert 0 < len(ids) < 300
    if name == "out.jsonl":
        assert [record["id"] for record in read(out)] == ids
    elif name == "out.json":
        assert [record["id"] for record in json.loads(out.read_text())] == ids
    elif name == "out.parquet":
        assert pyarrow.parquet.read_table(out)["id"].to_pylist() == ids
    assert (summary["written"], summary["filtered"]) == (len(ids), 300 - len(ids))
    assert summary["records"] == summary["written"] + summary["rejected"] + summary["filtered"]
    assert summary["topics"] == whole["topics"]


def tiny_topics(summary: dict[str, Any]) -> list[str]:
    return [*summary["topics"]]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_limit_is_the_same_records_whatever_the_processes(
    tiny: Tiny, dump: Path, tmp_path: Path, jobs: int
) -> None:
    summary = run(tiny, dump, tmp_path / "out.jsonl", limit=101, jobs=jobs)
    assert [r["id"] for r in read(tmp_path / "out.jsonl")] == [f"r{n}" for n in range(101)]
    assert summary["records"] == 101


def test_shards_together_are_every_record_once(tiny: Tiny, dump: Path, tmp_path: Path) -> None:
    run(tiny, dump, tmp_path / "whole.jsonl")
    found = []
    for n in (1, 2, 3):
        run(tiny, dump, tmp_path / f"{n}.jsonl", shard=Shard(n, 3))
        found += (tmp_path / f"{n}.jsonl").read_bytes().splitlines()
    assert sorted(found) == sorted((tmp_path / "whole.jsonl").read_bytes().splitlines())


def test_too_many_rejects_stop_a_run_that_goes_on_with_more(
    tiny: Tiny, dump: Path, tmp_path: Path
) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    lines = dump.read_bytes().splitlines(keepends=True)
    dump.write_bytes(b"".join([*lines[:100], *[b"{\n"] * 20, *lines[100:]]))
    run(tiny, dump, whole)
    with pytest.raises(
        TooManyRejectsError, match=r"more than 3: broken_json .*rejects\.jsonl\.part"
    ):
        run(tiny, dump, out, max_rejects=MaxRejects.parse("3"))
    assert not out.exists()
    summary = json.loads((tmp_path / "out.jsonl.summary.json").read_text())
    assert summary["exit_code"] == 1
    assert 100 < summary["records"] < 320
    with pytest.raises(TooManyRejectsError, match="more than 1%"):
        run(tiny, dump, out, max_rejects=MaxRejects.parse("1%"))
    summary = run(tiny, dump, out, max_rejects=MaxRejects.parse("20%"), jobs=2)
    assert (summary["exit_code"], summary["rejected"]) == (3, 20)
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("output", ["out.jsonl", "-"])
def test_a_run_whose_every_record_is_rejected_has_failed(
    tiny: Tiny, tmp_path: Path, output: str
) -> None:
    dump = tmp_path / "dump.jsonl"
    dump.write_bytes(b"{\n" * 3)
    output = "-" if output == "-" else str(tmp_path / output)
    summary = tmp_path / "summary.json"
    with pytest.raises(TooManyRejectsError, match="every record was rejected: broken_json 3"):
        run(tiny, dump, output, summary=summary)
    assert not (tmp_path / "out.jsonl").exists()
    assert json.loads(summary.read_text())["exit_code"] == 1


def test_the_summary_goes_where_it_is_asked_to(tiny: Tiny, dump: Path, tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    summary = run(tiny, dump, "-", summary=path)
    assert json.loads(path.read_text()) == summary
    assert summary["exit_code"] == 0
    assert {"topicml", "python", "numpy", "sentencex"} <= summary["versions"].keys()
    assert summary["model_sha256"]["scorer.npz"] == sha256_file(tiny.folder / "scorer.npz")
    with pytest.raises(OutputError, match=r"figures\.json: exists already"):
        run(tiny, dump, "-", summary=path)
    run(tiny, dump, tmp_path / "out.jsonl", summary=path, force=True)
    assert not (tmp_path / "out.jsonl.summary.json").exists()
    with pytest.raises(OutputError, match="is one of the inputs"):
        run(tiny, dump, "-", summary=dump, force=True)


def test_rejects_have_their_ids(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = tagging.sentence_spans

    def fail(text: str, language: str) -> Any:
        if "unlucky" in text:
            raise RuntimeError("no luck")
        return original(text, language)

    monkeypatch.setattr(tagging, "sentence_spans", fail)
    dump, ids = tmp_path / "dump.jsonl", ["a", "7", None, None, "b", None, None, "9", "f0"]
    dump.write_text(
        '{"id": "a", "text": 3}\n{"id": 7, "text": ""}\n{"id": [1], "text": "bread"}\n'
        '{\n{"id": "b", "text": "unlucky"}\n{"text": "unlucky"}\n{"text": null}\n'
        '{"id": 9.0}\n{"id": {"$oid": "f0"}, "text": 3}\n'
        '{"id": "good", "text": "bread"}\n'
    )
    run(tiny, dump, tmp_path / "out.jsonl", fields=Fields())
    assert [reject["id"] for reject in read(tmp_path / "out.jsonl.rejects.jsonl")] == ids


BAD_LINES = [
    b"{",
    b"[]",
    b"\xff\xfe\x00",
    b"null",
    b'{"id": "x"}',
    b'{"id": "x", "text": 3}',
    b'{"id": "x", "text": ""}',
    b'{"id": ["x"], "text": "bread"}',
    b'{"id": "x", "text": "\\ud800"}',
    b'{"id": "x", "text": "' + b"\\u0000" * 50 + b'"}',
    b"[" * 5000,
    b'{"text": "bread" "id"}',
]


@pytest.mark.parametrize("jobs", [1, 2])
def test_bad_records_are_set_aside_and_good_ones_tagged(
    tiny: Tiny, tmp_path: Path, jobs: int
) -> None:
    hostile(tiny, tmp_path, 600, jobs)


@pytest.mark.soak
def test_ten_thousand_bad_records(tiny: Tiny, tmp_path: Path) -> None:
    hostile(tiny, tmp_path, 10_000, 2)


def hostile(tiny: Tiny, tmp_path: Path, bad: int, jobs: int) -> None:
    choice = random.Random(bad)  # noqa: S311
    lines = [b'{"id": "g%d", "text": "Bread is baked."}' % n for n in range(bad)]
    kept = [choice.choice(BAD_LINES) for _ in range(bad // 2)]
    kept += [choice.randbytes(choice.randrange(1, 40)).replace(b"\n", b"") for _ in range(bad // 2)]
    kept = [line for line in kept if line.strip()]
    shuffled = [(line, True) for line in lines] + [(line, False) for line in kept]
    choice.shuffle(shuffled)
    dump, out = tmp_path / "dump.jsonl", tmp_path / "out.jsonl"
    dump.write_bytes(b"".join(line + b"\n" for line, _ in shuffled))
    summary = run(tiny, dump, out, jobs=jobs, fields=Fields())
    good = [json.loads(line)["id"] for line, is_good in shuffled if is_good]
    assert [record["id"] for record in read(out)] == good
    rejects = read(tmp_path / "out.jsonl.rejects.jsonl")
    where = {n: line for n, (line, is_good) in enumerate(shuffled, start=1) if not is_good}
    assert {reject["line"]: base64.b64decode(reject["raw"]) for reject in rejects} == where
    assert all(reject["reason"] and reject["source"] == str(dump) for reject in rejects)
    assert summary["rejected"] == len(where) == sum(summary["rejects"].values())
    assert summary["records"] == len(where) + len(good)


def test_of_an_archive_in_is_out_and_rejected_and_skipped(tiny: Tiny, tmp_path: Path) -> None:
    parts = [warc_record(n) for n in range(20)]
    parts[3::4] = [warc_record(n, "request", "application/http") for n in range(3, 20, 4)]
    parts[2::8] = [warc_record(n, content="application/json") for n in range(2, 20, 8)]
    members = [bytearray(gzip.compress(part)) for part in parts]
    for number in (4, 9):
        members[number][50] ^= 0xFF
    dump, out, whole = (tmp_path / name for name in ("a.warc.gz", "out.jsonl", "whole.jsonl"))
    dump.write_bytes(b"".join(members))
    options: dict[str, Any] = {"block_bytes": 500, "fields": Fields(keep=("url",))}
    summary = run(tiny, dump, whole, **options)
    assert summary["skipped"] == {"request": 5, "application/json": 3}
    assert (summary["records"], summary["tagged"], summary["rejected"]) == (20, 10, 2)
    assert summary["rejects"] == {"damaged_input": 2}
    written = read(whole)
    assert [record["id"] for record in written] == [record["url"] for record in written]
    interrupt(tiny, dump, out, 3, **options)
    resumed = run(tiny, dump, out, **options)
    timed = {"output", "ended", "seconds", "megabytes_per_second"}
    assert {k: v for k, v in resumed.items() if k not in timed} == {
        k: v for k, v in summary.items() if k not in timed
    }
    assert json.loads(Path(f"{out}.summary.json").read_text("utf-8"))["skipped"]
    assert out.read_bytes() == whole.read_bytes()


def test_strict_stops_at_the_first(tiny: Tiny, tmp_path: Path) -> None:
    dump = tmp_path / "dump.jsonl"
    dump.write_bytes(b'{"id": "a", "text": "bread"}\n{"id": "b"}\n')
    with pytest.raises(StrictError, match=r"dump\.jsonl:2 \(byte \d+\): missing_text") as caught:
        run(tiny, dump, tmp_path / "out.jsonl", fields=Fields(), strict=True)
    assert "--strict" in caught.value.hint
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(RuntimeError("no luck"), "failed"), (None, "too_slow")],
    ids=["raises", "too-slow"],
)
def test_record_that_fails_costs_no_other(
    tiny: Tiny,
    dump: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception | None,
    reason: str,
) -> None:
    original = tagging.sentence_spans

    def fail(text: str, language: str) -> Any:
        if text.endswith(" 123."):
            if failure:
                raise failure
            time.sleep(5)
        return original(text, language)

    monkeypatch.setattr(tagging, "sentence_spans", fail)
    out = tmp_path / "out.jsonl"
    summary = run(tiny, dump, out, seconds=0.5)
    assert summary["rejects"] == {reason: 1}
    assert [r["id"] for r in read(out)] == [f"r{n}" for n in range(300) if n != 123]
    reject = read(tmp_path / "out.jsonl.rejects.jsonl")[0]
    assert (reject["line"], reject["reason"]) == (124, reason)


def kill_and_go_on(tiny: Tiny, folder: Path, name: str, kills: int, seed: int) -> int:
    """Kill a run again and again; return how many kills it took in before it was done."""
    choice = random.Random(seed)  # noqa: S311
    dump = write_dump(folder / "dump.jsonl", 3_000, seed)
    options = {"inputs": [str(dump)], "model": str(tiny.folder), "block_bytes": 3_000}
    whole = folder / f"whole.{name}"
    run_batch(
        Job((str(dump),), str(whole), tiny.folder, Fields(keep=("n",)), block_bytes=3_000),
        io.BytesIO(),
        io.BytesIO(),
        Recorder(),
    )
    out = folder / f"out.{name}"
    command = [sys.executable, str(DRIVER), json.dumps({**options, "output": str(out)})]
    killed = 0
    while True:
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"started\n"
            if killed < kills:
                time.sleep(choice.uniform(0.0, 0.6))
                process.send_signal(signal.SIGKILL)
            code = process.wait(timeout=60)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        if out.exists() and not checkpoint_path(out).exists():
            break  # all was done, and the process about to end
        killed += 1
    assert out.read_bytes() == whole.read_bytes()
    assert not list(folder.glob("out*.part")) + list(folder.glob("out*.checkpoint"))
    return killed


@pytest.mark.parametrize("name", ["jsonl", pytest.param("parquet", marks=pytest.mark.soak)])
def test_run_that_is_killed_loses_nothing(tiny: Tiny, tmp_path: Path, name: str) -> None:
    assert kill_and_go_on(tiny, tmp_path, name, kills=3, seed=1) >= 1


@pytest.mark.soak
@pytest.mark.parametrize("name", ["jsonl", "json", "jsonl.gz", "jsonl.zst", "csv", "parquet"])
def test_run_that_is_killed_ten_times_loses_nothing(tiny: Tiny, tmp_path: Path, name: str) -> None:
    killed = 0
    for seed in range(10):
        folder = tmp_path / str(seed)
        folder.mkdir()
        killed += kill_and_go_on(tiny, folder, name, kills=10 - killed, seed=seed)
        if killed >= 10:
            return
    raise AssertionError(f"only {killed} kills came before the run was done")
