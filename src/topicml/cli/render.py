"""Tables for people, drawn with rich."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import IO, Any

from rich.table import Table
from rich.text import Text

from topicml.io.writers.table import table_console
from topicml.training.evaluation import Evaluation, in_words


def render_evaluation(evaluation: Evaluation, protocol: str, out: IO[str] | None = None) -> None:
    """Draw headline figures with intervals, scores per topic, and the reliability table."""
    screen = table_console(out)
    screen.print(Text(protocol, style="dim"))
    screen.print(
        f"{evaluation.sentences} sentences of {evaluation.documents} documents; "
        "intervals are 95 %, by bootstrap over documents.\n"
    )
    table = Table(box=None, pad_edge=False)
    for column in ("figure", "value", "95 % interval"):
        table.add_column(column, justify="left" if column == "figure" else "right")
    for key, row in evaluation.headlines.items():
        table.add_row(key.replace("_", " "), *in_words(asdict(row)))
    table.add_row("micro precision", f"{evaluation.micro_precision:.3f}", "")
    table.add_row("micro recall", f"{evaluation.micro_recall:.3f}", "")
    table.add_row("brier", f"{evaluation.brier:.3f}", "")
    table.add_row("document micro f1", f"{evaluation.document_micro_f1:.3f}", "")
    table.add_row("document macro f1", f"{evaluation.document_macro_f1:.3f}", "")
    screen.print(table)
    screen.print()
    rows = [
        (
            t.topic,
            t.support,
            t.precision,
            t.recall,
            t.f1,
            t.average_precision,
            t.expected_calibration_error,
        )
        for t in evaluation.topics
    ]
    render_rows(("topic", "support", "precision", "recall", "F1", "AP", "ECE"), rows, out)
    bins = [
        (f"{b.lower:.1f} to {b.upper:.1f}", b.count, b.mean_probability, b.observed_share)
        for b in evaluation.reliability
    ]
    render_rows(("probability", "predictions", "mean", "observed share"), bins, out)


def render_rows(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], out: IO[str] | None = None
) -> None:
    """Draw a plain table; numbers go right, floats have two decimals, None is a dash."""
    table = Table(box=None, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(
            row[index] is None or isinstance(row[index], int | float) for row in rows
        )
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    screen = table_console(out)
    screen.print(table)
    screen.print()


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
