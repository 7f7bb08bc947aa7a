"""Stop signals that come where they are easily lost: in a `__del__`, and before `main` runs."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import pytest
from conftest import ROOT, Tiny
from dumps import write_dump

SIGNAL_IN_DEL = """
import os, signal
from topicml.batch import run
from topicml.cli import main
from topicml.io import readers

class Dying:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            pass  # here the handler runs, and what it raises is dropped

def work_on(*arguments):
    for block in work(*arguments):
        Dying()
        yield block

readers.BLOCK_BYTES = 3_000
work, run.work_on = run.work_on, work_on
main()
"""


def test_a_signal_that_is_dropped_in_a_del_stops_the_run_at_its_next_block(
    tiny: Tiny, tmp_path: Path
) -> None:
    dump, out = write_dump(tmp_path / "dump.jsonl", 50), tmp_path / "out.jsonl"
    arguments = ["batch", dump, "-o", out, "--models-dir", tiny.store.root]
    done = subprocess.run(
        [sys.executable, "-c", SIGNAL_IN_DEL, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    said = "error: stopped by SIGTERM. Run the same command again to go on.\n"
    assert (done.returncode, done.stderr) == (143, said)
    checkpoint = Path(f"{out}.checkpoint").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line).get("size") is not None for line in checkpoint] == [False, True]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_command_is_imported_ends_it_quietly(
    tmp_path: Path, number: signal.Signals
) -> None:
    slow = "import time\nprint('importing', flush=True)\ntime.sleep(60)\n"
    (tmp_path / "typer.py").write_text(slow)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    heeding = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(
        [sys.executable, "-m", "topicml", "info"],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heeding,  # a job behind "&" does not
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"importing\n"
        process.send_signal(number)
        assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 128 + number


def test_the_command_that_is_installed_heeds_them_as_early() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"topicml": "topicml.__main__:main"}
