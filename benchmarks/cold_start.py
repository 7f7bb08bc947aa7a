"""Cold start: `topicml classify ARTICLE` against the bare imports it cannot do without.

Each command runs in a fresh interpreter, in turn, from a warm disk. CPU time (user plus
system) of the process is what is compared; wall time is shown beside it. Run it with
`make bench`; it rewrites `cold_start.json` and the table in `README.md`.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from markdown_tables import write_between

HERE = Path(__file__).parent
ROOT = HERE.parent
ROUNDS = 21
ARTICLE = str(next((ROOT / "data/raw").glob("001_*.txt")))
LOAD_PIPELINE = f"""
import joblib, pathlib
from topicml.models import default_store
pipeline = joblib.load(default_store().find() / "pipeline.joblib")
pipeline.predict_proba(pathlib.Path({ARTICLE!r}).read_text().split(". "))
"""
COMMANDS = {
    "numpy": [sys.executable, "-c", "import numpy"],
    "imports": [sys.executable, "-c", "import numpy, typer, sentencex"],
    "classify": [sys.executable, "-m", "topicml", "classify", ARTICLE, "--format", "json"],
    "joblib": [sys.executable, "-c", LOAD_PIPELINE],
}
LABELS = {
    "numpy": '`python -c "import numpy"`',
    "imports": '`python -c "import numpy, typer, sentencex"`',
    "classify": "`topicml classify ARTICLE --format json`",
    "joblib": "load `pipeline.joblib` and predict",
}


def measure(command: list[str]) -> tuple[float, float]:
    """Return CPU and wall seconds of one fresh process."""
    before, started = os.times(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    after, wall = os.times(), time.perf_counter() - started
    cpu = after.children_user + after.children_system
    return cpu - before.children_user - before.children_system, wall


def run() -> dict[str, object]:
    """Measure all commands in turn, after one unmeasured round to warm the disk."""
    for command in COMMANDS.values():
        measure(command)
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            samples[name].append(measure(command))
    figures = {
        name: {
            "cpu_seconds": round(statistics.median(cpu for cpu, _ in taken), 4),
            "cpu_spread": [round(f(cpu for cpu, _ in taken), 4) for f in (min, max)],
            "wall_seconds": round(statistics.median(wall for _, wall in taken), 4),
        }
        for name, taken in samples.items()
    }
    base = figures["imports"]["cpu_seconds"]
    libraries = ("topicml", "numpy", "scikit-learn", "sentencex", "typer")
    return {
        "rounds": ROUNDS,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "versions": {library: version(library) for library in libraries},
        "figures": figures,
        "ratios": {name: round(row["cpu_seconds"] / base, 2) for name, row in figures.items()},
    }


def table(result: dict) -> str:
    """Render the figures as Markdown."""
    lines = ["| process | CPU s, median | min to max | wall s | ratio |", "|---|---|---|---|---|"]
    for name, row in result["figures"].items():
        low, high = row["cpu_spread"]
        lines.append(
            f"| {LABELS[name]} | {row['cpu_seconds']:.3f} | {low:.3f} to {high:.3f} "
            f"| {row['wall_seconds']:.3f} | {result['ratios'][name]:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    result = run()
    (HERE / "cold_start.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    write_between(HERE / "README.md", "cold-start", table(result))
    print(table(result))
