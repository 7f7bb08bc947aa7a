"""The quality gate: `make check` fails where a pinned figure falls.

`quality_floor.json` pins, per protocol, the label files by SHA-256, the floors, and the
noise margin. The recipe is deterministic on one machine; the margin is for the small
differences between processors and library versions.

    python benchmarks/quality_gate.py            check
    python benchmarks/quality_gate.py --update   pin today's figures and labels
    ... --update --allow-lower                   even where a floor falls
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from topicml.models.background import read_background
from topicml.models.folder import sha256_file
from topicml.taxonomy import load_taxonomy
from topicml.training.dataset import load_dataset
from topicml.training.evaluation import cross_validated_predictions
from topicml.training.features import Parameters

HERE = Path(__file__).parent
ROOT = HERE.parent
LABELS = ROOT / "data/labels"
BACKGROUND = ROOT / "models/alliance-topics/background"
FLOORS = HERE / "quality_floor.json"
FIGURES = ("micro_f1", "macro_f1", "macro_average_precision")


def measure(protocol: dict[str, Any], labels: Path = LABELS) -> dict[str, float]:
    """Cross-validate the training recipe as a protocol says; return the gated figures."""
    paths = [labels / name for name in protocol["labels"]]
    data = load_dataset(paths, load_taxonomy(labels / "taxonomy.toml"))
    parameters = protocol["parameters"]
    fixed = None if parameters is None else Parameters.from_dict(parameters)
    background = read_background(BACKGROUND) if fixed and fixed.background else None
    predictions = cross_validated_predictions(data, protocol["by"], fixed, background, jobs=2)
    evaluation = predictions.evaluate()
    return {name: round(evaluation.headlines[name].value, 4) for name in FIGURES}


def changed_files(protocol: dict[str, Any], labels: Path = LABELS) -> list[str]:
    """Return the label files that are not those the floors were measured on."""
    return [name for name, pin in protocol["labels"].items() if sha256_file(labels / name) != pin]


def shortfalls(figures: dict[str, float], floors: dict[str, float], margin: float) -> list[str]:
    """Return the names of figures that lie under their floor by more than the margin."""
    return [name for name, floor in floors.items() if figures[name] < floor - margin]


def check(pinned: dict[str, Any], labels: Path = LABELS) -> list[str]:
    """Measure every protocol; return what is wrong, one line each."""
    problems = []
    for name, protocol in pinned["protocols"].items():
        problems += [
            f"{name}: {file} is not the pinned one; look at the figures, then run --update"
            for file in changed_files(protocol, labels)
        ]
        figures = measure(protocol, labels)
        fallen = shortfalls(figures, protocol["floors"], pinned["margin"])
        for figure, value in figures.items():
            floor = protocol["floors"][figure]
            verdict = "FALLEN" if figure in fallen else "ok"
            print(f"{name:<10} {figure:<26} {value:.4f}  floor {floor:.4f}  {verdict}")
        problems += [
            f"{name}: {figure} is {figures[figure]:.4f}, more than {pinned['margin']} under "
            f"its floor {protocol['floors'][figure]:.4f}"
            for figure in fallen
        ]
    return problems


def update(pinned: dict[str, Any], *, allow_lower: bool, labels: Path = LABELS) -> list[str]:
    """Pin today's figures and label files in place; return the floors it refuses to lower."""
    refused = []
    for name, protocol in pinned["protocols"].items():
        figures = measure(protocol, labels)
        lower = [f for f, floor in protocol["floors"].items() if figures[f] < floor]
        if lower and not allow_lower:
            refused += [
                f"{name}: {f} would fall from {protocol['floors'][f]} to {figures[f]}"
                for f in lower
            ]
            continue
        protocol["floors"] = figures
        protocol["labels"] = {file: sha256_file(labels / file) for file in protocol["labels"]}
    return refused


def main(arguments: list[str] | None = None, floors: Path = FLOORS, labels: Path = LABELS) -> int:
    """Check or update; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="pin today's figures")
    parser.add_argument("--allow-lower", action="store_true", help="let --update lower a floor")
    options = parser.parse_args(arguments)
    pinned = json.loads(floors.read_text(encoding="utf-8"))
    if not options.update:
        problems = check(pinned, labels)
    else:
        problems = update(pinned, allow_lower=options.allow_lower, labels=labels)
        if problems:
            problems.append("nothing written; to lower a floor on purpose: --allow-lower")
        else:
            floors.write_text(json.dumps(pinned, indent=2) + "\n", encoding="utf-8")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
