from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import pytest
from conftest import ROOT, assert_clean_failure
from processes import wait_until

BREAD = "The bread rises under a warm cloth."
BOAT = "The boat left the harbour with a fair wind."


class Watched:
    """A folder that the real command watches."""

    def __init__(self, tiny, folder):
        self.inbox = folder / "inbox"
        self.inbox.mkdir()
        self.output = folder / "tags.jsonl"
        self.html = folder / "pages"
        self.command = (
            *(sys.executable, "-m", "topicml", "watch", str(self.inbox), "-o", str(self.output)),
            *("--models-dir", str(tiny.store.root), "--settle", "0.3", "--html", str(self.html)),
        )

    @contextmanager
    def process(self, *options):
        with subprocess.Popen(
            [*self.command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def once(self, *options):
        return subprocess.run(
            [*self.command, "--once", *options],
            capture_output=True,
            cwd=ROOT,
            text=True,
            check=False,
            timeout=100,
        )

    def records(self):
        if not self.output.exists():
            return []
        return [json.loads(line) for line in self.output.read_text().split("\n")[:-1]]

    def ids(self):
        return [record["id"] for record in self.records()]

    def path(self, name):
        return str(self.inbox / name)


@pytest.fixture
def watched(tiny, tmp_path):
    return Watched(tiny, tmp_path)


def test_articles_are_tagged_as_they_arrive(watched):
    (watched.inbox / "a.txt").write_text(f"Bread\n\n{BREAD}")
    with watched.process("--only", "baking") as process:
        wait_until(lambda: watched.ids() == [watched.path("a.txt")])
        half = watched.inbox / "b.txt"
        with half.open("w") as file:  # written to for longer than it may rest
            for part in BOAT.split():
                file.write(f"{part} ")
                file.flush()
                time.sleep(0.1)
        (watched.inbox / "c.txt.part").write_text(BREAD)
        (watched.inbox / "c.txt.part").rename(watched.inbox / "c.txt")
        expected = {watched.path(name) for name in ("a.txt", "b.txt", "c.txt")}
        wait_until(lambda: {*watched.ids()} == expected)
        (other := watched.inbox / "new" / "d.txt").parent.mkdir()
        other.write_text(BREAD)
        lines = [process.stdout.readline().rstrip() for _ in range(3)]
        process.send_signal(signal.SIGTERM)
        more, said = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in said
    assert "stopped by SIGTERM" in said
    assert (len(watched.ids()), more) == (4, "")  # the boat is written, and not printed
    assert lines[0].endswith(f"| baking | Bread | {watched.path('a.txt')}")
    assert "(copy of " in lines[2]
    boat = next(r for r in watched.records() if r["id"].endswith("b.txt"))
    assert boat["sentences"][0]["end"] == len(BOAT)
    assert boat["arrived"]["version"] == 1


def kill_until_done(watched, names, seed, most):
    """Kill the command at random, start it again, and count the kills, until all is tagged."""
    rng = random.Random(seed)  # noqa: S311 - any will do
    kills = 0
    while len(watched.ids()) < len(names) and kills < most:
        with watched.process() as process:
            before = len(watched.ids())
            with suppress(AssertionError):
                wait_until(lambda: len(watched.ids()) > before, seconds=20)  # noqa: B023
            time.sleep(rng.random() * 0.06)
            process.send_signal(signal.SIGKILL)
            process.wait()
        kills += 1
    done = watched.once()
    assert done.returncode == 0, done.stderr
    assert sorted(watched.ids()) == sorted(map(watched.path, names))
    pages = {record["arrived"]["page"] for record in watched.records()}
    assert {path.name for path in watched.html.glob("[!.]*")} == pages
    assert len(pages) == len(names)
    return kills


def files(watched, count):
    names = [f"{n:03}.txt" for n in range(count)]
    for number, name in enumerate(names):
        (watched.inbox / name).write_text(f"{BREAD} {number}. {BOAT}")
    return names


def test_a_command_that_is_killed_goes_on_and_repeats_nothing(watched):
    assert kill_until_done(watched, files(watched, 100), seed=1, most=2) >= 1


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_many_kills(watched, seed):
    kill_until_done(watched, files(watched, 500), seed, most=40)


def test_two_do_not_write_to_one_output(watched):
    (watched.inbox / "a.txt").write_text(BREAD)
    with watched.process():
        wait_until(watched.ids)
        done = watched.once()
    assert done.returncode == 1
    assert "another topicml watch" in done.stderr


def test_rejects_are_in_the_exit_code_of_a_single_look(watched):
    (watched.inbox / "a.txt").write_text("")
    (watched.inbox / "b.csv").write_text(f"x;{BREAD}\ny;{BOAT}\n")
    columns = ("--no-header", "--delimiter", ";", "--id-field", "1", "--text-field", "2")
    assert watched.once(*columns).returncode == 3
    assert watched.ids() == ["x", "y"]
    assert watched.once(*columns).returncode == 0


def test_mistakes_are_told(run_here, tiny, tmp_path):
    (tmp_path / "inbox").mkdir()
    given = ("watch", tmp_path / "inbox", "-o", tmp_path / "t.jsonl", "--once")
    given += ("--models-dir", tiny.store.root)
    assert_clean_failure(run_here(*given, "--only", "bakin"), "Did you mean 'baking'?")
    assert_clean_failure(run_here(*given, "--every", "30s"), "less than a minute", code=2)
    assert_clean_failure(run_here(*given, "--every", "soon"), "no time such as 90s", code=2)
    given = ("watch", tmp_path / "none", *given[2:])
    assert_clean_failure(run_here(*given), "no such folder or feed")
