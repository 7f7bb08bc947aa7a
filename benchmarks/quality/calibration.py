"""Calibration before and after, on real sentences out of fold, with all labels that have a text.

    python benchmarks/quality/calibration.py

Rewrites `calibration.json` and the table in `docs/quality.md`. The curves are drawn by
`topicml evaluate --html FILE`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))  # for what all benchmarks share
from markdown_tables import write_between

from topicml.models import default_store, open_model
from topicml.models.background import read_background
from topicml.taxonomy import load_taxonomy
from topicml.training.dataset import load_dataset
from topicml.training.evaluation import (
    cross_validated_predictions,
    uncalibrated_probabilities,
)
from topicml.training.features import Parameters
from topicml.training.metrics import expected_calibration_errors, reliability_table

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LABELS = ROOT / "data/labels"


def figures(Y, probabilities) -> dict[str, object]:
    """Return mean ECE over topics, Brier score, and the reliability table."""
    return {
        "ece": round(float(expected_calibration_errors(Y, probabilities).mean()), 4),
        "brier": round(float(np.mean((probabilities - Y) ** 2)), 4),
        "bins": [
            [b.lower, b.count, round(b.mean_probability, 3), round(b.observed_share, 3)]
            for b in reliability_table(Y, probabilities)
        ],
    }


def run() -> dict[str, dict[str, object]]:
    """Return the figures before and after calibration."""
    data = load_dataset(sorted(LABELS.glob("*.jsonl")), load_taxonomy(LABELS / "taxonomy.toml"))
    model = open_model(default_store().find())
    parameters = Parameters.from_dict(model.manifest["parameters"])
    background = read_background(ROOT / "models/alliance-topics/background")
    after = cross_validated_predictions(data, "article", parameters, background, jobs=2)
    before = uncalibrated_probabilities(data, "article", parameters, background)
    return {"before": figures(after.Y, before), "after": figures(after.Y, after.probabilities)}


def table(result: dict[str, dict[str, object]]) -> str:
    """Render the two reliability tables side by side, ECE and Brier above."""
    before, after = result["before"], result["after"]
    lines = [
        f"ECE (mean over topics) {before['ece']:.3f} before, {after['ece']:.3f} after; "
        f"Brier {before['brier']:.4f} before, {after['brier']:.4f} after.",
        "",
        "| probability | predictions before | observed before | predictions after "
        "| observed after |",
        "|---|---|---|---|---|",
    ]
    later = {row[0]: row for row in after["bins"]}
    for lower, count, _, observed in before["bins"]:
        _, other, _, other_observed = later.get(lower, (lower, 0, 0, float("nan")))
        lines.append(
            f"| {lower:.1f} to {lower + 0.1:.1f} | {count} | {observed:.2f} | {other} "
            f"| {other_observed:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    result = run()
    (HERE / "calibration.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    write_between(ROOT / "docs/quality.md", "calibration", table(result))
    print(table(result))
