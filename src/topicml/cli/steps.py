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

    from topicml.models.steps import Step

_SECONDS_BETWEEN_LINES = 60.0


@contextmanager
def telling_steps(quiet: bool = False) -> Iterator[Callable[[Step], None]]:
    """Give a function to call after each step: bars on a terminal, else a line now and then.

    Args:
        quiet: Tell nothing.
    """
    from rich.progress import Progress

    from topicml.io.writers.table import table_console

    console = table_console(sys.stderr)
    if quiet:
        yield lambda _: None
        return
    if not console.is_terminal:
        yield Lines()
        return
    with Progress(console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(step: Step) -> None:
            if step.name not in tasks:
                tasks[step.name] = progress.add_task(step.name, total=step.total)
            progress.update(tasks[step.name], completed=step.done)

        yield tell


class Lines:
    """Writes a line when a step is begun, when its length can be told, each minute, at its end.

    Args:
        clock: Seconds that go by.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: dict[str, tuple[float, int]] = {}
        self._due: dict[str, float] = {}

    def __call__(self, step: Step) -> None:
        """Write a line if it is time for one."""
        now = self._clock()
        begun, before = self._begun.setdefault(step.name, (now, step.done))
        is_first = self._due.get(step.name) is None or before + 1 == step.done
        if is_first or now >= self._due[step.name] or step.done == step.total:
            self._due[step.name] = now + _SECONDS_BETWEEN_LINES
            new = step.done - before  # what a run went on from took no time of its own
            left = (now - begun) / new * (step.total - step.done) if new else 0.0
            rest = f", about {left:,.0f} s left" if round(left) else ""
            typer.echo(f"{step.name}: {step.done:,} of {step.total:,}{rest}", err=True)
