"""A thousand pages made to hurt, and the largest records there may be, in one run each."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from conftest import ROOT
from formats import articles
from hostile_pages import NEWS, pages
from processes import marked

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc"),
]

DRIVER = Path(__file__).with_name("timed_driver.py")
SEED = os.environ.get("TOPICML_SOAK_SEED", "1")
PAGES = int(os.environ.get("TOPICML_SOAK_PAGES", "1000"))
SECONDS = 1.0  # that one record may take
MOST_MEMORY = 800e6  # bytes
LARGE, LARGEST = 16, 15_000_000  # records, and bytes of each


class Watched:
    """A run to its end, with the peak memory of its processes and the times of its records."""

    def __init__(self, folder: Path, source: Path, jobs: int, seconds: float) -> None:
        self.out, times = folder / "out.jsonl", folder / "times.jsonl"
        mark = uuid4().hex
        command = ["batch", source, "-o", self.out, "--jobs", str(jobs), "--quiet"]
        process = subprocess.Popen(
            [sys.executable, DRIVER, *command, "--record-seconds", str(seconds)],
            env={**os.environ, "TOPICML_TEST": mark, "TOPICML_TEST_TIMES": str(times)},
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        self.peaks: Counter[str] = Counter()
        while process.poll() is None:
            self._look(f"TOPICML_TEST={mark}")
            time.sleep(0.05)
        self.said = process.communicate()[1].decode()
        self.code = process.returncode
        self.times = lines(times)

    def _look(self, mark: str) -> None:
        now = {pid: (kind_of(line), memory(pid)) for pid, line in marked(mark).items()}
        for kind, (_, peak) in now.values():
            self.peaks[kind] = max(self.peaks[kind], peak)
        together = sum(resident for _, (resident, _) in now.values())
        self.peaks["together"] = max(self.peaks["together"], together)

    def longest(self, what: str) -> dict[str, Any]:
        return max((t for t in self.times if t["what"] == what), key=lambda t: t["seconds"])


def kind_of(command: str) -> str:
    if "io.child" in command:
        return "page child"
    return "worker" if "spawn_main" in command else "parent"


def memory(pid: int) -> tuple[int, int]:
    """Return how many bytes of a process are resident, and were at most."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0, 0
    said = dict(line.split(":", 1) for line in status.splitlines())
    if "VmRSS" not in said:
        return 0, 0
    return tuple(int(said[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_each_of_many_hostile_pages_is_answered(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    kinds, by_digest = {}, {}
    for n, (kind, page) in enumerate(pages(SEED, PAGES)):
        path = folder / f"{n:04}.html"
        path.write_bytes(page)
        kinds[str(path)] = kind
        by_digest[hashlib.sha1(page, usedforsecurity=False).hexdigest()] = (
            f"{path.name} {kind}, {len(page):,} bytes"
        )
    run = Watched(tmp_path, folder, jobs=2, seconds=SECONDS)
    assert (run.code, run.said) == (3, "")
    rejects = lines(run.out.with_name("out.jsonl.rejects.jsonl"))
    written = [record["id"] for record in lines(run.out)]
    assert sorted([*written, *(reject["source"] for reject in rejects)]) == sorted(kinds)
    page, text = run.longest("page"), run.longest("text")
    print(  # noqa: T201
        json.dumps(
            {
                "reasons": Counter(reject["reason"] for reject in rejects).most_common(),
                "written": len(written),
                "longest page": [page["seconds"], by_digest[page["page"]]],
                "longest text": text["seconds"],
                "peaks": {kind: peak // 10**6 for kind, peak in run.peaks.items()},
                "failed": [
                    [r["source"], kinds[r["source"]], r["detail"]]
                    for r in rejects
                    if r["reason"] == "failed" or "ended" in r["detail"]
                ],
            }
        )
    )
    assert not [reject for reject in rejects if reject["reason"] == "failed"]
    assert max(page["seconds"], text["seconds"]) < SECONDS + 1
    assert max(run.peaks["parent"], run.peaks["worker"]) < MOST_MEMORY


def page_of(number: int) -> bytes:
    paragraphs = NEWS.encode() * (LARGEST // len(NEWS))
    return b"<html><body><h1>%d</h1><article>%s</article></body></html>" % (number, paragraphs)


def test_the_largest_records_stay_within_memory(tmp_path: Path) -> None:
    dump = tmp_path / "dump.jsonl"
    text = "\n\n".join(record["text"] for record in articles(2_000))
    text *= 1 + LARGEST // len(text)
    with dump.open("w", encoding="utf-8") as file:
        for n in range(LARGE):
            part = text[n * 1_000 :][:LARGEST]
            file.write(json.dumps({"id": str(n), "text": part}, ensure_ascii=False) + "\n")
    del text
    run = Watched(tmp_path, dump, jobs=1, seconds=60)
    print({kind: peak // 10**6 for kind, peak in run.peaks.items()}, run.said)  # noqa: T201
    assert run.code == 0, run.said
    assert run.peaks["together"] < MOST_MEMORY


def test_the_largest_pages_stay_within_memory(tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    for n in range(LARGE):
        (folder / f"{n}.html").write_bytes(page_of(n))
    (folder / "small.html").write_text(f"<html><body><article>{NEWS}</article></body></html>")
    run = Watched(tmp_path, folder, jobs=1, seconds=5)
    rejects = lines(run.out.with_name("out.jsonl.rejects.jsonl"))
    print({kind: peak // 10**6 for kind, peak in run.peaks.items()}, run.longest("page"))  # noqa: T201
    assert (run.code, run.said) == (3, "")
    assert len(rejects) == LARGE
    assert {reject["reason"] for reject in rejects} <= {"out_of_memory", "too_slow"}
    assert run.peaks["together"] < MOST_MEMORY
