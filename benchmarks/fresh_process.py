"""Fresh processes: what the first call of the compiled kernel costs, and peak memory.

Every measurement is a process of its own, from a warm disk, in turn with the others. Calls
are timed inside it by CPU time (user plus system); memory is the peak resident set that the
system reports when it ends. A peak starts from that of the process which starts it, so this
one imports little and stays small.

    python benchmarks/fresh_process.py      rewrites `fresh_process.json` and the tables
                                            in `README.md`
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from markdown_tables import publish
from measuring import MEGABYTE, ROOT, environment, summary, take, text_source

from topicml.models import default_store

ROUNDS = 5
SIZE = 10 * MEGABYTE
KIBIBYTE = 1 if sys.platform == "darwin" else 1024  # macOS reports bytes
ARTICLE = str(next((ROOT / "data/raw").glob("001_*.txt")))
FOLDER = default_store().find()
SCORE = """
import json, statistics, sys, time
from pathlib import Path
from topicml.text.packed import pack_texts
from topicml.scoring.scorer_file import load_scorer

def seconds(texts):
    packed = pack_texts(texts)
    before = time.process_time()
    scorer.score(*packed)
    return time.process_time() - before

texts = Path(sys.argv[2]).read_bytes().decode("utf-8").split("\\n")
scorer = load_scorer(Path(sys.argv[1]))
scorer.use("compiled")
first = seconds(texts[:1])
warm = statistics.median(seconds(texts[:1]) for _ in range(101))
steady = sum(map(len, map(str.encode, texts))) / 1_000_000 / seconds(texts)
print(json.dumps({"first": first, "warm": warm, "steady": steady}))
"""
PREDICT = """
import sys
from pathlib import Path
import joblib
texts = Path(sys.argv[2]).read_bytes().decode("utf-8").split("\\n")
joblib.load(sys.argv[1]).predict_proba(texts)
"""
CALLS = {
    "compiling": "nothing kept: numba compiles",
    "kept": "compiled code kept by an earlier process",
}
MEMORY = {
    "classify": "`topicml classify ARTICLE --format json`",
    "kept": "score 10 MB, compiled",
    "compiling": "score 10 MB, compiling first",
    "scikit-learn": "score 10 MB, scikit-learn's `predict_proba`",
}


def commands(sentences: Path) -> dict[str, list[str]]:
    """Return what is measured."""
    score = [sys.executable, "-c", SCORE, str(FOLDER / "scorer.npz"), str(sentences)]
    predict = [sys.executable, "-c", PREDICT, str(FOLDER / "pipeline.joblib"), str(sentences)]
    return {
        "classify": [sys.executable, "-m", "topicml", "classify", ARTICLE, "--format", "json"],
        "compiling": score,
        "kept": score,
        "scikit-learn": predict,
    }


def measure(command: list[str], cache: str) -> tuple[str, int]:
    """Return what a fresh process prints, and its peak resident set in bytes."""
    settings = {**os.environ, "NUMBA_CACHE_DIR": cache}
    with tempfile.TemporaryFile() as printed:
        started = subprocess.Popen(command, stdout=printed, cwd=ROOT, env=settings)
        _, status, usage = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
        if started.returncode:
            raise subprocess.CalledProcessError(started.returncode, command)
        printed.seek(0)
        return printed.read().decode("utf-8"), usage.ru_maxrss * KIBIBYTE


def run(sentences: Path, cache: str) -> dict[str, Any]:
    """Measure all in turn, after one unmeasured round to fill the cache and warm the disk."""
    turns = commands(sentences)
    measure(turns["classify"], cache)
    measure(turns["kept"], cache)
    calls: dict[str, list[dict[str, float]]] = {name: [] for name in CALLS}
    peaks: dict[str, list[int]] = {name: [] for name in MEMORY}
    for _ in range(ROUNDS):
        for name, command in turns.items():
            with tempfile.TemporaryDirectory() as empty:
                printed, peak = measure(command, empty if name == "compiling" else cache)
            peaks[name].append(peak)
            if name in calls:
                calls[name].append(json.loads(printed))
    check_own_peak(min(peaks["classify"]))
    return {
        "rounds": ROUNDS,
        **environment(("topicml", "numpy", "scikit-learn", "numba", "llvmlite", "sentencex")),
        "text": text_source(),
        "calls": {name: call_figures(taken) for name, taken in calls.items()},
        "peak_megabytes": {
            name: summary([peak / MEGABYTE for peak in taken], digits=1)
            for name, taken in peaks.items()
        },
    }


def check_own_peak(least: int) -> None:
    """Stop where this process is so large that the smallest peak may be its own."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
    if own >= least:
        raise SystemExit(f"a peak of {least:,} bytes is not above this process's own {own:,}")


def call_figures(taken: list[dict[str, float]]) -> dict[str, Any]:
    """Return the seconds of the first and of a warm call, and MB/s in the steady state."""
    return {
        "first_seconds": summary([row["first"] for row in taken]),
        "warm_seconds": summary([row["warm"] for row in taken], digits=7),
        "megabytes_per_second": summary([row["steady"] for row in taken], digits=2),
    }


def calls_table(calls: dict[str, Any]) -> str:
    """Render the first calls as Markdown."""
    lines = [
        "| compiled kernel | first call, CPU s | warm call, CPU µs | steady state, MB/s |",
        "|---|---|---|---|",
    ]
    for name, row in calls.items():
        first = with_spread(row["first_seconds"], 2)
        warm = with_spread(row["warm_seconds"], 0, 1_000_000)
        steady = with_spread(row["megabytes_per_second"], 1)
        lines.append(f"| {CALLS[name]} | {first} | {warm} | {steady} |")
    return "\n".join(lines)


def memory_table(peaks: dict[str, Any]) -> str:
    """Render the peaks as Markdown."""
    lines = ["| process | peak MB, median | min to max |", "|---|---|---|"]
    for name, row in peaks.items():
        low, high = row["spread"]
        lines.append(f"| {MEMORY[name]} | {row['median']:.0f} | {low:.0f} to {high:.0f} |")
    return "\n".join(lines)


def with_spread(figures: dict[str, Any], digits: int, factor: int = 1) -> str:
    """Render a median with its spread."""
    median, low, high = (
        f"{factor * value:.{digits}f}" for value in (figures["median"], *figures["spread"])
    )
    return f"{median} ({low} to {high})"


def main() -> None:
    """Measure and write down."""
    if importlib.util.find_spec("numba") is None:
        raise SystemExit("numba is not installed: pip install -e '.[batch]'")
    with tempfile.TemporaryDirectory() as folder:
        sentences = Path(folder) / "sentences.txt"
        with sentences.open("w", encoding="utf-8") as file:
            file.writelines(f"{sentence}\n" for sentence in take(SIZE))
        result = run(sentences, folder)
    tables = {
        "first-call": calls_table(result["calls"]),
        "memory": memory_table(result["peak_megabytes"]),
    }
    publish("fresh_process", result, tables)


if __name__ == "__main__":
    main()
