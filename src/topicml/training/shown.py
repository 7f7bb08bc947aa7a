"""Results that show themselves: in a notebook as tables of HTML, on a terminal as text."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from topicml.text.normalise import printable
from topicml.training.metrics import Evaluation, TopicScores
from topicml.training.page import html_table, number_text

Rows = list[dict[str, Any]]

_ROWS_SHOWN = 20


class Shown:
    """A result that says in a line what it is, and has the rest in tables.

    A table is a list of rows, and a row a dict: what ``pandas.DataFrame`` takes. Dataclasses that
    are one have ``repr=False``.
    """

    __slots__ = ()

    @property
    def headline(self) -> str:
        """What the figures are of."""
        raise NotImplementedError

    def tables(self) -> dict[str, Rows]:
        """Return tables by name."""
        raise NotImplementedError

    def __repr__(self) -> str:
        parts = [printable(self.headline)]
        for name, rows, more in self._shown():
            parts.append("\n".join([name, _text_table(rows), *more]))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        parts = [f"<p>{html.escape(printable(self.headline))}</p>"]
        for name, rows, more in self._shown():
            parts += [f"<h4>{html.escape(name)}</h4>", html_table(tuple(rows[0]), _cells(rows))]
            parts += [f"<p>{note}</p>" for note in more]
        return "".join(parts)

    def _shown(self) -> Iterator[tuple[str, Rows, list[str]]]:
        """Yield each table's name, the rows that are shown, and how many are not."""
        for name, rows in self.tables().items():
            more = len(rows) - _ROWS_SHOWN
            if rows:
                yield name, rows[:_ROWS_SHOWN], [f"({more} more)"] if more > 0 else []


def evaluation_tables(evaluation: Evaluation) -> dict[str, Rows]:
    """Return the averaged figures with their intervals, and the scores of each topic."""
    return {
        "figures": [{"figure": name, **asdict(i)} for name, i in evaluation.headlines.items()],
        "topics": [_topic_row(topic) for topic in evaluation.topics],
    }


def _topic_row(topic: TopicScores) -> dict[str, Any]:
    row = asdict(topic)
    for name, interval in row.pop("intervals").items():
        row |= {f"{name}_low": interval["low"], f"{name}_high": interval["high"]}
    return row


def _cells(rows: Rows) -> list[list[str]]:
    return [[_cell(value) for value in row.values()] for row in rows]


def _cell(value: object) -> str:
    if value is None or isinstance(value, float):
        return number_text(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_cell, value))
    return printable(str(value))


def _text_table(rows: Rows) -> str:
    lines = [list(rows[0]), *_cells(rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
