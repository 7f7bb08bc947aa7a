"""Tables of an evaluation for people."""

from __future__ import annotations

import io

import numpy as np

from topicml.cli.render_evaluation import render_evaluation
from topicml.training.metrics import evaluate_predictions


def test_a_calibration_says_what_chance_alone_gives() -> None:
    Y = np.array([[1], [0]] * 4, dtype=np.int8)
    documents = np.array(["one", "two"] * 4)
    lengths = np.array([4] * 8)
    sources = np.array(["article"] * 8)
    evaluation = evaluate_predictions(
        *(["baking"], Y, 0.2 + 0.6 * Y, Y, documents), sources=sources, lengths=lengths
    )
    out = io.StringIO()
    render_evaluation(evaluation, "By hand.", out)
    (row,) = (line for line in out.getvalue().splitlines() if line.startswith("1 to 10 words"))
    assert row.rstrip().endswith("– (chance alone: 0.160)")
