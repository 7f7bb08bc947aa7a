"""The command tree. Modules that take long to import are imported inside the commands."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer

COMMANDS = (
    *("classify", "explain", "review", "watch", "batch", "report", "serve"),
    *("train", "evaluate", "compare", "tune", "distill"),
    *("models", "labels", "init", "info"),
)
"""All commands, each in the module of its name."""


def make_app(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command tree, with all commands or only those that are needed."""
    app = typer.Typer(
        name="topicml",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_topicml)
    for name in names:
        module = importlib.import_module(f"topicml.cli.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command()(getattr(module, name))
    return app


def needed_commands(arguments: Sequence[str]) -> Sequence[str]:
    """Return the command that is asked for, or all; to build all takes as long as to tag a text."""
    first = next((a for a in arguments if not a.startswith("-")), None)
    return [first] if first in COMMANDS else COMMANDS


def _print_version(asked: bool) -> None:
    if asked:
        import importlib.metadata  # not at the top: it would slow every command's start

        typer.echo(f"topicml {importlib.metadata.version('topicml')}")
        raise typer.Exit


def _topicml(
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Tag the sentences of defense news with topics, and train the model that does it."""
