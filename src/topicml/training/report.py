"""An evaluation as one self-contained HTML file: figures, tables and plots, nothing loaded."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import precision_recall_curve

from topicml.errors import MissingExtraError
from topicml.training.evaluation import LearningPoint, Predictions
from topicml.training.evaluation_rows import CALIBRATION_COLUMNS, calibration_rows, topic_cells
from topicml.training.metrics import Evaluation, reliability_table
from topicml.training.page import html_page, html_table, number_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BODY = """<p>{protocol}</p>
<p class="muted">{sentences} sentences of {documents} documents. Intervals are 95 %, by the
jackknife over documents.</p>
{cautions}
<h2>Headline figures</h2>
{headlines}
<h2>Per topic</h2>
{topics}
{calibration}<h2>Plots</h2>
<div class="plots">{plots}</div>"""
_RIGHT, _WRONG, _MISSED = "#2f6f9f", "#d1603d", "#c9d3dd"


def render_report(predictions: Predictions, evaluation: Evaluation) -> str:
    """Return the HTML page of an evaluation.

    Args:
        predictions: What was predicted; drawn as curves.
        evaluation: Its figures.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    plots = [
        ("Tags per topic: right, wrong, and topics that were missed.", _draw_counts(predictions)),
        (
            "Precision and recall as the threshold moves; the dot is the model's own.",
            _draw_precision_recall(predictions),
        ),
        (
            "How often a topic was really there, by the probability given for it.",
            _draw_reliability(predictions),
        ),
    ]
    if predictions.learning_curve:
        plots.append(
            (
                "What more labels bring: the recipe fitted on a growing share of them.",
                _draw_learning(predictions.learning_curve),
            )
        )
    body = _BODY.format(
        protocol=html.escape(predictions.protocol),
        sentences=evaluation.sentences,
        documents=evaluation.documents,
        headlines=html_table(("figure", "value", "95 % interval"), evaluation.figure_rows()),
        cautions="".join(f"<p>Caution: {html.escape(c)}.</p>" for c in evaluation.cautions),
        topics=_topic_table(evaluation),
        calibration=_calibration(evaluation),
        plots="".join(_figure(caption, figure) for caption, figure in plots),
    )
    return html_page("Evaluation", body)


def _topic_table(evaluation: Evaluation) -> str:
    columns = ("topic", "support", "documents", "precision", "recall", "F1", "average precision")
    rows = [
        (
            *(scores.topic, scores.support, scores.documents, *topic_cells(asdict(scores))),
            *map(number_text, (scores.brier, scores.expected_calibration_error)),
        )
        for scores in evaluation.topics
    ]
    return html_table((*columns, "Brier", "ECE"), rows)


def _calibration(evaluation: Evaluation) -> str:
    if not evaluation.calibration:
        return ""
    rows = calibration_rows(asdict(part) for part in evaluation.calibration)
    return f"<h2>Calibration</h2>\n{html_table(CALIBRATION_COLUMNS, rows)}\n"


def _draw_counts(predictions: Predictions) -> Figure:
    figure, axes = _axes()
    Y, tags = predictions.Y, predictions.tags
    right, wrong, missed = (tags & Y).sum(0), (tags & (1 - Y)).sum(0), ((1 - tags) & Y).sum(0)
    rows = np.arange(len(predictions.topics))[::-1]
    axes.barh(rows, right, color=_RIGHT, label="right")
    axes.barh(rows, wrong, left=right, color=_WRONG, label="wrong")
    axes.barh(rows, missed, left=right + wrong, color=_MISSED, label="missed")
    axes.set_yticks(rows, predictions.topics)
    axes.set_xlabel("sentences")
    axes.legend(frameon=False)
    return figure


def _draw_precision_recall(predictions: Predictions) -> Figure:
    figure, axes = _axes()
    for t, topic in enumerate(predictions.topics):
        y, tags = predictions.Y[:, t], predictions.tags[:, t]
        if not y.any():
            continue
        precision, recall, _ = precision_recall_curve(y, predictions.probabilities[:, t])
        (line,) = axes.step(recall, precision, where="post", label=topic, linewidth=1.3)
        if tags.any():
            hits = int((tags & y).sum())
            axes.plot(hits / y.sum(), hits / tags.sum(), "o", color=line.get_color())
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
    figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=3)
    return figure


def _draw_reliability(predictions: Predictions) -> Figure:
    figure, axes = _axes()
    axes.plot([0, 1], [0, 1], color=_MISSED, linestyle="--", label="perfect")
    series = [("calibrated", predictions.probabilities, _RIGHT)]
    if predictions.uncalibrated is not None:
        series.insert(0, ("before calibration", predictions.uncalibrated, _WRONG))
    for label, probabilities, colour in series:
        bins = reliability_table(predictions.Y, probabilities)
        axes.plot(
            [b.mean_probability for b in bins],
            [b.observed_share for b in bins],
            marker="o",
            color=colour,
            label=label,
        )
    axes.set(xlabel="probability", ylabel="observed share", xlim=(0, 1), ylim=(0, 1))
    axes.legend(frameon=False)
    return figure


def _draw_learning(curve: Sequence[LearningPoint]) -> Figure:
    figure, axes = _axes()
    sentences = [point.sentences for point in curve]
    axes.plot(sentences, [p.macro_average_precision for p in curve], marker="o", color=_RIGHT)
    axes.set(xlabel="labelled sentences", ylabel="macro average precision", ylim=(0, 1))
    axes.set_xscale("log")
    axes.set_xticks(sentences, [str(n) for n in sentences])
    axes.minorticks_off()
    return figure


def _axes() -> tuple[Figure, Axes]:
    try:
        from matplotlib.figure import Figure
    except ImportError as err:
        raise MissingExtraError(
            "the HTML report needs matplotlib", hint="Install it: pip install 'topicml[report]'"
        ) from err
    figure = Figure(figsize=(6.4, 4.4), layout="constrained", dpi=150)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _figure(caption: str, figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    alt = html.escape(caption)
    return (
        f'<figure><img alt="{alt}" src="data:image/png;base64,{data}">'
        f"<figcaption>{alt}</figcaption></figure>"
    )
