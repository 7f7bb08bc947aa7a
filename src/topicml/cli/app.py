"""The command tree. Modules that take long to import are imported inside the commands."""

from __future__ import annotations

from typing import Annotated

import typer

from topicml.cli import batch, classify, evaluate, info, labels, models, train, tune

app = typer.Typer(
    name="topicml",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        import importlib.metadata  # not at the top: it would slow every command's start

        typer.echo(f"topicml {importlib.metadata.version('topicml')}")
        raise typer.Exit


@app.callback()
def topicml(
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Tag the sentences of defense news with topics, and train the model that does it."""


app.command()(classify.classify)
app.command()(batch.batch)
app.command()(train.train)
app.command()(evaluate.evaluate)
app.command()(tune.tune)
app.add_typer(models.app, name="models")
app.add_typer(labels.app, name="labels")
app.command()(info.info)
