"""End to end: `topicml batch` from JSON Lines to JSON Lines, against the plain loop.

The plain loop is what one writes first: for each line `json.loads`, sentencex, the
scikit-learn pipeline's `predict_proba`, `json.dumps`. Text is `../shared/external/dump.jsonl`
where it is, else made of the repository's own articles and labelled sentences, repeated to the
sizes asked for. Measured are CPU time of all processes (user plus system), wall time, and the
peak memory of each process. Run it with `make bench`; it rewrites `batch.json` and the tables
in `README.md`.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from itertools import cycle
from pathlib import Path

from markdown_tables import publish, write_between
from measuring import labelled_sentences

ROOT = Path(__file__).parent.parent
OUTSIDE = ROOT.parent / "shared/external/dump.jsonl"
ROUNDS = 2
SIZES = (150_000_000, 600_000_000)
PLAIN_BYTES = 3_000_000  # the plain loop is measured on so much of the text, many times slower
PLAIN_LOOP = """
import json, sys, joblib, sentencex
from topicml.models import default_store
pipeline = joblib.load(default_store().find() / "pipeline.joblib").pipeline_
with open(sys.argv[1]) as lines, open(sys.argv[2], "w") as out:
    for line in lines:
        record = json.loads(line)
        sentences = [s for s in sentencex.segment("en", record["text"]) if s.strip()]
        rows = pipeline.predict_proba(sentences).tolist() if sentences else []
        out.write(json.dumps({"id": record["id"], "probabilities": rows}) + "\\n")
"""
LIBRARIES = ("topicml", "numpy", "numba", "scikit-learn", "sentencex", "orjson", "pyarrow")


def source_lines() -> tuple[str, list[bytes]]:
    """Return where the text is from, and its records as lines."""
    if OUTSIDE.exists():
        return "2,000 real transcripts", OUTSIDE.read_bytes().splitlines(keepends=True)
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "data/raw").glob("*.txt"))]
    sentences = list(labelled_sentences())
    texts += [" ".join(sentences[n : n + 30]) for n in range(0, len(sentences), 30)]
    records = [{"id": str(n), "text": text} for n, text in enumerate(texts)]
    lines = [json.dumps(record).encode() + b"\n" for record in records]
    return "the repository's articles and labelled sentences", lines


def write_dump(path: Path, lines: list[bytes], size: int) -> int:
    """Write lines again and again up to a size; return the bytes written."""
    written = 0
    with path.open("wb") as file:
        for line in cycle(lines):
            if written + len(line) > size:
                return written
            file.write(line)
            written += len(line)
    return written


def run(command: list[str]) -> dict[str, float]:
    """Run a command to its end; return CPU and wall seconds and the largest peak in MB."""
    before, started = os.times(), time.perf_counter()
    peak = 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT)
    while process.poll() is None:
        peak = max(peak, largest_peak(process.pid))
        time.sleep(0.1)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user
    return {
        "cpu_seconds": cpu - before.children_system,
        "wall_seconds": time.perf_counter() - started,
        "peak_megabytes": peak / 1e3,
    }


def largest_peak(pid: int) -> int:
    """Return the peak memory in kB of that process or a descendant, whichever has more."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        tasks = Path(f"/proc/{pid}/task").iterdir()
        children = [c for t in tasks for c in (t / "children").read_text().split()]
    except (OSError, ValueError):
        return 0
    own = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    return max([*own, *(largest_peak(int(child)) for child in children)], default=0)


def batch_command(dump: Path, output: Path, jobs: int) -> list[str]:
    """Return the command that is measured."""
    options = ["-o", str(output), "--jobs", str(jobs), "--force", "--quiet"]
    return [sys.executable, "-m", "topicml", "batch", str(dump), *options]


def plain_seconds_per_byte(folder: Path, lines: list[bytes]) -> float:
    """Return CPU seconds of the plain loop for each byte, start-up left out."""
    small, none = folder / "plain.jsonl", folder / "none.jsonl"
    written = write_dump(small, lines, PLAIN_BYTES)
    none.write_bytes(lines[0])
    out = str(folder / "plain.out")
    command = [sys.executable, "-c", PLAIN_LOOP]
    seconds = [
        run([*command, str(small), out])["cpu_seconds"]
        - run([*command, str(none), out])["cpu_seconds"]
        for _ in range(ROUNDS)
    ]
    return statistics.median(seconds) / written


def measure() -> dict[str, object]:
    """Measure everything in one run."""
    origin, lines = source_lines()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        plain = plain_seconds_per_byte(folder, lines)
        for size in SIZES:
            dump = folder / "dump.jsonl"
            written = write_dump(dump, lines, size)
            for jobs in (1, 2):
                rounds = ROUNDS if size == SIZES[0] else 1
                output = folder / "out.jsonl"
                taken = [run(batch_command(dump, output, jobs)) for _ in range(rounds)]
                median = {k: statistics.median(t[k] for t in taken) for k in taken[0]}
                rows.append(
                    {
                        "bytes": written,
                        "jobs": jobs,
                        "rounds": rounds,
                        **{name: round(value, 2) for name, value in median.items()},
                        "wall_spread": [
                            round(f(t["wall_seconds"] for t in taken), 2) for f in (min, max)
                        ],
                        "megabytes_per_cpu_second": round(written / 1e6 / median["cpu_seconds"], 2),
                        "times_plain_loop": round(plain * written / median["cpu_seconds"], 1),
                    }
                )
    one, two = rows[0], rows[1]
    return {
        "text": origin,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {library: version(library) for library in LIBRARIES},
        "plain_loop_megabytes_per_cpu_second": round(1e-6 / plain, 3),
        "bytes_per_record": round(sum(map(len, lines)) / len(lines)),
        "rows": rows,
        "two_jobs_times_one": round(one["wall_seconds"] / two["wall_seconds"], 2),
        "large_times_small": {
            jobs: round(rows[2 + jobs - 1]["wall_seconds"] / rows[jobs - 1]["wall_seconds"], 2)
            for jobs in (1, 2)
        },
    }


def table(result: dict) -> str:
    """Render the figures as Markdown."""
    lines = [
        "| input | jobs | CPU s | wall s | MB per CPU s | times the plain loop | peak |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['bytes'] / 1e6:.0f} MB | {row['jobs']} | {row['cpu_seconds']:.1f} "
        f"| {row['wall_seconds']:.1f} | {row['megabytes_per_cpu_second']:.1f} "
        f"| {row['times_plain_loop']:.1f} | {row['peak_megabytes']:.0f} MB |"
        for row in result["rows"]
    ]
    plain = result["plain_loop_megabytes_per_cpu_second"]
    lines += [
        "",
        f"Text: {result['text']}. The plain loop does {plain:.2f} MB per CPU second. Two jobs are "
        f"{result['two_jobs_times_one']:.2f} times as fast as one; four times the input takes "
        f"{result['large_times_small'][1]:.2f} times as long.",
    ]
    return "\n".join(lines)


def cluster_tables(result: dict) -> dict[str, str]:
    """Render what a cluster takes, worked out from the figures, as Markdown."""
    one, efficiency = result["rows"][0], result["two_jobs_times_one"] / 2
    rate, record_bytes = one["megabytes_per_cpu_second"], result["bytes_per_record"]
    measured = [
        "| figure | value |",
        "|---|---|",
        f"| text, MB/s per core (*r*) | {rate:.1f} |",
        f"| records/s per core | {rate * 1e6 / record_bytes:.0f} |",
        f"| bytes per record | {record_bytes:,.0f} |",
        f"| speed of two processes over twice that of one, on two cores (*e*) | {efficiency:.2f} |",
    ]
    cost = [
        "| text | core-hours | one machine of 64 cores | 1,000 cores | cost at $0.04 |",
        "|---|---|---|---|---|",
    ]
    for terabytes in (1, 100):
        hours = terabytes * 1e6 / (rate * efficiency) / 3600
        many = f"{hours / 1000:.1f} hours" if hours > 2000 else f"{hours * 60 / 1000:.0f} minutes"
        cost.append(
            f"| {terabytes} TB | {hours:,.0f} | {hours / 64:.1f} hours | {many} "
            f"| ${hours * 0.04:.2f} |"
        )
    return {"cluster-measured": "\n".join(measured), "cluster-cost": "\n".join(cost)}


if __name__ == "__main__":
    result = measure()
    publish("batch", result, {"batch": table(result)})
    for name, text in cluster_tables(result).items():
        write_between(ROOT / "docs/clusters.md", name, text)
