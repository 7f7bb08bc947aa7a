"""Tables of an evaluation and of a search, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import IO

from rich.table import Table
from rich.text import Text

from topicml.cli.render import render_rows
from topicml.io.writers.table import table_console
from topicml.scheme import Kind
from topicml.training.evaluation_rows import calibration_rows
from topicml.training.features import SKLEARN_DEFAULTS, Parameters
from topicml.training.metrics import Evaluation, TopicScores
from topicml.training.search import Candidate

_CALIBRATION = ("sentences of", "count", "docs", "mean", "share", "error", "95 % interval")
_CANDIDATES_SHOWN = 5
_OPTIMISTIC = (
    "Settings, each scored by the labels that it is chosen by: the best is slightly optimistic."
)


def render_evaluation(evaluation: Evaluation, protocol: str, out: IO[str] | None = None) -> None:
    """Draw figures with intervals, on the whole and per topic, and tables of calibration."""
    screen = table_console(out)
    screen.print(Text(protocol, style="dim"))
    screen.print(
        f"{evaluation.sentences} sentences of {evaluation.documents} documents; "
        "intervals are 95 %, by the jackknife over documents."
    )
    for caution in evaluation.cautions:
        screen.print(Text(f"Caution: {caution}.", style="yellow"))
    screen.print()
    table = Table(box=None, pad_edge=False)
    for column in ("figure", "value", "95 % interval"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for row in evaluation.figure_rows():
        table.add_row(*row)
    screen.print(table)
    screen.print()
    columns = ("topic", "support", "docs", "prec.", "recall", "F1", "95 % of F1", "AP")
    render_rows(columns, [_topic_row(topic) for topic in evaluation.topics], out)
    bins = [
        (f"{b.lower:.1f} to {b.upper:.1f}", b.count, b.mean_probability, b.observed_share)
        for b in evaluation.reliability
    ]
    render_rows(("probability", "predictions", "mean", "observed share"), bins, out)
    if evaluation.calibration:
        parts = [asdict(part) for part in evaluation.calibration]
        render_rows(_CALIBRATION, calibration_rows(parts), out)


def _topic_row(topic: TopicScores) -> tuple[object, ...]:
    """Return what fits into 80 columns: the report and the JSON have all intervals."""
    f1 = topic.intervals["f1"]
    between = "–" if f1.low is None else f"{f1.low:.2f} to {f1.high:.2f}"
    figures = (topic.precision, topic.recall, topic.f1, between, topic.average_precision)
    return topic.topic, topic.support, topic.documents, *figures


def render_candidates(
    candidates: Sequence[Candidate],
    chosen: Parameters,
    sizes: Mapping[Parameters, int] | None = None,
    kind: Kind = "multilabel",
) -> None:
    """Draw the best candidates of a search, the one chosen and scikit-learn's defaults marked."""
    marks = {chosen: "chosen"}
    marks[SKLEARN_DEFAULTS] = "chosen, default" if chosen == SKLEARN_DEFAULTS else "default"
    shown = [c for i, c in enumerate(candidates) if i < _CANDIDATES_SHOWN or c.parameters in marks]
    rows = [
        (
            marks.get(c.parameters, ""),
            "{}-{}".format(*c.parameters.word_ngrams),
            "{}-{}".format(*c.parameters.char_ngrams) if c.parameters.char_ngrams else "none",
            c.parameters.min_df,
            "log" if c.parameters.sublinear_tf else "count",
            f"{c.parameters.C:g}",
            "yes" if c.parameters.class_weight else "no",
            c.parameters.nb_mixing,
            c.macro_average_precision,
            c.micro_f1,
            *([sizes[c.parameters]] if sizes else []),
        )
        for c in shown
    ]
    columns = ["", "words", "chars", "df", "tf", "C", "bal.", "NB", "macro AP"]
    columns.append("accuracy" if kind == "multiclass" else "F1 at ½")
    if rows:
        table_console(None).print(Text(_OPTIMISTIC, style="dim"))
        render_rows([*columns, *(["features"] if sizes else [])], rows)
