"""Tables for people, drawn with rich."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

from rich.table import Table

from topicml.io.writers.table import table_console
from topicml.text.normalise import printable


def render_rows(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], out: IO[str] | None = None
) -> None:
    """Draw a plain table; numbers go right, floats have two decimals, None is a dash."""
    table = Table(box=None, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(
            row[index] is None or isinstance(row[index], int | float) for row in rows
        )
        table.add_column(
            column,
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=index == 0,  # a name that is cut cannot be copied
        )
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    screen = table_console(out)
    screen.print(table)
    screen.print()


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else printable(str(value))
