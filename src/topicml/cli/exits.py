"""Exit codes that several commands share; see docs/batch.md for those of batch."""

from __future__ import annotations

import typer

FAILURE, SOME_REJECTED = 1, 3


def exit_rejected(done: int | bool) -> typer.Exit:
    """Return the end of a command that rejected something: a failure where nothing was done."""
    return typer.Exit(SOME_REJECTED if done else FAILURE)
