import io
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Tiny
from dumps import write_dump
from reporters import Recorder, Stopper

from topicml import compiling
from topicml.batch import prepare as module
from topicml.batch.checkpoint import read_identity
from topicml.batch.job import Job
from topicml.batch.prepare import prepare
from topicml.batch.run import run_batch
from topicml.io import sources
from topicml.scoring import backends


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    return write_dump(tmp_path / "dump.jsonl", 60)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Say whether numba can be used, and whether compiled code is kept; little text is bulk."""

    def set_kernel(*, usable: bool = True, kept: bool = True) -> None:
        monkeypatch.setattr(compiling, "is_usable", lambda: usable)
        monkeypatch.setattr(module.compiler, "is_compiled_kept", lambda: kept)
        monkeypatch.setattr(backends, "BULK", 1_000)
        monkeypatch.setattr(backends, "BULK_TO_COMPILE", 20_000)

    return set_kernel


def job(tiny: Tiny, dump: Path, output: Path | str, **options: Any) -> Job:
    return Job((str(dump),), str(output), tiny.folder, block_bytes=1_000, **options)


@pytest.mark.parametrize(
    ("records", "kept", "usable", "backend", "says"),
    [
        (1, True, True, "reference", False),
        (10, True, True, "compiled", False),
        (10, False, True, "reference", False),
        (200, False, True, "compiled", True),
        (200, False, False, "reference", False),
    ],
)
def test_the_kernel_is_taken_and_compiled_only_where_it_pays(
    tiny: Tiny,
    tmp_path: Path,
    kernel: Any,
    records: int,
    kept: bool,
    usable: bool,
    backend: str,
    says: bool,
) -> None:
    kernel(kept=kept, usable=usable)
    dump = write_dump(tmp_path / "dump.jsonl", records)
    told = Recorder()
    prepared = prepare(job(tiny, dump, tmp_path / "out.jsonl"), told)
    assert prepared.job.backend == backend
    assert prepared.size == dump.stat().st_size
    assert told.notes == (
        ["compiling the kernels, once for this machine: about 20 s"] if says else []
    )


def test_a_run_that_goes_on_keeps_the_backend_it_began_with(
    tiny: Tiny, dump: Path, tmp_path: Path, kernel: Any
) -> None:
    kernel(usable=False)
    out = tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run_batch(job(tiny, dump, out), io.BytesIO(), io.BytesIO(), Stopper(2))
    assert read_identity(out)["backend"] == "reference"
    kernel(usable=True)
    assert prepare(job(tiny, dump, out), Recorder()).job.backend == "reference"
    assert prepare(job(tiny, dump, out, force=True), Recorder()).job.backend == "compiled"


@pytest.mark.parametrize("bulk", [10, 10**6])
def test_standard_input_is_measured_and_nothing_of_it_is_lost(
    tiny: Tiny, dump: Path, monkeypatch: pytest.MonkeyPatch, bulk: int
) -> None:
    monkeypatch.setattr(sources, "_SHORT", bulk)
    data = dump.read_bytes()
    stdout = io.BytesIO()
    piped = Job(("-",), "-", tiny.folder)
    prepared = prepare(piped, Recorder(), io.BytesIO(data))
    assert prepared.size == (None if bulk == 10 else len(data))
    assert prepared.stdin.read() == data
    run_batch(piped, io.BytesIO(data), stdout, Recorder())
    found = [json.loads(line)["id"] for line in stdout.getvalue().splitlines()]
    assert found == [f"r{n}" for n in range(60)]
