"""Cold start: `topicml classify ARTICLE` against the bare imports it cannot do without.

Each command runs in a fresh interpreter, in turn, from a warm disk. CPU time (user plus
system) of the process is what is compared; wall time is shown beside it. Run it with
`make bench`; it rewrites `cold_start.json` and the table in `README.md`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

from markdown_tables import publish
from measuring import ROOT, cpu_seconds, environment, summary

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


# a process is to find its modules compiled, as it does where nothing forbids to keep them
SETTINGS = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def measure(command: list[str]) -> tuple[float, float]:
    """Return CPU and wall seconds of one fresh process."""
    before, started = cpu_seconds(), time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT, env=SETTINGS)
    return cpu_seconds() - before, time.perf_counter() - started


def run() -> dict[str, Any]:
    """Measure all commands in turn, after one unmeasured round to warm the disk."""
    for command in COMMANDS.values():
        measure(command)
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            samples[name].append(measure(command))
    figures: dict[str, Any] = {
        name: {
            "cpu_seconds": summary([cpu for cpu, _ in taken]),
            "wall_seconds": summary([wall for _, wall in taken]),
        }
        for name, taken in samples.items()
    }
    medians = {name: row["cpu_seconds"]["median"] for name, row in figures.items()}
    return {
        "rounds": ROUNDS,
        **environment(("topicml", "numpy", "scikit-learn", "sentencex", "typer")),
        "figures": figures,
        "ratios": {name: round(cpu / medians["imports"], 2) for name, cpu in medians.items()},
        "joblib_times_classify": round(medians["joblib"] / medians["classify"], 2),
    }


def table(result: dict[str, Any]) -> str:
    """Render the figures as Markdown."""
    lines = ["| process | CPU s, median | min to max | wall s | ratio |", "|---|---|---|---|---|"]
    for name, row in result["figures"].items():
        low, high = row["cpu_seconds"]["spread"]
        lines.append(
            f"| {LABELS[name]} | {row['cpu_seconds']['median']:.3f} | {low:.3f} to {high:.3f} "
            f"| {row['wall_seconds']['median']:.3f} | {result['ratios'][name]:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    result = run()
    publish("cold_start", result, {"cold-start": table(result)})
