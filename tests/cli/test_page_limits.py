"""A page that C code reads for minutes, in the real commands."""

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
import typer
from conftest import ROOT, Run, Tiny
from processes import marked, wait_until
from test_same_records import PAGE

from topicml.batch.job import Job
from topicml.cli import classify, options
from topicml.io import child
from topicml.io.records import RECORD_SECONDS, ReadOptions

SLOW = f"<html><body><p {' '.join(f'a{n}=x' for n in range(300_000))}>Bread.</p></body></html>"
TOLD = "reading it took more than 2 s"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, page in (("a", PAGE), ("b", SLOW), ("c", PAGE)):
        (tmp_path / f"{name}.html").write_text(page)
    return tmp_path


def names(lines: str) -> list[str]:
    return [Path(json.loads(line)["id"]).name for line in lines.splitlines()]


def test_batch_rejects_it_and_goes_on(run: Run, tiny: Tiny, folder: Path) -> None:
    out = folder / "out.jsonl"
    result = run(
        *("batch", folder, "-o", out, "--record-seconds", "2", "--jobs", "2"),
        *("--models-dir", tiny.store.root),
    )
    assert result.code == 3
    assert names(out.read_text()) == ["a.html", "c.html"]
    (reject,) = (folder / "out.jsonl.rejects.jsonl").read_text().splitlines()
    found = json.loads(reject)
    assert (Path(found["source"]).name, found["reason"]) == ("b.html", "too_slow")
    assert (found["detail"], found["bytes"]) == (TOLD, len(SLOW))


def test_classify_rejects_it_and_goes_on(
    tiny: Tiny, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ReadOptions().seconds == Job((), "", folder).seconds == RECORD_SECONDS == 60
    monkeypatch.setattr(options, "ReadOptions", partial(ReadOptions, seconds=2))
    with pytest.raises(typer.Exit) as stopped:
        classify.classify(
            [str(folder)], output=str(folder / "out.jsonl"), models_dir=tiny.store.root
        )
    child.close()
    assert stopped.value.exit_code == 3
    assert names((folder / "out.jsonl").read_text()) == ["a.html", "c.html"]
    assert capfd.readouterr() == ("", f"error: {folder / 'b.html'}:1 (byte 0): {TOLD}\n")


@pytest.mark.parametrize(("number", "jobs"), [(signal.SIGTERM, "1"), (signal.SIGKILL, "2")])
def test_no_process_is_left_of_a_run_that_was_stopped(
    tiny: Tiny, folder: Path, number: signal.Signals, jobs: str
) -> None:
    mark = f"TOPICML_TEST={uuid4()}"
    name, _, value = mark.partition("=")
    out = ["-o", str(folder / "out.jsonl"), "--models-dir", str(tiny.store.root)]
    with subprocess.Popen(
        [sys.executable, "-m", "topicml", "batch", str(folder / "b.html"), *out, "--jobs", jobs],
        env={**os.environ, name: value},
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    ) as process:
        # with several processes, the main one has such a child, too, to see that pages can be read
        wait_until(lambda: sum("io.child" in line for line in marked(mark).values()) == int(jobs))
        process.send_signal(number)
        process.wait(timeout=60)
    wait_until(lambda: not marked(mark))
