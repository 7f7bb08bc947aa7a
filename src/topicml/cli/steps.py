"""How far a long training is, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.progress import TaskID

    from topicml.models.fold_networks import Step

_SECONDS_BETWEEN_LINES = 60.0


@contextmanager
def telling_steps() -> Iterator[Callable[[Step], None]]:
    """Give a function to call after each step: bars on a terminal, else a line a minute."""
    from rich.progress import Progress

    from topicml.io.writers.table import table_console

    console = table_console(sys.stderr)
    if not console.is_terminal:
        yield _lines()
        return
    with Progress(console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(step: Step) -> None:
            if step.name not in tasks:
                tasks[step.name] = progress.add_task(step.name, total=step.total)
            progress.update(tasks[step.name], completed=step.done)

        yield tell


def _lines() -> Callable[[Step], None]:
    told: dict[str, float] = {}

    def tell(step: Step) -> None:
        now = time.monotonic()
        is_due = now - told.get(step.name, -_SECONDS_BETWEEN_LINES) >= _SECONDS_BETWEEN_LINES
        if is_due or step.done == step.total:
            told[step.name] = now
            typer.echo(f"{step.name}: {step.done:,} of {step.total:,}", err=True)

    return tell
